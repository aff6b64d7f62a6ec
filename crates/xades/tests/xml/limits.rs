//! Documents that are made to cost more than their size.

use std::io::{self, Read};

use xades::Error;
use xades::c14n::{Canonicalization, Selection, canonicalize};
use xades::xml::{Limits, Reader};

use crate::{Pieces, form, whole};

#[track_caller]
fn limited(document: &str, expected: &str) {
    match whole(document.as_bytes()) {
        Err(Error::Limit { limit, .. }) => assert_eq!(limit, expected),
        other => panic!("{:?}", other.map(|form| form.len())),
    }
}

#[test]
fn entity_bombs() {
    let mut laughs = String::from("<!DOCTYPE a [<!ENTITY e0 'ha'>");
    for i in 1..20 {
        let before = format!("&e{};", i - 1).repeat(10);
        laughs.push_str(&format!("<!ENTITY e{i} '{before}'>"));
    }
    laughs.push(']');
    let limit = "octets of expanded entities and default attributes";
    limited(&format!("{laughs}><a>&e19;</a>"), limit);
    limited(&format!("{laughs}><a b='&e19;'/>"), limit);
    limited(&format!("{}<!ATTLIST a b CDATA '&e19;'>]><a/>", laughs.trim_end_matches(']')), limit);

    let long = "x".repeat(100_000);
    let quadratic = format!("<!DOCTYPE a [<!ENTITY e '{long}'>]><a>{}</a>", "&e;".repeat(10_000));
    limited(&quadratic, limit);
    let nothing = format!(
        "<!DOCTYPE a [<!ENTITY e0 ''>{}]><a>&e6;</a>",
        (1..7)
            .map(|i| format!("<!ENTITY e{i} '{}'>", format!("&e{};", i - 1).repeat(20)))
            .collect::<String>()
    );
    limited(&nothing, limit);

    limited("<!DOCTYPE a [<!ENTITY e '&e;'>]><a>&e;</a>", "entities within entities");
    limited(
        "<!DOCTYPE a [<!ENTITY e '&f;'><!ENTITY f '&e;'>]><a b='&e;'/>",
        "entities within entities",
    );
}

#[test]
fn default_attribute_bombs() {
    let value = "x".repeat(100_000);
    let document =
        format!("<!DOCTYPE a [<!ATTLIST b c CDATA '{value}'>]><a>{}</a>", "<b/>".repeat(10_000));
    limited(&document, "octets of expanded entities and default attributes");
}

#[test]
fn depth_attribute_and_namespace_bombs() {
    limited(&"<a>".repeat(5000), "elements within elements");
    let attributes: String = (0..20_000).map(|i| format!(" a{i}=''")).collect();
    limited(&format!("<a{attributes}/>"), "attributes of one element");
    let declarations: String = (0..2000).map(|i| format!(" xmlns:a{i}='urn:x'")).collect();
    limited(&format!("<a{declarations}/>"), "namespace declarations in scope");
    let nested: String = (0..2000).map(|i| format!("<a xmlns:a{i}='urn:x'>")).collect();
    limited(&nested, "namespace declarations in scope");
    let held: String =
        (0..100).map(|_| format!("<a xml:base='{}'>", "x".repeat(300_000))).collect();
    limited(&held, "octets held for open elements");
    let long = format!("<a xmlns='urn:{}'/>", "x".repeat(3000));
    limited(&long, "octets of one namespace name");
    let attributes: String = (0..2000).map(|i| format!(" xml:a{i}=''")).collect();
    limited(&format!("<a{attributes}/>"), "xml: attributes on all open elements");
    limited(&"<a xml:lang='' xml:space=''>".repeat(600), "xml: attributes on all open elements");
    limited(&format!("<a b='{}'/>", "x".repeat(5_000_000)), "octets of one tag");
    limited(&format!("<{}/>", "x".repeat(5_000_000)), "octets of one tag");
    limited(&format!("<a></a{}>", " ".repeat(5_000_000)), "octets of one tag");
    limited(&format!("<a>&{};</a>", "x".repeat(5_000_000)), "octets of one tag");
    let dtd = format!("<!DOCTYPE a [{}]><a/>", " ".repeat(2_000_000));
    limited(&dtd, "octets of the document type declaration");
}

#[test]
fn limits_can_be_set() {
    let mut limits = Limits::default();
    limits.depth = 2;
    let read = |document: &str| {
        let reader = Reader::from_slice(document.as_bytes()).unwrap().with_limits(limits.clone());
        canonicalize(reader, Canonicalization::C14N_1_0, Selection::document(), &mut |_| Ok(()))
    };
    assert!(read("<a><b/></a>").is_ok());
    assert!(matches!(read("<a><b><c/></b></a>"), Err(Error::Limit { offset: 6, .. })));
}

/// What is held of an open element is more than its name.
#[test]
fn open_elements_are_counted_with_their_places() {
    let mut limits = Limits::default();
    limits.open = 10_000;
    let read = |document: &str| {
        let reader = Reader::from_slice(document.as_bytes()).unwrap().with_limits(limits.clone());
        canonicalize(reader, Canonicalization::C14N_1_0, Selection::document(), &mut |_| Ok(()))
    };
    let nested = |tag: &str, times: usize| tag.repeat(times) + &"</a>".repeat(times);
    assert!(read(&nested("<a>", 100)).is_ok());
    for (tag, times) in [("<a>", 1000), ("<a xml:b=''>", 150), ("<a xmlns='urn:a'>", 120)] {
        let refused = read(&nested(tag, times));
        let limit = "octets held for open elements";
        assert!(matches!(refused, Err(Error::Limit { limit: l, .. }) if l == limit), "{tag}");
    }
}

/// What a tag's entities cost does not depend on how often the tag was cut off
/// while it was read.
#[test]
fn what_is_read_again_is_counted_once() {
    let value = "&e;".repeat(50);
    let attributes: String = (0..150).map(|i| format!(" a{i}='{value}'")).collect();
    let entity = format!("<!ENTITY e '{}'>", "x".repeat(100));
    let defaults: String = (0..150).map(|i| format!(" a{i} CDATA '{value}'")).collect();
    for padding in [0, 30_000, 60_000, 64_000, 65_000, 65_500, 100_000, 125_000] {
        let spaces = " ".repeat(padding);
        let tag = format!("<!DOCTYPE r [{entity}]>{spaces}<r{attributes}/>");
        let declared = format!("<!DOCTYPE r [{entity}{spaces}<!ATTLIST s{defaults}>]><r/>");
        for document in [&tag, &declared] {
            assert!(whole(document.as_bytes()).is_ok(), "{padding}");
            let pieces = Pieces::new(document.as_bytes(), &[1000, 7]);
            let reader = Reader::from_read(pieces).unwrap();
            assert!(form(reader, Canonicalization::C14N_1_0, Selection::document()).is_ok());
        }
    }
}

/// One octet, again and again.
struct Endless(&'static [u8]);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(self.0.len());
        buffer[..len].copy_from_slice(&self.0[..len]);
        Ok(len)
    }
}

#[test]
fn what_never_ends_is_given_up() {
    for (start, rest) in
        [("<a b='", b"x".as_slice()), ("<a", b" "), ("<a>&", b"x"), ("<a></a", b" ")]
    {
        let reader = Reader::from_read(start.as_bytes().chain(Endless(rest))).unwrap();
        let result = canonicalize(
            reader,
            Canonicalization::C14N_1_0,
            Selection::document(),
            &mut |_| Ok(()),
        );
        assert!(matches!(result, Err(Error::Limit { .. })), "{start}: {result:?}");
    }
}

#[test]
fn one_long_text_comment_or_instruction_is_no_limit() {
    let x = "x]-?".repeat(2_000_000);
    for document in [
        format!("<a>{x}</a>"),
        format!("<a><![CDATA[{x}]]></a>"),
        format!("<a><!--{x}--></a>"),
        format!("<a><?p {x}?></a>"),
    ] {
        assert!(whole(document.as_bytes()).is_ok());
    }
}
