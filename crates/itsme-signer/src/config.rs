//! The configuration of one partner's access: an `itsme.toml`, whose keys
//! `itsme.example.toml` in this crate documents, or [`Settings`].

mod client;
mod file;
mod proxy;
mod warning;

use std::fmt;
use std::time::Duration;

use ades_core::chain::anchors_from_pem;
use ades_core::signer::Language;
use serde::Deserialize;

use crate::error::Error;
use crate::redirect;

pub use client::ClientIdentity;
pub use proxy::Proxy;
pub use warning::ConfigWarning;

/// Maximum number of digests that itsme® signs with one confirmation.
pub const MAX_BATCH: usize = 70;
/// Maximum length of a description, in characters. It was 50 before 2024.
pub const MAX_DESCRIPTION: usize = 255;
/// Maximum of every time in `[limits]`, in seconds.
const MAX_SECONDS: u64 = 24 * 60 * 60;
/// Maximum length of a partner code, in characters.
const MAX_PARTNER_CODE: usize = 10;
/// Maximum length of a service code, in characters.
const MAX_SERVICE_CODE: usize = 45;

/// [`Settings`] that were checked. They are immutable.
///
/// ```
/// use itsme_signer::Config;
/// use itsme_signer::config::Settings;
///
/// let mut settings = Settings::new(
///     "https://itsme-back-end.example",
///     "DEMOPARTNR",
///     "DEMO_SIGN",
///     "https://sign.example.org/itsme/return",
/// );
/// settings.allowed_hosts = vec!["itsme-front-end.example".to_owned()];
/// let config = Config::new(settings)?;
/// assert_eq!(config.settings().limits.batch, 70);
/// # Ok::<(), itsme_signer::Error>(())
/// ```
#[derive(Clone)]
pub struct Config {
    settings: Settings,
    warnings: Vec<ConfigWarning>,
}

/// The settings of one partner's access.
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The address of the back end: an https URL
    pub base_url: String,
    /// The partner code, 1 to 10 characters
    pub partner_code: String,
    /// The service code, 1 to 45 characters
    pub service_code: String,
    /// The URL that the user returns to, exactly as registered
    pub redirect_url: String,
    /// The language of requests that name none
    pub language: Language,
    /// Which user certificates are accepted
    pub profile: Profile,
    /// Whether http is accepted on loopback addresses, for the sandbox
    pub allow_loopback_http: bool,
    /// The hosts that the service may send the user to
    pub allowed_hosts: Vec<String>,
    /// The client certificate and its key
    pub client: Option<ClientIdentity>,
    /// The trust anchors of the back end as PEM; `None` means the system's
    pub server_ca_pem: Option<String>,
    /// The proxy to the back end; `None` means a direct connection. The environment
    /// is not read
    pub proxy: Option<Proxy>,
    /// The policy and commitment of requests that name none
    pub policy: PolicyConfig,
    /// How requests are written
    pub request: RequestForm,
    /// Limits and times
    pub limits: Limits,
    /// Deviations of the service that are accepted
    pub tolerance: Tolerance,
}

/// Which user certificates are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Profile {
    /// Test certificates are refused
    Production,
    /// Test certificates are accepted
    Test,
}

/// The default policy and commitment, which
/// [`ItsmeSigner::resolve`](crate::ItsmeSigner::resolve) uses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct PolicyConfig {
    /// The reference of the policy in the discovery document
    pub reference: Option<String>,
    /// The reference of the commitment in the discovery document
    pub commitment: Option<String>,
    /// Whether a policy is sent unchecked when the discovery document cannot
    /// be fetched
    pub allow_unchecked: bool,
}

/// How requests are written where the documents of the service disagree.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RequestForm {
    /// The header `X-Partner-Code`, which only the interface description names
    pub x_partner_code: Option<String>,
    /// Whether digests use the URL-safe alphabet of base64, which only the
    /// prose asks for
    pub url_safe_digests: bool,
}

/// Limits and times.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// Maximum number of digests in one batch, 1 to 70
    pub batch: usize,
    /// Maximum length of a description in characters: 255 since 2024, 50 before
    pub description: usize,
    /// Maximum wait for a connection, in seconds
    pub connect_seconds: u64,
    /// Maximum wait for an answer, in seconds
    pub answer_seconds: u64,
    /// Maximum wait for the user in one session, in seconds
    pub session_seconds: u64,
    /// Maximum number of consecutive unclear answers to status queries, after which
    /// a step is an error. The session stays usable. `None`: as long as the session
    /// lasts
    pub status_failures: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch: MAX_BATCH,
            description: MAX_DESCRIPTION,
            connect_seconds: 10,
            answer_seconds: 30,
            session_seconds: 600,
            status_failures: None,
        }
    }
}

impl Limits {
    /// Maximum wait for a connection.
    #[must_use]
    pub const fn connect(&self) -> Duration {
        Duration::from_secs(self.connect_seconds)
    }

    /// Maximum wait for an answer.
    #[must_use]
    pub const fn answer(&self) -> Duration {
        Duration::from_secs(self.answer_seconds)
    }
}

/// Deviations of the service that are accepted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Tolerance {
    /// Whether values in the URL-safe alphabet of base64 are decoded
    pub url_safe_values: bool,
    /// Whether values with swapped ids are assigned to the digests for which they
    /// verify
    pub reordered_values: bool,
    /// Whether plain characters replace typographic ones in texts
    pub transliterate: bool,
}

impl Settings {
    /// The four settings without a default; all others have their defaults.
    #[must_use]
    pub fn new(
        base_url: impl Into<String>,
        partner_code: impl Into<String>,
        service_code: impl Into<String>,
        redirect_url: impl Into<String>,
    ) -> Self {
        Self {
            base_url: base_url.into(),
            partner_code: partner_code.into(),
            service_code: service_code.into(),
            redirect_url: redirect_url.into(),
            language: Language::En,
            profile: Profile::Production,
            allow_loopback_http: false,
            allowed_hosts: Vec::new(),
            client: None,
            server_ca_pem: None,
            proxy: None,
            policy: PolicyConfig::default(),
            request: RequestForm::default(),
            limits: Limits::default(),
            tolerance: Tolerance::default(),
        }
    }

    fn check(&self) -> Result<(), Error> {
        check_base_url(&self.base_url).map_err(|problem| Error::config("base_url", problem))?;
        check_length("partner_code", &self.partner_code, MAX_PARTNER_CODE)?;
        check_length("service_code", &self.service_code, MAX_SERVICE_CODE)?;
        redirect::check_own(&self.redirect_url, self.allow_loopback_http)
            .map_err(|problem| Error::config("redirect_url", problem))?;
        if self.allowed_hosts.is_empty() && !self.allow_loopback_http {
            let problem = "is empty, so that every page of the service would be refused; \
                           list the hosts that itsme may send the user to";
            return Err(Error::config("front.allowed_hosts", problem));
        }
        if let Some(host) = self.allowed_hosts.iter().find(|host| redirect::host(host).is_none()) {
            let problem = format!("{host:?} is not a bare host name");
            return Err(Error::config("front.allowed_hosts", problem));
        }
        if self.server_ca_pem.as_deref().is_some_and(|pem| !are_certificates(pem)) {
            return Err(Error::config("server.ca", "is not PEM certificates"));
        }
        if let Some(proxy) = &self.proxy {
            proxy.check()?;
        }
        self.policy.check()?;
        self.request.check()?;
        self.limits.check()
    }
}

impl PolicyConfig {
    fn check(&self) -> Result<(), Error> {
        let empty = |text: &Option<String>| text.as_deref().is_some_and(|t| t.trim().is_empty());
        if empty(&self.reference) {
            return Err(Error::config("policy.reference", "is empty"));
        }
        if empty(&self.commitment) {
            return Err(Error::config("policy.commitment", "is empty"));
        }
        if self.commitment.is_some() && self.reference.is_none() {
            let problem = "is shown only together with a policy: add policy.reference";
            return Err(Error::config("policy.commitment", problem));
        }
        Ok(())
    }
}

impl RequestForm {
    fn check(&self) -> Result<(), Error> {
        let visible = |code: &str| !code.is_empty() && code.bytes().all(|b| b.is_ascii_graphic());
        match self.x_partner_code.as_deref() {
            Some(code) if !visible(code) => {
                let problem = format!("{code:?} is not one or more visible ASCII characters");
                Err(Error::config("request.x_partner_code", problem))
            }
            _ => Ok(()),
        }
    }
}

impl Limits {
    fn check(&self) -> Result<(), Error> {
        for (key, number, max) in [
            ("limits.batch", self.batch, MAX_BATCH),
            ("limits.description", self.description, MAX_DESCRIPTION),
        ] {
            if !(1..=max).contains(&number) {
                return Err(Error::config(key, format!("{number} is not within 1 to {max}")));
            }
        }
        for (key, seconds) in [
            ("limits.connect_seconds", self.connect_seconds),
            ("limits.answer_seconds", self.answer_seconds),
            ("limits.session_seconds", self.session_seconds),
        ] {
            if !(1..=MAX_SECONDS).contains(&seconds) {
                let problem = format!("{seconds} is not within 1 to {MAX_SECONDS} (a day)");
                return Err(Error::config(key, problem));
            }
        }
        Ok(())
    }
}

impl Config {
    /// Checks the settings and makes a configuration of them.
    ///
    /// # Errors
    /// [`Error::Config`] with the setting's key in `itsme.toml`.
    pub fn new(mut settings: Settings) -> Result<Self, Error> {
        settings.check()?;
        let base_url = settings.base_url.trim_end_matches('/').len();
        settings.base_url.truncate(base_url);
        for allowed in &mut settings.allowed_hosts {
            if let Some(host) = redirect::host(allowed) {
                *allowed = host;
            }
        }
        Ok(Self { settings, warnings: Vec::new() })
    }

    /// The settings. The base URL has no trailing slash, and the allowed hosts
    /// are in lower case and IDNA form, in which they are compared.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is risky in the configuration, for the application to show. Only a
    /// configuration that was read from files has warnings.
    #[must_use]
    pub fn warnings(&self) -> &[ConfigWarning] {
        &self.warnings
    }
}

fn check_base_url(url: &str) -> Result<(), &'static str> {
    let parsed = url::Url::parse(url).map_err(|_| "is not a URL")?;
    if parsed.scheme() != "https" {
        return Err("is not an https URL");
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err("has a query or fragment");
    }
    if redirect::has_user_info(&parsed) {
        return Err("has a user name or password");
    }
    Ok(())
}

fn check_length(key: &str, code: &str, max: usize) -> Result<(), Error> {
    match code.chars().count() {
        length if (1..=max).contains(&length) => Ok(()),
        length => {
            let problem = format!("has {length} characters; it must have 1 to {max}");
            Err(Error::config(key, problem))
        }
    }
}

/// Whether a PEM text holds at least one certificate and all of them parse.
fn are_certificates(pem: &str) -> bool {
    anchors_from_pem(pem).is_ok_and(|anchors| !anchors.is_empty())
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("base_url", &self.base_url)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Config").field(&self.settings).finish()
    }
}
