//! The memory that the program needs for a document of more than 4 GiB. Enveloping containers
//! are made of 1 GiB, to save disk; docs/benchmarks.md has measurements of 4 GiB.
//!
//! ADES_RELEASE names the optimised program: RELEASING.md has the command. Without it, the debug
//! build is measured, which has more pages of its own and another limit.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod common;

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use ades_tests::invoice::Invoice;
use ades_tests::pki::Key;
use common::service::{self, ITSME, Sandbox};
use common::{Bench, Run};
use serde_json::json;

const GIB: u64 = 1024 * 1024 * 1024;
/// In KiB.
const MAY_BE_HELD: u64 = 16 * 1024;
const MAY_BE_HELD_BY_A_DEBUG_BUILD: u64 = 40 * 1024;
const MAY_BE_ADDED: u64 = 3 * 1024;

/// Writes XML of at least this length.
const LONG_XML: u64 = 64 * 1024 * 1024;

/// Runs the program and returns its peak resident size in KiB, as GNU time has it.
fn peak(bench: &Bench, arguments: &str) -> u64 {
    let program = std::env::var_os("ADES_RELEASE").map(PathBuf::from);
    let program = program.unwrap_or_else(|| env!("CARGO_BIN_EXE_ades").into());
    let mut time = Command::new("/usr/bin/time");
    time.args(["--format=%M", "--output=peak"]).arg(std::path::absolute(program).unwrap());
    time.args(arguments.split(' '));
    time.current_dir(bench.path(".")).env("XDG_DATA_HOME", bench.path("data"));
    Run::new(&time.env("PASSWORD", "sesame").output().expect("GNU time")).ends(0, "");
    String::from_utf8(bench.read("peak")).unwrap().trim().parse().unwrap()
}

#[test]
fn memory_does_not_grow_with_the_document() {
    let bench = Bench::new();
    bench.identity(Key::P256);
    // One octet more than 32 bits can count.
    for (name, length) in [("long.bin", 4 * GIB + 1), ("big.bin", GIB), ("short.bin", 1)] {
        File::create(bench.path(name)).unwrap().set_len(length).unwrap();
    }
    let key = "--signer pkcs12:key.p12 --password-env PASSWORD";
    let may_be_held = match std::env::var_os("ADES_RELEASE") {
        Some(_) => MAY_BE_HELD,
        None => MAY_BE_HELD_BY_A_DEBUG_BUILD,
    };
    for (what, document, command) in [
        ("detached", "long", format!("sign {{}}.bin -o {{}}.p7s {key}")),
        ("sandbox", "big", "sign {}.bin -o {}-2.p7s --auto-approve".to_owned()),
        (
            "verify",
            "long",
            "verify {}.p7s --original {}.bin --revocation none --trust root.pem".to_owned(),
        ),
        ("enveloping", "big", format!("sign {{}}.bin -o {{}}.p7m --packaging enveloping {key}")),
        ("verify", "big", "verify {}.p7m --revocation none --trust root.pem".to_owned()),
    ] {
        let short = peak(&bench, &command.replace("{}", "short"));
        let long = peak(&bench, &command.replace("{}", document));
        println!("{what}: {long} KiB, {short} KiB for one octet");
        assert!(long <= short + MAY_BE_ADDED, "{what}: {long} KiB, not {short}");
        // The sandbox in the same process is not part of signing.
        if what != "sandbox" {
            assert!(long <= may_be_held, "{what}: {long} KiB");
        }
    }
    let container = bench.path("big.p7m").metadata().unwrap().len();
    assert!(container > GIB && container < GIB + 8192, "{container}");
    let verify = ["cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "long.p7s"];
    let files = ["-content", "long.bin", "-CAfile", "root.pem", "-out", "/dev/null"];
    bench.openssl(&[&verify[..], &files].concat()).ends(0, "Verification successful");
}

#[test]
fn memory_does_not_grow_with_an_xml_document() {
    let bench = Bench::new();
    bench.identity(Key::P256);
    for (name, length) in [("long.xml", LONG_XML), ("short.xml", 10_000)] {
        let mut file = File::create(bench.path(name)).unwrap();
        std::io::copy(&mut Invoice::new(length), &mut file).unwrap();
    }
    assert!(bench.path("long.xml").metadata().unwrap().len() >= LONG_XML);
    let key = "--signer pkcs12:key.p12 --password-env PASSWORD";
    for (what, command) in [
        ("enveloped", format!("sign {{}}.xml -o {{}}.signed {key}")),
        ("verify", "verify {}.signed --revocation none --trust root.pem".to_owned()),
        ("enveloping", format!("sign {{}}.xml -o {{}}.xades --packaging enveloping {key}")),
        ("verify", "verify {}.xades --revocation none --trust root.pem".to_owned()),
    ] {
        let short = peak(&bench, &command.replace("{}", "short"));
        let long = peak(&bench, &command.replace("{}", "long"));
        println!("{what}: {long} KiB, {short} KiB for a short one");
        assert!(long <= short + MAY_BE_ADDED, "{what}: {long} KiB, not {short}");
    }
}

/// A CRL of 100 MB goes into a file, and is read as a stream. The figures of a debug build are the
/// same: only the growth counts.
#[test]
fn memory_does_not_grow_with_a_crl() {
    let bench = service::bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve", "--fault", "ocsp=try_later"]);
    bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat()).ends(0, "");
    let verify = "verify one.p7s --original one.txt --trust sb/root.pem --revocation fetch \
                  --fetch-allow 127.0.0.1 --fetch-timeout 300";
    let short = peak(&bench, verify);
    sandbox.evidence_fault("crl", &json!({"kind": "long", "megabytes": 100}), 1);
    let long = peak(&bench, verify);
    println!("a CRL of 100 MB: {long} KiB, {short} KiB for a short one");
    assert!(long <= short + MAY_BE_ADDED, "{long} KiB, not {short}");
}
