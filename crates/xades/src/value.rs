//! Signature values in the form of XML Signature.

use ades_core::SignatureAlgorithm;
use ades_core::asn1::ber::{Element, Reader};
use ades_core::asn1::der::{self, INTEGER, SEQUENCE};
use ades_core::certificate::KeyType;

/// The octets of `ds:SignatureValue`: those of the signer, except for ECDSA. The DER
/// of ECDSA becomes `r` and `s`, each as long as the curve's order (XML Signature
/// 1.1, clause 6.4.3). `None` if the value is not such DER.
pub(crate) fn xml_value(
    algorithm: SignatureAlgorithm,
    key: KeyType,
    value: &[u8],
) -> Option<Vec<u8>> {
    if !matches!(algorithm, SignatureAlgorithm::Ecdsa(_)) {
        return Some(value.to_vec());
    }
    let len = order_len(key)?;
    let mut outer = Reader::new(value, 0);
    let mut numbers = expect(&mut outer, SEQUENCE)?.children();
    let (r, s) = (expect(&mut numbers, INTEGER)?, expect(&mut numbers, INTEGER)?);
    if !outer.is_empty() || !numbers.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(2 * len);
    for number in [r.content, s.content] {
        let digits = number.strip_prefix(&[0]).unwrap_or(number);
        out.resize(out.len() + len.checked_sub(digits.len())?, 0);
        out.extend_from_slice(digits);
    }
    Some(out)
}

fn expect<'v>(reader: &mut Reader<'v>, tag: u8) -> Option<Element<'v>> {
    let element = reader.next("").ok()?;
    (element.tag == tag && !element.indefinite).then_some(element)
}

/// The value of `ds:SignatureValue` in the form of the algorithm's own standard: `r`
/// and `s` become DER (XML Signature 1.1, clause 6.4.3). Each should be as long as
/// the curve's order. EU DSS, and everything else that uses Santuario, leaves out
/// the zeros that both begin with, which values of P-521 often have.
pub(crate) fn raw_value(
    algorithm: SignatureAlgorithm,
    key: KeyType,
    value: &[u8],
) -> Option<Vec<u8>> {
    if !matches!(algorithm, SignatureAlgorithm::Ecdsa(_)) {
        return Some(value.to_vec());
    }
    let len = order_len(key)?;
    if value.is_empty() || !value.len().is_multiple_of(2) || value.len() > 2 * len {
        return None;
    }
    let (r, s) = value.split_at_checked(value.len() / 2)?;
    Some(der::element(SEQUENCE, &[&der::unsigned_integer(r), &der::unsigned_integer(s)]))
}

/// The number of octets of a curve's order.
const fn order_len(key: KeyType) -> Option<usize> {
    match key {
        KeyType::P256 | KeyType::BrainpoolP256r1 | KeyType::Secp256k1 => Some(32),
        KeyType::P384 | KeyType::BrainpoolP384r1 => Some(48),
        KeyType::P521 => Some(66),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ades_core::DigestAlgorithm::Sha256;

    #[test]
    fn numbers_have_the_length_of_the_order() {
        let ecdsa = SignatureAlgorithm::Ecdsa(Sha256);
        let der = [0x30, 8, 2, 2, 0, 0x80, 2, 2, 1, 2];
        let value = xml_value(ecdsa, KeyType::P256, &der).unwrap();
        assert_eq!((value.len(), value[31], &value[62..]), (64, 0x80, [1, 2].as_slice()));
        assert_eq!(xml_value(ecdsa, KeyType::P521, &der).unwrap().len(), 132);
        for cut in 0..der.len() {
            assert_eq!(xml_value(ecdsa, KeyType::P256, &der[..cut]), None);
        }
        assert_eq!(xml_value(SignatureAlgorithm::Ed25519, KeyType::Ed25519, &der).unwrap(), der);
    }

    #[test]
    fn values_convert_to_der_and_back() {
        let ecdsa = SignatureAlgorithm::Ecdsa(Sha256);
        for (key, len) in [(KeyType::P256, 64), (KeyType::P384, 96), (KeyType::P521, 132)] {
            for fill in [0x01, 0x7F, 0x80, 0xFF] {
                let mut value = vec![fill; len];
                value[0] = 0;
                value[len / 2 + 1] = 0x80;
                let der = raw_value(ecdsa, key, &value).unwrap();
                assert_eq!(xml_value(ecdsa, key, &der).unwrap(), value);
            }
            let short = [vec![0], vec![1; len / 2 - 1]].concat().repeat(2);
            let shorter = vec![1; len - 2];
            assert_eq!(raw_value(ecdsa, key, &shorter), raw_value(ecdsa, key, &short));
            assert_eq!(raw_value(ecdsa, key, &[]), None);
            assert_eq!(raw_value(ecdsa, key, &vec![1; len - 1]), None);
            assert_eq!(raw_value(ecdsa, key, &vec![1; len + 2]), None);
        }
        assert_eq!(raw_value(ecdsa, KeyType::Ed25519, &[1; 64]), None);
        assert_eq!(raw_value(SignatureAlgorithm::Ed25519, KeyType::Ed25519, &[1]), Some(vec![1]));
    }
}
