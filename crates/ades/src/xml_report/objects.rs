//! `SignatureValidationObjects`: the certificates, revocation data and time-stamps, and what
//! proves that they existed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ades_core::facts::{Evidence, ObjectId, RevocationForm, TimeStampFacts};
use ades_core::{Certificate, Digest, DigestAlgorithm, base64};
use ades_validation::{Reason, SubIndication, TimeStampJudgement};
use chrono::{DateTime, Utc};

use super::markup::Xml;
use super::status;
use super::{PROVEN_BY_VALIDATION, signature_id};
use crate::verdict::{Verdict, time};

/// Maximum length of an object whose octets are in the report. Of others, such as long CRLs, the
/// report has the digest.
const MAX_EMBEDDED_LEN: usize = 1024 * 1024;
const KIND: &str = "urn:etsi:019102:validationObject:";

/// The objects of a report, each once.
#[derive(Debug, Default)]
pub(super) struct Objects<'r> {
    list: Vec<Object<'r>>,
    /// The position of each object in the list.
    known: HashMap<ObjectId, usize>,
}

#[derive(Debug)]
struct Object<'r> {
    id: String,
    kind: &'static str,
    octets: &'r [u8],
    /// The earliest valid time-stamp that covers it, and its time.
    proof: Option<(DateTime<Utc>, String)>,
    stamp: Option<Stamp>,
}

/// What is known about a time-stamp.
#[derive(Debug)]
struct Stamp {
    time: Option<DateTime<Utc>>,
    sub_indication: Option<SubIndication>,
    because: Vec<Reason>,
    covered: Vec<String>,
}

pub(super) fn certificate_id(certificate: &Certificate) -> String {
    id_of("C", certificate.der())
}

pub(super) fn stamp_id(stamp: &TimeStampFacts) -> String {
    id_of("T", &stamp.octets)
}

fn revocation_id(octets: &[u8]) -> String {
    id_of("R", octets)
}

fn id_of(prefix: &str, octets: &[u8]) -> String {
    format!("{prefix}-{}", Digest::of(DigestAlgorithm::Sha256, octets).to_hex())
}

impl<'r> Objects<'r> {
    /// The objects of these signatures, in the order in which they are found.
    pub(super) fn collect(verdicts: &[&'r Verdict]) -> Self {
        let mut objects = Self::default();
        let mut last: Option<&Arc<Evidence>> = None;
        for verdict in verdicts {
            let path = verdict.judgement.path.iter().flat_map(|path| &path.certificates);
            for certificate in verdict.facts.certificate.iter().chain(path) {
                objects.add_certificate(certificate);
            }
            // The signatures of a document share their evidence.
            let evidence = &verdict.facts.evidence;
            if last.is_none_or(|last| !Arc::ptr_eq(last, evidence)) {
                objects.add_evidence(evidence);
            }
            last = Some(evidence);
        }
        for (at, verdict) in verdicts.iter().enumerate() {
            for (stamp, judgement) in verdict.time_stamps().zip(&verdict.judgement.time_stamps) {
                objects.add_judgement(&signature_id(at), verdict, stamp, judgement);
            }
        }
        objects
    }

    fn add(&mut self, octets: &'r [u8], kind: &'static str, id: impl FnOnce() -> String) {
        let key = ObjectId::of(octets);
        if !self.known.contains_key(&key) {
            self.known.insert(key, self.list.len());
            self.list.push(Object { id: id(), kind, octets, proof: None, stamp: None });
        }
    }

    fn add_certificate(&mut self, certificate: &'r Certificate) {
        self.add(certificate.der(), "certificate", || certificate_id(certificate));
    }

    fn add_evidence(&mut self, evidence: &'r Evidence) {
        for certificate in evidence.distinct_certificates() {
            self.add_certificate(certificate);
        }
        for value in evidence.revocation_values() {
            let kind = match value.form {
                RevocationForm::Crl => "CRL",
                _ => "OCSPResponse",
            };
            self.add(&value.octets, kind, || revocation_id(&value.octets));
        }
        for stamp in evidence.time_stamps() {
            self.add(&stamp.octets, "timestamp", || stamp_id(stamp));
        }
    }

    /// Adds what one signature says about a time-stamp. If it covers several signatures, a
    /// passed answer counts.
    fn add_judgement(
        &mut self,
        signature: &str,
        verdict: &Verdict,
        stamp: &TimeStampFacts,
        judgement: &TimeStampJudgement,
    ) {
        let sub_indication = judgement.conclusion.sub_indication();
        let mut covered = Vec::new();
        if let Some(time) = stamp.time.filter(|_| sub_indication.is_none()) {
            if stamp.covers.signature {
                covered.push(signature.to_owned());
            }
            covered.extend(self.prove(&verdict.facts.evidence, stamp, time));
        }
        let Some(object) = self.get_mut(ObjectId::of(&stamp.octets)) else { return };
        match &mut object.stamp {
            Some(known) if known.sub_indication.is_none() || sub_indication.is_some() => {
                known.covered.extend(covered);
            }
            other => {
                let because = judgement.because.clone();
                *other = Some(Stamp { time: stamp.time, sub_indication, because, covered });
            }
        }
    }

    /// Notes that a valid time-stamp proves the objects that it covers. Returns their ids.
    fn prove(
        &mut self,
        evidence: &Evidence,
        stamp: &TimeStampFacts,
        time: DateTime<Utc>,
    ) -> Vec<String> {
        let covered = &stamp.covers.objects;
        let certificates = covered.certificates.iter();
        let certificates = certificates.filter_map(|at| evidence.certificates().get(at));
        let values = covered.revocation_values.iter();
        let values = values.filter_map(|at| evidence.revocation_values().get(at));
        let stamps = covered.time_stamps.iter();
        let stamps = stamps.filter_map(|at| evidence.time_stamps().get(at));
        let ids = certificates.map(|one| one.id).chain(values.map(|one| one.id));
        let ids = ids.chain(stamps.map(|one| ObjectId::of(&one.octets)));
        let by = stamp_id(stamp);
        let (mut names, mut known) = (Vec::new(), HashSet::new());
        for id in ids.filter(|id| known.insert(*id)) {
            let Some(object) = self.get_mut(id) else { continue };
            if object.proof.as_ref().is_none_or(|(earlier, _)| time < *earlier) {
                object.proof = Some((time, by.clone()));
            }
            names.push(object.id.clone());
        }
        names
    }

    fn get_mut(&mut self, id: ObjectId) -> Option<&mut Object<'r>> {
        self.known.get(&id).and_then(|at| self.list.get_mut(*at))
    }

    fn name(&self, id: ObjectId) -> Option<&str> {
        let object = self.known.get(&id).and_then(|at| self.list.get(*at))?;
        Some(&object.id)
    }

    /// The id of a certificate, if it is in the report.
    pub(super) fn certificate(&self, id: ObjectId) -> Option<&str> {
        self.name(id)
    }

    /// The id of a CRL or OCSP response, if it is in the report: one that the caller gave is not.
    pub(super) fn revocation_data(&self, id: ObjectId) -> Option<&str> {
        self.name(id)
    }

    /// Writes the objects, if there are any.
    pub(super) fn write(&self, xml: &mut Xml) {
        if self.list.is_empty() {
            return;
        }
        xml.element("SignatureValidationObjects", |xml| {
            self.list.iter().for_each(|object| object.write(xml));
        });
    }
}

impl Object<'_> {
    fn write(&self, xml: &mut Xml) {
        xml.element_with("ValidationObject", &[("id", &self.id)], |xml| {
            xml.leaf("ObjectType", &format!("{KIND}{}", self.kind));
            xml.element("ValidationObjectRepresentation", |xml| self.representation(xml));
            if let Some((proven, by)) = &self.proof {
                xml.element("POE", |xml| {
                    xml.leaf("POETime", &time(*proven));
                    xml.leaf("TypeOfProof", PROVEN_BY_VALIDATION);
                    xml.reference("POEObject", by);
                });
            }
            if let Some(stamp) = &self.stamp {
                stamp.write(xml);
            }
        });
    }

    fn representation(&self, xml: &mut Xml) {
        if self.octets.len() <= MAX_EMBEDDED_LEN {
            return xml.leaf("base64", &base64::encode(self.octets));
        }
        let digest = Digest::of(DigestAlgorithm::Sha256, self.octets);
        xml.element("DigestAlgAndValue", |xml| {
            let algorithm = [("Algorithm", DigestAlgorithm::Sha256.xml_uri())];
            xml.leaf_with("ds:DigestMethod", &algorithm, "");
            xml.leaf("ds:DigestValue", &base64::encode(digest.value()));
        });
    }
}

impl Stamp {
    fn write(&self, xml: &mut Xml) {
        if let Some(proven) = self.time.filter(|_| self.sub_indication.is_none()) {
            xml.element("POEProvisioning", |xml| {
                xml.leaf("POETime", &time(proven));
                if !self.covered.is_empty() {
                    xml.reference("ValidationObject", &self.covered.join(" "));
                }
            });
        }
        xml.element("ValidationReport", |xml| {
            let name = "SignatureValidationStatus";
            status::of_object(xml, name, self.sub_indication, &self.because);
        });
    }
}
