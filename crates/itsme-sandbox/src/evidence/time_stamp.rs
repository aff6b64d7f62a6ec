//! The time-stamping service (RFC 3161).

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::http::Response;

use super::{DAY, EvidenceFault, EvidenceService, Question, whole};
use crate::SandboxError;
use crate::der::{self, Reader};
use crate::pki::{Ca, Issued, SANDBOX_POLICY};

/// 1.2.840.113549.1.7.2: id-signedData
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.16.1.4: id-ct-TSTInfo
const TST_INFO: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01, 0x04];
/// 1.2.840.113549.1.9.3
const CONTENT_TYPE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x03];
/// 1.2.840.113549.1.9.4
const MESSAGE_DIGEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04];
/// 1.2.840.113549.1.9.5
const SIGNING_TIME: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x05];
/// 1.2.840.113549.1.9.16.2.47: id-aa-signingCertificateV2 (RFC 5816)
const SIGNING_CERTIFICATE: &[u8] =
    &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x02, 0x2F];
/// 2.16.840.1.101.3.4.2.n: 1 is SHA-256, 2 is SHA-384, 3 is SHA-512.
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
/// 1.2.3.4, a policy that nobody has.
const OTHER_POLICY: &[u8] = &[0x2A, 0x03, 0x04];

/// Bits of `PKIFailureInfo`.
const BAD_ALGORITHM: u8 = 0;
const BAD_DATA_FORMAT: u8 = 5;
const UNACCEPTED_POLICY: u8 = 15;

/// `TimeStampReq`
struct Request<'a> {
    /// DER of messageImprint
    imprint: &'a [u8],
    /// DER of the nonce; empty if there is none
    nonce: &'a [u8],
    certificates: bool,
}

impl<'a> Request<'a> {
    /// # Errors
    /// The bit of `PKIFailureInfo`
    fn read(octets: &'a [u8]) -> Result<Self, u8> {
        let mut outer = Reader(octets);
        let mut fields = outer.expect(der::SEQUENCE).ok_or(BAD_DATA_FORMAT)?.children();
        fields.expect(der::INTEGER).ok_or(BAD_DATA_FORMAT)?; // version
        let imprint = fields.expect(der::SEQUENCE).ok_or(BAD_DATA_FORMAT)?;
        check_imprint(&mut imprint.children())?;
        let policy = fields.next_if(der::OID);
        let nonce = fields.next_if(der::INTEGER).map(|nonce| nonce.raw).unwrap_or_default();
        let certificates = fields.next_if(der::BOOLEAN).is_some_and(|flag| flag.raw == der::TRUE);
        if policy.is_some_and(|policy| policy.content != SANDBOX_POLICY) {
            return Err(UNACCEPTED_POLICY);
        }
        Ok(Self { imprint: imprint.raw, nonce, certificates })
    }
}

fn check_imprint(imprint: &mut Reader<'_>) -> Result<(), u8> {
    let mut algorithm = imprint.expect(der::SEQUENCE).ok_or(BAD_DATA_FORMAT)?.children();
    let kind = algorithm.expect(der::OID).ok_or(BAD_DATA_FORMAT)?;
    let value = imprint.expect(der::OCTET_STRING).ok_or(BAD_DATA_FORMAT)?;
    let expected = match kind.content.strip_prefix(SHA2) {
        Some([1]) => 32,
        Some([2]) => 48,
        Some([3]) => 64,
        _ => return Err(BAD_ALGORITHM),
    };
    if value.content.len() == expected { Ok(()) } else { Err(BAD_DATA_FORMAT) }
}

/// `TimeStampResp`
pub(super) fn answer(question: &Question<'_>, body: &[u8]) -> Result<Response<Body>, SandboxError> {
    let response = match (Request::read(body), question.fault) {
        (_, Some(EvidenceFault::Rejection { failure, text })) => rejection(*failure, text),
        (Err(failure), _) => rejection(failure, "the request cannot be answered"),
        (Ok(request), _) => {
            let granted = der::sequence(&[&der::unsigned(&[0])]);
            der::sequence(&[&granted, &token(question, &request)?])
        }
    };
    Ok(whole(EvidenceService::TimeStamp.media_type(), response))
}

/// `PKIStatusInfo` with status 2, alone.
fn rejection(failure: u8, text: &str) -> Vec<u8> {
    let failure = failure.min(31);
    let mut flags = vec![0; usize::from(failure / 8) + 1];
    if let Some(last) = flags.last_mut() {
        *last = 0x80 >> (failure % 8);
    }
    // DER: the last bit that is set is the last one.
    let unused = 7 - failure % 8;
    let failure = der::element(der::BIT_STRING, &[&[unused], &flags]);
    let text = der::element(der::UTF8_STRING, &[text.as_bytes()]);
    der::sequence(&[&der::sequence(&[&der::unsigned(&[2]), &der::sequence(&[&text]), &failure])])
}

/// `TSTInfo`
fn info(question: &Question<'_>, request: &Request<'_>) -> Result<Vec<u8>, SandboxError> {
    let other = {
        let algorithm = der::sequence(&[&der::oid(&[SHA2, &[1]].concat())]);
        let value = der::element(der::OCTET_STRING, &[digest(&SHA256, b"other data").as_ref()]);
        der::sequence(&[&algorithm, &value])
    };
    let imprint = match question.has(&EvidenceFault::WrongImprint) {
        true => &other,
        false => request.imprint,
    };
    let policy = match question.has(&EvidenceFault::WrongPolicy) {
        true => OTHER_POLICY,
        false => SANDBOX_POLICY,
    };
    let nonce = match question.has(&EvidenceFault::WrongNonce) {
        true => &der::unsigned(b"another"),
        false => request.nonce,
    };
    let time = match question.has(&EvidenceFault::Stale) {
        true => question.now.saturating_sub(2 * DAY),
        false => question.now,
    };
    let mut serial_number = [0; 8];
    getrandom::fill(&mut serial_number).map_err(SandboxError::making("a serial number"))?;
    Ok(der::sequence(&[
        &der::unsigned(&[1]),
        &der::oid(policy),
        imprint,
        &der::unsigned(&serial_number),
        &der::generalized_time(time),
        // Accuracy: a second.
        &der::sequence(&[&der::unsigned(&[1])]),
        nonce,
    ]))
}

/// `TimeStampToken`: a `ContentInfo` with `SignedData`
fn token(question: &Question<'_>, request: &Request<'_>) -> Result<Vec<u8>, SandboxError> {
    let pki = &question.app.pki;
    let unit = pki.time_stamping();
    let certificate = match question.has(&EvidenceFault::ExpiredCertificate) {
        true => &unit.expired,
        false => &unit.certificate,
    };
    let info = info(question, request)?;
    let signer = signer_info(question, certificate, &info)?;
    let mut certificates =
        vec![certificate.der.clone(), pki.authority(Ca::TimeStamping).certificate.der.clone()];
    let mut signers = vec![signer];
    if question.has(&EvidenceFault::TwoSigners) {
        signers.push(signer_info(question, &unit.expired, &info)?);
        certificates.push(unit.expired.der.clone());
    }
    let content = der::element(der::OCTET_STRING, &[&info]);
    let content =
        der::sequence(&[&der::oid(TST_INFO), &der::element(der::context(0), &[&content])]);
    let with_certificates = request.certificates && !question.has(&EvidenceFault::NoCertificates);
    let certificates = match with_certificates {
        true => {
            certificates.sort();
            der::element(der::context(0), &[&certificates.concat()])
        }
        false => Vec::new(),
    };
    let signed_data = der::sequence(&[
        &der::unsigned(&[3]),
        &der::set_of(vec![sha256()]),
        &content,
        &certificates,
        &der::set_of(signers),
    ]);
    let signed_data = der::element(der::context(0), &[&signed_data]);
    Ok(der::sequence(&[&der::oid(SIGNED_DATA), &signed_data]))
}

/// `SignerInfo`
fn signer_info(
    question: &Question<'_>,
    certificate: &Issued,
    info: &[u8],
) -> Result<Vec<u8>, SandboxError> {
    let key = &question.app.pki.time_stamping().key;
    let attribute =
        |kind, value: Vec<u8>| der::sequence(&[&der::oid(kind), &der::set_of(vec![value])]);
    let message_digest = der::element(der::OCTET_STRING, &[digest(&SHA256, info).as_ref()]);
    // ESSCertIDv2 with the default algorithm, SHA-256.
    let hash = der::element(der::OCTET_STRING, &[digest(&SHA256, &certificate.der).as_ref()]);
    let identifier = der::sequence(&[&der::sequence(&[&der::sequence(&[&hash])])]);
    let attributes = der::set_of(vec![
        attribute(CONTENT_TYPE, der::oid(TST_INFO)),
        attribute(SIGNING_TIME, der::utc_time(question.now)),
        attribute(MESSAGE_DIGEST, message_digest),
        attribute(SIGNING_CERTIFICATE, identifier),
    ]);
    let value = question.spoiled(key.sign(&attributes)?);
    // RFC 5652, 5.4: the attributes are signed as a SET and sent as [0].
    let mut sent = attributes;
    if let Some(tag) = sent.first_mut() {
        *tag = der::context(0);
    }
    let serial_number = der::element(der::INTEGER, &[&certificate.serial_number]);
    Ok(der::sequence(&[
        &der::unsigned(&[1]),
        &der::sequence(&[&certificate.issuer, &serial_number]),
        &sha256(),
        &sent,
        &key.algorithm(),
        &der::element(der::OCTET_STRING, &[&value]),
    ]))
}

fn sha256() -> Vec<u8> {
    der::sequence(&[&der::oid(&[SHA2, &[1]].concat())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_has_one_bit() {
        let text = rejection(15, "no");
        assert_eq!(
            text,
            b"\x30\x10\x30\x0E\x02\x01\x02\x30\x04\x0C\x02no\x03\x03\x00\x00\x01"[..].to_vec()
        );
        assert!(rejection(0, "").ends_with(&[3, 2, 7, 0x80]));
        assert!(rejection(25, "").ends_with(&[3, 5, 6, 0, 0, 0, 0x40]));
    }

    #[test]
    fn odd_requests_have_their_bit() {
        let imprint = |kind: u8, len: usize| {
            let algorithm = der::sequence(&[&der::oid(&[SHA2, &[kind]].concat())]);
            der::sequence(&[&algorithm, &der::element(der::OCTET_STRING, &[&vec![7; len]])])
        };
        let request = |parts: &[&[u8]]| der::sequence(&[&der::unsigned(&[1]), &parts.concat()]);
        let failure = |octets: &[u8]| Request::read(octets).err();
        assert_eq!(failure(b"no request"), Some(BAD_DATA_FORMAT));
        assert_eq!(failure(&request(&[&imprint(1, 31)])), Some(BAD_DATA_FORMAT));
        assert_eq!(failure(&request(&[&imprint(4, 28)])), Some(BAD_ALGORITHM));
        let policy = der::oid(OTHER_POLICY);
        assert_eq!(failure(&request(&[&imprint(1, 32), &policy])), Some(UNACCEPTED_POLICY));
        assert_eq!(failure(&request(&[&imprint(3, 64), der::TRUE])), None);
    }
}
