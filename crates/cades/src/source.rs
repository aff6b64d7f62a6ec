//! Reads a seekable source element by element, without holding the content in
//! memory.

use std::io::{BufReader, Read};

use ades_core::asn1::ber::{self, WRONG_LENGTH};
use ades_core::asn1::der;
use ades_core::document::ReadSeek;

use crate::container::MAX_HELD;
use crate::error::{Error, Limit, malformed};

/// A callback that receives the content's octets.
pub(crate) type Take<'a> = dyn FnMut(&[u8]) -> Result<(), Error> + 'a;

const CONSTRUCTED_OCTET_STRING: u8 = der::OCTET_STRING | 0x20;
/// The longest header that [`ber::header`] reads: tag, length of length, length.
const MAX_HEADER_LEN: usize = 10;
/// Length of the pieces in which the content is read.
const PIECE: u64 = 128 * 1024;

/// Reads a seekable source element by element.
pub(crate) struct Source<'a> {
    reader: BufReader<&'a mut dyn ReadSeek>,
    /// The offset of the next octet.
    pub(crate) at: u64,
    total: u64,
}

impl<'a> Source<'a> {
    pub(crate) fn new(source: &'a mut dyn ReadSeek, total: u64) -> Result<Self, Error> {
        source.rewind().map_err(ades_core::Error::Read)?;
        Ok(Self { reader: BufReader::with_capacity(64 * 1024, source), at: 0, total })
    }

    pub(crate) fn seek(&mut self, to: u64) -> Result<(), Error> {
        let by = i64::try_from(to)
            .ok()
            .and_then(|to| to.checked_sub(i64::try_from(self.at).ok()?))
            .ok_or(Limit::ContainerLen)?;
        self.reader.seek_relative(by).map_err(ades_core::Error::Read)?;
        self.at = to;
        Ok(())
    }

    fn read(&mut self, out: &mut [u8]) -> Result<(), Error> {
        if self.total.saturating_sub(self.at) < out.len() as u64 {
            return Err(malformed(self.at, "the container is cut off"));
        }
        self.reader.read_exact(out).map_err(ades_core::Error::Read)?;
        self.at += out.len() as u64;
        Ok(())
    }

    pub(crate) fn peek(&mut self) -> Result<u8, Error> {
        let mut octet = [0];
        self.read(&mut octet)?;
        self.seek(self.at - 1)?;
        Ok(octet[0])
    }

    pub(crate) fn any_header(&mut self) -> Result<ber::Header, Error> {
        let offset = self.at;
        let available = usize::try_from(self.total.saturating_sub(offset)).unwrap_or(usize::MAX);
        let available = available.min(MAX_HEADER_LEN);
        let mut octets = [0; MAX_HEADER_LEN];
        let octets = octets.get_mut(..available).unwrap_or_default();
        self.read(octets)?;
        let header = ber::header(octets, offset)?;
        self.seek(offset + header.len as u64)?;
        // After this check, no sum of an offset and a length overflows.
        if header.content_len.is_some_and(|len| len > self.total.saturating_sub(self.at)) {
            return Err(malformed(offset, "an element that ends after the container's end"));
        }
        Ok(header)
    }

    pub(crate) fn header(&mut self, tag: u8, what: &'static str) -> Result<ber::Header, Error> {
        let offset = self.at;
        let header = self.any_header()?;
        if header.tag == tag { Ok(header) } else { Err(malformed(offset, what)) }
    }

    /// The octets of an element. An element with another tag is an error that
    /// `what` describes.
    pub(crate) fn element(&mut self, tag: u8, what: &'static str) -> Result<Vec<u8>, Error> {
        let offset = self.at;
        let header = self.header(tag, what)?;
        let end = match header.content_len {
            Some(len) => self.at + len,
            None => {
                self.skip_to_end(0)?;
                self.at
            }
        };
        self.read_range(offset, end)
    }

    /// Skips the content of an element of indefinite length, and its
    /// end-of-contents octets.
    fn skip_to_end(&mut self, depth: usize) -> Result<(), Error> {
        if depth == ber::MAX_DEPTH {
            return Err(Limit::Nesting.into());
        }
        while self.peek()? != 0 {
            match self.any_header()?.content_len {
                Some(len) => self.seek(self.at + len)?,
                None => self.skip_to_end(depth + 1)?,
            }
        }
        self.end_of_contents()
    }

    /// An element with at most 127 octets of content: its octets, and its
    /// content.
    pub(crate) fn small_element(
        &mut self,
        tag: u8,
        what: &'static str,
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let offset = self.at;
        let header = self.header(tag, what)?;
        match header.content_len {
            Some(len) if len < 0x80 => {
                let raw = self.read_range(offset, self.at + len)?;
                let content = raw.get(header.len..).unwrap_or_default().to_vec();
                Ok((raw, content))
            }
            _ => Err(malformed(offset, what)),
        }
    }

    /// Checks that the element of `header` ends here, and reads its
    /// end-of-contents octets if its length is indefinite. `start` is the offset
    /// of its content.
    pub(crate) fn end_of(&mut self, header: &ber::Header, start: u64) -> Result<(), Error> {
        match header.content_len {
            None => self.end_of_contents(),
            Some(len) if start + len == self.at => Ok(()),
            Some(_) => Err(malformed(start - header.len as u64, WRONG_LENGTH)),
        }
    }

    fn end_of_contents(&mut self) -> Result<(), Error> {
        let offset = self.at;
        let mut octets = [1; 2];
        self.read(&mut octets)?;
        if octets == [0, 0] {
            Ok(())
        } else {
            Err(malformed(offset, "expected end-of-contents octets"))
        }
    }

    /// Reads an OCTET STRING in any of its forms (X.690, 8.7), passes its octets
    /// to `take` and returns their number. Without `take`, it skips them.
    pub(crate) fn octet_string(
        &mut self,
        depth: usize,
        mut take: Option<&mut Take<'_>>,
    ) -> Result<u64, Error> {
        if depth == ber::MAX_DEPTH {
            return Err(Limit::Nesting.into());
        }
        let offset = self.at;
        let header = self.any_header()?;
        match (header.tag, header.content_len) {
            (der::OCTET_STRING, Some(len)) => {
                self.primitive(len, take)?;
                Ok(len)
            }
            (CONSTRUCTED_OCTET_STRING, len) => {
                let end = len.map(|len| self.at.saturating_add(len));
                let mut total = 0;
                loop {
                    match end {
                        Some(end) if self.at == end => return Ok(total),
                        Some(end) if self.at > end => {
                            return Err(malformed(offset, "a segment that ends after its string"));
                        }
                        None if self.peek()? == 0 => {
                            self.end_of_contents()?;
                            return Ok(total);
                        }
                        _ => total += self.octet_string(depth + 1, take.as_deref_mut())?,
                    }
                }
            }
            _ => Err(malformed(offset, "expected an OCTET STRING")),
        }
    }

    fn primitive(&mut self, len: u64, take: Option<&mut Take<'_>>) -> Result<(), Error> {
        if self.total.saturating_sub(self.at) < len {
            return Err(malformed(self.at, "the content is cut off"));
        }
        match take {
            Some(take) => self.pieces(len, take),
            None => self.seek(self.at + len),
        }
    }

    /// Passes the next octets to `take`.
    pub(crate) fn pieces(&mut self, len: u64, take: &mut Take<'_>) -> Result<(), Error> {
        let mut piece = vec![0; usize::try_from(len.min(PIECE)).unwrap_or(0)];
        let mut left = len;
        while left > 0 {
            let count = usize::try_from(left.min(piece.len() as u64)).unwrap_or(0);
            let piece = piece.get_mut(..count).unwrap_or_default();
            self.read(piece)?;
            take(piece)?;
            left -= count as u64;
        }
        Ok(())
    }

    pub(crate) fn read_range(&mut self, start: u64, end: u64) -> Result<Vec<u8>, Error> {
        let len = end.saturating_sub(start);
        if len > MAX_HELD {
            return Err(Limit::Held.into());
        }
        if end > self.total {
            return Err(malformed(start, "the container is cut off"));
        }
        self.seek(start)?;
        // A vector that grows takes up to twice as much memory.
        let mut octets = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
        self.reader.by_ref().take(len).read_to_end(&mut octets).map_err(ades_core::Error::Read)?;
        self.at += octets.len() as u64;
        if octets.len() as u64 == len {
            Ok(octets)
        } else {
            Err(malformed(self.at, "the container is cut off"))
        }
    }
}
