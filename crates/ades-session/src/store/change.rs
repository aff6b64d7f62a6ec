//! Changes of jobs.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::job::{BatchState, Intent, ReturnKeyHash, ReturnPurpose, Sealed, Stage, Stored};
use super::outbox::NewEvent;

/// A time: from the store's now on, or absolute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// This long after the store's present time
    In(Duration),
    /// At this time
    At(DateTime<Utc>),
}

impl When {
    /// The absolute time, in whole milliseconds: databases keep no more alike.
    #[must_use]
    pub fn from(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let time = match self {
            Self::In(duration) => TimeDelta::from_std(duration)
                .ok()
                .and_then(|delta| now.checked_add_signed(delta))
                .unwrap_or(DateTime::<Utc>::MAX_UTC),
            Self::At(time) => time,
        };
        clamp(time)
    }
}

/// The latest time that every database stores: 9999-12-31T23:59:59Z.
const LATEST_MS: i64 = 253_402_300_799_000;

/// A time in whole milliseconds, between 1970 and 9999.
fn clamp(time: DateTime<Utc>) -> DateTime<Utc> {
    let ms = time.timestamp_millis().clamp(0, LATEST_MS);
    DateTime::from_timestamp_millis(ms).unwrap_or(time)
}

/// One step of a job, written in one transaction.
///
/// Stage, intent, body, tries and the three times *replace* those of the job:
/// `None` removes. Batches, items, return keys and events are added to those of the
/// job.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Change {
    /// The new stage
    pub stage: Stage,
    /// The call to the signer that is about to be made
    pub intent: Option<Intent>,
    /// The sealed body, of the new version
    pub body: Sealed,
    /// The number of tries in this stage
    pub tries: u32,
    /// When a process is to continue the job by itself
    pub due: Option<When>,
    /// When the job expires unless something happens
    pub expires: Option<When>,
    /// When the job may be removed
    pub purge: Option<When>,
    /// Batches that are new or change
    pub batches: Vec<BatchChange>,
    /// Items that are new or change
    pub items: Vec<ItemChange>,
    /// Return keys under which the job can be found from now on
    pub return_keys: Vec<NewReturnKey>,
    /// Return keys whose browser has come back
    pub used_return_keys: Vec<ReturnKeyHash>,
    /// Events for the outbox
    pub events: Vec<NewEvent>,
}

impl Change {
    /// A change of a job that keeps its `purge_at`, and clears intent, tries,
    /// `due_at` and `expires_at`.
    #[must_use]
    pub fn new(stored: &Stored, stage: Stage, body: Sealed) -> Self {
        Self {
            stage,
            intent: None,
            body,
            tries: 0,
            due: None,
            expires: None,
            purge: stored.purge_at.map(When::At),
            batches: Vec::new(),
            items: Vec::new(),
            return_keys: Vec::new(),
            used_return_keys: Vec::new(),
            events: Vec::new(),
        }
    }
}

/// A batch that is new, or whose state changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchChange {
    /// Its number in the job
    pub no: u32,
    /// Its new state
    pub state: BatchState,
    /// Our id of the request; `None` keeps the one that is stored
    pub request_id: Option<String>,
}

impl BatchChange {
    /// A new batch, with our id of the request.
    #[must_use]
    pub fn asking(no: u32, request_id: impl Into<String>) -> Self {
        Self { no, state: BatchState::Asking, request_id: Some(request_id.into()) }
    }

    /// A batch that has a new state.
    #[must_use]
    pub const fn state(no: u32, state: BatchState) -> Self {
        Self { no, state, request_id: None }
    }
}

/// An item that is new, or that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ItemChange {
    /// The item is a part of a batch, with this digest to be signed. An item
    /// without a value can be asked for again, in a later batch.
    Asked {
        /// its number in the job
        no: u32,
        /// the batch
        batch: u32,
        /// the digest to be signed
        digest: Vec<u8>,
    },
    /// The item's value has arrived. An item gets one value only.
    Value {
        /// its number in the job
        no: u32,
        /// the sealed value
        value: Sealed,
    },
    /// The item's container is written. The same digest again changes nothing;
    /// another one is an error.
    Container {
        /// its number in the job
        no: u32,
        /// the digest of the container
        digest: Vec<u8>,
    },
    /// The item's value, sealed with another key. The content is the same.
    Resealed {
        /// its number in the job
        no: u32,
        /// the sealed value
        value: Sealed,
    },
}

/// A return key under which a job can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewReturnKey {
    /// Its digest
    pub hash: ReturnKeyHash,
    /// What it belongs to
    pub purpose: ReturnPurpose,
    /// Until when the user is expected. The job is found under the key as long as
    /// it exists, so that a late user gets an explanation
    pub until: When,
}

impl NewReturnKey {
    /// A return key.
    #[must_use]
    pub const fn new(hash: ReturnKeyHash, purpose: ReturnPurpose, until: When) -> Self {
        Self { hash, purpose, until }
    }
}
