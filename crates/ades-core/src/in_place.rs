//! Completing in a file that is there already: it grows, or stays as it was.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use crate::algorithm::DigestAlgorithm;
use crate::digest::{Digest, Digester};
use crate::document::Document;
use crate::error::Error;

/// A file that can be read, appended to and cut back.
pub trait InPlace: Read + Write + Seek {
    /// Makes the file this long.
    ///
    /// # Errors
    /// What the file system says.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

impl InPlace for File {
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

impl InPlace for Cursor<Vec<u8>> {
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.get_mut().truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(())
    }
}

/// How sure it must be that the file is the one that was prepared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Every octet is read and digested.
    #[default]
    Whole,
    /// The length and the last octets are compared: for a file that nobody
    /// else could write to since it was prepared. Costs the same at any size.
    LengthAndTail,
}

/// So many octets at a document's end are digested on their own, so that
/// another document of the same length is noticed at little cost.
pub const TAIL: u64 = 4096;

/// What a file holds that was prepared.
#[derive(Clone, Copy, Debug)]
pub struct PreparedFile<'a> {
    /// Where the document begins ...
    pub from: u64,
    /// ... how many octets it has ...
    pub length: u64,
    /// ... the digest of all of them ...
    pub whole: &'a Digest,
    /// ... and of the last [`TAIL`] ones.
    pub tail: &'a Digest,
}

impl PreparedFile<'_> {
    /// Whether the file holds it, and nothing behind it.
    ///
    /// # Errors
    /// [`Error::Read`]
    pub fn is_in(&self, file: &mut dyn InPlace, check: Check) -> Result<bool, Error> {
        let (skipped, expected) = match check {
            Check::Whole => (0, self.whole),
            Check::LengthAndTail => (self.length.saturating_sub(TAIL), self.tail),
        };
        let end = file.seek(SeekFrom::End(0)).map_err(Error::Read)?;
        if self.from.checked_add(self.length) != Some(end) {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(self.from + skipped)).map_err(Error::Read)?;
        let mut digester = Digester::new(expected.algorithm());
        io::copy(file, &mut digester).map_err(Error::Read)?;
        Ok(digester.finish() == *expected)
    }
}

/// Appends at octet `end`, or cuts the file back to it and says why.
///
/// # Errors
/// [`Error::Write`]
pub fn append(file: &mut dyn InPlace, end: u64, octets: &[u8]) -> Result<(), Error> {
    let mut write = || {
        file.seek(SeekFrom::Start(end))?;
        file.write_all(octets)?;
        file.flush()
    };
    write().map_err(|error| {
        // The first error is the one to be told.
        let _ = file.truncate(end);
        Error::Write(error)
    })
}

/// A document's length and the digest of its last [`TAIL`] octets.
///
/// # Errors
/// [`Error::Read`]; [`Error::NotSeekable`] for a stream.
pub fn length_and_tail(
    document: &mut Document<'_>,
    algorithm: DigestAlgorithm,
) -> Result<(u64, Digest), Error> {
    let source = document.random_access()?;
    let length = source.seek(SeekFrom::End(0)).map_err(Error::Read)?;
    source.seek(SeekFrom::Start(length.saturating_sub(TAIL))).map_err(Error::Read)?;
    let mut digester = Digester::new(algorithm);
    io::copy(&mut source.take(TAIL), &mut digester).map_err(Error::Read)?;
    Ok((length, digester.finish()))
}
