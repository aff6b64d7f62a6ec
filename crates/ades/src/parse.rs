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

use pades::{Certification, FieldLock, Rectangle, StampPosition};
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
    /// Not an element's name
    #[error("{text:?} is not of the form {{NAMESPACE}}NAME, nor an Id")]
    Element {
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

/// Parses the first element of a name, `{NAMESPACE}NAME`, or the element with an Id, `ID`.
///
/// # Errors
/// [`ParseError::Element`]
pub fn first_element(text: &str) -> Result<Target, ParseError> {
    element(text, Some(0))
}

/// Parses all elements of a name, `{NAMESPACE}NAME`, or the element with an Id, `ID`.
///
/// # Errors
/// [`ParseError::Element`]
pub fn elements(text: &str) -> Result<Target, ParseError> {
    element(text, None)
}

fn element(text: &str, nth: Option<usize>) -> Result<Target, ParseError> {
    let Some(rest) = text.strip_prefix('{') else { return Ok(Target::Id(text.to_owned())) };
    let (namespace, local_name) =
        rest.split_once('}').ok_or_else(|| ParseError::Element { text: text.to_owned() })?;
    Ok(Target::Named { namespace: namespace.into(), local_name: local_name.into(), nth })
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
        assert!(first_element("{urn:a").is_err());
    }

    #[test]
    fn well_formed_texts_are_read() {
        let rectangle = Rectangle::new(72.0, 0.5, 200.0, 60.0);
        let page = StampPosition::Page { page: 2, rectangle };
        assert_eq!(stamp_position("2: 72,0.5, 200,60"), Ok(page));
        assert_eq!(stamp_position("field"), Ok(StampPosition::Field));
        assert_eq!(lock("all"), Ok(FieldLock::All));
        assert_eq!(certification("2"), Ok(Certification::FormFilling));
        assert_eq!(attribute("{urn:a}b"), Ok(("urn:a", "b")));
        assert_eq!(elements("invoice"), Ok(Target::Id("invoice".into())));
    }
}
