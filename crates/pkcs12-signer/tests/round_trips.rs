//! PKCS#12 files made with Rust alone. Those of OpenSSL and Java are in
//! `others.rs`.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use ades_core::verify::verify;
use ades_core::{Certificate, DigestAlgorithm, RemoteSigner, SignatureAlgorithm, ToBeSigned};
use pkcs12_signer::{Error, OpenOptions, Pkcs12Signer, PrivateKey};
use pkcs12_writer::{Form, Writer, element, pkcs12};
use test_key::TestKey;

const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);

/// A file with the key of one and the certificate of another, or of the same.
fn file(key: &TestKey, certificate: &TestKey) -> Vec<u8> {
    Writer::with_pair("sesame", &key.private_key(), certificate.certificate()).write()
}

/// A file with the keys and certificates of these people, each with the name of
/// the key and that of the certificate.
fn several(people: &[(&str, Option<&str>, Option<&str>)]) -> Vec<u8> {
    let mut writer = Writer::new("sesame");
    for (person, key_name, certificate_name) in people {
        let key = TestKey::new(person);
        writer.key(&key.private_key(), *key_name, None);
        writer.certificate(key.certificate(), *certificate_name, None);
    }
    writer.write()
}

/// Opens the file, and returns the common name of the signer.
fn signer_of(file: &[u8], options: &OpenOptions) -> Result<String, Error> {
    let signer = Pkcs12Signer::open(file, "sesame", options)?;
    Ok(signer.chain().leaf().common_name().unwrap().to_owned())
}

/// SHA-256 in hexadecimal digits.
fn fingerprint(person: &str) -> String {
    let certificate = Certificate::from_der(TestKey::new(person).certificate()).unwrap();
    let digest = certificate.digest(DigestAlgorithm::Sha256);
    digest.value().iter().map(|octet| format!("{octet:02x}")).collect()
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
fn a_file_in_ber_is_opened() {
    let jo = TestKey::new("Jo");
    for form in [Form::Indefinite, Form::Segments(3), Form::Nested(50)] {
        let mut writer = Writer { form, ..Writer::new("sesame") };
        writer.key(&jo.private_key(), None, None);
        writer.certificate(jo.certificate(), None, None);
        assert_eq!(signer_of(&writer.write(), &OpenOptions::new()).unwrap(), "Jo", "{form:?}");
    }
}

#[test]
fn a_wrong_password_or_a_damaged_file_is_refused() {
    let jo = TestKey::new("Jo");
    let mut octets = file(&jo, &jo);
    let error = Pkcs12Signer::from_bytes(&octets, "Sesame").unwrap_err();
    assert!(matches!(error, Error::File(pkcs12_file::Error::WrongPassword)), "{error}");
    assert!(error.may_be_password());
    let middle = octets.len() / 2;
    octets[middle] ^= 0x01;
    let error = Pkcs12Signer::from_bytes(&octets, "sesame").unwrap_err();
    assert!(matches!(error, Error::File(pkcs12_file::Error::Damaged)), "{error}");
    assert!(!error.may_be_password());
}

#[test]
fn the_key_of_another_certificate_is_refused() {
    let file = file(&TestKey::new("Jo"), &TestKey::new("Ann"));
    let error = Pkcs12Signer::from_bytes(&file, "sesame").unwrap_err();
    assert!(matches!(error, Error::NoPair { keys: 1, certificates: 1 }), "{error}");
}

#[test]
fn one_of_several_keys_is_chosen() {
    let file = several(&[
        ("Jo", Some("Signing"), Some("Signing")),
        ("Ann", Some("mail"), None),
        ("Kim", None, Some("Kim's key")),
        ("Lee", None, None),
    ]);
    let named = |name: &str| signer_of(&file, &OpenOptions::new().key_name(name));
    assert_eq!(named("Signing").unwrap(), "Jo");
    assert_eq!(named("signing").unwrap(), "Jo");
    assert_eq!(named("mail").unwrap(), "Ann");
    assert_eq!(named("Kim's key").unwrap(), "Kim");
    assert_eq!(named(&fingerprint("Lee")).unwrap(), "Lee");
    let colons: Vec<String> = fingerprint("Lee")
        .to_uppercase()
        .as_bytes()
        .chunks(2)
        .map(|c| String::from_utf8_lossy(c).into())
        .collect();
    assert_eq!(named(&colons.join(":")).unwrap(), "Lee");
    let ann = Certificate::from_der(TestKey::new("Ann").certificate()).unwrap();
    assert_eq!(signer_of(&file, &OpenOptions::new().certificate(ann)).unwrap(), "Ann");

    let expected = [
        "\"Signing\"".to_owned(),
        "\"mail\"".to_owned(),
        "\"Kim's key\"".to_owned(),
        format!("{:?}", fingerprint("Lee")),
    ];
    let Err(Error::SeveralKeys { names }) = signer_of(&file, &OpenOptions::new()) else { panic!() };
    assert_eq!(names, expected);
    let error = named("other").unwrap_err();
    assert!(error.to_string().contains("\"other\""), "{error}");
    let Error::NoSuchKey { names, .. } = error else { panic!("{error}") };
    assert_eq!(names, expected);
    let stranger = Certificate::from_der(TestKey::new("Sam").certificate()).unwrap();
    let error = signer_of(&file, &OpenOptions::new().certificate(stranger)).unwrap_err();
    assert!(matches!(error, Error::NoSuchKey { .. }), "{error}");
}

#[test]
fn keys_that_share_a_name_are_told_apart_by_fingerprint() {
    let file = several(&[("Jo", Some("key"), None), ("Ann", Some("key"), None)]);
    let options = OpenOptions::new().key_name("key");
    let Err(Error::SeveralKeys { names }) = signer_of(&file, &options) else { panic!() };
    assert_eq!(names, ["Jo", "Ann"].map(|name| format!("{:?}", fingerprint(name))));
    // Upper and lower case decide where both names exist.
    let file = several(&[("Jo", Some("key"), None), ("Ann", Some("KEY"), None)]);
    for (name, person) in [("key", "Jo"), ("KEY", "Ann")] {
        assert_eq!(signer_of(&file, &OpenOptions::new().key_name(name)).unwrap(), person);
    }
    let error = signer_of(&file, &OpenOptions::new().key_name("Key")).unwrap_err();
    assert!(matches!(error, Error::SeveralKeys { .. }), "{error}");
}

#[test]
fn the_same_key_twice_is_one_key() {
    let jo = ("Jo", Some("key"), None);
    assert_eq!(signer_of(&several(&[jo, jo]), &OpenOptions::new()).unwrap(), "Jo");
}

/// A key on a curve without signatures, among others and alone.
#[test]
fn a_key_that_is_not_supported_is_named() {
    let secp256k1 = b"\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01\x06\x05\x2B\x81\x04\x00\x0A";
    let parts = [&[0x02, 1, 0][..], &element(0x30, &[secp256k1]), &element(0x04, &[b"x"])];
    let unsupported = element(0x30, &[&parts.concat()]);
    let jo = TestKey::new("Jo");
    let mut writer = Writer::new("sesame");
    writer.key(&unsupported, Some("coins"), None);
    writer.certificate(jo.certificate(), None, None);
    let is_named = |error: Error| {
        assert!(matches!(error, Error::UnsupportedKey { .. }), "{error}");
        assert!(error.to_string().contains("curve secp256k1"), "{error}");
    };
    is_named(signer_of(&writer.write(), &OpenOptions::new()).unwrap_err());
    writer.key(&jo.private_key(), Some("signing"), None);
    assert_eq!(signer_of(&writer.write(), &OpenOptions::new()).unwrap(), "Jo");
    is_named(signer_of(&writer.write(), &OpenOptions::new().key_name("coins")).unwrap_err());
    is_named(PrivateKey::from_pkcs8(&unsupported).unwrap_err());
    let error = PrivateKey::from_pkcs8(b"x").unwrap_err();
    assert!(matches!(error, Error::MalformedKey), "{error}");
}

#[test]
fn a_part_that_is_missing_for_a_pair_is_the_reason() {
    let jo = TestKey::new("Jo");
    let mut writer = Writer::new("sesame");
    writer.key(&jo.private_key(), None, None);
    let broken = writer.bag(&pkcs12(&[10, 1, 3]), &element(0x04, &[]), None, None);
    writer.certificates.push(broken);
    let error = signer_of(&writer.write(), &OpenOptions::new()).unwrap_err();
    assert!(matches!(error, Error::File(pkcs12_file::Error::Malformed { .. })), "{error}");
}
