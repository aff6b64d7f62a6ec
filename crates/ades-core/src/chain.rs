//! The signer's certificate and the certificates that lead from it towards a
//! trust anchor, put in order from any order.

use serde::{Deserialize, Serialize};

use crate::certificate::Certificate;
use crate::error::{CertificateLimit, Error};
use crate::verify::verify_issued_by;

/// No chain may have more certificates.
pub const MAX_CHAIN_LEN: usize = 32;
/// No bundle of trust anchors may have more certificates.
pub const MAX_ANCHORS: usize = 1024;
/// No PEM text of trust anchors may have more octets.
pub const MAX_ANCHORS_LEN: usize = 4 * 1024 * 1024;

/// The signer's certificate first, then its issuers in order.
///
/// Where two certificates could be the same issuer (a CA re-issued with the
/// same name and key), the one whose own chain goes further comes first and
/// the other stays beside it: a verifier may need either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<Certificate>", try_from = "Vec<Certificate>")]
pub struct CertificateChain(Vec<Certificate>);

impl CertificateChain {
    /// Orders certificates that may come in any order, with duplicates and
    /// with strangers among them; strangers are left out.
    ///
    /// # Errors
    /// [`Error::NoCertificate`], [`Error::CertificateLimit`], and
    /// [`Error::AmbiguousLeaf`] if not exactly one is nobody's issuer.
    pub fn from_unordered(
        certificates: impl IntoIterator<Item = Certificate>,
    ) -> Result<Self, Error> {
        let certificates = distinct(certificates)?;
        if certificates.is_empty() {
            return Err(Error::NoCertificate);
        }
        let issues_another = |c: &Certificate| {
            certificates.iter().any(|other| other != c && other.names_as_issuer(c))
        };
        let mut leaves: Vec<_> =
            certificates.iter().filter(|c| !issues_another(c) && !c.is_ca()).collect();
        if leaves.is_empty() {
            // A CA's certificate alone: to be found unfit later, with that reason.
            leaves = certificates.iter().filter(|c| !issues_another(c)).collect();
        }
        match leaves.as_slice() {
            [leaf] => {
                let leaf = (*leaf).clone();
                Self::from_leaf(leaf, certificates)
            }
            _ => Err(Error::AmbiguousLeaf { candidates: leaves.len() }),
        }
    }

    /// Orders the issuers of a certificate that is known to be the signer's.
    ///
    /// # Errors
    /// [`Error::CertificateLimit`]
    pub fn from_leaf(
        leaf: Certificate,
        others: impl IntoIterator<Item = Certificate>,
    ) -> Result<Self, Error> {
        let mut rest = distinct(others)?;
        rest.retain(|c| *c != leaf);
        let mut chain = vec![leaf.clone()];
        let mut subject = leaf;
        while !subject.is_self_issued() {
            let (mut issuers, others): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|c| is_issuer(c, &subject));
            rest = others;
            issuers.sort_by_key(|issuer| {
                let leads_on = issuer.is_self_issued() || rest.iter().any(|c| is_issuer(c, issuer));
                (std::cmp::Reverse(leads_on), std::cmp::Reverse(issuer.validity().0))
            });
            let Some(first) = issuers.first().cloned() else {
                break;
            };
            chain.append(&mut issuers);
            subject = first;
        }
        Ok(Self(chain))
    }

    /// Reads every certificate of a PEM text, in any order, whatever the line
    /// ends, with text around and between, and orders them.
    ///
    /// # Errors
    /// As [`Self::from_unordered`], and [`Error::MalformedPem`].
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        Self::from_unordered(certificates_from_pem(text)?)
    }

    /// The signer's certificate.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        // Not empty by construction.
        #[allow(clippy::indexing_slicing)]
        &self.0[0]
    }

    /// All certificates, the signer's first.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.0
    }

    /// Whether the chain ends in a self-issued certificate, that is, whether
    /// nothing is missing between the signer and a root.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.0.iter().any(Certificate::is_self_issued)
    }
}

impl From<CertificateChain> for Vec<Certificate> {
    fn from(chain: CertificateChain) -> Self {
        chain.0
    }
}

impl TryFrom<Vec<Certificate>> for CertificateChain {
    type Error = Error;

    /// From a stored chain, whose order stays as it is.
    fn try_from(certificates: Vec<Certificate>) -> Result<Self, Error> {
        let certificates = distinct(certificates)?;
        if certificates.is_empty() { Err(Error::NoCertificate) } else { Ok(Self(certificates)) }
    }
}

/// Reads every `CERTIFICATE` block of a PEM text (RFC 7468; lax about line
/// ends, line lengths, a byte order mark, surrounding text and a missing last
/// line break). Text around blocks has lines of its own: a block that begins
/// within one is not overlooked, but an error.
///
/// # Errors
/// [`Error::MalformedPem`], [`Error::MalformedCertificate`],
/// [`Error::CertificateLimit`]
pub fn certificates_from_pem(text: &str) -> Result<Vec<Certificate>, Error> {
    from_pem(text, MAX_CHAIN_LEN, CertificateLimit::Chain)
}

/// As [`certificates_from_pem`], for a bundle of trust anchors: up to
/// [`MAX_ANCHORS`] in a text of up to [`MAX_ANCHORS_LEN`] octets. Keys that this
/// version does not verify with may be among them; a block that is no
/// certificate spoils the bundle, as it does for OpenSSL.
///
/// # Errors
/// As [`certificates_from_pem`].
pub fn anchors_from_pem(text: &str) -> Result<Vec<Certificate>, Error> {
    if text.len() > MAX_ANCHORS_LEN {
        return Err(Error::CertificateLimit { limit: CertificateLimit::AnchorsLen });
    }
    from_pem(text, MAX_ANCHORS, CertificateLimit::Anchors)
}

fn from_pem(text: &str, max: usize, limit: CertificateLimit) -> Result<Vec<Certificate>, Error> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut certificates = Vec::new();
    let mut block: Option<(usize, String)> = None;
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        match (&mut block, content) {
            (None, BEGIN) => block = Some((line, String::new())),
            (None, around) if around.contains(BEGIN) => return Err(Error::MalformedPem { line }),
            (None, _) => {}
            (Some((begin, body)), "-----END CERTIFICATE-----") => {
                let der =
                    crate::base64::decode(body).ok_or(Error::MalformedPem { line: *begin })?;
                if certificates.len() == max {
                    return Err(Error::CertificateLimit { limit });
                }
                certificates.push(Certificate::from_der(der)?);
                block = None;
            }
            (Some(_), marker) if marker.starts_with("-----") => {
                return Err(Error::MalformedPem { line });
            }
            (Some((_, body)), content) => {
                body.extend(content.chars().filter(|c| !c.is_ascii_whitespace()));
            }
        }
    }
    match block {
        Some((line, _)) => Err(Error::MalformedPem { line }),
        None => Ok(certificates),
    }
}

fn is_issuer(issuer: &Certificate, subject: &Certificate) -> bool {
    issuer != subject
        && subject.names_as_issuer(issuer)
        && verify_issued_by(subject, issuer) != Some(false)
}

fn distinct(
    certificates: impl IntoIterator<Item = Certificate>,
) -> Result<Vec<Certificate>, Error> {
    let mut distinct: Vec<Certificate> = Vec::new();
    for certificate in certificates {
        if !distinct.contains(&certificate) {
            if distinct.len() == MAX_CHAIN_LEN {
                return Err(Error::CertificateLimit { limit: CertificateLimit::Chain });
            }
            distinct.push(certificate);
        }
    }
    Ok(distinct)
}
