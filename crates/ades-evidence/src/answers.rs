//! Answers to needs: whether octets that were fetched are what was asked for.
//!
//! Whether signatures verify and signers may speak is for the judge. What is checked here can be
//! blamed on an address, while the address is known.

use std::io::Read;

use ades_core::asn1::ber::Reader;
use ades_core::asn1::der::{INTEGER, OID, SEQUENCE, SET, context};
use ades_core::{Certificate, chain, name};
use chrono::{DateTime, Utc};

use crate::crl::{Crl, CrlError};
use crate::fields::{inside, next, only};
use crate::needs::Need;
use crate::ocsp::{OcspError, OcspRequest, OcspResponse};
use crate::token::{ResponseError, TimeStampRequest, Token, TokenMismatch, read_response};

/// Maximum length of certificates in an answer, in octets.
pub const MAX_CERTIFICATES_LEN: usize = 1024 * 1024;
/// Maximum number of certificates in an answer.
pub const MAX_CERTIFICATES: usize = 64;

/// id-signedData
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];

/// What was fetched for a need. The octets are those that were sent.
#[derive(Clone)]
#[non_exhaustive]
pub enum Answer {
    /// An OCSP response about the certificate.
    OcspResponse(Vec<u8>),
    /// A CRL.
    Crl(Vec<u8>),
    /// Certificates, at least one of them the issuer's.
    Certificates(Vec<Certificate>),
    /// A `TimeStampToken` over the imprint.
    TimeStamp(Vec<u8>),
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OcspResponse(octets) => write!(f, "OcspResponse({} octets)", octets.len()),
            Self::Crl(octets) => write!(f, "Crl({} octets)", octets.len()),
            Self::Certificates(all) => write!(f, "Certificates({})", all.len()),
            Self::TimeStamp(octets) => write!(f, "TimeStamp({} octets)", octets.len()),
        }
    }
}

/// Why octets do not answer a need.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Not an OCSP response, or one that refuses
    #[error("{0}")]
    Ocsp(#[from] OcspError),
    /// An OCSP response about other certificates
    #[error("the OCSP response is not about the certificate")]
    OtherCertificate,
    /// An OCSP response to another request
    #[error("the OCSP response has another nonce than the request")]
    Nonce,
    /// Not a CRL
    #[error("{0}")]
    Crl(#[from] CrlError),
    /// Revocation data that have run out
    #[error("the answer is out of date: nextUpdate was {next_update}")]
    OutOfDate {
        /// nextUpdate
        next_update: DateTime<Utc>,
    },
    /// Neither a certificate in DER or PEM, nor a CMS container with certificates
    #[error("the answer has no certificate")]
    NoCertificate,
    /// Certificates, but none of the issuer
    #[error("no certificate in the answer has the issuer's name")]
    OtherIssuer,
    /// Not a time-stamp, or a refusal
    #[error("{0}")]
    TimeStamp(#[from] ResponseError),
    /// A time-stamp for another request
    #[error("{0}")]
    OtherTimeStamp(#[from] TokenMismatch),
}

impl Need {
    /// Checks that octets answer this need. `time`: the time at which revocation data must not
    /// have run out. A long CRL need not be held: see [`check_crl`].
    ///
    /// # Errors
    /// [`AnswerError`]
    pub fn read_answer(&self, octets: Vec<u8>, time: DateTime<Utc>) -> Result<Answer, AnswerError> {
        match self {
            Self::Ocsp { request, .. } => {
                check_ocsp(request, &OcspResponse::read(octets.as_slice())?, time)?;
                Ok(Answer::OcspResponse(octets))
            }
            Self::Crl { .. } => {
                check_crl(octets.as_slice(), time)?;
                Ok(Answer::Crl(octets))
            }
            Self::Issuer { name: wanted, .. } => {
                let certificates = certificates(&octets).ok_or(AnswerError::NoCertificate)?;
                let is_named = |one: &Certificate| name::is_same(one.subject(), &wanted.0);
                match certificates.iter().any(is_named) {
                    true => Ok(Answer::Certificates(certificates)),
                    false => Err(AnswerError::OtherIssuer),
                }
            }
            Self::TimeStamp { request } => {
                check_time_stamp(request, &octets).map(Answer::TimeStamp)
            }
        }
    }
}

/// Reads a CRL to its end, and checks that it has not run out at `time`.
///
/// # Errors
/// [`AnswerError::Crl`], [`AnswerError::OutOfDate`]
pub fn check_crl(source: impl Read, time: DateTime<Utc>) -> Result<(), AnswerError> {
    let crl = Crl::read(source, std::iter::empty())?;
    match crl.next_update() {
        Some(next_update) if next_update < time => Err(AnswerError::OutOfDate { next_update }),
        _ => Ok(()),
    }
}

fn check_ocsp(
    request: &OcspRequest,
    response: &OcspResponse,
    time: DateTime<Utc>,
) -> Result<(), AnswerError> {
    // A response without a nonce may be one that was produced in advance (RFC 9654, 2.1).
    if let (Some(sent), Some(found)) = (request.nonce(), response.nonce())
        && sent != found
    {
        return Err(AnswerError::Nonce);
    }
    // A response may name the issuer by another digest, so only the serial number is compared.
    let serial_number = request.serial_number();
    let about = response
        .responses()
        .iter()
        .filter(|single| serial_number == Some(single.certificate.serial_number.as_slice()));
    let newest = about.max_by_key(|single| single.this_update);
    match newest.ok_or(AnswerError::OtherCertificate)?.next_update {
        Some(next_update) if next_update < time => Err(AnswerError::OutOfDate { next_update }),
        _ => Ok(()),
    }
}

/// The token in a response.
fn check_time_stamp(request: &TimeStampRequest, octets: &[u8]) -> Result<Vec<u8>, AnswerError> {
    let token = read_response(octets)?;
    let read = Token::read(token).ok_or(ResponseError::Malformed)?;
    request.check(&read)?;
    Ok(token.to_vec())
}

/// The certificates in an answer (RFC 5280, 4.2.2.1): one in DER, a CMS container that has only
/// certificates, or either in PEM, which some services send.
fn certificates(octets: &[u8]) -> Option<Vec<Certificate>> {
    if octets.len() > MAX_CERTIFICATES_LEN {
        return None;
    }
    if octets.first() != Some(&SEQUENCE) {
        let found = chain::certificates_from_pem(std::str::from_utf8(octets).ok()?).ok()?;
        return (1..=MAX_CERTIFICATES).contains(&found.len()).then_some(found);
    }
    match Certificate::from_der(octets) {
        Ok(certificate) => Some(vec![certificate]),
        Err(_) => in_cms(octets).filter(|found| !found.is_empty()),
    }
}

/// The certificates in `SignedData`.
fn in_cms(octets: &[u8]) -> Option<Vec<Certificate>> {
    let mut fields = Reader::new(octets, 0);
    let mut fields = next(&mut fields, SEQUENCE)?.children();
    next(&mut fields, OID).filter(|kind| kind.content == SIGNED_DATA)?;
    let signed_data = inside(&next(&mut fields, context(0))?)?;
    let mut fields = signed_data.children();
    next(&mut fields, INTEGER)?; // version
    next(&mut fields, SET)?; // digestAlgorithms
    next(&mut fields, SEQUENCE)?; // encapContentInfo
    let mut found = Vec::new();
    let set = next(&mut fields, context(0))?;
    set.children()
        .each(MAX_CERTIFICATES, |one| found.extend(Certificate::from_der(one.raw)))
        .ok()?;
    Some(found)
}

impl OcspRequest {
    /// The content octets of the serial number in it.
    fn serial_number(&self) -> Option<&[u8]> {
        let mut fields = only(self.certificate_id()?, SEQUENCE)?.children();
        next(&mut fields, SEQUENCE)?; // hashAlgorithm
        fields.try_next().ok()??; // issuerNameHash
        fields.try_next().ok()??; // issuerKeyHash
        next(&mut fields, INTEGER).map(|number| number.content)
    }
}
