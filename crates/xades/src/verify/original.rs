//! The documents of detached signatures, which the caller passes.

use std::fmt;

use ades_core::Document;

/// A document that references to other documents may mean.
pub(crate) struct Original<'a> {
    /// The URI of the document in references. `None`: it matches any URI.
    pub(crate) uri: Option<String>,
    pub(crate) document: Document<'a>,
}

// A URI may name files and people, which logs must not show.
impl fmt::Debug for Original<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Original").field("document", &self.document).finish_non_exhaustive()
    }
}

impl Original<'_> {
    /// How well a reference's URI fits: the number of equal path segments at the end of
    /// both. One must be the end of the other; else 0.
    pub(crate) fn fits(&self, reference: Option<&str>) -> usize {
        let (Some(own), Some(reference)) = (self.uri.as_deref(), reference) else {
            return 0;
        };
        let decoded = percent_decoded(reference).map_or(0, |uri| common_end(own, &uri));
        common_end(own, reference).max(decoded)
    }
}

/// The number of segments of the shorter of two paths, if it is the end of the longer.
/// `.` and `..` at the start of a reference do not count.
fn common_end(own: &str, reference: &str) -> usize {
    let reference = reference.trim_start_matches("./").trim_start_matches("../");
    let ends = |longer: &str, shorter: &str| {
        let rest = longer.strip_suffix(shorter);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    if own.is_empty() || reference.is_empty() {
        0
    } else if ends(reference, own) {
        own.split('/').count()
    } else if ends(own, reference) {
        reference.split('/').count()
    } else {
        0
    }
}

/// RFC 3986, 2.1. `None` if the result is not UTF-8.
fn percent_decoded(uri: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let Some((&octet, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|d| char::from(*d).to_digit(16));
        match (octet, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                octets.push(u8::try_from(high << 4 | low).ok()?);
                rest = after.get(2..)?;
            }
            _ => {
                octets.push(octet);
                rest = after;
            }
        }
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn originals_match_the_end_of_a_uri() {
        let named = |own: &str, reference: Option<&str>| {
            let document = Document::from_bytes(b"");
            Original { uri: Some(own.into()), document }.fits(reference) > 0
        };
        assert!(named("a b.txt", Some("a%20b.txt")));
        assert!(named("a%20b.txt", Some("a%20b.txt")));
        assert!(named("b.txt", Some("../x/b.txt")));
        assert!(named("é", Some("%C3%A9")));
        for (own, other) in [("b.txt", "ab.txt"), ("", "x"), ("b", "b/"), ("%41", "A"), ("a", "%")]
        {
            assert!(!named(own, Some(other)), "{own} {other}");
        }
        assert!(!named("x", None));
    }

    #[test]
    fn the_longer_name_fits_better() {
        let fits = |own: &str, reference| {
            let document = Document::from_bytes(b"");
            Original { uri: Some(own.into()), document }.fits(Some(reference))
        };
        assert_eq!(fits("2024/a.txt", "2024/a.txt"), 2);
        assert_eq!(fits("x/2024/a.txt", "2024/a.txt"), 2);
        assert_eq!(fits("x/2024/a.txt", "../2024/a.txt"), 2);
        assert_eq!(fits("a.txt", "2024/a.txt"), 1);
        assert_eq!(fits("2025/a.txt", "2024/a.txt"), 0);
    }
}
