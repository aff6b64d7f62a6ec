//! Sealing of what a store must not read, and of what must not be moved.
//!
//! Bodies, values and events are sealed with XChaCha20-Poly1305. Each purpose has a
//! key of its own, which HKDF-SHA256 (RFC 5869) derives from the root key. The
//! additional data names the place of the octets: table, job, stage and version, or
//! item and digest. So somebody who can write to the database cannot exchange two
//! rows, or put back an older body of the same job: the octets do not open there.
//!
//! The form is: format (1 octet), key id (4, big-endian), nonce (24), ciphertext
//! and tag.
//!
//! A [`KeyRing`] has one active key, which seals, and older ones, which only open.
//! To replace a key, make a new one active on every node, [`reseal`] the jobs of
//! [`JobSelection::SealedWith`](crate::store::JobSelection::SealedWith), and drop
//! the old key once [`Store::keys_in_use`](crate::store::Store::keys_in_use) does
//! not list it.
//!
//! [`KeyRing::unsealed`] seals nothing, for a store that only its owner can read. A
//! ring with keys never opens what such a ring has written.

use std::collections::BTreeMap;
use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::store::{
    Change, EventId, EventKind, Item, ItemChange, JobId, KeyId, Sealed, Stage, StoreError,
    StoreLimit, Stored, When,
};

/// Length of a root key, in octets.
pub const ROOT_KEY_LEN: usize = 32;
/// The format that this version writes and reads.
const FORMAT: u8 = 1;
/// The format of octets that are not sealed.
const UNSEALED: u8 = 0;
/// The key id of octets that are not sealed.
const NO_KEY: KeyId = KeyId(0);
const HEADER_LEN: usize = 1 + 4;
const NONCE_LEN: usize = 24;
/// The context of all derived keys and additional data.
const CONTEXT: &[u8] = b"ades-session sealing 1\0";

/// 24 random octets, for one seal. With so long a nonce, random ones do not repeat.
#[derive(Clone, Copy)]
pub struct Nonce([u8; NONCE_LEN]);

impl Nonce {
    /// A nonce from random octets, which must never be used again.
    #[must_use]
    pub const fn from_random(octets: [u8; NONCE_LEN]) -> Self {
        Self(octets)
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(..)")
    }
}

/// A root key: 32 random octets from a key management service or a protected file.
/// It is wiped from memory when it is dropped.
#[derive(Clone)]
pub struct RootKey(Zeroizing<[u8; ROOT_KEY_LEN]>);

impl RootKey {
    /// A key from its octets.
    #[must_use]
    pub const fn from_octets(octets: Zeroizing<[u8; ROOT_KEY_LEN]>) -> Self {
        Self(octets)
    }

    /// A key from 64 hexadecimal digits; white space around them does not matter.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.trim().as_bytes();
        if digits.len() != 2 * ROOT_KEY_LEN {
            return None;
        }
        let mut octets = Zeroizing::new([0; ROOT_KEY_LEN]);
        for (octet, [high, low]) in octets.iter_mut().zip(digits.as_chunks().0) {
            let digit = |c: u8| char::from(c).to_digit(16);
            *octet = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
        }
        Some(Self(octets))
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(..)")
    }
}

/// Where sealed octets belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place<'a> {
    /// The body of a job.
    Body {
        /// the job
        job: JobId,
        /// the stage of this version
        stage: Stage,
        /// the version that the job has with this body
        version: u64,
    },
    /// The signature value of an item. It is written once, so it has no version.
    Value {
        /// the job
        job: JobId,
        /// the item's number
        item: u32,
        /// the digest that was signed
        digest: &'a [u8],
    },
    /// The details of an event.
    Event {
        /// the job
        job: JobId,
        /// the event's id
        id: EventId,
        /// what happened
        kind: EventKind,
    },
}

impl<'a> Place<'a> {
    /// The place of the body that a job has now.
    #[must_use]
    pub const fn body_of(stored: &Stored) -> Self {
        Self::Body { job: stored.id, stage: stored.stage, version: stored.version }
    }

    /// The place of an item's value.
    #[must_use]
    pub const fn value_of(job: JobId, item: &'a Item) -> Self {
        Self::Value { job, item: item.no, digest: item.digest.as_slice() }
    }

    const fn purpose(&self) -> &'static [u8] {
        match self {
            Self::Body { .. } => b"body\0",
            Self::Value { .. } => b"value\0",
            Self::Event { .. } => b"event\0",
        }
    }

    /// The additional data. Each part has a fixed length or comes last, so two
    /// places never have the same.
    fn additional_data(&self, key: KeyId) -> Vec<u8> {
        let mut data = [CONTEXT, self.purpose(), &key.0.to_be_bytes()].concat();
        match self {
            Self::Body { job, stage, version } => {
                data.extend(job.octets());
                data.extend(version.to_be_bytes());
                data.extend(stage.name().as_bytes());
            }
            Self::Value { job, item, digest } => {
                data.extend(job.octets());
                data.extend(item.to_be_bytes());
                data.extend(*digest);
            }
            Self::Event { job, id, kind } => {
                data.extend(job.octets());
                data.extend(id.octets());
                data.extend(kind.name().as_bytes());
            }
        }
        data
    }
}

/// The keys of a deployment. One is active: it seals. All of them open.
#[derive(Clone, Debug)]
pub struct KeyRing {
    active: KeyId,
    /// Without any, nothing is sealed
    keys: BTreeMap<KeyId, RootKey>,
}

impl KeyRing {
    /// A ring with one key, the active one.
    #[must_use]
    pub fn new(id: KeyId, key: RootKey) -> Self {
        Self { active: id, keys: BTreeMap::from([(id, key)]) }
    }

    /// A ring that seals nothing: for a store that only its owner can read, such as a
    /// file of the user beside the documents. Who can write to such a store can change
    /// a job.
    #[must_use]
    pub const fn unsealed() -> Self {
        Self { active: NO_KEY, keys: BTreeMap::new() }
    }

    /// Adds a key that only opens: an older one, or one that other nodes already
    /// seal with. Returns the ring unchanged if it has a key of this id, and if it
    /// seals nothing.
    #[must_use]
    pub fn with(mut self, id: KeyId, key: RootKey) -> Self {
        if !self.keys.is_empty() {
            self.keys.entry(id).or_insert(key);
        }
        self
    }

    /// The id of the key that seals.
    #[must_use]
    pub const fn active(&self) -> KeyId {
        self.active
    }

    /// Whether the ring has a key. A service should refuse to start if
    /// [`Store::keys_in_use`](crate::store::Store::keys_in_use) lists a key that it
    /// does not have.
    #[must_use]
    pub fn has(&self, id: KeyId) -> bool {
        self.keys.contains_key(&id)
    }

    /// Seals octets for a place, with the active key.
    ///
    /// # Errors
    /// [`StoreError::Limit`] if the content is longer than the cipher allows.
    pub fn seal(
        &self,
        place: &Place<'_>,
        content: &[u8],
        nonce: Nonce,
    ) -> Result<Sealed, StoreError> {
        let key = self.active;
        if self.keys.is_empty() {
            let header = [[UNSEALED].as_slice(), &key.0.to_be_bytes()].concat();
            return Ok(Sealed::new(key, [header.as_slice(), &nonce.0, content].concat()));
        }
        let too_long = StoreError::Limit(StoreLimit::BodyLen);
        let ciphertext = self
            .cipher(place, key)?
            .encrypt(
                &XNonce::from(nonce.0),
                Payload { msg: content, aad: &place.additional_data(key) },
            )
            .map_err(|_| too_long)?;
        let header = [[FORMAT].as_slice(), &key.0.to_be_bytes()].concat();
        Ok(Sealed::new(key, [header.as_slice(), &nonce.0, &ciphertext].concat()))
    }

    /// Opens sealed octets at their place.
    ///
    /// # Errors
    /// [`StoreError::CannotOpen`] if the key is missing or wrong, or the octets are
    /// damaged, of a newer format, or from another place.
    pub fn open(
        &self,
        place: &Place<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let key = sealed.key;
        let cannot_open = || StoreError::CannotOpen { key };
        if self.keys.is_empty() {
            let content = unsealed_content(sealed).ok_or_else(cannot_open)?;
            return Ok(Zeroizing::new(content.to_vec()));
        }
        let (header, rest) =
            sealed.octets.split_first_chunk::<HEADER_LEN>().ok_or_else(cannot_open)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(cannot_open)?;
        let [format, id @ ..] = *header;
        if format != FORMAT || u32::from_be_bytes(id) != key.0 {
            return Err(cannot_open());
        }
        self.cipher(place, key)?
            .decrypt(
                &XNonce::from(*nonce),
                Payload { msg: ciphertext, aad: &place.additional_data(key) },
            )
            .map(Zeroizing::new)
            .map_err(|_| cannot_open())
    }

    /// The cipher with the key that is derived for the place's purpose.
    fn cipher(&self, place: &Place<'_>, id: KeyId) -> Result<XChaCha20Poly1305, StoreError> {
        let cannot_open = || StoreError::CannotOpen { key: id };
        let root = self.keys.get(&id).ok_or_else(cannot_open)?;
        let mut derived = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, root.0.as_slice())
            .expand_multi_info(
                &[CONTEXT, place.purpose(), &id.0.to_be_bytes()],
                derived.as_mut_slice(),
            )
            .map_err(|_| cannot_open())?;
        let key: &Key = (&*derived).into();
        Ok(XChaCha20Poly1305::new(key))
    }
}

/// The content of octets that are not sealed; `None` if they are.
#[must_use]
pub fn unsealed_content(sealed: &Sealed) -> Option<&[u8]> {
    let (header, rest) = sealed.octets.split_first_chunk::<HEADER_LEN>()?;
    let (_, content) = rest.split_first_chunk::<NONCE_LEN>()?;
    (*header == [UNSEALED, 0, 0, 0, 0] && sealed.key == NO_KEY).then_some(content)
}

/// Octets that are not sealed, as a store has read them: see [`KeyRing::unsealed`].
#[must_use]
pub fn unsealed(content: &[u8]) -> Sealed {
    let header = [0; HEADER_LEN + NONCE_LEN];
    Sealed::new(NO_KEY, [header.as_slice(), content].concat())
}

/// The change that seals a job's body and values with the active key, and changes
/// nothing else. `nonce` returns a fresh nonce for each call.
///
/// # Errors
/// [`StoreError::CannotOpen`].
pub fn reseal(
    ring: &KeyRing,
    stored: &Stored,
    mut nonce: impl FnMut() -> Nonce,
) -> Result<Change, StoreError> {
    let body = ring.open(&Place::body_of(stored), &stored.body)?;
    let version = stored.version.saturating_add(1);
    let place = Place::Body { job: stored.id, stage: stored.stage, version };
    let mut change = Change::new(stored, stored.stage, ring.seal(&place, &body, nonce())?);
    change.intent = stored.intent;
    change.tries = stored.tries;
    change.due = stored.due_at.map(When::At);
    change.expires = stored.expires_at.map(When::At);
    for item in &stored.items {
        if let Some(value) = item.value.as_ref().filter(|value| value.key != ring.active) {
            let place = Place::value_of(stored.id, item);
            let value = ring.seal(&place, &ring.open(&place, value)?, nonce())?;
            change.items.push(ItemChange::Resealed { no: item.no, value });
        }
    }
    Ok(change)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NewJob;

    const JOB: JobId = JobId::from_random([7; 16]);
    const ONE: KeyId = KeyId(1);
    const TWO: KeyId = KeyId(2);

    fn root(octet: u8) -> RootKey {
        RootKey::from_octets(Zeroizing::new([octet; ROOT_KEY_LEN]))
    }

    const fn nonce(octet: u8) -> Nonce {
        Nonce::from_random([octet; NONCE_LEN])
    }

    const fn body(stage: Stage, version: u64) -> Place<'static> {
        Place::Body { job: JOB, stage, version }
    }

    #[test]
    fn sealed_octets_open_at_their_place_only() {
        let ring = KeyRing::new(ONE, root(1));
        let place = body(Stage::Signing, 3);
        let sealed = ring.seal(&place, b"national number", nonce(9)).unwrap();
        assert_eq!(ring.open(&place, &sealed).unwrap().as_slice(), b"national number");

        let other_job = JobId::from_random([8; 16]);
        let digest = [0; 32];
        let event = EventId::from_random([7; 16]);
        for other in [
            body(Stage::Signing, 2),
            body(Stage::Asking, 3),
            Place::Body { job: other_job, stage: Stage::Signing, version: 3 },
            Place::Value { job: JOB, item: 3, digest: &digest },
            Place::Event { job: JOB, id: event, kind: EventKind::Signed },
        ] {
            let error = ring.open(&other, &sealed).unwrap_err();
            assert!(matches!(error, StoreError::CannotOpen { key: ONE }), "{other:?}");
        }
    }

    #[test]
    fn every_changed_octet_is_noticed() {
        let ring = KeyRing::new(ONE, root(1)).with(TWO, root(2));
        let place = body(Stage::Start, 1);
        let sealed = ring.seal(&place, b"content", nonce(9)).unwrap();
        for index in 0..sealed.octets.len() {
            let mut changed = sealed.clone();
            changed.octets[index] ^= 1;
            assert!(ring.open(&place, &changed).is_err(), "octet {index}");
        }
        for len in 0..sealed.octets.len() {
            let cut = Sealed::new(ONE, sealed.octets[..len].to_vec());
            assert!(ring.open(&place, &cut).is_err(), "{len} octets");
        }
        // The column of the key id cannot point to another key.
        assert!(ring.open(&place, &Sealed::new(TWO, sealed.octets)).is_err());
    }

    /// libsodium (through PyNaCl 1.6.2) made the ciphertext, with a key that
    /// Python's `hmac` derived by RFC 5869.
    #[test]
    fn the_form_is_that_of_libsodium() {
        let ring = KeyRing::new(KeyId(0x0102_0304), root(0x42));
        let sealed = ring.seal(&body(Stage::Asking, 258), b"octets", nonce(0x24)).unwrap();
        let hex: String = sealed.octets.iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(hex, KNOWN_ANSWER);
    }

    const KNOWN_ANSWER: &str = "010102030424242424242424242424242424242424242424242424242471067c348855d77198ad655dc62f235cb5b819265ab1";

    #[test]
    fn an_older_key_opens_and_resealing_replaces_it() {
        let old = KeyRing::new(ONE, root(1));
        let sealed = old.seal(&body(Stage::Start, 1), b"content", nonce(1)).unwrap();
        let mut stored =
            Stored::created(NewJob::new(JOB, "", "", "", sealed), chrono::DateTime::UNIX_EPOCH);
        let mut item = Item::new(0, 0, vec![3; 32]);
        item.value = Some(old.seal(&Place::value_of(JOB, &item), b"value", nonce(2)).unwrap());
        stored.items.push(item);

        let ring = KeyRing::new(TWO, root(2)).with(ONE, root(1));
        assert_eq!(
            ring.open(&Place::body_of(&stored), &stored.body).unwrap().as_slice(),
            b"content"
        );
        let mut count = 2;
        let change = reseal(&ring, &stored, || {
            count += 1;
            nonce(count)
        })
        .unwrap();
        stored.apply(&change, chrono::DateTime::UNIX_EPOCH).unwrap();

        let new = KeyRing::new(TWO, root(2));
        assert_eq!(
            new.open(&Place::body_of(&stored), &stored.body).unwrap().as_slice(),
            b"content"
        );
        let item = &stored.items[0];
        let value = new.open(&Place::value_of(JOB, item), item.value.as_ref().unwrap()).unwrap();
        assert_eq!(value.as_slice(), b"value");
        assert!(!new.has(ONE) && new.has(TWO));
    }

    #[test]
    fn a_ring_without_keys_opens_only_what_is_not_sealed() {
        let place = body(Stage::Start, 1);
        let (open, keys) = (KeyRing::unsealed(), KeyRing::new(NO_KEY, root(1)));
        let plain = open.seal(&place, b"{}", nonce(9)).unwrap();
        assert_eq!(open.open(&place, &plain).unwrap().as_slice(), b"{}");
        assert_eq!(unsealed_content(&plain), Some(b"{}".as_slice()));
        assert_eq!(open.open(&place, &unsealed(b"{}")).unwrap().as_slice(), b"{}");
        // Two seals of the same content differ, as those with a key do.
        assert_ne!(open.seal(&place, b"{}", nonce(8)).unwrap(), plain);
        // Nobody can put octets of their own into the store of a ring with keys.
        let sealed = keys.seal(&place, b"{}", nonce(9)).unwrap();
        for ring in [&keys, &KeyRing::new(ONE, root(1))] {
            assert!(ring.open(&place, &plain).is_err());
            assert!(ring.open(&place, &Sealed::new(ONE, plain.octets.clone())).is_err());
        }
        assert!(open.open(&place, &sealed).is_err() && unsealed_content(&sealed).is_none());
        // A key does not make a ring that seals nothing one that seals.
        assert!(!KeyRing::unsealed().with(ONE, root(1)).has(ONE));
    }

    #[test]
    fn a_root_key_is_64_hexadecimal_digits() {
        let digits = "00ff".repeat(16);
        assert!(RootKey::from_hex(&format!("{digits}\n")).is_some_and(|key| key.0[1] == 255));
        for bad in [&digits[1..], &format!("{digits}0"), &"zz".repeat(32), &"é".repeat(32)] {
            assert!(RootKey::from_hex(bad).is_none(), "{bad}");
        }
    }
}
