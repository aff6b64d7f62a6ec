//! The configuration of a sandbox.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use url::Host;

use crate::SandboxError;
use crate::evidence::{EvidenceFault, EvidenceService};
use crate::redirect::{MAX_REDIRECT_URL, RegisteredUrls};
use crate::users::User;

/// Maximum length of a partner code, in characters.
pub const MAX_PARTNER_CODE: usize = 10;
/// Maximum length of a service code, in characters.
pub const MAX_SERVICE_CODE: usize = 45;

/// The configuration of a sandbox. Start with [`Config::default`]; each field
/// has a setter of the same name.
///
/// ```
/// use itsme_sandbox::{Config, User};
///
/// let config = Config::default().partner_code("ACME").auto_approve(true).auto_user(User::Slow);
/// assert!(config.mutual_tls);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The address of the back end. Port 0 takes a free port.
    pub listen: SocketAddr,
    /// The address of the pages and the control API. The control API needs no
    /// password, so keep it on a loopback address.
    pub front_listen: SocketAddr,
    /// The host name or address in URLs and in the certificate of the back end.
    /// Set it if clients reach the sandbox at another address than it listens
    /// at, as in a container. Without it, `0.0.0.0` means the loopback address.
    pub public_host: Option<String>,
    /// The directory of the PKI. `None` keeps the PKI in memory.
    pub dir: Option<PathBuf>,
    /// Whether the back end requires a client certificate.
    pub mutual_tls: bool,
    /// Whether [`auto_user`](Self#structfield.auto_user) answers every session
    /// immediately, without a browser.
    pub auto_approve: bool,
    /// The user who answers if `auto_approve` is set.
    pub auto_user: User,
    /// The only known partner code, 1 to [`MAX_PARTNER_CODE`] characters.
    pub partner_code: String,
    /// The only known service code, 1 to [`MAX_SERVICE_CODE`] characters.
    pub service_code: String,
    /// The registered redirect URLs, at least one. A URL on a loopback address
    /// may have any port (RFC 8252, 7.3).
    pub redirect_urls: Vec<String>,
    /// Whether the contract has the batch option.
    pub batch: bool,
    /// The alphabets of base64 that digests may be in.
    pub digests: DigestAlphabet,
    /// Faults that every answer of these evidence services has. A fault of the control API comes
    /// before them.
    pub evidence_faults: Vec<(EvidenceService, EvidenceFault)>,
}

/// The alphabet of base64 (RFC 4648) in which the sandbox accepts digests. The documentation of
/// the service contradicts itself about it: the prose asks for base64url, the table of fields for
/// base64, and the examples have base64.
///
/// A digest without any of the characters in which the alphabets differ is accepted with each of
/// them if it has its padding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigestAlphabet {
    /// Both, each digest in one of them.
    #[default]
    Any,
    /// base64 with padding only.
    Base64,
    /// base64url only, with or without padding.
    Base64Url,
}

macro_rules! setters {
    ($($field:ident: $value:ty;)*) => {
        impl Config {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                #[must_use]
                pub fn $field(mut self, $field: impl Into<$value>) -> Self {
                    self.$field = $field.into();
                    self
                }
            )*
        }
    };
}

setters! {
    listen: SocketAddr;
    front_listen: SocketAddr;
    public_host: Option<String>;
    dir: Option<PathBuf>;
    mutual_tls: bool;
    auto_approve: bool;
    auto_user: User;
    partner_code: String;
    service_code: String;
    redirect_urls: Vec<String>;
    batch: bool;
    digests: DigestAlphabet;
    evidence_faults: Vec<(EvidenceService, EvidenceFault)>;
}

impl Config {
    /// Checks the configuration and returns the registered redirect URLs.
    pub(crate) fn check(&self) -> Result<RegisteredUrls, SandboxError> {
        check_length("partner_code", &self.partner_code, MAX_PARTNER_CODE)?;
        check_length("service_code", &self.service_code, MAX_SERVICE_CODE)?;
        self.host_of(self.listen)?;
        if let Some((service, fault)) =
            self.evidence_faults.iter().find(|(service, fault)| !fault.fits(*service))
        {
            let problem = format!("have {fault:?}, which {} cannot have", service.name());
            return Err(SandboxError::config("evidence_faults", problem));
        }
        RegisteredUrls::new(&self.redirect_urls).map_err(|_| {
            let problem = format!(
                "is {:?}; it needs at least one URL, each https or http on a loopback address, \
                 without user name, password and fragment, and of at most {MAX_REDIRECT_URL} \
                 ASCII characters",
                self.redirect_urls
            );
            SandboxError::config("redirect_urls", problem)
        })
    }

    /// The fault that every answer of a service has.
    pub(crate) fn evidence_fault(&self, service: EvidenceService) -> Option<EvidenceFault> {
        let own = self.evidence_faults.iter().find(|(other, _)| *other == service);
        own.map(|(_, fault)| fault.clone())
    }

    /// The host of a listener's address in URLs and certificates.
    pub(crate) fn host_of(&self, listen: SocketAddr) -> Result<Host, SandboxError> {
        match (&self.public_host, listen.ip()) {
            (Some(name), _) => match name.parse() {
                Ok(IpAddr::V4(address)) => Ok(Host::Ipv4(address)),
                Ok(IpAddr::V6(address)) => Ok(Host::Ipv6(address)),
                Err(_) => {
                    let problem = || format!("is {name:?}, which is not a host name or address");
                    Host::parse(name).map_err(|_| SandboxError::config("public_host", problem()))
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

fn check_length(field: &'static str, code: &str, max: usize) -> Result<(), SandboxError> {
    let length = code.chars().count();
    if (1..=max).contains(&length) {
        return Ok(());
    }
    let problem = format!("has {length} characters; it must have 1 to {max}");
    Err(SandboxError::config(field, problem))
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
            digests: DigestAlphabet::Any,
            evidence_faults: Vec::new(),
        }
    }
}
