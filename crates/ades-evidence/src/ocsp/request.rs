//! Requests (RFC 6960, 4.1.1).

use std::fmt;

use ades_core::asn1::der::{self, OCTET_STRING, SEQUENCE, context};
use ades_core::{Certificate, DigestAlgorithm, base64};
use serde::{Deserialize, Serialize};

use super::CertificateId;
use crate::fields::{extensions, inside, next, only};

/// Maximum length of a nonce, in octets: what RFC 8954 and RFC 9654 both allow.
pub const MAX_NONCE: usize = 32;
/// Maximum length of a stored request, in octets.
const MAX_REQUEST_LEN: usize = 4096;

/// The DER of a request for the status of one certificate. Serialises as base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct OcspRequest {
    der: Vec<u8>,
}

impl OcspRequest {
    /// A request about `certificate`, which `issuer` has issued. Many responders answer
    /// only requests that name certificates by SHA-1. `None` if the issuer's key cannot
    /// be read, or if the nonce is empty or longer than [`MAX_NONCE`].
    #[must_use]
    pub fn new(
        certificate: &Certificate,
        issuer: &Certificate,
        algorithm: DigestAlgorithm,
        nonce: Option<&[u8]>,
    ) -> Option<Self> {
        if nonce.is_some_and(|nonce| nonce.is_empty() || nonce.len() > MAX_NONCE) {
            return None;
        }
        let id = CertificateId::of(certificate, issuer, algorithm)?.to_der()?;
        let list = der::element(SEQUENCE, &[&der::element(SEQUENCE, &[&id])]);
        let extensions = nonce.map(nonce_extension).unwrap_or_default();
        let to_be_signed = der::element(SEQUENCE, &[&list, &extensions]);
        Some(Self { der: der::element(SEQUENCE, &[&to_be_signed]) })
    }

    /// The request.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The `CertID` in it: what stays the same with another nonce.
    pub(crate) fn certificate_id(&self) -> Option<&[u8]> {
        let mut to_be_signed =
            next(&mut only(&self.der, SEQUENCE)?.children(), SEQUENCE)?.children();
        let list = next(&mut to_be_signed, SEQUENCE)?;
        let request = next(&mut list.children(), SEQUENCE)?;
        next(&mut request.children(), SEQUENCE).map(|id| id.raw)
    }

    /// The nonce in it.
    #[must_use]
    pub fn nonce(&self) -> Option<&[u8]> {
        let mut to_be_signed =
            next(&mut only(&self.der, SEQUENCE)?.children(), SEQUENCE)?.children();
        next(&mut to_be_signed, SEQUENCE)?;
        let list = inside(&next(&mut to_be_signed, context(2))?)?;
        let all = extensions(&list)?;
        let nonce = all.iter().find(|extension| extension.kind == super::read::NONCE)?;
        only(nonce.value, OCTET_STRING).map(|inner| inner.content)
    }
}

impl CertificateId {
    /// `None` if its algorithm is not supported.
    fn to_der(&self) -> Option<Vec<u8>> {
        // Responders compare octets, and most have NULL parameters.
        let oid = der::object_identifier(self.algorithm?.oid());
        Some(der::element(
            SEQUENCE,
            &[
                &der::element(SEQUENCE, &[&oid, der::NULL]),
                &der::element(OCTET_STRING, &[&self.issuer_name_hash]),
                &der::element(OCTET_STRING, &[&self.issuer_key_hash]),
                &der::element(der::INTEGER, &[&self.serial_number]),
            ],
        ))
    }
}

/// `requestExtensions [2] EXPLICIT`, with a nonce.
fn nonce_extension(nonce: &[u8]) -> Vec<u8> {
    let value = der::element(OCTET_STRING, &[&der::element(OCTET_STRING, &[nonce])]);
    let extension =
        der::element(SEQUENCE, &[&der::element(der::OID, &[super::read::NONCE]), &value]);
    der::element(context(2), &[&der::element(SEQUENCE, &[&extension])])
}

impl fmt::Debug for OcspRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OcspRequest({} octets)", self.der.len())
    }
}

impl From<OcspRequest> for String {
    fn from(request: OcspRequest) -> Self {
        base64::encode(&request.der)
    }
}

impl TryFrom<String> for OcspRequest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let der = base64::decode(&text).filter(|der| der.len() <= MAX_REQUEST_LEN);
        let request = Self { der: der.ok_or("not the base64 of an OCSP request")? };
        match request.certificate_id() {
            Some(_) => Ok(request),
            None => Err("not an OCSP request about one certificate"),
        }
    }
}
