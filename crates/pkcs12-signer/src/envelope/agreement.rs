//! Recipients with a key on an elliptic curve: `KeyAgreeRecipientInfo` (RFC 5652, 6.2.2;
//! RFC 5753).

use ades_core::Certificate;
use ades_core::asn1::ber::Element;
use ades_core::asn1::der;
use aes_kw::cipher::KeyInit;
use aes_kw::{KwAes128, KwAes192, KwAes256};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::digest::{self, Algorithm, Context};
use zeroize::Zeroizing;

use super::{CONTEXT_0_CONSTRUCTED, names, oid};

/// Maximum number of keys in one `KeyAgreeRecipientInfo`.
const MAX_KEYS: usize = 4096;
/// Maximum length of an encrypted content-encryption key.
const MAX_KEY: usize = 64;
/// Number of octets that AES key wrap adds (RFC 3394, 2.2.1).
const WRAP_OVERHEAD: usize = 8;
const CONTEXT_1_CONSTRUCTED: u8 = 0xA1;
const BIT_STRING: u8 = 0x03;

/// A key derivation of RFC 5753, 7.1.4. The cofactor of the supported curves is 1, so that
/// cofactor Diffie-Hellman is the same.
fn derivation(name: &str) -> Option<&'static Algorithm> {
    Some(match name {
        "1.3.133.16.840.63.0.2" | "1.3.133.16.840.63.0.3" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "1.3.132.1.11.0" | "1.3.132.1.14.0" => &digest::SHA224,
        "1.3.132.1.11.1" | "1.3.132.1.14.1" => &digest::SHA256,
        "1.3.132.1.11.2" | "1.3.132.1.14.2" => &digest::SHA384,
        "1.3.132.1.11.3" | "1.3.132.1.14.3" => &digest::SHA512,
        _ => return None,
    })
}

/// The length of the key of AES key wrap (RFC 3565, 2.3.2).
fn wrapping_len(name: &str) -> Option<usize> {
    Some(match name {
        "2.16.840.1.101.3.4.1.5" => 16,
        "2.16.840.1.101.3.4.1.25" => 24,
        "2.16.840.1.101.3.4.1.45" => 32,
        _ => return None,
    })
}

/// The content-encryption key, if it is for this certificate. `key`: its private key in
/// PKCS#8.
pub(super) fn agreed_key(
    recipient: Element<'_>,
    key: &[u8],
    certificate: &Certificate,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut fields = recipient.children();
    fields.next("no version").ok()?;
    let originator = fields.next("no originator").ok()?;
    let point = ephemeral_point(originator.expect(CONTEXT_0_CONSTRUCTED, "no originator").ok()?)?;
    let material = match fields.next_if(CONTEXT_1_CONSTRUCTED).ok()? {
        Some(material) => {
            let material = material.children().next("no keying material").ok()?;
            Some(material.expect(der::OCTET_STRING, "no keying material").ok()?.content)
        }
        None => None,
    };
    let algorithm = fields.next("no algorithm").ok()?.expect(der::SEQUENCE, "no algorithm").ok()?;
    let mut algorithm = algorithm.children();
    let digest = derivation(&oid(algorithm.next("no algorithm").ok()?)?)?;
    let wrap = algorithm.next("no key wrap").ok()?.expect(der::SEQUENCE, "no key wrap").ok()?;
    let len = wrapping_len(&oid(wrap.children().next("no key wrap").ok()?)?)?;
    let keys = fields.next("no keys").ok()?.expect(der::SEQUENCE, "no keys").ok()?;
    let wrapped = keys.children().all(MAX_KEYS).ok()?.into_iter().find_map(|key| {
        let mut fields = key.expect(der::SEQUENCE, "no key").ok()?.children();
        let id = fields.next("no identifier").ok()?;
        names(id, certificate)?.then_some(())?;
        Some(fields.next("no key").ok()?.content)
    })?;
    let shared_info = shared_info(wrap.raw, material, len);
    let wrapping = agree(key, point, |secret| derive(digest, secret, &shared_info, len))?;
    unwrap(&wrapping, wrapped)
}

/// The point of an `OriginatorPublicKey`, an ephemeral key.
fn ephemeral_point(originator: Element<'_>) -> Option<&[u8]> {
    let key = originator.children().next("no key").ok()?;
    let mut fields = key.expect(CONTEXT_1_CONSTRUCTED, "another kind").ok()?.children();
    fields.next("no algorithm").ok()?;
    let point = fields.next("no point").ok()?.expect(BIT_STRING, "no point").ok()?;
    // The number of unused bits comes first.
    point.content.strip_prefix(&[0])
}

/// Calls `derive` with the secret that the private key and the point share.
fn agree<T>(key: &[u8], point: &[u8], derive: impl Fn(&[u8]) -> T) -> Option<T> {
    let curves = [&agreement::ECDH_P256, &agreement::ECDH_P384, &agreement::ECDH_P521];
    curves.into_iter().find_map(|curve| {
        let key = PrivateKey::from_private_key_der(curve, key).ok()?;
        let point = UnparsedPublicKey::new(curve, point);
        agreement::agree(&key, point, (), |secret| Ok(derive(secret))).ok()
    })
}

/// The DER of `ECC-CMS-SharedInfo` (RFC 5753, 7.2). `len`: the key's length in octets.
fn shared_info(wrap: &[u8], material: Option<&[u8]>, len: usize) -> Vec<u8> {
    let explicit = |number, content: &[u8]| {
        der::element(der::context(number), &[&der::element(der::OCTET_STRING, &[content])])
    };
    let material = material.map(|material| explicit(0, material)).unwrap_or_default();
    let bits = (8 * len as u32).to_be_bytes();
    der::element(der::SEQUENCE, &[wrap, &material, &explicit(2, &bits)])
}

/// The key derivation of ANSI X9.63 (SEC 1, 3.6.1).
fn derive(
    algorithm: &'static Algorithm,
    secret: &[u8],
    shared_info: &[u8],
    len: usize,
) -> Zeroizing<Vec<u8>> {
    let mut derived = Zeroizing::new(Vec::with_capacity(len + algorithm.output_len()));
    let mut counter: u32 = 1;
    while derived.len() < len {
        let mut context = Context::new(algorithm);
        context.update(secret);
        context.update(&counter.to_be_bytes());
        context.update(shared_info);
        derived.extend_from_slice(context.finish().as_ref());
        counter += 1;
    }
    derived.truncate(len);
    derived
}

/// AES key wrap (RFC 3394).
fn unwrap(wrapping: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let len = wrapped.len().checked_sub(WRAP_OVERHEAD).filter(|len| *len <= MAX_KEY)?;
    let mut key = Zeroizing::new(vec![0; len]);
    match wrapping.len() {
        16 => KwAes128::new_from_slice(wrapping).ok()?.unwrap_key(wrapped, &mut key).ok()?,
        24 => KwAes192::new_from_slice(wrapping).ok()?.unwrap_key(wrapped, &mut key).ok()?,
        _ => KwAes256::new_from_slice(wrapping).ok()?.unwrap_key(wrapped, &mut key).ok()?,
    };
    Some(key)
}
