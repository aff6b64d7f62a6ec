//! Earlier states of a file, in which nothing is there that came later
//! (ISO 32000-2, 7.5.6).

use std::collections::BTreeSet;

use super::object::{Indirect, Pdf};
use super::xref::{Entry, Section};
use crate::error::Error;
use crate::syntax::{Value, is_space};

const END: &[u8] = b"endstream";
/// Streams are searched for their ends in pieces of this many octets.
const PIECE: u64 = 4096;

/// A state of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revision {
    /// How many of the newest sections came later.
    pub(crate) later: usize,
    /// Where the file ended. The cross-reference may have led behind that
    /// then, and nothing was there.
    pub(crate) end: u64,
}

impl Revision {
    /// The file as it is.
    pub(crate) const NEWEST: Self = Self { later: 0, end: u64::MAX };
}

impl Pdf<'_> {
    /// Reads the file as it was at a revision.
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

    /// Whether the cross-reference leads behind the revision's end for this
    /// object or the stream that it is in.
    pub(crate) fn is_behind(&mut self, entry: Entry) -> Result<bool, Error> {
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

    /// Whether a section's table and its `/XRefStm` differ on one of these
    /// objects.
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

    /// Whether a stream's data ends where it ended at the revision. Its length
    /// is that which is stated, if the keyword follows that ends the stream, or
    /// else where that keyword is found: both may have come later.
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
            let behind = start.saturating_add(length);
            if let Some(end_of_stream) = self.end_of_stream(behind)? {
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

    /// Where the keyword ends that ends a stream, if it stands here.
    fn end_of_stream(&mut self, at: u64) -> Result<Option<u64>, Error> {
        /// So much white space may come before it.
        const SPACE: u64 = 16;

        let octets = self.source().read(at, SPACE + END.len() as u64)?;
        let space = octets.iter().take_while(|octet| is_space(**octet)).count();
        let found = octets.get(space..).is_some_and(|rest| rest.starts_with(END));
        Ok(found.then_some(at + (space + END.len()) as u64))
    }
}
