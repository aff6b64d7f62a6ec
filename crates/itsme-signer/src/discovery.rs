//! The discovery document: which policies, commitments and languages the
//! service offers.

use std::collections::BTreeMap;

use ades_core::{CommitmentType, Digest, DigestAlgorithm, Oid, SignaturePolicy};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error::Error;

/// What `/.well-known/configuration` says.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Discovery {
    /// The policies
    #[serde(default, rename = "sign_policy_templates_supported", deserialize_with = "readable")]
    pub policies: Vec<Policy>,
    /// The commitments
    #[serde(default, rename = "commitment_types_supported", deserialize_with = "readable")]
    pub commitments: Vec<Commitment>,
    /// The languages' codes
    #[serde(default, rename = "sign_languages_supported", deserialize_with = "readable")]
    pub languages: Vec<String>,
}

/// A signature policy the service knows.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// Its object identifier
    pub oid: String,
    /// By which it is asked for
    #[serde(rename = "ref")]
    pub reference: String,
    /// Where its document is
    #[serde(default)]
    pub url: Option<String>,
    /// `ENABLED`, or something else
    #[serde(default)]
    pub status: Option<String>,
    /// The digest of its document, in hexadecimal digits. Published copies of
    /// the discovery document disagree about it.
    #[serde(default, rename = "sigDigest")]
    pub digest: Option<String>,
    /// That digest's algorithm
    #[serde(default, rename = "sigDigestAlg")]
    pub digest_algorithm: Option<String>,
    /// Its label, by language code
    #[serde(default, deserialize_with = "or_none")]
    pub text: BTreeMap<String, String>,
}

/// A commitment the service knows.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Commitment {
    /// Its object identifier
    pub oid: String,
    /// By which it is asked for
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its label, by language code
    #[serde(default, deserialize_with = "or_none")]
    pub text: BTreeMap<String, String>,
}

/// Where the digest of a policy document comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyDigest<'a> {
    /// From the document itself
    OfDocument(&'a [u8]),
    /// From the discovery document, on the caller's own responsibility
    FromDiscovery,
}

impl Discovery {
    /// Reads a discovery document.
    ///
    /// # Errors
    /// [`Error::Protocol`]
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(json)
            .map_err(|_| Error::Protocol { what: "a malformed discovery document" })
    }

    /// The policy with this reference, if it may be used.
    ///
    /// # Errors
    /// [`Error::UnknownReference`], [`Error::PolicyDisabled`]
    pub fn policy(&self, reference: &str) -> Result<&Policy, Error> {
        let policy = self.policies.iter().find(|p| p.reference == reference || p.oid == reference);
        let policy = policy.ok_or_else(|| Error::UnknownReference {
            what: "policy",
            reference: reference.to_owned(),
        })?;
        if policy.status.as_deref().is_some_and(|status| status != "ENABLED") {
            return Err(Error::PolicyDisabled { reference: reference.to_owned() });
        }
        Ok(policy)
    }

    /// The commitment with this reference, OID, or name that
    /// [`CommitmentType`] reads.
    ///
    /// # Errors
    /// [`Error::UnknownReference`]
    pub fn commitment(&self, reference: &str) -> Result<&Commitment, Error> {
        let oid = reference.parse().map(|CommitmentType(oid)| oid.to_string());
        let fits = |c: &&Commitment| {
            c.reference == reference || oid.as_ref().is_ok_and(|oid| *oid == c.oid)
        };
        self.commitments.iter().find(fits).ok_or_else(|| Error::UnknownReference {
            what: "commitment",
            reference: reference.to_owned(),
        })
    }
}

impl Commitment {
    /// The commitment as it goes into the signature.
    ///
    /// # Errors
    /// [`Error::Protocol`] if its identifier does not read.
    pub fn commitment_type(&self) -> Result<CommitmentType, Error> {
        let malformed = Error::Protocol { what: "a malformed commitment identifier" };
        self.oid.parse().map(CommitmentType).map_err(|_| malformed)
    }
}

impl Policy {
    /// The policy as it goes into the signature, so that the container says
    /// what the user saw.
    ///
    /// # Errors
    /// [`Error::Protocol`] if the discovery document's identifier or digest
    /// does not read.
    pub fn signature_policy(&self, digest: PolicyDigest<'_>) -> Result<SignaturePolicy, Error> {
        let malformed = |what| Error::Protocol { what };
        let id: Oid = self.oid.parse().map_err(|_| malformed("a malformed policy identifier"))?;
        let mut policy = match digest {
            PolicyDigest::OfDocument(document) => {
                SignaturePolicy::of_document(id, DigestAlgorithm::Sha256, document)
            }
            PolicyDigest::FromDiscovery => {
                let algorithm = self.digest_algorithm.as_deref().unwrap_or_default();
                let algorithm: DigestAlgorithm = algorithm
                    .parse()
                    .map_err(|_| malformed("an unknown policy digest algorithm"))?;
                let hex = self.digest.as_deref().unwrap_or_default();
                let value = from_hex(hex).ok_or(malformed("a malformed policy digest"))?;
                let digest = Digest::new(algorithm, value)
                    .map_err(|_| malformed("a policy digest of the wrong length"))?;
                SignaturePolicy::new(id).digest(digest)
            }
        };
        policy.uri.clone_from(&self.url);
        Ok(policy)
    }
}

/// The entries of a list that read: one that does not takes no other with it.
fn readable<'de, D: Deserializer<'de>, T: DeserializeOwned>(list: D) -> Result<Vec<T>, D::Error> {
    let entries: Vec<Value> = or_none(list)?;
    Ok(entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect())
}

/// `null` is nothing.
fn or_none<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    value: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
