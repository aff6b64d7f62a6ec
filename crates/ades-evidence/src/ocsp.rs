//! OCSP responses (RFC 6960): what they say about a certificate. Whether they are recent
//! enough is for a judge.

mod about;
mod read;
mod request;

use std::ops::Range;

use ades_core::asn1::ber;
use ades_core::{Certificate, Digest, DigestAlgorithm, Oid};
use chrono::{DateTime, Utc};

use crate::fields::{key_octets, serial_number};
use crate::revocation::CertificateStatus;
use crate::verified::VerifiedValues;

pub use request::{MAX_NONCE, OcspRequest};

/// Maximum length of a response, in octets.
pub const MAX_LEN: usize = 1024 * 1024;
/// Maximum number of certificates that one response is about.
pub const MAX_RESPONSES: usize = 4096;
/// Maximum number of certificates in a response.
pub const MAX_CERTIFICATES: usize = 64;
/// Maximum number of certificates that are tried as that of the responder.
pub const MAX_RESPONDERS: usize = 16;

/// An OCSP response, as its original octets.
#[derive(Clone, Debug)]
pub struct OcspResponse {
    octets: Vec<u8>,
    /// `BasicOCSPResponse`
    basic: Range<usize>,
    /// `ResponseData`
    signed: Range<usize>,
    /// The `AlgorithmIdentifier` of the signature.
    algorithm: Range<usize>,
    signature: Range<usize>,
    responder: Responder,
    produced_at: DateTime<Utc>,
    responses: Vec<SingleResponse>,
    nonce: Option<Vec<u8>>,
    /// The first critical extension of the whole response that is not processed.
    critical_extension: Option<Oid>,
    certificates: Vec<Certificate>,
    verified: VerifiedValues,
}

/// How a response names its signer (`ResponderID`, RFC 6960, 4.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Responder {
    /// By the DER of its `Name`.
    Name(Vec<u8>),
    /// By the SHA-1 digest of its public key.
    Key(Vec<u8>),
}

impl Responder {
    /// Whether it names the subject of this certificate.
    #[must_use]
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Name(name) => ades_core::name::is_same(name, certificate.subject()),
            Self::Key(hash) => key_octets(certificate)
                .is_some_and(|key| Digest::of(DigestAlgorithm::Sha1, key).value() == hash),
        }
    }
}

/// What a response says about one certificate (`SingleResponse`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SingleResponse {
    /// The certificate.
    pub certificate: CertificateId,
    /// certStatus
    pub status: CertificateStatus,
    /// thisUpdate
    pub this_update: DateTime<Utc>,
    /// nextUpdate
    pub next_update: Option<DateTime<Utc>>,
    /// archiveCutoff (RFC 6960, 4.4.4)
    pub archive_cutoff: Option<DateTime<Utc>>,
    /// certHash (Common PKI, 3.1.2), if its digest algorithm is supported.
    pub certificate_hash: Option<Digest>,
    /// The first critical extension that is not processed.
    critical_extension: Option<Oid>,
}

/// How OCSP names a certificate (`CertID`, RFC 6960, 4.1.1). Its digests are identifiers:
/// nothing depends on how strong their algorithm is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateId {
    /// The algorithm of the two digests; `None` if it is not supported.
    pub algorithm: Option<DigestAlgorithm>,
    /// The digest of the issuer's name, as the certificate has it.
    pub issuer_name_hash: Vec<u8>,
    /// The digest of the issuer's key.
    pub issuer_key_hash: Vec<u8>,
    /// The content octets of the serial number.
    pub serial_number: Vec<u8>,
}

impl CertificateId {
    /// The identifier of a certificate that `issuer` has issued. `None` if the issuer's
    /// key cannot be read.
    #[must_use]
    pub fn of(
        certificate: &Certificate,
        issuer: &Certificate,
        algorithm: DigestAlgorithm,
    ) -> Option<Self> {
        Some(Self {
            algorithm: Some(algorithm),
            issuer_name_hash: Digest::of(algorithm, certificate.issuer()).value().to_vec(),
            issuer_key_hash: Digest::of(algorithm, key_octets(issuer)?).value().to_vec(),
            serial_number: serial_number(certificate).to_vec(),
        })
    }

    /// Whether it names a certificate that `issuer` has issued. `None` if that depends on
    /// an algorithm that is not supported.
    #[must_use]
    pub fn names(&self, certificate: &Certificate, issuer: &Certificate) -> Option<bool> {
        if self.serial_number != serial_number(certificate) {
            return Some(false);
        }
        let own = Self::of(certificate, issuer, self.algorithm?);
        Some(own.as_ref() == Some(self))
    }
}

/// Why octets are not a response that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OcspError {
    /// Octets that violate RFC 6960
    #[error("malformed OCSP response at octet {offset}: {what}")]
    Malformed {
        /// Offset from the first octet
        offset: u64,
        /// The rule that the octets violate
        what: &'static str,
    },
    /// The responder did not answer (RFC 6960, 4.2.1)
    #[error("the OCSP responder refused the request: {0}")]
    NotSuccessful(ResponseStatus),
    /// A response other than `BasicOCSPResponse`
    #[error("an OCSP response of type {0}, which is not supported")]
    ResponseType(Oid),
    /// A response that exceeds one of this module's limits
    #[error("the OCSP response exceeds a limit: {0}")]
    Limit(OcspLimit),
}

/// A limit of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OcspLimit {
    /// [`MAX_LEN`]
    #[error("1 MiB")]
    Len,
    /// [`MAX_RESPONSES`], or [`MAX_CERTIFICATES`] certificates
    #[error("4,096 certificates that it is about, or 64 that it contains")]
    Elements,
    /// Elements of indefinite length are nested too deep
    #[error("32 levels of nesting")]
    Nesting,
}

impl From<ber::Error> for OcspError {
    fn from(error: ber::Error) -> Self {
        match error {
            ber::Error::Malformed { offset, what } => Self::Malformed { offset, what },
            ber::Error::TooDeep => Self::Limit(OcspLimit::Nesting),
            ber::Error::TooManyElements => Self::Limit(OcspLimit::Elements),
        }
    }
}

/// `OCSPResponseStatus`, other than *successful*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseStatus {
    /// malformedRequest, 1
    #[error("it cannot read the request")]
    MalformedRequest,
    /// internalError, 2
    #[error("it has an internal error")]
    InternalError,
    /// tryLater, 3
    #[error("it cannot answer now")]
    TryLater,
    /// sigRequired, 5
    #[error("it answers signed requests only")]
    SignatureRequired,
    /// unauthorized, 6
    #[error("it does not answer for this certificate, or not to this client")]
    Unauthorized,
    /// A number that RFC 6960 does not define
    #[error("its status is {0}")]
    Other(u8),
}
