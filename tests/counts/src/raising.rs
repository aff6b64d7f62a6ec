//! Raising signatures, with answers that are made before anything is counted.

use std::cell::Cell;
use std::fs::{self, File};
use std::path::Path;

use ades::formats::ades_evidence::ValidationData;
use ades::formats::{cades, pades, xades};
use ades::{
    Advance, Certificate, Document, ExtendOptions, Extension, Format, Level, Need, TargetLevel,
    VerifyOptions,
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::services::Services;

/// An hour after the signing time.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_003_600, 0).unwrap()
}

/// What verifying needs.
fn options(folder: &Path) -> VerifyOptions<'static> {
    let anchor = Certificate::from_der(fs::read(folder.join("anchor")).unwrap()).unwrap();
    VerifyOptions::new().trust(&[anchor])
}

/// Raises the container to a level. `answer` answers each need at a time.
fn raised(
    folder: &Path,
    level: TargetLevel,
    answer: impl Fn(&Need, DateTime<Utc>) -> Vec<u8>,
) -> Vec<u8> {
    let mut current = fs::read(folder.join("container")).unwrap();
    let mut extension = Extension::new(ExtendOptions::new(level).nonce_seed([7; 32]));
    let mut options = options(folder);
    let mut now = now();
    loop {
        let mut out = Vec::new();
        let step = {
            let mut document = Document::from_bytes(&current);
            extension.advance(&mut document, &mut options, now, &mut out).unwrap()
        };
        match step {
            Advance::Needs(needs) => {
                for need in needs {
                    extension.answer(&need.id(), answer(&need, now), now).unwrap();
                }
            }
            Advance::Written => {
                current = out;
                now += TimeDelta::seconds(1);
            }
            Advance::Done(reached) => {
                assert_eq!((reached.level, reached.missing.len()), (level.level(), 0));
                return current;
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Raises the container to a level, and stores what the services answer.
pub(crate) fn record(folder: &Path, services: &Services, level: TargetLevel) -> Vec<u8> {
    let count = Cell::new(0);
    raised(folder, level, |need, now| {
        let octets = services.answer(need, now);
        fs::write(folder.join(format!("answer-{}", count.get())), &octets).unwrap();
        count.set(count.get() + 1);
        octets
    })
}

/// Raises the container to a level with the stored answers.
pub(crate) fn replay(folder: &Path, level: TargetLevel) {
    let count = Cell::new(0);
    let raised = raised(folder, level, |_, _| {
        let octets = fs::read(folder.join(format!("answer-{}", count.get()))).unwrap();
        count.set(count.get() + 1);
        octets
    });
    std::hint::black_box(raised);
}

/// The container with revocation data about the signer in it.
pub(crate) fn with_revocation_data(folder: &Path, services: &Services, format: Format) -> Vec<u8> {
    let mut document = Document::seekable(File::open(folder.join("container")).unwrap());
    let mut data = ValidationData::new();
    data.ocsp_responses = vec![services.answer(&services.status_need(), now())];
    let mut out = Vec::new();
    match format {
        Format::Cades => {
            cades::add_validation_data(&mut document, &[0], &data, &mut out).unwrap();
        }
        Format::Pades => {
            let options = pades::ExtendOptions::new();
            pades::add_validation_data(&mut document, 0, &data, &options, &mut out).unwrap();
        }
        Format::Xades => {
            let options = xades::ExtendOptions::new();
            xades::add_validation_data(&mut document, &[0], &data, options, &mut out).unwrap();
        }
        other => panic!("{other:?} is not counted"),
    }
    out
}

/// Judges the container, which passes with this level.
pub(crate) fn judge(folder: &Path, level: Level) {
    let mut document = Document::seekable(File::open(folder.join("container")).unwrap());
    let time = now() + TimeDelta::minutes(1);
    let report = ades::verify(&mut document, options(folder), time).unwrap();
    assert!(report.is_passed(), "{report}");
    assert_eq!(report.signatures[0].level, level);
}
