//! Signatures that earlier versions of this project made are raised and renewed. The folders of
//! `fixtures/signed` have the version's name and stay. With UPDATE_EXPECTED=1, the folder of the
//! present version is written if it is not there.

use std::path::{Path, PathBuf};

use ades::{
    Document, ExtendOptions, Level, Operation, Packaging, PdfOptions, SigningOptions, TargetLevel,
};
use ades_core::Certificate;
use ades_core::chain::anchors_from_pem;
use ades_tests::evidence::By;
use ades_tests::levels::{Raising, now, signer};
use ades_tests::pki::{Key, Pki, TestSigner, pem};
use ades_tests::signing::parameters;
use chrono::{DateTime, TimeDelta};

use crate::{CONTENT, Court, XML, assert_level, signed};

const CA: &str = "issuing-ca.pem";
const LIST: &str = "list.crl";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/signed")
}

/// Writes the containers of the present version: of each kind one at B-B, of most one at B-LTA, too;
/// the CA, and a CRL that lasts.
fn freeze(dir: &Path) {
    std::fs::create_dir_all(dir).unwrap();
    let write = |name: &str, octets: &[u8]| std::fs::write(dir.join(name), octets).unwrap();
    // EU DSS takes the issuer of OCSP responses by its name alone.
    let name = concat!("Issuing CA of ", env!("CARGO_PKG_VERSION"));
    let pki: &'static Pki = Box::leak(Box::new(Pki::with_issuing(name, Vec::new())));
    let (one, two) = (signer(pki, Key::P256), signer(pki, Key::P384));
    let options = SigningOptions::new(parameters());
    let pdf = ades_tests::pdf::Document::default().write();
    let packed = |packaging| options.clone().packaging(packaging);
    let mut raising = Raising::with(pki, pki.issuing(), &one);
    let mut both = |kind: &str, end: &str, container: &[u8]| {
        write(&format!("{kind}-b.{end}"), container);
        raising.services.now = now();
        raising.original = (kind == "detached").then_some(CONTENT);
        let (raised, reached) = raising.raise(container, ExtendOptions::new(TargetLevel::Lta));
        assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]));
        write(&format!("{kind}-lta.{end}"), &raised);
    };
    both("detached", "p7s", &signed(CONTENT, &one, &packed(Packaging::Detached)));
    let enveloping = signed(CONTENT, &one, &packed(Packaging::Enveloping));
    both("enveloping", "p7m", &enveloping);
    both("enveloped", "xml", &signed(XML, &one, &options));
    both("enveloping", "xml", &signed(XML, &one, &packed(Packaging::Enveloping)));
    both("plain", "pdf", &signed(&pdf, &one, &options));
    let certified = PdfOptions::new().certify(ades::Certification::FormFilling);
    write("certified-b.pdf", &signed(&pdf, &one, &options.clone().pdf(certified)));
    let counter = options.clone().operation(Operation::Countersign { which: vec![0] });
    write("countersigned-b.p7m", &signed(&enveloping, &two, &counter));
    let parallel = options.operation(Operation::AddParallel);
    write("parallel-b.p7m", &signed(&enveloping, &two, &parallel));

    write(CA, pem(pki.issuing()).as_bytes());
    raising.services.now = now() + TimeDelta::days(1);
    let until = DateTime::parse_from_rfc3339("2049-12-31T23:59:59Z").unwrap().to_utc();
    write(LIST, &raising.services.crl_until(By::Issuing(pki), until));
}

/// Those of a folder, in order.
fn containers(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        })
        .filter(|(name, _)| name != CA && name != LIST)
        .collect();
    all.sort();
    all
}

fn check(dir: &Path, signer: &TestSigner) {
    let ca: Certificate =
        anchors_from_pem(&std::fs::read_to_string(dir.join(CA)).unwrap()).unwrap().remove(0);
    let court = Court::new(&[&ca, Pki::shared().issuing()]);
    let all = containers(dir);
    assert!(all.len() >= 13, "{}: {} containers", dir.display(), all.len());
    for (name, container) in &all {
        let what = format!("{} {name}", dir.display());
        let mut raising = Raising::new(signer);
        raising.trust(&ca);
        raising.original = name.starts_with("detached").then_some(CONTENT);
        raising.services.now = now() + TimeDelta::days(100);
        raising.services.stored_crl = Some(std::fs::read(dir.join(LIST)).unwrap());
        let before = raising.verify(container);
        let (raised, reached) = raising.raise(container, ExtendOptions::new(TargetLevel::Lta));
        assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]), "{what}");
        let time = raising.services.now + TimeDelta::seconds(30);
        let after = raising.verify_at(&raised, time);
        assert!(after.is_passed(), "{what}\n{after}");
        for (before, after) in before.signatures.iter().zip(&after.signatures) {
            let is_archived = name.contains("-lta.");
            assert_eq!(before.level == Level::Lta, is_archived, "{what}");
            let stamps = if is_archived { 3 } else { 2 };
            assert_eq!(after.time_stamps().count(), stamps, "{what}");
        }
        for verdict in court.verdicts(&raised, raising.original, time) {
            if verdict["counter"] == false {
                assert_level(&verdict, "LTA", &what);
            }
        }
    }
}

#[test]
fn signatures_of_every_earlier_version_are_raised_and_renewed() {
    let present = folder().join(env!("CARGO_PKG_VERSION"));
    if std::env::var_os("UPDATE_EXPECTED").is_some() && !present.exists() {
        freeze(&present);
    }
    let signer = signer(Pki::shared(), Key::P256);
    let versions: Vec<_> = std::fs::read_dir(folder()).unwrap().collect();
    assert!(!versions.is_empty());
    versions.into_iter().for_each(|version| check(&version.unwrap().path(), &signer));
}

/// What our generators wrote as seeds for fuzzing, months before. Nobody has revocation data about
/// those signers.
#[test]
fn signed_seeds_for_fuzzing_are_raised_to_b_t() {
    let signer = Pki::shared().signer(Key::P256);
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let mut raised = 0;
    for folder in ["cms_parse", "pdf", "xml_verify"] {
        for (name, octets) in containers(&seeds.join(folder)) {
            let mut raising = Raising::new(signer);
            let mut document = Document::from_bytes(&octets);
            let Ok(report) = ades::verify(&mut document, raising.options(), now()) else {
                continue;
            };
            let is_whole = |one: &ades::Verdict| one.intact == Some(true) && one.level == Level::B;
            let Some(time) = report.signatures.first().and_then(|one| one.claimed_time) else {
                continue;
            };
            if !report.signatures.iter().all(is_whole) {
                continue;
            }
            raising.services.now = time + TimeDelta::hours(1);
            let (_, reached) = raising.raise(&octets, ExtendOptions::new(TargetLevel::T));
            assert_eq!((reached.level, reached.missing), (Level::T, vec![]), "{folder} {name}");
            raised += 1;
        }
    }
    assert!(raised >= 8, "{raised} of the seeds are whole signatures");
}
