//! CMS that another format embeds: PAdES (EN 319 142-1, 6.3).
//!
//! A PDF has its own entries for time, description and location. The CMS in it
//! therefore has none of the attributes signing-time, mime-type, content-hints
//! and signer-location, and no cms-algorithm-protection, which the attribute
//! table of EN 319 142-1 does not list.

use ades_core::asn1::ber::Reader;
use ades_core::facts::Evidence;
use std::io::Read;

use ades_core::{
    CertificateChain, Digest, DigestAlgorithm, Document, DocumentDigest, SignatureParameters,
};
use ades_evidence::VerifiedValues;
use chrono::{DateTime, Utc};

use crate::attributes;
use crate::container::Container;
use crate::error::Error;
use crate::options::Original;
use crate::pending::{PendingSignature, Target};
use crate::prepare;
use crate::report::Report;
use crate::verify::{Profile, Subject};

pub use crate::listing::Listing;

/// A detached signature that lacks only the digest of its document.
///
/// The embedding format needs the length of the CMS before it can compute that
/// digest.
#[derive(Debug)]
pub struct EmbeddedCms {
    pending: PendingSignature,
    max_len: usize,
}

impl EmbeddedCms {
    /// Prepares the CMS.
    ///
    /// # Errors
    /// As [`prepare`](crate::prepare()).
    pub fn prepare(
        chain: &CertificateChain,
        parameters: &SignatureParameters,
    ) -> Result<Self, Error> {
        let algorithm = prepare::check_signer(chain, parameters)?;
        let document = prepare::placeholder(algorithm.digest_algorithm())?;
        let target = Target::Detached { document };
        let pending = prepare::pending(attributes::Subject::Embedding, target, chain, parameters)?;
        let max_len = pending.detached(&vec![0; pending.max_value_len()?]).len();
        Ok(Self { pending, max_len })
    }

    /// The maximum length of the CMS in octets. The length is exact except for
    /// an ECDSA value, which may be a few octets shorter than the longest.
    #[must_use]
    pub const fn max_len(&self) -> usize {
        self.max_len
    }

    /// Sets the document's digest. [`complete`] then returns the CMS as
    /// DER.
    ///
    /// # Errors
    /// [`Error::Core`] if the digest is not of the signature's digest algorithm.
    pub fn over(self, document: DocumentDigest) -> Result<PendingSignature, Error> {
        let mut pending = self.pending;
        prepare::check_digest(&document, pending.algorithm.digest_algorithm())?;
        pending.target = Target::Detached { document };
        pending.refresh_message_digest()?;
        Ok(pending)
    }
}

/// Checks the parameters as far as that is possible without a certificate.
///
/// # Errors
/// [`Error::Core`] for a parameter that is not allowed.
pub fn check(parameters: &SignatureParameters) -> Result<(), Error> {
    prepare::check_parameters(attributes::Subject::Embedding, parameters)
}

/// Prepares the CMS over a document whose digest is known.
///
/// # Errors
/// As [`EmbeddedCms::prepare`] and [`EmbeddedCms::over`].
pub fn prepare_digest(
    document: DocumentDigest,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<PendingSignature, Error> {
    EmbeddedCms::prepare(chain, parameters)?.over(document)
}

/// Completes embedded CMS, as [`PendingSignature::complete`] does, with the rules
/// for embedded CMS: it must have no signing-time. The embedding format checks
/// that the certificate was fit.
///
/// # Errors
/// As [`PendingSignature::complete`].
pub fn complete(pending: &PendingSignature, value: &[u8]) -> Result<Vec<u8>, Error> {
    pending.check_value(value, Subject::Document(Profile::Embedded { claimed_time: None }))?;
    Ok(pending.detached(value))
}

/// The octets of the first element in `octets`, in BER or DER. The octets after
/// it are ignored, because PDF pads the CMS with zeros.
///
/// # Errors
/// [`Error::Malformed`], [`Error::Limit`]
pub fn first_element(octets: &[u8]) -> Result<&[u8], Error> {
    Ok(Reader::new(octets, 0).next("expected CMS")?.raw)
}

/// The octets outside embedded CMS that it is over.
pub trait Covered {
    /// Their digest.
    ///
    /// # Errors
    /// [`Error::Read`](ades_core::Error::Read)
    fn digest(&mut self, algorithm: DigestAlgorithm) -> Result<Digest, ades_core::Error>;

    /// The octets, from the first.
    fn reader(&mut self) -> Box<dyn Read + Send + '_>;
}

/// Covered octets as the original of a detached container.
struct CoveredOriginal<'a>(&'a mut dyn Covered);

impl Original for CoveredOriginal<'_> {
    fn read_through(
        &mut self,
        take: &mut dyn FnMut(&[u8]) -> Result<(), ades_core::Error>,
    ) -> Result<u64, ades_core::Error> {
        Document::stream(self.0.reader()).read_through(take)
    }

    fn digests(
        &mut self,
        algorithms: &[DigestAlgorithm],
    ) -> Result<Option<Vec<Digest>>, ades_core::Error> {
        algorithms
            .iter()
            .map(|algorithm| self.0.digest(*algorithm))
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

/// Verifies embedded CMS over the octets that it belongs to.
///
/// As [`Container::verify`], with the rules for embedded CMS: there must be no
/// signing-time, because the embedding format stores `claimed_time` in its own place.
/// One listing and one evidence serve all signatures of a document. The facts in the report
/// are about `evidence`, and get it with [`set_evidence`].
///
/// [`set_evidence`]: crate::report::SignatureReport::set_evidence
///
/// # Errors
/// As [`Container::read`] and [`Container::verify`].
pub fn verify(
    cms: &[u8],
    covered: &mut dyn Covered,
    claimed_time: Option<DateTime<Utc>>,
    listing: &mut Listing,
    evidence: &mut Evidence,
    verified: &VerifiedValues,
) -> Result<Report, Error> {
    let mut source = Document::from_bytes(cms);
    let container = Container::read(&mut source)?;
    let mut original = CoveredOriginal(covered);
    let profile = Profile::Embedded { claimed_time };
    let into = (listing, evidence);
    container.verify_as(&mut source, Some(&mut original), profile, into, verified)
}
