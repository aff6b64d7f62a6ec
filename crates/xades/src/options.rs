//! How a signature goes with what it signs.

use crate::c14n::{Canonicalization, Target};

/// What is signed, and where it is to the signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Packaging {
    /// The whole document, with the signature in it.
    #[default]
    Enveloped,
    /// Elements of the document, by their Ids; the signature is in the same
    /// document, but in none of them.
    InternallyDetached(Vec<String>),
    /// The document is an XML document, and its root element is put into the
    /// signature, octet by octet. What is outside of the root element is not
    /// signed.
    EnvelopingXml,
    /// The document is anything, and is put into the signature as base64.
    EnvelopingBase64,
}

/// Where in a document a signature goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Position {
    /// As the last child of the root element.
    #[default]
    LastInRoot,
    /// As the last child of the first such element.
    LastIn(Target),
    /// Right behind the first such element, which is not the root.
    Behind(Target),
}

/// Options of one XAdES signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureOptions {
    pub(crate) packaging: Packaging,
    pub(crate) position: Position,
    pub(crate) canonicalization: Canonicalization,
    pub(crate) parallel: bool,
}

impl SignatureOptions {
    /// Enveloped, at the end of the root element, exclusive canonicalisation.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            packaging: Packaging::Enveloped,
            position: Position::LastInRoot,
            canonicalization: Canonicalization::EXCLUSIVE,
            parallel: false,
        }
    }

    /// What is signed.
    #[must_use]
    pub fn packaging(mut self, packaging: Packaging) -> Self {
        self.packaging = packaging;
        self
    }

    /// Where the signature goes; means nothing for enveloping ones.
    #[must_use]
    pub fn position(mut self, position: Position) -> Self {
        self.position = position;
        self
    }

    /// The canonical form of what is signed. Of `ds:SignedInfo` and of the
    /// properties it is always the exclusive one: that does not depend on what
    /// is around the signature.
    #[must_use]
    pub fn canonicalization(mut self, method: Canonicalization) -> Self {
        self.canonicalization = method;
        self
    }

    /// Leaves all signatures out of what an enveloped one covers
    /// (`not(ancestor-or-self::ds:Signature)`), so that others can be added to
    /// the document later. Without it the transform is enveloped-signature,
    /// which every verifier knows and which covers all but the signature
    /// itself. In a document that is signed already it is always so.
    #[must_use]
    pub const fn parallel(mut self) -> Self {
        self.parallel = true;
        self
    }
}

impl Default for SignatureOptions {
    fn default() -> Self {
        Self::new()
    }
}
