//! Adding to a container that exists: a signature, a time-stamp, validation data.

mod grown;
mod hash_index;
mod options;
mod time_stamp;
mod validation_data;

use std::io::Write;

use ades_core::{Certificate, DigestAlgorithm, Document, Level};

use crate::attributes::SignedAttribute;
use crate::container::Container;
use crate::error::{Error, NotExtendable};
use crate::oids;
use crate::prepare::signer_at;
use crate::signer_info::{SignerInfo, read_all};
use grown::Grown;

pub use options::ExtendOptions;
pub use time_stamp::{PendingTimeStamp, add_time_stamp, prepare_time_stamp};
pub use validation_data::add_validation_data;

/// A signature to be added to a container.
pub(crate) struct Addition<'a> {
    pub(crate) added_as: AddedAs,
    /// The DER of its SignerInfo.
    pub(crate) signer_info: Vec<u8>,
    /// The signer's chain. Certificates that the container lacks are added to it.
    pub(crate) certificates: &'a [Certificate],
    pub(crate) digest_algorithm: DigestAlgorithm,
}

/// The place of a new signature in a container.
pub(crate) enum AddedAs {
    /// One more signer.
    Signer,
    /// An unsigned attribute of the signature at this place in the report.
    CountersignatureOf(Vec<usize>),
}

impl Addition<'_> {
    /// Copies `source`, from which `container` was read, to `out` with the new
    /// signature in it.
    pub(crate) fn write(
        self,
        source: &mut Document<'_>,
        container: &Container,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let mut grown = Grown::new(container);
        grown.add_certificates(self.certificates)?;
        match &self.added_as {
            AddedAs::Signer => {
                grown.add_digest_algorithm(self.digest_algorithm)?;
                grown.add_signer(self.signer_info)?;
            }
            AddedAs::CountersignatureOf(which) => {
                let kind = oids::COUNTERSIGNATURE;
                let attribute = SignedAttribute { kind, value: self.signer_info };
                grown.add_unsigned(which, &attribute.encode())?;
            }
        }
        grown.write(source, out)
    }
}

/// Checks that one signature of a container can be raised to a level, before anything is
/// fetched for it. `which` is its place in the report.
///
/// # Errors
/// Those of [`Container::read`]; [`Error::NoSuchSignature`]; [`Error::CannotAdd`] with the
/// reason.
pub fn check_level(
    container: &mut Document<'_>,
    which: &[usize],
    level: Level,
) -> Result<(), Error> {
    let parsed = Container::read(container)?;
    let signers = read_all(parsed.signer_elements()?)?;
    let signer = signer_at(&signers, which)?;
    check_growth(&signers, which)?;
    if level < Level::Lt {
        return Ok(());
    }
    for signer in &signers {
        if has_any(signer, &oids::COVERING_CERTIFICATES)? {
            return Err(Error::CannotAdd { why: NotExtendable::OlderArchiveTimeStamp });
        }
    }
    if has_any(&signer, &oids::BEFORE_BASELINE)? {
        return Err(Error::CannotAdd { why: NotExtendable::EarlierValidationData });
    }
    if level == Level::Lta && which.len() > 1 {
        return Err(Error::CannotAdd { why: NotExtendable::ArchiveOnCountersignature });
    }
    Ok(())
}

/// Checks that no archive time-stamp covers what an attribute of the signature at this place
/// changes. Older ones cover the other attributes of their own signature (EN 319 122-1, A.2.4),
/// all cover the countersignatures on it.
fn check_growth(signers: &[SignerInfo<'_>], which: &[usize]) -> Result<(), Error> {
    for depth in 1..=which.len() {
        let around = signer_at(signers, which.get(..depth).unwrap_or_default())?;
        if has_any(&around, &oids::COVERING_CERTIFICATES)? {
            return Err(Error::CannotAdd { why: NotExtendable::OlderArchiveTimeStamp });
        }
        if depth < which.len() && has_any(&around, &[oids::ARCHIVE_TIME_STAMP_V3])? {
            return Err(Error::CannotAdd { why: NotExtendable::CoveredCountersignature });
        }
    }
    Ok(())
}

/// Whether a signature has one of these unsigned attributes.
fn has_any(signer: &SignerInfo<'_>, kinds: &[&[u8]]) -> Result<bool, Error> {
    Ok(signer.unsigned()?.iter().any(|attribute| kinds.contains(&attribute.kind)))
}
