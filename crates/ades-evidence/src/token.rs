//! Time-stamp tokens (RFC 3161): what they say, and whether their own signature holds.

mod request;
mod signature;
mod signed_data;

use ades_core::asn1::ber::{Element, Reader};
use ades_core::asn1::der::{INTEGER, OCTET_STRING, OID, SEQUENCE, context};
use ades_core::{Digest, DigestAlgorithm, Oid};
use chrono::{DateTime, TimeDelta, Utc};

use crate::fields::{
    BOOLEAN, GENERALIZED_TIME, extensions, is_true, next, oid, only, time as read_time,
};
use signed_data::SignedData;

pub use request::{ResponseError, TimeStampRequest, TokenMismatch, read_response};
pub use signature::{TokenFacts, TokenProblem, verify, verify_sharing};
pub use signed_data::{MAX_CERTIFICATES, MAX_LEN};

/// qcStatements (RFC 3739, 3.2.6)
const QC_STATEMENTS: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 1, 3];
/// esi4-qtstStatement-1, 0.4.0.19422.1.1 (EN 319 422, 9.1)
const QUALIFIED: &[u8] = &[4, 0, 0x81, 0x97, 0x5E, 1, 1];

/// What a token says. Its signature is not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token {
    /// genTime
    pub time: DateTime<Utc>,
    /// messageImprint; `None` if its digest algorithm is not supported or its length
    /// is not that of the algorithm.
    pub imprint: Option<Digest>,
    /// The policy of the time-stamping service; `None` if its OID is too long for [`Oid`].
    pub policy: Option<Oid>,
    /// The content octets of serialNumber.
    pub serial_number: Vec<u8>,
    /// How far genTime may be from the right time.
    pub accuracy: Option<TimeDelta>,
    /// Whether tokens of this service are in the order of their times, whatever their
    /// accuracy.
    pub ordering: bool,
    /// The content octets of the nonce of the request.
    pub nonce: Option<Vec<u8>>,
    /// Whether it says that it is qualified (EN 319 422, 9.1).
    pub says_qualified: bool,
    /// The first critical extension. None is defined that this version could process.
    pub critical_extension: Option<Oid>,
}

impl Token {
    /// Reads a `TimeStampToken`, in DER or BER. `None` if it is not one.
    #[must_use]
    pub fn read(octets: &[u8]) -> Option<Self> {
        Self::read_info(&SignedData::read(octets)?.content)
    }

    /// Whether its imprint is the digest of these octets. `None` if its algorithm is
    /// not supported.
    #[must_use]
    pub fn is_over(&self, octets: &[u8]) -> Option<bool> {
        let imprint = self.imprint.as_ref()?;
        Some(Digest::of(imprint.algorithm(), octets) == *imprint)
    }

    /// `TSTInfo`
    fn read_info(octets: &[u8]) -> Option<Self> {
        let mut outer = Reader::new(octets, 0);
        let mut fields = next(&mut outer, SEQUENCE)?.children();
        next(&mut fields, INTEGER)?; // version
        let policy = next(&mut fields, OID)?;
        let imprint = next(&mut fields, SEQUENCE)?;
        let serial_number = next(&mut fields, INTEGER)?.content.to_vec();
        let time = read_time(&next(&mut fields, GENERALIZED_TIME)?)?;
        let accuracy = fields.next_if(SEQUENCE).ok()?;
        let ordering = fields.next_if(BOOLEAN).ok()?.is_some_and(|flag| is_true(&flag));
        let nonce = fields.next_if(INTEGER).ok()?.map(|nonce| nonce.content.to_vec());
        fields.next_if(context(0)).ok()?; // tsa, a hint only
        let mut token = Self {
            time,
            imprint: read_imprint(&imprint)?,
            policy: oid(&policy),
            serial_number,
            accuracy: accuracy.and_then(|accuracy| read_accuracy(&accuracy)),
            ordering,
            nonce,
            says_qualified: false,
            critical_extension: None,
        };
        if let Some(tagged) = fields.next_if(context(1)).ok()? {
            token.take_extensions(&tagged)?;
        }
        Some(token)
    }

    /// `[1] IMPLICIT Extensions`
    fn take_extensions(&mut self, tagged: &Element<'_>) -> Option<()> {
        let sequence = Element { tag: SEQUENCE, ..*tagged };
        for extension in extensions(&sequence)? {
            let statements = only(extension.value, SEQUENCE);
            if let Some(statements) = statements.filter(|_| extension.kind == QC_STATEMENTS) {
                let mut all = statements.children();
                while let Some(statement) = all.try_next().ok()? {
                    let id = next(&mut statement.children(), OID);
                    self.says_qualified |= id.is_some_and(|id| id.content == QUALIFIED);
                }
            } else if extension.critical {
                self.critical_extension.get_or_insert(extension.oid()?);
            }
        }
        Some(())
    }
}

/// `MessageImprint`. The outer `None`: it is malformed.
#[allow(clippy::option_option)]
fn read_imprint(imprint: &Element<'_>) -> Option<Option<Digest>> {
    let mut fields = imprint.children();
    let algorithm = next(&mut fields, SEQUENCE)?;
    let value = next(&mut fields, OCTET_STRING)?.content;
    let algorithm = DigestAlgorithm::from_algorithm_identifier(algorithm.raw).ok();
    Some(algorithm.and_then(|algorithm| Digest::new(algorithm, value).ok()))
}

/// `Accuracy`: seconds, `[0]` milliseconds, `[1]` microseconds.
fn read_accuracy(accuracy: &Element<'_>) -> Option<TimeDelta> {
    let mut sum = TimeDelta::zero();
    let mut fields = accuracy.children();
    while let Some(field) = fields.try_next().ok()? {
        // Four octets are more than a century.
        let digits = Some(field.content).filter(|digits| digits.len() <= 5)?;
        let number = digits.iter().fold(0i64, |sum, digit| sum << 8 | i64::from(*digit));
        let part = match field.tag {
            INTEGER => TimeDelta::try_seconds(number)?,
            0x80 => TimeDelta::try_milliseconds(number)?,
            0x81 => TimeDelta::microseconds(number),
            _ => return None,
        };
        sum = sum.checked_add(&part)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use ades_core::asn1::der::{self, element};

    use super::signed_data::{SEGMENTED, SIGNED_DATA, TST_INFO};
    use super::*;

    /// A token without a signature over these octets.
    fn token(data: &[u8], time: &str, segments: bool) -> Vec<u8> {
        let oid = |content: &[u8]| element(OID, &[content]);
        let digest = Digest::of(DigestAlgorithm::Sha256, data);
        let imprint = [
            DigestAlgorithm::Sha256.algorithm_identifier(),
            element(OCTET_STRING, &[digest.value()]),
        ]
        .concat();
        let info = [
            der::unsigned_integer(&[1]),
            oid(&[0x2A, 3]),
            element(SEQUENCE, &[&imprint]),
            der::unsigned_integer(&[9]),
            element(GENERALIZED_TIME, &[time.as_bytes()]),
        ];
        let info = element(SEQUENCE, &[&info.concat()]);
        let content = match info.split_at(10) {
            (first, second) if segments => {
                let both =
                    [element(OCTET_STRING, &[first]), element(OCTET_STRING, &[second])].concat();
                element(SEGMENTED, &[&both])
            }
            _ => element(OCTET_STRING, &[&info]),
        };
        let content = [oid(TST_INFO), element(context(0), &[&content])].concat();
        let signed_data = [
            der::unsigned_integer(&[3]),
            element(0x31, &[]),
            element(SEQUENCE, &[&content]),
            element(0x31, &[]),
        ];
        let signed_data = element(SEQUENCE, &[&signed_data.concat()]);
        element(SEQUENCE, &[&oid(SIGNED_DATA), &element(context(0), &[&signed_data])])
    }

    #[test]
    fn time_and_imprint_are_read() {
        for (time, fraction, segments) in [
            ("20260101000000Z", "", false),
            ("20260101000000.5Z", ".500", true),
            ("20260101000000.125Z", ".125", false),
        ] {
            let read = Token::read(&token(b"value", time, segments)).unwrap();
            assert_eq!(read.time.to_rfc3339(), format!("2026-01-01T00:00:00{fraction}+00:00"));
            assert_eq!(read.is_over(b"value"), Some(true));
            assert_eq!(read.is_over(b"other"), Some(false));
        }
    }

    #[test]
    fn other_octets_are_no_token() {
        let good = token(b"value", "20260101000000Z", false);
        for len in 0..good.len() {
            assert_eq!(Token::read(&good[..len]), None, "the first {len} octets");
        }
        for wrong in ["20260101000000", "2026010100000Z", "20261301000000Z", "20260101000000.Z"] {
            assert_eq!(Token::read(&token(b"value", wrong, false)), None, "{wrong}");
        }
        assert_eq!(Token::read(&[0; 5]), None);
        assert_eq!(Token::read(&[5, 0]), None);
    }
}
