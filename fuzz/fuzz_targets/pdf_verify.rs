//! Any octets are verified or refused. A signed document that is changed is not
//! intact. After octets are added to it, the signature does not cover the whole.
#![no_main]

use ades_core::Document;
use libfuzzer_sys::fuzz_target;
use pades::VerifyOptions;
use pades::report::{Coverage, Report};

/// A signed document whose value verifies.
const SIGNED: &[u8] = include_bytes!("../seeds/pdf/signed");

fn verify(octets: &[u8]) -> Option<Report> {
    pades::verify(&mut Document::from_bytes(octets), VerifyOptions::new()).ok()
}

fuzz_target!(|octets: &[u8]| {
    let _ = verify(octets);
    let added = [SIGNED, octets].concat();
    if let Some(report) = verify(&added) {
        let whole = |s: &pades::report::SignatureReport| {
            s.intact == Some(true) && s.covers == Coverage::Whole
        };
        assert_eq!(report.signatures.iter().any(whole), octets.is_empty(), "{report:?}");
    }
    // Offsets, and the octets that are written there.
    let mut changed = SIGNED.to_vec();
    for change in octets.chunks_exact(3).take(64) {
        let [high, low, octet] = change else { continue };
        let at = usize::from(u16::from_be_bytes([*high, *low])) % changed.len();
        if let Some(place) = changed.get_mut(at) {
            *place = *octet;
        }
    }
    let gap = 1 + SIGNED.windows(10).rposition(|w| w == b"/Contents<").expect("it is signed") + 8;
    let after = gap + SIGNED[gap..].iter().position(|o| *o == b'>').expect("it has an end") + 1;
    let same = |range: std::ops::Range<usize>| changed.get(range.clone()) == SIGNED.get(range);
    if !(same(0..gap) && same(after..SIGNED.len()))
        && let Some(report) = verify(&changed)
    {
        assert!(report.signatures.iter().all(|s| s.intact != Some(true)), "{report:?}");
    }
});
