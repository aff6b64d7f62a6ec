//! The published attacks on PDF signatures, by their published names. Each is refused,
//! or the change is reported.

use ades_core::Document;
use ades_tests::pdf::by_hand::{
    ONE_PAGE, last_between, number_of, object, of_objects, redirected, updated,
};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::parameters;
use pades::report::{Change, Coverage, Problem, Report, SignatureReport};
use pades::{Certification, SignatureOptions, VerifyOptions};

/// The object numbers of the page and of its contents.
const PAGE: u32 = 3;
const CONTENTS: u32 = 4;
const FIELD: u32 = 5;

/// A page that shows *100*, and a field.
fn contract() -> Vec<u8> {
    of_objects(
        &[
            "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]>>>>",
            ONE_PAGE,
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Annots[5 0 R]>>",
            "<</Length 8>>\nstream\n(100) Tj\nendstream",
            "<</Type/Annot/Subtype/Widget/FT/Tx/T(amount)/V(100)/Rect[0 0 9 9]>>",
            // Hidden: nothing refers to it.
            "<</Length 8>>\nstream\n(999) Tj\nendstream",
        ],
        "",
    )
}

const HIDDEN: u32 = 6;

fn sign(document: &[u8], options: &SignatureOptions) -> Vec<u8> {
    let signer = Pki::shared().signer(Key::P256);
    let mut source = Document::from_bytes(document);
    let pending = pades::prepare(&mut source, &signer.chain, &parameters(), options).unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut source), &value, &mut out).unwrap();
    out
}

fn signed() -> Vec<u8> {
    sign(&contract(), &SignatureOptions::new())
}

fn verify(document: &[u8]) -> Report {
    pades::verify(&mut Document::from_bytes(document), VerifyOptions::new()).unwrap()
}

fn only(document: &[u8]) -> SignatureReport {
    let report = verify(document);
    assert_eq!(report.signatures.len(), 1, "{report:?}");
    report.signatures.into_iter().next().unwrap()
}

/// Asserts that the digest still matches, and that the report says that the document
/// was changed.
fn assert_reported(document: &[u8], what: &str) {
    let report = verify(document);
    let first = &report.signatures[0];
    assert!(!report.is_valid(), "{what}: {report:?}");
    assert_ne!(first.covers, Coverage::Whole, "{what}");
    assert!(first.problems.contains(&Problem::ChangedLater), "{what}: {first:?}");
    assert!(first.changes.contains(&Change::Other), "{what}: {first:?}");
}

#[test]
fn the_contract_is_valid_without_an_attack() {
    let found = verify(&signed());
    assert!(found.is_valid() && found.signatures[0].covers == Coverage::Whole, "{found:?}");
}

/// Universal signature forgery: entries of the signature are missing or invalid, so that
/// a weak validator checks nothing.
#[test]
fn universal_signature_forgery() {
    let signed = signed();
    let number = number_of(&signed, "<</Type/Sig/");
    let dictionary = object(&signed, number);
    let contents = last_between(&signed, "/Contents", ">");
    let range = last_between(&signed, "/ByteRange", "]");
    let (contents, range) = (format!("/Contents{contents}>"), format!("/ByteRange{range}]"));
    let mut forgeries = Vec::new();
    for other in
        ["", "/Contents null", "/Contents<>", "/Contents<00>", "/Contents 0", "/Contents[]"]
    {
        forgeries.push(dictionary.replace(&contents, other));
    }
    for other in [
        "",
        "/ByteRange null",
        "/ByteRange[]",
        "/ByteRange[0 0 0 0]",
        "/ByteRange[0 1 2]",
        "/ByteRange[0 -1 2 3]",
        "/ByteRange[0 18446744073709551615 18446744073709551615 1]",
        "/ByteRange[-1 5 9 9]",
        "/ByteRange 7",
    ] {
        forgeries.push(dictionary.replace(&range, other));
    }
    for forgery in forgeries {
        assert_ne!(forgery, dictionary);
        let forged = updated(&updated(&signed, &[(CONTENTS, EVIL)]), &[(number, &forgery)]);
        let report = verify(&forged);
        assert!(
            report.signatures.iter().all(|s| s.intact != Some(true)),
            "{forgery:.200}: {report:?}"
        );
        assert!(!report.is_valid());
    }
}

const EVIL: &str = "<</Length 8>>\nstream\n(999) Tj\nendstream";

/// Incremental saving: the signed octets stay, and an update shows something else.
/// Variants have no cross-reference, no trailer, or a copy of the signature in the
/// update.
#[test]
fn incremental_saving_attack() {
    let signed = signed();
    assert_reported(&updated(&signed, &[(CONTENTS, EVIL)]), "an update");
    let page = object(&signed, PAGE).replace("/Contents 4 0 R", "/Contents 6 0 R");
    assert_reported(&updated(&signed, &[(PAGE, &page)]), "another stream");
    let number = number_of(&signed, "<</Type/Sig/");
    let copied = updated(&signed, &[(CONTENTS, EVIL), (number, &object(&signed, number))]);
    assert!(only(&copied).intact != Some(true), "the signature copied into the update");

    // Readers that search for objects find the new one.
    let body = format!("{CONTENTS} 0 obj\n{EVIL}\nendobj\n");
    for (appended, what) in [
        (body.clone(), "neither section nor trailer"),
        (format!("{body}trailer\n<</Root 1 0 R>>\n"), "a trailer without a section"),
        (format!("{body}xref\n0 0\n"), "a section without a trailer"),
        (format!("{body}%%EOF\n"), "an end without a section"),
    ] {
        let forged = [signed.as_slice(), appended.as_bytes()].concat();
        let found = only(&forged);
        assert_eq!(found.problems, [Problem::TrailingData], "{what}: {found:?}");
        assert_eq!(found.covers, Coverage::Part, "{what}");
        // With an incomplete end of the file, no reader repairs it silently.
        let with_start = [&forged, b"startxref\n7\n%%EOF\n".as_slice()].concat();
        let read = pades::verify(&mut Document::from_bytes(&with_start), VerifyOptions::new());
        assert!(read.is_err(), "{what}: {read:?}");
    }
}

/// Signature wrapping: the signed octets move to a place that is not shown, and the
/// ranges follow them.
#[test]
fn signature_wrapping_attack() {
    let signed = signed();
    let range = last_between(&signed, "/ByteRange[", "]").to_owned();
    let numbers: Vec<usize> = range.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let [_, first, second, length] = numbers[..] else { panic!("{range}") };
    let at = signed.windows(range.len()).rposition(|w| w == range.as_bytes()).unwrap();
    let with_range = |document: &[u8], numbers: &str| {
        let mut forged = document.to_vec();
        let padded = format!("{numbers:width$}", width = range.len());
        forged[at..at + range.len()].copy_from_slice(padded.as_bytes());
        forged
    };
    // The second range moves back; the attacker's objects are between it and the
    // contents.
    let evil = format!(">>\nendobj\n{CONTENTS} 0 obj\n{EVIL}\nendobj\n");
    let forged = [&signed[..second], evil.as_bytes(), &signed[second..]].concat();
    let forged = with_range(&forged, &format!("0 {first} {} {length}", second + evil.len()));
    if let Ok(report) = pades::verify(&mut Document::from_bytes(&forged), VerifyOptions::new()) {
        assert!(report.signatures.iter().all(|s| s.intact != Some(true)), "{report:?}");
    }
    // The hole begins before the contents or ends after them.
    for (from, to) in [(first - 1, second), (first, second + 1), (first - 9, second + 9)] {
        let forged = with_range(&signed, &format!("0 {from} {to} {}", second + length - to));
        let found = only(&forged);
        assert!(
            found.intact != Some(true) && found.problems.contains(&Problem::ByteRangeGap),
            "{found:?}"
        );
    }
}

/// Shadow attacks: the content that is shown later is in the document when it is signed.
#[test]
fn shadow_attacks() {
    let signed = signed();
    let previous = last_between(&signed, "startxref\n", "\n").to_owned();
    let at = |number: u32| {
        let mark = format!("\n{number} 0 obj\n");
        signed.windows(mark.len()).position(|w| w == mark.as_bytes()).unwrap() + 1
    };
    // Hide: the overlay is removed.
    let page = object(&signed, PAGE).replace("/Contents 4 0 R", "");
    assert_reported(&updated(&signed, &[(PAGE, &page)]), "hide");
    // Hide and replace: only the new section leads to another object, whose octets were
    // signed.
    let hidden = signed[at(HIDDEN)..].to_vec();
    assert!(hidden.starts_with(b"6 0 obj"));
    for number in [CONTENTS, PAGE] {
        let forged = redirected(&signed, &[(number, at(HIDDEN))], &previous);
        match pades::verify(&mut Document::from_bytes(&forged), VerifyOptions::new()) {
            Ok(report) => assert!(!report.is_valid(), "{report:?}"),
            Err(error) => drop(error),
        }
    }
    let page = object(&signed, PAGE).replace("/Contents 4 0 R", "/Contents 6 0 R");
    assert_reported(&updated(&signed, &[(PAGE, &page)]), "hide and replace");
    // Replace: a field shows a value that it does not have, or its appearance changes.
    for field in [
        "<</Type/Annot/Subtype/Widget/FT/Tx/T(amount)/V(100)/AP<</N 6 0 R>>/Rect[0 0 9 9]>>",
        "<</Type/Annot/Subtype/Widget/FT/Tx/T(amount)/V(999)/Rect[0 0 9 9]>>",
    ] {
        let found = only(&updated(&signed, &[(FIELD, field)]));
        assert_eq!(found.changes, [Change::FormFilling], "{found:?}");
        assert_eq!(found.covers, Coverage::Part);
    }
    // Another page tree. One with the same pages is not a change.
    let catalog = object(&signed, 1).replace("/Pages 2 0 R", "/Pages 90 0 R");
    assert!(verify(&updated(&signed, &[(1, &catalog), (90, ONE_PAGE)])).is_valid());
    let tree = ONE_PAGE.replace("3 0 R", "91 0 R");
    assert_ne!(tree, ONE_PAGE);
    let page = object(&signed, PAGE).replace("/Contents 4 0 R", "/Contents 6 0 R");
    let objects = [(1, catalog.as_str()), (90, &tree), (91, &page)];
    assert_reported(&updated(&signed, &objects), "another tree");
    // The signature is removed from the form: then no signature is valid.
    let catalog = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]>>>>";
    assert!(!verify(&updated(&signed, &[(1, catalog)])).is_valid());
    // A section without the earlier ones.
    let alone = String::from_utf8_lossy(&updated(&signed, &[(CONTENTS, EVIL)])[signed.len()..])
        .replace(&format!("/Prev {previous}"), "");
    let forged = [signed.as_slice(), alone.as_bytes()].concat();
    match pades::verify(&mut Document::from_bytes(&forged), VerifyOptions::new()) {
        Ok(report) => assert!(!report.is_valid(), "{report:?}"),
        Err(error) => drop(error),
    }
}

/// Attacks on certifications: annotations where only filling in is allowed, and
/// signatures with arbitrary appearances.
#[test]
fn evil_annotation_and_sneaky_signature_attacks() {
    let evil = "<</Type/Annot/Subtype/FreeText/Rect[0 0 99 99]/Contents(999)/DA(/F 9 Tf)>>";
    for (level, forbidden) in [
        (Certification::NoChanges, true),
        (Certification::FormFilling, true),
        (Certification::Annotations, false),
    ] {
        let certified = sign(&contract(), &SignatureOptions::new().certify(level));
        let page = object(&certified, PAGE);
        let page = page.replace("/Annots[", "/Annots[90 0 R ");
        let found = only(&updated(&certified, &[(PAGE, &page), (90, evil)]));
        assert_eq!(found.changes, [Change::Annotation], "{level:?}: {found:?}");
        assert_eq!(found.problems.contains(&Problem::ForbiddenChange), forbidden, "{level:?}");
        assert_eq!(found.covers, Coverage::Part, "{level:?}");

        // A signature whose field covers the page is reported as a visible signature.
        let sneaky = "<</Type/Annot/Subtype/Widget/FT/Sig/T(x)/V 91 0 R/Rect[0 0 99 99]\
                      /AP<</N 6 0 R>>>>";
        let catalog = object(&certified, 1).replace("/Fields[", "/Fields[90 0 R ");
        let value = "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached\
                     /ByteRange[0 0 0 0]/Contents<00>>>";
        let update = [(1, catalog.as_str()), (PAGE, &page), (90, sneaky), (91, value)];
        let report = verify(&updated(&certified, &update));
        assert!(!report.is_valid(), "{level:?}: {report:?}");
        let first = report.signatures.iter().find(|s| s.certification.is_some()).unwrap();
        assert_eq!(first.changes, [Change::VisibleSignature], "{level:?}: {first:?}");
        assert_eq!(first.problems.contains(&Problem::ForbiddenChange), forbidden, "{level:?}");
        assert!(
            report.signatures.iter().any(|s| s.field == "x" && s.intact != Some(true)),
            "{level:?}"
        );
    }
}
