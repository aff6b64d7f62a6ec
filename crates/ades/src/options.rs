//! Signing options for all formats. They are typed and can be stored.

mod format_option;
pub(crate) mod pdf;
mod xml;

use std::fmt;

use ades_core::certificate::KeyType;
use ades_core::signer::Capabilities;
use ades_core::{DigestAlgorithm, SignatureAlgorithm, SignatureParameters, SigningTime};
use serde::{Deserialize, Serialize};
use xades::Position;

use crate::detect::Format;
use crate::error::Error;
use crate::format;

pub use format_option::FormatOption;
pub use pdf::{PdfOptions, Stamp};
pub use xml::{ReadingOptions, XmlOptions};

/// The operation on a document or container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Operation {
    /// A first signature, or one more in a PDF or XML document.
    #[default]
    Sign,
    /// One more signer in a CAdES container.
    AddParallel,
    /// A countersignature: a signature on an existing signature.
    Countersign {
        /// The existing signature, by indices in the report: `[1]` is the second signature,
        /// `[1, 0]` its first countersignature.
        which: Vec<usize>,
    },
}

/// The place of the document in relation to its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Packaging {
    /// XAdES: the signature is an element of the document.
    Enveloped,
    /// The document is inside the signature. XAdES holds it as XML where possible, else as
    /// base64.
    Enveloping,
    /// XAdES: the document is inside the signature, as base64.
    EnvelopingBase64,
    /// The signature is a file of its own.
    Detached,
    /// XAdES: the signature covers elements of its document by their Ids.
    InternallyDetached,
}

impl fmt::Display for Packaging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enveloped => "enveloped",
            Self::Enveloping => "enveloping",
            Self::EnvelopingBase64 => "enveloping-base64",
            Self::Detached => "detached",
            Self::InternallyDetached => "internally-detached",
        })
    }
}

/// The options of a signature in any format.
///
/// One value serves a batch of documents of several formats: `pdf` and `xml` are used only for
/// documents of these formats, and [`FormatOption::concerns`] tells which options have an effect
/// on a document. The stored form (serde) holds neither an image nor a font; see
/// [`Stamp`].
///
/// ```
/// use ades::{Packaging, SignatureParameters, SigningOptions};
///
/// let now = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
/// let options = SigningOptions::new(SignatureParameters::new(now).signer_role("Director"))
///     .packaging(Packaging::Enveloping);
/// let stored = serde_json::to_string(&options)?;
/// assert_eq!(serde_json::from_str::<SigningOptions>(&stored)?, options);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct SigningOptions {
    /// The operation on the document
    pub operation: Operation,
    /// The format; `None` for the one that fits the document
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// The place of the document in relation to its signature; `None` for the format's default
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packaging: Option<Packaging>,
    /// The digest algorithm; the key determines the rest of the signature algorithm
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestAlgorithm>,
    /// The properties that signatures of all formats have
    pub parameters: SignatureParameters,
    /// Options for PDFs
    #[serde(default, skip_serializing_if = "PdfOptions::is_default")]
    pub pdf: PdfOptions,
    /// Options for XML
    #[serde(default, skip_serializing_if = "XmlOptions::is_default")]
    pub xml: XmlOptions,
}

impl SigningOptions {
    /// Options with the default format and packaging of each document: PDFs become PAdES, XML
    /// becomes XAdES (enveloped), and any other file becomes CAdES (detached).
    #[must_use]
    pub fn new(parameters: SignatureParameters) -> Self {
        Self {
            operation: Operation::Sign,
            format: None,
            packaging: None,
            digest: None,
            parameters,
            pdf: PdfOptions::default(),
            xml: XmlOptions::default(),
        }
    }

    /// Sets the operation on the document. The default is [`Operation::Sign`].
    #[must_use]
    pub fn operation(mut self, operation: Operation) -> Self {
        self.operation = operation;
        self
    }

    /// Sets the format. The default is the one that fits the document.
    #[must_use]
    pub const fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// The options for one document of a batch: with the document's format, and without the
    /// packaging if signatures of that format have none.
    #[must_use]
    pub fn for_document(mut self, format: Format) -> Self {
        if !FormatOption::Packaging.concerns(format, &self) {
            self.packaging = None;
        }
        self.format(format)
    }

    /// Whether one signature can sign several documents: a detached XAdES signature can. Without
    /// a format, this chooses it.
    pub fn choose_format_for_several_documents(&mut self) -> bool {
        *self.format.get_or_insert(Format::Xades) == Format::Xades
            && self.packaging == Some(Packaging::Detached)
            && self.operation == Operation::Sign
    }

    /// Checks that a packaging is set only if signatures of this format have one.
    pub(crate) fn check_packaging(&self, format: Format) -> Result<(), Error> {
        let option = FormatOption::Packaging;
        if self.packaging.is_some() && !option.formats().contains(&format) {
            return Err(Error::OptionNotForFormat { option, format });
        }
        Ok(())
    }

    /// Sets the place of the document in relation to its signature.
    #[must_use]
    pub const fn packaging(mut self, packaging: Packaging) -> Self {
        self.packaging = Some(packaging);
        self
    }

    /// Sets the digest algorithm. Together with the key it determines the signature algorithm. To
    /// set the signature algorithm itself, use [`SignatureParameters::algorithm`].
    #[must_use]
    pub const fn digest(mut self, digest: DigestAlgorithm) -> Self {
        self.digest = Some(digest);
        self
    }

    /// Sets the properties that signatures of all formats have.
    #[must_use]
    pub fn parameters(mut self, parameters: SignatureParameters) -> Self {
        self.parameters = parameters;
        self
    }

    /// Sets the options for PDFs.
    #[must_use]
    pub fn pdf(mut self, pdf: PdfOptions) -> Self {
        self.pdf = pdf;
        self
    }

    /// Sets the options for XML.
    #[must_use]
    pub fn xml(mut self, xml: XmlOptions) -> Self {
        self.xml = xml;
        self
    }

    /// Sets the claimed signing time, in place of that of the parameters.
    #[must_use]
    pub fn signing_time(mut self, time: impl Into<SigningTime>) -> Self {
        self.parameters = self.parameters.signed_at(time);
        self
    }

    /// The suffix that a signature's file adds to the document's file name, for example `.p7s`.
    /// `None` if the signature becomes a part of the document or container.
    #[must_use]
    pub const fn suffix(&self, format: Format) -> Option<&'static str> {
        let Operation::Sign = self.operation else { return None };
        match (format, self.packaging) {
            (Format::Cades, Some(Packaging::Enveloping)) => Some(".p7m"),
            (Format::Cades, _) => Some(".p7s"),
            (
                Format::Xades,
                Some(Packaging::Enveloping | Packaging::EnvelopingBase64 | Packaging::Detached),
            ) => Some(".xades"),
            (Format::Pades | Format::Xades, _) => None,
        }
    }

    /// Whether the signature becomes a file that does not contain the document.
    #[must_use]
    pub const fn is_detached(&self, format: Format) -> bool {
        matches!(
            (&self.operation, format, self.packaging),
            (Operation::Sign, Format::Cades, None | Some(Packaging::Detached))
                | (Operation::Sign, Format::Xades, Some(Packaging::Detached))
        )
    }

    /// Whether [`prepare_copying`](crate::prepare_copying) makes signatures of this format with
    /// these options: those in PDFs, enveloping ones in CAdES, and those at the end of an XML
    /// document's root element.
    #[must_use]
    pub const fn can_copy(&self, format: Format) -> bool {
        match (&self.operation, format) {
            (Operation::Sign, Format::Pades) => true,
            (Operation::Sign, Format::Cades) => {
                matches!(self.packaging, Some(Packaging::Enveloping))
            }
            (Operation::Sign, Format::Xades) => {
                format::xades::is_in_document(self.packaging)
                    && matches!(self.xml.position, Position::LastInRoot)
            }
            (Operation::AddParallel | Operation::Countersign { .. }, _) => false,
        }
    }

    /// Checks the parameters and the algorithm against a signer, before there is a certificate.
    ///
    /// # Errors
    /// [`Error::Core`] for a parameter that no format allows, [`Error::SignerDigest`] and
    /// [`Error::SignerAlgorithm`] for an algorithm that the signer does not have.
    pub fn check_signer(&self, signer: &Capabilities) -> Result<(), Error> {
        self.parameters.check()?;
        let (name, offered) = (signer.name, &signer.algorithms);
        if let Some(digest) = self.digest
            && !offered.iter().any(|algorithm| algorithm.digest_algorithm() == digest)
        {
            return Err(Error::SignerDigest { signer: name, digest });
        }
        match self.parameters.signature_algorithm() {
            Some(algorithm) if !offered.contains(&algorithm) => {
                Err(Error::SignerAlgorithm { signer: name, algorithm })
            }
            _ => Ok(()),
        }
    }

    /// The parameters with the signature algorithm for [`digest`](Self::digest) and a key of this
    /// type. Without a digest algorithm, the parameters are unchanged.
    ///
    /// # Errors
    /// [`Error::DigestNotForKey`]
    pub fn parameters_for(&self, key: KeyType) -> Result<SignatureParameters, Error> {
        let Some(digest) = self.digest else { return Ok(self.parameters.clone()) };
        let algorithm = match key {
            KeyType::Rsa { .. } => SignatureAlgorithm::RsaPkcs1v15(digest),
            KeyType::P256 | KeyType::P384 | KeyType::P521 => SignatureAlgorithm::Ecdsa(digest),
            // Ed25519 always uses SHA-512 (RFC 8032, 5.1).
            KeyType::Ed25519 if digest == DigestAlgorithm::Sha512 => SignatureAlgorithm::Ed25519,
            _ => return Err(Error::DigestNotForKey { key, digest }),
        };
        Ok(self.parameters.clone().algorithm(algorithm))
    }
}
