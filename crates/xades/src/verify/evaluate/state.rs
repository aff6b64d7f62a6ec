//! What happens to the octets of one plan while they are read, and the limits of all.

use std::cell::Cell;
use std::io;

use ades_core::{Digest, DigestAlgorithm, DigestThread, Digester};

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Limit};
use crate::source_document::MIN_LEN_FOR_THREAD;

use super::super::decode::Decoder;
use super::super::original::Original;
use super::super::transform::Chain;
use super::stamped::StampBudget;

/// Maximum number of octets that all references digest together, as a multiple of
/// the length of the document and its originals.
pub(crate) const MAX_PASSES: u64 = 64;
/// Number of octets that all references may digest even if the document is short.
const FREE_OCTETS: u64 = 1 << 28;
/// Maximum number of octets of all canonical forms of `ds:SignedInfo`, which are
/// held.
pub(crate) const MAX_SIGNED_INFO_LEN: u64 = 16 << 20;
/// Maximum number of octets of all references that a transform returns and a later one
/// parses. They are held.
pub(crate) const MAX_PARSED_LEN: u64 = 64 << 20;
/// Maximum number of references that are digested on threads of their own.
const MAX_THREADS: u64 = 4;

/// The remaining limits of all references together.
pub(super) struct Budget {
    /// The number of octets that may still be digested.
    digested: Cell<u64>,
    /// The number of octets of `ds:SignedInfo` that may still be held.
    held: Cell<u64>,
    /// The number of octets that may still be held to be parsed.
    parsed: Cell<u64>,
    /// The number of references that may still be digested on threads of their own.
    threads: Cell<u64>,
    /// The limits of time-stamps, which are not errors.
    stamps: StampBudget,
}

impl Budget {
    pub(super) fn new(length: u64, originals: &mut [Original<'_>]) -> Result<Self, Error> {
        let mut longest = length;
        for original in originals {
            longest = longest.saturating_add(original.document.len()?.unwrap_or_default());
        }
        let digested = longest.saturating_mul(MAX_PASSES).saturating_add(FREE_OCTETS);
        Ok(Self {
            digested: Cell::new(digested),
            held: Cell::new(MAX_SIGNED_INFO_LEN),
            parsed: Cell::new(MAX_PARSED_LEN),
            threads: Cell::new(MAX_THREADS),
            stamps: StampBudget::new(longest),
        })
    }

    /// Whether the document may be read once more for a time-stamp.
    pub(super) fn takes_pass(&self, length: u64) -> bool {
        spend(&self.stamps.digested, length)
    }
}

/// Subtracts octets from a budget. Returns `false` if it has fewer.
fn spend(budget: &Cell<u64>, octets: u64) -> bool {
    let left = budget.get().checked_sub(octets);
    budget.set(left.unwrap_or_default());
    left.is_some()
}

/// Decodes, digests or holds the octets of one plan while they are read.
pub(super) struct State<'b> {
    budget: &'b Budget,
    digester: Option<DigestThread>,
    /// Whether it is long enough for a thread. It may have none.
    long: bool,
    pub(super) decoder: Option<Decoder>,
    held: Option<Vec<u8>>,
    /// Whether the held octets are parsed.
    parsed: bool,
    pub(super) length: u64,
    /// The limit that was exceeded.
    exceeded: Option<Limit>,
    /// Whether it is for a time-stamp, which has limits of its own.
    of_stamp: bool,
}

impl<'b> State<'b> {
    pub(super) fn digesting(budget: &'b Budget, algorithm: Option<DigestAlgorithm>) -> Self {
        Self::new(budget, algorithm.map(Digester::new))
    }

    /// Digests the octets of a form of the whole document after the checkpoint.
    pub(super) fn continuing(budget: &'b Budget, checkpoint: &Checkpoint) -> Self {
        let mut state = Self::new(budget, Some(checkpoint.form.clone()));
        state.length = checkpoint.pass.form.length;
        state.charge(state.length);
        // What is left is short.
        state.long = true;
        state
    }

    fn new(budget: &'b Budget, digester: Option<Digester>) -> Self {
        let digester = digester.map(DigestThread::here);
        let (decoder, held, exceeded) = (None, None, None);
        let (long, parsed, of_stamp, length) = (false, false, false, 0);
        Self { budget, digester, long, decoder, held, parsed, length, exceeded, of_stamp }
    }

    pub(super) fn holding(budget: &'b Budget) -> Self {
        Self { held: Some(Vec::new()), ..Self::new(budget, None) }
    }

    /// Digests a part of what a time-stamp is over, or holds it.
    pub(super) fn of_stamp(budget: &'b Budget, digester: Option<Digester>) -> Self {
        let held = digester.is_none().then(Vec::new);
        Self { held, of_stamp: true, ..Self::new(budget, digester) }
    }

    /// The limit that was exceeded.
    pub(super) const fn exceeded(&self) -> Option<Limit> {
        self.exceeded
    }

    /// Holds octets to be parsed.
    pub(super) fn parsing(&self) -> Self {
        Self { parsed: true, ..Self::holding(self.budget) }
    }

    /// The state for the first plan of a chain, and this one, for the last plan, if it is
    /// another.
    pub(super) fn of_chain(self, chain: &Chain) -> (Self, Option<Self>) {
        let (first, last) =
            if chain.then.is_empty() { (self, None) } else { (self.parsing(), Some(self)) };
        (Self { decoder: chain.first.decoder(), ..first }, last)
    }

    /// The octets that were held.
    pub(super) const fn take_held(&mut self) -> Option<Vec<u8>> {
        self.held.take()
    }

    pub(super) fn charge(&mut self, octets: u64) {
        let budget = self.budget;
        let left = if self.of_stamp { &budget.stamps.digested } else { &budget.digested };
        if !spend(left, octets) {
            self.exceeded = Some(Limit::ReferencedOctets);
        }
    }

    /// Returns an error if a limit of all references was exceeded. The limit of octets
    /// that are parsed only ends the reference.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.exceeded {
            None | Some(Limit::ParsedLength) => Ok(()),
            Some(limit) => Err(Error::Limit { offset: None, limit }),
        }
    }

    pub(super) fn take(&mut self, piece: &[u8]) -> io::Result<()> {
        self.charge(piece.len() as u64);
        let budget = self.budget;
        let (left, limit) = match (self.parsed, self.of_stamp) {
            (true, _) => (&budget.parsed, Limit::ParsedLength),
            (false, true) => (&budget.stamps.held, Limit::SignedInfoLength),
            (false, false) => (&budget.held, Limit::SignedInfoLength),
        };
        if self.held.is_some() && !spend(left, piece.len() as u64) {
            self.exceeded = Some(limit);
        }
        if let Some(limit) = self.exceeded {
            self.held = None;
            return Err(io::Error::other(limit.to_string()));
        }
        if !self.long && self.length >= MIN_LEN_FOR_THREAD {
            self.long = true;
            let digester = self.digester.as_mut().filter(|_| spend(&self.budget.threads, 1));
            digester.into_iter().for_each(DigestThread::move_to_thread);
        }
        match self.decoder.take() {
            Some(mut decoder) => {
                let pushed = decoder.push(piece, &mut |octets| self.keep(octets));
                self.decoder = Some(decoder);
                pushed
            }
            None => {
                self.keep(piece);
                Ok(())
            }
        }
    }

    /// Digests and holds octets.
    fn keep(&mut self, octets: &[u8]) {
        self.length += octets.len() as u64;
        if let Some(digester) = &mut self.digester {
            digester.update(octets);
        }
        if let Some(held) = &mut self.held {
            held.extend_from_slice(octets);
        }
    }

    fn end(&mut self) -> io::Result<()> {
        let decoder = self.decoder.take();
        decoder.map_or(Ok(()), |decoder| decoder.finish(&mut |octets| self.keep(octets)))
    }

    /// The held octets.
    pub(super) fn into_held(mut self) -> Result<Option<Vec<u8>>, Error> {
        if let Some(limit @ Limit::ParsedLength) = self.exceeded {
            return Err(Error::Limit { offset: None, limit });
        }
        self.end().map_err(ades_core::Error::Write)?;
        Ok(self.held)
    }

    /// The digest, if its algorithm is known.
    pub(super) fn finish(&mut self) -> io::Result<Option<Digest>> {
        self.end()?;
        let digester = self.digester.take().map(DigestThread::finish).transpose();
        // Only a panic ends the thread before.
        Ok(digester.map_err(io::Error::other)?.map(Digester::finish))
    }
    /// The digester after the last octets, or the octets that were held.
    pub(super) fn into_output(mut self) -> io::Result<(Option<Digester>, Vec<u8>)> {
        self.end()?;
        let digester = self.digester.take().map(DigestThread::finish).transpose();
        Ok((digester.map_err(io::Error::other)?, self.held.take().unwrap_or_default()))
    }
}
