//! PKCS#12 files that OpenSSL and Java wrote.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use ades_core::signer::{SigningItem, SigningRequest, Step};
use ades_core::verify::verify;
use ades_core::{RemoteSigner, SignatureAlgorithm, ToBeSigned};
use pkcs12_file::Error as FileError;
use pkcs12_signer::{Error, OpenOptions, Pkcs12Signer};
use tempfile::TempDir;

/// Key algorithms and their options for `openssl req -newkey`.
const KEYS: [(&str, &[&str]); 5] = [
    ("rsa:2048", &[]),
    ("ec", &["-pkeyopt", "ec_paramgen_curve:P-256"]),
    ("ec", &["-pkeyopt", "ec_paramgen_curve:P-384"]),
    ("ec", &["-pkeyopt", "ec_paramgen_curve:P-521"]),
    ("ed25519", &[]),
];

fn openssl(dir: &Path, arguments: &[&str]) {
    let run = Command::new("openssl").current_dir(dir).args(arguments).output().unwrap();
    assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
}

/// Makes a key and a self-signed certificate: `<name>.key`, `<name>.pem`.
fn identity(dir: &Path, name: &str, (key, options): (&str, &[&str])) {
    let (key_file, certificate) = (format!("{name}.key"), format!("{name}.pem"));
    let subject = format!("/CN={name}");
    let mut arguments = vec!["req", "-x509", "-nodes", "-days", "30", "-newkey", key];
    arguments.extend(options);
    arguments.extend(["-subj", &subject, "-keyout", &key_file, "-out", &certificate]);
    arguments.extend(["-addext", "basicConstraints=CA:FALSE"]);
    openssl(dir, &arguments);
}

/// Runs `openssl pkcs12 -export` and returns the octets of the file.
fn export(dir: &Path, options: &[&str]) -> Vec<u8> {
    let mut arguments = vec!["pkcs12", "-export", "-out", "out.p12"];
    arguments.extend(options);
    openssl(dir, &arguments);
    std::fs::read(dir.join("out.p12")).unwrap()
}

fn sign(signer: &Pkcs12Signer, to_be_signed: ToBeSigned) -> Option<Vec<u8>> {
    let Ok(Step::Done(identity)) = now(signer.identify(Default::default())) else { panic!() };
    let item = SigningItem::new("1", to_be_signed);
    match now(signer.sign(SigningRequest::new(identity, vec![item]))) {
        Ok(Step::Done(mut values)) => values.pop().map(|v| v.value),
        _ => None,
    }
}

/// Polls a future once. The signer answers immediately and needs no runtime.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(answer) => answer,
        std::task::Poll::Pending => panic!("the signer must answer at once"),
    }
}

#[test]
#[ignore = "asks OpenSSL"]
fn every_kind_of_key_signs_with_each_of_its_algorithms() {
    for key in KEYS {
        let dir = TempDir::new().unwrap();
        identity(dir.path(), "signer", key);
        let input = ["-inkey", "signer.key", "-in", "signer.pem", "-passout", "pass:sesame"];
        for legacy in [false, true] {
            let legacy: &[&str] = if legacy { &["-legacy"] } else { &[] };
            let file = export(dir.path(), &[&input, legacy].concat());
            let signer = Pkcs12Signer::from_bytes(&file, "sesame").unwrap();
            let algorithms = signer.capabilities().algorithms;
            assert!(!algorithms.is_empty());
            for algorithm in algorithms {
                let to_be_signed = ToBeSigned::new(b"signed attributes".to_vec(), algorithm);
                let value = sign(&signer, to_be_signed).unwrap();
                let leaf = signer.chain().leaf();
                verify(leaf, algorithm, b"signed attributes", &value).unwrap();
            }
            // An algorithm that this key does not have.
            let other = SignatureAlgorithm::ALL
                .into_iter()
                .find(|a| !signer.capabilities().algorithms.contains(a))
                .unwrap();
            assert_eq!(sign(&signer, ToBeSigned::new(b"data".to_vec(), other)), None);
        }
    }
}

#[test]
#[ignore = "asks OpenSSL"]
fn an_empty_password_opens_only_a_file_without_one() {
    let dir = TempDir::new().unwrap();
    identity(dir.path(), "signer", KEYS[1]);
    let input = ["-inkey", "signer.key", "-in", "signer.pem", "-passout", "pass:"];
    let file = export(dir.path(), &input);
    assert!(Pkcs12Signer::from_bytes(&file, "").is_ok());
    let wrong = Pkcs12Signer::from_bytes(&file, "sesame").unwrap_err();
    assert!(matches!(wrong, Error::File(FileError::WrongPassword)), "{wrong}");
}

#[test]
#[ignore = "asks OpenSSL"]
fn a_wrong_password_and_damage_are_refused() {
    let dir = TempDir::new().unwrap();
    identity(dir.path(), "signer", KEYS[1]);
    let input = ["-inkey", "signer.key", "-in", "signer.pem", "-passout", "pass:sesame"];
    let mut file = export(dir.path(), &input);
    for wrong in ["", "Sesame", "sesame "] {
        let error = Pkcs12Signer::from_bytes(&file, wrong).unwrap_err();
        assert!(matches!(error, Error::File(FileError::WrongPassword)), "{error}");
    }
    let middle = file.len() / 2;
    file[middle] ^= 1;
    let error = Pkcs12Signer::from_bytes(&file, "sesame").unwrap_err();
    assert!(matches!(error, Error::File(FileError::Damaged)), "{error}");
    let error = Pkcs12Signer::from_bytes(b"", "").unwrap_err();
    assert!(matches!(error, Error::File(FileError::OtherFile { .. })), "{error}");
    let huge = vec![0x30; pkcs12_signer::MAX_FILE_LEN + 1];
    let error = Pkcs12Signer::from_bytes(&huge, "").unwrap_err();
    assert!(matches!(error, Error::File(FileError::FileTooLarge { .. })), "{error}");
}

#[test]
#[ignore = "asks OpenSSL"]
fn a_file_without_a_key_signs_nothing() {
    let dir = TempDir::new().unwrap();
    identity(dir.path(), "signer", KEYS[1]);
    let file = export(dir.path(), &["-nokeys", "-in", "signer.pem", "-passout", "pass:x"]);
    let error = Pkcs12Signer::from_bytes(&file, "x").unwrap_err();
    assert!(matches!(error, Error::NoPair { keys: 0, certificates: 1 }), "{error}");
}

#[test]
#[ignore = "asks OpenSSL"]
fn the_certificate_of_the_key_is_the_leaf() {
    let dir = TempDir::new().unwrap();
    for (name, key) in [("signer", KEYS[1]), ("stranger", KEYS[1]), ("other", KEYS[0])] {
        identity(dir.path(), name, key);
    }
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let strangers = format!("{}{}", read("stranger.pem"), read("other.pem"));
    std::fs::write(dir.path().join("strangers.pem"), strangers).unwrap();
    let input = ["-inkey", "signer.key", "-in", "signer.pem", "-certfile", "strangers.pem"];
    let file = export(dir.path(), &[&input[..], &["-passout", "pass:x"]].concat());
    let signer = Pkcs12Signer::from_bytes(&file, "x").unwrap();
    assert_eq!(signer.chain().leaf().common_name(), Some("signer"));
    assert_eq!(signer.chain().certificates().len(), 1);
}

#[test]
#[ignore = "asks OpenSSL"]
fn debug_output_shows_no_key() {
    let dir = TempDir::new().unwrap();
    identity(dir.path(), "signer", KEYS[1]);
    let input = ["-inkey", "signer.key", "-in", "signer.pem", "-passout", "pass:x"];
    let signer = Pkcs12Signer::from_bytes(&export(dir.path(), &input), "x").unwrap();
    assert!(format!("{signer:?}").contains("PrivateKey(..)"));
}

#[test]
#[ignore = "asks OpenSSL"]
fn keys_that_are_not_supported_are_named() {
    let dir = TempDir::new().unwrap();
    for (key, options, named) in [
        ("ec", &["-pkeyopt", "ec_paramgen_curve:brainpoolP384r1"][..], "brainpoolP384r1"),
        ("ec", &["-pkeyopt", "ec_paramgen_curve:secp256k1"], "secp256k1"),
        ("ed448", &[], "Ed448"),
        ("rsa-pss", &[], "RSASSA-PSS"),
        ("rsa:1024", &[], "RSA with 1024 bits"),
    ] {
        identity(dir.path(), "signer", (key, options));
        let input = ["-inkey", "signer.key", "-in", "signer.pem", "-passout", "pass:x"];
        let error = Pkcs12Signer::from_bytes(&export(dir.path(), &input), "x").unwrap_err();
        assert!(matches!(error, Error::UnsupportedKey { .. }), "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
#[ignore = "asks Java"]
fn a_key_of_a_java_keystore_is_chosen_by_its_alias() {
    let dir = TempDir::new().unwrap();
    for alias in ["Signing", "mail"] {
        let name = format!("CN={alias}");
        let key = ["-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-alias", alias];
        let store = ["-dname", &name, "-keystore", "keys.p12", "-storepass", "sesame-1"];
        let mut keytool = Command::new("keytool");
        let run = keytool.current_dir(dir.path()).args(key).args(store).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    }
    let file = std::fs::read(dir.path().join("keys.p12")).unwrap();
    let error = Pkcs12Signer::from_bytes(&file, "sesame-1").unwrap_err();
    assert!(error.to_string().contains(r#""signing", "mail""#), "{error}");
    for alias in ["Signing", "mail"] {
        let options = OpenOptions::new().key_name(alias);
        let signer = Pkcs12Signer::open(&file, "sesame-1", &options).unwrap();
        assert_eq!(signer.chain().leaf().common_name(), Some(alias));
    }
}
