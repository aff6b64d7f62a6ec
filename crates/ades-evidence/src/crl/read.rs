//! Reads the fields of a CRL around its entries (RFC 5280, 5.1 and 5.2).

use std::io::Read;

use ades_core::asn1::ber::{self, Element, Reader};
use ades_core::asn1::der::{INTEGER, SEQUENCE, context};
use ades_core::{Certificate, DigestAlgorithm, SignatureAlgorithm, name};
use chrono::{DateTime, Utc};

use super::entries::Entries;
use super::scope::Scope;
use super::window::Window;
use super::{Crl, CrlError, CrlExtensions, CrlLimit, MAX_HELD, MAX_LEN, Signature, malformed};
use crate::fields::{
    Extension, GENERALIZED_TIME, UTC_TIME, bit_string, extensions, inside, only, time,
};
use crate::verified::VerifiedValues;

const ISSUER_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1D, 18];
const CRL_NUMBER: &[u8] = &[0x55, 0x1D, 20];
const DELTA_CRL_INDICATOR: &[u8] = &[0x55, 0x1D, 27];
const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1D, 28];
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1D, 35];
const EXPIRED_CERTS_ON_CRL: &[u8] = &[0x55, 0x1D, 60];

impl Crl {
    /// Reads a DER CRL to its end, and looks up these certificates by their serial
    /// numbers.
    ///
    /// The signed octets are digested as they are read. Every entry is looked at, because
    /// a critical extension in any of them can make the CRL unusable.
    ///
    /// # Errors
    /// [`CrlError`]
    pub fn read<'c>(
        mut source: impl Read,
        certificates: impl IntoIterator<Item = &'c Certificate>,
    ) -> Result<Self, CrlError> {
        let mut window = Window::new(&mut source);
        let head = Head::read(window.fill()?)?;
        window.collect(
            head.algorithm,
            head.signed_start,
            head.signed_end - head.signed_start as u64,
        );
        window.consume(head.len);

        let mut entries = Entries::new(certificates);
        if let Some(end) = head.entries_end {
            entries.read(&mut window, end)?;
        }
        let mut found = CrlExtensions::default();
        if window.offset() < head.signed_end {
            let (octets, offset) = part(&mut window, head.signed_end)?;
            let mut reader = Reader::new(octets, offset);
            let tagged = reader.next("expected crlExtensions")?;
            let tagged = tagged.expect(context(0), "expected crlExtensions")?;
            if !reader.is_empty() {
                return Err(malformed(reader.offset(), ber::WRONG_LENGTH));
            }
            found = CrlExtensions::read(&tagged)?;
            let len = tagged.raw.len();
            window.consume(len);
        }
        found.critical = found.critical.or(entries.critical);
        let signed = window.collected();

        let (octets, offset) = part(&mut window, head.end)?;
        let mut reader = Reader::new(octets, offset);
        let algorithm = reader.next("expected signatureAlgorithm")?;
        let value = reader.next("expected signatureValue")?;
        let Some(bits) = bit_string(&value).filter(|_| reader.is_empty()) else {
            return Err(malformed(value.offset, "expected signatureValue"));
        };
        let signature = Signature {
            algorithm: head.algorithm,
            algorithms_agree: algorithm.raw == head.identifier,
            signed,
            value: bits.to_vec(),
        };
        let len = octets.len();
        window.consume(len);
        if !window.fill()?.is_empty() {
            return Err(malformed(head.end, "octets after the end of the CRL"));
        }
        Ok(Self {
            issuer_key: name::canonical(&head.issuer),
            issuer: head.issuer,
            this_update: head.this_update,
            next_update: head.next_update,
            extensions: found,
            wanted: entries.wanted,
            found: entries.found,
            too_many: entries.too_many,
            entry_count: entries.count,
            signature,
            verified: VerifiedValues::new(),
        })
    }
}

/// The octets up to `end`, which must fit into the window, and the position of the first.
fn part<'w>(window: &'w mut Window<'_>, end: u64) -> Result<(&'w [u8], u64), CrlError> {
    window.fill()?;
    let offset = window.offset();
    let len = end.saturating_sub(offset);
    if len > MAX_HELD as u64 {
        return Err(CrlError::Limit(CrlLimit::Held));
    }
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    let octets = window.fill()?.get(..len);
    Ok((octets.ok_or(malformed(offset, "a truncated CRL"))?, offset))
}

/// The fields before the entries.
struct Head {
    /// Where the signed octets begin and end.
    signed_start: usize,
    signed_end: u64,
    /// Where the CRL ends.
    end: u64,
    /// `None` if it is not supported.
    algorithm: Option<SignatureAlgorithm>,
    /// The DER of the signed `AlgorithmIdentifier`.
    identifier: Vec<u8>,
    issuer: Vec<u8>,
    this_update: DateTime<Utc>,
    next_update: Option<DateTime<Utc>>,
    /// Where the entries end, if there are any.
    entries_end: Option<u64>,
    /// The number of octets up to the entries.
    len: usize,
}

impl Head {
    /// `octets` are the first ones of the CRL.
    fn read(octets: &[u8]) -> Result<Self, CrlError> {
        let (signed_start, end) = enclosing(octets, 0)?;
        if end > MAX_LEN {
            return Err(CrlError::Limit(CrlLimit::Len));
        }
        let (start, signed_end) = enclosing(octets, signed_start)?;
        if signed_end > end {
            return Err(malformed(signed_start as u64, "a truncated element"));
        }
        let inside = usize::try_from(signed_end).unwrap_or(usize::MAX).min(octets.len());
        let rest = octets.get(start..inside).unwrap_or_default();
        let mut fields = Reader::new(rest, start as u64);
        fields.next_if(INTEGER)?; // version
        let identifier =
            fields.next("expected signature")?.expect(SEQUENCE, "expected signature")?;
        let issuer = fields.next("expected issuer")?.expect(SEQUENCE, "expected issuer")?;
        let this_update = read_time(&fields.next("expected thisUpdate")?)?;
        let mut at = position(&fields);
        let peek = |at: usize| octets.get(at..inside).and_then(<[u8]>::first).copied();
        let mut next_update = None;
        if matches!(peek(at), Some(UTC_TIME | GENERALIZED_TIME)) {
            next_update = Some(read_time(&fields.next("expected nextUpdate")?)?);
            at = position(&fields);
        }
        let mut entries_end = None;
        if peek(at) == Some(SEQUENCE) {
            let (start, end) = enclosing(octets, at)?;
            if end > signed_end {
                return Err(malformed(at as u64, "a truncated element"));
            }
            (entries_end, at) = (Some(end), start);
        }
        let algorithm =
            SignatureAlgorithm::from_algorithm_identifier(identifier.raw, DigestAlgorithm::Sha256);
        Ok(Self {
            signed_start,
            signed_end,
            end,
            algorithm: algorithm.ok(),
            identifier: identifier.raw.to_vec(),
            issuer: issuer.raw.to_vec(),
            this_update,
            next_update,
            entries_end,
            len: at,
        })
    }
}

/// Where the content of the SEQUENCE at `at` begins and ends.
fn enclosing(octets: &[u8], at: usize) -> Result<(usize, u64), CrlError> {
    let header = ber::header(octets.get(at..).unwrap_or_default(), at as u64)?;
    match header.content_len {
        Some(len) if header.tag == SEQUENCE => {
            let start = at + header.len;
            Ok((start, (start as u64).saturating_add(len)))
        }
        _ => Err(malformed(at as u64, "expected a SEQUENCE of definite length")),
    }
}

fn position(reader: &Reader<'_>) -> usize {
    usize::try_from(reader.offset()).unwrap_or(usize::MAX)
}

fn read_time(element: &Element<'_>) -> Result<DateTime<Utc>, CrlError> {
    time(element).ok_or(malformed(element.offset, "a time that cannot be read"))
}

impl CrlExtensions {
    fn read(tagged: &Element<'_>) -> Result<Self, CrlError> {
        let wrong = || malformed(tagged.offset, "malformed crlExtensions");
        let sequence = inside(tagged).ok_or_else(wrong)?;
        let mut found = Self::default();
        for extension in extensions(&sequence).ok_or_else(wrong)? {
            found.take(&extension).ok_or_else(wrong)?;
        }
        Ok(found)
    }

    /// `None` if the extension is malformed.
    fn take(&mut self, extension: &Extension<'_>) -> Option<()> {
        let number = || only(extension.value, INTEGER).map(|number| number.content.to_vec());
        match extension.kind {
            CRL_NUMBER => self.number = Some(number()?),
            DELTA_CRL_INDICATOR => self.base_number = Some(number()?),
            ISSUING_DISTRIBUTION_POINT => self.scope = Scope::read(extension.value)?,
            AUTHORITY_KEY_IDENTIFIER => {
                let mut fields = only(extension.value, SEQUENCE)?.children();
                let identifier = fields.next_if(0x80).ok()?;
                self.authority_key_id = identifier.map(|found| found.content.to_vec());
            }
            EXPIRED_CERTS_ON_CRL => {
                self.expired_since = Some(time(&only(extension.value, GENERALIZED_TIME)?)?);
            }
            ISSUER_ALTERNATIVE_NAME => {}
            _ if extension.critical => {
                self.critical.get_or_insert(extension.oid()?);
            }
            _ => {}
        }
        Some(())
    }
}
