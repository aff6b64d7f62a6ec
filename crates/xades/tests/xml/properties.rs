//! Properties of all documents and of all octets.

use proptest::prelude::*;
use xades::c14n::{Canonicalization, Selection};
use xades::xml::Reader;

use crate::{Pieces, by_id, c14n, form};

/// Markup that is often well-formed.
fn fragments() -> impl Strategy<Value = String> {
    let parts = [
        "<a>",
        "</a>",
        "<a/>",
        "<p:b xmlns:p='urn:p'>",
        "</p:b>",
        "<p:b",
        " c='1'",
        " p:c=\"2\"",
        " xmlns='urn:d'",
        " xmlns=''",
        "/>",
        ">",
        "\r\n",
        "\r",
        "\n",
        "]]",
        "]",
        ">",
        "&amp;",
        "&#13;",
        "&e;",
        "&f;",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "--",
        "-",
        "<?p",
        "?>",
        "?",
        " ",
        "é",
        "😀",
        "text",
        "Id='i'",
        " Id='i'",
        "'",
        "\"",
        "<",
        "&",
        "\u{1}",
    ];
    let heads = [
        "",
        "<?xml version='1.0'?>",
        "<!DOCTYPE a [<!ENTITY e '<a>&#13;]</a>'><!ENTITY f 'x'><!ATTLIST a d CDATA '1' c NMTOKEN '2'>]>",
    ];
    let body = prop::collection::vec(prop::sample::select(parts.to_vec()), 0..30);
    (prop::sample::select(heads.to_vec()), body, any::<bool>()).prop_map(|(head, body, wrapped)| {
        let body = body.concat();
        if wrapped { format!("{head}<a>{body}</a>") } else { format!("{head}{body}") }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = c14n(&octets, Canonicalization::C14N_1_1, Selection::document());
        let _ = c14n(&octets, Canonicalization::EXCLUSIVE, by_id("i"));
    }

    #[test]
    fn the_form_does_not_depend_on_how_the_octets_are_split(
        document in fragments(),
        lengths in prop::collection::vec(1usize..9, 1..5),
    ) {
        for method in [Canonicalization::C14N_1_0.with_comments(), Canonicalization::EXCLUSIVE] {
            for selection in [Selection::document(), by_id("i")] {
                let at_once = c14n(document.as_bytes(), method.clone(), selection.clone());
                let pieces = Reader::from_read(Pieces::new(document.as_bytes(), &lengths))
                    .and_then(|reader| form(reader, method.clone(), selection));
                let text = |result: Result<String, xades::Error>| result.map_err(|e| e.to_string());
                prop_assert_eq!(text(at_once), text(pieces));
            }
        }
    }

    #[test]
    fn the_form_does_not_depend_on_the_encoding(document in fragments()) {
        let utf16: Vec<u8> = std::iter::once(0xFEFF)
            .chain(document.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let method = Canonicalization::C14N_1_0.with_comments();
        let utf8 = c14n(document.as_bytes(), method.clone(), Selection::document());
        let utf16 = c14n(&utf16, method, Selection::document());
        prop_assert_eq!(utf8.ok(), utf16.ok());
    }

    #[test]
    fn a_canonical_form_is_its_own_canonical_form(document in fragments()) {
        for method in [Canonicalization::C14N_1_0.with_comments(), Canonicalization::EXCLUSIVE] {
            let once = c14n(document.as_bytes(), method.clone(), Selection::document());
            let Ok(once) = once else { continue };
            let twice = c14n(once.as_bytes(), method, Selection::document());
            prop_assert_eq!(twice.unwrap(), once);
        }
    }
}
