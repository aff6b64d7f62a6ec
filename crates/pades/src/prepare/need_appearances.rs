//! `/NeedAppearances` beside a visible signature (ISO 32000-2, table 224).
//!
//! The entry tells viewers to draw the fields from their values. A signature cannot be drawn
//! from its value, and Adobe Reader then shows none (PDFBOX-3738, pyHanko issue 416).

use crate::document::form::{Field, Form};
use crate::error::Error;
use crate::file::Pdf;
use crate::options::SignatureOptions;
use crate::syntax::Value;

pub(super) const KEY: &[u8] = b"NeedAppearances";

/// Whether the document's form has the entry.
pub(super) fn is_set(pdf: &mut Pdf<'_>, catalog: &Value) -> Result<bool, Error> {
    match pdf.get(catalog, b"AcroForm")? {
        Some(form) => is_true(pdf, &form),
        None => Ok(false),
    }
}

pub(super) fn is_true(pdf: &mut Pdf<'_>, form: &Value) -> Result<bool, Error> {
    Ok(pdf.get(form, KEY)?.and_then(|needs| needs.boolean()) == Some(true))
}

/// Whether the signature clears the entry: it is visible, no other field needs the entry, and no
/// earlier signature covers it. Without the entry, viewers would show other fields without their
/// values, or with old ones, if their appearances are missing or not up to date.
pub(super) fn is_cleared(form: &Form, options: &SignatureOptions) -> bool {
    let next = form.fields.iter().skip(1).map(Some).chain([None]);
    let mut fields = form.fields.iter().zip(next);
    options.visible.is_some()
        && form.signed().next().is_none()
        && fields.all(|(field, next)| field.is_signature || is_parent(field, next))
}

/// Whether `next`, the field that follows in the form, is a child.
fn is_parent(field: &Field, next: Option<&Field>) -> bool {
    let below = next.and_then(|next| next.name.strip_prefix(&field.name));
    below.is_some_and(|below| below.starts_with('.'))
}
