//! Runs a job from stage to stage: identify, prepare, confirm and complete, one batch after the
//! other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ades::certificate::UsageCheck;
use ades::signer::{
    IdentificationRequest, IdentificationSession, Identity, SignatureValue, SignerError,
    SignerErrorKind, SigningItem, SigningRequest, SigningSession, Step,
};
use ades::states::MAX_STATE_LEN;
use ades::{Digest, DigestAlgorithm, Fault, PendingSignature, Retry, SigningOptions, Warning};

use crate::conversation::Conversation;
use crate::documents::Documents;
use crate::exit::{BUG, Failure};
use crate::input;
use crate::job::{JobItem, Stage};
use crate::output::{Existing, Messages, Output, Readers};
use crate::path_name;
use crate::preview;
use crate::request::Request;
use crate::return_page::ReturnPage;
use crate::signers::Signer;
use crate::stored_job::StoredJob;

/// Maximum number of files in one confirmation, at any signer.
const MAX_BATCH: usize = 70;
/// Maximum length of the pending states in a job, in octets. The rest is for the other parts of the
/// job.
const MAX_STATES: usize = MAX_STATE_LEN / 8 * 7;

/// A job in progress, with its signer.
pub(crate) struct Signing<'a> {
    stored: StoredJob<'a>,
    /// Whether an earlier process may have written some of the outputs
    resumed: bool,
    signer: Signer,
    return_page: Option<ReturnPage>,
    messages: &'a Messages,
    /// The file for the preview of a visible signature
    preview: Option<PathBuf>,
    /// Warnings that were printed, with the number of their item
    printed: Vec<(usize, Warning)>,
}

impl<'a> Signing<'a> {
    pub(crate) async fn new(
        stored: StoredJob<'a>,
        resumed: bool,
        signer: Signer,
        messages: &'a Messages,
    ) -> Self {
        let return_page = match &signer.return_to {
            Some(url) => ReturnPage::listen(url, messages).await,
            None => None,
        };
        Self { stored, resumed, signer, return_page, messages, preview: None, printed: Vec::new() }
    }

    pub(crate) fn with_preview(mut self, preview: Option<PathBuf>) -> Self {
        self.preview = preview;
        self
    }

    pub(crate) fn into_parts(self) -> (StoredJob<'a>, Signer) {
        (self.stored, self.signer)
    }

    fn max_batch(&self) -> usize {
        self.signer.remote().capabilities().max_batch.clamp(1, MAX_BATCH)
    }

    /// Number of items that are not signed yet.
    fn left(&self) -> usize {
        self.stored.job.items.len().saturating_sub(self.stored.job.done)
    }

    pub(crate) async fn run(&mut self) -> Result<(), Failure> {
        let (left, max) = (self.left(), self.max_batch());
        if left > max {
            self.messages.print(format_args!(
                "{left} files: {} batches of up to {max}, each with a confirmation of its own",
                left.div_ceil(max)
            ));
        }
        loop {
            // The stored stage does not change until the next one is reached.
            let stage = std::mem::replace(&mut self.stored.job.stage, Stage::Start);
            let next = match stage {
                Stage::Start => {
                    self.begin().await?;
                    let mut request = IdentificationRequest::default();
                    request.language = self.stored.job.request.language;
                    let first = self.signer.remote().identify(request).await?;
                    Stage::Identified(self.finish_identification(first).await?)
                }
                Stage::Identifying(session) => {
                    let first = Step::Wait { after: Duration::ZERO, session };
                    Stage::Identified(self.finish_identification(first).await?)
                }
                Stage::Identified(_) if self.left() == 0 => return Ok(()),
                Stage::Identified(identity) | Stage::Asking(identity) => {
                    let (count, values) = self.sign_batch(&identity).await?;
                    self.store_values(identity, count, values)?
                }
                Stage::Signing { identity, count, session } => {
                    let first = Step::Wait { after: Duration::ZERO, session };
                    let values = self.finish_signing(&identity, count, first).await?;
                    self.store_values(identity, count, values)?
                }
                Stage::Completing { identity, values } => self.complete(identity, values)?,
            };
            self.stored.job.stage = next;
        }
    }

    /// Does all checks that are possible before the user is asked.
    async fn begin(&mut self) -> Result<(), Failure> {
        self.check()?;
        let terms = self.signer.resolve(&self.stored.job.request).await?;
        let job = &mut self.stored.job;
        let has_terms = terms.policy.is_some() || terms.commitment.is_some();
        if job.request.options.pdf.reason.is_some() && has_terms {
            return Err(Failure::usage(
                "--reason: not with the policy or commitment of the signer's configuration",
            ));
        }
        job.terms = terms;
        let capabilities = self.signer.remote().capabilities();
        if capabilities.interactive {
            job.request.options.check_signer(&capabilities)?;
            let display = job.request.display(&job.terms, &capabilities.languages);
            self.signer.remote().check_display(&display)?;
            for item in job.items.iter_mut().filter(|item| item.digest.is_none()) {
                item.digest = Some(digest(item)?);
            }
        }
        Ok(())
    }

    /// Checks all files, and reports all failures together. A single file is not read twice if
    /// nobody is asked between checking and preparing.
    fn check(&mut self) -> Result<(), Failure> {
        if self.left() == 1 && !self.signer.remote().capabilities().interactive {
            return Ok(());
        }
        let job = &self.stored.job;
        // Policy and commitment are not known yet.
        let options = job.request.signing_options(&Default::default())?;
        let password = job.request.password()?;
        let mut failures: Vec<Failure> = Vec::new();
        for (at, item) in job.items.iter().enumerate().skip(job.done) {
            let options = options.clone().format(item.format);
            let checked =
                Documents::open(&item.input, job.request.container.as_deref(), password.as_deref())
                    .and_then(|mut documents| Ok(ades::check(documents.inputs(), &options)?));
            match checked {
                Ok(checked) => {
                    let warnings = checked.warnings();
                    print_warnings(self.messages, &mut self.printed, at, item, warnings);
                }
                Err(failure) => failures.push(failure.about(path_name::of_input(&item.input))),
            }
        }
        let (count, all) = (failures.len(), self.left());
        match failures.pop_if(|_| all == 1) {
            Some(only) => Err(only),
            None if failures.is_empty() => Ok(()),
            None => {
                let what =
                    format!("{count} of {all} files cannot be signed, so that none is signed");
                Err(together(&failures, &what))
            }
        }
    }

    async fn finish_identification(
        &mut self,
        first: Step<Identity, IdentificationSession>,
    ) -> Result<Identity, Failure> {
        let unattended = self.stored.job.signer.auto_approve;
        let (stored, signer) = (&mut self.stored, self.signer.remote());
        Conversation {
            save: &mut |session| {
                stored.job.stage = Stage::Identifying(Clone::clone(session));
                stored.save()
            },
            return_page: self.return_page.as_mut(),
            messages: self.messages,
            unattended,
        }
        .finish(first, &|session, event| signer.continue_identification(session, event))
        .await
        .inspect_err(|failure| self.fall_back(failure, Stage::Start))
    }

    /// Prepares the next batch and asks the signer for its values.
    async fn sign_batch(
        &mut self,
        identity: &Identity,
    ) -> Result<(usize, Vec<SignatureValue>), Failure> {
        let items = self.prepare_batch(identity)?;
        let count = items.len();
        let job = &mut self.stored.job;
        let signer = self.signer.remote();
        let capabilities = signer.capabilities();
        let mut request = SigningRequest::new(identity.clone(), items);
        request.display = job.request.display(&job.terms, &capabilities.languages);
        if capabilities.interactive {
            job.stage = Stage::Asking(identity.clone());
            self.stored.save()?;
        }
        let first = match signer.sign(request).await {
            Ok(first) => first,
            Err(error) => {
                if error.fault() == Fault::Caller && self.stored.job.done == 0 {
                    // The same request would fail again.
                    self.stored.remove();
                } else if *error.kind() != SignerErrorKind::UnknownOutcome
                    && capabilities.interactive
                {
                    // For every other kind, `RemoteSigner` guarantees that the user was not
                    // asked. After an unknown outcome, a later process must not ask again
                    // without `--ask-again`.
                    self.stored.job.stage = Stage::Identified(identity.clone());
                    self.stored.save()?;
                }
                return Err(error.into());
            }
        };
        Ok((count, self.finish_signing(identity, count, first).await?))
    }

    /// Prepares as many items as fit into one confirmation and into a stored job.
    fn prepare_batch(&mut self, identity: &Identity) -> Result<Vec<SigningItem>, Failure> {
        let max = self.left().min(self.max_batch());
        let options = self.signing_options(identity).inspect_err(|_| {
            // Neither the certificate nor the options of this job change.
            if self.stored.job.done == 0 {
                self.stored.remove();
            }
        })?;
        let job = &mut self.stored.job;
        let password = job.request.password()?;
        let mut items = Vec::new();
        let mut size = 0;
        for (at, item) in job.items.iter_mut().enumerate().skip(job.done).take(max) {
            let options = options.clone().format(item.format);
            let mut documents = Documents::open(
                &item.input,
                job.request.container.as_deref(),
                password.as_deref(),
            )?;
            let pending = prepare(&job.request, item, &mut documents, identity, &options)
                .map_err(|failure| failure.about(path_name::of_input(&item.input)))?;
            print_warnings(self.messages, &mut self.printed, at, item, pending.warnings());
            let state = pending.to_json(None)?;
            size += state.len();
            if size > MAX_STATES && !items.is_empty() {
                self.messages.print(format_args!(
                    "the next batch has {} files only: the job cannot store more",
                    items.len()
                ));
                break;
            }
            if let Some(to) = &self.preview {
                preview::draw(&pending, &options, &mut documents, to, Existing::Replace)?;
                self.messages.print(format_args!("how it will look: {}", to.display()));
            }
            items.push(SigningItem::new(format!("d{at:04}"), pending.to_be_signed()));
            item.pending = Some(state);
        }
        Ok(items)
    }

    /// The options for preparing, checked against the certificate.
    fn signing_options(&self, identity: &Identity) -> Result<SigningOptions, Failure> {
        let (job, leaf) = (&self.stored.job, identity.chain.leaf());
        let options = job.request.signing_options(&job.terms)?;
        let parameters = options.parameters_for(leaf.key_type())?;
        parameters.algorithm_for(leaf)?;
        leaf.check_fit(parameters.signing_time().time(), UsageCheck::Signature)?;
        Ok(options)
    }

    async fn finish_signing(
        &mut self,
        identity: &Identity,
        count: usize,
        first: Step<Vec<SignatureValue>, SigningSession>,
    ) -> Result<Vec<SignatureValue>, Failure> {
        let unattended = self.stored.job.signer.auto_approve;
        let (stored, signer) = (&mut self.stored, self.signer.remote());
        Conversation {
            save: &mut |session| {
                let (identity, session) = (identity.clone(), Clone::clone(session));
                stored.job.stage = Stage::Signing { identity, count, session };
                stored.save()
            },
            return_page: self.return_page.as_mut(),
            messages: self.messages,
            unattended,
        }
        .finish(first, &|session, event| signer.continue_signing(session, event))
        .await
        .inspect_err(|failure| self.fall_back(failure, Stage::Identified(identity.clone())))
    }

    /// Stores an earlier stage if the signer's session is over, so that resuming starts a new one.
    fn fall_back(&mut self, failure: &Failure, stage: Stage) {
        self.stored.job.stage = match failure.retry {
            Retry::NewSession => stage,
            Retry::NewIdentification => Stage::Start,
            _ => return,
        };
        // The failure itself is more important to report.
        let _ = self.stored.save();
    }

    /// Stores the values before any output is written.
    fn store_values(
        &mut self,
        identity: Identity,
        count: usize,
        values: Vec<SignatureValue>,
    ) -> Result<Stage, Failure> {
        if values.len() != count {
            return Err(SignerError::new(SignerErrorKind::ResultMismatch).into());
        }
        if self.signer.remote().capabilities().interactive {
            let stage = Stage::Completing { identity: identity.clone(), values: values.clone() };
            self.stored.job.stage = stage;
            self.stored.save()?;
        }
        Ok(Stage::Completing { identity, values })
    }

    /// Writes the outputs of all items that have a value. A file that cannot be written stays in
    /// the job with its signature value, after the finished ones, and no further batch begins.
    fn complete(
        &mut self,
        identity: Identity,
        values: Vec<SignatureValue>,
    ) -> Result<Stage, Failure> {
        let job = &mut self.stored.job;
        let password = job.request.password()?;
        let existing = match (job.force, self.resumed) {
            (true, _) => Existing::Replace,
            (false, true) => Existing::KeepSame,
            (false, false) => Existing::Keep,
        };
        let (first, count) = (job.done, values.len());
        let (mut kept, mut failures) = (Vec::new(), Vec::new());
        for (at, value) in (first..).zip(values) {
            let Some(item) = job.items.get_mut(at) else { break };
            let container = job.request.container.as_deref();
            match write(container, item, &value, password.as_deref(), existing) {
                Ok(()) => {
                    item.pending = None;
                    if let Some(items) = job.items.get_mut(job.done..=at) {
                        items.rotate_right(1);
                    }
                    job.done += 1;
                }
                Err(failure) => {
                    kept.push(value);
                    failures.push(failure);
                }
            }
        }
        if failures.is_empty() {
            return Ok(Stage::Identified(identity));
        }
        for item in job.items.get(first..job.done).unwrap_or_default() {
            self.messages.print(format_args!("signed: {}", path_name::of_output(&item.output)));
        }
        job.stage = Stage::Completing { identity, values: kept };
        if self.signer.remote().capabilities().interactive {
            // If this fails, the earlier stored job still works, and the other failures are more
            // important to report.
            let _ = self.stored.save();
        }
        if failures.iter().all(|failure| failure.status == BUG) {
            self.stored.give_up();
        }
        let failed = failures.len();
        Err(failures.pop_if(|_| failed == 1).unwrap_or_else(|| {
            together(&failures, &format!("{failed} of {count} files could not be written"))
        }))
    }
}

/// Prints the warnings about an item that were not printed before.
fn print_warnings(
    messages: &Messages,
    printed: &mut Vec<(usize, Warning)>,
    at: usize,
    item: &JobItem,
    warnings: &[Warning],
) {
    for warning in warnings {
        if !printed.contains(&(at, *warning)) {
            printed.push((at, *warning));
            messages.print(format_args!("{}: {warning}", path_name::of_input(&item.input)));
        }
    }
}

/// Combines several failures into one, with the status of the first.
fn together(all: &[Failure], what: &str) -> Failure {
    let lines: String = all.iter().map(|failure| format!("\n  {failure}")).collect();
    let status = all.first().map_or(BUG, |first| first.status);
    Failure::new(status, format!("{what}:{lines}"))
}

fn prepare(
    request: &Request,
    item: &JobItem,
    documents: &mut Documents<'_>,
    identity: &Identity,
    options: &SigningOptions,
) -> Result<PendingSignature, Failure> {
    let pending = ades::prepare(documents.inputs(), &identity.chain, options)?;
    if let Some(expected) = &item.digest {
        // The state often has the input's digest already. For another signer in a container, the
        // state has the digest of the container, but the input is the container's document.
        let known = pending.document_digest().map(|digest| &digest.0);
        let known = known.filter(|known| known.algorithm() == expected.algorithm());
        let same = match known.filter(|_| !request.is_parallel()) {
            Some(known) => known == expected,
            None => digest(item)? == *expected,
        };
        if !same {
            return Err(Failure::input("has changed since the job began; sign it again"));
        }
    }
    Ok(pending)
}

/// Writes the output of one item.
fn write(
    container: Option<&Path>,
    item: &JobItem,
    value: &SignatureValue,
    password: Option<&str>,
    existing: Existing,
) -> Result<(), Failure> {
    let state = item.pending.as_deref().unwrap_or_default();
    let pending = PendingSignature::from_json(state, None)?;
    let mut documents = Documents::open(&item.input, container, password)?;
    let mut out = Output::create(&item.output, Readers::Usual)?;
    pending.complete(Some(documents.document()), &value.value, out.writer()).map_err(|e| {
        Failure::from(e).about(path_name::of_input(container.unwrap_or(&item.input)))
    })?;
    pending
        .verify_completed(&mut out.read_back()?, documents.inputs())
        .map_err(|e| Failure::from(e).about(path_name::of_output(&item.output)))?;
    out.publish(existing)
}

fn digest(item: &JobItem) -> Result<Digest, Failure> {
    let mut document = input::document(&item.input)?;
    let (digest, _) = document.digest(DigestAlgorithm::Sha256)?;
    Ok(digest.0)
}
