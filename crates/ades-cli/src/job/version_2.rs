//! The layout of jobs in version 2, which stored neither the signer's page nor times, and every
//! path as an absolute one.

use ades::signer::{IdentificationSession, Identity, SignatureValue, SigningSession};
use serde::Deserialize;

use super::SignerChoice;
use super::version_3::{self, JobItem};
use crate::request::{Request, ResolvedTerms};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    pub(super) signer: SignerChoice,
    pub(super) request: Request,
    pub(super) terms: ResolvedTerms,
    pub(super) force: bool,
    pub(super) items: Vec<JobItem>,
    pub(super) done: usize,
    pub(super) stage: Stage,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Stage {
    Start,
    Identifying(IdentificationSession),
    Identified(Identity),
    Asking(Identity),
    Signing { identity: Identity, count: usize, session: SigningSession },
    Completing { identity: Identity, values: Vec<SignatureValue> },
}

impl Job {
    /// The job in the layout of version 3.
    pub(super) fn into_version_3(self) -> version_3::Job {
        version_3::Job {
            signer: self.signer,
            request: self.request,
            terms: self.terms,
            force: self.force,
            items: self.items,
            done: self.done,
            stage: self.stage.into(),
            since: None,
        }
    }
}

impl From<Stage> for version_3::Stage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Start => Self::Start,
            Stage::Identifying(session) => Self::Identifying { session, page: None },
            Stage::Identified(identity) => Self::Identified(identity),
            Stage::Asking(identity) => Self::Asking(identity),
            Stage::Signing { identity, count, session } => {
                Self::Signing { identity, count, session, page: None }
            }
            Stage::Completing { identity, values } => Self::Completing { identity, values },
        }
    }
}
