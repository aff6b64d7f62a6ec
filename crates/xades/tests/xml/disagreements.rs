//! Cases in which libxml2 or Santuario writes another canonical form. `docs/c14n.md`
//! explains each with the clause of the specification. The numbers are those of its
//! tables.

use xades::c14n::{Canonicalization, Pass, Select, Selection, Shown, Target};
use xades::xml::{Reader, StartElement};

use crate::{by_id, c14n, whole};

/// 1. libxml2 does not escape namespace names.
#[test]
fn namespace_names_are_escaped() {
    assert_eq!(
        whole(b"<a xmlns='urn:a?b&amp;c&quot;'/>").unwrap(),
        "<a xmlns=\"urn:a?b&amp;c&quot;\"></a>"
    );
}

/// 2. libxml2 refuses namespace names that its grammar does not accept as URIs.
#[test]
fn namespace_names_may_contain_any_characters() {
    assert_eq!(
        whole("<a xmlns='http://é/ x'/>".as_bytes()).unwrap(),
        "<a xmlns=\"http://é/ x\"></a>"
    );
}

/// 3. libxml2 writes line feeds as before the root element, even after a root element
///    that is left out.
#[test]
fn line_feeds_depend_on_the_place_of_the_root_element() {
    let document = b"<!--1--><a Id='i'/><!--2-->";
    let method = Canonicalization::C14N_1_0.with_comments();
    let rest = Selection::document().without(Target::Id("i".into()));
    assert_eq!(c14n(document, method, rest).unwrap(), "<!--1-->\n\n<!--2-->");
}

/// 4. libxml2 turns a carriage return in an entity's text into a line feed.
#[test]
fn a_carriage_return_in_an_entity_stays() {
    let document = b"<!DOCTYPE a [<!ENTITY e 'x&#13;y'>]><a>&e;</a>";
    assert_eq!(whole(document).unwrap(), "<a>x&#xD;y</a>");
}

/// 5. libxml2 turns references to white space that come out of an entity into spaces.
#[test]
fn a_reference_inside_an_entity_in_an_attribute_stays() {
    let document = b"<!DOCTYPE a [<!ENTITY e 'x&#38;#13;y&#13;z'>]><a b='&e;'/>";
    assert_eq!(whole(document).unwrap(), "<a b=\"x&#xD;y z\"></a>");
}

/// 6. libxml2 refuses elements that come out of an entity if a default namespace is in
///    scope.
#[test]
fn names_in_an_entity_are_resolved_where_it_is_used() {
    let document =
        b"<!DOCTYPE a [<!ENTITY e '<b/>'>]><a xmlns='urn:a'>&e;<c xmlns='urn:c'>&e;</c></a>";
    assert_eq!(
        whole(document).unwrap(),
        "<a xmlns=\"urn:a\"><b></b><c xmlns=\"urn:c\"><b></b></c></a>"
    );
}

/// All nodes except the element `h`. Its content is included.
struct WithoutH;

impl Select for WithoutH {
    fn element(&mut self, element: &StartElement<'_>, _: Shown) -> Shown {
        if element.local_name() == b"h" { Shown::NO } else { Shown::YES }
    }
}

/// Not a disagreement, but easily misread: an element inherits from all ancestors in
/// 1.0, and from those outside the node-set in 1.1.
#[test]
fn the_ancestors_that_an_element_inherits_from() {
    let document = b"<a xml:lang='en' xml:base='x/'><h xml:space='default'><b/></h></a>";
    for (method, of_b) in [
        (Canonicalization::C14N_1_0, " xml:base=\"x/\" xml:lang=\"en\" xml:space=\"default\""),
        (Canonicalization::C14N_1_1, " xml:space=\"default\""),
    ] {
        let mut out = Vec::new();
        let mut sink = |piece: &[u8]| {
            out.extend_from_slice(piece);
            Ok(())
        };
        let mut pass = Pass::new(Reader::from_slice(document).unwrap());
        pass.add_custom(method, WithoutH, &mut sink);
        pass.run().unwrap();
        let expected = format!("<a xml:base=\"x/\" xml:lang=\"en\"><b{of_b}></b></a>");
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

/// 17 to 21. libxml2 joins bases differently.
#[test]
fn bases_are_joined_as_specified() {
    for (outer, inner, joined) in [
        ("http://h/a", "x#f", "http://h/x"),
        ("a/", "#f", "a/"),
        ("/a", "/b/.", "/b/"),
        ("http://h/a", "http://h/../x", "http://h/x"),
        ("a", "../..", "../../"),
        ("a/b/../../..", "x", "../x"),
        ("http://h/", "http://h//a", "http://h/a"),
        ("///x", "y", "///y"),
        ("a", "///x", "///x"),
        ("//h", "//", "//"),
        ("..?q", "a", "../a"),
        ("...", "a", "a"),
        ("http://h", "é/", "http://h/é/"),
    ] {
        let document = format!("<r xml:base='{outer}'><t Id='t' xml:base='{inner}'/></r>");
        let form = c14n(document.as_bytes(), Canonicalization::C14N_1_1, by_id("t")).unwrap();
        assert_eq!(form, format!("<t Id=\"t\" xml:base=\"{joined}\"></t>"));
    }
}

/// 22 to 25. Contradictory and missing declarations of the encoding, and undefined
/// octets, are refused. `]]` may come out of an entity.
#[test]
fn octets_must_be_in_the_declared_encoding() {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    for document in [
        b"\xEF\xBB\xBF<?xml version='1.0' encoding='iso-8859-1'?><a/>".as_slice(),
        &utf16("\u{FEFF}<?xml version='1.0' encoding='UTF-8'?><a/>"),
        &utf16("<a/>"),
        b"<?xml version='1.0' encoding='windows-1252'?><a>\x81</a>",
    ] {
        assert!(matches!(whole(document), Err(xades::Error::Encoding { .. })));
    }
    let document = b"<!DOCTYPE a [<!ENTITY e ']]'>]><a>&e;></a>";
    assert_eq!(whole(document).unwrap(), "<a>]]&gt;</a>");
}

/// 7 and 8. libxml2 leaves out the slash. Santuario inherits an attribute that is not
/// inheritable.
#[test]
fn joined_bases_end_with_a_slash_and_other_attributes_are_not_inherited() {
    let document = b"<a xml:base='b' xml:foo=''><c Id='i' xml:base='..'/></a>";
    let part = Selection::element(Target::Id("i".into()));
    let form = c14n(document, Canonicalization::C14N_1_1, part).unwrap();
    assert_eq!(form, "<c Id=\"i\" xml:base=\"../\"></c>");
}
