//! A store in the memory of one process, for tests and examples. It loses its jobs
//! when the process ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ades_core::signer::BoxFuture;
use chrono::{DateTime, Utc};

use super::Store;
use super::change::{Change, When};
use super::error::StoreError;
use super::job::{Created, JobId, KeyId, NewJob, ReturnKeyHash, Stored};
use super::lease::{ByReturnKey, JobSelection, Lease};
use super::outbox::Event;
use super::table::Table;
use crate::clock::{Clock, SystemClock};

/// A store in memory.
#[derive(Debug)]
pub struct MemoryStore {
    table: Mutex<Table>,
    clock: Arc<dyn Clock>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store with the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store with a clock of the caller's.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { table: Mutex::default(), clock }
    }

    /// Does something with the jobs, at the present time in whole milliseconds, as in a database.
    fn with<'a, T>(
        &'a self,
        work: impl FnOnce(&mut Table, DateTime<Utc>) -> T + Send + 'a,
    ) -> BoxFuture<'a, T> {
        Box::pin(async move {
            let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
            let result = work(&mut table, When::At(self.clock.now()).from(DateTime::UNIX_EPOCH));
            table.take_touched();
            result
        })
    }
}

impl Store for MemoryStore {
    fn create(&self, job: NewJob) -> BoxFuture<'_, Result<Created, StoreError>> {
        self.with(move |table, now| table.create(job, now))
    }

    fn get(&self, job: JobId) -> BoxFuture<'_, Result<Stored, StoreError>> {
        self.with(move |table, _| table.get(job))
    }

    fn find<'a>(
        &'a self,
        tenant: &'a str,
        application_key: &'a str,
    ) -> BoxFuture<'a, Result<Option<JobId>, StoreError>> {
        self.with(move |table, _| Ok(table.find(tenant, application_key)))
    }

    fn lease<'a>(
        &'a self,
        job: JobId,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        self.with(move |table, now| table.lease(job, holder, duration, now))
    }

    fn lease_by_return_key<'a>(
        &'a self,
        hash: ReturnKeyHash,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<ByReturnKey, StoreError>> {
        self.with(move |table, now| table.lease_by_return_key(hash, holder, duration, now))
    }

    fn lease_many<'a>(
        &'a self,
        which: JobSelection,
        n: u32,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Vec<Lease>, StoreError>> {
        self.with(move |table, now| table.lease_many(which, n, holder, duration, now))
    }

    fn put<'a>(
        &'a self,
        lease: &'a Lease,
        version: u64,
        change: Change,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.with(move |table, now| table.put(lease, version, change, now))
    }

    fn renew<'a>(
        &'a self,
        lease: &'a Lease,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Lease, StoreError>> {
        self.with(move |table, now| table.renew(lease, duration, now))
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.with(move |table, _| {
            table.release(lease);
            Ok(())
        })
    }

    fn remove<'a>(
        &'a self,
        lease: &'a Lease,
        version: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.with(move |table, now| table.remove(lease, version, now))
    }

    fn purge(&self, n: u32) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.with(move |table, now| Ok(table.purge(n, now)))
    }

    fn outbox(&self, n: u32, duration: Duration) -> BoxFuture<'_, Result<Vec<Event>, StoreError>> {
        self.with(move |table, now| table.take_events(n, duration, now))
    }

    fn delivered<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<(), StoreError>> {
        self.with(move |table, _| {
            table.delivered(event);
            Ok(())
        })
    }

    fn failed<'a>(
        &'a self,
        event: &'a Event,
        retry_in: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.with(move |table, now| {
            table.failed(event, retry_in, now);
            Ok(())
        })
    }

    fn keys_in_use(&self) -> BoxFuture<'_, Result<Vec<(KeyId, u64)>, StoreError>> {
        self.with(move |table, _| Ok(table.keys_in_use()))
    }
}
