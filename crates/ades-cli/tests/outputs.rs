//! Outputs that cannot be written, default names, terminals and machine-readable outcomes.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::process::Stdio;

use ades_tests::pki::Key;
use common::{Bench, PKCS12, Run, json};

fn bench() -> Bench {
    let bench = Bench::new();
    bench.identity(Key::P256);
    bench.write("doc.bin", "a contract");
    bench.write("doc.pdf", ades_tests::pdf::Document::default().write());
    bench.write("doc.xml", "<a><b Id='e'/></a>");
    bench
}

/// Runs the program from a shell, with its arguments as `$@` of the script.
fn in_shell(bench: &Bench, script: &str, arguments: &[&str]) -> Run {
    let mut command = bench.command_by("bash");
    command.args(["-c", script, "bash", env!("CARGO_BIN_EXE_ades")]).args(arguments);
    Run::new(&command.output().unwrap())
}

/// As on a full disk: no file may grow.
const NO_SPACE: &str = "ulimit -f 0; \"$@\"";

#[test]
fn what_cannot_be_written_is_status_7_and_leaves_nothing() {
    let bench = bench();
    let prepare = ["prepare", "doc.bin", "--certs", "chain.pem", "--state", "doc.state"];
    bench.ades(&prepare).ends(0, "");
    bench.write("value", "x");
    let before = bench.names(".");
    let sign = |arguments: &[&'static str]| [&["sign"], PKCS12, arguments].concat();
    let other = ["prepare", "doc.bin", "--certs", "chain.pem", "--state", "new.state"];
    for (arguments, output) in [
        (sign(&["doc.bin", "-o", "out.p7s"]), "out.p7s"),
        (sign(&["doc.pdf", "-o", "out.pdf"]), "out.pdf"),
        (sign(&["doc.xml", "-o", "out.xml"]), "out.xml"),
        (sign(&["doc.pdf", "--out-dir", "new"]), "new/doc.pdf"),
        (sign(&["doc.bin", "doc.pdf", "--out-dir", "new"]), "new/doc.pdf"),
        (sign(&["doc.bin"]), "doc.bin.p7s"),
        (sign(&["doc.bin", "-o", "-"]), "standard output"),
        (other.to_vec(), "new.state"),
    ] {
        // The signal of the limit, which ends a program, and a program that ignores it.
        for script in [NO_SPACE, &format!("trap '' XFSZ; {NO_SPACE}")] {
            let run = in_shell(&bench, script, &arguments);
            run.ends(7, output).ends(7, "File too large");
            // An empty folder may stay.
            let _ = std::fs::remove_dir(bench.path("new"));
            assert_eq!(bench.names("."), before, "{arguments:?}");
            assert!(run.out.is_empty(), "{run:?}");
        }
    }
    // Standard input is copied beside the output.
    let from_input = format!("{NO_SPACE} < doc.bin");
    in_shell(&bench, &from_input, &sign(&["-", "-o", "out"])).ends(7, "standard input");
    assert_eq!(bench.names("."), before);
}

#[test]
fn a_job_that_cannot_be_stored_is_status_7() {
    let bench = bench();
    let sandbox = ["sign", "doc.bin", "--auto-approve", "-o"];
    bench.ades(&[&sandbox[..], &["first.p7s"]].concat()).ends(0, "");
    let before = bench.names(".");
    // Enough for the files of the sandbox and for the first state of the job, which stays whole.
    let script = "ulimit -f 4; \"$@\"";
    let run = in_shell(&bench, script, &[&sandbox[..], &["out.p7s"]].concat());
    run.ends(7, "out.p7s.pending: cannot be written").ends(7, "ades resume");
    let password = ["resume", "out.p7s.pending", "--password-env", "PASSWORD"];
    bench.ades(&password).ends(2, "--password-env does not concern");
    let resume = ["resume", "out.p7s.pending", "--json"];
    let refused = json(&bench.ades(&[&resume[..], &["--password-env", "X"]].concat()).out);
    assert_eq!(refused["error"]["exit_status"], 2, "{refused}");
    assert!(refused["pending"].as_str().unwrap().ends_with("out.p7s.pending"), "{refused}");
    let resumed = json(&bench.ades(&resume).ends(0, "signed: ").out);
    assert!(resumed["error"].is_null() && resumed["pending"].is_null(), "{resumed}");
    let output = resumed["signed"][0]["output"].as_str().unwrap();
    assert!(output.ends_with("out.p7s") && resumed["sandbox"] == true, "{resumed}");
    let none = json(&bench.ades(&resume).ends(3, "").out);
    assert_eq!(none["error"]["exit_status"], 3, "{none}");
    bench.openssl_accepts("out.p7s", Some("doc.bin"), "data/ades/sandbox/root.pem");
    std::fs::remove_file(bench.path("out.p7s")).unwrap();
    assert_eq!(bench.names("."), before);
}

#[test]
fn what_is_in_the_way_of_an_output_is_named() {
    let bench = bench();
    bench.write("file", "");
    std::fs::create_dir(bench.path("folder")).unwrap();
    let complete = ["complete", "doc.bin", "--state", "s", "--signature", "v", "-o"];
    let state = ["prepare", "doc.bin", "--certs", "chain.pem", "--state"];
    let preview = ["doc.pdf", "-o", "x", "--visible", "1:0,0,99,99", "--preview"];
    for (output, why) in [
        ("folder", "folder: cannot be written: is a folder"),
        ("nowhere/out", "nowhere/out: cannot be written: there is no folder nowhere"),
        ("file/out", "file/out: cannot be written: file is not a folder"),
        ("/dev/full", "is not a regular file"),
        ("new/", "names a folder"),
        (&"n".repeat(300), "File name too long"),
    ] {
        bench.sign(&["doc.bin", "-o", output, "--force"]).ends(7, why);
        bench.ades(&[&complete[..], &[output]].concat()).ends(7, why);
        bench.ades(&[&state[..], &[output]].concat()).ends(7, why);
        bench.sign(&[&preview[..], &[output]].concat()).ends(7, why);
    }
    bench.sign(&["doc.bin", "--out-dir", "file"]).ends(7, "file: cannot be written");
    bench
        .sign(&["doc.bin", "--out-dir", "file/new"])
        .ends(7, "file/new/doc.bin.p7s: cannot be written");
    bench.sign(&["doc.bin", "-o", "/proc/out.p7s"]).ends(7, "/proc/out.p7s");
}

#[test]
fn no_output_overwrites_an_input() {
    let bench = bench();
    std::os::unix::fs::symlink("doc.bin", bench.path("link")).unwrap();
    std::os::unix::fs::symlink(".", bench.path("here")).unwrap();
    std::fs::create_dir(bench.path("folder")).unwrap();
    bench.write("doc.bin.p7s", "another document");
    let document = std::fs::read(bench.path("doc.bin")).unwrap();
    let complete = ["complete", "doc.bin", "--state", "s", "--signature", "v", "--force", "-o"];
    let state = ["prepare", "doc.bin", "--certs", "chain.pem", "--force", "--state"];
    let preview = ["doc.bin", "-o", "x", "--visible", "1:0,0,99,99", "--force", "--preview"];
    let report = ["verify", "doc.bin", "--force", "--report-xml"];
    let original = ["extend", "doc.p7s", "--original", "doc.bin", "--level", "t", "--force", "-o"];
    for output in ["doc.bin", "./doc.bin", "here/doc.bin", "folder/../doc.bin", "link"] {
        for inputs in [&["doc.bin"][..], &["link"], &["here/doc.bin"]] {
            let sign = [inputs, &["--force", "-o", output]].concat();
            bench.sign(&sign).ends(2, "would be overwritten");
        }
        bench.sign(&["doc.bin", "-o", output]).ends(2, "would be overwritten");
        let together = ["doc.xml", "doc.bin", "--together", "--packaging", "detached"];
        bench.sign(&[&together[..], &["--force", "-o", output]].concat()).ends(2, "overwritten");
        bench.sign(&[&preview[..], &[output]].concat()).ends(2, "would be overwritten");
        for command in [&complete[..], &state, &report, &original] {
            bench.ades(&[command, &[output]].concat()).ends(2, "would be overwritten");
        }
    }
    let batch = ["doc.bin", "doc.bin.p7s", "--force", "--out-dir", "."];
    bench.sign(&batch).ends(2, "doc.bin.p7s: is an input, and would be overwritten");
    assert_eq!(std::fs::read(bench.path("doc.bin")).unwrap(), document);

    // A container may be replaced by itself with one more signature, a copy by anything.
    let parallel = ["doc.p7m", "--parallel", "doc.p7m", "-o", "doc.p7m", "--force"];
    bench.sign(&["doc.bin", "-o", "doc.p7m", "--packaging", "enveloping"]).ends(0, "");
    bench.sign(&parallel).ends(0, "");
    bench.sign(&["doc.p7m", "--counter-sign", "0", "-o", "doc.p7m", "--force"]).ends(0, "");
    std::fs::hard_link(bench.path("doc.bin"), bench.path("hard")).unwrap();
    bench.sign(&["doc.bin", "-o", "hard", "--force"]).ends(0, "");
    assert_eq!(std::fs::read(bench.path("doc.bin")).unwrap(), document);
}

#[test]
fn standard_output_that_takes_nothing_is_status_7() {
    let bench = bench();
    bench.sign(&["doc.bin", "-o", "doc.p7s"]).ends(0, "");
    let prepare = ["prepare", "doc.bin", "--certs", "chain.pem", "--state", "state"];
    let sign = [&["sign"], PKCS12, &["doc.bin", "-o", "-"]].concat();
    let machine = [&["sign"], PKCS12, &["doc.bin", "-o", "x", "--force", "--json"]].concat();
    let reports = [
        &["inspect", "doc.p7s"][..],
        &["verify", "--integrity", "doc.p7s", "--original", "doc.bin", "--json"],
        &["help"],
        &["sign", "--help"],
        &["man"],
        &["completions", "bash"],
    ];
    let whole = [&["c14n", "doc.xml"][..], &prepare, &sign, &machine];
    for arguments in reports.iter().chain(&whole) {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let run = Run::new(&bench.command(arguments).stdout(full).output().unwrap());
        run.ends(7, "standard output: cannot be written: No space left");
        // Nobody reads: enough of a report was read, but not of a result.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = Run::new(&bench.command(arguments).stdout(writer).output().unwrap());
        let closed = if whole.contains(arguments) { 7 } else { 0 };
        assert_eq!(run.code, closed, "{arguments:?} {run:?}");
    }
    assert!(!bench.has("state"));
}

#[test]
fn containers_get_names_of_their_own() {
    let bench = bench();
    std::fs::create_dir(bench.path("in")).unwrap();
    bench.write("in/contract.PDF", bench.read("doc.pdf"));
    bench.write("in/plain", "<a/>");
    for (arguments, output) in [
        (&["doc.bin"][..], "doc.bin.p7s"),
        (&["doc.bin", "--packaging", "enveloping"], "doc.bin.p7m"),
        (&["doc.xml", "--packaging", "detached"], "doc.xml.xades"),
        (&["doc.xml"], "doc-signed.xml"),
        (&["in/contract.PDF"], "in/contract-signed.PDF"),
        (&["in/plain"], "in/plain-signed"),
        (&["doc.bin.p7s", "--counter-sign", "0"], "doc.bin-signed.p7s"),
        (&["doc.bin", "--parallel", "doc.bin.p7s", "--force"], "doc.bin-signed.p7s"),
    ] {
        bench.sign(arguments).ends(0, &format!("/{output}\n"));
        assert!(bench.has(output), "{output}");
        let written = bench.read(output);
        if !arguments.contains(&"--force") {
            bench.sign(arguments).ends(2, "exists already");
        }
        assert_eq!(bench.read(output), written);
    }
    bench.sign(&["doc.bin", "doc.pdf"]).ends(2, "doc.bin.p7s: exists already");
    assert!(!bench.has("doc-signed.pdf"));
    let two = ["sign", "doc.pdf", "in/contract.PDF", "--force", "--auto-approve"];
    bench.ades(&two).ends(0, "doc-signed.pdf.pending").ends(0, "/in/contract-signed.PDF");
    assert!(!bench.has("doc-signed.pdf.pending"));
    let (run, _) = bench.ades_with(&[&["sign"], PKCS12, &["-"]].concat(), b"text");
    run.ends(2, "-o OUT");
}

#[test]
fn the_outcome_is_one_json_object() {
    let bench = bench();
    bench.write("dtd.xml", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>");
    let enveloping = ["--packaging", "enveloping", "--out-dir", "out", "--json"];
    let run = bench.sign(&[&["doc.bin", "dtd.xml"][..], &enveloping].concat());
    let outcome = json(&run.ends(0, "").out);
    assert_eq!((&outcome["version"], &outcome["sandbox"]), (&1.into(), &false.into()));
    assert!(outcome["error"].is_null() && outcome["pending"].is_null());
    let [one, two] = &outcome["signed"].as_array().unwrap()[..] else { panic!("{outcome}") };
    assert_eq!((&one["format"], &two["format"]), (&"CAdES".into(), &"XAdES".into()));
    assert_eq!((&one["level"], &one["signer"]), (&"B-B".into(), &"Test Signer P256".into()));
    assert!(one["input"].as_str().unwrap().ends_with("/doc.bin"));
    assert!(one["output"].as_str().unwrap().ends_with("/out/doc.bin.p7m"));
    assert_eq!(one["warnings"], serde_json::json!([]));
    assert_eq!(two["warnings"][0]["code"], "doctype-kept-as-base64");
    assert!(two["warnings"][0]["message"].as_str().unwrap().len() > 10);

    let run = bench.sign(&["doc.bin", "-o", "out", "--json"]);
    let outcome = json(&run.ends(7, "is a folder").out);
    assert_eq!(outcome["error"]["exit_status"], 7);
    assert!(outcome["error"]["message"].as_str().unwrap().contains("is a folder"));
    assert_eq!(outcome["signed"], serde_json::json!([]));
    let sandbox = ["sign", "-", "-o", "stdin.p7s", "--json", "--auto-approve"];
    let (run, out) = bench.ades_with(&sandbox, b"text");
    run.ends(0, "");
    let outcome = json(std::str::from_utf8(&out).unwrap());
    assert_eq!((&outcome["sandbox"], &outcome["signed"][0]["input"]), (&true.into(), &"-".into()));
    let rejecting = ["--sandbox-user", "refuses-signing"];
    let refused = ["sign", "doc.bin", "-o", "no.p7s", "--json", "--auto-approve"];
    let outcome = json(&bench.ades(&[&refused[..], &rejecting].concat()).out);
    assert_eq!(outcome["error"]["exit_status"], 4, "{outcome}");
    let together = ["doc.bin", "doc.xml", "--together", "--packaging", "detached", "--json"];
    let outcome = json(&bench.sign(&[&together[..], &["-o", "all.xades"]].concat()).out);
    assert_eq!(outcome["signed"][0]["together"].as_array().unwrap().len(), 1, "{outcome}");
    bench.sign(&["doc.bin", "-o", "-", "--json"]).ends(2, "--json");
}

/// Runs the program on a terminal, types the answers one after the other, and prints what the
/// terminal shows.
const ON_TERMINAL: &str = r#"
import os, pty, sys, termios, time
answers = sys.argv[1].split(",") if sys.argv[1] else []
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown = b""
while True:
    try:
        piece = os.read(fd, 65536)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if piece.rstrip(b"\r\n").endswith(b"key.p12: ") and answers:
        answer = answers.pop(0)
        # A person types when the program reads: the terminal does not show it any more.
        while termios.tcgetattr(fd)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(fd, {"^C": b"\x03", "^D": b"\x04"}.get(answer) or answer.encode() + b"\n")
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

fn on_terminal(bench: &Bench, answers: &str, arguments: &[&str]) -> Run {
    on_terminal_by(bench, answers, &[&[env!("CARGO_BIN_EXE_ades")], arguments].concat())
}

fn on_terminal_by(bench: &Bench, answers: &str, command_line: &[&str]) -> Run {
    bench.write("terminal.py", ON_TERMINAL);
    let mut command = bench.command_by("python3");
    command.args(["terminal.py", answers]).args(command_line);
    let run = Run::new(&command.stderr(Stdio::inherit()).output().unwrap());
    Run { code: run.code, err: run.out.clone(), out: run.out }
}

#[test]
fn the_password_is_asked_for_on_a_terminal() {
    let bench = bench();
    let sign = ["sign", "doc.bin", "-o", "out.p7s", "--force", "--signer", "pkcs12:key.p12"];
    let run = on_terminal(&bench, "sesame", &sign);
    run.ends(0, "password of ").ends(0, "signed: ");
    assert!(!run.out.contains("sesame"), "{run:?}");
    let run = on_terminal(&bench, "wrong,sesame", &sign);
    run.ends(0, "password of the PKCS#12 file is wrong").ends(0, "signed: ");
    on_terminal(&bench, "a,b,c", &sign).ends(3, "is wrong");
    on_terminal(&bench, "^D", &sign).ends(4, "no password was given");
    // Ctrl-C ends the program, and the terminal shows input again.
    let shell = ["/bin/sh", "-c", "\"$@\"; stty -a", "sh", env!("CARGO_BIN_EXE_ades")];
    let run = on_terminal_by(&bench, "^C", &[&shell[..], &sign].concat());
    assert!(run.out.contains(" echo ") && !run.out.contains("signed: "), "{run:?}");
    // Never without a terminal.
    bench.ades(&sign).ends(3, "--password-env");
}

#[test]
fn binary_containers_do_not_go_to_a_terminal() {
    let bench = bench();
    let sign = |input| [&["sign"], PKCS12, &[input, "-o", "-"]].concat();
    for input in ["doc.bin", "doc.pdf"] {
        let run = on_terminal(&bench, "", &sign(input));
        run.ends(2, "standard output is a terminal").ends(2, "-o FILE");
    }
    on_terminal(&bench, "", &sign("doc.xml")).ends(0, "<ds:Signature");
    bench.ades(&["prepare", "doc.bin", "--certs", "chain.pem", "--state", "state"]).ends(0, "");
    let complete = ["complete", "doc.bin", "--state", "state", "--signature", "x", "-o", "-"];
    on_terminal(&bench, "", &complete).ends(2, "standard output is a terminal");
}
