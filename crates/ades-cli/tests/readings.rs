//! How often the program reads a document, and how often it writes it. Linux counts the octets
//! of each process.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, File};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use ades_tests::invoice::Invoice;
use ades_tests::pdf::write_image_pages;
use ades_tests::pki::Key;
use common::Bench;

/// About 8 MB, so that what else the program reads does not count.
const LENGTH: u64 = 8_000_000;

/// Runs the program. Returns the numbers of octets that it read and wrote, in lengths of the
/// document: one decimal.
fn octets(bench: &Bench, arguments: &str, length: u64) -> (f64, f64) {
    let mut command = bench.command(&arguments.split(' ').collect::<Vec<_>>());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let of_child = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap();
    // Until the parent asks for its status, the counters of a process that has ended stay.
    while !of_child("stat").rsplit_once(") ").unwrap().1.starts_with('Z') {
        thread::sleep(Duration::from_millis(5));
    }
    let counters = of_child("io");
    let counted = |name: &str| {
        let line = counters.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let octets: u64 = line.trim().parse().unwrap();
        octets as f64 / length as f64
    };
    let counted = (counted("rchar:"), counted("wchar:"));
    assert!(child.wait().unwrap().success(), "{arguments}");
    counted
}

#[test]
fn documents_are_read_to_be_prepared_and_to_be_checked() {
    let bench = Bench::new();
    bench.identity(Key::P256);
    let mut pdf = File::create(bench.path("a.pdf")).unwrap();
    write_image_pages(&mut pdf, 16, 1000).unwrap();
    std::io::copy(&mut Invoice::new(LENGTH), &mut File::create(bench.path("a.xml")).unwrap())
        .unwrap();
    fs::write(bench.path("a.bin"), vec![7; LENGTH as usize]).unwrap();
    let key = "--quiet --signer pkcs12:key.p12 --password-env PASSWORD";
    for (document, options, readings, writings) in [
        ("a.pdf", "-o a-signed.pdf", 2.0, 1.0),
        ("a.bin", "-o a.p7s", 2.0, 0.0),
        ("a.bin", "-o a.p7m --packaging enveloping", 2.0, 1.0),
        ("a.xml", "-o a-signed.xml", 2.0, 1.0),
        ("a.bin", "-o a.xades --format xades --packaging detached", 2.0, 0.0),
        // The earlier signature is verified before and after.
        ("a-signed.pdf", "-o a-again.pdf", 4.0, 1.0),
    ] {
        let length = bench.path(document).metadata().unwrap().len();
        let (read, written) = octets(&bench, &format!("sign {document} {options} {key}"), length);
        println!("{document} {options}: {read:.2} readings, {written:.2} writings");
        assert!(read < readings + 0.3, "{document} {options}: read {read} times");
        assert!(written < writings + 0.3, "{document} {options}: written {written} times");
    }
}
