//! The limits that an error can name.

use crate::c14n::{
    MAX_BASE_LEN, MAX_LISTED, MAX_LISTED_TOGETHER, MAX_PREFIXES, MAX_STEPS as MAX_SELECTION_STEPS,
};
use crate::verify::collect::{
    MAX_DEPTH, MAX_EXPECTED, MAX_NESTED, MAX_SIGNATURE_LEN, MAX_SIGNATURES,
    MAX_SIGNATURES_LEN_TOGETHER,
};
use crate::verify::evaluate::{
    MAX_EXTERNAL_REFERENCES, MAX_PARSED_LEN, MAX_PASSES, MAX_REFERENCES, MAX_SIGNED_INFO_LEN,
};
use crate::xml::MAX_DECLARATION_LEN;

/// The limits that keep hostile documents from costing more than their size.
/// `Display` says the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::depth`](crate::xml::Limits::depth)
    #[error("{0} elements inside one another")]
    ElementDepth(usize),
    /// [`Limits::tag`](crate::xml::Limits::tag)
    #[error("{0} octets in one tag")]
    TagLength(usize),
    /// [`Limits::attributes`](crate::xml::Limits::attributes)
    #[error("{0} attributes of one element")]
    Attributes(usize),
    /// [`Limits::namespaces`](crate::xml::Limits::namespaces)
    #[error("{0} namespace declarations in scope")]
    Namespaces(usize),
    /// [`Limits::namespace_name`](crate::xml::Limits::namespace_name)
    #[error("{0} octets in one namespace name")]
    NamespaceNameLength(usize),
    /// [`Limits::xml_attributes`](crate::xml::Limits::xml_attributes)
    #[error("{0} xml: attributes on all open elements")]
    XmlAttributes(usize),
    /// [`Limits::open`](crate::xml::Limits::open)
    #[error("{0} octets held for open elements")]
    OpenElements(usize),
    /// [`Limits::dtd`](crate::xml::Limits::dtd)
    #[error("{0} octets in the document type declaration")]
    DoctypeLength(usize),
    /// [`Limits::entity_depth`](crate::xml::Limits::entity_depth)
    #[error("{0} entities inside one another")]
    EntityDepth(usize),
    /// [`Limits::expansion`](crate::xml::Limits::expansion) or
    /// [`Limits::expansion_ratio`](crate::xml::Limits::expansion_ratio)
    #[error("{0} octets from entities and default attributes")]
    Expansion(u64),
    /// [`Limits::work`](crate::xml::Limits::work) or
    /// [`Limits::work_ratio`](crate::xml::Limits::work_ratio)
    #[error("{0} units of work on canonical forms")]
    CanonicalizationWork(u64),
    /// Length of the byte order mark and the XML declaration.
    #[error("{MAX_DECLARATION_LEN} octets in the XML declaration")]
    DeclarationLength,
    /// Length of an `xml:base` joined from those of several elements.
    #[error("{MAX_BASE_LEN} octets in a joined xml:base")]
    BaseLength,
    /// Steps of a selection.
    #[error("{MAX_SELECTION_STEPS} steps in one selection")]
    SelectionSteps,
    /// Prefixes in the `PrefixList` of `ec:InclusiveNamespaces`.
    #[error("{MAX_PREFIXES} prefixes in an InclusiveNamespaces list")]
    PrefixList,
    /// Elements that one canonical form selects, and that it leaves out.
    #[error("{MAX_LISTED} elements selected or left out")]
    SelectedElements,
    /// Elements that all canonical forms of one pass select or leave out.
    #[error("{MAX_LISTED_TOGETHER} elements selected or left out, in all canonical forms")]
    SelectedElementsTogether,
    /// Signatures in one document.
    #[error("{MAX_SIGNATURES} signatures")]
    Signatures,
    /// Signatures inside one another.
    #[error("{MAX_NESTED} signatures inside one another")]
    NestedSignatures,
    /// Octets held of one signature.
    #[error("{} MiB of one signature", MAX_SIGNATURE_LEN >> 20)]
    SignatureLength,
    /// Octets held of all signatures.
    #[error("{} MiB of all signatures", MAX_SIGNATURES_LEN_TOGETHER >> 20)]
    SignaturesLengthTogether,
    /// Elements inside one another in a signature.
    #[error("{MAX_DEPTH} elements inside one another in a signature")]
    SignatureDepth,
    /// Elements that the caller expects to be signed.
    #[error("{MAX_EXPECTED} expected elements")]
    ExpectedElements,
    /// References of all signatures to parts of their own document.
    #[error("{MAX_REFERENCES} references to parts of the document")]
    References,
    /// References of all signatures to other documents.
    #[error("{MAX_EXTERNAL_REFERENCES} references to other documents")]
    ExternalReferences,
    /// Octets that all references cover together.
    #[error("references that cover {MAX_PASSES} times the document")]
    ReferencedOctets,
    /// Octets held of all canonical forms of `ds:SignedInfo`.
    #[error("{} MiB of ds:SignedInfo in canonical form", MAX_SIGNED_INFO_LEN >> 20)]
    SignedInfoLength,
    /// Octets held that transforms return and later ones parse.
    #[error("{} MiB of octets that a transform parses again", MAX_PARSED_LEN >> 20)]
    ParsedLength,
}
