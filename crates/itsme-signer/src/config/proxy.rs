//! The proxy between the application and the back end.

use std::fmt;

use url::Url;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::redirect;

/// An HTTP proxy. The connection to the back end is tunnelled through it (CONNECT),
/// so that TLS and the client certificate reach from end to end. `Debug` shows no
/// credentials.
#[derive(Clone)]
pub struct Proxy {
    url: String,
    credentials: Option<(String, Zeroizing<String>)>,
}

impl Proxy {
    /// The proxy at an http URL without path.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), credentials: None }
    }

    /// Adds the user name and the password for the proxy (RFC 7617).
    #[must_use]
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.credentials = Some((user.into(), Zeroizing::new(password.into())));
        self
    }

    /// The URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// User name and password, for a transport.
    #[must_use]
    pub fn user_and_password(&self) -> Option<(&str, &str)> {
        self.credentials.as_ref().map(|(user, password)| (user.as_str(), password.as_str()))
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let fail = |problem: &str| {
            // The URL can hold a password, so the message does not show it.
            Err(Error::config("proxy.url", problem))
        };
        let Ok(url) = Url::parse(&self.url) else { return fail("is not a URL") };
        if redirect::has_user_info(&url) {
            return fail("has a user name or password: use proxy.user and proxy.password_env");
        }
        if url.scheme() != "http" {
            return fail("is not an http URL: other kinds of proxies are not supported");
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return fail("has more than a host and a port");
        }
        match &self.credentials {
            Some((user, _)) if user.is_empty() || user.contains(':') => {
                Err(Error::config("proxy.user", "is empty or has a colon"))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy(..)")
    }
}
