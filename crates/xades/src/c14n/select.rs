//! Which nodes of a document.

use crate::error::Error;
use crate::xml::StartElement;

use super::target::{IdAttributes, Target, Wanted};

/// A selection may have this many steps, `without` included.
pub(crate) const MAX_STEPS: usize = 63;

/// Whether an element is in the node-set, and whether the text, comments and
/// instructions directly in it are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The element with its attributes and namespaces.
    pub element: bool,
    /// Its text, comments and processing instructions.
    pub content: bool,
}

impl Shown {
    /// Both.
    pub const YES: Self = Self { element: true, content: true };
    /// Neither.
    pub const NO: Self = Self { element: false, content: false };
}

/// A node-set, decided element by element in document order.
pub trait Select {
    /// Whether an element is in it; `parent` is what was said of its parent.
    fn element(&mut self, element: &StartElement<'_>, parent: Shown) -> Shown;

    /// Whether the comments and instructions outside of the root element are.
    fn outside(&self) -> bool {
        false
    }
}

/// What a step of a filter does with the nodes of some elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetOperation {
    /// What is not in one of them goes.
    Intersect,
    /// What is in one of them goes.
    Subtract,
    /// What is in one of them comes back.
    Union,
}

/// A document, or an element with all that is in it; of that, what filters
/// leave.
#[derive(Clone, Debug)]
pub struct Selection {
    apex: Option<Wanted>,
    filters: Vec<Vec<Step>>,
    ids: IdAttributes,
    comments: bool,
}

/// One step of a filter.
#[derive(Clone, Debug)]
struct Step {
    operation: SetOperation,
    wanted: Wanted,
    /// Whether its target must be there.
    must: bool,
}

impl Selection {
    /// The whole document.
    #[must_use]
    pub fn document() -> Self {
        Self { apex: None, filters: Vec::new(), ids: IdAttributes::default(), comments: true }
    }

    /// One element with all that is in it.
    #[must_use]
    pub fn element(target: Target) -> Self {
        Self { apex: Some(Wanted::new(target)), ..Self::document() }
    }

    /// Less this one, which must be there.
    #[must_use]
    pub fn without(mut self, target: Target) -> Self {
        let (operation, wanted) = (SetOperation::Subtract, Wanted::new(target));
        self.filters.push(vec![Step { operation, wanted, must: true }]);
        self
    }

    /// Of it, what these steps leave, one after the other: XPath Filter 2.0
    /// (clause 3.2), where each expression selects elements. Targets need not
    /// be there; an Id that two elements have is an error.
    #[must_use]
    pub fn filtered(mut self, steps: impl IntoIterator<Item = (SetOperation, Target)>) -> Self {
        let step =
            |(operation, target)| Step { operation, wanted: Wanted::new(target), must: false };
        self.filters.push(steps.into_iter().map(step).collect());
        self
    }

    /// Less all comments, whatever the canonical form says of them: what the
    /// URIs `""` and `"#id"` mean (XML Signature, clause 4.4.3.3).
    #[must_use]
    pub const fn without_comments(mut self) -> Self {
        self.comments = false;
        self
    }

    /// With other Id attributes than `Id`, `ID`, `id` and `xml:id`.
    #[must_use]
    pub fn with_ids(mut self, ids: IdAttributes) -> Self {
        self.ids = ids;
        self
    }

    /// Whether it is made of the whole document and not of an element.
    #[must_use]
    pub const fn is_document(&self) -> bool {
        self.apex.is_none()
    }

    /// How many targets each element is compared with.
    pub(crate) fn targets(&self) -> usize {
        usize::from(self.apex.is_some()) + self.steps()
    }

    /// How many steps all filters have.
    pub(crate) fn steps(&self) -> usize {
        self.filters.iter().map(Vec::len).sum()
    }

    pub(crate) const fn has_comments(&self) -> bool {
        self.comments
    }

    /// Whether what is outside of the root element is in.
    pub(crate) fn outside(&self) -> bool {
        self.is_document() && self.passes(Within::default())
    }

    /// What the element is within, given what its parent is within.
    pub(crate) fn enter(
        &mut self,
        element: &StartElement<'_>,
        mut within: Within,
    ) -> Result<Within, Error> {
        if let Some(apex) = &mut self.apex
            && apex.meets(element, &self.ids)
        {
            within.apex = true;
        }
        for (index, step) in self.filters.iter_mut().flatten().enumerate() {
            if index == MAX_STEPS {
                let offset = element.tag().start;
                return Err(Error::Limit { offset, limit: "63 steps of a selection" });
            }
            if step.wanted.meets(element, &self.ids) {
                within.steps |= 1 << index;
            }
        }
        Ok(within)
    }

    /// Whether nodes that are within all this are in the node-set.
    pub(crate) fn shows(&self, within: Within) -> bool {
        (self.is_document() || within.apex) && self.passes(within)
    }

    fn passes(&self, within: Within) -> bool {
        let mut steps = within.steps;
        self.filters.iter().all(|filter| {
            filter.iter().fold(true, |shown, step| {
                let inside = steps & 1 == 1;
                steps >>= 1;
                match step.operation {
                    SetOperation::Intersect => shown && inside,
                    SetOperation::Subtract => shown && !inside,
                    SetOperation::Union => shown || inside,
                }
            })
        })
    }

    /// Whether every Id was there once, and whatever must be there.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        let steps = || self.filters.iter().flatten();
        let mut all = self.apex.iter().chain(steps().map(|step| &step.wanted));
        all.try_for_each(Wanted::check_unique)?;
        let needed = steps().filter(|step| step.must).map(|step| &step.wanted);
        self.apex.iter().chain(needed).try_for_each(Wanted::check_found)
    }
}

/// What an element is within.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Within {
    /// The selected element.
    apex: bool,
    /// The elements that steps mean: one bit for each.
    steps: u64,
}
