//! What can go wrong with a signer, whichever it is.

use crate::algorithm::SignatureAlgorithm;
use crate::error::{Error, Fault, Retry};

/// A signer's error: what happened, whose fault it is, whether a retry helps.
#[derive(Debug, thiserror::Error)]
#[error("{kind}{}", code.as_ref().map(|c| format!(" ({c})")).unwrap_or_default())]
pub struct SignerError {
    kind: SignerErrorKind,
    code: Option<String>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SignerError {
    /// An error of this kind.
    #[must_use]
    pub const fn new(kind: SignerErrorKind) -> Self {
        Self { kind, code: None, source: None }
    }

    /// With the service's own code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// With the error behind it.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> &SignerErrorKind {
        &self.kind
    }

    /// The service's own code, if it gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.kind.blame().0
    }

    /// Whether another try may help.
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

/// What can go wrong with a signer, whichever it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerErrorKind {
    /// More items than one confirmation may cover.
    #[error("the batch has more than {max} items")]
    BatchTooLarge {
        /// how many it may have
        max: usize,
    },
    /// The certificate is not the one that was expected, or not fit to sign.
    #[error("the certificate is not the expected one or not fit to sign")]
    Certificate,
    /// The service does not accept this application.
    #[error(
        "the service does not accept this application: check client certificate, address filter and codes"
    )]
    ClientNotAuthorised,
    /// The configuration does not fit the service.
    #[error("the configuration does not fit the service")]
    Configuration,
    /// What lies behind is an error of `ades-core`.
    #[error("the request or answer is not usable")]
    Core,
    /// Two items have the same id, or one has none.
    #[error("the id {id:?} is empty or not unique in the batch")]
    DuplicateId {
        /// the id
        id: String,
    },
    /// Nothing to sign.
    #[error("the batch is empty")]
    EmptyBatch,
    /// Something given to the signer is not allowed.
    #[error("{what}")]
    InvalidRequest {
        /// what, and why
        what: String,
    },
    /// The service's answer breaks its own protocol.
    #[error("the service's answer is not what its protocol says: {what}")]
    Protocol {
        /// what was found
        what: String,
    },
    /// Values do not match the items asked for.
    #[error("the service's values do not match the items asked for")]
    ResultMismatch,
    /// The service failed.
    #[error("the service failed with HTTP status {status}")]
    Service {
        /// the HTTP status
        status: u16,
    },
    /// The service ended the session without a result, and not because the
    /// user said no.
    #[error("the service ended the session without a result")]
    SessionFailed,
    /// The stored session is not readable by this signer.
    #[error("the stored session is damaged, or from another signer or a newer version")]
    Session,
    /// The browser that came back is not the one that was sent, or its state
    /// parameter is missing, wrong or used.
    #[error("the returning browser does not belong to this session")]
    State,
    /// The service could not be reached, or did not answer in time.
    #[error("the service could not be reached or did not answer in time")]
    Unavailable,
    /// Whether the service acted on the request is not known: no answer came,
    /// or none that tells. Asking again could ask the user twice.
    #[error("whether the service got the request is not known; it must not be repeated blindly")]
    UnknownOutcome,
    /// The service does not know this session, or it has ended.
    #[error("the session is unknown to the signer or has ended")]
    UnknownSession,
    /// This signer or this key does not make such signatures.
    #[error("the signer does not make {algorithm} signatures with this key")]
    UnsupportedAlgorithm {
        /// what was asked for
        algorithm: SignatureAlgorithm,
    },
    /// A value does not verify; the error behind says what is wrong with it.
    #[error("a signature value does not verify")]
    Value,
    /// The service wants to send the user somewhere we do not trust.
    #[error("the service wants to send the user to an address that is not allowed")]
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
            Self::ClientNotAuthorised | Self::Configuration => (Fault::Configuration, Retry::Never),
            Self::Core | Self::Session | Self::State => (Fault::Input, Retry::Never),
            // What one answer says wrong the next may say right: the session, and
            // what the user confirmed in it, is still there.
            Self::Protocol { .. }
            | Self::ResultMismatch
            | Self::Service { .. }
            | Self::Unavailable
            | Self::Value => (Fault::Service, Retry::Later),
            Self::SessionFailed
            | Self::UnknownOutcome
            | Self::UnknownSession
            | Self::UntrustedRedirect => (Fault::Service, Retry::NewSession),
        }
    }
}
