//! The signer's certificate and its issuers, put in order from any order.

use serde::{Deserialize, Serialize};

use crate::asn1::ber::Reader;
use crate::asn1::der;
use crate::certificate::Certificate;
use crate::error::{CertificateLimit, Error};
use crate::verify::verify_issued_by;

/// Maximum number of certificates in a chain.
pub const MAX_CHAIN_LEN: usize = 32;
/// Maximum number of certificates in a bundle of trust anchors.
pub const MAX_ANCHORS: usize = 1024;
/// Maximum length of a PEM bundle of trust anchors, in octets.
pub const MAX_ANCHORS_LEN: usize = 4 * 1024 * 1024;

/// The signer's certificate, followed by its issuers in order.
///
/// One certificate can have two issuers, for instance if a CA has two
/// certificates for the same name and key. The issuer whose own chain continues
/// comes first. The other follows it, because a verifier may need either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<Certificate>", try_from = "Vec<Certificate>")]
pub struct CertificateChain(Vec<Certificate>);

impl CertificateChain {
    /// Orders certificates that come in any order. Duplicates and certificates
    /// that are not part of the chain are left out.
    ///
    /// # Errors
    /// [`Error::NoCertificate`], [`Error::CertificateLimit`], and
    /// [`Error::AmbiguousLeaf`] unless exactly one certificate could be the
    /// signer's.
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
            // There are only CA certificates. `check_fit` rejects them with a
            // better reason than this function could give.
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

    /// Orders the issuers of the signer's certificate.
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
                let continues =
                    issuer.is_self_issued() || rest.iter().any(|c| is_issuer(c, issuer));
                (std::cmp::Reverse(continues), std::cmp::Reverse(issuer.validity().0))
            });
            let Some(first) = issuers.first().cloned() else {
                break;
            };
            chain.append(&mut issuers);
            subject = first;
        }
        Ok(Self(chain))
    }

    /// Reads all certificates of a PEM text, as [`certificates_from_pem`] does,
    /// and orders them, as [`from_unordered`](Self::from_unordered) does.
    ///
    /// # Errors
    /// Those of the two functions.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        Self::from_unordered(certificates_from_pem(text)?)
    }

    /// The signer's certificate.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        // A chain is never empty.
        #[allow(clippy::indexing_slicing)]
        &self.0[0]
    }

    /// All certificates. The signer's is the first.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.0
    }

    /// Whether every certificate after the first issued one before it, as in every
    /// chain that this type orders. A restored chain is not ordered again, and
    /// somebody may have changed it.
    ///
    /// A signature that this version cannot verify counts as correct.
    #[must_use]
    pub fn is_linked(&self) -> bool {
        let issued = |issuer: &Certificate, subject: &Certificate| {
            subject.names_as_issuer(issuer)
                && names_its_algorithm(subject)
                && verify_issued_by(subject, issuer) != Some(false)
        };
        self.0
            .iter()
            .enumerate()
            .skip(1)
            .all(|(at, issuer)| self.0.iter().take(at).any(|subject| issued(issuer, subject)))
    }

    /// Whether the chain has a self-issued certificate, so that none is missing
    /// between the signer and a root.
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

    /// Restores a stored chain. The order stays as it is.
    fn try_from(certificates: Vec<Certificate>) -> Result<Self, Error> {
        let certificates = distinct(certificates)?;
        if certificates.is_empty() { Err(Error::NoCertificate) } else { Ok(Self(certificates)) }
    }
}

/// Reads all `CERTIFICATE` blocks of a PEM text (RFC 7468).
///
/// Any line ends, any line lengths, a byte order mark, surrounding text and a
/// missing last line break are accepted. A block that begins in the middle of a
/// line is an error, so that it is not overlooked as surrounding text.
///
/// # Errors
/// [`Error::MalformedPem`], [`Error::MalformedCertificate`],
/// [`Error::CertificateLimit`]
pub fn certificates_from_pem(text: &str) -> Result<Vec<Certificate>, Error> {
    from_pem(text, MAX_CHAIN_LEN, CertificateLimit::Chain)
}

/// Reads a bundle of up to [`MAX_ANCHORS`] trust anchors in a PEM text of up to
/// [`MAX_ANCHORS_LEN`] octets, as [`certificates_from_pem`] does.
///
/// Certificates whose keys this version cannot verify with are accepted. A block
/// that is not a certificate makes the bundle an error, as in OpenSSL.
///
/// # Errors
/// Those of [`certificates_from_pem`].
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

/// Whether the algorithm beside the signature is the one that was signed (RFC 5280,
/// 4.1.1.2). Otherwise anybody could make the signature one that cannot be verified.
fn names_its_algorithm(certificate: &Certificate) -> bool {
    let (tbs, algorithm, _) = certificate.issuer_signature();
    let signed = || {
        let mut fields = Reader::new(tbs, 0).try_next().ok()??.children();
        fields.next_if(der::context(0)).ok()?;
        let _serial_number = fields.try_next().ok()?;
        fields.try_next().ok()?
    };
    signed().is_some_and(|signed| signed.raw == algorithm)
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
