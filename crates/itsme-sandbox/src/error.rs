//! Why there is no sandbox, or no answer of it.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why there is no sandbox, or no answer of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A field of [`Config`](crate::Config).
    #[error("the sandbox's configuration: {field} is not usable")]
    Config {
        /// its name
        field: &'static str,
    },
    /// A file of the sandbox's directory.
    #[error("{}: cannot be read or written", .path.display())]
    File {
        /// which
        path: PathBuf,
        /// what the system says
        source: io::Error,
    },
    /// An address to listen at.
    #[error("{address}: cannot be listened at")]
    Listen {
        /// which
        address: SocketAddr,
        /// what the system says
        source: io::Error,
    },
    /// A file of the PKI that holds something else; without the whole directory
    /// a new PKI is made.
    #[error("{}: does not hold a certificate and its key", .path.display())]
    PkiFile {
        /// which
        path: PathBuf,
    },
    /// Something that is always possible.
    #[error("{what} cannot be made")]
    Internal {
        /// what was to be made
        what: &'static str,
        /// what the library says
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Who has to act for a [`SandboxError`] to go away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Blame {
    /// Whoever wrote the [`Config`](crate::Config).
    Configuration,
    /// Whoever changed the sandbox's directory.
    Input,
    /// The file system or another process on this machine.
    System,
    /// The sandbox: a bug.
    Sandbox,
}

impl SandboxError {
    /// Who has to act.
    #[must_use]
    pub fn fault(&self) -> Blame {
        match self {
            Self::Config { .. } => Blame::Configuration,
            Self::Listen { source, .. } if source.kind() != io::ErrorKind::AddrInUse => {
                Blame::Configuration
            }
            Self::File { .. } | Self::Listen { .. } => Blame::System,
            Self::PkiFile { .. } => Blame::Input,
            Self::Internal { .. } => Blame::Sandbox,
        }
    }

    /// Whether the same start may succeed later: somebody else has the port.
    #[must_use]
    pub fn retry(&self) -> bool {
        matches!(self, Self::Listen { .. }) && self.fault() == Blame::System
    }

    /// With what was to be made; for `map_err`.
    pub(crate) fn making<E: Into<Box<dyn Error + Send + Sync>>>(
        what: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Internal { what, source: source.into() }
    }

    /// With the file it is about; for `map_err`.
    pub(crate) fn of_file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { path: path.into(), source }
    }
}
