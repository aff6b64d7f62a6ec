//! Prepares PAdES baseline B-B signatures (EN 319 142-1, 6.3).

mod catalog;
pub(crate) mod dictionary;
pub(crate) mod document;
mod field;
mod need_appearances;
pub(crate) mod permissions;
pub(crate) mod plan;
pub(crate) mod seed_value;
pub(crate) mod tagging;
mod widget;

use std::io::Write;

use ades_core::{CertificateChain, Document, SignatureParameters};
use cades::embedded::EmbeddedCms;

use crate::error::Error;
use crate::options::SignatureOptions;
use crate::pending::{PendingSignature, PreparedDocument};
use crate::report::Warning;
use crate::signer::{Certificates, Signer, SubFilter};
use dictionary::Dictionary;
use plan::Plan;

/// The result of a [`check`] without errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    warnings: Vec<Warning>,
    page: Option<usize>,
    state_len: usize,
}

impl Checked {
    /// Warnings to show to the user before signing.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The page that shows a visible signature, counted from 1.
    #[must_use]
    pub const fn page(&self) -> Option<usize> {
        self.page
    }

    /// Length in octets that the update adds to the stored form of a pending
    /// signature: the rewritten objects and the appearance. It is a few kilobytes
    /// for most documents, and megabytes for some documents and images; see
    /// [`MAX_STATE_LEN`](ades_core::pending::MAX_STATE_LEN).
    #[must_use]
    pub const fn state_len(&self) -> usize {
        self.state_len
    }
}

/// Checks whether a document can be signed with these options, before the
/// signer's certificate is known. Reads only the parts of the document that
/// [`prepare`] reads before it digests the document.
///
/// # Errors
/// As [`prepare`], except errors about the certificate.
pub fn check(
    document: &mut Document<'_>,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<Checked, Error> {
    cades::embedded::check(parameters)?;
    let signer =
        Signer { digest: None, sub_filter: SubFilter::Cades, certificates: Certificates::Later };
    let dictionary = Dictionary::of_signature(&signer, 0, parameters, options)?;
    let plan = Plan::new(document, &signer, dictionary, options)?;
    // The state holds the update in base64.
    let state_len = plan.update.octets.len().div_ceil(3) * 4;
    Ok(Checked { warnings: plan.warnings, page: plan.page, state_len })
}

/// Prepares a baseline B-B signature over a document, which is read once.
///
/// `prepare` first checks the certificate at the claimed signing time, the
/// parameters, the document and the permissions of earlier signatures. It writes
/// nothing: [`PendingSignature::complete`] writes the signed document.
///
/// # Errors
/// [`Error::Core`] for a certificate or a parameter that is not acceptable;
/// [`Error::Forbidden`], [`Error::FieldNotFit`] and others if the document does
/// not allow the signature; [`Error::BrokenCrossReference`] and
/// [`Error::Malformed`] for a document that cannot be read.
pub fn prepare(
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<PendingSignature, Error> {
    prepare_to(document, chain, parameters, options, None)
}

/// Prepares a signature as [`prepare`] does, and copies the document to `out` in
/// the same pass. [`complete_in_place`](PendingSignature::complete_in_place) then
/// turns the copy into the signed document. It does not read the copy again with
/// [`Check::LengthAndTail`](crate::Check::LengthAndTail), which is safe if nobody
/// else can write to the copy.
///
/// # Errors
/// As [`prepare`]; [`Error::Core`] if writing fails. Everything except the
/// document's digest is checked before the first octet is written.
pub fn prepare_copying(
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
    out: &mut dyn Write,
) -> Result<PendingSignature, Error> {
    prepare_to(document, chain, parameters, options, Some(out))
}

fn prepare_to(
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
    out: Option<&mut dyn Write>,
) -> Result<PendingSignature, Error> {
    let algorithm = parameters.algorithm_for(chain.leaf())?.digest_algorithm();
    let cms = EmbeddedCms::prepare(chain, parameters)?;
    let capacity = cms.max_len().saturating_add(options.room());
    let certificates = Certificates::Known(chain);
    let signer = Signer { digest: Some(algorithm), sub_filter: SubFilter::Cades, certificates };
    let dictionary = Dictionary::of_signature(&signer, capacity, parameters, options)?;
    let document =
        PreparedDocument::prepare(document, algorithm, &signer, dictionary, options, out)?;
    let cms = cms.over(document.digest().clone())?;
    Ok(PendingSignature { document, cms, signing_time: parameters.signing_time() })
}
