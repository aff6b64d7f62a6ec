#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod events;
mod jobs;
mod migrate;
mod pool;
mod rows;
mod session;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use ades_core::signer::BoxFuture;
use ades_session::clock::Clock;
use ades_session::store::{
    ByReturnKey, Change, Created, Event, JobId, JobSelection, KeyId, Lease, NewJob, ReturnKeyHash,
    Store, StoreError, Stored, check_duration, check_lease,
};
use deadpool_postgres::{Object, Pool};

use rows::unavailable;
use session::Session;

pub use migrate::migrate;

/// Number of connections, unless [`Options::connections`] says otherwise.
pub const CONNECTIONS: usize = 8;
/// How long a call waits for a connection of the pool, and for a new connection.
pub const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    clock: Option<Arc<dyn Clock>>,
    connections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { clock: None, connections: CONNECTIONS }
    }
}

impl Options {
    /// The database's clock, and [`CONNECTIONS`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another clock than the database's, for tests.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The maximum number of connections of this store.
    #[must_use]
    pub const fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Opens a database by its URL, or by a connection string of libpq.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], and [`StoreError::Schema`] if the database is not
    /// migrated, or a newer version has migrated it.
    pub async fn open(self, url: &str) -> Result<PostgresStore, StoreError> {
        let store = PostgresStore { pool: pool::new(url, self.connections)?, clock: self.clock };
        migrate::check(&**store.connection().await?).await?;
        Ok(store)
    }
}

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    pool: Pool,
    clock: Option<Arc<dyn Clock>>,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The pool's own `Debug` shows the configuration of the connection.
        f.debug_struct("PostgresStore").field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// Does something in a transaction, and commits it if it succeeds.
macro_rules! transaction {
    ($store:ident, $session:ident => $work:expr) => {
        Box::pin(async move {
            let mut connection = $store.connection().await?;
            let transaction = connection.transaction().await.map_err(unavailable)?;
            let $session = Session::new(transaction, $store.clock.as_deref());
            let result = $work?;
            $session.commit().await?;
            Ok(result)
        })
    };
}

impl PostgresStore {
    /// Opens a database with the default [`Options`].
    ///
    /// # Errors
    /// As [`Options::open`].
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Options::new().open(url).await
    }

    async fn connection(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(StoreError::unavailable)
    }
}

impl Store for PostgresStore {
    fn create(&self, job: NewJob) -> BoxFuture<'_, Result<Created, StoreError>> {
        transaction!(self, session => jobs::create(&session, job).await)
    }

    fn get(&self, job: JobId) -> BoxFuture<'_, Result<Stored, StoreError>> {
        Box::pin(async move {
            let mut connection = self.connection().await?;
            // The job and its rows are those of one moment.
            let transaction = connection
                .build_transaction()
                .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
                .read_only(true)
                .start()
                .await
                .map_err(unavailable)?;
            let session = Session::new(transaction, self.clock.as_deref());
            jobs::get(&session, job).await
        })
    }

    fn find<'a>(
        &'a self,
        tenant: &'a str,
        application_key: &'a str,
    ) -> BoxFuture<'a, Result<Option<JobId>, StoreError>> {
        transaction!(self, session => jobs::find(&session, tenant, application_key).await)
    }

    fn lease<'a>(
        &'a self,
        job: JobId,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        transaction!(self, session => {
            check_lease(holder, duration)?;
            jobs::lease(&session, job, holder, duration).await
        })
    }

    fn lease_by_return_key<'a>(
        &'a self,
        hash: ReturnKeyHash,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<ByReturnKey, StoreError>> {
        transaction!(self, session => {
            check_lease(holder, duration)?;
            jobs::lease_by_return_key(&session, hash, holder, duration).await
        })
    }

    fn lease_many<'a>(
        &'a self,
        which: JobSelection,
        n: u32,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Vec<Lease>, StoreError>> {
        transaction!(self, session => {
            check_lease(holder, duration)?;
            jobs::lease_many(&session, which, n, holder, duration).await
        })
    }

    fn put<'a>(
        &'a self,
        lease: &'a Lease,
        version: u64,
        change: Change,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        transaction!(self, session => jobs::put(&session, lease, version, &change).await)
    }

    fn renew<'a>(
        &'a self,
        lease: &'a Lease,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Lease, StoreError>> {
        transaction!(self, session => {
            check_duration(duration)?;
            jobs::renew(&session, lease, duration).await
        })
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        transaction!(self, session => jobs::release(&session, lease).await)
    }

    fn remove<'a>(
        &'a self,
        lease: &'a Lease,
        version: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        transaction!(self, session => jobs::remove(&session, lease, version).await)
    }

    fn purge(&self, n: u32) -> BoxFuture<'_, Result<u64, StoreError>> {
        transaction!(self, session => jobs::purge(&session, n).await)
    }

    fn outbox(&self, n: u32, duration: Duration) -> BoxFuture<'_, Result<Vec<Event>, StoreError>> {
        transaction!(self, session => {
            check_duration(duration)?;
            events::take(&session, n, duration).await
        })
    }

    fn delivered<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<(), StoreError>> {
        transaction!(self, session => events::delivered(&session, event.seq).await)
    }

    fn failed<'a>(
        &'a self,
        event: &'a Event,
        retry_in: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        transaction!(self, session => events::failed(&session, event, retry_in).await)
    }

    fn keys_in_use(&self) -> BoxFuture<'_, Result<Vec<(KeyId, u64)>, StoreError>> {
        transaction!(self, session => jobs::keys_in_use(&session).await)
    }
}
