//! What one process remembers of a document between two steps that raise its signatures.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use ades_core::facts::TimeStampKind;
use ades_core::{Digest, DigestAlgorithm, Document, Level};
use ades_evidence::{TimeStampPurpose, VerifiedValues};

use crate::c14n::{IdAttributes, InsertionFacts, Target};
use crate::error::Error;
use crate::options::ReadingOptions;
use crate::report::Report;
use crate::source_document::SourceDocument;
use crate::verify::collect::{CollectedDocument, CollectedSignature};
use crate::verify::evaluate::foreseen::{ForeseenOutcomes, read_foreseen};
use crate::verify::evaluate::{Imprint, NextStamp, evaluate};
use crate::verify::original::Original;
use crate::verify::report;
use crate::verify::signature::Signature;
use crate::verify::time_stamp::TimeStamp;

use super::foresight::with_properties;
use super::properties_place::PropertiesSite;
use super::time_stamp::{PendingTimeStamp, add_time_stamp_knowing, foreseen};

/// The algorithm with which the document is compared when something is written.
const COMPARISON: DigestAlgorithm = DigestAlgorithm::Sha256;
/// The properties without which a signature gets no archive time-stamp of the baseline.
const WITH_DATA: [&str; 3] = ["RevocationValues", "TimeStampValidationData", "AnyValidationData"];
/// Maximum number of signatures whose next time-stamps are prepared while they are verified.
const MAX_NEXT: usize = 8;

/// What [verifying](crate::VerifyOptions::known) a document has shown, for the
/// [steps that raise its signatures](crate::ExtendOptions::known) in the same process: they need
/// not read it again. Clones share it. It has one document at a time, and cannot be stored.
///
/// A step checks nothing but the document's length; all octets are compared as soon as something
/// is written.
#[derive(Clone, Default)]
pub struct KnownDocument {
    known: Arc<Mutex<Knowledge>>,
    /// The level that is wanted, and the digest algorithm of imprints.
    wanted: Option<(Level, DigestAlgorithm)>,
}

/// What is known of a document.
#[derive(Clone, Default)]
enum Knowledge {
    #[default]
    Nothing,
    /// It was read.
    Read(Arc<Known>),
    /// It was written. It should have these signatures.
    Written(Arc<Vec<CollectedSignature>>),
}

/// A document that was read.
pub(crate) struct Known {
    pub(crate) collected: CollectedDocument,
    pub(crate) source: SourceDocument,
    pub(crate) facts: InsertionFacts,
    reading: ReadingOptions,
    /// What verifying it has shown, unless it was only read.
    pub(crate) report: Option<Report>,
    /// The imprints of the next time-stamps.
    imprints: Vec<(TimeStampPurpose, Imprint)>,
}

impl KnownDocument {
    /// No document.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same document, not shared with clones. Its signatures are raised to this level, with
    /// this digest algorithm in imprints: verifying it then prepares the next time-stamps, too.
    #[must_use]
    pub fn for_level(&self, level: Level, digest: DigestAlgorithm) -> Self {
        Self { known: Arc::new(Mutex::new(self.knowledge())), wanted: Some((level, digest)) }
    }

    fn knowledge(&self) -> Knowledge {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, knowledge: Knowledge) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = knowledge;
    }

    /// The document, if it can be this one.
    pub(crate) fn get(
        &self,
        document: &mut Document<'_>,
        reading: &ReadingOptions,
    ) -> Result<Option<Arc<Known>>, Error> {
        let length = document.len()?;
        Ok(match self.knowledge() {
            Knowledge::Read(known)
                if length == Some(known.source.length) && known.reading == *reading =>
            {
                Some(known)
            }
            _ => None,
        })
    }

    /// Verifies a document and keeps it.
    pub(crate) fn verify(
        &self,
        document: &mut Document<'_>,
        originals: &mut [Original<'_>],
        expected: &[Target],
        reading: &ReadingOptions,
        verified: &VerifiedValues,
    ) -> Result<Report, Error> {
        let early = match self.knowledge() {
            Knowledge::Written(signatures) if expected.is_empty() => {
                Known::read_foreseen(document, &signatures, reading, self.wanted)
            }
            _ => None,
        };
        let (mut known, foreseen) = match early {
            Some((known, outcomes)) => (known, Some(outcomes)),
            None => (Known::read(document, COMPARISON, reading, expected)?, None),
        };
        let wanted = self.wanted;
        let (report, imprints) = known.verify(document, originals, verified, wanted, foreseen)?;
        known.imprints = imprints;
        known.report = Some(report.clone());
        self.put(Knowledge::Read(Arc::new(known)));
        Ok(report)
    }

    /// Another document was written: the one that was read, with this markup in the signature with
    /// this index.
    pub(super) fn written(
        &self,
        read: Option<&Known>,
        index: usize,
        site: &PropertiesSite,
        markup: &str,
    ) {
        let signatures = read.and_then(|read| with_properties(read, index, site, markup));
        self.put(signatures.map_or(Knowledge::Nothing, |all| Knowledge::Written(Arc::new(all))));
    }

    /// As [`add_time_stamp`](crate::add_time_stamp()), and remembers what the written document
    /// should be, so that verifying it takes one reading less.
    ///
    /// # Errors
    /// Those of [`add_time_stamp`](crate::add_time_stamp()).
    pub fn add_time_stamp(
        &self,
        document: &mut Document<'_>,
        pending: &PendingTimeStamp,
        token: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        add_time_stamp_knowing(document, pending, token, self, out)
    }
}

impl Known {
    /// Reads a document.
    pub(crate) fn read(
        document: &mut Document<'_>,
        algorithm: DigestAlgorithm,
        reading: &ReadingOptions,
        expected: &[Target],
    ) -> Result<Self, Error> {
        let (collected, source, facts) =
            CollectedDocument::read_to_extend(document, algorithm, reading, expected)?;
        let (reading, report, imprints) = (reading.clone(), None, Vec::new());
        Ok(Self { collected, source, facts, reading, report, imprints })
    }

    /// Reads a document that should have these signatures, and digests what they and their next
    /// time-stamps are over.
    fn read_foreseen(
        document: &mut Document<'_>,
        signatures: &[CollectedSignature],
        reading: &ReadingOptions,
        wanted: Option<(Level, DigestAlgorithm)>,
    ) -> Option<(Self, ForeseenOutcomes)> {
        let signatures: Vec<_> = signatures.iter().map(CollectedSignature::read).collect();
        let (_, next) = next_stamps(&signatures, wanted);
        let (collected, source, facts, outcomes) =
            read_foreseen(document, COMPARISON, &signatures, &next, reading)?;
        let (reading, report, imprints) = (reading.clone(), None, Vec::new());
        Some((Self { collected, source, facts, reading, report, imprints }, outcomes))
    }

    /// The second reading. `wanted` as in [`KnownDocument`].
    pub(crate) fn verify(
        &self,
        document: &mut Document<'_>,
        originals: &mut [Original<'_>],
        verified: &VerifiedValues,
        wanted: Option<(Level, DigestAlgorithm)>,
        foreseen: Option<ForeseenOutcomes>,
    ) -> Result<(Report, Vec<(TimeStampPurpose, Imprint)>), Error> {
        let (length, reading) = (self.source.length, &self.reading);
        let signatures = self.collected.read_signatures();
        let (purposes, next) = next_stamps(&signatures, wanted);
        let (outcomes, imprints) =
            evaluate(document, length, &signatures, originals, reading, foreseen, &next)?;
        let report = report(&self.collected, &signatures, &outcomes, verified);
        let purpose = |imprint: &Imprint| {
            let mut all = purposes.iter().zip(&next);
            all.find(|(_, (index, _))| *index == imprint.signature).map(|(purpose, _)| *purpose)
        };
        let imprints = imprints.into_iter().filter_map(|one| Some((purpose(&one)?, one)));
        Ok((report, imprints.collect()))
    }

    /// Which attributes are Ids.
    pub(super) const fn ids(&self) -> &IdAttributes {
        &self.reading.ids
    }

    /// The imprint of the next time-stamp of the signature with this index, if it was prepared.
    pub(crate) fn imprint(
        &self,
        index: usize,
        purpose: TimeStampPurpose,
        algorithm: DigestAlgorithm,
    ) -> Option<&Digest> {
        let is_meant = |(of, imprint): &&(TimeStampPurpose, Imprint)| {
            *of == purpose && imprint.signature == index && imprint.digest.algorithm() == algorithm
        };
        self.imprints.iter().find(is_meant).map(|(_, imprint)| &imprint.digest)
    }
}

/// The next time-stamps of the first signatures that can have one.
fn next_stamps(
    signatures: &[Option<Signature<'_>>],
    wanted: Option<(Level, DigestAlgorithm)>,
) -> (Vec<TimeStampPurpose>, Vec<NextStamp>) {
    let next = |(index, signature): (usize, &Option<Signature<'_>>)| {
        let ((level, digest), signature) = wanted.zip(signature.as_ref())?;
        let is_signature = |stamp: &TimeStamp| stamp.kind == TimeStampKind::Signature;
        let purpose = match signature.time_stamps.iter().any(is_signature) {
            false => TimeStampPurpose::Signature,
            true if level == Level::Lta && signature.qualifying.has(&WITH_DATA) => {
                TimeStampPurpose::Archive
            }
            true => return None,
        };
        Some((purpose, (index, foreseen(purpose, digest, signature)?)))
    };
    signatures.iter().enumerate().filter_map(next).take(MAX_NEXT).unzip()
}

// Signatures contain names, which must not reach logs.
impl fmt::Debug for KnownDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownDocument").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}
