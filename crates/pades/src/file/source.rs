//! A seekable source that is read in excerpts. The most recent excerpts are kept.

use std::io::{self, ErrorKind, SeekFrom};

use ades_core::document::ReadSeek;

use crate::error::{Error, Limit, exceeds};
use crate::syntax::{Lexer, Stop};

/// Maximum length in octets of one indirect object, stream data not counted.
pub(crate) const MAX_OBJECT: u64 = 16 * 1024 * 1024;
/// Length in octets of an excerpt; one that follows another is longer.
const EXCERPT: u64 = 4096;
const MAX_EXCERPT: u64 = 256 * 1024;
/// Syntax may be read up to this many times the file's length; see
/// [`Source::charge`].
pub(crate) const MAX_PASSES: u64 = 8;
/// Octets of syntax that may be read in addition, so that short files have no
/// practical limit.
const FREE_SYNTAX: u64 = 64 * 1024 * 1024;
/// Octets that the shortest object counts as: finding it takes time, too.
const SHORTEST: usize = 64;

/// Number of excerpts that are kept: for table entries and scattered objects.
const KEPT: usize = 4;

/// A file of a known length.
pub(crate) struct Source<'a> {
    reader: &'a mut dyn ReadSeek,
    len: u64,
    /// The most recently used one is the last.
    excerpts: Vec<Excerpt>,
    /// Number of octets that may still be read as syntax.
    allowance: u64,
}

/// Number of octets that may be read as syntax in a file of this length.
const fn allowance(len: u64) -> u64 {
    len.saturating_mul(MAX_PASSES).saturating_add(FREE_SYNTAX)
}

#[derive(Default)]
struct Excerpt {
    at: u64,
    octets: Vec<u8>,
    /// Length of an excerpt that follows this one.
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

    /// Starts with a full allowance; returns what was left of the previous one.
    pub(super) const fn renew(&mut self) -> u64 {
        std::mem::replace(&mut self.allowance, allowance(self.len))
    }

    /// Continues with a previous allowance.
    pub(super) const fn restore(&mut self, left: u64) {
        self.allowance = left;
    }

    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn reader(&mut self) -> &mut dyn ReadSeek {
        self.reader
    }

    /// `len` octets from `offset`, or fewer at the end of the file.
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

    /// Reads an excerpt. It replaces the excerpt that it follows, or the least recently
    /// used one.
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
            // Only one large excerpt is kept.
            self.excerpts.retain(|excerpt| !excerpt.is_large());
        }
        excerpt.at = offset;
        // Octets that were there are overwritten; zeros take time, too.
        excerpt.octets.resize(usize::try_from(wanted).unwrap_or(0), 0);
        self.reader.seek(SeekFrom::Start(offset)).map_err(ades_core::Error::Read)?;
        let read = read_full(self.reader, &mut excerpt.octets).map_err(ades_core::Error::Read)?;
        excerpt.octets.truncate(read);
        Ok(excerpt)
    }

    /// Counts octets that are read as syntax. Objects may overlap and be requested
    /// many times: this limit keeps the time linear.
    pub(crate) fn charge(&mut self, octets: usize) -> Result<(), Error> {
        self.allowance = self
            .allowance
            .checked_sub(octets.max(SHORTEST) as u64)
            .ok_or(exceeds(Limit::SyntaxRead))?;
        Ok(())
    }

    /// Reads syntax at an offset, with an excerpt as large as needed. Returns the octets
    /// too.
    pub(crate) fn parse<T>(
        &mut self,
        offset: u64,
        mut read: impl FnMut(&mut Lexer<'_>) -> Result<T, Stop>,
    ) -> Result<(T, Vec<u8>), Error> {
        // Most objects are in an excerpt that was read already.
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

/// Reads until these octets are full or the source ends. Returns the number of octets.
fn read_full(reader: &mut dyn ReadSeek, octets: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = octets.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
