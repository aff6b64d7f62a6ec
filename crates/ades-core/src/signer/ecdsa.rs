//! ECDSA values as many devices and services give them: `r` and `s` side by
//! side, each as long as the curve's order.

use crate::certificate::KeyType;

/// `r` and `s` side by side as the DER `SEQUENCE { r, s }` that a
/// [`SignatureValue`](super::SignatureValue) holds (RFC 3279, 2.2.3). `None`
/// for a value of another length or a key that is not ECDSA's.
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
    element(0x30, &[integer(r)?, integer(s)?].concat())
}

/// A DER INTEGER of a number that is not negative.
fn integer(number: &[u8]) -> Option<Vec<u8>> {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    let digits = number.get(zeros..)?;
    let sign = digits.first().is_none_or(|first| first & 0x80 != 0);
    element(0x02, &[if sign { [0].as_slice() } else { &[] }, digits].concat())
}

/// A DER element of less than 256 octets.
fn element(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let len = u8::try_from(content.len()).ok()?;
    let head = if len < 0x80 { vec![tag, len] } else { vec![tag, 0x81, len] };
    Some([head.as_slice(), content].concat())
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
    fn other_lengths_and_keys_are_nothing() {
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
