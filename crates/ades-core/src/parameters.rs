//! What a signature says about itself, in words that all formats share
//! (EN 319 122-1 clause 5, EN 319 132-1 clause 5). Each format encodes these
//! its own way.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, SubsecRound, Utc};
use serde::{Deserialize, Serialize};

use crate::Oid;
use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::certificate::Certificate;
use crate::digest::Digest;
use crate::error::{Error, NotFit, Parameter};

/// The claimed signing time: UTC, whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SigningTime(DateTime<Utc>);

impl SigningTime {
    /// Cuts fractions of a second off.
    #[must_use]
    pub fn new(time: DateTime<Utc>) -> Self {
        Self(time.trunc_subsecs(0))
    }

    /// The time.
    #[must_use]
    pub const fn time(self) -> DateTime<Utc> {
        self.0
    }

    /// Whether CMS writes it as `UTCTime`: the years 1950 to 2049
    /// (RFC 5652, 11.3). Others are a `GeneralizedTime`.
    #[must_use]
    pub fn is_utc_time(self) -> bool {
        (1950..=2049).contains(&self.0.year())
    }
}

impl From<DateTime<Utc>> for SigningTime {
    fn from(time: DateTime<Utc>) -> Self {
        Self::new(time)
    }
}

/// The signature policy of an explicit-policy signature (EPES).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignaturePolicy {
    /// The policy's identifier.
    pub id: Oid,
    /// The digest of the policy document; `None` writes the "zero hash", by
    /// which a signature says that it is not known.
    pub digest: Option<Digest>,
    /// Where the policy document is (spURI / SPURI).
    pub uri: Option<String>,
    /// Text to be shown to whoever relies on the signature, at most 200
    /// characters (spUserNotice / SPUserNotice explicitText).
    pub user_notice: Option<String>,
}

impl SignaturePolicy {
    /// A policy known by its document: the digest is that of `document`.
    #[must_use]
    pub fn of_document(id: Oid, algorithm: DigestAlgorithm, document: &[u8]) -> Self {
        Self { id, digest: Some(Digest::of(algorithm, document)), uri: None, user_notice: None }
    }
}

/// What the signer commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommitmentType(pub Oid);

impl CommitmentType {
    /// Proof of origin
    pub const ORIGIN: Self = Self(Oid::new_const("1.2.840.113549.1.9.16.6.1"));
    /// Proof of receipt
    pub const RECEIPT: Self = Self(Oid::new_const("1.2.840.113549.1.9.16.6.2"));
    /// Proof of delivery
    pub const DELIVERY: Self = Self(Oid::new_const("1.2.840.113549.1.9.16.6.3"));
    /// Proof of sender
    pub const SENDER: Self = Self(Oid::new_const("1.2.840.113549.1.9.16.6.4"));
    /// Proof of approval
    pub const APPROVAL: Self = Self(Oid::new_const("1.2.840.113549.1.9.16.6.5"));
    /// Proof of creation
    pub const CREATION: Self = Self(Oid::new_const("1.2.840.113549.1.9.16.6.6"));
}

impl FromStr for CommitmentType {
    type Err = Error;

    /// From an OID or one of the names origin, receipt, delivery, sender,
    /// approval, creation.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_lowercase().as_str() {
            "origin" => Ok(Self::ORIGIN),
            "receipt" => Ok(Self::RECEIPT),
            "delivery" => Ok(Self::DELIVERY),
            "sender" => Ok(Self::SENDER),
            "approval" => Ok(Self::APPROVAL),
            "creation" => Ok(Self::CREATION),
            _ => text.parse().map(Self),
        }
    }
}

/// Where the signer claims to be: personal data, of which `Debug` shows nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignerLocation {
    /// Country
    pub country: Option<String>,
    /// Locality
    pub locality: Option<String>,
    /// One to six lines of a postal address
    pub postal_address: Vec<String>,
}

impl fmt::Debug for SignerLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignerLocation(..)")
    }
}

/// Everything the caller decides about one signature. `Debug` shows neither
/// roles nor places nor descriptions.
///
/// ```
/// use ades_core::{CommitmentType, SignatureParameters};
///
/// let now = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
/// let parameters = SignatureParameters::new(now)
///     .commitment(CommitmentType::APPROVAL)
///     .signer_role("Director")
///     .mime_type("application/pdf");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SignatureParameters {
    signing_time: SigningTime,
    algorithm: Option<SignatureAlgorithm>,
    policy: Option<SignaturePolicy>,
    commitments: Vec<CommitmentType>,
    signer_roles: Vec<String>,
    location: Option<SignerLocation>,
    mime_type: Option<String>,
    description: Option<String>,
}

impl SignatureParameters {
    /// Parameters with nothing but the claimed signing time.
    #[must_use]
    pub fn new(signing_time: impl Into<SigningTime>) -> Self {
        Self {
            signing_time: signing_time.into(),
            algorithm: None,
            policy: None,
            commitments: Vec::new(),
            signer_roles: Vec::new(),
            location: None,
            mime_type: None,
            description: None,
        }
    }

    /// The signature algorithm; without it, what the key signs with by default.
    #[must_use]
    pub const fn algorithm(mut self, algorithm: SignatureAlgorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// The signature policy.
    #[must_use]
    pub fn policy(mut self, policy: SignaturePolicy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Adds a commitment.
    #[must_use]
    pub fn commitment(mut self, commitment: CommitmentType) -> Self {
        self.commitments.push(commitment);
        self
    }

    /// Adds a role that the signer claims to have.
    #[must_use]
    pub fn signer_role(mut self, role: impl Into<String>) -> Self {
        self.signer_roles.push(role.into());
        self
    }

    /// Where the signer claims to be.
    #[must_use]
    pub fn location(mut self, location: SignerLocation) -> Self {
        self.location = Some(location);
        self
    }

    /// The media type of the document.
    #[must_use]
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// A description of the document (CAdES: content-hints).
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// The claimed signing time.
    #[must_use]
    pub const fn signing_time(&self) -> SigningTime {
        self.signing_time
    }

    /// The policy, if any.
    #[must_use]
    pub const fn signature_policy(&self) -> Option<&SignaturePolicy> {
        self.policy.as_ref()
    }

    /// The commitments.
    #[must_use]
    pub fn commitments(&self) -> &[CommitmentType] {
        &self.commitments
    }

    /// The claimed roles.
    #[must_use]
    pub fn signer_roles(&self) -> &[String] {
        &self.signer_roles
    }

    /// The claimed location, if any.
    #[must_use]
    pub const fn signer_location(&self) -> Option<&SignerLocation> {
        self.location.as_ref()
    }

    /// The document's media type, if any.
    #[must_use]
    pub fn document_mime_type(&self) -> Option<&str> {
        self.mime_type.as_deref()
    }

    /// The document's description, if any.
    #[must_use]
    pub fn document_description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The algorithm to sign with under this certificate.
    ///
    /// # Errors
    /// [`Error::WrongAlgorithm`], [`Error::CertificateNotFit`]
    pub fn algorithm_for(&self, certificate: &Certificate) -> Result<SignatureAlgorithm, Error> {
        let key = certificate.key_type();
        let algorithm = self
            .algorithm
            .or_else(|| key.default_algorithm())
            .ok_or(Error::CertificateNotFit(NotFit::KeyUnsupported))?;
        if key.fits(algorithm) {
            Ok(algorithm)
        } else {
            Err(Error::WrongAlgorithm { key, algorithm })
        }
    }

    /// Checks what no format allows: empty or over-long texts, a location
    /// without content.
    ///
    /// # Errors
    /// [`Error::Parameter`]
    pub fn check(&self) -> Result<(), Error> {
        let fail = |parameter, problem| Err(Error::Parameter { parameter, problem });
        if !self.signer_roles.iter().all(|role| is_text(role)) {
            return fail(Parameter::SignerRole, NO_TEXT);
        }
        if let Some(location) = &self.location {
            let lines = [&location.country, &location.locality].into_iter().flatten();
            let mut lines = lines.chain(&location.postal_address).peekable();
            if lines.peek().is_none() {
                return fail(Parameter::SignerLocation, "nothing in it");
            }
            if location.postal_address.len() > 6 {
                return fail(Parameter::SignerLocation, "more than six lines of postal address");
            }
            if !lines.all(|line| is_text(line)) {
                return fail(Parameter::SignerLocation, NO_TEXT);
            }
        }
        if let Some(mime_type) = &self.mime_type
            && !is_media_type(mime_type)
        {
            return fail(Parameter::MimeType, "not of the form type/subtype");
        }
        if !self.description.as_deref().is_none_or(is_text) {
            return fail(Parameter::Description, NO_TEXT);
        }
        if let Some(policy) = &self.policy {
            if policy
                .uri
                .as_deref()
                .is_some_and(|u| u.is_empty() || !u.is_ascii() || u.len() > MAX_TEXT_LEN)
            {
                return fail(Parameter::PolicyUri, "empty, not ASCII or longer than 1,024 octets");
            }
            if policy.user_notice.as_deref().is_some_and(|n| !is_text(n) || n.chars().count() > 200)
            {
                return fail(
                    Parameter::PolicyUserNotice,
                    "not 1 to 200 characters, or with control characters",
                );
            }
        }
        Ok(())
    }
}

/// What is wrong with what is no [text](is_text).
pub const NO_TEXT: &str = "empty, longer than 1,024 octets, or with control characters";

/// Whether it is something to be read, of up to 1,024 octets, that each format
/// can hold: no control characters but tabs and line ends, and nothing that XML
/// leaves out (XML 1.0, 2.2).
#[must_use]
pub fn is_text(text: &str) -> bool {
    let odd = |c: char| {
        c.is_control() && !matches!(c, '\t' | '\n' | '\r') || matches!(c, '\u{FFFE}' | '\u{FFFF}')
    };
    !text.trim().is_empty() && text.len() <= MAX_TEXT_LEN && !text.contains(odd)
}

impl fmt::Debug for SignatureParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureParameters")
            .field("signing_time", &self.signing_time)
            .field("algorithm", &self.algorithm)
            .field("policy", &self.policy)
            .field("commitments", &self.commitments)
            .field("mime_type", &self.mime_type)
            .finish_non_exhaustive()
    }
}

const MAX_TEXT_LEN: usize = 1024;

/// `type "/" subtype`, parameters allowed behind (RFC 6838, 4.2).
fn is_media_type(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    let name = |n: &str| {
        !n.is_empty() && n.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
    };
    text.len() <= MAX_TEXT_LEN
        && text.chars().all(|c| c.is_ascii() && !c.is_ascii_control())
        && essence.split_once('/').is_some_and(|(kind, subtype)| name(kind) && name(subtype))
}
