//! Opening a file, and reading the objects that are requested.

use ades_core::Document;

use super::filter::{self, MAX_DECODED, Predictor};
use super::index::Index;
use super::long_objects::LongObjects;
use super::object_stream::ObjectStreams;
use super::revision::Revision;
use super::source::Source;
use super::xref::{self, Entry, Section};
use crate::error::{Error, broken, structure};
use crate::security::{Credential, Security};
use crate::syntax::{Kind, Lexer, Reference, Stop, Value, is_space};

/// Maximum offset of the header.
const MAX_JUNK: u64 = 1024;
/// Maximum number of references that lead to references.
const MAX_LINKS: usize = 16;

const END_STREAM: &[u8] = b"endstream";

/// A PDF file and its cross-reference.
pub(crate) struct Pdf<'a> {
    pub(super) source: Source<'a>,
    /// The offset of the header.
    pub(crate) header: u64,
    /// The version that the header states: `1.7`.
    pub(crate) version: Vec<u8>,
    /// The position that the file's own offsets count from.
    pub(crate) shift: u64,
    /// The offset in `startxref`, as it is written; `None` if the cross-reference was
    /// rebuilt.
    pub(crate) startxref: Option<u64>,
    /// The newest first.
    pub(crate) sections: Vec<Section>,
    /// The index of `sections`, built when the first object is requested.
    pub(super) index: Option<Index>,
    /// The revision that is read: see [`Pdf::at`].
    pub(super) revision: Revision,
    /// No object that was read refers to this number or a higher one: a new object
    /// must not take the place of a missing one.
    pub(super) first_free: u32,
    pub(super) object_streams: ObjectStreams,
    long_objects: LongObjects,
    /// The key, if the file is encrypted.
    pub(crate) security: Option<Security>,
}

/// An indirect object: its value, and its octets.
#[derive(Clone, Debug)]
pub(crate) struct Indirect {
    pub(crate) reference: Reference,
    pub(crate) value: Value,
    /// The octets that the value's spans refer to.
    pub(crate) octets: Vec<u8>,
    /// Where `octets` begin in the file; `None` in an object stream.
    pub(crate) offset: Option<u64>,
    /// Where the stream's data begins, if it is a stream.
    stream: Option<u64>,
}

/// The result of decoding a stream.
pub(crate) enum StreamData {
    Decoded(Vec<u8>),
    /// The stream has a filter other than Flate.
    OtherFilter,
}

impl Indirect {
    /// A value that has no octets of its own.
    pub(crate) const fn new(reference: Reference, value: Value) -> Self {
        Self { reference, value, octets: Vec::new(), offset: None, stream: None }
    }

    pub(super) const fn in_object_stream(
        reference: Reference,
        value: Value,
        octets: Vec<u8>,
    ) -> Self {
        Self { reference, value, octets, offset: None, stream: None }
    }

    pub(crate) const fn is_stream(&self) -> bool {
        self.stream.is_some()
    }

    /// Whether the value shows its own end, as `>>` does.
    pub(super) const fn is_closed(&self) -> bool {
        matches!(self.value.kind, Kind::Array(_) | Kind::Dictionary(_) | Kind::String(_))
    }

    /// Where it ends in the file, before a stream's data; 0 in an object stream.
    pub(super) fn end(&self) -> u64 {
        self.offset.map_or(0, |offset| offset.saturating_add(self.octets.len() as u64))
    }

    /// Whether it is a dictionary and not a stream.
    pub(crate) const fn is_dictionary(&self) -> bool {
        self.value.is_dictionary() && self.stream.is_none()
    }

    /// Where the stream's data begins, if it is a stream.
    pub(super) const fn data(&self) -> Option<u64> {
        self.stream
    }

    /// The stated length of the stream's data, if the end of the stream follows it.
    /// `length`: the value of an indirect `/Length`.
    pub(crate) fn stated_length(
        &self,
        source: &mut Source<'_>,
        length: Option<u64>,
    ) -> Result<Option<u64>, Error> {
        let start = self.stream.ok_or(structure("an object that should be a stream is not one"))?;
        let length = length.or_else(|| self.value.get(b"Length").and_then(Value::unsigned));
        let Some(length) = length.filter(|length| *length <= MAX_DECODED) else {
            return Ok(None);
        };
        let after = source.read(start.saturating_add(length), 16)?;
        let skip = after.iter().take_while(|&&o| is_space(o)).count();
        let ends = after.get(skip..).is_some_and(|rest| rest.starts_with(END_STREAM));
        Ok(ends.then_some(length))
    }

    /// The length up to the keyword `endstream`, which is searched for.
    pub(super) fn searched_length(&self, source: &mut Source<'_>) -> Result<u64, Error> {
        let start = self.stream.ok_or(structure("an object that should be a stream is not one"))?;
        let data = source.read(start, MAX_DECODED)?;
        let found = data.windows(END_STREAM.len()).position(|window| window == END_STREAM);
        let searched = found.unwrap_or(data.len());
        source.charge(searched)?;
        found
            .map(|length| length as u64)
            .ok_or(Error::Malformed { offset: start, what: "a stream without endstream" })
    }

    /// The decoded data; `length`: its length in the file.
    pub(crate) fn decode(
        &self,
        source: &mut Source<'_>,
        length: u64,
        security: Option<&Security>,
    ) -> Result<StreamData, Error> {
        let start = self.stream.ok_or(structure("an object that should be a stream is not one"))?;
        let one = |key: &[u8]| match self.value.get(key) {
            Some(value) => match value.elements() {
                Some([]) => Some(None),
                Some([one]) => Some(Some(one)),
                Some(_) => None,
                None => Some((!value.is_null()).then_some(value)),
            },
            None => Some(None),
        };
        let (Some(filter), Some(parameters)) = (one(b"Filter"), one(b"DecodeParms")) else {
            return Ok(StreamData::OtherFilter);
        };
        let data = source.read(start, length)?;
        let plain = security.map(|s| s.decrypt_stream(self.reference, data)).transpose()?;
        let data = plain.as_deref().unwrap_or(data);
        let compressed = match filter.map(Value::name) {
            None => false,
            Some(Some(b"FlateDecode" | b"Fl")) => true,
            Some(_) => return Ok(StreamData::OtherFilter),
        };
        let predictor = parameters.filter(|p| p.is_dictionary()).map(|parameters| {
            let number = |key: &[u8], default| {
                parameters.get(key).and_then(Value::unsigned).unwrap_or(default)
            };
            Predictor {
                predictor: number(b"Predictor", 1),
                colors: number(b"Colors", 1),
                bits: number(b"BitsPerComponent", 8),
                columns: number(b"Columns", 1),
            }
        });
        let decoded = filter::decode(data, compressed, predictor)?;
        decoded
            .map(StreamData::Decoded)
            .ok_or(Error::Malformed { offset: start, what: "a stream with an invalid predictor" })
    }
}

impl<'a> Pdf<'a> {
    /// Reads the header and the cross-reference, and opens an encrypted document.
    pub(crate) fn open(
        document: &'a mut Document<'_>,
        credential: Credential<'_>,
    ) -> Result<Self, Error> {
        let mut pdf = Self::open_locked(document)?;
        pdf.security = pdf.unlock(credential)?;
        Ok(pdf)
    }

    /// As [`open`](Self::open); an encrypted document stays encrypted.
    pub(crate) fn open_locked(document: &'a mut Document<'_>) -> Result<Self, Error> {
        let len = document.len()?.ok_or(ades_core::Error::NotSeekable)?;
        let mut source = Source::new(document.random_access()?, len);
        let (header, version) = header(&mut source)?;
        let (startxref, shift, sections) = cross_reference(&mut source, header)?;
        Ok(Self {
            source,
            header,
            version,
            shift,
            startxref: Some(startxref),
            sections,
            index: None,
            revision: Revision::NEWEST,
            first_free: 1,
            object_streams: ObjectStreams::default(),
            long_objects: LongObjects::default(),
            security: None,
        })
    }

    /// Searches a file for its objects and ignores its cross-reference.
    pub(crate) fn open_broken(
        document: &'a mut Document<'_>,
        credential: Credential<'_>,
    ) -> Result<Self, Error> {
        let len = document.len()?.ok_or(ades_core::Error::NotSeekable)?;
        let mut source = Source::new(document.random_access()?, len);
        let (header, version) = header(&mut source)?;
        let mut pdf = Self {
            source,
            header,
            version,
            shift: header,
            startxref: None,
            sections: Vec::new(),
            index: None,
            revision: Revision::NEWEST,
            first_free: 1,
            object_streams: ObjectStreams::default(),
            long_objects: LongObjects::default(),
            security: None,
        };
        pdf.rebuild(credential)?;
        Ok(pdf)
    }

    pub(super) fn unlock(&mut self, credential: Credential<'_>) -> Result<Option<Security>, Error> {
        let Some((dictionary, reference)) = self.encryption()? else {
            return Ok(None);
        };
        let id = self.first_id()?.unwrap_or_default();
        Security::open(&dictionary, reference, &id, credential).map(Some)
    }

    /// The encryption dictionary, and its reference if it is an indirect object.
    pub(crate) fn encryption(&mut self) -> Result<Option<(Value, Option<Reference>)>, Error> {
        let Some((encrypt, _)) = self.trailer(b"Encrypt") else {
            return Ok(None);
        };
        let encrypt = encrypt.clone();
        let dictionary = self.resolve(&encrypt)?;
        if !dictionary.is_dictionary() {
            let what = "the trailer's /Encrypt does not lead to a dictionary";
            return Err(broken(self.newest()?.offset, what));
        }
        Ok(Some((dictionary, encrypt.reference())))
    }

    /// The first part of `/ID`, which never changes.
    pub(crate) fn first_id(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Some((id, _)) = self.trailer(b"ID") else {
            return Ok(None);
        };
        let id = id.clone();
        let id = self.resolve(&id)?;
        let first = id.elements().and_then(<[Value]>::first).and_then(Value::string);
        Ok(first.map(<[u8]>::to_vec))
    }

    pub(crate) const fn len(&self) -> u64 {
        self.source.len()
    }

    pub(crate) fn source(&mut self) -> &mut Source<'a> {
        &mut self.source
    }

    /// The newest section.
    pub(crate) fn newest(&self) -> Result<&Section, Error> {
        self.visible().first().ok_or(structure("no cross-reference section"))
    }

    /// The value of a trailer key in the newest section that has it, and the octets
    /// that its span refers to.
    pub(crate) fn trailer(&self, key: &[u8]) -> Option<(&Value, &[u8])> {
        self.visible()
            .iter()
            .find_map(|section| Some((section.trailer.get(key)?, &*section.trailer_octets)))
            .filter(|(value, _)| !value.is_null())
    }

    /// The cross-reference entry of an object.
    pub(crate) fn entry(&mut self, number: u32) -> Result<Option<Entry>, Error> {
        let index = self.index.get_or_insert_with(|| Index::new(&self.sections));
        let newest = index.newest(u64::from(number), self.revision.later);
        match newest.and_then(|at| self.sections.get(at)) {
            Some(section) => section.entry(&mut self.source, number),
            None => Ok(None),
        }
    }

    /// An indirect object; `None` if no object has this number and generation, which
    /// is the same as null (7.3.10).
    pub(crate) fn object(&mut self, reference: Reference) -> Result<Option<Indirect>, Error> {
        let object = self.find(reference)?;
        if let Some(object) = &object {
            self.reserve_up_to(object.value.highest_reference());
        }
        Ok(object)
    }

    fn find(&mut self, reference: Reference) -> Result<Option<Indirect>, Error> {
        match self.entry(reference.number)? {
            None | Some(Entry::Free) => Ok(None),
            Some(entry) if self.is_after_end(entry)? => Ok(None),
            Some(Entry::Plain { generation, .. }) if generation != reference.generation => Ok(None),
            Some(Entry::Plain { offset, .. }) => {
                let offset = offset.saturating_add(self.shift);
                let found = self.parsed(offset);
                match found {
                    Ok(found) if found.end() > self.revision.end => Ok(None),
                    Ok(mut found) if found.reference == reference => {
                        if let Some(security) = &self.security {
                            security.decrypt_strings(reference, &mut found.value);
                        }
                        Ok(Some(found))
                    }
                    Ok(_) => Err(broken(
                        offset,
                        "another object begins here than the cross-reference says",
                    )),
                    Err(error) => Err(error),
                }
            }
            Some(Entry::Compressed { .. }) if reference.generation != 0 => Ok(None),
            Some(Entry::Compressed { stream, index }) => {
                self.compressed(reference, stream, index).map(Some)
            }
        }
    }

    /// The object at an offset, which may have been parsed before.
    fn parsed(&mut self, offset: u64) -> Result<Indirect, Error> {
        if let Some(object) = self.long_objects.get(offset) {
            self.source.charge(object.octets.len())?;
            return Ok(object.clone());
        }
        let object = Self::read_plain(&mut self.source, offset)?;
        self.long_objects.keep(offset, &object);
        Ok(object)
    }

    /// The object that a reference leads to, perhaps through other references.
    /// `None` for null.
    pub(crate) fn follow(&mut self, reference: Reference) -> Result<Option<Indirect>, Error> {
        let mut next = reference;
        for _ in 0..MAX_LINKS {
            match self.object(next)? {
                Some(object) => match object.value.reference() {
                    Some(reference) => next = reference,
                    None if object.value.is_null() => return Ok(None),
                    None => return Ok(Some(object)),
                },
                None => return Ok(None),
            }
        }
        Err(structure("more than 16 references lead to references"))
    }

    /// The value, or the value it refers to, whose spans belong to that object.
    pub(crate) fn resolve(&mut self, value: &Value) -> Result<Value, Error> {
        match value.reference() {
            Some(reference) => {
                let null = Value { kind: Kind::Null, span: 0..0 };
                Ok(self.follow(reference)?.map_or(null, |object| object.value))
            }
            None => Ok(value.clone()),
        }
    }

    /// The value of a dictionary's key, resolved; `None` if it is absent or null.
    pub(crate) fn get(&mut self, dictionary: &Value, key: &[u8]) -> Result<Option<Value>, Error> {
        match dictionary.get(key) {
            Some(value) => Ok(Some(self.resolve(value)?).filter(|value| !value.is_null())),
            None => Ok(None),
        }
    }

    /// A stream's decoded data; `None` if it cannot be decoded.
    pub(crate) fn data(&mut self, stream: &Indirect) -> Result<Option<Vec<u8>>, Error> {
        let length = self.get(&stream.value, b"Length")?.and_then(|length| length.unsigned());
        let Some(length) = stream.stated_length(&mut self.source, length)? else {
            return Ok(None);
        };
        match self.decode(stream, length) {
            Ok(StreamData::Decoded(data)) => Ok(Some(data)),
            Ok(StreamData::OtherFilter) | Err(Error::Malformed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A stream's data without the document's encryption, but with its own filters; `None`
    /// if its length is not certain, or if it does not decrypt.
    pub(crate) fn plain_data(&mut self, stream: &Indirect) -> Result<Option<Vec<u8>>, Error> {
        let length = self.get(&stream.value, b"Length")?.and_then(|length| length.unsigned());
        let length = stream.stated_length(&mut self.source, length)?;
        let Some((start, length)) = stream.data().zip(length) else { return Ok(None) };
        let data = self.source.read(start, length)?;
        match &self.security {
            Some(security) => Ok(security.decrypt_stream(stream.reference, data).ok()),
            None => Ok(Some(data.to_vec())),
        }
    }

    pub(super) fn decode(&mut self, stream: &Indirect, length: u64) -> Result<StreamData, Error> {
        stream.decode(&mut self.source, length, self.security.as_ref())
    }

    /// The document's catalog (7.7.2).
    pub(crate) fn catalog(&mut self) -> Result<Indirect, Error> {
        let section = self.newest()?.offset;
        let root = self.trailer(b"Root").and_then(|(root, _)| root.reference());
        let root =
            root.ok_or(broken(section, "the trailer has no reference to a catalog (/Root)"))?;
        let catalog = self.object(root)?;
        let catalog = catalog.ok_or(broken(section, "the catalog (/Root) is missing"))?;
        let is_catalog =
            catalog.value.is(b"Type", b"Catalog") || catalog.value.get(b"Pages").is_some();
        if catalog.is_dictionary() && is_catalog {
            Ok(catalog)
        } else {
            Err(broken(section, "the trailer's /Root does not lead to a catalog"))
        }
    }

    /// The entries of all objects.
    pub(crate) fn all_entries(&mut self) -> Result<Vec<(u32, Entry)>, Error> {
        let mut numbers: Vec<u32> = self
            .visible()
            .iter()
            .flat_map(Section::ranges)
            .flatten()
            .filter_map(|number| u32::try_from(number).ok())
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut entries = Vec::with_capacity(numbers.len());
        for number in numbers {
            if let Some(entry) = self.entry(number)? {
                entries.push((number, entry));
            }
        }
        Ok(entries)
    }

    /// The first number after all numbers in the sections. `/Size` does not count if the
    /// sections were rebuilt.
    pub(crate) fn size(&self) -> u64 {
        let stated = if self.startxref.is_some() { self.visible() } else { &[] };
        let sizes = stated.iter().filter_map(|s| s.trailer.get(b"Size").and_then(Value::unsigned));
        let ends = self.visible().iter().flat_map(Section::ranges).map(|range| range.end);
        sizes.chain(ends).max().unwrap_or(0)
    }

    /// Reserves this number and all lower ones: no new object gets them.
    pub(crate) fn reserve_up_to(&mut self, number: u32) {
        self.first_free = self.first_free.max(number.saturating_add(1));
    }

    /// Calls `read` with limits of its own, which do not count against the limits of
    /// other reading.
    pub(crate) fn with_own_limits<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let allowance = self.source.renew();
        let decoded = self.object_streams.renew();
        let found = read(self);
        self.source.restore(allowance);
        self.object_streams.restore(decoded);
        found
    }

    /// The lowest number above those of all objects and of all references read so far.
    ///
    /// # Errors
    /// No number is left, because of an object's own number or of `/Size` alone.
    pub(crate) fn next_number(&self) -> Result<u32, Error> {
        let is_free = |next: &u32| u64::from(*next) < xref::MAX_NUMBER;
        let next = self.size().max(u64::from(self.first_free));
        if let Some(next) = u32::try_from(next).ok().filter(is_free) {
            return Ok(next);
        }
        let ends = self.visible().iter().flat_map(Section::ranges).map(|range| range.end);
        match ends.max().and_then(|end| end.checked_sub(1)) {
            Some(highest) if highest + 1 >= xref::MAX_NUMBER => {
                Err(Error::NoNumberLeft { highest })
            }
            _ => Err(broken(self.newest()?.offset, "/Size leaves no number for another object")),
        }
    }

    /// Reads an object at an offset.
    pub(crate) fn read_plain(source: &mut Source<'_>, offset: u64) -> Result<Indirect, Error> {
        if offset >= source.len() {
            return Err(broken(offset, "an object after the end of the file"));
        }
        let (found, octets) = source.parse(offset, |lexer| {
            let reference = match lexer.object_header() {
                Err(Stop::Malformed(..)) => return Ok(None),
                header => header?,
            };
            let value = lexer.value()?;
            let value_end = lexer.at;
            let mut stream = None;
            if value.is_dictionary() && lexer.keyword(b"stream")? {
                stream = Some(data_begin(lexer)?);
            }
            lexer.at = value_end;
            Ok(Some((reference, value, stream)))
        })?;
        let Some((reference, value, stream)) = found else {
            return Err(broken(offset, "no object begins here"));
        };
        let stream = stream.map(|at| offset + at as u64);
        Ok(Indirect { reference, value, octets, offset: Some(offset), stream })
    }
}

/// `startxref`, the position of offset 0, and all sections.
fn cross_reference(
    source: &mut Source<'_>,
    header: u64,
) -> Result<(u64, u64, Vec<Section>), Error> {
    let (startxref, keyword) = xref::start(source)?;
    // Offsets count from the header. Some writers with octets before the header count
    // from the start of the file: where a section is found decides.
    for shift in [header, 0] {
        let at = startxref.saturating_add(shift);
        if at < source.len() && xref::begins_section(source, at)? {
            return Ok((startxref, shift, xref::read_chain(source, at, shift)?));
        }
    }
    Err(broken(keyword, "startxref does not point to a cross-reference section"))
}

/// Where a stream's data begins. CR LF or LF follows the keyword `stream`; some
/// writers put CR alone.
fn data_begin(lexer: &Lexer<'_>) -> Result<usize, Stop> {
    let mut after = lexer.clone();
    if after.peek() == Some(b'\r') {
        after.at += 1;
    }
    match after.peek() {
        Some(b'\n') => Ok(after.at + 1),
        Some(_) => Ok(after.at),
        None => after.end(),
    }
}

/// The header's offset, and its version.
fn header(source: &mut Source<'_>) -> Result<(u64, Vec<u8>), Error> {
    const MARK: &[u8] = b"%PDF-";

    let octets = source.read(0, MAX_JUNK + 16)?;
    let at = octets.windows(MARK.len()).position(|window| window == MARK).ok_or(Error::NotPdf)?;
    let rest = octets.get(at + MARK.len()..).unwrap_or_default();
    let version = rest.iter().take_while(|o| o.is_ascii_digit() || **o == b'.').take(8);
    Ok((at as u64, version.copied().collect()))
}

impl std::fmt::Debug for Pdf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pdf").field("sections", &self.sections.len()).finish_non_exhaustive()
    }
}
