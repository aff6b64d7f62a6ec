//! Outputs: files that are written whole or not at all, and messages on standard error.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek, Write};
use std::path::{Path, PathBuf};

use ades::text::for_terminal;
use ades::{Document, Format};
use tempfile::{PathPersistError, TempPath};

use crate::exit::Failure;
use crate::path_name::{self, absolute, folder_of, is_same_file, is_standard};
use crate::progress::Watched;
use crate::storing::Storing;
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
        return Err(Failure::output(path, "is a folder; name a file in it"));
    }
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(Failure::output(path, "names a folder; name a file in it"));
    }
    target(path)?;
    match path.symlink_metadata() {
        Ok(_) if !force => Err(taken(path)),
        // The name is too long, for example.
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Failure::output(path, &e)),
        _ => Ok(()),
    }
}

/// As [`check_free`], for an output in a folder that must exist already.
pub(crate) fn check_place(path: &Path, force: bool) -> Result<(), Failure> {
    let folder = folder_of(path);
    if !is_standard(path) && !folder.is_dir() {
        let folder_name = folder.display();
        return Err(if folder.exists() {
            Failure::output(path, format_args!("{folder_name} is not a folder"))
        } else {
            Failure::output(path, format_args!("there is no folder {folder_name}"))
        });
    }
    check_free(path, force)
}

/// Returns an error if an output would overwrite one of the files that the command reads.
pub(crate) fn check_apart<'p>(
    output: &Path,
    inputs: impl IntoIterator<Item = &'p PathBuf>,
) -> Result<(), Failure> {
    let is_read = |input: &&PathBuf| !is_standard(output) && is_same_file(output, input);
    let Some(input) = inputs.into_iter().find(is_read) else { return Ok(()) };
    let (output, input) = (absolute(output), absolute(input));
    let name = output.display();
    Err(Failure::usage(if output == input {
        format!("{name}: is an input, and would be overwritten: name another output")
    } else {
        let input = input.display();
        format!(
            "{name}: leads to the input {input}, which would be overwritten: name another output"
        )
    }))
}

/// Returns an error if a binary container would go to a terminal, which it can disturb.
pub(crate) fn check_terminal(path: &Path, format: Format) -> Result<(), Failure> {
    if !format.is_text() && is_standard(path) && io::stdout().is_terminal() {
        return Err(Failure::usage(format!(
            "standard output is a terminal, and a {format} container is not text: -o FILE writes \
             it to a file; redirect or pipe the output of -o -"
        )));
    }
    Ok(())
}

/// The file to write: for a symbolic link, the file that it points to, so that the link stays. A
/// device or a pipe is an error, because it is never replaced.
fn target(path: &Path) -> Result<PathBuf, Failure> {
    let target = followed(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => {
            Failure::output(path, "is a symbolic link to a file that does not exist")
        }
        _ => Failure::output(path, &e),
    })?;
    if target.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(Failure::output(path, "is not a regular file; - is standard output"));
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
    /// The thread that writes the octets to the disk
    storing: Option<Storing>,
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
        Ok(Self { to, path: path.to_owned(), target, storing: None })
    }

    pub(crate) fn writer(&mut self) -> &mut File {
        match &mut self.to {
            To::File(file, _) => file.file(),
            To::Standard(file) => file,
        }
    }

    /// Lets the system write the output to the disk while it is made: for a long one, that takes
    /// as long as making and verifying it.
    pub(crate) fn store_early(&mut self) {
        if let (To::File(file, _), None) = (&mut self.to, &self.storing) {
            self.storing = Storing::begin(file.file());
        }
    }

    /// A document with the octets written so far, for verifying them.
    pub(crate) fn read_back(&mut self) -> Result<Document<'static>, Failure> {
        self.store_early();
        if let Some(storing) = &self.storing {
            storing.is_whole();
        }
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

    /// Puts the finished file in another place, where it replaces an existing one.
    pub(crate) fn publish_as(mut self, path: &Path) -> Result<(), Failure> {
        path.clone_into(&mut self.path);
        path.clone_into(&mut self.target);
        self.publish(Existing::Replace)
    }

    /// Puts the finished file in its place.
    pub(crate) fn publish(self, existing: Existing) -> Result<(), Failure> {
        let Self { to, path, target, storing } = self;
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
        // A crash after storing loses no octet, only that others may read the file. The system
        // reports a failure to write only once, so that storing must be waited for.
        let stored = storing.map_or_else(|| file.file().sync_all(), Storing::finish);
        stored.map_err(failed)?;
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
        sync_folder(&target).map_err(failed)
    }
}

/// Puts a finished file in the place of an output in the same folder. It stays where it is if
/// that fails.
pub(crate) fn place(file: &Path, path: &Path, existing: Existing) -> Result<(), Failure> {
    let target = target(path)?;
    let failed = |e: io::Error| Failure::output(path, &e);
    if existing == Existing::Replace {
        std::fs::rename(file, &target).map_err(failed)?;
    } else {
        let file = TempPath::try_from_path(file).map_err(failed)?;
        if let Err(PathPersistError { error, path: file }) = file.persist_noclobber(&target) {
            let kept = file.keep().map_err(|e| e.error);
            kept.map_err(failed)?;
            return Err(match error.kind() {
                io::ErrorKind::AlreadyExists => taken(path),
                _ => failed(error),
            });
        }
    }
    sync_folder(&target).map_err(failed)
}

/// Makes a directory entry durable, not only the file's octets.
fn sync_folder(file: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder_of(file)).and_then(|folder| folder.sync_all())?;
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
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

/// Prints a report to standard output. A closed pipe is not an error: its reader has read enough.
pub(crate) fn print(text: impl std::fmt::Display) -> Result<(), Failure> {
    printed(write_standard(text))
}

/// The result of printing a report or help to standard output.
pub(crate) fn printed(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|e| Failure::output(Path::new("-"), &e)),
    }
}

/// Prints a result that its reader needs as a whole: a closed pipe is an error.
pub(crate) fn print_whole(text: impl std::fmt::Display) -> Result<(), Failure> {
    write_standard(text).map_err(|e| Failure::output(Path::new("-"), &e))
}

fn write_standard(text: impl std::fmt::Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{text}").and_then(|()| out.flush())
}
