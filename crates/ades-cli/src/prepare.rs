//! `ades prepare`, and what it shares with `sign`: from options to parameters.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use ades_core::certificate::KeyType;
use ades_core::chain::CertificateChain;
use ades_core::{
    DigestAlgorithm, Document, Oid, PendingState, SignatureAlgorithm, SignatureParameters,
    SignaturePolicy, SignerLocation, StateKey, ToBeSigned,
};
use base64ct::{Base64, Encoding};
use chrono::DateTime;
use serde_json::json;

use crate::args::{Format, Packaging, PrepareOptions, SignatureOptions};
use crate::exit::{DONE, Failure};
use crate::output;

pub(crate) fn run(options: &PrepareOptions) -> Result<u8, Failure> {
    output::check_free(&options.state, options.force)?;
    let pem = read_text(&options.certs)?;
    let chain = CertificateChain::from_pem(&pem)
        .map_err(|e| Failure::from(e).about(options.certs.display()))?;
    let policy = policy_by_oid(&options.signature)?;
    let parameters = parameters(&options.signature, chain.leaf().key_type(), policy)?;
    let pending = if let Some(container) = &options.parallel {
        let mut original = open(&options.input)?;
        cades::prepare_parallel(&mut open(container)?, Some(&mut original), &chain, &parameters)
    } else if let Some(signer) = options.counter_sign {
        cades::prepare_countersignature(&mut open(&options.input)?, signer, &chain, &parameters)
    } else {
        check_format(&options.input, options.format)?;
        let packaging = packaging(options.signature.packaging)?;
        cades::prepare(&mut open(&options.input)?, packaging, &chain, &parameters)
    }
    .map_err(|e| Failure::from(e).about(options.input.display()))?;
    let key = state_key(options.state_key_env.as_deref())?;
    let state = pending.to_json(key.as_ref())?;
    output::write_file(&options.state, state.as_bytes(), options.force)?;
    output::print(&to_be_signed(&pending.to_be_signed()))?;
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

/// Opens a document; standard input can be read once.
pub(crate) fn open(path: &Path) -> Result<Document<'static>, Failure> {
    if output::is_standard(path) {
        return Ok(Document::stream(std::io::stdin()));
    }
    let file = File::open(path).map_err(|e| Failure::file(path, &e))?;
    let metadata = file.metadata().map_err(|e| Failure::file(path, &e))?;
    if metadata.is_dir() {
        return Err(Failure::input(format!("{}: is a folder", path.display())));
    }
    Ok(if metadata.is_file() { Document::seekable(file) } else { Document::stream(file) })
}

pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|e| Failure::file(path, &e))
}

/// CAdES is the only format so far: what is not asked for is refused, not
/// signed another way.
pub(crate) fn check_format(path: &Path, asked: Option<Format>) -> Result<(), Failure> {
    let format = match asked {
        Some(format) => format,
        None if output::is_standard(path) => Format::Cades,
        None => by_content(path)?,
    };
    match format {
        Format::Cades => Ok(()),
        Format::Pades | Format::Xades => {
            let (what, name) =
                if format == Format::Pades { ("PDF", "pades") } else { ("XML", "xades") };
            Err(Failure::usage(format!(
                "{}: --format {name} is not there yet; --format cades signs the {what} as it is, \
                 with a signature beside or around it",
                path.display()
            )))
        }
    }
}

fn by_content(path: &Path) -> Result<Format, Failure> {
    let mut start = Vec::new();
    let failed = |e| Failure::file(path, &e);
    let mut file = File::open(path).map_err(failed)?;
    file.by_ref().take(1024).read_to_end(&mut start).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let text: Vec<u8> = start.iter().copied().filter(|b| *b != 0).collect();
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&text).trim_ascii_start();
    Ok(if start.windows(5).any(|window| window == b"%PDF-") {
        Format::Pades
    } else if text.starts_with(b"<?xml") || text.starts_with(b"<") {
        Format::Xades
    } else {
        Format::Cades
    })
}

pub(crate) fn packaging(asked: Option<Packaging>) -> Result<cades::Packaging, Failure> {
    match asked {
        None | Some(Packaging::Detached) => Ok(cades::Packaging::Detached),
        Some(Packaging::Enveloping) => Ok(cades::Packaging::Enveloping),
        Some(Packaging::Enveloped | Packaging::InternallyDetached) => {
            Err(Failure::usage("CAdES is detached or enveloping"))
        }
    }
}

/// The parameters of one signature; `policy` with what is known of it.
pub(crate) fn parameters(
    options: &SignatureOptions,
    key: KeyType,
    policy: Option<SignaturePolicy>,
) -> Result<SignatureParameters, Failure> {
    let now = || DateTime::from(std::time::SystemTime::now());
    let mut parameters = SignatureParameters::new(options.signing_time.unwrap_or_else(now));
    if let Some(algorithm) = algorithm(options, key)? {
        parameters = parameters.algorithm(algorithm);
    }
    if let Some(policy) = policy {
        parameters = parameters.policy(policy);
    }
    if let Some(commitment) = options.commitment()? {
        parameters = parameters.commitment(commitment);
    }
    if let Some(role) = &options.role {
        parameters = parameters.signer_role(role);
    }
    if options.country.is_some() || options.locality.is_some() {
        parameters = parameters.location(SignerLocation {
            country: options.country.clone(),
            locality: options.locality.clone(),
            postal_address: Vec::new(),
        });
    }
    if let Some(mime_type) = &options.mime_type {
        parameters = parameters.mime_type(mime_type);
    }
    Ok(parameters)
}

fn algorithm(
    options: &SignatureOptions,
    key: KeyType,
) -> Result<Option<SignatureAlgorithm>, Failure> {
    let digest = options.digest.unwrap_or(DigestAlgorithm::Sha256);
    match (key, options.pss, options.digest) {
        (KeyType::Rsa { .. }, true, _) => Ok(Some(SignatureAlgorithm::RsaPss(digest))),
        (_, true, _) => Err(Failure::usage("--pss needs an RSA key")),
        (_, false, None) => Ok(None),
        (KeyType::Rsa { .. }, ..) => Ok(Some(SignatureAlgorithm::RsaPkcs1v15(digest))),
        (KeyType::P256 | KeyType::P384 | KeyType::P521, ..) => {
            Ok(Some(SignatureAlgorithm::Ecdsa(digest)))
        }
        _ => Err(Failure::usage("--digest cannot be chosen for this key")),
    }
}

/// A policy named by its OID; its digest comes from the document, if given.
pub(crate) fn policy_by_oid(
    options: &SignatureOptions,
) -> Result<Option<SignaturePolicy>, Failure> {
    let Some(name) = &options.policy else { return Ok(None) };
    let id: Oid =
        name.parse().map_err(|_| Failure::usage(format!("--policy {name}: not an OID")))?;
    let digest = options.digest.unwrap_or(DigestAlgorithm::Sha256);
    Ok(Some(match &options.policy_document {
        Some(path) => {
            let document = std::fs::read(path).map_err(|e| Failure::file(path, &e))?;
            SignaturePolicy::of_document(id, digest, &document)
        }
        None => SignaturePolicy { id, digest: None, uri: None, user_notice: None },
    }))
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
