//! A model of a driver: it takes a job through its stages. A [`Ledger`] stands in for
//! the service, the folder of the containers, and the receiver of events. The model
//! can be made to die or to pause at each [`Point`].

use std::io;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::ledger::Ledger;
use crate::clock::Clock;
use crate::store::{
    BatchChange, BatchState, Change, EventId, EventKind, Intent, Item, ItemChange, JobId,
    JobSelection, KeyId, Lease, NewEvent, NewJob, Sealed, Stage, Store, StoreError, Stored, When,
};

/// How long the model waits for a session to end beyond its life, so that a request
/// that was sent late has ended too.
const GRACE: u32 = 8;
/// Number of items of a batch.
const BATCH: usize = 2;

/// A point at which a process may die or pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    Leased,
    IntentStored,
    Asked,
    SessionStored,
    Read,
    ValuesStored,
    ContainerWritten,
    ContainersStored,
    Delivered,
}

impl Point {
    pub(super) const ALL: [Self; 9] = [
        Self::Leased,
        Self::IntentStored,
        Self::Asked,
        Self::SessionStored,
        Self::Read,
        Self::ValuesStored,
        Self::ContainerWritten,
        Self::ContainersStored,
        Self::Delivered,
    ];
}

/// Why a worker does not continue.
#[derive(Debug)]
pub(super) enum Stop {
    Died,
    Store(StoreError),
    Ledger(io::Error),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Ledger(error)
    }
}

/// Pseudo-random numbers (splitmix64). A test repeats with the same seed.
#[derive(Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn octets(&mut self) -> [u8; 16] {
        (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes()
    }

    fn body(&mut self, items: u32) -> Sealed {
        Sealed::new(KeyId(0), [items.to_be_bytes().as_slice(), &self.octets()].concat())
    }
}

/// A new job of the model, due at once. Its body has the number of its items.
pub(super) fn new_job(random: &mut Random, items: u32) -> NewJob {
    let id = JobId::from_random(random.octets());
    let mut job = NewJob::new(id, "model", id.to_string(), "ledger", random.body(items));
    job.due = Some(When::In(Duration::ZERO));
    job
}

/// The number of the job's items.
fn item_count(stored: &Stored) -> u32 {
    stored.body.octets.first_chunk().map_or(0, |count| u32::from_be_bytes(*count))
}

/// Whether every item of a job has its container.
pub(super) fn is_complete(stored: &Stored) -> bool {
    let written = stored.items.iter().filter(|item| item.container_digest.is_some());
    stored.stage == Stage::Done && written.count() == item_count(stored) as usize
}

/// A process that continues jobs.
pub(super) struct Worker<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) ledger: &'a Ledger,
    pub(super) clock: &'a dyn Clock,
    pub(super) holder: String,
    pub(super) lease: Duration,
    pub(super) random: Random,
    /// Pauses or not, and returns whether the process dies here
    pub(super) hazard: &'a mut (dyn FnMut(Point) -> bool + Send),
}

impl Worker<'_> {
    fn hazard(&mut self, point: Point) -> Result<(), Stop> {
        if (self.hazard)(point) { Err(Stop::Died) } else { Ok(()) }
    }

    fn change(&mut self, stored: &Stored, stage: Stage) -> Change {
        let mut change = Change::new(stored, stage, self.random.body(item_count(stored)));
        change.due = Some(When::In(Duration::ZERO));
        change
    }

    fn event(&mut self, kind: EventKind) -> NewEvent {
        NewEvent::new(EventId::from_random(self.random.octets()), kind)
    }

    /// Writes a change. If the answer is lost, the job says whether it was written.
    async fn put(&self, lease: &Lease, version: u64, change: Change) -> Result<u64, Stop> {
        let body = change.body.clone();
        match self.store.put(lease, version, change).await {
            Err(StoreError::Unavailable(source)) => {
                if self.store.get(lease.job()).await?.is_result_of(version, &body) {
                    return Ok(version.saturating_add(1));
                }
                Err(StoreError::Unavailable(source).into())
            }
            other => Ok(other?),
        }
    }

    /// Continues the jobs that are due by one step each, and delivers events.
    pub(super) async fn round(&mut self, jobs: u32) -> Result<(), Stop> {
        for lease in
            self.store.lease_many(JobSelection::Due, jobs, &self.holder, self.lease).await?
        {
            self.continue_job(&lease).await?;
        }
        for event in self.store.outbox(jobs, self.lease).await? {
            self.ledger.deliver(&event)?;
            self.hazard(Point::Delivered)?;
            self.store.delivered(&event).await?;
        }
        Ok(())
    }

    /// Continues a job by one step. That another process was faster is not an
    /// error.
    pub(super) async fn continue_job(&mut self, lease: &Lease) -> Result<(), Stop> {
        self.hazard(Point::Leased)?;
        let step = match lease.stored.stage {
            Stage::Start => {
                let change = self.change(&lease.stored, Stage::Identified);
                self.put(lease, lease.stored.version, change).await.map(drop)
            }
            Stage::Identified => self.ask(lease).await,
            Stage::Asking => self.find_unknown(lease).await,
            Stage::Signing => self.read(lease).await,
            Stage::Values => self.complete(lease).await,
            _ => Ok(()),
        };
        match step {
            Ok(()) => Ok(self.store.release(lease).await?),
            Err(Stop::Store(StoreError::LeaseLost { .. } | StoreError::Conflict { .. })) => Ok(()),
            Err(stop) => Err(stop),
        }
    }

    /// How long after the intent a session has certainly ended.
    fn patience(&self) -> Duration {
        (self.ledger.session_life() + self.lease) * GRACE
    }

    async fn ask(&mut self, lease: &Lease) -> Result<(), Stop> {
        let stored = &lease.stored;
        let valued = |no| stored.items.iter().any(|item| item.no == no && item.value.is_some());
        let items: Vec<u32> =
            (0..item_count(stored)).filter(|no| !valued(*no)).take(BATCH).collect();
        let batch = u32::try_from(stored.batches.len()).unwrap_or(u32::MAX);
        let request = format!("{:032x}", u128::from_be_bytes(self.random.octets()));
        let mut change = self.change(stored, Stage::Asking);
        change.intent = Some(Intent::Sign);
        change.due = Some(When::In(self.patience()));
        change.batches = vec![BatchChange::asking(batch, request.clone())];
        change.items = items.iter().map(|no| asked(stored.id, *no, batch)).collect();
        let version = self.put(lease, stored.version, change).await?;
        self.hazard(Point::IntentStored)?;

        // A request needs a lease that outlasts it. Half a lease stands for the time
        // that a request may take.
        let now = self.clock.now();
        if lease.until - now < TimeDelta::from_std(self.lease / 2).unwrap_or_default() {
            return Ok(());
        }
        self.ledger.ask(stored.id, &request, now)?;
        self.hazard(Point::Asked)?;
        let mut change = self.change(stored, Stage::Signing);
        change.batches = vec![BatchChange::state(batch, BatchState::Open)];
        self.put(lease, version, change).await?;
        self.hazard(Point::SessionStored)
    }

    /// Nobody knows whether the request was sent. It is not repeated before its
    /// session has certainly ended.
    async fn find_unknown(&mut self, lease: &Lease) -> Result<(), Stop> {
        let stored = &lease.stored;
        let Some(open) = stored.open_batch() else { return Ok(()) };
        let ended = When::In(self.patience()).from(open.asked_at);
        let (stage, state) = if ended <= lease.now {
            (Stage::Identified, BatchState::Refused)
        } else {
            (Stage::Asking, BatchState::Unknown)
        };
        let mut change = self.change(stored, stage);
        change.batches = vec![BatchChange::state(open.no, state)];
        if stage == Stage::Asking {
            change.due = Some(When::At(ended));
        }
        self.put(lease, stored.version, change).await.map(drop)
    }

    async fn read(&mut self, lease: &Lease) -> Result<(), Stop> {
        let stored = &lease.stored;
        let Some(open) = stored.open_batch() else { return Ok(()) };
        let items: Vec<&Item> = stored.items.iter().filter(|item| item.batch == open.no).collect();
        let mut values = Vec::new();
        for item in &items {
            values.push(self.ledger.read(&open.request_id, &item.digest, self.now())?);
        }
        let values: Option<Vec<Vec<u8>>> = values.into_iter().collect();
        let Some(values) = values else {
            // The session has ended without an answer.
            let mut change = self.change(stored, Stage::Identified);
            change.batches = vec![BatchChange::state(open.no, BatchState::Refused)];
            return self.put(lease, stored.version, change).await.map(drop);
        };
        self.hazard(Point::Read)?;
        let mut change = self.change(stored, Stage::Values);
        change.batches = vec![BatchChange::state(open.no, BatchState::Valued)];
        change.events = vec![self.event(EventKind::ValuesHere)];
        let valued = items.iter().zip(values);
        change.items = valued
            .map(|(item, value)| ItemChange::Value {
                no: item.no,
                value: Sealed::new(KeyId(0), value),
            })
            .collect();
        self.put(lease, stored.version, change).await?;
        self.hazard(Point::ValuesStored)
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    async fn complete(&mut self, lease: &Lease) -> Result<(), Stop> {
        let stored = &lease.stored;
        let mut written = Vec::new();
        for item in stored.items.iter().filter(|item| item.container_digest.is_none()) {
            if let Some(value) = &item.value {
                let digest = self.ledger.write_container(stored.id, item.no, &value.octets)?;
                self.hazard(Point::ContainerWritten)?;
                written.push(ItemChange::Container { no: item.no, digest });
            }
        }
        let before = stored.items.iter().filter(|item| item.container_digest.is_some()).count();
        let is_done = before + written.len() == item_count(stored) as usize;
        let stage = if is_done { Stage::Done } else { Stage::Identified };
        let mut change = self.change(stored, stage);
        change.items = written;
        if is_done {
            change.due = None;
            change.events = vec![self.event(EventKind::Signed)];
        }
        self.put(lease, stored.version, change).await?;
        self.hazard(Point::ContainersStored)
    }
}

/// An item of a batch. Its digest depends on the job and the item only.
fn asked(job: JobId, no: u32, batch: u32) -> ItemChange {
    let digest = Sha256::digest([job.octets().as_slice(), &no.to_be_bytes()].concat()).to_vec();
    ItemChange::Asked { no, batch, digest }
}
