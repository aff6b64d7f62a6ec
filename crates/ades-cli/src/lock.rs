//! Locks: only one process at a time works on a job. A lock is on a hidden file beside the job's
//! file. Its holder removes the file; after a kill, the next job in the folder does.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::exit::Failure;
use crate::path_name::folder_of;
use crate::temporary::Listed;

/// Maximum number of tries to take a lock. Each fails only because another process has just
/// removed the file, or because a file system gives the same file several numbers.
const TRIES: usize = 100;
/// Maximum number of tries while another process has the lock: it may only be looking whether
/// the job is being worked on.
const BUSY_TRIES: u32 = 5;
/// The time between these tries.
const PAUSE: Duration = Duration::from_millis(20);

/// The right to work on a job, which ends with the process.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    _file: File,
    listed: Option<Listed>,
}

impl Lock {
    /// Takes the lock for the job that is, or will be, stored at `job`.
    pub(crate) fn take(job: &Path) -> Result<Self, Failure> {
        let failed = |e: io::Error| Failure::output(job, &e);
        let path = folder_of(job).join(name(job));
        let mut busy = 0;
        for _ in 0..TRIES {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(&path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                // On a file system without locks, jobs are not protected, but outputs still never
                // overwrite each other.
                Err(TryLockError::Error(e)) if has_no_locks(&e) => {}
                Err(TryLockError::Error(e)) => return Err(failed(e)),
                Err(TryLockError::WouldBlock) if busy < BUSY_TRIES => {
                    busy += 1;
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Err(TryLockError::WouldBlock) => return Err(is_busy(job)),
            }
            // The previous holder may have removed the file between opening and locking it.
            if is_at(&file, &path) {
                let listed = Listed::make(|| Ok((path.clone(), ()))).map_err(failed)?.0;
                return Ok(Self { path, _file: file, listed: Some(listed) });
            }
        }
        Err(is_busy(job))
    }

    /// Whether a process works on the job. `None` on a file system without locks.
    pub(crate) fn is_taken(job: &Path) -> Option<bool> {
        let Ok(file) = File::open(folder_of(job).join(name(job))) else { return Some(false) };
        match file.try_lock_shared() {
            Ok(()) => Some(false),
            Err(TryLockError::WouldBlock) => Some(true),
            Err(TryLockError::Error(_)) => None,
        }
    }
}

fn is_busy(job: &Path) -> Failure {
    Failure::service(format!("{}: another process works on it; try again later", job.display()))
}

/// Whether the file system has no locks. Linux reports ENOLCK for NFS without a lock service.
fn has_no_locks(error: &io::Error) -> bool {
    const ENOLCK: i32 = 37;
    error.kind() == io::ErrorKind::Unsupported
        || (cfg!(target_os = "linux") && error.raw_os_error() == Some(ENOLCK))
}

/// Removes the locks that killed processes left in the folder of this job. A lock that a process
/// holds stays, and so does every file on a file system without locks.
pub(crate) fn sweep(job: &Path) {
    let own = name(job);
    for entry in std::fs::read_dir(folder_of(job)).into_iter().flatten().flatten() {
        let found = entry.file_name();
        let ours = found.to_str().is_some_and(|found| {
            let suffixed = [SUFFIX, CUT_SUFFIX].iter().any(|end| found.ends_with(end));
            suffixed && found.starts_with('.') && found != own
        });
        let empty = |metadata: std::fs::Metadata| metadata.is_file() && metadata.len() == 0;
        if ours && entry.metadata().is_ok_and(empty) {
            remove_abandoned(&entry.path());
        }
    }
}

/// Removes the file of a lock that no process holds. A process that opened it in the meantime
/// finds that its file is gone, and makes another one.
fn remove_abandoned(path: &Path) {
    let Ok(file) = OpenOptions::new().read(true).write(true).open(path) else { return };
    if file.try_lock().is_ok() && is_at(&file, path) {
        // A file that stays does no harm.
        let _ = std::fs::remove_file(path);
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

/// The end of a lock's name, after that of the job's file without `.pending`.
const SUFFIX: &str = ".pending.lock";
/// The end of the name if that of the job's file is another one, or is cut.
const CUT_SUFFIX: &str = ".ades.lock";

/// The name of a lock's file.
fn name(job: &Path) -> String {
    /// Maximum length in octets. Longer names with the same beginning share a lock.
    const MAX_NAME: usize = 200;
    let name = job.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    if let Some(short) = name.strip_suffix(".pending").filter(|short| short.len() <= MAX_NAME) {
        return format!(".{short}{SUFFIX}");
    }
    let fits = |(at, c): &(usize, char)| at + c.len_utf8() <= MAX_NAME;
    let name: String = name.char_indices().take_while(fits).map(|(_, c)| c).collect();
    format!(".{name}{CUT_SUFFIX}")
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
    fn sweep_removes_locks_that_nobody_holds() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let held = Lock::take(&at("held.pending")).unwrap();
        let renamed = Lock::take(&at("renamed")).unwrap();
        let long = "x".repeat(250);
        for name in [".a.p7s.pending.lock", ".ades.pending.lock", &name(&at(&long))] {
            std::fs::write(at(name), b"").unwrap();
        }
        let others = [(".b.lock", ""), ("c.pending.lock", ""), (".d.pending.lock", "content")];
        for (name, content) in others {
            std::fs::write(at(name), content).unwrap();
        }
        std::fs::create_dir(at(".e.pending.lock")).unwrap();
        assert_eq!(Lock::is_taken(&at("held.pending")), Some(true));
        assert_eq!(Lock::is_taken(&at("a.p7s.pending")), Some(false));
        sweep(&at("new.pending"));
        let mut left: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let expected = [
            ".b.lock",
            ".d.pending.lock",
            ".e.pending.lock",
            ".held.pending.lock",
            ".renamed.ades.lock",
            "c.pending.lock",
        ];
        assert_eq!(left, expected);
        assert_eq!(Lock::is_taken(&at("held.pending")), Some(true));
        drop((held, renamed));
    }

    #[test]
    fn lock_never_has_two_holders() {
        use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

        let folder = tempfile::tempdir().unwrap();
        let job = folder.path().join("out.pending");
        let (holders, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            // Others sweep the folder, and look whether the job is being worked on.
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    sweep(&job);
                    let _ = Lock::is_taken(&job);
                }
            });
            let takers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        for _ in 0..200 {
                            let Ok(lock) = Lock::take(&job) else { continue };
                            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                            taken.fetch_add(1, Ordering::SeqCst);
                            holders.fetch_sub(1, Ordering::SeqCst);
                            drop(lock);
                        }
                    })
                })
                .collect();
            let ended: Vec<_> = takers.into_iter().map(|taker| taker.join()).collect();
            done.store(true, Ordering::SeqCst);
            ended.into_iter().for_each(|end| end.unwrap());
        });
        assert!(taken.into_inner() > 0);
    }
}
