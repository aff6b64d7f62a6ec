//! A reference to a missing object is legal and means null: no new object gets a number
//! that is referred to.

use ades_core::Document;
use ades_tests::oracle::pades::all_accept;
use ades_tests::pdf::by_hand::{ONE_PAGE, number_of, of_objects, stream};
use ades_tests::pdf::packed::{Pack, packed};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{parameters, sign_pades};
use pades::report::{Problem, Report};
use pades::{Appearance, Error, Rectangle, SignatureField, SignatureOptions, VerifyOptions};
use tempfile::TempDir;

const IMAGE: &[u8] = include_bytes!("../fixtures/stamps/boxes.png");
/// The missing objects that are referred to are 12 to 30.
const LAST_MISSING: u32 = 30;

fn sign(document: &[u8], options: &SignatureOptions) -> Result<Vec<u8>, Error> {
    sign_pades(document, Pki::shared().signer(Key::P256), &parameters(), options)
}

fn report(document: &[u8]) -> Report {
    pades::verify(&mut Document::from_bytes(document), VerifyOptions::new()).unwrap()
}

fn visible() -> SignatureOptions {
    let rectangle = Rectangle::new(100.0, 100.0, 80.0, 30.0);
    SignatureOptions::new().visible(Appearance::at(1, rectangle).image(IMAGE))
}

/// A key with references to all missing objects.
fn missing() -> String {
    (12..=LAST_MISSING).map(|number| format!("/X{number} {number} 0 R")).collect()
}

/// A page, a field and a font, each with further entries.
fn document(pages: &str, page: &str, field: &str, font: &str) -> Vec<u8> {
    of_objects(
        &[
            "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>",
            &format!("<</Type/Pages/Count 1/Kids[3 0 R]{pages}>>"),
            &format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Annots[4 0 R]{page}>>"),
            &format!("<</FT/Sig/T(s)/Type/Annot/Subtype/Widget/Rect[9 9 99 29]/P 3 0 R{field}>>"),
            &format!("<</Type/Font/Subtype/Type1/BaseFont/Helvetica{font}>>"),
            &format!("<</Font<</F1 5 0 R>>/XObject<<{}>>>>", missing()),
        ],
        "",
    )
}

#[test]
fn new_objects_get_no_number_that_the_page_refers_to() {
    let dir = TempDir::new().unwrap();
    let missing = missing();
    let direct = format!("/Resources<</XObject<<{missing}>>>>");
    let in_field = SignatureOptions::new()
        .field(SignatureField::Existing("s".into()))
        .visible(Appearance::in_field().image(IMAGE));
    for (place, document) in [
        ("the page", document("", &direct, "", "")),
        ("what it inherits", document(&direct, "", "", "")),
        ("its resources", document("", "/Resources 6 0 R", "", "")),
        ("inherited resources", document("/Resources 6 0 R", "", "", "")),
        ("a font", document("", "/Resources<</Font<</F1 5 0 R>>>>", "", &missing)),
        ("a field", document("", "", &format!("/PMD<<{missing}>>"), "")),
    ] {
        for options in [SignatureOptions::new(), visible(), in_field.clone()] {
            let once = sign(&document, &options).unwrap();
            assert!(number_of(&once, "<</Type/Sig/") > LAST_MISSING, "{place}");
            let twice = sign(&once, &SignatureOptions::new()).unwrap();
            assert!(report(&twice).is_valid(), "{place}: {:?}", report(&twice));
            if place == "a font" {
                let path = dir.path().join("twice.pdf");
                std::fs::write(&path, twice).unwrap();
                all_accept(&path, 2);
            }
        }
    }
}

/// More objects than are read, then a page with a font that refers to `number`.
fn large(number: u32) -> Vec<u8> {
    const LINKS: u32 = 5_000;

    let links: String = (0..LINKS).map(|at| format!("{} 0 R ", at + 10)).collect();
    let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]";
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Count 3/Kids[3 0 R 4 0 R 5 0 R]>>".to_owned(),
        format!("{page}/Resources 8 0 R>>"),
        format!("{page}/Annots[{links}]>>"),
        format!("{page}/Contents 6 0 R/Resources<</Font<</F1 7 0 R>>>>>>"),
        stream("", "BT /F1 9 Tf (x) Tj ET"),
        format!("<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode {number} 0 R>>"),
        "<</Font<</F1 9 0 R>>>>".to_owned(),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 5600 0 R>>".to_owned(),
    ];
    objects.extend((0..LINKS).map(|_| "<</Type/Annot/Subtype/Link/Rect[0 0 1 1]>>".to_owned()));
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    of_objects(&objects, "")
}

#[test]
fn signed_objects_do_not_refer_to_new_objects() {
    // The first signature does not reach that number, but the second would.
    let number = 5_610;
    let once = sign(&large(number), &SignatureOptions::new()).unwrap();
    let first = number_of(&once, "<</Type/Sig/");
    assert!((5_601..number).contains(&first), "{first}: the first page's font was read");
    let mut document = once;
    for _ in 0..4 {
        document = sign(&document, &SignatureOptions::new()).unwrap();
        assert!(number_of(&document, "<</Type/Sig/") > number);
        assert!(report(&document).is_valid(), "{:?}", report(&document));
    }
}

/// A writer gave the form a number that a font refers to. The object has both roles,
/// and the signed font must not change.
#[test]
fn an_object_that_a_signature_covers_is_not_rewritten() {
    let document = of_objects(
        &[
            "<</Type/Catalog/Pages 2 0 R/AcroForm 4 0 R>>",
            ONE_PAGE,
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Resources<</Font<</F1 5 0 R>>>>>>",
            "<</Fields[]>>",
            "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding 4 0 R>>",
        ],
        "",
    );
    let once = sign(&document, &SignatureOptions::new()).unwrap();
    let checked =
        pades::check(&mut Document::from_bytes(&once), &parameters(), &SignatureOptions::new());
    assert!(matches!(checked, Err(Error::Forbidden { .. })), "{checked:?}");
}

/// Validators would report a second signature as tampering: `check` refuses it.
#[test]
fn a_document_that_cannot_be_read_completely_is_signed_only_once() {
    let document = packed(
        &[
            (1, "<</Type/Catalog/Pages 2 0 R/PieceInfo 6 0 R>>".to_owned()),
            (2, ONE_PAGE.to_owned()),
            (3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>".to_owned()),
        ],
        &[Pack { number: 5, objects: vec![(6, "<</A".to_owned())], padding: 0 }],
    );
    let once = sign(&document, &SignatureOptions::new()).unwrap();
    let checked =
        pades::check(&mut Document::from_bytes(&once), &parameters(), &SignatureOptions::new());
    assert!(matches!(checked, Err(Error::Forbidden { .. })), "{checked:?}");
    assert!(!report(&once).signatures[0].problems.contains(&Problem::ChangedLater));
}
