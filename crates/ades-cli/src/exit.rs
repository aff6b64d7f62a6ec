//! Exit status and message of whatever went wrong.

use std::fmt;
use std::path::Path;

use ades_core::signer::{Refusal, RefusalReason, SignerError, SignerErrorKind};
use ades_core::{Fault, Retry};
use itsme_sandbox::Blame;
use xades::error::ExternalResource;

pub(crate) const DONE: u8 = 0;
pub(crate) const NO: u8 = 1;
pub(crate) const USAGE: u8 = 2;
pub(crate) const INPUT: u8 = 3;
pub(crate) const REFUSED: u8 = 4;
pub(crate) const SERVICE: u8 = 5;
pub(crate) const BUG: u8 = 70;

/// Why the program ends otherwise than done.
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
        Self::input(format!("{}: {error}", crate::input::name(path)))
    }

    pub(crate) fn output(path: &Path, error: &std::io::Error) -> Self {
        Self::input(format!("{}: {error}", crate::output::name(path)))
    }

    /// Whether it is a no that nothing can change.
    pub(crate) fn is_final(&self) -> bool {
        self.status == REFUSED && self.retry != Retry::Later
    }

    /// With the file it is about in front.
    pub(crate) fn about(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// With something more behind it.
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

impl From<ades_core::Error> for Failure {
    fn from(error: ades_core::Error) -> Self {
        Self::of(error.fault(), error.retry(), &error)
    }
}

impl From<cades::Error> for Failure {
    fn from(error: cades::Error) -> Self {
        Self::of(error.fault(), error.retry(), &error)
    }
}

impl From<pades::Error> for Failure {
    fn from(error: pades::Error) -> Self {
        Self::of(error.fault(), error.retry(), &error)
    }
}

impl From<xades::Error> for Failure {
    fn from(error: xades::Error) -> Self {
        let failure = Self::of(error.fault(), error.retry(), &error);
        match error {
            xades::Error::External { what: ExternalResource::DtdSubset, .. } => {
                failure.and("--ignore-external-subset reads it as if it named none")
            }
            _ => failure,
        }
    }
}

impl From<SignerError> for Failure {
    fn from(error: SignerError) -> Self {
        let mut failure = Self::of(error.fault(), error.retry(), &error);
        match error.kind() {
            SignerErrorKind::ClientNotAuthorised => {
                failure.status = REFUSED;
                // Once we are registered: what a session holds is still there.
                failure.retry = Retry::Later;
            }
            // It came from the signer, not from whoever called us.
            SignerErrorKind::Certificate => failure.status = SERVICE,
            _ => {}
        }
        failure
    }
}

impl From<itsme_signer::Error> for Failure {
    fn from(error: itsme_signer::Error) -> Self {
        Self::of(error.fault(), error.retry(), &error)
    }
}

impl From<pkcs12_signer::Error> for Failure {
    fn from(error: pkcs12_signer::Error) -> Self {
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
            // The service has not said so: only we do not wait any longer.
            let message =
                "nobody confirmed while we waited; to resume is to ask whether somebody has since";
            return Self { status: SERVICE, retry: Retry::Later, message: message.to_owned() };
        }
        let code = refusal.code.map(|code| format!(" ({code})")).unwrap_or_default();
        let retry = refusal.reason.retry();
        Self { status: REFUSED, retry, message: format!("{}{code}", refusal.reason) }
    }
}

/// The error and what is below it, nothing said twice.
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
