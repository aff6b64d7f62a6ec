#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod envelope;
mod error;
mod key;
mod pairs;

use ades_core::certificate::Certificate;
use ades_core::signer::{
    BoxFuture, Capabilities, IdentificationRequest, IdentificationSession, Identity,
    SignatureValue, SignerError, SignerErrorKind, SigningRequest, SigningSession, Step, StepResult,
};
use ades_core::{CertificateChain, RemoteSigner};

pub use envelope::open_envelope;
pub use error::Error;
pub use key::PrivateKey;
pub use pkcs12_file::MAX_FILE_LEN;

/// A [`RemoteSigner`] over a private key and its certificates.
#[derive(Debug)]
pub struct Pkcs12Signer {
    key: PrivateKey,
    chain: CertificateChain,
}

/// The choice of the key that signs. Without a choice, the file must have exactly
/// one key that belongs to one of its certificates.
///
/// ```no_run
/// use pkcs12_signer::{OpenOptions, Pkcs12Signer};
///
/// let file = std::fs::read("signer.p12")?;
/// let options = OpenOptions::new().key_name("signing");
/// let signer = Pkcs12Signer::open(&file, "password", &options)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    key_name: Option<String>,
    certificate: Option<Certificate>,
}

impl OpenOptions {
    /// Options without a choice.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses a key by its name: the friendly name of the key or of its
    /// certificate (Java's alias), or the SHA-256 fingerprint of its certificate
    /// in hexadecimal digits. If no name matches exactly, upper and lower case do
    /// not matter.
    #[must_use]
    pub fn key_name(mut self, name: impl Into<String>) -> Self {
        self.key_name = Some(name.into());
        self
    }

    /// Chooses the key of this certificate.
    #[must_use]
    pub fn certificate(mut self, certificate: Certificate) -> Self {
        self.certificate = Some(certificate);
        self
    }
}

impl Pkcs12Signer {
    /// Opens a PKCS#12 file. Exactly one of its keys must belong to one of its
    /// certificates; [`open`](Self::open) chooses one of several.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn from_bytes(pkcs12: &[u8], password: &str) -> Result<Self, Error> {
        Self::open(pkcs12, password, &OpenOptions::new())
    }

    /// Opens a PKCS#12 file. It may hold any number of keys and certificates in
    /// any order, and others that this version cannot read.
    ///
    /// # Errors
    /// Any [`Error`]. [`Error::SeveralKeys`] and [`Error::NoSuchKey`] list the names
    /// of the file's keys.
    pub fn open(pkcs12: &[u8], password: &str, options: &OpenOptions) -> Result<Self, Error> {
        let (key, chain) = pairs::choose(pkcs12_file::open(pkcs12, password)?, options)?;
        Ok(Self { key, chain })
    }

    /// A signer over a key and its certificates, the signer's first.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] if the key does not belong to the first certificate.
    pub fn new(key: PrivateKey, chain: CertificateChain) -> Result<Self, Error> {
        if key.belongs_to(chain.leaf()) { Ok(Self { key, chain }) } else { Err(Error::KeyMismatch) }
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
