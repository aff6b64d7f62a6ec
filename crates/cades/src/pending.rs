//! The state between *prepare* and *complete*.

use std::fmt;

use ades_core::{
    CertificateChain, Digest, DocumentDigest, PendingState, SignatureAlgorithm, ToBeSigned,
};
use serde::{Deserialize, Serialize};

/// Where the content of a signature is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Packaging {
    /// Beside the container: `eContent` is absent.
    Detached,
    /// In the container, in front of the signature.
    Enveloping,
}

/// A signature that has been prepared and waits for its value.
///
/// Small, free of secrets, and all that completing needs beside the value (and
/// beside the document or container, where its octets go into the result).
/// Stored with [`PendingState::to_json`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingSignature {
    pub(crate) target: Target,
    pub(crate) algorithm: SignatureAlgorithm,
    /// DER of `SET OF Attribute` with its universal tag: what is signed.
    #[serde(with = "ades_core::base64::octets")]
    pub(crate) signed_attributes: Vec<u8>,
    pub(crate) chain: CertificateChain,
}

/// What is signed, and where the signature goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub(crate) enum Target {
    /// A new container beside the document.
    Detached { document: DocumentDigest },
    /// A new container around the document.
    Enveloping { document: DocumentDigest, length: u64 },
    /// A new container around the document, which is written but for its end.
    Copied { document: DocumentDigest, length: u64, tail: Digest },
    /// One more signer in an existing container.
    Parallel { document: DocumentDigest, container: Digest },
    /// A signature on the signature of signer `signer` of an existing container.
    Countersignature { signature: Digest, signer: usize, container: Digest },
}

impl PendingSignature {
    /// What the signer signs.
    #[must_use]
    pub fn to_be_signed(&self) -> ToBeSigned {
        ToBeSigned::new(self.signed_attributes.clone(), self.algorithm)
    }

    /// The signer's certificate and its issuers.
    #[must_use]
    pub const fn chain(&self) -> &CertificateChain {
        &self.chain
    }

    /// The digest of the document; of the signature value that is
    /// countersigned, if it is a countersignature.
    #[must_use]
    pub const fn message_digest(&self) -> &Digest {
        match &self.target {
            Target::Detached { document }
            | Target::Enveloping { document, .. }
            | Target::Copied { document, .. }
            | Target::Parallel { document, .. } => &document.0,
            Target::Countersignature { signature, .. } => signature,
        }
    }
}

impl PendingState for PendingSignature {
    const FORMAT: &'static str = "cades";
    const VERSION: u32 = 1;
}

// Roles and places are in the signed attributes: not for logs.
impl fmt::Debug for PendingSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSignature")
            .field("target", &self.target)
            .field("algorithm", &self.algorithm)
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}
