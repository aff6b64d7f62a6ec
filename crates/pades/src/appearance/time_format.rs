//! The signing time in a stamp.

use ades_core::signer::Language;
use chrono::{DateTime, Datelike as _, FixedOffset, Offset as _, TimeZone as _, Utc};
use serde::{Deserialize, Serialize};

/// How a stamp shows the signing time: in a language, and in a time zone.
///
/// ```
/// use ades_core::signer::Language;
/// use chrono::{DateTime, FixedOffset};
/// use pades::TimeFormat;
///
/// let time = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
/// assert_eq!(TimeFormat::new().format(time), "2026-09-21 14:13:20 UTC");
/// let format = TimeFormat::new()
///     .utc_offset(FixedOffset::east_opt(2 * 3600).unwrap())
///     .language(Language::Nl);
/// assert_eq!(format.format(time), "21 september 2026 om 16:13:20 UTC+2");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TimeFormat {
    /// The language; without it, the date has the form of ISO 8601
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The time zone at the signing time, as its offset from UTC; without it, UTC
    #[serde(with = "offset", skip_serializing_if = "Option::is_none")]
    pub utc_offset: Option<FixedOffset>,
}

impl TimeFormat {
    /// The form of ISO 8601, in UTC.
    #[must_use]
    pub const fn new() -> Self {
        Self { language: None, utc_offset: None }
    }

    /// Sets the language. The name of the month is written out, because readers of several
    /// languages read 09/10/2026 as different days.
    #[must_use]
    pub const fn language(mut self, language: Language) -> Self {
        self.language = Some(language);
        self
    }

    /// Sets the time zone by its offset from UTC at the signing time.
    #[must_use]
    pub const fn utc_offset(mut self, offset: FixedOffset) -> Self {
        self.utc_offset = Some(offset);
        self
    }

    /// The time as text.
    #[must_use]
    pub fn format(&self, time: DateTime<Utc>) -> String {
        let offset = self.utc_offset.unwrap_or_else(|| Utc.fix());
        let local = offset.from_utc_datetime(&time.naive_utc());
        let clock = local.format("%H:%M:%S");
        let zone = zone(offset);
        let named = self.language.and_then(|language| Some((language, names(language)?)));
        let Some((language, (months, at))) = named else {
            let zone = if zone == "UTC" { zone } else { offset.to_string() };
            return format!("{} {clock} {zone}", local.format("%Y-%m-%d"));
        };
        let month = months.split(' ').nth(local.month0() as usize).unwrap_or_default();
        let day = match (language, local.day()) {
            (Language::De, day) => format!("{day}."),
            (Language::Fr, 1) => "1er".to_owned(),
            (_, day) => day.to_string(),
        };
        format!("{day} {month} {} {at} {clock} {zone}", local.year())
    }
}

/// The zone's name: `UTC`, `UTC+2`, `UTC-3:30`.
fn zone(offset: FixedOffset) -> String {
    let seconds = offset.local_minus_utc();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

/// The names of the months, and the word before the clock time, as in the long formats of the
/// Unicode CLDR. `None` for a language that has none here.
const fn names(language: Language) -> Option<(&'static str, &'static str)> {
    Some(match language {
        Language::De => (
            "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
            "um",
        ),
        Language::En => (
            "January February March April May June July August September October November December",
            "at",
        ),
        Language::Fr => (
            "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
            "à",
        ),
        Language::Nl => (
            "januari februari maart april mei juni juli augustus september oktober november \
             december",
            "om",
        ),
        _ => return None,
    })
}

/// The stored form of an offset: `+02:00`.
mod offset {
    use chrono::FixedOffset;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(
        offset: &Option<FixedOffset>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        offset.map(|offset| offset.to_string()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<FixedOffset>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_written_in_the_language_and_the_zone() {
        let east = |minutes: i32| FixedOffset::east_opt(60 * minutes).unwrap();
        let time = at("2026-02-28T23:30:05Z");
        for (language, expected) in [
            (Language::En, "1 March 2026 at 00:30:05 UTC+1"),
            (Language::Fr, "1er mars 2026 à 00:30:05 UTC+1"),
            (Language::Nl, "1 maart 2026 om 00:30:05 UTC+1"),
            (Language::De, "1. März 2026 um 00:30:05 UTC+1"),
        ] {
            let format = TimeFormat::new().language(language).utc_offset(east(60));
            assert_eq!(format.format(time), expected);
        }
        for (minutes, expected) in [
            (0, "2026-02-28 23:30:05 UTC"),
            (120, "2026-03-01 01:30:05 +02:00"),
            (-210, "2026-02-28 20:00:05 -03:30"),
        ] {
            assert_eq!(TimeFormat::new().utc_offset(east(minutes)).format(time), expected);
        }
        let half = TimeFormat::new().language(Language::En);
        assert_eq!(
            half.utc_offset(east(-210)).format(time),
            "28 February 2026 at 20:00:05 UTC-3:30"
        );
        assert_eq!(half.utc_offset(east(345)).format(time), "1 March 2026 at 05:15:05 UTC+5:45");
        let french = TimeFormat::new().language(Language::Fr);
        assert_eq!(french.format(at("2026-08-21T00:00:00Z")), "21 août 2026 à 00:00:00 UTC");
    }

    #[test]
    fn extreme_times_do_not_panic() {
        for offset in [-86_399, 86_399] {
            let format = TimeFormat::new().utc_offset(FixedOffset::east_opt(offset).unwrap());
            for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
                for format in Language::ALL.map(|language| format.language(language)) {
                    assert!(!format.format(time).is_empty());
                }
            }
        }
    }
}
