//! What can go wrong, whose fault it is and whether trying again helps.

use std::io;

use chrono::{DateTime, Utc};

use crate::Oid;
use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::certificate::KeyType;

/// Who has to act for an error to go away. Every error of this project tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The program that calls us: it asked for something that makes no sense.
    Caller,
    /// The configuration: an address, a code, a certificate, a contract.
    Configuration,
    /// The input: a document, container, state or certificate is not what it should be.
    Input,
    /// A limit that protects this process.
    Limit,
    /// The signing service or the network between.
    Service,
    /// The file system or another local resource.
    System,
    /// Well-formed, but more than this version can do.
    Unsupported,
    /// The person who was asked to sign.
    User,
}

/// Whether, and from where, another try may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// The same call fails the same way.
    Never,
    /// The same call may succeed later.
    Later,
    /// A new signing session may succeed; this one is over.
    NewSession,
    /// The user has to be identified again: the certificate is not the one we know.
    NewIdentification,
}

/// The errors of `ades-core`, which every format shares.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // Algorithms
    /// An algorithm this version does not know.
    #[error("algorithm {oid} is not supported")]
    UnsupportedAlgorithm {
        /// its identifier
        oid: Oid,
    },
    /// A known algorithm with parameters it must not have, or without those it needs.
    #[error("algorithm {oid} has missing or wrong parameters")]
    MalformedAlgorithm {
        /// its identifier
        oid: Oid,
    },
    /// Bytes that are no `AlgorithmIdentifier`.
    #[error("malformed AlgorithmIdentifier")]
    MalformedAlgorithmIdentifier,
    /// A name that is none of ours.
    #[error("unknown algorithm name {name:?}")]
    UnknownAlgorithmName {
        /// the name, cut at 40 characters
        name: String,
    },
    /// Text or bytes that are no object identifier.
    #[error("malformed object identifier")]
    MalformedOid,
    /// A digest value of the wrong length.
    #[error("a {algorithm} digest has {expected} octets, not {found}")]
    DigestLength {
        /// the algorithm named beside it
        algorithm: DigestAlgorithm,
        /// its output length
        expected: usize,
        /// the value's length
        found: usize,
    },
    /// Text that is not lower-case hexadecimal.
    #[error("malformed hexadecimal text")]
    MalformedHex,
    /// Text that is not padded standard base64 in its one canonical spelling.
    #[error("malformed base64 text")]
    MalformedBase64,

    // Documents
    /// Reading the document failed.
    #[error("cannot read the document")]
    Read(#[source] io::Error),
    /// Writing the output failed.
    #[error("cannot write the output")]
    Write(#[source] io::Error),
    /// A source that can be read once was to be read again.
    #[error("the document's source was read already and cannot be rewound")]
    SourceConsumed,
    /// A source that can only be read from start to end was to be read here and there.
    #[error("the source is a stream; this needs one that can be rewound")]
    NotSeekable,
    /// A thread that reads or digests beside ours ended before its time.
    #[error("a thread that reads or digests failed")]
    Thread,
    /// A `Read` implementation returned more than its buffer holds.
    #[error("the document's reader claims to have read more than it was asked for")]
    ReaderMisbehaved,

    // Certificates
    /// Bytes that are no X.509 certificate.
    #[error("malformed certificate, at octet {offset}")]
    MalformedCertificate {
        /// where in the DER
        offset: usize,
    },
    /// Text between PEM markers that cannot be read, or a marker without a line of
    /// its own.
    #[error("malformed PEM, at line {line}")]
    MalformedPem {
        /// the first line is 1
        line: usize,
    },
    /// No certificate at all.
    #[error("no certificate given")]
    NoCertificate,
    /// More, or longer, certificates than the limit allows.
    #[error("too many or too large certificates: the limit is {limit}")]
    CertificateLimit {
        /// which limit
        limit: CertificateLimit,
    },
    /// Several certificates could be the signer's.
    #[error("the chain has {candidates} certificates that could be the signer's")]
    AmbiguousLeaf {
        /// how many
        candidates: usize,
    },
    /// The certificate must not be used for this signature.
    #[error("the certificate is not fit to sign: {0}")]
    CertificateNotFit(NotFit),
    /// The key cannot make this kind of signature.
    #[error("a key of type {key} cannot make a {algorithm} signature")]
    WrongAlgorithm {
        /// the certificate's key
        key: KeyType,
        /// the algorithm asked for
        algorithm: SignatureAlgorithm,
    },

    // Signature values
    /// The value has not the length that key and algorithm give.
    #[error("a signature value of {found} octets, where {expected} were expected")]
    ValueLength {
        /// what the key gives (for ECDSA: at most)
        expected: usize,
        /// what came
        found: usize,
    },
    /// The value was made with another private key.
    #[error("the signature value was made with another key than the certificate's")]
    WrongKey,
    /// The value was made with the right key, over something else.
    #[error("the signature value is over other data than what was to be signed: {0}")]
    ValueOverOther(OverOther),
    /// The value does not verify, and the algorithm does not let us tell why.
    #[error("the signature value does not verify with the certificate's key")]
    ValueDoesNotVerify,

    // Pending states
    /// A pending state that does not read, or whose checksum differs.
    #[error("the pending state is damaged: {what}")]
    StateDamaged {
        /// what was found
        what: &'static str,
    },
    /// A pending state that a later version of this project wrote.
    #[error("the pending state has version {found}; this program knows up to {known}")]
    StateFromNewerVersion {
        /// in the state
        found: u32,
        /// ours
        known: u32,
    },
    /// A pending state of another format.
    #[error("the pending state is for {found}, not for {expected}")]
    StateOfAnotherFormat {
        /// in the state (cut at 40 characters)
        found: String,
        /// what was asked for
        expected: &'static str,
    },
    /// A key was given, but the state's MAC is missing or differs.
    #[error("the pending state is not authentic: its MAC is missing or was made with another key")]
    StateNotAuthentic,
    /// The state carries a MAC, but no key was given to check it with.
    #[error("the pending state carries a MAC; its key is needed")]
    StateKeyNeeded,
    /// A pending state longer than [`crate::pending::MAX_STATE_LEN`].
    #[error("the pending state has {len} octets, more than {max}")]
    StateTooLarge {
        /// its length
        len: usize,
        /// the limit
        max: usize,
    },

    // Parameters
    /// A parameter that the standards do not allow.
    #[error("{parameter}: {problem}")]
    Parameter {
        /// which parameter
        parameter: Parameter,
        /// what is wrong with it
        problem: &'static str,
    },
}

/// A limit of certificate chains and trust anchors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateLimit {
    /// Number of trust anchors: [`MAX_ANCHORS`](crate::chain::MAX_ANCHORS).
    #[error("1,024 trust anchors")]
    Anchors,
    /// Length of a bundle of trust anchors: [`MAX_ANCHORS_LEN`](crate::chain::MAX_ANCHORS_LEN).
    #[error("4 MiB of trust anchors")]
    AnchorsLen,
    /// Length of one certificate.
    #[error("64 KiB for one certificate")]
    CertificateLen,
    /// Number of certificates in a chain: [`MAX_CHAIN_LEN`](crate::chain::MAX_CHAIN_LEN).
    #[error("32 certificates")]
    Chain,
}

/// A parameter or option of a signature, whichever format it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Parameter {
    /// The program that signs (PDF `/Prop_Build`)
    #[error("application")]
    Application,
    /// The commitment type indication
    #[error("commitment")]
    Commitment,
    /// How to reach the signer (PDF `/ContactInfo`)
    #[error("contact")]
    Contact,
    /// The document's description
    #[error("description")]
    Description,
    /// The documents of a detached XAdES signature
    #[error("detached documents")]
    DetachedDocuments,
    /// The digest that is signed
    #[error("digest to be signed")]
    Digest,
    /// The digest algorithm
    #[error("digest algorithm")]
    DigestAlgorithm,
    /// The document's digest, where only that is known
    #[error("document digest")]
    DocumentDigest,
    /// The elements that an internally detached XAdES signature covers
    #[error("elements")]
    Elements,
    /// The name of a PDF form field
    #[error("field name")]
    FieldName,
    /// The state does not belong to a copy that is completed in place
    #[error("completing in place")]
    InPlace,
    /// The location text of a PDF signature (`/Location`)
    #[error("location")]
    Location,
    /// The fields that a PDF signature locks (`/Lock`)
    #[error("lock")]
    Lock,
    /// The document's media type
    #[error("MIME type")]
    MimeType,
    /// The signer's name (PDF `/Name`)
    #[error("name")]
    Name,
    /// A page number
    #[error("page")]
    Page,
    /// The signature policy
    #[error("policy")]
    Policy,
    /// The address of the signature policy's document
    #[error("policy URI")]
    PolicyUri,
    /// The text that a policy wants to be shown
    #[error("policy user notice")]
    PolicyUserNotice,
    /// The claimed place, as XAdES has it
    #[error("production place")]
    ProductionPlace,
    /// The reason of a PDF signature (`/Reason`)
    #[error("reason")]
    Reason,
    /// The room that a PDF signature keeps for later time-stamps
    #[error("reserve")]
    Reserve,
    /// A signed attribute as a whole
    #[error("signed attribute")]
    SignedAttribute,
    /// The claimed place
    #[error("signer location")]
    SignerLocation,
    /// A claimed role
    #[error("signer role")]
    SignerRole,
    /// The claimed signing time
    #[error("signing time")]
    SigningTime,
}

/// Why a certificate must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotFit {
    /// It is a CA's.
    #[error("it is a certification authority's")]
    CertificationAuthority,
    /// It has expired.
    #[error("it expired at {not_after}")]
    Expired {
        /// its last second
        not_after: DateTime<Utc>,
    },
    /// Its `keyUsage` does not allow what is asked for.
    #[error("its keyUsage does not include {needed}")]
    KeyUsage {
        /// the bit, as RFC 5280 spells it
        needed: &'static str,
    },
    /// Its key is of a kind this version cannot verify.
    #[error("its key is of an unsupported type")]
    KeyUnsupported,
    /// Its validity has not begun.
    #[error("it is valid only from {not_before} on")]
    NotYetValid {
        /// its first second
        not_before: DateTime<Utc>,
    },
    /// Its key is too short.
    #[error("its RSA key has only {bits} bits")]
    WeakKey {
        /// the modulus's length
        bits: usize,
    },
}

/// What a signature value was found to be made over (RSASSA-PKCS1-v1_5 tells).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OverOther {
    /// A digest of the same algorithm with another value.
    #[error("another {0} digest")]
    Digest(DigestAlgorithm),
    /// The digest was digested once more by the signer.
    #[error("the digest was digested a second time")]
    DigestOfDigest,
    /// The digest of another algorithm.
    #[error("a digest of another algorithm")]
    OtherAlgorithm,
    /// The digest without `DigestInfo` around it.
    #[error("the digest without its DigestInfo")]
    NoDigestInfo,
    /// Padded for another scheme (RSASSA-PSS).
    #[error("padded as RSASSA-PSS")]
    PssPadding,
}

impl Error {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::UnknownAlgorithmName { .. }
            | Self::DigestLength { .. }
            | Self::SourceConsumed
            | Self::NotSeekable
            | Self::ReaderMisbehaved
            | Self::WrongAlgorithm { .. }
            | Self::StateKeyNeeded
            | Self::NoCertificate
            | Self::Parameter { .. } => Fault::Caller,
            Self::UnsupportedAlgorithm { .. } => Fault::Unsupported,
            Self::Read(_) | Self::Write(_) | Self::Thread => Fault::System,
            Self::CertificateLimit { .. } | Self::StateTooLarge { .. } => Fault::Limit,
            Self::WrongKey
            | Self::ValueLength { .. }
            | Self::ValueOverOther(_)
            | Self::ValueDoesNotVerify => Fault::Service,
            Self::MalformedAlgorithm { .. }
            | Self::MalformedAlgorithmIdentifier
            | Self::MalformedOid
            | Self::MalformedHex
            | Self::MalformedBase64
            | Self::MalformedCertificate { .. }
            | Self::MalformedPem { .. }
            | Self::AmbiguousLeaf { .. }
            | Self::CertificateNotFit(_)
            | Self::StateDamaged { .. }
            | Self::StateFromNewerVersion { .. }
            | Self::StateOfAnotherFormat { .. }
            | Self::StateNotAuthentic => Fault::Input,
        }
    }

    /// Whether another try may help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Read(_) | Self::Write(_) => Retry::Later,
            Self::WrongKey => Retry::NewIdentification,
            Self::ValueLength { .. } | Self::ValueOverOther(_) | Self::ValueDoesNotVerify => {
                Retry::NewSession
            }
            Self::UnsupportedAlgorithm { .. }
            | Self::MalformedAlgorithm { .. }
            | Self::MalformedAlgorithmIdentifier
            | Self::UnknownAlgorithmName { .. }
            | Self::MalformedOid
            | Self::DigestLength { .. }
            | Self::MalformedHex
            | Self::MalformedBase64
            | Self::SourceConsumed
            | Self::NotSeekable
            | Self::Thread
            | Self::ReaderMisbehaved
            | Self::MalformedCertificate { .. }
            | Self::MalformedPem { .. }
            | Self::NoCertificate
            | Self::CertificateLimit { .. }
            | Self::AmbiguousLeaf { .. }
            | Self::CertificateNotFit(_)
            | Self::WrongAlgorithm { .. }
            | Self::StateDamaged { .. }
            | Self::StateFromNewerVersion { .. }
            | Self::StateOfAnotherFormat { .. }
            | Self::StateNotAuthentic
            | Self::StateKeyNeeded
            | Self::StateTooLarge { .. }
            | Self::Parameter { .. } => Retry::Never,
        }
    }
}
