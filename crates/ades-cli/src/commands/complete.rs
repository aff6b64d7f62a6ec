//! `ades complete`: writes the container, from a stored state and a signature value.

use ades::formats::ades_core;
use ades::signer::MAX_VALUE_LEN;
use ades::{FormatOption, PendingSignature};

use super::prepare::state_key;
use crate::args::CompleteArgs;
use crate::documents::Documents;
use crate::exit::{DONE, Failure, INPUT};
use crate::input;
use crate::output::{self, Existing, Messages, Output, Readers};
use crate::path_name;
use crate::temporary;

pub(crate) fn run(args: &CompleteArgs, messages: &Messages) -> Result<u8, Failure> {
    let inputs = [&args.input, &args.state, &args.signature];
    output::check_apart(&args.output, inputs)?;
    output::check_place(&args.output, args.force)?;
    temporary::sweep([args.output.as_path()].into_iter());
    if inputs.into_iter().filter(|path| path_name::is_standard(path)).count() > 1 {
        return Err(Failure::usage("standard input can be only one of the inputs"));
    }
    let key = state_key(args.state_key_env.as_deref())?;
    let state = input::read_state(&args.state, "pending state", "ades prepare")?;
    let pending = PendingSignature::from_json(state.trim_end(), key.as_ref()).map_err(|error| {
        let failure = Failure::from(error).about(path_name::of_input(&args.state));
        let is_job = state.contains("\"ades-job\"");
        if is_job { failure.and("ades resume continues a job") } else { failure }
    })?;
    output::check_terminal(&args.output, pending.format())?;
    let formats = FormatOption::Password.formats();
    if args.unlock.pdf_password_env.is_some() && !formats.contains(&pending.format()) {
        return Err(Failure::usage(format!(
            "--pdf-password-env does not concern {}: it is the state of a {} signature",
            path_name::of_input(&args.state),
            pending.format()
        )));
    }
    let unlock = args.unlock.read()?;
    let value = input::read_at_most(&args.signature, MAX_VALUE_LEN as u64)?;
    let value = pending.read_value(&value).map_err(|error| about_file(error, args))?;
    let mut documents = Documents::open(&args.input, None, &unlock)?;
    let mut out = Output::create(&args.output, Readers::Usual)?;
    pending
        .complete(Some(documents.document()), &value, out.writer())
        .map_err(|error| about_file(error, args))?;
    pending
        .verify_completed(&mut out.read_back()?, documents.inputs())
        .map_err(|e| Failure::from(e).about(path_name::of_output(&args.output)))?;
    out.publish(Existing::forced(args.force))?;
    messages.print(format_args!("complete: {}", path_name::of_output(&args.output)));
    Ok(DONE)
}

/// Converts an error of completing to a failure about the file that caused it.
fn about_file(error: ades::Error, args: &CompleteArgs) -> Failure {
    use ades_core::Error as Core;

    let (status, name) = match &error {
        // The value is an input of this command, so a bad value is the caller's error.
        ades::Error::Core(
            Core::WrongKey
            | Core::NotAValue { .. }
            | Core::ValueLength { .. }
            | Core::ValueOverOther(_)
            | Core::ValueDoesNotVerify,
        ) => (Some(INPUT), path_name::of_input(&args.signature)),
        ades::Error::Core(Core::StateDamaged { .. }) => (None, path_name::of_input(&args.state)),
        ades::Error::Core(Core::Write(_)) => (None, path_name::of_output(&args.output)),
        _ => (None, path_name::of_input(&args.input)),
    };
    match status {
        // Whether another session of the signer helps is not known here.
        Some(status) => Failure::new(status, format!("{name}: {error}")),
        None => Failure::from(error).about(name),
    }
}
