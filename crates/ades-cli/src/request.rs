//! The request of the user: typed signing options, and settings of the command line.

use std::path::PathBuf;

use ades::signer::{Display, Language};
use ades::{
    CommitmentType, DigestAlgorithm, Oid, Operation, SignatureParameters, SignaturePolicy,
    SigningOptions,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;
use crate::input;
use crate::stamp;

/// The request for all signatures of a job. It is stored with the job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Request {
    /// The options, without policy and commitment: the signer resolves these.
    pub(crate) options: SigningOptions,
    /// The claimed signing time; `None` for the time of preparing.
    pub(crate) signing_time: Option<DateTime<Utc>>,
    pub(crate) terms: Terms,
    /// The container that gets another signer
    pub(crate) container: Option<PathBuf>,
    pub(crate) stamp_image: Option<PathBuf>,
    /// The stamp's font, if it is not the default one
    pub(crate) stamp_font: Option<PathBuf>,
    /// The environment variable with the password. The password itself is not stored.
    pub(crate) pdf_password_env: Option<String>,
    pub(crate) language: Option<Language>,
    /// The descriptions of the documents that the signer shows to the user
    pub(crate) description: Vec<(Language, String)>,
}

/// Policy and commitment as the user named them: by OID, or by a reference that the signer
/// resolves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Terms {
    pub(crate) policy: Option<String>,
    pub(crate) policy_digest: Option<PolicySource>,
    pub(crate) policy_uri: Option<String>,
    pub(crate) commitment: Option<String>,
}

/// The source of a policy's digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum PolicySource {
    Document(PathBuf),
    Discovery,
}

/// Policy and commitment, resolved by the signer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ResolvedTerms {
    pub(crate) policy: Option<SignaturePolicy>,
    pub(crate) commitment: Option<CommitmentType>,
}

impl Request {
    /// The options for preparing a signature now: with the resolved terms, the signing time, and
    /// the octets of the stamp's files.
    pub(crate) fn signing_options(&self, terms: &ResolvedTerms) -> Result<SigningOptions, Failure> {
        let time = self.signing_time.unwrap_or_else(|| std::time::SystemTime::now().into());
        let mut options = self.options.clone().signing_time(time);
        if let Some(policy) = &terms.policy {
            options.parameters = options.parameters.policy(policy.clone());
        }
        if let Some(commitment) = terms.commitment {
            options.parameters = options.parameters.commitment(commitment);
        }
        if let Some(stamp) = options.pdf.stamp.take() {
            let (image, font) = (self.stamp_image.as_deref(), self.stamp_font.as_deref());
            options.pdf.stamp = Some(stamp::with_files(stamp, image, font)?);
        }
        options.pdf = options.pdf.application(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        Ok(options)
    }

    pub(crate) fn is_parallel(&self) -> bool {
        self.options.operation == Operation::AddParallel
    }

    pub(crate) fn password(&self) -> Result<Option<String>, Failure> {
        pdf_password(self.pdf_password_env.as_deref())
    }

    /// The texts for the user, at a signer that has these languages.
    pub(crate) fn display(&self, terms: &ResolvedTerms, languages: &[Language]) -> Display {
        let mut display = Display::default();
        display.language = self.language;
        display.description.clone_from(&self.description);
        // A signer shows commitment and role only together with a policy. The signature contains
        // them even without a policy.
        if let Some(policy) = &terms.policy {
            display.policy = Some(policy.id);
            display.commitment = terms.commitment;
            let roles = self.options.parameters.signer_roles();
            if !roles.is_empty() {
                let roles = roles.join(", ");
                display.role = languages.iter().map(|l| (*l, roles.clone())).collect();
            }
        }
        display
    }
}

impl Terms {
    /// Resolves policy and commitment by OID, for signers without references.
    pub(crate) fn by_oid(&self, digest: Option<DigestAlgorithm>) -> Result<ResolvedTerms, Failure> {
        Ok(ResolvedTerms { policy: self.policy_by_oid(digest)?, commitment: self.commitment()? })
    }

    fn policy_by_oid(
        &self,
        digest: Option<DigestAlgorithm>,
    ) -> Result<Option<SignaturePolicy>, Failure> {
        let (name, path) = match (&self.policy, &self.policy_digest) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return Err(digest_without_policy()),
            (_, Some(PolicySource::Discovery)) => {
                return Err(Failure::usage(
                    "--policy-digest-from-discovery: only the signers sandbox and itsme have \
                     discovery",
                ));
            }
            (Some(_), None) => {
                return Err(Failure::usage(
                    "--policy: its digest is needed, too; --policy-document names the document",
                ));
            }
            (Some(name), Some(PolicySource::Document(path))) => (name, path),
        };
        let id: Oid = name.parse().map_err(|_| {
            Failure::usage(format!("--policy {name}: not an OID; only itsme has references"))
        })?;
        let document = std::fs::read(path).map_err(|e| Failure::file(path, &e))?;
        let digest = digest.unwrap_or(DigestAlgorithm::Sha256);
        Ok(Some(self.with_uri(SignaturePolicy::of_document(id, digest, &document))))
    }

    /// Sets the URI that the user gave.
    pub(crate) fn with_uri(&self, mut policy: SignaturePolicy) -> SignaturePolicy {
        policy.uri = self.policy_uri.clone().or(policy.uri);
        policy
    }

    /// The commitment by its OID or name.
    pub(crate) fn commitment(&self) -> Result<Option<CommitmentType>, Failure> {
        self.commitment.as_deref().map(str::parse).transpose().map_err(|_| {
            Failure::usage(
                "--commitment: not an OID, nor one of origin, receipt, delivery, sender, \
                 approval, creation",
            )
        })
    }
}

pub(crate) fn digest_without_policy() -> Failure {
    Failure::usage("the source of a policy's digest needs --policy")
}

/// The description in the user's language, else in English, else the first one.
pub(crate) fn described(
    parameters: SignatureParameters,
    description: &[(Language, String)],
    language: Option<Language>,
) -> SignatureParameters {
    let wanted = language.unwrap_or(Language::En);
    let found = description.iter().find(|(language, _)| *language == wanted);
    match found.or_else(|| description.first()) {
        Some((_, text)) => parameters.description(text),
        None => parameters,
    }
}

/// The password of an encrypted PDF, from an environment variable.
pub(crate) fn pdf_password(variable: Option<&str>) -> Result<Option<String>, Failure> {
    let read = |variable: &str| {
        std::env::var(variable)
            .map_err(|_| Failure::usage(format!("the environment variable {variable} is not set")))
    };
    variable.map(read).transpose()
}

/// The absolute path of a stamp's file, which must be readable several times.
pub(crate) fn stamp_file(name: &str, path: Option<PathBuf>) -> Result<Option<PathBuf>, Failure> {
    match path {
        Some(path) if input::is_stream(&path) => {
            Err(Failure::usage(format!("{name}: a file is needed, not a pipe: it is read twice")))
        }
        path => Ok(path.as_deref().map(crate::path_name::absolute)),
    }
}
