//! Any octets are extended or refused. The extended document begins with the document, or has
//! its length; it has the same signatures, as intact as before.
#![no_main]

mod made;

use ades_core::asn1::der::SEQUENCE;
use ades_core::{DigestAlgorithm, Document};
use ades_evidence::{TimeStampPurpose, ValidationData};
use libfuzzer_sys::fuzz_target;
use pades::report::{Problem, Report};
use pades::{ExtendOptions, VerifyOptions};

const TOKEN_LEN: usize = 256;
const DIGEST: DigestAlgorithm = DigestAlgorithm::Sha256;

fuzz_target!(|octets: &[u8]| {
    let Some(before) = verify(octets) else { return };
    let mut data = ValidationData::new();
    data.ocsp_responses = vec![vec![SEQUENCE, 0]];
    data.crls = vec![made::crl()];
    let options = ExtendOptions::new().token_len(TOKEN_LEN);
    for signature in 0..before.signatures.len().min(3) {
        for purpose in [TimeStampPurpose::Signature, TimeStampPurpose::Archive] {
            if let Some(stamped) = stamp(octets, signature, purpose, &options) {
                same(&before, octets, &stamped);
            }
        }
        let (mut document, mut out) = (Document::from_bytes(octets), Vec::new());
        for options in [options, options.list_by_signature()] {
            out.clear();
            let added =
                pades::add_validation_data(&mut document, signature, &data, &options, &mut out);
            if added.is_ok() {
                assert!(out.starts_with(octets), "the octets of the document do not change");
                same(&before, octets, &out);
            }
        }
    }
});

fn verify(octets: &[u8]) -> Option<Report> {
    pades::verify(&mut Document::from_bytes(octets), VerifyOptions::new()).ok()
}

fn same(before: &Report, octets: &[u8], extended: &[u8]) {
    assert!(extended.starts_with(octets) || extended.len() == octets.len());
    let after = verify(extended).expect("an extended document is read");
    assert_eq!(before.signatures.len(), after.signatures.len());
    // The ranges of such a signature mean something else in a longer file.
    let ranges = [Problem::ByteRangeMalformed, Problem::ByteRangeGap, Problem::NotARevision];
    for (was, is) in before.signatures.iter().zip(&after.signatures) {
        if was.problems.iter().any(|problem| ranges.contains(problem)) {
            continue;
        }
        assert_eq!(was.intact, is.intact);
        let is_new = |problem: &&Problem| !was.problems.contains(problem);
        let new: Vec<&Problem> = is.problems.iter().filter(is_new).collect();
        assert!(new.is_empty(), "{new:?}");
    }
}

fn stamp(
    octets: &[u8],
    signature: usize,
    purpose: TimeStampPurpose,
    options: &ExtendOptions<'_>,
) -> Option<Vec<u8>> {
    let mut document = Document::from_bytes(octets);
    let pending =
        pades::prepare_time_stamp(&mut document, signature, purpose, DIGEST, options).ok()?;
    let mut out = Vec::new();
    let token = made::token(pending.imprint());
    pades::add_time_stamp(&mut document, &pending, &token, &mut out)
        .expect("a prepared time-stamp is added");
    Some(out)
}
