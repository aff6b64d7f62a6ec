//! `ades prepare`: prints the digest to be signed, and stores the state for completing.

use std::io::Write;
use std::path::Path;

use ades::certificate::UsageCheck;
use ades::formats::ades_core::Error as Core;
use ades::{CertificateChain, SignatureAlgorithm, StateKey, ToBeSigned};
use base64ct::{Base64, Encoding};
use serde_json::json;

use crate::args::{Concerned, Given, PrepareArgs};
use crate::documents::{Documents, note_empty};
use crate::exit::{DONE, Failure};
use crate::input;
use crate::output::{self, Existing, Messages, Output, Readers};
use crate::path_name;
use crate::preview;
use crate::request::environment;
use crate::temporary;

pub(crate) fn run(args: PrepareArgs, given: &Given, messages: &Messages) -> Result<u8, Failure> {
    if path_name::is_standard(&args.state) {
        return Err(Failure::usage("--state: a file is needed; standard output has the digest"));
    }
    let preview = args.signature.pdf.stamp.preview.clone();
    for output in [Some(&args.state), preview.as_ref()].into_iter().flatten() {
        output::check_apart(output, [&args.input, &args.certs])?;
        output::check_place(output, args.force)?;
        temporary::sweep([output.as_path()].into_iter());
    }
    if args.signature.is_above_b() {
        return Err(Failure::usage(
            "--level, --tsa: ades prepare and ades complete make level b; ades extend raises it",
        ));
    }
    let request = args.signature.into_request()?;
    let unlock = request.unlock()?;
    let container = request.container.as_deref();
    let mut documents = Documents::open(&args.input, container, &unlock)?;
    let format = documents.choose_format(&request.options, &args.input)?;
    let inputs = vec![(path_name::of_input(&args.input), format)];
    Concerned { options: &request.options, signer: None, inputs }.check(given, messages)?;
    note_empty(&args.input, &args.input, messages);
    let key = state_key(args.state_key_env.as_deref())?;
    let chain = certificates(&args.certs, messages)?;
    let terms = request.terms.by_id(request.options.digest)?;
    let options = request.signing_options(&terms)?;
    let options = options.for_document(format);
    let leaf = chain.leaf();
    leaf.check_fit(options.parameters.signing_time().time(), UsageCheck::Signature)
        .map_err(|e| Failure::from(e).about(path_name::of_input(&args.certs)))?;
    let pending = ades::prepare(documents.inputs(), &chain, &options).map_err(|error| {
        documents.failure(&error, &options.xml.reading).about(path_name::of_input(&args.input))
    })?;
    for warning in pending.warnings() {
        messages.print(format_args!("{}: {warning}", path_name::of_input(&args.input)));
    }
    let picture = match &preview {
        Some(to) => Some(preview::draw(&pending, &options, &mut documents, to)?),
        None => None,
    };
    let mut state = Output::create(&args.state, Readers::Owner)?;
    let json = pending.to_json(key.as_ref())?;
    state.writer().write_all(json.as_bytes()).map_err(|e| Failure::output(&args.state, &e))?;
    // A digest that nobody reads leaves no state.
    output::print_whole(format_args!("{}\n", to_be_signed(&pending.to_be_signed())))?;
    let existing = Existing::forced(args.force);
    state.publish(existing)?;
    if let Some(picture) = picture {
        picture.publish(existing)?;
    }
    Ok(DONE)
}

/// The signer's certificate with its issuers.
fn certificates(path: &Path, messages: &Messages) -> Result<CertificateChain, Failure> {
    let name = path_name::of_input(path);
    let pem = input::read_pem(path)?;
    let has_key = pem.contains(" PRIVATE KEY-----");
    match CertificateChain::from_pem(&pem) {
        Err(Core::NoCertificate) if has_key => Err(Failure::input(format!(
            "{name}: has a private key and no certificate; --certs takes the certificates of the \
             signer"
        ))),
        Err(Core::NoCertificate) => Err(Failure::input(format!(
            "{name}: has no certificate; --certs takes PEM: -----BEGIN CERTIFICATE-----"
        ))),
        Err(error) => Err(Failure::from(error).about(name)),
        Ok(chain) => {
            if has_key {
                messages.print(format_args!(
                    "{name}: has a private key, too, which is not used: keep it out of this file"
                ));
            }
            Ok(chain)
        }
    }
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
            "--state-key-env: the environment variable {variable} does not hold 64 hexadecimal \
             digits; openssl rand -hex 32 makes some"
        ))
    };
    let text = environment("--state-key-env", variable)?;
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
