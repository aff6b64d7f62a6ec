//! CAdES compared with OpenSSL and EU DSS.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use ades_core::{Digest, DigestAlgorithm, Document, PendingState, verify};
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::openssl;
use ades_tests::pki::PemFiles;
use ades_tests::signing::parameters;
use cades::{Check, Packaging, PendingSignature, SignatureOptions};
use serde_json::json;

use crate::{Bench, RUNS, limit, signer, timed, timed_if};

pub(crate) fn run(bench: &Bench) {
    println!(
        "| work | ours, engine | limit | ours / limit | ours, copied while preparing \
         | OpenSSL, process | EU DSS, warm |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (name, len, packaging) in [
        ("CAdES detached, 100 KB", 100_000, Packaging::Detached),
        ("CAdES detached, 100 MB", 100_000_000, Packaging::Detached),
        ("CAdES enveloping, 100 KB", 100_000, Packaging::Enveloping),
        ("CAdES enveloping, 10 MB", 10_000_000, Packaging::Enveloping),
        ("CAdES enveloping, 100 MB", 100_000_000, Packaging::Enveloping),
    ] {
        let document = bench.path("document");
        std::fs::write(&document, random(len)).unwrap();
        let out = &bench.out;
        let ours = || engine(&document, out, packaging);
        let enveloping = packaging == Packaging::Enveloping;
        let limit = || limit(&document, enveloping.then_some(out));
        let mut more = vec!["-cades", "-stream", "-out", out.to_str().unwrap()];
        if enveloping {
            more.push("-nodetach");
        }
        let PemFiles { leaf, key, issuers, .. } = &bench.pem;
        let openssl = || timed_if(|| openssl::cms_sign(&more, &document, leaf, key, issuers));
        let request = json!({
            "file": document, "out": out, "digest": "SHA256",
            "packaging": if enveloping { "ENVELOPING" } else { "DETACHED" },
            "pkcs12": bench.pkcs12, "password": "secret",
        });
        let dss = || Some(timed(|| Dss::shared().sign(&request)));
        let copying = || enveloping.then(|| copy_and_finish(&document, out));
        bench.compare(name, RUNS, [&ours, &limit], &[&copying, &openssl, &dss]);
    }
}

/// The time to prepare, store, restore and complete. The RSA operation and the
/// verification of its value are measured separately and subtracted.
fn engine(path: &Path, out: &Path, packaging: Packaging) -> Duration {
    let start = Instant::now();
    let mut document = Document::seekable(File::open(path).unwrap());
    let options = SignatureOptions::new().packaging(packaging);
    let pending = cades::prepare(&mut document, &signer().chain, &parameters(), &options).unwrap();
    let state = pending.to_json(None).unwrap();
    let prepared = start.elapsed();

    let to_be_signed = pending.to_be_signed();
    let value = signer().sign(&to_be_signed);
    let (algorithm, data) = (to_be_signed.algorithm(), to_be_signed.data());
    let verified = timed(|| verify::verify(signer().leaf(), algorithm, data, &value).unwrap());

    let start = Instant::now();
    let pending = PendingSignature::from_json(&state, None).unwrap();
    let mut document = Document::seekable(File::open(path).unwrap());
    let document = (packaging == Packaging::Enveloping).then_some(&mut document);
    let mut out = File::create_new(out).unwrap();
    pending.complete(document, &value, &mut out).unwrap();
    prepared + start.elapsed().saturating_sub(verified)
}

/// As above for an enveloping signature, in one pass over the document.
fn copy_and_finish(path: &Path, out: &Path) -> Duration {
    let start = Instant::now();
    let mut document = Document::seekable(File::open(path).unwrap());
    let mut file = File::create_new(out).unwrap();
    let chain = &signer().chain;
    let options = SignatureOptions::new().packaging(Packaging::Enveloping);
    let pending =
        cades::prepare_copying(&mut document, chain, &parameters(), &options, &mut file).unwrap();
    drop(file);
    let state = pending.to_json(None).unwrap();
    let prepared = start.elapsed();
    let to_be_signed = pending.to_be_signed();
    let value = signer().sign(&to_be_signed);
    let (algorithm, data) = (to_be_signed.algorithm(), to_be_signed.data());
    let verified = timed(|| verify::verify(signer().leaf(), algorithm, data, &value).unwrap());
    let completed = timed(|| {
        let pending = PendingSignature::from_json(&state, None).unwrap();
        let mut file = File::options().read(true).write(true).open(out).unwrap();
        pending.complete_in_place(&mut file, &value, Check::LengthAndTail).unwrap();
    });
    prepared + completed.saturating_sub(verified)
}

/// Pseudo-random octets that are the same in every run.
fn random(len: usize) -> Vec<u8> {
    let mut octets = Vec::with_capacity(len + 64);
    let mut block = Digest::of(DigestAlgorithm::Sha512, b"seed");
    while octets.len() < len {
        octets.extend_from_slice(block.value());
        block = Digest::of(DigestAlgorithm::Sha512, block.value());
    }
    octets.truncate(len);
    octets
}
