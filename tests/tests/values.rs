//! The fault of a signature value is reported.

use ades_core::error::OverOther;
use ades_core::verify::verify;
use ades_core::{
    Digest, DigestAlgorithm, DtbsDigest, Error, Retry, SignatureAlgorithm, ToBeSigned,
};
use ades_tests::oracle::openssl;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::algorithms;

const RSA: SignatureAlgorithm = SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha256);
const DATA: &[u8] = b"data to be signed";

#[test]
fn correct_values_verify_and_changed_values_do_not() {
    for key in Key::ALL {
        let signer = Pki::shared().signer(key);
        for algorithm in algorithms(signer) {
            let value = signer.sign(&ToBeSigned::new(DATA.to_vec(), algorithm));
            verify(signer.leaf(), algorithm, DATA, &value).unwrap();
            for at in [0, value.len() / 2, value.len() - 1] {
                let mut flipped = value.clone();
                flipped[at] ^= 1;
                assert!(verify(signer.leaf(), algorithm, DATA, &flipped).is_err(), "{algorithm}");
            }
            assert!(verify(signer.leaf(), algorithm, b"other data", &value).is_err());
        }
    }
}

/// Edge case 52: the user has a new certificate.
#[test]
fn another_key_and_another_digest_are_distinguished() {
    let signer = Pki::shared().signer(Key::Rsa2048);
    let other = Pki::shared().issue(&ades_tests::pki::Profile::new(Key::Rsa2048));
    let value = other.sign(&ToBeSigned::new(DATA.to_vec(), RSA));
    let error = verify(signer.leaf(), RSA, DATA, &value).unwrap_err();
    assert!(matches!(error, Error::WrongKey), "{error}");
    assert_eq!(error.retry(), Retry::NewIdentification);

    let value = signer.sign(&ToBeSigned::new(b"other".to_vec(), RSA));
    assert!(matches!(
        verify(signer.leaf(), RSA, DATA, &value),
        Err(Error::ValueOverOther(OverOther::Digest(DigestAlgorithm::Sha256)))
    ));
}

/// One in 256 damaged values decrypts to octets with the trailer of RSASSA-PSS.
#[test]
fn damage_is_not_reported_as_another_scheme() {
    let signer = Pki::shared().signer(Key::Rsa2048);
    let good = signer.sign(&ToBeSigned::new(DATA.to_vec(), RSA));
    for count in 1..=1500_u16 {
        let mut damaged = good.clone();
        let [high, low] = count.to_be_bytes();
        damaged[100] ^= high;
        damaged[101] ^= low;
        let error = verify(signer.leaf(), RSA, DATA, &damaged).unwrap_err();
        assert!(matches!(error, Error::WrongKey), "{count}: {error}");
    }
}

/// Edge case 54: without DigestInfo, as PSS, or digested twice.
#[test]
fn a_wrongly_encoded_digest_is_reported() {
    let signer = Pki::shared().signer(Key::Rsa2048);
    let digest = Digest::of(DigestAlgorithm::Sha256, DATA);
    let found = |value: &[u8]| match verify(signer.leaf(), RSA, DATA, value) {
        Err(Error::ValueOverOther(over)) => over,
        other => panic!("{other:?}"),
    };

    let twice = Digest::of(DigestAlgorithm::Sha256, digest.value());
    let twice = ToBeSigned::from_digest(DtbsDigest(twice), RSA).unwrap();
    assert_eq!(found(&signer.sign(&twice)), OverOther::DigestOfDigest);

    let pss = SignatureAlgorithm::RsaPss(DigestAlgorithm::Sha256);
    let pss = signer.sign(&ToBeSigned::new(DATA.to_vec(), pss));
    assert_eq!(found(&pss), OverOther::PssPadding);

    let sha512 = SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha512);
    let sha512 = signer.sign(&ToBeSigned::new(DATA.to_vec(), sha512));
    assert_eq!(found(&sha512), OverOther::OtherAlgorithm);

    let dir = tempfile::TempDir::new().unwrap();
    let (key, input) = (dir.path().join("key.pem"), dir.path().join("digest"));
    std::fs::write(&key, &signer.key_pem).unwrap();
    std::fs::write(&input, digest.value()).unwrap();
    let bare = openssl::run(&[
        "pkeyutl",
        "-sign",
        "-inkey",
        key.to_str().unwrap(),
        "-in",
        input.to_str().unwrap(),
    ]);
    assert_eq!(found(&bare.unwrap()), OverOther::NoDigestInfo);
}

#[test]
fn lengths_and_key_types_are_checked_first() {
    let signer = Pki::shared().signer(Key::Rsa2048);
    let value = signer.sign(&ToBeSigned::new(DATA.to_vec(), RSA));
    for wrong in [&value[..255], &[value.as_slice(), &[0]].concat(), &[]] {
        assert!(matches!(
            verify(signer.leaf(), RSA, DATA, wrong),
            Err(Error::ValueLength { expected: 256, .. })
        ));
    }
    let ecdsa = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
    assert!(matches!(
        verify(signer.leaf(), ecdsa, DATA, &value),
        Err(Error::WrongAlgorithm { .. })
    ));
    // ECDSA as r || s, not DER.
    let signer = Pki::shared().signer(Key::P256);
    assert!(verify(signer.leaf(), ecdsa, DATA, &[1; 64]).is_err());
}

/// Edge cases 3 and 4, as far as they concern all signers.
#[test]
fn digests_of_other_lengths_or_algorithms_are_rejected() {
    for length in [20, 33, 64] {
        assert!(matches!(
            Digest::new(DigestAlgorithm::Sha256, vec![0; length]),
            Err(Error::DigestLength { expected: 32, .. })
        ));
    }
    let sha384 = DtbsDigest(Digest::of(DigestAlgorithm::Sha384, DATA));
    assert!(ToBeSigned::from_digest(sha384, RSA).is_err());
}
