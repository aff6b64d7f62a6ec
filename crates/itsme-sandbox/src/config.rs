//! How a sandbox is set up, and why one may not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::redirect::Registered;
use crate::users::User;

/// A partner code has at most this many characters.
pub const MAX_PARTNER_CODE: usize = 10;
/// A service code has at most this many characters.
pub const MAX_SERVICE_CODE: usize = 45;

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the back end listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the pages and the control API are. The control API asks for no
    /// password: leave it on a loopback address.
    pub front_listen: SocketAddr,
    /// Where the PKI is kept; `None`: in memory.
    pub dir: Option<PathBuf>,
    /// Whether the back end demands a client certificate.
    pub mutual_tls: bool,
    /// Whether [`auto_user`](Self::auto_user) answers at once, without a browser.
    pub auto_approve: bool,
    /// Who identifies where nobody clicks.
    pub auto_user: User,
    /// The one partner code that is known: 1 to [`MAX_PARTNER_CODE`] characters.
    pub partner_code: String,
    /// The one service code that is known: 1 to [`MAX_SERVICE_CODE`] characters.
    pub service_code: String,
    /// The redirect URL that is registered. One on a loopback address may have
    /// any port (RFC 8252, 7.3).
    pub redirect_url: String,
    /// Whether the contract has the batch option.
    pub batch: bool,
}

impl Config {
    /// The registered redirect URL, if the whole configuration makes sense.
    pub(crate) fn check(&self) -> Result<Registered, SandboxError> {
        let within = |text: &str, max| (1..=max).contains(&text.chars().count());
        if !within(&self.partner_code, MAX_PARTNER_CODE) {
            return Err(SandboxError::Config("partner_code"));
        }
        if !within(&self.service_code, MAX_SERVICE_CODE) {
            return Err(SandboxError::Config("service_code"));
        }
        Registered::new(&self.redirect_url).map_err(|_| SandboxError::Config("redirect_url"))
    }
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
    /// A certificate
    #[error("the sandbox's PKI cannot be made or read")]
    Certificate(#[from] rcgen::Error),
    /// A field of [`Config`]
    #[error("the sandbox's configuration: {0} is not usable")]
    Config(&'static str),
    /// A file or socket
    #[error("the sandbox cannot read or write its files or open its ports")]
    Io(#[source] io::Error),
    /// A stored key
    #[error("a key of the sandbox's PKI is not usable")]
    Key,
    /// A file of the PKI that holds something else; without the whole directory
    /// a new PKI is made
    #[error("{} does not hold a certificate and a key", .0.display())]
    PkiFile(PathBuf),
    /// TLS
    #[error("the sandbox's TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}
