//! The discovery document: the policies, commitments and languages that the
//! service offers.

use std::collections::BTreeMap;

use ades_core::signer::Language;
use ades_core::{CommitmentType, Digest, DigestAlgorithm, Oid, SignaturePolicy};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error::{Error, ReferenceKind};

/// The discovery document at `/.well-known/configuration`.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Discovery {
    /// The policies
    #[serde(default, rename = "sign_policy_templates_supported", deserialize_with = "readable")]
    pub policies: Vec<Policy>,
    /// The commitments
    #[serde(default, rename = "commitment_types_supported", deserialize_with = "readable")]
    pub commitments: Vec<Commitment>,
    /// The codes of the languages
    #[serde(default, rename = "sign_languages_supported", deserialize_with = "readable")]
    pub languages: Vec<String>,
}

/// A signature policy that the service offers.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// The object identifier
    pub oid: String,
    /// The reference that a request names it by
    #[serde(rename = "ref")]
    pub reference: String,
    /// The URL of the policy document
    #[serde(default)]
    pub url: Option<String>,
    /// `ENABLED`; every other value means disabled
    #[serde(default)]
    pub status: Option<String>,
    /// The digest of the policy document, in hexadecimal digits. Published
    /// copies of the discovery document disagree about it.
    #[serde(default, rename = "sigDigest")]
    pub digest: Option<String>,
    /// The algorithm of `digest`
    #[serde(default, rename = "sigDigestAlg")]
    pub digest_algorithm: Option<String>,
    /// The label, by language code
    #[serde(default, deserialize_with = "or_default")]
    pub text: BTreeMap<String, String>,
}

/// A commitment that the service offers.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Commitment {
    /// The object identifier
    pub oid: String,
    /// The reference that a request names it by
    #[serde(rename = "ref")]
    pub reference: String,
    /// The label, by language code
    #[serde(default, deserialize_with = "or_default")]
    pub text: BTreeMap<String, String>,
}

/// Where the digest of a policy document comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyDigest<'a> {
    /// Computed over this policy document
    OfDocument(&'a [u8]),
    /// This digest of the policy document
    Value(&'a Digest),
    /// Copied from the discovery document, at the caller's own risk
    FromDiscovery,
}

impl Discovery {
    /// Reads a discovery document.
    ///
    /// # Errors
    /// [`Error::Protocol`] if it is malformed.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(json)
            .map_err(|_| Error::Protocol { what: "a malformed discovery document" })
    }

    /// The offered languages that this crate knows. A document that lists none of
    /// them has no usable list, so that all count as offered.
    #[must_use]
    pub fn offered_languages(&self) -> Vec<Language> {
        let offered = |language: &Language| {
            self.languages.iter().any(|tag| Language::from_tag(tag) == Some(*language))
        };
        let known: Vec<Language> = Language::ALL.into_iter().filter(offered).collect();
        if known.is_empty() { Language::ALL.to_vec() } else { known }
    }

    /// The enabled policy with this reference or OID.
    ///
    /// # Errors
    /// [`Error::UnknownReference`], [`Error::PolicyDisabled`]
    pub fn policy(&self, reference: &str) -> Result<&Policy, Error> {
        let policy = self.policies.iter().find(|p| p.reference == reference || p.oid == reference);
        let policy = policy.ok_or_else(|| Error::UnknownReference {
            kind: ReferenceKind::Policy,
            reference: reference.to_owned(),
        })?;
        if policy.status.as_deref().is_some_and(|status| status != "ENABLED") {
            let (reference, status) = (reference.to_owned(), policy.status.clone());
            return Err(Error::PolicyDisabled { reference, status });
        }
        Ok(policy)
    }

    /// The commitment with this reference, this OID, or a name that
    /// [`CommitmentType`] parses.
    ///
    /// # Errors
    /// [`Error::UnknownReference`]
    pub fn commitment(&self, reference: &str) -> Result<&Commitment, Error> {
        let oid = reference.parse().map(|CommitmentType(oid)| oid.to_string());
        let fits = |c: &&Commitment| {
            c.reference == reference || oid.as_ref().is_ok_and(|oid| *oid == c.oid)
        };
        self.commitments.iter().find(fits).ok_or_else(|| Error::UnknownReference {
            kind: ReferenceKind::Commitment,
            reference: reference.to_owned(),
        })
    }
}

impl Commitment {
    /// The commitment type for the signature.
    ///
    /// # Errors
    /// [`Error::Protocol`] if the object identifier is malformed.
    pub fn commitment_type(&self) -> Result<CommitmentType, Error> {
        let malformed = Error::Protocol { what: "a malformed commitment identifier" };
        self.oid.parse().map(CommitmentType).map_err(|_| malformed)
    }
}

impl Policy {
    /// The policy for the signature, which then names the policy that itsme®
    /// shows to the user.
    ///
    /// # Errors
    /// [`Error::Protocol`] if the object identifier or the digest in the
    /// discovery document is malformed.
    pub fn signature_policy(&self, digest: PolicyDigest<'_>) -> Result<SignaturePolicy, Error> {
        let malformed = |what| Error::Protocol { what };
        let id: Oid = self.oid.parse().map_err(|_| malformed("a malformed policy identifier"))?;
        let mut policy = match digest {
            PolicyDigest::OfDocument(document) => {
                SignaturePolicy::of_document(id.into(), DigestAlgorithm::Sha256, document)
            }
            PolicyDigest::Value(digest) => SignaturePolicy::new(id.into()).digest(digest.clone()),
            PolicyDigest::FromDiscovery => {
                let algorithm = self.digest_algorithm.as_deref().unwrap_or_default();
                let algorithm: DigestAlgorithm = algorithm
                    .parse()
                    .map_err(|_| malformed("an unknown policy digest algorithm"))?;
                let hex = self.digest.as_deref().unwrap_or_default();
                let value = from_hex(hex).ok_or(malformed("a malformed policy digest"))?;
                let digest = Digest::new(algorithm, value)
                    .map_err(|_| malformed("a policy digest of the wrong length"))?;
                SignaturePolicy::new(id.into()).digest(digest)
            }
        };
        policy.uri.clone_from(&self.url);
        Ok(policy)
    }
}

/// The well-formed entries of a list. A malformed one is left out, so that the
/// others stay usable.
fn readable<'de, D: Deserializer<'de>, T: DeserializeOwned>(list: D) -> Result<Vec<T>, D::Error> {
    let entries: Vec<Value> = or_default(list)?;
    Ok(entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect())
}

/// Reads `null` as the default value.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    value: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
