//! What can go wrong with a PAdES signature.

use ades_core::{Fault, Retry};

/// The errors of this crate. Offsets count from the file's first octet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error that all formats share: certificates, values, states, I/O.
    #[error(transparent)]
    Core(#[from] ades_core::Error),
    /// The CMS in a signature's `/Contents`.
    #[error(transparent)]
    Cms(#[from] cades::Error),
    /// There is no `%PDF-` in the first 1,024 octets.
    #[error("this is no PDF: its header is missing")]
    NotPdf,
    /// An object or a cross-reference section that does not read.
    #[error("malformed PDF at octet {offset}: {what}")]
    Malformed {
        /// where
        offset: u64,
        /// what was found there
        what: &'static str,
    },
    /// The cross-reference does not lead to what it should. Viewers search
    /// such files for their objects; a signature is not built on that.
    #[error("the cross-reference is broken at octet {offset}: {what}")]
    BrokenCrossReference {
        /// where
        offset: u64,
        /// what was found there
        what: &'static str,
    },
    /// Something that every document has is missing, or is something else.
    #[error("malformed PDF document: {what}")]
    Structure {
        /// what
        what: &'static str,
    },
    /// A document beyond one of this crate's limits.
    #[error("the document exceeds a limit: {limit}")]
    Limit {
        /// which limit
        limit: &'static str,
    },
    /// A valid document of a kind that this version cannot sign or read.
    #[error("this document is not supported: {what}")]
    Unsupported {
        /// what
        what: &'static str,
    },
    /// The document is encrypted, and the empty password does not open it.
    #[error("the document is encrypted; its password is needed")]
    PasswordNeeded,
    /// The document is encrypted with another password.
    #[error("the password does not open the document")]
    WrongPassword,
    /// Something that an earlier signature or the document itself forbids.
    #[error("the document forbids this signature: {why}")]
    Forbidden {
        /// why
        why: &'static str,
    },
    /// A form field has this name already.
    #[error("the document has a field named {name:?} already")]
    FieldNameTaken {
        /// its name
        name: String,
    },
    /// No form field has this name.
    #[error("the document has no field named {name:?}")]
    NoSuchField {
        /// the name
        name: String,
    },
    /// The form field cannot be signed.
    #[error("the field {name:?} cannot be signed: {why}")]
    FieldNotFit {
        /// its name
        name: String,
        /// why
        why: &'static str,
    },
    /// The document has fewer pages.
    #[error("the document has no page number {page}")]
    NoSuchPage {
        /// counted from 1
        page: usize,
    },
    /// The rectangle of a visible signature.
    #[error("the rectangle has no area or is not within page number {page}")]
    OutsidePage {
        /// counted from 1
        page: usize,
    },
    /// A character of a visible signature.
    #[error(
        "the font cannot show the character {character:?}: take one that does, with TrueType or CFF outlines"
    )]
    NoGlyph {
        /// which
        character: char,
    },
    /// Text, font or image of a visible signature.
    #[error("the appearance does not fit: {problem}")]
    Appearance {
        /// what is wrong with it
        problem: &'static str,
    },
    /// The document is not the one that was prepared.
    #[error("the document has changed since the signature was prepared")]
    DocumentChanged,
    /// The CMS does not fit the room that was reserved for it.
    #[error("the CMS has {len} octets, more than the {reserved} reserved for it")]
    DoesNotFit {
        /// its length
        len: usize,
        /// the octets reserved
        reserved: usize,
    },
}

impl Error {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Core(error) => error.fault(),
            Self::Cms(error) => error.fault(),
            Self::FieldNameTaken { .. }
            | Self::NoSuchField { .. }
            | Self::FieldNotFit { .. }
            | Self::NoSuchPage { .. }
            | Self::OutsidePage { .. }
            | Self::NoGlyph { .. }
            | Self::Appearance { .. }
            | Self::PasswordNeeded
            | Self::WrongPassword
            | Self::DoesNotFit { .. } => Fault::Caller,
            Self::Limit { .. } => Fault::Limit,
            Self::Unsupported { .. } => Fault::Unsupported,
            _ => Fault::Input,
        }
    }

    /// Whether another try may help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Core(error) => error.retry(),
            Self::Cms(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}

pub(crate) const fn broken(offset: u64, what: &'static str) -> Error {
    Error::BrokenCrossReference { offset, what }
}

pub(crate) const fn structure(what: &'static str) -> Error {
    Error::Structure { what }
}
