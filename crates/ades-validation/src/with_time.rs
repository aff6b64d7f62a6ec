//! Signatures with time (EN 319 102-1, 5.5): the earliest time at which time-stamps prove
//! that the signature exists excuses what happened to its certificates later.

use chrono::{DateTime, Utc};

use crate::case::Case;
use crate::fault::Fault;
use crate::indication::SubIndication;
use crate::judgement::{Failure, Reason};
use crate::session::{Session, Usage};
use crate::time_stamp::order_failure;

impl Session<'_> {
    /// What keeps the signature from passing if it exists since `best`.
    pub(crate) fn with_time(&self, case: &Case<'_>, best: DateTime<Utc>) -> Vec<Failure> {
        let freshness = self.policy.freshness;
        let remaining = case.faults.iter().filter(|fault| !fault.is_excused_at(best, freshness));
        let remaining: Vec<&Fault> = remaining.collect();
        let is_revoked = remaining.iter().any(|fault| matches!(fault, Fault::Revoked { .. }));
        if !is_revoked && let Some(early) = self.made_before_certificate(case, best) {
            return vec![early];
        }
        let mut failures: Vec<Failure> =
            remaining.iter().map(|fault| fault.failure(Usage::Signing)).collect();
        let is_named = remaining.iter().any(|fault| matches!(fault, Fault::IssuerNotValid { .. }));
        let issuer = case.chain.as_ref().and_then(|chain| chain.issuer_not_valid_at(best));
        if let Some(issuer) = issuer.filter(|_| !is_named) {
            failures.push(issuer.failure(Usage::Signing));
        }
        failures.extend(self.after_certificates(case, best));
        failures
    }

    /// Steps 4, 5 and 8: order, delay and acceptance.
    pub(crate) fn after_certificates(&self, case: &Case<'_>, best: DateTime<Utc>) -> Vec<Failure> {
        let order = order_failure(&case.stamps).filter(|_| self.policy.time_stamp_order);
        let mut failures: Vec<Failure> = order.into_iter().collect();
        failures.extend(self.delay(case, best));
        failures.extend(self.acceptance(case.signature, best));
        failures.extend(self.level(case.signature));
        failures
    }

    /// Whoever signed did so before the certificate was valid: nothing can help.
    pub(crate) fn made_before_certificate(
        &self,
        case: &Case<'_>,
        best: DateTime<Utc>,
    ) -> Option<Failure> {
        let certificate = case.signature.facts.certificate.as_ref()?;
        let (from, _) = certificate.validity();
        (best < from).then(|| Fault::NotYetValid { from }.failure(Usage::Signing))
    }

    /// Step 5
    fn delay(&self, case: &Case<'_>, best: DateTime<Utc>) -> Option<Failure> {
        let max = self.policy.max_delay?;
        let latest = case.signature.claimed_time.and_then(|time| time.checked_add_signed(max));
        if latest.is_some_and(|latest| best < latest) {
            return None;
        }
        let text = "the signature is proven to exist too long after the claimed signing time";
        let why = Reason::new("time-stamp-too-late", text);
        Some(Failure::new(SubIndication::SigConstraintsFailure, why))
    }
}
