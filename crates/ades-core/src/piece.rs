//! Pieces of a document, in buffers that are used again.

use std::io::{self, Read};

use crate::error::Error;

/// Length of the pieces that are handed over to another thread, in octets.
pub(crate) const PIECE: usize = 128 * 1024;
/// Length of the pieces that stay on their thread. They stay in its processor's cache, too, and
/// the allocator does not ask the system for them.
pub(crate) const SHORT_PIECE: usize = 32 * 1024;

/// Octets in a buffer that moves between threads, so that they are not copied.
#[derive(Default)]
pub(crate) struct Piece {
    buffer: Vec<u8>,
    len: usize,
}

impl Piece {
    pub(crate) fn octets(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }

    /// Forgets the octets.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends a copy of these octets.
    pub(crate) fn append(&mut self, octets: &[u8]) {
        self.buffer.truncate(self.len);
        // Several buffers wait at a time, so none is longer than needed.
        self.buffer.reserve_exact(octets.len());
        self.buffer.extend_from_slice(octets);
        self.len = self.buffer.len();
    }

    /// Replaces the octets with the next ones of a reader: at most `most`, and none at
    /// its end.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::ReaderMisbehaved`]
    pub(crate) fn fill(&mut self, reader: &mut dyn Read, most: usize) -> Result<(), Error> {
        if self.buffer.is_empty() {
            // Pages that no octet is read into stay untouched.
            self.buffer = vec![0; most];
        }
        self.buffer.resize(most, 0);
        self.len = loop {
            match reader.read(&mut self.buffer) {
                Ok(read) if read > self.buffer.len() => return Err(Error::ReaderMisbehaved),
                Ok(read) => break read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::Read(e)),
            }
        };
        Ok(())
    }
}
