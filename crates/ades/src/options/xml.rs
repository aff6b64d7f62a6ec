//! Options of XML signatures.

use serde::{Deserialize, Serialize};
use xades::c14n::{Canonicalization, IdAttributes};
use xades::{Position, ProductionPlace, SigningCertificate};

/// Options of XML signatures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct XmlOptions {
    /// The Ids of the elements to sign, with
    /// [`Packaging::InternallyDetached`](crate::Packaging::InternallyDetached)
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub elements: Vec<String>,
    /// The position of the signature element in the document
    pub position: Position,
    /// The canonicalisation of the signed data
    pub canonicalization: Canonicalization,
    /// Whether the signature covers the document without any signatures, so that others can sign
    /// later
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_parallel: bool,
    /// The claimed place of signing; it replaces the location of the parameters
    #[serde(skip_serializing_if = "Option::is_none")]
    pub production_place: Option<ProductionPlace>,
    /// The property that names the signing certificate
    #[serde(skip_serializing_if = "is_v2")]
    pub signing_certificate: SigningCertificate,
    /// Whether the signature covers its `ds:KeyInfo`, too
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sign_key_info: bool,
    /// Whether `ds:KeyInfo` contains the public key, in addition to the certificates
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub key_value: bool,
    /// Options of reading XML
    #[serde(skip_serializing_if = "ReadingOptions::is_default")]
    pub reading: ReadingOptions,
}

impl XmlOptions {
    /// A signature at the end of the root element, with exclusive canonicalisation.
    #[must_use]
    pub fn new() -> Self {
        Self {
            elements: Vec::new(),
            position: Position::default(),
            canonicalization: Canonicalization::EXCLUSIVE,
            allow_parallel: false,
            production_place: None,
            signing_certificate: SigningCertificate::V2,
            sign_key_info: false,
            key_value: false,
            reading: ReadingOptions::default(),
        }
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Adds an element to sign, by its Id.
    #[must_use]
    pub fn element(mut self, id: impl Into<String>) -> Self {
        self.elements.push(id.into());
        self
    }

    /// Sets the position of the signature element in the document.
    #[must_use]
    pub fn position(mut self, position: Position) -> Self {
        self.position = position;
        self
    }

    /// Sets the canonicalisation of the signed data.
    #[must_use]
    pub fn canonicalization(mut self, method: Canonicalization) -> Self {
        self.canonicalization = method;
        self
    }

    /// Makes the signature cover the document without any signatures, so that others can sign
    /// later.
    #[must_use]
    pub const fn allow_parallel(mut self) -> Self {
        self.allow_parallel = true;
        self
    }

    /// Sets the claimed place of signing, in place of the location of the parameters. It has a
    /// street address, state and postal code, which that location does not have.
    #[must_use]
    pub fn production_place(mut self, place: ProductionPlace) -> Self {
        self.production_place = Some(place);
        self
    }

    /// Sets the property that names the signing certificate.
    #[must_use]
    pub const fn signing_certificate(mut self, property: SigningCertificate) -> Self {
        self.signing_certificate = property;
        self
    }

    /// Makes the signature cover its `ds:KeyInfo`, too.
    #[must_use]
    pub const fn sign_key_info(mut self) -> Self {
        self.sign_key_info = true;
        self
    }

    /// Puts the public key into `ds:KeyInfo`, in addition to the certificates.
    #[must_use]
    pub const fn key_value(mut self) -> Self {
        self.key_value = true;
        self
    }

    /// Sets the options of reading XML.
    #[must_use]
    pub fn reading(mut self, reading: ReadingOptions) -> Self {
        self.reading = reading;
        self
    }
}

fn is_v2(property: &SigningCertificate) -> bool {
    *property == SigningCertificate::V2
}

impl Default for XmlOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Options of reading XML, for signing and for verifying.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ReadingOptions {
    /// Which attributes are Ids
    pub ids: IdAttributes,
    /// Whether to read documents that refer to an external DTD subset as if they did not
    pub ignore_external_subset: bool,
}

impl ReadingOptions {
    /// `Id`, `ID`, `id` and `xml:id` are Ids; documents with an external DTD subset are rejected.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Sets which attributes are Ids.
    #[must_use]
    pub fn ids(mut self, ids: IdAttributes) -> Self {
        self.ids = ids;
        self
    }

    /// Reads documents that refer to an external DTD subset as if they did not. Nothing is
    /// fetched. The declarations in the subset, for example default attributes, are not signed.
    #[must_use]
    pub const fn ignore_external_subset(mut self) -> Self {
        self.ignore_external_subset = true;
        self
    }
}
