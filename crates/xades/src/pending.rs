//! The state between *prepare* and *complete*.

use std::fmt;

use ades_core::{CertificateChain, DocumentDigest, PendingState, SignatureAlgorithm, ToBeSigned};
use serde::{Deserialize, Serialize};

use crate::insertion::Insertion;

/// An enveloped signature that has been prepared and waits for its value.
///
/// Small, free of secrets and of the document: it holds the signature element
/// but its value, where that element goes, and the document's digest.
/// Stored with [`PendingState::to_json`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingSignature {
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) chain: CertificateChain,
    /// The canonical form of `ds:SignedInfo`: what is signed.
    #[serde(with = "ades_core::base64::octets")]
    pub(crate) signed_info: Vec<u8>,
    /// The signature element before its value ...
    pub(crate) head: String,
    /// ... and behind it.
    pub(crate) tail: String,
    pub(crate) insertion: Insertion,
    /// Of the original octets.
    pub(crate) document: DocumentDigest,
    pub(crate) length: u64,
}

impl PendingSignature {
    /// What the signer signs.
    #[must_use]
    pub fn to_be_signed(&self) -> ToBeSigned {
        ToBeSigned::new(self.signed_info.clone(), self.algorithm)
    }

    /// The signer's certificate and its issuers.
    #[must_use]
    pub const fn chain(&self) -> &CertificateChain {
        &self.chain
    }

    /// The signature element with this text as its value.
    pub(crate) fn fragment(&self, value: &str) -> String {
        [self.head.as_str(), value, self.tail.as_str()].concat()
    }
}

impl PendingState for PendingSignature {
    const FORMAT: &'static str = "xades";
    const VERSION: u32 = 1;
}

// Roles and places are in the signature element: not for logs.
impl fmt::Debug for PendingSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSignature")
            .field("algorithm", &self.algorithm)
            .field("document", &self.document)
            .field("insertion", &self.insertion.offset)
            .finish_non_exhaustive()
    }
}
