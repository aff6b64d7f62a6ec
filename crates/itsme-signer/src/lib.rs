//! itsme® Sign behind [`ades_core::RemoteSigner`]: the variant of the protocol
//! with two redirects (identify, sign) and status queries over mutual TLS.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use ades_core::RemoteSigner;
//! use ades_core::signer::{IdentificationRequest, Step};
//! use itsme_signer::{Config, ItsmeSigner};
//!
//! let signer = ItsmeSigner::new(Config::load("itsme.toml")?)?;
//! if let Step::Redirect { url, session } = signer.identify(IdentificationRequest::default()).await? {
//!     let stored = serde_json::to_string(&session)?; // any process can go on from here
//!     println!("send the browser to {url}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! `docs/itsme-flow.md` walks through the whole flow. Inside, requests are
//! built and answers read by pure functions; [`transport`] is the only I/O.
#![deny(missing_docs)]

pub mod codes;
pub mod config;
pub mod discovery;
mod error;
mod redirect;
mod session;
mod signer;
pub mod text;
pub mod transport;
mod wire;

pub use config::Config;
pub use error::Error;
pub use signer::ItsmeSigner;
