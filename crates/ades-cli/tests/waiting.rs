//! A signing that waits for its user: shown again, asked about, moved, interrupted, and beside
//! another one.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
#![cfg(unix)]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use common::service::{ITSME, Sandbox, bench, browse, kill, spawn, stage, until, written};
use common::{Bench, Run, json};
use serde_json::{Value, json};

type Lines = std::io::Lines<BufReader<ChildStderr>>;

fn lines(child: &mut Child) -> Lines {
    BufReader::new(child.stderr.take().unwrap()).lines()
}

/// The next page that the program names.
fn page(lines: &mut Lines) -> String {
    let mut lines = lines.map(Result::unwrap);
    lines.find_map(|line| line.strip_prefix("  http://").map(|l| format!("http://{l}"))).unwrap()
}

fn rest(lines: Lines) -> String {
    lines.map_while(Result::ok).collect::<Vec<_>>().join("\n")
}

/// Two people sign with one configuration, in either order of their answers.
#[test]
fn two_people_share_one_return_address() {
    for order in [[0, 1], [1, 0]] {
        let bench = bench();
        let sandbox = Sandbox::start(&bench, &[]);
        let names = ["one", "two"];
        let mut children = Vec::new();
        let mut pages = Vec::new();
        for name in names {
            let (document, container) = (format!("{name}.txt"), format!("{name}.p7s"));
            let sign = ["sign", &document, "-o", &container];
            let mut child = spawn(&bench, &[&sign[..], ITSME].concat());
            let mut lines = lines(&mut child);
            pages.push(page(&mut lines));
            children.push((child, lines));
        }
        sandbox.answer("identification", true);
        let sent_on = pages.iter().map(|page| browse(page).0).collect::<Vec<_>>();
        for (at, url) in sent_on.iter().enumerate() {
            assert!(url.contains("/qes/sign?"), "{at}: {url}");
            let (_, lines) = &mut children[at];
            assert_eq!(page(lines), *url, "each to the page of its own job");
        }
        let signings = sandbox.sessions("signature");
        for at in order {
            // The other one is not answered yet: its process would ask, end, and no longer listen.
            let is_own = |session: &&Value| sent_on[at].contains(session["page"].as_str().unwrap());
            let own = signings.iter().find(is_own).unwrap();
            sandbox.answer_as("ready", own, true);
            let (_, last) = browse(&sent_on[at]);
            assert!(last.contains("<h1>Signed</h1>"), "{last}");
        }
        for (name, (mut child, lines)) in names.iter().zip(children) {
            assert!(child.wait().unwrap().success(), "{}", rest(lines));
            bench.openssl_accepts(
                &format!("{name}.p7s"),
                Some(&format!("{name}.txt")),
                "sb/root.pem",
            );
        }
        assert_eq!(sandbox.sessions("identification").len(), 2);
        assert_eq!(sandbox.sessions("signature").len(), 2);
    }
}

/// The process that has the return address is killed; the other one takes it over.
#[test]
fn return_address_is_taken_over() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let start = |name: &str| {
        let (document, container) = (format!("{name}.txt"), format!("{name}.p7s"));
        let mut child = spawn(&bench, &[&["sign", &document, "-o", &container], ITSME].concat());
        let mut lines = lines(&mut child);
        (page(&mut lines), child, lines)
    };
    let (_, first, _) = start("one");
    let (second, mut child, lines) = start("two");
    kill(first);
    for session in sandbox.sessions("identification") {
        sandbox.answer_as("ready", &session, true);
    }
    let (next, _) = browse(&second);
    sandbox.answer("signature", true);
    let (_, last) = browse(&next);
    assert!(last.contains("<h1>Signed</h1>"), "{last}");
    assert!(child.wait().unwrap().success(), "{}", rest(lines));
}

#[test]
fn resume_shows_the_page_again_and_status_names_it() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let pending = "one.p7s.pending";
    let status = || json(&bench.ades(&["status", pending, "--json"]).ends(0, "").out);
    let mut child = spawn(&bench, &[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat());
    for (stage_reached, purpose, title) in
        [("identifying", "identification", "identify"), ("signing", "signature", "confirm")]
    {
        let shown = page(&mut lines(&mut child));
        until(stage_reached, || stage(&bench, pending) == stage_reached);
        let running = status();
        assert_eq!((&running["stage"], &running["running"]), (&json!(stage_reached), &json!(true)));
        kill(child);
        // Twice, because a resumed process can be killed, too.
        for _ in 0..2 {
            let before = bench.read(pending);
            let text = bench.ades(&["status", pending]).ends(0, "").out.clone();
            for part in
                [title, &shown, "no process works on it", "ades resume ", "the signer waits"]
            {
                assert!(text.contains(part), "{part}: {text}");
            }
            let found = status();
            assert_eq!(found["page"], json!(shown));
            assert_eq!((&found["running"], &found["signed"]), (&json!(false), &json!(0)));
            assert!(found["session_until"].as_str().unwrap() > found["since"].as_str().unwrap());
            assert_eq!(bench.read(pending), before, "status touches nothing");
            let mut again = spawn(&bench, &["resume", pending]);
            assert_eq!(page(&mut lines(&mut again)), shown);
            kill(again);
        }
        child = spawn(&bench, &["resume", pending]);
        sandbox.answer(purpose, true);
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(sandbox.sessions("identification").len(), 1);
    assert_eq!(sandbox.sessions("signature").len(), 1);
    bench.ades(&["status", pending]).ends(3, pending);
    bench.ades(&["status", "one.txt"]).ends(3, "one.txt");
}

/// While the request is on its way, nothing is unknown yet.
#[test]
fn status_of_a_job_whose_outcome_is_unknown_names_the_option() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    sandbox.fault("sign_document", &json!({"kind": "delay", "millis": 20_000}), 1);
    let child = spawn(&bench, &[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat());
    let pending = "one.p7s.pending";
    until("asking", || sandbox.sessions("signature").len() == 1);
    let asking = json(&bench.ades(&["status", pending, "--json"]).out);
    assert_eq!(asking["stage"], "asking");
    assert!(!asking["to_do"].as_str().unwrap().contains("--ask-again"), "{asking}");
    kill(child);
    let unknown = json(&bench.ades(&["status", pending, "--json"]).out);
    assert!(unknown["resume"].as_str().unwrap().ends_with("--ask-again"), "{unknown}");
    assert!(unknown["certificate_until"].is_string());
}

/// A program that stands in for the user's browser.
fn fake_browser(bench: &Bench, name: &str) -> String {
    let path = bench.path(name);
    fs::write(&path, format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >> '{}.log'\n", path.display()))
        .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn open_starts_the_browser_once() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let browser = fake_browser(&bench, "browser");
    let spawn = |arguments: &[&str], browser: &str| {
        let mut command = bench.command(arguments);
        command.env("BROWSER", browser).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let opened = || {
        let log = String::from_utf8(bench.read("browser.log")).unwrap();
        log.lines().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let sign = [&["sign", "one.txt", "-o", "one.p7s", "--open"], ITSME].concat();
    // The first command of the list does not exist.
    let mut child = spawn(&sign, &format!("/nowhere/browser:{browser} --new"));
    let mut said = lines(&mut child);
    let first = page(&mut said);
    until("the browser", || bench.has("browser.log") && opened().len() == 2);
    assert_eq!(opened(), ["--new", &first]);
    // The browser comes back: it is sent on, and no other one is opened.
    sandbox.answer("identification", true);
    let (second, _) = browse(&first);
    assert_eq!(page(&mut said), second);
    kill(child);
    assert_eq!(opened().len(), 2);
    // Resumed, the page is opened again; `%s` is replaced.
    let mut child = spawn(&["resume", "one.p7s.pending", "--open"], &format!("{browser} url=%s"));
    until("the browser", || opened().len() == 3);
    assert_eq!(opened()[2], format!("url={second}"));
    sandbox.answer("signature", true);
    let said = rest(lines(&mut child));
    assert!(child.wait().unwrap().success(), "{said}");
    // Without a browser, the address is shown, and the reason.
    let mut child =
        spawn(&[&["sign", "two.txt", "-o", "two.p7s", "--open"], ITSME].concat(), "/nowhere/b");
    let mut said = lines(&mut child);
    assert!(
        said.by_ref()
            .map(Result::unwrap)
            .any(|line| line.starts_with("--open: the browser cannot"))
    );
    page(&mut said);
    kill(child);
    let unattended = ["sign", "one.txt", "-o", "x.p7s", "--auto-approve", "--open"];
    bench.ades(&unattended).ends(2, "--open");
    bench.identity(ades_tests::pki::Key::P256);
    bench
        .sign(&["one.txt", "-o", "x.p7s", "--open"])
        .ends(2, "--open does not concern this signer");
}

/// The configuration, the files and the copy of standard input move with the job.
#[test]
fn job_moves_with_its_folder() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    fs::create_dir_all(bench.path("work/in")).unwrap();
    bench.write("work/in/one.txt", b"the first document");
    for name in ["itsme.toml", "server-ca.pem", "client.pem"] {
        fs::copy(bench.path("sb").join(name), bench.path("work").join(name)).unwrap();
    }
    let sign = ["sign", "work/in/one.txt", "two.txt", "--out-dir", "work", "--signer"];
    let child = spawn(&bench, &[&sign[..], &["itsme:work/itsme.toml"]].concat());
    until("identifying", || stage(&bench, "work/ades.pending") == "identifying");
    kill(child);
    let job = json(&String::from_utf8(bench.read("work/ades.pending")).unwrap());
    let (state, outside) = (&job["state"], bench.path("two.txt"));
    assert_eq!(state["items"][0]["input"], "in/one.txt");
    assert_eq!(state["items"][1]["input"], json!(outside));
    assert_eq!(state["items"][1]["output"], "two.txt.p7s");
    assert_eq!(state["signer"]["kind"]["itsme"], "itsme.toml");

    fs::create_dir(bench.path("elsewhere")).unwrap();
    fs::rename(bench.path("work"), bench.path("elsewhere/moved")).unwrap();
    sandbox.answer("identification", true);
    sandbox.control("/sandbox/auto", &json!({"user": "ready"}));
    bench.ades(&["resume", "elsewhere/moved/ades.pending"]).ends(0, "");
    assert_eq!(sandbox.sessions("identification").len(), 1);
    for name in ["one.txt", "two.txt"] {
        bench.openssl_accepts(&format!("elsewhere/moved/{name}.p7s"), Some(name), "sb/root.pem");
    }
    assert!(!bench.has("work"));
}

#[test]
fn locks_of_killed_processes_are_swept() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let locks = || {
        let names = bench.names(".").into_iter();
        names.filter(|name| name.ends_with(".lock")).collect::<Vec<_>>()
    };
    let start = |name: &str| {
        let child = spawn(&bench, &[&["sign", "one.txt", "-o", name], ITSME].concat());
        until("identifying", || stage(&bench, &format!("{name}.pending")) == "identifying");
        child
    };
    let waiting = start("waiting.p7s");
    kill(start("killed.p7s"));
    fs::remove_file(bench.path("killed.p7s.pending")).unwrap();
    assert_eq!(locks(), [".killed.p7s.pending.lock", ".waiting.p7s.pending.lock"]);
    sandbox.control("/sandbox/auto", &json!({"user": "ready"}));
    bench.ades(&[&["sign", "two.txt", "-o", "two.p7s"], ITSME].concat()).ends(0, "");
    // That of the process that waits stays, and still counts.
    assert_eq!(locks(), [".waiting.p7s.pending.lock"]);
    bench.ades(&["resume", "waiting.p7s.pending"]).ends(5, "another process works on it");
    sandbox.answer("identification", true);
    Run::new(&waiting.wait_with_output().unwrap()).ends(0, "");
    assert_eq!(locks(), [] as [String; 0]);
}

#[test]
fn signals_say_how_to_continue() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    fs::create_dir(bench.path("it's here")).unwrap();
    let pending = "it's here/one.p7s.pending";
    let sign = [&["sign", "one.txt", "-o", "it's here/one.p7s"], ITSME].concat();
    let mut arguments: Vec<&str> = sign.clone();
    for name in ["INT", "TERM", "HUP"] {
        let mut child = spawn(&bench, &arguments);
        let mut said = lines(&mut child);
        // The job is stored before its page is named.
        page(&mut said);
        assert_eq!(stage(&bench, pending), "identifying");
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
        let said = rest(said);
        assert!(child.wait().unwrap().code().is_none(), "a shell has to see the signal");
        let last = said.lines().last().unwrap();
        let command = last.split_once("ades resume ").unwrap().1;
        let path = bench.path(pending).to_str().unwrap().replace('\'', "'\\''");
        assert_eq!(command, format!("'{path}'"), "{said}");
        arguments = vec!["resume", pending];
    }
    // The command works in a shell.
    sandbox.control("/sandbox/auto", &json!({"user": "ready"}));
    sandbox.answer("identification", true);
    bench.ades(&["resume", pending]).ends(0, "");
    assert!(bench.has("it's here/one.p7s"));
}

/// The times of a job do not change while the program polls.
#[test]
fn since_is_the_beginning_of_a_stage() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let pending = "one.p7s.pending";
    let child = spawn(&bench, &[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat());
    until("identifying", || stage(&bench, pending) == "identifying");
    let since =
        || -> Value { json(&bench.ades(&["status", pending, "--json"]).out)["since"].clone() };
    let first = since();
    let stored = written(&bench, pending);
    until("polled", || written(&bench, pending) > stored);
    assert_eq!(since(), first);
    // The time has a resolution of one second.
    std::thread::sleep(Duration::from_millis(1100));
    sandbox.answer("identification", true);
    until("signing", || stage(&bench, pending) == "signing");
    assert!(since().as_str() > first.as_str());
    kill(child);
}
