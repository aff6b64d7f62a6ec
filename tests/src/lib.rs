//! Support for tests: a PKI, documents, and independent judges.
//!
//! A test fails if a judge that it needs is not installed. It is never skipped.
#![deny(missing_docs)]
pub use test_documents::{c14n, corpora, invoice, xml};

pub mod cms;
pub mod encodings;
pub mod evidence;
pub mod fonts;
pub mod full;
pub mod levels;
pub mod oracle;
pub mod pdf;
pub mod pki;
pub mod signing;
pub mod tampered;
pub mod time_stamping;
pub mod trusted_list;
pub mod zeros;
