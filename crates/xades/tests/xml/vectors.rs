//! The examples of the W3C recommendations and Apache Santuario's vectors.

use std::path::Path;

use xades::Error;
use xades::c14n::{Canonicalization, Pass, Select, Selection, Shown, Target};
use xades::xml::{Reader, StartElement};

use crate::{c14n, first, form};

fn fixture(name: &str) -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/c14n");
    std::fs::read(dir.join(name)).unwrap()
}

fn expect(name: &str, found: Result<String, Error>) {
    let expected = String::from_utf8(fixture(name)).unwrap();
    assert_eq!(found.unwrap(), expected, "{name}");
}

fn plain() -> Canonicalization {
    Canonicalization::C14N_1_0
}

#[test]
fn example_3_1_comments_and_instructions_outside_the_root() {
    let input = fixture("31_input.xml");
    for (name, method) in
        [("31_c14n.xml", plain()), ("31_c14n-comments.xml", plain().with_comments())]
    {
        let reader = Reader::from_slice(&input).unwrap().ignoring_external_subset();
        expect(name, form(reader, method, Selection::document()));
    }
    // Its DTD is elsewhere: unless told that this does not matter, we refuse.
    let refused = c14n(&input, plain(), Selection::document());
    assert!(matches!(refused, Err(Error::External { offset: 87, .. })), "{refused:?}");
}

#[test]
fn examples_3_2_to_3_6() {
    for (input, expected) in [
        ("32_input.xml", "32_c14n.xml"),
        ("33_input.xml", "33_c14n.xml"),
        ("34_input.xml", "34_c14n.xml"),
        ("34_input_validatingParser.xml", "34_c14n_validatingParser.xml"),
        ("36_input.xml", "36_c14n.xml"),
    ] {
        for method in [plain(), Canonicalization::C14N_1_1] {
            expect(expected, c14n(&fixture(input), method, Selection::document()));
        }
    }
}

#[test]
fn example_3_5_an_external_entity_is_never_fetched() {
    let input = String::from_utf8(fixture("35_input.xml")).unwrap();
    let refused = c14n(input.as_bytes(), plain(), Selection::document());
    let reference = input.find("&ent2;").unwrap() as u64;
    assert!(matches!(refused, Err(Error::External { offset, .. }) if offset == reference));
    // With the text in the document instead.
    let world = String::from_utf8(fixture("world.txt")).unwrap();
    let internal = input.replace("SYSTEM \"world.txt\"", &format!("\"{world}\""));
    expect("35_c14n.xml", c14n(internal.as_bytes(), plain(), Selection::document()));
}

/// The node-set of examples 3.7 and 3.8: the element e1 with its attributes
/// and namespaces, and the element with the ID E3 with all that is in it.
struct Example37;

impl Select for Example37 {
    fn element(&mut self, element: &StartElement<'_>, parent: Shown) -> Shown {
        if element.local_name() == b"e1" {
            Shown { element: true, content: false }
        } else if element.attributes().any(|id| id.dtd_id && id.value == b"E3") || parent.content {
            Shown::YES
        } else {
            Shown::NO
        }
    }
}

#[test]
fn examples_3_7_and_3_8_document_subsets() {
    for (input, expected, method) in [
        ("37_input.xml", "37_c14n.xml", Canonicalization::C14N_1_0),
        ("38_input.xml", "38_c14n.xml", Canonicalization::C14N_1_1),
    ] {
        let input = fixture(input);
        let mut out = String::new();
        let mut sink = |piece: &[u8]| {
            out.push_str(std::str::from_utf8(piece).unwrap());
            Ok(())
        };
        let mut pass = Pass::new(Reader::from_slice(&input).unwrap());
        pass.add_custom(method, Example37, &mut sink);
        pass.run().unwrap();
        expect(expected, Ok(out));
    }
}

#[test]
fn exclusive_examples() {
    let net = "http://example.net";
    let elem2 = || first(net, "elem2");
    let exclusive = || Canonicalization::EXCLUSIVE;
    for (input, expected, method, selection) in [
        ("example2_2_1.xml", "example2_2_1_c14nized.xml", plain(), elem2()),
        ("example2_2_2.xml", "example2_2_2_c14nized.xml", plain(), elem2()),
        ("example2_2_1.xml", "example2_2_c14nized_exclusive.xml", exclusive(), elem2()),
        ("example2_2_2.xml", "example2_2_c14nized_exclusive.xml", exclusive(), elem2()),
        ("example2_2_3.xml", "example2_2_3_c14nized_exclusive.xml", exclusive(), first("", "p")),
        ("example2_4.xml", "example2_4_c14nized.xml", exclusive(), elem2()),
        (
            "plain-soap-1.1.xml",
            "plain-soap-c14nized.xml",
            exclusive(),
            first("http://schemas.xmlsoap.org/soap/envelope/", "Body"),
        ),
        (
            "default_ns_redefinition_input.xml",
            "default_ns_redefinition_c14n.xml",
            exclusive(),
            Selection::element(Target::Id("envelopedData".into())),
        ),
    ] {
        expect(expected, c14n(&fixture(input), method, selection));
    }
}

#[test]
fn a_relative_namespace_name_is_refused() {
    let refused = c14n(&fixture("relative-ns-behaviour.xml"), plain(), Selection::document());
    assert!(matches!(refused, Err(Error::RelativeNamespace { offset: 75 })), "{refused:?}");
}

#[test]
fn what_has_no_expected_form_beside_it_is_its_own() {
    // Two more inputs: written out from the rules.
    let utf8 = c14n(&fixture("testTranslationFromUTF16toUTF8.xml"), plain(), Selection::document());
    expect("testTranslationFromUTF16toUTF8.xml", utf8);
    // The same in UTF-16.
    let text = String::from_utf8(fixture("testTranslationFromUTF16toUTF8.xml")).unwrap();
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    let utf16: Vec<u8> = units.flat_map(u16::to_be_bytes).collect();
    expect("testTranslationFromUTF16toUTF8.xml", c14n(&utf16, plain(), Selection::document()));
    let foo = c14n(&fixture("foo.xml"), plain(), Selection::document()).unwrap();
    let expected = "<?xml-stylesheet href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n\
                    <doc>Hello, world!</doc>\n<?pi-without-data?>";
    assert_eq!(foo, expected);
}

#[test]
fn the_dss_documents_canonicalise_to_a_fixed_point() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/xml");
    let mut count = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            let document = std::fs::read(&path).unwrap();
            for method in [plain(), Canonicalization::C14N_1_1, Canonicalization::EXCLUSIVE] {
                let once = c14n(&document, method.clone(), Selection::document()).unwrap();
                let twice = c14n(once.as_bytes(), method, Selection::document()).unwrap();
                assert_eq!(once, twice, "{}", path.display());
            }
            count += 1;
        }
    }
    assert_eq!(count, 15);
}
