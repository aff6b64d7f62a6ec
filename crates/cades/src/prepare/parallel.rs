//! Prepares one more signer for an existing container.

use ades_core::{CertificateChain, DigestAlgorithm, Document, DocumentDigest, SignatureParameters};

use super::{
    Checked, check_extendable, check_parameters, check_signer, container_warnings, pending,
};
use crate::attributes::Subject;
use crate::container::Container;
use crate::content::{ContentDigests, cover_another, digest_algorithms};
use crate::error::{Error, NotExtendable};
use crate::oids;
use crate::options::{Original, SignatureOptions};
use crate::pending::{PendingSignature, Target};
use crate::report::Warning;
use crate::signer_info::{SignerInfo, read_all};

/// Checks the input of [`prepare_parallel`] as far as that is possible without a
/// certificate. Reads the container and `original` once each.
///
/// # Errors
/// As [`prepare_parallel`].
pub fn check_parallel(
    container: &mut Document<'_>,
    original: Option<&mut Document<'_>>,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<Checked, Error> {
    // The container has its packaging already.
    let SignatureOptions { packaging: _ } = options;
    check_parameters(Subject::Document, parameters)?;
    let parsed = Container::read(container)?;
    let signers = read_all(parsed.signer_elements()?)?;
    check_kind(&parsed, &signers)?;
    if let Some(original) = original {
        let algorithms = algorithms_with(DigestAlgorithm::Sha256, &signers);
        let digests = ContentDigests::read(
            &parsed,
            &algorithms,
            false,
            &mut Vec::new(),
            container,
            Some(original),
        )?;
        check_original(&signers, &digests)?;
    } else if !parsed.is_enveloping() {
        return Err(Error::DocumentNeeded);
    }
    Ok(Checked { warnings: container_warnings(&parsed) })
}

/// Prepares one more signer for a container that has signers already.
///
/// A detached container needs its document as `original`. If `original` is
/// passed with an enveloping container, it must equal the content. The
/// container is read twice, and is needed again to complete.
///
/// # Errors
/// As [`prepare`](crate::prepare()) and [`Container::read`];
/// [`Error::DocumentNeeded`]; [`Error::OriginalMismatch`];
/// [`Error::CannotAdd`].
pub fn prepare_parallel(
    container: &mut Document<'_>,
    original: Option<&mut Document<'_>>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<PendingSignature, Error> {
    // The container has its packaging already.
    let SignatureOptions { packaging: _ } = options;
    let algorithm = check_signer(chain, parameters)?.digest_algorithm();
    let parsed = Container::read(container)?;
    let signers = read_all(parsed.signer_elements()?)?;
    check_kind(&parsed, &signers)?;
    let has_original = original.is_some();
    let algorithms =
        if has_original { algorithms_with(algorithm, &signers) } else { vec![algorithm] };
    let original = original.map(|original| original as &mut dyn Original);
    let digests =
        ContentDigests::read(&parsed, &algorithms, false, &mut Vec::new(), container, original)?;
    if has_original {
        check_original(&signers, &digests)?;
    }
    let document = digests.of(algorithm).next().cloned().ok_or(Error::DocumentNeeded)?;

    let mut warnings = container_warnings(&parsed);
    if signers.iter().any(|signer| signer.sid.names(chain.leaf())) {
        warnings.push(Warning::AlreadySigned);
    }
    let (container, _) = container.digest(DigestAlgorithm::Sha256)?;
    let target = Target::Parallel { document: DocumentDigest(document), container };
    let pending = pending(Subject::Document, target, chain, parameters)?;
    Ok(PendingSignature { warnings, ..pending })
}

fn check_kind(container: &Container, signers: &[SignerInfo<'_>]) -> Result<(), Error> {
    check_extendable(signers)?;
    if container.encap.content_type == oids::DATA {
        return Ok(());
    }
    Err(Error::CannotAdd { why: NotExtendable::ContentTypeNotData })
}

/// This algorithm and those of the signers.
fn algorithms_with(algorithm: DigestAlgorithm, signers: &[SignerInfo<'_>]) -> Vec<DigestAlgorithm> {
    let mut algorithms = digest_algorithms(signers);
    if !algorithms.contains(&algorithm) {
        algorithms.push(algorithm);
    }
    algorithms
}

/// Compares the document with the content, and with the digests that the
/// signers signed.
fn check_original(signers: &[SignerInfo<'_>], digests: &ContentDigests) -> Result<(), Error> {
    if cover_another(signers, digests.as_slice()) || !digests.agree() {
        return Err(Error::OriginalMismatch);
    }
    Ok(())
}
