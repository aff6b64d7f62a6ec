//! What the result of a call to the signer means for a job. Nothing here waits or reads a clock.

use std::time::Duration;

use ades::Retry;
use ades::signer::{RefusalReason, SignerError, SignerErrorKind, Step, StepResult};
use chrono::{DateTime, Utc};

use crate::outcome::Stop;

/// Wait before the first poll of a user who has not come back, if the signer prefers none.
const FIRST_POLL: Duration = Duration::from_secs(5);
/// Minimum time between two calls after an unclear answer, if the service does not say one.
const PAUSE: Duration = Duration::from_secs(2);
/// Maximum time between two polls by a poller.
const MAX_INTERVAL: Duration = Duration::from_secs(60);
/// Maximum wait that a service can ask for.
const MAX_ASKED: Duration = Duration::from_secs(600);

/// The way on after a call.
#[derive(Debug)]
pub(crate) enum Course<T, S> {
    /// The answer is there
    Answered(T),
    /// The user is expected at a page, or the service is still waiting for them
    Waits(Waits<S>),
    /// The session has ended, or was never opened: nobody is being asked
    Over(Stop),
    /// As [`Over`](Self::Over), and no other session can help
    Refused,
    /// The session's time is over, but the service did not say so: the user may have confirmed
    TimeOver,
    /// The answer says nothing about the user: the session stays and is asked again
    Unclear { error: SignerError, after: Duration },
    /// It is not known whether the signer received the batch
    Unknown { error: SignerError },
    /// The signer refused the request: nobody was asked
    NotAsked { error: SignerError, after: Duration },
    /// The return does not belong to this session
    NotOurs,
    /// Another browser than the one of the session came back
    OtherBrowser,
    /// The session has gone past this return
    Advanced,
}

/// A wait for the user.
#[derive(Debug)]
pub(crate) struct Waits<S> {
    pub(crate) session: S,
    /// The signer's new page
    pub(crate) page: Option<String>,
    pub(crate) return_key: Option<String>,
    pub(crate) after: Duration,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// After `identify` or `sign`, which open a session.
pub(crate) fn after_opening<T, S>(result: StepResult<T, S>) -> Course<T, S> {
    match result {
        Ok(step) => after_step(step),
        Err(error) if *error.kind() == SignerErrorKind::UnknownOutcome => Course::Unknown { error },
        Err(error) => Course::NotAsked { after: pause(&error), error },
    }
}

/// After `continue_identification` or `continue_signing`, which never open one.
pub(crate) fn after_continuing<T, S>(result: StepResult<T, S>) -> Course<T, S> {
    let error = match result {
        // No code: only the signer's own deadline has passed.
        Ok(Step::Refused(refusal))
            if refusal.reason == RefusalReason::Expired && refusal.code.is_none() =>
        {
            return Course::TimeOver;
        }
        Ok(step) => return after_step(step),
        Err(error) => error,
    };
    match (error.kind(), error.retry()) {
        (SignerErrorKind::State, _) => Course::NotOurs,
        (SignerErrorKind::OtherBrowser, _) => Course::OtherBrowser,
        (SignerErrorKind::AlreadyAdvanced, _) => Course::Advanced,
        (SignerErrorKind::UnknownOutcome, _) => Course::Unknown { error },
        (_, Retry::NewSession) => Course::Over(Stop::SessionLost),
        (_, Retry::NewIdentification) => Course::Over(Stop::OtherCertificate),
        _ => Course::Unclear { after: pause(&error), error },
    }
}

fn after_step<T, S>(step: Step<T, S>) -> Course<T, S> {
    match step {
        Step::Done(answer) => Course::Answered(answer),
        Step::Redirect { url, session, return_key, poll_after, expires_at, .. } => {
            let after = poll_after.unwrap_or(FIRST_POLL).min(MAX_ASKED);
            Course::Waits(Waits { session, page: Some(url), return_key, after, expires_at })
        }
        Step::Wait { after, session, expires_at, .. } => {
            let after = after.min(MAX_ASKED);
            Course::Waits(Waits { session, page: None, return_key: None, after, expires_at })
        }
        Step::Refused(refusal) => match refusal.reason.retry() {
            Retry::Never => Course::Refused,
            _ => Course::Over(Stop::Refused { reason: refusal.reason, code: refusal.code }),
        },
        // A step of a later version. The session is in it, so it cannot go on.
        _ => Course::Unknown { error: SignerErrorKind::UnknownOutcome.into() },
    }
}

fn pause(error: &SignerError) -> Duration {
    error.retry_after().unwrap_or(PAUSE).clamp(PAUSE, MAX_ASKED)
}

/// The time until a poller asks next: half as long again after each try, and at least as long as
/// the signer asks for. `jitter` is in 256ths of the fifth that is added, so that the pollers of
/// jobs that began together do not stay together.
pub(crate) fn interval(tries: u32, after: Duration, jitter: u8) -> Duration {
    let mut interval = FIRST_POLL;
    for _ in 0..tries {
        if interval >= MAX_INTERVAL {
            break;
        }
        interval = interval * 3 / 2;
    }
    let interval = interval.min(MAX_INTERVAL).max(after);
    interval + interval * u32::from(jitter) / (5 * 256)
}

#[cfg(test)]
mod tests {
    use ades::signer::Refusal;

    use super::*;

    type Found = Course<(), u8>;

    fn refused(reason: RefusalReason, code: Option<&str>) -> StepResult<(), u8> {
        Ok(Step::Refused(Refusal::new(reason, code.map(ToOwned::to_owned))))
    }

    fn failed(kind: SignerErrorKind) -> StepResult<(), u8> {
        Err(SignerError::new(kind))
    }

    #[test]
    fn only_the_service_ends_a_session() {
        let own = after_continuing(refused(RefusalReason::Expired, None));
        assert!(matches!(own, Found::TimeOver));
        let said = after_continuing(refused(RefusalReason::Expired, Some("EXPIRED")));
        assert!(matches!(said, Found::Over(Stop::Refused { .. })));
        let never = after_continuing(refused(RefusalReason::NotAllowed, Some("NOT_ALLOWED")));
        assert!(matches!(never, Found::Refused));
        for kind in [
            SignerErrorKind::Unavailable,
            SignerErrorKind::Unclear,
            SignerErrorKind::Service { status: 500 },
            SignerErrorKind::Value,
            SignerErrorKind::ResultMismatch,
            SignerErrorKind::ClientNotAuthorised,
            SignerErrorKind::Configuration,
            SignerErrorKind::Session,
        ] {
            let course = after_continuing(failed(kind.clone()));
            assert!(matches!(course, Found::Unclear { .. }), "{kind:?}");
        }
        let lost = after_continuing(failed(SignerErrorKind::UnknownSession));
        assert!(matches!(lost, Found::Over(Stop::SessionLost)));
    }

    #[test]
    fn an_error_of_opening_asked_nobody_unless_its_outcome_is_unknown() {
        let unknown = after_opening(failed(SignerErrorKind::UnknownOutcome));
        assert!(matches!(unknown, Found::Unknown { .. }));
        for kind in [SignerErrorKind::Unavailable, SignerErrorKind::Configuration] {
            assert!(matches!(after_opening(failed(kind)), Found::NotAsked { .. }));
        }
    }

    #[test]
    fn not_ours_another_browser_and_already_advanced_differ() {
        let course = |kind| after_continuing(failed(kind));
        assert!(matches!(course(SignerErrorKind::State), Found::NotOurs));
        assert!(matches!(course(SignerErrorKind::OtherBrowser), Found::OtherBrowser));
        assert!(matches!(course(SignerErrorKind::AlreadyAdvanced), Found::Advanced));
    }

    #[test]
    fn the_pause_that_a_service_asks_for_is_kept_within_bounds() {
        let after = |error: SignerError| match after_continuing::<(), u8>(Err(error)) {
            Course::Unclear { after, .. } => after.as_secs(),
            other => panic!("{other:?}"),
        };
        let error = |seconds| {
            SignerError::new(SignerErrorKind::Unavailable)
                .with_retry_after(Duration::from_secs(seconds))
        };
        assert_eq!(after(SignerError::new(SignerErrorKind::Unclear)), 2);
        assert_eq!([0, 30, 86_400].map(|seconds| after(error(seconds))), [2, 30, 600]);
    }

    #[test]
    fn intervals_grow_to_a_minute() {
        let seconds =
            |tries, after| interval(tries, Duration::from_secs(after), 0).as_millis() / 100;
        assert_eq!([0, 1, 2, 3].map(|tries| seconds(tries, 1)), [50, 75, 112, 168]);
        assert_eq!(seconds(40, 1), 600);
        assert_eq!(seconds(u32::MAX, 1), 600);
        assert_eq!(seconds(0, 90), 900);
        assert!(interval(9, Duration::ZERO, 255) < Duration::from_secs(72));
    }
}
