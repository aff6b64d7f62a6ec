//! Containers made to do harm: lengths that overflow, nesting without end, one
//! attribute a thousand times. All of them end in an error or a report.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use ades_core::Document;
use cades::report::{Problem, Report};
use cades::{Container, Error, Given};

const SIGNED_DATA: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
const DATA: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1];
const SHA256: &[u8] = &[0x30, 0x0B, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const RSA: &[u8] = &[0x30, 0x0D, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1, 5, 0];
const MESSAGE_DIGEST: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 4];
const COMMITMENT_TYPE: &[u8] = &[6, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 2, 16];
/// A length that no source has.
const ENDLESS: &[u8] = &[0x88, 255, 255, 255, 255, 255, 255, 255, 255];

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], &content].concat()
}

fn attribute(kind: &[u8], value: &[u8]) -> Vec<u8> {
    element(0x30, &[kind, &element(0x31, &[value])])
}

/// A container with one signer and these signed attributes.
fn container(signed_attributes: &[u8]) -> Vec<u8> {
    let sid = element(0x30, &[&element(0x30, &[]), &[2, 1, 1]]);
    let attributes = element(0xA0, &[signed_attributes]);
    let signer = element(0x30, &[&[2, 1, 1], &sid, SHA256, &attributes, RSA, &[4, 1, 1]]);
    let signed_data = [
        &[2, 1, 1],
        &element(0x31, &[SHA256])[..],
        &element(0x30, &[DATA]),
        &element(0x31, &[&signer]),
    ];
    let signed_data = element(0x30, &signed_data);
    element(0x30, &[SIGNED_DATA, &element(0xA0, &[&signed_data])])
}

fn report(container: &[u8]) -> Result<Report, Error> {
    let mut source = Document::from_bytes(container);
    Container::read(&mut source)?.verify(&mut source, Given::default())
}

fn problems(container: &[u8]) -> Vec<Problem> {
    let signatures = report(container).unwrap().signatures;
    assert!(signatures.iter().all(|signature| !signature.intact));
    signatures.into_iter().flat_map(|signature| signature.problems).collect()
}

#[test]
fn a_length_that_overflows_is_an_error_at_its_place() {
    let whole = container(&[]);
    let outer = [&[0x30], ENDLESS, &whole[6..]].concat();
    assert!(matches!(report(&outer), Err(Error::Malformed { offset: 0, .. })));

    let front = [&[0x30, 0x80], SIGNED_DATA, &[0xA0, 0x80, 0x30, 0x80, 2, 1, 1]].concat();
    let front = [&front, &element(0x31, &[SHA256])[..]].concat();
    let encap = [&front, &[0x30][..], ENDLESS, DATA].concat();
    let offset = front.len() as u64;
    assert!(matches!(report(&encap), Err(Error::Malformed { offset: at, .. }) if at == offset));
}

#[test]
fn segments_within_segments_are_no_digest() {
    let mut nested = Vec::new();
    for level in (0..200_000u32).rev() {
        nested.extend([0x24, 0x84]);
        nested.extend((level * 6).to_be_bytes());
    }
    let problems = problems(&container(&attribute(MESSAGE_DIGEST, &nested)));
    assert!(problems.contains(&Problem::AttributeMalformed), "{problems:?}");
}

#[test]
fn nesting_without_end_in_an_attribute_is_an_error_or_passed_over() {
    let mut nested = [0x30, 0x80].repeat(200_000);
    nested.extend([0, 0].repeat(200_000));
    let oid = [6, 3, 42, 3, 4];
    let qualifier = element(0x30, &[&element(0x30, &[&oid, &nested])]);
    let value = element(0x30, &[&oid, &qualifier]);
    assert!(!report(&container(&attribute(COMMITMENT_TYPE, &value))).unwrap().is_valid());
    // The same where our own reader descends.
    assert!(matches!(report(&container(&nested)), Err(Error::Limit { .. })));
}

#[test]
fn one_attribute_four_thousand_times_is_repeated() {
    let many = attribute(MESSAGE_DIGEST, &[4, 1, 1]).repeat(4096);
    let problems = problems(&container(&many));
    assert!(problems.contains(&Problem::AttributeRepeated), "{problems:?}");
    let too_many = attribute(MESSAGE_DIGEST, &[4, 1, 1]).repeat(4097);
    assert!(matches!(report(&container(&too_many)), Err(Error::Limit { .. })));
}
