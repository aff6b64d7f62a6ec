//! The program with an itsme® service that fails, or that answers what it should not.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use common::service::{ITSME, Sandbox, bench, kill, spawn, stage, until};
use serde_json::json;

#[test]
fn unknown_outcome_is_never_repeated_by_itself() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    let pending = "one.p7s.pending";
    let arguments = [&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat();

    // Killed during the request.
    sandbox.fault("sign_document", &json!({"kind": "delay", "millis": 20_000}), 1);
    let child = spawn(&bench, &arguments);
    until("asking", || sandbox.sessions("signature").len() == 1);
    assert_eq!(stage(&bench, pending), "asking");
    kill(child);
    bench.ades(&["resume", pending]).ends(5, "--ask-again");
    assert_eq!(sandbox.sessions("signature").len(), 1);
    bench.ades(&["resume", pending, "--ask-again"]).ends(0, "");
    assert_eq!(sandbox.sessions("signature").len(), 2);
    bench.openssl_accepts("one.p7s", Some("one.txt"), "sb/root.pem");
    std::fs::remove_file(bench.path("one.p7s")).unwrap();

    // The answer breaks off or is unclear.
    for fault in [
        json!({"kind": "reset"}),
        json!({"kind": "answer", "status": 200, "content_type": "text/html", "body": "<p>"}),
        json!({"kind": "answer", "status": 404}),
        json!({"kind": "redirect"}),
        json!({"kind": "huge"}),
        json!({"kind": "untrusted_host"}),
        json!({"kind": "unknown_major"}),
        json!({"kind": "code", "status": 400, "code": "SOMETHING_NEW"}),
        json!({"kind": "code", "status": 400, "code": "UNEXPECTED_ERROR"}),
    ] {
        sandbox.control("/sandbox/reset", &json!({}));
        sandbox.fault("sign_document", &fault, 1);
        bench.ades(&arguments).ends(5, "must not be repeated blindly");
        assert_eq!(sandbox.sessions("signature").len(), 1, "{fault}");
        bench.ades(&["resume", pending]).ends(5, "--ask-again");
        assert_eq!(sandbox.sessions("signature").len(), 1, "{fault}");
        bench.ades(&["resume", pending, "--ask-again"]).ends(0, "");
        assert_eq!(sandbox.sessions("signature").len(), 2, "{fault}");
        std::fs::remove_file(bench.path("one.p7s")).unwrap();
    }

    // A clear refusal: nobody was asked.
    sandbox.fault(
        "sign_document",
        &json!({"kind": "code", "status": 400, "code": "INVALID_POLICY"}),
        1,
    );
    bench.ades(&arguments).ends(3, "INVALID_POLICY");
    bench.ades(&["resume", pending]).ends(0, "");
}

/// Whatever the service answers to a status request, the confirmed signature stays available.
#[test]
fn confirmed_signature_is_kept() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    // Requests are not repeated automatically.
    bench.configure("[limits]\nstatus_failures = 0\n");
    let pending = "one.p7s.pending";
    let page = json!({"kind": "answer", "status": 200, "content_type": "text/html", "body": "<p>"});
    for (fault, exit) in [
        (page, 5),
        (json!({"kind": "answer", "status": 503}), 5),
        (json!({"kind": "answer", "status": 403}), 4),
        (json!({"kind": "huge"}), 5),
        (json!({"kind": "reset"}), 5),
        (json!({"kind": "unknown_major"}), 5),
        (json!({"kind": "success_without_values"}), 5),
        (json!({"kind": "missing_id"}), 5),
        (json!({"kind": "unknown_id"}), 5),
        (json!({"kind": "other_digest"}), 5),
    ] {
        sandbox.control("/sandbox/reset", &json!({}));
        sandbox.fault("sign_status", &fault, 1);
        let run = bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat());
        assert_eq!(run.code, exit, "{fault}: {run:?}");
        assert_eq!(stage(&bench, pending), "signing", "{fault}");
        bench.ades(&["resume", pending]).ends(0, "");
        assert_eq!(sandbox.sessions("signature").len(), 1, "{fault}");
        bench.openssl_accepts("one.p7s", Some("one.txt"), "sb/root.pem");
        std::fs::remove_file(bench.path("one.p7s")).unwrap();
    }

    // --ask-again gives up a session without a usable result.
    sandbox.control("/sandbox/reset", &json!({}));
    sandbox.fault("sign_status", &json!({"kind": "other_digest"}), 2);
    bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat()).ends(5, "does not verify");
    bench.ades(&["resume", pending]).ends(5, "does not verify");
    bench.ades(&["resume", pending, "--ask-again"]).ends(0, "");
    assert_eq!(sandbox.sessions("signature").len(), 2);

    // The service ended the session: resuming starts a new one.
    std::fs::remove_file(bench.path("one.p7s")).unwrap();
    sandbox.control("/sandbox/reset", &json!({}));
    let over = json!({"kind": "code", "status": 400, "code": "INVALID_POLICY"});
    sandbox.fault("sign_status", &over, 1);
    let run = bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat());
    run.ends(5, "INVALID_POLICY").ends(5, "a new session may succeed");
    bench.ades(&["resume", pending]).ends(0, "");
    assert_eq!(sandbox.sessions("signature").len(), 2);
}

#[test]
fn bad_answers_never_become_a_container() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    // Requests are not repeated automatically.
    bench.configure("[limits]\nstatus_failures = 0\n");
    for (endpoint, kinds) in [
        ("user_identification", &["untrusted_host", "huge", "redirect"][..]),
        ("identification_status", &["foreign_certificate", "huge", "redirect"]),
        ("sign_document", &["untrusted_host", "huge", "redirect"]),
        (
            "sign_status",
            &[
                "unknown_major",
                "success_without_values",
                "wrong_value",
                "short_value",
                "other_digest",
                "double_hash",
                "pss",
                "foreign_key",
                "swapped_values",
                "duplicate_id",
                "missing_id",
                "unknown_id",
                "url_alphabet",
            ],
        ),
    ] {
        for kind in kinds {
            sandbox.control("/sandbox/reset", &json!({}));
            sandbox.fault(endpoint, &json!({"kind": kind}), 1);
            let arguments = ["sign", "one.txt", "two.txt", "--out-dir", "out"];
            let run = bench.ades(&[&arguments[..], ITSME].concat());
            assert_eq!(run.code, 5, "{endpoint} {kind}: {run:?}");
            let names = bench.names("out");
            assert!(names.iter().all(|name| name == "ades.pending"), "{kind}: {names:?}");
            std::fs::remove_dir_all(bench.path("out")).unwrap();
        }
    }
    for kind in ["small_d", "chain_missing", "chain_scrambled", "crlf_pem"] {
        let endpoint =
            if kind == "small_d" { "user_identification" } else { "identification_status" };
        sandbox.fault(endpoint, &json!({"kind": kind}), 1);
        bench.ades(&[&["sign", "one.txt", "-o", kind], ITSME].concat()).ends(0, "");
    }
    for kind in ["reversed_order", "lower_case_key", "line_breaks"] {
        sandbox.fault("sign_status", &json!({"kind": kind}), 1);
        let arguments = ["sign", "one.txt", "two.txt", "--out-dir", kind];
        bench.ades(&[&arguments[..], ITSME].concat()).ends(0, "");
        bench.openssl_accepts(&format!("{kind}/two.txt.p7s"), Some("two.txt"), "sb/root.pem");
    }
}

/// Faults of each request are repeated where that is safe, and reported everywhere else.
#[test]
fn service_in_trouble_costs_one_signature_at_most() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    let page = json!({"kind": "answer", "status": 200, "content_type": "text/html", "body": "<p>"});
    let blank = json!({"kind": "answer", "status": 200});
    let down = json!({"kind": "answer", "status": 503, "body": "down"});
    let code = json!({"kind": "code", "status": 500, "code": "GeneralError"});
    let reset = json!({"kind": "reset"});
    let late = json!({"kind": "delay", "millis": 300});
    let cookie = json!({"kind": "set_cookie"});
    let http_page = json!({"kind": "http_url"});
    let fragment = json!({"kind": "url_fragment"});
    let foreign = json!({"kind": "foreign_identity"});
    let unknown = json!({"kind": "result", "maj": "resultmajor:ResponderError"});
    let policy = ["--policy", "1.3.6.1.4.1.49274.1.1.7.1.0", "--policy-digest-from-discovery"];
    let sign = [&["sign", "one.txt", "-o", "one.p7s"], &policy[..], ITSME].concat();
    for (endpoint, passes, ends) in [
        ("configuration", &[&page, &blank, &down, &code, &reset, &late, &cookie][..], &[][..]),
        (
            "user_identification",
            &[&late, &cookie, &fragment],
            &[&page, &blank, &down, &code, &reset, &http_page],
        ),
        (
            "identification_status",
            &[&down, &reset, &late, &cookie, &page, &blank, &code],
            &[&foreign],
        ),
        (
            "sign_document",
            &[&late, &cookie, &fragment],
            &[&page, &blank, &down, &code, &reset, &http_page],
        ),
        ("sign_status", &[&down, &reset, &late, &cookie, &page, &blank, &code, &unknown], &[]),
    ] {
        let faults =
            passes.iter().map(|fault| (0, fault)).chain(ends.iter().map(|fault| (5, fault)));
        for (exit, fault) in faults {
            sandbox.control("/sandbox/reset", &json!({}));
            sandbox.fault(endpoint, fault, 1);
            let run = bench.ades(&sign);
            assert_eq!(run.code, exit, "{endpoint} {fault}: {run:?}");
            assert_eq!(bench.has("one.p7s"), exit == 0, "{endpoint} {fault}");
            // A job that was stored continues.
            let pending = "one.p7s.pending";
            match endpoint {
                _ if exit == 0 => {}
                "user_identification" => {
                    assert!(!bench.has(pending));
                    bench.ades(&sign).ends(0, "");
                }
                "sign_document" => {
                    bench.ades(&["resume", pending]).ends(5, "--ask-again");
                    bench.ades(&["resume", pending, "--ask-again"]).ends(0, "");
                }
                _ => {
                    bench.ades(&["resume", pending]).ends(0, "");
                }
            }
            assert!(!bench.has(pending), "{endpoint} {fault}");
            bench.openssl_accepts("one.p7s", Some("one.txt"), "sb/root.pem");
            std::fs::remove_file(bench.path("one.p7s")).unwrap();
        }
    }
    // Looking up the policy has a time limit.
    sandbox.fault("configuration", &down, 3);
    bench.ades(&sign).ends(5, "try again later");
    assert!(!bench.has("one.p7s") && !bench.has("one.p7s.pending"));
}

#[test]
fn unreachable_service_may_be_tried_later() {
    let bench = bench();
    drop(Sandbox::start(&bench, &[]));
    bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat()).ends(5, "try again later");
    assert!(!bench.has("one.p7s") && !bench.has("one.p7s.pending"));
}
