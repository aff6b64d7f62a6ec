//! Raising with the evidence services of the sandbox: killed at any step, waiting for newer data,
//! policies, room for time-stamps, and containers as text.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::process::Child;
use std::time::Duration;

use ades_tests::oracle::certomancer::{Certomancer, Stamping};
use ades_tests::oracle::dss::Dss;
use common::service::{ITSME, Sandbox, bench, kill, spawn};
use common::{Bench, Run, json};
use serde_json::{Value, json};

const ALLOW: &[&str] = &["--fetch-allow", "127.0.0.1"];
/// The policy of the sandbox's time-stamping service, and one that it does not have.
const POLICY: &str = "2.25.147696108260133247754979445240114994976";
const OTHER_POLICY: &str = "1.2.3.4";

/// A sandbox whose services take a moment, so that a kill meets a process between two steps.
fn slow_sandbox(bench: &Bench) -> Sandbox {
    let services =
        ["time_stamp", "ocsp", "crl", "time_stamp_ocsp", "time_stamp_crl", "root_crl", "issuer"];
    let faults = services.map(|name| format!("{name}={{\"kind\":\"delay\",\"millis\":40}}"));
    let faults = faults.iter().flat_map(|fault| ["--fault", fault]);
    Sandbox::start(bench, &["--auto-approve"].into_iter().chain(faults).collect::<Vec<_>>())
}

fn tsa(sandbox: &Sandbox) -> &str {
    sandbox.addresses["tsa_url"].as_str().unwrap()
}

/// `extend one.p7s` to this level.
fn extending<'a>(sandbox: &'a Sandbox, level: &'a str, output: &'a str) -> Vec<&'a str> {
    let what = ["extend", "one.p7s", "--level", level, "--tsa", tsa(sandbox), "-o", output];
    let trust = ["--original", "one.txt", "--trust", "sb/root.pem"];
    [&what[..], &trust, ALLOW].concat()
}

/// A sandbox, and `one.p7s`, which its user has signed.
fn signed(sandbox: impl FnOnce(&Bench) -> Sandbox) -> (Bench, Sandbox) {
    let bench = bench();
    let sandbox = sandbox(&bench);
    bench.ades(&[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat()).ends(0, "");
    (bench, sandbox)
}

fn plain(bench: &Bench) -> Sandbox {
    Sandbox::start(bench, &["--auto-approve"])
}

/// The first signature in the report of verifying without the network, which must pass.
#[track_caller]
fn passes(bench: &Bench, file: &str) -> Value {
    let original = ["--original", "one.txt"];
    let original = if file.ends_with(".p7s") { &original[..] } else { &[] };
    let what = ["verify", file, "--trust", "sb/root.pem", "--json"];
    let report = json(&bench.ades(&[&what[..], original].concat()).out);
    assert_eq!(report["conclusion"], "total-passed", "{report}");
    report["signatures"][0].clone()
}

/// Fails the test unless a container is at level B-LTA with two time-stamps.
#[track_caller]
fn is_archived_once(bench: &Bench, file: &str) {
    let signature = passes(bench, file);
    assert_eq!(signature["level"], "B-LTA", "{file}: {signature}");
    let stamps = signature["timestamps"].as_array().unwrap().len();
    assert_eq!(stamps, 2, "{file}: {signature}");
}

fn stamps(sandbox: &Sandbox) -> u64 {
    sandbox.requests().get("time_stamp").copied().unwrap_or_default()
}

/// Kills a process after this number of requests to the evidence services. Returns whether it was
/// still running, and whether its last request was one for a time-stamp.
fn kill_at(sandbox: &Sandbox, mut child: Child, at: u64, pause: Duration) -> (bool, bool) {
    let mut before = 0;
    let mut last_is_stamp = false;
    loop {
        let requests = sandbox.requests();
        let stamps = requests.get("time_stamp").copied().unwrap_or_default();
        let all: u64 = requests.values().sum();
        if stamps > before {
            (before, last_is_stamp) = (stamps, true);
        } else if all < at {
            last_is_stamp = false;
        }
        if all >= at {
            std::thread::sleep(pause);
            kill(child);
            return (true, last_is_stamp);
        }
        if child.try_wait().unwrap().is_some() {
            return (false, false);
        }
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// Trap 10: a killed process loses nothing.
#[test]
fn a_batch_that_is_killed_at_any_step_is_resumed_and_no_time_stamp_is_spent_twice() {
    let bench = bench();
    bench.write("doc.xml", b"<?xml version=\"1.0\"?><a>b</a>");
    bench.write("doc.pdf", ades_tests::pdf::Document::default().write());
    let sandbox = slow_sandbox(&bench);
    let outputs = ["one.txt.p7s", "doc.xml", "doc.pdf"];
    let sign = |folder: &str| {
        let files = ["sign", "one.txt", "doc.xml", "doc.pdf", "--out-dir", folder];
        let how = ["--level", "lta", "--tsa", tsa(&sandbox), "--trust", "sb/root.pem"];
        [&files[..], ITSME, &how, ALLOW].concat().into_iter().map(str::to_owned).collect()
    };
    let strs = |all: &Vec<String>| all.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let run = |all: &Vec<String>| bench.ades(&strs(all).split('\n').collect::<Vec<_>>());
    let whole: Vec<String> = sign("whole");
    run(&whole).ends(0, "");
    let total: u64 = sandbox.requests().values().sum();
    // Two for each file, and one that measures the room in the PDF.
    assert_eq!(stamps(&sandbox), 7);
    assert_eq!(bench.names("whole"), ["doc.pdf", "doc.xml", "one.txt.p7s"]);
    let mut spent = 0;
    // The first request measures, before the user is asked.
    for at in 2..=total {
        sandbox.control("/sandbox/reset", &json!({}));
        let folder = format!("at{at}");
        let arguments: Vec<String> = sign(&folder);
        let child = spawn(&bench, &strs(&arguments).split('\n').collect::<Vec<_>>());
        let pause = Duration::from_millis(if at % 2 == 0 { 0 } else { 25 });
        let (was_running, last_is_stamp) = kill_at(&sandbox, child, at, pause);
        assert!(was_running, "{at} of {total}");
        let job = format!("{folder}/ades.pending");
        if bench.has(&job) {
            bench.ades(&["resume", &job]).ends(0, "signed: ");
        }
        for output in outputs {
            is_archived_once(&bench, &format!("{folder}/{output}"));
        }
        assert_eq!(bench.names(&folder), bench.names("whole"), "{at}");
        // One whose answer was on its way is asked for again.
        let more = stamps(&sandbox) - 7;
        assert!(more <= u64::from(last_is_stamp), "{at} of {total}: {more}");
        spent += more;
    }
    assert!(spent <= 6, "{spent}");
}

/// One confirmed batch of a PDF, an XML document and another file reaches B-LTA through the sandbox,
/// and is renewed twice. EU DSS agrees each time.
#[test]
fn eu_dss_passes_a_batch_that_is_raised_and_renewed_twice() {
    let bench = bench();
    bench.write("doc.xml", b"<?xml version=\"1.0\"?><a>b</a>");
    bench.write("doc.pdf", ades_tests::pdf::Document::default().write());
    let sandbox = plain(&bench);
    let files = ["sign", "one.txt", "doc.xml", "doc.pdf", "--out-dir", "0"];
    let how = ["--level", "lta", "--tsa", tsa(&sandbox), "--trust", "sb/root.pem"];
    bench.ades(&[&files[..], ITSME, &how, ALLOW].concat()).ends(0, "");
    for name in ["one.txt.p7s", "doc.xml", "doc.pdf"] {
        let original = (name == "one.txt.p7s").then_some("one.txt");
        for (round, digest) in [(0, ""), (1, "sha256"), (2, "sha512")] {
            let file = format!("{round}/{name}");
            if round > 0 {
                std::fs::create_dir_all(bench.path(&round.to_string())).unwrap();
                let before = format!("{}/{name}", round - 1);
                let what = ["extend", &before, "--level", "lta", "-o", &file, "--digest", digest];
                let original: Vec<&str> =
                    original.iter().flat_map(|at| ["--original", at]).collect();
                bench.ades(&[&what[..], &how[2..], &original, ALLOW].concat()).ends(0, "B-LTA");
            }
            let original = original.map(|original| bench.path(original));
            let (file, root) = (bench.path(&file), bench.path("sb/root.pem"));
            let found = &Dss::shared().validate(&file, original.as_deref(), &root)[0];
            assert_eq!(found["indication"], "TOTAL_PASSED", "{name} {round}: {found:#}");
            let level = found["level"].as_str().unwrap();
            assert!(level.ends_with("LTA"), "{name} {round}: {found:#}");
        }
    }
}

#[test]
fn an_extension_that_is_killed_at_any_step_is_continued_by_the_same_command() {
    let (bench, sandbox) = signed(slow_sandbox);
    bench.ades(&extending(&sandbox, "lta", "whole.p7s")).ends(0, "B-LTA");
    let total: u64 = sandbox.requests().values().sum();
    for at in 1..=total {
        sandbox.control("/sandbox/reset", &json!({}));
        let output = format!("at{at}.p7s");
        let arguments = extending(&sandbox, "lta", &output);
        let pause = Duration::from_millis(if at % 2 == 0 { 0 } else { 25 });
        let (_, last_is_stamp) = kill_at(&sandbox, spawn(&bench, &arguments), at, pause);
        assert!(!bench.has(&output), "{at} of {total}");
        bench.ades(&arguments).ends(0, "continues where an earlier run was interrupted");
        is_archived_once(&bench, &output);
        let more = stamps(&sandbox) - 2;
        assert!(more <= u64::from(last_is_stamp), "{at} of {total}: {more}");
    }
    let left: Vec<_> =
        bench.names(".").into_iter().filter(|name| name.contains("raising")).collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn what_an_interrupted_run_left_is_not_mixed_with_another_wish() {
    let (bench, sandbox) = signed(slow_sandbox);
    let arguments = extending(&sandbox, "lta", "lta.p7s");
    kill_at(&sandbox, spawn(&bench, &arguments), 2, Duration::ZERO);
    assert!(bench.has("lta.p7s.raising"));
    let other = [&arguments[..], &["--digest", "sha512"]].concat();
    bench.ades(&other).ends(2, "the same command continues it, --force drops it");
    bench.ades(&[&other[..], &["--force"]].concat()).ends(0, "B-LTA");
    assert!(!bench.has("lta.p7s.raising") && !bench.has("lta.p7s.raising.1"));
    bench.write("lta.p7s.raising", b"{}");
    std::fs::remove_file(bench.path("lta.p7s")).unwrap();
    bench.ades(&arguments).ends(3, "remove it to start over");
}

/// Data that were issued some minutes ago, after the certificate, and whose next issue is minutes
/// ahead: they stay older than a time-stamp, however long a test takes.
fn issued_before() -> Value {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let fits = |period: &u64| (300..period - 600).contains(&(now % period));
    json!({"kind": "periodic", "seconds": (2000..3400).step_by(100).find(fits).unwrap()})
}

/// Traps 13 and 15: data that are older than the time-stamp are good, but not new enough for this
/// policy. They become new with time.
/// Trap 15: newer data are a wish of the caller.
#[test]
fn wait_waits_for_revocation_data_that_are_newer_than_the_time_stamp() {
    let periodic = issued_before();
    let (bench, sandbox) = signed(plain);
    let fault = |times| {
        for service in ["ocsp", "crl"] {
            sandbox.evidence_fault(service, &periodic, times);
        }
    };
    fault(100);
    // Without the demand, older data count, with a remark.
    bench.ades(&extending(&sandbox, "lt", "old.p7s")).ends(0, "B-LT");
    let fresh = [&extending(&sandbox, "lt", "t.p7s")[..], &["--fresh-revocation"]].concat();
    let run = bench.ades(&fresh);
    run.ends(5, "before its time-stamp").ends(5, "t.p7s: B-T, which is what was reached");
    // Newer ones are there when they are asked for the third time.
    sandbox.control("/sandbox/reset", &json!({}));
    fault(2);
    let before = stamps(&sandbox);
    let wait = [&extending(&sandbox, "lta", "lta.p7s")[..], &["--wait", "10m"]].concat();
    let run = bench.ades(&wait);
    run.ends(0, "waits for newer revocation data (the next are due at").ends(0, "B-LTA");
    assert_eq!(stamps(&sandbox) - before, 2);
    passes(&bench, "lta.p7s");

    // A bound that is too short, and what to do then. These data are older than the certificate,
    // as the last CRL is of a certificate that was made for this signature.
    sandbox.control("/sandbox/reset", &json!({}));
    for service in ["ocsp", "crl"] {
        sandbox.evidence_fault(service, &json!({"kind": "periodic", "seconds": 80_000}), 100);
    }
    let wait = [&extending(&sandbox, "lta", "short.p7s")[..], &["--wait", "3s"]].concat();
    bench.ades(&wait).ends(5, "at the latest").ends(5, "short.p7s: B-T, which is what was reached");
    // An interrupted wait has its time-stamp, and is continued.
    let before = stamps(&sandbox);
    let wait = [&extending(&sandbox, "lta", "later.p7s")[..], &["--wait", "10m"]].concat();
    let child = spawn(&bench, &wait);
    common::service::until("it waits", || bench.has("later.p7s.raising.1"));
    kill(child);
    sandbox.control("/sandbox/reset", &json!({}));
    bench.ades(&wait).ends(0, "B-LTA");
    // The control API's reset forgets the first one.
    assert_eq!(stamps(&sandbox), 1, "{before}");
    is_archived_once(&bench, "later.p7s");
    let t = [&extending(&sandbox, "t", "x.p7s")[..], &["--wait", "3s"]].concat();
    bench.ades(&t).ends(2, "levels lt and lta");
    let odd = [&extending(&sandbox, "lt", "x.p7s")[..], &["--wait", "3 days"]].concat();
    bench.ades(&odd).ends(2, "90s, 15m or 24h");
}

#[test]
fn a_signing_waits_once_for_all_of_its_files() {
    let bench = bench();
    let sandbox = plain(&bench);
    for service in ["ocsp", "crl"] {
        // For the first try of each file, and two more of the first file.
        sandbox.evidence_fault(service, &issued_before(), 4);
    }
    let files = ["sign", "one.txt", "two.txt", "--out-dir", "out"];
    let how = ["--level", "lt", "--tsa", tsa(&sandbox), "--trust", "sb/root.pem", "--wait", "10m"];
    let run = bench.ades(&[&files[..], ITSME, &how, ALLOW].concat());
    run.ends(0, "one.txt.p7s: B-LT").ends(0, "two.txt.p7s: B-LT");
    assert_eq!(stamps(&sandbox), 2);
    assert_eq!(run.err.matches("waits for newer").count(), 1, "{run:?}");
}

#[test]
fn a_policy_is_asked_for_and_compared() {
    let (bench, sandbox) = signed(plain);
    let extend = |level, output: &str, policy, more: &[&str]| {
        let all = extending(&sandbox, level, output);
        bench.ades(&[&all[..], &["--tsa-policy", policy], more].concat())
    };
    extend("t", "t.p7s", POLICY, &[]).ends(0, "B-T");
    extend("t", "x.p7s", OTHER_POLICY, &[]).ends(5, "refused");
    sandbox.evidence_fault("time_stamp", &json!({"kind": "wrong_policy"}), 1);
    extend("t", "x.p7s", POLICY, &[]).ends(5, "under another policy than the one asked for");
    assert!(!bench.has("x.p7s"));
    extend("t", "x.p7s", "1.2.x", &[]).ends(2, "--tsa-policy");
    let sign = |output, policy| {
        let what = ["sign", "two.txt", "-o", output, "--level", "t", "--tsa", tsa(&sandbox)];
        bench.ades(&[&what[..], ITSME, &["--tsa-policy", policy]].concat())
    };
    sign("two.p7s", POLICY).ends(0, "two.p7s: B-T");
    sandbox.evidence_fault("time_stamp", &json!({"kind": "wrong_policy"}), 1);
    sign("odd.p7s", POLICY)
        .ends(5, "under another policy")
        .ends(5, "ades extend raises them later");
    let what = ["sign", "two.txt", "-o", "b.p7s", "--tsa-policy", POLICY];
    bench.ades(&[&what[..], ITSME].concat()).ends(2, "--level t, lt or lta");
}

/// Trap 9: the room for the time-stamp is measured before the user is asked, and the time-stamp
/// goes into the signature itself.
#[test]
fn signing_a_pdf_reserves_the_room_that_the_service_needs() {
    let bench = bench();
    bench.write("doc.pdf", ades_tests::pdf::Document::default().write());
    let sandbox = plain(&bench);
    let sign = |output, more: &[&str]| {
        let what = ["sign", "doc.pdf", "-o", output];
        bench.ades(&[&what[..], ITSME, more].concat())
    };
    sign("b.pdf", &[]).ends(0, "");
    assert_eq!(stamps(&sandbox), 0);
    sign("t.pdf", &["--level", "t", "--tsa", tsa(&sandbox)]).ends(0, "t.pdf: B-T");
    assert_eq!(stamps(&sandbox), 2);
    let text = |name: &str| String::from_utf8_lossy(&bench.read(name)).into_owned();
    // A document time-stamp would be a second signature field.
    assert_eq!(text("t.pdf").matches("/ByteRange").count(), 1);
    assert!(!text("t.pdf").contains("ETSI.RFC3161"));
    let grown = bench.read("t.pdf").len() - bench.read("b.pdf").len();
    assert!((2_000..12_000).contains(&grown), "{grown}");
    // Without an answer, there is the usual room, and a message before the user confirms.
    sandbox.evidence_fault("time_stamp", &json!({"kind": "rejection"}), 2);
    let run = sign("later.pdf", &["--level", "t", "--tsa", tsa(&sandbox)]);
    run.ends(5, "no time-stamping service answers now").ends(5, "refused");
    let what = ["extend", "later.pdf", "--level", "t", "--tsa", tsa(&sandbox), "-o", "late.pdf"];
    bench.ades(&what).ends(0, "late.pdf: B-T");
    assert!(!text("late.pdf").contains("ETSI.RFC3161"));
}

/// A container as text is refused before a time-stamp is spent, and the message says what to do.
#[test]
fn a_container_as_text_is_refused_with_its_reason() {
    let (bench, sandbox) = signed(plain);
    let convert = |form: &str, output: &str| {
        let how = ["cms", "-cmsout", "-in", "one.p7s", "-inform", "DER", "-outform", form];
        bench.openssl(&[&how[..], &["-out", output]].concat()).ends(0, "");
    };
    convert("PEM", "one.pem");
    convert("SMIME", "one.eml");
    let pem = String::from_utf8(bench.read("one.pem")).unwrap();
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    bench.write("one.b64", lines);
    for name in ["one.pem", "one.eml", "one.b64"] {
        let mut arguments = extending(&sandbox, "t", "out.p7s");
        arguments[1] = name;
        bench.ades(&arguments).ends(3, "openssl cms");
        assert!(!bench.has("out.p7s") && !bench.has("out.p7s.raising"), "{name}");
    }
    bench.write("padded.p7s", [bench.read("one.p7s"), vec![0; 7]].concat());
    let mut arguments = extending(&sandbox, "t", "out.p7s");
    arguments[1] = "padded.p7s";
    let run: Run = bench.ades(&arguments);
    run.ends(3, "padding");
    assert_eq!(stamps(&sandbox), 0);
}

/// A countersignature gets a time-stamp of its own. The signature around it stays as it is.
#[test]
fn a_countersignature_is_raised_alone() {
    let (bench, sandbox) = signed(plain);
    bench.write("doc.xml", b"<?xml version=\"1.0\"?><a>b</a>");
    bench.ades(&[&["sign", "doc.xml", "-o", "one.xml"], ITSME].concat()).ends(0, "");
    for end in ["p7s", "xml"] {
        let name = |name: &str| format!("{name}.{end}");
        let (one, two) = (name("one"), name("two"));
        let sign = ["sign", &one, "--counter-sign", "0", "-o", &two];
        bench.ades(&[&sign[..], ITSME].concat()).ends(0, "");
        let extend = |input: &str, place: &str, level: &str, output: &str| {
            let what = ["extend", input, "--signature", place, "--level", level, "-o", output];
            let trust = ["--tsa", tsa(&sandbox), "--trust", "sb/root.pem"];
            let original = ["--original", "one.txt"];
            let original = if end == "p7s" { &original[..] } else { &[] };
            bench.ades(&[&what[..], &trust, original, ALLOW].concat())
        };
        let before = stamps(&sandbox);
        extend(&two, "0.0", "t", &name("t")).ends(0, "B-T");
        assert_eq!(stamps(&sandbox) - before, 1);
        let signature = |file: &str| {
            let original = ["--original", "one.txt"];
            let original = if end == "p7s" { &original[..] } else { &[] };
            let what = ["verify", file, "--trust", "sb/root.pem", "--json"];
            json(&bench.ades(&[&what[..], original].concat()).out)["signatures"][0].clone()
        };
        let raised = signature(&name("t"));
        assert_eq!((&raised["level"], &raised["intact"]), (&json!("B-B"), &json!(true)));
        assert_eq!(raised["countersignatures"][0]["level"], "B-T", "{raised}");
        extend(&name("t"), "0.0", "lt", &name("lt")).ends(0, "B-LT");
        assert_eq!(signature(&name("lt"))["countersignatures"][0]["level"], "B-LT");
        assert_eq!(stamps(&sandbox) - before, 1);
        extend(&two, "0.1", "t", "x").ends(2, "no signature at this place");
        extend(&two, "1", "t", "x").ends(2, "no signature at this place");
        assert_eq!(stamps(&sandbox) - before, 1);
    }
    // An archive time-stamp belongs to the signature around it.
    let before = stamps(&sandbox);
    let mut arguments = extending(&sandbox, "lta", "x.p7s");
    arguments[1] = "two.p7s";
    arguments.extend(["--signature", "0.0"]);
    bench.ades(&arguments).ends(3, "missing: signature 1, countersignature 1");
    assert_eq!(stamps(&sandbox), before);
}

/// A proxy gets the address as a whole, and resolves its name.
#[test]
fn a_proxy_gets_all_requests() {
    let (bench, sandbox) = signed(plain);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(&stream), &mut line).unwrap();
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
        line
    });
    let what = ["extend", "one.p7s", "--level", "t", "--tsa", "http://tsa.example/a", "-o", "x"];
    let run = bench.ades(&[&what[..], &["--fetch-proxy", &address]].concat());
    run.ends(5, "HTTP status 407");
    assert_eq!(seen.join().unwrap(), "POST http://tsa.example/a HTTP/1.1\r\n");
    bench.ades(&[&what[..], &["--fetch-proxy", "no URL"]].concat()).ends(2, "--fetch-proxy");
    let verify = ["verify", "one.p7s", "--fetch-proxy", &address];
    bench.ades(&verify).ends(2, "--revocation fetch");
    drop(sandbox);
}

/// The embedded sandbox's certificates name its port, which the resuming process takes again.
#[test]
fn a_killed_signing_with_the_embedded_sandbox_is_raised_when_resumed() {
    let bench = bench();
    let files = ["sign", "one.txt", "two.txt", "--out-dir", "out", "--level", "lta"];
    let how = ["--auto-approve", "--sandbox-dir", "sb"];
    let child = spawn(&bench, &[&files[..], &how].concat());
    common::service::until("it raises", || bench.has("out/one.txt.p7s.raising"));
    kill(child);
    let status = json(&bench.ades(&["status", "out/ades.pending", "--json"]).out);
    assert_eq!((&status["stage"], &status["signed"]), (&json!("raising"), &json!(2)), "{status}");
    let run = bench.ades(&["resume", "out/ades.pending", "--json"]);
    run.ends(0, "");
    let line = json(&run.out);
    for file in line["signed"].as_array().unwrap() {
        assert_eq!(file["level"], "B-LTA", "{line}");
    }
    is_archived_once(&bench, "out/one.txt.p7s");
    assert_eq!(bench.names("out"), ["one.txt.p7s", "two.txt.p7s"]);
}

/// Certificates and services of somebody else: signed at once to B-LTA, and raised and renewed
/// later. EU DSS passes the files.
#[test]
fn certomancer_signs_and_raises_files_of_every_format() {
    let bench = bench();
    bench.write("doc.xml", b"<?xml version=\"1.0\"?><a>b</a>");
    bench.write("doc.pdf", ades_tests::pdf::Document::default().write());
    let theirs = Certomancer::shared();
    let (tsa, root) = (theirs.tsa(Stamping::First), theirs.root().to_str().unwrap());
    let signer = format!("pkcs12:{}", theirs.signer().display());
    let sign = ["sign", "one.txt", "doc.xml", "doc.pdf"];
    let by = ["--signer", &signer, "--password-env", "PASSWORD"];
    let to = ["--tsa", &tsa, "--trust", root];
    let at_once = [&sign[..], &by, &["--out-dir", "lta", "--level", "lta"], &to, ALLOW].concat();
    bench.ades(&at_once).ends(0, "");
    bench.ades(&[&sign[..], &by, &["--out-dir", "b"]].concat()).ends(0, "");
    for file in ["one.txt.p7s", "doc.xml", "doc.pdf"] {
        let original = file.ends_with(".p7s").then(|| bench.path("one.txt"));
        let more = match original {
            Some(_) => &["--original", "one.txt"][..],
            None => &[],
        };
        let of = |folder: &str| format!("{folder}/{file}");
        let extend = |from: &str, to_file: &str, level: &str| {
            let what = ["extend", from, "--level", level, "-o", to_file];
            bench.ades(&[&what[..], &to, more, ALLOW].concat())
        };
        std::fs::create_dir_all(bench.path("t")).unwrap();
        std::fs::create_dir_all(bench.path("raised")).unwrap();
        std::fs::create_dir_all(bench.path("renewed")).unwrap();
        extend(&of("b"), &of("t"), "t").ends(0, "B-T");
        extend(&of("t"), &of("raised"), "lta").ends(0, "B-LTA");
        extend(&of("raised"), &of("renewed"), "lta").ends(0, "B-LTA");
        for (folder, stamps) in [("lta", 2), ("raised", 2), ("renewed", 3)] {
            let what = ["verify", &of(folder), "--trust", root, "--json"];
            let report = json(&bench.ades(&[&what[..], more].concat()).out);
            assert_eq!(report["conclusion"], "total-passed", "{folder} {report}");
            let own = &report["signatures"][0];
            assert_eq!(own["level"], "B-LTA", "{folder} {report}");
            assert_eq!(own["timestamps"].as_array().map(Vec::len), Some(stamps), "{report}");
            let path = bench.path(&of(folder));
            let verdict = &Dss::shared().validate(&path, original.as_deref(), theirs.root())[0];
            assert_eq!(verdict["indication"], "TOTAL_PASSED", "{folder}: {verdict:#}");
            assert!(verdict["level"].as_str().unwrap().ends_with("-LTA"), "{folder}: {verdict:#}");
        }
    }
}
