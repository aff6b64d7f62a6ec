//! The MAC of the authenticated safe: RFC 7292, 5.1 and B.3; PBMAC1 (RFC 9579).

use ades_core::asn1::ber::Element;
use ades_core::asn1::der;
use hmac::{Hmac, KeyInit, Mac as _};

use crate::ber_octets::{Algorithm, Secret, number, octet_string};
use crate::derivation::{Budget, Derivation, Salted};
use crate::digest::{DigestKind, name_of, with_digest};
use crate::error::{Error, Part};
use crate::password::Passwords;

/// The purpose of the derivation of PKCS#12 (RFC 7292, B.3): the diversifier `ID`.
const FOR_MAC: u8 = 3;
const PBMAC1: &str = "1.2.840.113549.1.5.14";
/// RFC 9579, 5: a shorter key must not be accepted.
const MIN_PBMAC1_KEY_LEN: usize = 20;

/// The result of checking the MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Integrity {
    /// There is no MAC.
    Unknown,
    /// The password is right, and the content is that of the file's maker.
    Intact,
    /// The password is wrong, or the content was changed.
    Broken,
}

/// `MacData`
#[derive(Debug)]
pub(crate) struct MacData {
    method: Method,
    value: Secret,
}

#[derive(Debug)]
enum Method {
    Pkcs12 { digest: DigestKind, salted: Salted },
    Pbmac1 { derivation: Derivation, key_len: usize, digest: DigestKind },
}

impl MacData {
    pub(crate) fn read(element: Element<'_>) -> Result<Self, Error> {
        let malformed = |e| Part::File.malformed(e);
        let mut fields = element.expect(der::SEQUENCE, "no MAC").map_err(malformed)?.children();
        let info = fields.next("no MAC").and_then(|e| e.expect(der::SEQUENCE, "no MAC"));
        let mut info = info.map_err(malformed)?.children();
        let algorithm = info.next("no MAC algorithm").map_err(malformed)?;
        let at = algorithm.offset;
        let algorithm = Algorithm::read(algorithm).map_err(malformed)?;
        let value = info.next("no MAC value").map_err(malformed)?;
        let value = octet_string(value, der::OCTET_STRING).map_err(malformed)?;
        if algorithm.oid.to_string() == PBMAC1 {
            // RFC 9579, 4: salt and iterations next to it are ignored.
            return Ok(Self { method: Method::pbmac1(algorithm, at)?, value });
        }
        let Some(digest) = DigestKind::of_digest(algorithm.oid) else {
            return Err(Error::unsupported(format!("a MAC by {}", name_of(algorithm.oid))));
        };
        let salt = fields.next("no salt").map_err(malformed)?;
        let salt = octet_string(salt, der::OCTET_STRING).map_err(malformed)?;
        let iterations = match fields.try_next().map_err(malformed)? {
            None => 1,
            Some(iterations) => number(iterations).map_err(malformed)?,
        };
        Ok(Self {
            method: Method::Pkcs12 { digest, salted: Salted::new(salt, iterations)? },
            value,
        })
    }

    /// Computes the MAC with each encoding of the password. The one that fits
    /// becomes the first.
    pub(crate) fn check(
        &self,
        content: &[u8],
        passwords: &mut Passwords,
        budget: &mut Budget,
    ) -> Result<Integrity, Error> {
        let candidates = match self.method {
            Method::Pkcs12 { .. } => &mut passwords.bmp,
            Method::Pbmac1 { .. } => &mut passwords.text,
        };
        for (index, password) in candidates.iter().enumerate() {
            if self.fits(content, password, budget)? {
                candidates.swap(0, index);
                return Ok(Integrity::Intact);
            }
        }
        Ok(Integrity::Broken)
    }

    fn fits(&self, content: &[u8], password: &[u8], budget: &mut Budget) -> Result<bool, Error> {
        let (key, digest) = match &self.method {
            Method::Pkcs12 { digest, salted } => {
                let len = digest.output_len();
                (salted.pkcs12(*digest, password, FOR_MAC, len, budget)?, *digest)
            }
            Method::Pbmac1 { derivation, key_len, digest } => {
                (derivation.derive(password, *key_len, budget)?, *digest)
            }
        };
        Ok(with_digest!(digest, D => {
            Hmac::<D>::new_from_slice(&key)
                .is_ok_and(|mac| mac.chain_update(content).verify_slice(&self.value).is_ok())
        }))
    }
}

impl Method {
    /// RFC 8018, A.5.
    fn pbmac1(algorithm: Algorithm<'_>, at: u64) -> Result<Self, Error> {
        let malformed = |e| Part::File.malformed(e);
        let mut fields = algorithm.fields(at).map_err(malformed)?;
        let derivation = fields.next("no key derivation").map_err(malformed)?;
        let at = derivation.offset;
        let derivation = Algorithm::read(derivation).map_err(malformed)?;
        let derivation = Derivation::read(derivation, at, Part::File)?;
        let scheme = fields.next("no MAC scheme").and_then(Algorithm::read).map_err(malformed)?;
        let Some(digest) = DigestKind::of_hmac(scheme.oid) else {
            return Err(Error::unsupported(format!("PBMAC1 with {}", name_of(scheme.oid))));
        };
        match derivation.key_len {
            Some(key_len) if key_len >= MIN_PBMAC1_KEY_LEN => {
                Ok(Self::Pbmac1 { derivation, key_len, digest })
            }
            _ => Err(Error::Malformed {
                part: Part::File,
                offset: at,
                what: "PBMAC1 with a key length that RFC 9579 forbids",
            }),
        }
    }
}
