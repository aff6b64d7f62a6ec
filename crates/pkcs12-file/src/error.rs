//! The errors of this crate.

use std::fmt;

use ades_core::asn1::ber;
use ades_core::{Fault, Retry};

use crate::other_file::OtherFile;
use crate::{MAX_BAGS, MAX_FILE_LEN, MAX_ITERATIONS};

/// Why a PKCS#12 file, or a part of it, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A part cannot be decrypted, and the file has no MAC that could show the
    /// cause.
    #[error(
        "the PKCS#12 file cannot be decrypted: the password is wrong or the file is damaged; the \
         file has no MAC that would show which"
    )]
    CannotDecrypt,
    /// The password opens the file, but the file's MAC differs: octets were
    /// changed.
    #[error(
        "the PKCS#12 file is damaged: the password is right, but the MAC of the content differs; \
         get another copy of the file"
    )]
    Damaged,
    /// The file is longer than [`MAX_FILE_LEN`].
    #[error("the PKCS#12 file has {found} octets; it must have at most {MAX_FILE_LEN}")]
    FileTooLarge {
        /// the length of the file in octets
        found: usize,
    },
    /// The file exceeds a limit.
    #[error("the PKCS#12 file exceeds a limit: {limit}")]
    Limit {
        /// the limit
        limit: Limit,
    },
    /// The octets violate BER or RFC 7292.
    #[error("the PKCS#12 file is damaged: {what} at octet {offset} of {part}")]
    Malformed {
        /// the part that is malformed
        part: Part,
        /// the position in that part; the first octet is 0
        offset: u64,
        /// the fault
        what: &'static str,
    },
    /// The file is of another kind.
    #[error("not a PKCS#12 file: {found}")]
    OtherFile {
        /// the kind of the file
        found: OtherFile,
    },
    /// The password is that of the file's MAC, but a part has another one.
    #[error(
        "the password opens the PKCS#12 file, but not {part}: that part has another password; \
         export the file again with one password"
    )]
    OtherPassword {
        /// the part that cannot be decrypted
        part: Part,
    },
    /// The file is shorter than its first element says.
    #[error("the PKCS#12 file is truncated: it has {found} octets of {expected}")]
    Truncated {
        /// the length that the file states, in octets
        expected: u64,
        /// the length of the file in octets
        found: usize,
    },
    /// The file needs an algorithm or a feature that this version does not have.
    #[error(
        "the PKCS#12 file has {what}, which is not supported; convert it with \
         \"openssl pkcs12 -in FILE -nodes\" and \"openssl pkcs12 -export\""
    )]
    Unsupported {
        /// the algorithm or the feature
        what: String,
    },
    /// The file's MAC shows that the password is wrong.
    #[error("the password of the PKCS#12 file is wrong")]
    WrongPassword,
}

/// A limit on PKCS#12 files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// [`MAX_BAGS`]
    Bags,
    /// Nested elements or safes
    Depth,
    /// [`MAX_ITERATIONS`]
    Iterations,
    /// The length of a derived key
    KeyLength,
    /// The memory that scrypt needs
    Memory,
}

/// A part of a PKCS#12 file (RFC 7292, 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The whole file, a `PFX`
    File,
    /// The `AuthenticatedSafe`
    AuthenticatedSafe,
    /// A `SafeContents`
    SafeContents,
    /// A private key
    Key,
}

impl Error {
    /// Who has to act before the operation can succeed.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::FileTooLarge { .. } | Self::Limit { .. } => Fault::Limit,
            Self::Unsupported { .. } => Fault::Unsupported,
            Self::CannotDecrypt
            | Self::Damaged
            | Self::Malformed { .. }
            | Self::OtherFile { .. }
            | Self::OtherPassword { .. }
            | Self::Truncated { .. }
            | Self::WrongPassword => Fault::Input,
        }
    }

    /// Whether another try can help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        Retry::Never
    }

    /// Whether another password may open the file.
    #[must_use]
    pub const fn may_be_password(&self) -> bool {
        matches!(self, Self::CannotDecrypt | Self::OtherPassword { .. } | Self::WrongPassword)
    }

    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }
}

impl Part {
    /// Converts an error of the BER reader that happened in this part.
    pub(crate) const fn malformed(self, error: ber::Error) -> Error {
        match error {
            ber::Error::Malformed { offset, what } => Error::Malformed { part: self, offset, what },
            ber::Error::TooDeep => Error::Limit { limit: Limit::Depth },
            ber::Error::TooManyElements => Error::Limit { limit: Limit::Bags },
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bags => write!(f, "it has more than {MAX_BAGS} bags or attributes"),
            Self::Depth => f.write_str("its elements are nested too deep"),
            Self::Iterations => {
                write!(f, "its key derivations need more than {MAX_ITERATIONS} iterations")
            }
            Self::KeyLength => f.write_str("a derived key has more than 64 octets"),
            Self::Memory => f.write_str("scrypt needs more than 128 MiB"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "the file",
            Self::AuthenticatedSafe => "the authenticated safe",
            Self::SafeContents => "a safe",
            Self::Key => "a private key",
        })
    }
}
