//! The errors of this crate.

use ades_core::{Fault, Retry};
use pkcs12_file::KeyKind;

/// The reason why a file, or a key with its certificates, does not make a signer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The certificates are malformed or do not form a chain.
    #[error(transparent)]
    Certificates(#[from] ades_core::Error),
    /// The file cannot be opened, or a part that is needed cannot be read.
    #[error(transparent)]
    File(#[from] pkcs12_file::Error),
    /// The private key does not belong to the first certificate.
    #[error("the private key does not belong to the first certificate")]
    KeyMismatch,
    /// The private key cannot be read.
    #[error("the private key is malformed; export it again from where it was made")]
    MalformedKey,
    /// None of the envelopes is for a key of the file.
    #[error(
        "no key of the PKCS#12 file opens the document: it is encrypted for the holders of \
         other certificates, or in a way that is not supported"
    )]
    NotARecipient,
    /// None of the file's keys belongs to one of its certificates.
    #[error(
        "the PKCS#12 file has no private key that belongs to one of its certificates \
         (private keys: {keys}, certificates: {certificates}); export the key together with its \
         certificate"
    )]
    NoPair {
        /// the number of private keys
        keys: usize,
        /// the number of certificates
        certificates: usize,
    },
    /// The file has keys with certificates, but not the chosen one.
    #[error(
        "the PKCS#12 file has no private key with the name or certificate {wanted:?}; its keys \
         are: {}", names.join(", ")
    )]
    NoSuchKey {
        /// the name, or the SHA-256 fingerprint of the certificate
        wanted: String,
        /// the names of the file's keys
        names: Vec<String>,
    },
    /// The file has several keys with certificates, and the choice fits more than
    /// one.
    #[error(
        "the PKCS#12 file has several private keys; choose one by its name: {}", names.join(", ")
    )]
    SeveralKeys {
        /// the names of the keys
        names: Vec<String>,
    },
    /// The private key is of a kind that this version does not sign with.
    #[error(
        "the private key is {kind}, which is not supported; use RSA with 2048 to 8192 bits, \
         the curve P-256, P-384 or P-521, or Ed25519"
    )]
    UnsupportedKey {
        /// the kind of the key
        kind: KeyKind,
    },
}

impl Error {
    /// Who has to act before the operation can succeed.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Certificates(error) => error.fault(),
            Self::File(error) => error.fault(),
            Self::UnsupportedKey { .. } => Fault::Unsupported,
            Self::NotARecipient
            | Self::KeyMismatch
            | Self::MalformedKey
            | Self::NoPair { .. }
            | Self::NoSuchKey { .. }
            | Self::SeveralKeys { .. } => Fault::Input,
        }
    }

    /// Whether another try can help. It never does: the same file fails again.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        Retry::Never
    }

    /// Whether another password may open the file.
    #[must_use]
    pub const fn may_be_password(&self) -> bool {
        matches!(self, Self::File(error) if error.may_be_password())
    }
}
