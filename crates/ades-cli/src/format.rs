//! The formats side by side: which one a file is signed in, and their pending
//! states.

use std::fs::File;
use std::path::{Path, PathBuf};

use ades_core::pending::MAX_STATE_LEN;
use ades_core::{
    CertificateChain, Digest, Document, Error, PendingState, SignatureParameters, StateKey,
    ToBeSigned,
};
use pades::{Checked, SignatureField, SignatureOptions};
use serde::{Deserialize, Serialize};

use crate::args;
use crate::exit::{Failure, INPUT};
use crate::input::{self, Kind, is_standard};
use crate::options::{PdfWishes, Shape, Wishes};
use crate::output::Output;
use crate::stamp::Spot;

/// What a file is signed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    Cades,
    Pades,
    Xades,
}

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) format: Option<args::Format>,
    pub(crate) packaging: Option<args::Packaging>,
}

impl Asked {
    pub(crate) const fn of(options: &args::SignatureOptions) -> Self {
        Self { format: options.format, packaging: options.packaging }
    }
}

impl Format {
    /// As asked for, or by the content. What is added to a container is of the
    /// container's format.
    pub(crate) fn choose(
        asked: Asked,
        wishes: &Wishes,
        file: &mut File,
        input: &Path,
    ) -> Result<Self, Failure> {
        let found = input::kind(file).map_err(|e| Failure::file(input, &e))?;
        let fail =
            |message: &str| Err(Failure::usage(format!("{}: {message}", input::name(input))));
        let format = match (asked.format, found) {
            (_, Kind::Xml) if matches!(wishes.shape, Shape::Countersignature(_)) => Self::Xades,
            _ if !matches!(wishes.shape, Shape::New(_)) => Self::Cades,
            (None, Kind::Other) if is_named_pdf(input) => {
                return Err(Failure::input(format!(
                    "{}: is no PDF, for all its name: its header is missing; --format cades signs \
                     it as any other file",
                    input::name(input)
                )));
            }
            (Some(args::Format::Cades), _) | (None, Kind::Html | Kind::Other) => Self::Cades,
            (Some(args::Format::Pades) | None, Kind::Pdf) => Self::Pades,
            (Some(args::Format::Pades), _) => return fail("is no PDF: --format pades is for PDFs"),
            (Some(args::Format::Xades), _) | (None, Kind::Xml) => Self::Xades,
        };
        match (format, asked.packaging) {
            (Self::Pades, Some(_)) => fail(
                "a PDF is signed as pades, which takes no --packaging; --format cades signs it as \
                 any other file",
            ),
            (
                Self::Cades,
                Some(
                    args::Packaging::Enveloped
                    | args::Packaging::EnvelopingBase64
                    | args::Packaging::InternallyDetached,
                ),
            ) => fail("--packaging: CAdES is detached or enveloping"),
            (Self::Xades, _) if matches!(wishes.shape, Shape::New(_)) => {
                wishes.xml.check(input, found, file).map(|()| format)
            }
            _ => Ok(format),
        }
    }

    /// The file name of what becomes of `input`.
    pub(crate) fn output_name(self, wishes: &Wishes, input: &Path) -> PathBuf {
        let same = |standard: &str| match input.file_name() {
            Some(name) if !is_standard(input) => PathBuf::from(name),
            _ => PathBuf::from(standard),
        };
        match self {
            Self::Cades => wishes.shape.output_name(input),
            Self::Pades => same("stdin.pdf"),
            Self::Xades if wishes.xml.keeps_the_document() => same("stdin.xml"),
            Self::Xades => {
                let mut name = same("stdin").into_os_string();
                name.push(".xades");
                name.into()
            }
        }
    }
}

fn is_named_pdf(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pdf"))
}

/// A prepared signature of any format.
pub(crate) enum Pending {
    Cades(cades::PendingSignature),
    Pades(pades::PendingSignature),
    /// With what the user should know of it.
    Xades(xades::PendingSignature, Option<&'static str>),
}

impl Pending {
    /// What is signed of one document or container.
    pub(crate) fn prepare(
        format: Format,
        wishes: &Wishes,
        input: &Path,
        document: &mut Document<'_>,
        chain: &CertificateChain,
        parameters: &SignatureParameters,
    ) -> Result<Self, Failure> {
        match format {
            Format::Cades => {}
            Format::Pades => {
                return prepare_pdf(&wishes.pdf, document, chain, parameters).map(Self::Pades);
            }
            Format::Xades => {
                let Wishes { xml, shape, .. } = wishes;
                let made = xml.prepare(shape, input, document, chain, parameters);
                return made.map(|(pending, remark)| Self::Xades(pending, remark));
            }
        }
        Ok(Self::Cades(match &wishes.shape {
            Shape::New(packaging) => {
                let options = cades::SignatureOptions::new().packaging(*packaging);
                cades::prepare(document, chain, parameters, &options)?
            }
            Shape::Parallel(container) => {
                let (name, options) = (input::name(container), cades::SignatureOptions::new());
                let mut container = input::document(container)?;
                cades::prepare_parallel(&mut container, Some(document), chain, parameters, &options)
                    .map_err(|error| match error {
                        cades::Error::Core(_) => Failure::from(error),
                        error => Failure::from(error).about(name),
                    })?
            }
            Shape::Countersignature(signer) => {
                let options = cades::SignatureOptions::new();
                cades::prepare_countersignature(document, &[*signer], chain, parameters, &options)?
            }
        }))
    }

    pub(crate) const fn format(&self) -> Format {
        match self {
            Self::Cades(_) => Format::Cades,
            Self::Pades(_) => Format::Pades,
            Self::Xades(..) => Format::Xades,
        }
    }

    /// What the user should know of what was done.
    pub(crate) fn remarks(&self) -> Vec<String> {
        match self {
            Self::Cades(pending) => pending.warnings().iter().map(ToString::to_string).collect(),
            Self::Pades(pending) => pending.warnings().iter().map(ToString::to_string).collect(),
            Self::Xades(_, remark) => remark.iter().map(ToString::to_string).collect(),
        }
    }

    pub(crate) fn to_be_signed(&self) -> ToBeSigned {
        match self {
            Self::Cades(pending) => pending.to_be_signed(),
            Self::Pades(pending) => pending.to_be_signed(),
            Self::Xades(pending, _) => pending.to_be_signed(),
        }
    }

    /// The digest of the input, where the state knows it.
    pub(crate) fn input_digest(&self, shape: &Shape) -> Option<&Digest> {
        match self {
            Self::Cades(pending) if matches!(shape, Shape::New(_)) => {
                pending.document_digest().map(|digest| &digest.0)
            }
            Self::Cades(_) => None,
            Self::Pades(pending) => pending.document_digest().map(|digest| &digest.0),
            Self::Xades(pending, _) => pending.document_digest().map(|digest| &digest.0),
        }
    }

    pub(crate) fn to_json(&self, key: Option<&StateKey>) -> Result<String, Failure> {
        Ok(match self {
            Self::Cades(pending) => pending.to_json(key)?,
            Self::Pades(pending) => pending.to_json(key)?,
            Self::Xades(pending, _) => pending.to_json(key)?,
        })
    }

    pub(crate) fn from_json(text: &str, key: Option<&StateKey>) -> Result<Self, Error> {
        let pades = || pades::PendingSignature::from_json(text, key).map(Self::Pades);
        let xades =
            || xades::PendingSignature::from_json(text, key).map(|state| Self::Xades(state, None));
        let other = |error: &Error| matches!(error, Error::StateOfAnotherFormat { .. });
        match cades::PendingSignature::from_json(text, key).map(Self::Cades) {
            Err(error) if other(&error) => match pades() {
                Err(error) if other(&error) => xades(),
                read => read,
            },
            read => read,
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
                pending.complete(Some(document), value, out.writer()).map_err(CompleteError::Pades)
            }
            Self::Xades(pending, _) => {
                pending.complete(Some(document), value, out.writer()).map_err(CompleteError::Xades)
            }
        }
    }
}

fn prepare_pdf(
    wishes: &PdfWishes,
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<pades::PendingSignature, Failure> {
    let name = chain.leaf().common_name();
    in_field(wishes, name, parameters, |options| {
        pades::prepare(document, chain, parameters, options)
    })
}

/// Whether a PDF can be signed as is wished, before anybody is asked about it.
pub(crate) fn check_pdf(
    wishes: &PdfWishes,
    document: &mut Document<'_>,
    parameters: &SignatureParameters,
) -> Result<Checked, Failure> {
    /// The rest of a state: certificates, and what is signed of the CMS.
    const REST: usize = 256 * 1024;

    let checked =
        in_field(wishes, None, parameters, |options| pades::check(document, parameters, options))?;
    if checked.state_len() > MAX_STATE_LEN - REST {
        return Err(Failure::input(format!(
            "what would be written anew takes {} octets, too many to be kept while somebody signs: \
             its catalog, form or page is too large, or the image is",
            checked.state_len()
        )));
    }
    Ok(checked)
}

/// With `--field`, the field of this name if there is one, else a new one.
fn in_field<T>(
    wishes: &PdfWishes,
    name: Option<&str>,
    parameters: &SignatureParameters,
    mut attempt: impl FnMut(&SignatureOptions) -> Result<T, pades::Error>,
) -> Result<T, Failure> {
    let options = pdf_options(wishes, name, parameters)?;
    let Some(field) = &wishes.field else {
        return Ok(attempt(&options)?);
    };
    let existing = options.clone().field(SignatureField::Existing(field.clone()));
    let new = options.field(SignatureField::NewNamed(field.clone()));
    match wishes.stamp.as_ref().map(|stamp| stamp.spot) {
        // A new field is where it is put, an existing one is where it is.
        Some(Spot::Page(..)) => Ok(attempt(&new)?),
        Some(Spot::Field) => Ok(attempt(&existing)?),
        None => match attempt(&existing) {
            Err(pades::Error::NoSuchField { .. }) => Ok(attempt(&new)?),
            other => Ok(other?),
        },
    }
}

fn pdf_options(
    wishes: &PdfWishes,
    name: Option<&str>,
    parameters: &SignatureParameters,
) -> Result<SignatureOptions, Failure> {
    let mut options =
        SignatureOptions::new().application(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    if let Some(name) = &wishes.name {
        options = options.name(name);
    }
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
    if wishes.overrule_permissions {
        options = options.ignore_permissions();
    }
    if let Some(password) = wishes.password()? {
        options = options.password(password);
    }
    if let Some(certification) = wishes.certification() {
        options = options.certify(certification);
    }
    if let Some(lock) = wishes.lock()? {
        options = options.lock(lock);
    }
    if let Some(stamp) = &wishes.stamp {
        options = options.visible(stamp.appearance(wishes, name, parameters)?);
    }
    Ok(options)
}

/// Why a container could not be made.
#[derive(Debug)]
pub(crate) enum CompleteError {
    Cades(cades::Error),
    Pades(pades::Error),
    Xades(xades::Error),
}

impl CompleteError {
    fn core(&self) -> Option<&Error> {
        match self {
            Self::Cades(cades::Error::Core(error))
            | Self::Pades(pades::Error::Core(error))
            | Self::Xades(xades::Error::Core(error)) => Some(error),
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
            CompleteError::Xades(error) => error.into(),
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
