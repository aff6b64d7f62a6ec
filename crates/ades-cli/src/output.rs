//! What is written: files that appear whole or not at all, and words for
//! people on standard error.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use ades_core::Document;

use crate::exit::Failure;
use crate::input::is_standard;
use crate::progress::Watched;
use crate::temporary::{Temporary, folder_of, followed};

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

/// What has to be said even to those who asked for quiet: its own line breaks are
/// kept, and nothing else that a terminal would obey.
pub(crate) fn loud(text: impl std::fmt::Display) {
    let text = text.to_string();
    let lines: Vec<_> = text.split('\n').map(shown).collect();
    // Nobody reading is no reason to fail.
    let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
}

/// Text of others for people's eyes: what would end the line, move the cursor or
/// turn the direction of writing is escaped.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_line_end_or_direction(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Separators of lines and paragraphs, and Bidi_Control (UAX 9, 2).
fn is_line_end_or_direction(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
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
    place(path)?;
    if !force && path.symlink_metadata().is_ok() {
        return Err(taken(path));
    }
    Ok(())
}

/// As [`check_free`], for an output in a folder that nobody makes.
pub(crate) fn check_place(path: &Path, force: bool) -> Result<(), Failure> {
    let folder = folder_of(path);
    if !is_standard(path) && !folder.is_dir() {
        let message = format!("{}: there is no folder {}", path.display(), folder.display());
        return Err(Failure::usage(message));
    }
    check_free(path, force)
}

/// Where an output is written: what a link leads to is replaced, the link stays.
/// What is there and no regular file, a device or a pipe, is never replaced.
fn place(path: &Path) -> Result<PathBuf, Failure> {
    let place = followed(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => {
            Failure::usage(format!("{}: is a link that leads nowhere", path.display()))
        }
        _ => Failure::output(path, &e),
    })?;
    if place.metadata().is_ok_and(|found| !found.is_file()) {
        let message = format!("{}: is no regular file; - is standard output", path.display());
        return Err(Failure::usage(message));
    }
    Ok(place)
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

/// An output that is not there yet.
#[derive(Debug)]
pub(crate) struct Output {
    to: To,
    path: PathBuf,
    /// The same, if it is no link.
    place: PathBuf,
}

#[derive(Debug)]
enum To {
    /// A file beside it.
    File(Temporary, Readers),
    /// Standard output; a file without a name meanwhile.
    Standard(File),
}

impl Output {
    pub(crate) fn create(path: &Path, readers: Readers) -> Result<Self, Failure> {
        let (to, place) = if is_standard(path) {
            (tempfile::tempfile().map(To::Standard), path.to_owned())
        } else {
            let place = place(path)?;
            (Temporary::beside(&place).map(|file| To::File(file, readers)), place)
        };
        let to = to.map_err(|e| Failure::output(path, &e))?;
        Ok(Self { to, path: path.to_owned(), place })
    }

    pub(crate) fn writer(&mut self) -> &mut File {
        match &mut self.to {
            To::File(file, _) => file.file(),
            To::Standard(file) => file,
        }
    }

    /// What has been written, to be read. Nothing is written any more.
    pub(crate) fn made(&self) -> Result<Document<'static>, Failure> {
        let reopened = match &self.to {
            To::File(file, _) => file.reopen(),
            To::Standard(file) => file.try_clone().and_then(|mut file| {
                file.rewind()?;
                Ok(file)
            }),
        };
        let made = reopened.map_err(|e| Failure::output(&self.path, &e))?;
        let length = made.metadata().map(|metadata| metadata.len()).ok();
        Ok(Document::seekable(Watched::new(made, &name(&self.path), length)))
    }

    /// Puts the file in its place, whole.
    pub(crate) fn publish(self, existing: Existing) -> Result<(), Failure> {
        let Self { to, path, place } = self;
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
            file.replace(&place).map_err(failed)?;
        } else if let Err((file, error)) = file.place(&place) {
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(failed(error));
            }
            let same = || same_octets(file.reopen()?, File::open(&place)?);
            return if existing == Existing::KeepSame && same().map_err(failed)? {
                Ok(())
            } else {
                Err(taken(&path))
            };
        }
        // The name, too, shall survive a power cut.
        #[cfg(unix)]
        File::open(folder_of(&place)).and_then(|folder| folder.sync_all()).map_err(failed)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        for (text, expected) in [
            ("Zoë Ζωή 😀 \\u{1b}", "Zoë Ζωή 😀 \\u{1b}"),
            ("a\u{1B}[2J\n\r\tb\0", "a\\u{1b}[2J\\u{a}\\u{d}\\u{9}b\\u{0}"),
            ("\u{7F}\u{9B}31m", "\\u{7f}\\u{9b}31m"),
            ("\u{202E}fdp\u{202C}", "\\u{202e}fdp\\u{202c}"),
            ("\u{200E}\u{200F}\u{61C}", "\\u{200e}\\u{200f}\\u{61c}"),
            ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
            ("\u{2066}\u{2067}\u{2068}\u{2069}", "\\u{2066}\\u{2067}\\u{2068}\\u{2069}"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }
}
