//! What national formats ask of XML signatures: places, policies named by URL, the older property
//! of the certificate, encodings, several files in one signature.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use ades_tests::oracle::xmlsec1;
use ades_tests::pki::Key;
use common::{Bench, json};

fn bench() -> Bench {
    let bench = Bench::new();
    bench.identity(Key::P256);
    bench
}

fn signed(bench: &Bench, name: &str, options: &[&str]) -> String {
    bench.sign(&[&[name, "-o", "out.xml", "--force"], options].concat()).ends(0, "");
    String::from_utf8_lossy(&bench.read("out.xml")).into_owned()
}

#[track_caller]
fn xmlsec1_accepts(bench: &Bench, name: &str, nth: usize) {
    xmlsec1::verify_nth(&bench.path(name), &bench.path("root.pem"), nth).unwrap();
}

#[test]
fn a_place_is_the_nth_element_or_beside_it() {
    let bench = bench();
    bench.write(
        "invoice.xml",
        "<Invoice xmlns='urn:i' xmlns:ext='urn:e'><ext:E><ext:C>1</ext:C></ext:E>\
         <ext:E><ext:C/></ext:E><ID>1</ID></Invoice>",
    );
    for (option, place, expected) in [
        ("--into", "{urn:e}C[2]", "<ext:E><ext:C><ds:Signature "),
        ("--first-in", "{urn:e}C[1]", "<ext:E><ext:C><ds:Signature "),
        ("--before", "{urn:e}E[2]", "</ext:E><ds:Signature "),
        ("--behind", "{urn:e}E", "</ext:E><ds:Signature "),
        ("--before", "{urn:i}ID", "</ext:E><ds:Signature "),
    ] {
        let text = signed(&bench, "invoice.xml", &[option, place]);
        assert!(text.contains(expected), "{option} {place}: {text}");
        xmlsec1_accepts(&bench, "out.xml", 0);
        let verify = ["verify", "--integrity", "out.xml", "--element", "{urn:e}E[2]"];
        bench.ades(&verify).ends(0, "");
    }
    let sign = |options: &[&str]| bench.sign(&[&["invoice.xml", "-o", "x"], options].concat());
    sign(&["--into", "{urn:e}C[3]"]).ends(2, "C, number 3");
    sign(&["--into", "{urn:e}C[0]"]).ends(2, "counted from 1");
    sign(&["--before", "{urn:i}Invoice"]).ends(3, "before or after the root");
    sign(&["--before", "a", "--into", "b"]).ends(2, "cannot be used with");
}

/// SAML, WS-Federation, SII.
#[test]
fn the_signature_is_in_the_element_that_it_signs() {
    let bench = bench();
    bench.write(
        "response.xml",
        "<p:R xmlns:p='urn:p' ID='r'><p:I>i</p:I><p:A ID='a'><p:I>i</p:I><p:S>s</p:S></p:A></p:R>",
    );
    let over = ["--packaging", "internally-detached", "--element", "a"];
    for place in [["--into", "a"], ["--behind", "{urn:p}I[2]"], ["--first-in", "a"]] {
        let text = signed(&bench, "response.xml", &[&over[..], &place].concat());
        let inside = text.split("<p:A ").nth(1).unwrap().split("</p:A>").next().unwrap();
        assert!(inside.contains("xmldsig#enveloped-signature"), "{text}");
        let verify = ["verify", "--integrity", "out.xml", "--element"];
        bench.ades(&[&verify[..], &["a"]].concat()).ends(0, "");
        assert_ne!(bench.ades(&[&verify[..], &["r"]].concat()).code, 0);
    }
}

#[test]
fn a_policy_is_named_by_its_url() {
    let bench = bench();
    bench.write("a.xml", "<r/>");
    bench.write("policy.pdf", "the policy");
    let url = ["--policy", "https://example.org/policy.pdf"];
    // Of the same document, both ways.
    let hex = "1f71a21e6bb2d9d2d6b8f1bc8a5d5e0df7d5ee6b0b2a0a1cdb0ff4b7c0d5a1c3";
    let digest = format!("sha256:{hex}");
    for source in [["--policy-document", "policy.pdf"], ["--policy-digest", &digest]] {
        let text = signed(&bench, "a.xml", &[&url[..], &source].concat());
        assert!(text.contains("<xades:Identifier>https://example.org/policy.pdf<"), "{text}");
        xmlsec1_accepts(&bench, "out.xml", 0);
    }
    let sign = |options: &[&str]| bench.sign(&[&["a.xml", "-o", "x"], &url[..], options].concat());
    sign(&[]).ends(2, "--policy-digest");
    sign(&["--policy-digest", "sha1:AA=="]).ends(2, "sha256");
    // FacturaE publishes only the SHA-1 digest of its policy.
    sign(&["--policy-digest", "sha1:Ohixl6upD6av8N7pEvDABhEL6hM="]).ends(0, "SHA-1");
    let answer = json(&bench.ades(&["verify", "--json", "--integrity", "x"]).ends(0, "").out);
    assert!(answer.to_string().contains("policy-digest-sha1"), "{answer:#}");
    std::fs::remove_file(bench.path("x")).unwrap();
    sign(&["--digest", "sha1"]).ends(2, "sha256");
    sign(&["--policy-digest", &digest, "--format", "cades"]).ends(2, "OID");
    bench
        .sign(&["a.xml", "-o", "x", "--policy", "my policy", "--policy-digest", &digest])
        .ends(2, "neither an OID");
}

#[test]
fn the_older_property_and_the_key_are_on_request() {
    let bench = bench();
    bench.write("a.xml", "<r/>");
    let plain = signed(&bench, "a.xml", &[]);
    assert!(!plain.contains("IssuerSerial") && !plain.contains("KeyValue"), "{plain}");
    for (option, expected) in [
        (["--signing-certificate", "v1"].as_slice(), "<ds:X509IssuerName>"),
        (&["--signing-certificate", "both"], "<xades:SigningCertificateV2>"),
        (&["--sign-key-info"], "-key-info\"><ds:Transforms>"),
        (&["--key-value"], "<dsig11:ECKeyValue "),
    ] {
        let text = signed(&bench, "a.xml", option);
        assert!(text.contains(expected), "{option:?}: {text}");
        if option != ["--sign-key-info"] {
            xmlsec1_accepts(&bench, "out.xml", 0);
        }
    }
}

#[test]
fn countersignatures_are_countersigned() {
    let bench = bench();
    bench.write("a.xml", "<r/>");
    let steps =
        [("a.xml", "1.xml", None), ("1.xml", "2.xml", Some("0")), ("2.xml", "3.xml", Some("0.0"))];
    for (from, to, which) in steps {
        let which: Vec<&str> =
            which.map(|which| ["--counter-sign", which]).into_iter().flatten().collect();
        bench.sign(&[&[from, "-o", to][..], &which].concat()).ends(0, "");
    }
    let answer = json(&bench.ades(&["inspect", "3.xml", "--json"]).ends(0, "").out);
    let first = &answer["signatures"][0]["countersignatures"][0];
    assert_eq!(first["countersignatures"].as_array().map(Vec::len), Some(1), "{answer:#}");
    (0..3).for_each(|nth| xmlsec1_accepts(&bench, "3.xml", nth));
    bench.sign(&["3.xml", "-o", "x", "--counter-sign", "0.1"]).ends(2, "has no signature");
    bench.sign(&["3.xml", "-o", "x", "--counter-sign", "0."]).ends(2, "N.M");
}

#[test]
fn one_detached_signature_signs_several_files() {
    let bench = bench();
    bench.write("a.xml", "<r/>");
    bench.write("b c.bin", b"\x00\xFFany");
    bench.write("d.txt", "text");
    let files = ["a.xml", "b c.bin", "d.txt"];
    let detached = ["--packaging", "detached", "--together"];
    bench.sign(&[&files[..], &["-o", "all.xades"], &detached].concat()).ends(0, "");
    let text = String::from_utf8(bench.read("all.xades")).unwrap();
    for part in
        ["URI=\"a.xml\"", "URI=\"b%20c.bin\"", "URI=\"d.txt\"", ">application/octet-stream<"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let verify = |names: &[&str]| {
        let originals: Vec<&str> = names.iter().flat_map(|name| ["--original", name]).collect();
        let verify = ["verify", "--integrity", "all.xades"];
        bench.ades(&[&verify[..], &originals].concat()).code
    };
    assert_eq!(verify(&files), 0);
    assert_ne!(verify(&files[..2]), 0);
    bench.write("d.txt", "texT");
    assert_ne!(verify(&files), 0);
    // The sandbox's job names all files, and finds a change while the user is asked.
    let sign = ["sign", "a.xml", "d.txt", "-o", "two.xades", "--auto-approve"];
    bench.ades(&[&sign[..], &detached].concat()).ends(0, "");

    let refused = |arguments: &[&str], message| {
        bench.sign(&[arguments, &["-o", "x"]].concat()).ends(2, message);
    };
    refused(&["a.xml", "d.txt"], "--together");
    refused(&["a.xml", "d.txt", "--together", "--packaging", "enveloped"], "detached");
    refused(&["a.xml", "d.txt", "--together"], "--packaging");
    refused(&["a.xml", "a.xml", "--together", "--packaging", "detached"], "same URI");
    let cades = ["a.xml", "d.txt", "--together", "--packaging", "detached", "--format", "cades"];
    refused(&cades, "XAdES");
}

#[test]
fn national_encodings_are_signed_and_others_are_named() {
    let bench = bench();
    let document = |encoding: &str, word: &[u8]| {
        let head = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>\n<r>");
        [head.as_bytes(), word, b"</r>\n"].concat()
    };
    for (encoding, word) in [
        ("windows-1250", b"P\xF8\xEDli\x9A".as_slice()),
        ("KOI8-R", b"\xF3\xDE\xC5\xD4"),
        ("Shift_JIS", b"\x90\xBF\x8B\x81\x95\x5C"),
        ("GB18030", b"\xB7\xA2\xC6\xB1"),
    ] {
        let original = document(encoding, word);
        bench.write("a.xml", &original);
        bench.sign(&["a.xml", "-o", "out.xml", "--force"]).ends(0, "");
        let signed = bench.read("out.xml");
        let start = signed.windows(4).position(|w| w == b"<ds:").unwrap();
        assert!(original.starts_with(&signed[..start]) && signed.ends_with(b"</r>\n"));
        xmlsec1_accepts(&bench, "out.xml", 0);
        bench.ades(&["verify", "--integrity", "out.xml"]).ends(0, "");
    }
    bench.write("a.xml", document("ISO-2022-JP", b"x"));
    let run = bench.sign(&["a.xml", "-o", "x"]);
    run.ends(3, "ISO-2022-JP");
    bench.sign(&["a.xml", "-o", "x", "--packaging", "enveloping"]).ends(0, "");
    // A warning before anybody is asked.
    bench.write("b.xml", "<!DOCTYPE r><r/>");
    bench.sign(&["b.xml", "-o", "y"]).ends(0, "EU DSS");
}
