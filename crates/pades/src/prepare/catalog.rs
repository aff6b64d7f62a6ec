//! The catalog's entries for signatures: the form and its fields, the certification,
//! the extensions of PDF in use (ISO 32000-2, 7.7.2).

use crate::document::place::Place;
use crate::error::{Error, structure};
use crate::extend::{Edited, Update};
use crate::file::Pdf;
use crate::syntax::{Reference, Value};

/// `/SigFlags`: the document has signatures, and may only be changed by
/// incremental updates (table 225).
const SIG_FLAGS: u64 = 3;

/// Sets the form's flags and adds `field` to it. Creates a missing form.
pub(super) fn extend_form(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &mut Edited<'_>,
    field: Option<Reference>,
) -> Result<(), Error> {
    let what = "/AcroForm is not a dictionary";
    let extended =
        catalog.within(pdf, update, b"AcroForm", what, |pdf, update, holder, form| {
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

/// Declares the PAdES signature format, which PDF has only since version 2.0
/// (EN 319 142-1, 5.6; ISO 32000-1, 7.12).
pub(super) fn declare_extension(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &mut Edited<'_>,
) -> Result<(), Error> {
    const EXTENSION: &str = "<</BaseVersion/1.7/ExtensionLevel 2>>";

    let object = catalog.object();
    let own = object.value.get(b"Version").and_then(Value::name).map(<[u8]>::to_vec);
    if pdf.version.as_slice().max(&own.unwrap_or_default()) >= b"2.0".as_slice() {
        return Ok(());
    }
    match Place::of(pdf, &object.value, b"Extensions")? {
        Place::Absent => {
            let extensions = format!("<</ESIC{EXTENSION}>>");
            catalog.set(&object.value, b"Extensions", extensions.as_bytes());
        }
        Place::Direct(extensions) if extensions.is_dictionary() => {
            if is_declared(pdf, &extensions)? {
                return Ok(());
            }
            let absent = matches!(Place::of(pdf, &extensions, b"ESIC")?, Place::Absent);
            if absent || !catalog.append(pdf, update, &extensions, b"ESIC", EXTENSION)? {
                catalog.set(&extensions, b"ESIC", EXTENSION.as_bytes());
            }
        }
        // The standard requires a direct object (7.12): anything else stays as it is.
        Place::Direct(_) | Place::Indirect(_) => {}
    }
    Ok(())
}

/// Whether `/ESIC` has the extension level. Its value is one dictionary or, since
/// PDF 2.0, an array of them (ISO 32000-2, 7.12).
fn is_declared(pdf: &mut Pdf<'_>, extensions: &Value) -> Result<bool, Error> {
    const LEVEL: u64 = 2;

    let esic = pdf.get(extensions, b"ESIC")?;
    let list = esic.as_ref().and_then(Value::elements);
    for extension in list.unwrap_or(esic.as_slice()) {
        let extension = pdf.resolve(extension)?;
        let level = pdf.get(&extension, b"ExtensionLevel")?;
        if level.and_then(|level| level.unsigned()).is_some_and(|level| level >= LEVEL) {
            return Ok(true);
        }
    }
    Ok(false)
}
