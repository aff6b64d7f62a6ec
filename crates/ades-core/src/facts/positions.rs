//! Sets of positions in a list.

use std::ops::Range;

/// Positions in a list: ranges in ascending order, with a gap between each two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions(Vec<Range<usize>>);

impl Positions {
    /// No positions.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds all positions of a range. The cost is that of the ranges after it, so adding
    /// in ascending order is cheap.
    pub fn add(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let from = self.0.partition_point(|before| before.end < range.start);
        let rest = self.0.get(from..).unwrap_or_default();
        let touched = rest.partition_point(|other| other.start <= range.end);
        let merged = rest
            .iter()
            .take(touched)
            .fold(range, |all, other| all.start.min(other.start)..all.end.max(other.end));
        self.0.splice(from..from + touched, [merged]);
    }

    /// Whether this position is in the set.
    #[must_use]
    pub fn contains(&self, position: usize) -> bool {
        let at = self.0.partition_point(|range| range.end <= position);
        self.0.get(at).is_some_and(|range| range.contains(&position))
    }

    /// The positions, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().cloned().flatten()
    }

    /// The ranges, in ascending order.
    #[must_use]
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.0
    }

    /// Number of positions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(ExactSizeIterator::len).sum()
    }

    /// Whether there are no positions.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Range<usize>> for Positions {
    fn from(range: Range<usize>) -> Self {
        let mut all = Self::new();
        all.add(range);
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_in_any_order_are_a_set(
            ranges in proptest::collection::vec((0usize..60, 0usize..12), 0..24)
        ) {
            let (mut all, mut expected) = (Positions::new(), BTreeSet::new());
            for (start, len) in ranges {
                all.add(start..start + len);
                expected.extend(start..start + len);
            }
            prop_assert_eq!(all.iter().collect::<BTreeSet<_>>(), expected.clone());
            prop_assert_eq!(all.len(), expected.len());
            prop_assert_eq!(all.is_empty(), expected.is_empty());
            for position in 0..80 {
                prop_assert_eq!(all.contains(position), expected.contains(&position));
            }
            // No two ranges touch.
            prop_assert!(all.ranges().windows(2).all(|pair| pair[0].end < pair[1].start));
        }
    }
}
