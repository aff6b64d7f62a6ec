//! Trusted lists as a source of trust anchors, and of what they say about a signature beside the
//! answer: its qualification.

use std::sync::Arc;

use ::trusted_lists::{Authenticity, Qualification, ServiceAnchor, TrustedList, qualification};
use ades_validation::{Indication, Reason, TrustAnchor};
use chrono::{DateTime, Utc};

use crate::verdict::Verdict;

/// The trusted lists of a caller.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedLists(Vec<Arc<TrustedList>>);

impl TrustedLists {
    pub(crate) fn add(&mut self, list: Arc<TrustedList>) {
        self.0.push(list);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn signer_anchors(&self, now: DateTime<Utc>) -> Vec<TrustAnchor> {
        let all = self.0.iter().flat_map(|list| list.signer_anchors(now));
        all.map(anchor).collect()
    }

    pub(crate) fn time_stamping_anchors(&self, now: DateTime<Utc>) -> Vec<TrustAnchor> {
        let all = self.0.iter().flat_map(|list| list.time_stamping_anchors(now));
        all.map(anchor).collect()
    }

    /// Adds to a verdict, and to those of its countersignatures, what the lists say.
    pub(crate) fn qualify(&self, verdict: &mut Verdict, now: DateTime<Utc>) {
        for inner in &mut verdict.countersignatures {
            self.qualify(inner, now);
        }
        let judgement = &verdict.judgement;
        let path = judgement.path.as_ref().map(|path| path.certificates.as_slice());
        let Some([certificate, ..]) = path else { return };
        let Some(anchor) = path.and_then(<[_]>::last) else { return };
        let passed = match judgement.conclusion.indication() {
            Indication::TotalPassed => Some(true),
            Indication::TotalFailed => Some(false),
            Indication::Indeterminate => None,
        };
        let best = judgement.best_time;
        let mut found = self.0.iter().filter_map(|list| {
            Some((list, qualification(list, passed, certificate, anchor, best)?))
        });
        let Some((list, qualification)) = found.next() else { return };
        let others: Vec<Qualification> = found.map(|(_, other)| other).collect();
        let is_agreed = others.iter().all(|other| *other == qualification);
        verdict.qualification = Some(match is_agreed {
            true => qualification,
            false => qualification.undecided(),
        });
        let remarks = remarks(list, now);
        let remarks = remarks.into_iter().filter(|one| !judgement.remarks.contains(one));
        let remarks: Vec<Reason> = remarks.collect();
        verdict.judgement.remarks.extend(remarks);
        verdict.qualified_time_stamps = verdict
            .time_stamps()
            .zip(&verdict.judgement.time_stamps)
            .map(|(stamp, judgement)| self.is_qualified(judgement.anchor.as_ref()?, stamp.time?))
            .collect();
    }

    /// Whether an authority made qualified time-stamps at a time, by the first list that has it.
    fn is_qualified(&self, anchor: &ades_core::Certificate, time: DateTime<Utc>) -> Option<bool> {
        self.0.iter().find_map(|list| list.is_qualified_time_stamping(anchor, time))
    }
}

fn anchor(one: ServiceAnchor) -> TrustAnchor {
    let anchor = TrustAnchor::new(one.certificate);
    match one.until {
        Some(until) => anchor.until(until),
        None => anchor,
    }
}

fn remarks(list: &TrustedList, now: DateTime<Utc>) -> Vec<Reason> {
    let territory = &list.territory;
    let mut remarks = Vec::new();
    if list.authenticity() != Authenticity::Authenticated {
        let text = format!(
            "the trusted list of {territory} is not authenticated: nobody named its signer"
        );
        remarks.push(Reason::new("trusted-list-not-authenticated", text));
    }
    let until = list.known_until();
    if until < now {
        let text = format!(
            "the trusted list of {territory} is old: its successor was due at {until}, and it \
             says nothing about later times"
        );
        remarks.push(Reason::new("trusted-list-old", text));
    }
    if list.unreadable > 0 {
        let text = format!(
            "{} entries of the trusted list of {territory} cannot be read",
            list.unreadable
        );
        remarks.push(Reason::new("trusted-list-malformed", text));
    }
    remarks
}
