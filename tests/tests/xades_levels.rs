//! XML signatures raised and renewed through the facade.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ades::{
    Advance, Certificate, DigestAlgorithm, Document, ExtendOptions, Extension, Level, Need,
    PendingState, TargetLevel, VerifyOptions,
};
use ades_tests::levels::{Raising, Services, now, signer};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{complete_xades, parameters};
use chrono::TimeDelta;
use xades::{Packaging, SignatureOptions};

const XML: &[u8] =
    b"<?xml version=\"1.0\"?>\n<contract><clause n=\"1\">to be kept</clause></contract>\n";

#[test]
fn every_level_is_reached_renewed_and_passes() {
    let signer = signer(Pki::shared(), Key::P256);
    for (packaging, is_stored) in
        [(Packaging::Enveloped, true), (Packaging::Enveloped, false), (Packaging::Enveloping, true)]
    {
        let options = SignatureOptions::new().packaging(packaging.clone());
        let mut source = Document::from_bytes(XML);
        let pending = xades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
        let mut current = complete_xades(&pending, Some(XML), &signer).unwrap();
        let mut raising = Raising::new(&signer);
        raising.is_stored = is_stored;
        for (wish, level) in [
            (TargetLevel::T, Level::T),
            (TargetLevel::Lt, Level::Lt),
            (TargetLevel::Lta, Level::Lta),
            (TargetLevel::Lta, Level::Lta),
        ] {
            let options = ExtendOptions::new(wish).digest(DigestAlgorithm::Sha512);
            let (raised, reached) = raising.raise(&current, options);
            assert_eq!((reached.level, reached.missing), (level, vec![]), "{packaging:?} {wish:?}");
            let report = raising.verify(&raised);
            assert_eq!(report.is_passed(), wish > TargetLevel::T, "{packaging:?}\n{report}");
            current = raised;
            raising.services.now += TimeDelta::days(30);
        }
        assert_eq!(raising.services.counts[0], 3);
    }
}

#[test]
fn trap_10_what_was_reached_stays_when_a_service_fails() {
    let signer = signer(Pki::shared(), Key::P256);
    let options = SignatureOptions::new();
    let mut source = Document::from_bytes(XML);
    let pending = xades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
    let signed = complete_xades(&pending, Some(XML), &signer).unwrap();
    let mut raising = Raising::new(&signer);
    raising.broken = |need| !matches!(need, Need::TimeStamp { .. });
    let (raised, reached) = raising.raise(&signed, ExtendOptions::new(TargetLevel::Lta));
    assert_eq!((reached.level, reached.missing.is_empty()), (Level::T, false));
    raising.broken = |_| false;
    let (raised, reached) = raising.raise(&raised, ExtendOptions::new(TargetLevel::Lta));
    assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]));
    assert!(raising.verify(&raised).is_passed());
    assert_eq!(raising.services.counts[0], 2, "no time-stamp is asked for twice");
}

/// Counts the octets that are read.
struct Counted<'o> {
    octets: Cursor<&'o [u8]>,
    read: Arc<AtomicUsize>,
}

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.octets.read(out)?;
        self.read.fetch_add(read, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.octets.seek(to)
    }
}

/// How often the document is read on the way to B-LTA, in each call that writes or is the last.
fn readings(signed: &[u8], signer: &Certificate, is_stored: bool) -> Vec<usize> {
    let mut services = Services::new(Pki::shared(), now());
    let mut options = VerifyOptions::new().trust(std::slice::from_ref(Pki::shared().issuing()));
    let mut extension = Extension::new(ExtendOptions::new(TargetLevel::Lta).nonce_seed([7; 32]));
    let (mut current, mut counts) = (signed.to_vec(), Vec::new());
    let read = Arc::new(AtomicUsize::new(0));
    loop {
        if is_stored {
            extension = Extension::from_json(&extension.to_json(None).unwrap(), None).unwrap();
        }
        let mut out = Vec::new();
        let step = {
            let octets = Cursor::new(current.as_slice());
            let mut document = Document::seekable(Counted { octets, read: Arc::clone(&read) });
            extension.advance(&mut document, &mut options, services.now, &mut out).unwrap()
        };
        if !matches!(step, Advance::Needs(_)) {
            let octets = read.swap(0, Ordering::Relaxed);
            assert!(octets % current.len() < current.len() / 10, "{octets} octets");
            counts.push(octets / current.len());
        }
        match step {
            Advance::Needs(needs) => {
                for need in needs {
                    let answer = services.answer(&need, &[signer]).unwrap();
                    extension.answer(&need.id(), answer, services.now).unwrap();
                }
            }
            Advance::Written => {
                current = out;
                services.now += TimeDelta::seconds(1);
            }
            Advance::Done(reached) => {
                assert_eq!((reached.level, reached.missing.len()), (Level::Lta, 0));
                return counts;
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The document is parsed twice at the start: to find its signatures, and to digest what they are
/// over. After each step, one parsing does both, because the signatures are where the step has put
/// them. Each of the three steps copies the document.
#[test]
fn a_document_is_read_as_often_as_there_are_steps() {
    let signer = signer(Pki::shared(), Key::P256);
    let clause = "<clause>to be kept</clause>\n".repeat(20_000);
    let document = format!("<contract>{clause}</contract>").into_bytes();
    let mut source = Document::from_bytes(&document);
    let options = SignatureOptions::new();
    let pending = xades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
    let signed = complete_xades(&pending, Some(&document), &signer).unwrap();
    assert_eq!(readings(&signed, signer.chain.leaf(), false), [3, 2, 2, 1]);
    // Another process finds the signatures again before it adds a time-stamp, and verifies the
    // document again once the revocation data are there.
    assert_eq!(readings(&signed, signer.chain.leaf(), true), [4, 5, 4, 2]);
}
