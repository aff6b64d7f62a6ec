//! Needs: what a caller has to fetch so that a signature can be judged or extended.
//!
//! A need is a value with a stable id and can be stored: the answer may come from a
//! network, a cache or a file, at once or days later. This crate fetches nothing.

use std::fmt;

use ades_core::asn1::ber::Element;
use ades_core::asn1::der::{OID, SEQUENCE};
use ades_core::{Certificate, Digest, DigestAlgorithm, base64};
use serde::{Deserialize, Serialize};

use crate::fields::{next, only};
use crate::ocsp::OcspRequest;
use crate::token::TimeStampRequest;

/// Maximum number of addresses of one kind that are read from a certificate.
pub const MAX_URLS: usize = 16;
/// Maximum length of an address, in octets.
pub const MAX_URL_LEN: usize = 2048;
/// Maximum number of elements in one extension.
const MAX_ELEMENTS: usize = 256;

/// authorityInfoAccess, 1.3.6.1.5.5.7.1.1
const AUTHORITY_INFO_ACCESS: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 1, 1];
/// id-ad-ocsp
const OCSP: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1];
/// id-ad-caIssuers
const CA_ISSUERS: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 2];
const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1D, 31];
/// uniformResourceIdentifier in `GeneralName`
const URI: u8 = 0x86;

/// Something to be fetched. The addresses come from certificates: whoever fetches must
/// check where they lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Need {
    /// An OCSP response.
    Ocsp {
        /// What is sent.
        request: OcspRequest,
        /// The responders that the certificate names, the preferred one first.
        urls: Vec<String>,
    },
    /// A CRL.
    Crl {
        /// Where the certificate says that it is. Each may have another CRL.
        urls: Vec<String>,
    },
    /// The certificate of an issuer.
    Issuer {
        /// Where the certificate says that it is.
        urls: Vec<String>,
        /// The DER of the issuer's `Name`.
        name: Octets,
        /// The key identifier of the issuer's key, if it is named.
        aki: Option<Octets>,
    },
    /// A time-stamp.
    TimeStamp {
        /// What is sent.
        request: TimeStampRequest,
    },
}

impl Need {
    /// The status of `certificate`, which `issuer` has issued. `None` if the certificate
    /// names no responder.
    #[must_use]
    pub fn ocsp(
        certificate: &Certificate,
        issuer: &Certificate,
        nonce: Option<&[u8]>,
    ) -> Option<Self> {
        let urls = Urls::of(certificate).ocsp;
        let request = OcspRequest::new(certificate, issuer, DigestAlgorithm::Sha1, nonce)?;
        (!urls.is_empty()).then_some(Self::Ocsp { request, urls })
    }

    /// The CRLs with the status of a certificate. `None` if it names none.
    #[must_use]
    pub fn crl(certificate: &Certificate) -> Option<Self> {
        let urls = Urls::of(certificate).crls;
        (!urls.is_empty()).then_some(Self::Crl { urls })
    }

    /// The issuer of a certificate.
    #[must_use]
    pub fn issuer(certificate: &Certificate) -> Self {
        Self::Issuer {
            urls: Urls::of(certificate).issuers,
            name: Octets(certificate.issuer().to_vec()),
            aki: certificate.authority_key_id().map(|identifier| Octets(identifier.to_vec())),
        }
    }

    /// The same for the same thing, also with another nonce or in another process.
    #[must_use]
    pub fn id(&self) -> NeedId {
        let mut parts: Vec<&[u8]> = Vec::new();
        let kind = match self {
            Self::Ocsp { request, .. } => {
                parts.push(request.certificate_id().unwrap_or(request.der()));
                "ocsp"
            }
            Self::Crl { urls } => {
                parts.extend(urls.iter().map(String::as_bytes));
                "crl"
            }
            Self::Issuer { name, aki, .. } => {
                parts.push(&name.0);
                parts.extend(aki.as_ref().map(|aki| aki.0.as_slice()));
                "issuer"
            }
            Self::TimeStamp { request } => {
                parts.push(request.without_nonce());
                "time-stamp"
            }
        };
        // The lengths keep the parts apart.
        let octets: Vec<u8> = parts
            .iter()
            .flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.to_vec()))
            .collect();
        let digest = Digest::of(DigestAlgorithm::Sha256, &octets).to_hex();
        NeedId(format!("{kind}-{}", digest.get(..32).unwrap_or(&digest)))
    }
}

/// What a need is known by. Serialises as text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NeedId(String);

impl fmt::Display for NeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Octets that serialise as base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Octets(pub Vec<u8>);

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Octets({})", self.0.len())
    }
}

impl From<Octets> for String {
    fn from(octets: Octets) -> Self {
        base64::encode(&octets.0)
    }
}

impl TryFrom<String> for Octets {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        base64::decode(&text).map(Self).ok_or("not base64")
    }
}

/// The addresses in a certificate: those of http and https, each once. LDAP is left out,
/// because nothing here speaks it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Urls {
    /// OCSP responders (RFC 5280, 4.2.2.1).
    pub ocsp: Vec<String>,
    /// Certificates of the issuer (RFC 5280, 4.2.2.1).
    pub issuers: Vec<String>,
    /// CRLs (RFC 5280, 4.2.1.13).
    pub crls: Vec<String>,
}

impl Urls {
    /// Reads them. What is malformed is left out.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Self {
        let mut urls = Self::default();
        for extension in certificate.extensions() {
            // What comes after a malformed part is left out.
            let _ = match extension.kind {
                AUTHORITY_INFO_ACCESS => urls.take_access(extension.value),
                CRL_DISTRIBUTION_POINTS => urls.take_points(extension.value),
                _ => None,
            };
        }
        urls
    }

    /// `SEQUENCE OF AccessDescription`
    fn take_access(&mut self, value: &[u8]) -> Option<()> {
        for description in only(value, SEQUENCE)?.children().all(MAX_ELEMENTS).ok()? {
            let mut fields = description.children();
            let method = next(&mut fields, OID)?;
            let location = fields.try_next().ok()??;
            match method.content {
                OCSP => add(&mut self.ocsp, &location),
                CA_ISSUERS => add(&mut self.issuers, &location),
                _ => {}
            }
        }
        Some(())
    }

    /// `SEQUENCE OF DistributionPoint`: the URIs in `[0]` `[0]`.
    fn take_points(&mut self, value: &[u8]) -> Option<()> {
        for point in only(value, SEQUENCE)?.children().all(MAX_ELEMENTS).ok()? {
            let Some(name) = point.children().next_if(0xA0).ok()? else { continue };
            let Some(names) = name.children().next_if(0xA0).ok()? else { continue };
            names.children().each(MAX_ELEMENTS, |name| add(&mut self.crls, &name)).ok()?;
        }
        Some(())
    }
}

fn add(urls: &mut Vec<String>, name: &Element<'_>) {
    let text = std::str::from_utf8(name.content).ok().filter(|url| {
        let scheme = |scheme: &str| {
            url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        let plain = url.bytes().all(|octet| octet.is_ascii_graphic());
        name.tag == URI
            && plain
            && url.len() <= MAX_URL_LEN
            && (scheme("http://") || scheme("https://"))
    });
    if let Some(url) = text
        && urls.len() < MAX_URLS
        && !urls.iter().any(|known| known == url)
    {
        urls.push(url.to_owned());
    }
}
