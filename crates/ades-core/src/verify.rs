//! Verifies signature values. For a value that does not verify, reports the reason.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
mod issued;
mod rsa_key;

use ::der::asn1::{AnyRef, BitStringRef};
use ::der::{Decode, Reader, SliceReader};

use crate::algorithm::{DigestAlgorithm, PssParameters, SignatureAlgorithm};
use crate::asn1::der;
use crate::certificate::{Certificate, KeyType};
use crate::digest::{Digest, Digester};
use crate::error::{Error, NotFit, OverOther, Parameter};

use issued::Issued;
use rsa_key::RsaKey;

/// Verifies `value` over `data` with the certificate's public key.
///
/// # Errors
/// [`Error::WrongAlgorithm`] if the key cannot make signatures with `algorithm`.
/// [`Error::CertificateNotFit`] if this version does not support the key. For a
/// value that does not verify, the reason: [`Error::ValueLength`],
/// [`Error::WrongKey`], [`Error::ValueOverOther`] or, if the algorithm does not
/// reveal more, [`Error::ValueDoesNotVerify`].
pub fn verify(
    certificate: &Certificate,
    algorithm: SignatureAlgorithm,
    data: &[u8],
    value: &[u8],
) -> Result<(), Error> {
    if algorithm == SignatureAlgorithm::Ed25519 {
        check_key_and_length(certificate, algorithm, value)?;
        return verify_ed25519(certificate.public_key_info(), data, value);
    }
    verify_digest(certificate, algorithm, &Digest::of(algorithm.digest_algorithm(), data), value)
}

/// Verifies `value` over data of which only the digest is known.
///
/// # Errors
/// Those of [`verify`], and [`Error::Parameter`] for Ed25519, which signs the
/// data itself, and for a digest of another algorithm.
pub fn verify_digest(
    certificate: &Certificate,
    algorithm: SignatureAlgorithm,
    digest: &Digest,
    value: &[u8],
) -> Result<(), Error> {
    check_key_and_length(certificate, algorithm, value)?;
    if digest.algorithm() != algorithm.digest_algorithm() {
        return Err(Error::Parameter {
            parameter: Parameter::Digest,
            problem: "its algorithm is not the signature algorithm's digest algorithm",
        });
    }
    let spki = certificate.public_key_info();
    match algorithm {
        SignatureAlgorithm::RsaPkcs1v15(_) => verify_pkcs1v15(spki, digest, value),
        SignatureAlgorithm::RsaPss(_) | SignatureAlgorithm::RsaPssWith(_) => {
            let parameters = algorithm.pss_parameters();
            let parameters = parameters.ok_or(Error::ValueDoesNotVerify)?;
            verify_pss(spki, digest, parameters, value)
        }
        SignatureAlgorithm::Ecdsa(_) => verify_ecdsa(certificate.key_type(), spki, digest, value),
        SignatureAlgorithm::Ed25519 => Err(Error::Parameter {
            parameter: Parameter::Digest,
            problem: "Ed25519 signs the data itself, not its digest",
        }),
    }
}

fn check_key_and_length(
    certificate: &Certificate,
    algorithm: SignatureAlgorithm,
    value: &[u8],
) -> Result<(), Error> {
    let key = certificate.key_type();
    let Some(expected) = key.max_value_len() else {
        return Err(Error::CertificateNotFit(NotFit::KeyUnsupported));
    };
    if !key.fits(algorithm) {
        return Err(Error::WrongAlgorithm { key, algorithm });
    }
    let exact = !matches!(algorithm, SignatureAlgorithm::Ecdsa(_));
    if value.is_empty() || value.len() > expected || (exact && value.len() != expected) {
        return Err(Error::ValueLength { expected, found: value.len() });
    }
    Ok(())
}

/// Whether `issuer`'s key made the signature on `subject`. Returns `None` if this
/// version cannot verify it, because of an unsupported key or algorithm.
///
/// The process remembers the last 64 signatures that verified.
#[must_use]
pub fn verify_issued_by(subject: &Certificate, issuer: &Certificate) -> Option<bool> {
    let issued = Issued::new(subject, issuer);
    if issued.is_remembered() {
        return Some(true);
    }
    let (tbs, algorithm, value) = subject.issuer_signature();
    let algorithm =
        SignatureAlgorithm::from_algorithm_identifier(algorithm, DigestAlgorithm::Sha256).ok()?;
    match verify(issuer, algorithm, tbs, value) {
        Ok(()) => {
            issued.remember();
            Some(true)
        }
        Err(Error::CertificateNotFit(_)) => None,
        Err(_) => Some(false),
    }
}

/// Compares the recovered message (RFC 8017, 8.2.2 and 9.2). Its padding shows that the
/// certificate's key made the value, over this or other data. Without padding, the value
/// is damaged or by another key.
fn verify_pkcs1v15(spki: &[u8], digest: &Digest, value: &[u8]) -> Result<(), Error> {
    let message = rsa_key(spki)?.recover(value).ok_or(Error::WrongKey)?;
    let (message, len) = (message.as_slice(), value.len());
    if message == pkcs1v15_encoding(digest, len) {
        return Ok(());
    }
    // The trailer alone proves nothing: one in 256 damaged values has it.
    let algorithm = digest.algorithm();
    let pss = PssParameters::new(algorithm, algorithm, algorithm.output_len());
    if message.last() == Some(&0xBC) && verify_pss(spki, digest, pss, value).is_ok() {
        return Err(Error::ValueOverOther(OverOther::PssPadding));
    }
    let [0x00, 0x01, padded @ ..] = message else {
        return Err(Error::WrongKey);
    };
    let padding = padded.iter().take_while(|&&b| b == 0xFF).count();
    let Some([0x00, inner @ ..]) = padded.get(padding..) else {
        return Err(Error::WrongKey);
    };
    let twice = Digest::of(digest.algorithm(), digest.value());
    Err(if padding < 8 {
        Error::WrongKey
    } else if inner == digest.value() {
        Error::ValueOverOther(OverOther::NoDigestInfo)
    } else if inner == digest_info(&twice) {
        Error::ValueOverOther(OverOther::DigestOfDigest)
    } else if is_digest_info(inner, digest) {
        Error::ValueOverOther(OverOther::Digest(digest.algorithm()))
    } else {
        Error::ValueOverOther(OverOther::OtherAlgorithm)
    })
}

/// EMSA-PKCS1-v1_5 (RFC 8017, 9.2) with NULL parameters. Signers write no other
/// form, so no other is accepted.
fn pkcs1v15_encoding(digest: &Digest, len: usize) -> Vec<u8> {
    let info = digest_info(digest);
    let padding = len.saturating_sub(info.len() + 3);
    let mut out = vec![0x00, 0x01];
    out.resize(2 + padding, 0xFF);
    out.push(0x00);
    out.extend_from_slice(&info);
    out
}

fn digest_info(digest: &Digest) -> Vec<u8> {
    let identifier = digest.algorithm().algorithm_identifier_with_null();
    der::element(der::SEQUENCE, &[&identifier, &der::element(der::OCTET_STRING, &[digest.value()])])
}

/// Whether `octets` begin as a `DigestInfo` of `digest`'s algorithm does.
fn is_digest_info(octets: &[u8], digest: &Digest) -> bool {
    let info = digest_info(digest);
    let prefix = info.strip_suffix(digest.value()).unwrap_or(&info);
    octets.starts_with(prefix)
}

/// RFC 8017, 8.1.2. The key's own parameters, if its certificate has them, restrict
/// those of the signature (RFC 4055, 1.2).
fn verify_pss(
    spki: &[u8],
    digest: &Digest,
    parameters: PssParameters,
    value: &[u8],
) -> Result<(), Error> {
    let key = rsa_key(spki)?;
    if let Some(of_key) = pss_parameters_of_key(spki)?
        && !of_key.allow(parameters)
    {
        return Err(Error::ValueDoesNotVerify);
    }
    let message = key.recover(value).ok_or(Error::ValueDoesNotVerify)?;
    let verified = is_pss_encoding(&message, key.bits() - 1, digest, parameters);
    if verified == Some(true) { Ok(()) } else { Err(Error::ValueDoesNotVerify) }
}

/// EMSA-PSS-VERIFY (RFC 8017, 9.1.2). `message` is as long as the modulus. `None` if it
/// is too short.
fn is_pss_encoding(
    message: &[u8],
    bits: usize,
    digest: &Digest,
    parameters: PssParameters,
) -> Option<bool> {
    let PssParameters { mask_digest, salt_len, .. } = parameters;
    let digest_len = digest.value().len();
    let len = bits.div_ceil(8);
    let (before, encoded) = message.split_at_checked(message.len().checked_sub(len)?)?;
    let [masked @ .., trailer] = encoded else { return None };
    let (masked, hash) = masked.split_at_checked(masked.len().checked_sub(digest_len)?)?;
    let padding = masked.len().checked_sub(salt_len + 1)?;

    // The leftmost bits that do not belong to the message must be clear.
    let unused = len * 8 - bits;
    let first_mask = 0xFFu8 >> unused;
    let clear = masked.first().is_some_and(|first| first & !first_mask == 0);
    let mut block: Vec<u8> = mask(mask_digest, hash, masked.len());
    block.iter_mut().zip(masked).for_each(|(mask, masked)| *mask ^= masked);
    if let Some(first) = block.first_mut() {
        *first &= first_mask;
    }
    let (zeros, rest) = block.split_at_checked(padding)?;
    let (separator, salt) = rest.split_first()?;

    let mut digester = Digester::new(digest.algorithm());
    digester.update(&[0; 8]);
    digester.update(digest.value());
    digester.update(salt);
    Some(
        before.iter().all(|octet| *octet == 0)
            && *trailer == 0xBC
            && clear
            && zeros.iter().all(|octet| *octet == 0)
            && *separator == 1
            && digester.finish().value() == hash,
    )
}

/// MGF1 (RFC 8017, B.2.1)
fn mask(algorithm: DigestAlgorithm, seed: &[u8], len: usize) -> Vec<u8> {
    let mut mask = Vec::with_capacity(len + algorithm.output_len());
    let mut counter = 0u32;
    while mask.len() < len {
        let mut digester = Digester::new(algorithm);
        digester.update(seed);
        digester.update(&counter.to_be_bytes());
        mask.extend_from_slice(digester.finish().value());
        counter += 1;
    }
    mask.truncate(len);
    mask
}

fn unsupported() -> Error {
    Error::CertificateNotFit(NotFit::KeyUnsupported)
}

/// The algorithm's parameters and the key in a SubjectPublicKeyInfo. The parameters are
/// empty if there are none.
fn key_parts(spki: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let read = || -> Result<_, ::der::Error> {
        let mut fields = SliceReader::new(AnyRef::from_der(spki)?.value())?;
        let mut algorithm = SliceReader::new(AnyRef::decode(&mut fields)?.value())?;
        algorithm.tlv_bytes()?;
        let parameters = if algorithm.is_finished() { &[][..] } else { algorithm.tlv_bytes()? };
        Ok((parameters, BitStringRef::decode(&mut fields)?.as_bytes().unwrap_or_default()))
    };
    read().map_err(|_| unsupported())
}

/// The parameters of a key that is restricted to RSASSA-PSS.
fn pss_parameters_of_key(spki: &[u8]) -> Result<Option<PssParameters>, Error> {
    match key_parts(spki)?.0 {
        [] | [0x05, 0] => Ok(None),
        parameters => PssParameters::read(parameters).map(Some).ok_or_else(unsupported),
    }
}

fn rsa_key(spki: &[u8]) -> Result<RsaKey, Error> {
    RsaKey::read(key_parts(spki)?.1).ok_or_else(unsupported)
}

fn verify_ecdsa(key: KeyType, spki: &[u8], digest: &Digest, value: &[u8]) -> Result<(), Error> {
    let point = key_parts(spki)?.1;
    #[cfg(feature = "aws-lc-rs")]
    if aws_lc::verifies(key, point, digest.value(), value) {
        return Ok(());
    }
    verify_ecdsa_point(key, point, digest.value(), value)
}

/// Verifies with RustCrypto, which has all curves and forms of points, and gives the reason.
fn verify_ecdsa_point(
    key: KeyType,
    point: &[u8],
    digest: &[u8],
    value: &[u8],
) -> Result<(), Error> {
    use ecdsa::signature::hazmat::PrehashVerifier;

    macro_rules! verify {
        ($curve:ty, $len:literal) => {{
            let key =
                ecdsa::VerifyingKey::<$curve>::from_sec1_bytes(point).map_err(|_| unsupported())?;
            let value = ecdsa::der::Signature::<$curve>::from_bytes(value)
                .and_then(ecdsa::Signature::<$curve>::try_from)
                .map_err(|_| Error::ValueDoesNotVerify)?;
            // A shorter digest is the same number with zeros before it; RustCrypto wants
            // at least half the length of the order.
            let mut number = vec![0; usize::saturating_sub($len, digest.len())];
            number.extend_from_slice(digest);
            // RustCrypto accepts the lower half of s only for secp256k1.
            let value = value.normalize_s();
            key.verify_prehash(&number, &value).map_err(|_| Error::ValueDoesNotVerify)
        }};
    }
    match key {
        KeyType::P256 => verify!(p256::NistP256, 32),
        KeyType::P384 => verify!(p384::NistP384, 48),
        KeyType::P521 => verify!(p521::NistP521, 66),
        KeyType::BrainpoolP256r1 => verify!(bp256::BrainpoolP256r1, 32),
        KeyType::BrainpoolP384r1 => verify!(bp384::BrainpoolP384r1, 48),
        KeyType::Secp256k1 => verify!(k256::Secp256k1, 32),
        _ => Err(unsupported()),
    }
}

fn verify_ed25519(spki: &[u8], data: &[u8], value: &[u8]) -> Result<(), Error> {
    // The key is the last 32 octets of its SubjectPublicKeyInfo (RFC 8410, 4).
    let unsupported = Error::CertificateNotFit(NotFit::KeyUnsupported);
    let Some(key) = spki.last_chunk::<32>() else {
        return Err(unsupported);
    };
    let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(key) else {
        return Err(unsupported);
    };
    let value = ed25519_dalek::Signature::from_slice(value)
        .map_err(|_| Error::ValueLength { expected: 64, found: value.len() })?;
    key.verify_strict(data, &value).map_err(|_| Error::ValueDoesNotVerify)
}
