//! What is written: files that appear whole or not at all, and words for
//! people on standard error.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::exit::Failure;

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
            // Nobody reading is no reason to fail.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }
}

/// Whether a path means standard input or output.
pub(crate) fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// Fails early if an output cannot become what it should.
pub(crate) fn check_free(path: &Path, force: bool) -> Result<(), Failure> {
    if !is_standard(path) && !force && path.exists() {
        let message = format!("{} is there already; --force overwrites it", path.display());
        return Err(Failure::input(message));
    }
    Ok(())
}

/// An output that is not there yet: a temporary file in the same folder.
#[derive(Debug)]
pub(crate) struct Output {
    temporary: NamedTempFile,
    path: PathBuf,
}

impl Output {
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let folder = match path.parent() {
            Some(parent) if !is_standard(path) && parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let temporary = if is_standard(path) {
            NamedTempFile::new()
        } else {
            tempfile::Builder::new().prefix(".ades-").tempfile_in(folder)
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
    pub(crate) fn publish(self, force: bool) -> Result<(), Failure> {
        let path = self.path.clone();
        let failed = |e: &io::Error| Failure::file(&path, e);
        if is_standard(&path) {
            let mut from = self.temporary.reopen().map_err(|e| failed(&e))?;
            let mut out = io::stdout().lock();
            io::copy(&mut from, &mut out).map_err(|e| failed(&e))?;
            return out.flush().map_err(|e| failed(&e));
        }
        self.temporary.as_file().sync_all().map_err(|e| failed(&e))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::Permissions::from_mode(0o644);
            self.temporary.as_file().set_permissions(mode).map_err(|e| failed(&e))?;
        }
        if force {
            self.temporary.persist(&path).map_err(|e| failed(&e.error))?;
        } else {
            self.temporary.persist_noclobber(&path).map_err(|e| failed(&e.error))?;
        }
        // The name, too, shall survive a power cut.
        #[cfg(unix)]
        if let Some(folder) = path.parent() {
            let folder = if folder == Path::new("") { Path::new(".") } else { folder };
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| failed(&e))?;
        }
        Ok(())
    }
}

/// Writes a small file, whole or not at all.
pub(crate) fn write_file(path: &Path, octets: &[u8], force: bool) -> Result<(), Failure> {
    let mut output = Output::create(path)?;
    output.writer().write_all(octets).map_err(|e| Failure::file(path, &e))?;
    output.publish(force)
}

/// Prints a machine's line.
pub(crate) fn print(value: &serde_json::Value) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{value}")
        .and_then(|()| out.flush())
        .map_err(|e| Failure::file(Path::new("standard output"), &e))
}
