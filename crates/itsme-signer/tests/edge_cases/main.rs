//! The negative and edge cases of the protocol, by their numbers.
//!
//! | numbers | covered |
//! |---|---|
//! | 1–14 | `requests`: before anything is sent |
//! | 15 | `terms`: policy and commitment |
//! | 16–27 | `wire`: what is sent and what comes back |
//! | 31–40 | `flow`: sessions and their states |
//! | 31, 32, 34 | also the pages of `crates/ades-cli/src/drive.rs` and `crates/ades-cli/tests/sandbox.rs` |
//! | 38, 40 | also `crates/ades-cli/tests/sandbox.rs` |
//! | 50–57, 62, 63 | `values`: certificates and values |
//! | 61 | `logs`: a whole flow's logs, `Debug` and `Display` of errors |
//! | 28–30, 41–49 | the CSC variant: not built yet |
//! | 50, 51, 55, 58, 61 | also `tests/tests/chains.rs` |
//! | 52, 54 | also `tests/tests/values.rs` |
//! | 56 | also `tests/tests/pades_signing.rs`: the room in a PDF |
//! | 59 | revocation data belongs to a later level |
//! | 60 | `tests/tests/states.rs`, and `crates/ades-cli/tests/sandbox.rs` |
//! | 62 | also `tests/config.rs`, over a real connection |
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod flow;
mod logs;
mod requests;
mod script;
mod terms;
mod values;
mod wire;
