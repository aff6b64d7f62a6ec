//! The client certificate and its key.

use std::fmt;

use ades_core::chain::certificates_from_pem;
use ades_core::{Certificate, CertificateChain};
use base64ct::{Base64, Encoding};
use pkcs12_file::{CertificateBag, Contents, Key};
use zeroize::Zeroizing;

use crate::error::Error;

/// The client certificate and its key, for mutual TLS. `Debug` shows neither.
#[derive(Clone)]
pub struct ClientIdentity {
    /// PEM: the certificate, its issuers, the key
    pem: Zeroizing<String>,
}

/// A problem with the certificate or with the key of an identity.
pub(super) enum Flaw {
    Certificate(&'static str),
    Key(&'static str),
}

impl ClientIdentity {
    /// Reads PEM text with the client certificate, its issuers after it, and the
    /// unencrypted private key in any place.
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

    /// Reads a PKCS#12 file.
    ///
    /// # Errors
    /// [`Error::Config`] if the file cannot be opened or does not hold exactly
    /// one key with its certificate.
    pub fn from_pkcs12(file: &[u8], password: &str) -> Result<Self, Error> {
        let fail = |problem: &str| Error::config("client.pkcs12", problem);
        let contents = pkcs12_file::open(file, password)
            .map_err(|error| fail(&format!("cannot be opened: {error}")))?;
        let key = match contents.keys() {
            [] => return Err(fail("has no private key")),
            [key] => key,
            keys => {
                let problem = format!("has {} private keys: keep the client's only", keys.len());
                return Err(fail(&problem));
            }
        };
        let mut flaw = None;
        for chain in chains(&contents, key) {
            match Self::checked(pem(&chain, key)) {
                Ok(identity) => return Ok(identity),
                Err(found) => flaw = Some(found),
            }
        }
        Err(match (flaw, contents.into_unreadable()) {
            (Some(Flaw::Certificate(problem) | Flaw::Key(problem)), _) => fail(problem),
            (None, Some(error)) => fail(&format!("has no certificate: {error}")),
            (None, None) => fail("has no certificate"),
        })
    }
}

/// A chain for each certificate that could be the key's. The certificate that
/// shares the key's local id is the first.
fn chains(contents: &Contents, key: &Key) -> Vec<CertificateChain> {
    let id = key.local_key_id();
    let shares_id = |bag: &CertificateBag| id.is_some() && bag.local_key_id() == id;
    let mut certificates: Vec<(bool, Certificate)> = contents
        .certificates()
        .iter()
        .filter_map(|bag| Some((shares_id(bag), Certificate::from_der(bag.der()).ok()?)))
        .collect();
    certificates.sort_by_key(|(shares_id, _)| !shares_id);
    let all = || certificates.iter().map(|(_, certificate)| certificate.clone());
    all().filter_map(|leaf| CertificateChain::from_leaf(leaf, all()).ok()).collect()
}

/// The chain and the key as PEM.
fn pem(chain: &CertificateChain, key: &Key) -> String {
    let block = |label: &str, der: &[u8]| {
        let base64 = Zeroizing::new(Base64::encode_string(der));
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", *base64)
    };
    let certificates = chain.certificates().iter();
    let certificates: String = certificates.map(|c| block("CERTIFICATE", c.der())).collect();
    // A text that grows would leave copies of the key in freed memory.
    let mut pem = String::with_capacity(certificates.len() + 2 * key.pkcs8().len() + 100);
    pem.push_str(&certificates);
    pem.push_str(&Zeroizing::new(block("PRIVATE KEY", key.pkcs8())));
    pem
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
