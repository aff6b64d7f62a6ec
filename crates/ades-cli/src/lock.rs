//! Locks: only one process at a time works on a job.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::exit::Failure;
use crate::path_name::folder_of;
use crate::temporary::Listed;

/// The right to work on a job, which ends with the process. It is a lock on a hidden file beside
/// the job's file, which is removed with the lock.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    _file: File,
    listed: Option<Listed>,
}

impl Lock {
    /// Takes the lock for the job that is, or will be, stored at `job`.
    pub(crate) fn take(job: &Path) -> Result<Self, Failure> {
        let failed = |e: io::Error| Failure::file(job, &e);
        let path = folder_of(job).join(name(job));
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(&path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                // On a file system without locks, jobs are not protected, but outputs still never
                // overwrite each other.
                Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(e)) => return Err(failed(e)),
                Err(TryLockError::WouldBlock) => {
                    return Err(Failure::service(format!(
                        "{}: another process works on it; try again later",
                        job.display()
                    )));
                }
            }
            // The previous holder may have removed the file between opening and locking it.
            if is_at(&file, &path) {
                let listed = Listed::make(|| Ok((path.clone(), ()))).map_err(failed)?.0;
                return Ok(Self { path, _file: file, listed: Some(listed) });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Leave the list first: after the file is removed, another process may use the name.
        self.listed = None;
        // The lock is still held. A file that stays does no harm.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn name(job: &Path) -> String {
    /// Maximum length in octets. Longer names with the same beginning share a lock.
    const MAX_NAME: usize = 200;
    let name = job.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let fits = |(at, c): &(usize, char)| at + c.len_utf8() <= MAX_NAME;
    let name: String = name.char_indices().take_while(fits).map(|(_, c)| c).collect();
    format!(".{name}.lock")
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let (file, path) = (file.metadata().map(id), path.symlink_metadata().map(id));
    matches!((file, path), (Ok(file), Ok(path)) if file == path)
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_process_fails_until_the_first_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let job = folder.path().join("out.pending");
        let first = Lock::take(&job).unwrap();
        let refused = Lock::take(&job).unwrap_err();
        assert_eq!(refused.status, crate::exit::SERVICE);
        assert!(refused.to_string().contains("another process"), "{refused}");
        drop(first);
        let long = folder.path().join(format!("{}.pending", "é".repeat(120)));
        drop((Lock::take(&job).unwrap(), Lock::take(&long).unwrap()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn lock_never_has_two_holders() {
        use std::sync::atomic::{AtomicUsize, Ordering};

        let folder = tempfile::tempdir().unwrap();
        let job = folder.path().join("out.pending");
        let (holders, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let Ok(lock) = Lock::take(&job) else { continue };
                        assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                        taken.fetch_add(1, Ordering::SeqCst);
                        holders.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert!(taken.into_inner() > 0);
    }
}
