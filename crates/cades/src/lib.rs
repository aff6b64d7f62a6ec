//! CAdES baseline signatures (EN 319 122-1).
#![deny(missing_docs)]

mod attributes;
mod complete;
pub mod container;
mod copying;
pub mod embedded;
mod error;
mod existing;
mod lookup;
mod oids;
mod pending;
mod prepare;
pub mod report;
mod signer_info;
mod source;
mod verify;

pub use ades_core::in_place::{Check, InPlace};
pub use container::Container;
pub use copying::prepare_copying;
pub use error::Error;
pub use existing::{prepare_countersignature, prepare_parallel};
pub use pending::{Packaging, PendingSignature};
pub use prepare::{prepare, prepare_digest};
pub use verify::Given;
