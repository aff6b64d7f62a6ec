//! What several crates' tests need: a PKI, documents, and the judges others made.
//!
//! A judge that is not installed makes a test fail, never skip.
#![deny(missing_docs)]
pub use test_documents::{c14n, corpora, xml};

pub mod cms;
pub mod fonts;
pub mod full;
pub mod invoice;
pub mod oracle;
pub mod pdf;
pub mod pki;
pub mod signing;
pub mod zeros;
