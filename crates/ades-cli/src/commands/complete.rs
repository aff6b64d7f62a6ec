//! `ades complete`: writes the container, from a stored state and a signature value.

use std::path::Path;

use ades::PendingSignature;
use ades::formats::ades_core;
use base64ct::{Base64, Encoding};

use super::prepare::state_key;
use crate::args::CompleteArgs;
use crate::documents::Documents;
use crate::exit::{DONE, Failure, INPUT};
use crate::input;
use crate::output::{self, Existing, Messages, Output, Readers};
use crate::path_name;
use crate::request::pdf_password;
use crate::temporary;

/// Maximum size of a signature value's file, in octets.
const MAX_VALUE: u64 = 16 * 1024;

pub(crate) fn run(args: &CompleteArgs, messages: &Messages) -> Result<u8, Failure> {
    output::check_place(&args.output, args.force)?;
    temporary::sweep([args.output.as_path()].into_iter());
    let inputs = [&args.input, &args.state, &args.signature];
    if inputs.into_iter().filter(|path| path_name::is_standard(path)).count() > 1 {
        return Err(Failure::usage("standard input can be only one of the inputs"));
    }
    let key = state_key(args.state_key_env.as_deref())?;
    let state = input::read_text(&args.state)?;
    let pending = PendingSignature::from_json(state.trim_end(), key.as_ref())
        .map_err(|e| Failure::from(e).about(path_name::of_input(&args.state)))?;
    let password = pdf_password(args.pdf_password_env.as_deref())?;
    let value = read_value(&args.signature)?;
    let mut documents = Documents::open(&args.input, None, password.as_deref())?;
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
            | Core::ValueLength { .. }
            | Core::ValueOverOther(_)
            | Core::ValueDoesNotVerify,
        ) => (Some(INPUT), path_name::of_input(&args.signature)),
        ades::Error::Core(Core::StateDamaged { .. }) => (None, path_name::of_input(&args.state)),
        ades::Error::Core(Core::Write(_)) => (None, path_name::of_output(&args.output)),
        _ => (None, path_name::of_input(&args.input)),
    };
    let mut failure = Failure::from(error).about(name);
    failure.status = status.unwrap_or(failure.status);
    failure
}

/// Reads a signature value: raw octets, or base64 text with white space anywhere.
fn read_value(path: &Path) -> Result<Vec<u8>, Failure> {
    let raw = input::read_at_most(path, MAX_VALUE)?;
    let text: Vec<u8> = raw.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    let base64 = std::str::from_utf8(&text).ok().and_then(|text| Base64::decode_vec(text).ok());
    Ok(base64.unwrap_or(raw))
}
