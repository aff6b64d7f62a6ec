//! The errors of this crate. The `RemoteSigner` methods return each as the source
//! of a [`SignerError`].

use std::fmt;

use ades_core::signer::{Language, SignerError, SignerErrorKind};
use ades_core::{Fault, Retry};

use crate::certificate::{QUALIFIED_POLICY, TEST_POLICY};
use crate::codes::Reason;
use crate::text::TextField;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The service denied a request, for a reason other than the user's refusal
    #[error("itsme answered {0}")]
    Answered(Reason),
    /// The user's certificate is not the leaf of the chain in the same answer
    #[error("the user's certificate is not the leaf of the chain that itsme sent with it")]
    CertificateMismatch,
    /// A setting has a missing, malformed or contradictory value
    #[error("{}{key}: {problem}", location(*line))]
    Config {
        /// the dotted key in `itsme.toml`
        key: String,
        /// the line in the file, counted from 1
        line: Option<usize>,
        /// the problem with its value
        problem: String,
    },
    /// The configuration, or a file that it names, cannot be read
    #[error("{}{key}: cannot read the file", location(*line))]
    ConfigFile {
        /// the key that names the file
        key: &'static str,
        /// the line of the key, counted from 1
        line: Option<usize>,
        /// the error of the file system
        #[source]
        source: std::io::Error,
    },
    /// A user code is malformed. The message does not show it, because it
    /// identifies the user
    #[error("the user code does not have exactly 36 characters without spaces")]
    InvalidUserCode,
    /// A text lacks some of the languages
    #[error(
        "the {field} is missing in {}: it needs all four languages",
        missing.iter().map(|l| l.code()).collect::<Vec<_>>().join(", ")
    )]
    MissingTranslation {
        /// the text
        field: TextField,
        /// the languages that are missing
        missing: Vec<Language>,
    },
    /// The production profile refuses a certificate that is not qualified
    #[error(
        "the certificate is not qualified: it lacks the policy {QUALIFIED_POLICY}, which the trusted list requires"
    )]
    NotQualified,
    /// The discovery document does not list the policy as enabled
    #[error("the policy {reference:?} is disabled: its status is {:?}", status.as_deref().unwrap_or_default())]
    PolicyDisabled {
        /// its reference
        reference: String,
        /// its status in the discovery document
        status: Option<String>,
    },
    /// The caller did not say where the digest of the policy comes from
    #[error(
        "the policy document is needed to compute its digest; published digests disagree, so \
         they are used only on request"
    )]
    PolicyDocumentNeeded,
    /// An answer breaks the protocol
    #[error("itsme's answer breaks its protocol: {what}")]
    Protocol {
        /// how the answer breaks the protocol
        what: &'static str,
    },
    /// A text occurs twice in one language
    #[error("the {field} occurs twice in {}", language.code())]
    RepeatedTranslation {
        /// the text
        field: TextField,
        /// the language
        language: Language,
    },
    /// The production profile refuses a test certificate
    #[error(
        "the certificate is a test certificate (policy {TEST_POLICY}), which only the test profile accepts"
    )]
    TestCertificate,
    /// A text is too long
    #[error("the {field} has {found} characters; it must have at most {max}")]
    TextTooLong {
        /// the text
        field: TextField,
        /// its length in characters
        found: usize,
        /// the maximum length in characters
        max: usize,
    },
    /// The discovery document does not list a policy or commitment
    #[error("the {kind} {reference:?} is not in itsme's discovery document")]
    UnknownReference {
        /// whether it is a policy or a commitment
        kind: ReferenceKind,
        /// the unknown reference
        reference: String,
    },
    /// itsme® does not accept a character. A description may have the characters
    /// of ISO 8859-15, a role those of ISO 8859-1
    #[error("itsme cannot show character {index} of the {field} ({char:?}, U+{:04X})", u32::from(*char))]
    UnsupportedCharacter {
        /// the text
        field: TextField,
        /// the position in characters, counted from 0
        index: usize,
        /// the character
        char: char,
    },
    /// The service redirects the user to an address that is not acceptable
    #[error("itsme's page has an address that the user must not visit: {why}")]
    UntrustedRedirectTarget {
        /// why the user must not visit the address
        why: &'static str,
    },
}

/// The kind of entry in the discovery document that a reference names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReferenceKind {
    /// A commitment
    Commitment,
    /// A signature policy
    Policy,
}

impl fmt::Display for ReferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commitment => "commitment",
            Self::Policy => "policy",
        })
    }
}

impl Error {
    pub(crate) fn config(key: &str, problem: impl Into<String>) -> Self {
        Self::Config { key: key.to_owned(), line: None, problem: problem.into() }
    }

    /// Who has to act before the operation can succeed.
    #[must_use]
    pub fn fault(&self) -> Fault {
        SignerError::new(self.kind()).fault()
    }

    /// Which kind of retry may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        SignerError::new(self.kind()).retry()
    }

    fn kind(&self) -> SignerErrorKind {
        match self {
            Self::Config { .. }
            | Self::ConfigFile { .. }
            | Self::UnknownReference { .. }
            | Self::PolicyDisabled { .. }
            | Self::PolicyDocumentNeeded => SignerErrorKind::Configuration,
            Self::UnsupportedCharacter { .. }
            | Self::TextTooLong { .. }
            | Self::MissingTranslation { .. }
            | Self::RepeatedTranslation { .. }
            | Self::InvalidUserCode => SignerErrorKind::InvalidRequest { what: self.to_string() },
            Self::Protocol { what } => SignerErrorKind::Protocol { what: (*what).to_owned() },
            Self::Answered(reason) => reason.error_kind(),
            Self::CertificateMismatch | Self::NotQualified | Self::TestCertificate => {
                SignerErrorKind::Certificate
            }
            Self::UntrustedRedirectTarget { .. } => SignerErrorKind::UntrustedRedirect,
        }
    }
}

fn location(line: Option<usize>) -> String {
    line.map(|line| format!("itsme.toml, line {line}: ")).unwrap_or_default()
}

impl From<Error> for SignerError {
    fn from(error: Error) -> Self {
        let kind = error.kind();
        let code = match &error {
            Error::Answered(reason) => Some(reason.to_string()),
            _ => None,
        };
        let converted = Self::new(kind).caused_by(error);
        match code {
            Some(code) => converted.with_code(code),
            None => converted,
        }
    }
}
