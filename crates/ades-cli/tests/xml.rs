//! XML signatures on the command line: inspected and verified.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use ades::{Document, SigningOptions};
use ades_tests::oracle::xmlsec1;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::parameters;
use common::{Bench, json};

fn signed(document: &[u8]) -> Vec<u8> {
    let signer = Pki::shared().signer(Key::P256);
    let parameters = parameters().signer_role("Director").description("An order");
    let mut source = Document::from_bytes(document);
    let options = SigningOptions::new(parameters);
    let pending = ades::prepare(&mut source, &signer.chain, &options).unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut Document::from_bytes(document)), &value, &mut out).unwrap();
    out
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.identity(Key::P256);
    bench.write("order.xml", signed(b"<order><line Id='l1'>1</line></order>"));
    bench
}

#[test]
fn a_signed_document_is_verified_and_inspected() {
    let bench = bench();
    let run = bench.ades(&[
        "verify",
        "order.xml",
        "--revocation",
        "none",
        "--trust",
        "root.pem",
        "--json",
    ]);
    let answer = json(&run.ends(0, "").out);
    assert_eq!(answer["conclusion"], "total-passed");
    let signature = &answer["signatures"][0];
    for (key, value) in
        [("format", "XAdES"), ("level", "B-B"), ("covers", "whole"), ("signer", "Test Signer P256")]
    {
        assert_eq!(signature[key], value, "{answer}");
    }
    assert_eq!((&signature["intact"], &signature["trusted"]), (&true.into(), &true.into()));
    assert_eq!(signature["references"][0]["covers"][0]["element"], "order");

    let said = bench.ades(&["verify", "order.xml"]).ends(6, "--trust").out.clone();
    assert!(said.contains("intact, covers whole") && said.ends_with("indeterminate\n"), "{said}");
    let said = bench.ades(&["inspect", "order.xml"]).ends(0, "").out.clone();
    for text in ["root element order, 1 signatures", "role (claimed): Director", "\"An order\""] {
        assert!(said.contains(text), "{text}: {said}");
    }
    let inspected = bench.ades(&["inspect", "order.xml", "--json"]).ends(0, "").out.clone();
    assert!(!inspected.contains("intact") && !inspected.contains("problem"), "{inspected}");
    // From standard input, too.
    let (run, out) = bench.ades_with(&["verify", "-", "--json"], &bench.read("order.xml"));
    run.ends(6, "");
    assert_eq!(json(&String::from_utf8(out).unwrap())["signatures"][0]["intact"], true);
}

#[test]
fn problems_are_reported() {
    let bench = bench();
    let order = String::from_utf8(bench.read("order.xml")).unwrap();
    bench.write("changed.xml", order.replace(">1<", ">2<"));
    let run = bench.ades(&["verify", "changed.xml"]);
    assert!(run.ends(1, "").out.contains("NOT INTACT"), "{run:?}");
    bench.write("broken.xml", "<order>");
    bench.ades(&["verify", "broken.xml"]).ends(3, "octet 7");
    bench.write("unsigned.xml", "<order/>");
    bench.ades(&["verify", "unsigned.xml"]).ends(3, "has no signature");
    bench.ades(&["verify", "--integrity", "order.xml", "--element", "l1"]).ends(0, "");
    bench.ades(&["verify", "order.xml", "--element", "l2"]).ends(2, "has no element");
    bench.write("data.bin", "data");
    bench.ades(&["verify", "data.bin", "--element", "x"]).ends(2, "--element");
}

#[test]
fn detached_documents_are_given_by_name() {
    let bench = bench();
    bench.write("a.txt", "first");
    bench.write("b c.txt", "second");
    let digest =
        "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue/>";
    let reference = |name: &str| {
        let folder = bench.path("");
        format!("<ds:Reference URI=\"{}{name}\">{digest}</ds:Reference>", folder.display())
    };
    let template = |references: &str| {
        format!(
            "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\
             <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/>\
             <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\"/>\
             {references}</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo>\
             </ds:Signature>"
        )
    };
    let made = |name: &str, references: &str| {
        bench.write("template.xml", template(references));
        let (key, leaf) = (bench.path("key.pem"), bench.path("chain.pem"));
        let signed = xmlsec1::sign(&bench.path("template.xml"), &key, &leaf, &[]);
        bench.write(name, signed.unwrap());
    };
    made("both.xml", &(reference("a.txt") + &reference("b%20c.txt")));
    made("one.xml", &reference("a.txt"));
    let intact = |arguments: &[&str]| {
        let run = bench.ades(&[&["verify", "--json"], arguments].concat());
        json(&run.out)["signatures"][0]["intact"] == true
    };
    assert!(intact(&["both.xml", "--original", "b c.txt", "--original", "a.txt"]));
    assert!(!intact(&["both.xml", "--original", "a.txt"]));
    assert!(intact(&["one.xml", "--original", "a.txt"]));
    bench.write("renamed", "first");
    assert!(intact(&["one.xml", "--original", "renamed"]));
    assert!(!intact(&["one.xml", "--original", "b c.txt"]));
    bench.ades(&["verify", "one.xml"]).ends(6, "with --original");
}
