//! The field of a signature: names with levels, seed values, fields and pages in
//! unusual places, objects that are not pages.

use std::path::PathBuf;

use ades_core::{Certificate, Document};
use ades_tests::fonts;
use ades_tests::oracle::pades::all_accept;
use ades_tests::pdf::by_hand::{ONE_PAGE, number_of, object, of_objects};
use ades_tests::pdf::packed::{Pack, packed};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{parameters, sign_pades};
use pades::report::SignatureReport;
use pades::{
    Appearance, Error, PreparedDocument, Rectangle, SignatureField, SignatureOptions, SubFilter,
    VerifyOptions,
};
use tempfile::TempDir;

const PAGE: &str = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Resources<<>>>>";

fn pdf(objects: &[&str]) -> Vec<u8> {
    of_objects(objects, "")
}

fn sign(document: &[u8], options: &SignatureOptions) -> Result<Vec<u8>, Error> {
    sign_pades(document, Pki::shared().signer(Key::P256), &parameters(), options)
}

fn reports(document: &[u8]) -> Vec<SignatureReport> {
    pades::verify(&mut Document::from_bytes(document), VerifyOptions::new()).unwrap().signatures
}

fn new(name: &str) -> SignatureOptions {
    SignatureOptions::new().field(SignatureField::NewNamed(name.to_owned()))
}

fn existing(name: &str) -> SignatureOptions {
    SignatureOptions::new().field(SignatureField::Existing(name.to_owned()))
}

fn write(dir: &TempDir, octets: &[u8]) -> PathBuf {
    let path = dir.path().join("signed.pdf");
    std::fs::write(&path, octets).unwrap();
    path
}

const STREAM: &str = "<</Length 1>>\nstream\nq\nendstream";

#[test]
fn objects_that_are_not_pages_are_skipped() {
    let odd = [
        STREAM,
        "<</Type/Page/Length 1>>\nstream\nq\nendstream",
        "<</Type/ObjStm/N 0/First 0/Length 0>>\nstream\n\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        "<</Type/Template/MediaBox[0 0 9 9]>>",
        "<</Type/Pages/Count 0>>",
        "[]",
    ];
    for odd in odd {
        let only = pdf(&["<</Pages 2 0 R>>", ONE_PAGE, odd]);
        let refused = sign(&only, &SignatureOptions::new());
        let why = refused.unwrap_err().to_string();
        assert!(why.contains("not a page") || why.contains("no /Kids"), "{odd}: {why}");
        for page in [PAGE, "<</Parent 2 0 R/MediaBox[0 0 300 200]>>"] {
            let both = pdf(&["<</Pages 2 0 R>>", "<</Kids[4 0 R 3 0 R]>>", page, odd]);
            let signed = sign(&both, &SignatureOptions::new()).unwrap();
            assert_eq!(object(&signed, 4), odd);
            assert!(object(&signed, 3).contains("/Annots"), "{odd}");
            assert!(reports(&signed)[0].intact == Some(true));
        }
    }
}

/// An object stream in the page tree keeps its objects.
#[test]
fn object_streams_are_never_rewritten() {
    let plain = |kids: &str| {
        [
            (1, "<</Type/Catalog/Pages 2 0 R/Kept 6 0 R>>".to_owned()),
            (2, format!("<</Type/Pages/Kids[{kids}]>>")),
            (3, PAGE.to_owned()),
        ]
    };
    let pack = || Pack { number: 5, objects: vec![(6, "(kept)".to_owned())], padding: 0 };
    let document = packed(&plain("5 0 R 3 0 R"), &[pack()]);
    let signed = sign(&document, &SignatureOptions::new()).unwrap();
    assert!(reports(&signed)[0].problems.is_empty());
    sign(&signed, &SignatureOptions::new()).unwrap();
    let only = sign(&packed(&plain("5 0 R"), &[pack()]), &SignatureOptions::new());
    assert!(matches!(only, Err(Error::Structure { .. })), "{only:?}");
}

#[test]
fn streams_in_place_of_dictionaries_do_not_change() {
    let with = |catalog: &str, more: &str| {
        let catalog = format!("<</Pages 2 0 R{catalog}>>");
        pdf(&[&catalog, ONE_PAGE, PAGE, more])
    };
    let form = "<</Fields[]/Length 1>>\nstream\nq\nendstream";
    let refused = sign(&with("/AcroForm 4 0 R", form), &SignatureOptions::new());
    assert!(matches!(refused, Err(Error::Structure { .. })), "{refused:?}");
    let field = "<</T(s)/FT/Sig/Length 1>>\nstream\nq\nendstream";
    let fields = with("/AcroForm<</Fields[4 0 R]>>", field);
    assert!(matches!(sign(&fields, &existing("s")), Err(Error::NoSuchField { .. })));
    let signed = sign(&fields, &SignatureOptions::new()).unwrap();
    assert_eq!(object(&signed, 4), field);
    let visible = Appearance::at(1, Rectangle::new(9.0, 9.0, 99.0, 30.0)).text("x", fonts::sans());
    let structure = "<</Type/StructTreeRoot/Length 1>>\nstream\nq\nendstream";
    let tagged = with("/StructTreeRoot 4 0 R", structure);
    let seen = SignatureOptions::new().visible(visible);
    let signed = sign(&tagged, &seen).unwrap();
    assert_eq!(object(&signed, 4), structure);
    // A structure tree with a broken number tree does not change either.
    let root = "<</Type/StructTreeRoot/K[]/ParentTree 5 0 R>>";
    for tree in ["<</Nums[]/Length 1>>\nstream\nq\nendstream", "<</Nums 7>>", "<</Kids(k)>>"] {
        let catalog = "<</Pages 2 0 R/StructTreeRoot 4 0 R>>";
        let signed = sign(&pdf(&[catalog, ONE_PAGE, PAGE, root, tree]), &seen).unwrap();
        assert_eq!([object(&signed, 4), object(&signed, 5)], [root, tree]);
    }
    let permissions = with("/Perms 4 0 R", STREAM);
    let certify = SignatureOptions::new().certify(pades::Certification::FormFilling);
    assert!(matches!(sign(&permissions, &certify), Err(Error::Structure { .. })));
}

/// Each part of a name is a field: existing ones get a new child, missing ones are
/// created.
#[test]
fn new_fields_have_names_with_levels() {
    let dir = TempDir::new().unwrap();
    let document = pdf(&[
        "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R 6 0 R 7 0 R]>>>>",
        ONE_PAGE,
        PAGE,
        "<</T(group)/Kids[5 0 R]>>",
        "<</T(text)/FT/Tx/Parent 4 0 R>>",
        "<</T(plain)/FT/Tx>>",
        "<</T(radio)/FT/Btn/Ff 32768/Kids[8 0 R]>>",
        "<</Type/Annot/Subtype/Widget/Rect[0 0 9 9]/Parent 7 0 R>>",
    ]);
    for name in ["group.sign", "group.inner.sign", "žluť.a.b.c", "group2.sign"] {
        let signed = sign(&document, &new(name)).unwrap();
        let found = reports(&signed);
        assert_eq!(found[0].field, name);
        assert!(found[0].problems.is_empty(), "{found:?}");
        all_accept(&write(&dir, &signed), 1);
        let taken = sign(&signed, &new(name));
        assert!(matches!(taken, Err(Error::FieldNameTaken { .. })), "{taken:?}");
    }
    let signed = sign(&document, &new("group.sign")).unwrap();
    let group = object(&signed, 4);
    let field = number_of(&signed, "<</Type/Annot/Subtype/Widget/FT/Sig");
    assert_eq!(group, format!("<</T(group)/Kids[5 0 R {field} 0 R]>>"));
    assert!(
        object(&signed, field)
            .contains("/T(sign)/TU(Signature)/Contents(Signature)/Parent 4 0 R/V")
    );
    assert!(!object(&signed, 1).contains(&format!("{field} 0 R")));
    // Terminal fields cannot have fields below them.
    for name in ["group.text.sign", "plain.sign", "radio.sign"] {
        let refused = sign(&document, &new(name));
        assert!(matches!(refused, Err(Error::FieldNotFit { .. })), "{name}: {refused:?}");
    }
    for wrong in [".", "a.", ".a", "a..b", "", &"a.".repeat(40)] {
        let refused = sign(&document, &new(wrong));
        assert!(matches!(refused, Err(Error::Core(_))), "{wrong}: {refused:?}");
    }
}

/// pyHanko reports a new field in a group as tampering with the signed document.
#[test]
fn signed_documents_get_no_new_fields_in_groups() {
    let dir = TempDir::new().unwrap();
    let document = pdf(&["<</Type/Catalog/Pages 2 0 R>>", ONE_PAGE, PAGE]);
    let one = sign(&document, &new("buyer.signature")).unwrap();
    for name in ["buyer.other", "seller.signature"] {
        let refused = sign(&one, &new(name)).unwrap_err();
        assert!(matches!(refused, Error::Forbidden { .. }), "{refused}");
    }
    let two = sign(&one, &new("seller")).unwrap();
    all_accept(&write(&dir, &two), 2);
}

/// Readers choose different values of a repeated key.
#[test]
fn repeated_keys_are_refused() {
    let document = |catalog: &str, page: &str| {
        let catalog = format!("<</Type/Catalog/Pages 2 0 R{catalog}>>");
        let page = format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]{page}>>");
        pdf(&[&catalog, ONE_PAGE, &page, "<</Fields[]>>", "<</Fields[]>>"])
    };
    for (catalog, page) in [
        ("/AcroForm<</Fields[]>>/AcroForm<</Fields[]>>", ""),
        ("/AcroForm 4 0 R/AcroForm 5 0 R", ""),
        ("/AcroForm<</Fields[]/Fields[]>>", ""),
        ("", "/Annots[]/Annots[]"),
    ] {
        let refused = sign(&document(catalog, page), &SignatureOptions::new()).unwrap_err();
        assert!(refused.to_string().contains("twice"), "{catalog}{page}: {refused}");
    }
    let same = sign(&document("/AcroForm 4 0 R/AcroForm 4 0 R", ""), &SignatureOptions::new());
    assert!(reports(&same.unwrap())[0].problems.is_empty());
}

#[test]
fn an_array_of_annotations_and_fields_gets_one_element() {
    let dir = TempDir::new().unwrap();
    for link in ["", "<</Type/Annot/Subtype/Link/Rect[0 0 1 1]>>"] {
        let array = format!("[5 0 R {link}]");
        let document = pdf(&[
            "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields 4 0 R>>>>",
            ONE_PAGE,
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Annots 4 0 R>>",
            &array,
            "<</FT/Tx/T(x)/Type/Annot/Subtype/Widget/Rect[0 0 9 9]>>",
        ]);
        let signed = sign(&document, &SignatureOptions::new()).unwrap();
        let field = number_of(&signed, "<</Type/Annot/Subtype/Widget/FT/Sig");
        assert_eq!(object(&signed, 4).matches(&format!("{field} 0 R")).count(), 1, "{link}");
        assert!(reports(&signed)[0].problems.is_empty());
        if link.is_empty() {
            all_accept(&write(&dir, &signed), 1);
        }
    }
}

/// One object with two roles that would be changed in different ways.
#[test]
fn an_object_with_two_roles_is_refused() {
    let document = |fields: &str, annots: &str| {
        pdf(&[
            &format!("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields {fields}>>>>"),
            ONE_PAGE,
            &format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]{annots}>>"),
            "[<</Type/Annot/Subtype/Link/Rect[0 0 1 1]>>]",
        ])
    };
    let of_a_page = sign(&document("3 0 R", ""), &SignatureOptions::new()).unwrap_err();
    assert!(of_a_page.to_string().contains("/Fields is not an array"), "{of_a_page}");
    // The field in the form is not the widget on the page.
    let below = SignatureOptions::new().field(SignatureField::NewNamed("a.b".into()));
    let refused = sign(&document("4 0 R", "/Annots 4 0 R"), &below).unwrap_err();
    assert!(refused.to_string().contains("has two roles"), "{refused}");
}

/// `/P` may be missing: the page has the widget among its annotations.
#[test]
fn widgets_are_found_on_their_pages() {
    let dir = TempDir::new().unwrap();
    let document = |annots: &str| {
        let page = format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Rotate 90{annots}>>");
        pdf(&[
            "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]>>>>",
            "<</Type/Pages/Count 2/Kids[3 0 R 4 0 R]>>",
            PAGE,
            &page,
            "<</FT/Sig/T(here)/Type/Annot/Subtype/Widget/Rect[10 10 90 50]>>",
        ])
    };
    let options = existing("here").visible(Appearance::in_field().text("x", fonts::sans()));
    let signed = sign(&document("/Annots[5 0 R]"), &options).unwrap();
    assert!(String::from_utf8_lossy(&signed).contains("/Matrix[0 1 -1 0 80 0]"));
    all_accept(&write(&dir, &signed), 1);
    let refused = sign(&document(""), &options).unwrap_err();
    assert!(refused.to_string().contains("not on a page"), "{refused}");
}

/// Rectangles are in points, even on a page with its own unit.
#[test]
fn pages_may_have_a_unit_of_their_own() {
    let dir = TempDir::new().unwrap();
    let document = |unit: &str, above: &str| {
        let page = format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Resources<<>>/Annots[4 0 R]{unit}>>"
        );
        pdf(&[
            "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>",
            &format!("<</Type/Pages/Count 1/Kids[3 0 R]{above}>>"),
            &page,
            "<</FT/Sig/T(here)/Type/Annot/Subtype/Widget/Rect[10 10 90 50]/P 3 0 R>>",
            "2.5",
        ])
    };
    let new = |left, width| {
        let rectangle = Rectangle::new(left, 100.0, width, 60.0);
        SignatureOptions::new().visible(Appearance::at(1, rectangle).text("x", fonts::sans()))
    };
    let in_field = existing("here").visible(Appearance::in_field().text("x", fonts::sans()));
    let widget = "<</Type/Annot/Subtype/Widget/FT/Sig";
    for (unit, above, scale) in [
        ("/UserUnit 2", "", 2.0),
        ("/UserUnit 5 0 R/Rotate 180", "", 2.5),
        ("/UserUnit 0.5", "", 0.5),
        ("/UserUnit 0", "", 1.0),
        ("", "/UserUnit 2", 1.0),
    ] {
        let document = document(unit, above);
        // The whole page.
        let most = 300.0 * scale;
        if scale >= 1.0 {
            let signed = sign(&document, &new(most - 100.0, 100.0)).unwrap();
            let [x, y, w, h] = [300.0 - 100.0 / scale, 100.0 / scale, 100.0 / scale, 60.0 / scale];
            let seen = if unit.contains("/Rotate") { [0.0, 200.0 - y - h] } else { [x, y] };
            let corners = format!("/Rect[{} {} {} {}]", seen[0], seen[1], seen[0] + w, seen[1] + h);
            let found = object(&signed, number_of(&signed, widget));
            assert!(found.contains(&corners), "{unit}: {found} has no {corners}");
            let whole = String::from_utf8_lossy(&signed);
            assert!(whole.contains("/BBox[0 0 100 60]"), "{unit}");
            all_accept(&write(&dir, &signed), 1);
        }
        let refused = sign(&document, &new(most - 100.0, 101.0));
        assert!(matches!(refused, Err(Error::OutsidePage { page: 1, .. })), "{unit}");
        let signed = sign(&document, &in_field).unwrap();
        let bounds = format!("/BBox[0 0 {} {}]", 80.0 * scale, 40.0 * scale);
        assert!(String::from_utf8_lossy(&signed).contains(&bounds), "{unit}: {bounds}");
    }
}

#[test]
fn constraints_on_the_certificate_are_checked() {
    let signer = Pki::shared().signer(Key::P256);
    let hex = |certificate: &Certificate| {
        let digits: String = certificate.der().iter().map(|o| format!("{o:02X}")).collect();
        format!("<{digits}>")
    };
    let leaf = hex(signer.chain.leaf());
    let issuer = hex(&signer.chain.certificates()[1]);
    let other = hex(Pki::shared().signer(Key::Rsa2048).chain.leaf());
    let document = |seed: &str| {
        let field = format!("<</T(s)/FT/Sig/SV{seed}>>");
        pdf(&["<</Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>", ONE_PAGE, PAGE, &field])
    };
    for fits in [
        format!("<</Cert<</Subject[{other}{leaf}]/Ff 1>>>>"),
        format!("<</Cert<</Issuer[{issuer}]/Ff 2>>>>"),
        format!("<</Cert<</Subject[{other}]/Ff 0>>>>"),
        format!("<</Cert<</Subject[{leaf}]/Issuer[{issuer}]/Ff 3>>>>"),
        "<</V 3/Ff 4>>".to_owned(),
        "<</V 2.0/Ff 4>>".to_owned(),
        "<</V 4/Ff 0>>".to_owned(),
    ] {
        sign(&document(&fits), &existing("s")).unwrap_or_else(|e| panic!("{fits}: {e}"));
    }
    for refused in [
        format!("<</Cert<</Subject[{other}]/Ff 1>>>>"),
        format!("<</Cert<</Issuer[{other}]/Ff 2>>>>"),
        "<</Cert<</Issuer[(x)]/Ff 2>>>>".to_owned(),
        "<</Cert<</OID[(1.2.3.4)]/Ff 4>>>>".to_owned(),
        format!("<</Cert<</Subject[{leaf}]/KeyUsage[(1)]/Ff 33>>>>"),
        "<</V 4/Ff 4>>".to_owned(),
        "<</V(x)/Ff 4>>".to_owned(),
    ] {
        let refusal = sign(&document(&refused), &existing("s"));
        assert!(matches!(refusal, Err(Error::FieldNotFit { .. })), "{refused}: {refusal:?}");
    }
    // For a CMS that the caller makes, the certificate is not known.
    let demanding = document(&format!("<</Cert<</Subject[{leaf}]/Ff 1>>>>"));
    let prepared = PreparedDocument::new(
        &mut Document::from_bytes(&demanding),
        ades_core::DigestAlgorithm::Sha256,
        SubFilter::Cades,
        64,
        &parameters(),
        &existing("s"),
    );
    assert!(matches!(prepared, Err(Error::FieldNotFit { .. })), "{prepared:?}");
}

/// EN 319 142-1 requires an extension in the catalog if the version of PDF does not
/// have the PAdES format.
#[test]
fn the_format_is_declared_before_pdf_2() {
    let dir = TempDir::new().unwrap();
    let declared = |catalog: &str, version: &str| {
        let catalog = format!("<</Type/Catalog/Pages 2 0 R{catalog}>>");
        let document = pdf(&[&catalog, ONE_PAGE, PAGE]);
        let document = String::from_utf8(document).unwrap().replacen("1.7", version, 1);
        let signed = sign(document.as_bytes(), &SignatureOptions::new()).unwrap();
        all_accept(&write(&dir, &signed), 1);
        object(&signed, 1)
    };
    const OURS: &str = "/ESIC<</BaseVersion/1.7/ExtensionLevel 2>>";
    for version in ["1.4", "1.7"] {
        assert!(declared("", version).contains(&format!("/Extensions <<{OURS}>>")));
    }
    assert!(!declared("", "2.0").contains("ESIC"));
    assert!(!declared("/Version/2.0", "1.7").contains("ESIC"));
    let adobe = "/ADBE<</BaseVersion/1.7/ExtensionLevel 8>>";
    let both = declared(&format!("/Extensions<<{adobe}>>"), "1.7");
    assert!(both.contains(adobe) && both.contains("/ESIC"), "{both}");
    let raised = declared("/Extensions<</ESIC<</BaseVersion/1.7/ExtensionLevel 1>>>>", "1.7");
    assert!(raised.contains("/ExtensionLevel 2") && !raised.contains("ExtensionLevel 1"));
    // Since PDF 2.0, a developer may have several extensions.
    const ONE: &str = "<</BaseVersion/1.7/ExtensionLevel 1>>";
    const TWO: &str = "<</BaseVersion/1.7/ExtensionLevel 2>>";
    let several = declared(&format!("/Extensions<</ESIC[{ONE}]>>"), "1.7");
    assert!(several.contains(&format!("/Extensions<</ESIC[{ONE} {TWO}]>>")), "{several}");
    let there = format!("/Extensions<</ESIC[{ONE}<</BaseVersion/1.7/ExtensionLevel 5>>]>>");
    assert!(declared(&there, "1.7").contains(&there));
    let list = format!("[{ONE}]");
    let apart = pdf(&["<</Pages 2 0 R/Extensions<</ESIC 4 0 R>>>>", ONE_PAGE, PAGE, &list]);
    let signed = sign(&apart, &SignatureOptions::new()).unwrap();
    assert_eq!(object(&signed, 4), format!("[{ONE} {TWO}]"));
    assert!(object(&signed, 1).contains("/ESIC 4 0 R"));
    let again = sign(&signed, &SignatureOptions::new()).unwrap();
    assert!(reports(&again).iter().all(|found| found.problems.is_empty()));
}
