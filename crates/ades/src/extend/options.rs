//! The wish of an extension.

use ades_core::{Digest, DigestAlgorithm, Level, Oid};
use ades_evidence::needs::Octets;
use serde::{Deserialize, Serialize};

/// The level to which signatures are raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TargetLevel {
    /// B-T: with a signature time-stamp.
    T,
    /// B-LT: with certificates and revocation data as well.
    Lt,
    /// B-LTA: with an archive time-stamp as well. A signature that has this level already gets
    /// another archive time-stamp: it is renewed.
    Lta,
}

impl TargetLevel {
    /// The level.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::T => Level::T,
            Self::Lt => Level::Lt,
            Self::Lta => Level::Lta,
        }
    }
}

/// The signatures of a document that an extension raises.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Selection {
    /// All of them.
    #[default]
    All,
    /// Only these, each named by the SHA-256 digest of its value:
    /// [`SignatureFacts::value_digest`](ades_core::facts::SignatureFacts::value_digest), or
    /// [`PendingSignature::value_digest`](crate::PendingSignature::value_digest) of a signature
    /// that was just completed.
    Only(Vec<Digest>),
}

impl Selection {
    pub(super) fn includes(&self, value_digest: Option<&Digest>) -> bool {
        match self {
            Self::All => true,
            Self::Only(selected) => value_digest.is_some_and(|digest| selected.contains(digest)),
        }
    }
}

/// The wish of an [`Extension`](crate::Extension). It is stored with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtendOptions {
    pub(super) level: TargetLevel,
    pub(super) digest: DigestAlgorithm,
    pub(super) time_stamp_policy: Option<Oid>,
    /// Where nonces come from.
    pub(super) nonce_seed: Option<Octets>,
    #[serde(default)]
    pub(super) token_len: Option<usize>,
    /// The place of the only signature that is raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) only: Option<Vec<usize>>,
    #[serde(default)]
    pub(super) selection: Selection,
}

impl ExtendOptions {
    /// Raises to a level, with SHA-256 in time-stamps.
    #[must_use]
    pub const fn new(level: TargetLevel) -> Self {
        let (digest, time_stamp_policy) = (DigestAlgorithm::Sha256, None);
        let (nonce_seed, token_len, only, selection) = (None, None, None, Selection::All);
        Self { level, digest, time_stamp_policy, nonce_seed, token_len, only, selection }
    }

    /// Raises only some signatures of the document. The others do not count for what was reached,
    /// and nothing is added for them. In a PDF, a document time-stamp covers them nevertheless.
    #[must_use]
    pub fn selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Sets the digest algorithm of the time-stamps' imprints, and of what they list. Renewal
    /// with a stronger one protects signatures whose own algorithm becomes weak.
    #[must_use]
    pub const fn digest(mut self, digest: DigestAlgorithm) -> Self {
        self.digest = digest;
        self
    }

    /// PAdES only: states how long the tokens of the time-stamping service are, in octets, as
    /// measured. The first document time-stamp gets as much room. Later ones get the room of
    /// the longest token so far.
    #[must_use]
    pub const fn token_len(mut self, octets: usize) -> Self {
        self.token_len = Some(octets);
        self
    }

    /// Raises only the signature at this place in the report: `[1]` is the second signature, and
    /// `[1, 0]` its first countersignature. Without this, all signatures are raised, and no
    /// countersignature is: only the signature around it can cover it.
    #[must_use]
    pub fn only(mut self, place: Vec<usize>) -> Self {
        self.only = Some(place);
        self
    }

    /// Asks for time-stamps under this policy of the service.
    #[must_use]
    pub const fn time_stamp_policy(mut self, policy: Oid) -> Self {
        self.time_stamp_policy = Some(policy);
        self
    }

    /// Puts a nonce into each request for a time-stamp, derived from this seed: 32 octets from
    /// a secure random source. A nonce shows that the answer is not an older one.
    #[must_use]
    pub fn nonce_seed(mut self, seed: [u8; 32]) -> Self {
        self.nonce_seed = Some(Octets(seed.to_vec()));
        self
    }
}
