//! The tree of the elements that are kept of a signature.

use std::ops::Range;

use crate::c14n::IdAttributes;
use crate::xml::{Event, Reader, StartElement};

/// The cost of each element and attribute, in addition to its text.
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
    /// Whether it contains content that is not kept.
    pub(crate) more: bool,
    /// Whether content is missing that exceeds a limit.
    pub(crate) cut: bool,
    /// Its place in the original octets.
    pub(crate) place: Range<u64>,
    /// The prefixes in scope and their namespace names. Only elements that contain an
    /// XPath expression have them.
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
    /// Makes an element from a start tag. Its place ends with the tag until the end tag
    /// is read.
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

    /// Makes an element from a start tag, without the attributes.
    pub(crate) fn bare(element: &StartElement<'_>) -> Self {
        Self {
            namespace: text(element.namespace()),
            local_name: text(element.local_name()),
            place: element.tag(),
            ..Self::default()
        }
    }

    /// Moves its place, and those of the elements inside it, to a later one.
    pub(crate) fn move_by(&mut self, octets: u64) {
        let Range { start, end } = self.place;
        self.place = start.saturating_add(octets)..end.saturating_add(octets);
        self.children.iter_mut().for_each(|child| child.move_by(octets));
    }

    /// Whether it has no attributes except these, which have no namespace.
    pub(crate) fn has_only_attributes(&self, names: &[&str]) -> bool {
        let known = |attribute: &Attribute| {
            attribute.namespace.is_empty() && names.contains(&attribute.local_name.as_str())
        };
        self.attributes.iter().all(known)
    }

    /// Whether it, or an element inside it, contains content that is not kept.
    pub(crate) fn has_more(&self) -> bool {
        self.more || self.children.iter().any(Self::has_more)
    }

    /// The cost of keeping it, without its children and its text.
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

    /// The value of an attribute that has no namespace.
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

    /// The first child of this name.
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

    /// The octets of its base64 text. White space is ignored.
    pub(crate) fn octets(&self) -> Option<Vec<u8>> {
        let white = |c: &char| !matches!(c, ' ' | '\t' | '\r' | '\n');
        ades_core::base64::decode(&self.text.chars().filter(white).collect::<String>())
    }

    /// Whether two elements have the same name and content, and the elements inside them
    /// have the same attributes. Their places do not matter.
    pub(crate) fn has_same_content(&self, other: &Self) -> bool {
        self.namespace == other.namespace
            && self.local_name == other.local_name
            && self.text == other.text
            && self.children.len() == other.children.len()
            && self.children.iter().zip(&other.children).all(|(a, b)| {
                a.attributes.len() == b.attributes.len()
                    && a.attributes.iter().zip(&b.attributes).all(|(a, b)| a.is_same(b))
                    && a.has_same_content(b)
            })
    }
}

impl Attribute {
    fn is_same(&self, other: &Self) -> bool {
        self.local_name == other.local_name
            && self.namespace == other.namespace
            && self.value == other.value
    }
}

/// Reads a fragment that is one element. `None` if it is not well-formed.
pub(crate) fn of_fragment(octets: &[u8], ids: &IdAttributes) -> Option<Element> {
    let mut reader = Reader::from_slice(octets).ok()?;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    while let Some(event) = reader.next_event().ok()? {
        match event {
            Event::StartElement(element) => open.push(Element::new(&element, ids)),
            Event::EndElement(element) => {
                let mut ended = open.pop()?;
                ended.place = element.span().whole();
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
