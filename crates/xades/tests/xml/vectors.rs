//! Our own vectors, for each clause; the examples of the W3C recommendations and
//! Apache Santuario's vectors, where the corpora are.

use std::collections::HashMap;

use test_documents::c14n::{Algorithm, Part, REFUSED, Refusal, Vector, vectors};
use test_documents::corpora;
use test_documents::xml::documents;
use xades::Error;
use xades::c14n::{Canonicalization, Pass, Select, Selection, Shown, Target};
use xades::xml::{Reader, StartElement};

use crate::{c14n, first, form};

/// The first elements of these names, without their content.
struct Elements(&'static [&'static str]);

impl Select for Elements {
    fn element(&mut self, element: &StartElement<'_>, _: Shown) -> Shown {
        let is_one = self.0.iter().any(|name| name.as_bytes() == element.local_name());
        Shown { element: is_one, content: false }
    }
}

/// Our form of the part of a document that a vector is about.
fn form_of(vector: &Vector, algorithm: Algorithm) -> Result<String, Error> {
    let method = match algorithm {
        Algorithm::C14n10 => Canonicalization::C14N_1_0,
        Algorithm::C14n11 => Canonicalization::C14N_1_1,
        Algorithm::Exclusive => Canonicalization::EXCLUSIVE.with_prefix_list(vector.prefixes),
    };
    let method = if vector.comments { method.with_comments() } else { method };
    match vector.part {
        Part::Whole => c14n(&vector.input, method, Selection::document()),
        Part::Element(name) => {
            // Only one namespace has an element of this name.
            let mut forms = ["", "urn:w", "urn:p"]
                .into_iter()
                .map(|namespace| c14n(&vector.input, method.clone(), first(namespace, name)));
            forms.find(Result::is_ok).unwrap_or_else(|| panic!("no element {name}"))
        }
        Part::Elements(names) => {
            let mut out = Vec::new();
            let mut sink = |piece: &[u8]| {
                out.extend_from_slice(piece);
                Ok(())
            };
            let mut pass = Pass::new(Reader::from_slice(&vector.input)?);
            pass.add_custom(method, Elements(names), &mut sink);
            pass.run()?;
            Ok(String::from_utf8(out).unwrap())
        }
    }
}

#[test]
fn each_clause_has_a_vector_and_ours_is_its_form() {
    for vector in vectors() {
        for &algorithm in vector.algorithms {
            let form = form_of(&vector, algorithm);
            assert_eq!(form.unwrap(), vector.form, "{}, {algorithm:?}", vector.name);
        }
    }
}

#[test]
fn documents_without_a_canonical_form_are_refused() {
    for (document, refusal, at) in REFUSED {
        let expected = document.find(at).unwrap() as u64;
        let error = c14n(document.as_bytes(), plain(), Selection::document()).unwrap_err();
        match (refusal, &error) {
            (Refusal::External, Error::External { offset, .. })
            | (Refusal::RelativeNamespace, Error::RelativeNamespace { offset }) => {
                assert_eq!(*offset, expected, "{document}: {error}");
            }
            other => panic!("{document}: {other:?}"),
        }
    }
}

/// A form is its own canonical form.
fn assert_fixed_points(name: &str, document: &[u8]) {
    for method in [plain(), Canonicalization::C14N_1_1, Canonicalization::EXCLUSIVE] {
        let once = c14n(document, method.clone(), Selection::document()).unwrap();
        let twice = c14n(once.as_bytes(), method, Selection::document()).unwrap();
        assert_eq!(once, twice, "{name}");
    }
}

#[test]
fn documents_of_each_kind_canonicalise_to_a_fixed_point() {
    for document in documents() {
        assert_fixed_points(document.name, &document.octets);
    }
}

/// The vectors of others, by name.
struct Others(HashMap<&'static str, Vec<u8>>);

impl Others {
    #[track_caller]
    fn find() -> Option<Self> {
        let files = corpora::files("c14n")?;
        Some(Self(files.into_iter().map(|file| (file.name, file.read())).collect()))
    }

    fn get(&self, name: &str) -> &[u8] {
        &self.0[name]
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.get(name).to_vec()).unwrap()
    }

    fn expect(&self, name: &str, found: Result<String, Error>) {
        assert_eq!(found.unwrap(), self.text(name), "{name}");
    }
}

fn plain() -> Canonicalization {
    Canonicalization::C14N_1_0
}

#[test]
fn example_3_1_comments_and_instructions_outside_the_root() {
    let Some(others) = Others::find() else { return };
    let input = others.get("31_input.xml");
    for (name, method) in
        [("31_c14n.xml", plain()), ("31_c14n-comments.xml", plain().with_comments())]
    {
        let reader = Reader::from_slice(input).unwrap().ignoring_external_subset();
        others.expect(name, form(reader, method, Selection::document()));
    }
    // Its DTD is elsewhere: unless told that this does not matter, we refuse.
    let refused = c14n(input, plain(), Selection::document());
    assert!(matches!(refused, Err(Error::External { offset: 87, .. })), "{refused:?}");
}

#[test]
fn examples_3_2_to_3_6() {
    let Some(others) = Others::find() else { return };
    for (input, expected) in [
        ("32_input.xml", "32_c14n.xml"),
        ("33_input.xml", "33_c14n.xml"),
        ("34_input.xml", "34_c14n.xml"),
        ("34_input_validatingParser.xml", "34_c14n_validatingParser.xml"),
        ("36_input.xml", "36_c14n.xml"),
    ] {
        for method in [plain(), Canonicalization::C14N_1_1] {
            others.expect(expected, c14n(others.get(input), method, Selection::document()));
        }
    }
}

#[test]
fn example_3_5_an_external_entity_is_never_fetched() {
    let Some(others) = Others::find() else { return };
    let input = others.text("35_input.xml");
    let refused = c14n(input.as_bytes(), plain(), Selection::document());
    let reference = input.find("&ent2;").unwrap() as u64;
    assert!(matches!(refused, Err(Error::External { offset, .. }) if offset == reference));
    // With the text in the document instead.
    let world = others.text("world.txt");
    let internal = input.replace("SYSTEM \"world.txt\"", &format!("\"{world}\""));
    others.expect("35_c14n.xml", c14n(internal.as_bytes(), plain(), Selection::document()));
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
    let Some(others) = Others::find() else { return };
    for (input, expected, method) in [
        ("37_input.xml", "37_c14n.xml", Canonicalization::C14N_1_0),
        ("38_input.xml", "38_c14n.xml", Canonicalization::C14N_1_1),
    ] {
        let input = others.get(input);
        let mut out = String::new();
        let mut sink = |piece: &[u8]| {
            out.push_str(std::str::from_utf8(piece).unwrap());
            Ok(())
        };
        let mut pass = Pass::new(Reader::from_slice(input).unwrap());
        pass.add_custom(method, Example37, &mut sink);
        pass.run().unwrap();
        others.expect(expected, Ok(out));
    }
}

#[test]
fn exclusive_examples() {
    let Some(others) = Others::find() else { return };
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
        others.expect(expected, c14n(others.get(input), method, selection));
    }
}

#[test]
fn a_relative_namespace_name_is_refused() {
    let Some(others) = Others::find() else { return };
    let refused = c14n(others.get("relative-ns-behaviour.xml"), plain(), Selection::document());
    assert!(matches!(refused, Err(Error::RelativeNamespace { offset: 75 })), "{refused:?}");
}

#[test]
fn inputs_without_an_expected_form_have_the_one_of_the_rules() {
    let Some(others) = Others::find() else { return };
    // Two more inputs: written out from the rules.
    let utf8 =
        c14n(others.get("testTranslationFromUTF16toUTF8.xml"), plain(), Selection::document());
    others.expect("testTranslationFromUTF16toUTF8.xml", utf8);
    // The same in UTF-16.
    let text = others.text("testTranslationFromUTF16toUTF8.xml");
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    let utf16: Vec<u8> = units.flat_map(u16::to_be_bytes).collect();
    others
        .expect("testTranslationFromUTF16toUTF8.xml", c14n(&utf16, plain(), Selection::document()));
    let foo = c14n(others.get("foo.xml"), plain(), Selection::document()).unwrap();
    let expected = "<?xml-stylesheet href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n\
                    <doc>Hello, world!</doc>\n<?pi-without-data?>";
    assert_eq!(foo, expected);
}

#[test]
fn documents_of_others_canonicalise_to_a_fixed_point() {
    for file in corpora::files("xml").unwrap_or_default() {
        assert_fixed_points(file.name, &file.read());
    }
}
