//! Migrations: numbered SQL, each run once, in one transaction.

use ades_session::store::StoreError;
use tokio_postgres::{Client, GenericClient};

use crate::pool;
use crate::rows::unavailable;

/// The first has the number 1. `ades_meta` keeps the number of the last one.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/1_jobs.sql")];

/// The advisory lock of migrations: "AdESjobs" as octets.
const LOCK: i64 = 0x4164_4553_6a6f_6273;

fn needed() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Creates the tables of a database, or changes those of an older version. Several
/// processes can do this at once.
///
/// # Errors
/// [`StoreError::Unavailable`], and [`StoreError::Schema`] if a newer version has
/// migrated the database.
pub async fn migrate(url: &str) -> Result<(), StoreError> {
    let pool = pool::new(url, 1)?;
    let mut connection = pool.get().await.map_err(StoreError::unavailable)?;
    let client: &mut Client = &mut connection;
    let transaction = client.transaction().await.map_err(unavailable)?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await.map_err(unavailable)?;
    let found = found(&transaction).await?;
    let needed = needed();
    if found > needed {
        return Err(StoreError::Schema { found, needed });
    }
    if found == 0 {
        let sql = "CREATE TABLE ades_meta (schema bigint NOT NULL); \
                   INSERT INTO ades_meta VALUES (0)";
        transaction.batch_execute(sql).await.map_err(unavailable)?;
    }
    for migration in MIGRATIONS.iter().skip(found as usize) {
        transaction.batch_execute(migration).await.map_err(unavailable)?;
    }
    let sql = "UPDATE ades_meta SET schema = $1";
    transaction.execute(sql, &[&i64::from(needed)]).await.map_err(unavailable)?;
    transaction.commit().await.map_err(unavailable)
}

/// The number of the last migration.
async fn found(client: &(impl GenericClient + Sync)) -> Result<u32, StoreError> {
    let sql = "SELECT to_regclass('ades_meta') IS NOT NULL";
    let row = client.query_one(sql, &[]).await.map_err(unavailable)?;
    if !row.try_get::<_, bool>(0).map_err(unavailable)? {
        return Ok(0);
    }
    let row = client.query_one("SELECT schema FROM ades_meta", &[]).await.map_err(unavailable)?;
    let schema: i64 = row.try_get(0).map_err(unavailable)?;
    u32::try_from(schema).map_err(|_| StoreError::Damaged { column: "schema" })
}

/// Checks that the database has the schema that this version needs.
pub(crate) async fn check(client: &(impl GenericClient + Sync)) -> Result<(), StoreError> {
    let (found, needed) = (found(client).await?, needed());
    if found == needed { Ok(()) } else { Err(StoreError::Schema { found, needed }) }
}
