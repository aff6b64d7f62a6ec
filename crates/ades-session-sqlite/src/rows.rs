//! Reading rows.

use ades_session::store::{
    Batch, BatchState, Event, EventId, EventKind, Intent, Item, JobId, KeyId, NewEvent, ReturnKey,
    ReturnPurpose, Sealed, Stage, StoreError, Stored,
};
use chrono::{DateTime, Utc};
use rusqlite::types::FromSql;
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// An error of SQLite.
pub(crate) fn unavailable(error: rusqlite::Error) -> StoreError {
    StoreError::unavailable(error)
}

const fn damaged(column: &'static str) -> StoreError {
    StoreError::Damaged { column }
}

pub(crate) fn column<T: FromSql>(row: &Row<'_>, name: &'static str) -> Result<T, StoreError> {
    row.get(name).map_err(unavailable)
}

pub(crate) const fn ms(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

pub(crate) fn optional_time(
    row: &Row<'_>,
    name: &'static str,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let Some(ms) = column::<Option<i64>>(row, name)? else { return Ok(None) };
    DateTime::from_timestamp_millis(ms).map(Some).ok_or(damaged(name))
}

fn time(row: &Row<'_>, name: &'static str) -> Result<DateTime<Utc>, StoreError> {
    optional_time(row, name)?.ok_or(damaged(name))
}

fn number<T: TryFrom<i64>>(row: &Row<'_>, name: &'static str) -> Result<T, StoreError> {
    column::<i64>(row, name)?.try_into().map_err(|_| damaged(name))
}

fn named<T>(
    row: &Row<'_>,
    name: &'static str,
    from_name: fn(&str) -> Option<T>,
) -> Result<T, StoreError> {
    from_name(&column::<String>(row, name)?).ok_or(damaged(name))
}

pub(crate) fn stage(row: &Row<'_>) -> Result<Stage, StoreError> {
    named(row, "stage", Stage::from_name)
}

pub(crate) fn job_id(row: &Row<'_>, name: &'static str) -> Result<JobId, StoreError> {
    Ok(JobId::from_random(column(row, name)?))
}

fn sealed(row: &Row<'_>, octets: &'static str) -> Result<Option<Sealed>, StoreError> {
    let Some(octets) = column::<Option<Vec<u8>>>(row, octets)? else { return Ok(None) };
    Ok(Some(Sealed::new(KeyId(number(row, "key_id")?), octets)))
}

/// Reads the rows of a query.
pub(crate) fn all<T>(
    transaction: &Transaction<'_>,
    sql: &str,
    parameters: impl rusqlite::Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = transaction.prepare(sql).map_err(unavailable)?;
    let mut rows = statement.query(parameters).map_err(unavailable)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(unavailable)? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Reads the only row of a query, if there is one.
pub(crate) fn one<T>(
    transaction: &Transaction<'_>,
    sql: &str,
    parameters: impl rusqlite::Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    transaction
        .query_row(sql, parameters, |row| Ok(read(row)))
        .optional()
        .map_err(unavailable)?
        .transpose()
}

/// Writes, and returns the number of rows.
pub(crate) fn execute(
    transaction: &Transaction<'_>,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<usize, StoreError> {
    transaction.execute(sql, parameters).map_err(unavailable)
}

/// A job, and the number of its last lease. With `body`, it takes the place of the
/// stored one, which is not read.
pub(crate) fn job(
    transaction: &Transaction<'_>,
    id: JobId,
    body: Option<Sealed>,
) -> Result<(Stored, u64), StoreError> {
    let octets = id.octets();
    let body = match body {
        Some(body) => body,
        None => one(
            transaction,
            "SELECT key_id, octets FROM body WHERE job = ?1",
            params![octets],
            |row| sealed(row, "octets"),
        )?
        .flatten()
        .ok_or(StoreError::NotFound)?,
    };
    let batches = all(
        transaction,
        "SELECT no, request_id, state, asked_at FROM batch WHERE job = ?1 ORDER BY no",
        params![octets],
        |row| {
            let state = named(row, "state", BatchState::from_name)?;
            let request_id = column(row, "request_id")?;
            Ok(Batch::new(number(row, "no")?, state, request_id, time(row, "asked_at")?))
        },
    )?;
    let items = all(
        transaction,
        "SELECT no, batch, digest, key_id, value, container_digest FROM item \
         WHERE job = ?1 ORDER BY no",
        params![octets],
        |row| {
            let digest = column(row, "digest")?;
            let mut item = Item::new(number(row, "no")?, number(row, "batch")?, digest);
            item.value = sealed(row, "value")?;
            item.container_digest = column(row, "container_digest")?;
            Ok(item)
        },
    )?;
    let sql = "SELECT * FROM job WHERE id = ?1";
    let read = |row: &Row<'_>| {
        // `created` sets every field that follows; then the row's own values replace
        // the initial ones.
        let mut stored = Stored::created(
            ades_session::store::NewJob::new(
                id,
                column::<String>(row, "tenant")?,
                column::<String>(row, "application_key")?,
                column::<String>(row, "signer")?,
                body.clone(),
            ),
            time(row, "created_at")?,
        );
        stored.version = number(row, "version")?;
        stored.stage = stage(row)?;
        stored.intent = column::<Option<String>>(row, "intent")?
            .map(|name| Intent::from_name(&name).ok_or(damaged("intent")))
            .transpose()?;
        stored.tries = number(row, "tries")?;
        stored.due_at = optional_time(row, "due_at")?;
        stored.expires_at = optional_time(row, "expires_at")?;
        stored.purge_at = optional_time(row, "purge_at")?;
        stored.changed_at = time(row, "changed_at")?;
        stored.leased_until = optional_time(row, "leased_until")?;
        stored.batches.clone_from(&batches);
        stored.items.clone_from(&items);
        Ok((stored, number(row, "lease_no")?))
    };
    one(transaction, sql, params![octets], read)?.ok_or(StoreError::NotFound)
}

pub(crate) fn return_key(row: &Row<'_>) -> Result<ReturnKey, StoreError> {
    let purpose = named(row, "purpose", ReturnPurpose::from_name)?;
    Ok(ReturnKey::new(purpose, optional_time(row, "used_at")?, time(row, "until")?))
}

pub(crate) fn event(row: &Row<'_>) -> Result<Event, StoreError> {
    let kind = named(row, "kind", EventKind::from_name)?;
    let mut new = NewEvent::new(EventId::from_random(column(row, "id")?), kind);
    new.body = sealed(row, "body")?;
    let happened_at = time(row, "happened_at")?;
    Ok(Event::new(
        number(row, "seq")?,
        job_id(row, "job")?,
        new,
        number(row, "tries")?,
        happened_at,
    ))
}
