//! `verify --revocation fetch` with the evidence services of the sandbox, and their faults.
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

/// Runs `verify` with evidence from the network.
fn verify(bench: &Bench, more: &[&str]) -> Run {
    let files = ["verify", "one.p7s", "--original", "one.txt", "--trust", "sb/root.pem"];
    bench.ades(&[&files[..], &["--revocation", "fetch"], more].concat())
}

/// The same, with the report.
fn report(bench: &Bench, more: &[&str], code: i32) -> Value {
    let run = verify(bench, &[&["--json"], more].concat());
    run.ends(code, "");
    json(&run.out)
}

fn reasons(report: &Value) -> Vec<String> {
    let all = report["not_fetched"].as_array().unwrap();
    all.iter().map(|one| format!("{} {}", one["url"], one["reason"])).collect()
}

#[test]
fn a_good_signature_passes_with_what_its_services_say() {
    let (bench, sandbox) = signed();
    let evidence = sandbox.addresses["evidence"].as_array().unwrap();
    let ocsp = evidence.iter().find(|one| one["service"] == "ocsp").unwrap();
    assert!(ocsp["url"].as_str().unwrap().ends_with("/evidence/signers/ocsp"));
    let report = report(&bench, ALLOW, 0);
    assert_eq!(report["conclusion"], "total-passed");
    let signature = &report["signatures"][0];
    assert_eq!((&signature["revocation"], &signature["trusted"]), (&json!("good"), &json!(true)));
    assert_eq!(report["not_fetched"], json!([]));
    // Without the network, the next step is named.
    let files = ["verify", "one.p7s", "--original", "one.txt", "--trust", "sb/root.pem"];
    bench.ades(&files).ends(6, "--revocation fetch");
    bench.ades(&[&files[..], &["--revocation", "none"]].concat()).ends(0, "--revocation none");
    bench.ades(&[&files[..], ALLOW].concat()).ends(2, "--fetch-allow");
    verify(&bench, &["--fetch-allow", "10.0.0.0/33"]).ends(2, "neither a host");
}

/// The addresses come from a certificate: by default none of this machine or its network is asked.
#[test]
fn addresses_that_are_not_public_are_refused_by_default() {
    let (bench, sandbox) = signed();
    let refused = report(&bench, &[], 6);
    assert_eq!(refused["signatures"][0]["problems"], json!(["revocation-missing"]));
    assert_eq!(refused["signatures"][0]["remarks"], json!(["not-fetched"]));
    let found = reasons(&refused);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().all(|one| one.contains("127.0.0.1 is not a public address")), "{found:?}");
    let run = verify(&bench, &[]);
    let front = sandbox.addresses["front_url"].as_str().unwrap();
    let remark = format!(
        "remark: {front}/evidence/signers/ocsp gave no evidence: 127.0.0.1 is not a public address; --fetch-allow 127.0.0.1 allows it"
    );
    assert!(run.out.contains(&remark), "{run:?}");
    run.ends(6, "did not give them");
    assert_eq!(report(&bench, &["--fetch-allow", "127.0.0.0/8"], 0)["conclusion"], "total-passed");
    assert_eq!(report(&bench, &["--fetch-allow", "localhost"], 6)["conclusion"], "indeterminate");
}

#[test]
fn nobody_answers_when_the_services_are_gone() {
    let (bench, sandbox) = signed();
    drop(sandbox);
    let report = report(&bench, ALLOW, 6);
    assert_eq!(report["signatures"][0]["problems"], json!(["revocation-missing"]));
    let found = reasons(&report);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().all(|one| one.contains("cannot be reached")), "{found:?}");
}

#[test]
fn a_revoked_certificate_is_found() {
    let (bench, sandbox) = signed();
    let revoked = json!({"kind": "revoked", "reason": 1});
    sandbox.evidence_fault("ocsp", &revoked, 1);
    let by_response = report(&bench, ALLOW, 6);
    sandbox.evidence_fault("ocsp", &json!({"kind": "status", "status": 404}), 1);
    sandbox.evidence_fault("crl", &revoked, 1);
    let by_list = report(&bench, ALLOW, 6);
    for report in [by_response, by_list] {
        let signature = &report["signatures"][0];
        assert_eq!(signature["sub_indication"], "REVOKED_NO_POE");
        assert_eq!(signature["revocation"], "revoked");
        assert_eq!(signature["problems"], json!(["certificate-revoked"]));
    }
    sandbox.evidence_fault("root_crl", &revoked, 1);
    let by_root = report(&bench, ALLOW, 6);
    assert_eq!(by_root["signatures"][0]["sub_indication"], "REVOKED_CA_NO_POE");
    assert_eq!(report(&bench, ALLOW, 0)["conclusion"], "total-passed");
}

/// A responder that does not know the certificate says nothing about it: the CRL decides.
#[test]
fn an_unknown_certificate_is_not_good() {
    let (bench, sandbox) = signed();
    sandbox.evidence_fault("ocsp", &json!({"kind": "unknown"}), 1);
    assert_eq!(report(&bench, ALLOW, 0)["signatures"][0]["revocation"], "good");
    sandbox.evidence_fault("ocsp", &json!({"kind": "unknown"}), 1);
    sandbox.evidence_fault("crl", &json!({"kind": "garbage"}), 1);
    let report = report(&bench, ALLOW, 6);
    let signature = &report["signatures"][0];
    assert_eq!(signature["revocation"], "unknown");
    let because = signature["because"].to_string();
    assert!(because.contains("does not know the certificate"), "{because}");
    assert_eq!(signature["remarks"], json!(["not-fetched"]));
}

/// Each fault of both services leaves the signature undecided, and is named with its address.
#[test]
fn answers_that_cannot_be_used_are_named() {
    let (bench, sandbox) = signed();
    for (fault, ocsp, crl) in [
        (json!({"kind": "stale"}), "out of date", "out of date"),
        (json!({"kind": "garbage"}), "malformed OCSP response", "malformed CRL"),
        (json!({"kind": "redirect_loop"}), "more than 3 redirects", "more than 3 redirects"),
        (json!({"kind": "status", "status": 404}), "HTTP status 404", "HTTP status 404"),
        (json!({"kind": "status", "status": 500}), "HTTP status 500", "HTTP status 500"),
        (json!({"kind": "delay", "millis": 60_000}), "no answer in time", "no answer in time"),
    ] {
        for service in ["ocsp", "crl"] {
            sandbox.evidence_fault(service, &fault, 4);
        }
        // The other services need not be fast, unless one is waited for in vain.
        let time = if ocsp == "no answer in time" { "3" } else { "60" };
        let report = report(&bench, &[ALLOW, &["--fetch-timeout", time]].concat(), 6);
        let signature = &report["signatures"][0];
        assert_eq!(signature["indication"], "indeterminate", "{fault}");
        assert_eq!(signature["problems"], json!(["revocation-missing"]), "{fault}");
        assert_eq!(signature["sub_indication"], "CERTIFICATE_CHAIN_GENERAL_FAILURE", "{fault}");
        let found = reasons(&report);
        assert_eq!(found.len(), 2, "{fault}: {found:?}");
        assert!(found[0].contains("/signers/ocsp") && found[0].contains(ocsp), "{found:?}");
        assert!(found[1].contains("/signers.crl") && found[1].contains(crl), "{found:?}");
        sandbox.control("/sandbox/reset", &json!({}));
    }
    // One of the two is enough, and the other is still named.
    sandbox.evidence_fault("ocsp", &json!({"kind": "try_later"}), 1);
    let passed = report(&bench, ALLOW, 0);
    let found = reasons(&passed);
    assert!(found.len() == 1 && found[0].contains("cannot answer now"), "{found:?}");
    sandbox.evidence_fault("ocsp", &json!({"kind": "try_later"}), 1);
    let run = verify(&bench, ALLOW);
    assert!(run.out.contains("\nremark: http://127.0.0.1"), "{run:?}");
    // An answer that does not verify proves nothing. The judge says why.
    for service in ["ocsp", "crl"] {
        sandbox.evidence_fault(service, &json!({"kind": "wrong_signature"}), 1);
    }
    let spoiled = report(&bench, ALLOW, 6);
    let because = spoiled["signatures"][0]["because"].to_string();
    assert!(because.contains("OCSP") && because.contains("CRL"), "{because}");
    assert_eq!(reasons(&spoiled), Vec::<String>::new());
}

/// Two containers of one run: each address is asked once.
#[test]
fn answers_serve_the_other_containers_of_a_run() {
    let (bench, sandbox) = signed();
    std::fs::copy(bench.path("one.p7s"), bench.path("again.p7s")).unwrap();
    let files = ["verify", "one.p7s", "again.p7s", "--original", "one.txt"];
    let trust = ["--trust", "sb/root.pem", "--revocation", "fetch", "--json"];
    let all = [&files[..], &trust, ALLOW].concat();
    // A second request would see the fault.
    sandbox.evidence_fault("ocsp", &json!({"kind": "delay", "millis": 1}), 1);
    sandbox.evidence_fault("ocsp", &json!({"kind": "revoked"}), 1);
    bench.ades(&all).ends(0, "");
    // Both name what is missing.
    sandbox.control("/sandbox/reset", &json!({}));
    for service in ["ocsp", "crl"] {
        sandbox.evidence_fault(service, &json!({"kind": "status", "status": 404}), 1);
    }
    let run = bench.ades(&all);
    run.ends(6, "");
    let found: Vec<usize> = run.out.lines().map(|line| reasons(&json(line)).len()).collect();
    assert_eq!(found, [2, 2]);
}

/// The container has the signer's certificate alone: its issuer is fetched, then what is known
/// about both.
#[test]
fn a_missing_issuer_is_fetched() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    sandbox.fault("identification_status", &json!({"kind": "chain_missing"}), 1);
    bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat()).ends(0, "");
    let files = ["verify", "one.p7s", "--original", "one.txt", "--trust", "sb/root.pem"];
    let alone = bench.ades(&[&files[..], &["--json"]].concat());
    assert_eq!(json(&alone.ends(6, "").out)["signatures"][0]["problems"], json!(["untrusted"]));
    assert_eq!(report(&bench, ALLOW, 0)["conclusion"], "total-passed");
    sandbox.evidence_fault("issuer", &json!({"kind": "garbage"}), 1);
    let report = report(&bench, ALLOW, 6);
    assert_eq!(report["signatures"][0]["problems"], json!(["untrusted"]));
    let found = reasons(&report);
    assert!(found.len() == 1 && found[0].contains("has no certificate"), "{found:?}");
}

/// A fault from the start, for every answer.
#[test]
fn the_sandbox_can_start_with_faults() {
    let bench = bench();
    let faults = ["--auto-approve", "--fault", "ocsp=unknown", "--fault", "crl=stale"];
    let _sandbox = Sandbox::start(&bench, &faults);
    bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat()).ends(0, "");
    for _ in 0..2 {
        let report = report(&bench, ALLOW, 6);
        assert_eq!(report["signatures"][0]["revocation"], "unknown");
    }
    for (wrong, said) in [
        ("ocsp=nothing", "nothing"),
        ("cpr=stale", "time_stamp_ocsp"),
        ("crl=unknown", "cannot have"),
    ] {
        bench.ades(&["sandbox", "--dir", "sb2", "--fault", wrong]).ends(2, said);
    }
}
