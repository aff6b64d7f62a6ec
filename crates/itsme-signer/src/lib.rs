#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod certificate;
pub mod codes;
pub mod config;
pub mod discovery;
mod error;
#[cfg(feature = "https")]
mod https;
mod other_answer;
mod redirect;
mod session;
mod signer;
mod terms;
pub mod text;
mod trace;
pub mod transport;
mod wire;

pub use config::Config;
pub use error::{Error, ReferenceKind};
pub use redirect::is_return_from;
pub use signer::ItsmeSigner;
pub use terms::Terms;

/// The readers of answers, for the fuzzer.
#[cfg(fuzzing)]
pub mod fuzzing {
    use crate::discovery::Discovery;
    use crate::session::{IdentificationId, SignatureId};
    use crate::wire;

    /// Reads `body` as an answer of each kind.
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
