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
    let len = match key {
        KeyType::P256 => 32,
        KeyType::P384 => 48,
        KeyType::P521 => 66,
        _ => return None,
    };
    let (sequence, rest) = element(value, 0x30)?;
    let (r, after) = element(sequence, 0x02)?;
    let (s, end) = element(after, 0x02)?;
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
fn element(octets: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (len, rest) = match octets {
        [found, 0x81, len, rest @ ..] if *found == tag => (*len, rest),
        [found, len, rest @ ..] if *found == tag && *len < 0x80 => (*len, rest),
        _ => return None,
    };
    rest.split_at_checked(usize::from(len))
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
}
