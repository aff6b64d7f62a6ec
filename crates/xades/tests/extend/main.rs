//! Raising signatures with Rust alone. The tokens have no signatures of their own: only
//! their imprints count here. `tests/tests/xades_extend.rs` of the repository has those of a
//! time-stamping service, and other judges.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod places;
mod raised;
mod refused;

use ades_core::asn1::der::{self, OCTET_STRING, OID, SEQUENCE, SET, context, element};
use ades_core::facts::{EvidencePlace, ImprintUndecided, TimeStampKind};
use ades_core::{
    Certificate, CertificateChain, Digest, DigestAlgorithm, Document, Level, PendingState,
    SignatureParameters,
};
use ades_evidence::{TimeStampPurpose, ValidationData};
use chrono::DateTime;
use proptest::prelude::*;
use test_key::TestKey;
use xades::c14n::Target;
use xades::error::NotInsertable;
use xades::report::Report;
use xades::{
    Error, ExtendOptions, KnownDocument, Packaging, PendingTimeStamp, Position, SignatureOptions,
    VerifyOptions, add_time_stamp, add_validation_data, prepare_time_stamp,
};

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
const TST_INFO: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 1, 4];
const DOCUMENT: &str = "<?xml version='1.0' encoding='UTF-8'?>\r\n<!-- an order -->\r\n\
    <order xmlns='urn:order' xmlns:unused='urn:u' xml:lang='nl' number = \"1\">\r\n  \
    <item Id='a'>ten &lt; é</item><item Id='b'><![CDATA[ & ]]></item>\r\n</order>\r\n<?end?>\r\n";

use TimeStampPurpose::{Archive, Signature};

/// A token over this digest.
fn token(imprint: &Digest) -> Vec<u8> {
    token_with(imprint, &[])
}

/// A token with these certificates.
fn token_with(imprint: &Digest, certificates: &[Certificate]) -> Vec<u8> {
    let algorithm = imprint.algorithm().algorithm_identifier();
    let imprint = element(SEQUENCE, &[&algorithm, &element(OCTET_STRING, &[imprint.value()])]);
    let one = der::unsigned_integer(&[1]);
    let oid = |content: &[u8]| element(OID, &[content]);
    let time = element(0x18, &[b"20260101000000Z"]);
    let info = element(SEQUENCE, &[&one, &oid(&[42]), &imprint, &one, &time]);
    let content = element(context(0), &[&element(OCTET_STRING, &[&info])]);
    let content = element(SEQUENCE, &[&oid(TST_INFO), &content]);
    let set = element(SET, &[]);
    let certificates: Vec<u8> = certificates.iter().flat_map(|one| one.der().to_vec()).collect();
    let certificates = match certificates.as_slice() {
        [] => Vec::new(),
        all => element(context(0), &[all]),
    };
    let signed_data = element(SEQUENCE, &[&one, &set, &content, &certificates, &set]);
    element(SEQUENCE, &[&oid(SIGNED_DATA), &element(context(0), &[&signed_data])])
}

/// A CRL by its structure.
fn crl(number: u8) -> Vec<u8> {
    crl_of(&element(SEQUENCE, &[]), number)
}

/// A CRL of this issuer.
fn crl_of(issuer: &[u8], number: u8) -> Vec<u8> {
    let algorithm = element(SEQUENCE, &[&element(OID, &[&[42]])]);
    let time = element(0x17, &[b"200101000000Z"]);
    let list = element(SEQUENCE, &[&algorithm, issuer, &time]);
    element(SEQUENCE, &[&list, &algorithm, &element(3, &[&[0, number]])])
}

fn key() -> TestKey {
    TestKey::new("Signer of orders")
}

fn certificate(name: &str) -> Certificate {
    Certificate::from_der(TestKey::new(name).certificate()).unwrap()
}

fn parameters() -> SignatureParameters {
    SignatureParameters::new(DateTime::from_timestamp(1_790_000_000, 0).unwrap())
        .mime_type("application/xml")
}

fn chain() -> CertificateChain {
    CertificateChain::from_leaf(certificate("Signer of orders"), []).unwrap()
}

fn sign_with(document: &[u8], options: &SignatureOptions) -> Vec<u8> {
    let mut source = Document::from_bytes(document);
    let pending = xades::prepare(&mut source, &chain(), &parameters(), options).unwrap();
    let value = key().sign_digest(pending.to_be_signed().digest().0.value());
    let mut signed = Vec::new();
    pending.complete(Some(&mut source), &value, &mut signed).unwrap();
    signed
}

fn sign(document: &[u8], packaging: Packaging) -> Vec<u8> {
    sign_with(document, &SignatureOptions::new().packaging(packaging))
}

fn countersign(signed: &[u8], which: &[usize]) -> Vec<u8> {
    let mut source = Document::from_bytes(signed);
    let options = SignatureOptions::new().id_seed(format!("{which:?}"));
    let pending =
        xades::prepare_countersignature(&mut source, which, &chain(), &parameters(), &options);
    let pending = pending.unwrap();
    let value = key().sign_digest(pending.to_be_signed().digest().0.value());
    let mut out = Vec::new();
    pending.complete(Some(&mut source), &value, &mut out).unwrap();
    out
}

fn prepare(
    signed: &[u8],
    which: &[usize],
    purpose: TimeStampPurpose,
) -> Result<PendingTimeStamp, Error> {
    let document = &mut Document::from_bytes(signed);
    let (digest, options) = (DigestAlgorithm::Sha256, ExtendOptions::new());
    let pending = prepare_time_stamp(document, which, purpose, digest, options)?;
    // The state is stored meanwhile.
    Ok(PendingTimeStamp::from_json(&pending.to_json(None)?, None)?)
}

fn stamp(signed: &[u8], which: &[usize], purpose: TimeStampPurpose) -> Result<Vec<u8>, Error> {
    let pending = prepare(signed, which, purpose)?;
    let mut out = Vec::new();
    let document = &mut Document::from_bytes(signed);
    add_time_stamp(document, &pending, &token(pending.imprint()), &mut out)?;
    assert_grown(signed, &out);
    Ok(out)
}

fn add(signed: &[u8], which: &[usize], data: &ValidationData) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let document = &mut Document::from_bytes(signed);
    add_validation_data(document, which, data, ExtendOptions::new(), &mut out)?;
    assert_grown(signed, &out);
    Ok(out)
}

/// Checks that nothing has changed but one insertion, which may replace `/>`.
#[track_caller]
fn assert_grown(before: &[u8], after: &[u8]) {
    let equal = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let equal_at_end = before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b);
    let kept = equal + equal_at_end.count();
    assert!(kept + 4 >= before.len(), "{kept} of {} octets", before.len());
}

/// The certificates and CRLs with these numbers.
fn data(numbers: std::ops::Range<u8>) -> ValidationData {
    let mut data = ValidationData::new();
    data.certificates = numbers.clone().map(|n| certificate(&format!("Issuer {n}"))).collect();
    data.crls = numbers.map(crl).collect();
    data
}

fn verify(signed: &[u8]) -> Report {
    xades::verify(&mut Document::from_bytes(signed), VerifyOptions::new()).unwrap()
}

/// The kinds of the time-stamps of the first signature, if all imprints fit and it is intact.
#[track_caller]
fn kinds(signed: &[u8]) -> Vec<TimeStampKind> {
    let report = verify(signed);
    let signature = &report.signatures[0];
    assert_eq!(signature.intact, Some(true), "{signature:?}");
    let stamps = signature.facts.time_stamps();
    stamps
        .map(|stamp| {
            assert_eq!(stamp.imprint, Some(true), "{stamp:?}");
            stamp.kind
        })
        .collect()
}

fn properties(signed: &[u8]) -> Vec<String> {
    verify(signed).signatures.remove(0).unsigned_properties
}
