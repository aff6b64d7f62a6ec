//! ECDSA by AWS-LC, for values that verify. The others need a reason, which it does not give.

use aws_lc_rs::digest::{self, Digest, SHA256, SHA384, SHA512};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1,
    EcdsaVerificationAlgorithm, UnparsedPublicKey,
};

use crate::certificate::KeyType;

/// The first octet of an uncompressed point (SEC 1, 2.3.3).
const UNCOMPRESSED: u8 = 0x04;

/// Whether AWS-LC verifies the value. After `false`, RustCrypto decides: it has the
/// other curves and forms of points, too.
pub(super) fn verifies(key: KeyType, point: &[u8], digest: &[u8], value: &[u8]) -> bool {
    // AWS-LC also reads points in other forms.
    if point.first() != Some(&UNCOMPRESSED) {
        return false;
    }
    let (algorithm, longest): (&EcdsaVerificationAlgorithm, &digest::Algorithm) = match key {
        KeyType::P256 => (&ECDSA_P256_SHA256_ASN1, &SHA256),
        KeyType::P384 => (&ECDSA_P384_SHA384_ASN1, &SHA384),
        KeyType::P521 => (&ECDSA_P521_SHA512_ASN1, &SHA512),
        _ => return false,
    };
    // The algorithms name a digest, but ECDSA is over a number: the leftmost octets of any
    // digest, at most as many as the order has (FIPS 186-5, 6.4.1).
    let digest = digest.get(..longest.output_len()).unwrap_or(digest);
    let mut number = vec![0; longest.output_len() - digest.len()];
    number.extend_from_slice(digest);
    Digest::import_less_safe(&number, longest).is_ok_and(|number| {
        UnparsedPublicKey::new(algorithm, point).verify_digest(&number, value).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use ecdsa::signature::hazmat::PrehashSigner;
    use p256::elliptic_curve::sec1::ToSec1Point;
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::asn1::der;
    use crate::verify::verify_ecdsa_point;

    /// Lengths of digests, in octets.
    const LENGTHS: [usize; 5] = [20, 28, 32, 48, 64];

    /// A key's point and its value over a digest.
    struct Signed {
        key: KeyType,
        point: Vec<u8>,
        compressed: Vec<u8>,
        digest: Vec<u8>,
        value: Vec<u8>,
        /// The value with n - s for s, which is as good.
        other_value: Vec<u8>,
        order: Vec<u8>,
    }

    fn signed(curve: usize, seed: u8, length: usize) -> Signed {
        let digest: Vec<u8> = (0..length).map(|at| seed.wrapping_mul(31) ^ at as u8).collect();
        macro_rules! sign {
            ($key:expr, $curve:ty, $len:literal) => {{
                let mut scalar = [seed; $len];
                scalar[0] = 0;
                let key = ecdsa::SigningKey::<$curve>::from_slice(&scalar).unwrap();
                let mut number = vec![0; usize::saturating_sub($len, digest.len())];
                number.extend_from_slice(&digest);
                let value: ecdsa::Signature<$curve> = key.sign_prehash(&number).unwrap();
                let (r, s) = value.split_scalars();
                let other = ecdsa::Signature::<$curve>::from_scalars(r, -s).unwrap();
                let public = *key.verifying_key().as_affine();
                let order = <$curve as p256::elliptic_curve::Curve>::ORDER.to_be_bytes();
                Signed {
                    key: $key,
                    point: public.to_sec1_point(false).as_bytes().to_vec(),
                    compressed: public.to_sec1_point(true).as_bytes().to_vec(),
                    digest,
                    value: value.to_der().as_bytes().to_vec(),
                    other_value: other.to_der().as_bytes().to_vec(),
                    order: order.as_ref().to_vec(),
                }
            }};
        }
        match curve {
            0 => sign!(KeyType::P256, p256::NistP256, 32),
            1 => sign!(KeyType::P384, p384::NistP384, 48),
            _ => sign!(KeyType::P521, p521::NistP521, 66),
        }
    }

    impl Signed {
        /// What AWS-LC and RustCrypto say.
        fn both(&self) -> [bool; 2] {
            let Self { key, point, digest, value, .. } = self;
            let rust_crypto = verify_ecdsa_point(*key, point, digest, value);
            [verifies(*key, point, digest, value), rust_crypto.is_ok()]
        }
    }

    #[test]
    fn digests_of_each_length_verify() {
        for curve in 0..3 {
            for length in LENGTHS {
                let mut signed = signed(curve, 7, length);
                assert_eq!(signed.both(), [true, true], "{:?}, {length}", signed.key);
                signed.value = signed.other_value.clone();
                assert_eq!(signed.both(), [true, true], "{:?}, {length}", signed.key);
                signed.digest[0] ^= 1;
                assert_eq!(signed.both(), [false, false], "{:?}, {length}", signed.key);
            }
        }
    }

    /// A point of another form is read by RustCrypto alone.
    #[test]
    fn other_forms_of_points_are_left_to_rust_crypto() {
        for curve in 0..3 {
            let mut signed = signed(curve, 7, 32);
            signed.point = signed.compressed.clone();
            assert_eq!(signed.both(), [false, true]);
        }
        let signed = signed(0, 7, 32);
        assert!(!verifies(KeyType::Secp256k1, &signed.point, &signed.digest, &signed.value));
    }

    /// A value in DER with these numbers, which are not checked.
    fn encoded(r: &[u8], s: &[u8]) -> Vec<u8> {
        der::element(der::SEQUENCE, &[&der::element(2, &[r]), &der::element(2, &[s])])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn changed_values_keys_and_digests_have_one_answer(
            curve in 0..3usize,
            seed in 1..250u8,
            length in prop::sample::select(&LENGTHS[..]),
            at in any::<Index>(),
            bit in 0..8,
            what in 0..5,
        ) {
            let mut signed = signed(curve, seed, length);
            prop_assert_eq!(signed.both(), [true, true]);
            let octets = match what {
                0 => &mut signed.point,
                1 => &mut signed.digest,
                _ => &mut signed.value,
            };
            match what {
                3 => octets.insert(at.index(octets.len() + 1), 0),
                4 => drop(octets.remove(at.index(octets.len()))),
                _ => {
                    let at = at.index(octets.len());
                    octets[at] ^= 1u8 << bit;
                }
            }
            let [aws_lc, rust_crypto] = signed.both();
            prop_assert!(aws_lc == rust_crypto || signed.point[0] != UNCOMPRESSED);
        }
    }

    /// Zero, the order, negative numbers and numbers that are not written in DER.
    #[test]
    fn numbers_out_of_range_have_one_answer() {
        for curve in 0..3 {
            let mut signed = signed(curve, 9, 32);
            let order = [&[0], signed.order.as_slice()].concat();
            let numbers: [&[u8]; 7] =
                [b"", b"\0", b"\x01", b"\0\x01", b"\xFF", &order, &signed.order.clone()];
            for r in numbers {
                for s in numbers {
                    signed.value = encoded(r, s);
                    assert_eq!(signed.both(), [false, false], "{r:?}, {s:?}");
                }
            }
        }
    }
}
