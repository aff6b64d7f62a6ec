//! Finds a container's certificates by issuer and serial number, by subject key
//! identifier, or by digest.

use std::collections::HashMap;

use ades_core::name::canonical;
use ades_core::{Certificate, Digest, DigestAlgorithm};

use crate::signer_info::Sid;

/// An index of a container's certificates.
///
/// Each certificate is digested once for each algorithm, whatever the number of
/// signers. If several certificates fit, the index finds the first.
pub(crate) struct CertificateIndex<'c> {
    certificates: &'c [Certificate],
    /// The issuer's name is in its canonical form.
    by_issuer_and_serial: HashMap<(Vec<u8>, &'c [u8]), &'c Certificate>,
    by_key_identifier: HashMap<&'c [u8], &'c Certificate>,
    by_digest: HashMap<Digest, &'c Certificate>,
    digested: Vec<DigestAlgorithm>,
}

impl<'c> CertificateIndex<'c> {
    pub(crate) fn new(certificates: &'c [Certificate]) -> Self {
        let mut index = Self {
            certificates,
            by_issuer_and_serial: HashMap::new(),
            by_key_identifier: HashMap::new(),
            by_digest: HashMap::new(),
            digested: Vec::new(),
        };
        for certificate in certificates {
            let name = (canonical(certificate.issuer()), certificate.serial_number());
            index.by_issuer_and_serial.entry(name).or_insert(certificate);
            if let Some(identifier) = certificate.subject_key_id() {
                index.by_key_identifier.entry(identifier).or_insert(certificate);
            }
        }
        index
    }

    pub(crate) fn with_sid(&self, sid: &Sid<'_>) -> Option<&'c Certificate> {
        match sid {
            Sid::IssuerAndSerial(issuer, serial) => {
                self.by_issuer_and_serial.get(&(canonical(issuer), *serial)).copied()
            }
            Sid::KeyIdentifier(identifier) => self.by_key_identifier.get(identifier).copied(),
            Sid::Malformed => None,
        }
    }

    pub(crate) fn with_digest(&mut self, digest: &Digest) -> Option<&'c Certificate> {
        let algorithm = digest.algorithm();
        if !self.digested.contains(&algorithm) {
            self.digested.push(algorithm);
            for certificate in self.certificates {
                self.by_digest.entry(certificate.digest(algorithm)).or_insert(certificate);
            }
        }
        self.by_digest.get(digest).copied()
    }
}
