//! Containers that are made and verify, with Rust alone. What other programs
//! say of them is in `tests/tests` of the repository.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use ades_core::{
    Certificate, CertificateChain, CommitmentType, Document, PendingState, SignatureParameters,
};
use cades::report::Report;
use cades::{Container, Error, Packaging, PendingSignature, SignatureOptions, VerifyOptions};
use chrono::DateTime;
use test_key::TestKey;

const CONTENT: &[u8] = b"A contract.\r\n\0";

fn key() -> TestKey {
    TestKey::new("Signer of files")
}

fn certificate(key: &TestKey) -> Certificate {
    Certificate::from_der(key.certificate()).unwrap()
}

fn chain(key: &TestKey) -> CertificateChain {
    CertificateChain::from_leaf(certificate(key), []).unwrap()
}

/// 2026-09-21T14:13:20Z
fn parameters() -> SignatureParameters {
    let time = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    SignatureParameters::new(time).commitment(CommitmentType::APPROVAL).signer_role("Director")
}

fn prepare(packaging: Packaging) -> PendingSignature {
    let mut document = Document::from_bytes(CONTENT);
    let options = SignatureOptions::new().packaging(packaging);
    cades::prepare(&mut document, &chain(&key()), &parameters(), &options).unwrap()
}

fn complete(pending: &PendingSignature, document: &[u8], key: &TestKey) -> Result<Vec<u8>, Error> {
    let pending = PendingSignature::from_json(&pending.to_json(None)?, None)?;
    let value = key.sign_digest(pending.to_be_signed().digest().0.value());
    let mut container = Vec::new();
    pending.complete(Some(&mut Document::from_bytes(document)), &value, &mut container)?;
    Ok(container)
}

fn sign(packaging: Packaging) -> Vec<u8> {
    complete(&prepare(packaging), CONTENT, &key()).unwrap()
}

fn verify(container: &[u8], original: Option<&[u8]>) -> Report {
    let mut source = Document::from_bytes(container);
    let options = VerifyOptions::new();
    match original.map(Document::from_bytes) {
        Some(mut original) => cades::verify(&mut source, options.original(&mut original)),
        None => cades::verify(&mut source, options),
    }
    .unwrap()
}

#[test]
fn a_detached_signature_verifies_with_its_original_only() {
    let container = sign(Packaging::Detached);
    let report = verify(&container, Some(CONTENT));
    assert!(report.is_valid(), "{report:?}");
    let [signature] = report.signatures.as_slice() else { panic!("{report:?}") };
    assert_eq!(signature.facts.certificate, Some(certificate(&key())));
    assert_eq!(signature.signer.as_deref(), Some("Signer of files"));
    assert_eq!(signature.commitment, Some(CommitmentType::APPROVAL));
    assert_eq!(signature.signer_roles, ["Director"]);
    assert!(verify(&container, Some(b"Another contract.")).signatures[0].intact != Some(true));
    assert!(verify(&container, None).signatures[0].intact != Some(true));
}

#[test]
fn an_enveloping_signature_has_its_content() {
    let container = sign(Packaging::Enveloping);
    let report = verify(&container, None);
    assert!(report.is_valid(), "{report:?}");
    assert_eq!(report.content_length, Some(CONTENT.len() as u64));
    assert_eq!(report.first_not_der, None);
    let mut source = Document::from_bytes(&container);
    let mut content = Vec::new();
    let read = Container::read(&mut source).unwrap();
    let taken = read.read_content(&mut source, &mut |piece| {
        content.extend_from_slice(piece);
        Ok(())
    });
    assert!(taken.is_ok());
    assert_eq!(content, CONTENT);
}

#[test]
fn another_value_or_document_completes_nothing() {
    let pending = prepare(Packaging::Enveloping);
    let other = complete(&pending, CONTENT, &TestKey::new("Somebody else"));
    assert!(other.is_err(), "the value of another key: {other:02X?}");
    let changed = complete(&pending, b"A contract!\r\n\0", &key());
    assert!(changed.is_err(), "another document: {changed:02X?}");
}

#[test]
fn every_changed_octet_of_content_certificate_and_signer_is_noticed() {
    let container = sign(Packaging::Enveloping);
    let certificate = key().certificate().to_vec();
    let start = |part: &[u8]| container.windows(part.len()).position(|w| w == part).unwrap();
    let content = start(CONTENT);
    let certificate = start(&certificate)..start(&certificate) + certificate.len();
    // SignerInfo follows, in a set. Nothing signs its version (RFC 5652, 5.4).
    assert_eq!(container[certificate.end], 0x31);
    let version = certificate.end + 10;
    assert_eq!(container[version - 2..=version], [0x02, 0x01, 0x01]);
    let noticed = (content..content + CONTENT.len()).chain(certificate.start..container.len());
    for at in noticed.filter(|at| *at != version) {
        let mut changed = container.clone();
        changed[at] ^= 0x01;
        let mut source = Document::from_bytes(&changed);
        let Ok(report) = cades::verify(&mut source, VerifyOptions::new()) else { continue };
        assert!(!report.is_valid(), "octet {at} of {}: {report:?}", container.len());
    }
}
