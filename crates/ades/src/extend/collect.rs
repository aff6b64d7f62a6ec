//! The validation data of one signature: what a judge uses, as octets to be embedded.

use std::collections::{HashMap, HashSet};

use ades_core::asn1::der;
use ades_core::facts::{Evidence, ObjectId, RevocationForm};
use ades_evidence::ValidationData;
use ades_validation::{Collected, GivenData, Judge, Material, Signature, TrustAnchor};

use super::by_format::is_in_place;
use crate::detect::Format;
use crate::verdict::Verdict;

/// id-pkix-ocsp-basic (RFC 6960, 4.2.1)
const OCSP_BASIC: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 1];
const ENUMERATED: u8 = 0x0A;

/// Collects what one signature needs.
pub(super) fn collect(judge: &mut Judge, verdict: &Verdict, material: &Material) -> Collected {
    judge.collect(&Signature {
        facts: &verdict.facts,
        material,
        level: verdict.level,
        intact: verdict.intact,
        claimed_time: None,
        findings: &[],
    })
}

/// Where paths end if the caller names no trust anchors: nobody is judged then, so any
/// certificate that issued itself will do.
pub(super) fn roots(evidence: &Evidence, given: &GivenData) -> Vec<TrustAnchor> {
    let all = evidence.distinct_certificates().chain(given.certificates());
    let roots = all.filter(|certificate| certificate.is_self_issued());
    roots.cloned().map(TrustAnchor::new).collect()
}

/// The part of what was collected that the document does not have at the right place.
pub(super) fn to_be_embedded(
    format: Format,
    collected: &Collected,
    evidence: &Evidence,
    given: &GivenData,
) -> ValidationData {
    let mut present: HashSet<ObjectId> = HashSet::new();
    let certificates = evidence.certificates().iter().map(|one| (one.id, one.place));
    let values = evidence.revocation_values().iter().map(|one| (one.id, one.place));
    present
        .extend(certificates.chain(values).filter(|(_, p)| is_in_place(format, *p)).map(|o| o.0));
    let mut octets: HashMap<ObjectId, (RevocationForm, &[u8])> = HashMap::new();
    for value in evidence.revocation_values() {
        octets.insert(value.id, (value.form, &*value.octets));
    }
    for (form, value) in given.revocation() {
        octets.entry(ObjectId::of(value)).or_insert((form, value));
    }
    let mut data = ValidationData::new();
    for id in &collected.revocation {
        let Some((form, value)) = octets.get(id) else { continue };
        match form {
            _ if present.contains(id) => {}
            RevocationForm::Crl => data.crls.push(value.to_vec()),
            RevocationForm::BasicOcspResponse => data.ocsp_responses.push(whole_response(value)),
            _ => data.ocsp_responses.push(value.to_vec()),
        }
    }
    // A responder's certificate is usually in its response.
    let is_in_response = |certificate: &[u8]| {
        let used = collected.revocation.iter().filter_map(|id| octets.get(id));
        let mut responses = used.filter(|(form, _)| *form != RevocationForm::Crl);
        responses.any(|(_, response)| {
            response.windows(certificate.len()).any(|window| window == certificate)
        })
    };
    for certificate in &collected.certificates {
        let der = certificate.der();
        if !present.contains(&ObjectId::of(der)) && !is_in_response(der) {
            data.certificates.push(certificate.clone());
        }
    }
    data
}

/// An `OCSPResponse` with this `BasicOCSPResponse`, whose octets stay as they are.
fn whole_response(basic: &[u8]) -> Vec<u8> {
    let kind = der::element(der::OID, &[OCSP_BASIC]);
    let octets = der::element(der::OCTET_STRING, &[basic]);
    let bytes = der::element(der::SEQUENCE, &[&kind, &octets]);
    let successful = der::element(ENUMERATED, &[&[0]]);
    der::element(der::SEQUENCE, &[&successful, &der::element(der::context(0), &[&bytes])])
}
