//! Documents that are signed and verify.

use pades::report::{Change, Coverage, SignatureReport};
use pades::{Appearance, Certification, FieldLock, Rectangle, SignatureField, SignatureOptions};

use crate::builder::{CrossReference, Pdf};
use crate::{certificate, key, prepare, sign, verify};

/// A PNG of one grey pixel.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1A\n\
    \x00\x00\x00\x0D\x49\x48\x44\x52\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00\x3A\x7E\x9B\x55\
    \x00\x00\x00\x0A\x49\x44\x41\x54\x78\xDA\x63\x68\x00\x00\x00\x82\x00\x81\xDA\x45\x08\x3B\
    \x00\x00\x00\x00\x49\x45\x4E\x44\xAE\x42\x60\x82";

#[track_caller]
fn assert_sound(signature: &SignatureReport, covers: Coverage) {
    assert!(signature.intact == Some(true), "{signature:?}");
    assert_eq!(signature.covers, covers, "{signature:?}");
    assert!(signature.problems.is_empty(), "{signature:?}");
    assert_eq!(signature.facts.certificate, Some(certificate(&key())));
}

#[test]
fn both_kinds_of_cross_reference_are_signed() {
    for cross_reference in [CrossReference::Table, CrossReference::Stream] {
        let pdf = Pdf { cross_reference, ..Pdf::default() }.build();
        let signed = sign(&pdf, &SignatureOptions::new()).unwrap();
        let report = verify(&signed);
        let [signature] = report.signatures.as_slice() else { panic!("{report:?}") };
        assert_sound(signature, Coverage::Whole);
        assert_eq!(signature.format, "PAdES");
        assert_eq!(signature.signer.as_deref(), Some("Signer of PDFs"));
        assert!(report.is_valid());
        let is_stream: Vec<bool> =
            report.sections.iter().map(|section| section.is_stream).collect();
        let expected = cross_reference == CrossReference::Stream;
        assert_eq!(is_stream, [expected; 2], "the update has the kind of the document");
    }
}

#[test]
fn a_document_after_other_octets_is_signed() {
    let pdf = Pdf { junk: "not yet the document\n", ..Pdf::default() }.build();
    let signed = sign(&pdf, &SignatureOptions::new()).unwrap();
    assert_sound(&verify(&signed).signatures[0], Coverage::Whole);
}

#[test]
fn the_texts_of_a_signature_are_what_was_asked_for() {
    let options = SignatureOptions::new()
        .name("Jo (the \"signer\") \\")
        .reason("見た・ok) /Evil true (x")
        .location("Gent")
        .contact("jo@example.org");
    let report = verify(&sign(&Pdf::default().build(), &options).unwrap());
    let signature = &report.signatures[0];
    assert_sound(signature, Coverage::Whole);
    assert_eq!(signature.name.as_deref(), Some("Jo (the \"signer\") \\"));
    assert_eq!(signature.reason.as_deref(), Some("見た・ok) /Evil true (x"));
    assert_eq!(signature.location.as_deref(), Some("Gent"));
    assert_eq!(signature.contact.as_deref(), Some("jo@example.org"));
}

#[test]
fn a_second_signature_leaves_the_first_intact() {
    let once = sign(&Pdf::default().build(), &SignatureOptions::new()).unwrap();
    let twice = sign(&once, &SignatureOptions::new()).unwrap();
    let report = verify(&twice);
    let [first, second] = report.signatures.as_slice() else { panic!("{report:?}") };
    assert_sound(first, Coverage::Part);
    assert_eq!(first.changes, [Change::Signature]);
    assert_sound(second, Coverage::Whole);
    assert_ne!(first.field, second.field);
}

#[test]
fn an_empty_field_of_the_document_is_signed() {
    let pdf = Pdf { signature_field: Some("Buyer"), ..Pdf::default() }.build();
    let options = SignatureOptions::new().field(SignatureField::Existing("Buyer".to_owned()));
    let report = verify(&sign(&pdf, &options).unwrap());
    assert_sound(&report.signatures[0], Coverage::Whole);
    assert_eq!(report.signatures[0].field, "Buyer");
    assert_eq!(report.fields.len(), 1, "no other field is made");
}

#[test]
fn new_fields_have_the_name_that_was_asked_for() {
    let field = SignatureField::NewNamed("parties.buyer".to_owned());
    let options = SignatureOptions::new().field(field);
    let report = verify(&sign(&Pdf::default().build(), &options).unwrap());
    assert_eq!(report.signatures[0].field, "parties.buyer");
}

#[test]
fn a_certification_with_a_lock_allows_a_further_signature() {
    let options = SignatureOptions::new()
        .certify(Certification::FormFilling)
        .lock(FieldLock::Include(vec!["Signature1".to_owned()]));
    let certified = sign(&Pdf::default().build(), &options).unwrap();
    assert_eq!(verify(&certified).signatures[0].certification, Some(2));
    let report = verify(&sign(&certified, &SignatureOptions::new()).unwrap());
    assert_sound(&report.signatures[0], Coverage::Part);
    assert_sound(&report.signatures[1], Coverage::Whole);
}

#[test]
fn a_visible_signature_is_sound() {
    let appearance = Appearance::at(1, Rectangle::new(72.0, 72.0, 200.0, 60.0)).image(PIXEL);
    let options = SignatureOptions::new().visible(appearance);
    let signed = sign(&Pdf::default().build(), &options).unwrap();
    assert_sound(&verify(&signed).signatures[0], Coverage::Whole);
}

#[test]
fn the_same_input_gives_the_same_octets() {
    let pdf = Pdf::default().build();
    let options = SignatureOptions::new();
    let (first, second) = (prepare(&pdf, &options).unwrap(), prepare(&pdf, &options).unwrap());
    assert_eq!(first, second);
    assert_eq!(sign(&pdf, &options).unwrap(), sign(&pdf, &options).unwrap());
}

#[test]
fn the_signer_of_a_prepared_signature_is_known() {
    let pending = prepare(&Pdf::default().build(), &SignatureOptions::new()).unwrap();
    assert_eq!(pending.chain().leaf(), &certificate(&key()));
    assert!(!pending.is_repaired());
    assert_eq!(pending.warnings(), []);
}
