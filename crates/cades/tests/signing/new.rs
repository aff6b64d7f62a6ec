//! New containers.

use std::io::Cursor;

use ades_core::{CommitmentType, Digest, DigestAlgorithm, Document, DocumentDigest, Error};
use cades::embedded::{self, EmbeddedCms};
use cades::report::Level;
use cades::{Check, Packaging, SignatureOptions};
use chrono::DateTime;

use crate::signer::{Signer, parameters, verify};

const CONTENT: &[u8] = b"signed content";

fn enveloping() -> SignatureOptions {
    SignatureOptions::new().packaging(Packaging::Enveloping)
}

#[test]
fn new_containers_are_der_and_valid() {
    let signer = Signer::new(1);
    for packaging in [Packaging::Detached, Packaging::Enveloping] {
        let report = verify(&signer.container(CONTENT, packaging), Some(CONTENT));
        assert!(report.is_valid(), "{report:?}");
        assert_eq!(report.signatures[0].level, Level::B);
        assert_eq!(report.first_not_der, None);
        assert_eq!(report.content_length.is_some(), packaging == Packaging::Enveloping);
    }
}

#[test]
fn a_container_written_while_preparing_equals_one_written_later() {
    let signer = Signer::new(2);
    let mut file = Vec::new();
    let mut document = Document::from_bytes(CONTENT);
    let options = enveloping();
    let pending =
        cades::prepare_copying(&mut document, &signer.chain, &parameters(), &options, &mut file)
            .unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut file = Cursor::new(file);
    pending.complete_in_place(&mut file, &value, Check::Whole).unwrap();
    assert_eq!(file.into_inner(), signer.container(CONTENT, Packaging::Enveloping));
}

#[test]
fn a_detached_container_cannot_be_written_while_preparing() {
    let signer = Signer::new(3);
    let mut out = Vec::new();
    let refused = cades::prepare_copying(
        &mut Document::from_bytes(CONTENT),
        &signer.chain,
        &parameters(),
        &SignatureOptions::new(),
        &mut out,
    );
    assert!(matches!(refused, Err(cades::Error::Core(Error::Parameter { .. }))), "{refused:?}");
    assert!(out.is_empty());
}

#[test]
fn check_refuses_the_parameters_that_prepare_refuses() {
    let signer = Signer::new(4);
    let mut document = Document::from_bytes(CONTENT);
    let options = SignatureOptions::new();
    let year_10000 = DateTime::from_timestamp(253_402_300_800, 0).unwrap();
    for refused in [
        parameters().commitment(CommitmentType::ORIGIN).commitment(CommitmentType::APPROVAL),
        parameters().signer_role(""),
        parameters().mime_type("no media type"),
        ades_core::SignatureParameters::new(year_10000),
    ] {
        let checked = cades::check(&mut document, &refused, &options);
        assert!(checked.is_err(), "{refused:?}");
        let prepared = cades::prepare(&mut document, &signer.chain, &refused, &options);
        assert!(prepared.is_err(), "{refused:?}");
    }
    let checked = cades::check(&mut document, &parameters(), &options).unwrap();
    assert_eq!(checked.warnings(), []);
}

/// A stream can be read once, and that once belongs to `prepare`.
#[test]
fn check_does_not_read_the_document() {
    let signer = Signer::new(5);
    let mut document = Document::stream(CONTENT);
    let options = SignatureOptions::new();
    cades::check(&mut document, &parameters(), &options).unwrap();
    let pending = cades::prepare(&mut document, &signer.chain, &parameters(), &options).unwrap();
    let digest = Digest::of(DigestAlgorithm::Sha256, CONTENT);
    assert_eq!(pending.document_digest(), Some(&DocumentDigest(digest)));
}

#[test]
fn embedded_cms_is_as_long_as_announced_over_any_digest() {
    let signer = Signer::new(6);
    let parameters = parameters().signer_role("role");
    for content in [CONTENT, b"", b"other"] {
        let cms = EmbeddedCms::prepare(&signer.chain, &parameters).unwrap();
        let max_len = cms.max_len();
        let digest = Digest::of(DigestAlgorithm::Sha256, content);
        let pending = cms.over(DocumentDigest(digest)).unwrap();
        let value = signer.sign(&pending.to_be_signed());
        let container = embedded::complete(&pending, &value).unwrap();
        // It lacks the signing time of a container of its own.
        let alone = pending.complete(None, &value, &mut Vec::new());
        let damaged = matches!(alone, Err(cades::Error::Core(Error::StateDamaged { .. })));
        assert!(damaged, "{alone:?}");
        // DER leaves out leading zeros of r and s.
        assert!((max_len - 8..=max_len).contains(&container.len()), "{}", container.len());
        let report = verify(&container, Some(content));
        assert!(report.signatures[0].intact == Some(true), "{report:?}");
        assert_eq!(report.first_not_der, None);
    }
    let cms = EmbeddedCms::prepare(&signer.chain, &parameters).unwrap();
    let refused = cms.over(DocumentDigest(Digest::of(DigestAlgorithm::Sha512, CONTENT)));
    assert!(matches!(refused, Err(cades::Error::Core(Error::Parameter { .. }))), "{refused:?}");
}
