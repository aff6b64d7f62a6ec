//! What a signature says about its certificate and key: the older property of the certificate, a
//! signed `ds:KeyInfo`, and the public key in it.

use ades_core::Document;
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::xades::{Asked, Court};
use ades_tests::oracle::xmlsec1;
use ades_tests::pki::{self, Key, Pki, TestSigner};
use ades_tests::signing::{complete_xades, parameters};
use serde_json::json;
use xades::report::{Problem, Report};
use xades::{Packaging, SignatureOptions, SigningCertificate, VerifyOptions, verify};

fn sign(signer: &TestSigner, options: &SignatureOptions) -> String {
    let document = b"<r>text</r>";
    let mut source = Document::from_bytes(document);
    let pending = xades::prepare(&mut source, &signer.chain, &parameters(), options).unwrap();
    String::from_utf8(complete_xades(&pending, Some(document), signer).unwrap()).unwrap()
}

fn report(signed: &str) -> Report {
    verify(&mut Document::from_bytes(signed.as_bytes()), VerifyOptions::new()).unwrap()
}

fn problems(signed: &str) -> Vec<Problem> {
    report(signed).signatures[0].problems.clone()
}

/// Every key in every form of packaging, with a signed `ds:KeyInfo` that has the key.
#[test]
fn judges_accept_signed_keys() {
    let court = Court::new();
    for key in Key::ALL {
        let signer = Pki::shared().signer(key);
        let algorithm = parameters().algorithm_for(signer.leaf()).unwrap();
        for packaging in
            [Packaging::Enveloped, Packaging::EnvelopingXml, Packaging::EnvelopingBase64]
        {
            let options = SignatureOptions::new().packaging(packaging);
            for (options, signs, has_key) in [
                (options.clone().sign_key_info(), true, false),
                (options.clone().key_value(), false, true),
                (options.sign_key_info().key_value(), true, true),
            ] {
                let signed = sign(signer, &options);
                assert_eq!(signed.contains("-key-info\">"), signs, "{signed}");
                assert_eq!(signed.contains("KeyValue>"), has_key, "{signed}");
                assert!(report(&signed).is_valid(), "{key:?}: {:#?}", report(&signed));
                // xmlsec1 does not know the Id of ds:KeyInfo, nor DEREncodedKeyValue.
                let asked = Asked { xmlsec1: !signs, signxml: false }.of(algorithm);
                let verdict = court.judge(signed.as_bytes(), 1, asked);
                assert!(verdict.all_accept(), "{key:?}: {verdict:#?}\n{signed}");
            }
        }
    }
}

/// Facturae and other national formats: EU DSS finds the certificate by the older property.
#[test]
fn the_older_property_names_the_certificate() {
    let dir = tempfile::TempDir::new().unwrap();
    let (path, root) = (dir.path().join("signed.xml"), dir.path().join("root.pem"));
    std::fs::write(&root, pki::pem(Pki::shared().root())).unwrap();
    for key in [Key::Rsa2048, Key::P256] {
        for (property, forms) in [
            (SigningCertificate::V1, [true, false]),
            (SigningCertificate::V2, [false, true]),
            (SigningCertificate::Both, [true, true]),
        ] {
            let options = SignatureOptions::new().signing_certificate(property);
            let signed = sign(Pki::shared().signer(key), &options);
            let has = |name: &str| signed.contains(&format!("<xades:{name}>"));
            assert_eq!([has("SigningCertificate"), has("SigningCertificateV2")], forms);
            assert_eq!(has("IssuerSerial"), forms[0]);
            let legacy = if forms[0] { vec![Problem::LegacyProperty] } else { Vec::new() };
            assert_eq!(problems(&signed), legacy);
            std::fs::write(&path, &signed).unwrap();
            assert_eq!(Dss::shared().schema_valid(&path), Ok(1));
            xmlsec1::verify(&path, &root).unwrap();
            let asked = json!({ "file": path, "trust": [root] });
            let found = &Dss::shared().try_validate(&asked).unwrap()[0];
            assert_eq!((&found["intact"], &found["valid"]), (&json!(true), &json!(true)));
            assert_eq!(found["signing_certificate_identified"], true, "{found:#}");
            let reference = &found["signing_certificate_reference"];
            assert_eq!(reference["digest_match"], true, "{found:#}");
            if property == SigningCertificate::V1 {
                assert_eq!(reference["issuer_serial_match"], true, "{found:#}");
            }
        }
    }
}

/// The digest decides; a serial number of another certificate is a contradiction.
#[test]
fn contradictions_about_the_certificate_are_found() {
    let signer = Pki::shared().signer(Key::Rsa2048);
    let both = SignatureOptions::new().signing_certificate(SigningCertificate::Both);
    let signed = sign(signer, &both);
    let number = "</ds:X509SerialNumber>";
    let changed = signed.replace(number, &format!("7{number}"));
    assert!(problems(&changed).contains(&Problem::SigningCertificateMismatch), "{changed}");

    let with_key = SignatureOptions::new().key_value();
    let other = sign(Pki::shared().signer(Key::P256), &with_key);
    let signed = sign(signer, &with_key);
    let value = |text: &str| {
        let from = text.find("<ds:KeyValue>").unwrap();
        text[from..text.find("</ds:KeyValue>").unwrap()].to_owned()
    };
    assert_eq!(problems(&signed), []);
    let changed = signed.replace(&value(&signed), &value(&other));
    assert_eq!(problems(&changed), [Problem::KeyValueMismatch]);
    // A signed ds:KeyInfo cannot be changed.
    let signed = sign(signer, &with_key.clone().sign_key_info());
    let changed = signed.replace(&value(&signed), &value(&other));
    assert!(problems(&changed).contains(&Problem::DigestMismatch));
    assert!(report(&changed).signatures[0].intact != Some(true));
}
