//! A digester that can run on a thread of its own.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::Digester;
use crate::error::Error;
use crate::piece::Piece;

/// Maximum number of pieces queued for the thread.
const IN_FLIGHT: usize = 8;
/// Number of octets that are gathered before they are handed over: waking the thread costs as
/// much as digesting some kilobytes.
const GATHERED: usize = 64 * 1024;

/// A [`Digester`] that works in parallel with its caller.
///
/// Handing a piece over to the other thread pays off from a few hundred kilobytes.
pub struct DigestThread(Worker);

enum Worker {
    Thread {
        pieces: SyncSender<Item>,
        spare: Receiver<Piece>,
        handle: JoinHandle<Digester>,
        gathered: Piece,
    },
    Caller(Digester),
}

/// What the thread receives.
enum Item {
    Piece(Piece),
    /// The digester of all pieces so far is wanted.
    Asked(SyncSender<Digester>),
}

impl DigestThread {
    /// Continues `digester` on another thread, or on the caller's if the system
    /// cannot start one.
    #[must_use]
    pub fn spawn(digester: Digester) -> Self {
        let mut theirs = digester.clone();
        let (pieces, to_digest) = sync_channel::<Item>(IN_FLIGHT);
        let (digested, spare) = channel();
        let work = move || {
            for item in to_digest {
                // The caller may have finished.
                match item {
                    Item::Piece(piece) => {
                        theirs.update(piece.octets());
                        let _ = digested.send(piece);
                    }
                    Item::Asked(answer) => drop(answer.send(theirs.clone())),
                }
            }
            theirs
        };
        match Builder::new().spawn(work) {
            Ok(handle) => {
                Self(Worker::Thread { pieces, spare, handle, gathered: Piece::default() })
            }
            Err(_) => Self::here(digester),
        }
    }

    /// Continues `digester` on the caller's thread. For short data this costs
    /// less than a second thread.
    #[must_use]
    pub const fn here(digester: Digester) -> Self {
        Self(Worker::Caller(digester))
    }

    /// Continues on another thread, unless it works on one already.
    pub fn move_to_thread(&mut self) {
        if let Worker::Caller(digester) = &self.0 {
            *self = Self::spawn(digester.clone());
        }
    }

    /// Digests a copy of the next piece.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            Worker::Caller(digester) => digester.update(data),
            Worker::Thread { pieces, spare, gathered, .. } => {
                let hand_over = |gathered: &mut Piece| {
                    let mut next = spare.try_recv().unwrap_or_default();
                    next.clear();
                    send(pieces, std::mem::replace(gathered, next));
                };
                let len = gathered.octets().len();
                if len > 0 && len + data.len() > GATHERED {
                    hand_over(gathered);
                }
                gathered.append(data);
                if gathered.octets().len() >= GATHERED {
                    hand_over(gathered);
                }
            }
        }
    }

    /// Digests the next piece, and returns a buffer that is no longer needed.
    pub(crate) fn digest(&mut self, piece: Piece) -> Piece {
        match &mut self.0 {
            Worker::Caller(digester) => {
                digester.update(piece.octets());
                piece
            }
            Worker::Thread { pieces, spare, gathered, .. } => {
                if !gathered.octets().is_empty() {
                    send(pieces, std::mem::take(gathered));
                }
                send(pieces, piece);
                spare.try_recv().unwrap_or_default()
            }
        }
    }

    /// Waits for the pieces so far to be digested, and returns a copy of the digester.
    ///
    /// # Errors
    /// [`Error::Thread`]
    pub fn so_far(&mut self) -> Result<Digester, Error> {
        match &mut self.0 {
            Worker::Caller(digester) => Ok(digester.clone()),
            Worker::Thread { pieces, gathered, .. } => {
                if !gathered.octets().is_empty() {
                    send(pieces, std::mem::take(gathered));
                }
                let (answer, answered) = sync_channel(1);
                let _ = pieces.send(Item::Asked(answer));
                answered.recv().map_err(|_| Error::Thread)
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
            Worker::Thread { pieces, handle, gathered, .. } => {
                send(&pieces, gathered);
                drop(pieces);
                handle.join().map_err(|_| Error::Thread)
            }
        }
    }
}

fn send(pieces: &SyncSender<Item>, piece: Piece) {
    // Sending fails only if the thread has ended; `DigestThread::finish` reports that.
    let _ = pieces.send(Item::Piece(piece));
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
        let mut moved = DigestThread::here(start.clone());
        moved.move_to_thread();
        moved.update(b"gathered");
        let mut whole_piece = Piece::default();
        whole_piece.append(b" before a piece");
        let _spare = moved.digest(whole_piece);
        let so_far = moved.so_far().unwrap();
        start.update(b"gathered before a piece");
        assert_eq!(so_far.finish(), start.clone().finish());
        assert_eq!(whole(moved), whole(DigestThread::here(start.clone())));
        assert_eq!(whole(DigestThread::spawn(start.clone())), whole(DigestThread::here(start)));
    }
}
