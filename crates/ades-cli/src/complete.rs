//! `ades complete`: the container, from a stored state and a value.

use std::path::Path;

use ades_core::Document;
use base64ct::{Base64, Encoding};

use crate::args::CompleteOptions;
use crate::exit::{DONE, Failure};
use crate::format::{Files, Pending};
use crate::input;
use crate::options::pdf_password;
use crate::output::{self, Existing, Output, Readers, Say};
use crate::prepare::state_key;
use crate::temporary;
use crate::verify;
use crate::xml::Reading;

/// No signature value is longer, in octets.
const MAX_VALUE: u64 = 16 * 1024;

pub(crate) fn run(options: &CompleteOptions, say: &Say) -> Result<u8, Failure> {
    output::check_place(&options.output, options.force)?;
    temporary::sweep([options.output.as_path()].into_iter());
    let standard = [&options.input, &options.state, &options.signature];
    if standard.into_iter().filter(|path| input::is_standard(path)).count() > 1 {
        return Err(Failure::usage("standard input can be read once"));
    }
    let key = state_key(options.state_key_env.as_deref())?;
    let state = input::read_text(&options.state)?;
    let pending = Pending::from_json(state.trim_end(), key.as_ref())
        .map_err(|e| Failure::from(e).about(input::name(&options.state)))?;
    let password = pdf_password(options.pdf_password_env.as_deref())?;
    let reading = match &pending {
        Pending::Xades(pending, _) => Reading::of(pending),
        Pending::Cades(_) | Pending::Pades(_) => Reading::default(),
    };
    let value = read_value(&options.signature)?;
    let file = input::open(&options.input)?;
    let again = file.try_clone().map_err(|e| Failure::file(&options.input, &e))?;
    let mut document = Document::seekable(input::watched(file, &options.input));
    let mut out = Output::create(&options.output, Readers::Usual)?;
    let files = Files {
        input: &options.input,
        state: &options.state,
        value: &options.signature,
        output: &options.output,
    };
    pending.complete(&mut document, &value, &mut out).map_err(|e| e.about(&files))?;
    let mut made = out.made()?;
    let source = &mut Document::seekable(input::watched(again, &options.input));
    let how = verify::How { password: password.as_deref(), reading: &reading };
    verify::check_made(pending.format(), &mut made, source, None, how)
        .map_err(|e| e.about(output::name(&options.output)))?;
    out.publish(Existing::forced(options.force))?;
    say.line(format_args!("complete: {}", output::name(&options.output)));
    Ok(DONE)
}

/// Raw octets, or base64 text with white space anywhere.
fn read_value(path: &Path) -> Result<Vec<u8>, Failure> {
    let raw = input::read_at_most(path, MAX_VALUE)?;
    let text: Vec<u8> = raw.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    let base64 = std::str::from_utf8(&text).ok().and_then(|text| Base64::decode_vec(text).ok());
    Ok(base64.unwrap_or(raw))
}
