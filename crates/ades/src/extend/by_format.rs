//! What each format does for an extension.

use std::io::Write;

use ades_core::facts::EvidencePlace;
use ades_core::{Digest, DigestAlgorithm, Document, Level};
use ades_evidence::{TimeStampPurpose, ValidationData};
use serde::{Deserialize, Serialize};

use crate::detect::Format;
use crate::error::Error;
use crate::format;
use crate::verify::VerifyOptions;

/// A prepared time-stamp of any format.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PreparedStamp {
    Cades(cades::PendingTimeStamp),
    Pades(pades::PendingTimeStamp),
    Xades(xades::PendingTimeStamp),
}

impl PreparedStamp {
    pub(super) const fn imprint(&self) -> &Digest {
        match self {
            Self::Cades(pending) => pending.imprint(),
            Self::Pades(pending) => pending.imprint(),
            Self::Xades(pending) => pending.imprint(),
        }
    }

    /// Whether this error says that the document has too little room for the token.
    pub(super) const fn is_too_small(error: &Error) -> bool {
        matches!(error, Error::Pades(pades::Error::DoesNotFit { .. }))
    }

    /// Writes the document with the token. `known` is what is known of an XML document.
    pub(super) fn add(
        &self,
        document: &mut Document<'_>,
        token: &[u8],
        known: &xades::KnownDocument,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        match self {
            Self::Cades(pending) => {
                cades::add_time_stamp(document, pending, token, out).map_err(Error::from)
            }
            Self::Pades(pending) => {
                pades::add_time_stamp(document, pending, token, out).map_err(Error::from)
            }
            Self::Xades(pending) => {
                known.add_time_stamp(document, pending, token, out).map_err(Error::from)
            }
        }
    }
}

/// Whether steps are updates that follow the document, so that several are written at one time.
pub(super) const fn appends(format: Format) -> bool {
    matches!(format, Format::Pades)
}

/// The update that adds a token, if it is one.
pub(super) fn time_stamp_update(
    prepared: &PreparedStamp,
    document: &mut Document<'_>,
    token: &[u8],
) -> Result<Option<Vec<u8>>, Error> {
    match prepared {
        PreparedStamp::Pades(pending) => Ok(pades::time_stamp_update(document, pending, token)?),
        PreparedStamp::Cades(_) | PreparedStamp::Xades(_) => Ok(None),
    }
}

/// The update that adds validation data, if it is one.
pub(super) fn validation_data_update(
    format: Format,
    document: &mut Document<'_>,
    place: &[usize],
    data: &ValidationData,
    options: &VerifyOptions<'_>,
) -> Result<Option<Vec<u8>>, Error> {
    if !appends(format) {
        return Ok(None);
    }
    format::pades::extend::validation_data_update(document, outer(place), data, options).map(Some)
}

/// The document with the updates after it.
pub(super) fn with_updates<'d>(
    document: &'d mut Document<'_>,
    updates: &'d [u8],
) -> Result<Document<'d>, Error> {
    Ok(pades::with_update(document, updates)?)
}

/// A signature in a PDF has no countersignatures.
fn outer(place: &[usize]) -> usize {
    place.first().copied().unwrap_or_default()
}

/// Finds out whether a signature can be raised to a level, before anything is fetched.
///
/// The outer error: the document cannot be read, or the caller has to give something. The inner
/// one: this signature cannot be raised.
pub(super) fn check_level(
    format: Format,
    document: &mut Document<'_>,
    place: &[usize],
    level: Level,
    options: &mut VerifyOptions<'_>,
) -> Result<Result<(), Error>, Error> {
    match format {
        Format::Cades => {
            let has_original = options.has_originals();
            format::cades::extend::check(document, place, level, has_original)
        }
        Format::Pades => format::pades::extend::check(document, outer(place), level, options),
        Format::Xades => format::xades::extend::check(document, place, level, options),
    }
}

pub(super) fn prepare(
    format: Format,
    document: &mut Document<'_>,
    place: &[usize],
    purpose: TimeStampPurpose,
    digest: DigestAlgorithm,
    token_len: Option<usize>,
    options: &mut VerifyOptions<'_>,
) -> Result<PreparedStamp, Error> {
    match format {
        Format::Cades => format::cades::extend::prepare(document, place, purpose, digest, options)
            .map(PreparedStamp::Cades),
        Format::Pades => {
            let stamp = (purpose, digest, token_len);
            format::pades::extend::prepare(document, outer(place), stamp, options)
                .map(PreparedStamp::Pades)
        }
        Format::Xades => format::xades::extend::prepare(document, place, purpose, digest, options)
            .map(PreparedStamp::Xades),
    }
}

pub(super) fn add_validation_data(
    format: Format,
    document: &mut Document<'_>,
    place: &[usize],
    data: &ValidationData,
    options: &mut VerifyOptions<'_>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    match format {
        Format::Cades => {
            cades::add_validation_data(document, place, data, out).map_err(Error::from)
        }
        Format::Pades => {
            format::pades::extend::add_validation_data(document, outer(place), data, options, out)
        }
        Format::Xades => {
            format::xades::extend::add_validation_data(document, place, data, options, out)
        }
    }
}

/// Whether evidence at this place counts for level B-LT, so that it need not be embedded again.
pub(super) const fn is_in_place(format: Format, place: EvidencePlace) -> bool {
    match format {
        Format::Cades => {
            matches!(place, EvidencePlace::SignedData | EvidencePlace::TimeStamp(_))
        }
        Format::Pades => {
            matches!(place, EvidencePlace::DocumentSecurityStore | EvidencePlace::TimeStamp(_))
        }
        Format::Xades => matches!(
            place,
            EvidencePlace::Values
                | EvidencePlace::KeyInfo
                | EvidencePlace::TimeStampValidationData
                | EvidencePlace::AnyValidationData
                | EvidencePlace::TimeStamp(_)
        ),
    }
}

/// Whether one archive time-stamp covers all signatures of a document.
pub(super) const fn archives_all(format: Format) -> bool {
    matches!(format, Format::Pades)
}
