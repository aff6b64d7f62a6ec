//! The catalog's entries for signatures: the form and its fields, the certification
//! (ISO 32000-2, 7.7.2).

use super::need_appearances;
use crate::error::{Error, structure};
use crate::extend::{Edited, Update};
use crate::file::Pdf;
use crate::syntax::{Reference, Value};

/// `/SigFlags`: the document has signatures, and may only be changed by
/// incremental updates (table 225).
const SIG_FLAGS: u64 = 3;

/// Sets the form's flags and adds `field` to it. Creates a missing form. With
/// `clears_need_appearances`, viewers are no longer told to redraw the fields.
pub(super) fn extend_form(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &mut Edited<'_>,
    field: Option<Reference>,
    clears_need_appearances: bool,
) -> Result<(), Error> {
    let what = "/AcroForm is not a dictionary";
    let extended =
        catalog.within(pdf, update, b"AcroForm", what, |pdf, update, holder, form| {
            if clears_need_appearances && need_appearances::is_true(pdf, form)? {
                holder.set(form, need_appearances::KEY, b"false");
            }
            extend(pdf, update, holder, form, field)
        })?;
    if extended.is_none() {
        let fields = field.map(|field| field.to_string()).unwrap_or_default();
        let form = format!("<</Fields[{fields}]/SigFlags {SIG_FLAGS}>>");
        let object = catalog.object();
        catalog.set_new(update, &object.value, b"AcroForm", &form);
    }
    Ok(())
}

fn extend(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    holder: &mut Edited<'_>,
    form: &Value,
    field: Option<Reference>,
) -> Result<(), Error> {
    let flags = pdf.get(form, b"SigFlags")?.and_then(|flags| flags.unsigned()).unwrap_or(0);
    if flags & SIG_FLAGS != SIG_FLAGS {
        holder.set(form, b"SigFlags", (flags | SIG_FLAGS).to_string().as_bytes());
    }
    if let Some(field) = field
        && !holder.append(pdf, update, form, b"Fields", &field.to_string())?
    {
        return Err(structure("/Fields is not an array"));
    }
    Ok(())
}

/// Names the certifying signature in `/Perms` (12.8.6).
pub(super) fn certify(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &mut Edited<'_>,
    signature: Reference,
) -> Result<(), Error> {
    let what = "/Perms is not a dictionary";
    let set = catalog.within(pdf, update, b"Perms", what, |_, _, holder, permissions| {
        holder.set(permissions, b"DocMDP", signature.to_string().as_bytes());
        Ok(())
    })?;
    if set.is_none() {
        let permissions = format!("<</DocMDP {signature}>>");
        let object = catalog.object();
        catalog.set(&object.value, b"Perms", permissions.as_bytes());
    }
    Ok(())
}
