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

/// The signatures of a document that an extension raises. The others do not count for what was
/// reached, and nothing is added for them. In a PDF, a document time-stamp covers them
/// nevertheless.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Selection {
    /// All of them, and no countersignature: only the signature around it can cover it.
    #[default]
    All,
    /// Only these, each named by the SHA-256 digest of its value:
    /// [`SignatureFacts::value_digest`](ades_core::facts::SignatureFacts::value_digest), or
    /// [`PendingSignature::value_digest`](crate::PendingSignature::value_digest) of a signature
    /// that was just completed.
    Only(Vec<Digest>),
    /// Only the one at this place in the report: `[1]` is the second signature, and `[1, 0]` its
    /// first countersignature.
    At(Vec<usize>),
}

impl Selection {
    pub(super) fn includes(&self, value_digest: Option<&Digest>) -> bool {
        match self {
            // The place is all that is looked at.
            Self::All | Self::At(_) => true,
            Self::Only(selected) => value_digest.is_some_and(|digest| selected.contains(digest)),
        }
    }

    pub(super) fn place(&self) -> Option<&[usize]> {
        match self {
            Self::At(place) => Some(place),
            Self::All | Self::Only(_) => None,
        }
    }
}

/// The wish of an [`Extension`](crate::Extension). It is stored with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct ExtendOptions {
    pub(super) level: TargetLevel,
    pub(super) digest: DigestAlgorithm,
    pub(super) time_stamp_policy: Option<Oid>,
    /// Where nonces come from.
    pub(super) nonce_seed: Option<Octets>,
    pub(super) token_len: Option<usize>,
    pub(super) selection: Selection,
}

/// The stored form. Earlier versions stored a place beside the selection.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    level: TargetLevel,
    digest: DigestAlgorithm,
    time_stamp_policy: Option<Oid>,
    nonce_seed: Option<Octets>,
    #[serde(default)]
    token_len: Option<usize>,
    #[serde(default)]
    only: Option<Vec<usize>>,
    #[serde(default)]
    selection: Selection,
}

impl From<Stored> for ExtendOptions {
    fn from(stored: Stored) -> Self {
        let Stored { level, digest, time_stamp_policy, nonce_seed, token_len, only, selection } =
            stored;
        let selection = only.map_or(selection, Selection::At);
        Self { level, digest, time_stamp_policy, nonce_seed, token_len, selection }
    }
}

impl ExtendOptions {
    /// Raises to a level, with SHA-256 in time-stamps.
    #[must_use]
    pub const fn new(level: TargetLevel) -> Self {
        let (digest, time_stamp_policy) = (DigestAlgorithm::Sha256, None);
        let (nonce_seed, token_len, selection) = (None, None, Selection::All);
        Self { level, digest, time_stamp_policy, nonce_seed, token_len, selection }
    }

    /// Chooses the signatures that are raised. The default is [`Selection::All`].
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_earlier_versions_are_read() {
        let stored =
            r#"{"level":"lt","digest":"sha256","time_stamp_policy":null,"nonce_seed":null"#;
        for (more, selection) in [
            ("", Selection::All),
            (r#","token_len":null,"selection":"all""#, Selection::All),
            (r#","only":[1,0],"selection":"all""#, Selection::At(vec![1, 0])),
        ] {
            let read: ExtendOptions = serde_json::from_str(&format!("{stored}{more}}}")).unwrap();
            assert_eq!(read, ExtendOptions::new(TargetLevel::Lt).selection(selection));
            let json = serde_json::to_string(&read).unwrap();
            assert_eq!(serde_json::from_str::<ExtendOptions>(&json).unwrap(), read);
        }
    }
}
