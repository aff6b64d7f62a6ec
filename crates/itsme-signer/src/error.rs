//! The errors of this crate. The `RemoteSigner` methods return each as the source
//! of a [`SignerError`].

use std::fmt;

use ades_core::signer::{Language, SignerError, SignerErrorKind};
use ades_core::{Fault, Retry};

use crate::certificate::{QUALIFIED_POLICY, TEST_POLICY};
use crate::codes::{Code, Reason};
use crate::other_answer::UndocumentedAnswer;
use crate::text::TextField;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The service denied a request, for a reason other than the user's refusal
    #[error("itsme answered {0}")]
    Answered(Reason),
    /// The service is busy
    #[error("the service asks for {seconds} seconds until the next request")]
    Busy {
        /// the wait that it asks for
        seconds: u64,
    },
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
    /// No value of the batch is by the certificate's key: the values are damaged, or
    /// another key made them. One answer does not reveal which
    #[error(
        "no value of the batch is by the key of the user's certificate: the values are damaged, \
         or another key made them"
    )]
    DamagedOrOtherKey,
    /// The service refuses the digests, which have the right algorithm and length
    #[error(
        "itsme answered INVALID_DIGEST_INFO to digests in {} base64: itsme probably expects the \
         other alphabet; set request.url_safe_digests = {}",
        if *url_safe { "URL-safe" } else { "standard" },
        !*url_safe
    )]
    DigestsRefused {
        /// whether the digests were in the URL-safe alphabet of base64
        url_safe: bool,
    },
    /// A user code is malformed. The message does not show it, because it
    /// identifies the user
    #[error("the user code does not have exactly 36 characters without spaces")]
    InvalidUserCode,
    /// The service does not offer a language
    #[error(
        "itsme does not offer the language {}: it offers {}",
        language.code(),
        codes_of(offered)
    )]
    LanguageNotOffered {
        /// the language
        language: Language,
        /// the languages that the discovery document lists
        offered: Vec<Language>,
        /// whether the language is that of the configuration
        configured: bool,
    },
    /// A text lacks some of the languages
    #[error("the {field} is missing in {}: it needs every language of itsme", codes_of(missing))]
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
    /// The server at `base_url` does not answer as the service does
    #[error(
        "{base_url} is not the address of itsme's back end: it answers with {answer}; check \
         base_url{}",
        hint(answer)
    )]
    NotTheService {
        /// the configured address
        base_url: String,
        /// the answer
        answer: UndocumentedAnswer,
    },
    /// The service gave the same values twice, and none of them is by the
    /// certificate's key
    #[error(
        "itsme gave the same values twice, and none is by the key of the user's certificate: the \
         user has probably renewed the certificate since the identification"
    )]
    OtherKey,
    /// Another server answered in place of the service, which has answered at this
    /// address before
    #[error(
        "the answer has {answer}: another server, such as a proxy or a portal, has probably \
         answered in place of itsme"
    )]
    OtherServer {
        /// the answer
        answer: UndocumentedAnswer,
    },
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
    #[error("itsme's page {}has an address that the user must not visit: {why}", at(host.as_deref()))]
    UntrustedRedirectTarget {
        /// the host of the page, if the address has one
        host: Option<String>,
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
            | Self::DigestsRefused { .. }
            | Self::LanguageNotOffered { configured: true, .. }
            | Self::NotTheService { .. }
            | Self::UnknownReference { .. }
            | Self::PolicyDisabled { .. }
            | Self::PolicyDocumentNeeded => SignerErrorKind::Configuration,
            Self::UnsupportedCharacter { .. }
            | Self::TextTooLong { .. }
            | Self::MissingTranslation { .. }
            | Self::RepeatedTranslation { .. }
            | Self::LanguageNotOffered { configured: false, .. }
            | Self::InvalidUserCode => SignerErrorKind::InvalidRequest { what: self.to_string() },
            Self::Protocol { what } => SignerErrorKind::Protocol { what: (*what).to_owned() },
            Self::Answered(reason) => reason.error_kind(),
            Self::Busy { .. } => SignerErrorKind::Unavailable,
            Self::OtherServer { answer } => SignerErrorKind::Service { status: answer.status },
            Self::DamagedOrOtherKey => SignerErrorKind::Value,
            Self::CertificateMismatch
            | Self::NotQualified
            | Self::OtherKey
            | Self::TestCertificate => SignerErrorKind::Certificate,
            Self::UntrustedRedirectTarget { .. } => SignerErrorKind::UntrustedRedirect,
        }
    }
}

fn location(line: Option<usize>) -> String {
    line.map(|line| format!("itsme.toml, line {line}: ")).unwrap_or_default()
}

fn codes_of(languages: &[Language]) -> String {
    languages.iter().map(|language| language.code()).collect::<Vec<_>>().join(", ")
}

fn at(host: Option<&str>) -> String {
    host.map(|host| format!("on {host} ")).unwrap_or_default()
}

/// What else to check after an answer that the service does not give.
const fn hint(answer: &UndocumentedAnswer) -> &'static str {
    match answer {
        // Servers answer so to a client without a certificate.
        UndocumentedAnswer { status: 400, .. } => " and client.certificate",
        UndocumentedAnswer { is_web_page: true, .. } => {
            ", and that no proxy or portal answers in its place"
        }
        _ => "",
    }
}

impl From<Error> for SignerError {
    fn from(error: Error) -> Self {
        let kind = error.kind();
        let code = match &error {
            Error::Answered(reason) => Some(reason.to_string()),
            Error::DigestsRefused { .. } => Some(Code::InvalidDigestInfo.to_string()),
            _ => None,
        };
        let converted = Self::new(kind).caused_by(error);
        match code {
            Some(code) => converted.with_code(code),
            None => converted,
        }
    }
}
