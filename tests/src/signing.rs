//! Both halves of a signature in one call, for tests of the result.

use ades_core::facts::SignatureFacts;
use ades_core::{
    Certificate, DigestAlgorithm, Document, PendingState, SignatureAlgorithm, SignatureParameters,
};
use ades_evidence::path::{IssuerPool, Outcome, PathBuilder, Request};
use cades::{Packaging, PendingSignature, SignatureOptions};
use chrono::DateTime;

use crate::pki::TestSigner;

/// Parameters with a signing time at which the test PKI is valid:
/// 2026-09-21T14:13:20Z.
#[must_use]
pub fn parameters() -> SignatureParameters {
    SignatureParameters::new(DateTime::from_timestamp(1_790_000_000, 0).unwrap())
}

/// Prepares, stores, restores, signs and completes a CAdES signature.
pub fn sign(
    document: &[u8],
    packaging: Packaging,
    signer: &TestSigner,
    parameters: &SignatureParameters,
) -> Result<Vec<u8>, cades::Error> {
    let mut source = Document::from_bytes(document);
    let options = SignatureOptions::new().packaging(packaging);
    let pending = cades::prepare(&mut source, &signer.chain, parameters, &options)?;
    finish(&pending, signer, Some(document))
}

/// Stores, restores, signs and completes a prepared CAdES signature.
pub fn finish(
    pending: &PendingSignature,
    signer: &TestSigner,
    document: Option<&[u8]>,
) -> Result<Vec<u8>, cades::Error> {
    let pending = PendingSignature::from_json(&pending.to_json(None)?, None)?;
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    let mut document = document.map(Document::from_bytes);
    pending.complete(document.as_mut(), &value, &mut out)?;
    Ok(out)
}

/// The algorithms that a test signer's key can sign with.
#[must_use]
pub fn algorithms(signer: &TestSigner) -> Vec<SignatureAlgorithm> {
    use ades_core::RemoteSigner;

    signer.remote().capabilities().algorithms
}

/// Stores, restores, signs and completes a prepared XAdES signature.
pub fn complete_xades(
    pending: &xades::PendingSignature,
    document: Option<&[u8]>,
    signer: &TestSigner,
) -> Result<Vec<u8>, xades::Error> {
    let pending = xades::PendingSignature::from_json(&pending.to_json(None)?, None)?;
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(document.map(Document::from_bytes).as_mut(), &value, &mut out)?;
    Ok(out)
}

/// Prepares, stores, restores, signs and completes a PAdES signature.
pub fn sign_pades(
    pdf: &[u8],
    signer: &TestSigner,
    parameters: &SignatureParameters,
    options: &pades::SignatureOptions,
) -> Result<Vec<u8>, pades::Error> {
    let mut source = Document::from_bytes(pdf);
    let pending = pades::prepare(&mut source, &signer.chain, parameters, options)?;
    let pending = pades::PendingSignature::from_json(&pending.to_json(None)?, None)?;
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut source), &value, &mut out)?;
    assert_eq!(out.len() as u64, pending.signed_len());
    Ok(out)
}

/// Signs a PDF with the older SubFilter `adbe.pkcs7.detached`. The CMS is made
/// separately and embedded with `PreparedDocument`.
pub fn sign_pkcs7(pdf: &[u8], signer: &TestSigner) -> Result<Vec<u8>, pades::Error> {
    let mut source = Document::from_bytes(pdf);
    let (parameters, options) = (parameters(), pades::SignatureOptions::new());
    let prepared = pades::PreparedDocument::new(
        &mut source,
        DigestAlgorithm::Sha256,
        pades::SubFilter::Pkcs7,
        8192,
        &parameters,
        &options,
    )?;
    let digest = prepared.digest().clone();
    let cms = cades::embedded::prepare_digest(digest, &signer.chain, &parameters)?;
    let container = cades::embedded::complete(&cms, &signer.sign(&cms.to_be_signed()))?;
    let mut out = Vec::new();
    prepared.embed(&mut source, &container, &mut out)?;
    Ok(out)
}

/// Signs a PDF with a stub in place of the CMS. It is fast, and the signature is
/// not intact.
#[must_use]
pub fn sign_pades_by_stub(document: &[u8]) -> Vec<u8> {
    let mut document = Document::from_bytes(document);
    let prepared = pades::PreparedDocument::new(
        &mut document,
        DigestAlgorithm::Sha256,
        pades::SubFilter::Cades,
        64,
        &parameters(),
        &pades::SignatureOptions::new(),
    );
    let mut signed = Vec::new();
    prepared.unwrap().embed(&mut document, b"\x30\x00", &mut signed).unwrap();
    signed
}

/// Whether a valid certification path leads from the signer's certificate through the
/// certificates beside it to one of the anchors, at the signing time of
/// [`parameters`].
#[must_use]
pub fn leads_to(facts: &SignatureFacts, anchors: &[Certificate]) -> bool {
    let Some(certificate) = &facts.certificate else { return false };
    let request = Request::document_signing(parameters().signing_time().time());
    let all: Vec<Certificate> = facts.evidence.distinct_certificates().cloned().collect();
    let pool = IssuerPool::new(&all);
    let outcome = PathBuilder::new(anchors).find(certificate, &pool, &request);
    matches!(outcome, Outcome::Valid(_))
}
