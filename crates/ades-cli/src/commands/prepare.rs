//! `ades prepare`: prints the digest to be signed, and stores the state for completing.

use ades::{CertificateChain, SignatureAlgorithm, StateKey, ToBeSigned};
use base64ct::{Base64, Encoding};
use serde_json::json;

use crate::args::PrepareArgs;
use crate::documents::Documents;
use crate::exit::{DONE, Failure};
use crate::input;
use crate::output::{self, Existing, Messages, Readers};
use crate::path_name;
use crate::preview;
use crate::temporary;

pub(crate) fn run(args: PrepareArgs, messages: &Messages) -> Result<u8, Failure> {
    if path_name::is_standard(&args.state) {
        return Err(Failure::usage("--state: a file is needed; standard output has the digest"));
    }
    let preview = args.signature.pdf.stamp.preview.clone();
    for output in [Some(&args.state), preview.as_ref()].into_iter().flatten() {
        output::check_place(output, args.force)?;
        temporary::sweep([output.as_path()].into_iter());
    }
    let request = args.signature.into_request()?;
    let key = state_key(args.state_key_env.as_deref())?;
    let chain = CertificateChain::from_pem(&input::read_pem(&args.certs)?)
        .map_err(|e| Failure::from(e).about(path_name::of_input(&args.certs)))?;
    let terms = request.terms.by_oid(request.options.digest)?;
    let mut options = request.signing_options(&terms)?;
    let password = request.password()?;
    let container = request.container.as_deref();
    let mut documents = Documents::open(&args.input, container, password.as_deref())?;
    options.format = Some(documents.choose_format(&options, &args.input)?);
    let pending = ades::prepare(documents.inputs(), &chain, &options)
        .map_err(|e| Failure::from(e).about(path_name::of_input(&args.input)))?;
    for warning in pending.warnings() {
        messages.print(format_args!("{}: {warning}", path_name::of_input(&args.input)));
    }
    let existing = Existing::forced(args.force);
    if let Some(preview) = &preview {
        preview::draw(&pending, &options, &mut documents, preview, existing)?;
    }
    let state = pending.to_json(key.as_ref())?;
    output::write_file(&args.state, state.as_bytes(), Readers::Owner, existing)?;
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
pub(super) fn state_key(variable: Option<&str>) -> Result<Option<StateKey>, Failure> {
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
