//! Status queries: the wait before the next one, and the end of a session.

use std::time::Duration;

use ades_core::signer::{Event, Refusal, RefusalReason, SignerError};

use super::ItsmeSigner;
use crate::other_answer::OtherAnswer;
use crate::redirect;
use crate::session::Common;

/// The outcome of a status query.
pub(super) enum Next<T> {
    Done(T),
    Refused(Refusal),
    /// Ask again after this time
    Wait(Duration),
}

impl ItsmeSigner {
    /// Decides on the next step after an answer to a status query. A transient
    /// failure does not end the session: the query is repeated, at most
    /// `limits.status_failures` times in a row.
    pub(super) fn next<T>(
        &self,
        common: &mut Common,
        answer: Result<T, OtherAnswer>,
    ) -> Result<Next<T>, SignerError> {
        let other = match answer {
            Ok(found) => return Ok(Next::Done(found)),
            Err(other) => other,
        };
        if matches!(other, OtherAnswer::Pending) {
            common.failures = 0;
            if (self.clock)() >= common.deadline {
                return Ok(Next::Refused(Refusal::new(RefusalReason::Expired, None)));
            }
        } else if other.is_transient() && common.failures < self.settings().limits.status_failures {
            common.failures += 1;
        } else {
            return other.into_ending().map(Next::Refused);
        }
        let after = common.next_poll();
        common.polls = common.polls.saturating_add(1);
        Ok(Next::Wait(after))
    }
}

/// Checks that a returning browser is the one that this session redirected.
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
