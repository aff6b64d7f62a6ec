//! One `SignerInfo` as spans (RFC 5652, 5.3).

use ades_core::{Certificate, DigestAlgorithm, Oid, SignatureAlgorithm};

use crate::container::MAX_ELEMENTS;
use crate::error::Error;
use crate::error::malformed;
use ades_core::asn1::ber::Element;
use ades_core::asn1::der;

/// The octets of a signer, apart and untouched.
#[derive(Clone, Debug)]
pub(crate) struct SignerInfo<'a> {
    pub(crate) sid: Sid<'a>,
    digest_algorithm: Element<'a>,
    /// With its `[0]` tag.
    pub(crate) signed_attributes: Option<Element<'a>>,
    signature_algorithm: Element<'a>,
    /// The value's octets.
    pub(crate) signature: &'a [u8],
    /// With its `[1]` tag.
    pub(crate) unsigned_attributes: Option<Element<'a>>,
}

/// Whom a `SignerIdentifier` names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sid<'a> {
    /// The issuer's `Name` and the serial number, as they stand.
    IssuerAndSerial(&'a [u8], &'a [u8]),
    KeyIdentifier(&'a [u8]),
    /// Nobody.
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

/// One attribute: its type's octets and its values, which are counted and read
/// where they stand: a container has room for millions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'a> {
    pub(crate) kind: &'a [u8],
    values: Element<'a>,
}

impl<'a> Attribute<'a> {
    /// All its values.
    pub(crate) fn values(&self) -> Result<Vec<Element<'a>>, Error> {
        Ok(self.values.children().all(MAX_ELEMENTS)?)
    }

    /// Its value, if it has exactly one.
    pub(crate) fn only_value(&self) -> Option<Element<'a>> {
        let mut values = self.values.children();
        values.try_next().ok()?.filter(|_| values.is_empty())
    }
}

impl<'a> SignerInfo<'a> {
    pub(crate) fn read(element: Element<'a>) -> Result<Self, Error> {
        let mut fields = element.expect(der::SEQUENCE, "no SignerInfo")?.children();
        fields.next("no version")?.expect(der::INTEGER, "no version")?;
        let sid = fields.next("no sid")?;
        if ![der::SEQUENCE, 0x80].contains(&sid.tag) {
            return Err(malformed(sid.offset, "no signer identifier"));
        }
        let digest_algorithm = fields.next("no digestAlgorithm")?;
        let signed_attributes = fields.next_if(der::context(0))?;
        let signature_algorithm =
            fields.next("no signatureAlgorithm")?.expect(der::SEQUENCE, "no signatureAlgorithm")?;
        let signature = fields.next("no signature")?.expect(der::OCTET_STRING, "no signature")?;
        let unsigned_attributes = fields.next_if(der::context(1))?;
        if !fields.is_empty() {
            return Err(malformed(fields.offset(), "octets behind the last field of SignerInfo"));
        }
        Ok(Self {
            sid: Sid::read(&sid),
            digest_algorithm: digest_algorithm.expect(der::SEQUENCE, "no digestAlgorithm")?,
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

    /// The OIDs as they stand, for a reader who wants to know what is not
    /// supported.
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

    /// What is signed: the attributes with the universal SET tag in place of
    /// `[0]`, as received and, if that is another, in DER order.
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

/// The attributes in a set of them, all of whose values read.
pub(crate) fn attributes(set: Element<'_>) -> Result<Vec<Attribute<'_>>, Error> {
    set.children()
        .all(MAX_ELEMENTS)?
        .into_iter()
        .map(|attribute| {
            let mut fields = attribute.expect(der::SEQUENCE, "no attribute")?.children();
            let kind = fields.next("no attribute type")?.expect(der::OID, "no attribute type")?;
            let values = fields.next("no attribute values")?.expect(der::SET, "no values")?;
            values.children().each(MAX_ELEMENTS, |_| {})?;
            Ok(Attribute { kind: kind.content, values })
        })
        .collect()
}
