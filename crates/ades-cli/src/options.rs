//! What a signature shall say and how it is made: checked once, stored with a
//! job, independent of how it was asked for.

use std::path::{Path, PathBuf};

use ades_core::certificate::KeyType;
use ades_core::signer::{Capabilities, Display, Language};
use ades_core::{
    CommitmentType, DigestAlgorithm, Oid, SignatureAlgorithm, SignatureParameters, SignaturePolicy,
    SignerLocation,
};
use cades::Packaging;
use chrono::{DateTime, Utc};
use pades::{Certification, FieldLock};
use serde::{Deserialize, Serialize};

use crate::args::{self, Level, SignatureOptions};
use crate::exit::Failure;
use crate::input::is_standard;
use crate::stamp::StampWishes;
use crate::xml::XmlWishes;

/// What is wanted of each signature of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wishes {
    pub(crate) shape: Shape,
    digest: Option<DigestAlgorithm>,
    algorithm: Option<SignatureAlgorithm>,
    signing_time: Option<DateTime<Utc>>,
    pub(crate) policy: Option<String>,
    pub(crate) policy_digest: Option<PolicySource>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy_uri: Option<String>,
    /// As it was asked for; its OID once the signer was asked.
    pub(crate) commitment: Option<String>,
    roles: Vec<String>,
    location: Option<SignerLocation>,
    mime_type: Option<String>,
    pub(crate) pdf: PdfWishes,
    pub(crate) xml: XmlWishes,
    pub(crate) language: Option<Language>,
    description: Vec<(Language, String)>,
}

/// What a signature in a PDF says beside what all say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PdfWishes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) contact: Option<String>,
    pub(crate) field: Option<String>,
    /// The number of the certification's level, 1 to 3.
    pub(crate) certify: Option<u8>,
    /// As it was asked for: `all`, `include:...` or `exclude:...`.
    lock: Option<String>,
    pub(crate) stamp: Option<StampWishes>,
    pub(crate) repair: bool,
    /// The name of an environment variable: no password is stored.
    password_env: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) overrule_permissions: bool,
}

impl PdfWishes {
    fn new(options: args::PdfOptions) -> Result<Self, Failure> {
        Ok(Self {
            name: options.name,
            reason: options.reason,
            location: options.location,
            contact: options.contact,
            field: options.field,
            certify: options.certify,
            lock: options.lock,
            stamp: StampWishes::new(options.stamp)?,
            repair: options.repair,
            password_env: options.pdf_password_env,
            overrule_permissions: options.overrule_permissions,
        })
    }

    pub(crate) fn password(&self) -> Result<Option<String>, Failure> {
        pdf_password(self.password_env.as_deref())
    }

    pub(crate) fn certification(&self) -> Option<Certification> {
        self.certify.map(|level| match level {
            1 => Certification::NoChanges,
            2 => Certification::FormFilling,
            _ => Certification::Annotations,
        })
    }

    pub(crate) fn lock(&self) -> Result<Option<FieldLock>, Failure> {
        let names = |names: &str| names.split(',').map(str::to_owned).collect();
        self.lock
            .as_deref()
            .map(|lock| match lock.split_once(':') {
                None if lock == "all" => Ok(FieldLock::All),
                Some(("include", fields)) => Ok(FieldLock::Include(names(fields))),
                Some(("exclude", fields)) => Ok(FieldLock::Exclude(names(fields))),
                _ => Err(Failure::usage("--lock is all, include:NAME,... or exclude:NAME,...")),
            })
            .transpose()
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

/// What becomes of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Shape {
    /// A new container; the packaging is that of CAdES.
    New(Packaging),
    /// One more signer in this container.
    Parallel(PathBuf),
    /// A signature on signer number so-and-so of the container.
    Countersignature(usize),
}

impl Shape {
    /// The file name of the container that becomes of `input`.
    pub(crate) fn output_name(&self, input: &Path) -> PathBuf {
        let name = |path: &Path| match path.file_name() {
            Some(name) if !is_standard(path) => PathBuf::from(name),
            _ => PathBuf::from("stdin"),
        };
        let with = |suffix: &str| {
            let mut name = name(input).into_os_string();
            name.push(suffix);
            PathBuf::from(name)
        };
        match self {
            Self::New(Packaging::Enveloping) => with(".p7m"),
            Self::New(_) => with(".p7s"),
            Self::Parallel(container) => name(container),
            Self::Countersignature(_) => name(input),
        }
    }
}

/// Where the digest of a policy comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum PolicySource {
    Document(PathBuf),
    Discovery,
}

impl Wishes {
    /// Makes sense of what was said.
    pub(crate) fn new(options: SignatureOptions) -> Result<Self, Failure> {
        if options.level != Level::B {
            return Err(Failure::usage("--level: this version makes level b only, not yet more"));
        }
        if options.tsa.is_some() {
            return Err(Failure::usage(
                "--tsa: for levels t, lt and lta, which this version does not make, not yet",
            ));
        }
        let shape = match (options.parallel, options.counter_sign) {
            (Some(container), _) => Shape::Parallel(crate::input::absolute(&container)),
            (None, Some(signer)) => Shape::Countersignature(signer),
            (None, None) => Shape::New(match options.packaging {
                Some(args::Packaging::Enveloping) => Packaging::Enveloping,
                _ => Packaging::Detached,
            }),
        };
        let policy_digest = match options.policy_document {
            Some(document) => Some(PolicySource::Document(crate::input::absolute(&document))),
            None => options.policy_digest_from_discovery.then_some(PolicySource::Discovery),
        };
        let located = options.country.is_some() || options.locality.is_some();
        let location = located.then(|| {
            let mut location = SignerLocation::default();
            location.country = options.country;
            location.locality = options.locality;
            location
        });
        let wishes = Self {
            shape,
            digest: options.digest,
            algorithm: options.algorithm,
            signing_time: options.signing_time,
            policy: options.policy,
            policy_digest,
            policy_uri: options.policy_uri,
            commitment: options.commitment,
            roles: options.role,
            location,
            mime_type: options.mime_type,
            pdf: PdfWishes::new(options.pdf)?,
            xml: XmlWishes::new(options.packaging, options.xml)?,
            language: options.lang,
            description: options.description,
        };
        // What is wrong with it is said before anybody is asked.
        wishes.with_texts(SignatureParameters::new(DateTime::UNIX_EPOCH)).check()?;
        Ok(wishes)
    }

    /// The parameters of one signature with a key of this type.
    pub(crate) fn parameters(
        &self,
        key: KeyType,
        policy: Option<&SignaturePolicy>,
    ) -> Result<SignatureParameters, Failure> {
        let mut parameters = self.draft();
        if let Some(algorithm) = self.algorithm(key)? {
            parameters = parameters.algorithm(algorithm);
        }
        if let Some(policy) = policy {
            parameters = parameters.policy(policy.clone());
        }
        if let Some(commitment) = self.commitment()? {
            parameters = parameters.commitment(commitment);
        }
        Ok(parameters)
    }

    /// As far as they are known before there is a key.
    pub(crate) fn draft(&self) -> SignatureParameters {
        let time = self.signing_time.unwrap_or_else(|| std::time::SystemTime::now().into());
        self.with_texts(SignatureParameters::new(time))
    }

    fn with_texts(&self, mut parameters: SignatureParameters) -> SignatureParameters {
        for role in &self.roles {
            parameters = parameters.signer_role(role);
        }
        if let Some(location) = &self.location {
            parameters = parameters.location(location.clone());
        }
        if let Some(mime_type) = &self.mime_type {
            parameters = parameters.mime_type(mime_type);
        }
        if let Some(description) = self.description() {
            parameters = parameters.description(description);
        }
        parameters
    }

    /// The description in the user's language, else in English, else the first.
    fn description(&self) -> Option<&str> {
        let wanted = self.language.unwrap_or(Language::En);
        let fitting = self.description.iter().find(|(language, _)| *language == wanted);
        fitting.or_else(|| self.description.first()).map(|(_, text)| text.as_str())
    }

    fn algorithm(&self, key: KeyType) -> Result<Option<SignatureAlgorithm>, Failure> {
        let Some(digest) = self.digest else { return Ok(self.algorithm) };
        match key {
            KeyType::Rsa { .. } => Ok(Some(SignatureAlgorithm::RsaPkcs1v15(digest))),
            KeyType::P256 | KeyType::P384 | KeyType::P521 => {
                Ok(Some(SignatureAlgorithm::Ecdsa(digest)))
            }
            KeyType::Ed25519 if digest == DigestAlgorithm::Sha512 => Ok(None),
            _ => {
                Err(Failure::usage(format!("--digest: a key of type {key} does not use {digest}")))
            }
        }
    }

    /// Whether the signer has the algorithm that was asked for, whichever the key.
    pub(crate) fn check_for(&self, signer: &Capabilities) -> Result<(), Failure> {
        let (name, has) = (signer.name, &signer.algorithms);
        if let Some(digest) = self.digest
            && !has.iter().any(|algorithm| algorithm.digest_algorithm() == digest)
        {
            return Err(Failure::usage(format!("--digest: {name} does not sign with {digest}")));
        }
        match self.algorithm {
            Some(algorithm) if !has.contains(&algorithm) => {
                let message = format!("--algorithm: {name} does not sign with {algorithm}");
                Err(Failure::usage(message))
            }
            _ => Ok(()),
        }
    }

    /// A policy named by its OID, its digest from the document: where the
    /// signer knows no policies.
    pub(crate) fn policy_by_oid(&self) -> Result<Option<SignaturePolicy>, Failure> {
        let (name, path) = match (&self.policy, &self.policy_digest) {
            (None, None) => return Ok(None),
            (None, Some(_)) => {
                return Err(Failure::usage("the source of a policy's digest needs --policy"));
            }
            (_, Some(PolicySource::Discovery)) => {
                return Err(Failure::usage(
                    "--policy-digest-from-discovery: only the sandbox and itsme have discovery",
                ));
            }
            (Some(_), None) => {
                return Err(Failure::usage(
                    "--policy: its digest is needed too; --policy-document names the document",
                ));
            }
            (Some(name), Some(PolicySource::Document(path))) => (name, path),
        };
        let id: Oid = name.parse().map_err(|_| {
            Failure::usage(format!("--policy {name}: not an OID; references are for itsme only"))
        })?;
        let digest = self.digest.unwrap_or(DigestAlgorithm::Sha256);
        let document = std::fs::read(path).map_err(|e| Failure::file(path, &e))?;
        Ok(Some(self.with_uri(SignaturePolicy::of_document(id, digest, &document))))
    }

    /// A policy with the URI that was asked for.
    pub(crate) fn with_uri(&self, mut policy: SignaturePolicy) -> SignaturePolicy {
        policy.uri = self.policy_uri.clone().or(policy.uri);
        policy
    }

    /// The commitment, named by OID or in a word.
    pub(crate) fn commitment(&self) -> Result<Option<CommitmentType>, Failure> {
        self.commitment.as_deref().map(str::parse).transpose().map_err(|_| {
            Failure::usage(
                "--commitment: not an OID, nor one of origin, receipt, delivery, sender, approval, creation",
            )
        })
    }

    /// What the user gets to see at a signer that speaks these languages.
    pub(crate) fn display(
        &self,
        policy: Option<&SignaturePolicy>,
        languages: &[Language],
    ) -> Result<Display, Failure> {
        let mut display = Display::default();
        display.language = self.language;
        display.description.clone_from(&self.description);
        // Without a policy nothing of the following can be shown; the
        // signature says it all the same.
        if let Some(policy) = policy {
            display.policy = Some(policy.id);
            display.commitment = self.commitment()?;
            if !self.roles.is_empty() {
                let roles = self.roles.join(", ");
                display.role = languages.iter().map(|l| (*l, roles.clone())).collect();
            }
        }
        Ok(display)
    }
}
