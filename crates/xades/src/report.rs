//! What inspecting and verifying a document answers.

use std::fmt;

pub use ades_core::Level;
use ades_core::{Digest, SignerLocation};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A document and its signatures. Signers' names are in it: personal data,
/// which is in its serialised form, but not in `Debug`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The document's length in octets.
    pub length: u64,
    /// The document's root element.
    pub root: Part,
    /// The signatures, in document order; countersignatures are in those that
    /// they stand in.
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
    /// `XAdES`; `XMLDSig` for a signature without qualifying properties.
    pub format: &'static str,
    /// Its Id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it stands in the document's octets.
    pub place: Place,
    /// The highest level whose properties are there.
    pub level: Level,
    /// The value verifies, and every digest in `ds:SignedInfo` matches (XML
    /// Signature, clause 3.2: core validation).
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
    /// The claimed signing time; one that names no time zone is taken as UTC.
    pub signing_time: Option<DateTime<Utc>>,
    /// The signature algorithm's name, or its URI if it is not supported.
    pub signature_algorithm: String,
    /// The canonicalisation of `ds:SignedInfo`: its URI.
    pub canonicalization: String,
    /// What is signed: the references of `ds:SignedInfo`, and those of the
    /// manifests behind them.
    pub references: Vec<ReferenceReport>,
    /// The signature policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyReport>,
    /// The commitments: URIs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commitments: Vec<String>,
    /// The claimed roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signer_roles: Vec<String>,
    /// The claimed place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<SignerLocation>,
    /// The names of the unsigned properties.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsigned_properties: Vec<String>,
    /// Signatures on this signature.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub countersignatures: Vec<Self>,
}

impl fmt::Debug for SignatureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureReport")
            .field("format", &self.format)
            .field("place", &self.place)
            .field("level", &self.level)
            .field("intact", &self.intact)
            .field("covers", &self.covers)
            .field("problems", &self.problems)
            .field("trusted", &self.trusted)
            .field("signing_time", &self.signing_time)
            .field("signature_algorithm", &self.signature_algorithm)
            .field("canonicalization", &self.canonicalization)
            .field("references", &self.references)
            .field("policy", &self.policy)
            .field("commitments", &self.commitments)
            .field("unsigned_properties", &self.unsigned_properties)
            .field("countersignatures", &self.countersignatures)
            .finish_non_exhaustive()
    }
}

/// One `ds:Reference`, and what it stands for. `Debug` shows nothing that the
/// document or its author calls by a name.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct ReferenceReport {
    /// Its Id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its URI as it stands; `None` if it has none.
    pub uri: Option<String>,
    /// What it is to the signature.
    pub kind: ReferenceKind,
    /// Whether the digest matches; `None` if that could not be decided.
    pub intact: Option<bool>,
    /// Why not, or why not decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// The same with the details at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The digest algorithm's name, or its URI if it is not supported.
    pub digest_algorithm: String,
    /// The transforms: URIs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<String>,
    /// How many octets were digested.
    pub length: u64,
    /// The parts of the document that it covers; none if it is about something
    /// outside of the document. The first 64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<Part>,
    /// What in them it does not cover. The first 64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Place>,
    /// Whether there are more covered or left-out parts than those.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// Whether only the text of those parts is covered and none of their tags:
    /// what is base64 there. Elements in it are left out, then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub text_only: bool,
    /// Whether comments are covered.
    pub comments: bool,
    /// Whether there are comments in what is covered, and they are not: anybody can
    /// change them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub comments_left_out: bool,
    /// The media type of what is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The references of the manifest that it stands for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub manifest: Vec<Self>,
    /// What it comes to, where that cannot be compared.
    #[serde(skip)]
    pub(crate) undecided: Option<Digest>,
}

impl fmt::Debug for ReferenceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReferenceReport")
            .field("kind", &self.kind)
            .field("intact", &self.intact)
            .field("problem", &self.problem)
            .field("digest_algorithm", &self.digest_algorithm)
            .field("transforms", &self.transforms)
            .field("length", &self.length)
            .field("covers", &self.covers)
            .field("left_out", &self.left_out)
            .field("more", &self.more)
            .field("comments", &self.comments)
            .field("comments_left_out", &self.comments_left_out)
            .field("mime_type", &self.mime_type)
            .field("manifest", &self.manifest)
            .finish_non_exhaustive()
    }
}

/// What a reference is to its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReferenceKind {
    /// What somebody wants to be signed
    Data,
    /// The qualifying properties
    SignedProperties,
    /// The signature's `ds:KeyInfo`
    KeyInfo,
    /// A `ds:Manifest`
    Manifest,
    /// `ds:SignatureProperties`
    SignatureProperties,
    /// The value of another signature
    CountersignedSignature,
}

/// A part of the document. `Debug` shows its place.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Part {
    /// The local name of its element.
    pub element: String,
    /// The element's namespace name; empty for none.
    pub namespace: String,
    /// The element's Id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it stands in the document's octets; more than the element if it is
    /// the whole document.
    pub place: Place,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("place", &self.place).finish_non_exhaustive()
    }
}

/// A stretch of the document's octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Place {
    /// Its first octet.
    pub from: u64,
    /// The octet behind its last.
    pub to: u64,
}

/// A signature policy as the signature names it. `Debug` shows no texts.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PolicyReport {
    /// Its identifier, a URI or an OID as URN; `None` if it is implied.
    pub id: Option<String>,
    /// The digest of its document, if it is of a supported algorithm.
    pub digest: Option<Digest>,
    /// Where its document is.
    pub uri: Option<String>,
    /// The text to be shown.
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
    /// The root element with all that is in it but signatures; of an enveloping
    /// signature, all of its objects; of a detached one, all that it names, if
    /// nothing but signatures is beside it
    Whole,
    /// Less than that
    Part,
    /// Something was not there to compare, or does not match
    Unknown,
}

/// What the caller should know about a signature that was, or can be, prepared. The
/// codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Warning {
    /// An XML document is kept as base64 in an enveloping signature, because a
    /// document type declaration cannot be inside an element.
    #[error(
        "the document has a document type declaration, which cannot be inside a signature: it is \
         kept as base64"
    )]
    DoctypeKeptAsBase64,
    /// An XML document is kept as base64 in an enveloping signature, because it
    /// depends on a DTD or an entity outside of it.
    #[error("the document has a DTD that is not in the document: it is kept as base64")]
    ExternalKeptAsBase64,
    /// An XML document is kept as base64 in an enveloping signature, because its
    /// signatures cover it as a document of its own.
    #[error(
        "the document has signatures, which cover it as a document of its own: it is kept as base64"
    )]
    SignedKeptAsBase64,
}

impl Warning {
    /// The code: what it serialises as.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::DoctypeKeptAsBase64 => "doctype-kept-as-base64",
            Self::ExternalKeptAsBase64 => "external-kept-as-base64",
            Self::SignedKeptAsBase64 => "signed-kept-as-base64",
        }
    }
}

/// What can be wrong with a signature. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Problem {
    /// The certificate was not valid at the claimed signing time
    #[error("the certificate was not valid at the signing time")]
    CertificateNotValidAtSigningTime,
    /// Something that a reference names is not in the document and was not given
    #[error("signed content was not given")]
    ContentMissing,
    /// A signature in a `xades:CounterSignature` does not sign the value of the
    /// signature around it (EN 319 132-1, 5.2.7.2)
    #[error("the countersignature is not over the signature it stands in")]
    CountersignatureMismatch,
    /// A signed data object without `xades:DataObjectFormat` and media type
    /// (EN 319 132-1, 6.3)
    #[error("nothing says of what format the signed data are")]
    DataObjectFormatMissing,
    /// A `xades:DataObjectFormat` that says something else than the `ds:Object`
    /// it is about (EN 319 132-1, 5.2.4)
    #[error("a format is given that is not the one of the object")]
    DataObjectFormatMismatch,
    /// A `xades:DataObjectFormat` about no reference of the signature
    /// (EN 319 132-1, 5.2.4)
    #[error("a format is given for something that is not signed")]
    DataObjectFormatTarget,
    /// What a reference names is not what was signed
    #[error("the signed content has changed")]
    DigestMismatch,
    /// Two elements have an Id by which the signature names something
    #[error("an Id is there twice, so that nobody can tell what is signed")]
    DuplicateId,
    /// keyUsage is there, and has neither digitalSignature nor nonRepudiation
    /// (RFC 5280, 4.2.1.3)
    #[error("the certificate is not for signatures")]
    KeyUsage,
    /// A property of the older kind that baseline signatures do not have
    /// (EN 319 132-1, 6.3)
    #[error("a property is of the older kind that baseline signatures do not have")]
    LegacyProperty,
    /// Something that a manifest names is not what was signed, or not there
    #[error("the content of a manifest has changed or was not given")]
    ManifestMismatch,
    /// The root element, or what the caller expects to be signed, is not covered
    #[error("the root element, or what was expected to be signed, is not covered")]
    NotCovered,
    /// A signed property's value does not read
    #[error("a signed property is malformed")]
    PropertyMalformed,
    /// A signed property that may be there once is there twice
    #[error("a signed property is there more than once")]
    PropertyRepeated,
    /// No qualifying properties: a plain XML signature
    #[error("there are no qualifying properties")]
    QualifyingPropertiesMissing,
    /// More than one set of qualifying properties
    #[error("there is more than one set of qualifying properties")]
    QualifyingPropertiesRepeated,
    /// The qualifying properties are about another signature (EN 319 132-1, 4.3.1)
    #[error("the qualifying properties do not name their signature")]
    QualifyingPropertiesTarget,
    /// A reference names an element that is not there
    #[error("a signed element is not there")]
    ReferenceMissing,
    /// The value does not verify
    #[error("the signature value does not verify")]
    SignatureInvalid,
    /// Something that XML Signature demands is missing, or there twice
    #[error("the signature is malformed")]
    SignatureMalformed,
    /// No reference with the type of signed properties covers this signature's
    /// own (EN 319 132-1, 4.3.1)
    #[error("the qualifying properties are not signed")]
    SignedPropertiesNotReferenced,
    /// The signer's certificate is not in `ds:KeyInfo`
    #[error("the signer's certificate is not in the signature")]
    SignerCertificateMissing,
    /// The certificate in `ds:KeyInfo` is not the one that the signature names,
    /// by its digest or by issuer and serial number
    #[error("the certificate is not the one that the signature names")]
    SigningCertificateMismatch,
    /// No property binds the certificate
    #[error("no signing-certificate property binds the certificate")]
    SigningCertificateMissing,
    /// No signing time
    #[error("there is no signing time")]
    SigningTimeMissing,
    /// A transform cannot be carried out: no base64, or too much of something
    #[error("a transform cannot be carried out")]
    TransformFailed,
    /// A transform, or the form of a URI, that is not supported
    #[error("a transform or a reference is of a kind that is not supported")]
    TransformUnsupported,
    /// Qualifying properties of a version that is not read here
    #[error("the qualifying properties are of an unknown version")]
    UnknownVersion,
    /// The signature holds something that it does not sign, beside its own parts
    /// and the properties of XAdES: an element, an attribute, text, a comment or an
    /// instruction
    #[error("the signature holds content that it does not sign")]
    UnsignedContent,
    /// A digest, signature or canonicalisation algorithm this version does not
    /// verify
    #[error("an algorithm is not supported")]
    UnsupportedAlgorithm,
    /// The certificate does not lead to a trust anchor
    #[error("the certificate does not lead to a trust anchor")]
    Untrusted,
}
