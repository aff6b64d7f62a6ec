//! Selections: the nodes of a document that are in a canonical form.

use crate::error::{Error, Limit};
use crate::namespaces::XPATH;
use crate::xml::{Attribute, StartElement};

use super::target::{IdAttributes, Target, TargetSearch};
use super::xpath::{Around, Conditions, Expression, Formula, Kind};

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

/// As [`Shown`], for each kind of nodes in an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShownKinds {
    pub(crate) element: bool,
    pub(crate) text: bool,
    pub(crate) comments: bool,
    /// `None` if that depends on their names.
    pub(crate) instructions: Option<bool>,
}

impl ShownKinds {
    pub(crate) const fn all(shown: bool) -> Self {
        Self { element: shown, text: shown, comments: shown, instructions: Some(shown) }
    }

    /// Whether everything except comments is in the node-set. The URIs `""` and `"#id"`
    /// leave out comments, too.
    pub(crate) const fn is_whole(self) -> bool {
        self.element && self.text && !matches!(self.instructions, Some(false))
    }
}

impl From<Shown> for ShownKinds {
    fn from(shown: Shown) -> Self {
        Self { element: shown.element, ..Self::all(shown.content) }
    }
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
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    apex: Option<Apex>,
    filters: Vec<Vec<Step>>,
    /// The tests that the formulas of the steps refer to.
    conditions: Conditions,
    ids: IdAttributes,
    comments: bool,
}

/// The elements whose content is selected.
#[derive(Clone, Debug, PartialEq)]
enum Apex {
    Target(TargetSearch),
    /// The elements whose start tags begin at these octets, in ascending order.
    Places {
        starts: Vec<u64>,
        met: usize,
    },
}

impl Apex {
    /// Whether the element is certainly not selected: see [`TargetSearch::passes_over`].
    fn passes_over(&self, element: &StartElement<'_>) -> bool {
        match self {
            Self::Target(search) => search.passes_over(element),
            Self::Places { starts, .. } => {
                let here = element.tag().start;
                starts.first().is_none_or(|first| here < *first)
                    || starts.last().is_none_or(|last| here > *last)
            }
        }
    }

    fn meets(&mut self, element: &StartElement<'_>, ids: &IdAttributes) -> bool {
        match self {
            Self::Target(search) => search.meets(element, ids),
            Self::Places { starts, met } => {
                let here = element.tag().start;
                let meets = !element.in_entity() && starts.binary_search(&here).is_ok();
                *met += usize::from(meets);
                meets
            }
        }
    }

    fn check(&self) -> Result<(), Error> {
        match self {
            Self::Target(search) => search.check_unique().and_then(|()| search.check_found()),
            Self::Places { starts, met } if *met < starts.len() => {
                let first = starts.first().copied().unwrap_or_default();
                Err(Error::NoSuchElement { target: Target::At(first) })
            }
            Self::Places { .. } => Ok(()),
        }
    }
}

/// One step of a filter.
#[derive(Clone, Debug, PartialEq)]
struct Step {
    operation: SetOperation,
    nodes: StepNodes,
}

/// The nodes that a step removes or adds.
#[derive(Clone, Debug, PartialEq)]
enum StepNodes {
    /// Those inside a target.
    Inside {
        search: TargetSearch,
        /// Whether the target must exist.
        required: bool,
    },
    /// Those of which a formula is true.
    Formula(Formula),
}

impl Selection {
    /// The whole document.
    #[must_use]
    pub fn document() -> Self {
        Self {
            apex: None,
            filters: Vec::new(),
            conditions: Conditions::default(),
            ids: IdAttributes::default(),
            comments: true,
        }
    }

    /// One element with its content.
    #[must_use]
    pub fn element(target: Target) -> Self {
        Self { apex: Some(Apex::Target(TargetSearch::new(target))), ..Self::document() }
    }

    /// The elements whose start tags begin at these octets, with their content. Their
    /// canonical form is that of each, one after the other, in document order.
    pub(crate) fn elements_at(mut starts: Vec<u64>) -> Self {
        starts.sort_unstable();
        starts.dedup();
        Self { apex: Some(Apex::Places { starts, met: 0 }), ..Self::document() }
    }

    /// Leaves out an element, which must exist.
    #[must_use]
    pub fn without(mut self, target: Target) -> Self {
        let nodes = StepNodes::Inside { search: TargetSearch::new(target), required: true };
        self.filters.push(vec![Step { operation: SetOperation::Subtract, nodes }]);
        self
    }

    /// Applies the steps of an XPath Filter 2.0 (clause 3.2) in order. A target that the
    /// document does not have selects no nodes. An Id that two elements have is an
    /// error of the pass.
    #[must_use]
    pub fn filtered(mut self, steps: impl IntoIterator<Item = (SetOperation, Target)>) -> Self {
        let step = |(operation, target)| Step {
            operation,
            nodes: StepNodes::Inside { search: TargetSearch::new(target), required: false },
        };
        self.filters.push(steps.into_iter().map(step).collect());
        self
    }

    /// Keeps the nodes of which an XPath expression is true (XML Signature, clause
    /// 6.6.3). `None` if the expression is not supported.
    pub(crate) fn where_true(mut self, expression: Expression<'_>) -> Option<Self> {
        let formula = expression.condition(&mut self.conditions)?;
        let nodes = StepNodes::Formula(formula);
        self.filters.push(vec![Step { operation: SetOperation::Intersect, nodes }]);
        Some(self)
    }

    /// As [`filtered`](Self::filtered), by expressions. `None` if one of them is not
    /// supported.
    pub(crate) fn filtered_by(mut self, steps: &[(SetOperation, Expression<'_>)]) -> Option<Self> {
        let mut filter = Vec::new();
        for (operation, expression) in steps {
            let formula = expression.subtrees(&mut self.conditions)?;
            filter.push(Step { operation: *operation, nodes: StepNodes::Formula(formula) });
        }
        self.filters.push(filter);
        Some(self)
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

    /// Whether all nodes are selected, except that comments may be left out.
    pub(crate) const fn is_everything(&self) -> bool {
        self.is_document() && self.filters.is_empty() && self.conditions.is_empty()
    }

    /// The cost of comparing an element with the targets, and of evaluating the formulas
    /// for it, its attributes and its namespaces.
    pub(crate) fn cost(&self, element: &StartElement<'_>) -> usize {
        let targets = usize::from(self.apex.is_some()) + self.steps();
        let attributes = 1 + element.tag.attributes.len();
        let of_formulas = match self.conditions.terms() {
            0 => 0,
            terms => terms * (attributes + element.namespaces.in_scope().count()),
        };
        targets * attributes + of_formulas
    }

    /// The number of steps of all filters.
    pub(crate) fn steps(&self) -> usize {
        self.filters.iter().map(Vec::len).sum()
    }

    pub(crate) const fn has_comments(&self) -> bool {
        self.comments
    }

    /// The place outside the root element.
    pub(crate) fn outside(&self) -> Within {
        Within { around: self.conditions.root(), ..Within::default() }
    }

    /// Which nodes outside the root element are selected. `None` if that is not
    /// decided.
    pub(crate) fn shown_outside(&self) -> Option<ShownKinds> {
        let within = self.outside();
        self.shown(within, |formula, kind| {
            Conditions::is_true_in(formula, kind.unwrap_or(Kind::Root), within.around)
        })
    }

    /// Whether an element that is not in a selected one is certainly outside, too, so that
    /// [`enter`](Self::enter) need not see it.
    pub(crate) fn passes_over(&self, element: &StartElement<'_>) -> bool {
        let apex = self.apex.as_ref();
        self.filters.is_empty() && apex.is_some_and(|apex| apex.passes_over(element))
    }

    /// The place inside an element, from that around it, and which of its nodes are in
    /// the node-set.
    pub(crate) fn enter(
        &mut self,
        element: &StartElement<'_>,
        parent: Within,
    ) -> Result<(Within, ShownKinds), Error> {
        let mut within = parent;
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
            if let StepNodes::Inside { search, .. } = &mut step.nodes
                && search.meets(element, &self.ids)
            {
                within.steps |= 1 << index;
            }
        }
        let unknown = || Error::UnknownExpression { algorithm: XPATH.to_owned() };
        if element.depth() == 0 {
            self.shown_outside().ok_or_else(unknown)?;
        }
        if !self.conditions.is_empty() {
            let around = self.conditions.enter(element, &self.ids, parent.around);
            within.around = around.ok_or_else(unknown)?;
        }
        let shown = self.shown(within, |formula, kind| match kind {
            None => Conditions::is_true_of(formula, element, within.around, parent.around),
            Some(kind) => Conditions::is_true_in(formula, kind, within.around),
        });
        let shown = shown.ok_or_else(unknown)?;
        // A canonical form has the attributes of an element that it does not have, and the
        // other way round (Canonical XML 1.0, clause 2.3). Nobody signs that on purpose.
        if self.has_formulas() && self.shows_attributes(element, within) != Some(shown.element) {
            return Err(unknown());
        }
        Ok((within, shown))
    }

    /// Which nodes at a place are in the node-set. `is_true` evaluates a formula for the
    /// element itself, or for the nodes of a kind in it. `None` if that is not decided.
    fn shown(
        &self,
        within: Within,
        is_true: impl Fn(&Formula, Option<Kind>) -> Option<bool>,
    ) -> Option<ShownKinds> {
        if !(self.is_document() || within.apex) {
            return Some(ShownKinds::all(false));
        }
        let passes = |kind| self.passes(within, |formula| is_true(formula, kind));
        let element = passes(None)?;
        if !self.has_formulas() {
            return Some(ShownKinds::all(element));
        }
        Some(ShownKinds {
            element,
            text: passes(Some(Kind::Text))?,
            comments: passes(Some(Kind::Comment))?,
            instructions: passes(Some(Kind::Instruction)),
        })
    }

    /// Whether the attributes and namespaces of an element are in the node-set. `None` if
    /// only some of them are.
    fn shows_attributes(&self, element: &StartElement<'_>, within: Within) -> Option<bool> {
        if !(self.is_document() || within.apex) {
            return Some(false);
        }
        let around = within.around;
        let alike = |formula: &Formula| Conditions::is_true_in(formula, Kind::Attribute, around);
        let alike = self.passes(within, alike);
        if alike.is_some() {
            return alike;
        }
        // It depends on their names. The local name of a namespace is its prefix.
        let namespaces = element.namespaces;
        let in_scope = namespaces.in_scope().filter(|at| !namespaces.name(*at).is_empty());
        let namespaces = in_scope.map(|at| {
            let (prefix, value) = (namespaces.prefix(at), namespaces.name(at));
            let (qualified_name, local_name, namespace) = (prefix, prefix, b"".as_slice());
            Attribute { qualified_name, local_name, namespace, value, dtd_id: false }
        });
        let mut each = element.attributes().chain(namespaces).map(|attribute| {
            self.passes(within, |formula| {
                Conditions::is_true_of_attribute(formula, attribute, around)
            })
        });
        let first = each.next()??;
        each.all(|other| other == Some(first)).then_some(first)
    }

    /// Whether there are formulas, whose values depend on all elements around.
    pub(crate) const fn has_conditions(&self) -> bool {
        !self.conditions.is_empty()
    }

    fn has_formulas(&self) -> bool {
        let is = |step: &Step| matches!(step.nodes, StepNodes::Formula(_));
        self.filters.iter().flatten().any(is)
    }

    fn passes(&self, within: Within, is_true: impl Fn(&Formula) -> Option<bool>) -> Option<bool> {
        let mut steps = within.steps;
        let mut passes = true;
        for filter in &self.filters {
            let mut shown = true;
            for step in filter {
                let inside = match &step.nodes {
                    StepNodes::Inside { .. } => steps & 1 == 1,
                    StepNodes::Formula(formula) => is_true(formula)?,
                };
                steps >>= 1;
                shown = match step.operation {
                    SetOperation::Intersect => shown && inside,
                    SetOperation::Subtract => shown && !inside,
                    SetOperation::Union => shown || inside,
                };
            }
            passes = passes && shown;
        }
        Some(passes)
    }

    /// Whether it is the whole document, except elements that begin at the octet `from` or later.
    pub(crate) fn is_whole_until(&self, from: u64) -> bool {
        let is_later = |step: &Step| match &step.nodes {
            StepNodes::Inside { search, .. } => {
                step.operation == SetOperation::Subtract && search.is_at_or_after(from)
            }
            StepNodes::Formula(_) => false,
        };
        self.is_document() && self.filters.iter().flatten().all(is_later)
    }

    /// Whether it is one element with its content, which begins at the octet `from` or later or
    /// has an Id that `is_later` accepts.
    pub(crate) fn is_element_after(&self, from: u64, is_later: impl Fn(&str) -> bool) -> bool {
        let Some(Apex::Target(search)) = &self.apex else { return false };
        let later = search.is_at_or_after(from) || search.id().is_some_and(is_later);
        later && self.filters.is_empty()
    }

    /// Checks that no Id was found twice and that all required targets were found.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        self.conditions.finish()?;
        let searches = || {
            self.filters.iter().flatten().filter_map(|step| match &step.nodes {
                StepNodes::Inside { search, required } => Some((search, *required)),
                StepNodes::Formula(_) => None,
            })
        };
        searches().try_for_each(|(search, _)| search.check_unique())?;
        self.apex.iter().try_for_each(Apex::check)?;
        let mut required = searches().filter(|(_, required)| *required);
        required.try_for_each(|(search, _)| search.check_found())
    }
}

/// A place in a document: the targets that it is inside, and the tests that the elements
/// around it meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Within {
    /// The selected element.
    apex: bool,
    /// One bit for each step with a target.
    steps: u64,
    around: Around,
}
