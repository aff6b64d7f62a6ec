//! What several crates' tests need: a PKI, and the judges others made.
//!
//! A judge that is not installed makes a test fail, never skip.
#![deny(missing_docs)]
// Test support: a broken assumption is a failed test.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::panic,
    clippy::unwrap_used
)]

pub mod oracle;
pub mod pki;
pub mod signing;
