//! The facts that a report shows beside an answer (TS 119 102-2, 4.3.12):
//! which certificate was revoked, and which algorithm is too weak.

use ades_core::facts::ObjectId;
use ades_core::{Certificate, DigestAlgorithm, SignatureAlgorithm};
use ades_evidence::revocation::{CertificateStatus, Reason};
use chrono::{DateTime, Utc};

use crate::algorithms::Weakness;
use crate::case::Case;
use crate::fault::Fault;
use crate::indication::SubIndication;
use crate::judgement::Failure;
use crate::session::Session;

/// A certificate of the path that was revoked or on hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RevokedCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// Since when.
    pub time: DateTime<Utc>,
    /// Why, if the issuer says so.
    pub reason: Option<Reason>,
    /// The CRL or OCSP response that says so.
    pub data: ObjectId,
}

/// The use of an algorithm that is not reliable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WeakUse {
    /// What it was used for.
    pub object: WeakObject,
    /// The algorithm; `None` if it is not known.
    pub algorithm: Option<WeakAlgorithm>,
    /// Why it is not reliable; `None` if the algorithm is not known.
    pub weakness: Option<Weakness>,
}

/// What is signed or digested with a weak algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeakObject {
    /// The signature itself.
    Signature,
    /// A certificate of the path.
    Certificate(ObjectId),
    /// Revocation data about one.
    RevocationData(ObjectId),
}

/// An algorithm that is not reliable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeakAlgorithm {
    /// Of signatures
    Signature(SignatureAlgorithm),
    /// Of digests
    Digest(DigestAlgorithm),
}

impl Session<'_> {
    /// The revoked certificates that these failures are about.
    pub(crate) fn revoked(&self, case: &Case<'_>, failures: &[Failure]) -> Vec<RevokedCertificate> {
        let is_about = |failure: &Failure| {
            matches!(failure.reason.code.as_str(), "certificate-revoked" | "certificate-on-hold")
        };
        if !failures.iter().any(is_about) {
            return Vec::new();
        }
        let links = case.chain.iter().flat_map(|chain| &chain.links);
        let revoked = links.filter_map(|link| {
            let datum = link.selected()?;
            let CertificateStatus::Revoked(revocation) = datum.facts.status else { return None };
            (revocation.time <= self.time).then(|| RevokedCertificate {
                certificate: link.certificate.clone(),
                time: revocation.time,
                reason: revocation.reason,
                data: datum.id,
            })
        });
        revoked.collect()
    }

    /// The weak algorithms that these failures are about. `best` is the time at which those
    /// of the signature were judged.
    pub(crate) fn weak_uses(
        &self,
        case: &Case<'_>,
        failures: &[Failure],
        best: DateTime<Utc>,
    ) -> Vec<WeakUse> {
        use SubIndication::{CryptoConstraintsFailure, CryptoConstraintsFailureNoPoe};

        let is_about = |failure: &&Failure| {
            let weak = [CryptoConstraintsFailure, CryptoConstraintsFailureNoPoe];
            weak.contains(&failure.sub_indication)
        };
        let codes: Vec<_> = failures.iter().filter(is_about).map(|one| &*one.reason.code).collect();
        if codes.is_empty() {
            return Vec::new();
        }
        let mut uses = Vec::new();
        if codes.contains(&"weak-algorithm") {
            uses.extend(self.weak_in_signature(case, best));
        }
        uses.extend(case.faults.iter().filter_map(|fault| weak_in_path(case, fault)));
        // An algorithm that is not supported, whose name is not known here.
        if uses.is_empty() {
            let object = WeakObject::Signature;
            uses.push(WeakUse { object, algorithm: None, weakness: None });
        }
        uses
    }

    fn weak_in_signature(&self, case: &Case<'_>, time: DateTime<Utc>) -> Vec<WeakUse> {
        let (facts, policy) = (case.signature.facts, &self.policy.algorithms);
        let own = facts.signature_algorithm.zip(facts.certificate.as_ref());
        let own = own.and_then(|(algorithm, own)| {
            let why = policy.check_signature(algorithm, own.key_type(), time).err()?;
            Some((WeakAlgorithm::Signature(algorithm), why))
        });
        let digests = facts.digest_algorithms.iter().filter_map(|digest| {
            Some((WeakAlgorithm::Digest(*digest), policy.check_digest(*digest, time).err()?))
        });
        let all = own.into_iter().chain(digests).map(|(algorithm, why)| WeakUse {
            object: WeakObject::Signature,
            algorithm: Some(algorithm),
            weakness: Some(why),
        });
        all.collect()
    }
}

fn weak_in_path(case: &Case<'_>, fault: &Fault) -> Option<WeakUse> {
    let links = &case.chain.as_ref()?.links;
    let (object, algorithm, why) = match fault {
        Fault::WeakCertificate { link, id, why } => {
            let algorithm = links.get(*link)?.certificate.signature_algorithm().ok();
            (WeakObject::Certificate(*id), algorithm, why)
        }
        Fault::WeakRevocationData { link, id, why } => {
            let algorithm = links.get(*link)?.selected().map(|datum| datum.facts.algorithm);
            (WeakObject::RevocationData(*id), algorithm, why)
        }
        _ => return None,
    };
    let algorithm = algorithm.map(WeakAlgorithm::Signature);
    Some(WeakUse { object, algorithm, weakness: Some(why.clone()) })
}
