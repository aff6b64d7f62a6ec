//! Answers other than the expected one, and missing answers.

use std::fmt;
use std::time::Duration;

use ades_core::signer::{Refusal, SignerError, SignerErrorKind};

use crate::codes::{Code, Reason};
use crate::error::Error;
use crate::http_answer::Answer;
use crate::transport::TransportError;

/// The outcome of a request that did not get the expected answer.
#[derive(Debug)]
pub(crate) enum OtherAnswer {
    /// The service denies the request, for a reason that it names
    Denied { status: u16, reason: Reason },
    /// An answer that breaks the protocol, and how
    Malformed(&'static str),
    /// No answer at all
    NoAnswer(TransportError),
    /// The service does not accept our client certificate or our address
    NotAuthorised,
    /// The user has not answered yet
    Pending,
    /// An answer without a body of the service
    Undocumented(UndocumentedAnswer),
    /// The service does not know the session
    UnknownSession,
}

/// An answer without a body of the service: its status, and what it has instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UndocumentedAnswer {
    /// The HTTP status
    pub status: u16,
    /// Whether the body is a web page
    pub is_web_page: bool,
    /// The host of a redirect, which is not followed
    pub redirects_to: Option<String>,
    /// The time for which the server asks before the next request
    pub retry_after: Option<Duration>,
}

/// What an answer to a status query means for its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The user has not answered yet.
    Pending,
    /// The session has ended: the service names a final code, or does not know the
    /// session.
    Ended,
    /// The query cannot succeed before somebody corrects something. The session
    /// is not affected.
    NotAccepted,
    /// Nothing: the user may have confirmed.
    Unclear,
}

impl OtherAnswer {
    pub(crate) fn undocumented(answer: &Answer) -> Self {
        Self::Undocumented(UndocumentedAnswer {
            status: answer.status,
            is_web_page: answer.is_web_page,
            redirects_to: answer.redirects_to.clone(),
            retry_after: answer.retry_after,
        })
    }

    /// What this answer to a status query means. Only a documented final code ends
    /// a session, and only under a status at which the service answers.
    pub(crate) fn meaning(&self) -> Meaning {
        match self {
            Self::Pending => Meaning::Pending,
            Self::UnknownSession => Meaning::Ended,
            Self::Denied { status, reason } if *status < 500 && reason.refusal().is_some() => {
                Meaning::Ended
            }
            Self::Denied { reason, .. }
                if reason.code.as_ref().is_some_and(Code::is_about_request) =>
            {
                Meaning::NotAccepted
            }
            Self::NotAuthorised => Meaning::NotAccepted,
            Self::NoAnswer(error) if error.needs_correction() => Meaning::NotAccepted,
            Self::Denied { .. }
            | Self::Malformed(_)
            | Self::NoAnswer(_)
            | Self::Undocumented(_) => Meaning::Unclear,
        }
    }

    /// Whether reading the discovery document again may succeed soon.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            // A web page can be that of a portal which has just let us through.
            Self::Undocumented(answer) => answer.is_web_page || !answer.is_elsewhere(),
            _ => self.meaning() == Meaning::Unclear,
        }
    }

    /// Whether the service certainly opened no session and says that a later
    /// request may succeed.
    pub(crate) fn is_reported_failure(&self) -> bool {
        match self {
            Self::Denied { status, reason } => *status < 500 && reason.is_transient(),
            // 429 (RFC 6585, 4): the request was one too many.
            Self::Undocumented(answer) => answer.status == 429,
            _ => false,
        }
    }

    /// Whether a request certainly had no effect: it never reached the service, or
    /// the service denied it with a documented code. A failure of the service does
    /// not count, because it may have happened after the effect.
    pub(crate) fn had_no_effect(&self) -> bool {
        match self {
            Self::NoAnswer(error) => error.never_arrived(),
            Self::Denied { status, reason } => {
                *status < 500 && reason.is_documented() && !reason.is_transient()
            }
            Self::NotAuthorised => true,
            Self::Malformed(_) | Self::Pending | Self::Undocumented(_) | Self::UnknownSession => {
                false
            }
        }
    }

    /// Whether the service refused the policy, so that our copy of the discovery
    /// document may be out of date.
    pub(crate) const fn is_about_policy(&self) -> bool {
        matches!(
            self,
            Self::Denied {
                reason: Reason { code: Some(Code::InvalidPolicy | Code::InvalidPolicyStatus), .. },
                ..
            }
        )
    }

    /// Whether the service refused the digests.
    pub(crate) const fn is_about_digests(&self) -> bool {
        matches!(
            self,
            Self::Denied { reason: Reason { code: Some(Code::InvalidDigestInfo), .. }, .. }
        )
    }

    /// The result of a request that was to open a session, or of a status query
    /// that ends one.
    pub(crate) fn into_refusal(self, base_url: &str) -> Result<Refusal, SignerError> {
        match self {
            Self::Denied { status, reason } => match reason.refusal() {
                Some(refusal) if status < 500 => Ok(refusal),
                _ => Err(Self::Denied { status, reason }.into_error(base_url)),
            },
            other => Err(other.into_error(base_url)),
        }
    }

    /// The error of a status query that got no clear answer. Its session stays.
    pub(crate) fn into_unclear(self, base_url: &str) -> SignerError {
        match self {
            Self::Denied { reason, .. } => {
                let unclear = SignerError::new(SignerErrorKind::Unclear);
                unclear.with_code(reason.to_string()).caused_by(Error::Answered(reason))
            }
            Self::Undocumented(answer) => answer.into_unclear(),
            other => other.into_error(base_url),
        }
    }

    pub(crate) fn into_error(self, base_url: &str) -> SignerError {
        match self {
            Self::NoAnswer(error) => no_answer(error),
            Self::Denied { reason, .. } => Error::Answered(reason).into(),
            Self::UnknownSession => SignerErrorKind::UnknownSession.into(),
            Self::NotAuthorised => SignerErrorKind::ClientNotAuthorised.into(),
            Self::Pending => {
                Error::Protocol { what: "PENDING answers a request that opens a session" }.into()
            }
            Self::Malformed(what) => Error::Protocol { what }.into(),
            Self::Undocumented(answer) if answer.is_elsewhere() => {
                Error::NotTheService { base_url: base_url.to_owned(), answer }.into()
            }
            Self::Undocumented(answer) => answer.into_unclear(),
        }
    }
}

impl From<&'static str> for OtherAnswer {
    fn from(problem: &'static str) -> Self {
        Self::Malformed(problem)
    }
}

impl UndocumentedAnswer {
    /// Whether the answer comes from another server than the service, or from
    /// another path of it, so that the same request gets the same answer later.
    pub(crate) const fn is_elsewhere(&self) -> bool {
        match self.status {
            // Request Timeout, Conflict, Too Early, Too Many Requests
            408 | 409 | 425 | 429 => false,
            300..=499 => true,
            status => status < 300 && self.is_web_page,
        }
    }

    /// The error of an answer from an address that has answered rightly before.
    fn into_unclear(self) -> SignerError {
        let error = SignerError::new(SignerErrorKind::Service { status: self.status });
        match self.retry_after {
            Some(wait) => {
                error.with_retry_after(wait).caused_by(Error::Busy { seconds: wait.as_secs() })
            }
            None if self.is_web_page || self.redirects_to.is_some() => {
                error.caused_by(Error::OtherServer { answer: self })
            }
            None => error,
        }
    }
}

impl fmt::Display for UndocumentedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP status {}", self.status)?;
        match &self.redirects_to {
            Some(host) => write!(f, " and a redirect to {host}"),
            None if self.is_web_page => f.write_str(" and a web page"),
            None => Ok(()),
        }
    }
}

fn no_answer(error: TransportError) -> SignerError {
    let kind = match &error {
        TransportError::NotAuthorised(_) => SignerErrorKind::ClientNotAuthorised,
        TransportError::ProxyRefused { .. } | TransportError::UntrustedServer { .. } => {
            SignerErrorKind::Configuration
        }
        TransportError::TooLong => {
            SignerErrorKind::Protocol { what: "the answer is longer than 1 MiB".to_owned() }
        }
        TransportError::NotSent(_) | TransportError::Unknown(_) => SignerErrorKind::Unavailable,
    };
    SignerError::new(kind).caused_by(error)
}
