//! Checks before there is a certificate.

use crate::detect::{DocumentKind, Format};
use crate::error::Error;
use crate::format;
use crate::inputs::Inputs;
use crate::options::{Operation, Packaging, SigningOptions};
use crate::warning::Warning;

/// The result of a [`check`] without errors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    pub(crate) format: Format,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) page: Option<usize>,
}

impl Checked {
    /// The format of the signature.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Warnings to show to the user before signing.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The page of a PDF that shows the visible signature, counted from 1. `None` for
    /// invisible signatures and other formats.
    #[must_use]
    pub const fn page(&self) -> Option<usize> {
        self.page
    }
}

/// Checks whether a document can be signed with these options, before there is a certificate.
///
/// Call this before asking the user to sign: it reports the errors of
/// [`prepare`](crate::prepare()) that do not depend on the certificate.
///
/// # Errors
/// Those of [`prepare`](crate::prepare()) that do not depend on the certificate.
pub fn check<'a, 'd: 'a>(
    inputs: impl Into<Inputs<'a, 'd>>,
    options: &SigningOptions,
) -> Result<Checked, Error> {
    let mut inputs = inputs.into();
    let format = choose_format(inputs.reborrow(), options)?;
    options.check_packaging(format)?;
    let mut checked = match format {
        Format::Cades => format::cades::check(inputs, options),
        Format::Pades => format::pades::check(inputs, options),
        Format::Xades => format::xades::check(inputs, options),
    }?;
    checked.warnings.extend(Warning::about(&options.parameters));
    Ok(checked)
}

/// Chooses the format of a signature: that of the options, or else the one that fits the
/// document's content. Another signature in a container, and a countersignature, have the format
/// of the existing signature.
///
/// A packaging does not matter for a PDF here, because the same options may sign other documents:
/// see [`SigningOptions::for_document`].
///
/// # Errors
/// [`Error::NotPdf`], [`Error::NotXml`], [`Error::PackagingNotForFormat`], [`Error::NoParallel`],
/// [`Error::NoCountersignature`], [`Error::NameNeeded`], [`Error::OneDocument`]; [`Error::Core`] if reading fails.
pub fn choose_format<'a, 'd: 'a>(
    inputs: impl Into<Inputs<'a, 'd>>,
    options: &SigningOptions,
) -> Result<Format, Error> {
    let inputs = inputs.into();
    let kind = DocumentKind::of(inputs.document)?;
    if !inputs.more.is_empty() {
        let is_detached = options.packaging == Some(Packaging::Detached);
        return match (&options.operation, options.format) {
            (Operation::Sign, None | Some(Format::Xades)) if is_detached => {
                inputs.name.map(|_| Format::Xades).ok_or(Error::NameNeeded)
            }
            _ => Err(Error::OneDocument),
        };
    }
    let format = match (&options.operation, options.format, kind) {
        (Operation::Countersign { .. }, _, DocumentKind::Xml) => return Ok(Format::Xades),
        (Operation::Countersign { .. }, _, DocumentKind::Pdf) => {
            return Err(Error::NoCountersignature);
        }
        (Operation::AddParallel, _, DocumentKind::Pdf) => {
            return Err(Error::NoParallel { format: Format::Pades });
        }
        (Operation::AddParallel, _, DocumentKind::Xml) => {
            return Err(Error::NoParallel { format: Format::Xades });
        }
        (Operation::AddParallel | Operation::Countersign { .. }, ..) => return Ok(Format::Cades),
        (Operation::Sign, Some(Format::Pades), kind) if kind != DocumentKind::Pdf => {
            return Err(Error::NotPdf);
        }
        (Operation::Sign, Some(format), _) => format,
        (Operation::Sign, None, DocumentKind::Pdf) => Format::Pades,
        (Operation::Sign, None, DocumentKind::Xml) => Format::Xades,
        (Operation::Sign, None, DocumentKind::Html | DocumentKind::Other) => Format::Cades,
    };
    let is_enveloped = match (format, options.packaging) {
        (
            Format::Cades,
            Some(
                packaging @ (Packaging::Enveloped
                | Packaging::EnvelopingBase64
                | Packaging::InternallyDetached),
            ),
        ) => return Err(Error::PackagingNotForFormat { packaging, format }),
        (Format::Xades, Some(Packaging::Detached)) if inputs.name.is_none() => {
            return Err(Error::NameNeeded);
        }
        (Format::Xades, packaging) => format::xades::is_in_document(packaging),
        (Format::Cades | Format::Pades, _) => false,
    };
    if is_enveloped && kind != DocumentKind::Xml {
        // The first octets of well-formed XML do not always show that it is XML.
        format::xades::read_through(inputs.document, &options.xml.reading)?;
    }
    Ok(format)
}
