//! The file of a job: it is locked, written before each wait, and removed at the end.

use std::path::{Path, PathBuf};

use ades::PendingState;
use ades::formats::ades_core;

use crate::exit::Failure;
use crate::input;
use crate::interrupt;
use crate::job::{Job, JobItem};
use crate::lock::{self, Lock};
use crate::output::{self, Existing, Messages, Readers};
use crate::path_name::{absolute, folder_of, quoted};
use crate::temporary::{self, Temporary};

/// A job and the file it is stored in.
pub(crate) struct StoredJob<'a> {
    pub(crate) job: Job,
    file: Option<JobFile>,
    /// The octets of standard input, until the job has a file
    spool: Option<Temporary>,
    on_disk: bool,
    /// The stage that the file has, with its page
    stage: Option<(&'static str, Option<String>)>,
    /// Whether only another version of the program can continue the job
    given_up: bool,
    messages: &'a Messages,
}

/// The file of a job, locked against other processes.
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

    /// Removes temporary files and locks that a killed process left.
    fn sweep(&self, job: &Job) {
        lock::sweep(&self.path);
        let outputs = job.items.iter().map(|item| item.output.as_path());
        temporary::sweep(outputs.chain([self.path.as_path(), kept_input(&self.path).as_path()]));
    }
}

impl<'a> StoredJob<'a> {
    /// `file` is `None` if the result goes to standard output.
    pub(crate) fn new(
        job: Job,
        file: Option<JobFile>,
        spool: Option<Temporary>,
        messages: &'a Messages,
    ) -> Self {
        if let Some(file) = &file {
            file.sweep(&job);
        }
        Self { job, file, spool, on_disk: false, stage: None, given_up: false, messages }
    }

    pub(crate) fn load(path: &Path, messages: &'a Messages) -> Result<Self, Failure> {
        path.metadata().map_err(|e| Failure::file(path, &e))?;
        let absolute = absolute(path);
        let file = JobFile { _lock: Lock::take(&absolute)?, path: absolute };
        // Another process may have written to the file before this one took the lock.
        let job = read(path)?;
        file.sweep(&job);
        interrupt::set_resumable(Some(&file.path));
        let stage = Some((job.stage.name(), job.stage.page().map(ToOwned::to_owned)));
        let (file, spool, on_disk, given_up) = (Some(file), None, true, false);
        Ok(Self { job, file, spool, on_disk, stage, given_up, messages })
    }

    /// Stores the job in its present state. The first call also prints the path.
    pub(crate) fn save(&mut self) -> Result<(), Failure> {
        let Some(JobFile { path, .. }) = &self.file else { return Ok(()) };
        // The start of the job checked for an earlier job, so an unexpected file is from
        // another process.
        let existing = Existing::forced(self.on_disk || self.job.force);
        if let Some(spool) = self.spool.take() {
            let (now, kept) = (absolute(spool.path()), kept_input(path));
            spool.replace(&kept).map_err(|e| Failure::output(&kept, &e))?;
            for item in self.job.items.iter_mut().filter(|item| item.input == now) {
                item.input.clone_from(&kept);
            }
        }
        let all = self.job.items.iter();
        let odd = all
            .flat_map(|item| [&item.input, &item.output].into_iter().chain(&item.together))
            .find(|path| path.to_str().is_none());
        if let Some(odd) = odd {
            return Err(Failure::usage(format!(
                "{}: a job cannot store a name that is not UTF-8; rename the file",
                odd.display()
            )));
        }
        let stage = Some((self.job.stage.name(), self.job.stage.page().map(ToOwned::to_owned)));
        if self.stage != stage {
            self.job.since = Some(std::time::SystemTime::now().into());
            self.stage = stage;
        }
        let folder = folder_of(path);
        self.job.relate_paths(folder);
        let json = self.job.to_json(None);
        self.job.resolve_paths(folder);
        output::write_file(path, json?.as_bytes(), Readers::Owner, existing)?;
        if !self.on_disk {
            self.on_disk = true;
            interrupt::set_resumable(Some(path));
            self.messages.print(format_args!(
                "stored in {}; after an interruption, continue with: ades resume {}",
                path.display(),
                quoted(path)
            ));
        }
        Ok(())
    }

    /// The file of the job, if it is stored and this version can continue it.
    pub(crate) fn file(&self) -> Option<&Path> {
        let stored = self.file.as_ref().filter(|_| self.on_disk && !self.given_up);
        stored.map(|file| file.path.as_path())
    }

    /// Keeps the job for another version of the program: this one has a bug and would fail again.
    pub(crate) fn give_up(&mut self) {
        if let Some(path) = self.file() {
            let path = path.display();
            self.messages
                .print(format_args!("{path}: kept for a version of ades that can write the rest"));
        }
        self.given_up = true;
    }

    /// Whether an item's document came on standard input.
    pub(crate) fn is_from_standard_input(&self, item: &JobItem) -> bool {
        let kept = self.file.as_ref().map(|file| kept_input(&file.path));
        let spool = self.spool.as_ref().map(|spool| absolute(spool.path()));
        [kept, spool].iter().flatten().any(|path| *path == item.input)
    }

    /// Removes the files of a finished job, and of an earlier job that `--force` drops.
    pub(crate) fn remove(&mut self) {
        if let Some(JobFile { path, .. }) = &self.file
            && (self.on_disk || self.job.force)
        {
            for file in [path.clone(), kept_input(path)] {
                // A missing file is not an error, and a file that stays does no harm.
                let _ = std::fs::remove_file(file);
            }
        }
        self.on_disk = false;
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
