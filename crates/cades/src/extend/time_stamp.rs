//! Adds a time-stamp: first what it is over is prepared, then its token is embedded.

use std::io::Write;

use ades_core::error::Parameter;
use ades_core::{Digest, DigestAlgorithm, Digester, Document, PendingState};
use ades_evidence::TimeStampPurpose;
use ades_evidence::token::Token;
use serde::{Deserialize, Serialize};

use super::grown::Grown;
use super::hash_index::{hash_index, with_index};
use super::{ExtendOptions, check_growth};
use crate::archive_input::ArchiveInput;
use crate::attributes::SignedAttribute;
use crate::container::Container;
use crate::content::ContentDigests;
use crate::error::{Error, NotExtendable};
use crate::oids;
use crate::options::Original;
use crate::prepare::signer_at;
use crate::signer_info::{SignerInfo, read_all};

/// A time-stamp that was prepared and whose token is not there yet. It is small, and
/// serialises with [`PendingState::to_json`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingTimeStamp {
    /// The place of the signature in the report.
    signature: Vec<usize>,
    imprint: Digest,
    attribute: Attribute,
    /// The digest of the container's octets without encapContentInfo.
    container: Digest,
    length: u64,
}

/// The attribute that the token will be in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
enum Attribute {
    /// signature-time-stamp
    Signature,
    /// archive-time-stamp-v3
    Archive {
        /// The ats-hash-index-v3 of the token.
        #[serde(with = "ades_core::base64::octets")]
        index: Vec<u8>,
    },
}

impl PendingTimeStamp {
    /// What the time-stamp has to be over: it goes into the request.
    #[must_use]
    pub const fn imprint(&self) -> &Digest {
        &self.imprint
    }
}

impl PendingState for PendingTimeStamp {
    const FORMAT: &'static str = "cades-time-stamp";
    const VERSION: u32 = 1;
}

/// Prepares a time-stamp on one signature of a container. `signature` is the place of the
/// signature in the report.
///
/// An archive time-stamp covers everything in the container and in the unsigned attributes of
/// the signature. So add the validation data that the earlier time-stamps need before.
///
/// # Errors
/// Those of [`Container::read`]; [`Error::NoSuchSignature`]; [`Error::CannotAdd`] with the
/// reason; [`Error::Core`] for SHA-1. For an archive time-stamp also [`Error::DocumentNeeded`],
/// and [`Error::OriginalMismatch`] if the document is not the one that was signed.
pub fn prepare_time_stamp(
    container: &mut Document<'_>,
    signature: &[usize],
    purpose: TimeStampPurpose,
    digest: DigestAlgorithm,
    options: ExtendOptions<'_>,
) -> Result<PendingTimeStamp, Error> {
    if digest == DigestAlgorithm::Sha1 {
        let problem = "SHA-1 is too weak for a time-stamp";
        return Err(
            ades_core::Error::Parameter { parameter: Parameter::DigestAlgorithm, problem }.into()
        );
    }
    let parsed = Container::read(container)?;
    let signers = read_all(parsed.signer_elements()?)?;
    let signer = signer_at(&signers, signature)?;
    let (imprint, attribute) = match purpose {
        TimeStampPurpose::Archive => {
            if signature.len() > 1 {
                return Err(Error::CannotAdd { why: NotExtendable::ArchiveOnCountersignature });
            }
            let index = hash_index(&parsed, &signer, digest)?;
            let content = signed_content(&parsed, &signer, digest, container, options.original)?;
            let input = ArchiveInput::new(&parsed, &signer, &content, &index);
            let mut digester = Digester::new(digest);
            input.parts().iter().for_each(|part| digester.update(part));
            (digester.finish(), Attribute::Archive { index })
        }
        _ => {
            check_growth(&signers, signature)?;
            (Digest::of(digest, signer.signature), Attribute::Signature)
        }
    };
    check_room(&parsed, signature, purpose, digest)?;
    let (outside, length) = parsed.outside_digest();
    let signature = signature.to_vec();
    Ok(PendingTimeStamp { signature, imprint, attribute, container: outside, length })
}

/// Checks that the sets can grow that a time-stamp makes grow: a malformed or full one would be
/// found only after a time-stamp is spent.
fn check_room(
    parsed: &Container,
    signature: &[usize],
    purpose: TimeStampPurpose,
    digest: DigestAlgorithm,
) -> Result<(), Error> {
    let mut grown = Grown::new(parsed);
    if purpose == TimeStampPurpose::Archive {
        grown.add_digest_algorithm(digest)?;
    }
    let attribute = SignedAttribute { kind: oids::SIGNATURE_TIME_STAMP, value: Vec::new() };
    grown.add_unsigned(signature, &attribute.encode())
}

/// The digest of the content that a signer signed. The content is read once.
fn signed_content(
    parsed: &Container,
    signer: &SignerInfo<'_>,
    digest: DigestAlgorithm,
    container: &mut Document<'_>,
    original: Option<&mut dyn Original>,
) -> Result<Digest, Error> {
    let mut algorithms = vec![digest];
    algorithms.extend(signer.digest_algorithm().ok().filter(|own| *own != digest));
    let digests =
        ContentDigests::read(parsed, &algorithms, false, &mut Vec::new(), container, original)?;
    if !digests.agree()
        || crate::content::cover_another(std::slice::from_ref(signer), digests.as_slice())
    {
        return Err(Error::OriginalMismatch);
    }
    let content = digests.of(digest).next().cloned();
    content.ok_or(Error::DocumentNeeded)
}

/// Copies a container to `out`, with the token of a prepared time-stamp in it. Whether the
/// token's own signature holds, and who made it, is for the caller to ask.
///
/// # Errors
/// Those of [`Container::read`]; [`Error::ContainerChanged`] if it is not the container that
/// was prepared; [`Error::TimeStampMalformed`]; [`Error::TimeStampMismatch`];
/// [`Error::Limit`] if this crate could not read the result; [`Error::Core`] if reading or
/// writing fails. In each case nothing was written, except after an error of writing.
pub fn add_time_stamp(
    container: &mut Document<'_>,
    pending: &PendingTimeStamp,
    token: &[u8],
    out: &mut dyn Write,
) -> Result<(), Error> {
    let parsed = Container::read(container)?;
    if parsed.outside_digest() != (pending.container.clone(), pending.length) {
        return Err(Error::ContainerChanged);
    }
    let read = Token::read(token).ok_or(Error::TimeStampMalformed)?;
    if read.imprint.as_ref() != Some(&pending.imprint) {
        return Err(Error::TimeStampMismatch);
    }
    let mut grown = Grown::new(&parsed);
    let attribute = match &pending.attribute {
        Attribute::Signature => {
            SignedAttribute { kind: oids::SIGNATURE_TIME_STAMP, value: token.to_vec() }
        }
        Attribute::Archive { index } => {
            // EN 319 122-1, 5.5.3: the algorithm should be among digestAlgorithms.
            grown.add_digest_algorithm(pending.imprint.algorithm())?;
            let value = with_index(token, index)?;
            SignedAttribute { kind: oids::ARCHIVE_TIME_STAMP_V3, value }
        }
    };
    grown.add_unsigned(&pending.signature, &attribute.encode())?;
    grown.write(container, out)
}
