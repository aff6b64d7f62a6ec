//! Any octets are signed or refused. What is signed begins with the document,
//! has one signature more than before, and that covers all of it.
#![no_main]

use ades_core::{DigestAlgorithm, Document, SignatureParameters};
use libfuzzer_sys::fuzz_target;
use pades::report::{Coverage, Problem};
use pades::{Given, PreparedDocument, SignatureOptions, SubFilter};

const CAPACITY: usize = 64;
/// No CMS, but an element of DER.
const CMS: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x01];

fuzz_target!(|octets: &[u8]| {
    let mut document = Document::from_bytes(octets);
    let before = pades::verify(&mut document, Given::default());
    for options in [SignatureOptions::new(), SignatureOptions::new().repair()] {
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
        prepared.embed(&mut document, CMS, &mut signed).expect("what was prepared is completed");
        assert!(signed.starts_with(octets), "not one octet may change");
        let report = pades::verify(&mut Document::from_bytes(&signed), Given::default())
            .expect("what was signed is read");
        let ours = report.signatures.iter().filter(|s| s.covers == Coverage::Whole);
        assert!(ours.clone().count() == 1, "{report:?}");
        let gap = [Problem::ByteRangeMalformed, Problem::ByteRangeGap, Problem::NotARevision];
        assert!(ours.into_iter().all(|s| !s.problems.iter().any(|p| gap.contains(p))));
        if let Ok(before) = &before {
            assert_eq!(report.signatures.len(), before.signatures.len() + 1);
        }
    }
});
