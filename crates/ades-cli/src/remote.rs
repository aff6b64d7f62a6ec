//! A job with a remote signer: what `ades-session` needs of the command line to continue it. These
//! are the documents, the file that keeps the job, and the messages.

mod observer;
mod places;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ades::signer::Language;
use ades::states::MAX_STATE_LEN;
use ades::{Digest, Fault, Level, RemoteSigner, Retry, SigningOptions, Warning};
use ades_session::clock::SystemClock;
use ades_session::store::{JobId, JobRow, Keeper, MemoryStore, Stage, StoreError};
use ades_session::{
    Driver, Error, ItemError, ItemFailure, ItemState, ItemStatus, Settings, SigningJob,
    SigningJobItem, Status,
};

use crate::documents::{self, Documents};
use crate::exit::{BUG, Failure, with_causes};
use crate::interrupt;
use crate::job::{Job, JobItem, KEYS, Part, stage_name};
use crate::outcome::SignedFile;
use crate::output::{Existing, Messages};
use crate::path_name::{self, absolute};
use crate::request::ResolvedTerms;
use crate::return_page::Trips;
use crate::signing::{MAX_BATCH, print_batches, print_warnings};
use crate::stored_job::{JobFile, kept_input};
use crate::temporary::Temporary;
use crate::unlock::Unlock;

const IDENTIFY_AGAIN: &str =
    "ades resume asks the service once more; with --identify-again, the user identifies again";
/// Maximum length of the pending states in a job, in octets. The rest is for the other parts of the
/// job.
const MAX_STATES: usize = MAX_STATE_LEN / 8 * 7;

/// A job with a remote signer.
pub(crate) struct RemoteJob {
    job: Job,
    unlock: Unlock,
    /// `None` if the result goes to standard output
    file: Option<JobFile>,
    /// The path that stands for standard input
    standard_input: Option<PathBuf>,
    /// The file for the preview of a visible signature
    preview: Option<PathBuf>,
    messages: Messages,
    state: Mutex<State>,
}

/// What changes while the job goes on.
#[derive(Default)]
struct State {
    /// The octets of standard input, until the job has a file
    spool: Option<Temporary>,
    on_disk: bool,
    /// Whether only another version of the program can continue the job
    given_up: bool,
    /// The stage that was kept last
    stage: Option<Stage>,
    page: Option<String>,
    since: Option<chrono::DateTime<chrono::Utc>>,
    /// The items of `ades-session`, by their places among those of the command line: the others were
    /// written before
    items: Vec<usize>,
    /// Why the signer did not answer as it should, in the present call
    failure: Option<Failure>,
    /// The containers that could not be written, in the present call
    not_written: Vec<Failure>,
    /// The containers that were written in the present call
    written: Vec<usize>,
    /// The digests of the signature values in the containers that were written, by their items
    value_digests: Vec<(usize, Option<Digest>)>,
    /// Number of signatures that were prepared for the next batch
    prepared: usize,
    /// Number of containers that are not written
    left: usize,
    /// Maximum number of signatures in a batch
    max_batch: usize,
    /// Warnings that were printed, with their item
    printed: Vec<(usize, Warning)>,
    /// The name in the signer's certificate
    signer_name: Option<String>,
    trips: Option<Trips>,
}

/// What became of a call of the driver.
pub(crate) struct Seen {
    pub(crate) failure: Option<Failure>,
    pub(crate) not_written: Vec<Failure>,
    pub(crate) written: Vec<usize>,
}

impl RemoteJob {
    /// A new job.
    pub(crate) fn new(
        mut job: Job,
        file: Option<JobFile>,
        spool: Option<Temporary>,
        preview: Option<PathBuf>,
        messages: Messages,
    ) -> Result<Self, Failure> {
        let spooled = spool.as_ref().map(|spool| absolute(spool.path()));
        let kept = file.as_ref().map(|file| kept_input(file.path()));
        let standard_input =
            spooled.as_ref().map(|spooled| kept.as_ref().unwrap_or(spooled).clone());
        if let (Some(spooled), Some(place)) = (&spooled, &standard_input) {
            for item in job.items.iter_mut().filter(|item| item.input == *spooled) {
                item.input.clone_from(place);
            }
        }
        if let Some(file) = &file {
            file.sweep(&job.items);
        }
        let (items, left) = ((0..job.items.len()).collect(), job.items.len());
        let state = State { spool, items, left, ..State::default() };
        let unlock = job.request.unlock()?;
        let state = Mutex::new(state);
        Ok(Self { job, unlock, file, standard_input, preview, messages, state })
    }

    /// A stored job, with its row in the store and where it stands.
    pub(crate) fn stored(
        file: JobFile,
        mut job: Job,
        messages: Messages,
    ) -> Result<(Self, JobRow, Status), Failure> {
        let damaged = |error: Error| {
            let failure = Failure::input(format!("the pending state: {}", with_causes(&error)));
            failure.about(file.path().display())
        };
        let (row, status) = job.session().map_err(damaged)?;
        job.session = None;
        let items = status.items.iter().filter_map(|item| Some(Part::named(&item.document)?.0));
        let items: Vec<usize> = items.collect();
        let open = status.items.iter().filter(|item| item.state != ItemState::Signed);
        let state = State {
            left: open.count(),
            on_disk: true,
            stage: Some(status.stage),
            page: status.page.clone(),
            since: job.since,
            items,
            ..State::default()
        };
        let unlock = job.request.unlock()?;
        let (standard_input, state) = (Some(kept_input(file.path())), Mutex::new(state));
        let (file, preview) = (Some(file), None);
        Ok((Self { job, unlock, file, standard_input, preview, messages, state }, row, status))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn job(&self) -> &Job {
        &self.job
    }

    /// The job, before it begins.
    pub(crate) const fn job_mut(&mut self) -> &mut Job {
        &mut self.job
    }

    /// The job, with what is known of the signatures that were written.
    pub(crate) fn written_job(&self) -> Job {
        self.job_with(&self.state().value_digests)
    }

    fn job_with(&self, value_digests: &[(usize, Option<Digest>)]) -> Job {
        let mut job = self.job.clone();
        for (no, value) in value_digests {
            job.note_written(*no, value.clone());
        }
        job
    }

    /// The step of a page ends for the browser as soon as the job is stored in the next stage.
    pub(crate) fn set_trips(&self, trips: Trips) {
        self.state().trips = Some(trips);
    }

    /// A driver of the job. `row` is the job in its file.
    pub(crate) fn driver(
        self: &Arc<Self>,
        signer: Arc<dyn RemoteSigner>,
        row: Option<JobRow>,
    ) -> Result<Driver, Failure> {
        let max = signer.capabilities().max_batch.clamp(1, MAX_BATCH);
        let left = {
            let mut state = self.state();
            state.max_batch = max;
            state.left
        };
        if left > max {
            print_batches(self.messages, left, max);
        }
        let keeper: Arc<dyn Keeper> = Arc::clone(self) as _;
        let store = MemoryStore::kept_by(keeper, row, Arc::new(SystemClock));
        let mut settings = Settings::default();
        settings.batch_states = MAX_STATES;
        let documents: Arc<dyn ades_session::Documents> = Arc::clone(self) as _;
        let driver = Driver::new(signer, Arc::new(store), documents, KEYS);
        let driver = driver.map_err(|error| self.failure(error))?;
        Ok(driver.settings(settings).observer(Arc::clone(self) as _))
    }

    /// The job as `ades-session` begins it.
    pub(crate) fn signing_job(
        &self,
        terms: &ResolvedTerms,
        languages: &[Language],
    ) -> Result<SigningJob, Failure> {
        let request = &self.job.request;
        let options = terms.add_to(request.options.clone());
        let time = request.signing_time.unwrap_or_else(|| std::time::SystemTime::now().into());
        let options = options.signing_time(time);
        let items = (0..self.job.items.len()).map(|no| self.signing_item(no, &options));
        let mut job = SigningJob::new("", "", items.collect::<Result<_, _>>()?);
        job.display = request.display(terms, languages);
        job.signing_time = request.signing_time;
        Ok(job)
    }

    fn signing_item(&self, no: usize, options: &SigningOptions) -> Result<SigningJobItem, Failure> {
        let Some(item) = self.job.items.get(no) else { return Err(no_such_item()) };
        let options = options.clone().for_document(item.format);
        let mut signed =
            SigningJobItem::new(Part::Document.of(no), Part::Container.of(no), options);
        signed.name = documents::name(&item.input);
        if self.job.request.is_parallel() && self.documents(no)?.has_original() {
            signed = signed.original(Part::Original.of(no));
        }
        for (at, path) in item.together.iter().enumerate() {
            let name = documents::name(path).unwrap_or_default();
            signed = signed.and(name, Part::Together(at).of(no));
        }
        Ok(signed)
    }

    /// The documents of an item.
    fn documents(&self, no: usize) -> Result<Documents<'_>, Failure> {
        let mut item = self.job.items.get(no).cloned().ok_or_else(no_such_item)?;
        item.input = self.present(&item.input);
        Documents::of_item(&item, self.job.request.container.as_deref(), &self.unlock)
    }

    /// Where a file is now: the copy of standard input moves to its place when the job gets a file.
    fn present(&self, path: &Path) -> PathBuf {
        match &self.state().spool {
            Some(spool) if self.standard_input.as_deref() == Some(path) => spool.path().to_owned(),
            _ => path.to_owned(),
        }
    }

    fn path(&self, reference: &str) -> Result<&Path, Failure> {
        let part = Part::named(reference);
        part.and_then(|(no, part)| self.job.path(no, part)).ok_or_else(no_such_item)
    }

    /// The file of the job, if it is stored and this version can continue it.
    pub(crate) fn file(&self) -> Option<&Path> {
        let state = self.state();
        let stored = state.on_disk && !state.given_up;
        self.file.as_ref().filter(|_| stored).map(JobFile::path)
    }

    /// Whether the job has ended, so that nobody can continue it.
    pub(crate) fn is_over(&self) -> bool {
        self.state().stage.is_some_and(|stage| stage.end_reason().is_some())
    }

    /// Removes the files of a finished job, and of an earlier job that `--force` drops.
    pub(crate) fn remove(&self) {
        let mut state = self.state();
        if let Some(file) = &self.file
            && (state.on_disk || self.job.force)
        {
            file.remove();
        }
        state.on_disk = false;
        interrupt::set_resumable(None);
    }

    /// Keeps the job for another version of the program: this one has a bug and would fail again.
    pub(crate) fn give_up(&self) {
        if let Some(path) = self.file() {
            let path = path.display();
            self.messages
                .print(format_args!("{path}: kept for a version of ades that can write the rest"));
        }
        self.state().given_up = true;
    }

    /// What became of the call that has just ended, once.
    pub(crate) fn seen(&self) -> Seen {
        let mut state = self.state();
        Seen {
            failure: state.failure.take(),
            not_written: std::mem::take(&mut state.not_written),
            written: std::mem::take(&mut state.written),
        }
    }

    /// Whether an item's document came on standard input.
    pub(crate) fn is_from_standard_input(&self, item: &JobItem) -> bool {
        self.standard_input.as_ref() == Some(&item.input)
    }

    /// The containers that are in their places. `items` are those of `ades-session`.
    pub(crate) fn signed(&self, items: &[ItemStatus]) -> Vec<SignedFile> {
        let state = self.state();
        let is_open = |no: usize| {
            let mut open = state.items.iter().zip(items);
            open.any(|(open, status)| *open == no && status.state != ItemState::Signed)
        };
        let all = self.job.items.iter().enumerate();
        let file = |(no, item): (usize, &JobItem)| {
            let warnings = state.printed.iter().filter(|(of, _)| *of == no);
            let input = match self.is_from_standard_input(item) {
                true => PathBuf::from("-"),
                false => item.input.clone(),
            };
            SignedFile {
                input,
                together: item.together.clone(),
                output: item.output.clone(),
                format: item.format,
                signer: state.signer_name.clone(),
                warnings: warnings.map(|(_, warning)| *warning).collect(),
                level: Level::B,
            }
        };
        // A job that was not begun has no items in the store.
        let begun = !items.is_empty();
        all.filter(|(no, _)| begun && !is_open(*no)).map(file).collect()
    }

    /// The place of an item of `ades-session` among those of the command line.
    fn item(&self, session: usize) -> usize {
        self.state().items.get(session).copied().unwrap_or(session)
    }

    fn print_warnings(&self, no: usize, warnings: &[Warning]) {
        if let Some(item) = self.job.items.get(no) {
            let printed = &mut self.state().printed;
            print_warnings(self.messages, printed, (no, item), warnings);
        }
    }

    /// The failure of a call of the driver.
    pub(crate) fn failure(&self, error: Error) -> Failure {
        match error {
            Error::Documents { failures } => self.not_signable(failures),
            Error::Sign(error) => error.into(),
            Error::Signer(error) => {
                let mut failure = hinted(Failure::from(&error));
                // The same request would fail again.
                failure.is_final |=
                    error.fault() == Fault::Caller && self.state().stage == Some(Stage::Identified);
                failure
            }
            Error::Store(StoreError::Unavailable(error)) => match error.downcast::<Failure>() {
                Ok(failure) => *failure,
                Err(error) => Failure::input(with_causes(&*error)),
            },
            Error::Job(problem) => Failure::usage(problem.to_string()),
            other => Failure::new(BUG, with_causes(&other)),
        }
    }

    fn not_signable(&self, failures: Vec<ItemFailure>) -> Failure {
        let (failed, all) = (failures.len(), self.state().items.len());
        if let Some(ItemFailure { error: ItemError::Certificate(error), .. }) = failures.first() {
            // Neither the certificate nor the options of this job change.
            return Failure::from(error).finally();
        }
        let about = |failure: ItemFailure| {
            let no = self.item(failure.item);
            let name = self.job.path(no, Part::Document).map(path_name::of_input);
            let found = self.item_failure(no, &failure.error);
            match failure.error {
                // It names the file.
                ItemError::Read(_) | ItemError::Write(_) | ItemError::Rejected(_) => found,
                _ => found.about(name.unwrap_or_default()),
            }
        };
        let mut failures: Vec<Failure> = failures.into_iter().map(about).collect();
        failures.pop_if(|_| failed == 1).unwrap_or_else(|| {
            let what = format!("{failed} of {all} files cannot be signed, so that none is signed");
            Failure::together(&failures, &what)
        })
    }

    /// Why an item cannot be signed or written, without its name.
    fn item_failure(&self, no: usize, error: &ItemError) -> Failure {
        match error {
            ItemError::Read(error) | ItemError::Write(error) | ItemError::Rejected(error) => {
                let own = error.get_ref().and_then(|own| own.downcast_ref::<Failure>());
                own.cloned().unwrap_or_else(|| Failure::input(with_causes(error)))
            }
            ItemError::Sign(error) => match self.documents(no) {
                Ok(mut documents) => {
                    documents.failure(error, &self.job.request.options.xml.reading)
                }
                Err(_) => error.into(),
            },
            ItemError::Certificate(error) => error.into(),
            ItemError::Changed => Failure::input("has changed since the job began; sign it again"),
            other => Failure::input(with_causes(other)),
        }
    }

    /// Stores a job in its file, from the first session on.
    fn store(&self, row: &JobRow) -> Result<(), Failure> {
        let stage = row.stored.stage;
        let status = Status::of(&row.stored, &KEYS).map_err(|error| self.failure(error))?;
        let mut state = self.state();
        let is_new = (state.stage, &state.page) != (Some(stage), &status.page);
        if is_new {
            state.since = Some(std::time::SystemTime::now().into());
        }
        // Until somebody is asked, nothing is lost.
        let begun = state.on_disk || stage != Stage::Start;
        if let Some(file) = self.file.as_ref().filter(|_| begun) {
            if let Some(spool) = state.spool.take() {
                let kept = kept_input(file.path());
                spool.replace(&kept).map_err(|e| Failure::output(&kept, &e))?;
            }
            let mut job = self.job_with(&state.value_digests);
            job.stage = stage_name(stage).to_owned();
            job.since = state.since;
            job.session = Some(ades_session_file::StoredRow::of(row));
            file.write(job, Existing::forced(state.on_disk || self.job.force))?;
            if !state.on_disk {
                state.on_disk = true;
                file.note_stored(&self.messages);
            }
        }
        (state.stage, state.page) = (Some(stage), status.page);
        Ok(())
    }
}

/// Adds what to do after the user has renewed the certificate.
pub(crate) fn hinted(failure: Failure) -> Failure {
    match failure.retry {
        Retry::NewIdentification => failure.hinting(IDENTIFY_AGAIN),
        _ => failure,
    }
}

fn no_such_item() -> Failure {
    Failure::new(BUG, "a job names a file that it does not have")
}

impl Keeper for RemoteJob {
    fn keep(&self, row: &JobRow) -> Result<(), StoreError> {
        self.store(row).map_err(StoreError::unavailable)
    }

    fn forget(&self, _: JobId) -> Result<(), StoreError> {
        Ok(())
    }
}

impl fmt::Debug for RemoteJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteJob").field("file", &self.file).finish_non_exhaustive()
    }
}
