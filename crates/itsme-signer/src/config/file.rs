//! Reads `itsme.toml`, and finds the line of each key for errors.

use std::path::{Path, PathBuf};

use ades_core::signer::Language;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use super::client::Flaw;
use super::{
    ClientIdentity, Config, ConfigWarning, Limits, PolicyConfig, Profile, Proxy, RequestForm,
    Settings, Tolerance,
};
use crate::error::Error;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    base_url: String,
    partner_code: String,
    service_code: String,
    redirect_url: String,
    language: Option<String>,
    profile: Option<Profile>,
    #[serde(default)]
    allow_loopback_http: bool,
    #[serde(default)]
    client: Client,
    #[serde(default)]
    server: Server,
    proxy: Option<ProxyTable>,
    #[serde(default)]
    front: Front,
    #[serde(default)]
    policy: PolicyConfig,
    #[serde(default)]
    request: RequestForm,
    #[serde(default)]
    limits: Limits,
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
struct ProxyTable {
    url: Option<String>,
    user: Option<String>,
    password_env: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Front {
    allowed_hosts: Vec<String>,
}

impl Config {
    /// Reads a configuration file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// [`Error::Config`] with key and line; [`Error::ConfigFile`] if a file
    /// cannot be read.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| Error::ConfigFile {
            key: "the configuration",
            line: None,
            source,
        })?;
        Self::from_toml(&text, path.parent().unwrap_or(Path::new(".")))
    }

    /// Reads a configuration. Paths in it are relative to `dir`.
    ///
    /// # Errors
    /// [`Error::Config`] with key and line; [`Error::ConfigFile`] if a file
    /// cannot be read.
    pub fn from_toml(text: &str, dir: &Path) -> Result<Self, Error> {
        let lines = Lines::new(text);
        let file: File = toml::from_str(text).map_err(|e| lines.unreadable(&e))?;
        let warnings = file.client.warnings(dir);
        let mut config =
            file.settings(dir).and_then(Self::new).map_err(|error| lines.locate(error))?;
        config.warnings = warnings;
        Ok(config)
    }
}

impl File {
    fn settings(self, dir: &Path) -> Result<Settings, Error> {
        let mut settings =
            Settings::new(self.base_url, self.partner_code, self.service_code, self.redirect_url);
        if let Some(tag) = self.language {
            settings.language = Language::from_tag(&tag).ok_or_else(|| {
                Error::config("language", format!("{tag:?} is not one of EN, FR, NL, DE"))
            })?;
        }
        settings.profile = self.profile.unwrap_or(settings.profile);
        settings.allow_loopback_http = self.allow_loopback_http;
        settings.allowed_hosts = self.front.allowed_hosts;
        settings.client = self.client.read(dir)?;
        settings.server_ca_pem =
            self.server.ca.map(|ca| read_text("server.ca", &dir.join(ca))).transpose()?;
        settings.proxy = self.proxy.unwrap_or_default().read()?;
        settings.policy = self.policy;
        settings.request = self.request;
        settings.limits = self.limits;
        settings.tolerance = self.tolerance;
        Ok(settings)
    }
}

impl ProxyTable {
    fn read(self) -> Result<Option<Proxy>, Error> {
        let missing = |key| Err(Error::config(key, "needs proxy.url, which is missing"));
        let Some(url) = self.url else {
            return match (self.user, self.password_env) {
                (Some(_), _) => missing("proxy.user"),
                (None, Some(_)) => missing("proxy.password_env"),
                (None, None) => Ok(None),
            };
        };
        let proxy = Proxy::new(url);
        match (self.user, self.password_env) {
            (None, None) => Ok(Some(proxy)),
            (None, Some(_)) => {
                Err(Error::config("proxy.password_env", "needs proxy.user, which is missing"))
            }
            (Some(user), variable) => {
                let password = variable.map(|name| variable_of("proxy.password_env", &name));
                let password = password.transpose()?.unwrap_or_default();
                Ok(Some(proxy.credentials(user, password.as_str())))
            }
        }
    }
}

impl Client {
    /// The files of the client's key that other users of the machine can read.
    fn warnings(&self, dir: &Path) -> Vec<ConfigWarning> {
        let file = match (&self.key, &self.certificate, &self.pkcs12) {
            (Some(key), ..) => Some(("client.key", key)),
            (None, Some(pem), _) => Some(("client.certificate", pem)),
            (None, None, Some(pkcs12)) => Some(("client.pkcs12", pkcs12)),
            (None, None, None) => None,
        };
        file.and_then(|(key, path)| ConfigWarning::of_key_file(key, &dir.join(path)))
            .into_iter()
            .collect()
    }

    fn read(self, dir: &Path) -> Result<Option<ClientIdentity>, Error> {
        if self.key.is_some() && self.certificate.is_none() {
            return Err(Error::config("client.key", "needs client.certificate, which is missing"));
        }
        if self.password_env.is_some() && self.pkcs12.is_none() {
            let problem = "needs client.pkcs12, which is missing";
            return Err(Error::config("client.password_env", problem));
        }
        match (self.certificate, self.pkcs12) {
            (Some(_), Some(_)) => {
                Err(Error::config("client", "has both certificate and pkcs12: keep one of them"))
            }
            (Some(certificate), None) => {
                let mut pem = read_text("client.certificate", &dir.join(certificate))?;
                let own_file = self.key.is_some();
                if let Some(key) = self.key {
                    pem.push('\n');
                    pem.push_str(&Zeroizing::new(read_text("client.key", &dir.join(key))?));
                }
                ClientIdentity::checked(pem).map(Some).map_err(|flaw| match flaw {
                    Flaw::Key(problem) if own_file => Error::config("client.key", problem),
                    Flaw::Key(problem) | Flaw::Certificate(problem) => {
                        Error::config("client.certificate", problem)
                    }
                })
            }
            (None, Some(pkcs12)) => {
                let variable = self.password_env.unwrap_or_default();
                let password = if variable.is_empty() {
                    Zeroizing::new(String::new())
                } else {
                    variable_of("client.password_env", &variable)?
                };
                let file = Zeroizing::new(read("client.pkcs12", &dir.join(pkcs12))?);
                ClientIdentity::from_pkcs12(&file, &password).map(Some)
            }
            (None, None) => Ok(None),
        }
    }
}

/// The value of the environment variable that a key names.
fn variable_of(key: &str, name: &str) -> Result<Zeroizing<String>, Error> {
    std::env::var(name)
        .map(Zeroizing::new)
        .map_err(|_| Error::config(key, format!("the environment variable {name:?} is not set")))
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::ConfigFile { key, line: None, source })
}

fn read_text(key: &'static str, path: &Path) -> Result<String, Error> {
    String::from_utf8(read(key, path)?).map_err(|_| Error::config(key, "is not a PEM file"))
}

/// Finds the lines of keys in a TOML text.
struct Lines<'a> {
    text: &'a str,
    /// `None` if the text is not TOML.
    table: Option<Spanned<DeTable<'a>>>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, table: DeTable::parse(text).ok() }
    }

    /// Adds the line of the key to an error. If the key is missing, this is the
    /// line of its table, or none.
    fn locate(&self, error: Error) -> Error {
        match error {
            Error::Config { key, problem, .. } => {
                let line = self.line_of(&key);
                Error::Config { key, line, problem }
            }
            Error::ConfigFile { key, source, .. } => {
                Error::ConfigFile { key, line: self.line_of(key), source }
            }
            other => other,
        }
    }

    fn unreadable(&self, error: &toml::de::Error) -> Error {
        let at = error.span().map(|span| span.start);
        let table = self.table.as_ref().map(Spanned::get_ref);
        let key = at.zip(table).and_then(|(at, table)| key_at(table, at));
        Error::Config {
            key: key.unwrap_or_else(|| "the file".to_owned()),
            line: at.and_then(|at| self.line(at)),
            problem: error.message().to_owned(),
        }
    }

    fn line_of(&self, key: &str) -> Option<usize> {
        let mut table = self.table.as_ref().map(Spanned::get_ref);
        let mut found = None;
        for part in key.split('.') {
            let Some((name, value)) =
                table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == part))
            else {
                break;
            };
            found = Some(name.span().start);
            table = value.get_ref().as_table();
        }
        found.and_then(|offset| self.line(offset))
    }

    /// The line of an offset, counted from 1.
    fn line(&self, offset: usize) -> Option<usize> {
        self.text.get(..offset).map(|before| before.matches('\n').count() + 1)
    }
}

/// The dotted key whose name or value is at an offset.
fn key_at(table: &DeTable<'_>, offset: usize) -> Option<String> {
    table.iter().find_map(|(name, value)| {
        let inner = match value.get_ref() {
            DeValue::Table(inner) => key_at(inner, offset),
            _ => None,
        };
        match inner {
            Some(inner) => Some(format!("{}.{inner}", name.get_ref())),
            None if name.span().contains(&offset) || value.span().contains(&offset) => {
                Some(name.get_ref().to_string())
            }
            None => None,
        }
    })
}
