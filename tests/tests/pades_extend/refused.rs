//! What is refused, and before a time-stamp is spent.

use ades_core::{Digest, DigestAlgorithm, Document, Fault, PendingState};
use ades_evidence::TimeStampPurpose::{Archive, Signature};
use ades_tests::pdf::{Encryption, encrypted};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{parameters, sign_pades};
use pades::error::NotExtendable;
use pades::{Error, ExtendOptions, PendingTimeStamp, SignatureOptions};

use crate::ladder::{document, level, signed};
use crate::services::{
    ARCHIVED, STAMPED, archive, embed, options, report, signer, stamp, token, token_len,
    validation_data,
};

fn prepare(pdf: &[u8], options: &ExtendOptions<'_>) -> Result<PendingTimeStamp, Error> {
    let digest = DigestAlgorithm::Sha256;
    pades::prepare_time_stamp(&mut Document::from_bytes(pdf), 0, Signature, digest, options)
}

#[test]
fn trap_09_missing_room_is_reported_before_a_time_stamp_is_spent() {
    // The length of an RSA signature does not vary.
    let rsa = Pki::shared().signer(Key::Rsa2048);
    let sign = |options| sign_pades(&document(), rsa, &parameters(), &options).unwrap();
    let why = match prepare(&sign(SignatureOptions::new()), &options()) {
        Err(Error::CannotAdd { why }) => why,
        other => panic!("{other:?}"),
    };
    let NotExtendable::NoRoom { missing } = why else { panic!("{why:?}") };
    // As many octets more, and it fits.
    let fits = sign(SignatureOptions::new().reserve(missing));
    let stamped = stamp(&fits, 0, Signature, STAMPED, &options()).unwrap();
    assert_eq!(level(&report(&stamped, None)), pades::report::Level::T);
    let just_not = sign(SignatureOptions::new().reserve(missing - 3));
    assert!(matches!(
        prepare(&just_not, &options()),
        Err(Error::CannotAdd { why: NotExtendable::NoRoom { missing: 1..=3 } })
    ));
}

#[test]
fn a_later_signature_or_document_time_stamp_covers_the_cms() {
    let twice = signed(&signed(&document()));
    let later = Err(NotExtendable::CoveredLater);
    let why = |pdf: &[u8], at| match stamp(pdf, at, Signature, STAMPED, &options()) {
        Ok(_) => Ok(()),
        Err(Error::CannotAdd { why }) => Err(why),
        Err(error) => panic!("{error}"),
    };
    assert_eq!(why(&twice, 0), later);
    assert_eq!(why(&twice, 1), Ok(()));
    let stamped = archive(&twice, STAMPED, &options()).unwrap();
    assert_eq!(why(&stamped, 1), later);
    let report = report(&stamped, None);
    assert!(report.is_valid(), "{report:?}");
    assert!(report.signatures.iter().all(|it| it.level == pades::report::Level::T));
}

#[test]
fn trap_05_a_token_over_other_data_is_not_embedded() {
    let signed = signed(&document());
    for purpose in [Signature, Archive] {
        let mut source = Document::from_bytes(&signed);
        let digest = DigestAlgorithm::Sha256;
        let pending =
            pades::prepare_time_stamp(&mut source, 0, purpose, digest, &options()).unwrap();
        let other = token(&Digest::of(digest, b"other"), STAMPED);
        let mut out = Vec::new();
        let mut add = |token: &[u8]| {
            pades::add_time_stamp(&mut source, &pending, token, &mut out).unwrap_err()
        };
        let error = add(&other);
        assert!(matches!(error, Error::TimeStampMismatch), "{error}");
        assert_eq!(error.fault(), Fault::Input);
        assert!(matches!(add(b"\x30\x00"), Error::TimeStampMalformed));
        assert!(out.is_empty());
    }
}

#[test]
fn another_document_is_not_extended() {
    let signed = signed(&document());
    for purpose in [Signature, Archive] {
        let mut source = Document::from_bytes(&signed);
        let digest = DigestAlgorithm::Sha256;
        let pending =
            pades::prepare_time_stamp(&mut source, 0, purpose, digest, &options()).unwrap();
        let json = pending.to_json(None).unwrap();
        assert!(json.len() < 16 * 1024, "{}", json.len());
        let token = token(pending.imprint(), STAMPED);
        let mut other = signed.clone();
        let [_, start, ..] = report(&signed, None).signatures[0].byte_range.unwrap();
        // A digit of the signature.
        let digit = &mut other[start as usize + 200];
        *digit = if *digit == b'1' { b'2' } else { b'1' };
        for other in [other, [&signed[..], b"\n"].concat(), signed[..50].to_vec()] {
            let mut out = Vec::new();
            let mut other = Document::from_bytes(&other);
            let error = pades::add_time_stamp(&mut other, &pending, &token, &mut out);
            assert!(matches!(error, Err(Error::DocumentChanged)), "{error:?}");
        }
    }
}

#[test]
fn a_token_that_is_longer_than_measured_does_not_fit() {
    let signed = signed(&document());
    let short = ExtendOptions::new().token_len(token_len() - 300);
    let error = archive(&signed, ARCHIVED, &short).unwrap_err();
    assert!(matches!(error, Error::DoesNotFit { .. }), "{error}");
}

#[test]
fn there_must_be_such_a_signature() {
    let signed = signed(&document());
    let stamped = archive(&signed, STAMPED, &options()).unwrap();
    for (pdf, at) in [(&document(), 0), (&signed, 1), (&stamped, 1)] {
        let error = stamp(pdf, at, Archive, STAMPED, &options()).unwrap_err();
        assert!(matches!(error, Error::NoSuchSignature { index } if index == at), "{error}");
    }
    let error = embed(&document(), &validation_data(), &options()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the document has no signature number 1: document time-stamps do not count"
    );
}

#[test]
fn sha_1_is_refused() {
    let signed = signed(&document());
    for purpose in [Signature, Archive] {
        let mut source = Document::from_bytes(&signed);
        let digest = DigestAlgorithm::Sha1;
        let error = pades::prepare_time_stamp(&mut source, 0, purpose, digest, &options());
        assert!(matches!(error, Err(Error::Core(_))), "{error:?}");
    }
}

#[test]
fn an_encrypted_document_needs_its_password() {
    let locked = encrypted(&document(), Encryption::Aes256, "");
    let options = options();
    let signing = SignatureOptions::new().room_for_time_stamp(token_len());
    let signed = sign_pades(&locked, signer(), &parameters(), &signing).unwrap();
    stamp(&signed, 0, Signature, STAMPED, &options).unwrap();
    archive(&signed, ARCHIVED, &options).unwrap();
    let secret = encrypted(&document(), Encryption::Aes256, "secret");
    let signed = sign_pades(&secret, signer(), &parameters(), &signing.password("secret")).unwrap();
    let error = archive(&signed, ARCHIVED, &options.password("wrong")).unwrap_err();
    assert!(matches!(error, Error::WrongPassword), "{error}");
    archive(&signed, ARCHIVED, &options.password("secret")).unwrap();
}

#[test]
fn values_that_are_not_one_element_are_refused() {
    let signed = signed(&document());
    for change in [
        (|data: &mut ades_evidence::ValidationData| data.crls[0].push(0)) as fn(&mut _),
        |data| data.ocsp_responses[0].truncate(9),
        |data| data.crls[0].clear(),
    ] {
        let mut data = validation_data();
        change(&mut data);
        let error = embed(&signed, &data, &options()).unwrap_err();
        assert!(matches!(error, Error::RevocationValueMalformed), "{error}");
    }
}

#[test]
fn a_broken_cross_reference_is_not_repaired() {
    let signed = signed(&document());
    let at = signed.windows(9).rposition(|window| window == b"startxref").unwrap();
    let mut broken = signed.clone();
    broken[at + 10] = b'9';
    let error = archive(&broken, STAMPED, &options()).unwrap_err();
    assert!(matches!(error, Error::BrokenCrossReference { .. }), "{error}");
}
