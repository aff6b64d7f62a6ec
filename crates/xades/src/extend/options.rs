//! Options of raising a signature.

use ades_evidence::VerifiedValues;

use crate::options::{ReadingOptions, document_setters};
use crate::verify::original::Original;

use super::known::KnownDocument;

/// Options of raising the level of a signature. The documents of a detached signature must be
/// seekable. Archive time-stamps are over them; other steps are possible without them, but then a
/// broken signature may not be noticed.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ExtendOptions<'a> {
    pub(crate) originals: Vec<Original<'a>>,
    pub(crate) reading: ReadingOptions,
    pub(crate) verified: VerifiedValues,
    pub(crate) known: KnownDocument,
}

impl<'a> ExtendOptions<'a> {
    /// No other documents, the usual Ids.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    document_setters!('a);

    /// Remembers with others which signature values verify.
    #[must_use]
    pub fn sharing(mut self, verified: &VerifiedValues) -> Self {
        self.verified = verified.clone();
        self
    }

    /// Uses what verifying the same document [has shown](crate::VerifyOptions::known). Another
    /// document of the same length is an error as soon as something is written.
    #[must_use]
    pub fn known(mut self, document: &KnownDocument) -> Self {
        self.known = document.clone();
        self
    }
}
