//! Signing and verifying PDFs, with Rust alone: the documents and the key are
//! made here. What other programs say of signed documents is in `tests/tests`
//! of the repository.
// Helpers of tests are not in test functions, which is where clippy.toml allows these.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod builder;
mod refused;
mod round_trips;

use ades_core::{Certificate, CertificateChain, Document, PendingState, SignatureParameters};
use chrono::DateTime;
use pades::report::Report;
use pades::{Error, PendingSignature, SignatureOptions, VerifyOptions};
use test_key::TestKey;

fn key() -> TestKey {
    TestKey::new("Signer of PDFs")
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
}

fn prepare(pdf: &[u8], options: &SignatureOptions) -> Result<PendingSignature, Error> {
    pades::prepare(&mut Document::from_bytes(pdf), &chain(&key()), &parameters(), options)
}

fn value(pending: &PendingSignature) -> Vec<u8> {
    key().sign_digest(pending.to_be_signed().digest().0.value())
}

/// Completes a signature from its stored state, as another process does.
fn complete(pending: &PendingSignature, pdf: &[u8], value: &[u8]) -> Result<Vec<u8>, Error> {
    let pending = PendingSignature::from_json(&pending.to_json(None)?, None)?;
    let mut signed = Vec::new();
    let done = pending.complete(Some(&mut Document::from_bytes(pdf)), value, &mut signed);
    assert!(done.is_ok() || signed.is_empty() || signed == pdf, "a failure writes no signature");
    done.map(|()| signed)
}

fn sign(pdf: &[u8], options: &SignatureOptions) -> Result<Vec<u8>, Error> {
    let pending = prepare(pdf, options)?;
    let signed = complete(&pending, pdf, &value(&pending))?;
    assert_eq!(signed.len() as u64, pending.signed_len());
    assert!(signed.starts_with(pdf), "the octets of the document do not change");
    Ok(signed)
}

fn verify(pdf: &[u8]) -> Report {
    pades::verify(&mut Document::from_bytes(pdf), VerifyOptions::new()).unwrap()
}
