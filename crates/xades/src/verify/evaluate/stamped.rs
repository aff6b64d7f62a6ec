//! The digests of what time-stamps are over: several parts of the document, and of the
//! documents outside it, one after the other.
//!
//! The parts are made in one pass, usually that of the references. If that exceeds a limit, they
//! get a pass of their own, so that limits that they exceed do not concern references. The first one is digested at once, the others are
//! held until it ends. A part that is too long to be held is made again.

use std::cell::Cell;

use ades_core::facts::ImprintUndecided;
use ades_core::{Digest, DigestAlgorithm, Digester, Document};

use crate::c14n::IdAttributes;
use crate::error::{Error, Limit};
use crate::options::ReadingOptions;
use crate::report::Problem;
use crate::verify::original::Original;
use crate::verify::signature::Signature;
use crate::verify::time_stamp::{Part, TimeStamp};
use crate::verify::transform::{Chain, Plan};

use super::job::run;
use super::state::{Budget, State};
use super::{Outcome, feed_external, find_original};

/// Maximum number of digests for the time-stamps of one document.
const MAX_STAMPS: usize = 64;
/// Maximum number of their parts.
const MAX_PARTS: usize = 512;

/// The digests for the time-stamps of one document.
#[derive(Default)]
pub(super) struct Stamps<'e> {
    jobs: Vec<Job<'e>>,
    parts: usize,
}

/// The digest for one time-stamp.
struct Job<'e> {
    signature: usize,
    /// The index of the time-stamp in the signature.
    at: usize,
    algorithm: DigestAlgorithm,
    parts: Result<Vec<(Part<'e>, Output)>, ImprintUndecided>,
}

/// What a pass has made of a time-stamp.
pub(super) struct Made {
    /// The indices of the signature and of the time-stamp in it, and the algorithm.
    of: (usize, usize, DigestAlgorithm),
    /// Its parts, or why they are not known.
    parts: Result<Vec<MadePart>, ImprintUndecided>,
}

/// What was made of one part. `None`: it is over another document.
type MadePart = (Option<Box<Plan>>, Output);

/// What the pass has made of a part.
enum Output {
    /// Nothing. It has to be made when it is its turn.
    Nothing,
    Digested(Digester),
    Held(Vec<u8>),
    Failed(ImprintUndecided),
}

/// One part of one time-stamp.
#[derive(Clone, Copy)]
pub(super) struct PartSlot {
    job: usize,
    part: usize,
}

impl<'e> Stamps<'e> {
    /// The time-stamps of all signatures.
    pub(super) fn of(signatures: &'e [Option<Signature<'e>>], ids: &IdAttributes) -> Self {
        let mut all = Self::default();
        for (index, signature) in signatures.iter().enumerate() {
            signature.iter().for_each(|signature| all.add(index, signature, ids));
        }
        all
    }

    /// Adds the time-stamps of a signature.
    fn add(&mut self, index: usize, signature: &'e Signature<'e>, ids: &IdAttributes) {
        for (at, stamp) in signature.time_stamps.iter().enumerate() {
            self.add_one((index, at), stamp, signature, ids);
        }
    }

    /// Adds a time-stamp of a signature, which may not exist yet. The indices are that of the
    /// signature, and that of the time-stamp in it.
    pub(super) fn add_one(
        &mut self,
        (index, at): (usize, usize),
        stamp: &TimeStamp,
        signature: &'e Signature<'e>,
        ids: &IdAttributes,
    ) {
        for algorithm in stamp.algorithms.iter().copied() {
            let parts = match self.jobs.len() {
                MAX_STAMPS.. => Err(ImprintUndecided::Limit),
                _ => stamp.parts(signature, ids),
            };
            let len = parts.as_ref().map_or(0, Vec::len);
            let parts = match self.parts + len {
                0..=MAX_PARTS => parts,
                _ => Err(ImprintUndecided::Limit),
            };
            self.parts += parts.as_ref().map_or(0, Vec::len);
            let unmade = |parts: Vec<Part<'e>>| {
                parts.into_iter().map(|part| (part, Output::Nothing)).collect()
            };
            let parts = parts.map(unmade);
            self.jobs.push(Job { signature: index, at, algorithm, parts });
        }
    }

    /// The number of digests.
    pub(super) const fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Forgets the first ones. They count for the limits, so that a time-stamp is not prepared
    /// that would not be evaluated.
    pub(super) fn forget_first(&mut self, number: usize) {
        self.jobs.drain(..number.min(self.jobs.len()));
    }

    /// Forgets those over other documents.
    pub(super) fn keep_those_within(&mut self) {
        self.jobs.retain(|job| job.parts.iter().flatten().all(|(part, _)| part.is_within()));
    }

    /// Whether there is something to be read for them.
    pub(super) fn need_a_pass(&self) -> bool {
        let mut parts = self.jobs.iter().flat_map(|job| job.parts.iter().flatten());
        parts.any(|(part, _)| part.is_within())
    }

    /// What was made of them.
    pub(super) fn into_made(self) -> Vec<Made> {
        let plan = |(part, output)| match part {
            Part::SameDocument { plan, .. } => (Some(plan), output),
            Part::External(..) => (None, output),
        };
        let made = |Job { signature, at, algorithm, parts }| Made {
            of: (signature, at, algorithm),
            parts: parts.map(|parts| parts.into_iter().map(plan).collect()),
        };
        self.jobs.into_iter().map(made).collect()
    }

    /// Takes what was made of time-stamps that were foreseen. Returns `false`, and takes nothing, if
    /// they were others.
    pub(super) fn take(&mut self, made: Vec<Made>) -> bool {
        let same_part = |(part, _): &(Part<'_>, Output), (plan, _): &MadePart| match part {
            Part::SameDocument { plan: own, .. } => plan.as_ref() == Some(own),
            Part::External(..) => plan.is_none(),
        };
        let same = |(job, made): (&Job<'_>, &Made)| {
            let parts = match (&job.parts, &made.parts) {
                (Ok(own), Ok(made)) => {
                    own.len() == made.len()
                        && own.iter().zip(made).all(|(own, made)| same_part(own, made))
                }
                (own, made) => own.as_ref().err() == made.as_ref().err(),
            };
            (job.signature, job.at, job.algorithm) == made.of && parts
        };
        if self.jobs.len() != made.len() || !self.jobs.iter().zip(&made).all(same) {
            return false;
        }
        for (job, made) in self.jobs.iter_mut().zip(made) {
            let outputs = made.parts.into_iter().flatten().map(|(_, output)| output);
            for ((_, own), output) in job.parts.iter_mut().flatten().zip(outputs) {
                *own = output;
            }
        }
        true
    }

    /// The parts of the only one.
    ///
    /// # Errors
    /// Why they are not known.
    pub(super) fn only_parts(self) -> Result<Vec<Part<'e>>, ImprintUndecided> {
        let only = self.jobs.into_iter().next().ok_or(ImprintUndecided::UnsupportedForm)?;
        Ok(only.parts?.into_iter().map(|(part, _)| part).collect())
    }

    /// Makes the parts in a pass of their own.
    pub(super) fn read(
        &mut self,
        document: &mut Document<'_>,
        budget: &Budget,
        reading: &ReadingOptions,
    ) -> Result<(), Error> {
        let mut slots = Vec::new();
        let mut plans = Vec::new();
        let mut states = Vec::new();
        for (slot, plan, state) in self.plans(budget) {
            slots.push(slot);
            plans.push((plan, false));
            states.push(state);
        }
        if slots.is_empty() {
            return Ok(());
        }
        let reader = reading.reader(document.reader()?)?;
        let results = match run(reader, plans.into_iter(), &mut states, None, &mut |_| Ok(())) {
            Err(Error::Limit { .. }) => {
                self.jobs.iter_mut().for_each(|job| job.parts = Err(ImprintUndecided::Limit));
                return Ok(());
            }
            results => results?.0,
        };
        for ((slot, result), state) in slots.into_iter().zip(results).zip(states) {
            self.put(slot, result.map(|_| ()), state);
        }
        Ok(())
    }

    /// The plans of the parts in the document.
    pub(super) fn plans<'b>(&self, budget: &'b Budget) -> Vec<(PartSlot, Plan, State<'b>)> {
        let mut plans = Vec::new();
        for (job, one) in self.jobs.iter().enumerate() {
            for (part, (what, _)) in one.parts.iter().flatten().enumerate() {
                let Part::SameDocument { plan, .. } = what else { continue };
                let digester = (part == 0).then(|| Digester::new(one.algorithm));
                let mut state = State::of_stamp(budget, digester);
                state.decoder = plan.decoder();
                plans.push((PartSlot { job, part }, Plan::clone(plan), state));
            }
        }
        plans
    }

    /// Takes what the pass has made.
    pub(super) fn put(&mut self, slot: PartSlot, result: Result<(), Error>, state: State<'_>) {
        let parts = self.jobs.get_mut(slot.job).and_then(|job| job.parts.as_mut().ok());
        if let Some((_, output)) = parts.and_then(|parts| parts.get_mut(slot.part)) {
            *output = match (state.exceeded(), result) {
                (Some(Limit::SignedInfoLength), _) => Output::Nothing,
                (Some(_), _) => Output::Failed(ImprintUndecided::Limit),
                (None, Err(error)) => Output::Failed(why(&error)),
                (None, Ok(())) => match state.into_output() {
                    Ok((Some(digester), _)) => Output::Digested(digester),
                    Ok((None, held)) => Output::Held(held),
                    Err(_) => Output::Failed(ImprintUndecided::UnsupportedForm),
                },
            };
        }
    }

    /// Puts the parts together. `one`: all references to other documents have the same
    /// URI.
    pub(super) fn finish(
        self,
        document: &mut Document<'_>,
        originals: &mut [Original<'_>],
        one: bool,
        budget: &Budget,
        reading: &ReadingOptions,
    ) -> Result<Vec<Stamped>, Error> {
        let mut inputs = Inputs { document, originals, one, budget, reading };
        let mut all = Vec::new();
        for Job { signature, at, algorithm, parts } in self.jobs {
            let digest = match parts {
                Ok(parts) => inputs.digest(algorithm, parts)?,
                Err(why) => Err(why),
            };
            all.push(Stamped { signature, at, algorithm, digest });
        }
        Ok(all)
    }
}

/// The digest of what a time-stamp is over.
pub(super) struct Stamped {
    pub(super) signature: usize,
    pub(super) at: usize,
    pub(super) algorithm: DigestAlgorithm,
    pub(super) digest: Result<Digest, ImprintUndecided>,
}

struct Inputs<'i, 'd, 'o> {
    document: &'i mut Document<'d>,
    originals: &'i mut [Original<'o>],
    one: bool,
    budget: &'i Budget,
    reading: &'i ReadingOptions,
}

/// The digest so far, or why there is none.
type Continued = Result<Digester, ImprintUndecided>;

impl Inputs<'_, '_, '_> {
    fn digest(
        &mut self,
        algorithm: DigestAlgorithm,
        parts: Vec<(Part<'_>, Output)>,
    ) -> Result<Result<Digest, ImprintUndecided>, Error> {
        let mut digester = Digester::new(algorithm);
        for (part, output) in parts {
            let next = match (output, part) {
                (Output::Digested(first), _) => Ok(first),
                (Output::Held(octets), _) => {
                    digester.update(&octets);
                    Ok(digester)
                }
                (Output::Failed(why), _) => Err(why),
                (Output::Nothing, Part::SameDocument { plan, .. }) => {
                    self.again(*plan, digester)?
                }
                (Output::Nothing, Part::External(reference, method)) => {
                    let Some(original) = find_original(reference, self.originals, self.one) else {
                        return Ok(Err(ImprintUndecided::DataMissing));
                    };
                    let plan = match Chain::of_octets(reference.transforms, &method) {
                        Ok(Chain { first, then }) if then.is_empty() => first,
                        _ => return Ok(Err(ImprintUndecided::UnsupportedForm)),
                    };
                    let mut state = State::of_stamp(self.budget, Some(digester));
                    state.decoder = plan.decoder();
                    let made = feed_external(original, plan, false, &mut state, self.reading)?;
                    continued(made.err(), state)
                }
            };
            match next {
                Ok(next) => digester = next,
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(Ok(digester.finish()))
    }

    /// Makes a part in a pass of its own.
    fn again(&mut self, plan: Plan, digester: Digester) -> Result<Continued, Error> {
        let length = self.document.len()?.unwrap_or_default();
        if !self.budget.takes_pass(length) {
            return Ok(Err(ImprintUndecided::Limit));
        }
        let reader = self.reading.reader(self.document.reader()?)?;
        let mut state = State::of_stamp(self.budget, Some(digester));
        state.decoder = plan.decoder();
        let (plans, states) = (std::iter::once((plan, false)), std::slice::from_mut(&mut state));
        let (mut results, _) = run(reader, plans, states, None, &mut |_| Ok(()))?;
        Ok(continued(results.pop().and_then(Result::err), state))
    }
}

fn continued(failed: Option<Error>, state: State<'_>) -> Continued {
    match (state.exceeded(), failed) {
        (Some(_), _) => Err(ImprintUndecided::Limit),
        (None, Some(error)) => Err(why(&error)),
        (None, None) => match state.into_output() {
            Ok((Some(digester), _)) => Ok(digester),
            _ => Err(ImprintUndecided::UnsupportedForm),
        },
    }
}

fn why(error: &Error) -> ImprintUndecided {
    match Outcome::of_error(error).problem {
        Some(Problem::ContentMissing | Problem::ReferenceMissing | Problem::DuplicateId) => {
            ImprintUndecided::DataMissing
        }
        _ => ImprintUndecided::UnsupportedForm,
    }
}

/// The limits of all time-stamps together.
pub(super) struct StampBudget {
    /// The number of octets that may still be digested, or read again.
    pub(super) digested: Cell<u64>,
    /// The number of octets that may still be held.
    pub(super) held: Cell<u64>,
}

impl StampBudget {
    /// Maximum number of octets that all parts digest together, as a multiple of the length of
    /// the document and its originals.
    const MAX_PASSES: u64 = 16;
    /// Number of octets that all parts may digest even if the document is short.
    const FREE_OCTETS: u64 = 1 << 26;
    /// Maximum number of octets that are held.
    const MAX_HELD: u64 = 16 << 20;

    pub(super) const fn new(length: u64) -> Self {
        let digested = length.saturating_mul(Self::MAX_PASSES).saturating_add(Self::FREE_OCTETS);
        Self { digested: Cell::new(digested), held: Cell::new(Self::MAX_HELD) }
    }
}
