//! The errors of this crate.

use std::fmt;

use ades_core::{Fault, Retry};

use crate::c14n::Target;
use crate::c14n::{
    MAX_BASE_LEN, MAX_LISTED, MAX_LISTED_TOGETHER, MAX_PREFIXES, MAX_STEPS as MAX_SELECTION_STEPS,
};
use crate::prepare::MAX_AFTER_ROOT;
use crate::report::Problem;
use crate::verify::collect::{
    MAX_DEPTH, MAX_EXPECTED, MAX_NESTED, MAX_SIGNATURE_LEN, MAX_SIGNATURES,
    MAX_SIGNATURES_LEN_TOGETHER,
};
use crate::verify::evaluate::{
    MAX_EXTERNAL_REFERENCES, MAX_PASSES, MAX_REFERENCES, MAX_SIGNED_INFO_LEN,
};
use crate::xml::MAX_DECLARATION_LEN;

/// An error of reading, canonicalising, signing or verifying an XML document.
///
/// Offsets count octets of the original document from its first octet. For a fault
/// inside an entity, the offset is that of the reference to the entity.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error that all formats share, such as an I/O error.
    #[error(transparent)]
    Core(#[from] ades_core::Error),
    /// The document breaks a rule of XML 1.0.
    #[error("not well-formed XML at octet {offset}: {what}")]
    NotWellFormed {
        /// Offset of the fault.
        offset: u64,
        /// The broken rule.
        what: &'static str,
    },
    /// The document breaks a rule of Namespaces in XML 1.0.
    #[error("XML namespaces misused at octet {offset}: {what}")]
    Namespace {
        /// Offset of the fault.
        offset: u64,
        /// The broken rule.
        what: &'static str,
    },
    /// The octets are not text in the document's encoding.
    #[error("not in the document's encoding at octet {offset}: {what}")]
    Encoding {
        /// Offset of the fault.
        offset: u64,
        /// The fault.
        what: &'static str,
    },
    /// The document's content depends on a resource outside of it. This crate
    /// never fetches one. [`ExternalResource::DtdSubset`] is the one that
    /// [`SignatureOptions::ignoring_external_subset`](crate::SignatureOptions::ignoring_external_subset)
    /// skips.
    #[error("the document needs {what}, which is outside of it, at octet {offset}")]
    External {
        /// Offset of the declaration or reference that needs the resource.
        offset: u64,
        /// The kind of the resource.
        what: ExternalResource,
    },
    /// XML that this crate does not read.
    #[error("unsupported XML at octet {offset}: {what}")]
    Unsupported {
        /// Offset of the unsupported construct.
        offset: u64,
        /// The unsupported construct.
        what: &'static str,
    },
    /// The document exceeds a limit.
    #[error("the document exceeds the limit of {limit}{}", AtOctet(*offset))]
    Limit {
        /// Offset of the place where the limit is exceeded, if there is a single one.
        offset: Option<u64>,
        /// The limit, with its number.
        limit: Limit,
    },
    /// A namespace name is a relative reference. Canonical XML 1.0 (clause 1.3)
    /// does not allow a canonical form of such a document.
    #[error("a relative namespace name at octet {offset} cannot be canonicalised")]
    RelativeNamespace {
        /// Offset of the element that declares the namespace.
        offset: u64,
    },
    /// The document does not have the element that the caller asked for.
    #[error("the document has no element {target}")]
    NoSuchElement {
        /// The element that the caller asked for.
        target: Target,
    },
    /// Two elements have the Id that the caller asked for. It does not identify
    /// one of them.
    #[error("two elements have the same Id, at octets {first} and {second}")]
    DuplicateId {
        /// Offset of the first element.
        first: u64,
        /// Offset of the second element.
        second: u64,
    },
    /// The document is not the one that the signature was prepared for.
    #[error("the document has changed since the signature was prepared")]
    DocumentChanged,
    /// The signature goes into or around its document, and the caller passed
    /// none.
    #[error("this signature goes into or around its document: pass the document to complete it")]
    DocumentNeeded,
    /// The signature cannot be put into this document.
    #[error("no signature can be put into this document: {why}")]
    CannotInsert {
        /// The reason.
        why: NotInsertable,
    },
    /// The new signature would break an existing signature that is intact: the existing
    /// one covers the place of the new one, and does not leave out signatures.
    #[error(
        "an existing signature covers everything but itself, so another signature in the document \
         breaks it; it was not made for further signatures"
    )]
    BreaksExistingSignature,
    /// An existing signature refers to a part of the document in a way that this
    /// version does not evaluate. A new signature could break it.
    #[error("cannot check that an existing signature stays intact: {problem}")]
    ExistingSignatureUndecided {
        /// Why the existing signature's reference cannot be evaluated.
        problem: Problem,
    },
    /// The report of the document has no signature at these indices.
    #[error("the document has no signature at {which:?} of its report")]
    NoSuchSignature {
        /// The indices that the caller passed; see
        /// [`prepare_countersignature`](crate::prepare_countersignature).
        which: Vec<usize>,
    },
    /// A canonicalisation algorithm that this crate does not have.
    #[error("not a known canonicalisation algorithm: {uri:?}")]
    UnknownCanonicalization {
        /// The algorithm's URI, cut at 200 characters.
        uri: String,
    },
    /// A transform that this crate does not have, such as XSLT.
    #[error("the transform {algorithm} is not supported")]
    UnknownTransform {
        /// Its `Algorithm` attribute, cut at 200 characters.
        algorithm: String,
    },
    /// A transform that selects nodes by an expression that this crate does not
    /// evaluate.
    #[error("the transform {algorithm} has an expression that is not supported")]
    UnknownExpression {
        /// Its `Algorithm` attribute.
        algorithm: String,
    },
    /// A transform that cannot be applied to the output of the one before it.
    #[error("the transform {algorithm} cannot be applied: {why}")]
    TransformNotApplicable {
        /// Its `Algorithm` attribute, cut at 200 characters.
        algorithm: String,
        /// The reason.
        why: &'static str,
    },
}

/// A resource outside a document that is needed to know the document's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ExternalResource {
    /// The external subset of the document type declaration.
    #[error("an external DTD subset")]
    DtdSubset,
    /// Declarations from a parameter entity.
    #[error("declarations from a parameter entity")]
    ParameterEntity,
    /// The text of an external general entity.
    #[error("an external entity")]
    GeneralEntity,
}

/// Why a signature cannot be put into a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NotInsertable {
    /// The position is after the root element.
    #[error("a signature cannot follow the root element")]
    AfterRoot,
    /// A document with a document type declaration cannot become an element of
    /// another document.
    #[error("it has a document type declaration, which cannot be inside an element")]
    Doctype,
    /// The internal DTD subset declares attributes for elements whose names have
    /// the prefixes of the new signature. Their defaults would be added to it.
    #[error("its DTD declares attributes for elements of signatures")]
    DtdDeclaresAttributes,
    /// The element at the position comes from an entity.
    #[error("the signature's place is in the text of an entity")]
    InEntity,
    /// The position is inside an existing signature.
    #[error("the signature's place is in another signature")]
    InSignature,
    /// The position is inside an element that an internally detached signature
    /// signs.
    #[error("the signature's place is in an element that it signs: use an enveloped signature")]
    InSignedElement,
    /// The signature to be countersigned has no `xades:QualifyingProperties`.
    #[error("the signature has no qualifying properties to put a countersignature into")]
    NoQualifyingProperties,
    /// The signature to be countersigned has unsigned properties of data objects
    /// only. Those of the signature must precede them (EN 319 132-1, 4.3.3).
    #[error("the signature's unsigned properties leave no place for a countersignature")]
    NoPlaceForProperty,
    /// The document has signatures, which cover it as a document of its own.
    #[error("it has signatures, which cover it as a document of its own")]
    Signed,
    /// More than [`MAX_AFTER_ROOT`] octets follow the
    /// root element's content.
    #[error("more than {MAX_AFTER_ROOT} octets follow the content of the root element")]
    TooMuchAfterRoot,
    /// The value of the signature to be countersigned has no Id.
    #[error("the signature's value has no Id that a reference could name")]
    ValueWithoutId,
}

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
}

impl Error {
    /// Who has to act before the operation can succeed.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Core(error) => error.fault(),
            Self::NoSuchElement { .. } | Self::NoSuchSignature { .. } | Self::DocumentNeeded => {
                Fault::Caller
            }
            Self::Limit { .. } => Fault::Limit,
            Self::External { .. }
            | Self::Unsupported { .. }
            | Self::CannotInsert { .. }
            | Self::BreaksExistingSignature
            | Self::ExistingSignatureUndecided { .. }
            | Self::UnknownCanonicalization { .. }
            | Self::UnknownTransform { .. }
            | Self::UnknownExpression { .. } => Fault::Unsupported,
            Self::NotWellFormed { .. }
            | Self::Namespace { .. }
            | Self::Encoding { .. }
            | Self::RelativeNamespace { .. }
            | Self::DuplicateId { .. }
            | Self::DocumentChanged
            | Self::TransformNotApplicable { .. } => Fault::Input,
        }
    }

    /// Whether another try can help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Core(error) => error.retry(),
            Self::NotWellFormed { .. }
            | Self::Namespace { .. }
            | Self::Encoding { .. }
            | Self::External { .. }
            | Self::Unsupported { .. }
            | Self::Limit { .. }
            | Self::RelativeNamespace { .. }
            | Self::NoSuchElement { .. }
            | Self::DuplicateId { .. }
            | Self::DocumentChanged
            | Self::DocumentNeeded
            | Self::CannotInsert { .. }
            | Self::BreaksExistingSignature
            | Self::ExistingSignatureUndecided { .. }
            | Self::NoSuchSignature { .. }
            | Self::UnknownCanonicalization { .. }
            | Self::UnknownTransform { .. }
            | Self::UnknownExpression { .. }
            | Self::TransformNotApplicable { .. } => Retry::Never,
        }
    }
}

/// ", at octet 5", or nothing.
struct AtOctet(Option<u64>);

impl fmt::Display for AtOctet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |offset| write!(f, ", at octet {offset}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_limit_the_place_and_the_element() {
        let limit = |offset, limit| Error::Limit { offset, limit }.to_string();
        let message = "the document exceeds the limit of 1024 signatures, at octet 7";
        assert_eq!(limit(Some(7), Limit::Signatures), message);
        let message = "the document exceeds the limit of 16 MiB of ds:SignedInfo in canonical form";
        assert_eq!(limit(None, Limit::SignedInfoLength), message);
        let target = Target::Id("a".to_owned());
        let message = "the document has no element with the Id \"a\"";
        assert_eq!(Error::NoSuchElement { target }.to_string(), message);
    }
}
