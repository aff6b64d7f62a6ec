//! `ades sign`: checks the arguments and files, and starts a job. [`crate::signing`] runs it.

use std::path::{Path, PathBuf};

use ades::{Format, Operation, verification_command};

use tokio::task::block_in_place;
use url::Url;

use super::runtime;
use crate::args::{Concerned, Given, KeyFileArgs, SignArgs};
use crate::destination::Destination;
use crate::documents::{Documents, note_empty};
use crate::exit::{DONE, Failure};
use crate::input;
use crate::job::{Job, JobItem, SignerKind, Stage};
use crate::outcome::{Outcome, SignedFile};
use crate::output::{self, Messages};
use crate::path_name::{self, absolute, is_standard, quoted};
use crate::raise;
use crate::request::{Request, ResolvedTerms};
use crate::return_page::Ending;
use crate::signers::Signer;
use crate::signing::Signing;
use crate::stored_job::{JobFile, StoredJob, kept_input};
use crate::temporary::Temporary;

pub(crate) fn run(args: SignArgs, given: &Given, messages: &Messages) -> Result<u8, Failure> {
    let json = args.json;
    let mut outcome = Outcome::default();
    let result = start(args, given, messages, &mut outcome);
    if !json {
        return result;
    }
    let printed = outcome.print(result.as_ref().err());
    result.and_then(|status| printed.map(|()| status))
}

fn start(
    args: SignArgs,
    given: &Given,
    messages: &Messages,
    outcome: &mut Outcome,
) -> Result<u8, Failure> {
    let preview = args.signature.pdf.stamp.preview.clone();
    if let Some(preview) = &preview {
        if args.inputs.len() > 1 {
            return Err(Failure::usage("--preview: of one PDF at a time"));
        }
        output::check_place(preview, args.force)?;
    }
    let signer = args.signer()?;
    let raise = args.signature.raise(&args.trust, &args.fetch)?;
    let mut request = Request { raise, ..args.signature.into_request()? };
    let needs_service = request.raise.as_ref().is_some_and(|raise| raise.authorities.is_empty());
    if needs_service && signer.kind != SignerKind::Sandbox {
        return Err(Failure::usage("--level t, lt, lta: --tsa names a time-stamping service"));
    }
    let mut destination = Destination::new(args.output, args.out_dir);
    if args.together {
        check_together(&args.inputs, &mut request)?;
    } else if let Destination::File(_) = &destination
        && args.inputs.len() > 1
    {
        return Err(Failure::usage(
            "-o names one container, and there are several files: --out-dir names a folder, or \
             --together makes one detached XAdES signature over all",
        ));
    }
    check_inputs(&args.inputs, &destination, &request, args.json)?;
    if request.raise.is_some() && matches!(&destination, Destination::File(out) if is_standard(out))
    {
        return Err(Failure::usage("--level t, lt, lta: -o - is standard output; name a file"));
    }
    if let Some(path) = destination.job_path().filter(|path| path.exists()) {
        JobFile::take(path, args.force)?;
    }
    destination.check(args.force)?;
    // Every file is examined before the user is asked.
    let (sources, spooled) = examine(&args.inputs, &request, &mut destination, messages)?;
    let named = |source: &Source<'_>| (path_name::of_input(source.input), source.format);
    let inputs = sources.iter().map(named).collect();
    let concerned = Concerned { options: &request.options, signer: Some(&signer.kind), inputs };
    concerned.check(given, messages)?;
    let items = match args.together {
        true => vec![item_of_all(sources, &destination, &request)?],
        false => items(sources, &destination, &request)?,
    };
    let force = args.force;
    let check_outputs = || {
        items.iter().try_for_each(|item| {
            output::check_terminal(&item.output, item.format)?;
            output::check_free(&item.output, force)
        })
    };
    check_outputs()?;
    destination.make_folder()?;
    destination.settle(&items);
    let file = destination.job_path().map(|path| JobFile::take(path, force)).transpose()?;
    // Another process may have written an output before this one took the lock.
    check_outputs()?;
    let (terms, stage) = (ResolvedTerms::default(), Stage::Start);
    let job = Job { signer, request, terms, force, items, done: 0, stage, since: None };
    let stored = StoredJob::new(job, file, spooled, messages);
    let how = Run { resumed: false, key_file: &args.key_file, preview, open: args.open };
    run_job(stored, how, messages, outcome)
}

/// How a job is run.
pub(super) struct Run<'a> {
    pub(super) resumed: bool,
    pub(super) key_file: &'a KeyFileArgs,
    pub(super) preview: Option<PathBuf>,
    /// Whether the signer's pages are opened in the browser
    pub(super) open: bool,
}

/// Opens each input and chooses its format. Standard input, or a pipe, is copied.
fn examine<'i>(
    inputs: &'i [PathBuf],
    request: &Request,
    destination: &mut Destination,
    messages: &Messages,
) -> Result<(Vec<Source<'i>>, Option<Temporary>), Failure> {
    let mut spooled: Option<Temporary> = None;
    let mut sources = Vec::new();
    let unlock = request.unlock()?;
    for input in inputs {
        let path = if input::is_stream(input) {
            destination.make_folder()?;
            let beside = destination.job_path().map(|job| kept_input(&job));
            let file = input::spool(input, beside.as_deref())?;
            spooled.insert(file).path().to_owned()
        } else {
            input.clone()
        };
        let container = request.container.as_deref();
        let mut documents = Documents::open(&path, container, &unlock)?.named(input);
        let format = documents.choose_format(&request.options, input)?;
        note_empty(&path, input, messages);
        sources.push(Source { input, path: absolute(&path), format });
    }
    Ok((sources, spooled))
}

/// Runs a new or resumed job.
pub(super) fn run_job(
    stored: StoredJob<'_>,
    how: Run<'_>,
    messages: &Messages,
    outcome: &mut Outcome,
) -> Result<u8, Failure> {
    if let Some(port) = stored.file().filter(|_| how.resumed).and_then(raise::begun) {
        return raise_signed(stored, port, messages, outcome);
    }
    runtime()?.block_on(async {
        let mut stored = stored;
        let signer = Signer::open(&stored.job.signer, how.key_file, messages).await?;
        let own_service = signer.sandbox.as_ref().map(|(own, _)| own.time_stamping_url());
        outcome.sandbox = signer.sandbox.is_some();
        if matches!(stored.job.stage, Stage::Start) {
            let own = own_service.as_deref();
            block_in_place(|| raise::reserve_room(&mut stored.job, own, messages));
        }
        let signing = Signing::new(stored, how.resumed, signer, how.open, messages).await;
        let mut signing = signing.with_preview(how.preview);
        let result = signing.run().await;
        outcome.signed = signing.signed();
        let sandbox_dir = signing.sandbox_dir().map(ToOwned::to_owned);
        let stored = signing.stored();
        let mut status = DONE;
        match &result {
            Ok(()) => {
                if stored.job.request.raise.is_some() {
                    let service = own_service.as_deref().and_then(|url| Url::parse(url).ok());
                    begin_raising(stored, service.and_then(|url| url.port()), messages);
                }
                // A level that is not reached is not a failure of signing: the containers are there.
                status = raise::raise_all(&stored.job, own_service.as_deref(), outcome, messages);
                for item in &stored.job.items {
                    messages.print(format_args!("signed: {}", path_name::of_output(&item.output)));
                }
                if let Some(dir) = &sandbox_dir {
                    print_sandbox_notice(stored, dir, messages);
                }
                let file = stored.file().map(Path::to_owned);
                stored.remove();
                raise::finish(file.as_deref(), &stored.job);
            }
            Err(failure) if failure.is_final && stored.job.done == 0 => stored.remove(),
            Err(_) => {
                if let Some(path) = stored.file() {
                    let path = quoted(path);
                    messages.print(format_args!(
                        "the job is kept: ades resume {path} continues it; or remove the file"
                    ));
                }
            }
        }
        outcome.pending = stored.file().map(Path::to_owned);
        signing.finish(Ending::of(&result)).await;
        result.map(|()| status)
    })
}

/// Makes the job one that resuming raises, without asking the signer again.
fn begin_raising(stored: &mut StoredJob<'_>, port: Option<u16>, messages: &Messages) {
    // A job that nobody was asked about has no file yet.
    let saved = if stored.file().is_none() { stored.save() } else { Ok(()) };
    let begun = saved.and_then(|()| stored.file().map_or(Ok(()), |file| raise::begin(file, port)));
    if let Err(failure) = begun {
        messages.print(format_args!(
            "an interruption would need ades extend, not ades resume: {failure}"
        ));
    }
}

/// Raises the containers of a job whose files are all signed: an earlier process was interrupted
/// while it raised them.
fn raise_signed(
    mut stored: StoredJob<'_>,
    port: Option<u16>,
    messages: &Messages,
    outcome: &mut Outcome,
) -> Result<u8, Failure> {
    runtime()?.block_on(async {
        // Only the embedded sandbox has services of its own.
        let signer = match &stored.job.signer.kind {
            SignerKind::Sandbox => Some(Signer::sandbox(&stored.job.signer, port, messages).await?),
            SignerKind::Itsme(_) | SignerKind::Pkcs12(_) => None,
        };
        let sandbox = signer.as_ref().and_then(|signer| signer.sandbox.as_ref());
        let own_service = sandbox.map(|(own, _)| own.time_stamping_url());
        outcome.sandbox = sandbox.is_some();
        let signed = |item: &JobItem| SignedFile {
            input: match stored.is_from_standard_input(item) {
                true => PathBuf::from("-"),
                false => item.input.clone(),
            },
            together: item.together.clone(),
            output: item.output.clone(),
            format: item.format,
            signer: None,
            warnings: Vec::new(),
            level: "B-B".to_owned(),
        };
        outcome.signed = stored.job.items.iter().map(signed).collect();
        let status = raise::raise_all(&stored.job, own_service.as_deref(), outcome, messages);
        for item in &stored.job.items {
            messages.print(format_args!("signed: {}", path_name::of_output(&item.output)));
        }
        let file = stored.file().map(Path::to_owned);
        stored.remove();
        raise::finish(file.as_deref(), &stored.job);
        if let Some(signer) = signer {
            signer.close().await;
        }
        Ok(status)
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

fn check_inputs(
    inputs: &[PathBuf],
    destination: &Destination,
    request: &Request,
    json: bool,
) -> Result<(), Failure> {
    match destination {
        Destination::File(output) if json && is_standard(output) => {
            return Err(Failure::usage("--json and -o - both need standard output"));
        }
        Destination::Beside(_) => {
            let container = request.container.iter();
            if let Some(stream) = inputs.iter().chain(container).find(|path| input::is_stream(path))
            {
                return Err(Failure::usage(format!(
                    "{}: has no name for its container: -o OUT names it, -o - is standard output",
                    path_name::of_input(stream)
                )));
            }
        }
        _ => {}
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
        let named = request.container.as_deref().unwrap_or(input);
        let output = destination.output(&request.options, format, named);
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
        let together = Vec::new();
        items.push(JobItem {
            format,
            input: path,
            together,
            output,
            digest: None,
            pending: None,
            value_digest: None,
        });
    }
    Ok(items)
}

/// Checks that one signature can sign all inputs, and chooses its format.
fn check_together(inputs: &[PathBuf], request: &mut Request) -> Result<(), Failure> {
    if !request.options.choose_format_for_several_documents() {
        return Err(Failure::usage(
            "--together: only a detached XAdES signature signs several files: --packaging detached",
        ));
    }
    match inputs.iter().find(|input| input::is_stream(input)) {
        Some(stream) => Err(Failure::usage(format!(
            "--together: {} has no name by which the signature could refer to it",
            path_name::of_input(stream)
        ))),
        None => Ok(()),
    }
}

/// One signature over all inputs.
fn item_of_all(
    mut sources: Vec<Source<'_>>,
    destination: &Destination,
    request: &Request,
) -> Result<JobItem, Failure> {
    let more: Vec<PathBuf> = sources.drain(1..).map(|source| source.path).collect();
    let mut items = items(sources, destination, request)?;
    let mut item = items.pop().ok_or_else(|| Failure::usage("a file to sign is needed"))?;
    if more.contains(&item.output) {
        let output = item.output.display();
        return Err(Failure::usage(format!("{output}: would be overwritten by its signature")));
    }
    item.together = more;
    Ok(item)
}
