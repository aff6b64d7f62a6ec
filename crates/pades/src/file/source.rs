//! A seekable source read in excerpts, of which the last ones are kept.

use std::io::{Read, SeekFrom};

use ades_core::document::ReadSeek;

use crate::error::{Error, Limit, exceeds};
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

/// So many excerpts are kept: entries of a table, and objects here and there.
const KEPT: usize = 4;

/// A file of a known length.
pub(crate) struct Source<'a> {
    reader: &'a mut dyn ReadSeek,
    len: u64,
    /// The one used last comes last.
    excerpts: Vec<Excerpt>,
    /// So many octets may still be read as syntax.
    allowance: u64,
}

/// What may be read as syntax of a file of this length, in octets.
const fn allowance(len: u64) -> u64 {
    len.saturating_mul(MAX_PASSES).saturating_add(FREE_SYNTAX)
}

#[derive(Default)]
struct Excerpt {
    at: u64,
    octets: Vec<u8>,
    /// How long the next one is that follows this one.
    next_len: u64,
}

impl Excerpt {
    fn end(&self) -> u64 {
        self.at.saturating_add(self.octets.len() as u64)
    }

    const fn is_large(&self) -> bool {
        self.octets.len() as u64 > MAX_EXCERPT
    }
}

impl<'a> Source<'a> {
    /// The first `len` octets of a reader.
    pub(crate) fn new(reader: &'a mut dyn ReadSeek, len: u64) -> Self {
        Self { reader, len, excerpts: Vec::new(), allowance: allowance(len) }
    }

    /// Begins to count anew; yields what was left.
    pub(super) const fn renew(&mut self) -> u64 {
        std::mem::replace(&mut self.allowance, allowance(self.len))
    }

    /// Goes on counting from what was left.
    pub(super) const fn restore(&mut self, left: u64) {
        self.allowance = left;
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
        let end = offset.saturating_add(len);
        let holds = |excerpt: &Excerpt| excerpt.at <= offset && end <= excerpt.end();
        let used = match self.excerpts.iter().rposition(holds) {
            Some(at) => self.excerpts.remove(at),
            None => self.fetch(offset, len)?,
        };
        let start = usize::try_from(offset.saturating_sub(used.at)).unwrap_or(usize::MAX);
        self.excerpts.push(used);
        let octets = self.excerpts.last().map(|excerpt| excerpt.octets.as_slice());
        let rest = octets.unwrap_or_default().get(start..).unwrap_or_default();
        Ok(rest.get(..usize::try_from(len).unwrap_or(usize::MAX)).unwrap_or(rest))
    }

    /// Reads an excerpt, in place of one that it follows, or of the one that has
    /// not been used for longest.
    fn fetch(&mut self, offset: u64, len: u64) -> Result<Excerpt, Error> {
        let precedes = |excerpt: &Excerpt| (excerpt.at..=excerpt.end()).contains(&offset);
        let before = self.excerpts.iter().rposition(precedes);
        let old = match before {
            Some(at) => Some(self.excerpts.remove(at)),
            None if self.excerpts.len() == KEPT => Some(self.excerpts.remove(0)),
            None => None,
        };
        let mut excerpt = old.unwrap_or_default();
        let follows = if before.is_some() { 2 * excerpt.next_len } else { 0 };
        excerpt.next_len = follows.clamp(EXCERPT, MAX_EXCERPT);
        let wanted = len.max(excerpt.next_len).min(self.len.saturating_sub(offset));
        if excerpt.is_large() {
            excerpt.octets = Vec::new();
        }
        if wanted > MAX_EXCERPT {
            // One at a time.
            self.excerpts.retain(|excerpt| !excerpt.is_large());
        }
        excerpt.at = offset;
        excerpt.octets.clear();
        // Otherwise it would be read in many small pieces.
        excerpt.octets.reserve(usize::try_from(wanted).unwrap_or(0));
        self.reader.seek(SeekFrom::Start(offset)).map_err(ades_core::Error::Read)?;
        let read = self.reader.take(wanted).read_to_end(&mut excerpt.octets);
        read.map_err(ades_core::Error::Read)?;
        Ok(excerpt)
    }

    /// Counts octets that are read as syntax. Objects may lie over one another
    /// and be asked for many times: this is what keeps the time linear.
    pub(crate) fn charge(&mut self, octets: usize) -> Result<(), Error> {
        self.allowance = self
            .allowance
            .checked_sub(octets.max(SHORTEST) as u64)
            .ok_or(exceeds(Limit::SyntaxRead))?;
        Ok(())
    }

    /// Reads syntax at a place, with as large an excerpt as it takes, and
    /// yields the octets that were read with it.
    pub(crate) fn parse<T>(
        &mut self,
        offset: u64,
        mut read: impl FnMut(&mut Lexer<'_>) -> Result<T, Stop>,
    ) -> Result<(T, Vec<u8>), Error> {
        // Most objects stand in what is there already.
        let kept = self.excerpts.iter().rfind(|it| it.at <= offset && offset < it.end());
        let kept = kept.map_or(EXCERPT, |excerpt| excerpt.end().saturating_sub(offset));
        let mut len = kept.min(MAX_OBJECT);
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
                Err(Stop::CutOff) if len < MAX_OBJECT && !last => len = (4 * len).max(EXCERPT),
                Err(Stop::CutOff) => return Err(exceeds(Limit::ObjectLen)),
                Err(Stop::Limit(limit)) => return Err(exceeds(limit)),
                Err(Stop::Malformed(at, what)) => {
                    return Err(Error::Malformed { offset: offset + at as u64, what });
                }
            }
        }
    }
}
