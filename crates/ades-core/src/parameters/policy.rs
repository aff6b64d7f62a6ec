//! Signature policies.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::MAX_TEXT_LEN;
use crate::Oid;
use crate::algorithm::DigestAlgorithm;
use crate::digest::Digest;
use crate::error::{Error, Parameter};

/// The identifier of a signature policy. It serialises as text, and
/// [`from_str`](Self::from_str) parses either form.
///
/// ```
/// use ades_core::PolicyId;
///
/// assert!(matches!("1.3.6.1.4.1.49274.1.1.7.2.0".parse()?, PolicyId::Oid(_)));
/// assert!(matches!("urn:oid:1.3.6.1.4.1.49274.1.1.7.2.0".parse()?, PolicyId::Oid(_)));
/// assert!(matches!("https://example.com/policy/v2.pdf".parse()?, PolicyId::Uri(_)));
/// # Ok::<(), ades_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum PolicyId {
    /// An object identifier
    Oid(Oid),
    /// An absolute URI. XAdES only: CMS has no place for it.
    Uri(String),
}

impl PolicyId {
    /// The object identifier, if it is one.
    #[must_use]
    pub const fn oid(&self) -> Option<Oid> {
        match self {
            Self::Oid(oid) => Some(*oid),
            Self::Uri(_) => None,
        }
    }
}

impl From<Oid> for PolicyId {
    fn from(oid: Oid) -> Self {
        Self::Oid(oid)
    }
}

impl FromStr for PolicyId {
    type Err = Error;

    /// Parses an OID, with or without the prefix `urn:oid:`, or an absolute URI
    /// (RFC 3986, 4.3).
    fn from_str(text: &str) -> Result<Self, Error> {
        let scheme = |scheme: &str| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        };
        let of_uri = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c);
        match text.split_once(':') {
            Some((before, after)) if scheme(before) && !text.starts_with("urn:oid:") => {
                if after.is_empty() || text.len() > MAX_TEXT_LEN || !text.chars().all(of_uri) {
                    return Err(Error::Parameter {
                        parameter: Parameter::Policy,
                        problem: "its URI is incomplete, longer than 1,024 octets or not \
                                  percent-encoded",
                    });
                }
                Ok(Self::Uri(text.to_owned()))
            }
            _ => text.parse().map(Self::Oid),
        }
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oid(oid) => oid.fmt(f),
            Self::Uri(uri) => f.write_str(uri),
        }
    }
}

impl From<PolicyId> for String {
    fn from(id: PolicyId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for PolicyId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

/// The signature policy of an explicit-policy signature (EPES).
///
/// ```
/// use ades_core::{DigestAlgorithm, SignaturePolicy};
///
/// let id = "1.3.6.1.4.1.49274.1.1.7.2.0".parse()?;
/// let policy = SignaturePolicy::of_document(id, DigestAlgorithm::Sha256, b"the policy document")
///     .uri("https://example.com/policy.pdf");
/// # Ok::<(), ades_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SignaturePolicy {
    /// The policy's identifier.
    pub id: PolicyId,
    /// The digest of the policy document. With `None` a CAdES signature has the
    /// "zero hash", which states that the digest is not known; XAdES needs one.
    pub digest: Option<Digest>,
    /// The address of the policy document (spURI / SPURI).
    pub uri: Option<String>,
    /// Text to be shown to relying parties, at most 200 characters
    /// (spUserNotice / SPUserNotice explicitText).
    pub user_notice: Option<String>,
}

impl SignaturePolicy {
    /// A policy of which only the identifier is known.
    #[must_use]
    pub const fn new(id: PolicyId) -> Self {
        Self { id, digest: None, uri: None, user_notice: None }
    }

    /// A policy with the digest of its document.
    #[must_use]
    pub fn of_document(id: PolicyId, algorithm: DigestAlgorithm, document: &[u8]) -> Self {
        Self::new(id).digest(Digest::of(algorithm, document))
    }

    /// The digest of the policy document.
    #[must_use]
    pub fn digest(mut self, digest: Digest) -> Self {
        self.digest = Some(digest);
        self
    }

    /// The address of the policy document.
    #[must_use]
    pub fn uri(mut self, uri: impl Into<String>) -> Self {
        self.uri = Some(uri.into());
        self
    }

    /// Text to be shown to relying parties.
    #[must_use]
    pub fn user_notice(mut self, user_notice: impl Into<String>) -> Self {
        self.user_notice = Some(user_notice.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_named_by_oids_and_uris() {
        for (text, oid) in [("1.2.3", true), ("urn:oid:1.2.3", true), ("urn:x:1", false)] {
            let id: PolicyId = text.parse().unwrap();
            assert_eq!(id.oid().is_some(), oid, "{text}");
            assert_eq!(serde_json::from_value(serde_json::to_value(&id).unwrap()).ok(), Some(id));
        }
        for text in ["", "1", "http:", "https://a b", "https://é", "no uri", "1.2:3", "a/b"] {
            assert!(text.parse::<PolicyId>().is_err(), "{text}");
        }
        let policy = r#"{"id":"https://a/p","digest":null,"uri":null,"user_notice":null}"#;
        let policy: SignaturePolicy = serde_json::from_str(policy).unwrap();
        assert_eq!(policy.id, PolicyId::Uri("https://a/p".into()));
    }
}
