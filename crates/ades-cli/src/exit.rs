//! Exit status and message of every failure.

use std::fmt;
use std::path::Path;

use ades::formats::ades_core;
use ades::signer::{Refusal, RefusalReason, SignerError, SignerErrorKind};
use ades::{Fault, FormatOption, Retry};
use itsme_sandbox::Blame;

use crate::path_name;

pub(crate) const DONE: u8 = 0;
pub(crate) const NO: u8 = 1;
pub(crate) const USAGE: u8 = 2;
pub(crate) const INPUT: u8 = 3;
pub(crate) const REFUSED: u8 = 4;
pub(crate) const SERVICE: u8 = 5;
pub(crate) const BUG: u8 = 70;

/// A failure of the program: its exit status and its message.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: u8,
    pub(crate) retry: Retry,
    message: String,
}

impl Failure {
    pub(crate) fn new(status: u8, message: impl Into<String>) -> Self {
        Self { status, retry: Retry::Never, message: message.into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(USAGE, message)
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(INPUT, message)
    }

    pub(crate) fn service(message: impl Into<String>) -> Self {
        Self::new(SERVICE, message)
    }

    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::input(format!("{}: {error}", path_name::of_input(path)))
    }

    pub(crate) fn output(path: &Path, error: &std::io::Error) -> Self {
        Self::input(format!("{}: {error}", path_name::of_output(path)))
    }

    /// Whether the signer or the user refused, so that no later try can succeed.
    pub(crate) fn is_final(&self) -> bool {
        self.status == REFUSED && self.retry != Retry::Later
    }

    /// Puts a name before the message: that of the file with the failure.
    pub(crate) fn about(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Adds a hint to the end of the message.
    pub(crate) fn and(mut self, what: &str) -> Self {
        self.message = format!("{}; {what}", self.message);
        self
    }

    fn of(fault: Fault, retry: Retry, error: &dyn std::error::Error) -> Self {
        let status = match fault {
            Fault::Caller => USAGE,
            Fault::User => REFUSED,
            Fault::Service => SERVICE,
            _ => INPUT,
        };
        let hint = match retry {
            Retry::Later => "; try again later",
            Retry::NewSession => "; a new session may succeed",
            Retry::NewIdentification => "; start again with the identification",
            _ => "",
        };
        Self { status, retry, message: format!("{}{hint}", with_causes(error)) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<ades::Error> for Failure {
    fn from(error: ades::Error) -> Self {
        use ades::Error;

        let failure = Self::of(error.fault(), error.retry(), &error);
        match error {
            Error::Signer(error) => error.into(),
            Error::Refused(refusal) => refusal.into(),
            Error::CompletedNotValid { .. } => Self { status: BUG, ..failure },
            // Hints at the argument to change.
            Error::NotPdf => failure.and("--format pades is for PDFs"),
            Error::NotXml(_) => {
                failure.and("--packaging enveloping or detached signs any file as xades")
            }
            Error::PackagingNotForFormat { .. } => failure.about("--packaging"),
            Error::OptionNotForFormat { option, .. } => match option {
                FormatOption::Packaging => failure
                    .about("--packaging")
                    .and("--format cades signs the PDF as any other file"),
                FormatOption::Original | FormatOption::SeveralOriginals => {
                    failure.about("--original")
                }
                FormatOption::Element => failure.about("--element"),
                FormatOption::Reading => failure.about("--ignore-external-subset, --id-attribute"),
                _ => failure,
            },
            Error::DigestNotForKey { .. } | Error::SignerDigest { .. } => failure.about("--digest"),
            Error::SignerAlgorithm { .. } => failure.about("--algorithm"),
            Error::NoPreview { .. } => failure.about("--preview"),
            error if error.is_external_subset() => {
                failure.and("--ignore-external-subset reads the document without it")
            }
            _ => failure,
        }
    }
}

impl From<ades_core::Error> for Failure {
    fn from(error: ades_core::Error) -> Self {
        ades::Error::from(error).into()
    }
}

impl From<SignerError> for Failure {
    fn from(error: SignerError) -> Self {
        let mut failure = Self::of(error.fault(), error.retry(), &error);
        match error.kind() {
            SignerErrorKind::ClientNotAuthorised => {
                failure.status = REFUSED;
                // The session becomes usable when the service accepts this application.
                failure.retry = Retry::Later;
            }
            // The certificate comes from the signer, not from the caller.
            SignerErrorKind::Certificate => failure.status = SERVICE,
            _ => {}
        }
        failure
    }
}

impl From<ades::itsme::Error> for Failure {
    fn from(error: ades::itsme::Error) -> Self {
        Self::of(error.fault(), error.retry(), &error)
    }
}

impl From<ades::pkcs12::Error> for Failure {
    fn from(error: ades::pkcs12::Error) -> Self {
        Self::of(error.fault(), error.retry(), &error)
    }
}

impl From<itsme_sandbox::SandboxError> for Failure {
    fn from(error: itsme_sandbox::SandboxError) -> Self {
        let status = match error.fault() {
            Blame::Configuration => USAGE,
            Blame::System if error.retry() => SERVICE,
            Blame::Sandbox => BUG,
            _ => INPUT,
        };
        let hint = if error.retry() { "; try again later" } else { "" };
        let mut failure = Self::new(status, format!("{}{hint}", with_causes(&error)));
        if error.retry() {
            failure.retry = Retry::Later;
        }
        failure
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        if refusal.reason == RefusalReason::Expired && refusal.code.is_none() {
            // The service sent no result: this program stopped waiting.
            let message = "nobody confirmed in time; ades resume asks the service whether \
                           somebody has confirmed since";
            return Self { status: SERVICE, retry: Retry::Later, message: message.to_owned() };
        }
        let code = refusal.code.map(|code| format!(" ({code})")).unwrap_or_default();
        let retry = refusal.reason.retry();
        Self { status: REFUSED, retry, message: format!("{}{code}", refusal.reason) }
    }
}

/// The error and its causes, without repetitions.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            let said = text.rsplit_once(": ").filter(|(_, last)| cause_text.contains(last));
            text = format!("{}: {cause_text}", said.map_or(text.as_str(), |(before, _)| before));
        }
        source = cause.source();
    }
    text
}
