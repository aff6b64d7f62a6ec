//! Attacks on PDF signatures. The signature itself stays intact, but people see
//! something else. Each attack is refused, or the change is reported.

mod fields;
mod late;
mod paths;
mod published;
mod stamps;

use ades_core::Document;
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::pyhanko::PyHanko;
use ades_tests::pdf::by_hand::{ONE_PAGE, of_objects, stream};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{parameters, sign_pades};
use pades::report::{Change, Coverage, Problem, Report, SignatureReport};
use pades::{Certification, SignatureOptions, VerifyOptions};
use serde_json::{Value, json};

/// The object numbers of every contract.
const CATALOG: u32 = 1;
const PAGE: u32 = 3;
const CONTENTS: u32 = 4;
/// The number of the first further object.
const MORE: u32 = 6;

const FONT: &str = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>";
const RESOURCES: &str = "/Resources<</Font<</F1 5 0 R>>>>";
/// A rectangle that covers the page.
const LARGE: &str = "/Rect[0 0 300 200]";

/// A page with an amount, further objects, and further entries of the page and the
/// catalog.
fn contract(more: &[&str], page: &str, catalog: &str) -> Vec<u8> {
    contract_of(&format!("{RESOURCES}/Contents 4 0 R{page}"), more, catalog)
}

/// As above; `page` has all entries of the page except its size.
fn contract_of(page: &str, more: &[&str], catalog: &str) -> Vec<u8> {
    let catalog = format!("<</Type/Catalog/Pages 2 0 R{catalog}>>");
    let page = format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]{page}>>");
    let contents = says("100");
    let objects = [&catalog, ONE_PAGE, &page, &contents, FONT];
    of_objects(&[&objects, more].concat(), "")
}

/// The operators that show an amount.
fn text(amount: &str) -> String {
    format!("BT /F1 20 Tf 20 100 Td (Pay {amount} EUR) Tj ET")
}

/// A content stream that shows an amount.
fn says(amount: &str) -> String {
    stream("", &text(amount))
}

fn evil() -> String {
    says("999999")
}

/// An appearance that hides the whole page.
fn overlay() -> String {
    let entries = format!("/Type/XObject/Subtype/Form/BBox[0 0 300 200]{RESOURCES}");
    stream(&entries, &format!("1 g 0 0 300 200 re f 0 g {}", text("999999")))
}

fn sign(document: &[u8], options: &SignatureOptions) -> Vec<u8> {
    sign_pades(document, Pki::shared().signer(Key::P256), &parameters(), options).unwrap()
}

fn signed(document: &[u8]) -> Vec<u8> {
    sign(document, &SignatureOptions::new())
}

fn certified(document: &[u8], level: Certification) -> Vec<u8> {
    sign(document, &SignatureOptions::new().certify(level))
}

fn verify(document: &[u8]) -> Report {
    pades::verify(&mut Document::from_bytes(document), VerifyOptions::new()).unwrap()
}

/// The report of the signature from before the attack, which is still intact.
fn first(document: &[u8], what: &str) -> SignatureReport {
    let report = verify(document);
    let first = report.signatures.first().unwrap_or_else(|| panic!("{what}: {report:?}"));
    assert!(first.intact == Some(true) && first.covers == Coverage::Part, "{what}: {first:?}");
    assert!(!report.is_valid(), "{what}: {report:?}");
    first.clone()
}

/// Asserts that the report says that the document was changed, and that a certification
/// forbids it.
fn assert_changed(document: &[u8], what: &str) {
    let first = first(document, what);
    assert!(first.changes.contains(&Change::Other), "{what}: {first:?}");
    assert!(first.problems.contains(&Problem::ChangedLater), "{what}: {first:?}");
    let forbidden = first.problems.contains(&Problem::ForbiddenChange);
    assert_eq!(forbidden, first.certification.is_some(), "{what}: {first:?}");
}

/// Which other validators notice an attack: pyHanko, EU DSS.
const BOTH: [bool; 2] = [true, true];
const ONLY_PYHANKO: [bool; 2] = [true, false];
const ONLY_DSS: [bool; 2] = [false, true];
const NOBODY: [bool; 2] = [false, false];

/// Asserts that pyHanko and EU DSS notice the attack as expected.
fn assert_noticed(document: &[u8], by: [bool; 2], what: &str) {
    let file = tempfile::Builder::new().suffix(".pdf").tempfile().unwrap();
    std::fs::write(file.path(), document).unwrap();
    let request = json!({ "file": file.path() });
    let pyhanko = PyHanko::shared().try_validate(&request).unwrap();
    let dss = Dss::shared().try_validate_pdf(&request).unwrap();
    // The attacker's time-stamps are ignored.
    let signatures = pyhanko["signatures"].as_array().unwrap();
    let pyhanko = signatures.iter().find(|s| s["type"] == "/Sig").unwrap();
    let dss = &dss["signatures"][0];
    let forbidden = pyhanko["docmdp_ok"] == json!(false) || !pyhanko["suspicious"].is_null();
    let after = &dss["pdf"]["after"];
    let lists = ["undefined", "annotation", "pages_look_different", "pages_added_or_removed"];
    let some = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
    let changed = lists.iter().any(|list| some(&after[*list]));
    assert_eq!([forbidden, changed], by, "{what}: {pyhanko:#} {after:#}");
}

#[test]
fn the_contract_is_valid_without_an_attack() {
    let report = verify(&signed(&contract(&[], "", "")));
    assert!(report.is_valid() && report.signatures[0].covers == Coverage::Whole, "{report:?}");
}
