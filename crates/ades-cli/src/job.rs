//! A signing under way, stored before each wait so that any later process can
//! go on: `<OUT>.pending`, removed at the end.

use std::path::{Path, PathBuf};

use ades_core::signer::{
    IdentificationSession, Identity, Language, SignatureValue, SigningSession,
};
use ades_core::{PendingState, SignaturePolicy};
use serde::{Deserialize, Serialize};

use crate::args::SignatureOptions;
use crate::exit::Failure;
use crate::output;

/// Everything a later process needs; no document, password or key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    pub(crate) signer: String,
    pub(crate) sandbox_dir: Option<PathBuf>,
    pub(crate) sandbox_user: String,
    pub(crate) auto_approve: bool,
    pub(crate) language: Option<Language>,
    pub(crate) description: Vec<(Language, String)>,
    pub(crate) signature: SignatureOptions,
    pub(crate) policy: Option<SignaturePolicy>,
    pub(crate) force: bool,
    pub(crate) items: Vec<JobItem>,
    /// How many items are signed and written.
    pub(crate) done: usize,
    pub(crate) stage: Stage,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobItem {
    pub(crate) input: PathBuf,
    pub(crate) output: PathBuf,
    /// The format's pending state, once prepared.
    pub(crate) pending: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Stage {
    /// Nobody has been asked yet.
    Start,
    /// The user is being identified.
    Identifying(IdentificationSession),
    /// The user is known; the next batch is to be prepared.
    Identified(Identity),
    /// The user is confirming the next `count` items.
    Signing { identity: Identity, count: usize, session: SigningSession },
    /// The values of the next items are here.
    Completing { identity: Identity, values: Vec<SignatureValue> },
}

impl PendingState for Job {
    const FORMAT: &'static str = "ades-job";
    const VERSION: u32 = 1;
}

impl Job {
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let text = crate::prepare::read_text(path)?;
        Self::from_json(text.trim_end(), None).map_err(|e| Failure::from(e).about(path.display()))
    }

    pub(crate) fn save(&self, path: &Path) -> Result<(), Failure> {
        output::write_file(path, self.to_json(None)?.as_bytes(), true)
    }
}
