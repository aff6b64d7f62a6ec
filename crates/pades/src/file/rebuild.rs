//! Rebuilding a broken cross-reference: the file is searched for its objects from
//! the first octet to the last, as viewers do.

use std::collections::BTreeMap;

use super::object::{Indirect, Pdf};
use super::source::Source;
use super::xref::{Entry, Section, SectionKind};
use crate::error::{Error, Limit, MissingPart, broken, exceeds, structure};
use crate::security::Credential;
use crate::syntax::{Lexer, Reference, Value, is_regular, is_space};

/// Maximum number of objects in a rebuilt cross-reference.
pub(crate) const MAX_OBJECTS: usize = 1 << 22;
/// Length in octets of the pieces in which the file is searched.
const PIECE: u64 = 4096;
/// Length in octets by which pieces overlap: a keyword and the numbers before it may
/// cross a boundary.
const OVERLAP: u64 = 64;

/// The objects and the trailer that were found.
#[derive(Default)]
struct FoundObjects {
    /// The last offset of each object, which belongs to its latest revision.
    objects: BTreeMap<u32, (u64, u16)>,
    object_streams: Vec<(u32, u64)>,
    /// The last trailer with a `/Root`.
    trailer: Option<(Value, Vec<u8>)>,
    catalog: Option<Reference>,
    /// The highest number that is referred to, whether the object exists or not.
    highest: u32,
    /// From this offset on, no stream has an end.
    endless_from: Option<u64>,
    /// The number and offset of the last object, if it cannot be read.
    unread: Option<(u32, u64)>,
}

impl Pdf<'_> {
    /// Replaces the file's sections by a rebuilt one.
    pub(crate) fn rebuild(&mut self, credential: Credential<'_>) -> Result<(), Error> {
        let found = search(self.source())?;
        let shift = self.shift;
        let plain = |(at, generation): (u64, u16)| Entry::Plain {
            offset: at.saturating_sub(shift),
            generation,
        };
        let mut entries: BTreeMap<u32, Entry> =
            found.objects.iter().map(|(number, place)| (*number, plain(*place))).collect();
        let (trailer, octets) = match (found.trailer, found.catalog) {
            (Some(trailer), _) => trailer,
            (None, Some(catalog)) => {
                let octets = format!("<</Root {catalog}>>").into_bytes();
                let trailer = Lexer::new(&octets, true).value();
                (trailer.map_err(|_| structure("no trailer"))?, octets)
            }
            (None, None) => return Err(structure("the file has neither a trailer nor a catalog")),
        };
        self.install(&entries, SectionKind::Table, &trailer, &octets);
        // A new object must not take the place of a lost one.
        self.first_free = found.highest.saturating_add(1);
        self.security = self.unlock(credential)?;
        if found.object_streams.is_empty() {
            return Ok(());
        }
        for (number, at) in found.object_streams {
            let numbers = match self.numbers_in(number, at) {
                Err(error @ (Error::Core(_) | Error::Limit { .. })) => return Err(error),
                // The objects of an unreadable stream cannot be read.
                Err(_) => continue,
                Ok(numbers) => numbers,
            };
            for (index, inside) in (0u32..).zip(numbers) {
                let newer = found.objects.get(&inside).is_some_and(|(place, _)| *place > at);
                if !newer && entries.len() < MAX_OBJECTS {
                    entries.insert(inside, Entry::Compressed { stream: number, index });
                }
            }
        }
        self.install(&entries, SectionKind::Stream, &trailer, &octets);
        Ok(())
    }

    fn install(
        &mut self,
        entries: &BTreeMap<u32, Entry>,
        kind: SectionKind,
        trailer: &Value,
        octets: &[u8],
    ) {
        self.sections = vec![Section::rebuilt(entries, kind, trailer.clone(), octets.to_vec())];
        self.index = None;
        self.startxref = None;
    }
}

fn search(source: &mut Source<'_>) -> Result<FoundObjects, Error> {
    let mut found = FoundObjects::default();
    let mut at = 0;
    while let Some((keyword, place)) = next_keyword(source, at)? {
        at = match keyword {
            Keyword::Trailer => found.trailer(source, place)?,
            Keyword::Object => found.object(source, place)?,
        };
    }
    if let Some((number, offset)) = found.unread
        && next_of(source, offset, &[END_OBJECT])?.is_none()
    {
        return Err(Error::Incomplete { part: MissingPart::ObjectEnd { number, offset } });
    }
    Ok(found)
}

impl FoundObjects {
    /// Records a trailer; returns where the search continues.
    fn trailer(&mut self, source: &mut Source<'_>, place: u64) -> Result<u64, Error> {
        let after = place + TRAILER.len() as u64;
        match source.parse(after, |lexer| lexer.value()) {
            Ok((trailer, octets)) => {
                let end = after + octets.len() as u64;
                if trailer.get(b"Root").and_then(Value::reference).is_some() {
                    self.trailer = Some((trailer, octets));
                }
                Ok(end)
            }
            Err(error @ (Error::Core(_) | Error::Limit { .. })) => Err(error),
            Err(_) => Ok(after),
        }
    }

    /// Records an object; returns where the search continues: after its stream, if it
    /// has one, because the data of a stream are not objects of this file.
    fn object(&mut self, source: &mut Source<'_>, place: u64) -> Result<u64, Error> {
        let (header, octets) = source.parse(place, |lexer| Ok(lexer.object_header().ok()))?;
        let after_header = place + octets.len().max(1) as u64;
        let object = match Pdf::read_plain(source, place) {
            // At the end of the file, a number or a name may have lost digits or letters.
            Ok(object) if object.is_closed() || object.end() < source.len() => object,
            Err(error @ (Error::Core(_) | Error::Limit { .. })) => return Err(error),
            // An incomplete object cannot be read: the search continues inside it.
            Ok(_) | Err(_) => {
                self.unread = header.map(|header| (header.number, place)).or(self.unread);
                return Ok(after_header);
            }
        };
        self.unread = None;
        if self.objects.len() == MAX_OBJECTS {
            return Err(exceeds(Limit::RepairedObjects));
        }
        let Reference { number, generation } = object.reference;
        if number == 0 {
            // Number 0 is the head of the free list, never an object (7.5.4).
            return Ok(after_header);
        }
        self.objects.insert(number, (place, generation));
        self.highest = self.highest.max(object.value.highest_reference());
        let kind = object.value.get(b"Type").and_then(Value::name);
        match kind {
            Some(b"ObjStm") if object.is_stream() => self.object_streams.push((number, place)),
            Some(b"XRef") if object.value.get(b"Root").and_then(Value::reference).is_some() => {
                self.trailer = Some((object.value.clone(), object.octets.clone()));
            }
            Some(b"Catalog") => self.catalog = Some(object.reference),
            _ => {}
        }
        let after = place + object.octets.len() as u64;
        if object.is_stream() { self.end_of_stream(source, &object, after) } else { Ok(after) }
    }

    /// Where the stream's data ends. Like other readers, accepts a stream without
    /// `endstream` if its object ends, or if the file has all of its stated length.
    fn end_of_stream(
        &mut self,
        source: &mut Source<'_>,
        object: &Indirect,
        after: u64,
    ) -> Result<u64, Error> {
        const ENDS: [&[u8]; 2] = [b"endstream", END_OBJECT];

        if let Some(length) = object.stated_length(source, None)? {
            return Ok(after + length);
        }
        if self.endless_from.is_none_or(|endless| after < endless) {
            if let Some(end) = next_of(source, after, &ENDS)? {
                return Ok(end);
            }
            self.endless_from = Some(after);
        }
        let length = object.value.get(b"Length").and_then(Value::unsigned);
        let data = object.data().unwrap_or(after);
        let end = length.map(|length| data.saturating_add(length));
        // A cross-reference stream that is cut off is replaced by the rebuilt one.
        match end.filter(|end| *end <= source.len()) {
            Some(end) => Ok(end),
            None if !object.value.is(b"Type", b"XRef") => {
                let number = object.reference.number;
                let part = MissingPart::StreamEnd { number, offset: source.len() };
                Err(Error::Incomplete { part })
            }
            None => Ok(after),
        }
    }
}

const END_OBJECT: &[u8] = b"endobj";

/// Where the next of these keywords begins, from `at` on.
fn next_of(source: &mut Source<'_>, at: u64, words: &[&[u8]]) -> Result<Option<u64>, Error> {
    let mut at = at;
    while at < source.len() {
        let piece = source.read(at, PIECE)?;
        let begins = |from: usize| {
            let rest = piece.get(from..).unwrap_or_default();
            words.iter().any(|word| rest.starts_with(word))
        };
        if let Some(found) = (0..piece.len()).find(|from| begins(*from)) {
            return Ok(Some(at + found as u64));
        }
        at += (piece.len() as u64).saturating_sub(OVERLAP).max(1);
    }
    Ok(None)
}

enum Keyword {
    Object,
    Trailer,
}

const TRAILER: &[u8] = b"trailer";

/// The next object header or trailer at or after `from`, and where it begins.
fn next_keyword(source: &mut Source<'_>, from: u64) -> Result<Option<(Keyword, u64)>, Error> {
    const OBJECT: &[u8] = b"obj";

    let mut at = from;
    while at < source.len() {
        // The numbers before the keyword may be in the previous piece.
        let start = at.saturating_sub(OVERLAP).max(from);
        let piece = source.read(start, PIECE)?;
        if piece.is_empty() {
            return Err(broken(start, "the file became shorter while it was read"));
        }
        for (index, octet) in piece.iter().enumerate() {
            let rest = piece.get(index..).unwrap_or_default();
            match octet {
                b't' if rest.starts_with(TRAILER) => {
                    return Ok(Some((Keyword::Trailer, start + index as u64)));
                }
                b'o' if rest.starts_with(OBJECT) => {
                    if let Some(begin) = header_begin(piece.get(..index).unwrap_or_default()) {
                        return Ok(Some((Keyword::Object, start + begin as u64)));
                    }
                }
                _ => {}
            }
        }
        let end = start + piece.len() as u64;
        if end >= source.len() {
            return Ok(None);
        }
        at = end;
    }
    Ok(None)
}

/// Where the `12 0 ` at the end of these octets begins.
fn header_begin(before: &[u8]) -> Option<usize> {
    let trim = |octets: &[u8], of: fn(u8) -> bool| {
        octets.iter().rposition(|octet| !of(*octet)).map_or(0, |at| at + 1)
    };
    let digit = |octet: u8| octet.is_ascii_digit();
    let mut end = before.len();
    for _ in 0..2 {
        let number_end = trim(before.get(..end)?, is_space);
        let number = trim(before.get(..number_end)?, digit);
        if number == number_end {
            return None;
        }
        end = number;
    }
    let free = end == 0 || before.get(end - 1).is_some_and(|octet| !is_regular(*octet));
    free.then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_headers_are_found_before_their_keyword() {
        assert_eq!(header_begin(b"endobj\n12 0 "), Some(7));
        assert_eq!(header_begin(b"12\r\n0"), Some(0));
        assert_eq!(header_begin(b"x12 0 "), None);
        assert_eq!(header_begin(b"end"), None);
        assert_eq!(header_begin(b" 0 "), None);
    }
}
