#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod key;

use ades_core::certificate::Certificate;
use ades_core::signer::{
    BoxFuture, Capabilities, IdentificationRequest, IdentificationSession, Identity,
    SignatureValue, SignerError, SignerErrorKind, SigningRequest, SigningSession, Step, StepResult,
};
use ades_core::{CertificateChain, Fault, RemoteSigner, Retry};
use p12_keystore::Pkcs12Archive;

pub use key::PrivateKey;

/// Maximum length of a PKCS#12 file, in octets.
pub const MAX_FILE_LEN: usize = 1024 * 1024;

/// A [`RemoteSigner`] over a private key and its certificates.
#[derive(Debug)]
pub struct Pkcs12Signer {
    key: PrivateKey,
    chain: CertificateChain,
}

/// Why a signer cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be opened: the password is wrong, or the file is damaged
    /// or has an unsupported encryption
    #[error(
        "the PKCS#12 file cannot be opened: wrong password, damaged file, or unsupported encryption"
    )]
    CannotOpen(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The certificates are malformed or do not form a chain
    #[error(transparent)]
    Certificates(#[from] ades_core::Error),
    /// The file is longer than [`MAX_FILE_LEN`]
    #[error("the PKCS#12 file has {found} octets; it must have at most {MAX_FILE_LEN}")]
    FileTooLarge {
        /// the length of the file in octets
        found: usize,
    },
    /// The private key does not belong to the first certificate
    #[error("the private key does not belong to the first certificate")]
    KeyMismatch,
    /// The file does not have exactly one private key that belongs to one of its
    /// certificates
    #[error(
        "the PKCS#12 file has {found} private keys that belong to one of its certificates; it \
         must have exactly one"
    )]
    NotOneKey {
        /// the number of such keys
        found: usize,
    },
    /// The private key is malformed or of an unsupported kind
    #[error("the private key is malformed or of an unsupported kind")]
    UnsupportedKey,
}

impl Error {
    /// Who has to act for the error to go away.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::FileTooLarge { .. } => Fault::Limit,
            Self::UnsupportedKey => Fault::Unsupported,
            Self::Certificates(error) => error.fault(),
            Self::CannotOpen(_) | Self::NotOneKey { .. } | Self::KeyMismatch => Fault::Input,
        }
    }

    /// Which kind of retry may help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::CannotOpen(_)
            | Self::Certificates(_)
            | Self::FileTooLarge { .. }
            | Self::KeyMismatch
            | Self::NotOneKey { .. }
            | Self::UnsupportedKey => Retry::Never,
        }
    }
}

impl Pkcs12Signer {
    /// Opens a PKCS#12 file. It may hold any number of keys and certificates in
    /// any order. Exactly one key must belong to one of the certificates; this
    /// pair signs.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn from_bytes(pkcs12: &[u8], password: &str) -> Result<Self, Error> {
        if pkcs12.len() > MAX_FILE_LEN {
            return Err(Error::FileTooLarge { found: pkcs12.len() });
        }
        let archive = Pkcs12Archive::from_pkcs12(pkcs12, password)
            .map_err(|e| Error::CannotOpen(Box::new(e)))?;
        // The file may also hold certificates and keys that this version cannot
        // read. They do no harm as long as one pair is readable.
        let certificates: Vec<Certificate> = archive
            .certs
            .iter()
            .filter_map(|bag| Certificate::from_der(bag.cert.as_der()).ok())
            .collect();
        let keys: Vec<PrivateKey> = archive
            .keys
            .iter()
            .filter_map(|bag| PrivateKey::from_pkcs8(bag.key.as_der()).ok())
            .collect();
        if keys.is_empty() && !archive.keys.is_empty() {
            return Err(Error::UnsupportedKey);
        }
        let mut pairs: Vec<(PrivateKey, Certificate)> = Vec::new();
        for key in keys {
            let own = certificates.iter().find(|c| is_pair(&key, c));
            if let Some(leaf) = own.filter(|leaf| pairs.iter().all(|(_, known)| known != *leaf)) {
                pairs.push((key, leaf.clone()));
            }
        }
        let found = pairs.len();
        match (pairs.pop(), found) {
            (Some((key, leaf)), 1) => {
                Ok(Self { key, chain: CertificateChain::from_leaf(leaf, certificates)? })
            }
            _ => Err(Error::NotOneKey { found }),
        }
    }

    /// A signer over a key and its certificates, the signer's first.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] if the key does not belong to the first certificate.
    pub fn new(key: PrivateKey, chain: CertificateChain) -> Result<Self, Error> {
        if is_pair(&key, chain.leaf()) { Ok(Self { key, chain }) } else { Err(Error::KeyMismatch) }
    }

    /// The certificates, starting with the signer's.
    #[must_use]
    pub const fn chain(&self) -> &CertificateChain {
        &self.chain
    }
}

impl RemoteSigner for Pkcs12Signer {
    fn capabilities(&self) -> Capabilities {
        Capabilities::immediate("pkcs12", self.key.algorithms())
    }

    fn identify(
        &self,
        _request: IdentificationRequest,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
        let identity = Identity::new(self.chain.clone(), None);
        Box::pin(async { Ok(Step::Done(identity)) })
    }

    fn sign(
        &self,
        request: SigningRequest,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        Box::pin(async move {
            request.check(&self.capabilities())?;
            let values = request
                .items
                .iter()
                .map(|item| {
                    let value = self.key.sign(&item.to_be_signed).ok_or(
                        SignerErrorKind::UnsupportedAlgorithm {
                            algorithm: item.to_be_signed.algorithm(),
                        },
                    )?;
                    Ok(SignatureValue::new(&item.id, value))
                })
                .collect::<Result<_, SignerError>>()?;
            Ok(Step::Done(values))
        })
    }
}

fn is_pair(key: &PrivateKey, certificate: &Certificate) -> bool {
    key.public_key_info().is_some_and(|info| info == certificate.public_key_info())
}
