//! A small tree of what is held of a signature, and nothing more.

use std::ops::Range;

use crate::c14n::IdAttributes;
use crate::xml::{Event, Reader, StartElement};

/// What each element and attribute costs beside its text.
const OVERHEAD: usize = 64;

/// An element.
#[derive(Clone, Debug, Default)]
pub(crate) struct Element {
    pub(crate) namespace: String,
    pub(crate) local_name: String,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) children: Vec<Self>,
    /// All text directly in it.
    pub(crate) text: String,
    /// Whether there is more in it, of which nothing is held.
    pub(crate) more: bool,
    /// Where it stands in the original octets.
    pub(crate) place: Range<u64>,
    /// The prefixes in scope and what they stand for: held of elements with an
    /// expression in them.
    pub(crate) prefixes: Vec<(String, String)>,
}

/// An attribute.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(crate) namespace: String,
    pub(crate) local_name: String,
    pub(crate) value: String,
    id: bool,
}

impl Element {
    /// What a start tag says; its place ends with the tag.
    pub(crate) fn new(element: &StartElement<'_>, ids: &IdAttributes) -> Self {
        let local_name = text(element.local_name());
        let attributes = element.attributes().map(|attribute| Attribute {
            namespace: text(attribute.namespace),
            local_name: text(attribute.local_name),
            value: text(attribute.value),
            id: ids.includes(&attribute),
        });
        let attributes = attributes.collect();
        let prefixes = if local_name == "XPath" {
            let namespaces = element.namespaces;
            let scope = namespaces.in_scope();
            scope.map(|at| (text(namespaces.prefix(at)), text(namespaces.name(at)))).collect()
        } else {
            Vec::new()
        };
        Self {
            namespace: text(element.namespace()),
            local_name,
            attributes,
            place: element.tag(),
            prefixes,
            ..Self::default()
        }
    }

    /// The same without its attributes.
    pub(crate) fn bare(element: &StartElement<'_>) -> Self {
        Self {
            namespace: text(element.namespace()),
            local_name: text(element.local_name()),
            place: element.tag(),
            ..Self::default()
        }
    }

    /// Whether it has no other attributes than these, which have no namespace.
    pub(crate) fn has_only_attributes(&self, names: &[&str]) -> bool {
        let known = |attribute: &Attribute| {
            attribute.namespace.is_empty() && names.contains(&attribute.local_name.as_str())
        };
        self.attributes.iter().all(known)
    }

    /// Whether there is more in it, or in what is in it, of which nothing is held.
    pub(crate) fn has_more(&self) -> bool {
        self.more || self.children.iter().any(Self::has_more)
    }

    /// What holding it costs, its children and its text aside.
    pub(crate) fn cost(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes =
            attributes.map(|a| OVERHEAD + a.namespace.len() + a.local_name.len() + a.value.len());
        let prefixes = self.prefixes.iter().map(|(prefix, name)| prefix.len() + name.len());
        OVERHEAD
            + self.namespace.len()
            + self.local_name.len()
            + attributes.chain(prefixes).sum::<usize>()
    }

    pub(crate) fn is(&self, namespace: &str, local_name: &str) -> bool {
        self.local_name == local_name && self.namespace == namespace
    }

    /// An attribute without a namespace.
    pub(crate) fn attribute(&self, local_name: &str) -> Option<&str> {
        let named = |a: &&Attribute| a.namespace.is_empty() && a.local_name == local_name;
        self.attributes.iter().find(named).map(|attribute| attribute.value.as_str())
    }

    /// Its Id.
    pub(crate) fn id(&self) -> Option<&str> {
        self.attributes.iter().find(|a| a.id).map(|attribute| attribute.value.as_str())
    }

    /// The children of this name.
    pub(crate) fn all<'e>(
        &'e self,
        namespace: &'e str,
        local_name: &'e str,
    ) -> impl Iterator<Item = &'e Self> + Clone {
        self.children.iter().filter(move |child| child.is(namespace, local_name))
    }

    /// The child of this name, if there is one.
    pub(crate) fn child(&self, namespace: &str, local_name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(namespace, local_name))
    }

    /// The child of this name, if there is exactly one.
    pub(crate) fn only(&self, namespace: &str, local_name: &str) -> Option<&Self> {
        let mut found = self.children.iter().filter(|child| child.is(namespace, local_name));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// Its text without the white space around it.
    pub(crate) fn token(&self) -> &str {
        self.text.trim_matches([' ', '\t', '\r', '\n'])
    }

    /// The octets that its base64 text stands for; white space does not count.
    pub(crate) fn octets(&self) -> Option<Vec<u8>> {
        let white = |c: &char| !matches!(c, ' ' | '\t' | '\r' | '\n');
        ades_core::base64::decode(&self.text.chars().filter(white).collect::<String>())
    }

    /// Whether the content of two elements is the same, wherever they stand.
    pub(crate) fn holds_the_same(&self, other: &Self) -> bool {
        self.namespace == other.namespace
            && self.local_name == other.local_name
            && self.text == other.text
            && self.children.len() == other.children.len()
            && self.children.iter().zip(&other.children).all(|(a, b)| {
                a.attributes.len() == b.attributes.len()
                    && a.attributes.iter().zip(&b.attributes).all(|(a, b)| a.says_the_same(b))
                    && a.holds_the_same(b)
            })
    }
}

impl Attribute {
    fn says_the_same(&self, other: &Self) -> bool {
        self.local_name == other.local_name
            && self.namespace == other.namespace
            && self.value == other.value
    }
}

/// The element that a fragment of XML is; `None` if it is none.
pub(crate) fn of_fragment(octets: &[u8], ids: &IdAttributes) -> Option<Element> {
    let mut reader = Reader::from_slice(octets).ok()?;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    while let Some(event) = reader.next_event().ok()? {
        match event {
            Event::StartElement(element) => open.push(Element::new(&element, ids)),
            Event::EndElement(_) => {
                let ended = open.pop()?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(ended),
                    None => root = Some(ended),
                }
            }
            Event::Text(piece) => open.last_mut()?.text.push_str(&text(piece.as_bytes())),
            _ => {}
        }
    }
    root
}

pub(crate) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
