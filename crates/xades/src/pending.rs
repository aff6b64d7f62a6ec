//! The state between *prepare* and *complete*.

use std::fmt;

use ades_core::{
    CertificateChain, DocumentDigest, PendingState, SignatureAlgorithm, StoredState, ToBeSigned,
};
use serde::{Deserialize, Serialize};

use crate::c14n::IdAttributes;
use crate::draft::{CLOSING, Signer, Written};
use crate::insertion::Insertion;
use crate::options::Reading;
use crate::xml::Encoding;

/// A signature that has been prepared and waits for its value.
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
    /// The signature element, with what is around it, before its value ...
    pub(crate) head: String,
    /// ... and behind it.
    pub(crate) tail: String,
    pub(crate) target: Target,
    pub(crate) reading: Reading,
}

/// The layout of version 1, which says nothing of how the document was read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    algorithm: SignatureAlgorithm,
    chain: CertificateChain,
    #[serde(with = "ades_core::base64::octets")]
    signed_info: Vec<u8>,
    head: String,
    tail: String,
    target: Target,
}

/// What the signature is put into, or around.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Target {
    /// Into the document.
    Inserted { document: Original, insertion: Insertion },
    /// Around the document's root element, as it stands.
    Xml { document: Original, from: u64, to: u64, encoding: Encoding },
    /// Around the document, as base64.
    Base64 { document: Original },
    /// On its own, about documents elsewhere.
    Detached { documents: Vec<Original> },
}

/// A document as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Original {
    /// Of its octets.
    pub(crate) digest: DocumentDigest,
    pub(crate) length: u64,
}

impl PendingSignature {
    pub(crate) fn new(signer: &Signer<'_>, written: Written, target: Target) -> Self {
        let Written { signed_info, head, tail } = written;
        Self {
            algorithm: signer.algorithm,
            chain: signer.chain.clone(),
            signed_info,
            head,
            tail,
            target,
            reading: signer.options.reading.clone(),
        }
    }

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

    /// The digest of the document, octet by octet; none if a detached signature
    /// is about several.
    #[must_use]
    pub const fn document_digest(&self) -> Option<&DocumentDigest> {
        match &self.target {
            Target::Inserted { document, .. }
            | Target::Xml { document, .. }
            | Target::Base64 { document } => Some(&document.digest),
            Target::Detached { documents } => match documents.as_slice() {
                [document] => Some(&document.digest),
                _ => None,
            },
        }
    }

    /// Which attributes are Ids in the document, as was said when it was prepared:
    /// who [verifies](crate::verify()) what is made of it has to say so again.
    #[must_use]
    pub const fn ids(&self) -> &IdAttributes {
        &self.reading.ids
    }

    /// Whether the document is read without the DTD that it names, likewise.
    #[must_use]
    pub const fn ignores_external_subset(&self) -> bool {
        self.reading.ignore_external_subset
    }

    /// The signature element with this text as its value, without the content
    /// that it may be around.
    pub(crate) fn fragment(&self, value: &str) -> String {
        let closing = match self.target {
            Target::Xml { .. } | Target::Base64 { .. } => CLOSING,
            Target::Inserted { .. } | Target::Detached { .. } => "",
        };
        [self.head.as_str(), value, self.tail.as_str(), closing].concat()
    }
}

impl PendingState for PendingSignature {
    const FORMAT: &'static str = "xades";
    const VERSION: u32 = 2;

    fn from_older(version: u32, stored: &StoredState) -> Option<Self> {
        let first: First = (version == 1).then(|| stored.read())??;
        let First { algorithm, chain, signed_info, head, tail, target } = first;
        let reading = Reading::default();
        Some(Self { algorithm, chain, signed_info, head, tail, target, reading })
    }
}

// Roles and places are in the signature element: not for logs.
impl fmt::Debug for PendingSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSignature")
            .field("algorithm", &self.algorithm)
            .field("document_digest", &self.document_digest())
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}
