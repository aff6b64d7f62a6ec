//! `/NeedAppearances` beside a visible signature.

use ades_core::Document;
use ades_tests::fonts;
use ades_tests::oracle::pades::all_accept;
use ades_tests::pdf::by_hand::{ONE_PAGE, number_of, object, of_objects};
use pades::{Rectangle, SignatureField, SignatureOptions, Warning};
use tempfile::TempDir;

use super::{Appearance, parameters, sign, write};

const PAGE: &str = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>";
const WIDGET: &str = "/Type/Annot/Subtype/Widget/Rect[10 10 110 60]/F 4/P 3 0 R";
const BOTH: [Warning; 2] = [Warning::NeedAppearances, Warning::HiddenByNeedAppearances];

fn form(fields: &str, more: &[&str]) -> Vec<u8> {
    let catalog =
        format!("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[{fields}]/NeedAppearances true>>>>");
    of_objects(&[&[&*catalog, ONE_PAGE, PAGE], more].concat(), "")
}

fn visible() -> SignatureOptions {
    let place = Rectangle::new(150.0, 100.0, 100.0, 50.0);
    SignatureOptions::new().visible(Appearance::at(1, place).text("Signed", fonts::sans()))
}

/// The warnings before signing, and whether the signed document still has the entry.
fn signed(document: &[u8], options: &SignatureOptions) -> (Vec<Warning>, bool) {
    let dir = TempDir::new().unwrap();
    let mut source = Document::from_bytes(document);
    let checked = pades::check(&mut source, &parameters(), options).unwrap();
    let signed = sign(document, options).unwrap();
    all_accept(&write(&dir, "signed.pdf", &signed), 1);
    let catalog = object(&signed, 1).split_whitespace().collect::<Vec<_>>().join(" ");
    let needs = catalog.contains("/NeedAppearances true");
    assert_eq!(catalog.contains("/NeedAppearances false"), !needs, "{catalog}");
    (checked.warnings().to_vec(), needs)
}

/// As the examples of PDFBox do. pyHanko removes the entry from every document.
#[test]
fn it_is_cleared_where_no_other_field_needs_it() {
    let signature = format!("<</FT/Sig/T(s){WIDGET}>>");
    let child = format!("<</FT/Sig/T(s)/Parent 4 0 R{WIDGET}>>");
    let group = ["<</T(group)/Kids[5 0 R]>>", &child];
    for document in [form("", &[]), form("4 0 R", &[&signature]), form("4 0 R", &group)] {
        assert_eq!(signed(&document, &visible()), (vec![], false));
        let invisible = SignatureOptions::new();
        assert_eq!(signed(&document, &invisible), (vec![Warning::NeedAppearances], true));
    }
    let into = SignatureOptions::new()
        .field(SignatureField::Existing("s".into()))
        .visible(Appearance::in_field().text("Signed", fonts::sans()));
    assert_eq!(signed(&form("4 0 R", &[&signature]), &into), (vec![], false));
}

/// Viewers may show the values of other fields only because of the entry.
#[test]
fn it_stays_with_other_fields_and_the_signer_is_warned() {
    let text = format!("<</FT/Tx/T(t)/V(42)/DA(/F 9 Tf){WIDGET}>>");
    let child = format!("<</T(t)/Parent 4 0 R{WIDGET}>>");
    let group = ["<</FT/Tx/T(group)/Kids[5 0 R]>>", &child];
    for document in [form("4 0 R", &[&text]), form("4 0 R", &group)] {
        assert_eq!(signed(&document, &visible()), (BOTH.to_vec(), true));
    }
}

/// A later change of the form would be a change of what is signed.
#[test]
fn it_stays_in_a_signed_document() {
    let once = sign(&form("", &[]), &SignatureOptions::new()).unwrap();
    let mut source = Document::from_bytes(&once);
    let checked = pades::check(&mut source, &parameters(), &visible()).unwrap();
    assert_eq!(checked.warnings(), BOTH);
    let twice = sign(&once, &visible()).unwrap();
    let catalog = number_of(&twice, "<</Type/Catalog");
    assert!(object(&twice, catalog).contains("/NeedAppearances true"));
    let dir = TempDir::new().unwrap();
    all_accept(&write(&dir, "twice.pdf", &twice), 2);
}
