//! A stand-in for itsme® Sign: **not itsme®, and its signatures have no legal
//! value**. It exists so that an integration of the variant with two redirects
//! and status queries can be developed, demonstrated and tested without a
//! contract.
//!
//! - The *back end* speaks the partner's protocol over (mutual) TLS:
//!   `/.well-known/configuration`, `/user_identification`,
//!   `/user_identification/status`, `/sign_document`.
//! - The *front end* has the pages a user sees, with the three-icon check, in
//!   four languages, and the [control API](control) for tests.
//! - The *PKI* is made on first use; keys never leave it.
//!
//! The test users ([`User`]) each have one habit:
//!
//! | user | habit |
//! |---|---|
//! | `ready` | has a certificate; confirms what is shown |
//! | `new` | has no certificate yet: it is created on the first identification |
//! | `blocked` | is not allowed to sign: `NOT_ALLOWED_TO_SIGN` |
//! | `refuses-identification` | refuses to identify: `REJECTED` |
//! | `expires-identification` | never answers the identification: `EXPIRED` after three minutes |
//! | `refuses-signing` | refuses every signature |
//! | `expires-signing` | never answers a signature |
//! | `slow` | takes [`sessions::SLOW_SECONDS`] over every answer |
//! | `renews` | has another certificate by the time of the signature: the value does not fit the first |
//!
//! With [`Config::dir`] the PKI stays the same from one start to the next, and
//! what an application needs lies on top of the directory: `server-ca.pem` (to
//! trust the back end), `client.pem` (certificate and key to show it),
//! `root.pem` (to trust the signers), `chain.pem` (issuing CA and root).
//!
//! Where the service's documentation is silent the sandbox assumes, and says
//! so:
//!
//! - A refused or expired signature is answered with `RequesterError` and `min`
//!   REJECTED or EXPIRED; it expires after [`sessions::SIGN_SECONDS`]; a result
//!   may be fetched again.
//! - The redirect URL matches exactly, query included; one on a loopback
//!   address may have any port.
//! - A user code that is not one of this partner's is INVALID_REQUESTOR, an id
//!   that is there twice INVALID_DIGEST_INFO, a text that is too long or not in
//!   its character set UNEXPECTED_ERROR, another field that is missing
//!   INCOMPLETE_REQUEST.
//!
//! ```no_run
//! # async fn run() -> Result<(), itsme_sandbox::SandboxError> {
//! use itsme_sandbox::{Config, Sandbox};
//!
//! let sandbox = Sandbox::start(Config { auto_approve: true, ..Config::default() }).await?;
//! println!("{} with {}", sandbox.base_url(), sandbox.client_identity_pem());
//! sandbox.shutdown().await;
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]

mod back_end;
pub mod control;
mod faults;
mod front_end;
mod pki;
mod server;
pub mod sessions;
mod texts;
mod users;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use faults::{Endpoint, Fault};
pub use server::Sandbox;
pub use users::User;

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the back end listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the pages and the control API are.
    pub front_listen: SocketAddr,
    /// Where the PKI is kept; `None`: in memory.
    pub dir: Option<PathBuf>,
    /// Whether the back end demands a client certificate.
    pub mutual_tls: bool,
    /// Whether [`auto_user`](Self::auto_user) answers at once, without a browser.
    pub auto_approve: bool,
    /// Who answers.
    pub auto_user: User,
    /// The one partner code that is known.
    pub partner_code: String,
    /// The one service code that is known.
    pub service_code: String,
    /// The redirect URL that is registered. One on a loopback address may have
    /// any port (RFC 8252, 7.3).
    pub redirect_url: String,
    /// Whether the contract has the batch option.
    pub batch: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            front_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            dir: None,
            mutual_tls: true,
            auto_approve: false,
            auto_user: User::Ready,
            partner_code: "SANDBOX".to_owned(),
            service_code: "SANDBOX_SIGN".to_owned(),
            redirect_url: "http://127.0.0.1/itsme/return".to_owned(),
            batch: true,
        }
    }
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A file or socket
    #[error("the sandbox cannot read or write its files or open its ports")]
    Io(#[source] io::Error),
    /// The PKI's files
    #[error("the sandbox's PKI cannot be made or read")]
    Certificate(#[from] rcgen::Error),
    /// A stored key
    #[error("a key of the sandbox's PKI is not usable")]
    Key,
    /// TLS
    #[error("the sandbox's TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}
