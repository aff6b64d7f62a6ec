//! The state of a signature between its preparation and its completion.

use std::fmt;

use ades_core::{
    CertificateChain, DocumentDigest, PendingState, SignatureAlgorithm, StoredState, ToBeSigned,
};
use serde::{Deserialize, Serialize};

use crate::c14n::IdAttributes;
use crate::extend::insertion::Insertion;
use crate::options::ReadingOptions;
use crate::report::Warning;
use crate::signature_element::{END_TAGS, SigningContext, WrittenSignature};
use crate::source_document::SourceDocument;
use crate::xml::Encoding;

/// A signature that has been prepared and waits for its value.
///
/// It is small, and contains neither secrets nor the document. It contains the
/// signature element without its value, the place of that element, and the
/// document's digest. [`PendingState::to_json`] stores it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingSignature {
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) chain: CertificateChain,
    /// The data to be signed: the canonical form of `ds:SignedInfo`.
    #[serde(with = "ades_core::base64::octets")]
    pub(crate) signed_info: Vec<u8>,
    /// The signature element, and the elements around it, up to the signature value.
    pub(crate) head: String,
    /// The rest, from the value on.
    pub(crate) tail: String,
    #[serde(rename = "target")]
    pub(crate) destination: Destination,
    pub(crate) reading: ReadingOptions,
    #[serde(skip)]
    pub(crate) warnings: Vec<Warning>,
}

/// The layout of version 1, which does not contain the reading options.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Version1 {
    algorithm: SignatureAlgorithm,
    chain: CertificateChain,
    #[serde(with = "ades_core::base64::octets")]
    signed_info: Vec<u8>,
    head: String,
    tail: String,
    #[serde(rename = "target")]
    destination: Destination,
}

/// The destination of the signature element.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Destination {
    /// Into the document.
    Inserted { document: SourceDocument, insertion: Insertion },
    /// Around the document's root element, octet by octet.
    Xml { document: SourceDocument, from: u64, to: u64, encoding: Encoding },
    /// Around the document, as base64.
    Base64 { document: SourceDocument },
    /// Into a document of its own.
    Detached { documents: Vec<SourceDocument> },
}

impl PendingSignature {
    pub(crate) fn new(
        signing: &SigningContext<'_>,
        written: WrittenSignature,
        destination: Destination,
    ) -> Self {
        let WrittenSignature { signed_info, head, tail } = written;
        Self {
            algorithm: signing.algorithm,
            chain: signing.chain.clone(),
            signed_info,
            head,
            tail,
            destination,
            reading: signing.options.reading.clone(),
            warnings: Vec::new(),
        }
    }

    /// The data to be signed: pass it to the signer.
    #[must_use]
    pub fn to_be_signed(&self) -> ToBeSigned {
        ToBeSigned::new(self.signed_info.clone(), self.algorithm)
    }

    /// The signer's certificate and its issuers.
    #[must_use]
    pub const fn chain(&self) -> &CertificateChain {
        &self.chain
    }

    /// The digest of the document's octets. `None` if a detached signature signs
    /// several documents.
    #[must_use]
    pub const fn document_digest(&self) -> Option<&DocumentDigest> {
        match &self.destination {
            Destination::Inserted { document, .. }
            | Destination::Xml { document, .. }
            | Destination::Base64 { document } => Some(&document.digest),
            Destination::Detached { documents } => match documents.as_slice() {
                [document] => Some(&document.digest),
                _ => None,
            },
        }
    }

    /// Warnings to show to the user. They are not stored: a restored signature has
    /// none.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The Id attributes that the document was read with. Pass the same to
    /// [`verify`](crate::verify()), with [`VerifyOptions::ids`](crate::VerifyOptions::ids).
    #[must_use]
    pub const fn ids(&self) -> &IdAttributes {
        &self.reading.ids
    }

    /// Whether the document was read without its external DTD subset. The verifier must
    /// read it the same way.
    #[must_use]
    pub const fn ignores_external_subset(&self) -> bool {
        self.reading.ignore_external_subset
    }

    /// The signature element with this text as its value, and without the content
    /// of an enveloping signature.
    pub(crate) fn fragment(&self, value: &str) -> String {
        let end_tags = match self.destination {
            Destination::Xml { .. } | Destination::Base64 { .. } => END_TAGS,
            Destination::Inserted { .. } | Destination::Detached { .. } => "",
        };
        [self.head.as_str(), value, self.tail.as_str(), end_tags].concat()
    }
}

impl PendingState for PendingSignature {
    const FORMAT: &'static str = "xades";
    const VERSION: u32 = 2;

    fn from_older(version: u32, stored: &StoredState) -> Option<Self> {
        let older: Version1 = (version == 1).then(|| stored.read())??;
        let Version1 { algorithm, chain, signed_info, head, tail, destination } = older;
        let reading = ReadingOptions::default();
        let warnings = Vec::new();
        Some(Self { algorithm, chain, signed_info, head, tail, destination, reading, warnings })
    }
}

// The signature element contains roles and places, which must not reach logs.
impl fmt::Debug for PendingSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSignature")
            .field("algorithm", &self.algorithm)
            .field("document_digest", &self.document_digest())
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}
