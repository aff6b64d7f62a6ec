//! X.509 certificates: parsed once and kept as their original octets.

mod key_name;
mod key_type;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use der::asn1::{AnyRef, BitStringRef, OctetStringRef};
use der::{Decode, Reader, SliceReader, Tag, Tagged};
use serde::{Deserialize, Serialize};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use crate::Oid;
use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::asn1::time::{self, GENERALIZED_TIME, UTC_TIME};
use crate::base64;
use crate::digest::Digest;
use crate::error::{Error, NotFit};
use crate::facts::ObjectId;
use crate::name;

#[doc(hidden)]
pub use key_name::{algorithm_name, curve_name};
pub use key_type::KeyType;

/// Maximum length of a certificate, in octets.
pub const MAX_CERTIFICATE_LEN: usize = 64 * 1024;

/// The content octets of the OID of a common name.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];

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
    /// Computed when it is first asked for.
    id: OnceLock<ObjectId>,
    serial: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    spki: Range<usize>,
    tbs: Range<usize>,
    /// The one that the issuer signed, in `tbs`.
    signed_algorithm: Range<usize>,
    signature_algorithm: Range<usize>,
    signature: Range<usize>,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
    key: KeyType,
    version: u8,
    extensions: Extensions,
    extension_places: Vec<ExtensionPlace>,
    /// Read when it is first asked for.
    common_name: OnceLock<Option<String>>,
}

/// Where an extension is in the octets of its certificate.
struct ExtensionPlace {
    kind: Range<usize>,
    critical: bool,
    value: Range<usize>,
}

/// One extension of a certificate (RFC 5280, 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extension<'a> {
    /// The content octets of its OID.
    pub kind: &'a [u8],
    /// Whether a reader that does not know it must refuse the certificate.
    pub critical: bool,
    /// The octets in its `extnValue`.
    pub value: &'a [u8],
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
        match algorithm {
            DigestAlgorithm::Sha256 => self.id().digest(),
            _ => Digest::of(algorithm, self.der()),
        }
    }

    /// The id of the original octets.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        *self.0.id.get_or_init(|| ObjectId::of(&self.0.der))
    }

    /// Keeps the id, which the caller has computed.
    pub(crate) fn keep_id(self, id: ObjectId) -> Self {
        // It may be known already.
        let _ = self.0.id.set(id);
        self
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
        (
            self.slice(&self.0.tbs),
            self.slice(&self.0.signature_algorithm),
            self.slice(&self.0.signature),
        )
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

    /// The version: 1, 2 or 3.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.0.version
    }

    /// All extensions, in order. An extension may occur twice.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'_>> {
        self.0.extension_places.iter().map(|place| Extension {
            kind: self.slice(&place.kind),
            critical: place.critical,
            value: self.slice(&place.value),
        })
    }

    /// Whether the algorithm that the issuer signed is the one beside the signature
    /// value (RFC 5280, 4.1.1.2).
    #[must_use]
    pub fn algorithms_agree(&self) -> bool {
        self.slice(&self.0.signed_algorithm) == self.slice(&self.0.signature_algorithm)
    }

    /// The algorithm of the issuer's signature.
    ///
    /// # Errors
    /// [`Error::UnsupportedAlgorithm`], [`Error::MalformedAlgorithm`] or
    /// [`Error::MalformedAlgorithmIdentifier`]
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, Error> {
        let identifier = self.slice(&self.0.signature_algorithm);
        SignatureAlgorithm::from_algorithm_identifier(identifier, DigestAlgorithm::Sha256)
    }

    /// Whether basicConstraints says that it is a CA certificate.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.0.extensions.basic_constraints.as_ref().is_some_and(|constraints| constraints.ca)
    }

    /// Whether it has basicConstraints.
    #[must_use]
    pub fn has_basic_constraints(&self) -> bool {
        self.0.extensions.basic_constraints.is_some()
    }

    /// Whether keyUsage, if it is there, allows it to sign certificates (RFC 5280,
    /// 6.1.4 (n)).
    #[must_use]
    pub fn may_sign_certificates(&self) -> bool {
        self.0.extensions.key_usage.is_none_or(|usage| usage.key_cert_sign())
    }

    /// Maximum number of CA certificates between it and the last certificate of a
    /// path. Self-issued ones do not count (RFC 5280, 4.2.1.9).
    #[must_use]
    pub fn path_len(&self) -> Option<usize> {
        self.0.extensions.basic_constraints.as_ref()?.path_len_constraint.map(usize::from)
    }

    /// Whether subject and issuer have the same name.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        name::is_same(self.subject(), self.issuer())
    }

    /// The subject key identifier, if there is one.
    #[must_use]
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.0.extensions.subject_key_id.as_deref()
    }

    /// The key identifier of the issuer's key, if it names one.
    #[must_use]
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.0.extensions.authority_key_id.as_deref()
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
        let read = || name::texts(self.subject(), COMMON_NAME).pop();
        self.0.common_name.get_or_init(read).as_deref()
    }

    /// Whether `issuer` has the name and key identifier of this certificate's
    /// issuer. [`crate::verify::verify_issued_by`] verifies the signature.
    #[must_use]
    pub fn names_as_issuer(&self, issuer: &Self) -> bool {
        name::is_same(self.issuer(), issuer.subject())
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
        let reason = if !p.key.may_sign() {
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
    // Nobody signs the outer tag, so a wrong one would go unnoticed.
    AnyRef::from_der(&der)?.tag().assert_eq(Tag::Sequence)?;
    let mut outer = fields(&der)?;
    let tbs = outer.tlv_bytes()?;
    let signature_algorithm = outer.tlv_bytes()?;
    let signature = BitStringRef::decode(&mut outer)?;
    outer.finish()?;

    let mut tbs_fields = fields(tbs)?;
    let mut version = 1;
    if tbs_fields.peek_byte() == Some(VERSION) {
        version = u8::from_der(AnyRef::decode(&mut tbs_fields)?.value())?.saturating_add(1);
    }
    let serial = tbs_fields.tlv_bytes()?;
    let signed_algorithm = tbs_fields.tlv_bytes()?;
    let issuer = tbs_fields.tlv_bytes()?;
    let mut validity = fields(tbs_fields.tlv_bytes()?)?;
    let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
    let subject = tbs_fields.tlv_bytes()?;
    let spki = tbs_fields.tlv_bytes()?;
    let (mut extensions, mut found) = (Extensions::default(), Vec::new());
    while !tbs_fields.is_finished() {
        let is_extensions = tbs_fields.peek_byte() == Some(EXTENSIONS);
        let field = AnyRef::decode(&mut tbs_fields)?;
        if is_extensions {
            (extensions, found) = Extensions::read(field.value())?;
        }
    }
    let extension_places = found.iter().map(|extension| ExtensionPlace {
        kind: range(extension.kind),
        critical: extension.critical,
        value: range(extension.value),
    });
    let extension_places = extension_places.collect();

    let parsed = Parsed {
        serial: range(serial),
        issuer: range(issuer),
        subject: range(subject),
        spki: range(spki),
        tbs: range(tbs),
        signed_algorithm: range(signed_algorithm),
        signature_algorithm: range(signature_algorithm),
        signature: range(
            signature.as_bytes().ok_or_else(|| der::Error::from(Tag::BitString.value_error()))?,
        ),
        not_before,
        not_after,
        key: KeyType::read(spki)?,
        version,
        extensions,
        extension_places,
        common_name: OnceLock::new(),
        der: Vec::new(),
        id: OnceLock::new(),
    };
    Ok(Parsed { der, ..parsed })
}

/// A time of the validity. The types of `der` have no years before 1970.
fn time<'a>(reader: &mut impl Reader<'a>) -> Result<DateTime<Utc>, der::Error> {
    let any = AnyRef::decode(reader)?;
    let tag = match any.tag() {
        Tag::UtcTime => UTC_TIME,
        Tag::GeneralizedTime => GENERALIZED_TIME,
        _ => return Err(der::ErrorKind::DateTime.into()),
    };
    time::time(tag, any.value()).ok_or_else(|| der::ErrorKind::DateTime.into())
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
    /// Also returns all extensions.
    fn read(sequence: &[u8]) -> Result<(Self, Vec<Extension<'_>>), der::Error> {
        const BOOLEAN: u8 = 0x01;

        let mut all = fields(sequence)?;
        let (mut extensions, mut found) = (Self::default(), Vec::new());
        while !all.is_finished() {
            let mut extension = fields(all.tlv_bytes()?)?;
            let id = extension.tlv_bytes()?;
            let kind = AnyRef::from_der(id)?.value();
            let mut critical = false;
            if extension.peek_byte() == Some(BOOLEAN) {
                critical = AnyRef::decode(&mut extension)?.value() != [0];
            }
            let value = <&OctetStringRef>::decode(&mut extension)?.as_bytes();
            extensions.store(id, value)?;
            found.push(Extension { kind, critical, value });
        }
        Ok((extensions, found))
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
