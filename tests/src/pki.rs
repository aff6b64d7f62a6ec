//! A PKI that each test process generates: a root, an issuing CA, and one signer
//! for each type of key.

use std::sync::OnceLock;

use ades_core::{
    Certificate, CertificateChain, Digest, DtbsDigest, SignatureAlgorithm as Algorithm, ToBeSigned,
};
use pkcs12_signer::{Pkcs12Signer, PrivateKey};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, RsaKeySize, SignatureAlgorithm, SigningKey as _, date_time_ymd,
};

mod files;

pub use files::PemFiles;

/// A type of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// RSA 2048
    Rsa2048,
    /// RSA 3072
    Rsa3072,
    /// RSA 4096
    Rsa4096,
    /// P-256
    P256,
    /// P-384
    P384,
    /// P-521
    P521,
    /// Ed25519
    Ed25519,
}

impl Key {
    /// All types.
    pub const ALL: [Self; 7] = [
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Ed25519,
    ];

    /// A PEM that OpenSSL 3.0 reads. rcgen writes Ed25519 keys together with the
    /// public key (RFC 5958, version 2), which OpenSSL 3.0 does not support.
    fn to_pem(self, pair: &KeyPair) -> String {
        const VERSION_1: &[u8] = b"\x30\x2E\x02\x01\x00\x30\x05\x06\x03\x2B\x65\x70\x04\x22";
        match self {
            Self::Ed25519 => {
                let der = pair.serialize_der();
                // The private key: an OCTET STRING of 32 octets within another.
                let start = der.windows(4).position(|w| w == b"\x04\x22\x04\x20").unwrap() + 2;
                pem_of("PRIVATE KEY", &[VERSION_1, &der[start..start + 34]].concat())
            }
            _ => pair.serialize_pem(),
        }
    }

    fn generate(self) -> KeyPair {
        let ec = |algorithm: &'static SignatureAlgorithm| KeyPair::generate_for(algorithm);
        match self {
            Self::Rsa2048 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048),
            Self::Rsa3072 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_3072),
            Self::Rsa4096 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_4096),
            Self::P256 => ec(&rcgen::PKCS_ECDSA_P256_SHA256),
            Self::P384 => ec(&rcgen::PKCS_ECDSA_P384_SHA384),
            Self::P521 => ec(&rcgen::PKCS_ECDSA_P521_SHA512),
            Self::Ed25519 => ec(&rcgen::PKCS_ED25519),
        }
        .unwrap()
    }
}

/// A signer of the test PKI.
#[derive(Debug)]
pub struct TestSigner {
    /// The certificates of the signer, the issuing CA and the root.
    pub chain: CertificateChain,
    /// The private key, as PKCS#8 PEM.
    pub key_pem: String,
    key: PrivateKey,
}

impl TestSigner {
    /// Makes the signature value.
    #[must_use]
    pub fn sign(&self, to_be_signed: &ToBeSigned) -> Vec<u8> {
        self.key.sign(to_be_signed).expect("the test key signs with this algorithm")
    }

    /// Makes the signature value over a digest, as a remote signer does. Ed25519
    /// does not sign digests: use [`sign`](Self::sign).
    #[must_use]
    pub fn sign_digest(&self, algorithm: Algorithm, digest: &[u8]) -> Vec<u8> {
        let digest = Digest::new(algorithm.digest_algorithm(), digest).unwrap();
        self.sign(&ToBeSigned::from_digest(DtbsDigest(digest), algorithm).unwrap())
    }

    /// Makes the signature value over a message.
    #[must_use]
    pub fn sign_message(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        self.sign(&ToBeSigned::new(message.to_vec(), algorithm))
    }

    /// The private key, as PKCS#8 DER.
    #[must_use]
    pub fn key_der(&self) -> Vec<u8> {
        KeyPair::from_pem(&self.key_pem).unwrap().serialize_der()
    }

    /// The signer's certificate.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        self.chain.leaf()
    }

    /// The certificates as PEM. The signer's is the first.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        self.chain.certificates().iter().map(pem).collect()
    }

    /// A `RemoteSigner` with this key.
    #[must_use]
    pub fn remote(&self) -> Pkcs12Signer {
        let key = PrivateKey::from_pkcs8(&self.key_der()).unwrap();
        Pkcs12Signer::new(key, self.chain.clone()).unwrap()
    }
}

/// The contents of a signer's certificate.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The key's type.
    pub key: Key,
    /// keyUsage; if it is empty, the certificate does not have the extension.
    pub key_usages: Vec<KeyUsagePurpose>,
    /// The first and the last day, each as year, month and day.
    pub validity: ((i32, u8, u8), (i32, u8, u8)),
    /// The common name.
    pub common_name: String,
    /// Further extensions.
    pub extensions: Vec<CustomExtension>,
}

impl Profile {
    /// A certificate for electronic signatures.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self {
            key,
            key_usages: vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment],
            validity: ((2020, 1, 1), (2050, 1, 1)),
            common_name: format!("Test Signer {key:?}"),
            extensions: Vec::new(),
        }
    }
}

const ISSUING_CA: &str = "Test Issuing CA";

/// A root, an issuing CA and signers.
#[derive(Debug)]
pub struct Pki {
    root: Certificate,
    root_issuer: Issuer<'static, KeyPair>,
    issuing: Certificate,
    issuer: Issuer<'static, KeyPair>,
    signers: [OnceLock<TestSigner>; Key::ALL.len()],
}

impl Pki {
    /// The PKI that all tests of this process share.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Pki> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    /// Another PKI, with its own keys.
    #[must_use]
    pub fn new() -> Self {
        Self::with_issuing_extensions(Vec::new())
    }

    /// Another PKI, with extensions in the certificate of its issuing CA.
    #[must_use]
    pub fn with_issuing_extensions(extensions: Vec<CustomExtension>) -> Self {
        Self::with_issuing(ISSUING_CA, extensions)
    }

    /// Another PKI, whose issuing CA has this name and these extensions.
    #[must_use]
    pub fn with_issuing(name: &str, extensions: Vec<CustomExtension>) -> Self {
        let (root, root_issuer) = ca("Test Root", None, Vec::new());
        let (issuing, issuer) = ca(name, Some(&root_issuer), extensions);
        Self { root, root_issuer, issuing, issuer, signers: Default::default() }
    }

    /// The signer with this type of key.
    #[must_use]
    pub fn signer(&self, key: Key) -> &TestSigner {
        let at = Key::ALL.iter().position(|k| *k == key).unwrap();
        self.signers[at].get_or_init(|| self.issue(&Profile::new(key)))
    }

    /// Issues a certificate with these contents and a new key.
    #[must_use]
    pub fn issue(&self, profile: &Profile) -> TestSigner {
        let key = profile.key.generate();
        let mut params = params(&profile.common_name);
        let ((y1, m1, d1), (y2, m2, d2)) = profile.validity;
        params.not_before = date_time_ymd(y1, m1, d1);
        params.not_after = date_time_ymd(y2, m2, d2);
        params.key_usages = profile.key_usages.clone();
        params.is_ca = IsCa::ExplicitNoCa;
        params.custom_extensions = profile.extensions.clone();
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        let leaf = Certificate::from_der(leaf.der().to_vec()).unwrap();
        TestSigner {
            chain: CertificateChain::from_leaf(leaf, [self.issuing.clone(), self.root.clone()])
                .unwrap(),
            key: PrivateKey::from_pkcs8(&key.serialize_der()).unwrap(),
            key_pem: profile.key.to_pem(&key),
        }
    }

    /// The issuing CA's certificate.
    #[must_use]
    pub const fn issuing(&self) -> &Certificate {
        &self.issuing
    }

    /// The value of an ECDSA signature with SHA-256 by the issuing CA.
    #[must_use]
    pub fn sign_as_issuing(&self, message: &[u8]) -> Vec<u8> {
        self.issuer.key().sign(message).unwrap()
    }

    /// The value of an ECDSA signature with SHA-256 by the root.
    #[must_use]
    pub fn sign_as_root(&self, message: &[u8]) -> Vec<u8> {
        self.root_issuer.key().sign(message).unwrap()
    }

    /// Another certificate for the issuing CA, with the same name, key and issuer
    /// and another serial number and validity.
    #[must_use]
    pub fn reissued(&self) -> Certificate {
        self.certify_again(&self.root_issuer, 2)
    }

    /// A certificate for the issuing CA's name and key, issued by another PKI's
    /// root.
    #[must_use]
    pub fn cross_signed_by(&self, other: &Self) -> Certificate {
        self.certify_again(&other.root_issuer, 3)
    }

    fn certify_again(&self, by: &Issuer<'static, KeyPair>, serial_number: u64) -> Certificate {
        let mut params = ca_params(ISSUING_CA);
        params.serial_number = Some(serial_number.into());
        params.not_before = date_time_ymd(2021, 1, 1);
        let certificate = params.signed_by(self.issuer.key(), by).unwrap();
        Certificate::from_der(certificate.der().to_vec()).unwrap()
    }

    /// The trust anchor.
    #[must_use]
    pub const fn root(&self) -> &Certificate {
        &self.root
    }

    /// The trust anchor as PEM.
    #[must_use]
    pub fn root_pem(&self) -> String {
        pem(&self.root)
    }
}

impl Default for Pki {
    fn default() -> Self {
        Self::new()
    }
}

fn ca(
    name: &str,
    issuer: Option<&Issuer<'static, KeyPair>>,
    extensions: Vec<CustomExtension>,
) -> (Certificate, Issuer<'static, KeyPair>) {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let mut params = ca_params(name);
    params.custom_extensions = extensions;
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer),
        None => params.self_signed(&key),
    }
    .unwrap();
    let certificate = Certificate::from_der(certificate.der().to_vec()).unwrap();
    (certificate, Issuer::new(params, key))
}

fn ca_params(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2060, 1, 1);
    params
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "BE");
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params
}

/// A certificate as PEM.
#[must_use]
pub fn pem(certificate: &Certificate) -> String {
    pem_of("CERTIFICATE", certificate.der())
}

fn pem_of(label: &str, der: &[u8]) -> String {
    let base64 = ades_core::base64::encode(der);
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
