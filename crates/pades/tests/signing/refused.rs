//! What is refused, and what a changed document looks like.

use ades_core::{Document, PendingState};
use pades::report::{Change, Coverage, Problem};
use pades::{
    Certification, Error, PendingSignature, SignatureField, SignatureOptions, VerifyOptions,
};

use crate::builder::Pdf;
use crate::{complete, prepare, sign, value, verify};

#[test]
fn every_changed_octet_outside_of_the_value_is_noticed() {
    let signed = sign(&Pdf::default().build(), &SignatureOptions::new()).unwrap();
    let byte_range = verify(&signed).signatures[0].byte_range.unwrap();
    let [_, before, after, _] = byte_range.map(|number| usize::try_from(number).unwrap());
    for at in (0..before).chain(after..signed.len()).step_by(7) {
        let mut changed = signed.clone();
        changed[at] ^= 0x01;
        let report = pades::verify(&mut Document::from_bytes(&changed), VerifyOptions::new());
        let intact =
            report.iter().flat_map(|report| &report.signatures).any(|s| s.intact == Some(true));
        assert!(!intact, "octet {at}");
    }
}

#[test]
fn octets_after_the_signature_are_reported() {
    let signed = sign(&Pdf::default().build(), &SignatureOptions::new()).unwrap();
    let report = verify(&[&signed[..], b"% more"].concat());
    let signature = &report.signatures[0];
    assert!(signature.intact == Some(true));
    assert_ne!(signature.covers, Coverage::Whole);
    assert!(signature.problems.contains(&Problem::TrailingData), "{signature:?}");
}

#[test]
fn a_replaced_page_is_reported() {
    let pdf = Pdf::default().build();
    let signed = sign(&pdf, &SignatureOptions::new()).unwrap();
    let before = String::from_utf8_lossy(&signed).rfind("startxref\n").unwrap();
    let startxref: String = signed[before + 10..]
        .iter()
        .take_while(|o| o.is_ascii_digit())
        .map(|o| *o as char)
        .collect();
    let offset = signed.len();
    let size = verify(&signed).sections.iter().map(|s| s.objects).sum::<u64>() + 8;
    let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>";
    let object = format!("3 0 obj\n{page}\nendobj\n");
    let update = format!(
        "{object}xref\n3 1\n{offset:010} 00000 n \ntrailer\n<</Size {size}/Root 1 0 R\
         /Prev {startxref}>>\nstartxref\n{}\n%%EOF\n",
        offset + object.len()
    );
    let report = verify(&[&signed[..], update.as_bytes()].concat());
    let signature = &report.signatures[0];
    assert!(
        signature.intact == Some(true),
        "the octets that are covered are the same: {signature:?}"
    );
    assert_eq!(signature.covers, Coverage::Part);
    assert!(signature.changes.contains(&Change::Other), "{signature:?}");
    assert!(signature.problems.contains(&Problem::ChangedLater), "{signature:?}");
}

#[test]
fn a_wrong_value_completes_nothing() {
    let pdf = Pdf::default().build();
    let pending = prepare(&pdf, &SignatureOptions::new()).unwrap();
    let mut wrong = value(&pending);
    *wrong.last_mut().unwrap() ^= 0x01;
    for wrong in [&wrong[..], &[], &[0x30], &[1; 256]] {
        assert!(matches!(complete(&pending, &pdf, wrong), Err(Error::Core(_))), "{wrong:02X?}");
    }
}

#[test]
fn another_document_is_not_completed() {
    let pdf = Pdf::default().build();
    let pending = prepare(&pdf, &SignatureOptions::new()).unwrap();
    let value = value(&pending);
    let mut changed = pdf.clone();
    changed[100] ^= 0x01;
    for other in [&changed[..], &pdf[..pdf.len() - 1], &[&pdf[..], b" "].concat(), b""] {
        assert!(matches!(complete(&pending, other, &value), Err(Error::DocumentChanged)));
    }
}

#[test]
fn a_damaged_state_is_refused() {
    let pending = prepare(&Pdf::default().build(), &SignatureOptions::new()).unwrap();
    let stored = pending.to_json(None).unwrap();
    let digits = stored.char_indices().filter(|(_, c)| c.is_ascii_digit());
    for (at, digit) in digits.step_by(11) {
        let mut damaged = stored.clone();
        damaged.replace_range(at..=at, if digit == '0' { "1" } else { "0" });
        assert!(PendingSignature::from_json(&damaged, None).is_err(), "character {at}");
    }
}

#[test]
fn a_certification_without_changes_forbids_a_second_signature() {
    let options = SignatureOptions::new().certify(Certification::NoChanges);
    let certified = sign(&Pdf::default().build(), &options).unwrap();
    let second = sign(&certified, &SignatureOptions::new());
    assert!(matches!(second, Err(Error::Forbidden { .. })), "{second:?}");
    let late = sign(
        &sign(&Pdf::default().build(), &SignatureOptions::new()).unwrap(),
        &SignatureOptions::new().certify(Certification::FormFilling),
    );
    assert!(matches!(late, Err(Error::Forbidden { .. })), "a certification is the first signature");
}

#[test]
fn names_of_fields_are_checked() {
    let pdf = Pdf { signature_field: Some("Buyer"), ..Pdf::default() }.build();
    let with = |field| SignatureOptions::new().field(field);
    let taken = sign(&pdf, &with(SignatureField::NewNamed("Buyer".to_owned())));
    assert!(matches!(taken, Err(Error::FieldNameTaken { .. })), "{taken:?}");
    let missing = sign(&pdf, &with(SignatureField::Existing("Seller".to_owned())));
    assert!(matches!(missing, Err(Error::NoSuchField { .. })), "{missing:?}");
    let page = sign(&pdf, &SignatureOptions::new().page(2));
    assert!(matches!(page, Err(Error::NoSuchPage { page: 2, pages: 1 })), "{page:?}");
}

#[test]
fn what_is_not_a_sound_pdf_is_refused() {
    let options = SignatureOptions::new();
    assert!(matches!(prepare(b"", &options), Err(Error::NotPdf)));
    assert!(matches!(prepare(b"PK\x03\x04", &options), Err(Error::NotPdf)));
    let pdf = Pdf::default().build();
    for end in (9..pdf.len() - 8).step_by(13) {
        assert!(prepare(&pdf[..end], &options).is_err(), "cut after {end} octets");
    }
}

#[test]
fn a_broken_cross_reference_is_repaired_on_request_only() {
    let text = String::from_utf8(Pdf::default().build()).unwrap();
    let at = text.rfind("startxref\n").unwrap();
    let broken = format!("{}startxref\n7\n%%EOF\n", &text[..at]).into_bytes();
    let refused = prepare(&broken, &SignatureOptions::new());
    assert!(matches!(refused, Err(Error::BrokenCrossReference { .. })), "{refused:?}");
    let repair = SignatureOptions::new().repair();
    assert!(prepare(&broken, &repair).unwrap().is_repaired());
    let report = verify(&sign(&broken, &repair).unwrap());
    assert!(report.signatures[0].intact == Some(true), "{report:?}");
}
