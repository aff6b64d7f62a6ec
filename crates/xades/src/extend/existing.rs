//! Checks that existing signatures stay intact.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use ades_core::Document;
use ades_core::document::ReadSeek;

use crate::error::Error;
use crate::options::{ReadingOptions, VerifyOptions};
use crate::report::{Problem, ReferenceReport, SignatureReport};
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
    let options = || VerifyOptions { reading: reading.clone(), ..VerifyOptions::default() };
    let before = verify(document, options())?;
    let length = document.len()?.ok_or(ades_core::Error::NotSeekable)?;
    let extended = ExtendedDocument {
        document: document.random_access()?,
        inserted: Cursor::new(inserted),
        insertion,
        length: length.saturating_sub(insertion.replaced).saturating_add(inserted.len() as u64),
        at: 0,
    };
    let after = verify(&mut Document::seekable(extended), options())?;
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
        if before.intact && !after.intact {
            return Err(Error::BreaksExistingSignature);
        }
        check_references(&before.references, &after.references)?;
    }
    Ok(())
}

fn flatten<'r>(signatures: &'r [SignatureReport], all: &mut Vec<&'r SignatureReport>) {
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
        let same_document =
            before.uri.as_deref().is_some_and(|uri| uri.is_empty() || uri.starts_with('#'));
        match (before.intact, &before.undecided) {
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
            .run_for_site(None, &IdAttributes::default())
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
