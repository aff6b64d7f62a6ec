//! Adds certificates and revocation values (EN 319 132-1, 5.4 and 5.5.1).

use std::io::Write;

use ades_core::facts::{Evidence, RevocationForm};
use ades_core::{DigestAlgorithm, Document};
use ades_evidence::ValidationData;
use ades_evidence::embedded::revocation_form;

use crate::error::Error;
use crate::verify::evaluate::Outcomes;
use crate::verify::evidence::collect;
use crate::verify::signature::Signature;

use super::division::{Division, divide};
use super::insertion::write_if_same;
use super::options::ExtendOptions;
use super::properties_place::{PropertiesMarkup, PropertiesPlace};

/// The algorithm with which the document is compared between two passes.
const COMPARISON: DigestAlgorithm = DigestAlgorithm::Sha256;

/// Writes the document with validation data for the signature at `which` of the
/// [report](crate::verify()). All octets of the document stay as they are.
///
/// What the signature has already, in time-stamp tokens for instance, is not embedded again.
/// If nothing is left, the document is copied. What concerns the signer goes into
/// `CertificateValues` and `RevocationValues`, and what concerns only the time-stamping
/// services into `TimeStampValidationData`. A signature may have each of the first two only
/// once: if it has them, everything goes into `TimeStampValidationData` after its last
/// time-stamp, or, if other properties follow that, into `AnyValidationData`.
///
/// # Errors
/// Before anything is written, as [`prepare_time_stamp`](crate::prepare_time_stamp());
/// [`Error::RevocationValueMalformed`].
/// [`Error::Core`] if a source or writing fails.
pub fn add_validation_data(
    document: &mut Document<'_>,
    which: &[usize],
    data: &ValidationData,
    options: ExtendOptions<'_>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let are =
        |all: &[Vec<u8>], form| all.iter().all(|octets| revocation_form(octets) == Some(form));
    if !are(&data.crls, RevocationForm::Crl)
        || !are(&data.ocsp_responses, RevocationForm::OcspResponse)
    {
        return Err(Error::RevocationValueMalformed);
    }
    let ExtendOptions { mut originals, reading, verified, known } = options;
    let place = PropertiesPlace::find(document, which, COMPARISON, &reading, &known)?;
    let property = |markup: &mut PropertiesMarkup<'_>| {
        markup.element("CertificateValues", |_| {});
    };
    let report = place.check(document, which, property, &mut originals, &reading, &verified)?;
    let signatures = place.known.collected.read_signatures();
    let signature = signatures.get(place.index..=place.index).unwrap_or_default();
    let (evidence, _) = collect(signature, &[Outcomes::default()]);
    let new = without_known(data, &evidence);
    if new.is_empty() {
        return Ok(document
            .read_through(&mut |piece| out.write_all(piece).map_err(ades_core::Error::Write))
            .map(|_| ())?);
    }
    let form = signature.iter().flatten().next().map_or(Form::Values, Form::of);
    let markup = place.site.markup(|markup| match form {
        Form::Values => write_values(markup, &new),
        Form::ValuesAfterTimeStamp => {
            let Division { signer, services } =
                divide(new, report.facts.certificate.as_ref(), &evidence);
            if !services.is_empty() {
                markup.later_element("TimeStampValidationData", |m| write_values(m, &services));
            }
            write_values(markup, &signer);
        }
        Form::TimeStampValidationData => {
            markup.later_element("TimeStampValidationData", |m| write_values(m, &new));
        }
        Form::AnyValidationData => {
            markup.later_element("AnyValidationData", |m| write_values(m, &new));
        }
    });
    let PropertiesPlace { known: read, index, site } = &place;
    let inserted = site.insertion.octets(&markup)?;
    write_if_same(document, &read.source, &site.insertion, &inserted, out)?;
    known.written(Some(read), *index, site, &markup);
    Ok(())
}

/// The properties that further validation data go into.
enum Form {
    /// `CertificateValues` and `RevocationValues`.
    Values,
    /// As `Values`; `TimeStampValidationData` can precede them.
    ValuesAfterTimeStamp,
    TimeStampValidationData,
    AnyValidationData,
}

impl Form {
    fn of(signature: &Signature<'_>) -> Self {
        let has_values = signature.qualifying.has(&["CertificateValues", "RevocationValues"]);
        let last = signature.qualifying.unsigned.last();
        let is_stamp = signature
            .time_stamps
            .iter()
            .any(|stamp| last.is_some_and(|last| last.place == stamp.place));
        match (has_values, is_stamp) {
            (false, false) => Self::Values,
            (false, true) => Self::ValuesAfterTimeStamp,
            (true, true) => Self::TimeStampValidationData,
            (true, false) => Self::AnyValidationData,
        }
    }
}

/// The data that are not in the signature, each once.
fn without_known(data: &ValidationData, evidence: &Evidence) -> ValidationData {
    let mut new = ValidationData::new();
    let known =
        |octets: &[u8]| evidence.revocation_values().iter().any(|value| *value.octets == *octets);
    for certificate in &data.certificates {
        let mut embedded = evidence.certificates().iter().map(|one| &one.certificate);
        if !embedded.any(|one| one == certificate) && !new.certificates.contains(certificate) {
            new.certificates.push(certificate.clone());
        }
    }
    for (from, to) in [(&data.ocsp_responses, &mut new.ocsp_responses), (&data.crls, &mut new.crls)]
    {
        for octets in from {
            if !known(octets) && !to.contains(octets) {
                to.push(octets.clone());
            }
        }
    }
    new
}

/// Writes `CertificateValues` and `RevocationValues`, as far as they are not empty.
fn write_values(markup: &mut PropertiesMarkup<'_>, data: &ValidationData) {
    if !data.certificates.is_empty() {
        markup.element("CertificateValues", |markup| {
            for certificate in &data.certificates {
                markup.octets("EncapsulatedX509Certificate", certificate.der());
            }
        });
    }
    if data.crls.is_empty() && data.ocsp_responses.is_empty() {
        return;
    }
    // The schema has the lists in this order.
    let lists = [
        ("CRLValues", "EncapsulatedCRLValue", &data.crls),
        ("OCSPValues", "EncapsulatedOCSPValue", &data.ocsp_responses),
    ];
    markup.element("RevocationValues", |markup| {
        for (list, value, all) in lists.into_iter().filter(|(_, _, all)| !all.is_empty()) {
            markup.element(list, |markup| {
                all.iter().for_each(|octets| markup.octets(value, octets));
            });
        }
    });
}
