//! Jobs: making the octets that a reference refers to, and digesting them. All jobs share
//! one reading of the document.

use std::io;

use ades_core::DigestAlgorithm;

use crate::c14n::{Covered, InsertionFacts, Pass, PausedPass};
use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::options::ReadingOptions;
use crate::report::Problem;
use crate::verify::transform::{Chain, Plan};
use crate::xml::{Event, Reader};

use super::parsed::parse_again;
use super::stamped::Stamps;
use super::state::{Budget, State};
use super::{Outcome, Slot};

/// The octets of one reference, `ds:SignedInfo` or time-stamp, and their use.
#[derive(Debug, PartialEq)]
pub(super) struct Job {
    pub(super) slot: Slot,
    pub(super) chain: Chain,
    /// The algorithm of their digest. `None`: the octets themselves are needed.
    pub(super) digested: Option<DigestAlgorithm>,
}

impl Job {
    /// Whether its octets follow from what comes after the checkpoint, and from the form of the
    /// whole document before it. `is_own` accepts the Ids in the new signature. They contain a
    /// digest of the document, so that no element before the signature has one of them.
    pub(super) fn continues(&self, checkpoint: &Checkpoint, is_own: impl Fn(&str) -> bool) -> bool {
        let Plan::Canonical(nodes, method) = &self.chain.first else { return false };
        let (at, before) = (checkpoint.at(), &checkpoint.pass.form);
        let is_later = nodes.is_element_after(at, is_own);
        let is_whole = nodes.is_whole_until(at)
            && before.is_of(nodes, method)
            && self.digested == Some(checkpoint.octets.algorithm());
        self.chain.then.is_empty() && (is_later || is_whole)
    }

    /// Whether it is about the whole document.
    fn is_of_document(&self) -> bool {
        matches!(&self.chain.first, Plan::Canonical(nodes, _) if nodes.is_document())
    }
}

/// The result of a job.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) outcome: Outcome,
    /// The octets, if they are needed.
    pub(super) held: Option<Vec<u8>>,
}

/// `parsed`: the octets are parsed again.
fn add<'s>(
    pass: &mut Pass<'_, 's>,
    plan: Plan,
    parsed: bool,
    sink: &'s mut (dyn FnMut(&[u8]) -> io::Result<()> + 's),
) {
    match plan {
        Plan::Canonical(nodes, method) if parsed => pass.add_marked(method, nodes, sink),
        Plan::Canonical(nodes, method) => pass.add(method, nodes, sink),
        Plan::DecodedText(nodes) => pass.add_text(nodes, sink),
        // These plans digest octets without parsing them.
        Plan::Octets | Plan::Decoded => {}
    }
}

/// Carries out several plans in one pass, each with whether its octets are parsed again. `see`
/// sees the events first. Returns the result of each plan, and what insertions into the document
/// depend on. `paused`: the place of the reader.
pub(super) fn run(
    reader: Reader<'_>,
    plans: impl Iterator<Item = (Plan, bool)>,
    states: &mut [State<'_>],
    paused: Option<&PausedPass>,
    see: &mut dyn FnMut(&Event<'_>) -> Result<(), Error>,
) -> Result<(Vec<Result<Covered, Error>>, InsertionFacts), Error> {
    let mut sinks: Vec<_> =
        states.iter_mut().map(|state| |piece: &[u8]| state.take(piece)).collect();
    let mut pass = Pass::new(reader);
    for ((plan, parsed), sink) in plans.zip(&mut sinks) {
        add(&mut pass, plan, parsed, sink);
    }
    if let Some(paused) = paused {
        pass.resume(paused);
    }
    pass.run_each(see)
}

/// Carries out jobs in one pass, whose events `see` sees first. With a checkpoint, which all jobs
/// [continue](Job::continues), the reader is there.
pub(super) fn carry_out(
    jobs: &[Job],
    reader: Reader<'_>,
    reading: &ReadingOptions,
    budget: &Budget,
    checkpoint: Option<&Checkpoint>,
    see: &mut dyn FnMut(&Event<'_>) -> Result<(), Error>,
) -> Result<Vec<Done>, Error> {
    let (done, _) = carry_out_with(&mut [], jobs, reader, reading, budget, checkpoint, see)?;
    Ok(done)
}

/// As [`carry_out`], with the parts of time-stamps in the same pass. Each list of them has a budget.
/// Also returns what insertions into the document depend on.
pub(super) fn carry_out_with<'b>(
    stamps: &mut [(&mut Stamps<'_>, &'b Budget)],
    jobs: &[Job],
    reader: Reader<'_>,
    reading: &ReadingOptions,
    budget: &'b Budget,
    checkpoint: Option<&Checkpoint>,
    see: &mut dyn FnMut(&Event<'_>) -> Result<(), Error>,
) -> Result<(Vec<Done>, InsertionFacts), Error> {
    let of_job = |job: &Job| match (job.digested, checkpoint) {
        (None, _) => State::holding(budget).of_chain(&job.chain),
        (Some(_), Some(checkpoint)) if job.is_of_document() => {
            (State::continuing(budget, checkpoint), None)
        }
        (algorithm, _) => State::digesting(budget, algorithm).of_chain(&job.chain),
    };
    let (mut states, last): (Vec<State<'_>>, Vec<_>) = jobs.iter().map(of_job).unzip();
    let plans = jobs.iter().map(|job| (job.chain.first.clone(), !job.chain.then.is_empty()));
    let mut plans: Vec<(Plan, bool)> = plans.collect();
    let mut slots = Vec::new();
    for (list, (stamps, budget)) in stamps.iter().enumerate() {
        for (slot, plan, state) in stamps.plans(budget) {
            slots.push((list, slot));
            plans.push((plan, false));
            states.push(state);
        }
    }
    let paused = checkpoint.map(|checkpoint| &checkpoint.pass);
    let (mut results, facts) = run(reader, plans.into_iter(), &mut states, paused, see)?;
    let of_stamps = results.split_off(jobs.len()).into_iter().zip(states.split_off(jobs.len()));
    for ((list, slot), (result, state)) in slots.into_iter().zip(of_stamps) {
        if let Some((stamps, _)) = stamps.get_mut(list) {
            stamps.put(slot, result.map(|_| ()), state);
        }
    }
    let mut all = Vec::new();
    for (((result, state), last), job) in results.into_iter().zip(states).zip(last).zip(jobs) {
        state.check()?;
        let (result, mut state) = parse_again(result, state, &job.chain.then, last, reading)?;
        let held = state.take_held().filter(|_| result.is_ok());
        all.push(Done { outcome: outcome_of(result, &mut state), held });
    }
    Ok((all, facts))
}

pub(super) fn outcome_of(result: Result<Covered, Error>, state: &mut State<'_>) -> Outcome {
    match result {
        Err(error) => Outcome::of_error(&error),
        Ok(covered) => match state.finish() {
            Err(error) => Outcome::failed(Problem::TransformFailed, error.to_string()),
            Ok(digest) => {
                let comments_left_out = covered.comments_left_out && !covered.text;
                let (covered, length) = (Some(covered), state.length);
                Outcome { digest, covered, length, comments_left_out, ..Outcome::default() }
            }
        },
    }
}
