//! Why a trusted list is not used.

use ades_core::Fault;

/// Why a trusted list is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The list is longer than [`MAX_LIST_LEN`](crate::MAX_LIST_LEN)
    #[error("the trusted list is longer than {max} octets")]
    TooLong {
        /// The maximum
        max: usize,
    },
    /// The list exceeds a limit of its structure
    #[error("the trusted list has more than {max} {what}")]
    Limit {
        /// What there is too much of
        what: &'static str,
        /// The maximum
        max: usize,
    },
    /// The list is not well-formed XML in UTF-8, or has a document type declaration
    #[error("the trusted list cannot be read at octet {offset}: {problem}")]
    Xml {
        /// Offset of the fault
        offset: u64,
        /// The fault
        problem: String,
    },
    /// The root element is not a trusted list
    #[error("the root element is {found}, not TrustServiceStatusList of TS 119 612")]
    NotATrustedList {
        /// The name of the root element
        found: String,
    },
    /// The version of the list is not 5 or 6
    #[error("version {found} of trusted lists is not supported; 5 and 6 are")]
    Version {
        /// The version, as it is written
        found: String,
    },
    /// An element that TS 119 612 requires is missing or malformed
    #[error("the element {element} of the trusted list is missing or malformed")]
    Element {
        /// The element's name
        element: &'static str,
    },
    /// The signature of the list does not show that the list is genuine
    #[error("the trusted list is not genuine: {0}")]
    NotGenuine(#[from] NotGenuine),
}

/// Why the signature of a list does not show that the list is genuine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotGenuine {
    /// The signature cannot be read
    #[error("its signature cannot be read: {0}")]
    Unreadable(String),
    /// There is not exactly one signature
    #[error("it has {found} signatures instead of one")]
    NotOneSignature {
        /// Number of signatures
        found: usize,
    },
    /// The signature is not intact, or that could not be found out
    #[error("its signature is not intact: {0}")]
    NotIntact(String),
    /// The signature does not cover the whole list
    #[error("its signature covers a part of it only")]
    NotCovered,
    /// The signature has a problem that a list's signature must not have
    #[error("{0}")]
    Problem(String),
    /// The algorithms are too weak for a trusted list
    #[error("its signature uses {0}, which is too weak")]
    WeakAlgorithm(String),
    /// The certificate is none of those that the caller names
    #[error("another certificate signed it than those that were given")]
    OtherSigner,
    /// The certificate was not valid at the claimed signing time
    #[error("the certificate of its signer was not valid at the claimed signing time")]
    SignerNotValid,
}

impl Error {
    /// Who has to act.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::TooLong { .. }
            | Self::Limit { .. }
            | Self::Xml { .. }
            | Self::NotATrustedList { .. }
            | Self::Version { .. }
            | Self::Element { .. }
            | Self::NotGenuine(_) => Fault::Input,
        }
    }
}
