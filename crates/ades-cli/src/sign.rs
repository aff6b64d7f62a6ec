//! `ades sign` and `ades resume`: what they are asked for, and what they say
//! in the end. What happens in between is in [`crate::work`].

use std::path::{Path, PathBuf};

use crate::args::{ResumeOptions, SignOptions};
use crate::exit::{DONE, Failure};
use crate::format::{Asked, Format};
use crate::input::{self, absolute, is_standard};
use crate::job::{Job, JobFile, JobItem, SignerChoice, SignerKind, Stage, Stored, kept_input};
use crate::options::{Shape, Wishes};
use crate::output::{self, Say};
use crate::signers::Signer;
use crate::temporary::Temporary;
use crate::work::Work;

pub(crate) fn run(options: SignOptions, say: &Say) -> Result<u8, Failure> {
    let asked = Asked::of(&options.signature);
    let preview = options.signature.pdf.stamp.preview.clone();
    if let Some(preview) = &preview {
        if options.inputs.len() > 1 {
            return Err(Failure::usage("--preview: of one PDF at a time"));
        }
        output::check_free(preview, options.force)?;
    }
    let wishes = Wishes::new(options.signature)?;
    let signer = SignerChoice {
        kind: signer_kind(&options.signer)?,
        sandbox_dir: options.sandbox_dir.as_deref().map(absolute),
        sandbox_user: options.sandbox_user,
        auto_approve: options.auto_approve,
    };
    if signer.auto_approve && signer.kind != SignerKind::Sandbox {
        return Err(Failure::usage("--auto-approve is for the sandbox only"));
    }
    let place = match (options.output, options.out_dir) {
        (Some(output), None) => Place::File(output),
        (None, Some(dir)) => Place::Folder(dir),
        _ => return Err(Failure::usage("one of -o and --out-dir is needed")),
    };
    check_inputs(&options.inputs, &place, &wishes.shape)?;
    let job_path = place.job_path();
    if let Some(path) = job_path.as_ref().filter(|path| path.exists()) {
        JobFile::take(path.clone(), options.force)?;
    }
    if let Place::File(output) = &place {
        output::check_place(output, options.force)?;
    }
    // What is wrong with a file is better known before the user is asked.
    let mut spooled: Option<Temporary> = None;
    let mut sources = Vec::new();
    for input in &options.inputs {
        let path = if input::is_stream(input) {
            place.make_folder()?;
            let file = input::spool(input, job_path.as_deref().map(kept_input).as_deref())?;
            spooled.insert(file).path().to_owned()
        } else {
            input.clone()
        };
        let mut file = input::open(&path)?;
        let format = Format::choose(asked, &wishes, &mut file, input)?;
        sources.push(Source { input, path: absolute(&path), format });
    }
    let items = items(sources, &place, &wishes)?;
    let force = options.force;
    let all_free = || items.iter().try_for_each(|item| output::check_free(&item.output, force));
    all_free()?;
    place.make_folder()?;
    let file = job_path.map(|path| JobFile::take(path, force)).transpose()?;
    // Another process may have been quicker.
    all_free()?;
    let stage = Stage::Start;
    let job = Job { signer, wishes, policy: None, force, items, done: 0, stage };
    let stored = Stored::new(job, file, spooled, say);
    work(stored, false, options.password_env.as_deref(), preview, say)
}

pub(crate) fn resume(options: &ResumeOptions, say: &Say) -> Result<u8, Failure> {
    let mut stored = Stored::load(&options.pending, say)?;
    let job = &mut stored.job;
    job.force |= options.force;
    let stage = std::mem::replace(&mut job.stage, Stage::Start);
    let sandbox = job.signer.kind == SignerKind::Sandbox;
    job.stage = match stage {
        Stage::Asking(identity) if options.ask_again || sandbox => Stage::Identified(identity),
        Stage::Asking(_) => {
            return Err(Failure::service(
                "it is not known whether the signer got the request; the user may have been asked. \
                 --ask-again asks anew",
            ));
        }
        // A session that yields nothing usable, however often it is asked.
        Stage::Signing { identity, .. } if options.ask_again => Stage::Identified(identity),
        Stage::Identifying(_) if sandbox => {
            gone(say);
            Stage::Start
        }
        Stage::Signing { identity, .. } if sandbox => {
            gone(say);
            Stage::Identified(identity)
        }
        other => other,
    };
    work(stored, true, options.password_env.as_deref(), None, say)
}

fn gone(say: &Say) {
    say.line("the embedded sandbox's session ended with its process: asking anew");
}

fn work(
    stored: Stored<'_>,
    resumed: bool,
    password_env: Option<&str>,
    preview: Option<PathBuf>,
    say: &Say,
) -> Result<u8, Failure> {
    crate::sandbox::runtime()?.block_on(async {
        let signer = Signer::open(&stored.job.signer, password_env).await?;
        let mut work = Work::new(stored, resumed, signer, say).await.with_preview(preview);
        let result = work.run().await;
        let (mut stored, signer) = work.into_parts();
        match &result {
            Ok(()) => {
                for item in &stored.job.items {
                    say.line(format_args!("signed: {}", output::name(&item.output)));
                }
                if let Some((_, dir)) = &signer.sandbox {
                    how_to_check(&stored, dir, say);
                }
                stored.remove();
            }
            Err(failure) if failure.is_final() && stored.job.done == 0 => stored.remove(),
            Err(_) => {
                if let Some(path) = stored.file() {
                    let path = path.display();
                    say.line(format_args!("the job is kept: ades resume {path}, or remove it"));
                }
            }
        }
        signer.close().await;
        result.map(|()| DONE)
    })
}

fn how_to_check(stored: &Stored<'_>, dir: &Path, say: &Say) {
    let job = &stored.job;
    let root = quoted(&dir.join("root.pem"));
    output::loud("SANDBOX: this is NOT a real signature and has no legal value.");
    say.line(format_args!("its trust anchor: {root}"));
    let Some(item) = job.items.first() else { return };
    // What went through a pipe is where the other end put it.
    let piped_out = is_standard(&item.output);
    let output = if piped_out { "SIGNED".to_owned() } else { quoted(&item.output) };
    let input = if stored.is_from_standard_input(item) {
        "DOCUMENT".to_owned()
    } else {
        quoted(&item.input)
    };
    let command = match item.format {
        Format::Pades => format!("pdfsig -nocert {output}"),
        Format::Xades => format!(
            "xmlsec1 --verify --enabled-key-data x509 --trusted-pem {root} \
             --id-attr:Id http://uri.etsi.org/01903/v1.3.2#:SignedProperties \
             --id-attr:Id http://www.w3.org/2000/09/xmldsig#:Object {output}"
        ),
        Format::Cades => {
            let content = match &job.wishes.shape {
                Shape::New(cades::Packaging::Detached) => format!(" -content {input}"),
                _ => String::new(),
            };
            format!(
                "openssl cms -verify -cades -binary -inform DER -in {output}{content} \
                 -CAfile {root} -purpose any -out /dev/null"
            )
        }
    };
    say.line(format_args!("check it: {command}"));
}

/// A path as a POSIX shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:=@".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Where the results go.
enum Place {
    File(PathBuf),
    Folder(PathBuf),
}

impl Place {
    fn make_folder(&self) -> Result<(), Failure> {
        match self {
            Self::File(_) => Ok(()),
            Self::Folder(dir) => std::fs::create_dir_all(dir).map_err(|e| Failure::output(dir, &e)),
        }
    }

    /// Where the job is stored: beside the results.
    fn job_path(&self) -> Option<PathBuf> {
        match self {
            Self::File(output) if is_standard(output) => None,
            Self::File(output) => {
                let mut name = absolute(output).into_os_string();
                name.push(".pending");
                Some(name.into())
            }
            Self::Folder(dir) => Some(absolute(&dir.join("ades.pending"))),
        }
    }
}

fn check_inputs(inputs: &[PathBuf], place: &Place, shape: &Shape) -> Result<(), Failure> {
    if inputs.len() > 1 && matches!(place, Place::File(_)) {
        return Err(Failure::usage("several files need --out-dir"));
    }
    if inputs.len() > 1 && matches!(shape, Shape::Parallel(_)) {
        return Err(Failure::usage("--parallel adds to one container at a time"));
    }
    if inputs.iter().filter(|input| input::is_stream(input)).count() > 1 {
        return Err(Failure::usage("standard input, or one pipe, can be signed once"));
    }
    // It is read when the signature is prepared and when it is put in.
    if let Shape::Parallel(container) = shape
        && input::is_stream(container)
    {
        let name = input::name(container);
        return Err(Failure::usage(format!("--parallel {name}: a file is needed, not a pipe")));
    }
    Ok(())
}

/// A file to be signed.
struct Source<'a> {
    /// As it was named.
    input: &'a Path,
    /// Where it is.
    path: PathBuf,
    format: Format,
}

fn items(
    sources: Vec<Source<'_>>,
    place: &Place,
    wishes: &Wishes,
) -> Result<Vec<JobItem>, Failure> {
    let mut items: Vec<JobItem> = Vec::new();
    for Source { input, path, format } in sources {
        let output = match place {
            Place::File(output) => absolute(output),
            Place::Folder(dir) => absolute(&dir.join(format.output_name(wishes, input))),
        };
        if let Some(other) = items.iter().find(|item| item.output == output) {
            return Err(Failure::usage(format!(
                "{} and {} would both become {}",
                input::name(&other.input),
                input::name(input),
                output.display()
            )));
        }
        if path == output && !is_standard(&output) && matches!(wishes.shape, Shape::New(_)) {
            let message = format!("{}: would be overwritten by its signature", output.display());
            return Err(Failure::usage(message));
        }
        items.push(JobItem { format, input: path, output, digest: None, pending: None });
    }
    Ok(items)
}

/// `kind:path`, with the path made absolute so that resuming works from anywhere.
fn signer_kind(text: &str) -> Result<SignerKind, Failure> {
    match text.split_once(':') {
        None if text == "sandbox" => Ok(SignerKind::Sandbox),
        Some(("itsme", path)) => Ok(SignerKind::Itsme(absolute(Path::new(path)))),
        Some(("pkcs12", path)) => Ok(SignerKind::Pkcs12(absolute(Path::new(path)))),
        Some((kind @ ("csc" | "pkcs11"), _)) => {
            Err(Failure::usage(format!("--signer {kind}: this version cannot use it, not yet")))
        }
        _ => Err(Failure::usage("--signer: not one of sandbox, itsme:CONFIG.toml, pkcs12:FILE")),
    }
}
