//! Jobs as they are stored.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::change::When;
use super::error::StoreError;

/// Defines an id of 128 random bits.
macro_rules! random_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// An id, from random octets.
            #[must_use]
            pub const fn from_random(octets: [u8; 16]) -> Self {
                Self(octets)
            }

            /// The octets.
            #[must_use]
            pub const fn octets(self) -> [u8; 16] {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:032x}", u128::from_be_bytes(self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}
pub(super) use random_id;

random_id! {
    /// The name of a job: 128 random bits, 32 hexadecimal digits as text. It does not
    /// authorise anybody: see [`ReturnKeyHash`] for what does.
    JobId
}

impl FromStr for JobId {
    type Err = StoreError;

    /// Reads 32 lower-case hexadecimal digits. Other text is the name of no job:
    /// [`StoreError::NotFound`].
    fn from_str(text: &str) -> Result<Self, StoreError> {
        parse_hex(text).map(Self).ok_or(StoreError::NotFound)
    }
}

/// The only spelling of 16 octets as text.
pub(super) fn parse_hex(text: &str) -> Option<[u8; 16]> {
    let digits = text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    if text.len() != 32 || !digits {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

/// The id of a key that seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Sealed octets, which the store cannot read. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sealed {
    /// The key that they are sealed with
    pub key: KeyId,
    /// The sealed octets. They contain a random nonce, so two seals of the same
    /// content differ
    pub octets: Vec<u8>,
}

impl Sealed {
    /// Sealed octets and the id of their key.
    #[must_use]
    pub const fn new(key: KeyId, octets: Vec<u8>) -> Self {
        Self { key, octets }
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("key", &self.key)
            .field("len", &self.octets.len())
            .finish_non_exhaustive()
    }
}

/// The SHA-256 digest of a return key: the random text that a returning browser
/// brings back, and that finds its job. The key itself is stored only in sealed
/// bodies. A plain digest is enough for 128 random bits, which nobody can guess.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReturnKeyHash([u8; 32]);

impl ReturnKeyHash {
    /// The digest of a return key.
    #[must_use]
    pub fn of(return_key: &str) -> Self {
        Self(Sha256::digest(return_key).into())
    }

    /// A stored digest.
    #[must_use]
    pub const fn from_octets(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// The octets of the digest.
    #[must_use]
    pub const fn octets(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Debug for ReturnKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReturnKeyHash(..)")
    }
}

/// Defines an enum whose variants have stored names.
macro_rules! named {
    (
        $(#[$meta:meta])* $name:ident {
            $($(#[$doc:meta])* $variant:ident = $text:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in a store.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The value with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}
pub(super) use named;

named! {
    /// The stage of a job, in clear. What belongs to the stage, such as the
    /// session, is in the sealed body.
    Stage {
        /// Nobody has been asked yet.
        Start = "start",
        /// The user is being identified.
        Identifying = "identifying",
        /// The user is known; the next batch is to be prepared.
        Identified = "identified",
        /// The signer is being asked. It is not known whether it received the
        /// request.
        Asking = "asking",
        /// The user is confirming the batch.
        Signing = "signing",
        /// The values of the batch are stored; the containers are being written.
        Values = "values",
        /// Every item has its container.
        Done = "done",
        /// The user or the service refused.
        Refused = "ended-refused",
        /// The user did not answer in time.
        Expired = "ended-expired",
        /// The application cancelled the job.
        Cancelled = "ended-cancelled",
        /// The job failed.
        Failed = "ended-failed",
    }
}

impl Stage {
    /// Whether the job is finished or has ended: no process continues it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done) || self.end_reason().is_some()
    }

    /// Why a job ended without being done.
    #[must_use]
    pub const fn end_reason(self) -> Option<EndReason> {
        match self {
            Self::Start
            | Self::Identifying
            | Self::Identified
            | Self::Asking
            | Self::Signing
            | Self::Values
            | Self::Done => None,
            Self::Refused => Some(EndReason::Refused),
            Self::Expired => Some(EndReason::Expired),
            Self::Cancelled => Some(EndReason::Cancelled),
            Self::Failed => Some(EndReason::Failed),
        }
    }
}

/// Why a job ended without being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// The user or the service refused.
    Refused,
    /// The user did not answer in time.
    Expired,
    /// The application cancelled the job.
    Cancelled,
    /// The job failed.
    Failed,
}

named! {
    /// A call to the signer that was announced: it may have been made.
    Intent {
        /// Starting an identification (A1; CSC authorize or PAR)
        Identify = "identify",
        /// Exchanging an authorisation code for a token, which is never repeated
        Exchange = "exchange",
        /// Asking for signature values (A4; CSC signHash)
        Sign = "sign",
    }
}

named! {
    /// What a return key belongs to.
    ReturnPurpose {
        /// The identification of the user
        Identification = "identification",
        /// The confirmation of a batch
        Signing = "signing",
    }
}

named! {
    /// The state of a batch. `Asking`, `Open` and `Unknown` are open: a job has at
    /// most one open batch. `Valued` and `Refused` are final.
    BatchState {
        /// The signer is being asked.
        Asking = "asking",
        /// The signer has accepted the batch; the user is confirming it.
        Open = "open",
        /// The values are stored.
        Valued = "valued",
        /// The batch has ended without values: refused, expired, or certainly not
        /// received.
        Refused = "refused",
        /// It is not known whether the signer received the batch.
        Unknown = "unknown",
    }
}

impl BatchState {
    /// Whether the user may still confirm the batch.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Asking | Self::Open | Self::Unknown => true,
            Self::Valued | Self::Refused => false,
        }
    }
}

/// A batch of a job: one confirmation of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Batch {
    /// Its number in the job
    pub no: u32,
    /// Its state
    pub state: BatchState,
    /// Our id of the request, which is handed to the signer
    pub request_id: String,
    /// When the batch was first stored
    pub asked_at: DateTime<Utc>,
}

impl Batch {
    /// A batch as a store has read it.
    #[must_use]
    pub const fn new(
        no: u32,
        state: BatchState,
        request_id: String,
        asked_at: DateTime<Utc>,
    ) -> Self {
        Self { no, state, request_id, asked_at }
    }
}

/// An item of a job: one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// Its number in the job
    pub no: u32,
    /// The last batch that it belongs to
    pub batch: u32,
    /// The digest to be signed
    pub digest: Vec<u8>,
    /// The sealed signature value, once it is there. Never replaced
    pub value: Option<Sealed>,
    /// The digest of the container, once it is written. Never replaced
    pub container_digest: Option<Vec<u8>>,
}

impl Item {
    /// An item without a value, as it is stored when its batch is asked for.
    #[must_use]
    pub const fn new(no: u32, batch: u32, digest: Vec<u8>) -> Self {
        Self { no, batch, digest, value: None, container_digest: None }
    }
}

/// A job to be created.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewJob {
    /// Its name
    pub id: JobId,
    /// Whose job it is, among the customers of an application
    pub tenant: String,
    /// The application's own name of the job, unique for the tenant
    pub application_key: String,
    /// The signer's name, as in its capabilities
    pub signer: String,
    /// The sealed body, of the version 1
    pub body: Sealed,
    /// When a process is to continue the job by itself
    pub due: Option<When>,
    /// When the job expires unless something happens
    pub expires: Option<When>,
    /// When the job may be removed
    pub purge: Option<When>,
}

impl NewJob {
    /// A job without times.
    #[must_use]
    pub fn new(
        id: JobId,
        tenant: impl Into<String>,
        application_key: impl Into<String>,
        signer: impl Into<String>,
        body: Sealed,
    ) -> Self {
        Self {
            id,
            tenant: tenant.into(),
            application_key: application_key.into(),
            signer: signer.into(),
            body,
            due: None,
            expires: None,
            purge: None,
        }
    }
}

/// The result of [`Store::create`](super::Store::create).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The job was stored.
    New(JobId),
    /// The tenant already has a job with this application key.
    Existing(JobId),
}

impl Created {
    /// The job, whether it is new or not.
    #[must_use]
    pub const fn id(self) -> JobId {
        match self {
            Self::New(id) | Self::Existing(id) => id,
        }
    }
}

/// A job as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// Its name
    pub id: JobId,
    /// Whose job it is
    pub tenant: String,
    /// The application's own name of the job
    pub application_key: String,
    /// The signer's name
    pub signer: String,
    /// Grows by one with each change
    pub version: u64,
    /// Its stage
    pub stage: Stage,
    /// The call to the signer that was announced and may have been made
    pub intent: Option<Intent>,
    /// The sealed body, of this version
    pub body: Sealed,
    /// The number of tries in this stage, as the last change gave it
    pub tries: u32,
    /// When a process is to continue the job by itself
    pub due_at: Option<DateTime<Utc>>,
    /// When the job expires unless something happens
    pub expires_at: Option<DateTime<Utc>>,
    /// When the job may be removed
    pub purge_at: Option<DateTime<Utc>>,
    /// When it was created
    pub created_at: DateTime<Utc>,
    /// When it was last changed; leases are not changes
    pub changed_at: DateTime<Utc>,
    /// The end of the last lease, if it was not released. It may have passed
    pub leased_until: Option<DateTime<Utc>>,
    /// Its batches, by number
    pub batches: Vec<Batch>,
    /// Its items, by number
    pub items: Vec<Item>,
}

impl Stored {
    /// A new job, as a store keeps it from `now` on.
    #[must_use]
    pub fn created(job: NewJob, now: DateTime<Utc>) -> Self {
        Self {
            id: job.id,
            tenant: job.tenant,
            application_key: job.application_key,
            signer: job.signer,
            version: 1,
            stage: Stage::Start,
            intent: None,
            body: job.body,
            tries: 0,
            due_at: job.due.map(|when| when.from(now)),
            expires_at: job.expires.map(|when| when.from(now)),
            purge_at: job.purge.map(|when| when.from(now)),
            created_at: now,
            changed_at: now,
            leased_until: None,
            batches: Vec::new(),
            items: Vec::new(),
        }
    }

    /// Whether the last change of this job is a certain one: the change of
    /// `version` with this body. Call it after
    /// [`StoreError::Unavailable`], when it is not known whether the change was
    /// written. Two seals never have the same octets, so the body recognises the
    /// change.
    #[must_use]
    pub fn is_result_of(&self, version: u64, body: &Sealed) -> bool {
        Some(self.version) == version.checked_add(1) && self.body == *body
    }

    /// The open batch. A job has one at most.
    #[must_use]
    pub fn open_batch(&self) -> Option<&Batch> {
        self.batches.iter().find(|batch| batch.state.is_open())
    }
}
