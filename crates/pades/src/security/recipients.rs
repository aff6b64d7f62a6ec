//! Documents that are encrypted for recipients (ISO 32000-2, 7.6.5): the key follows from
//! the content of an envelope, which the private key of a recipient opens.

use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::key::Opened;
use crate::error::{Error, UnsupportedFeature, structure};
use crate::syntax::Value;

/// Length in octets of the seed, which four octets with the permissions follow.
const SEED: usize = 20;
/// The permission to do everything, counted from 1 (table 24).
const OWNER: u32 = 2;

/// `/Encrypt` of the public-key security handler.
pub(super) struct Recipients<'a> {
    pub(super) version: u64,
    /// The key's length in octets.
    length: usize,
    encrypt_metadata: bool,
    pub(super) envelopes: Vec<&'a [u8]>,
}

impl<'a> Recipients<'a> {
    pub(super) fn read(dictionary: &'a Value) -> Result<Self, Error> {
        const UNSUPPORTED: Error =
            Error::Unsupported { what: UnsupportedFeature::EncryptionAlgorithm };

        let version = dictionary.get(b"V").and_then(Value::unsigned).unwrap_or(0);
        // pyHanko writes crypt filters for the first two versions, too.
        let (holder, bits) = match version {
            1 | 2 | 4 | 5 if dictionary.get(b"CF").is_some() => {
                let filter = only_filter(dictionary).ok_or(UNSUPPORTED)?;
                (filter, filter_bits(filter))
            }
            1 => (dictionary, 40),
            2 => (dictionary, dictionary.get(b"Length").and_then(Value::unsigned).unwrap_or(40)),
            _ => return Err(UNSUPPORTED),
        };
        let length = usize::try_from(bits / 8).unwrap_or(0);
        let list = holder.get(b"Recipients");
        let list = list.map(|list| list.elements().unwrap_or(std::slice::from_ref(list)));
        let envelopes: Vec<&[u8]> =
            list.unwrap_or_default().iter().filter_map(Value::string).collect();
        if envelopes.is_empty() || !(5..=32).contains(&length) {
            return Err(structure("the encryption dictionary lacks recipients or a key length"));
        }
        let encrypt_metadata =
            holder.get(b"EncryptMetadata").and_then(Value::boolean).unwrap_or(true);
        Ok(Self { version, length, encrypt_metadata, envelopes })
    }

    /// Computes the key from the content of an envelope; also returns the recipient's
    /// permissions.
    pub(super) fn open(&self, content: Option<&[u8]>) -> Result<(Opened, i64), Error> {
        let parts = content.and_then(|content| content.split_at_checked(SEED));
        let parts = parts.and_then(|(seed, rest)| Some((seed, rest.first_chunk::<4>()?)));
        let (seed, permissions) = parts.ok_or(Error::RecipientNeeded)?;
        let mut input = Zeroizing::new(seed.to_vec());
        input.extend(self.envelopes.iter().copied().flatten());
        if self.version >= 4 && !self.encrypt_metadata {
            input.extend_from_slice(&[0xFF; 4]);
        }
        let mut key = Zeroizing::new(match self.version {
            5 => Sha256::digest(&*input).to_vec(),
            _ => Sha1::digest(&*input).to_vec(),
        });
        key.truncate(self.length);
        let permissions = i64::from(u32::from_be_bytes(*permissions));
        let owner = permissions >> (OWNER - 1) & 1 == 1;
        Ok((Opened { key, owner }, permissions))
    }
}

/// The length of a crypt filter's key in bits. Some writers count octets.
fn filter_bits(filter: &Value) -> u64 {
    let stated = filter.get(b"Length").and_then(Value::unsigned).unwrap_or(128);
    match filter.get(b"CFM").and_then(Value::name) {
        Some(b"AESV2") => 128,
        Some(b"AESV3") => 256,
        _ if stated < 40 => 8 * stated,
        _ => stated,
    }
}

/// The crypt filter of streams and strings. Different recipients of the two are not
/// supported.
fn only_filter(dictionary: &Value) -> Option<&Value> {
    let name =
        |key: &[u8]| dictionary.get(key).and_then(Value::name).filter(|name| *name != b"Identity");
    let name = match (name(b"StmF"), name(b"StrF")) {
        (Some(streams), Some(strings)) if streams != strings => return None,
        (streams, strings) => streams.or(strings)?,
    };
    dictionary.get(b"CF")?.get(name)
}
