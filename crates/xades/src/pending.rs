//! The state of a signature between its preparation and its completion.

use std::fmt;
use std::sync::Arc;

use ades_core::{
    CertificateChain, Digest, DocumentDigest, PendingState, SignatureAlgorithm, StoredState,
    ToBeSigned,
};
use serde::{Deserialize, Serialize};

use crate::c14n::IdAttributes;
use crate::checkpoint::Checkpoint;
use crate::extend::insertion::Insertion;
use crate::namespaces::XPATH;
use crate::options::ReadingOptions;
use crate::prepare::enveloping::prologue;
use crate::report::Warning;
use crate::signature_element::ids::Ids;
use crate::signature_element::text::{Content, END_TAGS};
use crate::signature_element::{SigningContext, WrittenSignature};
use crate::source_document::SourceDocument;
use crate::verify::evaluate::foreseen::ForeseenSignature;
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
    /// The part of the signature's Id that the other fields do not determine. `None`: a state of
    /// an older version, in which the Id does not depend on the destination.
    #[serde(with = "optional_octets")]
    pub(crate) salt: Option<Vec<u8>>,
    #[serde(skip)]
    pub(crate) warnings: Vec<Warning>,
    #[serde(skip)]
    pub(crate) checkpoint: Unstored,
}

/// What this process knows of the document that it prepared. It is not a part of the state.
#[derive(Clone, Default)]
pub(crate) struct Unstored(pub(crate) Option<Arc<Checkpoint>>);

impl PartialEq for Unstored {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Unstored {}

/// The layout of version 2, which does not contain the salt.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Version2 {
    algorithm: SignatureAlgorithm,
    chain: CertificateChain,
    #[serde(with = "ades_core::base64::octets")]
    signed_info: Vec<u8>,
    head: String,
    tail: String,
    #[serde(rename = "target")]
    destination: Destination,
    reading: ReadingOptions,
}

/// The layout of version 1, which does not contain the reading options either.
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
    Inserted {
        document: SourceDocument,
        insertion: Insertion,
        /// The digest of the document's last octets, if *prepare* copied the document.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        copied: Option<Digest>,
    },
    /// Around the document's root element, octet by octet.
    Xml { document: SourceDocument, from: u64, to: u64, encoding: Encoding },
    /// Around the document, as base64.
    Base64 { document: SourceDocument },
    /// Into a document of its own.
    Detached { documents: Vec<SourceDocument> },
}

impl Destination {
    /// The form of the content of an enveloping signature.
    pub(crate) const fn content(&self) -> Option<Content> {
        match self {
            Self::Xml { .. } => Some(Content::Xml),
            Self::Base64 { .. } => Some(Content::Base64),
            Self::Inserted { .. } | Self::Detached { .. } => None,
        }
    }

    /// Passes each field to `take`, as octets.
    pub(crate) fn each_part(&self, take: &mut dyn FnMut(&[u8])) {
        match self {
            // A copy gets the same signature.
            Self::Inserted { document, insertion, copied: _ } => {
                take(b"inserted");
                document.each_part(take);
                insertion.each_part(take);
            }
            Self::Xml { document, from, to, encoding } => {
                take(b"xml");
                document.each_part(take);
                take(&from.to_be_bytes());
                take(&to.to_be_bytes());
                take(encoding.label().as_bytes());
            }
            Self::Base64 { document } => {
                take(b"base64");
                document.each_part(take);
            }
            Self::Detached { documents } => {
                take(b"detached");
                documents.iter().for_each(|document| document.each_part(take));
            }
        }
    }
}

impl PendingSignature {
    pub(crate) fn new(
        signing: &SigningContext<'_>,
        ids: &Ids,
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
            salt: Some(ids.salt.clone()),
            warnings: Vec::new(),
            checkpoint: Unstored::default(),
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

    /// The signature in the completed container. `None` if it is not known where it is, or if
    /// the container probably has other signatures.
    pub(crate) fn foreseen(&self) -> Option<ForeseenSignature> {
        let offset = match &self.destination {
            Destination::Inserted { insertion, .. } => insertion.offset_of_fragment()?,
            Destination::Xml { encoding: Encoding::Utf8, .. } => {
                prologue(Encoding::Utf8).len() as u64
            }
            Destination::Base64 { .. } => 0,
            Destination::Xml { .. } | Destination::Detached { .. } => return None,
        };
        // A signature beside others leaves out all of them.
        let beside_others = self.head.contains(XPATH);
        let checkpoint = self.checkpoint.0.clone().filter(|checkpoint| checkpoint.at() <= offset);
        (!beside_others).then(|| ForeseenSignature {
            fragment: self.fragment(""),
            offset,
            checkpoint,
        })
    }

    /// The signature element with this text as its value, and without the content
    /// of an enveloping signature.
    pub(crate) fn fragment(&self, value: &str) -> String {
        let end_tags = self.destination.content().map_or("", |_| END_TAGS);
        [self.head.as_str(), value, self.tail.as_str(), end_tags].concat()
    }
}

impl PendingState for PendingSignature {
    const FORMAT: &'static str = "xades";
    const VERSION: u32 = 4;

    fn from_older(version: u32, stored: &StoredState) -> Option<Self> {
        let Version2 { algorithm, chain, signed_info, head, tail, destination, reading } =
            match version {
                1 => stored.read::<Version1>()?.into(),
                2 => stored.read()?,
                // The layout of version 3 is that of a document that was not copied.
                3 => return stored.read(),
                _ => return None,
            };
        Some(Self {
            algorithm,
            chain,
            signed_info,
            head,
            tail,
            destination,
            reading,
            salt: None,
            warnings: Vec::new(),
            checkpoint: Unstored::default(),
        })
    }
}

impl From<Version1> for Version2 {
    fn from(older: Version1) -> Self {
        let Version1 { algorithm, chain, signed_info, head, tail, destination } = older;
        let reading = ReadingOptions::default();
        Self { algorithm, chain, signed_info, head, tail, destination, reading }
    }
}

/// Octets as base64, or `null`.
mod optional_octets {
    use ades_core::base64;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(
        octets: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match octets {
            Some(octets) => serializer.serialize_some(&base64::encode(octets)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        base64::decode(&text).map(Some).ok_or_else(|| D::Error::custom("not base64"))
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
