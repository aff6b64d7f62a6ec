//! The part of a source that is held.

use std::io::Read;

use ades_core::{Digester, SignatureAlgorithm};

use super::{CrlError, MAX_ED25519_LEN, MAX_HELD, Signed};

/// The next octets of a source, and the digest of those before them.
pub(super) struct Window<'s> {
    source: &'s mut dyn Read,
    /// At most [`MAX_HELD`] octets.
    buffer: Vec<u8>,
    /// The octets of the buffer that were consumed.
    consumed: usize,
    /// The octets of the buffer that need not be digested any more.
    taken: usize,
    /// The position of the buffer's first octet in the source.
    offset: u64,
    digest: Option<Collector>,
}

/// Digests or keeps the signed octets.
enum Collector {
    Digester(Box<Digester>),
    Octets(Vec<u8>),
}

impl<'s> Window<'s> {
    pub(super) fn new(source: &'s mut dyn Read) -> Self {
        Self { source, buffer: Vec::new(), consumed: 0, taken: 0, offset: 0, digest: None }
    }

    /// The position of the next octet.
    pub(super) const fn offset(&self) -> u64 {
        self.offset + self.consumed as u64
    }

    /// The next octets: all that there are, or [`MAX_HELD`].
    pub(super) fn fill(&mut self) -> Result<&[u8], CrlError> {
        self.take_consumed();
        self.buffer.drain(..self.consumed);
        self.offset += self.consumed as u64;
        (self.consumed, self.taken) = (0, 0);
        let wanted = (MAX_HELD - self.buffer.len()) as u64;
        Read::take(&mut *self.source, wanted).read_to_end(&mut self.buffer)?;
        Ok(&self.buffer)
    }

    pub(super) fn consume(&mut self, len: usize) {
        self.consumed = self.consumed.saturating_add(len).min(self.buffer.len());
    }

    /// Begins to collect the signed octets, of which there are `len`. The first of them
    /// is the one at `start` of the buffer, which is consumed up to it or further.
    pub(super) fn collect(
        &mut self,
        algorithm: Option<SignatureAlgorithm>,
        start: usize,
        len: u64,
    ) {
        self.taken = start;
        self.digest = match algorithm {
            Some(SignatureAlgorithm::Ed25519) if len <= MAX_ED25519_LEN => {
                Some(Collector::Octets(Vec::new()))
            }
            Some(SignatureAlgorithm::Ed25519) | None => None,
            Some(other) => {
                Some(Collector::Digester(Box::new(Digester::new(other.digest_algorithm()))))
            }
        };
    }

    /// The signed octets end with the last one that was consumed.
    pub(super) fn collected(&mut self) -> Signed {
        self.take_consumed();
        match self.digest.take() {
            Some(Collector::Digester(digester)) => Signed::Digest(digester.finish()),
            Some(Collector::Octets(octets)) => Signed::Octets(octets),
            None => Signed::Unknown,
        }
    }

    /// Digests what was consumed. In large pieces: one call for each entry takes longer.
    fn take_consumed(&mut self) {
        let piece = self.buffer.get(self.taken..self.consumed).unwrap_or_default();
        match &mut self.digest {
            Some(Collector::Digester(digester)) => digester.update(piece),
            Some(Collector::Octets(octets)) => octets.extend_from_slice(piece),
            None => {}
        }
        self.taken = self.consumed;
    }
}
