//! Jobs: every function runs in a transaction of its caller.

use std::time::Duration;

use ades_session::store::{
    ByReturnKey, Change, Created, Invariant, JobId, JobSelection, KeyId, Lease, MAX_PER_CALL,
    NewJob, ReturnKeyHash, Stage, StoreError, Stored, Touched, When,
};
use chrono::{DateTime, Utc};
use rusqlite::{Transaction, params};

use crate::events;
use crate::rows::{
    all, column, execute, job, job_id, ms, one, optional_time, return_key, stage, unavailable,
};

/// A version or a lease's number as SQLite stores it.
fn integer(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(StoreError::unavailable)
}

pub(crate) fn create(
    transaction: &Transaction<'_>,
    job: NewJob,
    now: DateTime<Utc>,
) -> Result<Created, StoreError> {
    job.check()?;
    if let Some(existing) = find(transaction, &job.tenant, &job.application_key)? {
        return Ok(Created::Existing(existing));
    }
    let new = Stored::created(job, now);
    let inserted = execute(
        transaction,
        "INSERT INTO job (id, tenant, application_key, signer, version, stage, tries, due_at, \
         expires_at, purge_at, created_at, changed_at, lease_no) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0) \
         ON CONFLICT (id) DO NOTHING",
        params![
            new.id.octets(),
            new.tenant,
            new.application_key,
            new.signer,
            integer(new.version)?,
            new.stage.name(),
            new.tries,
            new.due_at.map(ms),
            new.expires_at.map(ms),
            new.purge_at.map(ms),
            ms(new.created_at),
            ms(new.changed_at),
        ],
    )?;
    if inserted == 0 {
        return Err(StoreError::Invariant(Invariant::Once { what: "job's name" }));
    }
    execute(
        transaction,
        "INSERT INTO body (job, key_id, octets) VALUES (?1, ?2, ?3)",
        params![new.id.octets(), new.body.key.0, new.body.octets],
    )?;
    Ok(Created::New(new.id))
}

pub(crate) fn get(transaction: &Transaction<'_>, id: JobId) -> Result<Stored, StoreError> {
    Ok(job(transaction, id, None)?.0)
}

pub(crate) fn find(
    transaction: &Transaction<'_>,
    tenant: &str,
    application_key: &str,
) -> Result<Option<JobId>, StoreError> {
    one(
        transaction,
        "SELECT id FROM job WHERE tenant = ?1 AND application_key = ?2",
        params![tenant, application_key],
        |row| job_id(row, "id"),
    )
}

pub(crate) fn lease(
    transaction: &Transaction<'_>,
    id: JobId,
    holder: &str,
    duration: Duration,
    now: DateTime<Utc>,
) -> Result<Option<Lease>, StoreError> {
    let until = When::In(duration).from(now);
    let leased = execute(
        transaction,
        "UPDATE job SET lease_no = lease_no + 1, leased_by = ?2, leased_until = ?3 \
         WHERE id = ?1 AND (leased_until IS NULL OR leased_until <= ?4)",
        params![id.octets(), holder, ms(until), ms(now)],
    )?;
    // A job that does not exist is an error here, too.
    let (stored, no) = job(transaction, id, None)?;
    Ok((leased == 1).then(|| Lease::new(no, holder, now, until, stored)))
}

pub(crate) fn lease_by_return_key(
    transaction: &Transaction<'_>,
    hash: ReturnKeyHash,
    holder: &str,
    duration: Duration,
    now: DateTime<Utc>,
) -> Result<ByReturnKey, StoreError> {
    let found = one(
        transaction,
        "SELECT job.id, stage, leased_until, purpose, used_at, until \
         FROM return_key JOIN job ON job.id = return_key.job WHERE hash = ?1",
        params![hash.octets()],
        |row| {
            let until = optional_time(row, "leased_until")?.unwrap_or(now);
            Ok((job_id(row, "id")?, stage(row)?, until, return_key(row)?))
        },
    )?;
    let Some((job, stage, until, key)) = found else { return Ok(ByReturnKey::Unknown) };
    if stage.is_final() {
        return Ok(ByReturnKey::Ended { job, stage, key });
    }
    Ok(match lease(transaction, job, holder, duration, now)? {
        Some(lease) => ByReturnKey::Leased { lease: Box::new(lease), key },
        None => ByReturnKey::Busy { job, stage, until },
    })
}

pub(crate) fn lease_many(
    transaction: &Transaction<'_>,
    which: JobSelection,
    n: u32,
    holder: &str,
    duration: Duration,
    now: DateTime<Utc>,
) -> Result<Vec<Lease>, StoreError> {
    let n = n.min(MAX_PER_CALL);
    let not_leased = "(leased_until IS NULL OR leased_until <= ?1)";
    let id = |row: &rusqlite::Row<'_>| job_id(row, "id");
    let ids = match which {
        JobSelection::Due | JobSelection::Expired => {
            let time = if matches!(which, JobSelection::Due) { "due_at" } else { "expires_at" };
            let sql = format!(
                "SELECT id FROM job WHERE {time} <= ?1 AND {not_leased} \
                 ORDER BY {time}, id LIMIT ?2"
            );
            all(transaction, &sql, params![ms(now), n], id)?
        }
        JobSelection::SealedWith(key) => {
            let sql = format!(
                "SELECT id FROM job WHERE {not_leased} AND id IN ( \
                 SELECT job FROM body WHERE key_id = ?3 \
                 UNION SELECT job FROM item WHERE key_id = ?3) \
                 ORDER BY created_at, id LIMIT ?2"
            );
            all(transaction, &sql, params![ms(now), n, key.0], id)?
        }
    };
    ids.into_iter()
        .filter_map(|id| lease(transaction, id, holder, duration, now).transpose())
        .collect()
}

pub(crate) fn put(
    transaction: &Transaction<'_>,
    lease: &Lease,
    version: u64,
    change: Change,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let id = lease.job();
    let (mut stored, last_lease) = job(transaction, id, Some(change.body.clone()))?;
    stored.check_fence(last_lease, now, lease, version)?;
    let touched = stored.apply(&change, now)?;
    execute(
        transaction,
        "UPDATE job SET version = ?2, stage = ?3, intent = ?4, tries = ?5, due_at = ?6, \
         expires_at = ?7, purge_at = ?8, changed_at = ?9 WHERE id = ?1",
        params![
            id.octets(),
            integer(stored.version)?,
            stored.stage.name(),
            stored.intent.map(ades_session::store::Intent::name),
            stored.tries,
            stored.due_at.map(ms),
            stored.expires_at.map(ms),
            stored.purge_at.map(ms),
            ms(now),
        ],
    )?;
    execute(
        transaction,
        "UPDATE body SET key_id = ?2, octets = ?3 WHERE job = ?1",
        params![id.octets(), stored.body.key.0, stored.body.octets],
    )?;
    write_rows(transaction, &stored, &touched)?;
    write_return_keys(transaction, id, &change, now)?;
    events::write(transaction, id, &change.events, now)?;
    Ok(stored.version)
}

/// Writes the batches and items that a change has touched. Batches that end come
/// first, because the index allows one open batch at any time.
fn write_rows(
    transaction: &Transaction<'_>,
    stored: &Stored,
    touched: &Touched,
) -> Result<(), StoreError> {
    let mut batches: Vec<_> =
        stored.batches.iter().filter(|batch| touched.batches.contains(&batch.no)).collect();
    batches.sort_by_key(|batch| batch.state.is_open());
    for batch in batches {
        execute(
            transaction,
            "INSERT INTO batch (job, no, request_id, state, asked_at) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (job, no) DO UPDATE SET request_id = ?3, state = ?4",
            params![
                stored.id.octets(),
                batch.no,
                batch.request_id,
                batch.state.name(),
                ms(batch.asked_at)
            ],
        )?;
    }
    for item in stored.items.iter().filter(|item| touched.items.contains(&item.no)) {
        execute(
            transaction,
            "INSERT INTO item (job, no, batch, digest, key_id, value, container_digest) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (job, no) DO UPDATE SET \
             batch = ?3, digest = ?4, key_id = ?5, value = ?6, container_digest = ?7",
            params![
                stored.id.octets(),
                item.no,
                item.batch,
                item.digest,
                item.value.as_ref().map(|value| value.key.0),
                item.value.as_ref().map(|value| &value.octets),
                item.container_digest,
            ],
        )?;
    }
    Ok(())
}

fn write_return_keys(
    transaction: &Transaction<'_>,
    job: JobId,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for key in &change.return_keys {
        let written = execute(
            transaction,
            "INSERT INTO return_key (hash, job, purpose, until) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (hash) DO UPDATE SET purpose = ?3, until = ?4 WHERE job = ?2",
            params![key.hash.octets(), job.octets(), key.purpose.name(), ms(key.until.from(now))],
        )?;
        if written == 0 {
            return Err(StoreError::Invariant(Invariant::Once { what: "return key" }));
        }
    }
    for hash in &change.used_return_keys {
        execute(
            transaction,
            "UPDATE return_key SET used_at = ?3 WHERE hash = ?1 AND job = ?2 AND used_at IS NULL",
            params![hash.octets(), job.octets(), ms(now)],
        )?;
    }
    Ok(())
}

pub(crate) fn renew(
    transaction: &Transaction<'_>,
    lease: Lease,
    duration: Duration,
    now: DateTime<Utc>,
) -> Result<Lease, StoreError> {
    let until = When::In(duration).from(now);
    let renewed = execute(
        transaction,
        "UPDATE job SET leased_until = ?3 WHERE id = ?1 AND lease_no = ?2 AND leased_until > ?4",
        params![lease.job().octets(), integer(lease.no)?, ms(until), ms(now)],
    )?;
    if renewed == 1 {
        return Ok(Lease::new(lease.no, lease.holder, now, until, lease.stored));
    }
    let sql = "SELECT 1 FROM job WHERE id = ?1";
    let exists = one(transaction, sql, params![lease.job().octets()], |_| Ok(()))?;
    exists.ok_or(StoreError::NotFound)?;
    Err(StoreError::LeaseLost { lease: lease.no })
}

pub(crate) fn release(
    transaction: &Transaction<'_>,
    job: JobId,
    lease: u64,
) -> Result<(), StoreError> {
    let sql = "UPDATE job SET leased_until = NULL WHERE id = ?1 AND lease_no = ?2";
    execute(transaction, sql, params![job.octets(), integer(lease)?]).map(drop)
}

pub(crate) fn remove(
    transaction: &Transaction<'_>,
    lease: &Lease,
    version: u64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let id = lease.job();
    let (stored, last_lease) = job(transaction, id, Some(lease.stored.body.clone()))?;
    stored.check_fence(last_lease, now, lease, version)?;
    delete(transaction, id)
}

fn delete(transaction: &Transaction<'_>, job: JobId) -> Result<(), StoreError> {
    execute(transaction, "DELETE FROM job WHERE id = ?1", params![job.octets()]).map(drop)
}

pub(crate) fn purge(
    transaction: &Transaction<'_>,
    n: u32,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let stages: Vec<String> = Stage::ALL
        .iter()
        .filter(|stage| stage.is_final())
        .map(|stage| format!("'{stage}'"))
        .collect();
    let sql = format!(
        "SELECT id FROM job WHERE purge_at <= ?1 AND stage IN ({}) \
         AND (leased_until IS NULL OR leased_until <= ?1) \
         AND NOT EXISTS (SELECT 1 FROM item WHERE item.job = job.id \
                         AND value IS NOT NULL AND container_digest IS NULL) \
         AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.job = job.id AND delivered_at IS NULL) \
         ORDER BY purge_at, id LIMIT ?2",
        stages.join(", ")
    );
    let ids =
        all(transaction, &sql, params![ms(now), n.min(MAX_PER_CALL)], |row| job_id(row, "id"))?;
    ids.iter().try_for_each(|id| delete(transaction, *id))?;
    Ok(ids.len() as u64)
}

pub(crate) fn keys_in_use(transaction: &Transaction<'_>) -> Result<Vec<(KeyId, u64)>, StoreError> {
    all(
        transaction,
        "SELECT key_id, count(*) AS n FROM (SELECT key_id FROM body \
         UNION ALL SELECT key_id FROM item UNION ALL SELECT key_id FROM outbox) \
         WHERE key_id IS NOT NULL GROUP BY key_id ORDER BY key_id",
        params![],
        |row| {
            let n = column::<i64>(row, "n")?.try_into().map_err(StoreError::unavailable)?;
            Ok((KeyId(row.get("key_id").map_err(unavailable)?), n))
        },
    )
}
