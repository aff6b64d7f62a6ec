//! What a document is encrypted for.

use ades_core::Document;

use crate::{DocumentKind, Error};

/// Returns the envelopes (DER of CMS `EnvelopedData`) of a document that is encrypted for the
/// holders of certificates; none for any other document.
///
/// The private key of a recipient opens one of them. Its content is then given to
/// [`Inputs::envelope_content`](crate::Inputs::envelope_content).
///
/// # Errors
/// As [`check`](crate::check), for a document that cannot be read.
pub fn envelopes(document: &mut Document<'_>) -> Result<Vec<Vec<u8>>, Error> {
    match DocumentKind::of(document)? {
        DocumentKind::Pdf => Ok(pades::envelopes(document)?),
        DocumentKind::Xml | DocumentKind::Html | DocumentKind::Other => Ok(Vec::new()),
    }
}
