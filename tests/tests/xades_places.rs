//! Signatures at any place of a document: inside the element that they sign, beside a named
//! child, in the n-th element of a name. EU DSS, the schemas and xmlsec1 accept them.

use std::path::Path;
use std::process::Command;

use ades_core::Document;
use ades_tests::oracle::xades::{Asked, Court};
use ades_tests::pki::{self, Key, Pki, TestSigner};
use ades_tests::signing::{complete_xades, parameters};
use xades::c14n::{IdAttributes, Target};
use xades::report::Report;
use xades::{Error, Packaging, Position, SignatureOptions, VerifyOptions, verify};

const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const SAMLP: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const UBL_EXTENSIONS: &str =
    "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2";

fn signer() -> &'static TestSigner {
    Pki::shared().signer(Key::Rsa2048)
}

fn sign(document: &[u8], options: &SignatureOptions) -> Result<Vec<u8>, Error> {
    let mut source = Document::from_bytes(document);
    let pending = xades::prepare(&mut source, &signer().chain, &parameters(), options)?;
    complete_xades(&pending, Some(document), signer())
}

fn over(ids: &[&str]) -> SignatureOptions {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    SignatureOptions::new().packaging(Packaging::InternallyDetached(ids))
}

fn named(namespace: &str, local_name: &str, nth: usize) -> Target {
    Target::Named { namespace: namespace.into(), local_name: local_name.into(), nth: Some(nth) }
}

fn verified(signed: &[u8], expected: &[&str]) -> Report {
    let options = expected
        .iter()
        .fold(VerifyOptions::new(), |options, id| options.expect(Target::Id((*id).to_owned())));
    verify(&mut Document::from_bytes(signed), options).unwrap()
}

/// A response with two assertions, as an identity provider writes it.
fn response() -> String {
    let assertion = |id: &str| {
        format!(
            "<saml:Assertion ID=\"{id}\" Version=\"2.0\"><saml:Issuer>https://idp</saml:Issuer>\
             <saml:Subject><saml:NameID>é</saml:NameID></saml:Subject></saml:Assertion>"
        )
    };
    format!(
        "<samlp:Response xmlns:samlp=\"{SAMLP}\" xmlns:saml=\"{SAML}\" ID=\"_r\">\n\
         <saml:Issuer>https://idp</saml:Issuer>{}{}</samlp:Response>",
        assertion("_a1"),
        assertion("_a2")
    )
}

/// xmlsec1 with the Ids of SAML.
fn xmlsec1_verifies(signed: &[u8], nth: usize) {
    let dir = tempfile::TempDir::new().unwrap();
    let (document, root) = (dir.path().join("signed.xml"), dir.path().join("root.pem"));
    std::fs::write(&document, signed).unwrap();
    std::fs::write(&root, pki::pem(Pki::shared().root())).unwrap();
    let output = xmlsec1(&document, &root, nth);
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

fn xmlsec1(document: &Path, root: &Path, nth: usize) -> std::process::Output {
    let mut command = Command::new("xmlsec1");
    command.arg("--verify");
    for (attribute, element) in [
        ("ID", format!("{SAML}:Assertion")),
        ("ID", format!("{SAMLP}:Response")),
        ("Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties".to_owned()),
    ] {
        command.args([format!("--id-attr:{attribute}"), element]);
    }
    let which = format!("(//*[local-name()='Signature'])[{}]", nth + 1);
    command
        .args(["--node-xpath", &which, "--enabled-key-data", "x509", "--trusted-pem"])
        .arg(root)
        .arg(document)
        .output()
        .expect("xmlsec1 is needed: tests/oracles/install.sh installs it")
}

/// SAML 2.0 core, 5.4: the signature is in the assertion, after its issuer, with the transforms
/// enveloped-signature and exclusive canonicalisation.
#[test]
fn an_assertion_contains_its_signature() {
    let court = Court::new();
    let response = response();
    for (position, before) in [
        (Position::LastIn(Target::Id("_a1".into())), "</saml:Subject>"),
        (
            Position::FirstIn(Target::Id("_a1".into())),
            "<saml:Assertion ID=\"_a1\" Version=\"2.0\">",
        ),
        (Position::After(named(SAML, "Issuer", 1)), "</saml:Issuer>"),
        (Position::Before(named(SAML, "Subject", 0)), "</saml:Issuer>"),
    ] {
        let signed = sign(response.as_bytes(), &over(&["_a1"]).position(position.clone())).unwrap();
        let text = String::from_utf8(signed.clone()).unwrap();
        assert!(text.contains(&format!("{before}<ds:Signature ")), "{position:?}: {text}");
        let transforms = "<ds:Reference Id=\"";
        let reference = text.split(transforms).nth(1).unwrap().split("</ds:Transforms>").next();
        let algorithms: Vec<_> = reference.unwrap().split("Algorithm=\"").skip(1).collect();
        assert_eq!(algorithms.len(), 2, "{text}");
        assert!(algorithms[0].starts_with("http://www.w3.org/2000/09/xmldsig#enveloped-signature"));
        assert!(algorithms[1].starts_with("http://www.w3.org/2001/10/xml-exc-c14n#"));
        assert!(verified(&signed, &["_a1"]).is_valid(), "{:#?}", verified(&signed, &["_a1"]));
        // It covers neither the other assertion nor the response.
        assert!(!verified(&signed, &["_a2"]).is_valid() && !verified(&signed, &["_r"]).is_valid());
        let verdict = court.judge(&signed, 1, Asked { xmlsec1: false, signxml: false });
        assert!(verdict.dss.is_ok() && verdict.schema.is_ok(), "{verdict:#?}");
        xmlsec1_verifies(&signed, 0);
        let changed = text.replace("<saml:NameID>é", "<saml:NameID>e");
        assert!(verified(changed.as_bytes(), &["_a1"]).signatures[0].intact != Some(true));
    }
}

/// The assertions first, then the response around them.
#[test]
fn a_response_with_signed_assertions_is_signed() {
    let mut signed = response().into_bytes();
    for id in ["_a1", "_a2", "_r"] {
        let place = Position::LastIn(Target::Id(id.into()));
        signed = sign(&signed, &over(&[id]).position(place)).unwrap();
    }
    let report = verified(&signed, &["_r"]);
    assert_eq!(report.signatures.len(), 3);
    assert!(
        report.signatures.iter().all(|signature| signature.intact == Some(true)),
        "{report:#?}"
    );
    (0..3).for_each(|nth| xmlsec1_verifies(&signed, nth));
    // The response's signature covers those of the assertions, so that another one in an
    // assertion breaks it.
    let again = over(&["_a1"]).position(Position::FirstIn(Target::Id("_a1".into())));
    assert!(matches!(sign(&signed, &again), Err(Error::BreaksExistingSignature)));
}

/// Without the signatures of others, each can come and go.
#[test]
fn parallel_signatures_in_an_element_leave_each_other_intact() {
    let place = || Position::LastIn(Target::Id("_a1".into()));
    let options = over(&["_a1", "_a2"]).position(place()).parallel();
    let once = sign(response().as_bytes(), &options).unwrap();
    let twice = sign(&once, &options.clone().id_seed([1])).unwrap();
    let report = verified(&twice, &["_a1", "_a2"]);
    assert!(report.is_valid() && report.signatures.len() == 2, "{report:#?}");
    (0..2).for_each(|nth| xmlsec1_verifies(&twice, nth));
}

/// WS-Federation and SII: the element is the root, or one with another Id attribute.
#[test]
fn the_signed_element_may_be_the_root_or_empty() {
    let court = Court::new();
    for (document, id, options) in [
        ("<r Id=\"a\"><e/></r>", "a", SignatureOptions::new()),
        ("<r><e Id=\"a\"/></r>", "a", SignatureOptions::new()),
        ("<SetDTE ID=\"a\">x</SetDTE>", "a", SignatureOptions::new()),
        (
            "<r><t AssertionID=\"a\">x</t></r>",
            "a",
            SignatureOptions::new().ids(IdAttributes::default().and("", "AssertionID")),
        ),
    ] {
        let place = Position::LastIn(Target::Id(id.into()));
        let packaging = Packaging::InternallyDetached(vec![id.to_owned()]);
        let options = options.packaging(packaging).position(place);
        let signed = sign(document.as_bytes(), &options).unwrap();
        if !document.contains("AssertionID") {
            assert!(verified(&signed, &[id]).is_valid(), "{document}");
            let verdict = court.judge(&signed, 1, Asked { xmlsec1: false, signxml: false });
            assert!(verdict.dss.is_ok() && verdict.schema.is_ok(), "{document}: {verdict:#?}");
        }
    }
    // Content beside the signed element is not covered, content in it is.
    let place = Position::LastIn(Target::Id("a".into()));
    let signed = sign(b"<r><e Id=\"a\">x</e>y</r>", &over(&["a"]).position(place)).unwrap();
    let text = String::from_utf8(signed).unwrap();
    let intact = |text: &str| verified(text.as_bytes(), &["a"]).signatures[0].intact == Some(true);
    assert!(intact(&text.replace("y</r>", "z</r>")));
    assert!(!intact(&text.replace(">x<", ">z<")));
    assert!(!intact(&text.replace("</ds:Signature>", "</ds:Signature>more")));
}

/// DIAN, SUNAT, UBL-TR: the second of two extensions is the place of the signature.
#[test]
fn the_nth_element_of_a_name_is_a_place() {
    let court = Court::new();
    let extension = |content: &str| {
        format!(
            "<ext:UBLExtension><ext:ExtensionContent>{content}</ext:ExtensionContent>\
             </ext:UBLExtension>"
        )
    };
    let invoice = format!(
        "<Invoice xmlns:ext=\"{UBL_EXTENSIONS}\"><ext:UBLExtensions>{}{}</ext:UBLExtensions>\
         <ID>SETP990000002</ID></Invoice>",
        extension("<Sts>1</Sts>"),
        extension("")
    );
    for (position, expected) in [
        (
            Position::LastIn(named(UBL_EXTENSIONS, "ExtensionContent", 1)),
            "</ext:UBLExtension><ext:UBLExtension><ext:ExtensionContent><ds:Signature ",
        ),
        (
            Position::FirstIn(named(UBL_EXTENSIONS, "ExtensionContent", 0)),
            "<ext:UBLExtension><ext:ExtensionContent><ds:Signature ",
        ),
        (
            Position::Before(named(UBL_EXTENSIONS, "UBLExtension", 1)),
            "</ext:UBLExtension><ds:Signature ",
        ),
        (Position::After(named("", "ID", 0)), "</ID><ds:Signature "),
    ] {
        let signed =
            sign(invoice.as_bytes(), &SignatureOptions::new().position(position.clone())).unwrap();
        let text = String::from_utf8(signed.clone()).unwrap();
        assert!(text.contains(expected), "{position:?}: {text}");
        let verdict = court.judge(&signed, 1, Asked::default());
        assert!(verdict.all_accept(), "{position:?}: {verdict:#?}");
        assert!(
            verify(&mut Document::from_bytes(&signed), VerifyOptions::new()).unwrap().is_valid()
        );
    }
    let third = Position::LastIn(named(UBL_EXTENSIONS, "ExtensionContent", 2));
    let refused = sign(invoice.as_bytes(), &SignatureOptions::new().position(third));
    assert!(refused.unwrap_err().to_string().contains("ExtensionContent, number 3"));
}
