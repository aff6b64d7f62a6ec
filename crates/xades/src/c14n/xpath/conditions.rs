//! The tests that the formulas of a selection refer to. Each element is tested once.

use crate::c14n::target::{IdAttributes, Target, TargetSearch};
use crate::error::Error;
use crate::xml::{Attribute, StartElement};

use super::formula::{Formula, Kind, Node};
use super::{MAX_COUNTED, MAX_TERMS, MAX_TESTS};

/// The tests of a selection.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Conditions {
    /// A test refers only to those before it, except about other elements.
    tests: Vec<Test>,
    targets: Vec<TargetSearch>,
    /// Whether each target must exist.
    required: Vec<bool>,
    /// The elements counted so far, outermost first.
    counts: Vec<Count>,
    /// The number of terms in all formulas.
    terms: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Test {
    formula: Formula,
    /// Only the element of this number meets the test.
    nth: Option<Nth>,
}

/// A predicate that counts elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nth {
    /// From 1.
    pub(super) number: u32,
    /// Whether the children of each element are counted, instead of the elements of the
    /// document.
    pub(super) siblings: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Count {
    /// The depth of the counted elements.
    depth: usize,
    test: usize,
    count: u32,
}

/// The tests that an element, or the root, meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Around {
    own: u64,
    /// Those that it or any of its ancestors meets.
    all: u64,
}

impl Conditions {
    /// Whether there is nothing to test.
    pub(crate) const fn is_empty(&self) -> bool {
        self.tests.is_empty() && self.targets.is_empty()
    }

    /// The number of terms that are evaluated at each element.
    pub(crate) const fn terms(&self) -> usize {
        self.terms
    }

    /// Counts the terms of a formula. `None` if they are too many.
    pub(super) fn charge(&mut self, formula: &Formula) -> Option<()> {
        self.terms += formula.terms();
        (self.terms <= MAX_TERMS).then_some(())
    }

    /// Adds a test. Returns its index, or `None` if there are too many.
    pub(super) fn test(&mut self, formula: Formula, nth: Option<Nth>) -> Option<usize> {
        let test = Test { formula, nth };
        if let Some(known) = self.tests.iter().position(|known| *known == test) {
            return Some(known);
        }
        let counted = self.tests.iter().filter(|test| test.nth.is_some()).count();
        if self.tests.len() == MAX_TESTS || nth.is_some() && counted == MAX_COUNTED {
            return None;
        }
        self.charge(&test.formula)?;
        self.tests.push(test);
        Some(self.tests.len() - 1)
    }

    /// Adds a target. Returns its index, or `None` if there are too many.
    pub(super) fn target(&mut self, target: Target, required: bool) -> Option<usize> {
        if self.targets.len() == MAX_TESTS {
            return None;
        }
        self.targets.push(TargetSearch::new(target));
        self.required.push(required);
        Some(self.targets.len() - 1)
    }

    /// The tests that the root meets.
    pub(crate) fn root(&self) -> Around {
        let mut node = content(Kind::Root, Around::default());
        for (index, test) in self.tests.iter().enumerate() {
            let meets = test.nth.is_none() && test.formula.evaluate(&node) == Some(true);
            node.own |= u64::from(meets) << index;
        }
        Around { own: node.own, all: node.own }
    }

    /// The tests that an element meets, and its formulas' values. `None` if a test is not
    /// decided. Call this for every element, in document order.
    pub(crate) fn enter(
        &mut self,
        element: &StartElement<'_>,
        ids: &IdAttributes,
        parent: Around,
    ) -> Option<Around> {
        let depth = element.depth();
        while self.counts.pop_if(|count| count.depth > depth).is_some() {}
        let mut node = Node {
            element: Some(element),
            parent: parent.own,
            above: parent.all,
            ..content(Kind::Element, parent)
        };
        for (index, target) in self.targets.iter_mut().enumerate() {
            node.targets |= u64::from(target.meets(element, ids)) << index;
        }
        for (index, test) in self.tests.iter().enumerate() {
            let mut meets = test.formula.evaluate(&node)?;
            if let (true, Some(nth)) = (meets, test.nth) {
                let depth = if nth.siblings { depth } else { 0 };
                meets = number(&mut self.counts, depth, index) == nth.number;
            }
            node.own |= u64::from(meets) << index;
        }
        Some(Around { own: node.own, all: node.own | parent.all })
    }

    /// Whether a formula is true of the element that was entered last. `parent` is
    /// around it.
    pub(crate) fn is_true_of(
        formula: &Formula,
        element: &StartElement<'_>,
        itself: Around,
        parent: Around,
    ) -> Option<bool> {
        let node = content(Kind::Element, parent);
        formula.evaluate(&Node { element: Some(element), own: itself.own, ..node })
    }

    /// Whether a formula is true of the nodes of a kind directly in an element.
    pub(crate) fn is_true_in(formula: &Formula, kind: Kind, parent: Around) -> Option<bool> {
        formula.evaluate(&content(kind, parent))
    }

    /// Whether a formula is true of an attribute of an element, or of a namespace.
    pub(crate) fn is_true_of_attribute(
        formula: &Formula,
        attribute: Attribute<'_>,
        element: Around,
    ) -> Option<bool> {
        let node = content(Kind::Attribute, element);
        formula.evaluate(&Node { attribute: Some(attribute), ..node })
    }

    /// Checks that no Id was found twice and that all required targets were found.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        self.targets.iter().try_for_each(TargetSearch::check_unique)?;
        let required = self.targets.iter().zip(&self.required).filter(|(_, required)| **required);
        required.map(|(target, _)| target).try_for_each(TargetSearch::check_found)
    }
}

/// A node directly in an element.
const fn content(kind: Kind, parent: Around) -> Node<'static> {
    Node {
        kind,
        element: None,
        attribute: None,
        own: 0,
        parent: parent.own,
        above: parent.all,
        targets: 0,
    }
}

/// Counts an element that a test is true of. Returns its number, from 1.
fn number(counts: &mut Vec<Count>, depth: usize, test: usize) -> u32 {
    // The elements of the document are counted at the depth of the root element.
    let mut at = counts.len();
    for (index, count) in counts.iter_mut().enumerate().rev() {
        if count.depth == depth && count.test == test {
            count.count = count.count.saturating_add(1);
            return count.count;
        }
        if count.depth < depth {
            break;
        }
        if count.depth > depth {
            at = index;
        }
    }
    counts.insert(at, Count { depth, test, count: 1 });
    1
}
