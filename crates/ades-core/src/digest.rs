//! Digests, computed over streams. The digest of a document and the digest of
//! the data to be signed have different types.

mod thread;

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

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
}

impl Digester {
    /// A digester without data.
    #[must_use]
    pub fn new(algorithm: DigestAlgorithm) -> Self {
        Self(match algorithm {
            DigestAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            DigestAlgorithm::Sha384 => State::Sha384(Sha384::new()),
            DigestAlgorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Digests the next piece.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            State::Sha256(h) => h.update(data),
            State::Sha384(h) => h.update(data),
            State::Sha512(h) => h.update(data),
        }
    }

    /// The digest of all pieces.
    #[must_use]
    pub fn finish(self) -> Digest {
        let (algorithm, value) = match self.0 {
            State::Sha256(h) => (DigestAlgorithm::Sha256, h.finalize().to_vec()),
            State::Sha384(h) => (DigestAlgorithm::Sha384, h.finalize().to_vec()),
            State::Sha512(h) => (DigestAlgorithm::Sha512, h.finalize().to_vec()),
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
