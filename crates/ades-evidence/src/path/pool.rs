//! The certificates among which a search finds issuers.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fmt;

use ades_core::name;
use ades_core::{Certificate, Digest, DigestAlgorithm};

use super::MAX_ISSUERS_PER_NAME;

/// Certificates that may issue others, by subject name. Names are compared by RFC
/// 5280, 7.1.
#[derive(Default)]
pub struct IssuerPool {
    issuers: Vec<Issuer>,
    by_subject: HashMap<Vec<u8>, Vec<usize>>,
}

pub(super) struct Issuer {
    pub(super) certificate: Certificate,
    /// The canonical form of its subject.
    pub(super) subject: Vec<u8>,
    /// The SHA-256 digest of its SubjectPublicKeyInfo.
    pub(super) key: [u8; 32],
}

impl IssuerPool {
    /// Collects certificates. Each is kept once.
    #[must_use]
    pub fn new(certificates: &[Certificate]) -> Self {
        let mut pool = Self::default();
        let mut seen = HashSet::new();
        for certificate in certificates {
            if seen.insert(certificate.id()) {
                pool.add(certificate);
            }
        }
        pool
    }

    fn add(&mut self, certificate: &Certificate) {
        let subject = name::canonical(certificate.subject());
        let key = sha256(certificate.public_key_info());
        self.by_subject.entry(subject.clone()).or_default().push(self.issuers.len());
        self.issuers.push(Issuer { certificate: certificate.clone(), subject, key });
    }

    pub(super) fn get(&self, at: usize) -> Option<&Issuer> {
        self.issuers.get(at)
    }

    /// The indices of the certificates that may have issued `subject`, whose issuer
    /// has the canonical form `name`. The likeliest come first: those that the
    /// authority key identifier names, CA certificates, and the newest. A key
    /// identifier is a hint only: the signature decides.
    pub(super) fn candidates(&self, subject: &Certificate, name: &[u8]) -> Vec<usize> {
        let same_name = self.by_subject.get(name).map(Vec::as_slice).unwrap_or_default();
        let mut found: Vec<(usize, &Issuer)> =
            same_name.iter().filter_map(|&at| Some((at, self.get(at)?))).collect();
        found.sort_by_key(|(_, Issuer { certificate, .. })| {
            let key_fits = match (subject.authority_key_id(), certificate.subject_key_id()) {
                (Some(authority), Some(own)) => {
                    if authority == own {
                        2
                    } else {
                        0
                    }
                }
                _ => 1,
            };
            Reverse((key_fits, certificate.is_ca(), certificate.validity().0))
        });
        found.truncate(MAX_ISSUERS_PER_NAME);
        found.into_iter().map(|(at, _)| at).collect()
    }
}

impl fmt::Debug for IssuerPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuerPool({} certificates)", self.issuers.len())
    }
}

pub(super) fn sha256(octets: &[u8]) -> [u8; 32] {
    let digest = Digest::of(DigestAlgorithm::Sha256, octets);
    digest.value().try_into().unwrap_or_default()
}
