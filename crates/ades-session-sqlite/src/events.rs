//! The outbox: every function runs in a transaction of its caller.

use std::time::Duration;

use ades_session::store::{Event, Invariant, JobId, MAX_PER_CALL, NewEvent, StoreError, When};
use chrono::{DateTime, Utc};
use rusqlite::{Transaction, params};

use crate::rows::{all, event, execute, ms};

pub(crate) fn write(
    transaction: &Transaction<'_>,
    job: JobId,
    events: &[NewEvent],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for event in events {
        let written = execute(
            transaction,
            "INSERT INTO outbox (id, job, kind, key_id, body, tries, happened_at, due_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?6) ON CONFLICT (id) DO NOTHING",
            params![
                event.id.octets(),
                job.octets(),
                event.kind.name(),
                event.body.as_ref().map(|body| body.key.0),
                event.body.as_ref().map(|body| &body.octets),
                ms(now),
            ],
        )?;
        if written == 0 {
            return Err(StoreError::Invariant(Invariant::Once { what: "event's id" }));
        }
    }
    Ok(())
}

pub(crate) fn take(
    transaction: &Transaction<'_>,
    n: u32,
    duration: Duration,
    now: DateTime<Utc>,
) -> Result<Vec<Event>, StoreError> {
    let mut events = all(
        transaction,
        "SELECT seq, id, job, kind, key_id, body, tries, happened_at FROM outbox AS this \
         WHERE delivered_at IS NULL AND due_at <= ?1 AND NOT EXISTS ( \
             SELECT 1 FROM outbox AS earlier WHERE earlier.job = this.job \
             AND earlier.delivered_at IS NULL AND earlier.seq < this.seq) \
         ORDER BY seq LIMIT ?2",
        params![ms(now), n.min(MAX_PER_CALL)],
        event,
    )?;
    let again = ms(When::In(duration).from(now));
    for event in &mut events {
        event.tries = event.tries.saturating_add(1);
        let sql = "UPDATE outbox SET tries = ?2, due_at = ?3 WHERE seq = ?1";
        execute(transaction, sql, params![integer(event.seq)?, event.tries, again])?;
    }
    Ok(events)
}

fn integer(seq: u64) -> Result<i64, StoreError> {
    i64::try_from(seq).map_err(StoreError::unavailable)
}

/// The row stays until the job is removed, so that the event's id is not used
/// again. Its details go.
pub(crate) fn delivered(
    transaction: &Transaction<'_>,
    seq: u64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "UPDATE outbox SET delivered_at = ?2, key_id = NULL, body = NULL \
               WHERE seq = ?1 AND delivered_at IS NULL";
    execute(transaction, sql, params![integer(seq)?, ms(now)]).map(drop)
}

pub(crate) fn failed(
    transaction: &Transaction<'_>,
    seq: u64,
    tries: u32,
    retry_in: Duration,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let again = ms(When::In(retry_in).from(now));
    let sql = "UPDATE outbox SET due_at = ?3 \
               WHERE seq = ?1 AND tries = ?2 AND delivered_at IS NULL";
    execute(transaction, sql, params![integer(seq)?, tries, again]).map(drop)
}
