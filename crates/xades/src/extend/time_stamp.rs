//! Adds time-stamps: `xades:SignatureTimeStamp` (EN 319 132-1, 5.3) and
//! `xades141:ArchiveTimeStamp` (5.5.2).

use std::io::Write;

use ades_core::error::Parameter;
use ades_core::{Digest, DigestAlgorithm, Document, Level, PendingState};
use ades_evidence::TimeStampPurpose;
use ades_evidence::token::Token;
use serde::{Deserialize, Serialize};

use crate::c14n::Canonicalization;
use crate::error::{Error, NotInsertable};
use crate::options::ReadingOptions;
use crate::source_document::SourceDocument;
use crate::verify::evaluate::imprint;
use crate::verify::original::Original;
use crate::verify::properties::BEFORE_BASELINE;
use crate::verify::time_stamp::TimeStamp;

use super::insertion::write_with_insertion;
use super::options::ExtendOptions;
use super::properties_place::{PropertiesMarkup, PropertiesPlace};

/// The canonicalisation of what time-stamps are over. The exclusive one does not depend on
/// the elements around the signature, into which it may be moved later.
const METHOD: Canonicalization = Canonicalization::EXCLUSIVE;
/// The algorithm of checks, whose digests are not used.
const CHECK_ALGORITHM: DigestAlgorithm = DigestAlgorithm::Sha256;

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
}

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
    let ExtendOptions { mut originals, reading, verified } = options;
    let place = PropertiesPlace::find(document, which, digest, &reading)?;
    let property = |markup: &mut PropertiesMarkup<'_>| write_property(markup, purpose, &[]);
    place.check(document, which, property, &mut originals, &reading, &verified)?;
    let imprint = imprint_at(document, &place, purpose, digest, &mut originals, &reading)?;
    let (signature, document) = (which.to_vec(), place.read.document);
    Ok(PendingTimeStamp { purpose, signature, imprint, document, reading })
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
    let ExtendOptions { mut originals, reading, verified } = options;
    let place = PropertiesPlace::find(document, which, CHECK_ALGORITHM, &reading)?;
    let is_earlier = place
        .signatures()
        .get(place.index)
        .and_then(Option::as_ref)
        .is_some_and(|signature| signature.qualifying.has(&BEFORE_BASELINE));
    if level >= Level::Lt && is_earlier {
        return Err(Error::CannotInsert { why: NotInsertable::EarlierValidationData });
    }
    let property = |markup: &mut PropertiesMarkup<'_>| write_property(markup, purpose, &[]);
    place.check(document, which, property, &mut originals, &reading, &verified)?;
    imprint_at(document, &place, purpose, CHECK_ALGORITHM, &mut originals, &reading).map(|_| ())
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
    let stamp = TimeStamp::foreseen(purpose, digest, METHOD, place.insertion.offset)
        .ok_or(Error::UnsupportedTimeStamp { purpose })?;
    let (length, signatures) = (place.collected.length, place.signatures());
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
    let PendingTimeStamp { purpose, signature, imprint, document: source, reading } = pending;
    let read = Token::read(token).ok_or(Error::TimeStampMalformed)?;
    if read.imprint.as_ref() != Some(imprint) {
        return Err(Error::TimeStampMismatch);
    }
    source.check_length(document)?;
    let algorithm = source.digest.0.algorithm();
    let place = match PropertiesPlace::find(document, signature, algorithm, reading) {
        Ok(place) if place.read.document == *source => place,
        // Another document may lack the signature.
        found => {
            source.read(document, &mut |_| Ok(()))?;
            found?
        }
    };
    let inserted = place.octets(|markup| write_property(markup, *purpose, token))?;
    write_with_insertion(document, source, &place.insertion, &inserted, out)
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
