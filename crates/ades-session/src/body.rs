//! The body of a job: what only the driver reads.

use std::fmt;

use ades::signer::{Display, IdentificationSession, Identity, SigningSession};
use ades::{Digest, Format};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::job::{SigningJob, SigningJobItem};
use crate::outcome::Stop;
use crate::store::{EndReason, MAX_BODY_LEN, Stage};

/// The version of the stored layout. A change of the layout increments it, and keeps the types of
/// the older one.
const VERSION: u32 = 1;
/// Maximum length of the pending states of a batch, in octets. In JSON within JSON, each quotation
/// mark has two octets, and the rest of a body needs some too.
pub(crate) const MAX_STATES: usize = MAX_BODY_LEN / 2;

/// Everything that a later process needs, except documents and values. `Debug` shows the position.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Body {
    pub(crate) items: Vec<Item>,
    pub(crate) display: Display,
    pub(crate) account: Option<String>,
    /// The digest of the value that ties the job to one browser
    pub(crate) browser: Option<String>,
    pub(crate) signing_time: Option<DateTime<Utc>>,
    pub(crate) position: Position,
    /// The signer is not asked before this time
    pub(crate) not_before: Option<DateTime<Utc>>,
    /// Why the job goes on only when its user or the application says so
    pub(crate) stop: Option<Stop>,
}

/// One signature of the job.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Item {
    pub(crate) request: SigningJobItem,
    pub(crate) format: Format,
    /// The id in the signer's request, if it is not made of the item's number
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// The digest of the documents when the job began. They must not change while the user is
    /// asked. `None` for a job of another program that did not know it
    pub(crate) digest: Option<Digest>,
    /// The codes of the warnings about the document
    pub(crate) warnings: Vec<String>,
    /// The stored pending signature, while its batch is in progress
    pub(crate) pending: Option<String>,
    /// The digest of the container, once it is published
    pub(crate) container_digest: Option<Digest>,
    /// Why the container could not be written the last time
    pub(crate) problem: Option<String>,
}

/// Where the job stands, with what is needed to continue.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Position {
    Start,
    Identifying(Trip<IdentificationSession>),
    Identified(Identity),
    Asking { identity: Identity, batch: Batch },
    Signing { identity: Identity, batch: Batch, trip: Trip<SigningSession> },
    Values { identity: Identity, batch: Batch },
    Done,
    Ended(Ending),
}

/// A wait for the user, in one session of the signer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Trip<S> {
    pub(crate) session: S,
    /// The signer's page
    pub(crate) page: Option<String>,
    /// The key of the return from the page
    pub(crate) return_key: Option<String>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// The items that one confirmation covers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Batch {
    pub(crate) no: u32,
    pub(crate) items: Vec<u32>,
}

/// How a job ended without being done.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ending {
    Refused,
    Expired,
    Cancelled,
}

impl Body {
    pub(crate) fn new(job: SigningJob, items: Vec<Item>, browser: Option<String>) -> Self {
        let SigningJob { display, account, signing_time, .. } = job;
        Self {
            items,
            display,
            account,
            browser,
            signing_time,
            position: Position::Start,
            not_before: None,
            stop: None,
        }
    }

    pub(crate) fn to_octets(&self) -> Result<Vec<u8>, Error> {
        #[derive(Serialize)]
        struct Stored<'a> {
            version: u32,
            job: &'a Body,
        }
        let stored = Stored { version: VERSION, job: self };
        serde_json::to_vec(&stored).map_err(|_| Error::Body { problem: "it does not serialise" })
    }

    pub(crate) fn from_octets(octets: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Stored {
            #[serde(rename = "version")]
            _version: u32,
            job: Body,
        }
        // An error of serde could quote the body.
        let damaged = Error::Body { problem: "it is not a job in any known layout" };
        let Ok(Head { version }) = serde_json::from_slice(octets) else { return Err(damaged) };
        if version > VERSION {
            return Err(Error::Body { problem: "a newer version of this library stored it" });
        }
        serde_json::from_slice::<Stored>(octets).map(|stored| stored.job).map_err(|_| damaged)
    }

    /// The items without a container that belong to no batch, in order.
    pub(crate) fn left(&self) -> impl Iterator<Item = u32> {
        let open = |(no, item): (usize, &Item)| match item.container_digest {
            None => u32::try_from(no).ok(),
            Some(_) => None,
        };
        self.items.iter().enumerate().filter_map(open)
    }

    pub(crate) fn item(&self, no: u32) -> Result<&Item, Error> {
        let at = usize::try_from(no).ok().and_then(|no| self.items.get(no));
        at.ok_or(Error::Body { problem: "a batch names an item that does not exist" })
    }

    /// The id of an item in a request.
    pub(crate) fn item_id(&self, no: u32) -> Result<String, Error> {
        Ok(self.item(no)?.id.clone().unwrap_or_else(|| format!("d{no:04}")))
    }

    pub(crate) fn item_mut(&mut self, no: u32) -> Result<&mut Item, Error> {
        let at = usize::try_from(no).ok().and_then(|no| self.items.get_mut(no));
        at.ok_or(Error::Body { problem: "a batch names an item that does not exist" })
    }
}

impl Position {
    /// The stage that the store has in clear.
    pub(crate) const fn stage(&self) -> Stage {
        match self {
            Self::Start => Stage::Start,
            Self::Identifying(_) => Stage::Identifying,
            Self::Identified(_) => Stage::Identified,
            Self::Asking { .. } => Stage::Asking,
            Self::Signing { .. } => Stage::Signing,
            Self::Values { .. } => Stage::Values,
            Self::Done => Stage::Done,
            Self::Ended(Ending::Refused) => Stage::Refused,
            Self::Ended(Ending::Expired) => Stage::Expired,
            Self::Ended(Ending::Cancelled) => Stage::Cancelled,
        }
    }

    /// The key of the return that the job waits for.
    pub(crate) fn return_key(&self) -> Option<&str> {
        match self {
            Self::Identifying(trip) => trip.return_key.as_deref(),
            Self::Signing { trip, .. } => trip.return_key.as_deref(),
            _ => None,
        }
    }

    /// The signer's page, and until when the user can confirm there.
    pub(crate) fn page(&self) -> (Option<&str>, Option<DateTime<Utc>>) {
        match self {
            Self::Identifying(trip) => (trip.page.as_deref(), trip.expires_at),
            Self::Signing { trip, .. } => (trip.page.as_deref(), trip.expires_at),
            _ => (None, None),
        }
    }

    pub(crate) const fn batch(&self) -> Option<&Batch> {
        match self {
            Self::Asking { batch, .. }
            | Self::Signing { batch, .. }
            | Self::Values { batch, .. } => Some(batch),
            _ => None,
        }
    }

    pub(crate) const fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Identified(identity)
            | Self::Asking { identity, .. }
            | Self::Signing { identity, .. }
            | Self::Values { identity, .. } => Some(identity),
            Self::Start | Self::Identifying(_) | Self::Done | Self::Ended(_) => None,
        }
    }
}

impl From<Ending> for EndReason {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Refused => Self::Refused,
            Ending::Expired => Self::Expired,
            Ending::Cancelled => Self::Cancelled,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("stage", &self.position.stage()).finish_non_exhaustive()
    }
}
