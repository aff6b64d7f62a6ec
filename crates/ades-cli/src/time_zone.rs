//! Time zones: an offset from UTC, or a name of the IANA time zone database.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, Offset as _, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A time zone. Its stored form is its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum TimeZone {
    Offset(FixedOffset),
    /// Its offset depends on the date
    Named(Tz),
}

impl TimeZone {
    pub(crate) fn offset_at(self, time: DateTime<Utc>) -> FixedOffset {
        match self {
            Self::Offset(offset) => offset,
            Self::Named(zone) => zone.offset_from_utc_datetime(&time.naive_utc()).fix(),
        }
    }
}

impl FromStr for TimeZone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(offset) = ades::parse::utc_offset(text) {
            return Ok(Self::Offset(offset));
        }
        text.parse().map(Self::Named).map_err(|_| {
            format!(
                "{text:?} is neither a name of the IANA time zone database, such as \
                 Europe/Brussels, nor an offset from UTC, such as +02:00"
            )
        })
    }
}

impl TryFrom<String> for TimeZone {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offset(offset) => offset.fmt(f),
            Self::Named(zone) => f.write_str(zone.name()),
        }
    }
}

impl From<TimeZone> for String {
    fn from(zone: TimeZone) -> Self {
        zone.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_the_offset_of_the_date() {
        let offset = |zone: &str, time: &str| {
            let zone: TimeZone = zone.parse().unwrap();
            assert_eq!(zone.to_string().parse(), Ok(zone));
            zone.offset_at(time.parse().unwrap()).to_string()
        };
        assert_eq!(offset("Europe/Brussels", "2026-01-15T12:00:00Z"), "+01:00");
        assert_eq!(offset("Europe/Brussels", "2026-07-15T12:00:00Z"), "+02:00");
        // The clocks changed at 01:00 UTC on 29 March 2026.
        assert_eq!(offset("Europe/Brussels", "2026-03-29T00:59:59Z"), "+01:00");
        assert_eq!(offset("Europe/Brussels", "2026-03-29T01:00:00Z"), "+02:00");
        assert_eq!(offset("Asia/Kathmandu", "2026-07-15T12:00:00Z"), "+05:45");
        assert_eq!(offset("-03:30", "2026-07-15T12:00:00Z"), "-03:30");
        assert_eq!(offset("UTC", "2026-07-15T12:00:00Z"), "+00:00");
        for text in ["", "Brussels", "+2", "europe"] {
            assert!(text.parse::<TimeZone>().is_err(), "{text}");
        }
    }
}
