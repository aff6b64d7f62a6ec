//! A private key that signs digests.

use std::fmt;

use ades_core::{Certificate, DigestAlgorithm, SignatureAlgorithm, ToBeSigned};
use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
};
use pkcs12_file::KeyKind;

use crate::Error;

/// A private key in memory. `Debug` does not show it. AWS-LC holds the key and
/// overwrites it when it is dropped.
pub struct PrivateKey(KeyPairs);

enum KeyPairs {
    Rsa(RsaKeyPair),
    /// The same key for each digest: AWS-LC fixes the digest of an ECDSA key.
    Ecdsa(Vec<(DigestAlgorithm, EcdsaKeyPair)>),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Reads an unencrypted PKCS#8 key in DER (RFC 5958).
    ///
    /// # Errors
    /// [`Error::UnsupportedKey`] if this version does not sign with keys of this
    /// kind, [`Error::MalformedKey`] if it is not PKCS#8 or has wrong values.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        use DigestAlgorithm::{Sha256, Sha384, Sha512};

        if let Ok(key) = RsaKeyPair::from_pkcs8(der) {
            return Ok(Self(KeyPairs::Rsa(key)));
        }
        if let Ok(key) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Ok(Self(KeyPairs::Ed25519(key)));
        }
        let curves: [&[(DigestAlgorithm, &'static EcdsaSigningAlgorithm)]; 3] = [
            &[(Sha256, &signature::ECDSA_P256_SHA256_ASN1_SIGNING)],
            &[(Sha384, &signature::ECDSA_P384_SHA384_ASN1_SIGNING)],
            &[
                (Sha512, &signature::ECDSA_P521_SHA512_ASN1_SIGNING),
                (Sha384, &signature::ECDSA_P521_SHA384_ASN1_SIGNING),
                (Sha256, &signature::ECDSA_P521_SHA256_ASN1_SIGNING),
            ],
        ];
        for algorithms in curves {
            let keys: Vec<_> = algorithms
                .iter()
                .filter_map(|&(digest, algorithm)| {
                    Some((digest, EcdsaKeyPair::from_pkcs8(algorithm, der).ok()?))
                })
                .collect();
            if !keys.is_empty() {
                return Ok(Self(KeyPairs::Ecdsa(keys)));
            }
        }
        Err(match KeyKind::of(der) {
            Some(kind) if !is_supported(&kind) => Error::UnsupportedKey { kind },
            _ => Error::MalformedKey,
        })
    }

    /// The algorithms of this key, the preferred one first.
    #[must_use]
    pub fn algorithms(&self) -> Vec<SignatureAlgorithm> {
        match &self.0 {
            KeyPairs::Rsa(_) => SignatureAlgorithm::ALL
                .into_iter()
                .filter(|a| {
                    matches!(a, SignatureAlgorithm::RsaPkcs1v15(_) | SignatureAlgorithm::RsaPss(_))
                })
                .collect(),
            KeyPairs::Ecdsa(keys) => {
                keys.iter().map(|(digest, _)| SignatureAlgorithm::Ecdsa(*digest)).collect()
            }
            KeyPairs::Ed25519(_) => vec![SignatureAlgorithm::Ed25519],
        }
    }

    /// Whether the certificate has this key.
    pub(crate) fn belongs_to(&self, certificate: &Certificate) -> bool {
        self.public_key_info().is_some_and(|info| info == certificate.public_key_info())
    }

    /// The DER `SubjectPublicKeyInfo` of the public key.
    fn public_key_info(&self) -> Option<Vec<u8>> {
        let der: Result<PublicKeyX509Der<'_>, Unspecified> = match &self.0 {
            KeyPairs::Rsa(key) => key.public_key().as_der(),
            KeyPairs::Ecdsa(keys) => keys.first()?.1.public_key().as_der(),
            KeyPairs::Ed25519(key) => key.public_key().as_der(),
        };
        der.ok().map(|der| der.as_ref().to_vec())
    }

    /// Signs, and returns the signature value. `None` if this key does not have
    /// the algorithm.
    #[must_use]
    pub fn sign(&self, to_be_signed: &ToBeSigned) -> Option<Vec<u8>> {
        let algorithm = to_be_signed.algorithm();
        let digest = to_be_signed.digest().0.value();
        let digest = Digest::import_less_safe(digest, digest_algorithm(algorithm)?).ok()?;
        match (&self.0, algorithm) {
            (KeyPairs::Rsa(key), _) => {
                let mut value = vec![0; key.public_modulus_len()];
                key.sign_digest(rsa_encoding(algorithm)?, &digest, &mut value).ok()?;
                Some(value)
            }
            (KeyPairs::Ecdsa(keys), SignatureAlgorithm::Ecdsa(with)) => {
                let (_, key) = keys.iter().find(|(digest, _)| *digest == with)?;
                key.sign_digest(&digest).ok().map(|value| value.as_ref().to_vec())
            }
            (KeyPairs::Ed25519(key), SignatureAlgorithm::Ed25519)
                if !to_be_signed.data().is_empty() =>
            {
                Some(key.sign(to_be_signed.data()).as_ref().to_vec())
            }
            _ => None,
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

/// Whether [`PrivateKey::from_pkcs8`] reads keys of this kind.
fn is_supported(kind: &KeyKind) -> bool {
    match kind {
        KeyKind::Rsa { bits } => bits.is_none_or(|bits| (2048..=8192).contains(&bits)),
        KeyKind::Ec { curve } => matches!(curve.as_deref(), Some("P-256" | "P-384" | "P-521")),
        KeyKind::Other { algorithm } => algorithm == "Ed25519",
        // A later version of pkcs12-file may know more.
        _ => false,
    }
}

fn digest_algorithm(algorithm: SignatureAlgorithm) -> Option<&'static digest::Algorithm> {
    match algorithm.digest_algorithm() {
        DigestAlgorithm::Sha256 => Some(&digest::SHA256),
        DigestAlgorithm::Sha384 => Some(&digest::SHA384),
        DigestAlgorithm::Sha512 => Some(&digest::SHA512),
        // A later version of ades-core may have more.
        _ => None,
    }
}

fn rsa_encoding(algorithm: SignatureAlgorithm) -> Option<&'static dyn RsaEncoding> {
    use DigestAlgorithm::{Sha256, Sha384, Sha512};
    use SignatureAlgorithm::{RsaPkcs1v15, RsaPss};

    Some(match algorithm {
        RsaPkcs1v15(Sha256) => &signature::RSA_PKCS1_SHA256,
        RsaPkcs1v15(Sha384) => &signature::RSA_PKCS1_SHA384,
        RsaPkcs1v15(Sha512) => &signature::RSA_PKCS1_SHA512,
        RsaPss(Sha256) => &signature::RSA_PSS_SHA256,
        RsaPss(Sha384) => &signature::RSA_PSS_SHA384,
        RsaPss(Sha512) => &signature::RSA_PSS_SHA512,
        _ => return None,
    })
}
