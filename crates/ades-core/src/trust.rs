//! Whether certificates lead to trust anchors: over names, key identifiers,
//! signatures, validities, basicConstraints and key usage (RFC 5280, 6.1), not
//! over policies, name constraints or revocation.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Utc};

use crate::algorithm::DigestAlgorithm;
use crate::certificate::{Certificate, KeyType};
use crate::digest::Digest;
use crate::verify::verify_issued_by;

/// No path has more links.
pub const MAX_PATH: usize = 8;
/// One search goes on from this many certificates at most.
pub const MAX_REACHED: usize = 32;
/// So many authorities of one name are tried at most.
pub const MAX_ISSUERS_PER_NAME: usize = 64;
/// One search verifies this many signatures of certificates at most.
pub const MAX_SEARCH_SIGNATURES: usize = 64;
/// All searches of one [`PathBuilder`] verify this many at most.
pub const MAX_SIGNATURES: usize = 2048;

/// The authorities among certificates, by the names of their subjects.
pub struct IssuerPool<'a>(HashMap<&'a [u8], Vec<Authority<'a>>>);

#[derive(Clone, Copy)]
struct Authority<'a> {
    certificate: &'a Certificate,
    /// The digest of its SubjectPublicKeyInfo.
    key: [u8; 32],
}

impl<'a> IssuerPool<'a> {
    /// Those that basicConstraints and keyUsage let issue certificates, and whose
    /// keys this version verifies with.
    #[must_use]
    pub fn of(certificates: &'a [Certificate]) -> Self {
        Self::those(certificates, Certificate::may_issue)
    }

    fn those(certificates: &'a [Certificate], may_issue: fn(&Certificate) -> bool) -> Self {
        let mut by_subject = HashMap::<_, Vec<_>>::new();
        for certificate in certificates {
            if may_issue(certificate) && certificate.key_type() != KeyType::Unsupported {
                let key = sha256(certificate.public_key_info());
                let namesakes = by_subject.entry(certificate.subject()).or_default();
                namesakes.push(Authority { certificate, key });
            }
        }
        Self(by_subject)
    }

    /// Those that may have issued the certificate, with so many others below it
    /// that count for pathLenConstraint.
    fn issuers<'s>(
        &'s self,
        subject: &'s Certificate,
        below: usize,
    ) -> impl Iterator<Item = &'s Authority<'a>> {
        let namesakes = self.0.get(subject.issuer()).map(Vec::as_slice).unwrap_or_default();
        let tried = namesakes.iter().take(MAX_ISSUERS_PER_NAME);
        tried.filter(move |Authority { certificate, .. }| {
            subject.names_as_issuer(certificate)
                && certificate.path_len().is_none_or(|most| below <= most)
        })
    }
}

impl fmt::Debug for IssuerPool<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuerPool({} names)", self.0.len())
    }
}

/// Searches for paths from certificates to trust anchors. What it has verified
/// it remembers: many signatures of one container cost little more than one.
pub struct PathBuilder<'a> {
    anchors: &'a [Certificate],
    authorities: IssuerPool<'a>,
    links: Links,
}

impl<'a> PathBuilder<'a> {
    /// A search for paths to these anchors; without any, trust is not judged.
    #[must_use]
    pub fn new(anchors: &'a [Certificate]) -> Self {
        let authorities = IssuerPool::those(anchors, Certificate::may_issue_as_anchor);
        Self { anchors, authorities, links: Links { known: HashMap::new(), left: MAX_SIGNATURES } }
    }

    /// Whether a path leads from `certificate` to an anchor, over others in
    /// `among`, each signed by the next and, but for the anchor, valid at
    /// `time`; `None` if there are no anchors. What a search does not find
    /// within the limits of this module leads nowhere.
    pub fn reaches_anchor(
        &mut self,
        certificate: &Certificate,
        among: &IssuerPool<'_>,
        time: Option<DateTime<Utc>>,
    ) -> Option<bool> {
        if self.anchors.is_empty() {
            return None;
        }
        Some(self.anchors.contains(certificate) || self.search(certificate, among, time))
    }

    fn search(
        &mut self,
        certificate: &Certificate,
        among: &IssuerPool<'_>,
        time: Option<DateTime<Utc>>,
    ) -> bool {
        let valid =
            |c: &Certificate| time.is_none_or(|t| c.validity().0 <= t && t <= c.validity().1);
        let mut left = MAX_SEARCH_SIGNATURES;
        // By their place in memory: within one search, they stay where they are.
        // With how many authorities below them: a longer path may have fewer, as
        // those that are self-issued do not count (RFC 5280, 6.1.4 (l)), and get
        // past a pathLenConstraint where a shorter one does not.
        let mut reached = HashMap::from([(std::ptr::from_ref(certificate), 0)]);
        let mut row = vec![(certificate, 0)];
        for _ in 0..MAX_PATH {
            let mut next = Vec::new();
            for (subject, below) in row.into_iter().filter(|(subject, _)| valid(subject)) {
                let name = sha256(subject.der());
                let mut links =
                    |issuer: &Authority<'_>| self.links.are_made(subject, name, issuer, &mut left);
                if self.authorities.issuers(subject, below).any(&mut links) {
                    return true;
                }
                for issuer in among.issuers(subject, below) {
                    // The same name and key once more: whoever it signed, the
                    // subject signed too.
                    let same = subject.is_self_issued()
                        && subject.public_key_info() == issuer.certificate.public_key_info();
                    let at = std::ptr::from_ref(issuer.certificate);
                    let counts = !issuer.certificate.is_self_issued();
                    let above = below + usize::from(counts);
                    let better = match reached.get(&at) {
                        None => reached.len() < MAX_REACHED,
                        Some(known) => above < *known,
                    };
                    if !same && better && links(issuer) {
                        reached.insert(at, above);
                        next.push((issuer.certificate, above));
                    }
                }
            }
            row = next;
        }
        false
    }
}

impl fmt::Debug for PathBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathBuilder({} anchors)", self.anchors.len())
    }
}

/// Which certificates which keys have signed.
struct Links {
    known: HashMap<([u8; 32], [u8; 32]), bool>,
    left: usize,
}

impl Links {
    /// Whether the issuer's key signed the subject, whose digest is `name`;
    /// verified once, and only while both budgets last.
    fn are_made(
        &mut self,
        subject: &Certificate,
        name: [u8; 32],
        issuer: &Authority<'_>,
        left: &mut usize,
    ) -> bool {
        if let Some(known) = self.known.get(&(name, issuer.key)) {
            return *known;
        }
        let (Some(here), Some(all)) = (left.checked_sub(1), self.left.checked_sub(1)) else {
            return false;
        };
        (*left, self.left) = (here, all);
        let made = verify_issued_by(subject, issuer.certificate) == Some(true);
        self.known.insert((name, issuer.key), made);
        made
    }
}

fn sha256(octets: &[u8]) -> [u8; 32] {
    let digest = Digest::of(DigestAlgorithm::Sha256, octets);
    digest.value().try_into().unwrap_or_default()
}
