//! Keys that sign evidence.

use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};

use crate::SandboxError;
use crate::der;

/// 1.2.840.113549.1.1.11: sha256WithRSAEncryption
const RSA_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B];
/// 1.2.840.10045.4.3.2: ecdsa-with-SHA256
const ECDSA_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];

/// A key that signs digests. A CRL may be too long to be held.
pub(crate) enum SigningKey {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
}

impl SigningKey {
    /// Reads an RSA key or a P-256 key. `None` if it is another one.
    pub(super) fn from_pkcs8(pkcs8: &[u8]) -> Option<Self> {
        let rsa = RsaKeyPair::from_pkcs8(pkcs8).map(Self::Rsa);
        let ecdsa = |_| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8);
        rsa.or_else(|error| ecdsa(error).map(Self::Ecdsa)).ok()
    }

    /// `AlgorithmIdentifier` of its signatures.
    pub(crate) fn algorithm(&self) -> Vec<u8> {
        match self {
            Self::Rsa(_) => der::sequence(&[&der::oid(RSA_SHA256), der::NULL]),
            Self::Ecdsa(_) => der::sequence(&[&der::oid(ECDSA_SHA256)]),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SandboxError> {
        self.sign_digest(&digest(&SHA256, message))
    }

    /// Signs a SHA-256 digest.
    pub(crate) fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, SandboxError> {
        let value = match self {
            Self::Rsa(key) => {
                let mut value = vec![0; key.public_modulus_len()];
                key.sign_digest(&RSA_PKCS1_SHA256, digest, &mut value).map(|()| value)
            }
            Self::Ecdsa(key) => key.sign_digest(digest).map(|value| value.as_ref().to_vec()),
        };
        value.map_err(|error: Unspecified| SandboxError::making("a signature value")(error))
    }
}
