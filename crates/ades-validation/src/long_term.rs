//! Long-term validation (EN 319 102-1, 5.6): proofs of existence from time-stamps, the
//! newest first, and the validation of the past.

use std::cmp::Reverse;

use ades_core::facts::{Evidence, ObjectId, TimeStampFacts, TimeStampKind};
use ades_evidence::revocation::{CertificateStatus, RevocationFacts};
use chrono::{DateTime, Utc};

use crate::case::Case;
use crate::chain::{Chain, signer_id};
use crate::fault::Fault;
use crate::indication::SubIndication;
use crate::judgement::Failure;
use crate::material::Datum;
use crate::policy::Freshness;
use crate::proofs::{Object, Proofs};
use crate::revocation::{Link, Need, select};
use crate::session::{Session, Usage};
use crate::time_stamp::Stamp;

/// Answers about signatures that older proofs of existence can change (5.6.3, step 3).
pub(crate) const ENTRY: [SubIndication; 9] = [
    SubIndication::RevokedNoPoe,
    SubIndication::RevokedCaNoPoe,
    SubIndication::OutOfBoundsNoPoe,
    SubIndication::OutOfBoundsNotRevoked,
    SubIndication::CryptoConstraintsFailureNoPoe,
    SubIndication::RevocationOutOfBoundsNoPoe,
    SubIndication::NoCertificateChainFoundNoPoe,
    SubIndication::TryLater,
    SubIndication::SigConstraintsFailure,
];

/// The same about time-stamps (5.6.3, step 5).
const STAMP_ENTRY: [SubIndication; 7] = [
    SubIndication::RevokedNoPoe,
    SubIndication::RevokedCaNoPoe,
    SubIndication::OutOfBoundsNoPoe,
    SubIndication::OutOfBoundsNotRevoked,
    SubIndication::CryptoConstraintsFailureNoPoe,
    SubIndication::RevocationOutOfBoundsNoPoe,
    SubIndication::NoCertificateChainFoundNoPoe,
];

/// Why past signature validation fails without a fault of today's.
pub(crate) const NOT_PROVEN: &str =
    "no proof of existence is old enough: today's fault may have been there then";

/// Something signed, whose past is validated.
pub(crate) struct Past<'a> {
    pub(crate) chain: &'a Chain,
    pub(crate) faults: &'a [Fault],
    pub(crate) object: Object,
    /// The answer so far.
    pub(crate) current: SubIndication,
}

/// Whether there is material for long-term validation: an archive time-stamp, or a
/// time-stamp over another.
pub(crate) fn has_archive_material(stamps: &[Stamp<'_>]) -> bool {
    stamps.iter().any(|stamp| {
        let kind = matches!(stamp.facts.kind, TimeStampKind::Archive | TimeStampKind::Document);
        kind || !stamp.facts.covers.objects.time_stamps.is_empty()
    })
}

/// Orders time-stamps from the oldest to the newest. Authorities state seconds: of two with the same
/// time, the one that covers the other is the newer one.
pub(crate) fn age(stamp: &TimeStampFacts) -> (Option<DateTime<Utc>>, usize) {
    (stamp.time, stamp.covers.objects.time_stamps.len())
}

impl Session<'_> {
    /// Proofs of existence from all time-stamps that are good, or were when a younger one
    /// was made. Marks the latter.
    pub(crate) fn proofs(&self, case: &mut Case<'_>) -> Proofs {
        let mut proofs = Proofs::new(self.time);
        let mut order: Vec<usize> = (0..case.stamps.len()).collect();
        order.sort_by_key(|at| Reverse(case.stamps.get(*at).map(|stamp| age(stamp.facts))));
        let facts = case.signature.facts;
        let signer = facts.certificate.as_ref().map(|one| one.id());
        for at in order {
            let Some(stamp) = case.stamps.get_mut(at) else { continue };
            if !stamp.is_passed() {
                stamp.by_younger = self.was_good(stamp, &proofs);
            }
            if stamp.is_passed() || stamp.by_younger {
                self.extract(stamp, &facts.evidence, signer, &mut proofs);
            }
        }
        proofs
    }

    /// Past signature validation of a time-stamp (5.6.2.4), then its algorithms at the
    /// earliest time at which it is proven to exist.
    fn was_good(&self, stamp: &Stamp<'_>, proofs: &Proofs) -> bool {
        let (Some(chain), Some(first)) = (&stamp.chain, stamp.failures.first()) else {
            return false;
        };
        let current = first.sub_indication;
        let past = Past { chain, faults: &stamp.faults, object: stamp.object, current };
        let known = proofs.earliest(stamp.object);
        STAMP_ENTRY.contains(&current)
            && self.token_weaknesses(stamp, known).is_empty()
            && self.past(&past, known, proofs).is_ok()
    }

    /// Past signature validation (5.6.2.4): whether today's fault was not there at
    /// `best`, the earliest time at which the signature is proven to exist.
    pub(crate) fn past(
        &self,
        past: &Past<'_>,
        best: DateTime<Utc>,
        proofs: &Proofs,
    ) -> Result<(), SubIndication> {
        use SubIndication as Sub;

        let Past { chain, current, .. } = past;
        let usable = self.usable_leaf_data(chain, proofs);
        let Some(control) = self.control_time(chain, usable.as_deref().ok(), proofs) else {
            return Err(*current);
        };
        if !chain.was_ever_valid() || proofs.earliest(past.object) > control {
            return Err(*current);
        }
        if let Some((from, to)) = chain.leaf_validity() {
            if best < from {
                return Err(Sub::NotYetValid);
            }
            if best > to {
                return Err(match current {
                    Sub::NoCertificateChainFoundNoPoe => Sub::OutOfBoundsNoPoe,
                    Sub::OutOfBoundsNoPoe | Sub::OutOfBoundsNotRevoked => *current,
                    _ => Sub::OutOfBoundsNotRevoked,
                });
            }
        }
        if chain.issuer_not_valid_at(best).is_some() {
            return Err(Sub::CertificateChainGeneralFailure);
        }
        let was_wrong = |fault: &&Fault| !self.was_right(fault, chain, best, proofs);
        match past.faults.iter().find(was_wrong) {
            Some(fault) => Err(fault.sub_indication()),
            None => usable.map(|_| ()),
        }
    }

    /// Whether proofs of existence excuse a fault, once the control time is known.
    fn was_right(
        &self,
        fault: &Fault,
        chain: &Chain,
        best: DateTime<Utc>,
        proofs: &Proofs,
    ) -> bool {
        let ended_later = |id: &ObjectId, end: Option<DateTime<Utc>>| {
            end.is_some_and(|end| proofs.earliest(Object::Stored(*id)) < end)
        };
        match fault {
            Fault::WeakCertificate { id, why, .. } | Fault::WeakRevocationData { id, why, .. } => {
                ended_later(id, why.end())
            }
            // A CA that was revoked might have said anything afterwards.
            Fault::Revoked { link, time } if *link > 0 => {
                let leaf = chain.links.first();
                leaf.is_some_and(|leaf| {
                    let mut data = leaf.data.iter();
                    let by = |datum: &Datum| proofs.earliest(Object::Stored(datum.id)) <= *time;
                    leaf.need != Need::Required || data.any(by)
                })
            }
            Fault::OnHold { since, .. } => best < *since,
            Fault::NoRevocationData { .. } => false,
            Fault::Stale { .. } => fault.is_excused_at(best, self.policy.freshness),
            // The control time and the validity at `best` cover the rest.
            _ => true,
        }
    }

    /// The data about the certificate at the start of a path whose signer is the anchor,
    /// or is proven to exist while it was valid. The error: there are none.
    fn usable_leaf_data<'c>(
        &self,
        chain: &'c Chain,
        proofs: &Proofs,
    ) -> Result<Vec<&'c Datum>, SubIndication> {
        let Some(leaf) = chain.links.first() else { return Ok(Vec::new()) };
        if leaf.need != Need::Required && leaf.data.is_empty() {
            return Ok(Vec::new());
        }
        let proven = |datum: &&Datum| {
            let (from, to) = datum.facts.signer.validity();
            let known = proofs.earliest(Object::Stored(signer_id(datum)));
            chain.is_signed_by_anchor(datum) || from <= known && known <= to
        };
        let usable: Vec<&Datum> = leaf.data.iter().filter(proven).collect();
        match usable.is_empty() {
            true => Err(SubIndication::RevocationOutOfBoundsNoPoe),
            false => Ok(usable),
        }
    }

    /// Validation time sliding (5.6.2.2): the latest time at which everything was
    /// demonstrably right. `None`: there is no proof (NO_POE).
    fn control_time(
        &self,
        chain: &Chain,
        leaf_data: Option<&[&Datum]>,
        proofs: &Proofs,
    ) -> Option<DateTime<Utc>> {
        let mut control = chain.anchor_ended.map_or(self.time, |ended| ended.min(self.time));
        for (at, link) in chain.links.iter().enumerate().rev() {
            let leaf_data = leaf_data.filter(|_| at == 0);
            let freshness = self.freshness_of(chain.usage, at == 0);
            control = self.slide(link, leaf_data, (control, freshness), proofs)?;
        }
        Some(control)
    }

    /// What the policy demands of the data about a certificate of a path: it is about the signer's
    /// (5.2.5).
    pub(crate) fn freshness_of(&self, usage: Usage, is_leaf: bool) -> Freshness {
        match usage {
            Usage::Signing if is_leaf => self.policy.freshness,
            _ => Freshness::NotDemanded,
        }
    }

    /// The latest time at which data that say that a certificate is good are recent enough.
    pub(crate) fn fresh_until(
        &self,
        facts: &RevocationFacts,
        freshness: Freshness,
    ) -> Option<DateTime<Utc>> {
        freshness.fresh_until(facts, self.policy.age_without_next_update)
    }

    fn slide(
        &self,
        link: &Link,
        leaf_data: Option<&[&Datum]>,
        (mut control, freshness): (DateTime<Utc>, Freshness),
        proofs: &Proofs,
    ) -> Option<DateTime<Utc>> {
        let known = |id: ObjectId| proofs.earliest(Object::Stored(id));
        if known(link.id) > control {
            return None;
        }
        let counts = |datum: &&Datum| {
            datum.facts.this_update < control
                && known(datum.id) <= control
                && leaf_data.is_none_or(|usable| usable.iter().any(|one| one.id == datum.id))
        };
        let datum = select(link.data.iter().filter(counts));
        if datum.is_none() && link.need == Need::Required {
            return None;
        }
        let algorithms = &self.policy.algorithms;
        if let Some(datum) = datum {
            let facts = &datum.facts;
            control = match facts.status {
                CertificateStatus::Revoked(revocation) => control.min(revocation.time),
                // The clause slides to the issue of data that are not recent at the control time.
                // An archive time-stamp over them is always younger than their issue, so nothing
                // could ever be renewed: they count for as long as whoever relied on them then.
                _ => match self.fresh_until(facts, freshness) {
                    Some(until) => control.min(until),
                    None => control,
                },
            };
            let key = facts.signer.key_type();
            control = match algorithms.check_signature(facts.algorithm, key, control) {
                Ok(()) => control,
                Err(why) => control.min(why.end()?),
            };
        }
        let own = link.certificate.signature_algorithm().ok();
        let key = link.issuer.key_type();
        match own.and_then(|own| algorithms.check_signature(own, key, control).err()) {
            Some(why) => Some(control.min(why.end()?)),
            None => Some(control),
        }
    }

    /// Adds what a time-stamp proves (5.6.2.3). What it covers includes the objects in
    /// what it covers; the format states both, except the certificates in OCSP responses.
    fn extract(
        &self,
        stamp: &Stamp<'_>,
        evidence: &Evidence,
        signer: Option<ObjectId>,
        proofs: &mut Proofs,
    ) {
        let Some(time) = stamp.facts.time else { return };
        let covers = &stamp.facts.covers;
        if covers.signature {
            proofs.add(Object::Signature, time);
            signer.into_iter().for_each(|id| proofs.add(Object::Stored(id), time));
        }
        let certificates = covers.objects.certificates.iter();
        let certificates = certificates.filter_map(|at| Some(evidence.certificates().get(at)?.id));
        let values = covers.objects.revocation_values.iter();
        let values = values.filter_map(|at| Some(evidence.revocation_values().get(at)?.id));
        let values: Vec<ObjectId> = values.collect();
        let stamps = covers.objects.time_stamps.iter();
        let stamps = stamps.filter_map(|at| self.material.time_stamp_ids.get(at).copied());
        let within = values.iter().flat_map(|id| self.material.certificates_in(*id));
        for id in certificates.chain(values.iter().copied()).chain(within).chain(stamps) {
            proofs.add(Object::Stored(id), time);
        }
    }
}

/// The failure of a signature whose past is not good enough: the one that is known
/// already if it has the same sub-indication.
pub(crate) fn failure_of(sub: SubIndication, known: &[Failure], text: &str) -> Failure {
    let same = known.iter().find(|failure| failure.sub_indication == sub);
    same.cloned().unwrap_or_else(|| {
        Failure::new(sub, crate::judgement::Reason::new("past-not-proven", text))
    })
}
