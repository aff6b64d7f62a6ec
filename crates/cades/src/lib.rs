//! CAdES baseline signatures (EN 319 122-1).
#![deny(missing_docs)]

mod attributes;
mod complete;
mod der;
mod error;
mod existing;
mod oids;
mod pending;
mod prepare;

pub use error::Error;
pub use pending::{Packaging, PendingSignature};
pub use prepare::{prepare, prepare_digest};
