//! Runs a job from stage to stage: identify, prepare, confirm and complete, one batch after the
//! other.

use std::path::{Path, PathBuf};

use ades::certificate::UsageCheck;
use ades::signer::{
    IdentificationRequest, IdentificationSession, Identity, SignatureValue, SignerError,
    SignerErrorKind, SigningItem, SigningRequest, SigningSession,
};
use ades::states::MAX_STATE_LEN;
use ades::{
    Check, Digest, DigestAlgorithm, Fault, PendingSignature, Retry, SigningOptions, Warning,
};

use crate::browser::Guide;
use crate::conversation::{Conversation, Opening};
use crate::documents::Documents;
use crate::exit::{BUG, Failure};
use crate::input;
use crate::job::{JobItem, Stage};
use crate::outcome::SignedFile;
use crate::output::{Existing, Messages, Output, Readers};
use crate::path_name;
use crate::preview;
use crate::request::Request;
use crate::return_page::{Ending, LastPage, ReturnPage};
use crate::signers::Signer;
use crate::stored_job::StoredJob;
use crate::unlock::Unlock;

/// Maximum number of files in one confirmation, at any signer.
const MAX_BATCH: usize = 70;
const IDENTIFY_AGAIN: &str =
    "ades resume asks the service once more; with --identify-again, the user identifies again";
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
    guide: Guide,
    messages: &'a Messages,
    /// The file for the preview of a visible signature
    preview: Option<PathBuf>,
    /// Warnings that were printed, with the output of their item
    printed: Vec<(PathBuf, Warning)>,
    /// The name in the signer's certificate
    signer_name: Option<String>,
    /// The outputs of the batch that have their documents already, in the order of its items
    copies: Vec<Option<Output>>,
}

impl<'a> Signing<'a> {
    pub(crate) async fn new(
        stored: StoredJob<'a>,
        resumed: bool,
        signer: Signer,
        open: bool,
        messages: &'a Messages,
    ) -> Self {
        let language = stored.job.request.language.unwrap_or(signer.language);
        let return_page = match &signer.return_to {
            Some(url) => ReturnPage::listen(url, language, *messages).await,
            None => None,
        };
        let unattended = stored.job.signer.auto_approve;
        let guide = Guide { unattended, open, messages: *messages };
        Self {
            stored,
            resumed,
            signer,
            return_page,
            guide,
            messages,
            preview: None,
            printed: Vec::new(),
            signer_name: None,
            copies: Vec::new(),
        }
    }

    pub(crate) fn with_preview(mut self, preview: Option<PathBuf>) -> Self {
        self.preview = preview;
        self
    }

    pub(crate) const fn stored(&mut self) -> &mut StoredJob<'a> {
        &mut self.stored
    }

    /// The sandbox in this process, with its folder.
    pub(crate) fn sandbox_dir(&self) -> Option<&Path> {
        self.signer.sandbox.as_ref().map(|(_, dir)| dir.as_path())
    }

    /// Shows the end of the job to the user's browser, and ends the signer.
    pub(crate) async fn finish(self, ending: Ending) {
        let (signed, files) = (self.stored.job.done, self.stored.job.items.len());
        if let Some(return_page) = self.return_page {
            return_page.finish(LastPage { ending, signed, files }).await;
        }
        self.signer.close().await;
    }

    /// The containers that have been written.
    pub(crate) fn signed(&self) -> Vec<SignedFile> {
        let job = &self.stored.job;
        let written = job.items.iter().take(job.done);
        let file = |item: &JobItem| {
            let warnings = self.printed.iter().filter(|(output, _)| *output == item.output);
            let input = if self.stored.is_from_standard_input(item) {
                PathBuf::from("-")
            } else {
                item.input.clone()
            };
            SignedFile {
                input,
                together: item.together.clone(),
                output: item.output.clone(),
                format: item.format,
                signer: self.signer_name.clone(),
                warnings: warnings.map(|(_, warning)| *warning).collect(),
                level: "B-B".to_owned(),
            }
        };
        written.map(file).collect()
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
                    Stage::Identified(self.finish_identification(Opening::New(first)).await?)
                }
                Stage::Identifying { session, page } => {
                    let opening = Opening::Stored { session, page };
                    Stage::Identified(self.finish_identification(opening).await?)
                }
                Stage::Identified(_) if self.left() == 0 => return Ok(()),
                Stage::Identified(identity) | Stage::Asking(identity) => {
                    let (count, values) = self.sign_batch(&identity).await?;
                    self.store_values(identity, count, values)?
                }
                Stage::Signing { identity, count, session, page } => {
                    let opening = Opening::Stored { session, page };
                    let values = self.finish_signing(&identity, count, opening).await?;
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
        let unlock = job.request.unlock()?;
        let mut failures: Vec<Failure> = Vec::new();
        for item in job.items.iter().skip(job.done) {
            let options = options.clone().for_document(item.format);
            let checked = Documents::of_item(item, job.request.container.as_deref(), &unlock)
                .and_then(|mut documents| {
                    let checked = ades::check(documents.inputs(), &options);
                    checked.map_err(|e| documents.failure(e, &options.xml.reading))
                });
            match checked {
                Ok(checked) => {
                    let warnings = checked.warnings();
                    print_warnings(self.messages, &mut self.printed, item, warnings);
                }
                Err(failure) => failures.push(failure.about(read_name(&job.request, item))),
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
        opening: Opening<Identity, IdentificationSession>,
    ) -> Result<Identity, Failure> {
        let (stored, signer) = (&mut self.stored, self.signer.remote());
        Conversation {
            save: &mut |session, page| {
                let (session, page) = (Clone::clone(session), page.map(ToOwned::to_owned));
                stored.job.stage = Stage::Identifying { session, page };
                stored.save()
            },
            return_page: self.return_page.as_mut(),
            guide: self.guide,
        }
        .finish(opening, &|session, event| signer.continue_identification(session, event))
        .await
        .map_err(|failure| self.after_failure(failure, Stage::Start))
    }

    /// Prepares the next batch and asks the signer for its values.
    async fn sign_batch(
        &mut self,
        identity: &Identity,
    ) -> Result<(usize, Vec<SignatureValue>), Failure> {
        let items = self.prepare_batch(identity)?;
        let count = items.len();
        self.signer.learn_languages().await;
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
                let failure = Failure::from(error);
                let again = capabilities.interactive && failure.retry == Retry::NewIdentification;
                return Err(if again { failure.hinting(IDENTIFY_AGAIN) } else { failure });
            }
        };
        Ok((count, self.finish_signing(identity, count, Opening::New(first)).await?))
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
        self.copies.clear();
        let job = &mut self.stored.job;
        let unlock = job.request.unlock()?;
        let mut items = Vec::new();
        let mut size = 0;
        for (at, item) in job.items.iter_mut().enumerate().skip(job.done).take(max) {
            let options = options.clone().for_document(item.format);
            let container = job.request.container.as_deref();
            let mut documents = Documents::of_item(item, container, &unlock)?;
            let (pending, copy) =
                prepare(&job.request, item, &mut documents, identity, &options)
                    .map_err(|failure| failure.about(read_name(&job.request, item)))?;
            print_warnings(self.messages, &mut self.printed, item, pending.warnings());
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
                let picture = preview::draw(&pending, &options, &mut documents, to)?;
                picture.publish(Existing::Replace)?;
                self.messages.print(format_args!("how it will look: {}", to.display()));
            }
            items.push(SigningItem::new(format!("d{at:04}"), pending.to_be_signed()));
            item.pending = Some(state);
            self.copies.push(copy);
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
        opening: Opening<Vec<SignatureValue>, SigningSession>,
    ) -> Result<Vec<SignatureValue>, Failure> {
        let (stored, signer) = (&mut self.stored, self.signer.remote());
        Conversation {
            save: &mut |session, page| {
                let (identity, session) = (identity.clone(), Clone::clone(session));
                let page = page.map(ToOwned::to_owned);
                stored.job.stage = Stage::Signing { identity, count, session, page };
                stored.save()
            },
            return_page: self.return_page.as_mut(),
            guide: self.guide,
        }
        .finish(opening, &|session, event| signer.continue_signing(session, event))
        .await
        .map_err(|failure| self.after_failure(failure, Stage::Identified(identity.clone())))
    }

    /// Stores an earlier stage if the signer has ended the session, so that resuming starts a new
    /// one. Every other failure keeps the session: the user may have confirmed, and a new session
    /// needs `--ask-again` or `--identify-again`.
    fn after_failure(&mut self, failure: Failure, stage: Stage) -> Failure {
        match failure.retry {
            Retry::NewSession => {
                self.stored.job.stage = stage;
                // The failure itself is more important to report.
                let _ = self.stored.save();
                failure
            }
            Retry::NewIdentification => failure.hinting(IDENTIFY_AGAIN),
            _ => failure,
        }
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
        let unlock = job.request.unlock()?;
        let existing = match (job.force, self.resumed) {
            (true, _) => Existing::Replace,
            (false, true) => Existing::KeepSame,
            (false, false) => Existing::Keep,
        };
        self.signer_name = identity.chain.leaf().common_name().map(str::to_owned);
        let (first, count) = (job.done, values.len());
        let (mut kept, mut failures) = (Vec::new(), Vec::new());
        let mut copies = std::mem::take(&mut self.copies).into_iter();
        for (at, value) in (first..).zip(values) {
            let copy = copies.next().flatten();
            let Some(item) = job.items.get_mut(at) else { break };
            match write(&job.request, item, copy, &value, &unlock, existing) {
                Ok(value_digest) => {
                    item.pending = None;
                    item.value_digest = value_digest;
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

/// The name of the file that gets a signature: the container of a parallel one.
fn read_name(request: &Request, item: &JobItem) -> String {
    path_name::of_input(request.container.as_deref().unwrap_or(&item.input))
}

/// Prints the warnings about an item that were not printed before.
fn print_warnings(
    messages: &Messages,
    printed: &mut Vec<(PathBuf, Warning)>,
    item: &JobItem,
    warnings: &[Warning],
) {
    for warning in warnings {
        if !printed.iter().any(|known| known.0 == item.output && known.1 == *warning) {
            printed.push((item.output.clone(), *warning));
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

/// Prepares an item. If nobody is asked before it is completed, and if the format allows it, the
/// same pass copies the document to the output.
fn prepare(
    request: &Request,
    item: &JobItem,
    documents: &mut Documents<'_>,
    identity: &Identity,
    options: &SigningOptions,
) -> Result<(PendingSignature, Option<Output>), Failure> {
    if item.digest.is_none()
        && options.can_copy(item.format)
        && let Some((pending, out)) = prepare_copying(item, documents, identity, options)
    {
        return Ok((pending, Some(out)));
    }
    let pending = ades::prepare(documents.inputs(), &identity.chain, options)
        .map_err(|error| documents.failure(error, &options.xml.reading))?;
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
    Ok((pending, None))
}

/// `None` if copying fails: the usual way then succeeds, or reports why it does not.
fn prepare_copying(
    item: &JobItem,
    documents: &mut Documents<'_>,
    identity: &Identity,
    options: &SigningOptions,
) -> Option<(PendingSignature, Output)> {
    let mut out = Output::create(&item.output, Readers::Usual).ok()?;
    out.store_early();
    let (inputs, chain) = (documents.inputs(), &identity.chain);
    let pending = ades::prepare_copying(inputs, chain, options, out.writer()).ok()?;
    Some((pending, out))
}

/// Writes the output of one item, and returns the digest of the signature value in it. `copy` is the
/// output if it has the document already.
fn write(
    request: &Request,
    item: &JobItem,
    copy: Option<Output>,
    value: &SignatureValue,
    unlock: &Unlock,
    existing: Existing,
) -> Result<Option<Digest>, Failure> {
    let state = item.pending.as_deref().unwrap_or_default();
    let pending = PendingSignature::from_json(state, None)?;
    let container = request.container.as_deref();
    let mut documents = Documents::of_item(item, container, unlock)?;
    // The final check reads the document of a detached signature. Completing compares it too if a
    // user was asked meanwhile, because its error says that the document has changed.
    let is_compared = item.digest.is_some() || !request.options.is_detached(item.format);
    let (mut out, has_document) = match copy {
        Some(copy) => (copy, true),
        None => {
            let mut out = Output::create(&item.output, Readers::Usual)?;
            out.store_early();
            (out, false)
        }
    };
    let completed = if has_document {
        // Nobody else writes to the unfinished file, and all of it is verified below.
        pending.complete_in_place(out.writer(), &value.value, Check::LengthAndTail)
    } else {
        let document = is_compared.then(|| documents.document());
        pending.complete(document, &value.value, out.writer())
    };
    completed.map_err(|error| {
        let output = path_name::of_output(&item.output);
        let input = path_name::of_input(container.unwrap_or(&item.input));
        let is_output =
            matches!(&error, ades::Error::Core(ades::formats::ades_core::Error::Write(_)));
        Failure::from(error).about(if is_output { output } else { input })
    })?;
    pending
        .verify_completed(&mut out.read_back()?, documents.inputs())
        .map_err(|e| Failure::from(e).about(path_name::of_output(&item.output)))?;
    out.publish(existing)?;
    Ok(pending.value_digest(&value.value))
}

/// The digest of the input. For several files: the digest of their digests.
fn digest(item: &JobItem) -> Result<Digest, Failure> {
    let of_file = |path: &Path| -> Result<Digest, Failure> {
        let (digest, _) = input::document(path)?.digest(DigestAlgorithm::Sha256)?;
        Ok(digest.0)
    };
    let mut all = of_file(&item.input)?;
    for path in &item.together {
        let both = [all.value(), of_file(path)?.value()].concat();
        all = Digest::of(DigestAlgorithm::Sha256, &both);
    }
    Ok(all)
}
