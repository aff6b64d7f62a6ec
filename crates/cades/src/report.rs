//! The results of inspecting and verifying a container.

use std::fmt;
use std::sync::Arc;

pub use ades_core::Level;
use ades_core::facts::{Evidence, SignatureFacts};
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
    /// countersignatures are intact and without problems. Certificates and times are
    /// not judged.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        fn valid(signature: &SignatureReport) -> bool {
            signature.intact == Some(true)
                && signature.problems.is_empty()
                && signature.countersignatures.iter().all(valid)
        }
        !self.signatures.is_empty() && self.signatures.iter().all(valid)
    }

    /// Gives the facts of all signatures the evidence that they are about.
    pub(crate) fn with_evidence(mut self, evidence: &Arc<Evidence>) -> Self {
        self.signatures.iter_mut().for_each(|signature| signature.set_evidence(evidence));
        self
    }
}

/// One signature. `Debug` shows no names, roles, places or texts.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct SignatureReport {
    /// Always `CAdES`.
    pub format: &'static str,
    /// The highest level for which there is evidence: time-stamps that can be read and
    /// whose imprint fits.
    pub level: Level,
    /// Whether every digest matches and the value verifies. `None` if that could not
    /// be found out.
    pub intact: Option<bool>,
    /// The common name in the signer's certificate.
    pub signer: Option<String>,
    /// The part of the document that the signature covers.
    pub covers: Coverage,
    /// The problems found, in the order of the checks.
    pub problems: Vec<Problem>,
    /// The claimed signing time.
    pub claimed_time: Option<DateTime<Utc>>,
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
    /// The values after the first of attributes that may have only one.
    #[serde(skip_serializing_if = "Further::is_empty")]
    pub further: Further,
    /// The OIDs of the unsigned attributes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsigned_attributes: Vec<Oid>,
    /// Signatures on this signature.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub countersignatures: Vec<Self>,
    /// What a judge needs to know.
    #[serde(skip)]
    pub facts: SignatureFacts,
}

impl SignatureReport {
    /// Gives the facts of this signature and its countersignatures the evidence that they
    /// are about. For formats that embed CMS.
    #[doc(hidden)]
    pub fn set_evidence(&mut self, evidence: &Arc<Evidence>) {
        self.facts.evidence = Arc::clone(evidence);
        self.countersignatures.iter_mut().for_each(|inner| inner.set_evidence(evidence));
    }
}

impl fmt::Debug for SignatureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureReport")
            .field("format", &self.format)
            .field("level", &self.level)
            .field("intact", &self.intact)
            .field("covers", &self.covers)
            .field("problems", &self.problems)
            .field("claimed_time", &self.claimed_time)
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

/// The signed values after the first of attributes that may have only one value,
/// in their order: of the same attribute, or of another one of its type. `Debug`
/// shows no texts.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Further {
    /// Claimed signing times. In embedded CMS, its own one is among them, if it
    /// differs from that of the embedding format.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signing_times: Vec<DateTime<Utc>>,
    /// Signature policies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyReport>,
    /// Commitments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commitments: Vec<CommitmentType>,
    /// Claimed places.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<SignerLocation>,
    /// Media types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mime_types: Vec<String>,
    /// Descriptions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub descriptions: Vec<String>,
}

impl Further {
    /// Whether there are no such values, as in every baseline signature.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Debug for Further {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Further")
            .field("signing_times", &self.signing_times)
            .field("policies", &self.policies)
            .field("commitments", &self.commitments)
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
    /// The value of a signed attribute is malformed, or nested too deeply to have
    /// the DER that was signed
    #[error("a signed attribute is malformed")]
    AttributeMalformed,
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
    /// The issuerSerial beside the digest in signing-certificate names another
    /// certificate (RFC 5035, 5): the digest counts
    #[error("the issuer and serial number in signing-certificate are those of another certificate")]
    IssuerSerialMismatch,
    /// The older signing-certificate attribute, whose digest is SHA-1 (RFC 2634)
    #[error("the older signing-certificate attribute binds the certificate, by SHA-1")]
    LegacySigningCertificate,
    /// No message-digest attribute (RFC 5652, 11.2)
    #[error("there is no message-digest attribute")]
    MessageDigestMissing,
    /// The signed attributes were sent as BER that is not DER. The value has to
    /// be over their DER encoding, whatever was sent (RFC 5652, 5.4)
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
    /// signing-certificate-v2 names another certificate than the signer identifier
    #[error("signing-certificate and signer identifier name different certificates")]
    SigningCertificateMismatch,
    /// Both signing-certificate and signing-certificate-v2 (EN 319 122-1, 6.3)
    #[error("there are both forms of the signing-certificate attribute")]
    SigningCertificateTwice,
    /// Neither signing-certificate-v2 nor its older form
    #[error("no signing-certificate attribute binds the certificate")]
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
}

impl Problem {
    /// The code in JSON.
    #[must_use]
    pub fn code(self) -> String {
        ades_core::facts::code(&self)
    }
}
