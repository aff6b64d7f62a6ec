//! `ades complete`: the container, from a stored state and a value.

use std::path::Path;

use ades_core::PendingState;
use base64ct::{Base64, Encoding};
use cades::PendingSignature;

use crate::args::CompleteOptions;
use crate::exit::{DONE, Failure, INPUT};
use crate::output::{self, Output, Say};
use crate::prepare::{open, read_text, state_key};

/// No signature value is longer, in octets.
const MAX_VALUE: usize = 16 * 1024;

pub(crate) fn run(options: &CompleteOptions, say: &Say) -> Result<u8, Failure> {
    output::check_free(&options.output, options.force)?;
    let key = state_key(options.state_key_env.as_deref())?;
    let state = read_text(&options.state)?;
    let pending = PendingSignature::from_json(state.trim_end(), key.as_ref())
        .map_err(|e| Failure::from(e).about(options.state.display()))?;
    let value = read_value(&options.signature)?;
    let mut document = open(&options.input)?;
    let mut out = Output::create(&options.output)?;
    pending.complete(Some(&mut document), &value, out.writer()).map_err(|e| {
        // Whoever made the value, here it is an input.
        let mut failure = Failure::from(e);
        failure.status = INPUT;
        failure.about(options.input.display())
    })?;
    out.publish(options.force)?;
    say.line(format_args!("{}: complete", options.output.display()));
    Ok(DONE)
}

/// Raw octets, or base64 text with white space anywhere.
fn read_value(path: &Path) -> Result<Vec<u8>, Failure> {
    let raw = std::fs::read(path).map_err(|e| Failure::file(path, &e))?;
    if raw.len() > MAX_VALUE {
        return Err(Failure::input(format!("{}: too long for a signature value", path.display())));
    }
    let text: Vec<u8> = raw.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    let base64 = std::str::from_utf8(&text).ok().and_then(|text| Base64::decode_vec(text).ok());
    // 44 octets of base64 are the shortest value there is (DER of r and s aside).
    Ok(base64.filter(|_| text.len() >= 44).unwrap_or(raw))
}
