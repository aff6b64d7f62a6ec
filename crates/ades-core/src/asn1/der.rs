//! Writes DER around octets that are encoded already: headers, the order of a
//! `SET OF`, and the few values that this project encodes itself. rasn encodes
//! all other values. Octets that are signed, or that others made, are only
//! wrapped and never encoded again.

use crate::Oid;

pub const INTEGER: u8 = 0x02;
pub const OCTET_STRING: u8 = 0x04;
pub const OID: u8 = 0x06;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;

/// The whole element `NULL`.
pub const NULL: &[u8] = &[0x05, 0x00];

/// The tag of `[n]`, constructed.
pub const fn context(n: u8) -> u8 {
    0xA0 | n
}

/// Maximum length of a header.
const MAX_HEADER_LEN: usize = 10;

/// Tag and definite length in its shortest form (X.690, 10.1).
pub fn header(tag: u8, len: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(MAX_HEADER_LEN);
    out.push(tag);
    push_length(&mut out, len);
    out
}

/// Appends the shortest length octets (X.690, 10.1).
pub(super) fn push_length(out: &mut Vec<u8>, len: u64) {
    if let Ok(short @ 0..0x80) = u8::try_from(len) {
        return out.push(short);
    }
    let octets = len.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let long = octets.get(zeros..).unwrap_or_default();
    // At most eight octets.
    out.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
    out.extend_from_slice(long);
}

/// An element whose content is the concatenation of `parts`.
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|p| p.len()).sum();
    let mut out = Vec::with_capacity(MAX_HEADER_LEN + len);
    out.push(tag);
    push_length(&mut out, len as u64);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// An `INTEGER` from the big-endian octets of an unsigned number, which may
/// have leading zeros (X.690, 8.3).
pub fn unsigned_integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    let digits = number.get(zeros..).unwrap_or_default();
    // The sign bit must be clear, and zero still has one octet.
    let needs_zero = digits.first().is_none_or(|first| first & 0x80 != 0);
    element(INTEGER, &[if needs_zero { &[0] } else { &[] }, digits])
}

/// An `OBJECT IDENTIFIER`.
pub fn object_identifier(oid: Oid) -> Vec<u8> {
    element(OID, &[oid.as_bytes()])
}

/// The content of a `SET OF`: its elements in ascending order (X.690, 11.6).
pub fn set_of(elements: &mut [Vec<u8>]) -> Vec<u8> {
    // The clause pads the shorter element with zero octets. No complete element
    // is a prefix of another, so the padding never decides.
    elements.sort_unstable();
    elements.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_form() {
        assert_eq!(header(SEQUENCE, 0), [0x30, 0]);
        assert_eq!(header(SEQUENCE, 127), [0x30, 127]);
        assert_eq!(header(SEQUENCE, 128), [0x30, 0x81, 128]);
        assert_eq!(header(SEQUENCE, 256), [0x30, 0x82, 1, 0]);
        assert_eq!(header(OCTET_STRING, 5_000_000_000), [0x04, 0x85, 1, 0x2A, 0x05, 0xF2, 0]);
    }

    #[test]
    fn unsigned_integers_are_positive_and_shortest() {
        assert_eq!(unsigned_integer(&[]), [0x02, 1, 0]);
        assert_eq!(unsigned_integer(&[0, 0]), [0x02, 1, 0]);
        assert_eq!(unsigned_integer(&[0, 0x7F]), [0x02, 1, 0x7F]);
        assert_eq!(unsigned_integer(&[0x80, 0]), [0x02, 3, 0, 0x80, 0]);
    }
}
