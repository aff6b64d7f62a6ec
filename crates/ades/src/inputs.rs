//! The documents of a signature.

use std::fmt;

use ades_core::Document;

/// The documents of one signature. `&mut Document` converts into it, which is enough for most
/// signatures. `Debug` shows neither names nor secrets.
pub struct Inputs<'a, 'd> {
    pub(crate) document: &'a mut Document<'d>,
    pub(crate) original: Option<&'a mut Document<'d>>,
    pub(crate) name: Option<&'a str>,
    pub(crate) password: Option<&'a str>,
    pub(crate) envelope_content: Option<&'a [u8]>,
    pub(crate) more: &'a mut [NamedDocument<'d>],
}

impl<'a, 'd> Inputs<'a, 'd> {
    /// The document to be signed. For [`Operation::AddParallel`] and [`Operation::Countersign`]:
    /// the container or document that has signatures already.
    ///
    /// [`Operation::AddParallel`]: crate::Operation::AddParallel
    /// [`Operation::Countersign`]: crate::Operation::Countersign
    #[must_use]
    pub const fn new(document: &'a mut Document<'d>) -> Self {
        Self {
            document,
            original: None,
            name: None,
            password: None,
            envelope_content: None,
            more: &mut [],
        }
    }

    /// The document of a detached CAdES container that gets another signature.
    #[must_use]
    pub const fn original(mut self, original: &'a mut Document<'d>) -> Self {
        self.original = Some(original);
        self
    }

    /// The document's file name. A detached XAdES signature refers to it.
    #[must_use]
    pub const fn name(mut self, name: &'a str) -> Self {
        self.name = Some(name);
        self
    }

    /// The password of an encrypted PDF, the user's or the owner's.
    #[must_use]
    pub const fn password(mut self, password: &'a str) -> Self {
        self.password = Some(password);
        self
    }

    /// The content of one of the envelopes of a PDF that is encrypted for recipients; see
    /// [`pades::envelopes`](crate::formats::pades::envelopes).
    #[must_use]
    pub const fn envelope_content(mut self, content: &'a [u8]) -> Self {
        self.envelope_content = Some(content);
        self
    }

    /// More documents that the same signature signs: a detached XAdES signature only. Their names
    /// and the [name](Self::name) of the first document must differ.
    #[must_use]
    pub const fn together(mut self, more: &'a mut [NamedDocument<'d>]) -> Self {
        self.more = more;
        self
    }

    /// The document to be signed, or the container.
    #[must_use]
    pub const fn document_mut(&mut self) -> &mut Document<'d> {
        self.document
    }

    /// The same inputs for another call.
    #[must_use]
    pub const fn reborrow(&mut self) -> Inputs<'_, 'd> {
        Inputs {
            document: self.document,
            original: match &mut self.original {
                Some(original) => Some(original),
                None => None,
            },
            name: self.name,
            password: self.password,
            envelope_content: self.envelope_content,
            more: self.more,
        }
    }
}

/// A document and its file name. `Debug` does not show the name.
pub struct NamedDocument<'d> {
    pub(crate) name: String,
    pub(crate) document: Document<'d>,
}

impl<'d> NamedDocument<'d> {
    /// The document of a detached XAdES signature, which refers to it by this name.
    #[must_use]
    pub fn new(name: impl Into<String>, document: Document<'d>) -> Self {
        Self { name: name.into(), document }
    }
}

impl fmt::Debug for NamedDocument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedDocument").field("document", &self.document).finish_non_exhaustive()
    }
}

impl<'a, 'd> From<&'a mut Document<'d>> for Inputs<'a, 'd> {
    fn from(document: &'a mut Document<'d>) -> Self {
        Self::new(document)
    }
}

impl fmt::Debug for Inputs<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inputs")
            .field("document", &self.document)
            .field("original", &self.original)
            .finish_non_exhaustive()
    }
}
