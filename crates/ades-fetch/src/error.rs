use std::net::IpAddr;
use std::time::Duration;

/// Why there is no answer. The address is in the message, because it comes from a certificate or
/// from the configuration, and the operator has to know which service failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The proxy's URL is not usable.
    #[error("the proxy {url} cannot be used")]
    Proxy {
        /// the URL
        url: String,
        /// the reason
        source: reqwest::Error,
    },
    /// The HTTP client could not be made.
    #[error("the HTTP client could not be made")]
    Client(#[source] reqwest::Error),
    /// The address is not a URL of the schemes `http` and `https`.
    #[error("{url}: only http and https are supported")]
    Unsupported {
        /// the address
        url: String,
    },
    /// The address, or one that it redirects to, is inside a network.
    #[error("{url}: {address} is not a public address; allow the host if this service is meant")]
    NotPublic {
        /// the address
        url: String,
        /// where it leads
        address: IpAddr,
    },
    /// There were more redirects than the policy allows.
    #[error("{url}: more than {max} redirects")]
    Redirects {
        /// the address
        url: String,
        /// the limit
        max: usize,
    },
    /// The answer is longer than the policy allows.
    #[error("{url}: the answer is longer than {max} octets")]
    TooLong {
        /// the address
        url: String,
        /// the limit
        max: u64,
    },
    /// The host has asked to be left alone for a time.
    #[error("{url}: the service is busy; ask again after {} seconds", after.as_secs())]
    Busy {
        /// the address
        url: String,
        /// the time to wait
        after: Duration,
    },
    /// The service answered with another status than 200.
    #[error("{url}: the service answered with HTTP status {status}")]
    Status {
        /// the address
        url: String,
        /// the status
        status: u16,
    },
    /// The answer was not there in time.
    #[error("{url}: no answer in time")]
    Timeout {
        /// the address
        url: String,
    },
    /// The service cannot be reached, or the answer broke off.
    #[error("{url}: the service cannot be reached")]
    Unreachable {
        /// the address
        url: String,
        /// the reason
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer cannot be written to its file.
    #[error("{url}: the answer cannot be stored")]
    NotStored {
        /// the address
        url: String,
        /// the reason
        source: std::io::Error,
    },
}

impl FetchError {
    /// The address that was asked. `None` if none was.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Proxy { .. } | Self::Client(_) => None,
            Self::Unsupported { url }
            | Self::NotPublic { url, .. }
            | Self::Redirects { url, .. }
            | Self::TooLong { url, .. }
            | Self::Busy { url, .. }
            | Self::Status { url, .. }
            | Self::Timeout { url }
            | Self::Unreachable { url, .. }
            | Self::NotStored { url, .. } => Some(url),
        }
    }

    /// Whether the same request can succeed later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Timeout { .. } | Self::Unreachable { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..=599),
            Self::Proxy { .. }
            | Self::Client(_)
            | Self::Unsupported { .. }
            | Self::NotPublic { .. }
            | Self::Redirects { .. }
            | Self::TooLong { .. }
            | Self::NotStored { .. } => false,
        }
    }
}
