//! Time-stamps: the signature-time-stamp of a signature, and document time-stamps
//! (EN 319 142-1, 5.4.1 and 5.4.3).

use std::io::Write;

use ades_core::error::Parameter;
use ades_core::in_place::length_and_tail;
use ades_core::{Digest, DigestAlgorithm, Document, PendingState};
use ades_evidence::TimeStampPurpose;
use ades_evidence::token::Token;
use serde::{Deserialize, Serialize};

use super::contents::PreparedContents;
use super::{ExtendOptions, Target, appended, security_store};
use crate::error::Error;
use crate::options::with_margin;
use crate::pending::PreparedDocument;
use crate::prepare::dictionary::Dictionary;
use crate::prepare::plan::Plan;
use crate::report::{Level, Warning};
use crate::signer::{Certificates, Signer, SubFilter};

/// A time-stamp that was prepared and whose token is not there yet. It is small, and
/// serialises with [`PendingState::to_json`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingTimeStamp {
    place: Place,
}

/// Where the token will be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Place {
    /// In the CMS of a signature.
    Signature(PreparedContents),
    /// In a field of its own, which an update adds.
    Document(PreparedDocument),
}

impl PendingTimeStamp {
    /// What the time-stamp has to be over: it goes into the request.
    #[must_use]
    pub const fn imprint(&self) -> &Digest {
        match &self.place {
            Place::Signature(contents) => contents.imprint(),
            Place::Document(prepared) => &prepared.digest().0,
        }
    }

    /// Warnings to show to the user. They are not stored: a restored time-stamp has none.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        match &self.place {
            Place::Signature(_) => &[],
            Place::Document(prepared) => prepared.warnings(),
        }
    }
}

impl PendingState for PendingTimeStamp {
    const FORMAT: &'static str = "pades-time-stamp";
    const VERSION: u32 = 1;
}

/// Checks that one signature of a document can be raised to a level, before anything is
/// fetched for it. `signature` is its index in the [report](crate::report::Report). Returns
/// the warnings of an update; a signature-time-stamp needs none.
///
/// # Errors
/// [`Error::NoSuchSignature`]; [`Error::CannotAdd`] with the reason; [`Error::Forbidden`] if the
/// document does not allow changes; those of [`prepare`](crate::prepare()) for a document that
/// cannot be read or extended.
pub fn check_level(
    document: &mut Document<'_>,
    signature: usize,
    level: Level,
    options: &ExtendOptions<'_>,
) -> Result<Vec<Warning>, Error> {
    let digest = DigestAlgorithm::Sha256;
    if level <= Level::T {
        let mut target = Target::open(document, signature, options)?;
        match contents(&mut target, digest, options) {
            Ok(_) => return Ok(Vec::new()),
            // A document time-stamp raises it.
            Err(Error::CannotAdd { .. } | Error::Cms(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Target::open(document, signature, options)?.check_update()?;
    let (signer, dictionary) = document_time_stamp(digest, options);
    let plan = Plan::new(document, &signer, dictionary, &options.as_signature())?;
    appended::check(document, &plan.preview(), options.credential)?;
    if level > Level::T {
        security_store::check(document, signature, options)?;
    }
    Ok(plan.warnings)
}

fn contents(
    target: &mut Target<'_>,
    digest: DigestAlgorithm,
    options: &ExtendOptions<'_>,
) -> Result<PreparedContents, Error> {
    let ranges = target.signature().and_then(|signature| signature.ranges);
    PreparedContents::prepare(&mut target.pdf, &target.found, ranges, digest, options)
}

/// The dictionary of a document time-stamp, which has no signer.
fn document_time_stamp(
    digest: DigestAlgorithm,
    options: &ExtendOptions<'_>,
) -> (Signer<'static>, Dictionary<'static>) {
    let (sub_filter, certificates) = (SubFilter::TimeStamp, Certificates::Never);
    let signer = Signer { digest: Some(digest), sub_filter, certificates };
    (signer, Dictionary::of_time_stamp(with_margin(options.token_len_or_usual())))
}

/// Prepares a time-stamp on one signature of a document. `signature` is its index in the
/// [report](crate::report::Report).
///
/// A signature-time-stamp goes into `/Contents` of the signature. An archive time-stamp is a
/// document time-stamp, which covers the whole document: so first add the validation data
/// that the signatures and earlier time-stamps need. It also raises a signature to level
/// B-T whose `/Contents` has no room. The document is read once for a document time-stamp,
/// unless it was [digested](ExtendOptions::digested) before, and not as a whole for a
/// signature-time-stamp.
///
/// # Errors
/// [`Error::NoSuchSignature`]; [`Error::CannotAdd`] with the reason; [`Error::Forbidden`] if
/// the document does not allow changes; [`Error::Core`] for SHA-1; those of
/// [`prepare`](crate::prepare()) for a document that cannot be read or extended.
pub fn prepare_time_stamp(
    document: &mut Document<'_>,
    signature: usize,
    purpose: TimeStampPurpose,
    digest: DigestAlgorithm,
    options: &ExtendOptions<'_>,
) -> Result<PendingTimeStamp, Error> {
    if digest == DigestAlgorithm::Sha1 {
        let problem = "SHA-1 is too weak for a time-stamp";
        let parameter = Parameter::DigestAlgorithm;
        return Err(Error::Core(ades_core::Error::Parameter { parameter, problem }));
    }
    let mut target = Target::open(document, signature, options)?;
    let place = if purpose == TimeStampPurpose::Signature {
        Place::Signature(contents(&mut target, digest, options)?)
    } else {
        target.check_update()?;
        let (signer, dictionary) = document_time_stamp(digest, options);
        let capacity = dictionary.capacity;
        let plan = PreparedDocument::plan(document, &signer, dictionary, &options.as_signature())?;
        appended::check(document, &plan.preview(), options.credential)?;
        let digester = options.digester(document, plan.length, digest)?;
        Place::Document(PreparedDocument::planned(plan, capacity, digester))
    };
    Ok(PendingTimeStamp { place })
}

/// Copies a document to `out`, with the token of a prepared time-stamp in it. Whether the
/// token's own signature holds, and who made it, is for the caller to ask.
///
/// # Errors
/// [`Error::TimeStampMalformed`]; [`Error::TimeStampMismatch`]; [`Error::DoesNotFit`] if the
/// token is longer than it was expected to be; [`Error::DocumentChanged`] if it is not the
/// document that was prepared; [`Error::Core`] if reading or writing fails. In the last two
/// cases, a part of the copy may have been written.
pub fn add_time_stamp(
    document: &mut Document<'_>,
    pending: &PendingTimeStamp,
    token: &[u8],
    out: &mut dyn Write,
) -> Result<(), Error> {
    check_token(pending, token)?;
    match &pending.place {
        Place::Signature(contents) => contents.add(document, token, out),
        Place::Document(prepared) => prepared.embed(document, token, out),
    }
}

/// The update with the token of a prepared document time-stamp, to be appended to the document
/// ([`with_update`](crate::with_update)). `None` for a signature-time-stamp, which no update adds.
/// Of the document, only the length and the last octets are compared: verify it with the update.
///
/// # Errors
/// Those of [`add_time_stamp`].
pub fn time_stamp_update(
    document: &mut Document<'_>,
    pending: &PendingTimeStamp,
    token: &[u8],
) -> Result<Option<Vec<u8>>, Error> {
    check_token(pending, token)?;
    let Place::Document(prepared) = &pending.place else { return Ok(None) };
    let update = prepared.filled(token)?;
    let tail = length_and_tail(document, prepared.tail.algorithm())?;
    match tail == (prepared.length, prepared.tail.clone()) {
        true => Ok(Some(update)),
        false => Err(Error::DocumentChanged),
    }
}

fn check_token(pending: &PendingTimeStamp, token: &[u8]) -> Result<(), Error> {
    let read = Token::read(token).ok_or(Error::TimeStampMalformed)?;
    match read.imprint.as_ref() == Some(pending.imprint()) {
        true => Ok(()),
        false => Err(Error::TimeStampMismatch),
    }
}
