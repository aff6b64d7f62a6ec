//! A signature on a signature (RFC 5652, 11.4; EN 319 122-1, 5.2.7).

use ades_core::{
    Certificate, CertificateChain, Digest, DigestAlgorithm, Document, SignatureParameters,
};

use super::{
    Checked, check_extendable, check_parameters, check_signer, container_warnings, pending,
};
use crate::attributes::Subject;
use crate::container::{Container, MAX_COUNTERSIGNATURE_DEPTH, MAX_COUNTERSIGNATURES};
use crate::error::{Error, Limit};
use crate::options::SignatureOptions;
use crate::pending::{PendingSignature, Target};
use crate::report::Warning;
use crate::signer_info::{SignerInfo, countersignatures, read_all};

/// Checks the input of [`prepare_countersignature`] as far as that is possible
/// without a certificate. Reads the container once, without its content.
///
/// # Errors
/// As [`prepare_countersignature`].
pub fn check_countersignature(
    container: &mut Document<'_>,
    which: &[usize],
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<Checked, Error> {
    // The container has its packaging already.
    let SignatureOptions { packaging: _ } = options;
    check_parameters(Subject::Signature, parameters)?;
    let parsed = Container::read(container)?;
    let signers = read_all(parsed.signer_elements()?)?;
    check_extendable(&signers)?;
    signer_at(&signers, which)?;
    Ok(Checked { warnings: container_warnings(&parsed) })
}

/// Prepares a countersignature on one signature of a container.
///
/// `which` is the signature's place in the report: `[1]` is the second
/// signature, `[1, 0]` its first countersignature.
///
/// # Errors
/// As [`prepare`](crate::prepare()) and [`Container::read`];
/// [`Error::NoSuchSignature`]; [`Error::CannotAdd`]; [`Error::Limit`] with
/// [`Limit::CountersignatureDepth`].
pub fn prepare_countersignature(
    container: &mut Document<'_>,
    which: &[usize],
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<PendingSignature, Error> {
    // The container has its packaging already.
    let SignatureOptions { packaging: _ } = options;
    let algorithm = check_signer(chain, parameters)?.digest_algorithm();
    let parsed = Container::read(container)?;
    let signers = read_all(parsed.signer_elements()?)?;
    check_extendable(&signers)?;
    let signer = signer_at(&signers, which)?;
    let (&index, deeper) = which.split_first().ok_or_else(|| no_such(which))?;
    let signature = Digest::of(algorithm, signer.signature);

    let mut warnings = container_warnings(&parsed);
    if has_signed(&signer, chain.leaf())? {
        warnings.push(Warning::AlreadySigned);
    }
    let (container, _) = container.digest(DigestAlgorithm::Sha256)?;
    let deeper = deeper.to_vec();
    let target = Target::Countersignature { signature, signer: index, deeper, container };
    let pending = pending(Subject::Signature, target, chain, parameters)?;
    Ok(PendingSignature { warnings, ..pending })
}

/// The signer at a place in the report.
pub(crate) fn signer_at<'c>(
    signers: &[SignerInfo<'c>],
    which: &[usize],
) -> Result<SignerInfo<'c>, Error> {
    let (&first, deeper) = which.split_first().ok_or_else(|| no_such(which))?;
    // The new countersignature is one level deeper than the signature that it signs.
    if deeper.len() >= MAX_COUNTERSIGNATURE_DEPTH {
        return Err(Limit::CountersignatureDepth.into());
    }
    let mut signer = signers.get(first).ok_or_else(|| no_such(which))?.clone();
    for &index in deeper {
        let found = countersignatures(&signer.unsigned()?, MAX_COUNTERSIGNATURES)?;
        signer = found.into_iter().nth(index).ok_or_else(|| no_such(which))?;
    }
    Ok(signer)
}

fn no_such(which: &[usize]) -> Error {
    Error::NoSuchSignature { which: which.to_vec() }
}

/// Whether the certificate made this signature or countersigned it.
fn has_signed(signer: &SignerInfo<'_>, certificate: &Certificate) -> Result<bool, Error> {
    let countersignatures = countersignatures(&signer.unsigned()?, MAX_COUNTERSIGNATURES)?;
    Ok([signer].into_iter().chain(&countersignatures).any(|s| s.sid.names(certificate)))
}
