//! XML signed on the command line, judged by xmlsec1 and by our own verification.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use ades_tests::invoice::Invoice;
use ades_tests::oracle::pdf::pdfsig;
use ades_tests::oracle::xmlsec1;
use ades_tests::pdf::Document;
use ades_tests::pki::Key;
use base64ct::{Base64, Encoding};
use common::service::{ITSME, Sandbox};
use common::{Bench, json};

const ROOT: &str = "data/ades/sandbox/root.pem";

/// A SAML assertion, in which the signature follows the issuer.
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
fn common_documents_are_signed_enveloped_through_the_sandbox() {
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
        let run =
            bench.ades(&["verify", &signed, "--revocation", "none", "--trust", ROOT, "--json"]);
        let answer = json(&run.ends(0, "").out);
        assert_eq!(answer["signatures"][0]["level"], "B-B", "{answer}");
        assert_eq!(answer["signatures"][0]["covers"], "whole", "{answer}");
        // All octets of the document are in the result, in their order.
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
    let sandbox = Sandbox::start(&bench, &["--auto-approve"]);
    let files = ["sign", "invoice.xml", "contract.pdf", "photo.bin", "--out-dir", "out"];
    bench.ades(&[&files[..], ITSME].concat()).ends(0, "");
    // One identification and one confirmation for all three.
    assert_eq!(sandbox.sessions("identification").len(), 1);
    let confirmations = sandbox.sessions("signature");
    assert_eq!(confirmations.len(), 1);
    assert_eq!(confirmations[0]["documents"], 3);

    let root = "sb/root.pem";
    assert_eq!(bench.names("out"), ["contract.pdf", "invoice.xml", "photo.bin.p7s"]);
    xmlsec1_accepts(&bench, "out/invoice.xml", root, 0);
    assert!(pdfsig(&bench.path("out/contract.pdf"), None).unwrap()[0].valid);
    bench.openssl_accepts("out/photo.bin.p7s", Some("photo.bin"), root);
    for (file, original) in [
        ("out/invoice.xml", None),
        ("out/contract.pdf", None),
        ("out/photo.bin.p7s", Some("photo.bin")),
    ] {
        let mut verify = vec!["verify", file, "--revocation", "none", "--trust", root, "--json"];
        verify.extend(original.into_iter().flat_map(|name| ["--original", name]));
        let answer = json(&bench.ades(&verify).ends(0, "").out);
        assert_eq!(answer["signatures"][0]["level"], "B-B", "{answer}");
        assert_eq!(answer["signatures"][0]["trusted"], true, "{answer}");
    }
}

/// The report names the parts of a file that are not signed.
#[test]
fn parts_that_are_not_covered_are_reported() {
    let bench = bench();
    bench.write("square.svg", SVG);
    bench.write("message.xml", SOAP);
    for (name, said) in [("square.svg", true), ("message.xml", false)] {
        bench.sign(&[name, "--out-dir", "out"]).ends(0, "");
        let out = format!("out/{name}");
        let run = bench.ades(&["verify", &out, "--revocation", "none", "--trust", "root.pem"]);
        let text = &run.ends(0, "").out;
        assert!(text.contains(", less "), "{text}");
        assert_eq!(text.contains("comments not covered"), said, "{text}");
        let run = bench.ades(&["inspect", &out]);
        let text = &run.ends(0, "").out;
        assert_eq!(text.contains("comments not covered"), said, "{text}");
    }
}

/// XHTML has a namespace, UTF-16 needs no byte order mark, and XML may mention PDFs. --format
/// overrules the content.
#[test]
fn xml_is_known_by_its_start() {
    let bench = bench();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    bench.write("page.xhtml", "<html xmlns='http://www.w3.org/1999/xhtml'><body/></html>");
    bench.write("about.xml", "<r>%PDF-1.7 begins a PDF</r>");
    bench.write("wide.xml", utf16("<?xml version='1.0' encoding='UTF-16BE'?><r>é</r>"));
    bench.write("bare.html", "<html><body>well-formed all the same</body></html>");
    bench.write("page.html", "<!doctype html><html><p>not</html>");
    for (name, arguments) in [
        ("page.xhtml", &[][..]),
        ("about.xml", &[]),
        ("wide.xml", &[]),
        ("bare.html", &["--format", "xades"]),
    ] {
        bench.sign(&[&[name, "--out-dir", "out"], arguments].concat()).ends(0, "");
        let verify = [
            "verify",
            &format!("out/{name}"),
            "--revocation",
            "none",
            "--trust",
            "root.pem",
            "--json",
        ];
        let answer = json(&bench.ades(&verify).ends(0, "").out);
        assert_eq!(answer["signatures"][0]["covers"], "whole", "{name}: {answer}");
    }
    bench.sign(&["page.html", "-o", "p.p7s"]).ends(0, "");
    bench.openssl_accepts("p.p7s", Some("page.html"), "root.pem");
    bench
        .sign(&["page.html", "-o", "x", "--format", "xades"])
        .ends(2, "not well-formed XML at octet 0");
    assert!(!bench.has("x"));
    // These have no signatures.
    bench.ades(&["verify", "page.xhtml"]).ends(3, "has no signature");
    bench.ades(&["verify", "page.html"]).ends(3, "not well-formed XML");
    bench.write("text.txt", "text");
    bench.ades(&["verify", "text.txt"]).ends(3, "is not a signed document: it is text");
}

/// Documents that cannot be an element of another document are kept as base64; others on request.
#[test]
fn enveloping_takes_any_document() {
    let bench = bench();
    let dtd = "<!DOCTYPE r [<!ENTITY e 'x'>]><r>&e;</r>";
    let outside = "<!DOCTYPE r SYSTEM 'r.dtd'><r/>";
    bench.write("plain.xml", "<r>plain</r>");
    bench.write("dtd.xml", dtd);
    bench.write("outside.xml", outside);
    bench.write("broken.xml", "<r>");
    let sign = |name: &str, packaging: &str| {
        let out = format!("{name}.{packaging}");
        let run = bench.sign(&[name, "-o", &out, "--format", "xades", "--packaging", packaging]);
        run.ends(0, "");
        xmlsec1_accepts(&bench, &out, "root.pem", 0);
        bench.ades(&["verify", &out, "--revocation", "none", "--trust", "root.pem"]).ends(0, "");
        (run.err, String::from_utf8(bench.read(&out)).unwrap())
    };
    let (said, signed) = sign("plain.xml", "enveloping");
    assert!(signed.contains("<r>plain</r>") && !said.contains("kept as"), "{said}");
    for (name, document) in [("dtd.xml", dtd), ("outside.xml", outside)] {
        let (said, signed) = sign(name, "enveloping");
        assert!(signed.contains(&Base64::encode_string(document.as_bytes())), "{signed}");
        assert!(said.contains(&format!("{name}: ")) && said.contains("kept as base64"), "{said}");
    }
    for (name, start) in [("plain.xml", "PHI+"), ("dtd.xml", "PCFET0"), ("broken.xml", "PHI+")] {
        let (said, signed) = sign(name, "enveloping-base64");
        assert!(signed.contains(&format!(">{start}")) && !said.contains("kept as"), "{said}");
    }
    // The signature states the media type as far as it is known.
    bench.write("any.bin", b"\x00");
    for (name, packaging, media_type) in [
        ("dtd.xml", "enveloping", "application/xml"),
        ("plain.xml", "enveloping-base64", "application/xml"),
        ("plain.xml", "detached", "application/xml"),
        ("any.bin", "enveloping", "application/octet-stream"),
    ] {
        let sign = [name, "-o", "said", "--force", "--format", "xades", "--packaging", packaging];
        bench.sign(&sign).ends(0, "");
        let signed = String::from_utf8(bench.read("said")).unwrap();
        assert!(signed.contains(&format!("<xades:MimeType>{media_type}<")), "{signed}");
    }
    let cades = ["plain.xml", "-o", "x", "--format", "cades", "--packaging", "enveloping-base64"];
    bench.sign(&cades).ends(2, "CAdES signatures cannot be enveloping");
}

/// The positions that standards of invoices and assertions require.
#[test]
fn position_is_an_id_or_a_name() {
    let bench = bench();
    bench.write("assertion.xml", ASSERTION);
    bench.write(
        "invoice.xml",
        "<Invoice xmlns='urn:i' xmlns:ext='urn:e'><ext:UBLExtensions><ext:ExtensionContent/>\
         </ext:UBLExtensions><ID>1</ID></Invoice>",
    );
    let saml = "urn:oasis:names:tc:SAML:2.0:assertion";
    for (name, option, place, before) in [
        ("assertion.xml", "--behind", format!("{{{saml}}}Issuer"), "</saml:Issuer><ds:Signature "),
        ("invoice.xml", "--into", "{urn:e}ExtensionContent".into(), "Content><ds:Signature "),
        ("assertion.xml", "--into", "_1".into(), "</saml:Subject><ds:Signature "),
    ] {
        let out = format!("{name}.out");
        bench.sign(&[name, "-o", &out, "--force", option, &place]).ends(0, "");
        let signed = String::from_utf8(bench.read(&out)).unwrap();
        assert!(signed.contains(before), "{signed}");
        xmlsec1_accepts(&bench, &out, "root.pem", 0);
        let verify = ["verify", &out, "--revocation", "none", "--trust", "root.pem", "--element"];
        let named = if name == "invoice.xml" { "{urn:i}ID" } else { &format!("{{{saml}}}Subject") };
        bench.ades(&[&verify[..], &[named]].concat()).ends(0, "");
        bench.ades(&[&verify[..], &["{urn:none}x"]].concat()).ends(2, "has no element");
    }
    bench.sign(&["invoice.xml", "-o", "x", "--into", "{urn:e}None"]).ends(2, "has no element");
    bench.sign(&["invoice.xml", "-o", "x", "--into", "{urn:e"]).ends(2, "{NAMESPACE}NAME");
    bench.sign(&["invoice.xml", "-o", "x", "--behind", "{urn:i}Invoice"]).ends(3, "root element");
}

#[test]
fn the_whole_address_is_in_every_packaging() {
    let bench = bench();
    bench.write("a.xml", "<r/>");
    let address = [
        ["--locality", "Luik"],
        ["--country", "BE"],
        ["--street-address", "Straat 1"],
        ["--state-or-province", "Provincie Luik"],
        ["--postal-code", "4000"],
    ];
    for packaging in ["enveloped", "enveloping", "detached"] {
        let how = ["a.xml", "-o", packaging, "--packaging", packaging];
        bench.sign(&[&how[..], address.concat().as_slice()].concat()).ends(0, "");
        let signed = String::from_utf8(bench.read(packaging)).unwrap();
        let place = "<xades:SignatureProductionPlaceV2><xades:City>Luik</xades:City>\
            <xades:StreetAddress>Straat 1</xades:StreetAddress>\
            <xades:StateOrProvince>Provincie Luik</xades:StateOrProvince>\
            <xades:PostalCode>4000</xades:PostalCode><xades:CountryName>BE</xades:CountryName>";
        assert!(signed.contains(place), "{signed}");
    }
}

#[test]
fn each_packaging_is_signed_and_verified() {
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
            // xmlsec1 finds the document of a detached signature beside it.
            bench.write(&format!("out/{name}"), bench.read(name));
        }
        xmlsec1_accepts(&bench, &out, "root.pem", 0);
        let original = if arguments.contains(&"detached") && name != signed {
            vec!["--original", name]
        } else {
            Vec::new()
        };
        let verify = [
            &["verify", &out, "--revocation", "none", "--trust", "root.pem", "--json"],
            &original[..],
        ]
        .concat();
        let answer = json(&bench.ades(&verify).out);
        assert_eq!(answer["signatures"][0]["intact"], true, "{arguments:?}: {answer}");
        let element = arguments.contains(&"internally-detached");
        let passed = answer["conclusion"] == "total-passed";
        assert_eq!(passed, !element, "{arguments:?}: {answer}");
    }
    let element = ["a.xml", "-o", "x", "--packaging", "internally-detached", "--element", "none"];
    bench.sign(&element).ends(2, "has no element");
    bench.sign(&["a.bin", "-o", "x", "--format", "xades"]).ends(2, "is not XML");
    // Ids that no reference can name, and texts that XML cannot hold, are reported before anybody
    // is asked.
    bench.write("odd.xml", "<r><e Id='a b'/><e Id='x)'/></r>");
    for id in ["a b", "x)"] {
        let element = ["--packaging", "internally-detached", "--element", id];
        let sign = ["sign", "odd.xml", "-o", "x", "--auto-approve"];
        bench.ades(&[&sign[..], &element].concat()).ends(2, "no reference can name");
    }
    for option in ["--role", "--postal-code", "--description"] {
        let text = if option == "--description" { "EN=a\u{1}b" } else { "a\u{1}b" };
        let sign = ["sign", "a.xml", "-o", "x", "--auto-approve", option, text];
        bench.ades(&sign).ends(2, "control characters");
    }
    assert!(!bench.has("x") && !bench.has("x.pending"));
}

#[test]
fn parallel_signatures_and_countersignatures_are_added() {
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
    bench
        .ades(&["verify", "counter.xml", "--revocation", "none", "--trust", "root.pem"])
        .ends(0, "");
    bench.sign(&["second.xml", "-o", "no.xml", "--counter-sign", "2"]).ends(2, "has no signature");
    assert!(!bench.has("no.xml"));
}

/// All files that cannot be signed are reported before anybody is asked.
#[test]
fn batch_is_checked_before_anybody_is_asked() {
    let bench = bench();
    bench.write("good.xml", "<r><e Id='e'/></r>");
    bench.write("bad.xml", "<r>");
    bench.write("dtd.xml", "<!DOCTYPE r SYSTEM 'r.dtd'><r><e Id='e'/></r>");
    bench.write("photo.bin", b"no XML");
    bench.sign(&["good.xml", "-o", "closed.xml"]).ends(0, "");
    let files = ["good.xml", "bad.xml", "photo.bin", "dtd.xml", "closed.xml"];
    let out = ["--out-dir", "out"];
    for signer in
        [&["--auto-approve"][..], &["--signer", "pkcs12:key.p12", "--password-env", "PASSWORD"]]
    {
        let run = bench.ades(&[&["sign"], &files[..], &out, signer].concat());
        run.ends(3, "3 of 5 files cannot be signed, so that none is signed:");
        run.ends(3, "bad.xml: not well-formed XML");
        run.ends(3, "dtd.xml: the document needs an external DTD subset");
        run.ends(3, "closed.xml: an existing signature covers the place");
        assert!(!run.err.contains("ades resume"), "{run:?}");
        assert!(!bench.has("out"));
    }
    // An enveloping signature takes any document.
    let enveloping = ["--format", "xades", "--packaging", "enveloping", "--auto-approve"];
    bench.ades(&[&["sign"], &files[..], &out, &enveloping].concat()).ends(0, "");
    for arguments in [
        &["--into", "none"][..],
        &["--behind", "{urn:none}x"],
        &["--packaging", "internally-detached", "--element", "none"],
        &["--counter-sign", "0"],
    ] {
        let sign = ["sign", "good.xml", "-o", "again.xml", "--auto-approve"];
        bench.ades(&[&sign, arguments].concat()).ends(2, "the document has no ");
        assert!(!bench.has("again.xml.pending") && !bench.has("again.xml"));
    }
    let run = bench.ades(&["sign", "closed.xml", "-o", "again.xml", "--auto-approve"]);
    run.ends(3, "closed.xml: an existing signature");
    assert!(!bench.has("again.xml.pending"));
    let counter = ["sign", "closed.xml", "-o", "c.xml", "--counter-sign", "0", "--auto-approve"];
    bench.ades(&counter).ends(0, "");
}

/// SVG drawings refer to an external DTD subset, which --ignore-external-subset leaves out.
#[test]
fn external_dtd_subset_can_be_ignored() {
    let bench = bench();
    let svg = "<?xml version='1.0'?>\n<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' \
        'http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd'>\n\
        <svg xmlns='http://www.w3.org/2000/svg' version='1.1'><path d='M0 0h9'/></svg>\n";
    bench.write("drawing.svg", svg);
    const IGNORE: &str = "--ignore-external-subset";
    for command in [
        &["sign", "drawing.svg", "-o", "x", "--auto-approve"][..],
        &["prepare", "drawing.svg", "--certs", "chain.pem", "--state", "x"],
        &["verify", "drawing.svg"],
        &["inspect", "drawing.svg"],
        &["c14n", "drawing.svg"],
    ] {
        bench.ades(command).ends(3, IGNORE);
    }
    assert!(!bench.has("x") && !bench.has("x.pending"));
    let run = bench.ades(&["c14n", "drawing.svg", IGNORE]);
    assert!(run.ends(0, "").out.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    bench.sign(&["drawing.svg", "-o", "signed.svg", IGNORE]).ends(0, "");
    bench.ades(&["sign", "drawing.svg", "-o", "asked.svg", IGNORE, "--auto-approve"]).ends(0, "");
    bench.sign(&["drawing.svg", "-o", "open.svg", "--allow-parallel", IGNORE]).ends(0, "");
    bench.sign(&["open.svg", "-o", "twice.svg", IGNORE]).ends(0, "");
    bench.sign(&["twice.svg", "-o", "counter.svg", "--counter-sign", "1", IGNORE]).ends(0, "");
    for (name, root) in
        [("signed.svg", "root.pem"), ("asked.svg", ROOT), ("counter.svg", "root.pem")]
    {
        xmlsec1_accepts(&bench, name, root, 0);
        let answer = bench.ades(&[
            "verify",
            name,
            "--revocation",
            "none",
            "--trust",
            root,
            "--json",
            IGNORE,
        ]);
        let answer = json(&answer.ends(0, "").out);
        assert_eq!(answer["signatures"][0]["covers"], "whole", "{answer}");
        bench.ades(&["inspect", name, IGNORE]).ends(0, "");
    }
    let prepare = ["prepare", "drawing.svg", "--certs", "chain.pem", "--state", "s", IGNORE];
    signed_by_openssl(&bench, &prepare);
    let complete = ["complete", "drawing.svg", "--state", "s", "--signature", "value.bin"];
    // The state stores how the document was read.
    bench.ades(&[&complete[..], &["-o", "c.svg"]].concat()).ends(0, "");
    xmlsec1_accepts(&bench, "c.svg", "root.pem", 0);
    bench.write("text.txt", "text");
    bench.ades(&["verify", "text.txt", IGNORE]).ends(2, "options of how XML is read");
}

/// WS-Security has an Id attribute of its own.
#[test]
fn other_attributes_can_be_ids() {
    let bench = bench();
    let wsu = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
    let message = format!(
        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Header/>\
         <soap:Body xmlns:wsu=\"{wsu}\" wsu:Id=\"body\"><pay/></soap:Body></soap:Envelope>"
    );
    bench.write("message.xml", &message);
    let header = "{http://schemas.xmlsoap.org/soap/envelope/}Header";
    let id = format!("{{{wsu}}}Id");
    let sign = |out: &str, more: &[&str]| {
        let element = ["--packaging", "internally-detached", "--element", "body"];
        let sign = ["sign", "message.xml", "-o", out, "--into", header];
        bench.ades(&[&sign, &element[..], more].concat())
    };
    sign("x", &["--auto-approve"]).ends(2, "has no element");
    sign("x", &["--auto-approve", "--id-attribute", "{urn"]).ends(2, "for '--id-attribute");
    sign("x", &["--auto-approve", "--id-attribute", "wsu:Id"]).ends(2, "invalid value 'wsu:Id'");
    sign("signed.xml", &["--auto-approve", "--id-attribute", &id]).ends(0, "");
    let verify =
        ["verify", "signed.xml", "--revocation", "none", "--trust", ROOT, "--element", "body"];
    bench.ades(&verify).ends(2, "has no element");
    bench.ades(&[&verify[..], &["--id-attribute", &id]].concat()).ends(0, "");
    let part = ["c14n", "message.xml", "--method", "exclusive", "--id", "body"];
    bench.ades(&part).ends(2, "has no element");
    let run = bench.ades(&[&part[..], &["--id-attribute", &id]].concat());
    assert!(run.ends(0, "").out.starts_with("<soap:Body "));
    let element = ["--packaging", "internally-detached", "--element", "body", "--into", header];
    let prepare = ["prepare", "message.xml", "--certs", "chain.pem", "--state", "s"];
    let ids = ["--id-attribute", &id];
    signed_by_openssl(&bench, &[&prepare[..], &element, &ids].concat());
    let complete = ["complete", "message.xml", "--state", "s", "--signature", "value.bin"];
    bench.ades(&[&complete[..], &["-o", "completed.xml"]].concat()).ends(0, "");
    // Without a namespace.
    bench.write("r.xml", "<r><e AssertionID='a'/></r>");
    let named = ["c14n", "r.xml", "--id", "a", "--id-attribute", "AssertionID"];
    assert_eq!(bench.ades(&named).ends(0, "").out, "<e AssertionID=\"a\"></e>");
}

/// Prepares, and has OpenSSL sign the digest into `value.bin`.
fn signed_by_openssl(bench: &Bench, prepare: &[&str]) {
    let prepared = json(&bench.ades(prepare).ends(0, "").out);
    let digest = Base64::decode_vec(prepared["digest_base64"].as_str().unwrap()).unwrap();
    bench.write("digest", digest);
    let sign = ["pkeyutl", "-sign", "-inkey", "key.pem", "-in", "digest", "-out", "value.bin"];
    bench.openssl(&[&sign[..], &["-pkeyopt", "digest:sha256"]].concat()).ends(0, "");
}

#[test]
fn prepared_here_signed_by_openssl_completed_there() {
    let bench = bench();
    bench.write("a.xml", Invoice::in_memory(50_000));
    let prepare = ["prepare", "a.xml", "--certs", "chain.pem", "--state", "xml.state"];
    signed_by_openssl(&bench, &prepare);
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
