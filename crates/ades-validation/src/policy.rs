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
    /// and no minimum level.
    fn default() -> Self {
        Self {
            algorithms: AlgorithmPolicy::default(),
            revocation: Revocation::Required,
            freshness: Freshness::NotDemanded,
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

    /// The rule by which the control time slides (5.6.2.2.4). Without a demand of the
    /// policy, the maximum age is that of 5.2.5.
    pub(crate) const fn for_sliding(self) -> Self {
        match self {
            Self::NotDemanded => Self::NextUpdate,
            other => other,
        }
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
}
