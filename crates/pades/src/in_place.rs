//! Completing in the document's own file: the original grows, or stays as it
//! was.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use ades_core::{Digest, Digester, DocumentDigest};

use crate::error::Error;
use crate::plan::TAIL;

/// A file that can be read, appended to and cut back.
///
/// What is written is in the file system's hands when completing returns. Whoever
/// wants it on the disk by then makes sure of that, by [`File::sync_all`] for a file.
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

/// How sure it must be that the file is the document that was prepared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Every octet is read and digested.
    #[default]
    Whole,
    /// The length and the last octets are compared: for a file that nobody
    /// else could write to since it was prepared. Costs the same at any size.
    LengthAndTail,
}

impl Check {
    pub(crate) fn run(
        self,
        file: &mut dyn InPlace,
        length: u64,
        document: &DocumentDigest,
        tail: &Digest,
    ) -> Result<(), Error> {
        let found = file.seek(SeekFrom::End(0)).map_err(ades_core::Error::Read)?;
        let from = match self {
            Self::Whole => 0,
            Self::LengthAndTail => length.saturating_sub(TAIL),
        };
        file.seek(SeekFrom::Start(from)).map_err(ades_core::Error::Read)?;
        let expected = match self {
            Self::Whole => &document.0,
            Self::LengthAndTail => tail,
        };
        let mut digester = Digester::new(expected.algorithm());
        io::copy(file, &mut digester).map_err(ades_core::Error::Read)?;
        if found == length && digester.finish() == *expected {
            Ok(())
        } else {
            Err(Error::DocumentChanged)
        }
    }
}

/// Appends, or cuts back to `length` and says why.
pub(crate) fn append(file: &mut dyn InPlace, length: u64, octets: &[u8]) -> Result<(), Error> {
    let mut write = || {
        file.seek(SeekFrom::Start(length))?;
        file.write_all(octets)?;
        file.flush()
    };
    write().map_err(|error| {
        // The first error is the one to be told.
        let _ = file.truncate(length);
        Error::Core(ades_core::Error::Write(error))
    })
}
