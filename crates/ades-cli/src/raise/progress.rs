//! How far the raising of a file has come, in files beside its output: after a kill, the same
//! command continues, and no time-stamp is asked for twice.
//!
//! `OUT.raising` is the state, and `OUT.raising.N` the document that the last step wrote. The
//! document is written before the state that names it, and both are whole or not there.

use std::fs::File;
use std::io::{Read, SeekFrom};
use std::path::{Path, PathBuf};

use ades::{
    Digest, DigestAlgorithm, Document, Extension, Oid, PendingState, Reached, TargetLevel, states,
};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;
use crate::lock::Lock;
use crate::output::{self, Existing, Output, Readers};
use crate::path_name::{is_standard, of_input, of_output};
use crate::{input, temporary};

/// Number of octets at each end of a file that identify it, together with its length. Every
/// signature is near one of them, and the format compares the rest when it adds a time-stamp.
const END: u64 = 64 * 1024;

/// The state of raising one file, and the right to work on it.
pub(super) struct Progress {
    path: PathBuf,
    stored: Option<Stored>,
    /// The number of the last document.
    number: u32,
    _lock: Lock,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Wish {
    pub(super) level: TargetLevel,
    pub(super) digest: DigestAlgorithm,
    pub(super) policy: Option<Oid>,
    pub(super) is_fresh: bool,
    /// The place of the only signature that is raised, if the user gave one
    pub(super) only: Option<Vec<usize>>,
}

/// What identifies a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fingerprint {
    length: u64,
    digest: Digest,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Stored {
    wish: Wish,
    input: Fingerprint,
    /// The number of the document that the last step wrote. Without one, it is the input.
    document: Option<(u32, Fingerprint)>,
    step: Step,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Step {
    /// The document is being raised.
    Raising(Box<Extension>),
    /// The document is what was reached. It may be in its place already.
    Done(Reached),
}

impl PendingState for Stored {
    const FORMAT: &'static str = "ades-raising";
    const VERSION: u32 = 1;
}

/// Where an earlier run was interrupted.
pub(super) enum Earlier {
    /// There was none.
    None,
    /// Continue with this document, or with the input.
    Raising { extension: Box<Extension>, document: Option<PathBuf> },
    /// This was reached. Without a document, the output is what was reached; else this document
    /// only has to be put in its place.
    Done { reached: Reached, document: Option<PathBuf> },
}

impl Fingerprint {
    pub(super) fn of(document: &mut Document<'_>) -> Result<Self, Failure> {
        let source = document.random_access()?;
        let mut read = || -> std::io::Result<Self> {
            let length = source.seek(SeekFrom::End(0))?;
            let mut ends = Vec::new();
            source.rewind()?;
            Read::take(&mut *source, END).read_to_end(&mut ends)?;
            source.seek(SeekFrom::Start(length.saturating_sub(END)))?;
            Read::take(&mut *source, END).read_to_end(&mut ends)?;
            source.rewind()?;
            Ok(Self { length, digest: Digest::of(DigestAlgorithm::Sha256, &ends) })
        };
        read().map_err(|e| Failure::input(format!("cannot be read: {e}")))
    }

    fn of_file(path: &Path) -> Option<Self> {
        let mut document = Document::seekable(File::open(path).ok()?);
        Self::of(&mut document).ok()
    }
}

impl Progress {
    /// The state of raising to this output; `None` for standard output.
    ///
    /// # Errors
    /// Another process works on it, or the state cannot be read.
    pub(super) fn open(output: &Path) -> Result<Option<Self>, Failure> {
        if is_standard(output) {
            return Ok(None);
        }
        let output = temporary::followed(output).map_err(|e| Failure::output(output, &e))?;
        let path = with_suffix(&output, ".raising");
        let lock = Lock::take(&path)?;
        temporary::sweep([path.as_path()].into_iter());
        let stored = path.exists().then(|| read(&path)).transpose()?;
        let document = stored.as_ref().and_then(|stored| stored.document.as_ref());
        let number = document.map_or(0, |(number, _)| *number);
        Ok(Some(Self { path, stored, number, _lock: lock }))
    }

    /// Where an earlier run with the same wish and input was interrupted. What another run left is
    /// an error, unless `drops` it.
    pub(super) fn earlier(
        &mut self,
        wish: &Wish,
        input: &Fingerprint,
        output: &Path,
        drops: bool,
    ) -> Result<Earlier, Failure> {
        let Some(stored) = self.stored.take() else { return Ok(Earlier::None) };
        let document = stored.document.as_ref().map(|(number, fingerprint)| {
            let path = self.document_path(*number);
            let is_there = Fingerprint::of_file(&path).as_ref() == Some(fingerprint);
            (path, fingerprint, is_there)
        });
        if stored.wish == *wish {
            match (&stored.step, document) {
                (Step::Raising(extension), None) if stored.input == *input => {
                    let extension = extension.clone();
                    return Ok(Earlier::Raising { extension, document: None });
                }
                (Step::Raising(extension), Some((path, _, true))) if stored.input == *input => {
                    let extension = extension.clone();
                    return Ok(Earlier::Raising { extension, document: Some(path) });
                }
                (Step::Done(reached), Some((document, _, true))) if stored.input == *input => {
                    let (reached, document) = (reached.clone(), Some(document));
                    return Ok(Earlier::Done { reached, document });
                }
                (Step::Done(reached), Some((_, fingerprint, false)))
                    if Fingerprint::of_file(output).as_ref() == Some(fingerprint) =>
                {
                    return Ok(Earlier::Done { reached: reached.clone(), document: None });
                }
                _ => {}
            }
        }
        if !drops {
            return Err(Failure::usage(format!(
                "{0}: an earlier raising with another input or other options was interrupted; the \
                 same command continues it, --force drops it",
                self.path.display()
            )));
        }
        self.remove();
        Ok(Earlier::None)
    }

    /// Stores the document that the last step wrote, and returns where it is.
    pub(super) fn store_document(&mut self, document: Output) -> Result<PathBuf, Failure> {
        self.number = self.number.wrapping_add(1);
        let path = self.document_path(self.number);
        document.publish_as(&path)?;
        Ok(path)
    }

    /// Stores the state. The document is one that was stored, or the input.
    pub(super) fn store(
        &self,
        wish: &Wish,
        input: &Fingerprint,
        document: Option<&Path>,
        extension: &Extension,
    ) -> Result<(), Failure> {
        self.write(wish, input, document, Step::Raising(Box::new(extension.clone())))
    }

    /// Stores that the document is what was reached, before it is put in its place.
    pub(super) fn store_reached(
        &self,
        wish: &Wish,
        input: &Fingerprint,
        document: &Path,
        reached: &Reached,
    ) -> Result<(), Failure> {
        self.write(wish, input, Some(document), Step::Done(reached.clone()))
    }

    fn write(
        &self,
        wish: &Wish,
        input: &Fingerprint,
        document: Option<&Path>,
        step: Step,
    ) -> Result<(), Failure> {
        let fingerprint = |path: &Path| {
            let found = Fingerprint::of_file(path);
            found.ok_or_else(|| Failure::output(path, "cannot be read again"))
        };
        let document = document.map(fingerprint).transpose()?;
        let document = document.map(|fingerprint| (self.number, fingerprint));
        let stored = Stored { wish: wish.clone(), input: input.clone(), document, step };
        let json = stored.to_json(None)?;
        output::write_file(&self.path, json.as_bytes(), Readers::Owner, Existing::Replace)?;
        // The state names one document at most.
        if let Some(earlier) = self.number.checked_sub(1).filter(|number| *number > 0) {
            let _ = std::fs::remove_file(self.document_path(earlier));
        }
        Ok(())
    }

    /// Removes all files of the state.
    pub(super) fn remove(&self) {
        forget(&self.path, self.number);
    }

    fn document_path(&self, number: u32) -> PathBuf {
        with_suffix(&self.path, &format!(".{number}"))
    }
}

/// Removes what raising to this output has left.
pub(crate) fn remove(output: &Path) {
    let Ok(output) = temporary::followed(output) else { return };
    let path = with_suffix(&output, ".raising");
    let number = read(&path).ok().and_then(|stored| stored.document).map(|(number, _)| number);
    forget(&path, number.unwrap_or_default());
}

fn forget(path: &Path, number: u32) {
    // The state first: it must not name a document that is gone. A missing file is not an error,
    // and a file that stays does no harm.
    let _ = std::fs::remove_file(path);
    for number in number.saturating_sub(1)..=number.saturating_add(1) {
        let _ = std::fs::remove_file(with_suffix(path, &format!(".{number}")));
    }
}

fn read(path: &Path) -> Result<Stored, Failure> {
    let octets = input::read_at_most(path, states::MAX_STATE_LEN as u64)?;
    let text = String::from_utf8_lossy(&octets);
    Stored::from_json(text.trim_end(), None).map_err(|error| {
        let failure = Failure::from(error).about(of_input(path));
        failure.and("it is the state of an interrupted raising; remove it to start over")
    })
}

/// Puts a stored document in the place of the output.
pub(super) fn place(document: &Path, output: &Path, existing: Existing) -> Result<(), Failure> {
    output::place(document, output, existing)
        .map_err(|failure| failure.and(&format!("it is in {}", of_output(document))))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    name.into()
}
