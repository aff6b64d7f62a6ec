//! How much of everything a document may have.

/// Limits that keep hostile documents from costing more than their size.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Elements within elements.
    pub depth: usize,
    /// Octets of one tag, in UTF-8. So much is held at a time.
    pub tag: usize,
    /// Attributes and namespace declarations of one element.
    pub attributes: usize,
    /// Namespace declarations in scope at one place.
    pub namespaces: usize,
    /// Octets of one namespace name. The exclusive form writes an ancestor's
    /// name in each of its children.
    pub namespace_name: usize,
    /// Attributes of the `xml:` namespace on all open elements together.
    pub xml_attributes: usize,
    /// Octets held for all open elements together: names, namespaces, `xml:`
    /// attributes, and where they are.
    pub open: usize,
    /// Octets of the document type declaration, in UTF-8.
    pub dtd: usize,
    /// Entities within entities.
    pub entity_depth: usize,
    /// Octets that entities and default attributes may add to a document ...
    pub expansion: u64,
    /// ... or so many times the octets read, if that is more.
    pub expansion_ratio: u64,
    /// Work on all canonical forms of one reading together: octets written,
    /// elements and attributes that selections are asked about, namespaces and
    /// `xml:` attributes looked through ...
    pub work: u64,
    /// ... or so many times the octets read, if that is more. An exclusive form
    /// of the smallest elements, `<p:e/>`, with a namespace name of 300 octets
    /// is 50 times as long as the document.
    pub work_ratio: u64,
}

impl Limits {
    /// The limits unless told otherwise.
    pub const DEFAULT: Self = Self {
        depth: 4096,
        tag: 16 << 20,
        attributes: 16_384,
        namespaces: 512,
        namespace_name: 2048,
        xml_attributes: 1024,
        open: 16 << 20,
        dtd: 1 << 20,
        entity_depth: 32,
        expansion: 1 << 20,
        expansion_ratio: 8,
        work: 1 << 28,
        work_ratio: 64,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
