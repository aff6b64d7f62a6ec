//! Digest and signature algorithms: the project's only table of their OIDs, XML
//! URIs and DER `AlgorithmIdentifier`s (RFC 5754, RFC 4055, RFC 5758, RFC 8419,
//! RFC 9231).

mod pss;

use std::fmt;
use std::str::FromStr;

use ::der::asn1::AnyRef;
use ::der::{Decode, Reader, SliceReader, Tag, Tagged};
use serde::{Deserialize, Serialize};

pub use pss::PssParameters;

use crate::Oid;
use crate::asn1::der;
use crate::error::Error;

/// An OID that is parsed at compile time. A call of the `const fn` parses it each time.
macro_rules! oid {
    ($dotted:literal) => {
        const { Oid::new_const($dotted) }
    };
}

/// A digest algorithm. Serialises as `sha256`, `sha3-256` and so on.
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
    /// SHA-1: to verify only
    Sha1,
    /// SHA-224: to verify only
    Sha224,
    /// SHA3-256: to verify only
    #[serde(rename = "sha3-256")]
    Sha3_256,
    /// SHA3-384: to verify only
    #[serde(rename = "sha3-384")]
    Sha3_384,
    /// SHA3-512: to verify only
    #[serde(rename = "sha3-512")]
    Sha3_512,
}

impl DigestAlgorithm {
    /// The digest algorithms to sign with, in order of output length.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];
    /// The digest algorithms that can be verified. Whether they are still reliable is
    /// for a judge to say.
    pub const VERIFIED: [Self; 8] = [
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Sha1,
        Self::Sha224,
        Self::Sha3_256,
        Self::Sha3_384,
        Self::Sha3_512,
    ];

    /// The length of a digest value in octets.
    #[must_use]
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 | Self::Sha3_256 => 32,
            Self::Sha384 | Self::Sha3_384 => 48,
            Self::Sha512 | Self::Sha3_512 => 64,
        }
    }

    /// The object identifier (RFC 5754, clause 2).
    #[must_use]
    pub const fn oid(self) -> Oid {
        match self {
            Self::Sha256 => oid!("2.16.840.1.101.3.4.2.1"),
            Self::Sha384 => oid!("2.16.840.1.101.3.4.2.2"),
            Self::Sha512 => oid!("2.16.840.1.101.3.4.2.3"),
            Self::Sha1 => oid!("1.3.14.3.2.26"),
            Self::Sha224 => oid!("2.16.840.1.101.3.4.2.4"),
            Self::Sha3_256 => oid!("2.16.840.1.101.3.4.2.8"),
            Self::Sha3_384 => oid!("2.16.840.1.101.3.4.2.9"),
            Self::Sha3_512 => oid!("2.16.840.1.101.3.4.2.10"),
        }
    }

    /// The algorithm with this object identifier.
    ///
    /// # Errors
    /// [`Error::UnsupportedAlgorithm`] if this version does not support it.
    pub fn from_oid(oid: Oid) -> Result<Self, Error> {
        let mut all = Self::VERIFIED.into_iter();
        all.find(|a| a.oid() == oid).ok_or(Error::UnsupportedAlgorithm { oid })
    }

    /// The algorithm with this URI in XML Signature; `None` if this version does not
    /// support it.
    #[must_use]
    pub fn from_xml_uri(uri: &str) -> Option<Self> {
        Self::VERIFIED.into_iter().find(|algorithm| algorithm.xml_uri() == uri)
    }

    /// The algorithm's URI in XML Signature (RFC 9231, 2.1).
    #[must_use]
    pub const fn xml_uri(self) -> &'static str {
        match self {
            Self::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
            Self::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
            Self::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
            Self::Sha1 => "http://www.w3.org/2000/09/xmldsig#sha1",
            Self::Sha224 => "http://www.w3.org/2001/04/xmldsig-more#sha224",
            Self::Sha3_256 => "http://www.w3.org/2007/05/xmldsig-more#sha3-256",
            Self::Sha3_384 => "http://www.w3.org/2007/05/xmldsig-more#sha3-384",
            Self::Sha3_512 => "http://www.w3.org/2007/05/xmldsig-more#sha3-512",
        }
    }

    /// The DER `AlgorithmIdentifier` without parameters (RFC 5754, clause 2).
    #[must_use]
    pub fn algorithm_identifier(self) -> Vec<u8> {
        der::element(der::SEQUENCE, &[&der::object_identifier(self.oid())])
    }

    /// Reads an `AlgorithmIdentifier` in DER, or in BER with definite lengths. The
    /// parameters can be absent or NULL.
    ///
    /// # Errors
    /// [`Error::UnsupportedAlgorithm`], [`Error::MalformedAlgorithm`] or
    /// [`Error::MalformedAlgorithmIdentifier`].
    pub fn from_algorithm_identifier(der: &[u8]) -> Result<Self, Error> {
        let (oid, parameters) = read_algorithm_identifier(der)?;
        if parameters.is_some_and(|p| p != der::NULL) {
            return Err(Error::MalformedAlgorithm { oid });
        }
        Self::from_oid(oid)
    }

    /// The `AlgorithmIdentifier` with NULL parameters, as `DigestInfo` and the
    /// parameters of RSASSA-PSS contain it (RFC 4055, 2.1).
    pub(crate) fn algorithm_identifier_with_null(self) -> Vec<u8> {
        der::element(der::SEQUENCE, &[&der::object_identifier(self.oid()), der::NULL])
    }
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha3_256 => "sha3-256",
            Self::Sha3_384 => "sha3-384",
            Self::Sha3_512 => "sha3-512",
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

/// A signature algorithm together with its digest algorithm. Serialises as
/// `rsa-sha256`, `rsa-pss-sha384`, `ecdsa-sha512`, `ed25519` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 (RFC 8017, 8.2)
    RsaPkcs1v15(DigestAlgorithm),
    /// RSASSA-PSS with MGF1 over the same digest and a salt of the digest's length
    /// (RFC 8017, 8.1)
    RsaPss(DigestAlgorithm),
    /// ECDSA with the DER `SEQUENCE { r, s }` as value (RFC 5758, 3.2)
    Ecdsa(DigestAlgorithm),
    /// Ed25519 in pure mode, over the data itself. The other digests of the
    /// signature are SHA-512 (RFC 8419)
    Ed25519,
    /// RSASSA-PSS with other parameters than [`RsaPss`](Self::RsaPss): to verify only
    RsaPssWith(PssParameters),
}

impl SignatureAlgorithm {
    /// The signature algorithms to sign with.
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

    /// The algorithm with this URI in `ds:SignatureMethod`; `None` if this version does
    /// not support it, or if it needs parameters.
    #[must_use]
    pub fn from_xml_uri(uri: &str) -> Option<Self> {
        let mut all = Self::verified().filter(|algorithm| !algorithm.xml_uri().is_empty());
        all.find(|algorithm| algorithm.xml_uri() == uri)
    }

    /// The signature algorithms that can be verified and are named without parameters.
    fn verified() -> impl Iterator<Item = Self> {
        let with_digests =
            [Self::RsaPkcs1v15 as fn(DigestAlgorithm) -> Self, Self::RsaPss, Self::Ecdsa];
        let digests = DigestAlgorithm::VERIFIED.into_iter();
        let all = digests.flat_map(move |digest| with_digests.map(|make| make(digest)));
        all.chain([Self::Ed25519])
    }

    /// Whether this project signs with it.
    #[must_use]
    pub fn may_sign(self) -> bool {
        Self::ALL.contains(&self)
    }

    /// The digest algorithm of the signature, which its other digests use as well.
    #[must_use]
    pub const fn digest_algorithm(self) -> DigestAlgorithm {
        match self {
            Self::RsaPkcs1v15(d) | Self::RsaPss(d) | Self::Ecdsa(d) => d,
            Self::Ed25519 => DigestAlgorithm::Sha512,
            Self::RsaPssWith(parameters) => parameters.digest,
        }
    }

    /// The parameters of RSASSA-PSS.
    #[must_use]
    pub const fn pss_parameters(self) -> Option<PssParameters> {
        match self {
            Self::RsaPss(digest) => Some(PssParameters::new(digest, digest, digest.output_len())),
            Self::RsaPssWith(parameters) => Some(parameters),
            _ => None,
        }
    }

    /// The object identifier in `SignerInfo.signatureAlgorithm` of CMS.
    #[must_use]
    pub const fn oid(self) -> Oid {
        use DigestAlgorithm::{Sha1, Sha3_256, Sha3_384, Sha3_512, Sha224, Sha256, Sha384, Sha512};
        match self {
            Self::RsaPkcs1v15(Sha1) => oid!("1.2.840.113549.1.1.5"),
            Self::RsaPkcs1v15(Sha224) => oid!("1.2.840.113549.1.1.14"),
            Self::RsaPkcs1v15(Sha3_256) => oid!("2.16.840.1.101.3.4.3.14"),
            Self::RsaPkcs1v15(Sha3_384) => oid!("2.16.840.1.101.3.4.3.15"),
            Self::RsaPkcs1v15(Sha3_512) => oid!("2.16.840.1.101.3.4.3.16"),
            Self::Ecdsa(Sha1) => oid!("1.2.840.10045.4.1"),
            Self::Ecdsa(Sha224) => oid!("1.2.840.10045.4.3.1"),
            Self::Ecdsa(Sha3_256) => oid!("2.16.840.1.101.3.4.3.10"),
            Self::Ecdsa(Sha3_384) => oid!("2.16.840.1.101.3.4.3.11"),
            Self::Ecdsa(Sha3_512) => oid!("2.16.840.1.101.3.4.3.12"),
            Self::RsaPkcs1v15(Sha256) => oid!("1.2.840.113549.1.1.11"),
            Self::RsaPkcs1v15(Sha384) => oid!("1.2.840.113549.1.1.12"),
            Self::RsaPkcs1v15(Sha512) => oid!("1.2.840.113549.1.1.13"),
            Self::RsaPss(_) | Self::RsaPssWith(_) => oid!("1.2.840.113549.1.1.10"),
            Self::Ecdsa(Sha256) => oid!("1.2.840.10045.4.3.2"),
            Self::Ecdsa(Sha384) => oid!("1.2.840.10045.4.3.3"),
            Self::Ecdsa(Sha512) => oid!("1.2.840.10045.4.3.4"),
            Self::Ed25519 => oid!("1.3.101.112"),
        }
    }

    /// The URI of `ds:SignatureMethod` in XML Signature (RFC 9231, 2.3). Empty for
    /// RSASSA-PKCS1-v1_5 with SHA-3, which has none.
    #[must_use]
    pub const fn xml_uri(self) -> &'static str {
        use DigestAlgorithm::{Sha1, Sha3_256, Sha3_384, Sha3_512, Sha224, Sha256, Sha384, Sha512};
        match self {
            Self::RsaPkcs1v15(Sha1) => "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            Self::RsaPkcs1v15(Sha224) => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha224",
            Self::RsaPkcs1v15(Sha3_256 | Sha3_384 | Sha3_512) => "",
            Self::RsaPss(Sha1) => "http://www.w3.org/2007/05/xmldsig-more#sha1-rsa-MGF1",
            Self::RsaPss(Sha224) => "http://www.w3.org/2007/05/xmldsig-more#sha224-rsa-MGF1",
            Self::RsaPss(Sha3_256) => "http://www.w3.org/2007/05/xmldsig-more#sha3-256-rsa-MGF1",
            Self::RsaPss(Sha3_384) => "http://www.w3.org/2007/05/xmldsig-more#sha3-384-rsa-MGF1",
            Self::RsaPss(Sha3_512) => "http://www.w3.org/2007/05/xmldsig-more#sha3-512-rsa-MGF1",
            Self::RsaPssWith(_) => "http://www.w3.org/2007/05/xmldsig-more#rsa-pss",
            Self::Ecdsa(Sha1) => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
            Self::Ecdsa(Sha224) => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha224",
            Self::Ecdsa(Sha3_256) => "http://www.w3.org/2021/04/xmldsig-more#ecdsa-sha3-256",
            Self::Ecdsa(Sha3_384) => "http://www.w3.org/2021/04/xmldsig-more#ecdsa-sha3-384",
            Self::Ecdsa(Sha3_512) => "http://www.w3.org/2021/04/xmldsig-more#ecdsa-sha3-512",
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

    /// The DER `AlgorithmIdentifier` in CMS: with NULL parameters for
    /// RSASSA-PKCS1-v1_5, with all parameters for RSASSA-PSS, without parameters
    /// for the others.
    #[must_use]
    pub fn algorithm_identifier(self) -> Vec<u8> {
        let oid = der::object_identifier(self.oid());
        let parameters = match self {
            Self::RsaPkcs1v15(_) => der::NULL.to_vec(),
            Self::RsaPss(digest) => {
                PssParameters::new(digest, digest, digest.output_len()).to_der()
            }
            Self::RsaPssWith(parameters) => parameters.to_der(),
            Self::Ecdsa(_) | Self::Ed25519 => Vec::new(),
        };
        der::element(der::SEQUENCE, &[&oid, &parameters])
    }

    /// Reads `SignerInfo.signatureAlgorithm`. `rsaEncryption` does not name a
    /// digest, so its digest is `digest_algorithm` (RFC 5754, 3.2).
    ///
    /// # Errors
    /// [`Error::UnsupportedAlgorithm`], [`Error::MalformedAlgorithmIdentifier`], or
    /// [`Error::MalformedAlgorithm`] if parameters are missing, unexpected or
    /// contradictory.
    pub fn from_algorithm_identifier(
        der: &[u8],
        digest_algorithm: DigestAlgorithm,
    ) -> Result<Self, Error> {
        let (oid, parameters) = read_algorithm_identifier(der)?;
        let malformed = Err(Error::MalformedAlgorithm { oid });
        if oid == RSA_ENCRYPTION {
            return if parameters.is_none_or(|p| p == der::NULL) {
                Ok(Self::RsaPkcs1v15(digest_algorithm))
            } else {
                malformed
            };
        }
        if oid == Self::RsaPss(DigestAlgorithm::Sha256).oid() {
            let Some(parameters) = parameters else {
                return malformed;
            };
            return PssParameters::read(parameters)
                .map_or(malformed, |parameters| Ok(parameters.algorithm()));
        }
        let Some(found) = Self::verified().find(|a| a.oid() == oid) else {
            return Err(Error::UnsupportedAlgorithm { oid });
        };
        match (found, parameters) {
            (_, None) => Ok(found),
            // RFC 5758, 3.2 has writers leave out the parameters of ECDSA. Some write NULL.
            (Self::RsaPkcs1v15(_) | Self::Ecdsa(_), Some(p)) if p == der::NULL => Ok(found),
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
            Self::RsaPssWith(PssParameters { digest, mask_digest, salt_len }) => {
                write!(f, "rsa-pss-{digest}-mgf1-{mask_digest}-salt-{salt_len}")
            }
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

const RSA_ENCRYPTION: Oid = oid!("1.2.840.113549.1.1.1");

/// Splits an `AlgorithmIdentifier` into its OID and the octets of its parameters.
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

    /// The octets that OpenSSL 3.0 writes for the same parameters.
    #[test]
    fn pss_parameters_are_those_of_openssl() {
        let expected = "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c\
                      301a06092a864886f70d010108300d06096086480165030402010500a203020120";
        let der = SignatureAlgorithm::RsaPss(DigestAlgorithm::Sha256).algorithm_identifier();
        assert_eq!(crate::hex::encode(&der), expected);
    }

    /// The inner digests can omit their NULL parameters (RFC 4055, 2.1).
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
    fn rsa_encryption_takes_the_separate_digest_algorithm() {
        let der = crate::hex::decode("300d06092a864886f70d0101010500").unwrap();
        assert_eq!(
            SignatureAlgorithm::from_algorithm_identifier(&der, DigestAlgorithm::Sha512).unwrap(),
            SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha512)
        );
    }

    #[test]
    fn pss_with_other_parameters_is_read_but_not_signed_with() {
        let mut der = SignatureAlgorithm::RsaPss(DigestAlgorithm::Sha256).algorithm_identifier();
        *der.last_mut().unwrap() = 20;
        let read = SignatureAlgorithm::from_algorithm_identifier(&der, DigestAlgorithm::Sha256);
        let expected = PssParameters::new(DigestAlgorithm::Sha256, DigestAlgorithm::Sha256, 20);
        assert_eq!(read.unwrap(), SignatureAlgorithm::RsaPssWith(expected));
        assert!(!SignatureAlgorithm::RsaPssWith(expected).may_sign());
        assert_eq!(SignatureAlgorithm::RsaPssWith(expected).algorithm_identifier(), der);
        // All parameters have defaults (RFC 4055, 3.1).
        let der = crate::hex::decode("300d06092a864886f70d01010a3000").unwrap();
        let read = SignatureAlgorithm::from_algorithm_identifier(&der, DigestAlgorithm::Sha256);
        assert_eq!(read.unwrap(), SignatureAlgorithm::RsaPss(DigestAlgorithm::Sha1));
    }

    #[test]
    fn algorithms_to_verify_are_read_but_not_signed_with() {
        for algorithm in SignatureAlgorithm::verified() {
            let der = algorithm.algorithm_identifier();
            let digest = algorithm.digest_algorithm();
            let read = SignatureAlgorithm::from_algorithm_identifier(&der, digest).unwrap();
            assert_eq!(read, algorithm);
            let uri = algorithm.xml_uri();
            assert_eq!(SignatureAlgorithm::from_xml_uri(uri).is_none(), uri.is_empty());
            let to_sign = algorithm.to_string().parse::<SignatureAlgorithm>().is_ok();
            assert_eq!(to_sign, algorithm.may_sign(), "{algorithm}");
        }
        assert!("sha1".parse::<DigestAlgorithm>().is_err());
    }

    /// Austrian signature cards write NULL.
    #[test]
    fn ecdsa_with_null_parameters_is_read() {
        let algorithm = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
        let oid = der::object_identifier(algorithm.oid());
        for (parameters, read) in [(&b"\x05\x00"[..], true), (&b"\x04\x00"[..], false)] {
            let identifier = der::element(der::SEQUENCE, &[&oid, parameters]);
            let found =
                SignatureAlgorithm::from_algorithm_identifier(&identifier, DigestAlgorithm::Sha256);
            assert_eq!(found.ok(), read.then_some(algorithm));
        }
    }
}
