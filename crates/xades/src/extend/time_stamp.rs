//! Adds time-stamps: `xades:SignatureTimeStamp` (EN 319 132-1, 5.3) and
//! `xades141:ArchiveTimeStamp` (5.5.2).

use std::io::Write;
use std::ops::Range;

use ades_core::error::Parameter;
use ades_core::{Digest, DigestAlgorithm, Document, Level, PendingState};
use ades_evidence::TimeStampPurpose;
use ades_evidence::token::Token;
use serde::{Deserialize, Serialize};

use crate::c14n::Canonicalization;
use crate::error::{Error, NotInsertable};
use crate::options::ReadingOptions;
use crate::report::SignatureReport;
use crate::source_document::SourceDocument;
use crate::verify::evaluate::{imprint, stamped_parts};
use crate::verify::original::Original;
use crate::verify::properties::BEFORE_BASELINE;
use crate::verify::signature::Signature;
use crate::verify::time_stamp::{Part, TimeStamp};
use crate::xml::Limits;

use super::insertion::write_if_same;
use super::known::KnownDocument;
use super::options::ExtendOptions;
use super::properties_place::{PropertiesMarkup, PropertiesPlace, PropertiesSite};

/// The canonicalisation of what time-stamps are over. The exclusive one does not depend on
/// the elements around the signature, into which it may be moved later.
const METHOD: Canonicalization = Canonicalization::EXCLUSIVE;
/// The algorithm of checks, whose digests are not used.
const CHECK_ALGORITHM: DigestAlgorithm = DigestAlgorithm::Sha256;
/// Parts of this length together, and some forms of the document, exceed no limit of time-stamps.
const CERTAIN_LEN: u64 = 1 << 26;
/// A canonical form is at most this many times as long as the document.
const WORK_RATIO: u64 = Limits::DEFAULT.work_ratio;

/// A time-stamp that has been prepared and waits for its token.
///
/// It is small and does not contain the document. [`PendingState::to_json`] stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingTimeStamp {
    purpose: TimeStampPurpose,
    /// The place of the signature in the report.
    signature: Vec<usize>,
    imprint: Digest,
    document: SourceDocument,
    reading: ReadingOptions,
    /// Where it goes. It is not stored: another process finds it again.
    #[serde(skip)]
    found: Found,
}

/// The index of the signature and the place in it, if they were found in this process. They follow
/// from the document.
#[derive(Clone, Debug, Default)]
struct Found(Option<(usize, PropertiesSite)>);

impl PartialEq for Found {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Found {}

impl PendingTimeStamp {
    /// The digest that the token must be over: pass it to the time-stamping service.
    #[must_use]
    pub const fn imprint(&self) -> &Digest {
        &self.imprint
    }

    /// What the time-stamp is for.
    #[must_use]
    pub const fn purpose(&self) -> TimeStampPurpose {
        self.purpose
    }
}

impl PendingState for PendingTimeStamp {
    const FORMAT: &'static str = "xades-time-stamp";
    const VERSION: u32 = 1;
}

/// Prepares a time-stamp for the signature at `which` of the [report](crate::verify()):
/// `[1]` is the second signature, and `[1, 0]` is its first countersignature.
///
/// `digest` is the algorithm of the time-stamp's imprint. An archive time-stamp is over
/// the signed data, the signature and all its unsigned properties; a further one renews it.
/// The documents must be seekable: they are read more than once.
///
/// # Errors
/// Whatever would make the time-stamp useless, before one is spent: [`Error::Core`] for SHA-1;
/// [`Error::NoSuchSignature`]; [`Error::CannotInsert`]; [`Error::NotIntact`];
/// [`Error::BreaksExistingSignature`] if another signature covers this one;
/// [`Error::BreaksTimeStamp`]; [`Error::ExistingSignatureUndecided`];
/// [`Error::ImprintUnknown`]; an error about the document as XML; [`Error::Core`] if a
/// source fails.
pub fn prepare_time_stamp(
    document: &mut Document<'_>,
    which: &[usize],
    purpose: TimeStampPurpose,
    digest: DigestAlgorithm,
    options: ExtendOptions<'_>,
) -> Result<PendingTimeStamp, Error> {
    if digest == DigestAlgorithm::Sha1 {
        let parameter = Parameter::DigestAlgorithm;
        let problem = "SHA-1 is too weak for a time-stamp";
        return Err(Error::Core(ades_core::Error::Parameter { parameter, problem }));
    }
    let ExtendOptions { mut originals, reading, verified, known } = options;
    let place = PropertiesPlace::find(document, which, digest, &reading, &known)?;
    let property = |markup: &mut PropertiesMarkup<'_>| write_property(markup, purpose, &[]);
    place.check(document, which, property, &mut originals, &reading, &verified)?;
    let imprint = match place.known.imprint(place.index, purpose, digest) {
        Some(imprint) => imprint.clone(),
        None => imprint_at(document, &place, purpose, digest, &mut originals, &reading)?,
    };
    let (signature, document) = (which.to_vec(), place.known.source.clone());
    let found = Found(Some((place.index, place.site)));
    Ok(PendingTimeStamp { purpose, signature, imprint, document, reading, found })
}

/// Checks that the signature at `which` of the report can be raised to a level, before
/// anything is fetched for it.
///
/// # Errors
/// As [`prepare_time_stamp`]; [`Error::CannotInsert`] with
/// [`EarlierValidationData`](NotInsertable::EarlierValidationData) from B-LT on.
pub fn check_level(
    document: &mut Document<'_>,
    which: &[usize],
    level: Level,
    options: ExtendOptions<'_>,
) -> Result<(), Error> {
    let purpose = match level {
        Level::Lta => TimeStampPurpose::Archive,
        _ => TimeStampPurpose::Signature,
    };
    let ExtendOptions { mut originals, reading, verified, known } = options;
    let place = PropertiesPlace::find(document, which, CHECK_ALGORITHM, &reading, &known)?;
    let signatures = place.known.collected.read_signatures();
    let signature = signatures.get(place.index).and_then(Option::as_ref);
    let is_earlier = signature.is_some_and(|one| one.qualifying.has(&BEFORE_BASELINE));
    if level >= Level::Lt && is_earlier {
        return Err(Error::CannotInsert { why: NotInsertable::EarlierValidationData });
    }
    let property = |markup: &mut PropertiesMarkup<'_>| write_property(markup, purpose, &[]);
    let report = place.check(document, which, property, &mut originals, &reading, &verified)?;
    let stamp = signature.and_then(|one| foreseen(purpose, CHECK_ALGORITHM, one));
    let stamp = stamp.ok_or(Error::UnsupportedTimeStamp { purpose })?;
    let parts = stamped_parts(&signatures, (place.index, &stamp), &reading);
    let parts = parts.map_err(|why| Error::ImprintUnknown { why })?;
    if is_certain(&parts, &report, place.known.source.length) {
        return Ok(());
    }
    imprint_at(document, &place, purpose, CHECK_ALGORITHM, &mut originals, &reading).map(|_| ())
}

/// Whether an imprint over these parts can certainly be made: the references were digested, and
/// the parts are far from the limits of time-stamps.
fn is_certain(parts: &[Part<'_>], report: &SignatureReport, length: u64) -> bool {
    let len = |place: &Range<u64>| place.end.saturating_sub(place.start);
    let mut all = 0u64;
    for part in parts {
        let Part::SameDocument { elements, .. } = part else { return false };
        // Namespaces of the elements around may make a form longer than its element.
        let longest = elements.iter().map(|place| len(place).saturating_mul(WORK_RATIO));
        all = longest.fold(all, u64::saturating_add);
    }
    for reference in &report.references {
        if reference.intact.is_none() && reference.undecided.is_none() {
            return false;
        }
        // Another canonical form than that of the reference may be somewhat longer.
        all = all.saturating_add(reference.length.saturating_mul(4));
    }
    all <= length.saturating_mul(8).saturating_add(CERTAIN_LEN)
}

/// A time-stamp of this signature after all its other properties.
pub(super) fn foreseen(
    purpose: TimeStampPurpose,
    digest: DigestAlgorithm,
    signature: &Signature<'_>,
) -> Option<TimeStamp> {
    TimeStamp::foreseen(purpose, digest, METHOD, signature.element.place.end)
}

/// The digest of what the time-stamp at this place will be over.
fn imprint_at(
    document: &mut Document<'_>,
    place: &PropertiesPlace,
    purpose: TimeStampPurpose,
    digest: DigestAlgorithm,
    originals: &mut [Original<'_>],
    reading: &ReadingOptions,
) -> Result<Digest, Error> {
    let (length, signatures) = (place.known.source.length, place.known.collected.read_signatures());
    let signature = signatures.get(place.index).and_then(Option::as_ref);
    let stamp = signature.and_then(|one| foreseen(purpose, digest, one));
    let stamp = stamp.ok_or(Error::UnsupportedTimeStamp { purpose })?;
    let stamp = (place.index, &stamp);
    let made = imprint(document, length, &signatures, stamp, originals, reading)?;
    made.map_err(|why| Error::ImprintUnknown { why })
}

/// Writes the document with a time-stamp that was prepared for it. `token` is the
/// `TimeStampToken` in DER. Its signature is not verified. All octets of the document stay
/// as they are.
///
/// # Errors
/// Before anything is written: [`Error::TimeStampMalformed`]; [`Error::TimeStampMismatch`];
/// [`Error::DocumentChanged`]; an error about the document as XML. [`Error::Core`] if a
/// source or writing fails.
pub fn add_time_stamp(
    document: &mut Document<'_>,
    pending: &PendingTimeStamp,
    token: &[u8],
    out: &mut dyn Write,
) -> Result<(), Error> {
    add_time_stamp_knowing(document, pending, token, &KnownDocument::new(), out)
}

pub(super) fn add_time_stamp_knowing(
    document: &mut Document<'_>,
    pending: &PendingTimeStamp,
    token: &[u8],
    known: &KnownDocument,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let PendingTimeStamp { purpose, imprint, document: source, reading, found, .. } = pending;
    let read = Token::read(token).ok_or(Error::TimeStampMalformed)?;
    if read.imprint.as_ref() != Some(imprint) {
        return Err(Error::TimeStampMismatch);
    }
    source.check_length(document)?;
    let again;
    let ((index, site), read) = match &found.0 {
        Some(found) => {
            let read = known.get(document, reading)?;
            (found, read.filter(|read| read.source == *source))
        }
        None => {
            let place = find_again(document, pending)?;
            again = (place.index, place.site);
            (&again, Some(place.known))
        }
    };
    let markup = site.markup(|markup| write_property(markup, *purpose, token));
    let inserted = site.insertion.octets(&markup)?;
    write_if_same(document, source, &site.insertion, &inserted, out)?;
    known.written(read.as_deref(), *index, site, &markup);
    Ok(())
}

/// The place of a time-stamp that another process has prepared.
fn find_again(
    document: &mut Document<'_>,
    pending: &PendingTimeStamp,
) -> Result<PropertiesPlace, Error> {
    let PendingTimeStamp { signature, document: source, reading, .. } = pending;
    let (algorithm, unknown) = (source.digest.0.algorithm(), KnownDocument::new());
    match PropertiesPlace::find(document, signature, algorithm, reading, &unknown) {
        Ok(place) if place.known.source == *source => Ok(place),
        // Another document may lack the signature.
        found => {
            source.read(document, &mut |_| Ok(()))?;
            found
        }
    }
}

/// Writes the property. New properties state their canonicalisation (clause 5.1.4).
fn write_property(markup: &mut PropertiesMarkup<'_>, purpose: TimeStampPurpose, token: &[u8]) {
    let content = |markup: &mut PropertiesMarkup<'_>| {
        markup.canonicalization_method(METHOD.uri());
        markup.octets("EncapsulatedTimeStamp", token);
    };
    match purpose {
        TimeStampPurpose::Archive => markup.later_element("ArchiveTimeStamp", content),
        _ => markup.element("SignatureTimeStamp", content),
    }
}
