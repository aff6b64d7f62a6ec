//! The negative and edge cases of the protocol, by their numbers.
//!
//! | numbers | covered |
//! |---|---|
//! | 1–15 | `requests`: before anything is sent |
//! | 16–27 | `wire` |
//! | 31–40 | `flow`: sessions and their states |
//! | 50–55, 57, 61–63 | `values`: certificates and values |
//! | 28–30, 41–49 | the CSC variant: not built yet |
//! | 51, 55, 58 | also `tests/tests/chains.rs` |
//! | 52, 54 | also `tests/tests/values.rs` |
//! | 56 | the key's type comes from the certificate everywhere: `tests/tests/cades_dss.rs` |
//! | 59 | revocation data belongs to a later level |
//! | 60 | `tests/tests/states.rs` |
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod flow;
mod requests;
mod script;
mod values;
mod wire;
