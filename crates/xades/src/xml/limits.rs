//! Limits of reading and canonicalising.

/// Limits that keep a hostile document from costing more than its size.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Maximum depth of elements inside one another.
    pub depth: usize,
    /// Maximum length of one tag in UTF-8. The reader holds one tag at a time.
    pub tag: usize,
    /// Maximum number of attributes and namespace declarations of one element.
    pub attributes: usize,
    /// Maximum number of namespace declarations in scope.
    pub namespaces: usize,
    /// Maximum length of one namespace name. The exclusive form writes the name of an
    /// ancestor's namespace in each child.
    pub namespace_name: usize,
    /// Maximum number of `xml:` attributes on all open elements together.
    pub xml_attributes: usize,
    /// Maximum number of octets held for all open elements together: names, namespaces,
    /// `xml:` attributes and offsets.
    pub open: usize,
    /// Maximum length of the document type declaration in UTF-8.
    pub dtd: usize,
    /// Maximum depth of entities inside one another.
    pub entity_depth: usize,
    /// Maximum number of octets that entities and default attributes add to a document.
    pub expansion: u64,
    /// Maximum expansion as a multiple of the octets read. The larger of `expansion` and
    /// this applies.
    pub expansion_ratio: u64,
    /// Maximum work on all canonical forms of one pass together: octets written,
    /// elements and attributes compared with selections, namespaces and `xml:`
    /// attributes searched.
    pub work: u64,
    /// Maximum work as a multiple of the octets read. The larger of `work` and this
    /// applies. For comparison: the exclusive form of many `<p:e/>`, the smallest
    /// elements, with a namespace name of 300 octets is 50 times as long as the document.
    pub work_ratio: u64,
}

impl Limits {
    /// The default limits.
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
