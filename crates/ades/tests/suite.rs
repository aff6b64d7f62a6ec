//! The facade over all formats, with Rust alone.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

#[path = "suite/batch.rs"]
mod batch;
#[path = "suite/formats.rs"]
mod formats;
#[path = "suite/options.rs"]
mod options;
#[path = "suite/pki.rs"]
mod pki;
#[path = "suite/verdicts.rs"]
mod verdicts;
