//! Verifying the signatures of a document (ISO 32000-2, 12.8; EN 319 142-1).

mod changes;
mod compare;
mod covered;
mod fields;
mod history;
mod ranges;
mod reach;
mod roles;
mod signature;

use std::collections::{BTreeMap, HashSet};

use ades_core::trust::PathBuilder;
use ades_core::{Certificate, Document};
use cades::report::Level;

use crate::document::form::Form;
use crate::error::Error;
use crate::file::{Pdf, Section, SectionKind};
use crate::report::{FieldReport, Report, SectionReport};
pub(crate) use covered::{Covered, reach_signed};
use history::History;
use signature::{Around, Found, has_validation_data};

/// A document may have this many signatures.
const MAX_SIGNATURES: usize = 1024;
/// All signatures together may digest this many times the file, and more only
/// of what is short.
const MAX_PASSES: u64 = 64;
/// What may be digested however short the file is.
const FREE_OCTETS: u64 = 1024 * 1024 * 1024;

/// What signatures are verified with.
#[derive(Clone, Copy, Default)]
pub struct Given<'a> {
    /// Trust anchors. Without any, trust is not judged.
    pub trust: &'a [Certificate],
    /// The password of an encrypted document; without it, the empty one is
    /// tried.
    pub password: Option<&'a str>,
}

impl std::fmt::Debug for Given<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given").field("trust", &self.trust.len()).finish_non_exhaustive()
    }
}

/// Verifies every signature of a document. Without trust anchors, trust is not
/// judged. A document without signatures has a report without signatures.
///
/// # Errors
/// [`Error::Malformed`], [`Error::BrokenCrossReference`] and others if the
/// document does not read; [`Error::Core`] if the source fails or is a stream.
/// A signature that is wrong is no error: the report says what is.
pub fn verify(document: &mut Document<'_>, given: Given<'_>) -> Result<Report, Error> {
    let mut pdf = Pdf::open(document, given.password)?;
    let catalog = pdf.catalog()?;
    let form = Form::read(&mut pdf, &catalog.value)?;
    let found = signatures(&mut pdf, &form)?;
    let has_data = has_validation_data(&mut pdf, &catalog.value)?;
    // Where sound time-stamps end, and whether they cover validation data.
    let mut stamps = Vec::new();
    let mut stamped = HashSet::new();
    for stamp in found.iter().filter(|found| found.is_sound_time_stamp()) {
        stamps.push((stamp.end(), has_data && stamp.sees_validation_data(&mut pdf)));
        stamped.insert(stamp.number());
    }
    let history = History::read(&mut pdf, &ends(&found), &stamped)?;
    let mut annotations_from: Option<u64> = None;
    for found in &found {
        if found.revision().is_some() && found.certification(&mut pdf)? == Some(3) {
            annotations_from = annotations_from.into_iter().chain([found.end()]).min();
        }
    }
    let around = Around { history: &history, annotations_from };

    let mut report = Report {
        length: pdf.len(),
        sections: pdf.sections.iter().rev().map(section).collect(),
        fields: fields(&form),
        signatures: Vec::new(),
        time_stamps: Vec::new(),
    };
    let mut trust = PathBuilder::new(given.trust);
    let mut budget = pdf.len().saturating_mul(MAX_PASSES).saturating_add(FREE_OCTETS);
    for found in found {
        if found.is_time_stamp() {
            report.time_stamps.push(found.into_time_stamp());
            continue;
        }
        let signed = found.end();
        budget = budget
            .checked_sub(signed)
            .ok_or(Error::Limit { limit: "signatures that cover 64 times the file" })?;
        let mut signature = found.judge(&mut pdf, &mut trust, around)?;
        let later: Vec<_> = stamps.iter().filter(|(end, _)| *end > signed).collect();
        let covered = later.iter().any(|(_, sees_data)| *sees_data);
        signature.level = match signature.level {
            Level::B if !later.is_empty() => Level::T,
            level => level,
        };
        if signature.level == Level::T && has_data {
            signature.level = if covered { Level::Lta } else { Level::Lt };
        }
        report.signatures.push(signature);
    }
    Ok(report)
}

/// All signatures and document time-stamps.
fn signatures(pdf: &mut Pdf<'_>, form: &Form) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for (field, value) in form.signed() {
        if found.len() == MAX_SIGNATURES {
            return Err(Error::Limit { limit: "1,024 signatures" });
        }
        found.push(Found::read(pdf, &field.name, field.reference, value)?);
    }
    Ok(found)
}

/// Where signed revisions end, by the number of the sections that came later.
fn ends(found: &[Found]) -> BTreeMap<usize, u64> {
    let mut ends: BTreeMap<usize, u64> = BTreeMap::new();
    for revision in found.iter().filter_map(Found::revision) {
        let end = ends.entry(revision.later).or_insert(revision.end);
        *end = revision.end.min(*end);
    }
    ends
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

/// The fields that have none below them.
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
