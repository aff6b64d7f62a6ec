//! The report of [`verify`](crate::verify()), and the warnings of preparing.

use std::fmt;

pub use ades_core::Level;
use ades_core::facts::SignatureFacts;
use ades_core::{Digest, SignerLocation};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::c14n::InsertionSite;
use crate::xml::Encoding;

/// A document and its signatures. The serialised form has the signers' names, which
/// are personal data; `Debug` does not show them.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The document's length in octets.
    pub length: u64,
    /// The document's root element.
    pub root: Part,
    /// The signatures, in document order. Countersignatures are listed in the
    /// signature that contains them.
    pub signatures: Vec<SignatureReport>,
}

impl Report {
    /// Whether there is at least one signature, and all of them, countersignatures
    /// included, are intact and without problems. Certificates and times are not judged.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        fn valid(signature: &SignatureReport) -> bool {
            signature.intact == Some(true)
                && signature.problems.is_empty()
                && signature.countersignatures.iter().all(valid)
        }
        !self.signatures.is_empty() && self.signatures.iter().all(valid)
    }
}

/// One signature. `Debug` does not show names, roles, locations or texts.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct SignatureReport {
    /// `XAdES`, or `XMLDSig` for a signature without qualifying properties.
    pub format: &'static str,
    /// Its Id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it is in the document's octets.
    pub place: Place,
    /// The highest level for which there is evidence: time-stamps that can be read and
    /// whose imprint fits.
    pub level: Level,
    /// Whether the value verifies and every digest in `ds:SignedInfo` matches (XML
    /// Signature, clause 3.2: core validation). `None` if that could not be found out.
    pub intact: Option<bool>,
    /// The signer's common name, if the signature contains the certificate and that has
    /// one.
    pub signer: Option<String>,
    /// How much of the signed data the signature covers.
    pub covers: Coverage,
    /// The problems of the signature, and checks that could not be done.
    pub problems: Vec<Problem>,
    /// The claimed signing time. Without a time zone it is taken as UTC.
    pub claimed_time: Option<DateTime<Utc>>,
    /// The name of the signature algorithm, or its URI if it is not supported.
    pub signature_algorithm: String,
    /// The URI of the canonicalisation of `ds:SignedInfo`.
    pub canonicalization: String,
    /// The references of `ds:SignedInfo` to the signed data, with those of the manifests
    /// that they refer to.
    pub references: Vec<ReferenceReport>,
    /// The signature policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyReport>,
    /// The URIs of the commitments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commitments: Vec<String>,
    /// The claimed roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signer_roles: Vec<String>,
    /// The claimed location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<SignerLocation>,
    /// The values after the first of properties that may occur only once.
    #[serde(skip_serializing_if = "Further::is_empty")]
    pub further: Further,
    /// The names of the unsigned properties.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsigned_properties: Vec<String>,
    /// Signatures on this signature.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub countersignatures: Vec<Self>,
    /// The elements that the caller expects to be signed: whether each is covered.
    #[serde(skip)]
    pub(crate) expected: Vec<bool>,
    /// What a judge needs to know.
    #[serde(skip)]
    pub facts: SignatureFacts,
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
            .field("claimed_time", &self.claimed_time)
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

/// The signed values after the first of properties that may occur only once, in
/// document order. `Debug` does not show texts.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Further {
    /// Claimed signing times.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signing_times: Vec<DateTime<Utc>>,
    /// Signature policies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyReport>,
    /// Claimed locations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<SignerLocation>,
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
            .finish_non_exhaustive()
    }
}

/// One `ds:Reference` and its outcome. `Debug` does not show URIs, Ids, names or
/// descriptions.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct ReferenceReport {
    /// Its Id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its URI. `None` if it has no `URI` attribute.
    pub uri: Option<String>,
    /// The kind of data that it refers to.
    pub kind: ReferenceKind,
    /// Whether the digest matches. `None` if that could not be checked.
    pub intact: Option<bool>,
    /// Why it does not match, or could not be checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// The problem with its details, as text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The name of the digest algorithm, or its URI if it is not supported.
    pub digest_algorithm: String,
    /// The URIs of the transforms.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<String>,
    /// The number of octets that were digested.
    pub length: u64,
    /// The parts of the document that it covers, at most 64. Empty if it refers to
    /// another document.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<Part>,
    /// The places inside them that it does not cover, at most 64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Place>,
    /// Whether there are more covered or left-out parts than listed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// Whether only the text of these parts is covered, without their tags, because it
    /// is decoded as base64. Elements inside the parts are then left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub text_only: bool,
    /// Whether comments are covered.
    pub comments: bool,
    /// Whether the covered parts contain comments that are not covered: anybody can
    /// change them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub comments_left_out: bool,
    /// The media type of the signed data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The description of the signed data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The references of the manifest that it refers to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub manifest: Vec<Self>,
    /// The digest of the data, if it cannot be compared with the signed digest.
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

/// The kind of data that a reference refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReferenceKind {
    /// The data to be signed
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

/// A part of the document. `Debug` shows only its place.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Part {
    /// The local name of its element.
    pub element: String,
    /// The element's namespace name. Empty: no namespace.
    pub namespace: String,
    /// The element's Id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it is in the document's octets. For the whole document this is more than
    /// the root element.
    pub place: Place,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("place", &self.place).finish_non_exhaustive()
    }
}

/// A range of the document's octets, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Place {
    /// The offset of the first octet.
    pub from: u64,
    /// The offset after the last octet.
    pub to: u64,
}

/// The signature policy that a signature names. `Debug` does not show its texts.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PolicyReport {
    /// The identifier of the policy: a URI, or an OID as a URN. `None`: the policy is
    /// implied.
    pub id: Option<String>,
    /// The digest of the policy document, if the algorithm is supported.
    pub digest: Option<Digest>,
    /// The URI of the policy document.
    pub uri: Option<String>,
    /// The text to be shown to users.
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

/// How much of the signed data a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Coverage {
    /// The root element with all its content except signatures. An enveloping
    /// signature: all its objects. A detached signature: all documents that it names,
    /// if its own document contains nothing except signatures
    Whole,
    /// Less than that
    Part,
    /// A signed document was not passed, or a digest does not match
    Unknown,
}

/// A fact about a signature that was prepared or can be prepared, which the user should
/// know. The codes are stable.
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
    /// The document has a document type declaration, and the signature becomes a part of it.
    /// EU DSS, and services that use it, do not open such a document.
    #[error(
        "the document has a document type declaration: EU DSS, and services that use it, will not \
         open the result; they open a detached or an enveloping signature"
    )]
    DoctypeNotOpened,
    /// The result is in UTF-16. EU DSS, and services that use it, do not recognise it as XML.
    #[error(
        "the document is in UTF-16: EU DSS, and services that use it, will not open the result; \
         they open a detached signature, or one over the document in UTF-8"
    )]
    Utf16NotOpened,
    /// The result is in an encoding that Java does not have, and so not EU DSS.
    #[error(
        "the document is in an encoding that Java does not have: EU DSS, and services that use \
         it, will not open the result; they open a detached signature, or one over the document \
         in UTF-8"
    )]
    EncodingNotOpened,
}

impl Warning {
    /// The warnings about a document that a signature is put into.
    pub(crate) fn about(site: &InsertionSite) -> Vec<Self> {
        Self::all(site.has_doctype, site.encoding)
    }

    /// The warnings about a document whose root element is put into a signature.
    pub(crate) fn about_content(site: &InsertionSite) -> Vec<Self> {
        Self::all(false, site.encoding)
    }

    fn all(has_doctype: bool, encoding: Encoding) -> Vec<Self> {
        let all = [
            (has_doctype, Self::DoctypeNotOpened),
            (encoding.is_utf16(), Self::Utf16NotOpened),
            (!encoding.is_known_to_java(), Self::EncodingNotOpened),
        ];
        all.into_iter().filter_map(|(is, warning)| is.then_some(warning)).collect()
    }

    /// The stable code, as in the serialised form.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::DoctypeKeptAsBase64 => "doctype-kept-as-base64",
            Self::ExternalKeptAsBase64 => "external-kept-as-base64",
            Self::SignedKeptAsBase64 => "signed-kept-as-base64",
            Self::DoctypeNotOpened => "doctype-not-opened",
            Self::Utf16NotOpened => "utf16-not-opened",
            Self::EncodingNotOpened => "encoding-not-opened",
        }
    }
}

/// A problem of a signature. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Problem {
    /// A reference names another document, which the caller did not pass
    #[error("a signed document was not given")]
    ContentMissing,
    /// A signature in a `xades:CounterSignature` does not sign the value of the
    /// signature around it (EN 319 132-1, 5.2.7.2)
    #[error("the countersignature does not sign the value of the signature around it")]
    CountersignatureMismatch,
    /// A signed data object without `xades:DataObjectFormat` and media type
    /// (EN 319 132-1, 6.3)
    #[error("the format of the signed data is not given")]
    DataObjectFormatMissing,
    /// A `xades:DataObjectFormat` contradicts the `ds:Object` that it describes
    /// (EN 319 132-1, 5.2.4)
    #[error("a given format contradicts the object that it describes")]
    DataObjectFormatMismatch,
    /// A `xades:DataObjectFormat` does not name a reference of the signature
    /// (EN 319 132-1, 5.2.4)
    #[error("a format is given for data that are not signed")]
    DataObjectFormatTarget,
    /// The digest of a reference does not match
    #[error("the signed content has changed")]
    DigestMismatch,
    /// Two elements have an Id that the signature refers to
    #[error("two elements have the same Id, so it is ambiguous which one is signed")]
    DuplicateId,
    /// The issuer and serial number beside the digest of the certificate are those of
    /// another certificate: the digest counts
    #[error("the issuer and serial number beside the certificate's digest are those of another")]
    IssuerSerialMismatch,
    /// A signed `ds:KeyInfo` binds the certificate, and no signed property
    /// (ETSI TS 101 903, 4.4.1)
    #[error("the signed key information binds the certificate, and no signed property")]
    KeyInfoSigned,
    /// `ds:KeyInfo` contains a public key that is not the certificate's (XML Signature, 4.5)
    #[error("the signature contains another public key than the certificate's")]
    KeyValueMismatch,
    /// A property has its legacy form, which baseline signatures must not have
    /// (EN 319 132-1, 6.3)
    #[error("a property has its legacy form, which baseline signatures must not have")]
    LegacyProperty,
    /// A reference of a manifest does not match, or its document was not passed
    #[error("the data of a manifest have changed or were not given")]
    ManifestMismatch,
    /// The root element, or an element that the caller expects to be signed, is not
    /// covered
    #[error("the root element, or an element that was expected to be signed, is not covered")]
    NotCovered,
    /// The transforms of the references leave out parts of the root element, besides
    /// signatures: the signer signed the rest
    #[error("parts of the root element are not covered: the signature's transforms leave them out")]
    PartlyCovered,
    /// The value of a signed property cannot be read
    #[error("a signed property is malformed")]
    PropertyMalformed,
    /// A signed property that may occur once occurs twice
    #[error("a signed property occurs more than once")]
    PropertyRepeated,
    /// The signature has no qualifying properties: it is a plain XML signature
    #[error("the signature has no qualifying properties")]
    QualifyingPropertiesMissing,
    /// The signature has more than one set of qualifying properties
    #[error("the signature has more than one set of qualifying properties")]
    QualifyingPropertiesRepeated,
    /// The qualifying properties name another signature (EN 319 132-1, 4.3.1)
    #[error("the qualifying properties do not name their signature")]
    QualifyingPropertiesTarget,
    /// A reference names an element that the document does not have
    #[error("a signed element is missing")]
    ReferenceMissing,
    /// The value does not verify
    #[error("the signature value does not verify")]
    SignatureInvalid,
    /// An element that XML Signature requires is missing or repeated
    #[error("the signature is malformed")]
    SignatureMalformed,
    /// No reference with the type of signed properties covers those of the signature
    /// (EN 319 132-1, 4.3.1)
    #[error("the qualifying properties are not signed")]
    SignedPropertiesNotReferenced,
    /// The signer's certificate is not in `ds:KeyInfo`
    #[error("the signer's certificate is not in the signature")]
    SignerCertificateMissing,
    /// The certificate in `ds:KeyInfo` is not the one that the signed properties name
    /// by its digest
    #[error("the certificate is not the one that the signature names")]
    SigningCertificateMismatch,
    /// No signed property names the certificate
    #[error("no signing-certificate property names the certificate")]
    SigningCertificateMissing,
    /// The signature has no signing time
    #[error("the signature has no signing time")]
    SigningTimeMissing,
    /// A transform cannot be carried out: its input is not base64, or exceeds a limit
    #[error("a transform cannot be carried out")]
    TransformFailed,
    /// A transform, or the form of a reference's URI, is not supported
    #[error("a transform, or the form of a reference, is not supported")]
    TransformUnsupported,
    /// An unsigned property that EN 319 132-1 does not have, or a `CounterSignature`
    /// without a signature
    #[error("an unsigned property is not one of XAdES: nobody signed it")]
    UnknownProperty,
    /// The version of the qualifying properties is not supported
    #[error("the version of the qualifying properties is not supported")]
    UnknownVersion,
    /// The signature contains an element, an attribute, text, a comment or an
    /// instruction that it does not sign and that is neither a part of XML Signature
    /// nor a property of XAdES
    #[error("the signature contains content that it does not sign")]
    UnsignedContent,
    /// A digest, signature or canonicalisation algorithm is not supported
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
