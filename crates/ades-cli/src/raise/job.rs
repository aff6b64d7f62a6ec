//! Raising the containers of a job, after all of them are signed.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ades::{Digest, DigestAlgorithm, Format, Operation, Selection};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::{Raised, Task, progress};
use crate::args::{EvidenceArgs, UnlockArgs};
use crate::exit::{DONE, Failure};
use crate::job::{Job, JobItem};
use crate::network::FetchRules;
use crate::outcome::Outcome;
use crate::output::{self, Existing, Messages, Readers};
use crate::request::RaiseRequest;
use crate::services::Services;

/// The address of the embedded sandbox.
const LOCALHOST: &str = "127.0.0.1";
/// The length of a token that is assumed if no service answers, in octets.
const USUAL_TOKEN_LEN: usize = 12 * 1024;

impl RaiseRequest {
    /// The services to ask. The certificates of the embedded sandbox name its own.
    fn services(&self, own: Option<&str>) -> (Vec<String>, FetchRules) {
        let (mut authorities, mut fetch) = (self.authorities.clone(), self.fetch.clone());
        if let Some(own) = own {
            if authorities.is_empty() {
                authorities.push(own.to_owned());
            }
            fetch.allow.push(LOCALHOST.to_owned());
        }
        (authorities, fetch)
    }
}

/// Reserves room for a time-stamp in the PDFs of a job before the user is asked: one time-stamp
/// over random octets shows how long the tokens of the service are, and that the service answers.
/// `own_service`: the address of the embedded sandbox's.
pub(crate) fn reserve_room(job: &mut Job, own_service: Option<&str>, messages: &Messages) {
    let options = &job.request.options;
    let has_pdf = job.items.iter().any(|item| item.format == Format::Pades);
    let is_known = options.pdf.room_for_time_stamp.is_some();
    let is_whole = !matches!(options.operation, Operation::Countersign { .. });
    let Some(raise) = job.request.raise.as_ref().filter(|_| has_pdf && !is_known && is_whole)
    else {
        return;
    };
    let (authorities, fetch) = raise.services(own_service);
    let measured = Services::new(&authorities, &fetch, Handle::current())
        .map_err(|failure| failure.to_string())
        .and_then(|services| services.token_len(DigestAlgorithm::Sha256, raise.policy));
    let len = measured.unwrap_or_else(|why| {
        messages.print(format_args!(
            "no time-stamping service answers now; the signatures may stay at B-B until ades \
             extend raises them: {why}"
        ));
        USUAL_TOKEN_LEN
    });
    job.request.options.pdf.room_for_time_stamp = Some(len);
}

/// Raises the containers, if that was asked for. What a service does not give can be added later:
/// the container at the level that was reached is in its place.
pub(crate) fn raise_all(
    job: &Job,
    own_service: Option<&str>,
    outcome: &mut Outcome,
    messages: &Messages,
) -> u8 {
    let Some(raise) = &job.request.raise else { return DONE };
    let until =
        raise.wait.and_then(|wait| SystemTime::now().checked_add(Duration::from_secs(wait)));
    // The sandbox answers on the same runtime.
    let run = |task: &Task| tokio::task::block_in_place(|| task.run(Handle::current(), messages));
    let mut all: Vec<(&JobItem, Task, Result<Raised, Failure>)> = Vec::new();
    for item in &job.items {
        let task = task(job, raise, item, own_service);
        let raised = run(&task);
        all.push((item, task, raised));
    }
    // All files have their time-stamp before the first one waits for newer data: then one wait is
    // enough for all of them.
    let is_waiting = |raised: &Result<Raised, Failure>| {
        raised.as_ref().is_ok_and(|raised| raised.reached.is_waiting_for_newer_data())
    };
    for (_, task, raised) in all.iter_mut().filter(|(.., raised)| is_waiting(raised)) {
        if until.is_some() {
            task.wait_until = until;
            *raised = run(task);
        }
    }
    let mut worst = DONE;
    for (item, task, raised) in all {
        let status = match raised {
            Ok(raised) => {
                raised.report(&task, messages);
                let files = outcome.signed.iter_mut().filter(|file| file.output == item.output);
                files.for_each(|file| file.level = raised.reached.level);
                raised.status()
            }
            Err(failure) => {
                output::print_always(format_args!("ades: {failure}"));
                failure.status
            }
        };
        worst = worst.max(status);
    }
    if worst != DONE {
        output::print_always("the signatures are written; ades extend raises them later");
    }
    worst
}

fn task(job: &Job, raise: &RaiseRequest, item: &JobItem, own_service: Option<&str>) -> Task {
    let (authorities, fetch) = raise.services(own_service);
    let options = &job.request.options;
    let mut originals = Vec::new();
    if options.is_detached(item.format) {
        originals.push(item.input.clone());
        originals.extend(item.together.iter().cloned());
    }
    Task {
        input: item.output.clone(),
        output: item.output.clone(),
        existing: Existing::Replace,
        level: raise.level,
        digest: DigestAlgorithm::Sha256,
        authorities,
        policy: raise.policy,
        // What others have signed in the document stays as it is. A job of an older version does
        // not name its signature.
        selection: item
            .value_digest
            .clone()
            .map_or(Selection::All, |new| Selection::Only(vec![new])),
        token_len: options.pdf.room_for_time_stamp,
        is_fresh: raise.is_fresh,
        wait_until: None,
        keeps_record: true,
        originals,
        trust: raise.trust.clone(),
        evidence: EvidenceArgs::default(),
        fetch,
        unlock: UnlockArgs {
            pdf_password_env: job.request.pdf_password_env.clone(),
            recipient: job.request.recipient.clone(),
        },
        reading: options.xml.reading.clone(),
    }
}

/// A job's file beside which this is written is signed as a whole: only raising is left. Its file
/// still has the last stage of signing, whose outputs have changed since.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    version: u32,
    /// The digest of the job's file.
    job: Digest,
    /// The port of the embedded sandbox's services: the certificates name it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

/// Notes that all files of a job are signed. `port`: that of the embedded sandbox's services.
pub(crate) fn begin(job_file: &Path, port: Option<u16>) -> Result<(), Failure> {
    let Some(job) = digest_of(job_file) else { return Ok(()) };
    let path = begun_path(job_file);
    let json = serde_json::to_vec(&Begun { version: 1, job, port })
        .map_err(|error| Failure::output(&path, &error))?;
    output::write_file(&path, &json, Readers::Owner, Existing::Replace)
}

/// If all files of a job are signed, and only raising is left: the port of the embedded sandbox's
/// services, if it has any.
pub(crate) fn begun(job_file: &Path) -> Option<Option<u16>> {
    let begun: Begun = serde_json::from_slice(&std::fs::read(begun_path(job_file)).ok()?).ok()?;
    (Some(begun.job) == digest_of(job_file)).then_some(begun.port)
}

/// Removes what raising has left, after the job itself is removed.
pub(crate) fn finish(job_file: Option<&Path>, job: &Job) {
    if job.request.raise.is_none() {
        return;
    }
    if let Some(job_file) = job_file {
        // A missing file is not an error, and a file that stays does no harm.
        let _ = std::fs::remove_file(begun_path(job_file));
    }
    job.items.iter().for_each(|item| progress::remove(&item.output));
}

fn digest_of(file: &Path) -> Option<Digest> {
    Some(Digest::of(DigestAlgorithm::Sha256, &std::fs::read(file).ok()?))
}

fn begun_path(job_file: &Path) -> PathBuf {
    let mut name = job_file.to_owned().into_os_string();
    name.push(".raising");
    name.into()
}
