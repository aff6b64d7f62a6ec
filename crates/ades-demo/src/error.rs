//! Why the application does not start, and why a request is refused.

use std::io;
use std::path::PathBuf;

use ades_session::Error as SessionError;
use ades_session::store::StoreError;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why the application does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A folder or file of the application cannot be used.
    #[error("{path}: {source}")]
    Folder {
        /// the folder or file
        path: PathBuf,
        /// the problem
        source: io::Error,
    },
    /// The key's file has something else in it.
    #[error("{path} is not a key: it needs 64 hexadecimal digits")]
    Key {
        /// the file
        path: PathBuf,
    },
    /// The driver cannot be made.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The database cannot be used.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
}

/// Why a request is refused. The visitor sees a page in their language: see
/// [`dress`](crate::visitor::dress). Details are for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// There is nothing for this browser here
    NotFound,
    /// The form is not one of ours, or of another browser
    Form,
    /// More octets or documents than allowed
    TooLarge,
    /// No document was uploaded
    NoDocument,
    /// The documents are being signed, or are signed
    Locked,
    /// These documents cannot be signed: their names, and why
    Documents(Vec<String>),
    /// The signer does not answer
    Signer,
    /// Something else
    Internal,
}

impl Problem {
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Form => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoDocument | Self::Documents(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Locked => StatusCode::CONFLICT,
            Self::Signer => StatusCode::BAD_GATEWAY,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            _ => {
                tracing::error!(%error, "a folder of the application");
                Self::Internal
            }
        }
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::OtherBrowser | SessionError::Store(StoreError::NotFound) => {
                Self::NotFound
            }
            SessionError::Stage { .. } => Self::Locked,
            SessionError::Signer(error) => {
                tracing::warn!(%error, "the signer");
                Self::Signer
            }
            error => {
                tracing::error!(%error, "a signing job");
                Self::Internal
            }
        }
    }
}
