//! A signature of any document is raised, or refused with an error. Nothing but one insertion
//! changes, the new time-stamp fits, and what was known before stays as it was.
#![no_main]

mod made;

use ades_core::{DigestAlgorithm, Document};
use ades_evidence::{TimeStampPurpose, ValidationData};
use libfuzzer_sys::fuzz_target;
use xades::report::{Report, SignatureReport};
use xades::{
    ExtendOptions, VerifyOptions, add_time_stamp, add_validation_data, prepare_time_stamp,
};

/// Number of signatures that are raised.
const MOST: usize = 4;

fn verify(octets: &[u8]) -> Option<Report> {
    xades::verify(&mut Document::from_bytes(octets), VerifyOptions::new()).ok()
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

fn check(before: &[u8], after: &[u8], which: &[usize], stamped: bool) {
    let start = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let end = before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count();
    // The end of an empty-element tag, in up to two octets a character, may be replaced.
    assert!(start + end + 4 >= before.len());
    let (old, new) = (verify(before).unwrap(), verify(after).unwrap());
    let (mut olds, mut news) = (Vec::new(), Vec::new());
    flatten(&old.signatures, &[], &mut olds);
    flatten(&new.signatures, &[], &mut news);
    assert_eq!(olds.len(), news.len());
    for ((place, old), (_, new)) in olds.into_iter().zip(news) {
        assert!(old.intact != Some(true) || new.intact == Some(true));
        let imprints = |report: &SignatureReport| {
            report.facts.time_stamps().map(|stamp| stamp.imprint).collect::<Vec<_>>()
        };
        let (old, new) = (imprints(old), imprints(new));
        if place == which && stamped {
            assert_eq!(new.last(), Some(&Some(true)));
            assert_eq!(old, new[..new.len() - 1]);
        } else {
            assert_eq!(old, new);
        }
    }
}

fuzz_target!(|octets: &[u8]| {
    let Some(report) = verify(octets) else { return };
    let mut all = Vec::new();
    flatten(&report.signatures, &[], &mut all);
    for (which, _) in all.into_iter().take(MOST) {
        let document = &mut Document::from_bytes(octets);
        for purpose in [TimeStampPurpose::Signature, TimeStampPurpose::Archive] {
            let (digest, options) = (DigestAlgorithm::Sha256, ExtendOptions::new());
            let pending = prepare_time_stamp(document, &which, purpose, digest, options);
            let Ok(pending) = pending else { continue };
            let mut out = Vec::new();
            let token = made::token(pending.imprint());
            add_time_stamp(document, &pending, &token, &mut out).expect("it was prepared");
            check(octets, &out, &which, true);
        }
        let mut data = ValidationData::new();
        data.crls = vec![made::crl()];
        let mut out = Vec::new();
        let options = ExtendOptions::new();
        if add_validation_data(document, &which, &data, options, &mut out).is_ok() {
            check(octets, &out, &which, false);
        }
    }
});
