//! Raising CAdES signatures.

use ::cades::{Container, Error as CadesError, ExtendOptions, PendingTimeStamp};
use ades_core::{DigestAlgorithm, Document, Level};
use ades_evidence::TimeStampPurpose;

use crate::error::Error;
use crate::verify::VerifyOptions;

pub(crate) fn check(
    document: &mut Document<'_>,
    place: &[usize],
    level: Level,
    has_original: bool,
) -> Result<Result<(), Error>, Error> {
    match ::cades::check_level(document, place, level) {
        Ok(()) => {}
        Err(error @ CadesError::CannotAdd { .. }) => return Ok(Err(error.into())),
        Err(error) => return Err(error.into()),
    }
    // Archive time-stamps are over the content, too.
    if level == Level::Lta && !has_original && !Container::read(document)?.is_enveloping() {
        return Err(CadesError::DocumentNeeded.into());
    }
    Ok(Ok(()))
}

pub(crate) fn prepare(
    document: &mut Document<'_>,
    place: &[usize],
    purpose: TimeStampPurpose,
    digest: DigestAlgorithm,
    options: &mut VerifyOptions<'_>,
) -> Result<PendingTimeStamp, Error> {
    let mut extending = ExtendOptions::new();
    if let Some(original) = options.originals.first_mut() {
        extending = extending.original(&mut original.document);
    }
    Ok(::cades::prepare_time_stamp(document, place, purpose, digest, extending)?)
}
