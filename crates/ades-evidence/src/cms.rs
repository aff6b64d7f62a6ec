//! One `SignerInfo` as spans of the container (RFC 5652, 5.3), of signatures and of
//! time-stamp tokens.
//!
//! The module is hidden from the documentation and its structs and enums are exhaustive:
//! only the sister crates use it, and all are released together.

use ades_core::asn1::ber::{Element, Error, Reader};
use ades_core::asn1::der;
use ades_core::asn1::reencode::{element_to_der, set_to_der};
use ades_core::{Certificate, Digest, DigestAlgorithm, Oid, SignatureAlgorithm, name};

/// Maximum number of elements in one set: attributes, or an attribute's values.
pub const MAX_ELEMENTS: usize = 4096;

/// message-digest
const MESSAGE_DIGEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 4];

/// The fields of a signer, with their octets as they are in the container.
#[derive(Clone, Debug)]
pub struct SignerInfo<'a> {
    pub sid: Sid<'a>,
    digest_algorithm: Element<'a>,
    /// With its `[0]` tag.
    pub signed_attributes: Option<Element<'a>>,
    signature_algorithm: Element<'a>,
    /// The octets of the value.
    pub signature: &'a [u8],
    /// With its `[1]` tag.
    pub unsigned_attributes: Option<Element<'a>>,
    /// The fields before the unsigned attributes, each with its header.
    pub before_unsigned: &'a [u8],
}

/// The certificate that a `SignerIdentifier` names.
#[derive(Clone, Copy, Debug)]
pub enum Sid<'a> {
    /// The DER of the issuer's `Name` and of the serial number.
    IssuerAndSerial(&'a [u8], &'a [u8]),
    KeyIdentifier(&'a [u8]),
    /// No certificate.
    Malformed,
}

impl<'a> Sid<'a> {
    fn read(sid: &Element<'a>) -> Self {
        if sid.tag != der::SEQUENCE {
            return Self::KeyIdentifier(sid.content);
        }
        let mut fields = sid.children();
        match (fields.try_next(), fields.try_next(), fields.is_empty()) {
            (Ok(Some(issuer)), Ok(Some(serial)), true) => {
                Self::IssuerAndSerial(issuer.raw, serial.raw)
            }
            _ => Self::Malformed,
        }
    }

    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial(issuer, serial) => {
                *serial == certificate.serial_number()
                    && name::is_same(issuer, certificate.issuer())
            }
            Self::KeyIdentifier(identifier) => certificate.subject_key_id() == Some(*identifier),
            Self::Malformed => false,
        }
    }
}

/// One attribute: the content octets of its type's OID, and its values. The
/// values are spans of the container, because a container of the maximum length
/// can have millions of them.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    pub kind: &'a [u8],
    /// The whole attribute.
    pub raw: &'a [u8],
    /// The whole OID.
    pub kind_raw: &'a [u8],
    values: Element<'a>,
}

impl<'a> Attribute<'a> {
    /// All values.
    pub fn values(&self) -> Result<Vec<Element<'a>>, Error> {
        self.values.children().all(MAX_ELEMENTS)
    }

    /// The whole set of values.
    #[must_use]
    pub const fn values_raw(&self) -> &'a [u8] {
        self.values.raw
    }

    /// The value, if there is exactly one.
    pub fn only_value(&self) -> Option<Element<'a>> {
        let mut values = self.values.children();
        values.try_next().ok()?.filter(|_| values.is_empty())
    }
}

impl<'a> SignerInfo<'a> {
    pub fn read(element: Element<'a>) -> Result<Self, Error> {
        let mut fields = element.expect(der::SEQUENCE, "expected SignerInfo")?.children();
        fields.next("expected a version")?.expect(der::INTEGER, "expected a version")?;
        let sid = fields.next("expected a signer identifier")?;
        if ![der::SEQUENCE, 0x80].contains(&sid.tag) {
            return Err(Error::Malformed {
                offset: sid.offset,
                what: "expected a signer identifier",
            });
        }
        let digest_algorithm = fields.next("expected digestAlgorithm")?;
        let signed_attributes = fields.next_if(der::context(0))?;
        let signature_algorithm = fields
            .next("expected signatureAlgorithm")?
            .expect(der::SEQUENCE, "expected signatureAlgorithm")?;
        let signature = fields
            .next("expected a signature value")?
            .expect(der::OCTET_STRING, "expected a signature value")?;
        let first = element.children().offset();
        let fixed = usize::try_from(fields.offset() - first).unwrap_or(usize::MAX);
        let unsigned_attributes = fields.next_if(der::context(1))?;
        if !fields.is_empty() {
            return Err(Error::Malformed {
                offset: fields.offset(),
                what: "octets after the last field of SignerInfo",
            });
        }
        Ok(Self {
            sid: Sid::read(&sid),
            digest_algorithm: digest_algorithm.expect(der::SEQUENCE, "expected digestAlgorithm")?,
            signed_attributes,
            signature_algorithm,
            signature: signature.content,
            unsigned_attributes,
            before_unsigned: element.content.get(..fixed).unwrap_or_default(),
        })
    }

    pub fn digest_algorithm(&self) -> Result<DigestAlgorithm, ades_core::Error> {
        DigestAlgorithm::from_algorithm_identifier(&identifier(&self.digest_algorithm)?)
    }

    pub fn algorithm(&self) -> Result<SignatureAlgorithm, ades_core::Error> {
        let digest = self.digest_algorithm()?;
        let identifier = identifier(&self.signature_algorithm)?;
        SignatureAlgorithm::from_algorithm_identifier(&identifier, digest)
    }

    /// Whether the value is over the content itself: Ed25519 without signed attributes
    /// (RFC 8419, 3.1).
    pub fn is_over_content(&self) -> bool {
        self.signed_attributes.is_none()
            && self.algorithm().is_ok_and(|found| found == SignatureAlgorithm::Ed25519)
    }

    /// The OIDs of the digest and the signature algorithm, supported or not.
    pub fn algorithm_oids(&self) -> (Option<Oid>, Option<Oid>) {
        let oid = |identifier: &Element<'_>| {
            let first = identifier.children().try_next().ok()??;
            Oid::from_bytes(first.content).ok()
        };
        (oid(&self.digest_algorithm), oid(&self.signature_algorithm))
    }

    pub fn signed(&self) -> Result<Vec<Attribute<'a>>, Error> {
        self.signed_attributes.map_or(Ok(Vec::new()), attributes)
    }

    pub fn unsigned(&self) -> Result<Vec<Attribute<'a>>, Error> {
        self.unsigned_attributes.map_or(Ok(Vec::new()), attributes)
    }

    /// The value of message-digest; `None` if it is missing or malformed.
    pub fn message_digest(&self) -> Option<Vec<u8>> {
        let signed = self.to_be_signed()?.ok()?;
        let all = attributes(Reader::new(&signed.der, 0).try_next().ok()??).ok()?;
        let value = all.iter().find(|a| a.kind == MESSAGE_DIGEST)?.only_value()?;
        (value.tag == der::OCTET_STRING).then(|| value.content.to_vec())
    }

    /// The data to be signed; `None` if there are no signed attributes.
    ///
    /// That is the DER of the attributes with the universal SET tag, whatever
    /// was sent (RFC 5652, 5.4).
    pub fn to_be_signed(&self) -> Option<Result<ToBeSigned, Error>> {
        let attributes = self.signed_attributes?;
        let der = set_to_der(attributes.raw, attributes.offset);
        Some(der.map(|der| ToBeSigned { is_der: der.get(1..) == attributes.raw.get(1..), der }))
    }
}

/// The data that a value of a signature with signed attributes is over.
#[derive(Debug)]
pub struct ToBeSigned {
    pub der: Vec<u8>,
    /// Whether the attributes were sent as DER.
    pub is_der: bool,
}

/// The DER of an AlgorithmIdentifier, which may be BER (RFC 5652, 5.3).
fn identifier(element: &Element<'_>) -> Result<Vec<u8>, ades_core::Error> {
    element_to_der(element.raw, element.offset)
        .map_err(|_| ades_core::Error::MalformedAlgorithmIdentifier)
}

/// The attributes in a set of them. All values must be well-formed.
pub fn attributes(set: Element<'_>) -> Result<Vec<Attribute<'_>>, Error> {
    set.children()
        .all(MAX_ELEMENTS)?
        .into_iter()
        .map(|attribute| {
            let raw = attribute.raw;
            let mut fields = attribute.expect(der::SEQUENCE, "expected an attribute")?.children();
            let kind = fields
                .next("expected attribute type")?
                .expect(der::OID, "expected attribute type")?;
            let values = fields
                .next("expected attribute values")?
                .expect(der::SET, "expected attribute values")?;
            values.children().each(MAX_ELEMENTS, |_| {})?;
            Ok(Attribute { kind: kind.content, raw, kind_raw: kind.raw, values })
        })
        .collect()
}

/// The certificate that signing-certificate-v2 names first (RFC 5035, 3).
#[derive(Debug)]
pub struct NamedCertificate<'a> {
    /// `None` if its algorithm is not supported.
    pub digest: Option<Digest>,
    /// The DER of the issuerSerial next to the digest, if there is one.
    pub issuer_serial: Option<&'a [u8]>,
}

/// `SEQUENCE { certs SEQUENCE OF ESSCertID, … }` (RFC 2634, 5.4): the digest is SHA-1.
pub fn signing_certificate_v1<'a>(value: &Element<'a>) -> Option<NamedCertificate<'a>> {
    let certificates = next(&mut sequence(value)?)?;
    let mut fields = sequence(&next(&mut sequence(&certificates)?)?)?;
    let hash = next(&mut fields).filter(|hash| hash.tag == der::OCTET_STRING)?;
    let issuer_serial = fields.next_if(der::SEQUENCE).ok()?.map(|names| names.raw);
    let digest = Digest::new(DigestAlgorithm::Sha1, hash.content.to_vec()).ok()?;
    fields.is_empty().then_some(NamedCertificate { digest: Some(digest), issuer_serial })
}

/// `SEQUENCE { certs SEQUENCE OF ESSCertIDv2, … }`
pub fn signing_certificate<'a>(value: &Element<'a>) -> Option<NamedCertificate<'a>> {
    let certificates = next(&mut sequence(value)?)?;
    let mut fields = sequence(&next(&mut sequence(&certificates)?)?)?;
    // DEFAULT: SHA-256 (RFC 5035, 4).
    let algorithm = match fields.next_if(der::SEQUENCE).ok()? {
        Some(identifier) => {
            DigestAlgorithm::from_oid(crate::fields::oid(&next(&mut identifier.children())?)?)
        }
        None => Ok(DigestAlgorithm::Sha256),
    };
    let hash = next(&mut fields).filter(|hash| hash.tag == der::OCTET_STRING)?;
    let issuer_serial = fields.next_if(der::SEQUENCE).ok()?.map(|names| names.raw);
    if !fields.is_empty() {
        return None;
    }
    let digest = match algorithm {
        Ok(algorithm) => Some(Digest::new(algorithm, hash.content.to_vec()).ok()?),
        Err(_) => None,
    };
    Some(NamedCertificate { digest, issuer_serial })
}

/// The elements of a SEQUENCE.
fn sequence<'a>(element: &Element<'a>) -> Option<Reader<'a>> {
    (element.tag == der::SEQUENCE).then(|| element.children())
}

/// The next element, if there is one and it is well-formed.
fn next<'a>(fields: &mut Reader<'a>) -> Option<Element<'a>> {
    fields.try_next().ok()?
}
