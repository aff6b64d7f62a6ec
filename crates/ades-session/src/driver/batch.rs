//! Batches: prepared, asked for, and completed.

use std::sync::Arc;
use std::time::Duration;

use ades::formats::ades_core::verify::verify;
use ades::signer::{
    Identity, SignatureValue, SignerError, SignerErrorKind, SigningItem, SigningRequest,
    match_values,
};
use ades::{PendingSignature, ToBeSigned};

use super::ask::trip;
use super::ending::new_event;
use super::random;
use super::turn::Turn;
use crate::body::{Batch, Ending, Item, Position};
use crate::course::{self, Course};
use crate::error::{Error, ItemError, ItemFailure};
use crate::observer::WrittenSignature;
use crate::outcome::{Next, Stop};
use crate::runtime;
use crate::sealing::Place;
use crate::signature::{self, Written};
use crate::store::{
    BatchChange, BatchState, EventKind, Intent, ItemChange, JobId, ReturnPurpose, StoreError,
};

/// Maximum number of items in one batch, at any signer.
const MAX_BATCH: usize = 100;

/// A value that was verified, with its item and the digest that it is for.
pub(super) struct Verified {
    item: u32,
    digest: Vec<u8>,
    value: SignatureValue,
}

impl Turn<'_> {
    /// Prepares the next batch, and asks the signer for its values. That it will be asked is stored
    /// before.
    pub(super) async fn sign_batch(&mut self) -> Result<Option<Next>, Error> {
        let Position::Identified(identity) = self.body.position.clone() else { return Ok(None) };
        let to_be_signed = self.prepare_batch(&identity).await?;
        let batch = Batch {
            no: self.next_batch,
            items: to_be_signed.iter().map(|(item, _)| *item).collect(),
        };
        let request_id = JobId::from_random(random()?).to_string();
        let asked = to_be_signed.iter().map(|(item, signed)| ItemChange::Asked {
            no: *item,
            batch: batch.no,
            digest: signed.digest().0.value().to_vec(),
        });
        let asked: Vec<_> = asked.collect();
        let mut items = Vec::with_capacity(to_be_signed.len());
        for (no, signed) in to_be_signed {
            items.push(SigningItem::new(self.body.item_id(no)?, signed));
        }
        let mut request = SigningRequest::new(identity.clone(), items);
        request.check(&self.inner.signer.capabilities())?;
        request.display = self.body.display.clone();
        request.browser.clone_from(&self.body.browser);
        request.request_id = Some(request_id.clone());

        self.keep_lease(self.inner.settings.lease).await?;
        self.next_batch = self.next_batch.saturating_add(1);
        self.body.position = Position::Asking { identity: identity.clone(), batch: batch.clone() };
        let asking = BatchChange::asking(batch.no, request_id);
        // If this process dies now, a poller records that the outcome is unknown.
        self.save(Some(Duration::ZERO), |change| {
            change.intent = Some(Intent::Sign);
            change.batches.push(asking);
            change.items = asked;
        })
        .await?;
        if self.lease_left() < self.inner.settings.call {
            // The process was paused. Another one could take the job over while the signer acts.
            let lost = StoreError::LeaseLost { lease: self.lease().no };
            self.body.position = Position::Identified(identity);
            self.save(None, |change| change.batches.push(not_received(&batch))).await?;
            return Err(lost.into());
        }
        let result = self.inner.signer.sign(request).await;
        self.observe(&result);
        self.after_sign(identity, batch, result).await
    }

    async fn after_sign(
        &mut self,
        identity: Identity,
        batch: Batch,
        result: ades::signer::StepResult<Vec<SignatureValue>, ades::signer::SigningSession>,
    ) -> Result<Option<Next>, Error> {
        match course::after_opening(result) {
            Course::Answered(values) => match self.verified(&batch, &identity, values) {
                Ok(values) => self.store_values(identity, batch, values).await,
                Err(error) => {
                    self.inner.observer.signer_failed(self.lease().job(), &error);
                    let stop = Stop::Failed { message: error.to_string() };
                    self.stop_signing(stop).await?;
                    Err(error.into())
                }
            },
            Course::Waits(waits) => {
                let after = waits.after;
                let (trip, page) = trip(waits, None);
                let key = self.key(&trip, page.as_deref(), ReturnPurpose::Signing);
                let open = BatchChange::state(batch.no, BatchState::Open);
                self.tries = 0;
                self.body.position = Position::Signing { identity, batch, trip };
                self.wait(after, page, key, Some(open)).await
            }
            Course::Over(stop) => self.stop_signing(stop).await.map(Some),
            Course::Refused => self.end(Ending::Refused, EventKind::Refused).await.map(Some),
            Course::NotAsked { error, after } | Course::Unclear { error, after } => {
                let ended = not_received(&batch);
                self.body.position = Position::Identified(identity);
                self.forget_states();
                self.not_asked(error, after, Some(ended)).await
            }
            Course::Unknown { error } => {
                tracing::warn!(%error, "the outcome of a batch is unknown");
                self.note_unknown().await.map(Some)
            }
            // Only a session that was continued has these.
            Course::TimeOver | Course::NotOurs | Course::OtherBrowser | Course::Advanced => {
                self.note_unknown().await.map(Some)
            }
        }
    }

    /// Prepares as many items as one confirmation and a stored job can hold.
    async fn prepare_batch(
        &mut self,
        identity: &Identity,
    ) -> Result<Vec<(u32, ToBeSigned)>, Error> {
        let max = self.inner.signer.capabilities().max_batch.clamp(1, MAX_BATCH);
        let time = self.body.signing_time.unwrap_or_else(|| self.now());
        let numbers: Vec<u32> = self.body.left().take(max).collect();
        let mut batch = Vec::new();
        let mut failures = Vec::new();
        let mut size = 0;
        for no in numbers {
            self.keep_lease(self.inner.settings.lease / 2).await?;
            let (item, chain) = (self.body.item(no)?.clone(), identity.chain.clone());
            let (documents, font) = (Arc::clone(&self.inner.documents), self.inner.font.clone());
            let prepare =
                move || signature::prepare(&item, &*documents, font.as_deref(), &chain, time);
            match runtime::block(self.inner.runtime.as_ref(), prepare).await? {
                Ok(pending) => {
                    let state = pending.to_json(None)?;
                    size += state.len();
                    if size > self.inner.settings.batch_states && !batch.is_empty() {
                        break;
                    }
                    self.inner.observer.prepared(self.lease().job(), index(no), &pending);
                    self.body.item_mut(no)?.pending = Some(state);
                    batch.push((no, pending.to_be_signed()));
                }
                Err(error) => {
                    failures.push(ItemFailure { item: index(no), error });
                }
            }
        }
        if failures.is_empty() { Ok(batch) } else { Err(Error::Documents { failures }) }
    }

    /// Matches values to the items of a batch, and verifies each with the certificate, over the data
    /// that was prepared.
    pub(super) fn verified(
        &self,
        batch: &Batch,
        identity: &Identity,
        values: Vec<SignatureValue>,
    ) -> Result<Vec<Verified>, SignerError> {
        let ids: Result<Vec<String>, _> =
            batch.items.iter().map(|no| self.body.item_id(*no)).collect();
        let ids = ids.map_err(|_| SignerErrorKind::ResultMismatch)?;
        let values = match_values(ids.iter().map(String::as_str), values)?;
        let wrong = |error: ades::Error| SignerError::new(SignerErrorKind::Value).caused_by(error);
        let mut all = Vec::with_capacity(values.len());
        for (no, value) in batch.items.iter().zip(values) {
            let item = self.body.item(*no).map_err(|_| SignerErrorKind::ResultMismatch)?;
            let state = item.pending.as_deref().unwrap_or_default();
            let signed = PendingSignature::from_json(state, None).map_err(wrong)?.to_be_signed();
            let leaf = identity.chain.leaf();
            verify(leaf, signed.algorithm(), signed.data(), &value.value)
                .map_err(|error| wrong(error.into()))?;
            let digest = signed.digest().0.value().to_vec();
            all.push(Verified { item: *no, digest, value });
        }
        Ok(all)
    }

    /// Stores verified values, before anything else is done with them.
    pub(super) async fn store_values(
        &mut self,
        identity: Identity,
        batch: Batch,
        values: Vec<Verified>,
    ) -> Result<Option<Next>, Error> {
        let job = self.lease().job();
        let mut items = Vec::with_capacity(values.len());
        for Verified { item, digest, value } in values {
            let place = Place::Value { job, item, digest: &digest };
            let value = value.value;
            items.push(ItemChange::Value { no: item, value: self.inner.seal(&place, &value)? });
            self.values.insert(item, value);
        }
        let valued = BatchChange::state(batch.no, BatchState::Valued);
        self.tries = 0;
        self.body.stop = None;
        self.body.not_before = None;
        self.body.position = Position::Values { identity, batch };
        let event = new_event(EventKind::ValuesHere)?;
        self.save(Some(Duration::ZERO), |change| {
            change.items = items;
            change.batches.push(valued);
            change.events.push(event);
        })
        .await?;
        Ok(None)
    }

    /// Writes the containers of a batch whose values are stored.
    pub(super) async fn complete(&mut self) -> Result<Option<Next>, Error> {
        let Position::Values { identity, batch } = self.body.position.clone() else {
            return Ok(None);
        };
        let mut written = Vec::new();
        let mut failed = false;
        for no in &batch.items {
            if self.body.item(*no)?.container_digest.is_some() {
                continue;
            }
            self.keep_lease(self.inner.settings.lease / 2).await?;
            match self.complete_item(*no).await? {
                Ok(Written { digest, value_digest }) => {
                    written
                        .push(ItemChange::Container { no: *no, digest: digest.value().to_vec() });
                    let item = self.body.item_mut(*no)?;
                    (item.pending, item.problem) = (None, None);
                    item.container_digest = Some(digest);
                    let signature = WrittenSignature {
                        chain: &identity.chain,
                        value_digest: value_digest.as_ref(),
                    };
                    self.inner.observer.written(self.lease().job(), index(*no), &signature);
                }
                Err(error) => {
                    tracing::warn!(item = no, %error, "a container could not be written");
                    self.inner.observer.not_written(self.lease().job(), index(*no), &error);
                    self.body.item_mut(*no)?.problem = Some(problem(&error));
                    failed = true;
                }
            }
        }
        if failed {
            return self.retry_containers(written).await.map(Some);
        }
        self.tries = 0;
        self.body.not_before = None;
        let is_done = self.body.left().next().is_none();
        let interactive = self.inner.signer.capabilities().interactive;
        let due = (!is_done && !interactive).then_some(Duration::ZERO);
        let event = if is_done { Some(new_event(EventKind::Signed)?) } else { None };
        self.body.position = if is_done { Position::Done } else { Position::Identified(identity) };
        self.save(due, |change| {
            change.items = written;
            change.events.extend(event);
        })
        .await?;
        Ok(None)
    }

    /// Records which containers could not be written. Their values stay.
    async fn retry_containers(&mut self, written: Vec<ItemChange>) -> Result<Next, Error> {
        let event = match self.tries {
            0 => Some(new_event(EventKind::NeedsAttention)?),
            _ => None,
        };
        let after = self.interval(Duration::ZERO);
        self.tries = self.tries.saturating_add(1);
        self.body.not_before = Some(self.later(after));
        self.save(Some(after), |change| {
            change.items = written;
            change.events.extend(event);
        })
        .await?;
        Ok(self.standing())
    }

    async fn complete_item(&self, no: u32) -> Result<Result<Written, ItemError>, Error> {
        let value = match self.values.get(&no) {
            Some(value) => value.clone(),
            None => self.stored_value(no)?,
        };
        let value = SignatureValue::new(self.body.item_id(no)?, value);
        let (item, documents) = (self.body.item(no)?.clone(), Arc::clone(&self.inner.documents));
        let complete = move || signature::complete(&item, &*documents, &value);
        runtime::block(self.inner.runtime.as_ref(), complete).await
    }

    fn stored_value(&self, no: u32) -> Result<Vec<u8>, Error> {
        let lease = self.lease();
        let missing = Error::Body { problem: "the value of an item is missing" };
        let item = lease.stored.items.iter().find(|item| item.no == no);
        let Some((item, sealed)) = item.and_then(|item| Some((item, item.value.as_ref()?))) else {
            return Err(missing);
        };
        Ok(self.inner.keys().open(&Place::value_of(lease.job(), item), sealed)?.to_vec())
    }

    fn forget_states(&mut self) {
        self.body.items.iter_mut().for_each(|item: &mut Item| item.pending = None);
    }
}

/// The place of an item in the job.
fn index(no: u32) -> usize {
    usize::try_from(no).unwrap_or(usize::MAX)
}

/// The end of a batch that the signer certainly did not receive.
fn not_received(batch: &Batch) -> BatchChange {
    BatchChange::state(batch.no, BatchState::Refused)
}

/// An error with its causes, in one line.
fn problem(error: &ItemError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
