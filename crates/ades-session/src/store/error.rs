//! The errors of stores.

use std::error::Error as StdError;

use ades_core::{Fault, Retry};

use super::job::KeyId;
use super::{
    MAX_BATCHES, MAX_BODY_LEN, MAX_DIGEST_LEN, MAX_EVENT_LEN, MAX_ITEMS, MAX_LEASE, MAX_NAME_LEN,
    MAX_PER_CHANGE, MAX_VALUE_LEN,
};

/// Why a store did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Sealed octets cannot be opened.
    #[error(
        "what is sealed with the key {key} cannot be opened: the key is missing or wrong, or the \
         octets belong to another job, stage or version"
    )]
    CannotOpen {
        /// the id of the key
        key: KeyId,
    },
    /// Another process has changed the job.
    #[error("the job has the version {found}, not {expected}: another process has changed it")]
    Conflict {
        /// the version that the change is for
        expected: u64,
        /// the job's version
        found: u64,
    },
    /// A row that this version cannot read.
    #[error(
        "the stored job is damaged, or a newer version has written it: its {column} is not readable"
    )]
    Damaged {
        /// the column
        column: &'static str,
    },
    /// The change would break an invariant.
    #[error("the change was refused: {0}")]
    Invariant(Invariant),
    /// The lease has lapsed, or there is a newer one.
    #[error("the lease {lease} of the job has lapsed, or another process has a newer one")]
    LeaseLost {
        /// the number of the lease
        lease: u64,
    },
    /// A limit is exceeded.
    #[error("the store's limit of {0} is exceeded")]
    Limit(StoreLimit),
    /// The job does not exist, or it was removed.
    #[error("the job does not exist, or it was removed")]
    NotFound,
    /// The database has another schema.
    #[error("the database has the schema {found}, but this version needs {needed}{}", if found < needed {
        ": migrate it"
    } else {
        "; use a newer version"
    })]
    Schema {
        /// the database's schema
        found: u32,
        /// the schema that this version needs
        needed: u32,
    },
    /// The database cannot be reached, or failed. If it happened while a change was
    /// written, the change may have been written: see
    /// [`Stored::is_result_of`](super::Stored::is_result_of).
    #[error("the store is not available")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}

impl StoreError {
    /// The error of a database.
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Who has to act before the operation can succeed.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Invariant(_) | Self::NotFound => Fault::Caller,
            Self::CannotOpen { .. } | Self::Schema { .. } => Fault::Configuration,
            Self::Damaged { .. } => Fault::Input,
            Self::Limit(_) => Fault::Limit,
            Self::Conflict { .. } | Self::LeaseLost { .. } | Self::Unavailable(_) => Fault::System,
        }
    }

    /// Whether another try can help. After [`Conflict`](Self::Conflict) and
    /// [`LeaseLost`](Self::LeaseLost) it starts with a new lease.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Conflict { .. } | Self::LeaseLost { .. } | Self::Unavailable(_) => Retry::Later,
            Self::CannotOpen { .. }
            | Self::Damaged { .. }
            | Self::Invariant(_)
            | Self::Limit(_)
            | Self::NotFound
            | Self::Schema { .. } => Retry::Never,
        }
    }
}

/// What holds for every job, whatever its processes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Invariant {
    /// A batch that has ended is not opened again.
    #[error("batch {batch} has ended")]
    BatchEnded {
        /// the batch
        batch: u32,
    },
    /// The digest of an item that the user may confirm, or has confirmed, does not
    /// change.
    #[error("the digest of item {item} was asked for, or has a value, and cannot change")]
    DigestKept {
        /// the item
        item: u32,
    },
    /// A job's name, a return key or an event's id is used once.
    #[error("the {what} is already used")]
    Once {
        /// which one
        what: &'static str,
    },
    /// A confirmed digest has one container.
    #[error("item {item} already has another container")]
    OneContainer {
        /// the item
        item: u32,
    },
    /// A job has at most one open batch.
    #[error("batch {batch} is still open")]
    OneOpenBatch {
        /// the open batch
        batch: u32,
    },
    /// An item has one value.
    #[error("item {item} already has a value")]
    OneValue {
        /// the item
        item: u32,
    },
    /// A change names a batch or an item that does not exist.
    #[error("{what} {no} does not exist")]
    Unknown {
        /// batch or item
        what: &'static str,
        /// its number
        no: u32,
    },
    /// A container needs a value.
    #[error("item {item} has a container, but not a value")]
    ValueFirst {
        /// the item
        item: u32,
    },
}

/// A limit of stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum StoreLimit {
    /// The number of batches of a job: [`MAX_BATCHES`].
    #[error("{MAX_BATCHES} batches")]
    Batches,
    /// The length of a body: [`MAX_BODY_LEN`].
    #[error("{MAX_BODY_LEN} octets for a body")]
    BodyLen,
    /// The length of a digest: [`MAX_DIGEST_LEN`].
    #[error("{MAX_DIGEST_LEN} octets for a digest")]
    DigestLen,
    /// The length of an event's body: [`MAX_EVENT_LEN`].
    #[error("{MAX_EVENT_LEN} octets for an event")]
    EventLen,
    /// The number of items of a job: [`MAX_ITEMS`].
    #[error("{MAX_ITEMS} items")]
    Items,
    /// The duration of a lease: [`MAX_LEASE`].
    #[error("{} seconds for a lease", MAX_LEASE.as_secs())]
    Lease,
    /// The length of a name: [`MAX_NAME_LEN`].
    #[error("{MAX_NAME_LEN} octets for a name")]
    NameLen,
    /// The number of batches, return keys or events in a change:
    /// [`MAX_PER_CHANGE`].
    #[error("{MAX_PER_CHANGE} batches, return keys or events in one change")]
    PerChange,
    /// The length of a value: [`MAX_VALUE_LEN`].
    #[error("{MAX_VALUE_LEN} octets for a value")]
    ValueLen,
}
