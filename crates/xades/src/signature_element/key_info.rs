//! Writing `ds:KeyInfo` (XML Signature 1.1, clause 4.5).

use ades_core::asn1::ber::Reader;
use ades_core::asn1::der::{INTEGER, SEQUENCE};
use ades_core::certificate::KeyType;
use ades_core::{Certificate, CertificateChain, base64};

use crate::markup::Markup;
use crate::namespaces::DS_11;

/// The tag of a BIT STRING.
const BIT_STRING: u8 = 3;

/// The form of a `ds:KeyInfo`. The certificates are always in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyInfo {
    /// Whether `ds:SignedInfo` refers to it, so that it needs an Id.
    pub(crate) referenced: bool,
    /// Whether it also contains the public key.
    pub(crate) key_value: bool,
}

impl KeyInfo {
    /// The end of the name of each element that contains a public key.
    pub(crate) const KEY_VALUE: &str = "KeyValue>";

    pub(crate) fn write(self, markup: &mut Markup, chain: &CertificateChain, id: &str) {
        let id = [("Id", id)];
        markup.element("ds:KeyInfo", if self.referenced { &id } else { &[] }, |markup| {
            markup.element("ds:X509Data", &[], |markup| {
                for certificate in chain.certificates() {
                    markup.leaf("ds:X509Certificate", &[], &base64::encode(certificate.der()));
                }
            });
            if self.key_value {
                write_key_value(markup, chain.leaf());
            }
        });
    }
}

/// Writes `ds:KeyValue`. Keys that it cannot contain become `dsig11:DEREncodedKeyValue`.
fn write_key_value(markup: &mut Markup, certificate: &Certificate) {
    match PublicKey::of(certificate) {
        Some(PublicKey::Rsa { modulus, exponent }) => {
            markup.element("ds:KeyValue", &[], |markup| {
                markup.element("ds:RSAKeyValue", &[], |markup| {
                    markup.leaf("ds:Modulus", &[], &base64::encode(modulus));
                    markup.leaf("ds:Exponent", &[], &base64::encode(exponent));
                });
            });
        }
        Some(PublicKey::Ec { curve, point }) => {
            markup.element("ds:KeyValue", &[], |markup| {
                markup.element("dsig11:ECKeyValue", &[("xmlns:dsig11", DS_11)], |markup| {
                    markup.leaf("dsig11:NamedCurve", &[("URI", curve)], "");
                    markup.leaf("dsig11:PublicKey", &[], &base64::encode(point));
                });
            });
        }
        None => markup.leaf(
            "dsig11:DEREncodedKeyValue",
            &[("xmlns:dsig11", DS_11)],
            &base64::encode(certificate.public_key_info()),
        ),
    }
}

/// A public key in the parts that `ds:KeyValue` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PublicKey<'c> {
    /// Two unsigned numbers, without leading zeros.
    Rsa { modulus: &'c [u8], exponent: &'c [u8] },
    /// The URI of the curve, and the encoded point.
    Ec { curve: &'static str, point: &'c [u8] },
}

impl<'c> PublicKey<'c> {
    /// `None` if `ds:KeyValue` has no form for the certificate's key.
    pub(crate) fn of(certificate: &'c Certificate) -> Option<Self> {
        let curve = match certificate.key_type() {
            KeyType::Rsa { .. } => None,
            KeyType::P256 => Some("urn:oid:1.2.840.10045.3.1.7"),
            KeyType::P384 => Some("urn:oid:1.3.132.0.34"),
            KeyType::P521 => Some("urn:oid:1.3.132.0.35"),
            _ => return None,
        };
        let mut fields = Reader::new(certificate.public_key_info(), 0).next("").ok()?.children();
        fields.next("").ok()?;
        let bits = fields.next("").ok().filter(|bits| bits.tag == BIT_STRING)?;
        // The first octet is the number of unused bits.
        let key = bits.content.strip_prefix(&[0])?;
        let Some(curve) = curve else { return rsa(key) };
        Some(Self::Ec { curve, point: key })
    }
}

/// Reads `RSAPublicKey` (RFC 8017, A.1.1).
fn rsa(key: &[u8]) -> Option<PublicKey<'_>> {
    let mut numbers =
        Reader::new(key, 0).next("").ok().filter(|key| key.tag == SEQUENCE)?.children();
    let mut number = || numbers.next("").ok().filter(|number| number.tag == INTEGER);
    let (modulus, exponent) = (number()?, number()?);
    Some(PublicKey::Rsa {
        modulus: without_zeros(modulus.content),
        exponent: without_zeros(exponent.content),
    })
}

/// The octets of an unsigned number without leading zeros.
pub(crate) fn without_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}
