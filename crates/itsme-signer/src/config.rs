//! `itsme.toml`. `itsme.example.toml` beside this crate documents every key.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ades_core::signer::Language;
use serde::Deserialize;
use toml::Spanned;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::redirect;

/// itsme® signs at most this many digests with one confirmation.
pub const MAX_BATCH: usize = 70;

/// Everything this crate has to know about one partner's access.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The back end's address, without a path at its end
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

/// The client's certificate and key. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct ClientIdentity {
    /// PEM: the certificate, its issuers, the PKCS#8 key
    pem: Zeroizing<String>,
}

impl ClientIdentity {
    /// From PEM text with certificates and an unencrypted key.
    #[must_use]
    pub fn from_pem(pem: impl Into<String>) -> Self {
        Self { pem: Zeroizing::new(pem.into()) }
    }

    /// For a transport: the PEM text, private key included.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// From a PKCS#12 file.
    ///
    /// # Errors
    /// [`Error::Config`] if it does not open or has not exactly one key.
    pub fn from_pkcs12(file: &[u8], password: &str) -> Result<Self, Error> {
        use base64ct::{Base64, Encoding};
        use p12_keystore::{KeyStore, Pkcs12ImportPolicy};

        let fail = |problem: &str| Error::config("client.pkcs12", problem);
        let store = KeyStore::from_pkcs12(file, password, Pkcs12ImportPolicy::Relaxed)
            .map_err(|_| fail("cannot be opened: wrong password, damaged or unsupported"))?;
        let (_, chain) = store.private_key_chain().ok_or_else(|| fail("has no private key"))?;
        let block = |label: &str, der: &[u8]| {
            format!(
                "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
                Base64::encode_string(der)
            )
        };
        let mut pem: String =
            chain.certs().iter().map(|c| block("CERTIFICATE", c.as_der())).collect();
        pem.push_str(&block("PRIVATE KEY", chain.key().as_der()));
        Ok(Self::from_pem(pem))
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(..)")
    }
}

/// Policy and commitment by default.
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
            description: 255,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    base_url: Spanned<String>,
    partner_code: Spanned<String>,
    service_code: Spanned<String>,
    redirect_url: Spanned<String>,
    #[serde(default)]
    language: Option<Spanned<String>>,
    #[serde(default)]
    profile: Option<Profile>,
    #[serde(default)]
    allow_loopback_http: bool,
    #[serde(default)]
    client: Client,
    #[serde(default)]
    server: Server,
    #[serde(default)]
    front: Front,
    #[serde(default)]
    policy: PolicyConfig,
    #[serde(default)]
    limits: Option<Spanned<Limits>>,
    #[serde(default)]
    tolerance: Tolerance,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Client {
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    pkcs12: Option<PathBuf>,
    password_env: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Server {
    ca: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Front {
    allowed_hosts: Vec<String>,
}

impl Config {
    /// Reads a configuration file; files it names are relative to it.
    ///
    /// # Errors
    /// [`Error::Config`] with key and line, [`Error::ConfigFile`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::ConfigFile { key: "the configuration", source })?;
        Self::from_toml(&text, path.parent().unwrap_or(Path::new(".")))
    }

    /// Reads a configuration; files it names are relative to `dir`.
    ///
    /// # Errors
    /// [`Error::Config`] with key and line, [`Error::ConfigFile`].
    pub fn from_toml(text: &str, dir: &Path) -> Result<Self, Error> {
        let line_of =
            |offset: usize| text.get(..offset).map(|before| before.matches('\n').count() + 1);
        let file: File = toml::from_str(text).map_err(|e| Error::Config {
            key: "the file".to_owned(),
            line: e.span().and_then(|span| line_of(span.start)),
            problem: e.message().to_owned(),
        })?;
        let fail = |key: &str, offset: usize, problem: &str| Error::Config {
            key: key.to_owned(),
            line: line_of(offset),
            problem: problem.to_owned(),
        };

        for (key, value, max) in
            [("partner_code", &file.partner_code, 10), ("service_code", &file.service_code, 45)]
        {
            if !(1..=max).contains(&value.get_ref().chars().count()) {
                let problem = format!("not 1 to {max} characters");
                return Err(fail(key, value.span().start, &problem));
            }
        }
        let base_url = file.base_url.get_ref().trim_end_matches('/').to_owned();
        let parsed = url::Url::parse(&base_url)
            .map_err(|_| fail("base_url", file.base_url.span().start, "not a URL"))?;
        if parsed.scheme() != "https" || parsed.query().is_some() || parsed.fragment().is_some() {
            let problem = "not https, or with a query or fragment";
            return Err(fail("base_url", file.base_url.span().start, problem));
        }
        redirect::check_own(file.redirect_url.get_ref(), file.allow_loopback_http)
            .map_err(|problem| fail("redirect_url", file.redirect_url.span().start, problem))?;
        let language = match &file.language {
            None => Language::En,
            Some(tag) => Language::from_tag(tag.get_ref())
                .ok_or_else(|| fail("language", tag.span().start, "not one of EN, FR, NL, DE"))?,
        };
        let limits = match file.limits {
            None => Limits::default(),
            Some(limits) => {
                let start = limits.span().start;
                let limits = limits.into_inner();
                if !(1..=MAX_BATCH).contains(&limits.batch) {
                    return Err(fail("limits.batch", start, "not 1 to 70"));
                }
                if !(1..=255).contains(&limits.description) {
                    return Err(fail("limits.description", start, "not 1 to 255"));
                }
                limits
            }
        };
        Ok(Self {
            base_url,
            partner_code: file.partner_code.into_inner(),
            service_code: file.service_code.into_inner(),
            redirect_url: file.redirect_url.into_inner(),
            language,
            profile: file.profile.unwrap_or(Profile::Production),
            allow_loopback_http: file.allow_loopback_http,
            allowed_hosts: file.front.allowed_hosts,
            client: file.client.read(dir)?,
            server_ca_pem: file
                .server
                .ca
                .map(|ca| {
                    std::fs::read_to_string(dir.join(ca))
                        .map_err(|source| Error::ConfigFile { key: "server.ca", source })
                })
                .transpose()?,
            policy: file.policy,
            limits,
            tolerance: file.tolerance,
        })
    }
}

impl Client {
    fn read(self, dir: &Path) -> Result<Option<ClientIdentity>, Error> {
        let read = |key: &'static str, path: &Path| {
            std::fs::read(dir.join(path)).map_err(|source| Error::ConfigFile { key, source })
        };
        let text = |key: &'static str, path: &Path| {
            String::from_utf8(read(key, path)?).map_err(|_| Error::config(key, "not a PEM file"))
        };
        match (self.certificate, self.pkcs12) {
            (Some(_), Some(_)) => {
                Err(Error::config("client", "has both a certificate and a pkcs12"))
            }
            (Some(certificate), None) => {
                let mut pem = text("client.certificate", &certificate)?;
                if let Some(key) = self.key {
                    pem.push_str(&text("client.key", &key)?);
                }
                Ok(Some(ClientIdentity::from_pem(pem)))
            }
            (None, Some(pkcs12)) => {
                let variable = self.password_env.unwrap_or_default();
                let password = if variable.is_empty() {
                    Zeroizing::new(String::new())
                } else {
                    Zeroizing::new(std::env::var(&variable).map_err(|_| {
                        Error::config("client.password_env", "names a variable that is not set")
                    })?)
                };
                let file = Zeroizing::new(read("client.pkcs12", &pkcs12)?);
                ClientIdentity::from_pkcs12(&file, &password).map(Some)
            }
            (None, None) => Ok(None),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("base_url", &self.base_url)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
