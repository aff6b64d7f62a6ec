//! Jobs: every function runs in a transaction of its caller.

use std::time::{Duration, SystemTime};

use ades_session::store::{
    ByReturnKey, Change, Created, Intent, Invariant, JobId, JobSelection, KeyId, Lease,
    MAX_PER_CALL, NewJob, ReturnKeyHash, Sealed, Stage, StoreError, Stored, Touched, When,
};
use chrono::{DateTime, Utc};

use crate::events;
use crate::rows::{self, job_id, number, optional_time, return_key, stage};
use crate::session::Session;

const WITHOUT_BODY: &str = "id, tenant, application_key, signer, version, stage, intent, tries, \
                            due_at, expires_at, purge_at, created_at, changed_at, lease_no, \
                            leased_until";

/// A version or a lease's number as PostgreSQL stores it.
pub(crate) fn integer(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(StoreError::unavailable)
}

fn system_time(time: DateTime<Utc>) -> SystemTime {
    time.into()
}

pub(crate) async fn create(session: &Session<'_>, job: NewJob) -> Result<Created, StoreError> {
    job.check()?;
    let new = Stored::created(job, session.now().await?);
    let inserted = session
        .execute(
            "INSERT INTO ades_job (id, tenant, application_key, signer, version, stage, tries, \
             due_at, expires_at, purge_at, created_at, changed_at, lease_no, key_id, body) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, 0, $12, $13) \
             ON CONFLICT DO NOTHING",
            &[
                &new.id.octets().as_slice(),
                &new.tenant,
                &new.application_key,
                &new.signer,
                &integer(new.version)?,
                &new.stage.name(),
                &i64::from(new.tries),
                &new.due_at.map(system_time),
                &new.expires_at.map(system_time),
                &new.purge_at.map(system_time),
                &system_time(new.created_at),
                &i64::from(new.body.key.0),
                &new.body.octets,
            ],
        )
        .await?;
    if inserted == 1 {
        return Ok(Created::New(new.id));
    }
    let existing = find(session, &new.tenant, &new.application_key).await?;
    existing
        .map(Created::Existing)
        .ok_or(StoreError::Invariant(Invariant::Once { what: "job's name" }))
}

pub(crate) async fn get(session: &Session<'_>, id: JobId) -> Result<Stored, StoreError> {
    load(session, &[id]).await?.pop().map(|(stored, _)| stored).ok_or(StoreError::NotFound)
}

pub(crate) async fn find(
    session: &Session<'_>,
    tenant: &str,
    application_key: &str,
) -> Result<Option<JobId>, StoreError> {
    let sql = "SELECT id FROM ades_job WHERE tenant = $1 AND application_key = $2";
    let row = session.query_opt(sql, &[&tenant, &application_key]).await?;
    row.as_ref().map(|row| job_id(row, "id")).transpose()
}

/// Jobs in the order of the ids, with the numbers of their last leases.
async fn load(session: &Session<'_>, ids: &[JobId]) -> Result<Vec<(Stored, u64)>, StoreError> {
    let octets: Vec<Vec<u8>> = ids.iter().map(|id| id.octets().to_vec()).collect();
    let rows = session.query("SELECT * FROM ades_job WHERE id = ANY($1)", &[&octets]).await?;
    let mut jobs: Vec<(Stored, u64)> =
        rows.iter().map(|row| rows::job(row, None)).collect::<Result<_, _>>()?;
    add_rows(session, jobs.iter_mut().map(|(stored, _)| stored), &octets).await?;
    jobs.sort_by_key(|(stored, _)| ids.iter().position(|id| *id == stored.id));
    Ok(jobs)
}

/// Reads the batches and items of jobs.
async fn add_rows(
    session: &Session<'_>,
    jobs: impl Iterator<Item = &mut Stored>,
    ids: &Vec<Vec<u8>>,
) -> Result<(), StoreError> {
    // Both statements are sent before the first answer.
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [ids];
    let (batches, items) = tokio::try_join!(
        session.query("SELECT * FROM ades_batch WHERE job = ANY($1) ORDER BY no", &parameters),
        session.query("SELECT * FROM ades_item WHERE job = ANY($1) ORDER BY no", &parameters),
    )?;
    let mut batches = rows::batches(&batches)?;
    let mut items = rows::items(&items)?;
    for job in jobs {
        job.batches = batches.remove(&job.id).unwrap_or_default();
        job.items = items.remove(&job.id).unwrap_or_default();
    }
    Ok(())
}

/// Locks a job's row until the end of the transaction, and reads the job. `body`
/// takes the place of the stored one, which is not read.
async fn lock(session: &Session<'_>, id: JobId, body: Sealed) -> Result<(Stored, u64), StoreError> {
    let octets = id.octets().to_vec();
    let sql = format!("SELECT {WITHOUT_BODY} FROM ades_job WHERE id = $1 FOR UPDATE");
    let row = session.query_opt(&sql, &[&octets]).await?.ok_or(StoreError::NotFound)?;
    let (mut stored, last_lease) = rows::job(&row, Some(body))?;
    add_rows(session, std::iter::once(&mut stored), &vec![octets]).await?;
    Ok((stored, last_lease))
}

pub(crate) async fn lease(
    session: &Session<'_>,
    id: JobId,
    holder: &str,
    duration: Duration,
) -> Result<Option<Lease>, StoreError> {
    let sql = "SELECT leased_until FROM ades_job WHERE id = $1 FOR UPDATE";
    let row = session.query_opt(sql, &[&id.octets().as_slice()]).await?;
    let row = row.ok_or(StoreError::NotFound)?;
    let now = session.now().await?;
    if optional_time(&row, "leased_until")?.is_some_and(|until| until > now) {
        return Ok(None);
    }
    Ok(give_leases(session, &[id], holder, duration, now).await?.pop())
}

/// Leases jobs whose rows are locked.
async fn give_leases(
    session: &Session<'_>,
    ids: &[JobId],
    holder: &str,
    duration: Duration,
    now: DateTime<Utc>,
) -> Result<Vec<Lease>, StoreError> {
    let until = When::In(duration).from(now);
    let octets: Vec<Vec<u8>> = ids.iter().map(|id| id.octets().to_vec()).collect();
    session
        .execute(
            "UPDATE ades_job SET lease_no = lease_no + 1, leased_by = $2, leased_until = $3 \
             WHERE id = ANY($1)",
            &[&octets, &holder, &system_time(until)],
        )
        .await?;
    let jobs = load(session, ids).await?.into_iter();
    Ok(jobs.map(|(stored, no)| Lease::new(no, holder, now, until, stored)).collect())
}

pub(crate) async fn lease_by_return_key(
    session: &Session<'_>,
    hash: ReturnKeyHash,
    holder: &str,
    duration: Duration,
) -> Result<ByReturnKey, StoreError> {
    let row = session
        .query_opt(
            "SELECT ades_job.id, stage, leased_until, purpose, used_at, until \
             FROM ades_return_key JOIN ades_job ON ades_job.id = job WHERE hash = $1 \
             FOR UPDATE OF ades_job",
            &[&hash.octets().as_slice()],
        )
        .await?;
    let Some(row) = row else { return Ok(ByReturnKey::Unknown) };
    let (job, stage, key) = (job_id(&row, "id")?, stage(&row)?, return_key(&row)?);
    if stage.is_final() {
        return Ok(ByReturnKey::Ended { job, stage, key });
    }
    let now = session.now().await?;
    if let Some(until) = optional_time(&row, "leased_until")?.filter(|until| *until > now) {
        return Ok(ByReturnKey::Busy { job, stage, until });
    }
    let lease = give_leases(session, &[job], holder, duration, now).await?.pop();
    let lease = Box::new(lease.ok_or(StoreError::NotFound)?);
    Ok(ByReturnKey::Leased { lease, key })
}

pub(crate) async fn lease_many(
    session: &Session<'_>,
    which: JobSelection,
    n: u32,
    holder: &str,
    duration: Duration,
) -> Result<Vec<Lease>, StoreError> {
    let now = session.now().await?;
    let not_leased = "(leased_until IS NULL OR leased_until <= $1)";
    let (condition, order, key) = match which {
        JobSelection::Due => ("due_at <= $1 AND $3::bigint IS NULL", "due_at", None),
        JobSelection::Expired => ("expires_at <= $1 AND $3::bigint IS NULL", "expires_at", None),
        JobSelection::SealedWith(KeyId(key)) => (
            "id IN (SELECT id FROM ades_job WHERE key_id = $3::bigint \
             UNION SELECT job FROM ades_item WHERE key_id = $3::bigint)",
            "created_at",
            Some(i64::from(key)),
        ),
    };
    // A row that another process has locked is that process's.
    let sql = format!(
        "SELECT id FROM ades_job WHERE {condition} AND {not_leased} \
         ORDER BY {order}, id LIMIT $2 FOR UPDATE SKIP LOCKED"
    );
    let n = i64::from(n.min(MAX_PER_CALL));
    let rows = session.query(&sql, &[&system_time(now), &n, &key]).await?;
    let ids: Vec<JobId> = rows.iter().map(|row| job_id(row, "id")).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    give_leases(session, &ids, holder, duration, now).await
}

pub(crate) async fn put(
    session: &Session<'_>,
    lease: &Lease,
    version: u64,
    change: &Change,
) -> Result<u64, StoreError> {
    let (mut stored, last_lease) = lock(session, lease.job(), change.body.clone()).await?;
    let now = session.now().await?;
    stored.check_fence(last_lease, now, lease, version)?;
    let touched = stored.apply(change, now)?;
    session
        .execute(
            "UPDATE ades_job SET version = $2, stage = $3, intent = $4, tries = $5, due_at = $6, \
             expires_at = $7, purge_at = $8, changed_at = $9, key_id = $10, body = $11 \
             WHERE id = $1",
            &[
                &stored.id.octets().as_slice(),
                &integer(stored.version)?,
                &stored.stage.name(),
                &stored.intent.map(Intent::name),
                &i64::from(stored.tries),
                &stored.due_at.map(system_time),
                &stored.expires_at.map(system_time),
                &stored.purge_at.map(system_time),
                &system_time(now),
                &i64::from(stored.body.key.0),
                &stored.body.octets,
            ],
        )
        .await?;
    write_batches(session, &stored, &touched).await?;
    write_items(session, &stored, &touched).await?;
    write_return_keys(session, stored.id, change, now).await?;
    events::write(session, stored.id, &change.events, now).await?;
    Ok(stored.version)
}

/// Writes the batches that a change has touched. Those that end come first, because
/// the index allows one open batch at any time.
async fn write_batches(
    session: &Session<'_>,
    stored: &Stored,
    touched: &Touched,
) -> Result<(), StoreError> {
    let mut batches: Vec<_> =
        stored.batches.iter().filter(|batch| touched.batches.contains(&batch.no)).collect();
    batches.sort_by_key(|batch| batch.state.is_open());
    for batch in batches {
        session
            .execute(
                "INSERT INTO ades_batch (job, no, request_id, state, asked_at) \
                 VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (job, no) DO UPDATE SET request_id = $3, state = $4",
                &[
                    &stored.id.octets().as_slice(),
                    &i64::from(batch.no),
                    &batch.request_id,
                    &batch.state.name(),
                    &system_time(batch.asked_at),
                ],
            )
            .await?;
    }
    Ok(())
}

/// Writes the items that a change has touched, in one statement: a batch has 70 of
/// them.
async fn write_items(
    session: &Session<'_>,
    stored: &Stored,
    touched: &Touched,
) -> Result<(), StoreError> {
    let items: Vec<_> =
        stored.items.iter().filter(|item| touched.items.contains(&item.no)).collect();
    if items.is_empty() {
        return Ok(());
    }
    let nos: Vec<i64> = items.iter().map(|item| i64::from(item.no)).collect();
    let batches: Vec<i64> = items.iter().map(|item| i64::from(item.batch)).collect();
    let digests: Vec<&[u8]> = items.iter().map(|item| item.digest.as_slice()).collect();
    let values = || items.iter().map(|item| item.value.as_ref());
    let keys: Vec<Option<i64>> = values().map(|v| v.map(|v| i64::from(v.key.0))).collect();
    let octets: Vec<Option<&[u8]>> = values().map(|v| v.map(|v| v.octets.as_slice())).collect();
    let containers: Vec<Option<&[u8]>> =
        items.iter().map(|item| item.container_digest.as_deref()).collect();
    session
        .execute(
            "INSERT INTO ades_item (job, no, batch, digest, key_id, value, container_digest) \
             SELECT $1::bytea, * FROM unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], \
                                      $6::bytea[], $7::bytea[]) \
             ON CONFLICT (job, no) DO UPDATE SET batch = excluded.batch, \
             digest = excluded.digest, key_id = excluded.key_id, value = excluded.value, \
             container_digest = excluded.container_digest",
            &[
                &stored.id.octets().as_slice(),
                &nos,
                &batches,
                &digests,
                &keys,
                &octets,
                &containers,
            ],
        )
        .await
        .map(drop)
}

async fn write_return_keys(
    session: &Session<'_>,
    job: JobId,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let job = job.octets();
    for key in &change.return_keys {
        let written = session
            .execute(
                "INSERT INTO ades_return_key AS this (hash, job, purpose, until) \
                 VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO UPDATE \
                 SET purpose = $3, until = $4 WHERE this.job = $2",
                &[
                    &key.hash.octets().as_slice(),
                    &job.as_slice(),
                    &key.purpose.name(),
                    &system_time(key.until.from(now)),
                ],
            )
            .await?;
        if written == 0 {
            return Err(StoreError::Invariant(Invariant::Once { what: "return key" }));
        }
    }
    for hash in &change.used_return_keys {
        session
            .execute(
                "UPDATE ades_return_key SET used_at = $3 \
                 WHERE hash = $1 AND job = $2 AND used_at IS NULL",
                &[&hash.octets().as_slice(), &job.as_slice(), &system_time(now)],
            )
            .await?;
    }
    Ok(())
}

pub(crate) async fn renew(
    session: &Session<'_>,
    lease: &Lease,
    duration: Duration,
) -> Result<Lease, StoreError> {
    let sql = "SELECT lease_no, leased_until FROM ades_job WHERE id = $1 FOR UPDATE";
    let id = lease.job().octets();
    let row = session.query_opt(sql, &[&id.as_slice()]).await?.ok_or(StoreError::NotFound)?;
    let now = session.now().await?;
    let lasts = optional_time(&row, "leased_until")?.is_some_and(|until| until > now);
    if !lasts || number::<u64>(&row, "lease_no")? != lease.no {
        return Err(StoreError::LeaseLost { lease: lease.no });
    }
    let until = When::In(duration).from(now);
    let sql = "UPDATE ades_job SET leased_until = $2 WHERE id = $1";
    session.execute(sql, &[&id.as_slice(), &system_time(until)]).await?;
    Ok(Lease::new(lease.no, &*lease.holder, now, until, lease.stored.clone()))
}

pub(crate) async fn release(session: &Session<'_>, lease: &Lease) -> Result<(), StoreError> {
    let sql = "UPDATE ades_job SET leased_until = NULL WHERE id = $1 AND lease_no = $2";
    let id = lease.job().octets();
    session.execute(sql, &[&id.as_slice(), &integer(lease.no)?]).await.map(drop)
}

pub(crate) async fn remove(
    session: &Session<'_>,
    lease: &Lease,
    version: u64,
) -> Result<(), StoreError> {
    let (stored, last_lease) = lock(session, lease.job(), lease.stored.body.clone()).await?;
    stored.check_fence(last_lease, session.now().await?, lease, version)?;
    let sql = "DELETE FROM ades_job WHERE id = $1";
    session.execute(sql, &[&stored.id.octets().as_slice()]).await.map(drop)
}

pub(crate) async fn purge(session: &Session<'_>, n: u32) -> Result<u64, StoreError> {
    let now = session.now().await?;
    let stages: Vec<&str> =
        Stage::ALL.iter().filter(|stage| stage.is_final()).map(|stage| stage.name()).collect();
    session
        .execute(
            "WITH old AS MATERIALIZED ( \
             SELECT id FROM ades_job AS this WHERE purge_at <= $1 AND stage = ANY($2) \
             AND (leased_until IS NULL OR leased_until <= $1) \
             AND NOT EXISTS (SELECT 1 FROM ades_item WHERE job = this.id \
                             AND value IS NOT NULL AND container_digest IS NULL) \
             AND NOT EXISTS (SELECT 1 FROM ades_outbox WHERE job = this.id \
                             AND delivered_at IS NULL) \
             ORDER BY purge_at, id LIMIT $3 FOR UPDATE SKIP LOCKED) \
             DELETE FROM ades_job USING old WHERE ades_job.id = old.id",
            &[&system_time(now), &stages, &i64::from(n.min(MAX_PER_CALL))],
        )
        .await
}

pub(crate) async fn keys_in_use(session: &Session<'_>) -> Result<Vec<(KeyId, u64)>, StoreError> {
    let rows = session
        .query(
            "SELECT key_id, count(*) AS n FROM (SELECT key_id FROM ades_job \
             UNION ALL SELECT key_id FROM ades_item \
             UNION ALL SELECT key_id FROM ades_outbox) AS sealed \
             WHERE key_id IS NOT NULL GROUP BY key_id ORDER BY key_id",
            &[],
        )
        .await?;
    let key = |row| Ok((KeyId(number(row, "key_id")?), number(row, "n")?));
    rows.iter().map(key).collect()
}
