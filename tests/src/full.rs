//! A file on a disk that becomes full.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use ades_core::in_place::InPlace;

/// A file to which a limited number of octets can be written, at any position.
#[derive(Debug)]
pub struct Full {
    inner: Cursor<Vec<u8>>,
    room: usize,
}

impl Full {
    /// A file with this content, to which `room` more octets can be written.
    #[must_use]
    pub fn new(octets: Vec<u8>, room: usize) -> Self {
        Self { inner: Cursor::new(octets), room }
    }

    /// The content of the file.
    #[must_use]
    pub fn into_inner(self) -> Vec<u8> {
        self.inner.into_inner()
    }
}

impl Read for Full {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.inner.read(out)
    }
}

impl Seek for Full {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

impl Write for Full {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let len = octets.len().min(self.room);
        self.room -= len;
        if len == 0 {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            self.inner.write(&octets[..len])
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl InPlace for Full {
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.inner.truncate(length)
    }
}
