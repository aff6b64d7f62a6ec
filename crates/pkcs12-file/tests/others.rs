//! Files that OpenSSL and Java wrote; and OpenSSL reads what the tests write.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use pkcs12_file::{Contents, Error, OtherFile, open};
use pkcs12_writer::{Encryption, Form, Mac, Writer, pkcs12};
use tempfile::TempDir;
use test_key::TestKey;

fn run(dir: &Path, program: &str, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let run = Command::new(program).current_dir(dir).args(arguments).output().unwrap();
    if run.status.success() {
        return Ok(run.stdout);
    }
    // keytool prints its errors to standard output.
    let said = [run.stdout, run.stderr].concat();
    Err(format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&said)))
}

fn openssl(dir: &Path, arguments: &[&str]) -> Vec<u8> {
    run(dir, "openssl", arguments).unwrap()
}

/// A folder with a key and its self-signed certificate: `key.pem`, `key.der`
/// (PKCS#8) and `certificate.pem`, `certificate.der`.
fn identity() -> TempDir {
    let dir = TempDir::new().unwrap();
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let files = ["-keyout", "key.pem", "-out", "certificate.pem", "-subj", "/CN=Jo"];
    openssl(dir.path(), &[&["req", "-x509", "-nodes"], &curve[..], &files].concat());
    let key = ["pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-outform", "DER"];
    openssl(dir.path(), &[&key[..], &["-out", "key.der"]].concat());
    let certificate = ["x509", "-in", "certificate.pem", "-outform", "DER"];
    openssl(dir.path(), &[&certificate[..], &["-out", "certificate.der"]].concat());
    dir
}

/// Runs `openssl pkcs12 -export` with the password "sesame".
fn export(dir: &Path, options: &[&str]) -> Vec<u8> {
    let input = ["pkcs12", "-export", "-inkey", "key.pem", "-in", "certificate.pem"];
    let output = ["-passout", "pass:sesame", "-out", "out.p12"];
    openssl(dir, &[&input[..], &output, options].concat());
    std::fs::read(dir.join("out.p12")).unwrap()
}

fn check(contents: &Contents, dir: &Path, what: &str) {
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
    assert_eq!(contents.unreadable(), [], "{what}");
    let ([key], [certificate]) = (contents.keys(), contents.certificates()) else {
        panic!("{what}: not one key and one certificate: {contents:?}");
    };
    assert_eq!(key.pkcs8(), read("key.der"), "{what}");
    assert_eq!(certificate.der(), read("certificate.der"), "{what}");
    assert!(key.local_key_id().is_some(), "{what}");
    assert_eq!(key.local_key_id(), certificate.local_key_id(), "{what}");
}

#[test]
#[ignore = "asks OpenSSL"]
fn every_encryption_and_mac_of_openssl_is_read() {
    let dir = identity();
    let schemes = [
        "NONE",
        "PBE-SHA1-3DES",
        "PBE-SHA1-2DES",
        "PBE-SHA1-RC2-128",
        "PBE-SHA1-RC2-40",
        "PBE-SHA1-RC4-128",
        "PBE-SHA1-RC4-40",
        "PBE-MD5-DES",
        "PBE-SHA1-DES",
        "PBE-MD5-RC2-64",
        "PBE-SHA1-RC2-64",
        "aes-128-cbc",
        "aes-192-cbc",
        "aes-256-cbc",
        "des-ede3-cbc",
        "des-cbc",
        "rc2-cbc",
        "rc2-64-cbc",
        "rc2-40-cbc",
    ];
    let digests =
        ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha512-224", "sha512-256"];
    let mut exports: Vec<Vec<&str>> = vec![
        vec![],
        vec!["-legacy"],
        vec!["-legacy", "-descert"],
        vec!["-iter", "1"],
        vec!["-iter", "100000"],
        vec!["-nomac"],
        vec!["-nomaciter"],
        vec!["-LMK", "-CSP", "provider"],
    ];
    for scheme in schemes {
        exports.push(vec!["-legacy", "-keypbe", scheme, "-certpbe", scheme]);
        exports.push(vec!["-legacy", "-keypbe", scheme, "-certpbe", "aes-128-cbc"]);
        exports.push(vec!["-legacy", "-keypbe", scheme, "-certpbe", "NONE", "-nomac"]);
    }
    exports.extend(digests.map(|digest| vec!["-macalg", digest]));
    // Since OpenSSL 3.4.
    let help = Command::new("openssl").args(["pkcs12", "-help"]).output().unwrap();
    if String::from_utf8_lossy(&help.stderr).contains("-pbmac1_pbkdf2") {
        exports.push(vec!["-pbmac1_pbkdf2"]);
        exports.push(vec!["-pbmac1_pbkdf2", "-pbmac1_pbkdf2_md", "sha512"]);
    }
    for options in exports {
        let what = options.join(" ");
        let file = export(dir.path(), &options);
        let contents = open(&file, "sesame").unwrap_or_else(|e| panic!("{what}: {e}"));
        check(&contents, dir.path(), &what);
        // The outer elements in BER. The MAC protects the inner ones.
        for form in [Form::Indefinite, Form::Segments(100), Form::Nested(999)] {
            check(&open(&form.rewrite(&file), "sesame").unwrap(), dir.path(), &what);
        }
        let is_open = what.contains("NONE -nomac") && what.contains("-keypbe NONE");
        match open(&file, "Sesame") {
            Ok(_) => assert!(is_open, "{what}"),
            Err(Error::CannotDecrypt) => assert!(what.contains("-nomac"), "{what}"),
            Err(error) => assert_eq!(error, Error::WrongPassword, "{what}"),
        }
    }
}

#[test]
#[ignore = "asks OpenSSL"]
fn algorithms_that_are_not_supported_are_named() {
    let dir = identity();
    for (options, name) in [
        (&["-keypbe", "camellia-256-cbc"][..], "Camellia-256-CBC"),
        (&["-keypbe", "aria-128-cbc"], "ARIA-128-CBC"),
        (&["-macalg", "sha3-256"], "SHA3-256"),
    ] {
        let error = open(&export(dir.path(), options), "sesame").unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
#[ignore = "asks OpenSSL"]
fn passwords_are_encoded_as_openssl_does() {
    let dir = identity();
    for password in ["", "p😀", "é", "пароль", "\u{FFFF}x", "a\u{10FFFF}"] {
        for legacy in [&[][..], &["-legacy"]] {
            let password_option = format!("pass:{password}");
            let options = [&["-passout", password_option.as_str()], legacy].concat();
            check(&open(&export(dir.path(), &options), password).unwrap(), dir.path(), password);
        }
    }
}

#[test]
#[ignore = "asks OpenSSL"]
fn a_key_encrypted_with_scrypt_is_read() {
    let dir = identity();
    let scrypt = ["pkcs8", "-topk8", "-scrypt", "-in", "key.pem", "-outform", "DER"];
    let key = openssl(dir.path(), &[&scrypt[..], &["-passout", "pass:sesame"]].concat());
    let mut writer = Writer::new("sesame");
    let bag = writer.bag(&pkcs12(&[10, 1, 2]), &key, None, Some(&[1]));
    writer.keys.push(bag);
    writer.certificate(
        &std::fs::read(dir.path().join("certificate.der")).unwrap(),
        None,
        Some(&[1]),
    );
    check(&open(&writer.write(), "sesame").unwrap(), dir.path(), "scrypt");
}

#[test]
#[ignore = "asks OpenSSL"]
fn kinds_of_keys_are_named() {
    let dir = TempDir::new().unwrap();
    let curve =
        |name: &str| vec!["EC".to_owned(), "-pkeyopt".into(), format!("ec_paramgen_curve:{name}")];
    let explicit =
        [curve("P-256"), vec!["-pkeyopt".into(), "ec_param_enc:explicit".into()]].concat();
    let plain = |name: &str| vec![name.to_owned()];
    let rsa = vec!["RSA".to_owned(), "-pkeyopt".into(), "rsa_keygen_bits:1024".into()];
    for (algorithm, kind) in [
        (curve("brainpoolP256r1"), "EC on the curve brainpoolP256r1"),
        (curve("brainpoolP320t1"), "EC on the curve brainpoolP320t1"),
        (curve("brainpoolP512r1"), "EC on the curve brainpoolP512r1"),
        (curve("secp256k1"), "EC on the curve secp256k1"),
        (curve("secp224r1"), "EC on the curve P-224"),
        (curve("prime192v1"), "EC on the curve P-192"),
        (curve("sect283k1"), "EC on the curve sect283k1"),
        (curve("SM2"), "EC on the curve SM2"),
        (curve("P-521"), "EC on the curve P-521"),
        (explicit, "EC with explicit curve parameters"),
        (plain("X25519"), "X25519"),
        (plain("X448"), "X448"),
        (plain("ED25519"), "Ed25519"),
        (plain("ED448"), "Ed448"),
        (plain("RSA-PSS"), "RSASSA-PSS"),
        (rsa, "RSA with 1024 bits"),
    ] {
        let algorithm: Vec<&str> = algorithm.iter().map(String::as_str).collect();
        openssl(
            dir.path(),
            &[&["genpkey", "-out", "key.pem", "-algorithm"], &algorithm[..]].concat(),
        );
        let export = ["pkcs12", "-export", "-nocerts", "-inkey", "key.pem", "-out", "out.p12"];
        openssl(dir.path(), &[&export[..], &["-passout", "pass:sesame"]].concat());
        let file = std::fs::read(dir.path().join("out.p12")).unwrap();
        let contents = open(&file, "sesame").unwrap();
        assert_eq!(contents.keys()[0].kind().to_string(), kind);
    }
}

/// Otherwise the tests with Rust alone show only that two programs of ours agree.
#[test]
#[ignore = "asks OpenSSL"]
fn openssl_reads_what_the_tests_write() {
    let dir = TempDir::new().unwrap();
    let jo = TestKey::new("Jo");
    for form in [Form::Der, Form::Indefinite, Form::Segments(100), Form::Nested(100)] {
        for encryption in
            [Encryption::None, Encryption::Pbes2, Encryption::Scrypt, Encryption::Pkcs12]
        {
            for password in ["sesame", "", "p😀"] {
                let mut writer = Writer { form, encryption, ..Writer::new(password) };
                writer.key(&jo.private_key(), Some("Jo"), Some(&[1]));
                writer.certificate(jo.certificate(), Some("Jo"), Some(&[1]));
                writer.mac = Mac::Pkcs12;
                std::fs::write(dir.path().join("in.p12"), writer.write()).unwrap();
                let password = format!("pass:{password}");
                let read = ["pkcs12", "-in", "in.p12", "-nodes", "-passin", &password];
                let pem = String::from_utf8(openssl(dir.path(), &read)).unwrap();
                let is_whole = pem.contains("PRIVATE KEY") && pem.contains("BEGIN CERTIFICATE");
                assert!(is_whole, "{form:?} {encryption:?}: {pem}");
            }
        }
    }
}

#[test]
#[ignore = "asks OpenSSL"]
fn another_file_of_openssl_is_named() {
    let dir = identity();
    let named = |arguments: &[&str]| match open(&openssl(dir.path(), arguments), "") {
        Err(Error::OtherFile { found }) => found,
        other => panic!("{arguments:?}: {other:?}"),
    };
    let encrypted = ["pkcs8", "-topk8", "-in", "key.pem", "-passout", "pass:x", "-outform", "DER"];
    assert_eq!(named(&encrypted), OtherFile::PrivateKey);
    assert_eq!(named(&["ec", "-in", "key.pem", "-outform", "DER"]), OtherFile::PrivateKey);
    let rsa = ["genrsa", "-traditional", "2048"];
    assert!(matches!(named(&rsa), OtherFile::Pem { keys: 1, .. }));
    let pkcs7 = ["crl2pkcs7", "-nocrl", "-certfile", "certificate.pem", "-outform", "DER"];
    assert_eq!(named(&pkcs7), OtherFile::Pkcs7);
    let request = ["req", "-new", "-key", "key.pem", "-subj", "/CN=Jo"];
    assert!(matches!(named(&request), OtherFile::Pem { keys: 0, certificates: 0, .. }));
}

#[test]
#[ignore = "asks Java"]
fn keystores_of_java_are_read_or_named() {
    let dir = TempDir::new().unwrap();
    let keytool = |store: &str, arguments: &[&str]| {
        let common = ["-keystore", store, "-storepass", "sesame-1"];
        run(dir.path(), "keytool", &[arguments, &common].concat()).unwrap();
    };
    let generate = |store: &str, kind: &str, alias: &str, legacy: &[&str]| {
        let key = ["-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-alias", alias];
        let more = ["-dname", "CN=Jo", "-storetype", kind, "-keypass", "sesame-1"];
        keytool(store, &[legacy, &key[..], &more].concat());
    };
    for legacy in [&[][..], &["-J-Dkeystore.pkcs12.legacy"]] {
        let store = if legacy.is_empty() { "new.p12" } else { "old.p12" };
        generate(store, "PKCS12", "Signing", legacy);
        generate(store, "PKCS12", "mail", legacy);
        let secret = ["-genseckey", "-keyalg", "AES", "-keysize", "128", "-alias", "secret"];
        keytool(store, &[legacy, &secret[..]].concat());
        let file = std::fs::read(dir.path().join(store)).unwrap();
        let contents = open(&file, "sesame-1").unwrap();
        let names: Vec<_> = contents.keys().iter().filter_map(|key| key.friendly_name()).collect();
        assert_eq!(names, ["signing", "mail"], "{contents:?}");
        assert_eq!(contents.certificates().len(), 2);
        assert_eq!(open(&file, "sesame-2").unwrap_err(), Error::WrongPassword);
    }
    for name in ["JKS", "JCEKS"] {
        generate(name, name, "signing", &[]);
        let error = open(&std::fs::read(dir.path().join(name)).unwrap(), "sesame-1").unwrap_err();
        assert_eq!(error, Error::OtherFile { found: OtherFile::JavaKeystore { name } });
    }
}
