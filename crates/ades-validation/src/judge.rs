//! The judge: which processes of EN 319 102-1 are run, and whose answer counts.

use std::collections::HashMap;

use ades_evidence::VerifiedValues;
use ades_evidence::revocation::CertificateStatus;
use chrono::{DateTime, Utc};

use crate::anchors::{Anchors, TrustAnchor};
use crate::basic::checks;
use crate::case::Case;
use crate::collect::Collected;
use crate::facts::Signature;
use crate::fault::Fault;
use crate::indication::{Conclusion, SubIndication};
use crate::judgement::{
    Block, Check, Failure, Judgement, NextStep, Reason, RevocationStatus, TimeStampJudgement,
};
use crate::long_term::{self, ENTRY, Past, failure_of, has_archive_material};
use crate::missing::next_step;
use crate::policy::{Policy, Revocation};
use crate::proofs::Object;
use crate::revocation::Need;
use crate::session::{MAX_LINKS, MAX_OTHER_PATHS, Session, Usage};
use crate::time_stamp::imprint_failure;

/// Maximum number of time-stamps that are judged for one signature.
pub const MAX_TIME_STAMPS: usize = 256;

/// The time at which certificates and algorithms are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValidationTime {
    /// This time.
    At(DateTime<Utc>),
    /// The time that each signer claims: the signer is believed. Without a claim, now.
    Claimed,
}

/// What is asked about signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// Whether they are valid.
    Validity,
    /// Whether they are intact. Nobody is judged, so no signature is passed.
    Integrity,
}

/// Judges signatures.
#[derive(Debug)]
pub struct Judge {
    anchors: Anchors,
    time_stamping_anchors: Option<Anchors>,
    policy: Policy,
    now: DateTime<Utc>,
    time: ValidationTime,
    question: Question,
    verified: VerifiedValues,
}

impl Judge {
    /// A judge with these trust anchors, who judges at `now` and requires revocation
    /// data.
    #[must_use]
    pub fn new(anchors: Vec<TrustAnchor>, now: DateTime<Utc>) -> Self {
        Self {
            anchors: Anchors::new(anchors),
            time_stamping_anchors: None,
            policy: Policy::default(),
            now,
            time: ValidationTime::At(now),
            question: Question::Validity,
            verified: VerifiedValues::new(),
        }
        .sharing(&VerifiedValues::new())
    }

    /// Remembers with others which signature values verify: with other judges, and with the
    /// [`Material`](crate::Material) of containers.
    #[must_use]
    pub fn sharing(mut self, verified: &VerifiedValues) -> Self {
        self.anchors.share(verified);
        self.time_stamping_anchors.iter_mut().for_each(|own| own.share(verified));
        self.verified = verified.clone();
        self
    }

    /// What it remembers.
    #[must_use]
    pub const fn verified(&self) -> &VerifiedValues {
        &self.verified
    }

    /// Trusts time-stamping authorities by these anchors alone, which then count for
    /// nobody else.
    #[must_use]
    pub fn time_stamping_anchors(mut self, anchors: Vec<TrustAnchor>) -> Self {
        let mut own = Anchors::new(anchors);
        own.share(&self.verified);
        self.time_stamping_anchors = Some(own);
        self
    }

    /// Demands what a policy says.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Judges at another time.
    #[must_use]
    pub const fn time(mut self, time: ValidationTime) -> Self {
        self.time = time;
        self
    }

    /// Asks another question.
    #[must_use]
    pub const fn question(mut self, question: Question) -> Self {
        self.question = question;
        self
    }

    /// The time at which a signature with this claim is judged.
    #[must_use]
    pub fn time_for(&self, claimed: Option<DateTime<Utc>>) -> DateTime<Utc> {
        match self.time {
            ValidationTime::At(time) => time,
            ValidationTime::Claimed => claimed.unwrap_or(self.now),
        }
    }

    /// Whether there are trust anchors.
    #[must_use]
    pub const fn has_anchors(&self) -> bool {
        !self.anchors.is_empty()
    }

    /// Judges one signature.
    pub fn judge(&mut self, signature: &Signature<'_>) -> Judgement {
        let time = self.time_for(signature.claimed_time);
        if self.question == Question::Integrity {
            return integrity(signature, time);
        }
        self.session(signature, time, false).judge(signature)
    }

    /// Collects what a signature needs so that it can be judged without a network, and says
    /// what of that is missing. Revocation data are required, whatever the policy says.
    pub fn collect(&mut self, signature: &Signature<'_>) -> Collected {
        let time = self.time_for(signature.claimed_time);
        let revocation = std::mem::replace(&mut self.policy.revocation, Revocation::Required);
        let collected = self.session(signature, time, true).collect(signature);
        self.policy.revocation = revocation;
        collected
    }

    fn session<'s>(
        &'s mut self,
        signature: &Signature<'s>,
        time: DateTime<Utc>,
        collects: bool,
    ) -> Session<'s> {
        Session {
            policy: &self.policy,
            time,
            now: self.now,
            evidence_until: match self.time {
                ValidationTime::At(time) => time,
                ValidationTime::Claimed => self.now,
            },
            material: signature.material,
            signing_anchors: &mut self.anchors,
            time_stamping_anchors: self.time_stamping_anchors.as_mut(),
            links: HashMap::new(),
            budget: MAX_LINKS,
            other_paths: MAX_OTHER_PATHS,
            collects,
        }
    }
}

/// The answer if only the integrity was asked about.
fn integrity(signature: &Signature<'_>, time: DateTime<Utc>) -> Judgement {
    let mut blocks = signature.own_checks().to_vec();
    let why = Reason::new("nobody-judged", "only the integrity was asked about");
    let nobody = Failure::new(SubIndication::NoCertificateChainFound, why);
    blocks.push((Block::CertificateValidation, vec![nobody]));
    blocks.push((Block::SignatureAcceptance, signature.attributes()));
    let failures: Vec<Failure> = blocks.iter().flat_map(|(_, failed)| failed.clone()).collect();
    let basic = Check::of_blocks(Block::BasicSignature, checks(&blocks));
    let stamps: Vec<_> = signature.facts.time_stamps().map(imprint_failure).collect();
    let mut remarks = signature.remarks();
    for failure in stamps.iter().flatten() {
        let text = format!("a time-stamp proves nothing: {}", failure.reason.text);
        remarks.push(Reason::new(failure.reason.code.clone(), text));
    }
    let of_stamp = |failure: &Option<Failure>| TimeStampJudgement {
        conclusion: Conclusion::of(
            failure.as_ref().map_or(SubIndication::NoCertificateChainFound, |f| f.sub_indication),
        ),
        because: failure.iter().map(|failure| failure.reason.clone()).collect(),
        trusted: None,
        anchor: None,
        by_younger: false,
    };
    Judgement {
        conclusion: conclusion(&failures),
        checks: vec![basic],
        trusted: None,
        revocation: RevocationStatus::NotChecked,
        validation_time: time,
        best_time: time,
        time_stamps: stamps.iter().map(of_stamp).collect(),
        path: None,
        problems: distinct(&failures),
        revoked: Vec::new(),
        weak_uses: Vec::new(),
        remarks,
        next_steps: document_step(&failures).into_iter().collect(),
        missing: Vec::new(),
    }
}

/// The answers about all time-stamps: those that were judged come first.
fn time_stamps(case: &Case<'_>) -> Vec<TimeStampJudgement> {
    let judged = case.stamps.iter().map(|stamp| stamp.judgement());
    let others = case.signature.facts.time_stamps().skip(case.stamps.len());
    let others = others.map(|_| TimeStampJudgement {
        conclusion: Conclusion::of(SubIndication::NoPoe),
        because: vec![Reason::new("too-many-time-stamps", "there are too many time-stamps")],
        trusted: None,
        anchor: None,
        by_younger: false,
    });
    judged.chain(others).collect()
}

fn conclusion(failures: &[Failure]) -> Conclusion {
    failures.first().map_or(Conclusion::PASSED, |first| Conclusion::of(first.sub_indication))
}

fn distinct(failures: &[Failure]) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for Failure { reason, .. } in failures {
        if !reasons.contains(reason) {
            reasons.push(reason.clone());
        }
    }
    reasons
}

fn document_step(failures: &[Failure]) -> Option<NextStep> {
    let missing = |failure: &Failure| {
        failure.sub_indication == SubIndication::SignedDataNotFound
            && failure.reason.code != "integrity-unknown"
    };
    failures.iter().any(missing).then_some(NextStep::GiveDocument)
}

/// The answer of the processes that were run.
struct Answer {
    failures: Vec<Failure>,
    best: DateTime<Utc>,
    checks: Vec<Check>,
}

impl Session<'_> {
    fn judge(&mut self, signature: &Signature<'_>) -> Judgement {
        let own = signature.own_checks();
        let certificate = signature.facts.certificate.as_ref();
        let mut next_steps = Vec::new();
        let (mut chain, mut no_chain, mut trusted) = (None, None, None);
        match certificate.map(|certificate| self.chain(certificate, Usage::Signing)) {
            Some(Ok(found)) => {
                trusted = Some(found.is_trusted_at(self.time));
                chain = Some(found);
            }
            Some(Err(none)) => {
                trusted = none.trusted;
                next_steps.extend(none.next_step);
                no_chain = Some(none.failure);
            }
            None => {}
        }
        let faults = chain.as_ref().map(|chain| self.faults(chain)).unwrap_or_default();
        let stamps = signature.facts.time_stamps().take(MAX_TIME_STAMPS);
        let stamps = stamps.map(|facts| self.time_stamp(facts)).collect();
        let mut case = Case { signature, chain, faults, stamps };
        let basic = self.basic(&case, &own, no_chain);
        let answer = self.processes(&mut case, basic);
        if answer.failures.is_empty() {
            trusted = Some(true);
        }
        next_steps.extend(document_step(&answer.failures));
        next_steps.extend(next_steps_of(&answer.failures));
        let mut missing = Vec::new();
        if !answer.failures.is_empty() {
            missing = self.missing(&case);
            for step in case.stamps.iter().filter_map(next_step) {
                if !next_steps.contains(&step) {
                    next_steps.push(step);
                }
            }
        }
        let mut remarks = signature.remarks();
        remarks.extend(case.stamps.iter().filter_map(|stamp| stamp.remark()));
        remarks.extend(self.remarks(&case));
        Judgement {
            conclusion: conclusion(&answer.failures),
            checks: answer.checks,
            trusted,
            revocation: revocation_status(&case, answer.best),
            validation_time: self.time,
            best_time: answer.best,
            time_stamps: time_stamps(&case),
            revoked: self.revoked(&case, &answer.failures),
            weak_uses: self.weak_uses(&case, &answer.failures, answer.best),
            path: case.chain.map(|chain| chain.path),
            problems: distinct(&answer.failures),
            remarks,
            next_steps,
            missing,
        }
    }

    /// The process for basic signatures (5.3).
    fn basic(
        &self,
        case: &Case<'_>,
        own: &[(Block, Vec<Failure>)],
        no_chain: Option<Failure>,
    ) -> Basic {
        let mut certificate: Vec<Failure> = no_chain.into_iter().collect();
        certificate.extend(case.faults.iter().map(|fault| fault.failure(Usage::Signing)));
        let mut acceptance = self.acceptance(case.signature, self.time);
        // A content time-stamp shows that the signature was made after it (steps 4, 6).
        let content = case.stamps.iter().filter(|stamp| stamp.is_content());
        let content = content.filter_map(|stamp| stamp.proven_time()).max();
        let mut is_final = own.iter().any(|(_, failures)| !failures.is_empty());
        if let Some(content) = content {
            let too_late = match case.faults.first() {
                Some(Fault::Revoked { link: 0, time }) if content > *time => {
                    Some(SubIndication::Revoked)
                }
                Some(Fault::Expired { to, .. }) if content > *to => Some(SubIndication::Expired),
                _ => None,
            };
            if let (Some(sub), Some(first)) = (too_late, certificate.first_mut()) {
                first.sub_indication = sub;
                is_final = true;
            }
            if self.value_algorithm_end(case.signature).is_some_and(|end| content >= end) {
                let weak = SubIndication::CryptoConstraintsFailureNoPoe;
                for failure in acceptance.iter_mut().filter(|one| one.sub_indication == weak) {
                    failure.sub_indication = SubIndication::CryptoConstraintsFailure;
                    is_final |= certificate.is_empty();
                }
            }
        }
        let missing = |fault: &Fault| matches!(fault, Fault::NoRevocationData { .. });
        is_final |= case.chain.is_none() || case.faults.first().is_some_and(missing);
        is_final |= certificate.is_empty()
            && acceptance
                .first()
                .is_some_and(|first| first.sub_indication == SubIndication::SigConstraintsFailure);
        let mut blocks = own.to_vec();
        blocks.push((Block::CertificateValidation, certificate));
        blocks.push((Block::SignatureAcceptance, acceptance));
        let failures: Vec<Failure> = blocks.iter().flat_map(|(_, f)| f.clone()).collect();
        let check = Check::of_blocks(Block::BasicSignature, checks(&blocks));
        Basic { failures, is_final, check }
    }

    /// The processes after that for basic signatures, as far as they can change its
    /// answer.
    fn processes(&self, case: &mut Case<'_>, basic: Basic) -> Answer {
        let mut checks = vec![basic.check];
        if basic.is_final {
            return Answer { failures: basic.failures, best: self.time, checks };
        }
        let stamps: Vec<Check> = case.stamps.iter().map(|stamp| stamp.check()).collect();
        let on_signature = case.stamps.iter().filter(|stamp| stamp.is_on_signature());
        let best = on_signature.filter_map(|stamp| stamp.proven_time()).min();
        let best = best.map_or(self.time, |best| best.min(self.time));
        let failures = self.with_time(case, best);
        checks.push(Check::new(Block::SignatureWithTime, &failures).of(stamps));
        let is_entry = failures.first().is_none_or(|one| ENTRY.contains(&one.sub_indication));
        if !is_entry || !has_archive_material(&case.stamps) {
            return Answer { failures, best, checks };
        }
        let mut proofs = self.proofs(case);
        proofs.add(Object::Signature, best);
        let best = proofs.earliest(Object::Signature);
        let mut blocks: Vec<Check> = case.stamps.iter().map(|stamp| stamp.check()).collect();
        let failures = match (failures.first(), &case.chain) {
            (Some(first), Some(chain)) => {
                let current = first.sub_indication;
                let past = Past { chain, faults: &case.faults, object: Object::Signature, current };
                let past = match self.past(&past, best, &proofs) {
                    Ok(()) => Vec::new(),
                    Err(sub) => vec![failure_of(sub, &failures, long_term::NOT_PROVEN)],
                };
                blocks.push(Check::new(Block::PastSignatureValidation, &past));
                match past.is_empty() {
                    true => self.after_certificates(case, best),
                    false => past,
                }
            }
            _ => failures,
        };
        checks.push(Check::new(Block::LongTerm, &failures).of(blocks));
        Answer { failures, best, checks }
    }

    fn remarks(&self, case: &Case<'_>) -> Vec<Reason> {
        let mut remarks: Vec<Reason> = self.past_the_table(case.signature).into_iter().collect();
        if !self.policy.time_stamp_order {
            let order = crate::time_stamp::order_failure(&case.stamps);
            remarks.extend(order.map(|failure| failure.reason));
        }
        if case.signature.facts.time_stamps().count() > case.stamps.len() {
            let text = format!("only the first {MAX_TIME_STAMPS} time-stamps were judged");
            remarks.push(Reason::new("too-many-time-stamps", text));
        }
        let unreadable = self.material.unreadable();
        if unreadable > 0 {
            let text = format!("{unreadable} CRLs or OCSP responses cannot be read");
            remarks.push(Reason::new("revocation-malformed", text));
        }
        let links = case.chain.iter().flat_map(|chain| &chain.links);
        if links.clone().any(|link| link.need == Need::IfPresent && link.data.is_empty()) {
            let text = "there are no revocation data about a certificate; the policy allows that";
            remarks.push(Reason::new("revocation-missing", text));
        }
        remarks
    }
}

/// The answer of the process for basic signatures.
struct Basic {
    failures: Vec<Failure>,
    /// Whether no other process can change it.
    is_final: bool,
    check: Check,
}

fn next_steps_of(failures: &[Failure]) -> Vec<NextStep> {
    use SubIndication as Sub;

    let mut steps = Vec::new();
    for failure in failures {
        let step = match failure.sub_indication {
            _ if failure.reason.code == "revocation-missing" => NextStep::GiveRevocationData,
            Sub::TryLater => NextStep::TryLater,
            Sub::OutOfBoundsNoPoe
            | Sub::OutOfBoundsNotRevoked
            | Sub::RevocationOutOfBoundsNoPoe => NextStep::ChooseTime,
            _ => continue,
        };
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    steps
}

fn revocation_status(case: &Case<'_>, best: DateTime<Utc>) -> RevocationStatus {
    let leaf = case.chain.as_ref().and_then(|chain| chain.links.first());
    let Some(leaf) = leaf.filter(|leaf| leaf.need != Need::LeftOut) else {
        return RevocationStatus::NotChecked;
    };
    match (leaf.selected().map(|datum| datum.facts.status), leaf.need) {
        (Some(CertificateStatus::Revoked(revocation)), _) if revocation.time <= best => {
            RevocationStatus::Revoked
        }
        (Some(_), _) => RevocationStatus::Good,
        (None, Need::NeverRevoked) => RevocationStatus::NotChecked,
        (None, _) => RevocationStatus::Unknown,
    }
}
