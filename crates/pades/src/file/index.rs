//! An index of the sections that have an entry for an object. A file may have
//! thousands of sections: asking each would be too slow.

use std::ops::Range;

use super::xref::Section;

/// A segment tree. Its leaves are the intervals between the numbers at which
/// subsections begin and end. Each section is noted at the few nodes that together
/// cover its numbers.
pub(super) struct Index {
    bounds: Vec<u64>,
    /// Where each node's part of `noted` ends.
    ends: Vec<usize>,
    /// Sections, counted from the newest, in ascending order for each node.
    noted: Vec<u16>,
}

impl Index {
    /// `sections`: the newest first.
    pub(super) fn new(sections: &[Section]) -> Self {
        let ranges = || (0u16..).zip(sections).flat_map(|(at, s)| s.ranges().map(move |r| (at, r)));
        let mut bounds: Vec<u64> = ranges().flat_map(|(_, r)| [r.start, r.end]).collect();
        bounds.sort_unstable();
        bounds.dedup();
        // First the number of sections at each node, then the start of the node's
        // part of `noted`, and after all are noted, its end.
        let mut ends = vec![0usize; 2 * bounds.len()];
        for (_, range) in ranges() {
            each_node(&bounds, &range, |node| {
                if let Some(count) = ends.get_mut(node) {
                    *count += 1;
                }
            });
        }
        let mut total = 0;
        for end in &mut ends {
            total += std::mem::replace(end, total);
        }
        let mut noted = vec![0u16; total];
        for (section, range) in ranges() {
            each_node(&bounds, &range, |node| {
                if let Some(end) = ends.get_mut(node) {
                    if let Some(place) = noted.get_mut(*end) {
                        *place = section;
                    }
                    *end += 1;
                }
            });
        }
        Self { bounds, ends, noted }
    }

    /// The newest section with an entry for a number, from section `from` on.
    pub(super) fn newest(&self, number: u64, from: usize) -> Option<usize> {
        let leaf = self.bounds.partition_point(|bound| *bound <= number).checked_sub(1)?;
        let mut node = leaf + self.bounds.len();
        let mut newest: Option<u16> = None;
        while node > 0 {
            let noted = self.noted_at(node);
            let at = noted.partition_point(|section| usize::from(*section) < from);
            newest = newest.into_iter().chain(noted.get(at).copied()).min();
            node /= 2;
        }
        newest.map(usize::from)
    }

    fn noted_at(&self, node: usize) -> &[u16] {
        let start = node.checked_sub(1).and_then(|before| self.ends.get(before));
        let (start, end) = (start.copied().unwrap_or(0), self.ends.get(node).copied());
        self.noted.get(start..end.unwrap_or(start)).unwrap_or_default()
    }
}

/// Calls `note` for the nodes that together cover a range.
fn each_node(bounds: &[u64], range: &Range<u64>, mut note: impl FnMut(usize)) {
    let leaf = |bound: u64| bounds.partition_point(|other| *other < bound) + bounds.len();
    let (mut low, mut high) = (leaf(range.start), leaf(range.end));
    while low < high {
        if low % 2 == 1 {
            note(low);
            low += 1;
        }
        if high % 2 == 1 {
            high -= 1;
            note(high);
        }
        low /= 2;
        high /= 2;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::file::{Entry, SectionKind};
    use crate::syntax::{Kind, Value};

    fn section(numbers: &[u32]) -> Section {
        let entries: BTreeMap<u32, Entry> = numbers.iter().map(|n| (*n, Entry::Free)).collect();
        let trailer = Value { kind: Kind::Dictionary([].into()), span: 0..0 };
        Section::rebuilt(&entries, SectionKind::Table, trailer, Vec::new())
    }

    proptest! {
        #[test]
        fn it_finds_what_a_search_of_all_sections_finds(
            sections in prop::collection::vec(prop::collection::vec(0u32..40, 0..20), 0..9),
        ) {
            let index = Index::new(&sections.iter().map(|s| section(s)).collect::<Vec<_>>());
            for number in 0..42 {
                for from in 0..10 {
                    let expected = (from..sections.len()).find(|at| sections[*at].contains(&number));
                    prop_assert_eq!(index.newest(u64::from(number), from), expected);
                }
            }
        }
    }
}
