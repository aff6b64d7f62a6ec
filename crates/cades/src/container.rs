//! A CMS SignedData container as spans over its source. The content is never
//! held in memory; everything else is, up to [`MAX_HELD`].

use std::fmt;

use ades_core::asn1::ber::{self, Element, Reader, WRONG_LENGTH};
use ades_core::asn1::der;
use ades_core::{Certificate, Digest, DigestAlgorithm, Digester, Document};

use crate::error::{Error, Limit, malformed};
use crate::oids;
use crate::source::{Source, Take};

/// Maximum number of octets in a container, not counting its content.
pub const MAX_HELD: u64 = 64 * 1024 * 1024;
/// Maximum number of signers in a container.
pub const MAX_SIGNERS: usize = 256;
/// Maximum number of countersignatures in a container.
pub const MAX_COUNTERSIGNATURES: usize = 1024;
/// Maximum depth of countersignatures on countersignatures.
pub const MAX_COUNTERSIGNATURE_DEPTH: usize = 8;
/// Maximum number of elements in one set: certificates, revocation values,
/// attributes or an attribute's values.
pub const MAX_ELEMENTS: usize = ades_evidence::cms::MAX_ELEMENTS;
/// Maximum number of octets in the signed attributes of one signature.
pub const MAX_SIGNED_ATTRIBUTES_LEN: usize = 16 * 1024 * 1024;
/// Maximum number of octets in the certificates of a container.
pub const MAX_CERTIFICATES_LEN: usize = 16 * 1024 * 1024;
/// Maximum number of values that the reports of one container list: names, roles,
/// policies, commitments, lines of addresses, unsigned attributes and the like.
pub const MAX_LISTED: usize = 16 * 1024;
/// Maximum number of octets in the texts among these values.
pub const MAX_LISTED_LEN: usize = 4 * 1024 * 1024;
/// Maximum depth of nested elements with indefinite lengths, and of nested
/// elements in signed attributes.
pub const MAX_DEPTH: usize = ber::MAX_DEPTH;

/// A SignedData container from any producer: DER or BER, detached or enveloping.
#[derive(Clone)]
pub struct Container {
    /// From the first octet to encapContentInfo.
    head: Vec<u8>,
    pub(crate) head_spans: HeadSpans,
    pub(crate) encap: EncapContentInfo,
    /// From the end of encapContentInfo to the last octet.
    tail: Vec<u8>,
    pub(crate) tail_spans: TailSpans,
    certificates: Vec<Certificate>,
}

/// The enclosing headers, and the fields before encapContentInfo.
#[derive(Clone, Debug)]
pub(crate) struct HeadSpans {
    /// Whether the lengths of ContentInfo, `[0]` and SignedData are definite.
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
    /// Offset of the eContent's OCTET STRING, if there is one.
    pub(crate) octet_string: Option<u64>,
    /// The content's length.
    pub(crate) length: u64,
    /// The headers before the content's octets.
    headers: Vec<u8>,
}

/// Ranges in the tail.
#[derive(Clone, Debug)]
pub(crate) struct TailSpans {
    pub(crate) certificates: Option<(usize, usize)>,
    pub(crate) crls: Option<(usize, usize)>,
    pub(crate) signer_infos: (usize, usize),
}

impl Container {
    /// Reads a container from a seekable source. The source must contain nothing
    /// else.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the offset, [`Error::NotSignedData`],
    /// [`Error::Limit`]; [`Error::Core`] if the source fails or is a stream.
    pub fn read(source: &mut Document<'_>) -> Result<Self, Error> {
        let total = source.len()?.ok_or(ades_core::Error::NotSeekable)?;
        let mut source = Source::new(source.random_access()?, total)?;

        let content_info = Enclosing::read(&mut source, der::SEQUENCE, "expected ContentInfo")?;
        let (_, kind) = source.small_element(der::OID, "expected content type in ContentInfo")?;
        if kind != oids::SIGNED_DATA {
            return Err(Error::NotSignedData);
        }
        let explicit =
            Enclosing::read(&mut source, der::context(0), "expected [0] in ContentInfo")?;
        let signed_data = Enclosing::read(&mut source, der::SEQUENCE, "expected SignedData")?;
        let (version, _) = source.small_element(der::INTEGER, "expected version in SignedData")?;
        let start = source.at;
        let digest_algorithms = source.element(der::SET, "expected digestAlgorithms")?;
        let end = start + digest_algorithms.len() as u64;

        let encap = read_encap(&mut source)?;
        let head = source.read_range(0, encap.offset)?;
        let tail = source.read_range(encap.end, total)?;
        let enclosing = [&signed_data, &explicit, &content_info];
        let tail_spans = tail_spans(&tail, encap.end, enclosing)?;
        let usize_at = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let mut container = Self {
            head,
            head_spans: HeadSpans {
                definite: [content_info, explicit, signed_data]
                    .map(|e| e.header.content_len.is_some()),
                version,
                digest_algorithms: (usize_at(start), usize_at(end)),
            },
            encap,
            tail,
            tail_spans,
            certificates: Vec::new(),
        };
        let certificates = container.certificate_elements()?;
        // They are copied.
        if certificates.iter().map(|e| e.raw.len()).sum::<usize>() > MAX_CERTIFICATES_LEN {
            return Err(Limit::CertificatesLen.into());
        }
        container.certificates = certificates
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

    /// The X.509 certificates in the container, in its order, without those
    /// that are malformed.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Passes the content's octets to `take`, in pieces and in order.
    ///
    /// # Errors
    /// [`Error::DocumentNeeded`] if the content is not in the container;
    /// [`Error::Core`] if the source fails; the errors of `take`.
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

    /// Passes the octets of encapContentInfo, as they are stored, to `take`.
    pub(crate) fn read_encapsulated(
        &self,
        source: &mut Document<'_>,
        take: &mut Take<'_>,
    ) -> Result<(), Error> {
        let total = source.len()?.ok_or(ades_core::Error::NotSeekable)?;
        let mut source = Source::new(source.random_access()?, total)?;
        source.seek(self.encap.offset)?;
        source.pieces(self.encap.end.saturating_sub(self.encap.offset), take)
    }

    /// The whole fields certificates and crls, with their tags.
    pub(crate) fn evidence_fields(&self) -> [&[u8]; 2] {
        let field = |span: Option<_>| span.map_or(&[][..], |span| self.tail_slice(span));
        [field(self.tail_spans.certificates), field(self.tail_spans.crls)]
    }

    pub(crate) fn version(&self) -> Option<u8> {
        match Reader::new(&self.head_spans.version, 0).next("expected a version").ok()?.content {
            [version @ 0..0x80] => Some(*version),
            _ => None,
        }
    }

    /// The offset of the first octets that are not DER, as far as headers and
    /// the sets of SignedData show: an indefinite length, a length in more
    /// octets than needed, a string in segments, an unsorted `SET OF`.
    pub(crate) fn first_not_der(&self) -> Option<u64> {
        let headers = [
            ber::first_not_der(&self.head, 0),
            ber::first_not_der(&self.encap.headers, self.encap.offset),
            ber::first_not_der(&self.tail, self.encap.end),
        ];
        let sets = [
            self.digest_algorithm_elements(),
            self.certificate_elements(),
            self.crl_elements(),
            self.signer_elements(),
        ];
        let unsorted = sets.iter().flatten().filter_map(|set| ber::first_unsorted(set));
        headers.into_iter().flatten().chain(unsorted).min()
    }

    /// The whole field digestAlgorithms.
    pub(crate) fn digest_algorithms_field(&self) -> &[u8] {
        let (start, end) = self.head_spans.digest_algorithms;
        self.head.get(start..end).unwrap_or_default()
    }

    /// The digest of all octets but those of encapContentInfo, and the length of the whole
    /// container. The digest of the content is in the signatures.
    pub(crate) fn outside_digest(&self) -> (Digest, u64) {
        let mut digester = Digester::new(DigestAlgorithm::Sha256);
        digester.update(&self.head);
        digester.update(&self.tail);
        (digester.finish(), self.encap.end + self.tail.len() as u64)
    }

    pub(crate) fn digest_algorithm_elements(&self) -> Result<Vec<Element<'_>>, Error> {
        let (start, _) = self.head_spans.digest_algorithms;
        let octets = self.digest_algorithms_field();
        let set = Reader::new(octets, start as u64).next("expected digestAlgorithms")?;
        Ok(set.children().all(MAX_ELEMENTS)?)
    }

    pub(crate) fn certificate_elements(&self) -> Result<Vec<Element<'_>>, Error> {
        self.set_elements(self.tail_spans.certificates, MAX_ELEMENTS)
    }

    pub(crate) fn crl_elements(&self) -> Result<Vec<Element<'_>>, Error> {
        self.set_elements(self.tail_spans.crls, MAX_ELEMENTS)
    }

    pub(crate) fn signer_elements(&self) -> Result<Vec<Element<'_>>, Error> {
        match self.set_elements(Some(self.tail_spans.signer_infos), MAX_SIGNERS) {
            Err(Error::Limit { limit: Limit::Elements }) => Err(Limit::Signers.into()),
            read => read,
        }
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
        let set = Reader::new(self.tail_slice(span), offset).next("expected a set")?;
        Ok(set.children().all(max)?)
    }
}

// Certificates hold names, which `Debug` of `Certificate` leaves out.
impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container")
            .field("version", &self.version())
            .field("content_len", &self.content_len())
            .field("certificates", &self.certificates)
            .finish_non_exhaustive()
    }
}

/// A header whose element ends after the signers.
struct Enclosing {
    header: ber::Header,
    /// Offset of its content.
    start: u64,
}

impl Enclosing {
    fn read(source: &mut Source<'_>, tag: u8, what: &'static str) -> Result<Self, Error> {
        let header = source.header(tag, what)?;
        Ok(Self { header, start: source.at })
    }
}

fn read_encap(source: &mut Source<'_>) -> Result<EncapContentInfo, Error> {
    let offset = source.at;
    let encap = source.header(der::SEQUENCE, "expected encapContentInfo")?;
    let start = source.at;
    let (_, content_type) = source.small_element(der::OID, "expected eContentType")?;
    let has_content = match encap.content_len {
        Some(len) => source.at < start + len,
        None => source.peek()? != 0,
    };
    let (mut octet_string, mut length, mut headers_end) = (None, 0, source.at);
    if has_content {
        let explicit = source.header(der::context(0), "expected eContent")?;
        let start = source.at;
        octet_string = Some(start);
        let string = source.any_header()?;
        headers_end = source.at;
        source.seek(headers_end - string.len as u64)?;
        length = source.octet_string(0, None)?;
        source.end_of(&explicit, start)?;
    }
    source.end_of(&encap, start)?;
    let end = source.at;
    let headers = source.read_range(offset, headers_end)?;
    source.seek(end)?;
    Ok(EncapContentInfo { offset, end, content_type, octet_string, length, headers })
}

fn tail_spans(tail: &[u8], offset: u64, enclosing: [&Enclosing; 3]) -> Result<TailSpans, Error> {
    let mut reader = Reader::new(tail, offset);
    let span = |element: Element<'_>| {
        let start = usize::try_from(element.offset - offset).unwrap_or(usize::MAX);
        (start, start.saturating_add(element.raw.len()))
    };
    let certificates = reader.next_if(der::context(0))?.map(span);
    let crls = reader.next_if(der::context(1))?.map(span);
    let signer_infos =
        reader.next("expected signerInfos")?.expect(der::SET, "expected signerInfos").map(span)?;
    for Enclosing { header, start } in enclosing {
        match header.content_len {
            Some(len) if start + len == reader.offset() => {}
            Some(_) => return Err(malformed(start - header.len as u64, WRONG_LENGTH)),
            None => {
                let end = reader.next("expected end-of-contents octets")?;
                if end.raw != [0, 0] {
                    return Err(malformed(end.offset, "expected end-of-contents octets"));
                }
            }
        }
    }
    if !reader.is_empty() {
        return Err(Error::TrailingOctets { offset: reader.offset() });
    }
    Ok(TailSpans { certificates, crls, signer_infos })
}
