//! What the services of the test PKI answer, and the steps of an extension with it.

use std::sync::OnceLock;

use ades_core::asn1::der::{self, INTEGER, OCTET_STRING, SEQUENCE};
use ades_core::{Certificate, Digest, DigestAlgorithm, Document, PendingState};
use ades_evidence::{TimeStampPurpose, ValidationData};
use ades_tests::evidence::{
    Answer, By, List, Response, Stamp, TIME_STAMPING, attribute, oid, time, with_extended_key_usage,
};
use ades_tests::pki::{Key, Pki, TestSigner};
use pades::{Error, ExtendOptions, PendingTimeStamp, VerifyOptions};

/// message-digest
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";

/// Times after the signing time, 2026-09-21T14:13:20Z.
pub const STAMPED: &str = "20260921141400Z";
pub const REVOCATION: (&str, &str) = ("20260921141500Z", "20261021141500Z");
pub const ARCHIVED: &str = "20260921141600Z";

/// The time-stamping service.
pub fn authority() -> &'static TestSigner {
    static AUTHORITY: OnceLock<TestSigner> = OnceLock::new();
    AUTHORITY
        .get_or_init(|| with_extended_key_usage(Pki::shared(), "Authority", &[TIME_STAMPING], true))
}

pub fn signer() -> &'static TestSigner {
    Pki::shared().signer(Key::P256)
}

/// A token over an imprint, with this genTime.
pub fn token(imprint: &Digest, at: &str) -> Vec<u8> {
    let digest = der::element(OCTET_STRING, &[imprint.value()]);
    let imprint = [imprint.algorithm().algorithm_identifier(), digest].concat();
    let info = [
        der::unsigned_integer(&[1]),
        oid("1.2.3.4.1"),
        der::element(SEQUENCE, &[&imprint]),
        der::unsigned_integer(&[7, 7]),
        time(at),
        der::element(SEQUENCE, &[&[INTEGER, 1, 1]]),
    ];
    let info = der::element(SEQUENCE, &[&info.concat()]);
    let digest = Digest::of(DigestAlgorithm::Sha256, &info);
    let digest = der::element(OCTET_STRING, &[digest.value()]);
    let mut stamp = Stamp::new(b"", authority());
    stamp.attributes[0] = attribute(MESSAGE_DIGEST, &[digest]);
    stamp.info = info;
    stamp.signed(authority())
}

/// The length of a token, as measured.
pub fn token_len() -> usize {
    static LEN: OnceLock<usize> = OnceLock::new();
    *LEN.get_or_init(|| token(&Digest::of(DigestAlgorithm::Sha256, b""), STAMPED).len())
}

/// An OCSP response about a certificate of the issuing CA.
pub fn ocsp(about: &Certificate, (this, next): (&'static str, &'static str)) -> Vec<u8> {
    let mut answer = Answer::good(about, Pki::shared().issuing());
    answer.this_update = this;
    answer.next_update = Some(next);
    let mut response = Response::new(answer);
    response.produced_at = this;
    response.whole(By::Issuing(Pki::shared()))
}

/// A CRL of the issuing CA.
pub fn crl(number: u8, (this, next): (&'static str, &'static str)) -> Vec<u8> {
    let mut list = List::new(number, Vec::new());
    list.this_update = this;
    list.next_update = Some(next);
    list.signed(By::Issuing(Pki::shared()))
}

/// What the signer and the time-stamping service need: an OCSP response about the signer,
/// and a CRL for the service.
pub fn validation_data() -> ValidationData {
    let mut data = ValidationData::new();
    data.certificates = signer().chain.certificates().to_vec();
    data.certificates.push(authority().leaf().clone());
    data.ocsp_responses = vec![ocsp(signer().leaf(), REVOCATION)];
    data.crls = vec![crl(1, REVOCATION)];
    data
}

/// The options with the measured length of a token.
pub fn options() -> ExtendOptions<'static> {
    ExtendOptions::new().token_len(token_len())
}

/// Prepares a time-stamp, stores and restores it, and adds the token.
pub fn stamp(
    pdf: &[u8],
    signature: usize,
    purpose: TimeStampPurpose,
    at: &str,
    options: &ExtendOptions<'_>,
) -> Result<Vec<u8>, Error> {
    let mut document = Document::from_bytes(pdf);
    let digest = DigestAlgorithm::Sha256;
    let pending = pades::prepare_time_stamp(&mut document, signature, purpose, digest, options)?;
    let pending = PendingTimeStamp::from_json(&pending.to_json(None)?, None)?;
    let token = token(pending.imprint(), at);
    let mut out = Vec::new();
    pades::add_time_stamp(&mut document, &pending, &token, &mut out)?;
    Ok(out)
}

pub fn archive(pdf: &[u8], at: &str, options: &ExtendOptions<'_>) -> Result<Vec<u8>, Error> {
    stamp(pdf, 0, TimeStampPurpose::Archive, at, options)
}

pub fn embed(
    pdf: &[u8],
    data: &ValidationData,
    options: &ExtendOptions<'_>,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    pades::add_validation_data(&mut Document::from_bytes(pdf), 0, data, options, &mut out)?;
    Ok(out)
}

/// The report of a document with this password.
pub fn report(pdf: &[u8], password: Option<&str>) -> pades::report::Report {
    let options = VerifyOptions::new().password(password.unwrap_or_default());
    pades::verify(&mut Document::from_bytes(pdf), options).unwrap()
}
