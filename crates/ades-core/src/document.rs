//! A document to be signed: a source of octets of known or unknown length. It is
//! read as a stream and not loaded into memory.

use std::fmt;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::sync::mpsc::{channel, sync_channel};
use std::thread;

use crate::algorithm::DigestAlgorithm;
use crate::digest::{DigestThread, Digester, DocumentDigest};
use crate::error::Error;
use crate::piece::{PIECE, Piece, SHORT_PIECE};

/// A source that can be read and rewound, such as a file or octets in memory.
pub trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// The source of a document's octets.
///
/// A [seekable](Self::seekable) source is read from its start in each pass. A
/// [stream](Self::stream) allows one pass; a second one is an error
/// ([`Error::SourceConsumed`]).
///
/// ```
/// use ades_core::{DigestAlgorithm, Document};
///
/// let mut document = Document::from_bytes(b"abc");
/// let (digest, length) = document.digest(DigestAlgorithm::Sha256)?;
/// assert_eq!(length, 3);
/// assert!(digest.0.to_hex().starts_with("ba7816bf"));
/// # Ok::<(), ades_core::Error>(())
/// ```
pub struct Document<'a>(Source<'a>);

enum Source<'a> {
    Bytes(Cursor<&'a [u8]>),
    Seekable(Box<dyn ReadSeek + 'a>),
    Stream(Option<Box<dyn Read + Send + 'a>>),
}

/// Minimum length, in octets, for reading or digesting on a thread of its own.
/// For shorter documents, starting the thread costs more than it saves.
const WORTH_A_THREAD: u64 = 512 * 1024;
/// Maximum number of pieces queued between two threads.
const IN_FLIGHT: usize = 8;

impl<'a> Document<'a> {
    /// A document in memory.
    #[must_use]
    pub const fn from_bytes(bytes: &'a [u8]) -> Self {
        Self(Source::Bytes(Cursor::new(bytes)))
    }

    /// A document in a file or another seekable source.
    #[must_use]
    pub fn seekable(source: impl ReadSeek + 'a) -> Self {
        Self(Source::Seekable(Box::new(source)))
    }

    /// A document that can be read only once, such as a pipe or a socket.
    #[must_use]
    pub fn stream(source: impl Read + Send + 'a) -> Self {
        Self(Source::Stream(Some(Box::new(source))))
    }

    /// The length in octets, or `None` for a stream.
    ///
    /// # Errors
    /// [`Error::Read`] if seeking fails.
    pub fn len(&mut self) -> Result<Option<u64>, Error> {
        match &mut self.0 {
            Source::Bytes(bytes) => Ok(Some(bytes.get_ref().len() as u64)),
            Source::Seekable(source) => {
                source.seek(SeekFrom::End(0)).map(Some).map_err(Error::Read)
            }
            Source::Stream(_) => Ok(None),
        }
    }

    /// A reader that starts at the first octet.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::SourceConsumed`]
    pub fn reader(&mut self) -> Result<Box<dyn Read + Send + '_>, Error> {
        match &mut self.0 {
            Source::Bytes(bytes) => Ok(Box::new(Cursor::new(*bytes.get_ref()))),
            Source::Seekable(source) => {
                source.rewind().map_err(Error::Read)?;
                Ok(Box::new(source))
            }
            Source::Stream(source) => Ok(source.take().ok_or(Error::SourceConsumed)?),
        }
    }

    /// The source itself, for random access.
    ///
    /// # Errors
    /// [`Error::NotSeekable`] for a stream.
    pub fn random_access(&mut self) -> Result<&mut dyn ReadSeek, Error> {
        match &mut self.0 {
            Source::Bytes(bytes) => Ok(bytes),
            Source::Seekable(source) => Ok(source),
            Source::Stream(_) => Err(Error::NotSeekable),
        }
    }

    /// One pass: passes all octets to `take`, in pieces and in order, and returns
    /// their number. A long document is read on a second thread while `take`
    /// works, if the system can start one.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::SourceConsumed`], and the errors of `take`.
    pub fn read_through(
        &mut self,
        take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        if matches!(self.0, Source::Bytes(_)) || !self.is_long()? {
            return self.pass(take);
        }
        let ahead = thread::scope(|scope| {
            let (pieces, to_take) = sync_channel::<Piece>(IN_FLIGHT);
            let (taken, spare) = channel::<Piece>();
            let source = &mut *self;
            let read = move || {
                source.read_pieces(PIECE, &mut |piece| {
                    // Sending fails if the receiving end has returned an error.
                    pieces.send(piece).map_err(|_| Error::Thread)?;
                    Ok(spare.try_recv().unwrap_or_default())
                })
            };
            let reader = thread::Builder::new().spawn_scoped(scope, read).ok()?;
            let result = to_take.into_iter().try_for_each(|piece| {
                take(piece.octets())?;
                // The reader may have finished.
                let _ = taken.send(piece);
                Ok(())
            });
            let read = reader.join().unwrap_or(Err(Error::Thread));
            Some(result.and(read))
        });
        ahead.unwrap_or_else(|| self.pass(take))
    }

    fn is_long(&mut self) -> Result<bool, Error> {
        Ok(self.len()?.is_none_or(|length| length >= WORTH_A_THREAD))
    }

    /// One pass on this thread.
    fn pass(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<u64, Error> {
        if let Source::Bytes(bytes) = &self.0 {
            bytes.get_ref().chunks(SHORT_PIECE).try_for_each(take)?;
            return Ok(bytes.get_ref().len() as u64);
        }
        self.read_pieces(SHORT_PIECE, &mut |piece| {
            take(piece.octets())?;
            Ok(piece)
        })
    }

    /// One pass on this thread: hands pieces of at most `most` octets over to `take`, which
    /// returns a buffer for the next one.
    fn read_pieces(
        &mut self,
        most: usize,
        take: &mut dyn FnMut(Piece) -> Result<Piece, Error>,
    ) -> Result<u64, Error> {
        let mut reader = self.reader()?;
        let mut piece = Piece::default();
        let mut length = 0u64;
        loop {
            piece.fill(&mut reader, most)?;
            let read = piece.octets().len() as u64;
            if read == 0 {
                return Ok(length);
            }
            length = length.saturating_add(read);
            piece = take(piece)?;
        }
    }

    /// One pass: returns the digest and the length in octets.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::SourceConsumed`]
    pub fn digest(&mut self, algorithm: DigestAlgorithm) -> Result<(DocumentDigest, u64), Error> {
        let mut digester = Digester::new(algorithm);
        let length = self.read_through(&mut |piece| {
            digester.update(piece);
            Ok(())
        })?;
        Ok((DocumentDigest(digester.finish()), length))
    }

    /// One pass: copies all octets to `out`, and returns their digest and number.
    ///
    /// # Errors
    /// As [`copy_into`](Self::copy_into).
    pub fn copy(
        &mut self,
        algorithm: DigestAlgorithm,
        out: &mut dyn Write,
    ) -> Result<(DocumentDigest, u64), Error> {
        let mut digester = Digester::new(algorithm);
        let length = self.copy_into(&mut digester, out)?;
        Ok((DocumentDigest(digester.finish()), length))
    }

    /// One pass: copies all octets to `out` and into `digester`, and returns their
    /// number. A long document is digested on a second thread, if the system can
    /// start one, so that copying and digesting run at the same time.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Write`], [`Error::SourceConsumed`]
    pub fn copy_into(
        &mut self,
        digester: &mut Digester,
        out: &mut dyn Write,
    ) -> Result<u64, Error> {
        if !self.is_long()? {
            return self.pass(&mut |piece| {
                digester.update(piece);
                out.write_all(piece).map_err(Error::Write)
            });
        }
        let mut digesting = DigestThread::spawn(digester.clone());
        let length = self.read_pieces(PIECE, &mut |piece| {
            out.write_all(piece.octets()).map_err(Error::Write)?;
            Ok(digesting.digest(piece))
        })?;
        *digester = digesting.finish()?;
        Ok(length)
    }
}

impl fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Bytes(_) => "Document(bytes)",
            Source::Seekable(_) => "Document(seekable)",
            Source::Stream(_) => "Document(stream)",
        })
    }
}
