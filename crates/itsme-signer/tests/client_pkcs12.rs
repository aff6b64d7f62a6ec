//! The client certificate and its key in a PKCS#12 file, with Rust alone.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use ades_core::chain::certificates_from_pem;
use itsme_signer::config::ClientIdentity;
use pkcs12_writer::{Encryption, Form, Writer};
use test_key::TestKey;

fn problem(file: &[u8], password: &str) -> String {
    let error = ClientIdentity::from_pkcs12(file, password).unwrap_err().to_string();
    assert!(error.contains("client.pkcs12"), "{error}");
    error
}

#[test]
fn a_file_in_ber_is_opened() {
    let jo = TestKey::new("Jo");
    for form in [Form::Der, Form::Indefinite, Form::Segments(5)] {
        for encryption in [Encryption::None, Encryption::Pbes2, Encryption::Pkcs12] {
            let mut writer = Writer { form, encryption, ..Writer::new("sesame") };
            writer.key(&jo.private_key(), None, None);
            writer.certificate(jo.certificate(), None, None);
            let identity = ClientIdentity::from_pkcs12(&writer.write(), "sesame").unwrap();
            let certificates = certificates_from_pem(identity.pem()).unwrap();
            assert_eq!(certificates[0].der(), jo.certificate());
            assert!(identity.pem().contains("-----BEGIN PRIVATE KEY-----"));
        }
    }
}

#[test]
fn the_certificate_of_the_key_is_found_among_others() {
    let (jo, ann) = (TestKey::new("Jo"), TestKey::new("Ann"));
    for ids in [[None, None], [Some(&[1][..]), Some(&[1][..])], [Some(&[2][..]), None]] {
        let mut writer = Writer::new("sesame");
        writer.certificate(ann.certificate(), None, Some(&[9]));
        writer.certificate(jo.certificate(), None, ids[1]);
        writer.key(&jo.private_key(), None, ids[0]);
        let identity = ClientIdentity::from_pkcs12(&writer.write(), "sesame").unwrap();
        let certificates = certificates_from_pem(identity.pem()).unwrap();
        assert_eq!(certificates[0].der(), jo.certificate());
        assert_eq!(certificates.len(), 1);
    }
}

#[test]
fn errors_say_what_the_file_is_or_lacks() {
    let (jo, ann) = (TestKey::new("Jo"), TestKey::new("Ann"));
    let mut writer = Writer::with_pair("sesame", &jo.private_key(), jo.certificate());
    assert!(problem(&writer.write(), "Sesame").contains("password"));
    writer.key(&ann.private_key(), None, None);
    assert!(problem(&writer.write(), "sesame").contains("has 2 private keys"));
    writer.keys.clear();
    assert!(problem(&writer.write(), "sesame").contains("has no private key"));
    let mut writer = Writer::new("sesame");
    writer.key(&jo.private_key(), None, None);
    assert!(problem(&writer.write(), "sesame").contains("has no certificate"));
    writer.certificate(ann.certificate(), None, None);
    assert!(problem(&writer.write(), "sesame").contains("the key of another certificate"));
    let pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(problem(pem, "").contains("PEM"));
    assert!(problem(b"\xFE\xED\xFE\xED", "").contains("keytool"));
}
