//! Signature values that were verified, so that none is verified twice.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ades_core::facts::{ObjectId, ObjectIdDigester};
use ades_core::{Certificate, Digest, DigestAlgorithm, Error, SignatureAlgorithm, verify};

/// Maximum number of results that are remembered. Later ones are computed each time.
const MAX_REMEMBERED: usize = 8192;

/// The signature values of certificates, revocation data and time-stamps that were verified,
/// with their results.
///
/// A result depends on the key, the algorithm, the data and the value alone. It is therefore
/// right for every container, trust anchor and time, and paths, revocation data and tokens can
/// share it. Clones share what they remember.
#[derive(Clone, Default)]
pub struct VerifiedValues(Arc<Mutex<HashMap<Question, Option<bool>>>>);

/// What was asked.
#[derive(PartialEq, Eq, Hash)]
struct Question {
    /// The digest of the key, of what is signed and of the value.
    octets: ObjectId,
    kind: Kind,
}

/// What the octets are, so that no two questions are taken for one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// A certificate with its own algorithm and value.
    Certificate,
    /// Data, of any length.
    Data(SignatureAlgorithm),
    /// The digest of data.
    Digest(SignatureAlgorithm, DigestAlgorithm),
}

impl VerifiedValues {
    /// Nothing was verified yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `issuer`'s key made the signature on `subject`. `None`: this version cannot
    /// verify it.
    #[must_use]
    pub fn issued_by(&self, subject: &Certificate, issuer: &Certificate) -> Option<bool> {
        let parts = [issuer.public_key_info(), subject.der()];
        self.answer(Kind::Certificate, parts, || verify::verify_issued_by(subject, issuer))
    }

    /// Whether the signer's key made `value` over `data`. `None`: the key is not supported.
    #[must_use]
    pub fn verify(
        &self,
        signer: &Certificate,
        algorithm: SignatureAlgorithm,
        data: &[u8],
        value: &[u8],
    ) -> Option<bool> {
        let parts = [signer.public_key_info(), data, value];
        self.answer(Kind::Data(algorithm), parts, || {
            decided(&verify::verify(signer, algorithm, data, value))
        })
    }

    /// As [`verify`](Self::verify), over data of which only the digest is known.
    #[must_use]
    pub fn verify_digest(
        &self,
        signer: &Certificate,
        algorithm: SignatureAlgorithm,
        digest: &Digest,
        value: &[u8],
    ) -> Option<bool> {
        let parts = [signer.public_key_info(), digest.value(), value];
        self.answer(Kind::Digest(algorithm, digest.algorithm()), parts, || {
            decided(&verify::verify_digest(signer, algorithm, digest, value))
        })
    }

    fn answer<const N: usize>(
        &self,
        kind: Kind,
        parts: [&[u8]; N],
        compute: impl FnOnce() -> Option<bool>,
    ) -> Option<bool> {
        let mut digester = ObjectIdDigester::new();
        for part in parts {
            // The lengths keep the parts apart.
            digester.update(&(part.len() as u64).to_be_bytes());
            digester.update(part);
        }
        let question = Question { octets: digester.finish(), kind };
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&question) {
            return *known;
        }
        // Not while the lock is held: others can verify meanwhile.
        let result = compute();
        let mut remembered = lock();
        if remembered.len() < MAX_REMEMBERED {
            remembered.insert(question, result);
        }
        result
    }

    /// Number of results that are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nothing was verified yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// `None` if the key is not supported.
fn decided(result: &Result<(), Error>) -> Option<bool> {
    match result {
        Ok(()) => Some(true),
        Err(Error::CertificateNotFit(_)) => None,
        Err(_) => Some(false),
    }
}

impl fmt::Debug for VerifiedValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedValues({})", self.len())
    }
}
