//! Documents that are encrypted with a password or for recipients (ISO 32000-2, 7.6):
//! decrypting and encrypting strings and streams.
//!
//! Such documents use MD5, RC4 and AES-CBC; no signature depends on these.

mod key;
mod rc4;
mod recipients;

use std::rc::Rc;

use ades_core::Document;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::{Error, UnsupportedFeature};
use crate::file::Pdf;
use crate::syntax::{Kind, Lexer, Reference, Value, string};
use key::{Handler, Opened};
use recipients::Recipients;

/// How strings or streams are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Identity,
    Rc4,
    Aes128,
    Aes256,
}

/// The key of an encrypted document, and its methods.
pub(crate) struct Security {
    key: Zeroizing<Vec<u8>>,
    strings: Method,
    streams: Method,
    /// `/P`: what is allowed without the owner's password.
    permissions: i64,
    owner: bool,
    /// The encryption dictionary, which is not encrypted.
    dictionary: Option<Reference>,
}

/// A password, which `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(pub(crate) Zeroizing<String>);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// The content of an envelope, which `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct EnvelopeContent(pub(crate) Zeroizing<Vec<u8>>);

impl std::fmt::Debug for EnvelopeContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnvelopeContent(..)")
    }
}

/// What opens an encrypted document.
#[derive(Clone, Copy, Default)]
pub(crate) struct Credential<'a> {
    /// The user's or the owner's password, by default the empty one.
    pub(crate) password: Option<&'a str>,
    /// The content of one of the envelopes for recipients.
    pub(crate) envelope: Option<&'a [u8]>,
}

/// Returns the envelopes (DER of CMS `EnvelopedData`) of a document that is encrypted
/// for recipients; none if the document is not encrypted, or with a password.
///
/// The private key of a recipient opens one of them. Its content is then given to
/// [`SignatureOptions::envelope_content`](crate::SignatureOptions::envelope_content).
///
/// # Errors
/// As [`check`](crate::check), for a document that cannot be read.
pub fn envelopes(document: &mut Document<'_>) -> Result<Vec<Vec<u8>>, Error> {
    let Some((dictionary, _)) = Pdf::open_locked(document)?.encryption()? else {
        return Ok(Vec::new());
    };
    if !dictionary.is(b"Filter", RECIPIENTS) {
        return Ok(Vec::new());
    }
    let envelopes = Recipients::read(&dictionary)?.envelopes;
    Ok(envelopes.into_iter().map(<[u8]>::to_vec).collect())
}

/// The name of the public-key security handler.
const RECIPIENTS: &[u8] = b"Adobe.PubSec";

impl Security {
    /// Opens a document.
    ///
    /// `dictionary`: `/Encrypt`; `id`: the first part of the file's identifier.
    pub(crate) fn open(
        dictionary: &Value,
        reference: Option<Reference>,
        id: &[u8],
        credential: Credential<'_>,
    ) -> Result<Self, Error> {
        let method = |version, filter: &[u8]| match version {
            1 | 2 => Ok(Method::Rc4),
            _ => crypt_filter(dictionary, filter),
        };
        let methods =
            |version| Ok::<_, Error>((method(version, b"StrF")?, method(version, b"StmF")?));
        let (opened, permissions, (strings, streams)) =
            match dictionary.get(b"Filter").and_then(Value::name) {
                Some(b"Standard") => {
                    let handler = Handler::read(dictionary, id)?;
                    let methods = methods(handler.version)?;
                    let opened = handler.open(credential.password.unwrap_or_default())?;
                    (opened, handler.permissions, methods)
                }
                Some(RECIPIENTS) => {
                    let recipients = Recipients::read(dictionary)?;
                    let methods = methods(recipients.version)?;
                    let (opened, permissions) = recipients.open(credential.envelope)?;
                    (opened, permissions, methods)
                }
                _ => return Err(Error::Unsupported { what: UnsupportedFeature::SecurityHandler }),
            };
        let Opened { key, owner } = opened;
        Ok(Self { key, strings, streams, permissions, owner, dictionary: reference })
    }

    /// Whether a permission is granted; bits are counted from 1 (table 22).
    pub(crate) const fn permits(&self, bit: u32) -> bool {
        self.owner || self.permissions >> (bit - 1) & 1 == 1
    }

    /// Decrypts the strings of an object that is not in an object stream.
    pub(crate) fn decrypt_strings(&self, reference: Reference, value: &mut Value) {
        if self.dictionary == Some(reference) {
            return;
        }
        let signature = is_signature(value);
        match &mut value.kind {
            Kind::String(octets) => {
                if let Some(plain) = self.decrypt(self.strings, reference, octets) {
                    *octets = plain;
                }
            }
            Kind::Array(elements) => Rc::make_mut(elements)
                .iter_mut()
                .for_each(|element| self.decrypt_strings(reference, element)),
            Kind::Dictionary(entries) => Rc::make_mut(entries)
                .iter_mut()
                .filter(|(key, _)| !(signature && key == b"Contents"))
                .for_each(|(_, value)| self.decrypt_strings(reference, value)),
            _ => {}
        }
    }

    /// Decrypts a stream's data.
    pub(crate) fn decrypt_stream(
        &self,
        reference: Reference,
        data: &[u8],
    ) -> Result<Vec<u8>, Error> {
        self.decrypt(self.streams, reference, data)
            .ok_or(Error::Structure { what: "an encrypted stream does not decrypt" })
    }

    /// Encrypts the strings of an object that was written unencrypted; other octets
    /// stay.
    pub(crate) fn encrypt_strings(
        &self,
        reference: Reference,
        text: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let value = Lexer::new(text, true).value();
        let value = value.map_err(|_| Error::Structure { what: "an object cannot be read" })?;
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        self.encrypt_within(reference, text, &value, &mut at, &mut out);
        out.extend_from_slice(text.get(at..).unwrap_or_default());
        Ok(out)
    }

    fn encrypt_within(
        &self,
        reference: Reference,
        text: &[u8],
        value: &Value,
        at: &mut usize,
        out: &mut Vec<u8>,
    ) {
        let signature = is_signature(value);
        match &value.kind {
            Kind::String(plain) => {
                out.extend_from_slice(text.get(*at..value.span.start).unwrap_or_default());
                out.extend_from_slice(&string(&self.encrypt(self.strings, reference, plain)));
                *at = value.span.end;
            }
            Kind::Array(elements) => {
                for element in elements.iter() {
                    self.encrypt_within(reference, text, element, at, out);
                }
            }
            Kind::Dictionary(entries) => {
                for (key, value) in entries.iter() {
                    if !(signature && key == b"Contents") {
                        self.encrypt_within(reference, text, value, at, out);
                    }
                }
            }
            _ => {}
        }
    }

    /// The key of one object (7.6.3.2, algorithm 1).
    fn object_key(&self, method: Method, reference: Reference) -> Vec<u8> {
        if method == Method::Aes256 {
            return self.key.to_vec();
        }
        let mut digest = Md5::new();
        digest.update(&*self.key);
        digest.update(reference.number.to_le_bytes().get(..3).unwrap_or_default());
        digest.update(reference.generation.to_le_bytes());
        if method == Method::Aes128 {
            digest.update(b"sAlT");
        }
        let mut key = digest.finalize().to_vec();
        key.truncate((self.key.len() + 5).min(16));
        key
    }

    fn decrypt(&self, method: Method, reference: Reference, data: &[u8]) -> Option<Vec<u8>> {
        let key = self.object_key(method, reference);
        match method {
            Method::Identity => Some(data.to_vec()),
            Method::Rc4 => Some(rc4::apply(&key, data)),
            Method::Aes128 | Method::Aes256 => {
                let (iv, data) = data.split_at_checked(16)?;
                if method == Method::Aes128 {
                    let cipher = cbc::Decryptor::<aes::Aes128>::new_from_slices(&key, iv).ok()?;
                    cipher.decrypt_padded_vec::<Pkcs7>(data).ok()
                } else {
                    let cipher = cbc::Decryptor::<aes::Aes256>::new_from_slices(&key, iv).ok()?;
                    cipher.decrypt_padded_vec::<Pkcs7>(data).ok()
                }
            }
        }
    }

    /// Encrypts a stream's data.
    pub(crate) fn encrypt_stream(&self, reference: Reference, plain: &[u8]) -> Vec<u8> {
        self.encrypt(self.streams, reference, plain)
    }

    fn encrypt(&self, method: Method, reference: Reference, plain: &[u8]) -> Vec<u8> {
        let key = self.object_key(method, reference);
        match method {
            Method::Identity => plain.to_vec(),
            Method::Rc4 => rc4::apply(&key, plain),
            Method::Aes128 | Method::Aes256 => {
                // The vector is not random, because this crate has no source of
                // randomness. It differs with object and text, and only holders of
                // the key can predict it.
                let mut digest = Sha256::new();
                digest.update(&*self.key);
                digest.update(reference.number.to_le_bytes());
                digest.update(plain);
                let digest = digest.finalize();
                let iv = digest.get(..16).unwrap_or_default();
                let encrypted = if method == Method::Aes128 {
                    cbc::Encryptor::<aes::Aes128>::new_from_slices(&key, iv)
                        .map(|cipher| cipher.encrypt_padded_vec::<Pkcs7>(plain))
                } else {
                    cbc::Encryptor::<aes::Aes256>::new_from_slices(&key, iv)
                        .map(|cipher| cipher.encrypt_padded_vec::<Pkcs7>(plain))
                };
                // `Handler` checks that keys have the lengths of the ciphers.
                [iv, &encrypted.unwrap_or_default()].concat()
            }
        }
    }
}

/// Whether it is a signature dictionary, whose `/Contents` is not encrypted (7.6.2).
fn is_signature(value: &Value) -> bool {
    value.get(b"ByteRange").is_some() && value.get(b"Contents").is_some()
}

/// The method that `/StrF` or `/StmF` names (7.6.6).
fn crypt_filter(dictionary: &Value, filter: &[u8]) -> Result<Method, Error> {
    let name = dictionary.get(filter).and_then(Value::name).unwrap_or(b"Identity");
    if name == b"Identity" {
        return Ok(Method::Identity);
    }
    let filter = dictionary.get(b"CF").and_then(|filters| filters.get(name));
    match filter.and_then(|filter| filter.get(b"CFM")).and_then(Value::name) {
        Some(b"V2") => Ok(Method::Rc4),
        Some(b"AESV2") => Ok(Method::Aes128),
        Some(b"AESV3") => Ok(Method::Aes256),
        Some(b"None") => Ok(Method::Identity),
        _ => Err(Error::Unsupported { what: UnsupportedFeature::EncryptionAlgorithm }),
    }
}
