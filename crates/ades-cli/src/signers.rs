//! The signers that `--signer` names.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ades::RemoteSigner;
use ades::itsme::discovery::PolicyDigest;
use ades::itsme::{Config, ItsmeSigner};
use ades::pkcs12::{Error, OpenOptions, Pkcs12Signer};
use ades::signer::{Language, SignerError};
use itsme_sandbox::Sandbox;
use url::Url;
use zeroize::Zeroizing;

use crate::args::KeyFileArgs;
use crate::exit::{Failure, with_causes};
use crate::job::{SignerChoice, SignerKind};
use crate::output::Messages;
use crate::password;
use crate::request::{
    PolicySource, Request, ResolvedTerms, digest_without_policy, environment, policy_document,
};
use crate::sandbox;

/// A signer, and the resources that must live as long as it.
pub(crate) struct Signer {
    kind: Kind,
    /// The URL on this machine to which the user's browser returns
    pub(crate) return_to: Option<Url>,
    /// The language of users who have not chosen one
    pub(crate) language: Language,
    pub(crate) sandbox: Option<(Sandbox, PathBuf)>,
}

enum Kind {
    Itsme(Arc<ItsmeSigner>),
    Pkcs12(Arc<Pkcs12Signer>),
}

impl Signer {
    pub(crate) async fn open(
        choice: &SignerChoice,
        key_file: &KeyFileArgs,
        messages: &Messages,
    ) -> Result<Self, Failure> {
        match &choice.kind {
            SignerKind::Sandbox => Self::sandbox(choice, None, messages).await,
            SignerKind::Itsme(path) => {
                let config = Config::load(path);
                let config = config.map_err(|e| Failure::from(e).about(path.display()))?;
                for warning in config.warnings() {
                    messages.print(format_args!("{}: {warning}", path.display()));
                }
                Self::itsme(config, messages)
            }
            SignerKind::Pkcs12(path) => Self::pkcs12(path, key_file),
        }
    }

    /// Starts a sandbox in this process. `port`: that of its pages and evidence services in an
    /// earlier process, which certificates name; another one if it is taken.
    pub(crate) async fn sandbox(
        choice: &SignerChoice,
        port: Option<u16>,
        messages: &Messages,
    ) -> Result<Self, Failure> {
        let dir = choice.sandbox_dir.clone().map_or_else(sandbox::default_dir, Ok)?;
        let config = itsme_sandbox::Config::default()
            .dir(dir.clone())
            .auto_approve(choice.auto_approve)
            .auto_user(sandbox::user(&choice.sandbox_user)?);
        let earlier = port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let sandbox = match earlier {
            Some(address) => match Sandbox::start(config.clone().front_listen(address)).await {
                Ok(sandbox) => sandbox,
                Err(_) => Sandbox::start(config).await?,
            },
            None => Sandbox::start(config).await?,
        };
        let configuration = sandbox::configuration(&sandbox, &sandbox::own_redirect_url()?);
        let mut signer = Self::itsme(Config::from_toml(&configuration, &dir)?, messages)?;
        signer.sandbox = Some((sandbox, dir));
        Ok(signer)
    }

    fn itsme(config: Config, messages: &Messages) -> Result<Self, Failure> {
        // The configuration's reader accepts http only on loopback addresses.
        let return_to = Url::parse(&config.settings().redirect_url).ok();
        let return_to = return_to.filter(|url| url.scheme() == "http");
        let language = config.settings().language;
        let signer = ItsmeSigner::new(config)?.on_unclear(print_once(*messages));
        let kind = Kind::Itsme(Arc::new(signer));
        Ok(Self { kind, return_to, language, sandbox: None })
    }

    fn pkcs12(path: &Path, key_file: &KeyFileArgs) -> Result<Self, Failure> {
        let max = ades::pkcs12::MAX_FILE_LEN as u64;
        let file = Zeroizing::new(crate::input::read_at_most(path, max)?);
        let mut options = OpenOptions::new();
        if let Some(name) = &key_file.key_name {
            options = options.key_name(name);
        }
        let open = |password: &str| Pkcs12Signer::open(&file, password, &options);
        let about = |error| key_file_failure(error, path);
        let signer = match &key_file.password_env {
            Some(variable) => {
                let password = environment("--password-env", variable)?;
                open(&password).map_err(about)?
            }
            None => match open("") {
                Err(error) if error.may_be_password() && password::can_ask() => {
                    password::ask(path, open)?
                }
                result => result.map_err(|error| {
                    let unknown = error.may_be_password();
                    let hint = "--password-env names the environment variable that holds its \
                                password";
                    if unknown { about(error).and(hint) } else { about(error) }
                })?,
            },
        };
        let kind = Kind::Pkcs12(Arc::new(signer));
        Ok(Self { kind, return_to: None, language: Language::En, sandbox: None })
    }

    pub(crate) async fn close(self) {
        if let Some((sandbox, _)) = self.sandbox {
            sandbox.shutdown().await;
        }
    }

    pub(crate) fn remote(&self) -> Arc<dyn RemoteSigner> {
        match &self.kind {
            Kind::Itsme(signer) => Arc::clone(signer) as _,
            Kind::Pkcs12(signer) => Arc::clone(signer) as _,
        }
    }

    /// Fetches the languages that the signer offers, which its capabilities then contain. A later
    /// process needs them again.
    pub(crate) async fn learn_languages(&self) {
        if let Kind::Itsme(itsme) = &self.kind {
            itsme.languages().await;
        }
    }

    /// Policy and commitment: by reference or OID at itsme®, and by OID at other signers.
    pub(crate) async fn resolve(&self, request: &Request) -> Result<ResolvedTerms, Failure> {
        let terms = &request.terms;
        let Kind::Itsme(itsme) = &self.kind else {
            return terms.by_id(request.options.digest);
        };
        let document = match &terms.policy_digest {
            Some(PolicySource::Document(path)) => Some(policy_document(path)?),
            Some(PolicySource::Digest(_) | PolicySource::Discovery) | None => None,
        };
        let digest = match (&terms.policy_digest, &document) {
            (_, Some(document)) => Some(PolicyDigest::OfDocument(document)),
            (Some(PolicySource::Digest(digest)), _) => Some(PolicyDigest::Value(digest)),
            (Some(PolicySource::Discovery), _) => Some(PolicyDigest::FromDiscovery),
            _ => None,
        };
        let (policy, commitment) = (terms.policy.as_deref(), terms.commitment.as_deref());
        let resolved = itsme.resolve(policy, commitment, digest).await?;
        self.learn_languages().await;
        if digest.is_some() && resolved.policy.is_none() {
            return Err(digest_without_policy());
        }
        let policy = resolved.policy.map(|policy| terms.with_uri(policy));
        Ok(ResolvedTerms { policy, commitment: resolved.commitment })
    }
}

/// Prints why the signer is asked again, and the same reason only once.
fn print_once(messages: Messages) -> impl Fn(&SignerError) + Send + Sync + 'static {
    let printed = Mutex::new(String::new());
    move |error| {
        let reason = with_causes(error);
        let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
        if *printed != reason {
            messages.print(format_args!("{reason}; the session is kept and asked again"));
            *printed = reason;
        }
    }
}

/// The failure of opening a key file.
pub(crate) fn key_file_failure(error: Error, path: &Path) -> Failure {
    let several = matches!(error, Error::SeveralKeys { .. });
    let failure = Failure::from(error).about(path.display());
    if several { failure.and("--key-name NAME chooses") } else { failure }
}
