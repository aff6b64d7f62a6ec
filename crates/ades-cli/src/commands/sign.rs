//! `ades sign`: checks the arguments and files, and starts a job. [`crate::signing`] runs it.

use std::path::{Path, PathBuf};

use ades::{Format, Operation, SigningOptions, verification_command};

use super::runtime;
use crate::args::SignArgs;
use crate::documents::Documents;
use crate::exit::{DONE, Failure};
use crate::input;
use crate::job::{Job, JobItem, Stage};
use crate::output::{self, Messages};
use crate::path_name::{self, absolute, is_standard, quoted};
use crate::request::{Request, ResolvedTerms};
use crate::signers::Signer;
use crate::signing::Signing;
use crate::stored_job::{JobFile, StoredJob, kept_input};
use crate::temporary::Temporary;

pub(crate) fn run(args: SignArgs, messages: &Messages) -> Result<u8, Failure> {
    let preview = args.signature.pdf.stamp.preview.clone();
    if let Some(preview) = &preview {
        if args.inputs.len() > 1 {
            return Err(Failure::usage("--preview: of one PDF at a time"));
        }
        output::check_free(preview, args.force)?;
    }
    let signer = args.signer()?;
    let request = args.signature.into_request()?;
    let destination = match (args.output, args.out_dir) {
        (Some(output), None) => Destination::File(output),
        (None, Some(dir)) => Destination::Folder(dir),
        _ => return Err(Failure::usage("one of -o and --out-dir is needed")),
    };
    check_inputs(&args.inputs, &destination, &request)?;
    let job_path = destination.job_path();
    if let Some(path) = job_path.as_ref().filter(|path| path.exists()) {
        JobFile::take(path.clone(), args.force)?;
    }
    if let Destination::File(output) = &destination {
        output::check_place(output, args.force)?;
    }
    // Every file is examined before the user is asked.
    let mut spooled: Option<Temporary> = None;
    let mut sources = Vec::new();
    let password = request.password()?;
    for input in &args.inputs {
        let path = if input::is_stream(input) {
            destination.make_folder()?;
            let file = input::spool(input, job_path.as_deref().map(kept_input).as_deref())?;
            spooled.insert(file).path().to_owned()
        } else {
            input.clone()
        };
        let container = request.container.as_deref();
        let mut documents = Documents::open(&path, container, password.as_deref())?.named(input);
        let format = documents.choose_format(&request.options, input)?;
        sources.push(Source { input, path: absolute(&path), format });
    }
    let items = items(sources, &destination, &request)?;
    let force = args.force;
    let check_outputs =
        || items.iter().try_for_each(|item| output::check_free(&item.output, force));
    check_outputs()?;
    destination.make_folder()?;
    let file = job_path.map(|path| JobFile::take(path, force)).transpose()?;
    // Another process may have written an output before this one took the lock.
    check_outputs()?;
    let (terms, stage) = (ResolvedTerms::default(), Stage::Start);
    let job = Job { signer, request, terms, force, items, done: 0, stage };
    let stored = StoredJob::new(job, file, spooled, messages);
    run_job(stored, false, args.password_env.as_deref(), preview, messages)
}

/// Runs a new or resumed job.
pub(super) fn run_job(
    stored: StoredJob<'_>,
    resumed: bool,
    password_env: Option<&str>,
    preview: Option<PathBuf>,
    messages: &Messages,
) -> Result<u8, Failure> {
    runtime()?.block_on(async {
        let signer = Signer::open(&stored.job.signer, password_env).await?;
        let signing = Signing::new(stored, resumed, signer, messages).await;
        let mut signing = signing.with_preview(preview);
        let result = signing.run().await;
        let (mut stored, signer) = signing.into_parts();
        match &result {
            Ok(()) => {
                for item in &stored.job.items {
                    messages.print(format_args!("signed: {}", path_name::of_output(&item.output)));
                }
                if let Some((_, dir)) = &signer.sandbox {
                    print_sandbox_notice(&stored, dir, messages);
                }
                stored.remove();
            }
            Err(failure) if failure.is_final() && stored.job.done == 0 => stored.remove(),
            Err(_) => {
                if let Some(path) = stored.file() {
                    let path = path.display();
                    messages.print(format_args!(
                        "the job is kept: ades resume {path} continues it; or remove the file"
                    ));
                }
            }
        }
        signer.close().await;
        result.map(|()| DONE)
    })
}

/// Prints that the sandbox's signatures have no legal value, and how to check the first one.
fn print_sandbox_notice(stored: &StoredJob<'_>, dir: &Path, messages: &Messages) {
    let root = quoted(&dir.join("root.pem"));
    output::print_always("SANDBOX: this is NOT a real signature and has no legal value.");
    messages.print(format_args!("its trust anchor: {root}"));
    let job = &stored.job;
    let Some(item) = job.items.first() else { return };
    // Files at the other ends of pipes have no known names: print placeholders.
    let signed = if is_standard(&item.output) { "SIGNED".to_owned() } else { quoted(&item.output) };
    let original = if stored.is_from_standard_input(item) {
        "DOCUMENT".to_owned()
    } else {
        quoted(&item.input)
    };
    let original = job.request.options.is_detached(item.format).then_some(original);
    let command = verification_command(item.format, &signed, original.as_deref(), &root);
    messages.print(format_args!("check it: {command}"));
}

/// The place of the results.
enum Destination {
    File(PathBuf),
    Folder(PathBuf),
}

impl Destination {
    fn make_folder(&self) -> Result<(), Failure> {
        match self {
            Self::File(_) => Ok(()),
            Self::Folder(dir) => std::fs::create_dir_all(dir).map_err(|e| Failure::output(dir, &e)),
        }
    }

    /// The job's file, beside the results.
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

fn check_inputs(
    inputs: &[PathBuf],
    destination: &Destination,
    request: &Request,
) -> Result<(), Failure> {
    if inputs.len() > 1 && matches!(destination, Destination::File(_)) {
        return Err(Failure::usage("several files need --out-dir"));
    }
    if inputs.len() > 1 && request.is_parallel() {
        return Err(Failure::usage("--parallel adds to one container at a time"));
    }
    if inputs.iter().filter(|input| input::is_stream(input)).count() > 1 {
        return Err(Failure::usage("standard input, or a pipe, can be signed only once"));
    }
    // The container is read when the signature is prepared and again when it is completed.
    if let Some(container) = &request.container
        && input::is_stream(container)
    {
        let name = path_name::of_input(container);
        return Err(Failure::usage(format!("--parallel {name}: a file is needed, not a pipe")));
    }
    Ok(())
}

/// A file to be signed.
struct Source<'a> {
    /// The path that the user gave
    input: &'a Path,
    /// The file that is read
    path: PathBuf,
    format: Format,
}

fn items(
    sources: Vec<Source<'_>>,
    destination: &Destination,
    request: &Request,
) -> Result<Vec<JobItem>, Failure> {
    let mut items: Vec<JobItem> = Vec::new();
    for Source { input, path, format } in sources {
        let output = match destination {
            Destination::File(output) => absolute(output),
            Destination::Folder(dir) => {
                let named = request.container.as_deref().unwrap_or(input);
                absolute(&dir.join(output_name(&request.options, format, named)))
            }
        };
        if let Some(other) = items.iter().find(|item| item.output == output) {
            return Err(Failure::usage(format!(
                "{} and {} would both become {}",
                path_name::of_input(&other.input),
                path_name::of_input(input),
                output.display()
            )));
        }
        let replaces = request.options.operation == Operation::Sign;
        if path == output && !is_standard(&output) && replaces {
            let message = format!("{}: would be overwritten by its signature", output.display());
            return Err(Failure::usage(message));
        }
        items.push(JobItem { format, input: path, output, digest: None, pending: None });
    }
    Ok(items)
}

/// The file name of the result in a folder of results.
fn output_name(options: &SigningOptions, format: Format, input: &Path) -> PathBuf {
    let suffix = options.suffix(format);
    let mut name = match (input.file_name(), suffix, format.document_extension()) {
        (Some(name), ..) if !is_standard(input) => name.to_owned(),
        // A signature inside its document keeps the document's extension.
        (_, None, Some(extension)) => format!("stdin.{extension}").into(),
        _ => "stdin".into(),
    };
    name.push(suffix.unwrap_or_default());
    name.into()
}
