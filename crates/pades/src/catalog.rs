//! What the catalog says of a document's signatures: the form and its fields,
//! the certification, the extensions of PDF that are used (ISO 32000-2, 7.7.2).

use crate::document::place::Place;
use crate::error::{Error, structure};
use crate::file::Pdf;
use crate::syntax::{Reference, Value};
use crate::update::{Edited, Update};

/// `/SigFlags`: signatures are there, and changes are only ever appended.
const SIG_FLAGS: u64 = 3;

/// Adds the field to the form, which may not be there yet.
pub(crate) fn extend_form(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &mut Edited<'_>,
    field: Option<Reference>,
) -> Result<(), Error> {
    let object = catalog.object();
    match Place::of(pdf, &object.value, b"AcroForm")? {
        Place::Absent => {
            let fields = field.map(|field| field.to_string()).unwrap_or_default();
            let form = update.allocate();
            let value = format!("<</Fields[{fields}]/SigFlags {SIG_FLAGS}>>");
            update.put(form, value.into_bytes());
            catalog.set(&object.value, b"AcroForm", form.to_string().as_bytes());
        }
        Place::Direct(form) if form.is_dictionary() => {
            extend(pdf, update, catalog, &form, field)?;
        }
        Place::Indirect(form) if form.is_dictionary() => {
            let mut edited = Edited::new(&form);
            extend(pdf, update, &mut edited, &form.value, field)?;
            edited.put(pdf, update)?;
        }
        _ => return Err(structure("/AcroForm is no dictionary")),
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
    let Some(field) = field else {
        return Ok(());
    };
    let is_field = |element: &Value| element.reference() == Some(field);
    let has_field = |array: Value| array.elements().is_some_and(|all| all.iter().any(is_field));
    match Place::of(pdf, form, b"Fields")? {
        Place::Absent => holder.set(form, b"Fields", format!("[{field}]").as_bytes()),
        Place::Direct(array) if array.elements().is_some() => {
            holder.push(&array, field.to_string().as_bytes());
        }
        // The array of the page's annotations too.
        Place::Indirect(array) if update.array(array.reference).is_some_and(has_field) => {}
        Place::Indirect(array) if array.value.elements().is_some() => {
            let mut edited = Edited::new(&array);
            edited.push(&array.value, field.to_string().as_bytes());
            edited.put(pdf, update)?;
        }
        _ => return Err(structure("/Fields is no array")),
    }
    Ok(())
}

/// Names the signature that certifies (12.8.6).
pub(crate) fn certify(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &mut Edited<'_>,
    signature: Reference,
) -> Result<(), Error> {
    let object = catalog.object();
    let signature = signature.to_string();
    match Place::of(pdf, &object.value, b"Perms")? {
        Place::Absent => {
            catalog.set(&object.value, b"Perms", format!("<</DocMDP {signature}>>").as_bytes());
        }
        Place::Direct(permissions) if permissions.is_dictionary() => {
            catalog.set(&permissions, b"DocMDP", signature.as_bytes());
        }
        Place::Indirect(permissions) if permissions.is_dictionary() => {
            let mut edited = Edited::new(&permissions);
            edited.set(&permissions.value, b"DocMDP", signature.as_bytes());
            edited.put(pdf, update)?;
        }
        _ => return Err(structure("/Perms is no dictionary")),
    }
    Ok(())
}

/// Says that a signature of the PAdES format is there, which PDF has only since
/// version 2.0 (EN 319 142-1, 5.6; ISO 32000-1, 7.12).
pub(crate) fn declare_extension(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &mut Edited<'_>,
) -> Result<(), Error> {
    const EXTENSION: &[u8] = b"<</BaseVersion/1.7/ExtensionLevel 2>>";
    const LEVEL: u64 = 2;

    let object = catalog.object();
    let own = object.value.get(b"Version").and_then(Value::name).map(<[u8]>::to_vec);
    if pdf.version.as_slice().max(&own.unwrap_or_default()) >= b"2.0".as_slice() {
        return Ok(());
    }
    match Place::of(pdf, &object.value, b"Extensions")? {
        Place::Absent => {
            let all = [b"<</ESIC", EXTENSION, b">>"].concat();
            catalog.set(&object.value, b"Extensions", &all);
        }
        Place::Direct(all) if all.is_dictionary() => {
            // One dictionary or, since PDF 2.0, an array of them (ISO 32000-2, 7.12).
            let esic = pdf.get(&all, b"ESIC")?;
            let list = esic.as_ref().and_then(Value::elements);
            for extension in list.unwrap_or(esic.as_slice()) {
                let extension = pdf.resolve(extension)?;
                let level = pdf.get(&extension, b"ExtensionLevel")?;
                if level.and_then(|level| level.unsigned()).is_some_and(|level| level >= LEVEL) {
                    return Ok(());
                }
            }
            match Place::of(pdf, &all, b"ESIC")? {
                Place::Direct(list) if list.elements().is_some() => catalog.push(&list, EXTENSION),
                Place::Indirect(list) if list.value.elements().is_some() => {
                    let mut edited = Edited::new(&list);
                    edited.push(&list.value, EXTENSION);
                    edited.put(pdf, update)?;
                }
                _ => catalog.set(&all, b"ESIC", EXTENSION),
            }
        }
        // As an object of its own, it is none that the standard knows.
        Place::Direct(_) | Place::Indirect(_) => {}
    }
    Ok(())
}
