//! Signatures made, stored, completed and verified with Rust alone.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod adding;
mod encodings;
mod new;
mod signer;
