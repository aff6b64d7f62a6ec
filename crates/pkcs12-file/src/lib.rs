#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod bags;
mod ber_octets;
mod derivation;
mod digest;
mod encryption;
mod error;
mod key;
mod mac;
mod other_file;
mod password;
mod pfx;

pub use encryption::decrypt_content;
pub use error::{Error, Limit, Part};
pub use key::{Key, KeyKind};
pub use other_file::OtherFile;

use bags::SafeReader;
use derivation::Budget;
use mac::Integrity;
use password::Passwords;
use pfx::Pfx;

/// Maximum length of a PKCS#12 file, in octets.
pub const MAX_FILE_LEN: usize = 1024 * 1024;

/// Maximum number of bags in a file.
pub const MAX_BAGS: usize = 1000;

/// Maximum number of iterations of all key derivations of a file together, those
/// with other encodings of the password included. A unit of scrypt's work counts
/// as an iteration.
pub const MAX_ITERATIONS: u64 = 20_000_000;

/// The content of a PKCS#12 file.
#[derive(Debug, Default)]
pub struct Contents {
    keys: Vec<Key>,
    certificates: Vec<CertificateBag>,
    unreadable: Vec<Error>,
}

/// A certificate, and its attributes in the file.
#[derive(Clone, Debug)]
pub struct CertificateBag {
    der: Vec<u8>,
    names: Names,
}

/// The attributes of a bag (RFC 7292, 4.2).
#[derive(Clone, Debug, Default)]
struct Names {
    friendly_name: Option<String>,
    local_key_id: Option<Vec<u8>>,
}

impl Contents {
    /// The private keys, in the file's order.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The certificates, in the file's order.
    #[must_use]
    pub fn certificates(&self) -> &[CertificateBag] {
        &self.certificates
    }

    /// Why parts of the file could not be read. If a key or a certificate is
    /// missing, this is the reason.
    #[must_use]
    pub fn unreadable(&self) -> &[Error] {
        &self.unreadable
    }

    /// The first reason of [`unreadable`](Self::unreadable), for callers that return it as an
    /// error.
    #[must_use]
    pub fn into_unreadable(self) -> Option<Error> {
        self.unreadable.into_iter().next()
    }
}

impl CertificateBag {
    /// The octets of the certificate.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The name that users see (RFC 2985, 5.5.1).
    #[must_use]
    pub fn friendly_name(&self) -> Option<&str> {
        self.names.friendly_name.as_deref()
    }

    /// The id that the certificate shares with its key (RFC 2985, 5.5.2).
    #[must_use]
    pub fn local_key_id(&self) -> Option<&[u8]> {
        self.names.local_key_id.as_deref()
    }
}

/// Opens a PKCS#12 file.
///
/// Octets after the end of the PKCS#12 structure are ignored, as by OpenSSL.
///
/// # Errors
/// Any [`Error`]. A part that cannot be read is an error only if the file has no
/// key without it; otherwise [`Contents::unreadable`] has the reason.
pub fn open(file: &[u8], password: &str) -> Result<Contents, Error> {
    if file.len() > MAX_FILE_LEN {
        return Err(Error::FileTooLarge { found: file.len() });
    }
    let pfx = Pfx::read(file)?;
    let mut passwords = Passwords::new(password);
    let mut budget = Budget::new();
    let integrity = match &pfx.mac {
        None => Integrity::Unknown,
        Some(mac) => mac.check(&pfx.authenticated_safe, &mut passwords, &mut budget)?,
    };
    let mut reader = SafeReader::new(&passwords, &mut budget, integrity);
    let read = reader.authenticated_safe(&pfx.authenticated_safe);
    let has_decrypted = reader.has_decrypted();
    let contents = reader.into_contents();
    if integrity == Integrity::Broken {
        // A part that decrypts shows that the password is right.
        return Err(if has_decrypted { Error::Damaged } else { Error::WrongPassword });
    }
    read?;
    if contents.keys.is_empty() && !contents.unreadable.is_empty() {
        return Err(contents.into_unreadable().unwrap_or(Error::Damaged));
    }
    Ok(contents)
}
