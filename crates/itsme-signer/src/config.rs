//! What this crate has to know about one partner's access: as `itsme.toml`,
//! which `itsme.example.toml` beside this crate documents key by key, or as
//! [`Settings`].

mod client;
mod file;

use std::fmt;
use std::time::Duration;

use ades_core::chain::anchors_from_pem;
use ades_core::signer::Language;
use serde::Deserialize;

use crate::error::Error;
use crate::redirect;

pub use client::ClientIdentity;

/// itsme® signs at most this many digests with one confirmation.
pub const MAX_BATCH: usize = 70;
/// The longest description, in characters; 50 before 2024.
pub const MAX_DESCRIPTION: usize = 255;
/// The longest time, in seconds.
const MAX_SECONDS: u64 = 24 * 60 * 60;
/// The longest partner code, in characters.
const MAX_PARTNER_CODE: usize = 10;
/// The longest service code, in characters.
const MAX_SERVICE_CODE: usize = 45;

/// Checked [`Settings`]. They cannot be changed any more.
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
pub struct Config(Settings);

/// What there is to say about one partner's access.
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The back end's address: https
    pub base_url: String,
    /// The partner's code, 1 to 10 characters
    pub partner_code: String,
    /// The service's code, 1 to 45 characters
    pub service_code: String,
    /// Where the user comes back to, exactly as registered
    pub redirect_url: String,
    /// The language where a request names none
    pub language: Language,
    /// Which certificates are fit
    pub profile: Profile,
    /// Whether http is accepted on loopback addresses: for the sandbox
    pub allow_loopback_http: bool,
    /// The hosts the service may send the user to
    pub allowed_hosts: Vec<String>,
    /// The client certificate
    pub client: Option<ClientIdentity>,
    /// PEM of the trust anchors of the back end; none: the system's
    pub server_ca_pem: Option<String>,
    /// The policy and commitment to use where nobody says otherwise
    pub policy: PolicyConfig,
    /// How requests are written
    pub request: RequestForm,
    /// Limits and times
    pub limits: Limits,
    /// What to tolerate
    pub tolerance: Tolerance,
}

/// Which certificates are fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Profile {
    /// Test certificates are refused
    Production,
    /// Test certificates are accepted
    Test,
}

/// Policy and commitment by default: see
/// [`ItsmeSigner::resolve`](crate::ItsmeSigner::resolve).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct PolicyConfig {
    /// The policy's reference in the discovery document
    pub reference: Option<String>,
    /// The commitment's reference in the discovery document
    pub commitment: Option<String>,
    /// Whether a policy may be sent that could not be checked because the
    /// discovery document is out of reach
    pub allow_unchecked: bool,
}

/// How requests are written where the service's documents disagree.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RequestForm {
    /// The header `X-Partner-Code`, which only the interface description has
    pub x_partner_code: Option<String>,
    /// Digests in the URL-safe alphabet of base64, which only the prose has
    pub url_safe_digests: bool,
}

/// Limits and times.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// Digests in one batch, 1 to 70
    pub batch: usize,
    /// Characters in a description; 255 since 2024, 50 before
    pub description: usize,
    /// Seconds to wait for a connection
    pub connect_seconds: u64,
    /// Seconds to wait for an answer
    pub answer_seconds: u64,
    /// Seconds after which a session is given up
    pub session_seconds: u64,
    /// How often a status query may fail in a row
    pub status_failures: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch: MAX_BATCH,
            description: MAX_DESCRIPTION,
            connect_seconds: 10,
            answer_seconds: 30,
            session_seconds: 600,
            status_failures: 5,
        }
    }
}

impl Limits {
    /// How long to wait for a connection.
    #[must_use]
    pub const fn connect(&self) -> Duration {
        Duration::from_secs(self.connect_seconds)
    }

    /// How long to wait for an answer.
    #[must_use]
    pub const fn answer(&self) -> Duration {
        Duration::from_secs(self.answer_seconds)
    }
}

/// What to tolerate of the service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Tolerance {
    /// Values in the URL-safe alphabet of base64
    pub url_safe_values: bool,
    /// Values under each other's ids: put where they verify
    pub reordered_values: bool,
    /// Typographic characters in texts: replaced by plain ones
    pub transliterate: bool,
}

impl Settings {
    /// What has no default, and the defaults of the rest.
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
            let problem = "none, so that every page of the service would be refused";
            return Err(Error::config("front.allowed_hosts", problem));
        }
        if let Some(host) = self.allowed_hosts.iter().find(|host| redirect::host(host).is_none()) {
            let problem = format!("{host:?} is not the bare name of a host");
            return Err(Error::config("front.allowed_hosts", problem));
        }
        if self.server_ca_pem.as_deref().is_some_and(|pem| !are_certificates(pem)) {
            return Err(Error::config("server.ca", "not PEM certificates"));
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
            return Err(Error::config("policy.reference", "empty"));
        }
        if empty(&self.commitment) {
            return Err(Error::config("policy.commitment", "empty"));
        }
        if self.commitment.is_some() && self.reference.is_none() {
            let problem = "is shown only together with a policy, and policy.reference is missing";
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
                Err(Error::config("request.x_partner_code", "empty, or not plain ASCII"))
            }
            _ => Ok(()),
        }
    }
}

impl Limits {
    fn check(&self) -> Result<(), Error> {
        if !(1..=MAX_BATCH).contains(&self.batch) {
            return Err(Error::config("limits.batch", format!("not 1 to {MAX_BATCH}")));
        }
        if !(1..=MAX_DESCRIPTION).contains(&self.description) {
            return Err(Error::config("limits.description", format!("not 1 to {MAX_DESCRIPTION}")));
        }
        for (key, seconds) in [
            ("limits.connect_seconds", self.connect_seconds),
            ("limits.answer_seconds", self.answer_seconds),
            ("limits.session_seconds", self.session_seconds),
        ] {
            if !(1..=MAX_SECONDS).contains(&seconds) {
                return Err(Error::config(key, format!("not 1 to {MAX_SECONDS} (a day)")));
            }
        }
        Ok(())
    }
}

impl Config {
    /// Checks settings.
    ///
    /// # Errors
    /// [`Error::Config`] with the key that `itsme.toml` has for the setting.
    pub fn new(mut settings: Settings) -> Result<Self, Error> {
        settings.check()?;
        let base_url = settings.base_url.trim_end_matches('/').len();
        settings.base_url.truncate(base_url);
        for allowed in &mut settings.allowed_hosts {
            if let Some(host) = redirect::host(allowed) {
                *allowed = host;
            }
        }
        Ok(Self(settings))
    }

    /// The settings: the base URL without a slash at its end, hosts as they
    /// are compared.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.0
    }
}

fn check_base_url(url: &str) -> Result<(), &'static str> {
    let parsed = url::Url::parse(url).map_err(|_| "not a URL")?;
    if parsed.scheme() != "https" {
        return Err("not https");
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err("it has a query or fragment");
    }
    if redirect::has_user_info(&parsed) {
        return Err("it has a user name or password");
    }
    Ok(())
}

fn check_length(key: &str, code: &str, max: usize) -> Result<(), Error> {
    if (1..=max).contains(&code.chars().count()) {
        Ok(())
    } else {
        Err(Error::config(key, format!("not 1 to {max} characters")))
    }
}

/// Whether a PEM text holds certificates and each of them reads.
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
        f.debug_tuple("Config").field(&self.0).finish()
    }
}
