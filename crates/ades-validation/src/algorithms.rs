//! The lifetimes of algorithms (ETSI TS 119 312): data with a date.

use ades_core::certificate::KeyType;
use ades_core::{DigestAlgorithm, SignatureAlgorithm};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

const DEFAULT: &str = include_str!("algorithms.csv");

/// Until when algorithms are reliable.
#[derive(Clone, Debug)]
pub struct AlgorithmPolicy {
    rows: Vec<Row>,
    updated: NaiveDate,
    after_update: AfterUpdate,
}

/// What the end of an algorithm means that was still to come when the table was written.
/// A table cannot know the future (TS 119 312 is revised for that).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AfterUpdate {
    /// It is a remark.
    Warn,
    /// The algorithm is too weak.
    Fail,
}

#[derive(Clone, Debug)]
struct Row {
    kind: String,
    name: String,
    min_bits: usize,
    until: Option<NaiveDate>,
}

/// Why an algorithm is not reliable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Weakness {
    /// It is not in the policy
    #[error("{algorithm} is not an algorithm of the policy")]
    Unknown {
        /// The name of the algorithm
        algorithm: String,
    },
    /// The key is too short
    #[error("a key of {bits} bits is too short for {algorithm}")]
    KeyTooShort {
        /// The name of the algorithm
        algorithm: String,
        /// The length of the key
        bits: usize,
    },
    /// It was reliable before this time only
    #[error("{algorithm} is reliable before {until} only")]
    Ended {
        /// The name of the algorithm, with the length of its key
        algorithm: String,
        /// The first day on which it is not reliable
        until: NaiveDate,
    },
}

impl Weakness {
    /// The time before which the algorithm was reliable; `None` if it never was.
    #[must_use]
    pub fn end(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Ended { until, .. } => Some(until.and_time(NaiveTime::MIN).and_utc()),
            _ => None,
        }
    }
}

impl Default for AlgorithmPolicy {
    /// The table of this version. See `algorithms.csv`.
    fn default() -> Self {
        let date = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        let updated = DEFAULT.lines().find_map(|line| line.strip_prefix("# updated,"));
        let rows = DEFAULT.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let mut cells = line.split(',');
            let (kind, name) = (cells.next()?.to_owned(), cells.next()?.to_owned());
            let min_bits = cells.next()?.parse().unwrap_or(0);
            Some(Row { kind, name, min_bits, until: date(cells.next()?) })
        });
        Self {
            rows: rows.collect(),
            updated: updated.and_then(date).unwrap_or_default(),
            after_update: AfterUpdate::Warn,
        }
    }
}

impl AlgorithmPolicy {
    /// The date of the table.
    #[must_use]
    pub const fn updated(&self) -> NaiveDate {
        self.updated
    }

    /// Decides about ends that were still to come at the date of the table.
    #[must_use]
    pub const fn after_update(mut self, after_update: AfterUpdate) -> Self {
        self.after_update = after_update;
        self
    }

    /// Checks a digest algorithm at a time.
    ///
    /// # Errors
    /// Why it is not reliable.
    pub fn check_digest(
        &self,
        algorithm: DigestAlgorithm,
        time: DateTime<Utc>,
    ) -> Result<(), Weakness> {
        let name = algorithm.to_string();
        let rows = self.rows.iter().filter(|row| row.kind == "digest" && row.name == name);
        self.check(rows, name.clone(), 0, time)
    }

    /// Checks a signature algorithm, its digest and the key at a time.
    ///
    /// # Errors
    /// Why it is not reliable.
    pub fn check_signature(
        &self,
        algorithm: SignatureAlgorithm,
        key: KeyType,
        time: DateTime<Utc>,
    ) -> Result<(), Weakness> {
        self.check_digest(algorithm.digest_algorithm(), time)?;
        let kind = match algorithm {
            SignatureAlgorithm::RsaPkcs1v15(_) => "rsa",
            SignatureAlgorithm::Ecdsa(_) => "ecdsa",
            SignatureAlgorithm::Ed25519 => "ed25519",
            _ => "rsa-pss",
        };
        let Some(bits) = key.bits() else {
            let algorithm = format!("{algorithm} with a key of an unsupported type");
            return Err(Weakness::Unknown { algorithm });
        };
        let rows = self.rows.iter().filter(|row| row.kind == kind);
        self.check(rows, format!("{algorithm} with a key of {bits} bits"), bits, time)
    }

    /// An algorithm is reliable if one of the rows for keys of this length or shorter
    /// is open at the time.
    fn check<'r>(
        &self,
        rows: impl Iterator<Item = &'r Row>,
        algorithm: String,
        bits: usize,
        time: DateTime<Utc>,
    ) -> Result<(), Weakness> {
        let rows: Vec<&Row> = rows.collect();
        if rows.is_empty() {
            return Err(Weakness::Unknown { algorithm });
        }
        let fitting: Vec<&&Row> = rows.iter().filter(|row| row.min_bits <= bits).collect();
        let Some(until) = fitting.iter().map(|row| row.until.unwrap_or(NaiveDate::MAX)).max()
        else {
            return Err(Weakness::KeyTooShort { algorithm, bits });
        };
        let tolerated = self.after_update == AfterUpdate::Warn && until > self.updated;
        if time.date_naive() < until || tolerated {
            Ok(())
        } else {
            Err(Weakness::Ended { algorithm, until })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_table_is_read() {
        let policy = AlgorithmPolicy::default();
        let lines = DEFAULT.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(policy.rows.len(), lines);
        assert_eq!(policy.updated().to_string(), "2024-10-13");
        for algorithm in DigestAlgorithm::ALL {
            policy.check_digest(algorithm, time("2050-01-01T00:00:00Z")).unwrap();
        }
    }

    #[test]
    fn an_algorithm_ends_on_its_day() {
        let policy = AlgorithmPolicy::default().after_update(AfterUpdate::Fail);
        let check = |algorithm, bits, at| {
            policy.check_signature(algorithm, KeyType::Rsa { bits }, time(at)).is_ok()
        };
        let v15 = SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha256);
        let pss = SignatureAlgorithm::RsaPss(DigestAlgorithm::Sha256);
        assert!(check(v15, 2048, "2028-12-31T23:59:59Z"));
        assert!(!check(v15, 2048, "2029-01-01T00:00:00Z"));
        assert!(!check(v15, 4096, "2029-01-01T00:00:00Z"));
        assert!(check(v15, 1900, "2026-01-01T00:00:00Z"));
        assert!(!check(v15, 1899, "2026-01-01T00:00:00Z"));
        assert!(check(v15, 1024, "2019-09-30T23:59:59Z"));
        assert!(check(pss, 3000, "2040-01-01T00:00:00Z"));
        assert!(!check(pss, 2999, "2040-01-01T00:00:00Z"));
        let short =
            policy.check_signature(v15, KeyType::Rsa { bits: 512 }, time("2009-01-01T00:00:00Z"));
        assert!(matches!(short, Err(Weakness::KeyTooShort { bits: 512, .. })));
    }

    #[test]
    fn an_end_after_the_date_of_the_table_is_tolerated_unless_it_is_to_fail() {
        let at = time("2031-01-01T00:00:00Z");
        let v15 = SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha256);
        let (long, short) = (KeyType::Rsa { bits: 4096 }, KeyType::Rsa { bits: 1024 });
        let policy = AlgorithmPolicy::default();
        policy.check_signature(v15, long, at).unwrap();
        let end = policy.check_signature(v15, short, at).unwrap_err().end();
        assert_eq!(end, Some(time("2019-10-01T00:00:00Z")));
        let policy = policy.after_update(AfterUpdate::Fail);
        let end = policy.check_signature(v15, long, at).unwrap_err().end();
        assert_eq!(end, Some(time("2029-01-01T00:00:00Z")));
    }
}
