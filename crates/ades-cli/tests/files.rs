//! Inputs and outputs: pipes, symbolic links, devices, existing files.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::process::Stdio;

use ades_tests::pki::Key;
use common::{Bench, PKCS12, Run, json};

const DOCUMENT: &[u8] = b"a contract\r\n\x00\xFF with any octets\n";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.identity(Key::P256);
    bench.write("doc.bin", DOCUMENT);
    bench
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_replaced_and_symbolic_links_stay() {
    use std::os::unix::fs::{FileTypeExt, symlink};

    let bench = bench();
    let sign = |output: &str| bench.sign(&["doc.bin", "-o", output, "--force"]);
    let is_link = |name: &str| bench.path(name).is_symlink();
    let refused = "is not a regular file; - is standard output";
    bench.write("pipes.sh", "mkfifo pipe");
    assert!(bench.command_by("sh").arg("pipes.sh").status().unwrap().success());
    sign("pipe").ends(7, refused);
    assert!(bench.path("pipe").metadata().unwrap().file_type().is_fifo());
    bench.sign(&["doc.bin", "-o", "pipe"]).ends(7, refused);
    symlink("/dev/null", bench.path("device")).unwrap();
    sign("device").ends(7, refused);
    symlink("nowhere", bench.path("dangling")).unwrap();
    sign("dangling")
        .ends(7, "dangling: cannot be written: is a symbolic link to a file that does not exist");
    assert!(is_link("device") && is_link("dangling") && !bench.has("nowhere"));

    std::fs::create_dir(bench.path("folder")).unwrap();
    bench.write("folder/old.p7s", "old");
    bench.write("folder/.old.p7s.ades-AbC123", "left by one that was killed");
    symlink("folder/old.p7s", bench.path("link")).unwrap();
    bench.sign(&["doc.bin", "-o", "link"]).ends(2, "exists already");
    assert_eq!(bench.read("folder/old.p7s"), b"old");
    sign("link").ends(0, "/link");
    assert!(is_link("link"));
    bench.openssl_accepts("folder/old.p7s", Some("doc.bin"), "root.pem");
    assert_eq!(bench.names("folder"), ["old.p7s"]);
    let state = ["prepare", "doc.bin", "--certs", "chain.pem", "--force", "--state"];
    bench.ades(&[&state[..], &["pipe"]].concat()).ends(7, refused);
    bench.ades(&[&state[..], &["link"]].concat()).ends(0, "");
    assert!(is_link("link") && bench.read("folder/old.p7s").starts_with(b"{"));
}

#[test]
fn nothing_is_overwritten_unless_forced() {
    let bench = bench();
    bench.write("taken", b"precious");
    bench.sign(&["doc.bin", "-o", "taken"]).ends(2, "--force");
    let prepare = ["prepare", "doc.bin", "--certs", "chain.pem", "--state", "taken"];
    bench.ades(&prepare).ends(2, "--force");
    let nowhere = ["prepare", "doc.bin", "--certs", "chain.pem", "--state", "nowhere/state"];
    bench.ades(&nowhere).ends(7, "cannot be written: there is no folder nowhere");
    let nowhere = ["complete", "doc.bin", "--state", "x", "--signature", "x", "-o", "nowhere/out"];
    bench.ades(&nowhere).ends(7, "cannot be written: there is no folder nowhere");
    assert_eq!(bench.read("taken"), b"precious");
    bench.sign(&["doc.bin", "-o", "taken", "--force"]).ends(0, "");
    bench.openssl_accepts("taken", Some("doc.bin"), "root.pem");
    // --force replaces neither the document itself nor a folder.
    bench.sign(&["doc.bin", "-o", "doc.bin", "--force"]).ends(2, "would be overwritten");
    bench.sign(&["doc.bin", "-o", ".", "--force"]).ends(7, "is a folder");
    assert_eq!(bench.read("doc.bin"), DOCUMENT);
    // A stored job is not dropped either.
    bench.write("new.p7s.pending", b"{}");
    bench.sign(&["doc.bin", "-o", "new.p7s"]).ends(2, "ades resume");
    assert_eq!(bench.read("new.p7s.pending"), b"{}");
    bench.sign(&["doc.bin", "-o", "new.p7s", "--force"]).ends(0, "");
    assert!(!bench.has("new.p7s.pending"));
}

#[test]
fn standard_input_and_output() {
    let bench = bench();
    let arguments = [&["sign"], PKCS12, &["-", "-o", "-"]].concat();
    let (run, container) = bench.ades_with(&arguments, DOCUMENT);
    run.ends(0, "signed: standard output");
    bench.write("doc.p7s", &container);
    bench.openssl_accepts("doc.p7s", Some("doc.bin"), "root.pem");

    let enveloping = [&arguments[..], &["--packaging", "enveloping"]].concat();
    let (run, container) = bench.ades_with(&enveloping, DOCUMENT);
    run.ends(0, "");
    let (run, report) = bench.ades_with(&["verify", "--integrity", "-", "--json"], &container);
    run.ends(0, "");
    let report = json(std::str::from_utf8(&report).unwrap());
    assert_eq!(report["signatures"][0]["intact"], true);

    bench.write("signed", b"");
    let (run, _) = bench.ades_with(&[&["sign"], PKCS12, &["-", "-o", "in.p7s"]].concat(), DOCUMENT);
    run.ends(0, "");
    bench.openssl_accepts("in.p7s", Some("doc.bin"), "root.pem");
    bench.sign(&["-", "-", "--out-dir", "out"]).ends(2, "once");
    assert!(!bench.names(".").iter().any(|name| name.contains(".ades-")));
}

/// A document is read several times, and a pipe can be read only once.
#[test]
fn documents_from_pipes_are_signed() {
    let bench = bench();
    for fifo in ["fifo", "other"] {
        let made = std::process::Command::new("mkfifo").arg(bench.path(fifo)).status();
        assert!(made.unwrap().success());
    }
    let sign = |input, output, packaging| {
        [&["sign"], PKCS12, &[input, "-o", output, "--packaging", packaging]].concat()
    };
    for packaging in ["detached", "enveloping"] {
        let document = (packaging == "detached").then_some("doc.bin");
        let arguments = sign("/dev/stdin", "stdin.p7", packaging);
        bench.ades_with(&arguments, DOCUMENT).0.ends(0, "");
        bench.openssl_accepts("stdin.p7", document, "root.pem");

        let fifo = bench.path("fifo");
        let writer = std::thread::spawn(move || std::fs::write(fifo, DOCUMENT).unwrap());
        bench.ades(&sign("fifo", "fifo.p7", packaging)).ends(0, "");
        writer.join().unwrap();
        bench.openssl_accepts("fifo.p7", document, "root.pem");
        if packaging == "enveloping" {
            for made in ["stdin.p7", "fifo.p7"] {
                let made = bench.read(made);
                assert!(made.windows(DOCUMENT.len()).any(|octets| octets == DOCUMENT));
            }
        }
        for made in ["stdin.p7", "fifo.p7"] {
            std::fs::remove_file(bench.path(made)).unwrap();
        }
    }
    // These pipes have no writer: opening one would block.
    bench.sign(&["fifo", "other", "--out-dir", "out"]).ends(2, "once");
    bench.sign(&["doc.bin", "--parallel", "fifo", "-o", "x"]).ends(2, "not a pipe");
    for option in ["--stamp-image", "--stamp-font"] {
        let visible = ["doc.bin", "-o", "x", "--visible", "1:0,0,9,9", option, "fifo"];
        bench.sign(&visible).ends(2, "not a pipe");
    }
    assert!(!bench.names(".").iter().any(|name| name.contains(".ades-")));
}

#[test]
fn full_disk_under_standard_output_is_reported() {
    let bench = bench();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = bench.command(&[&["sign"], PKCS12, &["doc.bin", "-o", "-"]].concat());
    let run = Run::new(&command.stdout(full).output().unwrap());
    run.ends(7, "standard output: cannot be written: No space left");
}

#[test]
fn closed_standard_output_is_not_a_panic() {
    let bench = bench();
    bench.sign(&["doc.bin", "-o", "doc.p7s"]).ends(0, "");
    for arguments in [
        &["inspect", "doc.p7s"][..],
        &["verify", "--integrity", "doc.p7s", "--original", "doc.bin"],
        &["help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = bench.command(arguments);
        command.stdout(writer).stderr(Stdio::null());
        assert_eq!(command.status().unwrap().code(), Some(0), "{arguments:?}");
    }
}
