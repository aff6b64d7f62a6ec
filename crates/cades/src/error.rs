//! What can go wrong with a CAdES signature.

use ades_core::asn1::ber;
use ades_core::{Fault, Retry};

/// The errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error that all formats share: certificates, values, states, I/O.
    #[error(transparent)]
    Core(#[from] ades_core::Error),
    /// The document is needed here: its octets go into the container.
    #[error("the document is needed to complete this signature")]
    DocumentNeeded,
    /// The document is not the one that was prepared.
    #[error("the document has changed since the signature was prepared")]
    DocumentChanged,
    /// The container to be added to is not the one that was prepared.
    #[error("the container has changed since the signature was prepared")]
    ContainerChanged,
    /// A container that breaks the encoding rules or RFC 5652.
    #[error("malformed CMS at octet {offset}: {what}")]
    Malformed {
        /// from the container's first octet
        offset: u64,
        /// what was found there
        what: &'static str,
    },
    /// A CMS structure other than SignedData.
    #[error("the CMS content is not SignedData")]
    NotSignedData,
    /// A container beyond one of this crate's limits.
    #[error("the container exceeds a limit: {limit}")]
    Limit {
        /// which limit
        limit: &'static str,
    },
    /// Copying while preparing is not possible: how long the first octets of the
    /// container are depends on the value, for one or two lengths of the document
    /// in many thousands. Preparing without copying is.
    #[error("the document cannot be copied while preparing: its container's lengths are not known")]
    CannotCopy,
    /// A signer that the container does not have.
    #[error("the container has no signer number {index}")]
    NoSuchSigner {
        /// counted from 0
        index: usize,
    },
    /// A valid container that cannot be added to without changing the octets
    /// of others.
    #[error("nothing can be added to this container: {why}")]
    CannotAdd {
        /// why
        why: &'static str,
    },
}

impl From<ber::Error> for Error {
    fn from(error: ber::Error) -> Self {
        match error {
            ber::Error::Malformed { offset, what } => malformed(offset, what),
            ber::Error::TooDeep => Self::Limit { limit: "32 levels of nesting" },
            ber::Error::TooManyElements => Self::Limit { limit: "elements in one set" },
        }
    }
}

pub(crate) const fn malformed(offset: u64, what: &'static str) -> Error {
    Error::Malformed { offset, what }
}

impl Error {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Core(error) => error.fault(),
            Self::DocumentNeeded | Self::NoSuchSigner { .. } => Fault::Caller,
            Self::Limit { .. } => Fault::Limit,
            Self::CannotAdd { .. } | Self::CannotCopy => Fault::Unsupported,
            _ => Fault::Input,
        }
    }

    /// Whether another try may help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Core(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}
