//! `ades prepare`: the digest to be signed, and the state that completing needs.

use ades_core::chain::CertificateChain;
use ades_core::{Document, SignatureAlgorithm, StateKey, ToBeSigned};
use base64ct::{Base64, Encoding};
use serde_json::json;

use crate::args::PrepareOptions;
use crate::exit::{DONE, Failure};
use crate::format::{Asked, Format, Pending};
use crate::input;
use crate::options::Wishes;
use crate::output::{self, Existing, Readers, Say};
use crate::preview;
use crate::temporary;

pub(crate) fn run(options: PrepareOptions, say: &Say) -> Result<u8, Failure> {
    if input::is_standard(&options.state) {
        return Err(Failure::usage("--state: standard output is for the digest"));
    }
    let preview = options.signature.pdf.stamp.preview.clone();
    for output in [Some(&options.state), preview.as_ref()].into_iter().flatten() {
        output::check_place(output, options.force)?;
        temporary::sweep([output.as_path()].into_iter());
    }
    let asked = Asked::of(&options.signature);
    let wishes = Wishes::new(options.signature)?;
    let key = state_key(options.state_key_env.as_deref())?;
    let chain = CertificateChain::from_pem(&input::read_pem(&options.certs)?)
        .map_err(|e| Failure::from(e).about(input::name(&options.certs)))?;
    let policy = wishes.policy_by_oid()?;
    let parameters = wishes.parameters(chain.leaf().key_type(), policy.as_ref())?;
    let about = |e: Failure| e.about(input::name(&options.input));
    let mut file = input::open(&options.input)?;
    let format = Format::choose(asked, &wishes, &mut file, &options.input)?;
    let mut document = Document::seekable(input::watched(file, &options.input));
    let pending =
        Pending::prepare(format, &wishes, &options.input, &mut document, &chain, &parameters)
            .map_err(about)?;
    for remark in pending.remarks() {
        say.line(format_args!("{}: {remark}", input::name(&options.input)));
    }
    let existing = Existing::forced(options.force);
    if let Some(preview) = &preview {
        preview::draw(&pending, &wishes, &mut document, preview, existing)?;
    }
    let state = pending.to_json(key.as_ref())?;
    output::write_file(&options.state, state.as_bytes(), Readers::Owner, existing)?;
    output::print(format_args!("{}\n", to_be_signed(&pending.to_be_signed())))?;
    Ok(DONE)
}

fn to_be_signed(to_be_signed: &ToBeSigned) -> serde_json::Value {
    let digest = &to_be_signed.digest().0;
    let mut line = json!({
        "digest_algorithm": digest.algorithm().to_string(),
        "digest_hex": digest.to_hex(),
        "digest_base64": Base64::encode_string(digest.value()),
        "signature_algorithm": to_be_signed.algorithm().to_string(),
    });
    if let (SignatureAlgorithm::Ed25519, Some(line)) =
        (to_be_signed.algorithm(), line.as_object_mut())
    {
        // Ed25519 signs the data itself.
        let data = Base64::encode_string(to_be_signed.data());
        line.insert("data_base64".to_owned(), json!(data));
    }
    line
}

/// The key of a state's MAC, from an environment variable.
pub(crate) fn state_key(variable: Option<&str>) -> Result<Option<StateKey>, Failure> {
    let Some(variable) = variable else { return Ok(None) };
    let malformed = || {
        Failure::usage(format!(
            "the environment variable {variable} does not hold 64 hexadecimal digits"
        ))
    };
    let text = std::env::var(variable).map_err(|_| malformed())?;
    let mut key = [0; 32];
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(malformed()) };
    if pairs.len() != key.len() {
        return Err(malformed());
    }
    for (octet, pair) in key.iter_mut().zip(pairs) {
        let digits = std::str::from_utf8(pair).map_err(|_| malformed())?;
        *octet = u8::from_str_radix(digits, 16).map_err(|_| malformed())?;
    }
    Ok(Some(StateKey::new(key)))
}
