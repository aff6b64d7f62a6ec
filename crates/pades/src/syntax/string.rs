//! Text and dates in strings (ISO 32000-2, 7.9.2 and 7.9.4).

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

/// PDFDocEncoding where it is neither ASCII nor Latin-1 (annex D.2).
const LOW: [char; 8] = ['˘', 'ˇ', 'ˆ', '˙', '˝', '˛', '˚', '˜'];
const MIDDLE: [char; 33] = [
    '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚', '™',
    'ﬁ', 'ﬂ', 'Ł', 'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž', '\u{FFFD}', '€',
];

/// The octets of a text string: ASCII unchanged, anything else as UTF-16BE with a
/// byte order mark, which every reader has supported since PDF 1.2.
pub(crate) fn encode_text(text: &str) -> Vec<u8> {
    if text.bytes().all(|o| matches!(o, b' '..=b'~' | b'\t' | b'\n' | b'\r')) {
        return text.as_bytes().to_vec();
    }
    let units = text.encode_utf16().flat_map(u16::to_be_bytes);
    [0xFE, 0xFF].into_iter().chain(units).collect()
}

/// The text of a text string: UTF-16, UTF-8 or PDFDocEncoding.
pub(crate) fn decode_text(string: &[u8]) -> String {
    match string {
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => string.iter().map(|&octet| pdf_doc(octet)).collect(),
    }
}

fn utf16(octets: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = octets.chunks(2).map(|pair| match pair {
        [a, b] => unit([*a, *b]),
        _ => 0xFFFD,
    });
    char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect()
}

fn pdf_doc(octet: u8) -> char {
    let from = |table: &[char], first: u8| table.get(usize::from(octet - first)).copied();
    match octet {
        0x18..=0x1F => from(&LOW, 0x18),
        0x80..=0xA0 => from(&MIDDLE, 0x80),
        _ => Some(char::from(octet)),
    }
    .unwrap_or('\u{FFFD}')
}

/// A text in PDFDocEncoding; `None` if it has a character that the encoding lacks.
pub(crate) fn encode_pdf_doc(text: &str) -> Option<Vec<u8>> {
    let octet = |c| (0..=u8::MAX).find(|&octet| pdf_doc(octet) == c && c != '\u{FFFD}');
    text.chars().map(octet).collect()
}

/// `D:YYYYMMDDHHmmSSZ`
pub(crate) fn date(time: DateTime<Utc>) -> String {
    time.format("D:%Y%m%d%H%M%SZ").to_string()
}

/// Reads a date; missing parts have their defaults (7.9.4).
pub(crate) fn parse_date(text: &str) -> Option<DateTime<Utc>> {
    let mut rest = text.strip_prefix("D:").unwrap_or(text);
    let mut number = |digits: usize, default: u32| {
        let Some((field, after)) = rest.split_at_checked(digits) else {
            return Some(default);
        };
        if !field.bytes().all(|o| o.is_ascii_digit()) {
            return Some(default);
        }
        rest = after;
        field.parse().ok()
    };
    // The year is the only part that a date needs (ISO 32000-2, 7.9.4).
    let year = i32::try_from(number(4, 0)?).ok().filter(|year| *year > 0)?;
    let (month, day) = (number(2, 1)?, number(2, 1)?);
    let (hour, minute, second) = (number(2, 0)?, number(2, 0)?, number(2, 0)?);
    let naive = NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, minute, second)?;
    let offset = match rest.split_at_checked(1) {
        Some((sign @ ("+" | "-"), zone)) => {
            let (hours, minutes) = zone.split_once('\'').unwrap_or((zone, ""));
            let hours: i32 = hours.parse().ok()?;
            let minutes: i32 = minutes.trim_end_matches('\'').parse().unwrap_or(0);
            let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
            FixedOffset::east_opt(if sign == "+" { seconds } else { seconds.checked_neg()? })?
        }
        None | Some(("Z", _)) => FixedOffset::east_opt(0)?,
        Some(_) => return None,
    };
    naive.and_local_timezone(offset).single().map(|time| time.to_utc())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_read_with_and_without_their_optional_parts() {
        let time = |text| parse_date(text).map(|t| t.to_rfc3339());
        assert_eq!(time("D:20260921141320Z").unwrap(), "2026-09-21T14:13:20+00:00");
        assert_eq!(time("D:20260921161320+02'00'").unwrap(), "2026-09-21T14:13:20+00:00");
        assert_eq!(time("D:20260921161320+02'00").unwrap(), "2026-09-21T14:13:20+00:00");
        assert_eq!(time("20260921104320-03'30'").unwrap(), "2026-09-21T14:13:20+00:00");
        assert_eq!(time("D:2026").unwrap(), "2026-01-01T00:00:00+00:00");
        assert_eq!(time("D:20260921141320Z00'00'").unwrap(), "2026-09-21T14:13:20+00:00");
        for none in ["", "D:", "yesterday", "D:0000", "D:2026-", "D:2026 Oct", "21.9.2026"] {
            assert_eq!(time(none), None, "{none}");
        }
        assert_eq!(time("D:20261399"), None);
        assert_eq!(time("D:20260921161320+99999999999'"), None);
    }

    #[test]
    fn pdf_doc_encoding_is_neither_ascii_nor_latin_1() {
        assert_eq!(decode_text(b"\xA0 \x80 \xE9 \x18"), "€ • é ˘");
        assert_eq!(decode_text(b"\xEF\xBB\xBFRen\xC3\xA9"), "René");
        assert_eq!(decode_text(b"\xFF\xFER\0"), "R");
    }

    #[test]
    fn pdf_doc_encoding_has_few_characters() {
        assert_eq!(encode_pdf_doc("€uro é ž Ÿ").unwrap(), b"\xA0uro \xE9 \x9E \x98");
        assert_eq!(encode_pdf_doc("ж"), None);
        assert_eq!(encode_pdf_doc("\u{FFFD}"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_decoded_as_it_was_encoded(text in ".*") {
            prop_assert_eq!(decode_text(&encode_text(&text)), text);
        }

        #[test]
        fn a_date_is_read_as_it_was_written(seconds in 0i64..250_000_000_000) {
            let time = DateTime::from_timestamp(seconds, 0).unwrap();
            prop_assert_eq!(parse_date(&date(time)), Some(time));
        }

        #[test]
        fn no_text_causes_a_panic(text in ".{0,40}") {
            let _ = parse_date(&text);
            let _ = parse_date(&format!("D:{text}"));
        }
    }
}
