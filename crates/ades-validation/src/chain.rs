//! X.509 certificate validation (EN 319 102-1, 5.2.6): a certification path, and what is
//! wrong with its certificates at the validation time.

use ades_core::Certificate;
use ades_core::facts::ObjectId;
use ades_evidence::path::{Fault as PathFault, Invalid, Outcome, Path, Request, Undecided};
use ades_evidence::revocation::CertificateStatus;
use chrono::{DateTime, Utc};

use crate::fault::{Fault, who};
use crate::indication::SubIndication;
use crate::judgement::{Failure, NextStep, Reason};
use crate::material::Datum;
use crate::revocation::{Issuing, Link, Need, is_hold};
use crate::session::{Session, Usage};

/// Maximum number of times in the past for which a path is searched if the issuers of
/// today's paths have expired.
const MAX_PAST_TIMES: usize = 16;

/// A certification path, with what is known about the revocation of its certificates.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) usage: Usage,
    pub(crate) path: Path,
    /// When the trust in the anchor ended, if it did.
    pub(crate) anchor_ended: Option<DateTime<Utc>>,
    /// The certificates below the anchor, in the same order.
    pub(crate) links: Vec<Link>,
}

/// The faults that the issuers of a path have today, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum IssuerFaults {
    None,
    /// Faults that a proof of existence can excuse.
    Known,
    /// Nothing is known about the revocation of one.
    Unknown,
}

/// Why there is no path.
#[derive(Clone, Debug)]
pub(crate) struct NoChain {
    pub(crate) failure: Failure,
    /// Whether the certificate is known not to be trusted.
    pub(crate) trusted: Option<bool>,
    pub(crate) next_step: Option<NextStep>,
}

impl Chain {
    /// When the certificate at the start of the path is valid.
    pub(crate) fn leaf_validity(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        self.links.first().map(|link| link.certificate.validity())
    }

    pub(crate) fn anchor(&self) -> Option<&Certificate> {
        self.path.certificates.last()
    }

    /// Whether the path is valid at a time, and its anchor is still trusted.
    pub(crate) fn is_trusted_at(&self, time: DateTime<Utc>) -> bool {
        self.anchor_ended.is_none() && self.issuer_not_valid_at(time).is_none()
    }

    /// The first issuer below the anchor that is not valid at a time (shell model).
    pub(crate) fn issuer_not_valid_at(&self, time: DateTime<Utc>) -> Option<Fault> {
        let mut issuers = self.links.iter().enumerate().skip(1);
        issuers.find_map(|(link, issuer)| {
            let (from, to) = issuer.certificate.validity();
            (time < from || time > to).then_some(Fault::IssuerNotValid { link, from, to })
        })
    }

    /// Whether there is a time at which all its certificates are valid.
    pub(crate) fn was_ever_valid(&self) -> bool {
        let validity = || self.links.iter().map(|link| link.certificate.validity());
        let (from, to) = (validity().map(|v| v.0).max(), validity().map(|v| v.1).min());
        from.zip(to).is_none_or(|(from, to)| from <= to)
    }

    /// Whether the certificate with which a datum is signed needs no proof of its own: it
    /// is the anchor.
    pub(crate) fn is_signed_by_anchor(&self, datum: &Datum) -> bool {
        self.anchor() == Some(&datum.facts.signer)
    }
}

impl Session<'_> {
    /// Searches a path, and the revocation data about its certificates. If an issuer has a fault
    /// today, the next path is tried, such as one through a cross-certificate (5.2.6.4, step 2).
    pub(crate) fn chain(
        &mut self,
        certificate: &Certificate,
        usage: Usage,
    ) -> Result<Chain, NoChain> {
        let mut best = self.chain_after(certificate, usage, 0)?;
        let mut faults = self.issuer_faults(&best);
        for skip in 1.. {
            let budget = self.other_paths.checked_sub(1).filter(|_| faults != IssuerFaults::None);
            let Some(budget) = budget else { break };
            self.other_paths = budget;
            let Ok(next) = self.chain_after(certificate, usage, skip) else { break };
            let of_next = self.issuer_faults(&next);
            if of_next < faults {
                (best, faults) = (next, of_next);
            }
        }
        Ok(best)
    }

    /// The path after that number of other valid ones.
    fn chain_after(
        &mut self,
        certificate: &Certificate,
        usage: Usage,
        skip: usize,
    ) -> Result<Chain, NoChain> {
        let request = Request::document_signing(self.time).purpose(usage.purpose()).skip(skip);
        let (time, pool) = (self.time, &self.material.pool);
        let (outcome, ended) = self.anchors(usage).find(certificate, pool, &request, time);
        let (path, ended) = match outcome {
            Outcome::Valid(path) => (path, ended),
            Outcome::Invalid(why) if why.fault == PathFault::Expired => self
                .past_path(certificate, usage, skip)
                .ok_or_else(|| no_chain(Outcome::Invalid(why), usage))?,
            other => return Err(no_chain(other, usage)),
        };
        let mut links = Vec::new();
        if let Some(anchor) = path.certificates.last() {
            let pairs = path.certificates.iter().zip(path.certificates.iter().skip(1));
            for (at, (one, issuer)) in pairs.enumerate() {
                links.push(self.link(one, Issuing { issuer, anchor }, usage, at == 0));
            }
        }
        Ok(Chain { usage, path, anchor_ended: ended, links })
    }

    /// The faults of the issuers of a path, which another path may not have.
    fn issuer_faults(&self, chain: &Chain) -> IssuerFaults {
        let mut worst = IssuerFaults::None;
        for (at, link) in chain.links.iter().enumerate().skip(1) {
            let revocation = self.revocation_faults(chain, at, link);
            for fault in revocation.into_iter().chain(self.algorithm_faults(at, link)) {
                worst = worst.max(match fault {
                    Fault::NoRevocationData { .. } => IssuerFaults::Unknown,
                    _ => IssuerFaults::Known,
                });
            }
        }
        worst
    }

    /// A path that was valid when all its certificates were, although an issuer has
    /// expired since (5.6.2.1). Such a time is the end of one of its certificates, and is within
    /// the validity of the first one.
    fn past_path(
        &mut self,
        certificate: &Certificate,
        usage: Usage,
        skip: usize,
    ) -> Option<(Path, Option<DateTime<Utc>>)> {
        let (time, pool) = (self.time, &self.material.pool);
        let all = self.material.certificates.iter().chain([certificate]);
        let (from, to) = certificate.validity();
        let is_past = |end: &DateTime<Utc>| *end < time && from <= *end && *end <= to;
        let mut ends: Vec<_> = all.map(|one| one.validity().1).filter(is_past).collect();
        ends.sort_unstable_by(|one, other| other.cmp(one));
        ends.dedup();
        ends.truncate(MAX_PAST_TIMES);
        ends.into_iter().find_map(|end| {
            let request = Request::document_signing(end).purpose(usage.purpose()).skip(skip);
            match self.anchors(usage).find(certificate, pool, &request, time) {
                (Outcome::Valid(path), ended) => Some((path, ended)),
                _ => None,
            }
        })
    }

    /// The faults of the certificates of a path at the validation time, in the order
    /// in which the certificates are judged: from the start of the path upwards.
    pub(crate) fn faults(&self, chain: &Chain) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(until) = chain.anchor_ended {
            faults.push(Fault::AnchorEnded { until });
        }
        let not_yet = chain.leaf_validity().filter(|(from, _)| self.time < *from);
        if let Some((from, _)) = not_yet {
            faults.push(Fault::NotYetValid { from });
        }
        for (at, link) in chain.links.iter().enumerate() {
            // Data about a certificate that does not exist yet are not to be had.
            if at > 0 || not_yet.is_none() {
                faults.extend(self.revocation_faults(chain, at, link));
            }
            faults.extend(self.algorithm_faults(at, link));
            if at == 0 {
                faults.extend(self.bounds(chain, link));
            }
        }
        faults.extend(chain.issuer_not_valid_at(self.time));
        faults
    }

    fn revocation_faults(&self, chain: &Chain, at: usize, link: &Link) -> Option<Fault> {
        let Some(datum) = link.selected() else {
            let missing = link.need == Need::Required;
            return missing.then(|| Fault::no_revocation_data(at, link));
        };
        let facts = &datum.facts;
        if let CertificateStatus::Revoked(revocation) = facts.status
            && revocation.time <= self.time
        {
            let time = revocation.time;
            return Some(match is_hold(revocation.reason) {
                true => Fault::OnHold { link: at, since: time },
                false => Fault::Revoked { link: at, time },
            });
        }
        let is_signer = at == 0 && chain.usage == Usage::Signing;
        let (this_update, next_update) = (facts.this_update, facts.next_update);
        let is_fresh = self.policy.freshness.is_fresh(facts, self.time);
        (is_signer && !is_fresh).then_some(Fault::Stale { this_update, next_update })
    }

    /// Algorithms of a certificate and of the data about it, at the validation time.
    fn algorithm_faults(&self, at: usize, link: &Link) -> Vec<Fault> {
        let algorithms = &self.policy.algorithms;
        let key = link.issuer.key_type();
        let own = link.certificate.signature_algorithm().ok();
        let own = own.and_then(|own| algorithms.check_signature(own, key, self.time).err());
        let own = own.map(|why| Fault::WeakCertificate { link: at, id: link.id, why });
        let datum = link.selected().and_then(|datum| {
            let (algorithm, key) = (datum.facts.algorithm, datum.facts.signer.key_type());
            let why = algorithms.check_signature(algorithm, key, self.time).err()?;
            Some(Fault::WeakRevocationData { link: at, id: datum.id, why })
        });
        own.into_iter().chain(datum).collect()
    }

    /// The validity of the certificate at the start of the path, and of the signer of the
    /// data about it.
    fn bounds(&self, chain: &Chain, link: &Link) -> Option<Fault> {
        let is_valid = |certificate: &Certificate| {
            let (from, to) = certificate.validity();
            from <= self.time && self.time <= to
        };
        let datum = link.selected();
        let signer_counts =
            datum.map(|datum| chain.is_signed_by_anchor(datum) || is_valid(&datum.facts.signer));
        let (_, to) = link.certificate.validity();
        if self.time > to {
            let is_known = signer_counts == Some(true) || link.need == Need::NeverRevoked;
            let is_left_out = link.need == Need::LeftOut;
            return Some(Fault::Expired { to, is_known, is_left_out });
        }
        (signer_counts == Some(false)).then_some(Fault::RevocationSignerNotValid)
    }
}

fn no_chain(outcome: Outcome, usage: Usage) -> NoChain {
    use SubIndication as Sub;

    let failed = |sub, code: &str, text: String, trusted| NoChain {
        failure: Failure::new(sub, Reason::new(code, text)),
        trusted,
        next_step: None,
    };
    match outcome {
        Outcome::Invalid(Invalid { position, fault, .. }) => {
            let sub = match fault.is_about_use() {
                true => Sub::ChainConstraintsFailure,
                false => Sub::CertificateChainGeneralFailure,
            };
            let text = format!("{}: {fault}", who(usage, position));
            failed(sub, "path-invalid", text, Some(false))
        }
        Outcome::Undecided(why) => {
            let (code, step) = match why {
                Undecided::NoAnchors => ("no-trust-anchors", Some(NextStep::NameTrustAnchors)),
                Undecided::Algorithm => ("unsupported-algorithm-in-path", None),
                _ => ("too-many-paths", None),
            };
            let sub = Sub::NoCertificateChainFound;
            NoChain { next_step: step, ..failed(sub, code, why.to_string(), None) }
        }
        _ => {
            let text = format!(
                "no certification path leads from the certificate of {} to a trust anchor",
                usage.holder()
            );
            failed(Sub::NoCertificateChainFound, "untrusted", text, Some(false))
        }
    }
}

/// The id of the certificate that signed a datum.
pub(crate) fn signer_id(datum: &Datum) -> ObjectId {
    datum.facts.signer.id()
}
