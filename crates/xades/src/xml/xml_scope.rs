//! The `xml:` attributes of the open elements, which parts of a document inherit from
//! elements outside of them.

use std::ops::Range;

/// The `xml:` attributes of all open elements, outermost first.
#[derive(Clone, Debug, Default)]
pub(crate) struct XmlScope {
    attributes: Vec<ScopedAttribute>,
    text: Vec<u8>,
}

#[derive(Clone, Debug)]
struct ScopedAttribute {
    depth: usize,
    local_name: Range<usize>,
    value: Range<usize>,
}

impl XmlScope {
    pub(crate) fn push(&mut self, depth: usize, local_name: &[u8], value: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(local_name);
        let middle = self.text.len();
        self.text.extend_from_slice(value);
        let value = middle..self.text.len();
        self.attributes.push(ScopedAttribute { depth, local_name: start..middle, value });
    }

    pub(crate) const fn len(&self) -> usize {
        self.attributes.len()
    }

    /// The number of octets held.
    pub(crate) const fn held(&self) -> usize {
        self.text.len() + self.attributes.len() * size_of::<ScopedAttribute>()
    }

    /// Keeps the first `len` attributes.
    pub(crate) fn truncate(&mut self, len: usize) {
        if let Some(first) = self.attributes.get(len) {
            self.text.truncate(first.local_name.start);
            self.attributes.truncate(len);
        }
    }

    /// The depth of the element (0 for the root), local name and value of each
    /// attribute, outermost first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (usize, &[u8], &[u8])> {
        self.attributes.iter().map(|attribute| {
            let text = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
            (attribute.depth, text(&attribute.local_name), text(&attribute.value))
        })
    }
}
