#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod connection;
mod events;
mod jobs;
mod migrate;
mod rows;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ades_core::signer::BoxFuture;
use ades_session::clock::{Clock, SystemClock};
use ades_session::store::{
    ByReturnKey, Change, Created, Event, JobId, JobSelection, KeyId, Lease, NewJob, ReturnKeyHash,
    Store, StoreError, Stored, check_duration, check_lease,
};

use connection::Connection;

/// How long a transaction waits for other processes, unless
/// [`Options::busy_timeout`] says otherwise.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    clock: Arc<dyn Clock>,
    busy_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), busy_timeout: BUSY_TIMEOUT }
    }
}

impl Options {
    /// The system's clock, and [`BUSY_TIMEOUT`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another clock, for tests. All processes of a database need the same one.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How long a transaction waits for other processes before the store is
    /// [unavailable](StoreError::Unavailable).
    #[must_use]
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Opens a database, which is created or migrated if necessary. Blocks until it
    /// is open.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], and [`StoreError::Schema`] if a newer version
    /// has migrated the database.
    pub fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        let connection = Connection::open(path.as_ref().to_owned(), self.clock, self.busy_timeout)?;
        Ok(SqliteStore { connection })
    }
}

/// A store in an SQLite database.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
}

impl SqliteStore {
    /// Opens a database with the default [`Options`].
    ///
    /// # Errors
    /// As [`Options::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Options::new().open(path)
    }
}

impl Store for SqliteStore {
    fn create(&self, job: NewJob) -> BoxFuture<'_, Result<Created, StoreError>> {
        self.connection.write(move |transaction, now| jobs::create(transaction, job, now))
    }

    fn get(&self, job: JobId) -> BoxFuture<'_, Result<Stored, StoreError>> {
        self.connection.read(move |transaction| jobs::get(transaction, job))
    }

    fn find<'a>(
        &'a self,
        tenant: &'a str,
        application_key: &'a str,
    ) -> BoxFuture<'a, Result<Option<JobId>, StoreError>> {
        let (tenant, application_key) = (tenant.to_owned(), application_key.to_owned());
        self.connection.read(move |transaction| jobs::find(transaction, &tenant, &application_key))
    }

    fn lease<'a>(
        &'a self,
        job: JobId,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        let holder = holder.to_owned();
        self.connection.write(move |transaction, now| {
            check_lease(&holder, duration)?;
            jobs::lease(transaction, job, &holder, duration, now)
        })
    }

    fn lease_by_return_key<'a>(
        &'a self,
        hash: ReturnKeyHash,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<ByReturnKey, StoreError>> {
        let holder = holder.to_owned();
        self.connection.write(move |transaction, now| {
            check_lease(&holder, duration)?;
            jobs::lease_by_return_key(transaction, hash, &holder, duration, now)
        })
    }

    fn lease_many<'a>(
        &'a self,
        which: JobSelection,
        n: u32,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Vec<Lease>, StoreError>> {
        let holder = holder.to_owned();
        self.connection.write(move |transaction, now| {
            check_lease(&holder, duration)?;
            jobs::lease_many(transaction, which, n, &holder, duration, now)
        })
    }

    fn put<'a>(
        &'a self,
        lease: &'a Lease,
        version: u64,
        change: Change,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        let lease = lease.clone();
        self.connection
            .write(move |transaction, now| jobs::put(transaction, &lease, version, change, now))
    }

    fn renew<'a>(
        &'a self,
        lease: &'a Lease,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Lease, StoreError>> {
        let lease = lease.clone();
        self.connection.write(move |transaction, now| {
            check_duration(duration)?;
            jobs::renew(transaction, lease, duration, now)
        })
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        let (job, no) = (lease.job(), lease.no);
        self.connection.write(move |transaction, _| jobs::release(transaction, job, no))
    }

    fn remove<'a>(
        &'a self,
        lease: &'a Lease,
        version: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let lease = lease.clone();
        self.connection
            .write(move |transaction, now| jobs::remove(transaction, &lease, version, now))
    }

    fn purge(&self, n: u32) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.connection.write(move |transaction, now| jobs::purge(transaction, n, now))
    }

    fn outbox(&self, n: u32, duration: Duration) -> BoxFuture<'_, Result<Vec<Event>, StoreError>> {
        self.connection.write(move |transaction, now| {
            check_duration(duration)?;
            events::take(transaction, n, duration, now)
        })
    }

    fn delivered<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<(), StoreError>> {
        let seq = event.seq;
        self.connection.write(move |transaction, now| events::delivered(transaction, seq, now))
    }

    fn failed<'a>(
        &'a self,
        event: &'a Event,
        retry_in: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let (seq, tries) = (event.seq, event.tries);
        self.connection
            .write(move |transaction, now| events::failed(transaction, seq, tries, retry_in, now))
    }

    fn keys_in_use(&self) -> BoxFuture<'_, Result<Vec<(KeyId, u64)>, StoreError>> {
        self.connection.read(jobs::keys_in_use)
    }
}
