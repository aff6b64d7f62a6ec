//! One start tag: reads its attributes, normalises them, adds default values, resolves
//! namespaces and sorts into canonical order.

use std::ops::Range;

use crate::error::Limit;

use super::chars;
use super::dtd::{AttributeList, Dtd};
use super::entities::{Budget, normalise, tokenise};
use super::limits::Limits;
use super::namespaces::{BindingIndex, NO_NAMESPACE, Namespaces, XML_BINDING};
use super::scan::{Bad, Cursor, Name, SyntaxFault, Token, bad, fault};

/// A range of text: in the tag itself or, if its normalised form differs, in the
/// scratch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TextRange {
    scratch: bool,
    start: usize,
    len: usize,
}

impl TextRange {
    const fn range(self) -> Range<usize> {
        self.start..self.start + self.len
    }
}

/// An attribute or a namespace declaration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TagAttribute {
    name: TextRange,
    /// The offset of the colon in the name. 0: it has no colon.
    colon: usize,
    value: TextRange,
    /// Whether a canonical form writes the value without escaping.
    pub(crate) plain: bool,
    /// Whether the DTD declares it with the type ID.
    pub(crate) dtd_id: bool,
    pub(crate) binding: BindingIndex,
    /// The rank of its namespace name among those of the tag's attributes.
    rank: u32,
    /// Its offset in the tag.
    at: usize,
}

/// The current start tag. Offsets count from its first octet.
#[derive(Debug, Default)]
pub(crate) struct Tag {
    pub(crate) name: Name,
    pub(crate) len: usize,
    /// Whether it is an empty-element tag.
    pub(crate) empty: bool,
    /// Whether a canonical form writes the tag unchanged, except for its namespace
    /// declarations.
    pub(crate) canonical: bool,
    /// In canonical order.
    pub(crate) attributes: Vec<TagAttribute>,
    /// The namespaces that it declares, in document order.
    pub(crate) declared: Vec<BindingIndex>,
    pub(crate) binding: BindingIndex,
    /// Its place in the original octets: see [`StartElement::tag`](super::StartElement::tag).
    pub(crate) place: Range<u64>,
    /// Whether it comes from an entity.
    pub(crate) in_entity: bool,
    /// The number of elements around it.
    pub(crate) depth: usize,
    declarations: Vec<TagAttribute>,
    scratch: Vec<u8>,
    /// The indices of the attributes that it has and the DTD declares.
    seen: Vec<usize>,
    /// The bindings of its attributes, and the rank of each one's namespace name.
    ranks: Vec<(BindingIndex, u32)>,
}

impl Tag {
    /// Reads a tag, from its `<` on.
    pub(crate) fn read(
        &mut self,
        text: &[u8],
        limits: &Limits,
        dtd: &Dtd,
        budget: &mut Budget,
    ) -> Token<()> {
        self.attributes.clear();
        self.declarations.clear();
        self.declared.clear();
        self.scratch.clear();
        self.seen.clear();
        self.canonical = true;
        self.empty = false;
        let mut cursor = Cursor::new(text, 1);
        self.name = cursor.qname()?;
        let list = dtd.attributes(text.get(self.name.range()).unwrap_or_default());
        // Most tags are a name alone.
        if list.is_none() && text.get(cursor.at) == Some(&b'>') {
            self.len = cursor.at + 1;
            return Ok(());
        }
        loop {
            let before = cursor.at;
            let spaces = cursor.spaces();
            match cursor.peek()? {
                b'>' => {
                    self.canonical &= spaces == 0;
                    cursor.step();
                    break;
                }
                b'/' => {
                    cursor.step();
                    cursor.expect(b">", "a slash within a tag")?;
                    self.canonical = false;
                    self.empty = true;
                    break;
                }
                _ if spaces == 0 => return bad(cursor.at, "white space is missing"),
                _ => {
                    self.canonical &= text.get(before..cursor.at) == Some(b" ");
                    self.attribute(&mut cursor, list, dtd, budget)?;
                }
            }
            if self.attributes.len() + self.declarations.len() > limits.attributes {
                return fault(before, too_many_attributes(limits));
            }
        }
        self.len = cursor.at;
        match list {
            Some(list) => self.add_defaults(list, limits, budget),
            None => Ok(()),
        }
    }

    fn attribute(
        &mut self,
        cursor: &mut Cursor<'_>,
        list: Option<&AttributeList>,
        dtd: &Dtd,
        budget: &mut Budget,
    ) -> Token<()> {
        let text = cursor.text;
        let name = cursor.qname()?;
        let raw_name = text.get(name.range()).unwrap_or_default();
        let spaces = cursor.spaces();
        cursor.expect(b"=", "an attribute without a value")?;
        let spaces = spaces + cursor.spaces();
        let quote = cursor.peek()?;
        if !matches!(quote, b'"' | b'\'') {
            return bad(cursor.at, "an attribute value without quotation marks");
        }
        cursor.step();
        let start = cursor.at;
        let mut plain = true;
        let mut normal = true;
        loop {
            cursor.at = chars::find_value_stop(text, cursor.at);
            match cursor.peek()? {
                octet if octet == quote => break,
                b'<' => return bad(cursor.at, "a less-than sign in an attribute value"),
                b'\'' => {}
                b'"' => plain = false,
                _ => {
                    plain = false;
                    normal = false;
                }
            }
            cursor.step();
        }
        let mut value = TextRange { scratch: false, start, len: cursor.at - start };
        cursor.step();
        let declared = list.and_then(|list| list.get(raw_name));
        let tokenised = declared.is_some_and(|(_, declared)| declared.tokenised);
        if !normal || tokenised {
            let from = self.scratch.len();
            let raw = text.get(value.range()).unwrap_or_default();
            normalise(raw, start, dtd, budget, &mut self.scratch)?;
            if tokenised {
                tokenise(&mut self.scratch, from);
            }
            value = TextRange { scratch: true, start: from, len: self.scratch.len() - from };
        }
        self.canonical &= plain && !tokenised && spaces == 0 && quote == b'"';
        if let Some((index, _)) = declared {
            self.seen.push(index);
        }
        self.add(
            raw_name,
            TagAttribute {
                name: TextRange { scratch: false, start: name.start, len: name.len },
                colon: name.colon,
                value,
                plain,
                dtd_id: declared.is_some_and(|(_, declared)| declared.id),
                binding: NO_NAMESPACE,
                rank: 0,
                at: name.start,
            },
        );
        Ok(())
    }

    fn add(&mut self, name: &[u8], attribute: TagAttribute) {
        if name.starts_with(b"xmlns") && (name.len() == 5 || attribute.colon == 5) {
            self.declarations.push(attribute);
        } else {
            self.attributes.push(attribute);
        }
    }

    fn add_defaults(
        &mut self,
        list: &AttributeList,
        limits: &Limits,
        budget: &mut Budget,
    ) -> Token<()> {
        self.seen.sort_unstable();
        for (index, declared) in list.defaults() {
            if self.seen.binary_search(&index).is_ok() {
                continue;
            }
            let value = declared.default.as_deref().unwrap_or_default();
            budget.spend(declared.name.len() + value.len(), 0)?;
            let start = self.scratch.len();
            self.scratch.extend_from_slice(&declared.name);
            self.scratch.extend_from_slice(value);
            let middle = start + declared.name.len();
            self.canonical = false;
            self.add(
                &declared.name,
                TagAttribute {
                    name: TextRange { scratch: true, start, len: declared.name.len() },
                    colon: declared.colon,
                    value: TextRange { scratch: true, start: middle, len: value.len() },
                    plain: false,
                    dtd_id: declared.id,
                    binding: NO_NAMESPACE,
                    rank: 0,
                    at: 0,
                },
            );
            if self.attributes.len() + self.declarations.len() > limits.attributes {
                return fault(0, too_many_attributes(limits));
            }
        }
        Ok(())
    }

    /// Declares and looks up the namespaces, and sorts the attributes into canonical
    /// order.
    pub(crate) fn resolve(
        &mut self,
        text: &[u8],
        limits: &Limits,
        namespaces: &mut Namespaces,
    ) -> Result<(), Bad> {
        let own = namespaces.len();
        for declaration in &self.declarations {
            let name = text_of(text, &self.scratch, declaration.name);
            let prefix = name.get(6..).unwrap_or_default();
            let value = text_of(text, &self.scratch, declaration.value);
            if value.len() > limits.namespace_name {
                let limit = Limit::NamespaceNameLength(limits.namespace_name);
                return Err(Bad { at: declaration.at, fault: SyntaxFault::Limit(limit) });
            }
            match namespaces.declare(prefix, value, own) {
                Ok(Some(index)) => self.declared.push(index),
                Ok(None) => self.canonical = false,
                Err(fault) => return Err(Bad { at: declaration.at, fault }),
            }
            if namespaces.len() > limits.namespaces {
                let limit = Limit::Namespaces(limits.namespaces);
                return Err(Bad { at: declaration.at, fault: SyntaxFault::Limit(limit) });
            }
        }
        let prefix = |name: &[u8], colon: usize, at: usize| {
            let prefix = name.get(..colon).unwrap_or_default();
            if prefix == b"xmlns" {
                let what = "an element with the prefix xmlns";
                return Err(Bad { at, fault: SyntaxFault::Namespace(what) });
            }
            let undeclared = SyntaxFault::Namespace("a prefix that is not declared");
            namespaces.lookup(prefix).ok_or(Bad { at, fault: undeclared })
        };
        let name = text.get(self.name.range()).unwrap_or_default();
        self.binding = prefix(name, self.name.colon, self.name.start)?;
        for attribute in &mut self.attributes {
            if attribute.colon > 0 {
                let name = text_of(text, &self.scratch, attribute.name);
                attribute.binding = prefix(name, attribute.colon, attribute.at)?;
            }
        }
        if self.attributes.len() > 1 {
            self.sort(text, namespaces)?;
        }
        Ok(())
    }

    /// Sorts by namespace name, then by local name. Two equal names are an error.
    fn sort(&mut self, text: &[u8], namespaces: &Namespaces) -> Result<(), Bad> {
        self.rank(namespaces);
        let scratch = &self.scratch;
        let order = |a: &TagAttribute, b: &TagAttribute| {
            let namespace = a.rank.cmp(&b.rank);
            namespace.then_with(|| local_name(text, scratch, a).cmp(local_name(text, scratch, b)))
        };
        if !self.attributes.is_sorted_by(|a, b| order(a, b).is_lt()) {
            self.canonical = false;
            self.attributes.sort_unstable_by(order);
            let mut pairs = self.attributes.iter().zip(self.attributes.iter().skip(1));
            if let Some((a, b)) = pairs.find(|(a, b)| order(a, b).is_eq()) {
                let fault = SyntaxFault::NotWellFormed("the same attribute twice");
                return Err(Bad { at: a.at.max(b.at), fault });
            }
        }
        Ok(())
    }

    /// Ranks the namespace names, which may be long, so that sorting does not compare
    /// them for each pair of attributes.
    fn rank(&mut self, namespaces: &Namespaces) {
        let Self { attributes, ranks, .. } = self;
        let first = attributes.first().map(|attribute| attribute.binding);
        if attributes.iter().all(|attribute| Some(attribute.binding) == first) {
            return;
        }
        ranks.clear();
        ranks.extend(attributes.iter().map(|attribute| (attribute.binding, 0)));
        ranks.sort_unstable();
        ranks.dedup();
        let name = |ranked: &(BindingIndex, u32)| namespaces.name(ranked.0);
        ranks.sort_unstable_by(|a, b| name(a).cmp(name(b)));
        let (mut rank, mut before) = (0, None);
        for ranked in &mut *ranks {
            let name = name(ranked);
            rank += u32::from(before.is_some_and(|before| before != name));
            before = Some(name);
            ranked.1 = rank;
        }
        ranks.sort_unstable();
        for attribute in attributes {
            let at = ranks.binary_search_by_key(&attribute.binding, |ranked| ranked.0);
            let ranked = at.ok().and_then(|at| ranks.get(at));
            attribute.rank = ranked.map_or(0, |ranked| ranked.1);
        }
    }

    pub(crate) fn qualified_name<'t>(&'t self, text: &'t [u8], a: &TagAttribute) -> &'t [u8] {
        text_of(text, &self.scratch, a.name)
    }

    pub(crate) fn local_name<'t>(&'t self, text: &'t [u8], a: &TagAttribute) -> &'t [u8] {
        local_name(text, &self.scratch, a)
    }

    pub(crate) fn value<'t>(&'t self, text: &'t [u8], a: &TagAttribute) -> &'t [u8] {
        text_of(text, &self.scratch, a.value)
    }

    /// The `xml:` attributes.
    pub(crate) fn of_xml(&self) -> impl Iterator<Item = &TagAttribute> {
        self.attributes.iter().filter(|attribute| attribute.binding == XML_BINDING)
    }
}

const fn too_many_attributes(limits: &Limits) -> SyntaxFault {
    SyntaxFault::Limit(Limit::Attributes(limits.attributes))
}

fn text_of<'t>(text: &'t [u8], scratch: &'t [u8], range: TextRange) -> &'t [u8] {
    let from = if range.scratch { scratch } else { text };
    from.get(range.range()).unwrap_or_default()
}

fn local_name<'t>(text: &'t [u8], scratch: &'t [u8], a: &TagAttribute) -> &'t [u8] {
    let name = text_of(text, scratch, a.name);
    if a.colon == 0 { name } else { name.get(a.colon + 1..).unwrap_or_default() }
}
