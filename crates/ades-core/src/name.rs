//! Compares distinguished names (RFC 5280, 7.1).
//!
//! Two names are the same if their attributes are: the same type, and the same
//! text whatever its string type, its case and its runs of white space.

use unicode_normalization::UnicodeNormalization;

use crate::asn1::ber::{Element, Reader};
use crate::asn1::der;
use crate::asn1::text::{UTF8_STRING, text};
use crate::certificate::Certificate;

/// Maximum number of attributes in a name that is compared as text. The names of
/// real certificates have about ten.
const MAX_ATTRIBUTES: usize = 256;

/// Whether two DER `Name`s are the same.
#[must_use]
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    one == other || canonical(one) == canonical(other)
}

/// A form that two DER `Name`s share if and only if they are the same. The form
/// of a malformed name is the name itself.
#[must_use]
pub fn canonical(name: &[u8]) -> Vec<u8> {
    relative_names(name).map_or_else(|| name.to_vec(), |names| names.concat())
}

/// The canonical forms of the relative names of a DER `Name`, in order. `None` if
/// it is malformed or has too many attributes.
#[must_use]
pub fn relative_names(name: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut outer = Reader::new(name, 0);
    let all = outer.try_next().ok()??;
    if all.tag != der::SEQUENCE || !outer.is_empty() {
        return None;
    }
    let mut left = MAX_ATTRIBUTES;
    all.children().all(MAX_ATTRIBUTES).ok()?.iter().map(|set| relative(set, &mut left)).collect()
}

/// Whether the DER of an `IssuerSerial` (RFC 5035, 5) names a certificate: one of its
/// directory names is the certificate's issuer, and its number the serial number.
#[must_use]
pub fn is_issuer_and_serial(issuer_serial: &[u8], certificate: &Certificate) -> bool {
    /// `directoryName` of `GeneralName` (RFC 5280, 4.2.1.6).
    const DIRECTORY_NAME: u8 = der::context(4);

    let named = || {
        let mut outer = Reader::new(issuer_serial, 0);
        let mut fields = definite(outer.try_next().ok()??, der::SEQUENCE)?.children();
        let names = definite(fields.try_next().ok()??, der::SEQUENCE)?;
        let names = names.children().all(MAX_ATTRIBUTES).ok()?;
        // The issuerUniqueID of RFC 5755 may follow and does not matter here.
        let number = definite(fields.try_next().ok()??, der::INTEGER)?.raw;
        let issuer = names
            .iter()
            .any(|name| name.tag == DIRECTORY_NAME && is_same(name.content, certificate.issuer()));
        Some(outer.is_empty() && issuer && number == certificate.serial_number())
    };
    named().unwrap_or(false)
}

fn definite(element: Element<'_>, tag: u8) -> Option<Element<'_>> {
    (element.tag == tag && !element.indefinite).then_some(element)
}

/// The values of the attributes of one type, as text. `kind` is the content octets
/// of the type's OID.
#[must_use]
pub fn texts(name: &[u8], kind: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let sets = Reader::new(name, 0).try_next().ok().flatten().map(|all| all.children());
    let sets = sets.and_then(|sets| sets.all(MAX_ATTRIBUTES).ok()).unwrap_or_default();
    for set in sets {
        for pair in set.children().all(MAX_ATTRIBUTES).unwrap_or_default() {
            if let Some((found_kind, value)) = attribute(&pair)
                && found_kind.content == kind
                && let Some(value) = text(&value)
            {
                found.push(value);
            }
        }
    }
    found
}

/// A SET of attributes. Their order does not count.
fn relative(set: &Element<'_>, left: &mut usize) -> Option<Vec<u8>> {
    if set.tag != der::SET {
        return None;
    }
    let mut forms = Vec::new();
    for pair in set.children().all(MAX_ATTRIBUTES).ok()? {
        *left = left.checked_sub(1)?;
        let (kind, value) = attribute(&pair)?;
        let value = match text(&value) {
            Some(text) => der::element(UTF8_STRING, &[prepared(&text).as_bytes()]),
            None => value.raw.to_vec(),
        };
        forms.push(der::element(der::SEQUENCE, &[kind.raw, &value]));
    }
    forms.sort();
    Some(der::element(der::SET, &[&forms.concat()]))
}

fn attribute<'a>(pair: &Element<'a>) -> Option<(Element<'a>, Element<'a>)> {
    let mut fields = pair.children();
    let kind = fields.try_next().ok()??;
    let value = fields.try_next().ok()??;
    (pair.tag == der::SEQUENCE && kind.tag == der::OID && fields.is_empty())
        .then_some((kind, value))
}

/// String preparation for comparing (RFC 4518, 2): compatibility characters, case
/// and white space. Characters that RFC 3454, B.1 maps to nothing are left out.
fn prepared(text: &str) -> String {
    let shown = text.chars().filter(|c| !is_ignored(*c));
    // Most names are ASCII, which has one form and one case folding.
    if text.is_ascii() {
        let folded: String = shown.map(|c| c.to_ascii_lowercase()).collect();
        return folded.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let folded: String = shown.nfkc().flat_map(char::to_lowercase).flat_map(fold).nfkc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_ignored(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
        || c.is_control() && !c.is_whitespace()
}

/// The characters whose case folding (RFC 3454, B.2) is not their lower case.
fn fold(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        'ß' => ('s', Some('s')),
        'ς' => ('σ', None),
        other => (other, None),
    };
    std::iter::once(first).chain(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON_NAME: &[u8] = &[0x55, 4, 3];

    /// A name of one attribute for each (string tag, octets).
    fn name(parts: &[(u8, &[u8])]) -> Vec<u8> {
        let kind = der::element(der::OID, &[COMMON_NAME]);
        let sets = parts.iter().map(|(tag, value)| {
            let pair = der::element(der::SEQUENCE, &[&kind, &der::element(*tag, &[value])]);
            der::element(der::SET, &[&pair])
        });
        der::element(der::SEQUENCE, &[&sets.collect::<Vec<_>>().concat()])
    }

    #[test]
    fn string_type_case_and_white_space_do_not_count() {
        let one = name(&[(0x0C, "Zoë  Straße".as_bytes())]);
        for other in [
            (0x14, &b"Zo\xEB Stra\xDFe"[..]),
            (0x0C, " ZOË\u{A0}STRASSE ".as_bytes()),
            (0x0C, "Zoe\u{308} Stra\u{AD}ße".as_bytes()),
            (0x1E, b"\0Z\0o\0\xEB\0 \0s\0t\0r\0a\0\xDF\0e"),
        ] {
            assert!(is_same(&one, &name(&[other])), "{other:?}");
        }
        for other in [(0x0C, "Zoe Straße".as_bytes()), (0x04, b"Zo\xEB Stra\xDFe"), (0x1E, b"\0")]
        {
            assert!(!is_same(&one, &name(&[other])), "{other:?}");
        }
    }

    #[test]
    fn the_order_of_relative_names_counts() {
        let (a, b) = ((0x13, &b"a"[..]), (0x13, &b"b"[..]));
        assert!(is_same(&name(&[a, b]), &name(&[(0x0C, b"A"), b])));
        assert!(!is_same(&name(&[a, b]), &name(&[b, a])));
        assert!(!is_same(&name(&[a]), &name(&[a, b])));
        assert_eq!(relative_names(&name(&[a, b])).unwrap().len(), 2);
    }

    #[test]
    fn malformed_names_equal_only_themselves() {
        let cut = &name(&[(0x13, b"a")])[..5];
        assert!(is_same(cut, cut));
        assert!(!is_same(cut, &name(&[])));
        assert_eq!(relative_names(cut), None);
        assert!(texts(cut, COMMON_NAME).is_empty());
        assert_eq!(texts(&name(&[(0x1E, b"\0a")]), COMMON_NAME), ["a"]);
    }
}
