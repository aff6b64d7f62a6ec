//! What the document shows before a step: its signatures, and what each of them still needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use ades_core::facts::{Evidence, TimeStampFacts};
use ades_core::{Digest, Document, Level};
use ades_evidence::needs::{Need, NeedId};
use ades_evidence::{ValidationData, VerifiedValues};
use ades_validation::{About, Collected, Gap, GivenData, Judge, Material, SubIndication};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Missing;
use super::answer::Answers;
use super::collect::{collect, roots, to_be_embedded};
use crate::detect::Format;
use crate::error::Error;
use crate::report::{FormatReport, Report};
use crate::trusted_lists::TrustedLists;
use crate::verdict::{LastMaterial, Verdict};
use crate::verify::{VerifyOptions, read};

/// Codes of problems that say nothing about the format of a signature.
const ABOUT_TRUST: [&str; 4] =
    ["no-trust-anchors", "path-invalid", "revocation-missing", "untrusted"];
/// Maximum number of needs that are asked for at one time.
const MAX_NEEDS: usize = 64;

/// What a signature is known by between two steps. In CAdES and PAdES, that is its value: the order
/// of the signers in a container may change. In XAdES, it is its position, because two elements of a
/// document may have one value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct SignatureKey(String);

/// A document as it is before a step, verified and judged.
pub(super) struct Look {
    report: Report,
    /// The places of the signatures that are raised.
    places: Vec<Vec<usize>>,
    collected: Vec<(Collected, ValidationData)>,
}

/// How much of a document is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Depth {
    /// All of it.
    #[default]
    Whole,
    /// What was added. The document is read once more later.
    Added,
}

/// What is remembered between two steps of one process. It is not stored: whoever continues
/// in another process computes it again.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    pub(super) verified: VerifiedValues,
    /// What the format states of the document that the next step gets again, and the length of
    /// that document.
    read: Option<(u64, FormatReport)>,
    /// What the steps need to know of the present XML document.
    pub(super) known: xades::KnownDocument,
    /// The digests of the octets that no step changes. Only steps after which the document is
    /// read once more rely on them.
    beginning: Arc<pades::DigestedBeginning>,
    /// How much of the present document was read.
    depth: Depth,
    /// How much of the next one will be.
    next: Depth,
}

impl Memory {
    /// Remembers a document, because nothing was written.
    pub(super) fn keep(&mut self, document: &mut Document<'_>, look: Look) -> Result<(), Error> {
        self.read = document.len()?.map(|len| (len, look.report.format_report));
        Ok(())
    }

    /// Another document was written, of which the next step reads this much.
    pub(super) fn written(&mut self, next: Depth) {
        self.read = None;
        self.next = next;
    }

    /// The digests of the octets that no step changes.
    pub(super) fn beginning(&self) -> Arc<pades::DigestedBeginning> {
        Arc::clone(&self.beginning)
    }

    /// Whether all of the present document was read.
    pub(super) fn is_whole(&self) -> bool {
        self.depth == Depth::Whole
    }

    /// Reads the document, unless that was done. Whoever gives another document than before
    /// learns that at the latest at the end, when all of it is read.
    fn read(
        &mut self,
        document: &mut Document<'_>,
        mut options: VerifyOptions<'_>,
    ) -> Result<FormatReport, Error> {
        let len = document.len()?;
        let known = self.read.take().filter(|(known, _)| len == Some(*known));
        if let Some((_, report)) = known {
            return Ok(report);
        }
        self.depth = std::mem::take(&mut self.next);
        if self.is_whole() {
            self.beginning = Arc::default();
        }
        options.beginning = Some(self.beginning());
        match read(document, options)? {
            (report, None) => Ok(report),
            _ => Err(Error::ContainerWrapped),
        }
    }
}

impl Look {
    pub(super) fn new(
        document: &mut Document<'_>,
        options: &mut VerifyOptions<'_>,
        answers: &Answers,
        only: Option<&[usize]>,
        memory: &mut Memory,
        now: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let mut reading = options.again()?;
        answers.add_to(reading.trust_and_given().1);
        let has_trust = reading.has_trust();
        let mut judge = reading.judge(now);
        let given = std::mem::take(reading.trust_and_given().1);
        let found = memory.read(document, reading)?;
        let mut last = LastMaterial::new(&given, &judge);
        // Whether the signature is qualified does not matter here.
        let lists = TrustedLists::default();
        let report =
            Report::new(found, None, (&mut judge, &mut last), Some(now), false, (&lists, now));
        let Some(first) = report.signatures.first() else { return Err(Error::NoSignatures) };
        if !has_trust {
            let mut collecting = options.again()?;
            *collecting.trust_and_given().0 = roots(&first.facts.evidence, &given);
            judge = collecting.judge(now);
        }
        let (material, format) = (last.of(&first.facts.evidence), report.format());
        let places: Vec<Vec<usize>> = match only {
            Some(place) => vec![place.to_vec()],
            None => (0..report.signatures.len()).map(|at| vec![at]).collect(),
        };
        let mut collected = Vec::new();
        for place in &places {
            let verdict = verdict_at(&report, place).ok_or(Error::NoSuchSignature)?;
            collected.push(Self::collected(&mut judge, verdict, material, format, &given));
        }
        Ok(Self { report, places, collected })
    }

    fn collected(
        judge: &mut Judge,
        verdict: &Verdict,
        material: &Material,
        format: Format,
        given: &GivenData,
    ) -> (Collected, ValidationData) {
        let evidence: &Evidence = &verdict.facts.evidence;
        let collected = collect(judge, verdict, material);
        let data = to_be_embedded(format, &collected, evidence, given);
        (collected, data)
    }

    pub(super) const fn format(&self) -> Format {
        self.report.format()
    }

    /// Number of signatures that are raised.
    pub(super) fn signatures(&self) -> usize {
        self.places.len()
    }

    /// The place of a signature in the report.
    pub(super) fn place(&self, at: usize) -> &[usize] {
        self.places.get(at).map(Vec::as_slice).unwrap_or_default()
    }

    fn verdict(&self, at: usize) -> Option<&Verdict> {
        verdict_at(&self.report, self.place(at))
    }

    pub(super) fn level(&self, at: usize) -> Level {
        self.verdict(at).map_or(Level::Below, |verdict| verdict.level)
    }

    /// Whether each signature is intact, the one around a countersignature among them.
    pub(super) fn intact(&self) -> BTreeMap<SignatureKey, Option<bool>> {
        let all = self.report.signatures.iter().enumerate();
        let all =
            all.map(|(at, verdict)| (key_of(self.format(), &[at], Some(verdict)), verdict.intact));
        let raised = (0..self.signatures())
            .map(|at| (self.key(at), self.verdict(at).and_then(|verdict| verdict.intact)));
        all.chain(raised).collect()
    }

    /// The key of the signature at a position.
    pub(super) fn key(&self, at: usize) -> SignatureKey {
        key_of(self.format(), self.place(at), self.verdict(at))
    }

    /// The digest of the value of the signature at a position.
    pub(super) fn value_digest(&self, at: usize) -> Option<&Digest> {
        self.verdict(at)?.facts.value_digest.as_ref()
    }

    /// The position of a signature.
    pub(super) fn position(&self, key: &SignatureKey) -> Option<usize> {
        (0..self.signatures()).find(|at| self.key(*at) == *key)
    }

    /// Number of time-stamps on a signature that can be evidence.
    pub(super) fn fitting_stamps(&self, at: usize) -> usize {
        let stamps = self.verdict(at).into_iter().flat_map(Verdict::time_stamps);
        stamps.filter(|stamp| stamp.fits()).count()
    }

    /// What a signature has not got.
    pub(super) fn missing(&self, at: usize, code: &str, text: impl Into<String>) -> Missing {
        Missing::new(self.place(at), code, text)
    }

    /// Why a signature is not raised: a time-stamp would be spent on nothing.
    pub(super) fn refusal(&self, at: usize, now: DateTime<Utc>) -> Option<Missing> {
        let verdict = self.verdict(at)?;
        let refused = |code: &str, text: String| Some(self.missing(at, code, text));
        if verdict.intact == Some(false) {
            return refused("not-intact", "the signature is not intact".to_owned());
        }
        if verdict.level == Level::Below {
            let all = verdict.judgement.remarks.iter().chain(&verdict.judgement.problems);
            // What the judge says about trust is not what the format lacks.
            let own = all.filter(|reason| !ABOUT_TRUST.contains(&reason.code.as_str()));
            let text: Vec<&str> = own.map(|reason| reason.text.as_str()).collect();
            let text = format!("it is not a baseline signature: {}", text.join("; "));
            return refused("below-baseline", text);
        }
        if verdict.judgement.conclusion.sub_indication() == Some(SubIndication::Revoked) {
            return refused("revoked", "the signer's certificate was revoked before".to_owned());
        }
        // EN 319 122-1, table 1 (m): the time-stamp is before the end of the certificate.
        let (_, end) = verdict.facts.certificate.as_ref()?.validity();
        if verdict.level < Level::T && end < now {
            return refused("expired", format!("the signer's certificate expired on {end}"));
        }
        None
    }

    /// What a signature with a time-stamp still needs for a level.
    pub(super) fn status(
        &self,
        at: usize,
        level: Level,
        tried: &BTreeMap<NeedId, Option<String>>,
    ) -> Status {
        let (collected, data) = self.collected.get(at).cloned().unwrap_or_default();
        let newest = self.newest_archive(at);
        let (mut gaps, mut optional) = (Vec::new(), Vec::new());
        for gap in collected.gaps.into_iter().filter(|gap| gap.level <= level) {
            // Renewal needs a valid newest time-stamp. What older ones need was embedded when
            // they were covered, and is not to be had any more (levels B-LTA, renewed).
            let is_old = newest.is_some_and(|newest| gap.about != About::TimeStamp(newest));
            if is_old && gap.is_of_now() {
                continue;
            }
            match gap.is_optional || is_old {
                true => optional.push(gap),
                false => gaps.push(gap),
            }
        }
        let is_asked = |gap: &&Gap| newest.is_none_or(|at| gap.about == About::TimeStamp(at));
        let fresh = optional.iter().filter(is_asked);
        let next = |gap: &Gap| {
            let was_tried = |need: &&Need| !tried.contains_key(&need.id());
            match gap.is_optional {
                // One try for newer data is enough.
                true => gap.needs.first().filter(was_tried).cloned(),
                false => gap.needs.iter().find(was_tried).cloned(),
            }
        };
        let mut next_needs: Vec<Need> = Vec::new();
        for need in gaps.iter().chain(fresh).filter_map(next) {
            let is_new = next_needs.iter().all(|known| known.id() != need.id());
            if is_new && next_needs.len() < MAX_NEEDS {
                next_needs.push(need);
            }
        }
        Status { signature: at, place: self.place(at).to_vec(), gaps, optional, next_needs, data }
    }

    /// The position of the newest archive time-stamp of a signature.
    fn newest_archive(&self, at: usize) -> Option<usize> {
        let verdict = self.verdict(at).filter(|verdict| verdict.level == Level::Lta)?;
        let stamps = verdict.time_stamps().enumerate().filter(|(_, stamp)| stamp.fits());
        // Of two in the same second, the one that covers the other is the newer one.
        let age = |(_, stamp): &(usize, &TimeStampFacts)| {
            (stamp.time, stamp.covers.objects.time_stamps.len())
        };
        stamps.max_by_key(age).map(|(position, _)| position)
    }
}

fn verdict_at<'r>(report: &'r Report, place: &[usize]) -> Option<&'r Verdict> {
    let (first, rest) = place.split_first()?;
    let outer = report.signatures.get(*first)?;
    rest.iter().try_fold(outer, |around, at| around.countersignatures.get(*at))
}

fn key_of(format: Format, place: &[usize], verdict: Option<&Verdict>) -> SignatureKey {
    let verdict = verdict.filter(|_| format != Format::Xades);
    let value = verdict.and_then(|verdict| verdict.facts.value_digest.as_ref());
    let place = || place.iter().map(usize::to_string).collect::<Vec<_>>().join(".");
    SignatureKey(value.map_or_else(place, |digest| format!("value-{}", digest.to_hex())))
}

/// What one signature still needs for level B-LT.
#[derive(Debug)]
pub(super) struct Status {
    pub(super) signature: usize,
    /// Its place in the report.
    pub(super) place: Vec<usize>,
    /// What is missing.
    gaps: Vec<Gap>,
    /// What would be better.
    optional: Vec<Gap>,
    /// What to ask for next.
    pub(super) next_needs: Vec<Need>,
    /// What is there and not embedded.
    pub(super) data: ValidationData,
}

impl Status {
    pub(super) const fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }

    pub(super) fn has_more(&self) -> bool {
        !self.data.is_empty()
    }

    pub(super) fn missing(&self, tried: &BTreeMap<NeedId, Option<String>>) -> Vec<Missing> {
        self.of_gaps(&self.gaps, tried)
    }

    pub(super) fn remarks(&self, tried: &BTreeMap<NeedId, Option<String>>) -> Vec<Missing> {
        self.of_gaps(&self.optional, tried)
    }

    /// What gaps are for people. The signer and a time-stamp may lack the same.
    fn of_gaps(&self, gaps: &[Gap], tried: &BTreeMap<NeedId, Option<String>>) -> Vec<Missing> {
        let mut all: Vec<Missing> = Vec::new();
        for missing in gaps.iter().map(|gap| self.of_gap(gap, tried)) {
            if !all.contains(&missing) {
                all.push(missing);
            }
        }
        all
    }

    fn of_gap(&self, gap: &Gap, tried: &BTreeMap<NeedId, Option<String>>) -> Missing {
        let mut text = gap.reason.text.clone();
        for why in gap.needs.iter().filter_map(|need| tried.get(&need.id())?.as_ref()) {
            text.push_str("; ");
            text.push_str(why);
        }
        if gap.needs.is_empty() && gap.reason.code == "revocation-missing" {
            text.push_str("; the certificate names no address of any");
        }
        Missing { due: gap.due, ..Missing::new(&self.place, &gap.reason.code, text) }
    }
}
