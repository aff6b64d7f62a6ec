//! Object identifiers, as dotted text outside and as DER content inside.

use std::fmt;
use std::str::FromStr;

use const_oid::ObjectIdentifier;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// An object identifier. Serialises as dotted decimals.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Oid(ObjectIdentifier);

impl Oid {
    /// For constants in this project's source: does not compile if `dotted` is no OID.
    pub(crate) const fn new_const(dotted: &str) -> Self {
        Self(ObjectIdentifier::new_unwrap(dotted))
    }

    /// The content octets of the DER encoding (without tag and length).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// From the content octets of a DER encoding.
    ///
    /// # Errors
    /// [`Error::MalformedOid`]
    pub fn from_bytes(content: &[u8]) -> Result<Self, Error> {
        ObjectIdentifier::from_bytes(content).map(Self).map_err(|_| Error::MalformedOid)
    }
}

impl FromStr for Oid {
    type Err = Error;

    /// From dotted decimals, with or without `urn:oid:` before them.
    fn from_str(text: &str) -> Result<Self, Error> {
        let dotted = text.strip_prefix("urn:oid:").unwrap_or(text);
        dotted.parse().map(Self).map_err(|_| Error::MalformedOid)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({})", self.0)
    }
}

impl From<Oid> for String {
    fn from(oid: Oid) -> Self {
        oid.to_string()
    }
}

impl TryFrom<String> for Oid {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<ObjectIdentifier> for Oid {
    fn from(oid: ObjectIdentifier) -> Self {
        Self(oid)
    }
}
