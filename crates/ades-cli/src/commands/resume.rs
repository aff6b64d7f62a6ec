//! `ades resume`: continues an interrupted job.

use super::sign::run_job;
use crate::args::ResumeArgs;
use crate::exit::Failure;
use crate::job::{SignerKind, Stage};
use crate::output::Messages;
use crate::stored_job::StoredJob;

pub(crate) fn run(args: &ResumeArgs, messages: &Messages) -> Result<u8, Failure> {
    let mut stored = StoredJob::load(&args.pending, messages)?;
    let job = &mut stored.job;
    job.force |= args.force;
    let stage = std::mem::replace(&mut job.stage, Stage::Start);
    let sandbox = job.signer.kind == SignerKind::Sandbox;
    job.stage = match stage {
        Stage::Asking(identity) if args.ask_again || sandbox => Stage::Identified(identity),
        Stage::Asking(_) => {
            return Err(Failure::service(
                "it is not known whether the signer got the request; the user may have been asked. \
                 --ask-again asks again",
            ));
        }
        // The session has no usable result, so `--ask-again` starts a new one.
        Stage::Signing { identity, .. } if args.ask_again => Stage::Identified(identity),
        Stage::Identifying(_) if sandbox => {
            print_session_ended(messages);
            Stage::Start
        }
        Stage::Signing { identity, .. } if sandbox => {
            print_session_ended(messages);
            Stage::Identified(identity)
        }
        other => other,
    };
    run_job(stored, true, args.password_env.as_deref(), None, messages)
}

fn print_session_ended(messages: &Messages) {
    messages.print("the embedded sandbox's session ended with its process: asking again");
}
