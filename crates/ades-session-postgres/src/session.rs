//! One transaction, and the time in it.

use std::time::SystemTime;

use ades_session::clock::Clock;
use ades_session::store::{StoreError, When};
use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::rows::unavailable;

/// The parameters of a statement.
pub(crate) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A transaction. Dropping it rolls it back.
pub(crate) struct Session<'a> {
    transaction: Transaction<'a>,
    clock: Option<&'a dyn Clock>,
}

impl<'a> Session<'a> {
    pub(crate) const fn new(transaction: Transaction<'a>, clock: Option<&'a dyn Clock>) -> Self {
        Self { transaction, clock }
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await.map_err(unavailable)
    }

    /// The present time in whole milliseconds. Ask only after the row is locked:
    /// the wait for the lock may take longer than a lease. For the same reason this
    /// is not `now()`, the time at which the transaction began.
    pub(crate) async fn now(&self) -> Result<DateTime<Utc>, StoreError> {
        let now = match self.clock {
            Some(clock) => clock.now(),
            None => {
                let rows = self.query("SELECT clock_timestamp()", &[]).await?;
                let row = rows.first().ok_or(StoreError::Damaged { column: "clock" })?;
                row.try_get::<_, SystemTime>(0).map_err(unavailable)?.into()
            }
        };
        Ok(When::At(now).from(DateTime::UNIX_EPOCH))
    }

    pub(crate) async fn query(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        let statement = self.transaction.prepare_cached(sql).await.map_err(unavailable)?;
        self.transaction.query(&statement, parameters).await.map_err(unavailable)
    }

    pub(crate) async fn query_opt(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Option<Row>, StoreError> {
        let statement = self.transaction.prepare_cached(sql).await.map_err(unavailable)?;
        self.transaction.query_opt(&statement, parameters).await.map_err(unavailable)
    }

    /// Writes, and returns the number of rows.
    pub(crate) async fn execute(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<u64, StoreError> {
        let statement = self.transaction.prepare_cached(sql).await.map_err(unavailable)?;
        self.transaction.execute(&statement, parameters).await.map_err(unavailable)
    }
}
