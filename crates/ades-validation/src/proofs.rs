//! Proofs of existence (EN 319 102-1, 5.6.2.3).

use std::collections::HashMap;

use ades_core::facts::ObjectId;
use chrono::{DateTime, Utc};

/// Maximum number of proofs for one signature. Without the rest, less is proven.
const MAX_PROOFS: usize = 1 << 20;

/// Something that can be proven to have existed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Object {
    /// The signature that is judged.
    Signature,
    /// A certificate, a revocation value or a time-stamp.
    Stored(ObjectId),
}

/// The earliest time at which each object is proven to exist. The validation itself
/// proves all of them at its time.
#[derive(Clone, Debug)]
pub(crate) struct Proofs {
    now: DateTime<Utc>,
    earliest: HashMap<Object, DateTime<Utc>>,
    /// Number of proofs that may still be added.
    budget: usize,
}

impl Proofs {
    pub(crate) fn new(now: DateTime<Utc>) -> Self {
        Self { now, earliest: HashMap::new(), budget: MAX_PROOFS }
    }

    pub(crate) fn add(&mut self, object: Object, time: DateTime<Utc>) {
        let Some(budget) = self.budget.checked_sub(1) else { return };
        self.budget = budget;
        let known = self.earliest.entry(object).or_insert(time);
        *known = time.min(*known);
    }

    pub(crate) fn earliest(&self, object: Object) -> DateTime<Utc> {
        self.earliest.get(&object).map_or(self.now, |time| self.now.min(*time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_proof_counts_and_none_is_later_than_now() {
        let time = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let mut proofs = Proofs::new(time(100));
        assert_eq!(proofs.earliest(Object::Signature), time(100));
        for (added, earliest) in [(200, 100), (50, 50), (70, 50)] {
            proofs.add(Object::Signature, time(added));
            assert_eq!(proofs.earliest(Object::Signature), time(earliest));
        }
        assert_eq!(proofs.earliest(Object::Stored(ObjectId::of(b"other"))), time(100));
    }
}
