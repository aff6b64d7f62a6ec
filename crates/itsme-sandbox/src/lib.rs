#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod app_state;
mod apply_faults;
mod back_end;
mod checks;
mod config;
pub mod control;
mod der;
mod discovery;
mod error;
mod evidence;
mod faults;
mod front_end;
mod guard;
mod html;
mod pki;
mod redirect;
mod server;
pub mod sessions;
mod texts;
mod tls;
mod users;
mod wire;

pub use config::{Config, DigestAlphabet, MAX_PARTNER_CODE, MAX_SERVICE_CODE};
pub use error::{Blame, SandboxError};
pub use evidence::{EvidenceFault, EvidenceService};
pub use faults::{Endpoint, Fault, ResultMessage};
pub use pki::Pki;
pub use redirect::MAX_REDIRECT_URL;
pub use server::Sandbox;
pub use users::User;
