//! Jobs that stop or end: by their user, by the service, by the application or by time.

use super::random;
use super::turn::{Cue, Turn};
use crate::body::{Ending, Position};
use crate::error::Error;
use crate::outcome::{Next, Stop};
use crate::store::{BatchChange, BatchState, EventId, EventKind, NewEvent};

impl Turn<'_> {
    /// Ends a job of which nothing in progress is confirmed.
    pub(super) async fn end(&mut self, ending: Ending, event: EventKind) -> Result<Next, Error> {
        let stage = self.body.position.stage();
        if stage.is_final() || matches!(self.body.position, Position::Values { .. }) {
            return Err(Error::Stage { stage });
        }
        let old = std::mem::replace(&mut self.body.position, Position::Ended(ending));
        self.forget_attempt();
        let event = new_event(event)?;
        self.save(None, |change| {
            change.batches.extend(refused(&old));
            change.events.push(event);
        })
        .await?;
        self.inner.close(&old).await;
        Ok(self.standing())
    }

    /// Stops a job that waits for its user, on the user's own wish.
    pub(super) async fn stop(&mut self) -> Result<Next, Error> {
        let old = self.body.position.clone();
        let stage = old.stage();
        match old {
            Position::Identifying(_) => {
                self.body.position = Position::Start;
                self.forget_attempt();
                self.body.stop = Some(Stop::GivenUp);
                self.save(None, |_| {}).await?;
                self.inner.close(&old).await;
            }
            // Nobody is being asked.
            Position::Start | Position::Identified(_) if self.body.stop.is_none() => {
                self.body.stop = Some(Stop::GivenUp);
                self.save(None, |_| {}).await?;
            }
            // The session is kept: the user may confirm after all.
            Position::Signing { .. } if self.body.stop.is_none() => {
                self.body.stop = Some(Stop::GivenUp);
                self.save(None, |_| {}).await?;
            }
            Position::Asking { .. } if self.body.stop.is_none() => {
                self.note_unknown().await?;
            }
            Position::Values { .. } | Position::Done | Position::Ended(_) => {
                return Err(Error::Stage { stage });
            }
            _ => {}
        }
        Ok(self.standing())
    }

    /// Gives up what is left of a stopped session, so that the user can be asked again. A job that
    /// has not stopped stays as it is.
    pub(super) async fn give_up(&mut self, identify: bool) -> Result<(), Error> {
        let old = self.body.position.clone();
        let stage = old.stage();
        if stage.is_final() || matches!(old, Position::Values { .. }) {
            return Err(Error::Stage { stage });
        }
        if let Position::Asking { .. } = old
            && self.body.stop.is_none()
        {
            self.note_unknown().await?;
        }
        if self.body.stop.is_none() {
            return Ok(());
        }
        self.body.position = match old.identity() {
            Some(identity) if !identify => Position::Identified(identity.clone()),
            _ => Position::Start,
        };
        self.forget_attempt();
        self.save(None, |change| change.batches.extend(refused(&old))).await?;
        self.inner.close(&old).await;
        Ok(())
    }

    /// Looks at the signer for the last time, and ends a job whose user did not answer.
    pub(super) async fn expire(&mut self) -> Result<(), Error> {
        let was_late = self.body.stop.is_some();
        match &self.body.position {
            Position::Start | Position::Identifying(_) | Position::Identified(_) => {
                self.end(Ending::Expired, EventKind::Expired).await?;
            }
            Position::Signing { .. } => {
                // The service may not answer. It is not asked again, except by the application.
                match self.advance(Cue::due()).await {
                    Ok(_) | Err(Error::Signer(_)) => {}
                    Err(error) => return Err(error),
                }
                let waits = matches!(self.body.position, Position::Signing { .. });
                match (waits, was_late, &self.body.stop) {
                    (true, true, _) => {
                        self.end(Ending::Expired, EventKind::Expired).await?;
                    }
                    (true, false, None) => self.stop_expired().await?,
                    _ => {}
                }
            }
            _ => self.save(None, |_| {}).await?,
        }
        Ok(())
    }

    /// Records that the session's time is over, though its service did not say so.
    pub(super) async fn stop_expired(&mut self) -> Result<(), Error> {
        let event = match self.body.stop {
            Some(_) => None,
            None => Some(new_event(EventKind::Expired)?),
        };
        self.body.stop = Some(Stop::Expired);
        self.save(None, |change| change.events.extend(event)).await
    }

    /// Clears what belongs to one attempt to ask the user.
    pub(super) fn forget_attempt(&mut self) {
        self.tries = 0;
        self.body.stop = None;
        self.body.not_before = None;
        for item in &mut self.body.items {
            item.pending = None;
        }
    }
}

/// A new state of the open batch of a position.
pub(super) fn refused(position: &Position) -> Option<BatchChange> {
    match position {
        Position::Asking { batch, .. } | Position::Signing { batch, .. } => {
            Some(BatchChange::state(batch.no, BatchState::Refused))
        }
        _ => None,
    }
}

pub(super) fn new_event(kind: EventKind) -> Result<NewEvent, Error> {
    Ok(NewEvent::new(EventId::from_random(random()?), kind))
}
