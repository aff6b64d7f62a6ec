//! `ades resume`: continues an interrupted job.

use ades_session::store::Stage;
use ades_session::{Next, Status};

use super::sign::{Again, Begin, RemoteSigning, raise_signed};
use crate::args::ResumeArgs;
use crate::conversation::unknown_outcome;
use crate::exit::Failure;
use crate::job::SignerKind;
use crate::outcome::Outcome;
use crate::output::Messages;
use crate::path_name::is_standard;
use crate::raise;
use crate::remote::RemoteJob;
use crate::stored_job::JobFile;

pub(crate) fn run(args: &ResumeArgs, messages: &Messages) -> Result<u8, Failure> {
    let mut outcome = Outcome::default();
    let result = resume(args, messages, &mut outcome);
    if !args.json {
        return result;
    }
    let printed = outcome.print(result.as_ref().err());
    result.and_then(|status| printed.map(|()| status))
}

fn resume(args: &ResumeArgs, messages: &Messages, outcome: &mut Outcome) -> Result<u8, Failure> {
    let (file, mut job) = JobFile::load(&args.pending)?;
    outcome.pending = Some(file.path().to_owned());
    if args.json && job.items.iter().any(|item| is_standard(&item.output)) {
        return Err(Failure::usage("--json: the container goes to standard output already"));
    }
    let is_key_file = matches!(job.signer.kind, SignerKind::Pkcs12(_));
    if let Some(option) = args.key_file.given().filter(|_| !is_key_file) {
        return Err(Failure::usage(format!(
            "{option} does not concern the signer of this job: it is for key files",
        )));
    }
    if args.open && is_key_file {
        return Err(Failure::usage(
            "--open does not concern the signer of this job: it has no pages for the user",
        ));
    }
    // Signing with a key file stores a job only when all files are signed.
    let raising = raise::begun(file.path()).or(is_key_file.then_some(None));
    if let Some(port) = raising {
        return raise_signed(&file, &job, port, messages, outcome);
    }
    job.force |= args.force;
    let sandbox = job.signer.kind == SignerKind::Sandbox;
    let (remote, row, status) = RemoteJob::stored(file, job, *messages)?;
    let again = again(args, &status, sandbox, messages)?;
    let begin = Begin::Stored { row: Box::new(row), page: status.page, again };
    RemoteSigning { remote, begin, open: args.open, key_file: &args.key_file }
        .run(messages, outcome)
}

/// Whether the user is asked again, in place of a session that is given up or has ended.
fn again(
    args: &ResumeArgs,
    status: &Status,
    sandbox: bool,
    messages: &Messages,
) -> Result<Option<Again>, Failure> {
    let is_open = matches!(status.stage, Stage::Identifying | Stage::Signing);
    Ok(match status.stage {
        // Values that are here are not asked for again.
        Stage::Values => None,
        stage if stage.is_final() => None,
        _ if args.identify_again => Some(Again::Identify),
        Stage::Asking if args.ask_again || sandbox => Some(Again::Ask),
        Stage::Asking => return Err(unknown_outcome()),
        _ if is_open && args.ask_again => Some(Again::Ask),
        _ if is_open && sandbox => {
            messages.print("the embedded sandbox's session ended with its process: asking again");
            Some(Again::Ask)
        }
        _ if is_open => None,
        // The session has no usable result, or nobody was asked.
        _ if matches!(status.next, Next::Stopped(_)) => Some(Again::Ask),
        _ => None,
    })
}
