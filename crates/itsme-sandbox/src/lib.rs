//! A stand-in for itsme® Sign: **not itsme®, and its signatures have no legal
//! value**. It exists so that an integration of the variant with two redirects
//! and status queries (`qes-partners/1.0.0`) can be developed, demonstrated and
//! tested without a contract.
//!
//! - The *back end* speaks the partner's protocol over mutual TLS:
//!   `/.well-known/configuration`, `/user_identification`,
//!   `/user_identification/status`, `/sign_document`.
//! - The *front end* has the pages a user sees, with the three-icon check, in
//!   four languages, and the [control API](control) for tests. It is for
//!   loopback addresses: the control API asks for no password.
//! - The *PKI* is made on first use. Keys never leave it, but for the client's
//!   of TLS.
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
//!
//! # Test users
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
//! | `renews` | has a new certificate by the time of the signature, so that the value does not fit the first |
//!
//! With [`Config::auto_approve`], [`Config::auto_user`] answers every session
//! the moment it is opened; no browser is needed.
//!
//! # The directory
//!
//! With [`Config::dir`] the PKI stays the same from one start to the next. What
//! an application needs lies on top: `server-ca.pem` (to trust the back end),
//! `client.pem` (certificate and PKCS #8 key to show it), `root.pem` (to trust
//! the signers), `chain.pem` (issuing CA and root). The rest is under
//! `private/`. Several sandboxes, in this process or others, may share it.
//!
//! # Assumptions
//!
//! Where the service's documentation is silent the sandbox assumes, and says so:
//!
//! - A signature that the user refused or let expire is HTTP 409 with
//!   `RequesterError` and `min` REJECTED or EXPIRED; it expires after
//!   [`sessions::SIGN_SECONDS`].
//! - A result may be fetched again until the session is forgotten
//!   ([`sessions::RETENTION_SECONDS`]).
//! - A redirect URL matches octet by octet, query included; only a loopback
//!   address may have any port.
//! - A user code that is not one of this partner's is `INVALID_REQUESTOR`; an
//!   id that is there twice is `INVALID_DIGEST_INFO`; a field that is missing
//!   or of the wrong type is `INCOMPLETE_REQUEST`; a description or role that
//!   is too long or not in its character set is `UNEXPECTED_ERROR`.
//!
//! It does not check source addresses, has no `verify_document`, serves no OCSP
//! or CRLs, and knows nothing of the variant after the CSC specification.
#![deny(missing_docs)]

mod back_end;
mod checks;
mod config;
pub mod control;
mod discovery;
mod error;
mod faults;
mod front_end;
mod html;
mod pki;
mod redirect;
mod server;
pub mod sessions;
mod spoil;
mod texts;
mod tls;
mod users;
mod wire;
mod world;

pub use config::{Config, MAX_PARTNER_CODE, MAX_SERVICE_CODE};
pub use error::{Blame, SandboxError};
pub use faults::{Endpoint, Fault, ResultMessage};
pub use pki::Pki;
pub use redirect::MAX_REDIRECT_URL;
pub use server::Sandbox;
pub use users::User;
