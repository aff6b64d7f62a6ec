//! Finds a container's certificates by issuer and serial number, by subject key
//! identifier, or by digest.

use std::collections::HashMap;
use std::hash::Hash;

use ades_core::name::canonical;
use ades_core::{Certificate, Digest, DigestAlgorithm};

use crate::signer_info::Sid;

type Index<'c, K> = HashMap<K, &'c Certificate>;

/// An index of a container's certificates.
///
/// Each part is built when it is first asked, and each certificate is digested once for
/// each algorithm, whatever the number of signers. If several certificates fit, the index
/// finds the first.
pub(crate) struct CertificateIndex<'c> {
    certificates: &'c [Certificate],
    /// The issuer's name is in its canonical form.
    by_issuer_and_serial: Option<Index<'c, (Vec<u8>, &'c [u8])>>,
    by_key_identifier: Option<Index<'c, &'c [u8]>>,
    by_digest: Index<'c, Digest>,
    digested: Vec<DigestAlgorithm>,
}

impl<'c> CertificateIndex<'c> {
    pub(crate) fn new(certificates: &'c [Certificate]) -> Self {
        Self {
            certificates,
            by_issuer_and_serial: None,
            by_key_identifier: None,
            by_digest: HashMap::new(),
            digested: Vec::new(),
        }
    }

    pub(crate) fn with_sid(&mut self, sid: &Sid<'_>) -> Option<&'c Certificate> {
        let certificates = self.certificates.iter();
        match sid {
            Sid::IssuerAndSerial(issuer, serial) => {
                let index = self.by_issuer_and_serial.get_or_insert_with(|| {
                    first(certificates.map(|certificate| {
                        (
                            (canonical(certificate.issuer()), certificate.serial_number()),
                            certificate,
                        )
                    }))
                });
                index.get(&(canonical(issuer), *serial)).copied()
            }
            Sid::KeyIdentifier(identifier) => {
                let index = self.by_key_identifier.get_or_insert_with(|| {
                    first(certificates.filter_map(|it| Some((it.subject_key_id()?, it))))
                });
                index.get(identifier).copied()
            }
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

/// The first certificate for each key.
fn first<'c, K: Eq + Hash>(all: impl Iterator<Item = (K, &'c Certificate)>) -> Index<'c, K> {
    let mut index = HashMap::new();
    for (key, certificate) in all {
        index.entry(key).or_insert(certificate);
    }
    index
}
