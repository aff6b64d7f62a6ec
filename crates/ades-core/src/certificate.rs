//! X.509 certificates: parsed once and kept as their original octets.

mod key_type;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use der::asn1::{AnyRef, BitStringRef, OctetStringRef};
use der::{Decode, Reader, SliceReader, Tag, Tagged};
use serde::{Deserialize, Serialize};
use x509_cert::certificate::Rfc5280;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};
use x509_cert::time::{Time, Validity};

use crate::Oid;
use crate::algorithm::DigestAlgorithm;
use crate::base64;
use crate::digest::Digest;
use crate::error::{Error, NotFit};

pub use key_type::KeyType;

/// Maximum length of a certificate, in octets.
pub const MAX_CERTIFICATE_LEN: usize = 64 * 1024;

/// An X.509 certificate.
///
/// The original octets are digested, compared and written; they are never
/// encoded again. Serialises as the base64 of its DER. `Debug` shows no name,
/// because subjects can contain national register numbers.
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
    extensions: Extensions,
    common_name: Option<String>,
}

/// The usage that the signer's certificate must allow in `keyUsage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UsageCheck {
    /// `nonRepudiation` (contentCommitment), which qualified certificates for
    /// signatures have (EN 319 412-2, 4.3.2). A certificate without the extension
    /// does not allow it.
    NonRepudiation,
    /// `digitalSignature` or `nonRepudiation`. A certificate without the extension
    /// allows both.
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
            return Err(Error::CertificateLimit {
                limit: crate::error::CertificateLimit::CertificateLen,
            });
        }
        parse(der).map(|parsed| Self(Arc::new(parsed))).map_err(|e| Error::MalformedCertificate {
            offset: e
                .position()
                .and_then(|position| usize::try_from(u32::from(position)).ok())
                .unwrap_or(0),
        })
    }

    /// The original octets.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The digest of the original octets: `certHash` of ESS
    /// signing-certificate-v2 (RFC 5035) and `CertDigest` of XAdES.
    #[must_use]
    pub fn digest(&self, algorithm: DigestAlgorithm) -> Digest {
        Digest::of(algorithm, self.der())
    }

    /// The original octets of the issuer's `Name`.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        self.slice(&self.0.issuer)
    }

    /// The original octets of the subject's `Name`.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        self.slice(&self.0.subject)
    }

    /// The original octets of the serial number's `INTEGER`.
    #[must_use]
    pub fn serial_number(&self) -> &[u8] {
        self.slice(&self.0.serial)
    }

    /// The original octets of the `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn public_key_info(&self) -> &[u8] {
        self.slice(&self.0.spki)
    }

    /// The octets that the issuer signed, the algorithm identifier, and the value.
    pub(crate) fn issuer_signature(&self) -> (&[u8], &[u8], &[u8]) {
        (self.slice(&self.0.tbs), self.slice(&self.0.signature_algorithm), &self.0.signature)
    }

    /// The type of the public key.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.0.key
    }

    /// The first and the last second of the validity.
    #[must_use]
    pub fn validity(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.0.not_before, self.0.not_after)
    }

    /// Whether basicConstraints says that it is a CA certificate.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.0.extensions.basic_constraints.as_ref().is_some_and(|constraints| constraints.ca)
    }

    /// Whether basicConstraints and, if present, keyUsage allow it to sign
    /// certificates (RFC 5280, 6.1.4 (k) and (n)).
    pub(crate) fn may_issue(&self) -> bool {
        self.is_ca() && self.key_usage_allows_issuing()
    }

    /// As [`may_issue`](Self::may_issue), for a trust anchor. An anchor is a name
    /// and a key (RFC 5280, 6.1.1 (d)), so it may issue without
    /// basicConstraints, as version 1 certificates do.
    pub(crate) fn may_issue_as_anchor(&self) -> bool {
        (self.is_ca() || self.0.extensions.basic_constraints.is_none())
            && self.key_usage_allows_issuing()
    }

    fn key_usage_allows_issuing(&self) -> bool {
        self.0.extensions.key_usage.is_none_or(|usage| usage.key_cert_sign())
    }

    /// Maximum number of CA certificates between it and the last certificate of a
    /// path. Self-issued ones do not count (RFC 5280, 4.2.1.9).
    pub(crate) fn path_len(&self) -> Option<usize> {
        self.0.extensions.basic_constraints.as_ref()?.path_len_constraint.map(usize::from)
    }

    /// Whether subject and issuer have the same name.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject() == self.issuer()
    }

    /// The subject key identifier, if there is one.
    #[must_use]
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.0.extensions.subject_key_id.as_deref()
    }

    /// The policy identifiers of the certificatePolicies extension.
    #[must_use]
    pub fn policies(&self) -> &[Oid] {
        &self.0.extensions.policies
    }

    /// The subject's common name. It is personal data: show it to the user, but
    /// do not log it.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.0.common_name.as_deref()
    }

    /// Whether `issuer` has the name and key identifier of this certificate's
    /// issuer. [`crate::verify::verify_issued_by`] verifies the signature.
    #[must_use]
    pub fn names_as_issuer(&self, issuer: &Self) -> bool {
        self.issuer() == issuer.subject()
            && match (&self.0.extensions.authority_key_id, &issuer.0.extensions.subject_key_id) {
                (Some(authority), Some(subject)) => authority == subject,
                _ => true,
            }
    }

    /// Whether keyUsage allows this usage. [`UsageCheck`] says what a certificate
    /// without the extension allows.
    #[must_use]
    pub fn allows(&self, usage: UsageCheck) -> bool {
        match (usage, self.0.extensions.key_usage) {
            (UsageCheck::NonRepudiation, found) => found.is_some_and(|u| u.non_repudiation()),
            (UsageCheck::Signature, found) => {
                found.is_none_or(|u| u.non_repudiation() || u.digital_signature())
            }
        }
    }

    /// Checks that this certificate may be used to sign at `time`: its key, its
    /// validity, its key usage, and that it is not a CA certificate.
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
        } else if self.is_ca() {
            Some(NotFit::CertificationAuthority)
        } else if time < p.not_before {
            Some(NotFit::NotYetValid { not_before: p.not_before })
        } else if time > p.not_after {
            Some(NotFit::Expired { not_after: p.not_after })
        } else if !self.allows(usage) {
            let needed = match usage {
                UsageCheck::NonRepudiation => "nonRepudiation",
                UsageCheck::Signature => "digitalSignature or nonRepudiation",
            };
            Some(NotFit::KeyUsage { needed })
        } else {
            None
        };
        reason.map_or(Ok(()), |reason| Err(Error::CertificateNotFit(reason)))
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        // The ranges were computed from the same octets.
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

/// Parses the fields of RFC 5280, 4.1. Unknown extensions and the attributes of
/// names are not decoded, so that errors in them do not make the certificate
/// unusable.
fn parse(der: Vec<u8>) -> Result<Parsed, der::Error> {
    /// `[0]` and `[3]` of TBSCertificate.
    const VERSION: u8 = 0xA0;
    const EXTENSIONS: u8 = 0xA3;

    let base = der.as_ptr() as usize;
    let range = |part: &[u8]| {
        let start = part.as_ptr() as usize - base;
        start..start + part.len()
    };
    let mut outer = fields(&der)?;
    let tbs = outer.tlv_bytes()?;
    let signature_algorithm = outer.tlv_bytes()?;
    let signature = BitStringRef::decode(&mut outer)?;
    outer.finish()?;

    let mut tbs_fields = fields(tbs)?;
    if tbs_fields.peek_byte() == Some(VERSION) {
        tbs_fields.tlv_bytes()?;
    }
    let serial = tbs_fields.tlv_bytes()?;
    tbs_fields.tlv_bytes()?; // signature
    let issuer = tbs_fields.tlv_bytes()?;
    let validity = Validity::<Rfc5280>::decode(&mut tbs_fields)?;
    let subject = tbs_fields.tlv_bytes()?;
    let spki = tbs_fields.tlv_bytes()?;
    let mut extensions = Extensions::default();
    while !tbs_fields.is_finished() {
        let is_extensions = tbs_fields.peek_byte() == Some(EXTENSIONS);
        let field = AnyRef::decode(&mut tbs_fields)?;
        if is_extensions {
            extensions = Extensions::read(field.value())?;
        }
    }

    let time = |t: Time| {
        i64::try_from(t.to_unix_duration().as_secs())
            .ok()
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            .ok_or_else(|| der::Error::from(der::ErrorKind::DateTime))
    };
    let parsed = Parsed {
        serial: range(serial),
        issuer: range(issuer),
        subject: range(subject),
        spki: range(spki),
        tbs: range(tbs),
        signature_algorithm: range(signature_algorithm),
        signature: signature
            .as_bytes()
            .ok_or_else(|| der::Error::from(Tag::BitString.value_error()))?
            .to_vec(),
        not_before: time(validity.not_before)?,
        not_after: time(validity.not_after)?,
        key: KeyType::read(spki)?,
        extensions,
        common_name: common_name(subject)?,
        der: Vec::new(),
    };
    Ok(Parsed { der, ..parsed })
}

/// A reader of the fields of a SEQUENCE or SET that fills `der`.
fn fields(der: &[u8]) -> Result<SliceReader<'_>, der::Error> {
    SliceReader::new(AnyRef::from_der(der)?.value())
}

/// The extensions that this project uses (RFC 5280, 4.2.1).
#[derive(Default)]
struct Extensions {
    key_usage: Option<KeyUsage>,
    basic_constraints: Option<BasicConstraints>,
    subject_key_id: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
    policies: Vec<Oid>,
}

impl Extensions {
    fn read(sequence: &[u8]) -> Result<Self, der::Error> {
        const BOOLEAN: u8 = 0x01;

        let mut all = fields(sequence)?;
        let mut extensions = Self::default();
        while !all.is_finished() {
            let mut extension = fields(all.tlv_bytes()?)?;
            let id = extension.tlv_bytes()?;
            if extension.peek_byte() == Some(BOOLEAN) {
                extension.tlv_bytes()?; // critical
            }
            extensions.store(id, <&OctetStringRef>::decode(&mut extension)?.as_bytes())?;
        }
        Ok(extensions)
    }

    /// Stores one extension. `id` is the complete element: tag, length and the
    /// arc 2.5.29 followed by one number.
    fn store(&mut self, id: &[u8], value: &[u8]) -> Result<(), der::Error> {
        /// `[0]` of AuthorityKeyIdentifier.
        const KEY_IDENTIFIER: u8 = 0x80;

        match id {
            [0x06, 3, 0x55, 0x1D, 14] => {
                let id = <&OctetStringRef>::from_der(value)?;
                self.subject_key_id = Some(id.as_bytes().to_vec());
            }
            [0x06, 3, 0x55, 0x1D, 15] => self.key_usage = Some(KeyUsage::from_der(value)?),
            [0x06, 3, 0x55, 0x1D, 19] => {
                self.basic_constraints = Some(BasicConstraints::from_der(value)?);
            }
            [0x06, 3, 0x55, 0x1D, 32] => {
                let mut policies = fields(value)?;
                while !policies.is_finished() {
                    self.policies.push(Oid::read(&mut fields(policies.tlv_bytes()?)?)?);
                }
            }
            [0x06, 3, 0x55, 0x1D, 35] => {
                let mut parts = fields(value)?;
                if parts.peek_byte() == Some(KEY_IDENTIFIER) {
                    self.authority_key_id = Some(AnyRef::decode(&mut parts)?.value().to_vec());
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The last common name (2.5.4.3) of a subject.
fn common_name(subject: &[u8]) -> Result<Option<String>, der::Error> {
    let mut last = None;
    let mut relative_names = fields(subject)?;
    while !relative_names.is_finished() {
        let mut attributes = fields(relative_names.tlv_bytes()?)?;
        while !attributes.is_finished() {
            let mut attribute = fields(attributes.tlv_bytes()?)?;
            if attribute.tlv_bytes()? == [0x06, 3, 0x55, 0x04, 3] {
                last = Some(AnyRef::decode(&mut attribute)?);
            }
        }
    }
    Ok(last.and_then(text))
}

/// The text of a `DirectoryString` or `IA5String`.
fn text(any: AnyRef<'_>) -> Option<String> {
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
