//! What a validation demands: data, not code.

use ades_core::Level;
use ades_evidence::revocation::RevocationFacts;
use chrono::{DateTime, TimeDelta, Utc};

use crate::algorithms::AlgorithmPolicy;

/// What a validation demands where EN 319 102-1 leaves it to a policy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// The lifetimes of algorithms.
    pub algorithms: AlgorithmPolicy,
    /// Whether revocation data are demanded.
    pub revocation: Revocation,
    /// How recent the revocation data about the signer's certificate have to be.
    pub freshness: Freshness,
    /// Long-term validation only: how long revocation data count that have no nextUpdate. Such data
    /// say that newer ones are always available (RFC 6960, 2.4), and nothing about their own end.
    pub age_without_next_update: TimeDelta,
    /// Whether time-stamps that contradict each other keep a signature from passing
    /// (5.5.4, step 4). Otherwise they are a remark.
    pub time_stamp_order: bool,
    /// Maximum time from the claimed signing time to the time that is proven (5.5.4,
    /// step 5).
    pub max_delay: Option<TimeDelta>,
    /// The level that signatures have to reach.
    pub min_level: Option<Level>,
}

impl Default for Policy {
    /// Revocation data are required. They need not be recent, there is no maximum delay
    /// and no minimum level. In long-term validation, data without a nextUpdate count for a day.
    fn default() -> Self {
        Self {
            algorithms: AlgorithmPolicy::default(),
            revocation: Revocation::Required,
            freshness: Freshness::NotDemanded,
            age_without_next_update: TimeDelta::days(1),
            time_stamp_order: false,
            max_delay: None,
            min_level: None,
        }
    }
}

/// Whether revocation data are demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// Revocation is not looked at, by the caller's decision.
    LeftOut,
    /// Data that are there count. That there are none is a remark, by the caller's
    /// decision.
    IfPresent,
    /// Each certificate below the anchor needs data.
    Required,
}

/// How recent revocation data have to be (5.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Freshness {
    /// Their age does not matter.
    NotDemanded,
    /// They are older than the time by less than from their thisUpdate to their
    /// nextUpdate.
    NextUpdate,
    /// They are older than the time by less than this. TS 119 172-4 demands zero: data
    /// that were issued after the signature is proven to exist.
    MaxAge(TimeDelta),
}

impl Freshness {
    /// The revocation freshness checker (5.2.5): whether data are recent enough at
    /// `time`.
    #[must_use]
    pub fn is_fresh(self, data: &RevocationFacts, time: DateTime<Utc>) -> bool {
        self.accepts(data.this_update, data.next_update, time)
    }

    pub(crate) fn accepts(
        self,
        this_update: DateTime<Utc>,
        next_update: Option<DateTime<Utc>>,
        time: DateTime<Utc>,
    ) -> bool {
        let max_age = match (self, next_update) {
            (Self::NotDemanded, _) => return true,
            (Self::MaxAge(max_age), _) => max_age,
            (Self::NextUpdate, Some(next_update)) => next_update - this_update,
            (Self::NextUpdate, None) => return false,
        };
        time.checked_sub_signed(max_age).is_none_or(|oldest| this_update > oldest)
    }

    /// The latest time at which data are recent enough, to which the control time slides
    /// (5.6.2.2.4). `None`: they always are. Without a demand of the policy, the maximum age is that
    /// of 5.2.5, or `without_next_update`.
    pub(crate) fn fresh_until(
        self,
        data: &RevocationFacts,
        without_next_update: TimeDelta,
    ) -> Option<DateTime<Utc>> {
        self.end_of(data.this_update, data.next_update, without_next_update)
    }

    fn end_of(
        self,
        this_update: DateTime<Utc>,
        next_update: Option<DateTime<Utc>>,
        without_next_update: TimeDelta,
    ) -> Option<DateTime<Utc>> {
        let max_age = match (self, next_update) {
            (Self::MaxAge(max_age), _) => max_age,
            (_, Some(next_update)) => next_update - this_update,
            (Self::NotDemanded, None) => without_next_update,
            (Self::NextUpdate, None) => TimeDelta::zero(),
        };
        // They are stale at exactly their maximum age. The clause slides to their issue, never
        // further back.
        let last = max_age.checked_sub(&TimeDelta::nanoseconds(1)).unwrap_or_default();
        this_update.checked_add_signed(last.max(TimeDelta::zero()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_stale_at_exactly_their_maximum_age() {
        let time = |seconds: i64| DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap();
        let day = TimeDelta::seconds(86_400);
        for (freshness, next_update, at, fresh) in [
            (Freshness::NotDemanded, None, 1_000_000_000, true),
            (Freshness::NextUpdate, None, 0, false),
            (Freshness::NextUpdate, Some(86_400), 86_399, true),
            (Freshness::NextUpdate, Some(86_400), 86_400, false),
            (Freshness::MaxAge(day), None, 86_399, true),
            (Freshness::MaxAge(day), None, 86_400, false),
            (Freshness::MaxAge(TimeDelta::zero()), None, -1, true),
            (Freshness::MaxAge(TimeDelta::zero()), None, 0, false),
            (Freshness::MaxAge(TimeDelta::MAX), None, 0, true),
        ] {
            let accepted = freshness.accepts(time(0), next_update.map(time), time(at));
            assert_eq!(accepted, fresh, "{freshness:?} {next_update:?} {at}");
        }
    }

    #[test]
    fn data_count_until_they_are_stale_and_not_before_their_issue() {
        let time = |seconds: i64| DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap();
        let (day, nanosecond) = (TimeDelta::seconds(86_400), TimeDelta::nanoseconds(1));
        for (freshness, next_update, end) in [
            (Freshness::NotDemanded, None, Some(3600)),
            (Freshness::NotDemanded, Some(60), Some(60)),
            (Freshness::NextUpdate, Some(60), Some(60)),
            (Freshness::MaxAge(day), Some(60), Some(86_400)),
            (Freshness::MaxAge(TimeDelta::MAX), None, None),
        ] {
            let until = freshness.end_of(time(0), next_update.map(time), TimeDelta::hours(1));
            let expected = end.map(|end| time(end) - nanosecond);
            assert_eq!(until, expected, "{freshness:?} {next_update:?}");
            let accepts = |at| freshness.accepts(time(0), next_update.map(time), at);
            assert!(until.is_none_or(accepts), "{freshness:?} {next_update:?}");
            let later = until.map(|until| until + nanosecond);
            let is_demanded = freshness != Freshness::NotDemanded;
            assert!(!is_demanded || !later.is_some_and(accepts), "{freshness:?} {next_update:?}");
        }
        for (freshness, next_update) in [
            (Freshness::NextUpdate, None),
            (Freshness::NextUpdate, Some(-60)),
            (Freshness::MaxAge(TimeDelta::zero()), Some(60)),
            (Freshness::MaxAge(TimeDelta::MIN), None),
        ] {
            let until = freshness.end_of(time(0), next_update.map(time), TimeDelta::hours(1));
            assert_eq!(until, Some(time(0)), "{freshness:?} {next_update:?}");
        }
    }
}
