//! The attributes of the `xml:` namespace on the open elements: what parts of
//! a document inherit from elements that are not in them.

use std::ops::Range;

/// `xml:` attributes of all open elements, outermost first.
#[derive(Debug, Default)]
pub(crate) struct XmlScope {
    attributes: Vec<Held>,
    text: Vec<u8>,
}

#[derive(Debug)]
struct Held {
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
        self.attributes.push(Held { depth, local_name: start..middle, value });
    }

    pub(crate) const fn len(&self) -> usize {
        self.attributes.len()
    }

    /// The octets that are held.
    pub(crate) const fn held(&self) -> usize {
        self.text.len() + self.attributes.len() * size_of::<Held>()
    }

    /// Removes those behind the first `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        if let Some(first) = self.attributes.get(len) {
            self.text.truncate(first.local_name.start);
            self.attributes.truncate(len);
        }
    }

    /// Depth (the root's is 0), local name and value of each, outermost first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (usize, &[u8], &[u8])> {
        self.attributes.iter().map(|held| {
            let text = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
            (held.depth, text(&held.local_name), text(&held.value))
        })
    }
}
