//! The search for a valid path.

use std::collections::HashMap;
use std::fmt;

use ades_core::facts::ObjectId;
use ades_core::{Certificate, name};

use super::check::check;
use super::pool::{Issuer, IssuerPool, sha256};
use super::{
    Invalid, MAX_PATH, MAX_PATHS, MAX_REACHED, MAX_SEARCH_SIGNATURES, MAX_SIGNATURES, MAX_STEPS,
    Outcome, Path, Request, Undecided,
};
use crate::verified::VerifiedValues;

/// Searches for paths from certificates to trust anchors.
///
/// It remembers the certificate signatures that it has verified, so that many
/// signatures in one container cost little more than one.
pub struct PathBuilder {
    anchors: IssuerPool,
    verified: VerifiedSignatures,
    are_anchors: Vec<Certificate>,
}

impl PathBuilder {
    /// Prepares searches for paths to these anchors.
    #[must_use]
    pub fn new(anchors: &[Certificate]) -> Self {
        Self {
            anchors: IssuerPool::new(anchors),
            verified: VerifiedSignatures {
                results: HashMap::new(),
                budget: MAX_SIGNATURES,
                values: VerifiedValues::new(),
            },
            are_anchors: anchors.to_vec(),
        }
    }

    /// Remembers with others which signature values verify. Those count against the limits, too.
    pub fn share(&mut self, verified: &VerifiedValues) {
        self.verified.values = verified.clone();
    }

    /// Searches for a valid path from `certificate` to an anchor through `pool`.
    /// The certificate itself may be an anchor: nothing of an anchor is checked.
    pub fn find(
        &mut self,
        certificate: &Certificate,
        pool: &IssuerPool,
        request: &Request,
    ) -> Outcome {
        if self.are_anchors.is_empty() {
            return Outcome::Undecided(Undecided::NoAnchors);
        }
        if self.are_anchors.contains(certificate) {
            return match request.skip {
                0 => Outcome::Valid(Path { certificates: vec![certificate.clone()] }),
                _ => Outcome::NoPath,
            };
        }
        let reached = Reached::from(certificate, pool, &self.anchors, &mut self.verified);
        let mut paths = Paths {
            reached: &reached,
            anchors: &self.anchors,
            request,
            steps: MAX_STEPS,
            tried: MAX_PATHS,
            skip: request.skip,
            first_fault: None,
        };
        let found = paths.extend(&mut vec![0]);
        match (found, paths.first_fault) {
            (Some(path), _) => Outcome::Valid(path),
            _ if paths.steps == 0 || paths.tried == 0 || reached.limit => {
                Outcome::Undecided(Undecided::Limit)
            }
            _ if reached.unsupported => Outcome::Undecided(Undecided::Algorithm),
            (None, Some(fault)) => Outcome::Invalid(fault),
            (None, None) => Outcome::NoPath,
        }
    }
}

impl fmt::Debug for PathBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathBuilder({} anchors)", self.are_anchors.len())
    }
}

/// The certificates that verified signatures lead to.
struct Reached {
    /// The certificate at the start is the first.
    nodes: Vec<Node>,
    /// Whether a signature could not be verified because it is not supported.
    unsupported: bool,
    /// Whether a limit kept a signature from being verified.
    limit: bool,
}

struct Node {
    certificate: Certificate,
    /// The canonical form of its subject, and its key.
    identity: (Vec<u8>, [u8; 32]),
    /// The nodes whose keys signed it.
    issuers: Vec<usize>,
    /// The anchors whose keys signed it.
    anchors: Vec<usize>,
    /// Whether signatures lead from it to an anchor.
    leads: bool,
}

impl Node {
    fn new(certificate: &Certificate, identity: (Vec<u8>, [u8; 32])) -> Self {
        let certificate = certificate.clone();
        Self { certificate, identity, issuers: Vec::new(), anchors: Vec::new(), leads: false }
    }
}

impl Reached {
    fn from(
        start: &Certificate,
        pool: &IssuerPool,
        anchors: &IssuerPool,
        verified: &mut VerifiedSignatures,
    ) -> Self {
        let identity = (name::canonical(start.subject()), sha256(start.public_key_info()));
        let first = Node::new(start, identity);
        let mut reached = Self { nodes: vec![first], unsupported: false, limit: false };
        let mut budget = MAX_SEARCH_SIGNATURES;
        // By index in the pool.
        let mut known: HashMap<usize, usize> = HashMap::new();
        let mut at = 0;
        while let Some(node) = reached.nodes.get(at) {
            let subject = node.certificate.clone();
            let issuer_name = name::canonical(subject.issuer());
            let mut signed = |issuer: &Issuer, reached: &mut Self| {
                match verified.signed_by(&subject, issuer, &mut budget) {
                    Signed::Yes => return true,
                    Signed::No => {}
                    Signed::Unsupported => reached.unsupported = true,
                    Signed::Limit => reached.limit = true,
                }
                false
            };
            let (mut its_anchors, mut its_issuers) = (Vec::new(), Vec::new());
            for candidate in anchors.candidates(&subject, &issuer_name) {
                if anchors.get(candidate).is_some_and(|anchor| signed(anchor, &mut reached)) {
                    its_anchors.push(candidate);
                }
            }
            for candidate in pool.candidates(&subject, &issuer_name) {
                let Some(issuer) = pool.get(candidate) else { continue };
                if issuer.certificate == subject || !signed(issuer, &mut reached) {
                    continue;
                }
                let next = reached.nodes.len();
                let node = *known.entry(candidate).or_insert(next);
                if node == next {
                    if next == MAX_REACHED {
                        known.remove(&candidate);
                        reached.limit = true;
                        continue;
                    }
                    let identity = (issuer.subject.clone(), issuer.key);
                    reached.nodes.push(Node::new(&issuer.certificate, identity));
                }
                its_issuers.push(node);
            }
            if let Some(node) = reached.nodes.get_mut(at) {
                (node.anchors, node.issuers) = (its_anchors, its_issuers);
            }
            at += 1;
        }
        reached.mark_leading();
        reached
    }

    /// Marks the certificates from which signatures lead to an anchor.
    fn mark_leading(&mut self) {
        let mut signed_by: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            for &issuer in &node.issuers {
                if let Some(subjects) = signed_by.get_mut(issuer) {
                    subjects.push(at);
                }
            }
        }
        let mut waiting: Vec<usize> = self
            .nodes
            .iter()
            .enumerate()
            .filter_map(|(at, node)| (!node.anchors.is_empty()).then_some(at))
            .collect();
        while let Some(at) = waiting.pop() {
            if let Some(node) = self.nodes.get_mut(at)
                && !std::mem::replace(&mut node.leads, true)
            {
                waiting.extend(signed_by.get(at).into_iter().flatten());
            }
        }
    }
}

/// Puts paths together, depth first, and validates them.
struct Paths<'a> {
    reached: &'a Reached,
    anchors: &'a IssuerPool,
    request: &'a Request,
    steps: usize,
    tried: usize,
    /// Number of valid paths to pass over.
    skip: usize,
    first_fault: Option<Invalid>,
}

impl Paths<'_> {
    /// The first valid path that begins with these nodes. At most [`MAX_PATH`] calls
    /// are nested.
    fn extend(&mut self, nodes: &mut Vec<usize>) -> Option<Path> {
        let reached = self.reached;
        let last = reached.nodes.get(*nodes.last()?)?;
        for &anchor in &last.anchors {
            let anchor = self.anchors.get(anchor)?;
            self.tried = self.tried.checked_sub(1)?;
            let found = nodes.iter().filter_map(|&at| reached.nodes.get(at));
            let certificates: Vec<Certificate> =
                found.map(|node| node.certificate.clone()).collect();
            match check(&certificates, &anchor.certificate, self.request) {
                Ok(()) if self.skip > 0 => self.skip -= 1,
                Ok(()) => {
                    let anchor = std::iter::once(anchor.certificate.clone());
                    let certificates = certificates.into_iter().chain(anchor).collect();
                    return Some(Path { certificates });
                }
                Err(fault) => {
                    self.first_fault.get_or_insert(fault);
                }
            }
        }
        if nodes.len() == MAX_PATH {
            self.steps = 0;
            return None;
        }
        for &issuer in &last.issuers {
            self.steps = self.steps.checked_sub(1)?;
            let Some(next) = reached.nodes.get(issuer).filter(|next| next.leads) else { continue };
            // A path through the same name and key again is the same path with a
            // detour (RFC 5280, 6.1).
            let repeats = |&at: &usize| {
                reached.nodes.get(at).is_some_and(|node| node.identity == next.identity)
            };
            if nodes.iter().any(repeats) {
                continue;
            }
            nodes.push(issuer);
            let found = self.extend(nodes);
            nodes.pop();
            if found.is_some() || self.tried == 0 || self.steps == 0 {
                return found;
            }
        }
        None
    }
}

/// The certificate signatures that were verified, with their results.
struct VerifiedSignatures {
    /// By the certificate, and the digest of the issuer's key.
    results: HashMap<(ObjectId, [u8; 32]), Option<bool>>,
    /// Number of signatures that may still be verified.
    budget: usize,
    values: VerifiedValues,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Signed {
    Yes,
    No,
    Unsupported,
    Limit,
}

impl VerifiedSignatures {
    /// Whether the issuer's key signed `subject`. A signature is verified once.
    fn signed_by(
        &mut self,
        subject: &Certificate,
        issuer: &Issuer,
        search_budget: &mut usize,
    ) -> Signed {
        let key = (subject.id(), issuer.key);
        let result = match self.results.get(&key) {
            Some(known) => *known,
            None => {
                let budgets = search_budget.checked_sub(1).zip(self.budget.checked_sub(1));
                let Some(left) = budgets else { return Signed::Limit };
                (*search_budget, self.budget) = left;
                let signed = self.values.issued_by(subject, &issuer.certificate);
                self.results.insert(key, signed);
                signed
            }
        };
        match result {
            Some(true) => Signed::Yes,
            Some(false) => Signed::No,
            None => Signed::Unsupported,
        }
    }
}
