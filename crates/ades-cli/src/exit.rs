//! Exit status and message of every failure.

use std::fmt;
use std::path::Path;

use ades::formats::ades_core::error::Parameter;
use ades::formats::pades::error::AppearanceFault;
use ades::formats::{ades_core, pades};
use ades::signer::{Refusal, RefusalReason, SignerError, SignerErrorKind};
use ades::{Fault, FormatOption, Retry};
use itsme_sandbox::Blame;

use crate::{nearest, path_name};

pub(crate) const DONE: u8 = 0;
pub(crate) const NO: u8 = 1;
pub(crate) const USAGE: u8 = 2;
pub(crate) const INPUT: u8 = 3;
pub(crate) const REFUSED: u8 = 4;
pub(crate) const SERVICE: u8 = 5;
/// The answer is not known.
pub(crate) const UNKNOWN: u8 = 6;
pub(crate) const OUTPUT: u8 = 7;
pub(crate) const BUG: u8 = 70;

/// A failure of the program: its exit status and its message.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: u8,
    pub(crate) retry: Retry,
    /// The reason, if the user or the service refused
    pub(crate) refusal: Option<RefusalReason>,
    message: String,
    /// What to do next; empty if the message says it
    hint: String,
    /// Whether the job cannot go on, so that it is not kept: the user or the service refused
    pub(crate) is_final: bool,
}

impl Failure {
    pub(crate) fn new(status: u8, message: impl Into<String>) -> Self {
        let (message, hint) = (message.into(), String::new());
        let (retry, refusal) = (Retry::Never, None);
        Self { status, retry, refusal, message, hint, is_final: false }
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

    /// An input file cannot be read. A missing one is compared with the files that exist.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        let name = path_name::of_input(path);
        if error.kind() != std::io::ErrorKind::NotFound {
            return Self::input(format!("{name}: cannot be read: {error}"));
        }
        let folder = path_name::folder_of(path);
        if !folder.is_dir() {
            let folder = folder.display();
            return Self::input(format!("{name}: does not exist: there is no folder {folder}"));
        }
        let failure = Self::input(format!("{name}: does not exist"));
        match nearest::file(path) {
            Some(near) => failure.and(&format!("did you mean {near}?")),
            None => failure,
        }
    }

    /// An output cannot be written: the disk, its permissions, or what is in its place.
    pub(crate) fn output(path: &Path, problem: impl fmt::Display) -> Self {
        let name = path_name::of_output(path);
        Self::new(OUTPUT, format!("{name}: cannot be written: {problem}"))
    }

    /// Puts a name before the message: that of the file with the failure.
    pub(crate) fn about(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Adds a hint to the end of the message.
    pub(crate) fn and(mut self, what: &str) -> Self {
        let separator = if self.hint.is_empty() { "" } else { "; " };
        self.hint = format!("{}{separator}{what}", self.hint);
        self
    }

    /// Replaces the hints.
    pub(crate) fn hinting(mut self, what: &str) -> Self {
        what.clone_into(&mut self.hint);
        self
    }

    /// No later process can continue the job.
    pub(crate) fn finally(mut self) -> Self {
        self.is_final = true;
        self
    }

    /// Combines several failures into one, with the status of the first.
    pub(crate) fn together(all: &[Self], what: &str) -> Self {
        let lines: String = all.iter().map(|failure| format!("\n  {failure}")).collect();
        let status = all.first().map_or(BUG, |first| first.status);
        Self::new(status, format!("{what}:{lines}"))
    }

    fn of(fault: Fault, retry: Retry, error: &dyn std::error::Error) -> Self {
        let status = match fault {
            Fault::Caller => USAGE,
            Fault::User => REFUSED,
            Fault::Service => SERVICE,
            _ => INPUT,
        };
        let hint = match retry {
            Retry::Later => "try again later",
            Retry::NewSession => "a new session may succeed",
            Retry::NewIdentification => "start again with the identification",
            _ => "",
        };
        Self { retry, ..Self::new(status, with_causes(error)) }.hinting(hint)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "; {}", self.hint) }
    }
}

/// So that it can be the cause of an error of `ades-session`, which gives it back.
impl std::error::Error for Failure {}

impl From<ades::Error> for Failure {
    fn from(error: ades::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&ades::Error> for Failure {
    fn from(error: &ades::Error) -> Self {
        use ades::Error;

        let failure = Self::of(error.fault(), error.retry(), error);
        match error {
            Error::Signer(error) => error.into(),
            Error::Refused(refusal) => refusal.into(),
            Error::CompletedNotValid { .. } | Error::RaisedNotValid { .. } => {
                Self { status: BUG, ..failure }
            }
            Error::Core(ades_core::Error::Write(_)) => Self { status: OUTPUT, ..failure },
            // Hints at the argument to change.
            Error::NotPdf => failure.and("--format cades signs any file"),
            Error::NotXml(_) => {
                failure.and("--packaging enveloping or detached signs any file as xades")
            }
            Error::Core(ades_core::Error::Parameter { parameter, .. }) => {
                match option_of(*parameter) {
                    Some(option) => failure.about(option),
                    None => failure,
                }
            }
            Error::Core(ades_core::Error::WrongAlgorithm { .. }) => failure
                .about("--algorithm")
                .and("--digest chooses the digest, and the key the rest of the algorithm"),
            Error::Pades(pades::Error::Appearance { problem }) => {
                match option_of_appearance(*problem) {
                    Some(option) => failure.about(option),
                    None => failure,
                }
            }
            Error::Pades(pades::Error::NoGlyph { .. }) => failure.about("--stamp-font"),
            Error::Pades(pades::Error::OutsidePage { .. } | pades::Error::NoSuchPage { .. }) => {
                failure.about("--visible")
            }
            Error::Pades(pades::Error::PasswordNeeded) => {
                failure.and("--pdf-password-env names the environment variable that holds it")
            }
            Error::Pades(pades::Error::WrongPassword) => failure.about("--pdf-password-env"),
            Error::Pades(pades::Error::RecipientNeeded) => {
                failure.and("--pdf-key names the PKCS#12 file that holds it")
            }
            Error::Cades(ades::formats::cades::Error::DocumentNeeded) => {
                failure.and("IN is the document, and --parallel names its container")
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
                FormatOption::Password => failure.about("--pdf-password-env"),
                _ => failure,
            },
            Error::DigestNotForKey { .. } | Error::SignerDigest { .. } => failure.about("--digest"),
            Error::SignerAlgorithm { .. } => failure.about("--algorithm"),
            Error::ContainerWrapped => failure.and(
                "openssl cms -cmsout -in FILE -inform PEM -outform DER -out NEW does that for PEM, \
                 -inform SMIME for S/MIME, and openssl base64 -d for base64",
            ),
            Error::NoPreview { .. } => failure.about("--preview"),
            Error::Pades(error) if error.is_repairable() => failure
                .and("ades sign --repair signs it with a new cross-reference, if it is complete"),
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
        Self::from(&error)
    }
}

impl From<&SignerError> for Failure {
    fn from(error: &SignerError) -> Self {
        let mut failure = Self::of(error.fault(), error.retry(), error);
        match error.kind() {
            SignerErrorKind::ClientNotAuthorised => {
                failure.status = REFUSED;
                // The session becomes usable when the service accepts this application.
                failure.retry = Retry::Later;
            }
            // The certificate comes from the signer, not from the caller.
            SignerErrorKind::Certificate => failure.status = SERVICE,
            SignerErrorKind::UnknownOutcome => {
                if is_caused_by_configuration(error) {
                    failure.status = INPUT;
                }
                failure = failure.hinting("ades resume --ask-again asks the user again");
            }
            _ => {}
        }
        failure
    }
}

/// Whether the configuration is the reason of a signer's error.
fn is_caused_by_configuration(error: &SignerError) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    cause.is_some_and(|cause: &SignerError| cause.fault() == Fault::Configuration)
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
            // The sandbox's folder is its output.
            _ if matches!(error, itsme_sandbox::SandboxError::File { .. }) => OUTPUT,
            Blame::Configuration => USAGE,
            Blame::System if error.retry() => SERVICE,
            Blame::Sandbox => BUG,
            _ => INPUT,
        };
        let failure = Self::new(status, with_causes(&error));
        if error.retry() {
            Self { retry: Retry::Later, ..failure }.and("try again later")
        } else {
            failure
        }
    }
}

impl From<&Refusal> for Failure {
    fn from(refusal: &Refusal) -> Self {
        if refusal.reason == RefusalReason::Expired && refusal.code.is_none() {
            // The service sent no result: this program stopped waiting.
            let failure = Self {
                retry: Retry::Later,
                refusal: Some(refusal.reason),
                ..Self::service("nobody confirmed in time")
            };
            return failure
                .and("ades resume asks the service whether somebody has confirmed since");
        }
        let code = refusal.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        let failure = Self {
            retry: refusal.reason.retry(),
            refusal: Some(refusal.reason),
            is_final: refusal.reason != RefusalReason::Expired,
            ..Self::new(REFUSED, format!("{}{code}", refusal.reason))
        };
        if failure.is_final { failure } else { failure.and("ades resume asks the user again") }
    }
}

/// The option that sets a parameter.
const fn option_of(parameter: Parameter) -> Option<&'static str> {
    Some(match parameter {
        Parameter::Commitment => "--commitment",
        Parameter::Contact => "--contact",
        Parameter::Description => "--description",
        Parameter::Elements => "--element",
        Parameter::FieldName => "--field",
        Parameter::Location => "--location",
        Parameter::Lock => "--lock",
        Parameter::MimeType => "--mime-type",
        Parameter::Name => "--name",
        Parameter::Policy => "--policy",
        Parameter::PolicyUri => "--policy-uri",
        Parameter::Reason => "--reason",
        Parameter::SignerLocation => "--country, --locality",
        Parameter::SignerRole => "--role",
        Parameter::SigningTime => "--signing-time",
        _ => return None,
    })
}

/// The option that sets the part of an appearance with this fault.
const fn option_of_appearance(fault: AppearanceFault) -> Option<&'static str> {
    use AppearanceFault as Fault;

    Some(match fault {
        Fault::ControlCharacters | Fault::TextDoesNotFit | Fault::TextLen | Fault::TextShaping => {
            "--stamp-text"
        }
        Fault::BorderWidth => "--stamp-border",
        Fault::QrCodeTooSmall | Fault::QrTextLen => "--stamp-qr",
        Fault::FontOutlines | Fault::FontLen | Fault::FontWithoutGlyphs | Fault::UnreadableFont => {
            "--stamp-font"
        }
        Fault::CmykInPdfA
        | Fault::ImageCompression
        | Fault::ImageEmbeddedLen
        | Fault::ImageFormat
        | Fault::ImageLen
        | Fault::ImagePixels
        | Fault::JpegColours
        | Fault::JpegProcess
        | Fault::JpegTruncated
        | Fault::UnreadableJpeg
        | Fault::UnreadablePng => "--stamp-image",
        Fault::ExistingField | Fault::NewField | Fault::PageZero => "--visible",
        _ => return None,
    })
}

/// The error and its causes, without repetitions.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
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
