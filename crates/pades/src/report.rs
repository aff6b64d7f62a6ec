//! The warnings of [`prepare`](crate::prepare()) and the report of
//! [`verify`](crate::verify()).

use std::fmt;

use ades_core::facts::{SignatureFacts, TimeStampFacts};
pub use cades::report::{Level, Problem as CmsProblem, SignatureReport as CmsReport};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A fact about a document that does not forbid a signature, but that the signer
/// should know. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Warning {
    /// The field that is signed and its widget are two objects. pdfsig does not see the
    /// signature of such a field
    #[error("the field and its widget are two objects: some viewers do not show the signature")]
    FieldApartFromWidget,
    /// The last part of the field's name is that of another signature field. EU DSS
    /// knows fields by that part alone, and rejects the second of two such signatures
    #[error(
        "another signature field has the same last part of its name: some validators cannot tell \
         their signatures apart"
    )]
    FieldNamesAlike,
    /// The header is not at the file's first octet (ISO 32000-2, 7.5.2). EU DSS and
    /// pyHanko cannot read such a file after it was signed
    #[error("octets precede its %PDF header: some validators cannot read the signed document")]
    HeaderNotFirst,
    /// The document has no field of a name in the signature's lock
    #[error("the lock names a field that the document does not have")]
    LockOfUnknownField,
    /// A certification or a lock allows no changes (level 1). ISO 32000-2 allows validation
    /// data and document time-stamps nevertheless (table 257); Adobe Acrobat does not
    /// (pdf-association/pdf-issues, issue 131)
    #[error(
        "an earlier signature allows no changes: Adobe Acrobat reports validation data and \
         document time-stamps as changes, although PDF 2.0 allows them"
    )]
    NoChangesAllowed,
    /// See [`SignatureOptions::repair`](crate::SignatureOptions::repair)
    #[error("its cross-reference is broken; the signature adds a new one")]
    Repaired,
    /// `/Perms` with `/UR3` or `/UR` (ISO 32000-1, 12.8.2.3): validators ignore
    /// them, but Adobe Reader treats them as void once the document has changed
    #[error("the signature ends its usage rights for Adobe Reader, such as saving a form")]
    UsageRights,
    /// A static XFA form (ISO 32000-1, 12.7.8): the document has its pages and
    /// fields a second time in XFA
    #[error("it has an XFA form: viewers that support XFA show that instead of the pages")]
    Xfa,
    /// `/NeedAppearances` (ISO 32000-2, table 224)
    #[error(
        "its form tells viewers to redraw the fields: they may look different than when signed"
    )]
    NeedAppearances,
    /// `/NeedAppearances` beside a visible signature. [`prepare`](crate::prepare()) sets it to
    /// false unless the form has fields other than signature fields, or the document is signed
    /// already
    #[error(
        "Adobe Reader may not show the visible signature, because it redraws the form's fields"
    )]
    HiddenByNeedAppearances,
}

impl Warning {
    /// The stable code, as in the serialised form.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::FieldApartFromWidget => "field-apart-from-widget",
            Self::FieldNamesAlike => "field-names-alike",
            Self::HeaderNotFirst => "header-not-first",
            Self::LockOfUnknownField => "lock-of-unknown-field",
            Self::NoChangesAllowed => "no-changes-allowed",
            Self::Repaired => "repaired",
            Self::UsageRights => "usage-rights",
            Self::Xfa => "xfa",
            Self::NeedAppearances => "need-appearances",
            Self::HiddenByNeedAppearances => "hidden-by-need-appearances",
        }
    }
}

/// A document and its signatures. The serialised form has the signers' names, which
/// are personal data; `Debug` does not show them.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The document's length in octets.
    pub length: u64,
    /// The cross-reference sections, the oldest first. A linearized file begins with
    /// two; every update adds one.
    pub sections: Vec<SectionReport>,
    /// The form's fields, in the form's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldReport>,
    /// The signatures, in the order of the form's fields.
    pub signatures: Vec<SignatureReport>,
    /// The document time-stamps. The signatures of their tokens are not verified.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub time_stamps: Vec<TimeStampReport>,
}

impl Report {
    /// Whether the document has a signature, all signatures are intact, and neither
    /// they nor the document time-stamps have problems. Certificates and times are not
    /// judged.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let valid = |s: &SignatureReport| s.intact == Some(true) && s.problems.is_empty();
        !self.signatures.is_empty()
            && self.signatures.iter().all(valid)
            && self.time_stamps.iter().all(|stamp| stamp.problems.is_empty())
    }
}

/// One cross-reference section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SectionReport {
    /// Its offset in octets.
    pub offset: u64,
    /// Whether it is a stream.
    pub is_stream: bool,
    /// Number of objects that it has entries for.
    pub objects: u64,
}

/// One field of the form. `Debug` does not show its name.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FieldReport {
    /// The full name; periods separate its levels.
    pub name: String,
    /// Whether it is a signature field.
    pub is_signature: bool,
    /// Whether it is signed or filled in.
    pub has_value: bool,
}

impl fmt::Debug for FieldReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldReport")
            .field("is_signature", &self.is_signature)
            .field("has_value", &self.has_value)
            .finish_non_exhaustive()
    }
}

/// One signature. `Debug` shows no names, locations or texts.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct SignatureReport {
    /// `PAdES`, or `PDF` for CMS as ISO 32000 profiles it.
    pub format: &'static str,
    /// The full name of its field.
    pub field: String,
    /// The highest level for which there is evidence: time-stamps that can be read and
    /// whose imprint fits. Whether the validation data are complete is not judged.
    pub level: Level,
    /// Whether the byte range leaves out exactly `/Contents`, every digest matches, and
    /// the value verifies. `None` if that could not be found out.
    pub intact: Option<bool>,
    /// The signer's common name, if the certificate is present and has one.
    pub signer: Option<String>,
    /// The part of the file that the signature covers.
    pub covers: Coverage,
    /// The problems of the signature, and checks that could not be decided.
    pub problems: Vec<Problem>,
    /// The kinds of later changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// The claimed signing time (`/M`).
    pub claimed_time: Option<DateTime<Utc>>,
    /// `/SubFilter`, as it is written.
    pub sub_filter: String,
    /// `/ByteRange`, if it is four numbers.
    pub byte_range: Option<[u64; 4]>,
    /// The changes that it allows, if it certifies the document: 1 to 3 (ISO 32000-2,
    /// table 257).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certification: Option<u64>,
    /// `/Name`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `/Reason`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `/Location`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// `/ContactInfo`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// The report of the CMS, if the CMS can be read.
    pub cms: Option<CmsReport>,
    /// What a judge needs to know.
    #[serde(skip)]
    pub facts: SignatureFacts,
}

impl fmt::Debug for SignatureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureReport")
            .field("format", &self.format)
            .field("level", &self.level)
            .field("intact", &self.intact)
            .field("covers", &self.covers)
            .field("problems", &self.problems)
            .field("changes", &self.changes)
            .field("claimed_time", &self.claimed_time)
            .field("byte_range", &self.byte_range)
            .field("certification", &self.certification)
            .field("cms", &self.cms)
            .finish_non_exhaustive()
    }
}

/// One document time-stamp. `Debug` does not show its field.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct TimeStampReport {
    /// The full name of its field.
    pub field: String,
    /// `/ByteRange`, if it is four numbers.
    pub byte_range: Option<[u64; 4]>,
    /// The part of the file that it covers.
    pub covers: Coverage,
    /// Its problems, apart from those of its token.
    pub problems: Vec<Problem>,
    /// The time and the imprint of its token, whose signature is not verified.
    #[serde(flatten)]
    pub token: TimeStampFacts,
}

impl fmt::Debug for TimeStampReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeStampReport")
            .field("byte_range", &self.byte_range)
            .field("covers", &self.covers)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

/// The part of the file that a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Coverage {
    /// The whole file except the signature itself
    Whole,
    /// A whole earlier revision: the document was changed later
    Part,
    /// Not a revision
    Unknown,
}

/// A kind of change made after a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Change {
    /// Certificates and revocation values for later validation (`/DSS`)
    ValidationData,
    /// An invisible document time-stamp
    TimeStamp,
    /// Another signature, or an empty invisible field for one
    Signature,
    /// A form field other than a signature
    FormFilling,
    /// Another signature, in a field that becomes visible: after a certification,
    /// some validators allow it and others do not
    VisibleSignature,
    /// An annotation, or an empty visible signature field
    Annotation,
    /// Anything else: pages, fonts, the structure of the document
    Other,
}

/// A problem of a signature in a PDF. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Problem {
    /// `/ByteRange` is missing or not two ranges, the first from 0 on
    #[error("the byte range is not two ranges of the file")]
    ByteRangeMalformed,
    /// The gap between the ranges is not exactly `/Contents`
    #[error("the byte range leaves out something other than the signature")]
    ByteRangeGap,
    /// The ranges do not end where a revision of the file ends
    #[error("the byte range does not end with a revision of the document")]
    NotARevision,
    /// `/Contents` is missing or is not CMS
    #[error("the signature's contents cannot be read as CMS")]
    ContentsMalformed,
    /// Octets other than zero after the CMS in `/Contents`
    #[error("there are octets other than zero after the CMS")]
    ContentsPadding,
    /// The CMS has encapsulated content (EN 319 142-1, 6.2.1)
    #[error("the CMS encapsulates its own content")]
    ContentInCms,
    /// The CMS does not have exactly one signer (ISO 32000-2, 12.8.3.3.1)
    #[error("the CMS does not have exactly one signer")]
    NotOneSigner,
    /// The signature dictionary has a key twice: readers may choose different values
    #[error("the signature dictionary has a key twice")]
    RepeatedKey,
    /// A document time-stamp whose `/Type` is not `/DocTimeStamp` (EN 319
    /// 142-1, 5.4.3)
    #[error("the document time-stamp does not have the type DocTimeStamp")]
    NotADocTimeStamp,
    /// No `/Filter` (ISO 32000-2, table 255)
    #[error("the signature dictionary has no Filter")]
    FilterMissing,
    /// A `/Type` other than `/Sig` (ISO 32000-2, table 255): other readers see no
    /// signature
    #[error("the signature dictionary has another type than Sig")]
    NotASignature,
    /// A `/SubFilter` that this version does not verify
    #[error("the signature's format is not supported")]
    UnsupportedFormat,
    /// CMS as ISO 32000 profiles it, not PAdES
    #[error("the signature does not have the PAdES format")]
    NotPades,
    /// No `/M`, or one that is malformed
    #[error("the claimed signing time is missing")]
    SigningTimeMissing,
    /// A `/Cert` key (EN 319 142-1, table 1)
    #[error("there are certificates outside the CMS (/Cert)")]
    CertKey,
    /// `/Reason` together with a commitment or a policy (EN 319 142-1, table 1)
    #[error("there is a reason together with a commitment or a policy")]
    ReasonNotAllowed,
    /// Something other than a signature, a form field, an annotation or validation
    /// data was changed later
    #[error("the document was changed after it was signed")]
    ChangedLater,
    /// Annotations were added or changed later without a certification that allows
    /// it: they may hide signed content
    #[error("annotations were added or changed after it was signed")]
    AnnotatedLater,
    /// Comparing the later changes exceeds this crate's limits
    #[error("too much was changed after it was signed for a comparison")]
    NotCompared,
    /// Octets after the last revision that do not belong to an update
    #[error("there are octets after the document that do not belong to an update")]
    TrailingData,
    /// A later change that this signature does not allow (DocMDP, FieldMDP)
    #[error("the document was changed in a way that this signature forbids")]
    ForbiddenChange,
    /// A problem of the CMS
    #[error(transparent)]
    #[serde(untagged)]
    Cms(CmsProblem),
}

impl Problem {
    /// The code in JSON.
    #[must_use]
    pub fn code(self) -> String {
        ades_core::facts::code(&self)
    }
}
