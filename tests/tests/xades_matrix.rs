//! XAdES signatures of this project before all judges: documents × packagings ×
//! canonical forms × algorithms. EU DSS reports each as XAdES baseline B with all
//! references found and intact. Each is valid by the schemas of XML Signature and XAdES.
//! xmlsec1 and signxml verify it, or a comment says why they cannot.

use ades_core::{
    CommitmentType, DigestAlgorithm, Document, SignatureAlgorithm, SignatureParameters,
    SignaturePolicy,
};
use ades_tests::corpora;
use ades_tests::invoice::Invoice;
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::xades::{Asked, Court, Verdict};
use ades_tests::pki::{Key, Pki, TestSigner};
use ades_tests::signing::{algorithms, complete_xades, parameters};
use ades_tests::xml;
use xades::c14n::{Canonicalization, Target};
use xades::{
    DetachedDocument, DetachedReferences, Error, Packaging, Position, ProductionPlace,
    SignatureOptions, prepare_countersignature, prepare_detached,
};

fn sign_with(
    document: &[u8],
    signer: &TestSigner,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<Vec<u8>, Error> {
    let mut source = Document::from_bytes(document);
    let pending = xades::prepare(&mut source, &signer.chain, parameters, options)?;
    complete_xades(&pending, Some(document), signer)
}

fn sign(document: &[u8], options: &SignatureOptions) -> Vec<u8> {
    sign_with(document, Pki::shared().signer(Key::P256), &parameters(), options).unwrap()
}

/// Each key with each algorithm that it supports.
fn pairs() -> Vec<(Key, SignatureAlgorithm)> {
    let of = |key| algorithms(Pki::shared().signer(key)).into_iter().map(move |a| (key, a));
    Key::ALL.into_iter().flat_map(of).collect()
}

fn methods() -> [Canonicalization; 6] {
    let three =
        [Canonicalization::EXCLUSIVE, Canonicalization::C14N_1_0, Canonicalization::C14N_1_1];
    let [a, b, c] = three.clone();
    let [d, e, f] = three.map(Canonicalization::with_comments);
    [a, b, c, d, e, f]
}

/// The packagings of a document. `elements` are its Ids, if it has any.
fn forms(elements: &[&str]) -> Vec<(&'static str, SignatureOptions)> {
    let new = SignatureOptions::new;
    let mut forms = vec![
        ("enveloped", new()),
        ("parallel", new().parallel()),
        ("enveloping XML", new().packaging(Packaging::EnvelopingXml)),
        ("enveloping base64", new().packaging(Packaging::EnvelopingBase64)),
    ];
    if !elements.is_empty() {
        let ids = elements.iter().map(|id| (*id).to_owned()).collect();
        let options = new().packaging(Packaging::InternallyDetached(ids));
        forms.push(("internally detached", options));
    }
    forms
}

#[track_caller]
fn accepted(verdict: &Verdict, what: &str, signed: &[u8]) {
    let text = String::from_utf8_lossy(&signed[..signed.len().min(6000)]);
    assert!(verdict.all_accept(), "{what}: {verdict:#?}\n{text}");
}

/// A document whose canonical forms all differ, with Ids that xmlsec1 can be configured
/// to find.
const DOCUMENT: &str = "<?xml version=\"1.0\"?>\n\
    <r xmlns:p=\"urn:p\" xmlns:unused=\"urn:u\" xml:lang=\"nl\" xml:base=\"http://h/a/\" a=\"1\">\n  \
    <e Id=\"one\" p:b=\"é\" xml:base=\"b/\">un<!-- c --> &amp; <![CDATA[<deux>]]></e>\r\n  \
    <e Id=\"two\"><f xmlns=\"urn:f\"/></e>\n</r>\n";

#[test]
fn every_form_canonicalisation_and_algorithm() {
    let court = Court::new();
    let mut turn = 0;
    for (form, options) in forms(&["two", "one"]) {
        for method in methods() {
            for algorithm in SignatureAlgorithm::ALL {
                let keys: Vec<_> = pairs().into_iter().filter(|(_, a)| *a == algorithm).collect();
                turn += 1;
                let signer = Pki::shared().signer(keys[turn % keys.len()].0);
                // With XPath and C14N 1.0, Santuario inherits `xml:base` wrongly
                // (docs/c14n.md, row 11).
                let mut document = DOCUMENT.to_owned();
                if form == "parallel" && method.uri().contains("/TR/2001/") {
                    document = document.replace(" xml:base=\"b/\"", "");
                }
                let signed = sign_with(
                    document.as_bytes(),
                    signer,
                    &parameters().algorithm(algorithm),
                    &options.clone().canonicalization(method.clone()),
                )
                .unwrap();
                let asked = askable(form, &method, DOCUMENT.as_bytes()).of(algorithm);
                let verdict = court.judge(&signed, 1, asked);
                accepted(&verdict, &format!("{form} {} {algorithm}", method.uri()), &signed);
            }
        }
    }
}

/// A policy as Facturae, DIAN, TicketBAI and Costa Rica name theirs: by its URL.
fn by_url(document: &str) -> SignaturePolicy {
    let id = "https://example.org/policies/policy-v2.pdf?a=1&b=2".parse().unwrap();
    SignaturePolicy::of_document(id, DigestAlgorithm::Sha512, document.as_bytes())
}

/// EN 319 132-1, 5.1.2: an identifier that is a URI has no qualifier.
#[test]
fn a_policy_is_named_by_its_url() {
    let court = Court::new();
    let parameters = parameters().policy(by_url("the policy"));
    let signer = Pki::shared().signer(Key::P256);
    let signed =
        sign_with(DOCUMENT.as_bytes(), signer, &parameters, &SignatureOptions::new()).unwrap();
    let text = String::from_utf8_lossy(&signed);
    let id = "https://example.org/policies/policy-v2.pdf?a=1&#x26;b=2";
    assert!(text.contains(&format!("<xades:Identifier>{id}</xades:Identifier>")), "{text}");
    accepted(&court.judge(&signed, 1, Asked::default()), "by URL", &signed);
    let report =
        xades::verify(&mut Document::from_bytes(&signed), xades::VerifyOptions::new()).unwrap();
    let policy = report.signatures[0].policy.clone().unwrap();
    let expected = by_url("the policy");
    assert_eq!(policy.id, Some(expected.id.to_string()));
    assert_eq!(policy.digest, expected.digest);
    let path = court.write("signed.xml", &signed);
    let found = &Dss::shared().validate(&path, None, court.root())[0];
    assert_eq!(found["policy"], expected.id.to_string());
    assert_eq!(found["policy_hash"], expected.digest.unwrap().to_hex());
}

/// Properties of signatures in addition to time and certificate.
fn properties() -> Vec<(&'static str, SignatureParameters, Option<ProductionPlace>)> {
    let id = "1.2.3.4".parse().unwrap();
    let policy = SignaturePolicy::of_document(id, DigestAlgorithm::Sha256, b"p")
        .uri("https://example.org/policy?a&b")
        .user_notice("Lisez <ceci> é");
    let place = ProductionPlace {
        city: Some("Liège".into()),
        street_address: Some("Rue <1>".into()),
        state_or_province: Some("Wallonie".into()),
        postal_code: Some("4000".into()),
        country: Some("BE".into()),
    };
    let much = parameters()
        .signer_role("Directrice générale")
        .signer_role("second & last")
        .commitment(CommitmentType::APPROVAL)
        .commitment(CommitmentType("1.2.3".parse().unwrap()))
        .description("A \"test\" é")
        .mime_type("text/xml");
    vec![
        ("plain", parameters(), None),
        ("EPES", parameters().policy(policy.clone()), None),
        ("much", much.clone(), Some(place.clone())),
        ("all", much.policy(policy), Some(place)),
        ("EPES by URL", parameters().policy(by_url("p")), None),
    ]
}

#[test]
fn every_property_in_every_form() {
    let court = Court::new();
    for (at, (form, options)) in forms(&["two", "one"]).into_iter().enumerate() {
        for (what, parameters, place) in properties() {
            let options = match place {
                Some(place) => options.clone().production_place(place),
                None => options.clone(),
            };
            let signer = Pki::shared().signer([Key::P256, Key::Rsa2048][at % 2]);
            let signed = sign_with(DOCUMENT.as_bytes(), signer, &parameters, &options).unwrap();
            let has = |name: &str| String::from_utf8_lossy(&signed).contains(name);
            let policy = ["SPURI", "SPUserNotice"].map(|name| has(&format!("<xades:{name}>")));
            assert_eq!(policy, [matches!(what, "EPES" | "all"); 2]);
            let more = ["SignerRoleV2", "SignatureProductionPlaceV2", "CommitmentTypeIndication"];
            let more = more.map(|name| has(&format!("<xades:{name}>")));
            assert_eq!(more, [matches!(what, "much" | "all"); 3]);
            let asked = askable(form, &Canonicalization::EXCLUSIVE, DOCUMENT.as_bytes());
            accepted(&court.judge(&signed, 1, asked), &format!("{form} {what}"), &signed);
        }
    }
}

/// The judges that can verify a signature of this form. signxml cannot: it ignores XPath,
/// digests comments that references to the same document leave out (XML Signature,
/// clause 4.4.3.3), and loses inherited attributes (docs/c14n.md).
fn askable(form: &str, method: &Canonicalization, document: &[u8]) -> Asked {
    let comments = form != "enveloping base64"
        && method.uri().ends_with("WithComments")
        && document.windows(4).any(|window| window == b"<!--");
    let inherits = form == "internally detached" && !method.uri().contains("xml-exc-c14n");
    Asked { signxml: form != "parallel" && !comments && !inherits, ..Asked::default() }
}

/// Also in every canonical form. Keys and algorithms alternate, so that nearly every
/// combination occurs.
#[test]
fn every_document_of_the_corpus_in_every_form() {
    let (court, mut pairs) = (Court::new(), pairs().into_iter().cycle());
    for file in corpora::files("xml").unwrap_or_default() {
        let (name, document) = (file.name, file.read());
        let elements: &[_] =
            if name.ends_with("sample-c14n.xml") { &["dss1", "dss2"] } else { &[] };
        for (form, options) in forms(elements) {
            for method in methods() {
                let pair = pairs.next().unwrap();
                sign_and_judge(&court, (name, &document), (form, &options), method, pair);
            }
        }
    }
}

/// Canonical forms alternate, too.
#[test]
fn every_kind_of_document_in_every_form() {
    let (court, mut pairs) = (Court::new(), pairs().into_iter().cycle());
    let mut methods = methods().into_iter().cycle();
    for document in xml::documents().into_iter().filter(|document| document.dss_reads) {
        for (form, options) in forms(document.ids) {
            for method in methods.by_ref().take(2) {
                let pair = pairs.next().unwrap();
                let document = (document.name, document.octets.as_slice());
                sign_and_judge(&court, document, (form, &options), method, pair);
            }
        }
    }
}

fn sign_and_judge(
    court: &Court,
    (name, document): (&str, &[u8]),
    (form, options): (&str, &SignatureOptions),
    method: Canonicalization,
    (key, algorithm): (Key, SignatureAlgorithm),
) {
    let what = format!("{name} {form} {} {key:?} {algorithm}", method.uri());
    let mut asked = askable(form, &method, document).of(algorithm);
    // signxml does not digest instructions outside of the root element as others do.
    asked.signxml &= name != "instructions";
    // xmlsec1 looks for the files that an enveloped manifest names.
    asked.xmlsec1 &= !(form == "enveloping XML" && name.contains("manifest"));
    let signer = Pki::shared().signer(key);
    let parameters = parameters().algorithm(algorithm);
    let options = options.clone().canonicalization(method);
    let signed = sign_with(document, signer, &parameters, &options).expect(&what);
    accepted(&court.judge(&signed, 1, asked), &what, &signed);
}

/// Documents from practice, with the signature at its usual position.
#[test]
fn invoices_assertions_messages_and_drawings() {
    const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
    let issuer =
        Target::Named { namespace: SAML.into(), local_name: "Issuer".into(), nth: Some(0) };
    let ubl = Target::Named {
        namespace: "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2"
            .into(),
        local_name: "ExtensionContent".into(),
        nth: Some(0),
    };
    let header = Target::Named {
        namespace: "http://schemas.xmlsoap.org/soap/envelope/".into(),
        local_name: "Header".into(),
        nth: Some(0),
    };
    let court = Court::new();
    let long = Invoice::in_memory(10_000_000);
    let at = |position| SignatureOptions::new().position(position);
    for (name, document, options) in [
        ("UBL", UBL.as_bytes(), at(Position::LastIn(ubl))),
        ("SAML", ASSERTION.as_bytes(), at(Position::After(issuer))),
        ("SOAP", SOAP.as_bytes(), at(Position::LastIn(header))),
        ("SVG", SVG.as_bytes(), SignatureOptions::new()),
        ("10 MB", &long, SignatureOptions::new()),
    ] {
        let signed = sign(document, &options);
        accepted(&court.judge(&signed, 1, Asked::default()), name, &signed);
    }
}

#[test]
fn detached_documents_by_name_and_in_manifests() {
    let mut court = Court::new();
    let files = [("a.bin", b"\0\xFF\x01".as_slice()), ("b.xml", b"<x/>")];
    for (name, octets) in &files {
        court.add_content(name, octets);
    }
    let signer = Pki::shared().signer(Key::P256);
    for references in [DetachedReferences::SignedInfo, DetachedReferences::Manifest] {
        for number in [1, 2] {
            let document = |(name, octets)| {
                let document = Document::from_bytes(octets);
                DetachedDocument::new(name, "application/octet-stream", document)
            };
            let mut documents: Vec<_> = files.into_iter().take(number).map(document).collect();
            let options = SignatureOptions::new().detached_references(references);
            let pending = prepare_detached(&mut documents, &signer.chain, &parameters(), &options);
            let signed = complete_xades(&pending.unwrap(), None, signer).unwrap();
            let verdict = court.judge(&signed, 1, Asked::default());
            accepted(&verdict, &format!("{number} {references:?}"), &signed);

            // A changed document. signxml and xmlsec1 do not verify manifests.
            let changed = court.write("a.bin", b"\0\xFF\x02");
            let asked = references == DetachedReferences::SignedInfo;
            let verdict = court.judge(&signed, 1, Asked { xmlsec1: asked, signxml: asked });
            assert!(verdict.all_refuse(), "{number} {references:?}: {verdict:#?}");
            std::fs::write(changed, b"\0\xFF\x01").unwrap();
        }
    }
}

#[test]
fn parallel_signatures_and_countersignatures() {
    let court = Court::new();
    let once = sign(DOCUMENT.as_bytes(), &SignatureOptions::new().parallel());
    let twice = sign(&once, &SignatureOptions::new());
    let asked = Asked { signxml: false, ..Asked::default() };
    accepted(&court.judge(&twice, 2, asked), "parallel", &twice);
    let mut countersigned = twice;
    let turns = [Key::Rsa2048, Key::P521, Key::P384].into_iter().zip(3..);
    for ((key, count), which) in turns.zip([&[0][..], &[0, 0], &[1]]) {
        let signer = Pki::shared().signer(key);
        let mut source = Document::from_bytes(&countersigned);
        let pending = prepare_countersignature(
            &mut source,
            which,
            &signer.chain,
            &parameters(),
            &SignatureOptions::new(),
        );
        let signed = complete_xades(&pending.unwrap(), Some(&countersigned), signer).unwrap();
        drop(source);
        countersigned = signed;
        let verdict = court.judge(&countersigned, count, asked);
        accepted(&verdict, &format!("{which:?}"), &countersigned);
    }
}

/// Checks that each judge can refuse: one octet is changed in the data, in the properties,
/// in a digest, and in the value.
#[test]
fn one_octet_changed_is_refused_by_every_judge() {
    let court = Court::new();
    for (form, options) in forms(&["two", "one"]) {
        let signed = sign(DOCUMENT.as_bytes(), &options);
        let asked = askable(form, &Canonicalization::EXCLUSIVE, DOCUMENT.as_bytes());
        accepted(&court.judge(&signed, 1, asked), form, &signed);
        let text = String::from_utf8(signed.clone()).unwrap();
        let content = if form == "enveloping base64" { "PD94" } else { "deux" };
        for (what, after) in [
            ("content", content),
            ("properties", "<xades:SigningTime>2026-09-21T14:13:2"),
            ("digest", "<ds:DigestValue>"),
            ("value", "<ds:SignatureValue"),
        ] {
            let mut at = text.find(after).unwrap_or_else(|| panic!("{form} {after}"));
            at += if what == "value" { text[at..].find('>').unwrap() + 1 } else { after.len() };
            at -= usize::from(what == "content");
            let mut changed = signed.clone();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let verdict = court.judge(&changed, 1, asked);
            assert!(verdict.all_refuse(), "{form} {what}: {verdict:#?}");
        }
    }
}

const UBL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
    xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
    xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
    xmlns:ext="urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2">
  <ext:UBLExtensions><ext:UBLExtension><ext:ExtensionContent/></ext:UBLExtension></ext:UBLExtensions>
  <cbc:UBLVersionID>2.1</cbc:UBLVersionID>
  <cbc:ID>2026-001</cbc:ID>
  <!-- a comment -->
  <cac:LegalMonetaryTotal>
    <cbc:PayableAmount currencyID="EUR">121.00</cbc:PayableAmount>
  </cac:LegalMonetaryTotal>
</Invoice>
"#;
const ASSERTION: &str = r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" Version="2.0" IssueInstant="2026-09-21T14:13:20Z"><saml:Issuer>https://idp.example.org</saml:Issuer><saml:Subject><saml:NameID>someone</saml:NameID></saml:Subject></saml:Assertion>"#;
const SOAP: &str = r#"<?xml version='1.0'?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
  <soap:Header/>
  <soap:Body><m:Order xmlns:m="urn:orders" xml:lang="nl"><m:Item n="2">fiets</m:Item></m:Order></soap:Body>
</soap:Envelope>
"#;
const SVG: &str = r##"<?xml version="1.0" standalone="no"?>
<!-- drawn by hand -->
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">
  <style><![CDATA[rect { fill: red }]]></style>
  <defs><rect id="r" width="3" height="3"/></defs><use xlink:href="#r"/>
</svg>
"##;
