#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod folder;
mod layout;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ades_core::signer::BoxFuture;
use ades_session::clock::{Clock, SystemClock};
use ades_session::store::{
    ByReturnKey, Change, Created, Event, JobId, JobSelection, KeyId, Lease, NewJob, ReturnKeyHash,
    Store, StoreError, Stored, Table, When,
};
use chrono::{DateTime, Utc};

use folder::{Found, Stamp};
pub use layout::StoredRow;

/// A store in a folder.
#[derive(Debug)]
pub struct FileStore {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    jobs: Mutex<Jobs>,
}

/// The jobs as this process last read or wrote them.
#[derive(Debug, Default)]
struct Jobs {
    table: Table,
    files: HashMap<JobId, Known>,
}

/// What is known about a job's file.
#[derive(Debug)]
struct Known {
    stamp: Stamp,
    /// What this version cannot read of it
    damaged: Option<&'static str>,
}

impl FileStore {
    /// A store in this folder, which must exist, with the system's clock.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the folder cannot be read or written.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::with_clock(folder, Arc::new(SystemClock))
    }

    /// As [`open`](Self::open), with another clock, for tests. All processes of a folder need the
    /// same one.
    ///
    /// # Errors
    /// As there.
    pub fn with_clock(
        folder: impl Into<PathBuf>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let store = Self { folder: folder.into(), clock, jobs: Mutex::default() };
        let _lock = folder::lock(&store.folder)?;
        folder::sweep(&store.folder)?;
        Ok(store)
    }

    /// Does something with the jobs of the folder, while no other process does, and writes the jobs
    /// that it has touched.
    fn with<'a, T>(
        &'a self,
        work: impl FnOnce(&mut Jobs, DateTime<Utc>) -> Result<T, StoreError> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move {
            let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            let _lock = folder::lock(&self.folder)?;
            jobs.refresh(&self.folder)?;
            let now = When::At(self.clock.now()).from(DateTime::UNIX_EPOCH);
            let result = work(&mut jobs, now)?;
            if let Err(error) = jobs.write(&self.folder) {
                // What is in the files is not known: they are all read again.
                *jobs = Jobs::default();
                return Err(error);
            }
            Ok(result)
        })
    }
}

impl Jobs {
    /// Reads the files that have changed.
    fn refresh(&mut self, folder: &Path) -> Result<(), StoreError> {
        let found = folder::list(folder)?;
        let gone: Vec<JobId> =
            self.files.keys().filter(|job| !found.contains_key(*job)).copied().collect();
        for job in gone {
            self.files.remove(&job);
            self.table.forget(job);
        }
        for (job, Found { path, stamp }) in found {
            if self.files.get(&job).is_some_and(|known| known.stamp == stamp) {
                continue;
            }
            let octets = std::fs::read(path).map_err(StoreError::unavailable)?;
            self.table.forget(job);
            let damaged = match layout::read(job, &octets) {
                Ok(row) => {
                    self.table.insert(row);
                    None
                }
                Err(column) => Some(column),
            };
            self.files.insert(job, Known { stamp, damaged });
        }
        Ok(())
    }

    /// Writes the jobs that were touched.
    fn write(&mut self, folder: &Path) -> Result<(), StoreError> {
        for job in self.table.take_touched() {
            match self.table.row(job) {
                Some(row) => {
                    let octets = layout::write(row)?;
                    let stamp = folder::write(folder, job, &octets)?;
                    self.files.insert(job, Known { stamp, damaged: None });
                }
                None => {
                    folder::remove(folder, job)?;
                    self.files.remove(&job);
                }
            }
        }
        Ok(())
    }

    /// A damaged file of a job is an error for that job.
    fn check(&self, job: JobId) -> Result<(), StoreError> {
        match self.files.get(&job).and_then(|known| known.damaged) {
            Some(column) => Err(StoreError::Damaged { column }),
            None => Ok(()),
        }
    }

    /// Whose job a damaged file is cannot be known, so no job counts as one that does not exist.
    fn check_all(&self) -> Result<(), StoreError> {
        self.files.keys().try_for_each(|job| self.check(*job))
    }
}

impl Store for FileStore {
    fn create(&self, job: NewJob) -> BoxFuture<'_, Result<Created, StoreError>> {
        self.with(move |jobs, now| {
            jobs.check_all()?;
            jobs.table.create(job, now)
        })
    }

    fn get(&self, job: JobId) -> BoxFuture<'_, Result<Stored, StoreError>> {
        self.with(move |jobs, _| {
            jobs.check(job)?;
            jobs.table.get(job)
        })
    }

    fn find<'a>(
        &'a self,
        tenant: &'a str,
        application_key: &'a str,
    ) -> BoxFuture<'a, Result<Option<JobId>, StoreError>> {
        self.with(move |jobs, _| match jobs.table.find(tenant, application_key) {
            Some(job) => Ok(Some(job)),
            None => jobs.check_all().map(|()| None),
        })
    }

    fn lease<'a>(
        &'a self,
        job: JobId,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        self.with(move |jobs, now| {
            jobs.check(job)?;
            jobs.table.lease(job, holder, duration, now)
        })
    }

    fn lease_by_return_key<'a>(
        &'a self,
        hash: ReturnKeyHash,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<ByReturnKey, StoreError>> {
        self.with(move |jobs, now| jobs.table.lease_by_return_key(hash, holder, duration, now))
    }

    fn lease_many<'a>(
        &'a self,
        which: JobSelection,
        n: u32,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Vec<Lease>, StoreError>> {
        self.with(move |jobs, now| jobs.table.lease_many(which, n, holder, duration, now))
    }

    fn put<'a>(
        &'a self,
        lease: &'a Lease,
        version: u64,
        change: Change,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.with(move |jobs, now| jobs.table.put(lease, version, change, now))
    }

    fn renew<'a>(
        &'a self,
        lease: &'a Lease,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Lease, StoreError>> {
        self.with(move |jobs, now| jobs.table.renew(lease, duration, now))
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.with(move |jobs, _| {
            jobs.table.release(lease);
            Ok(())
        })
    }

    fn remove<'a>(
        &'a self,
        lease: &'a Lease,
        version: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.with(move |jobs, now| jobs.table.remove(lease, version, now))
    }

    fn purge(&self, n: u32) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.with(move |jobs, now| Ok(jobs.table.purge(n, now)))
    }

    fn outbox(&self, n: u32, duration: Duration) -> BoxFuture<'_, Result<Vec<Event>, StoreError>> {
        self.with(move |jobs, now| jobs.table.take_events(n, duration, now))
    }

    fn delivered<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<(), StoreError>> {
        self.with(move |jobs, _| {
            jobs.table.delivered(event);
            Ok(())
        })
    }

    fn failed<'a>(
        &'a self,
        event: &'a Event,
        retry_in: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.with(move |jobs, now| {
            jobs.table.failed(event, retry_in, now);
            Ok(())
        })
    }

    fn keys_in_use(&self) -> BoxFuture<'_, Result<Vec<(KeyId, u64)>, StoreError>> {
        self.with(move |jobs, _| {
            // A damaged file may need a key that no other job does.
            jobs.check_all()?;
            Ok(jobs.table.keys_in_use())
        })
    }
}
