//! `ades resume`: continues an interrupted job.

use std::path::Path;

use super::sign::{Run, run_job};
use crate::args::ResumeArgs;
use crate::exit::Failure;
use crate::job::{SignerKind, Stage};
use crate::outcome::Outcome;
use crate::output::Messages;
use crate::path_name::is_standard;
use crate::stored_job::StoredJob;

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
    let mut stored = StoredJob::load(&args.pending, messages)?;
    outcome.pending = stored.file().map(Path::to_owned);
    let job = &mut stored.job;
    if args.json && job.items.iter().any(|item| is_standard(&item.output)) {
        return Err(Failure::usage("--json: the container goes to standard output already"));
    }
    if let Some(option) = args.key_file.given()
        && !matches!(job.signer.kind, SignerKind::Pkcs12(_))
    {
        return Err(Failure::usage(format!(
            "{option} does not concern the signer of this job: it is for key files",
        )));
    }
    if args.open && matches!(job.signer.kind, SignerKind::Pkcs12(_)) {
        return Err(Failure::usage(
            "--open does not concern the signer of this job: it has no pages for the user",
        ));
    }
    job.force |= args.force;
    let stage = std::mem::replace(&mut job.stage, Stage::Start);
    let sandbox = job.signer.kind == SignerKind::Sandbox;
    job.stage = match stage {
        Stage::Identifying { .. }
        | Stage::Identified(_)
        | Stage::Asking(_)
        | Stage::Signing { .. }
            if args.identify_again =>
        {
            Stage::Start
        }
        Stage::Identifying { .. } if args.ask_again => Stage::Start,
        Stage::Asking(identity) if args.ask_again || sandbox => Stage::Identified(identity),
        Stage::Asking(_) => {
            return Err(Failure::service(
                "it is not known whether the signer got the request; the user may have been asked. \
                 --ask-again asks again",
            ));
        }
        // The session has no usable result, so `--ask-again` starts a new one.
        Stage::Signing { identity, .. } if args.ask_again => Stage::Identified(identity),
        Stage::Identifying { .. } if sandbox => {
            print_session_ended(messages);
            Stage::Start
        }
        Stage::Signing { identity, .. } if sandbox => {
            print_session_ended(messages);
            Stage::Identified(identity)
        }
        other => other,
    };
    let how = Run { resumed: true, key_file: &args.key_file, preview: None, open: args.open };
    run_job(stored, how, messages, outcome)
}

fn print_session_ended(messages: &Messages) {
    messages.print("the embedded sandbox's session ended with its process: asking again");
}
