//! Writing a long file to the disk while it grows, so that finishing it does not wait for all of it.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A file is written to the disk each time it has grown by this number of octets.
const GROWN: u64 = 4 * 1024 * 1024;
/// The time between two looks at the length of the file.
const PAUSE: Duration = Duration::from_millis(2);

/// A thread that asks the system to write a file to the disk while another thread appends to it.
#[derive(Debug)]
pub(crate) struct Storing {
    is_whole: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<()>>,
}

impl Storing {
    /// Begins. `None` if the system cannot start a thread or share the file: the file is then
    /// written when it is finished.
    pub(crate) fn begin(file: &File) -> Option<Self> {
        let file = file.try_clone().ok()?;
        let is_whole = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_whole);
        let work = move || {
            let mut stored = 0;
            loop {
                // Nobody else has it once the output is given up.
                let last = seen.load(Ordering::Acquire) || Arc::strong_count(&seen) == 1;
                let length = file.metadata()?.len();
                if last || length >= stored + GROWN {
                    file.sync_data()?;
                    stored = length;
                } else {
                    thread::park_timeout(PAUSE);
                }
                if last {
                    return Ok(());
                }
            }
        };
        let thread = thread::Builder::new().spawn(work).ok()?;
        Some(Self { is_whole, thread })
    }

    /// Says that nothing more will be written. The thread writes the rest and ends.
    pub(crate) fn is_whole(&self) {
        self.is_whole.store(true, Ordering::Release);
        self.thread.thread().unpark();
    }

    /// Waits until all is on the disk.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.is_whole();
        self.thread.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_that_grows_is_stored() {
        let mut file = tempfile::tempfile().unwrap();
        let storing = Storing::begin(&file).unwrap();
        for _ in 0..9 {
            file.write_all(&vec![7; 1024 * 1024]).unwrap();
        }
        storing.is_whole();
        storing.finish().unwrap();
        assert_eq!(file.metadata().unwrap().len(), 9 * 1024 * 1024);
    }

    /// The thread of an output that is given up ends.
    #[test]
    fn the_thread_of_an_output_that_is_given_up_ends() {
        let file = tempfile::tempfile().unwrap();
        let storing = Storing::begin(&file).unwrap();
        let seen = Arc::downgrade(&storing.is_whole);
        drop(storing);
        // The system may take long to write a file to a busy disk. A thread that stays never ends.
        while seen.strong_count() > 0 {
            thread::sleep(PAUSE);
        }
    }
}
