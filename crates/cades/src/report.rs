//! What inspecting and verifying a container answers.

use std::fmt;

pub use ades_core::Level;
use ades_core::{CommitmentType, Digest, Oid, SignerLocation};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A container and its signatures. Signers' names are in it: personal data,
/// which is in its serialised form, but not in `Debug`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Whether the content is in the container or beside it.
    pub packaging: &'static str,
    /// SignedData's version as it stands, if it is a number below 128.
    pub version: Option<u8>,
    /// Where the first octets stand that are BER but not DER, as far as headers
    /// and sets show. CAdES allows them outside the signed attributes; PAdES
    /// does not.
    pub first_not_der: Option<u64>,
    /// The content's length, if it is in the container.
    pub content_length: Option<u64>,
    /// How many X.509 certificates are in the container.
    pub certificates: usize,
    /// How many revocation values are in the container.
    pub revocation_values: usize,
    /// The signatures, in the container's order.
    pub signatures: Vec<SignatureReport>,
}

impl Report {
    /// Whether there is a signature and all, countersignatures included, are
    /// intact and without problems.
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
    /// The highest level whose attributes are there.
    pub level: Level,
    /// Every digest matches and the value verifies.
    pub intact: bool,
    /// The signer's common name, if the certificate is there and has one.
    pub signer: Option<String>,
    /// What the signature covers.
    pub covers: Coverage,
    /// What is wrong, or could not be decided.
    pub problems: Vec<Problem>,
    /// Whether the signer's certificate leads to one of the trust anchors;
    /// `None` if there were none to judge by.
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
    /// Its identifier
    pub id: Oid,
    /// The digest of its document, if the signature knows one
    pub digest: Option<Digest>,
    /// Where its document is
    pub uri: Option<String>,
    /// The text to be shown
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

/// What a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Coverage {
    /// The whole document
    Whole,
    /// The document was not there to compare
    Unknown,
}

/// What a user should know about a signature that can be made. The codes are
/// stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Warning {
    /// For a parallel signature: the certificate is that of one of the
    /// container's signers. For a countersignature: the certificate made the
    /// signature that it countersigns, or has countersigned it before.
    #[error("this certificate has signed the same before")]
    AlreadySigned,
    /// The container is BER but not DER. Its octets are kept, so that it stays
    /// BER, which some readers refuse.
    #[error("the container is BER, not DER, and stays so: some readers refuse that")]
    ContainerNotDer,
}

impl Warning {
    /// The code that stands in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlreadySigned => "already-signed",
            Self::ContainerNotDer => "container-not-der",
        }
    }
}

/// What can be wrong with a signature. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Problem {
    /// cms-algorithm-protection names other algorithms than SignerInfo (RFC 6211)
    #[error("the protected algorithms are not those used")]
    AlgorithmProtectionMismatch,
    /// A signed attribute that may be there once is there twice
    #[error("a signed attribute is there more than once")]
    AttributeRepeated,
    /// A signed attribute's value does not read
    #[error("a signed attribute is malformed")]
    AttributeMalformed,
    /// The certificate was not valid at the claimed signing time
    #[error("the certificate was not valid at the signing time")]
    CertificateNotValidAtSigningTime,
    /// The document is not here
    #[error("the signed document was not given")]
    ContentMissing,
    /// The eContentType is not id-data (EN 319 122-1, 6.3)
    #[error("the content is not called data")]
    ContentTypeNotData,
    /// The content-type attribute is missing or not the eContentType (RFC 5652, 11.1)
    #[error("the content-type attribute is missing or wrong")]
    ContentTypeMismatch,
    /// The document's digest is not the signed one
    #[error("the document is not the one that was signed")]
    DigestMismatch,
    /// digestAlgorithm and signatureAlgorithm use different digests
    #[error("digest and signature algorithm do not belong together")]
    DigestAlgorithmMismatch,
    /// keyUsage is there, and has neither digitalSignature nor nonRepudiation
    /// (RFC 5280, 4.2.1.3)
    #[error("the certificate is not for signatures")]
    KeyUsage,
    /// No message-digest attribute (RFC 5652, 11.2)
    #[error("there is no message-digest attribute")]
    MessageDigestMissing,
    /// The signed attributes are not in DER order, but the signature verifies in it
    #[error("the signed attributes are not DER")]
    SignedAttributesNotDer,
    /// No signed attributes at all: a plain CMS signature
    #[error("there are no signed attributes")]
    SignedAttributesMissing,
    /// The value does not verify
    #[error("the signature value does not verify")]
    SignatureInvalid,
    /// The signer's certificate is not in the container
    #[error("the signer's certificate is not in the container")]
    SignerCertificateMissing,
    /// signing-certificate-v2 names another certificate than the sid, or with
    /// issuerSerial another than with the digest (RFC 5035, 5)
    #[error("signing-certificate and signer identifier name different certificates")]
    SigningCertificateMismatch,
    /// No signing-certificate-v2
    #[error("no signing-certificate-v2 attribute binds the certificate")]
    SigningCertificateMissing,
    /// No signing-time (CAdES baseline demands it)
    #[error("there is no signing-time attribute")]
    SigningTimeMissing,
    /// A signing-time where the embedding format has the time (EN 319 142-1, 6.3)
    #[error("there is a signing-time attribute beside the embedding format's own time")]
    SigningTimePresent,
    /// A digest or signature algorithm this version does not verify
    #[error("an algorithm is not supported")]
    UnsupportedAlgorithm,
    /// The certificate does not lead to a trust anchor
    #[error("the certificate does not lead to a trust anchor")]
    Untrusted,
}
