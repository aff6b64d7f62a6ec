//! The one place with a network behind it.

use std::time::Duration;

use ades_core::signer::BoxFuture;
use http::{Request, Response};

/// No answer may be longer, in octets.
pub const MAX_ANSWER: usize = 1024 * 1024;

/// Sends a request and yields the answer: no redirects followed, no cookies
/// kept, no retries. Time passes only here, too.
pub trait Transport: Send + Sync {
    /// Sends one request.
    fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>>;

    /// Waits before a request that may be repeated is repeated. By default not
    /// at all: only a runtime knows how to wait.
    fn pause(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The request cannot have arrived.
    #[error("cannot connect")]
    NotSent(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The other side does not accept our certificate.
    #[error("the TLS handshake was refused: is the client certificate registered and not expired?")]
    NotAuthorised(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The request may have arrived.
    #[error("no answer, or it broke off")]
    Unknown(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer is longer than [`MAX_ANSWER`].
    #[error("the answer is longer than 1 MiB")]
    TooLong,
}
