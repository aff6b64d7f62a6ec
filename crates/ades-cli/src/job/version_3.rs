//! The layout of jobs in version 3, which the command line itself continued: `ades-session` has
//! them since version 4.

use std::path::{Path, PathBuf};

use ades::itsme::{identification_deadline, return_key, signing_deadline};
use ades::signer::{IdentificationSession, Identity, Language, SignatureValue, SigningSession};
use ades::{Digest, Format};
use ades_session::store::JobRow;
use ades_session::{
    Error, ImportedItem, ImportedJob, ImportedPosition, ImportedTrip, SigningJob, SigningJobItem,
};
use ades_session_file::StoredRow;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{JOB, KEYS, Part, SignerChoice, stage_name};
use crate::documents::name;
use crate::request::{Request, ResolvedTerms};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    pub(super) signer: SignerChoice,
    pub(super) request: Request,
    /// Policy and commitment, once the signer has resolved them
    pub(super) terms: ResolvedTerms,
    pub(super) force: bool,
    pub(super) items: Vec<JobItem>,
    /// Number of items that are signed and written; they are the first ones
    pub(super) done: usize,
    pub(super) stage: Stage,
    pub(super) since: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobItem {
    format: Format,
    input: PathBuf,
    #[serde(default)]
    together: Vec<PathBuf>,
    output: PathBuf,
    /// The digest of the input. For several files: the digest of their digests
    digest: Option<Digest>,
    /// The stored pending signature, once it is prepared
    pending: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Stage {
    Start,
    Identifying {
        session: IdentificationSession,
        page: Option<String>,
    },
    Identified(Identity),
    /// The signer was asked. It is not known whether it received the request.
    Asking(Identity),
    /// The user is confirming the next `count` items.
    Signing {
        identity: Identity,
        count: usize,
        session: SigningSession,
        page: Option<String>,
    },
    /// The values of the next items have arrived.
    Completing {
        identity: Identity,
        values: Vec<SignatureValue>,
    },
}

impl Job {
    /// The job in today's layout; `None` if its parts contradict one another.
    pub(super) fn into_current(self) -> Option<super::Job> {
        let row = self.row().ok()?;
        let item = |item: JobItem| super::JobItem {
            format: item.format,
            input: item.input,
            together: item.together,
            output: item.output,
            value_digest: None,
        };
        Some(super::Job {
            signer: self.signer,
            request: self.request,
            force: self.force,
            items: self.items.into_iter().map(item).collect(),
            stage: stage_name(row.stored.stage).to_owned(),
            since: self.since,
            session: Some(StoredRow::of(&row)),
        })
    }

    /// The items that are not written yet, as `ades-session` continues them.
    fn row(&self) -> Result<JobRow, Error> {
        let left = || self.items.iter().enumerate().skip(self.done);
        let asked = match &self.stage {
            Stage::Asking(_) => left().take_while(|(_, item)| item.pending.is_some()).count(),
            Stage::Signing { count, .. } => *count,
            Stage::Completing { values, .. } => values.len(),
            Stage::Start | Stage::Identifying { .. } | Stage::Identified(_) => 0,
        };
        let items = left().enumerate().map(|(no, (at, item))| {
            ImportedItem::new(item.format)
                .id(format!("d{at:04}"))
                // That of a container was not stored.
                .digest(item.digest.clone().filter(|_| self.request.container.is_none()))
                .pending(item.pending.clone().filter(|_| no < asked))
        });
        let mut job =
            SigningJob::new("", "", left().map(|(no, item)| self.item(no, item)).collect());
        job.display = self.request.display(&self.terms, &Language::ALL);
        job.signing_time = self.request.signing_time;
        let (signer, position) = (self.signer(), self.position());
        let begun = self.since.unwrap_or_default();
        ImportedJob::new(job, items.collect(), position).into_row(JOB, signer, &KEYS, begun)
    }

    fn item(&self, no: usize, item: &JobItem) -> SigningJobItem {
        let options = self.request.options.clone();
        let options = self.terms.add_to(options).for_document(item.format);
        let mut signed =
            SigningJobItem::new(Part::Document.of(no), Part::Container.of(no), options);
        signed.name = name(&item.input);
        let container = self.request.container.as_deref();
        if container.is_some_and(|container: &Path| container != item.input) {
            signed = signed.original(Part::Original.of(no));
        }
        for (at, path) in item.together.iter().enumerate() {
            signed = signed.and(name(path).unwrap_or_default(), Part::Together(at).of(no));
        }
        signed
    }

    /// The name of the signer that has the session.
    fn signer(&self) -> &str {
        match &self.stage {
            Stage::Identifying { session, .. } => session.signer(),
            Stage::Signing { session, .. } => session.signer(),
            _ => "itsme",
        }
    }

    fn position(&self) -> ImportedPosition {
        match &self.stage {
            Stage::Start => ImportedPosition::Start,
            Stage::Identifying { session, page } => {
                let until = identification_deadline(session);
                ImportedPosition::Identifying(trip(session.clone(), page.as_deref(), until))
            }
            Stage::Identified(identity) => ImportedPosition::Identified(identity.clone()),
            Stage::Asking(identity) => ImportedPosition::Asking(identity.clone()),
            Stage::Signing { identity, session, page, .. } => {
                let trip = trip(session.clone(), page.as_deref(), signing_deadline(session));
                ImportedPosition::Signing(identity.clone(), trip)
            }
            Stage::Completing { identity, values } => {
                let values = values.iter().map(|value| value.value.clone()).collect();
                ImportedPosition::Values(identity.clone(), values)
            }
        }
    }
}

fn trip<S>(session: S, page: Option<&str>, until: Option<DateTime<Utc>>) -> ImportedTrip<S> {
    let key = page.and_then(return_key).map(ToOwned::to_owned);
    ImportedTrip::new(session).page(page.map(ToOwned::to_owned), key).expires_at(until)
}
