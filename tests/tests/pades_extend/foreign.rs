//! Signatures of others in the corpora: raised with all earlier octets kept, or refused with
//! the reason before a time-stamp is spent.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ades_core::Document;
use ades_evidence::TimeStampPurpose::Signature;
use ades_tests::corpora;
use pades::report::{Problem, Report, SignatureReport};
use pades::{Error, VerifyOptions};

use crate::services::{ARCHIVED, STAMPED, archive, options, stamp, validation_data};

fn read(pdf: &[u8]) -> Option<Report> {
    pades::verify(&mut Document::from_bytes(pdf), VerifyOptions::new()).ok()
}

/// What must not change when a signature is raised.
fn state(signature: &SignatureReport) -> (Option<bool>, Vec<Problem>) {
    let problems = signature.problems.iter().copied();
    // Octets after the document are no longer at its end.
    let problems = problems.filter(|problem| *problem != Problem::TrailingData);
    (signature.intact, problems.collect())
}

/// Raises every signature of a document in a way that it allows. Returns the reasons why not.
fn raise(pdf: &[u8], report: &Report) -> Vec<String> {
    let mut reasons = Vec::new();
    for at in 0..report.signatures.len() {
        let outcome = stamp(pdf, at, Signature, STAMPED, &options());
        match outcome {
            Ok(raised) => {
                assert_eq!(raised.len(), pdf.len());
                let [_, start, end, _] = report.signatures[at].byte_range.unwrap();
                let (start, end) = (start as usize, end as usize);
                assert!(raised[..start] == pdf[..start] && raised[end..] == pdf[end..]);
                assert_as_good(report, &read(&raised).unwrap());
                reasons.push("T in the CMS".to_owned());
            }
            Err(error) => reasons.push(reason(error)),
        }
    }
    let mut out = Vec::new();
    let mut source = Document::from_bytes(pdf);
    let embedded =
        pades::add_validation_data(&mut source, 0, &validation_data(), &options(), &mut out);
    match embedded.and_then(|()| archive(&out, ARCHIVED, &options())) {
        Ok(raised) => {
            assert!(raised.starts_with(pdf));
            assert_as_good(report, &read(&raised).unwrap());
            reasons.push("LT and LTA".to_owned());
        }
        Err(error) => reasons.push(reason(error)),
    }
    reasons
}

fn reason(error: Error) -> String {
    match error {
        Error::CannotAdd { why: pades::error::NotExtendable::NoRoom { .. } } => {
            "no room in the CMS".to_owned()
        }
        Error::Core(ades_core::Error::Read(_)) => panic!("{error}"),
        error => error.to_string(),
    }
}

#[track_caller]
fn assert_as_good(before: &Report, after: &Report) {
    assert_eq!(before.signatures.len(), after.signatures.len());
    for (was, is) in before.signatures.iter().zip(&after.signatures) {
        assert_eq!(state(was), state(is));
        assert!(is.level >= was.level, "{:?} then {:?}", was.level, is.level);
    }
}

#[test]
fn the_corpora_are_raised_or_say_why_not() {
    let folders = ["pdf", "signed", "more", "validation"];
    let Some(files) = corpora::everything(&folders, &[".pdf"]) else { return };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut failed = Vec::new();
    let mut signed = 0;
    for (name, pdf) in files {
        let Some(report) = read(&pdf).filter(|report| !report.signatures.is_empty()) else {
            continue;
        };
        signed += 1;
        match catch_unwind(AssertUnwindSafe(|| raise(&pdf, &report))) {
            Ok(reasons) => reasons.into_iter().for_each(|it| *counts.entry(it).or_default() += 1),
            Err(_) => failed.push(name),
        }
    }
    println!("{signed} signed documents: {counts:#?}");
    assert!(failed.is_empty(), "{failed:?}");
    assert!(counts["LT and LTA"] * 10 > signed * 9, "{counts:#?}");
}
