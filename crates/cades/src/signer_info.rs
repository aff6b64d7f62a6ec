//! One `SignerInfo` as spans of the container (RFC 5652, 5.3).

use ades_core::asn1::ber::Element;
use ades_core::asn1::der;
use ades_core::{Certificate, DigestAlgorithm, Oid, SignatureAlgorithm};
use rasn::types::OctetString;

use crate::container::MAX_ELEMENTS;
use crate::error::{Error, Limit, malformed};
use crate::oids;

/// The fields of a signer, with their octets as they are in the container.
#[derive(Clone, Debug)]
pub(crate) struct SignerInfo<'a> {
    pub(crate) sid: Sid<'a>,
    digest_algorithm: Element<'a>,
    /// With its `[0]` tag.
    pub(crate) signed_attributes: Option<Element<'a>>,
    signature_algorithm: Element<'a>,
    /// The octets of the value.
    pub(crate) signature: &'a [u8],
    /// With its `[1]` tag.
    pub(crate) unsigned_attributes: Option<Element<'a>>,
}

/// The certificate that a `SignerIdentifier` names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sid<'a> {
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

    pub(crate) fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial(issuer, serial) => {
                *issuer == certificate.issuer() && *serial == certificate.serial_number()
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
pub(crate) struct Attribute<'a> {
    pub(crate) kind: &'a [u8],
    values: Element<'a>,
}

impl<'a> Attribute<'a> {
    /// All values.
    pub(crate) fn values(&self) -> Result<Vec<Element<'a>>, Error> {
        Ok(self.values.children().all(MAX_ELEMENTS)?)
    }

    /// The value, if there is exactly one.
    pub(crate) fn only_value(&self) -> Option<Element<'a>> {
        let mut values = self.values.children();
        values.try_next().ok()?.filter(|_| values.is_empty())
    }
}

impl<'a> SignerInfo<'a> {
    pub(crate) fn read(element: Element<'a>) -> Result<Self, Error> {
        let mut fields = element.expect(der::SEQUENCE, "expected SignerInfo")?.children();
        fields.next("expected a version")?.expect(der::INTEGER, "expected a version")?;
        let sid = fields.next("expected a signer identifier")?;
        if ![der::SEQUENCE, 0x80].contains(&sid.tag) {
            return Err(malformed(sid.offset, "expected a signer identifier"));
        }
        let digest_algorithm = fields.next("expected digestAlgorithm")?;
        let signed_attributes = fields.next_if(der::context(0))?;
        let signature_algorithm = fields
            .next("expected signatureAlgorithm")?
            .expect(der::SEQUENCE, "expected signatureAlgorithm")?;
        let signature = fields
            .next("expected a signature value")?
            .expect(der::OCTET_STRING, "expected a signature value")?;
        let unsigned_attributes = fields.next_if(der::context(1))?;
        if !fields.is_empty() {
            return Err(malformed(fields.offset(), "octets after the last field of SignerInfo"));
        }
        Ok(Self {
            sid: Sid::read(&sid),
            digest_algorithm: digest_algorithm.expect(der::SEQUENCE, "expected digestAlgorithm")?,
            signed_attributes,
            signature_algorithm,
            signature: signature.content,
            unsigned_attributes,
        })
    }

    pub(crate) fn digest_algorithm(&self) -> Result<DigestAlgorithm, ades_core::Error> {
        DigestAlgorithm::from_algorithm_identifier(self.digest_algorithm.raw)
    }

    pub(crate) fn algorithm(&self) -> Result<SignatureAlgorithm, ades_core::Error> {
        let digest = self.digest_algorithm()?;
        SignatureAlgorithm::from_algorithm_identifier(self.signature_algorithm.raw, digest)
    }

    /// The OIDs of the digest and the signature algorithm, supported or not.
    pub(crate) fn algorithm_oids(&self) -> (Option<Oid>, Option<Oid>) {
        let oid = |identifier: &Element<'_>| {
            let first = identifier.children().try_next().ok()??;
            Oid::from_bytes(first.content).ok()
        };
        (oid(&self.digest_algorithm), oid(&self.signature_algorithm))
    }

    pub(crate) fn signed(&self) -> Result<Vec<Attribute<'a>>, Error> {
        self.signed_attributes.map_or(Ok(Vec::new()), attributes)
    }

    pub(crate) fn unsigned(&self) -> Result<Vec<Attribute<'a>>, Error> {
        self.unsigned_attributes.map_or(Ok(Vec::new()), attributes)
    }

    /// The value of message-digest; `None` if it is missing or malformed.
    pub(crate) fn message_digest(&self) -> Option<OctetString> {
        let attributes = self.signed().ok()?;
        let attribute = attributes.iter().find(|a| a.kind == oids::MESSAGE_DIGEST)?;
        rasn::ber::decode(attribute.only_value()?.raw).ok()
    }

    /// The data to be signed: the attributes with the universal SET tag in place
    /// of `[0]`, as received and, if their order is not that of DER, in DER order.
    /// `None` if there are no signed attributes.
    pub(crate) fn to_be_signed(&self) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
        let attributes = self.signed_attributes?;
        let mut received = attributes.raw.to_vec();
        if let Some(tag) = received.first_mut() {
            *tag = der::SET;
        }
        let mut elements: Vec<Vec<u8>> =
            attributes.children().all(MAX_ELEMENTS).ok()?.iter().map(|e| e.raw.to_vec()).collect();
        let sorted = der::element(der::SET, &[&der::set_of(&mut elements)]);
        let other = (sorted != received).then_some(sorted);
        Some((received, other))
    }
}

pub(crate) fn read_all(elements: Vec<Element<'_>>) -> Result<Vec<SignerInfo<'_>>, Error> {
    elements.into_iter().map(SignerInfo::read).collect()
}

/// The countersignatures among the unsigned attributes of a signer. More than
/// `max` are an error.
pub(crate) fn countersignatures<'a>(
    unsigned: &[Attribute<'a>],
    max: usize,
) -> Result<Vec<SignerInfo<'a>>, Error> {
    let mut elements = Vec::new();
    for attribute in unsigned.iter().filter(|a| a.kind == oids::COUNTERSIGNATURE) {
        elements.extend(attribute.values()?);
        if elements.len() > max {
            return Err(Limit::Countersignatures.into());
        }
    }
    read_all(elements)
}

/// The attributes in a set of them. All values must be well-formed.
pub(crate) fn attributes(set: Element<'_>) -> Result<Vec<Attribute<'_>>, Error> {
    set.children()
        .all(MAX_ELEMENTS)?
        .into_iter()
        .map(|attribute| {
            let mut fields = attribute.expect(der::SEQUENCE, "expected an attribute")?.children();
            let kind = fields
                .next("expected attribute type")?
                .expect(der::OID, "expected attribute type")?;
            let values = fields
                .next("expected attribute values")?
                .expect(der::SET, "expected attribute values")?;
            values.children().each(MAX_ELEMENTS, |_| {})?;
            Ok(Attribute { kind: kind.content, values })
        })
        .collect()
}
