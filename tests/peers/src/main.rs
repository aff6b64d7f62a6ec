//! Other engines in Rust: answers each line of JSON with a line of JSON.
//!
//! - `{"underskrift": {file, out, leaf, chain}}`, `{"ades-rs": …}`: signs a PDF
//!   from file to file, with a constant as the signature value: `{seconds}`.
//! - `{"bergshamra": {file, exclusive}}`: canonicalises a document:
//!   `{seconds, octets}`.
//!
//! The answer to a request that fails is `{"error": "…"}`.

use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Instant;

use serde_json::{Value, json};

/// A constant with the length of a value by RSA with 2048 bits.
const VALUE: [u8; 256] = [1; 256];

fn main() {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let (name, of) = request.as_object().unwrap().iter().next().unwrap();
        let answer = match name.as_str() {
            "underskrift" => underskrift(of),
            "ades-rs" => ades_rs(of),
            "bergshamra" => bergshamra(of),
            _ => Err(format!("{name:?} is not a command").into()),
        };
        let answer = answer.unwrap_or_else(|error| json!({ "error": error.to_string() }));
        writeln!(out, "{answer}").unwrap();
        out.flush().unwrap();
    }
}

type Answer = Result<Value, Box<dyn Error>>;

fn text<'a>(of: &'a Value, key: &str) -> Result<&'a str, String> {
    of[key].as_str().ok_or_else(|| format!("the request has no {key:?}"))
}

fn underskrift(of: &Value) -> Answer {
    use underskrift::crypto::algorithm::{DigestAlgorithm, SignatureAlgorithm};
    use underskrift::remote::{
        RemoteSignerInfo, RemoteSigningOptions, finalize_signature, prepare_signature,
    };

    let leaf = std::fs::read(text(of, "leaf")?)?;
    let mut chain_der = vec![leaf.clone()];
    for issuer in of["chain"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        chain_der.push(std::fs::read(issuer)?);
    }
    let signer = RemoteSignerInfo {
        certificate_der: leaf,
        chain_der,
        digest_algorithm: DigestAlgorithm::Sha256,
        signature_algorithm: SignatureAlgorithm::RsaPkcs1v15,
    };
    let start = Instant::now();
    let document = std::fs::read(text(of, "file")?)?;
    let prepared = prepare_signature(&document, &signer, &RemoteSigningOptions::default())?;
    let signed = finalize_signature(prepared, &VALUE)?;
    std::fs::write(text(of, "out")?, signed)?;
    Ok(json!({ "seconds": start.elapsed().as_secs_f64() }))
}

fn ades_rs(of: &Value) -> Answer {
    struct ConstantSigner(ades::Certificate);

    impl ades::signer::Signer for ConstantSigner {
        type Error = std::convert::Infallible;

        fn sign_digest(&self, _: &[u8]) -> Result<Vec<u8>, Self::Error> {
            Ok(VALUE.to_vec())
        }

        fn certificate(&self) -> &ades::Certificate {
            &self.0
        }

        fn digest_algorithm(&self) -> ades::DigestAlgorithm {
            ades::DigestAlgorithm::Sha256
        }
    }

    let signer = ConstantSigner(ades::Certificate::from_der(&std::fs::read(text(of, "leaf")?)?)?);
    let start = Instant::now();
    let document = std::fs::read(text(of, "file")?)?;
    let signed = ades::pades::sign(&document, &signer)?;
    std::fs::write(text(of, "out")?, signed)?;
    Ok(json!({ "seconds": start.elapsed().as_secs_f64() }))
}

fn bergshamra(of: &Value) -> Answer {
    use bergshamra_c14n::{C14nMode, canonicalize};

    let exclusive = of["exclusive"] == true;
    let mode = if exclusive { C14nMode::Exclusive } else { C14nMode::Inclusive };
    let start = Instant::now();
    let document = std::fs::read_to_string(text(of, "file")?)?;
    let form = canonicalize::<&str>(&document, mode, None, &[])?;
    Ok(json!({ "seconds": start.elapsed().as_secs_f64(), "octets": form.len() }))
}
