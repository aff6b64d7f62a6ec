//! The errors of the sandbox.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// An error of the sandbox.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A field of [`Config`](crate::Config) has an invalid value
    #[error("the sandbox's configuration: {field} {problem}")]
    Config {
        /// the name of the field
        field: &'static str,
        /// the problem with its value
        problem: String,
    },
    /// A file of the sandbox's directory cannot be read or written
    #[error("{}: cannot be read or written", .path.display())]
    File {
        /// the file
        path: PathBuf,
        /// the error of the file system
        source: io::Error,
    },
    /// The sandbox cannot listen at an address
    #[error("{address}: cannot listen at this address")]
    Listen {
        /// the address
        address: SocketAddr,
        /// the error of the network
        source: io::Error,
    },
    /// A file of the PKI does not hold a certificate and its key
    #[error(
        "{}: does not hold a certificate and its key; delete the sandbox's directory to make a new PKI",
        .path.display()
    )]
    PkiFile {
        /// the file
        path: PathBuf,
    },
    /// A library cannot make a key, a certificate or a value. This is a bug
    #[error("{what} cannot be made")]
    Internal {
        /// the object that cannot be made
        what: &'static str,
        /// the error of the library
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Who has to act before the operation can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Blame {
    /// The author of the [`Config`](crate::Config)
    Configuration,
    /// The person who changed the sandbox's directory
    Input,
    /// The file system or another process on this machine
    System,
    /// The authors of the sandbox: this is a bug
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

    /// Whether the same start may succeed later, because another process uses
    /// the port now.
    #[must_use]
    pub fn retry(&self) -> bool {
        match self {
            Self::Listen { source, .. } => source.kind() == io::ErrorKind::AddrInUse,
            Self::Config { .. }
            | Self::File { .. }
            | Self::Internal { .. }
            | Self::PkiFile { .. } => false,
        }
    }

    pub(crate) fn config(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Config { field, problem: problem.into() }
    }

    /// Names the object that cannot be made; for `map_err`.
    pub(crate) fn making<E: Into<Box<dyn Error + Send + Sync>>>(
        what: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Internal { what, source: source.into() }
    }

    /// Names the file; for `map_err`.
    pub(crate) fn of_file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { path: path.into(), source }
    }
}
