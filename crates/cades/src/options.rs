//! Options for making CAdES signatures, and for verifying them.

use std::fmt;

use ades_core::{Digest, DigestAlgorithm, Document};
use ades_evidence::VerifiedValues;
use serde::{Deserialize, Serialize};

/// Options of a new CAdES container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignatureOptions {
    pub(crate) packaging: Packaging,
}

impl SignatureOptions {
    /// A detached signature.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the signed content is.
    #[must_use]
    pub const fn packaging(mut self, packaging: Packaging) -> Self {
        self.packaging = packaging;
        self
    }
}

/// Where the signed content is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Packaging {
    /// In a file of its own: the container has no `eContent`.
    #[default]
    Detached,
    /// In the container, before the signature.
    Enveloping,
}

/// Inputs of a verification: the document of a detached container.
#[derive(Default)]
pub struct VerifyOptions<'a> {
    pub(crate) original: Option<&'a mut dyn Original>,
    pub(crate) verified: VerifiedValues,
}

impl<'a> VerifyOptions<'a> {
    /// No document.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers with others which signature values verify.
    #[must_use]
    pub fn sharing(mut self, verified: &VerifiedValues) -> Self {
        self.verified = verified.clone();
        self
    }

    /// The document of a detached container. The content of an enveloping
    /// container must equal it.
    #[must_use]
    pub fn original(mut self, original: &'a mut Document<'_>) -> Self {
        self.original = Some(original);
        self
    }
}

impl fmt::Debug for VerifyOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyOptions").field("original", &self.original.is_some()).finish()
    }
}

/// A [`Document`] without its lifetime: `&mut Document<'d>` is invariant in
/// `'d`, and [`VerifyOptions`] would need a second lifetime for it.
pub(crate) trait Original {
    fn read_through(
        &mut self,
        take: &mut dyn FnMut(&[u8]) -> Result<(), ades_core::Error>,
    ) -> Result<u64, ades_core::Error>;

    /// The digests by these algorithms, if they need not be computed from the octets.
    fn digests(
        &mut self,
        algorithms: &[DigestAlgorithm],
    ) -> Result<Option<Vec<Digest>>, ades_core::Error> {
        let _ = algorithms;
        Ok(None)
    }
}

impl Original for Document<'_> {
    fn read_through(
        &mut self,
        take: &mut dyn FnMut(&[u8]) -> Result<(), ades_core::Error>,
    ) -> Result<u64, ades_core::Error> {
        Document::read_through(self, take)
    }
}
