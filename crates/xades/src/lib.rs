//! XML for signatures: read as strictly as XML 1.0 and its namespaces want,
//! and canonicalised, both as a stream.
//!
//! - [`xml`]: the reader: well-formedness, namespaces, the internal DTD subset,
//!   and where each element stands in the original octets
//! - [`c14n`]: Canonical XML 1.0 and 1.1 and Exclusive Canonicalization, of
//!   documents and parts of them
#![deny(missing_docs)]

pub mod c14n;
mod error;
pub mod xml;

pub use error::Error;
