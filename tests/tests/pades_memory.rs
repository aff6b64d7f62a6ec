//! Demand 30: memory does not grow with the size of a PDF. This file has one test,
//! because the allocator counts for the whole process.

use ades_core::{Digest, DigestAlgorithm, Document, PendingState};
use ades_evidence::{TimeStampPurpose, ValidationData};
use ades_tests::levels::{Services, now};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::parameters;
use ades_tests::zeros::{Behind, Zeros, pdf_around};
use pades::report::Coverage;
use pades::{ExtendOptions, SignatureOptions, VerifyOptions};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// A length far above the memory bound.
const LEN: u64 = 128 * 1024 * 1024;
const MAY_BE_HELD: f32 = 4.0;

#[test]
fn a_pdf_is_never_held_in_memory() {
    let signer = Pki::shared().signer(Key::P256);
    let [head, tail] = pdf_around(LEN);
    let len = head.len() as u64 + LEN + tail.len() as u64;
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage_as_mb();
    let mut source = Document::seekable(Zeros::new(LEN, [&head, &tail]));
    let options = SignatureOptions::new();
    let pending = pades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
    assert!(pending.to_json(None).unwrap().len() < 32 * 1024);
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Behind { skip: len, update: Vec::new() };
    pending.complete(Some(&mut source), &value, &mut out).unwrap();
    let tail = [&tail[..], &out.update].concat();
    let mut signed = Document::seekable(Zeros::new(LEN, [&head, &tail]));
    let report = pades::verify(&mut signed, VerifyOptions::new()).unwrap();
    assert!(report.is_valid(), "{report:?}");
    assert_eq!(report.signatures[0].covers, Coverage::Whole);
    let extended = extended(&head, &tail);
    assert!(extended.starts_with(&tail) && extended.len() > tail.len() + 4096);
    let held = ALLOCATOR.peak_usage_as_mb() - before;
    assert!(held < MAY_BE_HELD, "{held} MB held for {len} octets");
}

/// The end of the document after validation data and a document time-stamp were added.
fn extended(head: &[u8], tail: &[u8]) -> Vec<u8> {
    let mut tail = tail.to_vec();
    let mut data = ValidationData::new();
    data.certificates = Pki::shared().signer(Key::P256).chain.certificates().to_vec();
    let options = ExtendOptions::new().token_len(4096);
    let (purpose, digest) = (TimeStampPurpose::Archive, DigestAlgorithm::Sha256);
    for step in 0..2 {
        let mut source = Document::seekable(Zeros::new(LEN, [head, &tail]));
        let skip = head.len() as u64 + LEN + tail.len() as u64;
        let mut out = Behind { skip, update: Vec::new() };
        if step == 0 {
            pades::add_validation_data(&mut source, 0, &data, &options, &mut out).unwrap();
        } else {
            let pending =
                pades::prepare_time_stamp(&mut source, 0, purpose, digest, &options).unwrap();
            let token = stamp_over(pending.imprint());
            pades::add_time_stamp(&mut source, &pending, &token, &mut out).unwrap();
        }
        drop(source);
        tail.extend_from_slice(&out.update);
    }
    tail
}

fn stamp_over(imprint: &Digest) -> Vec<u8> {
    Services::new(Pki::shared(), now()).token_over(imprint, None)
}
