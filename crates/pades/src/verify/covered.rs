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

/// The digests of the octets before some places of a file.
#[derive(Clone, Default)]
struct PrefixDigests {
    /// The places, in order.
    places: Vec<u64>,
    /// The states before these places.
    states: HashMap<DigestAlgorithm, BTreeMap<u64, Digester>>,
}

impl PrefixDigests {
    /// The state before `end`. No octet is read that an earlier state covers.
    fn before(
        &mut self,
        reader: &mut dyn ReadSeek,
        end: u64,
        algorithm: DigestAlgorithm,
    ) -> Result<Digester, ades_core::Error> {
        let states = self.states.entry(algorithm).or_default();
        let known = states.range(..=end).next_back();
        let known = known.map(|(at, state)| (*at, state.clone()));
        let (mut at, mut digester) = known.unwrap_or_else(|| (0, Digester::new(algorithm)));
        for place in self.places.iter().copied().filter(|place| *place <= end) {
            if at < place {
                digest_range(reader, Range { from: at, to: place }, &mut digester)?;
                states.insert(place, digester.clone());
                at = place;
            }
        }
        digest_range(reader, Range { from: at, to: end }, &mut digester)?;
        Ok(digester)
    }
}

/// What was digested so far.
#[derive(Default)]
pub(super) struct CoveredDigests(PrefixDigests);

impl CoveredDigests {
    pub(super) fn new(found: &[FoundSignature], beginning: Option<&DigestedBeginning>) -> Self {
        let ranges = found.iter().filter_map(FoundSignature::signed_ranges);
        let mut places: Vec<u64> = ranges.map(|ranges| ranges.placeholder.0).collect();
        places.sort_unstable();
        places.dedup();
        let known = beginning.map(DigestedBeginning::get).unwrap_or_default();
        Self(PrefixDigests { places, states: known.states })
    }

    /// Keeps the states before the placeholders.
    pub(super) fn keep(self, beginning: &DigestedBeginning) {
        beginning.set(self.0);
    }

    /// The digest of what these ranges cover.
    pub(super) fn digest(
        &mut self,
        reader: &mut dyn ReadSeek,
        ranges: SignedRanges,
        algorithm: DigestAlgorithm,
    ) -> Result<Digest, ades_core::Error> {
        let (first, second) = ranges.placeholder;
        let mut digester = self.0.before(reader, first, algorithm)?;
        digest_range(reader, Range { from: second, to: ranges.end }, &mut digester)?;
        Ok(digester.finish())
    }
}

/// The digests of the octets before the Contents placeholders of a document, which verifying fills.
///
/// A document that is extended keeps these octets. So whoever has copied them may verify the
/// longer document, or prepare the next update, without reading them again. Do that for steps in
/// between only: that the octets are the same is not found out.
#[derive(Default)]
pub struct DigestedBeginning(Mutex<PrefixDigests>);

impl DigestedBeginning {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn get(&self) -> PrefixDigests {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, digests: PrefixDigests) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = digests;
    }

    /// The state after a whole document of this length.
    pub(crate) fn whole(
        &self,
        document: &mut Document<'_>,
        length: u64,
        algorithm: DigestAlgorithm,
    ) -> Result<Digester, ades_core::Error> {
        let mut digests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        digests.before(document.random_access()?, length, algorithm)
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
