//! Files of each kind, written with Rust alone. `openssl.rs` asks other programs.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use pkcs12_file::{Contents, Error, Limit, MAX_BAGS, MAX_FILE_LEN, OtherFile, Part, open};
use pkcs12_writer::{Encryption, Form, Mac, Writer, element, pkcs7, pkcs12};
use proptest::prelude::*;
use test_key::TestKey;

const FORMS: [Form; 6] = [
    Form::Der,
    Form::Indefinite,
    Form::Segments(1),
    Form::Segments(1000),
    Form::Nested(1),
    Form::Nested(7),
];
const ENCRYPTIONS: [Encryption; 4] =
    [Encryption::None, Encryption::Pbes2, Encryption::Scrypt, Encryption::Pkcs12];
const MACS: [Mac; 3] = [Mac::None, Mac::Pkcs12, Mac::Pbmac1];

/// A file with the key and the certificate of Jo.
fn pair(writer: Writer) -> Vec<u8> {
    let mut writer = writer;
    let jo = TestKey::new("Jo");
    writer.key(&jo.private_key(), Some("Jo's key"), Some(&[1, 2]));
    writer.certificate(jo.certificate(), Some("Jo's 🔑"), Some(&[1, 2]));
    writer.write()
}

fn check_pair(contents: &Contents) {
    let jo = TestKey::new("Jo");
    let ([key], [certificate]) = (contents.keys(), contents.certificates()) else {
        panic!("not one key and one certificate: {contents:?}");
    };
    assert_eq!(key.pkcs8(), jo.private_key());
    assert_eq!(key.kind().to_string(), "EC on the curve P-256");
    assert_eq!(key.friendly_name(), Some("Jo's key"));
    assert_eq!(key.local_key_id(), Some(&[1, 2][..]));
    assert_eq!(certificate.der(), jo.certificate());
    assert_eq!(certificate.friendly_name(), Some("Jo's 🔑"));
    assert_eq!(certificate.local_key_id(), Some(&[1, 2][..]));
    assert_eq!(contents.unreadable(), []);
}

#[test]
fn every_form_with_every_encryption_and_mac_is_read() {
    for form in FORMS {
        for encryption in ENCRYPTIONS {
            for mac in MACS {
                let file = pair(Writer { form, encryption, mac, ..Writer::new("sesame") });
                let contents = open(&file, "sesame");
                let contents = contents.unwrap_or_else(|error| {
                    panic!("{form:?} {encryption:?} {mac:?}: {error}");
                });
                check_pair(&contents);
            }
        }
    }
}

#[test]
fn octets_after_the_file_are_ignored() {
    let mut file = pair(Writer::new("sesame"));
    file.extend_from_slice(b"\r\n\0");
    check_pair(&open(&file, "sesame").unwrap());
}

/// RFC 7292, B.1: no octets, or the terminator alone.
#[test]
fn an_empty_password_has_two_encodings() {
    for bmp in [vec![], vec![0, 0]] {
        for encryption in ENCRYPTIONS {
            for mac in MACS {
                let writer = Writer { encryption, mac, bmp: bmp.clone(), ..Writer::new("") };
                let file = pair(writer);
                check_pair(&open(&file, "").unwrap());
                if mac != Mac::None {
                    assert_eq!(open(&file, "sesame").unwrap_err(), Error::WrongPassword);
                }
            }
        }
    }
}

#[test]
fn characters_of_every_kind_are_passwords() {
    for password in ["p😀", "😀", "🏳️‍🌈𝔭", "é", "пароль", "密碼", "a b", "\u{FFFF}"]
    {
        for encryption in ENCRYPTIONS {
            for mac in MACS {
                let file = pair(Writer { encryption, mac, ..Writer::new(password) });
                check_pair(&open(&file, password).unwrap());
            }
        }
    }
}

/// OpenSSL before 1.1.0 took octets of UTF-8 for characters; programs in a locale
/// with ISO 8859-1 pass its octets on; older NSS encodes as for PKCS#12.
#[test]
fn encodings_of_other_programs_are_tried() {
    let characters = b"\x00p\x00\xC3\x00\xA9\0\0".to_vec();
    for (text, bmp) in [
        (b"p\xC3\xA9".to_vec(), characters),
        (b"p\xE9".to_vec(), b"\x00p\x00\xE9\0\0".to_vec()),
        (b"\x00p\x00\xE9\0\0".to_vec(), b"\x00p\x00\xE9\0\0".to_vec()),
    ] {
        for encryption in ENCRYPTIONS {
            for mac in MACS {
                let writer = Writer { encryption, mac, ..Writer::new("") };
                let file = pair(Writer { text: text.clone(), bmp: bmp.clone(), ..writer });
                check_pair(&open(&file, "pé").unwrap());
                if mac != Mac::None {
                    assert_eq!(open(&file, "pe").unwrap_err(), Error::WrongPassword);
                }
            }
        }
    }
}

#[test]
fn a_wrong_password_and_damage_are_different_errors() {
    for encryption in [Encryption::Pbes2, Encryption::Scrypt, Encryption::Pkcs12] {
        for mac in [Mac::Pkcs12, Mac::Pbmac1] {
            let file = pair(Writer { encryption, mac, ..Writer::new("sesame") });
            for wrong in ["", "Sesame", "sesame ", "sésame"] {
                let error = open(&file, wrong).unwrap_err();
                assert_eq!(error, Error::WrongPassword, "{encryption:?} {mac:?} {wrong}");
                assert!(error.may_be_password());
            }
            // The last octet before the MAC's salt is one of the MAC's value.
            let mut damaged = file.clone();
            let at = damaged.len() - 14;
            damaged[at] ^= 1;
            assert_eq!(open(&damaged, "sesame").unwrap_err(), Error::Damaged);
            // The first octets of the encrypted certificates.
            let mut damaged = file.clone();
            let at = damaged.len() / 2;
            damaged[at] ^= 1;
            assert_eq!(open(&damaged, "sesame").unwrap_err(), Error::Damaged);
        }
        let file = pair(Writer { encryption, mac: Mac::None, ..Writer::new("sesame") });
        assert_eq!(open(&file, "Sesame").unwrap_err(), Error::CannotDecrypt);
    }
}

#[test]
fn a_part_with_another_password_is_named() {
    let jo = TestKey::new("Jo");
    let mut other = Writer::new("other");
    other.key(&jo.private_key(), None, None);
    let mut writer = Writer { keys: other.keys, ..Writer::new("sesame") };
    writer.certificate(jo.certificate(), None, None);
    let error = open(&writer.write(), "sesame").unwrap_err();
    assert_eq!(error, Error::OtherPassword { part: Part::Key });
    assert!(error.to_string().contains("another password"), "{error}");
}

#[test]
fn foreign_bags_do_no_harm() {
    let writer = Writer::new("sesame");
    let crl = writer.bag(&pkcs12(&[10, 1, 4]), &element(0x30, &[b"\x02\x01\x07"]), None, None);
    let secret = writer.bag(&pkcs12(&[10, 1, 5]), &element(0x30, &[]), Some("secret"), None);
    let unknown = writer.bag(&pkcs12(&[10, 1, 99]), &element(0x04, &[b"x"]), None, None);
    let sdsi = element(0x30, &[&pkcs12(&[22, 2]), &element(0xA0, &[&element(0x16, &[b"x"])])]);
    let sdsi = writer.bag(&pkcs12(&[10, 1, 3]), &sdsi, None, None);
    let mut writer = Writer { keys: vec![crl, secret], ..writer };
    writer.certificates = vec![unknown, sdsi];
    check_pair(&open(&pair(writer), "sesame").unwrap());
}

#[test]
fn unreadable_bags_are_noted_and_the_others_are_read() {
    let jo = TestKey::new("Jo");
    let mut writer = Writer::new("sesame");
    let gost = element(0x06, &[b"\x2A\x85\x03\x02\x02\x15"]);
    let shrouded = [element(0x30, &[&gost]), element(0x04, &[b"12345678"])].concat();
    let shrouded = element(0x30, &[&shrouded]);
    let broken = writer.bag(&pkcs12(&[10, 1, 2]), &element(0x04, &[]), None, None);
    let gost = writer.bag(&pkcs12(&[10, 1, 2]), &shrouded, None, None);
    writer.keys = vec![gost, broken, element(0x02, &[b"\x07"])];
    // Without a readable key, the first reason is the error.
    let error = open(&writer.write(), "sesame").unwrap_err();
    assert!(matches!(&error, Error::Unsupported { what } if what.contains("GOST")), "{error}");
    writer.key(&jo.private_key(), None, None);
    let contents = open(&writer.write(), "sesame").unwrap();
    assert_eq!((contents.keys().len(), contents.unreadable().len()), (1, 3), "{contents:?}");
}

#[test]
fn safes_in_safes_are_read_up_to_a_depth() {
    let jo = TestKey::new("Jo");
    let nested = |depth: usize| {
        let mut writer = Writer::new("sesame");
        writer.key(&jo.private_key(), None, None);
        for _ in 0..depth {
            let safe = element(0x30, &[&writer.keys.concat()]);
            writer.keys = vec![writer.bag(&pkcs12(&[10, 1, 6]), &safe, None, None)];
        }
        writer.write()
    };
    assert_eq!(open(&nested(7), "sesame").unwrap().keys().len(), 1);
    let error = open(&nested(8), "sesame").unwrap_err();
    assert_eq!(error, Error::Limit { limit: Limit::Depth });
}

#[test]
fn limits_are_errors() {
    let huge = vec![0x30; MAX_FILE_LEN + 1];
    assert_eq!(open(&huge, "").unwrap_err(), Error::FileTooLarge { found: MAX_FILE_LEN + 1 });

    let writer = Writer::new("sesame");
    let bag = writer.bag(&pkcs12(&[10, 1, 4]), &element(0x30, &[]), None, None);
    let writer = Writer { keys: vec![bag; MAX_BAGS + 1], ..writer };
    let error = open(&writer.write(), "sesame").unwrap_err();
    assert_eq!(error, Error::Limit { limit: Limit::Bags });

    // Key bags with a derivation, each.
    let key = |algorithm: &[u8]| {
        let value = element(0x30, &[algorithm, &element(0x04, &[&[7; 16]])]);
        let writer = Writer::new("sesame");
        let bag = writer.bag(&pkcs12(&[10, 1, 2]), &value, None, None);
        open(&Writer { keys: vec![bag], ..writer }.write(), "sesame").unwrap_err()
    };
    let salt = element(0x04, &[b"salt"]);
    for iterations in
        [&b"\x02\x04\x7F\xFF\xFF\xFF"[..], b"\x02\x08\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"]
    {
        let parameters = element(0x30, &[&salt, iterations]);
        let error = key(&element(0x30, &[&pkcs12(&[1, 3]), &parameters]));
        assert_eq!(error, Error::Limit { limit: Limit::Iterations });
    }
    let pbes2 = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0D";
    let scrypt = b"\x06\x09\x2B\x06\x01\x04\x01\xDA\x47\x04\x0B";
    let aes = b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2A";
    let aes = element(0x30, &[aes, &element(0x04, &[&[0; 16]])]);
    for (numbers, limit) in [
        (&b"\x02\x03\x10\x00\x00\x02\x01\x08\x02\x01\x01"[..], Limit::Memory),
        (b"\x02\x01\x10\x02\x01\x01\x02\x04\x7F\xFF\xFF\xFF", Limit::Memory),
        (b"\x02\x03\x02\x00\x00\x02\x01\x08\x02\x02\x01\x00", Limit::Iterations),
        (b"\x02\x01\x10\x02\x01\x01\x02\x01\x01\x02\x02\x10\x00", Limit::KeyLength),
    ] {
        let derivation = element(0x30, &[scrypt, &element(0x30, &[&salt, numbers])]);
        let parameters = element(0x30, &[&derivation, &aes]);
        let error = key(&element(0x30, &[pbes2, &parameters]));
        assert_eq!(error, Error::Limit { limit }, "{numbers:x?}");
    }
}

#[test]
fn other_files_are_named() {
    let jo = TestKey::new("Jo");
    let (key, certificate) = (jo.private_key(), jo.certificate());
    let pem = |certificates, keys, other: Option<&str>| OtherFile::Pem {
        certificates,
        keys,
        other: other.map(str::to_owned),
    };
    let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
    let both = format!("Bag Attributes\r\n{}{}", block("CERTIFICATE"), block("PRIVATE KEY"));
    let utf16: Vec<u8> = both.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let encrypted = element(0x30, &[&element(0x30, &[&pkcs7(1)]), &element(0x04, &[b"x"])]);
    let base64 = "MAMCAQM=\n";
    for (file, expected, word) in [
        (vec![], OtherFile::Empty, "empty"),
        (certificate.to_vec(), OtherFile::Certificate, "certificate"),
        (key.clone(), OtherFile::PrivateKey, "private key"),
        (encrypted, OtherFile::PrivateKey, "private key"),
        (element(0x30, &[&pkcs7(2), &element(0xA0, &[])]), OtherFile::Pkcs7, "PKCS#7"),
        (block("CERTIFICATE").into(), pem(1, 0, None), "PEM"),
        (block("PRIVATE KEY").into(), pem(0, 1, None), "PEM"),
        (block("ENCRYPTED PRIVATE KEY").into(), pem(0, 1, None), "PEM"),
        (block("EC PRIVATE KEY").into(), pem(0, 1, None), "PEM"),
        (both.clone().into(), pem(1, 1, None), "PEM"),
        ([b"\xEF\xBB\xBF", both.as_bytes()].concat(), pem(1, 1, None), "PEM"),
        ([&[0xFF, 0xFE], utf16.as_slice()].concat(), pem(1, 1, None), "PEM"),
        (block("PKCS7").into(), pem(0, 0, Some("PKCS7")), "PKCS7"),
        (
            b"\xFE\xED\xFE\xED\0\0\0\x02".to_vec(),
            OtherFile::JavaKeystore { name: "JKS" },
            "keytool",
        ),
        (
            b"\xCE\xCE\xCE\xCE\0\0\0\x02".to_vec(),
            OtherFile::JavaKeystore { name: "JCEKS" },
            "JCEKS",
        ),
        (base64.into(), OtherFile::Base64, "base64"),
        (b"%PDF-1.7".to_vec(), OtherFile::Unknown, "PKCS#12"),
        (vec![0; 100], OtherFile::Unknown, "PKCS#12"),
        (element(0x30, &[&[5, 0], &[5, 0]]), OtherFile::Unknown, "PKCS#12"),
    ] {
        match open(&file, "") {
            Err(Error::OtherFile { found }) => {
                let message = Error::OtherFile { found: found.clone() }.to_string();
                assert_eq!(found, expected);
                assert!(message.contains(word), "{message}");
            }
            other => panic!("{expected:?}: {other:?}"),
        }
    }
}

#[test]
fn kinds_of_keys_are_named() {
    let oid = |content: &[u8]| element(0x06, &[content]);
    let ec = |curve: &[u8]| [oid(b"\x2A\x86\x48\xCE\x3D\x02\x01"), curve.to_vec()].concat();
    for (algorithm, kind) in [
        (ec(&oid(b"\x2B\x24\x03\x03\x02\x08\x01\x01\x07")), "EC on the curve brainpoolP256r1"),
        (ec(&oid(b"\x2B\x81\x04\x00\x0A")), "EC on the curve secp256k1"),
        (ec(&oid(b"\x2A\x03")), "EC on the curve 1.2.3"),
        (ec(&element(0x30, &[])), "EC with explicit curve parameters"),
        (oid(b"\x2B\x65\x6E"), "X25519"),
        (oid(b"\x2B\x65\x71"), "Ed448"),
        (oid(b"\x2A\x86\x48\xCE\x38\x04\x01"), "DSA"),
        (oid(b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A"), "RSASSA-PSS"),
        (oid(b"\x60\x86\x48\x01\x65\x03\x04\x03\x12"), "ML-DSA-65"),
        (oid(b"\x60\x86\x48\x01\x65\x03\x04\x03\x1F"), "SLH-DSA"),
        (oid(b"\x2A\x03\x04"), "1.2.3.4"),
    ] {
        let pkcs8 = [&[0x02, 1, 0][..], &element(0x30, &[&algorithm]), &element(0x04, &[b"x"])];
        let mut writer = Writer::new("sesame");
        writer.key(&element(0x30, &[&pkcs8.concat()]), None, None);
        let contents = open(&writer.write(), "sesame").unwrap();
        assert_eq!(contents.keys()[0].kind().to_string(), kind);
    }
}

#[test]
fn debug_output_shows_no_key() {
    let contents = open(&pair(Writer::new("sesame")), "sesame").unwrap();
    let shown = format!("{:?}", contents.keys());
    assert!(shown.starts_with("[Key { kind: Ec") && !shown.contains("pkcs8"), "{shown}");
}

#[test]
fn every_truncation_is_an_error() {
    for form in [Form::Der, Form::Segments(100)] {
        let writer = Writer { form, encryption: Encryption::None, ..Writer::new("sesame") };
        let file = pair(writer);
        for len in 0..file.len() {
            let error = open(&file[..len], "sesame").unwrap_err();
            let is_truncated = matches!(error, Error::Truncated { .. });
            assert!(form != Form::Der || len < 4 || is_truncated, "{len}: {error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn changed_octets_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        form in prop::sample::select(FORMS.to_vec()),
    ) {
        let encryption = Encryption::None;
        let mut file = pair(Writer { form, encryption, mac: Mac::None, ..Writer::new("a") });
        for (index, octet) in changes {
            let at = index.index(file.len());
            file[at] = octet;
        }
        let _ = open(&file, "a");
    }

    #[test]
    fn any_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let writer = Writer::new("a");
        let _ = open(&octets, "a");
        let _ = open(&writer.wrap(&octets), "a");
        let _ = open(&[&[0x30, 0x80, 0x02, 1, 3, 0x30, 0x80], octets.as_slice()].concat(), "a");
    }
}
