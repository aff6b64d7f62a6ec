//! Raising PAdES signatures.

use std::io::Write;

use ::pades::{Error as PadesError, ExtendOptions, PendingTimeStamp};
use ades_core::{DigestAlgorithm, Document, Level};
use ades_evidence::{TimeStampPurpose, ValidationData};

use crate::error::Error;
use crate::verify::VerifyOptions;

pub(crate) fn check(
    document: &mut Document<'_>,
    signature: usize,
    level: Level,
    options: &VerifyOptions<'_>,
) -> Result<Result<(), Error>, Error> {
    match ::pades::check_level(document, signature, level, &extending(options)) {
        Ok(_) => Ok(Ok(())),
        Err(error @ (PadesError::CannotAdd { .. } | PadesError::Forbidden { .. })) => {
            Ok(Err(error.into()))
        }
        Err(error) => Err(error.into()),
    }
}

/// A document time-stamp raises a signature whose CMS cannot take a time-stamp. `token_len`: the
/// length of a token, if it is known.
pub(crate) fn prepare(
    document: &mut Document<'_>,
    signature: usize,
    (purpose, digest, token_len): (TimeStampPurpose, DigestAlgorithm, Option<usize>),
    options: &VerifyOptions<'_>,
) -> Result<PendingTimeStamp, Error> {
    let mut extending = extending(options);
    if let Some(len) = token_len {
        extending = extending.token_len(len);
    }
    let mut prepare =
        |purpose| ::pades::prepare_time_stamp(document, signature, purpose, digest, &extending);
    let prepared = match prepare(purpose) {
        Err(PadesError::CannotAdd { .. } | PadesError::Cms(_))
            if purpose == TimeStampPurpose::Signature =>
        {
            prepare(TimeStampPurpose::Archive)
        }
        prepared => prepared,
    };
    Ok(prepared?)
}

pub(crate) fn add_validation_data(
    document: &mut Document<'_>,
    signature: usize,
    data: &ValidationData,
    options: &VerifyOptions<'_>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    Ok(::pades::add_validation_data(document, signature, data, &extending(options), out)?)
}

/// The update with the data, which is not written.
pub(crate) fn validation_data_update(
    document: &mut Document<'_>,
    signature: usize,
    data: &ValidationData,
    options: &VerifyOptions<'_>,
) -> Result<Vec<u8>, Error> {
    Ok(::pades::validation_data_update(document, signature, data, &extending(options))?)
}

fn extending<'a>(options: &'a VerifyOptions<'_>) -> ExtendOptions<'a> {
    let mut extending = ExtendOptions::new();
    if let Some(beginning) = &options.beginning {
        extending = extending.digested(beginning);
    }
    if let Some(password) = options.password {
        extending = extending.password(password);
    }
    if let Some(content) = options.envelope_content {
        extending = extending.envelope_content(content);
    }
    extending
}
