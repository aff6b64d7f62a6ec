//! `SignatureValidationStatus`: indications, and what belongs to them.

use ades_core::Certificate;
use ades_evidence::revocation::Reason as RevocationReason;
use ades_validation::{
    Indication, Reason, RevokedCertificate, SubIndication, WeakAlgorithm, WeakObject, WeakUse,
};

use super::OWN;
use super::markup::Xml;
use super::objects::{Objects, certificate_id};
use crate::verdict::{Verdict, time};

const MAIN: &str = "urn:etsi:019102:mainindication:";
const SUB: &str = "urn:etsi:019102:subindication:";
const REVOCATION_REASON: &str = "urn:etsi:019102:revocationReason:";
const UNIDENTIFIED: &str = "urn:etsi:019102:algorithm:unidentified";

/// What an indication is about: the standard has other names for signatures.
#[derive(Clone, Copy)]
enum Scope {
    Signature,
    /// A constraint, or a time-stamp
    Object,
}

/// The status of a constraint or of a time-stamp, in an element of this name.
pub(super) fn of_object(
    xml: &mut Xml,
    name: &'static str,
    sub: Option<SubIndication>,
    why: &[Reason],
) {
    xml.element(name, |xml| {
        indications(xml, sub, Scope::Object);
        if !why.is_empty() {
            xml.element("AssociatedValidationReportData", |xml| reasons(xml, &[("reason", why)]));
        }
    });
}

/// The status of a signature.
pub(super) fn of_signature(xml: &mut Xml, verdict: &Verdict, id: &str, objects: &Objects<'_>) {
    let judgement = &verdict.judgement;
    xml.element("SignatureValidationStatus", |xml| {
        indications(xml, judgement.conclusion.sub_indication(), Scope::Signature);
        let mut revoked = judgement.revoked.iter();
        let mut weak = judgement.weak_uses.iter();
        let (first_revoked, first_weak) = (revoked.next(), weak.next());
        xml.element("AssociatedValidationReportData", |xml| {
            chain(xml, verdict);
            if let Some(revoked) = first_revoked {
                revocation(xml, revoked, objects);
            }
            if let Some(weak) = first_weak {
                cryptography(xml, weak, id, objects);
            }
            let problem = ("problem", judgement.problems.as_slice());
            reasons(xml, &[problem, ("remark", judgement.remarks.as_slice())]);
        });
        // An AssociatedValidationReportData has one of each.
        for revoked in revoked {
            xml.element("AssociatedValidationReportData", |xml| revocation(xml, revoked, objects));
        }
        for weak in weak {
            xml.element("AssociatedValidationReportData", |xml| {
                cryptography(xml, weak, id, objects);
            });
        }
    });
}

fn indications(xml: &mut Xml, sub: Option<SubIndication>, scope: Scope) {
    let indication = sub.map_or(Indication::TotalPassed, SubIndication::indication);
    let name = match (indication, scope) {
        (Indication::TotalPassed, Scope::Signature) => "total-passed",
        (Indication::TotalPassed, Scope::Object) => "passed",
        (Indication::TotalFailed, Scope::Signature) => "total-failed",
        (Indication::TotalFailed, Scope::Object) => "failed",
        (Indication::Indeterminate, _) => "indeterminate",
    };
    xml.leaf("MainIndication", &format!("{MAIN}{name}"));
    if let Some(sub) = sub {
        xml.leaf("SubIndication", &format!("{SUB}{sub}"));
    }
}

/// The certification path. The anchor is named only if the path leads to a trusted one.
fn chain(xml: &mut Xml, verdict: &Verdict) {
    let path = verdict.judgement.path.as_ref();
    let path = path.map(|path| path.certificates.as_slice()).unwrap_or_default();
    let [signer, above @ ..] = path else { return };
    let (anchor, between) = match above {
        [between @ .., anchor] => (Some(anchor), between),
        // The signer's certificate is the anchor.
        [] => (Some(signer), above),
    };
    let anchor = anchor.filter(|_| verdict.judgement.trusted == Some(true));
    if let Some(anchor) = anchor {
        xml.reference("TrustAnchor", &certificate_id(anchor));
    }
    xml.element("CertificateChain", |xml| {
        xml.reference("SigningCertificate", &certificate_id(signer));
        let below: &[Certificate] = if anchor.is_some() { between } else { above };
        for issuer in below {
            xml.reference("IntermediateCertificate", &certificate_id(issuer));
        }
        if let Some(anchor) = anchor {
            xml.reference("TrustAnchor", &certificate_id(anchor));
        }
    });
}

fn revocation(xml: &mut Xml, revoked: &RevokedCertificate, objects: &Objects<'_>) {
    xml.element("RevocationStatusInformation", |xml| {
        xml.reference("ValidationObjectId", &certificate_id(&revoked.certificate));
        xml.leaf("RevocationTime", &time(revoked.time));
        if let Some(reason) = revoked.reason {
            let reason = format!("{REVOCATION_REASON}{}", reason_name(reason));
            xml.leaf("RevocationReason", &reason);
        }
        if let Some(data) = objects.revocation_data(revoked.data) {
            xml.reference("RevocationObject", data);
        }
    });
}

/// The name of CRLReason in RFC 5280, 5.3.1.
const fn reason_name(reason: RevocationReason) -> &'static str {
    match reason {
        RevocationReason::KeyCompromise => "keyCompromise",
        RevocationReason::CaCompromise => "cACompromise",
        RevocationReason::AffiliationChanged => "affiliationChanged",
        RevocationReason::Superseded => "superseded",
        RevocationReason::CessationOfOperation => "cessationOfOperation",
        RevocationReason::CertificateHold => "certificateHold",
        RevocationReason::RemoveFromCrl => "removeFromCRL",
        RevocationReason::PrivilegeWithdrawn => "privilegeWithdrawn",
        RevocationReason::AaCompromise => "aACompromise",
        _ => "unspecified",
    }
}

fn cryptography(xml: &mut Xml, weak: &WeakUse, signature: &str, objects: &Objects<'_>) {
    let object = match &weak.object {
        WeakObject::Certificate(id) => objects.certificate(*id),
        WeakObject::RevocationData(id) => objects.revocation_data(*id),
        _ => None,
    };
    let uri = match weak.algorithm {
        Some(WeakAlgorithm::Signature(algorithm)) => algorithm.xml_uri(),
        Some(WeakAlgorithm::Digest(algorithm)) => algorithm.xml_uri(),
        _ => "",
    };
    xml.element("CryptoInformation", |xml| {
        xml.reference("ValidationObjectId", object.unwrap_or(signature));
        xml.leaf("Algorithm", if uri.is_empty() { UNIDENTIFIED } else { uri });
        xml.leaf("SecureAlgorithm", "false");
        if let Some(end) = weak.weakness.as_ref().and_then(ades_validation::Weakness::end) {
            xml.leaf("NotAfter", &time(end));
        }
    });
}

/// Reasons with their codes, as text for people.
fn reasons(xml: &mut Xml, all: &[(&str, &[Reason])]) {
    if all.iter().all(|(_, reasons)| reasons.is_empty()) {
        return;
    }
    xml.element("AdditionalValidationReportData", |xml| {
        for (kind, reasons) in all {
            for reason in *reasons {
                xml.element("ReportData", |xml| {
                    xml.leaf("Type", &format!("{OWN}{kind}:{}", reason.code));
                    xml.leaf_with("Value", &[("xsi:type", "xs:string")], &reason.text);
                });
            }
        }
    });
}
