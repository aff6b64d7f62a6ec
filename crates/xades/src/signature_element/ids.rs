//! The Ids of a signature.

use ades_core::{CertificateChain, Digest, DigestAlgorithm, Digester};
use chrono::{DateTime, Utc};

use crate::options::ReadingOptions;
use crate::pending::Destination;

use super::SigningContext;

/// The Ids in one signature.
#[derive(Debug)]
pub(crate) struct Ids {
    pub(crate) signature: String,
    /// The digest of the packaging and of the caller's seed. A pending state stores it.
    pub(crate) salt: Vec<u8>,
}

impl Ids {
    /// Makes Ids that the document does not contain: they depend on the document's
    /// digest, so a document cannot contain its own Ids. They also depend on the
    /// certificates, the signing time, the packaging, the place and the seed.
    pub(crate) fn new(signing: &SigningContext<'_>, how: &str, destination: &Destination) -> Self {
        let mut salt = Parts::new();
        salt.add(how.as_bytes());
        salt.add(&signing.options.id_seed);
        let salt = salt.finish().value().to_vec();
        let SigningContext { chain, parameters, options, .. } = signing;
        let time = parameters.signing_time().time();
        Self { signature: signature_id(chain, time, &salt, &options.reading, destination), salt }
    }

    /// The Id of a part of the signature.
    pub(crate) fn of(&self, part: &str) -> String {
        format!("{}-{part}", self.signature)
    }
}

/// The Id of a signature. The signed references contain it, so it binds the stored place of
/// the signature to the signed data: *complete* computes it again, and finds a state in which
/// the place was changed.
pub(crate) fn signature_id(
    chain: &CertificateChain,
    time: DateTime<Utc>,
    salt: &[u8],
    reading: &ReadingOptions,
    destination: &Destination,
) -> String {
    let mut parts = Parts::new();
    chain.certificates().iter().for_each(|certificate| parts.add(certificate.der()));
    parts.add(time.to_rfc3339().as_bytes());
    parts.add(salt);
    reading.each_part(&mut |part| parts.add(part));
    destination.each_part(&mut |part| parts.add(part));
    let hex = parts.finish().to_hex();
    format!("ades-{}", hex.get(..32).unwrap_or(&hex))
}

/// A digest of octet strings. Their lengths are digested, too, so that no other strings have
/// the same digest.
struct Parts(Digester);

impl Parts {
    fn new() -> Self {
        Self(Digester::new(DigestAlgorithm::Sha256))
    }

    fn add(&mut self, octets: &[u8]) {
        self.0.update(&(octets.len() as u64).to_be_bytes());
        self.0.update(octets);
    }

    fn finish(self) -> Digest {
        self.0.finish()
    }
}
