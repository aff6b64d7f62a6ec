//! What lopdf, rasn-cms and quick-xml read, compared with what our readers do.
//! Tests and fuzz targets call it. A function returns the first difference that is
//! not a known one; each known difference is in its function, with the reason.
#![deny(missing_docs)]

pub mod cms;
#[cfg(feature = "pdf")]
pub mod pdf;
pub mod xml;
