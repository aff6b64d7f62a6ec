//! Unfinished files. They are removed when an error, a panic or a signal ends the program. After a
//! kill, the next run removes them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::{NamedTempFile, PersistError};

use crate::path_name::{folder_of, is_standard};

/// The files to remove when a signal ends the program.
static LIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn live() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name on the list of files to remove, until this value is dropped.
#[derive(Debug)]
pub(crate) struct Listed(PathBuf);

impl Listed {
    /// Creates a file with `make` and puts it on the list. The signal handler waits until both are
    /// done.
    pub(crate) fn make<T>(
        make: impl FnOnce() -> io::Result<(PathBuf, T)>,
    ) -> io::Result<(Self, T)> {
        let mut live = live();
        let (path, made) = make()?;
        live.insert(path.clone());
        Ok((Self(path), made))
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        live().remove(&self.0);
    }
}

/// Removes all files on the list. The caller keeps the list locked, so that no file is created
/// before the program ends.
#[cfg(unix)]
pub(crate) fn remove_all() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    let live = live();
    for path in live.iter() {
        // A missing file is not an error.
        let _ = std::fs::remove_file(path);
    }
    live
}

/// A file that only its owner can read, named after the file that it will become.
#[derive(Debug)]
pub(crate) struct Temporary {
    // Dropped first: the file is removed before its name leaves the list.
    file: NamedTempFile,
    listed: Listed,
}

impl Temporary {
    /// Creates a file beside `path`.
    pub(crate) fn beside(path: &Path) -> io::Result<Self> {
        Self::build(tempfile::Builder::new().prefix(&prefix(path)), folder_of(path))
    }

    fn build(builder: &tempfile::Builder<'_, '_>, folder: &Path) -> io::Result<Self> {
        loop {
            let (listed, file) = Listed::make(|| {
                let file = builder.tempfile_in(folder)?;
                Ok((file.path().to_owned(), file))
            })?;
            // `sweep` removes files that are not locked. It may have removed this one between
            // creating and locking it.
            #[cfg(unix)]
            let _ = file.as_file().lock();
            if file.path().symlink_metadata().is_ok() {
                return Ok(Self { file, listed });
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(crate) fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Opens the file again, for reading from the first octet on.
    pub(crate) fn reopen(&self) -> io::Result<File> {
        self.file.reopen()
    }

    /// Gives the file the permissions that the umask leaves to a new file.
    #[cfg(unix)]
    pub(crate) fn open_up(&self) -> io::Result<()> {
        let prefix = prefix(Path::new("mode"));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        let mut builder = tempfile::Builder::new();
        // The mode of an empty file shows what the umask leaves.
        let empty = Self::build(builder.prefix(&prefix).permissions(mode), folder_of(self.path()))?;
        let usual = empty.file.as_file().metadata()?.permissions();
        self.file.as_file().set_permissions(usual)
    }

    #[cfg(not(unix))]
    pub(crate) fn open_up(&self) -> io::Result<()> {
        Ok(())
    }

    /// Renames the file to `path`, and replaces an existing file.
    pub(crate) fn replace(self, path: &Path) -> io::Result<()> {
        let Self { file, listed } = self;
        let replaced = file.persist(path);
        drop(listed);
        replaced.map(drop).map_err(|e| e.error)
    }

    /// Renames the file to `path`. If `path` exists already, returns the file with the error.
    pub(crate) fn place(self, path: &Path) -> Result<(), (Self, io::Error)> {
        let Self { file, listed } = self;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(()),
            Err(PersistError { error, file }) => Err((Self { file, listed }, error)),
        }
    }
}

/// The target of a symbolic link; any other path unchanged.
///
/// # Errors
/// If the link's target does not exist.
pub(crate) fn followed(path: &Path) -> io::Result<PathBuf> {
    if path.is_symlink() { path.canonicalize() } else { Ok(path.to_owned()) }
}

/// The prefix of the names of a file's temporary files.
fn prefix(path: &Path) -> String {
    /// Maximum length in octets. File systems allow 255, and the rest of the name needs a few.
    const MAX_NAME: usize = 200;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.len() > MAX_NAME { ".ades-".to_owned() } else { format!(".{name}.ades-") }
}

/// Removes temporary files that a killed process left beside these files.
pub(crate) fn sweep<'a>(paths: impl Iterator<Item = &'a Path>) {
    let mut by_folder: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for path in paths.filter(|path| !is_standard(path)) {
        let Ok(path) = followed(path) else { continue };
        let prefixes = by_folder.entry(folder_of(&path).to_owned()).or_default();
        prefixes.extend([prefix(&path), prefix(Path::new("mode"))]);
    }
    for (folder, prefixes) in by_folder {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            // Temporary files of other files have other prefixes.
            let left =
                name.to_str().and_then(|name| name.rfind(".ades-").map(|at| name.split_at(at)));
            let ours = left.is_some_and(|(front, _)| prefixes.contains(&format!("{front}.ades-")));
            if ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
                remove_abandoned(&entry.path());
            }
        }
    }
}

/// Removes a file unless it is locked: its writer holds a lock, which ends with the process. A
/// file that cannot be removed does no harm.
#[cfg(unix)]
fn remove_abandoned(path: &Path) {
    let Ok(file) = File::open(path) else { return };
    if file.try_lock().is_ok() {
        let _ = std::fs::remove_file(path);
    }
}

/// Does nothing: on this system a lock would keep its own holder from reading, so there are no
/// locks by which to recognise an abandoned file.
#[cfg(not(unix))]
fn remove_abandoned(_path: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweep_removes_leftovers_and_keeps_files_being_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let written = Temporary::beside(&path).unwrap();
        let left = folder.path().join(".out.ades-AbC123");
        let other = folder.path().join(".other.ades-AbC123");
        for file in [&left, &other] {
            std::fs::write(file, b"half").unwrap();
        }
        sweep([path.as_path()].into_iter());
        assert!(written.path().exists() && other.exists());
        assert!(!left.exists());
        let place = written.path().to_owned();
        drop(written);
        assert!(!place.exists() && !live().contains(&place));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_an_unfinished_file() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let path = folder.path().join("out");
        let plain = folder.path().join("plain");
        std::fs::write(&plain, b"").unwrap();
        let written = Temporary::beside(&path).unwrap();
        assert_eq!(mode(written.path()), 0o600);
        written.open_up().unwrap();
        written.replace(&path).unwrap();
        assert_eq!(mode(&path), mode(&plain));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
