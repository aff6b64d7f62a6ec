//! One signature or document time-stamp: what it covers, and what is wrong with
//! it.

use std::collections::BTreeSet;

use ades_core::Document;
use ades_core::document::ReadSeek;
use ades_core::trust::PathBuilder;
use cades::report::{Level, Problem as CmsProblem};

use super::history::History;
use super::ranges::{Range, Ranges};
use crate::document::signature::{level_of_lock, permissions};
use crate::error::Error;
use crate::file::{Indirect, Pdf, Revision};
use crate::report::{Change, Coverage, Problem, SignatureReport, TimeStampReport};
use crate::syntax::{Kind, Reference, Value, decode_text, is_space, parse_date};

/// So much space may stand behind a file's end.
const MAX_SPACE: u64 = 2;
/// The end of a file or a revision has this many octets.
const MAX_TAIL: u64 = 1024;
const END_OF_FILE: &[u8] = b"%%EOF";

/// A signature field with what is in it.
pub(super) struct Found {
    field: String,
    reference: Reference,
    dictionary: Indirect,
    byte_range: Option<[u64; 4]>,
    ranges: Option<Signed>,
    covers: Coverage,
    /// What it covers, if that is a revision.
    revision: Option<Revision>,
    problems: Vec<Problem>,
}

/// What is known of the document besides.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) history: &'a History,
    /// Where the signature ends that certifies it, if that allows annotations.
    pub(super) annotations_from: Option<u64>,
}

/// What a signature covers: all up to `end`, but for the gap.
#[derive(Clone, Copy)]
struct Signed {
    gap: (u64, u64),
    end: u64,
}

impl Found {
    pub(super) fn read(
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
            revision: None,
            problems: Vec::new(),
            dictionary,
        };
        found.locate(pdf)?;
        if found.is_time_stamp() {
            found.check_time_stamp();
        }
        Ok(found)
    }

    /// The number of the field.
    pub(super) const fn number(&self) -> u32 {
        self.reference.number
    }

    pub(super) fn is_time_stamp(&self) -> bool {
        self.dictionary.value.is(b"SubFilter", b"ETSI.RFC3161")
    }

    /// Whether it is a document time-stamp over a revision of the document. Its
    /// token is not verified.
    pub(super) fn is_sound_time_stamp(&self) -> bool {
        self.is_time_stamp() && self.revision.is_some() && self.problems.is_empty()
    }

    /// What of the file is covered: all up to here, but for the gap.
    pub(super) fn end(&self) -> u64 {
        self.ranges.map_or(0, |ranges| ranges.end)
    }

    pub(super) const fn revision(&self) -> Option<Revision> {
        self.revision
    }

    /// The level of its certification, if it certifies the document.
    pub(super) fn certification(&self, pdf: &mut Pdf<'_>) -> Result<Option<u64>, Error> {
        Ok(permissions(pdf, &self.dictionary.value)?.certification)
    }

    /// EN 319 142-1, 5.4.3.
    fn check_time_stamp(&mut self) {
        if !self.dictionary.value.is(b"Type", b"DocTimeStamp") {
            self.problem(Problem::NotADocTimeStamp);
        }
        self.token();
    }

    /// Whether it covers validation data.
    pub(super) fn sees_validation_data(&self, pdf: &mut Pdf<'_>) -> bool {
        let Some(revision) = self.revision else {
            return false;
        };
        let found = pdf.at(revision, |pdf| {
            let catalog = pdf.catalog()?;
            has_validation_data(pdf, &catalog.value)
        });
        found.unwrap_or(false)
    }

    pub(super) fn into_time_stamp(self) -> TimeStampReport {
        let Self { field, byte_range, covers, problems, .. } = self;
        TimeStampReport { field, byte_range, covers, problems }
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
            self.revision = Some(Revision { later: 0, end });
        } else if let Some(later) = revision(pdf, end)? {
            self.covers = Coverage::Part;
            self.revision = Some(Revision { later, end });
            let file_end = if later == 0 { Some(end) } else { end_of_newest(pdf)? };
            let is_end = match file_end {
                Some(end) => {
                    let behind = pdf.len().saturating_sub(end);
                    let octets = pdf.source().read(end, MAX_SPACE)?;
                    behind <= MAX_SPACE && octets.iter().all(|octet| is_space(*octet))
                }
                None => false,
            };
            if !is_end {
                self.problem(Problem::TrailingData);
            }
        } else {
            self.problem(Problem::NotARevision);
        }
        Ok(())
    }

    pub(super) fn judge(
        mut self,
        pdf: &mut Pdf<'_>,
        trust: &mut PathBuilder<'_>,
        around: Around<'_>,
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
        let later = self.revision.map_or(0, |revision| revision.later);
        let changes = around.history.since(later);
        if changes.is_none() {
            self.problem(Problem::NotCompared);
        }
        let changes = changes.unwrap_or_default();
        if changes.iter().any(|change| !change.allowed(&allowed)) {
            self.problem(Problem::ForbiddenChange);
        }
        let changes: BTreeSet<Change> = changes.into_iter().map(|change| change.kind).collect();
        if changes.contains(&Change::Other) {
            self.problem(Problem::ChangedLater);
        }
        let may_be_annotated = around.annotations_from.is_some_and(|from| from <= self.end());
        if changes.contains(&Change::Annotation)
            && allowed.certification.is_none()
            && !may_be_annotated
        {
            self.problem(Problem::AnnotatedLater);
        }
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
            changes: changes.into_iter().collect(),
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

    /// The CMS in `/Contents`, without the zeros behind it.
    fn token(&mut self) -> Option<Vec<u8>> {
        let contents = self.dictionary.value.get(b"Contents").and_then(Value::string);
        let contents = contents.unwrap_or_default().to_vec();
        let Ok(cms) = cades::embedded::first_element(&contents) else {
            self.problem(Problem::ContentsMalformed);
            return None;
        };
        if contents.iter().skip(cms.len()).any(|octet| *octet != 0) {
            self.problem(Problem::ContentsPadding);
        }
        Some(cms.to_vec())
    }

    /// Verifies the CMS over the ranges.
    fn cms(
        &mut self,
        pdf: &mut Pdf<'_>,
        signing_time: Option<chrono::DateTime<chrono::Utc>>,
        trust: &mut PathBuilder<'_>,
    ) -> Result<Option<cades::report::SignatureReport>, Error> {
        let Some(cms) = self.token() else {
            return Ok(None);
        };
        // Nothing is covered by what cannot be located.
        let (gap, end) = self.ranges.map_or(((0, 0), 0), |signed| (signed.gap, signed.end));
        let reader: &mut dyn ReadSeek = pdf.source().reader();
        let ranges =
            Ranges::new(reader, [Range { from: 0, to: gap.0 }, Range { from: gap.1, to: end }]);
        let mut document = Document::stream(ranges);
        let report = match cades::embedded::verify(&cms, &mut document, signing_time, trust) {
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
            | Problem::AnnotatedLater
            | Problem::NotCompared
            | Problem::TrailingData
            | Problem::Cms(
                CmsProblem::Untrusted
                    | CmsProblem::CertificateNotValidAtSigningTime
                    | CmsProblem::DigestMismatch
                    | CmsProblem::KeyUsage
                    | CmsProblem::SignatureInvalid
                    | CmsProblem::ContentMissing
                    | CmsProblem::UnsupportedAlgorithm
            )
    )
}

/// Whether there are revocation values for later (`/DSS`): certificates alone
/// do not make a long-term level (EN 319 142-1, 5.4.2).
pub(super) fn has_validation_data(pdf: &mut Pdf<'_>, catalog: &Value) -> Result<bool, Error> {
    let Some(store) = pdf.get(catalog, b"DSS")? else {
        return Ok(false);
    };
    for key in [b"CRLs".as_slice(), b"OCSPs"] {
        let values = pdf.get(&store, key)?;
        if values.as_ref().and_then(Value::elements).is_some_and(|values| !values.is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
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
    let later = pdf.sections.iter().take_while(|section| section.offset >= end).count();
    let Some(newest) = pdf.sections.get(later) else {
        return Ok(None);
    };
    let expected = newest.offset;
    if pdf.sections.iter().skip(later).any(|section| section.end > end) {
        return Ok(None);
    }
    let shift = pdf.shift;
    let from = end.saturating_sub(MAX_TAIL);
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

/// Where the file ends by its newest section: behind the first `%%EOF` after it,
/// and the end of that line.
fn end_of_newest(pdf: &mut Pdf<'_>) -> Result<Option<u64>, Error> {
    let Some(from) = pdf.sections.first().map(|section| section.end) else {
        return Ok(None);
    };
    let tail = pdf.source().read(from, MAX_TAIL)?;
    let found = tail.windows(END_OF_FILE.len()).position(|window| window == END_OF_FILE);
    let Some(at) = found.map(|at| at + END_OF_FILE.len()) else {
        return Ok(None);
    };
    let line = match tail.get(at..) {
        Some([b'\r', b'\n', ..]) => 2,
        Some([b'\r' | b'\n', ..]) => 1,
        _ => 0,
    };
    Ok(Some(from.saturating_add((at + line) as u64)))
}
