//! RSA public keys, and the operation with them (RFC 8017, 3.1 and 5.2.2).

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use der::Decode;
use rsa::PublicKey;
use rsa::pkcs1::RsaPublicKeyRef;

/// A public key within the limits of [`PublicKey`], which does its work as if modulus and
/// exponent were secret. With public ones, it is half as much.
pub(super) struct RsaKey {
    modulus: Odd<BoxedUint>,
    exponent: u64,
}

impl RsaKey {
    /// Reads an `RSAPublicKey` (RFC 8017, A.1.1). `None` if it is malformed or not within the
    /// limits.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let key = RsaPublicKeyRef::from_der(der).ok()?;
        let octets = key.modulus.as_bytes();
        let bits = u32::try_from(octets.len()).ok()?.checked_mul(8)?;
        let modulus = Odd::new(BoxedUint::from_be_slice(octets, bits).ok()?).into_option()?;

        // A longer exponent is not within the limits.
        let octets = key.public_exponent.as_bytes();
        let mut exponent = [0; 8];
        let start = exponent.len().checked_sub(octets.len())?;
        exponent.get_mut(start..)?.copy_from_slice(octets);

        let key = Self { modulus, exponent: u64::from_be_bytes(exponent) };
        let exponents = PublicKey::MIN_PUB_EXPONENT..=PublicKey::MAX_PUB_EXPONENT;
        let is_usable = (PublicKey::MIN_SIZE..=PublicKey::MAX_SIZE).contains(&key.bits())
            && exponents.contains(&key.exponent)
            && key.exponent % 2 == 1;
        is_usable.then_some(key)
    }

    /// The length of the modulus in bits.
    pub(super) fn bits(&self) -> usize {
        usize::try_from(self.modulus.bit_width_vartime()).unwrap_or(usize::MAX)
    }

    /// Recovers the encoded message from a value of the modulus's length, and is as long.
    /// `None` for a value that is not below the modulus.
    pub(super) fn recover(&self, value: &[u8]) -> Option<Vec<u8>> {
        let number = BoxedUint::from_be_slice(value, self.modulus.bits_precision()).ok()?;
        if number >= *self.modulus.as_ref() {
            return None;
        }
        let parameters = BoxedMontyParams::new_vartime(self.modulus.clone());
        let base = BoxedMontyForm::new(number, &parameters);
        let mut power = base.clone();
        // The highest bit of the exponent is done.
        for bit in (0..self.exponent.checked_ilog2()?).rev() {
            power = power.square();
            if self.exponent >> bit & 1 == 1 {
                power = &power * &base;
            }
        }
        let message = power.retrieve().to_be_bytes();
        let skip = message.len().checked_sub(value.len())?;
        message.get(skip..).map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests {
    use rsa::hazmat::rsa_encrypt;
    use rsa::pkcs1::{DecodeRsaPublicKey, EncodeRsaPublicKey};
    use rsa::traits::PublicKeyParts;

    use super::*;

    /// An odd number of this length. A key need not be one that somebody can sign with.
    fn modulus(bits: u32) -> Vec<u8> {
        let mut octets: Vec<u8> =
            (0..bits.div_ceil(8)).map(|at| (at * 97 + bits + 5).to_le_bytes()[0]).collect();
        let unused = octets.len() as u32 * 8 - bits;
        let [first, .., last] = octets.as_mut_slice() else { panic!() };
        *first = (*first | 0x80) >> unused;
        *last |= 1;
        octets
    }

    fn key(modulus: &[u8], exponent: u64) -> Vec<u8> {
        let bits = u32::try_from(modulus.len()).unwrap() * 8;
        let n = BoxedUint::from_be_slice(modulus, bits).unwrap();
        let key = PublicKey::new_unchecked(n, BoxedUint::from(exponent));
        key.to_pkcs1_der().unwrap().as_bytes().to_vec()
    }

    #[test]
    fn the_message_is_that_of_the_crate_rsa() {
        for bits in [1024, 2047, 2048, 2056, 3072, 4096] {
            let modulus = modulus(bits);
            for exponent in [3, 17, 65_537, PublicKey::MAX_PUB_EXPONENT] {
                let der = key(&modulus, exponent);
                let (ours, theirs) =
                    (RsaKey::read(&der).unwrap(), PublicKey::from_pkcs1_der(&der).unwrap());
                assert_eq!(ours.bits(), usize::try_from(bits).unwrap());
                let mut one_less = modulus.clone();
                *one_less.last_mut().unwrap() -= 1;
                for mut value in [vec![0; modulus.len()], vec![0x5A; modulus.len()], one_less] {
                    *value.first_mut().unwrap() &= *modulus.first().unwrap();
                    let number =
                        BoxedUint::from_be_slice(&value, theirs.n_bits_precision()).unwrap();
                    let expected = rsa_encrypt(&theirs, &number).unwrap().to_be_bytes();
                    let expected = &expected[expected.len() - value.len()..];
                    assert_eq!(ours.recover(&value).unwrap(), expected, "{bits} {exponent}");
                }
                // RFC 8017, 5.2.2, step 1.
                assert_eq!(ours.recover(&modulus), None);
                assert_eq!(ours.recover(&vec![0xFF; modulus.len()]), None);
            }
        }
    }

    #[test]
    fn the_limits_are_those_of_the_crate_rsa() {
        for (bits, exponent) in [
            (1016, 3),
            (1023, 3),
            (1024, 3),
            (8192, 3),
            (8193, 3),
            (2048, 1),
            (2048, 2),
            (2048, 4),
            (2048, PublicKey::MAX_PUB_EXPONENT + 2),
            (2048, u64::MAX),
        ] {
            let der = key(&modulus(bits), exponent);
            let theirs = PublicKey::from_pkcs1_der(&der).is_ok();
            assert_eq!(RsaKey::read(&der).is_some(), theirs, "{bits} {exponent}");
        }
        assert!(RsaKey::read(&[0x30, 0]).is_none());
    }
}
