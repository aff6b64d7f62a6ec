//! Cases on disk. A *case* is a folder of documents that one visitor signs together:
//!
//! ```text
//! documents/BROWSER/CASE/attempt      the signing job, once there is one
//!                       /lock         held by whoever changes or closes the case
//!                       /1/document   what was uploaded
//!                       /1/about.json its name, and how it is signed
//!                       /1/signed     the container, once it is there
//! ```
//!
//! Signing jobs are in the database of `ades-session`; this is only what the application adds.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ades::Document;
use ades_session::JobId;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::error::Problem;
use crate::options::About;
use crate::visitor::{Visitor, is_name, random_name};

/// Maximum number of documents of a case: two batches of itsme®.
pub(crate) const MAX_DOCUMENTS: usize = 100;
/// Maximum number of cases of a browser.
pub(crate) const MAX_CASES: usize = 50;
/// How long a case is kept after its last change.
pub(crate) const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A case of one browser.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The name of the case
    pub(crate) name: String,
    path: PathBuf,
    /// The folder, as [`ades_session::Folder`] refers to it
    reference: String,
}

/// A document of a case.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Its number in the case
    pub(crate) no: usize,
    pub(crate) about: About,
    path: PathBuf,
    reference: String,
}

/// The signing job of a case. Another attempt, after a job has ended, is another job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) no: u32,
    /// Whether the documents may be changed
    pub(crate) is_open: bool,
    /// `None` before the job is begun, and while it is being begun: a process may stop there
    pub(crate) job: Option<JobId>,
}

#[derive(Serialize, Deserialize)]
struct StoredAttempt {
    no: u32,
    is_open: bool,
    job: Option<String>,
}

impl Case {
    fn at(root: &Path, owner: &str, name: &str) -> Self {
        let reference = format!("{owner}/{name}");
        Self { name: name.to_owned(), path: root.join(&reference), reference }
    }

    pub(crate) fn create(root: &Path, visitor: &Visitor) -> Result<Self, Problem> {
        if Self::all(root, visitor)?.len() >= MAX_CASES {
            return Err(Problem::TooLarge);
        }
        let name = random_name().ok_or(Problem::Internal)?;
        let case = Self::at(root, &visitor.folder(), &name);
        fs::create_dir_all(&case.path)?;
        Ok(case)
    }

    /// The case of this name, if it is this visitor's.
    pub(crate) fn open(root: &Path, visitor: &Visitor, name: &str) -> Result<Self, Problem> {
        let case = Self::at(root, &visitor.folder(), name);
        if is_name(name) && case.path.is_dir() { Ok(case) } else { Err(Problem::NotFound) }
    }

    /// The case to which a container belongs.
    pub(crate) fn of_container(root: &Path, reference: &str) -> Option<Self> {
        let mut parts = reference.split('/');
        Some(Self::at(root, parts.next()?, parts.next()?))
    }

    /// All cases of a visitor, the newest first.
    pub(crate) fn all(root: &Path, visitor: &Visitor) -> io::Result<Vec<Self>> {
        let owner = visitor.folder();
        let mut cases = Vec::new();
        for (name, changed) in folders(&root.join(&owner))? {
            if is_name(&name) {
                cases.push((changed, Self::at(root, &owner, &name)));
            }
        }
        cases.sort_by_key(|(changed, _)| std::cmp::Reverse(*changed));
        Ok(cases.into_iter().map(|(_, case)| case).collect())
    }

    /// The documents, in the order in which they were uploaded.
    pub(crate) fn items(&self) -> io::Result<Vec<Item>> {
        let mut items = Vec::new();
        for (name, _) in folders(&self.path)? {
            if let Some(item) = name.parse().ok().and_then(|no| self.item(no).ok()) {
                items.push(item);
            }
        }
        items.sort_by_key(|item| item.no);
        Ok(items)
    }

    pub(crate) fn item(&self, no: usize) -> Result<Item, Problem> {
        let path = self.path.join(no.to_string());
        let about = fs::read(path.join("about.json"))?;
        let about = serde_json::from_slice(&about).map_err(|_| Problem::Internal)?;
        Ok(Item { no, about, path, reference: format!("{}/{no}", self.reference) })
    }

    /// A place for a document that is being uploaded. Nobody sees it until it is added.
    pub(crate) fn place(&self) -> io::Result<TempDir> {
        tempfile::Builder::new().prefix(".upload-").tempdir_in(&self.path)
    }

    /// Adds what was uploaded to a place.
    pub(crate) fn add(&self, place: TempDir, about: &About) -> Result<(), Problem> {
        write_whole(place.path(), "about.json", &json(about)?)?;
        self.change(|| {
            let no = self.items()?.last().map_or(0, |item| item.no) + 1;
            if no > MAX_DOCUMENTS {
                return Err(Problem::TooLarge);
            }
            fs::rename(place.path(), self.path.join(no.to_string()))?;
            let _ = place.keep();
            Ok(())
        })
    }

    /// Changes the documents, while nobody closes the case.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce() -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let _lock = self.lock()?;
        self.check_open()?;
        change()
    }

    /// Closes the case: from now on, nobody changes the documents. Returns the attempt.
    pub(crate) fn close(&self) -> io::Result<Attempt> {
        let _lock = self.lock()?;
        let attempt = Attempt { is_open: false, ..self.attempt()? };
        self.set_attempt(attempt)?;
        Ok(attempt)
    }

    /// The right to change or to close the case, which one process has at a time. It ends with the
    /// file.
    fn lock(&self) -> io::Result<File> {
        let file = File::create(self.path.join("lock"))?;
        file.lock()?;
        Ok(file)
    }

    /// Refuses changes of a case that is being signed.
    pub(crate) fn check_open(&self) -> Result<(), Problem> {
        if self.attempt()?.is_open { Ok(()) } else { Err(Problem::Locked) }
    }

    pub(crate) fn attempt(&self) -> io::Result<Attempt> {
        match fs::read(self.path.join("attempt")) {
            Ok(octets) => {
                let StoredAttempt { no, is_open, job } = serde_json::from_slice(&octets)?;
                Ok(Attempt { no, is_open, job: job.and_then(|job| job.parse().ok()) })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Attempt { no: 1, is_open: true, job: None })
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn set_attempt(&self, attempt: Attempt) -> io::Result<()> {
        let Attempt { no, is_open, job } = attempt;
        let stored = StoredAttempt { no, is_open, job: job.map(|job| job.to_string()) };
        write_whole(&self.path, "attempt", &serde_json::to_vec(&stored)?)
    }

    pub(crate) fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.path)
    }
}

impl Item {
    pub(crate) fn document(&self) -> PathBuf {
        self.path.join("document")
    }

    pub(crate) fn signed(&self) -> PathBuf {
        self.path.join("signed")
    }

    pub(crate) fn is_signed(&self) -> bool {
        self.signed().is_file()
    }

    /// Where pictures of its pages are kept.
    pub(crate) fn folder(&self) -> &Path {
        &self.path
    }

    /// The references of document and container in a signing job.
    pub(crate) fn references(&self) -> (String, String) {
        (format!("{}/document", self.reference), format!("{}/signed", self.reference))
    }

    pub(crate) fn open(&self) -> io::Result<Document<'static>> {
        Ok(Document::seekable(File::open(self.document())?))
    }

    pub(crate) fn store(&self) -> Result<(), Problem> {
        Ok(write_whole(&self.path, "about.json", &json(&self.about)?)?)
    }

    pub(crate) fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.path)
    }
}

/// Removes the cases that were not changed for [`KEPT`].
pub(crate) fn sweep(root: &Path, now: SystemTime) -> io::Result<()> {
    let is_old = |changed| now.duration_since(changed).is_ok_and(|age| age > KEPT);
    for (owner, changed) in folders(root)? {
        let owner = root.join(owner);
        for (case, changed) in folders(&owner)? {
            if is_old(changed) {
                fs::remove_dir_all(owner.join(case))?;
            }
        }
        // A young folder without cases may be about to get its first one.
        if is_old(changed) {
            // Fails if there are cases left.
            let _ = fs::remove_dir(&owner);
        }
    }
    Ok(())
}

/// The folders in a folder, with the time of their last change. None if it does not exist.
fn folders(path: &Path) -> io::Result<Vec<(String, SystemTime)>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(found) = entry.metadata() else { continue };
        if let (true, Ok(name)) = (found.is_dir(), entry.file_name().into_string()) {
            folders.push((name, found.modified()?));
        }
    }
    Ok(folders)
}

fn json(about: &About) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(about).map_err(|_| Problem::Internal)
}

/// Writes a small file so that readers see the old one or the new one.
pub(crate) fn write_whole(folder: &Path, name: &str, octets: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(octets)?;
    file.persist(folder.join(name))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A visitor's first case may be made while another process sweeps.
    #[test]
    fn sweeping_removes_only_what_is_old() {
        let root = tempfile::tempdir().unwrap();
        let (empty, full) = (root.path().join("empty"), root.path().join("full"));
        fs::create_dir_all(&empty).unwrap();
        fs::create_dir_all(full.join("case")).unwrap();
        let now = SystemTime::now();
        sweep(root.path(), now).unwrap();
        assert!(empty.is_dir() && full.join("case").is_dir());
        sweep(root.path(), now + KEPT + Duration::from_secs(60)).unwrap();
        assert_eq!(folders(root.path()).unwrap(), []);
    }
}
