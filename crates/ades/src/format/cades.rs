//! The adapter for CAdES.

pub(crate) mod extend;

use std::io::Write;

use ::cades::report::{Problem, Report, SignatureReport};
use ::cades::{SignatureOptions, VerifyOptions};
use ades_core::facts::code;
use ades_core::{CertificateChain, Document, SignatureParameters};
use ades_validation::Finding;

use super::not_valid;
use crate::check::Checked;
use crate::detect::{DocumentKind, Format};
use crate::error::Error;
use crate::findings;
use crate::inputs::Inputs;
use crate::options::{Operation, Packaging, SigningOptions};
use crate::pending::{PendingSignature, State};
use crate::verdict::Statement;
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
        Operation::AddParallel => ::cades::check_parallel(document, original, parameters, options)
            .map_err(|error| reading(document, error))?,
        Operation::Countersign { which } => {
            ::cades::check_countersignature(document, which, parameters, options)
                .map_err(|error| reading(document, error))?
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
    copy: Option<&mut dyn Write>,
) -> Result<PendingSignature, Error> {
    let Inputs { document, original, .. } = inputs;
    let options = &options(signing);
    let pending = match &signing.operation {
        Operation::Sign => match copy {
            Some(out) => ::cades::prepare_copying(document, chain, parameters, options, out)?,
            None => ::cades::prepare(document, chain, parameters, options)?,
        },
        Operation::AddParallel => {
            ::cades::prepare_parallel(document, original, chain, parameters, options)
                .map_err(|error| reading(document, error))?
        }
        Operation::Countersign { which } => {
            ::cades::prepare_countersignature(document, which, chain, parameters, options)
                .map_err(|error| reading(document, error))?
        }
    };
    let warnings = pending.warnings().iter().copied().map(Warning::from).collect();
    Ok(PendingSignature::new(State::Cades(pending), warnings))
}

pub(crate) fn verify(
    document: &mut Document<'_>,
    options: &mut facade::VerifyOptions<'_>,
) -> Result<Report, Error> {
    options.check(Format::Cades)?;
    let facade::VerifyOptions { originals, verified, .. } = options;
    let mut options = VerifyOptions::new().sharing(verified);
    if let Some(original) = originals.first_mut() {
        options = options.original(&mut original.document);
    }
    ::cades::verify(document, options).map_err(|error| reading(document, error))
}

/// An error of reading a container: a file of another kind is named.
fn reading(document: &mut Document<'_>, error: ::cades::Error) -> Error {
    if !matches!(error, ::cades::Error::Malformed { .. } | ::cades::Error::NotSignedData) {
        return error.into();
    }
    match DocumentKind::without_signatures(document) {
        Ok(Some(found)) => Error::NotContainer { found },
        Ok(None) => error.into(),
        Err(unreadable) => unreadable,
    }
}

/// What was found about a signature and its policies.
fn findings_of(signature: &SignatureReport) -> Vec<Finding> {
    let problems = signature.problems.iter().copied().map(findings::of_cades);
    problems.chain(policy_findings(signature)).collect()
}

/// What was found about the policies of a signature.
pub(crate) fn policy_findings(signature: &SignatureReport) -> Option<Finding> {
    let policies = signature.policy.iter().chain(&signature.further.policies);
    findings::of_policy_digests(policies.filter_map(|policy| policy.digest.as_ref()))
}

/// What CAdES states about signatures.
pub(crate) fn statements(signatures: &[SignatureReport]) -> Vec<Statement<'_>> {
    let all = signatures.iter().map(|signature| Statement {
        format: signature.format,
        level: signature.level,
        intact: signature.intact,
        signer: signature.signer.as_deref(),
        claimed_time: signature.claimed_time,
        covers: code(&signature.covers),
        facts: &signature.facts,
        findings: findings_of(signature),
        report: serde_json::to_value(signature).unwrap_or_default(),
        countersignatures: statements(&signature.countersignatures),
    });
    all.collect()
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
