//! A CMS SignedData container as spans over its source. The content is never
//! held in memory; everything else is, up to [`MAX_HELD`].

use std::io::{BufReader, Read};

use ades_core::document::ReadSeek;
use ades_core::{Certificate, Document};

use crate::ber::{self, Element, Reader, malformed};
use crate::der;
use crate::error::Error;
use crate::oids;

/// A container may hold this many octets beside its content.
pub const MAX_HELD: u64 = 64 * 1024 * 1024;
/// A container may have this many signers.
pub const MAX_SIGNERS: usize = 256;
/// A container may have this many certificates, revocation values or
/// attributes in one set.
pub const MAX_ELEMENTS: usize = 4096;

/// A SignedData container of any origin: DER or BER, detached or enveloping.
#[derive(Clone, Debug)]
pub struct Container {
    /// From the first octet to encapContentInfo.
    head: Vec<u8>,
    pub(crate) head_spans: HeadSpans,
    pub(crate) encap: EncapContentInfo,
    /// From behind encapContentInfo to the last octet.
    tail: Vec<u8>,
    pub(crate) tail_spans: TailSpans,
    certificates: Vec<Certificate>,
}

/// The enclosing headers and the fields in front of the content.
#[derive(Clone, Debug)]
pub(crate) struct HeadSpans {
    /// ContentInfo, `[0]`, SignedData: whether each length is definite.
    pub(crate) definite: [bool; 3],
    pub(crate) version: Vec<u8>,
    pub(crate) digest_algorithms: (usize, usize),
}

/// `EncapsulatedContentInfo`.
#[derive(Clone, Debug)]
pub(crate) struct EncapContentInfo {
    pub(crate) offset: u64,
    pub(crate) end: u64,
    /// The eContentType's content octets.
    pub(crate) content_type: Vec<u8>,
    /// Where the eContent's OCTET STRING begins, if there is one.
    pub(crate) octet_string: Option<u64>,
    /// The content's length.
    pub(crate) length: u64,
}

/// Ranges in the tail.
#[derive(Clone, Debug)]
pub(crate) struct TailSpans {
    pub(crate) certificates: Option<(usize, usize)>,
    pub(crate) crls: Option<(usize, usize)>,
    pub(crate) signer_infos: (usize, usize),
}

impl Container {
    /// Reads a container from a seekable source, from its first octet.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the place, [`Error::NotSignedData`],
    /// [`Error::Limit`]; [`Error::Core`] if the source fails or is a stream.
    pub fn read(source: &mut Document<'_>) -> Result<Self, Error> {
        let total = source.len()?.ok_or(ades_core::Error::NotSeekable)?;
        let mut source = Source::new(source.random_access()?, total)?;

        let content_info = source.header(der::SEQUENCE, "no ContentInfo")?;
        let kind = source.small_element(der::OID, "no content type in ContentInfo")?;
        if kind != der::element(der::OID, &[oids::SIGNED_DATA]) {
            return Err(Error::NotSignedData);
        }
        let explicit = source.header(der::context(0), "no [0] in ContentInfo")?;
        let signed_data = source.header(der::SEQUENCE, "no SignedData")?;
        let version = source.small_element(der::INTEGER, "no version in SignedData")?;
        let start = source.at;
        let digest_algorithms = source.element(der::SET, "no digestAlgorithms")?;
        let end = start + digest_algorithms.len() as u64;

        let offset = source.at;
        let encap = source.header(der::SEQUENCE, "no encapContentInfo")?;
        let content_type = source.small_element(der::OID, "no eContentType")?;
        let (mut octet_string, mut length) = (None, 0);
        let has_content = match encap.content_len {
            Some(len) => source.at < offset + encap.len as u64 + len,
            None => source.peek()? != 0,
        };
        if has_content {
            let explicit = source.header(der::context(0), "no eContent")?;
            octet_string = Some(source.at);
            length = source.octet_string(0, None)?;
            source.end_of(&explicit)?;
        }
        source.end_of(&encap)?;
        let end_of_encap = source.at;
        if encap.content_len.is_some_and(|len| end_of_encap != offset + encap.len as u64 + len) {
            return Err(malformed(offset, "encapContentInfo is longer than what is in it"));
        }

        let head = source.read_range(0, offset)?;
        let tail = source.read_range(end_of_encap, total)?;
        let tail_spans = tail_spans(&tail, end_of_encap, &[signed_data, explicit, content_info])?;
        // Lengths that are definite must end where the octets do.
        if content_info.content_len.is_some_and(|len| content_info.len as u64 + len != total) {
            return Err(malformed(0, "octets behind the ContentInfo, or it is cut off"));
        }
        let usize_at = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let mut container = Self {
            head,
            head_spans: HeadSpans {
                definite: [content_info, explicit, signed_data].map(|h| h.content_len.is_some()),
                version,
                digest_algorithms: (usize_at(start), usize_at(end)),
            },
            encap: EncapContentInfo {
                offset,
                end: end_of_encap,
                content_type: content_type.get(2..).unwrap_or_default().to_vec(),
                octet_string,
                length,
            },
            tail,
            tail_spans,
            certificates: Vec::new(),
        };
        container.certificates = container
            .certificate_elements()?
            .iter()
            .filter(|e| e.tag == der::SEQUENCE)
            .filter_map(|e| Certificate::from_der(e.raw).ok())
            .collect();
        Ok(container)
    }

    /// Whether the content is in the container.
    #[must_use]
    pub const fn is_enveloping(&self) -> bool {
        self.encap.octet_string.is_some()
    }

    /// The content's length in octets, if it is in the container.
    #[must_use]
    pub const fn content_len(&self) -> Option<u64> {
        if self.is_enveloping() { Some(self.encap.length) } else { None }
    }

    /// The X.509 certificates in the container, in its order; those that do
    /// not read are left out.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Hands the content's octets to `take`, in pieces and in order.
    ///
    /// # Errors
    /// [`Error::DocumentNeeded`] if the content is not in the container;
    /// [`Error::Core`] if the source fails; what `take` yields.
    pub fn read_content(
        &self,
        source: &mut Document<'_>,
        take: &mut Take<'_>,
    ) -> Result<(), Error> {
        let start = self.encap.octet_string.ok_or(Error::DocumentNeeded)?;
        let total = source.len()?.ok_or(ades_core::Error::NotSeekable)?;
        let mut source = Source::new(source.random_access()?, total)?;
        source.seek(start)?;
        source.octet_string(0, Some(take)).map(|_| ())
    }

    pub(crate) fn digest_algorithm_elements(&self) -> Result<Vec<Element<'_>>, Error> {
        let (start, end) = self.head_spans.digest_algorithms;
        let octets = self.head.get(start..end).unwrap_or_default();
        Reader::new(octets, start as u64).next("no digestAlgorithms")?.children().all(MAX_ELEMENTS)
    }

    pub(crate) fn certificate_elements(&self) -> Result<Vec<Element<'_>>, Error> {
        self.set_elements(self.tail_spans.certificates, MAX_ELEMENTS)
    }

    pub(crate) fn crl_elements(&self) -> Result<Vec<Element<'_>>, Error> {
        self.set_elements(self.tail_spans.crls, MAX_ELEMENTS)
    }

    pub(crate) fn signer_elements(&self) -> Result<Vec<Element<'_>>, Error> {
        self.set_elements(Some(self.tail_spans.signer_infos), MAX_SIGNERS)
    }

    pub(crate) fn tail_slice(&self, (start, end): (usize, usize)) -> &[u8] {
        self.tail.get(start..end).unwrap_or_default()
    }

    fn set_elements(
        &self,
        span: Option<(usize, usize)>,
        max: usize,
    ) -> Result<Vec<Element<'_>>, Error> {
        let Some(span) = span else {
            return Ok(Vec::new());
        };
        let offset = self.encap.end + span.0 as u64;
        Reader::new(self.tail_slice(span), offset).next("an empty span")?.children().all(max)
    }
}

fn tail_spans(tail: &[u8], offset: u64, enclosing: &[ber::Header]) -> Result<TailSpans, Error> {
    let mut reader = Reader::new(tail, offset);
    let span = |element: Element<'_>| {
        let start = usize::try_from(element.offset - offset).unwrap_or(usize::MAX);
        (start, start.saturating_add(element.raw.len()))
    };
    let certificates = reader.next_if(der::context(0))?.map(span);
    let crls = reader.next_if(der::context(1))?.map(span);
    let signer_infos =
        reader.next("no signerInfos")?.expect(der::SET, "no signerInfos").map(span)?;
    for header in enclosing {
        if header.content_len.is_none() {
            let end = reader.next("no end-of-contents")?;
            if end.raw != [0, 0] {
                return Err(malformed(end.offset, "no end-of-contents"));
            }
        }
    }
    if !reader.is_empty() {
        return Err(malformed(reader.offset(), "octets behind the container"));
    }
    Ok(TailSpans { certificates, crls, signer_infos })
}

/// Reads a seekable source element by element.
struct Source<'a> {
    reader: BufReader<&'a mut dyn ReadSeek>,
    at: u64,
    total: u64,
}

impl<'a> Source<'a> {
    fn new(source: &'a mut dyn ReadSeek, total: u64) -> Result<Self, Error> {
        source.rewind().map_err(ades_core::Error::Read)?;
        Ok(Self { reader: BufReader::with_capacity(64 * 1024, source), at: 0, total })
    }

    fn seek(&mut self, to: u64) -> Result<(), Error> {
        let by = i64::try_from(to)
            .ok()
            .and_then(|to| to.checked_sub(i64::try_from(self.at).ok()?))
            .ok_or(Error::Limit { limit: "a container of 2^63 octets" })?;
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

    fn peek(&mut self) -> Result<u8, Error> {
        let mut octet = [0];
        self.read(&mut octet)?;
        self.seek(self.at - 1)?;
        Ok(octet[0])
    }

    fn any_header(&mut self) -> Result<ber::Header, Error> {
        let offset = self.at;
        let available = usize::try_from((self.total - offset).min(10)).unwrap_or(10);
        let mut octets = [0; 10];
        let octets = octets.get_mut(..available).unwrap_or_default();
        self.read(octets)?;
        let header = ber::header(octets, offset)?;
        self.seek(offset + header.len as u64)?;
        Ok(header)
    }

    fn header(&mut self, tag: u8, what: &'static str) -> Result<ber::Header, Error> {
        let offset = self.at;
        let header = self.any_header()?;
        if header.tag == tag { Ok(header) } else { Err(malformed(offset, what)) }
    }

    /// A whole element with a definite length.
    fn element(&mut self, tag: u8, what: &'static str) -> Result<Vec<u8>, Error> {
        let offset = self.at;
        let header = self.header(tag, what)?;
        let len = header.content_len.ok_or(malformed(offset, "an indefinite length here"))?;
        if len > MAX_HELD {
            return Err(Error::Limit { limit: "64 MiB beside the content" });
        }
        let end = self.at + len;
        let octets = self.read_range(offset, end)?;
        self.seek(end)?;
        Ok(octets)
    }

    /// One with at most 127 octets of content.
    fn small_element(&mut self, tag: u8, what: &'static str) -> Result<Vec<u8>, Error> {
        let offset = self.at;
        let element = self.element(tag, what)?;
        if element.get(1).is_some_and(|&len| len < 0x80) {
            Ok(element)
        } else {
            Err(malformed(offset, what))
        }
    }

    /// Consumes the end-of-contents octets of an indefinite length.
    fn end_of(&mut self, header: &ber::Header) -> Result<(), Error> {
        if header.content_len.is_none() {
            let offset = self.at;
            let mut octets = [1; 2];
            self.read(&mut octets)?;
            if octets != [0, 0] {
                return Err(malformed(offset, "no end-of-contents"));
            }
        }
        Ok(())
    }

    /// An OCTET STRING in any of its forms (X.690, 8.7): hands out its octets
    /// and yields their number. Skips over them where nobody asks.
    fn octet_string(
        &mut self,
        depth: usize,
        mut take: Option<&mut Take<'_>>,
    ) -> Result<u64, Error> {
        if depth == ber::MAX_DEPTH {
            return Err(Error::Limit { limit: "32 levels of nesting" });
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
                            return Err(malformed(offset, "a segment ends behind its string"));
                        }
                        None if self.peek()? == 0 => {
                            self.end_of(&header)?;
                            return Ok(total);
                        }
                        _ => total += self.octet_string(depth + 1, take.as_deref_mut())?,
                    }
                }
            }
            _ => Err(malformed(offset, "no OCTET STRING")),
        }
    }

    fn primitive(&mut self, len: u64, take: Option<&mut Take<'_>>) -> Result<(), Error> {
        if self.total.saturating_sub(self.at) < len {
            return Err(malformed(self.at, "the content is cut off"));
        }
        let Some(take) = take else {
            return self.seek(self.at + len);
        };
        let mut piece = vec![0; usize::try_from(len.min(128 * 1024)).unwrap_or(0)];
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

    fn read_range(&mut self, start: u64, end: u64) -> Result<Vec<u8>, Error> {
        let len = end.saturating_sub(start);
        if len > MAX_HELD {
            return Err(Error::Limit { limit: "64 MiB beside the content" });
        }
        if end > self.total {
            return Err(malformed(start, "the container is cut off"));
        }
        self.seek(start)?;
        let mut octets = Vec::new();
        self.reader.by_ref().take(len).read_to_end(&mut octets).map_err(ades_core::Error::Read)?;
        self.at += octets.len() as u64;
        if octets.len() as u64 == len { Ok(octets) } else { Err(malformed(self.at, "cut off")) }
    }
}

/// What takes the content's octets.
type Take<'a> = dyn FnMut(&[u8]) -> Result<(), Error> + 'a;

const CONSTRUCTED_OCTET_STRING: u8 = der::OCTET_STRING | 0x20;
