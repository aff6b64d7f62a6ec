//! XAdES baseline signatures (EN 319 132-1), and the XML they need: read as
//! strictly as XML 1.0 and its namespaces want, and canonicalised, both as a
//! stream.
//!
//! - [`prepare()`], [`PendingSignature`]: enveloped signatures, prepared here,
//!   signed elsewhere, completed anywhere; the original octets stay as they are
//! - [`verify()`], [`report`]: every signature of a document, and what it is about
//! - [`xml`]: the reader: well-formedness, namespaces, the internal DTD subset,
//!   and where each element stands in the original octets
//! - [`c14n`]: Canonical XML 1.0 and 1.1 and Exclusive Canonicalization, of
//!   documents and parts of them
#![deny(missing_docs)]

pub mod c14n;
mod complete;
mod error;
mod insertion;
mod markup;
mod pending;
mod prepare;
mod properties;
pub mod report;
mod transform;
mod value;
mod verify;
pub mod xml;

pub use error::Error;
pub use pending::PendingSignature;
pub use prepare::{MAX_BEHIND_ROOT, prepare};
pub use verify::{Given, Original, verify};
