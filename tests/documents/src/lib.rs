//! Documents that tests of several crates need. It depends on the standard library
//! only, so that every crate can use it.
#![deny(missing_docs)]
pub mod c14n;
pub mod corpora;
pub mod invoice;
pub mod large_pdf;
mod random;
pub mod xml;

pub use random::Random;
