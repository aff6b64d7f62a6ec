//! A seekable source read in excerpts, of which the last one is kept.

use std::io::{Read, SeekFrom};

use ades_core::document::ReadSeek;

use crate::error::Error;
use crate::syntax::{Lexer, Stop};

/// One indirect object may have this many octets, streams apart.
const MAX_OBJECT: u64 = 16 * 1024 * 1024;
/// Excerpts have this many octets, and more where one follows another.
const EXCERPT: u64 = 4096;
const MAX_EXCERPT: u64 = 256 * 1024;
/// As often as this, a file's octets may be read as syntax; see [`Source::charge`].
const MAX_PASSES: u64 = 8;
/// Syntax that may be read however short the file is, in octets.
const FREE_SYNTAX: u64 = 64 * 1024 * 1024;
/// What the shortest object counts for: finding it takes time, too.
const SHORTEST: usize = 64;

/// A file of a known length.
pub(crate) struct Source<'a> {
    reader: &'a mut dyn ReadSeek,
    len: u64,
    excerpt: Vec<u8>,
    excerpt_at: u64,
    /// How long the next excerpt is that follows this one.
    next_len: u64,
    /// So many octets may still be read as syntax.
    allowance: u64,
}

impl<'a> Source<'a> {
    /// The first `len` octets of a reader.
    pub(crate) fn new(reader: &'a mut dyn ReadSeek, len: u64) -> Self {
        let allowance = len.saturating_mul(MAX_PASSES).saturating_add(FREE_SYNTAX);
        Self { reader, len, excerpt: Vec::new(), excerpt_at: 0, next_len: EXCERPT, allowance }
    }

    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn reader(&mut self) -> &mut dyn ReadSeek {
        self.reader
    }

    /// `len` octets from `offset` on, or as many as there are.
    pub(crate) fn read(&mut self, offset: u64, len: u64) -> Result<&[u8], Error> {
        let len = len.min(self.len.saturating_sub(offset));
        let kept = self.excerpt_at.saturating_add(self.excerpt.len() as u64);
        if offset < self.excerpt_at || offset.saturating_add(len) > kept {
            let follows = (self.excerpt_at..=kept).contains(&offset);
            self.next_len = if follows { (2 * self.next_len).min(MAX_EXCERPT) } else { EXCERPT };
            let wanted = len.max(self.next_len).min(self.len.saturating_sub(offset));
            self.reader.seek(SeekFrom::Start(offset)).map_err(ades_core::Error::Read)?;
            self.excerpt.clear();
            self.excerpt_at = offset;
            let read = self.reader.take(wanted).read_to_end(&mut self.excerpt);
            read.map_err(ades_core::Error::Read)?;
        }
        let start = usize::try_from(offset.saturating_sub(self.excerpt_at)).unwrap_or(usize::MAX);
        let rest = self.excerpt.get(start..).unwrap_or_default();
        Ok(rest.get(..usize::try_from(len).unwrap_or(usize::MAX)).unwrap_or(rest))
    }

    /// Counts octets that are read as syntax. Objects may lie over one another
    /// and be asked for many times: this is what keeps the time linear.
    pub(crate) fn charge(&mut self, octets: usize) -> Result<(), Error> {
        self.allowance = self
            .allowance
            .checked_sub(octets.max(SHORTEST) as u64)
            .ok_or(Error::Limit { limit: "eight passes over the file's objects" })?;
        Ok(())
    }

    /// Reads syntax at a place, with as large an excerpt as it takes, and
    /// yields the octets that were read with it.
    pub(crate) fn parse<T>(
        &mut self,
        offset: u64,
        mut read: impl FnMut(&mut Lexer<'_>) -> Result<T, Stop>,
    ) -> Result<(T, Vec<u8>), Error> {
        let mut len = EXCERPT;
        loop {
            let total = self.len;
            let octets = self.read(offset, len)?;
            let last = offset.saturating_add(octets.len() as u64) >= total;
            let mut lexer = Lexer::new(octets, last);
            let found = read(&mut lexer);
            let octets = octets.get(..lexer.at).unwrap_or(octets);
            let taken = octets.len();
            let octets = if found.is_ok() { octets.to_vec() } else { Vec::new() };
            self.charge(taken)?;
            match found {
                Ok(value) => return Ok((value, octets)),
                Err(Stop::CutOff) if len < MAX_OBJECT && !last => len *= 4,
                Err(Stop::CutOff) => return Err(Error::Limit { limit: "16 MiB in one object" }),
                Err(Stop::Limit(limit)) => return Err(Error::Limit { limit }),
                Err(Stop::Malformed(at, what)) => {
                    return Err(Error::Malformed { offset: offset + at as u64, what });
                }
            }
        }
    }
}
