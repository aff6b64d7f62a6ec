//! Decryption of keys and safes: PBES1 and PBES2 (RFC 8018, 6; RFC 7292, C).

use ades_core::Oid;
use ades_core::asn1::ber::Element;
use ades_core::asn1::der;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{
    BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, KeyInit, KeyIvInit, StreamCipher,
};
use rc2::Rc2;
use rc4::Rc4;

use crate::ber_octets::{Algorithm, Secret, is_sequence, number, octet_string};
use crate::derivation::{Budget, Derivation, Salted};
use crate::digest::{DigestKind, name_of};
use crate::error::{Error, Part};
use crate::password::Passwords;

/// Decrypts the content of a CMS `EnvelopedData` with its content-encryption key.
/// `algorithm` is the content-encryption algorithm: AES, DES or RC2 in CBC mode.
/// Returns `None` for another algorithm, a wrong key or wrong padding.
#[must_use]
pub fn decrypt_content(
    algorithm: Element<'_>,
    key: &[u8],
    data: &[u8],
) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    let (cipher, iv) = Cipher::read(algorithm, Part::File).ok()?;
    cipher.decrypt(key, &iv, data)
}

/// The purposes of the derivation of PKCS#12 (RFC 7292, B.3): the diversifier `ID`.
const FOR_KEY: u8 = 1;
const FOR_IV: u8 = 2;
const BLOCK_LEN: usize = 8;

/// An encryption with a password.
#[derive(Debug)]
pub(crate) enum Scheme {
    /// RFC 7292, C
    Pkcs12 { salted: Salted, cipher: Cipher },
    /// RFC 8018, 6.1
    Pbes1 { digest: DigestKind, salted: Salted, cipher: Cipher },
    /// RFC 8018, 6.2
    Pbes2 { derivation: Derivation, cipher: Cipher, iv: Secret },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    Des,
    /// With a key of 16 octets
    TripleDes2,
    TripleDes3,
    Rc2 {
        key_bits: usize,
    },
    Rc4 {
        key_len: usize,
    },
}

impl Scheme {
    /// Reads an `AlgorithmIdentifier`.
    pub(crate) fn read(element: Element<'_>, part: Part) -> Result<Self, Error> {
        use Cipher::{Des, Rc2, Rc4, TripleDes2, TripleDes3};

        let malformed = |e| part.malformed(e);
        let at = element.offset;
        let algorithm = Algorithm::read(element).map_err(malformed)?;
        let fields = || algorithm.fields(at).map_err(malformed);
        let pkcs12 = |cipher| Ok(Self::Pkcs12 { salted: Salted::read(fields()?, part)?, cipher });
        let pbes1 = |digest, cipher| {
            Ok(Self::Pbes1 { digest, salted: Salted::read(fields()?, part)?, cipher })
        };
        match algorithm.oid.to_string().as_str() {
            "1.2.840.113549.1.12.1.1" => pkcs12(Rc4 { key_len: 16 }),
            "1.2.840.113549.1.12.1.2" => pkcs12(Rc4 { key_len: 5 }),
            "1.2.840.113549.1.12.1.3" => pkcs12(TripleDes3),
            "1.2.840.113549.1.12.1.4" => pkcs12(TripleDes2),
            "1.2.840.113549.1.12.1.5" => pkcs12(Rc2 { key_bits: 128 }),
            "1.2.840.113549.1.12.1.6" => pkcs12(Rc2 { key_bits: 40 }),
            "1.2.840.113549.1.5.3" => pbes1(DigestKind::Md5, Des),
            "1.2.840.113549.1.5.6" => pbes1(DigestKind::Md5, Rc2 { key_bits: 64 }),
            "1.2.840.113549.1.5.10" => pbes1(DigestKind::Sha1, Des),
            "1.2.840.113549.1.5.11" => pbes1(DigestKind::Sha1, Rc2 { key_bits: 64 }),
            "1.2.840.113549.1.5.13" => {
                let mut fields = fields()?;
                let derivation = fields.next("no key derivation").map_err(malformed)?;
                let at = derivation.offset;
                let derivation = Algorithm::read(derivation).map_err(malformed)?;
                let derivation = Derivation::read(derivation, at, part)?;
                let cipher = fields.next("no encryption scheme").map_err(malformed)?;
                let (cipher, iv) = Cipher::read(cipher, part)?;
                Ok(Self::Pbes2 { derivation, cipher, iv })
            }
            _ => Err(unsupported(algorithm.oid)),
        }
    }

    /// Decrypts a `SEQUENCE`. Returns `None` if no encoding of the password leads
    /// to one.
    pub(crate) fn decrypt(
        &self,
        data: &[u8],
        passwords: &Passwords,
        budget: &mut Budget,
    ) -> Result<Option<Secret>, Error> {
        let candidates = match self {
            Self::Pkcs12 { .. } => &passwords.bmp,
            Self::Pbes1 { .. } | Self::Pbes2 { .. } => &passwords.text,
        };
        for password in candidates {
            let plain = self.decrypt_with(data, password, budget)?;
            if let Some(plain) = plain.filter(|plain| is_sequence(plain)) {
                return Ok(Some(plain));
            }
        }
        Ok(None)
    }

    fn decrypt_with(
        &self,
        data: &[u8],
        password: &[u8],
        budget: &mut Budget,
    ) -> Result<Option<Secret>, Error> {
        Ok(match self {
            Self::Pkcs12 { salted, cipher } => {
                let mut derive =
                    |id, len| salted.pkcs12(DigestKind::Sha1, password, id, len, budget);
                let key = derive(FOR_KEY, cipher.key_len())?;
                let iv = match cipher {
                    Cipher::Rc4 { .. } => Secret::default(),
                    _ => derive(FOR_IV, BLOCK_LEN)?,
                };
                cipher.decrypt(&key, &iv, data)
            }
            Self::Pbes1 { digest, salted, cipher } => {
                let derived = salted.pbkdf1(*digest, password, budget)?;
                // The first octets are the key, the following the IV.
                derived
                    .split_at_checked(cipher.key_len())
                    .and_then(|(key, rest)| cipher.decrypt(key, rest.get(..BLOCK_LEN)?, data))
            }
            Self::Pbes2 { derivation, cipher, iv } => {
                let len = match cipher {
                    // RC2 takes keys of any length; 16 octets are usual.
                    Cipher::Rc2 { .. } => derivation.key_len.unwrap_or(16),
                    _ => cipher.key_len(),
                };
                let key = derivation.derive(password, len, budget)?;
                cipher.decrypt(&key, iv, data)
            }
        })
    }
}

impl Cipher {
    /// Reads the encryption scheme of PBES2: a cipher and its IV (RFC 8018, B.2).
    fn read(element: Element<'_>, part: Part) -> Result<(Self, Secret), Error> {
        let malformed = |e| part.malformed(e);
        let at = element.offset;
        let algorithm = Algorithm::read(element).map_err(malformed)?;
        let cipher = match algorithm.oid.to_string().as_str() {
            "2.16.840.1.101.3.4.1.2" => Self::Aes128,
            "2.16.840.1.101.3.4.1.22" => Self::Aes192,
            "2.16.840.1.101.3.4.1.42" => Self::Aes256,
            "1.3.14.3.2.7" => Self::Des,
            "1.2.840.113549.3.7" => Self::TripleDes3,
            "1.2.840.113549.3.2" => return Self::read_rc2(algorithm, at, part),
            _ => return Err(unsupported(algorithm.oid)),
        };
        let missing = Error::Malformed { part, offset: at, what: "a cipher without IV" };
        let iv = algorithm.parameters.ok_or(missing)?;
        Ok((cipher, octet_string(iv, der::OCTET_STRING).map_err(malformed)?))
    }

    /// RFC 8018, B.2.3: the version is a code for the key's effective bits.
    fn read_rc2(algorithm: Algorithm<'_>, at: u64, part: Part) -> Result<(Self, Secret), Error> {
        let malformed = |e| part.malformed(e);
        let parameters = algorithm.parameters.filter(|p| p.tag != der::SEQUENCE);
        if let Some(iv) = parameters {
            let iv = octet_string(iv, der::OCTET_STRING).map_err(malformed)?;
            return Ok((Self::Rc2 { key_bits: 32 }, iv));
        }
        let mut fields = algorithm.fields(at).map_err(malformed)?;
        let key_bits = match fields.next_if(der::INTEGER).map_err(malformed)? {
            None => 32,
            Some(version) => match number(version).map_err(malformed)? {
                160 => 40,
                120 => 64,
                58 => 128,
                bits @ 256..=1024 => usize::try_from(bits).unwrap_or(128),
                _ => return Err(Error::unsupported("RC2 with an unusual key length")),
            },
        };
        let iv = fields.next("a cipher without IV").map_err(malformed)?;
        let iv = octet_string(iv, der::OCTET_STRING).map_err(malformed)?;
        Ok((Self::Rc2 { key_bits }, iv))
    }

    const fn key_len(self) -> usize {
        match self {
            Self::Des => 8,
            Self::Aes128 | Self::TripleDes2 => 16,
            Self::Aes192 | Self::TripleDes3 => 24,
            Self::Aes256 => 32,
            Self::Rc2 { key_bits } => key_bits / 8,
            Self::Rc4 { key_len } => key_len,
        }
    }

    /// Returns `None` if the lengths or the padding are wrong.
    fn decrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Option<Secret> {
        match self {
            Self::Aes128 => cbc_decrypt::<aes::Aes128>(key, iv, data),
            Self::Aes192 => cbc_decrypt::<aes::Aes192>(key, iv, data),
            Self::Aes256 => cbc_decrypt::<aes::Aes256>(key, iv, data),
            Self::Des => cbc_decrypt::<des::Des>(key, iv, data),
            Self::TripleDes2 => cbc_decrypt::<des::TdesEde2>(key, iv, data),
            Self::TripleDes3 => cbc_decrypt::<des::TdesEde3>(key, iv, data),
            Self::Rc2 { key_bits } => {
                // The crate panics on lengths out of these ranges.
                if !(1..=128).contains(&key.len()) || !(8..=1024).contains(&key_bits) {
                    return None;
                }
                let cipher = Rc2::new_with_eff_key_len(key, key_bits);
                unpad(cbc::Decryptor::inner_iv_slice_init(cipher, iv).ok()?, data)
            }
            Self::Rc4 { .. } => {
                let mut plain = Secret::new(data.to_vec());
                Rc4::new_from_slice(key).ok()?.try_apply_keystream(&mut plain).ok()?;
                Some(plain)
            }
        }
    }
}

fn cbc_decrypt<C: BlockCipherDecrypt + KeyInit>(
    key: &[u8],
    iv: &[u8],
    data: &[u8],
) -> Option<Secret> {
    unpad(cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?, data)
}

fn unpad(decryptor: impl BlockModeDecrypt, data: &[u8]) -> Option<Secret> {
    let mut plain = Secret::new(data.to_vec());
    let len = decryptor.decrypt_padded::<Pkcs7>(&mut plain).ok()?.len();
    plain.truncate(len);
    Some(plain)
}

fn unsupported(oid: Oid) -> Error {
    Error::unsupported(format!("an encryption by {}", name_of(oid)))
}
