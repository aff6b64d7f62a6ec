//! Options of raising a signature.

use ades_core::Document;
use ades_evidence::VerifiedValues;

use crate::c14n::IdAttributes;
use crate::options::ReadingOptions;
use crate::verify::original::Original;

/// Options of raising the level of a signature.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ExtendOptions<'a> {
    pub(crate) originals: Vec<Original<'a>>,
    pub(crate) reading: ReadingOptions,
    pub(crate) verified: VerifiedValues,
}

impl<'a> ExtendOptions<'a> {
    /// No other documents, the usual Ids.
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

    /// Adds the signed document of a detached signature, as
    /// [`VerifyOptions::original`](crate::VerifyOptions::original) does. It must be seekable. Archive time-stamps are over
    /// it; others are possible without it, but then a broken signature may not be noticed.
    #[must_use]
    pub fn original(mut self, document: Document<'a>) -> Self {
        self.originals.push(Original { uri: None, document });
        self
    }

    /// Adds the document that references with this URI mean, as
    /// [`VerifyOptions::original_named`](crate::VerifyOptions::original_named) does.
    #[must_use]
    pub fn original_named(mut self, uri: impl Into<String>, document: Document<'a>) -> Self {
        self.originals.push(Original { uri: Some(uri.into()), document });
        self
    }

    /// Sets which attributes are Ids, instead of `Id`, `ID`, `id` and `xml:id`.
    #[must_use]
    pub fn ids(mut self, ids: IdAttributes) -> Self {
        self.reading.ids = ids;
        self
    }

    /// Reads documents that name an external DTD subset as if they named none; see
    /// [`Reader::ignoring_external_subset`](crate::xml::Reader::ignoring_external_subset).
    #[must_use]
    pub const fn ignoring_external_subset(mut self) -> Self {
        self.reading.ignore_external_subset = true;
        self
    }
}
