//! The canonicalisation algorithms and their parameters.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Limit};

/// Maximum number of prefixes in a prefix list.
pub(crate) const MAX_PREFIXES: usize = 512;

/// The canonicalisation algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Canonical XML 1.0.
    C14n10,
    /// Canonical XML 1.1.
    C14n11,
    /// Exclusive XML Canonicalization 1.0.
    Exclusive10,
}

/// A canonicalisation algorithm with its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredMethod", into = "StoredMethod")]
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

    /// Keeps comments.
    #[must_use]
    pub fn with_comments(mut self) -> Self {
        self.comments = true;
        self
    }

    /// Sets the `PrefixList` of `ec:InclusiveNamespaces`: prefixes and `#default`,
    /// separated by white space. It has an effect on Exclusive Canonicalization only.
    /// Using a list of more than 512 prefixes returns [`Error::Limit`].
    #[must_use]
    pub fn with_prefix_list(mut self, prefixes: &str) -> Self {
        let mut seen = HashSet::new();
        self.inclusive_prefixes = prefixes
            .split([' ', '\t', '\r', '\n'])
            .filter(|prefix| !prefix.is_empty() && seen.insert(*prefix))
            // One more than allowed is enough to detect that there are too many.
            .take(MAX_PREFIXES + 1)
            .map(|prefix| if prefix == "#default" { "" } else { prefix })
            .map(|prefix| prefix.as_bytes().into())
            .collect();
        self
    }

    /// The algorithm of an `Algorithm` attribute.
    ///
    /// # Errors
    /// [`Error::UnknownCanonicalization`]
    pub fn from_uri(uri: &str) -> Result<Self, Error> {
        let known = URIS.iter().find(|(_, _, known)| *known == uri);
        let (algorithm, comments, _) = known.ok_or_else(|| Error::UnknownCanonicalization {
            uri: uri.chars().take(200).collect(),
        })?;
        Ok(Self { comments: *comments, ..Self::new(*algorithm) })
    }

    /// Its URI for an `Algorithm` attribute.
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

    /// Whether it keeps comments.
    #[must_use]
    pub const fn comments(&self) -> bool {
        self.comments
    }

    pub(crate) const fn is_exclusive(&self) -> bool {
        matches!(self.algorithm, Algorithm::Exclusive10)
    }

    /// The `PrefixList` of `ec:InclusiveNamespaces`, if the algorithm is exclusive and
    /// the list is not empty.
    pub(crate) fn prefix_list(&self) -> Option<String> {
        if self.is_exclusive() { self.listed_prefixes() } else { None }
    }

    fn listed_prefixes(&self) -> Option<String> {
        let name = |prefix: &[u8]| match prefix {
            b"" => "#default".to_owned(),
            prefix => String::from_utf8_lossy(prefix).into_owned(),
        };
        let prefixes: Vec<String> = self.inclusive_prefixes().map(name).collect();
        (!prefixes.is_empty()).then(|| prefixes.join(" "))
    }

    pub(crate) fn inclusive_prefixes(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.inclusive_prefixes.iter().map(|prefix| &**prefix)
    }

    /// Checks the length of the prefix list. `offset` is the place for the error.
    pub(crate) const fn check_prefixes(&self, offset: u64) -> Result<(), Error> {
        if self.inclusive_prefixes.len() > MAX_PREFIXES {
            return Err(Error::Limit { offset: Some(offset), limit: Limit::PrefixList });
        }
        Ok(())
    }

    pub(crate) fn is_inclusive_prefix(&self, prefix: &[u8]) -> bool {
        self.inclusive_prefixes().any(|inclusive| inclusive == prefix)
    }
}

/// The stored form: what an `Algorithm` attribute and a `PrefixList` state.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct StoredMethod {
    uri: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix_list: Option<String>,
}

impl From<Canonicalization> for StoredMethod {
    fn from(method: Canonicalization) -> Self {
        Self { uri: method.uri().to_owned(), prefix_list: method.listed_prefixes() }
    }
}

impl TryFrom<StoredMethod> for Canonicalization {
    type Error = Error;

    fn try_from(stored: StoredMethod) -> Result<Self, Error> {
        let method = Self::from_uri(&stored.uri)?;
        Ok(match stored.prefix_list {
            Some(prefixes) => method.with_prefix_list(&prefixes),
            None => method,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_list_contains_each_prefix_once() {
        let many = "a b a #default b ".repeat(1000);
        let method = Canonicalization::EXCLUSIVE.with_prefix_list(&many);
        assert_eq!(method.prefix_list().as_deref(), Some("a b #default"));
        assert!(method.check_prefixes(0).is_ok());
    }

    #[test]
    fn uris_identify_algorithms() {
        for (algorithm, comments, uri) in URIS {
            let method = Canonicalization::from_uri(uri).unwrap();
            assert_eq!((method.algorithm(), method.comments()), (algorithm, comments));
            assert_eq!(method.uri(), uri);
        }
        assert!(Canonicalization::from_uri("http://www.w3.org/TR/1999/REC-xslt-19991116").is_err());
    }
}
