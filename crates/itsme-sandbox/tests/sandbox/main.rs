//! The sandbox from outside: over TLS, with a partner's application and a browser.
// clippy.toml allows these in test functions only, and the helpers are outside them.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod access;
mod client;
mod codes;
mod evidence;
mod faults;
mod flow;
mod openssl;
mod pages;
mod pki;
