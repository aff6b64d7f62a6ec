//! Outputs: files that are written whole or not at all, and messages on standard error.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use ades::Document;
use ades::text::for_terminal;

use crate::exit::Failure;
use crate::path_name::{self, folder_of, is_standard};
use crate::progress::Watched;
use crate::temporary::{Temporary, followed};

/// Messages for people on standard error, unless `--quiet` is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Messages {
    quiet: bool,
}

impl Messages {
    pub(crate) const fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    pub(crate) fn print(self, text: impl std::fmt::Display) {
        if !self.quiet {
            print_always(text);
        }
    }
}

/// Prints a message even with `--quiet`. Line breaks stay; other characters that control a terminal
/// are escaped.
pub(crate) fn print_always(text: impl std::fmt::Display) {
    let text = text.to_string();
    let lines: Vec<_> = text.split('\n').map(for_terminal).collect();
    // A closed standard error is not a reason to fail.
    let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
}

/// Returns an error if an output file cannot be written, before any work is done.
pub(crate) fn check_free(path: &Path, force: bool) -> Result<(), Failure> {
    if is_standard(path) {
        return Ok(());
    }
    if path.is_dir() {
        return Err(Failure::usage(format!("{}: is a folder", path.display())));
    }
    target(path)?;
    if !force && path.symlink_metadata().is_ok() {
        return Err(taken(path));
    }
    Ok(())
}

/// As [`check_free`], for an output in a folder that must exist already.
pub(crate) fn check_place(path: &Path, force: bool) -> Result<(), Failure> {
    let folder = folder_of(path);
    if !is_standard(path) && !folder.is_dir() {
        let message = format!("{}: there is no folder {}", path.display(), folder.display());
        return Err(Failure::usage(message));
    }
    check_free(path, force)
}

/// The file to write: for a symbolic link, the file that it points to, so that the link stays. A
/// device or a pipe is an error, because it is never replaced.
fn target(path: &Path) -> Result<PathBuf, Failure> {
    let target = followed(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => Failure::usage(format!(
            "{}: is a symbolic link to a file that does not exist",
            path.display()
        )),
        _ => Failure::output(path, &e),
    })?;
    if target.metadata().is_ok_and(|found| !found.is_file()) {
        let message = format!("{}: is not a regular file; - is standard output", path.display());
        return Err(Failure::usage(message));
    }
    Ok(target)
}

fn taken(path: &Path) -> Failure {
    Failure::usage(format!("{}: exists already; --force overwrites it", path.display()))
}

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Everybody whom the umask allows
    Usual,
    /// Its owner only
    Owner,
}

/// The treatment of an existing output file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It stays, and publishing is an error
    Keep,
    /// It stays, and publishing is an error unless it has the same octets
    KeepSame,
    /// It is replaced
    Replace,
}

impl Existing {
    pub(crate) const fn forced(force: bool) -> Self {
        if force { Self::Replace } else { Self::Keep }
    }
}

/// An output that is being written.
#[derive(Debug)]
pub(crate) struct Output {
    to: To,
    path: PathBuf,
    /// The same path, or the file that a symbolic link points to.
    target: PathBuf,
}

#[derive(Debug)]
enum To {
    /// A temporary file beside the output
    File(Temporary, Readers),
    /// Standard output; until it is published, an unnamed temporary file
    Standard(File),
}

impl Output {
    pub(crate) fn create(path: &Path, readers: Readers) -> Result<Self, Failure> {
        let (to, target) = if is_standard(path) {
            (tempfile::tempfile().map(To::Standard), path.to_owned())
        } else {
            let target = target(path)?;
            (Temporary::beside(&target).map(|file| To::File(file, readers)), target)
        };
        let to = to.map_err(|e| Failure::output(path, &e))?;
        Ok(Self { to, path: path.to_owned(), target })
    }

    pub(crate) fn writer(&mut self) -> &mut File {
        match &mut self.to {
            To::File(file, _) => file.file(),
            To::Standard(file) => file,
        }
    }

    /// A document with the octets written so far, for verifying them.
    pub(crate) fn read_back(&self) -> Result<Document<'static>, Failure> {
        let reopened = match &self.to {
            To::File(file, _) => file.reopen(),
            To::Standard(file) => file.try_clone().and_then(|mut file| {
                file.rewind()?;
                Ok(file)
            }),
        };
        let made = reopened.map_err(|e| Failure::output(&self.path, &e))?;
        let length = made.metadata().map(|metadata| metadata.len()).ok();
        Ok(Document::seekable(Watched::new(made, &path_name::of_output(&self.path), length)))
    }

    /// Puts the finished file in its place.
    pub(crate) fn publish(self, existing: Existing) -> Result<(), Failure> {
        let Self { to, path, target } = self;
        let failed = |e: io::Error| Failure::output(&path, &e);
        let (mut file, readers) = match to {
            To::File(file, readers) => (file, readers),
            To::Standard(mut from) => {
                from.rewind().map_err(failed)?;
                let mut out = io::stdout().lock();
                io::copy(&mut from, &mut out).map_err(failed)?;
                return out.flush().map_err(failed);
            }
        };
        if readers == Readers::Usual {
            file.open_up().map_err(failed)?;
        }
        file.file().sync_all().map_err(failed)?;
        if existing == Existing::Replace {
            file.replace(&target).map_err(failed)?;
        } else if let Err((file, error)) = file.place(&target) {
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(failed(error));
            }
            let same = || same_octets(file.reopen()?, File::open(&target)?);
            return if existing == Existing::KeepSame && same().map_err(failed)? {
                Ok(())
            } else {
                Err(taken(&path))
            };
        }
        // Makes the directory entry durable, not only the file's octets.
        #[cfg(unix)]
        File::open(folder_of(&target)).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(())
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
    output.writer().write_all(octets).map_err(|e| Failure::output(path, &e))?;
    output.publish(existing)
}

/// Prints a result to standard output. A closed pipe is not an error.
pub(crate) fn print(text: impl std::fmt::Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::input(format!("standard output: {e}")))
        }
        _ => Ok(()),
    }
}
