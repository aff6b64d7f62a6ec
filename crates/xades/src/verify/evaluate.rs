//! The second reading of a document: digests everything that its signatures refer
//! to in one pass. References to other documents read the originals that the caller
//! passed.

pub(crate) mod foreseen;
mod job;
mod parsed;
mod stamped;
mod state;

use std::collections::HashMap;

use ades_core::facts::ImprintUndecided;
use ades_core::{Digest, DigestAlgorithm, Document};

use crate::c14n::{Canonicalization, Covered, IdAttributes, Selection, Target};
use crate::error::{Error, Limit};
use crate::options::ReadingOptions;
use crate::report::Problem;

use super::original::Original;
use super::signature::{Reference, Signature};
use super::time_stamp::{Part, TimeStamp};
use super::transform::{Chain, Plan};
use super::tree::Element;
use foreseen::{Foreseen, ForeseenOutcomes};
use job::{Done, Job, carry_out, carry_out_with, outcome_of, run};
use parsed::parse_again;
use stamped::{Stamped, Stamps};
use state::{Budget, State};

pub(crate) use state::{MAX_PARSED_LEN, MAX_PASSES, MAX_SIGNED_INFO_LEN};

/// Maximum number of references of all signatures to parts of the document.
pub(crate) const MAX_REFERENCES: usize = 512;
/// Maximum number of references of all signatures to other documents.
pub(crate) const MAX_EXTERNAL_REFERENCES: usize = 4096;
/// The outcome of evaluating one `ds:Reference`.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The digest by the reference's algorithm. By SHA-256 if that algorithm is unknown
    /// and the reference is to a part of the document.
    pub(crate) digest: Option<Digest>,
    pub(crate) problem: Option<Problem>,
    pub(crate) detail: Option<String>,
    /// The covered parts. `None` if the reference is to another document.
    pub(crate) covered: Option<Covered>,
    pub(crate) comments: bool,
    /// Whether the covered part contains comments that are not covered.
    pub(crate) comments_left_out: bool,
    pub(crate) length: u64,
}

impl Outcome {
    fn failed(problem: Problem, detail: impl Into<Option<String>>) -> Self {
        Self { problem: Some(problem), detail: detail.into(), ..Self::default() }
    }

    fn of_error(error: &Error) -> Self {
        let problem = match error {
            Error::DuplicateId { .. } => Problem::DuplicateId,
            Error::NoSuchElement { .. } => Problem::ReferenceMissing,
            Error::Limit { limit: Limit::ParsedLength, .. } => Problem::TransformUnsupported,
            error if error.fault() == ades_core::Fault::Unsupported => {
                Problem::TransformUnsupported
            }
            _ => Problem::TransformFailed,
        };
        Self::failed(problem, error.to_string())
    }
}

/// The outcomes of all references of one signature.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// `ds:SignedInfo` in canonical form.
    pub(crate) signed_info: Option<Vec<u8>>,
    /// The references of `ds:SignedInfo`.
    pub(crate) references: Vec<Outcome>,
    /// The references of each manifest.
    pub(crate) manifests: Vec<Vec<Outcome>>,
    /// The digests of what the time-stamps are over, by their index and the algorithm.
    pub(crate) stamped: HashMap<(usize, DigestAlgorithm), Result<Digest, ImprintUndecided>>,
}

/// The result of dereferencing the URI of a reference.
pub(super) enum Dereferenced {
    /// A part of the document.
    SameDocument {
        chain: Chain,
        comments: bool,
    },
    /// Another document.
    External,
    Failed(Outcome),
}

/// The index of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    signature: usize,
    of: SlotOf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SlotOf {
    SignedInfo,
    /// The index of the manifest, if it is in one, and of the reference.
    Reference(Option<usize>, usize),
}

/// The references of all signatures.
struct References<'s> {
    /// An outcome for each of them, with a problem if it cannot be evaluated.
    outcomes: Vec<Outcomes>,
    /// To the same document.
    jobs: Vec<Job>,
    /// To other documents.
    external: Vec<(Slot, &'s Reference<'s>)>,
}

/// Evaluates all references of all signatures. `foreseen` are the outcomes of an earlier
/// reading of the document, if it had one. Also returns the imprints of time-stamps that may be
/// `next`, if they do not cost another pass.
pub(crate) fn evaluate(
    document: &mut Document<'_>,
    length: u64,
    signatures: &[Option<Signature<'_>>],
    originals: &mut [Original<'_>],
    reading: &ReadingOptions,
    foreseen: Option<ForeseenOutcomes>,
    next: &[NextStamp],
) -> Result<(Vec<Outcomes>, Vec<Imprint>), Error> {
    let budget = Budget::new(length, originals)?;
    let budget_of_next = Budget::new(length, &mut [])?;
    let References { outcomes: mut all, jobs, external } = References::new(signatures, reading)?;
    let mut stamps = Stamps::of(signatures, &reading.ids);
    let mut next = next_stamps(signatures, next, reading);
    let done = match foreseen.and_then(|foreseen| foreseen.of(&jobs)) {
        Some(Foreseen { done, stamps: made, next: made_next }) => {
            if !stamps.take(made) {
                stamps.read(document, &budget, reading)?;
            }
            if !next.take(made_next) {
                next = Stamps::default();
            }
            done
        }
        None if jobs.is_empty() && !stamps.need_a_pass() => Vec::new(),
        None => {
            let reader = reading.reader(document.reader()?)?;
            let with = &mut [(&mut stamps, &budget), (&mut next, &budget_of_next)];
            match carry_out_with(with, &jobs, reader, reading, &budget, None, &mut |_| Ok(())) {
                Err(Error::Limit { .. }) => {
                    next = Stamps::default();
                    stamps = Stamps::of(signatures, &reading.ids);
                    read_apart(document, &jobs, &mut stamps, originals, reading)?
                }
                done => done?.0,
            }
        }
    };
    jobs.iter().zip(done).for_each(|(job, done)| put_done(&mut all, job.slot, done));
    let one = has_one_uri(&external);
    for (slot, reference) in external {
        let outcome = read_external(reference, originals, one, &budget, reading)?;
        put(&mut all, slot, outcome);
    }
    for stamped in stamps.finish(document, originals, one, &budget, reading)? {
        let Stamped { signature, at, algorithm, digest } = stamped;
        if let Some(outcomes) = all.get_mut(signature) {
            outcomes.stamped.insert((at, algorithm), digest);
        }
    }
    let next = next.finish(document, &mut [], one, &budget_of_next, reading)?;
    let made = |stamped: Stamped| {
        let digest = stamped.digest.ok()?;
        Some(Imprint { signature: stamped.signature, digest })
    };
    Ok((all, next.into_iter().filter_map(made).collect()))
}

/// As the pass for both, in one pass for the references and one for the time-stamps.
fn read_apart(
    document: &mut Document<'_>,
    jobs: &[Job],
    stamps: &mut Stamps<'_>,
    originals: &mut [Original<'_>],
    reading: &ReadingOptions,
) -> Result<Vec<Done>, Error> {
    let length = document.len()?.unwrap_or_default();
    let budget = Budget::new(length, originals)?;
    let reader = reading.reader(document.reader()?)?;
    let done = carry_out(jobs, reader, reading, &budget, None, &mut |_| Ok(()))?;
    stamps.read(document, &budget, reading)?;
    Ok(done)
}

/// A time-stamp of the signature with this index, which may be added later.
pub(crate) type NextStamp = (usize, TimeStamp);

/// The digest of what the next time-stamp of a signature will be over.
#[derive(Debug)]
pub(crate) struct Imprint {
    /// The index of the signature.
    pub(crate) signature: usize,
    pub(crate) digest: Digest,
}

/// Those of the time-stamps that are over parts of the document alone. Those that exist count for the
/// limits.
fn next_stamps<'e>(
    signatures: &'e [Option<Signature<'e>>],
    next: &[NextStamp],
    reading: &ReadingOptions,
) -> Stamps<'e> {
    let mut stamps = Stamps::of(signatures, &reading.ids);
    let existing = stamps.len();
    for (index, stamp) in next {
        if let Some(Some(signature)) = signatures.get(*index) {
            stamps.add_one((*index, 0), stamp, signature, &reading.ids);
        }
    }
    stamps.forget_first(existing);
    stamps.keep_those_within();
    stamps
}

/// The digest of what a time-stamp of the signature with this index will be over. The
/// inner error: why it is not known.
pub(crate) fn imprint(
    document: &mut Document<'_>,
    length: u64,
    signatures: &[Option<Signature<'_>>],
    (index, stamp): (usize, &TimeStamp),
    originals: &mut [Original<'_>],
    reading: &ReadingOptions,
) -> Result<Result<Digest, ImprintUndecided>, Error> {
    let budget = Budget::new(length, originals)?;
    let external = References::new(signatures, reading)?.external;
    let Some(mut stamps) = foreseen_stamp(signatures, (index, stamp), reading) else {
        return Ok(Err(ImprintUndecided::UnsupportedForm));
    };
    stamps.read(document, &budget, reading)?;
    let one = has_one_uri(&external);
    let mut made = stamps.finish(document, originals, one, &budget, reading)?;
    Ok(made.pop().map_or(Err(ImprintUndecided::UnsupportedForm), |made| made.digest))
}

/// What a time-stamp of the signature with this index will be over. The error: why that is not
/// known.
pub(crate) fn stamped_parts<'e>(
    signatures: &'e [Option<Signature<'e>>],
    (index, stamp): (usize, &TimeStamp),
    reading: &ReadingOptions,
) -> Result<Vec<Part<'e>>, ImprintUndecided> {
    let stamps = foreseen_stamp(signatures, (index, stamp), reading);
    stamps.ok_or(ImprintUndecided::UnsupportedForm)?.only_parts()
}

/// A time-stamp that does not exist yet. Those that exist count for the limits.
fn foreseen_stamp<'e>(
    signatures: &'e [Option<Signature<'e>>],
    (index, stamp): (usize, &TimeStamp),
    reading: &ReadingOptions,
) -> Option<Stamps<'e>> {
    let mut stamps = Stamps::of(signatures, &reading.ids);
    let existing = stamps.len();
    let signature = signatures.get(index)?.as_ref()?;
    stamps.add_one((index, 0), stamp, signature, &reading.ids);
    stamps.forget_first(existing);
    Some(stamps)
}

/// Whether all references to other documents have the same URI.
fn has_one_uri(external: &[(Slot, &Reference<'_>)]) -> bool {
    let first = external.first().map(|(_, reference)| reference.uri);
    external.iter().all(|(_, reference)| Some(reference.uri) == first)
}

impl<'s> References<'s> {
    fn new(
        signatures: &'s [Option<Signature<'s>>],
        reading: &ReadingOptions,
    ) -> Result<Self, Error> {
        let outcomes = signatures.iter().map(|_| Outcomes::default()).collect();
        let mut all = Self { outcomes, jobs: Vec::new(), external: Vec::new() };
        for (index, signature) in signatures.iter().enumerate() {
            if let Some(signature) = signature {
                all.add(index, signature, &reading.ids);
            }
        }
        let exceeded = |limit| Err(Error::Limit { offset: None, limit });
        if all.jobs.len() > MAX_REFERENCES {
            return exceeded(Limit::References);
        }
        if all.external.len() > MAX_EXTERNAL_REFERENCES {
            return exceeded(Limit::ExternalReferences);
        }
        Ok(all)
    }

    fn add(&mut self, index: usize, signature: &'s Signature<'s>, ids: &IdAttributes) {
        let slot = |of| Slot { signature: index, of };
        if let Some(method) = &signature.signed_info.method {
            let place = signature.signed_info.element.place.start;
            let plan = Plan::Canonical(Selection::element(Target::At(place)), method.clone());
            let slot = slot(SlotOf::SignedInfo);
            self.jobs.push(Job { slot, chain: plan.into(), digested: None });
        }
        let manifests = signature.manifests.iter().enumerate();
        let manifests = manifests.map(|(at, manifest)| (Some(at), &manifest.references));
        let own = std::iter::once((None, &signature.signed_info.references));
        for (manifest, references) in own.chain(manifests) {
            let mut list = Vec::new();
            for (at, reference) in references.iter().enumerate() {
                let slot = slot(SlotOf::Reference(manifest, at));
                let mut outcome = Outcome::default();
                match dereference(reference, signature.element, ids, &Canonicalization::C14N_1_0) {
                    Dereferenced::SameDocument { chain, comments } => {
                        outcome.comments = comments;
                        let known = reference.digest.known().map(Digest::algorithm);
                        let digested = Some(known.unwrap_or(DigestAlgorithm::Sha256));
                        self.jobs.push(Job { slot, chain, digested });
                    }
                    Dereferenced::External => self.external.push((slot, reference)),
                    Dereferenced::Failed(failed) => outcome = failed,
                }
                list.push(outcome);
            }
            let Some(outcomes) = self.outcomes.get_mut(index) else { return };
            match manifest {
                None => outcomes.references = list,
                Some(_) => outcomes.manifests.push(list),
            }
        }
    }
}

/// Stores the result of a job.
fn put_done(all: &mut [Outcomes], slot: Slot, done: Done) {
    let Some(outcomes) = all.get_mut(slot.signature) else { return };
    match slot.of {
        SlotOf::SignedInfo => outcomes.signed_info = done.held,
        SlotOf::Reference(..) => {
            let comments = outcomes.reference(slot.of).is_some_and(|before| before.comments);
            put(all, slot, Outcome { comments, ..done.outcome });
        }
    }
}

fn put(all: &mut [Outcomes], slot: Slot, outcome: Outcome) {
    let place = all.get_mut(slot.signature).and_then(|outcomes| outcomes.reference(slot.of));
    if let Some(place) = place {
        *place = outcome;
    }
}

impl Outcomes {
    fn reference(&mut self, slot: SlotOf) -> Option<&mut Outcome> {
        match slot {
            SlotOf::SignedInfo => None,
            SlotOf::Reference(None, at) => self.references.get_mut(at),
            SlotOf::Reference(Some(manifest), at) => self.manifests.get_mut(manifest)?.get_mut(at),
        }
    }
}

/// XML Signature, clauses 4.4.3.1 to 4.4.3.3. `last` makes octets of nodes that are left.
pub(super) fn dereference(
    reference: &Reference<'_>,
    signature: &Element,
    ids: &IdAttributes,
    last: &Canonicalization,
) -> Dereferenced {
    let same_document = |nodes: Selection, comments| {
        same_document(reference, nodes, comments, signature, ids, last)
    };
    let Some(uri) = reference.uri else { return Dereferenced::External };
    let Some((before, fragment)) = uri.split_once('#') else {
        return match uri {
            "" => same_document(Selection::document(), false),
            _ => Dereferenced::External,
        };
    };
    let unsupported = || {
        let detail = "a URI with a fragment that is not supported".to_owned();
        Dereferenced::Failed(Outcome::failed(Problem::TransformUnsupported, detail))
    };
    if !before.is_empty() {
        return unsupported();
    }
    let by_id = |id: &str| Selection::element(Target::Id(id.to_owned()));
    let pointed = fragment.strip_prefix("xpointer(").and_then(|rest| rest.strip_suffix(')'));
    let quoted = |id: &str| {
        let id = id.strip_prefix("id(")?.strip_suffix(')')?;
        let between = |quote| id.strip_prefix(quote).and_then(|id| id.strip_suffix(quote));
        let id = between('\'').or_else(|| between('"'))?;
        (!id.contains(['\'', '"', '(', ')'])).then(|| id.to_owned())
    };
    match pointed {
        Some("/") => same_document(Selection::document(), true),
        Some(pointed) => match quoted(pointed) {
            Some(id) => same_document(by_id(&id), true),
            None => unsupported(),
        },
        None if fragment.is_empty() || fragment.contains(['(', ')']) => unsupported(),
        None => same_document(by_id(fragment), false),
    }
}

fn same_document(
    reference: &Reference<'_>,
    nodes: Selection,
    comments: bool,
    signature: &Element,
    ids: &IdAttributes,
    last: &Canonicalization,
) -> Dereferenced {
    let nodes = nodes.with_ids(ids.clone());
    let nodes = if comments { nodes } else { nodes.without_comments() };
    match Chain::of_nodes(nodes, reference.transforms, signature, last) {
        Ok(chain) => {
            let comments = comments && chain.has_comments();
            Dereferenced::SameDocument { chain, comments }
        }
        Err(error) => Dereferenced::Failed(Outcome::of_error(&error)),
    }
}

/// Evaluates a reference to another document, which the caller may have passed.
/// `one`: all such references have the same URI.
fn read_external(
    reference: &Reference<'_>,
    originals: &mut [Original<'_>],
    one: bool,
    budget: &Budget,
    reading: &ReadingOptions,
) -> Result<Outcome, Error> {
    let chain = match Chain::of_octets(reference.transforms, &Canonicalization::C14N_1_0) {
        Ok(chain) => chain,
        Err(error) => return Ok(Outcome::of_error(&error)),
    };
    let Some(original) = find_original(reference, originals, one) else {
        return Ok(Outcome::failed(Problem::ContentMissing, None));
    };
    let algorithm = reference.digest.known().map(Digest::algorithm);
    let (mut state, last) = State::digesting(budget, algorithm).of_chain(&chain);
    let Chain { first, then } = chain;
    let result = feed_external(original, first, !then.is_empty(), &mut state, reading)?;
    state.check()?;
    let (result, mut state) = parse_again(result, state, &then, last, reading)?;
    let outcome = outcome_of(result, &mut state);
    Ok(Outcome { covered: None, ..outcome })
}

/// The original that a reference to another document means. `one`: all such references
/// have the same URI.
fn find_original<'o, 'd>(
    reference: &Reference<'_>,
    originals: &'o mut [Original<'d>],
    one: bool,
) -> Option<&'o mut Original<'d>> {
    let fitting = originals.iter().map(|original| original.fits(reference.uri)).enumerate();
    // Of several that fit equally well, the first.
    let fitting = fitting.filter(|(_, fits)| *fits > 0).rev();
    let exact = fitting.max_by_key(|(_, fits)| *fits).map(|(at, _)| at);
    let any = || originals.iter().position(|original| one && original.uri.is_none());
    exact.or_else(any).and_then(|at| originals.get_mut(at))
}

/// Passes the octets that a plan makes of another document to `state`. `parsed`: they are
/// parsed again. The inner error: they cannot be made.
fn feed_external(
    original: &mut Original<'_>,
    plan: Plan,
    parsed: bool,
    state: &mut State<'_>,
    reading: &ReadingOptions,
) -> Result<Result<Covered, Error>, Error> {
    if matches!(plan, Plan::Octets | Plan::Decoded) {
        let read = original
            .document
            .read_through(&mut |piece| state.take(piece).map_err(ades_core::Error::Write));
        return match read {
            Ok(_) => Ok(Ok(Covered::default())),
            Err(error @ ades_core::Error::Write(_)) => Ok(Err(error.into())),
            Err(error) => Err(error.into()),
        };
    }
    // The whole document is read, even if the selection is small.
    state.charge(original.document.len()?.unwrap_or_default());
    if let Some(limit) = state.exceeded() {
        return Ok(Err(Error::Limit { offset: None, limit }));
    }
    let result = reading.reader(original.document.reader()?).and_then(|reader| {
        let plans = std::iter::once((plan, parsed));
        let state = std::slice::from_mut(state);
        let (mut results, _) = run(reader, plans, state, None, &mut |_| Ok(()))?;
        results.pop().unwrap_or_else(|| Ok(Covered::default()))
    });
    match result {
        Err(Error::Core(error @ ades_core::Error::Read(_))) => Err(error.into()),
        result => Ok(result),
    }
}
