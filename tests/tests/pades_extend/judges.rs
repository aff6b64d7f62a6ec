//! What EU DSS, pyHanko, veraPDF, poppler, qpdf and MuPDF say of raised signatures.

use std::path::{Path, PathBuf};

use ades_evidence::TimeStampPurpose::Signature;
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::pdf::{mutool_check, pdfsig, qpdf_check, same_or_better};
use ades_tests::oracle::pyhanko::PyHanko;
use ades_tests::oracle::verapdf;
use ades_tests::pdf::archival::{Claim, Structure, archival};
use ades_tests::pdf::{Document, Encryption, Form, Xref, encrypted, object_streams};
use ades_tests::pki::{Key, PemFiles, Pki};
use ades_tests::signing::{parameters, sign_pades};
use pades::report::Level;
use pades::{Certification, FieldLock, SignatureOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::ladder::{document, ladder, level, signed};
use crate::services::{
    ARCHIVED, STAMPED, archive, embed, options, report, signer, stamp, token_len, validation_data,
};

/// After all steps, and before the revocation data are stale.
const TIME: &str = "2026-09-21T17:00:00Z";

struct Judges {
    dir: TempDir,
    /// The issuing CA, so that its own certificate needs no revocation data.
    anchor: PathBuf,
}

impl Judges {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let anchor = dir.path().join("anchor.pem");
        let chain = signer().chain_pem();
        let issuing = chain.split_inclusive("-----END CERTIFICATE-----").nth(1).unwrap();
        std::fs::write(&anchor, issuing.trim_start()).unwrap();
        Self { dir, anchor }
    }

    fn write(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path
    }

    fn request(&self, file: &Path, password: Option<&str>) -> Value {
        let mut request = json!({ "file": file, "trust": [self.anchor], "time": TIME });
        if let Some(password) = password {
            request["password"] = json!(password);
        }
        request
    }

    /// EU DSS says that every signature has this level and passes.
    fn assert_dss(&self, file: &Path, expected: &str, password: Option<&str>, what: &str) {
        let answer = Dss::shared().try_validate_pdf(&self.request(file, password)).unwrap();
        for signature in answer["signatures"].as_array().unwrap() {
            assert_eq!(signature["level"], expected, "{what}: {signature:#}");
            assert_eq!(signature["pdf"]["after"]["undefined"], json!([]), "{what}: {signature:#}");
            if expected != "PAdES-BASELINE-T" {
                assert_eq!(signature["indication"], "TOTAL_PASSED", "{what}: {signature:#}");
            }
        }
        for stamp in answer["timestamps"].as_array().unwrap() {
            assert_eq!(stamp["intact"], true, "{what}: {stamp:#}");
            assert_eq!(stamp["signature_intact"], true, "{what}: {stamp:#}");
        }
    }

    /// pyHanko says that everything is intact and that only what may be added was added.
    fn assert_pyhanko(&self, file: &Path, password: Option<&str>, what: &str) {
        let answer = PyHanko::shared().try_validate(&self.request(file, password)).unwrap();
        let all = answer["signatures"].as_array().unwrap();
        for signature in all {
            assert_eq!(signature["error"], Value::Null, "{what}: {signature:#}");
            assert_eq!(signature["intact"], true, "{what}: {signature:#}");
            assert_eq!(signature["valid"], true, "{what}: {signature:#}");
            assert_eq!(signature["suspicious"], Value::Null, "{what}: {signature:#}");
            assert_ne!(signature["docmdp_ok"], json!(false), "{what}: {signature:#}");
            let level = signature["modification_level"].as_str();
            let allowed = ["NONE", "LTA_UPDATES"];
            assert!(level.is_none_or(|level| allowed.contains(&level)), "{what}: {signature:#}");
        }
    }

    fn assert_others(&self, file: &Path, before: &Path, password: Option<&str>, what: &str) {
        let (was, is) = (qpdf_check(before, password), qpdf_check(file, password));
        assert!(same_or_better(&was, &is), "{what}: {was:?} then {is:?}");
        let (was, is) = (mutool_check(before, password), mutool_check(file, password));
        assert!(is.readable >= was.readable && is.repaired <= was.repaired, "{what}: {is:?}");
        let poppler = pdfsig(file, password).unwrap();
        // poppler knows no document time-stamps.
        let stamp = Some("unknown");
        let good = poppler.iter().all(|it| it.valid || it.subfilter.as_deref() == stamp);
        assert!(good, "{what}: {poppler:?}");
    }
}

fn name_of(step: &str) -> &'static str {
    match step {
        "T" => "PAdES-BASELINE-T",
        "LT" => "PAdES-BASELINE-LT",
        _ => "PAdES-BASELINE-LTA",
    }
}

#[test]
fn all_agree_on_every_step() {
    let judges = Judges::new();
    let room = || SignatureOptions::new().room_for_time_stamp(token_len());
    let plain = document();
    let tables = Document { form: Form::Inline, ..Document::default() }.write();
    let stream = Document { xref: Xref::Stream, form: Form::Indirect, ..Document::default() };
    let modern = Document { version: "2.0", ..Document::default() }.write();
    let aes = encrypted(&plain, Encryption::Aes256, "secret");
    let rc4 = encrypted(&plain, Encryption::Rc4, "");
    for (what, pdf, signing, password) in [
        ("plain", plain.clone(), room(), None),
        ("form", tables, room(), None),
        ("cross-reference stream", stream.write(), room(), None),
        ("object streams", object_streams(&plain), room(), None),
        ("version 2.0", modern, room(), None),
        ("certified 1", plain.clone(), room().certify(Certification::NoChanges), None),
        ("certified 2", plain.clone(), room().certify(Certification::FormFilling), None),
        ("locked", plain.clone(), room().lock(FieldLock::All), None),
        ("AES", aes, room().password("secret"), Some("secret")),
        ("RC4", rc4, room(), None),
    ] {
        let signed = sign_pades(&pdf, signer(), &parameters(), &signing).unwrap();
        let before = judges.write("before.pdf", &signed);
        let extending = password.map_or(options(), |password| options().password(password));
        for (step, octets) in ladder(&signed, &extending) {
            let what = format!("{what}, {step}");
            let file = judges.write("judged.pdf", &octets);
            judges.assert_dss(&file, name_of(step), password, &what);
            judges.assert_pyhanko(&file, password, &what);
            judges.assert_others(&file, &before, password, &what);
        }
    }
}

/// Each type of key; lists in `/VRI`; a document time-stamp in place of a
/// signature-time-stamp.
#[test]
fn all_agree_on_every_key_and_way() {
    let judges = Judges::new();
    for key in Key::ALL {
        // EU DSS does not judge EdDSA, and pyHanko has no such table either.
        if key == Key::Ed25519 {
            continue;
        }
        let signer = Pki::shared().signer(key);
        let signed =
            sign_pades(&document(), signer, &parameters(), &SignatureOptions::new()).unwrap();
        let mut data = validation_data();
        data.certificates.push(signer.leaf().clone());
        data.crls.push(crate::services::crl(9, crate::services::REVOCATION));
        let t = archive(&signed, STAMPED, &options()).unwrap();
        let lt = embed(&t, &data, &options().list_by_signature()).unwrap();
        let lta = archive(&lt, ARCHIVED, &options()).unwrap();
        for (step, octets) in [("T", t), ("LT", lt), ("LTA", lta)] {
            let what = format!("{key:?}, {step}");
            let file = judges.write("judged.pdf", &octets);
            judges.assert_dss(&file, name_of(step), None, &what);
            judges.assert_pyhanko(&file, None, &what);
        }
    }
}

#[test]
fn what_conforms_to_pdf_a_and_pdf_ua_still_does() {
    let judges = Judges::new();
    for claim in Claim::ALL {
        for structure in [Structure::Direct, Structure::Indirect] {
            let steps = ladder(&signed(&archival(claim, structure)), &options());
            for (step, octets) in [&steps[1], steps.last().unwrap()] {
                let file = judges.write("judged.pdf", octets);
                let verdict = verapdf::validate(&file).unwrap();
                assert!(verdict.keeps_its_claims(), "{claim:?}, {step}: {verdict:?}");
            }
        }
    }
}

/// Signatures of others, and stores of others, are raised further.
#[test]
fn what_others_made_is_raised() {
    let judges = Judges::new();
    // pyHanko's time-stamping service signs with RSA only.
    let pem = Pki::shared().signer(Key::Rsa2048).write_pem_files(judges.dir.path());
    let file = judges.write("document.pdf", &document());
    let out = judges.dir.path().join("others.pdf");
    let PemFiles { leaf, key, issuers, .. } = &pem;
    let request = json!({
        "file": file, "out": out, "key": key, "certificate": leaf, "chain": issuers,
    });
    PyHanko::shared().sign(&request).unwrap();
    let by_pyhanko = std::fs::read(&out).unwrap();
    let archived = judges.dir.path().join("archived.pdf");
    let mut request = request;
    request["file"] = json!(out);
    request["out"] = json!(archived);
    PyHanko::shared().ask("archive", &request).unwrap();
    let pkcs12 = judges.write("signer.p12", &signer().pkcs12("secret"));
    let by_dss = judges.dir.path().join("dss.pdf");
    let request = json!({
        "file": file, "out": by_dss, "digest": "SHA256", "time": "2026-09-21T14:13:20Z",
        "pkcs12": pkcs12, "password": "secret",
    });
    Dss::shared().sign_pdf(&request).unwrap();
    for (what, octets) in [
        ("pyHanko", by_pyhanko),
        ("pyHanko, archived", std::fs::read(&archived).unwrap()),
        ("EU DSS", std::fs::read(&by_dss).unwrap()),
    ] {
        let t = match stamp(&octets, 0, Signature, STAMPED, &options()) {
            Ok(t) => t,
            Err(pades::Error::CannotAdd { .. }) => archive(&octets, STAMPED, &options()).unwrap(),
            Err(error) => panic!("{what}: {error}"),
        };
        let lt = embed(&t, &validation_data(), &options()).unwrap();
        let lta = archive(&lt, ARCHIVED, &options()).unwrap();
        assert!(lta.starts_with(&t), "{what}");
        let report = report(&lta, None);
        assert!(report.is_valid(), "{what}: {report:?}");
        assert_eq!(level(&report), Level::Lta, "{what}");
        let judged = judges.write("judged.pdf", &lta);
        judges.assert_pyhanko(&judged, None, what);
        let answer = Dss::shared().try_validate_pdf(&judges.request(&judged, None)).unwrap();
        let first = &answer["signatures"][0];
        assert_eq!(first["level"], "PAdES-BASELINE-LTA", "{what}: {first:#}");
        assert_eq!(first["pdf"]["after"]["undefined"], json!([]), "{what}: {first:#}");
    }
}
