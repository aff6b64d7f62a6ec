//! The octets of a password. RFC 7292, B.1 has one encoding and RFC 8018 another,
//! and programs differ in both.

use crate::ber_octets::Secret;

/// The encodings of one password, the most likely first.
pub(crate) struct Passwords {
    /// For the key derivation of PKCS#12.
    pub(crate) bmp: Vec<Secret>,
    /// For PBES2, PBMAC1, and PBES1 of PKCS#5.
    pub(crate) text: Vec<Secret>,
}

impl Passwords {
    pub(crate) fn new(password: &str) -> Self {
        let utf16 = bmp(password.encode_utf16());
        let utf8 = Secret::new(password.as_bytes().to_vec());
        let mut passwords = Self { bmp: vec![utf16.clone()], text: vec![utf8] };
        if password.is_empty() {
            // "Two zero octets" and "no password" are different inputs. OpenSSL
            // tries both.
            passwords.bmp.push(Secret::new(Vec::new()));
        } else if !password.is_ascii() {
            // OpenSSL before 1.1.0 took each octet of UTF-8 for a character.
            passwords.bmp.push(bmp(password.bytes().map(u16::from)));
            // Programs in a locale with ISO 8859-1 pass its octets on.
            let latin1: Result<Vec<u8>, _> =
                password.chars().map(|c| u8::try_from(u32::from(c))).collect();
            passwords.text.extend(latin1.ok().map(Secret::new));
        }
        // Older versions of NSS (Firefox) encode for PBES2 as for PKCS#12.
        passwords.text.push(utf16);
        passwords
    }
}

/// UTF-16, big-endian, and a terminator. BMPString has no characters outside the
/// BMP; OpenSSL and Java write their surrogate pairs.
fn bmp(units: impl Iterator<Item = u16> + Clone) -> Secret {
    let mut octets = Secret::new(Vec::with_capacity(2 * units.clone().count() + 2));
    for unit in units {
        octets.extend_from_slice(&unit.to_be_bytes());
    }
    octets.extend_from_slice(&[0, 0]);
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_password_has_its_encodings() {
        let is = |found: &[Secret], expected: &[&[u8]]| {
            assert!(found.iter().map(|secret| secret.as_slice()).eq(expected.iter().copied()));
        };
        let empty = Passwords::new("");
        is(&empty.bmp, &[&[0, 0], &[]]);
        is(&empty.text, &[&[], &[0, 0]]);
        let ascii = Passwords::new("a");
        is(&ascii.bmp, &[&[0, 97, 0, 0]]);
        is(&ascii.text, &[b"a", &[0, 97, 0, 0]]);
        let latin = Passwords::new("é");
        is(&latin.bmp, &[&[0, 0xE9, 0, 0], &[0, 0xC3, 0, 0xA9, 0, 0]]);
        is(&latin.text, &[&[0xC3, 0xA9], &[0xE9], &[0, 0xE9, 0, 0]]);
        let outside = Passwords::new("😀");
        assert_eq!(*outside.bmp[0], [0xD8, 0x3D, 0xDE, 0x00, 0, 0]);
        assert_eq!(outside.text.len(), 2);
    }
}
