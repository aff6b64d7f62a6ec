//! What can go wrong, in itsme®'s own terms. Behind the `RemoteSigner` trait
//! each becomes the source of a [`SignerError`].

use ades_core::signer::{Language, SignerError, SignerErrorKind};
use ades_core::{Fault, Retry};

use crate::codes::Reason;

/// The errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration, with the key, and the line where it comes from a file.
    #[error("{}{key}: {problem}", place(*line))]
    Config {
        /// the key, dotted, as `itsme.toml` has it
        key: String,
        /// the first line is 1
        line: Option<usize>,
        /// what is wrong
        problem: String,
    },
    /// A file that the configuration names.
    #[error("{}{key}: cannot read the file", place(*line))]
    ConfigFile {
        /// the key that names it
        key: &'static str,
        /// the first line is 1
        line: Option<usize>,
        /// why
        #[source]
        source: std::io::Error,
    },
    /// A character that itsme® does not take (ISO 8859-15; ISO 8859-1 for roles).
    #[error("character {index} of the {field} ({char:?}, U+{:04X}) cannot be shown by itsme", u32::from(*char))]
    UnsupportedCharacter {
        /// which text
        field: &'static str,
        /// counted from 0, in characters
        index: usize,
        /// the character
        char: char,
    },
    /// A text that is too long.
    #[error("the {field} has {found} characters, more than {max}")]
    TextTooLong {
        /// which text
        field: &'static str,
        /// its characters
        found: usize,
        /// how many it may have
        max: usize,
    },
    /// A text that is not there in every language.
    #[error("the {field} is missing in {}", missing.iter().map(|l| l.code()).collect::<Vec<_>>().join(", "))]
    MissingTranslation {
        /// which text
        field: &'static str,
        /// the languages without it
        missing: Vec<Language>,
    },
    /// A text that is there twice in one language.
    #[error("the {field} is there twice in {}", language.code())]
    RepeatedTranslation {
        /// which text
        field: &'static str,
        /// the language
        language: Language,
    },
    /// A user code that cannot be one.
    #[error("a user code has exactly 36 characters without spaces")]
    InvalidUserCode,
    /// A policy or commitment that the discovery document does not list.
    #[error("{what} {reference:?} is not in itsme's discovery document")]
    UnknownReference {
        /// `policy` or `commitment`
        what: &'static str,
        /// what was asked for
        reference: String,
    },
    /// A policy that is switched off.
    #[error("policy {reference:?} is disabled")]
    PolicyDisabled {
        /// its reference
        reference: String,
    },
    /// Nobody said where the policy's digest shall come from.
    #[error(
        "the policy document is needed for its digest; published digests disagree and are used only on request"
    )]
    PolicyDocumentNeeded,
    /// An answer that breaks the protocol.
    #[error("itsme's answer breaks its protocol: {what}")]
    Protocol {
        /// how
        what: &'static str,
    },
    /// A no that is not the user's.
    #[error("itsme answered {0}")]
    Answered(Reason),
    /// Certificates that do not fit together.
    #[error("the certificate is not the first of the chain that came with it")]
    CertificateMismatch,
    /// A test certificate in the production profile.
    #[error("a test certificate, which the production profile refuses")]
    TestCertificate,
    /// A certificate that is not qualified, in the production profile.
    #[error("the trusted list does not call such a certificate qualified: it lacks the policy")]
    NotQualified,
    /// An address that the user must not be sent to.
    #[error("an address the user must not be sent to: {why}")]
    UntrustedRedirectTarget {
        /// why
        why: &'static str,
    },
}

impl Error {
    pub(crate) fn config(key: &str, problem: impl Into<String>) -> Self {
        Self::Config { key: key.to_owned(), line: None, problem: problem.into() }
    }

    /// Whose fault it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.kind().map_or(Fault::Configuration, |kind| SignerError::new(kind).fault())
    }

    /// Whether another try may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.kind().map_or(Retry::Never, |kind| SignerError::new(kind).retry())
    }

    fn kind(&self) -> Option<SignerErrorKind> {
        Some(match self {
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
        })
    }
}

fn place(line: Option<usize>) -> String {
    line.map(|line| format!("itsme.toml, line {line}: ")).unwrap_or_default()
}

impl From<Error> for SignerError {
    fn from(error: Error) -> Self {
        let kind = error.kind().unwrap_or(SignerErrorKind::Configuration);
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
