//! `ades extend` with the evidence services of the sandbox, and their faults.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use ades_tests::pki::Key;
use common::service::{ITSME, Sandbox, bench};
use common::{Bench, Run, json};
use serde_json::{Value, json};

const ALLOW: &[&str] = &["--fetch-allow", "127.0.0.1"];

/// A sandbox, and `one.p7s`, which its user has signed.
fn signed() -> (Bench, Sandbox) {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat()).ends(0, "");
    (bench, sandbox)
}

/// Raises `input` to `level` in `output`.
fn extend(
    bench: &Bench,
    sandbox: &Sandbox,
    (input, level, output): (&str, &str, &str),
    more: &[&str],
) -> Run {
    let tsa = sandbox.addresses["tsa_url"].as_str().unwrap();
    let what = ["extend", input, "--level", level, "--tsa", tsa, "-o", output];
    let trust = ["--original", "one.txt", "--trust", "sb/root.pem"];
    bench.ades(&[&what[..], &trust, more].concat())
}

/// The report of verifying without the network.
fn report(bench: &Bench, file: &str) -> Value {
    let what = ["verify", file, "--original", "one.txt", "--trust", "sb/root.pem", "--json"];
    json(&bench.ades(&what).out)
}

fn level(bench: &Bench, file: &str) -> String {
    report(bench, file)["signatures"][0]["level"].as_str().unwrap().to_owned()
}

#[test]
fn a_signature_is_raised_passes_without_the_network_and_is_renewed() {
    let (bench, sandbox) = signed();
    extend(&bench, &sandbox, ("one.p7s", "t", "t.p7s"), &[]).ends(0, "t.p7s: B-T");
    assert_eq!(level(&bench, "t.p7s"), "B-T");
    let run = extend(&bench, &sandbox, ("t.p7s", "lta", "lta.p7s"), &[ALLOW, &["--json"]].concat());
    run.ends(0, "");
    let line = json(&run.out);
    assert_eq!((&line["level"], &line["missing"]), (&json!("B-LTA"), &json!([])));
    extend(
        &bench,
        &sandbox,
        ("lta.p7s", "lta", "two.p7s"),
        &[ALLOW, &["--digest", "sha512"]].concat(),
    )
    .ends(0, "B-LTA");
    drop(sandbox);
    for file in ["lta.p7s", "two.p7s"] {
        let report = report(&bench, file);
        assert_eq!(report["conclusion"], "total-passed", "{report}");
        assert_eq!(report["signatures"][0]["level"], "B-LTA");
    }
    assert_eq!(
        report(&bench, "two.p7s")["signatures"][0]["timestamps"].as_array().unwrap().len(),
        3
    );
}

#[test]
fn what_was_reached_is_written_when_a_service_fails_and_is_continued() {
    let (bench, sandbox) = signed();
    // The addresses in certificates are not public here.
    let run = extend(&bench, &sandbox, ("one.p7s", "lta", "t.p7s"), &[]);
    run.ends(5, "127.0.0.1 is not a public address").ends(5, "t.p7s: B-T");
    assert_eq!(level(&bench, "t.p7s"), "B-T");

    let rejection = json!({"kind": "rejection"});
    sandbox.evidence_fault("time_stamp", &rejection, 1);
    let run = extend(&bench, &sandbox, ("t.p7s", "lta", "lt.p7s"), ALLOW);
    run.ends(5, "lt.p7s: B-LT").ends(5, "refused");
    assert_eq!(report(&bench, "lt.p7s")["conclusion"], "total-passed");

    extend(&bench, &sandbox, ("lt.p7s", "lta", "lta.p7s"), ALLOW).ends(0, "B-LTA");
    let stamps = report(&bench, "lta.p7s");
    assert_eq!(stamps["signatures"][0]["timestamps"].as_array().unwrap().len(), 2);
}

/// Trap 11: the next service answers in place of one that fails.
#[test]
fn every_fault_of_a_time_stamping_service_is_named_and_the_next_service_is_asked() {
    let (bench, sandbox) = signed();
    for (fault, expected) in [
        ("rejection", "refused"),
        ("wrong_nonce", "another nonce"),
        ("wrong_imprint", "over other data"),
        ("two_signers", "does not hold"),
        ("garbage", "malformed"),
    ] {
        sandbox.evidence_fault("time_stamp", &json!({"kind": fault}), 1);
        let run = extend(&bench, &sandbox, ("one.p7s", "t", "t.p7s"), &[]);
        run.ends(5, expected).ends(5, "no file was written");
        assert!(!bench.has("t.p7s"), "{fault}");
    }
    let what = ["extend", "one.p7s", "--level", "t", "-o", "t.p7s"];
    let good = sandbox.addresses["tsa_url"].as_str().unwrap();
    bench.ades(&what).ends(2, "--tsa");
    bench.ades(&[&what[..], &["--tsa", "ftp://x/"]].concat()).ends(2, "--tsa");
    let both = ["--tsa", "http://127.0.0.1:9/", "--tsa", good];
    bench.ades(&[&what[..], &both].concat()).ends(0, "B-T");
    bench.ades(&[&what[..], &both].concat()).ends(2, "--force");
    let lta = ["extend", "one.p7s", "--level", "lta", "--tsa", good, "-o", "lta.p7s"];
    bench.ades(&lta).ends(2, "--original");
    bench.write("broken.p7s", b"not a container");
    let broken = ["extend", "broken.p7s", "--level", "t", "--tsa", good, "-o", "out.p7s"];
    bench.ades(&broken).ends(3, "not a signed document");
}

#[test]
fn xml_and_pdf_are_raised_by_the_same_command() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    bench.write("doc.xml", b"<?xml version=\"1.0\"?><a>b</a>");
    bench.write("doc.pdf", ades_tests::pdf::Document::default().write());
    for (document, signed, raised) in
        [("doc.xml", "signed.xml", "lta.xml"), ("doc.pdf", "signed.pdf", "lta.pdf")]
    {
        bench.ades(&[&["sign", document, "-o", signed], ITSME].concat()).ends(0, "");
        let tsa = sandbox.addresses["tsa_url"].as_str().unwrap();
        let what = ["extend", signed, "--level", "lta", "--tsa", tsa, "-o", raised];
        let trust = ["--trust", "sb/root.pem"];
        bench.ades(&[&what[..], &trust, ALLOW].concat()).ends(0, "B-LTA");
        let run = bench.ades(&["verify", raised, "--trust", "sb/root.pem"]);
        run.ends(0, "");
    }
}

#[test]
fn signing_reaches_lta_with_nothing_but_the_sandbox_in_one_batch() {
    let bench = bench();
    bench.write("doc.xml", b"<?xml version=\"1.0\"?><a>b</a>");
    bench.write("doc.pdf", ades_tests::pdf::Document::default().write());
    let files = ["sign", "one.txt", "doc.xml", "doc.pdf", "--out-dir", "out"];
    let how = ["--auto-approve", "--sandbox-dir", "sb", "--level", "lta", "--json"];
    let run = bench.ades(&[&files[..], &how].concat());
    run.ends(0, "");
    let line = json(&run.out);
    for file in line["signed"].as_array().unwrap() {
        assert_eq!(file["level"], "B-LTA", "{line}");
        let output = file["output"].as_str().unwrap();
        let original = ["--original", "one.txt"];
        let original = if output.ends_with(".p7s") { &original[..] } else { &[] };
        let verify = ["verify", output, "--trust", "sb/root.pem", "--json"];
        let run = bench.ades(&[&verify[..], original].concat());
        assert_eq!(json(&run.out)["conclusion"], "total-passed", "{run:?}");
    }
}

#[test]
fn a_service_that_fails_costs_a_level_and_not_the_signature() {
    let (bench, sandbox) = signed();
    sandbox.evidence_fault("time_stamp", &json!({"kind": "rejection"}), 1);
    let tsa = sandbox.addresses["tsa_url"].as_str().unwrap();
    let sign = ["sign", "two.txt", "-o", "two.p7s", "--level", "lta", "--tsa", tsa];
    let run = bench.ades(&[&sign[..], ITSME, ALLOW].concat());
    run.ends(5, "ades extend raises them later").ends(5, "refused");
    let verify = ["verify", "two.p7s", "--original", "two.txt", "--integrity", "--json"];
    assert_eq!(json(&bench.ades(&verify).out)["signatures"][0]["level"], "B-B");
    let sign = ["sign", "one.txt", "-o", "-", "--level", "t", "--tsa", tsa];
    bench.ades(&[&sign[..], ITSME].concat()).ends(2, "name a file");
    let prepare = ["prepare", "one.txt", "--certs", "x", "--state", "s", "--level", "t"];
    bench.ades(&prepare).ends(2, "ades extend");
}

/// Somebody else signed before, with a certificate about whose revocation nobody can be asked. That
/// signature stays as it is, and the exit status is about the new one.
#[test]
fn signing_raises_the_new_signature_of_a_document_and_no_other() {
    let bench = bench();
    bench.identity(Key::P256);
    bench.write("doc.xml", b"<?xml version=\"1.0\"?><a>b</a>");
    bench.write("doc.pdf", ades_tests::pdf::Document::default().write());
    bench.sign(&["doc.pdf", "-o", "once.pdf"]).ends(0, "");
    bench.sign(&["doc.xml", "-o", "once.xml", "--allow-parallel"]).ends(0, "");
    bench.sign(&["one.txt", "-o", "once.p7m", "--packaging", "enveloping"]).ends(0, "");
    for (document, output, more) in [
        ("once.pdf", "both.pdf", &[][..]),
        ("once.xml", "both.xml", &["--allow-parallel"]),
        ("once.p7m", "both.p7m", &["--parallel", "once.p7m"]),
    ] {
        let what = ["sign", document, "-o", output, "--auto-approve", "--sandbox-dir", "sb"];
        let run = bench.ades(&[&what[..], &["--level", "lta", "--json"], more].concat());
        run.ends(0, "");
        assert_eq!(json(&run.out)["signed"][0]["level"], "B-LTA", "{}", run.out);
        let verify = ["verify", output, "--trust", "sb/root.pem", "--json"];
        let report = json(&bench.ades(&verify).out);
        let signatures = report["signatures"].as_array().unwrap();
        assert_eq!(signatures.len(), 2);
        let of_other = |one: &&Value| one["signer"] == "Test Signer P256";
        let other = signatures.iter().find(of_other).unwrap();
        let own = signatures.iter().find(|one| !of_other(one)).unwrap();
        assert_eq!((&own["level"], &own["indication"]), (&json!("B-LTA"), &json!("total-passed")));
        assert_eq!(other["intact"], true, "{report}");
        if output != "both.pdf" {
            assert_eq!(other["level"], "B-B", "{report}");
        }
    }
    // ades extend raises all: the other signature keeps it from the level.
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    let tsa = sandbox.addresses["tsa_url"].as_str().unwrap();
    let extend = ["extend", "both.p7m", "--level", "lta", "--tsa", tsa, "-o", "all.p7m"];
    bench.ades(&[&extend[..], ALLOW].concat()).ends(5, "which is what was reached");
}
