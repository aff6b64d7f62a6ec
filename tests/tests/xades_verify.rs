//! Verifying XAdES: signatures of this project, the problems of altered ones, and what
//! they cover.

use ades_core::{
    CommitmentType, DigestAlgorithm, Document, SignatureParameters, SignaturePolicy, SignerLocation,
};
use ades_tests::invoice::Invoice;
use ades_tests::oracle::xmlsec1;
use ades_tests::pki::{Key, Pki, TestSigner};
use ades_tests::signing::{algorithms, leads_to, parameters};
use proptest::prelude::*;
use std::io::{self, Read, Seek, SeekFrom};
use xades::c14n::Target;
use xades::report::{Coverage, Level, Place, Problem, ReferenceKind, Report, SignatureReport};
use xades::{Error, Packaging, SignatureOptions, VerifyOptions, verify};

fn sign_as(document: &[u8], signer: &TestSigner, parameters: &SignatureParameters) -> String {
    let mut source = Document::from_bytes(document);
    let pending =
        xades::prepare(&mut source, &signer.chain, parameters, &SignatureOptions::new()).unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut Document::from_bytes(document)), &value, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn sign(document: &str) -> String {
    sign_as(document.as_bytes(), Pki::shared().signer(Key::P256), &parameters())
}

fn verified(document: &str) -> Report {
    verify(&mut Document::from_bytes(document.as_bytes()), VerifyOptions::default()).unwrap()
}

fn only(document: &str) -> SignatureReport {
    let mut report = verified(document);
    assert_eq!(report.signatures.len(), 1);
    report.signatures.remove(0)
}

fn expecting(document: &str, expected: Target) -> Result<Report, Error> {
    let options = VerifyOptions::new().expect(expected);
    verify(&mut Document::from_bytes(document.as_bytes()), options)
}

fn octets(document: &str, place: Place) -> &str {
    &document[place.from as usize..place.to as usize]
}

/// `document` with the first `old` replaced. It must contain `old`.
fn with(document: &str, old: &str, new: &str) -> String {
    assert!(document.contains(old), "{old}");
    document.replacen(old, new, 1)
}

/// The first element of this name, tags included.
fn element<'d>(document: &'d str, name: &str) -> &'d str {
    let start = document.find(&format!("<{name}")).unwrap();
    let close = format!("</{name}>");
    let end = document[start..].find(&close).unwrap() + start + close.len();
    &document[start..end]
}

#[test]
fn every_supported_algorithm_verifies() {
    for key in Key::ALL {
        let signer = Pki::shared().signer(key);
        for algorithm in algorithms(signer) {
            let signed = sign_as(b"<r><a/>text</r>", signer, &parameters().algorithm(algorithm));
            let root = [signer.chain.certificates().last().unwrap().clone()];
            let report = verified(&signed);
            assert!(report.is_valid(), "{algorithm}: {report:#?}");
            let signature = &report.signatures[0];
            assert_eq!(signature.signature_algorithm, algorithm.to_string());
            assert_eq!((signature.format, signature.level), ("XAdES", Level::B));
            assert_eq!(signature.covers, Coverage::Whole);
            assert!(leads_to(&signature.facts, &root));
        }
    }
}

#[test]
fn the_report_has_all_signed_properties() {
    let id = "1.2.3.4".parse().unwrap();
    let policy = SignaturePolicy::of_document(id, DigestAlgorithm::Sha256, b"p")
        .uri("https://example.org/policy?a&b")
        .user_notice("Lisez <ceci> é");
    let location =
        SignerLocation::default().country("BE").locality("Liège").postal_address(["Rue 1"]);
    let said = parameters()
        .policy(policy.clone())
        .location(location.clone())
        .signer_role("Directrice générale")
        .commitment(CommitmentType::APPROVAL)
        .commitment(CommitmentType("1.2.3".parse().unwrap()))
        .description("A \"test\"")
        .mime_type("text/xml");
    let signer = Pki::shared().signer(Key::Rsa2048);
    let signed = sign_as("<r>é</r>".as_bytes(), signer, &said);
    let report = verified(&signed);
    assert!(report.is_valid(), "{report:#?}");
    assert_eq!((report.root.element.as_str(), report.length), ("r", signed.len() as u64));
    let signature = &report.signatures[0];
    assert_eq!(signature.claimed_time, Some(said.signing_time().time()));
    let reported = signature.policy.as_ref().unwrap();
    assert_eq!(reported.id.as_deref(), Some("urn:oid:1.2.3.4"));
    assert_eq!((&reported.digest, &reported.uri), (&policy.digest, &policy.uri));
    assert_eq!(reported.user_notice, policy.user_notice);
    assert_eq!(signature.location.as_ref(), Some(&location));
    assert_eq!(signature.signer_roles, ["Directrice générale"]);
    assert_eq!(
        signature.commitments,
        ["http://uri.etsi.org/01903/v1.2.2#ProofOfApproval", "urn:oid:1.2.3"]
    );
    assert_eq!(signature.signer.as_deref(), signer.leaf().common_name());
    assert!(octets(&signed, signature.place).starts_with("<ds:Signature "));
    let [document, properties] = signature.references.as_slice() else { panic!("two references") };
    assert_eq!((document.kind, document.uri.as_deref()), (ReferenceKind::Data, Some("")));
    assert_eq!(document.mime_type.as_deref(), Some("text/xml"));
    assert_eq!(document.description.as_deref(), Some("A \"test\""));
    let place = document.covers[0].place;
    assert_eq!((place.from, place.to), (0, report.length));
    assert_eq!(document.left_out, [signature.place]);
    assert_eq!(properties.kind, ReferenceKind::SignedProperties);
    let place = properties.covers[0].place;
    assert_eq!(octets(&signed, place), element(&signed, "xades:SignedProperties"));
    // The JSON form, which scripts read.
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["signatures"][0]["covers"], "whole");
    assert_eq!(json["signatures"][0]["level"], "B-B");
    assert_eq!(json["signatures"][0]["problems"], serde_json::json!([]));
}

#[test]
fn a_document_without_signatures_has_none() {
    let report = verified("<r/>");
    assert!(report.signatures.is_empty() && !report.is_valid());
    let broken = verify(&mut Document::from_bytes(b"<r>"), VerifyOptions::default());
    assert!(matches!(broken, Err(Error::NotWellFormed { .. })));
    // Verifying reads the document twice.
    let signed = sign("<r/>");
    let once = verify(&mut Document::stream(signed.as_bytes()), VerifyOptions::default());
    assert!(matches!(once, Err(Error::Core(ades_core::Error::SourceConsumed))), "{once:?}");
}

#[test]
fn every_alteration_has_its_problem() {
    use Problem::*;

    let signed = sign("<r a='1'>text<!-- comment --></r>");
    let properties = element(&signed, "xades:QualifyingProperties").to_owned();
    let time = element(&signed, "xades:SigningTime").to_owned();
    let certificate = element(&signed, "xades:SigningCertificateV2").to_owned();
    let format = element(&signed, "xades:DataObjectFormat").to_owned();
    let leaf = element(&signed, "ds:X509Certificate").to_owned();
    let key_info = element(&signed, "ds:KeyInfo").to_owned();
    let value = element(&signed, "ds:SignatureValue").to_owned();
    let other = Pki::shared().signer(Key::P384).leaf();
    let other = format!(
        "<ds:X509Certificate>{}</ds:X509Certificate>",
        ades_core::base64::encode(other.der())
    );
    let id =
        signed.split("<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" Id=\"").nth(1);
    let id = id.unwrap().split('"').next().unwrap().to_owned();
    let cases: Vec<(String, Vec<Problem>, Vec<Problem>)> = vec![
        (with(&signed, "text", "Text"), vec![DigestMismatch], vec![SignatureInvalid]),
        (with(&signed, "a='1'", "a='2'"), vec![DigestMismatch], vec![SignatureInvalid]),
        (with(&signed, "T14:13:20Z", "T14:13:21Z"), vec![DigestMismatch], vec![SignatureInvalid]),
        (
            with(&signed, "xmldsig#enveloped-signature", "xmldsig#base64"),
            vec![SignatureInvalid],
            vec![],
        ),
        (
            with(
                &signed,
                "<ds:SignatureValue Id=",
                "<ds:SignatureValue>AAAA</ds:SignatureValue><ds:SignatureValue Id=",
            ),
            vec![SignatureMalformed],
            vec![],
        ),
        (
            with(&signed, &value, &value.replace("value\">", "value\">AAAA")),
            vec![SignatureInvalid],
            vec![DigestMismatch],
        ),
        (
            with(&signed, &properties, ""),
            vec![QualifyingPropertiesMissing, ReferenceMissing],
            vec![SignatureInvalid],
        ),
        (
            with(&signed, &properties, &properties.repeat(2)),
            vec![QualifyingPropertiesRepeated, DuplicateId],
            vec![SignatureInvalid],
        ),
        (
            with(&signed, &format!("Target=\"#{id}\""), "Target=\"#other\""),
            vec![QualifyingPropertiesTarget],
            vec![SignatureInvalid, DigestMismatch],
        ),
        (with(&signed, &time, ""), vec![SigningTimeMissing, DigestMismatch], vec![]),
        (
            with(&signed, &time, &time.replace("2026", "soon")),
            vec![PropertyMalformed, SigningTimeMissing],
            vec![],
        ),
        (with(&signed, &time, &time.repeat(2)), vec![PropertyRepeated, DigestMismatch], vec![]),
        (with(&signed, &certificate, ""), vec![SigningCertificateMissing, DigestMismatch], vec![]),
        (
            with(&signed, &certificate, &certificate.replace("CertificateV2", "Certificate")),
            vec![LegacyProperty],
            vec![],
        ),
        (with(&signed, &format, ""), vec![DataObjectFormatMissing, DigestMismatch], vec![]),
        (
            with(&signed, &format, &format.replace("-document", "-nothing")),
            vec![DataObjectFormatTarget, DataObjectFormatMissing],
            vec![],
        ),
        (with(&signed, &leaf, &other), vec![SigningCertificateMismatch, SignatureInvalid], vec![]),
        (with(&signed, &key_info, ""), vec![SignerCertificateMissing], vec![SignatureInvalid]),
        (
            signed.replace("01903/v1.3.2#", "01903/v1.2.2#"),
            vec![UnknownVersion, DigestMismatch],
            vec![],
        ),
        (with(&signed, "xmlenc#sha256", "xmlenc#sha1"), vec![UnsupportedAlgorithm], vec![]),
        (with(&signed, "ecdsa-sha256", "rsa-sha256"), vec![SignatureInvalid], vec![]),
        (with(&signed, "ecdsa-sha256", "hmac-sha256"), vec![UnsupportedAlgorithm], vec![]),
        (with(&signed, "xml-exc-c14n#\"", "xml-unknown\""), vec![UnsupportedAlgorithm], vec![]),
        (
            with(&signed, "URI=\"\"", "URI=\"elsewhere.xml\""),
            vec![TransformFailed, SignatureInvalid],
            vec![],
        ),
        (with(&signed, "URI=\"\"", "URI=\"#xpointer(//x)\""), vec![TransformUnsupported], vec![]),
        (with(&signed, "URI=\"\"", "URI=\"#missing\""), vec![ReferenceMissing], vec![]),
        (with(&signed, "<r ", &format!("<r Id='{id}-properties' ")), vec![DuplicateId], vec![]),
        (
            signed.replace("http://uri.etsi.org/01903#SignedProperties", "urn:other"),
            vec![SignedPropertiesNotReferenced],
            vec![],
        ),
    ];
    for (altered, expected, not) in cases {
        let report = verified(&altered);
        let signature = &report.signatures[0];
        let text = format!("{expected:?}: {signature:#?}");
        assert!(!report.is_valid(), "{text}");
        assert!(expected.iter().all(|problem| signature.problems.contains(problem)), "{text}");
        assert!(!not.iter().any(|problem| signature.problems.contains(problem)), "{text}");
    }
    // Comments are not covered by a URI without a pointer.
    assert!(verified(&with(&signed, " comment ", " other ")).is_valid());
    // Nor is what follows the signed properties.
    let unsigned = "</xades:SignedProperties><xades:UnsignedProperties>\
                    <xades:UnsignedSignatureProperties><xades:SignatureTimeStamp/>\
                    </xades:UnsignedSignatureProperties></xades:UnsignedProperties>";
    let report = verified(&with(&signed, "</xades:SignedProperties>", unsigned));
    // A level needs a time-stamp that reads and whose imprint fits.
    assert_eq!(report.signatures[0].level, Level::B);
    assert_eq!(report.signatures[0].unsigned_properties, ["SignatureTimeStamp"]);
}

/// The qualifying properties count only if they are the element that is signed.
#[test]
fn signed_properties_must_be_the_signed_element() {
    let signed = sign("<r>text</r>");
    let properties = element(&signed, "xades:SignedProperties").to_owned();
    let other = properties.replace("2026-", "2020-");
    let id = properties.split("Id=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    // The real ones are elsewhere, and the reference finds them there.
    let moved = |fake: &str| {
        let moved = with(&signed, &properties, fake);
        with(
            &moved,
            "<ds:Object>",
            &format!(
                "<ds:Object>{}</ds:Object><ds:Object>",
                with(
                    &properties,
                    "<xades:SignedProperties",
                    "<xades:SignedProperties xmlns:xades=\"http://uri.etsi.org/01903/v1.3.2#\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\""
                )
            ),
        )
    };
    let renamed = only(&moved(&other.replace(&id, "fake")));
    assert!(renamed.intact == Some(true), "{renamed:#?}");
    assert!(renamed.problems.contains(&Problem::SignedPropertiesNotReferenced), "{renamed:#?}");
    assert_eq!(renamed.level, Level::Below);
    let same = only(&moved(&other));
    assert!(same.problems.contains(&Problem::DuplicateId), "{same:#?}");
    assert!(same.intact != Some(true));
}

#[test]
fn references_to_other_documents_are_never_fetched() {
    let signer = Pki::shared().signer(Key::Rsa2048);
    let dir = tempfile::TempDir::new().unwrap();
    let files = signer.write_pem_files(dir.path());
    let (data, xml) = (b"some octets\0\xFF".as_slice(), b"<x  a='1'><!-- c --></x>".as_slice());
    std::fs::write(dir.path().join("some data.bin"), data).unwrap();
    std::fs::write(dir.path().join("other.xml"), xml).unwrap();
    let base = dir.path().display();
    let digest =
        "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue/>";
    let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
    let template = format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\
         <ds:CanonicalizationMethod Algorithm=\"{exclusive}\"/>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>\
         <ds:Reference URI=\"{base}/some%20data.bin\">{digest}</ds:Reference>\
         <ds:Reference URI=\"{base}/other.xml\"><ds:Transforms>\
         <ds:Transform Algorithm=\"{exclusive}WithComments\"/></ds:Transforms>{digest}</ds:Reference>\
         </ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo>\
         </ds:Signature>"
    );
    let path = dir.path().join("template.xml");
    std::fs::write(&path, template).unwrap();
    let signed = xmlsec1::sign(&path, &files.key, &files.leaf, &[]).unwrap();
    let report_of = |named: &[(Option<&str>, &[u8])]| {
        let mut options = VerifyOptions::new();
        for (uri, octets) in named {
            let document = Document::from_bytes(octets);
            options = match uri {
                Some(uri) => options.original_named(*uri, document),
                None => options.original(document),
            };
        }
        verify(&mut Document::from_bytes(&signed), options).unwrap().signatures.remove(0)
    };
    let both = report_of(&[(Some("other.xml"), xml), (Some("some data.bin"), data)]);
    assert!(both.intact == Some(true), "{both:#?}");
    assert_eq!(
        (both.covers, both.problems.as_slice()),
        (Coverage::Whole, [Problem::QualifyingPropertiesMissing].as_slice())
    );
    // An original without a name matches nothing if there are two references.
    let unnamed = report_of(&[(None, data), (Some("other.xml"), xml)]);
    assert_eq!(unnamed.references[0].problem, Some(Problem::ContentMissing));
    let none = report_of(&[]);
    assert!(none.intact != Some(true) && none.problems.contains(&Problem::ContentMissing));
    assert_eq!(none.covers, Coverage::Unknown);
    let one = report_of(&[(Some("other.xml"), xml)]);
    assert_eq!(one.references.iter().map(|r| r.intact).collect::<Vec<_>>(), [None, Some(true)]);
    let changed =
        report_of(&[(Some("other.xml"), b"<x a='2'/>"), (Some("some data.bin"), b"some octets")]);
    assert!(changed.problems.contains(&Problem::DigestMismatch), "{changed:#?}");
    let broken = report_of(&[(Some("other.xml"), b"<x"), (Some("some data.bin"), data)]);
    assert_eq!(broken.references[1].problem, Some(Problem::TransformFailed));
}

/// EN 319 132-1, 5.2.2: baseline signatures should not have IssuerSerialV2, but those of
/// other programs do.
#[test]
fn issuer_and_serial_number_name_the_same_certificate() {
    let der = |tag: u8, parts: &[&[u8]]| {
        let content = parts.concat();
        let len = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82, len[0], len[1]], content.as_slice()].concat()
    };
    let signer = Pki::shared().signer(Key::P256);
    let (issuer, number) = (signer.leaf().issuer(), signer.leaf().serial_number());
    let named =
        |issuer: &[u8], number: &[u8]| der(0x30, &[&der(0x30, &[&der(0xA4, &[issuer])]), number]);
    let signed = sign("<r/>");
    let problems = |issuer_serial: &[u8]| {
        let text = ades_core::base64::encode(issuer_serial);
        let element = format!("<xades:IssuerSerialV2>{text}</xades:IssuerSerialV2>");
        only(&with(&signed, "</xades:Cert>", &format!("{element}</xades:Cert>"))).problems
    };
    let mismatch = Problem::IssuerSerialMismatch;
    let right = named(issuer, number);
    assert!(!problems(&right).contains(&mismatch));
    assert!(problems(&named(issuer, &[2, 1, 1])).contains(&mismatch));
    assert!(problems(&named(signer.leaf().subject(), number)).contains(&mismatch));
    let dns = der(0x30, &[&der(0x30, &[&der(0x82, &[issuer])]), number]);
    assert!(problems(&dns).contains(&mismatch));
    for cut in [0, 1, 3, 10, right.len() - 1] {
        assert!(problems(&right[..cut]).contains(&mismatch), "{cut}");
    }
    let no_base64 = "<xades:IssuerSerialV2>!</xades:IssuerSerialV2></xades:Cert>";
    let malformed = only(&with(&signed, "</xades:Cert>", no_base64)).problems;
    assert!(malformed.contains(&Problem::PropertyMalformed), "{malformed:?}");
}

/// It has no place of its own in the octets.
#[test]
fn a_signature_in_an_entity_is_malformed() {
    let signed = sign("<r/>");
    let signature = element(&signed, "ds:Signature").replace('"', "&#34;").replace('\'', "&#39;");
    let hidden = format!("<!DOCTYPE r [<!ENTITY e '{signature}'>]><r>&e;</r>");
    let report = verified(&hidden);
    assert!(
        report.signatures.iter().all(|signature| signature.intact != Some(true)),
        "{report:#?}"
    );
    assert_eq!(report.signatures.len(), 1);
}

#[test]
fn expected_elements_must_exist_and_be_covered() {
    let signed = sign("<r><a Id='x'>1</a><b>2</b><b>3</b></r>");
    let named =
        |name: &str| Target::Named { namespace: String::new(), local_name: name.into(), nth: None };
    for expected in [Target::Id("x".into()), named("b"), named("r")] {
        assert!(expecting(&signed, expected).unwrap().is_valid());
    }
    let missing = expecting(&signed, Target::Id("y".into()));
    assert!(matches!(missing, Err(Error::NoSuchElement { .. })));
    let twice = expecting(&signed.replace("<b>2", "<b Id='x'>2"), Target::Id("x".into()));
    assert!(matches!(twice, Err(Error::DuplicateId { .. })));
}

#[test]
fn elements_that_are_signed_separately() {
    let document = "<r><a Id='x'>1</a><b Id='y'>2</b><c Id='z'>3</c></r>";
    let packaging = Packaging::InternallyDetached(vec!["x".into(), "y".into()]);
    let options = SignatureOptions::new().packaging(packaging);
    let signer = Pki::shared().signer(Key::P256);
    let mut source = Document::from_bytes(document.as_bytes());
    let pending = xades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut source), &value, &mut out).unwrap();
    let signed = String::from_utf8(out).unwrap();
    let report_of = |ids: &[&str]| {
        let expect =
            |options: VerifyOptions<'static>, id: &&str| options.expect(Target::Id((*id).into()));
        let options = ids.iter().fold(VerifyOptions::new(), expect);
        verify(&mut Document::from_bytes(signed.as_bytes()), options).unwrap()
    };
    for expected in [&["x", "y"], ["x"].as_slice(), &["y"]] {
        assert!(report_of(expected).is_valid(), "{expected:?}");
        assert_eq!(report_of(expected).signatures[0].covers, Coverage::Part);
    }
    for expected in [[].as_slice(), &["z"], &["x", "z"], &["x", "y", "z"]] {
        assert_eq!(
            report_of(expected).signatures[0].problems,
            [Problem::NotCovered],
            "{expected:?}"
        );
    }
}

/// Returns at most this many octets at a time.
struct Pieces<'d> {
    source: io::Cursor<&'d [u8]>,
    len: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(self.len);
        self.source.read(&mut buffer[..len])
    }
}

impl Seek for Pieces<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source.seek(to)
    }
}

/// Counts the octets that are read.
struct Counting<'d> {
    source: io::Cursor<Vec<u8>>,
    read: &'d std::sync::atomic::AtomicU64,
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.read.fetch_add(read as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Counting<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source.seek(to)
    }
}

#[test]
fn a_document_is_read_twice_for_any_number_of_references() {
    for length in [10_000, 1_000_000] {
        let document = Invoice::in_memory(length);
        let signed = sign_as(&document, Pki::shared().signer(Key::P256), &parameters());
        let read = std::sync::atomic::AtomicU64::new(0);
        let all = signed.len() as u64;
        let source = io::Cursor::new(signed.into_bytes());
        let mut document = Document::seekable(Counting { source, read: &read });
        assert!(verify(&mut document, VerifyOptions::default()).unwrap().is_valid());
        drop(document);
        assert_eq!(read.into_inner(), 2 * all);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The report does not depend on how the octets are split.
    #[test]
    fn the_report_does_not_depend_on_the_pieces(len in 1usize..200, text in "[a-zé€ \r\n]{0,40}") {
        let signed = sign(&format!("<r>{text}<e b='é'/></r>"));
        let pieces = Pieces { source: io::Cursor::new(signed.as_bytes()), len };
        let report = verify(&mut Document::seekable(pieces), VerifyOptions::default()).unwrap();
        prop_assert!(report.is_valid());
        let whole = serde_json::to_value(verified(&signed)).unwrap();
        prop_assert_eq!(serde_json::to_value(report).unwrap(), whole);
    }

    /// Damaged documents never cause a panic, and damage to signed content is always
    /// found.
    #[test]
    fn damage_is_found(at in any::<prop::sample::Index>(), octet in any::<u8>(), cut in 0usize..3) {
        let signed = sign("<r xmlns='urn:r' a='1'>text</r>");
        let mut damaged = signed.clone().into_bytes();
        let at = at.index(damaged.len());
        let end = (at + cut).min(damaged.len());
        damaged.splice(at..end, [octet]);
        let report = verify(&mut Document::from_bytes(&damaged), VerifyOptions::default());
        let start = signed.find("<ds:Signature").unwrap();
        if let Ok(report) = report && report.is_valid() && at < start {
            // Other white space in a tag, other quotation marks: the same content.
            let before = String::from_utf8_lossy(&damaged[..start.min(damaged.len())]).into_owned();
            prop_assert!(before.contains("text") && before.contains("urn:r"), "{before}");
        }
    }
}
