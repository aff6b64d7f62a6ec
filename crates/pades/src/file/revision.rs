//! Earlier revisions of a file, without the objects that were added later
//! (ISO 32000-2, 7.5.6).

use std::collections::BTreeSet;

use super::object::{Indirect, Pdf};
use super::xref::{Entry, Section};
use crate::error::Error;
use crate::syntax::{Value, is_space};

const END: &[u8] = b"endstream";
/// Length in octets of the pieces in which a stream is searched for its end.
const PIECE: u64 = 4096;

/// A revision of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revision {
    /// Number of the newest sections that were added later.
    pub(crate) later: usize,
    /// The end of the file at that revision. The cross-reference may point after it, to
    /// objects that did not exist then.
    pub(crate) end: u64,
}

impl Revision {
    /// The newest revision.
    pub(crate) const NEWEST: Self = Self { later: 0, end: u64::MAX };
}

impl Pdf<'_> {
    /// Calls `read` with the file as it was at a revision.
    pub(crate) fn at<T>(&mut self, revision: Revision, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.revision, revision);
        let found = read(self);
        self.revision = before;
        found
    }

    /// The sections of the revision, the newest first.
    pub(crate) fn visible(&self) -> &[Section] {
        self.sections.get(self.revision.later..).unwrap_or_default()
    }

    /// Whether this entry, or that of its object stream, points after the revision's
    /// end.
    pub(crate) fn is_after_end(&mut self, entry: Entry) -> Result<bool, Error> {
        Ok(match entry {
            _ if self.revision == Revision::NEWEST => false,
            Entry::Free => false,
            Entry::Plain { offset, .. } => offset.saturating_add(self.shift) >= self.revision.end,
            Entry::Compressed { stream, .. } => match self.entry(stream)? {
                Some(Entry::Plain { offset, .. }) => {
                    offset.saturating_add(self.shift) >= self.revision.end
                }
                _ => false,
            },
        })
    }

    /// Whether a section's table and its `/XRefStm` have different entries for one of
    /// these objects.
    pub(crate) fn contradicts_itself(
        &mut self,
        section: usize,
        numbers: &BTreeSet<u32>,
    ) -> Result<bool, Error> {
        let Some(section) = self.sections.get(section).filter(|section| section.is_hybrid()) else {
            return Ok(false);
        };
        for number in numbers {
            if section.contradicts_itself(&mut self.source, *number)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a stream's data ends within the revision. The length is the stated one
    /// if `endstream` follows it; else `endstream` is searched for. Both may have been
    /// added later.
    pub(crate) fn ends_as_before(&mut self, stream: &Indirect) -> Result<bool, Error> {
        let Some(start) = stream.data().filter(|_| self.revision != Revision::NEWEST) else {
            return Ok(true);
        };
        let length = match stream.value.get(b"Length") {
            Some(length) => self.resolve(length).ok().as_ref().and_then(Value::unsigned),
            None => None,
        };
        let end = self.revision.end;
        if let Some(length) = length {
            let data_end = start.saturating_add(length);
            if let Some(end_of_stream) = self.end_of_stream(data_end)? {
                return Ok(end_of_stream <= end);
            }
        }
        let mut at = start;
        while at < end {
            let piece = self.source().read(at, PIECE.min(end - at))?;
            let (taken, found) = (piece.len(), piece.windows(END.len()).any(|w| w == END));
            self.source().charge(taken)?;
            if found {
                return Ok(true);
            }
            at += (taken as u64).saturating_sub(END.len() as u64).max(1);
        }
        Ok(false)
    }

    /// The end of a stream with its `endstream`, if its length leads there.
    pub(crate) fn stream_end(&mut self, stream: &Indirect) -> Result<Option<u64>, Error> {
        let length = self.get(&stream.value, b"Length")?.and_then(|length| length.unsigned());
        match stream.data().zip(length) {
            Some((start, length)) => self.end_of_stream(start.saturating_add(length)),
            None => Ok(None),
        }
    }

    /// Where the `endstream` that is expected at `at` ends.
    fn end_of_stream(&mut self, at: u64) -> Result<Option<u64>, Error> {
        /// Maximum length of white space before the keyword.
        const SPACE: u64 = 16;

        let octets = self.source().read(at, SPACE + END.len() as u64)?;
        let space = octets.iter().take_while(|octet| is_space(**octet)).count();
        let found = octets.get(space..).is_some_and(|rest| rest.starts_with(END));
        Ok(found.then_some(at + (space + END.len()) as u64))
    }
}
