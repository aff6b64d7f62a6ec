//! Raising and judging a long PDF: how often it is read, and that it is never held. This file
//! has one test, because the allocator counts for the whole process.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};

use ades::{
    Advance, Certificate, Document, ExtendOptions, Extension, Level, PendingState, TargetLevel,
    VerifyOptions,
};
use ades_tests::levels::{Services, now, signer};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::parameters;
use ades_tests::zeros::{Behind, Zeros, pdf_around};
use chrono::TimeDelta;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// A length far above the memory bound.
const LEN: u64 = 100_000_000;
const MAY_BE_HELD: f32 = 4.0;

/// The octets that were read.
static READ: AtomicU64 = AtomicU64::new(0);

/// Counts the octets that are read.
struct Counted<'z>(Zeros<'z>);

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(out)?;
        READ.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// How often the document was read since the last call.
fn readings() -> u64 {
    let octets = READ.swap(0, Ordering::Relaxed);
    assert!(octets % LEN < LEN / 10, "{octets} octets are not a number of readings");
    octets / LEN
}

/// The source of the document with this end.
fn document<'d>(head: &'d [u8], tail: &'d [u8]) -> Document<'d> {
    Document::seekable(Counted(Zeros::new(LEN, [head, tail])))
}

/// The end of the document after its signatures were raised. `stored`: the extension is stored
/// and restored before each step.
fn raised(
    signer: &Certificate,
    [head, tail]: [&[u8]; 2],
    level: TargetLevel,
    stored: bool,
) -> Vec<u8> {
    let mut services = Services::new(Pki::shared(), now());
    let mut options = options();
    let mut tail = tail.to_vec();
    let mut extension = Extension::new(ExtendOptions::new(level).nonce_seed([7; 32]));
    loop {
        if stored {
            extension = Extension::from_json(&extension.to_json(None).unwrap(), None).unwrap();
        }
        let mut out = Behind { skip: head.len() as u64 + LEN, update: Vec::new() };
        let step = {
            let mut document = document(head, &tail);
            extension.advance(&mut document, &mut options, services.now, &mut out).unwrap()
        };
        match step {
            Advance::Needs(needs) => {
                for need in needs {
                    let answer = services.answer(&need, &[signer]).unwrap();
                    extension.answer(&need.id(), answer, services.now).unwrap();
                }
            }
            Advance::Written => {
                tail = out.update;
                services.now += TimeDelta::seconds(1);
            }
            Advance::Done(reached) => {
                assert_eq!((reached.level, reached.missing.len()), (level.level(), 0));
                return tail;
            }
            other => panic!("{other:?}"),
        }
    }
}

fn options() -> VerifyOptions<'static> {
    VerifyOptions::new().trust(std::slice::from_ref(Pki::shared().issuing()))
}

/// Once for the signature, once to be copied, and once at the end: the time-stamps' imprints go on
/// from the digests of the first reading, and all updates are written with one copy.
const READINGS: u64 = 3;
/// Whoever was not there before trusts no digest: after the first token, and after the answers
/// about revocation.
const READINGS_STORED: u64 = READINGS + 2;

#[test]
fn a_long_pdf_is_raised_in_few_readings_and_never_held() {
    let signer = signer(Pki::shared(), Key::Rsa2048);
    let [head, tail] = pdf_around(LEN);
    let options_of_signing = pades::SignatureOptions::new();
    let mut source = document(&head, &tail);
    let (chain, parameters) = (&signer.chain, parameters());
    let pending = pades::prepare(&mut source, chain, &parameters, &options_of_signing).unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Behind { skip: head.len() as u64 + LEN, update: Vec::new() };
    pending.complete(Some(&mut source), &value, &mut out).unwrap();
    let signed = out.update;
    READ.store(0, Ordering::Relaxed);

    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage_as_mb();
    let archived = raised(signer.leaf(), [&head, &signed], TargetLevel::Lta, false);
    assert_eq!(readings(), READINGS);
    let report =
        ades::verify(&mut document(&head, &archived), options(), now() + TimeDelta::minutes(1))
            .unwrap();
    assert!(report.is_passed(), "{report}");
    assert_eq!(report.signatures[0].level, Level::Lta);
    // The signature and the time-stamp after it are over the same beginning.
    assert_eq!(readings(), 1);
    let held = ALLOCATOR.peak_usage_as_mb() - before;
    assert!(held < MAY_BE_HELD, "{held} MB held for {LEN} octets");

    raised(signer.leaf(), [&head, &signed], TargetLevel::Lt, false);
    assert_eq!(readings(), READINGS);

    let by_others = raised(signer.leaf(), [&head, &signed], TargetLevel::Lta, true);
    assert_eq!(readings(), READINGS_STORED);
    assert!(by_others.len() > archived.len() / 2);
}
