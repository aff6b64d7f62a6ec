//! The signed properties that the caller decides, for all formats
//! (EN 319 122-1 clause 5, EN 319 132-1 clause 5). Each format crate encodes
//! them in its own way.
//!
//! All types serialise, so that an application can store the parameters before
//! it prepares a signature. Names that reports and stored jobs have used from
//! the start (`user_notice`, `postal_address`) keep their spelling.

mod policy;

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use chrono::{DateTime, Datelike, SubsecRound, Utc};
use serde::{Deserialize, Serialize};

pub use policy::{PolicyId, SignaturePolicy};

use crate::Oid;
use crate::algorithm::SignatureAlgorithm;
use crate::certificate::Certificate;
use crate::error::{Error, NotFit, Parameter};

/// The claimed signing time: UTC, whole seconds. Serialises as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "DateTime<Utc>", into = "DateTime<Utc>")]
pub struct SigningTime(DateTime<Utc>);

impl SigningTime {
    /// Truncates `time` to whole seconds.
    #[must_use]
    pub fn new(time: DateTime<Utc>) -> Self {
        Self(time.trunc_subsecs(0))
    }

    /// The time.
    #[must_use]
    pub const fn time(self) -> DateTime<Utc> {
        self.0
    }

    /// Whether CMS encodes it as `UTCTime`: the years 1950 to 2049
    /// (RFC 5652, 11.3). All others are encoded as `GeneralizedTime`.
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

impl From<SystemTime> for SigningTime {
    fn from(time: SystemTime) -> Self {
        Self::new(time.into())
    }
}

impl From<SigningTime> for DateTime<Utc> {
    fn from(time: SigningTime) -> Self {
        time.0
    }
}

/// The commitment of the signer. Any object identifier is a commitment type,
/// so the field is public.
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

    /// Parses an OID, or one of the names origin, receipt, delivery, sender,
    /// approval and creation.
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

/// The claimed location of the signer. It is personal data, so `Debug` shows
/// none of it.
///
/// ```
/// let location = ades_core::SignerLocation::default().country("BE").locality("Gent");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SignerLocation {
    /// Country
    pub country: Option<String>,
    /// Locality
    pub locality: Option<String>,
    /// One to six lines of a postal address
    pub postal_address: Vec<String>,
}

impl SignerLocation {
    /// The country.
    #[must_use]
    pub fn country(mut self, country: impl Into<String>) -> Self {
        self.country = Some(country.into());
        self
    }

    /// The locality.
    #[must_use]
    pub fn locality(mut self, locality: impl Into<String>) -> Self {
        self.locality = Some(locality.into());
        self
    }

    /// The lines of a postal address.
    #[must_use]
    pub fn postal_address(mut self, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.postal_address = lines.into_iter().map(Into::into).collect();
        self
    }
}

impl fmt::Debug for SignerLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignerLocation(..)")
    }
}

/// The caller's choices for one signature, in any format. `Debug` shows neither
/// roles nor locations nor descriptions.
///
/// ```
/// use ades_core::{CommitmentType, SignatureParameters};
///
/// let now = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
/// let parameters = SignatureParameters::new(now)
///     .commitment(CommitmentType::APPROVAL)
///     .signer_role("Director")
///     .mime_type("application/pdf");
/// let stored = serde_json::to_string(&parameters)?;
/// assert_eq!(serde_json::from_str::<SignatureParameters>(&stored)?, parameters);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SignatureParameters {
    signing_time: SigningTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    algorithm: Option<SignatureAlgorithm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<SignaturePolicy>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    commitments: Vec<CommitmentType>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    signer_roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<SignerLocation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mime_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl SignatureParameters {
    /// Parameters with only the claimed signing time.
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

    /// The same parameters with another claimed signing time.
    #[must_use]
    pub fn signed_at(mut self, signing_time: impl Into<SigningTime>) -> Self {
        self.signing_time = signing_time.into();
        self
    }

    /// The signature algorithm. The default is
    /// [`KeyType::default_algorithm`](crate::certificate::KeyType::default_algorithm).
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

    /// Adds a claimed role of the signer.
    #[must_use]
    pub fn signer_role(mut self, role: impl Into<String>) -> Self {
        self.signer_roles.push(role.into());
        self
    }

    /// The claimed location of the signer.
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

    /// The signature algorithm, if the caller chose one.
    #[must_use]
    pub const fn signature_algorithm(&self) -> Option<SignatureAlgorithm> {
        self.algorithm
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

    /// The algorithm that a signature with this certificate has.
    ///
    /// # Errors
    /// [`Error::WrongAlgorithm`], [`Error::CertificateNotFit`]
    pub fn algorithm_for(&self, certificate: &Certificate) -> Result<SignatureAlgorithm, Error> {
        let key = certificate.key_type();
        let algorithm = self
            .algorithm
            .or_else(|| key.default_algorithm())
            .ok_or(Error::CertificateNotFit(NotFit::KeyUnsupported))?;
        if key.may_sign() && algorithm.may_sign() && key.fits(algorithm) {
            Ok(algorithm)
        } else {
            Err(Error::WrongAlgorithm { key, algorithm })
        }
    }

    /// Rejects values that no format accepts, such as empty or over-long texts and
    /// a location without content.
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
                return fail(
                    Parameter::SignerLocation,
                    "country, locality and postal address are all missing",
                );
            }
            if location.postal_address.len() > 6 {
                return fail(
                    Parameter::SignerLocation,
                    "the postal address has more than six lines",
                );
            }
            if !lines.all(|line| is_text(line)) {
                return fail(Parameter::SignerLocation, NO_TEXT);
            }
        }
        if let Some(mime_type) = &self.mime_type
            && !is_media_type(mime_type)
        {
            return fail(Parameter::MimeType, "it is not of the form type/subtype");
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
                return fail(
                    Parameter::PolicyUri,
                    "it is empty, not ASCII or longer than 1,024 octets",
                );
            }
            if policy.user_notice.as_deref().is_some_and(|n| !is_text(n) || n.chars().count() > 200)
            {
                return fail(
                    Parameter::PolicyUserNotice,
                    "it does not have 1 to 200 characters, or has control characters",
                );
            }
        }
        Ok(())
    }
}

/// Why a string is not acceptable as [text](is_text).
pub const NO_TEXT: &str = "it is empty, longer than 1,024 octets, or has control characters";

/// Whether every format can hold `text`: it is not blank, has at most 1,024
/// octets, no control characters other than tabs and line ends, and none of the
/// characters that XML excludes (XML 1.0, 2.2).
#[must_use]
pub fn is_text(text: &str) -> bool {
    let excluded = |c: char| {
        c.is_control() && !matches!(c, '\t' | '\n' | '\r') || matches!(c, '\u{FFFE}' | '\u{FFFF}')
    };
    !text.trim().is_empty() && text.len() <= MAX_TEXT_LEN && !text.contains(excluded)
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

/// Whether `text` is `type "/" subtype` (RFC 6838, 4.2), optionally followed by
/// parameters.
fn is_media_type(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    let name = |n: &str| {
        !n.is_empty() && n.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
    };
    text.len() <= MAX_TEXT_LEN
        && text.chars().all(|c| c.is_ascii() && !c.is_ascii_control())
        && essence.split_once('/').is_some_and(|(kind, subtype)| name(kind) && name(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::DigestAlgorithm;

    fn signing_time() -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_323_045, 0).unwrap()
    }

    #[test]
    fn stored_parameters_have_stable_names() {
        let bare = SignatureParameters::new(signing_time());
        let json = r#"{"signing-time":"2026-01-02T03:04:05Z"}"#;
        assert_eq!(serde_json::to_string(&bare).unwrap(), json);
        assert_eq!(serde_json::from_str::<SignatureParameters>(json).unwrap(), bare);

        let full = bare
            .algorithm(SignatureAlgorithm::RsaPss(DigestAlgorithm::Sha384))
            .policy(
                SignaturePolicy::new(Oid::new_const("1.2.3").into()).uri("https://example.com/"),
            )
            .commitment(CommitmentType::APPROVAL)
            .signer_role("Director")
            .location(SignerLocation::default().locality("Gent").postal_address(["Markt 1"]))
            .mime_type("text/plain")
            .description("Lease");
        let json = concat!(
            r#"{"signing-time":"2026-01-02T03:04:05Z","algorithm":"rsa-pss-sha384","#,
            r#""policy":{"id":"1.2.3","digest":null,"uri":"https://example.com/","#,
            r#""user_notice":null},"commitments":["1.2.840.113549.1.9.16.6.5"],"#,
            r#""signer-roles":["Director"],"location":{"country":null,"locality":"Gent","#,
            r#""postal_address":["Markt 1"]},"mime-type":"text/plain","description":"Lease"}"#
        );
        assert_eq!(serde_json::to_string(&full).unwrap(), json);
        assert_eq!(serde_json::from_str::<SignatureParameters>(json).unwrap(), full);
    }

    #[test]
    fn unknown_members_are_rejected() {
        for json in [
            r#"{"signing-time":"2026-01-02T03:04:05Z","signing_time":null}"#,
            r#"{"signing-time":"2026-01-02T03:04:05Z","location":{"city":"Gent"}}"#,
            r#"{"signing-time":"2026-01-02T03:04:05Z","policy":{"id":"1.2","hash":null}}"#,
            "{}",
        ] {
            assert!(serde_json::from_str::<SignatureParameters>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_stored_signing_time_has_whole_seconds() {
        let time: SigningTime = serde_json::from_str(r#""2026-01-02T04:04:05.9+01:00""#).unwrap();
        assert_eq!(time.time(), signing_time());
    }
}
