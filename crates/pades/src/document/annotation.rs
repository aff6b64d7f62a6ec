//! The flags of annotations (ISO 32000-2, 12.5.3, table 167).

use crate::error::Error;
use crate::file::Pdf;
use crate::syntax::Value;

pub(crate) const HIDDEN: i64 = 2;
pub(crate) const PRINT: i64 = 4;
pub(crate) const NO_VIEW: i64 = 32;
pub(crate) const LOCKED: i64 = 128;

/// `/F`; 0 if it is absent.
pub(crate) fn flags(pdf: &mut Pdf<'_>, annotation: &Value) -> Result<i64, Error> {
    Ok(pdf.get(annotation, b"F")?.and_then(|flags| flags.integer()).unwrap_or(0))
}
