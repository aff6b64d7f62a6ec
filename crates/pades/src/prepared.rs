//! A document with room for a signature: the lower door, for those who bring
//! their own CMS.

use std::fmt;
use std::io::Write;
use std::ops::Range;

use ades_core::in_place::{Check, InPlace, PreparedFile, append};
use ades_core::{
    Digest, DigestAlgorithm, Digester, Document, DocumentDigest, PendingState, SignatureParameters,
};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::options::SignatureOptions;
use crate::plan::Planned;
use crate::remark::Remark;
use crate::seed::{Certificates, Signer};

/// The format of the signature in `/Contents`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubFilter {
    /// CAdES by the rules of PAdES: `ETSI.CAdES.detached`.
    #[default]
    Cades,
    /// CMS by the rules of ISO 32000: `adbe.pkcs7.detached`.
    Pkcs7,
}

impl SubFilter {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cades => "ETSI.CAdES.detached",
            Self::Pkcs7 => "adbe.pkcs7.detached",
        }
    }
}

/// A gap is for at most so many octets of CMS.
const MAX_CAPACITY: usize = 32 * 1024 * 1024;

/// A document's update with a gap for the CMS, and the digest of all but the
/// gap. Neither the document nor any secret is in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PreparedDocument {
    /// The document's length and digests: of all of it, of its last octets.
    length: u64,
    document: DocumentDigest,
    tail: Digest,
    /// What is appended to the document, before the CMS' hexadecimal digits ...
    #[serde(with = "ades_core::base64::octets")]
    head: Vec<u8>,
    /// ... of which there is room for so many octets ...
    capacity: usize,
    /// ... and behind them.
    #[serde(with = "ades_core::base64::octets")]
    behind: Vec<u8>,
    /// The digest of document and update without the gap.
    signed: DocumentDigest,
    repaired: bool,
    #[serde(skip)]
    remarks: Vec<Remark>,
}

impl PreparedDocument {
    /// Prepares a document for a CMS of at most `capacity` octets. The document
    /// is read once, beside the few objects that a signature touches.
    ///
    /// Of the parameters, the signing time and the location are used; the rest
    /// belongs to the CMS.
    ///
    /// # Errors
    /// What is wrong with the document, or forbids the signature; see [`Error`].
    pub fn new(
        document: &mut Document<'_>,
        algorithm: DigestAlgorithm,
        sub_filter: SubFilter,
        capacity: usize,
        parameters: &SignatureParameters,
        options: &SignatureOptions,
    ) -> Result<Self, Error> {
        let certificates = Certificates::Never;
        let signer = Signer { digest: Some(algorithm), sub_filter, certificates };
        Self::copying(document, algorithm, &signer, capacity, parameters, options, None)
    }

    /// As [`new`](Self::new); the one pass over the document copies it to `out`.
    pub(crate) fn copying(
        document: &mut Document<'_>,
        algorithm: DigestAlgorithm,
        signer: &Signer<'_>,
        capacity: usize,
        parameters: &SignatureParameters,
        options: &SignatureOptions,
        out: Option<&mut dyn Write>,
    ) -> Result<Self, Error> {
        if capacity > MAX_CAPACITY {
            return Err(Error::Limit { limit: "32 MiB of CMS" });
        }
        let planned = Planned::of(document, signer, capacity, parameters, options)?;
        let Planned { placement, written, length, tail, .. } = planned;
        let tail = Digest::of(algorithm, &tail);
        let mut update = written.octets;
        let at = written.values.iter().find(|(reference, _)| *reference == placement.signature);
        let at = at.map_or(0, |(_, at)| *at);
        let within = |range: &Range<usize>| range.start + at..range.end + at;
        let gap = within(&placement.dictionary.contents);
        let second = length + gap.end as u64;
        let byte_range = format!(
            "0 {} {second} {}",
            length + gap.start as u64,
            length + update.len() as u64 - second
        );
        let digits = within(&placement.dictionary.byte_range);
        overwrite(&mut update, digits.start, byte_range.as_bytes());

        let mut digester = Digester::new(algorithm);
        let read = match out {
            Some(out) => document.copy_into(&mut digester, out)?,
            None => document.read_through(&mut |piece| {
                digester.update(piece);
                Ok(())
            })?,
        };
        if read != length {
            return Err(Error::DocumentChanged);
        }
        let whole = digester.clone().finish();
        // The new identifier says which document this is and what was added.
        let mut id = Digester::new(algorithm);
        id.update(whole.value());
        id.update(&update);
        let id = id.finish().to_hex();
        for range in written.id {
            overwrite(
                &mut update,
                range.start,
                id.get(..range.len()).unwrap_or_default().as_bytes(),
            );
        }
        let behind = update.get(gap.end..).unwrap_or_default().to_vec();
        update.truncate(gap.start);
        digester.update(&update);
        digester.update(&behind);
        Ok(Self {
            length,
            document: DocumentDigest(whole),
            tail,
            head: update,
            capacity,
            behind,
            signed: DocumentDigest(digester.finish()),
            repaired: placement.remarks.contains(&Remark::Repaired),
            remarks: placement.remarks,
        })
    }

    /// The digest of what the signature covers: the document and its update,
    /// but for the gap.
    #[must_use]
    pub const fn digest(&self) -> &DocumentDigest {
        &self.signed
    }

    /// The octets of CMS that there is room for.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// The digest of the document, as it is without the update.
    #[must_use]
    pub const fn document_digest(&self) -> &DocumentDigest {
        &self.document
    }

    /// Whether the document's cross-reference was broken and rebuilt.
    #[must_use]
    pub const fn is_repaired(&self) -> bool {
        self.repaired
    }

    /// What to know of the document. Not a part of the stored state: known to
    /// whoever prepared it.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// The document's length in octets.
    #[must_use]
    pub const fn document_len(&self) -> u64 {
        self.length
    }

    /// The signed document's length in octets.
    #[must_use]
    pub fn signed_len(&self) -> u64 {
        let update = [self.head.len(), self.capacity, self.capacity, self.behind.len(), 2];
        update.iter().fold(self.length, |sum, len| sum.saturating_add(*len as u64))
    }

    /// Writes the signed document: a copy of the document and, if that was the
    /// one that was prepared, the update with this CMS.
    ///
    /// # Errors
    /// [`Error::DoesNotFit`] before anything is written;
    /// [`Error::DocumentChanged`] with nothing but a copy of the document
    /// written; [`Error::Core`] if reading or writing fails.
    pub fn embed(
        &self,
        document: &mut Document<'_>,
        cms: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let update = self.filled(cms)?;
        if document.len()?.is_some_and(|length| length != self.length) {
            return Err(Error::DocumentChanged);
        }
        let (found, length) = document.copy(self.document.0.algorithm(), out)?;
        if found != self.document || length != self.length {
            return Err(Error::DocumentChanged);
        }
        out.write_all(&update).map_err(|e| Error::Core(ades_core::Error::Write(e)))
    }

    /// Appends the update with this CMS to the document's own file. If that
    /// fails, the file is cut back to what it was.
    ///
    /// # Errors
    /// As [`embed`](Self::embed); nothing is written unless all is right.
    pub fn embed_in_place(
        &self,
        file: &mut dyn InPlace,
        cms: &[u8],
        check: Check,
    ) -> Result<(), Error> {
        let update = self.filled(cms)?;
        let whole = &self.document.0;
        let held = PreparedFile { from: 0, length: self.length, whole, tail: &self.tail };
        if !held.is_in(file, check)? {
            return Err(Error::DocumentChanged);
        }
        Ok(append(file, self.length, &update)?)
    }

    /// The update with the CMS in its gap, padded with zeros.
    fn filled(&self, cms: &[u8]) -> Result<Vec<u8>, Error> {
        if self.capacity > MAX_CAPACITY {
            let damaged = ades_core::Error::StateDamaged { what: "its gap is too large" };
            return Err(Error::Core(damaged));
        }
        if cms.len() > self.capacity {
            return Err(Error::DoesNotFit { len: cms.len(), reserved: self.capacity });
        }
        let mut update =
            Vec::with_capacity(self.head.len() + 2 * self.capacity + 2 + self.behind.len());
        update.extend_from_slice(&self.head);
        update.push(b'<');
        let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
        update.extend(cms.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]));
        update.resize(self.head.len() + 1 + 2 * self.capacity, b'0');
        update.push(b'>');
        update.extend_from_slice(&self.behind);
        Ok(update)
    }
}

impl PendingState for PreparedDocument {
    const FORMAT: &'static str = "pades-cms";
    const VERSION: u32 = 1;
}

// Names and places are in the update: not for logs.
impl fmt::Debug for PreparedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedDocument")
            .field("length", &self.length)
            .field("document", &self.document)
            .field("capacity", &self.capacity)
            .field("signed", &self.signed)
            .field("repaired", &self.repaired)
            .finish_non_exhaustive()
    }
}

fn overwrite(octets: &mut [u8], at: usize, new: &[u8]) {
    for (octet, new) in octets.iter_mut().skip(at).zip(new) {
        *octet = *new;
    }
}
