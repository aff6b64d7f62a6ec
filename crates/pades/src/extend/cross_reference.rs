//! The cross-reference section and the trailer of an update (ISO 32000-2, 7.5.4,
//! 7.5.5, 7.5.8).

use std::collections::BTreeMap;
use std::ops::Range;

use crate::error::{Error, Limit, exceeds};
use crate::file::{Entry, Pdf};
use crate::syntax::{Reference, name, string};

/// Length in octets of the second part of `/ID`.
const ID_LEN: usize = 16;
/// A table has ten digits for an offset.
pub(crate) const MAX_TABLE_OFFSET: u64 = 9_999_999_999;

/// A section that is to be written.
pub(super) struct CrossReference {
    pub(super) entries: BTreeMap<u32, Entry>,
    /// The section's own offset.
    pub(super) section: u64,
    /// The section's own object, if it is a stream; else it is a table.
    pub(super) own: Option<Reference>,
}

impl CrossReference {
    /// Writes section and trailer; returns where the trailer's entries begin.
    pub(super) fn write(self, trailer: &[u8], out: &mut Vec<u8>) -> Result<usize, Error> {
        let entries: Vec<(u32, Entry)> = self.entries.into_iter().collect();
        match self.own {
            Some(own) => Ok(write_stream(&entries, own, self.section, trailer, out)),
            None if self.section > MAX_TABLE_OFFSET => Err(exceeds(Limit::TableOffset)),
            None => Ok(write_table(&entries, trailer, out)),
        }
    }
}

fn write_table(entries: &[(u32, Entry)], trailer: &[u8], out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(b"xref\n");
    for run in runs(entries) {
        out.extend_from_slice(format!("{}\n", head(run)).as_bytes());
        for (_, entry) in run {
            out.extend_from_slice(table_entry(*entry).as_bytes());
        }
    }
    out.extend_from_slice(b"trailer\n<<");
    let at = out.len();
    out.extend_from_slice(trailer);
    out.extend_from_slice(b">>\n");
    at
}

fn write_stream(
    entries: &[(u32, Entry)],
    own: Reference,
    section: u64,
    trailer: &[u8],
    out: &mut Vec<u8>,
) -> usize {
    out.extend_from_slice(format!("{} 0 obj\n<</Type/XRef/Index[", own.number).as_bytes());
    for run in runs(entries) {
        out.extend_from_slice(format!("{} ", head(run)).as_bytes());
    }
    let width = (u64::BITS - section.leading_zeros()).div_ceil(8).max(4) as usize;
    let length = entries.len() * (1 + width + 4);
    out.extend_from_slice(format!("]/W[1 {width} 4]/Length {length}").as_bytes());
    let at = out.len();
    out.extend_from_slice(trailer);
    out.extend_from_slice(b">>\nstream\n");
    for (_, entry) in entries {
        let (kind, second, third) = stream_entry(*entry);
        let second = second.to_be_bytes();
        out.push(kind);
        out.extend_from_slice(second.get(second.len() - width..).unwrap_or(&second));
        out.extend_from_slice(&third.to_be_bytes());
    }
    out.extend_from_slice(b"\nendstream\nendobj\n");
    at
}

/// The subsections: runs of consecutive numbers.
fn runs(entries: &[(u32, Entry)]) -> impl Iterator<Item = &[(u32, Entry)]> {
    entries.chunk_by(|(a, _), (b, _)| a + 1 == *b)
}

/// A subsection's first number and its length.
fn head(run: &[(u32, Entry)]) -> String {
    let first = run.first().map_or(0, |(number, _)| *number);
    format!("{first} {}", run.len())
}

/// An entry of 20 octets, including the end of the line.
fn table_entry(entry: Entry) -> String {
    match entry {
        Entry::Plain { offset, generation } => format!("{offset:010} {generation:05} n \n"),
        // A table has no entries for objects in object streams; `Pdf::rebuild` makes
        // a stream then.
        Entry::Free | Entry::Compressed { .. } => "0000000000 65535 f \n".to_owned(),
    }
}

/// The three fields of an entry (table 18).
fn stream_entry(entry: Entry) -> (u8, u64, u32) {
    match entry {
        Entry::Free => (0, 0, 65_535),
        Entry::Plain { offset, generation } => (1, offset, u32::from(generation)),
        Entry::Compressed { stream, index } => (2, u64::from(stream), index),
    }
}

/// Writes the trailer's entries and notes where the digits of the new identifier
/// are. Entries about the document are kept; entries about the previous section
/// are not.
pub(super) fn write_trailer(
    pdf: &Pdf<'_>,
    size: u32,
    first_id: Option<&[u8]>,
    out: &mut Vec<u8>,
    id: &mut Vec<Range<usize>>,
) -> Result<(), Error> {
    const OF_THE_SECTION: [&[u8]; 14] = [
        b"DL",
        b"DecodeParms",
        b"F",
        b"FDecodeParms",
        b"FFilter",
        b"Filter",
        b"ID",
        b"Index",
        b"Length",
        b"Prev",
        b"Size",
        b"Type",
        b"W",
        b"XRefStm",
    ];
    const OF_THE_DOCUMENT: [&[u8]; 3] = [b"Encrypt", b"Info", b"Root"];

    out.extend_from_slice(format!("/Size {size}").as_bytes());
    if let Some(previous) = pdf.startxref {
        out.extend_from_slice(format!("/Prev {previous}").as_bytes());
    }
    let newest = pdf.newest()?;
    let mut keys: Vec<&[u8]> =
        newest.trailer.entries().iter().map(|(key, _)| key.as_slice()).collect();
    keys.extend(OF_THE_DOCUMENT);
    keys.sort_unstable();
    keys.dedup();
    for key in keys.into_iter().filter(|key| !OF_THE_SECTION.contains(key)) {
        if let Some((value, octets)) = pdf.trailer(key) {
            out.extend_from_slice(&name(key));
            out.push(b' ');
            out.extend_from_slice(octets.get(value.span.clone()).unwrap_or_default());
        }
    }
    // In an encrypted file, the key depends on the first part of /ID: none may be added.
    if first_id.is_some() || pdf.trailer(b"Encrypt").is_none() {
        write_id(first_id, out, id);
    }
    Ok(())
}

/// Writes `/ID`, with the digits of new parts still zero.
fn write_id(first: Option<&[u8]>, out: &mut Vec<u8>, id: &mut Vec<Range<usize>>) {
    let mut placeholder = |out: &mut Vec<u8>| {
        out.push(b'<');
        id.push(out.len()..out.len() + 2 * ID_LEN);
        out.extend_from_slice(&[b'0'; 2 * ID_LEN]);
        out.push(b'>');
    };
    out.extend_from_slice(b"/ID[");
    match first {
        Some(first) => out.extend_from_slice(&string(first)),
        None => placeholder(out),
    }
    placeholder(out);
    out.push(b']');
}
