//! Certification paths from certificates to trust anchors (RFC 5280, 6.1).
//!
//! Names, key identifiers, signatures, validity, basicConstraints and keyUsage
//! are checked. Policies, name constraints and revocation are not.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Utc};

use crate::algorithm::DigestAlgorithm;
use crate::certificate::{Certificate, KeyType};
use crate::digest::Digest;
use crate::verify::verify_issued_by;

/// Maximum number of signatures in a path.
pub const MAX_PATH: usize = 8;
/// Maximum number of certificates that one search continues from.
pub const MAX_REACHED: usize = 32;
/// Maximum number of issuers that a search tries for one issuer name.
pub const MAX_ISSUERS_PER_NAME: usize = 64;
/// Maximum number of certificate signatures that one search verifies.
pub const MAX_SEARCH_SIGNATURES: usize = 64;
/// Maximum number of certificate signatures that all searches of one
/// [`PathBuilder`] verify together.
pub const MAX_SIGNATURES: usize = 2048;

/// The certificates of a collection that may issue others, by subject name.
pub struct IssuerPool<'a>(HashMap<&'a [u8], Vec<Issuer<'a>>>);

#[derive(Clone, Copy)]
struct Issuer<'a> {
    certificate: &'a Certificate,
    /// The SHA-256 digest of its SubjectPublicKeyInfo.
    key: [u8; 32],
}

impl<'a> IssuerPool<'a> {
    /// Collects the certificates that basicConstraints and keyUsage allow to
    /// issue others and whose keys this version can verify with.
    #[must_use]
    pub fn of(certificates: &'a [Certificate]) -> Self {
        Self::collect(certificates, Certificate::may_issue)
    }

    fn collect(certificates: &'a [Certificate], may_issue: fn(&Certificate) -> bool) -> Self {
        let mut by_subject = HashMap::<_, Vec<_>>::new();
        for certificate in certificates {
            if may_issue(certificate) && certificate.key_type() != KeyType::Unsupported {
                let key = sha256(certificate.public_key_info());
                let same_name = by_subject.entry(certificate.subject()).or_default();
                same_name.push(Issuer { certificate, key });
            }
        }
        Self(by_subject)
    }

    /// The issuers whose name, key identifier and pathLenConstraint fit
    /// `subject`. `path_len` is the number of CA certificates from `subject`
    /// downwards that count for pathLenConstraint.
    fn candidates<'s>(
        &'s self,
        subject: &'s Certificate,
        path_len: usize,
    ) -> impl Iterator<Item = &'s Issuer<'a>> {
        let same_name = self.0.get(subject.issuer()).map(Vec::as_slice).unwrap_or_default();
        let tried = same_name.iter().take(MAX_ISSUERS_PER_NAME);
        tried.filter(move |Issuer { certificate, .. }| {
            subject.names_as_issuer(certificate)
                && certificate.path_len().is_none_or(|max| path_len <= max)
        })
    }
}

impl fmt::Debug for IssuerPool<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuerPool({} names)", self.0.len())
    }
}

/// Searches for paths from certificates to trust anchors.
///
/// It remembers the certificate signatures that it has verified, so that many
/// signatures in one container cost little more than one.
pub struct PathBuilder<'a> {
    anchors: &'a [Certificate],
    anchor_pool: IssuerPool<'a>,
    verified: VerifiedSignatures,
}

impl<'a> PathBuilder<'a> {
    /// Prepares searches for paths to these anchors. Without anchors,
    /// [`reaches_anchor`](Self::reaches_anchor) always returns `None`.
    #[must_use]
    pub fn new(anchors: &'a [Certificate]) -> Self {
        let anchor_pool = IssuerPool::collect(anchors, Certificate::may_issue_as_anchor);
        let verified = VerifiedSignatures { results: HashMap::new(), budget: MAX_SIGNATURES };
        Self { anchors, anchor_pool, verified }
    }

    /// Whether a path leads from `certificate` to an anchor through `issuers`.
    ///
    /// Each certificate of the path is signed by the next one. Each is valid at
    /// `time`, except the anchor. Returns `None` if there are no anchors, and
    /// `Some(false)` if the limits of this module end the search.
    pub fn reaches_anchor(
        &mut self,
        certificate: &Certificate,
        issuers: &IssuerPool<'_>,
        time: Option<DateTime<Utc>>,
    ) -> Option<bool> {
        if self.anchors.is_empty() {
            return None;
        }
        Some(self.anchors.contains(certificate) || self.search(certificate, issuers, time))
    }

    /// A breadth-first search: step n reaches the certificates that are n
    /// signatures away from `certificate`.
    fn search(
        &mut self,
        certificate: &Certificate,
        issuers: &IssuerPool<'_>,
        time: Option<DateTime<Utc>>,
    ) -> bool {
        let valid =
            |c: &Certificate| time.is_none_or(|t| c.validity().0 <= t && t <= c.validity().1);
        let mut budget = MAX_SEARCH_SIGNATURES;
        // The keys are addresses: certificates do not move during a search. The
        // values are path lengths. A certificate is reached again if the new path
        // length is smaller: self-issued certificates do not count (RFC 5280,
        // 6.1.4 (l)), so a path with more certificates can satisfy a
        // pathLenConstraint that a path with fewer does not.
        let mut reached = HashMap::from([(std::ptr::from_ref(certificate), 0)]);
        let mut step = vec![(certificate, 0)];
        for _ in 0..MAX_PATH {
            let mut next_step = Vec::new();
            for (subject, path_len) in step.into_iter().filter(|(subject, _)| valid(subject)) {
                let fingerprint = sha256(subject.der());
                let mut signed_by = |issuer: &Issuer<'_>| {
                    self.verified.is_signed_by(subject, fingerprint, issuer, &mut budget)
                };
                if self.anchor_pool.candidates(subject, path_len).any(&mut signed_by) {
                    return true;
                }
                for issuer in issuers.candidates(subject, path_len) {
                    // The issuer has the subject's own name and key, so it also
                    // signed what the subject signed: the search reaches it
                    // without the subject.
                    let same_name_and_key = subject.is_self_issued()
                        && subject.public_key_info() == issuer.certificate.public_key_info();
                    let counts = !issuer.certificate.is_self_issued();
                    let path_len = path_len + usize::from(counts);
                    let address = std::ptr::from_ref(issuer.certificate);
                    let improves = match reached.get(&address) {
                        None => reached.len() < MAX_REACHED,
                        Some(known) => path_len < *known,
                    };
                    if !same_name_and_key && improves && signed_by(issuer) {
                        reached.insert(address, path_len);
                        next_step.push((issuer.certificate, path_len));
                    }
                }
            }
            step = next_step;
        }
        false
    }
}

impl fmt::Debug for PathBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathBuilder({} anchors)", self.anchors.len())
    }
}

/// The certificate signatures that were verified, with their results.
struct VerifiedSignatures {
    /// By the digests of the certificate and of the issuer's key.
    results: HashMap<([u8; 32], [u8; 32]), bool>,
    /// Number of signatures that may still be verified.
    budget: usize,
}

impl VerifiedSignatures {
    /// Whether the issuer's key signed `subject`, whose SHA-256 digest is
    /// `fingerprint`. A signature is verified once; `false` if the budget of
    /// the search or of the builder is used up.
    fn is_signed_by(
        &mut self,
        subject: &Certificate,
        fingerprint: [u8; 32],
        issuer: &Issuer<'_>,
        search_budget: &mut usize,
    ) -> bool {
        if let Some(known) = self.results.get(&(fingerprint, issuer.key)) {
            return *known;
        }
        let (Some(search), Some(all)) = (search_budget.checked_sub(1), self.budget.checked_sub(1))
        else {
            return false;
        };
        (*search_budget, self.budget) = (search, all);
        let signed = verify_issued_by(subject, issuer.certificate) == Some(true);
        self.results.insert((fingerprint, issuer.key), signed);
        signed
    }
}

fn sha256(octets: &[u8]) -> [u8; 32] {
    let digest = Digest::of(DigestAlgorithm::Sha256, octets);
    digest.value().try_into().unwrap_or_default()
}
