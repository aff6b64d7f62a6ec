//! The certificates and revocation values in `/DSS` (ISO 32000-2, 12.8.4.3; EN 319 142-1,
//! 5.4.2).

use std::collections::BTreeMap;

use ades_core::facts::{Evidence, EvidencePlace, MAX_EVIDENCE_LEN, Objects};
use ades_evidence::embedded::add_revocation_value;

use crate::error::Error;
use crate::file::{Indirect, Pdf, Revision};
use crate::syntax::{Reference, Value};

/// Maximum number of streams that are read.
const MAX_STREAMS: usize = 12_288;

/// A stream of the store, and the evidence in it.
struct Stored {
    /// The first octet of its object.
    start: u64,
    /// The end of the stream.
    end: u64,
    objects: Objects,
}

/// The store of a document.
#[derive(Default)]
pub(super) struct SecurityStore {
    /// In the order of the file.
    streams: Vec<Stored>,
    /// All of it.
    pub(super) objects: Objects,
}

impl SecurityStore {
    /// Adds what the stores of these revisions have, the newest first: some writers leave the
    /// values of an earlier store out of the next one. What they have too much of, or what
    /// cannot be read, is counted and is not an error.
    pub(super) fn add(
        pdf: &mut Pdf<'_>,
        revisions: &[Revision],
        evidence: &mut Evidence,
    ) -> Result<Self, Error> {
        // Comparing revisions needs its own allowance afterwards.
        pdf.with_own_limits(|pdf| {
            let begin = evidence.mark();
            let streams = match Self::add_streams(pdf, revisions, evidence) {
                Ok(streams) => streams,
                Err(Error::Core(error)) => return Err(error.into()),
                Err(_) => {
                    evidence.add_left_out(1);
                    Vec::new()
                }
            };
            Ok(Self { streams, objects: evidence.since(begin) })
        })
    }

    fn add_streams(
        pdf: &mut Pdf<'_>,
        revisions: &[Revision],
        evidence: &mut Evidence,
    ) -> Result<Vec<Stored>, Error> {
        let mut found = References::default();
        for revision in revisions {
            found.revision = *revision;
            match pdf.at(*revision, |pdf| found.add_store(pdf)) {
                Ok(()) => {}
                Err(Error::Core(error)) => return Err(error.into()),
                Err(_) => found.left_out += 1,
            }
        }
        evidence.add_left_out(found.left_out);
        evidence.add_unreadable(found.unreadable);
        let mut streams = Vec::new();
        // The order of the file is that of its revisions.
        let mut decoded = 0;
        for (start, Named { reference, is_certificate, revision }) in found.by_offset {
            if decoded > MAX_EVIDENCE_LEN {
                evidence.add_left_out(1);
                continue;
            }
            let mark = evidence.mark();
            let read = pdf.at(revision, |pdf| {
                let stream = pdf.follow(reference)?;
                Ok(stream.map(|stream| read(pdf, &stream)).transpose()?.flatten())
            });
            let Some((data, end)) = or_unreadable(read)? else {
                evidence.add_unreadable(1);
                continue;
            };
            decoded += data.len();
            // A line end may follow the value.
            let value = cades::embedded::first_element(&data).unwrap_or(&data);
            let place = EvidencePlace::DocumentSecurityStore;
            if is_certificate {
                evidence.add_certificate(value, place);
            } else {
                add_revocation_value(evidence, value, place);
            }
            streams.push(Stored { start, end, objects: evidence.since(mark) });
        }
        Ok(streams)
    }

    /// Adds the values whose streams are before `end` and not in the placeholder of the
    /// time-stamp itself.
    pub(super) fn covered(&self, end: u64, placeholder: (u64, u64), objects: &mut Objects) {
        for stored in &self.streams {
            let is_inside = placeholder.0 < stored.end && stored.start < placeholder.1;
            if stored.end <= end && !is_inside {
                objects.add(&stored.objects);
            }
        }
    }
}

/// The streams that the stores name, each once.
struct References {
    /// By the offset of their objects.
    by_offset: BTreeMap<u64, Named>,
    /// The revision whose store is read.
    revision: Revision,
    left_out: usize,
    unreadable: usize,
}

/// How a stream is named.
struct Named {
    reference: Reference,
    is_certificate: bool,
    /// The newest revision in which the reference leads to the stream.
    revision: Revision,
}

impl Default for References {
    fn default() -> Self {
        let (by_offset, revision) = (BTreeMap::new(), Revision::NEWEST);
        Self { by_offset, revision, left_out: 0, unreadable: 0 }
    }
}

impl References {
    /// Adds what the store of the revision names.
    fn add_store(&mut self, pdf: &mut Pdf<'_>) -> Result<(), Error> {
        let catalog = pdf.catalog()?;
        let Some(store) = pdf.get(&catalog.value, b"DSS")? else { return Ok(()) };
        self.add(pdf, &store, [b"Certs", b"CRLs", b"OCSPs"])?;
        let vri = pdf.get(&store, b"VRI")?;
        for (_, entry) in vri.as_ref().map(Value::entries).unwrap_or_default() {
            let entry = pdf.resolve(entry)?;
            self.add(pdf, &entry, [b"Cert", b"CRL", b"OCSP"])?;
        }
        Ok(())
    }

    /// The first key is that of the certificates.
    fn add(
        &mut self,
        pdf: &mut Pdf<'_>,
        dictionary: &Value,
        keys: [&[u8]; 3],
    ) -> Result<(), Error> {
        for (index, key) in keys.into_iter().enumerate() {
            let list = pdf.get(dictionary, key)?;
            for value in list.as_ref().and_then(Value::elements).unwrap_or_default() {
                if self.by_offset.len() == MAX_STREAMS {
                    self.left_out += 1;
                    continue;
                }
                let found = match value.reference() {
                    Some(reference) => pdf.follow(reference),
                    None => Ok(None),
                };
                match found {
                    Ok(found) => {
                        match found.and_then(|stream| Some((stream.offset?, stream.reference))) {
                            Some((offset, reference)) => {
                                let (is_certificate, revision) = (index == 0, self.revision);
                                let named = Named { reference, is_certificate, revision };
                                self.by_offset.entry(offset).or_insert(named);
                            }
                            None => self.unreadable += 1,
                        }
                    }
                    Err(error @ (Error::Core(_) | Error::Limit { .. })) => return Err(error),
                    Err(_) => self.unreadable += 1,
                }
            }
        }
        Ok(())
    }
}

/// The decoded data of a stream, and its end.
fn read(pdf: &mut Pdf<'_>, stream: &Indirect) -> Result<Option<(Vec<u8>, u64)>, Error> {
    pdf.data(stream).and_then(|data| Ok(data.zip(pdf.stream_end(stream)?)))
}

/// `None` if it cannot be read. Only a source that fails is an error.
fn or_unreadable<T>(read: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
    match read {
        Err(error @ Error::Core(_)) => Err(error),
        Err(_) => Ok(None),
        read => read,
    }
}
