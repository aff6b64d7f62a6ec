//! Raises the signatures of one file: the steps between the file, the services and the output.

use std::path::PathBuf;
use std::time::SystemTime;

use ades::{
    Advance, DigestAlgorithm, Document, ExtendOptions, Extension, Missing, Need, Oid, Reached,
    ReadingOptions, TargetLevel, VerifyOptions,
};
use chrono::{DateTime, Utc};
use tokio::runtime::Handle;

use crate::args::{EvidenceArgs, UnlockArgs};
use crate::commands::verify::{Originals, Trusted};
use crate::exit::{BUG, DONE, Failure, INPUT, SERVICE};
use crate::network::FetchRules;
use crate::output::{self, Existing, Messages, Output, Readers};
use crate::services::Services;
use crate::unlock::Unlock;
use crate::{input, path_name};

/// Why a signature is not raised that no service can change.
const REFUSALS: [&str; 5] =
    ["below-baseline", "expired", "not-extendable", "not-intact", "revoked"];

/// What is raised, and with what.
pub(crate) struct Task {
    pub(crate) input: PathBuf,
    pub(crate) output: PathBuf,
    pub(crate) existing: Existing,
    pub(crate) level: TargetLevel,
    pub(crate) digest: DigestAlgorithm,
    pub(crate) authorities: Vec<String>,
    pub(crate) policy: Option<Oid>,
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

    /// The level, as reports write it.
    pub(crate) fn level(&self) -> String {
        let level = serde_json::to_value(self.reached.level).unwrap_or_default();
        level.as_str().unwrap_or_default().to_owned()
    }

    /// Says what was reached, and what is missing.
    pub(crate) fn report(&self, task: &Task, messages: &Messages) {
        for one in &self.reached.missing {
            let number = one.signature + 1;
            output::print_always(format_args!("missing: signature {number}: {}", one.text));
        }
        for one in &self.reached.remarks {
            messages.print(format_args!("note: signature {}: {}", one.signature + 1, one.text));
        }
        let (name, level) = (path_name::of_output(&task.output), self.level());
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

impl Task {
    /// Raises the file. After a failure, the output has what was reached before, if anything was.
    pub(crate) fn run(&self, runtime: Handle) -> Result<Raised, Failure> {
        let mut raising = Raising::new(self, runtime)?;
        let reached = match raising.run(self) {
            Ok(reached) => reached,
            Err(failure) => {
                return match raising.publish_last_good(self, failure.status)? {
                    true => Err(failure.and("the file has what was reached before")),
                    false => Err(failure),
                };
            }
        };
        let raised = Raised { reached, is_raised: raising.current.is_some() };
        if raised.is_written() {
            raising.publish(self)?;
        }
        Ok(raised)
    }
}

fn failure(error: ades::Error, task: &Task) -> Failure {
    use ades::formats::cades::Error::DocumentNeeded;

    let needs_document = matches!(error, ades::Error::Cades(DocumentNeeded));
    let failure = Failure::from(error).about(path_name::of_input(&task.input));
    match needs_document {
        true => failure.hinting("an archive time-stamp covers the document: --original names it"),
        false => failure,
    }
}

/// A document that is being raised.
struct Raising {
    extension: Extension,
    trusted: Trusted,
    originals: Originals,
    unlock: Unlock,
    services: Services,
    source: Document<'static>,
    /// The document that the last step wrote.
    current: Option<Output>,
    /// The one before, which was verified.
    verified: Option<Output>,
}

impl Raising {
    fn new(task: &Task, runtime: Handle) -> Result<Self, Failure> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|e| Failure::input(format!("the system has no random octets: {e}")))?;
        let mut options = ExtendOptions::new(task.level).digest(task.digest).nonce_seed(seed);
        if let Some(policy) = task.policy {
            options = options.time_stamp_policy(policy);
        }
        Ok(Self {
            extension: Extension::new(options),
            trusted: Trusted::read(&task.trust, &task.evidence)?,
            originals: Originals::open(&task.originals)?,
            unlock: task.unlock.read()?,
            services: Services::new(&task.authorities, &task.fetch, runtime)?,
            source: input::document(&task.input)?,
            current: None,
            verified: None,
        })
    }

    fn run(&mut self, task: &Task) -> Result<Reached, Failure> {
        let content = self.unlock.envelope_content(&mut self.source, &task.input)?;
        loop {
            let mut next = Output::create(&task.output, Readers::Usual)?;
            let mut read_back = self.current.as_mut().map(Output::read_back).transpose()?;
            let document = read_back.as_mut().unwrap_or(&mut self.source);
            let mut options = self.trusted.options().reading(task.reading.clone());
            if let Some(password) = self.unlock.password() {
                options = options.password(password);
            }
            if let Some(content) = &content {
                options = options.envelope_content(content);
            }
            let mut options: VerifyOptions<'_> = self.originals.add_to(options)?;
            let now: DateTime<Utc> = SystemTime::now().into();
            let step = self.extension.advance(document, &mut options, now, next.writer());
            let step = step.map_err(|error| failure(error, task))?;
            match step {
                Advance::Needs(needs) => {
                    let asks = needs.iter().any(|need| matches!(need, Need::TimeStamp { .. }));
                    if asks && task.authorities.is_empty() {
                        return Err(Failure::usage("--tsa names the time-stamping service"));
                    }
                    self.services.answer(&mut self.extension, needs);
                }
                Advance::Written => self.verified = self.current.replace(next),
                Advance::Done(reached) => return Ok(reached),
                _ => return Err(Failure::new(BUG, "an unknown step")),
            }
        }
    }

    /// Writes the raised document, or a copy if there was nothing to raise.
    fn publish(&mut self, task: &Task) -> Result<(), Failure> {
        let output = match self.current.take() {
            Some(output) => output,
            None => {
                let mut output = Output::create(&task.output, Readers::Usual)?;
                let algorithm = DigestAlgorithm::Sha256;
                self.source.copy(algorithm, output.writer())?;
                output
            }
        };
        output.publish(task.existing)
    }

    /// Writes the last document that is good, if anything was raised. After a bug, that is the one
    /// before the last.
    fn publish_last_good(&mut self, task: &Task, status: u8) -> Result<bool, Failure> {
        let current = self.current.take().filter(|_| status != BUG);
        match current.or_else(|| self.verified.take()) {
            Some(output) => output.publish(task.existing).map(|()| true),
            None => Ok(false),
        }
    }
}
