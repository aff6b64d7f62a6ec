//! Divides validation data between the signer and the time-stamping services.
//!
//! `CertificateValues` and `RevocationValues` are for the signer's path; those of the
//! services go into `TimeStampValidationData` (EN 319 132-1, 5.4 and 5.5.1). Verifiers look
//! into all of them, so the division decides nothing: it follows the issuers' names, and
//! verifies no signatures.

use std::collections::{HashMap, HashSet};

use ades_core::facts::{Evidence, EvidencePlace};
use ades_core::{Certificate, Digest, name};
use ades_evidence::ValidationData;
use ades_evidence::crl::Crl;
use ades_evidence::ocsp::OcspResponse;

/// The two parts.
pub(super) struct Division {
    pub(super) signer: ValidationData,
    /// What concerns the services and not the signer.
    pub(super) services: ValidationData,
}

/// Divides data for a signature that has this evidence.
pub(super) fn divide(
    data: ValidationData,
    signer: Option<&Certificate>,
    evidence: &Evidence,
) -> Division {
    let embedded = evidence.certificates();
    let all = embedded.iter().map(|one| &one.certificate).chain(&data.certificates);
    let mut by_subject: HashMap<Vec<u8>, Vec<&Certificate>> = HashMap::new();
    for certificate in all {
        by_subject.entry(name::canonical(certificate.subject())).or_default().push(certificate);
    }
    let in_tokens = embedded.iter().filter(|one| matches!(one.place, EvidencePlace::TimeStamp(_)));
    let of_signer = Authorities::above(signer, &by_subject);
    let of_services = Authorities::above(in_tokens.map(|one| &one.certificate), &by_subject);
    drop(by_subject);
    let is_for_services =
        |concerns: &dyn Fn(&Authorities) -> bool| concerns(&of_services) && !concerns(&of_signer);
    let (services, signers) = data.certificates.into_iter().partition(|certificate| {
        is_for_services(&|authorities| authorities.have_certificate(certificate))
    });
    let (mut of_the_signer, mut of_the_services) = (ValidationData::new(), ValidationData::new());
    (of_the_services.certificates, of_the_signer.certificates) = (services, signers);
    (of_the_services.ocsp_responses, of_the_signer.ocsp_responses) =
        data.ocsp_responses.into_iter().partition(|octets| {
            let response = OcspResponse::read(octets.as_slice()).ok();
            response.is_some_and(|response| {
                is_for_services(&|authorities| authorities.have_response(&response))
            })
        });
    (of_the_services.crls, of_the_signer.crls) = data.crls.into_iter().partition(|octets| {
        let crl = Crl::read(octets.as_slice(), []).ok();
        let issuer = crl.map(|crl| name::canonical(crl.issuer()));
        issuer.is_some_and(|issuer| {
            is_for_services(&|authorities| authorities.names.contains(&issuer))
        })
    });
    Division { signer: of_the_signer, services: of_the_services }
}

/// The names of the issuers above some certificates.
#[derive(Default)]
struct Authorities {
    /// In comparable form.
    names: HashSet<Vec<u8>>,
    /// The DER of each, as certificates have it.
    der: HashSet<Vec<u8>>,
}

impl Authorities {
    fn above<'c>(
        start: impl IntoIterator<Item = &'c Certificate>,
        by_subject: &HashMap<Vec<u8>, Vec<&'c Certificate>>,
    ) -> Self {
        let mut found = Self::default();
        let mut pending: Vec<&Certificate> = start.into_iter().collect();
        while let Some(certificate) = pending.pop() {
            let issuer = name::canonical(certificate.issuer());
            found.der.insert(certificate.issuer().to_vec());
            if !found.names.contains(&issuer) {
                pending.extend(by_subject.get(&issuer).into_iter().flatten());
                found.names.insert(issuer);
            }
        }
        found
    }

    /// Whether the certificate is one of theirs, or they have issued it.
    fn have_certificate(&self, certificate: &Certificate) -> bool {
        let names = [certificate.subject(), certificate.issuer()];
        names.into_iter().any(|one| self.names.contains(&name::canonical(one)))
    }

    /// Whether the first answer of a response is about a certificate that they have issued.
    fn have_response(&self, response: &OcspResponse) -> bool {
        let Some(id) = response.responses().first().map(|first| &first.certificate) else {
            return false;
        };
        let Some(algorithm) = id.algorithm else { return false };
        self.der.iter().any(|der| Digest::of(algorithm, der).value() == id.issuer_name_hash)
    }
}
