//! The judges of PDF accept what another's signer made, and each can say no.
//! Nothing here is made or read by our engine.

use std::path::{Path, PathBuf};

use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::pdf::{
    Comparison, Verdict, compare, mutool_check, pdfsig, qpdf_check, render, same_or_better,
};
use ades_tests::oracle::pyhanko::PyHanko;
use ades_tests::oracle::verapdf;
use ades_tests::pdf::archival::{Claim, Structure, archival};
use ades_tests::pdf::{
    Document, Encryption, Form, Sample, encrypted, nuls_after, samples, unsigned_change,
    write_image_pages, write_many_objects, wrong_startxref,
};
use ades_tests::pki::{Key, PemFiles, Pki};
use serde_json::{Value, json};
use tempfile::TempDir;

const TIME: &str = "2026-09-21T14:13:20Z";

/// A directory with a signer's files and a document.
struct Bench {
    dir: TempDir,
    pem: PemFiles,
    pkcs12: PathBuf,
    document: PathBuf,
}

impl Bench {
    fn new(key: Key, document: &[u8]) -> Self {
        let signer = Pki::shared().signer(key);
        let dir = TempDir::new().unwrap();
        let pem = signer.write_pem_files(dir.path());
        let pkcs12 = dir.path().join("signer.p12");
        std::fs::write(&pkcs12, signer.pkcs12("secret")).unwrap();
        let path = dir.path().join("document.pdf");
        std::fs::write(&path, document).unwrap();
        Self { dir, pem, pkcs12, document: path }
    }

    fn write(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path
    }

    /// `file` signed by DSS; `more` adds to the request.
    fn dss(&self, file: &Path, name: &str, more: &Value) -> Result<PathBuf, String> {
        let out = self.dir.path().join(name);
        let mut request = json!({
            "file": file, "out": out, "digest": "SHA256", "time": TIME,
            "pkcs12": self.pkcs12, "password": "secret",
        });
        extend(&mut request, more);
        Dss::shared().sign_pdf(&request).map(|()| out)
    }

    /// `file` signed by pyHanko; `more` adds to the request.
    fn pyhanko(&self, file: &Path, name: &str, more: &Value) -> Result<PathBuf, String> {
        let out = self.dir.path().join(name);
        let PemFiles { leaf, key, issuers, .. } = &self.pem;
        let mut request = json!({
            "file": file, "out": out, "key": key, "certificate": leaf, "chain": issuers,
        });
        extend(&mut request, more);
        PyHanko::shared().sign(&request).map(|()| out)
    }

    fn by_dss(&self, signed: &Path) -> Vec<Value> {
        Dss::shared().validate_pdf(signed, &self.pem.root)
    }

    fn by_pyhanko(&self, signed: &Path) -> Vec<Value> {
        PyHanko::shared().validate(signed, &self.pem.root)
    }

    /// Every judge accepts `count` signatures, the last of which covers the
    /// whole file, on a document that is as it was.
    fn assert_accepted(&self, signed: &Path, count: usize) {
        let found = self.by_dss(signed);
        assert_eq!(found.len(), count);
        for signature in &found {
            assert_eq!(signature["level"], "PAdES-BASELINE-B", "{signature}");
            assert_eq!(signature["valid"], true, "{signature}");
            assert_eq!(signature["structure"], json!([]), "{signature}");
            assert_eq!(signature["trusted_chain"], true, "{signature}");
            assert_eq!(signature["pdf"]["byte_range_valid"], true, "{signature}");
            assert_eq!(signature["pdf"]["after"]["undefined"], json!([]), "{signature}");
            assert_eq!(signature["pdf"]["after"]["any"], false, "{signature}");
        }
        let found = self.by_pyhanko(signed);
        assert_eq!(found.len(), count);
        for (at, signature) in found.iter().enumerate() {
            assert_eq!(signature["error"], Value::Null, "{signature}");
            assert_eq!(signature["bottom_line"], true, "{signature}");
            assert_eq!(signature["trusted"], true, "{signature}");
            let last = at + 1 == count;
            let coverage = if last { "ENTIRE_FILE" } else { "ENTIRE_REVISION" };
            assert_eq!(signature["coverage"], coverage, "{signature}");
            let level = if last { "NONE" } else { "FORM_FILLING" };
            assert_eq!(signature["modification_level"], level, "{signature}");
        }
        let found = pdfsig(signed, None).unwrap();
        assert_eq!(found.len(), count);
        for (at, signature) in found.iter().enumerate() {
            assert!(signature.valid, "{signature:?}");
            assert_eq!(signature.total_document, at + 1 == count, "{signature:?}");
            assert_eq!(signature.ranges[0].0, 0, "{signature:?}");
        }
        let (before, after) = (qpdf_check(&self.document, None), qpdf_check(signed, None));
        assert!(same_or_better(&before, &after), "{before:?} {after:?}");
        let mutool = mutool_check(signed, None);
        assert!(mutool.readable && !mutool.repaired, "{mutool:?}");
        let same = Comparison { pages: 2, first_difference: None };
        assert_eq!(compare(&self.document, signed, None), same);
    }
}

fn extend(request: &mut Value, more: &Value) {
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
}

fn with_field() -> Vec<u8> {
    let fields = &["Here"];
    Document { form: Form::Inline, signature_fields: fields, ..Document::default() }.write()
}

#[test]
fn every_judge_accepts_what_dss_signs() {
    for (key, pss) in [(Key::Rsa2048, false), (Key::Rsa2048, true), (Key::P256, false)] {
        let bench = Bench::new(key, &Document::default().write());
        let said = json!({
            "pss": pss, "reason": "Agreed", "location": "Liège", "name": "A. Signer",
            "contact": "signer@example.org",
        });
        let one = bench.dss(&bench.document, "one.pdf", &said).unwrap();
        bench.assert_accepted(&one, 1);
        let signature = &bench.by_dss(&one)[0];
        assert_eq!(signature["signing_time"], TIME);
        assert_eq!(signature["pdf"]["reason"], "Agreed");
        assert_eq!(signature["pdf"]["location"], "Liège");
        let signature = &bench.by_pyhanko(&one)[0];
        assert_eq!(signature["subfilter"], "/ETSI.CAdES.detached");
        assert_eq!(signature["signer"], format!("Test Signer {key:?}"));
        assert_eq!(signature["reason"], "Agreed");
        assert_eq!(signature["location"], "Liège");
        assert_eq!(signature["contact"], "signer@example.org");

        let two = bench.dss(&one, "two.pdf", &json!({})).unwrap();
        bench.assert_accepted(&two, 2);
    }
}

#[test]
fn every_judge_accepts_what_pyhanko_signs() {
    for key in [Key::Rsa2048, Key::P256, Key::P521] {
        let bench = Bench::new(key, &Document::default().write());
        let said = json!({ "reason": "Agreed", "location": "Liège", "name": "A. Signer" });
        let one = bench.pyhanko(&bench.document, "one.pdf", &said).unwrap();
        bench.assert_accepted(&one, 1);
        let signature = &bench.by_dss(&one)[0];
        assert_eq!(signature["pdf"]["sub_filter"], "ETSI.CAdES.detached");
        assert_eq!(signature["pdf"]["fields"], json!(["Signature"]));
        assert_eq!(signature["pdf"]["name"], "A. Signer");
        assert_eq!(signature["pdf"]["reason"], "Agreed");
        assert_eq!(signature["pdf"]["location"], "Liège");
        let signature = &pdfsig(&one, None).unwrap()[0];
        assert_eq!(signature.signer, Some(format!("Test Signer {key:?}")));
        assert_eq!(signature.subfilter.as_deref(), Some("ETSI.CAdES.detached"));

        let two = bench.dss(&one, "two.pdf", &json!({})).unwrap();
        bench.assert_accepted(&two, 2);
        let three = bench.pyhanko(&two, "three.pdf", &json!({ "field": "Third" })).unwrap();
        bench.assert_accepted(&three, 3);
    }
}

#[test]
fn both_sign_into_an_existing_field() {
    let bench = Bench::new(Key::P256, &with_field());
    let existing = json!({ "field": "Here", "existing": true });
    let by_pyhanko = bench.pyhanko(&bench.document, "pyhanko.pdf", &existing).unwrap();
    let by_dss = bench.dss(&bench.document, "dss.pdf", &json!({ "field": "Here" })).unwrap();
    for signed in [&by_pyhanko, &by_dss] {
        assert_eq!(bench.by_dss(signed)[0]["pdf"]["fields"], json!(["Here"]));
        assert_eq!(bench.by_dss(signed)[0]["valid"], true);
        assert_eq!(bench.by_pyhanko(signed)[0]["bottom_line"], true);
        assert_eq!(pdfsig(signed, None).unwrap()[0].field, "Here");
    }
    let absent = json!({ "field": "There", "existing": true });
    bench.pyhanko(&bench.document, "absent.pdf", &absent).unwrap_err();
    bench.dss(&bench.document, "absent.pdf", &json!({ "field": "There" })).unwrap_err();
    bench.pyhanko(&by_pyhanko, "taken.pdf", &existing).unwrap_err();
}

#[test]
fn seed_values_and_locks_are_judged() {
    let sample = |name| {
        let found = samples().into_iter().find(|sample| sample.name == name).unwrap();
        Bench::new(Key::P256, &found.octets)
    };
    let bench = sample("seed-values");
    // DSS does not look at seed values.
    for (reason, satisfied) in [("Agreed", true), ("Read", false)] {
        let into = json!({ "field": "Signature1", "reason": reason });
        let signed = bench.dss(&bench.document, "signed.pdf", &into).unwrap();
        let signature = &bench.by_pyhanko(&signed)[0];
        assert_eq!(signature["has_seed_values"], true, "{signature}");
        assert_eq!(signature["seed_value_ok"], satisfied, "{signature}");
        assert_eq!(signature["bottom_line"], satisfied, "{signature}");
    }
    let into = json!({ "field": "Signature1", "existing": true, "reason": "Read" });
    let error = bench.pyhanko(&bench.document, "signed.pdf", &into).unwrap_err();
    assert!(error.contains("Agreed"), "{error}");

    let bench = sample("lock");
    let into = json!({ "field": "Signature1", "existing": true });
    let signed = bench.pyhanko(&bench.document, "signed.pdf", &into).unwrap();
    assert_eq!(bench.by_pyhanko(&signed)[0]["locked"], json!(["Text"]));
    assert_eq!(bench.by_dss(&signed)[0]["pdf"]["field_mdp"], json!(["Text"]));
}

#[test]
fn certification_permits_what_it_says() {
    let bench = Bench::new(Key::P256, &Document::default().write());
    for permission in 1..=3 {
        let certify = json!({ "certify": permission });
        for by_dss in [true, false] {
            let certified = if by_dss {
                bench.dss(&bench.document, "certified.pdf", &certify)
            } else {
                bench.pyhanko(&bench.document, "certified.pdf", &certify)
            };
            let certified = certified.unwrap();
            bench.assert_accepted(&certified, 1);
            assert_eq!(bench.by_dss(&certified)[0]["pdf"]["doc_mdp"], permission);
            assert_eq!(bench.by_pyhanko(&certified)[0]["certification"], permission);

            let again = bench.pyhanko(&certified, "again.pdf", &json!({ "field": "Second" }));
            let by_dss = bench.dss(&certified, "again-dss.pdf", &json!({}));
            if permission == 1 {
                again.unwrap_err();
                by_dss.unwrap_err();
            } else {
                bench.assert_accepted(&again.unwrap(), 2);
                bench.assert_accepted(&by_dss.unwrap(), 2);
            }
        }
    }
}

#[test]
fn every_judge_refuses_a_flipped_bit() {
    let bench = Bench::new(Key::P256, &Document::default().write());
    let by_dss = bench.dss(&bench.document, "dss.pdf", &json!({})).unwrap();
    let by_pyhanko = bench.pyhanko(&bench.document, "pyhanko.pdf", &json!({})).unwrap();
    for signed in [by_dss, by_pyhanko] {
        let mut octets = std::fs::read(&signed).unwrap();
        let at = octets.windows(6).position(|window| window == b"Page 1").unwrap();
        octets[at] ^= 1;
        let flipped = bench.write("flipped.pdf", &octets);
        let signature = &bench.by_dss(&flipped)[0];
        assert_eq!(signature["valid"], false, "{signature}");
        assert_eq!(signature["digests"][0]["intact"], false, "{signature}");
        let signature = &bench.by_pyhanko(&flipped)[0];
        assert_eq!(signature["intact"], false, "{signature}");
        assert_eq!(signature["bottom_line"], false, "{signature}");
        assert!(!pdfsig(&flipped, None).unwrap()[0].valid);
        assert_eq!(compare(&signed, &flipped, None).first_difference, Some(1));
    }
}

#[test]
fn every_judge_notices_an_unsigned_change() {
    let bench = Bench::new(Key::P256, &Document::default().write());
    let by_dss = bench.dss(&bench.document, "dss.pdf", &json!({})).unwrap();
    let by_pyhanko = bench.pyhanko(&bench.document, "pyhanko.pdf", &json!({})).unwrap();
    for signed in [by_dss, by_pyhanko] {
        let changed =
            bench.write("changed.pdf", &unsigned_change(&std::fs::read(&signed).unwrap()));
        let signature = &bench.by_dss(&changed)[0];
        assert_eq!(signature["valid"], true, "its own revision is as it was: {signature}");
        let after = &signature["pdf"]["after"];
        assert_ne!(after["undefined"], json!([]), "{signature}");
        assert_eq!(after["any"], true, "{signature}");
        assert_eq!(after["pages_look_different"], json!([1]), "{signature}");
        let signature = &bench.by_pyhanko(&changed)[0];
        assert_eq!(signature["intact"], true, "{signature}");
        assert_eq!(signature["coverage"], "ENTIRE_REVISION", "{signature}");
        assert_eq!(signature["modification_level"], "OTHER", "{signature}");
        assert_eq!(signature["docmdp_ok"], false, "{signature}");
        assert_eq!(signature["bottom_line"], false, "{signature}");
        let signature = &pdfsig(&changed, None).unwrap()[0];
        assert!(signature.valid && !signature.total_document, "{signature:?}");
        // The structure is sound: only the pixels tell.
        let (before, after) = (qpdf_check(&signed, None), qpdf_check(&changed, None));
        assert!(same_or_better(&before, &after), "{before:?} {after:?}");
        let different = Comparison { pages: 2, first_difference: Some(1) };
        assert_eq!(compare(&signed, &changed, None), different);
    }
}

#[test]
fn a_stranger_s_root_is_not_trusted() {
    let bench = Bench::new(Key::P256, &Document::default().write());
    let signed = bench.dss(&bench.document, "signed.pdf", &json!({})).unwrap();
    let stranger = bench.write("stranger.pem", Pki::new().root_pem().as_bytes());
    let signature = &Dss::shared().validate_pdf(&signed, &stranger)[0];
    assert_eq!((&signature["intact"], &signature["trusted_chain"]), (&json!(true), &json!(false)));
    let signature = &PyHanko::shared().validate(&signed, &stranger)[0];
    assert_eq!((&signature["intact"], &signature["trusted"]), (&json!(true), &json!(false)));
    assert_eq!(signature["bottom_line"], false);
}

#[test]
fn adobe_s_older_kind_is_no_pades() {
    let bench = Bench::new(Key::Rsa2048, &Document::default().write());
    let older = json!({ "subfilter": "ADOBE_PKCS7_DETACHED" });
    let signed = bench.pyhanko(&bench.document, "signed.pdf", &older).unwrap();
    assert_eq!(bench.by_dss(&signed)[0]["level"], "PKCS7-B");
    assert_eq!(bench.by_pyhanko(&signed)[0]["bottom_line"], true);
    let signature = &pdfsig(&signed, None).unwrap()[0];
    assert_eq!(signature.subfilter.as_deref(), Some("adbe.pkcs7.detached"));
    assert!(signature.valid);
}

#[test]
fn encrypted_documents_are_signed_and_judged_with_their_password() {
    for encryption in [Encryption::Rc4, Encryption::Aes128, Encryption::Aes256] {
        let octets = encrypted(&Document::default().write(), encryption, "user");
        let bench = Bench::new(Key::P256, &octets);
        let by_dss = json!({ "document_password": "user", "reason": "Agreed" });
        let by_pyhanko = json!({ "password": "user", "reason": "Agreed" });
        // In encrypted documents DSS pads /Contents with what is not zero;
        // pdfsig does not call that the total document.
        let signed = [
            (bench.dss(&bench.document, "dss.pdf", &by_dss).unwrap(), false),
            (bench.pyhanko(&bench.document, "pyhanko.pdf", &by_pyhanko).unwrap(), true),
        ];
        for (signed, zero_padded) in signed {
            let what = format!("{encryption:?} {}", signed.display());
            let ask = json!({ "file": signed, "trust": [bench.pem.root], "password": "user" });
            let answer = Dss::shared().try_validate_pdf(&ask).unwrap();
            let signature = &answer["signatures"][0];
            assert_eq!(signature["valid"], true, "{what}");
            assert_eq!(signature["pdf"]["reason"], "Agreed", "{what}");
            let answer = PyHanko::shared().try_validate(&ask).unwrap();
            assert_eq!(answer["encrypted"], true, "{what}");
            let signature = &answer["signatures"][0];
            assert_eq!(signature["bottom_line"], true, "{what}: {signature}");
            assert_eq!(signature["reason"], "Agreed", "{what}");
            let found = pdfsig(&signed, Some("user")).unwrap();
            assert!(found[0].valid, "{what}: {found:?}");
            assert_eq!(found[0].total_document, zero_padded, "{what}: {found:?}");
            assert_eq!(qpdf_check(&signed, Some("user")).verdict, Verdict::Ok, "{what}");
            let same = Comparison { pages: 2, first_difference: None };
            assert_eq!(compare(&bench.document, &signed, Some("user")), same, "{what}");

            let ask = json!({ "file": signed });
            Dss::shared().try_validate_pdf(&ask).unwrap_err();
            PyHanko::shared().try_validate(&ask).unwrap_err();
            pdfsig(&signed, None).unwrap_err();
        }
    }
}

#[test]
fn the_comparison_notices_a_page_that_changes_or_goes() {
    let document = Document { pages: 3, ..Document::default() };
    let bench = Bench::new(Key::P256, &document.write());
    let other = bench.write("other.pdf", &Document { seed: 2, ..document.clone() }.write());
    let fewer = bench.write("fewer.pdf", &Document { pages: 2, ..document.clone() }.write());
    let turned = bench.write("turned.pdf", &Document { rotate: 180, ..document.clone() }.write());
    let crop_box = Some([0, 0, 400, 842]);
    let cropped = bench.write("cropped.pdf", &Document { crop_box, ..document }.write());
    let no_pdf = bench.write("no.pdf", b"no PDF");
    for (after, first_difference) in [
        (&bench.document, None),
        (&other, Some(1)),
        (&fewer, Some(3)),
        (&turned, Some(1)),
        (&cropped, Some(1)),
        (&no_pdf, Some(1)),
    ] {
        let expected = Comparison { pages: 3, first_difference };
        assert_eq!(compare(&bench.document, after, None), expected, "{}", after.display());
    }
}

#[test]
fn qpdf_and_mutool_tell_better_from_worse() {
    let document = Document::default().write();
    let bench = Bench::new(Key::P256, &document);
    let damaged = bench.write("damaged.pdf", &wrong_startxref(&document));
    let no_pdf = bench.write("no.pdf", b"no PDF");
    let [good, bad, none] = [&bench.document, &damaged, &no_pdf].map(|path| qpdf_check(path, None));
    assert_eq!(
        [good.verdict, bad.verdict, none.verdict],
        [Verdict::Ok, Verdict::Warnings, Verdict::Errors]
    );
    assert!(same_or_better(&good, &good) && same_or_better(&bad, &bad));
    assert!(!same_or_better(&good, &bad) && !same_or_better(&bad, &none));
    let [good, bad, none] =
        [&bench.document, &damaged, &no_pdf].map(|path| mutool_check(path, None));
    assert!(good.readable && !good.repaired && good.pages == Some(2), "{good:?}");
    assert!(bad.readable && bad.repaired, "{bad:?}");
    assert!(!none.readable, "{none:?}");
}

#[test]
fn verapdf_tells_pdf_a_from_what_claims_to_be() {
    let octets = archival(Claim::A2, Structure::Indirect);
    let bench = Bench::new(Key::P256, &octets);
    let verdict = verapdf::validate(&bench.document).unwrap();
    assert_eq!(verdict.claims, ["2b"]);
    assert!(verdict.keeps_its_claims(), "{verdict:?}");

    let nuls = bench.write("nuls.pdf", &nuls_after(&octets));
    let verdict = verapdf::validate(&nuls).unwrap();
    assert_eq!(verdict.claims, ["2b"]);
    assert!(!verdict.keeps_its_claims(), "{verdict:?}");

    let plain = bench.write("plain.pdf", &Document::default().write());
    let verdict = verapdf::validate(&plain).unwrap();
    assert!(verdict.claims.is_empty() && !verdict.keeps_its_claims(), "{verdict:?}");
    let verdict = verapdf::validate_as(&plain, "ua1").unwrap();
    assert_eq!(verdict.results[0].profile, "ua1");
    assert!(!verdict.results[0].failed.is_empty(), "{verdict:?}");
}

#[test]
fn every_sample_is_what_it_says() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("sample.pdf");
    for Sample { name, password, sound, octets } in samples() {
        std::fs::write(&path, &octets).unwrap();
        let qpdf = qpdf_check(&path, password);
        // qpdf counts offsets from the header.
        let good = sound || name == "junk-before";
        let verdict = if good { Verdict::Ok } else { Verdict::Warnings };
        assert_eq!(qpdf.verdict, verdict, "{name}: {qpdf:?}");
        assert_eq!(qpdf.pages, Some(2), "{name}");
        assert_eq!(qpdf.encrypted, name.contains("rc4") || name.contains("aes"), "{name}");
        let mutool = mutool_check(&path, password);
        assert!(mutool.readable, "{name}: {mutool:?}");
        assert_eq!(mutool.repaired, !sound, "{name}: {mutool:?}");
        assert_eq!(render(&path, password).len(), 2, "{name}");
        let read = PyHanko::shared().try_validate(&json!({ "file": path, "password": password }));
        assert_eq!(read.is_ok(), sound, "{name}: {read:?}");
        if let Ok(read) = read {
            assert_eq!(read["hybrid"], name == "hybrid", "{name}");
        }
        if password.is_some() {
            assert!(qpdf_check(&path, None).needs_password, "{name}");
        }
    }
}

#[test]
fn samples_have_what_their_names_say() {
    let samples = samples();
    for (name, needle) in [
        ("version-1.0", "%PDF-1.0\n"),
        ("xref-stream", "/Type/XRef"),
        ("xref-stream", "/Type/ObjStm"),
        ("hybrid", "/XRefStm"),
        ("form-inline", "/AcroForm<<"),
        ("form-indirect", "/AcroForm 1"),
        ("signature-field", "/FT/Sig"),
        ("signature-fields-in-groups", "<</T(buyer)/Kids["),
        ("annots-direct", "/Annots["),
        ("annots-indirect", "/Annots 1"),
        ("annots-shared", "/Annots 1"),
        ("deep", "[[[[[[[["),
        ("linearized", "/Linearized"),
        ("object-streams", "/Type /ObjStm"),
        ("aes-256", "/AESV3"),
        ("aes-128", "/AESV2"),
    ] {
        let octets = &samples.iter().find(|sample| sample.name == name).unwrap().octets;
        assert!(String::from_utf8_lossy(octets).contains(needle), "{name}: {needle}");
    }
}

#[test]
fn samples_are_the_same_in_every_run() {
    let [first, second] = [samples(), samples()];
    for (first, second) in first.iter().zip(&second) {
        // AES-256 keys are random.
        if !first.name.contains("aes-256") {
            assert!(first.octets == second.octets, "{}", first.name);
        }
    }
}

#[test]
fn large_documents_are_written_as_they_are_made() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("large.pdf");
    let mut octets = Vec::new();
    let written = write_image_pages(&mut octets, 4, 1000).unwrap();
    assert_eq!(written, octets.len() as u64);
    assert!((2_000_000..2_010_000).contains(&written), "{written}");
    std::fs::write(&path, &octets).unwrap();
    let qpdf = qpdf_check(&path, None);
    assert_eq!((qpdf.verdict, qpdf.pages), (Verdict::Ok, Some(4)), "{qpdf:?}");
    let pages = render(&path, None);
    assert_eq!(pages.len(), 4);
    assert_ne!(pages[&1], pages[&2]);

    octets.clear();
    write_many_objects(&mut octets, 50_000).unwrap();
    std::fs::write(&path, &octets).unwrap();
    let qpdf = qpdf_check(&path, None);
    assert_eq!((qpdf.verdict, qpdf.pages), (Verdict::Ok, Some(1)), "{qpdf:?}");
    assert!(octets.windows(13).any(|window| window == b"\n50000 0 obj\n"));
}
