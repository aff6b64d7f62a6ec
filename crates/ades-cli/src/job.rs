//! Jobs: a signing in progress, stored in `<OUT>.pending` so that any later process can continue
//! it.

mod version_1;
mod version_2;

use std::path::{Path, PathBuf};

use ades::signer::{IdentificationSession, Identity, SignatureValue, SigningSession};
use ades::{Digest, Format, PendingState, StoredState};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::path_name::is_standard;
use crate::request::{Request, ResolvedTerms};

/// A signing in progress. The job contains everything that a later process needs, except the
/// documents. It contains no password and no key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    pub(crate) signer: SignerChoice,
    pub(crate) request: Request,
    /// Policy and commitment, once the signer has resolved them
    pub(crate) terms: ResolvedTerms,
    pub(crate) force: bool,
    pub(crate) items: Vec<JobItem>,
    /// Number of items that are signed and written; they are the first ones
    pub(crate) done: usize,
    pub(crate) stage: Stage,
    /// The time since which the job is in this stage; not in jobs of older versions
    pub(crate) since: Option<DateTime<Utc>>,
}

/// The signer, and its settings outside of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignerChoice {
    pub(crate) kind: SignerKind,
    /// The sandbox's folder, if it is not the default one
    pub(crate) sandbox_dir: Option<PathBuf>,
    pub(crate) sandbox_user: String,
    pub(crate) auto_approve: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum SignerKind {
    Sandbox,
    Itsme(PathBuf),
    Pkcs12(PathBuf),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobItem {
    pub(crate) format: Format,
    pub(crate) input: PathBuf,
    /// More files that the same signature signs
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) together: Vec<PathBuf>,
    pub(crate) output: PathBuf,
    /// The input's digest at the start of the job; the input must not change while the user is
    /// asked
    pub(crate) digest: Option<Digest>,
    /// The stored pending signature, once it is prepared
    pub(crate) pending: Option<String>,
    /// The digest of the signature value, once the output is written: it tells the new signature
    /// from those that were in the document before; not in jobs of older versions
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value_digest: Option<Digest>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Stage {
    /// Nobody has been asked yet.
    Start,
    /// The user is being identified.
    Identifying {
        session: IdentificationSession,
        /// The signer's page that the user has to open; not in jobs of older versions
        page: Option<String>,
    },
    /// The user is known; the next batch is to be prepared.
    Identified(Identity),
    /// The signer is being asked. It is not known whether it received the request.
    Asking(Identity),
    /// The user is confirming the next `count` items.
    Signing { identity: Identity, count: usize, session: SigningSession, page: Option<String> },
    /// The values of the next items have arrived.
    Completing { identity: Identity, values: Vec<SignatureValue> },
}

impl Stage {
    /// The name that the stage has in the stored job.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Identifying { .. } => "identifying",
            Self::Identified(_) => "identified",
            Self::Asking(_) => "asking",
            Self::Signing { .. } => "signing",
            Self::Completing { .. } => "completing",
        }
    }

    /// The signer's page that the user has to open.
    pub(crate) fn page(&self) -> Option<&str> {
        match self {
            Self::Identifying { page, .. } | Self::Signing { page, .. } => page.as_deref(),
            _ => None,
        }
    }

    /// The user, once they are identified.
    pub(crate) const fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Start | Self::Identifying { .. } => None,
            Self::Identified(identity)
            | Self::Asking(identity)
            | Self::Signing { identity, .. }
            | Self::Completing { identity, .. } => Some(identity),
        }
    }
}

impl Job {
    /// Makes the paths below `folder`, the folder of the job's file, relative to it, so that the
    /// job moves with its folder.
    pub(crate) fn relate_paths(&mut self, folder: &Path) {
        for path in self.paths_mut() {
            let below = path.strip_prefix(folder).ok().map(ToOwned::to_owned);
            // A file whose relative name is - would become standard input.
            let below = below.filter(|below| *below != Path::new("") && !is_standard(below));
            if let Some(below) = below {
                *path = below;
            }
        }
    }

    /// Makes relative paths absolute: they are relative to `folder`, the folder of the job's file.
    pub(crate) fn resolve_paths(&mut self, folder: &Path) {
        for path in self.paths_mut() {
            if path.is_relative() && !is_standard(path) {
                *path = folder.join(&path);
            }
        }
    }

    /// All paths in the job.
    fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let signer = match &mut self.signer.kind {
            SignerKind::Sandbox => None,
            SignerKind::Itsme(path) | SignerKind::Pkcs12(path) => Some(path),
        };
        let items = self.items.iter_mut().flat_map(|item| {
            [&mut item.input, &mut item.output].into_iter().chain(&mut item.together)
        });
        let others = signer.into_iter().chain(&mut self.signer.sandbox_dir);
        items.chain(others).chain(self.request.paths_mut())
    }
}

impl PendingState for Job {
    const FORMAT: &'static str = "ades-job";
    const VERSION: u32 = 3;

    fn from_older(version: u32, stored: &StoredState) -> Option<Self> {
        match version {
            1 => stored.read::<version_1::Job>()?.into_current(),
            2 => Some(stored.read::<version_2::Job>()?.into_current()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use ades::{Certification, FieldLock, Operation, Packaging, Rectangle, StampPosition};

    use super::*;

    /// Stored jobs of each version, one for each stage in which a job is stored.
    const VERSION_1: [&str; 3] = [
        include_str!("../tests/fixtures/job-1-identifying.json"),
        include_str!("../tests/fixtures/job-1-signing.json"),
        include_str!("../tests/fixtures/job-1-completing.json"),
    ];
    const VERSION_2: [&str; 3] = [
        include_str!("../tests/fixtures/job-2-identifying.json"),
        include_str!("../tests/fixtures/job-2-signing.json"),
        include_str!("../tests/fixtures/job-2-completing.json"),
    ];
    const VERSION_3: [&str; 3] = [
        include_str!("../tests/fixtures/job-3-identifying.json"),
        include_str!("../tests/fixtures/job-3-signing.json"),
        include_str!("../tests/fixtures/job-3-completing.json"),
    ];

    fn check_stage(job: &Job) {
        match &job.stage {
            Stage::Identifying { session, .. } => assert_eq!(session.signer(), "itsme"),
            Stage::Signing { count, session, .. } => {
                assert_eq!((*count, session.signer()), (1, "itsme"));
            }
            Stage::Completing { values, .. } => assert_eq!(values.len(), 1),
            other => panic!("{other:?}"),
        }
    }

    /// A state of an older version with its checksum, as a program of that version wrote it.
    fn as_stored<const VERSION: u32>(state: &str) -> String {
        /// The old layout, unread.
        #[derive(Serialize, Deserialize)]
        #[serde(transparent)]
        struct Old<const VERSION: u32>(serde_json::Value);

        impl<const V: u32> PendingState for Old<V> {
            const FORMAT: &'static str = "ades-job";
            const VERSION: u32 = V;
        }
        serde_json::from_str::<Old<VERSION>>(state).unwrap().to_json(None).unwrap()
    }

    #[test]
    fn versions_1_and_2_are_read() {
        let one = VERSION_1.map(as_stored::<1>).into_iter().zip([3, 1, 1]);
        let two = VERSION_2.map(as_stored::<2>).into_iter().zip([3, 1, 1]);
        for (state, items) in one.chain(two) {
            let job = Job::from_json(&state, None).unwrap();
            assert!(job.since.is_none() && job.stage.page().is_none());
            assert_eq!((job.items.len(), job.done), (items, 0));
            check_stage(&job);
            let again = Job::from_json(&job.to_json(None).unwrap(), None).unwrap();
            assert_eq!(
                serde_json::to_string(&again).unwrap(),
                serde_json::to_string(&job).unwrap()
            );
        }
    }

    #[test]
    fn version_3_is_read_and_written_unchanged() {
        for (state, items) in VERSION_3.iter().zip([3, 1, 1]) {
            let job: Job = serde_json::from_str(state).unwrap();
            assert_eq!((job.items.len(), job.done), (items, 0));
            check_stage(&job);
            let stored: serde_json::Value = serde_json::from_str(state).unwrap();
            assert_eq!(serde_json::to_value(&job).unwrap(), stored);
        }
        assert_eq!(
            Job::VERSION,
            3,
            "a new layout: keep these fixtures, and add those of the new one"
        );
    }

    #[test]
    fn paths_below_the_jobs_folder_move_with_it() {
        let mut job: Job = serde_json::from_str(VERSION_3[0]).unwrap();
        let before = serde_json::to_value(&job).unwrap();
        job.relate_paths(Path::new("/srv/documents/signed"));
        let names = |job: &Job| {
            let items = job.items.iter().flat_map(|item| [item.input.clone(), item.output.clone()]);
            items.map(|path| path.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&job)[..2], ["/srv/documents/contract.pdf", "contract.pdf"]);
        job.resolve_paths(Path::new("/srv/documents/signed"));
        assert_eq!(serde_json::to_value(&job).unwrap(), before);

        job.relate_paths(Path::new("/srv/documents"));
        job.resolve_paths(Path::new("/mnt/moved"));
        assert_eq!(names(&job)[..2], ["/mnt/moved/contract.pdf", "/mnt/moved/signed/contract.pdf"]);

        // So do all files of a signature over several ones.
        job.items[0].together = vec![PathBuf::from("/srv/in/b.txt"), PathBuf::from("/mnt/c.txt")];
        job.relate_paths(Path::new("/srv"));
        job.resolve_paths(Path::new("/other"));
        assert_eq!(job.items[0].together, [Path::new("/other/in/b.txt"), Path::new("/mnt/c.txt")]);

        // A file with the name - stays a file, and standard input stays standard input.
        let [item, ..] = job.items.as_mut_slice() else { panic!() };
        (item.input, item.output) = (PathBuf::from("/srv/-"), PathBuf::from("-"));
        job.relate_paths(Path::new("/srv"));
        job.resolve_paths(Path::new("/srv"));
        assert_eq!(names(&job)[..2], ["/srv/-", "-"]);
    }

    #[test]
    fn every_option_of_version_1_becomes_a_typed_one() {
        let [state, ..] = VERSION_1;
        let pdf = state.replacen(
            r#""pdf":{"reason":null,"location":null,"contact":null,"field":null,"certify":null,"lock":null,"#,
            r#""pdf":{"name":"N","reason":"R","location":"L","contact":"C","field":"F","certify":2,"lock":"exclude:a,b","overrule_permissions":true,"#,
            1,
        );
        assert_ne!(pdf, state);
        let xml = pdf.replacen(
            r#""xml":{"packaging":null,"elements":[],"into":null,"allow_parallel":false,"method":"exclusive"}"#,
            r#""xml":{"packaging":"internally-detached","elements":["e"],"into":null,"behind":"{urn:a}b","allow_parallel":true,"method":"c14n11","address":{"street_address":"S","state_or_province":null,"postal_code":"9000"},"reading":{"ignore_external_subset":true,"id_attributes":["{urn:a}Id"]}}"#,
            1,
        );
        assert_ne!(xml, pdf);
        let job = Job::from_json(&as_stored::<1>(&xml), None).unwrap();
        let options = &job.request.options;
        assert_eq!(options.operation, Operation::Sign);
        assert_eq!(options.packaging, Some(Packaging::InternallyDetached));
        assert_eq!(options.parameters.signer_roles(), ["Director"]);
        assert_eq!(options.parameters.document_description(), Some("Huur"));
        assert_eq!(options.parameters.document_mime_type(), Some("text/plain"));
        let pdf = &options.pdf;
        let texts = [&pdf.name, &pdf.reason, &pdf.location, &pdf.contact, &pdf.field];
        assert_eq!(texts.map(|text| text.as_deref().unwrap()), ["N", "R", "L", "C", "F"]);
        assert_eq!(pdf.certification, Some(Certification::FormFilling));
        assert_eq!(pdf.lock, Some(FieldLock::Exclude(vec!["a".into(), "b".into()])));
        assert!(pdf.ignore_permissions && !pdf.repair);
        let rectangle = Rectangle::new(72.0, 72.0, 200.0, 60.0);
        let place = StampPosition::Page { page: 1, rectangle };
        assert_eq!(pdf.stamp.as_ref().unwrap().position, place);
        let xml = &options.xml;
        assert!(xml.allow_parallel && xml.reading.ignore_external_subset);
        assert_eq!(xml.elements, ["e"]);
        let place = xml.production_place.as_ref().unwrap();
        assert_eq!(
            (place.city.as_deref(), place.postal_code.as_deref()),
            (Some("Gent"), Some("9000"))
        );
        assert!(xml.reading.ids.names().any(|name| name == ("urn:a", "Id")));
        assert_eq!(job.request.terms.policy.as_deref(), Some("1.3.6.1.4.1.49274.1.1.7.1.0"));
        assert!(job.terms.policy.is_some() && job.terms.commitment.is_some());
    }
}
