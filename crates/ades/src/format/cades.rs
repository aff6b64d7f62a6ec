//! The adapter for CAdES.

use ::cades::report::{Problem, Report, SignatureReport};
use ::cades::{SignatureOptions, VerifyOptions};
use ades_core::{CertificateChain, Document, SignatureParameters};

use super::not_valid;
use crate::check::Checked;
use crate::detect::Format;
use crate::error::{Error, FormatOption};
use crate::inputs::Inputs;
use crate::options::{Operation, Packaging, SigningOptions};
use crate::pending::{PendingSignature, State};
use crate::verify as facade;
use crate::warning::Warning;

fn options(options: &SigningOptions) -> SignatureOptions {
    SignatureOptions::new().packaging(match options.packaging {
        Some(Packaging::Enveloping) => ::cades::Packaging::Enveloping,
        _ => ::cades::Packaging::Detached,
    })
}

pub(crate) fn check(inputs: Inputs<'_, '_>, signing: &SigningOptions) -> Result<Checked, Error> {
    let Inputs { document, original, .. } = inputs;
    let (parameters, options) = (&signing.parameters, &options(signing));
    let checked = match &signing.operation {
        Operation::Sign => ::cades::check(document, parameters, options)?,
        Operation::AddParallel => ::cades::check_parallel(document, original, parameters, options)?,
        Operation::Countersign { which } => {
            ::cades::check_countersignature(document, which, parameters, options)?
        }
    };
    let warnings = checked.warnings().iter().copied().map(Warning::from).collect();
    Ok(Checked { format: Format::Cades, warnings, page: None })
}

pub(crate) fn prepare(
    inputs: Inputs<'_, '_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    signing: &SigningOptions,
) -> Result<PendingSignature, Error> {
    let Inputs { document, original, .. } = inputs;
    let options = &options(signing);
    let pending = match &signing.operation {
        Operation::Sign => ::cades::prepare(document, chain, parameters, options)?,
        Operation::AddParallel => {
            ::cades::prepare_parallel(document, original, chain, parameters, options)?
        }
        Operation::Countersign { which } => {
            ::cades::prepare_countersignature(document, which, chain, parameters, options)?
        }
    };
    let warnings = pending.warnings().iter().copied().map(Warning::from).collect();
    Ok(PendingSignature::new(State::Cades(pending), warnings))
}

pub(crate) fn verify(
    document: &mut Document<'_>,
    options: facade::VerifyOptions<'_>,
) -> Result<Report, Error> {
    let format = Format::Cades;
    options.refuse_xml_options(format)?;
    let facade::VerifyOptions { trust, mut originals, .. } = options;
    if originals.len() > 1 {
        return Err(Error::OptionNotForFormat { option: FormatOption::SeveralOriginals, format });
    }
    let mut options = VerifyOptions::new().trust(trust);
    if let Some(original) = originals.first_mut() {
        options = options.original(&mut original.document);
    }
    ::cades::verify(document, options).map_err(|error| match error {
        error @ (::cades::Error::Malformed { .. } | ::cades::Error::NotSignedData) => {
            Error::NotContainer(error)
        }
        error => error.into(),
    })
}

pub(crate) fn verify_completed(
    completed: &mut Document<'_>,
    inputs: Inputs<'_, '_>,
) -> Result<(), Error> {
    let Inputs { document: source, original, .. } = inputs;
    let verify = |container: &mut Document<'_>, original: Option<&mut Document<'_>>| {
        let options = VerifyOptions::new();
        ::cades::verify(
            container,
            match original {
                Some(original) => options.original(original),
                None => options,
            },
        )
    };
    let alone = verify(completed, None)?;
    if total(&alone) == 1 {
        let report = if alone.is_valid() { alone } else { verify(completed, Some(source))? };
        return if report.is_valid() { Ok(()) } else { Err(failed(&report)) };
    }
    // Another signature in an existing container. The earlier signatures may have problems of
    // their own, but not more than before.
    let (before, after) = match original {
        None => (verify(source, None)?, alone),
        Some(original) => {
            (verify(source, Some(&mut *original))?, verify(completed, Some(original))?)
        }
    };
    if total(&after) == total(&before) + 1 && good(&after) == good(&before) + 1 {
        Ok(())
    } else {
        Err(failed(&after))
    }
}

fn total(report: &Report) -> usize {
    fn count(signature: &SignatureReport) -> usize {
        1 + signature.countersignatures.iter().map(count).sum::<usize>()
    }
    report.signatures.iter().map(count).sum()
}

/// Number of signatures without a problem, as far as that can be decided without the document.
fn good(report: &Report) -> usize {
    fn count(signature: &SignatureReport) -> usize {
        let good = signature.problems.iter().all(|problem| *problem == Problem::ContentMissing);
        usize::from(good) + signature.countersignatures.iter().map(count).sum::<usize>()
    }
    report.signatures.iter().map(count).sum()
}

fn failed(report: &Report) -> Error {
    not_valid(report.signatures.iter().flat_map(|signature| &signature.problems))
}
