//! CMS as it is embedded in other formats: PAdES (EN 319 142-1, clause 6.3).
//!
//! A PDF has its own places for time, description and location, so the CMS in
//! it has neither signing-time nor mime-type, content-hints or
//! signer-location; algorithms are not protected by an attribute either, since
//! the table of attributes has none for it.

use ades_core::trust::PathBuilder;
use ades_core::{CertificateChain, Digest, Document, DocumentDigest, SignatureParameters};
use chrono::{DateTime, Utc};

use crate::attributes::Subject;
use crate::container::Container;
use crate::error::Error;
use crate::pending::PendingSignature;
use crate::prepare;
use crate::report::Report;
use crate::verify::Profile;
use ades_core::asn1::ber::Reader;

/// Prepares the CMS over a document that is known by its digest.
///
/// The result is a detached signature; [`PendingSignature::complete`] writes
/// its CMS, all of it DER.
///
/// # Errors
/// As [`prepare_digest`](crate::prepare_digest).
pub fn prepare_digest(
    document: DocumentDigest,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<PendingSignature, Error> {
    prepare::prepare_digest_as(Subject::Embedding, document, chain, parameters)
}

/// The length in octets that the CMS has at most: exact but for an ECDSA value,
/// which may be some octets shorter than its longest.
///
/// # Errors
/// As [`prepare_digest`].
pub fn max_len(chain: &CertificateChain, parameters: &SignatureParameters) -> Result<usize, Error> {
    let algorithm = parameters.algorithm_for(chain.leaf())?.digest_algorithm();
    let digest = Digest::new(algorithm, vec![0; algorithm.output_len()])?;
    let pending = prepare_digest(DocumentDigest(digest), chain, parameters)?;
    let unsupported = ades_core::error::NotFit::KeyUnsupported;
    let len = chain.leaf().key_type().max_value_len();
    let len = len.ok_or(ades_core::Error::CertificateNotFit(unsupported))?;
    Ok(pending.detached(&vec![0; len]).len())
}

/// The octets of the one element at the start of `octets`, its end found by
/// its length or, where that is indefinite, by its content. What stands behind
/// it is padding.
///
/// # Errors
/// [`Error::Malformed`], [`Error::Limit`]
pub fn first_element(octets: &[u8]) -> Result<&[u8], Error> {
    Ok(Reader::new(octets, 0).next("no CMS")?.raw)
}

/// Verifies embedded CMS over the document that it belongs to.
///
/// As [`Container::verify`], by the rules of embedding: there must be no
/// signing-time, and `claimed_time`, which the embedding format has in a place
/// of its own, is what certificates are judged at. One search for trust serves
/// all signatures of a document.
///
/// # Errors
/// [`Error::Malformed`] and others if this is no SignedData, and as
/// [`Container::verify`].
pub fn verify(
    cms: &[u8],
    document: &mut Document<'_>,
    claimed_time: Option<DateTime<Utc>>,
    trust: &mut PathBuilder<'_>,
) -> Result<Report, Error> {
    let mut source = Document::from_bytes(cms);
    let container = Container::read(&mut source)?;
    container.verify_as(&mut source, Some(document), trust, Profile::Embedded { claimed_time })
}
