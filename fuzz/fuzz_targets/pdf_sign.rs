//! Any octets are signed or refused. The signed document begins with the document,
//! and has one signature more, which covers all of it. Every other object reads as
//! before; objects that the signature changes keep their entries.
#![no_main]

use ades_core::{DigestAlgorithm, Document, SignatureParameters};
use libfuzzer_sys::fuzz_target;
use pades::fuzzing::Objects;
use pades::report::{Coverage, Problem};
use pades::{
    Appearance, PreparedDocument, Rectangle, SignatureField, SignatureOptions, SubFilter,
    VerifyOptions,
};

const CAPACITY: usize = 64;
/// Not CMS, but an element of DER.
const CMS: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x01];

/// A PNG of one grey pixel.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1A\n\
    \x00\x00\x00\x0D\x49\x48\x44\x52\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00\x3A\x7E\x9B\x55\
    \x00\x00\x00\x0A\x49\x44\x41\x54\x78\xDA\x63\x68\x00\x00\x00\x82\x00\x81\xDA\x45\x08\x3B\
    \x00\x00\x00\x00\x49\x45\x4E\x44\xAE\x42\x60\x82";

fuzz_target!(|octets: &[u8]| {
    let mut document = Document::from_bytes(octets);
    let before = pades::verify(&mut document, VerifyOptions::new());
    let visible = Appearance::at(1, Rectangle::new(0.0, 0.0, 10.0, 10.0)).image(PIXEL);
    let existing = before.iter().flat_map(|report| &report.fields);
    let existing = existing.filter(|field| field.is_signature && !field.has_value);
    let existing = existing.map(|field| SignatureField::Existing(field.name.clone())).take(2);
    let existing = existing.map(|field| SignatureOptions::new().field(field));
    let below = SignatureField::NewNamed("a.b.c".to_owned());
    let options = [
        SignatureOptions::new(),
        SignatureOptions::new().repair(),
        SignatureOptions::new().visible(visible).field(below),
    ];
    for options in options.into_iter().chain(existing) {
        let parameters = SignatureParameters::new(chrono::DateTime::UNIX_EPOCH);
        let prepared = PreparedDocument::new(
            &mut document,
            DigestAlgorithm::Sha256,
            SubFilter::Cades,
            CAPACITY,
            &parameters,
            &options,
        );
        let Ok(prepared) = prepared else { continue };
        let mut signed = Vec::new();
        prepared.embed(&mut document, CMS, &mut signed).expect("a prepared signature is completed");
        assert!(signed.starts_with(octets), "the octets of the document do not change");
        if let Some(objects_before) = Objects::read(&mut document, prepared.is_repaired(), false) {
            let after = Objects::read_signed(&mut Document::from_bytes(&signed));
            let after = after.expect("a signed document is read");
            assert_eq!(objects_before.are_kept(&after), Ok(()));
        }
        let report = pades::verify(&mut Document::from_bytes(&signed), VerifyOptions::new())
            .expect("a signed document is read");
        let ours = report.signatures.iter().filter(|s| s.covers == Coverage::Whole);
        assert!(ours.clone().count() == 1, "{report:?}");
        let gap = [Problem::ByteRangeMalformed, Problem::ByteRangeGap, Problem::NotARevision];
        assert!(ours.into_iter().all(|s| !s.problems.iter().any(|p| gap.contains(p))));
        // A repaired document has the signatures that a search finds, which may be more.
        if let Ok(before) = &before
            && !prepared.is_repaired()
        {
            assert_eq!(report.signatures.len(), before.signatures.len() + 1);
        }
    }
});
