//! Well-formedness, namespaces and places.

use xades::Error;
use xades::c14n::{Canonicalization, Selection};
use xades::xml::{Event, Reader, Span};

use crate::{Pieces, c14n, form, whole};

#[track_caller]
fn refused(document: &str) -> Error {
    let error = whole(document.as_bytes()).expect_err(document);
    // Reading octet by octet returns the same error at the same place.
    let trickle = Reader::from_read(Pieces::new(document.as_bytes(), &[1]));
    let again = trickle
        .and_then(|reader| form(reader, Canonicalization::C14N_1_0, Selection::document()))
        .expect_err(document);
    assert_eq!(error.to_string(), again.to_string(), "{document}");
    error
}

#[test]
fn documents_that_are_not_well_formed_are_refused() {
    for document in [
        "",
        " ",
        "<!-- a -->",
        "text",
        "<a>",
        "<a></b>",
        "<a></a",
        "<a></ab>",
        "<ab></a>",
        "<a></a b>",
        "<a/><b/>",
        "<a/>text",
        "<a/>&#32;",
        "&#32;<a/>",
        "<a/><![CDATA[]]>",
        "<![CDATA[]]><a/>",
        "</a>",
        "<a",
        "<a /",
        "<a/ >",
        "< a/>",
        "<a b/>",
        "<a b=c/>",
        "<a b='c\"/>",
        "<a b='<'/>",
        "<a b='1'c='2'/>",
        "<a b='1' b='2'/>",
        "<a xmlns='urn:1' xmlns='urn:1'/>",
        "<1a/>",
        "<a: xmlns:a='urn:a'/>",
        "<-a/>",
        "<a·/><b",
        "<·a/>",
        "<a>]]></a>",
        "<a>&#93;]]></a>",
        "<a>&</a>",
        "<a>&b</a>",
        "<a>&b;</a>",
        "<a>& b;</a>",
        "<a>&#x1;</a>",
        "<a>&#xFFFE;</a>",
        "<a>&#xD800;</a>",
        "<a>&#99999999999;</a>",
        "<a>\u{1}</a>",
        "<a>\u{FFFF}</a>",
        "<a b='\u{1F}'/>",
        "<a><!-- a -- b --></a>",
        "<a><!-- a ---></a>",
        "<a><!-- a",
        "<a><?xml version='1.0'?></a>",
        "<a><?XmL ?></a>",
        "<a><?p",
        "<a><? p?></a>",
        "<a><?p+?></a>",
        "<a><?p:q?></a>",
        " <?xml version='1.0'?><a/>",
        "<?xml version='1.0' encoding=UTF-8?><a/>",
        "<?xml encoding='UTF-8'?><a/>",
        "<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>",
        "<?xml version='1.0' ?",
        "<a><!DOCTYPE a></a>",
        "<a/><!DOCTYPE a>",
        "<!DOCTYPE a><!DOCTYPE a><a/>",
        "<!doctype a><a/>",
        "<!DOCTYPE a [",
        "<a><![CDATA[",
        "<a><![CDATA[]]",
        "<a><![cdata[]]></a>",
        "<!DOCTYPE a [<!ENTITY e '<b>'>]><a>&e;</a>",
        "<!DOCTYPE a [<!ENTITY e '</a><a>'>]><a>&e;</a>",
        "<!DOCTYPE a [<!ENTITY e '<b/'>]><a>&e;></a>",
        "<!DOCTYPE a [<!ENTITY e '&#60;b'>]><a>&e;</a>",
        "<!DOCTYPE a [<!ENTITY e '<b/>'>]><a c='&e;'/>",
        "<!DOCTYPE a [<!ENTITY e '<!-- '>]><a>&e; --></a>",
        "<!DOCTYPE a [<!ENTITY e SYSTEM 'e' NDATA n>]><a>&e;</a>",
    ] {
        let error = refused(document);
        assert!(
            matches!(
                error,
                Error::NotWellFormed { .. } | Error::Namespace { .. } | Error::Encoding { .. }
            ),
            "{document}: {error}"
        );
    }
}

#[test]
fn namespaces_are_checked() {
    for document in [
        "<p:a/>",
        "<a p:b=''/>",
        "<a:b:c xmlns:a='urn:a'/>",
        "<:a/>",
        "<a :b=''/>",
        "<a xmlns:p=''/>",
        "<a xmlns:xml='urn:x'/>",
        "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns:xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<xmlns:a/>",
        "<a><p:b xmlns:p='urn:p'/><p:c/></a>",
    ] {
        let error = refused(document);
        assert!(matches!(error, Error::Namespace { .. }), "{document}: {error}");
    }
    // Two prefixes of one namespace make the names equal. The default namespace does not
    // apply to attributes.
    let same = "<a xmlns:p='urn:1' xmlns:q='urn:1' p:b='' q:b=''/>";
    assert!(matches!(refused(same), Error::NotWellFormed { offset: 42, .. }));
    let other = "<a xmlns='urn:1' xmlns:p='urn:1' p:b='' b=''/>";
    assert!(whole(other.as_bytes()).is_ok());
    assert!(whole(b"<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:b=''/>").is_ok());
}

#[test]
fn external_resources_are_refused() {
    for (document, at) in [
        ("<!DOCTYPE a SYSTEM 'a.dtd'><a/>", 0),
        ("<!DOCTYPE a PUBLIC '-//a' 'a.dtd' []><a/>", 0),
        ("<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>", 57),
        ("<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://x/'>%p;]><a/>", 45),
        ("<!DOCTYPE a [<!ENTITY % p '<!ENTITY e \"x\">'>%p;]><a/>", 44),
    ] {
        let error = refused(document);
        assert!(matches!(error, Error::External { offset, .. } if offset == at), "{error}");
    }
}

#[test]
fn entities_defaults_and_types_of_the_internal_subset() {
    let document = "<!DOCTYPE a [\n<!ENTITY e 'x&#38;lt;&f;&#13;'><!ENTITY f '<b c=\"&g;\"/>'>\
        <!ENTITY g ' 1\n&#10;2 '><!ATTLIST b c NMTOKENS #IMPLIED d CDATA ' &g; ' xmlns CDATA 'urn:b'>\
        <!ATTLIST b c CDATA 'late'>]><a>&e;<b d='own'/></a>";
    // In the entity's text the reference &#10; has become a line feed, so all its white
    // space is turned into spaces.
    let expected = "<a>x&lt;<b xmlns=\"urn:b\" c=\"1 2\" d=\"  1  2  \"></b>&#xD;\
        <b xmlns=\"urn:b\" d=\"own\"></b></a>";
    assert_eq!(whole(document.as_bytes()).unwrap(), expected);
}

#[test]
fn predefined_entities_cannot_be_redeclared() {
    let document =
        "<!DOCTYPE a [<!ENTITY lt '&#38;#60;'>]><a b='&lt;&apos;&quot;'>&lt;&gt;&amp;</a>";
    assert_eq!(whole(document.as_bytes()).unwrap(), "<a b=\"&lt;'&quot;\">&lt;&gt;&amp;</a>");
}

#[test]
fn places_are_offsets_in_the_original_octets() {
    let text = "<é a='€'>x<b/><c>\r\n</c ></é>";
    let utf16 = |text: &str| -> Vec<u8> {
        std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let latin = |text: &str| -> Vec<u8> {
        let body = text.chars().map(|c| if c == '€' { 0xA4 } else { c as u8 });
        b"<?xml version='1.0' encoding='ISO-8859-15'?>".iter().copied().chain(body).collect()
    };
    let utf8 = |text: &str| [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    for encode in [&utf16 as &dyn Fn(&str) -> Vec<u8>, &latin, &utf8] {
        let document = encode(text);
        let head = encode("").len();
        let len = |text: &str| (encode(text).len() - head) as u64;
        let place = |from: &str, to: &str| {
            let at = text.find(from).unwrap();
            let start = head as u64 + len(&text[..at]);
            let end = at + text[at..].find(to).unwrap() + to.len();
            start..head as u64 + len(&text[..end])
        };
        let expected = [
            Span {
                start_tag: place("<b", ">"),
                end_tag: place("<b", ">").end..place("<b", ">").end,
                in_entity: false,
            },
            Span { start_tag: place("<c", ">"), end_tag: place("</c", ">"), in_entity: false },
            Span { start_tag: place("<é", ">"), end_tag: place("</é", ">"), in_entity: false },
        ];
        for lengths in [&[1][..], &[7, 3], &[100_000]] {
            let mut reader = Reader::from_read(Pieces::new(&document, lengths)).unwrap();
            let mut spans = Vec::new();
            while let Some(event) = reader.next_event().unwrap() {
                if let Event::EndElement(element) = event {
                    spans.push(element.span().clone());
                }
            }
            assert_eq!(spans, expected);
        }
    }
    let entity = b"<!DOCTYPE a [<!ENTITY e '<b></b>'>]><a>&e;</a>";
    let mut reader = Reader::from_slice(entity).unwrap();
    while let Some(event) = reader.next_event().unwrap() {
        if let Event::EndElement(element) = event
            && element.qualified_name() == b"b"
        {
            assert!(element.span().in_entity);
            assert_eq!(element.span().start_tag, 39..42);
        }
    }
}

#[test]
fn every_encoding_has_the_same_canonical_form() {
    let expected = "<a b=\"é\">€ŠŽ</a>";
    let declared = |name: &str| format!("<?xml version='1.0' encoding='{name}'?><a b='");
    let bytes = |name: &str, rest: &[u8]| [declared(name).as_bytes(), rest].concat();
    let utf16: Vec<u8> = format!("{}é'>€ŠŽ</a>", declared("UTF-16"))
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    for document in [
        bytes("utf-8", "é'>€ŠŽ</a>".as_bytes()),
        bytes("ISO-8859-15", b"\xE9'>\xA4\xA6\xB4</a>"),
        bytes("Windows-1252", b"\xE9'>\x80\x8A\x8E</a>"),
        bytes("ISO-8859-1", b"\xE9'>&#x20AC;&#352;&#x17D;</a>"),
        bytes("US-ASCII", b"&#xe9;'>&#x20AC;&#352;&#x17D;</a>"),
        [b"\xFE\xFF".as_slice(), &utf16].concat(),
    ] {
        for method in [Canonicalization::C14N_1_1, Canonicalization::EXCLUSIVE] {
            assert_eq!(c14n(&document, method, Selection::document()).unwrap(), expected);
        }
    }
    assert!(matches!(whole(&bytes("UTF-8", b"\xE9'/>")), Err(Error::Encoding { offset: 44, .. })));
}
