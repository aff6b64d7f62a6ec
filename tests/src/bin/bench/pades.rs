//! PAdES compared with pyHanko, EU DSS, engines in Rust that load a document with
//! lopdf, and the time for only loading it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ades_core::{Document, PendingState, verify};
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::peers::Peers;
use ades_tests::oracle::pyhanko::PyHanko;
use ades_tests::pdf::{write_image_pages, write_many_objects};
use ades_tests::pki::PemFiles;
use ades_tests::signing::parameters;
use pades::{Check, PendingSignature, SignatureOptions};
use serde_json::json;

use crate::{Bench, RUNS, limit, signer, timed, timed_if};

/// It takes more than ten minutes for each pass.
const TOO_MUCH_FOR_UNDERSKRIFT: &str = "PAdES, 500,000 objects";

pub(crate) fn run(bench: &Bench) {
    println!();
    println!(
        "| work | ours, engine | limit | ours / limit | ours, copied while preparing \
         | finishing in place | pyHanko, warm | EU DSS, warm | underskrift | ades-rs | lopdf, loading only |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let images = |pages, height| {
        let path = bench.path("images.pdf");
        written(path, |out| write_image_pages(out, pages, height).unwrap())
    };
    compare(bench, "PAdES, 100 KB", &images(1, 200), RUNS);
    compare(bench, "PAdES, 500 KB", &images(1, 1000), RUNS);
    compare(bench, "PAdES, 10 MB", &images(20, 1000), RUNS);
    compare(bench, "PAdES, 100 MB", &images(200, 1000), 5);
    let path = bench.path("objects.pdf");
    let objects = written(path, |out| write_many_objects(out, 500_000).unwrap());
    compare(bench, TOO_MUCH_FOR_UNDERSKRIFT, &objects, 3);
}

fn compare(bench: &Bench, name: &str, document: &Path, runs: usize) {
    let out = &bench.out;
    let PemFiles { leaf, key, issuers, .. } = &bench.pem;
    let by_pyhanko = json!({
        "file": document, "out": out, "key": key, "certificate": leaf, "chain": issuers,
    });
    let by_dss = json!({
        "file": document, "out": out, "digest": "SHA256",
        "pkcs12": bench.pkcs12, "password": "secret",
    });
    let ours = || engine(document, out);
    let limit = || limit(document, Some(out));
    let copying = || Some(copy_and_finish(document, out));
    let finishing = || Some(finish_in_place(document, out));
    let pyhanko = || timed_if(|| PyHanko::shared().sign(&by_pyhanko));
    let dss = || timed_if(|| Dss::shared().sign_pdf(&by_dss));
    let (certificate, issuer) = (bench.path("leaf.der"), bench.path("issuer.der"));
    let certificates = signer().chain.certificates();
    for (path, certificate) in [&certificate, &issuer].into_iter().zip(certificates) {
        std::fs::write(path, certificate.der()).unwrap();
    }
    let by_peer =
        |peer| Peers::shared().sign_pdf(peer, document, out, &certificate, &[&issuer]).ok();
    let underskrift = || (name != TOO_MUCH_FOR_UNDERSKRIFT).then(|| by_peer("underskrift"))?;
    let ades_rs = || by_peer("ades-rs");
    let lopdf = || timed_if(|| lopdf::Document::load(document));
    let others: [&dyn Fn() -> _; 7] =
        [&copying, &finishing, &pyhanko, &dss, &underskrift, &ades_rs, &lopdf];
    bench.compare(name, runs, [&ours, &limit], &others);
}

pub(crate) fn written(path: PathBuf, write: impl FnOnce(&mut BufWriter<File>) -> u64) -> PathBuf {
    let mut out = BufWriter::new(File::create(&path).unwrap());
    write(&mut out);
    out.flush().unwrap();
    path
}

struct Prepared {
    state: String,
    value: Vec<u8>,
    /// The times for preparing and for verifying the value.
    prepared: Duration,
    verified: Duration,
}

fn prepare(path: &Path) -> Prepared {
    let start = Instant::now();
    let mut document = Document::seekable(File::open(path).unwrap());
    let options = SignatureOptions::new();
    let pending = pades::prepare(&mut document, &signer().chain, &parameters(), &options).unwrap();
    prepared(&pending, start)
}

/// Stores and signs. Preparing began at `start`.
fn prepared(pending: &PendingSignature, start: Instant) -> Prepared {
    let state = pending.to_json(None).unwrap();
    let prepared = start.elapsed();
    let to_be_signed = pending.to_be_signed();
    let value = signer().sign(&to_be_signed);
    let (algorithm, data) = (to_be_signed.algorithm(), to_be_signed.data());
    let verified = timed(|| verify::verify(signer().leaf(), algorithm, data, &value).unwrap());
    Prepared { state, value, prepared, verified }
}

/// The time to prepare, store, restore and complete to another file. The RSA
/// operation and the verification of its value are measured separately and
/// subtracted.
fn engine(path: &Path, out: &Path) -> Duration {
    let Prepared { state, value, prepared, verified } = prepare(path);
    let completed = timed(|| {
        let pending = PendingSignature::from_json(&state, None).unwrap();
        let mut document = Document::seekable(File::open(path).unwrap());
        let mut out = File::create_new(out).unwrap();
        pending.complete(Some(&mut document), &value, &mut out).unwrap();
    });
    prepared + completed.saturating_sub(verified)
}

/// As above: *prepare* copies the document, and *complete* works in the copy.
fn copy_and_finish(path: &Path, out: &Path) -> Duration {
    let start = Instant::now();
    let mut document = Document::seekable(File::open(path).unwrap());
    let mut copy = File::create_new(out).unwrap();
    let options = SignatureOptions::new();
    let (chain, parameters) = (&signer().chain, parameters());
    let pending =
        pades::prepare_copying(&mut document, chain, &parameters, &options, &mut copy).unwrap();
    drop(copy);
    let Prepared { state, value, prepared, verified } = prepared(&pending, start);
    prepared + finish(&state, &value, out).saturating_sub(verified)
}

/// The time for *complete* alone, if the file is known not to have changed.
fn finish_in_place(path: &Path, out: &Path) -> Duration {
    let Prepared { state, value, verified, .. } = prepare(path);
    std::fs::copy(path, out).unwrap();
    finish(&state, &value, out).saturating_sub(verified)
}

fn finish(state: &str, value: &[u8], out: &Path) -> Duration {
    timed(|| {
        let pending = PendingSignature::from_json(state, None).unwrap();
        let mut file = File::options().read(true).write(true).open(out).unwrap();
        pending.complete_in_place(&mut file, value, Check::LengthAndTail).unwrap();
    })
}
