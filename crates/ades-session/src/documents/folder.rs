//! Documents and containers in a folder.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use ades::Document;
use tempfile::NamedTempFile;

use super::{Documents, Published, Unfinished};

/// Age at which the unfinished file of a killed process is removed. A live process writes a container
/// within minutes.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);
/// Maximum length of the name of a container's file, in octets. File systems allow 255, and the
/// name of the unfinished file has a few more.
const MAX_NAME: usize = 200;

/// A folder: a reference is the path of a file below it, such as `contract.pdf` or
/// `7/signed.pdf`. Absolute paths and paths with `..` are errors. Files that others can write to
/// must not be in the folder, and neither must symbolic links that others make.
///
/// Only the owner can read the containers that it writes.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// This folder, which must exist.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn at(&self, reference: &str) -> io::Result<PathBuf> {
        let relative = Path::new(reference);
        let mut components = relative.components();
        let is_plain = components.all(|part| matches!(part, Component::Normal(_)));
        // A colon names a stream or a drive on Windows.
        let odd = reference.contains(['\0', '\\']) || (cfg!(windows) && reference.contains(':'));
        let named = relative.file_name().is_some_and(|name| name.len() <= MAX_NAME);
        if !is_plain || odd || !named || reference.ends_with('/') {
            let problem = "a reference must be a relative path of a file, without ..";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        Ok(self.path.join(relative))
    }
}

impl Documents for Folder {
    fn open(&self, reference: &str) -> io::Result<Document<'static>> {
        let file = File::open(self.at(reference)?)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a regular file"));
        }
        Ok(Document::seekable(file))
    }

    fn exists(&self, reference: &str) -> io::Result<bool> {
        match self.at(reference)?.symlink_metadata() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn create(&self, reference: &str) -> io::Result<Box<dyn Unfinished>> {
        let target = self.at(reference)?;
        let folder = target.parent().unwrap_or(&self.path).to_owned();
        let prefix = prefix(&target);
        sweep(&folder, &prefix);
        let file = tempfile::Builder::new().prefix(&prefix).tempfile_in(&folder)?;
        Ok(Box::new(UnfinishedFile { file, target, folder }))
    }
}

/// The beginning of the names of a container's unfinished files.
fn prefix(target: &Path) -> String {
    let name = target.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    format!(".{name}.unfinished-")
}

/// Removes files that killed processes left when they wrote the same container.
fn sweep(folder: &Path, prefix: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(prefix));
        let age = |written: SystemTime| SystemTime::now().duration_since(written).ok();
        let old = || entry.metadata().and_then(|found| found.modified()).ok().and_then(age);
        if ours && old().is_some_and(|age| age > ABANDONED) {
            // A file that stays does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[derive(Debug)]
struct UnfinishedFile {
    file: NamedTempFile,
    target: PathBuf,
    folder: PathBuf,
}

impl Unfinished for UnfinishedFile {
    fn writer(&mut self) -> &mut dyn Write {
        self.file.as_file_mut()
    }

    fn read_back(&mut self) -> io::Result<Document<'static>> {
        Ok(Document::seekable(self.file.reopen()?))
    }

    fn publish(self: Box<Self>) -> io::Result<Published> {
        let Self { file, target, folder } = *self;
        file.as_file().sync_all()?;
        match file.persist_noclobber(&target) {
            Ok(_) => {
                sync_folder(&folder)?;
                Ok(Published::New)
            }
            Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => {
                let same = same_octets(refused.file.reopen()?, File::open(&target)?)?;
                Ok(if same { Published::Same } else { Published::Other })
            }
            Err(refused) => Err(refused.error),
        }
    }
}

/// Makes the name of a new file durable, not only its octets.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

fn same_octets(one: File, other: File) -> io::Result<bool> {
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (BufReader::new(one).bytes(), BufReader::new(other).bytes());
    loop {
        match (one.next().transpose()?, other.next().transpose()?) {
            (None, None) => return Ok(true),
            (a, b) if a != b => return Ok(false),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(folder: &Folder, reference: &str, octets: &[u8]) -> Published {
        let mut file = folder.create(reference).unwrap();
        file.writer().write_all(octets).unwrap();
        let mut back = Vec::new();
        file.read_back().unwrap().reader().unwrap().read_to_end(&mut back).unwrap();
        assert_eq!(back, octets);
        file.publish().unwrap()
    }

    #[test]
    fn what_is_in_the_place_of_a_container_stays() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        assert!(!folder.exists("out.pdf").unwrap());
        assert_eq!(published(&folder, "out.pdf", b"one"), Published::New);
        assert!(folder.exists("out.pdf").unwrap());
        assert_eq!(published(&folder, "out.pdf", b"one"), Published::Same);
        assert_eq!(published(&folder, "out.pdf", b"two"), Published::Other);
        assert_eq!(published(&folder, "out.pdf", b"longer"), Published::Other);
        assert_eq!(fs::read(dir.path().join("out.pdf")).unwrap(), b"one");
        // Nothing unfinished is left.
        drop(folder.create("dropped").unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn references_stay_in_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path().join("inner"));
        fs::create_dir(&folder.path).unwrap();
        fs::write(dir.path().join("outside"), b"").unwrap();
        fs::write(folder.path.join("inside"), b"").unwrap();
        assert!(folder.open("inside").is_ok());
        let absolute = dir.path().join("outside");
        for reference in
            ["../outside", "./inside", "", ".", "inside/", "a/../inside", "a\\b", "a\0", "/inside"]
        {
            let error = folder.open(reference).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{reference:?}");
        }
        assert!(folder.open(absolute.to_str().unwrap()).is_err());
        assert!(folder.create(&"x".repeat(MAX_NAME + 1)).is_err());
        fs::create_dir(folder.path.join("sub")).unwrap();
        assert!(folder.open("sub").is_err());
    }

    #[test]
    fn abandoned_files_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        let left = |name: &str, age: Duration| {
            let file = File::create(dir.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        };
        let day = ABANDONED + Duration::from_secs(60);
        left(".out.unfinished-old", day);
        left(".out.unfinished-new", Duration::ZERO);
        left(".other.unfinished-old", day);
        drop(folder.create("out").unwrap());
        let exists = |name: &str| dir.path().join(name).exists();
        assert!(!exists(".out.unfinished-old"));
        assert!(exists(".out.unfinished-new") && exists(".other.unfinished-old"));
    }
}
