//! The formats side by side: which one a file is signed in, and their pending
//! states.

use std::path::{Path, PathBuf};

use ades_core::{
    CertificateChain, Digest, Document, Error, PendingState, SignatureParameters, StateKey,
    ToBeSigned,
};
use pades::{SignatureField, SignatureOptions};
use serde::{Deserialize, Serialize};

use crate::args;
use crate::exit::{Failure, INPUT};
use crate::input::{self, Kind, is_standard};
use crate::options::{PdfWishes, Shape, Wishes};
use crate::output::Output;
use crate::verify;

/// What a file is signed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    Cades,
    Pades,
}

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) format: Option<args::Format>,
    /// Whether a packaging was named.
    pub(crate) packaging: bool,
}

impl Asked {
    pub(crate) const fn of(options: &args::SignatureOptions) -> Self {
        Self { format: options.format, packaging: options.packaging.is_some() }
    }
}

impl Format {
    /// As asked for, or by the content. A signature added to a container is
    /// CAdES.
    pub(crate) fn choose(
        asked: Asked,
        shape: &Shape,
        found: Kind,
        name: &str,
    ) -> Result<Self, Failure> {
        let fail = |message: &str| Err(Failure::usage(format!("{name}: {message}")));
        let format = match (asked.format, found) {
            _ if !matches!(shape, Shape::New(_)) => Self::Cades,
            (Some(args::Format::Cades), _) | (None, Kind::Other) => Self::Cades,
            (Some(args::Format::Pades) | None, Kind::Pdf) => Self::Pades,
            (Some(args::Format::Pades), _) => return fail("is no PDF: --format pades is for PDFs"),
            (Some(args::Format::Xades), _) => {
                return fail("this version makes cades and pades, xades not yet");
            }
            (None, Kind::Xml) => {
                return fail(
                    "is XML, for which --format xades is the default, and this version does not \
                     make that yet; --format cades signs the file as it is, with the signature \
                     beside or around it",
                );
            }
        };
        if format == Self::Pades && asked.packaging {
            return fail(
                "a PDF is signed as pades, which takes no --packaging; --format cades signs it as \
                 any other file",
            );
        }
        Ok(format)
    }

    /// The file name of what becomes of `input`.
    pub(crate) fn output_name(self, shape: &Shape, input: &Path) -> PathBuf {
        match self {
            Self::Cades => shape.output_name(input),
            Self::Pades if is_standard(input) => PathBuf::from("stdin.pdf"),
            Self::Pades => input.file_name().map(PathBuf::from).unwrap_or_default(),
        }
    }
}

/// A prepared signature of any format.
pub(crate) enum Pending {
    Cades(cades::PendingSignature),
    Pades(pades::PendingSignature),
}

impl Pending {
    /// What is signed of one document or container.
    pub(crate) fn prepare(
        format: Format,
        wishes: &Wishes,
        document: &mut Document<'_>,
        chain: &CertificateChain,
        parameters: &SignatureParameters,
    ) -> Result<Self, Failure> {
        if format == Format::Pades {
            return prepare_pdf(&wishes.pdf, document, chain, parameters).map(Self::Pades);
        }
        Ok(Self::Cades(match &wishes.shape {
            Shape::New(packaging) => cades::prepare(document, *packaging, chain, parameters)?,
            Shape::Parallel(container) => {
                let name = input::name(container);
                let mut container = input::document(container)?;
                verify::check_original(&mut container, document).map_err(|e| e.about(name))?;
                cades::prepare_parallel(&mut container, Some(document), chain, parameters)?
            }
            Shape::Countersignature(signer) => {
                cades::prepare_countersignature(document, *signer, chain, parameters)?
            }
        }))
    }

    pub(crate) const fn format(&self) -> Format {
        match self {
            Self::Cades(_) => Format::Cades,
            Self::Pades(_) => Format::Pades,
        }
    }

    /// What the user should know of what was done.
    pub(crate) fn remark(&self) -> Option<&'static str> {
        match self {
            Self::Pades(pending) if pending.is_repaired() => {
                Some("its cross-reference is broken; the signature brings a whole new one")
            }
            _ => None,
        }
    }

    pub(crate) fn to_be_signed(&self) -> ToBeSigned {
        match self {
            Self::Cades(pending) => pending.to_be_signed(),
            Self::Pades(pending) => pending.to_be_signed(),
        }
    }

    /// The digest of the input, where the state knows it.
    pub(crate) fn input_digest(&self, shape: &Shape) -> Option<&Digest> {
        match self {
            Self::Cades(pending) if matches!(shape, Shape::New(_)) => {
                Some(pending.message_digest())
            }
            Self::Cades(_) => None,
            Self::Pades(pending) => Some(&pending.document_digest().0),
        }
    }

    pub(crate) fn to_json(&self, key: Option<&StateKey>) -> Result<String, Failure> {
        Ok(match self {
            Self::Cades(pending) => pending.to_json(key)?,
            Self::Pades(pending) => pending.to_json(key)?,
        })
    }

    pub(crate) fn from_json(text: &str, key: Option<&StateKey>) -> Result<Self, Error> {
        match pades::PendingSignature::from_json(text, key) {
            Err(Error::StateOfAnotherFormat { .. }) => {
                cades::PendingSignature::from_json(text, key).map(Self::Cades)
            }
            other => other.map(Self::Pades),
        }
    }

    /// Writes the container.
    pub(crate) fn complete(
        &self,
        document: &mut Document<'_>,
        value: &[u8],
        out: &mut Output,
    ) -> Result<(), CompleteError> {
        match self {
            Self::Cades(pending) => {
                pending.complete(Some(document), value, out.writer()).map_err(CompleteError::Cades)
            }
            Self::Pades(pending) => {
                pending.complete(document, value, out.writer()).map_err(CompleteError::Pades)
            }
        }
    }
}

/// With `--field`, the field of this name if there is one, else a new one.
fn prepare_pdf(
    wishes: &PdfWishes,
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<pades::PendingSignature, Failure> {
    let mut options =
        SignatureOptions::new().application(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    if let Some(reason) = &wishes.reason {
        options = options.reason(reason);
    }
    if let Some(location) = &wishes.location {
        options = options.location(location);
    }
    if let Some(contact) = &wishes.contact {
        options = options.contact(contact);
    }
    if wishes.repair {
        options = options.repair();
    }
    if let Some(password) = wishes.password()? {
        options = options.with_password(password);
    }
    if let Some(certification) = wishes.certification() {
        options = options.certify(certification);
    }
    if let Some(lock) = wishes.lock()? {
        options = options.lock(lock);
    }
    let Some(field) = &wishes.field else {
        return Ok(pades::prepare(document, chain, parameters, &options)?);
    };
    let existing = options.clone().field(SignatureField::Existing(field.clone()));
    match pades::prepare(document, chain, parameters, &existing) {
        Err(pades::Error::NoSuchField { .. }) => {
            let new = options.field(SignatureField::NewNamed(field.clone()));
            Ok(pades::prepare(document, chain, parameters, &new)?)
        }
        other => Ok(other?),
    }
}

/// Why a container could not be made.
#[derive(Debug)]
pub(crate) enum CompleteError {
    Cades(cades::Error),
    Pades(pades::Error),
}

impl CompleteError {
    fn core(&self) -> Option<&Error> {
        match self {
            Self::Cades(cades::Error::Core(error))
            | Self::Pades(
                pades::Error::Core(error) | pades::Error::Cms(cades::Error::Core(error)),
            ) => Some(error),
            _ => None,
        }
    }

    /// Says which of the files it is about.
    pub(crate) fn about(self, files: &Files<'_>) -> Failure {
        let (status, file) = match self.core() {
            // Whoever made the value, here it is an input.
            Some(
                Error::WrongKey
                | Error::ValueLength { .. }
                | Error::ValueOverOther(_)
                | Error::ValueDoesNotVerify,
            ) => (Some(INPUT), files.value),
            Some(Error::StateDamaged { .. }) => (None, files.state),
            Some(Error::Write(_)) => (None, files.output),
            _ => (None, files.input),
        };
        let mut failure = Failure::from(self).about(input::name(file));
        failure.status = status.unwrap_or(failure.status);
        failure
    }
}

impl From<CompleteError> for Failure {
    fn from(error: CompleteError) -> Self {
        match error {
            CompleteError::Cades(error) => error.into(),
            CompleteError::Pades(error) => error.into(),
        }
    }
}

/// What takes part in completing.
pub(crate) struct Files<'a> {
    pub(crate) input: &'a Path,
    pub(crate) state: &'a Path,
    pub(crate) value: &'a Path,
    pub(crate) output: &'a Path,
}
