//! Jobs: a signing in progress, stored in `<OUT>.pending` so that any later process can continue
//! it.

mod version_1;

use std::path::PathBuf;

use ades::signer::{IdentificationSession, Identity, SignatureValue, SigningSession};
use ades::{Digest, Format, PendingState, StoredState};
use serde::{Deserialize, Serialize};

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
    pub(crate) output: PathBuf,
    /// The input's digest at the start of the job; the input must not change while the user is
    /// asked
    pub(crate) digest: Option<Digest>,
    /// The stored pending signature, once it is prepared
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
    /// The signer is being asked. It is not known whether it received the request.
    Asking(Identity),
    /// The user is confirming the next `count` items.
    Signing { identity: Identity, count: usize, session: SigningSession },
    /// The values of the next items have arrived.
    Completing { identity: Identity, values: Vec<SignatureValue> },
}

impl PendingState for Job {
    const FORMAT: &'static str = "ades-job";
    const VERSION: u32 = 2;

    fn from_older(version: u32, stored: &StoredState) -> Option<Self> {
        match version {
            1 => stored.read::<version_1::Job>()?.into_current(),
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

    fn check_stage(job: &Job) {
        match &job.stage {
            Stage::Identifying(session) => assert_eq!(session.signer(), "itsme"),
            Stage::Signing { count, session, .. } => {
                assert_eq!((*count, session.signer()), (1, "itsme"));
            }
            Stage::Completing { values, .. } => assert_eq!(values.len(), 1),
            other => panic!("{other:?}"),
        }
    }

    /// Version 1 as a state with its checksum, as a program of that version wrote it.
    fn as_stored(state: &str) -> String {
        /// The old layout, unread.
        #[derive(Serialize, Deserialize)]
        #[serde(transparent)]
        struct Old(serde_json::Value);

        impl PendingState for Old {
            const FORMAT: &'static str = "ades-job";
            const VERSION: u32 = 1;
        }
        serde_json::from_str::<Old>(state).unwrap().to_json(None).unwrap()
    }

    #[test]
    fn version_1_is_read() {
        for (state, items) in VERSION_1.iter().zip([3, 1, 1]) {
            let job = Job::from_json(&as_stored(state), None).unwrap();
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
    fn version_2_is_read_and_written_unchanged() {
        for (state, items) in VERSION_2.iter().zip([3, 1, 1]) {
            let job: Job = serde_json::from_str(state).unwrap();
            assert_eq!((job.items.len(), job.done), (items, 0));
            check_stage(&job);
            let stored: serde_json::Value = serde_json::from_str(state).unwrap();
            assert_eq!(serde_json::to_value(&job).unwrap(), stored);
        }
        assert_eq!(
            Job::VERSION,
            2,
            "a new layout: keep these fixtures, and add those of the new one"
        );
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
        let job = Job::from_json(&as_stored(&xml), None).unwrap();
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
