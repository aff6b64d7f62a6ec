//! Several processes at once, and processes that end before they are done.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
#![cfg(unix)]

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use ades_tests::pki::Key;
use common::service::{ITSME, Sandbox, bench, kill, spawn, stage, until, written};
use common::{Bench, PKCS12, Run, json};
use serde_json::{Value, json};

/// Long enough to be interrupted while it is written.
const LONG: u64 = 256 * 1024 * 1024;

fn sparse(bench: &Bench, name: &str) {
    File::create(bench.path(name)).unwrap().set_len(LONG).unwrap();
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
}

/// The temporary files in a folder.
fn unfinished(bench: &Bench, folder: &str) -> Vec<String> {
    bench.names(folder).into_iter().filter(|name| name.contains(".ades-")).collect()
}

/// Waits until a part of an output is written.
fn until_written(bench: &Bench, folder: &str) -> String {
    let long = |name: &String| {
        let path = bench.path(folder).join(name);
        path.metadata().is_ok_and(|metadata| metadata.len() > 1024 * 1024)
    };
    let mut found = None;
    until("writing", || {
        found = unfinished(bench, folder).into_iter().find(long);
        found.is_some()
    });
    found.unwrap()
}

fn end(child: Child, how: &str) -> ExitStatus {
    signal(&child, how);
    child.wait_with_output().unwrap().status
}

#[test]
fn first_uses_at_once_share_one_pki() {
    let bench = bench();
    let names = ["1.p7s", "2.p7s", "3.p7s"];
    let sign = |name| ["sign", "one.txt", "-o", name, "--auto-approve"];
    let children: Vec<Child> = names.iter().map(|name| spawn(&bench, &sign(name))).collect();
    for child in children {
        Run::new(&child.wait_with_output().unwrap()).ends(0, "");
    }
    bench.ades(&sign("4.p7s")).ends(0, "");
    for name in names.iter().chain(&["4.p7s"]) {
        bench.openssl_accepts(name, Some("one.txt"), "data/ades/sandbox/root.pem");
    }
}

#[test]
fn two_signers_in_parallel() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let users = [("ready", "one.txt", "Ready"), ("new", "two.txt", "New")];
    let mut children = Vec::new();
    let mut sessions: Vec<Value> = Vec::new();
    for (at, (_, document, _)) in users.iter().enumerate() {
        let container = format!("{document}.p7s");
        children.push(spawn(&bench, &[&["sign", document, "-o", &container], ITSME].concat()));
        until("identifying", || sandbox.sessions("identification").len() == at + 1);
        let mut all = sandbox.sessions("identification").into_iter();
        sessions.push(
            all.find(|session| sessions.iter().all(|s| s["session"] != session["session"]))
                .unwrap(),
        );
    }
    // The later one is faster; then both wait for a confirmation at the same time.
    for ((user, ..), session) in users.iter().zip(&sessions).rev() {
        sandbox.answer_as(user, session, true);
    }
    until("signing", || sandbox.sessions("signature").len() == 2);
    for session in sandbox.sessions("signature") {
        sandbox.answer_as(session["user"].as_str().unwrap(), &session, true);
    }
    for child in children {
        Run::new(&child.wait_with_output().unwrap()).ends(0, "signed: ");
    }
    for (_, document, name) in users {
        let container = format!("{document}.p7s");
        bench.openssl_accepts(&container, Some(document), "sb/root.pem");
        let report = json(&bench.ades(&["inspect", &container, "--json"]).out);
        let signer = report["signatures"][0]["signer"].as_str().unwrap();
        assert!(signer.ends_with(name), "{signer}");
    }
    assert_eq!(sandbox.sessions("identification").len(), 2);
    assert_eq!(sandbox.sessions("signature").len(), 2);
}

#[test]
fn one_process_at_a_time_works_on_a_job() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let sign = [&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat();
    let pending = "one.p7s.pending";
    let busy = |arguments: &[&str]| {
        bench.ades(arguments).ends(5, "another process works on it");
    };

    let child = spawn(&bench, &sign);
    until("identifying", || stage(&bench, pending) == "identifying");
    busy(&sign);
    busy(&[&sign[..], &["--force"]].concat());
    busy(&["resume", pending]);
    assert_eq!(sandbox.sessions("identification").len(), 1);

    // A kill releases the lock.
    kill(child);
    assert!(bench.has(".one.p7s.pending.lock"));
    let before = written(&bench, pending);
    let first = spawn(&bench, &["resume", pending]);
    until("resumed", || written(&bench, pending) > before);
    busy(&["resume", pending]);
    sandbox.answer("identification", true);
    until("signing", || stage(&bench, pending) == "signing");
    busy(&["resume", pending]);
    assert_eq!(sandbox.sessions("signature").len(), 1);
    sandbox.answer("signature", true);
    Run::new(&first.wait_with_output().unwrap()).ends(0, "");
    bench.openssl_accepts("one.p7s", Some("one.txt"), "sb/root.pem");
    assert_eq!(bench.names("."), ["one.p7s", "one.txt", "sb", "two.txt"]);
}

/// Two jobs with one output: each removes leftovers, but not the file that the other writes.
#[test]
fn one_output_is_written_by_one_of_two() {
    let bench = bench();
    bench.identity(Key::P256);
    sparse(&bench, "long.bin");
    bench.write("long", b"short");
    let with = |arguments: &[&str]| {
        spawn(&bench, &[&["sign"], PKCS12, &["--packaging", "enveloping"], arguments].concat())
    };
    let first = with(&["long.bin", "-o", "long.p7m"]);
    until_written(&bench, ".");
    // The first one is not faster than the second one.
    signal(&first, "STOP");
    let second = with(&["long", "--out-dir", "."]);
    Run::new(&second.wait_with_output().unwrap()).ends(0, "");
    let made = bench.read("long.p7m");
    signal(&first, "CONT");
    Run::new(&first.wait_with_output().unwrap()).ends(2, "exists already");
    assert_eq!(bench.read("long.p7m"), made);
    assert!(unfinished(&bench, ".").is_empty());
}

#[test]
fn signal_leaves_no_unfinished_file() {
    let bench = Bench::new();
    bench.identity(Key::P256);
    sparse(&bench, "long.bin");
    let sign = [&["sign"], PKCS12, &["long.bin", "-o", "z.p7m", "--packaging", "enveloping"]];
    let sign = sign.concat();
    let before = bench.names(".");
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        let child = spawn(&bench, &sign);
        let written = bench.path(&until_written(&bench, "."));
        // Other users cannot read it before it is verified.
        assert_eq!(written.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(end(child, name).signal(), Some(number), "a shell has to see the signal");
        assert_eq!(bench.names("."), before, "{name}");
    }

    // The same for `complete`.
    let prepare = ["prepare", "long.bin", "--certs", "chain.pem", "--state", "z.state"];
    let run = bench.ades(&[&prepare[..], &["--packaging", "enveloping"]].concat());
    let digest = json(&run.out)["digest_hex"].as_str().unwrap().to_owned();
    let octets = |at| u8::from_str_radix(&digest[at..at + 2], 16).unwrap();
    bench.write("tbs.bin", (0..digest.len()).step_by(2).map(octets).collect::<Vec<u8>>());
    let value = ["pkeyutl", "-sign", "-inkey", "key.pem", "-in", "tbs.bin", "-out", "value.bin"];
    bench.openssl(&[&value[..], &["-pkeyopt", "digest:sha256"]].concat()).ends(0, "");
    let complete =
        ["complete", "long.bin", "--state", "z.state", "--signature", "value.bin", "-o", "z.p7m"];
    let before = bench.names(".");
    let child = spawn(&bench, &complete);
    until_written(&bench, ".");
    assert_eq!(end(child, "INT").signal(), Some(2));
    assert_eq!(bench.names("."), before);

    // SIGKILL cannot be handled: the next run removes the files.
    for arguments in [&sign[..], &complete] {
        let child = spawn(&bench, arguments);
        until_written(&bench, ".");
        kill(child);
        assert_eq!(unfinished(&bench, ".").len(), 1);
        bench.ades(arguments).ends(0, "");
        assert!(unfinished(&bench, ".").is_empty());
        fs::remove_file(bench.path("z.p7m")).unwrap();
    }
    assert_eq!(bench.names("."), before);
}

#[test]
fn ignored_signals_stay_ignored() {
    let bench = Bench::new();
    bench.identity(Key::P256);
    sparse(&bench, "long.bin");
    let program = env!("CARGO_BIN_EXE_ades");
    let arguments = "sign long.bin -o z.p7m --packaging enveloping --signer pkcs12:key.p12 \
                     --password-env PASSWORD";
    // As nohup and shells for background jobs do.
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("trap '' INT HUP; exec {program} {arguments}")]);
    shell.current_dir(bench.path(".")).env("PASSWORD", "sesame").stderr(Stdio::null());
    let mut child = shell.spawn().unwrap();
    until_written(&bench, ".");
    signal(&child, "HUP");
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    bench.openssl_accepts("z.p7m", None, "root.pem");
}

/// The copy of standard input is a document, which must not stay in /tmp.
#[test]
fn copy_of_standard_input_is_removed() {
    let bench = Bench::new();
    bench.identity(Key::P256);
    fs::create_dir(bench.path("tmp")).unwrap();
    let arguments = [&["sign"], PKCS12, &["-", "-o", "-"]].concat();
    let piped = || {
        let mut command = bench.command(&arguments);
        command.env("TMPDIR", bench.path("tmp"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(b"a secret").unwrap();
        until("spooling", || unfinished(&bench, "tmp").len() == 1);
        child
    };
    let mut child = piped();
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    assert_eq!(bench.names("tmp"), [] as [String; 0]);

    kill(piped());
    assert_eq!(unfinished(&bench, "tmp").len(), 1);
    let mut child = piped();
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(bench.names("tmp"), [] as [String; 0]);
}

/// Demand 1: between any two steps, nobody is asked twice and nothing is lost.
#[test]
fn job_killed_in_each_stage_is_resumed() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    sparse(&bench, "long.bin");
    let pending = "out/ades.pending";
    let sign = ["sign", "one.txt", "long.bin", "--out-dir", "out", "--packaging", "enveloping"];
    let sign = [&sign[..], ITSME].concat();
    let asked = || (sandbox.sessions("identification").len(), sandbox.sessions("signature").len());
    let late = json!({"kind": "delay", "millis": 20_000});

    // Before the first answer nothing is stored, and a new job starts.
    sandbox.fault("user_identification", &late, 1);
    let child = spawn(&bench, &sign);
    until("identification", || asked().0 == 1);
    kill(child);
    assert!(!bench.has(pending));
    sandbox.control("/sandbox/reset", &json!({}));

    // While each answer is on its way.
    sandbox.fault("identification_status", &late, 1);
    let child = spawn(&bench, &sign);
    until("identifying", || stage(&bench, pending) == "identifying");
    sandbox.until_faults_are_applied();
    kill(child);
    sandbox.fault("sign_document", &late, 1);
    let child = spawn(&bench, &["resume", pending]);
    until("asking", || asked().1 == 1);
    kill(child);
    assert_eq!(stage(&bench, pending), "asking");
    assert_eq!(asked(), (1, 1));
    sandbox.fault("sign_status", &late, 1);
    let child = spawn(&bench, &["resume", pending, "--ask-again"]);
    until("signing", || stage(&bench, pending) == "signing");
    sandbox.until_faults_are_applied();
    kill(child);

    // After the values have arrived, while the containers are written.
    let child = spawn(&bench, &["resume", pending]);
    until("completing", || stage(&bench, pending) == "completing");
    until("one of them", || bench.has("out/one.txt.p7m"));
    until_written(&bench, "out");
    kill(child);
    assert_eq!(stage(&bench, pending), "completing");
    assert!(!bench.has("out/long.bin.p7m"));
    assert_eq!(unfinished(&bench, "out").len(), 1);
    let one = bench.read("out/one.txt.p7m");

    bench.ades(&["resume", pending]).ends(0, "");
    assert_eq!(asked(), (1, 2));
    assert_eq!(bench.names("out"), ["long.bin.p7m", "one.txt.p7m"]);
    assert_eq!(bench.read("out/one.txt.p7m"), one);
    for container in bench.names("out") {
        bench.openssl_accepts(&format!("out/{container}"), None, "sb/root.pem");
    }
}

/// A state has personal data: what is signed and by whom.
#[test]
fn outputs_have_usual_permissions_and_states_are_private() {
    let bench = bench();
    bench.identity(Key::P256);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    for (umask, container) in [("022", 0o644), ("002", 0o664), ("077", 0o600)] {
        let program = env!("CARGO_BIN_EXE_ades");
        let run = |arguments: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("umask {umask}; exec {program} {arguments}")]);
            shell.current_dir(bench.path(".")).env("PASSWORD", "sesame");
            assert!(shell.output().unwrap().status.success(), "{arguments}");
        };
        run(&["sign --force one.txt -o one.p7s", &PKCS12.join(" ")].join(" "));
        assert_eq!(mode(&bench.path("one.p7s")), container, "{umask}");
        run("prepare --force one.txt --certs chain.pem --state one.state");
        assert_eq!(mode(&bench.path("one.state")), 0o600);
    }
}
