//! Errors: what happened, who has to act, and whether another try can help.

use std::io;

use chrono::{DateTime, Utc};

use crate::Oid;
use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::certificate::{KeyType, MAX_CERTIFICATE_LEN};
use crate::chain::{MAX_ANCHORS, MAX_ANCHORS_LEN, MAX_CHAIN_LEN};

/// Who has to act before the operation can succeed. Every error of this project
/// has a `fault()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The calling program: its request is invalid.
    Caller,
    /// The configuration: an address, a code, a certificate or a contract.
    Configuration,
    /// The input: a document, container, state or certificate is invalid.
    Input,
    /// A limit that protects this process was exceeded.
    Limit,
    /// The signing service, or the network on the way to it.
    Service,
    /// The file system or another local resource.
    System,
    /// The input is well-formed, but this version does not support it.
    Unsupported,
    /// The person who was asked to sign.
    User,
}

/// Whether another try can succeed, and where it has to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// The same call fails again.
    Never,
    /// The same call can succeed later.
    Later,
    /// A new signing session can succeed. This one has ended.
    NewSession,
    /// The user has to be identified again, because the certificate has changed.
    NewIdentification,
}

/// The errors of `ades-core`. The format crates wrap them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // Algorithms
    /// An algorithm that this version does not support.
    #[error("algorithm {oid} is not supported")]
    UnsupportedAlgorithm {
        /// the algorithm's object identifier
        oid: Oid,
    },
    /// A supported algorithm whose parameters are missing, unexpected or wrong.
    #[error("the parameters of algorithm {oid} are missing or wrong")]
    MalformedAlgorithm {
        /// the algorithm's object identifier
        oid: Oid,
    },
    /// Octets that are not an `AlgorithmIdentifier`.
    #[error("malformed AlgorithmIdentifier")]
    MalformedAlgorithmIdentifier,
    /// A text that is not the name of a supported algorithm.
    #[error("{name:?} is not the name of a supported algorithm")]
    UnknownAlgorithmName {
        /// its first 40 characters
        name: String,
    },
    /// Text or octets that are not an object identifier.
    #[error("{oid:?} is not an object identifier")]
    MalformedOid {
        /// the first 40 characters of the text, or hexadecimal digits of the octets
        oid: String,
    },
    /// A digest value of the wrong length.
    #[error("a {algorithm} digest has {expected} octets, not {found}")]
    DigestLength {
        /// the digest's algorithm
        algorithm: DigestAlgorithm,
        /// the algorithm's output length
        expected: usize,
        /// the value's length
        found: usize,
    },
    /// Text that is not lower-case hexadecimal.
    #[error("malformed hexadecimal text")]
    MalformedHex,
    /// Text that is not standard base64 with padding.
    #[error("malformed base64 text")]
    MalformedBase64,

    // Documents
    /// Reading the document failed.
    #[error("cannot read the document")]
    Read(#[source] io::Error),
    /// Writing the output failed.
    #[error("cannot write the output")]
    Write(#[source] io::Error),
    /// A second pass over a source that can be read only once.
    #[error("the document was read already and its source cannot be rewound; give it again")]
    SourceConsumed,
    /// Random access to a source that can only be read from start to end.
    #[error("the document's source is a stream; this operation needs one that can seek")]
    NotSeekable,
    /// A helper thread that reads or digests ended early.
    #[error("a thread that reads or digests the document failed")]
    Thread,
    /// A `Read` implementation returned more than its buffer holds.
    #[error("the document's reader returned more octets than its buffer holds")]
    ReaderMisbehaved,

    // Certificates
    /// Octets that are not an X.509 certificate.
    #[error("malformed certificate at octet {offset}")]
    MalformedCertificate {
        /// position in the DER; the first octet is 0
        offset: usize,
    },
    /// A PEM block that is not base64 or does not end, or a marker that does not
    /// have a line of its own.
    #[error("malformed PEM at line {line}")]
    MalformedPem {
        /// the first line is 1
        line: usize,
    },
    /// A chain without certificates.
    #[error("no certificate given")]
    NoCertificate,
    /// Certificates exceed a limit in number or length.
    #[error("too many or too large certificates: the maximum is {limit}")]
    CertificateLimit {
        /// which limit
        limit: CertificateLimit,
    },
    /// Not exactly one certificate could be the signer's.
    #[error(
        "{candidates} certificates could be the signer's, not exactly one; give the chain of one signer"
    )]
    AmbiguousLeaf {
        /// the number of certificates that could be the signer's
        candidates: usize,
    },
    /// The certificate must not be used for this signature.
    #[error("the certificate is not fit to sign: {0}")]
    CertificateNotFit(NotFit),
    /// The key cannot make signatures with this algorithm.
    #[error("a key of type {key} cannot make a {algorithm} signature")]
    WrongAlgorithm {
        /// the certificate's key
        key: KeyType,
        /// the algorithm asked for
        algorithm: SignatureAlgorithm,
    },

    // Signature values
    /// The value does not have the length that follows from key and algorithm.
    #[error("a signature value of {found} octets; {expected} were expected")]
    ValueLength {
        /// the expected length; for ECDSA the maximum
        expected: usize,
        /// the value's length
        found: usize,
    },
    /// The certificate's key did not make the value, or the value is damaged. A
    /// value does not reveal which.
    #[error(
        "the signature value is damaged, or it was made with another key than the certificate's"
    )]
    WrongKey,
    /// The right key made the value, over other data.
    #[error("the signature value is not over the data to be signed: {0}")]
    ValueOverOther(OverOther),
    /// The value does not verify, and the algorithm does not reveal why.
    #[error("the signature value does not verify with the certificate's key")]
    ValueDoesNotVerify,
    /// Octets that are not a signature value in any form that is read.
    #[error(
        "it is {found}, not a signature value of the certificate's key ({key}); expected: {}",
        expected(*key)
    )]
    NotAValue {
        /// what they are
        found: NotAValue,
        /// the certificate's key
        key: KeyType,
    },

    // Pending states
    /// A pending state that cannot be read, or whose checksum differs.
    #[error("the pending state is damaged: {what}")]
    StateDamaged {
        /// the problem
        what: &'static str,
    },
    /// A pending state that a newer version of this project stored.
    #[error(
        "the pending state has version {found}, but this version reads up to {known}; use a newer one"
    )]
    StateFromNewerVersion {
        /// the state's version
        found: u32,
        /// the newest version that can be read
        known: u32,
    },
    /// A pending state of another format.
    #[error("the pending state is for {found}, not for {expected}")]
    StateOfAnotherFormat {
        /// the state's format, at most 40 characters
        found: String,
        /// the format that was asked for
        expected: &'static str,
    },
    /// A key was given, but the state's MAC is missing or differs.
    #[error(
        "the pending state is not authentic: its MAC is missing, or the state or its key has changed"
    )]
    StateNotAuthentic,
    /// The state has a MAC, but no key was given to check it.
    #[error("the pending state has a MAC; give the key that it was stored with")]
    StateKeyNeeded,
    /// A pending state longer than [`crate::pending::MAX_STATE_LEN`].
    #[error("the pending state has {len} octets; the maximum is {max}")]
    StateTooLarge {
        /// its length
        len: usize,
        /// the maximum length
        max: usize,
    },

    // Parameters
    /// A parameter with a value that the standards or this version do not allow.
    #[error("{parameter}: {problem}")]
    Parameter {
        /// which parameter
        parameter: Parameter,
        /// the problem
        problem: &'static str,
    },
}

/// A limit on certificates, chains and trust anchors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateLimit {
    /// The number of trust anchors: [`MAX_ANCHORS`].
    #[error("{MAX_ANCHORS} trust anchors")]
    Anchors,
    /// The length of a PEM bundle of trust anchors:
    /// [`MAX_ANCHORS_LEN`].
    #[error("{MAX_ANCHORS_LEN} octets of trust anchors")]
    AnchorsLen,
    /// The length of one certificate:
    /// [`MAX_CERTIFICATE_LEN`].
    #[error("{MAX_CERTIFICATE_LEN} octets for one certificate")]
    CertificateLen,
    /// The number of certificates in a chain:
    /// [`MAX_CHAIN_LEN`].
    #[error("{MAX_CHAIN_LEN} certificates")]
    Chain,
}

/// A parameter or option of a signature, in any format.
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
    /// The document's digest, if it is given in place of the document
    #[error("document digest")]
    DocumentDigest,
    /// The elements that an internally detached XAdES signature covers
    #[error("elements")]
    Elements,
    /// The name of a PDF form field
    #[error("field name")]
    FieldName,
    /// Completing in place, with a state that was not prepared for it
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
    /// The text that the signature policy requires to be shown
    #[error("policy user notice")]
    PolicyUserNotice,
    /// The claimed place of signing in XAdES (`SignatureProductionPlace`)
    #[error("production place")]
    ProductionPlace,
    /// The reason of a PDF signature (`/Reason`)
    #[error("reason")]
    Reason,
    /// The space that a PDF signature reserves for later time-stamps
    #[error("reserve")]
    Reserve,
    /// A signed attribute of CMS as a whole
    #[error("signed attribute")]
    SignedAttribute,
    /// The claimed location of the signer
    #[error("signer location")]
    SignerLocation,
    /// A claimed role of the signer
    #[error("signer role")]
    SignerRole,
    /// The claimed signing time
    #[error("signing time")]
    SigningTime,
}

/// Why a certificate must not be used to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotFit {
    /// It is a CA certificate.
    #[error("it is the certificate of a certification authority")]
    CertificationAuthority,
    /// It has expired.
    #[error("it expired at {not_after}")]
    Expired {
        /// the last second of its validity
        not_after: DateTime<Utc>,
    },
    /// Its `keyUsage` lacks a required bit.
    #[error("its keyUsage does not include {needed}")]
    KeyUsage {
        /// the bit's name in RFC 5280
        needed: &'static str,
    },
    /// This version cannot verify signatures of its key.
    #[error("its key has an unsupported type")]
    KeyUnsupported,
    /// Its validity has not begun.
    #[error("it is valid only from {not_before}")]
    NotYetValid {
        /// the first second of its validity
        not_before: DateTime<Utc>,
    },
    /// Its key is too short.
    #[error("its RSA key has {bits} bits; the minimum is 2048")]
    WeakKey {
        /// the length of the modulus
        bits: usize,
    },
}

/// The data that a signature value was made over, in place of the data to be
/// signed. RSASSA-PKCS1-v1_5 reveals this; the other algorithms do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OverOther {
    /// A digest of the same algorithm with another value.
    #[error("it is over another {0} digest")]
    Digest(DigestAlgorithm),
    /// The digest of the digest: the signer digested a second time.
    #[error("it is over the digest of the digest, so the signer digested a second time")]
    DigestOfDigest,
    /// The digest of another algorithm.
    #[error("it is over a digest of another algorithm")]
    OtherAlgorithm,
    /// The digest without its `DigestInfo` (RFC 8017, 9.2).
    #[error("it is over the bare digest, without its DigestInfo")]
    NoDigestInfo,
    /// A value of another scheme: RSASSA-PSS.
    #[error("it is an RSASSA-PSS value, not an RSASSA-PKCS1-v1_5 one")]
    PssPadding,
}

/// What was given in place of a signature value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAValue {
    /// A certificate.
    #[error("a certificate")]
    Certificate,
    /// A CMS container.
    #[error("a CMS container")]
    Container,
    /// The digest to be signed.
    #[error("the digest to be signed")]
    Digest,
    /// Nothing, or white space.
    #[error("empty")]
    Empty,
    /// A JSON object or array.
    #[error("a JSON object or array")]
    Json,
    /// Octets whose length or structure no value of the key has.
    #[error("{form} of {octets} octets")]
    Length {
        /// how they were read
        form: ValueForm,
        /// their number
        octets: usize,
    },
    /// A private key.
    #[error("a private key")]
    PrivateKey,
    /// Text in no known encoding.
    #[error("text that is neither base64 nor hexadecimal digits")]
    Text,
}

/// How a signature value was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueForm {
    /// Standard base64.
    #[error("base64 text")]
    Base64,
    /// base64 with the URL-safe alphabet (RFC 4648, 5).
    #[error("base64url text")]
    Base64Url,
    /// Hexadecimal digits.
    #[error("hexadecimal text")]
    Hexadecimal,
    /// The octets themselves.
    #[error("a binary file")]
    Octets,
}

/// The values that a key makes.
fn expected(key: KeyType) -> String {
    let order = match key {
        KeyType::P256 => 32,
        KeyType::P384 => 48,
        KeyType::P521 => 66,
        _ => {
            let len = key.max_value_len().unwrap_or_default();
            return format!("{len} octets, raw or as base64 or hexadecimal text");
        }
    };
    format!(
        "the DER SEQUENCE of r and s, or r and s side by side with {order} octets each, raw or as \
         base64 or hexadecimal text"
    )
}

impl Error {
    /// Who has to act.
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
            | Self::MalformedOid { .. }
            | Self::MalformedHex
            | Self::MalformedBase64
            | Self::MalformedCertificate { .. }
            | Self::MalformedPem { .. }
            | Self::NotAValue { .. }
            | Self::AmbiguousLeaf { .. }
            | Self::CertificateNotFit(_)
            | Self::StateDamaged { .. }
            | Self::StateFromNewerVersion { .. }
            | Self::StateOfAnotherFormat { .. }
            | Self::StateNotAuthentic => Fault::Input,
        }
    }

    /// Whether another try can help.
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
            | Self::MalformedOid { .. }
            | Self::DigestLength { .. }
            | Self::MalformedHex
            | Self::MalformedBase64
            | Self::SourceConsumed
            | Self::NotSeekable
            | Self::Thread
            | Self::ReaderMisbehaved
            | Self::MalformedCertificate { .. }
            | Self::MalformedPem { .. }
            | Self::NotAValue { .. }
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
