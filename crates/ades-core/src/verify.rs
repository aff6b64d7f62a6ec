//! Verifies signature values. For a value that does not verify, reports the reason.

use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, PublicKey as RsaPublicKey};
use sha2::{Sha256, Sha384, Sha512};
use x509_cert::spki::DecodePublicKey;

use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::asn1::der;
use crate::certificate::{Certificate, KeyType};
use crate::digest::Digest;
use crate::error::{Error, NotFit, OverOther, Parameter};

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
        SignatureAlgorithm::RsaPss(_) => verify_pss(spki, digest, value),
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
/// version cannot verify it, because of SHA-1 or an unsupported key or algorithm.
#[must_use]
pub fn verify_issued_by(subject: &Certificate, issuer: &Certificate) -> Option<bool> {
    let (tbs, algorithm, value) = subject.issuer_signature();
    let algorithm =
        SignatureAlgorithm::from_algorithm_identifier(algorithm, DigestAlgorithm::Sha256).ok()?;
    match verify(issuer, algorithm, tbs, value) {
        Ok(()) => Some(true),
        Err(Error::CertificateNotFit(_)) => None,
        Err(_) => Some(false),
    }
}

/// Recovers the encoded message from the value with the public key (RFC 8017,
/// 8.2.2 and 9.2), which distinguishes a wrong key from a wrong digest.
fn verify_pkcs1v15(spki: &[u8], digest: &Digest, value: &[u8]) -> Result<(), Error> {
    let key = rsa_key(spki)?;
    let len = value.len();
    let number =
        BoxedUint::from_be_slice(value, key.n_bits_precision()).map_err(|_| Error::WrongKey)?;
    let encoded = rsa::hazmat::rsa_encrypt(&key, &number).map_err(|_| Error::WrongKey)?;
    let encoded = encoded.to_be_bytes();
    let Some(message) = encoded.len().checked_sub(len).and_then(|skip| encoded.get(skip..)) else {
        return Err(Error::WrongKey);
    };
    if message == pkcs1v15_encoding(digest, len) {
        return Ok(());
    }
    if message.last() == Some(&0xBC) {
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

fn verify_pss(spki: &[u8], digest: &Digest, value: &[u8]) -> Result<(), Error> {
    let key = rsa_key(spki)?;
    let verified = match digest.algorithm() {
        DigestAlgorithm::Sha256 => key.verify(rsa::Pss::<Sha256>::new(), digest.value(), value),
        DigestAlgorithm::Sha384 => key.verify(rsa::Pss::<Sha384>::new(), digest.value(), value),
        DigestAlgorithm::Sha512 => key.verify(rsa::Pss::<Sha512>::new(), digest.value(), value),
    };
    verified.map_err(|_| Error::ValueDoesNotVerify)
}

fn rsa_key(spki: &[u8]) -> Result<RsaPublicKey, Error> {
    RsaPublicKey::from_public_key_der(spki)
        .map_err(|_| Error::CertificateNotFit(NotFit::KeyUnsupported))
}

fn verify_ecdsa(key: KeyType, spki: &[u8], digest: &Digest, value: &[u8]) -> Result<(), Error> {
    use p256::ecdsa::signature::hazmat::PrehashVerifier;

    macro_rules! verify {
        ($curve:ident) => {{
            let key = $curve::ecdsa::VerifyingKey::from_public_key_der(spki)
                .map_err(|_| Error::CertificateNotFit(NotFit::KeyUnsupported))?;
            let value = $curve::ecdsa::DerSignature::from_bytes(value)
                .map_err(|_| Error::ValueDoesNotVerify)?;
            key.verify_prehash(digest.value(), &value).map_err(|_| Error::ValueDoesNotVerify)
        }};
    }
    match key {
        KeyType::P256 => verify!(p256),
        KeyType::P384 => verify!(p384),
        KeyType::P521 => verify!(p521),
        _ => Err(Error::CertificateNotFit(NotFit::KeyUnsupported)),
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
