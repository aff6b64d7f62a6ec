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
    /// Whether a reference's URI is this document's URI, or ends with it after a slash.
    pub(crate) fn is_named(&self, reference: Option<&str>) -> bool {
        let (Some(own), Some(reference)) = (self.uri.as_deref(), reference) else {
            return false;
        };
        let ends = |uri: &str| {
            let rest = uri.strip_suffix(own);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        !own.is_empty() && (ends(reference) || percent_decoded(reference).is_some_and(|u| ends(&u)))
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
            Original { uri: Some(own.into()), document }.is_named(reference)
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
}
