//! The program with a local key: signing, preparing and completing, inspecting and verifying.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use ades_tests::oracle::dss::Dss;
use ades_tests::pki::{Key, Pki, Profile};
use common::{Bench, Run, json};

const DOCUMENT: &[u8] = b"a contract\r\n\x00\xFF with any octets\n";

fn bench(key: Key) -> Bench {
    let bench = Bench::new();
    bench.identity(key);
    bench.write("doc.bin", DOCUMENT);
    bench
}

#[test]
fn every_kind_of_key_signs_detached_and_enveloping() {
    for key in Key::ALL {
        let bench = bench(key);
        bench.sign(&["doc.bin", "-o", "doc.p7s"]).ends(0, "signed: ");
        bench.sign(&["doc.bin", "-o", "doc.p7m", "--packaging", "enveloping"]).ends(0, "");
        if key != Key::Ed25519 {
            bench.openssl_accepts("doc.p7s", Some("doc.bin"), "root.pem");
            bench.openssl_accepts("doc.p7m", None, "root.pem");
        }
        bench
            .ades(&[
                "verify",
                "doc.p7s",
                "--original",
                "doc.bin",
                "--revocation",
                "none",
                "--trust",
                "root.pem",
            ])
            .ends(0, "");
        bench
            .ades(&["verify", "doc.p7m", "--revocation", "none", "--trust", "root.pem"])
            .ends(0, "");
        assert!(!bench.has("doc.p7s.pending"));
    }
}

/// Line breaks, terminal commands and direction marks in a signer's name are escaped for people
/// and unchanged in JSON.
#[test]
fn names_and_texts_of_signers_stay_on_one_line() {
    let name = "Bob\nsignature 1: CAdES B-B, intact\u{1B}[8m\u{9B}2J\u{202E}";
    let seen = "Bob\\u{a}signature 1: CAdES B-B, intact\\u{1b}[8m\\u{9b}2J\\u{202e}";
    let profile = Profile { common_name: name.to_owned(), ..Profile::new(Key::P256) };
    let bench = bench(Key::P256);
    bench.write("key.p12", Pki::shared().issue(&profile).pkcs12("sesame"));
    bench.write("doc.xml", "<r/>");
    bench.write("doc.pdf", ades_tests::pdf::Document::default().write());
    let cades = ["--packaging", "enveloping", "--role", "\u{2066}Queen"];
    let role = "role (claimed): \\u{2066}Queen";
    let pdf = ["--reason", "\u{202E}seY"];
    for (document, more, listed) in [
        ("doc.bin", &cades[..], role),
        ("doc.xml", &cades[2..], role),
        ("doc.pdf", &pdf, "reason: \\u{202e}seY"),
    ] {
        bench.sign(&[&[document, "-o", "signed", "--force"], more].concat()).ends(0, "");
        let run = bench.ades(&["verify", "--integrity", "signed"]);
        let second = run.ends(0, "").out.lines().nth(1).unwrap();
        assert!(second.ends_with(&format!(", by {seen}, trust not judged")), "{run:?}");
        let run = bench.ades(&["inspect", "signed"]);
        assert!(run.ends(0, "").out.contains(&format!("  signer: {seen}\n")), "{run:?}");
        assert!(run.out.contains(&format!("  {listed}\n")), "{run:?}");
        let run = bench.ades(&["verify", "--integrity", "signed", "--json"]);
        assert_eq!(json(&run.ends(0, "").out)["signatures"][0]["signer"], name);
    }
    bench.ades(&["verify", "no\u{1B}[8m\u{202E}file"]).ends(3, "no\\u{1b}[8m\\u{202e}file");
}

#[test]
fn options_are_in_the_signature() {
    let bench = bench(Key::Rsa2048);
    bench.write("policy.pdf", b"the policy");
    let asked = [
        ["--algorithm", "rsa-pss-sha384"],
        ["--signing-time", "2026-01-02T03:04:05Z"],
        ["--policy", "1.2.3.4"],
        ["--policy-document", "policy.pdf"],
        ["--policy-uri", "https://example.org/policy.pdf"],
        ["--commitment", "approval"],
        ["--role", "Director"],
        ["--role", "Owner"],
        ["--country", "BE"],
        ["--locality", "Gent"],
        ["--mime-type", "text/plain"],
        ["--lang", "nl-BE"],
        ["--description", "EN=A contract"],
        ["--description", "NL=Een contract"],
    ];
    bench.sign(&[&["doc.bin", "-o", "doc.p7s"], asked.concat().as_slice()].concat()).ends(0, "");
    bench.openssl_accepts("doc.p7s", Some("doc.bin"), "root.pem");
    let run = bench.ades(&["inspect", "doc.p7s", "--json"]);
    let signature = &json(&run.out)["signatures"][0];
    assert_eq!(signature["signature_algorithm"], "rsa-pss-sha384");
    assert_eq!(signature["claimed_time"], "2026-01-02T03:04:05Z");
    assert_eq!(signature["policy"]["id"], "1.2.3.4");
    assert_eq!(signature["policy"]["uri"], "https://example.org/policy.pdf");
    assert_eq!(signature["commitment"], "1.2.840.113549.1.9.16.6.5");
    assert_eq!(signature["signer_roles"], serde_json::json!(["Director", "Owner"]));
    assert_eq!(signature["location"]["country"], "BE");
    assert_eq!(signature["location"]["locality"], "Gent");
    assert_eq!(signature["mime_type"], "text/plain");
    assert_eq!(signature["description"], "Een contract");
    // `inspect` has no verdicts.
    assert!(signature.get("intact").is_none() && signature.get("problems").is_none());
    let people = bench.ades(&["inspect", "doc.p7s"]);
    assert!(people.out.contains("role (claimed): Owner"), "{people:?}");
}

#[test]
fn digest_determines_the_algorithm_of_each_key() {
    for (key, digest, algorithm) in [
        (Key::Rsa2048, "sha512", "rsa-sha512"),
        (Key::P521, "sha384", "ecdsa-sha384"),
        (Key::Ed25519, "sha512", "ed25519"),
    ] {
        let bench = bench(key);
        bench.sign(&["doc.bin", "-o", "doc.p7s", "--digest", digest]).ends(0, "");
        let run = bench.ades(&["inspect", "doc.p7s", "--json"]);
        assert_eq!(json(&run.out)["signatures"][0]["signature_algorithm"], algorithm);
    }
    let bench = bench(Key::Ed25519);
    bench.sign(&["doc.bin", "-o", "doc.p7s", "--digest", "sha256"]).ends(2, "--digest");
    bench.sign(&["doc.bin", "-o", "doc.p7s", "--algorithm", "rsa-sha256"]).ends(2, "rsa-sha256");
    assert!(!bench.has("doc.p7s"));
}

/// Has `openssl pkeyutl` make the value, as a device would.
fn openssl_value(bench: &Bench, key: Key, prepared: &serde_json::Value) {
    use base64ct::Encoding;
    let octets =
        |name: &str| base64ct::Base64::decode_vec(prepared[name].as_str().unwrap()).unwrap();
    let sign = ["pkeyutl", "-sign", "-inkey", "key.pem", "-in", "tbs.bin", "-out", "value.bin"];
    if key == Key::Ed25519 {
        bench.write("tbs.bin", octets("data_base64"));
        bench.openssl(&[&sign[..], &["-rawin"]].concat()).ends(0, "");
    } else {
        bench.write("tbs.bin", octets("digest_base64"));
        let digest = format!("digest:{}", prepared["digest_algorithm"].as_str().unwrap());
        bench.openssl(&[&sign[..], &["-pkeyopt", &digest]].concat()).ends(0, "");
    }
}

fn prepare(bench: &Bench, arguments: &[&str]) -> serde_json::Value {
    let common = ["prepare", "doc.bin", "--certs", "chain.pem", "--state", "doc.state"];
    let run = bench.ades(&[&common[..], arguments].concat());
    run.ends(0, "");
    json(&run.out)
}

const COMPLETE: &[&str] =
    &["complete", "doc.bin", "--state", "doc.state", "--signature", "value.bin", "-o", "out.p7"];

/// Demand 1: begun in one process, finished in another.
#[test]
fn prepared_here_signed_by_openssl_completed_there() {
    for key in Key::ALL {
        for (packaging, document) in [("detached", Some("doc.bin")), ("enveloping", None)] {
            let bench = bench(key);
            let prepared = prepare(&bench, &["--packaging", packaging]);
            let hex = prepared["digest_hex"].as_str().unwrap();
            assert!(hex.len() >= 64 && hex.chars().all(|c| c.is_ascii_hexdigit()));
            openssl_value(&bench, key, &prepared);
            bench.ades(COMPLETE).ends(0, "complete: out.p7");
            if key != Key::Ed25519 {
                bench.openssl_accepts("out.p7", document, "root.pem");
            }
            let original = document.map(|document| bench.path(document));
            let (container, root) = (bench.path("out.p7"), bench.path("root.pem"));
            let judged = Dss::shared().validate(&container, original.as_deref(), &root);
            assert_eq!(judged.len(), 1);
            assert_eq!(judged[0]["level"], "CAdES-BASELINE-B", "{judged:?}");
            let sound = ["intact", "valid", "structure_valid"].map(|it| judged[0][it] == true);
            assert_eq!(sound, [true; 3], "{judged:?}");
            let mut verify =
                vec!["verify", "out.p7", "--revocation", "none", "--trust", "root.pem"];
            verify.extend(document.iter().flat_map(|document| ["--original", document]));
            bench.ades(&verify).ends(0, "");
        }
    }
}

#[test]
fn value_is_read_as_base64_from_standard_input() {
    let bench = bench(Key::Rsa2048);
    openssl_value(&bench, Key::Rsa2048, &prepare(&bench, &[]));
    bench.openssl(&["base64", "-in", "value.bin", "-out", "value.b64"]).ends(0, "");
    let base64 = bench.read("value.b64");
    let arguments =
        ["complete", "doc.bin", "--state", "doc.state", "--signature", "-", "-o", "out.p7"];
    bench.ades_with(&arguments, &base64).0.ends(0, "");
    bench.openssl_accepts("out.p7", Some("doc.bin"), "root.pem");
}

#[test]
fn certificates_are_given_as_pem() {
    let bench = bench(Key::P256);
    let prepare = |certs: &str| {
        bench.ades(&["prepare", "doc.bin", "--certs", certs, "--state", "doc.state", "--force"])
    };
    let chain = bench.read("chain.pem");
    bench.write("latin.pem", [b"\xEF\xBB\xBF", chain.as_slice(), b"d\xE9but\n"].concat());
    prepare("latin.pem").ends(0, "");
    bench.write("inline.pem", [b"signer: ", chain.as_slice()].concat());
    prepare("inline.pem").ends(3, "inline.pem: malformed PEM");
    let der = ["x509", "-in", "chain.pem", "-outform", "DER", "-out", "leaf.der"];
    bench.openssl(&der).ends(0, "");
    prepare("leaf.der").ends(3, "leaf.der: this is DER; PEM is needed");
}

#[test]
fn signing_time_makes_preparing_repeatable() {
    let bench = bench(Key::P256);
    let time = ["--signing-time", "2026-01-02T03:04:05+01:00"];
    let first = prepare(&bench, &time);
    let state = bench.read("doc.state");
    let second = prepare(&bench, &[&time[..], &["--force"]].concat());
    assert_eq!(first, second);
    assert_eq!(state, bench.read("doc.state"));
}

/// Damages each part of the three inputs.
#[test]
fn tampered_inputs_are_not_completed() {
    let bench = bench(Key::Rsa2048);
    for packaging in ["detached", "enveloping"] {
        let prepared = prepare(&bench, &["--packaging", packaging, "--force"]);
        openssl_value(&bench, Key::Rsa2048, &prepared);
        let (state, value) = (bench.read("doc.state"), bench.read("value.bin"));
        let refused = |about: &str| {
            let run = bench.ades(COMPLETE);
            run.ends(3, about);
            assert_eq!(bench.names(".").iter().find(|n| n.starts_with("out.p7")), None);
            assert!(!bench.names(".").iter().any(|n| n.contains(".ades-")), "{run:?}");
        };

        for at in (0..state.len()).step_by(97).chain([state.len() - 1]) {
            let mut changed = state.clone();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            bench.write("doc.state", changed);
            refused("doc.state: the pending state");
        }
        for length in [0, 1, state.len() / 2, state.len() - 1] {
            bench.write("doc.state", &state[..length]);
            refused("doc.state: the pending state");
        }
        bench.write("doc.state", &state);

        for at in [0, 1, 100, value.len() - 1] {
            let mut changed = value.clone();
            changed[at] ^= 1;
            bench.write("value.bin", changed);
            refused("value.bin: ");
        }
        for length in [0, 1, value.len() - 1] {
            bench.write("value.bin", &value[..length]);
            refused("value.bin: it is ");
        }
        bench.write("value.bin", vec![0; 20_000]);
        refused("value.bin: has more than");
        bench.write("value.bin", &value);

        for changed in [&b""[..], b"another", &DOCUMENT[1..], &[DOCUMENT, b"\n"].concat()] {
            bench.write("doc.bin", changed);
            refused("doc.bin: the document has changed");
        }
        bench.write("doc.bin", DOCUMENT);
    }
    bench.ades(COMPLETE).ends(0, "");
}

#[test]
fn values_of_another_key_and_over_the_document_are_distinguished() {
    let bench = bench(Key::Rsa2048);
    prepare(&bench, &[]);
    bench.openssl(&["genrsa", "-out", "other.pem", "2048"]).ends(0, "");
    let sign = |key: &str, input: &str| {
        bench.openssl(&["dgst", "-sha256", "-sign", key, "-out", "value.bin", input]).ends(0, "");
    };
    sign("other.pem", "doc.bin");
    let wrong_key = bench.ades(COMPLETE);
    wrong_key.ends(3, "value.bin: the signature value ");
    assert!(!wrong_key.err.contains("another sha256 digest"), "{wrong_key:?}");
    sign("key.pem", "doc.bin");
    bench.ades(COMPLETE).ends(3, "another sha256 digest");
    assert!(!bench.has("out.p7"));
}

#[test]
fn state_with_a_mac_needs_its_key() {
    let bench = bench(Key::P256);
    let key = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
    let run = |arguments: &[&str], key: &str| {
        Run::new(&bench.command(arguments).env("STATE_KEY", key).output().unwrap())
    };
    let with_key = ["--state-key-env", "STATE_KEY"];
    let preparing = ["prepare", "doc.bin", "--certs", "chain.pem", "--state", "doc.state"];
    let preparing = [&preparing[..], &with_key].concat();
    for wrong in ["", "00", &key[1..], &format!("{key}0"), &key.replace('f', "g")] {
        run(&preparing, wrong).ends(2, "64 hexadecimal digits");
    }
    assert!(!bench.has("doc.state"));
    let prepared = run(&preparing, key);
    openssl_value(&bench, Key::P256, &json(&prepared.out));
    let completing = [COMPLETE, &with_key].concat();
    run(COMPLETE, key).ends(2, "give the key");
    run(&completing, &key.replace("00", "01")).ends(3, "not authentic");
    assert!(!bench.has("out.p7"));
    run(&completing, key).ends(0, "");
}

#[test]
fn several_files_are_batches_of_seventy() {
    let bench = bench(Key::P256);
    let names: Vec<String> = (0..71).map(|at| format!("doc-{at:02}.bin")).collect();
    for name in &names {
        bench.write(name, name);
    }
    let inputs: Vec<&str> = names.iter().map(String::as_str).collect();
    let run = bench.sign(&[&inputs[..70], &["--out-dir", "seventy"]].concat());
    run.ends(0, "");
    assert!(!run.err.contains("batches"), "{run:?}");
    let run =
        bench.sign(&[&inputs[..], &["--out-dir", "all", "--packaging", "enveloping"]].concat());
    run.ends(0, "");
    assert!(run.err.starts_with("71 files: 2 batches of up to 70"), "{run:?}");
    assert_eq!(bench.names("all").len(), 71);
    bench.openssl_accepts("seventy/doc-69.bin.p7s", Some("doc-69.bin"), "root.pem");
    bench.openssl_accepts("all/doc-70.bin.p7m", None, "root.pem");

    bench.sign(&["doc-01.bin", "doc-02.bin", "-o", "one"]).ends(2, "--out-dir");
    bench.sign(&["doc-01.bin", "./doc-01.bin", "--out-dir", "twice"]).ends(2, "both become");
    bench.sign(&["doc-01.bin", "nowhere", "--out-dir", "none"]).ends(3, "nowhere");
    assert!(!bench.has("twice") && !bench.has("none"));
}

#[test]
fn unsupported_options_are_usage_errors() {
    let bench = bench(Key::P256);
    bench.write("doc.pdf", b"%PDF-1.7\n");
    bench.write("doc.xml", b"<?xml version=\"1.0\"?><a/>");
    let sign = |arguments: &[&str]| bench.sign(&[arguments, &["-o", "out.p7s"]].concat());
    sign(&["doc.pdf"]).ends(3, "cross-reference");
    sign(&["doc.pdf", "--packaging", "enveloping"]).ends(2, "--format cades");
    sign(&["doc.bin", "--format", "xades"]).ends(2, "is not XML");
    sign(&["doc.xml", "--packaging", "internally-detached"]).ends(2, "--element");
    sign(&["doc.xml", "--element", "x"]).ends(2, "--element");
    sign(&["doc.bin", "--format", "pades"]).ends(2, "is not a PDF");
    for level in ["t", "lt", "lta"] {
        sign(&["doc.bin", "--level", level]).ends(2, "--tsa");
    }
    for packaging in [&["enveloped"][..], &["internally-detached", "--element", "x"]] {
        sign(&[&["doc.bin", "--packaging"], packaging].concat())
            .ends(2, "--packaging: CAdES signatures cannot be");
    }
    for signer in ["csc:config.toml", "pkcs11:token=x"] {
        let arguments = ["sign", "doc.bin", "-o", "out.p7s", "--signer", signer];
        bench.ades(&arguments).ends(2, "not yet");
    }
    sign(&["doc.bin", "--tsa", "http://tsa.example"]).ends(2, "--level t, lt or lta");
    bench.ades(&["verify", "doc.pdf"]).ends(3, "cross-reference");
    assert!(!bench.has("out.p7s"));
    sign(&["doc.pdf", "--format", "cades"]).ends(0, "");
    bench.openssl_accepts("out.p7s", Some("doc.pdf"), "root.pem");
}

#[test]
fn usage_errors_are_reported_before_anything_is_written() {
    let bench = bench(Key::P256);
    let sign =
        |arguments: &[&str]| bench.sign(&[&["doc.bin", "-o", "out.p7s"], arguments].concat());
    sign(&["--signing-time", "yesterday"]).ends(2, "yesterday");
    sign(&["--algorithm", "rot13"]).ends(2, "rot13");
    sign(&["--commitment", "promise"]).ends(2, "--commitment");
    sign(&["--policy", "1.2.3"]).ends(2, "--policy-document");
    sign(&["--policy", "a reference", "--policy-document", "doc.bin"]).ends(2, "neither an OID");
    sign(&["--policy-document", "doc.bin"]).ends(2, "needs --policy");
    sign(&["--role", ""]).ends(2, "signer role");
    sign(&["--mime-type", "text"]).ends(2, "MIME type");
    sign(&["--lang", "ES"]).ends(2, "EN, FR, NL, DE");
    sign(&["--description", "no language"]).ends(2, "LANG=TEXT");
    sign(&["--auto-approve"]).ends(2, "--auto-approve");
    sign(&["--signing-time", "2000-01-01T00:00:00Z"]).ends(3, "valid only from");
    bench.ades(&["sign", "doc.bin", "-o", "x", "--signer", "smartcard"]).ends(2, "--signer");
    let wrong = ["sign", "doc.bin", "-o", "x", "--signer", "pkcs12:key.p12"];
    bench.ades(&wrong).ends(3, "--password-env");
    bench.ades(&[&wrong[..], &["--password-env", "NOT_SET"]].concat()).ends(2, "NOT_SET");
    bench.ades(&["sign", "doc.bin", "-o", "x", "--signer", "itsme:none.toml"]).ends(3, "none.toml");
    bench.ades(&["frobnicate"]).ends(2, "frobnicate");
    bench.ades(&["--version"]).ends(0, "");
    assert!(!bench.has("out.p7s") && !bench.has("x"));
}

#[test]
fn verify_reports_valid_signatures_and_problems() {
    let bench = bench(Key::P256);
    bench.sign(&["doc.bin", "-o", "doc.p7s"]).ends(0, "");
    let verify = |arguments: &[&str]| {
        let run = bench.ades(&[&["verify", "doc.p7s", "--json"], arguments].concat());
        let report = json(&run.out);
        (run, report)
    };
    let (run, report) = verify(&["--original", "doc.bin"]);
    run.ends(6, "--trust");
    assert_eq!(report["file"], "doc.p7s");
    assert_eq!(report["version"], 2);
    assert_eq!(report["conclusion"], "indeterminate");
    let signature = &report["signatures"][0];
    assert_eq!(signature["format"], "CAdES");
    assert_eq!(signature["level"], "B-B");
    assert_eq!(signature["intact"], true);
    assert_eq!(signature["signer"], "Test Signer P256");
    assert_eq!(signature["covers"], "whole");
    assert_eq!(signature["problems"], serde_json::json!(["no-trust-anchors"]));
    assert!(signature["trusted"].is_null());
    let trusted = ["--original", "doc.bin", "--revocation", "none", "--trust", "root.pem"];
    let (run, report) = verify(&trusted);
    run.ends(0, "revoked was left out");
    assert_eq!(report["conclusion"], "total-passed");
    assert_eq!(report["signatures"][0]["revocation"], "not-checked");
    assert_eq!(report["signatures"][0]["problems"], serde_json::json!([]));
    verify(&["--original", "doc.bin", "--trust", "root.pem"]).0.ends(6, "--revocation none");

    let (run, report) = verify(&[]);
    run.ends(6, "--original");
    assert_eq!(report["signatures"][0]["covers"], "unknown");
    assert!(report["signatures"][0]["intact"].is_null());
    assert_eq!(report["signatures"][0]["sub_indication"], "SIGNED_DATA_NOT_FOUND");
    bench.write("other.bin", b"another document");
    let (run, report) =
        verify(&["--original", "other.bin", "--revocation", "none", "--trust", "root.pem"]);
    run.ends(1, "");
    assert_eq!(report["signatures"][0]["problems"], serde_json::json!(["digest-mismatch"]));
    // The content of the container must be the document, too.
    bench.sign(&["doc.bin", "-o", "doc.p7m", "--packaging", "enveloping"]).ends(0, "");
    bench.ades(&["verify", "--integrity", "doc.p7m", "--original", "doc.bin"]).ends(0, "");
    let run = bench.ades(&["verify", "doc.p7m", "--original", "other.bin"]);
    let said = "problem: the document is not the one that was signed\n";
    assert!(run.ends(1, "").out.contains(said), "{run:?}");
    // Another trust anchor.
    let stranger = ["req", "-x509", "-nodes", "-newkey", "ed25519", "-subj", "/CN=x"];
    bench.openssl(&[&stranger[..], &["-keyout", "x.key", "-out", "x.pem"]].concat()).ends(0, "");
    let (run, report) =
        verify(&["--original", "doc.bin", "--revocation", "none", "--trust", "x.pem"]);
    run.ends(6, "");
    assert_eq!(report["signatures"][0]["problems"], serde_json::json!(["untrusted"]));
    // More anchors than a chain may have certificates.
    let certificate = |at: u32| {
        let name = format!("/CN=Anchor {at}");
        let one = ["req", "-x509", "-key", "x.key", "-subj", &name];
        bench.openssl(&one).ends(0, "").out.clone()
    };
    let mut bundle: String = (0..33).map(certificate).collect();
    bench.write("strangers.pem", &bundle);
    verify(&["--original", "doc.bin", "--revocation", "none", "--trust", "strangers.pem"])
        .0
        .ends(6, "");
    bundle.push_str(&String::from_utf8(bench.read("root.pem")).unwrap());
    bench.write("bundle.pem", &bundle);
    verify(&["--original", "doc.bin", "--revocation", "none", "--trust", "bundle.pem"])
        .0
        .ends(0, "");
    // A malformed certificate makes the bundle unusable, as for OpenSSL.
    bundle.push_str("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    bench.write("bundle.pem", &bundle);
    let spoilt = [
        "verify",
        "doc.p7s",
        "--original",
        "doc.bin",
        "--revocation",
        "none",
        "--trust",
        "bundle.pem",
    ];
    bench.ades(&spoilt).ends(3, "bundle.pem");
    // Text around certificates may have any encoding. DER is reported as such.
    let root = bench.read("root.pem");
    bench.write("latin.pem", [b"Autorit\xE9 de certification\n", root.as_slice()].concat());
    verify(&["--original", "doc.bin", "--revocation", "none", "--trust", "latin.pem"])
        .0
        .ends(0, "");
    bench.write("zero.pem", [b"0 s:CN = Test Root\n", root.as_slice()].concat());
    verify(&["--original", "doc.bin", "--revocation", "none", "--trust", "zero.pem"]).0.ends(0, "");
    let der = ["x509", "-in", "root.pem", "-outform", "DER", "-out", "root.der"];
    bench.openssl(&der).ends(0, "");
    let binary = ["verify", "doc.p7s", "--revocation", "none", "--trust", "root.der"];
    bench.ades(&binary).ends(3, "root.der: this is DER; PEM is needed");
    // Files that are not containers.
    bench.ades(&["verify", "doc.bin"]).ends(3, "doc.bin: is not a signed document");
    bench.ades(&["inspect", "nowhere.p7s"]).ends(3, "nowhere.p7s");
    bench
        .ades(&["verify", "doc.p7s", "--revocation", "none", "--trust", "doc.bin"])
        .ends(3, "doc.bin");
}

#[test]
fn parallel_signatures_and_countersignatures_are_added() {
    let bench = bench(Key::P256);
    bench.sign(&["doc.bin", "-o", "one.p7s"]).ends(0, "");
    bench.identity(Key::Rsa2048);
    bench.sign(&["doc.bin", "--parallel", "one.p7s", "-o", "two.p7s"]).ends(0, "");
    bench.openssl_accepts("two.p7s", Some("doc.bin"), "root.pem");
    bench.sign(&["two.p7s", "--counter-sign", "1", "-o", "three.p7s"]).ends(0, "");
    bench.openssl_accepts("three.p7s", Some("doc.bin"), "root.pem");
    let run =
        bench.ades(&["verify", "--integrity", "three.p7s", "--original", "doc.bin", "--json"]);
    run.ends(0, "");
    let report = json(&run.out);
    assert_eq!(report["signatures"].as_array().unwrap().len(), 2);
    assert_eq!(report["signatures"][1]["countersignatures"].as_array().unwrap().len(), 1);
    bench.sign(&["two.p7s", "--counter-sign", "2", "-o", "no.p7s"]).ends(2, "no signature [2]");
    // With another document, the container's signatures would be over two documents.
    bench.write("other.bin", b"another document");
    let wrong = bench.sign(&["other.bin", "--parallel", "one.p7s", "-o", "no.p7s"]);
    wrong.ends(3, "over another document");
    assert!(!bench.has("no.p7s"));

    // The same in two halves; the container is completed.
    let prepared = prepare(&bench, &["--parallel", "one.p7s"]);
    openssl_value(&bench, Key::Rsa2048, &prepared);
    let complete = ["complete", "one.p7s", "--state", "doc.state", "--signature", "value.bin"];
    bench.ades(&[&complete[..], &["-o", "four.p7s"]].concat()).ends(0, "");
    bench.openssl_accepts("four.p7s", Some("doc.bin"), "root.pem");
    bench.ades(COMPLETE).ends(3, "the container has changed");

    // --force replaces the container.
    bench.sign(&["one.p7s", "--counter-sign", "0", "--out-dir", "."]).ends(2, "--force");
    bench.sign(&["one.p7s", "--counter-sign", "0", "--out-dir", ".", "--force"]).ends(0, "");
    bench.ades(&["verify", "--integrity", "one.p7s", "--original", "doc.bin"]).ends(0, "");
}

#[test]
fn canonical_forms_are_printed() {
    let bench = Bench::new();
    let document = "<?xml version=\"1.0\"?>\n<a xmlns:n=\"urn:n\" b=\"2\"\n a='1'><!-- c -->\
                    <n:c Id=\"x\" d='&lt;'/></a>\n";
    bench.write("a.xml", document);
    let out = |arguments: &[&str]| {
        let run = bench.ades(&[&["c14n", "a.xml"], arguments].concat());
        run.ends(0, "");
        run.out
    };
    let inner = "<n:c Id=\"x\" d=\"&lt;\"></n:c>";
    assert_eq!(out(&[]), format!("<a xmlns:n=\"urn:n\" a=\"1\" b=\"2\">{inner}</a>"));
    assert_eq!(
        out(&["--method", "c14n11", "--with-comments"]),
        format!("<a xmlns:n=\"urn:n\" a=\"1\" b=\"2\"><!-- c -->{inner}</a>")
    );
    assert_eq!(
        out(&["--method", "exclusive"]),
        "<a a=\"1\" b=\"2\"><n:c xmlns:n=\"urn:n\" Id=\"x\" d=\"&lt;\"></n:c></a>"
    );
    assert_eq!(
        out(&["--method", "exclusive", "--inclusive-prefixes", "n"]),
        format!("<a xmlns:n=\"urn:n\" a=\"1\" b=\"2\">{inner}</a>")
    );
    assert_eq!(out(&["--id", "x"]), "<n:c xmlns:n=\"urn:n\" Id=\"x\" d=\"&lt;\"></n:c>");
    bench.ades(&["c14n", "a.xml", "--id", "y"]).ends(2, "has no element");
    bench.ades(&["c14n", "a.xml", "--inclusive-prefixes", "n"]).ends(2, "exclusive");
    bench.write("b.xml", "<a><b></a>");
    bench.ades(&["c14n", "b.xml"]).ends(3, "octet 8");
}
