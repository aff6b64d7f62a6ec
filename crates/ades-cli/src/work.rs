//! From stage to stage: identify, prepare, have confirmed, complete; batch by
//! batch.

use std::path::PathBuf;
use std::time::Duration;

use ades_core::certificate::UsageCheck;
use ades_core::pending::MAX_STATE_LEN;
use ades_core::signer::{
    IdentificationRequest, IdentificationSession, Identity, SignatureValue, SignerError,
    SignerErrorKind, SigningItem, SigningRequest, SigningSession, Step,
};
use ades_core::{CertificateChain, DigestAlgorithm, Fault, Retry, SignatureParameters};

use crate::drive::{Conversation, Return};
use crate::exit::{BUG, Failure};
use crate::format::{Format, Pending, check_pdf};
use crate::input;
use crate::job::{JobItem, Stage, Stored};
use crate::options::{Shape, Wishes};
use crate::output::{self, Existing, Output, Readers, Say};
use crate::preview;
use crate::signers::Signer;
use crate::verify;

/// One confirmation covers this many files at most, whichever the signer.
const MAX_BATCH: usize = 70;
/// The pending states in a job may have so many octets, of those that the job may
/// have.
const MAX_STATES: usize = MAX_STATE_LEN / 8 * 7;

pub(crate) struct Work<'a> {
    stored: Stored<'a>,
    /// Whether an earlier process may have written some of the results.
    resumed: bool,
    signer: Signer,
    back: Option<Return>,
    say: &'a Say,
    /// Where the page of a visible signature is drawn before it is signed.
    preview: Option<PathBuf>,
}

impl<'a> Work<'a> {
    pub(crate) async fn new(
        stored: Stored<'a>,
        resumed: bool,
        signer: Signer,
        say: &'a Say,
    ) -> Self {
        let back = match &signer.return_to {
            Some(url) => Return::listen(url, say).await,
            None => None,
        };
        Self { stored, resumed, signer, back, say, preview: None }
    }

    pub(crate) fn with_preview(mut self, preview: Option<PathBuf>) -> Self {
        self.preview = preview;
        self
    }

    pub(crate) fn into_parts(self) -> (Stored<'a>, Signer) {
        (self.stored, self.signer)
    }

    fn max_batch(&self) -> usize {
        self.signer.remote().capabilities().max_batch.clamp(1, MAX_BATCH)
    }

    fn left(&self) -> usize {
        self.stored.job.items.len().saturating_sub(self.stored.job.done)
    }

    pub(crate) async fn run(&mut self) -> Result<(), Failure> {
        let (left, max) = (self.left(), self.max_batch());
        if left > max {
            self.say.line(format_args!(
                "{left} files: {} batches of up to {max}, each with a confirmation of its own",
                left.div_ceil(max)
            ));
        }
        loop {
            // A stage stays stored until the next one is reached.
            let stage = std::mem::replace(&mut self.stored.job.stage, Stage::Start);
            let next = match stage {
                Stage::Start => {
                    self.begin().await?;
                    let mut request = IdentificationRequest::default();
                    request.language = self.stored.job.wishes.language;
                    let first = self.signer.remote().identify(request).await?;
                    Stage::Identified(self.identified(first).await?)
                }
                Stage::Identifying(session) => {
                    let first = Step::Wait { after: Duration::ZERO, session };
                    Stage::Identified(self.identified(first).await?)
                }
                Stage::Identified(_) if self.left() == 0 => return Ok(()),
                Stage::Identified(identity) | Stage::Asking(identity) => {
                    let (count, values) = self.confirm(&identity).await?;
                    self.received(identity, count, values)?
                }
                Stage::Signing { identity, count, session } => {
                    let first = Step::Wait { after: Duration::ZERO, session };
                    let values = self.confirmed(&identity, count, first).await?;
                    self.received(identity, count, values)?
                }
                Stage::Completing { identity, values } => self.complete(identity, values)?,
            };
            self.stored.job.stage = next;
        }
    }

    /// Looks at what is signed: nobody is asked about what cannot be.
    async fn begin(&mut self) -> Result<(), Failure> {
        self.check()?;
        let (policy, commitment) = self.signer.terms(&self.stored.job.wishes).await?;
        let job = &mut self.stored.job;
        if job.wishes.pdf.reason.is_some() && (policy.is_some() || commitment.is_some()) {
            let message =
                "--reason: not with the policy or commitment of the signer's configuration";
            return Err(Failure::usage(message));
        }
        job.policy = policy;
        job.wishes.commitment = commitment.map(|commitment| commitment.0.to_string());
        let capabilities = self.signer.remote().capabilities();
        if capabilities.interactive {
            job.wishes.check_for(&capabilities)?;
            let display = job.wishes.display(job.policy.as_ref(), &capabilities.languages)?;
            self.signer.remote().check_display(&display)?;
            for item in job.items.iter_mut().filter(|item| item.digest.is_none()) {
                item.digest = Some(digest(item)?);
            }
        }
        Ok(())
    }

    /// All that is wrong with PDFs and XML is said at once. One XML document that
    /// nobody is asked about is looked at when it is prepared.
    fn check(&self) -> Result<(), Failure> {
        let job = &self.stored.job;
        let left = job.items.iter().skip(job.done);
        let mut wrong: Vec<Failure> = Vec::new();
        let soon = self.left() == 1 && !self.signer.remote().capabilities().interactive;
        for item in left {
            let document = || input::document(&item.input);
            let wishes = &job.wishes;
            let checked = match item.format {
                Format::Pades => check_pdf(&wishes.pdf, &mut document()?, &wishes.draft())
                    .map(|checked| checked.warnings().iter().map(ToString::to_string).collect()),
                Format::Xades if !soon => wishes
                    .xml
                    .check_document(&wishes.shape, &mut document()?, &wishes.draft())
                    .map(|()| Vec::new()),
                Format::Xades | Format::Cades => continue,
            };
            match checked {
                Ok(remarks) => {
                    for remark in remarks {
                        self.say.line(format_args!("{}: {remark}", input::name(&item.input)));
                    }
                }
                Err(failure) => wrong.push(failure.about(input::name(&item.input))),
            }
        }
        let (count, all) = (wrong.len(), self.left());
        match wrong.pop_if(|_| all == 1) {
            Some(only) => Err(only),
            None if wrong.is_empty() => Ok(()),
            None => {
                let what = format!("{count} of {all} files cannot be signed, and so none is");
                Err(together(&wrong, &what))
            }
        }
    }

    async fn identified(
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
            back: self.back.as_mut(),
            say: self.say,
            unattended,
        }
        .finish(first, &|session, event| signer.continue_identification(session, event))
        .await
        .inspect_err(|failure| self.fall_back(failure, Stage::Start))
    }

    /// Prepares the next batch and has it confirmed.
    async fn confirm(
        &mut self,
        identity: &Identity,
    ) -> Result<(usize, Vec<SignatureValue>), Failure> {
        let most = self.left().min(self.max_batch());
        let preview = self.preview.clone();
        let parameters = self.parameters(identity).inspect_err(|_| {
            // This certificate does not go with what is asked for, and neither
            // will change.
            if self.stored.job.done == 0 {
                self.stored.remove();
            }
        })?;
        let job = &mut self.stored.job;
        let mut items = Vec::new();
        let mut octets = 0;
        for (at, item) in job.items.iter_mut().enumerate().skip(job.done).take(most) {
            let pending = prepare(&job.wishes, item, &identity.chain, &parameters)?;
            // Of PDFs it was said before.
            for remark in pending.remarks().iter().filter(|_| item.format != Format::Pades) {
                self.say.line(format_args!("{}: {remark}", input::name(&item.input)));
            }
            let state = pending.to_json(None)?;
            octets += state.len();
            if octets > MAX_STATES && !items.is_empty() {
                self.say
                    .line(format_args!("{} files first: they are all a job can hold", items.len()));
                break;
            }
            if let Some(to) = &preview {
                let mut document = input::document(&item.input)?;
                preview::draw(&pending, &job.wishes, &mut document, to, Existing::Replace)?;
                self.say.line(format_args!("how it will look: {}", to.display()));
            }
            let to_be_signed = pending.to_be_signed();
            items.push(SigningItem::new(format!("d{at:04}"), to_be_signed));
            item.pending = Some(state);
        }
        let count = items.len();
        let signer = self.signer.remote();
        let capabilities = signer.capabilities();
        let mut request = SigningRequest::new(identity.clone(), items);
        request.display = job.wishes.display(job.policy.as_ref(), &capabilities.languages)?;
        if capabilities.interactive {
            job.stage = Stage::Asking(identity.clone());
            self.stored.save()?;
        }
        let first = match signer.sign(request).await {
            Ok(first) => first,
            Err(error) => {
                if error.fault() == Fault::Caller && self.stored.job.done == 0 {
                    // The same request would fail the same way again.
                    self.stored.remove();
                } else if *error.kind() != SignerErrorKind::UnknownOutcome
                    && capabilities.interactive
                {
                    // Nobody was asked: the trait's promise for every other
                    // kind. Where that is not known, a later process must not
                    // ask again by itself.
                    self.stored.job.stage = Stage::Identified(identity.clone());
                    self.stored.save()?;
                }
                return Err(error.into());
            }
        };
        Ok((count, self.confirmed(identity, count, first).await?))
    }

    fn parameters(&self, identity: &Identity) -> Result<SignatureParameters, Failure> {
        let (job, leaf) = (&self.stored.job, identity.chain.leaf());
        let parameters = job.wishes.parameters(leaf.key_type(), job.policy.as_ref())?;
        parameters.algorithm_for(leaf)?;
        leaf.check_fit(parameters.signing_time().time(), UsageCheck::Signature)?;
        Ok(parameters)
    }

    async fn confirmed(
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
            back: self.back.as_mut(),
            say: self.say,
            unattended,
        }
        .finish(first, &|session, event| signer.continue_signing(session, event))
        .await
        .inspect_err(|failure| self.fall_back(failure, Stage::Identified(identity.clone())))
    }

    /// A session that is over is not gone on with: whoever resumes the job
    /// starts a new one.
    fn fall_back(&mut self, failure: &Failure, stage: Stage) {
        self.stored.job.stage = match failure.retry {
            Retry::NewSession => stage,
            Retry::NewIdentification => Stage::Start,
            _ => return,
        };
        // The failure itself matters more than where the job stands.
        let _ = self.stored.save();
    }

    fn received(
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

    /// Writes the containers of the items whose values are here. What fails stays in
    /// the job, with its value, behind what is done; nobody is asked for more then.
    fn complete(
        &mut self,
        identity: Identity,
        values: Vec<SignatureValue>,
    ) -> Result<Stage, Failure> {
        let job = &mut self.stored.job;
        let password = job.wishes.pdf.password()?;
        let existing = match (job.force, self.resumed) {
            (true, _) => Existing::Replace,
            (false, true) => Existing::KeepSame,
            (false, false) => Existing::Keep,
        };
        let (first, count) = (job.done, values.len());
        let (mut kept, mut wrong) = (Vec::new(), Vec::new());
        for (at, value) in (first..).zip(values) {
            let Some(item) = job.items.get_mut(at) else { break };
            match write(&job.wishes, item, &value, password.as_deref(), existing) {
                Ok(()) => {
                    item.pending = None;
                    if let Some(items) = job.items.get_mut(job.done..=at) {
                        items.rotate_right(1);
                    }
                    job.done += 1;
                }
                Err(failure) => {
                    kept.push(value);
                    wrong.push(failure);
                }
            }
        }
        if wrong.is_empty() {
            return Ok(Stage::Identified(identity));
        }
        for item in job.items.get(first..job.done).unwrap_or_default() {
            self.say.line(format_args!("signed: {}", output::name(&item.output)));
        }
        job.stage = Stage::Completing { identity, values: kept };
        if self.signer.remote().capabilities().interactive {
            // The failures matter more; what was stored before does as well.
            let _ = self.stored.save();
        }
        if wrong.iter().all(|failure| failure.status == BUG) {
            self.stored.give_up();
        }
        let failed = wrong.len();
        Err(wrong.pop_if(|_| failed == 1).unwrap_or_else(|| {
            together(&wrong, &format!("{failed} of {count} files could not be written"))
        }))
    }
}

/// Several failures as one, with the status of the first.
fn together(all: &[Failure], what: &str) -> Failure {
    let lines: String = all.iter().map(|failure| format!("\n  {failure}")).collect();
    let status = all.first().map_or(BUG, |first| first.status);
    Failure::new(status, format!("{what}:{lines}"))
}

/// Writes the container of one item.
fn write(
    wishes: &Wishes,
    item: &JobItem,
    value: &SignatureValue,
    password: Option<&str>,
    existing: Existing,
) -> Result<(), Failure> {
    let state = item.pending.as_deref().unwrap_or_default();
    let pending = Pending::from_json(state, None)?;
    let (source, original) = match &wishes.shape {
        Shape::Parallel(container) => (container, &item.input),
        _ => (&item.input, &item.input),
    };
    let mut document = input::document(source)?;
    let mut out = Output::create(&item.output, Readers::Usual)?;
    pending
        .complete(&mut document, &value.value, &mut out)
        .map_err(|e| Failure::from(e).about(input::name(source)))?;
    let mut made = out.made()?;
    let how = verify::How { password, reading: &wishes.xml.reading };
    verify::check(item.format, &mut made, source, original, how)
        .map_err(|e| e.about(output::name(&item.output)))?;
    out.publish(existing)
}

fn prepare(
    wishes: &Wishes,
    item: &JobItem,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<Pending, Failure> {
    let about = |e: Failure| e.about(input::name(&item.input));
    let mut document = input::document(&item.input)?;
    let pending =
        Pending::prepare(item.format, wishes, &item.input, &mut document, chain, parameters)
            .map_err(about)?;
    if let Some(expected) = &item.digest {
        // One pass is enough where the state has the input's digest.
        let known = pending.input_digest(&wishes.shape);
        let same = match known.filter(|known| known.algorithm() == expected.algorithm()) {
            Some(known) => known == expected,
            None => digest(item)? == *expected,
        };
        if !same {
            let message = "has changed since the signing was begun; sign it anew";
            return Err(about(Failure::input(message)));
        }
    }
    Ok(pending)
}

fn digest(item: &JobItem) -> Result<ades_core::Digest, Failure> {
    let mut document = input::document(&item.input)?;
    let (digest, _) = document.digest(DigestAlgorithm::Sha256)?;
    Ok(digest.0)
}
