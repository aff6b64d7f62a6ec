//! What can go wrong with XML and its signatures.

use ades_core::{Fault, Retry};

use crate::report::Problem;

/// The errors of this crate. Offsets count octets of the original document,
/// from its first one; within an entity they are those of the reference to it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error that all formats share: I/O above all.
    #[error(transparent)]
    Core(#[from] ades_core::Error),
    /// A document that breaks a rule of XML 1.0.
    #[error("not well-formed XML at octet {offset}: {what}")]
    NotWellFormed {
        /// where
        offset: u64,
        /// what was found there
        what: &'static str,
    },
    /// A document that breaks a rule of Namespaces in XML 1.0.
    #[error("XML namespaces misused at octet {offset}: {what}")]
    Namespace {
        /// where
        offset: u64,
        /// what was found there
        what: &'static str,
    },
    /// Octets that are no text in the document's encoding.
    #[error("not in the document's encoding at octet {offset}: {what}")]
    Encoding {
        /// where
        offset: u64,
        /// what was found there
        what: &'static str,
    },
    /// The document's content depends on something outside of it, which is
    /// never fetched.
    #[error("the document needs something outside of it, at octet {offset}: {what}")]
    External {
        /// where
        offset: u64,
        /// what it needs
        what: &'static str,
    },
    /// XML that this crate does not read.
    #[error("unsupported XML at octet {offset}: {what}")]
    Unsupported {
        /// where
        offset: u64,
        /// what was found there
        what: &'static str,
    },
    /// A document beyond one of the [`crate::xml::Limits`].
    #[error("the document exceeds a limit at octet {offset}: {limit}")]
    Limit {
        /// where
        offset: u64,
        /// which limit
        limit: &'static str,
    },
    /// A namespace name that is a relative reference; Canonical XML 1.0
    /// (clause 1.3) wants such documents refused.
    #[error("a relative namespace name at octet {offset} cannot be canonicalised")]
    RelativeNamespace {
        /// where the element begins that declares it
        offset: u64,
    },
    /// The element that was asked for is not there.
    #[error("the document has no such element: {target}")]
    NoSuchElement {
        /// what was asked for
        target: &'static str,
    },
    /// Two elements carry the Id that was asked for: nobody can tell which one
    /// is meant.
    #[error("two elements have the same Id, at octets {first} and {second}")]
    DuplicateId {
        /// where the first begins
        first: u64,
        /// where the second begins
        second: u64,
    },
    /// The document is not the one that was prepared.
    #[error("the document has changed since the signature was prepared")]
    DocumentChanged,
    /// The signature goes into or around its document, which was not given.
    #[error("the document is needed to complete this signature")]
    DocumentNeeded,
    /// A document that no signature can be put into.
    #[error("no signature can be put into this document: {why}")]
    CannotInsert {
        /// why
        why: &'static str,
    },
    /// An earlier signature that is intact would not be so any more: it covers
    /// the place of the new one, and signatures there, too.
    #[error(
        "an earlier signature covers all but itself, so that another one breaks it; it was not \
         made for further signatures"
    )]
    BreaksEarlierSignature,
    /// An earlier signature refers to a part of the document in a way that this
    /// version does not follow, so that a further one might break it.
    #[error("it cannot be told whether an earlier signature would stay intact: {problem}")]
    EarlierSignatureUndecided {
        /// Why its reference cannot be checked.
        problem: Problem,
    },
    /// A signature of that number, or at that place of the report, is not there.
    #[error("the document has no such signature")]
    NoSuchSignature,
    /// A canonicalisation that is none of those known here.
    #[error("not a known canonicalisation algorithm")]
    UnknownCanonicalization,
    /// A transform that is none of those known here: XSLT, for one.
    #[error("the transform {algorithm} is not supported")]
    UnknownTransform {
        /// what its `Algorithm` attribute says
        algorithm: String,
    },
    /// A transform that selects nodes by an expression that is none of the
    /// usual ones.
    #[error("the transform {algorithm} has an expression that is not supported")]
    UnknownExpression {
        /// what its `Algorithm` attribute says
        algorithm: String,
    },
    /// A transform that cannot be applied where it stands among the others.
    #[error("the transform {algorithm} cannot be applied: {why}")]
    TransformNotApplicable {
        /// what its `Algorithm` attribute says
        algorithm: String,
        /// why not
        why: &'static str,
    },
}

impl Error {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Core(error) => error.fault(),
            Self::NoSuchElement { .. } | Self::NoSuchSignature | Self::DocumentNeeded => {
                Fault::Caller
            }
            Self::Limit { .. } => Fault::Limit,
            Self::External { .. }
            | Self::Unsupported { .. }
            | Self::CannotInsert { .. }
            | Self::BreaksEarlierSignature
            | Self::EarlierSignatureUndecided { .. }
            | Self::UnknownCanonicalization
            | Self::UnknownTransform { .. }
            | Self::UnknownExpression { .. } => Fault::Unsupported,
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
