//! PKCS#12 files made with Rust alone. Those of OpenSSL are in `openssl.rs`.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use ades_core::verify::verify;
use ades_core::{Certificate, DigestAlgorithm, RemoteSigner, SignatureAlgorithm, ToBeSigned};
use p12_keystore::{
    Certificate as FileCertificate, KeyStore, KeyStoreEntry, PrivateKey as FileKey, PrivateKeyChain,
};
use pkcs12_signer::{Error, Pkcs12Signer, PrivateKey};
use test_key::TestKey;

const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);

/// A file with the key of one and the certificate of another, or of the same.
fn file(key: &TestKey, certificate: &TestKey) -> Vec<u8> {
    let key = FileKey::from_der(&key.private_key()).unwrap();
    let certificate = FileCertificate::from_der(certificate.certificate()).unwrap();
    let mut store = KeyStore::new();
    let entry = PrivateKeyChain::new("1", key, [certificate]);
    store.add_entry("signer", KeyStoreEntry::PrivateKeyChain(entry));
    store.writer("sesame").write().unwrap()
}

#[test]
fn the_key_of_a_file_signs_with_its_certificate() {
    let jo = TestKey::new("Jo");
    let signer = Pkcs12Signer::from_bytes(&file(&jo, &jo), "sesame").unwrap();
    assert_eq!(signer.chain().leaf().der(), jo.certificate());
    assert!(signer.capabilities().algorithms.contains(&ALGORITHM));
    let key = PrivateKey::from_pkcs8(&jo.private_key()).unwrap();
    let value = key.sign(&ToBeSigned::new(b"signed attributes".to_vec(), ALGORITHM)).unwrap();
    let leaf = Certificate::from_der(jo.certificate()).unwrap();
    verify(&leaf, ALGORITHM, b"signed attributes", &value).unwrap();
}

#[test]
fn a_wrong_password_or_a_damaged_file_is_refused() {
    let jo = TestKey::new("Jo");
    let mut octets = file(&jo, &jo);
    assert!(matches!(Pkcs12Signer::from_bytes(&octets, "Sesame"), Err(Error::CannotOpen(_))));
    let middle = octets.len() / 2;
    octets[middle] ^= 0x01;
    assert!(Pkcs12Signer::from_bytes(&octets, "sesame").is_err());
}

#[test]
fn the_key_of_another_certificate_is_refused() {
    let signer =
        Pkcs12Signer::from_bytes(&file(&TestKey::new("Jo"), &TestKey::new("Ann")), "sesame");
    assert!(signer.is_err(), "{signer:?}");
}
