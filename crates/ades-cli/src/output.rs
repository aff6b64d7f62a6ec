//! What is written: files that appear whole or not at all, and words for
//! people on standard error.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::exit::Failure;
use crate::input::is_standard;

/// Talks to people, unless they asked for quiet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Say {
    quiet: bool,
}

impl Say {
    pub(crate) const fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    pub(crate) fn line(self, text: impl std::fmt::Display) {
        if !self.quiet {
            loud(text);
        }
    }
}

/// What has to be said even to those who asked for quiet.
pub(crate) fn loud(text: impl std::fmt::Display) {
    // Nobody reading is no reason to fail.
    let _ = writeln!(io::stderr(), "{text}");
}

pub(crate) fn name(path: &Path) -> String {
    if is_standard(path) { "standard output".to_owned() } else { path.display().to_string() }
}

/// Fails early if an output cannot become what it should.
pub(crate) fn check_free(path: &Path, force: bool) -> Result<(), Failure> {
    if is_standard(path) {
        return Ok(());
    }
    if path.is_dir() {
        return Err(Failure::usage(format!("{}: is a folder", path.display())));
    }
    if !force && path.symlink_metadata().is_ok() {
        return Err(taken(path));
    }
    Ok(())
}

fn taken(path: &Path) -> Failure {
    Failure::usage(format!("{}: is there already; --force overwrites it", path.display()))
}

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Whoever the system's settings let.
    Usual,
    /// Its owner only.
    Owner,
}

/// What is done about a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It stays, and that is an error.
    Keep,
    /// It stays if it has the very same octets, else that is an error.
    KeepSame,
    /// It is replaced.
    Replace,
}

impl Existing {
    pub(crate) const fn forced(force: bool) -> Self {
        if force { Self::Replace } else { Self::Keep }
    }
}

/// An output that is not there yet: a temporary file in the same folder.
#[derive(Debug)]
pub(crate) struct Output {
    temporary: NamedTempFile,
    path: PathBuf,
}

impl Output {
    pub(crate) fn create(path: &Path, readers: Readers) -> Result<Self, Failure> {
        let prefix = temporary_prefix(path);
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix);
        #[cfg(unix)]
        if readers == Readers::Usual && !is_standard(path) {
            // The system's umask takes away what it should.
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        }
        #[cfg(not(unix))]
        let _ = readers;
        let temporary = if is_standard(path) {
            builder.tempfile()
        } else {
            builder.tempfile_in(folder_of(path))
        };
        let temporary = temporary.map_err(|e| Failure::file(path, &e))?;
        Ok(Self { temporary, path: path.to_owned() })
    }

    pub(crate) fn writer(&mut self) -> &mut File {
        self.temporary.as_file_mut()
    }

    /// What has been written, to be read from its start.
    pub(crate) fn reopen(&self) -> Result<File, Failure> {
        self.temporary.reopen().map_err(|e| Failure::file(&self.path, &e))
    }

    /// Puts the file in its place, whole.
    pub(crate) fn publish(self, existing: Existing) -> Result<(), Failure> {
        let Self { temporary, path } = self;
        let failed = |e: io::Error| Failure::file(&path, &e);
        if is_standard(&path) {
            let mut from = temporary.reopen().map_err(failed)?;
            let mut out = io::stdout().lock();
            io::copy(&mut from, &mut out).map_err(failed)?;
            return out.flush().map_err(failed);
        }
        temporary.as_file().sync_all().map_err(failed)?;
        if existing == Existing::Replace {
            temporary.persist(&path).map_err(|e| failed(e.error))?;
        } else if let Err(refused) = temporary.persist_noclobber(&path) {
            if refused.error.kind() != io::ErrorKind::AlreadyExists {
                return Err(failed(refused.error));
            }
            let same = || same_octets(refused.file.reopen()?, File::open(&path)?);
            return if existing == Existing::KeepSame && same().map_err(failed)? {
                Ok(())
            } else {
                Err(taken(&path))
            };
        }
        // The name, too, shall survive a power cut.
        #[cfg(unix)]
        File::open(folder_of(&path)).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(())
    }
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

/// How the names of a file's temporary files begin.
pub(crate) fn temporary_prefix(path: &Path) -> String {
    /// File systems take 255 octets; the rest of the name needs a few.
    const MAX_NAME: usize = 200;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.len() > MAX_NAME { ".ades-".to_owned() } else { format!(".{name}.ades-") }
}

/// Removes what a killed process left of these files: temporary ones beside
/// them, which nobody finishes any more.
pub(crate) fn sweep<'a>(paths: impl Iterator<Item = &'a Path>) {
    let mut by_folder: BTreeMap<&Path, BTreeSet<String>> = BTreeMap::new();
    for path in paths.filter(|path| !is_standard(path)) {
        by_folder.entry(folder_of(path)).or_default().insert(temporary_prefix(path));
    }
    for (folder, prefixes) in by_folder {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            // The prefix of another file's temporary files is another.
            let left =
                name.to_str().and_then(|name| name.rfind(".ades-").map(|at| name.split_at(at)));
            if left.is_some_and(|(front, _)| prefixes.contains(&format!("{front}.ades-"))) {
                // What cannot be removed does no harm.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

fn same_octets(one: File, other: File) -> io::Result<bool> {
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (io::BufReader::new(one).bytes(), io::BufReader::new(other).bytes());
    loop {
        match (one.next().transpose()?, other.next().transpose()?) {
            (None, None) => return Ok(true),
            (a, b) if a != b => return Ok(false),
            _ => {}
        }
    }
}

/// Writes a small file, whole or not at all.
pub(crate) fn write_file(
    path: &Path,
    octets: &[u8],
    readers: Readers,
    existing: Existing,
) -> Result<(), Failure> {
    let mut output = Output::create(path, readers)?;
    output.writer().write_all(octets).map_err(|e| Failure::file(path, &e))?;
    output.publish(existing)
}

/// Prints for a machine. Whoever stopped reading has read enough.
pub(crate) fn print(text: impl std::fmt::Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::input(format!("standard output: {e}")))
        }
        _ => Ok(()),
    }
}
