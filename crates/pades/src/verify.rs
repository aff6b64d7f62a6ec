//! Verifying the signatures of a document (ISO 32000-2, 12.8; EN 319 142-1).

mod changes;
mod ranges;

use ades_core::document::ReadSeek;
use ades_core::trust::TrustSearch;
use ades_core::{Certificate, Document};
use cades::report::{Level, Problem as CmsProblem};

use crate::document::form::Form;
use crate::document::signature::{level_of_lock, permissions};
use crate::error::Error;
use crate::file::{Indirect, Pdf, Section, SectionKind};
use crate::report::{
    Change, Coverage, FieldReport, Problem, Report, SectionReport, SignatureReport, TimeStampReport,
};
use crate::syntax::{Kind, Reference, Value, decode_text, is_space, parse_date};
use ranges::{Range, Ranges};

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
    let mut found = Vec::new();
    for (field, value) in form.signed() {
        if found.len() == MAX_SIGNATURES {
            return Err(Error::Limit { limit: "1,024 signatures" });
        }
        found.push(Found::read(&mut pdf, &field.name, field.reference, value)?);
    }
    let has_dss = pdf.get(&catalog.value, b"DSS")?.is_some();
    let stamps: Vec<(u64, bool)> = found
        .iter()
        .filter(|f| f.is_time_stamp())
        .filter_map(|f| Some((f.ranges?.end, f.sees_dss)))
        .collect();

    let mut report = Report {
        length: pdf.len(),
        sections: pdf.sections.iter().rev().map(section).collect(),
        fields: fields(&form),
        signatures: Vec::new(),
        time_stamps: Vec::new(),
    };
    let mut trust = TrustSearch::new(given.trust);
    let mut budget = pdf.len().saturating_mul(MAX_PASSES).saturating_add(FREE_OCTETS);
    for found in found {
        if found.is_time_stamp() {
            let byte_range = found.byte_range;
            let Found { field, covers, .. } = found;
            report.time_stamps.push(TimeStampReport { field, byte_range, covers });
            continue;
        }
        let signed = found.ranges.map_or(0, |ranges| ranges.end);
        budget = budget
            .checked_sub(signed)
            .ok_or(Error::Limit { limit: "signatures that cover 64 times the file" })?;
        let mut signature = found.judge(&mut pdf, &mut trust)?;
        let later: Vec<_> = stamps.iter().filter(|(end, _)| *end > signed).collect();
        let covered = later.iter().any(|(_, sees_dss)| *sees_dss);
        signature.level = match signature.level {
            Level::B if !later.is_empty() => Level::T,
            level => level,
        };
        if signature.level == Level::T && has_dss {
            signature.level = if covered { Level::Lta } else { Level::Lt };
        }
        report.signatures.push(signature);
    }
    Ok(report)
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

/// A signature field with what is in it.
struct Found {
    field: String,
    reference: Reference,
    dictionary: Indirect,
    byte_range: Option<[u64; 4]>,
    ranges: Option<Signed>,
    covers: Coverage,
    /// How many sections came later, if it covers a revision.
    later: usize,
    sees_dss: bool,
    problems: Vec<Problem>,
}

/// What a signature covers: all up to `end`, but for the gap.
#[derive(Clone, Copy)]
struct Signed {
    gap: (u64, u64),
    end: u64,
}

impl Found {
    fn read(
        pdf: &mut Pdf<'_>,
        field: &str,
        reference: Reference,
        value: &Value,
    ) -> Result<Self, Error> {
        let dictionary = match value.reference() {
            Some(reference) => pdf.follow(reference)?,
            // In the field itself: the standard wants an object of its own.
            None => pdf.object(reference)?.map(|mut object| {
                object.value = value.clone();
                object
            }),
        };
        let null = Value { kind: Kind::Null, span: 0..0 };
        let dictionary = dictionary.unwrap_or_else(|| Indirect::new(reference, null));
        let mut found = Self {
            field: field.to_owned(),
            reference,
            byte_range: byte_range(&dictionary.value),
            ranges: None,
            covers: Coverage::Unknown,
            later: 0,
            sees_dss: false,
            problems: Vec::new(),
            dictionary,
        };
        found.locate(pdf)?;
        Ok(found)
    }

    fn is_time_stamp(&self) -> bool {
        self.dictionary.value.is(b"SubFilter", b"ETSI.RFC3161")
    }

    fn problem(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Finds out what the signature covers: the gap must be the very token
    /// that was read as `/Contents`, whatever the numbers say.
    fn locate(&mut self, pdf: &mut Pdf<'_>) -> Result<(), Error> {
        let mut keys: Vec<&[u8]> =
            self.dictionary.value.entries().iter().map(|(key, _)| key.as_slice()).collect();
        keys.sort_unstable();
        if keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            self.problem(Problem::RepeatedKey);
        }
        let Some([0, first, second, last]) = self.byte_range else {
            self.problem(Problem::ByteRangeMalformed);
            return Ok(());
        };
        let end = second.checked_add(last).filter(|end| *end <= pdf.len());
        let Some(end) = end.filter(|_| first < second) else {
            self.problem(Problem::ByteRangeMalformed);
            return Ok(());
        };
        let object = self.dictionary.offset;
        let token = self.dictionary.value.get(b"Contents").and_then(|contents| {
            let octets = self.dictionary.octets.get(contents.span.clone())?;
            let hexadecimal = octets.starts_with(b"<") && contents.string().is_some();
            let place = |at: usize| Some(object? + at as u64);
            hexadecimal.then_some((place(contents.span.start)?, place(contents.span.end)?))
        });
        let object_end = object.map(|at| at + self.dictionary.octets.len() as u64);
        if token != Some((first, second)) || object_end.is_none_or(|at| at > end) {
            self.problem(Problem::ByteRangeGap);
            return Ok(());
        }
        self.ranges = Some(Signed { gap: (first, second), end });
        if end == pdf.len() {
            self.covers = Coverage::Whole;
        } else if let Some(later) = revision(pdf, end)? {
            self.covers = Coverage::Part;
            self.later = later;
            let behind = pdf.len() - end;
            if later == 0
                && !(behind <= 2 && pdf.source().read(end, 2)?.iter().all(|o| is_space(*o)))
            {
                self.problem(Problem::TrailingData);
            }
        } else {
            self.problem(Problem::NotARevision);
            return Ok(());
        }
        pdf.at_revision(self.later);
        let seen = pdf.catalog().and_then(|catalog| pdf.get(&catalog.value, b"DSS"));
        pdf.at_revision(0);
        self.sees_dss = matches!(seen, Ok(Some(_)));
        Ok(())
    }

    fn judge(
        mut self,
        pdf: &mut Pdf<'_>,
        trust: &mut TrustSearch<'_>,
    ) -> Result<SignatureReport, Error> {
        let value = self.dictionary.value.clone();
        let text = |pdf: &mut Pdf<'_>, key: &[u8]| -> Result<Option<String>, Error> {
            Ok(pdf.get(&value, key)?.as_ref().and_then(Value::string).map(decode_text))
        };
        let signing_time = text(pdf, b"M")?.as_deref().and_then(parse_date);
        let name = text(pdf, b"Name")?;
        let reason = text(pdf, b"Reason")?;
        let location = text(pdf, b"Location")?;
        let contact = text(pdf, b"ContactInfo")?;
        let permissions = permissions(pdf, &value)?;
        let mut allowed = permissions.clone();
        allowed.restrict(level_of_lock(pdf, self.reference)?);
        let sub_filter = pdf.get(&value, b"SubFilter")?;
        let sub_filter = sub_filter.as_ref().and_then(Value::name).unwrap_or_default();
        let pades = sub_filter == b"ETSI.CAdES.detached";
        let known = pades || sub_filter == b"adbe.pkcs7.detached";
        if !known {
            self.problem(Problem::UnsupportedFormat);
        } else if !pades {
            self.problem(Problem::NotPades);
        }
        if signing_time.is_none() {
            self.problem(Problem::SigningTimeMissing);
        }
        if value.get(b"Cert").is_some() {
            self.problem(Problem::CertKey);
        }
        let cms = if known { self.cms(pdf, signing_time, trust)? } else { None };
        if let Some(cms) = &cms {
            // By the older rules, the time may be in the CMS.
            let told = |problem: &&CmsProblem| pades || **problem != CmsProblem::SigningTimePresent;
            for problem in cms.problems.iter().filter(told) {
                self.problem(Problem::Cms(*problem));
            }
            if reason.is_some() && (cms.commitment.is_some() || cms.policy.is_some()) {
                self.problem(Problem::ReasonNotAllowed);
            }
        }
        let intact = self.ranges.is_some() && cms.as_ref().is_some_and(|cms| cms.intact);
        let changes = if self.later == 0 {
            Vec::new()
        } else {
            match changes::after(pdf, self.later, &permissions.locks) {
                // What does not read is not known to be harmless.
                Err(
                    Error::Malformed { .. }
                    | Error::BrokenCrossReference { .. }
                    | Error::Structure { .. },
                ) => vec![changes::Found::OTHER],
                other => other?,
            }
        };
        if changes.iter().any(|change| change.kind == Change::Other) {
            self.problem(Problem::ChangedLater);
        }
        if changes.iter().any(|change| !change.allowed(allowed.certification)) {
            self.problem(Problem::ForbiddenChange);
        }
        let mut changes: Vec<Change> = changes.into_iter().map(|change| change.kind).collect();
        changes.sort_unstable();
        changes.dedup();
        let below = !pades || self.problems.iter().any(|problem| is_below(*problem));
        let level = cms.as_ref().map_or(Level::Below, |cms| cms.level);
        Ok(SignatureReport {
            format: if pades { "PAdES" } else { "PDF" },
            field: self.field,
            level: if below { Level::Below } else { level },
            intact,
            signer: cms.as_ref().and_then(|cms| cms.signer.clone()),
            covers: self.covers,
            problems: self.problems,
            changes,
            trusted: cms.as_ref().and_then(|cms| cms.trusted),
            signing_time,
            sub_filter: String::from_utf8_lossy(sub_filter).into_owned(),
            byte_range: self.byte_range,
            certification: permissions.certification,
            name,
            reason,
            location,
            contact,
            cms,
        })
    }

    /// Verifies the CMS over the ranges.
    fn cms(
        &mut self,
        pdf: &mut Pdf<'_>,
        signing_time: Option<chrono::DateTime<chrono::Utc>>,
        trust: &mut TrustSearch<'_>,
    ) -> Result<Option<cades::report::SignatureReport>, Error> {
        let contents = self.dictionary.value.get(b"Contents").and_then(Value::string);
        let contents = contents.unwrap_or_default().to_vec();
        let Ok(cms) = cades::embedded::first_element(&contents) else {
            self.problem(Problem::ContentsMalformed);
            return Ok(None);
        };
        if contents.iter().skip(cms.len()).any(|octet| *octet != 0) {
            self.problem(Problem::ContentsPadding);
        }
        // Nothing is covered by what cannot be located.
        let (gap, end) = self.ranges.map_or(((0, 0), 0), |signed| (signed.gap, signed.end));
        let reader: &mut dyn ReadSeek = pdf.source().reader();
        let ranges =
            Ranges::new(reader, [Range { from: 0, to: gap.0 }, Range { from: gap.1, to: end }]);
        let mut document = Document::stream(ranges);
        let report = match cades::embedded::verify(cms, &mut document, signing_time, trust) {
            Ok(report) => report,
            Err(cades::Error::Core(error @ ades_core::Error::Read(_))) => return Err(error.into()),
            Err(_) => {
                self.problem(Problem::ContentsMalformed);
                return Ok(None);
            }
        };
        if report.content_length.is_some() {
            self.problem(Problem::ContentInCms);
        }
        if report.signatures.len() != 1 {
            self.problem(Problem::NotOneSigner);
        }
        Ok(report.signatures.into_iter().next())
    }
}

fn is_below(problem: Problem) -> bool {
    !matches!(
        problem,
        Problem::ChangedLater
            | Problem::ForbiddenChange
            | Problem::TrailingData
            | Problem::Cms(
                CmsProblem::Untrusted
                    | CmsProblem::CertificateNotValidAtSigningTime
                    | CmsProblem::DigestMismatch
                    | CmsProblem::SignatureInvalid
                    | CmsProblem::ContentMissing
                    | CmsProblem::UnsupportedAlgorithm
            )
    )
}

/// Four numbers, none negative, all of them in the dictionary itself.
fn byte_range(dictionary: &Value) -> Option<[u64; 4]> {
    match dictionary.get(b"ByteRange")?.elements()? {
        [a, b, c, d] => Some([a.unsigned()?, b.unsigned()?, c.unsigned()?, d.unsigned()?]),
        _ => None,
    }
}

/// How many sections came behind `end`, if a revision ends there: with its
/// `%%EOF`, after the section that was then the newest.
fn revision(pdf: &mut Pdf<'_>, end: u64) -> Result<Option<usize>, Error> {
    const END_OF_FILE: &[u8] = b"%%EOF";

    let later = pdf.sections.iter().take_while(|section| section.offset >= end).count();
    let Some(newest) = pdf.sections.get(later) else {
        return Ok(None);
    };
    let expected = newest.offset;
    if pdf.sections.iter().skip(later).any(|section| section.offset >= end) {
        return Ok(None);
    }
    let shift = pdf.shift;
    let from = end.saturating_sub(1024);
    let tail = pdf.source().read(from, end - from)?;
    let trimmed = tail.strip_suffix(b"\n").unwrap_or(tail);
    let trimmed = trimmed.strip_suffix(b"\r").unwrap_or(trimmed);
    let Some(before) = trimmed.strip_suffix(END_OF_FILE) else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(before);
    let start = text.rsplit_once("startxref").and_then(|(_, offset)| offset.trim().parse().ok());
    Ok(start.filter(|start: &u64| start.saturating_add(shift) == expected).map(|_| later))
}
