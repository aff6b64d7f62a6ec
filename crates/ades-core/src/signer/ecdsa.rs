//! ECDSA values in the form that many devices and services return: `r` and `s`
//! side by side, each as long as the curve's order.

use crate::asn1::der;
use crate::certificate::KeyType;

/// Converts `r` and `s` side by side into the DER `SEQUENCE { r, s }` that a
/// [`SignatureValue`](super::SignatureValue) holds (RFC 3279, 2.2.3).
///
/// Returns `None` if the value has another length, or if the key is not an
/// ECDSA key.
#[must_use]
pub fn ecdsa_from_raw(key: KeyType, value: &[u8]) -> Option<Vec<u8>> {
    let order = match key {
        KeyType::P256 => 32,
        KeyType::P384 => 48,
        KeyType::P521 => 66,
        _ => return None,
    };
    if value.len() != 2 * order {
        return None;
    }
    let (r, s) = value.split_at_checked(order)?;
    Some(der::element(der::SEQUENCE, &[&der::unsigned_integer(r), &der::unsigned_integer(s)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_the_shortest_integers() {
        let mut raw = vec![0; 64];
        raw[31] = 0x7F;
        raw[62] = 0x80;
        let der = [0x30, 0x08, 0x02, 0x01, 0x7F, 0x02, 0x03, 0x00, 0x80, 0x00];
        assert_eq!(ecdsa_from_raw(KeyType::P256, &raw).unwrap(), der);
        let long = ecdsa_from_raw(KeyType::P521, &[0xFF; 132]).unwrap();
        assert_eq!(long[..3], [0x30, 0x81, 0x8A]);
    }

    #[test]
    fn other_lengths_and_keys_are_rejected() {
        for (key, len) in [
            (KeyType::P256, 63),
            (KeyType::P256, 96),
            (KeyType::P384, 64),
            (KeyType::Rsa { bits: 512 }, 64),
            (KeyType::Ed25519, 64),
        ] {
            assert_eq!(ecdsa_from_raw(key, &vec![1; len]), None);
        }
    }
}
