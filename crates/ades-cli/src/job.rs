//! A signing under way, stored before each wait so that any later process can
//! go on: `<OUT>.pending`, removed at the end.

use std::path::{Path, PathBuf};

use ades_core::signer::{IdentificationSession, Identity, SignatureValue, SigningSession};
use ades_core::{Digest, PendingState, SignaturePolicy};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;
use crate::format::Format;
use crate::input;
use crate::lock::Lock;
use crate::options::Wishes;
use crate::output::{self, Existing, Readers, Say};
use crate::temporary::{self, Temporary};

/// Everything a later process needs; no document, password or key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    pub(crate) signer: SignerChoice,
    pub(crate) wishes: Wishes,
    /// The policy, once its digest is known.
    pub(crate) policy: Option<SignaturePolicy>,
    pub(crate) force: bool,
    pub(crate) items: Vec<JobItem>,
    /// How many items are signed and written.
    pub(crate) done: usize,
    pub(crate) stage: Stage,
}

/// Which signer, and what it is told beside the request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignerChoice {
    pub(crate) kind: SignerKind,
    /// The sandbox's folder; without it, the user's own.
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
    /// The input's digest when the job began; it must not change while the
    /// user is asked.
    pub(crate) digest: Option<Digest>,
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
    /// The signer is being asked; whether it got the request is not known.
    Asking(Identity),
    /// The user is confirming the next `count` items.
    Signing { identity: Identity, count: usize, session: SigningSession },
    /// The values of the next items are here.
    Completing { identity: Identity, values: Vec<SignatureValue> },
}

impl PendingState for Job {
    const FORMAT: &'static str = "ades-job";
    const VERSION: u32 = 1;
}

/// A job and the file it is stored in.
pub(crate) struct Stored<'a> {
    pub(crate) job: Job,
    file: Option<JobFile>,
    /// Standard input's octets, as long as the job has no file.
    spool: Option<Temporary>,
    on_disk: bool,
    /// Whether nothing but another version of the program can go on with it.
    given_up: bool,
    say: &'a Say,
}

/// Where a job is stored; no other process is at it.
pub(crate) struct JobFile {
    path: PathBuf,
    _lock: Lock,
}

impl JobFile {
    /// For a new job. An earlier one in its place is dropped by `force`, else it
    /// is an error.
    pub(crate) fn take(path: PathBuf, force: bool) -> Result<Self, Failure> {
        let lock = Lock::take(&path)?;
        if path.exists() && !force {
            return Err(Failure::usage(format!(
                "{0}: an earlier signing is not done; ades resume {0} goes on with it, --force \
                 drops it",
                path.display()
            )));
        }
        Ok(Self { path, _lock: lock })
    }

    /// Removes what a killed process left of the job's files.
    fn sweep(&self, job: &Job) {
        let outputs = job.items.iter().map(|item| item.output.as_path());
        temporary::sweep(outputs.chain([self.path.as_path(), kept_input(&self.path).as_path()]));
    }
}

impl<'a> Stored<'a> {
    /// `file`: `None` if the result goes to standard output.
    pub(crate) fn new(
        job: Job,
        file: Option<JobFile>,
        spool: Option<Temporary>,
        say: &'a Say,
    ) -> Self {
        if let Some(file) = &file {
            file.sweep(&job);
        }
        Self { job, file, spool, on_disk: false, given_up: false, say }
    }

    pub(crate) fn load(path: &Path, say: &'a Say) -> Result<Self, Failure> {
        path.metadata().map_err(|e| Failure::file(path, &e))?;
        let absolute = input::absolute(path);
        let file = JobFile { _lock: Lock::take(&absolute)?, path: absolute };
        // Read only now: it may have been another's until here.
        let text = input::read_text(path)?;
        let job = Job::from_json(text.trim_end(), None)
            .map_err(|e| Failure::from(e).about(path.display()))?;
        file.sweep(&job);
        Ok(Self { job, file: Some(file), spool: None, on_disk: true, given_up: false, say })
    }

    /// Stores the job as it is now. Says where, the first time.
    pub(crate) fn save(&mut self) -> Result<(), Failure> {
        let Some(JobFile { path, .. }) = &self.file else { return Ok(()) };
        // An earlier job was looked for; one that has come since is not ours to drop.
        let existing = Existing::forced(self.on_disk || self.job.force);
        if let Some(spool) = self.spool.take() {
            let (now, kept) = (input::absolute(spool.path()), kept_input(path));
            spool.replace(&kept).map_err(|e| Failure::file(&kept, &e))?;
            for item in self.job.items.iter_mut().filter(|item| item.input == now) {
                item.input.clone_from(&kept);
            }
        }
        let all = self.job.items.iter().flat_map(|item| [&item.input, &item.output]);
        if let Some(odd) = all.into_iter().find(|path| path.to_str().is_none()) {
            return Err(Failure::usage(format!(
                "{}: a name that is not UTF-8 cannot be stored while the user is asked",
                odd.display()
            )));
        }
        let json = self.job.to_json(None)?;
        output::write_file(path, json.as_bytes(), Readers::Owner, existing)?;
        if !self.on_disk {
            self.on_disk = true;
            self.say.line(format_args!(
                "stored in {0}; after an interruption: ades resume {0}",
                path.display()
            ));
        }
        Ok(())
    }

    /// Where the job is stored, if it is and may be gone on with.
    pub(crate) fn file(&self) -> Option<&Path> {
        let stored = self.file.as_ref().filter(|_| self.on_disk && !self.given_up);
        stored.map(|file| file.path.as_path())
    }

    /// The program itself is at fault: going on would end as now. The job stays for
    /// a version without the fault.
    pub(crate) fn give_up(&mut self) {
        if let Some(path) = self.file() {
            let path = path.display();
            self.say.line(format_args!("{path}: kept for a version that can write the rest"));
        }
        self.given_up = true;
    }

    /// Whether an item's octets came on standard input.
    pub(crate) fn is_from_standard_input(&self, item: &JobItem) -> bool {
        let kept = self.file.as_ref().map(|file| kept_input(&file.path));
        let spool = self.spool.as_ref().map(|spool| input::absolute(spool.path()));
        [kept, spool].iter().flatten().any(|path| *path == item.input)
    }

    /// The job is over: nothing of it stays but the result, nor of an earlier one
    /// that was to be dropped.
    pub(crate) fn remove(&mut self) {
        if let Some(JobFile { path, .. }) = &self.file
            && (self.on_disk || self.job.force)
        {
            for file in [path.clone(), kept_input(path)] {
                // Gone already is as good, and a leftover does no harm.
                let _ = std::fs::remove_file(file);
            }
        }
        self.on_disk = false;
    }
}

/// Where what came on standard input is kept for as long as the job is.
pub(crate) fn kept_input(job: &Path) -> PathBuf {
    let mut name = job.to_owned().into_os_string();
    name.push(".input");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 1, in the stages that a job is stored in.
    const STORED: [&str; 3] = [
        include_str!("../tests/fixtures/job-1-identifying.json"),
        include_str!("../tests/fixtures/job-1-signing.json"),
        include_str!("../tests/fixtures/job-1-completing.json"),
    ];

    #[test]
    fn jobs_of_version_1_are_read() {
        for (state, items) in STORED.iter().zip([3, 1, 1]) {
            let job: Job = serde_json::from_str(state).unwrap();
            assert_eq!((job.items.len(), job.done), (items, 0));
            let read = Job::from_json(&job.to_json(None).unwrap(), None).unwrap();
            // What is written is what is read: another layout is another version.
            assert_eq!(serde_json::to_string(&read).unwrap(), state.trim_end());
            match read.stage {
                Stage::Identifying(session) => assert_eq!(session.signer(), "itsme"),
                Stage::Signing { count, session, .. } => {
                    assert_eq!((count, session.signer()), (1, "itsme"));
                }
                Stage::Completing { values, .. } => assert_eq!(values.len(), 1),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(Job::VERSION, 1, "a new layout: keep these, and add those of the new one");
    }
}
