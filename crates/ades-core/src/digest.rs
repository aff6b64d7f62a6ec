//! Digests, computed over streams. The digest of a document and the digest of
//! the data to be signed have different types.

mod thread;

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};
use sha3::{Sha3_256, Sha3_384, Sha3_512};

use crate::algorithm::DigestAlgorithm;
use crate::error::Error;
use crate::hex;

pub use thread::DigestThread;

/// A digest value with its algorithm. Its length is that of the algorithm's
/// output.
/// Serialises as `{"algorithm":"sha256","value":"<lower-case hex>"}`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Digest {
    algorithm: DigestAlgorithm,
    value: Vec<u8>,
}

impl Digest {
    /// A digest value that was computed elsewhere.
    ///
    /// # Errors
    /// [`Error::DigestLength`] if `value` does not have the length of the
    /// algorithm's output.
    pub fn new(algorithm: DigestAlgorithm, value: impl Into<Vec<u8>>) -> Result<Self, Error> {
        let value = value.into();
        if value.len() == algorithm.output_len() {
            Ok(Self { algorithm, value })
        } else {
            Err(Error::DigestLength {
                algorithm,
                expected: algorithm.output_len(),
                found: value.len(),
            })
        }
    }

    /// A digest of SHA-256 that was computed elsewhere.
    pub(crate) fn sha256(value: [u8; 32]) -> Self {
        Self { algorithm: DigestAlgorithm::Sha256, value: value.to_vec() }
    }

    /// The digest of `data`.
    #[must_use]
    pub fn of(algorithm: DigestAlgorithm, data: &[u8]) -> Self {
        let mut digester = Digester::new(algorithm);
        digester.update(data);
        digester.finish()
    }

    /// The algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    /// The value's octets.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The value in lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(&self.value)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.to_hex())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    algorithm: DigestAlgorithm,
    value: String,
}

impl From<Digest> for Stored {
    fn from(digest: Digest) -> Self {
        Self { algorithm: digest.algorithm, value: digest.to_hex() }
    }
}

impl TryFrom<Stored> for Digest {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self, Error> {
        Self::new(stored.algorithm, hex::decode(&stored.value).ok_or(Error::MalformedHex)?)
    }
}

/// The digest of a document, which goes *into* the signed attributes. It must
/// not be sent to a signing service; see [`DtbsDigest`]. The field is public:
/// the type only distinguishes the two digests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DocumentDigest(pub Digest);

/// The digest of the data to be signed: of the DER of the signed attributes in
/// CAdES, of the canonical `SignedInfo` in XAdES. It is sent to a signing
/// service. It is not the digest of the document. The field is public: the type
/// only distinguishes the two digests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DtbsDigest(pub Digest);

/// Computes a [`Digest`] over data that arrives in pieces. The result does not
/// depend on how the data is split.
#[derive(Clone)]
pub struct Digester(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
    Sha1(Sha1),
    Sha224(Sha224),
    Sha3_256(Sha3_256),
    Sha3_384(Sha3_384),
    Sha3_512(Sha3_512),
}

impl Digester {
    /// A digester without data.
    #[must_use]
    pub fn new(algorithm: DigestAlgorithm) -> Self {
        Self(match algorithm {
            DigestAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            DigestAlgorithm::Sha384 => State::Sha384(Sha384::new()),
            DigestAlgorithm::Sha512 => State::Sha512(Sha512::new()),
            DigestAlgorithm::Sha1 => State::Sha1(Sha1::new()),
            DigestAlgorithm::Sha224 => State::Sha224(Sha224::new()),
            DigestAlgorithm::Sha3_256 => State::Sha3_256(Sha3_256::new()),
            DigestAlgorithm::Sha3_384 => State::Sha3_384(Sha3_384::new()),
            DigestAlgorithm::Sha3_512 => State::Sha3_512(Sha3_512::new()),
        })
    }

    /// A digester that continues from a [`state`](Self::state); `None` if the octets are
    /// not a state of this algorithm.
    #[must_use]
    pub fn resume(algorithm: DigestAlgorithm, state: &[u8]) -> Option<Self> {
        fn read<H: SerializableState>(state: &[u8]) -> Option<H> {
            H::deserialize(&SerializedState::<H>::try_from(state).ok()?).ok()
        }
        // The number of blocks follows the chaining value, the last octet first. sha2
        // multiplies it by their length in bits, which overflows for a number that no
        // document has: fewer than 2^55.
        let blocks = match algorithm {
            DigestAlgorithm::Sha256 => state.get(32..40)?,
            DigestAlgorithm::Sha384 | DigestAlgorithm::Sha512 => state.get(64..80)?,
            // Nobody signs with the others, so no state is stored.
            _ => return None,
        };
        let (low, high) = blocks.split_at_checked(7)?;
        if high.iter().any(|octet| *octet != 0) || low.last().is_none_or(|octet| *octet >= 0x80) {
            return None;
        }
        Some(Self(match algorithm {
            DigestAlgorithm::Sha256 => State::Sha256(read(state)?),
            DigestAlgorithm::Sha384 => State::Sha384(read(state)?),
            DigestAlgorithm::Sha512 => State::Sha512(read(state)?),
            _ => return None,
        }))
    }

    /// The state after all pieces, from which [`resume`](Self::resume) continues. It has
    /// the last octets of the data: up to 63 for SHA-256, up to 127 for the others. Empty
    /// for an algorithm that is only verified.
    #[must_use]
    pub fn state(&self) -> Vec<u8> {
        match &self.0 {
            State::Sha256(h) => h.serialize().to_vec(),
            State::Sha384(h) => h.serialize().to_vec(),
            State::Sha512(h) => h.serialize().to_vec(),
            _ => Vec::new(),
        }
    }

    /// Its algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> DigestAlgorithm {
        match &self.0 {
            State::Sha256(_) => DigestAlgorithm::Sha256,
            State::Sha384(_) => DigestAlgorithm::Sha384,
            State::Sha512(_) => DigestAlgorithm::Sha512,
            State::Sha1(_) => DigestAlgorithm::Sha1,
            State::Sha224(_) => DigestAlgorithm::Sha224,
            State::Sha3_256(_) => DigestAlgorithm::Sha3_256,
            State::Sha3_384(_) => DigestAlgorithm::Sha3_384,
            State::Sha3_512(_) => DigestAlgorithm::Sha3_512,
        }
    }

    /// Digests the next piece.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            State::Sha256(h) => h.update(data),
            State::Sha384(h) => h.update(data),
            State::Sha512(h) => h.update(data),
            State::Sha1(h) => h.update(data),
            State::Sha224(h) => h.update(data),
            State::Sha3_256(h) => h.update(data),
            State::Sha3_384(h) => h.update(data),
            State::Sha3_512(h) => h.update(data),
        }
    }

    /// The digest of all pieces.
    #[must_use]
    pub fn finish(self) -> Digest {
        let (algorithm, value) = match self.0 {
            State::Sha256(h) => (DigestAlgorithm::Sha256, h.finalize().to_vec()),
            State::Sha384(h) => (DigestAlgorithm::Sha384, h.finalize().to_vec()),
            State::Sha512(h) => (DigestAlgorithm::Sha512, h.finalize().to_vec()),
            State::Sha1(h) => (DigestAlgorithm::Sha1, h.finalize().to_vec()),
            State::Sha224(h) => (DigestAlgorithm::Sha224, h.finalize().to_vec()),
            State::Sha3_256(h) => (DigestAlgorithm::Sha3_256, h.finalize().to_vec()),
            State::Sha3_384(h) => (DigestAlgorithm::Sha3_384, h.finalize().to_vec()),
            State::Sha3_512(h) => (DigestAlgorithm::Sha3_512, h.finalize().to_vec()),
        };
        Digest { algorithm, value }
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digester(..)")
    }
}

impl io::Write for Digester {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.update(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_state_is_rejected_or_finishes() {
        for algorithm in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512]
        {
            let mut digester = Digester::new(algorithm);
            digester.update(&[7; 200]);
            let state = digester.state();
            let resumed = Digester::resume(algorithm, &state).unwrap();
            assert_eq!(resumed.finish(), digester.finish());
            for at in 0..state.len() {
                for octet in [0x7F, 0x80, 0xFF] {
                    let mut changed = state.clone();
                    *changed.get_mut(at).unwrap() = octet;
                    if let Some(mut resumed) = Digester::resume(algorithm, &changed) {
                        resumed.update(&[7; 200]);
                        let _ = resumed.finish();
                    }
                }
            }
            assert!(Digester::resume(algorithm, state.get(1..).unwrap()).is_none());
        }
    }
}
