//! Answers other than the expected one, and missing answers.

use ades_core::signer::{Refusal, SignerError, SignerErrorKind};

use crate::codes::{Code, Reason};
use crate::error::Error;
use crate::transport::TransportError;

/// The outcome of a request that did not get the expected answer.
#[derive(Debug)]
pub(crate) enum OtherAnswer {
    /// The service denies the request, for a reason that it names
    Denied { status: u16, reason: Reason },
    /// An HTTP status without a documented body
    Failed(u16),
    /// An answer that breaks the protocol, and how
    Malformed(&'static str),
    /// No answer at all
    NoAnswer(TransportError),
    /// The service does not accept our client certificate or our address
    NotAuthorised,
    /// The user has not answered yet
    Pending,
    /// The service does not know the session
    UnknownSession,
}

impl OtherAnswer {
    /// Whether the same query may succeed later. Only for queries: a request with
    /// an effect may have had it despite the failure.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Failed(_) | Self::Malformed(_) => true,
            Self::NoAnswer(error) => !matches!(error, TransportError::NotAuthorised(_)),
            Self::Denied { status, reason } => {
                reason.refusal().is_none() && (*status >= 500 || reason.is_transient())
            }
            Self::UnknownSession | Self::NotAuthorised | Self::Pending => false,
        }
    }

    /// Whether the service itself reports a failure that may pass.
    pub(crate) fn is_reported_failure(&self) -> bool {
        matches!(self, Self::Denied { status, reason } if *status < 500 && reason.is_transient())
    }

    /// Whether a request certainly had no effect: it was never sent, or the
    /// service denied it with a documented code. A failure of the service does
    /// not count, because it may have happened after the effect.
    pub(crate) fn had_no_effect(&self) -> bool {
        match self {
            Self::NoAnswer(error) => {
                matches!(error, TransportError::NotSent(_) | TransportError::NotAuthorised(_))
            }
            Self::Denied { status, reason } => {
                *status < 500 && reason.is_documented() && !reason.is_transient()
            }
            Self::NotAuthorised => true,
            Self::Failed(_) | Self::UnknownSession | Self::Pending | Self::Malformed(_) => false,
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

    /// The result of a request that was to open a session.
    pub(crate) fn into_refusal(self) -> Result<Refusal, SignerError> {
        match self {
            Self::Denied { reason, .. } => match reason.refusal() {
                Some(refusal) => Ok(refusal),
                None => Err(Error::Answered(reason).into()),
            },
            other => Err(other.into_error()),
        }
    }

    /// The result of a status query that ends an open session.
    pub(crate) fn into_ending(self) -> Result<Refusal, SignerError> {
        match self {
            Self::Denied { status, reason } if reason.refusal().is_none() => {
                let code = reason.to_string();
                let kind = match &reason.code {
                    _ if status >= 500 => SignerErrorKind::Service { status },
                    Some(code) if code.is_about_request() => code.error_kind(),
                    _ => SignerErrorKind::SessionFailed,
                };
                Err(SignerError::new(kind).with_code(code).caused_by(Error::Answered(reason)))
            }
            other => other.into_refusal(),
        }
    }

    pub(crate) fn into_error(self) -> SignerError {
        match self {
            Self::Failed(status) => SignerErrorKind::Service { status }.into(),
            Self::NoAnswer(error) => no_answer(error),
            Self::Denied { reason, .. } => Error::Answered(reason).into(),
            Self::UnknownSession => SignerErrorKind::UnknownSession.into(),
            Self::NotAuthorised => SignerErrorKind::ClientNotAuthorised.into(),
            Self::Pending => {
                Error::Protocol { what: "PENDING answers a request that opens a session" }.into()
            }
            Self::Malformed(what) => Error::Protocol { what }.into(),
        }
    }
}

fn no_answer(error: TransportError) -> SignerError {
    let kind = match error {
        TransportError::NotAuthorised(_) => SignerErrorKind::ClientNotAuthorised,
        TransportError::TooLong => {
            SignerErrorKind::Protocol { what: "the answer is longer than 1 MiB".to_owned() }
        }
        TransportError::NotSent(_) | TransportError::Unknown(_) => SignerErrorKind::Unavailable,
    };
    SignerError::new(kind).caused_by(error)
}
