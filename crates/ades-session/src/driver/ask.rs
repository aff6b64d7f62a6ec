//! The calls to the signer: what is stored before and after each.

use std::time::Duration;

use ades::Retry;
use ades::signer::{Event, IdentificationRequest, Identity, SignerError};

use super::ending::{new_event, refused};
use super::turn::{Outside, Turn};
use crate::body::{Ending, Position, Trip};
use crate::course::{self, Course, Waits};
use crate::error::Error;
use crate::outcome::{Next, Stop};
use crate::store::{
    BatchChange, BatchState, EventKind, Intent, NewReturnKey, ReturnKeyHash, ReturnPurpose, When,
};

impl Turn<'_> {
    /// Asks the signer to identify the user.
    pub(super) async fn identify(&mut self) -> Result<Option<Next>, Error> {
        self.keep_lease(self.inner.settings.lease / 2).await?;
        self.save(None, |change| change.intent = Some(Intent::Identify)).await?;
        let mut request = IdentificationRequest::default();
        request.language = self.body.display.language;
        request.account.clone_from(&self.body.account);
        request.browser.clone_from(&self.body.browser);
        let result = self.inner.signer.identify(request).await;
        self.observe(&result);
        match course::after_opening(result) {
            Course::Answered(identity) => self.identified(identity).await,
            Course::Waits(waits) => {
                self.tries = 0;
                self.wait_identifying(waits, None).await
            }
            Course::Over(stop) => self.stop_identification(stop).await,
            Course::Refused => self.end(Ending::Refused, EventKind::Refused).await.map(Some),
            // An identification that nobody sees does no harm.
            Course::Unknown { error } => self.not_asked(error, Duration::ZERO, None).await,
            Course::NotAsked { error, after } | Course::Unclear { error, after } => {
                self.not_asked(error, after, None).await
            }
            Course::TimeOver | Course::NotOurs | Course::OtherBrowser | Course::Advanced => {
                Ok(Some(self.standing()))
            }
        }
    }

    /// Asks the signer whether the user is identified.
    pub(super) async fn continue_identification(
        &mut self,
        event: Event,
    ) -> Result<Option<Next>, Error> {
        let Position::Identifying(trip) = self.body.position.clone() else { return Ok(None) };
        self.keep_lease(self.inner.settings.call).await?;
        let signer = &self.inner.signer;
        let result = signer.continue_identification(trip.session.clone(), event).await;
        self.observe(&result);
        match course::after_continuing(result) {
            Course::Answered(identity) => self.identified(identity).await,
            Course::Waits(waits) => {
                self.go_on_waiting();
                self.wait_identifying(waits, Some(trip)).await
            }
            Course::Over(stop) => self.stop_identification(stop).await,
            // The session is kept: the user may have identified, and the answer comes late.
            Course::TimeOver => {
                self.stop_expired().await?;
                Ok(Some(self.standing()))
            }
            Course::Refused => self.end(Ending::Refused, EventKind::Refused).await.map(Some),
            Course::Unclear { error, after } | Course::NotAsked { error, after } => {
                self.note_unclear(error, after).await
            }
            Course::Unknown { error } => self.note_unclear(error, Duration::ZERO).await,
            Course::NotOurs => self.is_outside(Outside::Stranger).await,
            Course::OtherBrowser => self.is_outside(Outside::OtherBrowser).await,
            Course::Advanced => self.is_outside(Outside::Advanced).await,
        }
    }

    async fn identified(&mut self, identity: Identity) -> Result<Option<Next>, Error> {
        self.tries = 0;
        self.body.not_before = None;
        self.body.stop = None;
        self.body.position = Position::Identified(identity);
        // Only a signer that asks nobody goes on by itself.
        let interactive = self.inner.signer.capabilities().interactive;
        self.save((!interactive).then_some(Duration::ZERO), |_| {}).await?;
        Ok(None)
    }

    async fn wait_identifying(
        &mut self,
        waits: Waits<ades::signer::IdentificationSession>,
        earlier: Option<Trip<ades::signer::IdentificationSession>>,
    ) -> Result<Option<Next>, Error> {
        let after = waits.after;
        let (trip, page) = trip(waits, earlier);
        let key = self.key(&trip, page.as_deref(), ReturnPurpose::Identification);
        self.body.position = Position::Identifying(trip);
        self.wait(after, page, key, None).await
    }

    /// Records that the identification has ended without an answer.
    async fn stop_identification(&mut self, stop: Stop) -> Result<Option<Next>, Error> {
        self.body.position = Position::Start;
        self.forget_attempt();
        let event = stop_event(&stop)?;
        self.body.stop = Some(stop);
        self.save(None, |change| change.events.push(event)).await?;
        Ok(Some(self.standing()))
    }

    /// Asks the signer whether the user has confirmed.
    pub(super) async fn continue_signing(&mut self, event: Event) -> Result<Option<Next>, Error> {
        let Position::Signing { identity, batch, trip } = self.body.position.clone() else {
            return Ok(None);
        };
        self.keep_lease(self.inner.settings.call).await?;
        let result = self.inner.signer.continue_signing(trip.session.clone(), event).await;
        self.observe(&result);
        match course::after_continuing(result) {
            Course::Answered(values) => match self.verified(&batch, &identity, values) {
                Ok(values) => self.store_values(identity, batch, values).await,
                // The same session may answer rightly later.
                Err(error) => {
                    self.inner.observer.signer_failed(self.lease().job(), &error);
                    self.note_unclear(error, Duration::ZERO).await
                }
            },
            Course::Waits(waits) => {
                let after = waits.after;
                let (trip, page) = self::trip(waits, Some(trip));
                let key = self.key(&trip, page.as_deref(), ReturnPurpose::Signing);
                self.body.position = Position::Signing { identity, batch, trip };
                self.go_on_waiting();
                self.wait(after, page, key, None).await
            }
            // The session stays usable, so it is kept until the user decides.
            Course::Over(stop @ Stop::OtherCertificate) => {
                self.body.stop = Some(stop);
                let event = new_event(EventKind::NeedsAttention)?;
                self.save(None, |change| change.events.push(event)).await?;
                Ok(Some(self.standing()))
            }
            Course::Over(stop) => self.stop_signing(stop).await.map(Some),
            Course::TimeOver => {
                self.stop_expired().await?;
                Ok(Some(self.standing()))
            }
            Course::Refused => self.end(Ending::Refused, EventKind::Refused).await.map(Some),
            Course::Unclear { error, after } | Course::NotAsked { error, after } => {
                self.note_unclear(error, after).await
            }
            Course::Unknown { error } => {
                tracing::warn!(%error, "the outcome of a batch is unknown");
                self.body.position = Position::Asking { identity, batch };
                self.note_unknown().await.map(Some)
            }
            Course::NotOurs => self.is_outside(Outside::Stranger).await,
            Course::OtherBrowser => self.is_outside(Outside::OtherBrowser).await,
            Course::Advanced => self.is_outside(Outside::Advanced).await,
        }
    }

    /// Records that the batch has ended without values, so that nobody is being asked.
    pub(super) async fn stop_signing(&mut self, stop: Stop) -> Result<Next, Error> {
        let old = self.body.position.clone();
        if let Some(identity) = old.identity() {
            self.body.position = Position::Identified(identity.clone());
        }
        self.forget_attempt();
        let event = stop_event(&stop)?;
        self.body.stop = Some(stop);
        self.save(None, |change| {
            change.batches.extend(refused(&old));
            change.events.push(event);
        })
        .await?;
        Ok(self.standing())
    }

    /// Records that it is not known whether the signer received the batch.
    pub(super) async fn note_unknown(&mut self) -> Result<Next, Error> {
        let batch = self.body.position.batch().map(|batch| batch.no);
        self.body.stop = Some(Stop::Unknown);
        let event = new_event(EventKind::NeedsAttention)?;
        self.save(None, |change| {
            change.batches.extend(batch.map(|no| BatchChange::state(no, BatchState::Unknown)));
            change.events.push(event);
        })
        .await?;
        Ok(self.standing())
    }

    /// Records that nobody was asked. The job waits for another try, or for somebody to correct what
    /// was wrong.
    pub(super) async fn not_asked(
        &mut self,
        error: SignerError,
        after: Duration,
        batch: Option<BatchChange>,
    ) -> Result<Option<Next>, Error> {
        tracing::warn!(%error, "the signer was not asked");
        let mut due = None;
        match error.retry() {
            Retry::Later | Retry::NewSession => {
                self.body.not_before = Some(self.later(after));
                if !self.inner.signer.capabilities().interactive {
                    due = Some(self.interval(after));
                }
                self.tries = self.tries.saturating_add(1);
            }
            Retry::NewIdentification => self.body.stop = Some(Stop::OtherCertificate),
            _ => self.body.stop = Some(Stop::Failed { message: error.to_string() }),
        }
        self.save(due, |change| change.batches.extend(batch)).await?;
        Err(error.into())
    }

    /// Records that the signer's answer says nothing about the user: the session stays.
    async fn note_unclear(
        &mut self,
        error: SignerError,
        after: Duration,
    ) -> Result<Option<Next>, Error> {
        tracing::warn!(%error, tries = self.tries, "no clear answer: the session is asked again");
        // The return counts again: the signer has not read it.
        self.used_key = None;
        let alarm = error.retry() == Retry::Never && self.tries == 0;
        let event = if alarm { Some(new_event(EventKind::NeedsAttention)?) } else { None };
        self.tries = self.tries.saturating_add(1);
        self.body.not_before = Some(self.later(after));
        let due = self.poll_due(after);
        self.save(due, |change| change.events.extend(event)).await?;
        Ok(Some(self.standing()))
    }

    /// A return that is not one of this session. The job stays as it is, except that a code that was
    /// used is not used again.
    async fn is_outside(&mut self, outside: Outside) -> Result<Option<Next>, Error> {
        self.outside = Some(outside);
        if outside == Outside::Advanced {
            let due = self.poll_due(Duration::ZERO);
            self.save(due, |_| {}).await?;
        }
        Ok(Some(self.standing()))
    }

    /// The session of a stopped job answers that it waits, so the reason why the job stopped is gone.
    /// That the user does not want to wait stays.
    fn go_on_waiting(&mut self) {
        if matches!(self.body.stop, Some(Stop::Expired | Stop::OtherCertificate)) {
            self.body.stop = None;
        }
    }

    /// Stores a session that waits for the user.
    pub(super) async fn wait(
        &mut self,
        after: Duration,
        page: Option<String>,
        key: Option<NewReturnKey>,
        batch: Option<BatchChange>,
    ) -> Result<Option<Next>, Error> {
        self.body.not_before = Some(self.later(after));
        let due = self.poll_due(after);
        self.tries = self.tries.saturating_add(1);
        self.save(due, |change| {
            change.return_keys.extend(key);
            change.batches.extend(batch);
        })
        .await?;
        Ok(Some(match page {
            Some(url) => Next::Redirect { url },
            None => self.standing(),
        }))
    }

    /// When a poller asks next. After the session's time, only the application asks.
    fn poll_due(&self, after: Duration) -> Option<Duration> {
        self.body.stop.is_none().then(|| self.interval(after))
    }

    /// The return key of a new page.
    pub(super) fn key<S>(
        &self,
        trip: &Trip<S>,
        page: Option<&str>,
        purpose: ReturnPurpose,
    ) -> Option<NewReturnKey> {
        let key = trip.return_key.as_deref().filter(|_| page.is_some())?;
        let until = trip.expires_at.map_or(When::In(self.inner.settings.idle), When::At);
        Some(NewReturnKey::new(ReturnKeyHash::of(key), purpose, until))
    }
}

/// The trip of a wait, which keeps the page of the earlier one, and the page if it is new.
pub(super) fn trip<S>(waits: Waits<S>, earlier: Option<Trip<S>>) -> (Trip<S>, Option<String>) {
    let Waits { session, page: new, return_key, expires_at, .. } = waits;
    let (page, return_key, expires_at) = match (&new, earlier) {
        (None, Some(earlier)) => {
            (earlier.page, earlier.return_key, expires_at.or(earlier.expires_at))
        }
        _ => (new.clone(), return_key, expires_at),
    };
    (Trip { session, page, return_key, expires_at }, new)
}

fn stop_event(stop: &Stop) -> Result<crate::store::NewEvent, Error> {
    new_event(match stop {
        Stop::Refused { .. } => EventKind::Refused,
        Stop::Expired => EventKind::Expired,
        Stop::SessionLost
        | Stop::OtherCertificate
        | Stop::Unknown
        | Stop::GivenUp
        | Stop::Failed { .. } => EventKind::NeedsAttention,
    })
}
