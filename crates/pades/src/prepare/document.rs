//! Prepares a document with a Contents placeholder, and digests it.

use std::io::Write;
use std::ops::Range;

use ades_core::{Digest, DigestAlgorithm, Digester, Document, DocumentDigest, SignatureParameters};

use super::dictionary::Dictionary;
use super::plan::Plan;
use crate::complete::hexadecimal;
use crate::error::{Error, Limit, exceeds};
use crate::extend::{overwrite, set_identifier};
use crate::options::SignatureOptions;
use crate::pending::{MAX_CAPACITY, PreparedDocument};
use crate::report::Warning;
use crate::signer::{Certificates, Signer, SubFilter};

/// DER without a meaning.
pub(crate) const CMS_STUB: &[u8] = &[0x30, 0];

impl PreparedDocument {
    /// Prepares a document for a CMS of at most `capacity` octets. The document
    /// is read once, apart from the few objects that a signature touches.
    ///
    /// Of the parameters, only the signing time and the location are used. The others
    /// belong in the CMS, which the caller makes.
    ///
    /// # Errors
    /// The document is malformed or forbids the signature; see [`Error`].
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
        let dictionary = Dictionary::of_signature(&signer, capacity, parameters, options)?;
        Self::prepare(document, algorithm, &signer, dictionary, options, None)
    }

    /// As [`new`](Self::new), with this dictionary; copies the document to `out` in the
    /// same pass.
    pub(crate) fn prepare(
        document: &mut Document<'_>,
        algorithm: DigestAlgorithm,
        signer: &Signer<'_>,
        dictionary: Dictionary<'_>,
        options: &SignatureOptions,
        out: Option<&mut dyn Write>,
    ) -> Result<Self, Error> {
        let capacity = dictionary.capacity;
        let plan = Self::plan(document, signer, dictionary, options)?;
        let mut digester = Digester::new(algorithm);
        let read = match out {
            Some(out) => document.copy_into(&mut digester, out)?,
            None => document.read_through(&mut |piece| {
                digester.update(piece);
                Ok(())
            })?,
        };
        match read == plan.length {
            true => Ok(Self::planned(plan, capacity, digester)),
            false => Err(Error::DocumentChanged),
        }
    }

    /// The plan of the update, whose placeholder is not too long.
    pub(crate) fn plan(
        document: &mut Document<'_>,
        signer: &Signer<'_>,
        dictionary: Dictionary<'_>,
        options: &SignatureOptions,
    ) -> Result<Plan, Error> {
        if dictionary.capacity > MAX_CAPACITY {
            return Err(exceeds(Limit::ContentsLen));
        }
        Plan::new(document, signer, dictionary, options)
    }

    /// The planned update of the document that `digester` has digested.
    pub(crate) fn planned(plan: Plan, capacity: usize, mut digester: Digester) -> Self {
        let contents = plan.in_update(&plan.dictionary.contents);
        let mut update = plan.with_byte_range(&contents);
        let digest_state = digester.state();
        let whole = digester.clone().finish();
        // The digests do not cover the placeholder. The identifier is after it.
        let id = plan.update.id.iter().map(|id| {
            id.start.saturating_sub(contents.len())..id.end.saturating_sub(contents.len())
        });
        let id: Vec<_> = id.collect();
        update.drain(contents.clone());
        set_identifier(&mut update, &id, &whole);
        digester.update(&update);
        let after = update.split_off(contents.start);
        Self {
            length: plan.length,
            tail: Digest::of(digester.algorithm(), &plan.tail),
            document: DocumentDigest(whole),
            digest_state,
            head: update,
            capacity,
            after,
            signed: DocumentDigest(digester.finish()),
            repaired: plan.warnings.contains(&Warning::Repaired),
            warnings: plan.warnings,
        }
    }
}

impl Plan {
    /// A range of the signature dictionary, counted from the start of the update.
    fn in_update(&self, range: &Range<usize>) -> Range<usize> {
        let mut values = self.update.values.iter();
        let at = values.find(|(reference, _)| *reference == self.signature);
        let at = at.map_or(0, |(_, at)| *at);
        range.start + at..range.end + at
    }

    /// The update with a stub in place of the CMS, and without its identifier: for looking at what
    /// it changes.
    pub(crate) fn preview(&self) -> Vec<u8> {
        let contents = self.in_update(&self.dictionary.contents);
        let mut update = self.with_byte_range(&contents);
        let digits: Vec<u8> = hexadecimal(CMS_STUB).collect();
        overwrite(&mut update, contents.start + 1, &digits);
        update
    }

    /// The update with its `/ByteRange`, which leaves out `contents`.
    fn with_byte_range(&self, contents: &Range<usize>) -> Vec<u8> {
        let mut update = self.update.octets.clone();
        let second = self.length + contents.end as u64;
        let byte_range = format!(
            "0 {} {second} {}",
            self.length + contents.start as u64,
            self.length + update.len() as u64 - second
        );
        let digits = self.in_update(&self.dictionary.byte_range);
        overwrite(&mut update, digits.start, byte_range.as_bytes());
        update
    }
}
