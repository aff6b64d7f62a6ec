//! Files that are not yet what they shall be. They are removed whatever ends
//! the program: an error, a panic, a signal; after a kill, by the next run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::{NamedTempFile, PersistError};

use crate::input::is_standard;

/// What has to go if the program is told to end.
static LIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn live() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name that is on the list of what has to go, for as long as this is there.
#[derive(Debug)]
pub(crate) struct Listed(PathBuf);

impl Listed {
    /// Puts on the list what `make` makes; no signal comes in between.
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

/// Removes all that is on the list. The list stays taken: nothing new gets on
/// it, for the program is about to end.
#[cfg(unix)]
pub(crate) fn remove_all() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    let live = live();
    for path in live.iter() {
        // What is gone already is as good.
        let _ = std::fs::remove_file(path);
    }
    live
}

/// A file that only its owner can read, named after what it is to become.
#[derive(Debug)]
pub(crate) struct Temporary {
    // Removed before it leaves the list.
    file: NamedTempFile,
    listed: Listed,
}

impl Temporary {
    /// Beside `path`.
    pub(crate) fn beside(path: &Path) -> io::Result<Self> {
        Self::build(tempfile::Builder::new().prefix(&prefix(path)), folder_of(path))
    }

    fn build(builder: &tempfile::Builder<'_, '_>, folder: &Path) -> io::Result<Self> {
        loop {
            let (listed, file) = Listed::make(|| {
                let file = builder.tempfile_in(folder)?;
                Ok((file.path().to_owned(), file))
            })?;
            // Whoever sweeps has the lock of what it removes. Between its making
            // and its locking this one may have been taken for a leftover.
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

    /// A second reader, at the start.
    pub(crate) fn reopen(&self) -> io::Result<File> {
        self.file.reopen()
    }

    /// Lets those read it whom the system's settings let read a new file.
    #[cfg(unix)]
    pub(crate) fn open_up(&self) -> io::Result<()> {
        let prefix = prefix(Path::new("mode"));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        let mut builder = tempfile::Builder::new();
        // An empty one, to see what the settings leave of the mode.
        let empty = Self::build(builder.prefix(&prefix).permissions(mode), folder_of(self.path()))?;
        let usual = empty.file.as_file().metadata()?.permissions();
        self.file.as_file().set_permissions(usual)
    }

    #[cfg(not(unix))]
    pub(crate) fn open_up(&self) -> io::Result<()> {
        Ok(())
    }

    /// Gives it its name, in place of what has it.
    pub(crate) fn replace(self, path: &Path) -> io::Result<()> {
        let Self { file, listed } = self;
        let replaced = file.persist(path);
        drop(listed);
        replaced.map(drop).map_err(|e| e.error)
    }

    /// Gives it its name, unless something has it: then the file comes back.
    pub(crate) fn place(self, path: &Path) -> Result<(), (Self, io::Error)> {
        let Self { file, listed } = self;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(()),
            Err(PersistError { error, file }) => Err((Self { file, listed }, error)),
        }
    }
}

/// Where a link leads to; any other path as it is.
///
/// # Errors
/// If it leads nowhere.
pub(crate) fn followed(path: &Path) -> io::Result<PathBuf> {
    if path.is_symlink() { path.canonicalize() } else { Ok(path.to_owned()) }
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

/// How the names of a file's temporary files begin.
fn prefix(path: &Path) -> String {
    /// File systems take 255 octets; the rest of the name needs a few.
    const MAX_NAME: usize = 200;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.len() > MAX_NAME { ".ades-".to_owned() } else { format!(".{name}.ades-") }
}

/// Removes what a killed process left of these files: temporary ones beside
/// them that nobody writes any more.
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
            // The prefix of another file's temporary files is another.
            let left =
                name.to_str().and_then(|name| name.rfind(".ades-").map(|at| name.split_at(at)));
            let ours = left.is_some_and(|(front, _)| prefixes.contains(&format!("{front}.ades-")));
            if ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
                remove_abandoned(&entry.path());
            }
        }
    }
}

/// Whoever writes it has it locked; a kill gives the lock back. What cannot be
/// removed does no harm.
#[cfg(unix)]
fn remove_abandoned(path: &Path) {
    let Ok(file) = File::open(path) else { return };
    if file.try_lock().is_ok() {
        let _ = std::fs::remove_file(path);
    }
}

/// Here a lock would keep its own holder from reading: nothing tells a leftover
/// from what is being written.
#[cfg(not(unix))]
fn remove_abandoned(_path: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_being_written_is_not_swept_and_what_is_left_is() {
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
    fn nobody_else_reads_it_before_it_is_done() {
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
        // Nothing else is left.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
