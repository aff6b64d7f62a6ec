//! The signed document: its digest and length, and reading it once for its digest,
//! its canonical forms and the place of the signature.

use std::io::{self, Read};
use std::ops::Range;

use ades_core::{Digest, DigestAlgorithm, DigestThread, Digester, Document, DocumentDigest};
use serde::{Deserialize, Serialize};

use crate::c14n::{Canonicalization, InsertionSite, Pass, Selection};
use crate::error::Error;
use crate::options::{Position, ReadingOptions};
use crate::xml::Span;

/// From this length on, digesting runs on a thread of its own. Starting and
/// waking the thread costs as much as digesting some hundred kilobytes.
const MIN_LEN_FOR_THREAD: u64 = 512 * 1024;

/// The document as it was when the signature was prepared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceDocument {
    /// The digest of all octets.
    pub(crate) digest: DocumentDigest,
    pub(crate) length: u64,
}

impl SourceDocument {
    /// Compares the length, if the document knows it, before anything is written.
    pub(crate) fn check_length(&self, document: &mut Document<'_>) -> Result<(), Error> {
        if document.len()?.is_some_and(|found| found != self.length) {
            return Err(Error::DocumentChanged);
        }
        Ok(())
    }

    /// Passes the document's octets to `take`. After the last octet, returns an error if
    /// it is not the prepared document.
    pub(crate) fn read(
        &self,
        document: &mut Document<'_>,
        take: &mut dyn FnMut(&[u8]) -> Result<(), ades_core::Error>,
    ) -> Result<(), Error> {
        let expected = &self.digest.0;
        let mut digester = Digester::new(expected.algorithm());
        let length = document.read_through(&mut |piece| {
            digester.update(piece);
            take(piece)
        })?;
        if length != self.length || digester.finish() != *expected {
            return Err(Error::DocumentChanged);
        }
        Ok(())
    }
}

/// The results of reading a document once.
pub(crate) struct DocumentReading {
    /// The digest of each canonical form.
    pub(crate) digests: Vec<Digest>,
    /// The places of the selected elements.
    pub(crate) selected: Vec<Range<u64>>,
    pub(crate) document: SourceDocument,
    /// The place of the signature.
    pub(crate) site: InsertionSite,
}

impl DocumentReading {
    /// Reads a document: digests its octets and its canonical forms, and finds the
    /// place of the signature.
    pub(crate) fn new(
        document: &mut Document<'_>,
        algorithm: DigestAlgorithm,
        reading: &ReadingOptions,
        forms: Vec<(Selection, Canonicalization)>,
        position: &Position,
    ) -> Result<Self, Error> {
        let of_octets = digester(document, algorithm)?;
        let mut digesters = Vec::new();
        for _ in &forms {
            digesters.push(match forms.len() {
                1 => digester(document, algorithm)?,
                _ => DigestThread::here(Digester::new(algorithm)),
            });
        }
        let mut octets = Digesting::new(document.reader()?, of_octets);
        let mut sinks: Vec<_> = digesters
            .iter_mut()
            .map(|digester| {
                |piece: &[u8]| {
                    digester.update(piece);
                    Ok(())
                }
            })
            .collect();
        let mut pass = Pass::new(reading.reader(&mut octets)?);
        for ((selection, method), sink) in forms.into_iter().zip(&mut sinks) {
            pass.add(method, selection, sink);
        }
        let (covered, site) = pass.run_for_site(position.target(), &reading.ids)?;
        drop(sinks);
        let digests = digesters.into_iter().map(|d| Ok(DigestThread::finish(d)?.finish()));
        let selected = covered.iter().flat_map(|covered| &covered.selected);
        Ok(Self {
            digests: digests.collect::<Result<_, Error>>()?,
            selected: selected.map(Span::whole).collect(),
            document: octets.finish()?,
            site,
        })
    }

    /// The digest of the only canonical form.
    pub(crate) fn digest(&self) -> Result<Digest, Error> {
        let nothing = ades_core::Error::StateDamaged { what: "nothing was digested" };
        self.digests.first().cloned().ok_or(Error::Core(nothing))
    }
}

/// Starts a digest of a document, or of a canonical form of it, on a thread of its
/// own if the document is long.
pub(crate) fn digester(
    document: &mut Document<'_>,
    algorithm: DigestAlgorithm,
) -> Result<DigestThread, Error> {
    let long = document.len()?.is_none_or(|length| length >= MIN_LEN_FOR_THREAD);
    let on = if long { DigestThread::spawn } else { DigestThread::here };
    Ok(on(Digester::new(algorithm)))
}

/// Digests the octets that are read through it.
struct Digesting<R> {
    inner: R,
    digester: DigestThread,
    length: u64,
}

impl<R: Read> Digesting<R> {
    const fn new(inner: R, digester: DigestThread) -> Self {
        Self { inner, digester, length: 0 }
    }

    fn finish(self) -> Result<SourceDocument, Error> {
        let digest = DocumentDigest(self.digester.finish()?.finish());
        Ok(SourceDocument { digest, length: self.length })
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
