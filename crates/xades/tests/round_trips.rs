//! Signatures that are made and verify, with Rust alone. What other programs
//! say of them is in `tests/tests` of the repository.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use ades_core::{Certificate, CertificateChain, Document, PendingState, SignatureParameters};
use chrono::DateTime;
use test_key::TestKey;
use xades::report::{Report, SignatureReport};
use xades::{Error, Packaging, PendingSignature, SignatureOptions, VerifyOptions};

const DOCUMENT: &str = "<?xml version='1.0' encoding='UTF-8'?>\r\n<!-- an order -->\r\n\
    <order xmlns='urn:order'  number = \"1\">\r\n  <item Id='a'>ten &lt; é</item>\
    <item Id='b'><![CDATA[ & ]]></item>\r\n</order>\r\n<?end?>\r\n";

fn key() -> TestKey {
    TestKey::new("Signer of orders")
}

fn certificate(key: &TestKey) -> Certificate {
    Certificate::from_der(key.certificate()).unwrap()
}

fn chain(key: &TestKey) -> CertificateChain {
    CertificateChain::from_leaf(certificate(key), []).unwrap()
}

/// 2026-09-21T14:13:20Z
fn parameters() -> SignatureParameters {
    SignatureParameters::new(DateTime::from_timestamp(1_790_000_000, 0).unwrap())
        .mime_type("application/xml")
}

fn prepare(document: &[u8], packaging: Packaging) -> Result<PendingSignature, Error> {
    let options = SignatureOptions::new().packaging(packaging);
    let mut document = Document::from_bytes(document);
    xades::prepare(&mut document, &chain(&key()), &parameters(), &options)
}

fn complete(pending: &PendingSignature, document: &[u8], key: &TestKey) -> Result<Vec<u8>, Error> {
    let pending = PendingSignature::from_json(&pending.to_json(None)?, None)?;
    let value = key.sign_digest(pending.to_be_signed().digest().0.value());
    let mut signed = Vec::new();
    pending.complete(Some(&mut Document::from_bytes(document)), &value, &mut signed)?;
    Ok(signed)
}

fn sign(document: &[u8], packaging: Packaging) -> Vec<u8> {
    complete(&prepare(document, packaging).unwrap(), document, &key()).unwrap()
}

fn verify(signed: &[u8]) -> Report {
    let trust = [certificate(&key())];
    let options = VerifyOptions::new().trust(&trust);
    xades::verify(&mut Document::from_bytes(signed), options).unwrap()
}

#[track_caller]
fn assert_sound(signature: &SignatureReport) {
    assert!(signature.intact, "{signature:?}");
    assert_eq!(signature.format, "XAdES");
    assert_eq!(signature.trusted, Some(true), "{signature:?}");
}

#[test]
fn an_enveloped_signature_is_inserted_into_octets_that_stay() {
    let signed = sign(DOCUMENT.as_bytes(), Packaging::Enveloped);
    let report = verify(&signed);
    let [signature] = report.signatures.as_slice() else { panic!("{report:?}") };
    assert_sound(signature);
    assert!(report.is_valid(), "{report:?}");
    let at = |offset: u64| usize::try_from(offset).unwrap();
    let (from, to) = (at(signature.place.from), at(signature.place.to));
    assert_eq!([&signed[..from], &signed[to..]].concat(), DOCUMENT.as_bytes());
}

#[test]
fn every_encoding_is_signed_in_its_octets() {
    let text = "<r a='é'>\r\n <b/><!-- c -->\r\n</r>";
    let utf16 = |octets: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(octets).collect()
    };
    let latin = "<?xml version='1.0' encoding='ISO-8859-1'?>".chars().chain(text.chars());
    for document in [
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        latin.map(|c| c as u8).collect(),
        [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
    ] {
        assert_sound(&verify(&sign(&document, Packaging::Enveloped)).signatures[0]);
    }
}

#[test]
fn enveloping_and_internally_detached_signatures_verify() {
    let documents: [(&[u8], Packaging); 3] = [
        (DOCUMENT.as_bytes(), Packaging::EnvelopingXml),
        (b"\0 not XML", Packaging::EnvelopingBase64),
        (DOCUMENT.as_bytes(), Packaging::InternallyDetached(vec!["a".to_owned(), "b".to_owned()])),
    ];
    for (document, packaging) in documents {
        let report = verify(&sign(document, packaging.clone()));
        let [signature] = report.signatures.as_slice() else { panic!("{report:?}") };
        assert_sound(signature);
        // The signed properties are a reference of their own.
        let expected = if matches!(packaging, Packaging::InternallyDetached(_)) { 3 } else { 2 };
        assert_eq!(signature.references.len(), expected, "{packaging:?}");
    }
}

#[test]
fn a_second_signature_leaves_the_first_intact() {
    let elements = Packaging::InternallyDetached(vec!["a".to_owned(), "b".to_owned()]);
    let once = sign(DOCUMENT.as_bytes(), elements.clone());
    let report = verify(&sign(&once, elements));
    assert_eq!(report.signatures.len(), 2);
    report.signatures.iter().for_each(assert_sound);
}

#[test]
fn a_second_signature_that_breaks_the_first_is_refused() {
    let once = sign(DOCUMENT.as_bytes(), Packaging::Enveloped);
    let second = prepare(&once, Packaging::Enveloped);
    assert!(matches!(second, Err(Error::BreaksExistingSignature)), "{second:?}");
}

#[test]
fn every_changed_character_of_the_root_element_is_noticed() {
    let signed = sign(DOCUMENT.as_bytes(), Packaging::Enveloped);
    let place = &verify(&signed).signatures[0].place;
    let root = DOCUMENT.find("<order").unwrap();
    for at in root..usize::try_from(place.from).unwrap() {
        // White space inside of tags is not signed.
        if signed[at].is_ascii_whitespace() {
            continue;
        }
        let mut changed = signed.clone();
        changed[at] ^= 0x01;
        let report = xades::verify(&mut Document::from_bytes(&changed), VerifyOptions::new());
        // Either quotation mark is the same in the canonical form.
        let quotes = b"'\"".contains(&signed[at]) && b"'\"".contains(&changed[at]);
        let valid = report.is_ok_and(|report| report.is_valid());
        assert!(!valid || quotes, "octet {at}: {:?}", char::from(signed[at]));
    }
}

#[test]
fn another_value_or_document_completes_nothing() {
    let pending = prepare(DOCUMENT.as_bytes(), Packaging::Enveloped).unwrap();
    let other = complete(&pending, DOCUMENT.as_bytes(), &TestKey::new("Somebody else"));
    assert!(other.is_err(), "the value of another key");
    let changed = DOCUMENT.replace("ten", "two");
    assert!(complete(&pending, changed.as_bytes(), &key()).is_err(), "another document");
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for document in ["", "text", "<r>", "<r></s>", "<r a='1' a='2'/>", "<p:r/>", "<r>&e;</r>"] {
        assert!(prepare(document.as_bytes(), Packaging::Enveloped).is_err(), "{document:?}");
    }
}
