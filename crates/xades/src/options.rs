//! The options of signing and of verifying XML documents.

use std::fmt;
use std::io::Read;

use ades_core::SignerLocation;
use ades_core::error::Parameter;
use ades_core::parameters::{NO_TEXT, is_text};
use ades_evidence::VerifiedValues;
use serde::{Deserialize, Serialize};

use crate::c14n::{Canonicalization, IdAttributes, Target};
use crate::error::Error;
use crate::extend::known::KnownDocument;
use crate::pending::PendingSignature;
use crate::signature_element::key_info::KeyInfo;
use crate::verify::evaluate::foreseen::ForeseenSignature;
use crate::verify::original::Original;
use crate::xml::Reader;

/// The signed data, and its place in relation to the signature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Packaging {
    /// The whole document is signed, and the signature is inside it.
    #[default]
    Enveloped,
    /// Elements of the document are signed, named by their Ids. The signature is
    /// in the same document. An element that contains the signature is signed without
    /// it, as SAML requires (XML Signature, clause 6.6.4).
    InternallyDetached(Vec<String>),
    /// The root element of an XML document is put into the signature, octet by
    /// octet. Everything outside the root element is not signed. Documents with a
    /// DTD or with signatures are rejected with [`Error::CannotInsert`].
    EnvelopingXml,
    /// Any document is put into the signature as base64.
    EnvelopingBase64,
    /// As [`EnvelopingXml`](Self::EnvelopingXml) if that is possible, otherwise as
    /// [`EnvelopingBase64`](Self::EnvelopingBase64). XML that is kept as base64 has
    /// a [`Warning`](crate::Warning).
    Enveloping,
}

/// The place of the signature in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Position {
    /// As the last child of the root element.
    #[default]
    LastInRoot,
    /// As the last child of the first element that matches.
    LastIn(Target),
    /// As the first child of the first element that matches.
    FirstIn(Target),
    /// Directly before the first element that matches, which must not be the root.
    Before(Target),
    /// Directly after the first element that matches, which must not be the root.
    After(Target),
}

impl Position {
    /// The element that the position names. `None`: the root element.
    pub(crate) const fn target(&self) -> Option<&Target> {
        match self {
            Self::LastInRoot => None,
            Self::LastIn(target)
            | Self::FirstIn(target)
            | Self::Before(target)
            | Self::After(target) => Some(target),
        }
    }

    /// Whether the signature becomes a sibling of the element, not a child.
    pub(crate) const fn is_beside(&self) -> bool {
        matches!(self, Self::Before(_) | Self::After(_))
    }
}

/// The signed property that names the signing certificate (EN 319 132-1, 5.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SigningCertificate {
    /// `SigningCertificateV2`, as baseline signatures must have it.
    #[default]
    V2,
    /// `SigningCertificate` of earlier versions, with the issuer's name and the serial number.
    /// The signature is not a baseline signature. Some national formats require it, such as
    /// Facturae.
    V1,
    /// Both. The signature is not a baseline signature.
    Both,
}

/// The way in which a detached signature refers to its documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DetachedReferences {
    /// By one `ds:Reference` each in `ds:SignedInfo`: all documents are needed to
    /// verify the signature.
    #[default]
    SignedInfo,
    /// By a signed `ds:Manifest` (XML Signature, clause 5.1): the verifier decides which
    /// of the documents matter.
    Manifest,
}

/// The claimed place of signing, with all the fields of XAdES (EN 319 132-1, 5.2.5).
/// This is personal data, and `Debug` does not show it.
// Not non_exhaustive: the schema has these fields and no others.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProductionPlace {
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Street address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_or_province: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl ProductionPlace {
    /// Names and texts of the elements, in the order of the schema.
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

    /// Checks that at least one field is set, and that all fields are valid text.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let parameter = Parameter::ProductionPlace;
        let fail = |problem| Err(Error::Core(ades_core::Error::Parameter { parameter, problem }));
        if self.elements().next().is_none() {
            return fail("nothing in it");
        }
        if !self.elements().all(|(_, text)| is_text(text)) {
            return fail(NO_TEXT);
        }
        Ok(())
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
    pub(crate) detached_references: DetachedReferences,
    pub(crate) reading: ReadingOptions,
    pub(crate) id_seed: Vec<u8>,
    pub(crate) production_place: Option<ProductionPlace>,
    pub(crate) signing_certificate: SigningCertificate,
    pub(crate) sign_key_info: bool,
    pub(crate) key_value: bool,
}

/// Options of reading documents, shared by signing and verifying.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadingOptions {
    pub(crate) ids: IdAttributes,
    pub(crate) ignore_external_subset: bool,
}

impl ReadingOptions {
    pub(crate) fn reader<'a>(&self, octets: impl Read + 'a) -> Result<Reader<'a>, Error> {
        let reader = Reader::from_read(octets)?;
        Ok(if self.ignore_external_subset { reader.ignoring_external_subset() } else { reader })
    }

    /// Passes each field to `take`, as octets.
    pub(crate) fn each_part(&self, take: &mut dyn FnMut(&[u8])) {
        take(&[u8::from(self.ignore_external_subset), u8::from(self.ids.has_dtd())]);
        for (namespace, local_name) in self.ids.names() {
            take(namespace.as_bytes());
            take(local_name.as_bytes());
        }
    }
}

impl SignatureOptions {
    /// An enveloped signature at the end of the root element, with exclusive
    /// canonicalisation.
    #[must_use]
    pub fn new() -> Self {
        Self {
            packaging: Packaging::Enveloped,
            position: Position::LastInRoot,
            canonicalization: Canonicalization::EXCLUSIVE,
            parallel: false,
            detached_references: DetachedReferences::SignedInfo,
            reading: ReadingOptions::default(),
            id_seed: Vec::new(),
            production_place: None,
            signing_certificate: SigningCertificate::V2,
            sign_key_info: false,
            key_value: false,
        }
    }

    /// Sets the signed data.
    #[must_use]
    pub fn packaging(mut self, packaging: Packaging) -> Self {
        self.packaging = packaging;
        self
    }

    /// Sets the place of the signature. Enveloping and detached signatures and
    /// countersignatures ignore it.
    #[must_use]
    pub fn position(mut self, position: Position) -> Self {
        self.position = position;
        self
    }

    /// Sets the canonicalisation of the signed data. `ds:SignedInfo` and the
    /// properties always use the exclusive one, because their digests must not
    /// depend on the elements around the signature.
    #[must_use]
    pub fn canonicalization(mut self, method: Canonicalization) -> Self {
        self.canonicalization = method;
        self
    }

    /// Makes an enveloped signature cover the document without any signatures
    /// (`not(ancestor-or-self::ds:Signature)`), so that other signatures can be
    /// added to the document later. By default the transform is
    /// enveloped-signature, which every verifier supports and which covers
    /// everything except the signature itself.
    ///
    /// A document that has signatures is always signed this way. The new signature
    /// then does not cover the existing ones, so it stays intact if one is removed.
    #[must_use]
    pub const fn parallel(mut self) -> Self {
        self.parallel = true;
        self
    }

    /// Sets the way in which a [detached signature](crate::prepare_detached) refers to
    /// its documents. Other signatures ignore it.
    #[must_use]
    pub const fn detached_references(mut self, references: DetachedReferences) -> Self {
        self.detached_references = references;
        self
    }

    /// Sets which attributes are Ids, instead of `Id`, `ID`, `id` and `xml:id`. The
    /// verifier must use the same. Signatures have their own Ids in `Id`, so this is
    /// usually `IdAttributes::default().and(…)`.
    #[must_use]
    pub fn ids(mut self, ids: IdAttributes) -> Self {
        self.reading.ids = ids;
        self
    }

    /// Reads documents that name an external DTD subset, such as SVG images, as if
    /// they named none. By default such documents are rejected with
    /// [`Error::External`]. Declarations in the subset, above all default attributes,
    /// are not signed, and a verifier that reads the subset may see another document.
    #[must_use]
    pub const fn ignoring_external_subset(mut self) -> Self {
        self.reading.ignore_external_subset = true;
        self
    }

    /// Sets the claimed place of signing. It replaces
    /// [`SignatureParameters::location`](ades_core::SignatureParameters::location),
    /// which has neither state nor postal code.
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

    /// Makes the signature cover its `ds:KeyInfo`, too. Baseline signatures need not: the
    /// signed properties name the certificate by its digest.
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

    /// The form of `ds:KeyInfo`.
    pub(crate) const fn key_info(&self) -> KeyInfo {
        KeyInfo { referenced: self.sign_key_info, key_value: self.key_value }
    }

    /// Sets a seed for the Ids in the signature. The Ids also depend on the document,
    /// the certificates, the signing time, the packaging and the place. Only random octets as the
    /// seed make them unpredictable.
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

/// The setters of the documents outside a container, and of how documents are read, for options
/// with the fields `originals` and `reading`.
macro_rules! document_setters {
    ($a:lifetime) => {
        /// Adds the signed document of a detached signature, whatever its URI in the
        /// signature is. It is used only if all references to other documents have the same
        /// URI. Nothing is ever fetched.
        #[must_use]
        pub fn original(mut self, document: ades_core::Document<$a>) -> Self {
            self.originals.push($crate::verify::original::Original { uri: None, document });
            self
        }

        /// Adds the document that references with this URI mean. The URI is compared
        /// literally and percent-decoded. It may also be the end of the reference's URI,
        /// after a slash, or the reference's URI its end. Of several documents, the one with
        /// the longest common path is meant. Each reference reads the document once.
        #[must_use]
        pub fn original_named(
            mut self,
            uri: impl Into<String>,
            document: ades_core::Document<$a>,
        ) -> Self {
            self.originals
                .push($crate::verify::original::Original { uri: Some(uri.into()), document });
            self
        }

        /// Sets which attributes are Ids, instead of `Id`, `ID`, `id` and `xml:id`.
        #[must_use]
        pub fn ids(mut self, ids: $crate::c14n::IdAttributes) -> Self {
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
    };
}
pub(crate) use document_setters;

/// Options of verifying the signatures of one document.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct VerifyOptions<'a> {
    pub(crate) originals: Vec<Original<'a>>,
    pub(crate) expected: Vec<Target>,
    pub(crate) reading: ReadingOptions,
    pub(crate) foreseen: Option<ForeseenSignature>,
    pub(crate) verified: VerifiedValues,
    pub(crate) known: Option<KnownDocument>,
}

impl<'a> VerifyOptions<'a> {
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

    /// Keeps what raising the signatures needs to know about the document, so that the steps that
    /// follow in the same process [need not read it](crate::ExtendOptions::known). They need the
    /// same other options.
    #[must_use]
    pub fn known(mut self, document: &KnownDocument) -> Self {
        self.known = Some(document.clone());
        self
    }

    /// The options for verifying what this signature was completed to: its document is read as it
    /// was when the signature was prepared. The report is the same as with other options that read
    /// it so, but the container is usually read once instead of twice.
    ///
    /// A signature that [`prepare_copying`](crate::prepare_copying) has returned, and that was
    /// not stored since, knows the beginning of its document. The octets before a place near the
    /// end are then compared by their digest, and only those after it are parsed.
    #[must_use]
    pub fn for_completed(pending: &PendingSignature) -> Self {
        let (reading, foreseen) = (pending.reading.clone(), pending.foreseen());
        Self { reading, foreseen, ..Self::default() }
    }

    /// Adds an element, or all elements of a name, that the caller expects to be
    /// signed. Without any, the root element is expected. All expected elements
    /// must be covered.
    #[must_use]
    pub fn expect(mut self, target: Target) -> Self {
        self.expected.push(target);
        self
    }

    document_setters!('a);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_production_place_needs_text() {
        assert!(ProductionPlace::default().check().is_err());
        let place = |city: &str| ProductionPlace { city: Some(city.into()), ..Default::default() };
        assert!(place("Gent").check().is_ok());
        assert!(place("a\0b").check().is_err());
    }
}
