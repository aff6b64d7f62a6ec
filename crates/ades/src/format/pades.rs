//! The adapter for PAdES.

use ::pades::report::{Coverage, Problem, Report, SignatureReport};
use ::pades::{
    Appearance, SignatureField, SignatureOptions, StampPosition, StampValues, VerifyOptions,
};
use ades_core::pending::MAX_STATE_LEN;
use ades_core::{CertificateChain, Document, SignatureParameters};

use super::not_valid;
use crate::check::Checked;
use crate::detect::Format;
use crate::error::{Error, FormatOption, StampPart};
use crate::inputs::Inputs;
use crate::options::pdf::Octets;
use crate::options::{PdfOptions, SigningOptions, Stamp};
use crate::pending::{PendingSignature, State};
use crate::verify as facade;
use crate::warning::Warning;

pub(crate) fn check(inputs: Inputs<'_, '_>, signing: &SigningOptions) -> Result<Checked, Error> {
    /// Maximum size of the rest of a state: certificates, and the signed part of the CMS.
    const REST: usize = 256 * 1024;

    let Inputs { document, password, .. } = inputs;
    let parameters = &signing.parameters;
    let options = options(&signing.pdf, None, password, parameters)?;
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
) -> Result<PendingSignature, Error> {
    let Inputs { document, password, .. } = inputs;
    let options = options(&signing.pdf, chain.leaf().common_name(), password, parameters)?;
    let pending = in_field(&signing.pdf, options, |options| {
        ::pades::prepare(document, chain, parameters, options)
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
    password: Option<&str>,
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
    if let Some(password) = password {
        options = options.password(password);
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
    let text = match &stamp.text {
        Some(text) => text,
        None if !stamp.image.is_none() => return Ok(appearance),
        None => Stamp::DEFAULT_TEXT,
    };
    let font = match &stamp.font {
        Octets::None => return Err(Error::FontNeeded),
        Octets::Missing => return Err(missing(StampPart::Font)),
        Octets::Known(font) => font.clone(),
    };
    let time = parameters.signing_time().time().format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let location = parameters.signer_location().map(|place| {
        let parts = [place.locality.as_deref(), place.country.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    });
    let mut values = StampValues::new().time(&time);
    if let Some(name) = pdf.name.as_deref().or(signer) {
        values = values.name(name);
    }
    if let Some(reason) = &pdf.reason {
        values = values.reason(reason);
    }
    if let Some(location) = pdf.location.as_deref().or(location.as_deref()) {
        values = values.location(location);
    }
    let filled = values.fill(text);
    // Without a certificate there is no name, so a text that is empty now may not stay empty.
    let filled = if signer.is_none() && filled.is_empty() { "-".to_owned() } else { filled };
    Ok(appearance.text(filled, font))
}

pub(crate) fn verify(
    document: &mut Document<'_>,
    options: facade::VerifyOptions<'_>,
) -> Result<Report, Error> {
    let format = Format::Pades;
    options.refuse_xml_options(format)?;
    if !options.originals.is_empty() {
        return Err(Error::OptionNotForFormat { option: FormatOption::Original, format });
    }
    Ok(::pades::verify(document, verify_options(options.password).trust(options.trust))?)
}

fn verify_options(password: Option<&str>) -> VerifyOptions<'_> {
    let options = VerifyOptions::new();
    match password {
        Some(password) => options.password(password),
        None => options,
    }
}

pub(crate) fn verify_completed(
    completed: &mut Document<'_>,
    inputs: Inputs<'_, '_>,
) -> Result<(), Error> {
    let Inputs { document: source, password, .. } = inputs;
    let after = match ::pades::verify(completed, verify_options(password)) {
        // A document that is too large to be verified is not an error: completing has verified
        // the value.
        Err(::pades::Error::Limit { .. }) => return Ok(()),
        after => after?,
    };
    let is_good = |s: &SignatureReport| s.intact && s.problems.is_empty();
    let good = match ::pades::verify(source, verify_options(password)) {
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
