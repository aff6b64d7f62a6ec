//! What CRLs say about one certificate (RFC 5280, 6.3.3), and who says it.

use std::cmp::{Ordering, Reverse};

use ades_core::{Certificate, SignatureAlgorithm, name};

use super::scope::{Point, directory_name};
use super::{Crl, Entry, MAX_SIGNERS, Signed};
use crate::certificate_use::{is_same_authority, may_sign_lists};
use crate::fields::serial_number;
use crate::revocation::{
    CertificateStatus, Reason, ReasonSet, RevocationFacts, RevocationKind, SignerRole, Unusable,
    furthest,
};

/// What these CRLs say about `certificate`, which `issuer` has issued: one answer for
/// each complete CRL, in order, and one for each delta CRL that changes none of them.
///
/// A complete CRL is combined with the newest delta CRL that changes it (RFC 5280, 5.2.4),
/// so that a revocation in the delta CRL is not overlooked. The rest is as in
/// [`Crl::about`].
#[must_use]
pub fn about(
    certificate: &Certificate,
    issuer: &Certificate,
    crls: &[Crl],
    others: &[Certificate],
) -> Vec<Result<RevocationFacts, Unusable>> {
    let (deltas, complete): (Vec<&Crl>, Vec<&Crl>) = crls.iter().partition(|crl| crl.is_delta());
    let mut answers = Vec::new();
    for base in &complete {
        let fitting = deltas.iter().filter(|delta| delta.changes(base));
        let mut fitting: Vec<&&Crl> = fitting.collect();
        fitting.sort_by_key(|delta| Reverse(delta.this_update));
        let combined = fitting
            .into_iter()
            .find_map(|delta| base.about_with(delta, certificate, issuer, others).ok());
        answers.push(match combined {
            Some(facts) => Ok(facts),
            None => base.about(certificate, issuer, others),
        });
    }
    let alone = |delta: &&&Crl| !complete.iter().any(|base| delta.changes(base));
    answers.extend(deltas.iter().filter(alone).map(|d| d.about(certificate, issuer, others)));
    answers
}

impl Crl {
    /// What it says about `certificate`, which `issuer` has issued.
    ///
    /// The signer's certificate is looked for in `others`, and it may be `issuer`: it has
    /// the name of the CRL's issuer, its key made the signature, and its keyUsage, if
    /// there is one, has cRLSign. Indirect CRLs count if a distribution point of the
    /// certificate names their issuer. Times are not compared: see
    /// [`RevocationFacts::check_current`].
    ///
    /// # Errors
    /// Why it says nothing that counts. If it is not about the certificate, that comes
    /// first.
    pub fn about(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        others: &[Certificate],
    ) -> Result<RevocationFacts, Unusable> {
        let coverage = self.coverage(certificate)?;
        if self.is_delta() {
            return Err(Unusable::DeltaAlone);
        }
        let entry = self.entry(certificate)?;
        let (signer, role, algorithm) = self.signer(issuer, others, coverage.is_indirect)?;
        Ok(RevocationFacts {
            kind: RevocationKind::Crl,
            status: entry.map_or(CertificateStatus::Good, status),
            this_update: self.this_update,
            next_update: self.next_update,
            produced_at: self.this_update,
            keeps_expired_since: self.extensions.expired_since,
            certificate_hash: None,
            reasons: coverage.reasons,
            signer,
            role,
            algorithm,
        })
    }

    /// The same of this complete CRL, as `delta` changes it.
    fn about_with(
        &self,
        delta: &Self,
        certificate: &Certificate,
        issuer: &Certificate,
        others: &[Certificate],
    ) -> Result<RevocationFacts, Unusable> {
        let mut facts = self.about(certificate, issuer, others)?;
        let coverage = delta.coverage(certificate)?;
        let changed = delta.entry(certificate)?;
        let (signer, _, algorithm) = delta.signer(issuer, others, coverage.is_indirect)?;
        // RFC 5280, 5.2.4: the same key signs both.
        if !is_same_authority(&signer, &facts.signer) {
            return Err(Unusable::NotAuthorized);
        }
        if let Some(entry) = changed {
            facts.status = status(entry);
        }
        facts.this_update = delta.this_update;
        // The complete CRL is right until its own nextUpdate, and more so with the delta.
        facts.next_update =
            facts.next_update.zip(delta.next_update).map(|(one, other)| one.max(other));
        facts.produced_at = delta.this_update;
        facts.algorithm = algorithm;
        Ok(facts)
    }

    /// Whether this delta CRL changes `base` (RFC 5280, 5.2.4 (c) and 6.3.3 (c)).
    fn changes(&self, base: &Self) -> bool {
        let (own, its) = (&self.extensions, &base.extensions);
        let (Some(from), Some(number)) = (&own.base_number, &its.number) else { return false };
        self.issuer_key == base.issuer_key
            && own.scope.octets == its.scope.octets
            && own.authority_key_id == its.authority_key_id
            && compare(number, from) != Ordering::Less
            && own.number.as_ref().is_some_and(|own| compare(number, own) == Ordering::Less)
    }

    /// What it covers of this certificate.
    fn coverage(&self, certificate: &Certificate) -> Result<Coverage, Unusable> {
        let scope = &self.extensions.scope;
        let own_name = directory_name(&self.issuer);
        let is_direct = self.issuer_key == name::canonical(certificate.issuer());
        let mut fault = Unusable::OtherIssuer;
        let mut coverage = Coverage { reasons: ReasonSet::EMPTY, is_indirect: !is_direct };
        let mut is_covered = false;
        for point in &Point::all(certificate) {
            let names_it = match &point.crl_issuer {
                Some(names) if !is_direct => scope.is_indirect && names.contains(&own_name),
                Some(names) => names.contains(&own_name),
                None => is_direct,
            };
            if !names_it {
                continue;
            }
            match scope.reasons_at(point, &self.issuer) {
                Some(reasons) => {
                    coverage.reasons = coverage.reasons.union(reasons);
                    is_covered = true;
                }
                None => fault = Unusable::OtherDistributionPoint,
            }
        }
        if !is_covered {
            return Err(fault);
        }
        if !scope.covers_kind(certificate) {
            return Err(Unusable::OtherKind);
        }
        match self.extensions.critical {
            Some(oid) => Err(Unusable::CriticalExtension(oid)),
            None => Ok(coverage),
        }
    }

    /// The entry of this certificate, if there is one.
    fn entry(&self, certificate: &Certificate) -> Result<Option<&Entry>, Unusable> {
        let serial_number = serial_number(certificate);
        if self.wanted.binary_search_by(|w| w.as_slice().cmp(serial_number)).is_err() {
            return Err(Unusable::NotLookedUp);
        }
        if self.too_many {
            return Err(Unusable::TooManyEntries);
        }
        let issuer = directory_name(certificate.issuer());
        let is_issued_by_it = |entry: &&Entry| match &entry.certificate_issuer {
            Some(names) => names.contains(&issuer),
            None => issuer.get(1..) == Some(self.issuer_key.as_slice()),
        };
        let mut all = self.found.iter().filter(|entry| entry.serial_number == serial_number);
        Ok(all.find(is_issued_by_it))
    }

    /// The certificate with which the signature verifies, if it may sign CRLs. Otherwise
    /// the fault of the candidate that came furthest.
    fn signer(
        &self,
        issuer: &Certificate,
        others: &[Certificate],
        is_indirect: bool,
    ) -> Result<(Certificate, SignerRole, SignatureAlgorithm), Unusable> {
        if !self.signature.algorithms_agree {
            return Err(Unusable::AlgorithmsDiffer);
        }
        let algorithm = self.signature.algorithm.ok_or(Unusable::SignatureAlgorithm)?;
        let all = std::iter::once(issuer).chain(others);
        let mut candidates: Vec<&Certificate> =
            all.filter(|one| name::is_same(one.subject(), &self.issuer)).collect();
        // After a key rollover, the identifier says which key it is. It is a hint only.
        candidates.sort_by_key(|candidate| {
            let named = self.authority_key_id().zip(candidate.subject_key_id());
            Reverse(named.map_or(1, |(authority, own)| if authority == own { 2 } else { 0 }))
        });
        let mut fault = Unusable::NoSigner;
        for candidate in candidates.into_iter().take(MAX_SIGNERS) {
            let why = match self.verifies_with(candidate, algorithm) {
                Some(true) if may_sign_lists(candidate) => {
                    let role = if is_indirect {
                        SignerRole::CrlIssuer
                    } else if is_same_authority(candidate, issuer) {
                        SignerRole::Issuer
                    } else {
                        SignerRole::IssuerName
                    };
                    return Ok((candidate.clone(), role, algorithm));
                }
                Some(true) => Unusable::NotAuthorized,
                Some(false) => Unusable::Signature,
                None => Unusable::SignatureAlgorithm,
            };
            fault = furthest(fault, why);
        }
        Err(fault)
    }

    /// `None` if the key is not supported, or if the CRL is too long for Ed25519.
    fn verifies_with(&self, signer: &Certificate, algorithm: SignatureAlgorithm) -> Option<bool> {
        let value = &self.signature.value;
        match &self.signature.signed {
            Signed::Digest(digest) => self.verified.verify_digest(signer, algorithm, digest, value),
            Signed::Octets(octets) => self.verified.verify(signer, algorithm, octets, value),
            Signed::Unknown => None,
        }
    }
}

/// What a CRL covers of a certificate.
struct Coverage {
    reasons: ReasonSet,
    /// Whether another authority than the certificate's issuer issued the CRL.
    is_indirect: bool,
}

/// removeFromCRL ends a hold (RFC 5280, 6.3.3 (k)).
fn status(entry: &Entry) -> CertificateStatus {
    match entry.revocation.reason {
        Some(Reason::RemoveFromCrl) => CertificateStatus::Good,
        _ => CertificateStatus::Revoked(entry.revocation),
    }
}

/// Compares the content octets of two numbers that are not negative.
fn compare(one: &[u8], other: &[u8]) -> Ordering {
    let digits = |number: &[u8]| {
        let zeros = number.iter().take_while(|octet| **octet == 0).count();
        number.get(zeros..).unwrap_or_default().to_vec()
    };
    let (one, other) = (digits(one), digits(other));
    one.len().cmp(&other.len()).then(one.cmp(&other))
}
