//! Strings in segments, and BER as DER.

use ades_core::Oid;
use ades_core::asn1::ber::{Element, Error, Reader};
use ades_core::asn1::der;
use zeroize::Zeroizing;

/// Octets that may be a secret.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// Maximum nesting depth of elements.
const MAX_DEPTH: usize = 32;
const CONSTRUCTED: u8 = 0x20;
const BIT_STRING: u8 = 0x03;

/// An `AlgorithmIdentifier`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Algorithm<'a> {
    pub(crate) oid: Oid,
    pub(crate) parameters: Option<Element<'a>>,
}

impl<'a> Algorithm<'a> {
    pub(crate) fn read(element: Element<'a>) -> Result<Self, Error> {
        let mut fields = element.expect(der::SEQUENCE, "no algorithm identifier")?.children();
        let oid = oid(fields.next("no algorithm")?)?;
        Ok(Self { oid, parameters: fields.try_next()? })
    }

    /// The fields of the parameters, which must be a `SEQUENCE`.
    pub(crate) fn fields(&self, at: u64) -> Result<Reader<'a>, Error> {
        let what = "an algorithm without parameters";
        let parameters = self.parameters.ok_or(Error::Malformed { offset: at, what })?;
        Ok(parameters.expect(der::SEQUENCE, what)?.children())
    }
}

pub(crate) fn oid(element: Element<'_>) -> Result<Oid, Error> {
    let what = "not an object identifier";
    let element = element.expect(der::OID, what)?;
    Oid::from_bytes(element.content).map_err(|_| Error::Malformed { offset: element.offset, what })
}

/// A number that is not negative and has at most 64 bits.
pub(crate) fn number(element: Element<'_>) -> Result<u64, Error> {
    let what = "not a number from 0 to 2^64";
    let element = element.expect(der::INTEGER, what)?;
    let malformed = Error::Malformed { offset: element.offset, what };
    match element.content {
        [] => Err(malformed),
        [first, ..] if first & 0x80 != 0 => Err(malformed),
        octets => octets.iter().try_fold(0u64, |number, &octet| {
            let shifted = number.checked_mul(0x100).ok_or(malformed)?;
            Ok(shifted | u64::from(octet))
        }),
    }
}

/// The content of an `OCTET STRING` in one piece or in segments (X.690, 8.7).
/// `tag` is that of the string in one piece: an implicit tag, or the universal
/// one.
pub(crate) fn octet_string(element: Element<'_>, tag: u8) -> Result<Secret, Error> {
    let mut octets = Secret::new(Vec::with_capacity(element.content.len()));
    join(element, tag, 0, &mut octets)?;
    Ok(octets)
}

fn join(element: Element<'_>, tag: u8, depth: usize, out: &mut Secret) -> Result<(), Error> {
    if element.tag == tag {
        out.extend_from_slice(element.content);
        return Ok(());
    }
    element.expect(tag | CONSTRUCTED, "not an octet string")?;
    if depth == MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    let mut segments = element.children();
    while let Some(segment) = segments.try_next()? {
        join(segment, der::OCTET_STRING, depth + 1, out)?;
    }
    Ok(())
}

/// Whether the octets are one `SEQUENCE` and nothing else. Octets that a wrong
/// password decrypts hardly ever are.
pub(crate) fn is_sequence(octets: &[u8]) -> bool {
    let mut reader = Reader::new(octets, 0);
    let first = reader.try_next();
    matches!(first, Ok(Some(element)) if element.tag == der::SEQUENCE) && reader.is_empty()
}

/// The element with definite lengths, strings in one piece. Keys are read by a
/// library that accepts DER only. Sets are not sorted: a key has none.
pub(crate) fn to_der(element: Element<'_>) -> Result<Secret, Error> {
    der_at(element, 0)
}

fn der_at(element: Element<'_>, depth: usize) -> Result<Secret, Error> {
    if depth == MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    if element.tag & CONSTRUCTED == 0 {
        return Ok(with_header(element.tag, element.content));
    }
    let number = element.tag & !CONSTRUCTED;
    match number {
        BIT_STRING => {
            let mut octets = Secret::new(Vec::with_capacity(element.content.len()));
            let unused = join_bits(element, depth, &mut octets)?;
            octets.insert(0, unused);
            Ok(with_header(BIT_STRING, &octets))
        }
        // SEQUENCE, SET and other classes.
        0x10 | 0x11 | 0x40.. => {
            let mut content = Secret::new(Vec::with_capacity(2 * element.content.len()));
            let mut children = element.children();
            while let Some(child) = children.try_next()? {
                content.extend_from_slice(&der_at(child, depth + 1)?);
            }
            Ok(with_header(element.tag, &content))
        }
        _ => {
            let mut octets = Secret::new(Vec::with_capacity(element.content.len()));
            join_strings(element, number, depth, &mut octets)?;
            Ok(with_header(number, &octets))
        }
    }
}

/// As [`join`], for strings whose segments repeat their tag (X.690, 8.14.3) or
/// are octet strings (8.23.6).
fn join_strings(
    element: Element<'_>,
    tag: u8,
    depth: usize,
    out: &mut Secret,
) -> Result<(), Error> {
    if depth == MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    let mut segments = element.children();
    while let Some(segment) = segments.try_next()? {
        let segment_tag = segment.tag & !CONSTRUCTED;
        if segment_tag != tag && segment_tag != der::OCTET_STRING {
            let what = "a segment of another type than its string";
            return Err(Error::Malformed { offset: segment.offset, what });
        }
        if segment.tag & CONSTRUCTED == 0 {
            out.extend_from_slice(segment.content);
        } else {
            join_strings(segment, tag, depth + 1, out)?;
        }
    }
    Ok(())
}

/// Joins the segments of a `BIT STRING` (X.690, 8.6.4). Returns the number of
/// unused bits in the last octet.
fn join_bits(element: Element<'_>, depth: usize, out: &mut Secret) -> Result<u8, Error> {
    if depth == MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    let mut unused = 0;
    let mut segments = element.children();
    while let Some(segment) = segments.try_next()? {
        let malformed =
            Error::Malformed { offset: segment.offset, what: "not a segment of a bit string" };
        if unused != 0 {
            return Err(malformed);
        }
        unused = match (segment.tag, segment.content) {
            (BIT_STRING, [unused, octets @ ..]) => {
                out.extend_from_slice(octets);
                *unused
            }
            (tag, _) if tag == BIT_STRING | CONSTRUCTED => join_bits(segment, depth + 1, out)?,
            _ => return Err(malformed),
        };
    }
    Ok(unused)
}

pub(crate) fn with_header(tag: u8, content: &[u8]) -> Secret {
    let header = der::header(tag, content.len() as u64);
    let mut out = Secret::new(Vec::with_capacity(header.len() + content.len()));
    out.extend_from_slice(&header);
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(octets: &[u8]) -> Element<'_> {
        Reader::new(octets, 0).next("").unwrap()
    }

    #[test]
    fn segments_are_joined_at_every_depth() {
        let nested = [0x24, 0x80, 0x04, 1, 1, 0x24, 5, 0x04, 0, 0x04, 1, 2, 0, 0];
        assert_eq!(*octet_string(first(&nested), 0x04).unwrap(), [1, 2]);
        let implicit = [0xA0, 0x80, 0x04, 2, 1, 2, 0, 0];
        assert_eq!(*octet_string(first(&implicit), 0x80).unwrap(), [1, 2]);
        assert_eq!(*octet_string(first(&[0x80, 1, 9]), 0x80).unwrap(), [9]);
        assert!(octet_string(first(&[0x24, 3, 0x02, 1, 9]), 0x04).is_err());
        assert!(octet_string(first(&[0x0C, 1, 9]), 0x04).is_err());
    }

    #[test]
    fn deep_segments_are_an_error() {
        let mut octets = vec![0x04, 0];
        for _ in 0..40 {
            octets = with_header(0x24, &octets).to_vec();
        }
        assert_eq!(octet_string(first(&octets), 0x04), Err(Error::TooDeep));
        assert_eq!(to_der(first(&octets)), Err(Error::TooDeep));
    }

    #[test]
    fn ber_becomes_der() {
        let ber = [
            0x30, 0x80, 0x02, 0x81, 1, 7, 0x23, 0x80, 0x03, 2, 0, 0xAA, 0x03, 2, 4, 0xB0, 0,
            0, //
            0xA0, 0x80, 0x2C, 3, 0x0C, 1, 65, 0, 0, 0, 0,
        ];
        let der = [0x30, 13, 0x02, 1, 7, 0x03, 3, 4, 0xAA, 0xB0, 0xA0, 3, 0x0C, 1, 65];
        assert_eq!(*to_der(first(&ber)).unwrap(), der);
        assert_eq!(*to_der(first(&der)).unwrap(), der);
    }

    #[test]
    fn numbers_are_bounded() {
        assert_eq!(number(first(&[2, 1, 0])), Ok(0));
        assert_eq!(number(first(&[2, 3, 0, 0xFF, 0xFF])), Ok(0xFFFF));
        for wrong in [&[2, 0][..], &[2, 1, 0x80], &[2, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0], &[4, 1, 1]] {
            assert!(number(first(wrong)).is_err(), "{wrong:?}");
        }
    }
}
