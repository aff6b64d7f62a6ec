//! Documents that are encrypted for the holders of certificates: pyHanko encrypts them,
//! and verifies the signatures in them.

use std::path::Path;

use ades_core::Document as Source;
use ades_tests::oracle::pyhanko::PyHanko;
use ades_tests::pdf::{Document, Form, Xref};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{parameters, sign_pades};
use pades::{Error, SignatureOptions, VerifyOptions};
use pkcs12_signer::{Error as FileError, open_envelope};
use serde_json::{Value, json};
use tempfile::TempDir;

const PASSWORD: &str = "of the file";

/// A document that pyHanko encrypts for the signers with these keys.
fn encrypted(dir: &Path, recipients: &[Key], how: &Value) -> Vec<u8> {
    let form = Document { form: Form::Inline, xref: Xref::Stream, ..Document::default() };
    let [plain, out] = ["plain.pdf", "encrypted.pdf"].map(|name| dir.join(name));
    std::fs::write(&plain, form.write()).unwrap();
    let certificates: Vec<_> = recipients
        .iter()
        .map(|key| {
            let dir = dir.join(format!("{key:?}"));
            std::fs::create_dir_all(&dir).unwrap();
            Pki::shared().signer(*key).write_pem_files(&dir).leaf
        })
        .collect();
    let mut request = json!({ "file": plain, "out": out, "certificates": certificates });
    request.as_object_mut().unwrap().extend(how.as_object().unwrap().clone());
    PyHanko::shared().ask("encrypt", &request).unwrap();
    std::fs::read(&out).unwrap()
}

fn envelopes(document: &[u8]) -> Vec<Vec<u8>> {
    pades::envelopes(&mut Source::from_bytes(document)).unwrap()
}

#[test]
fn a_recipient_signs_a_document() {
    let dir = TempDir::new().unwrap();
    let signer = Pki::shared().signer(Key::P256);
    let path = dir.path().join("recipient.p12");
    for (key, how) in [
        (Key::Rsa2048, json!({ "version": "AES256" })),
        (Key::Rsa2048, json!({ "version": "AES256", "oaep": true, "metadata": false })),
        (Key::Rsa2048, json!({ "version": "RC4_OR_AES128" })),
        (Key::Rsa2048, json!({ "version": "RC4_OR_AES128", "metadata": false })),
        (Key::Rsa2048, json!({ "version": "RC4_OR_AES128", "aes": false })),
        (Key::Rsa2048, json!({ "version": "RC4_LONGER_KEYS", "aes": false })),
        (Key::Rsa2048, json!({ "version": "RC4_LONGER_KEYS", "aes": false, "filters": false })),
        (
            Key::Rsa2048,
            json!({ "version": "RC4_40", "aes": false, "filters": false, "key_length": 5 }),
        ),
        (Key::P256, json!({ "version": "AES256" })),
        (Key::P384, json!({ "version": "AES256" })),
        (Key::P521, json!({ "version": "RC4_OR_AES128" })),
    ] {
        let file = Pki::shared().signer(key).pkcs12(PASSWORD);
        std::fs::write(&path, &file).unwrap();
        let recipients = [Key::Rsa3072, key];
        let document = encrypted(dir.path(), &recipients, &how);
        let without = sign_pades(&document, signer, &parameters(), &SignatureOptions::new());
        assert!(matches!(without, Err(Error::RecipientNeeded)), "{how}: {without:?}");

        let content = open_envelope(&file, PASSWORD, &envelopes(&document)).unwrap();
        let options = SignatureOptions::new().reason("Top secret").envelope_content(&**content);
        let secret = format!("{:?}", &content[..8]);
        assert!(!format!("{options:?}").contains(secret.trim_matches(['[', ']'])));
        let once = sign_pades(&document, signer, &parameters(), &options).unwrap();
        let twice = sign_pades(&once, signer, &parameters(), &options).unwrap();
        assert!(!twice.windows(10).any(|window| window == b"Top secret"), "{how}");
        let given = VerifyOptions::new().envelope_content(&content);
        let report = pades::verify(&mut Source::from_bytes(&twice), given).unwrap();
        assert!(report.is_valid() && report.signatures.len() == 2, "{how}: {report:?}");
        assert_eq!(report.signatures[0].reason.as_deref(), Some("Top secret"), "{how}");

        let signed = dir.path().join("signed.pdf");
        std::fs::write(&signed, &twice).unwrap();
        let request = json!({ "file": signed, "pkcs12": path, "password": PASSWORD });
        let verdict = PyHanko::shared().try_validate(&request).unwrap();
        let verdicts = verdict["signatures"].as_array().unwrap();
        assert_eq!(verdicts.len(), 2, "{how}: {verdict}");
        for signature in verdicts {
            assert!(signature["intact"] == true && signature["valid"] == true, "{how}: {verdict}");
            assert_eq!(signature["reason"], "Top secret", "{how}");
        }
    }
}

#[test]
fn others_do_not_open_a_document() {
    let dir = TempDir::new().unwrap();
    let document = encrypted(dir.path(), &[Key::Rsa3072], &json!({ "version": "AES256" }));
    for other in [Key::Rsa2048, Key::P256] {
        let file = Pki::shared().signer(other).pkcs12(PASSWORD);
        let opened = open_envelope(&file, PASSWORD, &envelopes(&document));
        assert!(matches!(opened, Err(FileError::NotARecipient)), "{other:?}: {opened:?}");
    }
    let file = Pki::shared().signer(Key::Rsa3072).pkcs12(PASSWORD);
    assert!(matches!(
        open_envelope(&file, "wrong", &envelopes(&document)),
        Err(FileError::File(_))
    ));
    let mut cut = envelopes(&document);
    for envelope in &mut cut {
        envelope.truncate(envelope.len() - 1);
    }
    assert!(matches!(open_envelope(&file, PASSWORD, &cut), Err(FileError::NotARecipient)));
    assert!(envelopes(&Document::default().write()).is_empty());
    let short = SignatureOptions::new().envelope_content([0; 23]);
    let signer = Pki::shared().signer(Key::P256);
    let refused = sign_pades(&document, signer, &parameters(), &short);
    assert!(matches!(refused, Err(Error::RecipientNeeded)), "{refused:?}");
}
