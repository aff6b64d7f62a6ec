//! Parses the textual forms of options that command lines and configuration files use.
//!
//! ```
//! use ades::FieldLock;
//! use ades::parse;
//!
//! assert_eq!(parse::lock("include:Total,Date")?, FieldLock::Include(vec!["Total".into(), "Date".into()]));
//! assert!(parse::certification("4").is_err());
//! # Ok::<(), parse::ParseError>(())
//! ```

use ades_core::{Digest, DigestAlgorithm, base64};
use chrono::{DateTime, FixedOffset, Utc};
use pades::{
    Alignment, Border, Certification, Colour, FieldLock, HorizontalAlignment, Rectangle,
    StampPosition, VerticalAlignment,
};
use xades::c14n::Target;

/// Text that does not have the expected form. `Display` has the text and the expected form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Not a lock
    #[error("{text:?} is not all, include:NAME,... or exclude:NAME,...")]
    Lock {
        /// the text
        text: String,
    },
    /// Not a certification
    #[error("{text:?} is not 1, 2 or 3")]
    Certification {
        /// the text
        text: String,
    },
    /// Not a stamp's position
    #[error("{text:?} is neither field nor PAGE:X,Y,WIDTH,HEIGHT")]
    StampPosition {
        /// the text
        text: String,
    },
    /// A number in a stamp's position is out of range
    #[error("{points} is negative or more than 1,000,000 points")]
    Length {
        /// the number
        points: String,
    },
    /// Not an alignment
    #[error(
        "{text:?} is not an alignment: left, centre or right, and top, middle or bottom, separated \
         by a comma"
    )]
    Alignment {
        /// the text
        text: String,
    },
    /// Not a border
    #[error("{text:?} is not WIDTH or WIDTH,COLOUR, such as 0.5 or 1,003399")]
    Border {
        /// the text
        text: String,
    },
    /// Not a colour
    #[error("{text:?} is not a colour RRGGBB of six hexadecimal digits, such as 003399")]
    Colour {
        /// the text
        text: String,
    },
    /// Not an offset from UTC
    #[error("{text:?} is not an offset from UTC, such as +02:00, nor UTC")]
    UtcOffset {
        /// the text
        text: String,
    },
    /// Not an element's name
    #[error("{text:?} is not of the form {{NAMESPACE}}NAME or {{NAMESPACE}}NAME[n], nor an Id")]
    Element {
        /// the text
        text: String,
    },
    /// Not the number of an element
    #[error("{number:?} is not the number of an element: they are counted from 1")]
    ElementNumber {
        /// the number
        number: String,
    },
    /// Not the place of a signature
    #[error("{text:?} is not N or N.M: signatures are counted from 0, as in the report")]
    Signature {
        /// the text
        text: String,
    },
    /// Not a digest
    #[error(
        "{text:?} is not a digest: ALGORITHM:VALUE is needed, with sha256, sha384 or sha512 and \
         the value as base64 or hexadecimal digits"
    )]
    Digest {
        /// the text
        text: String,
    },
    /// Not a time
    #[error("{text:?} is not a time of RFC 3339, such as 2026-11-30T09:00:00Z")]
    Time {
        /// the text
        text: String,
    },
    /// Not an attribute's name
    #[error("{text:?} is not of the form {{NAMESPACE}}NAME or NAME")]
    Attribute {
        /// the text
        text: String,
    },
}

/// Parses a time of RFC 3339, with its zone: `2026-11-30T09:00:00Z`, `2026-11-30T10:00:00+01:00`.
///
/// # Errors
/// [`ParseError::Time`]
pub fn time(text: &str) -> Result<DateTime<Utc>, ParseError> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.with_timezone(&Utc))
        .map_err(|_| ParseError::Time { text: text.to_owned() })
}

/// Parses an offset from UTC: `+02:00`, `-03:30`, `UTC` or `Z`.
///
/// # Errors
/// [`ParseError::UtcOffset`]
pub fn utc_offset(text: &str) -> Result<FixedOffset, ParseError> {
    let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    let read = || {
        if text.eq_ignore_ascii_case("UTC") || text.eq_ignore_ascii_case("Z") {
            return FixedOffset::east_opt(0);
        }
        let (hours, minutes) = text.get(1..)?.split_once(':')?;
        if hours.len() != 2 || minutes.len() != 2 || !digits(hours) || !digits(minutes) {
            return None;
        }
        let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
        let seconds = (hours < 24 && minutes < 60).then_some(3600 * hours + 60 * minutes)?;
        match text.as_bytes().first()? {
            b'+' => FixedOffset::east_opt(seconds),
            b'-' => FixedOffset::west_opt(seconds),
            _ => None,
        }
    };
    read().ok_or_else(|| ParseError::UtcOffset { text: text.to_owned() })
}

/// Parses an alignment: `left`, `centre` or `right`, and `top`, `middle` or `bottom`, or one of
/// them; a comma separates the two.
///
/// # Errors
/// [`ParseError::Alignment`]
pub fn alignment(text: &str) -> Result<Alignment, ParseError> {
    use HorizontalAlignment::{Centre, Left, Right};
    use VerticalAlignment::{Bottom, Middle, Top};

    let malformed = || ParseError::Alignment { text: text.to_owned() };
    let (mut horizontal, mut vertical) = (None, None);
    for word in text.split(',') {
        let is_second = match word.trim() {
            "left" => horizontal.replace(Left).is_some(),
            "centre" | "center" => horizontal.replace(Centre).is_some(),
            "right" => horizontal.replace(Right).is_some(),
            "top" => vertical.replace(Top).is_some(),
            "middle" => vertical.replace(Middle).is_some(),
            "bottom" => vertical.replace(Bottom).is_some(),
            _ => return Err(malformed()),
        };
        if is_second {
            return Err(malformed());
        }
    }
    let mut alignment = Alignment::new();
    (alignment.horizontal, alignment.vertical) = (horizontal, vertical);
    Ok(alignment)
}

/// Parses a colour: six hexadecimal digits `RRGGBB`, with or without `#` before them.
///
/// # Errors
/// [`ParseError::Colour`]
pub fn colour(text: &str) -> Result<Colour, ParseError> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    let component = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let read = || {
        let all = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        all.then_some(Colour::rgb(component(0)?, component(2)?, component(4)?))
    };
    read().ok_or_else(|| ParseError::Colour { text: text.to_owned() })
}

/// Parses a border: `WIDTH` in points, in black, or `WIDTH,COLOUR`.
///
/// # Errors
/// [`ParseError::Border`], [`ParseError::Colour`]
pub fn border(text: &str) -> Result<Border, ParseError> {
    /// Wider than any page.
    const MAX: f64 = 1e6;

    let (width, ink) = match text.split_once(',') {
        Some((width, ink)) => (width, colour(ink.trim())?),
        None => (text, Colour::BLACK),
    };
    let width: Option<f64> = width.trim().parse().ok().filter(|width| *width > 0.0 && *width < MAX);
    let width = width.ok_or_else(|| ParseError::Border { text: text.to_owned() })?;
    Ok(Border::new(width, ink))
}

/// Parses a lock: `all`, `include:NAME,...` or `exclude:NAME,...`.
///
/// # Errors
/// [`ParseError::Lock`]
pub fn lock(text: &str) -> Result<FieldLock, ParseError> {
    let names = |names: &str| names.split(',').map(str::to_owned).collect();
    match text.split_once(':') {
        None if text == "all" => Ok(FieldLock::All),
        Some(("include", fields)) => Ok(FieldLock::Include(names(fields))),
        Some(("exclude", fields)) => Ok(FieldLock::Exclude(names(fields))),
        _ => Err(ParseError::Lock { text: text.to_owned() }),
    }
}

/// Parses a certification: `1` allows no changes, `2` filling in forms, `3` annotations too.
///
/// # Errors
/// [`ParseError::Certification`]
pub fn certification(text: &str) -> Result<Certification, ParseError> {
    match text {
        "1" => Ok(Certification::NoChanges),
        "2" => Ok(Certification::FormFilling),
        "3" => Ok(Certification::Annotations),
        _ => Err(ParseError::Certification { text: text.to_owned() }),
    }
}

/// Parses a stamp's position: `field` for that of an existing field, or `PAGE:X,Y,WIDTH,HEIGHT`
/// in points from the lower left corner of the page. Pages are counted from 1.
///
/// # Errors
/// [`ParseError::StampPosition`], [`ParseError::Length`]
pub fn stamp_position(text: &str) -> Result<StampPosition, ParseError> {
    /// Wider than any page: 14,400 units of 1/72 inch, or 75,000 of those.
    const MAX: f64 = 1e6;

    if text == "field" {
        return Ok(StampPosition::Field);
    }
    let malformed = || ParseError::StampPosition { text: text.to_owned() };
    let (page, rectangle) = text.split_once(':').ok_or_else(malformed)?;
    let mut points = [0.0; 4];
    let mut given = rectangle.split(',');
    for points in &mut points {
        let number = given.next().ok_or_else(malformed)?.trim();
        *points = number.parse().map_err(|_| malformed())?;
        if !(0.0..=MAX).contains(points) {
            return Err(ParseError::Length { points: number.to_owned() });
        }
    }
    if given.next().is_some() {
        return Err(malformed());
    }
    let page = page.trim().parse().map_err(|_| malformed())?;
    let [left, bottom, width, height] = points;
    Ok(StampPosition::Page { page, rectangle: Rectangle::new(left, bottom, width, height) })
}

/// Parses one element: the first of a name, `{NAMESPACE}NAME`, the n-th of a name,
/// `{NAMESPACE}NAME[n]`, counted from 1, or the one with an Id, `ID`.
///
/// # Errors
/// [`ParseError::Element`], [`ParseError::ElementNumber`]
pub fn first_element(text: &str) -> Result<Target, ParseError> {
    element(text, Some(0))
}

/// Parses all elements of a name, `{NAMESPACE}NAME`, or one element as [`first_element`] does:
/// `{NAMESPACE}NAME[n]` or `ID`.
///
/// # Errors
/// [`ParseError::Element`], [`ParseError::ElementNumber`]
pub fn elements(text: &str) -> Result<Target, ParseError> {
    element(text, None)
}

fn element(text: &str, nth: Option<usize>) -> Result<Target, ParseError> {
    let malformed = || ParseError::Element { text: text.to_owned() };
    let Some(rest) = text.strip_prefix('{') else { return Ok(Target::Id(text.to_owned())) };
    let (namespace, name) = rest.split_once('}').ok_or_else(malformed)?;
    let (local_name, nth) = match name.split_once('[') {
        None => (name, nth),
        Some((name, number)) => {
            let number = number.strip_suffix(']').ok_or_else(malformed)?;
            let index = number.parse().ok().and_then(|number: usize| number.checked_sub(1));
            let wrong = || ParseError::ElementNumber { number: number.to_owned() };
            (name, Some(index.ok_or_else(wrong)?))
        }
    };
    if local_name.is_empty() {
        return Err(malformed());
    }
    Ok(Target::Named { namespace: namespace.into(), local_name: local_name.into(), nth })
}

/// Parses the place of a signature in a report: `N`, or `N.M` for countersignature `M` of
/// signature `N`, and so on. They are counted from 0.
///
/// # Errors
/// [`ParseError::Signature`]
pub fn signature(text: &str) -> Result<Vec<usize>, ParseError> {
    let index = |part: &str| part.parse().ok().filter(|_| !part.starts_with('+'));
    let path: Option<Vec<usize>> = text.split('.').map(index).collect();
    path.ok_or_else(|| ParseError::Signature { text: text.to_owned() })
}

/// Parses the digest of a policy document: its algorithm, a colon, and its value as base64 or
/// hexadecimal digits. SHA-1 is accepted, because some policies publish no other digest.
///
/// # Errors
/// [`ParseError::Digest`]
pub fn policy_digest(text: &str) -> Result<Digest, ParseError> {
    let octets = |value: &str, len: usize| {
        let digit = |at: usize| u8::from_str_radix(value.get(at..at + 2)?, 16).ok();
        if value.len() == 2 * len && value.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            (0..len).map(|at| digit(2 * at)).collect()
        } else {
            base64::decode(value)
        }
    };
    let read = || {
        let (algorithm, value) = text.split_once(':')?;
        let algorithm = match algorithm.replace('-', "") {
            name if name.eq_ignore_ascii_case("sha1") => DigestAlgorithm::Sha1,
            name => name.parse().ok()?,
        };
        Digest::new(algorithm, octets(value, algorithm.output_len())?).ok()
    };
    read().ok_or_else(|| ParseError::Digest { text: text.to_owned() })
}

/// Parses an attribute's name, `{NAMESPACE}NAME` or `NAME`. Returns the namespace name, `""` if it
/// has none, and the local name.
///
/// # Errors
/// [`ParseError::Attribute`]
pub fn attribute(text: &str) -> Result<(&str, &str), ParseError> {
    let parts = match text.strip_prefix('{') {
        None => Some(("", text)),
        Some(rest) => rest.split_once('}'),
    };
    parts
        .filter(|(_, name)| !name.is_empty() && !name.contains(['{', '}', ':']))
        .ok_or_else(|| ParseError::Attribute { text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_texts_are_errors_with_the_text() {
        for text in ["", "none", "include", "only:a"] {
            assert_eq!(lock(text), Err(ParseError::Lock { text: text.into() }));
        }
        for text in ["", "1", "1:0,0,0", "1:0,0,0,0,0", "x:1,2,3,4", "1:a,0,0,0"] {
            let expected = ParseError::StampPosition { text: text.into() };
            assert_eq!(stamp_position(text), Err(expected), "{text}");
        }
        for points in ["-1", "1000001", "NaN", "inf"] {
            let text = format!("1:0,0,0,{points}");
            let expected = ParseError::Length { points: points.into() };
            assert_eq!(stamp_position(&text), Err(expected), "{text}");
        }
        for text in ["{urn:a}", "{urn:a", "a:b", ""] {
            assert_eq!(attribute(text), Err(ParseError::Attribute { text: text.into() }));
        }
        for text in ["{urn:a", "{urn:a}", "{urn:a}b[1", "{urn:a}[1]"] {
            assert_eq!(first_element(text), Err(ParseError::Element { text: text.into() }));
        }
        for number in ["0", "-1", "", "x"] {
            let expected = ParseError::ElementNumber { number: number.into() };
            assert_eq!(first_element(&format!("{{urn:a}}b[{number}]")), Err(expected));
        }
        for text in ["", ".", "1.", "a", "-1", "+1", "1,2"] {
            assert_eq!(signature(text), Err(ParseError::Signature { text: text.into() }));
        }
        for text in ["", "sha256:", "md5:1B2M2Y8AsgTpgAmY7PhCfg==", "sha256:aa", "AA=="] {
            assert_eq!(policy_digest(text), Err(ParseError::Digest { text: text.into() }));
        }
        for text in
            ["", "+2", "+0200", "2:00", "+24:00", "+02:60", "+0a:00", "++1:00", "CET", "é2:00"]
        {
            assert_eq!(utc_offset(text), Err(ParseError::UtcOffset { text: text.into() }));
        }
        for text in ["", "up", "left,right", "top,top", "left,", "top,left,middle"] {
            assert_eq!(alignment(text), Err(ParseError::Alignment { text: text.into() }));
        }
        for text in ["", "#", "red", "12345", "1234567", "+12345", "##12345"] {
            assert_eq!(colour(text), Err(ParseError::Colour { text: text.into() }));
        }
        for text in ["", "0", "-1", "NaN", "inf", "wide", "1e7"] {
            assert_eq!(border(text), Err(ParseError::Border { text: text.into() }));
        }
        assert_eq!(border("1,red"), Err(ParseError::Colour { text: "red".into() }));
        for text in ["", "yesterday", "2026-11-30", "2026-11-30T09:00:00", "2026-13-30T09:00:00Z"] {
            assert_eq!(time(text), Err(ParseError::Time { text: text.into() }));
        }
    }

    #[test]
    fn well_formed_texts_are_read() {
        let rectangle = Rectangle::new(72.0, 0.5, 200.0, 60.0);
        let page = StampPosition::Page { page: 2, rectangle };
        assert_eq!(stamp_position("2: 72,0.5, 200,60"), Ok(page));
        assert_eq!(stamp_position("field"), Ok(StampPosition::Field));
        assert_eq!(lock("all"), Ok(FieldLock::All));
        assert_eq!(time("2026-11-30T10:00:00+01:00"), time("2026-11-30T09:00:00Z"));
        let east = |minutes: i32| FixedOffset::east_opt(60 * minutes).unwrap();
        for (text, minutes) in [("UTC", 0), ("z", 0), ("+02:00", 120), ("-03:30", -210)] {
            assert_eq!(utc_offset(text), Ok(east(minutes)));
        }
        let right = Alignment::new().horizontal(HorizontalAlignment::Right);
        assert_eq!(alignment("right"), Ok(right));
        assert_eq!(alignment("top, right"), Ok(right.vertical(VerticalAlignment::Top)));
        let blue = Colour::rgb(0, 0x33, 0x99);
        assert_eq!(colour("003399"), Ok(blue));
        assert_eq!(colour("#003399"), Ok(blue));
        assert_eq!(border("0.5, 003399"), Ok(Border::new(0.5, blue)));
        assert_eq!(border("2"), Ok(Border::new(2.0, Colour::BLACK)));
        assert_eq!(certification("2"), Ok(Certification::FormFilling));
        assert_eq!(attribute("{urn:a}b"), Ok(("urn:a", "b")));
        assert_eq!(elements("invoice"), Ok(Target::Id("invoice".into())));
        let named =
            |nth| Ok(Target::Named { namespace: "urn:a".into(), local_name: "b".into(), nth });
        assert_eq!(first_element("{urn:a}b"), named(Some(0)));
        assert_eq!(first_element("{urn:a}b[3]"), named(Some(2)));
        assert_eq!(elements("{urn:a}b"), named(None));
        assert_eq!(elements("{urn:a}b[3]"), named(Some(2)));
        assert_eq!(signature("1.0.2"), Ok(vec![1, 0, 2]));
        let of_nothing = Digest::of(DigestAlgorithm::Sha256, b"");
        let base64 = format!("sha256:{}", base64::encode(of_nothing.value()));
        for text in [base64, format!("SHA-256:{}", of_nothing.to_hex())] {
            assert_eq!(policy_digest(&text), Ok(of_nothing.clone()), "{text}");
        }
    }
}
