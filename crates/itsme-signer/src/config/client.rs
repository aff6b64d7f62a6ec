//! The client's certificate and key.

use std::fmt;

use ades_core::chain::certificates_from_pem;
use base64ct::{Base64, Encoding};
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use zeroize::Zeroizing;

use crate::error::Error;

/// The client's certificate and key. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct ClientIdentity {
    /// PEM: the certificate, its issuers, the key
    pem: Zeroizing<String>,
}

/// What is wrong with an identity, and with which half of it.
pub(super) enum Flaw {
    Certificate(&'static str),
    Key(&'static str),
}

impl ClientIdentity {
    /// From PEM text with certificates, the client's first, and its key,
    /// which is not encrypted.
    ///
    /// # Errors
    /// [`Error::Config`] if it does not hold certificates and exactly one key,
    /// or the key is not the certificate's.
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
            _ => return Err(Flaw::Certificate("not PEM certificates")),
        }
        let lines = identity.pem.lines().map(str::trim);
        let keys: Vec<&str> = lines
            .filter_map(|line| line.strip_prefix("-----BEGIN ")?.strip_suffix("PRIVATE KEY-----"))
            .collect();
        match keys.as_slice() {
            [] => Err(Flaw::Key("no PEM private key, neither here nor beside the certificate")),
            ["ENCRYPTED "] => Err(Flaw::Key("encrypted, which only a PKCS#12 file may be")),
            [_] if !fits(&identity.pem) => {
                Err(Flaw::Key("not a key, or that of another certificate"))
            }
            [_] => Ok(identity),
            _ => Err(Flaw::Key("more than one private key")),
        }
    }

    /// For a transport: the PEM text, private key included.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// From a PKCS#12 file.
    ///
    /// # Errors
    /// [`Error::Config`] if it does not open or has not exactly one key.
    pub fn from_pkcs12(file: &[u8], password: &str) -> Result<Self, Error> {
        let fail = |problem: &str| Error::config("client.pkcs12", problem);
        let store = KeyStore::from_pkcs12(file, password, Pkcs12ImportPolicy::Relaxed)
            .map_err(|_| fail("cannot be opened: wrong password, damaged or unsupported"))?;
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

/// Whoever brings the transport reads the key.
#[cfg(not(feature = "https"))]
const fn fits(_: &str) -> bool {
    true
}
