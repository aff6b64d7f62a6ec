//! Digest and signature algorithms: the only table of their OIDs, XML URIs
//! and DER `AlgorithmIdentifier`s (RFC 5754, RFC 4055, RFC 5758, RFC 8419,
//! RFC 9231).

use std::fmt;
use std::str::FromStr;

use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader, Tag, Tagged};
use serde::{Deserialize, Serialize};

use crate::Oid;
use crate::error::Error;

/// A digest algorithm. Names in serialised form: `sha256`, `sha384`, `sha512`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

impl DigestAlgorithm {
    /// Every digest algorithm, in order of length.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The length of a digest value, in octets.
    #[must_use]
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The object identifier (RFC 5754, clause 2).
    #[must_use]
    pub const fn oid(self) -> Oid {
        Oid::new_const(match self {
            Self::Sha256 => "2.16.840.1.101.3.4.2.1",
            Self::Sha384 => "2.16.840.1.101.3.4.2.2",
            Self::Sha512 => "2.16.840.1.101.3.4.2.3",
        })
    }

    /// The algorithm with this object identifier.
    ///
    /// # Errors
    /// [`Error::UnsupportedAlgorithm`] for any other.
    pub fn from_oid(oid: Oid) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|a| a.oid() == oid).ok_or(Error::UnsupportedAlgorithm { oid })
    }

    /// The identifier of XML Signature and XML Encryption (RFC 9231, 2.1).
    #[must_use]
    pub const fn xml_uri(self) -> &'static str {
        match self {
            Self::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
            Self::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
            Self::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
        }
    }

    /// The DER `AlgorithmIdentifier`, parameters absent (RFC 5754, clause 2).
    #[must_use]
    pub fn algorithm_identifier(self) -> Vec<u8> {
        sequence(&[&oid_tlv(self.oid())])
    }

    /// Reads a DER or BER-with-definite-lengths `AlgorithmIdentifier`;
    /// parameters absent or NULL.
    ///
    /// # Errors
    /// [`Error::UnsupportedAlgorithm`] or [`Error::MalformedAlgorithm`].
    pub fn from_algorithm_identifier(der: &[u8]) -> Result<Self, Error> {
        let (oid, parameters) = read_algorithm_identifier(der)?;
        if parameters.is_some_and(|p| p != NULL) {
            return Err(Error::MalformedAlgorithm { oid });
        }
        Self::from_oid(oid)
    }

    /// The `AlgorithmIdentifier` with NULL parameters: inside `DigestInfo`
    /// and in the common form of RSASSA-PSS parameters (RFC 4055, 2.1).
    pub(crate) fn algorithm_identifier_with_null(self) -> Vec<u8> {
        sequence(&[&oid_tlv(self.oid()), NULL])
    }
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        })
    }
}

impl FromStr for DigestAlgorithm {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|a| a.to_string().eq_ignore_ascii_case(name))
            .ok_or_else(|| Error::UnknownAlgorithmName { name: name.chars().take(40).collect() })
    }
}

/// A signature algorithm: the key's kind together with the digest it is used
/// with. Names in serialised form: `rsa-sha256`, `rsa-pss-sha384`,
/// `ecdsa-sha512`, `ed25519` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 (RFC 8017, 8.2)
    RsaPkcs1v15(DigestAlgorithm),
    /// RSASSA-PSS, MGF1 with the same digest, salt as long as the digest (RFC 8017, 8.1)
    RsaPss(DigestAlgorithm),
    /// ECDSA; its value is the DER `SEQUENCE { r, s }` (RFC 5758, 3.2)
    Ecdsa(DigestAlgorithm),
    /// Ed25519 in pure mode over the data itself; digests beside it are SHA-512 (RFC 8419)
    Ed25519,
}

impl SignatureAlgorithm {
    /// Every signature algorithm.
    pub const ALL: [Self; 10] = {
        use DigestAlgorithm::{Sha256, Sha384, Sha512};
        [
            Self::RsaPkcs1v15(Sha256),
            Self::RsaPkcs1v15(Sha384),
            Self::RsaPkcs1v15(Sha512),
            Self::RsaPss(Sha256),
            Self::RsaPss(Sha384),
            Self::RsaPss(Sha512),
            Self::Ecdsa(Sha256),
            Self::Ecdsa(Sha384),
            Self::Ecdsa(Sha512),
            Self::Ed25519,
        ]
    };

    /// The digest the signature is made over, and with which everything
    /// beside it is digested.
    #[must_use]
    pub const fn digest_algorithm(self) -> DigestAlgorithm {
        match self {
            Self::RsaPkcs1v15(d) | Self::RsaPss(d) | Self::Ecdsa(d) => d,
            Self::Ed25519 => DigestAlgorithm::Sha512,
        }
    }

    /// The object identifier that CMS writes into `signatureAlgorithm`.
    #[must_use]
    pub const fn oid(self) -> Oid {
        use DigestAlgorithm::{Sha256, Sha384, Sha512};
        Oid::new_const(match self {
            Self::RsaPkcs1v15(Sha256) => "1.2.840.113549.1.1.11",
            Self::RsaPkcs1v15(Sha384) => "1.2.840.113549.1.1.12",
            Self::RsaPkcs1v15(Sha512) => "1.2.840.113549.1.1.13",
            Self::RsaPss(_) => "1.2.840.113549.1.1.10",
            Self::Ecdsa(Sha256) => "1.2.840.10045.4.3.2",
            Self::Ecdsa(Sha384) => "1.2.840.10045.4.3.3",
            Self::Ecdsa(Sha512) => "1.2.840.10045.4.3.4",
            Self::Ed25519 => "1.3.101.112",
        })
    }

    /// The `SignatureMethod` identifier of XML Signature (RFC 9231, 2.3).
    #[must_use]
    pub const fn xml_uri(self) -> &'static str {
        use DigestAlgorithm::{Sha256, Sha384, Sha512};
        match self {
            Self::RsaPkcs1v15(Sha256) => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            Self::RsaPkcs1v15(Sha384) => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
            Self::RsaPkcs1v15(Sha512) => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
            Self::RsaPss(Sha256) => "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
            Self::RsaPss(Sha384) => "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1",
            Self::RsaPss(Sha512) => "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1",
            Self::Ecdsa(Sha256) => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
            Self::Ecdsa(Sha384) => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
            Self::Ecdsa(Sha512) => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
            Self::Ed25519 => "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519",
        }
    }

    /// The DER `AlgorithmIdentifier` as CMS writes it: NULL parameters for
    /// RSASSA-PKCS1-v1_5, the full parameters for RSASSA-PSS, none otherwise.
    #[must_use]
    pub fn algorithm_identifier(self) -> Vec<u8> {
        let oid = oid_tlv(self.oid());
        match self {
            Self::RsaPkcs1v15(_) => sequence(&[&oid, NULL]),
            Self::RsaPss(digest) => sequence(&[&oid, &pss_parameters(digest)]),
            Self::Ecdsa(_) | Self::Ed25519 => sequence(&[&oid]),
        }
    }

    /// Reads `SignerInfo.signatureAlgorithm`. A bare `rsaEncryption` takes its
    /// digest from `digest_algorithm` (RFC 5754, 3.2).
    ///
    /// # Errors
    /// [`Error::UnsupportedAlgorithm`], or [`Error::MalformedAlgorithm`] where
    /// parameters are missing, unexpected or contradict one another.
    pub fn from_algorithm_identifier(
        der: &[u8],
        digest_algorithm: DigestAlgorithm,
    ) -> Result<Self, Error> {
        let (oid, parameters) = read_algorithm_identifier(der)?;
        let malformed = Err(Error::MalformedAlgorithm { oid });
        if oid == RSA_ENCRYPTION {
            return if parameters.is_none_or(|p| p == NULL) {
                Ok(Self::RsaPkcs1v15(digest_algorithm))
            } else {
                malformed
            };
        }
        if oid == Self::RsaPss(DigestAlgorithm::Sha256).oid() {
            let Some(parameters) = parameters else {
                return malformed;
            };
            return read_pss_parameters(parameters)
                .map_or(malformed, |digest| Ok(Self::RsaPss(digest)));
        }
        let Some(found) = Self::ALL.into_iter().find(|a| a.oid() == oid) else {
            return Err(Error::UnsupportedAlgorithm { oid });
        };
        match (found, parameters) {
            (_, None) => Ok(found),
            (Self::RsaPkcs1v15(_), Some(p)) if p == NULL => Ok(found),
            _ => malformed,
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaPkcs1v15(d) => write!(f, "rsa-{d}"),
            Self::RsaPss(d) => write!(f, "rsa-pss-{d}"),
            Self::Ecdsa(d) => write!(f, "ecdsa-{d}"),
            Self::Ed25519 => f.write_str("ed25519"),
        }
    }
}

impl FromStr for SignatureAlgorithm {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|a| a.to_string() == name)
            .ok_or_else(|| Error::UnknownAlgorithmName { name: name.chars().take(40).collect() })
    }
}

impl From<SignatureAlgorithm> for String {
    fn from(algorithm: SignatureAlgorithm) -> Self {
        algorithm.to_string()
    }
}

impl TryFrom<String> for SignatureAlgorithm {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        name.parse()
    }
}

const NULL: &[u8] = &[0x05, 0x00];
const RSA_ENCRYPTION: Oid = Oid::new_const("1.2.840.113549.1.1.1");
const MGF1: Oid = Oid::new_const("1.2.840.113549.1.1.8");

/// `RSASSA-PSS-params` (RFC 4055, 3.1): every tag is explicit, the trailer
/// field is the default and so absent.
fn pss_parameters(digest: DigestAlgorithm) -> Vec<u8> {
    let hash = digest.algorithm_identifier_with_null();
    let mask = sequence(&[&oid_tlv(MGF1), &hash]);
    let salt_len = u8::try_from(digest.output_len()).unwrap_or(u8::MAX);
    sequence(&[&tlv(0xA0, &[&hash]), &tlv(0xA1, &[&mask]), &tlv(0xA2, &[&[0x02, 0x01, salt_len]])])
}

/// The digest of `RSASSA-PSS-params`, if they say what we would have said
/// (parameters of the inner digests absent or NULL, trailer explicit or not).
fn read_pss_parameters(der: &[u8]) -> Option<DigestAlgorithm> {
    let mut outer = SliceReader::new(der).ok()?;
    let params = AnyRef::decode(&mut outer).ok()?;
    if params.tag() != Tag::Sequence || !outer.is_finished() {
        return None;
    }
    let mut fields = SliceReader::new(params.value()).ok()?;
    let (mut hash, mut mask_hash, mut salt_len) = (None, None, None);
    while !fields.is_finished() {
        let tag = fields.peek_byte()?;
        let field = AnyRef::decode(&mut fields).ok()?;
        match tag {
            0xA0 => hash = Some(DigestAlgorithm::from_algorithm_identifier(field.value()).ok()?),
            0xA1 => {
                let (oid, inner) = read_algorithm_identifier(field.value()).ok()?;
                if oid != MGF1 {
                    return None;
                }
                mask_hash = Some(DigestAlgorithm::from_algorithm_identifier(inner?).ok()?);
            }
            0xA2 => salt_len = Some(u32::from_der(field.value()).ok()?),
            0xA3 if u32::from_der(field.value()).ok()? == 1 => {}
            _ => return None,
        }
    }
    let hash = hash?;
    let consistent = mask_hash == Some(hash) && salt_len == u32::try_from(hash.output_len()).ok();
    consistent.then_some(hash)
}

/// Splits an `AlgorithmIdentifier` into its OID and the bytes of its parameters.
fn read_algorithm_identifier(der: &[u8]) -> Result<(Oid, Option<&[u8]>), Error> {
    let malformed = |_| Error::MalformedAlgorithmIdentifier;
    let mut reader = SliceReader::new(der).map_err(malformed)?;
    let any = AnyRef::decode(&mut reader).map_err(malformed)?;
    if any.tag() != Tag::Sequence || !reader.is_finished() {
        return Err(Error::MalformedAlgorithmIdentifier);
    }
    let mut fields = SliceReader::new(any.value()).map_err(malformed)?;
    let oid = Oid::read(&mut fields).map_err(malformed)?;
    let parameters =
        if fields.is_finished() { None } else { Some(fields.tlv_bytes().map_err(malformed)?) };
    if !fields.is_finished() {
        return Err(Error::MalformedAlgorithmIdentifier);
    }
    Ok((oid, parameters))
}

fn oid_tlv(oid: Oid) -> Vec<u8> {
    tlv(0x06, &[oid.as_bytes()])
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, parts)
}

/// A short-form TLV; nothing in this file comes near 128 octets.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let len = u8::try_from(content.len()).unwrap_or(u8::MAX);
    debug_assert!(len < 0x80, "algorithm identifiers are short");
    let mut out = vec![tag, len];
    out.extend_from_slice(&content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithm_identifiers_round_trip() {
        for algorithm in SignatureAlgorithm::ALL {
            let der = algorithm.algorithm_identifier();
            let digest = algorithm.digest_algorithm();
            assert_eq!(
                SignatureAlgorithm::from_algorithm_identifier(&der, digest).unwrap(),
                algorithm
            );
            assert_eq!(algorithm.to_string().parse::<SignatureAlgorithm>().unwrap(), algorithm);
        }
    }

    /// The bytes OpenSSL 3.0 writes for the same parameters.
    #[test]
    fn pss_parameters_are_those_of_openssl() {
        let theirs = "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c\
                      301a06092a864886f70d010108300d06096086480165030402010500a203020120";
        let ours = SignatureAlgorithm::RsaPss(DigestAlgorithm::Sha256).algorithm_identifier();
        assert_eq!(crate::hex::encode(&ours), theirs);
    }

    /// The inner digests' NULL parameters may be absent (RFC 4055, 2.1).
    #[test]
    fn pss_parameters_without_null_are_read() {
        let der = "303d06092a864886f70d01010a3030a00d300b0609608648016503040201a11a\
                   301806092a864886f70d010108300b0609608648016503040201a203020120";
        assert_eq!(
            SignatureAlgorithm::from_algorithm_identifier(
                &crate::hex::decode(der).unwrap(),
                DigestAlgorithm::Sha256
            )
            .unwrap(),
            SignatureAlgorithm::RsaPss(DigestAlgorithm::Sha256)
        );
    }

    #[test]
    fn rsa_encryption_takes_the_digest_beside_it() {
        let der = crate::hex::decode("300d06092a864886f70d0101010500").unwrap();
        assert_eq!(
            SignatureAlgorithm::from_algorithm_identifier(&der, DigestAlgorithm::Sha512).unwrap(),
            SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha512)
        );
    }

    #[test]
    fn pss_with_another_salt_length_is_refused() {
        let mut der = SignatureAlgorithm::RsaPss(DigestAlgorithm::Sha256).algorithm_identifier();
        *der.last_mut().unwrap() = 20;
        assert!(matches!(
            SignatureAlgorithm::from_algorithm_identifier(&der, DigestAlgorithm::Sha256),
            Err(Error::MalformedAlgorithm { .. })
        ));
    }
}
