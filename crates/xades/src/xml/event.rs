//! The events that a reader returns.

use std::fmt;
use std::ops::Range;

use super::namespaces::Namespaces;
use super::tag::{Tag, TagAttribute};
use super::xml_scope::XmlScope;

/// The namespace of the prefix `xml`.
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// One event of a document, in document order. All octets are UTF-8.
#[non_exhaustive]
pub enum Event<'r> {
    /// A start tag, or the first of the two events of an empty-element tag.
    StartElement(StartElement<'r>),
    /// An end tag, or the second of the two events of an empty-element tag.
    EndElement(EndElement<'r>),
    /// A piece of text of any length, with references expanded and line ends
    /// normalised. Text between two other events may be split into many pieces.
    Text(Text<'r>),
    /// A comment begins.
    CommentStart,
    /// A piece of a comment.
    CommentText(&'r [u8]),
    /// The comment ends.
    CommentEnd,
    /// A processing instruction with this target begins.
    InstructionStart(&'r [u8]),
    /// A piece of its data.
    InstructionData(&'r [u8]),
    /// The processing instruction ends.
    InstructionEnd,
}

/// The octets that the event of a tag covers: see
/// [`Reader::next_with_text`](super::Reader::next_with_text).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extent {
    /// The length of the tag.
    pub(crate) tag: usize,
    /// The length of the plain text after it.
    pub(crate) following: usize,
    /// The length of the end tag after that, which is written as in a canonical form. 0: the event
    /// does not cover it.
    pub(crate) end_tag: usize,
    /// The length of the plain text after the end tag.
    pub(crate) after: usize,
}

impl Event<'_> {
    /// The number of events that it stands for.
    pub(crate) fn count(&self) -> usize {
        let more = |len: usize| usize::from(len > 0);
        match self {
            Self::StartElement(StartElement { covered, .. }) => {
                1 + more(covered.following) + more(covered.end_tag) + more(covered.after)
            }
            Self::EndElement(element) => 1 + more(element.following.len()),
            _ => 1,
        }
    }
}

/// A start tag.
#[derive(Clone, Copy)]
pub struct StartElement<'r> {
    pub(crate) text: &'r [u8],
    pub(crate) tag: &'r Tag,
    pub(crate) namespaces: &'r Namespaces,
    pub(crate) xml_scope: &'r XmlScope,
    pub(crate) covered: Extent,
    /// The place of the element, if the event covers it.
    pub(crate) span: &'r Span,
}

impl<'r> StartElement<'r> {
    /// The name with its prefix.
    #[must_use]
    pub fn qualified_name(&self) -> &'r [u8] {
        self.text.get(self.tag.name.range()).unwrap_or_default()
    }

    /// The name without its prefix.
    #[must_use]
    pub fn local_name(&self) -> &'r [u8] {
        let name = self.qualified_name();
        match self.tag.name.colon {
            0 => name,
            colon => name.get(colon + 1..).unwrap_or_default(),
        }
    }

    /// The namespace name. Empty: no namespace.
    #[must_use]
    pub fn namespace(&self) -> &'r [u8] {
        self.namespaces.name(self.tag.binding)
    }

    /// The attributes, including default attributes of the DTD and excluding namespace
    /// declarations, sorted by namespace name and local name.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'r> {
        Attributes { element: *self, next: 0 }
    }

    /// The namespace name of a prefix in scope. `""` is the default namespace. `None`:
    /// the prefix is not declared.
    #[must_use]
    pub fn namespace_of(&self, prefix: &[u8]) -> Option<&'r [u8]> {
        self.namespaces.lookup(prefix).map(|binding| self.namespaces.name(binding))
    }

    /// The place of the tag in the original octets. For an element that comes from an
    /// entity, this is the place of the reference to the entity.
    #[must_use]
    pub const fn tag(&self) -> Range<u64> {
        self.tag.place.start..self.tag.place.end
    }

    /// Whether it comes from an entity.
    pub(crate) const fn in_entity(&self) -> bool {
        self.tag.in_entity
    }

    /// The number of elements around this one.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.tag.depth
    }

    /// The text of the tag and the first `following` octets after it.
    pub(crate) fn tag_and(&self, following: usize) -> &'r [u8] {
        self.text.get(..self.tag.len + following).unwrap_or_default()
    }

    /// As [`tag_and`](Self::tag_and): what precedes the end of the name, and the rest.
    pub(crate) fn spelling(&self, following: usize) -> (&'r [u8], &'r [u8]) {
        let both = self.tag_and(following);
        both.split_at_checked(self.tag.name.range().end).unwrap_or_default()
    }

    /// The first `following` octets after the tag.
    pub(crate) fn after_tag(&self, following: usize) -> &'r [u8] {
        self.tag_and(following).get(self.tag.len..).unwrap_or_default()
    }

    /// The plain text that the event covers after the tag.
    pub(crate) fn following(&self) -> &'r [u8] {
        self.after_tag(self.covered.following)
    }

    /// The end tag, if the event covers it.
    #[inline]
    pub(crate) fn end(&self) -> Option<EndElement<'r>> {
        let Extent { tag, following, end_tag, after } = self.covered;
        if end_tag == 0 {
            return None;
        }
        let both = self.text.get(tag + following..tag + following + end_tag + after);
        let both = both.unwrap_or_default();
        Some(EndElement {
            name: self.qualified_name(),
            canonical: Some(both),
            following: both.get(end_tag..).unwrap_or_default(),
            span: self.span,
            depth: self.depth(),
        })
    }

    pub(crate) fn placed(&self, attribute: &'r TagAttribute) -> PlacedAttribute<'r> {
        PlacedAttribute { element: *self, attribute }
    }
}

/// An attribute together with its element.
#[derive(Clone, Copy)]
pub(crate) struct PlacedAttribute<'r> {
    element: StartElement<'r>,
    attribute: &'r TagAttribute,
}

impl<'r> PlacedAttribute<'r> {
    pub(crate) fn qualified_name(&self) -> &'r [u8] {
        self.element.tag.qualified_name(self.element.text, self.attribute)
    }

    pub(crate) fn local_name(&self) -> &'r [u8] {
        self.element.tag.local_name(self.element.text, self.attribute)
    }

    pub(crate) fn value(&self) -> &'r [u8] {
        self.element.tag.value(self.element.text, self.attribute)
    }

    pub(crate) const fn plain(&self) -> bool {
        self.attribute.plain
    }

    pub(crate) const fn dtd_id(&self) -> bool {
        self.attribute.dtd_id
    }
}

/// An attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attribute<'r> {
    /// The name with its prefix.
    pub qualified_name: &'r [u8],
    /// The name without its prefix.
    pub local_name: &'r [u8],
    /// The namespace name. Empty: no namespace.
    pub namespace: &'r [u8],
    /// The normalised value.
    pub value: &'r [u8],
    /// Whether the DTD declares it with the type ID.
    pub dtd_id: bool,
}

/// The attributes of an element.
#[derive(Clone)]
pub struct Attributes<'r> {
    element: StartElement<'r>,
    next: usize,
}

impl<'r> Iterator for Attributes<'r> {
    type Item = Attribute<'r>;

    fn next(&mut self) -> Option<Attribute<'r>> {
        let attribute = self.element.tag.attributes.get(self.next)?;
        self.next += 1;
        let placed = self.element.placed(attribute);
        Some(Attribute {
            qualified_name: placed.qualified_name(),
            local_name: placed.local_name(),
            namespace: self.element.namespaces.name(attribute.binding),
            value: placed.value(),
            dtd_id: placed.dtd_id(),
        })
    }
}

/// An end tag.
#[derive(Clone, Copy)]
pub struct EndElement<'r> {
    pub(crate) name: &'r [u8],
    /// The text of the tag and `following`, if a canonical form writes the tag unchanged.
    pub(crate) canonical: Option<&'r [u8]>,
    /// The plain text that the event covers after the tag.
    pub(crate) following: &'r [u8],
    pub(crate) span: &'r Span,
    pub(crate) depth: usize,
}

impl<'r> EndElement<'r> {
    /// The name with its prefix.
    #[must_use]
    pub const fn qualified_name(&self) -> &'r [u8] {
        self.name
    }

    /// The number of elements around this one.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// The place of the element in the original octets.
    #[must_use]
    pub const fn span(&self) -> &'r Span {
        self.span
    }
}

/// The place of an element in the original octets.
// Not non_exhaustive: callers compare it with ranges that they know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its start tag, or its empty-element tag.
    pub start_tag: Range<u64>,
    /// Its end tag. For an empty-element tag: an empty range after it.
    pub end_tag: Range<u64>,
    /// Whether it comes from an entity. The offsets are then those of the reference to the
    /// entity, and nothing can be inserted into the element.
    pub in_entity: bool,
}

impl Span {
    /// The whole element.
    #[must_use]
    pub const fn whole(&self) -> Range<u64> {
        self.start_tag.start..self.end_tag.end
    }

    /// Whether it is an empty-element tag.
    #[must_use]
    pub const fn is_empty_tag(&self) -> bool {
        self.end_tag.start == self.end_tag.end
    }
}

/// A piece of text.
#[derive(Clone, Copy)]
pub struct Text<'r> {
    pub(crate) text: &'r [u8],
    pub(crate) plain: bool,
}

impl<'r> Text<'r> {
    /// The characters, as UTF-8.
    #[must_use]
    pub const fn as_bytes(&self) -> &'r [u8] {
        self.text
    }

    /// Whether a canonical form writes them without escaping.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.plain
    }
}

// A document's content must not reach logs: `Debug` shows only kinds and places.

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartElement(element) => element.fmt(f),
            Self::EndElement(element) => element.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::CommentStart => f.write_str("CommentStart"),
            Self::CommentText(_) => f.write_str("CommentText"),
            Self::CommentEnd => f.write_str("CommentEnd"),
            Self::InstructionStart(_) => f.write_str("InstructionStart"),
            Self::InstructionData(_) => f.write_str("InstructionData"),
            Self::InstructionEnd => f.write_str("InstructionEnd"),
        }
    }
}

impl fmt::Debug for StartElement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StartElement({:?})", self.tag())
    }
}

impl fmt::Debug for EndElement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EndElement({:?})", self.span)
    }
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attribute")
    }
}

impl fmt::Debug for Attributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attributes")
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} octets)", self.text.len())
    }
}
