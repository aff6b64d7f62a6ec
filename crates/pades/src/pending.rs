//! The state of a signature between its preparation and its completion, and the
//! stored layout of that state.

use std::fmt;

use ades_core::{
    CertificateChain, Digest, DocumentDigest, PendingState, SigningTime, StoredState, ToBeSigned,
};
use serde::{Deserialize, Serialize};

use crate::report::Warning;

/// Maximum length in octets of the CMS that a Contents placeholder holds.
pub(crate) const MAX_CAPACITY: usize = 32 * 1024 * 1024;

/// A signature that has been prepared and waits for its value.
///
/// It is small and has no secrets. Completing needs it, the value and the
/// document. [`PendingState::to_json`] stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
// In the order of the canonical form, as all that is stored: it need not be sorted then.
pub struct PendingSignature {
    pub(crate) cms: cades::PendingSignature,
    pub(crate) document: PreparedDocument,
    /// As in `/M`: the CMS has no signing time, and the update may be encrypted.
    pub(crate) signing_time: SigningTime,
}

impl PendingSignature {
    /// The data to be signed: pass it to the signer.
    #[must_use]
    pub fn to_be_signed(&self) -> ToBeSigned {
        self.cms.to_be_signed()
    }

    /// The signer's certificate and its issuers.
    #[must_use]
    pub const fn chain(&self) -> &CertificateChain {
        self.cms.chain()
    }

    /// The digest of the octets that the signature covers: the document and its update,
    /// except the Contents placeholder.
    #[must_use]
    pub const fn message_digest(&self) -> &DocumentDigest {
        self.document.digest()
    }

    /// The digest of the caller's document, without the signature. The state of a
    /// PDF signature always has it.
    #[must_use]
    pub const fn document_digest(&self) -> Option<&DocumentDigest> {
        Some(self.document.document_digest())
    }

    /// Whether the document's cross-reference was broken and rebuilt: see
    /// [`SignatureOptions::repair`](crate::SignatureOptions::repair).
    #[must_use]
    pub const fn is_repaired(&self) -> bool {
        self.document.is_repaired()
    }

    /// Warnings to show to the user. They are not stored: a restored signature has
    /// none.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        self.document.warnings()
    }

    /// The signed document's length in octets.
    #[must_use]
    pub fn signed_len(&self) -> u64 {
        self.document.signed_len()
    }
}

impl PendingState for PendingSignature {
    const FORMAT: &'static str = "pades";
    const VERSION: u32 = 2;

    fn from_older(version: u32, stored: &StoredState) -> Option<Self> {
        let older: Signature1 = (version == 1).then(|| stored.read())??;
        let Signature1 { document, cms, signing_time } = older;
        Some(Self { document: document.into(), cms, signing_time })
    }
}

/// The first layout of [`PendingSignature`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature1 {
    document: Document1,
    cms: cades::PendingSignature,
    signing_time: SigningTime,
}

/// A document's update with a *Contents placeholder* for the CMS, and the digest
/// of everything except the placeholder: for callers who make the CMS themselves.
/// It holds neither the document nor a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PreparedDocument {
    /// The update after the CMS.
    #[serde(with = "ades_core::base64::octets")]
    pub(crate) after: Vec<u8>,
    /// Maximum length of the CMS in octets; the placeholder has two digits for each.
    pub(crate) capacity: usize,
    /// The state of the document's digest, from which the digest of document and update
    /// follows: it shows whether the update is the one that was signed. Empty in a state
    /// of version 1.
    #[serde(with = "ades_core::base64::octets")]
    pub(crate) digest_state: Vec<u8>,
    /// The digest of all of the document.
    pub(crate) document: DocumentDigest,
    /// The update before the CMS.
    #[serde(with = "ades_core::base64::octets")]
    pub(crate) head: Vec<u8>,
    /// The document's length.
    pub(crate) length: u64,
    pub(crate) repaired: bool,
    /// The digest of document and update without the placeholder.
    pub(crate) signed: DocumentDigest,
    /// The digest of the document's last octets.
    pub(crate) tail: Digest,
    #[serde(skip)]
    pub(crate) warnings: Vec<Warning>,
}

impl PreparedDocument {
    /// The digest of the octets that the signature covers: the document and its update,
    /// except the placeholder.
    #[must_use]
    pub const fn digest(&self) -> &DocumentDigest {
        &self.signed
    }

    /// Maximum length of the CMS in octets.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// The digest of the document without the update.
    #[must_use]
    pub const fn document_digest(&self) -> &DocumentDigest {
        &self.document
    }

    /// Whether the document's cross-reference was broken and rebuilt.
    #[must_use]
    pub const fn is_repaired(&self) -> bool {
        self.repaired
    }

    /// Warnings to show to the user. They are not stored: a restored document has none.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The document's length in octets.
    #[must_use]
    pub const fn document_len(&self) -> u64 {
        self.length
    }

    /// The signed document's length in octets.
    #[must_use]
    pub fn signed_len(&self) -> u64 {
        let update = [self.head.len(), self.capacity, self.capacity, self.after.len(), 2];
        update.iter().fold(self.length, |sum, len| sum.saturating_add(*len as u64))
    }
}

impl PendingState for PreparedDocument {
    const FORMAT: &'static str = "pades-cms";
    const VERSION: u32 = 2;

    fn from_older(version: u32, stored: &StoredState) -> Option<Self> {
        let older: Document1 = (version == 1).then(|| stored.read())??;
        Some(older.into())
    }
}

/// The first layout of [`PreparedDocument`].
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Document1 {
    length: u64,
    document: DocumentDigest,
    tail: Digest,
    #[serde(with = "ades_core::base64::octets")]
    head: Vec<u8>,
    capacity: usize,
    #[serde(rename = "behind", with = "ades_core::base64::octets")]
    after: Vec<u8>,
    signed: DocumentDigest,
    repaired: bool,
}

impl From<Document1> for PreparedDocument {
    fn from(older: Document1) -> Self {
        let Document1 { length, document, tail, head, capacity, after, signed, repaired } = older;
        let (digest_state, warnings) = (Vec::new(), Vec::new());
        Self {
            length,
            document,
            tail,
            digest_state,
            head,
            capacity,
            after,
            signed,
            repaired,
            warnings,
        }
    }
}

// The update holds names and places, which logs must not show.
impl fmt::Debug for PreparedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedDocument")
            .field("length", &self.length)
            .field("document", &self.document)
            .field("capacity", &self.capacity)
            .field("signed", &self.signed)
            .field("repaired", &self.repaired)
            .finish_non_exhaustive()
    }
}
