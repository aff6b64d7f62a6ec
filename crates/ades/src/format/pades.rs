//! The adapter for PAdES.

pub(crate) mod extend;

use std::io::Write;

use ::pades::report::{Coverage, Problem, Report, SignatureReport};
use ::pades::{
    Appearance, SignatureField, SignatureOptions, StampPosition, StampValues, VerifyOptions,
};
use ades_core::facts::code;
use ades_core::pending::MAX_STATE_LEN;
use ades_core::{CertificateChain, Document, SignatureParameters};
use ades_validation::Finding;
use serde_json::Value;

use super::not_valid;
use crate::check::Checked;
use crate::detect::Format;
use crate::error::{Error, StampPart};
use crate::findings;
use crate::inputs::Inputs;
use crate::options::pdf::Octets;
use crate::options::{PdfOptions, SigningOptions, Stamp};
use crate::pending::{PendingSignature, State};
use crate::verdict::Statement;
use crate::verify as facade;
use crate::warning::Warning;

pub(crate) fn check(inputs: Inputs<'_, '_>, signing: &SigningOptions) -> Result<Checked, Error> {
    /// Maximum size of the rest of a state: certificates, and the signed part of the CMS.
    const REST: usize = 256 * 1024;

    let secrets = Secrets::of(&inputs);
    let document = inputs.document;
    let parameters = &signing.parameters;
    let options = options(&signing.pdf, None, secrets, parameters)?;
    let checked =
        in_field(&signing.pdf, options, |options| ::pades::check(document, parameters, options))?;
    let (len, max) = (checked.state_len(), MAX_STATE_LEN - REST);
    if len > max {
        return Err(Error::UpdateTooLarge { len, max });
    }
    let warnings = checked.warnings().iter().copied().map(Warning::from).collect();
    Ok(Checked { format: Format::Pades, warnings, page: checked.page() })
}

pub(crate) fn prepare(
    inputs: Inputs<'_, '_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    signing: &SigningOptions,
    mut copy: Option<&mut dyn Write>,
) -> Result<PendingSignature, Error> {
    let secrets = Secrets::of(&inputs);
    let document = inputs.document;
    let options = options(&signing.pdf, chain.leaf().common_name(), secrets, parameters)?;
    let pending = in_field(&signing.pdf, options, |options| match copy.as_deref_mut() {
        Some(out) => ::pades::prepare_copying(document, chain, parameters, options, out),
        None => ::pades::prepare(document, chain, parameters, options),
    })?;
    let warnings = pending.warnings().iter().copied().map(Warning::from).collect();
    Ok(PendingSignature::new(State::Pades(pending), warnings))
}

/// Tries the existing field with the name in the options, then a new field.
fn in_field<T>(
    pdf: &PdfOptions,
    options: SignatureOptions,
    mut attempt: impl FnMut(&SignatureOptions) -> Result<T, ::pades::Error>,
) -> Result<T, Error> {
    let Some(field) = &pdf.field else {
        return Ok(attempt(&options)?);
    };
    let existing = options.clone().field(SignatureField::Existing(field.clone()));
    let new = options.field(SignatureField::NewNamed(field.clone()));
    match pdf.stamp.as_ref().map(|stamp| stamp.position) {
        // The stamp's page and rectangle belong to a new field; an existing one has its own.
        Some(StampPosition::Page { .. }) => Ok(attempt(&new)?),
        Some(_) => Ok(attempt(&existing)?),
        None => match attempt(&existing) {
            Err(::pades::Error::NoSuchField { .. }) => Ok(attempt(&new)?),
            other => Ok(other?),
        },
    }
}

/// `signer` is the name in the certificate; `None` while there is no certificate.
fn options(
    pdf: &PdfOptions,
    signer: Option<&str>,
    secrets: Secrets<'_>,
    parameters: &SignatureParameters,
) -> Result<SignatureOptions, Error> {
    let mut options = SignatureOptions::new();
    options = match &pdf.application {
        Some((name, version)) => options.application(name, version),
        None => options.application(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
    };
    if let Some(name) = &pdf.name {
        options = options.name(name);
    }
    if let Some(reason) = &pdf.reason {
        options = options.reason(reason);
    }
    if let Some(location) = &pdf.location {
        options = options.location(location);
    }
    if let Some(contact) = &pdf.contact {
        options = options.contact(contact);
    }
    if pdf.repair {
        options = options.repair();
    }
    if pdf.ignore_permissions {
        options = options.ignore_permissions();
    }
    if let Some(token_len) = pdf.room_for_time_stamp {
        options = options.room_for_time_stamp(token_len);
    }
    if let Some(password) = secrets.password {
        options = options.password(password);
    }
    if let Some(content) = secrets.envelope_content {
        options = options.envelope_content(content);
    }
    if let Some(certification) = pdf.certification {
        options = options.certify(certification);
    }
    if let Some(lock) = &pdf.lock {
        options = options.lock(lock.clone());
    }
    if let Some(stamp) = &pdf.stamp {
        options = options.visible(appearance(stamp, pdf, signer, parameters)?);
    }
    Ok(options)
}

fn appearance(
    stamp: &Stamp,
    pdf: &PdfOptions,
    signer: Option<&str>,
    parameters: &SignatureParameters,
) -> Result<Appearance, Error> {
    let mut appearance = Appearance::new(stamp.position);
    let missing = |part| Error::StampIncomplete { part };
    match &stamp.image {
        Octets::None => {}
        Octets::Missing => return Err(missing(StampPart::Image)),
        Octets::Known(image) => appearance = appearance.image(image.clone()),
    }
    appearance = appearance.alignment(stamp.alignment);
    if let Some(border) = stamp.border {
        appearance = appearance.border(border);
    }
    if let Some(background) = stamp.background {
        appearance = appearance.background(background);
    }
    let time = stamp.time.format(parameters.signing_time().time());
    let location = location(pdf, parameters);
    let mut values = StampValues::new().time(&time);
    if let Some(name) = pdf.name.as_deref().or(signer) {
        values = values.name(name);
    }
    if let Some(reason) = &pdf.reason {
        values = values.reason(reason);
    }
    if let Some(location) = &location {
        values = values.location(location);
    }
    let fill = |template: &str| {
        let filled = values.fill(template);
        // Without a certificate there is no name, so a text that is empty now may not stay empty.
        if signer.is_none() && filled.is_empty() { "-".to_owned() } else { filled }
    };
    if let Some(text) = &stamp.qr_code {
        appearance = appearance.qr_code(fill(text));
    }
    let has_image = !stamp.image.is_none();
    let has_more = has_image || stamp.qr_code.is_some();
    let text = match &stamp.text {
        Some(text) if text.trim().is_empty() && has_more => return Ok(appearance),
        Some(text) => text,
        None if has_image => return Ok(appearance),
        None => Stamp::DEFAULT_TEXT,
    };
    let font = match &stamp.font {
        Octets::None => return Err(Error::FontNeeded),
        Octets::Missing => return Err(missing(StampPart::Font)),
        Octets::Known(font) => font.clone(),
    };
    let filled = fill(text);
    if filled.is_empty() && has_more {
        return Ok(appearance);
    }
    Ok(appearance.text(filled, font))
}

/// The place of signing in one text.
fn location(pdf: &PdfOptions, parameters: &SignatureParameters) -> Option<String> {
    let location = parameters.signer_location().map(|place| {
        let parts = [place.locality.as_deref(), place.country.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    });
    pdf.location.clone().or(location)
}

pub(crate) fn verify(
    document: &mut Document<'_>,
    options: facade::VerifyOptions<'_>,
) -> Result<Report, Error> {
    options.check(Format::Pades)?;
    let secrets =
        Secrets { password: options.password, envelope_content: options.envelope_content };
    let (beginning, verified) = (options.beginning, options.verified);
    let mut options = verify_options(secrets).sharing(&verified);
    if let Some(beginning) = &beginning {
        options = options.digested(beginning);
    }
    Ok(::pades::verify(document, options)?)
}

/// What opens an encrypted document.
#[derive(Clone, Copy)]
struct Secrets<'a> {
    password: Option<&'a str>,
    envelope_content: Option<&'a [u8]>,
}

impl<'a> Secrets<'a> {
    const fn of(inputs: &Inputs<'a, '_>) -> Self {
        Self { password: inputs.password, envelope_content: inputs.envelope_content }
    }
}

fn verify_options(secrets: Secrets<'_>) -> VerifyOptions<'_> {
    let mut options = VerifyOptions::new();
    if let Some(password) = secrets.password {
        options = options.password(password);
    }
    if let Some(content) = secrets.envelope_content {
        options = options.envelope_content(content);
    }
    options
}

/// What was found about a signature and its policies.
fn findings_of(signature: &SignatureReport) -> Vec<Finding> {
    let weak = signature.cms.as_ref().and_then(super::cades::policy_findings);
    let problems = &signature.problems;
    problems.iter().map(|problem| findings::of_pades(*problem, problems)).chain(weak).collect()
}

/// What PAdES states about signatures.
pub(crate) fn statements(report: &Report) -> Vec<Statement<'_>> {
    let all = report.signatures.iter().map(|signature| Statement {
        format: signature.format,
        level: signature.level,
        intact: signature.intact,
        signer: signature.signer.as_deref(),
        claimed_time: signature.claimed_time,
        covers: code(&signature.covers),
        facts: &signature.facts,
        findings: findings_of(signature),
        report: details(signature),
        countersignatures: signature
            .cms
            .as_ref()
            .map(|cms| super::cades::statements(&cms.countersignatures))
            .unwrap_or_default(),
    });
    all.collect()
}

/// The details of the signature dictionary, and those of the CMS that it does not have itself.
fn details(signature: &SignatureReport) -> Value {
    let mut all = serde_json::to_value(signature).unwrap_or_default();
    let cms = all.as_object_mut().and_then(|all| all.remove("cms"));
    if let (Some(all), Some(Value::Object(cms))) = (all.as_object_mut(), cms) {
        for (key, value) in cms {
            all.entry(key).or_insert(value);
        }
    }
    all
}

pub(crate) fn verify_completed(
    completed: &mut Document<'_>,
    inputs: Inputs<'_, '_>,
) -> Result<(), Error> {
    let secrets = Secrets::of(&inputs);
    let source = inputs.document;
    let after = match ::pades::verify(completed, verify_options(secrets)) {
        // A document that is too large to be verified is not an error: completing has verified
        // the value.
        Err(::pades::Error::Limit { .. }) => return Ok(()),
        after => after?,
    };
    let is_good = |s: &SignatureReport| s.intact == Some(true) && s.problems.is_empty();
    let good = match ::pades::verify(source, verify_options(secrets)) {
        Ok(before) => {
            let earlier = |after: &SignatureReport| {
                before.signatures.iter().find(|before| before.field == after.field)
            };
            after.signatures.len() == before.signatures.len() + 1
                && after.signatures.iter().all(|signature| match earlier(signature) {
                    None => is_good(signature),
                    Some(before) => {
                        let known = |problem: &Problem| {
                            *problem == Problem::NotCompared || before.problems.contains(problem)
                        };
                        signature.intact == before.intact && signature.problems.iter().all(known)
                    }
                })
        }
        // The earlier signatures of a repaired document cannot be verified, so only the new one
        // is checked.
        Err(::pades::Error::BrokenCrossReference { .. } | ::pades::Error::Limit { .. }) => {
            let whole = |s: &&SignatureReport| s.covers == Coverage::Whole;
            after.signatures.iter().find(whole).is_some_and(is_good)
        }
        Err(error) => return Err(error.into()),
    };
    if good {
        return Ok(());
    }
    Err(not_valid(after.signatures.iter().flat_map(|signature| &signature.problems)))
}
