//! The signed document: its digest and length, and reading it once for its digest,
//! its canonical forms and the place of the signature.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::ops::Range;

use ades_core::in_place::length_and_tail;
use ades_core::{Digest, DigestAlgorithm, DigestThread, Digester, Document, DocumentDigest};
use serde::{Deserialize, Serialize};

use crate::c14n::{Canonicalization, InsertionSite, Pass, PausedPass, Selection};
use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::options::{Position, ReadingOptions};
use crate::xml::Span;

/// From this length on, digesting runs on a thread of its own. Starting and
/// waking the thread costs as much as digesting some hundred kilobytes.
pub(crate) const MIN_LEN_FOR_THREAD: u64 = 512 * 1024;

/// The document as it was when the signature was prepared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceDocument {
    /// The digest of all octets.
    pub(crate) digest: DocumentDigest,
    pub(crate) length: u64,
}

impl SourceDocument {
    /// Passes each field to `take`, as octets.
    pub(crate) fn each_part(&self, take: &mut dyn FnMut(&[u8])) {
        take(self.digest.0.value());
        take(&self.length.to_be_bytes());
    }

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
    /// The digest of the document's last octets, if the document was copied.
    pub(crate) copied: Option<Digest>,
    /// A place near its end. Only a document that was copied has one: the same process then
    /// completes the copy.
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl DocumentReading {
    /// Reads a document: digests its octets and its canonical forms, and finds the
    /// place of the signature. Copies the octets to `copy` meanwhile.
    pub(crate) fn new(
        document: &mut Document<'_>,
        algorithm: DigestAlgorithm,
        reading: &ReadingOptions,
        forms: Vec<(Selection, Canonicalization)>,
        position: &Position,
        copy: Option<&mut dyn Write>,
    ) -> Result<Self, Error> {
        let copied = match &copy {
            Some(_) => Some(length_and_tail(document, algorithm)?.1),
            None => None,
        };
        let pause_at = copy.as_ref().and(Checkpoint::place(document.len()?));
        let of_octets = RefCell::new(digester(document, algorithm)?);
        let mut digesters = Vec::new();
        for _ in &forms {
            digesters.push(RefCell::new(match forms.len() {
                1 => digester(document, algorithm)?,
                _ => DigestThread::here(Digester::new(algorithm)),
            }));
        }
        let mut octets = Digesting::new(document.reader()?, &of_octets, copy);
        let mut sinks: Vec<_> = digesters
            .iter()
            .map(|digester| {
                |piece: &[u8]| {
                    digester.borrow_mut().update(piece);
                    Ok(())
                }
            })
            .collect();
        let mut checkpoint = None;
        let mut pause = |pass: PausedPass| -> Result<(), Error> {
            if let [digester] = digesters.as_slice() {
                let octets = of_octets.borrow_mut().so_far()?.finish();
                let form = digester.borrow_mut().so_far()?;
                checkpoint = Some(Checkpoint { octets, pass, form });
            }
            Ok(())
        };
        let run = reading.reader(&mut octets).and_then(|reader| {
            let mut pass = Pass::new(reader);
            for ((selection, method), sink) in forms.into_iter().zip(&mut sinks) {
                pass.add(method, selection, sink);
            }
            pass.run_for_site(position.target(), &reading.ids, pause_at, &mut pause)
        });
        drop(sinks);
        let (covered, site) = run.map_err(|error| octets.cause(error))?;
        let length = octets.length;
        drop(octets);
        let digests = digesters.into_iter().map(|d| Ok(d.into_inner().finish()?.finish()));
        let selected = covered.iter().flat_map(|covered| &covered.selected);
        Ok(Self {
            digests: digests.collect::<Result<_, Error>>()?,
            selected: selected.map(Span::whole).collect(),
            document: SourceDocument {
                digest: DocumentDigest(of_octets.into_inner().finish()?.finish()),
                length,
            },
            site,
            copied,
            checkpoint,
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

/// Digests the octets that are read through it, and copies them.
pub(crate) struct Digesting<'c, 'd, R> {
    inner: R,
    digester: &'d RefCell<DigestThread>,
    pub(crate) length: u64,
    copy: Option<&'c mut dyn Write>,
    /// Why the copy could not be written.
    failed: Option<io::Error>,
}

impl<'c, 'd, R: Read> Digesting<'c, 'd, R> {
    pub(crate) const fn new(
        inner: R,
        digester: &'d RefCell<DigestThread>,
        copy: Option<&'c mut dyn Write>,
    ) -> Self {
        Self { inner, digester, length: 0, copy, failed: None }
    }

    /// The cause of an error of reading: the copy may have failed.
    fn cause(&mut self, error: Error) -> Error {
        let failed = self.failed.take();
        failed.map_or(error, |failed| Error::Core(ades_core::Error::Write(failed)))
    }
}

impl<R: Read> Read for Digesting<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let octets = buffer.get(..read).unwrap_or_default();
        self.digester.borrow_mut().update(octets);
        self.length += read as u64;
        if let Some(copy) = &mut self.copy
            && let Err(error) = copy.write_all(octets)
        {
            self.failed = Some(error);
            return Err(io::ErrorKind::Other.into());
        }
        Ok(read)
    }
}
