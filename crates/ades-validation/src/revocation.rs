//! Which revocation data count for a certificate (EN 319 102-1, 5.2.6; RFC 5280, 6.3;
//! RFC 6960, 3.2).

use ades_core::Certificate;
use ades_core::facts::ObjectId;
use ades_evidence::path::{Outcome, Purpose, Request};
use ades_evidence::revocation::{
    CertificateStatus, Reason, ReasonSet, RevocationFacts, SignerRole,
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::material::{Datum, Rejected};
use crate::policy::Revocation;
use crate::session::{Session, Usage};

/// Difference between two clocks that does not count.
pub(crate) const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// Maximum number of certificates whose revocation data are needed for one another: a
/// responder's needs data that another responder signs.
const MAX_DEPTH: usize = 8;
/// id-etsi-ext-valassured-ST-certs (EN 319 412-1, 5.2): the certificate is valid for so
/// short a time that it is never revoked.
const SHORT_TERM: &str = "0.4.0.194121.2.1";
/// id-ce-noRevAvail (RFC 9608)
const NO_REVOCATION_AVAILABLE: &str = "2.5.29.56";

/// A certificate of a path, below the anchor, with what is known about its revocation.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) certificate: Certificate,
    pub(crate) id: ObjectId,
    pub(crate) issuer: Certificate,
    /// The anchor at which the path ends.
    pub(crate) anchor: Certificate,
    pub(crate) need: Need,
    /// The data that count, the newest first.
    pub(crate) data: Vec<Datum>,
    pub(crate) rejected: Vec<Rejected>,
}

/// Who issued a certificate, and the anchor at which the path ends.
#[derive(Clone, Copy)]
pub(crate) struct Issuing<'c> {
    pub(crate) issuer: &'c Certificate,
    pub(crate) anchor: &'c Certificate,
}

/// Whether a certificate needs revocation data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    /// That there are none is a remark.
    IfPresent,
    /// It is never revoked, by its own extensions.
    NeverRevoked,
    /// The caller leaves revocation out.
    LeftOut,
}

impl Link {
    /// The datum that decides about the certificate.
    pub(crate) fn selected(&self) -> Option<&Datum> {
        select(self.data.iter())
    }
}

/// The datum that decides, among data in the order of their age: the newest for each
/// reason, so one revocation is enough, and a certificate is good only if all reasons are
/// covered (RFC 5280, 6.3.3). It is never the first that was found.
pub(crate) fn select<'d>(newest_first: impl Iterator<Item = &'d Datum>) -> Option<&'d Datum> {
    let mut covered = ReasonSet::EMPTY;
    let mut newest = None;
    for datum in newest_first {
        let facts = &datum.facts;
        if covered.union(facts.reasons) == covered {
            continue;
        }
        if matches!(facts.status, CertificateStatus::Revoked(_)) {
            return Some(datum);
        }
        covered = covered.union(facts.reasons);
        newest = newest.or(Some(datum));
    }
    newest.filter(|_| covered == ReasonSet::ALL)
}

/// Whether the reason is a hold, which may end.
pub(crate) fn is_hold(reason: Option<Reason>) -> bool {
    reason == Some(Reason::CertificateHold)
}

impl Session<'_> {
    /// A certificate of a path with its revocation data. `is_leaf`: it is at the start
    /// of the path.
    pub(crate) fn link(
        &mut self,
        certificate: &Certificate,
        issuer: Issuing<'_>,
        usage: Usage,
        is_leaf: bool,
    ) -> Link {
        self.link_within(certificate, issuer, usage, is_leaf, MAX_DEPTH)
    }

    fn link_within(
        &mut self,
        certificate: &Certificate,
        issuing: Issuing<'_>,
        usage: Usage,
        is_leaf: bool,
        depth: usize,
    ) -> Link {
        let Issuing { issuer, anchor } = issuing;
        let (id, issuer_id) = (certificate.id(), issuer.id());
        let key = (id, issuer_id, anchor.id(), usage);
        if let Some(known) = self.links.get(&key) {
            return known.clone();
        }
        let need = self.need(certificate, usage, is_leaf);
        let mut link = Link {
            certificate: certificate.clone(),
            id,
            issuer: issuer.clone(),
            anchor: anchor.clone(),
            need,
            data: Vec::new(),
            rejected: Vec::new(),
        };
        // Data that need data of their own could make each other's work grow without end.
        let budget = self.budget.checked_sub(1);
        self.budget = budget.unwrap_or_default();
        if matches!(need, Need::Required | Need::IfPresent) && budget.is_some() {
            let (found, rejected) = self.material.about(certificate, issuer);
            link.rejected = rejected;
            for datum in found {
                match self.acceptable(&datum.facts, certificate, issuing, usage, depth) {
                    Ok(()) => link.data.push(datum),
                    Err(why) => link.rejected.push(Rejected { kind: datum.facts.kind, why }),
                }
            }
            link.data.sort_by_key(|datum| std::cmp::Reverse(datum.facts.produced_at));
        }
        // What was cut off at the maximum depth is not the answer for others.
        if depth == MAX_DEPTH {
            self.links.insert(key, link.clone());
        }
        link
    }

    fn need(&self, certificate: &Certificate, usage: Usage, is_leaf: bool) -> Need {
        match self.policy.revocation {
            Revocation::LeftOut => return Need::LeftOut,
            Revocation::IfPresent => return Need::IfPresent,
            Revocation::Required => {}
        }
        let never = |oid: &str| {
            let oid = ades_core::Oid::from_dotted(oid);
            let mut kinds = certificate.extensions().map(|extension| extension.kind);
            oid.is_some_and(|oid| kinds.any(|kind| kind == oid.as_bytes()))
        };
        match (is_leaf, usage) {
            (true, Usage::Signing) if never(SHORT_TERM) || never(NO_REVOCATION_AVAILABLE) => {
                Need::NeverRevoked
            }
            (true, _) | (false, Usage::Signing) => Need::Required,
            _ if self.collects => Need::Required,
            // As in common practice, and in the policy of EU DSS 6.4.
            (false, Usage::TimeStamping | Usage::RevocationSigning) => Need::IfPresent,
        }
    }

    /// Whether a datum counts at the time of the validation.
    fn acceptable(
        &mut self,
        facts: &RevocationFacts,
        certificate: &Certificate,
        issuing: Issuing<'_>,
        usage: Usage,
        depth: usize,
    ) -> Result<(), String> {
        if facts.status == CertificateStatus::Unknown {
            return Err("its responder does not know the certificate".to_owned());
        }
        if facts.this_update > self.evidence_until + CLOCK_TOLERANCE {
            return Err(format!(
                "it was issued after the validation time: thisUpdate is {}",
                facts.this_update
            ));
        }
        facts.check_known(certificate).map_err(|fault| fault.to_string())?;
        let signer = &facts.signer;
        match facts.role {
            SignerRole::Issuer => Ok(()),
            SignerRole::Delegated { no_check } => {
                let (from, to) = signer.validity();
                if facts.produced_at < from || facts.produced_at > to {
                    return Err("its responder's certificate was not valid then".to_owned());
                }
                if no_check {
                    return Ok(());
                }
                self.signer_is_good(signer, issuing, facts.produced_at, usage, depth)
            }
            _ => self.has_own_path(facts, issuing.anchor, usage, depth),
        }
    }

    /// A signer of revocation data needs such data itself. Nobody vouches for itself:
    /// the depth is bounded.
    fn signer_is_good(
        &mut self,
        signer: &Certificate,
        issuing: Issuing<'_>,
        produced_at: DateTime<Utc>,
        usage: Usage,
        depth: usize,
    ) -> Result<(), String> {
        let usage = match usage {
            Usage::TimeStamping => Usage::TimeStamping,
            _ => Usage::RevocationSigning,
        };
        let missing = || "the revocation of its signer's certificate is not known".to_owned();
        if self.policy.revocation != Revocation::Required || self.anchors(usage).contains(signer) {
            return Ok(());
        }
        let depth = depth.checked_sub(1).ok_or_else(missing)?;
        let link = self.link_within(signer, issuing, usage, true, depth);
        match link.selected().map(|datum| datum.facts.status) {
            Some(CertificateStatus::Good) => Ok(()),
            Some(CertificateStatus::Revoked(revocation))
                if revocation.time > produced_at
                    && matches!(
                        revocation.reason,
                        Some(
                            Reason::AffiliationChanged
                                | Reason::Superseded
                                | Reason::CessationOfOperation
                        )
                    ) =>
            {
                Ok(())
            }
            Some(_) => Err("its signer's certificate is revoked".to_owned()),
            None => Err(missing()),
        }
    }

    /// A signer with another certificate than the issuer's needs a path of its own, to the same
    /// anchor (RFC 5280, 6.3.3 (f)): another authority may have the same name.
    fn has_own_path(
        &mut self,
        facts: &RevocationFacts,
        anchor: &Certificate,
        usage: Usage,
        depth: usize,
    ) -> Result<(), String> {
        let (from, to) = facts.signer.validity();
        let mut first = None;
        for skip in 0.. {
            let request = Request::document_signing(facts.produced_at).purpose(Purpose::Any);
            let (request, time, pool) = (request.skip(skip), self.time, &self.material.pool);
            let (outcome, _) = self.anchors(usage).find(&facts.signer, pool, &request, time);
            let Outcome::Valid(path) = outcome else { break };
            if facts.produced_at < from || facts.produced_at > to {
                return Err("its signer's certificate was not valid then".to_owned());
            }
            let mut pairs = path.certificates.iter().zip(path.certificates.iter().skip(1));
            let is_good = match path.certificates.last() == Some(anchor) {
                true => pairs.try_for_each(|(certificate, issuer)| {
                    let issuing = Issuing { issuer, anchor };
                    self.signer_is_good(certificate, issuing, facts.produced_at, usage, depth)
                }),
                false => Err("the path of its signer ends at another anchor".to_owned()),
            };
            let Err(why) = is_good else { return Ok(()) };
            first.get_or_insert(why);
            let Some(budget) = self.other_paths.checked_sub(1) else { break };
            self.other_paths = budget;
        }
        let none = "no valid certification path leads from its signer to an anchor";
        Err(first.unwrap_or_else(|| none.to_owned()))
    }
}
