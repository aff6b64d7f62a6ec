//! What the cases have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Broken, ensure};
use crate::clock::ManualClock;
use crate::store::{
    Change, EventId, EventKind, Invariant, JobId, KeyId, Lease, NewEvent, NewJob, Sealed, Stage,
    Store, StoreError,
};

/// The time at which the clock of each case starts: 2026-01-01T00:00:00Z.
pub const START: DateTime<Utc> = match DateTime::from_timestamp_secs(1_767_225_600) {
    Some(time) => time,
    None => DateTime::UNIX_EPOCH,
};

/// The duration of the leases.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// A store under test, its clock, and names that are not used yet.
pub(super) struct Bench {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<ManualClock>,
    next: AtomicU32,
}

impl Bench {
    pub(super) const fn new(store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Self {
        Self { store, clock, next: AtomicU32::new(1) }
    }

    /// 16 octets that were not used yet.
    fn unused(&self) -> [u8; 16] {
        u128::from(self.next.fetch_add(1, Ordering::Relaxed)).to_be_bytes()
    }

    pub(super) fn event(&self, kind: EventKind) -> NewEvent {
        NewEvent::new(EventId::from_random(self.unused()), kind)
    }

    /// A body of its own, as a seal with a nonce makes it.
    pub(super) fn body(&self) -> Sealed {
        Sealed::new(KeyId(1), self.unused().to_vec())
    }

    pub(super) fn new_job(&self, application_key: &str) -> NewJob {
        let id = JobId::from_random(self.unused());
        NewJob::new(id, "tenant", application_key, "test-signer", self.body())
    }

    /// A new job with an application key of its own.
    pub(super) async fn job(&self) -> Result<JobId, Broken> {
        let key = format!("key-{}", self.next.load(Ordering::Relaxed));
        Ok(self.store.create(self.new_job(&key)).await?.id())
    }

    pub(super) async fn lease(&self, job: JobId) -> Result<Lease, Broken> {
        let lease = self.store.lease(job, "worker", LEASE).await?;
        lease.ok_or_else(|| Broken::new("a job without a lease was not leased"))
    }

    /// A new job and a lease of it.
    pub(super) async fn leased(&self) -> Result<Lease, Broken> {
        self.lease(self.job().await?).await
    }

    /// A change to another stage and a new body.
    pub(super) fn change(&self, lease: &Lease, stage: Stage) -> Change {
        Change::new(&lease.stored, stage, self.body())
    }

    /// Writes a change, releases the lease, and takes a new one.
    pub(super) async fn step(&self, lease: Lease, change: Change) -> Result<Lease, Broken> {
        self.store.put(&lease, lease.stored.version, change).await?;
        self.store.release(&lease).await?;
        self.lease(lease.job()).await
    }

    /// A change that must be refused because of an invariant.
    pub(super) async fn refused(
        &self,
        lease: &Lease,
        change: Change,
        expected: Invariant,
    ) -> Result<(), Broken> {
        let found = self.store.put(lease, lease.stored.version, change).await;
        let refused = matches!(&found, Err(StoreError::Invariant(found)) if *found == expected);
        ensure(refused, format!("found {found:?}, expected the invariant {expected:?}"))
    }
}
