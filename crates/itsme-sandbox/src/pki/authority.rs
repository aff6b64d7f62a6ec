//! CAs, with what they need to answer about their certificates.

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{Issuer, KeyPair, SerialNumber};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::signing_key::SigningKey;
use crate::SandboxError;
use crate::der::{self, Reader};

/// Length of both halves of a serial number.
const HALF: usize = 8;

/// A CA. Nobody keeps a list of its certificates: half of a serial number is a digest of the other
/// half and of the CA's key, so that the CA knows its own ones again in every run.
pub(crate) struct Authority {
    pub(super) pem: String,
    pub(crate) certificate: Issued,
    pub(super) issuer: Issuer<'static, KeyPair>,
    pub(crate) key: SigningKey,
    /// keyIdentifier of its key
    pub(crate) key_identifier: Vec<u8>,
}

/// A certificate that a service signs with, and its key.
pub(crate) struct Service {
    pub(crate) certificate: Issued,
    /// A certificate for the same key that has expired.
    pub(crate) expired: Issued,
    pub(crate) key: SigningKey,
}

/// The octets of a certificate, with the fields that evidence names.
pub(crate) struct Issued {
    pub(crate) der: Vec<u8>,
    /// DER of its issuer's `Name`
    pub(crate) issuer: Vec<u8>,
    /// The content octets
    pub(crate) serial_number: Vec<u8>,
    /// DER of its subject's `Name`
    pub(crate) subject: Vec<u8>,
    /// The octets in subjectPublicKey
    pub(crate) public_key: Vec<u8>,
}

impl Issued {
    /// `None` if it is not a certificate.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let mut fields = Reader(der).expect(der::SEQUENCE)?.children();
        let mut fields = fields.expect(der::SEQUENCE)?.children();
        fields.next_if(der::context(0)); // version
        let serial_number = fields.expect(der::INTEGER)?.content.to_vec();
        fields.expect(der::SEQUENCE)?; // signature
        let issuer = fields.expect(der::SEQUENCE)?.raw.to_vec();
        fields.expect(der::SEQUENCE)?; // validity
        let subject = fields.expect(der::SEQUENCE)?.raw.to_vec();
        let mut key = fields.expect(der::SEQUENCE)?.children();
        key.expect(der::SEQUENCE)?; // algorithm
        let (_, public_key) = key.expect(der::BIT_STRING)?.content.split_first()?;
        let public_key = public_key.to_vec();
        Some(Self { der: der.to_vec(), issuer, serial_number, subject, public_key })
    }

    pub(crate) fn from_pem(pem: &str) -> Option<Self> {
        Self::read(&CertificateDer::from_pem_slice(pem.as_bytes()).ok()?)
    }
}

impl Authority {
    /// `None` if one of its parts cannot be read.
    pub(super) fn new(
        pem: String,
        issuer: Issuer<'static, KeyPair>,
        key_identifier: Vec<u8>,
    ) -> Option<Self> {
        let certificate = Issued::from_pem(&pem)?;
        let key = SigningKey::from_pkcs8(issuer.key().serialized_der())?;
        Some(Self { pem, certificate, issuer, key, key_identifier })
    }

    /// A serial number for a new certificate.
    pub(super) fn new_serial_number(&self) -> Result<SerialNumber, SandboxError> {
        let mut random = [0; HALF];
        getrandom::fill(&mut random).map_err(SandboxError::making("a serial number"))?;
        // The number is positive and never gets shorter.
        if let Some(first) = random.first_mut() {
            *first = 0x40 | (*first & 0x3F);
        }
        let octets = [&random[..], &self.proof(&random)].concat();
        Ok(SerialNumber::from(octets))
    }

    /// Whether this CA has issued a certificate with this serial number, in any run.
    pub(crate) fn has_issued(&self, serial_number: &[u8]) -> bool {
        let (random, proof) = serial_number.split_at(HALF.min(serial_number.len()));
        random.len() == HALF && proof == self.proof(random)
    }

    fn proof(&self, random: &[u8]) -> Vec<u8> {
        let key = self.issuer.key().serialized_der();
        let proof = digest(&SHA256, &[key, random].concat());
        proof.as_ref().get(..HALF).unwrap_or_default().to_vec()
    }
}
