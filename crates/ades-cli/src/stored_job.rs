//! The file of a job: it is locked, written before each wait, and removed at the end.

use std::path::{Path, PathBuf};

use ades::PendingState;
use ades::formats::ades_core;
use ades_session::store::Stage;

use crate::exit::Failure;
use crate::input;
use crate::interrupt;
use crate::job::{Job, JobItem, stage_name};
use crate::lock::{self, Lock};
use crate::output::{self, Existing, Messages, Readers};
use crate::path_name::{absolute, folder_of, quoted};
use crate::temporary::{self, Temporary};

/// The file of a job, locked against other processes.
#[derive(Debug)]
pub(crate) struct JobFile {
    path: PathBuf,
    _lock: Lock,
}

impl JobFile {
    /// Takes the file for a new job. An earlier job in it is an error, unless `force` drops it.
    pub(crate) fn take(path: PathBuf, force: bool) -> Result<Self, Failure> {
        let lock = Lock::take(&path)?;
        if path.exists() && !force {
            return Err(Failure::usage(format!(
                "{0}: an earlier signing is not done; ades resume {0} continues it, --force \
                 drops it",
                path.display()
            )));
        }
        Ok(Self { path, _lock: lock })
    }

    /// Takes the file of a stored job, and reads it.
    pub(crate) fn load(path: &Path) -> Result<(Self, Job), Failure> {
        path.metadata().map_err(|e| Failure::file(path, &e))?;
        let absolute = absolute(path);
        let file = Self { _lock: Lock::take(&absolute)?, path: absolute };
        // Another process may have written to the file before this one took the lock.
        let job = read(path)?;
        file.sweep(&job.items);
        interrupt::set_resumable(Some(&file.path));
        Ok((file, job))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes temporary files and locks that a killed process left.
    pub(crate) fn sweep(&self, items: &[JobItem]) {
        lock::sweep(&self.path);
        let outputs = items.iter().map(|item| item.output.as_path());
        temporary::sweep(outputs.chain([self.path.as_path(), kept_input(&self.path).as_path()]));
    }

    /// Writes a job, whole or not at all.
    pub(crate) fn write(&self, mut job: Job, existing: Existing) -> Result<(), Failure> {
        let odd = {
            let files = job
                .items
                .iter()
                .flat_map(|item| [&item.input, &item.output].into_iter().chain(&item.together));
            files
                .filter(|path| path.to_str().is_none())
                .map(|path| path.display().to_string())
                .next()
        };
        if let Some(odd) = odd {
            return Err(Failure::usage(format!(
                "{odd}: a job cannot store a name that is not UTF-8; rename the file"
            )));
        }
        job.relate_paths(folder_of(&self.path));
        output::write_file(&self.path, job.to_json(None)?.as_bytes(), Readers::Owner, existing)
    }

    /// Writes a job whose files are all signed at once, with a key file, so that an interruption
    /// while they are raised can be continued.
    pub(crate) fn keep_signed(
        &self,
        job: &mut Job,
        spool: Option<Temporary>,
        existing: Existing,
        messages: &Messages,
    ) -> Result<(), Failure> {
        if let Some(spool) = spool {
            let (now, kept) = (absolute(spool.path()), kept_input(&self.path));
            spool.replace(&kept).map_err(|e| Failure::output(&kept, &e))?;
            for item in job.items.iter_mut().filter(|item| item.input == now) {
                item.input.clone_from(&kept);
            }
        }
        stage_name(Stage::Done).clone_into(&mut job.stage);
        job.since = Some(std::time::SystemTime::now().into());
        self.write(job.clone(), existing)?;
        self.note_stored(messages);
        Ok(())
    }

    /// Says how an interrupted job is continued.
    pub(crate) fn note_stored(&self, messages: &Messages) {
        interrupt::set_resumable(Some(&self.path));
        messages.print(format_args!(
            "stored in {}; after an interruption, continue with: ades resume {}",
            self.path.display(),
            quoted(&self.path)
        ));
    }

    /// Removes the file, and the copy of standard input beside it.
    pub(crate) fn remove(&self) {
        for file in [self.path.clone(), kept_input(&self.path)] {
            // A missing file is not an error, and a file that stays does no harm.
            let _ = std::fs::remove_file(file);
        }
        interrupt::set_resumable(None);
    }
}

/// Reads a job, without the right to work on it.
pub(crate) fn read(path: &Path) -> Result<Job, Failure> {
    let text = input::read_state(path, "job", "ades sign")?;
    let mut job = Job::from_json(text.trim_end(), None).map_err(|error| {
        let other = matches!(error, ades_core::Error::StateOfAnotherFormat { .. });
        let failure = Failure::from(error).about(path.display());
        if other { failure.and("ades complete takes a pending state") } else { failure }
    })?;
    job.resolve_paths(folder_of(&absolute(path)));
    Ok(job)
}

/// The file that keeps the octets of standard input as long as the job.
pub(crate) fn kept_input(job: &Path) -> PathBuf {
    let mut name = job.to_owned().into_os_string();
    name.push(".input");
    name.into()
}
