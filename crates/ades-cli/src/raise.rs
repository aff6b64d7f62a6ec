//! Raises the signatures of one file: the steps between the file, the services and the output.

mod job;
mod progress;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use ades::{
    Advance, DigestAlgorithm, Document, ExtendOptions, Extension, Freshness, Missing, Need, Oid,
    Policy, Reached, ReadingOptions, Selection, TargetLevel, VerifyOptions,
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use tokio::runtime::Handle;

use crate::args::{EvidenceArgs, UnlockArgs};
use crate::commands::verify::{Originals, Trusted};
use crate::exit::{BUG, DONE, Failure, INPUT, SERVICE};
use crate::network::FetchRules;
use crate::output::{self, Existing, Messages, Output, Readers};
use crate::services::Services;
use crate::unlock::Unlock;
use crate::{input, interrupt, path_name};
use progress::{Earlier, Fingerprint, Progress, Wish};

pub(crate) use job::{begin, begun, finish, raise_all, reserve_room};

/// Why a signature is not raised that no service can change.
const REFUSALS: [&str; 5] =
    ["below-baseline", "expired", "not-extendable", "not-intact", "revoked"];
/// The time before revocation data are asked for once more. It doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest of these times.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What is raised, and with what.
pub(crate) struct Task {
    pub(crate) input: PathBuf,
    pub(crate) output: PathBuf,
    pub(crate) existing: Existing,
    pub(crate) level: TargetLevel,
    /// The signatures that are raised
    pub(crate) selection: Selection,
    pub(crate) digest: DigestAlgorithm,
    pub(crate) authorities: Vec<String>,
    pub(crate) policy: Option<Oid>,
    /// The length of a token of the service, if it was measured
    pub(crate) token_len: Option<usize>,
    /// Whether revocation data about the signer have to be newer than the time-stamp
    pub(crate) is_fresh: bool,
    /// Until when such data are waited for
    pub(crate) wait_until: Option<SystemTime>,
    /// Whether what was reached stays recorded beside the output: a job removes the records of
    /// all its files at its end
    pub(crate) keeps_record: bool,
    pub(crate) originals: Vec<PathBuf>,
    pub(crate) trust: Vec<PathBuf>,
    pub(crate) evidence: EvidenceArgs,
    pub(crate) fetch: FetchRules,
    pub(crate) unlock: UnlockArgs,
    pub(crate) reading: ReadingOptions,
}

/// What came of a task.
pub(crate) struct Raised {
    pub(crate) reached: Reached,
    /// Whether anything was added.
    pub(crate) is_raised: bool,
}

impl Raised {
    /// Whether the output was written: raised, or as a copy of what had the level already.
    pub(crate) fn is_written(&self) -> bool {
        self.is_raised || self.reached.missing.is_empty()
    }

    pub(crate) fn status(&self) -> u8 {
        let is_refusal = |missing: &Missing| REFUSALS.contains(&missing.code.as_str());
        match self.reached.missing.as_slice() {
            [] => DONE,
            missing if missing.iter().all(is_refusal) => INPUT,
            _ => SERVICE,
        }
    }

    /// Says what was reached, and what is missing.
    pub(crate) fn report(&self, task: &Task, messages: &Messages) {
        for one in &self.reached.missing {
            output::print_always(format_args!("missing: {}: {}", named(one), one.text));
        }
        for one in &self.reached.remarks {
            messages.print(format_args!("note: {}: {}", named(one), one.text));
        }
        let (name, level) = (path_name::of_output(&task.output), self.reached.level);
        match (self.is_raised, self.reached.missing.is_empty()) {
            (true, true) => messages.print(format_args!("{name}: {level}")),
            (true, false) => {
                output::print_always(format_args!("{name}: {level}, which is what was reached"));
            }
            (false, true) => messages.print(format_args!("{name}: {level} already")),
            (false, false) if task.input == task.output => {
                output::print_always(format_args!("nothing was raised: {name} is {level}"));
            }
            (false, false) => output::print_always(format_args!(
                "nothing was raised: {level} as before; no file was written"
            )),
        }
    }
}

/// The signature that something is about, counted from 1.
fn named(missing: &Missing) -> String {
    let inner = missing.countersignature.iter();
    let inner = inner.map(|at| format!(", countersignature {}", at + 1));
    format!("signature {}{}", missing.signature + 1, inner.collect::<String>())
}

impl Task {
    /// Raises the file. After a failure, the output has what was reached before, if anything was.
    pub(crate) fn run(&self, runtime: Handle, messages: &Messages) -> Result<Raised, Failure> {
        let mut raising = match Raising::begin(self, runtime, messages)? {
            Begun::Raising(raising) => raising,
            Begun::Done(raised) => return Ok(raised),
        };
        let reached = match raising.run() {
            Ok(reached) => reached,
            Err(failure) => {
                return match raising.publish_last_good(failure.status)? {
                    true => Err(failure.and("the file has what was reached before")),
                    false => {
                        // The state would only lead to the same error again.
                        if failure.status == BUG {
                            raising.forget(false);
                        }
                        Err(failure)
                    }
                };
            }
        };
        let raised = Raised { reached, is_raised: raising.is_raised() };
        match raised.is_written() {
            true => raising.publish(&raised.reached)?,
            false => raising.forget(false),
        }
        Ok(raised)
    }

    fn wish(&self) -> Wish {
        let (level, digest, policy) = (self.level, self.digest, self.policy);
        let only = match &self.selection {
            Selection::At(place) => Some(place.clone()),
            _ => None,
        };
        Wish { level, digest, policy, is_fresh: self.is_fresh, only }
    }

    fn options(&self) -> Result<ExtendOptions, Failure> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|e| Failure::input(format!("the system has no random octets: {e}")))?;
        let mut options = ExtendOptions::new(self.level).digest(self.digest).nonce_seed(seed);
        if let Some(policy) = self.policy {
            options = options.time_stamp_policy(policy);
        }
        options = options.selection(self.selection.clone());
        if let Some(len) = self.token_len {
            options = options.token_len(len);
        }
        Ok(options)
    }

    /// What the judge demands.
    fn policy(&self) -> Policy {
        let mut policy = Policy::default();
        if self.is_fresh {
            // TS 119 172-4: issued after the signature is proven to exist.
            policy.freshness = Freshness::MaxAge(TimeDelta::zero());
        }
        policy
    }

    fn failure(&self, error: ades::Error) -> Failure {
        use ades::formats::cades::Error::DocumentNeeded;

        let needs_document = matches!(error, ades::Error::Cades(DocumentNeeded));
        let failure = Failure::from(error).about(path_name::of_input(&self.input));
        let hint = "an archive time-stamp covers the document: --original names it";
        if needs_document { failure.hinting(hint) } else { failure }
    }
}

/// A document that a step wrote.
enum RaisedDocument {
    Unfinished(Output),
    Stored(PathBuf),
}

impl RaisedDocument {
    fn read_back(&mut self) -> Result<Document<'static>, Failure> {
        match self {
            Self::Unfinished(output) => output.read_back(),
            Self::Stored(path) => input::document(path),
        }
    }
}

/// A document that is being raised.
struct Raising<'t> {
    task: &'t Task,
    messages: &'t Messages,
    extension: Extension,
    trusted: Trusted,
    originals: Originals,
    unlock: Unlock,
    services: Services,
    source: Document<'static>,
    fingerprint: Fingerprint,
    /// The state for another process; `None` if the output is standard output
    progress: Option<Progress>,
    /// The document that the last step wrote.
    current: Option<RaisedDocument>,
    /// The one before, which was verified.
    verified: Option<RaisedDocument>,
}

enum Begun<'t> {
    Raising(Box<Raising<'t>>),
    /// An earlier run had reached this.
    Done(Raised),
}

impl<'t> Raising<'t> {
    fn begin(
        task: &'t Task,
        runtime: Handle,
        messages: &'t Messages,
    ) -> Result<Begun<'t>, Failure> {
        let mut progress = Progress::open(&task.output)?;
        let mut source = input::document(&task.input)?;
        let fingerprint = Fingerprint::of(&mut source)
            .map_err(|failure| failure.about(path_name::of_input(&task.input)))?;
        let drops = task.existing == Existing::Replace;
        let earlier = progress.as_mut().map_or(Ok(Earlier::None), |progress| {
            progress.earlier(&task.wish(), &fingerprint, &task.output, drops)
        })?;
        let (extension, current) = match earlier {
            Earlier::None => (Extension::new(task.options()?), None),
            Earlier::Raising { mut extension, document } => {
                // What was not to be had then may be there now.
                extension.ask_again();
                messages.print(format_args!(
                    "{}: continues where an earlier run was interrupted",
                    path_name::of_output(&task.output)
                ));
                (*extension, document.map(RaisedDocument::Stored))
            }
            Earlier::Done { reached, document } => {
                if let Some(document) = document {
                    progress::place(&document, &task.output, task.existing)?;
                }
                if let Some(progress) = progress.filter(|_| !task.keeps_record) {
                    progress.remove();
                }
                return Ok(Begun::Done(Raised { reached, is_raised: true }));
            }
        };
        Ok(Begun::Raising(Box::new(Self {
            task,
            messages,
            extension,
            trusted: Trusted::read(&task.trust, &task.evidence)?,
            originals: Originals::open(&task.originals)?,
            unlock: task.unlock.read()?,
            services: Services::new(&task.authorities, &task.fetch, runtime)?,
            source,
            fingerprint,
            progress,
            current,
            verified: None,
        })))
    }

    const fn is_raised(&self) -> bool {
        self.current.is_some()
    }

    fn run(&mut self) -> Result<Reached, Failure> {
        let content = self.unlock.envelope_content(&mut self.source, &self.task.input)?;
        let mut pause = FIRST_PAUSE;
        loop {
            let mut next = Output::create(&self.task.output, Readers::Usual)?;
            match self.advance(&mut next, content.as_ref().map(|content| content.as_slice()))? {
                Advance::Needs(needs) => self.answer(needs)?,
                Advance::Written => {
                    self.verified = self.current.replace(RaisedDocument::Unfinished(next));
                }
                Advance::Done(reached) => match self.pause(&reached, pause)? {
                    Some(slept) => pause = (slept * 2).min(LONGEST_PAUSE),
                    None => return Ok(reached),
                },
                _ => return Err(Failure::new(BUG, "an unknown step")),
            }
        }
    }

    fn advance(&mut self, next: &mut Output, content: Option<&[u8]>) -> Result<Advance, Failure> {
        let mut read_back = self.current.as_mut().map(RaisedDocument::read_back).transpose()?;
        let document = read_back.as_mut().unwrap_or(&mut self.source);
        let mut options = self.trusted.options().reading(self.task.reading.clone());
        options = options.policy(self.task.policy());
        if let Some(password) = self.unlock.password() {
            options = options.password(password);
        }
        if let Some(content) = content {
            options = options.envelope_content(content);
        }
        let mut options: VerifyOptions<'_> = self.originals.add_to(options)?;
        let now: DateTime<Utc> = SystemTime::now().into();
        let step = self.extension.advance(document, &mut options, now, next.writer());
        step.map_err(|error| self.task.failure(error))
    }

    /// Asks for what is needed. Around a time-stamp, the state is stored: it costs money, and a
    /// killed process must not lose it.
    fn answer(&mut self, needs: Vec<Need>) -> Result<(), Failure> {
        let is_time_stamp = needs.iter().any(|need| matches!(need, Need::TimeStamp { .. }));
        if is_time_stamp && self.task.authorities.is_empty() {
            return Err(Failure::usage("--tsa names the time-stamping service"));
        }
        if is_time_stamp {
            self.store()?;
        }
        self.services.answer(&mut self.extension, needs);
        if is_time_stamp {
            self.store()?;
        }
        Ok(())
    }

    /// Stores the state, and the last document before it. The document was verified.
    fn store(&mut self) -> Result<(), Failure> {
        let Some(progress) = &mut self.progress else { return Ok(()) };
        let document = match self.current.take() {
            Some(RaisedDocument::Unfinished(output)) => Some(progress.store_document(output)?),
            Some(RaisedDocument::Stored(path)) => Some(path),
            None => None,
        };
        self.current = document.clone().map(RaisedDocument::Stored);
        self.verified = None;
        let document = document.as_deref();
        match progress.store(&self.task.wish(), &self.fingerprint, document, &self.extension) {
            Ok(()) => interrupt::set_continued(true),
            // With a long CRL, the state is too long to be stored. What was stored before counts.
            Err(failure) => self
                .messages
                .print(format_args!("an interruption would cost another time-stamp: {failure}")),
        }
        Ok(())
    }

    /// Waits if nothing is missing but revocation data that come with time. Returns the time that
    /// it has waited; `None` if there is nothing to wait for, or no time left.
    fn pause(&mut self, reached: &Reached, pause: Duration) -> Result<Option<Duration>, Failure> {
        let Some(until) = self.task.wait_until.filter(|_| reached.is_waiting_for_newer_data())
        else {
            return Ok(None);
        };
        let now = SystemTime::now();
        let left = until.duration_since(now).unwrap_or_default();
        if left.is_zero() {
            return Ok(None);
        }
        // Another process continues, and the time-stamp is not lost.
        self.store()?;
        let due = reached.missing.iter().filter_map(|missing| missing.due).min();
        let to_due = due.and_then(|due| SystemTime::from(due).duration_since(now).ok());
        // Responses say only until when they are good. Newer ones may be there before.
        let slept = to_due.map_or(pause, |due| pause.min(due + Duration::from_secs(1))).min(left);
        if pause == FIRST_PAUSE {
            self.say_that_it_waits(reached, due, until);
        }
        std::thread::sleep(slept);
        self.extension.ask_again();
        self.services.renew();
        Ok(Some(pause))
    }

    fn say_that_it_waits(&self, reached: &Reached, due: Option<DateTime<Utc>>, until: SystemTime) {
        let text = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        for missing in &reached.missing {
            self.messages.print(format_args!("{}: {}", named(missing), missing.text));
        }
        let due = due.map(|due| format!(" (the next are due at {})", text(due)));
        self.messages.print(format_args!(
            "{}: waits for newer revocation data{} until {} at the latest. It can be interrupted: \
             the same command continues later. Without --wait and --fresh-revocation, older data \
             count",
            path_name::of_output(&self.task.output),
            due.unwrap_or_default(),
            text(until.into()),
        ));
    }

    /// Writes the raised document, or a copy if there was nothing to raise.
    fn publish(&mut self, reached: &Reached) -> Result<(), Failure> {
        let task = self.task;
        match self.current.take() {
            Some(document) => self.put_in_place(document, Some(reached))?,
            None if task.input == task.output => {}
            None => {
                let mut output = Output::create(&task.output, Readers::Usual)?;
                self.source.copy(DigestAlgorithm::Sha256, output.writer())?;
                output.publish(task.existing)?;
            }
        }
        self.forget(reached.missing.is_empty());
        Ok(())
    }

    fn put_in_place(
        &mut self,
        document: RaisedDocument,
        reached: Option<&Reached>,
    ) -> Result<(), Failure> {
        let task = self.task;
        let (progress, output) = match (&mut self.progress, document) {
            (Some(progress), output) => (progress, output),
            (None, RaisedDocument::Unfinished(output)) => return output.publish(task.existing),
            (None, RaisedDocument::Stored(path)) => {
                return progress::place(&path, &task.output, task.existing);
            }
        };
        let path = match output {
            // No earlier state names it, and no time-stamp is lost with it.
            RaisedDocument::Unfinished(output) if !task.keeps_record => {
                return output.publish(task.existing);
            }
            RaisedDocument::Unfinished(output) => progress.store_document(output)?,
            RaisedDocument::Stored(path) => path,
        };
        // What is missing is tried again by whoever resumes the job.
        if let Some(reached) = reached.filter(|reached| reached.missing.is_empty()) {
            progress.store_reached(&task.wish(), &self.fingerprint, &path, reached)?;
        }
        progress::place(&path, &task.output, task.existing)
    }

    /// Removes the state, unless the job keeps that of a finished file until its end.
    fn forget(&self, is_finished: bool) {
        interrupt::set_continued(false);
        let is_kept = is_finished && self.task.keeps_record;
        if let Some(progress) = self.progress.as_ref().filter(|_| !is_kept) {
            progress.remove();
        }
    }

    /// Writes the steps that are not written yet.
    fn write_reached(&mut self) -> Result<(), Failure> {
        let mut next = Output::create(&self.task.output, Readers::Usual)?;
        let mut read_back = self.current.as_mut().map(RaisedDocument::read_back).transpose()?;
        let document = read_back.as_mut().unwrap_or(&mut self.source);
        let written = self.extension.write_reached(document, next.writer());
        if written.map_err(|error| self.task.failure(error))? {
            self.current = Some(RaisedDocument::Unfinished(next));
        }
        Ok(())
    }

    /// Writes the last document that is good, if anything was raised. After a bug, that is the one
    /// before the last.
    fn publish_last_good(&mut self, status: u8) -> Result<bool, Failure> {
        // If that fails, too, the first failure is reported, and what was written before counts.
        if status != BUG {
            let _ = self.write_reached();
        }
        // What is stored was verified before.
        let is_good = |document: &RaisedDocument| {
            status != BUG || matches!(document, RaisedDocument::Stored(_))
        };
        let current = self.current.take().filter(is_good);
        let Some(document) = current.or_else(|| self.verified.take()) else { return Ok(false) };
        self.put_in_place(document, None)?;
        self.forget(false);
        Ok(true)
    }
}
