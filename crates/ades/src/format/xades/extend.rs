//! Raising XAdES signatures.

use std::io::Write;

use ::xades::{Error as XadesError, ExtendOptions, PendingTimeStamp};
use ades_core::{DigestAlgorithm, Document, Level};
use ades_evidence::{TimeStampPurpose, ValidationData};

use super::documents;
use crate::error::Error;
use crate::verify::VerifyOptions;

/// The options of raising, from those of verifying.
fn options<'a>(options: &'a mut VerifyOptions<'_>) -> Result<ExtendOptions<'a>, Error> {
    let again = options.again()?;
    let extending = ExtendOptions::new().sharing(&again.verified);
    let mut extending = extending.ids(again.reading.ids.clone());
    if let Some(known) = &again.known {
        extending = extending.known(known);
    }
    if again.reading.ignore_external_subset {
        extending = extending.ignoring_external_subset();
    }
    for (name, document) in documents(again.originals)? {
        extending = match name {
            Some(name) => extending.original_named(name, document),
            None => extending.original(document),
        };
    }
    Ok(extending)
}

pub(crate) fn check(
    document: &mut Document<'_>,
    place: &[usize],
    level: Level,
    verifying: &mut VerifyOptions<'_>,
) -> Result<Result<(), Error>, Error> {
    match ::xades::check_level(document, place, level, options(verifying)?) {
        Ok(()) => Ok(Ok(())),
        // Something about this one signature.
        Err(
            error @ (XadesError::CannotInsert { .. }
            | XadesError::BreaksExistingSignature
            | XadesError::BreaksTimeStamp
            | XadesError::ExistingSignatureUndecided { .. }
            | XadesError::NotIntact { .. }),
        ) => Ok(Err(error.into())),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn prepare(
    document: &mut Document<'_>,
    place: &[usize],
    purpose: TimeStampPurpose,
    digest: DigestAlgorithm,
    verifying: &mut VerifyOptions<'_>,
) -> Result<PendingTimeStamp, Error> {
    let options = options(verifying)?;
    Ok(::xades::prepare_time_stamp(document, place, purpose, digest, options)?)
}

pub(crate) fn add_validation_data(
    document: &mut Document<'_>,
    place: &[usize],
    data: &ValidationData,
    verifying: &mut VerifyOptions<'_>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let options = options(verifying)?;
    Ok(::xades::add_validation_data(document, place, data, options, out)?)
}
