//! The errors of all signers.

use std::time::Duration;

use crate::algorithm::SignatureAlgorithm;
use crate::error::{Error, Fault, Retry};

/// A signer's error: what happened, who has to act, and whether another try can
/// help.
#[derive(Debug, thiserror::Error)]
#[error("{kind}{}", code.as_ref().map(|c| format!(" ({c})")).unwrap_or_default())]
pub struct SignerError {
    kind: SignerErrorKind,
    code: Option<String>,
    retry_after: Option<Duration>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SignerError {
    /// An error of this kind.
    #[must_use]
    pub const fn new(kind: SignerErrorKind) -> Self {
        Self { kind, code: None, retry_after: None, source: None }
    }

    /// Adds the service's own code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Adds the time for which the service asks before the next request.
    #[must_use]
    pub const fn with_retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind of error.
    #[must_use]
    pub const fn kind(&self) -> &SignerErrorKind {
        &self.kind
    }

    /// The service's own code, if it gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The time for which the service asks before the next request, if it said
    /// one. It matters with [`Retry::Later`].
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Who has to act.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.kind.blame().0
    }

    /// Whether another try can help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        self.kind.blame().1
    }
}

impl From<SignerErrorKind> for SignerError {
    fn from(kind: SignerErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<Error> for SignerError {
    fn from(error: Error) -> Self {
        Self::new(SignerErrorKind::Core).caused_by(error)
    }
}

/// The kind of an error, for any signer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerErrorKind {
    /// The conversation has gone past this return or session: another call has
    /// used it. The stored state of the conversation says how it went on.
    #[error("the conversation has already gone past this step")]
    AlreadyAdvanced,
    /// A batch with more items than one confirmation can cover.
    #[error("the batch has more items than the signer's maximum of {max}")]
    BatchTooLarge {
        /// the maximum number of items
        max: usize,
    },
    /// The certificate is not the expected one, or not fit to sign.
    #[error("the certificate is not the expected one or not fit to sign")]
    Certificate,
    /// The service does not accept this application.
    #[error(
        "the service does not accept this application: check the client certificate, the address filter and the codes"
    )]
    ClientNotAuthorised,
    /// The configuration does not match the service.
    #[error("the configuration does not match the service")]
    Configuration,
    /// An error of `ades-core`, which is the source of this one.
    #[error("the request or the service's answer cannot be used")]
    Core,
    /// Two items have the same id, or the id of one is empty.
    #[error("the id {id:?} is empty or not unique in the batch")]
    DuplicateId {
        /// the id
        id: String,
    },
    /// A batch without items.
    #[error("the batch is empty")]
    EmptyBatch,
    /// The request contains a value that the signer does not allow.
    #[error("{what}")]
    InvalidRequest {
        /// what is not allowed, and why
        what: String,
    },
    /// The return has the key of this session, but another browser than the one
    /// that was redirected brings it: somebody else has been given the page's
    /// address.
    #[error("another browser came back than the one that this session sent")]
    OtherBrowser,
    /// The service's answer violates its protocol.
    #[error("the service's answer violates its protocol: {what}")]
    Protocol {
        /// the problem
        what: String,
    },
    /// The values do not match the items of the batch.
    #[error("the service's values do not match the items of the batch")]
    ResultMismatch,
    /// The service answered with an error.
    #[error("the service failed with HTTP status {status}")]
    Service {
        /// the HTTP status
        status: u16,
    },
    /// This signer cannot read the stored session.
    #[error("the stored session is damaged, or from another signer or a newer version")]
    Session,
    /// The return is not one of this session: its state parameter is missing,
    /// wrong or already used.
    #[error("the returning browser does not belong to this session")]
    State,
    /// The service could not be reached, or did not answer in time.
    #[error("the service could not be reached or did not answer in time")]
    Unavailable,
    /// The service answered, but the answer neither is a result nor ends the
    /// session. A later answer can be clear.
    #[error("the service did not give a clear answer")]
    Unclear,
    /// No answer shows whether the service acted on the request. Repeating it
    /// could ask the user twice.
    #[error(
        "it is not known whether the service received the request; it must not be repeated blindly"
    )]
    UnknownOutcome,
    /// The service does not know this session, or it has ended.
    #[error("the session is unknown to the signer or has ended")]
    UnknownSession,
    /// The signer or the key does not make signatures with this algorithm.
    #[error("the signer does not make {algorithm} signatures with this key")]
    UnsupportedAlgorithm {
        /// the requested algorithm
        algorithm: SignatureAlgorithm,
    },
    /// A value does not verify. The source of this error says why.
    #[error("a signature value does not verify")]
    Value,
    /// The service redirects the user to an address that is not trusted.
    #[error("the service redirects the user to an address that is not allowed")]
    UntrustedRedirect,
}

impl SignerErrorKind {
    const fn blame(&self) -> (Fault, Retry) {
        match self {
            Self::BatchTooLarge { .. }
            | Self::DuplicateId { .. }
            | Self::EmptyBatch
            | Self::InvalidRequest { .. }
            | Self::UnsupportedAlgorithm { .. } => (Fault::Caller, Retry::Never),
            Self::Certificate => (Fault::Input, Retry::NewIdentification),
            Self::ClientNotAuthorised | Self::Configuration | Self::UntrustedRedirect => {
                (Fault::Configuration, Retry::Never)
            }
            Self::AlreadyAdvanced
            | Self::Core
            | Self::OtherBrowser
            | Self::Session
            | Self::State => (Fault::Input, Retry::Never),
            // The session still exists, with the user's confirmation, so a later
            // answer can be right.
            Self::Protocol { .. }
            | Self::ResultMismatch
            | Self::Service { .. }
            | Self::Unavailable
            | Self::Unclear
            | Self::Value => (Fault::Service, Retry::Later),
            Self::UnknownOutcome | Self::UnknownSession => (Fault::Service, Retry::NewSession),
        }
    }
}
