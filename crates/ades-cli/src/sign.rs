//! `ades sign` and `ades resume`: identify, prepare, confirm, complete, batch
//! by batch.

use std::path::{Path, PathBuf};

use ades_core::signer::{
    IdentificationRequest, Identity, SignatureValue, SignerErrorKind, SigningItem, SigningRequest,
};
use ades_core::{Document, PendingState};
use cades::PendingSignature;

use crate::args::{ResumeOptions, SignOptions};
use crate::drive::{Conversation, Return};
use crate::exit::{DONE, Failure};
use crate::job::{Job, JobItem, Stage};
use crate::output::{self, Output, Say};
use crate::prepare;
use crate::signers::{Opening, Signer};
use crate::verify;

pub(crate) fn run(options: Box<SignOptions>, say: &Say) -> Result<u8, Failure> {
    if options.level != "b" {
        return Err(Failure::usage(format!("--level {}: only b so far", options.level)));
    }
    let packaging = prepare::packaging(options.signature.packaging)?;
    let items = items(&options, packaging)?;
    let job_path = job_path(&options);
    let job = Job {
        signer: absolute_signer(&options.signer),
        sandbox_dir: options.sandbox_dir.as_deref().map(absolute),
        sandbox_user: options.sandbox_user,
        auto_approve: options.auto_approve,
        language: options.lang,
        description: options.description,
        signature: options.signature,
        policy: None,
        force: options.force,
        items,
        done: 0,
        stage: Stage::Start,
    };
    // What is wrong with the request is said before anybody is asked.
    job.signature.commitment()?;
    sandbox_only(&job)?;
    work(job, job_path.as_deref(), options.password_env.as_deref(), say)
}

pub(crate) fn resume(options: &ResumeOptions, say: &Say) -> Result<u8, Failure> {
    let mut job = Job::load(&options.pending)?;
    let under_way = matches!(job.stage, Stage::Identifying(_) | Stage::Signing { .. });
    if job.signer == "sandbox" && under_way {
        say.line("the embedded sandbox's session ended with its process; starting a new one");
        job.stage = match job.stage {
            Stage::Signing { identity, .. } => Stage::Identified(identity),
            _ => Stage::Start,
        };
    }
    work(job, Some(&options.pending), options.password_env.as_deref(), say)
}

fn work(
    job: Job,
    path: Option<&Path>,
    password_env: Option<&str>,
    say: &Say,
) -> Result<u8, Failure> {
    crate::sandbox::runtime()?.block_on(async {
        let signer = Signer::open(&Opening {
            signer: &job.signer,
            password_env,
            sandbox_dir: job.sandbox_dir.as_deref(),
            sandbox_user: &job.sandbox_user,
            auto_approve: job.auto_approve,
        })
        .await?;
        let back = Return::listen(signer.return_to.as_deref()).await;
        let mut work = Work { job, path, signer, back, say };
        let result = work.run().await;
        work.end(result).await
    })
}

struct Work<'a> {
    job: Job,
    /// Where the job is stored; `None` for standard input, which cannot be
    /// read again.
    path: Option<&'a Path>,
    signer: Signer,
    back: Option<Return>,
    say: &'a Say,
}

impl Work<'_> {
    async fn run(&mut self) -> Result<(), Failure> {
        let max = self.signer.remote().capabilities().max_batch;
        let left = self.job.items.len() - self.job.done;
        if left > max {
            let batches = left.div_ceil(max);
            self.say.line(format_args!(
                "{left} files are more than the {max} of one confirmation: the user confirms {batches} times"
            ));
        }
        loop {
            match std::mem::replace(&mut self.job.stage, Stage::Start) {
                Stage::Start => {
                    self.job.policy = self.signer.policy(&self.job.signature).await?;
                    let mut request = IdentificationRequest::default();
                    request.language = self.job.language;
                    let first = self.signer.remote().identify(request).await?;
                    let identity = self.identified(first).await?;
                    self.job.stage = Stage::Identified(identity);
                }
                Stage::Identifying(session) => {
                    let first =
                        ades_core::signer::Step::Wait { after: std::time::Duration::ZERO, session };
                    let identity = self.identified(first).await?;
                    self.job.stage = Stage::Identified(identity);
                }
                Stage::Identified(_) if self.job.done == self.job.items.len() => return Ok(()),
                Stage::Identified(identity) => {
                    let count = (self.job.items.len() - self.job.done).min(max);
                    let values = self.confirm(&identity, count).await?;
                    self.job.stage = Stage::Completing { identity, values };
                    self.save()?;
                }
                Stage::Signing { identity, count, session } => {
                    let first =
                        ades_core::signer::Step::Wait { after: std::time::Duration::ZERO, session };
                    let values = self.confirmed(&identity, count, first).await?;
                    self.job.stage = Stage::Completing { identity, values };
                    self.save()?;
                }
                Stage::Completing { identity, values } => {
                    self.complete(&values)?;
                    self.job.stage = Stage::Identified(identity);
                }
            }
        }
    }

    async fn identified(
        &mut self,
        first: ades_core::signer::Step<Identity, ades_core::signer::IdentificationSession>,
    ) -> Result<Identity, Failure> {
        let unattended = self.job.auto_approve;
        let (job, path) = (&mut self.job, self.path);
        let signer = self.signer.remote();
        Conversation {
            save: &mut |session| {
                job.stage = Stage::Identifying(Clone::clone(session));
                path.map_or(Ok(()), |path| job.save(path))
            },
            back: self.back.as_ref(),
            say: self.say,
            unattended,
        }
        .finish(first, &|session, event| signer.continue_identification(session, event))
        .await
    }

    /// Prepares the next `count` items and has them confirmed.
    async fn confirm(
        &mut self,
        identity: &Identity,
        count: usize,
    ) -> Result<Vec<SignatureValue>, Failure> {
        let packaging = prepare::packaging(self.job.signature.packaging)?;
        let key = identity.chain.leaf().key_type();
        let policy = self.job.policy.clone();
        let parameters = prepare::parameters(&self.job.signature, key, policy)?;
        let mut items = Vec::new();
        for (id, item) in self.job.items.iter_mut().enumerate().skip(self.job.done).take(count) {
            let mut document = prepare::open(&item.input)?;
            let pending = cades::prepare(&mut document, packaging, &identity.chain, &parameters)
                .map_err(|e| Failure::from(e).about(item.input.display()))?;
            items.push(SigningItem {
                id: format!("d{id:04}"),
                to_be_signed: pending.to_be_signed(),
            });
            item.pending = Some(pending.to_json(None)?);
        }
        let mut request = SigningRequest::new(identity.clone(), items);
        request.display.language = self.job.language;
        request.display.description.clone_from(&self.job.description);
        request.display.policy = self.job.policy.as_ref().map(|policy| policy.id);
        request.display.commitment = self.job.signature.commitment()?;
        if let Some(role) = &self.job.signature.role {
            let languages = self.signer.remote().capabilities().languages;
            request.display.role = languages.into_iter().map(|l| (l, role.clone())).collect();
        }
        if request.display.policy.is_none() {
            // What cannot be shown without a policy is in the container all the same.
            request.display.commitment = None;
            request.display.role.clear();
        }
        let first = self.signer.remote().sign(request).await?;
        self.confirmed(identity, count, first).await
    }

    async fn confirmed(
        &mut self,
        identity: &Identity,
        count: usize,
        first: ades_core::signer::Step<Vec<SignatureValue>, ades_core::signer::SigningSession>,
    ) -> Result<Vec<SignatureValue>, Failure> {
        let unattended = self.job.auto_approve;
        let (job, path) = (&mut self.job, self.path);
        let signer = self.signer.remote();
        let result = Conversation {
            save: &mut |session| {
                job.stage = Stage::Signing {
                    identity: identity.clone(),
                    count,
                    session: Clone::clone(session),
                };
                path.map_or(Ok(()), |path| job.save(path))
            },
            back: self.back.as_ref(),
            say: self.say,
            unattended,
        }
        .finish(first, &|session, event| signer.continue_signing(session, event))
        .await;
        let values = result?;
        if values.len() == count {
            Ok(values)
        } else {
            Err(ades_core::signer::SignerError::new(SignerErrorKind::ResultMismatch).into())
        }
    }

    /// Writes the containers of the items whose values are here.
    fn complete(&mut self, values: &[SignatureValue]) -> Result<(), Failure> {
        let first = self.job.done;
        for (item, value) in self.job.items.iter().skip(first).zip(values) {
            let state = item.pending.as_deref().unwrap_or_default();
            let pending = PendingSignature::from_json(state, None)?;
            let mut document = prepare::open(&item.input)?;
            let mut out = Output::create(&item.output)?;
            pending
                .complete(Some(&mut document), &value.value, out.writer())
                .map_err(|e| Failure::from(e).about(item.input.display()))?;
            let mut made = Document::seekable(out.reopen()?);
            verify::check(&mut made, Some(&item.input))
                .map_err(|e| e.about(item.output.display()))?;
            // Interrupted here before, the file may be there from the last time.
            out.publish(
                self.job.force || first < self.job.done || self.resumed_over(&item.output),
            )?;
            self.job.done += 1;
        }
        Ok(())
    }

    /// Whether an output that is there is our own, of an earlier run of this
    /// very job: it says the same octets.
    fn resumed_over(&self, output: &Path) -> bool {
        self.path.is_some() && output.exists() && !output::is_standard(output)
    }

    fn save(&self) -> Result<(), Failure> {
        self.path.map_or(Ok(()), |path| self.job.save(path))
    }

    /// Says what came of it, and takes the job file away unless it is needed.
    async fn end(self, result: Result<(), Failure>) -> Result<u8, Failure> {
        let say = self.say;
        match &result {
            Ok(()) => {
                for item in &self.job.items {
                    say.line(format_args!("signed: {}", item.output.display()));
                }
                if let Some((_, dir)) = &self.signer.sandbox {
                    how_to_check(&self.job, dir, say);
                }
            }
            Err(_) => {
                let nothing = matches!(self.job.stage, Stage::Start);
                if let Some(path) = self.path.filter(|path| !nothing && path.exists()) {
                    say.line(format_args!(
                        "to try again from here: ades resume {}",
                        path.display()
                    ));
                }
            }
        }
        if let Some(path) = self.path.filter(|_| result.is_ok()) {
            // It may never have been written: a signer that answers at once.
            let _ = std::fs::remove_file(path);
        }
        if let Some((sandbox, _)) = self.signer.sandbox {
            sandbox.shutdown().await;
        }
        result.map(|()| DONE)
    }
}

fn how_to_check(job: &Job, dir: &Path, say: &Say) {
    say.line("");
    say.line("SANDBOX: this is NOT a real signature and has no legal value.");
    if let Some(item) = job.items.first() {
        let detached = prepare::packaging(job.signature.packaging)
            .is_ok_and(|p| p == cades::Packaging::Detached);
        let content =
            if detached { format!(" -content {}", item.input.display()) } else { String::new() };
        say.line(format_args!(
            "check it: openssl cms -verify -cades -binary -inform DER -in {}{content} -CAfile {} \
             -purpose any -out /dev/null",
            item.output.display(),
            dir.join("root.pem").display(),
        ));
    }
}

fn items(options: &SignOptions, packaging: cades::Packaging) -> Result<Vec<JobItem>, Failure> {
    if options.inputs.len() > 1 && options.output.is_some() {
        return Err(Failure::usage("several files need --out-dir"));
    }
    let suffix = match packaging {
        cades::Packaging::Detached => "p7s",
        cades::Packaging::Enveloping => "p7m",
    };
    let mut items: Vec<JobItem> = Vec::new();
    for input in &options.inputs {
        if output::is_standard(input) {
            return Err(Failure::usage(
                "- cannot be signed here: the document is read again after the confirmation; \
                 use a file, or prepare and complete",
            ));
        }
        prepare::check_format(input, options.format)?;
        let output = match (&options.output, &options.out_dir) {
            (Some(output), _) => output.clone(),
            (None, Some(dir)) => {
                let name = input.file_name().unwrap_or_default().to_string_lossy().into_owned();
                dir.join(format!("{name}.{suffix}"))
            }
            (None, None) => return Err(Failure::usage("-o or --out-dir is needed")),
        };
        output::check_free(&output, options.force)?;
        let output = if output::is_standard(&output) { output } else { absolute(&output) };
        if items.iter().any(|item| item.output == output) {
            let message = format!("two files would become {}", output.display());
            return Err(Failure::usage(message));
        }
        // A file that is not there is better known before the user is asked.
        prepare::open(input)?;
        items.push(JobItem { input: absolute(input), output, pending: None });
    }
    Ok(items)
}

/// Where the job is stored: beside the output.
fn job_path(options: &SignOptions) -> Option<PathBuf> {
    match (&options.output, &options.out_dir) {
        (Some(output), _) if output::is_standard(output) => None,
        (Some(output), _) => {
            let mut name = output.clone().into_os_string();
            name.push(".pending");
            Some(absolute(Path::new(&name)))
        }
        (None, Some(dir)) => Some(absolute(&dir.join("ades.pending"))),
        (None, None) => None,
    }
}

fn sandbox_only(job: &Job) -> Result<(), Failure> {
    if job.auto_approve && job.signer != "sandbox" {
        return Err(Failure::usage("--auto-approve is for the sandbox only"));
    }
    Ok(())
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// `kind:path` with the path made absolute, so that resuming works from anywhere.
fn absolute_signer(signer: &str) -> String {
    match signer.split_once(':') {
        Some((kind, path)) => format!("{kind}:{}", absolute(Path::new(path)).display()),
        None => signer.to_owned(),
    }
}
