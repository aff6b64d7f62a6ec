//! A P-256 key and its certificate, self-signed or issued by another key, for tests that
//! need neither a C compiler nor other programs. The same names give the same keys,
//! certificates and signature values in every run.
#![deny(missing_docs)]

use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{DerSignature, SigningKey};
use sha2::{Digest, Sha256};

/// `ecdsa-with-SHA256` (RFC 5758, 3.2).
const ECDSA_WITH_SHA256: &[u8] = b"\x30\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02";
/// `id-ecPublicKey` with the curve `secp256r1` (RFC 5480, 2.1.1).
const P256_KEY: &[u8] =
    b"\x30\x13\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01\x06\x08\x2A\x86\x48\xCE\x3D\x03\x01\x07";
/// The attribute type `commonName` (RFC 5280, A.1).
const COMMON_NAME: &[u8] = b"\x06\x03\x55\x04\x03";
/// From 2020 to 2049.
const VALIDITY: &[u8] = b"\x30\x1E\x17\x0D200101000000Z\x17\x0D491231235959Z";
/// keyUsage, critical: digitalSignature and nonRepudiation.
const KEY_USAGE: &[u8] = b"\x30\x0E\x06\x03\x55\x1D\x0F\x01\x01\xFF\x04\x04\x03\x02\x06\xC0";

/// keyUsage, critical: keyCertSign and cRLSign.
const CA_KEY_USAGE: &[u8] = b"\x30\x0E\x06\x03\x55\x1D\x0F\x01\x01\xFF\x04\x04\x03\x02\x01\x06";
/// basicConstraints, critical: a CA.
const CA: &[u8] = b"\x30\x0F\x06\x03\x55\x1D\x13\x01\x01\xFF\x04\x05\x30\x03\x01\x01\xFF";

/// A key with its certificate.
#[derive(Clone)]
pub struct TestKey {
    key: SigningKey,
    /// The subject, as DER.
    name: Vec<u8>,
    certificate: Vec<u8>,
}

impl TestKey {
    /// The key of this common name.
    ///
    /// # Panics
    /// If the common name has more than 64 octets.
    #[must_use]
    pub fn new(common_name: &str) -> Self {
        Self::certified(common_name, None, KEY_USAGE)
    }

    /// The key of this common name, with the certificate of a certification authority.
    ///
    /// # Panics
    /// If the common name has more than 64 octets.
    #[must_use]
    pub fn authority(common_name: &str) -> Self {
        Self::certified(common_name, None, &[CA_KEY_USAGE, CA].concat())
    }

    /// The key of this common name, with a certificate that this key issues. `extensions`
    /// are further ones, as DER.
    ///
    /// # Panics
    /// If the common name has more than 64 octets.
    #[must_use]
    pub fn issue(&self, common_name: &str, extensions: &[u8]) -> Self {
        Self::certified(common_name, Some(self), &[KEY_USAGE, extensions].concat())
    }

    fn certified(common_name: &str, issuer: Option<&Self>, extensions: &[u8]) -> Self {
        assert!(common_name.len() <= 64, "ub-common-name is 64 (RFC 5280, A.1)");
        let seed = Sha256::digest(common_name);
        let key = SigningKey::from_slice(&seed).expect("a digest is a private key of P-256");
        let point = key.verifying_key().to_sec1_point(false);
        let public_key = element(0x03, &[&[0], point.as_bytes()]);
        let name = [COMMON_NAME, &element(0x0C, &[common_name.as_bytes()])].concat();
        let name = element(0x30, &[&element(0x31, &[&element(0x30, &[&name])])]);
        let serial_number = [&[0x01][..], &seed[..8]].concat();
        let certificate = element(
            0x30,
            &[
                b"\xA0\x03\x02\x01\x02",
                &element(0x02, &[&serial_number]),
                ECDSA_WITH_SHA256,
                issuer.map_or(&name, |issuer| &issuer.name),
                VALIDITY,
                &name,
                &element(0x30, &[P256_KEY, &public_key]),
                &element(0xA3, &[&element(0x30, &[extensions])]),
            ],
        );
        let signer = issuer.map_or(&key, |issuer| &issuer.key);
        let value = sign(signer, &Sha256::digest(&certificate));
        let value = element(0x03, &[&[0], &value]);
        let certificate = element(0x30, &[&certificate, ECDSA_WITH_SHA256, &value]);
        Self { key, name, certificate }
    }

    /// The certificate, as DER. Unless another key issued it, it is its own issuer.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The private key, as the DER of PKCS#8 (RFC 5208, RFC 5915).
    #[must_use]
    pub fn private_key(&self) -> Vec<u8> {
        let point = self.key.verifying_key().to_sec1_point(false);
        let public_key = element(0xA1, &[&element(0x03, &[&[0], point.as_bytes()])]);
        let secret = element(0x04, &[&self.key.to_bytes()]);
        let key = element(0x30, &[&[0x02, 0x01, 0x01], &secret, &public_key]);
        element(0x30, &[&[0x02, 0x01, 0x00], P256_KEY, &element(0x04, &[&key])])
    }

    /// An ECDSA signature value over a digest of SHA-256, as DER: what a remote
    /// signer answers.
    #[must_use]
    pub fn sign_digest(&self, digest: &[u8]) -> Vec<u8> {
        sign(&self.key, digest)
    }
}

impl std::fmt::Debug for TestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestKey").finish_non_exhaustive()
    }
}

fn sign(key: &SigningKey, digest: &[u8]) -> Vec<u8> {
    let value: DerSignature = key.sign_prehash(digest).expect("a digest of SHA-256 is signed");
    value.as_bytes().to_vec()
}

/// An element of DER with fewer than 65,536 octets.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [high, low] = u16::try_from(content.len()).expect("a short element").to_be_bytes();
    let header = match (high, low) {
        (0, 0..0x80) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [header, content].concat()
}
