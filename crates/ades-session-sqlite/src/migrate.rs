//! Migrations: numbered SQL, each run once, in one transaction.

use ades_session::store::StoreError;
use rusqlite::{Connection, TransactionBehavior};

use crate::rows::unavailable;

/// The first has the number 1. SQLite keeps the number of the last one in
/// `user_version`.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/1_jobs.sql")];

/// `application_id` of our databases: "AdES" as octets. Another one means a file of
/// another program.
const APPLICATION_ID: i32 = 0x4164_4553;

pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(unavailable)?;
    let number = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let found = number("user_version").map_err(unavailable)?;
    let application = number("application_id").map_err(unavailable)?;
    let tables = transaction
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        .map_err(unavailable)?;
    if application != APPLICATION_ID && tables > 0 {
        return Err(StoreError::unavailable("the file is a database of another program"));
    }
    let found = u32::try_from(found).unwrap_or_default();
    let needed = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > needed {
        return Err(StoreError::Schema { found, needed });
    }
    for migration in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(migration).map_err(unavailable)?;
    }
    transaction.pragma_update(None, "user_version", needed).map_err(unavailable)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(unavailable)?;
    transaction.commit().map_err(unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_open(prepare: &str) -> Result<(), StoreError> {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(prepare).unwrap();
        migrate(&mut connection)?;
        // A second time, nothing changes.
        migrate(&mut connection)
    }

    #[test]
    fn newer_and_foreign_databases_are_refused() {
        try_open("").unwrap();
        let newer = format!("PRAGMA user_version = 2; PRAGMA application_id = {APPLICATION_ID}");
        assert!(matches!(try_open(&newer), Err(StoreError::Schema { found: 2, needed: 1 })));
        let foreign = try_open("CREATE TABLE job (id)");
        assert!(matches!(foreign, Err(StoreError::Unavailable(_))), "{foreign:?}");
    }
}
