//! PDFs of any kind: verified, signed with and without repair; what is written
//! reads back and covers the whole file.
#![no_main]

use ades_core::{DigestAlgorithm, Document, SignatureParameters};
use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use pades::report::Coverage;
use pades::{Given, PreparedDocument, SignatureOptions, SubFilter};

fuzz_target!(|octets: &[u8]| {
    let mut document = Document::from_bytes(octets);
    let _ = pades::verify(&mut document, Given::default());
    let parameters = SignatureParameters::new(DateTime::UNIX_EPOCH);
    let strict = SignatureOptions::new().overrule_permissions();
    for options in [strict.clone(), strict.repair()] {
        let prepared = PreparedDocument::new(
            &mut document,
            DigestAlgorithm::Sha256,
            SubFilter::Cades,
            32,
            &parameters,
            &options,
        );
        let Ok(prepared) = prepared else { continue };
        let mut signed = Vec::new();
        prepared.embed(&mut document, &[0x30, 0], &mut signed).expect("the same document");
        assert!(signed.starts_with(octets));
        let report = pades::verify(&mut Document::from_bytes(&signed), Given::default());
        // Limits are for the whole file, which is longer now.
        let Ok(report) = report else { continue };
        assert!(report.signatures.iter().any(|s| s.covers == Coverage::Whole), "{report:?}");
    }
});
