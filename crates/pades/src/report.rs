//! What inspecting and verifying a document answers.

use std::fmt;

use cades::report::{Level, Problem as CmsProblem, SignatureReport as CmsReport};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A document and its signatures. Signers' names are in it: personal data,
/// which is in its serialised form, but not in `Debug`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The document's length in octets.
    pub length: u64,
    /// The cross-reference sections, the oldest first: a linearized file has two
    /// to begin with, every update adds one.
    pub sections: Vec<SectionReport>,
    /// The form's fields, in its order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldReport>,
    /// The signatures, in the order of the form's fields.
    pub signatures: Vec<SignatureReport>,
    /// The document time-stamps. This version does not verify their tokens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub time_stamps: Vec<TimeStampReport>,
}

impl Report {
    /// Whether there is a signature, all are intact, and neither they nor the
    /// document time-stamps have problems.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let valid = |s: &SignatureReport| s.intact && s.problems.is_empty();
        !self.signatures.is_empty()
            && self.signatures.iter().all(valid)
            && self.time_stamps.iter().all(|stamp| stamp.problems.is_empty())
    }
}

/// One cross-reference section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SectionReport {
    /// Where it begins, in octets.
    pub offset: u64,
    /// Whether it is a stream.
    pub is_stream: bool,
    /// How many objects it speaks of.
    pub objects: u64,
}

/// One field of the form. `Debug` does not show its name.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FieldReport {
    /// The full name, periods between its levels.
    pub name: String,
    /// Whether it is for signatures.
    pub is_signature: bool,
    /// Whether it is signed or filled.
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

/// One signature. `Debug` shows no names, places or texts.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct SignatureReport {
    /// `PAdES`; `PDF` for a signature that is CMS by the older rules of ISO 32000.
    pub format: &'static str,
    /// The full name of its field.
    pub field: String,
    /// The highest level whose parts are there. Whether the validation data are
    /// complete and the time-stamps' tokens right is not judged.
    pub level: Level,
    /// The gap is exactly the signature, every digest matches, the value verifies.
    pub intact: bool,
    /// The signer's common name, if the certificate is there and has one.
    pub signer: Option<String>,
    /// What the signature covers.
    pub covers: Coverage,
    /// What is wrong, or could not be decided.
    pub problems: Vec<Problem>,
    /// What was changed after it, by kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Whether the signer's certificate leads to one of the trust anchors;
    /// `None` if there were none to judge by.
    pub trusted: Option<bool>,
    /// The claimed signing time (`/M`).
    pub signing_time: Option<DateTime<Utc>>,
    /// `/SubFilter` as it stands.
    pub sub_filter: String,
    /// `/ByteRange`, if it is four numbers.
    pub byte_range: Option<[u64; 4]>,
    /// What may change after it, if it certifies the document: 1 to 3.
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
    /// What the CMS says, if it reads.
    pub cms: Option<CmsReport>,
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
            .field("trusted", &self.trusted)
            .field("signing_time", &self.signing_time)
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
    /// What it covers.
    pub covers: Coverage,
    /// What is wrong with it: as it stands in the document, not in its token.
    pub problems: Vec<Problem>,
}

impl fmt::Debug for TimeStampReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeStampReport")
            .field("byte_range", &self.byte_range)
            .field("covers", &self.covers)
            .finish_non_exhaustive()
    }
}

/// What a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Coverage {
    /// The whole file, but for the signature itself
    Whole,
    /// A whole earlier revision: there are later changes
    Part,
    /// Something else than a revision
    Unknown,
}

/// A kind of change made after a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Change {
    /// Certificates and revocation values for later (`/DSS`)
    ValidationData,
    /// A document time-stamp that is not seen
    TimeStamp,
    /// Another signature, or an empty field for one that is not seen
    Signature,
    /// A form field other than a signature
    FormFilling,
    /// Another signature, in a field that shows something new on its page:
    /// after a certification, some validators allow it and others do not
    VisibleSignature,
    /// An annotation, or an empty signature field that is seen
    Annotation,
    /// Anything else: pages, fonts, the structure of the document
    Other,
}

/// What can be wrong with a signature in a PDF. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Problem {
    /// `/ByteRange` is missing or not two ranges, the first from 0 on
    #[error("the byte range is not two ranges of the file")]
    ByteRangeMalformed,
    /// What the ranges leave out is not exactly `/Contents`
    #[error("the byte range leaves out something else than the signature")]
    ByteRangeGap,
    /// The ranges do not end where a revision of the file ends
    #[error("the byte range does not end with a revision of the document")]
    NotARevision,
    /// `/Contents` is missing or no CMS
    #[error("the signature's contents do not read")]
    ContentsMalformed,
    /// Something else than zeros behind the CMS in `/Contents`
    #[error("there is something behind the CMS")]
    ContentsPadding,
    /// The CMS has its own content (EN 319 142-1, 6.2.1)
    #[error("the CMS has its own content")]
    ContentInCms,
    /// The CMS has not exactly one signer (ISO 32000-2, 12.8.3.3.1)
    #[error("the CMS has not exactly one signer")]
    NotOneSigner,
    /// A key of the signature dictionary is there twice: readers may differ
    #[error("the signature dictionary has a key twice")]
    RepeatedKey,
    /// A document time-stamp whose `/Type` is not `/DocTimeStamp` (EN 319
    /// 142-1, 5.4.3)
    #[error("the document time-stamp does not say that it is one")]
    NotADocTimeStamp,
    /// A `/SubFilter` that this version does not verify
    #[error("the signature's format is not supported")]
    UnsupportedFormat,
    /// CMS by the older rules, not PAdES
    #[error("the signature is not of the PAdES format")]
    NotPades,
    /// No `/M`, or one that does not read
    #[error("there is no claimed signing time")]
    SigningTimeMissing,
    /// A `/Cert` key (EN 319 142-1, table 1)
    #[error("certificates stand outside the CMS")]
    CertKey,
    /// `/Reason` beside a commitment or a policy (EN 319 142-1, table 1)
    #[error("there is a reason beside a commitment or a policy")]
    ReasonNotAllowed,
    /// Something else than a signature, a form field, an annotation or
    /// validation data was changed later
    #[error("the document was changed after it was signed")]
    ChangedLater,
    /// Annotations were added or changed later, and no certification allows it:
    /// they may cover what was signed
    #[error("annotations were added or changed after it was signed")]
    AnnotatedLater,
    /// What was changed later could not be told within this crate's limits
    #[error("too much was changed after it was signed to be compared")]
    NotCompared,
    /// Octets behind the last revision that belong to no update
    #[error("there are octets behind the document that belong to no update")]
    TrailingData,
    /// A later change that this signature does not allow (DocMDP, FieldMDP)
    #[error("the document was changed in a way that this signature forbids")]
    ForbiddenChange,
    /// What is wrong with the CMS
    #[error(transparent)]
    #[serde(untagged)]
    Cms(CmsProblem),
}
