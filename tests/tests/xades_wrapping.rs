//! Signature wrapping: the signed element is still in the document, but another one is
//! where the application looks for it (the attacks known as XSW 1 to 8 on SAML).

use ades_core::Document;
use ades_tests::oracle::xmlsec1;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::parameters;
use xades::c14n::Target;
use xades::report::{Coverage, Level, Problem, Report, SignatureReport};
use xades::{
    DetachedDocument, Error, Packaging, SignatureOptions, VerifyOptions, prepare, prepare_detached,
    verify,
};

const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";

fn assertion(id: &str, who: &str, content: &str) -> String {
    format!(
        "<saml:Assertion xmlns:saml=\"{ASSERTION}\" ID=\"{id}\">\
         <saml:Subject>{who}</saml:Subject>{content}</saml:Assertion>"
    )
}

fn response(id: &str, content: &str) -> String {
    format!("<samlp:Response xmlns:samlp=\"{PROTOCOL}\" ID=\"{id}\">{content}</samlp:Response>")
}

/// A signature over the element with this Id, except the signature.
fn template(id: &str) -> String {
    template_with(&format!("#{id}"), "")
}

/// A signature over what the URI names, except the signature and what further transforms
/// leave out.
fn template_with(uri: &str, more: &str) -> String {
    let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
    format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\
         <ds:CanonicalizationMethod Algorithm=\"{exclusive}\"/>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>\
         <ds:Reference URI=\"{uri}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
         {more}<ds:Transform Algorithm=\"{exclusive}\"/></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue/>\
         </ds:Reference></ds:SignedInfo><ds:SignatureValue/>\
         <ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>"
    )
}

fn signed(document: &str) -> String {
    let signer = Pki::shared().signer(Key::Rsa2048);
    let dir = tempfile::TempDir::new().unwrap();
    let files = signer.write_pem_files(dir.path());
    let template = dir.path().join("template.xml");
    std::fs::write(&template, document).unwrap();
    let made = xmlsec1::sign(&template, &files.key, &files.leaf, &["ID:Response", "ID:Assertion"]);
    let made = String::from_utf8(made.unwrap()).unwrap();
    made.trim_start_matches("<?xml version=\"1.0\"?>\n").trim_end().to_owned()
}

/// The signature element of a signed document, and the document without it.
fn apart(document: &str) -> (String, String) {
    let start = document.find("<ds:Signature ").unwrap();
    let end = document.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let without = [&document[..start], &document[end..]].concat();
    (document[start..end].to_owned(), without)
}

fn assertions() -> Target {
    Target::Named { namespace: ASSERTION.into(), local_name: "Assertion".into(), nth: None }
}

fn verified(document: &str, expected: Option<Target>) -> Result<Report, Error> {
    let options = expected.into_iter().fold(VerifyOptions::new(), VerifyOptions::expect);
    verify(&mut Document::from_bytes(document.as_bytes()), options)
}

fn first(document: &str, expected: Option<Target>) -> SignatureReport {
    verified(document, expected).unwrap().signatures.remove(0)
}

/// Its only problem is that it is not XAdES.
fn accepted(signature: &SignatureReport) -> bool {
    signature.intact == Some(true) && signature.problems == [Problem::QualifyingPropertiesMissing]
}

/// Checks that an attack is refused, whether the root element or all assertions are
/// expected to be signed. A caller that expects the signed Id learns where it is.
#[track_caller]
fn refused(document: &str, id: &str, because: Problem) {
    assert!(document.contains("mallory") && document.contains("alice"));
    for expected in [None, Some(assertions())] {
        let signature = first(document, expected);
        assert!(!accepted(&signature), "{document}");
        assert!(signature.problems.contains(&because), "{because:?}: {signature:#?}");
    }
    if let Ok(report) = verified(document, Some(Target::Id(id.into()))) {
        let signature = &report.signatures[0];
        if accepted(signature) {
            let place = signature.references[0].covers[0].place;
            let octets = &document[place.from as usize..place.to as usize];
            assert!(octets.contains("alice"), "{octets}");
            assert_eq!(signature.covers == Coverage::Whole, place.from == 0);
        }
    }
}

fn signed_response() -> String {
    signed(&response("R", &(template("R") + &assertion("A", "alice", ""))))
}

fn signed_assertion() -> String {
    signed(&response("R", &assertion("A", "alice", &template("A"))))
}

#[test]
fn documents_without_wrapping_are_accepted() {
    let whole = signed_response();
    assert!(accepted(&first(&whole, None)));
    assert!(accepted(&first(&whole, Some(assertions()))));
    let part = signed_assertion();
    let by_root = first(&part, None);
    assert_eq!((by_root.intact, by_root.covers), (Some(true), Coverage::Part));
    assert!(by_root.problems.contains(&Problem::NotCovered));
    assert!(accepted(&first(&part, Some(assertions()))));
    assert!(accepted(&first(&part, Some(Target::Id("A".into())))));
}

/// The signed response is inside the signature of another response. Without the signature
/// nothing is left of it.
#[test]
fn xsw_1() {
    let (signature, original) = apart(&signed_response());
    let hidden = signature.replace("</ds:Signature>", &format!("{original}</ds:Signature>"));
    let evil = response("evil", &(hidden + &assertion("B", "mallory", "")));
    refused(&evil, "R", Problem::DigestMismatch);
}

/// The signed response is beside the signature in another response.
#[test]
fn xsw_2() {
    let (signature, original) = apart(&signed_response());
    let evil = response("evil", &(original + &signature + &assertion("B", "mallory", "")));
    refused(&evil, "R", Problem::NotCovered);
}

/// Another assertion precedes the signed one.
#[test]
fn xsw_3() {
    let signed = signed_assertion();
    let evil = assertion("B", "mallory", "");
    let evil = signed.replacen("<saml:Assertion", &format!("{evil}<saml:Assertion"), 1);
    refused(&evil, "A", Problem::NotCovered);
}

/// Another assertion is around the signed one.
#[test]
fn xsw_4() {
    let signed = signed_assertion();
    let start = signed.find("<saml:Assertion").unwrap();
    let end = signed.rfind("</samlp:Response>").unwrap();
    refused(
        &response("R", &assertion("B", "mallory", &signed[start..end])),
        "A",
        Problem::NotCovered,
    );
}

/// Another assertion contains the signature, and the signed one follows it.
#[test]
fn xsw_5() {
    let (signature, original) = apart(&signed_assertion());
    let evil = assertion("B", "mallory", &signature);
    refused(
        &original.replacen("<saml:Assertion", &format!("{evil}<saml:Assertion"), 1),
        "A",
        Problem::NotCovered,
    );
}

/// Another assertion contains the signature, and the signed one is inside that.
#[test]
fn xsw_6() {
    let (signature, original) = apart(&signed_assertion());
    let start = original.find("<saml:Assertion").unwrap();
    let end = original.rfind("</samlp:Response>").unwrap();
    let hidden = format!("{}</ds:Signature>", &original[start..end]);
    let hidden = signature.replace("</ds:Signature>", &hidden);
    refused(&response("R", &assertion("B", "mallory", &hidden)), "A", Problem::DigestMismatch);
}

/// Another assertion with the same Id is where schemas allow any element.
#[test]
fn xsw_7() {
    let signed = signed_assertion();
    let evil = format!("<samlp:Extensions>{}</samlp:Extensions>", assertion("A", "mallory", ""));
    let evil = signed.replacen("<saml:Assertion", &format!("{evil}<saml:Assertion"), 1);
    let signature = first(&evil, None);
    assert!(signature.intact != Some(true), "{signature:#?}");
    refused(&evil, "A", Problem::DuplicateId);
    assert!(matches!(
        verified(&evil, Some(Target::Id("A".into()))),
        Err(Error::DuplicateId { .. })
    ));
}

/// The signed assertion is in an object of the signature, inside another assertion with the
/// same Id.
#[test]
fn xsw_8() {
    let (signature, original) = apart(&signed_assertion());
    let start = original.find("<saml:Assertion").unwrap();
    let end = original.rfind("</samlp:Response>").unwrap();
    let hidden = format!("<ds:Object>{}</ds:Object></ds:Signature>", &original[start..end]);
    let hidden = signature.replace("</ds:Signature>", &hidden);
    refused(&response("R", &assertion("A", "mallory", &hidden)), "A", Problem::DuplicateId);
}

/// A signature beside the element that it signs needs no transform that leaves it out. The
/// signed element can then be hidden inside the signature, and the digest still matches.
#[test]
fn the_signed_element_is_hidden_in_an_object() {
    let enveloped =
        "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>";
    let template = template("A").replace(enveloped, "");
    assert!(!template.contains("enveloped"));
    let beside = signed(&response("R", &(assertion("A", "alice", "") + &template)));
    assert!(accepted(&first(&beside, Some(assertions()))));
    let (signature, original) = apart(&beside);
    let start = original.find("<saml:Assertion").unwrap();
    let end = original.rfind("</samlp:Response>").unwrap();
    let hidden = format!("<ds:Object>{}</ds:Object></ds:Signature>", &original[start..end]);
    let hidden = signature.replace("</ds:Signature>", &hidden);
    let evil = response("R", &(assertion("B", "mallory", "") + &hidden));
    let intact = first(&evil, None);
    assert!(intact.intact == Some(true), "{intact:#?}");
    assert_eq!(intact.covers, Coverage::Part);
    refused(&evil, "A", Problem::NotCovered);
}

/// A second, meaningless signature does not make the first one cover more.
#[test]
fn a_left_out_element_must_be_a_signature_of_the_document() {
    let signed = signed_assertion();
    let evil =
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">mallory</ds:Signature>";
    let document = signed.replace("</saml:Subject>", &format!("</saml:Subject>{evil}"));
    let report = verified(&document, Some(assertions())).unwrap();
    assert!(!report.is_valid());
    assert_eq!(report.signatures.len(), 2);
    assert!(report.signatures.iter().any(|s| s.problems.contains(&Problem::SignatureMalformed)));
    assert!(report.signatures.iter().all(|signature| !accepted(signature)), "{report:#?}");
}

/// An attribute that only the document's own DTD declares as an Id is not an Id.
#[test]
fn a_dtd_does_not_decide_what_an_id_is() {
    let signed = signed_assertion();
    let dtd = "<!DOCTYPE x [<!ATTLIST saml:Evil key ID #IMPLIED>]>";
    let evil = format!("<saml:Evil xmlns:saml=\"{ASSERTION}\" key=\"A\">mallory</saml:Evil>");
    let document = format!(
        "{dtd}{}",
        signed.replace("</samlp:Response>", &format!("{evil}</samlp:Response>"))
    );
    let signature = first(&document, Some(assertions()));
    assert!(accepted(&signature), "{signature:#?}");
    // If the caller lets the DTD decide, there are two.
    let ids = xades::c14n::IdAttributes::default().and_dtd();
    let options = VerifyOptions::new().ids(ids).expect(assertions());
    let report = verify(&mut Document::from_bytes(document.as_bytes()), options).unwrap();
    assert!(report.signatures[0].problems.contains(&Problem::DuplicateId));
}

/// A document signed by this project.
fn ours(document: &[u8], packaging: Packaging) -> String {
    let signer = Pki::shared().signer(Key::P256);
    let options = SignatureOptions::new().packaging(packaging);
    let mut source = Document::from_bytes(document);
    let pending = prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut Document::from_bytes(document)), &value, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Inserts content before the last `place` of the document, which must contain it.
fn put_before(document: &str, place: &str, content: &str) -> String {
    let at = document.rfind(place).unwrap();
    [&document[..at], content, &document[at..]].concat()
}

#[track_caller]
fn problems(document: &str, expected: &[Problem]) -> Coverage {
    let signature = first(document, None);
    assert!(signature.intact == Some(true), "{signature:#?}");
    assert_eq!(signature.problems, expected, "{document}");
    signature.covers
}

/// A transform that leaves out the signature leaves out everything that anybody puts into
/// it.
#[test]
fn an_enveloped_signature_contains_nothing_else() {
    let signed = ours(b"<r><a>alice</a></r>", Packaging::Enveloped);
    assert_eq!(problems(&signed, &[]), Coverage::Whole);
    let evil = "<a>mallory</a>";
    let object = format!("<ds:Object>{evil}</ds:Object>");
    let manifest = "<ds:Object><ds:Manifest/></ds:Object>";
    let within = |kind: &str, inner: &str| {
        let name = kind.split(' ').next().unwrap();
        format!(
            "<xades:UnsignedProperties><xades:{kind}>{inner}</xades:{name}>\
             </xades:UnsignedProperties>"
        )
    };
    let properties = |inner: &str| within("UnsignedSignatureProperties", inner);
    let of_data = |inner: &str| within("UnsignedDataObjectProperties", inner);
    let attribute = r#" a="mallory""#;
    for (place, content) in [
        ("</ds:Signature>", object.as_str()),
        ("</ds:Signature>", "<ds:Object> mallory </ds:Object>"),
        ("</ds:Signature>", manifest),
        ("</ds:Signature>", evil),
        ("</ds:Signature>", "mallory"),
        ("<ds:Object>", object.as_str()),
        ("</ds:Object>", evil),
        ("</ds:Object>", "mallory"),
        ("</xades:QualifyingProperties>", evil),
        ("</xades:QualifyingProperties>", "mallory"),
        ("</xades:QualifyingProperties>", &properties(evil)),
        ("</xades:QualifyingProperties>", &properties("mallory")),
        ("</xades:QualifyingProperties>", &of_data(evil)),
        ("</xades:QualifyingProperties>", &of_data("mallory")),
        ("</xades:QualifyingProperties>", &of_data("<xades:Later/>")),
        (
            "</xades:QualifyingProperties>",
            &within(&["UnsignedSignatureProperties", attribute].concat(), ""),
        ),
        (
            "</xades:QualifyingProperties>",
            &within(&["UnsignedDataObjectProperties", attribute].concat(), ""),
        ),
        ("</xades:QualifyingProperties>", r#"<xades:UnsignedProperties a="mallory"/>"#),
    ] {
        let changed = put_before(&signed, place, content);
        // An element in the place of a property is an unknown property, too.
        let mut found = first(&changed, None).problems;
        found.retain(|problem| *problem != Problem::UnknownProperty);
        assert_eq!(found, [Problem::UnsignedContent], "{content}");
    }
    // Content that has no meaning for verifiers is allowed.
    for (place, content) in [
        ("</xades:QualifyingProperties>", properties("<xades:Later/>").as_str()),
        ("</xades:QualifyingProperties>", &of_data("<xades:UnsignedDataObjectProperty/>")),
        ("</xades:QualifyingProperties>", "\n"),
        ("</ds:Object>", " "),
        ("</ds:Signature>", "<ds:Object/>"),
    ] {
        let unknown = content.contains("xades:Later").then_some(Problem::UnknownProperty);
        let changed = put_before(&signed, place, content);
        assert_eq!(problems(&changed, unknown.as_slice()), Coverage::Whole);
    }
}

/// They are neither elements nor text, but an application may read them.
#[test]
fn instructions_comments_and_attributes_in_a_signature_are_not_signed() {
    const ASIDE: [&str; 2] = ["<?pay mallory?>", "<!-- mallory -->"];
    let signed = ours(b"<r><a>alice</a></r>", Packaging::Enveloped);
    let not_signed = [Problem::UnsignedContent];
    for aside in ASIDE {
        for place in [
            "</ds:Signature>",
            "</ds:Object>",
            "</ds:SignatureValue>",
            "</xades:QualifyingProperties>",
        ] {
            let changed = put_before(&signed, place, aside);
            assert_eq!(problems(&changed, &not_signed), Coverage::Whole);
        }
        // The content of these is not checked.
        let changed = put_before(&signed, "</ds:X509Data>", aside);
        assert_eq!(problems(&changed, &[]), Coverage::Whole);
    }
    // An instruction inside signed content breaks the signature.
    let changed = put_before(&signed, "</ds:SignedInfo>", ASIDE[1]);
    assert_eq!(problems(&changed, &not_signed), Coverage::Whole);
    assert!(first(&put_before(&signed, "</ds:SignedInfo>", ASIDE[0]), None).intact != Some(true));
    for tag in ["<ds:Signature ", "<ds:SignatureValue ", "<xades:QualifyingProperties "] {
        let changed = signed.replacen(tag, &format!("{tag}mallory=\"1\" "), 1);
        assert_ne!(changed, signed);
        assert_eq!(problems(&changed, &not_signed), Coverage::Whole);
    }
    let changed = signed.replacen("<ds:Object>", "<ds:Object mallory=\"1\">", 1);
    assert_ne!(changed, signed);
    assert_eq!(problems(&changed, &not_signed), Coverage::Whole);

    // In base64 text they are neither text nor decoded.
    let signed = ours(b"alice", Packaging::EnvelopingBase64);
    let (before, after) = signed.split_once("YWxpY2U=").unwrap();
    let not_signed = [Problem::UnsignedContent, Problem::NotCovered];
    for aside in ASIDE {
        for (one, other) in [(aside, ""), ("", aside)] {
            let changed = [before, one, "YWxpY2U=", other, after].concat();
            assert_eq!(problems(&changed, &not_signed), Coverage::Part);
        }
    }
}

/// A reference reports that its canonical form leaves out comments, if there are any.
#[test]
fn comments_that_are_left_out_are_reported() {
    let signed = ours(b"<r><a>alice</a></r>", Packaging::Enveloped);
    let told = |document: &str| {
        assert_eq!(problems(document, &[]), Coverage::Whole);
        let signature = first(document, None);
        signature.references.iter().map(|r| (r.comments, r.comments_left_out)).collect::<Vec<_>>()
    };
    assert_eq!(told(&signed), [(false, false); 2]);
    for changed in
        [signed.replace("alice", "al<!-- mallory -->ice"), format!("<!-- mallory -->{signed}")]
    {
        assert_eq!(told(&changed), [(false, true), (false, false)]);
    }
    let properties = put_before(&signed, "</xades:SignedProperties>", "<!-- mallory -->");
    assert_eq!(told(&properties), [(false, false), (false, true)]);
    // Comments that are covered are not reported.
    let with = "xml-exc-c14n#WithComments\"/></ds:Transforms>";
    let template = template_with("#xpointer(/)", "");
    let template = template.replace("xml-exc-c14n#\"/></ds:Transforms>", with);
    let signed = self::signed(&format!("<r><!-- alice -->{template}</r>"));
    let signature = first(&signed, None);
    assert!(accepted(&signature), "{signature:#?}");
    let reference = &signature.references[0];
    assert_eq!((reference.comments, reference.comments_left_out), (true, false));
}

/// The object with the properties contains nothing else.
#[test]
fn an_enveloping_signature_signs_all_its_content() {
    let signed = ours(b"<r>alice</r>", Packaging::EnvelopingXml);
    assert_eq!(problems(&signed, &[]), Coverage::Whole);
    let not_signed = [Problem::UnsignedContent, Problem::NotCovered];
    let beside = signed.replacen("<xades:Qualifying", "<r>mallory</r><xades:Qualifying", 1);
    assert_eq!(problems(&beside, &not_signed), Coverage::Part);
    let text = signed.replacen("<xades:Qualifying", "mallory<xades:Qualifying", 1);
    assert_eq!(problems(&text, &not_signed), Coverage::Part);
    let object = put_before(&signed, "</ds:Signature>", "<ds:Object><r>mallory</r></ds:Object>");
    assert_eq!(problems(&object, &not_signed), Coverage::Part);
}

/// Of base64 content only the text is signed.
#[test]
fn elements_around_base64_text_are_not_signed() {
    let signed = ours(b"alice", Packaging::EnvelopingBase64);
    assert_eq!(problems(&signed, &[]), Coverage::Whole);
    let reference = &first(&signed, None).references[0];
    assert!(reference.text_only && reference.left_out.is_empty());
    let (before, after) = signed.split_once("YWxpY2U=").unwrap();
    let not_signed = [Problem::UnsignedContent, Problem::NotCovered];
    for (open, close) in [
        ("<order><amount mallory=\"\">", "</amount></order>"),
        ("", "<mallory/>"),
        ("<ds:Manifest>", "</ds:Manifest>"),
    ] {
        let wrapped = [before, open, "YWxpY2U=", close, after].concat();
        assert_eq!(problems(&wrapped, &not_signed), Coverage::Part);
        assert!(!first(&wrapped, None).references[0].left_out.is_empty());
    }
    let attribute = signed.replace(" Encoding=", " mallory=\"\" Encoding=");
    assert_eq!(problems(&attribute, &not_signed), Coverage::Part);
    // The media type must be that of DataObjectFormat.
    let pdf =
        signed.replace(" MimeType=\"application/octet-stream\"", " MimeType=\"application/pdf\"");
    assert_ne!(pdf, signed);
    assert_eq!(problems(&pdf, &[Problem::DataObjectFormatMismatch]), Coverage::Whole);
    assert_eq!(first(&pdf, None).level, Level::Below);
}

/// A signature over another document does not cover what is around it.
#[test]
fn a_detached_signature_is_alone_or_among_signatures() {
    let signer = Pki::shared().signer(Key::P256);
    let mut documents =
        [DetachedDocument::new("a.txt", "text/plain", Document::from_bytes(b"alice"))];
    let options = SignatureOptions::new();
    let pending = prepare_detached(&mut documents, &signer.chain, &parameters(), &options).unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(None, &value, &mut out).unwrap();
    let signed = String::from_utf8(out).unwrap();
    let verified = |document: &str| {
        let options = VerifyOptions::new().original(Document::from_bytes(b"alice"));
        let mut report = verify(&mut Document::from_bytes(document.as_bytes()), options).unwrap();
        assert!(report.signatures[0].intact == Some(true));
        report.signatures.remove(0)
    };
    let asic = "asic:XAdESSignatures xmlns:asic=\"http://uri.etsi.org/02918/v1.2.1#\"";
    let odf = "document-signatures \
        xmlns=\"urn:oasis:names:tc:opendocument:xmlns:digitalsignature:1.0\"";
    let in_root = |root: &str, beside: &str| {
        let name = root.split(' ').next().unwrap();
        format!("<{root}>\n{beside}{signed}\n</{name}>")
    };
    for whole in [signed.clone(), in_root(asic, ""), in_root(odf, "<!-- 1 -->")] {
        let signature = verified(&whole);
        assert_eq!((signature.problems.as_slice(), signature.covers), (&[][..], Coverage::Whole));
    }
    for part in [
        in_root("order", "<amount>mallory</amount>"),
        in_root("order", ""),
        in_root(asic, "<amount>mallory</amount>"),
        in_root(asic, "mallory"),
        in_root("XAdESSignatures", ""),
    ] {
        let signature = verified(&part);
        assert_eq!(signature.covers, Coverage::Part, "{part}");
        assert_eq!(signature.problems, [Problem::NotCovered]);
    }
}

/// An element that is left out by name and Id is not left out under another name, or with
/// another Id attribute.
#[test]
fn elements_that_are_left_out_have_both_name_and_id() {
    let filter2 = "http://www.w3.org/2002/06/xmldsig-filter2";
    let filter2 = format!(
        "<ds:Transform Algorithm=\"{filter2}\"><f:XPath xmlns:f=\"{filter2}\" xmlns:p=\"urn:p\" \
         Filter=\"subtract\">//p:notes[@Id='x']</f:XPath></ds:Transform>"
    );
    let xpath = "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\">\
        <ds:XPath xmlns:p=\"urn:p\">not(ancestor-or-self::p:notes[@Id='x'])</ds:XPath>\
        </ds:Transform>";
    for transform in [filter2.as_str(), xpath] {
        let notes = "<p:notes Id=\"x\">n</p:notes>";
        let template = template_with("", transform);
        let signed = signed(&format!("<r xmlns:p=\"urn:p\">{notes}<a>1</a>{template}</r>"));
        assert!(first(&signed, None).intact == Some(true));
        // All of them, with any content.
        for other in [
            "",
            "<p:notes Id=\"x\">other</p:notes>",
            "<p:notes Id=\"x\">n</p:notes><p:notes Id=\"x\"/>",
        ] {
            let changed = signed.replace(notes, other);
            assert!(xmlsec1_accepts(&changed), "{changed}");
            assert!(first(&changed, None).intact == Some(true), "{changed}");
        }
        for other in [
            "<p:amount Id=\"x\">mallory</p:amount>",
            "<notes Id=\"x\">mallory</notes>",
            "<p:notes xml:id=\"x\">mallory</p:notes>",
            "<p:notes ID=\"x\">mallory</p:notes>",
            "<p:notes id=\"x\">mallory</p:notes>",
            "<p:notes p:Id=\"x\">mallory</p:notes>",
            "<p:notes Id=\"x \">mallory</p:notes>",
        ] {
            let changed = signed.replace(notes, other);
            assert!(!xmlsec1_accepts(&changed), "{changed}");
            let signature = first(&changed, None);
            assert!(signature.problems.contains(&Problem::DigestMismatch), "{signature:#?}");
        }
    }
}

fn xmlsec1_accepts(document: &str) -> bool {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("signed.xml");
    std::fs::write(&file, document).unwrap();
    xmlsec1::holds(&file, dir.path(), &[]).is_ok()
}
