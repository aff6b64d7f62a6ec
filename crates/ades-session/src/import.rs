//! Jobs that another program stored, or an older version of the application.

use std::fmt;

use ades::signer::{IdentificationSession, Identity, SigningSession};
use ades::{Digest, Format, PendingSignature};
use chrono::{DateTime, Utc};

use crate::body::{self, Body, Position, Trip};
use crate::driver::random;
use crate::error::Error;
use crate::job::SigningJob;
use crate::sealing::{KeyRing, Nonce, Place};
use crate::store::{
    Batch, BatchState, Item, JobId, JobRow, NewJob, ReturnKey, ReturnKeyHash, ReturnPurpose, Stored,
};

/// A job that another program stored. [`into_row`](Self::into_row) makes it one that a
/// [`Driver`](crate::Driver) continues where that program stopped. `Debug` shows no text.
#[non_exhaustive]
pub struct ImportedJob {
    /// The job, with the signatures that are not written yet
    pub job: SigningJob,
    /// What is known about each of its items, in the same order
    pub items: Vec<ImportedItem>,
    /// Where it stands
    pub position: ImportedPosition,
}

/// What is known about one signature of an imported job.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportedItem {
    /// The format of the signature
    pub format: Format,
    /// The id of the item in the request of its batch, if that differs from those of this library
    pub id: Option<String>,
    /// The SHA-256 digest of the document when the job began. For several documents: the digest of
    /// the digests so far and of the next one. `None` if it is not known; the document of a pending
    /// signature is then compared with that
    pub digest: Option<Digest>,
    /// The stored pending signature, if it is in the batch that the user was asked for
    pub pending: Option<String>,
}

/// Where an imported job stands.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportedPosition {
    /// Nobody has been asked yet.
    Start,
    /// The user is being identified.
    Identifying(ImportedTrip<IdentificationSession>),
    /// The user is known; the next batch is to be prepared.
    Identified(Identity),
    /// The signer was asked for the items that have a pending signature. It is not known whether it
    /// received the request.
    Asking(Identity),
    /// The user is confirming the items that have a pending signature.
    Signing(Identity, ImportedTrip<SigningSession>),
    /// The values of the items that have a pending signature are here, in the order of the items.
    Values(Identity, Vec<Vec<u8>>),
}

/// A wait for the user in an imported job.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportedTrip<S> {
    /// The signer's session
    pub session: S,
    /// The signer's page, if it is known
    pub page: Option<String>,
    /// The key by which a browser comes back from the page, if it is known
    pub return_key: Option<String>,
    /// Until when the user can answer, if that is known
    pub expires_at: Option<DateTime<Utc>>,
}

impl ImportedItem {
    /// An item of which nothing more is known.
    #[must_use]
    pub const fn new(format: Format) -> Self {
        Self { format, id: None, digest: None, pending: None }
    }

    /// Sets the id of the item in the request of its batch.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the digest of the document when the job began.
    #[must_use]
    pub fn digest(mut self, digest: Option<Digest>) -> Self {
        self.digest = digest;
        self
    }

    /// Sets the stored pending signature.
    #[must_use]
    pub fn pending(mut self, pending: Option<String>) -> Self {
        self.pending = pending;
        self
    }
}

impl<S> ImportedTrip<S> {
    /// A session whose page is not known.
    #[must_use]
    pub const fn new(session: S) -> Self {
        Self { session, page: None, return_key: None, expires_at: None }
    }

    /// Sets the signer's page, and the key by which a browser comes back from it.
    #[must_use]
    pub fn page(mut self, page: Option<String>, return_key: Option<String>) -> Self {
        (self.page, self.return_key) = (page, return_key);
        self
    }

    /// Sets until when the user can answer.
    #[must_use]
    pub fn expires_at(mut self, time: Option<DateTime<Utc>>) -> Self {
        self.expires_at = time;
        self
    }

    fn into_trip(self) -> Trip<S> {
        let Self { session, page, return_key, expires_at } = self;
        Trip { session, page, return_key, expires_at }
    }
}

impl ImportedJob {
    /// A job with what is known about each of its items.
    #[must_use]
    pub const fn new(
        job: SigningJob,
        items: Vec<ImportedItem>,
        position: ImportedPosition,
    ) -> Self {
        Self { job, items, position }
    }

    /// The job as a store keeps it from `now` on. `signer` is the name in the capabilities of the
    /// signer that has the session.
    ///
    /// # Errors
    /// [`Error::Body`] if the parts contradict one another; [`Error::Random`], [`Error::Store`].
    pub fn into_row(
        self,
        id: JobId,
        signer: &str,
        keys: &KeyRing,
        now: DateTime<Utc>,
    ) -> Result<JobRow, Error> {
        let Self { mut job, items: known, position } = self;
        let contradiction = || Error::Body { problem: "the imported job contradicts itself" };
        let requests = std::mem::take(&mut job.items);
        if requests.len() != known.len() {
            return Err(contradiction());
        }
        // What the user is asked for, by number.
        let mut asked = Vec::new();
        let mut items = Vec::new();
        for (no, (request, item)) in (0..).zip(requests.into_iter().zip(known)) {
            if let Some(state) = &item.pending {
                // One that cannot be read is an error when it is completed; its value stays.
                let signed = PendingSignature::from_json(state, None).map(|it| it.to_be_signed());
                let digest = signed.map(|signed| signed.digest().0.value().to_vec());
                asked.push((no, digest.unwrap_or_default()));
            }
            items.push(body::Item {
                request,
                format: item.format,
                id: item.id,
                digest: item.digest,
                warnings: Vec::new(),
                pending: item.pending,
                container_digest: None,
                problem: None,
            });
        }
        let batch = body::Batch { no: 0, items: asked.iter().map(|(no, _)| *no).collect() };
        let (tenant, key) = (job.tenant.clone(), job.key.clone());
        let mut body = Body::new(job, items, None);
        let mut values = None;
        let (position, state) = match position {
            ImportedPosition::Start => (Position::Start, None),
            ImportedPosition::Identifying(trip) => (Position::Identifying(trip.into_trip()), None),
            ImportedPosition::Identified(identity) => (Position::Identified(identity), None),
            ImportedPosition::Asking(identity) => {
                (Position::Asking { identity, batch }, Some(BatchState::Asking))
            }
            ImportedPosition::Signing(identity, trip) => {
                let trip = trip.into_trip();
                (Position::Signing { identity, batch, trip }, Some(BatchState::Open))
            }
            ImportedPosition::Values(identity, all) => {
                values = Some(all);
                (Position::Values { identity, batch }, Some(BatchState::Valued))
            }
        };
        if state.is_some() == asked.is_empty()
            || values.as_ref().is_some_and(|values| values.len() != asked.len())
        {
            return Err(contradiction());
        }
        body.position = position;
        let stage = body.position.stage();
        let nonce = || Ok::<_, Error>(Nonce::from_random(random()?));
        let place = Place::Body { job: id, stage, version: 1 };
        let sealed = keys.seal(&place, &body.to_octets()?, nonce()?)?;
        let new = NewJob::new(id, tenant, key, signer, sealed);
        new.check()?;
        let mut stored = Stored::created(new, now);
        stored.stage = stage;
        if let Some(state) = state {
            let request = JobId::from_random(random()?).to_string();
            stored.batches.push(Batch::new(0, state, request, now));
        }
        let mut values = values.into_iter().flatten();
        for (no, digest) in asked {
            let mut item = Item::new(no, 0, digest);
            if let Some(value) = values.next() {
                let place = Place::Value { job: id, item: no, digest: &item.digest };
                item.value = Some(keys.seal(&place, &value, nonce()?)?);
            }
            stored.items.push(item);
        }
        let mut row = JobRow::new(stored);
        if let Some(key) = body.position.return_key() {
            let purpose = match body.position {
                Position::Identifying(_) => ReturnPurpose::Identification,
                _ => ReturnPurpose::Signing,
            };
            let (_, expires_at) = body.position.page();
            let key =
                (ReturnKeyHash::of(key), ReturnKey::new(purpose, None, expires_at.unwrap_or(now)));
            row.return_keys.push(key);
        }
        Ok(row)
    }
}

impl fmt::Debug for ImportedJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportedJob").field("job", &self.job).finish_non_exhaustive()
    }
}

impl fmt::Debug for ImportedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportedItem").field("format", &self.format).finish_non_exhaustive()
    }
}

impl fmt::Debug for ImportedPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "Start",
            Self::Identifying(_) => "Identifying(..)",
            Self::Identified(_) => "Identified(..)",
            Self::Asking(_) => "Asking(..)",
            Self::Signing(..) => "Signing(..)",
            Self::Values(..) => "Values(..)",
        })
    }
}

impl<S> fmt::Debug for ImportedTrip<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportedTrip").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
