//! Private keys: PKCS#8 in DER, and the kind of the key.

use std::fmt;

use ades_core::asn1::ber::{self, Element, Reader};
use ades_core::asn1::der;
use ades_core::certificate::{algorithm_name, curve_name};

use crate::Names;
use crate::ber_octets::{
    Algorithm, Secret, is_sequence, number, octet_string, oid, to_der, with_header,
};
use crate::error::{Error, Part};

/// A private key. `Debug` does not show it, and it is overwritten when it is
/// dropped.
pub struct Key {
    pkcs8: Secret,
    kind: KeyKind,
    names: Names,
}

/// The kind of a private key. `Display` is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// An elliptic curve in short Weierstrass form
    Ec {
        /// the name of the curve, or its OID; `None` if the key has explicit
        /// parameters
        curve: Option<String>,
    },
    /// Another kind
    Other {
        /// the name of the algorithm, or its OID
        algorithm: String,
    },
    /// RSA without restrictions
    Rsa {
        /// the length of the modulus in bits, if the key can be read
        bits: Option<usize>,
    },
}

impl Key {
    /// Reads a `PrivateKeyInfo` (RFC 5958, 2).
    pub(crate) fn read(element: Element<'_>, part: Part, names: Names) -> Result<Self, Error> {
        let pkcs8 = private_key_info(element).map_err(|e| part.malformed(e))?;
        let missing = Error::Malformed { part, offset: element.offset, what: "no private key" };
        let kind = KeyKind::of(&pkcs8).ok_or(missing)?;
        Ok(Self { pkcs8, kind, names })
    }

    /// The key as PKCS#8 in DER, version 1 without attributes (RFC 5208).
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The kind of the key.
    #[must_use]
    pub const fn kind(&self) -> &KeyKind {
        &self.kind
    }

    /// The name that users see (RFC 2985, 5.5.1).
    #[must_use]
    pub fn friendly_name(&self) -> Option<&str> {
        self.names.friendly_name.as_deref()
    }

    /// The id that the key shares with its certificate (RFC 2985, 5.5.2).
    #[must_use]
    pub fn local_key_id(&self) -> Option<&[u8]> {
        self.names.local_key_id.as_deref()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Version, algorithm and key in DER. Attributes and the public key of version 2
/// are left out: not every library accepts them.
fn private_key_info(element: Element<'_>) -> Result<Secret, ber::Error> {
    let mut fields = element.expect(der::SEQUENCE, "no private key")?.children();
    number(fields.next("no version")?)?;
    let algorithm = fields.next("no algorithm identifier")?;
    Algorithm::read(algorithm)?;
    let mut key = octet_string(fields.next("no private key")?, der::OCTET_STRING)?;
    let mut inner = Reader::new(&key, 0);
    if let Ok(Some(inner_element)) = inner.try_next()
        && inner.is_empty()
        && let Ok(whole) = to_der(inner_element)
    {
        key = whole;
    }
    let mut content = Secret::new(Vec::with_capacity(2 * element.raw.len() + 16));
    content.extend_from_slice(&[der::INTEGER, 1, 0]);
    content.extend_from_slice(&to_der(algorithm)?);
    content.extend_from_slice(&with_header(der::OCTET_STRING, &key));
    Ok(with_header(der::SEQUENCE, &content))
}

impl KeyKind {
    /// The kind of a PKCS#8 key. Returns `None` if the octets are not PKCS#8.
    #[must_use]
    pub fn of(pkcs8: &[u8]) -> Option<Self> {
        let element = Reader::new(pkcs8, 0).next("").ok()?;
        let mut fields = element.expect(der::SEQUENCE, "").ok()?.children();
        fields.next("").and_then(number).ok()?;
        let algorithm = Algorithm::read(fields.next("").ok()?).ok()?;
        let key = octet_string(fields.next("").ok()?, der::OCTET_STRING).ok()?;
        let dotted = algorithm.oid.to_string();
        Some(match dotted.as_str() {
            "1.2.840.113549.1.1.1" => Self::Rsa { bits: rsa_bits(&key) },
            "1.2.840.10045.2.1" => Self::Ec { curve: curve(&algorithm) },
            oid => Self::Other { algorithm: algorithm_name(oid).unwrap_or(oid).to_owned() },
        })
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ec { curve: Some(curve) } => write!(f, "EC on the curve {curve}"),
            Self::Ec { curve: None } => f.write_str("EC with explicit curve parameters"),
            Self::Other { algorithm } => f.write_str(algorithm),
            Self::Rsa { bits: Some(bits) } => write!(f, "RSA with {bits} bits"),
            Self::Rsa { bits: None } => f.write_str("RSA"),
        }
    }
}

/// The name of a curve (RFC 5480, RFC 5639, SEC 2).
fn curve(algorithm: &Algorithm<'_>) -> Option<String> {
    let dotted = oid(algorithm.parameters?).ok()?.to_string();
    Some(curve_name(&dotted).map(ToOwned::to_owned).unwrap_or(dotted))
}

/// The length of the modulus of an `RSAPrivateKey` (RFC 8017, A.1.2).
fn rsa_bits(key: &[u8]) -> Option<usize> {
    if !is_sequence(key) {
        return None;
    }
    let mut fields = Reader::new(key, 0).next("").ok()?.children();
    fields.next("").and_then(number).ok()?;
    let modulus = fields.next("").ok()?.expect(der::INTEGER, "").ok()?.content;
    let zeros = modulus.iter().take_while(|octet| **octet == 0).count();
    let digits = modulus.get(zeros..)?;
    let leading = usize::try_from(digits.first()?.leading_zeros()).ok()?;
    (digits.len() * 8).checked_sub(leading)
}
