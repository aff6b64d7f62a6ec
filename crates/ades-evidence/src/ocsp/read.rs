//! Reads responses (RFC 6960, 4.2.1).

use std::ops::Range;

use ades_core::asn1::ber::{Element, Error, Reader, WRONG_LENGTH};
use ades_core::asn1::der::{INTEGER, OCTET_STRING, OID, SEQUENCE, context};
use ades_core::{Certificate, Digest, DigestAlgorithm, Oid};
use chrono::{DateTime, Utc};

use super::{
    CertificateId, MAX_CERTIFICATES, MAX_LEN, MAX_RESPONSES, OcspError, OcspLimit, OcspResponse,
    Responder, ResponseStatus, SingleResponse,
};
use crate::fields::{
    BIT_STRING, ENUMERATED, Extension, GENERALIZED_TIME, bit_string, explicit, extensions, inside,
    next, only, time,
};
use crate::revocation::{CertificateStatus, Reason, Revocation};
use crate::verified::VerifiedValues;

/// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1
const BASIC: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 1];
/// id-pkix-ocsp-nonce
pub(super) const NONCE: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 2];
/// id-pkix-ocsp-crl: where the responder has its status from
const CRL_REFERENCES: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 3];
/// id-pkix-ocsp-archive-cutoff
const ARCHIVE_CUTOFF: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 6];
/// id-pkix-ocsp-extended-revoke: certificates that were never issued are *revoked*
const EXTENDED_REVOKED: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 9];
/// certHash, 1.3.36.8.3.13
const CERT_HASH: &[u8] = &[0x2B, 0x24, 8, 3, 13];

/// The entry extensions of CRLs, which a response may have too (RFC 6960, 4.4.5).
const REASON_CODE: &[u8] = &[0x55, 0x1D, 21];
const INVALIDITY_DATE: &[u8] = &[0x55, 0x1D, 24];

impl OcspResponse {
    /// Reads an `OCSPResponse`, or a `BasicOCSPResponse` as signatures contain it.
    ///
    /// # Errors
    /// [`OcspError`]. A certificate that cannot be read is left out.
    pub fn read(octets: impl Into<Vec<u8>>) -> Result<Self, OcspError> {
        let octets = octets.into();
        if octets.len() > MAX_LEN {
            return Err(OcspError::Limit(OcspLimit::Len));
        }
        let mut reader = Reader::new(&octets, 0);
        let outer = expect(&mut reader, SEQUENCE, "expected an OCSP response")?;
        if !reader.is_empty() {
            return Err(malformed(reader.offset(), "octets after the end of the response"));
        }
        let is_wrapped = outer.content.first() == Some(&ENUMERATED);
        let basic = if is_wrapped { unwrap(&outer)? } else { outer };
        let parts = Parts::read(&basic)?;
        let data = Data::read(&parts.data)?;
        Ok(Self {
            basic: range(&basic),
            signed: range(&parts.data),
            algorithm: range(&parts.algorithm),
            signature: parts.signature,
            certificates: parts.certificates,
            responder: data.responder,
            produced_at: data.produced_at,
            responses: data.responses,
            nonce: data.nonce,
            critical_extension: data.critical_extension,
            verified: VerifiedValues::new(),
            octets,
        })
    }

    /// Remembers with others which signature values verify.
    #[must_use]
    pub fn sharing(mut self, verified: &VerifiedValues) -> Self {
        self.verified = verified.clone();
        self
    }

    /// The octets as they were given.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The octets of the `BasicOCSPResponse`, which CMS contains instead of the whole
    /// response.
    #[must_use]
    pub fn basic(&self) -> &[u8] {
        self.slice(&self.basic)
    }

    /// responderID
    #[must_use]
    pub const fn responder(&self) -> &Responder {
        &self.responder
    }

    /// producedAt
    #[must_use]
    pub const fn produced_at(&self) -> DateTime<Utc> {
        self.produced_at
    }

    /// What it says, certificate by certificate.
    #[must_use]
    pub fn responses(&self) -> &[SingleResponse] {
        &self.responses
    }

    /// The nonce (RFC 9654). Older servers write it without the inner `OCTET STRING`.
    #[must_use]
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    /// The certificates in it, among which the responder's should be.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    pub(super) fn slice(&self, range: &Range<usize>) -> &[u8] {
        // The ranges were computed from the same octets.
        self.octets.get(range.clone()).unwrap_or_default()
    }
}

/// The `BasicOCSPResponse` in an `OCSPResponse`.
fn unwrap<'a>(outer: &Element<'a>) -> Result<Element<'a>, OcspError> {
    let mut fields = outer.children();
    let status = expect(&mut fields, ENUMERATED, "expected responseStatus")?;
    match status.content {
        [0] => {}
        [code] => return Err(OcspError::NotSuccessful(response_status(*code))),
        _ => return Err(malformed(status.offset, "expected responseStatus")),
    }
    let tagged = expect(&mut fields, context(0), "expected responseBytes")?;
    let Some(bytes) = inside(&tagged).filter(|bytes| bytes.tag == SEQUENCE) else {
        return Err(malformed(tagged.offset, "expected responseBytes"));
    };
    let mut bytes = bytes.children();
    let kind = expect(&mut bytes, OID, "expected responseType")?;
    if kind.content != BASIC {
        let other = Oid::from_bytes(kind.content);
        return Err(other.map_or(malformed(kind.offset, "responseType"), OcspError::ResponseType));
    }
    let response = expect(&mut bytes, OCTET_STRING, "expected an OCTET STRING")?;
    inside(&response)
        .filter(|basic| basic.tag == SEQUENCE)
        .ok_or(malformed(response.offset, "expected BasicOCSPResponse"))
}

const fn response_status(code: u8) -> ResponseStatus {
    match code {
        1 => ResponseStatus::MalformedRequest,
        2 => ResponseStatus::InternalError,
        3 => ResponseStatus::TryLater,
        5 => ResponseStatus::SignatureRequired,
        6 => ResponseStatus::Unauthorized,
        other => ResponseStatus::Other(other),
    }
}

/// The fields of `BasicOCSPResponse`.
struct Parts<'a> {
    data: Element<'a>,
    algorithm: Element<'a>,
    signature: Range<usize>,
    certificates: Vec<Certificate>,
}

impl<'a> Parts<'a> {
    fn read(basic: &Element<'a>) -> Result<Self, OcspError> {
        let mut fields = basic.children();
        let data = expect(&mut fields, SEQUENCE, "expected tbsResponseData")?;
        let algorithm = expect(&mut fields, SEQUENCE, "expected signatureAlgorithm")?;
        let value = expect(&mut fields, BIT_STRING, "expected signature")?;
        let Some(signature) = bit_string(&value) else {
            return Err(malformed(value.offset, "a signature with unused bits"));
        };
        let end = range(&value).end;
        let mut certificates = Vec::new();
        if let Some(tagged) = fields.next_if(context(0))? {
            let Some(all) = inside(&tagged).filter(|all| all.tag == SEQUENCE) else {
                return Err(malformed(tagged.offset, "expected certs"));
            };
            all.children().each(MAX_CERTIFICATES, |certificate| {
                certificates.extend(Certificate::from_der(certificate.raw));
            })?;
        }
        if !fields.is_empty() {
            return Err(malformed(fields.offset(), "octets after the last field"));
        }
        Ok(Self { data, algorithm, signature: end - signature.len()..end, certificates })
    }
}

/// `ResponseData`
struct Data {
    responder: Responder,
    produced_at: DateTime<Utc>,
    responses: Vec<SingleResponse>,
    nonce: Option<Vec<u8>>,
    critical_extension: Option<Oid>,
}

impl Data {
    fn read(data: &Element<'_>) -> Result<Self, OcspError> {
        let mut fields = data.children();
        fields.next_if(context(0))?; // version
        let responder = responder(&fields.next("expected responderID")?)?;
        let produced_at = expect_time(&mut fields)?;
        let all = expect(&mut fields, SEQUENCE, "expected responses")?;
        let mut elements = Vec::new();
        all.children().each(MAX_RESPONSES, |element| elements.push(element))?;
        let responses = elements.iter().map(single).collect::<Result<_, _>>()?;
        let mut found =
            Self { responder, produced_at, responses, nonce: None, critical_extension: None };
        for extension in read_extensions(&mut fields)? {
            match extension.kind {
                NONCE => {
                    let inner = only(extension.value, OCTET_STRING);
                    let nonce = inner.map_or(extension.value, |inner| inner.content);
                    found.nonce = Some(nonce.to_vec());
                }
                EXTENDED_REVOKED => {}
                _ if extension.critical => {
                    found.critical_extension.get_or_insert(oid(&extension, data.offset)?);
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

fn responder(id: &Element<'_>) -> Result<Responder, OcspError> {
    let wrong = malformed(id.offset, "expected responderID");
    let inner = inside(id).ok_or(wrong)?;
    match (id.tag, inner.tag) {
        (tag, SEQUENCE) if tag == context(1) => Ok(Responder::Name(inner.raw.to_vec())),
        (tag, OCTET_STRING) if tag == context(2) => Ok(Responder::Key(inner.content.to_vec())),
        _ => Err(wrong),
    }
}

/// `SingleResponse`
fn single(element: &Element<'_>) -> Result<SingleResponse, OcspError> {
    let mut fields = element.expect(SEQUENCE, "expected SingleResponse")?.children();
    let id = expect(&mut fields, SEQUENCE, "expected certID")?;
    let certificate = certificate_id(&id).ok_or(malformed(id.offset, "expected certID"))?;
    let status = fields.next("expected certStatus")?;
    let status = read_status(&status).ok_or(malformed(status.offset, "expected certStatus"))?;
    let this_update = expect_time(&mut fields)?;
    let wrong_time = malformed(fields.offset(), "expected nextUpdate");
    let next_update = match explicit(&mut fields, 0).ok_or(wrong_time)? {
        Some(found) => Some(general_time(&found).ok_or(wrong_time)?),
        None => None,
    };
    let mut found = SingleResponse {
        certificate,
        status,
        this_update,
        next_update,
        archive_cutoff: None,
        certificate_hash: None,
        critical_extension: None,
    };
    for extension in read_extensions(&mut fields)? {
        found.take(&extension, element.offset)?;
    }
    Ok(found)
}

impl SingleResponse {
    fn take(&mut self, extension: &Extension<'_>, offset: u64) -> Result<(), OcspError> {
        let wrong = malformed(offset, "a malformed extension in SingleResponse");
        match extension.kind {
            ARCHIVE_CUTOFF => {
                let read = only(extension.value, GENERALIZED_TIME).as_ref().and_then(time);
                self.archive_cutoff = Some(read.ok_or(wrong)?);
            }
            CERT_HASH => self.certificate_hash = cert_hash(extension.value).ok_or(wrong)?,
            INVALIDITY_DATE => {
                let read = only(extension.value, GENERALIZED_TIME).as_ref().and_then(time);
                if let CertificateStatus::Revoked(revocation) = &mut self.status {
                    revocation.invalidity_date = Some(read.ok_or(wrong)?);
                }
            }
            CRL_REFERENCES | REASON_CODE => {}
            _ if extension.critical => {
                self.critical_extension.get_or_insert(oid(extension, offset)?);
            }
            _ => {}
        }
        Ok(())
    }
}

fn certificate_id(id: &Element<'_>) -> Option<CertificateId> {
    let mut fields = id.children();
    let algorithm = next(&mut fields, SEQUENCE)?;
    let issuer_name_hash = next(&mut fields, OCTET_STRING)?.content.to_vec();
    let issuer_key_hash = next(&mut fields, OCTET_STRING)?.content.to_vec();
    let serial_number = next(&mut fields, INTEGER)?.content.to_vec();
    let algorithm = DigestAlgorithm::from_algorithm_identifier(algorithm.raw).ok();
    fields.is_empty().then_some(CertificateId {
        algorithm,
        issuer_name_hash,
        issuer_key_hash,
        serial_number,
    })
}

/// `CertStatus`: good and unknown are `IMPLICIT NULL`.
fn read_status(status: &Element<'_>) -> Option<CertificateStatus> {
    match (status.tag, status.content) {
        (0x80, []) => Some(CertificateStatus::Good),
        (0x82, []) => Some(CertificateStatus::Unknown),
        (tag, _) if tag == context(1) => {
            let mut fields = status.children();
            let at = general_time(&fields.try_next().ok()??)?;
            let reason = match explicit(&mut fields, 0)? {
                Some(code) => match code.content {
                    [code_octet] if code.tag == ENUMERATED => Reason::from_code(*code_octet),
                    _ => return None,
                },
                None => None,
            };
            let revocation = Revocation::new(at, reason);
            fields.is_empty().then_some(CertificateStatus::Revoked(revocation))
        }
        _ => None,
    }
}

/// `CertHash ::= SEQUENCE { hashAlgorithm, certificateHash OCTET STRING }`. The inner
/// `None`: its algorithm is not supported.
#[allow(clippy::option_option)]
fn cert_hash(value: &[u8]) -> Option<Option<Digest>> {
    let mut fields = only(value, SEQUENCE)?.children();
    let algorithm = next(&mut fields, SEQUENCE)?;
    let hash = next(&mut fields, OCTET_STRING)?.content;
    match DigestAlgorithm::from_algorithm_identifier(algorithm.raw) {
        Ok(algorithm) => Some(Some(Digest::new(algorithm, hash).ok()?)),
        Err(_) => Some(None),
    }
}

/// The extensions in `[1] EXPLICIT`, after which there is nothing.
fn read_extensions<'a>(fields: &mut Reader<'a>) -> Result<Vec<Extension<'a>>, OcspError> {
    let wrong = malformed(fields.offset(), "malformed extensions");
    let found = explicit(fields, 1).ok_or(wrong)?;
    if !fields.is_empty() {
        return Err(malformed(fields.offset(), WRONG_LENGTH));
    }
    found.map_or(Ok(Vec::new()), |sequence| extensions(&sequence).ok_or(wrong))
}

fn oid(extension: &Extension<'_>, offset: u64) -> Result<Oid, OcspError> {
    extension.oid().ok_or(malformed(offset, "a malformed OID"))
}

fn expect<'a>(reader: &mut Reader<'a>, tag: u8, what: &'static str) -> Result<Element<'a>, Error> {
    reader.next(what)?.expect(tag, what)
}

fn expect_time(reader: &mut Reader<'_>) -> Result<DateTime<Utc>, OcspError> {
    let element = reader.next("expected a time")?;
    general_time(&element).ok_or(malformed(element.offset, "a time that cannot be read"))
}

fn general_time(element: &Element<'_>) -> Option<DateTime<Utc>> {
    time(element).filter(|_| element.tag == GENERALIZED_TIME)
}

/// Where an element is in the response.
fn range(element: &Element<'_>) -> Range<usize> {
    let start = usize::try_from(element.offset).unwrap_or(usize::MAX);
    start..start.saturating_add(element.raw.len())
}

const fn malformed(offset: u64, what: &'static str) -> OcspError {
    OcspError::Malformed { offset, what }
}
