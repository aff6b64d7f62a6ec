//! Makes formulas from expressions.

use crate::c14n::target::Target;

use super::conditions::{Conditions, Nth};
use super::formula::{Formula, Kind, Text};
use super::here::Here;
use super::syntax::{Axis, Expr, NodeTest, Operator, Path, Start, Step};

/// Makes the formulas of one expression. Every method returns `None` for what is not
/// supported.
pub(super) struct Compiler<'c> {
    conditions: &'c mut Conditions,
    here: Option<&'c Here>,
}

impl<'c> Compiler<'c> {
    pub(super) const fn new(conditions: &'c mut Conditions, here: Option<&'c Here>) -> Self {
        Self { conditions, here }
    }

    fn test(&mut self, formula: Formula) -> Option<usize> {
        self.conditions.test(formula, None)
    }

    /// The expression's value as a truth value (clause 4.3), at the context node.
    pub(super) fn boolean(&mut self, expression: &Expr) -> Option<Formula> {
        let formula = match expression {
            Expr::Or(all) | Expr::Union(all) => Formula::Any(self.booleans(all)?),
            Expr::And(all) => Formula::All(self.booleans(all)?),
            Expr::Compare(operator, a, b) => self.comparison(*operator, a, b)?,
            Expr::Path(Path { start: Start::Context, steps }) => self.exists(steps)?,
            Expr::Path(_) => return None,
            Expr::Literal(literal) => Formula::Constant(!literal.is_empty()),
            Expr::Number(number) => Formula::Constant(*number != 0),
            Expr::Call(name, arguments) => self.call(name, arguments)?,
        };
        self.conditions.charge(&formula)?;
        Some(formula)
    }

    fn booleans(&mut self, all: &[Expr]) -> Option<Vec<Formula>> {
        all.iter().map(|one| self.boolean(one)).collect()
    }

    fn call(&mut self, name: &str, arguments: &[Expr]) -> Option<Formula> {
        Some(match (name, arguments) {
            ("true", []) => Formula::TRUE,
            ("false", []) => Formula::Constant(false),
            ("boolean", [inner]) => self.boolean(inner)?,
            ("not", [inner]) => Formula::not(self.boolean(inner)?),
            ("starts-with", [a, b]) => Formula::StartsWith(text(a)?, text(b)?),
            ("contains", [a, b]) => Formula::Contains(text(a)?, text(b)?),
            ("string" | "name" | "local-name" | "namespace-uri", _) => {
                let text = text(&Expr::Call(name.to_owned(), arguments.to_vec()))?;
                Formula::not(Formula::Equal(text, Text::Literal(String::new())))
            }
            _ => return None,
        })
    }

    /// Whether the path leads to any node. Only paths upwards and to attributes are
    /// decided at a start tag.
    fn exists(&mut self, steps: &[Step]) -> Option<Formula> {
        let Some((step, rest)) = steps.split_first() else { return Some(Formula::TRUE) };
        let mut predicates = step.predicates.as_slice();
        // A first node exists if and only if any node exists.
        if let Some((last, before)) = predicates.split_last()
            && (rest.is_empty() || step.axis == Axis::Itself || step.axis == Axis::Parent)
            && is_first(last)
        {
            predicates = before;
        }
        let mut all = node_test(step);
        for predicate in predicates {
            all.push(self.predicate(predicate)?);
        }
        if step.axis == Axis::Attribute {
            return rest.is_empty().then(|| Formula::HasAttribute(Box::new(Formula::All(all))));
        }
        all.push(self.exists(rest)?);
        let reached = Formula::All(all);
        Some(match step.axis {
            Axis::Itself => reached,
            Axis::Parent => Formula::ParentMeets(self.test(reached)?),
            Axis::Ancestor => Formula::AncestorMeets(self.test(reached)?),
            Axis::AncestorOrSelf => self.inside(&reached)?,
            _ => return None,
        })
    }

    /// Whether the formula is true of a node or of any of its ancestors.
    fn inside(&mut self, formula: &Formula) -> Option<Formula> {
        if let Formula::Meets(test) = formula {
            return Some(Formula::Any(vec![formula.clone(), Formula::AncestorMeets(*test)]));
        }
        let test = self.test(formula.clone())?;
        let only_elements = matches!(
            formula, Formula::All(all) if all.first() == Some(&Formula::Is(Kind::Element))
        );
        let itself = if only_elements { Formula::Meets(test) } else { formula.clone() };
        Some(Formula::Any(vec![itself, Formula::AncestorMeets(test)]))
    }

    /// A predicate that is not a position.
    fn predicate(&mut self, predicate: &Expr) -> Option<Formula> {
        match predicate {
            Expr::Number(_) => None,
            predicate => self.boolean(predicate),
        }
    }

    /// The nodes inside those that the expression selects.
    pub(super) fn subtrees(&mut self, expression: &Expr) -> Option<Formula> {
        let selected = match expression {
            Expr::Union(all) => {
                Formula::Any(all.iter().map(|one| self.selected(one)).collect::<Option<_>>()?)
            }
            one => self.selected(one)?,
        };
        let formula = self.inside(&selected)?;
        self.conditions.charge(&formula)?;
        Some(formula)
    }

    /// The nodes that the expression selects.
    fn selected(&mut self, expression: &Expr) -> Option<Formula> {
        let (start, mut steps) = match expression {
            Expr::Path(Path { start: Start::Context, .. }) => return None,
            Expr::Path(Path { start: Start::Root, steps }) => (None, steps.as_slice()),
            Expr::Path(Path { start: Start::Of(start), steps }) => (Some(&**start), &**steps),
            start => (Some(start), &[][..]),
        };
        let mut selected = match start {
            None => Formula::Is(Kind::Root),
            Some(start) => {
                let (found, rest) = self.element(start, steps, false)?;
                steps = rest;
                found
            }
        };
        for step in steps {
            selected = self.step(selected, step)?;
            self.conditions.charge(&selected)?;
        }
        Some(selected)
    }

    /// The element that `here()` with the steps after it, or `id()`, leads to, and the
    /// steps that remain.
    fn element<'s>(
        &mut self,
        start: &Expr,
        steps: &'s [Step],
        required: bool,
    ) -> Option<(Formula, &'s [Step])> {
        let Expr::Call(name, arguments) = start else { return None };
        let (target, rest) = match (name.as_str(), arguments.as_slice()) {
            ("here", []) => {
                let (start, rest) = self.here?.follow(steps)?;
                (self.conditions.target(Target::At(start), true)?, rest)
            }
            ("id", [Expr::Literal(id)]) => {
                // The argument is a list of Ids.
                let one = !id.is_empty() && !id.contains([' ', '\t', '\r', '\n']);
                let target = one.then(|| Target::Id(id.clone()))?;
                (self.conditions.target(target, required)?, steps)
            }
            _ => return None,
        };
        Some((Formula::Meets(self.test(Formula::Target(target))?), rest))
    }

    /// The nodes that a step downwards leads to, from those of which a formula is true.
    fn step(&mut self, from: Formula, step: &Step) -> Option<Formula> {
        let whole = from == Formula::Is(Kind::Root);
        let mut all = node_test(step);
        all.push(match step.axis {
            Axis::Child => Formula::ParentMeets(self.test(from)?),
            Axis::Descendant => Formula::AncestorMeets(self.test(from)?),
            Axis::DescendantOrSelf => self.inside(&from)?,
            Axis::Itself => from,
            _ => return None,
        });
        for predicate in &step.predicates {
            let Some(number) = position(predicate) else {
                all.push(self.predicate(predicate)?);
                continue;
            };
            let siblings = match step.axis {
                Axis::Child => true,
                Axis::Descendant | Axis::DescendantOrSelf if whole => false,
                _ => return None,
            };
            // Text and comments are not counted.
            (all.first() == Some(&Formula::Is(Kind::Element))).then_some(())?;
            let counted = Formula::All(std::mem::take(&mut all));
            let nth = Some(Nth { number, siblings });
            all.push(Formula::Is(Kind::Element));
            all.push(Formula::Meets(self.conditions.test(counted, nth)?));
        }
        Some(Formula::All(all))
    }

    fn comparison(&mut self, operator: Operator, a: &Expr, b: &Expr) -> Option<Formula> {
        let count = |side: &Expr| matches!(side, Expr::Call(name, _) if name == "count");
        match (count(a), count(b)) {
            (true, _) => return self.counts(operator, a, b),
            (false, true) => return self.counts(operator.turned(), b, a),
            (false, false) => {}
        }
        let equal = match operator {
            Operator::Equal => true,
            Operator::NotEqual => false,
            _ => return None,
        };
        // A comparison with a node-set is true if it is true of any node (clause 3.4).
        for (nodes, other) in [(a, b), (b, a)] {
            if let (Expr::Path(path), Expr::Literal(_)) = (nodes, other)
                && path.start == Start::Context
                && path.steps.last().is_some_and(|step| step.axis == Axis::Attribute)
            {
                return self.exists(&with_predicate(path, operator, itself(), other)?);
            }
            if let Some(formula) = self.name_of_parent(equal, nodes, other) {
                return Some(formula);
            }
        }
        // Other comparisons of node-sets are not those of their strings.
        let is_text = |side: &Expr| !matches!(side, Expr::Path(_)) || *side == itself();
        (is_text(a) && is_text(b)).then_some(())?;
        let formula = Formula::Equal(text(a)?, text(b)?);
        Some(if equal { formula } else { Formula::not(formula) })
    }

    /// `local-name(..) = "x"` and the like.
    fn name_of_parent(&mut self, equal: bool, call: &Expr, name: &Expr) -> Option<Formula> {
        let (Expr::Call(function, arguments), Expr::Literal(literal)) = (call, name) else {
            return None;
        };
        let [Expr::Path(path)] = arguments.as_slice() else { return None };
        let parent = matches!(path.steps.as_slice(), [step] if step.axis == Axis::Parent);
        let named = matches!(function.as_str(), "name" | "local-name" | "namespace-uri");
        if !parent || !named || path.start != Start::Context || literal.is_empty() {
            return None;
        }
        let own = Expr::Call(function.clone(), Vec::new());
        let formula = self.exists(&with_predicate(path, Operator::Equal, own, name)?)?;
        Some(if equal { formula } else { Formula::not(formula) })
    }

    /// Comparisons of `count()` with 0 or 1, and the one that XML Signature, clause 6.6.4,
    /// uses to find out whether the node is inside another: the union of its
    /// ancestors with that node is as large as without.
    fn counts(&mut self, operator: Operator, a: &Expr, b: &Expr) -> Option<Formula> {
        use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};

        let counted = counted(a)?;
        if let Expr::Number(number) = b {
            let formula = self.boolean(counted)?;
            return match (operator, number) {
                (Equal | LessOrEqual, 0) | (Less, 1) => Some(Formula::not(formula)),
                (NotEqual | Greater, 0) | (GreaterOrEqual, 1) => Some(formula),
                _ => None,
            };
        }
        let (operator, union, other) = match (counted, self::counted(b)?) {
            (Expr::Union(union), other) => (operator, union, other),
            (other, Expr::Union(union)) => (operator.turned(), union, other),
            _ => return None,
        };
        let added = match union.as_slice() {
            [one, added] if one == other => added,
            [added, one] if one == other => added,
            _ => return None,
        };
        let inside = self.is_among_ancestors(added, other)?;
        match operator {
            Equal | LessOrEqual => Some(inside),
            NotEqual | Greater => Some(Formula::not(inside)),
            Less | GreaterOrEqual => None,
        }
    }

    /// Whether an element is among those that `ancestor-or-self::…` leads to.
    fn is_among_ancestors(&mut self, element: &Expr, ancestors: &Expr) -> Option<Formula> {
        let Expr::Path(Path { start: Start::Context, steps }) = ancestors else { return None };
        let [step] = steps.as_slice() else { return None };
        if step.axis != Axis::AncestorOrSelf {
            return None;
        }
        let (element, rest) = match element {
            Expr::Path(Path { start: Start::Of(start), steps }) => {
                self.element(start, steps, true)?
            }
            start => self.element(start, &[], true)?,
        };
        rest.is_empty().then_some(())?;
        let mut all = vec![Formula::Is(Kind::Element)];
        all.extend(node_test(step));
        all.push(element);
        for predicate in &step.predicates {
            all.push(self.predicate(predicate)?);
        }
        self.inside(&Formula::All(all))
    }
}

/// The formulas of a node test. That of elements comes first.
fn node_test(step: &Step) -> Vec<Formula> {
    let attribute = step.axis == Axis::Attribute;
    let principal = (!attribute).then_some(Formula::Is(Kind::Element));
    let kind = |kind| vec![Formula::Is(kind)];
    match &step.test {
        NodeTest::Name(name) => {
            principal.into_iter().chain([Formula::Named(name.clone())]).collect()
        }
        NodeTest::Any => principal.into_iter().collect(),
        NodeTest::Node => Vec::new(),
        NodeTest::Text => kind(Kind::Text),
        NodeTest::Comment => kind(Kind::Comment),
        NodeTest::Instruction => kind(Kind::Instruction),
    }
}

/// The string value of an expression that depends on the context node alone.
fn text(expression: &Expr) -> Option<Text> {
    match expression {
        Expr::Literal(literal) => Some(Text::Literal(literal.clone())),
        Expr::Call(name, arguments) => {
            let of_itself = match arguments.as_slice() {
                [] => true,
                [argument] => *argument == itself(),
                _ => return None,
            };
            match name.as_str() {
                "name" if of_itself => Some(Text::QualifiedName),
                "local-name" if of_itself => Some(Text::LocalName),
                "namespace-uri" if of_itself => Some(Text::Namespace),
                "string" if of_itself => Some(Text::Value),
                "string" => text(arguments.first()?),
                _ => None,
            }
        }
        Expr::Path(_) if *expression == itself() => Some(Text::Value),
        Expr::Path(Path { start: Start::Context, steps }) => match steps.as_slice() {
            [Step { axis: Axis::Attribute, test: NodeTest::Name(name), predicates }]
                if predicates.is_empty() && name.local_name.is_some() =>
            {
                Some(Text::Attribute(name.clone()))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The expression `.`
fn itself() -> Expr {
    let step = Step { axis: Axis::Itself, test: NodeTest::Node, predicates: Vec::new() };
    Expr::Path(Path { start: Start::Context, steps: vec![step] })
}

/// The steps of a path, with a comparison as the last predicate.
fn with_predicate(path: &Path, operator: Operator, a: Expr, b: &Expr) -> Option<Vec<Step>> {
    let mut steps = path.steps.clone();
    let comparison = Expr::Compare(operator, Box::new(a), Box::new(b.clone()));
    steps.last_mut()?.predicates.push(comparison);
    Some(steps)
}

/// The argument of `count()`.
fn counted(expression: &Expr) -> Option<&Expr> {
    match expression {
        Expr::Call(name, arguments) if name == "count" => match arguments.as_slice() {
            [argument] => Some(argument),
            _ => None,
        },
        _ => None,
    }
}

/// The number of a predicate that is a position.
fn position(predicate: &Expr) -> Option<u32> {
    match predicate {
        Expr::Number(number) => Some(*number),
        Expr::Compare(Operator::Equal, a, b) => match (&**a, &**b) {
            (Expr::Call(name, arguments), Expr::Number(number))
            | (Expr::Number(number), Expr::Call(name, arguments))
                if name == "position" && arguments.is_empty() =>
            {
                Some(*number)
            }
            _ => None,
        },
        _ => None,
    }
}

fn is_first(predicate: &Expr) -> bool {
    position(predicate) == Some(1)
}
