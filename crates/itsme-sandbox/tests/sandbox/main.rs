//! The sandbox from outside: over TLS, as a partner's application and as a
//! browser.
// Helpers of tests are not in test functions, which is where clippy.toml allows these.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod client;
mod codes;
mod faults;
mod flow;
mod openssl;
mod pages;
mod pki;
