//! One incremental update: new and changed objects, a cross-reference section of
//! the same kind as the file's newest, and a trailer (ISO 32000-2, 7.5.6).

use std::collections::BTreeMap;
use std::ops::Range;

use ades_core::{Digest, Digester};
use flate2::{Compress, Compression, FlushCompress, Status};

use super::cross_reference::{CrossReference, write_trailer};
use crate::error::{Error, structure};
use crate::file::{Entry, Indirect, Pdf, SectionKind};
use crate::syntax::{Edit, Lexer, Reference};

/// The new and changed objects.
#[derive(Debug)]
pub(crate) struct Update {
    objects: Vec<(Reference, Vec<u8>)>,
    next: u32,
    /// For all streams: its tables have more than 300 KB.
    deflate: Option<Compress>,
}

/// The update's octets.
#[derive(Debug)]
pub(crate) struct WrittenUpdate {
    pub(crate) octets: Vec<u8>,
    /// Where each object's value begins in `octets`.
    pub(crate) values: Vec<(Reference, usize)>,
    /// Where the hexadecimal digits of the file's new identifier are.
    pub(crate) id: Vec<Range<usize>>,
}

impl Update {
    pub(crate) fn new(pdf: &Pdf<'_>) -> Result<Self, Error> {
        Ok(Self { objects: Vec::new(), next: pdf.next_number()?, deflate: None })
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

    /// Whether the update changes this array and the changed array has an element
    /// that is written like this.
    pub(super) fn has_element(&self, array: Reference, element: &str) -> bool {
        let Some((_, octets)) = self.objects.iter().find(|(other, _)| *other == array) else {
            return false;
        };
        let array = Lexer::new(octets, true).value().ok();
        let elements = array.as_ref().and_then(|array| array.elements()).unwrap_or_default();
        elements.iter().any(|it| octets.get(it.span.clone()) == Some(element.as_bytes()))
    }

    /// Adds a new object without strings: its value and, for a stream, the data.
    pub(crate) fn put(&mut self, reference: Reference, value: Vec<u8>) {
        self.objects.push((reference, value));
    }

    /// Adds a new object; encrypts its strings if the document is encrypted.
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

    /// Adds a new stream, compressed if that makes it shorter; `entries` are those of its
    /// dictionary, without strings.
    pub(crate) fn add_stream(
        &mut self,
        pdf: &Pdf<'_>,
        reference: Reference,
        entries: &str,
        data: &[u8],
    ) {
        let (filter, data) = match self.compressed(data) {
            Some(compressed) => ("/Filter/FlateDecode", compressed),
            None => ("", data.to_vec()),
        };
        self.add_encoded(pdf, reference, &format!("{entries}{filter}"), data);
    }

    /// The compressed data; `None` if they would be longer.
    fn compressed(&mut self, data: &[u8]) -> Option<Vec<u8>> {
        /// Shorter data do not get shorter.
        const MIN_LEN: usize = 64;
        /// By how much the output grows at a time.
        const GROWTH: usize = 64 * 1024;

        if data.len() < MIN_LEN {
            return None;
        }
        let deflate = match &mut self.deflate {
            Some(deflate) => {
                deflate.reset();
                deflate
            }
            none => none.insert(Compress::new(Compression::default(), true)),
        };
        let mut out = Vec::new();
        loop {
            let read = usize::try_from(deflate.total_in()).ok()?;
            out.reserve(data.len().min(GROWTH));
            match deflate.compress_vec(data.get(read..)?, &mut out, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => return Some(out).filter(|out| out.len() < data.len()),
                Ok(_) if out.len() < data.len() => {}
                _ => return None,
            }
        }
    }

    /// Adds a new stream that is encoded already; its filter is among the entries.
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

    /// Adds a changed object. It must not be a stream, whose data would be lost.
    /// In an encrypted document, strings in the file are encrypted already; those
    /// in object streams are not.
    pub(crate) fn change(
        &mut self,
        pdf: &Pdf<'_>,
        object: &Indirect,
        edit: Edit<'_>,
    ) -> Result<(), Error> {
        if object.is_stream() {
            return Err(structure("a stream stands where another object should"));
        }
        let value = edit.finish(&object.value);
        if object.offset.is_none() {
            return self.add(pdf, object.reference, value);
        }
        self.put(object.reference, value);
        Ok(())
    }

    /// Writes the update, which is appended to the file as it is.
    pub(crate) fn write(mut self, pdf: &mut Pdf<'_>) -> Result<WrittenUpdate, Error> {
        let start = pdf.len();
        let mut octets = Vec::new();
        if !pdf.source().read(start.saturating_sub(1), 1)?.ends_with(b"\n") {
            octets.push(b'\n');
        }
        // The update counts offsets from the same position as the file.
        let shift = pdf.shift;
        let offset = |at: usize| (start + at as u64).saturating_sub(shift);
        let mut entries = BTreeMap::new();
        let mut values = Vec::new();
        for (reference, value) in &self.objects {
            let Reference { number, generation } = *reference;
            let entry = Entry::Plain { offset: offset(octets.len()), generation };
            if entries.insert(number, entry).is_some() {
                return Err(structure("one object has two roles in the document"));
            }
            octets.extend_from_slice(format!("{number} {generation} obj\n").as_bytes());
            values.push((*reference, octets.len()));
            octets.extend_from_slice(value);
            octets.extend_from_slice(b"\nendobj\n");
        }
        let kind = pdf.newest()?.kind;
        let section = offset(octets.len());
        let mut own = None;
        if kind == SectionKind::Stream {
            let reference = self.allocate();
            entries.insert(reference.number, Entry::Plain { offset: section, generation: 0 });
            own = Some(reference);
        }
        if pdf.startxref.is_none() {
            // The file's sections are broken, so this section has every object.
            entries.insert(0, Entry::Free);
            for (number, entry) in pdf.all_entries()? {
                entries.entry(number).or_insert(entry);
            }
        }
        let mut id = Vec::new();
        let first_id = pdf.first_id()?;
        let mut trailer = Vec::new();
        write_trailer(pdf, self.next, first_id.as_deref(), &mut trailer, &mut id)?;
        let at = CrossReference { entries, section, own }.write(&trailer, &mut octets)?;
        let id = id.into_iter().map(|range| range.start + at..range.end + at).collect();
        octets.extend_from_slice(format!("startxref\n{section}\n%%EOF\n").as_bytes());
        Ok(WrittenUpdate { octets, values, id })
    }
}

/// Sets the second part of `/ID` to a digest of the document and the update.
pub(crate) fn set_identifier(update: &mut [u8], places: &[Range<usize>], document: &Digest) {
    let mut digester = Digester::new(document.algorithm());
    digester.update(document.value());
    digester.update(update);
    let id = digester.finish().to_hex();
    for range in places {
        let digits = id.get(..range.len()).unwrap_or_default();
        overwrite(update, range.start, digits.as_bytes());
    }
}

pub(crate) fn overwrite(octets: &mut [u8], at: usize, new: &[u8]) {
    for (octet, new) in octets.iter_mut().skip(at).zip(new) {
        *octet = *new;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ades_core::Document;
    use proptest::prelude::*;

    use super::*;
    use crate::security::Credential;
    use crate::syntax::string;

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
        let mut pdf = Pdf::open(&mut document, Credential::default()).unwrap();
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
                    Pdf::open(&mut document, Credential::default()).unwrap().next_number().unwrap()
                };
                file = written(&before, &objects, new);
                prop_assert!(file.starts_with(&before));
                expected.extend(objects.into_iter().map(|(number, octets)| (number, Some(octets))));
                let new = (first_new..).take(new);
                expected.extend(new.map(|number| (number, Some(number.to_be_bytes().to_vec()))));
            }
            let mut document = Document::from_bytes(&file);
            let mut pdf = Pdf::open(&mut document, Credential::default()).unwrap();
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
