//! Facts about a signature in terms that all formats share. A format states them and
//! does not judge them.

mod evidence;
mod positions;
mod time_stamp;

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::certificate::Certificate;
use crate::digest::Digest;

pub use evidence::{
    EmbeddedCertificate, Evidence, EvidencePlace, MAX_CERTIFICATES, MAX_EVIDENCE_LEN,
    MAX_REVOCATION_VALUES, MAX_TIME_STAMPS, Mark, ObjectId, ObjectIdDigester, Objects,
    RevocationForm, RevocationValue,
};
pub use positions::Positions;
pub use time_stamp::{Covers, ImprintUndecided, TimeStampFacts, TimeStampKind};

/// What a judge needs to know about a signature, beside its integrity and its
/// format's own findings. `Debug` shows no names.
#[derive(Clone)]
#[non_exhaustive]
pub struct SignatureFacts {
    /// The signer's certificate, if the signature contains and identifies it.
    pub certificate: Option<Certificate>,
    /// The evidence in the whole container or document, which all its signatures share.
    pub evidence: Arc<Evidence>,
    /// The SHA-256 digest of the signature value as it is stored: it tells which signature is
    /// which, although the order of the signatures in a container can change. `None` if there is
    /// no readable value.
    pub value_digest: Option<Digest>,
    /// The signature algorithm, if it is supported.
    pub signature_algorithm: Option<SignatureAlgorithm>,
    /// The digest algorithms over the signed data, as far as they are supported.
    pub digest_algorithms: Vec<DigestAlgorithm>,
    /// The time-stamps on the signature, in order: their positions in
    /// [`Evidence::time_stamps`].
    pub time_stamps: Vec<usize>,
}

impl SignatureFacts {
    /// Facts of a signature of which nothing can be read.
    #[must_use]
    pub fn new() -> Self {
        Self {
            certificate: None,
            evidence: Arc::default(),
            value_digest: None,
            signature_algorithm: None,
            digest_algorithms: Vec::new(),
            time_stamps: Vec::new(),
        }
    }

    /// The time-stamps on the signature, in order.
    pub fn time_stamps(&self) -> impl Iterator<Item = &TimeStampFacts> {
        let all = self.evidence.time_stamps();
        self.time_stamps.iter().filter_map(|at| all.get(*at))
    }
}

impl Default for SignatureFacts {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SignatureFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureFacts")
            .field("certificate", &self.certificate)
            .field("evidence", &self.evidence)
            .field("signature_algorithm", &self.signature_algorithm)
            .field("digest_algorithms", &self.digest_algorithms)
            .field("time_stamps", &self.time_stamps)
            .finish()
    }
}

/// The stable code of a fact: its name in serialised reports. Empty if it does not
/// serialise as text.
#[must_use]
pub fn code(fact: &impl Serialize) -> String {
    match serde_json::to_value(fact) {
        Ok(serde_json::Value::String(code)) => code,
        _ => String::new(),
    }
}
