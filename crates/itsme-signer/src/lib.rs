//! itsme® Sign behind [`ades_core::RemoteSigner`]: the variant of the protocol
//! with two redirects (identify, sign) and status queries over mutual TLS.
//!
//! ```no_run
//! # #[cfg(feature = "https")]
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
//! [`ItsmeSigner::resolve`] yields the [`Terms`]: policy and commitment, once
//! for the signature and once for what the user is shown.
//!
//! `docs/itsme-flow.md` walks through the whole flow. Inside, requests are
//! built and answers read by pure functions; [`transport`] is the only I/O. The
//! feature `https` (on by default) brings one over reqwest and rustls.
#![deny(missing_docs)]

pub mod codes;
pub mod config;
pub mod discovery;
mod error;
mod fitness;
#[cfg(feature = "https")]
mod https;
mod instead;
mod observe;
mod redirect;
mod session;
mod signer;
mod terms;
pub mod text;
pub mod transport;
mod wire;

pub use config::Config;
pub use error::Error;
pub use redirect::is_return_from;
pub use signer::ItsmeSigner;
pub use terms::Terms;

/// The answers' readers, for the fuzzer.
#[cfg(fuzzing)]
pub mod fuzzing {
    use crate::discovery::Discovery;
    use crate::session::{IdentificationId, SignatureId};
    use crate::wire;

    /// Reads `body` as every answer there is.
    pub fn answers(status: u16, body: &[u8]) {
        let _ = wire::identification_answer(status, body);
        let _ = wire::sign_answer(status, body, "r");
        if let (Some(one), Some(two)) = (IdentificationId::new("i"), SignatureId::new("s")) {
            let _ = wire::identification_status_answer(status, body, &one);
            let _ = wire::sign_status_answer(status, body, "r", &two, true);
        }
        let _ = Discovery::from_json(body);
    }
}
