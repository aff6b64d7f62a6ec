//! A [`RemoteSigner`] over a private key at hand: in a PKCS#12 file
//! (RFC 7292) or as PKCS#8. It answers at once.
//!
//! RSA (PKCS#1 v1.5 and PSS), ECDSA (P-256, P-384, P-521) and Ed25519.
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

/// No PKCS#12 file may be longer, in octets.
pub const MAX_FILE_LEN: usize = 1024 * 1024;

/// A key at hand, with its certificates.
#[derive(Debug)]
pub struct Pkcs12Signer {
    key: PrivateKey,
    chain: CertificateChain,
}

/// Why there is no signer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is larger than [`MAX_FILE_LEN`].
    #[error("the PKCS#12 file is larger than 1 MiB")]
    FileTooLarge,
    /// The file does not read: it is damaged, uses an encryption that is not
    /// supported, or the password is wrong.
    #[error(
        "the PKCS#12 file cannot be opened: wrong password, damaged, or an unsupported encryption"
    )]
    CannotOpen(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file has no private key that belongs to one of its certificates,
    /// or more than one.
    #[error("the PKCS#12 file has {found} private keys with their certificate, not one")]
    NotOneKey {
        /// how many
        found: usize,
    },
    /// Key and certificate are not a pair.
    #[error("the private key is not the certificate's")]
    KeyMismatch,
    /// The key is of a kind that is not supported, or malformed.
    #[error("the private key is malformed or of an unsupported kind")]
    UnsupportedKey,
    /// The certificates do not read or do not make a chain.
    #[error(transparent)]
    Certificates(#[from] ades_core::Error),
}

impl Error {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::FileTooLarge => Fault::Limit,
            Self::UnsupportedKey => Fault::Unsupported,
            Self::Certificates(error) => error.fault(),
            Self::CannotOpen(_) | Self::NotOneKey { .. } | Self::KeyMismatch => Fault::Input,
        }
    }

    /// Whether another try may help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        Retry::Never
    }
}

impl Pkcs12Signer {
    /// Opens a PKCS#12 file. It may hold any number of keys and certificates,
    /// in any order, as long as one key belongs to one of the certificates:
    /// that pair signs.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub fn from_bytes(pkcs12: &[u8], password: &str) -> Result<Self, Error> {
        if pkcs12.len() > MAX_FILE_LEN {
            return Err(Error::FileTooLarge);
        }
        let archive = Pkcs12Archive::from_pkcs12(pkcs12, password)
            .map_err(|e| Error::CannotOpen(Box::new(e)))?;
        // What does not read may stand beside what is needed.
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

    /// A key and its certificates from elsewhere.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] if the key is not the first certificate's.
    pub fn new(key: PrivateKey, chain: CertificateChain) -> Result<Self, Error> {
        if is_pair(&key, chain.leaf()) { Ok(Self { key, chain }) } else { Err(Error::KeyMismatch) }
    }

    /// The certificates, the signer's first.
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
