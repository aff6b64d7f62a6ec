//! Validation of time-stamps (EN 319 102-1, 5.4): as basic signatures at the validation
//! time, never at the time that they state.

use ades_core::facts::{ObjectId, TimeStampFacts, TimeStampKind};
use chrono::{DateTime, Utc};

use crate::basic::weakness;
use crate::chain::Chain;
use crate::fault::Fault;
use crate::indication::{Conclusion, SubIndication};
use crate::judgement::{Block, Check, Failure, Reason, TimeStampJudgement};
use crate::proofs::Object;
use crate::revocation::CLOCK_TOLERANCE;
use crate::session::{Session, Usage};
use crate::token_signature::TokenSignature;

/// A time-stamp that is judged.
pub(crate) struct Stamp<'a> {
    pub(crate) facts: &'a TimeStampFacts,
    pub(crate) object: Object,
    pub(crate) signature: TokenSignature,
    pub(crate) chain: Option<Chain>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) trusted: Option<bool>,
    /// Why it is not passed at the validation time.
    pub(crate) failures: Vec<Failure>,
    /// Whether a younger time-stamp proves that it was good (5.6.2.4).
    pub(crate) by_younger: bool,
}

impl Stamp<'_> {
    /// Whether it proves its time at the validation time.
    pub(crate) fn is_passed(&self) -> bool {
        self.failures.is_empty()
    }

    /// Its time, if it is passed.
    pub(crate) fn proven_time(&self) -> Option<DateTime<Utc>> {
        self.facts.time.filter(|_| self.is_passed())
    }

    /// Whether it proves that the signature exists (5.5.4, step 2). A document
    /// time-stamp is one on all signatures in the earlier revisions.
    pub(crate) fn is_on_signature(&self) -> bool {
        let kind = matches!(self.facts.kind, TimeStampKind::Signature | TimeStampKind::Document);
        kind && self.facts.covers.signature
    }

    pub(crate) const fn is_content(&self) -> bool {
        matches!(self.facts.kind, TimeStampKind::Content)
    }

    pub(crate) fn judgement(&self) -> TimeStampJudgement {
        let first = self.failures.first().filter(|_| !self.by_younger);
        TimeStampJudgement {
            conclusion: first
                .map_or(Conclusion::PASSED, |failure| Conclusion::of(failure.sub_indication)),
            because: match self.by_younger {
                true => Vec::new(),
                false => self.failures.iter().map(|failure| failure.reason.clone()).collect(),
            },
            trusted: self.trusted,
            anchor: self.chain.as_ref().and_then(Chain::anchor).cloned(),
            by_younger: self.by_younger,
        }
    }

    pub(crate) fn check(&self) -> Check {
        let failures = if self.by_younger { &[] } else { self.failures.as_slice() };
        Check::new(Block::TimeStamp, failures)
    }

    /// What is worth knowing: that it proves nothing, and why.
    pub(crate) fn remark(&self) -> Option<Reason> {
        let failure = self.failures.first().filter(|_| !self.by_younger)?;
        let code = match failure.reason.code.as_str() {
            own if own.starts_with("time-stamp-") => own,
            _ => "time-stamp-not-valid",
        };
        let what = match self.facts.time {
            Some(time) => format!("the time-stamp of {time}"),
            None => "a time-stamp".to_owned(),
        };
        Some(Reason::new(code, format!("{what} proves nothing: {}", failure.reason.text)))
    }
}

/// Why a time-stamp is not over what it should be (5.2.7).
pub(crate) fn imprint_failure(facts: &TimeStampFacts) -> Option<Failure> {
    use SubIndication as Sub;

    let (sub, code, text) = match (facts.time, facts.imprint) {
        (None, _) => (Sub::FormatFailure, "time-stamp-malformed", "it cannot be read".to_owned()),
        (_, Some(false)) => {
            (Sub::HashFailure, "time-stamp-imprint-mismatch", "it is over other data".to_owned())
        }
        (_, None) => {
            let why = facts.imprint_undecided.map(|why| format!(": {why}")).unwrap_or_default();
            let text = format!("what it is over was not compared{why}");
            (Sub::SignedDataNotFound, "time-stamp-imprint-not-checked", text)
        }
        _ if facts.objects_missing > 0 => {
            let text =
                format!("{} of the objects that it lists are missing", facts.objects_missing);
            (Sub::SignedDataNotFound, "time-stamp-object-missing", text)
        }
        _ => return None,
    };
    Some(Failure::new(sub, Reason::new(code, text)))
}

impl Session<'_> {
    /// Judges a time-stamp at the validation time.
    pub(crate) fn time_stamp<'f>(&mut self, facts: &'f TimeStampFacts) -> Stamp<'f> {
        let id = ObjectId::of(&facts.octets);
        let signature = self.material.token(id, &facts.octets);
        let mut stamp = Stamp {
            object: Object::Stored(id),
            facts,
            chain: None,
            faults: Vec::new(),
            trusted: None,
            failures: imprint_failure(facts).into_iter().collect(),
            by_younger: false,
            signature,
        };
        stamp.failures.extend(stamp.signature.failures.iter().cloned());
        // Nobody asks who made a time-stamp that proves nothing.
        if !stamp.failures.is_empty() {
            return stamp;
        }
        if let Some(time) = facts.time.filter(|time| *time > self.evidence_until + CLOCK_TOLERANCE)
        {
            let text = format!("its time {time} is after the validation time");
            let why = Reason::new("time-stamp-to-come", text);
            stamp.failures.push(Failure::new(SubIndication::TimestampOrderFailure, why));
            return stamp;
        }
        let Some(certificate) = stamp.signature.signer.clone() else {
            let text = "the certificate of its authority is not there";
            let why = Reason::new("time-stamp-signer-missing", text);
            stamp.failures.push(Failure::new(SubIndication::NoSigningCertificateFound, why));
            return stamp;
        };
        match self.chain(&certificate, Usage::TimeStamping) {
            Ok(chain) => {
                stamp.faults = self.faults(&chain);
                stamp.trusted = Some(chain.is_trusted_at(self.time));
                let faults = stamp.faults.iter();
                stamp.failures.extend(faults.map(|fault| fault.failure(Usage::TimeStamping)));
                stamp.chain = Some(chain);
            }
            Err(none) => {
                stamp.trusted = none.trusted;
                stamp.failures.push(none.failure);
            }
        }
        stamp.failures.extend(self.token_weaknesses(&stamp, self.time));
        stamp
    }

    /// The algorithms of a token that are not reliable at `time`.
    pub(crate) fn token_weaknesses(&self, stamp: &Stamp<'_>, time: DateTime<Utc>) -> Vec<Failure> {
        let policy = &self.policy.algorithms;
        let own = stamp.signature.algorithm.zip(stamp.signature.signer.as_ref());
        let own =
            own.map(|(algorithm, own)| policy.check_signature(algorithm, own.key_type(), time));
        let digests = stamp.signature.digests.iter();
        let digests = digests.map(|digest| policy.check_digest(*digest, time));
        let weak = own.into_iter().chain(digests).filter_map(Result::err);
        weak.map(|why| weakness("time-stamp-weak-algorithm", "its signature", &why)).collect()
    }
}

/// Whether time-stamps contradict each other (5.5.4, step 4): content before signature
/// before references before archive.
pub(crate) fn order_failure(stamps: &[Stamp<'_>]) -> Option<Failure> {
    let rank = |stamp: &Stamp<'_>| match stamp.facts.kind {
        TimeStampKind::Content => 0,
        TimeStampKind::Signature => 1,
        TimeStampKind::SignatureAndReferences | TimeStampKind::References => 2,
        _ => 3,
    };
    let proven = || stamps.iter().filter_map(|one| Some((rank(one), one.proven_time()?)));
    let (first, second) = proven().find_map(|(rank, time)| {
        let contradicts = |(other, earlier): &(u8, _)| *other > rank && *earlier < time;
        Some((time, proven().find(contradicts)?.1))
    })?;
    let text =
        format!("a time-stamp of {first} is on data that a time-stamp of {second} already covers");
    let why = Reason::new("time-stamp-order", text);
    Some(Failure::new(SubIndication::TimestampOrderFailure, why))
}
