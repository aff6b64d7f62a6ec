//! One process's turn with a job: from the lease to its release.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ades::signer::{Event, SignerErrorKind, Step, StepResult};
use chrono::{DateTime, TimeDelta, Utc};

use super::Inner;
use super::standing::standing;
use crate::body::{Body, Position, Trip};
use crate::course;
use crate::error::Error;
use crate::outcome::Next;
use crate::sealing::Place;
use crate::store::{Change, Lease, ReturnKeyHash, StoreError, When};

/// Another request has the job.
pub(super) const BUSY: Next = Next::Busy { after: Duration::from_secs(2) };
/// Maximum number of tries to write a change while the store is not available, for a driver without
/// a runtime, which cannot wait. With one, it is tried as long as the lease lasts.
const PUT_TRIES: u32 = 3;
/// The first and the longest wait between two tries.
const PUT_PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How long after a session's end its result is still polled for.
const GRACE: TimeDelta = TimeDelta::seconds(60);

/// Why a turn is taken.
pub(super) struct Cue {
    /// Whether the user is there, so that they can be asked
    pub(super) user: bool,
    /// Whether the job goes on before its time
    at_once: bool,
    /// The digest that ties the job to the user's browser
    browser: Option<String>,
    event: Option<CueEvent>,
}

enum CueEvent {
    Returned { query: String, key: ReturnKeyHash },
    Poll,
}

impl Cue {
    /// The user looks at the job.
    pub(super) const fn look(browser: Option<String>) -> Self {
        Self { user: true, at_once: false, browser, event: None }
    }

    /// The user's page loads itself again.
    pub(super) const fn poll(browser: Option<String>) -> Self {
        Self { user: true, at_once: false, browser, event: Some(CueEvent::Poll) }
    }

    /// The application itself knows that it is time.
    pub(super) const fn poll_now(browser: Option<String>) -> Self {
        Self { user: true, at_once: true, browser, event: Some(CueEvent::Poll) }
    }

    /// The user comes back from the signer's page.
    pub(super) const fn returned(
        query: String,
        key: ReturnKeyHash,
        browser: Option<String>,
    ) -> Self {
        let event = Some(CueEvent::Returned { query, key });
        Self { user: true, at_once: false, browser, event }
    }

    /// The time has come, and nobody looks.
    pub(super) const fn due() -> Self {
        Self { user: false, at_once: true, browser: None, event: Some(CueEvent::Poll) }
    }
}

/// What a return is, if it is not one of the present step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outside {
    Stranger,
    OtherBrowser,
    Advanced,
}

pub(super) struct Turn<'d> {
    pub(super) inner: &'d Inner,
    pub(super) body: Body,
    /// What the signer said about the return
    pub(super) outside: Option<Outside>,
    /// Number of tries in the present stage
    pub(super) tries: u32,
    /// The number of the next batch
    pub(super) next_batch: u32,
    /// The values that have arrived in this turn
    pub(super) values: BTreeMap<u32, Vec<u8>>,
    /// The return key that the next change marks as used
    pub(super) used_key: Option<ReturnKeyHash>,
    lease: Lease,
    /// When the lease was taken or renewed
    taken: Instant,
    version: u64,
    saves: u32,
}

impl<'d> Turn<'d> {
    pub(super) fn new(inner: &'d Inner, lease: Lease) -> Result<Self, Error> {
        let stored = &lease.stored;
        let given = inner.signer.capabilities().name;
        if stored.signer != given {
            return Err(Error::OtherSigner { begun: stored.signer.clone(), given });
        }
        let last = stored.batches.iter().map(|batch| batch.no).max();
        Ok(Self {
            inner,
            body: inner.open(stored)?,
            outside: None,
            tries: stored.tries,
            next_batch: last.map_or(0, |no| no.saturating_add(1)),
            values: BTreeMap::new(),
            used_key: None,
            taken: Instant::now(),
            version: stored.version,
            saves: 0,
            lease,
        })
    }

    /// Whether the job belongs to this browser. A job without a browser is everybody's.
    pub(super) fn is_for(&self, browser: Option<&str>) -> bool {
        self.body.browser.is_none() || self.body.browser.as_deref() == browser
    }

    pub(super) const fn has_saved(&self) -> bool {
        self.saves > 0
    }

    /// Goes on until the user or time is needed.
    pub(super) async fn advance(&mut self, mut cue: Cue) -> Result<Next, Error> {
        loop {
            let next = match &self.body.position {
                Position::Start if self.may_ask(&cue) => self.identify().await?,
                Position::Identified(_) if self.may_ask(&cue) => self.sign_batch().await?,
                Position::Identifying(_) => match self.event(&mut cue) {
                    Some(event) => self.continue_identification(event).await?,
                    None => Some(self.standing()),
                },
                Position::Signing { .. } => match self.event(&mut cue) {
                    Some(event) => self.continue_signing(event).await?,
                    None => Some(self.standing()),
                },
                // The process that asked has stopped: its lease is over.
                Position::Asking { .. } if self.body.stop.is_none() => {
                    Some(self.note_unknown().await?)
                }
                Position::Values { .. } if cue.at_once || self.is_time() => self.complete().await?,
                _ => Some(self.standing()),
            };
            if let Some(next) = next {
                return Ok(next);
            }
        }
    }

    /// Whether the signer may be asked for something new now.
    fn may_ask(&self, cue: &Cue) -> bool {
        let user = cue.user || !self.inner.signer.capabilities().interactive;
        user && self.body.stop.is_none() && (self.is_time() || (cue.user && cue.at_once))
    }

    fn is_time(&self) -> bool {
        self.body.not_before.is_none_or(|time| self.now() >= time)
    }

    /// The event with which an open session is continued. A page that loads itself again too soon
    /// asks nothing.
    fn event(&mut self, cue: &mut Cue) -> Option<Event> {
        match cue.event.take()? {
            CueEvent::Returned { query, key } => {
                self.used_key = Some(key);
                Some(Event::Returned { query, browser: cue.browser.clone() })
            }
            CueEvent::Poll if !cue.at_once && !self.is_time() => None,
            CueEvent::Poll => Some(Event::Poll),
        }
    }

    /// The store's present time.
    pub(super) fn now(&self) -> DateTime<Utc> {
        let elapsed = TimeDelta::from_std(self.taken.elapsed()).unwrap_or(TimeDelta::MAX);
        self.lease.now.checked_add_signed(elapsed).unwrap_or(self.lease.now)
    }

    /// A time from now on.
    pub(super) fn later(&self, duration: Duration) -> DateTime<Utc> {
        When::In(duration).from(self.now())
    }

    /// The time until a poller continues the job.
    pub(super) fn interval(&self, after: Duration) -> Duration {
        let jitter = self.lease.job().octets().first().copied().unwrap_or_default();
        course::interval(self.tries, after, jitter.wrapping_mul(7).wrapping_add(self.tries as u8))
    }

    pub(super) const fn lease(&self) -> &Lease {
        &self.lease
    }

    /// What is left of the lease.
    pub(super) fn lease_left(&self) -> Duration {
        let whole = self.lease.until.signed_duration_since(self.lease.now);
        whole.to_std().unwrap_or_default().saturating_sub(self.taken.elapsed())
    }

    /// Extends the lease if less than this is left of it.
    pub(super) async fn keep_lease(&mut self, needed: Duration) -> Result<(), Error> {
        if self.lease_left() >= needed {
            return Ok(());
        }
        match self.inner.store.renew(&self.lease, self.inner.settings.lease).await {
            Ok(lease) => {
                (self.lease, self.taken) = (lease, Instant::now());
                Ok(())
            }
            Err(StoreError::LeaseLost { .. }) => self.take_lease_again().await.map(|_| ()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a new lease after the last one has lapsed, for example because a call took long. The
    /// turn goes on if nobody has changed the job in between.
    async fn take_lease_again(&mut self) -> Result<&Lease, Error> {
        let lost = StoreError::LeaseLost { lease: self.lease.no };
        let Some(lease) = self.inner.lease(self.lease.job()).await? else {
            return Err(lost.into());
        };
        (self.lease, self.taken) = (lease, Instant::now());
        Ok(&self.lease)
    }

    /// Stores the job at its present position, in one transaction. `due` is when a process is to
    /// continue it by itself.
    pub(super) async fn save(
        &mut self,
        due: Option<Duration>,
        fill: impl FnOnce(&mut Change) + Send,
    ) -> Result<(), Error> {
        let stage = self.body.position.stage();
        let version = self.version.saturating_add(1);
        let place = Place::Body { job: self.lease.job(), stage, version };
        let sealed = self.inner.seal(&place, &self.body.to_octets()?)?;
        let mut change = Change::new(&self.lease.stored, stage, sealed);
        change.tries = self.tries;
        change.due = due.map(When::In);
        change.expires = self.expiry();
        if stage.is_final() {
            change.purge = Some(When::In(self.inner.settings.retention));
        }
        change.used_return_keys.extend(self.used_key.take());
        fill(&mut change);
        self.write(change).await?;
        self.inner.observer.stored(self.lease.job(), stage);
        tracing::info!(%stage, tries = self.tries, "job stored");
        Ok(())
    }

    /// When the job ends unless its user or the signer answers.
    fn expiry(&self) -> Option<When> {
        let settings = &self.inner.settings;
        let idle = Some(When::In(settings.idle));
        let session = |end: Option<DateTime<Utc>>| {
            end.and_then(|end| end.checked_add_signed(GRACE)).map(When::At).or(idle)
        };
        match &self.body.position {
            Position::Start | Position::Identified(_) => idle,
            Position::Identifying(_) | Position::Signing { .. } if self.body.stop.is_some() => {
                Some(When::In(settings.late_results))
            }
            Position::Identifying(Trip { expires_at, .. }) => session(*expires_at),
            Position::Signing { trip, .. } => session(trip.expires_at),
            // Nothing that may be confirmed ends by itself.
            Position::Asking { .. } | Position::Values { .. } => None,
            Position::Done | Position::Ended(_) => None,
        }
    }

    async fn write(&mut self, change: Change) -> Result<(), Error> {
        let (store, job) = (&self.inner.store, self.lease.job());
        let mut tries = 0;
        loop {
            let error = match store.put(&self.lease, self.version, change.clone()).await {
                Ok(version) => {
                    self.version = version;
                    self.saves += 1;
                    return Ok(());
                }
                Err(error) => error,
            };
            tries += 1;
            if !self.may_try_again(tries).await {
                return Err(error.into());
            }
            let stored = match &error {
                // It may have been written before the connection broke.
                StoreError::Unavailable(_) | StoreError::Conflict { .. } => {
                    store.get(job).await.ok()
                }
                StoreError::LeaseLost { .. } => Some(self.take_lease_again().await?.stored.clone()),
                _ => return Err(error.into()),
            };
            match stored {
                Some(stored) if stored.is_result_of(self.version, &change.body) => {
                    self.version = stored.version;
                    self.saves += 1;
                    return Ok(());
                }
                Some(stored) if stored.version != self.version => return Err(error.into()),
                _ => {}
            }
        }
    }

    /// Waits before another try to write a change.
    async fn may_try_again(&self, tries: u32) -> bool {
        let Some(runtime) = &self.inner.runtime else { return tries < PUT_TRIES };
        let (first, longest) = PUT_PAUSE;
        let pause = first.saturating_mul(1 << tries.min(10)).min(longest);
        if pause >= self.lease_left() {
            return false;
        }
        runtime.sleep(pause).await;
        true
    }

    pub(super) async fn release(&self) {
        // A lease that is not released lapses.
        let _ = self.inner.store.release(&self.lease).await;
    }

    /// Ends the turn. A job that another process has taken over in the meantime is busy.
    pub(super) async fn finish(self, next: Result<Next, Error>) -> Result<Next, Error> {
        self.release().await;
        match next {
            Err(Error::Store(StoreError::LeaseLost { .. } | StoreError::Conflict { .. })) => {
                Ok(BUSY)
            }
            next => next,
        }
    }

    /// Tells the observer how a call to the signer failed. A return that does not count is not a
    /// failure of the signer.
    pub(super) fn observe<T, S>(&self, result: &StepResult<T, S>) {
        let (observer, job) = (&self.inner.observer, self.lease.job());
        match result {
            Ok(Step::Refused(refusal)) => observer.refused(job, refusal),
            Err(error) => match error.kind() {
                SignerErrorKind::State
                | SignerErrorKind::OtherBrowser
                | SignerErrorKind::AlreadyAdvanced => {}
                _ => observer.signer_failed(job, error),
            },
            Ok(_) => {}
        }
    }

    /// Where the job stands.
    pub(super) fn standing(&self) -> Next {
        standing(&self.body, self.now())
    }
}
