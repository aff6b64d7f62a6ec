//! XML signed on the command line, before xmlsec1 and our own verification.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use ades_tests::invoice::Invoice;
use ades_tests::oracle::pdf::pdfsig;
use ades_tests::oracle::xmlsec1;
use ades_tests::pdf::Document;
use ades_tests::pki::Key;
use base64ct::{Base64, Encoding};
use common::{Bench, json};

const ROOT: &str = "data/ades/sandbox/root.pem";

/// A SAML assertion, in which the signature has its place behind the issuer.
const ASSERTION: &str = "<?xml version=\"1.0\"?>\n\
    <saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_1\" Version=\"2.0\" \
    IssueInstant=\"2026-09-21T14:13:20Z\"><saml:Issuer>https://idp.example</saml:Issuer>\
    <saml:Subject><saml:NameID>user</saml:NameID></saml:Subject></saml:Assertion>";

const SOAP: &str = "<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\">\r\n\
    <soap:Header/>\r\n<soap:Body><m:Pay xmlns:m=\"urn:m\">10 €</m:Pay></soap:Body>\r\n</soap:Envelope>\r\n";

const SVG: &str = "<?xml version='1.0' standalone='no'?>\n\
    <!-- a square -->\n<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' \
    viewBox='0 0 9 9'><use xlink:href='#a'/><path id='a' d='M0 0\nh9v9H0z'/></svg>";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.identity(Key::P256);
    bench
}

#[track_caller]
fn xmlsec1_accepts(bench: &Bench, name: &str, root: &str, nth: usize) {
    xmlsec1::verify_nth(&bench.path(name), &bench.path(root), nth).unwrap();
}

#[test]
fn what_people_have_is_signed_enveloped_through_the_sandbox() {
    let bench = Bench::new();
    bench.write("invoice.xml", Invoice::in_memory(20_000));
    bench.write("large.xml", Invoice::in_memory(10_000_000));
    bench.write("assertion.xml", ASSERTION);
    bench.write("message.xml", SOAP);
    bench.write("square.svg", SVG);
    let names = ["invoice.xml", "large.xml", "assertion.xml", "message.xml", "square.svg"];
    let run =
        bench.ades(&[&["sign"], &names[..], &["--out-dir", "out", "--auto-approve"]].concat());
    run.ends(0, "xmlsec1 --verify");
    for name in names {
        let signed = format!("out/{name}");
        xmlsec1_accepts(&bench, &signed, ROOT, 0);
        let run = bench.ades(&["verify", &signed, "--trust", ROOT, "--json"]);
        let answer = json(&run.ends(0, "").out);
        assert_eq!(answer["signatures"][0]["level"], "B-B", "{answer}");
        assert_eq!(answer["signatures"][0]["covers"], "whole", "{answer}");
        // All octets of the document are there, in their order.
        let (before, after) = (bench.read(name), bench.read(&signed));
        let front = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
        assert!(after.ends_with(&before[front..]), "{name}");
    }
}

#[test]
fn xml_and_pdf_and_others_are_one_batch() {
    let bench = Bench::new();
    bench.write("invoice.xml", Invoice::in_memory(5_000));
    bench.write("contract.pdf", Document::default().write());
    bench.write("photo.bin", b"neither of them");
    let files = ["sign", "invoice.xml", "contract.pdf", "photo.bin"];
    bench.ades(&[&files[..], &["--out-dir", "out", "--auto-approve"]].concat()).ends(0, "");
    assert_eq!(bench.names("out"), ["contract.pdf", "invoice.xml", "photo.bin.p7s"]);
    xmlsec1_accepts(&bench, "out/invoice.xml", ROOT, 0);
    assert!(pdfsig(&bench.path("out/contract.pdf"), None).unwrap()[0].valid);
    bench.openssl_accepts("out/photo.bin.p7s", Some("photo.bin"), ROOT);
}

#[test]
fn every_packaging() {
    let bench = bench();
    bench.write("a.xml", "<r><e Id='e'>1</e><f Id='f'/></r>");
    bench.write("a.bin", b"\x00\xFFany");
    for (name, arguments, signed) in [
        ("a.xml", &["--packaging", "enveloped"][..], "a.xml"),
        ("a.xml", &["--into", "f", "--c14n", "c14n11"], "a.xml"),
        ("a.xml", &["--packaging", "internally-detached", "--element", "e"], "a.xml"),
        ("a.xml", &["--packaging", "enveloping"], "a.xml.xades"),
        ("a.xml", &["--packaging", "detached"], "a.xml.xades"),
        ("a.bin", &["--format", "xades", "--packaging", "enveloping"], "a.bin.xades"),
        ("a.bin", &["--format", "xades", "--packaging", "detached"], "a.bin.xades"),
    ] {
        let run = bench.sign(&[&[name, "--out-dir", "out", "--force"], arguments].concat());
        run.ends(0, "");
        let out = format!("out/{signed}");
        if signed != name {
            // Detached ones find their document beside them.
            bench.write(&format!("out/{name}"), bench.read(name));
        }
        xmlsec1_accepts(&bench, &out, "root.pem", 0);
        let original = if arguments.contains(&"detached") && name != signed {
            vec!["--original", name]
        } else {
            Vec::new()
        };
        let verify = [&["verify", &out, "--trust", "root.pem", "--json"], &original[..]].concat();
        let answer = json(&bench.ades(&verify).out);
        assert_eq!(answer["signatures"][0]["intact"], true, "{arguments:?}: {answer}");
        let element = arguments.contains(&"internally-detached");
        assert_eq!(answer["valid"], !element, "{arguments:?}: {answer}");
    }
    let element = ["a.xml", "-o", "x", "--packaging", "internally-detached", "--element", "none"];
    bench.sign(&element).ends(2, "no such element");
    bench.sign(&["a.bin", "-o", "x", "--format", "xades"]).ends(2, "no XML");
    assert!(!bench.has("x"));
}

#[test]
fn more_signatures_and_signatures_on_signatures() {
    let bench = bench();
    bench.write("a.xml", "<r>text</r>");
    bench.sign(&["a.xml", "-o", "alone.xml"]).ends(0, "");
    bench.sign(&["alone.xml", "-o", "no.xml"]).ends(3, "not made for further signatures");
    bench.sign(&["a.xml", "-o", "first.xml", "--allow-parallel"]).ends(0, "");
    bench.sign(&["first.xml", "-o", "second.xml"]).ends(0, "");
    bench.sign(&["second.xml", "-o", "counter.xml", "--counter-sign", "1"]).ends(0, "");
    for nth in 0..3 {
        xmlsec1_accepts(&bench, "counter.xml", "root.pem", nth);
    }
    bench.ades(&["verify", "counter.xml", "--trust", "root.pem"]).ends(0, "");
    bench.sign(&["second.xml", "-o", "no.xml", "--counter-sign", "2"]).ends(2, "no such signature");
    assert!(!bench.has("no.xml"));
}

#[test]
fn prepared_here_signed_by_openssl_completed_there() {
    let bench = bench();
    bench.write("a.xml", Invoice::in_memory(50_000));
    let common = ["prepare", "a.xml", "--certs", "chain.pem", "--state", "xml.state"];
    let prepared = json(&bench.ades(&common).ends(0, "").out);
    let digest = Base64::decode_vec(prepared["digest_base64"].as_str().unwrap()).unwrap();
    bench.write("digest", digest);
    let sign = ["pkeyutl", "-sign", "-inkey", "key.pem", "-in", "digest", "-out", "value.bin"];
    bench.openssl(&[&sign[..], &["-pkeyopt", "digest:sha256"]].concat()).ends(0, "");
    assert!(bench.read("xml.state").len() < 16 * 1024);
    let complete = |input: &str, state: &str, value: &str| {
        let arguments = ["complete", input, "--state", state, "--signature", value];
        bench.ades(&[&arguments[..], &["-o", "signed.xml"]].concat())
    };
    let mut other = bench.read("a.xml");
    other[200] ^= 1;
    bench.write("other.xml", other);
    complete("other.xml", "xml.state", "value.bin").ends(3, "other.xml: the document has changed");
    let mut value = bench.read("value.bin");
    value[20] ^= 1;
    bench.write("other.bin", value);
    complete("a.xml", "xml.state", "other.bin").ends(3, "other.bin: ");
    let state = String::from_utf8(bench.read("xml.state")).unwrap();
    bench.write("other.state", state.replacen("\"length\":", "\"length\":1", 1));
    complete("a.xml", "other.state", "value.bin").ends(3, "other.state: ");
    assert!(!bench.has("signed.xml"));
    complete("a.xml", "xml.state", "value.bin").ends(0, "complete: signed.xml");
    xmlsec1_accepts(&bench, "signed.xml", "root.pem", 0);
}
