//! What is risky in a configuration, although it works.

use std::path::{Path, PathBuf};

/// Something risky in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigWarning {
    /// Other users of the machine can read the client's private key. Only Unix
    /// systems are checked
    #[error(
        "{key}: other users of this machine can read the private key in {} (mode {mode:04o}); \
         chmod 600 corrects this",
        path.display()
    )]
    KeyReadable {
        /// the key in `itsme.toml` that names the file
        key: &'static str,
        /// the file
        path: PathBuf,
        /// the permission bits of the file
        mode: u32,
    },
}

impl ConfigWarning {
    /// Checks the permissions of the file with the private key.
    #[cfg(unix)]
    pub(super) fn of_key_file(key: &'static str, path: &Path) -> Option<Self> {
        use std::os::unix::fs::PermissionsExt;

        // A missing file is an error elsewhere.
        let mode = path.metadata().ok()?.permissions().mode() & 0o7777;
        (mode & 0o077 != 0).then(|| Self::KeyReadable { key, path: path.to_owned(), mode })
    }

    #[cfg(not(unix))]
    pub(super) fn of_key_file(_: &'static str, _: &Path) -> Option<Self> {
        None
    }
}
