//! Types of public keys (RFC 5280, 4.1.2.7).

use std::fmt;

use der::asn1::{AnyRef, BitStringRef, UintRef};
use der::{Decode, Reader, SliceReader};
use rsa::PublicKey as RsaPublicKey;

use super::fields;
use crate::Oid;
use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};

const RSA: Oid = Oid::new_const("1.2.840.113549.1.1.1");
const RSA_PSS: Oid = Oid::new_const("1.2.840.113549.1.1.10");
const EC: Oid = Oid::new_const("1.2.840.10045.2.1");
const ED25519: Oid = Oid::new_const("1.3.101.112");
// Curves.
const P256: Oid = Oid::new_const("1.2.840.10045.3.1.7");
const P384: Oid = Oid::new_const("1.3.132.0.34");
const P521: Oid = Oid::new_const("1.3.132.0.35");
const SECP256K1: Oid = Oid::new_const("1.3.132.0.10");
const BRAINPOOL_P256R1: Oid = Oid::new_const("1.3.36.3.3.2.8.1.1.7");
const BRAINPOOL_P384R1: Oid = Oid::new_const("1.3.36.3.3.2.8.1.1.11");

/// The type of the public key in a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyType {
    /// RSA
    Rsa {
        /// length of the modulus in bits
        bits: usize,
    },
    /// NIST P-256
    P256,
    /// NIST P-384
    P384,
    /// NIST P-521
    P521,
    /// Ed25519
    Ed25519,
    /// RSA, restricted to RSASSA-PSS (RFC 4055, 1.2): to verify only
    RsaPss {
        /// length of the modulus in bits
        bits: usize,
    },
    /// brainpoolP256r1 (RFC 5639): to verify only
    BrainpoolP256r1,
    /// brainpoolP384r1 (RFC 5639): to verify only
    BrainpoolP384r1,
    /// secp256k1: to verify only
    Secp256k1,
    /// A key that this version cannot verify with
    Unsupported,
}

impl KeyType {
    /// Reads a SubjectPublicKeyInfo. Keys that [`crate::verify`] cannot use are
    /// `Unsupported`, so that nobody is asked to sign with them.
    pub(super) fn read(spki: &[u8]) -> Result<Self, der::Error> {
        let mut parts = fields(spki)?;
        let mut algorithm = fields(parts.tlv_bytes()?)?;
        let key = BitStringRef::decode(&mut parts)?.as_bytes().unwrap_or_default();
        let on_curve = |curve, coordinate: usize| match key {
            // Compressed and uncompressed points (SEC 1, 2.3.3).
            [0x02 | 0x03, x @ ..] if x.len() == coordinate => curve,
            [0x04, both @ ..] if both.len() == 2 * coordinate => curve,
            _ => Self::Unsupported,
        };
        Ok(match Oid::read(&mut algorithm)? {
            RSA => rsa_bits(key).map_or(Self::Unsupported, |bits| Self::Rsa { bits }),
            RSA_PSS => rsa_bits(key).map_or(Self::Unsupported, |bits| Self::RsaPss { bits }),
            EC => match Oid::read(&mut algorithm) {
                Ok(P256) => on_curve(Self::P256, 32),
                Ok(P384) => on_curve(Self::P384, 48),
                Ok(P521) => on_curve(Self::P521, 66),
                Ok(SECP256K1) => on_curve(Self::Secp256k1, 32),
                Ok(BRAINPOOL_P256R1) => on_curve(Self::BrainpoolP256r1, 32),
                Ok(BRAINPOOL_P384R1) => on_curve(Self::BrainpoolP384r1, 48),
                _ => Self::Unsupported,
            },
            ED25519 if key.len() == 32 => Self::Ed25519,
            _ => Self::Unsupported,
        })
    }

    /// Whether a key of this type can make signatures with this algorithm.
    #[must_use]
    pub const fn fits(self, algorithm: SignatureAlgorithm) -> bool {
        matches!(
            (self, algorithm),
            (
                Self::Rsa { .. },
                SignatureAlgorithm::RsaPkcs1v15(_)
                    | SignatureAlgorithm::RsaPss(_)
                    | SignatureAlgorithm::RsaPssWith(_)
            ) | (
                Self::RsaPss { .. },
                SignatureAlgorithm::RsaPss(_) | SignatureAlgorithm::RsaPssWith(_)
            ) | (
                Self::P256
                    | Self::P384
                    | Self::P521
                    | Self::BrainpoolP256r1
                    | Self::BrainpoolP384r1
                    | Self::Secp256k1,
                SignatureAlgorithm::Ecdsa(_)
            ) | (Self::Ed25519, SignatureAlgorithm::Ed25519)
        )
    }

    /// Whether this project signs with keys of this type.
    #[must_use]
    pub const fn may_sign(self) -> bool {
        self.default_algorithm().is_some()
    }

    /// The default algorithm of a key to sign with: RSASSA-PKCS1-v1_5 with SHA-256, ECDSA with
    /// the digest that fits the curve, or Ed25519.
    #[must_use]
    pub const fn default_algorithm(self) -> Option<SignatureAlgorithm> {
        match self {
            Self::Rsa { .. } => Some(SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha256)),
            Self::P256 => Some(SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256)),
            Self::P384 => Some(SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha384)),
            Self::P521 => Some(SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha512)),
            Self::Ed25519 => Some(SignatureAlgorithm::Ed25519),
            Self::RsaPss { .. }
            | Self::BrainpoolP256r1
            | Self::BrainpoolP384r1
            | Self::Secp256k1
            | Self::Unsupported => None,
        }
    }

    /// The length of the key in bits: of the modulus for RSA, of the curve's order for
    /// the others. `None` for an unsupported key.
    #[must_use]
    pub const fn bits(self) -> Option<usize> {
        match self {
            Self::Rsa { bits } | Self::RsaPss { bits } => Some(bits),
            Self::P256 | Self::BrainpoolP256r1 | Self::Secp256k1 => Some(256),
            Self::P384 | Self::BrainpoolP384r1 => Some(384),
            Self::P521 => Some(521),
            Self::Ed25519 => Some(255),
            Self::Unsupported => None,
        }
    }

    /// Maximum length of a signature value in octets: the exact length for RSA and
    /// Ed25519, the longest DER `SEQUENCE { r, s }` for ECDSA. `None` for an
    /// unsupported key.
    #[must_use]
    pub const fn max_value_len(self) -> Option<usize> {
        match self {
            Self::Rsa { bits } | Self::RsaPss { bits } => Some(bits.div_ceil(8)),
            Self::P256 | Self::BrainpoolP256r1 | Self::Secp256k1 => Some(72),
            Self::P384 | Self::BrainpoolP384r1 => Some(104),
            Self::P521 => Some(139),
            Self::Ed25519 => Some(64),
            Self::Unsupported => None,
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::P256 => f.write_str("P-256"),
            Self::P384 => f.write_str("P-384"),
            Self::P521 => f.write_str("P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::RsaPss { bits } => write!(f, "RSASSA-PSS {bits}"),
            Self::BrainpoolP256r1 => f.write_str("brainpoolP256r1"),
            Self::BrainpoolP384r1 => f.write_str("brainpoolP384r1"),
            Self::Secp256k1 => f.write_str("secp256k1"),
            Self::Unsupported => f.write_str("unsupported"),
        }
    }
}

/// The length of the modulus of an `RSAPublicKey` (RFC 8017, A.1.1). `None` if
/// modulus or exponent exceed the bounds within which verifying is cheap.
fn rsa_bits(key: &[u8]) -> Option<usize> {
    let any = AnyRef::from_der(key).ok()?;
    let mut fields = SliceReader::new(any.value()).ok()?;
    let modulus = UintRef::decode(&mut fields).ok()?.as_bytes();
    let exponent = UintRef::decode(&mut fields).ok()?.as_bytes();
    let odd = |number: &[u8]| number.last().is_some_and(|octet| octet & 1 == 1);
    // A longer exponent is out of bounds.
    let mut octets = [0; 8];
    let start = octets.len().checked_sub(exponent.len())?;
    octets.get_mut(start..)?.copy_from_slice(exponent);
    let exponents = RsaPublicKey::MIN_PUB_EXPONENT..=RsaPublicKey::MAX_PUB_EXPONENT;
    let leading = usize::try_from(modulus.first()?.leading_zeros()).ok()?;
    let bits = (modulus.len() * 8).checked_sub(leading)?;
    let usable = bits <= RsaPublicKey::MAX_SIZE
        && odd(modulus)
        && odd(exponent)
        && exponents.contains(&u64::from_be_bytes(octets));
    usable.then_some(bits)
}

/// The OIDs in the AlgorithmIdentifier of a SubjectPublicKeyInfo: of the algorithm and, if the
/// parameters are one, of the named curve.
pub(super) fn oids(spki: &[u8]) -> (Option<Oid>, Option<Oid>) {
    let algorithm = || fields(fields(spki)?.tlv_bytes()?);
    let Ok(mut algorithm) = algorithm() else { return (None, None) };
    (Oid::read(&mut algorithm).ok(), Oid::read(&mut algorithm).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::der;

    fn rsa(modulus: &[u8], exponent: &[u8]) -> KeyType {
        let key = [der::unsigned_integer(modulus), der::element(der::INTEGER, &[exponent])];
        let key = der::element(der::SEQUENCE, &[&key.concat()]);
        let algorithm = [&[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1][..], &[5, 0]];
        key_type(&algorithm.concat(), &key)
    }

    fn key_type(algorithm: &[u8], key: &[u8]) -> KeyType {
        let key = der::element(0x03, &[&[0], key]);
        let algorithm = der::element(der::SEQUENCE, &[algorithm]);
        KeyType::read(&der::element(der::SEQUENCE, &[&algorithm, &key])).unwrap()
    }

    /// A user must not be asked to sign with a key whose values
    /// [`crate::verify`] rejects.
    #[test]
    fn rsa_keys_out_of_bounds_are_unsupported() {
        let modulus = |octets| vec![0xFF; octets];
        let fermat = [1, 0, 1];
        assert_eq!(rsa(&modulus(256), &fermat), KeyType::Rsa { bits: 2048 });
        assert_eq!(rsa(&modulus(1024), &fermat), KeyType::Rsa { bits: 8192 });
        assert_eq!(rsa(&modulus(256), &[1, 0xFF, 0xFF, 0xFF, 0xFF]), KeyType::Rsa { bits: 2048 });
        for (modulus, exponent) in [
            (modulus(1025), &fermat[..]),
            (modulus(256), &[2, 0, 0, 0, 1]),
            (modulus(256), &[0x7F; 255]),
            (modulus(256), &[1]),
            (modulus(256), &[4]),
            ([modulus(255), vec![0xFE]].concat(), &fermat),
        ] {
            assert_eq!(rsa(&modulus, exponent), KeyType::Unsupported, "{exponent:?}");
        }
    }

    #[test]
    fn points_of_another_length_than_their_curve_are_unsupported() {
        let p256 = [
            &[6, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1][..],
            &[6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7],
        ]
        .concat();
        for (point, expected) in [
            ([&[4][..], &[1; 64]].concat(), KeyType::P256),
            ([&[3][..], &[1; 32]].concat(), KeyType::P256),
            ([&[4][..], &[1; 63]].concat(), KeyType::Unsupported),
            (vec![0], KeyType::Unsupported),
        ] {
            assert_eq!(key_type(&p256, &point), expected);
        }
        let ed25519 = [6, 3, 0x2B, 0x65, 0x70];
        assert_eq!(key_type(&ed25519, &[1; 32]), KeyType::Ed25519);
        assert_eq!(key_type(&ed25519, &[1; 31]), KeyType::Unsupported);
    }
}
