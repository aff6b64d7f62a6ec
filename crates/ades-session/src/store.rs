//! Where signing jobs are stored: the trait [`Store`] and its types.
//!
//! A store holds jobs whose contents it cannot read: the [bodies](Sealed) are
//! sealed. What it reads is in columns of its own and holds nothing personal:
//! stage, times, batch numbers, digests, and hashes of return keys.
//!
//! - A process that wants to continue a job takes a [`Lease`]. A lease has a
//!   number (a fencing token) that grows with each lease of the job, and an end.
//! - [`Store::put`] writes one [`Change`] in one transaction, if the job still has
//!   the version that the process read, *and* the lease is the job's last one,
//!   *and* it has not lapsed. So a process that was paused beyond its lease writes
//!   nothing.
//! - The store has the only clock. Times are given relative to it ([`When::In`]),
//!   and each lease says what time it was.
//!
//! Every store refuses what would break an [`Invariant`]: a second open batch, a
//! second value for an item, another container for an item, another digest for an
//! item that was asked for.

mod apply;
mod change;
mod error;
mod job;
mod lease;
mod memory;
mod outbox;
mod table;

use std::fmt;
use std::time::Duration;

use ades_core::signer::BoxFuture;

pub use apply::{Touched, check_duration, check_lease};
pub use change::{BatchChange, Change, ItemChange, NewReturnKey, When};
pub use error::{Invariant, StoreError, StoreLimit};
pub use job::{
    Batch, BatchState, Created, EndReason, Intent, Item, JobId, KeyId, NewJob, ReturnKeyHash,
    ReturnPurpose, Sealed, Stage, Stored,
};
pub use lease::{ByReturnKey, JobSelection, Lease, ReturnKey};
pub use memory::{Keeper, MemoryStore};
pub use outbox::{Event, EventId, EventKind, NewEvent};
pub use table::{JobRow, PendingEvent, Table};

/// Maximum length of a sealed body, in octets.
pub const MAX_BODY_LEN: usize = 16 * 1024 * 1024;
/// Maximum length of a sealed value of an item, in octets.
pub const MAX_VALUE_LEN: usize = 64 * 1024;
/// Maximum length of a sealed body of an event, in octets.
pub const MAX_EVENT_LEN: usize = 64 * 1024;
/// Maximum length of a digest, in octets.
pub const MAX_DIGEST_LEN: usize = 64;
/// Maximum length of a tenant, an application key, a signer's name, a request id or
/// the name of a lease's holder, in octets.
pub const MAX_NAME_LEN: usize = 256;
/// Maximum number of items of a job.
pub const MAX_ITEMS: u32 = 1000;
/// Maximum number of batches of a job, refused ones included.
pub const MAX_BATCHES: u32 = 1000;
/// Maximum number of return keys, events, or batches in one change.
pub const MAX_PER_CHANGE: usize = 16;
/// Maximum number of jobs or events that one call returns or removes. A call that
/// asks for more gets this many.
pub const MAX_PER_CALL: u32 = 100;
/// Maximum duration of a lease. A longer one is an error, because a job whose
/// process has died would wait that long.
pub const MAX_LEASE: Duration = Duration::from_secs(15 * 60);

/// Where signing jobs are stored. See the [module's documentation](self).
///
/// A change is written as a whole or not at all. After a future was dropped, and
/// after [`StoreError::Unavailable`], it is not known which: read the job again
/// once the lease has lapsed or with a new lease, and ask
/// [`Stored::is_result_of`].
pub trait Store: Send + Sync + fmt::Debug {
    /// Stores a new job with the version 1 and the stage [`Stage::Start`]. If the
    /// tenant already has a job with this application key, that job is returned
    /// and nothing is written: a repeated request does not make a second job.
    fn create(&self, job: NewJob) -> BoxFuture<'_, Result<Created, StoreError>>;

    /// Reads a job without a lease, for a status page.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also after the job was purged.
    fn get(&self, job: JobId) -> BoxFuture<'_, Result<Stored, StoreError>>;

    /// Finds a job by the application's own key.
    fn find<'a>(
        &'a self,
        tenant: &'a str,
        application_key: &'a str,
    ) -> BoxFuture<'a, Result<Option<JobId>, StoreError>>;

    /// Takes a lease of a job, or returns `None` while another lease lasts.
    /// `holder` names the process in logs; it must be unique for each start of a
    /// process. It has no effect on what the lease may do.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn lease<'a>(
        &'a self,
        job: JobId,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>>;

    /// Takes a lease of the job that a returning browser belongs to. A stranger's
    /// request, a job that another process is continuing, and a job that has ended
    /// are different answers.
    fn lease_by_return_key<'a>(
        &'a self,
        hash: ReturnKeyHash,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<ByReturnKey, StoreError>>;

    /// Takes leases of at most `n` jobs that a process continues by itself. Two
    /// processes never get the same job.
    fn lease_many<'a>(
        &'a self,
        which: JobSelection,
        n: u32,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Vec<Lease>, StoreError>>;

    /// Writes a change in one transaction and returns the new version,
    /// `version + 1`.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if the lease has lapsed or a newer one exists;
    /// [`StoreError::Conflict`] if the job has another version;
    /// [`StoreError::Invariant`], [`StoreError::Limit`] and
    /// [`StoreError::NotFound`]. Nothing is written then.
    fn put<'a>(
        &'a self,
        lease: &'a Lease,
        version: u64,
        change: Change,
    ) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Extends a lease that has not lapsed: it ends `duration` from now.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if the lease has lapsed, or a newer one exists.
    fn renew<'a>(
        &'a self,
        lease: &'a Lease,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Lease, StoreError>>;

    /// Ends a lease early. A lease that has lapsed or was lost is not an error:
    /// there is nothing to release.
    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Removes a job with everything that belongs to it, whatever its stage: the
    /// application's own decision, for example because the user withdraws.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    fn remove<'a>(
        &'a self,
        lease: &'a Lease,
        version: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Removes at most `n` jobs whose `purge_at` has come, and returns their
    /// number. It keeps jobs that are leased, that are not [`Stage::is_final`],
    /// that have a value without a container, or that have an event which was not
    /// delivered.
    fn purge(&self, n: u32) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Takes at most `n` events to deliver, the oldest first, and of each job only
    /// the oldest: events of one job stay in order. For `duration`, no other
    /// process gets them. An event is delivered at least once: the receiver
    /// recognises a repeat by [`Event::id`].
    fn outbox(&self, n: u32, duration: Duration) -> BoxFuture<'_, Result<Vec<Event>, StoreError>>;

    /// Records that an event was delivered.
    fn delivered<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Records that an event could not be delivered, and when to try again. Has no
    /// effect if another process has taken the event in the meantime.
    fn failed<'a>(
        &'a self,
        event: &'a Event,
        retry_in: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// The keys that bodies, values and undelivered events are sealed with, and
    /// how many each key seals. A key may be retired when it is not in the list.
    fn keys_in_use(&self) -> BoxFuture<'_, Result<Vec<(KeyId, u64)>, StoreError>>;
}
