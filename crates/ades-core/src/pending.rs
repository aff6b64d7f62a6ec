//! The data between *prepare* and *complete*: the data to be signed, and stored
//! pending states.
//!
//! A stored state is one JSON object:
//!
//! ```json
//! {"format":"cades","version":1,"state":{…},"checksum":"<sha256, hex>","mac":"<hmac-sha256, hex>"}
//! ```
//!
//! The checksum detects damage. The MAC, present if the caller gave a
//! [`StateKey`], detects tampering as well. Both are computed over the canonical
//! form of the stored JSON, not over what this version would store. A state
//! contains neither the document nor a secret.

mod canonical;

use std::borrow::Cow;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::digest::{Digest, Digester, DtbsDigest};
use crate::error::{Error, Parameter};
use crate::hex;

use canonical::canonical;

/// How a stored state begins, up to the name of its format.
const FIRST_MEMBER: &str = "{\"format\":\"";

/// Maximum length of a stored state, in octets. A typical state has a few
/// kilobytes and the certificate chain.
pub const MAX_STATE_LEN: usize = 4 * 1024 * 1024;

/// The data to be signed, its digest and the signature algorithm.
///
/// Most services take the [`digest`](Self::digest), and encode it as the
/// algorithm requires. Ed25519 in pure mode needs the [`data`](Self::data).
#[derive(Clone, PartialEq, Eq)]
pub struct ToBeSigned {
    data: Vec<u8>,
    algorithm: SignatureAlgorithm,
    digest: DtbsDigest,
}

impl ToBeSigned {
    /// For format crates: takes the data to be signed, and computes its digest.
    #[must_use]
    pub fn new(data: Vec<u8>, algorithm: SignatureAlgorithm) -> Self {
        let digest = DtbsDigest(Digest::of(algorithm.digest_algorithm(), &data));
        Self { data, algorithm, digest }
    }

    /// For applications that compute the digest themselves. The
    /// [`data`](Self::data) stays empty.
    ///
    /// # Errors
    /// [`Error::Parameter`] for Ed25519, which signs the data itself, and for a
    /// digest of another algorithm.
    pub fn from_digest(digest: DtbsDigest, algorithm: SignatureAlgorithm) -> Result<Self, Error> {
        if algorithm == SignatureAlgorithm::Ed25519 {
            return Err(Error::Parameter {
                parameter: Parameter::Digest,
                problem: "Ed25519 signs the data itself, not its digest",
            });
        }
        if digest.0.algorithm() != algorithm.digest_algorithm() {
            return Err(Error::Parameter {
                parameter: Parameter::Digest,
                problem: "its algorithm is not the signature algorithm's digest algorithm",
            });
        }
        Ok(Self { data: Vec::new(), algorithm, digest })
    }

    /// The digest of the data to be signed.
    #[must_use]
    pub const fn digest(&self) -> &DtbsDigest {
        &self.digest
    }

    /// The signature algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The data to be signed, for instance the DER of the signed attributes in
    /// CAdES. It is empty if only the digest is known.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }
}

// Signed attributes can contain roles and locations, which must not be logged.
impl fmt::Debug for ToBeSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToBeSigned")
            .field("algorithm", &self.algorithm)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// A pending state. Each format crate defines its own.
pub trait PendingState: Serialize + DeserializeOwned {
    /// The format's name in stored states.
    const FORMAT: &'static str;
    /// The version of the stored layout. Every change increments it. Older
    /// versions stay readable through [`from_older`](Self::from_older).
    const VERSION: u32;

    /// Converts a state that an older version stored. The implementation reads it
    /// as the type that had this layout, which stays in the source for this
    /// purpose. Returns `None` if the state cannot be read or the version never
    /// existed.
    ///
    /// Checksum and MAC cover the stored JSON and have been checked before.
    #[must_use]
    fn from_older(version: u32, stored: &StoredState<'_>) -> Option<Self> {
        let _ = (version, stored);
        None
    }

    /// Stores the state as JSON.
    ///
    /// # Errors
    /// [`Error::StateTooLarge`]
    fn to_json(&self, key: Option<&StateKey>) -> Result<String, Error> {
        let what = "it does not serialise";
        let state = serde_json::to_string(self).map_err(|_| Error::StateDamaged { what })?;
        let state = canonical(&state).ok_or(Error::StateDamaged { what })?;
        let version = Self::VERSION.to_string();
        let protected = protected(Self::FORMAT, &version, &state);
        let checksum = checksum(&protected);
        let mac = key.map_or(String::new(), |key| {
            format!(",\"mac\":\"{}\"", hex::encode(&key.mac(&protected)))
        });
        // One allocation: the state is long.
        let json = [
            FIRST_MEMBER,
            Self::FORMAT,
            "\",\"version\":",
            &version,
            ",\"state\":",
            &state,
            ",\"checksum\":\"",
            &checksum,
            "\"",
            &mac,
            "}",
        ]
        .concat();
        check_len(&json)?;
        Ok(json)
    }

    /// Reads a stored state of this version or an older one. White space and the
    /// order of members in its JSON do not matter.
    ///
    /// # Errors
    /// [`Error::StateDamaged`], [`Error::StateFromNewerVersion`],
    /// [`Error::StateOfAnotherFormat`], [`Error::StateNotAuthentic`],
    /// [`Error::StateKeyNeeded`], [`Error::StateTooLarge`]
    fn from_json(json: &str, key: Option<&StateKey>) -> Result<Self, Error> {
        let damaged = |what| Error::StateDamaged { what };
        check_len(json)?;
        let envelope = serde_json::from_str::<Envelope<'_>>(json).ok();
        let head = match &envelope {
            Some(envelope) => Head { format: envelope.format.clone(), version: envelope.version },
            // A newer version may have other members.
            None => serde_json::from_str(json)
                .map_err(|_| damaged("it is not a JSON object with format and version"))?,
        };
        if head.format != Self::FORMAT {
            return Err(Error::StateOfAnotherFormat {
                found: head.format.chars().take(40).collect(),
                expected: Self::FORMAT,
            });
        }
        if head.version > Self::VERSION {
            return Err(Error::StateFromNewerVersion { found: head.version, known: Self::VERSION });
        }
        let envelope = envelope.ok_or(damaged("a member is missing, unknown or malformed"))?;
        // A database may have changed white space and order, so checksum and MAC
        // cover the canonical form.
        let state = canonical(envelope.state.get()).ok_or(damaged(
            "a member occurs twice, a number is not an integer, or it is nested too deeply",
        ))?;
        let version = head.version.to_string();
        let protected = protected(Self::FORMAT, &version, &state);
        if checksum(&protected) != envelope.checksum {
            return Err(damaged("its checksum differs from its content"));
        }
        match (key, &envelope.mac) {
            (None, None) => {}
            (None, Some(_)) => return Err(Error::StateKeyNeeded),
            (Some(key), Some(mac))
                if hex::decode(mac).is_some_and(|mac| mac.ct_eq(&key.mac(&protected)).into()) => {}
            (Some(_), _) => return Err(Error::StateNotAuthentic),
        }
        let stored = StoredState(state);
        let state = if head.version == Self::VERSION {
            stored.read()
        } else {
            Self::from_older(head.version, &stored)
        };
        state.ok_or(damaged(
            "a member of the state is missing, unknown or malformed, or its version is unknown",
        ))
    }
}

/// The format that a stored state names: [`PendingState::FORMAT`] of the type that
/// reads it. `None` for anything else.
#[must_use]
pub fn format_of(json: &str) -> Option<String> {
    check_len(json).ok()?;
    // A state that nobody has reformatted need not be read twice. Reading it later finds what is
    // wrong with the rest.
    let first = json.strip_prefix(FIRST_MEMBER).and_then(|rest| rest.split_once('"'));
    match first {
        Some((format, _)) if !format.contains('\\') => Some(format.to_owned()),
        _ => serde_json::from_str::<Head>(json).ok().map(|head| head.format),
    }
}

/// The undamaged JSON of a stored state, in its canonical form.
pub struct StoredState<'j>(Cow<'j, str>);

impl StoredState<'_> {
    /// Reads it as a type with its layout. Returns `None` if the layout differs.
    #[must_use]
    pub fn read<S: DeserializeOwned>(&self) -> Option<S> {
        serde_json::from_str(&self.0).ok()
    }
}

impl fmt::Debug for StoredState<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredState({} octets)", self.0.len())
    }
}

/// The key for the MACs of stored states: 32 octets from a cryptographically
/// secure random source, stored separately from the states.
#[derive(Clone)]
pub struct StateKey(Zeroizing<[u8; 32]>);

impl StateKey {
    /// Wraps the octets of a key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    fn mac(&self, protected: &[&str]) -> Vec<u8> {
        // HMAC pads a short key with zeros to its block length (RFC 2104, 2).
        let mut block = Zeroizing::new([0; 64]);
        block.iter_mut().zip(self.0.iter()).for_each(|(to, from)| *to = *from);
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        protected.iter().for_each(|part| mac.update(part.as_bytes()));
        mac.finalize().into_bytes().to_vec()
    }
}

impl fmt::Debug for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateKey(..)")
    }
}

#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    format: String,
    version: u32,
    #[serde(borrow)]
    state: &'a RawValue,
    checksum: String,
    mac: Option<String>,
}

/// What checksum and MAC cover.
const fn protected<'p>(format: &'p str, version: &'p str, state: &'p str) -> [&'p str; 6] {
    ["ades pending state\n", format, "\n", version, "\n", state]
}

/// The hexadecimal digits of the checksum.
fn checksum(protected: &[&str]) -> String {
    let mut digester = Digester::new(DigestAlgorithm::Sha256);
    protected.iter().for_each(|part| digester.update(part.as_bytes()));
    digester.finish().to_hex()
}

fn check_len(json: &str) -> Result<(), Error> {
    if json.len() > MAX_STATE_LEN {
        return Err(Error::StateTooLarge { len: json.len(), max: MAX_STATE_LEN });
    }
    Ok(())
}
