//! Completing in place: the end of the container is appended to a file that
//! *prepare* wrote. If that fails, the file is cut back to its previous length.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use crate::algorithm::DigestAlgorithm;
use crate::digest::{Digest, Digester};
use crate::document::Document;
use crate::error::Error;

/// A file that can be read, appended to and cut back.
pub trait InPlace: Read + Write + Seek {
    /// Cuts the file to this length.
    ///
    /// # Errors
    /// The file system's error.
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

/// How thoroughly completing in place checks that the file is the prepared one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// Every octet is read and digested.
    #[default]
    Whole,
    /// Only the length and the last 4,096 octets are compared, which takes the
    /// same time for a file of any size. Choose it for a file that nobody else
    /// can have written to since it was prepared.
    LengthAndTail,
}

/// Number of octets at a document's end that have a digest of their own. It
/// detects another document of the same length at little cost.
#[doc(hidden)]
pub const TAIL: u64 = 4096;

/// The document at the end of a prepared file. Only the format crates use it;
/// they construct it from their pending states, so it is exhaustive.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct PreparedFile<'a> {
    /// Where the document begins in the file.
    pub from: u64,
    /// The document's length in octets.
    pub length: u64,
    /// The digest of the document.
    pub whole: &'a Digest,
    /// The digest of its last [`TAIL`] octets.
    pub tail: &'a Digest,
}

impl PreparedFile<'_> {
    /// Whether the file contains the document and ends with it.
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

/// Appends `octets` at position `end`, or cuts the file back to `end` and returns
/// the error.
///
/// # Errors
/// [`Error::Write`]
#[doc(hidden)]
pub fn append(file: &mut dyn InPlace, end: u64, octets: &[u8]) -> Result<(), Error> {
    let mut write = || {
        file.seek(SeekFrom::Start(end))?;
        file.write_all(octets)?;
        file.flush()
    };
    write().map_err(|error| {
        // The first error is the one to report.
        let _ = file.truncate(end);
        Error::Write(error)
    })
}

/// The length of a document and the digest of its last [`TAIL`] octets.
///
/// # Errors
/// [`Error::Read`]; [`Error::NotSeekable`] for a stream.
#[doc(hidden)]
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
