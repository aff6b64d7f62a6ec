//! Attacks with form fields. Forms may be filled in after a signature with values, but
//! not with appearances that hide signed contents. Annotations are reported.

use ades_tests::pdf::by_hand::{number_of, object, stream, updated};
use pades::report::{Change, Problem};
use pades::{Certification, FieldLock, SignatureField, SignatureOptions};

use super::late::sign_again;
use super::{
    BOTH, LARGE, MORE, ONLY_PYHANKO, PAGE, assert_changed, assert_noticed, certified, contract,
    first, overlay, sign, signed,
};

const FORM: &str = "/AcroForm<</Fields[6 0 R]>>";

/// A field of a given kind, on the page and in the form.
fn with_field(entries: &str) -> Vec<u8> {
    let field = format!("<</T(field)/Type/Annot/Subtype/Widget/P 3 0 R{entries}>>");
    contract(&[&field], "/Annots[6 0 R]", FORM)
}

const SMALL: &str = "/Rect[0 0 9 9]";

/// A field gets another rectangle, appearance or action.
#[test]
fn a_field_may_be_filled_in_but_not_changed() {
    let text = with_field(&format!("/FT/Tx/V(100){SMALL}"));
    let certified = certified(&text, Certification::FormFilling);
    let field = object(&certified, MORE);
    let with = |entry: &str| format!("{}{entry}>>", field.strip_suffix(">>").unwrap());
    for (other, noticed) in [
        (field.replace(SMALL, &format!("{LARGE}/F 4/AP<</N 90 0 R>>")), ONLY_PYHANKO),
        (field.replace("/FT/Tx", "/FT/Btn"), ONLY_PYHANKO),
        (field.replace("(field)", "(other)"), ONLY_PYHANKO),
        (with("/Ff 4096"), [false, false]),
        (with("/A<</S/JavaScript/JS(app.alert(1))>>"), ONLY_PYHANKO),
        (with("/AA<</K<</S/JavaScript/JS(app.alert(1))>>>>"), ONLY_PYHANKO),
        (with("/MK<</BG[1 1 1]>>"), ONLY_PYHANKO),
        (with("/Parent 3 0 R"), ONLY_PYHANKO),
    ] {
        let forged = updated(&certified, &[(MORE, &other), (90, &overlay())]);
        assert_changed(&forged, &other);
        assert_noticed(&forged, noticed, &other);
    }
    for value in ["/V(999)", "/V(999)/AP<</N 90 0 R>>/M(D:20260921)", "/V(100)/Ff 1"] {
        let other = field.replace("/V(100)", value);
        let report = super::verify(&updated(&certified, &[(MORE, &other), (90, &overlay())]));
        assert_eq!(report.signatures[0].changes, [Change::FormFilling], "{value}");
        assert!(report.is_valid(), "{value}: {report:?}");
    }
}

/// A large field that is hidden until the document is signed.
#[test]
fn a_hidden_field_stays_hidden() {
    for hidden in [2, 32] {
        let entries = format!("/FT/Tx/V(100){LARGE}/F {hidden}/AP<</N 7 0 R>>");
        let field = format!("<</T(field)/Type/Annot/Subtype/Widget/P 3 0 R{entries}>>");
        let document = contract(&[&field, &overlay()], "/Annots[6 0 R]", FORM);
        let certified = certified(&document, Certification::FormFilling);
        let shown = object(&certified, MORE).replace(&format!("/F {hidden}/"), "/F 4/");
        assert_changed(&updated(&certified, &[(MORE, &shown)]), "shown");
    }
    // Or a field that is not on a page.
    let field = format!("<</T(field)/FT/Tx/Type/Annot/Subtype/Widget{LARGE}/AP<</N 7 0 R>>>>");
    let certified =
        certified(&contract(&[&field, &overlay()], "", FORM), Certification::FormFilling);
    let page = object(&certified, PAGE).replace("/Annots [", "/Annots [6 0 R ");
    assert_changed(&updated(&certified, &[(PAGE, &page)]), "on a page");
}

/// An empty signature field is enlarged before anybody signs it.
#[test]
fn an_empty_signature_field_may_be_signed_but_not_changed() {
    let empty = with_field(&format!("/FT/Sig{SMALL}"));
    let certified = certified(&empty, Certification::FormFilling);
    let field = object(&certified, MORE);
    let large = field.replace(SMALL, &format!("{LARGE}/F 4/AP<</N 90 0 R>>"));
    let forged = updated(&certified, &[(MORE, &large), (90, &overlay())]);
    assert_changed(&forged, "larger");
    assert_noticed(&forged, ONLY_PYHANKO, "larger");
    let looks = field.replace(SMALL, &format!("{SMALL}/AP<</N 90 0 R>>"));
    assert_changed(&updated(&certified, &[(MORE, &looks), (90, &overlay())]), "looks");
    // Signed and enlarged.
    let value = "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached\
                 /ByteRange[0 0 0 0]/Contents<00>>>";
    let large = large.replace("/T(field)", "/T(field)/V 91 0 R");
    let update = [(MORE, large.as_str()), (90, &overlay()), (91, value)];
    let report = super::verify(&updated(&certified, &update));
    let found = report.signatures.iter().find(|s| s.certification.is_some()).unwrap();
    assert!(found.problems.contains(&Problem::ChangedLater), "{found:?}");
}

/// The widget of a signature is changed.
#[test]
fn a_signed_field_must_not_change() {
    let signed = signed(&contract(&[], "", ""));
    let number = number_of(&signed, "<</Type/Annot/Subtype/Widget");
    let field = object(&signed, number);
    let moved = field.replace("/Rect[0 0 0 0]", LARGE);
    let forged = updated(&signed, &[(number, &moved)]);
    assert_changed(&forged, "moved");
    assert_noticed(&forged, ONLY_PYHANKO, "moved");
    let look: u32 =
        field.split("/AP<</N ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let forged = updated(&signed, &[(look, &overlay())]);
    assert_changed(&forged, "looks");
    assert_noticed(&forged, BOTH, "looks");
}

/// Only signature fields may be added.
#[test]
fn only_signature_fields_may_be_added() {
    let signed = signed(&contract(&[], "", ""));
    let form = number_of(&signed, "<</Fields[");
    let fields = object(&signed, form).replace("/Fields[", "/Fields[90 0 R ");
    let page = object(&signed, PAGE).replace("/Annots [", "/Annots [90 0 R ");
    let new = |field: &str| {
        let field = format!("<</T(new)/Type/Annot/Subtype/Widget/P 3 0 R{field}>>");
        updated(&signed, &[(form, &fields), (PAGE, &page), (90, &field), (91, &overlay())])
    };
    assert_changed(&new(&format!("/FT/Tx{SMALL}")), "text");
    assert_changed(&new("/FT/Sig/Rect[0 0 0 0]/AA<</E<<>>>>"), "actions");
    assert_changed(&new("/FT/Sig/Rect[0 0 0 0]/Kids[4 0 R]"), "kids");
    // A visible empty field is an annotation: nobody signed it.
    let found = first(&new(&format!("/FT/Sig{LARGE}/AP<</N 91 0 R>>")), "empty");
    assert_eq!(found.changes, [Change::Annotation]);
    assert_eq!(found.problems, [Problem::AnnotatedLater]);
    let report = super::verify(&new("/FT/Sig/Rect[0 0 0 0]"));
    assert!(report.is_valid(), "{report:?}");
    assert_eq!(report.signatures[0].changes, [Change::Signature]);
}

/// Entries of the whole form are changed.
#[test]
fn a_form_keeps_its_resources_and_gets_no_xfa() {
    let helvetica = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>";
    let symbol = "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>";
    let field = format!("<</T(field)/FT/Tx/V(100)/DA(/F 9 Tf){SMALL}/P 3 0 R>>");
    let form = "<</Fields[6 0 R]/DR<</Font<</F 7 0 R>>>>>>";
    let document = contract(&[&field, helvetica, form], "", "/AcroForm 8 0 R");
    let certified = certified(&document, Certification::FormFilling);
    let form = object(&certified, 8);
    let with = |entry: &str| format!("{}{entry}>>", form.strip_suffix(">>").unwrap());
    for other in [
        form.replace("/F 7 0 R", "/F 90 0 R"),
        form.replace("/DR<</Font<</F 7 0 R>>>>", ""),
        form.replace("/Font<</F 7 0 R>>", ""),
        with("/XFA 91 0 R"),
        with("/CO[6 0 R]"),
    ] {
        let update = [(8, other.as_str()), (90, symbol), (91, &stream("", "<xdp/>"))];
        assert_changed(&updated(&certified, &update), &other);
    }
    assert_changed(&updated(&certified, &[(7, symbol)]), "the font itself");
    for other in [
        form.replace("/F 7 0 R", "/F 7 0 R/G 90 0 R"),
        form.replace("/Font<<", "/Encoding<<>>/Font<<"),
        with("/DA(/F 0 Tf)/NeedAppearances true"),
    ] {
        let report = super::verify(&updated(&certified, &[(8, &other), (90, symbol)]));
        assert!(report.is_valid(), "{other}: {report:?}");
        assert_eq!(report.signatures[0].changes, [Change::FormFilling], "{other}");
    }
    let signed = signed(&contract(&[], "", ""));
    let number = number_of(&signed, "<</Fields[");
    let form = object(&signed, number);
    let xfa = format!("{}/XFA 92 0 R>>", form.strip_suffix(">>").unwrap());
    let forged = updated(&signed, &[(number, &xfa), (92, &stream("", "<xdp/>"))]);
    assert_changed(&forged, "XFA");
    assert_noticed(&forged, BOTH, "XFA");
}

/// Without a certification, an annotation over the page is a problem.
#[test]
fn an_annotation_over_the_page_is_a_problem_unless_it_is_allowed() {
    let stamp = format!("<</Type/Annot/Subtype/Stamp{LARGE}/F 4/AP<</N 92 0 R>>>>");
    let annotated = |signed: &[u8]| {
        let page = object(signed, PAGE).replace("/Annots [", "/Annots [90 0 R ");
        updated(signed, &[(PAGE, &page), (90, &stamp), (92, &overlay())])
    };
    let document = contract(&[], "", "");
    let forged = annotated(&signed(&document));
    let found = first(&forged, "a stamp");
    assert_eq!(found.problems, [Problem::AnnotatedLater]);
    assert_noticed(&forged, BOTH, "a stamp");
    // A certification allows it, also for later signatures.
    let open = certified(&document, Certification::Annotations);
    let twice = signed(&open);
    for document in [annotated(&open), annotated(&twice)] {
        let report = super::verify(&document);
        assert!(report.is_valid(), "{report:?}");
        assert!(report.signatures.iter().all(|s| s.changes.contains(&Change::Annotation)));
    }
    // A later certification by the attacker does not allow it.
    let late = certified_later(&annotated(&signed(&document)));
    let found = &super::verify(&late).signatures;
    assert_eq!(found[1].certification, Some(3), "{found:?}");
    assert!(
        found[1].intact == Some(true) && found[0].problems == [Problem::AnnotatedLater],
        "{found:?}"
    );
}

/// A further signature, by the attacker, that certifies the document.
fn certified_later(document: &[u8]) -> Vec<u8> {
    let entry = "/Reference[<</TransformMethod/DocMDP/TransformParams<</P 3/V/1.2>>>>]";
    let reason = "x".repeat(entry.len() - "/Reason()".len());
    let signed = super::sign(document, &SignatureOptions::new().reason(&reason));
    let text = format!("/Reason({reason})");
    let at = signed.windows(text.len()).rposition(|w| w == text.as_bytes()).unwrap();
    let mut forged = signed.clone();
    forged[at..at + text.len()].copy_from_slice(entry.as_bytes());
    sign_again(&forged)
}

/// A field that looks signed, but has no signature.
#[test]
fn a_field_without_a_signature_is_not_signed() {
    let signed = signed(&contract(&[], "", ""));
    let form = number_of(&signed, "<</Fields[");
    let fields = object(&signed, form).replace("/Fields[", "/Fields[90 0 R ");
    let page = object(&signed, PAGE).replace("/Annots [", "/Annots [90 0 R ");
    let new = |entries: &str, value: &str, object: &str| {
        let field = format!(
            "<</T(new)/FT/Sig/Type/Annot/Subtype/Widget/P 3 0 R/V {value}/AP<</N 91 0 R>>{entries}>>"
        );
        let update = [
            (form, fields.as_str()),
            (PAGE, &page),
            (90, &field),
            (91, &overlay()),
            (92, object),
            (93, "null"),
        ];
        updated(&signed, &update)
    };
    for (value, object) in
        [("null", "null"), ("92 0 R", "null"), ("80 0 R", "null"), ("92 7 R", "<<>>")]
    {
        let what = format!("{value}, {object}");
        let found = first(&new(LARGE, value, object), &what);
        assert_eq!(found.changes, [Change::Annotation], "{what}");
        assert_eq!(found.problems, [Problem::AnnotatedLater], "{what}");
    }
    let stream = stream("", "");
    for (value, object) in [
        ("92 0 R", "(text)"),
        ("92 0 R", &stream),
        ("(text)", "null"),
        ("92 0 R", "93 0 R"),
        ("92 0 R", "80 0 R"),
    ] {
        let report = super::verify(&new(LARGE, value, object));
        let found = report.signatures.iter().find(|s| s.intact == Some(true)).unwrap();
        assert_eq!(found.problems, [Problem::ChangedLater], "{value}, {object}");
    }
    // The problems of the broken signature are reported with it.
    let broken = super::verify(&new(LARGE, "92 0 R", "<<>>"));
    assert_eq!(broken.signatures.len(), 2, "{broken:?}");
    assert!(broken.signatures.iter().any(|s| s.changes == [Change::VisibleSignature]));
    assert!(!broken.is_valid());
}

/// Only a signature dictionary signs an empty field, not a reference to nothing.
#[test]
fn a_reference_to_a_missing_object_does_not_sign_a_field() {
    let empty = with_field(&format!("/FT/Sig{LARGE}"));
    let certified = certified(&empty, Certification::FormFilling);
    let field = object(&certified, MORE);
    for (value, object) in [("92 0 R", "null"), ("92 7 R", "<<>>"), ("92 0 R", "93 0 R")] {
        let other = field.replace("/T(field)", &format!("/T(field)/V {value}/AP<</N 91 0 R>>"));
        let update = [(MORE, other.as_str()), (91, &overlay()), (92, object), (93, "null")];
        assert_changed(&updated(&certified, &update), value);
    }
}

/// An existing field that was invisible becomes visible when it is signed.
#[test]
fn a_field_that_becomes_visible_is_reported() {
    let value = "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached\
                 /ByteRange[0 0 0 0]/Contents<00>>>";
    for (was, is, kind) in [
        (2, 4, Change::VisibleSignature),
        (32, 4, Change::VisibleSignature),
        (36, 4, Change::VisibleSignature),
        (2, 36, Change::VisibleSignature),
        (32, 32, Change::Signature),
        (0, 4, Change::Signature),
    ] {
        let empty = with_field(&format!("/FT/Sig{LARGE}/F {was}/DA()"));
        let certified = certified(&empty, Certification::FormFilling);
        let field = object(&certified, MORE)
            .replace("/T(field)", "/T(field)/V 91 0 R/AP<</N 90 0 R>>")
            .replace(&format!("/F {was}/"), &format!("/F {is}/"));
        let update = [(MORE, field.as_str()), (90, &overlay()), (91, value)];
        let report = super::verify(&updated(&certified, &update));
        let found = report.signatures.iter().find(|s| s.certification.is_some()).unwrap();
        assert_eq!(found.changes, [kind], "{was} {is}");
        let forbidden = found.problems.contains(&Problem::ForbiddenChange);
        assert_eq!(forbidden, kind == Change::VisibleSignature, "{was} {is}");
    }
}

/// Two fields share an appearance: locking one locks the appearance.
#[test]
fn a_shared_appearance_must_not_change() {
    let look =
        |amount: &str| stream("/Type/XObject/Subtype/Form/BBox[0 0 300 200]", &super::text(amount));
    let field = |name: &str, kind: &str, area: &str| {
        format!(
            "<</FT/{kind}/T({name})/Type/Annot/Subtype/Widget/P 3 0 R/Rect[{area}]/F 4/AP 8 0 R>>"
        )
    };
    for form in ["/AcroForm<</Fields[6 0 R 7 0 R]>>", "/AcroForm<</Fields[7 0 R 6 0 R]>>"] {
        let document = |kind: &str| {
            let free = field("free", "Tx", "0 0 0 0");
            let held = field("held", kind, "10 10 200 40");
            let more = [free.as_str(), &held, "<</N 9 0 R>>", &look("100")];
            contract(&more, "/Annots[6 0 R 7 0 R]", form)
        };
        let lock = FieldLock::Include(vec!["held".to_owned()]);
        let locked = sign(&document("Tx"), &SignatureOptions::new().lock(lock));
        let into = SignatureField::Existing("held".to_owned());
        let signed = sign(&document("Sig"), &SignatureOptions::new().field(into));
        for (signed, what) in [(locked, "locked"), (signed, "signed")] {
            assert!(super::verify(&signed).is_valid(), "{what}, {form}");
            let forged = updated(&signed, &[(9, &look("999999"))]);
            assert_changed(&forged, &format!("{what}, {form}"));
        }
    }
}

/// An object with another generation takes a number; nothing refers to it, and the
/// former object is removed.
#[test]
fn another_generation_is_another_object() {
    let note = "<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(note)>>";
    let text = "<</FT/Tx/T(text)/V(100)/Type/Annot/Subtype/Widget/Rect[0 0 9 9]/P 3 0 R>>";
    let signed = signed(&contract(&[text, note], "/Annots[6 0 R 7 0 R]", FORM));
    let with_generation_1 = |number: u32| {
        let was = object(&signed, number);
        let again = updated(&signed, &[(number, &was)]);
        assert!(super::verify(&again).is_valid(), "{number}");
        let again = String::from_utf8(again[signed.len()..].to_vec()).unwrap();
        let again = again
            .replace(&format!("{number} 0 obj"), &format!("{number} 1 obj"))
            .replace(" 00000 n ", " 00001 n ");
        [&signed, again.as_bytes()].concat()
    };
    for number in [PAGE, MORE] {
        assert_changed(&with_generation_1(number), &number.to_string());
    }
    let found = first(&with_generation_1(7), "a note");
    assert_eq!(found.changes, [Change::Annotation]);
}
