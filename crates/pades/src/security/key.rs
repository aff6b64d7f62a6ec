//! Computing a document's key from a password (ISO 32000-2, 7.6.4.3 and 7.6.4.4).

use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use md5::{Digest as _, Md5};
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::rc4;
use crate::error::{Error, UnsupportedFeature, structure};
use crate::syntax::{Value, encode_pdf_doc};

/// The padding that extends a password to 32 octets.
const PADDING: [u8; 32] = [
    0x28, 0xBF, 0x4E, 0x5E, 0x4E, 0x75, 0x8A, 0x41, 0x64, 0x00, 0x4E, 0x56, 0xFF, 0xFA, 0x01, 0x08,
    0x2E, 0x2E, 0x00, 0xB6, 0xD0, 0x68, 0x3E, 0x80, 0x2F, 0x0C, 0xA9, 0xFE, 0x64, 0x53, 0x69, 0x7A,
];
/// Maximum length of a password in UTF-8 (7.6.4.3.3).
const MAX_PASSWORD: usize = 127;

/// `/Encrypt` of the standard security handler.
pub(super) struct Handler<'a> {
    pub(super) version: u64,
    revision: u64,
    /// The key's length in octets.
    length: usize,
    pub(super) permissions: i64,
    encrypt_metadata: bool,
    user: &'a [u8],
    owner: &'a [u8],
    user_key: &'a [u8],
    owner_key: &'a [u8],
    id: &'a [u8],
}

/// A key, and whether the owner's password opened it.
pub(super) struct Opened {
    pub(super) key: Zeroizing<Vec<u8>>,
    pub(super) owner: bool,
}

impl<'a> Handler<'a> {
    pub(super) fn read(dictionary: &'a Value, id: &'a [u8]) -> Result<Self, Error> {
        let missing = structure("the encryption dictionary lacks a key");
        let number = |key: &[u8]| dictionary.get(key).and_then(Value::unsigned);
        let octets = |key: &[u8]| dictionary.get(key).and_then(Value::string).unwrap_or_default();
        let (Some(version), Some(revision)) = (number(b"V"), number(b"R")) else {
            return Err(missing);
        };
        if !matches!((version, revision), (1 | 2, 2 | 3) | (4, 4) | (5, 5 | 6)) {
            return Err(Error::Unsupported { what: UnsupportedFeature::EncryptionAlgorithm });
        }
        let bits = match version {
            1 => 40,
            4 => 128,
            5 => 256,
            _ => number(b"Length").unwrap_or(40),
        };
        let length = usize::try_from(bits / 8).unwrap_or(0);
        let (user, owner) = (octets(b"U"), octets(b"O"));
        let least = if revision >= 5 { 48 } else { 32 };
        if user.len() < least || owner.len() < least || !(5..=32).contains(&length) {
            return Err(missing);
        }
        let permissions = dictionary.get(b"P").and_then(Value::integer).unwrap_or(0);
        let encrypt_metadata =
            dictionary.get(b"EncryptMetadata").and_then(Value::boolean).unwrap_or(true);
        let (user_key, owner_key) = (octets(b"UE"), octets(b"OE"));
        Ok(Self {
            version,
            revision,
            length,
            permissions,
            encrypt_metadata,
            user: user.get(..least).unwrap_or_default(),
            owner: owner.get(..least).unwrap_or_default(),
            user_key: user_key.get(..32).unwrap_or_default(),
            owner_key: owner_key.get(..32).unwrap_or_default(),
            id,
        })
    }

    pub(super) fn open(&self, password: &str) -> Result<Opened, Error> {
        let opened = match self.revision {
            5.. => prepared(password).iter().find_map(|password| self.open_new(password)),
            _ => encoded(password).iter().find_map(|password| self.open_old(password)),
        };
        opened.ok_or(if password.is_empty() { Error::PasswordNeeded } else { Error::WrongPassword })
    }

    /// Revisions 2 to 4 (algorithms 2 to 7).
    fn open_old(&self, password: &[u8]) -> Option<Opened> {
        let as_user = |password: &[u8], owner| {
            let key = self.old_key(password);
            self.is_user_key(&key).then(|| Opened { key: Zeroizing::new(key), owner })
        };
        let user = || as_user(password, false);
        let owner = || as_user(&self.user_password(password), true);
        owner().or_else(user)
    }

    fn old_key(&self, password: &[u8]) -> Vec<u8> {
        let mut digest = Md5::new();
        digest.update(padded(password));
        digest.update(self.owner);
        // The lower 32 bits: writers use signed and unsigned numbers.
        digest.update(self.permissions.to_le_bytes().get(..4).unwrap_or_default());
        digest.update(self.id);
        if self.revision >= 4 && !self.encrypt_metadata {
            digest.update([0xFF; 4]);
        }
        self.stretched(digest.finalize().to_vec())
    }

    /// Digests the key 50 more times, from revision 3 on.
    fn stretched(&self, mut key: Vec<u8>) -> Vec<u8> {
        let length = self.length.min(16);
        if self.revision >= 3 {
            for _ in 0..50 {
                key = Md5::digest(key.get(..length).unwrap_or_default()).to_vec();
            }
        }
        key.truncate(length);
        key
    }

    fn is_user_key(&self, key: &[u8]) -> bool {
        if self.revision == 2 {
            return rc4::apply(key, &PADDING).ct_eq(self.user).into();
        }
        let mut digest = Md5::new();
        digest.update(PADDING);
        digest.update(self.id);
        let mut check = digest.finalize().to_vec();
        for round in 0..20u8 {
            check = rc4::apply(&key.iter().map(|octet| octet ^ round).collect::<Vec<_>>(), &check);
        }
        check.ct_eq(self.user.get(..16).unwrap_or_default()).into()
    }

    /// The user's password, decrypted with the owner's password (algorithm 7).
    fn user_password(&self, owner_password: &[u8]) -> Vec<u8> {
        let key = self.stretched(Md5::digest(padded(owner_password)).to_vec());
        let mut password = self.owner.to_vec();
        let rounds = if self.revision == 2 { 1 } else { 20u8 };
        for round in (0..rounds).rev() {
            let key: Vec<u8> = key.iter().map(|octet| octet ^ round).collect();
            password = rc4::apply(&key, &password);
        }
        password
    }

    /// Revisions 5 and 6 (algorithms 2.A, 11 and 12).
    fn open_new(&self, password: &[u8]) -> Option<Opened> {
        let try_as = |entry: &[u8], beside: &[u8], encrypted: &[u8], owner| {
            let (check, salts) = entry.split_at_checked(32)?;
            let (check_salt, key_salt) = salts.split_at_checked(8)?;
            let key_salt = key_salt.get(..8)?;
            let found = self.hash(password, check_salt, beside)?;
            if !bool::from(found.as_slice().ct_eq(check)) {
                return None;
            }
            let between = self.hash(password, key_salt, beside)?;
            let cipher = cbc::Decryptor::<aes::Aes256>::new_from_slices(&between, &[0; 16]).ok()?;
            let key = cipher.decrypt_padded_vec::<NoPadding>(encrypted).ok()?;
            (key.len() == 32).then(|| Opened { key: Zeroizing::new(key), owner })
        };
        try_as(self.owner, self.user, self.owner_key, true)
            .or_else(|| try_as(self.user, &[], self.user_key, false))
    }

    /// Algorithm 2.B; revision 5 uses only its first step.
    fn hash(&self, password: &[u8], salt: &[u8], beside: &[u8]) -> Option<Vec<u8>> {
        let mut key = Sha256::digest([password, salt, beside].concat()).to_vec();
        if self.revision == 5 {
            return Some(key);
        }
        let mut round = 0u32;
        loop {
            let block = [password, &key, beside].concat().repeat(64);
            let (cipher_key, iv) = (key.get(..16)?, key.get(16..32)?);
            let cipher = cbc::Encryptor::<aes::Aes128>::new_from_slices(cipher_key, iv).ok()?;
            let encrypted = cipher.encrypt_padded_vec::<NoPadding>(&block);
            // 256 is 1 modulo 3, so the number is congruent to the sum of its octets.
            let sum: u32 = encrypted.get(..16)?.iter().map(|octet| u32::from(*octet)).sum();
            key = match sum % 3 {
                0 => Sha256::digest(&encrypted).to_vec(),
                1 => Sha384::digest(&encrypted).to_vec(),
                _ => Sha512::digest(&encrypted).to_vec(),
            };
            round += 1;
            let last = u32::from(*encrypted.last()?);
            if round >= 64 && last <= round - 32 {
                key.truncate(32);
                return Some(key);
            }
        }
    }
}

/// The forms of a password that writers use from revision 5 on: prepared with SASLprep
/// (7.6.4.3.3), and as it is, as qpdf does. The longer ones are truncated.
fn prepared(password: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let form = |text: &str| {
        let octets = text.as_bytes();
        Zeroizing::new(octets.get(..MAX_PASSWORD).unwrap_or(octets).to_vec())
    };
    let prepared = stringprep::saslprep(password).ok();
    let mut forms: Vec<_> = prepared.iter().map(|text| form(text)).collect();
    forms.push(form(password));
    forms.dedup();
    forms
}

/// The forms of a password before revision 5: in PDFDocEncoding (7.6.4.3.2), with
/// composed accents, and in UTF-8, in which some writers take it from their terminal.
fn encoded(password: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let composed = Zeroizing::new(password.nfc().collect::<String>());
    let mut forms: Vec<_> = encode_pdf_doc(&composed).map(Zeroizing::new).into_iter().collect();
    forms.push(Zeroizing::new(password.as_bytes().to_vec()));
    forms.dedup();
    forms
}

fn padded(password: &[u8]) -> Vec<u8> {
    password.iter().chain(&PADDING).take(32).copied().collect()
}
