//! The second reading of a document: digests everything that its signatures refer
//! to in one pass. References to other documents read the originals that the caller
//! passed.

use std::cell::Cell;
use std::io;

use ades_core::{Digest, DigestAlgorithm, Digester, Document};

use crate::c14n::{Covered, IdAttributes, Pass, Selection, Target};
use crate::error::{Error, Limit};
use crate::options::ReadingOptions;
use crate::report::Problem;
use crate::xml::Reader;

use super::decode::Decoder;
use super::original::Original;
use super::signature::{Reference, Signature};
use super::transform::Plan;

/// Maximum number of references of all signatures to parts of the document.
pub(crate) const MAX_REFERENCES: usize = 512;
/// Maximum number of references of all signatures to other documents.
pub(crate) const MAX_EXTERNAL_REFERENCES: usize = 4096;
/// Maximum number of octets that all references digest together, as a multiple of
/// the length of the document and its originals.
pub(crate) const MAX_PASSES: u64 = 64;
/// Number of octets that all references may digest even if the document is short.
const FREE_OCTETS: u64 = 1 << 28;
/// Maximum number of octets of all canonical forms of `ds:SignedInfo`, which are
/// held.
pub(crate) const MAX_SIGNED_INFO_LEN: u64 = 16 << 20;

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
}

/// The result of dereferencing the URI of a reference.
enum Dereferenced {
    /// A part of the document.
    SameDocument {
        plan: Plan,
        comments: bool,
    },
    /// Another document.
    External,
    Failed(Outcome),
}

/// The index of an outcome.
#[derive(Clone, Copy)]
struct Slot {
    signature: usize,
    /// The index of the manifest, if it is in one, and of the reference. `None`:
    /// `ds:SignedInfo` itself.
    reference: Option<(Option<usize>, usize)>,
}

/// Evaluates all references of all signatures.
pub(crate) fn evaluate(
    document: &mut Document<'_>,
    length: u64,
    signatures: &[Option<Signature<'_>>],
    originals: &mut [Original<'_>],
    reading: &ReadingOptions,
) -> Result<Vec<Outcomes>, Error> {
    let mut all: Vec<Outcomes> = signatures.iter().map(|_| Outcomes::default()).collect();
    let mut same_document: Vec<(Slot, Plan, State<'_>)> = Vec::new();
    let mut external: Vec<(Slot, &Reference<'_>)> = Vec::new();
    let budget = Budget::new(length, originals)?;
    for (index, (signature, outcomes)) in signatures.iter().zip(&mut all).enumerate() {
        let Some(signature) = signature else { continue };
        let here = signature.element.place.start;
        let slot = |reference| Slot { signature: index, reference };
        if let Some(method) = &signature.signed_info.method {
            let place = signature.signed_info.element.place.start;
            let plan = Plan::Canonical(Selection::element(Target::At(place)), method.clone());
            same_document.push((slot(None), plan, State::holding(&budget)));
        }
        let manifests = signature.manifests.iter().enumerate();
        let manifests = manifests.map(|(at, manifest)| (Some(at), &manifest.references));
        let own = std::iter::once((None, &signature.signed_info.references));
        for (manifest, references) in own.chain(manifests) {
            let mut list = Vec::new();
            for (at, reference) in references.iter().enumerate() {
                let slot = slot(Some((manifest, at)));
                let mut outcome = Outcome::default();
                match dereference(reference, here, &reading.ids) {
                    Dereferenced::SameDocument { plan, comments } => {
                        outcome.comments = comments;
                        let known = reference.digest.known().map(Digest::algorithm);
                        let algorithm = known.unwrap_or(DigestAlgorithm::Sha256);
                        let state = State::digesting(&budget, Some(algorithm));
                        same_document.push((slot, plan, state));
                    }
                    Dereferenced::External => external.push((slot, reference)),
                    Dereferenced::Failed(failed) => outcome = failed,
                }
                list.push(outcome);
            }
            match manifest {
                None => outcomes.references = list,
                Some(_) => outcomes.manifests.push(list),
            }
        }
    }
    let exceeded = |limit| Err(Error::Limit { offset: None, limit });
    if same_document.len() > MAX_REFERENCES {
        return exceeded(Limit::References);
    }
    if external.len() > MAX_EXTERNAL_REFERENCES {
        return exceeded(Limit::ExternalReferences);
    }
    read_same_document(document, same_document, &mut all, reading)?;
    let first = external.first().map(|(_, reference)| reference.uri);
    let one = external.iter().all(|(_, reference)| Some(reference.uri) == first);
    for (slot, reference) in external {
        let outcome = read_external(reference, originals, one, &budget, reading)?;
        put(&mut all, slot, outcome);
    }
    Ok(all)
}

/// The remaining limits of all references together.
struct Budget {
    /// The number of octets that may still be digested.
    digested: Cell<u64>,
    /// The number of octets of `ds:SignedInfo` that may still be held.
    held: Cell<u64>,
}

impl Budget {
    fn new(length: u64, originals: &mut [Original<'_>]) -> Result<Self, Error> {
        let mut longest = length;
        for original in originals {
            longest = longest.saturating_add(original.document.len()?.unwrap_or_default());
        }
        let digested = longest.saturating_mul(MAX_PASSES).saturating_add(FREE_OCTETS);
        Ok(Self { digested: Cell::new(digested), held: Cell::new(MAX_SIGNED_INFO_LEN) })
    }
}

/// Subtracts octets from a budget. Returns `false` if it has fewer.
fn spend(budget: &Cell<u64>, octets: u64) -> bool {
    let left = budget.get().checked_sub(octets);
    budget.set(left.unwrap_or_default());
    left.is_some()
}

fn put(all: &mut [Outcomes], slot: Slot, outcome: Outcome) {
    let Some(outcomes) = all.get_mut(slot.signature) else { return };
    let list = match slot.reference {
        None => return,
        Some((None, _)) => Some(&mut outcomes.references),
        Some((Some(manifest), _)) => outcomes.manifests.get_mut(manifest),
    };
    let place = slot.reference.and_then(|(_, at)| list.and_then(|list| list.get_mut(at)));
    if let Some(place) = place {
        *place = outcome;
    }
}

/// XML Signature, clauses 4.4.3.1 to 4.4.3.3. `here` is the offset of the signature.
fn dereference(reference: &Reference<'_>, here: u64, ids: &IdAttributes) -> Dereferenced {
    let Some(uri) = reference.uri else { return Dereferenced::External };
    let Some((before, fragment)) = uri.split_once('#') else {
        return match uri {
            "" => same_document(reference, Selection::document(), false, here, ids),
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
        Some("/") => same_document(reference, Selection::document(), true, here, ids),
        Some(pointed) => match quoted(pointed) {
            Some(id) => same_document(reference, by_id(&id), true, here, ids),
            None => unsupported(),
        },
        None if fragment.is_empty() || fragment.contains(['(', ')']) => unsupported(),
        None => same_document(reference, by_id(fragment), false, here, ids),
    }
}

fn same_document(
    reference: &Reference<'_>,
    nodes: Selection,
    comments: bool,
    here: u64,
    ids: &IdAttributes,
) -> Dereferenced {
    let nodes = nodes.with_ids(ids.clone());
    let nodes = if comments { nodes } else { nodes.without_comments() };
    match Plan::of_nodes(nodes, reference.transforms, here) {
        Ok(plan) => {
            let comments = comments && plan.has_comments();
            Dereferenced::SameDocument { plan, comments }
        }
        Err(error) => Dereferenced::Failed(Outcome::of_error(&error)),
    }
}

/// Decodes, digests or holds the octets of one plan while they are read.
struct State<'b> {
    budget: &'b Budget,
    digester: Option<Digester>,
    decoder: Option<Decoder>,
    held: Option<Vec<u8>>,
    length: u64,
    /// The limit that was exceeded.
    exceeded: Option<Limit>,
}

impl<'b> State<'b> {
    fn digesting(budget: &'b Budget, algorithm: Option<DigestAlgorithm>) -> Self {
        let digester = algorithm.map(Digester::new);
        Self { budget, digester, decoder: None, held: None, length: 0, exceeded: None }
    }

    fn holding(budget: &'b Budget) -> Self {
        Self { held: Some(Vec::new()), ..Self::digesting(budget, None) }
    }

    fn charge(&mut self, octets: u64) {
        if !spend(&self.budget.digested, octets) {
            self.exceeded = Some(Limit::ReferencedOctets);
        }
    }

    fn take(&mut self, piece: &[u8]) -> io::Result<()> {
        self.charge(piece.len() as u64);
        if self.held.is_some() && !spend(&self.budget.held, piece.len() as u64) {
            self.exceeded = Some(Limit::SignedInfoLength);
        }
        if let Some(limit) = self.exceeded {
            return Err(io::Error::other(limit.to_string()));
        }
        let Self { digester, decoder, length, held, .. } = self;
        let mut take = |octets: &[u8]| {
            *length += octets.len() as u64;
            if let Some(digester) = digester {
                digester.update(octets);
            }
        };
        match decoder {
            Some(decoder) => decoder.push(piece, &mut take)?,
            None => take(piece),
        }
        if let Some(held) = held {
            held.extend_from_slice(piece);
        }
        Ok(())
    }

    /// The digest, if its algorithm is known.
    fn finish(&mut self) -> io::Result<Option<Digest>> {
        if let Some(decoder) = self.decoder.take() {
            let Self { digester, length, .. } = self;
            decoder.finish(&mut |octets| {
                *length += octets.len() as u64;
                if let Some(digester) = digester {
                    digester.update(octets);
                }
            })?;
        }
        Ok(self.digester.take().map(Digester::finish))
    }
}

fn add<'s>(
    pass: &mut Pass<'_, 's>,
    plan: Plan,
    sink: &'s mut (dyn FnMut(&[u8]) -> io::Result<()> + 's),
) {
    match plan {
        Plan::Canonical(nodes, method) => pass.add(method, nodes, sink),
        Plan::DecodedText(nodes) => pass.add_text(nodes, sink),
        // These plans digest octets without parsing them.
        Plan::Octets | Plan::Decoded => {}
    }
}

/// Carries out several plans in one pass. Returns the result of each.
fn run(
    reader: Reader<'_>,
    plans: impl Iterator<Item = Plan>,
    states: &mut [&mut State<'_>],
) -> Result<Vec<Result<Covered, Error>>, Error> {
    let mut sinks: Vec<_> =
        states.iter_mut().map(|state| |piece: &[u8]| state.take(piece)).collect();
    let mut pass = Pass::new(reader);
    for (plan, sink) in plans.zip(&mut sinks) {
        add(&mut pass, plan, sink);
    }
    pass.run_each()
}

fn read_same_document(
    document: &mut Document<'_>,
    jobs: Vec<(Slot, Plan, State<'_>)>,
    all: &mut [Outcomes],
    reading: &ReadingOptions,
) -> Result<(), Error> {
    if jobs.is_empty() {
        return Ok(());
    }
    let mut slots = Vec::new();
    let mut plans = Vec::new();
    let mut states = Vec::new();
    for (slot, plan, mut state) in jobs {
        state.decoder = plan.decoder();
        slots.push(slot);
        plans.push(plan);
        states.push(state);
    }
    let reader = reading.reader(document.reader()?)?;
    let mut borrowed: Vec<&mut State<'_>> = states.iter_mut().collect();
    let results = run(reader, plans.into_iter(), &mut borrowed)?;
    for ((slot, result), mut state) in slots.into_iter().zip(results).zip(states) {
        check_limits(&state)?;
        let Some((manifest, at)) = slot.reference else {
            if let (Some(outcomes), Ok(_)) = (all.get_mut(slot.signature), result) {
                outcomes.signed_info = state.held;
            }
            continue;
        };
        let mut outcome = outcome_of(result, &mut state);
        if let Some(before) = all.get(slot.signature).and_then(|outcomes| match manifest {
            None => outcomes.references.get(at),
            Some(manifest) => outcomes.manifests.get(manifest)?.get(at),
        }) {
            outcome.comments = before.comments;
        }
        put(all, slot, outcome);
    }
    Ok(())
}

fn check_limits(state: &State<'_>) -> Result<(), Error> {
    state.exceeded.map_or(Ok(()), |limit| Err(Error::Limit { offset: None, limit }))
}

fn outcome_of(result: Result<Covered, Error>, state: &mut State<'_>) -> Outcome {
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

/// Evaluates a reference to another document, which the caller may have passed.
/// `one`: all such references have the same URI.
fn read_external(
    reference: &Reference<'_>,
    originals: &mut [Original<'_>],
    one: bool,
    budget: &Budget,
    reading: &ReadingOptions,
) -> Result<Outcome, Error> {
    let plan = match Plan::of_octets(reference.transforms) {
        Ok(plan) => plan,
        Err(error) => return Ok(Outcome::of_error(&error)),
    };
    let exact = originals.iter().position(|original| original.is_named(reference.uri));
    let any = || originals.iter().position(|original| one && original.uri.is_none());
    let Some(original) = exact.or_else(any).and_then(|at| originals.get_mut(at)) else {
        return Ok(Outcome::failed(Problem::ContentMissing, None));
    };
    let algorithm = reference.digest.known().map(Digest::algorithm);
    let mut state = State::digesting(budget, algorithm);
    state.decoder = plan.decoder();
    if matches!(plan, Plan::Octets | Plan::Decoded) {
        let read = original
            .document
            .read_through(&mut |piece| state.take(piece).map_err(ades_core::Error::Write));
        check_limits(&state)?;
        return match read {
            Ok(_) => {
                let outcome = outcome_of(Ok(Covered::default()), &mut state);
                Ok(Outcome { covered: None, ..outcome })
            }
            Err(ades_core::Error::Write(error)) => {
                Ok(Outcome::failed(Problem::TransformFailed, error.to_string()))
            }
            Err(error) => Err(error.into()),
        };
    }
    // The whole document is read, even if the selection is small.
    state.charge(original.document.len()?.unwrap_or_default());
    check_limits(&state)?;
    let result = reading.reader(original.document.reader()?).and_then(|reader| {
        let mut results = run(reader, std::iter::once(plan), &mut [&mut state])?;
        results.pop().unwrap_or_else(|| Ok(Covered::default()))
    });
    check_limits(&state)?;
    match result {
        Err(Error::Core(error @ ades_core::Error::Read(_))) => Err(error.into()),
        result => {
            let outcome = outcome_of(result, &mut state);
            Ok(Outcome { covered: None, ..outcome })
        }
    }
}
