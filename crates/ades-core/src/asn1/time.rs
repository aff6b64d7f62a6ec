//! Reads the types of times in the only form that certificates and signatures may have.

use chrono::{DateTime, NaiveDate, Utc};

pub const UTC_TIME: u8 = 0x17;
pub const GENERALIZED_TIME: u8 = 0x18;

/// `UTCTime`, whose years are 1950 to 2049, or `GeneralizedTime`: in UTC, with seconds and
/// without fractions of them (RFC 5280, 4.1.2.5; RFC 5652, 11.3).
pub fn time(tag: u8, content: &[u8]) -> Option<DateTime<Utc>> {
    let digits = content.strip_suffix(b"Z")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |digits: &[u8]| {
        digits.iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0'))
    };
    let (year, rest) = digits.split_at_checked(digits.len().checked_sub(10)?)?;
    let year = match (tag, year.len()) {
        (UTC_TIME, 2) => number(year) + if number(year) < 50 { 2000 } else { 1900 },
        (GENERALIZED_TIME, 4) => number(year),
        _ => return None,
    };
    let (&[month, day, hour, minute, second], []) = rest.as_chunks::<2>() else { return None };
    let date = NaiveDate::from_ymd_opt(year.try_into().ok()?, number(&month), number(&day))?;
    // A leap second is a second that is too long.
    let (second, nanosecond) = match number(&second) {
        60 => (59, 1_000_000_000),
        second => (second, 0),
    };
    let time = date.and_hms_nano_opt(number(&hour), number(&minute), second, nanosecond)?;
    Some(time.and_utc())
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDateTime;

    use super::*;

    /// chrono reads the same.
    #[test]
    fn times_are_read_or_rejected() {
        let with_chrono = |digits: &str| {
            let time = NaiveDateTime::parse_from_str(digits, "%Y%m%d%H%M%S");
            time.ok().map(|time| time.and_utc())
        };
        let rest = [
            "0101000000",
            "1231235959",
            "1231235960",
            "0615123060",
            "0615123061",
            "0228120000",
            "0229120000",
            "0230120000",
            "0001120000",
            "1301120000",
            "0100120000",
            "0132120000",
            "0101240000",
            "0101236000",
        ];
        for (short, year) in [("00", "2000"), ("49", "2049"), ("50", "1950"), ("99", "1999")] {
            for rest in rest {
                let expected = with_chrono(&format!("{year}{rest}"));
                let read = |tag, year| time(tag, format!("{year}{rest}Z").as_bytes());
                assert_eq!(read(UTC_TIME, short), expected, "{short}{rest}");
                assert_eq!(read(GENERALIZED_TIME, year), expected, "{year}{rest}");
                assert_eq!(read(UTC_TIME, year), None, "{year}{rest}");
                assert_eq!(read(GENERALIZED_TIME, short), None, "{short}{rest}");
            }
        }
        for year in ["0000", "0001", "1582", "9999"] {
            let digits = format!("{year}0301120000");
            let read = time(GENERALIZED_TIME, format!("{digits}Z").as_bytes());
            assert_eq!(read, with_chrono(&digits), "{year}");
        }
        for text in [
            "",
            "Z",
            "2601011200Z",
            "260101120000",
            "260101120000+0100",
            "26010112000xZ",
            "26010112000\u{e9}Z",
            "20260101120000.5Z",
            "-1260101120000Z",
        ] {
            for tag in [UTC_TIME, GENERALIZED_TIME, 0x0C] {
                assert_eq!(time(tag, text.as_bytes()), None, "{text}");
            }
        }
        assert_eq!(time(0x0C, b"260101120000Z"), None);
    }
}
