//! The outbox: every function runs in a transaction of its caller.

use std::time::{Duration, SystemTime};

use ades_session::store::{Event, Invariant, JobId, MAX_PER_CALL, NewEvent, StoreError, When};
use chrono::{DateTime, Utc};

use crate::jobs::integer;
use crate::rows;
use crate::session::Session;

pub(crate) async fn write(
    session: &Session<'_>,
    job: JobId,
    events: &[NewEvent],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for event in events {
        let written = session
            .execute(
                "INSERT INTO ades_outbox (id, job, kind, key_id, body, tries, happened_at, due_at) \
                 VALUES ($1, $2, $3, $4, $5, 0, $6, $6) ON CONFLICT (id) DO NOTHING",
                &[
                    &event.id.octets().as_slice(),
                    &job.octets().as_slice(),
                    &event.kind.name(),
                    &event.body.as_ref().map(|body| i64::from(body.key.0)),
                    &event.body.as_ref().map(|body| body.octets.as_slice()),
                    &SystemTime::from(now),
                ],
            )
            .await?;
        if written == 0 {
            return Err(StoreError::Invariant(Invariant::Once { what: "event's id" }));
        }
    }
    Ok(())
}

pub(crate) async fn take(
    session: &Session<'_>,
    n: u32,
    duration: Duration,
) -> Result<Vec<Event>, StoreError> {
    let now = session.now().await?;
    let again = SystemTime::from(When::In(duration).from(now));
    // A row that another process has locked is about to be taken or delivered; what
    // follows it in its job waits, because it is an earlier one that was not
    // delivered.
    let rows = session
        .query(
            "WITH due AS MATERIALIZED ( \
             SELECT seq FROM ades_outbox AS this WHERE delivered_at IS NULL AND due_at <= $1 \
             AND NOT EXISTS (SELECT 1 FROM ades_outbox AS earlier WHERE earlier.job = this.job \
                             AND earlier.delivered_at IS NULL AND earlier.seq < this.seq) \
             ORDER BY seq LIMIT $2 FOR UPDATE SKIP LOCKED) \
             UPDATE ades_outbox AS taken SET tries = tries + 1, due_at = $3 \
             FROM due WHERE taken.seq = due.seq \
             RETURNING taken.seq, id, job, kind, key_id, body, tries, happened_at",
            &[&SystemTime::from(now), &i64::from(n.min(MAX_PER_CALL)), &again],
        )
        .await?;
    let mut events: Vec<Event> = rows.iter().map(rows::event).collect::<Result<_, _>>()?;
    events.sort_by_key(|event| event.seq);
    Ok(events)
}

/// The row stays until the job is removed, so that the event's id is not used
/// again. Its details go.
pub(crate) async fn delivered(session: &Session<'_>, seq: u64) -> Result<(), StoreError> {
    let now = SystemTime::from(session.now().await?);
    let sql = "UPDATE ades_outbox SET delivered_at = $2, key_id = NULL, body = NULL \
               WHERE seq = $1 AND delivered_at IS NULL";
    session.execute(sql, &[&integer(seq)?, &now]).await.map(drop)
}

pub(crate) async fn failed(
    session: &Session<'_>,
    event: &Event,
    retry_in: Duration,
) -> Result<(), StoreError> {
    let again = SystemTime::from(When::In(retry_in).from(session.now().await?));
    let sql = "UPDATE ades_outbox SET due_at = $3 \
               WHERE seq = $1 AND tries = $2 AND delivered_at IS NULL";
    let tries = i64::from(event.tries);
    session.execute(sql, &[&integer(event.seq)?, &tries, &again]).await.map(drop)
}
