//! Formulas about a node and the elements around it.

use crate::xml::{Attribute, StartElement};

use super::syntax::NameTest;

/// The kinds of nodes. The attributes and namespaces of an element are judged
/// together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Root,
    Element,
    Attribute,
    Text,
    Comment,
    Instruction,
}

/// A statement about a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Formula {
    Constant(bool),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    Is(Kind),
    /// The node's expanded name passes.
    Named(NameTest),
    /// The node is an element, or the root, that meets the test with this index.
    Meets(usize),
    /// Its parent meets the test.
    ParentMeets(usize),
    /// An ancestor meets the test.
    AncestorMeets(usize),
    /// It is an element that the target with this index describes. Only tests contain
    /// this.
    Target(usize),
    /// It has an attribute of which the formula is true.
    HasAttribute(Box<Self>),
    Equal(Text, Text),
    StartsWith(Text, Text),
    Contains(Text, Text),
}

/// A string that depends on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    Literal(String),
    /// `name()`
    QualifiedName,
    LocalName,
    Namespace,
    /// The string value of the node.
    Value,
    /// The value of the node's attribute of this name; empty if it has none.
    Attribute(NameTest),
}

/// A node, and which tests the elements around it meet.
#[derive(Clone, Copy)]
pub(super) struct Node<'n> {
    pub(super) kind: Kind,
    /// Of an element.
    pub(super) element: Option<&'n StartElement<'n>>,
    /// Of one attribute. `None` for all attributes and namespaces of an element.
    pub(super) attribute: Option<Attribute<'n>>,
    /// One bit for each test that it meets.
    pub(super) own: u64,
    /// The same of its parent.
    pub(super) parent: u64,
    /// The tests that any of its ancestors meets.
    pub(super) above: u64,
    /// One bit for each target that describes it.
    pub(super) targets: u64,
}

impl Formula {
    pub(super) const TRUE: Self = Self::Constant(true);

    pub(super) fn not(inner: Self) -> Self {
        Self::Not(Box::new(inner))
    }

    /// The number of its terms.
    pub(super) fn terms(&self) -> usize {
        match self {
            Self::Not(inner) | Self::HasAttribute(inner) => 1 + inner.terms(),
            Self::All(all) | Self::Any(all) => 1 + all.iter().map(Self::terms).sum::<usize>(),
            _ => 1,
        }
    }

    /// Whether it is true of the node. `None` if that depends on what was not looked at:
    /// the names of all attributes of an element, or the content of an element.
    pub(super) fn evaluate(&self, node: &Node<'_>) -> Option<bool> {
        let bit = |bits: u64, index: &usize| Some(bits >> index & 1 == 1);
        match self {
            Self::Constant(value) => Some(*value),
            Self::Not(inner) => inner.evaluate(node).map(|value| !value),
            Self::All(all) => decide(all, node, false),
            Self::Any(all) => decide(all, node, true),
            Self::Is(kind) => Some(node.kind == *kind),
            Self::Named(name) => node.is_named(name),
            Self::Meets(test) => bit(node.own, test),
            Self::ParentMeets(test) => bit(node.parent, test),
            Self::AncestorMeets(test) => bit(node.above, test),
            Self::Target(target) => bit(node.targets, target),
            Self::HasAttribute(inner) => node.has_attribute(inner),
            Self::Equal(a, b) => node.compare(a, b, |a, b| a == b),
            Self::StartsWith(a, b) => node.compare(a, b, <[u8]>::starts_with),
            Self::Contains(a, b) => node
                .compare(a, b, |a, b| b.is_empty() || a.windows(b.len()).any(|window| window == b)),
        }
    }
}

/// Whether one of the formulas has the value `decisive`. An undecided formula does not
/// matter then.
fn decide(all: &[Formula], node: &Node<'_>, decisive: bool) -> Option<bool> {
    let mut decided = true;
    for formula in all {
        match formula.evaluate(node) {
            Some(value) if value == decisive => return Some(decisive),
            Some(_) => {}
            None => decided = false,
        }
    }
    decided.then_some(!decisive)
}

impl Node<'_> {
    fn is_named(&self, name: &NameTest) -> Option<bool> {
        let (namespace, local_name) = match (self.element, &self.attribute, self.kind) {
            (Some(element), ..) => (element.namespace(), element.local_name()),
            (_, Some(attribute), _) => (attribute.namespace, attribute.local_name),
            (_, _, Kind::Attribute) => return None,
            _ => return Some(false),
        };
        let same = |wanted: &String| wanted.as_bytes() == local_name;
        Some(namespace == name.namespace.as_bytes() && name.local_name.as_ref().is_none_or(same))
    }

    fn has_attribute(&self, inner: &Formula) -> Option<bool> {
        let Some(element) = self.element else { return Some(false) };
        let mut decided = true;
        for attribute in element.attributes() {
            let above = self.above | self.own;
            let node = Node {
                kind: Kind::Attribute,
                element: None,
                attribute: Some(attribute),
                own: 0,
                parent: self.own,
                above,
                targets: 0,
            };
            match inner.evaluate(&node) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => decided = false,
            }
        }
        decided.then_some(false)
    }

    fn compare(&self, a: &Text, b: &Text, is: impl Fn(&[u8], &[u8]) -> bool) -> Option<bool> {
        Some(is(self.text(a)?, self.text(b)?))
    }

    fn text<'t>(&'t self, text: &'t Text) -> Option<&'t [u8]> {
        match (text, self.element, &self.attribute) {
            (Text::Literal(literal), ..) => Some(literal.as_bytes()),
            (Text::QualifiedName, Some(element), _) => Some(element.qualified_name()),
            (Text::QualifiedName, _, Some(attribute)) => Some(attribute.qualified_name),
            (Text::LocalName, Some(element), _) => Some(element.local_name()),
            (Text::LocalName, _, Some(attribute)) => Some(attribute.local_name),
            (Text::Namespace, Some(element), _) => Some(element.namespace()),
            (Text::Namespace, _, Some(attribute)) => Some(attribute.namespace),
            (Text::QualifiedName | Text::LocalName | Text::Namespace, ..) => match self.kind {
                Kind::Root | Kind::Text | Kind::Comment => Some(b""),
                Kind::Element | Kind::Attribute | Kind::Instruction => None,
            },
            (Text::Value, _, Some(attribute)) => Some(attribute.value),
            (Text::Value, ..) => None,
            (Text::Attribute(name), Some(element), _) => {
                let namespace = name.namespace.as_bytes();
                let local_name = name.local_name.as_ref()?.as_bytes();
                let found = element.attributes().find(|attribute| {
                    attribute.namespace == namespace && attribute.local_name == local_name
                });
                Some(found.map_or(b"".as_slice(), |attribute| attribute.value))
            }
            (Text::Attribute(_), ..) => Some(b""),
        }
    }
}
