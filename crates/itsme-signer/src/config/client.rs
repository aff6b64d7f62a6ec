//! The client certificate and its key.

use std::fmt;

use ades_core::chain::certificates_from_pem;
use base64ct::{Base64, Encoding};
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use zeroize::Zeroizing;

use crate::error::Error;

/// The client certificate and its key, for mutual TLS. `Debug` shows neither.
#[derive(Clone)]
pub struct ClientIdentity {
    /// PEM: the certificate, its issuers, the key
    pem: Zeroizing<String>,
}

/// Which half of an identity has which problem.
pub(super) enum Flaw {
    Certificate(&'static str),
    Key(&'static str),
}

impl ClientIdentity {
    /// From PEM text that holds the client certificate, then its issuers, and
    /// the unencrypted private key.
    ///
    /// # Errors
    /// [`Error::Config`] if the text does not hold certificates and exactly
    /// one key, or if the key belongs to another certificate.
    pub fn from_pem(pem: impl Into<String>) -> Result<Self, Error> {
        Self::checked(pem.into()).map_err(|flaw| match flaw {
            Flaw::Certificate(problem) => Error::config("client.certificate", problem),
            Flaw::Key(problem) => Error::config("client.key", problem),
        })
    }

    pub(super) fn checked(pem: String) -> Result<Self, Flaw> {
        let identity = Self { pem: Zeroizing::new(pem) };
        match certificates_from_pem(&identity.pem) {
            Ok(certificates) if !certificates.is_empty() => {}
            _ => return Err(Flaw::Certificate("is not PEM certificates")),
        }
        let lines = identity.pem.lines().map(str::trim);
        let keys: Vec<&str> = lines
            .filter_map(|line| line.strip_prefix("-----BEGIN ")?.strip_suffix("PRIVATE KEY-----"))
            .collect();
        match keys.as_slice() {
            [] => Err(Flaw::Key("has no PEM private key: add it to the file, or set client.key")),
            ["ENCRYPTED "] => {
                Err(Flaw::Key("has an encrypted key: decrypt it, or use client.pkcs12"))
            }
            [_] if !fits(&identity.pem) => {
                Err(Flaw::Key("has a malformed private key, or the key of another certificate"))
            }
            [_] => Ok(identity),
            _ => Err(Flaw::Key("has more than one private key")),
        }
    }

    /// The PEM text with the private key, for a transport.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// From a PKCS#12 file.
    ///
    /// # Errors
    /// [`Error::Config`] if the file cannot be opened or does not hold exactly
    /// one key.
    pub fn from_pkcs12(file: &[u8], password: &str) -> Result<Self, Error> {
        let fail = |problem: &str| Error::config("client.pkcs12", problem);
        let store =
            KeyStore::from_pkcs12(file, password, Pkcs12ImportPolicy::Relaxed).map_err(|_| {
                fail("cannot be opened: wrong password, damaged, or unsupported encryption")
            })?;
        let (_, chain) = store.private_key_chain().ok_or_else(|| fail("has no private key"))?;
        let block = |label: &str, der: &[u8]| {
            format!(
                "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
                Base64::encode_string(der)
            )
        };
        let mut pem: String =
            chain.certs().iter().map(|c| block("CERTIFICATE", c.as_der())).collect();
        pem.push_str(&block("PRIVATE KEY", chain.key().as_der()));
        Self::checked(pem).map_err(|flaw| match flaw {
            Flaw::Certificate(problem) | Flaw::Key(problem) => fail(problem),
        })
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(..)")
    }
}

#[cfg(feature = "https")]
fn fits(pem: &str) -> bool {
    crate::https::key_fits(pem)
}

/// Without the feature `https`, the caller's own transport parses the key.
#[cfg(not(feature = "https"))]
const fn fits(_: &str) -> bool {
    true
}
