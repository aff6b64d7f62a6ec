//! Faults of other libraries, each with the library's name.

use xades::Error;
use xades::c14n::{Canonicalization, IdAttributes, Pass, Selection, Target};
use xades::xml::Reader;

use crate::{by_id, c14n, first, whole};

fn exclusive(document: &str, selection: Selection) -> String {
    c14n(document.as_bytes(), Canonicalization::EXCLUSIVE, selection).unwrap()
}

/// xml-sec: its exclusive form had a superfluous `xmlns=""`.
#[test]
fn no_superfluous_empty_default_namespace() {
    let document = "<p:a xmlns:p='urn:p'><b><p:c xmlns=''><d/></p:c></b></p:a>";
    let expected = "<p:a xmlns:p=\"urn:p\"><b><p:c><d></d></p:c></b></p:a>";
    assert_eq!(exclusive(document, Selection::document()), expected);
    assert_eq!(whole(document.as_bytes()).unwrap(), expected);
    assert_eq!(
        exclusive("<a xmlns='urn:a'><b xmlns='' Id='i'/></a>", by_id("i")),
        "<b Id=\"i\"></b>"
    );
    // After a default namespace has been written, it is necessary.
    let needed = "<a xmlns='urn:a'><p:b xmlns:p='urn:p' xmlns=''><c/></p:b></a>";
    assert_eq!(
        exclusive(needed, Selection::document()),
        "<a xmlns=\"urn:a\"><p:b xmlns:p=\"urn:p\"><c xmlns=\"\"></c></p:b></a>"
    );
}

/// xdoc-rs: refused `xmlns=""`.
#[test]
fn the_default_namespace_can_be_undeclared() {
    let document = "<a xmlns='urn:a'><b xmlns=''/></a>";
    assert_eq!(whole(document.as_bytes()).unwrap(), "<a xmlns=\"urn:a\"><b xmlns=\"\"></b></a>");
}

/// bergshamra: ignored default attributes and types of a DTD, and dropped content that
/// came from an entity.
#[test]
fn a_dtd_changes_the_content() {
    let document = "<!DOCTYPE a [<!ATTLIST a b CDATA 'default' c NMTOKENS #IMPLIED>\
        <!ENTITY e 'content'>]><a c='  1   2 '>&e;</a>";
    assert_eq!(whole(document.as_bytes()).unwrap(), "<a b=\"default\" c=\"1 2\">content</a>");
}

/// xdoc-rs: dropped comments and instructions around the root element.
#[test]
fn comments_and_instructions_around_the_root_element() {
    let document = "<?xml version='1.0'?>\n<!-- 1 -->\n<?p  q ?><a/>\n<!-- 2 --><?r?>\n";
    assert_eq!(
        whole(document.as_bytes()).unwrap(),
        "<!-- 1 -->\n<?p q ?>\n<a></a>\n<!-- 2 -->\n<?r?>"
    );
    let without = c14n(document.as_bytes(), Canonicalization::C14N_1_0, Selection::document());
    assert_eq!(without.unwrap(), "<?p q ?>\n<a></a>\n<?r?>");
}

/// xdoc-rs: wrote CR, LF and TAB without escaping.
#[test]
fn control_characters_are_written_as_references() {
    let document = "<a b='&#13;&#10;&#9;'>&#13;<![CDATA[<&>]]></a>";
    assert_eq!(
        whole(document.as_bytes()).unwrap(),
        "<a b=\"&#xD;&#xA;&#x9;\">&#xD;&lt;&amp;&gt;</a>"
    );
}

/// bergshamra: turned a line end in an attribute into `&#xD;&#xA;`.
#[test]
fn a_line_end_in_an_attribute_is_one_space() {
    assert_eq!(whole(b"<a b='1\r\n2\r3\n4\t5'>\r\n\r</a>").unwrap(), "<a b=\"1 2 3 4 5\">\n\n</a>");
}

/// bergshamra, xml-sec, xdoc-rs: did not support UTF-16 and ISO-8859-1. xml-sec: did not
/// support a byte order mark.
#[test]
fn encodings_and_byte_order_marks() {
    assert_eq!(whole(b"\xEF\xBB\xBF<a/>").unwrap(), "<a></a>");
    assert_eq!(whole(b"\xFE\xFF\0<\0a\0/\0>").unwrap(), "<a></a>");
    assert_eq!(
        whole(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>").unwrap(),
        "<a>é</a>"
    );
}

/// xdoc-rs: read XML 1.1 and wrote a file that no parser accepts.
#[test]
fn xml_1_1_is_refused() {
    let refused = whole(b"<?xml version='1.1'?><a>&#1;</a>");
    assert!(matches!(refused, Err(Error::Unsupported { what: "XML 1.1", .. })));
}

/// bergshamra: reported `xml:id` and `Id` on one element as duplicates.
#[test]
fn two_id_attributes_on_one_element() {
    let document = "<a><b xml:id='i' Id='i'/></a>";
    assert_eq!(exclusive(document, by_id("i")), "<b Id=\"i\" xml:id=\"i\"></b>");
    let twice = "<a><b xml:id='i'/><c Id='i'/></a>";
    let refused = c14n(twice.as_bytes(), Canonicalization::EXCLUSIVE, by_id("i"));
    assert!(matches!(refused, Err(Error::DuplicateId { first: 3, second: 18 })));
}

/// xdoc-rs: declared Exclusive Canonicalization and the forms with comments, and
/// implemented neither.
#[test]
fn all_six_algorithms_are_implemented() {
    let document = b"<a xmlns:unused='urn:u'><!-- c --></a>";
    for (method, expected) in [
        (Canonicalization::C14N_1_0, "<a xmlns:unused=\"urn:u\"></a>"),
        (Canonicalization::C14N_1_1, "<a xmlns:unused=\"urn:u\"></a>"),
        (Canonicalization::EXCLUSIVE, "<a></a>"),
    ] {
        let form = c14n(document, method.clone(), Selection::document()).unwrap();
        assert_eq!(form, expected);
        let form = c14n(document, method.with_comments(), Selection::document()).unwrap();
        assert_eq!(form, expected.replace("</a>", "<!-- c --></a>"));
    }
}

/// lxml and libraries on top of it: element canonicalisation loses the `xml:` attributes
/// of ancestors. The expected values are those of xmlsec1.
#[test]
fn a_part_inherits_xml_attributes() {
    let document = "<r xml:base='http://h/a/' xml:id='r1' xml:foo='bar' xml:lang='en' \
        xml:space='preserve'><m xml:base='b/'><t Id='t' xml:base='c/'/></m></r>";
    let form = |document: &str, method| c14n(document.as_bytes(), method, by_id("t")).unwrap();
    let rest = "xml:lang=\"en\" xml:space=\"preserve\"></t>";
    assert_eq!(
        form(document, Canonicalization::C14N_1_0),
        format!("<t Id=\"t\" xml:base=\"c/\" xml:foo=\"bar\" xml:id=\"r1\" {rest}")
    );
    assert_eq!(
        form(document, Canonicalization::C14N_1_1),
        format!("<t Id=\"t\" xml:base=\"http://h/a/b/c/\" {rest}")
    );
    assert_eq!(form(document, Canonicalization::EXCLUSIVE), "<t Id=\"t\" xml:base=\"c/\"></t>");
    let none = document.replace(" xml:base='c/'", "");
    let base = |form: String| {
        form.split_once("xml:base=\"").unwrap().1.split('"').next().unwrap().to_owned()
    };
    assert_eq!(base(form(&none, Canonicalization::C14N_1_0)), "b/");
    assert_eq!(base(form(&none, Canonicalization::C14N_1_1)), "http://h/a/b/");
    let up = "<r xml:base='http://h/a/b'><m xml:base='../c/'><t Id='t' xml:base=''/></m></r>";
    assert_eq!(form(up, Canonicalization::C14N_1_0), "<t Id=\"t\" xml:base=\"\"></t>");
    assert_eq!(form(up, Canonicalization::C14N_1_1), "<t Id=\"t\" xml:base=\"http://h/c/\"></t>");
}

/// Libraries that use fixed Ids or `//ds:Signature` confuse parallel signatures. Here the
/// caller says which signature is left out, and the others stay.
#[test]
fn parallel_signatures_are_distinguished() {
    let ds = "xmlns='http://www.w3.org/2000/09/xmldsig#'";
    let document = format!("<a>1<Signature {ds}>x</Signature>2<Signature {ds}>y</Signature>3</a>");
    let second = document.rfind("<Signature").unwrap() as u64;
    let form = |target| exclusive(&document, Selection::document().without(target));
    let kept = |which: &str| {
        format!("<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\">{which}</Signature>")
    };
    assert_eq!(form(Target::first_signature()), format!("<a>12{}3</a>", kept("y")));
    assert_eq!(form(Target::At(second)), format!("<a>1{}23</a>", kept("x")));
    assert_eq!(form(Target::all_signatures()), "<a>123</a>");
    let none = Selection::document().without(Target::At(1));
    let refused = c14n(document.as_bytes(), Canonicalization::EXCLUSIVE, none);
    assert!(matches!(refused, Err(Error::NoSuchElement { .. })));
}

/// signxml: the caller decides what an Id is, not the document.
#[test]
fn a_dtd_declares_ids_only_if_the_caller_allows_it() {
    let document = b"<!DOCTYPE a [<!ATTLIST b key ID #IMPLIED>]><a><b key='i'/></a>";
    let refused = c14n(document, Canonicalization::EXCLUSIVE, by_id("i"));
    assert!(matches!(refused, Err(Error::NoSuchElement { .. })));
    let allowed = by_id("i").with_ids(IdAttributes::default().and_dtd());
    let form = c14n(document, Canonicalization::EXCLUSIVE, allowed).unwrap();
    assert_eq!(form, "<b key=\"i\"></b>");
}

/// The exclusive form does not see QNames in content. The prefix list adds their
/// namespaces.
#[test]
fn the_prefix_list_adds_namespaces() {
    let document = "<a xmlns='urn:d' xmlns:x='urn:x' xmlns:y='urn:y'><b Id='i' t='x:T'><c/>\
        <x:d xmlns:y='urn:y2'/></b></a>";
    let form = |list: &str| {
        let method = Canonicalization::EXCLUSIVE.with_prefix_list(list);
        c14n(document.as_bytes(), method, by_id("i")).unwrap()
    };
    assert_eq!(
        form(""),
        "<b xmlns=\"urn:d\" Id=\"i\" t=\"x:T\"><c></c><x:d xmlns:x=\"urn:x\"></x:d></b>"
    );
    assert_eq!(
        form("x\n y unknown"),
        "<b xmlns=\"urn:d\" xmlns:x=\"urn:x\" xmlns:y=\"urn:y\" Id=\"i\" t=\"x:T\"><c></c>\
         <x:d xmlns:y=\"urn:y2\"></x:d></b>"
    );
    let prefixed = "<a xmlns='urn:d'><p:b xmlns:p='urn:p' Id='i'/></a>";
    let method = Canonicalization::EXCLUSIVE.with_prefix_list("#default");
    assert_eq!(
        c14n(prefixed.as_bytes(), method, by_id("i")).unwrap(),
        "<p:b xmlns=\"urn:d\" xmlns:p=\"urn:p\" Id=\"i\"></p:b>"
    );
}

/// Attributes sort by namespace name, not by prefix, and by code point, not by
/// UTF-16 unit.
#[test]
fn attributes_sort_by_namespace_and_code_point() {
    let document =
        "<a xmlns:z='urn:1' xmlns:y='urn:2' y:b='' z:b='' c='' xml:d='' \u{10000}='' \u{F900}=''/>";
    assert_eq!(
        whole(document.as_bytes()).unwrap(),
        "<a xmlns:y=\"urn:2\" xmlns:z=\"urn:1\" c=\"\" \u{F900}=\"\" \u{10000}=\"\" xml:d=\"\" z:b=\"\" y:b=\"\"></a>"
    );
}

/// One reading serves all references of a signature.
#[test]
fn several_forms_in_one_pass() {
    let document = b"<a><b Id='1'>x</b><b Id='2'>y</b></a>";
    let mut forms = vec![Vec::new(); 3];
    let mut sinks: Vec<_> = forms
        .iter_mut()
        .map(|form| {
            |piece: &[u8]| {
                form.extend_from_slice(piece);
                Ok(())
            }
        })
        .collect();
    let mut pass = Pass::new(Reader::from_slice(document).unwrap());
    let selections = [by_id("2"), first("", "a").without(Target::Id("1".into())), by_id("1")];
    for (selection, sink) in selections.into_iter().zip(&mut sinks) {
        pass.add(Canonicalization::EXCLUSIVE, selection, sink);
    }
    let covered = pass.run().unwrap();
    drop(sinks);
    assert_eq!(forms[0], b"<b Id=\"2\">y</b>");
    assert_eq!(forms[1], b"<a><b Id=\"2\">y</b></a>");
    assert_eq!(forms[2], b"<b Id=\"1\">x</b>");
    assert_eq!(covered[1].selected[0].whole(), 0..37);
    assert_eq!(covered[1].left_out[0].whole(), 3..18);
}
