//! Attacks that change a signed object and make the change look harmless: other paths to
//! the same object, arrays, containers.

use ades_tests::pdf::by_hand::{object, stream, updated, updated_with};
use pades::Certification;

use super::{
    BOTH, CATALOG, CONTENTS, FONT, MORE, PAGE, RESOURCES, assert_changed, assert_noticed,
    certified, contract, contract_of, evil, says, signed, text,
};

/// The document signed without certification and with each level.
fn signed_with_every_level(document: &[u8]) -> Vec<(Vec<u8>, String)> {
    let levels = [Certification::NoChanges, Certification::FormFilling, Certification::Annotations];
    let certified = levels.map(|level| (certified(document, level), format!("{level:?}")));
    [(signed(document), "uncertified".to_owned())].into_iter().chain(certified).collect()
}

/// A dictionary with an additional entry.
fn with(dictionary: &str, entry: &str) -> String {
    format!("{}{entry}>>", dictionary.strip_suffix(">>").unwrap())
}

/// The page's contents become metadata, validation data and other objects that may
/// change.
#[test]
fn a_new_path_to_an_object_does_not_replace_the_old_paths() {
    let evil = evil();
    for (signed, level) in signed_with_every_level(&contract(&[], "", "")) {
        let info = updated_with(&signed, &[(CONTENTS, &evil)], "/Info 4 0 R");
        assert_changed(&info, &format!("/Info, {level}"));
        let judged = level == "NoChanges";
        if judged {
            assert_noticed(&info, BOTH, "/Info");
        }
        for entry in ["/Metadata 4 0 R", "/DSS<</Certs[4 0 R]>>", "/Extensions 4 0 R"] {
            let catalog = with(&object(&signed, CATALOG), entry);
            let forged = updated(&signed, &[(CATALOG, &catalog), (CONTENTS, &evil)]);
            assert_changed(&forged, &format!("{entry}, {level}"));
            if judged {
                assert_noticed(&forged, BOTH, entry);
            }
        }
    }
}

/// The contents become a field's widget, value or appearance.
#[test]
fn contents_do_not_become_part_of_a_form() {
    let evil = evil();
    let field = "<</FT/Tx/T(amount)/V(100)/Type/Annot/Subtype/Widget/Rect[0 0 9 9]/P 3 0 R>>";
    let document = contract(&[field], "/Annots[6 0 R]", "/AcroForm<</Fields[6 0 R]>>");
    for (signed, level) in signed_with_every_level(&document) {
        for entry in ["/Kids[4 0 R]", "/AP<</N 4 0 R>>", "/RV 4 0 R"] {
            let field = with(&object(&signed, MORE), entry);
            let forged = updated(&signed, &[(MORE, &field), (CONTENTS, &evil)]);
            assert_changed(&forged, &format!("{entry}, {level}"));
            if level == "FormFilling" {
                assert_noticed(&forged, BOTH, entry);
            }
        }
        let form = "/AcroForm<</Fields[6 0 R 4 0 R]>>";
        let catalog = object(&signed, CATALOG);
        let start = catalog.find("/AcroForm").unwrap();
        let end = start + catalog[start..].find(">>").unwrap() + 2;
        let catalog = format!("{}{form}{}", &catalog[..start], &catalog[end..]);
        let forged = updated(&signed, &[(CATALOG, &catalog), (CONTENTS, &evil)]);
        assert!(!super::verify(&forged).is_valid(), "{level}");
    }
}

/// A field and the page show the same object.
#[test]
fn an_appearance_that_the_page_paints_too_may_not_change() {
    let looks = |amount: &str| {
        let entries = format!("/Type/XObject/Subtype/Form/BBox[0 0 300 200]{RESOURCES}");
        stream(&entries, &text(amount))
    };
    let field =
        "<</FT/Tx/T(t)/Type/Annot/Subtype/Widget/Rect[0 0 0 0]/F 2/P 3 0 R/AP<</N 6 0 R>>>>";
    // The name of a resource that is a mentioning key elsewhere.
    for name in ["X", "P", "Parent", "Obj"] {
        let page = format!(
            "/Resources<</Font<</F1 5 0 R>>/XObject<</{name} 6 0 R>>>>/Contents 8 0 R\
             /Annots[7 0 R]"
        );
        let painted = stream("", &format!("/{name} Do"));
        let document =
            contract_of(&page, &[&looks("100"), field, &painted], "/AcroForm<</Fields[7 0 R]>>");
        for (signed, level) in signed_with_every_level(&document) {
            let forged = updated(&signed, &[(MORE, &looks("999999"))]);
            assert_changed(&forged, &format!("{name}, {level}"));
            if name == "X" && level == "FormFilling" {
                assert_noticed(&forged, BOTH, name);
            }
        }
    }
}

/// The page also paints an annotation's appearance: annotations may change, but not the
/// page.
#[test]
fn an_annotation_that_the_page_paints_too_may_not_change() {
    let looks = |amount: &str| {
        let entries = format!("/Type/XObject/Subtype/Form/BBox[0 0 300 200]{RESOURCES}");
        stream(&entries, &text(amount))
    };
    let page = "/Resources<</Font<</F1 5 0 R>>/XObject<</X 6 0 R>>>>/Contents 8 0 R/Annots[7 0 R]";
    let note = "<</Type/Annot/Subtype/Stamp/Rect[0 0 0 0]/P 3 0 R/AP<</N 6 0 R>>>>";
    let document = contract_of(page, &[&looks("100"), note, &stream("", "/X Do")], "");
    let signed = certified(&document, Certification::Annotations);
    assert_changed(&updated(&signed, &[(MORE, &looks("999999"))]), "an annotation");
}

/// A font that is an annotation, too. The page's name for it is a key that only mentions
/// annotations elsewhere.
#[test]
fn an_annotation_that_is_a_font_may_not_change() {
    for name in ["F1", "P", "Parent", "Obj", "IRT", "Popup"] {
        let font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Rect[0 0 0 0]>>";
        let page =
            format!("/Resources<</Font<</Type/OBJR/{name} 6 0 R>>>>/Contents 7 0 R/Annots[6 0 R]");
        let contents = says("100").replace("/F1", &format!("/{name}"));
        let length = contents.split("stream").nth(1).unwrap().len() - "\n\nend".len();
        let contents = contents.replace("/Length 42", &format!("/Length {length}"));
        let signed =
            certified(&contract_of(&page, &[font, &contents], ""), Certification::Annotations);
        let evil = with(font, "/Encoding<</Differences[48/nine/nine]>>");
        assert_changed(&updated(&signed, &[(MORE, &evil)]), name);
    }
    // An annotation that the structure refers to may change.
    let note = "<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/StructParent 0>>";
    let tree = "<</Type/StructTreeRoot/K 8 0 R/ParentTree<</Nums[0 8 0 R]>>>>";
    let element = "<</S/Annot/P 7 0 R/K<</Type/OBJR/Obj 6 0 R/Pg 3 0 R>>>>";
    let page = format!("{RESOURCES}/Contents 4 0 R/Annots[6 0 R]");
    let tagged = contract_of(&page, &[note, tree, element], "/StructTreeRoot 7 0 R");
    let signed = certified(&tagged, Certification::Annotations);
    let noted = updated(&signed, &[(MORE, &with(note, "/Contents(note)"))]);
    assert!(super::verify(&noted).is_valid(), "{:?}", super::verify(&noted));
    assert_changed(&updated(&signed, &[(8, &with(element, "/Alt(other)"))]), "the structure");
}

/// An array is more than the set of its elements.
#[test]
fn arrays_keep_their_elements_and_their_order() {
    let two = says("and nothing else").replace("20 100 Td", "20 60 Td");
    let page = format!("{RESOURCES}/Contents 6 0 R");
    let contents = contract_of(&page, &["[4 0 R 7 0 R]", &two], "");
    let evil = stream("/Subtype/X/Rect[0 0 0 0]", &text("999999"));
    let pages = ades_tests::pdf::by_hand::of_objects(
        &[
            "<</Type/Catalog/Pages 2 0 R>>",
            "<</Type/Pages/Count 2/Kids 6 0 R>>",
            &format!("<</Type/Page/Parent 2 0 R/MediaBox 7 0 R{RESOURCES}/Contents 4 0 R>>"),
            &says("100"),
            FONT,
            "[3 0 R 8 0 R]",
            "[0 0 300 200]",
            &format!("<</Type/Page/Parent 2 0 R/MediaBox 7 0 R{RESOURCES}/Contents 9 0 R>>"),
            &says("200"),
        ],
        "",
    );
    let font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica\
                /Encoding<</Type/Encoding/Differences 6 0 R>>>>";
    let page = "/Resources<</Font<</F1 7 0 R>>>>/Contents 4 0 R";
    let digits = contract_of(page, &["[48 /zero/one]", font], "");
    for (document, change, noticed) in [
        (&contents, vec![(6, "[7 0 R]")], BOTH),
        (&contents, vec![(6, "[7 0 R 4 0 R]")], super::ONLY_PYHANKO),
        (&contents, vec![(6, "[90 0 R]"), (90, &evil)], BOTH),
        (&pages, vec![(6, "[8 0 R 3 0 R]")], BOTH),
        (&pages, vec![(6, "[3 0 R]")], super::ONLY_PYHANKO),
        (&pages, vec![(7, "[0 80 300 200]")], BOTH),
        (&digits, vec![(6, "[48 /nine/nine]")], BOTH),
    ] {
        let forged = updated(&signed(document), &change);
        assert_changed(&forged, change[0].1);
        assert_noticed(&forged, noticed, change[0].1);
    }
}

/// An object does not become harmless by having the type of a cross-reference stream or
/// an object stream.
#[test]
fn containers_are_only_what_the_cross_reference_uses() {
    let page = format!("{RESOURCES}/Contents 6 0 R");
    let typed = |amount: &str, kind: &str| stream(kind, &text(amount));
    for kind in ["/Type/XRef", "/Type/ObjStm/N 0/First 0"] {
        let document = contract_of(&page, &[&typed("100", kind)], "");
        let signed = certified(&document, Certification::NoChanges);
        let forged = updated(&signed, &[(MORE, &typed("999999", kind))]);
        assert_changed(&forged, kind);
        assert_noticed(&forged, BOTH, kind);
    }
}

const STREAMS_FONT: &str = "<</Font<</F1 5 0 R>>>> <</Type/Font/Subtype/Type1/BaseFont/Helvetica";

/// A document whose font is in an object stream, number 6, with this `/Length`.
fn with_object_stream(length: &str) -> Vec<u8> {
    let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Resources 8 0 R/Contents 4 0 R>>";
    let packed = packed(&format!("{STREAMS_FONT}>>"), length);
    let data = packed.1.to_string();
    let objects: [(u32, &str); 6] = [
        (1, "<</Type/Catalog/Pages 2 0 R>>"),
        (2, "<</Type/Pages/Count 1/Kids[3 0 R]>>"),
        (3, page),
        (4, &says("100")),
        (6, &packed.0),
        (9, &data),
    ];
    let entries = [(5, 6, 1), (8, 6, 0)];
    in_streams(b"%PDF-1.5\n", &objects, &entries, 7, 10, "")
}

/// An object stream of the resources and the font, and its length.
fn packed(body: &str, length: &str) -> (String, usize) {
    let data = format!("8 0 5 23 {body}");
    let length = if length.is_empty() { data.len().to_string() } else { length.to_owned() };
    let head = format!("<</Type/ObjStm/N 2/First 9/Length {length}>>");
    (format!("{head}\nstream\n{data}\nendstream"), data.len())
}

/// Appends objects and a cross-reference stream.
fn in_streams(
    before: &[u8],
    objects: &[(u32, &str)],
    packed: &[(u32, u32, u16)],
    number: u32,
    size: u32,
    trailer: &str,
) -> Vec<u8> {
    let mut out = before.to_vec();
    let mut entries: Vec<(u32, u8, u32, u16)> =
        packed.iter().map(|(number, stream, index)| (*number, 2, *stream, *index)).collect();
    for (number, object) in objects {
        entries.push((*number, 1, u32::try_from(out.len()).unwrap(), 0));
        out.extend_from_slice(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
    }
    let start = u32::try_from(out.len()).unwrap();
    entries.push((number, 1, start, 0));
    entries.sort_unstable();
    let index: String = entries.iter().map(|(number, ..)| format!("{number} 1 ")).collect();
    let mut data = Vec::new();
    for (_, kind, place, rest) in &entries {
        data.push(*kind);
        data.extend_from_slice(&place.to_be_bytes());
        data.extend_from_slice(&rest.to_be_bytes());
    }
    let head = format!(
        "{number} 0 obj\n<</Type/XRef/W[1 4 2]/Index[{index}]/Size {size}/Root 1 0 R{trailer}\
         /Length {}>>\nstream\n",
        data.len()
    );
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(&data);
    out.extend_from_slice(format!("\nendstream\nendobj\nstartxref\n{start}\n%%EOF\n").as_bytes());
    out
}

fn prev(document: &[u8]) -> String {
    let start = ades_tests::pdf::by_hand::last_between(document, "startxref\n", "\n");
    format!("/Prev {start}")
}

/// An object stream is replaced; the cross-reference entries of its objects are not.
#[test]
fn replacing_an_object_stream_replaces_its_objects() {
    let signed = signed(&with_object_stream(""));
    let font = "/Encoding<</Type/Encoding/Differences[48/nine/nine]>>>>";
    let (evil, _) = packed(&format!("{STREAMS_FONT}{font}"), "");
    let trailer = prev(&signed);
    let forged = in_streams(&signed, &[(6, &evil)], &[], 40, 41, &trailer);
    assert_changed(&forged, "an object stream");
    assert_noticed(&forged, BOTH, "an object stream");
    // The same objects at another offset: nobody can see a difference.
    let (same, _) = packed(&format!("{STREAMS_FONT}>>"), "");
    let same = in_streams(&signed, &[(6, &same)], &[], 40, 41, &trailer);
    assert!(super::verify(&same).is_valid());
}

/// The length of an object stream is an object that nothing else refers to.
#[test]
fn the_length_of_an_object_stream_must_not_change() {
    let signed = signed(&with_object_stream("9 0 R"));
    let trailer = prev(&signed);
    assert!(super::verify(&signed).is_valid());
    let forged = in_streams(&signed, &[(9, "30")], &[], 40, 41, &trailer);
    assert_changed(&forged, "its length");
}

/// A key is repeated: some readers use the first value, some the last.
#[test]
fn all_values_of_a_repeated_key_count() {
    let page = format!("{RESOURCES}/Contents 4 0 R/Contents 6 0 R");
    let signed = signed(&contract_of(&page, &[&says("100")], ""));
    for number in [CONTENTS, MORE] {
        assert_changed(&updated(&signed, &[(number, &evil())]), "its object");
    }
    let page = object(&signed, PAGE);
    let other = page.replacen("/Contents 4 0 R", "/Contents 90 0 R", 1);
    assert_changed(&updated(&signed, &[(PAGE, &other), (90, &evil())]), "the first");
    let twice = format!("/Annots[]{}", page.strip_prefix("<<").unwrap());
    assert_changed(&updated(&signed, &[(PAGE, &format!("<<{twice}"))]), "a new one");
}

/// Other readers may be able to read an object that we cannot read.
#[test]
fn unreadable_objects_are_not_ignored() {
    let resources = "<</Font<</F1 5 0 R>>/Odd bar/XObject<</X 7 0 R>>>>";
    let look = |amount: &str| {
        let entries = format!("/Type/XObject/Subtype/Form/BBox[0 0 300 200]{RESOURCES}");
        stream(&entries, &text(amount))
    };
    let page = "/Resources 6 0 R/Contents 8 0 R";
    let document = contract_of(page, &[resources, &look("100"), &stream("", "/X Do")], "");
    let once = signed(&document);
    let twice = signed(&once);
    assert!(super::verify(&twice).is_valid());
    assert_changed(&updated(&once, &[(7, &look("999999"))]), "behind what does not read");
    assert_changed(&updated(&twice, &[(7, &look("999999"))]), "twice signed");
}

/// A change is undone, but a signature between covers it.
#[test]
fn a_change_that_was_signed_and_undone_is_reported() {
    let first = signed(&contract(&[], "", ""));
    let evil = signed(&updated(&first, &[(CONTENTS, &evil())]));
    let undone = updated(&evil, &[(CONTENTS, &says("100"))]);
    for document in [&evil, &undone] {
        assert_changed(document, "the first signature");
    }
    let report = super::verify(&undone);
    assert!(
        report
            .signatures
            .iter()
            .all(|s| { s.problems.contains(&pades::report::Problem::ChangedLater) })
    );
}

/// A later hybrid section whose table and stream have different entries.
#[test]
fn a_later_hybrid_section_must_not_contradict_itself() {
    let signed = signed(&contract(&[], "", ""));
    let at = |mark: &[u8]| signed.windows(mark.len()).position(|w| w == mark).unwrap();
    let contents = at(b"4 0 obj");
    let mut out = signed.clone();
    let evil_at = u32::try_from(out.len()).unwrap();
    out.extend_from_slice(format!("4 0 obj\n{}\nendobj\n", evil()).as_bytes());
    let hybrid = out.len();
    let entry = [&[1][..], &evil_at.to_be_bytes(), &[0, 0]].concat();
    out.extend_from_slice(
        b"90 0 obj\n<</Type/XRef/W[1 4 2]/Index[4 1]/Size 91/Root 1 0 R/Length 7>>\nstream\n",
    );
    out.extend_from_slice(&entry);
    out.extend_from_slice(b"\nendstream\nendobj\n");
    for entry in [format!("{contents:010} 00000 n "), "0000000000 00001 f ".to_owned()] {
        let mut out = out.clone();
        let start = out.len();
        out.extend_from_slice(
            format!(
                "xref\n4 1\n{entry}\ntrailer\n<</Size 91/Root 1 0 R/XRefStm {hybrid}{}>>\n\
                 startxref\n{start}\n%%EOF\n",
                prev(&signed)
            )
            .as_bytes(),
        );
        assert_changed(&out, &entry);
    }
}

/// A page or a catalog is also a dictionary of names that the page paints, with keys that
/// may change elsewhere.
#[test]
fn a_page_or_catalog_that_is_a_dictionary_of_names_must_not_change() {
    let looks = |amount: &str| {
        let entries = format!("/Type/XObject/Subtype/Form/BBox[0 0 300 200]{RESOURCES}");
        stream(&entries, &text(amount))
    };
    let (good, bad) = (looks("100"), looks("999999"));
    // The page's resources, by every key that names them.
    for (page, catalog, name) in [
        ("/Resources<</XObject 3 0 R>>/ITXT 6 0 R", "", "ITXT"),
        ("/Resources<</XObject 8 0 R>>/ITXT 6 0 R", "", "ITXT"),
        ("/Resources<</XObject 1 0 R>>", "/Metadata 6 0 R", "Metadata"),
        ("/Resources<</XObject 1 0 R>>", "/DSS 6 0 R", "DSS"),
        ("/Resources<</XObject 1 0 R>>", "/Extensions 6 0 R", "Extensions"),
    ] {
        let painted = stream("", &format!("/{name} Do"));
        let page = format!("{page}/Contents 7 0 R");
        let document = contract_of(&page, &[&good, &painted, "3 0 R"], catalog);
        for (signed, level) in signed_with_every_level(&document) {
            let what = format!("{page}, {catalog}, {level}");
            assert!(super::verify(&signed).is_valid(), "{what}");
            assert_changed(&updated(&signed, &[(MORE, &bad)]), &what);
            for number in [PAGE, CATALOG] {
                let was = object(&signed, number);
                let mark = format!("/{name} 6 0 R");
                if was.contains(&mark) {
                    let other = was.replace(&mark, &format!("/{name} 90 0 R"));
                    assert_changed(&updated(&signed, &[(number, &other), (90, &bad)]), &what);
                }
            }
        }
    }
    // The names of colour spaces.
    let page = "/Tabs/DeviceGray/Resources<</ColorSpace 3 0 R>>/Contents 4 0 R";
    let signed = signed(&contract_of(page, &[], ""));
    let other = object(&signed, PAGE).replace("/DeviceGray", "/DeviceRGB");
    assert_changed(&updated(&signed, &[(PAGE, &other)]), "/Tabs");
}

/// An annotation paints with the entries of a page or a field.
#[test]
fn an_annotation_must_not_paint_objects_that_may_change_elsewhere() {
    let looks = |amount: &str| {
        let entries = format!("/Type/XObject/Subtype/Form/BBox[0 0 300 200]{RESOURCES}");
        stream(&entries, &text(amount))
    };
    for (named, name) in [("1 0 R", "Metadata"), ("9 0 R", "RV")] {
        let entries = format!("/Subtype/Form/BBox[0 0 300 200]/Resources<</XObject {named}>>");
        let appearance = stream(&entries, &format!("/{name} Do"));
        let stamp = "<</Type/Annot/Subtype/Stamp/Rect[0 0 300 200]/P 3 0 R/AP<</N 7 0 R>>>>";
        let field = "<</FT/Tx/T(t)/RV 6 0 R>>";
        let page = format!("{RESOURCES}/Contents 4 0 R/Annots[8 0 R]");
        let document = contract_of(
            &page,
            &[&looks("100"), &appearance, stamp, field],
            "/Metadata 6 0 R/AcroForm<</Fields[9 0 R]>>",
        );
        let signed = signed(&document);
        assert!(super::verify(&signed).is_valid(), "{name}");
        for number in [CATALOG, 9] {
            let was = object(&signed, number);
            let other = was.replace(&format!("/{name} 6 0 R"), &format!("/{name} 90 0 R"));
            if was == other {
                continue;
            }
            let forged = updated(&signed, &[(number, &other), (90, &looks("999999"))]);
            let report = super::verify(&forged);
            assert!(!report.is_valid(), "{name}: {report:?}");
        }
    }
}

/// Honest changes of pages and catalogs that other objects mention.
#[test]
fn pages_that_are_mentioned_may_change_like_other_pages() {
    let outlines = "<</Type/Outlines/First 7 0 R/Last 7 0 R/Count 1>>";
    let item = "<</Title(a)/Parent 6 0 R/A<</S/GoTo/D[3 0 R/Fit]>>>>";
    let entries = "/OpenAction[3 0 R/Fit]/Outlines 6 0 R/Names<</Dests<</Names[(a)[3 0 R/Fit]]>>\
                   /Pages<</Names[(b)3 0 R]>>>>";
    let page = format!("{RESOURCES}/Contents 4 0 R/Tabs/R/ITXT(5.5)/PieceInfo<</X<</P 3 0 R>>>>");
    let signed = signed(&contract_of(&page, &[outlines, item], entries));
    let page = object(&signed, PAGE).replace("/Tabs/R", "/Tabs/S").replace("(5.5)", "(7.1)");
    let page = if page == object(&signed, PAGE) { panic!("{page}") } else { page };
    let catalog = with(&object(&signed, CATALOG), "/Metadata 90 0 R/Version/1.7");
    let metadata = stream("/Type/Metadata/Subtype/XML", "<x/>");
    let update = [(PAGE, page.as_str()), (CATALOG, &catalog), (90, &metadata)];
    let report = super::verify(&updated(&signed, &update));
    assert!(report.is_valid() && report.signatures[0].changes.is_empty(), "{report:?}");
}
