//! Facts about time-stamps.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::evidence::Objects;

/// A time-stamp token: whether it can be read, whether it is over what it should be, and
/// what it proves to have existed. Its own signature is not verified. `Debug` shows no
/// names.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TimeStampFacts {
    /// What it is over.
    pub kind: TimeStampKind,
    /// The token, as it is stored.
    #[serde(skip)]
    pub octets: Arc<[u8]>,
    /// The time in it; `None` if it cannot be read.
    pub time: Option<DateTime<Utc>>,
    /// The common name in the certificate of the time-stamping authority, if the token
    /// contains that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tsa: Option<String>,
    /// The end of that certificate. The newest time-stamp on a signature has to be covered by
    /// another one before (levels B-LTA, renewed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tsa_until: Option<DateTime<Utc>>,
    /// Whether its imprint is the digest of what it is over. `None` if that could not
    /// be computed.
    pub imprint: Option<bool>,
    /// Why that could not be computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imprint_undecided: Option<ImprintUndecided>,
    /// Number of objects that it lists and that are not there (ats-hash-index). It is not
    /// valid without them (EN 319 122-1, 5.5.2).
    #[serde(skip_serializing_if = "is_zero")]
    pub objects_missing: usize,
    /// What it is over, if its imprint fits.
    pub covers: Covers,
}

// The signature is what serde asks for.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl TimeStampFacts {
    /// A token of which nothing is known yet.
    #[must_use]
    pub fn new(kind: TimeStampKind, octets: impl Into<Arc<[u8]>>) -> Self {
        Self {
            kind,
            octets: octets.into(),
            time: None,
            tsa: None,
            tsa_until: None,
            imprint: None,
            imprint_undecided: Some(ImprintUndecided::TokenMalformed),
            objects_missing: 0,
            covers: Covers::default(),
        }
    }

    /// States whether its imprint is the digest of what it is over.
    pub const fn set_imprint(&mut self, imprint: Result<bool, ImprintUndecided>) {
        (self.imprint, self.imprint_undecided) = match imprint {
            Ok(fits) => (Some(fits), None),
            Err(why) => (None, Some(why)),
        };
    }

    /// Whether it can be evidence: it reads, its imprint fits, and everything that it
    /// lists is there.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.time.is_some() && self.imprint == Some(true) && self.objects_missing == 0
    }
}

impl fmt::Debug for TimeStampFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeStampFacts")
            .field("kind", &self.kind)
            .field("octets", &self.octets.len())
            .field("time", &self.time)
            .field("imprint", &self.imprint)
            .field("imprint_undecided", &self.imprint_undecided)
            .field("objects_missing", &self.objects_missing)
            .field("covers", &self.covers)
            .finish_non_exhaustive()
    }
}

/// What a time-stamp is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TimeStampKind {
    /// The signed data, before the signature was made
    Content,
    /// The signature value
    Signature,
    /// The signature value and references to certificates and revocation values
    SignatureAndReferences,
    /// References to certificates and revocation values
    References,
    /// The signature and its validation data
    Archive,
    /// A revision of a PDF
    Document,
}

/// Why nobody can tell whether an imprint fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ImprintUndecided {
    /// The token cannot be read
    #[error("the token cannot be read")]
    TokenMalformed,
    /// The digest algorithm of the imprint is not supported
    #[error("the digest algorithm of its imprint is not supported")]
    UnsupportedAlgorithm,
    /// The signed document was not given, or a part of it is not there
    #[error("data that it is over is missing")]
    DataMissing,
    /// This version does not support this form of time-stamp
    #[error("this form of time-stamp is not supported")]
    UnsupportedForm,
    /// Computing the digest would exceed a limit
    #[error("there is too much data to digest")]
    Limit,
}

/// What a time-stamp proves to have existed at its time, if it is valid itself
/// (EN 319 102-1, 5.6.2.3). Objects inside listed objects are listed too: the
/// certificates in a token, for example.
///
/// Serialises with numbers of objects, not with their positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Covers {
    /// The signed data.
    pub signed_data: bool,
    /// The signature: its value, its signed attributes or properties, and with them the
    /// digest of the signer's certificate.
    pub signature: bool,
    /// References to certificates and revocation values.
    pub references: bool,
    /// Certificates, revocation values and other time-stamps.
    pub objects: Objects,
}

impl Serialize for Covers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("signed_data", &self.signed_data)?;
        map.serialize_entry("signature", &self.signature)?;
        map.serialize_entry("references", &self.references)?;
        map.serialize_entry("certificates", &self.objects.certificates.len())?;
        map.serialize_entry("revocation_values", &self.objects.revocation_values.len())?;
        map.serialize_entry("timestamps", &self.objects.time_stamps.len())?;
        map.end()
    }
}
