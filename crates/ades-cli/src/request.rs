//! The request of the user: typed signing options, and settings of the command line.

use std::path::{Path, PathBuf};

use ades::signer::{Display, Language};
use ades::{
    CommitmentType, Digest, DigestAlgorithm, Oid, Operation, PolicyId, SignatureParameters,
    SignaturePolicy, SigningOptions, TargetLevel,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::input;
use crate::network::FetchRules;
use crate::stamp;
use crate::time_zone::TimeZone;
use crate::unlock::{RecipientArgs, Unlock};

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stamp_time_zone: Option<TimeZone>,
    /// The environment variable with the password. The password itself is not stored.
    pub(crate) pdf_password_env: Option<String>,
    #[serde(default, skip_serializing_if = "RecipientArgs::is_absent")]
    pub(crate) recipient: RecipientArgs,
    pub(crate) language: Option<Language>,
    /// The descriptions of the documents that the signer shows to the user
    pub(crate) description: Vec<(Language, String)>,
    /// The level to raise the signatures to, once they are written
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) raise: Option<RaiseRequest>,
}

/// How signatures are raised after signing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RaiseRequest {
    pub(crate) level: TargetLevel,
    /// The time-stamping services. Without any, the sandbox's own.
    pub(crate) authorities: Vec<String>,
    /// The policy of the service
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<Oid>,
    pub(crate) trust: Vec<PathBuf>,
    pub(crate) fetch: FetchRules,
    /// Whether revocation data about the signer have to be newer than the time-stamp
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_fresh: bool,
    /// The time to wait for such data, in seconds
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wait: Option<u64>,
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
    Digest(Digest),
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
        self.completed(terms.add_to(self.options.clone()).signing_time(time))
    }

    /// Options that have their signing time, with what a job does not store: the octets of the
    /// stamp's files, and what depends on the time.
    pub(crate) fn completed(&self, mut options: SigningOptions) -> Result<SigningOptions, Failure> {
        if let Some(mut stamp) = options.pdf.stamp.take() {
            let zone = self.stamp_time_zone;
            stamp.time.utc_offset =
                zone.map(|zone| zone.offset_at(options.parameters.signing_time().time()));
            let (image, font) = (self.stamp_image.as_deref(), self.stamp_font.as_deref());
            options.pdf.stamp = Some(stamp::with_files(stamp, image, font)?);
        }
        options.pdf = options.pdf.application(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        Ok(options)
    }

    /// All paths in the request.
    pub(crate) fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let policy = match &mut self.terms.policy_digest {
            Some(PolicySource::Document(path)) => Some(path),
            Some(PolicySource::Digest(_) | PolicySource::Discovery) | None => None,
        };
        let files = [&mut self.container, &mut self.stamp_image, &mut self.stamp_font];
        files.into_iter().flatten().chain(policy)
    }

    pub(crate) fn is_parallel(&self) -> bool {
        self.options.operation == Operation::AddParallel
    }

    /// What opens an encrypted PDF.
    pub(crate) fn unlock(&self) -> Result<Unlock, Failure> {
        Unlock::read(self.pdf_password_env.as_deref(), &self.recipient)
    }

    /// The texts for the user, at a signer that has these languages.
    pub(crate) fn display(&self, terms: &ResolvedTerms, languages: &[Language]) -> Display {
        let mut display = Display::default();
        display.language = self.language;
        display.description.clone_from(&self.description);
        // A signer shows commitment and role only together with a policy. The signature contains
        // them even without a policy.
        if let Some(policy) = &terms.policy {
            display.policy = policy.id.oid();
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

impl ResolvedTerms {
    /// The options with policy and commitment.
    pub(crate) fn add_to(&self, mut options: SigningOptions) -> SigningOptions {
        if let Some(policy) = &self.policy {
            options.parameters = options.parameters.policy(policy.clone());
        }
        if let Some(commitment) = self.commitment {
            options.parameters = options.parameters.commitment(commitment);
        }
        options
    }
}

impl Terms {
    /// Resolves policy and commitment by OID or URL, for signers without references.
    pub(crate) fn by_id(&self, digest: Option<DigestAlgorithm>) -> Result<ResolvedTerms, Failure> {
        Ok(ResolvedTerms { policy: self.policy_by_id(digest)?, commitment: self.commitment()? })
    }

    fn policy_by_id(
        &self,
        digest: Option<DigestAlgorithm>,
    ) -> Result<Option<SignaturePolicy>, Failure> {
        let (name, digest) = match (&self.policy, &self.policy_digest) {
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
                    "--policy: its digest is needed, too; --policy-document names the document, or \
                     --policy-digest its digest",
                ));
            }
            (Some(name), Some(PolicySource::Document(path))) => {
                let document = policy_document(path)?;
                (name, Digest::of(digest.unwrap_or(DigestAlgorithm::Sha256), &document))
            }
            (Some(name), Some(PolicySource::Digest(digest))) => (name, digest.clone()),
        };
        let id: PolicyId = name.parse().map_err(|_| {
            Failure::usage(format!(
                "--policy {name:?}: neither an OID, such as 1.3.6.1.4.1.49274.1.1.7.2.0, nor a \
                 URL; only itsme has references"
            ))
        })?;
        Ok(Some(self.with_uri(SignaturePolicy::new(id).digest(digest))))
    }

    /// Sets the URI that the user gave.
    pub(crate) fn with_uri(&self, mut policy: SignaturePolicy) -> SignaturePolicy {
        policy.uri = self.policy_uri.clone().or(policy.uri);
        policy
    }

    /// The commitment by its OID or name.
    pub(crate) fn commitment(&self) -> Result<Option<CommitmentType>, Failure> {
        let parse = |text: &str| {
            text.parse().map_err(|_| {
                Failure::usage(format!(
                    "--commitment {text:?}: not an OID, such as 1.2.3.4, nor one of origin, \
                     receipt, delivery, sender, approval, creation"
                ))
            })
        };
        self.commitment.as_deref().map(parse).transpose()
    }
}

/// Reads a policy's document.
pub(crate) fn policy_document(path: &Path) -> Result<Vec<u8>, Failure> {
    /// Maximum size of a policy's document, in octets.
    const MAX: u64 = 64 * 1024 * 1024;
    input::read_at_most(path, MAX).map_err(|failure| failure.about("--policy-document"))
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

/// The value of the environment variable that an option names: a secret.
pub(crate) fn environment(option: &str, variable: &str) -> Result<Zeroizing<String>, Failure> {
    std::env::var(variable).map(Zeroizing::new).map_err(|error| match error {
        std::env::VarError::NotPresent => Failure::usage(format!(
            "{option} {variable:?}: there is no environment variable with this name; the option \
             takes the name, not the value"
        )),
        std::env::VarError::NotUnicode(_) => {
            Failure::usage(format!("{option}: the value of {variable} is not UTF-8"))
        }
    })
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
