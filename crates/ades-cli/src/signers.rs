//! The signers that `--signer` names.

use std::path::{Path, PathBuf};

use ades::RemoteSigner;
use ades::itsme::discovery::PolicyDigest;
use ades::itsme::{Config, ItsmeSigner};
use ades::pkcs12::Pkcs12Signer;
use itsme_sandbox::Sandbox;
use url::Url;
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::job::{SignerChoice, SignerKind};
use crate::request::{PolicySource, Request, ResolvedTerms, digest_without_policy};
use crate::sandbox;

/// A signer, and the resources that must live as long as it.
pub(crate) struct Signer {
    kind: Kind,
    /// The URL on this machine to which the user's browser returns
    pub(crate) return_to: Option<Url>,
    pub(crate) sandbox: Option<(Sandbox, PathBuf)>,
}

enum Kind {
    Itsme(Box<ItsmeSigner>),
    Pkcs12(Box<Pkcs12Signer>),
}

impl Signer {
    pub(crate) async fn open(
        choice: &SignerChoice,
        password_env: Option<&str>,
    ) -> Result<Self, Failure> {
        match &choice.kind {
            SignerKind::Sandbox => Self::sandbox(choice).await,
            SignerKind::Itsme(path) => {
                let config = Config::load(path);
                Self::itsme(config.map_err(|e| Failure::from(e).about(path.display()))?)
            }
            SignerKind::Pkcs12(path) => Self::pkcs12(path, password_env),
        }
    }

    /// Starts a sandbox in this process.
    async fn sandbox(choice: &SignerChoice) -> Result<Self, Failure> {
        let dir = choice.sandbox_dir.clone().map_or_else(sandbox::default_dir, Ok)?;
        let config = itsme_sandbox::Config::default()
            .dir(dir.clone())
            .auto_approve(choice.auto_approve)
            .auto_user(sandbox::user(&choice.sandbox_user)?);
        let sandbox = Sandbox::start(config).await?;
        let configuration = sandbox::configuration(&sandbox, &sandbox::own_redirect_url()?);
        let mut signer = Self::itsme(Config::from_toml(&configuration, &dir)?)?;
        signer.sandbox = Some((sandbox, dir));
        Ok(signer)
    }

    fn itsme(config: Config) -> Result<Self, Failure> {
        // The configuration's reader accepts http only on loopback addresses.
        let return_to = Url::parse(&config.settings().redirect_url).ok();
        let return_to = return_to.filter(|url| url.scheme() == "http");
        let kind = Kind::Itsme(Box::new(ItsmeSigner::new(config)?));
        Ok(Self { kind, return_to, sandbox: None })
    }

    fn pkcs12(path: &Path, password_env: Option<&str>) -> Result<Self, Failure> {
        let password = Zeroizing::new(match password_env {
            None => String::new(),
            Some(variable) => std::env::var(variable).map_err(|_| {
                Failure::usage(format!("--password-env: the variable {variable} is not set"))
            })?,
        });
        let max = ades::pkcs12::MAX_FILE_LEN as u64;
        let file = Zeroizing::new(crate::input::read_at_most(path, max)?);
        let signer = Pkcs12Signer::from_bytes(&file, &password).map_err(|e| {
            let not_given = password_env.is_none() && e.may_be_password();
            let failure = Failure::from(e).about(path.display());
            let hint = "--password-env names the environment variable that holds its password";
            if not_given { failure.and(hint) } else { failure }
        })?;
        Ok(Self { kind: Kind::Pkcs12(Box::new(signer)), return_to: None, sandbox: None })
    }

    pub(crate) async fn close(self) {
        if let Some((sandbox, _)) = self.sandbox {
            sandbox.shutdown().await;
        }
    }

    pub(crate) fn remote(&self) -> &dyn RemoteSigner {
        match &self.kind {
            Kind::Itsme(signer) => signer.as_ref(),
            Kind::Pkcs12(signer) => signer.as_ref(),
        }
    }

    /// Policy and commitment: by reference or OID at itsme®, and by OID at other signers.
    pub(crate) async fn resolve(&self, request: &Request) -> Result<ResolvedTerms, Failure> {
        let terms = &request.terms;
        let Kind::Itsme(itsme) = &self.kind else {
            return terms.by_oid(request.options.digest);
        };
        let document = match &terms.policy_digest {
            Some(PolicySource::Document(path)) => {
                Some(std::fs::read(path).map_err(|e| Failure::file(path, &e))?)
            }
            Some(PolicySource::Discovery) | None => None,
        };
        let digest = match (&terms.policy_digest, &document) {
            (_, Some(document)) => Some(PolicyDigest::OfDocument(document)),
            (Some(PolicySource::Discovery), _) => Some(PolicyDigest::FromDiscovery),
            _ => None,
        };
        let (policy, commitment) = (terms.policy.as_deref(), terms.commitment.as_deref());
        let resolved = itsme.resolve(policy, commitment, digest).await?;
        if digest.is_some() && resolved.policy.is_none() {
            return Err(digest_without_policy());
        }
        let policy = resolved.policy.map(|policy| terms.with_uri(policy));
        Ok(ResolvedTerms { policy, commitment: resolved.commitment })
    }
}
