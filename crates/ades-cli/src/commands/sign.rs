//! `ades sign`: checks the arguments and files, and signs: with a key file at once
//! ([`crate::signing`]), with a remote signer as a job ([`crate::remote`]).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ades::{Format, Level, Operation, verification_command};
use ades_session as session;
use ades_session::Driver;
use ades_session::store::{JobId, JobRow, Stage};
use tokio::task::block_in_place;
use url::Url;

use super::runtime;
use crate::args::{Concerned, Given, KeyFileArgs, SignArgs};
use crate::browser::Guide;
use crate::conversation::Conversation;
use crate::destination::Destination;
use crate::documents::{Documents, note_empty};
use crate::exit::{DONE, Failure};
use crate::input;
use crate::job::{JOB, Job, JobItem, SignerKind};
use crate::outcome::{Outcome, SignedFile};
use crate::output::{self, Existing, Messages};
use crate::path_name::{self, absolute, is_same_file, is_standard, quoted};
use crate::raise;
use crate::remote::RemoteJob;
use crate::request::{Request, ResolvedTerms};
use crate::return_page::{Ending, LastPage, ReturnPage};
use crate::signers::Signer;
use crate::signing::Signing;
use crate::stored_job::{JobFile, kept_input};
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
        output::check_apart(preview, &args.inputs)?;
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
    let stage = Stage::Start.name().to_owned();
    let job = Job { signer, request, force, items, stage, since: None, session: None };
    if let SignerKind::Pkcs12(_) = job.signer.kind {
        if let Some(file) = &file {
            file.sweep(&job.items);
        }
        let how = KeyFileSigning { job, file, spooled, preview, key_file: &args.key_file };
        return how.run(messages, outcome);
    }
    let remote = RemoteJob::new(job, file, spooled, preview, *messages)?;
    let begin = Begin::New;
    RemoteSigning { remote, begin, open: args.open, key_file: &args.key_file }
        .run(messages, outcome)
}

/// A signing with a key file.
struct KeyFileSigning<'a> {
    job: Job,
    file: Option<JobFile>,
    spooled: Option<Temporary>,
    preview: Option<PathBuf>,
    key_file: &'a KeyFileArgs,
}

impl KeyFileSigning<'_> {
    fn run(self, messages: &Messages, outcome: &mut Outcome) -> Result<u8, Failure> {
        let Self { mut job, file, mut spooled, preview, key_file } = self;
        let standard_input = spooled.as_ref().map(|spooled| absolute(spooled.path()));
        runtime()?.block_on(async {
            let signer = Signer::open(&job.signer, key_file, messages).await?;
            block_in_place(|| raise::reserve_room(&mut job, None, messages));
            let terms = resolve(&signer, &job.request).await?;
            let mut signing = Signing::new(&job, &terms, signer.remote(), preview, *messages)?;
            let result = signing.run().await;
            outcome.signed = signing.signed(standard_input.as_deref());
            result?;
            let written = signing.into_written();
            written.into_iter().for_each(|(no, value)| job.note_written(no, value));
            if let Some(file) = file.as_ref().filter(|_| job.request.raise.is_some()) {
                let existing = Existing::forced(job.force);
                let stored = file.keep_signed(&mut job, spooled.take(), existing, messages);
                begin_raising(stored.map(|()| Some(file.path())), None, messages);
            }
            let status = raise::raise_all(&job, None, outcome, messages);
            print_signed(&job, messages);
            // Its own, or an earlier job that `--force` drops.
            if let Some(file) = file.filter(|_| job.force || job.request.raise.is_some()) {
                file.remove();
                raise::finish(Some(file.path()), &job);
            } else {
                raise::finish(None, &job);
            }
            Ok(status)
        })
    }
}

/// How a job with a remote signer begins.
pub(super) enum Begin {
    New,
    /// A stored job: its row, the page of its session, and whether the user is asked again
    Stored {
        row: Box<JobRow>,
        page: Option<String>,
        again: Option<Again>,
    },
}

/// A new session, in place of one that is given up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    Ask,
    Identify,
}

/// A signing with a remote signer.
pub(super) struct RemoteSigning<'a> {
    pub(super) remote: RemoteJob,
    pub(super) begin: Begin,
    /// Whether the signer's pages are opened in the browser
    pub(super) open: bool,
    pub(super) key_file: &'a KeyFileArgs,
}

impl RemoteSigning<'_> {
    pub(super) fn run(self, messages: &Messages, outcome: &mut Outcome) -> Result<u8, Failure> {
        let Self { mut remote, begin, open, key_file } = self;
        runtime()?.block_on(async {
            let signer = Signer::open(&remote.job().signer, key_file, messages).await?;
            let own_service = signer.sandbox.as_ref().map(|(own, _)| own.time_stamping_url());
            if matches!(begin, Begin::New) {
                let own = own_service.as_deref();
                block_in_place(|| raise::reserve_room(remote.job_mut(), own, messages));
            }
            let remote = Arc::new(remote);
            let job = remote.job();
            outcome.sandbox = signer.sandbox.is_some();
            let language = job.request.language.unwrap_or(signer.language);
            let mut return_page = match &signer.return_to {
                Some(url) => ReturnPage::listen(url, language, *messages).await,
                None => None,
            };
            let unattended = job.signer.auto_approve;
            let guide = Guide { unattended, open, messages: *messages };
            let talk = Talk { remote: &remote, signer: &signer, guide };
            let result = talk.run(begin, return_page.as_mut(), outcome).await;
            let mut status = DONE;
            match &result {
                Ok(()) => {
                    if job.request.raise.is_some() {
                        let service = own_service.as_deref().and_then(|url| Url::parse(url).ok());
                        let port = service.and_then(|url| url.port());
                        begin_raising(Ok(remote.file()), port, messages);
                    }
                    // A level that is not reached is not a failure of signing: the containers are
                    // there.
                    let written = remote.written_job();
                    status = raise::raise_all(&written, own_service.as_deref(), outcome, messages);
                    print_signed(job, messages);
                    if let Some((_, dir)) = &signer.sandbox {
                        print_sandbox_notice(&remote, dir, messages);
                    }
                    let file = remote.file().map(Path::to_owned);
                    remote.remove();
                    raise::finish(file.as_deref(), job);
                }
                Err(failure)
                    if failure.is_final && (outcome.signed.is_empty() || remote.is_over()) =>
                {
                    remote.remove();
                }
                Err(_) => {
                    if let Some(path) = remote.file() {
                        let path = quoted(path);
                        messages.print(format_args!(
                            "the job is kept: ades resume {path} continues it; or remove the file"
                        ));
                    }
                }
            }
            outcome.pending = remote.file().map(Path::to_owned);
            if let Some(return_page) = return_page {
                let (ending, files) = (Ending::of(&result), job.items.len());
                let last = LastPage { ending, signed: outcome.signed.len(), files };
                return_page.finish(last).await;
            }
            signer.close().await;
            result.map(|()| status)
        })
    }
}

/// The conversation with the user about a job.
struct Talk<'a> {
    remote: &'a Arc<RemoteJob>,
    signer: &'a Signer,
    guide: Guide,
}

impl Talk<'_> {
    /// Runs the job to its end, and tells which containers are written, whatever the end is.
    async fn run(
        self,
        begin: Begin,
        return_page: Option<&mut ReturnPage>,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let Self { remote, signer, guide } = self;
        if let Some(page) = &return_page {
            remote.set_trips(page.trips.clone());
        }
        let (row, stored) = match begin {
            Begin::New => (None, None),
            Begin::Stored { row, page, again } => (Some(*row), Some((page, again))),
        };
        let driver = remote.driver(signer.remote(), row)?;
        let (driver, job) = (&driver, remote.as_ref());
        let mut talk = Conversation { driver, id: JOB, job, return_page, guide };
        let result = match stored {
            None => match begin_new(driver, remote, signer).await {
                Ok((id, first)) => {
                    talk.id = id;
                    talk.finish(talk.after(first)).await
                }
                Err(failure) => Err(failure),
            },
            Some((page, again)) => {
                signer.learn_languages().await;
                match again {
                    None => talk.take_up(page).await,
                    Some(again) => talk.ask_again(again).await,
                }
            }
        };
        let items = driver.status(talk.id, None).await.ok().flatten();
        outcome.signed = remote.signed(&items.map(|status| status.items).unwrap_or_default());
        result
    }
}

/// Begins a job: everything that can be checked is checked before the user is asked.
async fn begin_new(
    driver: &Driver,
    remote: &RemoteJob,
    signer: &Signer,
) -> Result<(JobId, Result<session::Outcome, session::Error>), Failure> {
    let terms = resolve(signer, &remote.job().request).await?;
    let languages = signer.remote().capabilities().languages;
    Ok(match driver.begin(remote.signing_job(&terms, &languages)?, None).await {
        Ok(begun) => {
            let (job, next) = (begun.job, begun.next);
            (job, Ok(session::Outcome::Next { job, next }))
        }
        Err(error) => (JOB, Err(error)),
    })
}

/// Policy and commitment, as the signer has them.
async fn resolve(signer: &Signer, request: &Request) -> Result<ResolvedTerms, Failure> {
    let terms = signer.resolve(request).await?;
    let has_terms = terms.policy.is_some() || terms.commitment.is_some();
    if request.options.pdf.reason.is_some() && has_terms {
        return Err(Failure::usage(
            "--reason: not with the policy or commitment of the signer's configuration",
        ));
    }
    Ok(terms)
}

fn print_signed(job: &Job, messages: &Messages) {
    for item in &job.items {
        messages.print(format_args!("signed: {}", path_name::of_output(&item.output)));
    }
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

/// Makes a job one that resuming raises, without asking the signer again.
fn begin_raising(stored: Result<Option<&Path>, Failure>, port: Option<u16>, messages: &Messages) {
    let begun = stored.and_then(|file| file.map_or(Ok(()), |file| raise::begin(file, port)));
    if let Err(failure) = begun {
        messages.print(format_args!(
            "an interruption would need ades extend, not ades resume: {failure}"
        ));
    }
}

/// Raises the containers of a job whose files are all signed: an earlier process was interrupted
/// while it raised them.
pub(super) fn raise_signed(
    file: &JobFile,
    job: &Job,
    port: Option<u16>,
    messages: &Messages,
    outcome: &mut Outcome,
) -> Result<u8, Failure> {
    runtime()?.block_on(async {
        // Only the embedded sandbox has services of its own.
        let signer = match &job.signer.kind {
            SignerKind::Sandbox => Some(Signer::sandbox(&job.signer, port, messages).await?),
            SignerKind::Itsme(_) | SignerKind::Pkcs12(_) => None,
        };
        let sandbox = signer.as_ref().and_then(|signer| signer.sandbox.as_ref());
        let own_service = sandbox.map(|(own, _)| own.time_stamping_url());
        outcome.sandbox = sandbox.is_some();
        let kept = kept_input(file.path());
        let signed = |item: &JobItem| SignedFile {
            input: if item.input == kept { PathBuf::from("-") } else { item.input.clone() },
            together: item.together.clone(),
            output: item.output.clone(),
            format: item.format,
            signer: None,
            warnings: Vec::new(),
            level: Level::B,
        };
        outcome.signed = job.items.iter().map(signed).collect();
        let status = raise::raise_all(job, own_service.as_deref(), outcome, messages);
        print_signed(job, messages);
        outcome.pending = None;
        file.remove();
        raise::finish(Some(file.path()), job);
        if let Some(signer) = signer {
            signer.close().await;
        }
        Ok(status)
    })
}

/// Prints that the sandbox's signatures have no legal value, and how to check the first one.
fn print_sandbox_notice(remote: &RemoteJob, dir: &Path, messages: &Messages) {
    let root = quoted(&dir.join("root.pem"));
    output::print_always("SANDBOX: this is NOT a real signature and has no legal value.");
    messages.print(format_args!("its trust anchor: {root}"));
    let job = remote.job();
    let Some(item) = job.items.first() else { return };
    // Files at the other ends of pipes have no known names: print placeholders.
    let signed = if is_standard(&item.output) { "SIGNED".to_owned() } else { quoted(&item.output) };
    let original = if remote.is_from_standard_input(item) {
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
        Destination::File(output) => output::check_apart(output, kept(inputs, request))?,
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

/// The inputs that no output may overwrite. A container may be replaced by itself with one more
/// signature.
fn kept<'a>(
    inputs: &'a [PathBuf],
    request: &'a Request,
) -> impl Iterator<Item = &'a PathBuf> + use<'a> {
    let grows = |input: &PathBuf| match &request.container {
        Some(container) => is_same_file(container, input),
        None => request.options.operation != Operation::Sign,
    };
    inputs.iter().filter(move |input| !grows(input))
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
    let paths: Vec<PathBuf> = sources.iter().map(|source| source.path.clone()).collect();
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
        output::check_apart(&output, kept(&paths, request))?;
        let together = Vec::new();
        items.push(JobItem { format, input: path, together, output, value_digest: None });
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
    output::check_apart(&item.output, &more)?;
    item.together = more;
    Ok(item)
}
