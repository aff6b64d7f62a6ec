//! The public keys in `ds:KeyInfo` (XML Signature 1.1, clauses 4.5.2 and 4.5.10).

use ades_core::Certificate;

use crate::namespaces::{DS, DS_11};
use crate::signature_element::key_info::{PublicKey, without_zeros};

use super::tree::Element;

/// Whether `ds:KeyInfo` contains a public key that is not the certificate's. Keys in other forms
/// than those that *prepare* writes are not compared.
pub(crate) fn differs(key_info: &Element, certificate: &Certificate) -> bool {
    let key = PublicKey::of(certificate);
    let of_values = key_info.all(DS, "KeyValue").flat_map(|value| &value.children);
    let mut same = of_values.filter_map(|value| {
        if value.is(DS, "RSAKeyValue") {
            Some(is_rsa(value, key))
        } else if value.is(DS_11, "ECKeyValue") {
            is_ec(value, key)
        } else {
            None
        }
    });
    let mut of_der = key_info.all(DS_11, "DEREncodedKeyValue");
    let other = |value: &Element| value.octets().as_deref() != Some(certificate.public_key_info());
    same.any(|same| !same) || of_der.any(other)
}

fn is_rsa(value: &Element, key: Option<PublicKey<'_>>) -> bool {
    let number = |name| value.only(DS, name).and_then(Element::octets);
    let Some(PublicKey::Rsa { modulus, exponent }) = key else { return false };
    let same = |name, of_certificate| {
        number(name).is_some_and(|number| without_zeros(&number) == of_certificate)
    };
    same("Modulus", modulus) && same("Exponent", exponent)
}

/// `None` if the key has explicit parameters of a curve.
fn is_ec(value: &Element, key: Option<PublicKey<'_>>) -> Option<bool> {
    let named = value.only(DS_11, "NamedCurve")?.attribute("URI")?;
    let Some(PublicKey::Ec { curve, point }) = key else { return Some(false) };
    let octets = value.only(DS_11, "PublicKey").and_then(Element::octets);
    Some(named == curve && octets.as_deref() == Some(point))
}
