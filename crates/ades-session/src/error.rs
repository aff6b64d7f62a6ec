//! The errors of jobs.

use std::io;

use ades::signer::SignerError;
use ades::{Fault, Retry};

use crate::job::{MAX_ITEMS, MAX_REFERENCE, MAX_TOGETHER};
use crate::store::{Stage, StoreError};

/// Why a job was not begun, or did not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The stored body of a job cannot be used.
    #[error("the stored job cannot be used: {problem}")]
    Body {
        /// the problem
        problem: &'static str,
    },
    /// Documents cannot be signed. Nobody was asked.
    #[error("{} of the documents cannot be signed", failures.len())]
    Documents {
        /// the documents that cannot be signed, and why
        failures: Vec<ItemFailure>,
    },
    /// The job has no items, too many, or texts that are too long.
    #[error("{0}")]
    Job(JobProblem),
    /// The job belongs to another browser: a job of the same name was begun there.
    #[error("the job belongs to another browser")]
    OtherBrowser,
    /// The job was begun with another signer.
    #[error("the job was begun with the signer {begun:?}, and not with {given:?}")]
    OtherSigner {
        /// the signer of the job
        begun: String,
        /// the driver's signer
        given: &'static str,
    },
    /// The operating system has no randomness.
    #[error("there is no randomness")]
    Random(#[source] getrandom::Error),
    /// The options do not fit the certificate, or a signature cannot be prepared.
    #[error(transparent)]
    Sign(#[from] ades::Error),
    /// The signer failed. The job stays, and can go on later if the error's retry says so.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A job in this stage does not allow the call.
    #[error("a job in the stage {stage} does not allow this")]
    Stage {
        /// the stage
        stage: Stage,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The application's runtime dropped a task before its end.
    #[error("the runtime dropped the task")]
    Task,
}

/// Why a new job cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JobProblem {
    /// Two items have the same container.
    #[error("items {one} and {other} have the same container")]
    SameContainer {
        /// the first item, counted from 0
        one: usize,
        /// the other item
        other: usize,
    },
    /// An item has an empty reference, or one that is too long.
    #[error("a reference of item {item} is empty or has more than {MAX_REFERENCE} octets")]
    Reference {
        /// the item, counted from 0
        item: usize,
    },
    /// One signature signs too many documents.
    #[error("item {item} signs more than {MAX_TOGETHER} documents together")]
    TooManyTogether {
        /// the item, counted from 0
        item: usize,
    },
    /// A job has 1 to [`MAX_ITEMS`] items.
    #[error("a job has 1 to {MAX_ITEMS} items, not {found}")]
    Items {
        /// the number of items
        found: usize,
    },
}

/// A document that cannot be signed.
#[derive(Debug)]
#[non_exhaustive]
pub struct ItemFailure {
    /// The item, counted from 0
    pub item: usize,
    /// The problem
    pub error: ItemError,
}

/// Why a document cannot be signed, or a container not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ItemError {
    /// The options do not fit the user's certificate, which is not known before.
    #[error(transparent)]
    Certificate(ades::Error),
    /// A document has changed since the job began.
    #[error("the document has changed since the job began; sign it again")]
    Changed,
    /// A document, an image or a font cannot be read.
    #[error("cannot be read")]
    Read(#[source] io::Error),
    /// The application does not want the prepared signature to be asked for.
    #[error("the application does not ask for the signature")]
    Rejected(#[source] io::Error),
    /// The document does not allow the signature, or the finished container does not verify.
    #[error(transparent)]
    Sign(#[from] ades::Error),
    /// The place of the container is taken.
    #[error("the place of the container is taken, and what is there stays")]
    Taken,
    /// An image or font is too large.
    #[error("the {what} has more than {max} octets")]
    TooLarge {
        /// image or font
        what: &'static str,
        /// the maximum
        max: u64,
    },
    /// The container cannot be written.
    #[error("the container cannot be written")]
    Write(#[source] io::Error),
}

impl Error {
    /// Who has to act before the operation can succeed.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Body { .. } => Fault::Input,
            Self::Documents { failures } => {
                failures.first().map_or(Fault::Input, |failure| failure.error.fault())
            }
            Self::Job(_) | Self::OtherBrowser | Self::Stage { .. } => Fault::Caller,
            Self::OtherSigner { .. } => Fault::Configuration,
            Self::Random(_) | Self::Task => Fault::System,
            Self::Sign(error) => error.fault(),
            Self::Signer(error) => error.fault(),
            Self::Store(error) => error.fault(),
        }
    }

    /// Whether another try can help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Body { .. }
            | Self::Documents { .. }
            | Self::Job(_)
            | Self::OtherBrowser
            | Self::OtherSigner { .. }
            | Self::Stage { .. } => Retry::Never,
            Self::Random(_) | Self::Task => Retry::Later,
            Self::Sign(error) => error.retry(),
            Self::Signer(error) => error.retry(),
            Self::Store(error) => error.retry(),
        }
    }
}

impl ItemError {
    /// Who has to act before the operation can succeed.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Changed | Self::TooLarge { .. } => Fault::Input,
            Self::Read(error) if error.kind() == io::ErrorKind::NotFound => Fault::Caller,
            Self::Read(_) | Self::Write(_) => Fault::System,
            Self::Certificate(error) | Self::Sign(error) => error.fault(),
            Self::Rejected(_) | Self::Taken => Fault::Caller,
        }
    }
}
