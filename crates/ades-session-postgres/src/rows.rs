//! Reading rows.

use std::collections::HashMap;
use std::time::SystemTime;

use ades_session::store::{
    Batch, BatchState, Event, EventId, EventKind, Intent, Item, JobId, KeyId, NewEvent, NewJob,
    ReturnKey, ReturnPurpose, Sealed, Stage, StoreError, Stored,
};
use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

/// An error of PostgreSQL.
pub(crate) fn unavailable(error: tokio_postgres::Error) -> StoreError {
    StoreError::unavailable(error)
}

const fn damaged(column: &'static str) -> StoreError {
    StoreError::Damaged { column }
}

pub(crate) fn column<'a, T: FromSql<'a>>(
    row: &'a Row,
    name: &'static str,
) -> Result<T, StoreError> {
    row.try_get(name).map_err(unavailable)
}

pub(crate) fn optional_time(
    row: &Row,
    name: &'static str,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(column::<Option<SystemTime>>(row, name)?.map(Into::into))
}

fn time(row: &Row, name: &'static str) -> Result<DateTime<Utc>, StoreError> {
    Ok(column::<SystemTime>(row, name)?.into())
}

pub(crate) fn number<T: TryFrom<i64>>(row: &Row, name: &'static str) -> Result<T, StoreError> {
    column::<i64>(row, name)?.try_into().map_err(|_| damaged(name))
}

fn named<T>(
    row: &Row,
    name: &'static str,
    from_name: fn(&str) -> Option<T>,
) -> Result<T, StoreError> {
    from_name(column(row, name)?).ok_or(damaged(name))
}

pub(crate) fn stage(row: &Row) -> Result<Stage, StoreError> {
    named(row, "stage", Stage::from_name)
}

pub(crate) fn job_id(row: &Row, name: &'static str) -> Result<JobId, StoreError> {
    let octets = column::<&[u8]>(row, name)?.try_into().map_err(|_| damaged(name))?;
    Ok(JobId::from_random(octets))
}

fn sealed(row: &Row, octets: &'static str) -> Result<Option<Sealed>, StoreError> {
    let Some(octets) = column::<Option<Vec<u8>>>(row, octets)? else { return Ok(None) };
    Ok(Some(Sealed::new(KeyId(number(row, "key_id")?), octets)))
}

/// A job without batches and items, and the number of its last lease. With `body`,
/// it takes the place of the stored one, which need not be in the row.
pub(crate) fn job(row: &Row, body: Option<Sealed>) -> Result<(Stored, u64), StoreError> {
    let body = match body {
        Some(body) => body,
        None => sealed(row, "body")?.ok_or(damaged("body"))?,
    };
    let new = NewJob::new(
        job_id(row, "id")?,
        column::<String>(row, "tenant")?,
        column::<String>(row, "application_key")?,
        column::<String>(row, "signer")?,
        body,
    );
    let mut stored = Stored::created(new, time(row, "created_at")?);
    stored.version = number(row, "version")?;
    stored.stage = stage(row)?;
    stored.intent = column::<Option<&str>>(row, "intent")?
        .map(|name| Intent::from_name(name).ok_or(damaged("intent")))
        .transpose()?;
    stored.tries = number(row, "tries")?;
    stored.due_at = optional_time(row, "due_at")?;
    stored.expires_at = optional_time(row, "expires_at")?;
    stored.purge_at = optional_time(row, "purge_at")?;
    stored.changed_at = time(row, "changed_at")?;
    stored.leased_until = optional_time(row, "leased_until")?;
    Ok((stored, number(row, "lease_no")?))
}

/// The batches of jobs.
pub(crate) fn batches(rows: &[Row]) -> Result<HashMap<JobId, Vec<Batch>>, StoreError> {
    let mut found = HashMap::<_, Vec<_>>::new();
    for row in rows {
        let state = named(row, "state", BatchState::from_name)?;
        let request_id = column(row, "request_id")?;
        let batch = Batch::new(number(row, "no")?, state, request_id, time(row, "asked_at")?);
        found.entry(job_id(row, "job")?).or_default().push(batch);
    }
    Ok(found)
}

/// The items of jobs.
pub(crate) fn items(rows: &[Row]) -> Result<HashMap<JobId, Vec<Item>>, StoreError> {
    let mut found = HashMap::<_, Vec<_>>::new();
    for row in rows {
        let digest = column(row, "digest")?;
        let mut item = Item::new(number(row, "no")?, number(row, "batch")?, digest);
        item.value = sealed(row, "value")?;
        item.container_digest = column(row, "container_digest")?;
        found.entry(job_id(row, "job")?).or_default().push(item);
    }
    Ok(found)
}

pub(crate) fn return_key(row: &Row) -> Result<ReturnKey, StoreError> {
    let purpose = named(row, "purpose", ReturnPurpose::from_name)?;
    Ok(ReturnKey::new(purpose, optional_time(row, "used_at")?, time(row, "until")?))
}

pub(crate) fn event(row: &Row) -> Result<Event, StoreError> {
    let kind = named(row, "kind", EventKind::from_name)?;
    let id = column::<&[u8]>(row, "id")?.try_into().map_err(|_| damaged("id"))?;
    let mut new = NewEvent::new(EventId::from_random(id), kind);
    new.body = sealed(row, "body")?;
    let happened_at = time(row, "happened_at")?;
    let tries = number(row, "tries")?;
    Ok(Event::new(number(row, "seq")?, job_id(row, "job")?, new, tries, happened_at))
}
