//! PAdES baseline signatures (EN 319 142-1).
//!
//! A PDF is signed by what is appended to it; not one of its octets changes.
//! Files are read lazily, only as far as a signature touches them, and never
//! held in memory.
//!
//! - [`prepare`], [`PendingSignature::complete`]: the two halves of a signature
//! - [`check`]: whether a document can be signed, before there is a certificate
//! - [`prepare_copying`], [`PendingSignature::complete_in_place`]: the same in one
//!   pass over the document, for whoever keeps the copy between the halves
//! - [`SignatureOptions`]: which field, which texts, certification, locks
//! - [`Appearance`]: what a visible signature looks like, and where
//! - [`verify`], [`report`]: what signatures a document has, and what is wrong with them
//! - [`PreparedDocument`]: the lower door, for CMS that somebody else makes
#![deny(missing_docs)]

mod appearance;
mod catalog;
mod dictionary;
mod document;
mod error;
mod field;
mod file;
#[cfg(fuzzing)]
pub mod fuzzing;
mod lock;
mod numbering;
mod options;
mod pending;
mod placement;
mod plan;
mod prepared;
mod remark;
pub mod report;
mod rules;
mod security;
mod seed;
mod syntax;
mod tagging;
mod update;
mod verify;
mod widget;

pub use ades_core::in_place::{Check, InPlace};
pub use appearance::{Appearance, Rectangle, StampValues};
pub use error::Error;
pub use lock::FieldLock;
pub use options::{Certification, SignatureField, SignatureOptions};
pub use pending::{PendingSignature, prepare, prepare_copying};
pub use plan::{Checked, check};
pub use prepared::{PreparedDocument, SubFilter};
pub use remark::Remark;
pub use verify::{Given, verify};
