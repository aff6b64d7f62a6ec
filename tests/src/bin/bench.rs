//! Our figures beside limits and peers, in one run: prints the tables of
//! `docs/benchmarks.md`.
//!
//! `cargo run --release -p ades-tests --bin bench`

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use ades_core::{Digest, DigestAlgorithm, Digester, Document};
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::openssl;
use ades_tests::pki::{Key, PemFiles, Pki};
use ades_tests::signing::parameters;
use cades::{Packaging, PendingSignature};
use serde_json::json;

const RUNS: usize = 15;

fn main() {
    let dir = tempfile::TempDir::new().unwrap();
    let signer = Pki::shared().signer(Key::Rsa2048);
    let write = |name: &str, octets: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path
    };
    let PemFiles { leaf, key, issuers, .. } = signer.write_pem_files(dir.path());
    let pkcs12 = write("signer.p12", &signer.pkcs12("secret"));
    let out = dir.path().join("out");

    println!("| work | ours, engine | limit | ours / limit | OpenSSL, process | EU DSS, warm |");
    println!("|---|---|---|---|---|---|");
    for (name, len, packaging) in [
        ("CAdES detached, 100 KB", 100_000, Packaging::Detached),
        ("CAdES detached, 100 MB", 100_000_000, Packaging::Detached),
        ("CAdES enveloping, 100 KB", 100_000, Packaging::Enveloping),
        ("CAdES enveloping, 10 MB", 10_000_000, Packaging::Enveloping),
        ("CAdES enveloping, 100 MB", 100_000_000, Packaging::Enveloping),
    ] {
        let document = write("document", &random(len));
        let ours = || engine(&document, &out, packaging);
        let limit = || limit(&document, &out, packaging);
        let mut more = vec!["-cades", "-stream", "-out", out.to_str().unwrap()];
        if packaging == Packaging::Enveloping {
            more.push("-nodetach");
        }
        let theirs = || {
            timed(|| {
                openssl::cms_sign(&more, &document, &leaf, &key, &issuers).unwrap();
            })
        };
        let request = json!({
            "file": document, "out": out, "digest": "SHA256",
            "packaging": if packaging == Packaging::Detached { "DETACHED" } else { "ENVELOPING" },
            "pkcs12": pkcs12, "password": "secret",
        });
        let dss = || timed(|| Dss::shared().sign(&request));
        let (mut a, mut b, mut c, mut d) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        // In turn, so that a drifting machine drifts for all.
        let fresh = || drop(std::fs::remove_file(&out));
        for _ in 0..RUNS {
            // Truncating a file costs a flush that is nobody's work here.
            fresh();
            a.push(ours());
            fresh();
            b.push(limit());
            fresh();
            c.push(theirs());
            fresh();
            d.push(dss());
        }
        let ratios: Vec<f64> =
            a.iter().zip(&b).map(|(a, b)| a.as_secs_f64() / b.as_secs_f64()).collect();
        println!(
            "| {name} | {} | {} | {:.2} | {} | {} |",
            shown(median(&mut a)),
            shown(median(&mut b)),
            median_of(ratios),
            shown(median(&mut c)),
            shown(median(&mut d)),
        );
    }
}

/// Prepare, store, restore, complete; the RSA operation and the verification
/// of its value are timed apart and taken off.
fn engine(path: &Path, out: &Path, packaging: Packaging) -> Duration {
    let signer = Pki::shared().signer(Key::Rsa2048);
    let start = Instant::now();
    let mut document = Document::seekable(File::open(path).unwrap());
    let pending = cades::prepare(&mut document, packaging, &signer.chain, &parameters()).unwrap();
    let state = ades_core::PendingState::to_json(&pending, None).unwrap();
    let prepared = start.elapsed();

    let value = signer.sign(&pending.to_be_signed());
    let start = Instant::now();
    let to_be_signed = pending.to_be_signed();
    ades_core::verify::verify(signer.leaf(), to_be_signed.algorithm(), to_be_signed.data(), &value)
        .unwrap();
    let verified = start.elapsed();

    let start = Instant::now();
    let pending: PendingSignature = ades_core::PendingState::from_json(&state, None).unwrap();
    let mut document = Document::seekable(File::open(path).unwrap());
    let document = (packaging == Packaging::Enveloping).then_some(&mut document);
    let mut out = File::create_new(out).unwrap();
    pending.complete(document, &value, &mut out).unwrap();
    prepared + start.elapsed().saturating_sub(verified)
}

/// SHA-256 over the file, and for enveloping a copy of it: read once.
fn limit(path: &Path, out: &Path, packaging: Packaging) -> Duration {
    timed(|| {
        let mut file = File::open(path).unwrap();
        let mut out = (packaging == Packaging::Enveloping).then(|| File::create_new(out).unwrap());
        let mut digester = Digester::new(DigestAlgorithm::Sha256);
        let mut piece = vec![0; 128 * 1024];
        loop {
            let read = file.read(&mut piece).unwrap();
            if read == 0 {
                break;
            }
            digester.update(&piece[..read]);
            if let Some(out) = &mut out {
                out.write_all(&piece[..read]).unwrap();
            }
        }
        std::hint::black_box(digester.finish());
    })
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn median_of(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn shown(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

/// Octets without pattern, the same in every run.
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
