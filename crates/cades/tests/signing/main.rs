//! Signatures made, stored, completed and verified with Rust alone.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod adding;
mod new;
mod signer;
