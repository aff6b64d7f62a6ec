//! Verifies the signatures of a document (ISO 32000-2, 12.8; EN 319 142-1).

mod changes;
mod compare;
mod fields;
mod history;
mod ranges;
mod signature;

use std::collections::HashSet;

use ades_core::Document;
use ades_core::trust::PathBuilder;

use crate::document::coverage::{FoundSignature, ends, signatures};
use crate::document::form::Form;
use crate::error::{Error, Limit, exceeds};
use crate::file::{Pdf, Section, SectionKind};
use crate::options::VerifyOptions;
use crate::report::{FieldReport, Level, Report, SectionReport, SignatureReport};
use history::History;
use signature::{ChangeContext, has_validation_data};

/// All signatures together may digest this many times the file's length ...
const MAX_PASSES: u64 = 64;
/// ... and this many octets more, so that short files have no practical limit.
const FREE_OCTETS: u64 = 1024 * 1024 * 1024;

/// Verifies every signature of a document. Without trust anchors, trust is not
/// judged. A document without signatures has a report without signatures.
///
/// # Errors
/// [`Error::Malformed`], [`Error::BrokenCrossReference`] and others if the
/// document cannot be read; [`Error::Core`] if the source fails or is a stream. A
/// signature that does not verify is not an error: the report has its problems.
pub fn verify(document: &mut Document<'_>, options: VerifyOptions<'_>) -> Result<Report, Error> {
    let mut pdf = Pdf::open(document, options.password)?;
    let catalog = pdf.catalog()?;
    let form = Form::read(&mut pdf, &catalog.value)?;
    let mut found = signatures(&mut pdf, &form)?;
    for stamp in found.iter_mut().filter(|found| found.is_time_stamp()) {
        stamp.check_time_stamp();
    }
    let has_data = has_validation_data(&mut pdf, &catalog.value)?;
    let mut stamps = Vec::new();
    let mut stamped = HashSet::new();
    for stamp in found.iter().filter(|found| found.is_sound_time_stamp()) {
        let covers_data = has_data && stamp.covers_validation_data(&mut pdf);
        stamps.push(SoundTimeStamp { end: stamp.end(), covers_data });
        stamped.insert(stamp.number());
    }
    let history = History::read(&mut pdf, &ends(&found), &stamped)?;
    let annotations_from = annotations_from(&mut pdf, &found)?;
    let context = ChangeContext { history: &history, annotations_from };

    let mut report = Report {
        length: pdf.len(),
        sections: pdf.sections.iter().rev().map(section).collect(),
        fields: fields(&form),
        signatures: Vec::new(),
        time_stamps: Vec::new(),
    };
    let mut trust = PathBuilder::new(options.trust);
    let mut budget = pdf.len().saturating_mul(MAX_PASSES).saturating_add(FREE_OCTETS);
    for found in found {
        if found.is_time_stamp() {
            report.time_stamps.push(found.into_time_stamp());
            continue;
        }
        let signed = found.end();
        budget = budget.checked_sub(signed).ok_or(exceeds(Limit::SignedOctets))?;
        let mut signature = found.verify(&mut pdf, &mut trust, context)?;
        raise_level(&mut signature, signed, &stamps, has_data);
        report.signatures.push(signature);
    }
    Ok(report)
}

/// A document time-stamp over a revision.
struct SoundTimeStamp {
    /// The end of the covered octets.
    end: u64,
    /// Whether it covers validation data.
    covers_data: bool,
}

/// Raises the level of a signature whose range ends at `signed` by the document
/// time-stamps after it and the validation data.
fn raise_level(
    signature: &mut SignatureReport,
    signed: u64,
    stamps: &[SoundTimeStamp],
    has_data: bool,
) {
    let mut later = stamps.iter().filter(|stamp| stamp.end > signed).peekable();
    if signature.level == Level::B && later.peek().is_some() {
        signature.level = Level::T;
    }
    if signature.level == Level::T && has_data {
        let covered = later.any(|stamp| stamp.covers_data);
        signature.level = if covered { Level::Lta } else { Level::Lt };
    }
}

/// The end of the first signature that certifies the document and allows
/// annotations.
fn annotations_from(pdf: &mut Pdf<'_>, found: &[FoundSignature]) -> Result<Option<u64>, Error> {
    let mut from: Option<u64> = None;
    for found in found {
        if found.revision().is_some() && found.certification(pdf)? == Some(3) {
            from = from.into_iter().chain([found.end()]).min();
        }
    }
    Ok(from)
}

fn section(section: &Section) -> SectionReport {
    SectionReport {
        offset: section.offset,
        is_stream: section.kind == SectionKind::Stream,
        objects: section
            .ranges()
            .map(|range| range.end.saturating_sub(range.start))
            .fold(0, u64::saturating_add),
    }
}

/// The terminal fields: those without fields below them.
fn fields(form: &Form) -> Vec<FieldReport> {
    let followed = |at: usize, name: &str| {
        let below = form.fields.get(at + 1).and_then(|next| next.name.strip_prefix(name));
        below.is_some_and(|rest| rest.starts_with('.'))
    };
    let ends = form.fields.iter().enumerate().filter(|(at, field)| !followed(*at, &field.name));
    ends.map(|(_, field)| FieldReport {
        name: field.name.clone(),
        is_signature: field.is_signature,
        has_value: field.value.is_some(),
    })
    .collect()
}
