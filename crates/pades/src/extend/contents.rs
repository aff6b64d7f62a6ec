//! A signature-time-stamp in the CMS of a signature that exists (EN 319 142-1, 5.4.1).
//!
//! `/Contents` is outside the octets that its own signature covers, so its CMS may grow
//! within the room that the signer reserved.

use std::io::Write;
use std::ops::Range;

use ades_core::{Digest, DigestAlgorithm, Document};
use ades_evidence::TimeStampPurpose;
use serde::{Deserialize, Serialize};

use super::ExtendOptions;
use crate::complete::hexadecimal;
use crate::document::coverage::{FoundSignature, SignedRanges};
use crate::error::{Error, Limit, NotExtendable, exceeds};
use crate::file::{Pdf, Source};
use crate::options::time_stamp_room;
use crate::pending::MAX_CAPACITY;
use crate::syntax::Lexer;

/// A signature whose CMS waits for a time-stamp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct PreparedContents {
    /// The document's length.
    length: u64,
    /// Where the string `/Contents` is in the file, with `<` and `>`.
    contents: Range<u64>,
    /// The digest of these octets. They have the signature, which covers the others.
    digest: Digest,
    cms: cades::PendingTimeStamp,
}

impl PreparedContents {
    /// Prepares a time-stamp on a signature. `all`: all signatures of the document.
    pub(super) fn prepare(
        pdf: &mut Pdf<'_>,
        all: &[FoundSignature],
        ranges: Option<SignedRanges>,
        digest: DigestAlgorithm,
        options: &ExtendOptions<'_>,
    ) -> Result<Self, Error> {
        let refuse = |why| Err(Error::CannotAdd { why });
        let Some(ranges) = ranges else {
            return refuse(NotExtendable::ByteRange);
        };
        let (start, end) = ranges.placeholder;
        let covers = |other: &FoundSignature| match other.ranges {
            Some(others) => others.placeholder != ranges.placeholder && others.end > start,
            // Nobody knows what it covers.
            None => other.dictionary.value.get(b"ByteRange").is_some(),
        };
        if all.iter().any(covers) {
            return refuse(NotExtendable::CoveredLater);
        }
        let octets = pdf.source().read(start, end.saturating_sub(start))?.to_vec();
        let Some(cms) = cms(&octets) else {
            return refuse(NotExtendable::Contents);
        };
        let len = cms.len().saturating_add(time_stamp_room(options.token_len_or_usual()));
        if let Some(missing) = len.checked_sub(capacity(&octets)).filter(|missing| *missing > 0) {
            return refuse(NotExtendable::NoRoom { missing });
        }
        let cms = cades::prepare_time_stamp(
            &mut Document::from_bytes(&cms),
            &[0],
            TimeStampPurpose::Signature,
            digest,
            cades::ExtendOptions::new(),
        )?;
        let digest = Digest::of(digest, &octets);
        Ok(Self { length: pdf.len(), contents: start..end, digest, cms })
    }

    pub(super) const fn imprint(&self) -> &Digest {
        self.cms.imprint()
    }

    /// Copies the document to `out` with the token in `/Contents`, which keeps its length.
    pub(super) fn add(
        &self,
        document: &mut Document<'_>,
        token: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let grown = self.grown(document, token)?;
        let Range { start, end } = self.contents;
        let mut at = 0u64;
        let length = document.read_through(&mut |piece| {
            let from = at;
            at = at.saturating_add(piece.len() as u64);
            let before = start.saturating_sub(from).min(piece.len() as u64);
            let after = end.saturating_sub(from).min(piece.len() as u64);
            let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let mut write = |octets: Option<&[u8]>| {
                out.write_all(octets.unwrap_or_default()).map_err(ades_core::Error::Write)
            };
            write(piece.get(..within(before)))?;
            if (from..at).contains(&start) {
                write(Some(&grown))?;
            }
            write(piece.get(within(after)..))
        })?;
        if length == self.length { Ok(()) } else { Err(Error::DocumentChanged) }
    }

    /// The string `/Contents` with the token.
    fn grown(&self, document: &mut Document<'_>, token: &[u8]) -> Result<Vec<u8>, Error> {
        let octets = self.octets(document)?;
        let cms = cms(&octets).ok_or(Error::DocumentChanged)?;
        let mut grown = Vec::new();
        cades::add_time_stamp(&mut Document::from_bytes(&cms), &self.cms, token, &mut grown)?;
        let reserved = capacity(&octets);
        if grown.len() > reserved {
            return Err(Error::DoesNotFit { len: grown.len(), reserved });
        }
        let mut string = vec![b'<'];
        string.extend(hexadecimal(&grown));
        string.resize(octets.len().saturating_sub(1), b'0');
        string.push(b'>');
        Ok(string)
    }

    /// The string `/Contents` of the document that was prepared.
    fn octets(&self, document: &mut Document<'_>) -> Result<Vec<u8>, Error> {
        let length = document.len()?.ok_or(ades_core::Error::NotSeekable)?;
        let Range { start, end } = self.contents;
        if length != self.length || end > length || start >= end {
            return Err(Error::DocumentChanged);
        }
        // A state may be forged; the string is held in memory.
        if end - start > 2 * MAX_CAPACITY as u64 + 2 {
            return Err(exceeds(Limit::ContentsLen));
        }
        let mut source = Source::new(document.random_access()?, length);
        let octets = source.read(start, end - start)?.to_vec();
        if Digest::of(self.digest.algorithm(), &octets) == self.digest {
            Ok(octets)
        } else {
            Err(Error::DocumentChanged)
        }
    }
}

/// The CMS in the string `/Contents`, if only zeros follow it.
fn cms(string: &[u8]) -> Option<Vec<u8>> {
    let contents = Lexer::new(string, true).value().ok()?;
    let contents = contents.string()?;
    let cms = cades::embedded::first_element(contents).ok()?;
    let padding = contents.get(cms.len()..)?;
    padding.iter().all(|octet| *octet == 0).then(|| cms.to_vec())
}

/// Maximum number of octets of CMS in a hexadecimal string of this length.
const fn capacity(string: &[u8]) -> usize {
    string.len().saturating_sub(2) / 2
}
