//! A store in the memory of one process. Without a [`Keeper`] it loses its jobs when
//! the process ends, which is enough for tests and examples.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
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
use super::table::{JobRow, Table};
use crate::clock::{Clock, SystemClock};

/// Keeps the jobs of a [`MemoryStore`], in a form of the application's own: for a job
/// that only one process at a time can have, such as the file that a command line
/// has locked.
pub trait Keeper: Send + Sync + fmt::Debug {
    /// Keeps a job as it is now, whole and durably. It has no lease: leases are not
    /// kept, because no other process has the job.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]. The change then counts as not made.
    fn keep(&self, row: &JobRow) -> Result<(), StoreError>;

    /// Forgets a job that was removed.
    ///
    /// # Errors
    /// As [`keep`](Self::keep).
    fn forget(&self, job: JobId) -> Result<(), StoreError>;
}

/// A store in memory.
#[derive(Debug)]
pub struct MemoryStore {
    jobs: Mutex<Jobs>,
    clock: Arc<dyn Clock>,
    keeper: Option<Arc<dyn Keeper>>,
}

#[derive(Debug, Default)]
struct Jobs {
    table: Table,
    /// The jobs as the keeper has them, without leases
    kept: HashMap<JobId, JobRow>,
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
        Self { jobs: Mutex::default(), clock, keeper: None }
    }

    /// A store with these jobs, whose changes `keeper` keeps.
    #[must_use]
    pub fn kept_by(
        keeper: Arc<dyn Keeper>,
        jobs: impl IntoIterator<Item = JobRow>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let mut all = Jobs::default();
        for row in jobs.into_iter().map(without_lease) {
            all.table.insert(row.clone());
            all.kept.insert(row.stored.id, row);
        }
        Self { jobs: Mutex::new(all), clock, keeper: Some(keeper) }
    }

    /// Does something with the jobs, at the present time in whole milliseconds, as in a database.
    fn with<'a, T>(
        &'a self,
        work: impl FnOnce(&mut Table, DateTime<Utc>) -> Result<T, StoreError> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move {
            let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            let now = When::At(self.clock.now()).from(DateTime::UNIX_EPOCH);
            let leases = jobs.leases();
            let result = work(&mut jobs.table, now);
            let touched = jobs.table.take_touched();
            if let Some(keeper) = &self.keeper {
                jobs.keep(touched, &leases, keeper.as_ref())?;
            }
            result
        })
    }
}

/// The number and the end of the last lease of each job that is kept.
type Leases = HashMap<JobId, (u64, Option<DateTime<Utc>>)>;

impl Jobs {
    fn leases(&self) -> Leases {
        let lease = |job: &JobId| {
            let row = self.table.row(*job)?;
            Some((*job, (row.last_lease, row.stored.leased_until)))
        };
        self.kept.keys().filter_map(lease).collect()
    }

    /// Has the keeper keep the jobs that were touched. Those that it cannot keep are again what they
    /// were before.
    fn keep(
        &mut self,
        touched: BTreeSet<JobId>,
        leases: &Leases,
        keeper: &dyn Keeper,
    ) -> Result<(), StoreError> {
        let mut result = Ok(());
        for job in touched {
            let row = self.table.row(job).cloned().map(without_lease);
            if self.kept.get(&job) == row.as_ref() {
                continue;
            }
            let kept = match &row {
                _ if result.is_err() => Ok(false),
                Some(row) => keeper.keep(row).map(|()| true),
                None => keeper.forget(job).map(|()| true),
            };
            match (kept, row) {
                (Ok(true), Some(row)) => {
                    self.kept.insert(job, row);
                }
                (Ok(true), None) => {
                    self.kept.remove(&job);
                }
                (Ok(false), _) => self.take_back(job, leases),
                (Err(error), _) => {
                    self.take_back(job, leases);
                    result = Err(error);
                }
            }
        }
        result
    }

    /// The job is again as it was. Its lease is, too: who has it can try again.
    fn take_back(&mut self, job: JobId, leases: &Leases) {
        let Some(mut row) = self.kept.get(&job).cloned() else { return self.table.forget(job) };
        if let Some((last, until)) = leases.get(&job) {
            (row.last_lease, row.stored.leased_until) = (*last, *until);
        }
        self.table.insert(row);
    }
}

/// A job as it is kept.
fn without_lease(mut row: JobRow) -> JobRow {
    row.last_lease = 0;
    row.stored.leased_until = None;
    row
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
