//! XAdES baseline signatures (EN 319 132-1), and the XML they need: read as
//! strictly as XML 1.0 and its namespaces want, and canonicalised, both as a
//! stream.
//!
//! - [`prepare()`], [`prepare_detached`], [`prepare_countersignature`],
//!   [`PendingSignature`]: signatures in documents, around them and beside them,
//!   prepared here, signed elsewhere, completed anywhere; the original octets
//!   stay as they are
//! - [`check()`], [`check_countersignature`]: what would be wrong, before there is a
//!   certificate
//! - [`SignatureOptions`]: what is signed, where the signature goes
//! - [`verify()`], [`report`]: every signature of a document, and what it is about
//! - [`xml`]: the reader: well-formedness, namespaces, the internal DTD subset,
//!   and where each element stands in the original octets
//! - [`c14n`]: Canonical XML 1.0 and 1.1 and Exclusive Canonicalization, of
//!   documents and parts of them
#![deny(missing_docs)]

pub mod c14n;
mod complete;
mod countersignature;
mod detached;
mod draft;
mod earlier;
mod envelop;
mod error;
mod insertion;
mod markup;
mod options;
mod original;
mod pending;
mod prepare;
mod properties;
mod reference;
pub mod report;
mod transform;
mod value;
mod verify;
pub mod xml;

pub use countersignature::{check_countersignature, prepare_countersignature};
pub use detached::{Content, Listing, prepare_detached};
pub use error::Error;
pub use options::{Packaging, Position, ProductionPlace, SignatureOptions};
pub use pending::PendingSignature;
pub use prepare::{MAX_BEHIND_ROOT, check, prepare};
pub use verify::{Given, Original, verify};
