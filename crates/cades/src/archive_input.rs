//! What archive-time-stamp-v3 digests (EN 319 122-1, 5.5.2 and 5.5.3). Verification and the
//! making of such time-stamps share it.

use ades_core::asn1::der;
use ades_core::{Digest, DigestAlgorithm, Digester};

use crate::container::Container;
use crate::signer_info::SignerInfo;

/// The parts of the imprint's input, in their order. `content` is the digest of the signed
/// content by the algorithm of the imprint, and `index` is the whole ats-hash-index.
pub(crate) struct ArchiveInput<'a> {
    content_type: Vec<u8>,
    content: &'a [u8],
    before_unsigned: &'a [u8],
    index: &'a [u8],
}

impl<'a> ArchiveInput<'a> {
    pub(crate) fn new(
        container: &Container,
        signer: &SignerInfo<'a>,
        content: &'a Digest,
        index: &'a [u8],
    ) -> Self {
        Self {
            content_type: der::element(der::OID, &[&container.encap.content_type]),
            content: content.value(),
            before_unsigned: signer.before_unsigned,
            index,
        }
    }

    pub(crate) fn parts(&self) -> [&[u8]; 4] {
        [&self.content_type, self.content, self.before_unsigned, self.index]
    }
}

/// The digest of one value of an unsigned attribute in ats-hash-index-v3: over the attribute's
/// type and the value, each with its header.
pub(crate) fn value_digest(algorithm: DigestAlgorithm, kind_raw: &[u8], value: &[u8]) -> Digest {
    let mut digester = Digester::new(algorithm);
    digester.update(kind_raw);
    digester.update(value);
    digester.finish()
}
