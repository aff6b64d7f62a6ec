//! From a document, a certificate and parameters to what is to be signed.

use ades_core::error::Parameter;
use ades_core::{
    CertificateChain, Digest, Document, DocumentDigest, SignatureParameters,
    certificate::UsageCheck,
};

use crate::attributes::{self, Subject};
use crate::error::Error;
use crate::pending::{Packaging, PendingSignature, Target};

/// Prepares a baseline B-B signature over a document, which is read once.
///
/// The certificate's fitness at the claimed signing time is checked first
/// (validity, key usage, key).
///
/// # Errors
/// [`Error::Core`]: an unfit certificate, an algorithm that is not the key's,
/// a parameter the standards do not allow, or a failure to read.
pub fn prepare(
    document: &mut Document<'_>,
    packaging: Packaging,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<PendingSignature, Error> {
    let algorithm = parameters.algorithm_for(chain.leaf())?;
    check(chain, parameters)?;
    let (document, length) = document.digest(algorithm.digest_algorithm())?;
    let target = match packaging {
        Packaging::Detached => Target::Detached { document },
        Packaging::Enveloping => Target::Enveloping { document, length },
    };
    pending(Subject::Document, target, chain, parameters)
}

/// Prepares a detached baseline B-B signature over a document that is
/// elsewhere: only its digest is known here.
///
/// # Errors
/// As [`prepare`]; the digest must be of the signature's digest algorithm.
pub fn prepare_digest(
    document: DocumentDigest,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<PendingSignature, Error> {
    prepare_digest_as(Subject::Document, document, chain, parameters)
}

pub(crate) fn prepare_digest_as(
    subject: Subject,
    document: DocumentDigest,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<PendingSignature, Error> {
    let algorithm = parameters.algorithm_for(chain.leaf())?;
    if document.0.algorithm() != algorithm.digest_algorithm() {
        return Err(Error::Core(ades_core::Error::Parameter {
            parameter: Parameter::DocumentDigest,
            problem: "not of the signature algorithm's digest algorithm",
        }));
    }
    check(chain, parameters)?;
    pending(subject, Target::Detached { document }, chain, parameters)
}

pub(crate) fn check(
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<(), Error> {
    parameters.check()?;
    chain.leaf().check_fit(parameters.signing_time().time(), UsageCheck::Signature)?;
    if parameters.commitments().len() > 1 {
        // Table 1 of EN 319 122-1: commitment-type-indication 0..1.
        return Err(Error::Core(ades_core::Error::Parameter {
            parameter: Parameter::Commitment,
            problem: "CAdES allows one only",
        }));
    }
    Ok(())
}

pub(crate) fn pending(
    subject: Subject,
    target: Target,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<PendingSignature, Error> {
    let algorithm = parameters.algorithm_for(chain.leaf())?;
    let mut pending =
        PendingSignature { target, algorithm, signed_attributes: Vec::new(), chain: chain.clone() };
    let digest: &Digest = pending.message_digest();
    let attributes = attributes::baseline(subject, digest, algorithm, chain.leaf(), parameters)?;
    pending.signed_attributes = attributes::signed_attributes(&attributes);
    Ok(pending)
}
