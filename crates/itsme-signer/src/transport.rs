//! The only I/O of this crate: one HTTP request at a time.

use std::time::Duration;

use ades_core::signer::BoxFuture;
use http::{Request, Response};

/// Maximum length of an answer's body, in octets.
pub const MAX_ANSWER: usize = 1024 * 1024;

/// Sends HTTP requests, and waits between them. An implementation follows no
/// redirects, keeps no cookies and repeats nothing by itself.
pub trait Transport: Send + Sync {
    /// Sends one request and returns its answer, with the headers.
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
    /// The proxy does not connect to the server
    #[error(
        "the proxy {proxy} refuses to connect to {host}: check proxy.url, proxy.user and \
         proxy.password_env, and that the proxy allows this host"
    )]
    ProxyRefused {
        /// the URL of the proxy
        proxy: String,
        /// the host of the server
        host: String,
        /// the error of the HTTP client
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server does not prove that it is the configured one. Nothing was sent
    #[error("{host} cannot be trusted: {problem}")]
    UntrustedServer {
        /// the host of the server
        host: String,
        /// the fault of its certificate
        problem: ServerProblem,
        /// the error of the TLS library
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The request may have reached the server
    #[error("no answer arrived, or its connection broke")]
    Unknown(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer is longer than [`MAX_ANSWER`]
    #[error("the answer is longer than 1 MiB")]
    TooLong,
}

/// Why a server is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerProblem {
    /// The certificate is not acceptable, for another reason than those below
    #[error("its certificate is not acceptable")]
    Certificate,
    /// The certificate has expired
    #[error(
        "its certificate has expired: the operator has to renew it, or the clock of this machine \
         is wrong"
    )]
    Expired,
    /// The certificate is not valid yet
    #[error("its certificate is not valid yet: check the clock of this machine")]
    NotYetValid,
    /// The certificate names other hosts
    #[error("its certificate is for another host: check base_url")]
    OtherHost,
    /// The certificate leads to none of the trust anchors
    #[error(
        "its certificate leads to none of the trust anchors: check server.ca, and whether a proxy \
         between this machine and the server intercepts TLS"
    )]
    UnknownIssuer,
    /// The server does not speak TLS 1.2 or 1.3
    #[error("it does not speak TLS 1.2 or 1.3: check host and port of base_url")]
    NoTls,
}

impl TransportError {
    /// Whether the request certainly did not reach the service.
    pub(crate) const fn never_arrived(&self) -> bool {
        match self {
            Self::NotSent(_)
            | Self::NotAuthorised(_)
            | Self::ProxyRefused { .. }
            | Self::UntrustedServer { .. } => true,
            Self::TooLong | Self::Unknown(_) => false,
        }
    }

    /// Whether somebody has to correct something before a request can succeed.
    pub(crate) const fn needs_correction(&self) -> bool {
        match self {
            Self::NotAuthorised(_) | Self::ProxyRefused { .. } | Self::UntrustedServer { .. } => {
                true
            }
            Self::NotSent(_) | Self::TooLong | Self::Unknown(_) => false,
        }
    }
}
