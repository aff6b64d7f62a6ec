//! Reads the string types of ASN.1 (X.680, clause 41).

use super::ber::Element;

pub const UTF8_STRING: u8 = 0x0C;
pub const NUMERIC_STRING: u8 = 0x12;
pub const PRINTABLE_STRING: u8 = 0x13;
pub const TELETEX_STRING: u8 = 0x14;
pub const IA5_STRING: u8 = 0x16;
pub const VISIBLE_STRING: u8 = 0x1A;
pub const UNIVERSAL_STRING: u8 = 0x1C;
pub const BMP_STRING: u8 = 0x1E;

/// The text of a string type. `None` for other types, and for octets that are not
/// text of their type.
///
/// TeletexString is read as ISO 8859-1, which it contains in practice. The types
/// of ASCII may contain UTF-8, which some authorities put there.
pub fn text(element: &Element<'_>) -> Option<String> {
    let octets = element.content;
    match element.tag {
        UTF8_STRING | NUMERIC_STRING | PRINTABLE_STRING | IA5_STRING | VISIBLE_STRING => {
            std::str::from_utf8(octets).ok().map(ToOwned::to_owned)
        }
        TELETEX_STRING => Some(octets.iter().copied().map(char::from).collect()),
        UNIVERSAL_STRING => {
            let (units, []) = octets.as_chunks::<4>() else { return None };
            units.iter().map(|unit| char::from_u32(u32::from_be_bytes(*unit))).collect()
        }
        BMP_STRING => {
            let (units, []) = octets.as_chunks::<2>() else { return None };
            let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::ber::Reader;
    use super::super::der;
    use super::*;

    #[test]
    fn strings_of_all_types_are_texts() {
        for (tag, content, expected) in [
            (UTF8_STRING, "Zo\u{eb}".as_bytes(), Some("Zo\u{eb}")),
            (PRINTABLE_STRING, b"Zoe", Some("Zoe")),
            (NUMERIC_STRING, b"12", Some("12")),
            (PRINTABLE_STRING, "Zo\u{eb}".as_bytes(), Some("Zo\u{eb}")),
            (TELETEX_STRING, b"Zo\xEB", Some("Zo\u{eb}")),
            (BMP_STRING, b"\0Z\0o\0\xEB", Some("Zo\u{eb}")),
            (BMP_STRING, b"\xD8\x3D\xDE\0", Some("\u{1f600}")),
            (UNIVERSAL_STRING, b"\0\0\0Z\0\x01\xF6\x00", Some("Z\u{1f600}")),
            (PRINTABLE_STRING, b"Zo\xEB", None),
            (UTF8_STRING, b"Zo\xEB", None),
            (BMP_STRING, b"\0Z\0", None),
            (BMP_STRING, b"\xD8\x3D", None),
            (UNIVERSAL_STRING, b"\0\0\xD8\0", None),
            (der::OCTET_STRING, b"Zoe", None),
        ] {
            let octets = der::element(tag, &[content]);
            let element = Reader::new(&octets, 0).next("").unwrap();
            assert_eq!(text(&element).as_deref(), expected, "{octets:02x?}");
        }
    }
}
