//! lopdf as a second reader of PDFs: what a signature adds, and that everything
//! else is there as before.

use ades_core::Document;
use ades_tests::corpora;
use ades_tests::pdf::samples;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{parameters, sign_pades, sign_pades_by_stub};
use pades::{Certification, SignatureField, SignatureOptions};
use second_readers::pdf::{Update, compare};

#[track_caller]
fn same(name: &str, document: &[u8], signed: &[u8]) -> Option<Update> {
    compare(document, signed).unwrap_or_else(|difference| panic!("{name}: {difference}"))
}

#[test]
fn a_signature_leaves_every_object_of_generated_documents() {
    let signer = Pki::shared().signer(Key::P256);
    let options = [
        SignatureOptions::new().repair(),
        SignatureOptions::new().repair().certify(Certification::FormFilling).reason("Agreed"),
        SignatureOptions::new().repair().field(SignatureField::NewNamed("group.mine".to_owned())),
    ];
    let mut read = 0;
    for sample in samples() {
        for options in &options {
            let options = options.clone().password(sample.password.unwrap_or_default());
            let Ok(signed) = sign_pades(&sample.octets, signer, &parameters(), &options) else {
                continue;
            };
            let Some(update) = same(sample.name, &sample.octets, &signed) else { continue };
            read += 1;
            assert!(update.new >= 2, "{}: a field and its value are new: {update:?}", sample.name);
            assert!(update.changed >= 1, "{}: {update:?}", sample.name);
        }
    }
    assert!(read >= 60, "lopdf read {read} signed documents only");
}

#[test]
fn what_is_gone_or_changed_is_noticed() {
    let document = |pages, seed| ades_tests::pdf::Document { pages, seed, ..Default::default() };
    let written = document(2, 1).write();
    assert_eq!(compare(&written, &written).unwrap().unwrap().changed, 0);
    assert!(compare(&written, &document(1, 1).write()).is_err(), "a page is gone");
    assert!(compare(&written, &document(2, 2).write()).is_err(), "the pages look different");
    assert!(compare(&written, b"%PDF-1.7").is_err(), "it does not read");
}

#[test]
fn a_second_signature_leaves_every_object() {
    let signer = Pki::shared().signer(Key::P256);
    for sample in samples().iter().filter(|sample| sample.sound && sample.password.is_none()) {
        let sign = |pdf: &[u8]| sign_pades(pdf, signer, &parameters(), &SignatureOptions::new());
        let Ok(once) = sign(&sample.octets) else { continue };
        same(sample.name, &once, &sign(&once).unwrap());
    }
}

#[test]
fn a_signature_leaves_every_object_of_the_corpus() {
    let mut read = 0;
    let Some(files) = corpora::everything(&["pdf", "signed"], &[".pdf"]) else { return };
    for (name, octets) in &files {
        let options = SignatureOptions::new();
        let mut document = Document::from_bytes(octets);
        if pades::check(&mut document, &parameters(), &options).is_err() {
            continue;
        }
        read += usize::from(same(name, octets, &sign_pades_by_stub(octets)).is_some());
    }
    println!("lopdf read {read} of {} documents", files.len());
    assert!(read * 2 > files.len(), "lopdf read {read} documents only");
}
