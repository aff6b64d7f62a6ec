//! `xsd:dateTime` (XML Schema, part 2, 3.2.7).

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// Reads a point in time. Without a time zone it is UTC. `None` if the text is not an
/// `xsd:dateTime` or its year is out of range.
pub(crate) fn date_time(text: &str) -> Option<DateTime<Utc>> {
    let (date, rest) = text.split_once('T')?;
    let (time, zone) = rest.split_at(rest.find(['Z', '+', '-']).unwrap_or(rest.len()));
    let date = self::date(date)?;
    let [hour, minute, second] = parts(time, ':')?;
    let (second, fraction) = match second.split_once('.') {
        Some((second, fraction)) => (second, nanoseconds(fraction)?),
        None => (second, 0),
    };
    let (hour, minute, second) = (number(hour)?, number(minute)?, number(second)?);
    let midnight = (hour, minute, second, fraction) == (24, 0, 0, 0);
    let time = date.and_hms_nano_opt(if midnight { 0 } else { hour }, minute, second, fraction)?;
    let day = TimeDelta::days(i64::from(midnight));
    Some(time.checked_add_signed(day)?.checked_sub_signed(offset(zone)?)?.and_utc())
}

fn date(text: &str) -> Option<NaiveDate> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let [year, month, day] = parts(text, '-')?;
    let long = year.len() > 4 && !year.starts_with('0');
    let year: i32 = (year.len() == 4 || long).then(|| digits(year)?.parse().ok())??;
    NaiveDate::from_ymd_opt(sign * year, number(month)?, number(day)?)
}

/// The offset of a time zone from UTC.
fn offset(zone: &str) -> Option<TimeDelta> {
    let ahead = match zone.get(..1) {
        None => return Some(TimeDelta::zero()),
        Some("Z") => return (zone.len() == 1).then(TimeDelta::zero),
        Some(sign) => sign == "+",
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let all = TimeDelta::minutes(i64::from(hours * 60 + minutes));
    let known = minutes < 60 && all <= TimeDelta::hours(14);
    known.then_some(if ahead { all } else { -all })
}

fn nanoseconds(fraction: &str) -> Option<u32> {
    let nine = format!("{:0<9}", digits(fraction)?);
    nine.get(..9)?.parse().ok()
}

/// Reads two digits.
fn number(text: &str) -> Option<u32> {
    (text.len() == 2).then(|| digits(text)?.parse().ok())?
}

fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())).then_some(text)
}

fn parts(text: &str, between: char) -> Option<[&str; 3]> {
    let mut parts = text.split(between);
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_texts_of_the_type_are_read() {
        for (text, time) in [
            ("2026-11-26T14:45:05Z", "2026-11-26T14:45:05Z"),
            ("2026-11-26T14:45:05", "2026-11-26T14:45:05Z"),
            ("2026-11-26T14:45:05.25+01:30", "2026-11-26T13:15:05.250Z"),
            ("2026-11-26T14:45:05-14:00", "2026-11-27T04:45:05Z"),
            ("2026-12-31T24:00:00.0Z", "2027-01-01T00:00:00Z"),
            ("2026-11-26T14:45:05.1234567891Z", "2026-11-26T14:45:05.123456789Z"),
            ("12026-11-26T00:00:00Z", "+12026-11-26T00:00:00Z"),
            ("-0044-03-15T00:00:00Z", "-0044-03-15T00:00:00Z"),
        ] {
            let time: DateTime<Utc> = time.parse().unwrap();
            assert_eq!(date_time(text), Some(time), "{text}");
        }
        for text in [
            "",
            "2026-11-26",
            "2026-11-26 14:45:05Z",
            "2026-11-26t14:45:05Z",
            "2026-11-26T14:45:05z",
            "2026-11-26T14:45Z",
            "2026-11-26T14:45:60Z",
            "2026-11-26T24:00:01Z",
            "2026-11-26T14:45:05.Z",
            "2026-11-26T14:45:05Z ",
            "2026-11-26T14:45:05+0100",
            "2026-11-26T14:45:05+14:01",
            "2026-11-26T14:45:05+01:60",
            "2026-02-29T14:45:05Z",
            "26-11-26T14:45:05Z",
            "02026-11-26T14:45:05Z",
            "2026-11-26T1é:45:05Z",
            "2026-11-26T14:45:05é",
            "99999999999-11-26T14:45:05Z",
            "262143-12-31T23:59:59-14:00",
        ] {
            assert_eq!(date_time(text), None, "{text}");
        }
    }
}
