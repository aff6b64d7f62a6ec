//! Cross-reference sections. Tables stay in the file, streams are kept decoded;
//! entries are read when they are requested (ISO 32000-2, 7.5.4, 7.5.8).

use std::collections::{BTreeMap, HashSet};

use super::filter::MAX_DECODED;
use super::object::{Pdf, StreamData};
use super::source::Source;
use crate::error::{Error, Limit, broken, exceeds};
use crate::syntax::{Lexer, Stop, Value, is_space};

/// Maximum number of cross-reference sections.
pub(crate) const MAX_SECTIONS: usize = 1 << 14;
/// Maximum number of subsections in all sections.
pub(crate) const MAX_SUBSECTIONS: usize = 1 << 20;
/// Maximum length in octets of all trailers.
pub(crate) const MAX_TRAILERS: usize = 4 * 1024 * 1024;
/// Maximum number of values in all trailers.
pub(crate) const MAX_TRAILER_VALUES: usize = 1 << 19;
/// The highest object number that is read.
pub(crate) const MAX_NUMBER: u64 = i32::MAX as u64;
/// The widths that mark a table: its entries stay in the file.
const IN_THE_FILE: [usize; 3] = [0; 3];
/// Length in octets of a table's entry.
const ENTRY: u64 = 20;

/// A cross-reference entry: the place of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It does not exist.
    Free,
    /// At an offset, counted from where the file counts its offsets.
    Plain { offset: u64, generation: u16 },
    /// In an object stream.
    Compressed { stream: u32, index: u32 },
}

/// How a section is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SectionKind {
    Table,
    Stream,
}

/// One cross-reference section and its trailer.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    /// Where the section begins, counted from the file's first octet.
    pub(crate) offset: u64,
    /// Where the trailer or the stream's data ends, or the data of the `/XRefStm` if
    /// that is later.
    pub(crate) end: u64,
    pub(crate) kind: SectionKind,
    /// The trailer or the stream's dictionary, and its octets.
    pub(crate) trailer: Value,
    pub(crate) trailer_octets: Vec<u8>,
    /// In ascending order, without overlaps.
    subsections: Vec<Subsection>,
    /// A stream's entries.
    decoded: Vec<u8>,
    /// Length of a stream's data in the file.
    encoded: u64,
    widths: [usize; 3],
    /// The section in the `/XRefStm` of a hybrid-reference file.
    hybrid: Option<Box<Self>>,
}

#[derive(Clone, Copy, Debug)]
struct Subsection {
    first: u64,
    count: u64,
    /// Offset of the first entry: in the file for a table, in `decoded` for a stream.
    at: u64,
    /// Distance in octets from one entry to the next.
    step: u64,
}

impl Section {
    /// This section's entry for an object, if it has one. In a hybrid-reference file,
    /// the table's entries come before the stream's (7.5.8.4), but the stream decides
    /// where the table says *free*.
    pub(crate) fn entry(
        &self,
        source: &mut Source<'_>,
        number: u32,
    ) -> Result<Option<Entry>, Error> {
        let own = self.own_entry(source, number)?;
        match (&self.hybrid, own) {
            (Some(hybrid), None | Some(Entry::Free)) => {
                Ok(hybrid.own_entry(source, number)?.or(own))
            }
            _ => Ok(own),
        }
    }

    fn own_entry(&self, source: &mut Source<'_>, number: u32) -> Result<Option<Entry>, Error> {
        let number = u64::from(number);
        let next = self.subsections.partition_point(|s| s.first <= number);
        let Some(subsection) = next.checked_sub(1).and_then(|at| self.subsections.get(at)) else {
            return Ok(None);
        };
        let index = number - subsection.first;
        if index >= subsection.count {
            return Ok(None);
        }
        let at = subsection.at + index * subsection.step;
        if self.widths == IN_THE_FILE {
            return table_entry(source.read(at, ENTRY)?, at).map(Some);
        }
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let entry = self.decoded.get(at..).and_then(|octets| stream_entry(octets, self.widths));
        // An entry with numbers that no object can have counts as null.
        Ok(Some(entry.unwrap_or(Entry::Free)))
    }

    /// A section that the file does not have; an update is written as `kind`.
    pub(crate) fn rebuilt(
        entries: &BTreeMap<u32, Entry>,
        kind: SectionKind,
        trailer: Value,
        trailer_octets: Vec<u8>,
    ) -> Self {
        const WIDTHS: [usize; 3] = [1, 8, 4];
        const STEP: u64 = 13;

        let mut decoded = Vec::new();
        let mut subsections: Vec<Subsection> = Vec::new();
        for (number, entry) in entries {
            let (kind, second, third) = match *entry {
                Entry::Free => (0, 0, 0),
                Entry::Plain { offset, generation } => (1, offset, u32::from(generation)),
                Entry::Compressed { stream, index } => (2, u64::from(stream), index),
            };
            let first = u64::from(*number);
            match subsections.last_mut() {
                Some(last) if last.first + last.count == first => last.count += 1,
                _ => {
                    let at = decoded.len() as u64;
                    subsections.push(Subsection { first, count: 1, at, step: STEP });
                }
            }
            decoded.push(kind);
            decoded.extend_from_slice(&second.to_be_bytes());
            decoded.extend_from_slice(&third.to_be_bytes());
        }
        Self {
            offset: 0,
            end: 0,
            kind,
            trailer,
            trailer_octets,
            subsections,
            decoded,
            encoded: 0,
            widths: WIDTHS,
            hybrid: None,
        }
    }

    /// Whether the section has an `/XRefStm`.
    pub(super) const fn is_hybrid(&self) -> bool {
        self.hybrid.is_some()
    }

    /// Whether table and `/XRefStm` have different entries for an object: some readers
    /// follow one, some the other.
    pub(super) fn contradicts_itself(
        &self,
        source: &mut Source<'_>,
        number: u32,
    ) -> Result<bool, Error> {
        let Some(hybrid) = &self.hybrid else {
            return Ok(false);
        };
        let table = self.own_entry(source, number)?;
        let stream = hybrid.own_entry(source, number)?;
        Ok(table.is_some() && stream.is_some() && table != stream)
    }

    /// The numbers that this section has entries for, as ranges.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = std::ops::Range<u64>> {
        let hybrid = self.hybrid.iter().flat_map(|h| &h.subsections);
        self.subsections.iter().chain(hybrid).map(|s| s.first..s.first + s.count)
    }
}

/// `0000000016 00000 n`; readers are lenient about white space.
fn table_entry(octets: &[u8], at: u64) -> Result<Entry, Error> {
    let mut fields =
        octets.split(|&o| is_space(o)).filter(|field| !field.is_empty()).map(std::str::from_utf8);
    let (Some(Ok(offset)), Some(Ok(generation)), Some(Ok(kind))) =
        (fields.next(), fields.next(), fields.next())
    else {
        return Err(broken(at, "this is not an entry of a cross-reference table"));
    };
    match (kind.as_bytes().first(), offset.parse(), generation.parse::<u32>()) {
        (Some(b'f'), _, _) => Ok(Entry::Free),
        (Some(b'n'), Ok(0), _) => Ok(Entry::Free),
        (Some(b'n'), Ok(offset), Ok(generation)) => {
            let generation =
                u16::try_from(generation).map_err(|_| broken(at, "a generation above 65,535"))?;
            Ok(Entry::Plain { offset, generation })
        }
        _ => Err(broken(at, "this is not an entry of a cross-reference table")),
    }
}

/// The fields of a stream's entry; a missing type is 1 (table 17).
fn stream_entry(octets: &[u8], [kind, second, third]: [usize; 3]) -> Option<Entry> {
    let number = |start: usize, len: usize| {
        let octets = octets.get(start..start.checked_add(len)?)?;
        Some(octets.iter().fold(0u64, |number, &octet| number << 8 | u64::from(octet)))
    };
    let (a, b) = (number(kind, second)?, number(kind + second, third)?);
    match if kind == 0 { 1 } else { number(0, kind)? } {
        0 => Some(Entry::Free),
        1 if a == 0 => Some(Entry::Free),
        1 => Some(Entry::Plain { offset: a, generation: u16::try_from(b).ok()? }),
        2 => Some(Entry::Compressed {
            stream: u32::try_from(a).ok()?,
            index: u32::try_from(b).ok()?,
        }),
        // An unknown type counts as null (7.5.8.3).
        _ => Some(Entry::Free),
    }
}

/// Reads all sections, the newest first.
///
/// `shift`: the position of offset 0 as the file counts.
pub(crate) fn read_chain(
    source: &mut Source<'_>,
    start: u64,
    shift: u64,
) -> Result<Vec<Section>, Error> {
    let mut sections: Vec<Section> = Vec::new();
    let mut seen = HashSet::new();
    let mut next = Some(start);
    let (mut subsections, mut decoded, mut trailers, mut values) = (0, 0, 0, 0);
    while let Some(offset) = next {
        if !seen.insert(offset) {
            return Err(broken(offset, "a section refers back to itself (/Prev)"));
        }
        if sections.len() == MAX_SECTIONS {
            return Err(exceeds(Limit::Sections));
        }
        let mut section = read_section(source, offset)?;
        if section.kind == SectionKind::Table
            && let Some(stream) = section.trailer.get(b"XRefStm").and_then(Value::unsigned)
        {
            let hybrid = read_section(source, stream.saturating_add(shift))?;
            if hybrid.kind != SectionKind::Stream {
                return Err(broken(hybrid.offset, "/XRefStm does not lead to a stream"));
            }
            section.end = section.end.max(hybrid.end);
            section.hybrid = Some(Box::new(hybrid));
        }
        next = match section.trailer.get(b"Prev") {
            None => None,
            // Some writers put this into the first section.
            Some(prev) if prev.unsigned() == Some(0) => None,
            Some(prev) => {
                let prev = prev.unsigned().ok_or(broken(offset, "/Prev is not an offset"))?;
                Some(prev.saturating_add(shift))
            }
        };
        for part in [Some(&section), section.hybrid.as_deref()].into_iter().flatten() {
            subsections += part.subsections.len();
            decoded += part.encoded.max(part.decoded.len() as u64);
            trailers += part.trailer_octets.len();
            values += part.trailer.count();
        }
        if trailers > MAX_TRAILERS {
            return Err(exceeds(Limit::TrailerLen));
        }
        if values > MAX_TRAILER_VALUES {
            return Err(exceeds(Limit::TrailerValues));
        }
        if subsections > MAX_SUBSECTIONS {
            return Err(exceeds(Limit::Subsections));
        }
        if decoded > MAX_DECODED {
            return Err(exceeds(Limit::CrossReferenceStreams));
        }
        sections.push(section);
    }
    Ok(sections)
}

/// Whether a table or an object begins here, as it must where a section begins.
pub(crate) fn begins_section(source: &mut Source<'_>, offset: u64) -> Result<bool, Error> {
    let octets = source.read(offset, 64)?;
    let mut lexer = Lexer::new(octets, true);
    Ok(lexer.keyword(b"xref") == Ok(true) || lexer.object_header().is_ok())
}

fn read_section(source: &mut Source<'_>, offset: u64) -> Result<Section, Error> {
    if offset >= source.len() {
        return Err(broken(offset, "a cross-reference section after the end of the file"));
    }
    let (table, octets) = match source.parse(offset, |lexer| lexer.keyword(b"xref")) {
        Err(Error::Malformed { offset, what }) => return Err(broken(offset, what)),
        other => other?,
    };
    let read = if table {
        read_table(source, offset, offset + octets.len() as u64)
    } else {
        read_stream(source, offset)
    };
    match read {
        Err(Error::Malformed { offset, what }) => Err(broken(offset, what)),
        other => other,
    }
}

/// Reads a table (7.5.4). The entries of its subsections are skipped.
fn read_table(source: &mut Source<'_>, offset: u64, first: u64) -> Result<Section, Error> {
    let mut at = first;
    let mut subsections = Vec::new();
    loop {
        let (head, octets) = source.parse(at, |lexer| {
            if lexer.keyword(b"trailer")? {
                return Ok(None);
            }
            let first = lexer.unsigned("neither a subsection of a table nor a trailer")?;
            let count = lexer.unsigned("this is not a subsection of a table")?;
            lexer.space()?;
            Ok(Some((first, count)))
        })?;
        let here = at;
        at += octets.len() as u64;
        let Some((first, count)) = head else {
            break;
        };
        if subsections.len() == MAX_SUBSECTIONS {
            return Err(exceeds(Limit::Subsections));
        }
        let step = entry_step(source, at, count)?;
        let len = count.checked_mul(step).filter(|len| *len <= source.len().saturating_sub(at));
        let Some(len) = len else {
            return Err(broken(here, "a subsection ends after the file"));
        };
        subsections.push(Subsection { first, count, at, step });
        at += len;
    }
    let (trailer, trailer_octets) = source.parse(at, |lexer| {
        let trailer = lexer.value()?;
        if trailer.is_dictionary() {
            Ok(trailer)
        } else {
            lexer.fail("the trailer is not a dictionary")
        }
    })?;
    // Some writers start at 1 although the first entry is that of object 0.
    if let [only] = subsections.as_mut_slice()
        && only.first == 1
        && source.read(only.at, ENTRY)?.starts_with(b"0000000000 65535 f")
    {
        only.first = 0;
    }
    Ok(Section {
        offset,
        end: at + trailer_octets.len() as u64,
        kind: SectionKind::Table,
        trailer,
        trailer_octets,
        subsections: in_order(subsections, offset)?,
        decoded: Vec::new(),
        encoded: 0,
        widths: IN_THE_FILE,
        hybrid: None,
    })
}

/// The distance from one entry to the next: 20 octets, or 19 if a writer ends lines
/// with one octet.
fn entry_step(source: &mut Source<'_>, at: u64, count: u64) -> Result<u64, Error> {
    if count < 2 {
        // With one entry, this is its length: the reader skips white space after it.
        let octets = source.read(at, ENTRY)?;
        let kind = octets.iter().position(|o| matches!(o, b'n' | b'f'));
        return Ok(kind.map_or(ENTRY, |kind| kind as u64 + 1));
    }
    let octets = source.read(at, 2 * ENTRY)?;
    let next = octets.iter().position(|o| matches!(o, b'n' | b'f')).and_then(|kind| {
        let after = octets.get(kind + 1..)?;
        Some(kind + 1 + after.iter().position(u8::is_ascii_digit)?)
    });
    next.map(|next| next as u64)
        .ok_or(broken(at, "this is not an entry of a cross-reference table"))
}

/// Reads a cross-reference stream (7.5.8).
fn read_stream(source: &mut Source<'_>, offset: u64) -> Result<Section, Error> {
    let stream = Pdf::read_plain(source, offset)?;
    let dictionary = &stream.value;
    if !dictionary.is(b"Type", b"XRef") {
        return Err(broken(offset, "neither a cross-reference table nor a stream"));
    }
    // No search for the end of the stream: with a wrong length, readers could disagree
    // about the signed octets.
    let Some(encoded) = stream.stated_length(source, None)? else {
        return Err(broken(offset, "a cross-reference stream with a wrong /Length"));
    };
    let StreamData::Decoded(decoded) = stream.decode(source, encoded, None)? else {
        return Err(broken(offset, "a cross-reference stream with a filter that is not supported"));
    };
    let widths = widths_of(dictionary);
    let widths =
        widths.ok_or(broken(offset, "a cross-reference stream without its widths (/W)"))?;
    let step = widths.iter().sum::<usize>() as u64;
    let mut subsections = Vec::new();
    let mut at = 0;
    for (first, count) in index_of(dictionary, offset)? {
        let available = (decoded.len() as u64).saturating_sub(at) / step;
        if count > available {
            let what = "a cross-reference stream with fewer entries than it says";
            return Err(broken(offset, what));
        }
        subsections.push(Subsection { first, count, at, step });
        at += count * step;
    }
    Ok(Section {
        offset,
        end: stream.data().unwrap_or(offset).saturating_add(encoded),
        kind: SectionKind::Stream,
        trailer: stream.value,
        trailer_octets: stream.octets,
        subsections: in_order(subsections, offset)?,
        decoded,
        encoded,
        widths,
        hybrid: None,
    })
}

/// `/W`: the widths of an entry's three fields, of which one is not 0.
fn widths_of(dictionary: &Value) -> Option<[usize; 3]> {
    let widths = dictionary.get(b"W")?.elements()?;
    let width = |at: usize| {
        let width = widths.get(at)?.unsigned()?;
        usize::try_from(width).ok().filter(|width| *width <= 8)
    };
    Some([width(0)?, width(1)?, width(2)?]).filter(|widths| widths.iter().any(|width| *width > 0))
}

/// `/Index`: the first number and the length of each subsection.
fn index_of(dictionary: &Value, offset: u64) -> Result<Vec<(u64, u64)>, Error> {
    let size = dictionary.get(b"Size").and_then(Value::unsigned);
    let size = size.ok_or(broken(offset, "a cross-reference stream without /Size"))?;
    let Some(index) = dictionary.get(b"Index") else {
        return Ok(vec![(0, size)]);
    };
    let pairs = index.elements().unwrap_or_default().chunks(2).map(|pair| match pair {
        [first, count] => first.unsigned().zip(count.unsigned()),
        _ => None,
    });
    pairs.collect::<Option<_>>().ok_or(broken(offset, "a malformed /Index"))
}

fn in_order(mut subsections: Vec<Subsection>, offset: u64) -> Result<Vec<Subsection>, Error> {
    subsections.retain(|s| s.count > 0);
    subsections.sort_by_key(|s| s.first);
    let end = |s: &Subsection| s.first.checked_add(s.count);
    let too_high = |s: &Subsection| end(s).is_none_or(|end| end > MAX_NUMBER);
    if subsections.iter().any(too_high) {
        return Err(broken(offset, "a subsection has object numbers that are too high"));
    }
    let mut pairs = subsections.iter().zip(subsections.iter().skip(1));
    if pairs.any(|(before, after)| end(before).is_none_or(|end| end > after.first)) {
        return Err(broken(offset, "two subsections have an entry for the same object"));
    }
    Ok(subsections)
}

/// The offset in the last `startxref` (7.5.5), and the position of that keyword.
pub(crate) fn start(source: &mut Source<'_>) -> Result<(u64, u64), Error> {
    /// The distance from the end within which it is searched for, and within which it
    /// is in most files.
    const TAIL: u64 = 64 * 1024;
    const NEAR: u64 = 4096;
    const KEYWORD: &[u8] = b"startxref";

    let last = |tail: &[u8]| tail.windows(KEYWORD.len()).rposition(|window| window == KEYWORD);
    let mut reach = NEAR;
    let found = loop {
        let from = source.len().saturating_sub(reach);
        match last(source.read(from, reach)?) {
            None if reach < TAIL => reach = TAIL,
            found => break found,
        }
    };
    let Some(at) = found else {
        return Err(broken(source.len(), "no startxref in the last 65,536 octets"));
    };
    let from = source.len().saturating_sub(reach);
    let tail = source.read(from, reach)?;
    let keyword = from + at as u64;
    let mut lexer = Lexer::new(tail.get(at + KEYWORD.len()..).unwrap_or_default(), true);
    match lexer.unsigned("no offset after startxref") {
        Ok(offset) => Ok((offset, keyword)),
        Err(Stop::Malformed(at, what)) => Err(broken(keyword + at as u64, what)),
        Err(_) => Err(broken(keyword, "no offset after startxref")),
    }
}
