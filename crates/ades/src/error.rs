//! The errors of all formats in one type.

use ades_core::certificate::KeyType;
use ades_core::signer::{Refusal, SignerError};
use ades_core::{DigestAlgorithm, Fault, Retry, SignatureAlgorithm};
use xades::error::ExternalResource;

use crate::detect::Format;
use crate::options::{FormatOption, Packaging};

/// An error of checking, preparing, completing, signing or verifying, in any format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error that all formats share: about certificates, values, states or I/O
    #[error(transparent)]
    Core(ades_core::Error),
    /// An error of CAdES, never [`cades::Error::Core`]
    #[error(transparent)]
    Cades(cades::Error),
    /// An error of PAdES, never [`pades::Error::Core`]
    #[error(transparent)]
    Pades(pades::Error),
    /// An error of XAdES, never [`xades::Error::Core`]
    #[error(transparent)]
    Xades(xades::Error),

    /// The options require PAdES, and the document is not a PDF
    #[error("is not a PDF: PAdES signs PDFs only")]
    NotPdf,
    /// The options require an enveloped XAdES signature, and the document is not XML
    #[error(
        "is not XML: an enveloped XAdES signature needs XML, an enveloping or detached one signs any file"
    )]
    NotXml(#[source] xades::Error),
    /// A file without signatures: neither a CMS container nor a PDF or XML document
    #[error("is not a signed document: it is {found}, and not CMS, PDF or XML")]
    NotContainer {
        /// What it looks like, for people
        found: &'static str,
    },
    /// A format does not have this packaging
    #[error("{format} signatures cannot be {packaging}")]
    PackagingNotForFormat {
        /// the packaging
        packaging: Packaging,
        /// the document's format
        format: Format,
    },
    /// A format does not have this option
    #[error("{format} does not take {option}")]
    OptionNotForFormat {
        /// the option
        option: FormatOption,
        /// the document's format
        format: Format,
    },
    /// [`Operation::AddParallel`](crate::Operation::AddParallel) on a PDF or XML document
    #[error(
        "the container is a document with {format} signatures: sign the document again, \
         which adds a signature; a parallel signer is added to a CAdES container"
    )]
    NoParallel {
        /// the format of signatures in the document
        format: Format,
    },
    /// [`Operation::Countersign`](crate::Operation::Countersign) on a PDF
    #[error("signatures in a PDF cannot be countersigned: sign the document again")]
    NoCountersignature,
    /// A detached XAdES signature refers to the document by its name: pass
    /// [`Inputs::name`](crate::Inputs::name)
    #[error("a detached XAdES signature needs the document's name")]
    NameNeeded,
    /// Only a detached XAdES signature signs several documents: see
    /// [`Inputs::together`](crate::Inputs::together)
    #[error("only a detached XAdES signature signs several documents together")]
    OneDocument,
    /// The stamp has a text, and there is no font for it
    #[error("the stamp's text needs a font")]
    FontNeeded,
    /// The options were restored from their stored form, and the octets of the stamp's image or
    /// font were not set again
    #[error("the stamp's {part} is not stored with the options: set it again")]
    StampIncomplete {
        /// the missing part
        part: StampPart,
    },
    /// Only pages of PDFs can be drawn before they are signed
    #[error("{format} has no preview: only a PDF has pages")]
    NoPreview {
        /// the signature's format
        format: Format,
    },
    /// The octets that the signature adds to the document do not fit into a stored state
    #[error(
        "the signature rewrites {len} octets of this document, more than a stored state holds \
         ({max}): its catalog, form or page is too large, or the image is"
    )]
    UpdateTooLarge {
        /// length of the added octets
        len: usize,
        /// maximum length
        max: usize,
    },
    /// A key does not sign with this digest algorithm
    #[error("a key of type {key} does not use {digest}")]
    DigestNotForKey {
        /// the certificate's key
        key: KeyType,
        /// the digest algorithm of the options
        digest: DigestAlgorithm,
    },
    /// The signer does not sign with this digest algorithm
    #[error("{signer} does not sign with {digest}")]
    SignerDigest {
        /// the signer's name
        signer: &'static str,
        /// the digest algorithm of the options
        digest: DigestAlgorithm,
    },
    /// The signer does not sign with this algorithm
    #[error("{signer} does not sign with {algorithm}")]
    SignerAlgorithm {
        /// the signer's name
        signer: &'static str,
        /// the algorithm of the options
        algorithm: SignatureAlgorithm,
    },
    /// The finished container does not verify: a bug in this library
    #[error("the finished container does not verify: {}", .problems.join("; "))]
    CompletedNotValid {
        /// the problems of its signatures
        problems: Vec<String>,
    },

    /// There is no signature at the place that is to be raised
    #[error("has no signature at this place")]
    NoSuchSignature,
    /// There is nothing to raise: the document has no signatures
    #[error("has no signatures to raise")]
    NoSignatures,
    /// A CMS container that is text, or has padding after its end: nothing can be added to it
    /// as it is
    #[error(
        "the container is wrapped in text or padding, which raising would have to remove: convert \
         it to DER first"
    )]
    ContainerWrapped,
    /// The raised document does not have what was added to it, or its signatures have changed: a
    /// bug in this library. The document before this step is still good
    #[error("the raised document does not verify as it did before: {what}")]
    RaisedNotValid {
        /// the difference from what was expected
        what: &'static str,
    },

    /// The signer failed
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The signer or the user refused to sign
    #[error("{}", .0.reason)]
    Refused(Refusal),
    /// The signer needs the user's browser or time, so it cannot sign in one call
    #[error(
        "the signer {signer} does not answer at once: use `prepare`, store the pending signature, \
         and `complete` it with the signer's value"
    )]
    SignerNotImmediate {
        /// the signer's name
        signer: &'static str,
    },
}

/// A part of a stamp that is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum StampPart {
    /// [`Stamp::image`](crate::Stamp::image)
    #[error("image")]
    Image,
    /// [`Stamp::font`](crate::Stamp::font)
    #[error("font")]
    Font,
}

impl Error {
    /// Who has to act before the operation can succeed.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Core(error) => error.fault(),
            Self::Cades(error) => error.fault(),
            Self::Pades(error) => error.fault(),
            Self::Xades(error) => error.fault(),
            Self::Signer(error) => error.fault(),
            Self::NotContainer { .. } | Self::NoSignatures | Self::ContainerWrapped => Fault::Input,
            Self::Refused(_) => Fault::User,
            Self::UpdateTooLarge { .. } => Fault::Limit,
            Self::CompletedNotValid { .. } | Self::RaisedNotValid { .. } => Fault::Unsupported,
            Self::NotPdf
            | Self::NotXml(_)
            | Self::PackagingNotForFormat { .. }
            | Self::OptionNotForFormat { .. }
            | Self::NoParallel { .. }
            | Self::NoCountersignature
            | Self::NoSuchSignature
            | Self::NameNeeded
            | Self::OneDocument
            | Self::FontNeeded
            | Self::StampIncomplete { .. }
            | Self::NoPreview { .. }
            | Self::DigestNotForKey { .. }
            | Self::SignerDigest { .. }
            | Self::SignerAlgorithm { .. }
            | Self::SignerNotImmediate { .. } => Fault::Caller,
        }
    }

    /// Whether another try can help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Core(error) => error.retry(),
            Self::Cades(error) => error.retry(),
            Self::Pades(error) => error.retry(),
            Self::Xades(error) => error.retry(),
            Self::Signer(error) => error.retry(),
            Self::Refused(refusal) => refusal.reason.retry(),
            Self::NotPdf
            | Self::NotContainer { .. }
            | Self::NotXml(_)
            | Self::PackagingNotForFormat { .. }
            | Self::OptionNotForFormat { .. }
            | Self::NoParallel { .. }
            | Self::NoCountersignature
            | Self::NameNeeded
            | Self::OneDocument
            | Self::FontNeeded
            | Self::StampIncomplete { .. }
            | Self::NoPreview { .. }
            | Self::UpdateTooLarge { .. }
            | Self::DigestNotForKey { .. }
            | Self::SignerDigest { .. }
            | Self::SignerAlgorithm { .. }
            | Self::CompletedNotValid { .. }
            | Self::NoSignatures
            | Self::ContainerWrapped
            | Self::NoSuchSignature
            | Self::RaisedNotValid { .. }
            | Self::SignerNotImmediate { .. } => Retry::Never,
        }
    }

    /// Whether the document refers to an external DTD subset and the options do not
    /// [ignore](crate::ReadingOptions::ignore_external_subset) it.
    #[must_use]
    pub fn is_external_subset(&self) -> bool {
        matches!(
            self,
            Self::Xades(xades::Error::External { what: ExternalResource::DtdSubset, .. })
                | Self::NotXml(xades::Error::External { what: ExternalResource::DtdSubset, .. })
        )
    }
}

impl From<ades_core::Error> for Error {
    fn from(error: ades_core::Error) -> Self {
        Self::Core(error)
    }
}

impl From<cades::Error> for Error {
    fn from(error: cades::Error) -> Self {
        match error {
            cades::Error::Core(error) => Self::Core(error),
            error => Self::Cades(error),
        }
    }
}

impl From<pades::Error> for Error {
    fn from(error: pades::Error) -> Self {
        match error {
            pades::Error::Core(error) | pades::Error::Cms(cades::Error::Core(error)) => {
                Self::Core(error)
            }
            error => Self::Pades(error),
        }
    }
}

impl From<xades::Error> for Error {
    fn from(error: xades::Error) -> Self {
        match error {
            xades::Error::Core(error) => Self::Core(error),
            error => Self::Xades(error),
        }
    }
}
