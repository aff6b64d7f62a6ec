//! Which canonical form.

use std::collections::HashSet;

use crate::error::Error;

/// A prefix list may name so many prefixes.
const MAX_PREFIXES: usize = 512;

/// The canonicalisation algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Canonical XML 1.0.
    C14n10,
    /// Canonical XML 1.1.
    C14n11,
    /// Exclusive XML Canonicalization 1.0.
    Exclusive10,
}

/// A canonicalisation algorithm with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonicalization {
    algorithm: Algorithm,
    comments: bool,
    inclusive_prefixes: Vec<Box<[u8]>>,
}

const URIS: [(Algorithm, bool, &str); 6] = [
    (Algorithm::C14n10, false, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
    (Algorithm::C14n10, true, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"),
    (Algorithm::C14n11, false, "http://www.w3.org/2006/12/xml-c14n11"),
    (Algorithm::C14n11, true, "http://www.w3.org/2006/12/xml-c14n11#WithComments"),
    (Algorithm::Exclusive10, false, "http://www.w3.org/2001/10/xml-exc-c14n#"),
    (Algorithm::Exclusive10, true, "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"),
];

impl Canonicalization {
    /// Canonical XML 1.0 without comments.
    pub const C14N_1_0: Self = Self::new(Algorithm::C14n10);
    /// Canonical XML 1.1 without comments.
    pub const C14N_1_1: Self = Self::new(Algorithm::C14n11);
    /// Exclusive XML Canonicalization 1.0 without comments.
    pub const EXCLUSIVE: Self = Self::new(Algorithm::Exclusive10);

    const fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, comments: false, inclusive_prefixes: Vec::new() }
    }

    /// The same with comments.
    #[must_use]
    pub fn with_comments(mut self) -> Self {
        self.comments = true;
        self
    }

    /// With the `PrefixList` of `ec:InclusiveNamespaces`, as it stands in the
    /// attribute: prefixes and `#default`, white space between. Means something
    /// for Exclusive Canonicalization only. With more than 512 of them there is no
    /// canonical form: [`Error::Limit`].
    #[must_use]
    pub fn with_prefix_list(mut self, prefixes: &str) -> Self {
        let mut seen = HashSet::new();
        self.inclusive_prefixes = prefixes
            .split([' ', '\t', '\r', '\n'])
            .filter(|prefix| !prefix.is_empty() && seen.insert(*prefix))
            // One more is enough to know that there are too many.
            .take(MAX_PREFIXES + 1)
            .map(|prefix| if prefix == "#default" { "" } else { prefix })
            .map(|prefix| prefix.as_bytes().into())
            .collect();
        self
    }

    /// The algorithm that an `Algorithm` attribute names.
    ///
    /// # Errors
    /// [`Error::UnknownCanonicalization`]
    pub fn from_uri(uri: &str) -> Result<Self, Error> {
        let known = URIS.iter().find(|(_, _, known)| *known == uri);
        let (algorithm, comments, _) = known.ok_or(Error::UnknownCanonicalization)?;
        Ok(Self { comments: *comments, ..Self::new(*algorithm) })
    }

    /// Its name in an `Algorithm` attribute.
    #[must_use]
    pub fn uri(&self) -> &'static str {
        let same = |entry: &&(Algorithm, bool, &'static str)| {
            entry.0 == self.algorithm && entry.1 == self.comments
        };
        URIS.iter().find(same).map_or("", |(_, _, uri)| uri)
    }

    /// The algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether comments stay.
    #[must_use]
    pub const fn comments(&self) -> bool {
        self.comments
    }

    pub(crate) const fn is_exclusive(&self) -> bool {
        matches!(self.algorithm, Algorithm::Exclusive10)
    }

    /// The `PrefixList` of `ec:InclusiveNamespaces`, if there is one.
    pub(crate) fn prefix_list(&self) -> Option<String> {
        let name = |prefix: &[u8]| match prefix {
            b"" => "#default".to_owned(),
            prefix => String::from_utf8_lossy(prefix).into_owned(),
        };
        let prefixes: Vec<String> = self.inclusive_prefixes().map(name).collect();
        (self.is_exclusive() && !prefixes.is_empty()).then(|| prefixes.join(" "))
    }

    pub(crate) fn inclusive_prefixes(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.inclusive_prefixes.iter().map(|prefix| &**prefix)
    }

    /// Whether the prefix list is not too long; `offset` is where that is asked.
    pub(crate) const fn check_prefixes(&self, offset: u64) -> Result<(), Error> {
        if self.inclusive_prefixes.len() > MAX_PREFIXES {
            return Err(Error::Limit {
                offset,
                limit: "512 prefixes in an InclusiveNamespaces list",
            });
        }
        Ok(())
    }

    pub(crate) fn is_inclusive_prefix(&self, prefix: &[u8]) -> bool {
        self.inclusive_prefixes().any(|inclusive| inclusive == prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_list_has_each_prefix_once() {
        let many = "a b a #default b ".repeat(1000);
        let method = Canonicalization::EXCLUSIVE.with_prefix_list(&many);
        assert_eq!(method.prefix_list().as_deref(), Some("a b #default"));
        assert!(method.check_prefixes(0).is_ok());
    }

    #[test]
    fn uris_name_algorithms_and_back() {
        for (algorithm, comments, uri) in URIS {
            let method = Canonicalization::from_uri(uri).unwrap();
            assert_eq!((method.algorithm(), method.comments()), (algorithm, comments));
            assert_eq!(method.uri(), uri);
        }
        assert!(Canonicalization::from_uri("http://www.w3.org/TR/1999/REC-xslt-19991116").is_err());
    }
}
