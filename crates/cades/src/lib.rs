//! CAdES baseline signatures (EN 319 122-1).
#![deny(missing_docs)]

mod error;

pub use error::Error;
