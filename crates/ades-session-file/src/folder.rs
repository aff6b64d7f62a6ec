//! The folder: its lock, and files that are written whole or not at all.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ades_session::store::{JobId, StoreError};

/// The name of the file whose lock is the right to read and write the jobs. It stays: if processes
/// removed it, two of them could have locks on two files of this name.
const LOCK: &str = ".jobs.lock";
/// The end of the name of a job's file, after the name of the job.
const SUFFIX: &str = ".job";
/// The beginning of the name of a file that is being written.
const UNFINISHED: &str = ".unfinished-";

/// A job's file.
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) stamp: Stamp,
}

/// Tells whether a file is still the one that was read. Each change makes a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self { len: metadata.len(), modified: metadata.modified().ok(), inode }
    }
}

/// Waits until no other process has the lock, and takes it. It ends when the file is closed, also by
/// a kill.
pub(crate) fn lock(folder: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(folder.join(LOCK)).map_err(StoreError::unavailable)?;
    file.lock().map_err(StoreError::unavailable)?;
    Ok(file)
}

/// Removes the unfinished files that killed processes left. The caller has the lock.
pub(crate) fn sweep(folder: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(folder).map_err(StoreError::unavailable)?.flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(UNFINISHED)) {
            // A file that stays does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// The files of all jobs.
pub(crate) fn list(folder: &Path) -> Result<HashMap<JobId, Found>, StoreError> {
    let mut found = HashMap::new();
    for entry in fs::read_dir(folder).map_err(StoreError::unavailable)? {
        let entry = entry.map_err(StoreError::unavailable)?;
        let name = entry.file_name();
        let job = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)?.parse().ok());
        if let Some(job) = job {
            let metadata = entry.metadata().map_err(StoreError::unavailable)?;
            found.insert(job, Found { path: entry.path(), stamp: Stamp::of(&metadata) });
        }
    }
    Ok(found)
}

/// Writes the file of a job, durably.
pub(crate) fn write(folder: &Path, job: JobId, octets: &[u8]) -> Result<Stamp, StoreError> {
    let write = || -> io::Result<Stamp> {
        // Only the owner can read a temporary file.
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        file.write_all(octets)?;
        file.as_file().sync_all()?;
        let file = file.persist(path(folder, job)).map_err(|refused| refused.error)?;
        sync(folder)?;
        Ok(Stamp::of(&file.metadata()?))
    };
    write().map_err(StoreError::unavailable)
}

/// Removes the file of a job.
pub(crate) fn remove(folder: &Path, job: JobId) -> Result<(), StoreError> {
    match fs::remove_file(path(folder, job)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::unavailable(error))
        }
        _ => sync(folder).map_err(StoreError::unavailable),
    }
}

fn path(folder: &Path, job: JobId) -> PathBuf {
    folder.join(format!("{job}{SUFFIX}"))
}

/// Makes the names of files durable, not only their octets.
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync(_folder: &Path) -> io::Result<()> {
    Ok(())
}
