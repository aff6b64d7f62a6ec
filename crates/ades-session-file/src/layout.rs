//! The layout of a job's file: JSON, with octets in base64 and times in milliseconds since 1970.
//! A body that is not sealed is JSON itself.

use std::fmt;

use ades_session::sealing::{unsealed, unsealed_content};
use ades_session::store::{
    Batch, BatchState, Event, EventId, EventKind, Intent, Item, JobId, JobRow, KeyId, NewEvent,
    NewJob, PendingEvent, ReturnKey, ReturnKeyHash, ReturnPurpose, Sealed, Stage, StoreError,
    Stored,
};
use base64ct::{Base64, Encoding};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The version of the layout. A change of the layout increments it, and keeps the types of the older
/// one.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobFile {
    version: u32,
    job: StoredRow,
}

/// A job in its stored form, without its name: for a file of an application's own that has one job,
/// such as that of a [`Keeper`](ades_session::store::Keeper). The file has to say which version of
/// the layout it has; this one is [`VERSION`](Self::VERSION). `Debug` shows the stage.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredRow {
    tenant: String,
    application_key: String,
    signer: String,
    version: u64,
    stage: String,
    intent: Option<String>,
    body: Body,
    tries: u32,
    due_at: Option<i64>,
    expires_at: Option<i64>,
    purge_at: Option<i64>,
    created_at: i64,
    changed_at: i64,
    leased_until: Option<i64>,
    last_lease: u64,
    batches: Vec<JobBatch>,
    items: Vec<JobItem>,
    return_keys: Vec<JobReturnKey>,
    events: Vec<JobEvent>,
    event_ids: Vec<String>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Body {
    Sealed(SealedOctets),
    Unsealed { unsealed: serde_json::Value },
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedOctets {
    key: u32,
    octets: String,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobBatch {
    no: u32,
    state: String,
    request_id: String,
    asked_at: i64,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobItem {
    no: u32,
    batch: u32,
    digest: String,
    value: Option<SealedOctets>,
    container_digest: Option<String>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobReturnKey {
    hash: String,
    purpose: String,
    used_at: Option<i64>,
    until: i64,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobEvent {
    seq: u64,
    id: String,
    kind: String,
    body: Option<SealedOctets>,
    tries: u32,
    happened_at: i64,
    due_at: i64,
}

/// The octets of a job's file.
pub(crate) fn write(row: &JobRow) -> Result<Vec<u8>, StoreError> {
    let file = JobFile { version: VERSION, job: StoredRow::of(row) };
    serde_json::to_vec(&file).map_err(StoreError::unavailable)
}

/// A job from the octets of its file, or what this version cannot read of it.
pub(crate) fn read(id: JobId, octets: &[u8]) -> Result<JobRow, &'static str> {
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    let head: Head = serde_json::from_slice(octets).map_err(|_| "file")?;
    if head.version != VERSION {
        return Err("version");
    }
    let JobFile { job, .. } = serde_json::from_slice(octets).map_err(|_| "file")?;
    job.read(id)
}

impl StoredRow {
    /// The version of the layout.
    pub const VERSION: u32 = VERSION;

    /// The stored form of a job.
    #[must_use]
    pub fn of(row: &JobRow) -> Self {
        let job = &row.stored;
        Self {
            tenant: job.tenant.clone(),
            application_key: job.application_key.clone(),
            signer: job.signer.clone(),
            version: job.version,
            stage: job.stage.name().to_owned(),
            intent: job.intent.map(|intent| intent.name().to_owned()),
            body: body(&job.body),
            tries: job.tries,
            due_at: job.due_at.map(ms),
            expires_at: job.expires_at.map(ms),
            purge_at: job.purge_at.map(ms),
            created_at: ms(job.created_at),
            changed_at: ms(job.changed_at),
            leased_until: job.leased_until.map(ms),
            last_lease: row.last_lease,
            batches: job.batches.iter().map(batch).collect(),
            items: job.items.iter().map(item).collect(),
            return_keys: row.return_keys.iter().map(return_key).collect(),
            events: row.outbox.iter().map(event).collect(),
            event_ids: row.event_ids.iter().map(|id| base64(&id.octets())).collect(),
        }
    }

    /// The job of this name.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]
    pub fn into_row(self, id: JobId) -> Result<JobRow, StoreError> {
        self.read(id).map_err(|column| StoreError::Damaged { column })
    }

    fn read(self, id: JobId) -> Result<JobRow, &'static str> {
        let Self { tenant, application_key, signer, .. } = self;
        let new = NewJob::new(id, tenant, application_key, signer, self.body.read()?);
        let mut stored = Stored::created(new, time(self.created_at)?);
        stored.version = self.version;
        stored.stage = Stage::from_name(&self.stage).ok_or("stage")?;
        let intent = self.intent.map(|name| Intent::from_name(&name).ok_or("intent"));
        stored.intent = intent.transpose()?;
        stored.tries = self.tries;
        stored.due_at = self.due_at.map(time).transpose()?;
        stored.expires_at = self.expires_at.map(time).transpose()?;
        stored.purge_at = self.purge_at.map(time).transpose()?;
        stored.changed_at = time(self.changed_at)?;
        stored.leased_until = self.leased_until.map(time).transpose()?;
        stored.batches = self.batches.into_iter().map(JobBatch::read).collect::<Result<_, _>>()?;
        stored.items = self.items.into_iter().map(JobItem::read).collect::<Result<_, _>>()?;
        let mut row = JobRow::new(stored);
        row.last_lease = self.last_lease;
        row.return_keys =
            self.return_keys.into_iter().map(JobReturnKey::read).collect::<Result<_, _>>()?;
        let events = self.events.into_iter().map(|event| event.read(id));
        row.outbox = events.collect::<Result<_, _>>()?;
        row.event_ids = self.event_ids.iter().map(|id| event_id(id)).collect::<Result<_, _>>()?;
        Ok(row)
    }
}

impl fmt::Debug for StoredRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredRow").field("stage", &self.stage).finish_non_exhaustive()
    }
}

/// Bodies are JSON, so one that is not sealed is stored as such.
fn body(body: &Sealed) -> Body {
    match unsealed_content(body).and_then(|content| serde_json::from_slice(content).ok()) {
        Some(unsealed) => Body::Unsealed { unsealed },
        None => Body::Sealed(sealed(body)),
    }
}

impl Body {
    fn read(self) -> Result<Sealed, &'static str> {
        match self {
            Self::Sealed(octets) => octets.read("body"),
            Self::Unsealed { unsealed: content } => {
                Ok(unsealed(&serde_json::to_vec(&content).map_err(|_| "body")?))
            }
        }
    }
}

fn batch(batch: &Batch) -> JobBatch {
    JobBatch {
        no: batch.no,
        state: batch.state.name().to_owned(),
        request_id: batch.request_id.clone(),
        asked_at: ms(batch.asked_at),
    }
}

impl JobBatch {
    fn read(self) -> Result<Batch, &'static str> {
        let state = BatchState::from_name(&self.state).ok_or("batch")?;
        Ok(Batch::new(self.no, state, self.request_id, time(self.asked_at)?))
    }
}

fn item(item: &Item) -> JobItem {
    JobItem {
        no: item.no,
        batch: item.batch,
        digest: base64(&item.digest),
        value: item.value.as_ref().map(sealed),
        container_digest: item.container_digest.as_deref().map(base64),
    }
}

impl JobItem {
    fn read(self) -> Result<Item, &'static str> {
        let mut item = Item::new(self.no, self.batch, octets(&self.digest, "item")?);
        item.value = self.value.map(|value| value.read("value")).transpose()?;
        let digest = self.container_digest;
        item.container_digest = digest.map(|digest| octets(&digest, "item")).transpose()?;
        Ok(item)
    }
}

fn return_key((hash, key): &(ReturnKeyHash, ReturnKey)) -> JobReturnKey {
    JobReturnKey {
        hash: base64(&hash.octets()),
        purpose: key.purpose.name().to_owned(),
        used_at: key.used_at.map(ms),
        until: ms(key.until),
    }
}

impl JobReturnKey {
    fn read(self) -> Result<(ReturnKeyHash, ReturnKey), &'static str> {
        let hash = array(&self.hash, "return key")?;
        let purpose = ReturnPurpose::from_name(&self.purpose).ok_or("return key")?;
        let used_at = self.used_at.map(time).transpose()?;
        let key = ReturnKey::new(purpose, used_at, time(self.until)?);
        Ok((ReturnKeyHash::from_octets(hash), key))
    }
}

fn event(pending: &PendingEvent) -> JobEvent {
    let event = &pending.event;
    JobEvent {
        seq: event.seq,
        id: base64(&event.id.octets()),
        kind: event.kind.name().to_owned(),
        body: event.body.as_ref().map(sealed),
        tries: event.tries,
        happened_at: ms(event.happened_at),
        due_at: ms(pending.due_at),
    }
}

impl JobEvent {
    fn read(self, job: JobId) -> Result<PendingEvent, &'static str> {
        let kind = EventKind::from_name(&self.kind).ok_or("event")?;
        let mut new = NewEvent::new(event_id(&self.id)?, kind);
        new.body = self.body.map(|body| body.read("event")).transpose()?;
        let event = Event::new(self.seq, job, new, self.tries, time(self.happened_at)?);
        Ok(PendingEvent::new(event, time(self.due_at)?))
    }
}

fn event_id(text: &str) -> Result<EventId, &'static str> {
    Ok(EventId::from_random(array(text, "event")?))
}

fn sealed(sealed: &Sealed) -> SealedOctets {
    SealedOctets { key: sealed.key.0, octets: base64(&sealed.octets) }
}

impl SealedOctets {
    fn read(self, column: &'static str) -> Result<Sealed, &'static str> {
        Ok(Sealed::new(KeyId(self.key), octets(&self.octets, column)?))
    }
}

fn base64(octets: &[u8]) -> String {
    Base64::encode_string(octets)
}

fn octets(text: &str, column: &'static str) -> Result<Vec<u8>, &'static str> {
    Base64::decode_vec(text).map_err(|_| column)
}

fn array<const N: usize>(text: &str, column: &'static str) -> Result<[u8; N], &'static str> {
    octets(text, column)?.try_into().map_err(|_| column)
}

const fn ms(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

fn time(ms: i64) -> Result<DateTime<Utc>, &'static str> {
    DateTime::from_timestamp_millis(ms).ok_or("time")
}
