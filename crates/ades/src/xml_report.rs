//! The validation report of ETSI TS 119 102-2 V1.4.1: what [`Report`] says in JSON, in the
//! standard's XML. It is not signed.

mod attributes;
mod markup;
mod objects;
mod status;

use ades_core::facts::code;
use ades_validation::{Block, Check, TimeStampJudgement};

use crate::report::Report;
use crate::verdict::{Verdict, time};
use markup::Xml;
use objects::Objects;

const NAMESPACE: &str = "http://uri.etsi.org/19102/v1.4.1#";
/// The prefix of identifiers that the standard does not define.
const OWN: &str = "urn:x-ades:";
const PROCESS: &str = "urn:etsi:019102:validationprocess:";
const CONSTRAINT_STATUS: &str = "urn:etsi:019102:constraintStatus:";
/// EN 319 102-1 proves the time itself; no caller states one.
const PROVEN_BY_VALIDATION: &str = "urn:etsi:019102:poetype:validation";

/// The building blocks that are reported as constraints, in this order.
const BLOCKS: [Block; 6] = [
    Block::FormatChecking,
    Block::IdentificationOfTheSigningCertificate,
    Block::CryptographicVerification,
    Block::CertificateValidation,
    Block::SignatureAcceptance,
    Block::PastSignatureValidation,
];

impl Report {
    /// The validation report of ETSI TS 119 102-2 V1.4.1, in UTF-8. Each signature and
    /// countersignature has its own `SignatureValidationReport`, in the order of the JSON: first
    /// a signature, then its countersignatures. `None` if there are no signatures, because the
    /// schema requires one.
    ///
    /// It contains names from certificates and documents, which are personal data.
    #[must_use]
    pub fn to_xml(&self) -> Option<String> {
        let mut verdicts = Vec::new();
        self.signatures.iter().for_each(|one| flatten(one, &mut verdicts));
        if verdicts.is_empty() {
            return None;
        }
        let objects = Objects::collect(&verdicts);
        let mut xml = Xml::new();
        let namespaces = [
            ("xmlns", NAMESPACE),
            ("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#"),
            ("xmlns:xs", "http://www.w3.org/2001/XMLSchema"),
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        ];
        xml.element_with("ValidationReport", &namespaces, |xml| {
            for (at, verdict) in verdicts.iter().enumerate() {
                signature(xml, verdict, &signature_id(at), &objects);
            }
            objects.write(xml);
        });
        Some(xml.finish())
    }
}

fn flatten<'r>(verdict: &'r Verdict, into: &mut Vec<&'r Verdict>) {
    into.push(verdict);
    verdict.countersignatures.iter().for_each(|inner| flatten(inner, into));
}

/// The id of the signature at this position.
fn signature_id(at: usize) -> String {
    format!("S-{}", at + 1)
}

fn signature(xml: &mut Xml, verdict: &Verdict, id: &str, objects: &Objects<'_>) {
    xml.element("SignatureValidationReport", |xml| {
        xml.element_with("SignatureIdentifier", &[("id", id)], |xml| {
            xml.leaf("HashOnly", "false");
            xml.leaf("DocHashOnly", "false");
        });
        constraints(xml, &verdict.judgement.checks);
        times(xml, verdict);
        attributes::write(xml, verdict);
        signer(xml, verdict);
        if let Some(qualification) = &verdict.qualification {
            let name = qualification.name().replace([' ', '/'], "-");
            xml.element("SignatureQuality", |xml| {
                let uri = format!("{OWN}qualification:{name}");
                xml.leaf("SignatureQualityInformation", &uri);
            });
        }
        xml.element("SignatureValidationProcess", |xml| {
            let process = match verdict.judgement.checks.last().map(|check| check.block) {
                Some(Block::LongTerm) => "LTA",
                Some(Block::SignatureWithTime) => "LTVM",
                _ => "Basic",
            };
            xml.leaf("SignatureValidationProcessID", &format!("{PROCESS}{process}"));
        });
        status::of_signature(xml, verdict, id, objects);
        // What the contract of the JSON has and the standard does not.
        xml.element("OtherInformation", |xml| {
            let own = [("xmlns", "urn:x-ades:report")];
            xml.element_with("Signature", &own, |xml| {
                xml.leaf("Format", verdict.format);
                xml.leaf("Level", &code(&verdict.level));
                xml.leaf("Intact", verdict.intact.map_or("unknown", bool_name));
                xml.leaf("Covers", &verdict.covers);
                xml.leaf("Revocation", &code(&verdict.judgement.revocation));
            });
        });
    });
}

const fn bool_name(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Every building block: its answer, or that it was not run.
fn constraints(xml: &mut Xml, checks: &[Check]) {
    fn find(checks: &[Check], block: Block) -> Option<&Check> {
        checks.iter().find_map(|check| match check.block == block {
            true => Some(check),
            false => find(&check.checks, block),
        })
    }
    xml.element("ValidationConstraintsEvaluationReport", |xml| {
        for block in BLOCKS {
            xml.element("ValidationConstraint", |xml| {
                let id = format!("{OWN}check:{}", code(&block));
                xml.leaf("ValidationConstraintIdentifier", &id);
                let found = find(checks, block);
                let applied = if found.is_some() { "applied" } else { "disabled" };
                xml.element("ConstraintStatus", |xml| {
                    xml.leaf("Status", &format!("{CONSTRAINT_STATUS}{applied}"));
                });
                if let Some(check) = found {
                    let (sub, why) = (check.sub_indication, &check.because);
                    status::of_object(xml, "ValidationStatus", sub, why);
                }
            });
        }
    });
}

/// The time-stamp that proves the best-signature-time, by its position.
fn proof(verdict: &Verdict) -> Option<&ades_core::facts::TimeStampFacts> {
    let best = verdict.judgement.best_time;
    let mut pairs = verdict.time_stamps().zip(&verdict.judgement.time_stamps);
    let proves = |judgement: &TimeStampJudgement| judgement.conclusion.sub_indication().is_none();
    let found = pairs.find(|(stamp, judgement)| {
        stamp.time == Some(best) && stamp.covers.signature && proves(judgement)
    });
    found.map(|(stamp, _)| stamp)
}

fn times(xml: &mut Xml, verdict: &Verdict) {
    xml.element("ValidationTimeInfo", |xml| {
        xml.leaf("ValidationTime", &time(verdict.judgement.validation_time));
        xml.element("BestSignatureTime", |xml| {
            xml.leaf("POETime", &time(verdict.judgement.best_time));
            xml.leaf("TypeOfProof", PROVEN_BY_VALIDATION);
            if let Some(stamp) = proof(verdict) {
                xml.reference("POEObject", &objects::stamp_id(stamp));
            }
        });
    });
}

fn signer(xml: &mut Xml, verdict: &Verdict) {
    let Some(certificate) = &verdict.facts.certificate else { return };
    xml.element("SignerInformation", |xml| {
        xml.reference("SignerCertificate", &objects::certificate_id(certificate));
        if let Some(name) = &verdict.signer {
            xml.leaf("Signer", name);
        }
    });
}
