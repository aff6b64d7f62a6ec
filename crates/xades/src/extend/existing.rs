//! Checks that existing signatures and time-stamps stay intact.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use ades_core::Document;
use ades_core::document::ReadSeek;
use ades_evidence::VerifiedValues;

use crate::error::Error;
use crate::options::{ReadingOptions, VerifyOptions};
use crate::report::{Problem, ReferenceReport, Report, SignatureReport};
use crate::verify::verify;

use super::insertion::Insertion;

/// Verifies the document without and with the insertion. Returns an error unless
/// every intact signature stays intact. The same holds for every reference that
/// another verifier may find intact.
pub(crate) fn check_existing(
    document: &mut Document<'_>,
    insertion: &Insertion,
    inserted: &[u8],
    reading: &ReadingOptions,
) -> Result<(), Error> {
    let verified = VerifiedValues::new();
    let options = VerifyOptions { reading: reading.clone(), ..VerifyOptions::default() };
    let before = verify(document, options.sharing(&verified))?;
    check_existing_since(&before, document, (insertion, inserted), reading, &verified)
}

/// As [`check_existing`], for a document that was verified before, possibly together with
/// the documents that it signs outside itself. Those cannot change by an insertion.
pub(crate) fn check_existing_since(
    before: &Report,
    document: &mut Document<'_>,
    (insertion, inserted): (&Insertion, &[u8]),
    reading: &ReadingOptions,
    verified: &VerifiedValues,
) -> Result<(), Error> {
    let after = verify_extended(document, insertion, inserted, reading, verified)?;
    let (mut old, mut new) = (Vec::new(), Vec::new());
    flatten(&before.signatures, &mut old);
    flatten(&after.signatures, &mut new);
    let end_of_inserted = insertion.offset + inserted.len() as u64;
    for before in old {
        // The place in the extended document. The replaced octets are the end of a
        // tag, so no signature begins in them.
        let place = match before.place.from {
            from if from < insertion.offset => from,
            from => from - insertion.offset - insertion.replaced + end_of_inserted,
        };
        let Some(after) = new.iter().find(|after| after.place.from == place) else {
            return Err(Error::BreaksExistingSignature);
        };
        let is_alone = before.references.iter().all(is_in_document);
        let is_intact = after.intact == Some(true) || after.intact.is_none() && !is_alone;
        if before.intact == Some(true) && !is_intact {
            return Err(Error::BreaksExistingSignature);
        }
        check_references(&before.references, &after.references)?;
        check_time_stamps(before, after)?;
    }
    Ok(())
}

/// Verifies a signature with its value in the place of its insertion, for a state whose
/// signature does not depend on the place, and the signatures around it.
pub(crate) fn check_new(
    document: &mut Document<'_>,
    insertion: &Insertion,
    inserted: &[u8],
    reading: &ReadingOptions,
) -> Result<(), Error> {
    let what = "its signature does not verify at its place in the document";
    let damaged = || Error::Core(ades_core::Error::StateDamaged { what });
    let mut octets = vec![0; insertion.replaced_octets().len()];
    let source = document.random_access()?;
    source
        .seek(SeekFrom::Start(insertion.offset))
        .and_then(|_| source.read_exact(&mut octets))
        .map_err(|_| damaged())?;
    check_existing(document, insertion, inserted, reading).map_err(|_| damaged())?;
    let verified = VerifiedValues::new();
    let after = verify_extended(document, insertion, inserted, reading, &verified);
    let after = after.map_err(|_| damaged())?;
    let mut all = Vec::new();
    flatten(&after.signatures, &mut all);
    let place = insertion.offset..insertion.offset + inserted.len() as u64;
    let here = |report: &&SignatureReport| place.contains(&report.place.from);
    let verifies = all.iter().copied().filter(here).any(|report| report.intact == Some(true));
    if octets == insertion.replaced_octets() && verifies { Ok(()) } else { Err(damaged()) }
}

fn verify_extended(
    document: &mut Document<'_>,
    insertion: &Insertion,
    inserted: &[u8],
    reading: &ReadingOptions,
    verified: &VerifiedValues,
) -> Result<Report, Error> {
    let options = VerifyOptions { reading: reading.clone(), ..VerifyOptions::default() };
    let length = document.len()?.ok_or(ades_core::Error::NotSeekable)?;
    let extended = ExtendedDocument {
        document: document.random_access()?,
        inserted: Cursor::new(inserted),
        insertion,
        length: length.saturating_sub(insertion.replaced).saturating_add(inserted.len() as u64),
        at: 0,
    };
    verify(&mut Document::seekable(extended), options.sharing(verified))
}

pub(super) fn flatten<'r>(signatures: &'r [SignatureReport], all: &mut Vec<&'r SignatureReport>) {
    for signature in signatures {
        all.push(signature);
        flatten(&signature.countersignatures, all);
    }
}

/// Checks that each reference to the document has the same outcome, those of
/// manifests included.
fn check_references(before: &[ReferenceReport], after: &[ReferenceReport]) -> Result<(), Error> {
    if before.len() != after.len() {
        return Err(Error::BreaksExistingSignature);
    }
    for (before, after) in before.iter().zip(after) {
        let same_document = is_in_document(before);
        match (before.intact, &before.undecided) {
            (Some(true), _) if !same_document => {}
            (Some(true), _) if after.intact != Some(true) => {
                return Err(Error::BreaksExistingSignature);
            }
            // The digest algorithm is unknown here, but another verifier may know
            // it: the digested octets must not change.
            (None, Some(digest)) if after.undecided.as_ref() != Some(digest) => {
                return Err(Error::BreaksExistingSignature);
            }
            (None, None) if same_document => {
                let problem = before.problem.unwrap_or(Problem::TransformUnsupported);
                return Err(Error::ExistingSignatureUndecided { problem });
            }
            _ => {}
        }
        check_references(&before.manifest, &after.manifest)?;
    }
    Ok(())
}

/// Whether a reference is to a part of the document.
pub(super) fn is_in_document(reference: &ReferenceReport) -> bool {
    reference.uri.as_deref().is_some_and(|uri| uri.is_empty() || uri.starts_with('#'))
}

/// Checks that no imprint that fits stops to do so. The octets of a time-stamp identify it.
fn check_time_stamps(before: &SignatureReport, after: &SignatureReport) -> Result<(), Error> {
    let fitting = before.facts.time_stamps().filter(|stamp| stamp.imprint == Some(true));
    for stamp in fitting {
        let mut same = after
            .facts
            .time_stamps()
            .filter(|other| other.kind == stamp.kind && other.octets == stamp.octets);
        // A time-stamp over a document outside cannot be compared without that.
        if !same.any(|other| other.imprint != Some(false)) {
            return Err(Error::BreaksTimeStamp);
        }
    }
    Ok(())
}

/// A document with octets inserted into it.
struct ExtendedDocument<'a> {
    document: &'a mut dyn ReadSeek,
    inserted: Cursor<&'a [u8]>,
    insertion: &'a Insertion,
    length: u64,
    at: u64,
}

impl Read for ExtendedDocument<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let from = self.insertion.offset;
        let to = from + self.inserted.get_ref().len() as u64;
        let read = if self.at < from {
            self.document.seek(SeekFrom::Start(self.at))?;
            let most = usize::try_from(from - self.at).unwrap_or(usize::MAX).min(out.len());
            self.document.read(out.get_mut(..most).unwrap_or_default())?
        } else if self.at < to {
            self.inserted.set_position(self.at - from);
            self.inserted.read(out)?
        } else {
            let rest = self.at - to + from + self.insertion.replaced;
            self.document.seek(SeekFrom::Start(rest))?;
            self.document.read(out)?
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for ExtendedDocument<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::c14n::{IdAttributes, Pass};
    use crate::options::Position;
    use crate::xml::Reader;

    #[test]
    fn an_extended_document_reads_with_the_insertion() {
        let octets = b"<r>text<e/></r>\n";
        let (_, site) = Pass::new(Reader::from_slice(octets).unwrap())
            .run_for_site(None, &IdAttributes::default(), None, &mut |_| Ok(()))
            .unwrap();
        let insertion = Insertion::new(&site, &Position::LastInRoot).unwrap();
        let mut document = Cursor::new(octets);
        let mut extended = ExtendedDocument {
            document: &mut document,
            inserted: Cursor::new(b"<new/>"),
            insertion: &insertion,
            length: 22,
            at: 0,
        };
        for _ in 0..2 {
            let mut all = String::new();
            extended.rewind().unwrap();
            extended.read_to_string(&mut all).unwrap();
            assert_eq!(all, "<r>text<e/><new/></r>\n");
            assert_eq!(extended.seek(SeekFrom::End(0)).unwrap(), all.len() as u64);
        }
    }
}
