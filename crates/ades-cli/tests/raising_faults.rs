//! Every fault of the sandbox's evidence services, met by `ades extend`: the message names it, the
//! exit status says who can help, and nothing is lost.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

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

fn extend(bench: &Bench, sandbox: &Sandbox, files: (&str, &str), level: &str) -> Run {
    extend_within(bench, sandbox, files, level, "60")
}

/// As [`extend`], with this time for one answer, in seconds.
fn extend_within(
    bench: &Bench,
    sandbox: &Sandbox,
    files: (&str, &str),
    level: &str,
    time: &str,
) -> Run {
    let tsa = sandbox.addresses["tsa_url"].as_str().unwrap();
    let what = ["extend", files.0, "--level", level, "--tsa", tsa, "-o", files.1, "--force"];
    let trust = ["--original", "one.txt", "--trust", "sb/root.pem", "--fetch-timeout", time];
    bench.ades(&[&what[..], &trust, ALLOW].concat())
}

/// The first signature in the report of verifying without the network.
fn report(bench: &Bench, file: &str) -> Value {
    let what = ["verify", file, "--original", "one.txt", "--trust", "sb/root.pem", "--json"];
    json(&bench.ades(&what).out)["signatures"][0].clone()
}

/// The services need not be fast, unless one is waited for in vain.
fn time_for(expected: &str) -> &'static str {
    if expected == "no answer in time" { "3" } else { "60" }
}

fn fault(kind: &str) -> Value {
    json!({ "kind": kind })
}

/// A time-stamp that does not count is not embedded: no file is written, and the signature stays
/// as it was.
#[test]
fn each_fault_of_the_time_stamping_service_leaves_the_signature_as_it_was() {
    let (bench, sandbox) = signed();
    let before = bench.read("one.p7s");
    for (fault, expected) in [
        (fault("rejection"), "refused the request"),
        (json!({"kind": "rejection", "failure": 17, "text": "no quota"}), "no quota"),
        (fault("wrong_nonce"), "another nonce"),
        (fault("wrong_imprint"), "over other data"),
        (fault("two_signers"), "does not hold"),
        (fault("wrong_signature"), "does not hold"),
        (fault("no_certificates"), "without the certificate"),
        (fault("expired_certificate"), "expired"),
        (fault("garbage"), "malformed"),
        (fault("redirect_loop"), "more than 3 redirects"),
        (json!({"kind": "status", "status": 500}), "HTTP status 500"),
        (json!({"kind": "status", "status": 429, "retry_after": 7}), "ask again after 7 seconds"),
        (json!({"kind": "delay", "millis": 60_000}), "no answer in time"),
    ] {
        // A redirect loop needs more than one answer.
        sandbox.control("/sandbox/reset", &json!({}));
        sandbox.evidence_fault("time_stamp", &fault, 9);
        let time = time_for(expected);
        let run = extend_within(&bench, &sandbox, ("one.p7s", "t.p7s"), "t", time);
        run.ends(5, expected).ends(5, "no file was written");
        assert!(!bench.has("t.p7s") && !bench.has("t.p7s.raising"), "{fault}");
    }
    assert_eq!(bench.read("one.p7s"), before);
    sandbox.control("/sandbox/reset", &json!({}));
    extend(&bench, &sandbox, ("one.p7s", "t.p7s"), "t").ends(0, "t.p7s: B-T");
}

/// Revocation data that do not count cost the level B-LT. The time-stamp is kept, and the next run
/// needs no other one.
#[test]
fn each_fault_of_revocation_data_leaves_the_signature_with_its_time_stamp() {
    let (bench, sandbox) = signed();
    let gone = json!({"kind": "status", "status": 404});
    for (ocsp, crl, expected) in [
        (fault("stale"), fault("stale"), "out of date"),
        (fault("garbage"), fault("garbage"), "malformed CRL"),
        (fault("redirect_loop"), fault("redirect_loop"), "more than 3 redirects"),
        (fault("unknown"), gone.clone(), "does not know the certificate"),
        (fault("try_later"), gone.clone(), "cannot answer now"),
        (fault("wrong_signature"), fault("wrong_signature"), "no revocation data"),
        (fault("expired_certificate"), gone.clone(), "no revocation data"),
        (json!({"kind": "delay", "millis": 60_000}), gone.clone(), "no answer in time"),
    ] {
        sandbox.control("/sandbox/reset", &json!({}));
        sandbox.evidence_fault("ocsp", &ocsp, 9);
        sandbox.evidence_fault("crl", &crl, 9);
        let time = time_for(expected);
        let run = extend_within(&bench, &sandbox, ("one.p7s", "t.p7s"), "lta", time);
        run.ends(5, expected).ends(5, "t.p7s: B-T, which is what was reached");
        assert_eq!(report(&bench, "t.p7s")["level"], "B-T", "{ocsp} {crl}");
        sandbox.control("/sandbox/reset", &json!({}));
        extend(&bench, &sandbox, ("t.p7s", "lt.p7s"), "lt").ends(0, "lt.p7s: B-LT");
        assert_eq!(sandbox.requests().get("time_stamp"), None, "{ocsp} {crl}");
    }
    // A CRL of 100 MB is not embedded, and it is not read to its end.
    sandbox.evidence_fault("ocsp", &gone, 9);
    sandbox.evidence_fault("crl", &json!({"kind": "long", "megabytes": 100}), 9);
    let tsa = sandbox.addresses["tsa_url"].as_str().unwrap();
    let what = ["extend", "t.p7s", "--level", "lt", "--tsa", tsa, "-o", "long.p7s"];
    let trust = ["--original", "one.txt", "--trust", "sb/root.pem", "--fetch-timeout", "300"];
    let run = bench.ades(&[&what[..], &trust, ALLOW].concat());
    run.ends(5, "longer than 33554432 octets").ends(5, "no file was written");
    sandbox.control("/sandbox/reset", &json!({}));
    // The CRL counts if the responder does not answer.
    sandbox.evidence_fault("ocsp", &fault("try_later"), 9);
    extend(&bench, &sandbox, ("t.p7s", "lt.p7s"), "lt").ends(0, "lt.p7s: B-LT");
    // A nonce that nobody asked for does not matter (RFC 9654, 2.1).
    sandbox.control("/sandbox/reset", &json!({}));
    sandbox.evidence_fault("ocsp", &fault("wrong_nonce"), 9);
    extend(&bench, &sandbox, ("t.p7s", "lt.p7s"), "lt").ends(0, "lt.p7s: B-LT");
}

/// No other service can help: the status is that of an input which cannot be used.
#[test]
fn a_revoked_signer_is_named_and_stays_at_its_level() {
    let (bench, sandbox) = signed();
    for service in ["ocsp", "crl"] {
        sandbox.evidence_fault(service, &json!({"kind": "revoked", "seconds_ago": 3600}), 9);
    }
    let run = extend(&bench, &sandbox, ("one.p7s", "t.p7s"), "lta");
    run.ends(3, "was revoked on").ends(3, "t.p7s: B-T, which is what was reached");
    // The time-stamp is before a revocation that comes later: that signature stays good.
    sandbox.control("/sandbox/reset", &json!({}));
    extend(&bench, &sandbox, ("one.p7s", "t.p7s"), "t").ends(0, "");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    for service in ["ocsp", "crl"] {
        sandbox.evidence_fault(service, &json!({"kind": "revoked", "seconds_ago": 0}), 9);
    }
    extend(&bench, &sandbox, ("t.p7s", "lta.p7s"), "lta").ends(0, "lta.p7s: B-LTA");
    let what = ["verify", "lta.p7s", "--original", "one.txt", "--trust", "sb/root.pem"];
    bench.ades(&what).ends(0, "");
}

/// The same of the services about the time-stamping unit and the CAs: their data are as necessary.
#[test]
fn each_fault_about_the_authority_leaves_the_signature_with_its_time_stamp() {
    let (bench, sandbox) = signed();
    let gone = json!({"kind": "status", "status": 404});
    let both =
        |fault: &Value| vec![("time_stamp_ocsp", fault.clone()), ("time_stamp_crl", fault.clone())];
    for (faults, code, expected) in [
        (both(&gone), 5, "HTTP status 404"),
        (both(&fault("stale")), 5, "out of date"),
        (both(&fault("garbage")), 5, "malformed"),
        (both(&fault("revoked")), 3, "was revoked on"),
        (vec![("root_crl", fault("stale"))], 5, "out of date"),
        (vec![("root_crl", fault("garbage"))], 5, "malformed CRL"),
    ] {
        sandbox.control("/sandbox/reset", &json!({}));
        for (service, fault) in &faults {
            sandbox.evidence_fault(service, fault, 9);
        }
        let run = extend(&bench, &sandbox, ("one.p7s", "t.p7s"), "lta");
        run.ends(code, expected).ends(code, "t.p7s: B-T, which is what was reached");
    }
}

/// An archive time-stamp that fails costs only that: what was embedded before stays.
#[test]
fn a_fault_of_the_archive_time_stamp_leaves_level_lt() {
    let (bench, sandbox) = signed();
    for (fault, expected) in [
        (fault("rejection"), "refused"),
        (fault("wrong_imprint"), "over other data"),
        (fault("expired_certificate"), "expired"),
    ] {
        // The first request is for the time-stamp on the signature.
        sandbox.evidence_fault("time_stamp", &json!({"kind": "delay", "millis": 1}), 1);
        sandbox.evidence_fault("time_stamp", &fault, 1);
        let run = extend(&bench, &sandbox, ("one.p7s", "lt.p7s"), "lta");
        run.ends(5, expected).ends(5, "lt.p7s: B-LT, which is what was reached");
        assert_eq!(report(&bench, "lt.p7s")["level"], "B-LT", "{fault}");
    }
    extend(&bench, &sandbox, ("lt.p7s", "lta.p7s"), "lta").ends(0, "lta.p7s: B-LTA");
    assert_eq!(report(&bench, "lta.p7s")["timestamps"].as_array().unwrap().len(), 2);
}
