//! Reads BER that others encoded, with definite and indefinite lengths (X.690,
//! clause 8). Elements are spans of the original octets.

/// Why octets cannot be read as elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// They violate BER, or are not the expected element.
    Malformed {
        /// position in the container; the first octet is 0
        offset: u64,
        /// the rule that they violate, or the element that is missing
        what: &'static str,
    },
    /// Elements of indefinite length are nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// There are more elements than the caller allows.
    TooManyElements,
}

/// Maximum nesting depth of elements of indefinite length.
pub const MAX_DEPTH: usize = 32;

/// The bit of the identifier octet that marks constructed elements.
pub(super) const CONSTRUCTED: u8 = 0x20;

/// The message for a definite length that does not end where the content ends.
pub const WRONG_LENGTH: &str = "a length that differs from that of the content";

/// An element in a slice of octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// The identifier octet.
    pub tag: u8,
    /// The whole element, end-of-contents octets included.
    pub raw: &'a [u8],
    /// Its content octets.
    pub content: &'a [u8],
    /// Its position in the container; the first octet is 0.
    pub offset: u64,
    /// Whether its length is indefinite.
    pub indefinite: bool,
}

impl<'a> Element<'a> {
    /// A reader of the elements in the content octets.
    pub fn children(&self) -> Reader<'a> {
        let header = self.raw.len() - self.content.len() - if self.indefinite { 2 } else { 0 };
        Reader { rest: self.content, offset: self.offset + header as u64 }
    }

    /// Returns the element if it has this tag, otherwise [`Error::Malformed`].
    pub fn expect(self, tag: u8, what: &'static str) -> Result<Self, Error> {
        if self.tag == tag { Ok(self) } else { Err(malformed(self.offset, what)) }
    }
}

/// Reads consecutive elements.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    offset: u64,
}

impl<'a> Reader<'a> {
    /// A reader of `octets`, which begin at position `offset` of the container.
    pub const fn new(octets: &'a [u8], offset: u64) -> Self {
        Self { rest: octets, offset }
    }

    /// The position of the next element in the container.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether all elements were read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads the next element. If there is none, the error describes the expected
    /// element with `what`.
    pub fn next(&mut self, what: &'static str) -> Result<Element<'a>, Error> {
        self.try_next()?.ok_or(malformed(self.offset, what))
    }

    /// Reads the next element, if there is one.
    pub fn try_next(&mut self) -> Result<Option<Element<'a>>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let truncated = malformed(self.offset, "a truncated element");
        let header = header(self.rest, self.offset)?;
        let body = self.rest.get(header.len..).ok_or(truncated)?;
        let (content_len, end) = match header.content_len {
            Some(len) => {
                let len = usize::try_from(len).unwrap_or(usize::MAX);
                (len, header.len.saturating_add(len))
            }
            None => {
                let len = indefinite_len(body, self.offset + header.len as u64, 0)?;
                (len, header.len + len + 2)
            }
        };
        let (Some(raw), Some(content)) = (self.rest.get(..end), body.get(..content_len)) else {
            return Err(truncated);
        };
        let element = Element {
            tag: header.tag,
            raw,
            content,
            offset: self.offset,
            indefinite: header.content_len.is_none(),
        };
        self.rest = self.rest.get(end..).unwrap_or_default();
        self.offset += end as u64;
        Ok(Some(element))
    }

    /// Reads the next element, if it has this tag.
    pub fn next_if(&mut self, tag: u8) -> Result<Option<Element<'a>>, Error> {
        if self.rest.first() == Some(&tag) { self.try_next() } else { Ok(None) }
    }

    /// Reads all remaining elements. More than `max` are an error.
    pub fn all(self, max: usize) -> Result<Vec<Element<'a>>, Error> {
        let mut elements = Vec::new();
        self.each(max, |element| elements.push(element))?;
        Ok(elements)
    }

    /// Passes all remaining elements to `take`. More than `max` are an error.
    pub fn each(mut self, max: usize, mut take: impl FnMut(Element<'a>)) -> Result<(), Error> {
        let mut count = 0;
        while let Some(element) = self.try_next()? {
            if count == max {
                return Err(Error::TooManyElements);
            }
            count += 1;
            take(element);
        }
        Ok(())
    }
}

/// An element's tag and length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The identifier octet.
    pub tag: u8,
    /// The number of octets of tag and length.
    pub len: usize,
    /// The length of the content; `None` if it is indefinite.
    pub content_len: Option<u64>,
}

/// Reads tag and length. Tag numbers above 30 and lengths of more than eight
/// octets are rejected.
pub fn header(octets: &[u8], offset: u64) -> Result<Header, Error> {
    let [tag, rest @ ..] = octets else {
        return Err(malformed(offset, "a truncated tag or length"));
    };
    if tag & 0x1F == 0x1F {
        return Err(malformed(offset, "a tag number above 30"));
    }
    let (len, content_len) = length(rest, tag & CONSTRUCTED != 0, offset)?;
    Ok(Header { tag: *tag, len: 1 + len, content_len })
}

/// Reads the length octets that `octets` begin with, of the element at `offset`.
/// Returns their number and the length of the content; `None` if it is
/// indefinite, which only constructed elements can have.
pub(super) fn length(
    octets: &[u8],
    constructed: bool,
    offset: u64,
) -> Result<(usize, Option<u64>), Error> {
    let truncated = malformed(offset, "a truncated tag or length");
    let [first, rest @ ..] = octets else {
        return Err(truncated);
    };
    match first {
        0x00..=0x7F => Ok((1, Some(u64::from(*first)))),
        0x80 if constructed => Ok((1, None)),
        0x81..=0x88 => {
            let count = usize::from(first & 0x7F);
            let Some(octets) = rest.get(..count) else {
                return Err(truncated);
            };
            let len = octets.iter().fold(0u64, |len, &octet| len << 8 | u64::from(octet));
            Ok((1 + count, Some(len)))
        }
        _ => Err(malformed(offset, "a length that BER does not allow here")),
    }
}

/// The number of octets before the end-of-contents octets. Elements of definite
/// length are skipped and those of indefinite length are entered, so that the
/// cost is linear.
fn indefinite_len(octets: &[u8], offset: u64, depth: usize) -> Result<usize, Error> {
    if depth == MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    let mut at = 0usize;
    loop {
        let here = offset + at as u64;
        let rest = octets.get(at..).unwrap_or_default();
        if rest.starts_with(&[0, 0]) {
            return Ok(at);
        }
        let header = header(rest, here)?;
        at = at.saturating_add(header.len);
        at = match header.content_len {
            Some(len) => at.saturating_add(usize::try_from(len).unwrap_or(usize::MAX)),
            None => {
                let inner = octets.get(at..).unwrap_or_default();
                at + indefinite_len(inner, offset + at as u64, depth + 1)? + 2
            }
        };
        if at > octets.len() {
            return Err(malformed(here, "a truncated element"));
        }
    }
}

/// The position of the first header that DER does not allow (X.690, 10.1 and
/// 10.2): an indefinite length, a length in more octets than needed, a string in
/// segments, or a header that [`header`] rejects. `octets` may end within an
/// element.
pub fn first_not_der(octets: &[u8], offset: u64) -> Option<u64> {
    const SEQUENCE_AND_SET: [u8; 2] = [0x10, 0x11];

    let mut at = 0usize;
    while let Some(rest) = octets.get(at..).filter(|rest| !rest.is_empty()) {
        let here = offset + at as u64;
        let Ok(header) = header(rest, here) else {
            return Some(here);
        };
        let universal = header.tag & 0xC0 == 0;
        let constructed = header.tag & 0x20 != 0;
        let in_segments =
            universal && constructed && !SEQUENCE_AND_SET.contains(&(header.tag & 0x1F));
        let shortest = header.content_len.is_some_and(|len| header.len == header_len(len));
        if in_segments || !shortest {
            return Some(here);
        }
        at = at.saturating_add(header.len);
        if !constructed {
            let len = header.content_len.and_then(|len| usize::try_from(len).ok());
            at = at.saturating_add(len.unwrap_or(usize::MAX));
        }
    }
    None
}

/// The position of the first element of a `SET OF` that follows a greater one
/// (X.690, 11.6).
pub fn first_unsorted(set: &[Element<'_>]) -> Option<u64> {
    let mut pairs = set.iter().zip(set.iter().skip(1));
    pairs.find(|(before, after)| before.raw > after.raw).map(|(_, after)| after.offset)
}

/// The number of octets of tag and length in DER.
fn header_len(content_len: u64) -> usize {
    match content_len {
        0..0x80 => 2,
        _ => 2 + (u64::BITS - content_len.leading_zeros()).div_ceil(8) as usize,
    }
}

pub(super) const fn malformed(offset: u64, what: &'static str) -> Error {
    Error::Malformed { offset, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indefinite_lengths_end_at_their_own_end_of_contents() {
        let octets = [0x30, 0x80, 0x24, 0x80, 0x04, 0x01, 0xAA, 0, 0, 0, 0, 0x02, 0x01, 0x07];
        let mut reader = Reader::new(&octets, 100);
        let outer = reader.next("").unwrap();
        assert_eq!(outer.raw.len(), 11);
        assert!(outer.indefinite);
        let inner = outer.children().next("").unwrap();
        assert_eq!((inner.offset, inner.content), (102, [0x04, 0x01, 0xAA].as_slice()));
        assert_eq!(reader.next("").unwrap().content, [7]);
        assert!(reader.is_empty());
    }

    #[test]
    fn deep_nesting_is_rejected() {
        let mut octets = [0x30, 0x80].repeat(100_000);
        octets.extend_from_slice(&[0, 0].repeat(100_000));
        assert!(matches!(Reader::new(&octets, 0).next(""), Err(Error::TooDeep)));
    }

    #[test]
    fn every_truncation_is_an_error_with_its_offset() {
        let octets = [0x30, 0x81, 0x03, 0x02, 0x01, 0x07];
        for len in 1..octets.len() {
            let truncated = octets.get(..len).unwrap();
            assert!(matches!(
                Reader::new(truncated, 0).next(""),
                Err(Error::Malformed { offset: 0, .. })
            ));
        }
    }
}
