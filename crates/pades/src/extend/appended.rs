//! Whether the signatures of a document bear an update, before it is written and before a
//! time-stamp is spent on it.
//!
//! Verification compares the signed revisions with the later ones, and what it cannot compare, it
//! reports as a change. In a damaged document, that can be any update, ours too: an object may
//! become readable only because octets follow it, have a key twice, or have two roles.

use std::io::{self, Read, Seek, SeekFrom};

use ades_core::Document;
use ades_core::document::ReadSeek;

use crate::error::{Error, NotExtendable};
use crate::report::Problem;
use crate::security::Credential;
use crate::verify::problems_of_changes;

/// Checks that no signature reports the update as a change that it did not report before.
///
/// # Errors
/// [`Error::CannotAdd`]; [`Error::Core`] if reading fails.
pub(super) fn check(
    document: &mut Document<'_>,
    update: &[u8],
    credential: Credential<'_>,
) -> Result<(), Error> {
    let refused = Error::CannotAdd { why: NotExtendable::NotComparable };
    let Some(after) = readable(after(document, update, credential))? else { return Err(refused) };
    if after.iter().all(Vec::is_empty) {
        return Ok(());
    }
    let before = problems_of_changes(document, credential)?;
    let is_new =
        |(was, is): (&Vec<Problem>, &Vec<Problem>)| is.iter().any(|one| !was.contains(one));
    match before.len() == after.len() && !before.iter().zip(&after).any(is_new) {
        true => Ok(()),
        false => Err(refused),
    }
}

fn after(
    document: &mut Document<'_>,
    update: &[u8],
    credential: Credential<'_>,
) -> Result<Vec<Vec<Problem>>, Error> {
    problems_of_changes(&mut with_update(document, update)?, credential)
}

/// A document and an update after it, which is not written yet.
///
/// # Errors
/// [`Error::Core`] if the document is a stream, or seeking fails.
pub fn with_update<'d>(
    document: &'d mut Document<'_>,
    update: &'d [u8],
) -> Result<Document<'d>, Error> {
    let length = document.len()?.ok_or(ades_core::Error::NotSeekable)?;
    let document = document.random_access()?;
    Ok(Document::seekable(Appended { document, length, update, at: 0 }))
}

fn readable<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error @ Error::Core(_)) => Err(error),
        Err(_) => Ok(None),
    }
}

/// A document and an update after it, which is not written yet.
struct Appended<'d> {
    document: &'d mut dyn ReadSeek,
    length: u64,
    update: &'d [u8],
    at: u64,
}

impl Read for Appended<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.at);
        let len = if left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            self.document.seek(SeekFrom::Start(self.at))?;
            self.document.read(buffer.get_mut(..most).unwrap_or_default())?
        } else {
            let from = usize::try_from(self.at - self.length).unwrap_or(usize::MAX);
            self.update.get(from..).unwrap_or_default().read(buffer)?
        };
        self.at = self.at.saturating_add(len as u64);
        Ok(len)
    }
}

impl Seek for Appended<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let end = self.length.saturating_add(self.update.len() as u64);
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => end.checked_add_signed(by),
        };
        self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_and_update_are_read_as_one() {
        let whole = b"the document, and then the update";
        for split in 0..=whole.len() {
            let mut document = io::Cursor::new(&whole[..split]);
            let length = split as u64;
            let mut appended =
                Appended { document: &mut document, length, update: &whole[split..], at: 0 };
            let mut all = Vec::new();
            appended.read_to_end(&mut all).unwrap();
            assert_eq!(all, whole);
            for at in [0, split, whole.len(), whole.len() + 1] {
                assert_eq!(appended.seek(SeekFrom::Start(at as u64)).unwrap(), at as u64);
                all.clear();
                appended.read_to_end(&mut all).unwrap();
                assert_eq!(all, whole.get(at..).unwrap_or_default());
            }
            assert_eq!(appended.seek(SeekFrom::End(-1)).unwrap(), whole.len() as u64 - 1);
            assert_eq!(appended.seek(SeekFrom::Current(-2)).unwrap(), whole.len() as u64 - 3);
            assert!(appended.seek(SeekFrom::Current(-99)).is_err());
        }
    }
}
