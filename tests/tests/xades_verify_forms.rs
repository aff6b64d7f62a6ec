//! Verifying countersignatures, parallel signatures and manifests. xmlsec1 signs.

use ades_core::Document;
use ades_tests::oracle::xmlsec1;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::parameters;
use xades::report::{Coverage, Problem, ReferenceKind, Report};
use xades::{Error, SignatureOptions, VerifyOptions, verify};

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

fn transforms(all: &str) -> String {
    format!("<ds:Transforms>{all}</ds:Transforms>")
}

fn exclusive() -> String {
    transforms(&format!("<ds:Transform Algorithm=\"{EXCLUSIVE}\"/>"))
}

fn reference(attributes: &str, transforms: &str) -> String {
    format!(
        "<ds:Reference {attributes}>{transforms}<ds:DigestMethod Algorithm=\"{SHA256}\"/>\
         <ds:DigestValue/></ds:Reference>"
    )
}

fn template(references: &str, objects: &str) -> String {
    format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\
         <ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>\
         {references}</ds:SignedInfo><ds:SignatureValue/>\
         <ds:KeyInfo><ds:X509Data/></ds:KeyInfo>{objects}</ds:Signature>"
    )
}

/// Lets xmlsec1 sign the template in a document.
fn signed(document: &str, key: Key) -> String {
    let signer = Pki::shared().signer(key);
    let dir = tempfile::TempDir::new().unwrap();
    let files = signer.write_pem_files(dir.path());
    let template = dir.path().join("template.xml");
    std::fs::write(&template, document).unwrap();
    std::fs::write(dir.path().join("a.txt"), "first").unwrap();
    std::fs::write(dir.path().join("b.txt"), "second").unwrap();
    let ids = ["Id:Object", "Id:Manifest", "Id:SignatureValue", "Id:p"];
    let made = String::from_utf8(xmlsec1::sign(&template, &files.key, &files.leaf, &ids).unwrap());
    made.unwrap().trim_start_matches("<?xml version=\"1.0\"?>\n").trim_end().to_owned()
}

/// The signature of a document.
fn signature_of(document: &str) -> String {
    let start = document.find("<ds:Signature ").unwrap();
    let end = document.rfind("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    document[start..end].to_owned()
}

fn verified(document: &str) -> Report {
    verify(&mut Document::from_bytes(document.as_bytes()), VerifyOptions::default()).unwrap()
}

/// Signed by this project.
fn enveloped(document: &str) -> String {
    let signer = Pki::shared().signer(Key::P256);
    let mut source = Document::from_bytes(document.as_bytes());
    let pending =
        xades::prepare(&mut source, &signer.chain, &parameters(), &SignatureOptions::new())
            .unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending
        .complete(Some(&mut Document::from_bytes(document.as_bytes())), &value, &mut out)
        .unwrap();
    String::from_utf8(out).unwrap()
}

/// A signature over the value of another one. It may be anywhere in the document.
fn countersignature(document: &str) -> String {
    let value = document[document.find("<ds:SignatureValue").unwrap()..].to_owned();
    let value = &value[..value.find("</ds:SignatureValue>").unwrap()];
    let id = value.split("Id=\"").nth(1).unwrap().split('"').next().unwrap();
    let value = format!("{value}</ds:SignatureValue>").replacen(
        "<ds:SignatureValue",
        "<ds:SignatureValue xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"",
        1,
    );
    let kind = "http://uri.etsi.org/01903#CountersignedSignature";
    let reference = reference(&format!("Type=\"{kind}\" URI=\"#{id}\""), &exclusive());
    let made = signed(&format!("<w>{value}{}</w>", template(&reference, "")), Key::Rsa2048);
    signature_of(&made)
}

/// Adds `inner` as an unsigned property.
fn with_countersignature(document: &str, inner: &str) -> String {
    let open =
        "<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:CounterSignature>";
    let close =
        "</xades:CounterSignature></xades:UnsignedSignatureProperties></xades:UnsignedProperties>";
    let end = "</xades:SignedProperties>";
    assert!(document.contains(end));
    document.replacen(end, &format!("{end}{open}{inner}{close}"), 1)
}

#[test]
fn countersignatures_are_listed_in_the_signature_that_they_sign() {
    let document = enveloped("<r>text</r>");
    let inner = countersignature(&document);
    let report = verified(&with_countersignature(&document, &inner));
    assert_eq!(report.signatures.len(), 1, "{report:#?}");
    let outer = &report.signatures[0];
    assert!(outer.intact == Some(true) && outer.problems.is_empty(), "{outer:#?}");
    assert_eq!(outer.unsigned_properties, ["CounterSignature"]);
    let [counter] = outer.countersignatures.as_slice() else { panic!("{outer:#?}") };
    assert!(counter.intact == Some(true), "{counter:#?}");
    assert_eq!(counter.problems, [Problem::QualifyingPropertiesMissing]);
    assert_eq!(counter.covers, Coverage::Whole);
    assert_eq!(counter.references[0].kind, ReferenceKind::CountersignedSignature);
    // Without a signing certificate it is not valid.
    assert!(!report.is_valid());

    // A signature over another signature is not a countersignature of this one.
    let other = enveloped("<r>other</r>");
    let report = verified(&with_countersignature(&other, &inner));
    let counter = &report.signatures[0].countersignatures[0];
    assert!(counter.intact != Some(true));
    assert!(counter.problems.contains(&Problem::CountersignatureMismatch), "{counter:#?}");
    // Neither is one that signs another part of the document.
    let wrong = inner.replace("-value", "-properties");
    let report = verified(&with_countersignature(&document, &wrong));
    let counter = &report.signatures[0].countersignatures[0];
    assert!(counter.problems.contains(&Problem::CountersignatureMismatch), "{counter:#?}");
}

#[test]
fn the_depth_of_nested_signatures_is_limited() {
    let nested = |depth: usize| {
        let open = "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:Object>";
        format!("<r>{}{}</r>", open.repeat(depth), "</ds:Object></ds:Signature>".repeat(depth))
    };
    assert_eq!(verified(&nested(8)).signatures.len(), 8);
    let deep = nested(9);
    let refused = verify(&mut Document::from_bytes(deep.as_bytes()), VerifyOptions::default());
    assert!(matches!(refused, Err(Error::Limit { .. })), "{refused:?}");
}

/// Each leaves out all signatures, so none breaks another.
#[test]
fn parallel_signatures_cover_the_same() {
    let xpath = "http://www.w3.org/TR/1999/REC-xpath-19991116";
    let less = format!(
        "<ds:Transform Algorithm=\"{xpath}\"><ds:XPath>not(ancestor-or-self::ds:Signature)</ds:XPath>\
         </ds:Transform><ds:Transform Algorithm=\"{EXCLUSIVE}\"/>"
    );
    let reference = reference("URI=\"\"", &transforms(&less));
    let template = template(&reference, "");
    let signature = |key| {
        let made = signed(&format!("<r>text{template}</r>"), key);
        signature_of(&made)
    };
    let both = signature(Key::Rsa2048) + &signature(Key::Rsa3072);
    let report = verified(&format!("<r>text{both}</r>"));
    assert_eq!(report.signatures.len(), 2);
    for signature in &report.signatures {
        assert!(signature.intact == Some(true), "{signature:#?}");
        assert_eq!(signature.covers, Coverage::Whole);
        assert_eq!(signature.references[0].left_out.len(), 2);
    }
    assert_ne!(report.signatures[0].signer, report.signatures[1].signer);
    let changed = verified(&format!("<r>Text{both}</r>"));
    assert!(changed.signatures.iter().all(|signature| signature.intact != Some(true)));
}

#[test]
fn the_references_of_a_manifest_are_verified() {
    let of = |name: &str| reference(&format!("URI=\"{name}\""), "");
    let part = reference("URI=\"#part\"", &exclusive());
    let manifest = of("a.txt") + &of("b.txt") + &part;
    let manifest = format!("<ds:Object><ds:Manifest Id=\"m\">{manifest}</ds:Manifest></ds:Object>");
    let kind = "http://www.w3.org/2000/09/xmldsig#Manifest";
    let own = reference(&format!("Type=\"{kind}\" URI=\"#m\""), &exclusive());
    let made = signed(
        &format!("<r><p Id=\"part\">data</p>{}</r>", template(&own, &manifest)),
        Key::Rsa2048,
    );
    let signature = |document: &str, second: &'static [u8]| {
        let options = VerifyOptions::new()
            .original_named("a.txt", Document::from_bytes(b"first"))
            .original_named("b.txt", Document::from_bytes(second));
        verify(&mut Document::from_bytes(document.as_bytes()), options)
            .unwrap()
            .signatures
            .remove(0)
    };
    let intact = |signature: &xades::report::SignatureReport| {
        let [manifest] = signature.references.as_slice() else { panic!("{signature:#?}") };
        assert_eq!(manifest.kind, ReferenceKind::Manifest);
        manifest.manifest.iter().map(|inner| inner.intact).collect::<Vec<_>>()
    };
    let all = signature(&made, b"second");
    assert_eq!(intact(&all), [Some(true); 3], "{all:#?}");
    assert_eq!(all.problems, [Problem::QualifyingPropertiesMissing, Problem::NotCovered]);
    assert!(all.intact == Some(true));
    // Core validation (XML Signature, clause 3.2) covers only the manifest itself.
    let other = signature(&made, b"another");
    assert!(other.intact == Some(true));
    assert_eq!(intact(&other), [Some(true), Some(false), Some(true)]);
    assert!(other.problems.contains(&Problem::ManifestMismatch));
    let changed = signature(&made.replace(">data<", ">Data<"), b"second");
    assert_eq!(intact(&changed), [Some(true), Some(true), Some(false)]);
    let none = verified(&made);
    assert_eq!(intact(&none.signatures[0]), [None, None, Some(true)]);
    let tampered = signature(&made.replace("a.txt", "b.txt"), b"second");
    assert!(tampered.intact != Some(true));
}

/// A part that is left out by its Id is not covered, and its content may change.
#[test]
fn parts_that_are_left_out_by_id_are_reported() {
    let uri = "http://www.w3.org/2002/06/xmldsig-filter2";
    let step = |filter: &str, expression: &str| {
        format!("<f:XPath xmlns:f=\"{uri}\" Filter=\"{filter}\">{expression}</f:XPath>")
    };
    let steps = step("subtract", "//ds:Signature") + &step("subtract", "id('notes')");
    let filter = format!("<ds:Transform Algorithm=\"{uri}\">{steps}</ds:Transform>");
    let filter = transforms(&(filter + &format!("<ds:Transform Algorithm=\"{EXCLUSIVE}\"/>")));
    let template = template(&reference("URI=\"\"", &filter), "");
    let document = format!(
        "<r><ds:Object xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" \
                            Id=\"notes\">free</ds:Object>{template}</r>"
    );
    let made = signed(&document, Key::Rsa2048);
    let report = verified(&made.replace(">free<", ">changed<"));
    let signature = &report.signatures[0];
    assert!(signature.intact == Some(true), "{signature:#?}");
    assert_eq!(signature.covers, Coverage::Part);
    assert!(signature.problems.contains(&Problem::PartlyCovered));
    let left_out = signature.references[0].left_out[0];
    assert_eq!(left_out.from, 3);
}
