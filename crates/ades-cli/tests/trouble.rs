//! The program with an itsme® service that fails, or that answers what it should not.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use common::service::{ITSME, Sandbox, bench, kill, spawn, stage, until};
use serde_json::{Value, json};

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

    // The user was not sent to the page; the configuration may be the reason.
    sandbox.control("/sandbox/reset", &json!({}));
    sandbox.fault("sign_document", &json!({"kind": "untrusted_host"}), 1);
    let run = bench.ades(&arguments);
    run.ends(3, "untrusted.example").ends(3, "front.allowed_hosts").ends(3, "--ask-again");
    assert!(!run.err.contains("new session"), "{run:?}");
    bench.ades(&["resume", pending]).ends(5, "--ask-again");
    bench.ades(&["resume", pending, "--ask-again"]).ends(0, "");
    std::fs::remove_file(bench.path("one.p7s")).unwrap();

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
        (json!({"kind": "wrong_value"}), 5),
        (json!({"kind": "foreign_key"}), 5),
        (json!({"kind": "redirect"}), 5),
        (json!({"kind": "code", "status": 409, "code": "UNEXPECTED_ERROR"}), 5),
        (json!({"kind": "code", "status": 409, "code": "IN_PROGRESS"}), 5),
        (json!({"kind": "code", "status": 400, "code": "INVALID_POLICY"}), 5),
        (json!({"kind": "code", "status": 400, "code": "INVALID_REQUESTOR"}), 3),
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
    sandbox.fault("sign_status", &json!({"kind": "answer", "status": 409}), 1);
    let run = bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat());
    run.ends(5, "unknown to the signer").ends(5, "a new session may succeed");
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
        for &kind in kinds {
            sandbox.control("/sandbox/reset", &json!({}));
            sandbox.fault(endpoint, &json!({"kind": kind}), 1);
            let arguments = ["sign", "one.txt", "two.txt", "--out-dir", "out"];
            let run = bench.ades(&[&arguments[..], ITSME].concat());
            // The identification's answers come first, so they show a wrong address.
            let exit = match (endpoint, kind) {
                (_, "untrusted_host") | ("user_identification", "redirect") => 3,
                _ => 5,
            };
            assert_eq!(run.code, exit, "{endpoint} {kind}: {run:?}");
            // Without a job, the new folder is empty or gone.
            if bench.has("out") {
                let names = bench.names("out");
                assert!(names.iter().all(|name| name == "ades.pending"), "{kind}: {names:?}");
                std::fs::remove_dir_all(bench.path("out")).unwrap();
            }
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
        let is_configuration = |fault: &Value| {
            *fault == http_page || (endpoint == "user_identification" && *fault == page)
        };
        let status = |fault| if is_configuration(fault) { 3 } else { 5 };
        let faults = passes
            .iter()
            .map(|fault| (0, *fault))
            .chain(ends.iter().map(|fault| (status(fault), *fault)));
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
                    // The user has another certificate than the one of the identification.
                    assert_eq!(stage(&bench, pending), "signing");
                    assert!(run.err.contains("--identify-again"), "{run:?}");
                    bench.ades(&["resume", pending]).ends(5, "--identify-again");
                    bench.ades(&["resume", pending, "--identify-again"]).ends(0, "");
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

/// The session is asked again until it has a result, and nobody is asked twice.
#[test]
fn case_64_and_65_unclear_answers_cost_nothing() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    let responder = "urn:oasis:names:tc:dss:1.0:resultmajor:ResponderError";
    let said =
        |min: &str, msg: &str| json!({"kind": "result", "maj": responder, "min": min, "msg": msg});
    for (endpoint, fault, times) in [
        ("sign_status", json!({"kind": "wrong_value"}), 1),
        ("sign_status", json!({"kind": "short_value"}), 1),
        ("sign_status", json!({"kind": "unknown_id"}), 1),
        ("sign_status", json!({"kind": "code", "status": 409, "code": "IN_PROGRESS"}), 2),
        ("sign_status", json!({"kind": "code", "status": 418, "code": "IN_PROGRESS"}), 1),
        ("sign_status", said("UNEXPECTED_ERROR", "back-end certificate EXPIRED"), 1),
        ("sign_status", said("UNKNOWN", "the action was REJECTED"), 1),
        ("sign_status", said("certificate EXPIRED", "NOT_ALLOWED_TO_SIGN"), 1),
        ("identification_status", json!({"kind": "foreign_certificate"}), 1),
        ("identification_status", json!({"kind": "code", "status": 409, "code": "NEW"}), 2),
    ] {
        sandbox.control("/sandbox/reset", &json!({}));
        sandbox.fault(endpoint, &fault, times);
        let sign = ["sign", "one.txt", "two.txt", "--out-dir", "out"];
        let run = bench.ades(&[&sign[..], ITSME].concat());
        run.ends(0, "the session is kept and asked again");
        assert_eq!(run.err.matches("asked again").count(), 1, "{run:?}");
        assert_eq!(sandbox.sessions("identification").len(), 1, "{fault}");
        assert_eq!(sandbox.sessions("signature").len(), 1, "{fault}");
        bench.openssl_accepts("out/two.txt.p7s", Some("two.txt"), "sb/root.pem");
        std::fs::remove_dir_all(bench.path("out")).unwrap();
    }
}

/// The same wrong values twice: this process stops, and the session stays.
#[test]
fn case_52_another_key_does_not_end_the_session() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    let pending = "one.p7s.pending";
    sandbox.fault("sign_status", &json!({"kind": "foreign_key"}), 2);
    let run = bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat());
    run.ends(5, "the same values twice").ends(5, "--identify-again");
    assert_eq!(stage(&bench, pending), "signing");
    bench.ades(&["resume", pending]).ends(0, "");
    assert_eq!(sandbox.sessions("identification").len(), 1);
    assert_eq!(sandbox.sessions("signature").len(), 1);
    bench.openssl_accepts("one.p7s", Some("one.txt"), "sb/root.pem");
}

#[test]
fn case_67_retry_after_is_honoured() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    let busy = json!({"kind": "answer", "status": 503, "headers": {"retry-after": "4"}});
    sandbox.fault("sign_status", &busy, 1);
    let begun = std::time::Instant::now();
    let run = bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat());
    run.ends(0, "HTTP status 503").ends(0, "asks for 4 seconds");
    assert!(begun.elapsed() >= std::time::Duration::from_secs(4));
}

/// No later try helps, so that none is suggested, and the setting is named.
#[test]
fn case_68_and_69_a_wrong_configuration_is_named() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    let toml = String::from_utf8(bench.read("sb/itsme.toml")).unwrap();
    let base_url = sandbox.addresses["base_url"].as_str().unwrap();
    let front = sandbox.addresses["front_url"].as_str().unwrap().replace("http:", "https:");
    bench.identity(ades_tests::pki::Key::P256);
    for (changed, says) in [
        (toml.replace(base_url, &format!("{base_url}/wrong")), "HTTP status 404; check base_url"),
        (toml.replace("\"server-ca.pem\"", "\"../root.pem\""), "check server.ca"),
        (toml.replace(base_url, &front), "does not speak TLS"),
    ] {
        assert_ne!(changed, toml, "{says}");
        bench.write("sb/changed.toml", changed);
        let sign = ["sign", "one.txt", "-o", "one.p7s", "--signer", "itsme:sb/changed.toml"];
        let run = bench.ades(&sign);
        run.ends(3, says);
        assert!(!run.err.contains("later") && !run.err.contains("new session"), "{run:?}");
        assert!(!bench.has("one.p7s.pending"));
    }
    let sign = [&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat();
    sandbox.fault("user_identification", &json!({"kind": "untrusted_host"}), 1);
    let run = bench.ades(&sign);
    run.ends(3, "untrusted.example").ends(3, "front.allowed_hosts");
    assert!(!run.err.contains("new session"), "{run:?}");
    sandbox.fault(
        "sign_document",
        &json!({"kind": "code", "status": 400, "code": "INVALID_DIGEST_INFO"}),
        1,
    );
    bench.ades(&sign).ends(3, "request.url_safe_digests = true");
    bench.ades(&["resume", "one.p7s.pending"]).ends(0, "");
    assert_eq!(sandbox.sessions("signature").len(), 2);
}

#[cfg(unix)]
#[test]
fn a_client_key_that_others_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;

    let bench = bench();
    let _sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    let sign = [&["sign", "one.txt", "-o", "one.p7s", "--force"], ITSME].concat();
    let run = bench.ades(&sign);
    assert!(!run.ends(0, "").err.contains("other users"), "{run:?}");
    let key = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(bench.path("sb/client.pem"), key).unwrap();
    bench.ades(&sign).ends(0, "client.certificate: other users of this machine can read");
}

#[test]
fn case_70_the_offered_languages_are_honoured() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    let document = json!({"sign_languages_supported": ["EN", "NL"]}).to_string();
    let fault = json!({"kind": "answer", "status": 200, "body": document});
    let sign = |more: &[&str]| {
        sandbox.fault("configuration", &fault, 1);
        bench.ades(&[&["sign", "one.txt", "-o", "one.p7s", "--force"], more, ITSME].concat())
    };
    sign(&["--lang", "fr"]).ends(2, "does not offer the language FR: it offers EN, NL");
    assert!(sandbox.sessions("identification").is_empty());
    let two = ["--description", "EN=A contract", "--description", "NL=Een contract"];
    // Another process learns them again, after the identification.
    sandbox.fault(
        "sign_document",
        &json!({"kind": "code", "status": 400, "code": "INVALID_LANG"}),
        1,
    );
    sign(&[&two[..], &["--lang", "nl"]].concat()).ends(3, "INVALID_LANG");
    assert_eq!(stage(&bench, "one.p7s.pending"), "identified");
    sandbox.fault("configuration", &fault, 1);
    let run = bench.ades(&["resume", "one.p7s.pending"]);
    // The sandbox wants all four languages, whatever its document lists.
    run.ends(2, "INCOMPLETE_REQUEST");
    assert_eq!(sandbox.sessions("identification").len(), 1);
}
