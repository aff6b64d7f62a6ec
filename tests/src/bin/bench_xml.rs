//! Canonicalisation beside libxml2's, in one run; prints a table.
//!
//! `cargo run --release -p ades-tests --bin bench_xml`

use std::fs::File;
use std::io::{Read, sink};
use std::path::Path;
use std::time::{Duration, Instant};

use ades_core::{DigestAlgorithm, Digester, Document, PendingState, verify};
use ades_tests::invoice::Invoice;
use ades_tests::oracle::libxml2::Libxml2;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::parameters;
use xades::c14n::{Canonicalization, Selection, canonicalize};
use xades::xml::Reader;
use xades::{PendingSignature, SignatureOptions};

const RUNS: usize = 9;

fn main() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("invoice.xml");

    // First of all, while nothing else has used any memory.
    let before = peak();
    let mut length = 0;
    let long = timed(|| length = form(Invoice::new(1_000_000_000), &Canonicalization::EXCLUSIVE));
    let after = peak();
    println!(
        "1 GB as a stream, exclusive: {:.1} s with making the document, {length} octets out, \
         peak memory {after} KiB ({before} KiB before)\n",
        long.as_secs_f64()
    );

    let mut judge = Libxml2::start();
    println!(
        "| invoice | algorithm | from memory | as a stream | with SHA-256 | MB/s of input | libxml2: parse + c14n | ours / libxml2 |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for octets in [100_000, 10_000_000, 100_000_000] {
        let document = Invoice::in_memory(octets);
        std::fs::write(&path, &document).unwrap();
        for (name, mode, method) in
            [("1.0", 0, Canonicalization::C14N_1_0), ("exclusive", 1, Canonicalization::EXCLUSIVE)]
        {
            let memory = best(|| {
                let reader = Reader::from_slice(&document).unwrap();
                canonicalize(reader, method.clone(), Selection::document(), &mut |piece| {
                    std::hint::black_box(piece);
                    Ok(())
                })
                .unwrap();
            });
            let stream = best(|| {
                form(document.as_slice(), &method);
            });
            let digest = best(|| {
                let mut digester = Digester::new(DigestAlgorithm::Sha256);
                let reader = Reader::from_slice(&document).unwrap();
                canonicalize(reader, method.clone(), Selection::document(), &mut |piece| {
                    digester.update(piece);
                    Ok(())
                })
                .unwrap();
                std::hint::black_box(digester.finish());
            });
            let (parse, c14n) = judge.time(mode, &path);
            let theirs = parse + c14n;
            let ours = memory.as_secs_f64() * 1000.0;
            println!(
                "| {} | {name} | {ours:.2} ms | {:.2} ms | {:.2} ms | {:.0} | {parse:.2} + {c14n:.2} ms | {:.2} |",
                size(octets),
                stream.as_secs_f64() * 1000.0,
                digest.as_secs_f64() * 1000.0,
                document.len() as f64 / 1000.0 / ours,
                ours / theirs,
            );
            if mode == 1 {
                let signed = (0..RUNS).map(|_| enveloped(&path, &dir.path().join("out")));
                let signed = signed.min().unwrap().as_secs_f64() * 1000.0;
                let ratio = signed / theirs;
                println!(
                    "| {} | XAdES enveloped, file to file | {signed:.2} ms | | | | | {ratio:.2} |",
                    size(octets)
                );
            }
        }
    }
    println!("\npeak memory of all of this, documents of up to 100 MB held: {} KiB", peak());
}

/// Prepare, store, restore, complete, from file to file; the ECDSA operation
/// and the verification of its value are timed apart and taken off.
fn enveloped(path: &Path, out: &Path) -> Duration {
    let signer = Pki::shared().signer(Key::P256);
    let start = Instant::now();
    let mut document = Document::seekable(File::open(path).unwrap());
    let pending =
        xades::prepare(&mut document, &signer.chain, &parameters(), &SignatureOptions::new())
            .unwrap();
    let state = pending.to_json(None).unwrap();
    let prepared = start.elapsed();

    let to_be_signed = pending.to_be_signed();
    let value = signer.sign(&to_be_signed);
    let verified = timed(|| {
        let algorithm = to_be_signed.algorithm();
        verify::verify(signer.leaf(), algorithm, to_be_signed.data(), &value).unwrap();
    });

    let _ = std::fs::remove_file(out);
    let start = Instant::now();
    let pending = PendingSignature::from_json(&state, None).unwrap();
    let mut document = Document::seekable(File::open(path).unwrap());
    pending.complete(Some(&mut document), &value, &mut File::create_new(out).unwrap()).unwrap();
    prepared + start.elapsed().saturating_sub(verified)
}

fn size(octets: u64) -> String {
    if octets < 1_000_000 {
        format!("{} KB", octets / 1000)
    } else {
        format!("{} MB", octets / 1_000_000)
    }
}

/// Canonicalises a stream; how many octets came out.
fn form(document: impl Read, method: &Canonicalization) -> u64 {
    let reader = Reader::from_read(document).unwrap();
    let mut nowhere = sink();
    let covered = canonicalize(reader, method.clone(), Selection::document(), &mut |piece| {
        std::io::Write::write_all(&mut nowhere, std::hint::black_box(piece))
    });
    covered.unwrap().length
}

fn best(work: impl Fn()) -> Duration {
    (0..RUNS).map(|_| timed(&work)).min().unwrap()
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The most memory that this process has held, in KiB (Linux).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse().unwrap_or_default()
}
