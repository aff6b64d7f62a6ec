//! What the calls of a driver do.

use std::sync::Arc;

use ades::RemoteSigner;
use ades::signer::OpenSession;

use super::settings::Settings;
use super::standing::standing;
use super::turn::{BUSY, Cue, Outside, Turn};
use super::{check_job, random};
use crate::body::{Body, Position};
use crate::documents::Documents;
use crate::error::{Error, ItemFailure};
use crate::job::SigningJob;
use crate::observer::Observer;
use crate::outcome::{Begun, Next, Outcome};
use crate::runtime::{self, Runtime};
use crate::sealing::{KeyRing, Nonce, Place};
use crate::signature;
use crate::store::{
    ByReturnKey, Created, JobId, Lease, NewJob, ReturnKeyHash, Sealed, Stage, Store, StoreError,
    Stored, When,
};

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) signer: Arc<dyn RemoteSigner>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) documents: Arc<dyn Documents>,
    pub(super) keys: Arc<KeyRing>,
    pub(crate) runtime: Option<Arc<dyn Runtime>>,
    pub(crate) font: Option<Arc<[u8]>>,
    pub(crate) settings: Settings,
    pub(crate) observer: Arc<dyn Observer>,
    /// The name of this process in leases
    pub(super) holder: String,
}

/// What a user wants of a job.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    GoOn,
    GoOnNow,
    Stop,
    AskAgain,
    IdentifyAgain,
}

impl Inner {
    pub(super) async fn begin(
        &self,
        job: SigningJob,
        browser: Option<String>,
    ) -> Result<Begun, Error> {
        check_job(&job)?;
        if let Some(id) = self.store.find(&job.tenant, &job.key).await? {
            return self.begin_again(id, browser).await;
        }
        let capabilities = self.signer.capabilities();
        for item in &job.items {
            item.options.check_signer(&capabilities)?;
        }
        self.signer.check_display(&job.display)?;
        let items = self.check_documents(&job).await?;
        let (tenant, key) = (job.tenant.clone(), job.key.clone());
        let id = JobId::from_random(random()?);
        let body = Body::new(job, items, browser.clone());
        let place = Place::Body { job: id, stage: Stage::Start, version: 1 };
        let sealed = self.seal(&place, &body.to_octets()?)?;
        let mut new = NewJob::new(id, tenant, key, capabilities.name, sealed);
        new.expires = Some(When::In(self.settings.idle));
        match self.store.create(new).await? {
            Created::New(id) => {
                let Some(lease) = self.lease(id).await? else { return Ok(Begun::new(id, BUSY)) };
                let mut turn = self.turn(lease).await?;
                let next = turn.advance(Cue::look(browser)).await;
                Ok(Begun::new(id, turn.finish(next).await?))
            }
            Created::Existing(id) => self.begin_again(id, browser).await,
        }
    }

    async fn begin_again(&self, id: JobId, browser: Option<String>) -> Result<Begun, Error> {
        let next = match self.lease(id).await? {
            Some(lease) => {
                let mut turn = self.turn(lease).await?;
                if !turn.is_for(browser.as_deref()) {
                    turn.release().await;
                    return Err(Error::OtherBrowser);
                }
                let next = turn.advance(Cue::look(browser)).await;
                turn.finish(next).await?
            }
            None if self.belongs_to(id, browser.as_deref()).await? => BUSY,
            None => return Err(Error::OtherBrowser),
        };
        // The first redirect may not have reached the browser.
        Ok(Begun::new(id, to_the_page(next)))
    }

    async fn check_documents(&self, job: &SigningJob) -> Result<Vec<crate::body::Item>, Error> {
        let mut items = Vec::with_capacity(job.items.len());
        let mut failures = Vec::new();
        for (item, request) in job.items.iter().enumerate() {
            let (documents, font) = (Arc::clone(&self.documents), self.font.clone());
            let request = request.clone();
            let check = move || signature::check(&request, &*documents, font.as_deref());
            match runtime::block(self.runtime.as_ref(), check).await? {
                Ok((checked, report)) => {
                    self.observer.checked(item, &report);
                    items.push(checked);
                }
                Err(error) => failures.push(ItemFailure { item, error }),
            }
        }
        if failures.is_empty() { Ok(items) } else { Err(Error::Documents { failures }) }
    }

    pub(super) async fn returned(
        &self,
        query: String,
        browser: Option<String>,
    ) -> Result<Outcome, Error> {
        let Some(key) = self.signer.return_key(&query) else { return Ok(Outcome::Stranger) };
        let hash = ReturnKeyHash::of(&key);
        let (lease, used) =
            match self.store.lease_by_return_key(hash, &self.holder, self.settings.lease).await? {
                ByReturnKey::Leased { lease, key } => (*lease, key.used_at.is_some()),
                ByReturnKey::Busy { job, .. } => {
                    return Ok(match self.belongs_to(job, browser.as_deref()).await? {
                        true => Outcome::next(job, BUSY),
                        false => Outcome::OtherBrowser,
                    });
                }
                ByReturnKey::Ended { job, .. } => {
                    return Ok(match self.status_of(job, browser.as_deref()).await? {
                        Some(next) => Outcome::Late { job, next },
                        None => Outcome::OtherBrowser,
                    });
                }
                _ => return Ok(Outcome::Stranger),
            };
        let job = lease.job();
        let mut turn = self.turn(lease).await?;
        if !turn.is_for(browser.as_deref()) {
            turn.release().await;
            return Ok(Outcome::OtherBrowser);
        }
        let is_late = turn.body.position.return_key() != Some(key.as_str());
        let cue = match (is_late, used) {
            (true, _) => Cue::look(browser),
            (false, true) => Cue::poll(browser),
            (false, false) => Cue::returned(query, hash, browser),
        };
        let next = turn.advance(cue).await;
        let outside = turn.outside;
        let next = turn.finish(next).await?;
        Ok(match (outside, is_late, used) {
            _ if matches!(next, Next::Busy { .. }) => Outcome::next(job, next),
            (Some(Outside::Stranger), ..) => Outcome::Stranger,
            (Some(Outside::OtherBrowser), ..) => Outcome::OtherBrowser,
            (Some(Outside::Advanced), ..) => Outcome::Repeated { job, next },
            (None, true, _) => Outcome::Late { job, next },
            (None, false, true) => Outcome::Repeated { job, next },
            (None, false, false) => Outcome::next(job, next),
        })
    }

    pub(super) async fn visit(
        &self,
        job: JobId,
        browser: Option<String>,
        wish: Wish,
    ) -> Result<Outcome, Error> {
        let Some(lease) = self.lease(job).await? else {
            return Ok(match self.belongs_to(job, browser.as_deref()).await? {
                true => Outcome::next(job, BUSY),
                false => Outcome::OtherBrowser,
            });
        };
        let mut turn = self.turn(lease).await?;
        if !turn.is_for(browser.as_deref()) {
            turn.release().await;
            return Ok(Outcome::OtherBrowser);
        }
        let next = match wish {
            Wish::GoOn => turn.advance(Cue::poll(browser)).await,
            Wish::GoOnNow => turn.advance(Cue::poll_now(browser)).await,
            Wish::Stop => turn.stop().await,
            Wish::AskAgain | Wish::IdentifyAgain => {
                let given_up = turn.give_up(wish == Wish::IdentifyAgain).await;
                match given_up {
                    Ok(()) => turn.advance(Cue::look(browser)).await.map(to_the_page),
                    Err(error) => Err(error),
                }
            }
        };
        Ok(Outcome::next(job, turn.finish(next).await?))
    }

    pub(super) async fn turn(&self, lease: Lease) -> Result<Turn<'_>, Error> {
        let kept = lease.clone();
        let turn = Turn::new(self, lease);
        if turn.is_err() {
            // A lease that is not released lapses.
            let _ = self.store.release(&kept).await;
        }
        turn
    }

    /// A job that this process cannot change keeps its lease until that lapses, so that it is not
    /// due again at once.
    pub(super) async fn continue_due(&self, lease: Lease) -> Result<Next, Error> {
        let mut turn = Turn::new(self, lease)?;
        let next = turn.advance(Cue::due()).await;
        if turn.has_saved() { turn.finish(next).await } else { next }
    }

    pub(super) async fn expire(&self, lease: Lease) -> Result<(), Error> {
        let mut turn = Turn::new(self, lease)?;
        let expired = turn.expire().await;
        turn.finish(expired.map(|()| BUSY)).await.map(|_| ())
    }

    /// Whether a job that is busy belongs to this browser.
    async fn belongs_to(&self, job: JobId, browser: Option<&str>) -> Result<bool, Error> {
        let body = self.open(&self.store.get(job).await?)?;
        Ok(body.browser.is_none() || body.browser.as_deref() == browser)
    }

    /// Where a job of this browser stands.
    async fn status_of(&self, job: JobId, browser: Option<&str>) -> Result<Option<Next>, Error> {
        let stored = self.store.get(job).await?;
        let body = self.open(&stored)?;
        let ours = body.browser.is_none() || body.browser.as_deref() == browser;
        Ok(ours.then(|| standing(&body, stored.changed_at)))
    }

    pub(super) async fn lease(&self, job: JobId) -> Result<Option<Lease>, StoreError> {
        self.store.lease(job, &self.holder, self.settings.lease).await
    }

    pub(crate) fn open(&self, stored: &Stored) -> Result<Body, Error> {
        Body::from_octets(&self.keys.open(&Place::body_of(stored), &stored.body)?)
    }

    pub(crate) fn seal(&self, place: &Place<'_>, content: &[u8]) -> Result<Sealed, Error> {
        Ok(self.keys.seal(place, content, Nonce::from_random(random()?))?)
    }

    pub(crate) fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// Tells the signer that a session is given up. Nothing depends on it.
    pub(crate) async fn close(&self, position: &Position) {
        let session = match position {
            Position::Identifying(trip) => OpenSession::Identification(trip.session.clone()),
            Position::Signing { trip, .. } => OpenSession::Signing(trip.session.clone()),
            _ => return,
        };
        if let Err(error) = self.signer.close(session).await {
            tracing::warn!(%error, "the signer was not told that a session is given up");
        }
    }
}

/// Sends a user who waits to the signer's page.
fn to_the_page(next: Next) -> Next {
    match next {
        Next::Wait { page: Some(url), .. } => Next::Redirect { url },
        next => next,
    }
}
