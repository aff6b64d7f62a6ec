//! The OCSP responders (RFC 6960).

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use axum::body::Body;
use axum::http::Response;

use super::{EvidenceFault, EvidenceService, Question, whole};
use crate::SandboxError;
use crate::der::{self, Element, Reader};
use crate::pki::{Authority, Ca, Service};

/// 1.3.6.1.5.5.7.48.1.1: id-pkix-ocsp-basic
const BASIC: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
/// 1.3.6.1.5.5.7.48.1.2: id-pkix-ocsp-nonce
const NONCE: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02];
/// 1.3.14.3.2.26
const SHA1: &[u8] = &[0x2B, 0x0E, 0x03, 0x02, 0x1A];
/// 2.16.840.1.101.3.4.2.1
const SHA256_OID: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// Maximum number of certificates that one request is about.
const MAX_CERTIFICATES: usize = 16;

/// `OCSPResponseStatus`
const MALFORMED_REQUEST: u8 = 1;
const TRY_LATER: u8 = 3;
const UNAUTHORIZED: u8 = 6;

/// `OCSPRequest`
struct Request<'a> {
    /// The `CertID`s
    certificates: Vec<Element<'a>>,
    /// The value of the nonce's extension
    nonce: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    fn read(octets: &'a [u8]) -> Option<Self> {
        let mut outer = Reader(octets).expect(der::SEQUENCE)?.children();
        let mut fields = outer.expect(der::SEQUENCE)?.children();
        fields.next_if(der::context(0)); // version
        fields.next_if(der::context(1)); // requestorName
        let mut list = fields.expect(der::SEQUENCE)?.children();
        let mut certificates = Vec::new();
        while let Some(request) = list.next_if(der::SEQUENCE) {
            certificates.push(request.children().expect(der::SEQUENCE)?);
        }
        let nonce = fields.next_if(der::context(2)).and_then(|tagged| {
            let mut extensions = tagged.children().expect(der::SEQUENCE)?.children();
            std::iter::from_fn(|| extensions.next_if(der::SEQUENCE)).find_map(|extension| {
                let mut parts = extension.children();
                parts.expect(der::OID).filter(|kind| kind.content == NONCE)?;
                parts.next_if(der::BOOLEAN);
                Some(parts.expect(der::OCTET_STRING)?.content)
            })
        });
        let fits = (1..=MAX_CERTIFICATES).contains(&certificates.len());
        fits.then_some(Self { certificates, nonce })
    }
}

/// Whether a `CertID` names a certificate of this CA, and its serial number.
fn named<'a>(id: &Element<'a>, ca: &Authority) -> Option<&'a [u8]> {
    let mut fields = id.children();
    let kind = fields.expect(der::SEQUENCE)?.children().expect(der::OID)?;
    let algorithm = match kind.content {
        SHA1 => &SHA1_FOR_LEGACY_USE_ONLY,
        SHA256_OID => &SHA256,
        _ => return None,
    };
    let mut is_digest_of = |octets: &[u8]| {
        let found = fields.expect(der::OCTET_STRING)?;
        (found.content == digest(algorithm, octets).as_ref()).then_some(())
    };
    is_digest_of(&ca.certificate.subject)?;
    is_digest_of(&ca.certificate.public_key)?;
    Some(fields.expect(der::INTEGER)?.content)
}

/// `OCSPResponse`
pub(super) fn answer(
    question: &Question<'_>,
    ca: Ca,
    body: &[u8],
) -> Result<Response<Body>, SandboxError> {
    let send = |octets| Ok(whole(EvidenceService::Ocsp.media_type(), octets));
    if question.has(&EvidenceFault::TryLater) {
        return send(refusal(TRY_LATER));
    }
    let Some(request) = Request::read(body) else { return send(refusal(MALFORMED_REQUEST)) };
    let authority = question.app.pki.authority(ca);
    let names: Option<Vec<&[u8]>> =
        request.certificates.iter().map(|id| named(id, authority)).collect();
    let (Some(names), Some(responder)) = (names, question.app.pki.responder(ca)) else {
        return send(refusal(UNAUTHORIZED));
    };
    let responses: Vec<u8> = request
        .certificates
        .iter()
        .zip(names)
        .flat_map(|(id, serial_number)| single(question, authority, id, serial_number))
        .collect();
    let nonce = match question.has(&EvidenceFault::WrongNonce) {
        true => Some(der::element(der::OCTET_STRING, &[b"another nonce"])),
        false => request.nonce.map(<[u8]>::to_vec),
    };
    let extensions = nonce.map(|nonce| {
        der::element(der::context(1), &[&der::sequence(&[&der::extension(NONCE, &nonce)])])
    });
    // Named by its key, as pre-produced responses often are.
    let key = digest(&SHA1_FOR_LEGACY_USE_ONLY, &responder.certificate.public_key);
    let key = der::element(der::OCTET_STRING, &[key.as_ref()]);
    let (this_update, _) = question.period();
    let data = der::sequence(&[
        &der::element(der::context(2), &[&key]),
        &der::generalized_time(this_update),
        &der::sequence(&[&responses]),
        &extensions.unwrap_or_default(),
    ]);
    send(successful(&basic(question, responder, &data)?))
}

fn refusal(status: u8) -> Vec<u8> {
    der::sequence(&[&der::element(der::ENUMERATED, &[&[status]])])
}

fn successful(basic: &[u8]) -> Vec<u8> {
    let bytes = der::sequence(&[&der::oid(BASIC), &der::element(der::OCTET_STRING, &[basic])]);
    let status = der::element(der::ENUMERATED, &[&[0]]);
    der::sequence(&[&status, &der::element(der::context(0), &[&bytes])])
}

/// `BasicOCSPResponse`
fn basic(
    question: &Question<'_>,
    responder: &Service,
    data: &[u8],
) -> Result<Vec<u8>, SandboxError> {
    let value = question.spoiled(responder.key.sign(data)?);
    let certificate = match question.has(&EvidenceFault::ExpiredCertificate) {
        true => &responder.expired.der,
        false => &responder.certificate.der,
    };
    let certificates = der::element(der::context(0), &[&der::sequence(&[certificate])]);
    Ok(der::sequence(&[data, &responder.key.algorithm(), &der::bits(&value), &certificates]))
}

/// `SingleResponse`
fn single(
    question: &Question<'_>,
    ca: &Authority,
    id: &Element<'_>,
    serial_number: &[u8],
) -> Vec<u8> {
    let status = match question.fault {
        Some(EvidenceFault::Unknown) => der::element(der::primitive(2), &[]),
        Some(EvidenceFault::Revoked { seconds_ago, reason }) => {
            let time = der::generalized_time(question.now.saturating_sub(*seconds_ago));
            let reason = reason.map(|reason| {
                let reason = der::element(der::ENUMERATED, &[&[reason]]);
                der::element(der::context(0), &[&reason])
            });
            der::element(der::context(1), &[&time, &reason.unwrap_or_default()])
        }
        _ if ca.has_issued(serial_number) => der::element(der::primitive(0), &[]),
        _ => der::element(der::primitive(2), &[]),
    };
    let (this_update, next_update) = question.period();
    let next_update = der::element(der::context(0), &[&der::generalized_time(next_update)]);
    der::sequence(&[id.raw, &status, &der::generalized_time(this_update), &next_update])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_with_and_without_a_nonce() {
        let id = der::sequence(&[&der::unsigned(&[7])]);
        let list = der::sequence(&[&der::sequence(&[&id])]);
        let nonce = der::element(der::OCTET_STRING, &[b"once"]);
        let extensions = der::sequence(&[&der::extension(NONCE, &nonce)]);
        let tagged = der::element(der::context(2), &[&extensions]);
        for (with, expected) in [(&tagged[..], Some(&nonce[..])), (&[], None)] {
            let request = der::sequence(&[&der::sequence(&[&list, with])]);
            let read = Request::read(&request).unwrap();
            assert_eq!((read.certificates.len(), read.nonce), (1, expected));
            assert_eq!(read.certificates[0].raw, id);
        }
        assert!(Request::read(b"nothing").is_none());
        let empty = der::sequence(&[&der::sequence(&[&der::sequence(&[])])]);
        assert!(Request::read(&empty).is_none());
    }
}
