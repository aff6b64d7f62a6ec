//! Verifies the signatures of a document (ISO 32000-2, 12.8; EN 319 142-1).

mod changes;
mod compare;
mod covered;
mod equivalence;
mod fields;
mod history;
mod ranges;
mod security_store;
mod signature;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use ades_core::Document;
use ades_core::facts::{Covers, Evidence, Objects, TimeStampFacts};
use ades_evidence::VerifiedValues;
use ades_evidence::embedded::AddedTimeStamp;
use cades::embedded::Listing;

use crate::document::coverage::{FoundSignature, SignedRanges, ends, signatures};
use crate::document::form::Form;
use crate::error::{Error, Limit, exceeds};
use crate::file::{Pdf, Revision, Section, SectionKind};
use crate::options::VerifyOptions;
use crate::report::{FieldReport, Level, Problem, Report, SectionReport, SignatureReport};
use crate::security::Credential;
use covered::CoveredDigests;
pub use covered::DigestedBeginning;
use history::History;
use security_store::SecurityStore;
use signature::ChangeContext;

/// All signatures together may digest this many times the file's length ...
pub(crate) const MAX_PASSES: u64 = 64;
/// ... and this many octets more, so that short files have no practical limit.
const FREE_OCTETS: u64 = 1024 * 1024 * 1024;

/// Verifies every signature of a document. A document without signatures has a report
/// without signatures. Certificates and times are not judged.
///
/// # Errors
/// [`Error::Malformed`], [`Error::BrokenCrossReference`] and others if the
/// document cannot be read; [`Error::Core`] if the source fails or is a stream. A
/// signature that does not verify is not an error: the report has its problems.
pub fn verify(document: &mut Document<'_>, options: VerifyOptions<'_>) -> Result<Report, Error> {
    let mut pdf = Pdf::open(document, options.credential)?;
    let Compared { form, found, ends, history, annotations_from } = Compared::read(&mut pdf)?;
    let context = ChangeContext { history: &history, annotations_from };

    let mut report = Report {
        length: pdf.len(),
        sections: pdf.sections.iter().rev().map(section).collect(),
        fields: fields(&form),
        signatures: Vec::new(),
        time_stamps: Vec::new(),
    };
    let mut budget = pdf.len().saturating_mul(MAX_PASSES).saturating_add(FREE_OCTETS);
    let mut spend = |octets| {
        budget = budget.checked_sub(octets).ok_or(exceeds(Limit::SignedOctets))?;
        Ok::<(), Error>(())
    };
    let mut reading = Reading {
        listing: Listing::new(),
        evidence: Evidence::new(),
        digests: CoveredDigests::new(&found, options.beginning),
        verified: options.verified.cloned().unwrap_or_default(),
    };
    let mut signed = Vec::new();
    let (stamps, signatures): (Vec<_>, Vec<_>) =
        found.into_iter().partition(FoundSignature::is_time_stamp);
    for found in signatures {
        spend(found.end())?;
        let (end, mark) = (found.end(), reading.evidence.mark());
        report.signatures.push(found.verify(&mut pdf, &mut reading, context)?);
        signed.push(Signed { end, objects: reading.evidence.since(mark) });
    }
    let Reading { mut evidence, mut digests, .. } = reading;
    let earlier = ends.iter().filter(|(later, _)| **later > 0);
    let earlier = earlier.map(|(later, end)| Revision { later: *later, end: *end });
    let revisions: Vec<Revision> = [Revision::NEWEST].into_iter().chain(earlier).collect();
    let store = SecurityStore::add(&mut pdf, &revisions, &mut evidence)?;
    let mut read = Vec::new();
    for mut stamp in stamps {
        let sound = stamp.is_sound_time_stamp().then(|| stamp.signed_ranges()).flatten();
        if let Some(ranges) = sound {
            spend(ranges.end)?;
            let into = (&mut evidence, &mut digests);
            let added = stamp.add_time_stamp(&mut pdf, ranges, into)?;
            read.push((stamp, Some(SoundTimeStamp { ranges, added })));
        } else {
            read.push((stamp, None));
        }
    }
    if let Some(beginning) = options.beginning {
        digests.keep(beginning);
    }
    let sound: Vec<&SoundTimeStamp> = read.iter().filter_map(|(_, sound)| sound.as_ref()).collect();
    cover(&sound, &signed, &store, &mut evidence);
    for (signature, signed) in report.signatures.iter_mut().zip(&signed) {
        raise_level(signature, signed.end, &sound, &store, &evidence);
    }
    for (stamp, sound) in read {
        let position = sound.and_then(|sound| sound.added.position);
        let token = position.and_then(|at| evidence.time_stamps().get(at)).cloned();
        report.time_stamps.push(stamp.into_time_stamp(token));
    }
    let evidence = Arc::new(evidence);
    for signature in &mut report.signatures {
        signature.facts.evidence = Arc::clone(&evidence);
        signature.cms.iter_mut().for_each(|cms| cms.set_evidence(&evidence));
    }
    Ok(report)
}

/// The problems that later changes are for each signature. Nothing else is verified.
///
/// # Errors
/// As [`verify`].
pub(crate) fn problems_of_changes(
    document: &mut Document<'_>,
    credential: Credential<'_>,
) -> Result<Vec<Vec<Problem>>, Error> {
    let mut pdf = Pdf::open(document, credential)?;
    let Compared { found, history, annotations_from, .. } = Compared::read(&mut pdf)?;
    let context = ChangeContext { history: &history, annotations_from };
    let signatures = found.into_iter().filter(|found| !found.is_time_stamp());
    signatures.map(|found| found.problems_of_changes(&mut pdf, context)).collect()
}

/// The signatures of a document, and the changes between the revisions that they cover.
struct Compared {
    form: Form,
    found: Vec<FoundSignature>,
    ends: BTreeMap<usize, u64>,
    history: History,
    annotations_from: Option<u64>,
}

impl Compared {
    fn read(pdf: &mut Pdf<'_>) -> Result<Self, Error> {
        let catalog = pdf.catalog()?;
        let form = Form::read(pdf, &catalog.value)?;
        let mut found = signatures(pdf, &form)?;
        for stamp in found.iter_mut().filter(|found| found.is_time_stamp()) {
            stamp.check_time_stamp();
        }
        let sound = found.iter().filter(|found| found.is_sound_time_stamp());
        let stamped: HashSet<u32> = sound.map(FoundSignature::number).collect();
        let ends = ends(&found);
        let history = History::read(pdf, &ends, &stamped)?;
        let annotations_from = annotations_from(pdf, &found)?;
        Ok(Self { form, found, ends, history, annotations_from })
    }
}

/// What is collected while the signatures are read.
struct Reading {
    listing: Listing,
    evidence: Evidence,
    digests: CoveredDigests,
    verified: VerifiedValues,
}

/// A signature that was read.
struct Signed {
    /// The end of the covered octets.
    end: u64,
    /// The evidence in its CMS.
    objects: Objects,
}

/// A document time-stamp over a revision.
struct SoundTimeStamp {
    ranges: SignedRanges,
    added: AddedTimeStamp,
}

impl SoundTimeStamp {
    fn facts<'e>(&self, evidence: &'e Evidence) -> Option<&'e TimeStampFacts> {
        self.added.position.and_then(|at| evidence.time_stamps().get(at))
    }
}

/// States what the document time-stamps cover: everything in the file up to their ends.
fn cover(
    stamps: &[&SoundTimeStamp],
    signed: &[Signed],
    store: &SecurityStore,
    evidence: &mut Evidence,
) {
    for stamp in stamps {
        let end = stamp.ranges.end;
        let mut covers = Covers::default();
        covers.signed_data = true;
        for signature in signed.iter().filter(|signature| signature.end < end) {
            covers.signature = true;
            covers.objects.add(&signature.objects);
        }
        for earlier in stamps.iter().filter(|earlier| earlier.ranges.end < end) {
            covers.objects.add(&earlier.added.objects);
        }
        store.covered(end, stamp.ranges.placeholder, &mut covers.objects);
        if let Some(facts) = stamp.added.position.and_then(|at| evidence.time_stamp_mut(at)) {
            facts.covers = covers;
        }
    }
}

/// Raises the level of a signature whose range ends at `signed` by the document
/// time-stamps after it, if their tokens fit, and the validation data.
fn raise_level(
    signature: &mut SignatureReport,
    signed: u64,
    stamps: &[&SoundTimeStamp],
    store: &SecurityStore,
    evidence: &Evidence,
) {
    let later = stamps.iter().filter(|stamp| stamp.ranges.end > signed);
    signature.facts.time_stamps.extend(later.clone().filter_map(|stamp| stamp.added.position));
    let fitting: Vec<&TimeStampFacts> =
        later.filter_map(|stamp| stamp.facts(evidence)).filter(|facts| facts.fits()).collect();
    // Validation data in the CMS are evidence, but they do not make a level of PAdES.
    if signature.level > Level::T || signature.level == Level::B && !fitting.is_empty() {
        signature.level = Level::T;
    }
    // Certificates alone do not make a long-term level (EN 319 142-1, 5.4.2).
    let values = &store.objects.revocation_values;
    if signature.level == Level::T && !values.is_empty() {
        let covers = |facts: &&TimeStampFacts| {
            values.iter().any(|at| facts.covers.objects.revocation_values.contains(at))
        };
        signature.level = if fitting.iter().any(covers) { Level::Lta } else { Level::Lt };
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
