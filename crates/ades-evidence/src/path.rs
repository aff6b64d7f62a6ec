//! Certification paths from certificates to trust anchors (RFC 5280, 6.1).
//!
//! A search first finds all certificates from which verified signatures lead to an
//! anchor. It then validates one path after the other until one is valid.
//! Revocation is not a part of it.

mod check;
mod constraints;
mod extensions;
mod policies;
mod pool;
mod search;
mod usage;

use std::fmt;

use ades_core::{Certificate, Oid};
use chrono::{DateTime, Utc};

pub(crate) use extensions::Extensions;
pub use pool::IssuerPool;
pub use search::PathBuilder;

/// Maximum number of signatures in a path.
pub const MAX_PATH: usize = 32;
/// Maximum number of certificates that one search continues from.
pub const MAX_REACHED: usize = 256;
/// Maximum number of issuers that a search tries for one certificate.
pub const MAX_ISSUERS_PER_NAME: usize = 64;
/// Maximum number of certificate signatures that one search verifies.
pub const MAX_SEARCH_SIGNATURES: usize = 1024;
/// Maximum number of certificate signatures that all searches of one
/// [`PathBuilder`] verify together.
pub const MAX_SIGNATURES: usize = 2048;
/// Maximum number of paths that one search validates.
pub const MAX_PATHS: usize = 64;
/// Maximum number of steps from a certificate to an issuer that one search makes
/// while it puts paths together.
pub const MAX_STEPS: usize = 4096;

/// What a path has to be good for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The time at which the issuers' certificates must be valid. The validity of
    /// the certificate at the start of the path is not checked: the caller judges
    /// it with proofs of existence (EN 319 102-1, 5.2.6).
    pub time: DateTime<Utc>,
    /// The use of the certificate at the start of the path.
    pub purpose: Purpose,
    /// The policy inputs of RFC 5280, 6.1.1 (c), (e), (f) and (g).
    pub policies: InitialPolicies,
    /// Number of valid paths to pass over, because the caller knows that they are not good enough:
    /// a search with one more finds the next path (EN 319 102-1, 5.2.6.4, step 2).
    pub skip: usize,
}

impl Request {
    /// A path for signatures on documents, under any certificate policy.
    #[must_use]
    pub fn document_signing(time: DateTime<Utc>) -> Self {
        let policies = InitialPolicies::default();
        Self { time, purpose: Purpose::DocumentSigning, policies, skip: 0 }
    }

    /// Another use of the certificate.
    #[must_use]
    pub const fn purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// Passes over this number of valid paths.
    #[must_use]
    pub const fn skip(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    /// Other policy inputs.
    #[must_use]
    pub fn policies(mut self, policies: InitialPolicies) -> Self {
        self.policies = policies;
        self
    }
}

/// The use of the certificate at the start of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// Any: neither keyUsage nor extKeyUsage is checked.
    Any,
    /// A signature on a document.
    DocumentSigning,
    /// A time-stamp token (RFC 3161, 2.3).
    TimeStamping,
    /// An OCSP response, for the authority that issued the certificate (RFC 6960,
    /// 4.2.2.2).
    OcspSigning,
}

/// The policy inputs of RFC 5280, 6.1.1. The default allows any policy and demands
/// none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitialPolicies {
    /// user-initial-policy-set. Empty: any policy.
    pub acceptable: Vec<Oid>,
    /// initial-explicit-policy
    pub explicit: bool,
    /// initial-policy-mapping-inhibit
    pub inhibit_mapping: bool,
    /// initial-any-policy-inhibit
    pub inhibit_any: bool,
}

/// The result of a search.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// A valid path.
    Valid(Path),
    /// Signatures lead to an anchor, but no path is valid. Names the fault of the
    /// first path.
    Invalid(Invalid),
    /// No signatures lead to an anchor.
    NoPath,
    /// The search could not find out.
    Undecided(Undecided),
}

/// A valid path.
#[derive(Clone)]
#[non_exhaustive]
pub struct Path {
    /// The certificates: the one at the start of the path first, the anchor last.
    /// There is only one if the certificate is an anchor itself.
    pub certificates: Vec<Certificate>,
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({} certificates)", self.certificates.len())
    }
}

/// Why a path is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invalid {
    /// The certificate with the fault, counted from 0 at the start of the path.
    pub position: usize,
    /// The rule that it violates.
    pub fault: Fault,
}

/// The rule of RFC 5280 that a certificate of a path violates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The two algorithm fields differ (RFC 5280, 4.1.1.2)
    #[error("its two signature algorithm fields differ")]
    AlgorithmsDiffer,
    /// An extension that has to be processed cannot be read
    #[error("its extension {0} is malformed")]
    MalformedExtension(Oid),
    /// An extension occurs twice (RFC 5280, 4.2)
    #[error("its extension {0} occurs twice")]
    DuplicateExtension(Oid),
    /// A critical extension that this version does not process (RFC 5280, 4.2)
    #[error("its critical extension {0} is not supported")]
    CriticalExtension(Oid),
    /// An issuer's certificate is not valid yet
    #[error("it is not valid yet")]
    NotYetValid,
    /// An issuer's certificate has expired
    #[error("it has expired")]
    Expired,
    /// An issuer without basicConstraints that make it a CA (RFC 5280, 6.1.4 (k))
    #[error("it is not a CA certificate")]
    NotACa,
    /// An issuer whose keyUsage lacks keyCertSign (RFC 5280, 6.1.4 (n))
    #[error("its keyUsage does not allow it to issue certificates")]
    CertificateSigning,
    /// More CA certificates than a pathLenConstraint allows (RFC 5280, 6.1.4 (l))
    #[error("it makes the path longer than a pathLenConstraint allows")]
    PathLength,
    /// A name that name constraints exclude (RFC 5280, 6.1.3 (b), (c))
    #[error("its name violates the name constraints of an issuer")]
    NameConstraints,
    /// Name constraints on a form of name that this version cannot compare, and a
    /// name of that form (RFC 5280, 4.2.1.10)
    #[error("its name has a form whose name constraints are not supported")]
    NameForm,
    /// More names and name constraints than this version compares
    #[error("it has more names than can be compared with the name constraints")]
    TooManyNames,
    /// No acceptable policy, although one is demanded (RFC 5280, 6.1.3 (f), 6.1.5 (g))
    #[error("it has no acceptable certificate policy, which an issuer or the caller demands")]
    Policies,
    /// A keyUsage with neither digitalSignature nor nonRepudiation
    #[error("its keyUsage does not allow signatures")]
    KeyUsage,
    /// No extended key usage for this purpose (RFC 5280, 4.2.1.12)
    #[error("its extended key usage does not include this purpose")]
    ExtendedKeyUsage,
}

impl Fault {
    /// Whether it is about the use of the certificate, not about the path.
    #[must_use]
    pub const fn is_about_use(self) -> bool {
        matches!(self, Self::KeyUsage | Self::ExtendedKeyUsage)
    }
}

/// Why a search could not find out whether there is a valid path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Undecided {
    /// There are no trust anchors.
    #[error("no trust anchors were given")]
    NoAnchors,
    /// A certificate's signature uses an algorithm that this version does not support.
    #[error("a certificate is signed with an algorithm that is not supported")]
    Algorithm,
    /// A limit of this module ended the search.
    #[error("there are more possible certification paths than the limits allow to try")]
    Limit,
}
