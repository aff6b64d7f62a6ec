//! The errors of this crate, with their causes as types.

mod appearance;
mod document;
mod field;
mod limit;
mod refusal;

use ades_core::{Fault, Retry};

use crate::appearance::Rectangle;
pub use appearance::AppearanceFault;
pub use document::{MissingPart, UnsupportedFeature};
pub use field::{FieldFault, SeedConstraint};
pub use limit::Limit;
pub use refusal::{ForbiddenBy, NotExtendable};

/// An error of preparing, completing or verifying a PAdES signature. Offsets count
/// octets from the file's first octet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error that all formats share: certificates, values, states, I/O.
    #[error(transparent)]
    Core(#[from] ades_core::Error),
    /// The CMS in a signature's `/Contents`. It never holds
    /// [`cades::Error::Core`]: those errors are [`Error::Core`].
    #[error(transparent)]
    Cms(cades::Error),
    /// There is no `%PDF-` in the first 1,024 octets.
    #[error("this is not a PDF: its first 1,024 octets have no %PDF- header")]
    NotPdf,
    /// An object or a cross-reference section cannot be read.
    #[error("malformed PDF at octet {offset}: {what}")]
    Malformed {
        /// offset of the fault
        offset: u64,
        /// what the reader found there
        what: &'static str,
    },
    /// The cross-reference points to the wrong place. Viewers search such files
    /// for their objects; this crate does so only with
    /// [`SignatureOptions::repair`](crate::SignatureOptions::repair).
    #[error("the cross-reference is broken at octet {offset}: {what}")]
    BrokenCrossReference {
        /// offset of the fault
        offset: u64,
        /// what the reader found there
        what: &'static str,
    },
    /// A document that was to be repaired is incomplete. Signing it would sign only the
    /// part of it that is left.
    #[error("the document is incomplete, so it cannot be repaired: {part}")]
    Incomplete {
        /// the missing part
        part: MissingPart,
    },
    /// The document has no object number left for the signature.
    #[error("no object number is left for the signature: the document has number {highest}")]
    NoNumberLeft {
        /// the document's highest object number
        highest: u64,
    },
    /// A part that the document must have is missing or has the wrong type.
    #[error("malformed PDF document: {what}")]
    Structure {
        /// the part, and its fault
        what: &'static str,
    },
    /// The document exceeds one of this crate's limits.
    #[error("the document exceeds a limit: {limit}")]
    Limit {
        /// the limit, with its number
        limit: Limit,
    },
    /// A valid document of a kind that this version cannot sign or read.
    #[error("this document is not supported: {what}")]
    Unsupported {
        /// the unsupported feature
        what: UnsupportedFeature,
    },
    /// The document is encrypted, and the empty password does not open it.
    #[error("the document is encrypted: give its password")]
    PasswordNeeded,
    /// The document is encrypted with another password.
    #[error("the password does not open the document")]
    WrongPassword,
    /// The document is encrypted for recipients, and the content of one of its
    /// [`envelopes`](crate::envelopes) is needed.
    #[error(
        "the document is encrypted for the holders of certificates: give the key of one of them"
    )]
    RecipientNeeded,
    /// An earlier signature or the document itself forbids this signature.
    #[error("the document forbids this signature: {why}")]
    Forbidden {
        /// the reason
        why: ForbiddenBy,
    },
    /// A form field already has this name.
    #[error("the document already has a field named {name:?}: choose another name")]
    FieldNameTaken {
        /// the full name of the field
        name: String,
    },
    /// No form field has this name.
    #[error("the document has no field named {name:?}")]
    NoSuchField {
        /// the full name that the caller passed
        name: String,
    },
    /// The lock of the signature would apply to no field.
    #[error("the lock protects nothing: the document has no field named {name:?}")]
    NoLockedField {
        /// the first name in the lock
        name: String,
    },
    /// The document has fewer signatures.
    #[error("the document has no signature number {}: document time-stamps do not count", index.saturating_add(1))]
    NoSuchSignature {
        /// its index in the report, counted from 0
        index: usize,
    },
    /// A signature cannot be raised to a higher level in this way.
    #[error("nothing can be added to this signature: {why}")]
    CannotAdd {
        /// the reason
        why: NotExtendable,
    },
    /// The octets are not a time-stamp token.
    #[error("the time-stamp cannot be read: it is not a token")]
    TimeStampMalformed,
    /// The time-stamp is over other data than what was prepared.
    #[error("the time-stamp is over other data than what was prepared: ask for another one")]
    TimeStampMismatch,
    /// A CRL or an OCSP response to be embedded is not one DER element.
    #[error("a CRL or OCSP response to be embedded is not one DER element")]
    RevocationValueMalformed,
    /// The form field cannot be signed.
    #[error("the field {name:?} cannot be signed: {why}")]
    FieldNotFit {
        /// the full name of the field
        name: String,
        /// the reason
        why: FieldFault,
    },
    /// The document has fewer pages.
    #[error("the document has no page number {page}: its pages are counted from 1 to {pages}")]
    NoSuchPage {
        /// the page that the caller passed, counted from 1
        page: usize,
        /// the number of pages
        pages: usize,
    },
    /// The rectangle of a visible signature has no area or is not within the page.
    #[error(
        "the rectangle {rectangle} has no area or is not within page number {page}, which is \
         {area} (left, bottom, width, height in points)"
    )]
    OutsidePage {
        /// the number of the page, counted from 1
        page: usize,
        /// the rectangle that the caller passed
        rectangle: Rectangle,
        /// the page as it is displayed
        area: Rectangle,
    },
    /// The font of a visible signature lacks a character.
    #[error(
        "the font has no glyph for the character {character:?}: choose a font with TrueType or \
         CFF outlines that has one"
    )]
    NoGlyph {
        /// the missing character
        character: char,
    },
    /// The text, font or image of a visible signature cannot be used.
    #[error("the appearance of the signature cannot be used: {problem}")]
    Appearance {
        /// the reason
        problem: AppearanceFault,
    },
    /// Completing a PDF signature needs the document, and the caller passed none.
    #[error("the document is needed to complete this signature")]
    DocumentNeeded,
    /// The document is not the one that was prepared.
    #[error("the document has changed since the signature was prepared")]
    DocumentChanged,
    /// The CMS is longer than the space reserved for it.
    #[error("the CMS has {len} octets, more than the {reserved} reserved for it")]
    DoesNotFit {
        /// length of the CMS in octets
        len: usize,
        /// length of the reserved space in octets of CMS
        reserved: usize,
    },
}

impl Error {
    /// Who has to act before the operation can succeed.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Core(error) => error.fault(),
            Self::Cms(error) => error.fault(),
            Self::FieldNameTaken { .. }
            | Self::NoLockedField { .. }
            | Self::NoSuchField { .. }
            | Self::FieldNotFit { .. }
            | Self::NoSuchPage { .. }
            | Self::NoSuchSignature { .. }
            | Self::OutsidePage { .. }
            | Self::NoGlyph { .. }
            | Self::Appearance { .. }
            | Self::PasswordNeeded
            | Self::WrongPassword
            | Self::RecipientNeeded
            | Self::DocumentNeeded
            | Self::DoesNotFit { .. } => Fault::Caller,
            Self::Limit { .. } => Fault::Limit,
            Self::Unsupported { .. } => Fault::Unsupported,
            Self::NotPdf
            | Self::Malformed { .. }
            | Self::BrokenCrossReference { .. }
            | Self::Incomplete { .. }
            | Self::NoNumberLeft { .. }
            | Self::Structure { .. }
            | Self::Forbidden { .. }
            | Self::CannotAdd { .. }
            | Self::TimeStampMalformed
            | Self::TimeStampMismatch
            | Self::RevocationValueMalformed
            | Self::DocumentChanged => Fault::Input,
        }
    }

    /// Whether another try can help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Core(error) => error.retry(),
            Self::Cms(error) => error.retry(),
            Self::NotPdf
            | Self::Malformed { .. }
            | Self::BrokenCrossReference { .. }
            | Self::Incomplete { .. }
            | Self::NoNumberLeft { .. }
            | Self::Structure { .. }
            | Self::Limit { .. }
            | Self::Unsupported { .. }
            | Self::PasswordNeeded
            | Self::WrongPassword
            | Self::RecipientNeeded
            | Self::Forbidden { .. }
            | Self::FieldNameTaken { .. }
            | Self::NoLockedField { .. }
            | Self::NoSuchField { .. }
            | Self::FieldNotFit { .. }
            | Self::NoSuchPage { .. }
            | Self::OutsidePage { .. }
            | Self::NoGlyph { .. }
            | Self::Appearance { .. }
            | Self::NoSuchSignature { .. }
            | Self::CannotAdd { .. }
            | Self::TimeStampMalformed
            | Self::TimeStampMismatch
            | Self::RevocationValueMalformed
            | Self::DocumentNeeded
            | Self::DocumentChanged
            | Self::DoesNotFit { .. } => Retry::Never,
        }
    }
    /// Whether the cross-reference is broken, so that
    /// [`SignatureOptions::repair`](crate::SignatureOptions::repair) may help.
    #[must_use]
    pub const fn is_repairable(&self) -> bool {
        matches!(self, Self::BrokenCrossReference { .. })
    }
}

impl From<cades::Error> for Error {
    fn from(error: cades::Error) -> Self {
        match error {
            cades::Error::Core(error) => Self::Core(error),
            error => Self::Cms(error),
        }
    }
}

pub(crate) const fn broken(offset: u64, what: &'static str) -> Error {
    Error::BrokenCrossReference { offset, what }
}

pub(crate) const fn structure(what: &'static str) -> Error {
    Error::Structure { what }
}

pub(crate) const fn exceeds(limit: Limit) -> Error {
    Error::Limit { limit }
}
