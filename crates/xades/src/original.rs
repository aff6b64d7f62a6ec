//! A document's octets, digested while something else reads them.

use std::io::{self, Read};

use ades_core::{DigestAlgorithm, DigestThread, Digester, Document, DocumentDigest};

use crate::error::Error;
use crate::pending::Original;

/// From this length on, digesting has a thread of its own: what it costs to start
/// and to wake it is worth some hundred kilobytes of digest.
const WORTH_A_THREAD: u64 = 512 * 1024;

/// Digests what is read through it.
pub(crate) struct Digesting<R> {
    inner: R,
    digester: DigestThread,
    length: u64,
}

impl<R: Read> Digesting<R> {
    pub(crate) const fn new(inner: R, digester: DigestThread) -> Self {
        Self { inner, digester, length: 0 }
    }

    /// What was read.
    pub(crate) fn finish(self) -> Result<Original, Error> {
        let digest = DocumentDigest(self.digester.finish()?.finish());
        Ok(Original { digest, length: self.length })
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digester.update(buffer.get(..read).unwrap_or_default());
        self.length += read as u64;
        Ok(read)
    }
}

/// A digester for a document of this length, or what is made of it.
pub(crate) fn digester(
    document: &mut Document<'_>,
    algorithm: DigestAlgorithm,
) -> Result<DigestThread, Error> {
    let long = document.len()?.is_none_or(|length| length >= WORTH_A_THREAD);
    let on = if long { DigestThread::spawn } else { DigestThread::here };
    Ok(on(Digester::new(algorithm)))
}
