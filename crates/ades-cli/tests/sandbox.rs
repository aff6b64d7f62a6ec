//! The program with the itsme® sandbox: embedded, and in a process of its own while the program
//! is killed between the steps.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use ades_tests::oracle::pdf::pdfsig;
use ades_tests::pdf::Document;
use common::service::{ITSME, Sandbox, bench, browse, http, kill, spawn, stage, until, written};
use common::{Run, json};
use serde_json::json;

#[test]
fn shortest_command_prints_how_to_check_the_result() {
    let bench = bench();
    let run = bench.ades(&["sign", "one.txt", "-o", "it's one.p7s", "--auto-approve"]);
    run.ends(0, "NOT a real signature").ends(0, "data/ades/sandbox/root.pem");
    let command = run.err.lines().find_map(|line| line.strip_prefix("check it: ")).unwrap();
    let shell = std::process::Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(shell.status.success(), "{command}: {shell:?}");
    assert!(!bench.has("it's one.p7s.pending"));
    // Printed even with --quiet.
    let quiet = bench.ades(&["-q", "sign", "one.txt", "-o", "2.p7s", "--auto-approve"]);
    quiet.ends(0, "NOT a real signature");
    assert_eq!(quiet.err.lines().count(), 1);
}

/// Documents and containers that went through pipes have placeholder names in the command.
#[test]
fn printed_command_names_only_existing_files() {
    let bench = bench();
    for output in ["-", "one.p7s"] {
        let (run, _) = bench.ades_with(&["sign", "-", "-o", output, "--auto-approve"], b"piped");
        run.ends(0, " -content DOCUMENT ");
        assert_eq!(run.err.contains(" -in SIGNED "), output == "-", "{run:?}");
        assert!(!run.err.contains(".ades-") && !run.err.contains(".input"), "{run:?}");
    }
}

#[test]
fn user_sees_what_the_signature_states() {
    let bench = bench();
    let descriptions = ["EN=A contract", "FR=Un contrat", "NL=Een contract", "DE=Ein Vertrag"];
    let mut arguments =
        vec!["sign", "one.txt", "-o", "one.p7s", "--auto-approve", "--sandbox-dir", "sb"];
    arguments.extend(["--policy", "1.3.6.1.4.1.49274.1.1.7.1.0", "--commitment", "approval"]);
    arguments.extend(["--policy-digest-from-discovery", "--role", "Director", "--lang", "fr"]);
    bench.ades(&[&arguments[..], &["--description", "EN=only one"]].concat()).ends(2, "FR, NL, DE");
    assert!(!bench.has("one.p7s") && !bench.has("one.p7s.pending"));
    arguments.extend(descriptions.iter().flat_map(|text| ["--description", text]));
    bench.ades(&arguments).ends(0, "");
    bench.openssl_accepts("one.p7s", Some("one.txt"), "sb/root.pem");
    let report = json(&bench.ades(&["inspect", "one.p7s", "--json"]).out);
    let signature = &report["signatures"][0];
    assert_eq!(signature["policy"]["id"], "1.3.6.1.4.1.49274.1.1.7.1.0");
    let digest = signature["policy"]["digest"]["value"].as_str().unwrap();
    assert!(digest.starts_with("1e45fa9d"));
    assert_eq!(signature["description"], "Un contrat");
    let no_source = ["sign", "one.txt", "-o", "x", "--auto-approve", "--policy", "1.2.3"];
    assert_ne!(bench.ades(&no_source).code, 0);
    assert!(!bench.has("x"));
}

/// Policy and commitment of the configuration are on the page and in the container.
#[test]
fn configured_policy_and_commitment_are_shown_and_signed() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let (policy, commitment) = ("1.3.6.1.4.1.49274.1.1.7.1.0", "1.2.840.113549.1.9.16.6.5");
    bench
        .configure(&format!("[policy]\nreference = \"{policy}\"\ncommitment = \"{commitment}\"\n"));
    let sign = [&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat();
    bench.ades(&sign).ends(3, "the policy document is needed");
    let digest = ["--policy-digest-from-discovery"];
    bench.write("contract.pdf", Document::default().write());
    let reason = ["sign", "contract.pdf", "-o", "signed.pdf", "--reason", "Agreed"];
    bench.ades(&[&reason, &digest[..], ITSME].concat()).ends(2, "--reason");
    assert!(sandbox.sessions("identification").is_empty());

    let mut child = spawn(&bench, &[&sign, &digest[..]].concat());
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut page = || lines.find_map(|l| l.trim().strip_prefix("http://").map(str::to_owned));
    page().unwrap();
    sandbox.answer("identification", true);
    let page = page().unwrap();
    let (host, path) = page.split_once('/').unwrap();
    let (_, shown) = http(host, "GET", &format!("/{path}"), "", "");
    assert!(shown.contains(policy) && shown.contains("Proof of approval"), "{shown}");
    sandbox.answer("signature", true);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let report = json(&bench.ades(&["inspect", "one.p7s", "--json"]).out);
    assert_eq!(report["signatures"][0]["policy"]["id"], policy);
    assert_eq!(report["signatures"][0]["commitment"], commitment);
}

#[test]
fn page_to_open_is_printed_even_with_quiet() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let sign = [&["-q", "sign", "one.txt", "-o", "one.p7s"], ITSME].concat();
    let mut child = spawn(&bench, &sign);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    for purpose in ["identification", "signature"] {
        assert_eq!(lines.next().as_deref(), Some("open this page to continue:"));
        assert!(lines.next().unwrap().starts_with("  http://"));
        sandbox.answer(purpose, true);
    }
    assert_eq!(lines.next(), None);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn taken_return_port_is_reported_and_the_signer_is_polled() {
    let bench = bench();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", other.local_addr().unwrap());
    let _sandbox = Sandbox::start(&bench, &["--auto-approve", "--redirect-url", &url]);
    let run = bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat());
    let said = "the browser's return will not be noticed";
    assert_eq!(run.ends(0, said).err.matches(said).count(), 1, "{run:?}");
}

#[test]
fn a_commitment_is_one_that_the_service_shows() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    let sign =
        |more: &[&str]| bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], more, ITSME].concat());
    let policy = ["--policy", "1.3.6.1.4.1.49274.1.1.7.1.0", "--policy-digest-from-discovery"];
    sign(&[&policy[..], &["--commitment", "promise"]].concat()).ends(3, "\"promise\" is not in");
    sign(&[&policy[..], &["--commitment", "1.2.3"]].concat()).ends(3, "\"1.2.3\" is not in");
    sign(&["--commitment", "approval"]).ends(2, "only together with a policy");
    sign(&["--policy-digest-from-discovery"]).ends(2, "needs --policy");
    assert!(sandbox.sessions("identification").is_empty());
    sign(&[&policy[..], &["--commitment", "creation"]].concat()).ends(0, "");
    let report = json(&bench.ades(&["inspect", "one.p7s", "--json"]).out);
    assert_eq!(report["signatures"][0]["commitment"], "1.2.840.113549.1.9.16.6.6");
}

/// Demand 10: many documents, one approval.
#[test]
fn seventy_files_are_one_confirmation_and_one_more_is_two() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    // Each third file is a PDF.
    let pdf = Document::default().write();
    let is_pdf = |at: usize| at.is_multiple_of(3);
    let name = |at| format!("{at:02}.{}", if is_pdf(at) { "pdf" } else { "txt" });
    let names: Vec<String> = (0..71).map(name).collect();
    for (at, name) in names.iter().enumerate() {
        bench.write(name, if is_pdf(at) { &pdf } else { name.as_bytes() });
    }
    let inputs: Vec<&str> = names.iter().map(String::as_str).collect();
    let sign = |inputs: &[&str], dir: &str| {
        bench.ades(&[&["sign"], ITSME, inputs, &["--out-dir", dir]].concat())
    };
    sign(&inputs[..70], "seventy").ends(0, "");
    assert_eq!(sandbox.sessions("signature").len(), 1);
    assert_eq!(sandbox.sessions("signature")[0]["documents"], 70);
    assert_eq!(bench.names("seventy").len(), 70);
    bench.openssl_accepts("seventy/68.txt.p7s", Some("68.txt"), "sb/root.pem");
    for at in (0..70).filter(|at| is_pdf(*at)) {
        let signatures = pdfsig(&bench.path(&format!("seventy/{}", names[at])), None).unwrap();
        assert!(signatures.len() == 1 && signatures[0].valid, "{at}: {signatures:?}");
    }

    sandbox.control("/sandbox/reset", &json!({}));
    let run = sign(&inputs, "all");
    run.ends(0, "71 files: 2 batches of up to 70");
    assert_eq!(sandbox.sessions("identification").len(), 1);
    assert_eq!(sandbox.sessions("signature").len(), 2);
    assert_eq!(bench.names("all").len(), 71);
    bench.openssl_accepts("all/70.txt.p7s", Some("70.txt"), "sb/root.pem");
}

#[test]
fn refusal_leaves_no_files() {
    for (user, saying) in [
        ("blocked", "not allowed to sign"),
        ("refuses-identification", "the user refused (REJECTED)"),
        ("refuses-signing", "the user refused (REJECTED)"),
    ] {
        let bench = bench();
        let before = bench.names(".");
        let arguments = ["sign", "one.txt", "-o", "one.p7s", "--auto-approve"];
        bench.ades(&[&arguments[..], &["--sandbox-user", user]].concat()).ends(4, saying);
        let mut after = bench.names(".");
        after.retain(|name| name != "data");
        assert_eq!(after, before, "{user}");
    }
    let bench = bench();
    let nobody = ["sign", "one.txt", "-o", "one.p7s", "--sandbox-user", "nobody"];
    bench.ades(&nobody).ends(2, "refuses-signing");
}

#[test]
fn waiting_for_an_answer_ends() {
    for (user, stage_reached, seconds) in
        [("expires-identification", "identifying", 181), ("expires-signing", "signing", 601)]
    {
        let bench = bench();
        let sandbox = Sandbox::start(&bench, &["--auto-approve", "--user", user]);
        let child = spawn(&bench, &[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat());
        until(user, || stage(&bench, "one.p7s.pending") == stage_reached);
        sandbox.control("/sandbox/clock", &json!({"advance_seconds": seconds}));
        let run = Run::new(&child.wait_with_output().unwrap());
        run.ends(4, "did not confirm in time (EXPIRED)").ends(4, "ades resume asks the user again");
        // The session has ended, and the job is kept for another one.
        assert!(!bench.has("one.p7s"));
        let next = if stage_reached == "signing" { "identified" } else { "start" };
        assert_eq!(stage(&bench, "one.p7s.pending"), next);
    }
}

/// Demand 11: the program stops waiting, and the user confirms later.
#[test]
fn case_38_a_late_confirmation_is_collected() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    bench.configure("[limits]\nsession_seconds = 1\n");
    let pending = "one.p7s.pending";
    let waited = "nobody confirmed in time";
    bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat()).ends(5, waited);
    assert_eq!(stage(&bench, pending), "identifying");
    sandbox.answer("identification", true);
    bench.ades(&["resume", pending]).ends(5, waited);
    assert_eq!(stage(&bench, pending), "signing");
    sandbox.answer("signature", true);
    bench.ades(&["resume", pending]).ends(0, "");
    assert_eq!(sandbox.sessions("identification").len(), 1);
    assert_eq!(sandbox.sessions("signature").len(), 1);
    bench.openssl_accepts("one.p7s", Some("one.txt"), "sb/root.pem");
}

#[test]
fn job_that_cannot_succeed_is_not_kept() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    let sign = |arguments: &[&str]| bench.ades(&[&["sign", "one.txt"], ITSME, arguments].concat());
    sign(&["-o", "nowhere/one.p7s"]).ends(7, "there is no folder");
    let one = |arguments: &[&str]| sign(&[&["-o", "one.p7s"], arguments].concat());
    one(&["--description", "EN=A contract"]).ends(2, "description");
    let greek = ["EN=\u{3b1}", "FR=a", "NL=a", "DE=a"].map(|text| ["--description", text]);
    one(greek.as_flattened()).ends(2, "description");
    one(&["--digest", "sha512"]).ends(2, "--digest: itsme");
    one(&["--algorithm", "rsa-pss-sha256"]).ends(2, "--algorithm: itsme");
    assert!(!bench.has("one.p7s.pending"));
    assert_eq!(sandbox.sessions("identification").len(), 0);
    // The certificate is known only after the identification.
    for (time, saying) in
        [("2000-01-01T00:00:00Z", "valid only from"), ("2100-01-01T00:00:00Z", "expired")]
    {
        sign(&["-o", "one.p7s", "--signing-time", time]).ends(3, saying);
        assert!(!bench.has("one.p7s.pending"), "{time}");
    }
    sign(&["-o", "one.p7s", "--algorithm", "ecdsa-sha256"]).ends(2, "ecdsa-sha256");
    assert!(!bench.has("one.p7s.pending"));
    assert_eq!(sandbox.sessions("signature").len(), 0);
}

#[test]
fn killed_at_every_wait_and_resumed_it_asks_once() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let pending = "out/ades.pending";
    let sign = ["sign", "one.txt", "two.txt", "--out-dir", "out", "--packaging", "enveloping"];
    let child = spawn(&bench, &[&sign[..], ITSME].concat());
    until("identifying", || stage(&bench, pending) == "identifying");
    kill(child);

    // Killed again before an answer.
    let resume_and_kill = || {
        let before = written(&bench, pending);
        let child = spawn(&bench, &["resume", pending]);
        until("polled", || written(&bench, pending) > before);
        kill(child);
    };
    resume_and_kill();
    assert_eq!(sandbox.sessions("identification").len(), 1);

    sandbox.answer("identification", true);
    let child = spawn(&bench, &["resume", pending]);
    until("signing", || stage(&bench, pending) == "signing");
    kill(child);
    resume_and_kill();
    assert_eq!(sandbox.sessions("signature").len(), 1);
    // Leftovers of a killed process are removed at the end.
    bench.write("out/.one.txt.p7m.ades-AbC123", b"half");
    bench.write("out/.ades.pending.ades-AbC123", b"half");
    bench.write("out/.other.ades-AbC123", b"not ours");
    assert!(!bench.has("out/one.txt.p7m"));

    sandbox.answer("signature", true);
    let done = bench.read(pending);
    bench.ades(&["resume", pending]).ends(0, "two.txt.p7m");
    assert_eq!(bench.names("out"), [".other.ades-AbC123", "one.txt.p7m", "two.txt.p7m"]);
    bench.openssl_accepts("out/one.txt.p7m", None, "sb/root.pem");
    bench.openssl_accepts("out/two.txt.p7m", None, "sb/root.pem");
    assert_eq!(sandbox.sessions("identification").len(), 1);
    assert_eq!(sandbox.sessions("signature").len(), 1);

    // Killed between the last rename and the end of the job: the output stays.
    let one = bench.read("out/one.txt.p7m");
    bench.write(pending, &done);
    bench.ades(&["resume", pending]).ends(0, "");
    assert_eq!(bench.read("out/one.txt.p7m"), one);
    // Another file in its place stays, too.
    bench.write(pending, &done);
    bench.write("out/one.txt.p7m", b"precious");
    bench.ades(&["resume", pending]).ends(2, "--force");
    assert_eq!(bench.read("out/one.txt.p7m"), b"precious");
    bench.ades(&["resume", pending, "--force"]).ends(0, "");
    bench.openssl_accepts("out/one.txt.p7m", None, "sb/root.pem");
}

#[test]
fn a_pdf_is_prepared_by_a_process_that_is_killed_and_completed_by_another() {
    let bench = bench();
    bench.write("contract.pdf", Document::default().write());
    let sandbox = Sandbox::start(&bench, &[]);
    let sign = ["sign", "contract.pdf", "-o", "signed.pdf"];
    let child = spawn(&bench, &[&sign[..], ITSME].concat());
    until("identifying", || stage(&bench, "signed.pdf.pending") == "identifying");
    sandbox.answer("identification", true);
    until("signing", || stage(&bench, "signed.pdf.pending") == "signing");
    kill(child);
    assert!(!bench.has("signed.pdf"));
    sandbox.answer("signature", true);
    bench.ades(&["resume", "signed.pdf.pending"]).ends(0, "signed.pdf");
    let signatures = pdfsig(&bench.path("signed.pdf"), None).unwrap();
    assert!(signatures.len() == 1 && signatures[0].valid, "{signatures:?}");
    assert!(!bench.has("signed.pdf.pending"));
}

/// The values of the other files are not lost.
#[test]
fn failed_file_does_not_stop_the_others() {
    let bench = bench();
    let names = ["a.txt", "b.txt", "c.txt", "d.txt"];
    names.iter().for_each(|name| bench.write(name, name.as_bytes()));
    let sandbox = Sandbox::start(&bench, &[]);
    let pending = "out/ades.pending";
    let sign = [&["sign"], &names[..], &["--out-dir", "out"], ITSME].concat();
    let child = spawn(&bench, &sign);
    until("identifying", || stage(&bench, pending) == "identifying");
    sandbox.answer("identification", true);
    until("signing", || stage(&bench, pending) == "signing");
    bench.write("a.txt", b"another");
    bench.write("c.txt", b"another");
    sandbox.answer("signature", true);
    let run = Run::new(&child.wait_with_output().unwrap());
    run.ends(3, "2 of 4 files could not be written:\n  ").ends(3, "the job is kept");
    run.ends(3, "a.txt: the document has changed").ends(3, "c.txt: the document has changed");
    run.ends(3, "signed: ").ends(3, "b.txt.p7s").ends(3, "d.txt.p7s");
    assert_eq!(bench.names("out"), ["ades.pending", "b.txt.p7s", "d.txt.p7s"]);
    // Each value stays with its document.
    bench.write("c.txt", b"c.txt");
    let run = bench.ades(&["resume", pending]);
    run.ends(3, "a.txt: the document has changed");
    assert!(!run.err.contains("could not be written"), "{run:?}");
    bench.write("a.txt", b"a.txt");
    bench.ades(&["resume", pending]).ends(0, "d.txt.p7s");
    assert_eq!(sandbox.sessions("signature").len(), 1);
    for name in names {
        bench.openssl_accepts(&format!("out/{name}.p7s"), Some(name), "sb/root.pem");
    }
    assert!(!bench.has(pending));
}

#[test]
fn case_60_a_changed_document_is_not_signed() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let pending = "one.p7s.pending";
    let arguments = [&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat();
    let child = spawn(&bench, &arguments);
    until("identifying", || stage(&bench, pending) == "identifying");
    bench.write("one.txt", b"another document");
    sandbox.answer("identification", true);
    let run = Run::new(&child.wait_with_output().unwrap());
    run.ends(3, "one.txt: has changed since the job began");
    assert_eq!(sandbox.sessions("signature").len(), 0);

    // With the original document the job continues; after another change it stops again.
    bench.write("one.txt", b"the first document");
    let child = spawn(&bench, &["resume", pending]);
    until("signing", || stage(&bench, pending) == "signing");
    bench.write("one.txt", b"another document");
    sandbox.answer("signature", true);
    let run = Run::new(&child.wait_with_output().unwrap());
    run.ends(3, "the document has changed").ends(3, "the job is kept");
    assert!(!bench.has("one.p7s"));
    bench.write("one.txt", b"the first document");
    bench.ades(&["resume", pending]).ends(0, "");
    bench.openssl_accepts("one.p7s", Some("one.txt"), "sb/root.pem");
}

#[test]
fn a_damaged_job_is_refused() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let pending = "one.p7s.pending";
    let child = spawn(&bench, &[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat());
    until("identifying", || stage(&bench, pending) == "identifying");
    kill(child);
    let job = bench.read(pending);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(bench.path(pending)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "a job names the user");
    }
    for at in (0..job.len()).step_by(61) {
        let mut changed = job.clone();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        bench.write(pending, changed);
        bench.ades(&["resume", pending]).ends(3, "the pending state");
    }
    bench.ades(&["resume", "nowhere.pending"]).ends(3, "nowhere.pending");
    assert_eq!(sandbox.sessions("identification").len(), 1);
}

#[test]
fn copy_of_standard_input_is_kept_with_the_job() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let inputs = ["sign", "one.txt", "-", "--out-dir", ".", "--packaging", "enveloping"];
    let arguments = [&inputs[..], ITSME].concat();
    let mut command = bench.command(&arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"from a pipe").unwrap();
    until("identifying", || stage(&bench, "ades.pending") == "identifying");
    kill(child);
    assert_eq!(bench.read("ades.pending.input"), b"from a pipe");
    sandbox.answer("identification", true);
    sandbox.control("/sandbox/auto", &json!({"user": "ready"}));
    bench.ades(&["resume", "ades.pending"]).ends(0, "");
    for container in ["one.txt.p7m", "stdin.p7m"] {
        bench.openssl_accepts(container, None, "sb/root.pem");
    }
    assert!(!bench.names(".").iter().any(|name| name.contains("pending")));
}

#[test]
fn case_31_and_32_the_browser_returns_to_the_program() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    bench.write("contract.pdf", Document::default().write());
    let files = ["sign", "one.txt", "contract.pdf", "--out-dir", "out"];
    let visible = ["--visible", "1:72,72,200,60"];
    let mut child = spawn(&bench, &[&files[..], &visible, ITSME].concat());
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut earlier: Option<String> = None;
    for purpose in ["identification", "signature"] {
        let page = lines.find_map(|l| l.trim().strip_prefix("http://").map(str::to_owned)).unwrap();
        let (front, path) = page.split_once('/').unwrap();
        let page = format!("/{path}");
        let back = || {
            let (head, _) = http(front, "GET", &page, "", "");
            head.lines().find_map(|line| line.strip_prefix("location: http://")).map(str::to_owned)
        };
        // First the return of a stranger, which changes nothing. The configuration has the port.
        let host = bench.return_host();
        for query in ["", "?st=", "?st=0", "?q=1", "?st=0123456789abcdef0123456789abcdef"] {
            let (head, _) = http(&host, "GET", &format!("/itsme/return{query}"), "", "");
            assert!(head.starts_with("HTTP/1.1 400"), "{query}: {head}");
        }
        let (head, _) = http(&host, "GET", "/elsewhere", "", "");
        assert!(head.starts_with("HTTP/1.1 404"), "{head}");
        // The return of an earlier step changes nothing, either: it leads to the present page.
        if let Some(earlier) = &earlier {
            let (head, _) = http(&host, "GET", earlier, "", "");
            assert!(head.starts_with("HTTP/1.1 303"), "{head}");
            assert!(head.contains(&format!("\r\nLocation: http://{front}{page}\r\n")), "{head}");
        }
        assert_eq!(sandbox.sessions("signature").len(), usize::from(purpose == "signature"));
        sandbox.answer(purpose, true);
        let back = back().unwrap();
        let (_, path) = back.trim().split_once('/').unwrap();
        let path = format!("/{path}");
        let (url, body) = browse(&format!("http://{}", back.trim()));
        if purpose == "identification" {
            assert!(url.starts_with(&format!("http://{front}/qes/sign?")), "{url}");
        } else {
            assert!(url.ends_with(&path) || url.contains("ades=waits"), "{url}");
            assert!(body.contains("All 2 files are signed."), "{body}");
            assert!(body.contains("You can close this page"));
        }
        earlier = Some(path);
    }
    assert!(lines.any(|line| line.starts_with("signed: ")));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    bench.openssl_accepts("out/one.txt.p7s", Some("one.txt"), "sb/root.pem");
    let signed = pdfsig(&bench.path("out/contract.pdf"), None).unwrap();
    assert!(signed[0].valid && signed[0].total_document, "{signed:?}");
}

#[test]
fn embedded_sandbox_asks_again_when_resumed() {
    let bench = bench();
    let child = spawn(&bench, &["sign", "one.txt", "-o", "one.p7s"]);
    until("identifying", || stage(&bench, "one.p7s.pending") == "identifying");
    kill(child);
    let mut child = spawn(&bench, &["resume", "one.p7s.pending"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let said = lines.any(|line| line.contains("session ended with its process: asking again"));
    kill(child);
    assert!(said);
}

impl common::Bench {
    /// The address that the program waits for the browser at.
    fn return_host(&self) -> String {
        let text = String::from_utf8(self.read("sb/itsme.toml")).unwrap();
        let url = text.split("redirect_url = \"http://").nth(1).unwrap();
        url.split('/').next().unwrap().to_owned()
    }
}
