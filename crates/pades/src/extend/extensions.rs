//! The extensions of PDF in use (ISO 32000-2, 7.12).

use super::{Edited, Update};
use crate::document::place::Place;
use crate::error::Error;
use crate::file::Pdf;
use crate::syntax::Value;

/// The level of ETSI's extension for validation data and document time-stamps (EN 319
/// 142-1, 5.6).
pub(crate) const LONG_TERM: u64 = 1;
/// The level of ETSI's extension for `ETSI.CAdES.detached`, which includes the former.
pub(crate) const CADES: u64 = 2;
/// The level of Adobe's extension that EU DSS declares for the same.
const LONG_TERM_OF_ADOBE: u64 = 8;

/// Declares a level of ETSI's extension, which PDF includes since version 2.0.
pub(crate) fn declare_extension(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &mut Edited<'_>,
    level: u64,
) -> Result<(), Error> {
    let extension = format!("<</BaseVersion/1.7/ExtensionLevel {level}>>");
    let object = catalog.object();
    let own = object.value.get(b"Version").and_then(Value::name).map(<[u8]>::to_vec);
    if pdf.version.as_slice().max(&own.unwrap_or_default()) >= b"2.0".as_slice() {
        return Ok(());
    }
    match Place::of(pdf, &object.value, b"Extensions")? {
        Place::Absent => {
            let extensions = format!("<</ESIC{extension}>>");
            catalog.set(&object.value, b"Extensions", extensions.as_bytes());
        }
        Place::Direct(extensions) if extensions.is_dictionary() => {
            if has_level(pdf, &extensions, b"ESIC", level)?
                || level == LONG_TERM && has_level(pdf, &extensions, b"ADBE", LONG_TERM_OF_ADOBE)?
            {
                return Ok(());
            }
            let absent = matches!(Place::of(pdf, &extensions, b"ESIC")?, Place::Absent);
            if absent || !catalog.append(pdf, update, &extensions, b"ESIC", &extension)? {
                catalog.set(&extensions, b"ESIC", extension.as_bytes());
            }
        }
        // The standard requires a direct object (7.12): anything else stays as it is.
        Place::Direct(_) | Place::Indirect(_) => {}
    }
    Ok(())
}

/// Whether a developer's extension has this level or a higher one. Its value is one
/// dictionary or, since PDF 2.0, an array of them (7.12).
fn has_level(
    pdf: &mut Pdf<'_>,
    extensions: &Value,
    developer: &[u8],
    wanted: u64,
) -> Result<bool, Error> {
    let declared = pdf.get(extensions, developer)?;
    let list = declared.as_ref().and_then(Value::elements);
    for extension in list.unwrap_or(declared.as_slice()) {
        let extension = pdf.resolve(extension)?;
        let level = pdf.get(&extension, b"ExtensionLevel")?;
        if level.and_then(|level| level.unsigned()).is_some_and(|level| level >= wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}
