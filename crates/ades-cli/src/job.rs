//! Jobs: a signing in progress, stored in `<OUT>.pending` so that any later process can continue
//! it. `ades-session` continues it; the rest is about files.

mod version_1;
mod version_2;
mod version_3;

use std::path::{Path, PathBuf};

use ades::{Digest, Format, PendingState, StoredState};
use ades_session::sealing::KeyRing;
use ades_session::store::{JobId, JobRow, Stage};
use ades_session::{Error, Status};
use ades_session_file::StoredRow;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::path_name::is_standard;
use crate::request::Request;

/// The name of a job: each file has only one.
pub(crate) const JOB: JobId = JobId::from_random([0; 16]);
/// Only its owner can read the file of a job.
pub(crate) const KEYS: KeyRing = KeyRing::unsealed();

/// A signing in progress. The job contains everything that a later process needs, except the
/// documents. It contains no password and no key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    pub(crate) signer: SignerChoice,
    pub(crate) request: Request,
    pub(crate) force: bool,
    pub(crate) items: Vec<JobItem>,
    /// The stage, for people
    pub(crate) stage: String,
    /// The time since which the job is in this stage; not in jobs of older versions
    pub(crate) since: Option<DateTime<Utc>>,
    /// The job as `ades-session` stores it, with the items that were not written when it began; in
    /// the file only
    pub(crate) session: Option<StoredRow>,
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

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobItem {
    pub(crate) format: Format,
    pub(crate) input: PathBuf,
    /// More files that the same signature signs
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) together: Vec<PathBuf>,
    pub(crate) output: PathBuf,
    /// The digest of the signature value, once the output is written: it tells the new signature
    /// from those that were in the document before; not in jobs of older versions
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value_digest: Option<Digest>,
}

/// The name of a stage, for people.
pub(crate) const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Values => "completing",
        other => other.name(),
    }
}

/// A document of an item, or a place, by the name that `ades-session` has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The document, or the container that gets another signature
    Document,
    /// The document of that container
    Original,
    /// Another document that the same signature signs
    Together(usize),
    /// The output
    Container,
}

impl Part {
    /// The name of this part of an item.
    pub(crate) fn of(self, item: usize) -> String {
        match self {
            Self::Document => item.to_string(),
            Self::Original => format!("{item}/original"),
            Self::Together(no) => format!("{item}/together/{no}"),
            Self::Container => format!("{item}/container"),
        }
    }

    /// The item and its part that has this name.
    pub(crate) fn named(name: &str) -> Option<(usize, Self)> {
        let mut parts = name.split('/');
        let item = parts.next()?.parse().ok()?;
        let part = match (parts.next(), parts.next()) {
            (None, None) => Self::Document,
            (Some("original"), None) => Self::Original,
            (Some("container"), None) => Self::Container,
            (Some("together"), Some(no)) => Self::Together(no.parse().ok()?),
            _ => return None,
        };
        Some((item, part))
    }
}

impl Job {
    /// Notes the signature value of an item whose container is written.
    pub(crate) fn note_written(&mut self, no: usize, value_digest: Option<Digest>) {
        if let Some(item) = self.items.get_mut(no) {
            item.value_digest = value_digest;
        }
    }

    /// The job as `ades-session` stored it, and where it stands.
    pub(crate) fn session(&self) -> Result<(JobRow, Status), Error> {
        let missing = Error::Body { problem: "the part of ades-session is missing" };
        let row = self.session.clone().ok_or(missing)?.into_row(JOB)?;
        let status = Status::of(&row.stored, &KEYS)?;
        Ok((row, status))
    }

    /// The file of a part of an item.
    pub(crate) fn path(&self, item: usize, part: Part) -> Option<&Path> {
        let found = self.items.get(item)?;
        let input = found.input.as_path();
        Some(match (part, self.request.container.as_deref()) {
            (Part::Document, Some(container)) => container,
            (Part::Document, None) | (Part::Original, _) => input,
            (Part::Together(no), _) => found.together.get(no)?,
            (Part::Container, _) => &found.output,
        })
    }

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
    /// It covers the layout of [`StoredRow`], whose version is 1.
    const VERSION: u32 = 4;

    fn from_older(version: u32, stored: &StoredState) -> Option<Self> {
        let older = match version {
            1 => stored.read::<version_1::Job>()?.into_version_3(),
            2 => Some(stored.read::<version_2::Job>()?.into_version_3()),
            3 => stored.read::<version_3::Job>(),
            _ => None,
        };
        older?.into_current()
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
    const VERSION_4: [&str; 3] = [
        include_str!("../tests/fixtures/job-4-identifying.json"),
        include_str!("../tests/fixtures/job-4-signing.json"),
        include_str!("../tests/fixtures/job-4-completing.json"),
    ];
    const STAGES: [Stage; 3] = [Stage::Identifying, Stage::Signing, Stage::Values];

    fn check_stage(job: &Job, stage: Stage) {
        let (row, status) = job.session().unwrap();
        assert_eq!((status.stage, job.stage.as_str()), (stage, stage_name(stage)));
        assert_eq!((row.stored.signer.as_str(), status.items.len()), ("itsme", job.items.len()));
        assert_eq!(status.session_until.is_some(), stage != Stage::Values);
        assert_eq!(status.certificate_until.is_some(), stage != Stage::Identifying);
        let asked = row.stored.items.len();
        let values = row.stored.items.iter().filter(|item| item.value.is_some()).count();
        match stage {
            Stage::Identifying => assert_eq!((asked, values), (0, 0)),
            Stage::Signing => assert_eq!((asked, values), (1, 0)),
            _ => assert_eq!((asked, values), (1, 1)),
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
    fn older_versions_are_read() {
        let one = VERSION_1.map(as_stored::<1>).into_iter().zip(STAGES);
        let two = VERSION_2.map(as_stored::<2>).into_iter().zip(STAGES);
        let three = VERSION_3.map(as_stored::<3>).into_iter().zip(STAGES);
        for (at, (state, stage)) in one.chain(two).chain(three).enumerate() {
            let job = Job::from_json(&state, None).unwrap();
            check_stage(&job, stage);
            // Pages and times are stored since version 3.
            let (row, status) = job.session().unwrap();
            let has_page = at >= 6 && stage != Stage::Values;
            assert_eq!((job.since.is_some(), status.page.is_some()), (at >= 6, has_page));
            assert_eq!(row.return_keys.len(), usize::from(has_page));
            let again = Job::from_json(&job.to_json(None).unwrap(), None).unwrap();
            assert_eq!(
                serde_json::to_string(&again).unwrap(),
                serde_json::to_string(&job).unwrap()
            );
        }
    }

    #[test]
    fn version_4_is_read_and_written_unchanged() {
        for (state, stage) in VERSION_4.iter().zip(STAGES) {
            let job: Job = serde_json::from_str(state).unwrap();
            check_stage(&job, stage);
            let stored: serde_json::Value = serde_json::from_str(state).unwrap();
            assert_eq!(serde_json::to_value(&job).unwrap(), stored);
        }
        assert_eq!(
            (Job::VERSION, StoredRow::VERSION),
            (4, 1),
            "a new layout: keep these fixtures, and add those of the new one"
        );
    }

    #[test]
    fn parts_of_items_have_names() {
        for part in [Part::Document, Part::Original, Part::Together(7), Part::Container] {
            assert_eq!(Part::named(&part.of(12)), Some((12, part)));
        }
        for name in ["", "x", "1/other", "1/together", "1/together/x", "-1"] {
            assert_eq!(Part::named(name), None, "{name}");
        }
    }

    #[test]
    fn paths_below_the_jobs_folder_move_with_it() {
        let mut job: Job = serde_json::from_str(VERSION_4[0]).unwrap();
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
    }
}
