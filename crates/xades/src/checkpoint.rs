//! What reading a document has shown about its beginning, for the check of the finished
//! container, which begins with the same octets.

use std::io::{self, Read};

use ades_core::{Digest, Digester};

use crate::c14n::PausedPass;

/// The number of octets at the end of a document that the check of the finished container parses
/// again. The place of the signature is among them, unless more follows the root element.
const PARSED_AGAIN: u64 = 256 * 1024;
/// The minimum length of a document for a checkpoint.
const MIN_LEN: u64 = 4 * PARSED_AGAIN;
/// Length of the pieces that are read to be digested.
const PIECE: usize = 128 * 1024;

/// A place in the document that was read to prepare a signature, with the digests so far.
///
/// Reading is a function of the octets. If a container begins with the octets of a document, up
/// to this place, then reading it from its start has the same result as continuing from here. The
/// digest shows that it begins with them.
///
/// It is never stored: a process that restores the state reads the container from its start.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    /// The digest of the octets that the reader has got.
    pub(crate) octets: Digest,
    pub(crate) pass: PausedPass,
    /// The digester of the octets of the form that the sink has got.
    pub(crate) form: Digester,
}

impl Checkpoint {
    /// The octet from which on an element ends that is followed by a checkpoint.
    pub(crate) fn place(length: Option<u64>) -> Option<u64> {
        length.filter(|length| *length >= MIN_LEN).map(|length| length - PARSED_AGAIN)
    }

    /// The number of octets before it.
    pub(crate) const fn at(&self) -> u64 {
        self.pass.reader.fetched()
    }

    /// Reads the octets before it, and compares them.
    pub(crate) fn is_reached(&self, source: &mut dyn Read) -> io::Result<bool> {
        let mut digester = Digester::new(self.octets.algorithm());
        let mut piece = vec![0; PIECE];
        let mut source = source.take(self.at());
        loop {
            match source.read(&mut piece) {
                Ok(0) => return Ok(source.limit() == 0 && digester.finish() == self.octets),
                Ok(read) => digester.update(piece.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
