//! The signatures and document time-stamps of a form, and the octets that each
//! covers.

use std::collections::BTreeMap;

use crate::document::form::Form;
use crate::error::{Error, Limit, exceeds};
use crate::file::{Indirect, Pdf, Revision};
use crate::report::{Coverage, Problem};
use crate::syntax::{Kind, Reference, Value, is_space};

/// Maximum number of signatures in a document.
pub(crate) const MAX_SIGNATURES: usize = 1024;
/// Maximum number of white-space octets after a file's end.
const MAX_SPACE: u64 = 2;
/// The end of a file or a revision is searched in this many octets.
const MAX_TAIL: u64 = 1024;
const END_OF_FILE: &[u8] = b"%%EOF";

/// A signature or document time-stamp, and its field.
pub(crate) struct FoundSignature {
    pub(crate) field: String,
    pub(crate) reference: Reference,
    pub(crate) dictionary: Indirect,
    pub(crate) byte_range: Option<[u64; 4]>,
    pub(crate) ranges: Option<SignedRanges>,
    pub(crate) covers: Coverage,
    /// The covered revision; `None` if the covered octets are not a revision.
    pub(crate) revision: Option<Revision>,
    pub(crate) problems: Vec<Problem>,
}

/// The covered octets: from the start of the file up to `end`, without the
/// Contents placeholder.
#[derive(Clone, Copy)]
pub(crate) struct SignedRanges {
    pub(crate) placeholder: (u64, u64),
    pub(crate) end: u64,
}

/// All signatures and document time-stamps.
pub(crate) fn signatures(pdf: &mut Pdf<'_>, form: &Form) -> Result<Vec<FoundSignature>, Error> {
    let mut found = Vec::new();
    for (field, value) in form.signed() {
        if found.len() == MAX_SIGNATURES {
            return Err(exceeds(Limit::Signatures));
        }
        found.push(FoundSignature::read(pdf, &field.name, field.reference, value)?);
    }
    Ok(found)
}

/// The ends of the signed revisions, by the number of later sections.
pub(crate) fn ends(found: &[FoundSignature]) -> BTreeMap<usize, u64> {
    let mut ends: BTreeMap<usize, u64> = BTreeMap::new();
    for revision in found.iter().filter_map(FoundSignature::revision) {
        let end = ends.entry(revision.later).or_insert(revision.end);
        *end = revision.end.min(*end);
    }
    ends
}

impl FoundSignature {
    fn read(
        pdf: &mut Pdf<'_>,
        field: &str,
        reference: Reference,
        value: &Value,
    ) -> Result<Self, Error> {
        let dictionary = match value.reference() {
            Some(reference) => pdf.follow(reference)?,
            // Direct in the field, although the standard requires an indirect object.
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
        Ok(found)
    }

    pub(crate) fn is_time_stamp(&self) -> bool {
        self.dictionary.value.is(b"SubFilter", b"ETSI.RFC3161")
    }

    /// The end of the covered octets; 0 if it is not known.
    pub(crate) fn end(&self) -> u64 {
        self.ranges.map_or(0, |ranges| ranges.end)
    }

    pub(crate) const fn revision(&self) -> Option<Revision> {
        self.revision
    }

    pub(crate) fn problem(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Finds the octets and the revision that the signature covers.
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
        let object_end = self.dictionary.offset.map(|at| at + self.dictionary.octets.len() as u64);
        // The gap between the ranges must be the token that was read as /Contents.
        if self.contents_token() != Some((first, second)) || object_end.is_none_or(|at| at > end) {
            self.problem(Problem::ByteRangeGap);
            return Ok(());
        }
        self.ranges = Some(SignedRanges { placeholder: (first, second), end });
        if end == pdf.len() {
            self.covers = Coverage::Whole;
            self.revision = Some(Revision { later: 0, end });
        } else if let Some(later) = revision(pdf, end)? {
            self.covers = Coverage::Part;
            self.revision = Some(Revision { later, end });
            if !ends_with_update(pdf, later, end)? {
                self.problem(Problem::TrailingData);
            }
        } else {
            self.problem(Problem::NotARevision);
        }
        Ok(())
    }

    /// Whether the signature covers a revision after an update, too. One that covers the whole
    /// file need not end where a revision ends.
    pub(crate) fn stays_a_revision(&self, pdf: &mut Pdf<'_>) -> Result<bool, Error> {
        match self.ranges {
            Some(ranges) if self.covers == Coverage::Whole => {
                Ok(revision(pdf, ranges.end)?.is_some())
            }
            _ => Ok(true),
        }
    }

    /// Where the hexadecimal string `/Contents` begins and ends in the file.
    fn contents_token(&self) -> Option<(u64, u64)> {
        let contents = self.dictionary.value.get(b"Contents")?;
        let octets = self.dictionary.octets.get(contents.span.clone())?;
        if !octets.starts_with(b"<") || contents.string().is_none() {
            return None;
        }
        let object = self.dictionary.offset?;
        Some((object + contents.span.start as u64, object + contents.span.end as u64))
    }
}

/// Four numbers, none negative, all of them in the dictionary itself.
fn byte_range(dictionary: &Value) -> Option<[u64; 4]> {
    match dictionary.get(b"ByteRange")?.elements()? {
        [a, b, c, d] => Some([a.unsigned()?, b.unsigned()?, c.unsigned()?, d.unsigned()?]),
        _ => None,
    }
}

/// The number of sections after `end`, if a revision ends there: with `%%EOF` and
/// the offset of the section that was the newest then.
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

/// Whether the file ends with its newest section, after a revision that ends at
/// `end` with `later` sections after it.
fn ends_with_update(pdf: &mut Pdf<'_>, later: usize, end: u64) -> Result<bool, Error> {
    let file_end = if later == 0 { Some(end) } else { end_of_newest(pdf)? };
    let Some(file_end) = file_end else {
        return Ok(false);
    };
    let rest = pdf.len().saturating_sub(file_end);
    let octets = pdf.source().read(file_end, MAX_SPACE)?;
    Ok(rest <= MAX_SPACE && octets.iter().all(|octet| is_space(*octet)))
}

/// Where the file ends by its newest section: after the first `%%EOF` that follows
/// it, including the end of that line.
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
