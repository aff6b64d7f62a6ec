//! [`Table`]: the jobs of a store without a database.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::MAX_PER_CALL;
use super::apply::{check_duration, check_lease};
use super::change::{Change, When};
use super::error::{Invariant, StoreError};
use super::job::{Created, JobId, KeyId, NewJob, ReturnKeyHash, Stored};
use super::lease::{ByReturnKey, JobSelection, Lease, ReturnKey};
use super::outbox::{Event, EventId};

/// A job with everything that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRow {
    /// The job
    pub stored: Stored,
    /// The number of its last lease; 0 before the first one
    pub last_lease: u64,
    /// Its return keys, in the order in which they came
    pub return_keys: Vec<(ReturnKeyHash, ReturnKey)>,
    /// Its events that were not delivered, the oldest first
    pub outbox: Vec<PendingEvent>,
    /// The ids of all its events
    pub event_ids: Vec<EventId>,
}

/// An event that was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingEvent {
    /// The event
    pub event: Event,
    /// When it may be taken
    pub due_at: DateTime<Utc>,
}

impl PendingEvent {
    /// An event that may be taken from this time on.
    #[must_use]
    pub const fn new(event: Event, due_at: DateTime<Utc>) -> Self {
        Self { event, due_at }
    }
}

/// Jobs by name, with the rules of every store. A store without a database reads and writes it:
/// [`MemoryStore`](super::MemoryStore) has one, and a store in files fills one.
///
/// Nothing is written if a method returns an error. The store's present time is always an argument.
#[derive(Debug, Default)]
pub struct Table {
    rows: HashMap<JobId, JobRow>,
    touched: BTreeSet<JobId>,
    last_seq: u64,
}

impl JobRow {
    /// A job without leases, return keys and events.
    #[must_use]
    pub const fn new(stored: Stored) -> Self {
        Self {
            stored,
            last_lease: 0,
            return_keys: Vec::new(),
            outbox: Vec::new(),
            event_ids: Vec::new(),
        }
    }

    fn return_key(&self, hash: ReturnKeyHash) -> Option<ReturnKey> {
        self.return_keys.iter().find(|(own, _)| *own == hash).map(|(_, key)| *key)
    }

    fn has_lease(&self, lease: &Lease, now: DateTime<Utc>) -> bool {
        self.last_lease == lease.no && self.stored.is_leased(now)
    }

    /// Gives a lease, unless another one lasts.
    fn lease(&mut self, holder: &str, duration: Duration, now: DateTime<Utc>) -> Option<Lease> {
        if self.stored.is_leased(now) {
            return None;
        }
        let until = When::In(duration).from(now);
        self.last_lease = self.last_lease.saturating_add(1);
        self.stored.leased_until = Some(until);
        Some(Lease::new(self.last_lease, holder, now, until, self.stored.clone()))
    }

    fn apply(&mut self, change: Change, now: DateTime<Utc>, last_seq: &mut u64) {
        for key in change.return_keys {
            let used_at = self.return_key(key.hash).and_then(|known| known.used_at);
            let new = ReturnKey::new(key.purpose, used_at, key.until.from(now));
            match self.return_keys.iter_mut().find(|(own, _)| *own == key.hash) {
                Some((_, known)) => *known = new,
                None => self.return_keys.push((key.hash, new)),
            }
        }
        for (hash, key) in &mut self.return_keys {
            if change.used_return_keys.contains(hash) {
                key.used_at = key.used_at.or(Some(now));
            }
        }
        for event in change.events {
            *last_seq = last_seq.saturating_add(1);
            self.event_ids.push(event.id);
            let event = Event::new(*last_seq, self.stored.id, event, 0, now);
            self.outbox.push(PendingEvent::new(event, now));
        }
    }
}

impl Table {
    /// The job of this name.
    #[must_use]
    pub fn row(&self, job: JobId) -> Option<&JobRow> {
        self.rows.get(&job)
    }

    /// Puts a job as it was stored into the table. It does not count as touched.
    pub fn insert(&mut self, row: JobRow) {
        let seqs = row.outbox.iter().map(|pending| pending.event.seq);
        self.last_seq = seqs.max().unwrap_or_default().max(self.last_seq);
        self.rows.insert(row.stored.id, row);
    }

    /// Forgets a job that another process has removed or changed.
    pub fn forget(&mut self, job: JobId) {
        self.rows.remove(&job);
    }

    /// The jobs that were written or removed since the last call.
    pub fn take_touched(&mut self) -> BTreeSet<JobId> {
        std::mem::take(&mut self.touched)
    }

    fn known(&self, job: JobId) -> Result<&JobRow, StoreError> {
        self.rows.get(&job).ok_or(StoreError::NotFound)
    }

    /// For a change that cannot fail any more.
    fn touch(&mut self, job: JobId) -> Result<&mut JobRow, StoreError> {
        let row = self.rows.get_mut(&job).ok_or(StoreError::NotFound)?;
        self.touched.insert(job);
        Ok(row)
    }

    /// [`Store::create`](super::Store::create)
    ///
    /// # Errors
    /// As there.
    pub fn create(&mut self, job: NewJob, now: DateTime<Utc>) -> Result<Created, StoreError> {
        job.check()?;
        if let Some(existing) = self.find(&job.tenant, &job.application_key) {
            return Ok(Created::Existing(existing));
        }
        let id = job.id;
        if self.rows.contains_key(&id) {
            return Err(StoreError::Invariant(Invariant::Once { what: "job's name" }));
        }
        self.touched.insert(id);
        self.rows.insert(id, JobRow::new(Stored::created(job, now)));
        Ok(Created::New(id))
    }

    /// [`Store::get`](super::Store::get)
    ///
    /// # Errors
    /// As there.
    pub fn get(&self, job: JobId) -> Result<Stored, StoreError> {
        Ok(self.known(job)?.stored.clone())
    }

    /// [`Store::find`](super::Store::find)
    #[must_use]
    pub fn find(&self, tenant: &str, application_key: &str) -> Option<JobId> {
        let same = |job: &Stored| job.tenant == tenant && job.application_key == application_key;
        self.rows.values().map(|row| &row.stored).find(|job| same(job)).map(|job| job.id)
    }

    /// [`Store::lease`](super::Store::lease)
    ///
    /// # Errors
    /// As there.
    pub fn lease(
        &mut self,
        job: JobId,
        holder: &str,
        duration: Duration,
        now: DateTime<Utc>,
    ) -> Result<Option<Lease>, StoreError> {
        check_lease(holder, duration)?;
        if self.known(job)?.stored.is_leased(now) {
            return Ok(None);
        }
        Ok(self.touch(job)?.lease(holder, duration, now))
    }

    /// [`Store::lease_many`](super::Store::lease_many)
    ///
    /// # Errors
    /// As there.
    pub fn lease_many(
        &mut self,
        which: JobSelection,
        n: u32,
        holder: &str,
        duration: Duration,
        now: DateTime<Utc>,
    ) -> Result<Vec<Lease>, StoreError> {
        check_lease(holder, duration)?;
        // The jobs are leased in the order of this time, once it has come.
        let time = |job: &Stored| match which {
            JobSelection::Due => job.due_at,
            JobSelection::Expired => job.expires_at,
            JobSelection::SealedWith(key) => {
                let values = job.items.iter().filter_map(|item| item.value.as_ref());
                let mut sealed = std::iter::once(&job.body).chain(values);
                sealed.any(|sealed| sealed.key == key).then_some(job.created_at)
            }
        };
        let free = self.stored().filter(|job| !job.is_leased(now));
        let found = in_time(free.filter_map(|job| Some((time(job)?, job.id))), now, n);
        found
            .into_iter()
            .filter_map(|job| self.lease(job, holder, duration, now).transpose())
            .collect()
    }

    /// [`Store::lease_by_return_key`](super::Store::lease_by_return_key)
    ///
    /// # Errors
    /// As there.
    pub fn lease_by_return_key(
        &mut self,
        hash: ReturnKeyHash,
        holder: &str,
        duration: Duration,
        now: DateTime<Utc>,
    ) -> Result<ByReturnKey, StoreError> {
        check_lease(holder, duration)?;
        let found = self.rows.values().find_map(|row| Some((row, row.return_key(hash)?)));
        let Some((row, key)) = found else { return Ok(ByReturnKey::Unknown) };
        let (job, stage) = (row.stored.id, row.stored.stage);
        if stage.is_final() {
            return Ok(ByReturnKey::Ended { job, stage, key });
        }
        let until = row.stored.leased_until.unwrap_or(now);
        Ok(match self.lease(job, holder, duration, now)? {
            Some(lease) => ByReturnKey::Leased { lease: Box::new(lease), key },
            None => ByReturnKey::Busy { job, stage, until },
        })
    }

    /// [`Store::put`](super::Store::put)
    ///
    /// # Errors
    /// As there.
    pub fn put(
        &mut self,
        lease: &Lease,
        version: u64,
        change: Change,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let id = lease.job();
        let row = self.known(id)?;
        row.stored.check_fence(row.last_lease, now, lease, version)?;
        let mut stored = row.stored.clone();
        stored.apply(&change, now)?;
        let mut others = self.rows.values().filter(|row| row.stored.id != id);
        let foreign =
            |row: &JobRow| change.return_keys.iter().any(|key| row.return_key(key.hash).is_some());
        if others.any(foreign) {
            return Err(StoreError::Invariant(Invariant::Once { what: "return key" }));
        }
        let mut new = HashSet::new();
        let known = |id| self.rows.values().any(|row| row.event_ids.contains(&id));
        if change.events.iter().any(|event| !new.insert(event.id) || known(event.id)) {
            return Err(StoreError::Invariant(Invariant::Once { what: "event's id" }));
        }
        let (version, mut last_seq) = (stored.version, self.last_seq);
        let row = self.touch(id)?;
        row.stored = stored;
        row.apply(change, now, &mut last_seq);
        self.last_seq = last_seq;
        Ok(version)
    }

    /// [`Store::renew`](super::Store::renew)
    ///
    /// # Errors
    /// As there.
    pub fn renew(
        &mut self,
        lease: &Lease,
        duration: Duration,
        now: DateTime<Utc>,
    ) -> Result<Lease, StoreError> {
        check_duration(duration)?;
        if !self.known(lease.job())?.has_lease(lease, now) {
            return Err(StoreError::LeaseLost { lease: lease.no });
        }
        let until = When::In(duration).from(now);
        self.touch(lease.job())?.stored.leased_until = Some(until);
        Ok(Lease { now, until, ..lease.clone() })
    }

    /// [`Store::release`](super::Store::release)
    pub fn release(&mut self, lease: &Lease) {
        if self.row(lease.job()).is_some_and(|row| row.last_lease == lease.no)
            && let Ok(row) = self.touch(lease.job())
        {
            row.stored.leased_until = None;
        }
    }

    /// [`Store::remove`](super::Store::remove)
    ///
    /// # Errors
    /// As there.
    pub fn remove(
        &mut self,
        lease: &Lease,
        version: u64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let row = self.known(lease.job())?;
        row.stored.check_fence(row.last_lease, now, lease, version)?;
        self.drop_row(lease.job());
        Ok(())
    }

    fn drop_row(&mut self, job: JobId) {
        self.rows.remove(&job);
        self.touched.insert(job);
    }

    /// [`Store::purge`](super::Store::purge)
    pub fn purge(&mut self, n: u32, now: DateTime<Utc>) -> u64 {
        let sent = self.rows.values().filter(|row| row.outbox.is_empty()).map(|row| &row.stored);
        let over = sent.filter(|job| job.is_disposable() && !job.is_leased(now));
        let found = in_time(over.filter_map(|job| Some((job.purge_at?, job.id))), now, n);
        found.iter().for_each(|job| self.drop_row(*job));
        found.len() as u64
    }

    /// [`Store::outbox`](super::Store::outbox)
    ///
    /// # Errors
    /// As there.
    pub fn take_events(
        &mut self,
        n: u32,
        duration: Duration,
        now: DateTime<Utc>,
    ) -> Result<Vec<Event>, StoreError> {
        check_duration(duration)?;
        let first = self.rows.values().filter_map(|row| row.outbox.first());
        let due = first.filter(|pending| pending.due_at <= now);
        let mut found: Vec<_> = due.map(|due| (due.event.seq, due.event.job)).collect();
        found.sort_unstable();
        found.truncate(n.min(MAX_PER_CALL) as usize);
        let mut events = Vec::new();
        for (_, job) in found {
            if let Some(pending) = self.touch(job)?.outbox.first_mut() {
                pending.due_at = When::In(duration).from(now);
                pending.event.tries = pending.event.tries.saturating_add(1);
                events.push(pending.event.clone());
            }
        }
        Ok(events)
    }

    /// [`Store::delivered`](super::Store::delivered)
    pub fn delivered(&mut self, event: &Event) {
        if let Ok(row) = self.touch(event.job) {
            row.outbox.retain(|pending| pending.event.seq != event.seq);
        }
    }

    /// [`Store::failed`](super::Store::failed)
    pub fn failed(&mut self, event: &Event, retry_in: Duration, now: DateTime<Utc>) {
        let Ok(row) = self.touch(event.job) else { return };
        let same = |pending: &&mut PendingEvent| {
            pending.event.seq == event.seq && pending.event.tries == event.tries
        };
        if let Some(pending) = row.outbox.iter_mut().find(same) {
            pending.due_at = When::In(retry_in).from(now);
        }
    }

    /// [`Store::keys_in_use`](super::Store::keys_in_use)
    #[must_use]
    pub fn keys_in_use(&self) -> Vec<(KeyId, u64)> {
        let mut keys = BTreeMap::new();
        for row in self.rows.values() {
            let values = row.stored.items.iter().filter_map(|item| item.value.as_ref());
            let events = row.outbox.iter().filter_map(|pending| pending.event.body.as_ref());
            for sealed in std::iter::once(&row.stored.body).chain(values).chain(events) {
                *keys.entry(sealed.key).or_insert(0) += 1;
            }
        }
        keys.into_iter().collect()
    }

    fn stored(&self) -> impl Iterator<Item = &Stored> {
        self.rows.values().map(|row| &row.stored)
    }
}

/// At most `n` jobs whose time has come, the earliest first.
fn in_time(
    jobs: impl Iterator<Item = (DateTime<Utc>, JobId)>,
    now: DateTime<Utc>,
    n: u32,
) -> Vec<JobId> {
    let mut found: Vec<_> = jobs.filter(|(time, _)| *time <= now).collect();
    found.sort_unstable();
    found.truncate(n.min(MAX_PER_CALL) as usize);
    found.into_iter().map(|(_, job)| job).collect()
}
