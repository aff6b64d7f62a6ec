//! Whether a trusted list is genuine (TS 119 612, 5.7.1; TS 119 615, 4.1).

use ades_core::{Certificate, DigestAlgorithm, Document, SignatureAlgorithm};
use xades::report::{Coverage, Problem, SignatureReport};
use xades::{VerifyOptions, verify};

use crate::error::{Error, NotGenuine};

/// Whether somebody whom the caller names signed the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authenticity {
    /// The signature is that of a certificate that the caller names.
    Authenticated,
    /// The caller names no certificate. The signature is intact; whose it is, is not known.
    SignerNotGiven,
}

/// Verifies the only signature of a list. The certificates of `signers` count without a path,
/// without their validity today and without revocation: the scheme publishes them.
pub(crate) fn check(octets: &[u8], signers: &[Certificate]) -> Result<Authenticity, Error> {
    let report = verify(&mut Document::from_bytes(octets), VerifyOptions::new())
        .map_err(|e| NotGenuine::Unreadable(e.to_string()))?;
    let [signature] = report.signatures.as_slice() else {
        return Err(NotGenuine::NotOneSignature { found: report.signatures.len() }.into());
    };
    check_signature(signature)?;
    let Some(own) = &signature.facts.certificate else {
        return Err(NotGenuine::Problem(Problem::SignerCertificateMissing.to_string()).into());
    };
    let claimed = signature.claimed_time;
    let (from, to) = own.validity();
    if claimed.is_none_or(|claimed| claimed < from || claimed > to) {
        return Err(NotGenuine::SignerNotValid.into());
    }
    if signers.is_empty() {
        return Ok(Authenticity::SignerNotGiven);
    }
    match signers.iter().any(|signer| signer.der() == own.der()) {
        true => Ok(Authenticity::Authenticated),
        false => Err(NotGenuine::OtherSigner.into()),
    }
}

fn check_signature(signature: &SignatureReport) -> Result<(), NotGenuine> {
    let problems = &signature.problems;
    if signature.intact != Some(true) {
        let why = problems.iter().filter(|one| !is_harmless(**one));
        let why: Vec<String> = why.map(ToString::to_string).collect();
        return Err(NotGenuine::NotIntact(why.join("; ")));
    }
    if signature.covers != Coverage::Whole {
        return Err(NotGenuine::NotCovered);
    }
    if let Some(problem) = problems.iter().find(|one| !is_harmless(**one)) {
        return Err(NotGenuine::Problem(problem.to_string()));
    }
    let facts = &signature.facts;
    let value = facts.signature_algorithm.map(SignatureAlgorithm::digest_algorithm);
    let mut digests = facts.digest_algorithms.iter().copied().chain(value);
    match digests.find(|digest| *digest == DigestAlgorithm::Sha1) {
        Some(weak) => Err(NotGenuine::WeakAlgorithm(weak.to_string())),
        None => Ok(()),
    }
}

/// Problems that only keep a signature from a baseline level: many lists have XAdES of 2010.
const fn is_harmless(problem: Problem) -> bool {
    matches!(
        problem,
        Problem::DataObjectFormatMissing
            | Problem::DataObjectFormatTarget
            | Problem::IssuerSerialMismatch
            | Problem::KeyInfoSigned
            | Problem::LegacyProperty
            | Problem::UnknownProperty
    )
}
