//! What forbids a signature, beforehand: earlier signatures, the kind of
//! document (ISO 32000-2, 12.8.2; 12.7.8).

use crate::document::form::Form;
use crate::document::signature::{Permissions, permissions};
use crate::error::Error;
use crate::file::Pdf;
use crate::options::SignatureOptions;
use crate::syntax::Value;

const fn forbidden<T>(why: &'static str) -> Result<T, Error> {
    Err(Error::Forbidden { why })
}

/// Whether the document may be signed in a field of this name.
pub(crate) fn check(
    pdf: &mut Pdf<'_>,
    catalog: &Value,
    form: &Form,
    field: &str,
    options: &SignatureOptions,
) -> Result<(), Error> {
    if pdf.get(catalog, b"NeedsRendering")?.and_then(|n| n.boolean()) == Some(true) {
        return forbidden("a dynamic XFA form has no pages that a signature could cover");
    }
    let earlier = earlier(pdf, catalog, form)?;
    if options.certification.is_some() && form.signed().next().is_some() {
        return forbidden("only the first signature of a document can certify it");
    }
    for permissions in earlier {
        if permissions.certification == Some(1) {
            return forbidden("it is certified, and no changes are allowed (DocMDP 1)");
        }
        if permissions.locks.iter().any(|lock| lock.covers(field)) {
            return forbidden("an earlier signature locks the field (FieldMDP)");
        }
    }
    Ok(())
}

/// What all earlier signatures allow.
pub(crate) fn earlier(
    pdf: &mut Pdf<'_>,
    catalog: &Value,
    form: &Form,
) -> Result<Vec<Permissions>, Error> {
    let mut all = Vec::new();
    if let Some(permitted) = pdf.get(catalog, b"Perms")?
        && let Some(signature) = pdf.get(&permitted, b"DocMDP")?
    {
        all.push(permissions(pdf, &signature)?);
    }
    for (_, value) in form.signed() {
        let signature = pdf.resolve(value)?;
        all.push(permissions(pdf, &signature)?);
    }
    Ok(all)
}
