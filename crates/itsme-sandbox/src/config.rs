//! How a sandbox is set up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use url::Host;

use crate::SandboxError;
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
    /// The name or address that both are reached at, where that is not the
    /// address they listen at: in a container, or behind `0.0.0.0`, which without
    /// it is taken for this machine alone.
    pub public_host: Option<String>,
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
    /// The redirect URLs that are registered: at least one. One on a loopback
    /// address may have any port (RFC 8252, 7.3).
    pub redirect_urls: Vec<String>,
    /// Whether the contract has the batch option.
    pub batch: bool,
}

impl Config {
    /// The registered redirect URLs, if the whole configuration makes sense.
    pub(crate) fn check(&self) -> Result<Registered, SandboxError> {
        let within = |text: &str, max| (1..=max).contains(&text.chars().count());
        if !within(&self.partner_code, MAX_PARTNER_CODE) {
            return Err(SandboxError::Config { field: "partner_code" });
        }
        if !within(&self.service_code, MAX_SERVICE_CODE) {
            return Err(SandboxError::Config { field: "service_code" });
        }
        self.host_of(self.listen)?;
        Registered::new(&self.redirect_urls)
            .map_err(|_| SandboxError::Config { field: "redirect_urls" })
    }

    /// What a listener at this address is called in URLs and certificates.
    pub(crate) fn host_of(&self, listen: SocketAddr) -> Result<Host, SandboxError> {
        match (&self.public_host, listen.ip()) {
            (Some(name), _) => match name.parse() {
                Ok(IpAddr::V4(address)) => Ok(Host::Ipv4(address)),
                Ok(IpAddr::V6(address)) => Ok(Host::Ipv6(address)),
                Err(_) => {
                    Host::parse(name).map_err(|_| SandboxError::Config { field: "public_host" })
                }
            },
            (None, IpAddr::V4(address)) if address.is_unspecified() => {
                Ok(Host::Ipv4(Ipv4Addr::LOCALHOST))
            }
            (None, IpAddr::V6(address)) if address.is_unspecified() => {
                Ok(Host::Ipv6(Ipv6Addr::LOCALHOST))
            }
            (None, IpAddr::V4(address)) => Ok(Host::Ipv4(address)),
            (None, IpAddr::V6(address)) => Ok(Host::Ipv6(address)),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            front_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_host: None,
            dir: None,
            mutual_tls: true,
            auto_approve: false,
            auto_user: User::Ready,
            partner_code: "SANDBOX".to_owned(),
            service_code: "SANDBOX_SIGN".to_owned(),
            redirect_urls: vec!["http://127.0.0.1/itsme/return".to_owned()],
            batch: true,
        }
    }
}
