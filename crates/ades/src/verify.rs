//! Verifies containers, and lists their signatures.

use std::fmt;

use ades_core::{Certificate, Document};
use xades::c14n::Target;

use crate::detect::{DocumentKind, Format};
use crate::error::{Error, FormatOption};
use crate::format;
use crate::options::ReadingOptions;
use crate::report::{Contents, Report};

/// The options of verifying and inspecting. `Debug` does not show the password.
#[derive(Default)]
#[non_exhaustive]
pub struct VerifyOptions<'a> {
    pub(crate) trust: &'a [Certificate],
    pub(crate) originals: Vec<Original<'a>>,
    pub(crate) elements: Vec<Target>,
    pub(crate) reading: ReadingOptions,
    pub(crate) password: Option<&'a str>,
}

/// A document outside the container.
pub(crate) struct Original<'a> {
    pub(crate) name: Option<String>,
    pub(crate) document: Document<'a>,
}

impl<'a> VerifyOptions<'a> {
    /// No trust anchors and no documents outside the container.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the trust anchors. Without any, trust is not judged.
    #[must_use]
    pub const fn trust(mut self, trust: &'a [Certificate]) -> Self {
        self.trust = trust;
        self
    }

    /// Adds a document outside the container. CAdES: the document of a detached container, or the
    /// expected content of an enveloping one. XAdES: a document that the signature refers to by
    /// its file name; a single document may have any name. For PAdES, [`verify`] returns
    /// [`Error::OptionNotForFormat`].
    #[must_use]
    pub fn original(mut self, name: Option<String>, document: Document<'a>) -> Self {
        self.originals.push(Original { name, document });
        self
    }

    /// XAdES only: adds an element, or all elements of a name, that must be signed. Without any,
    /// the root element must be signed.
    #[must_use]
    pub fn element(mut self, element: Target) -> Self {
        self.elements.push(element);
        self
    }

    /// XAdES only: sets the options of reading XML.
    #[must_use]
    pub fn reading(mut self, reading: ReadingOptions) -> Self {
        self.reading = reading;
        self
    }

    /// PAdES only: sets the password of an encrypted PDF, the user's or the owner's.
    #[must_use]
    pub const fn password(mut self, password: &'a str) -> Self {
        self.password = Some(password);
        self
    }

    pub(crate) fn refuse_xml_options(&self, format: Format) -> Result<(), Error> {
        let option = if !self.elements.is_empty() {
            FormatOption::Element
        } else if !self.reading.is_default() {
            FormatOption::Reading
        } else {
            return Ok(());
        };
        Err(Error::OptionNotForFormat { option, format })
    }
}

impl fmt::Debug for VerifyOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyOptions")
            .field("trust", &self.trust.len())
            .field("originals", &self.originals.len())
            .field("elements", &self.elements)
            .field("reading", &self.reading)
            .finish_non_exhaustive()
    }
}

/// Verifies every signature of a document or container. The format is that of its content: a PDF
/// is PAdES, XML or HTML is XAdES, anything else is CAdES.
///
/// # Errors
/// [`Error::OptionNotForFormat`]; the format's own errors if the document cannot be read. A
/// signature that is not valid is not an error: the report lists its problems.
pub fn verify(document: &mut Document<'_>, options: VerifyOptions<'_>) -> Result<Report, Error> {
    match DocumentKind::of(document)? {
        DocumentKind::Pdf => format::pades::verify(document, options).map(Report::Pades),
        DocumentKind::Xml | DocumentKind::Html => {
            format::xades::verify(document, options).map(Report::Xades)
        }
        DocumentKind::Other => format::cades::verify(document, options).map(Report::Cades),
    }
}

/// Lists the signatures of a document or container, without verdicts.
///
/// # Errors
/// Those of [`verify`].
pub fn inspect(document: &mut Document<'_>, options: VerifyOptions<'_>) -> Result<Contents, Error> {
    verify(document, options).map(Contents)
}
