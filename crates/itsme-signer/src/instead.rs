//! What comes instead of what was asked for.

use ades_core::signer::{Refusal, SignerError, SignerErrorKind};

use crate::codes::{Code, Reason};
use crate::error::Error;
use crate::transport::TransportError;

/// What comes instead of what was asked for.
#[derive(Debug)]
pub(crate) enum Instead {
    /// The service failed without an answer of the documented kind
    Failed(u16),
    /// No answer at all
    Lost(TransportError),
    /// The service says no
    No { status: u16, reason: Reason },
    /// The service does not know the session
    NoSession,
    /// Our client certificate or address is not accepted
    NotAuthorised,
    /// Ask again
    Pending,
    /// An answer that breaks the protocol, and how
    Unreadable(&'static str),
}

impl Instead {
    /// Whether the same question may be answered later. For what only asks:
    /// nothing is known about what became of a request that does something.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Failed(_) | Self::Unreadable(_) => true,
            Self::Lost(error) => !matches!(error, TransportError::NotAuthorised(_)),
            Self::No { status, reason } => {
                reason.refusal().is_none() && (*status >= 500 || reason.may_pass())
            }
            Self::NoSession | Self::NotAuthorised | Self::Pending => false,
        }
    }

    /// Whether the service said that it failed and did nothing.
    pub(crate) fn is_passing_failure(&self) -> bool {
        matches!(self, Self::No { status, reason } if *status < 500 && reason.may_pass())
    }

    /// Whether it is certain that a request which does something was not acted
    /// upon: it never left, or it was turned down in so many words. That
    /// something failed there does not say how far it had got.
    pub(crate) fn did_nothing(&self) -> bool {
        match self {
            Self::Lost(error) => {
                matches!(error, TransportError::NotSent(_) | TransportError::NotAuthorised(_))
            }
            Self::No { status, reason } => {
                *status < 500 && reason.is_documented() && !reason.may_pass()
            }
            Self::NotAuthorised => true,
            Self::Failed(_) | Self::NoSession | Self::Pending | Self::Unreadable(_) => false,
        }
    }

    /// Whether the discovery document we have may be out of date.
    pub(crate) const fn is_about_the_policy(&self) -> bool {
        matches!(
            self,
            Self::No {
                reason: Reason { code: Some(Code::InvalidPolicy | Code::InvalidPolicyStatus), .. },
                ..
            }
        )
    }

    /// The end of a conversation that was to begin.
    pub(crate) fn refused(self) -> Result<Refusal, SignerError> {
        match self {
            Self::No { reason, .. } => match reason.refusal() {
                Some(refusal) => Ok(refusal),
                None => Err(Error::Answered(reason).into()),
            },
            other => Err(other.into_error()),
        }
    }

    /// The end of a conversation that is under way.
    pub(crate) fn ended(self) -> Result<Refusal, SignerError> {
        match self {
            Self::No { status, reason } if reason.refusal().is_none() => {
                let code = reason.to_string();
                let kind = match &reason.code {
                    _ if status >= 500 => SignerErrorKind::Service { status },
                    Some(code) if code.is_about_the_request() => code.error_kind(),
                    _ => SignerErrorKind::SessionFailed,
                };
                Err(SignerError::new(kind).with_code(code).caused_by(Error::Answered(reason)))
            }
            other => other.refused(),
        }
    }

    pub(crate) fn into_error(self) -> SignerError {
        match self {
            Self::Failed(status) => SignerErrorKind::Service { status }.into(),
            Self::Lost(error) => lost(error),
            Self::No { reason, .. } => Error::Answered(reason).into(),
            Self::NoSession => SignerErrorKind::UnknownSession.into(),
            Self::NotAuthorised => SignerErrorKind::ClientNotAuthorised.into(),
            Self::Pending => Error::Protocol { what: "pending, before anything began" }.into(),
            Self::Unreadable(what) => Error::Protocol { what }.into(),
        }
    }
}

fn lost(error: TransportError) -> SignerError {
    let kind = match error {
        TransportError::NotAuthorised(_) => SignerErrorKind::ClientNotAuthorised,
        TransportError::TooLong => {
            SignerErrorKind::Protocol { what: "an answer of more than 1 MiB".to_owned() }
        }
        TransportError::NotSent(_) | TransportError::Unknown(_) => SignerErrorKind::Unavailable,
    };
    SignerError::new(kind).caused_by(error)
}
