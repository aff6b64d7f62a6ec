//! The connection, and the thread that uses it: SQLite blocks.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ades_core::signer::BoxFuture;
use ades_session::clock::Clock;
use ades_session::store::{StoreError, When};
use chrono::{DateTime, Utc};
use futures_channel::oneshot;
use rusqlite::{ErrorCode, Transaction, TransactionBehavior};

use crate::migrate::migrate;
use crate::rows::unavailable;

/// Pause between tries to turn on WAL, while other processes open the same new
/// database.
const WAL_PAUSE: Duration = Duration::from_millis(5);

/// Work for the thread.
type Task = Box<dyn FnOnce(&mut rusqlite::Connection, &dyn Clock) + Send>;

/// A handle of the thread, which ends when the handle is dropped and its work is
/// done.
#[derive(Debug)]
pub(crate) struct Connection {
    tasks: mpsc::Sender<Task>,
}

impl Connection {
    pub(crate) fn open(
        path: PathBuf,
        clock: Arc<dyn Clock>,
        busy_timeout: Duration,
    ) -> Result<Self, StoreError> {
        let (tasks, queue) = mpsc::channel::<Task>();
        let (opened, open) = mpsc::channel();
        thread::Builder::new()
            .name("ades-session-sqlite".to_owned())
            .spawn(move || match connect(&path, busy_timeout) {
                Err(error) => drop(opened.send(Err(error))),
                Ok(mut connection) => {
                    drop(opened.send(Ok(())));
                    for task in queue {
                        task(&mut connection, &*clock);
                    }
                }
            })
            .map_err(StoreError::unavailable)?;
        open.recv().map_err(StoreError::unavailable)??;
        Ok(Self { tasks })
    }

    /// Does something in a transaction that reads.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        self.run(move |connection, _| work(&connection.transaction().map_err(unavailable)?))
    }

    /// Does something in a transaction that writes, which is committed if it
    /// succeeds. A deferred transaction that becomes a writer after another commit
    /// fails at once, in spite of the time-out: hence `BEGIN IMMEDIATE`.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>, DateTime<Utc>) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        self.run(move |connection, clock| {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(unavailable)?;
            // The time is asked for after the wait, and kept in whole milliseconds.
            let now = When::At(clock.now()).from(DateTime::UNIX_EPOCH);
            let result = work(&transaction, now)?;
            transaction.commit().map_err(unavailable)?;
            Ok(result)
        })
    }

    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut rusqlite::Connection, &dyn Clock) -> Result<T, StoreError>
        + Send
        + 'static,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        Box::pin(async move {
            let (sender, receiver) = oneshot::channel();
            let task: Task = Box::new(move |connection, clock| {
                // Nobody waits for the result of a future that was dropped.
                drop(sender.send(work(connection, clock)));
            });
            self.tasks.send(task).map_err(|_| ended())?;
            receiver.await.map_err(|_| ended())?
        })
    }
}

fn ended() -> StoreError {
    StoreError::unavailable("the thread of the database has ended")
}

fn connect(path: &Path, busy_timeout: Duration) -> Result<rusqlite::Connection, StoreError> {
    create_private(path).map_err(StoreError::unavailable)?;
    let mut connection = rusqlite::Connection::open(path).map_err(unavailable)?;
    connection.busy_timeout(busy_timeout).map_err(unavailable)?;
    use_wal(&connection, busy_timeout)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(unavailable)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(unavailable)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// Creates the file for its owner only. SQLite gives the WAL the same permissions.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Turns on WAL. While several processes open a new database, SQLite does not wait:
/// it reports at once that the database is locked.
fn use_wal(connection: &rusqlite::Connection, patience: Duration) -> Result<(), StoreError> {
    let end = Instant::now() + patience;
    loop {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => {
                let why = "the database cannot use WAL: it must be a file on a local disk";
                return Err(StoreError::unavailable(why));
            }
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < end =>
            {
                thread::sleep(WAL_PAUSE);
            }
            Err(error) => return Err(unavailable(error)),
        }
    }
}
