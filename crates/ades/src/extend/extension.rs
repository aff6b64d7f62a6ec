//! The steps of raising signatures, as a state that can be stored between any two of them.

use std::collections::BTreeMap;
use std::io::Write;

use ades_core::{Digest, DigestAlgorithm, Document, Level, PendingState};
use ades_evidence::TimeStampPurpose;
use ades_evidence::needs::{Need, NeedId};
use ades_evidence::token::TimeStampRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::answer::Answers;
use super::by_format::{self, PreparedStamp};
use super::expected::{Expected, PendingStamp};
use super::options::{ExtendOptions, TargetLevel};
use super::status::{Depth, Look, Memory, SignatureKey, Status};
use super::{Advance, Missing, Reached};
use crate::error::Error;
use crate::verify::VerifyOptions;

/// Length of a nonce, in octets.
const NONCE_LEN: usize = 16;
/// Maximum length of the updates that wait to be written, in octets: they are in the stored state.
const MAX_UNWRITTEN: usize = 512 * 1024;

/// Signatures that are being raised to a level. It contains no document and no secret, and can
/// be stored and continued by another process; the caller keeps the document that the last step
/// has written.
///
/// ```
/// use ades::{Advance, Document, ExtendOptions, Extension, Need, Reached, TargetLevel};
/// use chrono::{DateTime, Utc};
///
/// /// Raises the signatures in `signed` as far as the services allow. `fetch` asks them.
/// fn raise(
///     signed: &mut Vec<u8>,
///     fetch: impl Fn(&Need) -> Result<Vec<u8>, String>,
///     now: DateTime<Utc>,
/// ) -> Result<Reached, ades::Error> {
///     let mut extension = Extension::new(ExtendOptions::new(TargetLevel::Lta));
///     let mut options = ades::VerifyOptions::new();
///     loop {
///         let mut raised = Vec::new();
///         let step = {
///             let mut document = Document::from_bytes(signed);
///             extension.advance(&mut document, &mut options, now, &mut raised)?
///         };
///         match step {
///             Advance::Needs(needs) => {
///                 for need in needs {
///                     let answer = fetch(&need).and_then(|octets| {
///                         let counts = extension.answer(&need.id(), octets, now);
///                         counts.map_err(|error| error.to_string())
///                     });
///                     if let Err(why) = answer {
///                         extension.fail(&need.id(), why);
///                     }
///                 }
///             }
///             Advance::Written => *signed = raised,
///             Advance::Done(reached) => return Ok(reached),
///             _ => {}
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    options: ExtendOptions,
    /// Whether the document was looked at before the first step.
    begun: bool,
    /// The signatures that are not raised, and why.
    refused: Vec<(SignatureKey, Missing)>,
    pub(super) pending: Option<PendingStamp>,
    /// What was asked for and is not answered.
    pub(super) asked: Vec<Need>,
    pub(super) answers: Answers,
    /// What is no longer asked for, with the reason if it failed.
    pub(super) tried: BTreeMap<NeedId, Option<String>>,
    /// Why there are no more time-stamps.
    pub(super) stamp_failure: Option<String>,
    /// The signatures that got their archive time-stamp.
    archived: Vec<SignatureKey>,
    /// What is worth knowing about those, as it was before.
    #[serde(default)]
    noted: Vec<(SignatureKey, Missing)>,
    /// Length of the longest token so far, in octets.
    #[serde(default)]
    token_len: Option<usize>,
    /// The signatures that got validation data, each with the number of answers by then.
    given: Vec<(SignatureKey, usize)>,
    /// Number of requests for time-stamps.
    requests: u64,
    expected: Option<Expected>,
    /// Updates of a PDF that follow the document and are not written yet: a long document is
    /// copied once.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "ades_core::base64::octets")]
    unwritten: Vec<u8>,
    #[serde(skip)]
    pub(super) memory: Memory,
}

/// A step: what the caller gets, or an update that is not written yet.
enum Step {
    Advance(Advance),
    Appended(Vec<u8>),
}

impl PendingState for Extension {
    const FORMAT: &'static str = "extension";
    const VERSION: u32 = 1;
}

impl Extension {
    /// Begins to raise the signatures of a document. Give the document to
    /// [`advance`](Self::advance).
    #[must_use]
    pub fn new(options: ExtendOptions) -> Self {
        Self {
            options,
            begun: false,
            refused: Vec::new(),
            pending: None,
            asked: Vec::new(),
            answers: Answers::default(),
            tried: BTreeMap::new(),
            stamp_failure: None,
            archived: Vec::new(),
            noted: Vec::new(),
            token_len: None,
            given: Vec::new(),
            requests: 0,
            expected: None,
            unwritten: Vec::new(),
            memory: Memory::default(),
        }
    }

    /// Asks once more for what was not to be had, or was older than the policy allows: revocation
    /// data become newer, and services come back. Call it when the extension is
    /// [done](Advance::Done), and advance again with the document that was reached.
    pub fn ask_again(&mut self) {
        self.tried.clear();
        self.given.clear();
        self.stamp_failure = None;
    }

    /// Goes on as far as it can: says what is needed, writes the document one step further to
    /// `out`, or says what was reached.
    ///
    /// `options` are those of verifying: trust anchors, documents outside the container, and
    /// data that are given beside it. Without trust anchors, nobody is judged, and paths end at
    /// any certificate that issued itself. Each step verifies what the last one added. Steps that
    /// are updates of a PDF are written together: those up to level B-LTA are one copy.
    ///
    /// # Errors
    /// [`Error::NoSignatures`], also if none of the [selected](ExtendOptions::selection) ones is
    /// there; [`Error::ContainerWrapped`]; [`Error::RaisedNotValid`]; the errors of
    /// [`verify`](crate::verify()) and of the format's own crate. After an error, the extension
    /// goes on from the last step that succeeded, so the level that was reached is not lost: see
    /// [`write_reached`](Self::write_reached).
    pub fn advance(
        &mut self,
        document: &mut Document<'_>,
        options: &mut VerifyOptions<'_>,
        now: DateTime<Utc>,
        out: &mut dyn Write,
    ) -> Result<Advance, Error> {
        options.verified = self.memory.verified.clone();
        let ExtendOptions { level, digest, .. } = &self.options;
        // A clone of the extension may have another document.
        self.memory.known = self.memory.known.for_level(level.level(), *digest);
        options.known = Some(self.memory.known.clone());
        let advanced = self.steps(document, options, now, out);
        // The caller's next document may be another one.
        (options.known, options.beginning) = (None, None);
        advanced
    }

    /// Writes the document with the steps that are not written yet. Returns whether there were
    /// any. Call it to stop before the extension is [done](Advance::Done), such as after an error:
    /// several steps of a PDF are written at one time.
    ///
    /// # Errors
    /// [`Error::Core`] if reading or writing fails.
    pub fn write_reached(
        &mut self,
        document: &mut Document<'_>,
        out: &mut dyn Write,
    ) -> Result<bool, Error> {
        if self.unwritten.is_empty() {
            return Ok(false);
        }
        let unwritten = self.unwritten.clone();
        self.write_unwritten(&mut by_format::with_updates(document, &unwritten)?, out)?;
        Ok(true)
    }

    /// Steps until the caller has something to do.
    fn steps(
        &mut self,
        document: &mut Document<'_>,
        options: &mut VerifyOptions<'_>,
        now: DateTime<Utc>,
        out: &mut dyn Write,
    ) -> Result<Advance, Error> {
        loop {
            let unwritten = self.unwritten.clone();
            let step = match unwritten.is_empty() {
                true => self.step(document, options, now, out)?,
                false => {
                    let mut document = by_format::with_updates(document, &unwritten)?;
                    self.step(&mut document, options, now, out)?
                }
            };
            match step {
                Step::Appended(update) => self.unwritten.extend_from_slice(&update),
                Step::Advance(advance) => return Ok(advance),
            }
        }
    }

    /// One step. The document has the updates that are not written yet.
    fn step(
        &mut self,
        document: &mut Document<'_>,
        options: &mut VerifyOptions<'_>,
        now: DateTime<Utc>,
        out: &mut dyn Write,
    ) -> Result<Step, Error> {
        if let Some(pending) = &self.pending {
            let Some(token) = &pending.token else {
                return Ok(Step::Advance(Advance::Needs(vec![pending.need()])));
            };
            let len = token.0.len();
            match self.add_token(pending, &token.0, document, out) {
                Ok(update) => {
                    self.stamped(len);
                    return Ok(self.appended_or_written(update));
                }
                // Nothing was written. It is prepared again, with enough room.
                Err(error) if PreparedStamp::is_too_small(&error) => self.token_too_long(len),
                Err(error) => return Err(error),
            }
        }
        if !self.asked.is_empty() {
            return Ok(Step::Advance(Advance::Needs(self.asked.clone())));
        }
        let mut look = self.look(document, options, now)?;
        if self.selected(&look).next().is_none() {
            return Err(Error::NoSignatures);
        }
        if !self.begun {
            self.refused = self.refusals(&look, document, options, now)?;
            self.begun = true;
        }
        let mut step = self.next(&look, document, options, out)?;
        if matches!(step, Step::Advance(Advance::Done(_))) && !self.unwritten.is_empty() {
            self.write_unwritten(document, out)?;
            return Ok(Step::Advance(Advance::Written));
        }
        if matches!(step, Step::Advance(Advance::Done(_))) && !self.memory.is_whole() {
            // It ends earlier than was expected.
            self.memory.written(Depth::Whole);
            look = self.look(document, options, now)?;
            step = self.next(&look, document, options, out)?;
        }
        if matches!(step, Step::Advance(Advance::Needs(_))) {
            self.memory.keep(document, look)?;
        }
        Ok(step)
    }

    /// The update that adds the token, if it is not written yet.
    fn add_token(
        &self,
        pending: &PendingStamp,
        token: &[u8],
        document: &mut Document<'_>,
        out: &mut dyn Write,
    ) -> Result<Option<Vec<u8>>, Error> {
        let is_last = pending.is_archive() || self.options.level == TargetLevel::T;
        let update = match is_last {
            true => None,
            false => by_format::time_stamp_update(&pending.prepared, document, token)?,
        };
        let update = update.filter(|update| self.can_wait(update));
        if update.is_none() {
            pending.prepared.add(document, token, &self.memory.known, out)?;
        }
        Ok(update)
    }

    /// Whether an update may wait to be written.
    const fn can_wait(&self, update: &[u8]) -> bool {
        self.unwritten.len().saturating_add(update.len()) <= MAX_UNWRITTEN
    }

    /// The step that this update is, if there is one; else the document was written.
    fn appended_or_written(&mut self, update: Option<Vec<u8>>) -> Step {
        match update {
            Some(update) => Step::Appended(update),
            None => {
                self.unwritten.clear();
                Step::Advance(Advance::Written)
            }
        }
    }

    /// Writes the document, which has the updates that are not written yet.
    fn write_unwritten(
        &mut self,
        document: &mut Document<'_>,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        document
            .read_through(&mut |piece| out.write_all(piece).map_err(ades_core::Error::Write))?;
        self.unwritten.clear();
        self.memory.written(Depth::Whole);
        Ok(())
    }

    /// Looks at the document, and whether it is what the last step should have written.
    fn look(
        &mut self,
        document: &mut Document<'_>,
        options: &mut VerifyOptions<'_>,
        now: DateTime<Utc>,
    ) -> Result<Look, Error> {
        let only = self.options.selection.place();
        let look = Look::new(document, options, &self.answers, only, &mut self.memory, now)?;
        if let Some(expected) = &self.expected {
            expected.check(&look)?;
        }
        if self.memory.is_whole() {
            self.expected = None;
        }
        options.beginning = Some(self.memory.beginning());
        Ok(look)
    }

    /// Forgets the pending time-stamp, whose token has this length and no room.
    fn token_too_long(&mut self, len: usize) {
        self.token_len = Some(len);
        self.pending = None;
    }

    /// The step after the token of the pending time-stamp was written, which has this length.
    fn stamped(&mut self, len: usize) {
        self.token_len = self.token_len.max(Some(len));
        let Some(pending) = self.pending.take() else { return };
        let is_archive = pending.is_archive();
        self.memory.written(match is_archive || self.options.level == TargetLevel::T {
            true => Depth::Whole,
            false => Depth::Added,
        });
        if is_archive {
            self.archived.push(pending.signature);
        }
        self.expected = Some(pending.expected);
    }

    /// The signatures that cannot be raised, before anything is fetched for them.
    fn refusals(
        &self,
        look: &Look,
        document: &mut Document<'_>,
        options: &mut VerifyOptions<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(SignatureKey, Missing)>, Error> {
        let level = self.options.level.level();
        let mut refused = Vec::new();
        for at in self.selected(look) {
            let checked =
                by_format::check_level(look.format(), document, look.place(at), level, options)?;
            let refusal = look.refusal(at, now).or_else(|| {
                let why = checked.err()?;
                Some(look.missing(at, "not-extendable", why.to_string()))
            });
            refused.extend(refusal.map(|refusal| (look.key(at), refusal)));
        }
        Ok(refused)
    }

    /// The positions of the signatures that are raised.
    fn selected(&self, look: &Look) -> impl Iterator<Item = usize> {
        let is_selected = |at: &usize| self.options.selection.includes(look.value_digest(*at));
        (0..look.signatures()).filter(is_selected)
    }

    fn is_refused(&self, key: &SignatureKey) -> bool {
        self.refused.iter().any(|(refused, _)| refused == key)
    }

    /// Whether a signature has got its archive time-stamp.
    fn is_archived(&self, look: &Look, at: usize) -> bool {
        let by_other = by_format::archives_all(look.format()) && !self.archived.is_empty();
        by_other || self.archived.contains(&look.key(at))
    }

    fn next(
        &mut self,
        look: &Look,
        document: &mut Document<'_>,
        options: &mut VerifyOptions<'_>,
        out: &mut dyn Write,
    ) -> Result<Step, Error> {
        let wanted: Vec<usize> =
            self.selected(look).filter(|at| !self.is_refused(&look.key(*at))).collect();
        let without_stamp = wanted.iter().find(|at| look.level(**at) < Level::T);
        if let (Some(at), None) = (without_stamp, &self.stamp_failure) {
            return self.prepare(look, *at, TimeStampPurpose::Signature, document, options);
        }
        if self.options.level == TargetLevel::T {
            return Ok(Step::Advance(Advance::Done(self.reached(look, &[]))));
        }
        let level = self.options.level.level();
        // What the new archive time-stamp needs is asked for before the next renewal.
        let is_open = |at: &&usize| look.level(**at) >= Level::T && !self.is_archived(look, **at);
        let statuses: Vec<Status> =
            wanted.iter().filter(is_open).map(|at| look.status(*at, level, &self.tried)).collect();
        self.ask(&statuses);
        if !self.asked.is_empty() {
            return Ok(Step::Advance(Advance::Needs(self.asked.clone())));
        }
        let is_new = |status: &&Status| {
            let given = (look.key(status.signature), self.tried.len());
            status.is_complete() && status.has_more() && !self.given.contains(&given)
        };
        if let Some(status) = statuses.iter().find(is_new) {
            let (format, at, place) = (look.format(), status.signature, &status.place);
            let data = &status.data;
            let update = match self.options.level == TargetLevel::Lta {
                true => by_format::validation_data_update(format, document, place, data, options)?,
                false => None,
            };
            let update = update.filter(|update| self.can_wait(update));
            if update.is_none() {
                by_format::add_validation_data(format, document, place, data, options, out)?;
            }
            self.given.push((look.key(at), self.tried.len()));
            self.expected = Some(Expected::of(look, at, 0));
            self.memory.written(match self.options.level {
                TargetLevel::Lta => Depth::Added,
                _ => Depth::Whole,
            });
            return Ok(self.appended_or_written(update));
        }
        if self.options.level == TargetLevel::Lta && self.stamp_failure.is_none() {
            let is_next = |status: &&Status| {
                status.is_complete() && look.level(status.signature) >= Level::Lt
            };
            if let Some(status) = statuses.iter().find(is_next) {
                let purpose = TimeStampPurpose::Archive;
                self.note(look, status);
                return self.prepare(look, status.signature, purpose, document, options);
            }
        }
        Ok(Step::Advance(Advance::Done(self.reached(look, &statuses))))
    }

    /// Keeps what is worth knowing about a signature that gets an archive time-stamp.
    fn note(&mut self, look: &Look, status: &Status) {
        let key = look.key(status.signature);
        self.noted.retain(|(known, _)| *known != key);
        let remarks = status.remarks(&self.tried).into_iter();
        self.noted.extend(remarks.map(|remark| (key.clone(), remark)));
    }

    /// Asks for the next need of each gap, each once.
    fn ask(&mut self, statuses: &[Status]) {
        for need in statuses.iter().flat_map(|status| &status.next_needs) {
            if !self.asked.iter().any(|asked| asked.id() == need.id()) {
                self.asked.push(need.clone());
            }
        }
    }

    fn prepare(
        &mut self,
        look: &Look,
        signature: usize,
        purpose: TimeStampPurpose,
        document: &mut Document<'_>,
        options: &mut VerifyOptions<'_>,
    ) -> Result<Step, Error> {
        let digest = self.options.digest;
        let format = look.format();
        let len = self.token_len.or(self.options.token_len);
        let prepared = by_format::prepare(
            format,
            document,
            look.place(signature),
            purpose,
            digest,
            len,
            options,
        )?;
        let nonce = self.nonce(prepared.imprint());
        let policy = self.options.time_stamp_policy;
        let request = TimeStampRequest::new(prepared.imprint(), policy, nonce.as_deref());
        let what = "no request for its time-stamp can be made";
        let request = request.ok_or(Error::RaisedNotValid { what })?;
        let expected = Expected::of(look, signature, 1);
        let signature = look.key(signature);
        let pending = PendingStamp { signature, purpose, prepared, request, token: None, expected };
        let need = pending.need();
        self.pending = Some(pending);
        Ok(Step::Advance(Advance::Needs(vec![need])))
    }

    /// A nonce that nobody can foresee who does not know the seed.
    fn nonce(&mut self, imprint: &Digest) -> Option<Vec<u8>> {
        self.requests = self.requests.saturating_add(1);
        let seed = self.options.nonce_seed.as_ref()?;
        let input = [&seed.0[..], &self.requests.to_be_bytes(), imprint.value()].concat();
        let digest = Digest::of(DigestAlgorithm::Sha256, &input);
        digest.value().get(..NONCE_LEN).map(<[u8]>::to_vec)
    }

    fn reached(&self, look: &Look, statuses: &[Status]) -> Reached {
        let wanted = self.options.level.level();
        let at_position = |(key, missing): &(SignatureKey, Missing)| {
            let at = look.position(key)?;
            Some(look.missing(at, &missing.code, missing.text.clone()))
        };
        let mut missing: Vec<Missing> = self.refused.iter().filter_map(at_position).collect();
        for at in self.selected(look) {
            let is_archived = self.options.level < TargetLevel::Lta || self.is_archived(look, at);
            let is_short = look.level(at) < wanted || !is_archived;
            if !is_short || self.is_refused(&look.key(at)) {
                continue;
            }
            let status = statuses.iter().find(|status| status.signature == at);
            match (status.filter(|status| !status.is_complete()), &self.stamp_failure) {
                (Some(status), _) => missing.extend(status.missing(&self.tried)),
                (None, Some(why)) => missing.push(look.missing(at, "time-stamp-failed", why)),
                (None, None) => {
                    let text = "no revocation data had to be embedded, which the level demands";
                    missing.push(look.missing(at, "no-revocation-data", text));
                }
            }
        }
        let mut remarks: Vec<Missing> =
            statuses.iter().flat_map(|status| status.remarks(&self.tried)).collect();
        let noted = self.noted.iter().filter(|(key, _)| self.archived.contains(key));
        remarks.extend(noted.filter_map(at_position));
        let levels = self.selected(look).map(|at| look.level(at));
        Reached { level: levels.min().unwrap_or(Level::Below), missing, remarks }
    }
}
