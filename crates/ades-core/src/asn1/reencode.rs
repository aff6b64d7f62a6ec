//! Encodes BER as DER, for a digest that is over the DER of what was sent as BER
//! (RFC 5652, 5.4). The result is never written to a container.

use super::ber::{CONSTRUCTED, Error, MAX_DEPTH, length, malformed};
use super::der;

/// Takes octets and their offset.
type Take<'t, T> = dyn FnMut(&[u8], u64) -> Result<T, Error> + 't;

/// Maximum number of elements in a SET.
const MAX_ELEMENTS: usize = 4096;

const BOOLEAN: u8 = 0x01;
const BIT_STRING: u8 = 0x03;

/// The DER of a SET in BER with its universal tag, whatever its tag in `octets`
/// (X.690, clauses 10 and 11): shortest definite lengths, strings without
/// segments, `SET OF` in ascending order, TRUE as `FF`, unused bits of zero.
///
/// `octets` are exactly one element, at position `offset` of the container.
/// Without the ASN.1 module, a SET cannot be distinguished from a `SET OF`, and
/// a DEFAULT value that is present cannot be recognised. No attribute of CMS has
/// either.
///
/// # Errors
/// [`Error::Malformed`]; [`Error::TooDeep`] for more than [`MAX_DEPTH`] levels,
/// whatever their lengths; [`Error::TooManyElements`] for more than 4,096
/// elements in a SET.
pub fn set_to_der(octets: &[u8], offset: u64) -> Result<Vec<u8>, Error> {
    let element = OpenElement::read(octets, offset, 0)?;
    if element.first & CONSTRUCTED == 0 {
        return Err(malformed(offset, "expected a set"));
    }
    to_der(&OpenElement { first: der::SET, ..element }, octets.len())
}

/// The DER of exactly one element in BER, whatever its tag. See [`set_to_der`].
///
/// # Errors
/// As [`set_to_der`].
pub fn element_to_der(octets: &[u8], offset: u64) -> Result<Vec<u8>, Error> {
    to_der(&OpenElement::read(octets, offset, 0)?, octets.len())
}

/// The DER of an element that has `len` octets.
fn to_der(element: &OpenElement<'_>, len: usize) -> Result<Vec<u8>, Error> {
    // DER is never longer than BER. A header is written before it is put into its place.
    let mut out = Vec::with_capacity(len + 16);
    let end = append(element, 0, &mut out)?;
    if end == len { Ok(out) } else { Err(malformed(element.offset, "octets after its end")) }
}

/// Appends the DER of an element, and returns its length in BER. The header is
/// written after the content, because its length depends on it. It goes into the space
/// that it has in BER, which is mostly the space that it needs.
fn append(element: &OpenElement<'_>, depth: usize, out: &mut Vec<u8>) -> Result<usize, Error> {
    let start = out.len();
    let space = element.header_len;
    out.resize(start + space, 0);
    let content = out.len();
    let consumed = if element.in_segments() {
        append_segments(element, depth, out)?
    } else if element.first & CONSTRUCTED != 0 {
        let mut starts = Vec::new();
        let is_set = element.first == der::SET;
        let consumed = element.children(&mut |octets, offset| {
            if is_set {
                starts.push(out.len());
            }
            if starts.len() > MAX_ELEMENTS {
                return Err(Error::TooManyElements);
            }
            append(&OpenElement::read(octets, offset, depth + 1)?, depth + 1, out)
        })?;
        sort(out, &starts);
        consumed
    } else {
        out.extend_from_slice(element.content()?);
        normalise(element.first, out.get_mut(content..).unwrap_or_default());
        element.header_len + element.body_len()
    };
    let first = if element.in_segments() { element.first & !CONSTRUCTED } else { element.first };
    let end = out.len();
    out.push(first);
    out.extend_from_slice(element.tag_number);
    der::push_length(out, (end - content) as u64);
    let header_len = out.len() - end;
    if header_len == space {
        out.copy_within(end.., start);
        out.truncate(end);
    } else {
        if let Some(written) = out.get_mut(start..) {
            written.rotate_right(header_len);
        }
        out.drain(start + header_len..start + header_len + space);
    }
    Ok(consumed)
}

/// One element in BER, whose end is not known if its length is indefinite.
struct OpenElement<'a> {
    /// The first identifier octet.
    first: u8,
    /// The other identifier octets, of a tag number above 30.
    tag_number: &'a [u8],
    header_len: usize,
    content_len: Option<u64>,
    /// The octets after the header, those after the element included.
    body: &'a [u8],
    offset: u64,
}

impl<'a> OpenElement<'a> {
    fn read(octets: &'a [u8], offset: u64, depth: usize) -> Result<Self, Error> {
        if depth == MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let truncated = malformed(offset, "a truncated tag or length");
        let first = *octets.first().ok_or(truncated)?;
        // A tag number above 30 follows in octets of seven bits (X.690, 8.1.2.4).
        let rest = octets.get(1..).unwrap_or_default();
        let more = if first & 0x1F == 0x1F {
            let last = rest.iter().position(|octet| octet & 0x80 == 0);
            1 + last.ok_or(truncated)?
        } else {
            0
        };
        let (tag_number, rest) = rest.split_at_checked(more).ok_or(truncated)?;
        let (len, content_len) = length(rest, first & CONSTRUCTED != 0, offset)?;
        let header_len = 1 + more + len;
        let body = rest.get(len..).unwrap_or_default();
        Ok(Self { first, tag_number, header_len, content_len, body, offset })
    }

    /// Whether this is a string in segments: a universal type that DER encodes as
    /// primitive.
    const fn in_segments(&self) -> bool {
        const EXTERNAL: u8 = 8;
        const EMBEDDED_PDV: u8 = 11;
        const SEQUENCE: u8 = 16;
        const SET: u8 = 17;
        let number = self.first & 0x1F;
        self.first & 0xC0 == 0
            && self.first & CONSTRUCTED != 0
            && !matches!(number, EXTERNAL | EMBEDDED_PDV | SEQUENCE | SET | 0x1F)
    }

    fn body_len(&self) -> usize {
        self.content_len.and_then(|len| usize::try_from(len).ok()).unwrap_or(usize::MAX)
    }

    fn content(&self) -> Result<&'a [u8], Error> {
        let truncated = malformed(self.offset, "a truncated element");
        self.body.get(..self.body_len()).ok_or(truncated)
    }

    /// Passes each element of the content, with the octets after it, to `take`,
    /// which returns its length. Returns the length of this element.
    fn children(&self, take: &mut Take<'_, usize>) -> Result<usize, Error> {
        let indefinite = self.content_len.is_none();
        let content = if indefinite { self.body } else { self.content()? };
        let mut at = 0;
        loop {
            let rest = content.get(at..).unwrap_or_default();
            if indefinite && rest.starts_with(&[0, 0]) {
                return Ok(self.header_len + at + 2);
            }
            if rest.is_empty() && !indefinite {
                return Ok(self.header_len + at);
            }
            at += take(rest, self.offset + (self.header_len + at) as u64)?;
        }
    }
}

/// Appends the content of a string in segments (X.690, 8.6.4, 8.7.3 and 8.23.3).
fn append_segments(
    string: &OpenElement<'_>,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<usize, Error> {
    if string.first & 0x1F != BIT_STRING {
        return each_segment(string, depth, &mut |octets, _| {
            out.extend_from_slice(octets);
            Ok(())
        });
    }
    // The last segment decides the number of unused bits.
    let start = out.len();
    out.push(0);
    let consumed = each_segment(string, depth, &mut |octets, offset| {
        let (unused, bits) =
            octets.split_first().ok_or(malformed(offset, "a BIT STRING without octets"))?;
        if let Some(place) = out.get_mut(start) {
            *place = *unused;
        }
        out.extend_from_slice(bits);
        Ok(())
    })?;
    normalise(BIT_STRING, out.get_mut(start..).unwrap_or_default());
    Ok(consumed)
}

/// Passes the content of each segment to `take`.
fn each_segment(
    string: &OpenElement<'_>,
    depth: usize,
    take: &mut Take<'_, ()>,
) -> Result<usize, Error> {
    string.children(&mut |octets, offset| {
        let segment = OpenElement::read(octets, offset, depth + 1)?;
        if segment.in_segments() {
            return each_segment(&segment, depth + 1, take);
        }
        if segment.first & (0xC0 | CONSTRUCTED) != 0 {
            return Err(malformed(offset, "a segment that is not a string"));
        }
        take(segment.content()?, offset)?;
        Ok(segment.header_len + segment.body_len())
    })
}

/// Changes the content of a primitive type with several encodings in BER to the
/// only one in DER (X.690, 11.1 and 11.2).
fn normalise(identifier: u8, content: &mut [u8]) {
    match (identifier, content) {
        (BOOLEAN, [value]) if *value != 0 => *value = 0xFF,
        (BIT_STRING, [unused @ 1..=7, .., last]) => *last &= 0xFF << *unused,
        _ => {}
    }
}

/// Puts the elements that begin at `starts` and end with `out` in ascending
/// order (X.690, 11.6).
fn sort(out: &mut Vec<u8>, starts: &[usize]) {
    let [first, _, ..] = starts else {
        return;
    };
    let ends = starts.iter().skip(1).copied().chain([out.len()]);
    let ranges = starts.iter().zip(ends);
    let mut elements: Vec<&[u8]> =
        ranges.map(|(start, end)| out.get(*start..end).unwrap_or_default()).collect();
    if !elements.is_sorted() {
        elements.sort_unstable();
        let sorted = elements.concat();
        out.truncate(*first);
        out.extend(sorted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_der(octets: &[u8]) -> Result<Vec<u8>, Error> {
        to_der(&OpenElement::read(octets, 0, 0)?, octets.len())
    }

    fn der(octets: &[u8]) -> Vec<u8> {
        try_der(octets).unwrap()
    }

    #[test]
    fn a_set_gets_its_universal_tag_and_order() {
        let implicit = [0xA0, 0x80, 5, 0, 2, 1, 1, 0, 0];
        assert_eq!(set_to_der(&implicit, 0).unwrap(), [0x31, 5, 2, 1, 1, 5, 0]);
        assert!(set_to_der(&[0x80, 0], 0).is_err());
        assert!(set_to_der(&[0xA0, 0, 0], 0).is_err());
    }

    #[test]
    fn der_stays_as_it_is() {
        for octets in [
            &[0x31, 0][..],
            &[0x30, 6, 0x31, 4, 2, 0, 5, 0],
            &[0x01, 1, 0xFF],
            &[0x03, 2, 4, 0xF0],
            &[0x9F, 0x81, 0x01, 1, 7],
            &[0xBF, 0x1F, 3, 2, 1, 0x80],
            &[0xA0, 3, 1, 1, 0],
        ] {
            assert_eq!(der(octets), octets);
        }
    }

    #[test]
    fn lengths_segments_sets_and_values_take_the_form_of_der() {
        for (ber, expected) in [
            // Indefinite and long lengths.
            (&[0x30, 0x80, 0x30, 0x80, 2, 1, 7, 0, 0, 0, 0][..], &[0x30, 5, 0x30, 3, 2, 1, 7][..]),
            (&[0x30, 0x82, 0, 4, 2, 0x81, 1, 7], &[0x30, 3, 2, 1, 7]),
            // Segments in segments.
            (&[0x24, 0x80, 4, 1, 1, 0x24, 3, 4, 1, 2, 0, 0], &[4, 2, 1, 2]),
            (&[0x2C, 4, 4, 2, b'a', b'b'], &[0x0C, 2, b'a', b'b']),
            (&[0x23, 8, 3, 2, 0, 0xAA, 3, 2, 4, 0xFF], &[3, 3, 4, 0xAA, 0xF0]),
            // Sets at any depth.
            (&[0x31, 6, 2, 1, 9, 2, 1, 1], &[0x31, 6, 2, 1, 1, 2, 1, 9]),
            (&[0xA1, 8, 0x31, 6, 5, 0, 2, 2, 0, 1], &[0xA1, 8, 0x31, 6, 2, 2, 0, 1, 5, 0]),
            // The order is that of the DER, not of the BER.
            (&[0x31, 8, 4, 0x81, 1, 1, 4, 2, 0, 0], &[0x31, 7, 4, 1, 1, 4, 2, 0, 0]),
            (&[0x01, 1, 1], &[1, 1, 0xFF]),
            (&[0x03, 2, 4, 0xFF], &[3, 2, 4, 0xF0]),
        ] {
            assert_eq!(der(ber), expected, "{ber:02x?}");
        }
    }

    #[test]
    fn malformed_octets_are_errors() {
        for octets in [
            &[][..],
            &[0x30],
            &[0x30, 3, 2, 1],
            &[0x30, 0x80, 2, 1, 7],
            &[0x30, 4, 2, 3, 7, 7],
            &[0x02, 1, 1, 0],
            &[0x1F, 0x81],
            &[0x24, 4, 0x30, 2, 5, 0],
            &[0x23, 2, 3, 0],
        ] {
            assert!(matches!(try_der(octets), Err(Error::Malformed { .. })), "{octets:02x?}");
        }
        let mut deep = [0x30, 0x80].repeat(100_000);
        assert_eq!(try_der(&deep), Err(Error::TooDeep));
        deep = [5, 0].repeat(MAX_ELEMENTS + 1);
        assert_eq!(try_der(&der::element(der::SET, &[&deep])), Err(Error::TooManyElements));
    }
}
