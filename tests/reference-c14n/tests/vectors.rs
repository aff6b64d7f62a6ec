//! The reference against our own vectors and, where the corpora are, against the
//! examples of the recommendations. `c14n_differential` compares it with libxml2 and
//! Santuario.

use std::collections::HashMap;

use reference_c14n::{
    Algorithm, Kind, Method, Node, NodeSet, Refused, Tree, canonicalize, join, parse,
    without_dot_segments,
};
use test_documents::c14n::{self, Part, REFUSED, vectors};
use test_documents::corpora;

use Algorithm::{Exclusive10, Inclusive10, Inclusive11};

/// The vectors of others, by name.
#[track_caller]
fn others() -> Option<HashMap<&'static str, String>> {
    let files = corpora::files("c14n")?.into_iter();
    Some(
        files.map(|file| (file.name, String::from_utf8_lossy(&file.read()).into_owned())).collect(),
    )
}

fn method(algorithm: Algorithm) -> Method {
    Method { algorithm, with_comments: false, inclusive_prefixes: Vec::new() }
}

fn whole(document: &str, algorithm: Algorithm) -> Result<String, Refused> {
    let tree = parse(document.as_bytes())?;
    canonicalize(&tree, &NodeSet::all(&tree), &method(algorithm))
}

/// The first element of this name.
fn named(tree: &Tree, local: &str) -> Node {
    let is = |node: &Node| matches!(tree.kind(*node), Kind::Element(name) if name.local == local);
    tree.nodes().find(is).unwrap()
}

#[test]
fn each_clause_has_a_vector_and_the_reference_gives_its_form() {
    for vector in vectors() {
        let tree = parse(&vector.input).unwrap();
        let is_element = |node: Node, names: &[&str]| matches!(tree.kind(node), Kind::Element(name) if names.contains(&name.local.as_str()));
        let nodes = match vector.part {
            Part::Whole => NodeSet::all(&tree),
            Part::Element(name) => NodeSet::subtree(&tree, named(&tree, name)),
            Part::Elements(names) => NodeSet::of(&tree, |node| match tree.kind(node) {
                Kind::Attribute(..) | Kind::Namespace(..) => {
                    tree.parent(node).is_some_and(|above| is_element(above, names))
                }
                _ => is_element(node, names),
            }),
        };
        for algorithm in vector.algorithms {
            let method = Method {
                algorithm: match algorithm {
                    c14n::Algorithm::C14n10 => Inclusive10,
                    c14n::Algorithm::C14n11 => Inclusive11,
                    c14n::Algorithm::Exclusive => Exclusive10,
                },
                with_comments: vector.comments,
                inclusive_prefixes: vector
                    .prefixes
                    .split_whitespace()
                    .map(|prefix| if prefix == "#default" { "" } else { prefix }.to_owned())
                    .collect(),
            };
            let form = canonicalize(&tree, &nodes, &method).unwrap();
            assert_eq!(form, vector.form, "{}, {algorithm:?}", vector.name);
        }
    }
    for (document, ..) in REFUSED {
        assert!(whole(document, Inclusive10).is_err(), "{document}");
    }
}

#[test]
fn canonical_xml_examples_3_1_to_3_6() {
    let Some(others) = others() else { return };
    // What is elsewhere is not read: without the DTD, and with the entity's text.
    let without_dtd = others["31_input.xml"].replace("<!DOCTYPE doc SYSTEM \"doc.dtd\">", "");
    let world = others["35_input.xml"]
        .replace("SYSTEM \"world.txt\"", &format!("\"{}\"", others["world.txt"]));
    for (input, expected) in [
        (&without_dtd, "31_c14n.xml"),
        (&others["32_input.xml"], "32_c14n.xml"),
        (&others["33_input.xml"], "33_c14n.xml"),
        (&others["34_input.xml"], "34_c14n.xml"),
        (&others["34_input_validatingParser.xml"], "34_c14n_validatingParser.xml"),
        (&world, "35_c14n.xml"),
        (&others["36_input.xml"], "36_c14n.xml"),
    ] {
        for algorithm in [Inclusive10, Inclusive11] {
            assert_eq!(whole(input, algorithm).unwrap(), others[expected], "{expected}");
        }
    }
    let tree = parse(without_dtd.as_bytes()).unwrap();
    let with_comments = Method { with_comments: true, ..method(Inclusive10) };
    let form = canonicalize(&tree, &NodeSet::all(&tree), &with_comments).unwrap();
    assert_eq!(form, others["31_c14n-comments.xml"]);
    for input in ["31_input.xml", "35_input.xml", "relative-ns-behaviour.xml"] {
        assert!(whole(&others[input], Inclusive10).is_err(), "{input}");
    }
}

/// `37_subset.xpath`: e1 with all that is directly in it but text and e2, and
/// whatever is in the element with the Id E3.
#[test]
fn canonical_xml_examples_3_7_and_3_8() {
    let Some(others) = others() else { return };
    for (input, expected, algorithm) in
        [("37_input.xml", "37_c14n.xml", Inclusive10), ("38_input.xml", "38_c14n.xml", Inclusive11)]
    {
        let tree = parse(others[input].as_bytes()).unwrap();
        let (e1, e2, e3) = (named(&tree, "e1"), named(&tree, "e2"), named(&tree, "e3"));
        let nodes = NodeSet::of(&tree, |node| {
            let is_text = matches!(tree.kind(node), Kind::Text(_));
            node == e1
                || tree.parent(node) == Some(e1) && !is_text && node != e2
                || tree.ancestors_or_self(node).any(|above| above == e3)
        });
        let form = canonicalize(&tree, &nodes, &method(algorithm)).unwrap();
        assert_eq!(form, others[expected], "{expected}");
    }
}

#[test]
fn exclusive_examples() {
    let Some(others) = others() else { return };
    for (input, expected, algorithm, apex) in [
        ("example2_2_1.xml", "example2_2_1_c14nized.xml", Inclusive10, "elem2"),
        ("example2_2_2.xml", "example2_2_2_c14nized.xml", Inclusive10, "elem2"),
        ("example2_2_1.xml", "example2_2_c14nized_exclusive.xml", Exclusive10, "elem2"),
        ("example2_2_2.xml", "example2_2_c14nized_exclusive.xml", Exclusive10, "elem2"),
        ("example2_2_3.xml", "example2_2_3_c14nized_exclusive.xml", Exclusive10, "p"),
        ("example2_4.xml", "example2_4_c14nized.xml", Exclusive10, "elem2"),
        ("plain-soap-1.1.xml", "plain-soap-c14nized.xml", Exclusive10, "Body"),
    ] {
        let tree = parse(others[input].as_bytes()).unwrap();
        let nodes = NodeSet::subtree(&tree, named(&tree, apex));
        let form = canonicalize(&tree, &nodes, &method(algorithm)).unwrap();
        assert_eq!(form, others[expected], "{expected}");
    }
}

/// Canonical XML 1.1, appendix A.
#[test]
fn dot_segments() {
    for (path, expected) in [
        ("no/.././/pseudo-netpath/seg/file.ext", "pseudo-netpath/seg/file.ext"),
        ("no/..//.///pseudo-netpath/seg/file.ext", "pseudo-netpath/seg/file.ext"),
        ("yes/no//..//.///pseudo-netpath/seg/file.ext", "yes/pseudo-netpath/seg/file.ext"),
        ("no/../yes", "yes"),
        ("no/../yes/", "yes/"),
        ("no/../yes/no/..", "yes/"),
        ("../../no/../..", "../../../"),
        ("no/../..", "../"),
        ("no/..", ""),
        ("no/../", ""),
        ("/a/b/c/./../../g", "/a/g"),
        ("mid/content=5/../6", "mid/6"),
        ("../../..", "../../../"),
        ("no/../../", "../"),
        ("..yes/..no/..no/..no/../../../..yes", "..yes/..yes"),
        ("..yes/..no/..no/..no/../../../..yes/", "..yes/..yes/"),
        ("../..", "../../"),
        ("../../../", "../../../"),
        (".", ""),
        ("./", ""),
        ("./.", ""),
        ("../../no/..", "../../"),
        ("../../no/../", "../../"),
        ("yes/no/../", "yes/"),
        ("yes/no/no/../..", "yes/"),
        ("yes/no/no/no/../../..", "yes/"),
        ("yes/no/../yes/no/no/../..", "yes/yes/"),
        ("yes/no/no/no/../../../yes", "yes/yes"),
        ("yes/no/no/no/../../../yes/", "yes/yes/"),
        ("/no/../", "/"),
        ("/yes/no/../", "/yes/"),
        ("/yes/no/no/../..", "/yes/"),
        ("../../..no/..", "../../"),
        ("..yes/..no/../", "..yes/"),
        ("..yes/..no/..no/../..", "..yes/"),
        ("/..no/../", "/"),
        ("/..yes/..no/../", "/..yes/"),
        ("/..yes/..no/..no/../..", "/..yes/"),
        ("/", "/"),
        ("/.", "/"),
        ("/./", "/"),
        ("/./.", "/"),
        ("/././", "/"),
        ("/..", "/"),
        ("/../..", "/"),
        ("/../../..", "/"),
        ("/../../..", "/"),
        ("//..", "/"),
        ("//../..", "/"),
        ("//../../..", "/"),
        ("/./..", "/"),
        ("/./.././..", "/"),
        ("/./.././.././..", "/"),
        ("..", "../"),
        ("../", "../"),
    ] {
        assert_eq!(without_dot_segments(path), expected, "{path}");
    }
}

/// RFC 3986, clause 5.4, and the examples of Canonical XML 1.1, clause 2.4.
#[test]
fn joined_references() {
    const BASE: &str = "http://a/b/c/d;p?q";
    for (base, reference, expected) in [
        (BASE, "g:h", "g:h"),
        (BASE, "g", "http://a/b/c/g"),
        (BASE, "./g", "http://a/b/c/g"),
        (BASE, "g/", "http://a/b/c/g/"),
        (BASE, "/g", "http://a/g"),
        (BASE, "//g", "http://g"),
        (BASE, "?y", "http://a/b/c/d;p?y"),
        (BASE, "g?y", "http://a/b/c/g?y"),
        (BASE, "#s", "http://a/b/c/d;p?q"),
        (BASE, "g;x=1/../y", "http://a/b/c/y"),
        (BASE, "", "http://a/b/c/d;p?q"),
        (BASE, ".", "http://a/b/c/"),
        (BASE, "..", "http://a/b/"),
        (BASE, "../..", "http://a/"),
        (BASE, "../../../g", "http://a/g"),
        (BASE, "g/../h", "http://a/b/c/h"),
        (BASE, "g?y/../x", "http://a/b/c/g?y/../x"),
        ("abc/", "../", ""),
        ("../", "..", "../../"),
        ("..", "..", "../../"),
        ("foo/bar", "x:y", "x:y"),
        ("http:m", "n", "http:n"),
    ] {
        assert_eq!(join(base, reference), expected, "{base} + {reference}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for document in [
        "",
        "<a>",
        "<a/><b/>",
        "<a b='<'/>",
        "<a b='' b=''/>",
        "<a xmlns:p='u:' xmlns:q='u:' p:b='' q:b=''/>",
        "<p:a/>",
        "<a xmlns:p=''/>",
        "<a>]]></a>",
        "<a>&b;</a>",
        "<a>&#0;</a>",
        "<!DOCTYPE a [<!ENTITY e '<b>'>]><a>&e;</a>",
        "<!DOCTYPE a [<!ENTITY e '</a><a>'>]><a>&e;</a>",
        "<!DOCTYPE a [<!ENTITY e '&e;'>]><a>&e;</a>",
        "<!DOCTYPE a [<!ENTITY e '&#60;'>]><a b='&e;'/>",
        "<!DOCTYPE a [%p;]><a/>",
        "<!DOCTYPE a SYSTEM 'a'><a/>",
        "<a xmlns='b'/>",
    ] {
        assert!(whole(document, Inclusive10).is_err(), "{document}");
    }
}
