//! A digester that can run on a thread of its own.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::Digester;
use crate::error::Error;

/// Maximum number of pieces queued for the thread.
const IN_FLIGHT: usize = 8;

/// A [`Digester`] that works in parallel with its caller.
///
/// Each piece is copied to the other thread, which pays off from a few hundred
/// kilobytes.
pub struct DigestThread(Worker);

enum Worker {
    Thread { pieces: SyncSender<Vec<u8>>, spare: Receiver<Vec<u8>>, handle: JoinHandle<Digester> },
    Caller(Digester),
}

impl DigestThread {
    /// Continues `digester` on another thread, or on the caller's if the system
    /// cannot start one.
    #[must_use]
    pub fn spawn(digester: Digester) -> Self {
        let mut theirs = digester.clone();
        let (pieces, to_digest) = sync_channel::<Vec<u8>>(IN_FLIGHT);
        let (digested, spare) = channel();
        let work = move || {
            for piece in to_digest {
                theirs.update(&piece);
                // The caller may have finished.
                let _ = digested.send(piece);
            }
            theirs
        };
        match Builder::new().spawn(work) {
            Ok(handle) => Self(Worker::Thread { pieces, spare, handle }),
            Err(_) => Self::here(digester),
        }
    }

    /// Continues `digester` on the caller's thread. For short data this costs
    /// less than a second thread.
    #[must_use]
    pub const fn here(digester: Digester) -> Self {
        Self(Worker::Caller(digester))
    }

    /// Digests the next piece.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            Worker::Caller(digester) => digester.update(data),
            Worker::Thread { pieces, spare, .. } => {
                let mut copy = spare.try_recv().unwrap_or_default();
                copy.clear();
                copy.extend_from_slice(data);
                // Sending fails only if the thread has ended; `finish` reports
                // that.
                let _ = pieces.send(copy);
            }
        }
    }

    /// Waits for the pieces to be digested, and returns the digester.
    ///
    /// # Errors
    /// [`Error::Thread`]
    pub fn finish(self) -> Result<Digester, Error> {
        match self.0 {
            Worker::Caller(digester) => Ok(digester),
            Worker::Thread { pieces, handle, .. } => {
                drop(pieces);
                handle.join().map_err(|_| Error::Thread)
            }
        }
    }
}

impl fmt::Debug for DigestThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestThread(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DigestAlgorithm;

    #[test]
    fn both_threads_give_the_same_digest() {
        let mut start = Digester::new(DigestAlgorithm::Sha256);
        start.update(b"head");
        let whole = |mut digesting: DigestThread| {
            for at in 0..100u8 {
                digesting.update(&vec![at; usize::from(at) * 100]);
            }
            digesting.finish().unwrap().finish()
        };
        assert_eq!(whole(DigestThread::spawn(start.clone())), whole(DigestThread::here(start)));
    }
}
