//! Raises signatures to the levels B-T, B-LT and B-LTA, and renews them.
//!
//! An [`Extension`] does no I/O of its own: it says what has to be fetched
//! ([`Advance::Needs`]), takes the answers, and writes the document one step further
//! ([`Advance::Written`]). Between any two steps it can be stored ([`PendingState::to_json`]).
//!
//! [`PendingState::to_json`]: ades_core::PendingState::to_json

mod answer;
mod by_format;
mod collect;
mod expected;
mod extension;
mod options;
mod status;

use ades_core::Level;
use ades_evidence::needs::Need;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use answer::AnswerError;
pub use extension::Extension;
pub use options::{ExtendOptions, Selection, TargetLevel};

/// What comes next in an [`Extension`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Advance {
    /// These are needed: answer each of them, or say that it failed, and advance again with the
    /// same document. Nothing was written.
    Needs(Vec<Need>),
    /// The document one or more steps further was written: advance again, with that document.
    Written,
    /// The document is what was reached. Nothing was written.
    Done(Reached),
}

/// What an extension has reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reached {
    /// The lowest level of the [selected](ExtendOptions::selection) signatures in the document,
    /// which the document was read again for.
    pub level: Level,
    /// Why a signature has not got what was asked for.
    pub missing: Vec<Missing>,
    /// What is worth knowing.
    pub remarks: Vec<Missing>,
}

impl Reached {
    /// Whether nothing is missing but revocation data that are newer than a time-stamp: they come
    /// with time, and [`Extension::ask_again`] asks for them once more.
    #[must_use]
    pub fn is_waiting_for_newer_data(&self) -> bool {
        let is_stale = |missing: &Missing| missing.code == Missing::STALE;
        !self.missing.is_empty() && self.missing.iter().all(is_stale)
    }
}

/// Why a signature has not got what was asked for, or what is worth knowing about that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Missing {
    /// The signature's position in the report.
    pub signature: usize,
    /// Which of its countersignatures it is about, by the positions from the outside in. Empty if
    /// it is about the signature itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countersignature: Vec<usize>,
    /// A stable code.
    pub code: String,
    /// Text for people.
    pub text: String,
    /// When newer data are to be expected, if the older ones say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<DateTime<Utc>>,
}

impl Missing {
    /// The code of revocation data that are older than the policy allows.
    const STALE: &str = "revocation-stale";

    fn new(place: &[usize], code: &str, text: impl Into<String>) -> Self {
        let (signature, countersignature) = match place.split_first() {
            Some((first, rest)) => (*first, rest.to_vec()),
            None => (0, Vec::new()),
        };
        let (code, text) = (code.to_owned(), text.into());
        Self { signature, countersignature, code, text, due: None }
    }
}
