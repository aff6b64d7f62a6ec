//! The digests of the octets that signatures and document time-stamps cover.
//!
//! Each covers the file from its start up to its own end, without its placeholder. So the
//! octets before the first placeholder are the same for all of them, and so on: they are
//! digested once for each algorithm, however many signatures there are.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use ades_core::document::ReadSeek;
use ades_core::{Digest, DigestAlgorithm, Digester, Document};
use cades::embedded::Covered;

use super::ranges::{Range, Ranges};
use crate::document::coverage::{FoundSignature, SignedRanges};

/// From this length on, a second thread reads while this one digests.
const WORTH_A_THREAD: u64 = 512 * 1024;

/// What was digested so far.
#[derive(Default)]
pub(super) struct CoveredDigests {
    /// Where the placeholders begin, in order.
    starts: Vec<u64>,
    /// The states before these placeholders.
    states: HashMap<DigestAlgorithm, BTreeMap<u64, Digester>>,
}

impl CoveredDigests {
    pub(super) fn new(found: &[FoundSignature], beginning: Option<&DigestedBeginning>) -> Self {
        let ranges = found.iter().filter_map(FoundSignature::signed_ranges);
        let mut starts: Vec<u64> = ranges.map(|ranges| ranges.placeholder.0).collect();
        starts.sort_unstable();
        starts.dedup();
        let known = beginning.map(DigestedBeginning::states).unwrap_or_default();
        let of_first = known.into_iter().filter(|(at, _)| starts.first() == Some(at));
        let states = of_first.map(|(at, state)| (state.algorithm(), BTreeMap::from([(at, state)])));
        Self { states: states.collect(), starts }
    }

    /// Keeps the states before the first placeholder.
    pub(super) fn keep(&self, beginning: &DigestedBeginning) {
        let first = self.starts.first();
        let of_first = self.states.values().filter_map(|states| states.get_key_value(first?));
        beginning.set(of_first.map(|(at, state)| (*at, state.clone())).collect());
    }

    /// The digest of what these ranges cover.
    pub(super) fn digest(
        &mut self,
        reader: &mut dyn ReadSeek,
        ranges: SignedRanges,
        algorithm: DigestAlgorithm,
    ) -> Result<Digest, ades_core::Error> {
        let (first, second) = ranges.placeholder;
        let states = self.states.entry(algorithm).or_default();
        let before = states.range(..=first).next_back();
        let before = before.map(|(at, state)| (*at, state.clone()));
        let (mut at, mut digester) = before.unwrap_or_else(|| (0, Digester::new(algorithm)));
        for start in self.starts.iter().copied().filter(|start| *start <= first) {
            if at < start {
                digest_range(reader, Range { from: at, to: start }, &mut digester)?;
                states.insert(start, digester.clone());
                at = start;
            }
        }
        digest_range(reader, Range { from: at, to: first }, &mut digester)?;
        digest_range(reader, Range { from: second, to: ranges.end }, &mut digester)?;
        Ok(digester.finish())
    }
}

/// The digests of the octets before the first signature of a document, which verifying fills.
///
/// A document that is extended keeps these octets. So whoever has copied them may verify the
/// longer document without reading them again. Do that for steps in between only: that the
/// octets are the same is not found out.
#[derive(Default)]
pub struct DigestedBeginning(Mutex<Vec<(u64, Digester)>>);

impl DigestedBeginning {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn states(&self) -> Vec<(u64, Digester)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, states: Vec<(u64, Digester)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = states;
    }
}

impl fmt::Debug for DigestedBeginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestedBeginning").finish_non_exhaustive()
    }
}

fn digest_range(
    reader: &mut dyn ReadSeek,
    range: Range,
    digester: &mut Digester,
) -> Result<(), ades_core::Error> {
    let length = range.to.saturating_sub(range.from);
    let mut octets = Ranges::new(reader, [range]);
    if length < WORTH_A_THREAD {
        return io::copy(&mut octets, digester).map(|_| ()).map_err(ades_core::Error::Read);
    }
    let mut document = Document::stream(octets);
    document.read_through(&mut |piece| {
        digester.update(piece);
        Ok(())
    })?;
    Ok(())
}

/// What one signature covers. Without a sound byte range, nothing is covered.
pub(super) struct CoveredOctets<'a> {
    pub(super) reader: &'a mut dyn ReadSeek,
    pub(super) ranges: Option<SignedRanges>,
    pub(super) digests: &'a mut CoveredDigests,
}

impl Covered for CoveredOctets<'_> {
    fn digest(&mut self, algorithm: DigestAlgorithm) -> Result<Digest, ades_core::Error> {
        match self.ranges {
            Some(ranges) => self.digests.digest(self.reader, ranges, algorithm),
            None => Ok(Digest::of(algorithm, &[])),
        }
    }

    fn reader(&mut self) -> Box<dyn Read + Send + '_> {
        let ranges = self.ranges.map_or(((0, 0), 0), |signed| (signed.placeholder, signed.end));
        let ((first, second), end) = ranges;
        let ranges = [Range { from: 0, to: first }, Range { from: second, to: end }];
        Box::new(Ranges::new(self.reader, ranges))
    }
}
