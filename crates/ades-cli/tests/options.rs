//! Each option against each format: an option that concerns no input is a usage error.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use ades_tests::pki::Key;
use common::{Bench, PKCS12, Run};

const INPUTS: [(char, &str); 3] = [('c', "doc.bin"), ('p', "doc.pdf"), ('x', "doc.xml")];
const OTHER: &str = "does not concern";

/// An option with a value, and the formats that it concerns: CAdES, PAdES, XAdES.
struct Row(&'static [&'static str], &'static str);

/// The options of signatures. The first argument is the option.
const ROWS: &[Row] = &[
    Row(&["--format", "cades"], "cpx"),
    Row(&["--packaging", "enveloping"], "cx"),
    Row(&["--level", "b"], "cpx"),
    Row(&["--digest", "sha384"], "cpx"),
    Row(&["--algorithm", "ecdsa-sha256"], "cpx"),
    Row(&["--mime-type", "text/plain"], "cx"),
    Row(&["--signing-time", "2026-11-30T09:00:00Z"], "cpx"),
    Row(&["--policy", "1.2.3", "--policy-document", "doc.bin"], "cpx"),
    Row(&["--policy-document", "doc.bin", "--policy", "1.2.3"], "cpx"),
    Row(
        &[
            "--policy-digest",
            "sha256:3bc4c6f1c2e0a3d3d7a8a2f0a3bc4c6f1c2e0a3d3d7a8a2f0a3bc4c6f1c2e0a3",
            "--policy",
            "1.2.3",
        ],
        "cpx",
    ),
    Row(&["--policy-uri", "urn:p", "--policy", "1.2.3", "--policy-document", "doc.bin"], "cpx"),
    Row(&["--commitment", "approval"], "cpx"),
    Row(&["--role", "Director"], "cpx"),
    Row(&["--country", "BE"], "cpx"),
    Row(&["--locality", "Gent"], "cpx"),
    Row(&["--reason", "Agreed"], "p"),
    Row(&["--name", "A. Signer"], "p"),
    Row(&["--location", "Gent"], "p"),
    Row(&["--contact", "here"], "p"),
    Row(&["--field", "Seller"], "p"),
    Row(&["--certify", "2"], "p"),
    Row(&["--lock", "all"], "p"),
    Row(&["--repair"], "p"),
    Row(&["--pdf-password-env", "PASSWORD"], "p"),
    Row(&["--pdf-key", "key.p12", "--pdf-key-password-env", "PASSWORD"], "p"),
    Row(&["--pdf-key-password-env", "PASSWORD", "--pdf-key", "key.p12"], "p"),
    Row(&["--overrule-permissions"], "p"),
    Row(&["--visible", "1:20,20,200,60"], "p"),
    Row(&["--stamp-text", "Signed", "--visible", "1:20,20,200,60"], "p"),
    Row(&["--stamp-image", "doc.png", "--visible", "1:20,20,200,60"], "p"),
    Row(&["--stamp-time-zone", "Europe/Brussels", "--visible", "1:20,20,200,60"], "p"),
    Row(&["--stamp-qr", "https://example.org", "--visible", "1:20,20,200,60"], "p"),
    Row(&["--stamp-align", "right,top", "--visible", "1:20,20,200,60"], "p"),
    Row(&["--stamp-border", "1,003399", "--visible", "1:20,20,200,60"], "p"),
    Row(&["--stamp-background", "FFEECC", "--visible", "1:20,20,200,60"], "p"),
    Row(&["--stamp-font", "font.ttf", "--visible", "1:20,20,200,60"], "p"),
    Row(&["--preview", "page.png", "--visible", "1:20,20,200,60"], "p"),
    Row(&["--element", "e", "--packaging", "internally-detached"], "x"),
    Row(&["--into", "e"], "x"),
    Row(&["--behind", "e"], "x"),
    Row(&["--before", "e"], "x"),
    Row(&["--first-in", "e"], "x"),
    Row(&["--signing-certificate", "v1"], "x"),
    Row(&["--sign-key-info"], "x"),
    Row(&["--key-value"], "x"),
    Row(&["--allow-parallel"], "x"),
    // The default, given as an option.
    Row(&["--c14n", "exclusive"], "x"),
    Row(&["--street-address", "Street 1"], "x"),
    Row(&["--state-or-province", "Province"], "x"),
    Row(&["--postal-code", "9000"], "x"),
    Row(&["--ignore-external-subset"], "x"),
    Row(&["--id-attribute", "Ref"], "x"),
    Row(&["--description", "EN=A contract"], "cx"),
    Row(&["--lang", "EN", "--description", "EN=A contract"], "cx"),
];

/// The options that concern the run, its files and the signer, or that have a test of their own.
const OTHERS: &[&str] = &[
    "--auto-approve",
    "--certs",
    "--counter-sign",
    "--fetch-allow",
    "--fetch-proxy",
    "--fetch-timeout",
    "--force",
    "--fresh-revocation",
    "--help",
    "--json",
    "--key-name",
    "--open",
    "--out-dir",
    "--output",
    "--parallel",
    "--password-env",
    "--policy-digest-from-discovery",
    "--quiet",
    "--sandbox-dir",
    "--sandbox-user",
    "--signer",
    "--state",
    "--state-key-env",
    "--together",
    "--trust",
    "--tsa",
    "--tsa-policy",
    "--verbose",
    "--wait",
];

fn bench() -> Bench {
    let bench = Bench::new();
    bench.identity(Key::P256);
    bench.write("doc.bin", "a contract");
    bench.write("doc.pdf", ades_tests::pdf::Document::default().write());
    bench.write("doc.xml", "<a><b Id='e' Ref='r'/></a>");
    bench
}

fn sign(bench: &Bench, arguments: &[&str], more: &[&str]) -> Run {
    bench.sign(&[arguments, more].concat())
}

fn remove_outputs(bench: &Bench) {
    for made in ["out", "state", "page.png"] {
        let _ = std::fs::remove_file(bench.path(made));
    }
}

#[test]
fn every_option_has_a_row() {
    let bench = Bench::new();
    let mut listed = BTreeSet::new();
    for command in ["sign", "prepare"] {
        let help = bench.ades(&[command, "--help"]).out;
        let options = help.lines().filter_map(|line| {
            let option = line.trim_start().trim_start_matches("-o, ").trim_start_matches("-h, ");
            let option = option.trim_start_matches("-q, ").trim_start_matches("-v, ");
            let end = option.find([' ', '.', '\n']).unwrap_or(option.len());
            option.starts_with("--").then(|| option[..end].to_owned())
        });
        listed.extend(options);
    }
    let rows = ROWS.iter().map(|Row(option, _)| option[0]).chain(OTHERS.iter().copied());
    assert_eq!(listed, rows.map(str::to_owned).collect::<BTreeSet<_>>());
}

#[test]
fn an_option_that_concerns_no_input_is_a_usage_error() {
    let bench = bench();
    let before = bench.names(".");
    for Row(option, formats) in ROWS {
        let name = option[0];
        for (format, input) in INPUTS {
            let run = sign(&bench, &[input, "-o", "out"], option);
            if formats.contains(format) {
                assert!(!run.err.contains(&format!("{name} {OTHER}")), "{input} {run:?}");
            } else {
                // Other formats cannot have the packaging that the option needs.
                let named = option.contains(&"internally-detached") && format == 'c';
                run.ends(2, if named { "--packaging" } else { name });
                assert_eq!(bench.names("."), before, "{input} {option:?}");
            }
            remove_outputs(&bench);
            let prepare = ["prepare", input, "--certs", "chain.pem", "--state", "state"];
            let run = bench.ades(&[&prepare[..], option].concat());
            assert_eq!(run.code == 2, !formats.contains(format), "{run:?}");
            remove_outputs(&bench);
        }
    }
}

#[test]
fn a_mixed_batch_names_the_inputs_that_an_option_does_not_concern() {
    let bench = bench();
    let all = INPUTS.map(|(_, input)| input);
    for (option, others) in [
        (&["--reason", "Agreed"][..], "doc.bin (CAdES), doc.xml (XAdES): only PAdES"),
        (&["--packaging", "enveloping"], "doc.pdf (PAdES): only CAdES and XAdES"),
        (&["--mime-type", "text/plain"], "doc.pdf (PAdES)"),
        (&["--into", "e"], "doc.bin (CAdES), doc.pdf (PAdES): only XAdES"),
    ] {
        let run = sign(&bench, &[&all[..], &["--out-dir", "out"]].concat(), option);
        let said = format!("{} {OTHER} {others}", option[0]);
        run.ends(0, &said);
        assert_eq!(run.err.matches(OTHER).count(), 1, "{run:?}");
        assert_eq!(bench.names("out").len(), 3);
        std::fs::remove_dir_all(bench.path("out")).unwrap();
    }
    // A PDF alone with two useless options: both are named, and no folder is made.
    let useless = ["doc.pdf", "--into", "e", "--allow-parallel", "--out-dir", "new"];
    bench.sign(&useless).ends(2, "--into does").ends(2, "--allow-parallel does");
    assert!(!bench.has("new"));
    let (run, _) = bench.ades_with(&[&["sign"], PKCS12, &["-"], &useless[1..]].concat(), b"text");
    run.ends(2, "--into does not concern standard input");
    assert!(!bench.has("new"));
}

#[test]
fn the_packaging_and_the_operation_exclude_options() {
    let bench = bench();
    sign(&bench, &["doc.xml", "-o", "one.xml"], &[]).ends(0, "");
    sign(&bench, &["doc.bin", "-o", "one.p7s"], &[]).ends(0, "");
    for (arguments, option) in [
        (&["doc.xml", "--packaging", "detached", "--into", "e"][..], "--into"),
        (&["doc.xml", "--packaging", "enveloping-base64", "--c14n", "c14n11"], "--c14n"),
        (&["doc.xml", "--packaging", "enveloping", "--allow-parallel"], "--allow-parallel"),
        (&["one.xml", "--counter-sign", "0", "--into", "e"], "--into"),
        (&["one.xml", "--counter-sign", "0", "--format", "cades"], "--format"),
        (&["one.p7s", "--counter-sign", "0", "--description", "EN=x"], "--description"),
        (&["one.p7s", "--counter-sign", "0", "--certify", "1"], "--certify"),
        (&["doc.bin", "--parallel", "one.p7s", "--format", "pades"], "--format"),
    ] {
        let said = format!("{option} {OTHER}");
        sign(&bench, arguments, &["-o", "out"]).ends(2, &said);
    }
    sign(&bench, &["doc.pdf", "--counter-sign", "0", "-o", "out"], &[]).ends(2, "countersigned");
    let parallel = ["doc.xml", "--parallel", "one.xml", "-o", "out"];
    sign(&bench, &parallel, &[]).ends(2, "sign the document again");
    assert!(!bench.has("out"));
}

#[test]
fn options_of_another_signer_are_usage_errors() {
    let bench = bench();
    for option in [
        &["--auto-approve"][..],
        &["--sandbox-user", "ready"],
        &["--sandbox-dir", "sb"],
        &["--lang", "EN"],
        &["--policy-digest-from-discovery", "--policy", "1.2.3"],
    ] {
        let said = format!("{} {OTHER} this signer", option[0]);
        sign(&bench, &["doc.bin", "-o", "out"], option).ends(2, &said);
    }
    let sandbox = ["sign", "doc.bin", "-o", "out", "--auto-approve", "--password-env", "PASSWORD"];
    bench.ades(&sandbox).ends(2, "--password-env does not concern this signer: it is for");
    // The screen of the sandbox shows a description even if the signature has none.
    let shown = ["sign", "doc.pdf", "-o", "out", "--auto-approve", "--description", "EN=x"];
    let run = bench.ades(&shown);
    assert!(!run.err.contains(OTHER), "{run:?}");
}

#[test]
fn reading_a_container_takes_only_the_options_of_its_format() {
    let bench = bench();
    sign(&bench, &["doc.bin", "-o", "one.p7s"], &[]).ends(0, "");
    sign(&bench, &["doc.pdf", "-o", "one.pdf"], &[]).ends(0, "");
    sign(&bench, &["doc.xml", "-o", "one.xml"], &[]).ends(0, "");
    let password = ["--pdf-password-env", "PASSWORD"];
    for command in ["inspect", "verify"] {
        for (container, option) in [
            ("one.p7s", &password[..]),
            ("one.xml", &password),
            ("one.p7s", &["--ignore-external-subset"]),
            ("one.pdf", &["--id-attribute", "Ref"]),
        ] {
            bench.ades(&[&[command, container], option].concat()).ends(2, option[0]);
        }
    }
    bench.ades(&["verify", "one.pdf", "--original", "doc.pdf"]).ends(2, "--original");
    let prepare = ["prepare", "doc.bin", "--certs", "chain.pem", "--state", "state"];
    bench.ades(&prepare).ends(0, "");
    let complete = ["complete", "doc.bin", "--state", "state", "--signature", "x", "-o", "out"];
    bench.ades(&[&complete[..], &password].concat()).ends(2, "--pdf-password-env does not concern");
}

#[test]
fn completions_and_manual_pages_have_every_option() {
    let bench = Bench::new();
    let options: Vec<&str> = ROWS.iter().map(|Row(option, _)| option[0]).collect();
    let has = |text: &str| options.iter().all(|option| text.contains(option));
    for shell in ["bash", "zsh", "elvish", "powershell"] {
        assert!(has(&bench.ades(&["completions", shell]).ends(0, "").out), "{shell}");
    }
    assert!(bench.ades(&["completions", "fish"]).out.contains("-l certify"));
    bench.ades(&["completions", "csh"]).ends(2, "bash");
    let script = "source <(\"$0\" completions bash); complete -p ades";
    let mut bash = bench.command_by("bash");
    let run = Run::new(&bash.args(["-c", script, env!("CARGO_BIN_EXE_ades")]).output().unwrap());
    assert!(run.ends(0, "").out.ends_with(" ades\n"), "{run:?}");

    let page = bench.ades(&["man", "sign"]).ends(0, "").out.replace("\\-", "-");
    assert!(has(&page) && page.contains(".SH \"PDF ONLY\""), "{page}");
    bench.ades(&["man", "sing"]).ends(2, "sing: is not a command of ades");
    bench.ades(&["man", "--out-dir", "pages"]).ends(0, "");
    let pages = bench.names("pages");
    assert!(
        ["ades.1", "ades-sign.1", "ades-verify.1"].iter().all(|p| pages.contains(&p.to_string()))
    );
    bench.ades(&["man", "--out-dir", "pages"]).ends(2, "exists already");
    bench.ades(&["man", "--out-dir", "pages", "--force"]).ends(0, "");
}

#[test]
fn help_is_short_or_long_and_in_groups() {
    let bench = Bench::new();
    let short = bench.ades(&["sign", "-h"]).out;
    let long = bench.ades(&["sign", "--help"]).out;
    for heading in ["Output:", "Signer:", "Signature:", "PDF only:", "XML only:", "Messages:"] {
        for help in [&short, &long] {
            assert!(help.lines().any(|line| line == heading), "{heading} {help}");
        }
    }
    let details = "Without it and --out-dir, the container is written beside the file";
    assert!(long.contains(details) && !short.contains(details));
    assert!(bench.ades(&["--help"]).out.contains("7 an output cannot be written"));
    assert!(!bench.ades(&["-h"]).out.contains("Exit status: 0"));
}
