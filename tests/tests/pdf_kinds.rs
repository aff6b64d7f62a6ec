//! One PDF of each kind (`ades_tests::pdf::kinds`): read, signed once and again, and
//! verified, or refused with the reason. Nothing here was made by others.

use ades_core::{Document, Level};
use ades_tests::corpora::note_ran;
use ades_tests::oracle::pdf::{Verdict, pdfsig, qpdf_check, same_or_better};
use ades_tests::pdf::{Kind, Outcome, kinds};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{leads_to, parameters, sign_pades};
use pades::report::{Change, Coverage, Report};
use pades::{Error, SignatureOptions, VerifyOptions};
use tempfile::TempDir;

fn options(kind: &Kind) -> SignatureOptions {
    let options = SignatureOptions::new();
    match kind.password {
        Some(password) => options.password(password),
        None => options,
    }
}

fn sign(kind: &Kind, document: &[u8], options: &SignatureOptions) -> Result<Vec<u8>, Error> {
    let signed = sign_pades(document, Pki::shared().signer(Key::P256), &parameters(), options)?;
    assert!(signed.starts_with(document), "{}: an octet has changed", kind.name);
    Ok(signed)
}

fn verify(kind: &Kind, document: &[u8]) -> Result<Report, Error> {
    let mut given = VerifyOptions::new();
    if let Some(password) = kind.password {
        given = given.password(password);
    }
    pades::verify(&mut Document::from_bytes(document), given)
}

/// Signs as the kind says that it goes.
fn first_signature(kind: &Kind) -> Option<Vec<u8>> {
    let (name, strict) = (kind.name, options(kind));
    let signed = sign(kind, &kind.octets, &strict);
    match kind.outcome {
        Outcome::Signed => Some(signed.unwrap_or_else(|e| panic!("{name}: {e}"))),
        Outcome::Repaired => {
            let error = signed.map(drop).expect_err(name);
            let about_structure =
                matches!(error, Error::BrokenCrossReference { .. } | Error::Structure { .. });
            assert!(about_structure, "{name}: {error}");
            let repaired = sign(kind, &kind.octets, &strict.repair());
            Some(repaired.unwrap_or_else(|e| panic!("{name}: {e}")))
        }
        Outcome::Refused(why) => {
            for options in [strict.clone(), strict.repair()] {
                let error = sign(kind, &kind.octets, &options).map(drop).expect_err(name);
                let found = error.to_string();
                let repairable = matches!(error, Error::BrokenCrossReference { .. });
                assert!(found.contains(why) || repairable, "{name}: {found}");
            }
            None
        }
    }
}

#[test]
fn every_kind_is_signed_twice_and_read_or_refused() {
    let kinds = kinds();
    // All of them, so that one run says everything.
    let fails = |kind: &&Kind| std::panic::catch_unwind(|| assert_kind(kind)).is_err();
    let failed: Vec<_> = kinds.iter().filter(fails).map(|kind| kind.name).collect();
    assert!(failed.is_empty(), "{failed:?}");
    note_ran(&format!("{} PDFs that we make ourselves, one of each kind", kinds.len()));
}

fn assert_kind(kind: &Kind) {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, octets: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path
    };
    let name = kind.name;
    let Some(once) = first_signature(kind) else { return };
    let before = verify(kind, &kind.octets);
    let before = before.map_or(kind.signatures, |report| report.signatures.len());
    assert_eq!(before, kind.signatures, "{name}");
    let twice = sign(kind, &once, &options(kind)).unwrap_or_else(|e| panic!("{name}: {e}"));

    let report = verify(kind, &twice).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(report.signatures.len(), before + 2, "{name}");
    let ours: Vec<_> = report.signatures.iter().rev().take(2).collect();
    assert_eq!((ours[0].covers, ours[1].covers), (Coverage::Whole, Coverage::Part), "{name}");
    assert_eq!(ours[1].changes, [Change::Signature], "{name}");
    for signature in &ours {
        assert!(
            signature.intact == Some(true) && signature.problems.is_empty(),
            "{name}: {signature:?}"
        );
        assert_eq!(signature.level, Level::B, "{name}");
        assert!(leads_to(&signature.facts, &[Pki::shared().root().clone()]), "{name}");
    }

    let (was, is) = (write("before.pdf", &kind.octets), write("after.pdf", &twice));
    let [was, after] = [&was, &is].map(|path| qpdf_check(path, kind.password));
    let no_worse = kind.outcome == Outcome::Repaired || same_or_better(&was, &after);
    assert!(no_worse, "{name}: {was:?} then {after:?}");
    if after.verdict != Verdict::Errors {
        let found = pdfsig(&is, kind.password).unwrap_or_else(|e| panic!("{name}: {e}"));
        let valid = found.iter().filter(|signature| signature.valid).count();
        assert!(valid >= 2, "{name}: {found:?}");
    }
}

#[test]
fn every_kind_has_a_name_of_its_own() {
    let mut names: Vec<_> = kinds().iter().map(|kind| kind.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
