//! The steps of a conversation with a signer.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Refusal, SignerError};

/// The result of a call to a signer.
pub type StepResult<T, S> = Result<Step<T, S>, SignerError>;

/// The next step of a conversation with a signer.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step<T, S> {
    /// Store the session, then send the user's browser to this address. Continue
    /// with [`Event::Returned`](super::Event::Returned) when the user comes back, or poll.
    #[non_exhaustive]
    Redirect {
        /// the address; whoever knows it can act as the user, so do not log it
        url: String,
        /// the session to continue with
        session: S,
        /// the key by which [`RemoteSigner::return_key`](super::RemoteSigner::return_key) recognises the return
        return_key: Option<String>,
        /// the time to wait before the first poll, if the signer prefers one
        poll_after: Option<Duration>,
        /// the end of the session: afterwards the user can no longer confirm
        expires_at: Option<DateTime<Utc>>,
    },
    /// There is no answer yet. Ask again after this time.
    #[non_exhaustive]
    Wait {
        /// the time to wait
        after: Duration,
        /// the session to continue with
        session: S,
        /// the end of the session: afterwards the user can no longer confirm
        expires_at: Option<DateTime<Utc>>,
    },
    /// The answer.
    Done(T),
    /// The user or the service refused.
    Refused(Refusal),
}

impl<T, S> Step<T, S> {
    /// A redirect to this address.
    #[must_use]
    pub fn redirect(url: impl Into<String>, session: S) -> Self {
        let url = url.into();
        Self::Redirect { url, session, return_key: None, poll_after: None, expires_at: None }
    }

    /// A wait of at least this time.
    #[must_use]
    pub const fn wait(after: Duration, session: S) -> Self {
        Self::Wait { after, session, expires_at: None }
    }

    /// Sets the key of the return. Only a [`Step::Redirect`] has one.
    #[must_use]
    pub fn with_return_key(mut self, key: impl Into<String>) -> Self {
        if let Self::Redirect { return_key, .. } = &mut self {
            *return_key = Some(key.into());
        }
        self
    }

    /// Sets the time before the first poll. Only a [`Step::Redirect`] has one.
    #[must_use]
    pub fn with_poll_after(mut self, time: Duration) -> Self {
        if let Self::Redirect { poll_after, .. } = &mut self {
            *poll_after = Some(time);
        }
        self
    }

    /// Sets the end of the session. An answer or a refusal has none.
    #[must_use]
    pub fn with_expiry(mut self, time: DateTime<Utc>) -> Self {
        if let Self::Redirect { expires_at, .. } | Self::Wait { expires_at, .. } = &mut self {
            *expires_at = Some(time);
        }
        self
    }
}

impl<T: fmt::Debug, S: fmt::Debug> fmt::Debug for Step<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redirect { session, expires_at, .. } => f
                .debug_struct("Redirect")
                .field("session", session)
                .field("expires_at", expires_at)
                .finish_non_exhaustive(),
            Self::Wait { after, session, expires_at } => f
                .debug_struct("Wait")
                .field("after", after)
                .field("session", session)
                .field("expires_at", expires_at)
                .finish(),
            Self::Done(answer) => f.debug_tuple("Done").field(answer).finish(),
            Self::Refused(refusal) => f.debug_tuple("Refused").field(refusal).finish(),
        }
    }
}
