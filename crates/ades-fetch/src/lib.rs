#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod addresses;
mod busy;
mod error;
mod fetcher;
mod policy;
mod sink;

pub use error::FetchError;
pub use fetcher::{Exchange, Fetcher};
pub use policy::{Allowed, Hosts, Limits, NotAllowable, Policy};
