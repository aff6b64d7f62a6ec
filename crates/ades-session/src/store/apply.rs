//! What a change does to a job, and which changes are refused. Every store uses
//! these rules inside its transaction; the constraints of a database are a second
//! line.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::change::{BatchChange, Change, ItemChange};
use super::error::{Invariant, StoreError, StoreLimit};
use super::job::{Batch, Item, NewJob, Sealed, Stored};
use super::lease::Lease;
use super::{
    MAX_BATCHES, MAX_BODY_LEN, MAX_DIGEST_LEN, MAX_EVENT_LEN, MAX_ITEMS, MAX_LEASE, MAX_NAME_LEN,
    MAX_PER_CHANGE, MAX_VALUE_LEN,
};

/// The rows of a job that a change has touched. A store writes these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Touched {
    /// The numbers of the batches
    pub batches: BTreeSet<u32>,
    /// The numbers of the items
    pub items: BTreeSet<u32>,
}

/// Checks who wants a lease, and for how long.
///
/// # Errors
/// [`StoreError::Limit`].
pub fn check_lease(holder: &str, duration: Duration) -> Result<(), StoreError> {
    check_name(holder)?;
    check_duration(duration)
}

/// Checks for how long a job or an event is to be held.
///
/// # Errors
/// [`StoreError::Limit`].
pub fn check_duration(duration: Duration) -> Result<(), StoreError> {
    limit(duration <= MAX_LEASE, StoreLimit::Lease)
}

const fn limit(within: bool, limit: StoreLimit) -> Result<(), StoreError> {
    if within { Ok(()) } else { Err(StoreError::Limit(limit)) }
}

const fn ensure(holds: bool, otherwise: Invariant) -> Result<(), StoreError> {
    if holds { Ok(()) } else { Err(StoreError::Invariant(otherwise)) }
}

fn check_name(name: &str) -> Result<(), StoreError> {
    // PostgreSQL stores no NUL in text.
    limit(name.len() <= MAX_NAME_LEN && !name.contains('\0'), StoreLimit::NameLen)
}

fn check_body(body: &Sealed) -> Result<(), StoreError> {
    limit(body.octets.len() <= MAX_BODY_LEN, StoreLimit::BodyLen)
}

impl NewJob {
    /// Checks the limits.
    ///
    /// # Errors
    /// [`StoreError::Limit`].
    pub fn check(&self) -> Result<(), StoreError> {
        check_name(&self.tenant)?;
        check_name(&self.application_key)?;
        check_name(&self.signer)?;
        check_body(&self.body)
    }
}

impl Change {
    fn check(&self) -> Result<(), StoreError> {
        check_body(&self.body)?;
        let most = self
            .batches
            .len()
            .max(self.return_keys.len())
            .max(self.used_return_keys.len())
            .max(self.events.len());
        limit(most <= MAX_PER_CHANGE, StoreLimit::PerChange)?;
        for batch in &self.batches {
            limit(batch.no < MAX_BATCHES, StoreLimit::Batches)?;
            batch.request_id.as_deref().map_or(Ok(()), check_name)?;
        }
        for item in &self.items {
            match item {
                ItemChange::Asked { no, digest, .. } => {
                    limit(*no < MAX_ITEMS, StoreLimit::Items)?;
                    limit(digest.len() <= MAX_DIGEST_LEN, StoreLimit::DigestLen)?;
                }
                ItemChange::Container { digest, .. } => {
                    limit(digest.len() <= MAX_DIGEST_LEN, StoreLimit::DigestLen)?;
                }
                ItemChange::Value { value, .. } | ItemChange::Resealed { value, .. } => {
                    limit(value.octets.len() <= MAX_VALUE_LEN, StoreLimit::ValueLen)?;
                }
            }
        }
        self.events
            .iter()
            .filter_map(|event| event.body.as_ref())
            .try_for_each(|body| limit(body.octets.len() <= MAX_EVENT_LEN, StoreLimit::EventLen))
    }
}

impl Stored {
    /// Checks that a process may change this job: `last_lease` is the number of the
    /// job's last lease, `now` the store's time, and both were read in the
    /// transaction that writes.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] and [`StoreError::Conflict`].
    pub fn check_fence(
        &self,
        last_lease: u64,
        now: DateTime<Utc>,
        lease: &Lease,
        version: u64,
    ) -> Result<(), StoreError> {
        if last_lease != lease.no || self.leased_until.is_none_or(|until| until <= now) {
            return Err(StoreError::LeaseLost { lease: lease.no });
        }
        if self.version == version {
            Ok(())
        } else {
            Err(StoreError::Conflict { expected: version, found: self.version })
        }
    }

    /// Whether a lease lasts.
    #[must_use]
    pub fn is_leased(&self, now: DateTime<Utc>) -> bool {
        self.leased_until.is_some_and(|until| until > now)
    }

    /// Whether the job can be purged once its time has come and its events are
    /// delivered: it is final, and every value has its container.
    #[must_use]
    pub fn is_disposable(&self) -> bool {
        let fetched = |item: &Item| item.value.is_none() || item.container_digest.is_some();
        self.stage.is_final() && self.items.iter().all(fetched)
    }

    /// Applies a change: everything except return keys and events, which are rows
    /// of their own. After an error, this job is not what is stored.
    ///
    /// # Errors
    /// [`StoreError::Limit`] and [`StoreError::Invariant`].
    pub fn apply(&mut self, change: &Change, now: DateTime<Utc>) -> Result<Touched, StoreError> {
        change.check()?;
        let mut touched = Touched::default();
        for batch in &change.batches {
            self.apply_batch(batch, now)?;
            touched.batches.insert(batch.no);
        }
        let mut open = self.batches.iter().filter(|batch| batch.state.is_open());
        if let (Some(first), Some(_)) = (open.next(), open.next()) {
            return Err(StoreError::Invariant(Invariant::OneOpenBatch { batch: first.no }));
        }
        for item in &change.items {
            touched.items.insert(self.apply_item(item)?);
        }
        self.version = self.version.saturating_add(1);
        self.stage = change.stage;
        self.intent = change.intent;
        self.body = change.body.clone();
        self.tries = change.tries;
        self.due_at = change.due.map(|when| when.from(now));
        self.expires_at = change.expires.map(|when| when.from(now));
        self.purge_at = change.purge.map(|when| when.from(now));
        self.changed_at = now;
        Ok(touched)
    }

    fn apply_batch(&mut self, change: &BatchChange, now: DateTime<Utc>) -> Result<(), StoreError> {
        let no = change.no;
        match self.batches.binary_search_by_key(&no, |batch| batch.no) {
            Ok(found) => {
                let Some(batch) = self.batches.get_mut(found) else { return Ok(()) };
                let ended = !batch.state.is_open() && batch.state != change.state;
                ensure(!ended, Invariant::BatchEnded { batch: no })?;
                batch.state = change.state;
                if let Some(request_id) = &change.request_id {
                    batch.request_id.clone_from(request_id);
                }
            }
            Err(place) => {
                let Some(request_id) = change.request_id.clone() else {
                    return Err(StoreError::Invariant(Invariant::Unknown { what: "batch", no }));
                };
                self.batches.insert(place, Batch::new(no, change.state, request_id, now));
            }
        }
        Ok(())
    }

    fn apply_item(&mut self, change: &ItemChange) -> Result<u32, StoreError> {
        if let ItemChange::Asked { no, batch, digest } = change {
            self.ask_for(*no, *batch, digest)?;
            return Ok(*no);
        }
        let (ItemChange::Asked { no, .. }
        | ItemChange::Value { no, .. }
        | ItemChange::Container { no, .. }
        | ItemChange::Resealed { no, .. }) = change;
        let Some(item) = self.items.iter_mut().find(|item| item.no == *no) else {
            return Err(StoreError::Invariant(Invariant::Unknown { what: "item", no: *no }));
        };
        let valued = || ensure(item.value.is_some(), Invariant::ValueFirst { item: *no });
        match change {
            ItemChange::Asked { .. } => {}
            ItemChange::Value { value, .. } => {
                ensure(item.value.is_none(), Invariant::OneValue { item: *no })?;
                item.value = Some(value.clone());
            }
            ItemChange::Container { digest, .. } => {
                valued()?;
                let same = item.container_digest.as_ref().is_none_or(|kept| kept == digest);
                ensure(same, Invariant::OneContainer { item: *no })?;
                item.container_digest = Some(digest.clone());
            }
            ItemChange::Resealed { value, .. } => {
                valued()?;
                item.value = Some(value.clone());
            }
        }
        Ok(*no)
    }

    fn ask_for(&mut self, no: u32, batch: u32, digest: &[u8]) -> Result<(), StoreError> {
        let is_open = |no| self.batches.iter().any(|b| b.no == no && b.state.is_open());
        ensure(is_open(batch), Invariant::Unknown { what: "open batch", no: batch })?;
        match self.items.binary_search_by_key(&no, |item| item.no) {
            Ok(found) => {
                let asked = self.items.get(found).is_some_and(|item| is_open(item.batch));
                let Some(item) = self.items.get_mut(found) else { return Ok(()) };
                ensure(item.value.is_none(), Invariant::OneValue { item: no })?;
                ensure(!asked || item.digest == digest, Invariant::DigestKept { item: no })?;
                item.batch = batch;
                digest.clone_into(&mut item.digest);
            }
            Err(place) => self.items.insert(place, Item::new(no, batch, digest.to_vec())),
        }
        Ok(())
    }
}
