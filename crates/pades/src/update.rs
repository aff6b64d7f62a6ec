//! One incremental update: objects, a cross-reference section of the kind the
//! file's newest has, and a trailer (ISO 32000-2, 7.5.6).

use std::collections::BTreeMap;
use std::io::Write as _;
use std::ops::Range;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::error::{Error, structure};
use crate::file::{Entry, Indirect, Pdf, SectionKind};
use crate::syntax::{Edit, Lexer, Reference, Value, name, string};

/// The second part of `/ID` has this many octets.
const ID_LEN: usize = 16;
/// A table has ten digits for an offset.
const MAX_TABLE_OFFSET: u64 = 9_999_999_999;

/// Objects to be written, new and changed.
#[derive(Debug)]
pub(crate) struct Update {
    objects: Vec<(Reference, Vec<u8>)>,
    next: u32,
}

/// The update's octets.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) octets: Vec<u8>,
    /// Where each object's value begins in `octets`.
    pub(crate) values: Vec<(Reference, usize)>,
    /// Where the hexadecimal digits of the file's new identifier are.
    pub(crate) id: Vec<Range<usize>>,
}

impl Update {
    pub(crate) fn new(pdf: &Pdf<'_>) -> Result<Self, Error> {
        Ok(Self { objects: Vec::new(), next: pdf.next_number()? })
    }

    /// A number for a new object.
    pub(crate) fn allocate(&mut self) -> Reference {
        let reference = Reference { number: self.next, generation: 0 };
        self.next = self.next.saturating_add(1);
        reference
    }

    /// The numbers of all objects, new and changed.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.objects.iter().map(|(reference, _)| reference.number)
    }

    /// The array that is to be written in place of this object, if one is.
    pub(crate) fn array(&self, reference: Reference) -> Option<Value> {
        let (_, value) = self.objects.iter().find(|(other, _)| *other == reference)?;
        Lexer::new(value, true).value().ok().filter(|value| value.elements().is_some())
    }

    /// Adds a new object without strings: its value and, for a stream, the data.
    pub(crate) fn put(&mut self, reference: Reference, value: Vec<u8>) {
        self.objects.push((reference, value));
    }

    /// Adds a new object whose strings have yet to be encrypted, if the
    /// document is.
    pub(crate) fn add(
        &mut self,
        pdf: &Pdf<'_>,
        reference: Reference,
        value: Vec<u8>,
    ) -> Result<(), Error> {
        let value = match &pdf.security {
            Some(security) => security.encrypt_strings(reference, &value)?,
            None => value,
        };
        self.put(reference, value);
        Ok(())
    }

    /// Adds a new stream, compressed; `entries` are those of its dictionary,
    /// without strings.
    pub(crate) fn add_stream(
        &mut self,
        pdf: &Pdf<'_>,
        reference: Reference,
        entries: &str,
        data: &[u8],
    ) {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        // Writing into memory does not fail; were it to, the data stand as they are.
        let compressed = encoder.write_all(data).and_then(|()| encoder.finish());
        let (filter, data) = match compressed {
            Ok(compressed) => ("/Filter/FlateDecode", compressed),
            Err(_) => ("", data.to_vec()),
        };
        self.add_encoded(pdf, reference, &format!("{entries}{filter}"), data);
    }

    /// Adds a new stream whose filter is among the entries.
    pub(crate) fn add_encoded(
        &mut self,
        pdf: &Pdf<'_>,
        reference: Reference,
        entries: &str,
        data: Vec<u8>,
    ) {
        let data = match &pdf.security {
            Some(security) => security.encrypt_stream(reference, &data),
            None => data,
        };
        let mut value = format!("<<{entries}/Length {}>>\nstream\n", data.len()).into_bytes();
        value.extend_from_slice(&data);
        value.extend_from_slice(b"\nendstream");
        self.put(reference, value);
    }

    /// Adds a changed object, which is no stream: the data would be lost. Strings
    /// that stand in the file are encrypted already, if the document is; those in
    /// object streams are not.
    pub(crate) fn change(
        &mut self,
        pdf: &Pdf<'_>,
        object: &Indirect,
        edit: Edit<'_>,
    ) -> Result<(), Error> {
        if object.is_stream() {
            return Err(structure("a stream stands where something else should"));
        }
        let value = edit.finish(&object.value);
        if object.offset.is_none() {
            return self.add(pdf, object.reference, value);
        }
        self.put(object.reference, value);
        Ok(())
    }

    /// Writes it all, as it stands behind the file.
    pub(crate) fn write(mut self, pdf: &mut Pdf<'_>) -> Result<Written, Error> {
        let start = pdf.len();
        let mut octets = Vec::new();
        if !pdf.source().read(start.saturating_sub(1), 1)?.ends_with(b"\n") {
            octets.push(b'\n');
        }
        let counted = |at: usize| (start + at as u64).saturating_sub(pdf.shift);
        let mut entries = BTreeMap::new();
        let mut values = Vec::new();
        for (reference, value) in &self.objects {
            let Reference { number, generation } = *reference;
            let entry = Entry::Plain { offset: counted(octets.len()), generation };
            if entries.insert(number, entry).is_some() {
                return Err(structure("one object plays two parts in the document"));
            }
            octets.extend_from_slice(format!("{number} {generation} obj\n").as_bytes());
            values.push((*reference, octets.len()));
            octets.extend_from_slice(value);
            octets.extend_from_slice(b"\nendobj\n");
        }
        let kind = pdf.newest()?.kind;
        let section = counted(octets.len());
        if kind == SectionKind::Stream {
            let own = self.allocate();
            entries.insert(own.number, Entry::Plain { offset: section, generation: 0 });
        }
        if pdf.startxref.is_none() {
            // The file's own sections lead nowhere: this one has everything.
            entries.insert(0, Entry::Free);
            for (number, entry) in pdf.all_entries()? {
                entries.entry(number).or_insert(entry);
            }
        }
        let mut id = Vec::new();
        let first_id = pdf.first_id()?;
        let mut trailer = |octets: &mut Vec<u8>| {
            write_trailer(pdf, self.next, first_id.as_deref(), octets, &mut id)
        };
        let entries: Vec<(u32, Entry)> = entries.into_iter().collect();
        let runs = || entries.chunk_by(|(a, _), (b, _)| a + 1 == *b);
        let head = |run: &[(u32, Entry)]| {
            let first = run.first().map_or(0, |(number, _)| *number);
            format!("{first} {}", run.len())
        };
        match kind {
            SectionKind::Table => {
                if section > MAX_TABLE_OFFSET {
                    return Err(Error::Limit { limit: "10 GB with a cross-reference table" });
                }
                octets.extend_from_slice(b"xref\n");
                for run in runs() {
                    octets.extend_from_slice(format!("{}\n", head(run)).as_bytes());
                    for (_, entry) in run {
                        octets.extend_from_slice(table_entry(*entry).as_bytes());
                    }
                }
                octets.extend_from_slice(b"trailer\n<<");
                trailer(&mut octets)?;
                octets.extend_from_slice(b">>\n");
            }
            SectionKind::Stream => {
                // The last number is the section's own.
                let number = self.next - 1;
                octets.extend_from_slice(format!("{number} 0 obj\n<</Type/XRef/Index[").as_bytes());
                for run in runs() {
                    octets.extend_from_slice(format!("{} ", head(run)).as_bytes());
                }
                let width = (u64::BITS - section.leading_zeros()).div_ceil(8).max(4) as usize;
                let length = entries.len() * (1 + width + 4);
                octets.extend_from_slice(format!("]/W[1 {width} 4]/Length {length}").as_bytes());
                trailer(&mut octets)?;
                octets.extend_from_slice(b">>\nstream\n");
                for (_, entry) in &entries {
                    let (kind, second, third) = stream_entry(*entry);
                    let second = second.to_be_bytes();
                    octets.push(kind);
                    octets.extend_from_slice(second.get(second.len() - width..).unwrap_or(&second));
                    octets.extend_from_slice(&third.to_be_bytes());
                }
                octets.extend_from_slice(b"\nendstream\nendobj\n");
            }
        }
        octets.extend_from_slice(format!("startxref\n{section}\n%%EOF\n").as_bytes());
        Ok(Written { octets, values, id })
    }
}

/// 20 octets, the end of the line included.
fn table_entry(entry: Entry) -> String {
    match entry {
        Entry::Plain { offset, generation } => format!("{offset:010} {generation:05} n \n"),
        // Tables have no entries for what is in object streams; see `Pdf::rebuild`.
        Entry::Free | Entry::Compressed { .. } => "0000000000 65535 f \n".to_owned(),
    }
}

/// Type and fields (table 18).
fn stream_entry(entry: Entry) -> (u8, u64, u32) {
    match entry {
        Entry::Free => (0, 0, 65_535),
        Entry::Plain { offset, generation } => (1, offset, u32::from(generation)),
        Entry::Compressed { stream, index } => (2, u64::from(stream), index),
    }
}

/// All that the trailer says about the document is kept: what is left out
/// belongs to the section it was in.
fn write_trailer(
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
    let mut placeholder = |out: &mut Vec<u8>| {
        out.push(b'<');
        id.push(out.len()..out.len() + 2 * ID_LEN);
        out.extend_from_slice(&[b'0'; 2 * ID_LEN]);
        out.push(b'>');
    };
    match first_id {
        Some(first) => {
            out.extend_from_slice(b"/ID[");
            out.extend_from_slice(&string(first));
            placeholder(out);
            out.push(b']');
        }
        // With encryption, the first part is part of the key.
        None if pdf.trailer(b"Encrypt").is_some() => {}
        None => {
            out.extend_from_slice(b"/ID[");
            placeholder(out);
            placeholder(out);
            out.push(b']');
        }
    }
    Ok(())
}

/// An object and its changes, if there are any.
pub(crate) struct Edited<'a> {
    object: &'a Indirect,
    edit: Edit<'a>,
    changed: bool,
}

impl<'a> Edited<'a> {
    pub(crate) fn new(object: &'a Indirect) -> Self {
        Self { object, edit: Edit::new(&object.octets), changed: false }
    }

    /// As it was.
    pub(crate) const fn object(&self) -> &'a Indirect {
        self.object
    }

    pub(crate) fn set(&mut self, dictionary: &Value, key: &[u8], value: &[u8]) {
        self.edit.set(dictionary, key, value);
        self.changed = true;
    }

    pub(crate) fn push(&mut self, array: &Value, element: &[u8]) {
        self.edit.push(array, element);
        self.changed = true;
    }

    pub(crate) fn put(self, pdf: &Pdf<'_>, update: &mut Update) -> Result<(), Error> {
        if self.changed { update.change(pdf, self.object, self.edit) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ades_core::Document;
    use proptest::prelude::*;

    use super::*;

    /// A file of `count` numbers, with a table or a stream, after some junk.
    fn file(count: usize, kind: SectionKind, junk: usize) -> Vec<u8> {
        let mut out = vec![b'.'; junk];
        out.extend_from_slice(b"%PDF-1.5\n");
        let mut offsets = Vec::new();
        for number in 1..=count {
            offsets.push(out.len() - junk);
            out.extend_from_slice(format!("{number} 0 obj {number} endobj\n").as_bytes());
        }
        let section = out.len() - junk;
        let size = count + 1;
        match kind {
            SectionKind::Table => {
                let head = format!("xref\n0 {size}\n0000000000 65535 f\r\n");
                out.extend_from_slice(head.as_bytes());
                for offset in offsets {
                    out.extend_from_slice(format!("{offset:010} 00000 n\r\n").as_bytes());
                }
                let trailer = format!("trailer<</Size {size}/Info 9 0 R/ID[(first)(second)]>>");
                out.extend_from_slice(trailer.as_bytes());
            }
            SectionKind::Stream => {
                let (length, size) = (5 * (size + 1), size + 1);
                let head = format!("{} 0 obj<</Type/XRef/W[1 4 0]/Size {size}", size - 1);
                out.extend_from_slice(head.as_bytes());
                out.extend_from_slice(format!("/Length {length}>>stream\n").as_bytes());
                out.extend_from_slice(&[0; 5]);
                for offset in offsets.into_iter().chain([section]) {
                    out.push(1);
                    out.extend_from_slice(&u32::try_from(offset).unwrap().to_be_bytes());
                }
                out.extend_from_slice(b"\nendstream endobj");
            }
        }
        out.extend_from_slice(format!("\nstartxref\n{section}\n%%EOF").as_bytes());
        out
    }

    fn written(before: &[u8], objects: &BTreeMap<u32, Vec<u8>>, new: usize) -> Vec<u8> {
        let mut document = Document::from_bytes(before);
        let mut pdf = Pdf::open(&mut document, None).unwrap();
        let mut update = Update::new(&pdf).unwrap();
        for (number, octets) in objects {
            update.put(Reference { number: *number, generation: 0 }, string(octets));
        }
        for _ in 0..new {
            let reference = update.allocate();
            update.put(reference, string(&reference.number.to_be_bytes()));
        }
        let octets = update.write(&mut pdf).unwrap().octets;
        [before, &octets].concat()
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            count in 1u32..40,
            table: bool,
            junk in 0usize..30,
            updates in prop::collection::vec(
                (prop::collection::btree_map(1u32..40, any::<Vec<u8>>(), 0..6), 0usize..3),
                1..4,
            ),
        ) {
            let kind = if table { SectionKind::Table } else { SectionKind::Stream };
            let mut file = file(count as usize, kind, junk);
            let mut expected: BTreeMap<u32, Option<Vec<u8>>> =
                (1..=count).map(|number| (number, None)).collect();
            for (objects, new) in updates {
                let objects: BTreeMap<u32, Vec<u8>> =
                    objects.into_iter().filter(|(number, _)| *number <= count).collect();
                let before = file.clone();
                let first_new = {
                    let mut document = Document::from_bytes(&before);
                    Pdf::open(&mut document, None).unwrap().next_number().unwrap()
                };
                file = written(&before, &objects, new);
                prop_assert!(file.starts_with(&before));
                expected.extend(objects.into_iter().map(|(number, octets)| (number, Some(octets))));
                let new = (first_new..).take(new);
                expected.extend(new.map(|number| (number, Some(number.to_be_bytes().to_vec()))));
            }
            let mut document = Document::from_bytes(&file);
            let mut pdf = Pdf::open(&mut document, None).unwrap();
            prop_assert_eq!(pdf.newest().unwrap().kind, kind);
            for (number, octets) in expected {
                let object = pdf.object(Reference { number, generation: 0 }).unwrap().unwrap();
                match octets {
                    Some(octets) => prop_assert_eq!(object.value.string().unwrap(), octets),
                    None => prop_assert_eq!(object.value.integer(), Some(i64::from(number))),
                }
            }
            if table {
                prop_assert_eq!(pdf.first_id().unwrap().unwrap(), b"first");
                prop_assert!(pdf.newest().unwrap().trailer.get(b"Info").is_some());
            }
        }
    }
}
