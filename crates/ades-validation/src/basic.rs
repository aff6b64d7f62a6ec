//! The building blocks about the signature itself: format (EN 319 102-1, 5.2.2), signing
//! certificate (5.2.3), cryptography (5.2.7) and acceptance (5.2.8).

use chrono::{DateTime, Utc};

use crate::algorithms::{AfterUpdate, AlgorithmPolicy, Weakness};
use crate::facts::{Meaning, Signature};
use crate::indication::SubIndication;
use crate::judgement::{Block, Check, Failure, Reason};
use crate::revocation::CLOCK_TOLERANCE;
use crate::session::Session;

impl Signature<'_> {
    /// The findings with a meaning.
    pub(crate) fn found(&self, meaning: Meaning, sub: SubIndication) -> Vec<Failure> {
        let found = self.findings.iter().filter(|found| found.meaning == meaning);
        found.map(|found| Failure::new(sub, Reason::new(&*found.code, &*found.text))).collect()
    }

    pub(crate) fn remarks(&self) -> Vec<Reason> {
        let found = self.found(Meaning::Remark, SubIndication::FormatFailure);
        found.into_iter().map(|found| found.reason).collect()
    }

    /// Format, signing certificate and cryptography, in this order: the first failure of
    /// all decides about the signature (5.3).
    pub(crate) fn own_checks(&self) -> [(Block, Vec<Failure>); 3] {
        let format = self.found(Meaning::Format, SubIndication::FormatFailure);
        let certificate = self.signing_certificate();
        let is_named = !format.is_empty() || !certificate.is_empty();
        let cryptography = self.cryptography(is_named);
        [
            (Block::FormatChecking, format),
            (Block::IdentificationOfTheSigningCertificate, certificate),
            (Block::CryptographicVerification, cryptography),
        ]
    }

    /// 5.2.3
    fn signing_certificate(&self) -> Vec<Failure> {
        let sub = SubIndication::NoSigningCertificateFound;
        let mut failures = self.found(Meaning::SigningCertificate, sub);
        if self.facts.certificate.is_none() && failures.is_empty() {
            let text = "the signer's certificate is not there";
            failures.push(Failure::new(sub, Reason::new("signer-certificate-missing", text)));
        }
        failures
    }

    /// 5.2.7: references before the value. `is_named`: an earlier check has named a
    /// fault.
    fn cryptography(&self, is_named: bool) -> Vec<Failure> {
        use SubIndication as Sub;

        let mut failures = self.found(Meaning::Hash, Sub::HashFailure);
        failures.extend(self.found(Meaning::DataMissing, Sub::SignedDataNotFound));
        failures.extend(self.found(Meaning::Value, Sub::SigCryptoFailure));
        failures.extend(self.found(Meaning::Unsupported, Sub::CryptoConstraintsFailureNoPoe));
        // A format may state that a signature is not intact without a finding.
        let is_named = is_named || !failures.is_empty();
        match self.intact {
            Some(false) if !is_named => {
                let why = Reason::new("not-intact", "the signature is not intact");
                failures.push(Failure::new(Sub::SigCryptoFailure, why));
            }
            None if !is_named => {
                let text = "whether the signature is intact could not be found out";
                let why = Reason::new("integrity-unknown", text);
                failures.push(Failure::new(Sub::SignedDataNotFound, why));
            }
            _ => {}
        }
        failures
    }

    /// 5.2.8, without algorithms: attributes and coverage.
    pub(crate) fn attributes(&self) -> Vec<Failure> {
        let sub = SubIndication::SigConstraintsFailure;
        let mut failures = self.found(Meaning::Attribute, sub);
        failures.extend(self.found(Meaning::Coverage, sub));
        failures.extend(self.found(Meaning::PartLeftOut, sub));
        failures
    }
}

impl Session<'_> {
    /// 5.2.8, with the algorithms at `time`.
    pub(crate) fn acceptance(
        &self,
        signature: &Signature<'_>,
        time: DateTime<Utc>,
    ) -> Vec<Failure> {
        let sub = SubIndication::SigConstraintsFailure;
        let mut failures = signature.attributes();
        if let Some(claimed) = signature.claimed_time {
            // A time to come is wrong whatever time is asked about.
            let latest = self.time.min(self.now) + CLOCK_TOLERANCE;
            if claimed > latest {
                let text =
                    format!("the claimed signing time {claimed} is after the validation time");
                failures.push(Failure::new(sub, Reason::new("claimed-time-to-come", text)));
            }
            let validity = signature.facts.certificate.as_ref().map(|own| own.validity());
            if validity.is_some_and(|(from, to)| claimed < from || claimed > to) {
                let text = "the certificate was not valid at the claimed signing time";
                let why = Reason::new("certificate-not-valid-at-claimed-time", text);
                failures.push(Failure::new(sub, why));
            }
        }
        failures.extend(self.weaknesses(signature, time));
        failures
    }

    /// The algorithms of the signature that are not reliable at `time`.
    fn weaknesses(&self, signature: &Signature<'_>, time: DateTime<Utc>) -> Vec<Failure> {
        let weak = weaknesses(signature, &self.policy.algorithms, time);
        let weak = weak.iter().map(|why| weakness("weak-algorithm", "the signature", why));
        // What is intact was verified, so its algorithm is known. Whoever does not state it
        // must not gain from that.
        let is_unknown =
            signature.intact == Some(true) && signature.facts.signature_algorithm.is_none();
        let unknown = is_unknown.then(|| {
            let why = Reason::new("weak-algorithm", "the algorithm of the signature is not known");
            Failure::new(SubIndication::CryptoConstraintsFailureNoPoe, why)
        });
        weak.chain(unknown).collect()
    }

    /// When the algorithm of the signature value ended, if that alone is too weak: a
    /// content time-stamp then shows that the signature was made too late (5.3, step 6).
    pub(crate) fn value_algorithm_end(&self, signature: &Signature<'_>) -> Option<DateTime<Utc>> {
        let weak = weaknesses(signature, &self.policy.algorithms, self.time);
        let digests = signature.facts.digest_algorithms.iter();
        let mut digests = digests.map(|one| self.policy.algorithms.check_digest(*one, self.time));
        match weak.as_slice() {
            [only] if digests.all(|checked| checked.is_ok()) => only.end(),
            _ => None,
        }
    }

    /// Algorithms whose end was still to come when the table was written.
    pub(crate) fn past_the_table(&self, signature: &Signature<'_>) -> Option<Reason> {
        let strict = self.policy.algorithms.clone().after_update(AfterUpdate::Fail);
        let own = weaknesses(signature, &self.policy.algorithms, self.time);
        let weak = weaknesses(signature, &strict, self.time).into_iter();
        let why = weak.into_iter().find(|why| !own.contains(why))?;
        let text = format!("{why}, by a table of {}", strict.updated());
        Some(Reason::new("algorithm-past-its-end", text))
    }

    /// The level that the policy demands.
    pub(crate) fn level(&self, signature: &Signature<'_>) -> Option<Failure> {
        let min_level = self.policy.min_level.filter(|min| signature.level < *min)?;
        let name = ades_core::facts::code(&min_level);
        let why = Reason::new("level-too-low", format!("the level {name} is demanded"));
        Some(Failure::new(SubIndication::SigConstraintsFailure, why))
    }
}

fn weaknesses(
    signature: &Signature<'_>,
    policy: &AlgorithmPolicy,
    time: DateTime<Utc>,
) -> Vec<Weakness> {
    let facts = signature.facts;
    let own = facts.signature_algorithm.zip(facts.certificate.as_ref());
    let own = own.map(|(algorithm, own)| policy.check_signature(algorithm, own.key_type(), time));
    let digests = facts.digest_algorithms.iter();
    let digests = digests.map(|digest| policy.check_digest(*digest, time));
    let mut weak: Vec<Weakness> = own.into_iter().chain(digests).filter_map(Result::err).collect();
    weak.dedup();
    weak
}

pub(crate) fn weakness(code: &str, of: &str, why: &Weakness) -> Failure {
    let reason = Reason::new(code, format!("{of}: {why}"));
    Failure::new(SubIndication::CryptoConstraintsFailureNoPoe, reason)
}

/// The checks with these failures.
pub(crate) fn checks(blocks: &[(Block, Vec<Failure>)]) -> Vec<Check> {
    blocks.iter().map(|(block, failures)| Check::new(*block, failures)).collect()
}
