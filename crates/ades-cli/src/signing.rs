//! Signs with a signer that answers at once, such as a key file: nobody waits, so there is no job.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ades::certificate::UsageCheck;
use ades::signer::{
    IdentificationRequest, Identity, SignatureValue, SignerError, SignerErrorKind, SigningItem,
    SigningRequest, Step, StepResult, match_values,
};
use ades::{Check, Digest, Level, PendingSignature, RemoteSigner, SigningOptions, Warning};

use crate::documents::Documents;
use crate::exit::{BUG, Failure};
use crate::job::{Job, JobItem};
use crate::outcome::SignedFile;
use crate::output::{Existing, Messages, Output, Readers};
use crate::path_name;
use crate::preview;
use crate::request::{Request, ResolvedTerms};
use crate::unlock::Unlock;

/// Maximum number of files in one confirmation, at any signer.
pub(crate) const MAX_BATCH: usize = 70;

/// Says how many confirmations a signing needs.
pub(crate) fn print_batches(messages: Messages, files: usize, max: usize) {
    messages.print(format_args!(
        "{files} files: {} batches of up to {max}, each with a confirmation of its own",
        files.div_ceil(max)
    ));
}

/// A signing in progress.
pub(crate) struct Signing<'a> {
    job: &'a Job,
    signer: Arc<dyn RemoteSigner>,
    options: SigningOptions,
    unlock: Unlock,
    /// The file for the preview of a visible signature
    preview: Option<PathBuf>,
    messages: Messages,
    /// Warnings that were printed, with their item
    printed: Vec<(usize, Warning)>,
    /// The name in the signer's certificate
    signer_name: Option<String>,
    /// The items whose containers are written, with the digests of their signature values
    written: Vec<(usize, Option<Digest>)>,
}

/// A prepared signature, and the output if it has the document already.
struct Prepared {
    no: usize,
    pending: PendingSignature,
    copy: Option<Output>,
}

impl<'a> Signing<'a> {
    pub(crate) fn new(
        job: &'a Job,
        terms: &ResolvedTerms,
        signer: Arc<dyn RemoteSigner>,
        preview: Option<PathBuf>,
        messages: Messages,
    ) -> Result<Self, Failure> {
        let (options, unlock) = (job.request.signing_options(terms)?, job.request.unlock()?);
        let (printed, signer_name, written) = (Vec::new(), None, Vec::new());
        Ok(Self { job, signer, options, unlock, preview, messages, printed, signer_name, written })
    }

    /// The containers that have been written. `input` is the path that stands for standard input.
    pub(crate) fn signed(&self, standard_input: Option<&Path>) -> Vec<SignedFile> {
        let file = |(no, _): &(usize, _)| {
            let item = self.job.items.get(*no)?;
            let warnings = self.printed.iter().filter(|(of, _)| of == no);
            let is_standard = Some(item.input.as_path()) == standard_input;
            Some(SignedFile {
                input: if is_standard { PathBuf::from("-") } else { item.input.clone() },
                together: item.together.clone(),
                output: item.output.clone(),
                format: item.format,
                signer: self.signer_name.clone(),
                warnings: warnings.map(|(_, warning)| *warning).collect(),
                level: Level::B,
            })
        };
        self.written.iter().filter_map(file).collect()
    }

    /// The items whose containers have been written, with the digests of their signature values.
    pub(crate) fn into_written(self) -> Vec<(usize, Option<Digest>)> {
        self.written
    }

    /// Signs all files, in batches.
    pub(crate) async fn run(&mut self) -> Result<(), Failure> {
        let all = self.job.items.len();
        let max = self.signer.capabilities().max_batch.clamp(1, MAX_BATCH);
        if all > max {
            print_batches(self.messages, all, max);
        }
        // A single file is not read twice.
        if all > 1 {
            self.check()?;
        }
        let identity = answer(self.signer.identify(IdentificationRequest::default()).await)?;
        let leaf = identity.chain.leaf();
        let parameters = self.options.parameters_for(leaf.key_type())?;
        parameters.algorithm_for(leaf)?;
        leaf.check_fit(parameters.signing_time().time(), UsageCheck::Signature)?;
        self.signer_name = leaf.common_name().map(str::to_owned);
        for first in (0..all).step_by(max) {
            let batch = (first..all).take(max);
            let batch =
                batch.map(|no| self.prepare(no, &identity)).collect::<Result<Vec<_>, _>>()?;
            let values = self.sign(&identity, &batch).await?;
            self.complete(batch, values)?;
        }
        Ok(())
    }

    fn item(&self, no: usize) -> Result<&'a JobItem, Failure> {
        let missing = || Failure::new(BUG, "a batch names a file that does not exist");
        self.job.items.get(no).ok_or_else(missing)
    }

    /// Checks all files, and reports all failures together.
    fn check(&mut self) -> Result<(), Failure> {
        let request = &self.job.request;
        let mut failures = Vec::new();
        for (no, item) in self.job.items.iter().enumerate() {
            let options = self.options.clone().for_document(item.format);
            let checked = Documents::of_item(item, request.container.as_deref(), &self.unlock)
                .and_then(|mut documents| {
                    let checked = ades::check(documents.inputs(), &options);
                    checked.map_err(|e| documents.failure(&e, &options.xml.reading))
                });
            match checked {
                Ok(checked) => {
                    let warnings = checked.warnings();
                    print_warnings(self.messages, &mut self.printed, (no, item), warnings);
                }
                Err(failure) => failures.push(failure.about(read_name(request, item))),
            }
        }
        let (count, all) = (failures.len(), self.job.items.len());
        if failures.is_empty() {
            return Ok(());
        }
        let what = format!("{count} of {all} files cannot be signed, so that none is signed");
        Err(Failure::together(&failures, &what))
    }

    /// Prepares a signature. If the format allows it, the same pass copies the document to the
    /// output.
    fn prepare(&mut self, no: usize, identity: &Identity) -> Result<Prepared, Failure> {
        let (request, item) = (&self.job.request, self.item(no)?);
        let options = self.options.clone().for_document(item.format);
        let unlock = &self.unlock;
        let mut documents = Documents::of_item(item, request.container.as_deref(), unlock)?;
        let copied = match options.can_copy(item.format) {
            true => prepare_copying(item, &mut documents, identity, &options),
            false => None,
        };
        let (pending, copy) = match copied {
            Some((pending, out)) => (pending, Some(out)),
            None => {
                let prepared = ades::prepare(documents.inputs(), &identity.chain, &options);
                let pending = prepared.map_err(|error| {
                    let failure = documents.failure(&error, &options.xml.reading);
                    failure.about(read_name(request, item))
                })?;
                (pending, None)
            }
        };
        print_warnings(self.messages, &mut self.printed, (no, item), pending.warnings());
        if let Some(to) = &self.preview {
            let picture = preview::draw(&pending, &options, &mut documents, to)?;
            picture.publish(Existing::Replace)?;
            self.messages.print(format_args!("how it will look: {}", to.display()));
        }
        Ok(Prepared { no, pending, copy })
    }

    /// The values of a batch, in its order.
    async fn sign(
        &self,
        identity: &Identity,
        batch: &[Prepared],
    ) -> Result<Vec<SignatureValue>, Failure> {
        let ids: Vec<String> =
            batch.iter().map(|prepared| format!("d{:04}", prepared.no)).collect();
        let items = ids
            .iter()
            .zip(batch)
            .map(|(id, prepared)| SigningItem::new(id.clone(), prepared.pending.to_be_signed()));
        let request = SigningRequest::new(identity.clone(), items.collect());
        let values = answer(self.signer.sign(request).await)?;
        Ok(match_values(ids.iter().map(String::as_str), values)?)
    }

    /// Writes the outputs of a batch. After a failure, the others are written, and no further batch
    /// begins.
    fn complete(
        &mut self,
        batch: Vec<Prepared>,
        values: Vec<SignatureValue>,
    ) -> Result<(), Failure> {
        let (first, count) = (self.written.len(), batch.len());
        let mut failures = Vec::new();
        for (prepared, value) in batch.into_iter().zip(values) {
            let no = prepared.no;
            match self.write(prepared, &value) {
                Ok(value_digest) => self.written.push((no, value_digest)),
                Err(failure) => failures.push(failure),
            }
        }
        if failures.is_empty() {
            return Ok(());
        }
        for (no, _) in self.written.iter().skip(first) {
            let name = path_name::of_output(&self.item(*no)?.output);
            self.messages.print(format_args!("signed: {name}"));
        }
        let failed = failures.len();
        Err(failures.pop_if(|_| failed == 1).unwrap_or_else(|| {
            let what = format!("{failed} of {count} files could not be written");
            Failure::together(&failures, &what)
        }))
    }

    /// Writes an output. Returns the digest of the signature value in it.
    fn write(&self, prepared: Prepared, value: &SignatureValue) -> Result<Option<Digest>, Failure> {
        let Prepared { no, pending, copy } = prepared;
        let (request, item) = (&self.job.request, self.item(no)?);
        let container = request.container.as_deref();
        let mut documents = Documents::of_item(item, container, &self.unlock)?;
        let (mut out, completed) = match copy {
            Some(mut out) => {
                // Nobody else writes to the unfinished file, and all of it is verified below.
                let check = Check::LengthAndTail;
                let completed = pending.complete_in_place(out.writer(), &value.value, check);
                (out, completed)
            }
            None => {
                let mut out = Output::create(&item.output, Readers::Usual)?;
                out.store_early();
                // The final check reads the document of a detached signature.
                let is_compared = !request.options.is_detached(item.format);
                let document = is_compared.then(|| documents.document());
                let completed = pending.complete(document, &value.value, out.writer());
                (out, completed)
            }
        };
        completed.map_err(|error| {
            let output = path_name::of_output(&item.output);
            let is_output =
                matches!(&error, ades::Error::Core(ades::formats::ades_core::Error::Write(_)));
            Failure::from(error).about(if is_output { output } else { read_name(request, item) })
        })?;
        pending
            .verify_completed(&mut out.read_back()?, documents.inputs())
            .map_err(|e| Failure::from(e).about(path_name::of_output(&item.output)))?;
        out.publish(Existing::forced(self.job.force))?;
        Ok(pending.value_digest(&value.value))
    }
}

/// Prints the warnings about an item that were not printed before.
pub(crate) fn print_warnings(
    messages: Messages,
    printed: &mut Vec<(usize, Warning)>,
    (no, item): (usize, &JobItem),
    warnings: &[Warning],
) {
    for warning in warnings {
        if !printed.contains(&(no, *warning)) {
            printed.push((no, *warning));
            messages.print(format_args!("{}: {warning}", path_name::of_input(&item.input)));
        }
    }
}

/// The answer of a signer that asks nobody.
fn answer<T, S>(result: StepResult<T, S>) -> Result<T, Failure> {
    match result? {
        Step::Done(answer) => Ok(answer),
        Step::Refused(refusal) => Err(Failure::from(&refusal)),
        _ => Err(SignerError::new(SignerErrorKind::UnknownSession).into()),
    }
}

/// The name of the file that gets a signature: the container of a parallel one.
fn read_name(request: &Request, item: &JobItem) -> String {
    path_name::of_input(request.container.as_deref().unwrap_or(&item.input))
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
