//! DER: writes elements, and reads those of requests. The sandbox shares no code with the clients
//! that it tests, and needs little.

use time::OffsetDateTime;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0A;
pub(crate) const UTF8_STRING: u8 = 0x0C;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// `NULL`, whole
pub(crate) const NULL: &[u8] = &[0x05, 0x00];
/// `TRUE`, whole
pub(crate) const TRUE: &[u8] = &[BOOLEAN, 1, 0xFF];

/// The tag of a constructed element `[number]`.
pub(crate) const fn context(number: u8) -> u8 {
    0xA0 | number
}

/// The tag of a primitive element `[number]`.
pub(crate) const fn primitive(number: u8) -> u8 {
    0x80 | number
}

/// The header of an element with content of this length.
pub(crate) fn header(tag: u8, len: u64) -> Vec<u8> {
    let octets = len.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let octets = octets.get(zeros..).unwrap_or_default();
    match octets {
        [] => vec![tag, 0],
        [short] if *short < 0x80 => vec![tag, *short],
        // Eight octets at most.
        long => [&[tag, 0x80 | u8::try_from(long.len()).unwrap_or_default()], long].concat(),
    }
}

/// An element of a tag and its concatenated contents.
pub(crate) fn element(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let len: usize = contents.iter().map(|content| content.len()).sum();
    let mut der = header(tag, len as u64);
    contents.iter().for_each(|content| der.extend_from_slice(content));
    der
}

pub(crate) fn sequence(contents: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, contents)
}

pub(crate) fn oid(content: &[u8]) -> Vec<u8> {
    element(OID, &[content])
}

/// An `INTEGER` of a number without sign, big-endian.
pub(crate) fn unsigned(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    match number.get(zeros..).unwrap_or_default() {
        [] => element(INTEGER, &[&[0]]),
        [first, ..] if *first >= 0x80 => {
            element(INTEGER, &[&[0], number.get(zeros..).unwrap_or_default()])
        }
        digits => element(INTEGER, &[digits]),
    }
}

/// A `BIT STRING` of whole octets.
pub(crate) fn bits(octets: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], octets])
}

/// A `SET OF`: its elements are in the order of their octets.
pub(crate) fn set_of(mut elements: Vec<Vec<u8>>) -> Vec<u8> {
    elements.sort();
    element(SET, &[&elements.concat()])
}

/// `Extension`, not critical.
pub(crate) fn extension(kind: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[&oid(kind), &element(OCTET_STRING, &[value])])
}

/// `GeneralizedTime` of seconds since 1970.
pub(crate) fn generalized_time(seconds: u64) -> Vec<u8> {
    let time = calendar(seconds);
    element(GENERALIZED_TIME, &[format!("{:04}{}", time.year(), digits(time)).as_bytes()])
}

/// `UTCTime` of seconds since 1970.
pub(crate) fn utc_time(seconds: u64) -> Vec<u8> {
    let time = calendar(seconds);
    element(UTC_TIME, &[format!("{:02}{}", time.year() % 100, digits(time)).as_bytes()])
}

fn calendar(seconds: u64) -> OffsetDateTime {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn digits(time: OffsetDateTime) -> String {
    let (month, day) = (u8::from(time.month()), time.day());
    format!("{month:02}{day:02}{:02}{:02}{:02}Z", time.hour(), time.minute(), time.second())
}

/// An element that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    /// Header and content
    pub(crate) raw: &'a [u8],
    pub(crate) content: &'a [u8],
}

impl<'a> Element<'a> {
    pub(crate) const fn children(&self) -> Reader<'a> {
        Reader(self.content)
    }
}

/// Reads elements of definite length, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next element. `None` at the end, and if it is malformed.
    pub(crate) fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (len, content) = match first {
            0..=0x7F => (usize::from(first), rest),
            0x81..=0x84 => {
                let (digits, content) = rest.split_at_checked(usize::from(first & 0x7F))?;
                let len = digits.iter().fold(0, |len, &digit| (len << 8) | usize::from(digit));
                (len, content)
            }
            _ => return None,
        };
        let (content, after) = content.split_at_checked(len)?;
        let raw = self.0.get(..self.0.len() - after.len())?;
        self.0 = after;
        Some(Element { tag, raw, content })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        self.next().filter(|element| element.tag == tag)
    }

    /// The next element if it has this tag.
    pub(crate) fn next_if(&mut self, tag: u8) -> Option<Element<'a>> {
        (self.0.first() == Some(&tag)).then(|| self.next()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_the_shortest() {
        for (len, expected) in [
            (0, &[0x30, 0][..]),
            (0x7F, &[0x30, 0x7F]),
            (0x80, &[0x30, 0x81, 0x80]),
            (0x1234, &[0x30, 0x82, 0x12, 0x34]),
            (0x0612_3456, &[0x30, 0x84, 0x06, 0x12, 0x34, 0x56]),
        ] {
            assert_eq!(header(SEQUENCE, len), expected);
        }
    }

    #[test]
    fn numbers_have_no_sign() {
        for (number, expected) in [
            (&[][..], &[2, 1, 0][..]),
            (&[0, 0], &[2, 1, 0]),
            (&[0, 5], &[2, 1, 5]),
            (&[0x80], &[2, 2, 0, 0x80]),
        ] {
            assert_eq!(unsigned(number), expected);
        }
    }

    #[test]
    fn times_have_seconds() {
        assert_eq!(generalized_time(1_794_047_405), b"\x18\x0F20261107103005Z");
        assert_eq!(utc_time(1_794_047_405), b"\x17\x0D261107103005Z");
    }

    #[test]
    fn what_was_written_is_read_and_what_is_cut_off_is_not() {
        let whole = sequence(&[&unsigned(&[7]), &element(OCTET_STRING, &[&[0xAB; 300]])]);
        let mut fields = Reader(&whole).next().unwrap().children();
        assert_eq!(fields.expect(INTEGER).unwrap().content, [7]);
        assert_eq!(fields.next_if(SET), None);
        assert_eq!(fields.next_if(OCTET_STRING).unwrap().content, [0xAB; 300]);
        assert_eq!(fields.next(), None);
        for end in 0..whole.len() {
            assert_eq!(Reader(&whole[..end]).next(), None, "{end}");
        }
        assert_eq!(Reader(&[0x30, 0x80, 0, 0]).next(), None, "indefinite length");
    }
}
