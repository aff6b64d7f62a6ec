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
mod extension;
mod options;
mod status;

use ades_core::Level;
use ades_evidence::needs::Need;
use serde::Serialize;

pub use answer::AnswerError;
pub use extension::Extension;
pub use options::{ExtendOptions, TargetLevel};

/// What comes next in an [`Extension`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Advance {
    /// These are needed: answer each of them, or say that it failed, and advance again with the
    /// same document. Nothing was written.
    Needs(Vec<Need>),
    /// The document one step further was written: advance again, with that document.
    Written,
    /// The document is what was reached. Nothing was written.
    Done(Reached),
}

/// What an extension has reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reached {
    /// The lowest level of the signatures in the document, which the document was read again
    /// for.
    pub level: Level,
    /// Why a signature has not got what was asked for.
    pub missing: Vec<Missing>,
    /// What is worth knowing.
    pub remarks: Vec<Missing>,
}

/// Why a signature has not got what was asked for, or what is worth knowing about that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Missing {
    /// The signature's position in the report.
    pub signature: usize,
    /// A stable code.
    pub code: String,
    /// Text for people.
    pub text: String,
}

impl Missing {
    fn new(signature: usize, code: &str, text: impl Into<String>) -> Self {
        Self { signature, code: code.to_owned(), text: text.into() }
    }
}
