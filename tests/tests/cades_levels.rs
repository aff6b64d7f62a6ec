//! CAdES signatures raised to B-T, B-LT and B-LTA, and renewed. The traps have the numbers of
//! `docs/levels.md`.

use ades::{
    Advance, AnswerError, DigestAlgorithm, Document, ExtendOptions, Extension, Level, Need,
    TargetLevel,
};
use ades_evidence::TimeStampPurpose;
use ades_tests::cms;
use ades_tests::levels::{Raising, Responder, now, response, signer};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{parameters, sign};
use cades::Packaging;
use chrono::{DateTime, TimeDelta};

const CONTENT: &[u8] = b"content to be kept for long\n";

fn to(level: TargetLevel) -> ExtendOptions {
    ExtendOptions::new(level)
}

fn level(report: &ades::Report) -> Level {
    report.signatures[0].level
}

#[test]
fn every_level_is_reached_passes_and_outlives_the_certificates() {
    for key in [Key::P256, Key::Rsa2048, Key::Ed25519] {
        let signer = signer(Pki::shared(), key);
        let (detached, enveloping) = (Packaging::Detached, Packaging::Enveloping);
        for (packaging, is_stored) in [(detached, true), (enveloping, true), (enveloping, false)] {
            let container = sign(CONTENT, packaging, &signer, &parameters()).unwrap();
            let mut raising = Raising::new(&signer);
            raising.original = (packaging == Packaging::Detached).then_some(CONTENT);
            raising.is_stored = is_stored;
            for (wish, expected) in [
                (TargetLevel::T, Level::T),
                (TargetLevel::Lt, Level::Lt),
                (TargetLevel::Lta, Level::Lta),
            ] {
                let (raised, reached) = raising.raise(&container, to(wish));
                assert_eq!((reached.level, &reached.missing), (expected, &vec![]), "{reached:?}");
                let report = raising.verify(&raised);
                assert_eq!(level(&report), expected);
                assert_eq!(report.is_passed(), wish > TargetLevel::T, "{key:?}\n{report}");
            }
        }
    }
}

#[test]
fn a_level_is_reached_step_by_step_as_at_once() {
    let signer = signer(Pki::shared(), Key::P256);
    let mut container = sign(CONTENT, Packaging::Enveloping, &signer, &parameters()).unwrap();
    let mut raising = Raising::new(&signer);
    for (wish, expected, written) in [
        (TargetLevel::T, Level::T, 1),
        (TargetLevel::T, Level::T, 1),
        (TargetLevel::Lt, Level::Lt, 2),
        (TargetLevel::Lt, Level::Lt, 2),
        (TargetLevel::Lta, Level::Lta, 3),
    ] {
        let (raised, reached) = raising.raise(&container, to(wish));
        assert_eq!((reached.level, reached.missing), (expected, vec![]));
        assert_eq!(raising.written, written);
        container = raised;
    }
    // A time-stamp is requested once for each that is there.
    assert_eq!(raising.services.counts[0], 2);
    // Renewed twice, the second time with a stronger digest. Before each, what the last
    // time-stamp needs is embedded.
    for digest in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512] {
        raising.services.now += TimeDelta::days(400);
        let options = to(TargetLevel::Lta).digest(digest);
        let (raised, reached) = raising.raise(&container, options);
        assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]));
        assert!(raising.verify(&raised).is_passed());
        container = raised;
    }
    let report = raising.verify(&container);
    let stamps: Vec<_> = report.signatures[0].time_stamps().collect();
    assert_eq!(stamps.len(), 4);
    assert!(stamps.iter().all(|stamp| stamp.fits()));
    let newest = stamps.last().unwrap();
    assert_eq!(newest.covers.objects.time_stamps.len(), 3, "it covers those before it");
}

#[test]
fn trap_10_what_was_reached_stays_when_a_service_fails() {
    let signer = signer(Pki::shared(), Key::P256);
    let container = sign(CONTENT, Packaging::Enveloping, &signer, &parameters()).unwrap();
    let mut raising = Raising::new(&signer);
    raising.broken = |need| matches!(need, Need::TimeStamp { .. });
    let (same, reached) = raising.raise(&container, to(TargetLevel::Lta));
    assert_eq!((same == container, reached.level), (true, Level::B));
    assert_eq!(reached.missing[0].code, "time-stamp-failed");

    raising.broken = |need| !matches!(need, Need::TimeStamp { .. });
    let (with_time, reached) = raising.raise(&container, to(TargetLevel::Lta));
    assert_eq!(reached.level, Level::T);
    assert!(reached.missing.iter().all(|missing| missing.code == "revocation-missing"));
    assert!(reached.missing[0].text.contains("the service is down"), "{reached:?}");

    // It goes on from there, with a CRL where OCSP fails.
    raising.broken = |need| matches!(need, Need::Ocsp { .. });
    let stamps = raising.services.counts[0];
    let (raised, reached) = raising.raise(&with_time, to(TargetLevel::Lt));
    assert_eq!((reached.level, reached.missing), (Level::Lt, vec![]));
    assert_eq!(raising.services.counts, [stamps, 0, 1]);
    assert!(raising.verify(&raised).is_passed());
}

#[test]
fn trap_14_a_responder_needs_data_of_its_own_unless_it_has_nocheck() {
    let signer = signer(Pki::shared(), Key::P256);
    let container = sign(CONTENT, Packaging::Enveloping, &signer, &parameters()).unwrap();
    for (by, crls) in [(Responder::NoCheck, 0), (Responder::Checked, 1)] {
        let mut raising = Raising::new(&signer);
        raising.services.by = by;
        // Nobody vouches for itself: there is no OCSP response about the responder.
        let (raised, reached) = raising.raise(&container, to(TargetLevel::Lt));
        assert_eq!((reached.level, &reached.missing), (Level::Lt, &vec![]), "{by:?} {reached:?}");
        assert_eq!(raising.services.counts[2], crls, "{by:?}");
        let report = raising.verify(&raised);
        assert!(report.is_passed(), "{by:?}\n{report}");
    }
}

#[test]
fn trap_22_the_chain_and_the_revocation_of_the_authority_are_embedded() {
    let signer = signer(Pki::shared(), Key::P256);
    let container = sign(CONTENT, Packaging::Enveloping, &signer, &parameters()).unwrap();
    let mut raising = Raising::new(&signer);
    let (raised, reached) = raising.raise(&container, to(TargetLevel::Lt));
    assert_eq!(reached.level, Level::Lt);
    let report = raising.verify(&raised);
    let values = report.signatures[0].facts.evidence.revocation_values();
    assert_eq!(values.len(), 2, "one about the signer, one about the authority");
}

#[test]
fn a_revoked_signer_is_not_raised_to_lt() {
    let signer = signer(Pki::shared(), Key::P256);
    let container = sign(CONTENT, Packaging::Enveloping, &signer, &parameters()).unwrap();
    let mut raising = Raising::new(&signer);
    raising.services.revoked.push(signer.leaf().clone());
    let (_, reached) = raising.raise(&container, to(TargetLevel::Lt));
    assert_eq!(reached.level, Level::T);
    assert_eq!(reached.missing[0].code, "revoked", "{reached:?}");
}

#[test]
fn a_broken_signature_costs_no_time_stamp() {
    let signer = signer(Pki::shared(), Key::P256);
    let mut container = sign(CONTENT, Packaging::Enveloping, &signer, &parameters()).unwrap();
    let at = container.windows(CONTENT.len()).position(|window| window == CONTENT).unwrap();
    container[at] ^= 1;
    let mut raising = Raising::new(&signer);
    let (same, reached) = raising.raise(&container, to(TargetLevel::Lta));
    assert_eq!((same == container, raising.services.counts), (true, [0; 3]));
    assert_eq!(reached.missing[0].code, "not-intact");
}

/// The set of digest algorithms, which an archive time-stamp makes grow, is not one: its only
/// element is longer than the set.
#[test]
fn a_container_that_cannot_grow_costs_no_time_stamp() {
    let signer = signer(Pki::shared(), Key::P256);
    let mut container = sign(CONTENT, Packaging::Enveloping, &signer, &parameters()).unwrap();
    let set = [0x31, 0x0D, 0x30, 0x0B, 0x06, 0x09];
    let at = container.windows(set.len()).position(|window| window == set).unwrap();
    container[at + 3] = 0x1E;
    for (purpose, is_refused) in
        [(TimeStampPurpose::Signature, false), (TimeStampPurpose::Archive, true)]
    {
        let (mut source, options) = (Document::from_bytes(&container), cades::ExtendOptions::new());
        let digest = DigestAlgorithm::Sha256;
        let prepared = cades::prepare_time_stamp(&mut source, &[0], purpose, digest, options);
        assert_eq!(prepared.is_err(), is_refused, "{purpose:?} {prepared:?}");
    }
}

#[test]
fn trap_5_and_24_only_the_time_stamp_that_was_asked_for_counts() {
    let signer = signer(Pki::shared(), Key::P256);
    let container = sign(CONTENT, Packaging::Enveloping, &signer, &parameters()).unwrap();
    let raising = Raising::new(&signer);
    let mut extension = Extension::new(to(TargetLevel::T).nonce_seed([1; 32]));
    let advance = |extension: &mut Extension, out: &mut Vec<u8>| {
        let mut document = Document::from_bytes(&container);
        extension.advance(&mut document, &mut raising.options(), now(), out).unwrap()
    };
    let mut out = Vec::new();
    let Advance::Needs(needs) = advance(&mut extension, &mut out) else { panic!() };
    let [need] = needs.as_slice() else { panic!() };
    let Need::TimeStamp { request } = need else { panic!() };
    let services = &raising.services;
    let answer = |extension: &mut Extension, octets: &[u8]| {
        extension.answer(&need.id(), octets.to_vec(), now())
    };

    let other = ades_core::Digest::of(DigestAlgorithm::Sha256, b"other data");
    let good = services.token(request);
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    for (token, expected) in [
        (services.token_over(&other, None), "over other data"),
        (services.token_over(request.imprint(), None), "another nonce"),
        (services.token_over(request.imprint(), Some(vec![1])), "another nonce"),
        (changed, "does not hold"),
    ] {
        let error = answer(&mut extension, &response(&token)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert!(matches!(answer(&mut extension, b"nonsense"), Err(AnswerError::NotAsked(_))));
    // The need is still open, and the same.
    let Advance::Needs(again) = advance(&mut extension, &mut out) else { panic!() };
    assert_eq!(again, needs);
    answer(&mut extension, &response(&good)).unwrap();
    assert!(matches!(advance(&mut extension, &mut out), Advance::Written));
    assert_eq!(level(&raising.verify(&out)), Level::T);
}

/// EN 319 122-1, 5.5: version 2 is for reading.
#[test]
fn trap_2_only_archive_time_stamps_of_version_3_are_made() {
    let signer = signer(Pki::shared(), Key::P256);
    let container = sign(CONTENT, Packaging::Enveloping, &signer, &parameters()).unwrap();
    let (raised, _) = Raising::new(&signer).raise(&container, to(TargetLevel::Lta));
    let mut source = Document::from_bytes(&raised);
    let report = cades::verify(&mut source, cades::VerifyOptions::new()).unwrap();
    let kinds = &report.signatures[0].unsigned_attributes;
    let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    assert_eq!(kinds, ["1.2.840.113549.1.9.16.2.14", "0.4.0.1733.2.4"]);
}

/// A container in BER: indefinite lengths, and the content in two segments.
fn in_ber(container: &[u8]) -> Vec<u8> {
    use ades_core::asn1::ber::{Element, Reader};

    fn children<'a>(element: &Element<'a>) -> Vec<Element<'a>> {
        element.children().all(8).unwrap()
    }
    let whole = Reader::new(container, 0).next("ContentInfo").unwrap();
    let [kind, explicit] = children(&whole)[..] else { panic!() };
    let signed_data = children(&explicit)[0];
    let mut fields = Vec::new();
    for field in children(&signed_data) {
        if field.tag != 0x30 {
            fields.extend(field.raw);
            continue;
        }
        let [content_type, explicit] = children(&field)[..] else { panic!() };
        let (first, second) = children(&explicit)[0].content.split_at(5);
        let segments = [cms::element(4, &[first]), cms::element(4, &[second])].concat();
        let parts = [&[0x30, 0x80], content_type.raw, &[0xA0, 0x80, 0x24, 0x80], &segments];
        fields.extend([&parts.concat()[..], &[0; 6]].concat());
    }
    [&[0x30, 0x80], kind.raw, &[0xA0, 0x80, 0x30, 0x80], &fields, &[0; 6]].concat()
}

#[test]
fn trap_1_a_container_in_ber_is_raised_with_its_octets() {
    let signer = signer(Pki::shared(), Key::P256);
    let container = sign(CONTENT, Packaging::Enveloping, &signer, &parameters()).unwrap();
    let container = in_ber(&container);
    let mut raising = Raising::new(&signer);
    let (raised, reached) = raising.raise(&container, to(TargetLevel::Lta));
    assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]));
    assert_eq!(raised[..2], [0x30, 0x80], "its lengths stay indefinite");
    assert!(raising.verify(&raised).is_passed());
}

#[test]
fn trap_25_renewal_needs_a_valid_newest_time_stamp_alone() {
    let pki = Pki::shared();
    let signer = signer(pki, Key::P256);
    let container = sign(CONTENT, Packaging::Enveloping, &signer, &parameters()).unwrap();
    let mut raising = Raising::new(&signer);
    let (mut raised, _) = raising.raise(&container, to(TargetLevel::Lta));
    // All certificates of today end in 2050.
    for (year, validity) in
        [(2049, ((2045, 1, 1), (2056, 1, 1))), (2055, ((2050, 1, 1), (2059, 1, 1)))]
    {
        raising.services.now =
            DateTime::parse_from_rfc3339(&format!("{year}-06-01T00:00:00Z")).unwrap().to_utc();
        let next = raising.services.new_authority(validity);
        let before = std::mem::replace(&mut raising.services.authority, next);
        raising.services.known.push(before.leaf().clone());
        let options = to(TargetLevel::Lta).digest(DigestAlgorithm::Sha512);
        let (renewed, reached) = raising.raise(&raised, options);
        assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]), "{year}");
        let report = raising.verify(&renewed);
        let stamps = &report.signatures[0].judgement.time_stamps;
        let newest = stamps.last().unwrap();
        assert_eq!(newest.trusted, Some(true), "{year}\n{report}");
        // Of the second one's authority nothing is embedded yet, and it has not certified itself.
        assert!(year > 2049 || report.is_passed(), "{year}\n{report}");
        raised = renewed;
    }
}

#[test]
fn several_signers_are_raised_one_after_the_other() {
    let (first, second) = (signer(Pki::shared(), Key::P256), signer(Pki::shared(), Key::P384));
    let container = sign(CONTENT, Packaging::Enveloping, &first, &parameters()).unwrap();
    let mut source = Document::from_bytes(&container);
    let options = cades::SignatureOptions::new();
    let pending =
        cades::prepare_parallel(&mut source, None, &second.chain, &parameters(), &options).unwrap();
    let mut both = Vec::new();
    let value = second.sign(&pending.to_be_signed());
    pending.complete(Some(&mut source), &value, &mut both).unwrap();

    let mut raising = Raising::new(&first);
    // The CRL is about both.
    raising.broken = |need| matches!(need, Need::Ocsp { .. });
    let (raised, reached) = raising.raise(&both, to(TargetLevel::Lta));
    assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]));
    assert_eq!(raising.services.counts, [4, 0, 1]);
    let report = raising.verify(&raised);
    assert!(report.is_passed(), "{report}");
}
