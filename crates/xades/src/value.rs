//! Signature values as XML Signature wants them.

use ades_core::SignatureAlgorithm;
use ades_core::certificate::KeyType;

/// The octets of `ds:SignatureValue`: those of the signer, except for ECDSA,
/// whose DER becomes `r` and `s` side by side, each as long as the curve's
/// order (XML Signature 1.1, clause 6.4.3). `None`: no such DER.
pub(crate) fn xml_value(
    algorithm: SignatureAlgorithm,
    key: KeyType,
    value: &[u8],
) -> Option<Vec<u8>> {
    if !matches!(algorithm, SignatureAlgorithm::Ecdsa(_)) {
        return Some(value.to_vec());
    }
    let len = order_len(key)?;
    let (sequence, rest) = read_element(value, 0x30)?;
    let (r, after) = read_element(sequence, 0x02)?;
    let (s, end) = read_element(after, 0x02)?;
    if !rest.is_empty() || !end.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(2 * len);
    for number in [r, s] {
        let digits = number.strip_prefix(&[0]).unwrap_or(number);
        out.resize(out.len() + len.checked_sub(digits.len())?, 0);
        out.extend_from_slice(digits);
    }
    Some(out)
}

/// The content of the first DER element, which has this tag and less than 256
/// octets, and what comes behind it.
fn read_element(octets: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (len, rest) = match octets {
        [found, 0x81, len, rest @ ..] if *found == tag => (*len, rest),
        [found, len, rest @ ..] if *found == tag && *len < 0x80 => (*len, rest),
        _ => return None,
    };
    rest.split_at_checked(usize::from(len))
}

/// A value of `ds:SignatureValue` as the algorithms' own standards write it:
/// `r` and `s` side by side become DER (XML Signature 1.1, clause 6.4.3). Each is
/// to be as long as the curve's order; EU DSS, and all else on Santuario, leaves
/// out the zeros that both begin with, which P-521 often has.
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
    let body = [integer(r)?, integer(s)?].concat();
    write_element(0x30, &body)
}

/// A DER INTEGER of a number that is not negative.
fn integer(number: &[u8]) -> Option<Vec<u8>> {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    let digits = number.get(zeros..)?;
    let sign = digits.first().is_none_or(|first| first & 0x80 != 0);
    let padded = [if sign { [0].as_slice() } else { &[] }, digits].concat();
    write_element(0x02, &padded)
}

/// A DER element of less than 256 octets.
fn write_element(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let len = u8::try_from(content.len()).ok()?;
    let head = if len < 0x80 { vec![tag, len] } else { vec![tag, 0x81, len] };
    Some([head.as_slice(), content].concat())
}

/// How many octets the order of a curve has.
const fn order_len(key: KeyType) -> Option<usize> {
    match key {
        KeyType::P256 => Some(32),
        KeyType::P384 => Some(48),
        KeyType::P521 => Some(66),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ades_core::DigestAlgorithm::Sha256;

    #[test]
    fn numbers_get_the_length_of_the_order() {
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
    fn values_go_to_der_and_back() {
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
