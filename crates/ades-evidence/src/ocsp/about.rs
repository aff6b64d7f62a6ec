//! What a response says about one certificate, and who says it.

use ades_core::{Certificate, DigestAlgorithm, SignatureAlgorithm};

use super::{CertificateId, MAX_RESPONDERS, OcspResponse, SingleResponse};
use crate::certificate_use::{is_same_authority, may_sign_responses, says_no_check};
use crate::fields::serial_number;
use crate::revocation::{
    ReasonSet, RevocationFacts, RevocationKind, SignerRole, Unusable, furthest,
};

impl OcspResponse {
    /// What it says about `certificate`, which `issuer` has issued.
    ///
    /// The responder's certificate is looked for in the response, in `others`, and it may
    /// be `issuer`. The signature is verified. A responder other than the issuer needs a
    /// certificate that the issuer itself signed, with the extended key usage
    /// OCSPSigning (RFC 6960, 4.2.2.2). Times are not compared:
    /// see [`RevocationFacts::check_current`].
    ///
    /// # Errors
    /// Why it says nothing that counts. If it is not about the certificate, that comes
    /// first.
    pub fn about(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        others: &[Certificate],
    ) -> Result<RevocationFacts, Unusable> {
        let single = self.single(certificate, issuer)?;
        let critical = self.critical_extension.or(single.critical_extension);
        if let Some(oid) = critical {
            return Err(Unusable::CriticalExtension(oid));
        }
        let certificate_hash = match &single.certificate_hash {
            Some(hash) if *hash != certificate.digest(hash.algorithm()) => {
                return Err(Unusable::CertificateHash);
            }
            hash => hash.as_ref().map(|_| true),
        };
        let (signer, role, algorithm) = self.signer(issuer, others)?;
        Ok(RevocationFacts {
            kind: RevocationKind::Ocsp,
            status: single.status,
            this_update: single.this_update,
            next_update: single.next_update,
            produced_at: self.produced_at,
            keeps_expired_since: single.archive_cutoff,
            certificate_hash,
            reasons: ReasonSet::ALL,
            signer,
            role,
            algorithm,
        })
    }

    /// The newest answer about the certificate.
    fn single(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
    ) -> Result<&SingleResponse, Unusable> {
        let mut fault = Unusable::OtherCertificate;
        let mut newest: Option<&SingleResponse> = None;
        let serial_number = serial_number(certificate);
        // Digested once for each algorithm, however many answers there are.
        let mut own: Vec<CertificateId> = Vec::new();
        for single in self.responses.iter().filter(|s| s.certificate.serial_number == serial_number)
        {
            let Some(algorithm) = single.certificate.algorithm else {
                fault = Unusable::IdentifierAlgorithm;
                continue;
            };
            if own.iter().all(|known| known.algorithm != Some(algorithm)) {
                own.extend(CertificateId::of(certificate, issuer, algorithm));
            }
            let names_it = own.contains(&single.certificate);
            if names_it && newest.is_none_or(|newest| newest.this_update < single.this_update) {
                newest = Some(single);
            }
        }
        newest.ok_or(fault)
    }

    /// The certificate with which the signature verifies, if it may sign responses for
    /// `issuer`. Otherwise the fault of the candidate that came furthest.
    fn signer(
        &self,
        issuer: &Certificate,
        others: &[Certificate],
    ) -> Result<(Certificate, SignerRole, SignatureAlgorithm), Unusable> {
        let identifier = self.slice(&self.algorithm);
        let algorithm =
            SignatureAlgorithm::from_algorithm_identifier(identifier, DigestAlgorithm::Sha256)
                .map_err(|_| Unusable::SignatureAlgorithm)?;
        let candidates = std::iter::once(issuer).chain(&self.certificates).chain(others);
        let named = candidates.filter(|candidate| self.responder.names(candidate));
        let mut fault = Unusable::NoSigner;
        for candidate in named.take(MAX_RESPONDERS) {
            match self.verifies_with(candidate, algorithm) {
                Some(true) => {}
                Some(false) => {
                    fault = furthest(fault, Unusable::Signature);
                    continue;
                }
                None => {
                    fault = furthest(fault, Unusable::SignatureAlgorithm);
                    continue;
                }
            }
            match self.role(candidate, issuer) {
                Ok(role) => return Ok((candidate.clone(), role, algorithm)),
                Err(why) => fault = furthest(fault, why),
            }
        }
        Err(fault)
    }

    /// `None` if the key is not supported.
    fn verifies_with(&self, signer: &Certificate, algorithm: SignatureAlgorithm) -> Option<bool> {
        let (signed, value) = (self.slice(&self.signed), self.slice(&self.signature));
        self.verified.verify(signer, algorithm, signed, value)
    }

    fn role(&self, candidate: &Certificate, issuer: &Certificate) -> Result<SignerRole, Unusable> {
        if is_same_authority(candidate, issuer) {
            return Ok(SignerRole::Issuer);
        }
        if !candidate.names_as_issuer(issuer) || !may_sign_responses(candidate) {
            return Err(Unusable::NotAuthorized);
        }
        match self.verified.issued_by(candidate, issuer) {
            Some(true) => Ok(SignerRole::Delegated { no_check: says_no_check(candidate) }),
            Some(false) => Err(Unusable::NotAuthorized),
            None => Err(Unusable::SignatureAlgorithm),
        }
    }
}
