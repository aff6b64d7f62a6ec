//! Containers made to do harm: lengths that overflow, endless nesting, one
//! attribute a thousand times. Verifying each returns an error or a report.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use ades_core::Document;
use cades::container::{MAX_COUNTERSIGNATURES, MAX_SIGNERS};
use cades::report::{Problem, Report};
use cades::{Error, Limit, VerifyOptions};

const SIGNED_DATA: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
const DATA: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1];
const SHA256: &[u8] = &[0x30, 0x0B, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const RSA: &[u8] = &[0x30, 0x0D, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1, 5, 0];
const RSA_SHA256: &[u8] = &[0x30, 0x0D, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11, 5, 0];
const COUNTERSIGNATURE: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 6];
const SIGNING_CERTIFICATE_V2: &[u8] = &[6, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 2, 47];
const MESSAGE_DIGEST: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 4];
const COMMITMENT_TYPE: &[u8] = &[6, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 2, 16];
/// A length that no source has.
const HUGE_LENGTH: &[u8] = &[0x88, 255, 255, 255, 255, 255, 255, 255, 255];

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], &content].concat()
}

fn attribute(kind: &[u8], value: &[u8]) -> Vec<u8> {
    element(0x30, &[kind, &element(0x31, &[value])])
}

/// A signer with these attributes and this value.
fn signer(signed_attributes: &[u8], value: &[u8], unsigned_attributes: &[u8]) -> Vec<u8> {
    let sid = element(0x30, &[&element(0x30, &[]), &[2, 1, 1]]);
    let signed = element(0xA0, &[signed_attributes]);
    let unsigned = element(0xA1, &[unsigned_attributes]);
    let value = element(4, &[value]);
    element(0x30, &[&[2, 1, 1], &sid, SHA256, &signed, RSA, &value, &unsigned])
}

/// A container with these certificates and signers.
fn container_of(certificates: &[u8], signers: &[u8]) -> Vec<u8> {
    let signed_data = [
        &[2, 1, 1],
        &element(0x31, &[SHA256])[..],
        &element(0x30, &[DATA]),
        &element(0xA0, &[certificates]),
        &element(0x31, &[signers]),
    ];
    let signed_data = element(0x30, &signed_data);
    element(0x30, &[SIGNED_DATA, &element(0xA0, &[&signed_data])])
}

/// A container with one signer and these signed attributes.
fn container(signed_attributes: &[u8]) -> Vec<u8> {
    container_of(&[], &signer(signed_attributes, &[1], &[]))
}

/// As [`element`], but in DER: lengths in as few octets as they need, at most two.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let len = u16::try_from(content.len()).unwrap().to_be_bytes();
    let header = match len {
        [0, len] if len < 0x80 => vec![tag, len],
        [0, len] => vec![tag, 0x81, len],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [header, content].concat()
}

/// A well-formed certificate with a common name of this length.
fn certificate(serial: u16, name_len: usize) -> Vec<u8> {
    let serial = serial.to_be_bytes();
    let name = der(0x30, &[&[6, 3, 0x55, 4, 3], &der(0x0C, &[&vec![b'x'; name_len]])]);
    let name = der(0x30, &[&der(0x31, &[&name])]);
    let time = der(0x17, &[b"200101000000Z"]);
    let key = der(0x30, &[&[2, 3, 0, 0x80, 1], &[2, 3, 1, 0, 1]]);
    let rsa = [0x30, 0x0D, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1, 5, 0];
    let key = der(0x30, &[&rsa, &der(3, &[&[0], &key])]);
    let validity = der(0x30, &[&time, &time]);
    let serial = der(2, &[&[1], &serial]);
    let tbs = der(0x30, &[&serial, RSA_SHA256, &name, &validity, &name, &key]);
    der(0x30, &[&tbs, RSA_SHA256, &[3, 2, 0, 1]])
}

fn report(container: &[u8]) -> Result<Report, Error> {
    cades::verify(&mut Document::from_bytes(container), VerifyOptions::new())
}

fn problems(container: &[u8]) -> Vec<Problem> {
    let signatures = report(container).unwrap().signatures;
    assert!(signatures.iter().all(|signature| signature.intact != Some(true)));
    signatures.into_iter().flat_map(|signature| signature.problems).collect()
}

#[test]
fn a_length_that_overflows_is_an_error_at_its_offset() {
    let whole = container(&[]);
    let outer = [&[0x30], HUGE_LENGTH, &whole[6..]].concat();
    assert!(matches!(report(&outer), Err(Error::Malformed { offset: 0, .. })));

    let front = [&[0x30, 0x80], SIGNED_DATA, &[0xA0, 0x80, 0x30, 0x80, 2, 1, 1]].concat();
    let front = [&front, &element(0x31, &[SHA256])[..]].concat();
    let encap = [&front, &[0x30][..], HUGE_LENGTH, DATA].concat();
    let offset = front.len() as u64;
    assert!(matches!(report(&encap), Err(Error::Malformed { offset: at, .. }) if at == offset));
}

#[test]
fn a_digest_in_deeply_nested_segments_is_malformed() {
    let mut nested = Vec::new();
    for level in (0..200_000u32).rev() {
        nested.extend([0x24, 0x84]);
        nested.extend((level * 6).to_be_bytes());
    }
    let problems = problems(&container(&attribute(MESSAGE_DIGEST, &nested)));
    assert!(problems.contains(&Problem::AttributeMalformed), "{problems:?}");
}

#[test]
fn endless_nesting_in_an_attribute_is_an_error_or_a_problem() {
    let mut nested = [0x30, 0x80].repeat(200_000);
    nested.extend([0, 0].repeat(200_000));
    let oid = [6, 3, 42, 3, 4];
    let qualifier = element(0x30, &[&element(0x30, &[&oid, &nested])]);
    let value = element(0x30, &[&oid, &qualifier]);
    assert!(!report(&container(&attribute(COMMITMENT_TYPE, &value))).unwrap().is_valid());
    // The same octets where our own reader descends.
    let refused = report(&container(&nested));
    assert!(matches!(refused, Err(Error::Limit { limit: Limit::Nesting })));
}

#[test]
fn an_attribute_that_occurs_four_thousand_times_is_a_problem() {
    let many = attribute(MESSAGE_DIGEST, &[4, 1, 1]).repeat(4096);
    let problems = problems(&container(&many));
    assert!(problems.contains(&Problem::AttributeRepeated), "{problems:?}");
    let too_many = attribute(MESSAGE_DIGEST, &[4, 1, 1]).repeat(4097);
    let refused = report(&container(&too_many));
    assert!(matches!(refused, Err(Error::Limit { limit: Limit::Elements })));
}

/// Comparing each signer with each certificate takes minutes.
#[test]
fn many_signers_and_many_certificates_take_linear_time() {
    let certificates: Vec<_> = (0..4096).map(|at| certificate(at, 1500)).collect();
    // The hash names none of the certificates.
    let hash = der(4, &[&[0xFF; 32]]);
    let named = der(0x30, &[&der(0x30, &[&der(0x30, &[&hash])])]);
    let named = attribute(SIGNING_CERTIFICATE_V2, &named);
    let one = signer(&named, &[1], &[]);
    let four = element(0x30, &[COUNTERSIGNATURE, &element(0x31, &[&one.repeat(4)])]);
    let signers = signer(&named, &[1], &four).repeat(256);
    let container = container_of(&certificates.concat(), &signers);
    let report = report(&container).unwrap();
    assert_eq!(report.certificates, 4096);
    assert_eq!(report.signatures.len(), 256);
    let signature = &report.signatures[255];
    assert_eq!(signature.countersignatures.len(), 4);
    assert!(signature.problems.contains(&Problem::SignerCertificateMissing));
}

/// Digesting the value for each countersignature takes minutes.
#[test]
fn a_long_value_is_digested_once_for_all_its_countersignatures() {
    let one = signer(&attribute(MESSAGE_DIGEST, &[4, 1, 1]), &[1], &[]);
    let many = element(0x31, &[&one.repeat(MAX_COUNTERSIGNATURES)]);
    let many = element(0x30, &[COUNTERSIGNATURE, &many]);
    let container = container_of(&[], &signer(&[], &vec![1; 48 << 20], &many));
    let report = report(&container).unwrap();
    assert_eq!(report.signatures[0].countersignatures.len(), MAX_COUNTERSIGNATURES);
}

#[test]
fn countersignatures_are_limited_over_all_signers_and_depths() {
    let one = signer(&[], &[1], &[]);
    let with = |inner: &[u8]| {
        let values = element(0x30, &[COUNTERSIGNATURE, &element(0x31, &[inner])]);
        signer(&[], &[1], &values)
    };
    let half = with(&one.repeat(MAX_COUNTERSIGNATURES / 2));
    assert!(report(&container_of(&[], &half.repeat(2))).is_ok());
    let too_many = [half.repeat(2), with(&one)].concat();
    let refused = report(&container_of(&[], &too_many));
    assert!(matches!(refused, Err(Error::Limit { limit: Limit::Countersignatures })));
    let nested = (0..8).fold(one.clone(), |inner, _| with(&inner));
    assert!(report(&container_of(&[], &nested)).is_ok());
    let refused = report(&container_of(&[], &with(&nested)));
    assert!(matches!(refused, Err(Error::Limit { limit: Limit::CountersignatureDepth })));
}

#[test]
fn signers_are_limited() {
    let signers = signer(&[], &[1], &[]).repeat(MAX_SIGNERS);
    assert!(report(&container_of(&[], &signers)).is_ok());
    let refused = report(&container_of(&[], &signer(&[], &[1], &[]).repeat(MAX_SIGNERS + 1)));
    assert!(matches!(refused, Err(Error::Limit { limit: Limit::Signers })));
}

#[test]
fn values_of_one_attribute_are_limited() {
    let values = element(0x31, &[&[5, 0].repeat(4096)]);
    let attributes = element(0x30, &[&[6, 3, 42, 3, 4], &values]).repeat(512);
    assert!(report(&container(&attributes)).is_ok());
    let values = element(0x31, &[&[5, 0].repeat(4097)]);
    let attribute = element(0x30, &[&[6, 3, 42, 3, 4], &values]);
    let refused = report(&container(&attribute));
    assert!(matches!(refused, Err(Error::Limit { limit: Limit::Elements })));
}
