//! Objects in object streams (ISO 32000-2, 7.5.7). The most recently used streams
//! are kept decoded.

use std::collections::{BTreeMap, HashMap};

use super::filter::MAX_DECODED;
use super::object::{Indirect, Pdf, StreamData};
use super::xref::Entry;
use crate::error::{Error, Limit, UnsupportedFeature, broken, exceeds, structure};
use crate::syntax::{Lexer, Reference, Stop, Value};

/// Maximum length in octets of all object streams that are read, encoded and decoded.
pub(crate) const MAX_ALL_DECODED: u64 = 1024 * 1024 * 1024;
/// Maximum length in octets of the streams that are kept: that of one largest stream.
const MAX_KEPT: u64 = MAX_DECODED;

/// Maximum number of objects in an object stream.
pub(crate) const MAX_OBJECTS: u64 = 1 << 20;

/// The decoded streams that are kept.
#[derive(Default)]
pub(super) struct ObjectStreams {
    /// By offset: a later revision may have another stream with the same number.
    kept: HashMap<u64, ObjectStream>,
    /// Their offsets, by the time of their last use.
    used: BTreeMap<u64, u64>,
    uses: u64,
    /// Length of all kept streams.
    octets: u64,
    /// Length of all streams that were read, kept or not.
    decoded: u64,
}

struct ObjectStream {
    /// Object numbers, and where the objects begin in `data`.
    index: Vec<(u32, u32)>,
    data: Vec<u8>,
    last_use: u64,
}

impl ObjectStream {
    fn octets(&self) -> u64 {
        /// Memory of a kept stream besides its data.
        const OWN: usize = 256;

        (self.data.len() + size_of_val(self.index.as_slice()) + OWN) as u64
    }
}

impl ObjectStreams {
    fn get(&mut self, offset: u64) -> Option<&ObjectStream> {
        let stream = self.kept.get_mut(&offset)?;
        self.used.remove(&stream.last_use);
        self.uses += 1;
        stream.last_use = self.uses;
        self.used.insert(self.uses, offset);
        Some(stream)
    }

    /// Keeps a stream, and drops the least recently used ones.
    fn keep(&mut self, offset: u64, stream: ObjectStream) {
        self.octets = self.octets.saturating_add(stream.octets());
        while self.octets > MAX_KEPT
            && let Some((_, oldest)) = self.used.pop_first()
        {
            let dropped = self.kept.remove(&oldest).map_or(0, |dropped| dropped.octets());
            self.octets = self.octets.saturating_sub(dropped);
        }
        self.uses += 1;
        self.used.insert(self.uses, offset);
        self.kept.insert(offset, ObjectStream { last_use: self.uses, ..stream });
    }

    /// Restarts the count of decoded octets at 0; returns the previous count.
    pub(super) const fn renew(&mut self) -> u64 {
        std::mem::replace(&mut self.decoded, 0)
    }

    /// Restores a previous count.
    pub(super) const fn restore(&mut self, decoded: u64) {
        self.decoded = decoded;
    }

    fn charge(&mut self, octets: u64) -> Result<(), Error> {
        self.decoded = self.decoded.saturating_add(octets);
        if self.decoded > MAX_ALL_DECODED {
            return Err(exceeds(Limit::DecodedObjectStreams));
        }
        Ok(())
    }
}

impl Pdf<'_> {
    /// An object in an object stream.
    pub(super) fn compressed(
        &mut self,
        reference: Reference,
        stream: u32,
        index: u32,
    ) -> Result<Indirect, Error> {
        let Some(Entry::Plain { offset, .. }) = self.entry(stream)? else {
            let what = "an object stream is missing that has objects by the cross-reference";
            return Err(broken(self.newest()?.offset, what));
        };
        let offset = offset.saturating_add(self.shift);
        let missing = || broken(offset, "the object stream lacks an object that it should have");
        if self.object_streams.get(offset).is_none() {
            let read = self.object_stream(stream, offset)?;
            self.object_streams.keep(offset, read);
        }
        let stream = self.object_streams.get(offset).ok_or_else(missing)?;
        let wanted = |(number, _): &&(u32, u32)| *number == reference.number;
        let by_index = usize::try_from(index).ok().and_then(|index| stream.index.get(index));
        let by_index = by_index.filter(wanted);
        let searched = if by_index.is_some() { 0 } else { stream.index.len() };
        let (_, start) =
            by_index.or_else(|| stream.index.iter().find(wanted)).ok_or_else(missing)?;
        let octets = stream.data.get(*start as usize..).unwrap_or_default();
        let mut lexer = Lexer::new(octets, true);
        let value = lexer.value().map_err(|stop| match stop {
            Stop::Limit(limit) => exceeds(limit),
            _ => structure("a malformed object in an object stream"),
        })?;
        let octets = octets.get(..lexer.at).unwrap_or_default().to_vec();
        self.source().charge(octets.len() + searched)?;
        Ok(Indirect::in_object_stream(reference, value, octets))
    }

    /// The numbers of the objects in an object stream.
    pub(super) fn numbers_in(&mut self, number: u32, offset: u64) -> Result<Vec<u32>, Error> {
        let stream = self.object_stream(number, offset)?;
        Ok(stream.index.iter().map(|(number, _)| *number).collect())
    }

    fn object_stream(&mut self, number: u32, offset: u64) -> Result<ObjectStream, Error> {
        let stream = Self::read_plain(self.source(), offset)?;
        if stream.reference.number != number || !stream.value.is(b"Type", b"ObjStm") {
            return Err(broken(offset, "no object stream where the cross-reference says"));
        }
        let length = match stream.value.get(b"Length").and_then(Value::reference) {
            // A length in an object stream could be in this very stream.
            Some(length) => match self.entry(length.number)? {
                Some(Entry::Plain { .. }) => self.object(length)?.and_then(|l| l.value.unsigned()),
                _ => None,
            },
            None => None,
        };
        let length = match stream.stated_length(self.source(), length)? {
            Some(length) => length,
            None => stream.searched_length(self.source())?,
        };
        self.object_streams.charge(length)?;
        let StreamData::Decoded(data) = self.decode(&stream, length)? else {
            return Err(Error::Unsupported { what: UnsupportedFeature::ObjectStreamFilter });
        };
        self.object_streams.charge(data.len() as u64)?;
        let number_of = |key: &[u8]| stream.value.get(key).and_then(Value::unsigned);
        let (Some(first), Some(count)) = (number_of(b"First"), number_of(b"N")) else {
            return Err(structure("an object stream without /First or /N"));
        };
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let head = data.get(..first).ok_or(structure("an object stream ends within its index"))?;
        let mut lexer = Lexer::new(head, true);
        if count > MAX_OBJECTS {
            return Err(exceeds(Limit::ObjectsInStream));
        }
        let mut index = Vec::new();
        for _ in 0..count {
            let pair = lexer.unsigned("").and_then(|number| Ok((number, lexer.unsigned("")?)));
            let Ok((number, start)) = pair else {
                break;
            };
            let start = start.saturating_add(first as u64);
            if let (Ok(number), Ok(start)) = (u32::try_from(number), u32::try_from(start)) {
                index.push((number, start));
            }
        }
        Ok(ObjectStream { index, data, last_use: 0 })
    }
}
