//! Leases of jobs.

use chrono::{DateTime, Utc};

use super::job::{JobId, KeyId, ReturnPurpose, Stage, Stored};

/// Which jobs [`Store::lease_many`](super::Store::lease_many) leases.
// Not non_exhaustive: every store has to find each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobSelection {
    /// Those whose `due_at` has come, the longest due first.
    Due,
    /// Those whose `expires_at` has come, the longest expired first. Expiry needs a
    /// lease, because the signer may have an answer after all, and a last look must
    /// not race with the returning browser.
    Expired,
    /// Those whose body or values are sealed with a key that is to be retired.
    /// `sealing::reseal` makes the change that seals them with another one.
    SealedWith(KeyId),
}

/// The right to change a job, for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// The number of this lease among the leases of the job: the fencing token
    pub no: u64,
    /// Who holds it
    pub holder: String,
    /// The store's time when the lease was taken or renewed
    pub now: DateTime<Utc>,
    /// The end of the lease, by the store's clock
    pub until: DateTime<Utc>,
    /// The job, as it was when the lease was taken
    pub stored: Stored,
}

impl Lease {
    /// A lease, as a store gives it out.
    #[must_use]
    pub fn new(
        no: u64,
        holder: impl Into<String>,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        stored: Stored,
    ) -> Self {
        Self { no, holder: holder.into(), now, until, stored }
    }

    /// The job.
    #[must_use]
    pub const fn job(&self) -> JobId {
        self.stored.id
    }
}

/// A return key that a browser brought, as it was before this visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReturnKey {
    /// What it belongs to
    pub purpose: ReturnPurpose,
    /// When a change recorded that the browser has come back
    pub used_at: Option<DateTime<Utc>>,
    /// Until when the user was expected
    pub until: DateTime<Utc>,
}

impl ReturnKey {
    /// A return key, as a store has read it.
    #[must_use]
    pub const fn new(
        purpose: ReturnPurpose,
        used_at: Option<DateTime<Utc>>,
        until: DateTime<Utc>,
    ) -> Self {
        Self { purpose, used_at, until }
    }
}

/// The result of [`Store::lease_by_return_key`](super::Store::lease_by_return_key).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ByReturnKey {
    /// The job is leased.
    Leased {
        /// the lease
        lease: Box<Lease>,
        /// the key
        key: ReturnKey,
    },
    /// Another process is continuing the job. The browser should ask again.
    Busy {
        /// the job
        job: JobId,
        /// its stage
        stage: Stage,
        /// the end of the other lease
        until: DateTime<Utc>,
    },
    /// The job is finished or has ended. There is nothing to continue.
    Ended {
        /// the job
        job: JobId,
        /// its stage
        stage: Stage,
        /// the key
        key: ReturnKey,
    },
    /// No job has this return key: the request is a stranger's, or the job was
    /// removed.
    Unknown,
}
