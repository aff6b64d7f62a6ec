//! Signatures that were there before: what they say must not change.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use ades_core::Document;
use ades_core::document::ReadSeek;

use crate::error::Error;
use crate::insertion::Insertion;
use crate::options::Reading;
use crate::report::{Problem, ReferenceReport, SignatureReport};
use crate::verify::{Given, verify};

/// Verifies the document as it is and as it will be: what was intact must stay
/// so, and so must what somebody else may find intact.
pub(crate) fn check(
    document: &mut Document<'_>,
    insertion: &Insertion,
    inserted: &[u8],
    reading: &Reading,
) -> Result<(), Error> {
    let given = || Given {
        ids: Some(reading.ids.clone()),
        ignore_external_subset: reading.ignore_external_subset,
        ..Given::default()
    };
    let before = verify(document, given())?;
    let length = document.len()?.ok_or(ades_core::Error::NotSeekable)?;
    let grown = Grown {
        document: document.random_access()?,
        inserted: Cursor::new(inserted),
        insertion,
        length: length.saturating_sub(insertion.replaced).saturating_add(inserted.len() as u64),
        at: 0,
    };
    let after = verify(&mut Document::seekable(grown), given())?;
    let (mut old, mut new) = (Vec::new(), Vec::new());
    flatten(&before.signatures, &mut old);
    flatten(&after.signatures, &mut new);
    let behind = insertion.offset + inserted.len() as u64;
    for signature in old {
        // Where it stands then; nothing of it is in what is replaced.
        let place = match signature.place.from {
            from if from < insertion.offset => from,
            from => from - insertion.offset - insertion.replaced + behind,
        };
        let Some(then) = new.iter().find(|then| then.place.from == place) else {
            return Err(Error::BreaksEarlierSignature);
        };
        if signature.intact && !then.intact {
            return Err(Error::BreaksEarlierSignature);
        }
        check_references(&signature.references, &then.references)?;
    }
    Ok(())
}

fn flatten<'r>(signatures: &'r [SignatureReport], all: &mut Vec<&'r SignatureReport>) {
    for signature in signatures {
        all.push(signature);
        flatten(&signature.countersignatures, all);
    }
}

/// Whether each reference to the document comes to the same, in manifests too.
fn check_references(before: &[ReferenceReport], after: &[ReferenceReport]) -> Result<(), Error> {
    if before.len() != after.len() {
        return Err(Error::BreaksEarlierSignature);
    }
    for (before, after) in before.iter().zip(after) {
        let inside =
            before.uri.as_deref().is_some_and(|uri| uri.is_empty() || uri.starts_with('#'));
        match (before.intact, &before.undecided) {
            (Some(true), _) if after.intact != Some(true) => {
                return Err(Error::BreaksEarlierSignature);
            }
            // Of an unknown digest algorithm, what is digested can be compared.
            (None, Some(digest)) if after.undecided.as_ref() != Some(digest) => {
                return Err(Error::BreaksEarlierSignature);
            }
            (None, None) if inside => {
                let problem = before.problem.unwrap_or(Problem::TransformUnsupported);
                return Err(Error::EarlierSignatureUndecided { problem });
            }
            _ => {}
        }
        check_references(&before.manifest, &after.manifest)?;
    }
    Ok(())
}

/// A document with something in it.
struct Grown<'a> {
    document: &'a mut dyn ReadSeek,
    inserted: Cursor<&'a [u8]>,
    insertion: &'a Insertion,
    length: u64,
    at: u64,
}

impl Read for Grown<'_> {
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
            let behind = self.at - to + from + self.insertion.replaced;
            self.document.seek(SeekFrom::Start(behind))?;
            self.document.read(out)?
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Grown<'_> {
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
    use crate::c14n::{IdAttributes, Pass, Site};
    use crate::options::Position;
    use crate::xml::Reader;

    #[test]
    fn a_grown_document_reads_as_it_will_be() {
        let octets = b"<r>text<e/></r>\n";
        let (_, site): (_, Site) = Pass::new(Reader::from_slice(octets).unwrap())
            .run_for_site(None, &IdAttributes::default())
            .unwrap();
        let insertion = Insertion::new(&site, &Position::LastInRoot).unwrap();
        let mut document = Cursor::new(octets);
        let mut grown = Grown {
            document: &mut document,
            inserted: Cursor::new(b"<new/>"),
            insertion: &insertion,
            length: 22,
            at: 0,
        };
        for _ in 0..2 {
            let mut all = String::new();
            grown.rewind().unwrap();
            grown.read_to_string(&mut all).unwrap();
            assert_eq!(all, "<r>text<e/><new/></r>\n");
            assert_eq!(grown.seek(SeekFrom::End(0)).unwrap(), all.len() as u64);
        }
    }
}
