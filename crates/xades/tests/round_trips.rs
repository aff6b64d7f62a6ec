//! Signing and verifying with Rust alone. The tests with other programs are in
//! `tests/tests` of the repository.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::io::Cursor;

use ades_core::{
    Certificate, CertificateChain, Digest, DigestAlgorithm, Document, PendingState,
    SignatureParameters,
};
use chrono::DateTime;
use test_key::TestKey;
use xades::c14n::Target;
use xades::report::{Report, SignatureReport};
use xades::{Check, Error, Packaging, PendingSignature, Position, SignatureOptions, VerifyOptions};

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
    xades::verify(&mut Document::from_bytes(signed), VerifyOptions::new()).unwrap()
}

#[track_caller]
fn assert_sound(signature: &SignatureReport) {
    assert!(signature.intact == Some(true), "{signature:?}");
    assert_eq!(signature.format, "XAdES");
    assert_eq!(signature.facts.certificate, Some(certificate(&key())));
}

#[test]
fn an_enveloped_signature_changes_no_other_octets() {
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
fn documents_in_every_encoding_are_signed() {
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
        // The signed properties have a reference of their own.
        let expected = if matches!(packaging, Packaging::InternallyDetached(_)) { 3 } else { 2 };
        assert_eq!(signature.references.len(), expected, "{packaging:?}");
    }
}

/// What `verify` reports with the usual options, and with those for what was completed.
fn both_reports(pending: &PendingSignature, signed: &[u8]) -> [String; 2] {
    [VerifyOptions::new(), VerifyOptions::for_completed(pending)].map(
        |options| match xades::verify(&mut Document::from_bytes(signed), options) {
            Ok(report) => serde_json::to_string(&report).unwrap(),
            Err(error) => error.to_string(),
        },
    )
}

#[test]
fn a_signature_that_is_known_before_has_the_same_report() {
    let document = DOCUMENT.as_bytes();
    let elements = Packaging::InternallyDetached(vec!["a".to_owned(), "b".to_owned()]);
    let utf16: Vec<u8> = DOCUMENT
        .replace("UTF-8", "UTF-16")
        .encode_utf16()
        .collect::<Vec<_>>()
        .into_iter()
        .flat_map(u16::to_be_bytes)
        .collect();
    let utf16 = [b"\xFE\xFF", utf16.as_slice()].concat();
    for (document, packaging) in [
        (document, Packaging::Enveloped),
        (b"\xEF\xBB\xBF<empty xml:id='a'/>", Packaging::Enveloped),
        (&utf16, Packaging::Enveloped),
        (document, elements.clone()),
        (document, Packaging::EnvelopingXml),
        (document, Packaging::EnvelopingBase64),
        (&sign(document, elements.clone()), elements),
    ] {
        let pending = prepare(document, packaging.clone()).unwrap();
        let signed = complete(&pending, document, &key()).unwrap();
        let [usual, known] = both_reports(&pending, &signed);
        assert!(usual == known && usual.contains("\"intact\":true"), "{packaging:?}");
        // Each octet changed, another signature, and the signature in another place.
        let changed = (0..signed.len()).step_by(41).map(|at| {
            let mut changed = signed.clone();
            changed[at] ^= 0x01;
            changed
        });
        let other = [sign(&signed, Packaging::EnvelopingBase64), b" ".to_vec()];
        let moved = String::from_utf8_lossy(&signed).replacen("<item ", "<item  ", 1);
        for other in changed.chain(other).chain([moved.into_bytes()]) {
            let [usual, known] = both_reports(&pending, &other);
            assert_eq!(usual, known, "{packaging:?}");
        }
    }
}

#[test]
fn a_copy_is_completed_in_place() {
    let sign = |document: &[u8], check, change: &dyn Fn(&mut Vec<u8>)| {
        let (options, chain) = (SignatureOptions::new(), chain(&key()));
        let mut copy = Cursor::new(Vec::new());
        let source = &mut Document::from_bytes(document);
        let pending =
            xades::prepare_copying(source, &chain, &parameters(), &options, &mut copy).unwrap();
        assert_eq!(copy.get_ref(), document);
        let pending = PendingSignature::from_json(&pending.to_json(None).unwrap(), None).unwrap();
        let value = key().sign_digest(pending.to_be_signed().digest().0.value());
        let mut whole = Vec::new();
        pending.complete(Some(source), &value, &mut whole).unwrap();
        change(copy.get_mut());
        let before = copy.get_ref().clone();
        match pending.complete_in_place(&mut copy, &value, check) {
            Ok(()) => {
                assert_eq!(copy.into_inner(), whole);
                true
            }
            Err(error) => {
                assert!(matches!(error, Error::DocumentChanged), "{error:?}");
                assert_eq!(copy.into_inner(), before);
                false
            }
        }
    };
    let long = format!("<a>{}<b/></a>", "text".repeat(2000));
    for document in [DOCUMENT, "<empty/>", &long] {
        for check in [Check::Whole, Check::LengthAndTail] {
            assert!(sign(document.as_bytes(), check, &|_| {}));
            assert!(!sign(document.as_bytes(), check, &|copy| copy.push(b' ')));
            assert!(!sign(document.as_bytes(), check, &|copy| copy.truncate(copy.len() - 1)));
        }
    }
    let early = |copy: &mut Vec<u8>| copy[10] = b'T';
    assert!(!sign(long.as_bytes(), Check::Whole, &early));
}

#[test]
fn a_copy_has_its_signature_at_the_end() {
    let mut out = Vec::new();
    let mut prepare = |options: &SignatureOptions| {
        let mut document = Document::from_bytes(DOCUMENT.as_bytes());
        xades::prepare_copying(&mut document, &chain(&key()), &parameters(), options, &mut out)
    };
    let first = Position::FirstIn(Target::Id("a".to_owned()));
    for options in [
        SignatureOptions::new().position(first),
        SignatureOptions::new().packaging(Packaging::EnvelopingXml),
    ] {
        let error = prepare(&options).unwrap_err();
        assert!(error.to_string().contains("at the end"), "{error}");
    }
    assert!(out.is_empty());
}

/// Version 3 did not copy.
#[test]
fn states_of_version_3_are_read() {
    let pending = prepare(DOCUMENT.as_bytes(), Packaging::Enveloped).unwrap();
    let json = pending.to_json(None).unwrap();
    let (_, state) = json.split_once("\"state\":").unwrap();
    let (state, _) = state.split_once(",\"checksum\"").unwrap();
    let protected = format!("ades pending state\nxades\n3\n{state}");
    let checksum = Digest::of(DigestAlgorithm::Sha256, protected.as_bytes()).to_hex();
    let older = format!(
        "{{\"format\":\"xades\",\"version\":3,\"state\":{state},\"checksum\":\"{checksum}\"}}"
    );
    assert!(PendingSignature::from_json(&older, None).unwrap() == pending);
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
fn a_change_of_any_character_of_the_root_element_is_found() {
    let signed = sign(DOCUMENT.as_bytes(), Packaging::Enveloped);
    let place = &verify(&signed).signatures[0].place;
    let root = DOCUMENT.find("<order").unwrap();
    for at in root..usize::try_from(place.from).unwrap() {
        // White space inside tags is not signed.
        if signed[at].is_ascii_whitespace() {
            continue;
        }
        let mut changed = signed.clone();
        changed[at] ^= 0x01;
        let report = xades::verify(&mut Document::from_bytes(&changed), VerifyOptions::new());
        // Both quotation marks have the same canonical form.
        let quotes = b"'\"".contains(&signed[at]) && b"'\"".contains(&changed[at]);
        let valid = report.is_ok_and(|report| report.is_valid());
        assert!(!valid || quotes, "octet {at}: {:?}", char::from(signed[at]));
    }
}

#[test]
fn another_value_or_document_is_refused() {
    let pending = prepare(DOCUMENT.as_bytes(), Packaging::Enveloped).unwrap();
    let other = complete(&pending, DOCUMENT.as_bytes(), &TestKey::new("Somebody else"));
    assert!(other.is_err(), "the value of another key");
    let changed = DOCUMENT.replace("ten", "two");
    assert!(complete(&pending, changed.as_bytes(), &key()).is_err(), "another document");
}

#[test]
fn documents_that_are_not_well_formed_are_refused() {
    for document in ["", "text", "<r>", "<r></s>", "<r a='1' a='2'/>", "<p:r/>", "<r>&e;</r>"] {
        assert!(prepare(document.as_bytes(), Packaging::Enveloped).is_err(), "{document:?}");
    }
}
