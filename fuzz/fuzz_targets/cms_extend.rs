//! A signature of any container is raised, or refused with an error. All elements of others keep
//! their octets, the new time-stamp fits, and what was known before stays as it was.
#![no_main]

mod made;

use ades_core::asn1::ber::{Element, Reader};
use ades_core::asn1::der::{self, INTEGER, SEQUENCE, SET};
use ades_core::facts::MAX_TIME_STAMPS;
use ades_core::{DigestAlgorithm, Document};
use ades_evidence::{TimeStampPurpose, ValidationData};
use cades::report::{Report, SignatureReport};
use cades::{
    ExtendOptions, VerifyOptions, add_time_stamp, add_validation_data, prepare_time_stamp,
};
use libfuzzer_sys::fuzz_target;

const COUNTERSIGNATURE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 6];
const UNSIGNED_ATTRIBUTES: u8 = der::context(1);
/// The content of detached containers.
const CONTENT: &[u8] = b"content";
/// Number of signatures that are raised.
const MOST: usize = 4;
const DIGEST: DigestAlgorithm = DigestAlgorithm::Sha256;

fn verify(octets: &[u8]) -> Option<Report> {
    let mut original = Document::from_bytes(CONTENT);
    let options = VerifyOptions::new().original(&mut original);
    cades::verify(&mut Document::from_bytes(octets), options).ok()
}

/// All signatures, with their places in the report.
fn flatten<'r>(
    signatures: &'r [SignatureReport],
    around: &[usize],
    all: &mut Vec<(Vec<usize>, &'r SignatureReport)>,
) {
    for (at, signature) in signatures.iter().enumerate() {
        let own = [around, &[at]].concat();
        all.push((own.clone(), signature));
        flatten(&signature.countersignatures, &own, all);
    }
}

/// What is known about the signatures, and about their time-stamps. A set that grows may get
/// another order.
fn known(report: &Report) -> (Vec<String>, Vec<String>) {
    let mut all = Vec::new();
    flatten(&report.signatures, &[], &mut all);
    let (mut signatures, mut stamps) = (Vec::new(), Vec::new());
    for (place, signature) in all {
        let value = format!("{} {:?}", place.len(), signature.facts.value_digest);
        signatures.push(format!("{value} {:?} {:?}", signature.intact, signature.problems));
        for stamp in signature.facts.time_stamps() {
            stamps.push(format!("{value} {:?} {:?}", stamp.kind, stamp.imprint));
        }
    }
    signatures.sort();
    stamps.sort();
    (signatures, stamps)
}

fn children<'a>(of: &Element<'a>) -> Vec<Element<'a>> {
    of.children().all(8192).expect("it was read")
}

/// The elements that never change: those of the sets in SignedData, encapContentInfo, and of each
/// signer the fields and unsigned attributes.
fn elements(octets: &[u8]) -> Vec<Vec<u8>> {
    let whole = Reader::new(octets, 0).next("ContentInfo").expect("it was read");
    let signed_data = children(&children(&whole)[1])[0];
    let (mut all, mut is_before_content) = (Vec::new(), true);
    for field in children(&signed_data) {
        match field.tag {
            INTEGER => {}
            SEQUENCE => {
                is_before_content = false;
                all.push(field.raw.to_vec());
            }
            SET if !is_before_content => {
                children(&field).iter().for_each(|signer| of_signer(signer, &mut all));
            }
            // A set that does not grow may be malformed.
            _ => match field.children().all(8192) {
                Ok(elements) => all.extend(elements.iter().map(|one| one.raw.to_vec())),
                Err(_) => all.push(field.raw.to_vec()),
            },
        }
    }
    all.sort();
    all
}

fn of_signer(signer: &Element<'_>, all: &mut Vec<Vec<u8>>) {
    for field in children(signer) {
        if field.tag != UNSIGNED_ATTRIBUTES {
            all.push(field.raw.to_vec());
            continue;
        }
        for attribute in children(&field) {
            match children(&attribute)[..] {
                [kind, values] if kind.content == COUNTERSIGNATURE => {
                    children(&values).iter().for_each(|inner| of_signer(inner, all));
                }
                _ => all.push(attribute.raw.to_vec()),
            }
        }
    }
}

/// Those of `after` that are not in `before`. All of `before` are in `after`; both are sorted.
fn added<T: Ord + Clone + std::fmt::Debug>(before: &[T], after: &[T]) -> Vec<T> {
    let mut left = before.iter().peekable();
    let is_new = |one: &&T| left.next_if(|old| old == one).is_none();
    let new: Vec<T> = after.iter().filter(is_new).cloned().collect();
    assert_eq!(new.len() + before.len(), after.len(), "{before:?} then {after:?}");
    new
}

fn check(before: &[u8], after: &[u8], is_stamped: bool) {
    let (was, is) = (verify(before).unwrap(), verify(after).expect("it is read again"));
    let ((old, old_stamps), (new, new_stamps)) = (known(&was), known(&is));
    assert_eq!(old, new);
    let stamps = added(&old_stamps, &new_stamps);
    assert_eq!(stamps.len(), usize::from(is_stamped));
    assert!(stamps.iter().all(|stamp| stamp.ends_with("Some(true)")), "{stamps:?}");
    // One attribute, and the digest algorithm of an archive time-stamp; or one CRL.
    let elements = added(&elements(before), &elements(after));
    assert!((1..=2).contains(&elements.len()) || !is_stamped && elements.is_empty());
}

fuzz_target!(|octets: &[u8]| {
    let Some(report) = verify(octets) else { return };
    let mut all = Vec::new();
    flatten(&report.signatures, &[], &mut all);
    // More are not read.
    if known(&report).1.len() >= MAX_TIME_STAMPS {
        return;
    }
    for (which, _) in all.into_iter().take(MOST) {
        let document = &mut Document::from_bytes(octets);
        for purpose in [TimeStampPurpose::Signature, TimeStampPurpose::Archive] {
            let original = &mut Document::from_bytes(CONTENT);
            let options = ExtendOptions::new().original(original);
            let pending = prepare_time_stamp(document, &which, purpose, DIGEST, options);
            let Ok(pending) = pending else { continue };
            let mut out = Vec::new();
            let token = made::token(pending.imprint());
            add_time_stamp(document, &pending, &token, &mut out).expect("it was prepared");
            check(octets, &out, true);
        }
        let mut data = ValidationData::new();
        data.crls = vec![made::crl()];
        let mut out = Vec::new();
        if add_validation_data(document, &which, &data, &mut out).is_ok() {
            check(octets, &out, false);
        }
    }
});
