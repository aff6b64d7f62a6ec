//! Where a job stands, for its user.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::turn::BUSY;
use crate::body::{Body, Item, Position};
use crate::error::Error;
use crate::outcome::{ItemState, ItemStatus, Next, Status};
use crate::sealing::{KeyRing, Place};
use crate::store::Stored;

/// Minimum time after which a page that waits loads itself again.
const RELOAD: Duration = Duration::from_secs(1);

impl Status {
    /// Where a stored job stands, for a program that has no driver. Whose browser it belongs to is
    /// not asked.
    ///
    /// # Errors
    /// [`Error::Store`] if `keys` do not open the job; [`Error::Body`].
    pub fn of(stored: &Stored, keys: &KeyRing) -> Result<Self, Error> {
        let body = Body::from_octets(&keys.open(&Place::body_of(stored), &stored.body)?)?;
        Ok(status(stored, &body))
    }
}

/// Where a stored job stands, as its last change left it.
pub(super) fn status(stored: &Stored, body: &Body) -> Status {
    let (page, session_until) = body.position.page();
    let identity = body.position.identity();
    Status {
        // The store's time is not known here; the last change is the nearest time that is.
        next: standing(body, stored.changed_at),
        items: items(body),
        stage: stored.stage,
        page: page.map(ToOwned::to_owned),
        session_until,
        certificate_until: identity.map(|identity| identity.chain.leaf().validity().1),
        created_at: stored.created_at,
        changed_at: stored.changed_at,
    }
}

/// Where a job stands at a time.
pub(super) fn standing(body: &Body, now: DateTime<Utc>) -> Next {
    let until = |time: Option<DateTime<Utc>>| {
        let left = time.and_then(|time| time.signed_duration_since(now).to_std().ok());
        left.unwrap_or_default().max(RELOAD)
    };
    match (&body.position, &body.stop) {
        (Position::Done, _) => Next::Done { items: items(body) },
        (Position::Ended(ending), _) => Next::Ended((*ending).into()),
        (Position::Values { .. }, _) => {
            Next::Incomplete { items: items(body), after: until(body.not_before) }
        }
        (_, Some(stop)) => Next::Stopped(stop.clone()),
        (Position::Asking { .. }, None) => BUSY,
        (Position::Start | Position::Identified(_), None) => {
            match body.not_before.filter(|time| *time > now) {
                // The signer could not be asked, and may be asked again later.
                Some(_) => {
                    Next::Wait { after: until(body.not_before), page: None, expires_at: None }
                }
                None => Next::NeedsUser,
            }
        }
        (position @ (Position::Identifying(_) | Position::Signing { .. }), None) => {
            let (page, expires_at) = position.page();
            let page = page.map(ToOwned::to_owned);
            Next::Wait { after: until(body.not_before), page, expires_at }
        }
    }
}

/// All items of a job, for a page.
pub(super) fn items(body: &Body) -> Vec<ItemStatus> {
    let batch = body.position.batch();
    let in_batch = |no: usize| {
        batch.is_some_and(|batch| batch.items.iter().any(|item| usize::try_from(*item) == Ok(no)))
    };
    let has_values = matches!(body.position, Position::Values { .. });
    let state = |no: usize, item: &Item| match (&item.container_digest, &item.problem) {
        (Some(_), _) => ItemState::Signed,
        (None, Some(problem)) if has_values && in_batch(no) => {
            ItemState::NotWritten { problem: problem.clone() }
        }
        _ if !in_batch(no) => ItemState::Waiting,
        _ if has_values => ItemState::Confirmed,
        _ => ItemState::Asked,
    };
    let status = |(no, item): (usize, &Item)| ItemStatus {
        document: item.request.document.clone(),
        container: item.request.container.clone(),
        format: item.format,
        warnings: item.warnings.clone(),
        state: state(no, item),
    };
    body.items.iter().enumerate().map(status).collect()
}
