//! Certificate revocation lists (RFC 5280, 5), read as a stream: whatever their length,
//! only a window and the entries of the wanted certificates are held.

mod about;
mod entries;
mod read;
mod scope;
mod window;

use std::io;

use ades_core::asn1::ber;
use ades_core::{Digest, Oid, SignatureAlgorithm, name};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::revocation::Revocation;
use crate::verified::VerifiedValues;
use scope::Scope;

pub use about::about;
pub use scope::{MAX_NAMES, MAX_POINTS};

/// Maximum length of a CRL, in octets.
pub const MAX_LEN: u64 = 1024 * 1024 * 1024;
/// Maximum number of octets that are held of a CRL: the fields before the entries, an
/// entry, the extensions, and the signature with its algorithm.
pub const MAX_HELD: usize = 128 * 1024;
/// Maximum number of entries with wanted serial numbers.
pub const MAX_FOUND: usize = 1024;
/// Maximum length of the signed octets of a CRL that is signed with Ed25519, which
/// cannot be verified by a digest.
pub const MAX_ED25519_LEN: u64 = 4 * 1024 * 1024;
/// Maximum number of certificates that are tried as that of the signer.
pub const MAX_SIGNERS: usize = 16;

/// A CRL without the entries that nobody asked for.
#[derive(Clone, Debug)]
pub struct Crl {
    /// The DER of the issuer's `Name`.
    issuer: Vec<u8>,
    /// The canonical form of it.
    issuer_key: Vec<u8>,
    this_update: DateTime<Utc>,
    next_update: Option<DateTime<Utc>>,
    extensions: CrlExtensions,
    /// The content octets of the serial numbers that were looked up, in order.
    wanted: Vec<Vec<u8>>,
    found: Vec<Entry>,
    /// Whether more than [`MAX_FOUND`] entries were found.
    too_many: bool,
    entry_count: u64,
    signature: Signature,
    verified: VerifiedValues,
}

/// An entry that was looked up.
#[derive(Clone, Debug)]
struct Entry {
    serial_number: Vec<u8>,
    /// The names in the last certificateIssuer extension, in comparable form (RFC 5280,
    /// 5.3.3). `None`: the CRL's issuer.
    certificate_issuer: Option<std::sync::Arc<[Vec<u8>]>>,
    revocation: Revocation,
}

/// `crlExtensions`
#[derive(Clone, Debug, Default)]
struct CrlExtensions {
    /// The octets of cRLNumber.
    number: Option<Vec<u8>>,
    /// keyIdentifier in authorityKeyIdentifier.
    authority_key_id: Option<Vec<u8>>,
    scope: Scope,
    /// BaseCRLNumber, if it is a delta CRL.
    base_number: Option<Vec<u8>>,
    expired_since: Option<DateTime<Utc>>,
    /// The first critical extension, of the CRL or of an entry, that is not processed. It
    /// makes the whole CRL unusable (RFC 5280, 5.2 and 5.3).
    critical: Option<Oid>,
}

#[derive(Clone, Debug)]
struct Signature {
    /// `None` if it is not supported.
    algorithm: Option<SignatureAlgorithm>,
    /// Whether the two algorithm fields are equal.
    algorithms_agree: bool,
    signed: Signed,
    value: Vec<u8>,
}

/// What the value is over.
#[derive(Clone, Debug)]
enum Signed {
    Digest(Digest),
    /// Of a CRL that is signed with Ed25519.
    Octets(Vec<u8>),
    /// Not computed: the algorithm is not supported, or the CRL is too long for it.
    Unknown,
}

impl Crl {
    /// Remembers with others which signature values verify.
    #[must_use]
    pub fn sharing(mut self, verified: &VerifiedValues) -> Self {
        self.verified = verified.clone();
        self
    }

    /// The DER of the issuer's `Name`.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// thisUpdate
    #[must_use]
    pub const fn this_update(&self) -> DateTime<Utc> {
        self.this_update
    }

    /// nextUpdate
    #[must_use]
    pub const fn next_update(&self) -> Option<DateTime<Utc>> {
        self.next_update
    }

    /// The time back to which expired certificates are kept: expiredCertsOnCRL (X.509,
    /// 9.5.2.8).
    #[must_use]
    pub const fn keeps_expired_since(&self) -> Option<DateTime<Utc>> {
        self.extensions.expired_since
    }

    /// The content octets of cRLNumber.
    #[must_use]
    pub fn number(&self) -> Option<&[u8]> {
        self.extensions.number.as_deref()
    }

    /// The key identifier of the signer's key, if it is named.
    #[must_use]
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.extensions.authority_key_id.as_deref()
    }

    /// Whether it is a delta CRL, which changes a complete one.
    #[must_use]
    pub const fn is_delta(&self) -> bool {
        self.extensions.base_number.is_some()
    }

    /// The number of its entries.
    #[must_use]
    pub const fn entry_count(&self) -> u64 {
        self.entry_count
    }

    /// What a cache may keep it under. CRLs of one issuer differ by key after a key
    /// rollover, and by distribution point: the name alone is not enough.
    #[must_use]
    pub fn cache_key(&self) -> CrlKey {
        CrlKey {
            issuer: name::canonical(&self.issuer),
            key: self.extensions.authority_key_id.clone(),
            scope: self.extensions.scope.octets.clone(),
            delta: self.is_delta(),
        }
    }
}

/// What distinguishes the CRLs of which only the newest counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CrlKey {
    /// The canonical form of the issuer's name.
    issuer: Vec<u8>,
    /// The key identifier.
    key: Option<Vec<u8>>,
    /// issuingDistributionPoint
    scope: Vec<u8>,
    delta: bool,
}

/// Why a CRL cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrlError {
    /// The source failed
    #[error("cannot read the CRL: {0}")]
    Read(#[from] io::Error),
    /// Octets that violate RFC 5280
    #[error("malformed CRL at octet {offset}: {what}")]
    Malformed {
        /// Offset from the first octet
        offset: u64,
        /// The rule that the octets violate
        what: &'static str,
    },
    /// A CRL that exceeds one of this module's limits
    #[error("the CRL exceeds a limit: {0}")]
    Limit(CrlLimit),
}

/// A limit of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrlLimit {
    /// [`MAX_LEN`]
    #[error("1 GiB")]
    Len,
    /// [`MAX_HELD`]
    #[error("128 KiB in one part")]
    Held,
    /// Elements of indefinite length are nested too deep, or there are too many
    #[error("32 levels of nesting, or 256 extensions")]
    Elements,
}

impl From<ber::Error> for CrlError {
    fn from(error: ber::Error) -> Self {
        match error {
            ber::Error::Malformed { offset, what } => Self::Malformed { offset, what },
            ber::Error::TooDeep | ber::Error::TooManyElements => Self::Limit(CrlLimit::Elements),
        }
    }
}

const fn malformed(offset: u64, what: &'static str) -> CrlError {
    CrlError::Malformed { offset, what }
}
