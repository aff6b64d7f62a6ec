//! The results of inspecting and verifying a container.

use std::fmt;

pub use ades_core::Level;
use ades_core::{CommitmentType, Digest, Oid, SignerLocation};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A container and its signatures. The serialised form holds personal data, such
/// as the signers' names; `Debug` does not show them.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// `enveloping` if the content is in the container, else `detached`.
    pub packaging: &'static str,
    /// The version in SignedData, if it is a number below 128.
    pub version: Option<u8>,
    /// The offset of the first octets that are BER but not DER, as far as
    /// headers and sets show. CAdES allows them outside the signed attributes;
    /// PAdES does not.
    pub first_not_der: Option<u64>,
    /// The content's length, if it is in the container.
    pub content_length: Option<u64>,
    /// Number of X.509 certificates in the container.
    pub certificates: usize,
    /// Number of revocation values in the container.
    pub revocation_values: usize,
    /// The signatures, in the container's order.
    pub signatures: Vec<SignatureReport>,
}

impl Report {
    /// Whether there is at least one signature, and all signatures and
    /// countersignatures are intact and without problems.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        fn valid(signature: &SignatureReport) -> bool {
            signature.intact
                && signature.problems.is_empty()
                && signature.countersignatures.iter().all(valid)
        }
        !self.signatures.is_empty() && self.signatures.iter().all(valid)
    }
}

/// One signature. `Debug` shows no names, roles, places or texts.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct SignatureReport {
    /// Always `CAdES`.
    pub format: &'static str,
    /// The highest level whose attributes are present. Time-stamps and revocation
    /// values are not verified.
    pub level: Level,
    /// Whether every digest matches and the value verifies.
    pub intact: bool,
    /// The common name in the signer's certificate.
    pub signer: Option<String>,
    /// The part of the document that the signature covers.
    pub covers: Coverage,
    /// The problems found, in the order of the checks.
    pub problems: Vec<Problem>,
    /// Whether a certification path leads from the signer's certificate to a
    /// trust anchor; `None` if no trust anchors were passed.
    pub trusted: Option<bool>,
    /// The claimed signing time.
    pub signing_time: Option<DateTime<Utc>>,
    /// The digest algorithm's name, or its OID if it is not supported.
    pub digest_algorithm: String,
    /// The signature algorithm's name, or its OID if it is not supported.
    pub signature_algorithm: String,
    /// The signature policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyReport>,
    /// The commitment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commitment: Option<CommitmentType>,
    /// The claimed roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signer_roles: Vec<String>,
    /// The claimed place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<SignerLocation>,
    /// The document's media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The document's description (content-hints).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The OIDs of the unsigned attributes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsigned_attributes: Vec<Oid>,
    /// Signatures on this signature.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub countersignatures: Vec<Self>,
}

impl fmt::Debug for SignatureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureReport")
            .field("format", &self.format)
            .field("level", &self.level)
            .field("intact", &self.intact)
            .field("covers", &self.covers)
            .field("problems", &self.problems)
            .field("trusted", &self.trusted)
            .field("signing_time", &self.signing_time)
            .field("digest_algorithm", &self.digest_algorithm)
            .field("signature_algorithm", &self.signature_algorithm)
            .field("policy", &self.policy)
            .field("commitment", &self.commitment)
            .field("unsigned_attributes", &self.unsigned_attributes)
            .field("countersignatures", &self.countersignatures)
            .finish_non_exhaustive()
    }
}

/// A signature policy as the signature names it. `Debug` shows no texts.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PolicyReport {
    /// The policy's identifier
    pub id: Oid,
    /// The digest of the policy document; `None` for a zero hash, or for an
    /// algorithm that is not supported
    pub digest: Option<Digest>,
    /// The address of the policy document
    pub uri: Option<String>,
    /// The text to be shown to relying parties
    pub user_notice: Option<String>,
}

impl fmt::Debug for PolicyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyReport")
            .field("id", &self.id)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// The part of the document that a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Coverage {
    /// The whole document
    Whole,
    /// Not known, because the document was not given
    Unknown,
}

/// A warning to show to the user. It does not prevent the signature. The codes
/// are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Warning {
    /// For a parallel signature: the certificate is that of one of the
    /// container's signers. For a countersignature: the certificate made the
    /// signature that it countersigns, or has countersigned it before.
    #[error("the signer's certificate has signed the same before")]
    AlreadySigned,
    /// The container is BER but not DER. The octets of others are kept, so it
    /// stays BER, which some readers refuse.
    #[error("the container is BER, not DER, and stays BER: some readers refuse it")]
    ContainerNotDer,
}

impl Warning {
    /// The code in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlreadySigned => "already-signed",
            Self::ContainerNotDer => "container-not-der",
        }
    }
}

/// A problem that verification found, or a check that it could not make. The
/// codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Problem {
    /// cms-algorithm-protection names other algorithms than SignerInfo (RFC 6211)
    #[error("cms-algorithm-protection names other algorithms than those used")]
    AlgorithmProtectionMismatch,
    /// A signed attribute occurs again, or does not have exactly one value
    #[error("a signed attribute occurs more than once")]
    AttributeRepeated,
    /// The value of a signed attribute is malformed
    #[error("a signed attribute is malformed")]
    AttributeMalformed,
    /// The certificate was not valid at the claimed signing time
    #[error("the certificate was not valid at the signing time")]
    CertificateNotValidAtSigningTime,
    /// There is neither content in the container nor a document
    #[error("the signed document was not given")]
    ContentMissing,
    /// The eContentType is not id-data (EN 319 122-1, 6.3)
    #[error("the content type is not id-data")]
    ContentTypeNotData,
    /// The content-type attribute is missing or not the eContentType (RFC 5652, 11.1)
    #[error("the content-type attribute is missing or wrong")]
    ContentTypeMismatch,
    /// The document's digest is not the one that was signed
    #[error("the document is not the one that was signed")]
    DigestMismatch,
    /// digestAlgorithm and signatureAlgorithm use different digests
    #[error("digest algorithm and signature algorithm use different digests")]
    DigestAlgorithmMismatch,
    /// The certificate has a keyUsage with neither digitalSignature nor
    /// nonRepudiation (RFC 5280, 4.2.1.3)
    #[error("the certificate's keyUsage does not allow signatures")]
    KeyUsage,
    /// No message-digest attribute (RFC 5652, 11.2)
    #[error("there is no message-digest attribute")]
    MessageDigestMissing,
    /// The signed attributes are not in DER order, but the value verifies over
    /// that order
    #[error("the signed attributes are not DER")]
    SignedAttributesNotDer,
    /// A plain CMS signature, without signed attributes
    #[error("there are no signed attributes")]
    SignedAttributesMissing,
    /// The value does not verify
    #[error("the signature value does not verify")]
    SignatureInvalid,
    /// The signer's certificate is not in the container
    #[error("the signer's certificate is not in the container")]
    SignerCertificateMissing,
    /// signing-certificate-v2 names another certificate than the signer
    /// identifier, or its issuerSerial another than its digest (RFC 5035, 5)
    #[error("signing-certificate and signer identifier name different certificates")]
    SigningCertificateMismatch,
    /// No signing-certificate-v2 attribute
    #[error("no signing-certificate-v2 attribute binds the certificate")]
    SigningCertificateMissing,
    /// No signing-time attribute (EN 319 122-1, table 1)
    #[error("there is no signing-time attribute")]
    SigningTimeMissing,
    /// A signing-time attribute in CMS whose embedding format stores the time
    /// itself (EN 319 142-1, 6.3)
    #[error("there is a signing-time attribute in addition to the embedding format's time")]
    SigningTimePresent,
    /// A digest or signature algorithm that this version does not support
    #[error("an algorithm is not supported")]
    UnsupportedAlgorithm,
    /// No certification path leads from the certificate to a trust anchor
    #[error("the certificate does not lead to a trust anchor")]
    Untrusted,
}
