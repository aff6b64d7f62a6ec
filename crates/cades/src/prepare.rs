//! Prepares a signature: computes the data to be signed from a document, a
//! certificate and parameters.

mod copying;
mod countersignature;
mod parallel;

use ades_core::certificate::UsageCheck;
use ades_core::error::Parameter;
use ades_core::{
    CertificateChain, Digest, DigestAlgorithm, Document, DocumentDigest, SignatureAlgorithm,
    SignatureParameters,
};

use crate::attributes::{self, Subject};
use crate::container::Container;
use crate::error::{Error, NotExtendable};
use crate::oids;
use crate::options::{Packaging, SignatureOptions};
use crate::pending::{PendingSignature, Target};
use crate::report::Warning;
use crate::signer_info::SignerInfo;

pub use copying::prepare_copying;
pub(crate) use countersignature::signer_at;
pub use countersignature::{check_countersignature, prepare_countersignature};
pub use parallel::{check_parallel, prepare_parallel};

/// The result of a check without errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    warnings: Vec<Warning>,
}

impl Checked {
    /// Warnings to show to the user before signing.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// Checks the input of [`prepare`] as far as that is possible without a
/// certificate.
///
/// The document is not read, because CAdES signs any octets.
///
/// # Errors
/// [`Error::Core`]: a parameter that the standards do not allow, or a document
/// whose length cannot be read.
pub fn check(
    document: &mut Document<'_>,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<Checked, Error> {
    // Neither needs a check. The match makes the compiler ask about a third one.
    match options.packaging {
        Packaging::Detached | Packaging::Enveloping => {}
    }
    check_parameters(Subject::Document, parameters)?;
    document.len()?;
    Ok(Checked::default())
}

/// Prepares a baseline B-B signature over a document, which is read once.
///
/// The certificate's key, validity and key usage must be fit at the claimed
/// signing time.
///
/// # Errors
/// [`Error::Core`]: an unfit certificate, an algorithm that the key cannot use,
/// a parameter that the standards do not allow, or a document that cannot be
/// read.
pub fn prepare(
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<PendingSignature, Error> {
    let algorithm = check_signer(chain, parameters)?;
    let (document, length) = document.digest(algorithm.digest_algorithm())?;
    let target = match options.packaging {
        Packaging::Detached => Target::Detached { document },
        Packaging::Enveloping => Target::Enveloping { document, length },
    };
    pending(Subject::Document, target, chain, parameters)
}

/// Prepares a detached baseline B-B signature over a document of which only the
/// digest is known.
///
/// # Errors
/// As [`prepare`]; the digest must be of the signature's digest algorithm.
pub fn prepare_digest(
    document: DocumentDigest,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<PendingSignature, Error> {
    let algorithm = check_signer(chain, parameters)?;
    check_digest(&document, algorithm.digest_algorithm())?;
    pending(Subject::Document, Target::Detached { document }, chain, parameters)
}

/// Checks that a digest is of the signature's digest algorithm.
pub(crate) fn check_digest(
    document: &DocumentDigest,
    algorithm: DigestAlgorithm,
) -> Result<(), Error> {
    if document.0.algorithm() == algorithm {
        return Ok(());
    }
    Err(Error::Core(ades_core::Error::Parameter {
        parameter: Parameter::DocumentDigest,
        problem: "not of the signature algorithm's digest algorithm",
    }))
}

/// Checks the certificate and the parameters, and returns the algorithm to sign
/// with.
pub(crate) fn check_signer(
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<SignatureAlgorithm, Error> {
    let algorithm = parameters.algorithm_for(chain.leaf())?;
    parameters.check()?;
    chain.leaf().check_fit(parameters.signing_time().time(), UsageCheck::Signature)?;
    check_commitments(parameters)?;
    Ok(algorithm)
}

/// Checks the parameters as far as that is possible without a certificate. The
/// attributes are encoded, because some values only fail there.
pub(crate) fn check_parameters(
    subject: Subject,
    parameters: &SignatureParameters,
) -> Result<(), Error> {
    parameters.check()?;
    check_commitments(parameters)?;
    // Whether a value can be encoded does not depend on the digest algorithm.
    attributes::from_parameters(subject, DigestAlgorithm::Sha256, parameters)?;
    Ok(())
}

/// EN 319 122-1, table 1: commitment-type-indication 0..1.
fn check_commitments(parameters: &SignatureParameters) -> Result<(), Error> {
    if parameters.commitments().len() <= 1 {
        return Ok(());
    }
    Err(Error::Core(ades_core::Error::Parameter {
        parameter: Parameter::Commitment,
        problem: "CAdES allows only one",
    }))
}

pub(crate) fn pending(
    subject: Subject,
    target: Target,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<PendingSignature, Error> {
    let algorithm = parameters.algorithm_for(chain.leaf())?;
    let mut pending = PendingSignature {
        target,
        algorithm,
        signed_attributes: Vec::new(),
        chain: chain.clone(),
        warnings: Vec::new(),
    };
    let digest: &Digest = pending.message_digest();
    let attributes = attributes::baseline(subject, digest, algorithm, chain.leaf(), parameters)?;
    pending.signed_attributes = attributes::signed_attributes(&attributes);
    Ok(pending)
}

/// A digest of zeros, to be replaced when the document's digest is known.
pub(crate) fn placeholder(algorithm: DigestAlgorithm) -> Result<DocumentDigest, Error> {
    Ok(DocumentDigest(Digest::new(algorithm, vec![0; algorithm.output_len()])?))
}

/// Older archive time-stamps cover all certificates of the container
/// (EN 319 122-1, A.2.4). Adding the new signer's would break them.
fn check_extendable(signers: &[SignerInfo<'_>]) -> Result<(), Error> {
    for signer in signers {
        if signer.unsigned()?.iter().any(|a| oids::COVERING_CERTIFICATES.contains(&a.kind)) {
            return Err(Error::CannotAdd { why: NotExtendable::OlderArchiveTimeStamp });
        }
    }
    Ok(())
}

/// The warnings about a container to which a signature is to be added.
fn container_warnings(container: &Container) -> Vec<Warning> {
    container.first_not_der().map(|_| Warning::ContainerNotDer).into_iter().collect()
}
