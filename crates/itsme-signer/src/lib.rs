#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod certificate;
pub mod codes;
pub mod config;
pub mod discovery;
mod error;
mod http_answer;
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
pub use other_answer::UndocumentedAnswer;
pub use redirect::{is_return_from, return_key};
pub use session::{identification_deadline, signing_deadline};
pub use signer::ItsmeSigner;
pub use terms::Terms;

/// The readers of answers, for the fuzzer.
#[cfg(fuzzing)]
pub mod fuzzing {
    use chrono::{DateTime, Utc};

    use crate::discovery::Discovery;
    use crate::http_answer::Answer;
    use crate::session::{IdentificationId, SignatureId};
    use crate::wire;

    /// Reads `body` as an answer of each kind.
    pub fn answers(status: u16, body: &[u8]) {
        let mut response = http::Response::new(body.to_vec());
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        let answer = &Answer::new(response, DateTime::<Utc>::UNIX_EPOCH);
        let _ = wire::identification_answer(answer);
        let _ = wire::sign_answer(answer, "r");
        if let (Some(one), Some(two)) = (IdentificationId::new("i"), SignatureId::new("s")) {
            let _ = wire::identification_status_answer(answer, &one);
            let _ = wire::sign_status_answer(answer, "r", &two, true);
        }
        let _ = Discovery::from_json(body);
    }
}
