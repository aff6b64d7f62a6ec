//! Writes PKCS#12 files as other programs do: in DER, with indefinite lengths, with
//! strings in segments; with passwords given as octets. Nothing is random, so the
//! same input gives the same file.
#![deny(missing_docs)]

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::{Digest, Sha256};

const SALT: &[u8] = b"saltsalt";
const IV: &[u8; 16] = b"0123456789abcdef";
const ITERATIONS: u32 = 50;

/// How elements are encoded (X.690, 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Definite lengths, strings in one piece
    Der,
    /// Indefinite lengths, strings in one piece
    Indefinite,
    /// Indefinite lengths, strings in segments of this many octets
    Segments(usize),
    /// Definite lengths, strings in segments that have segments
    Nested(usize),
}

/// How keys and certificates are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all
    None,
    /// PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC
    Pbes2,
    /// PBES2 with scrypt and AES-128-CBC
    Scrypt,
    /// pbeWithSHAAnd2-KeyTripleDES-CBC
    Pkcs12,
}

/// How the file is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mac {
    /// Not at all
    None,
    /// RFC 7292 with HMAC-SHA256
    Pkcs12,
    /// RFC 9579 with HMAC-SHA256
    Pbmac1,
}

/// A file to be written.
#[derive(Clone, Debug)]
pub struct Writer {
    /// The encoding of all elements
    pub form: Form,
    /// The encryption of keys and certificates
    pub encryption: Encryption,
    /// The protection of the whole
    pub mac: Mac,
    /// The password for PBES2 and PBMAC1
    pub text: Vec<u8>,
    /// The password for the derivation of PKCS#12
    pub bmp: Vec<u8>,
    /// The bags with keys, each encoded by [`key`](Self::key) or by the caller
    pub keys: Vec<Vec<u8>>,
    /// The bags with certificates, as above
    pub certificates: Vec<Vec<u8>>,
}

impl Writer {
    /// A file in DER with PBES2 and the MAC of RFC 7292.
    #[must_use]
    pub fn new(password: &str) -> Self {
        let units = password.encode_utf16().chain([0]);
        Self {
            form: Form::Der,
            encryption: Encryption::Pbes2,
            mac: Mac::Pkcs12,
            text: password.as_bytes().to_vec(),
            bmp: units.flat_map(u16::to_be_bytes).collect(),
            keys: Vec::new(),
            certificates: Vec::new(),
        }
    }

    /// A file with a key and its certificate.
    #[must_use]
    pub fn with_pair(password: &str, pkcs8: &[u8], certificate: &[u8]) -> Self {
        let mut writer = Self::new(password);
        writer.key(pkcs8, None, None);
        writer.certificate(certificate, None, None);
        writer
    }

    /// Adds a key in PKCS#8, with its friendly name and local id.
    pub fn key(&mut self, pkcs8: &[u8], name: Option<&str>, id: Option<&[u8]>) {
        let key = self.form.rewrite(pkcs8);
        let (bag_type, value) = match self.encryption {
            Encryption::None => (1, key),
            _ => {
                let (algorithm, encrypted) = self.encrypt(&key);
                let encrypted = self.form.string(0x04, &encrypted);
                (2, self.form.element(0x30, &[&algorithm, &encrypted]))
            }
        };
        let bag = self.bag(&pkcs12(&[10, 1, bag_type]), &value, name, id);
        self.keys.push(bag);
    }

    /// Adds a certificate in DER, with its friendly name and local id.
    pub fn certificate(&mut self, der: &[u8], name: Option<&str>, id: Option<&[u8]>) {
        let octets = self.form.string(0x04, der);
        let octets = self.form.element(0xA0, &[&octets]);
        let value = self.form.element(0x30, &[&pkcs9(&[22, 1]), &octets]);
        let bag = self.bag(&pkcs12(&[10, 1, 3]), &value, name, id);
        self.certificates.push(bag);
    }

    /// A bag of any type.
    #[must_use]
    pub fn bag(&self, oid: &[u8], value: &[u8], name: Option<&str>, id: Option<&[u8]>) -> Vec<u8> {
        let form = self.form;
        let attribute =
            |oid: &[u8], value: &[u8]| form.element(0x30, &[oid, &form.element(0x31, &[value])]);
        let mut attributes = Vec::new();
        if let Some(name) = name {
            let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
            attributes.extend(attribute(&pkcs9(&[20]), &element(0x1E, &[&name])));
        }
        if let Some(id) = id {
            attributes.extend(attribute(&pkcs9(&[21]), &form.string(0x04, id)));
        }
        let attributes = match attributes.as_slice() {
            [] => Vec::new(),
            attributes => form.element(0x31, &[attributes]),
        };
        form.element(0x30, &[oid, &form.element(0xA0, &[value]), &attributes])
    }

    /// The octets of the file.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let form = self.form;
        let safe = |bags: &[Vec<u8>]| form.element(0x30, &[&bags.concat()]);
        let keys = self.data(&safe(&self.keys));
        let certificates = safe(&self.certificates);
        let certificates = match self.encryption {
            Encryption::None => self.data(&certificates),
            _ => {
                let (algorithm, encrypted) = self.encrypt(&certificates);
                let encrypted = form.string(0x80, &encrypted);
                let info = form.element(0x30, &[&pkcs7(1), &algorithm, &encrypted]);
                let data = form.element(0x30, &[&[0x02, 1, 0], &info]);
                form.element(0x30, &[&pkcs7(6), &form.element(0xA0, &[&data])])
            }
        };
        self.wrap(&form.element(0x30, &[&keys, &certificates]))
    }

    /// The file around an `AuthenticatedSafe`.
    #[must_use]
    pub fn wrap(&self, authenticated_safe: &[u8]) -> Vec<u8> {
        let form = self.form;
        let content = self.data(authenticated_safe);
        let mac = match self.mac {
            Mac::None => Vec::new(),
            Mac::Pkcs12 => {
                let key = one_block::<Sha256>(3, &self.bmp, 32);
                let sha256 = element(0x30, &[&nist(&[2, 1]), &[5, 0]]);
                self.mac_data(&sha256, &key, authenticated_safe)
            }
            Mac::Pbmac1 => {
                let mut key = [0; 32];
                pbkdf2::pbkdf2_hmac::<Sha256>(&self.text, SALT, ITERATIONS, &mut key);
                let derivation = pbkdf2_parameters(Some(32));
                let parameters = element(0x30, &[&derivation, &hmac_sha256()]);
                let algorithm = element(0x30, &[&pkcs5(14), &parameters]);
                self.mac_data(&algorithm, &key, authenticated_safe)
            }
        };
        form.element(0x30, &[&[0x02, 1, 3], &content, &mac])
    }

    /// `ContentInfo` with data.
    fn data(&self, octets: &[u8]) -> Vec<u8> {
        let octets = self.form.string(0x04, octets);
        self.form.element(0x30, &[&pkcs7(1), &self.form.element(0xA0, &[&octets])])
    }

    fn mac_data(&self, algorithm: &[u8], key: &[u8], content: &[u8]) -> Vec<u8> {
        let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
        let value = mac.chain_update(content).finalize().into_bytes();
        let value = self.form.string(0x04, &value);
        let info = self.form.element(0x30, &[&self.form.rewrite(algorithm), &value]);
        let iterations = integer(ITERATIONS);
        self.form.element(0x30, &[&info, &self.form.string(0x04, SALT), &iterations])
    }

    /// The algorithm and the encrypted octets.
    fn encrypt(&self, plain: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (algorithm, encrypted) = match self.encryption {
            Encryption::None => unreachable!("nothing is encrypted"),
            Encryption::Pbes2 => {
                let mut key = [0; 32];
                pbkdf2::pbkdf2_hmac::<Sha256>(&self.text, SALT, ITERATIONS, &mut key);
                let encryptor = cbc::Encryptor::<aes::Aes256>::new(&key.into(), IV.into());
                let encrypted = encryptor.encrypt_padded_vec::<Pkcs7>(plain);
                (pbes2(&pbkdf2_parameters(None), 42), encrypted)
            }
            Encryption::Scrypt => {
                let mut key = [0; 16];
                let parameters = scrypt::Params::new(4, 8, 1).expect("small parameters");
                scrypt::scrypt(&self.text, SALT, &parameters, &mut key).expect("a short key");
                let encryptor = cbc::Encryptor::<aes::Aes128>::new(&key.into(), IV.into());
                let encrypted = encryptor.encrypt_padded_vec::<Pkcs7>(plain);
                let numbers = [integer(16), integer(8), integer(1)].concat();
                let numbers = element(0x30, &[&element(0x04, &[SALT]), &numbers]);
                // 1.3.6.1.4.1.11591.4.11
                let scrypt = b"\x06\x09\x2B\x06\x01\x04\x01\xDA\x47\x04\x0B";
                (pbes2(&element(0x30, &[scrypt, &numbers]), 2), encrypted)
            }
            Encryption::Pkcs12 => {
                let key = one_block::<sha1::Sha1>(1, &self.bmp, 16);
                let iv = one_block::<sha1::Sha1>(2, &self.bmp, 8);
                let encryptor = cbc::Encryptor::<des::TdesEde2>::new_from_slices(&key, &iv);
                let encryptor = encryptor.expect("these lengths are right");
                let parameters = [element(0x04, &[SALT]), integer(ITERATIONS)].concat();
                let parameters = element(0x30, &[&parameters]);
                let algorithm = element(0x30, &[&pkcs12(&[1, 4]), &parameters]);
                (algorithm, encryptor.encrypt_padded_vec::<Pkcs7>(plain))
            }
        };
        (self.form.rewrite(&algorithm), encrypted)
    }
}

/// The derivation of PKCS#12 (RFC 7292, B.2) for keys that are not longer than the
/// digest.
fn one_block<D: Digest>(id: u8, password: &[u8], len: usize) -> Vec<u8> {
    let repeated = |octets: &[u8]| {
        let len = octets.len().div_ceil(64) * 64;
        octets.iter().copied().cycle().take(len).collect::<Vec<u8>>()
    };
    let mut digest =
        D::digest([vec![id; 64], repeated(SALT), repeated(password)].concat()).to_vec();
    for _ in 1..ITERATIONS {
        digest = D::digest(&digest).to_vec();
    }
    digest.truncate(len);
    digest
}

impl Form {
    /// An element that has elements.
    #[must_use]
    pub fn element(self, tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Der | Self::Nested(_) => element(tag, parts),
            Self::Indefinite | Self::Segments(_) => {
                [&[tag, 0x80], parts.concat().as_slice(), &[0, 0]].concat()
            }
        }
    }

    /// A string whose tag in one piece is `tag`.
    #[must_use]
    pub fn string(self, tag: u8, octets: &[u8]) -> Vec<u8> {
        let segments = |len: usize| -> Vec<u8> {
            octets.chunks(len).flat_map(|segment| element(0x04, &[segment])).collect()
        };
        match self {
            Self::Der | Self::Indefinite => element(tag, &[octets]),
            Self::Segments(len) => self.element(tag | 0x20, &[&segments(len)]),
            Self::Nested(len) => {
                let inner = element(0x24, &[&segments(len)]);
                self.element(tag | 0x20, &[&inner, &element(0x04, &[]), &element(0x24, &[])])
            }
        }
    }

    /// The elements of DER in this form. `OCTET STRING` and `BIT STRING` become
    /// segments; other strings stay.
    ///
    /// # Panics
    /// If the octets are not DER.
    #[must_use]
    pub fn rewrite(self, der: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = der;
        while let [tag, length, ..] = rest {
            let (header, len) = match length {
                0..=0x7F => (2, usize::from(*length)),
                _ => {
                    let octets = usize::from(length & 0x7F);
                    let number = &rest[2..2 + octets];
                    (2 + octets, number.iter().fold(0, |len, octet| len << 8 | usize::from(*octet)))
                }
            };
            let content = &rest[header..header + len];
            out.extend(match (*tag, self) {
                (tag, _) if tag & 0x20 != 0 => self.element(tag, &[&self.rewrite(content)]),
                (0x04, _) => self.string(0x04, content),
                (0x03, Self::Segments(_) | Self::Nested(_)) => {
                    let (unused, bits) = content.split_first().expect("the number of unused bits");
                    let (first, last) = bits.split_at(bits.len() / 2);
                    let segments =
                        [element(0x03, &[&[0], first]), element(0x03, &[&[*unused], last])];
                    self.element(0x23, &[&segments.concat()])
                }
                (tag, _) => element(tag, &[content]),
            });
            rest = &rest[header + len..];
        }
        out
    }
}

/// An element of DER.
#[must_use]
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let len = content.len();
    let header = match len {
        0..0x80 => vec![tag, len as u8],
        0x80..0x1_0000 => vec![tag, 0x82, (len >> 8) as u8, len as u8],
        _ => vec![tag, 0x83, (len >> 16) as u8, (len >> 8) as u8, len as u8],
    };
    [header, content].concat()
}

fn pbes2(derivation: &[u8], aes: u8) -> Vec<u8> {
    let cipher = element(0x30, &[&nist(&[1, aes]), &element(0x04, &[IV])]);
    element(0x30, &[&pkcs5(13), &element(0x30, &[derivation, &cipher])])
}

fn pbkdf2_parameters(key_len: Option<u32>) -> Vec<u8> {
    let key_len = key_len.map(integer).unwrap_or_default();
    let parameters = [&element(0x04, &[SALT]), &integer(ITERATIONS), &key_len, &hmac_sha256()];
    let parameters: Vec<u8> = parameters.into_iter().flatten().copied().collect();
    element(0x30, &[&pkcs5(12), &element(0x30, &[&parameters])])
}

fn hmac_sha256() -> Vec<u8> {
    element(0x30, &[b"\x06\x08\x2A\x86\x48\x86\xF7\x0D\x02\x09", &[5, 0]])
}

fn integer(number: u32) -> Vec<u8> {
    let octets = [&[0][..], &number.to_be_bytes()].concat();
    let zeros = octets.windows(2).take_while(|pair| pair[0] == 0 && pair[1] < 0x80).count();
    element(0x02, &[&octets[zeros.min(4)..]])
}

/// 1.2.840.113549.1.12…
#[must_use]
pub fn pkcs12(rest: &[u8]) -> Vec<u8> {
    element(0x06, &[b"\x2A\x86\x48\x86\xF7\x0D\x01\x0C", rest])
}

/// 1.2.840.113549.1.9…
#[must_use]
pub fn pkcs9(rest: &[u8]) -> Vec<u8> {
    element(0x06, &[b"\x2A\x86\x48\x86\xF7\x0D\x01\x09", rest])
}

/// 1.2.840.113549.1.7…
#[must_use]
pub fn pkcs7(last: u8) -> Vec<u8> {
    element(0x06, &[b"\x2A\x86\x48\x86\xF7\x0D\x01\x07", &[last]])
}

/// 1.2.840.113549.1.5…
fn pkcs5(last: u8) -> Vec<u8> {
    element(0x06, &[b"\x2A\x86\x48\x86\xF7\x0D\x01\x05", &[last]])
}

/// 2.16.840.1.101.3.4…
fn nist(rest: &[u8]) -> Vec<u8> {
    element(0x06, &[b"\x60\x86\x48\x01\x65\x03\x04", rest])
}
