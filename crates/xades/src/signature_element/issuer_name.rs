//! The issuer and serial number of a certificate as text, for `ds:X509IssuerSerial` (XML
//! Signature, clause 4.5.4.1: names as in RFC 4514).

use ades_core::Oid;
use ades_core::asn1::ber::{Element, Reader};
use ades_core::asn1::der;
use ades_core::asn1::text::text;

/// The attribute types that have a name in RFC 4514, clause 3. The others are written as OIDs.
const NAMES: [(&str, &str); 9] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];

/// A `Name` (RFC 5280, 4.1.2.4) as text, the last part first. `None` if it is malformed.
pub(crate) fn rfc4514(name: &[u8]) -> Option<String> {
    let mut parts = Reader::new(name, 0).next("").ok()?.children();
    let mut names = Vec::new();
    while let Some(part) = parts.try_next().ok()? {
        let mut attributes = part.children();
        let mut texts = Vec::new();
        while let Some(attribute) = attributes.try_next().ok()? {
            let mut fields = attribute.children();
            let oid = fields.next("").ok().filter(|oid| oid.tag == der::OID)?;
            texts.push(self::attribute(&oid, &fields.next("").ok()?)?);
        }
        names.push(texts.join("+"));
    }
    names.reverse();
    Some(names.join(","))
}

fn attribute(oid: &Element<'_>, value: &Element<'_>) -> Option<String> {
    let oid = Oid::from_bytes(oid.content).ok()?.to_string();
    let name = NAMES.iter().find(|(known, _)| *known == oid).map(|(_, name)| *name);
    Some(match (name, text(value)) {
        (Some(name), Some(text)) => format!("{name}={}", escaped(&text)),
        // Clause 2.4: a value of another type is written as the hexadecimal digits of its BER.
        (name, _) => {
            let digits: String = value.raw.iter().map(|octet| format!("{octet:02x}")).collect();
            format!("{}=#{digits}", name.unwrap_or(&oid))
        }
    })
}

/// Clause 2.4.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let last = text.chars().count().saturating_sub(1);
    for (at, c) in text.chars().enumerate() {
        let special = matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\')
            || c == ' ' && (at == 0 || at == last)
            || c == '#' && at == 0;
        match c {
            '\0' => out.push_str("\\00"),
            _ if special => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}

/// The decimal digits of an INTEGER, from its DER.
pub(crate) fn decimal(integer: &[u8]) -> Option<String> {
    let content = Reader::new(integer, 0).next("").ok().filter(|i| i.tag == der::INTEGER)?.content;
    let negative = content.first()? & 0x80 != 0;
    // The magnitude of a negative number is its complement plus one.
    let invert = if negative { 0xFF } else { 0 };
    let mut digits: Vec<u8> = Vec::new();
    let mut carry = u32::from(negative);
    let mut magnitude: Vec<u8> = Vec::new();
    for octet in content.iter().rev() {
        let sum = u32::from(octet ^ invert) + carry;
        magnitude.push(sum as u8);
        carry = sum >> 8;
    }
    for octet in magnitude.iter().rev() {
        let mut carry = u32::from(*octet);
        for digit in &mut digits {
            let value = u32::from(*digit) * 256 + carry;
            *digit = (value % 10) as u8;
            carry = value / 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    let digits: String = digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect();
    let digits = if digits.is_empty() { "0".to_owned() } else { digits };
    Some(if negative { format!("-{digits}") } else { digits })
}

#[cfg(test)]
mod tests {
    use ades_core::asn1::der::{SEQUENCE, SET, element};
    use ades_core::asn1::text::{
        BMP_STRING, PRINTABLE_STRING, TELETEX_STRING, UNIVERSAL_STRING, UTF8_STRING,
    };

    use super::*;

    const CN: &[u8] = &[0x55, 4, 3];

    fn attribute(oid: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        element(SEQUENCE, &[&element(der::OID, &[oid]), &element(tag, &[value])])
    }

    #[test]
    fn names_are_written_last_part_first() {
        let country = element(SET, &[&attribute(&[0x55, 4, 6], PRINTABLE_STRING, b"BE")]);
        let several = element(
            SET,
            &[
                &attribute(CN, UTF8_STRING, " a,b; \"é\" ".as_bytes()),
                &attribute(&[0x55, 4, 5], PRINTABLE_STRING, b"12"),
            ],
        );
        let name = element(SEQUENCE, &[&country, &several]);
        let expected = "CN=\\ a\\,b\\; \\\"é\\\"\\ +2.5.4.5=#13023132,C=BE";
        assert_eq!(rfc4514(&name).as_deref(), Some(expected));
        for (tag, value, text) in [
            (UTF8_STRING, b"#\0a".as_slice(), "CN=\\#\\00a"),
            (BMP_STRING, b"\x20\xAC\0x", "CN=€x"),
            (UNIVERSAL_STRING, b"\0\x01\xF6\0", "CN=😀"),
            (TELETEX_STRING, b"t", "CN=t"),
            (der::OCTET_STRING, b"t", "CN=#040174"),
            (BMP_STRING, b"odd", "CN=#1e036f6464"),
        ] {
            let name = element(SEQUENCE, &[&element(SET, &[&attribute(CN, tag, value)])]);
            assert_eq!(rfc4514(&name).as_deref(), Some(text));
            for cut in 1..name.len() {
                assert_eq!(rfc4514(&name[..cut]), None);
            }
        }
        assert_eq!(rfc4514(&element(SEQUENCE, &[])).as_deref(), Some(""));
    }

    #[test]
    fn integers_are_decimal() {
        for (content, digits) in [
            ([0].as_slice(), "0"),
            (&[0x7F], "127"),
            (&[0, 0x80], "128"),
            (&[0xFF], "-1"),
            (&[0x80, 0], "-32768"),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 0], "18446744073709551616"),
        ] {
            let integer = element(der::INTEGER, &[content]);
            assert_eq!(decimal(&integer).as_deref(), Some(digits));
        }
        assert_eq!(decimal(&[2, 0]), None);
    }
}
