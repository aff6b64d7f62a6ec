//! From `--signer` to a signer.

use std::path::{Path, PathBuf};

use ades_core::{RemoteSigner, SignaturePolicy};
use itsme_sandbox::Sandbox;
use itsme_signer::discovery::PolicyDigest;
use itsme_signer::{Config, ItsmeSigner};
use pkcs12_signer::Pkcs12Signer;

use crate::args::SignatureOptions;
use crate::exit::Failure;
use crate::prepare::policy_by_oid;
use crate::sandbox;

/// A signer, and what has to live as long as it does.
pub(crate) struct Signer {
    kind: Kind,
    /// Where the user's browser comes back to, if that is this machine.
    pub(crate) return_to: Option<String>,
    pub(crate) sandbox: Option<(Sandbox, PathBuf)>,
}

enum Kind {
    Itsme(Box<ItsmeSigner>),
    Pkcs12(Box<Pkcs12Signer>),
}

/// What is needed to open a signer.
pub(crate) struct Opening<'a> {
    pub(crate) signer: &'a str,
    pub(crate) password_env: Option<&'a str>,
    pub(crate) sandbox_dir: Option<&'a Path>,
    pub(crate) sandbox_user: &'a str,
    pub(crate) auto_approve: bool,
}

impl Signer {
    pub(crate) async fn open(opening: &Opening<'_>) -> Result<Self, Failure> {
        match opening.signer.split_once(':') {
            None if opening.signer == "sandbox" => Self::sandbox(opening).await,
            Some(("itsme", path)) => Self::itsme(Path::new(path)),
            Some(("pkcs12", path)) => Self::pkcs12(Path::new(path), opening.password_env),
            Some(("csc" | "pkcs11", _)) => {
                Err(Failure::usage(format!("--signer {}: not there yet", opening.signer)))
            }
            _ => Err(Failure::usage(format!(
                "--signer {}: not sandbox, itsme:CONFIG.toml or pkcs12:FILE",
                opening.signer
            ))),
        }
    }

    async fn sandbox(opening: &Opening<'_>) -> Result<Self, Failure> {
        let dir = opening.sandbox_dir.map_or_else(sandbox::default_dir, |d| Ok(d.to_owned()))?;
        let sandbox = Sandbox::start(itsme_sandbox::Config {
            dir: Some(dir.clone()),
            auto_approve: opening.auto_approve,
            auto_user: sandbox::user(opening.sandbox_user)?,
            ..itsme_sandbox::Config::default()
        })
        .await?;
        let mut signer = Self::itsme(&sandbox::write_configuration(&dir, &sandbox)?)?;
        signer.sandbox = Some((sandbox, dir));
        Ok(signer)
    }

    fn itsme(path: &Path) -> Result<Self, Failure> {
        let config = Config::load(path).map_err(|e| Failure::from(e).about(path.display()))?;
        let return_to =
            config.redirect_url.starts_with("http://").then(|| config.redirect_url.clone());
        let kind = Kind::Itsme(Box::new(ItsmeSigner::new(config)?));
        Ok(Self { kind, return_to, sandbox: None })
    }

    fn pkcs12(path: &Path, password_env: Option<&str>) -> Result<Self, Failure> {
        let file = std::fs::read(path).map_err(|e| Failure::file(path, &e))?;
        let password = match password_env {
            None => String::new(),
            Some(variable) => std::env::var(variable).map_err(|_| {
                Failure::usage(format!("--password-env: the variable {variable} is not set"))
            })?,
        };
        let signer = Pkcs12Signer::from_bytes(&file, &password)
            .map_err(|e| Failure::from(e).about(path.display()))?;
        Ok(Self { kind: Kind::Pkcs12(Box::new(signer)), return_to: None, sandbox: None })
    }

    pub(crate) fn remote(&self) -> &dyn RemoteSigner {
        match &self.kind {
            Kind::Itsme(signer) => signer.as_ref(),
            Kind::Pkcs12(signer) => signer.as_ref(),
        }
    }

    /// The policy by reference, as the user will see it; by OID where the
    /// signer knows no policies.
    pub(crate) async fn policy(
        &self,
        options: &SignatureOptions,
    ) -> Result<Option<SignaturePolicy>, Failure> {
        let Kind::Itsme(itsme) = &self.kind else { return policy_by_oid(options) };
        let default = &itsme.config().policy.reference;
        let Some(reference) = options.policy.as_ref().or(default.as_ref()) else {
            return Ok(None);
        };
        let policy = itsme.discovery().await?.policy(reference)?;
        let document = options
            .policy_document
            .as_ref()
            .map(|path| std::fs::read(path).map_err(|e| Failure::file(path, &e)))
            .transpose()?;
        let digest = match &document {
            Some(document) => PolicyDigest::OfDocument(document),
            None if options.policy_digest_from_discovery => PolicyDigest::FromDiscovery,
            None => return Err(itsme_signer::Error::PolicyDocumentNeeded.into()),
        };
        Ok(Some(policy.signature_policy(digest)?))
    }
}
