//! Status queries: how often, how long, and what ends them.

use std::time::Duration;

use ades_core::signer::{Event, Refusal, RefusalReason, SignerError};

use super::ItsmeSigner;
use crate::instead::Instead;
use crate::redirect;
use crate::session::Common;

/// What comes of a status query.
pub(super) enum Next<T> {
    Done(T),
    Refused(Refusal),
    /// To be asked again after this time.
    Wait(Duration),
}

impl ItsmeSigner {
    /// What an answer to a status query leads to. One that says nothing about
    /// the session is not the session's end: asked again, but not for ever.
    pub(super) fn next<T>(
        &self,
        common: &mut Common,
        answer: Result<T, Instead>,
    ) -> Result<Next<T>, SignerError> {
        let instead = match answer {
            Ok(found) => return Ok(Next::Done(found)),
            Err(instead) => instead,
        };
        if matches!(instead, Instead::Pending) {
            common.failures = 0;
            if (self.clock)() >= common.deadline {
                return Ok(Next::Refused(Refusal::new(RefusalReason::Expired, None)));
            }
        } else if instead.may_pass() && common.failures < self.settings().limits.status_failures {
            common.failures += 1;
        } else {
            return instead.ended().map(Next::Refused);
        }
        let after = common.next_poll();
        common.polls = common.polls.saturating_add(1);
        Ok(Next::Wait(after))
    }
}

/// A browser that returns has to be the one that was sent.
pub(super) fn check_event(common: &Common, event: &Event) -> Result<(), SignerError> {
    match event {
        Event::Returned { query, browser } => redirect::check_return(
            query,
            browser.as_deref(),
            &common.state,
            common.browser.as_deref(),
        ),
        _ => Ok(()),
    }
}
