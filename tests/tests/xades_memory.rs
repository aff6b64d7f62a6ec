//! Memory does not grow with the size of an XML document, or of the unsigned content of a
//! signature. There is only one test, because the allocator counts for the whole process.

use std::fs::File;
use std::io::{Read, Seek, Write};

use ades_core::Document;
use ades_tests::invoice::Invoice;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::parameters;
use ades_tests::zeros::Zeros;
use peak_alloc::PeakAlloc;
use xades::{
    DetachedDocument, Packaging, SignatureOptions, VerifyOptions, prepare_detached, verify,
};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Far more than may be held in memory.
const LEN: u64 = 16 * 1024 * 1024;
const MAY_BE_HELD: f32 = 4.0;

/// Runs a function and checks how much memory it holds.
fn measured<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let before = ALLOCATOR.current_usage_as_mb();
    ALLOCATOR.reset_peak_usage();
    let result = run();
    let held = ALLOCATOR.peak_usage_as_mb() - before;
    assert!(held < MAY_BE_HELD, "{what} held {held} MB");
    result
}

fn invoice() -> File {
    let mut file = tempfile::tempfile().unwrap();
    std::io::copy(&mut Invoice::new(LEN), &mut file).unwrap();
    file.rewind().unwrap();
    file
}

fn copy(file: &File) -> Document<'static> {
    Document::seekable(file.try_clone().unwrap())
}

#[test]
fn a_document_is_never_held_in_memory() {
    let signer = Pki::shared().signer(Key::P256);
    let document = invoice();
    for packaging in [Packaging::Enveloped, Packaging::EnvelopingBase64] {
        let options = SignatureOptions::new().packaging(packaging.clone());
        let pending = measured("prepare", || {
            xades::prepare(&mut copy(&document), &signer.chain, &parameters(), &options).unwrap()
        });
        let value = signer.sign(&pending.to_be_signed());
        let mut signed = tempfile::tempfile().unwrap();
        measured("complete", || {
            pending.complete(Some(&mut copy(&document)), &value, &mut signed).unwrap();
        });
        signed.flush().unwrap();
        let report =
            measured("verify", || verify(&mut copy(&signed), VerifyOptions::default()).unwrap());
        assert!(report.is_valid(), "{packaging:?}: {report:#?}");
        assert!(report.length > LEN);
    }
    let content = || Document::seekable(Zeros::new(LEN, [&[], &[]]));
    let mut documents = [DetachedDocument::new("zeros", "a/b", content())];
    let options = SignatureOptions::new();
    let pending = prepare_detached(&mut documents, &signer.chain, &parameters(), &options).unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut signed = Vec::new();
    pending.complete(None, &value, &mut signed).unwrap();
    measured("verify detached", || {
        let options = VerifyOptions::new().original_named("zeros", content());
        assert!(verify(&mut Document::from_bytes(&signed), options).unwrap().is_valid());
    });
    // Unsigned content of a signature is not held either.
    let unsigned =
        "<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:RevocationValues>";
    let close =
        "</xades:RevocationValues></xades:UnsignedSignatureProperties></xades:UnsignedProperties>";
    let small = {
        let pending = xades::prepare(
            &mut Document::from_bytes(b"<r/>"),
            &signer.chain,
            &parameters(),
            &SignatureOptions::new(),
        )
        .unwrap();
        let value = signer.sign(&pending.to_be_signed());
        let mut out = Vec::new();
        pending.complete(Some(&mut Document::from_bytes(b"<r/>")), &value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let end = "</xades:SignedProperties>";
    let (before, after) = small.split_once(end).unwrap();
    let mut file = tempfile::tempfile().unwrap();
    write!(file, "{before}{end}{unsigned}").unwrap();
    let mut inside = Vec::new();
    Invoice::new(LEN).read_to_end(&mut inside).unwrap();
    file.write_all(&inside[inside.iter().position(|o| *o == b'\n').unwrap()..]).unwrap();
    drop(inside);
    write!(file, "{close}{after}").unwrap();
    let report =
        measured("verify unsigned", || verify(&mut copy(&file), VerifyOptions::default()).unwrap());
    assert!(report.is_valid(), "{report:#?}");
}
