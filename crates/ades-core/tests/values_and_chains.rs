//! Certificates, signature values and documents, seen from outside, with Rust
//! alone.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use ades_core::certificate::UsageCheck;
use ades_core::{
    Certificate, CertificateChain, Digest, DigestAlgorithm, Document, Error, SignatureAlgorithm,
    SignatureParameters, ToBeSigned, base64,
};
use chrono::DateTime;
use test_key::TestKey;

fn certificate(common_name: &str) -> Certificate {
    Certificate::from_der(TestKey::new(common_name).certificate()).unwrap()
}

#[test]
fn a_value_verifies_with_its_key_and_message_only() {
    let key = TestKey::new("Jo");
    let algorithm = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
    let to_be_signed = ToBeSigned::new(b"message".to_vec(), algorithm);
    let digest = to_be_signed.digest().0.value();
    assert_eq!(digest, Digest::of(DigestAlgorithm::Sha256, b"message").value());
    let value = key.sign_digest(digest);
    let verify = |certificate: &Certificate, message: &[u8], value: &[u8]| {
        ades_core::verify::verify(certificate, algorithm, message, value)
    };
    assert!(verify(&certificate("Jo"), b"message", &value).is_ok());
    assert!(verify(&certificate("Ann"), b"message", &value).is_err());
    assert!(verify(&certificate("Jo"), b"massage", &value).is_err());
    for at in 0..value.len() {
        let mut changed = value.clone();
        changed[at] ^= 0x01;
        assert!(verify(&certificate("Jo"), b"message", &changed).is_err(), "octet {at}");
    }
}

#[test]
fn a_certificate_is_kept_as_it_came_and_fits_in_its_time() {
    let jo = certificate("Jo");
    assert_eq!(jo.der(), TestKey::new("Jo").certificate());
    assert_eq!(jo.common_name(), Some("Jo"));
    assert!(jo.is_self_issued() && !jo.is_ca());
    assert_eq!(ades_core::verify::verify_issued_by(&jo, &jo), Some(true));
    let (first, last) = jo.validity();
    let second = chrono::TimeDelta::seconds(1);
    assert!(jo.check_fit(first, UsageCheck::NonRepudiation).is_ok());
    assert!(jo.check_fit(last, UsageCheck::NonRepudiation).is_ok());
    for time in [first - second, last + second] {
        let unfit = jo.check_fit(time, UsageCheck::NonRepudiation);
        assert!(matches!(unfit, Err(Error::CertificateNotFit(_))), "{time}");
    }
}

/// More certificates than the process remembers, each asked about twice.
#[test]
fn an_answer_that_is_remembered_is_about_the_same_octets_only() {
    let all: Vec<Certificate> = (0..70).map(|nth| certificate(&format!("Jo {nth}"))).collect();
    for _ in 0..2 {
        for (nth, jo) in all.iter().enumerate() {
            let issued_by = |issuer| ades_core::verify::verify_issued_by(jo, issuer);
            assert_eq!(issued_by(jo), Some(true), "{nth}");
            assert_eq!(issued_by(jo), Some(true), "{nth}");
            assert_eq!(issued_by(&all[(nth + 1) % all.len()]), Some(false), "{nth}");
            let mut changed = jo.der().to_vec();
            *changed.last_mut().unwrap() ^= 1;
            let changed = Certificate::from_der(changed).unwrap();
            assert_eq!(ades_core::verify::verify_issued_by(&changed, jo), Some(false), "{nth}");
        }
    }
}

#[test]
fn a_chain_is_read_from_pem() {
    let body = base64::encode(certificate("Jo").der());
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let lines = lines.join("\n");
    let pem = format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n");
    let chain = CertificateChain::from_pem(&pem).unwrap();
    assert_eq!(chain.leaf(), &certificate("Jo"));
    assert!(chain.is_complete(), "a self-signed certificate is the end of its path");
    assert!(CertificateChain::from_pem(&pem[..pem.len() / 2]).is_err());
}

#[test]
fn the_algorithm_follows_from_the_key() {
    let parameters = SignatureParameters::new(DateTime::from_timestamp(1_790_000_000, 0).unwrap());
    let algorithm = parameters.algorithm_for(&certificate("Jo")).unwrap();
    assert_eq!(algorithm, SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256));
    let rsa = parameters.algorithm(SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha256));
    assert!(rsa.algorithm_for(&certificate("Jo")).is_err(), "a P-256 key makes no RSA value");
}

#[test]
fn documents_have_the_same_digest_however_they_come() {
    let octets: Vec<u8> = (0..200_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let expected = Digest::of(DigestAlgorithm::Sha512, &octets);
    let cursor = || std::io::Cursor::new(octets.clone());
    for mut document in
        [Document::from_bytes(&octets), Document::seekable(cursor()), Document::stream(cursor())]
    {
        let (digest, length) = document.digest(DigestAlgorithm::Sha512).unwrap();
        assert_eq!((digest.0, length), (expected.clone(), octets.len() as u64));
    }
}
