//! Adds the certificates, revocation values and time-stamps of a document to the evidence.

use std::ops::Range;

use ades_core::facts::{
    Covers, Evidence, EvidencePlace, ImprintUndecided, Mark, Objects, TimeStampKind,
};
use ades_evidence::embedded::{AddedTimeStamp, add_revocation_value, add_time_stamp};

use crate::namespaces::{DS, XADES, XADES_141};

use super::evaluate::{Outcome, Outcomes};
use super::signature::Signature;
use super::time_stamp::{TimeStamp, is_stamped_reference};
use super::tree::Element;

/// The evidence in one signature.
#[derive(Debug, Default)]
pub(crate) struct SignatureEvidence {
    /// The positions of its time-stamps.
    pub(crate) time_stamps: Vec<usize>,
    /// Whether a time-stamp on the signature value can be evidence.
    pub(crate) is_stamped: bool,
    /// Whether an archive time-stamp of the baseline can be evidence.
    pub(crate) is_archived: bool,
    /// Whether it has revocation values of a known form.
    pub(crate) has_revocation_values: bool,
    /// The evidence in `ds:KeyInfo`.
    key_info: Objects,
    /// The evidence in the signed properties.
    signed: Objects,
    /// The end of the evidence before each unsigned property.
    properties: Vec<Mark>,
    begin: Mark,
    end: Mark,
    /// For each time-stamp property, its tokens.
    stamps: Vec<Vec<AddedTimeStamp>>,
}

/// Adds the evidence of all signatures.
pub(crate) fn collect(
    signatures: &[Option<Signature<'_>>],
    outcomes: &[Outcomes],
) -> (Evidence, Vec<SignatureEvidence>) {
    let mut evidence = Evidence::new();
    let mut all: Vec<SignatureEvidence> = Vec::new();
    for signature in signatures {
        let signature = signature.as_ref();
        all.push(signature.map(|one| add(one, &mut evidence)).unwrap_or_default());
    }
    for (at, (signature, outcomes)) in signatures.iter().zip(outcomes).enumerate() {
        if let (Some(signature), Some(found)) = (signature, all.get(at)) {
            compare(signature, outcomes, found, &mut evidence);
            cover(signature, outcomes, found, (signatures, &all), &mut evidence);
        }
    }
    for (signature, found) in signatures.iter().zip(&mut all) {
        let Some(signature) = signature else { continue };
        let fits = |stamp: &AddedTimeStamp| {
            let facts = stamp.position.and_then(|at| evidence.time_stamps().get(at));
            facts.is_some_and(|facts| facts.fits())
        };
        for (property, tokens) in signature.time_stamps.iter().zip(&found.stamps) {
            let is_fitting = tokens.iter().any(fits);
            found.is_stamped |= is_fitting && property.kind == TimeStampKind::Signature;
            found.is_archived |= is_fitting && property.is_archive();
        }
    }
    (evidence, all)
}

/// Adds the evidence of one signature, in the order of the document.
fn add(signature: &Signature<'_>, evidence: &mut Evidence) -> SignatureEvidence {
    let begin = evidence.mark();
    let mut found = SignatureEvidence { begin, ..SignatureEvidence::default() };
    for certificate in &signature.certificates {
        evidence.add_read_certificate(certificate, EvidencePlace::KeyInfo);
    }
    found.key_info = evidence.since(begin);
    let mark = evidence.mark();
    let mut stamps = signature.time_stamps.iter().peekable();
    while let Some(stamp) = stamps.next_if(|stamp| stamp.kind == TimeStampKind::Content) {
        found.add_stamp(stamp, evidence);
    }
    found.signed = evidence.since(mark);
    for property in &signature.qualifying.unsigned {
        found.properties.push(evidence.mark());
        match stamps.next_if(|stamp| stamp.place == property.place) {
            Some(stamp) => found.add_stamp(stamp, evidence),
            None => add_values(property, evidence),
        }
    }
    found.end = evidence.mark();
    let own = evidence.since(begin).revocation_values;
    let values = own.iter().filter_map(|at| evidence.revocation_values().get(at));
    found.has_revocation_values = values.into_iter().any(|value| {
        let place = value.place;
        place == EvidencePlace::Values
            || place == EvidencePlace::TimeStampValidationData
            || place == EvidencePlace::AnyValidationData
    });
    found
}

impl SignatureEvidence {
    fn add_stamp(&mut self, stamp: &TimeStamp, evidence: &mut Evidence) {
        let added: Vec<AddedTimeStamp> =
            stamp.tokens.iter().map(|token| add_time_stamp(evidence, stamp.kind, token)).collect();
        evidence.add_unreadable(stamp.unreadable);
        self.time_stamps.extend(added.iter().filter_map(|stamp| stamp.position));
        self.stamps.push(added);
    }

    /// The evidence in the unsigned property with this index.
    fn in_property(&self, index: usize, evidence: &Evidence) -> Objects {
        let end = self.properties.get(index + 1).unwrap_or(&self.end);
        let start = self.properties.get(index);
        start.map(|start| evidence.between(*start, *end)).unwrap_or_default()
    }
}

/// Adds the values in an unsigned property (clauses 5.4 and 5.5.1).
fn add_values(property: &Element, evidence: &mut Evidence) {
    let place = match property.local_name.as_str() {
        "CertificateValues" | "RevocationValues" => EvidencePlace::Values,
        "AttrAuthoritiesCertValues" | "AttributeRevocationValues" => {
            EvidencePlace::AttributeAuthorityValues
        }
        "TimeStampValidationData" => EvidencePlace::TimeStampValidationData,
        "AnyValidationData" => EvidencePlace::AnyValidationData,
        _ => return,
    };
    if property.namespace != XADES && property.namespace != XADES_141 {
        return;
    }
    add_cut(property, evidence);
    match property.local_name.as_str() {
        "CertificateValues" | "AttrAuthoritiesCertValues" => {
            add_certificates(property, place, evidence);
        }
        "RevocationValues" | "AttributeRevocationValues" => {
            add_revocation_values(property, place, evidence);
        }
        _ => {
            for values in property.all(XADES, "CertificateValues") {
                add_certificates(values, place, evidence);
            }
            for values in property.all(XADES, "RevocationValues") {
                add_revocation_values(values, place, evidence);
            }
        }
    }
}

fn add_certificates(values: &Element, place: EvidencePlace, evidence: &mut Evidence) {
    add_cut(values, evidence);
    for value in values.all(XADES, "EncapsulatedX509Certificate") {
        if let Some(octets) = octets(value, evidence) {
            evidence.add_certificate(&octets, place);
        }
    }
}

fn add_revocation_values(values: &Element, place: EvidencePlace, evidence: &mut Evidence) {
    add_cut(values, evidence);
    for (list, name) in
        [("CRLValues", "EncapsulatedCRLValue"), ("OCSPValues", "EncapsulatedOCSPValue")]
    {
        for list in values.all(XADES, list) {
            add_cut(list, evidence);
            for value in list.all(XADES, name) {
                if let Some(octets) = octets(value, evidence) {
                    add_revocation_value(evidence, &octets, place);
                }
            }
        }
    }
}

/// The octets of a value that was kept.
fn octets(value: &Element, evidence: &mut Evidence) -> Option<Vec<u8>> {
    if value.cut {
        add_cut(value, evidence);
        return None;
    }
    let octets = value.octets();
    evidence.add_unreadable(usize::from(octets.is_none()));
    octets
}

fn add_cut(element: &Element, evidence: &mut Evidence) {
    evidence.add_left_out(usize::from(element.cut));
}

/// Compares the imprints of the time-stamps.
fn compare(
    signature: &Signature<'_>,
    outcomes: &Outcomes,
    found: &SignatureEvidence,
    evidence: &mut Evidence,
) {
    for (at, (property, tokens)) in signature.time_stamps.iter().zip(&found.stamps).enumerate() {
        for stamp in tokens {
            let known = |algorithm| match outcomes.stamped.get(&(at, algorithm)) {
                Some(digest) => digest.clone(),
                None => Err(ImprintUndecided::UnsupportedForm),
            };
            stamp.compare(evidence, known);
            let facts = stamp.position.and_then(|at| evidence.time_stamp_mut(at));
            if let Some(facts) = facts.filter(|facts| facts.imprint == Some(false))
                && property.is_uncertain()
            {
                facts.set_imprint(Err(ImprintUndecided::UnsupportedForm));
            }
        }
    }
}

/// All signatures, and the evidence in each.
type All<'a> = (&'a [Option<Signature<'a>>], &'a [SignatureEvidence]);

/// States what the time-stamps cover, if their imprints could be compared. The number of
/// those is limited.
fn cover(
    signature: &Signature<'_>,
    outcomes: &Outcomes,
    found: &SignatureEvidence,
    all: All<'_>,
    evidence: &mut Evidence,
) {
    for (property, tokens) in signature.time_stamps.iter().zip(&found.stamps) {
        let facts =
            |stamp: &AddedTimeStamp| stamp.position.map(|at| evidence.time_stamps().get(at));
        let is_compared = |stamp: &AddedTimeStamp| {
            facts(stamp).flatten().is_some_and(|facts| facts.imprint.is_some())
        };
        if !tokens.iter().any(is_compared) {
            continue;
        }
        let covers = covers(signature, outcomes, found, all, property, evidence);
        for stamp in tokens {
            if let Some(facts) = stamp.position.and_then(|at| evidence.time_stamp_mut(at)) {
                facts.covers = covers.clone();
            }
        }
    }
}

fn covers(
    signature: &Signature<'_>,
    outcomes: &Outcomes,
    found: &SignatureEvidence,
    all: All<'_>,
    property: &TimeStamp,
    evidence: &Evidence,
) -> Covers {
    let mut covers = Covers::default();
    if property.kind == TimeStampKind::Content {
        covers.signed_data = true;
        return covers;
    }
    let unsigned = &signature.qualifying.unsigned;
    let before = unsigned.iter().take_while(|other| property.is_after(other));
    covers.references = property.kind != TimeStampKind::Signature
        && before.clone().any(|other| is_stamped_reference(other, false));
    if property.kind == TimeStampKind::References {
        return covers;
    }
    (covers.signed_data, covers.signature) = (true, true);
    covers.objects.add(&found.signed);
    match property.kind {
        TimeStampKind::Archive => {
            // Everything before it, and the countersignatures in that.
            let end = found.properties.get(before.count()).unwrap_or(&found.end);
            covers.objects.add(&evidence.between(found.begin, *end));
            let start = unsigned.first().map_or(property.place.start, |first| first.place.start);
            cover_inside(&(start..property.place.start), all, evidence, &mut covers);
        }
        TimeStampKind::SignatureAndReferences => {
            for (index, _) in
                before.enumerate().filter(|(_, other)| other.local_name == "SignatureTimeStamp")
            {
                covers.objects.add(&found.in_property(index, evidence));
            }
        }
        _ if signs_key_info(signature, outcomes) => covers.objects.add(&found.key_info),
        _ => {}
    }
    covers
}

/// The evidence in the signatures in this part of the document: countersignatures.
fn cover_inside(place: &Range<u64>, all: All<'_>, evidence: &Evidence, covers: &mut Covers) {
    for (inner, found) in all.0.iter().zip(all.1) {
        let inner = inner.as_ref().map(|inner| &inner.element.place);
        if inner.is_some_and(|inner| place.start < inner.start && inner.end <= place.end) {
            covers.objects.add(&evidence.between(found.begin, found.end));
        }
    }
}

/// Whether a reference is to the whole `ds:KeyInfo`.
fn signs_key_info(signature: &Signature<'_>, outcomes: &Outcomes) -> bool {
    let Some(key_info) = signature.element.child(DS, "KeyInfo") else { return false };
    let is_over = |outcome: &Outcome| {
        let covered = outcome.covered.as_ref().filter(|covered| !covered.text);
        covered.is_some_and(|covered| {
            covered.left_out.is_empty()
                && covered.selected.iter().any(|span| span.whole() == key_info.place)
        })
    };
    outcomes.references.iter().any(is_over)
}
