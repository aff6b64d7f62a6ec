//! ECDSA values in the form that many devices and services return: `r` and `s`
//! side by side, each as long as the curve's order.

use crate::asn1::ber::Reader;
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
        KeyType::P256 | KeyType::BrainpoolP256r1 | KeyType::Secp256k1 => 32,
        KeyType::P384 | KeyType::BrainpoolP384r1 => 48,
        KeyType::P521 => 66,
        _ => return None,
    };
    if value.len() != 2 * order {
        return None;
    }
    let (r, s) = value.split_at_checked(order)?;
    Some(der::element(der::SEQUENCE, &[&der::unsigned_integer(r), &der::unsigned_integer(s)]))
}

/// The DER of a `SEQUENCE { r, s }` in any encoding: with long lengths, or with
/// the integers of writers that forget the octet of zeros before a set first bit,
/// or write more of them than needed. `None` if the octets are something else.
pub(super) fn ecdsa_from_integers(value: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(value, 0);
    let mut fields = reader.next_if(der::SEQUENCE).ok()??.children();
    let r = fields.next_if(der::INTEGER).ok()??;
    let s = fields.next_if(der::INTEGER).ok()??;
    if !fields.is_empty() || !reader.is_empty() {
        return None;
    }
    let integers = [r.content, s.content].map(der::unsigned_integer);
    Some(der::element(der::SEQUENCE, &integers.each_ref().map(Vec::as_slice)))
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
    fn integers_become_positive_and_shortest() {
        let der = [0x30, 0x08, 0x02, 0x01, 0x7F, 0x02, 0x03, 0x00, 0x80, 0x00];
        for value in [
            &der[..],
            &[0x30, 0x81, 0x08, 0x02, 0x01, 0x7F, 0x02, 0x03, 0x00, 0x80, 0x00],
            &[0x30, 0x80, 0x02, 0x02, 0x00, 0x7F, 0x02, 0x02, 0x80, 0x00, 0x00, 0x00],
        ] {
            assert_eq!(ecdsa_from_integers(value).unwrap(), der, "{value:02x?}");
        }
        for other in [&der[1..], &der[..9], &[&der[..], &[0]].concat(), &[0x30, 3, 2, 1, 1]] {
            assert_eq!(ecdsa_from_integers(other), None);
        }
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
