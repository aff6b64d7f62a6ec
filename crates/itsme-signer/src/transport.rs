//! The only I/O of this crate: one HTTP request at a time.

use std::time::Duration;

use ades_core::signer::BoxFuture;
use http::{Request, Response};

/// Maximum length of an answer's body, in octets.
pub const MAX_ANSWER: usize = 1024 * 1024;

/// Sends HTTP requests, and waits between them. An implementation follows no
/// redirects, keeps no cookies and repeats nothing by itself.
pub trait Transport: Send + Sync {
    /// Sends one request and returns its answer.
    fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>>;

    /// Waits before a request is repeated. The default does not wait, because
    /// waiting needs a runtime.
    fn pause(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The request cannot have reached the server
    #[error("cannot connect")]
    NotSent(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server does not accept the client certificate
    #[error(
        "the server refused the TLS handshake: check that the client certificate is registered \
         and has not expired"
    )]
    NotAuthorised(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The request may have reached the server
    #[error("no answer arrived, or its connection broke")]
    Unknown(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer is longer than [`MAX_ANSWER`]
    #[error("the answer is longer than 1 MiB")]
    TooLong,
}
