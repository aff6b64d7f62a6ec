//! Events for the application: what happened while nobody looked.

use chrono::{DateTime, Utc};

use super::job::{JobId, Sealed, named, random_id};

random_id! {
    /// The id of an event: 128 random bits, 32 hexadecimal digits as text. A receiver
    /// recognises a repeated event by it.
    EventId
}

named! {
    /// What happened.
    EventKind {
        /// The values of a batch are stored; the containers can be written.
        ValuesHere = "values-here",
        /// Every item has its container.
        Signed = "signed",
        /// The user or the service refused.
        Refused = "refused",
        /// The user did not answer in time.
        Expired = "expired",
        /// A person has to look: for example, it is not known whether the signer
        /// received a batch.
        NeedsAttention = "needs-attention",
        /// The session with the service is to be closed.
        Close = "close",
    }
}

/// An event to be stored with a change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewEvent {
    /// Its id
    pub id: EventId,
    /// What happened
    pub kind: EventKind,
    /// The sealed details, if there are any
    pub body: Option<Sealed>,
}

impl NewEvent {
    /// An event without details.
    #[must_use]
    pub const fn new(id: EventId, kind: EventKind) -> Self {
        Self { id, kind, body: None }
    }
}

/// An event to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Its place among all events of the store; grows, with gaps
    pub seq: u64,
    /// Its id
    pub id: EventId,
    /// The job
    pub job: JobId,
    /// What happened
    pub kind: EventKind,
    /// The sealed details, if there are any
    pub body: Option<Sealed>,
    /// How often the event was taken from the outbox, this time included
    pub tries: u32,
    /// When it happened
    pub happened_at: DateTime<Utc>,
}

impl Event {
    /// An event, as a store has read it.
    #[must_use]
    pub fn new(
        seq: u64,
        job: JobId,
        event: NewEvent,
        tries: u32,
        happened_at: DateTime<Utc>,
    ) -> Self {
        let NewEvent { id, kind, body } = event;
        Self { seq, id, job, kind, body, tries, happened_at }
    }
}
