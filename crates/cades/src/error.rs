//! The errors of this crate.

use ades_core::asn1::ber;
use ades_core::{Fault, Retry};

/// An error of preparing, completing, reading or extending a CAdES signature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error that all formats share: certificates, values, states, I/O.
    #[error(transparent)]
    Core(#[from] ades_core::Error),
    /// A call without the document whose octets it needs.
    #[error("the document is missing: pass it, or the container that the signature is added to")]
    DocumentNeeded,
    /// The document is not the one that was prepared.
    #[error("the document has changed since the signature was prepared")]
    DocumentChanged,
    /// The container that a signature or time-stamp is added to is not the one that was
    /// prepared.
    #[error("the container has changed since the signature or time-stamp was prepared")]
    ContainerChanged,
    /// The document that was passed with a container is not the one that its
    /// signatures cover, or not the content of an enveloping container.
    #[error("the container's signatures are over another document than the one given")]
    OriginalMismatch,
    /// A container that breaks the encoding rules or RFC 5652.
    #[error("malformed CMS at octet {offset}: {what}")]
    Malformed {
        /// Offset from the container's first octet
        offset: u64,
        /// The rule that the octets violate
        what: &'static str,
    },
    /// Octets after the container's end.
    #[error("octets after the container's end, at octet {offset}")]
    TrailingOctets {
        /// The offset of the first of them
        offset: u64,
    },
    /// A CMS structure other than SignedData.
    #[error("the CMS content is not SignedData")]
    NotSignedData,
    /// A container that exceeds one of this crate's limits.
    #[error("the container exceeds a limit: {limit}")]
    Limit {
        /// The limit
        limit: Limit,
    },
    /// The container's lengths depend on the length of the ECDSA value, so its
    /// first octets cannot be written before the value is known. This affects
    /// one or two document lengths in many thousands.
    #[error(
        "the document cannot be copied while preparing, because the lengths in its container \
         depend on the signature value: prepare without copying"
    )]
    CannotCopy,
    /// The container does not have this signature.
    #[error("the container has no signature {which:?} (places count from 0)")]
    NoSuchSignature {
        /// The place that was asked for, as in the report
        which: Vec<usize>,
    },
    /// The octets are not a time-stamp token, or not one that can be embedded: it has several
    /// signers, or the index of another archive time-stamp.
    #[error("the time-stamp cannot be read: it is not a token with one signer")]
    TimeStampMalformed,
    /// The time-stamp is over other data than what was prepared.
    #[error("the time-stamp is over other data than what was prepared: ask for another one")]
    TimeStampMismatch,
    /// A CRL or an OCSP response to be embedded is not one element.
    #[error("a CRL or OCSP response to be embedded is not one DER element")]
    RevocationValueMalformed,
    /// A well-formed container to which this crate does not add a signature, a time-stamp or
    /// validation data.
    #[error("nothing can be added to this container: {why}")]
    CannotAdd {
        /// The reason
        why: NotExtendable,
    },
}

/// A limit of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// Octets in the certificates:
    /// [`MAX_CERTIFICATES_LEN`](crate::container::MAX_CERTIFICATES_LEN).
    #[error("16 MiB of certificates")]
    CertificatesLen,
    /// Length of a container.
    #[error("2^63 octets")]
    ContainerLen,
    /// Number of countersignatures:
    /// [`MAX_COUNTERSIGNATURES`](crate::container::MAX_COUNTERSIGNATURES).
    #[error("1,024 countersignatures")]
    Countersignatures,
    /// Depth of countersignatures on countersignatures:
    /// [`MAX_COUNTERSIGNATURE_DEPTH`](crate::container::MAX_COUNTERSIGNATURE_DEPTH).
    #[error("8 levels of countersignatures")]
    CountersignatureDepth,
    /// Number of elements in one set: [`MAX_ELEMENTS`](crate::container::MAX_ELEMENTS).
    #[error("4,096 elements in one set")]
    Elements,
    /// Octets outside the content: [`MAX_HELD`](crate::container::MAX_HELD).
    #[error("64 MiB in addition to the content")]
    Held,
    /// Values that the reports list: [`MAX_LISTED`](crate::container::MAX_LISTED)
    /// and [`MAX_LISTED_LEN`](crate::container::MAX_LISTED_LEN).
    #[error("16,384 roles and other values, or 4 MiB of them, in all signatures")]
    Listed,
    /// Depth of nested elements: [`MAX_DEPTH`](crate::container::MAX_DEPTH).
    #[error("32 levels of nesting")]
    Nesting,
    /// Octets in the signed attributes of one signature:
    /// [`MAX_SIGNED_ATTRIBUTES_LEN`](crate::container::MAX_SIGNED_ATTRIBUTES_LEN).
    #[error("16 MiB of signed attributes in one signature")]
    SignedAttributesLen,
    /// Number of signers: [`MAX_SIGNERS`](crate::container::MAX_SIGNERS).
    #[error("256 signers")]
    Signers,
}

/// Why nothing can be added to a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NotExtendable {
    /// The eContentType of a baseline signature is id-data (EN 319 122-1, 6.3).
    #[error("its content type is not id-data")]
    ContentTypeNotData,
    /// An unsigned attribute covers all certificates of the container, to which
    /// a new signature would add its own: archive-time-stamp of version 1 or 2,
    /// or long-term-validation (EN 319 122-1, A.2.4 and A.2.5).
    #[error("an archive time-stamp of an older kind covers its certificates")]
    OlderArchiveTimeStamp,
    /// An archive time-stamp of the outer signature covers the countersignature that would
    /// grow.
    #[error("an archive time-stamp of the outer signature covers the countersignature")]
    CoveredCountersignature,
    /// An archive time-stamp is about a signature on the document (EN 319 122-1, 5.5.3). It
    /// covers the countersignatures, too.
    #[error(
        "a countersignature has no archive time-stamp of its own: one on the signature around it \
         covers it"
    )]
    ArchiveOnCountersignature,
    /// Its unsigned attributes have validation data or references in a form that the levels
    /// B-LT and B-LTA do not allow (EN 319 122-1, table 1).
    #[error(
        "its unsigned attributes have validation data in a form before the baseline, which \
         levels above B-T do not allow"
    )]
    EarlierValidationData,
}

impl Error {
    /// Who has to act before the operation can succeed.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Core(error) => error.fault(),
            Self::DocumentNeeded | Self::NoSuchSignature { .. } => Fault::Caller,
            Self::Limit { .. } => Fault::Limit,
            Self::CannotAdd { .. } | Self::CannotCopy => Fault::Unsupported,
            Self::DocumentChanged
            | Self::ContainerChanged
            | Self::OriginalMismatch
            | Self::Malformed { .. }
            | Self::TrailingOctets { .. }
            | Self::NotSignedData
            | Self::TimeStampMalformed
            | Self::TimeStampMismatch
            | Self::RevocationValueMalformed => Fault::Input,
        }
    }

    /// Whether another try can help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Core(error) => error.retry(),
            Self::DocumentNeeded
            | Self::DocumentChanged
            | Self::ContainerChanged
            | Self::OriginalMismatch
            | Self::Malformed { .. }
            | Self::TrailingOctets { .. }
            | Self::NotSignedData
            | Self::Limit { .. }
            | Self::CannotCopy
            | Self::NoSuchSignature { .. }
            | Self::TimeStampMalformed
            | Self::TimeStampMismatch
            | Self::RevocationValueMalformed
            | Self::CannotAdd { .. } => Retry::Never,
        }
    }
}

impl From<ber::Error> for Error {
    fn from(error: ber::Error) -> Self {
        match error {
            ber::Error::Malformed { offset, what } => malformed(offset, what),
            ber::Error::TooDeep => Limit::Nesting.into(),
            ber::Error::TooManyElements => Limit::Elements.into(),
        }
    }
}

impl From<Limit> for Error {
    fn from(limit: Limit) -> Self {
        Self::Limit { limit }
    }
}

pub(crate) const fn malformed(offset: u64, what: &'static str) -> Error {
    Error::Malformed { offset, what }
}

#[cfg(test)]
mod tests {
    use super::Limit;
    use crate::container::{
        MAX_CERTIFICATES_LEN, MAX_COUNTERSIGNATURE_DEPTH, MAX_COUNTERSIGNATURES, MAX_DEPTH,
        MAX_ELEMENTS, MAX_HELD, MAX_LISTED, MAX_LISTED_LEN, MAX_SIGNED_ATTRIBUTES_LEN, MAX_SIGNERS,
    };

    #[test]
    fn messages_name_the_values_of_the_constants() {
        assert_eq!((MAX_SIGNED_ATTRIBUTES_LEN, MAX_CERTIFICATES_LEN), (16 << 20, 16 << 20));
        assert_eq!((MAX_LISTED, MAX_LISTED_LEN), (16_384, 4 << 20));
        assert_eq!((MAX_HELD, MAX_ELEMENTS, MAX_COUNTERSIGNATURES), (64 << 20, 4096, 1024));
        for (limit, value) in [
            (Limit::CountersignatureDepth, MAX_COUNTERSIGNATURE_DEPTH),
            (Limit::Nesting, MAX_DEPTH),
            (Limit::Signers, MAX_SIGNERS),
        ] {
            let message = limit.to_string();
            assert!(message.starts_with(&format!("{value} ")), "{message}");
        }
    }
}
