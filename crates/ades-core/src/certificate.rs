//! X.509 certificates: read once, kept as the bytes they came in.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use der::asn1::AnyRef;
use der::{Decode, Encode, Reader, SliceReader, Tag, Tagged};
use serde::{Deserialize, Serialize};
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, KeyUsage, SubjectKeyIdentifier,
};

use crate::Oid;
use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::base64;
use crate::digest::Digest;
use crate::error::{Error, NotFit};

/// No certificate may be longer, in octets.
pub const MAX_CERTIFICATE_LEN: usize = 64 * 1024;

/// An X.509 certificate.
///
/// The original bytes are what is hashed, compared and written out: nothing is
/// ever encoded again. Serialises as the base64 of its DER. `Debug` shows no
/// name: subjects can hold national register numbers.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Certificate(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    serial: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    spki: Range<usize>,
    tbs: Range<usize>,
    signature_algorithm: Range<usize>,
    signature: Vec<u8>,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
    key: KeyType,
    key_usage: Option<KeyUsage>,
    is_ca: bool,
    subject_key_id: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
    policies: Vec<Oid>,
    common_name: Option<String>,
}

/// The kind of public key in a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyType {
    /// RSA
    Rsa {
        /// length of the modulus
        bits: usize,
    },
    /// NIST P-256
    P256,
    /// NIST P-384
    P384,
    /// NIST P-521
    P521,
    /// Ed25519
    Ed25519,
    /// A key this version cannot verify with
    Unsupported,
}

impl KeyType {
    /// Whether a key of this type can make such signatures.
    #[must_use]
    pub const fn fits(self, algorithm: SignatureAlgorithm) -> bool {
        matches!(
            (self, algorithm),
            (Self::Rsa { .. }, SignatureAlgorithm::RsaPkcs1v15(_) | SignatureAlgorithm::RsaPss(_))
                | (Self::P256 | Self::P384 | Self::P521, SignatureAlgorithm::Ecdsa(_))
                | (Self::Ed25519, SignatureAlgorithm::Ed25519)
        )
    }

    /// What this key signs with when nobody says otherwise:
    /// RSASSA-PKCS1-v1_5 with SHA-256, or ECDSA with the curve's own digest.
    #[must_use]
    pub const fn default_algorithm(self) -> Option<SignatureAlgorithm> {
        match self {
            Self::Rsa { .. } => Some(SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha256)),
            Self::P256 => Some(SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256)),
            Self::P384 => Some(SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha384)),
            Self::P521 => Some(SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha512)),
            Self::Ed25519 => Some(SignatureAlgorithm::Ed25519),
            Self::Unsupported => None,
        }
    }

    /// The longest signature value this key can make, in octets: exact for RSA
    /// and Ed25519, the longest DER `SEQUENCE { r, s }` for ECDSA.
    #[must_use]
    pub const fn max_value_len(self) -> usize {
        match self {
            Self::Rsa { bits } => bits.div_ceil(8),
            Self::P256 => 72,
            Self::P384 => 104,
            Self::P521 => 139,
            Self::Ed25519 => 64,
            Self::Unsupported => 0,
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::P256 => f.write_str("P-256"),
            Self::P384 => f.write_str("P-384"),
            Self::P521 => f.write_str("P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Unsupported => f.write_str("unsupported"),
        }
    }
}

/// What the signer's `keyUsage` must allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UsageCheck {
    /// `nonRepudiation` (contentCommitment): what qualified certificates for
    /// signatures have (EN 319 412-2, 4.3.2).
    NonRepudiation,
    /// `digitalSignature` or `nonRepudiation`; an absent extension allows both.
    Signature,
}

impl Certificate {
    /// Reads a DER certificate.
    ///
    /// # Errors
    /// [`Error::MalformedCertificate`], [`Error::CertificateLimit`]
    pub fn from_der(der: impl Into<Vec<u8>>) -> Result<Self, Error> {
        let der = der.into();
        if der.len() > MAX_CERTIFICATE_LEN {
            return Err(Error::CertificateLimit { limit: "64 KiB for one certificate" });
        }
        parse(der).map(|parsed| Self(Arc::new(parsed))).map_err(|e| Error::MalformedCertificate {
            offset: e
                .position()
                .and_then(|position| usize::try_from(u32::from(position)).ok())
                .unwrap_or(0),
        })
    }

    /// The original bytes.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The digest of the original bytes: `certHash` of ESS
    /// signing-certificate-v2 (RFC 5035) and of XAdES's `CertDigest`.
    #[must_use]
    pub fn digest(&self, algorithm: DigestAlgorithm) -> Digest {
        Digest::of(algorithm, self.der())
    }

    /// The issuer's DER `Name`, as it stands.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        self.slice(&self.0.issuer)
    }

    /// The subject's DER `Name`, as it stands.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        self.slice(&self.0.subject)
    }

    /// The serial number's DER `INTEGER`, as it stands.
    #[must_use]
    pub fn serial_number(&self) -> &[u8] {
        self.slice(&self.0.serial)
    }

    /// The DER `SubjectPublicKeyInfo`, as it stands.
    #[must_use]
    pub fn public_key_info(&self) -> &[u8] {
        self.slice(&self.0.spki)
    }

    /// What the issuer signed, the algorithm's identifier, and the value.
    pub(crate) fn issuer_signature(&self) -> (&[u8], &[u8], &[u8]) {
        (self.slice(&self.0.tbs), self.slice(&self.0.signature_algorithm), &self.0.signature)
    }

    /// The kind of public key.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.0.key
    }

    /// First and last second of the validity.
    #[must_use]
    pub fn validity(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.0.not_before, self.0.not_after)
    }

    /// Whether basicConstraints say that it is a CA's.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.0.is_ca
    }

    /// Whether subject and issuer are the same name.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject() == self.issuer()
    }

    /// The subject key identifier, if there is one.
    #[must_use]
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.0.subject_key_id.as_deref()
    }

    /// The policy identifiers of the certificatePolicies extension.
    #[must_use]
    pub fn policies(&self) -> &[Oid] {
        &self.0.policies
    }

    /// The subject's common name: personal data, to be shown to the user and
    /// not to be logged.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.0.common_name.as_deref()
    }

    /// Whether names and key identifiers let `issuer` be this certificate's
    /// issuer. The signature is another matter: see [`crate::verify::verify_issued_by`].
    #[must_use]
    pub fn names_as_issuer(&self, issuer: &Self) -> bool {
        self.issuer() == issuer.subject()
            && match (&self.0.authority_key_id, &issuer.0.subject_key_id) {
                (Some(ours), Some(theirs)) => ours == theirs,
                _ => true,
            }
    }

    /// Checks that a signature may be made with this certificate at `time`:
    /// validity, key, key usage, not a CA's.
    ///
    /// # Errors
    /// [`Error::CertificateNotFit`] with the first reason found.
    pub fn check_fit(&self, time: DateTime<Utc>, usage: UsageCheck) -> Result<(), Error> {
        let p = &self.0;
        let reason = if p.key == KeyType::Unsupported {
            Some(NotFit::KeyUnsupported)
        } else if let KeyType::Rsa { bits } = p.key
            && bits < 2048
        {
            Some(NotFit::WeakKey { bits })
        } else if p.is_ca {
            Some(NotFit::CertificationAuthority)
        } else if time < p.not_before {
            Some(NotFit::NotYetValid { not_before: p.not_before })
        } else if time > p.not_after {
            Some(NotFit::Expired { not_after: p.not_after })
        } else {
            match (usage, p.key_usage) {
                (UsageCheck::NonRepudiation, None) => {
                    Some(NotFit::KeyUsage { needed: "nonRepudiation" })
                }
                (UsageCheck::NonRepudiation, Some(u)) if !u.non_repudiation() => {
                    Some(NotFit::KeyUsage { needed: "nonRepudiation" })
                }
                (UsageCheck::Signature, Some(u))
                    if !u.non_repudiation() && !u.digital_signature() =>
                {
                    Some(NotFit::KeyUsage { needed: "digitalSignature or nonRepudiation" })
                }
                _ => None,
            }
        };
        reason.map_or(Ok(()), |reason| Err(Error::CertificateNotFit(reason)))
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        // The ranges were made from this very buffer.
        self.0.der.get(range.clone()).unwrap_or_default()
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {:?})", self.0.key, self.digest(DigestAlgorithm::Sha256))
    }
}

impl From<Certificate> for String {
    fn from(certificate: Certificate) -> Self {
        base64::encode(certificate.der())
    }
}

impl TryFrom<String> for Certificate {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::from_der(base64::decode(&text).ok_or(Error::MalformedBase64)?)
    }
}

fn parse(der: Vec<u8>) -> Result<Parsed, der::Error> {
    let certificate = CertificateInner::<Raw>::from_der(&der)?;
    let tbs = certificate.tbs_certificate();
    let spans = spans(&der)?;
    let time = |t: x509_cert::time::Time| {
        i64::try_from(t.to_unix_duration().as_secs())
            .ok()
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            .ok_or_else(|| der::Error::from(der::ErrorKind::DateTime))
    };
    let validity = tbs.validity();
    let (not_before, not_after) = (time(validity.not_before)?, time(validity.not_after)?);
    let octets = |id: &der::asn1::OctetString| id.as_bytes().to_vec();
    let parsed = Parsed {
        serial: spans.serial,
        issuer: spans.issuer,
        subject: spans.subject,
        spki: spans.spki,
        tbs: spans.tbs,
        signature_algorithm: spans.signature_algorithm,
        signature: certificate
            .signature()
            .as_bytes()
            .ok_or_else(|| der::Error::from(Tag::BitString.value_error()))?
            .to_vec(),
        not_before,
        not_after,
        key: key_type(tbs.subject_public_key_info()),
        key_usage: tbs.get_extension::<KeyUsage>()?.map(|(_, usage)| usage),
        is_ca: tbs.get_extension::<BasicConstraints>()?.is_some_and(|(_, c)| c.ca),
        subject_key_id: tbs.get_extension::<SubjectKeyIdentifier>()?.map(|(_, id)| octets(&id.0)),
        authority_key_id: tbs
            .get_extension::<AuthorityKeyIdentifier>()?
            .and_then(|(_, id)| id.key_identifier.as_ref().map(octets)),
        policies: tbs
            .get_extension::<CertificatePolicies>()?
            .map(|(_, p)| p.0.iter().map(|i| i.policy_identifier.into()).collect())
            .unwrap_or_default(),
        common_name: common_name(tbs.subject()),
        der: Vec::new(),
    };
    Ok(Parsed { der, ..parsed })
}

struct Spans {
    tbs: Range<usize>,
    serial: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    spki: Range<usize>,
    signature_algorithm: Range<usize>,
}

/// Where the fields stand that others sign, compare or copy (RFC 5280, 4.1).
fn spans(der: &[u8]) -> Result<Spans, der::Error> {
    let base = der.as_ptr() as usize;
    let range = |part: &[u8]| {
        let start = part.as_ptr() as usize - base;
        start..start + part.len()
    };
    let value = |tlv| AnyRef::from_der(tlv).map(|any: AnyRef<'_>| any.value());
    let mut outer = SliceReader::new(value(der)?)?;
    let tbs = outer.tlv_bytes()?;
    let signature_algorithm = outer.tlv_bytes()?;
    let mut fields = SliceReader::new(value(tbs)?)?;
    if fields.peek_byte() == Some(0xA0) {
        fields.tlv_bytes()?; // version
    }
    let serial = fields.tlv_bytes()?;
    fields.tlv_bytes()?; // signature
    let issuer = fields.tlv_bytes()?;
    fields.tlv_bytes()?; // validity
    let subject = fields.tlv_bytes()?;
    let spki = fields.tlv_bytes()?;
    Ok(Spans {
        tbs: range(tbs),
        serial: range(serial),
        issuer: range(issuer),
        subject: range(subject),
        spki: range(spki),
        signature_algorithm: range(signature_algorithm),
    })
}

fn key_type(info: &x509_cert::spki::SubjectPublicKeyInfoOwned) -> KeyType {
    let curve = || {
        let parameters = info.algorithm.parameters.as_ref()?;
        parameters.decode_as::<const_oid::ObjectIdentifier>().ok().map(|oid| oid.to_string())
    };
    match info.algorithm.oid.to_string().as_str() {
        // A key restricted to RSASSA-PSS (…1.10) is left for a later version.
        "1.2.840.113549.1.1.1" => info
            .subject_public_key
            .as_bytes()
            .and_then(modulus_bits)
            .map_or(KeyType::Unsupported, |bits| KeyType::Rsa { bits }),
        "1.2.840.10045.2.1" => match curve().as_deref() {
            Some("1.2.840.10045.3.1.7") => KeyType::P256,
            Some("1.3.132.0.34") => KeyType::P384,
            Some("1.3.132.0.35") => KeyType::P521,
            _ => KeyType::Unsupported,
        },
        "1.3.101.112" => KeyType::Ed25519,
        _ => KeyType::Unsupported,
    }
}

/// The length of the modulus of an `RSAPublicKey` (RFC 8017, A.1.1).
fn modulus_bits(key: &[u8]) -> Option<usize> {
    let any = AnyRef::from_der(key).ok()?;
    let mut fields = SliceReader::new(any.value()).ok()?;
    let modulus = der::asn1::UintRef::decode(&mut fields).ok()?;
    let first = modulus.as_bytes().first()?;
    let leading = usize::try_from(first.leading_zeros()).ok()?;
    (modulus.as_bytes().len() * 8).checked_sub(leading)
}

/// The last common name (2.5.4.3) of a subject, as text.
fn common_name(subject: &x509_cert::name::Name) -> Option<String> {
    let attribute = subject.iter().filter(|a| a.oid.to_string() == "2.5.4.3").last()?;
    let value = attribute.value.to_der().ok()?;
    let any = AnyRef::from_der(&value).ok()?;
    match any.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
            std::str::from_utf8(any.value()).ok().map(ToOwned::to_owned)
        }
        Tag::TeletexString => Some(any.value().iter().map(|&b| char::from(b)).collect()),
        Tag::BmpString => {
            let (pairs, []) = any.value().as_chunks::<2>() else {
                return None;
            };
            String::from_utf16(&pairs.iter().map(|&p| u16::from_be_bytes(p)).collect::<Vec<_>>())
                .ok()
        }
        _ => None,
    }
}
