//! A digester on a thread of its own.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::Digester;
use crate::error::Error;

/// So many pieces may be under way to the thread.
const IN_FLIGHT: usize = 8;

/// A [`Digester`] that works beside its caller, where there is a thread to be
/// had: what it costs is copying the pieces. Worth it from some hundred
/// kilobytes on.
pub struct DigestThread(Lane);

enum Lane {
    Beside { pieces: SyncSender<Vec<u8>>, spare: Receiver<Vec<u8>>, worker: JoinHandle<Digester> },
    Here(Digester),
}

impl DigestThread {
    /// Goes on with `digester` on another thread, or on this one if there is
    /// none.
    #[must_use]
    pub fn spawn(digester: Digester) -> Self {
        let mut theirs = digester.clone();
        let (pieces, to_digest) = sync_channel::<Vec<u8>>(IN_FLIGHT);
        let (digested, spare) = channel();
        let work = move || {
            for piece in to_digest {
                theirs.update(&piece);
                // The caller may have stopped already.
                let _ = digested.send(piece);
            }
            theirs
        };
        match Builder::new().spawn(work) {
            Ok(worker) => Self(Lane::Beside { pieces, spare, worker }),
            Err(_) => Self::here(digester),
        }
    }

    /// Goes on with `digester` on this thread: for what is short.
    #[must_use]
    pub const fn here(digester: Digester) -> Self {
        Self(Lane::Here(digester))
    }

    /// Takes in the next piece.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            Lane::Here(digester) => digester.update(data),
            Lane::Beside { pieces, spare, .. } => {
                let mut copy = spare.try_recv().unwrap_or_default();
                copy.clear();
                copy.extend_from_slice(data);
                // Sending fails only if the thread is gone; joining tells.
                let _ = pieces.send(copy);
            }
        }
    }

    /// The digester, when it has taken in everything.
    ///
    /// # Errors
    /// [`Error::Thread`]
    pub fn finish(self) -> Result<Digester, Error> {
        match self.0 {
            Lane::Here(digester) => Ok(digester),
            Lane::Beside { pieces, worker, .. } => {
                drop(pieces);
                worker.join().map_err(|_| Error::Thread)
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
    fn here_and_beside_are_the_same() {
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
