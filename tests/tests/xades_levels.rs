//! XML signatures raised and renewed through the facade.

use ades::{DigestAlgorithm, Document, ExtendOptions, Level, Need, TargetLevel};
use ades_tests::levels::{Raising, signer};
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
