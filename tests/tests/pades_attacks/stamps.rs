//! Attacks with document time-stamps. They may be added to every document, but not
//! objects that only claim to be time-stamps.

use ades_core::Level;
use ades_tests::pdf::by_hand::{number_of, object, updated};
use pades::Certification;
use pades::report::{Change, Problem};

use super::{
    BOTH, CONTENTS, LARGE, NOBODY, ONLY_PYHANKO, PAGE, assert_changed, assert_noticed, certified,
    contract, evil, first, overlay, signed, verify,
};

const BROKEN: &str = "<</Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161\
                      /ByteRange[0 0 0 0]/Contents<00>>>";

/// A signed document with an additional field, number 90, in its form and on its page.
fn with_field(signed: &[u8], field: &str, more: &[(u32, &str)]) -> Vec<u8> {
    let form = number_of(signed, "<</Fields[");
    let fields = object(signed, form).replace("/Fields[", "/Fields[90 0 R ");
    let page = object(signed, PAGE).replace("/Annots [", "/Annots [90 0 R ");
    assert!(page.contains("90 0 R"), "{page}");
    updated(signed, &[&[(form, fields.as_str()), (PAGE, &page), (90, field)], more].concat())
}

fn field(entries: &str) -> String {
    format!("<</Type/Annot/Subtype/Widget/FT/Sig/T(ts)/V 91 0 R/P 3 0 R{entries}>>")
}

/// A time-stamp that covers the page and is not valid.
#[test]
fn a_visible_time_stamp_is_reported_as_visible() {
    let visible = field(&format!("/F 4{LARGE}/AP<</N 92 0 R>>"));
    let document = contract(&[], "", "");
    for (signed, noticed) in [
        (signed(&document), NOBODY),
        (certified(&document, Certification::NoChanges), ONLY_PYHANKO),
        (certified(&document, Certification::FormFilling), ONLY_PYHANKO),
    ] {
        let forged = with_field(&signed, &visible, &[(91, BROKEN), (92, &overlay())]);
        let found = first(&forged, "visible");
        assert_eq!(found.changes, [Change::VisibleSignature]);
        let forbidden = found.problems.contains(&Problem::ForbiddenChange);
        assert_eq!(forbidden, found.certification.is_some(), "{found:?}");
        assert_eq!(found.level, Level::B);
        let stamp = &verify(&forged).time_stamps[0];
        assert!(stamp.problems.contains(&Problem::ByteRangeMalformed), "{stamp:?}");
        assert_noticed(&forged, noticed, "visible");
    }
}

/// An invisible, broken time-stamp is not a time-stamp that certifications allow.
#[test]
fn a_broken_time_stamp_is_not_accepted() {
    let certified = certified(&contract(&[], "", ""), Certification::NoChanges);
    let hidden = field("/F 132/Rect[0 0 0 0]");
    let forged = with_field(&certified, &hidden, &[(91, BROKEN)]);
    let found = first(&forged, "broken");
    assert!(found.problems.contains(&Problem::ForbiddenChange), "{found:?}");
    assert_eq!((found.changes, found.level), (vec![Change::Signature], Level::B));
}

/// A time-stamp with sound ranges.
/// Without its type it is not a document time-stamp.
#[test]
fn a_time_stamp_has_its_type_and_covers_a_revision() {
    let certified = certified(&contract(&[], "", ""), Certification::NoChanges);
    for (kind, changes, problems) in [
        ("/Type/DocTimeStamp", [Change::TimeStamp], vec![]),
        ("/Type/Sig", [Change::Signature], vec![Problem::NotADocTimeStamp]),
        ("", [Change::Signature], vec![Problem::NotADocTimeStamp]),
    ] {
        let value = format!(
            "<<{kind}/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161\
             /ByteRange[0 AAAAA BBBBB CCCCC]/Contents<3003020101>>>"
        );
        let document = with_field(&certified, &field("/F 132/Rect[0 0 0 0]"), &[(91, &value)]);
        let text = String::from_utf8_lossy(&document);
        let start = text.find("<3003020101>").unwrap();
        let end = start + "<3003020101>".len();
        let numbers = [start, end, document.len() - end].map(|number| format!("{number:5}"));
        let document = text
            .replace("AAAAA", &numbers[0])
            .replace("BBBBB", &numbers[1])
            .replace("CCCCC", &numbers[2]);
        let report = verify(document.as_bytes());
        assert_eq!(report.time_stamps[0].problems, problems, "{kind}");
        assert_eq!(report.signatures[0].changes, changes, "{kind}");
        // Its token is not one, so it raises no level.
        assert_eq!(report.signatures[0].level, Level::B, "{kind}");
        assert_eq!(report.is_valid(), problems.is_empty(), "{kind}: {report:?}");
    }
}

/// Contents or pages are used as widgets of a time-stamp.
#[test]
fn a_time_stamp_does_not_allow_changes_of_other_objects() {
    let evil = evil();
    let certified = certified(&contract(&[], "", ""), Certification::NoChanges);
    let kids = field("/F 132/Rect[0 0 0 0]/Kids[4 0 R]");
    let forged = with_field(&certified, &kids, &[(91, BROKEN), (CONTENTS, &evil)]);
    assert_changed(&forged, "contents");
    assert_noticed(&forged, BOTH, "contents");
    let kids = field("/F 132/Rect[0 0 0 0]/Kids[3 0 R]");
    let form = number_of(&certified, "<</Fields[");
    let fields = object(&certified, form).replace("/Fields[", "/Fields[90 0 R ");
    let page = object(&certified, PAGE).replace("/Contents 4 0 R", "/Contents 92 0 R");
    let update = [(form, fields.as_str()), (90, &kids), (91, BROKEN), (PAGE, &page), (92, &evil)];
    let forged = updated(&certified, &update);
    assert_changed(&forged, "a page");
    assert_noticed(&forged, BOTH, "a page");
    // Its value is an object that existed before.
    let taken = field("/F 132/Rect[0 0 0 0]").replace("91 0 R", "4 0 R");
    let forged = with_field(&certified, &taken, &[]);
    let found = verify(&forged).signatures.into_iter().find(|s| s.certification.is_some());
    assert!(found.unwrap().problems.contains(&Problem::ChangedLater));
}
