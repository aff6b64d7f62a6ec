//! Every step from B-B to a renewed B-LTA.

use ades_core::asn1::ber::Reader;
use ades_core::{Digest, DigestAlgorithm, Document};
use ades_evidence::TimeStampPurpose::{Archive, Signature};
use ades_tests::pdf::{Outcome, kinds};
use ades_tests::signing::{parameters, sign_pades, sign_pkcs7};
use pades::report::{Level, Report, Warning};
use pades::{
    Certification, ExtendOptions, FieldLock, PreparedDocument, SignatureOptions, SubFilter,
};

use crate::services::{
    ARCHIVED, STAMPED, archive, crl, embed, options, report, signer, stamp, token_len,
    validation_data,
};

pub fn document() -> Vec<u8> {
    ades_tests::pdf::Document::default().write()
}

/// A B-B signature with room for a time-stamp.
pub fn signed(pdf: &[u8]) -> Vec<u8> {
    let options = SignatureOptions::new().room_for_time_stamp(token_len());
    sign_pades(pdf, signer(), &parameters(), &options).unwrap()
}

/// All steps, from B-T on: each step's name and its octets. The last two renew the archive
/// time-stamp with fresh revocation data.
pub fn ladder(signed: &[u8], options: &ExtendOptions<'_>) -> Vec<(&'static str, Vec<u8>)> {
    let t = stamp(signed, 0, Signature, STAMPED, options).unwrap();
    above_t(t, options)
}

fn above_t(t: Vec<u8>, options: &ExtendOptions<'_>) -> Vec<(&'static str, Vec<u8>)> {
    let lt = embed(&t, &validation_data(), options).unwrap();
    let lta = archive(&lt, ARCHIVED, options).unwrap();
    let mut steps = vec![("T", t), ("LT", lt), ("LTA", lta)];
    for (name, number, this, at) in [
        ("renewed", 2, "20260921150000Z", "20260921150100Z"),
        ("renewed twice", 3, "20260921160000Z", "20260921160100Z"),
    ] {
        let mut data = validation_data();
        data.crls = vec![crl(number, (this, "20261021150000Z"))];
        let last = &steps.last().unwrap().1;
        let fresh = embed(last, &data, options).unwrap();
        steps.push((name, archive(&fresh, at, options).unwrap()));
    }
    steps
}

pub fn level(report: &Report) -> Level {
    report.signatures[0].level
}

#[test]
fn every_level_is_reached_and_renewed() {
    let signed = signed(&document());
    assert_eq!(level(&report(&signed, None)), Level::B);
    let mut before = signed;
    for (name, octets) in ladder(&before, &options()) {
        let report = report(&octets, None);
        assert!(report.is_valid(), "{name}: {report:?}");
        let expected = match name {
            "T" => Level::T,
            "LT" => Level::Lt,
            _ => Level::Lta,
        };
        assert_eq!(level(&report), expected, "{name}");
        if name != "T" {
            assert!(octets.starts_with(&before), "{name}");
        }
        before = octets;
    }
    let stamps = report(&before, None).time_stamps;
    assert_eq!(stamps.len(), 3);
    assert!(stamps.iter().all(|stamp| stamp.token.fits()));
}

#[test]
fn trap_06_a_signature_time_stamp_is_over_the_value_and_fills_only_its_placeholder() {
    let signed = signed(&document());
    let [_, start, end, _] = report(&signed, None).signatures[0].byte_range.unwrap();
    let mut source = Document::from_bytes(&signed);
    let digest = DigestAlgorithm::Sha512;
    let pending = pades::prepare_time_stamp(&mut source, 0, Signature, digest, &options()).unwrap();
    assert_eq!(*pending.imprint(), Digest::of(digest, &value(&signed[start as usize..])));
    let stamped = stamp(&signed, 0, Signature, STAMPED, &options()).unwrap();
    assert_eq!(stamped.len(), signed.len());
    assert!(stamped.starts_with(&signed[..start as usize]));
    assert!(stamped.ends_with(&signed[end as usize..]));
}

/// The value of the signature in a hexadecimal string.
fn value(string: &[u8]) -> Vec<u8> {
    let digits = string[1..].iter().take_while(|octet| **octet != b'>');
    let digits: Vec<u8> = digits.copied().collect();
    let octets: Vec<u8> = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let cms = Reader::new(&octets, 0).next("CMS").unwrap();
    let signed_data = cms.children().all(2).unwrap()[1].children().all(1).unwrap()[0];
    let signers = *signed_data.children().all(8).unwrap().last().unwrap();
    let signer = signers.children().all(1).unwrap()[0];
    signer.children().all(8).unwrap()[5].content.to_vec()
}

#[test]
fn trap_09_a_signature_without_room_is_raised_by_a_document_time_stamp() {
    let signed = sign_pades(&document(), signer(), &parameters(), &SignatureOptions::new());
    let stamped = archive(&signed.unwrap(), STAMPED, &options()).unwrap();
    let report = report(&stamped, None);
    assert!(report.is_valid(), "{report:?}");
    assert_eq!(level(&report), Level::T);
    // The placeholder has the measured length and a margin, not more.
    let update = stamped.len() - report.time_stamps[0].byte_range.unwrap()[1] as usize;
    assert!(update < 2 * token_len() + 4096, "{update}");
}

#[test]
fn trap_08_no_changes_allowed_still_allows_time_stamps_and_validation_data() {
    let certified = SignatureOptions::new().certify(Certification::NoChanges);
    let locked = SignatureOptions::new().lock(FieldLock::All);
    for (what, signing, warnings) in
        [("certified", certified, vec![Warning::NoChangesAllowed]), ("locked", locked, Vec::new())]
    {
        let signing = signing.room_for_time_stamp(token_len());
        let signed = sign_pades(&document(), signer(), &parameters(), &signing).unwrap();
        let mut source = Document::from_bytes(&signed);
        let found = pades::check_level(&mut source, 0, Level::Lta, &options()).unwrap();
        assert_eq!(found, warnings, "{what}");
        assert!(pades::check_level(&mut source, 0, Level::T, &options()).unwrap().is_empty());
        let pending =
            pades::prepare_time_stamp(&mut source, 0, Archive, DigestAlgorithm::Sha256, &options());
        assert_eq!(pending.unwrap().warnings(), warnings, "{what}");
        for (name, octets) in ladder(&signed, &options()) {
            let report = report(&octets, None);
            assert!(report.is_valid(), "{what}, {name}: {report:?}");
        }
    }
}

#[test]
fn every_kind_of_document_is_raised() {
    let mut raised = 0;
    for kind in kinds() {
        if kind.outcome != Outcome::Signed {
            continue;
        }
        let mut signing = SignatureOptions::new().room_for_time_stamp(token_len());
        let mut extending = options();
        if let Some(password) = kind.password {
            signing = signing.password(password);
            extending = extending.password(password);
        }
        let signed = sign_pades(&kind.octets, signer(), &parameters(), &signing).unwrap();
        let before = report(&signed, kind.password);
        let at = newest(&before);
        let t = match stamp(&signed, at, Signature, STAMPED, &extending) {
            Ok(t) => t,
            Err(error) => panic!("{}: {error}", kind.name),
        };
        for (name, octets) in above_t(t, &extending) {
            let after = report(&octets, kind.password);
            for (was, is) in before.signatures.iter().zip(&after.signatures) {
                assert_eq!(was.problems, is.problems, "{}, {name}", kind.name);
                assert_eq!(was.intact, is.intact, "{}, {name}", kind.name);
            }
            let expected = match name {
                "T" => Level::T,
                "LT" => Level::Lt,
                _ => Level::Lta,
            };
            assert_eq!(after.signatures[at].level, expected, "{}, {name}", kind.name);
        }
        raised += 1;
    }
    assert!(raised > 50, "{raised}");
}

/// The index of the signature that covers most.
fn newest(report: &Report) -> usize {
    let end = |at: &usize| report.signatures[*at].byte_range.map_or(0, |[_, _, at, len]| at + len);
    (0..report.signatures.len()).max_by_key(end).unwrap()
}

#[test]
fn a_signature_that_is_not_pades_gets_time_stamps_too() {
    let signed = sign_pkcs7(&document(), signer()).unwrap();
    for (name, octets) in ladder(&signed, &options()) {
        let report = report(&octets, None);
        assert_eq!(report.signatures[0].intact, Some(true), "{name}");
        assert!(!report.signatures[0].facts.time_stamps.is_empty(), "{name}");
    }
}

#[test]
fn trap_26_revocation_values_in_the_cms_do_not_make_lt() {
    let pdf = document();
    let mut source = Document::from_bytes(&pdf);
    let (parameters, options) = (parameters(), SignatureOptions::new());
    let prepared = PreparedDocument::new(
        &mut source,
        DigestAlgorithm::Sha256,
        SubFilter::Cades,
        16 * 1024,
        &parameters,
        &options,
    )
    .unwrap();
    let digest = prepared.digest().clone();
    let cms = cades::embedded::prepare_digest(digest, &signer().chain, &parameters).unwrap();
    let cms = cades::embedded::complete(&cms, &signer().sign(&cms.to_be_signed())).unwrap();
    let (mut grown, data) = (Vec::new(), validation_data());
    cades::add_validation_data(&mut Document::from_bytes(&cms), &[0], &data, &mut grown).unwrap();
    let mut signed = Vec::new();
    prepared.embed(&mut source, &grown, &mut signed).unwrap();
    let t = stamp(&signed, 0, Signature, STAMPED, &crate::services::options()).unwrap();
    let found = report(&t, None);
    assert_eq!(level(&found), Level::T);
    assert!(!found.signatures[0].facts.evidence.revocation_values().is_empty());
    let lt = embed(&t, &data, &crate::services::options()).unwrap();
    assert_eq!(level(&report(&lt, None)), Level::Lt);
}
