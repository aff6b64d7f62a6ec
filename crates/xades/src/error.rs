//! The errors of this crate.

mod limit;

use std::fmt;

use ades_core::facts::{ImprintUndecided, code};
use ades_core::{Fault, Retry};
use ades_evidence::TimeStampPurpose;

use crate::c14n::Target;
use crate::prepare::MAX_AFTER_ROOT;
use crate::report::Problem;

pub use limit::Limit;

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
    /// The document is in an encoding that this crate does not decode.
    #[error(
        "the document's encoding {name:?} (octet {offset}) is not supported: make a detached \
         signature, or an enveloping one, or convert the document to UTF-8"
    )]
    UnknownEncoding {
        /// Offset of the declaration of the encoding, or 0.
        offset: u64,
        /// The declared name, cut at 64 characters.
        name: String,
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
    /// The signature, or a property of a signature, cannot be put into this document.
    #[error("nothing can be added to this document: {why}")]
    CannotInsert {
        /// The reason.
        why: NotInsertable,
    },
    /// The new signature or property would break an existing signature that is intact: the
    /// existing one covers its place, and does not leave out signatures.
    #[error(
        "an existing signature covers the place of what is to be added, which would break it: it \
         was not made for further signatures"
    )]
    BreaksExistingSignature,
    /// An existing signature refers to a part of the document in a way that this
    /// version does not evaluate. A new signature could break it.
    #[error("cannot check that an existing signature stays intact: {problem}")]
    ExistingSignatureUndecided {
        /// Why the existing signature's reference cannot be evaluated.
        problem: Problem,
    },
    /// An existing time-stamp is over the place of what is to be inserted: an archive
    /// time-stamp of the signature around it, for instance.
    #[error(
        "a time-stamp covers the place of what is to be added: raise the signature around this \
         one instead"
    )]
    BreaksTimeStamp,
    /// The signature that is to be raised is not intact. A time-stamp would prove nothing.
    #[error(
        "the signature at {which:?} of the report is not intact, so its level cannot be raised"
    )]
    NotIntact {
        /// The indices that the caller passed.
        which: Vec<usize>,
    },
    /// What the new time-stamp would be over is not known.
    #[error("what the time-stamp would be over is not known: {}", code(why))]
    ImprintUnknown {
        /// The reason. If [data are missing](ImprintUndecided::DataMissing), pass the signed
        /// documents with [`ExtendOptions`](crate::ExtendOptions).
        why: ImprintUndecided,
    },
    /// XAdES has no property for such a time-stamp.
    #[error("no time-stamp property for the purpose {}", code(purpose))]
    UnsupportedTimeStamp {
        /// The purpose that the caller passed.
        purpose: TimeStampPurpose,
    },
    /// The octets are not a time-stamp token (RFC 3161, 2.4.2).
    #[error(
        "the time-stamp cannot be read: pass the TimeStampToken, without the TimeStampResp around it"
    )]
    TimeStampMalformed,
    /// The time-stamp is over other data than the prepared ones.
    #[error("the time-stamp is over other data than what was prepared: ask for another one")]
    TimeStampMismatch,
    /// A CRL or an OCSP response to be embedded does not have that form.
    #[error("a CRL or OCSP response to be embedded cannot be read")]
    RevocationValueMalformed,
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

/// Why a signature, or a property of a signature, cannot be put into a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NotInsertable {
    /// The position is before or after the root element.
    #[error("a signature cannot stand before or after the root element")]
    OutsideRoot,
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
    /// The signature has no `xades:QualifyingProperties`: it is a plain XML signature.
    #[error("the signature has no qualifying properties to put anything into")]
    NoQualifyingProperties,
    /// The signature has several `xades:QualifyingProperties`.
    #[error("the signature has more than one set of qualifying properties")]
    QualifyingPropertiesRepeated,
    /// The qualifying properties have another version than 1.3.2, whose time-stamps are
    /// over other octets.
    #[error("the qualifying properties have another version than XAdES 1.3.2")]
    UnknownVersion,
    /// No reference of the signature covers its `xades:SignedProperties`: anybody could
    /// have added the qualifying properties.
    #[error("the signature does not sign its qualifying properties")]
    PropertiesNotSigned,
    /// An element that XML Signature requires is missing or repeated.
    #[error("the signature is malformed")]
    SignatureMalformed,
    /// The unsigned properties have references to validation data, or time-stamps over them,
    /// which the levels B-LT and B-LTA do not allow (EN 319 132-1, 6.3).
    #[error(
        "its unsigned properties refer to validation data in a form before the baseline, which \
         levels above B-T do not allow"
    )]
    EarlierValidationData,
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
            | Self::UnknownEncoding { .. }
            | Self::CannotInsert { .. }
            | Self::BreaksExistingSignature
            | Self::BreaksTimeStamp
            | Self::ExistingSignatureUndecided { .. }
            | Self::UnsupportedTimeStamp { .. }
            | Self::UnknownCanonicalization { .. }
            | Self::UnknownTransform { .. }
            | Self::UnknownExpression { .. } => Fault::Unsupported,
            Self::ImprintUnknown { why: ImprintUndecided::DataMissing } => Fault::Caller,
            Self::ImprintUnknown { why: ImprintUndecided::Limit } => Fault::Limit,
            Self::ImprintUnknown { .. } => Fault::Unsupported,
            Self::TimeStampMalformed | Self::TimeStampMismatch | Self::RevocationValueMalformed => {
                Fault::Service
            }
            Self::NotWellFormed { .. }
            | Self::Namespace { .. }
            | Self::Encoding { .. }
            | Self::RelativeNamespace { .. }
            | Self::DuplicateId { .. }
            | Self::DocumentChanged
            | Self::NotIntact { .. }
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
            | Self::UnknownEncoding { .. }
            | Self::Limit { .. }
            | Self::RelativeNamespace { .. }
            | Self::NoSuchElement { .. }
            | Self::DuplicateId { .. }
            | Self::DocumentChanged
            | Self::DocumentNeeded
            | Self::CannotInsert { .. }
            | Self::BreaksExistingSignature
            | Self::BreaksTimeStamp
            | Self::ExistingSignatureUndecided { .. }
            | Self::NotIntact { .. }
            | Self::ImprintUnknown { .. }
            | Self::UnsupportedTimeStamp { .. }
            | Self::TimeStampMalformed
            | Self::TimeStampMismatch
            | Self::RevocationValueMalformed
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
