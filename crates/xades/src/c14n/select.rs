//! Selections: the nodes of a document that are in a canonical form.

use crate::error::{Error, Limit};
use crate::xml::StartElement;

use super::target::{IdAttributes, Target, TargetSearch};

/// Maximum number of steps of a selection. [`Selection::without`] is one step.
pub(crate) const MAX_STEPS: usize = 63;

/// Whether an element, and the text, comments and instructions directly inside it,
/// are in the node-set.
// Not non_exhaustive: implementations of `Select` construct it, and an element has
// nothing else that can be in a node-set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The element with its attributes and namespaces.
    pub element: bool,
    /// Its text, comments and processing instructions.
    pub content: bool,
}

impl Shown {
    /// Both are in the node-set.
    pub const YES: Self = Self { element: true, content: true };
    /// Neither is in the node-set.
    pub const NO: Self = Self { element: false, content: false };
}

/// A custom node-set. It is decided element by element, in document order.
pub trait Select {
    /// Whether an element, and the nodes directly inside it, are in the node-set.
    /// `parent` is the answer for the element's parent.
    fn element(&mut self, element: &StartElement<'_>, parent: Shown) -> Shown;

    /// Whether the comments and instructions outside the root element are in the
    /// node-set.
    fn outside(&self) -> bool {
        false
    }
}

/// The effect of a filter step on a node-set (XPath Filter 2.0, clause 3.2). Each step
/// has a target: elements with their content.
// Not non_exhaustive: XPath Filter 2.0 has these and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetOperation {
    /// Removes the nodes outside the target.
    Intersect,
    /// Removes the nodes inside the target.
    Subtract,
    /// Adds the nodes inside the target.
    Union,
}

/// The nodes of a document, or of an element with its content, that pass the
/// filters.
#[derive(Clone, Debug)]
pub struct Selection {
    apex: Option<TargetSearch>,
    filters: Vec<Vec<Step>>,
    ids: IdAttributes,
    comments: bool,
}

/// One step of a filter.
#[derive(Clone, Debug)]
struct Step {
    operation: SetOperation,
    search: TargetSearch,
    /// Whether the target must exist.
    required: bool,
}

impl Selection {
    /// The whole document.
    #[must_use]
    pub fn document() -> Self {
        Self { apex: None, filters: Vec::new(), ids: IdAttributes::default(), comments: true }
    }

    /// One element with its content.
    #[must_use]
    pub fn element(target: Target) -> Self {
        Self { apex: Some(TargetSearch::new(target)), ..Self::document() }
    }

    /// Leaves out an element, which must exist.
    #[must_use]
    pub fn without(mut self, target: Target) -> Self {
        let (operation, search) = (SetOperation::Subtract, TargetSearch::new(target));
        self.filters.push(vec![Step { operation, search, required: true }]);
        self
    }

    /// Applies the steps of an XPath Filter 2.0 (clause 3.2) in order. A target that the
    /// document does not have selects no nodes. An Id that two elements have is an
    /// error of the pass.
    #[must_use]
    pub fn filtered(mut self, steps: impl IntoIterator<Item = (SetOperation, Target)>) -> Self {
        let step = |(operation, target)| Step {
            operation,
            search: TargetSearch::new(target),
            required: false,
        };
        self.filters.push(steps.into_iter().map(step).collect());
        self
    }

    /// Leaves out all comments, even if the canonical form keeps comments. The URIs
    /// `""` and `"#id"` mean this (XML Signature, clause 4.4.3.3).
    #[must_use]
    pub const fn without_comments(mut self) -> Self {
        self.comments = false;
        self
    }

    /// Sets which attributes are Ids, instead of `Id`, `ID`, `id` and `xml:id`.
    #[must_use]
    pub fn with_ids(mut self, ids: IdAttributes) -> Self {
        self.ids = ids;
        self
    }

    /// Whether the selection starts from the whole document and not from an element.
    #[must_use]
    pub const fn is_document(&self) -> bool {
        self.apex.is_none()
    }

    /// The number of targets that each element is compared with.
    pub(crate) fn targets(&self) -> usize {
        usize::from(self.apex.is_some()) + self.steps()
    }

    /// The number of steps of all filters.
    pub(crate) fn steps(&self) -> usize {
        self.filters.iter().map(Vec::len).sum()
    }

    pub(crate) const fn has_comments(&self) -> bool {
        self.comments
    }

    /// Whether nodes outside the root element are selected.
    pub(crate) fn outside(&self) -> bool {
        self.is_document() && self.passes(Within::default())
    }

    /// The targets that an element is inside, from those that its parent is inside.
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
                let offset = Some(element.tag().start);
                return Err(Error::Limit { offset, limit: Limit::SelectionSteps });
            }
            if step.search.meets(element, &self.ids) {
                within.steps |= 1 << index;
            }
        }
        Ok(within)
    }

    /// Whether nodes inside these targets are in the node-set.
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

    /// Checks that no Id was found twice and that all required targets were found.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        let steps = || self.filters.iter().flatten();
        let mut all = self.apex.iter().chain(steps().map(|step| &step.search));
        all.try_for_each(TargetSearch::check_unique)?;
        let required = steps().filter(|step| step.required).map(|step| &step.search);
        self.apex.iter().chain(required).try_for_each(TargetSearch::check_found)
    }
}

/// The targets that an element is inside.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Within {
    /// The selected element.
    apex: bool,
    /// One bit for each step.
    steps: u64,
}
