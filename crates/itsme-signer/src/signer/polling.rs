//! Status queries: the wait before the next one, and the end of a session.
//!
//! The user may confirm at any time, so nothing ends a session except a final
//! code of the service. After any other answer the same session is asked again.

use std::time::Duration;

use ades_core::signer::{Event, Refusal, RefusalReason, SignerError, Step};

use super::ItsmeSigner;
use super::exchange::Asked;
use crate::other_answer::Meaning;
use crate::redirect;
use crate::session::Common;

/// Maximum wait that a `Retry-After` causes.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);
/// Wait before the first query of a session whose user has not come back: nobody confirms sooner.
const FIRST_POLL: Duration = Duration::from_secs(5);

/// The outcome of a status query.
pub(super) enum Next<T> {
    Done(T),
    Refused(Refusal),
    /// Ask again after this time
    Wait(Duration),
}

impl ItsmeSigner {
    /// Decides on the next step after an answer to a status query.
    pub(super) fn next<T>(
        &self,
        common: &mut Common,
        asked: Asked<T>,
    ) -> Result<Next<T>, SignerError> {
        let base_url = &self.settings().base_url;
        let other = match asked.answer {
            Ok(found) => return Ok(Next::Done(found)),
            Err(other) => other,
        };
        match other.meaning() {
            Meaning::Ended => return other.into_refusal(base_url).map(Next::Refused),
            Meaning::NotAccepted => return Err(other.into_error(base_url)),
            Meaning::Pending => {
                common.failures = 0;
                if self.is_over(common) {
                    return Ok(Next::Refused(Refusal::new(RefusalReason::Expired, None)));
                }
            }
            Meaning::Unclear => self.count_unclear(common, other.into_unclear(base_url))?,
        }
        Ok(Next::Wait(self.wait(common, asked.retry_after)))
    }

    /// Decides on the next step after a result that does not count yet, because the browser that
    /// the session belongs to has not come back.
    pub(super) fn without_browser<T>(&self, common: &mut Common) -> Next<T> {
        common.failures = 0;
        if self.is_over(common) {
            return Next::Refused(Refusal::new(RefusalReason::Expired, None));
        }
        Next::Wait(self.wait(common, None))
    }

    /// Decides on the next step after a result that cannot be used. It may be
    /// damaged on the way, so the session is asked again. `error` is returned if
    /// the same result came before, because then it does not change any more.
    pub(super) fn after_unusable<T>(
        &self,
        common: &mut Common,
        digest: String,
        error: SignerError,
    ) -> Result<Next<T>, SignerError> {
        if common.unusable.as_ref() == Some(&digest) {
            return Err(error);
        }
        self.count_unclear(common, error)?;
        common.unusable = Some(digest);
        Ok(Next::Wait(self.wait(common, None)))
    }

    /// Counts an unclear answer. Returns the error if the session's time or the
    /// configured number of such answers is over. The stored session stays usable.
    fn count_unclear(&self, common: &mut Common, error: SignerError) -> Result<(), SignerError> {
        let max = self.settings().limits.status_failures;
        if self.is_over(common) || max.is_some_and(|max| common.failures >= max) {
            return Err(error);
        }
        common.failures = common.failures.saturating_add(1);
        tracing::warn!(in_a_row = common.failures, "unclear answer: the session is asked again");
        (self.on_unclear)(&error);
        Ok(())
    }

    fn is_over(&self, common: &Common) -> bool {
        (self.clock)() >= common.deadline
    }

    /// The wait before the next query: at least as long as the service asks for,
    /// but not beyond the session's time.
    fn wait(&self, common: &mut Common, retry_after: Option<Duration>) -> Duration {
        let own = common.next_poll();
        common.polls = common.polls.saturating_add(1);
        let left = common.deadline.signed_duration_since((self.clock)());
        let left = left.to_std().unwrap_or_default();
        own.max(retry_after.unwrap_or_default().min(left).min(MAX_RETRY_AFTER))
    }
}

/// The step that sends the browser to the page of a new session.
pub(super) fn redirect<T, S>(url: String, session: S, common: &Common) -> Step<T, S> {
    Step::redirect(url, session)
        .with_return_key(&common.state)
        .with_poll_after(FIRST_POLL)
        .with_expiry(common.deadline)
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
