//! How a signature goes with what it signs.

use std::fmt;
use std::io::Read;

use ades_core::SignerLocation;
use serde::{Deserialize, Serialize};

use crate::c14n::{Canonicalization, IdAttributes, Target};
use crate::error::Error;
use crate::xml::Reader;

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
    /// signed. Refused for documents that have a DTD or signatures of their own.
    EnvelopingXml,
    /// The document is anything, and is put into the signature as base64.
    EnvelopingBase64,
    /// As XML if that can be, and otherwise as base64: what is no XML, or not
    /// well-formed, and documents that have a DTD or signatures of their own.
    Enveloping,
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

/// Where the signer claims to be, with all that XAdES has for it (EN 319 132-1,
/// 5.2.5): personal data, of which `Debug` shows nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProductionPlace {
    /// City
    pub city: Option<String>,
    /// Street address
    pub street_address: Option<String>,
    /// State or province
    pub state_or_province: Option<String>,
    /// Postal code
    pub postal_code: Option<String>,
    /// Country
    pub country: Option<String>,
}

impl ProductionPlace {
    /// Names and texts of the elements, in their order.
    pub(crate) fn elements(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("xades:City", &self.city),
            ("xades:StreetAddress", &self.street_address),
            ("xades:StateOrProvince", &self.state_or_province),
            ("xades:PostalCode", &self.postal_code),
            ("xades:CountryName", &self.country),
        ];
        all.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?)))
    }
}

impl fmt::Debug for ProductionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProductionPlace(..)")
    }
}

impl From<&SignerLocation> for ProductionPlace {
    /// The lines of the postal address become one street address.
    fn from(location: &SignerLocation) -> Self {
        let lines = location.postal_address.as_slice();
        Self {
            city: location.locality.clone(),
            street_address: (!lines.is_empty()).then(|| lines.join(", ")),
            country: location.country.clone(),
            ..Self::default()
        }
    }
}

/// Options of one XAdES signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureOptions {
    pub(crate) packaging: Packaging,
    pub(crate) position: Position,
    pub(crate) canonicalization: Canonicalization,
    pub(crate) parallel: bool,
    pub(crate) reading: Reading,
    pub(crate) id_seed: Vec<u8>,
    pub(crate) production_place: Option<ProductionPlace>,
}

/// How documents are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reading {
    pub(crate) ids: IdAttributes,
    pub(crate) ignore_external_subset: bool,
}

impl Reading {
    pub(crate) fn reader<'a>(&self, octets: impl Read + 'a) -> Result<Reader<'a>, Error> {
        let reader = Reader::from_read(octets)?;
        Ok(if self.ignore_external_subset { reader.ignoring_external_subset() } else { reader })
    }
}

impl SignatureOptions {
    /// Enveloped, at the end of the root element, exclusive canonicalisation.
    #[must_use]
    pub fn new() -> Self {
        Self {
            packaging: Packaging::Enveloped,
            position: Position::LastInRoot,
            canonicalization: Canonicalization::EXCLUSIVE,
            parallel: false,
            reading: Reading::default(),
            id_seed: Vec::new(),
            production_place: None,
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
    /// itself. In a document that is signed already it is always so: that an
    /// earlier signature was there is then not signed, and nobody sees if it is
    /// taken away.
    #[must_use]
    pub const fn parallel(mut self) -> Self {
        self.parallel = true;
        self
    }

    /// Which attributes are Ids, if not `Id`, `ID`, `id` and `xml:id`: whoever
    /// verifies has to know it, too. Signatures have their own in `Id`, so that
    /// it is usually `IdAttributes::default().and(…)`.
    #[must_use]
    pub fn ids(mut self, ids: IdAttributes) -> Self {
        self.reading.ids = ids;
        self
    }

    /// Reads documents that name an external DTD subset as if they did not: SVG
    /// images do. What it might declare, default attributes above all, is not
    /// signed, and a verifier that reads it may see another document. Unless
    /// told so, such documents are refused.
    #[must_use]
    pub const fn ignoring_external_subset(mut self) -> Self {
        self.reading.ignore_external_subset = true;
        self
    }

    /// Where the signer claims to be, in place of what
    /// [`SignatureParameters::location`](ades_core::SignatureParameters::location)
    /// says, which has neither state nor postal code.
    #[must_use]
    pub fn production_place(mut self, place: ProductionPlace) -> Self {
        self.production_place = Some(place);
        self
    }

    /// Something that the Ids in the signature are made of, beside the document,
    /// the certificate, the signing time and the packaging. Only random octets
    /// make them unpredictable.
    #[must_use]
    pub fn id_seed(mut self, seed: impl Into<Vec<u8>>) -> Self {
        self.id_seed = seed.into();
        self
    }
}

impl Default for SignatureOptions {
    fn default() -> Self {
        Self::new()
    }
}
