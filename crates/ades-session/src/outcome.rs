//! What the application does next, and what it tells the user.

use std::fmt;
use std::time::Duration;

use ades::Format;
use ades::signer::RefusalReason;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::store::{EndReason, JobId, Stage};

/// A job that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Begun {
    /// Its name. It authorises nobody, so it may be in the address of a page
    pub job: JobId,
    /// What to do next
    pub next: Next,
}

impl Begun {
    pub(crate) const fn new(job: JobId, next: Next) -> Self {
        Self { job, next }
    }
}

/// What to do next for the user of a job. `Debug` does not show addresses.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// Send the user's browser to this address, by a top-level navigation.
    #[non_exhaustive]
    Redirect {
        /// the address; whoever knows it can act as the user, so do not log it
        url: String,
    },
    /// Show a page that says so and loads itself again.
    #[non_exhaustive]
    Wait {
        /// the time after which the page loads itself again
        after: Duration,
        /// the signer's page, for a link: the user may have lost it
        page: Option<String>,
        /// until when the user can confirm
        expires_at: Option<DateTime<Utc>>,
    },
    /// The job goes on when its user is there: call [`Driver::poll`](crate::Driver::poll) with the
    /// user's browser.
    NeedsUser,
    /// Another process, or another request, is continuing the job. Load the page again.
    #[non_exhaustive]
    Busy {
        /// the time after which the page loads itself again
        after: Duration,
    },
    /// The job goes on only when the user says so. [`Driver::ask_again`](crate::Driver::ask_again)
    /// asks for the confirmation again,
    /// [`Driver::identify_again`](crate::Driver::identify_again) starts from the identification,
    /// and [`Driver::cancel`](crate::Driver::cancel) ends the job.
    Stopped(Stop),
    /// The user has confirmed and the values are stored, but some containers could not be written.
    /// It is tried again.
    #[non_exhaustive]
    Incomplete {
        /// all items
        items: Vec<ItemStatus>,
        /// the time until the next try
        after: Duration,
    },
    /// All containers are in their places.
    #[non_exhaustive]
    Done {
        /// all items
        items: Vec<ItemStatus>,
    },
    /// The job has ended without being done.
    Ended(EndReason),
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redirect { .. } => f.write_str("Redirect(..)"),
            Self::Wait { after, expires_at, .. } => f
                .debug_struct("Wait")
                .field("after", after)
                .field("expires_at", expires_at)
                .finish_non_exhaustive(),
            Self::NeedsUser => f.write_str("NeedsUser"),
            Self::Busy { after } => f.debug_struct("Busy").field("after", after).finish(),
            Self::Stopped(stop) => f.debug_tuple("Stopped").field(stop).finish(),
            Self::Incomplete { items, after } => {
                f.debug_struct("Incomplete").field("items", items).field("after", after).finish()
            }
            Self::Done { items } => f.debug_struct("Done").field("items", items).finish(),
            Self::Ended(reason) => f.debug_tuple("Ended").field(reason).finish(),
        }
    }
}

/// Why a job goes on only when its user says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Stop {
    /// The user refused, or the service says that the time is over. The session has ended.
    Refused {
        /// the reason
        reason: RefusalReason,
        /// the service's own code
        code: Option<String>,
    },
    /// The session's time is over, but the service did not say so. If the user has confirmed after
    /// all, [`Driver::poll`](crate::Driver::poll) still collects the answer.
    Expired,
    /// The service does not know the session any more.
    SessionLost,
    /// The values are by another certificate than the one that was identified: the user has renewed
    /// it. Only a new identification helps.
    OtherCertificate,
    /// It is not known whether the signer received the batch: the user may be asked, or may have
    /// signed, in a session that nobody can continue. Ask the user what the signer's app shows.
    Unknown,
    /// The user does not want to wait any more: [`Driver::stop`](crate::Driver::stop). If they have
    /// confirmed after all, [`Driver::poll_now`](crate::Driver::poll_now) still collects the values.
    GivenUp,
    /// The signer refused the request, so that nobody was asked.
    Failed {
        /// the signer's message, for the operator
        message: String,
    },
}

/// The result of [`Driver::returned`](crate::Driver::returned) and
/// [`Driver::poll`](crate::Driver::poll).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The job of this browser, and what to do next.
    Next {
        /// the job
        job: JobId,
        /// what to do next
        next: Next,
    },
    /// The browser has come back with this key before: the user went back, or loaded the page
    /// again. The job was continued as by [`Driver::poll`](crate::Driver::poll).
    Repeated {
        /// the job
        job: JobId,
        /// what to do next
        next: Next,
    },
    /// The browser comes from a page whose step is over. Nothing was asked.
    Late {
        /// the job
        job: JobId,
        /// what to do next
        next: Next,
    },
    /// Another process, or another request, is continuing the job. Load the page again.
    Busy {
        /// the job
        job: JobId,
        /// the time after which the page loads itself again
        after: Duration,
    },
    /// The job belongs to another browser. Show nothing about it: somebody may have been given the
    /// address.
    OtherBrowser,
    /// No job has this key. Show nothing, and do not say whether there was a job.
    Stranger,
}

impl Outcome {
    /// What to do next for the browser of a job.
    pub(crate) fn next(job: JobId, next: Next) -> Self {
        match next {
            Next::Busy { after } => Self::Busy { job, after },
            next => Self::Next { job, next },
        }
    }

    /// The job and what to do next. `None` if there is nothing to show to this browser.
    #[must_use]
    pub fn into_next(self) -> Option<(JobId, Next)> {
        match self {
            Self::Next { job, next } | Self::Repeated { job, next } | Self::Late { job, next } => {
                Some((job, next))
            }
            Self::Busy { job, after } => Some((job, Next::Busy { after })),
            Self::OtherBrowser | Self::Stranger => None,
        }
    }
}

/// One signature of a job, for a page. `Debug` does not show the references.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ItemStatus {
    /// The reference of the document
    pub document: String,
    /// The reference of the container
    pub container: String,
    /// The format of the signature
    pub format: Format,
    /// The codes of warnings about the document: [`Warning::code`](ades::Warning::code)
    pub warnings: Vec<String>,
    /// Where it stands
    pub state: ItemState,
}

impl fmt::Debug for ItemStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemStatus")
            .field("format", &self.format)
            .field("warnings", &self.warnings)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Where one signature stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ItemState {
    /// Nobody has been asked for it.
    Waiting,
    /// The user is being asked.
    Asked,
    /// The value is stored; the container is not written yet.
    Confirmed,
    /// As [`Confirmed`](Self::Confirmed), and the container could not be written the last time.
    NotWritten {
        /// the reason, for the operator
        problem: String,
    },
    /// The container is in its place.
    Signed,
}

/// A job as a page shows it. `Debug` does not show addresses.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// What to do next, as the last step left it
    pub next: Next,
    /// All items
    pub items: Vec<ItemStatus>,
    /// The stage
    pub stage: Stage,
    /// The signer's page, while a session is open, even of a job that has stopped
    pub page: Option<String>,
    /// Until when the user can answer there
    pub session_until: Option<DateTime<Utc>>,
    /// Until when the user's certificate is valid, once the user is identified
    pub certificate_until: Option<DateTime<Utc>>,
    /// When the job was begun
    pub created_at: DateTime<Utc>,
    /// When it last changed
    pub changed_at: DateTime<Utc>,
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status")
            .field("next", &self.next)
            .field("items", &self.items)
            .field("stage", &self.stage)
            .field("changed_at", &self.changed_at)
            .finish_non_exhaustive()
    }
}
