//! The function `here()` (XML Signature, clause 6.6.3).

use super::syntax::{Axis, Expr, NodeTest, Step};

/// The `XPath` element of an expression, and the elements around it as far as the
/// `ds:Signature`, nearest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Here(pub(crate) Vec<HereElement>);

/// An element.
#[derive(Clone, Debug)]
pub(crate) struct HereElement {
    pub(crate) namespace: String,
    pub(crate) local_name: String,
    /// The offset of its first octet.
    pub(crate) start: u64,
}

impl Here {
    /// Follows the steps from `here()` upwards. Returns the offset of the only element that
    /// they lead to, and the steps after them. `None` if they lead to several
    /// elements, or out of the signature.
    pub(super) fn follow<'s>(&self, steps: &'s [Step]) -> Option<(u64, &'s [Step])> {
        let mut at = 0;
        let mut rest = steps;
        while let Some((step, after)) = rest.split_first() {
            let candidates = match step.axis {
                Axis::Itself => at..at + 1,
                Axis::Parent => at + 1..at + 2,
                Axis::Ancestor => at + 1..self.0.len(),
                Axis::AncestorOrSelf => at..self.0.len(),
                _ => break,
            };
            let several = matches!(step.axis, Axis::Ancestor | Axis::AncestorOrSelf);
            let nth = match step.predicates.as_slice() {
                [] if !several => 1,
                [Expr::Number(nth)] => *nth,
                _ => return None,
            };
            let named = |index: &usize| self.0.get(*index).is_some_and(|it| it.meets(&step.test));
            at = candidates.filter(named).nth(usize::try_from(nth).ok()?.checked_sub(1)?)?;
            rest = after;
        }
        Some((self.0.get(at)?.start, rest))
    }
}

impl HereElement {
    fn meets(&self, test: &NodeTest) -> bool {
        match test {
            NodeTest::Any | NodeTest::Node => true,
            NodeTest::Name(name) => {
                let local_name = name.local_name.as_ref();
                self.namespace == name.namespace
                    && local_name.is_none_or(|local_name| *local_name == self.local_name)
            }
            NodeTest::Text | NodeTest::Comment | NodeTest::Instruction => false,
        }
    }
}
