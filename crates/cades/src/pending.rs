//! The state between *prepare* and *complete*.

use std::fmt;

use ades_core::asn1::ber::{self, Reader};
use ades_core::asn1::der;
use ades_core::{
    CertificateChain, Digest, DocumentDigest, PendingState, SignatureAlgorithm, ToBeSigned,
};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::oids;
use crate::report::Warning;
use crate::signer_info::{Attribute, attributes};

/// A prepared signature that waits for its value.
///
/// The state is small, holds no secret, and is stored with
/// [`PendingState::to_json`]. Completing needs the state and the value, and the
/// document or container if its octets go into the result.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
// In the order of the canonical form, as all that is stored: it need not be sorted then.
pub struct PendingSignature {
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) chain: CertificateChain,
    /// The data to be signed: DER of `SET OF Attribute` with its universal tag.
    #[serde(with = "ades_core::base64::octets")]
    pub(crate) signed_attributes: Vec<u8>,
    pub(crate) target: Target,
    #[serde(skip)]
    pub(crate) warnings: Vec<Warning>,
}

/// The digests of the signed data, and the place of the new signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub(crate) enum Target {
    /// A new container without the document.
    Detached { document: DocumentDigest },
    /// A new container around the document.
    Enveloping { document: DocumentDigest, length: u64 },
    /// A new container around the document, written up to the end of the document.
    Copied { document: DocumentDigest, length: u64, tail: Digest },
    /// One more signer in an existing container.
    Parallel { container: DocumentDigest, document: DocumentDigest },
    /// A signature on the signature of signer number `signer` in an existing
    /// container, or on one of its countersignatures.
    Countersignature {
        container: DocumentDigest,
        /// The number of a countersignature on it, then that of one on that, and so on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        deeper: Vec<usize>,
        signature: Digest,
        signer: usize,
    },
}

impl PendingSignature {
    /// The data to be signed: pass it to the signer.
    #[must_use]
    pub fn to_be_signed(&self) -> ToBeSigned {
        ToBeSigned::new(self.signed_attributes.clone(), self.algorithm)
    }

    /// The signer's certificate and its issuers.
    #[must_use]
    pub const fn chain(&self) -> &CertificateChain {
        &self.chain
    }

    /// The digest of the input of [`complete`](Self::complete): the document, or
    /// the container to which the signature is added. Always `Some` in CAdES.
    #[must_use]
    pub const fn document_digest(&self) -> Option<&DocumentDigest> {
        match &self.target {
            Target::Detached { document }
            | Target::Enveloping { document, .. }
            | Target::Copied { document, .. } => Some(document),
            Target::Parallel { container, .. } | Target::Countersignature { container, .. } => {
                Some(container)
            }
        }
    }

    /// Warnings to show to the user. They are not stored: a restored signature has
    /// none.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The digest in the message-digest attribute: that of the document or, for
    /// a countersignature, that of the signature value it signs.
    #[doc(hidden)]
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

    /// Replaces the value of the message-digest attribute with the target's
    /// digest.
    ///
    /// A new container's attributes are encoded before its document's digest is
    /// known. No length in them depends on the digest, and neither does their
    /// DER order, because the attributes' types differ before their values do.
    pub(crate) fn refresh_message_digest(&mut self) -> Result<(), Error> {
        let digest = self.message_digest().value().to_vec();
        let start = self.parsed_attributes().and_then(|attributes| {
            let value = attributes.iter().find(|a| a.kind == oids::MESSAGE_DIGEST)?.only_value()?;
            let header = value.raw.len() - value.content.len();
            usize::try_from(value.offset).ok()?.checked_add(header)
        });
        let place = start.and_then(|start| {
            self.signed_attributes.get_mut(start..start.checked_add(digest.len())?)
        });
        let what = "its signed attributes have no message-digest";
        place.ok_or(ades_core::Error::StateDamaged { what })?.copy_from_slice(&digest);
        Ok(())
    }

    /// The signed attributes; `None` if they are not a DER SET of attributes.
    pub(crate) fn parsed_attributes(&self) -> Option<Vec<Attribute<'_>>> {
        let mut reader = Reader::new(&self.signed_attributes, 0);
        let set = reader.next_if(der::SET).ok()??;
        let is_der = reader.is_empty() && ber::first_not_der(set.raw, 0).is_none();
        if is_der { attributes(set).ok() } else { None }
    }
}

impl PendingState for PendingSignature {
    const FORMAT: &'static str = "cades";
    const VERSION: u32 = 1;
}

// The signed attributes hold roles and places, which do not belong in logs.
impl fmt::Debug for PendingSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSignature")
            .field("target", &self.target)
            .field("algorithm", &self.algorithm)
            .field("chain", &self.chain)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}
