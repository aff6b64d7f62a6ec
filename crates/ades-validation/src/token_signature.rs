//! The signature of a time-stamp token: what its faults mean (EN 319 102-1, 5.4).

use ades_core::{Certificate, DigestAlgorithm, SignatureAlgorithm};
use ades_evidence::VerifiedValues;
use ades_evidence::token::{self, TokenProblem};

use crate::indication::SubIndication;
use crate::judgement::{Failure, Reason};

/// What is known about the signature of a token.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenSignature {
    pub(crate) signer: Option<Certificate>,
    pub(crate) algorithm: Option<SignatureAlgorithm>,
    pub(crate) digests: Vec<DigestAlgorithm>,
    /// Why it does not verify, or is not known to.
    pub(crate) failures: Vec<Failure>,
}

impl TokenSignature {
    pub(crate) fn read(
        octets: &[u8],
        certificates: &[Certificate],
        verified: &VerifiedValues,
    ) -> Self {
        use SubIndication as Sub;

        let failure = |sub, code: &str, text: String| Failure::new(sub, Reason::new(code, text));
        let Some(facts) = token::verify_sharing(octets, certificates, verified) else {
            let text = "it cannot be read".to_owned();
            let failures = vec![failure(Sub::FormatFailure, "time-stamp-malformed", text)];
            return Self { failures, ..Self::default() };
        };
        let problems = facts.problems.iter();
        let problems = problems
            .map(|problem| failure(meaning(*problem), "time-stamp-signature", problem.to_string()));
        let mut failures: Vec<Failure> = problems.collect();
        if facts.digest_matches == Some(false) {
            let text = "its message-digest is not that of its content".to_owned();
            failures.push(failure(Sub::HashFailure, "time-stamp-digest-mismatch", text));
        }
        if facts.value_verifies == Some(false) {
            let text = "its signature value does not verify".to_owned();
            failures.push(failure(Sub::SigCryptoFailure, "time-stamp-signature-invalid", text));
        }
        if failures.is_empty() && facts.is_sound() != Some(true) {
            let text = "its signature was not verified".to_owned();
            failures.push(failure(Sub::SignedDataNotFound, "time-stamp-signature", text));
        }
        let imprint = facts.token.imprint.as_ref().map(|imprint| imprint.algorithm());
        let digests = facts.digest_algorithm.into_iter().chain(imprint);
        Self {
            signer: facts.signer,
            algorithm: facts.algorithm,
            digests: digests.collect(),
            failures,
        }
    }
}

const fn meaning(problem: TokenProblem) -> SubIndication {
    match problem {
        TokenProblem::SigningCertificateMissing => SubIndication::SigConstraintsFailure,
        TokenProblem::SigningCertificateMismatch | TokenProblem::SignerCertificateMissing => {
            SubIndication::NoSigningCertificateFound
        }
        TokenProblem::UnsupportedAlgorithm | TokenProblem::CriticalExtension(_) => {
            SubIndication::CryptoConstraintsFailureNoPoe
        }
        TokenProblem::ExtendedKeyUsage | TokenProblem::KeyUsage => {
            SubIndication::ChainConstraintsFailure
        }
        _ => SubIndication::FormatFailure,
    }
}
