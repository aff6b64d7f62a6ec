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
use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy, PrivateKeyChain};

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
    /// The file has no private key, or more than one.
    #[error("the PKCS#12 file has {found} private keys with a certificate, not one")]
    NotOneKey {
        /// how many
        found: usize,
    },
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
            Self::CannotOpen(_) | Self::NotOneKey { .. } => Fault::Input,
        }
    }

    /// Whether another try may help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        Retry::Never
    }
}

impl Pkcs12Signer {
    /// Opens a PKCS#12 file with one private key.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub fn from_pkcs12(file: &[u8], password: &str) -> Result<Self, Error> {
        if file.len() > MAX_FILE_LEN {
            return Err(Error::FileTooLarge);
        }
        let store = KeyStore::from_pkcs12(file, password, Pkcs12ImportPolicy::Relaxed)
            .map_err(|e| Error::CannotOpen(Box::new(e)))?;
        let entries: Vec<&PrivateKeyChain> = store
            .entries()
            .filter_map(|(_, entry)| match entry {
                KeyStoreEntry::PrivateKeyChain(chain) if !chain.certs().is_empty() => Some(chain),
                _ => None,
            })
            .collect();
        let [entry] = entries.as_slice() else {
            return Err(Error::NotOneKey { found: entries.len() });
        };
        let read = |c: &p12_keystore::Certificate| Certificate::from_der(c.as_der());
        // Issuers may stand beside the key's own chain.
        let beside = store.entries().filter_map(|(_, entry)| match entry {
            KeyStoreEntry::Certificate(certificate) => Some(read(certificate)),
            _ => None,
        });
        let mut certificates = entry.certs().iter().map(read).chain(beside);
        let leaf = certificates.next().ok_or(ades_core::Error::NoCertificate)??;
        let issuers = certificates.collect::<Result<Vec<_>, _>>()?;
        let chain = CertificateChain::from_leaf(leaf, issuers)?;
        Self::new(PrivateKey::from_pkcs8(entry.key().as_der())?, chain)
    }

    /// A key and its certificates from elsewhere.
    ///
    /// # Errors
    /// [`Error::UnsupportedKey`] if the key is not of the certificate's type.
    pub fn new(key: PrivateKey, chain: CertificateChain) -> Result<Self, Error> {
        let same_type = key.algorithms().iter().all(|&a| chain.leaf().key_type().fits(a));
        if same_type { Ok(Self { key, chain }) } else { Err(Error::UnsupportedKey) }
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
                    Ok(SignatureValue { id: item.id.clone(), value })
                })
                .collect::<Result<_, SignerError>>()?;
            Ok(Step::Done(values))
        })
    }
}
