//! The lines between the test and its nodes: a request on standard input, an answer on standard
//! output.

use ades_session::{Next, Outcome, Stop};
use serde::{Deserialize, Serialize};

/// The beginning of a line of a node. The test harness prints lines of its own.
pub(crate) const MARK: &str = "@node ";

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) id: u64,
    /// The user's cookie
    pub(crate) browser: String,
    pub(crate) call: Call,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Call {
    Begin { key: String, documents: usize },
    Returned { query: String },
    Poll { job: String },
    AskAgain { job: String },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The request; 0 says that the node is ready
    pub(crate) id: u64,
    pub(crate) job: Option<String>,
    pub(crate) shown: Shown,
}

/// What the user sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shown {
    /// The browser goes to this page, or can go there
    Page(String),
    /// A page that loads itself again
    Again,
    Stopped(Stop),
    Done,
    /// Nobody may see this
    Failed(String),
}

impl From<Next> for Shown {
    fn from(next: Next) -> Self {
        match next {
            Next::Redirect { url, .. } | Next::Wait { page: Some(url), .. } => Self::Page(url),
            Next::Wait { .. } | Next::NeedsUser | Next::Busy { .. } => Self::Again,
            Next::Stopped(stop) => Self::Stopped(stop),
            Next::Done { .. } => Self::Done,
            other => Self::Failed(format!("{other:?}")),
        }
    }
}

impl Answer {
    pub(crate) fn new(id: u64, job: Option<String>, next: Next) -> Self {
        Self { id, job, shown: next.into() }
    }

    pub(crate) fn of(id: u64, outcome: Outcome) -> Self {
        let text = format!("{outcome:?}");
        match outcome.into_next() {
            Some((job, next)) => Self::new(id, Some(job.to_string()), next),
            None => Self { id, job: None, shown: Shown::Failed(text) },
        }
    }
}
