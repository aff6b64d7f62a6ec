//! Octets that others made stay unchanged, even if they are not DER.

use ades_core::{Certificate, CertificateChain, Document};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{finish, parameters, sign};
use cades::{Container, Packaging, SignatureOptions};
use der::{Decode, Encode};

/// The certificate of a signer's issuer, whose keyUsage has an explicit `critical FALSE`,
/// which DER does not allow.
fn with_explicit_false() -> Vec<u8> {
    let signer = Pki::shared().signer(Key::P384);
    let mut certificate = signer.chain.certificates()[1].der().to_vec();
    let key_usage = [0x06, 0x03, 0x55, 0x1D, 0x0F, 0x01, 0x01, 0xFF];
    let at = certificate.windows(8).position(|w| w == key_usage).unwrap();
    certificate[at + 7] = 0;
    certificate
}

/// The reason for never encoding again what others signed: libraries shorten it.
#[test]
fn libraries_change_octets_when_they_encode_again() {
    let foreign = with_explicit_false();
    let x509 = x509_cert::Certificate::from_der(&foreign).unwrap();
    assert!(x509.to_der().unwrap().len() < foreign.len());
    let rasn: rasn_pkix::Certificate = rasn::der::decode(&foreign).unwrap();
    assert!(rasn::der::encode(&rasn).unwrap().len() < foreign.len());
    let unsorted = [0x31, 0x06, 0x02, 0x01, 0x07, 0x02, 0x01, 0x03];
    let set: rasn::types::SetOf<rasn::types::Integer> = rasn::der::decode(&unsorted).unwrap();
    assert_ne!(rasn::der::encode(&set).unwrap(), unsorted);
}

#[test]
fn foreign_octets_stay_unchanged() {
    let foreign = with_explicit_false();
    let certificate = Certificate::from_der(foreign.clone()).unwrap();
    assert_eq!(certificate.der(), foreign);
    let stored = serde_json::to_string(&certificate).unwrap();
    let restored: Certificate = serde_json::from_str(&stored).unwrap();
    assert_eq!(restored.der(), foreign);

    // In a container, after another signature was added to it.
    let signer = Pki::shared().signer(Key::P384);
    let content = b"content";
    let one = sign(content, Packaging::Enveloping, signer, &parameters()).unwrap();
    let container = with_certificate(&one, signer, &foreign);
    let second = Pki::shared().signer(Key::P521);
    let pending = cades::prepare_parallel(
        &mut Document::from_bytes(&container),
        None,
        &second.chain,
        &parameters(),
        &SignatureOptions::new(),
    )
    .unwrap();
    let two = finish(&pending, second, Some(&container)).unwrap();
    assert!(two.windows(foreign.len()).any(|window| window == foreign));
    let read = Container::read(&mut Document::from_bytes(&two)).unwrap();
    assert!(read.certificates().contains(&certificate));
}

/// Adds a certificate to the container, as part of the chain of a countersigner.
fn with_certificate(
    container: &[u8],
    signer: &ades_tests::pki::TestSigner,
    certificate: &[u8],
) -> Vec<u8> {
    let mut certificates = signer.chain.certificates().to_vec();
    certificates.push(Certificate::from_der(certificate.to_vec()).unwrap());
    let chain = CertificateChain::try_from(certificates).unwrap();
    let pending = cades::prepare_countersignature(
        &mut Document::from_bytes(container),
        &[0],
        &chain,
        &parameters(),
        &SignatureOptions::new(),
    )
    .unwrap();
    finish(&pending, signer, Some(container)).unwrap()
}
