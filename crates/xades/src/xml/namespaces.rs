//! The namespaces in scope: a stack of declarations.

use std::ops::Range;

use super::chars::{self, VALUE_ESCAPED};
use super::event::XML_NAMESPACE;
use super::scan::SyntaxFault;

const XMLNS_NAMESPACE: &[u8] = b"http://www.w3.org/2000/xmlns/";

/// The index of a declaration in the stack.
pub(crate) type BindingIndex = u32;

/// No namespace: the default namespace without a declaration.
pub(crate) const NO_NAMESPACE: BindingIndex = 0;
/// The prefix `xml`, which needs no declaration.
pub(crate) const XML_BINDING: BindingIndex = 1;

/// The declarations in scope, outermost first.
#[derive(Clone, Debug)]
pub(crate) struct Namespaces {
    bindings: Vec<Binding>,
    text: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Binding {
    /// The prefix's length and first octets, which distinguish most prefixes.
    key: u64,
    /// As a canonical form writes it, if it does not escape the name.
    declaration: Range<usize>,
    prefix: Range<usize>,
    name: Range<usize>,
    /// Whether a canonical form writes the name without escaping.
    plain: bool,
    /// The outer declaration of the same prefix.
    around: Option<BindingIndex>,
    /// Whether an inner declaration of the same prefix hides it.
    hidden: bool,
}

fn key(prefix: &[u8]) -> u64 {
    let first = prefix.iter().take(7).fold(0, |key, &octet| key << 8 | u64::from(octet));
    first | (prefix.len() as u64 & 0xFF) << 56
}

impl Namespaces {
    pub(crate) fn new() -> Self {
        let mut namespaces = Self { bindings: Vec::new(), text: Vec::new() };
        namespaces.push(b"", b"");
        namespaces.push(b"xml", XML_NAMESPACE.as_bytes());
        namespaces
    }

    fn push(&mut self, prefix: &[u8], name: &[u8]) -> BindingIndex {
        let around = self.lookup(prefix);
        self.hide(around, true);
        let start = self.text.len();
        self.text.extend_from_slice(if prefix.is_empty() { b" xmlns" } else { b" xmlns:" });
        let of_prefix = self.text.len()..self.text.len() + prefix.len();
        self.text.extend_from_slice(prefix);
        self.text.extend_from_slice(b"=\"");
        let of_name = self.text.len()..self.text.len() + name.len();
        self.text.extend_from_slice(name);
        self.text.push(b'"');
        let plain = !chars::any(name, |octet| chars::is(octet, VALUE_ESCAPED));
        self.bindings.push(Binding {
            key: key(prefix),
            declaration: start..self.text.len(),
            prefix: of_prefix,
            name: of_name,
            plain,
            around,
            hidden: false,
        });
        (self.bindings.len() - 1) as BindingIndex
    }

    fn hide(&mut self, index: Option<BindingIndex>, hidden: bool) {
        if let Some(binding) = index.and_then(|index| self.bindings.get_mut(index as usize)) {
            binding.hidden = hidden;
        }
    }

    /// The number of declarations.
    pub(crate) const fn len(&self) -> usize {
        self.bindings.len()
    }

    /// The number of octets held.
    pub(crate) const fn held(&self) -> usize {
        self.text.len() + self.bindings.len() * size_of::<Binding>()
    }

    /// Keeps the first `len` declarations.
    pub(crate) fn truncate(&mut self, len: usize) {
        while self.bindings.len() > len {
            let Some(last) = self.bindings.pop() else { return };
            self.text.truncate(last.declaration.start);
            self.hide(last.around, false);
        }
    }

    /// Adds a declaration. `own` is the number of declarations in scope of the parent
    /// element. `None` for the prefix `xml`, whose declaration has no effect.
    pub(crate) fn declare(
        &mut self,
        prefix: &[u8],
        name: &[u8],
        own: usize,
    ) -> Result<Option<BindingIndex>, SyntaxFault> {
        let xml = name == XML_NAMESPACE.as_bytes();
        let namespace = |what| Err(SyntaxFault::Namespace(what));
        match prefix {
            b"xml" if xml => return Ok(None),
            b"xml" => return namespace("the prefix xml for another namespace"),
            b"xmlns" => return namespace("the prefix xmlns is declared"),
            _ if xml => return namespace("a prefix other than xml for the xml namespace"),
            _ if name == XMLNS_NAMESPACE => return namespace("a prefix for the xmlns namespace"),
            b"" => {}
            _ if name.is_empty() => return namespace("a prefix for no namespace"),
            _ => {}
        }
        if self.lookup_since(prefix, own).is_some() {
            return Err(SyntaxFault::NotWellFormed("the same attribute twice"));
        }
        Ok(Some(self.push(prefix, name)))
    }

    /// The innermost declaration of a prefix.
    pub(crate) fn lookup(&self, prefix: &[u8]) -> Option<BindingIndex> {
        self.lookup_since(prefix, 0)
    }

    fn lookup_since(&self, prefix: &[u8], since: usize) -> Option<BindingIndex> {
        let key = key(prefix);
        let candidates = self.bindings.get(since..).unwrap_or_default();
        let found = candidates.iter().rposition(|binding| {
            binding.key == key
                && (prefix.len() <= 7 || self.text.get(binding.prefix.clone()) == Some(prefix))
        })?;
        Some((since + found) as BindingIndex)
    }

    fn get(&self, index: BindingIndex) -> Option<&Binding> {
        self.bindings.get(index as usize)
    }

    pub(crate) fn prefix(&self, index: BindingIndex) -> &[u8] {
        let range = self.get(index).map(|binding| binding.prefix.clone());
        range.and_then(|range| self.text.get(range)).unwrap_or_default()
    }

    pub(crate) fn name(&self, index: BindingIndex) -> &[u8] {
        let range = self.get(index).map(|binding| binding.name.clone());
        range.and_then(|range| self.text.get(range)).unwrap_or_default()
    }

    /// The declaration as a canonical form writes it. `None` if the name has to be escaped.
    pub(crate) fn plain_declaration(&self, index: BindingIndex) -> Option<&[u8]> {
        let binding = self.get(index).filter(|binding| binding.plain)?;
        self.text.get(binding.declaration.clone())
    }

    pub(crate) fn same_prefix(&self, a: BindingIndex, b: BindingIndex) -> bool {
        match (self.get(a), self.get(b)) {
            (Some(x), Some(y)) => {
                x.key == y.key && (x.prefix.len() <= 7 || self.prefix(a) == self.prefix(b))
            }
            _ => false,
        }
    }

    /// The innermost declaration of every prefix in scope.
    pub(crate) fn in_scope(&self) -> impl Iterator<Item = BindingIndex> {
        let indexed = (0..).zip(&self.bindings);
        indexed.filter(|(_, binding)| !binding.hidden).map(|(index, _)| index)
    }
}
