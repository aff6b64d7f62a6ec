//! Builds the report of one signature from its elements and from the outcomes of its
//! references.

mod coverage;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use ades_core::certificate::KeyType;
use ades_core::facts::SignatureFacts;
use ades_core::name::is_issuer_and_serial;
use ades_core::{Certificate, Digest, DigestAlgorithm};
use ades_evidence::VerifiedValues;

use crate::c14n::{Covered, ElementName, IdAttributes};
use crate::namespaces::{COUNTERSIGNED_SIGNATURE, DS, SIGNED_PROPERTIES};
use crate::report::{
    Coverage, Further, Level, Part, Place, Problem, ReferenceKind, ReferenceReport, SignatureReport,
};
use crate::value::raw_value;

use super::collect::{CollectedDocument, CollectedSignature};
use super::evaluate::{Outcome, Outcomes};
use super::evidence::SignatureEvidence;
use super::key_value::differs;
use super::properties::{BEFORE_BASELINE, DataObjectFormat};
use super::signature::{Manifest, Reference, Signature, SignedDigest};
use super::tree::{self, Element};

/// Maximum number of parts of each kind in the report of a reference.
const MAX_PARTS: usize = 64;

/// A document, its signatures, and the inputs of the verification.
pub(crate) struct Context<'c> {
    pub(crate) document: &'c CollectedDocument,
    pub(crate) signatures: &'c [Option<Signature<'c>>],
    pub(crate) outcomes: &'c [Outcomes],
    pub(crate) verified: &'c VerifiedValues,
    /// The evidence in each signature.
    pub(crate) evidence: &'c [SignatureEvidence],
    /// The places of the signatures, except those that come out of an entity.
    pub(crate) places: HashSet<Range<u64>>,
}

/// Builds the report of the signature with this index.
pub(crate) fn signature_report(context: &Context<'_>, index: usize) -> SignatureReport {
    let collected = context.document.signatures.get(index);
    let signature = context.signatures.get(index).and_then(Option::as_ref);
    let found = context.outcomes.get(index).zip(context.evidence.get(index));
    match (collected, signature, found) {
        (Some(collected), Some(signature), Some((outcomes, evidence))) => {
            let (problems, expected) = (Vec::new(), Vec::new());
            let builder = ReportBuilder {
                context,
                collected,
                signature,
                outcomes,
                evidence,
                problems,
                expected,
            };
            builder.build()
        }
        (collected, _, _) => malformed(collected),
    }
}

fn malformed(collected: Option<&CollectedSignature>) -> SignatureReport {
    let element = collected.map(|collected| &collected.element);
    let place = element.map(|element| element.place.clone()).unwrap_or_default();
    SignatureReport {
        format: "XMLDSig",
        id: element.and_then(Element::id).map(ToOwned::to_owned),
        place: Place::new(&place),
        level: Level::Below,
        intact: Some(false),
        signer: None,
        covers: Coverage::Unknown,
        problems: vec![Problem::SignatureMalformed],
        claimed_time: None,
        signature_algorithm: String::new(),
        canonicalization: String::new(),
        references: Vec::new(),
        policy: None,
        commitments: Vec::new(),
        signer_roles: Vec::new(),
        location: None,
        further: Further::default(),
        unsigned_properties: Vec::new(),
        countersignatures: Vec::new(),
        expected: Vec::new(),
        facts: SignatureFacts::new(),
    }
}

struct ReportBuilder<'r, 'c> {
    context: &'r Context<'c>,
    collected: &'r CollectedSignature,
    signature: &'r Signature<'c>,
    outcomes: &'r Outcomes,
    evidence: &'r SignatureEvidence,
    problems: Vec<Problem>,
    /// Whether each element that the caller expects to be signed is covered.
    expected: Vec<bool>,
}

impl<'r> ReportBuilder<'r, '_> {
    /// Adds the problem if the condition holds. Returns the condition.
    fn problem(&mut self, condition: bool, problem: Problem) -> bool {
        if condition && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        condition
    }

    fn build(mut self) -> SignatureReport {
        let signature = self.signature;
        let qualifying = &signature.qualifying;
        for problem in &qualifying.problems {
            self.problem(true, *problem);
        }
        let certificate = self.certificate();
        let key_info = signature.element.child(DS, "KeyInfo");
        let other_key = key_info.zip(certificate).is_some_and(|(info, c)| differs(info, c));
        self.problem(other_key, Problem::KeyValueMismatch);
        let value_verifies = self.value_verifies(certificate);
        let mut references = self.references();
        let intact = references.iter().fold(value_verifies, |all, reference| {
            match (all, reference.intact) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            }
        });
        self.check_binding(&references);
        self.check_qualifying(&references);
        self.check_ids(&references);
        self.check_formats(&mut references);
        let covers = self.check_coverage(&references);

        let facts = self.facts(certificate);
        let info = &signature.signed_info;
        let algorithm = info.algorithm.map(|algorithm| algorithm.to_string());
        let canonicalization = info.element.children.first();
        let canonicalization = canonicalization.and_then(|method| method.attribute("Algorithm"));
        let unsigned = qualifying.unsigned.iter().map(|property| property.local_name.clone());
        SignatureReport {
            format: if qualifying.problems.contains(&Problem::QualifyingPropertiesMissing) {
                "XMLDSig"
            } else {
                "XAdES"
            },
            id: signature.element.id().map(ToOwned::to_owned),
            place: Place::new(&signature.element.place),
            level: self.level(),
            intact,
            signer: certificate.and_then(|c| c.common_name().map(ToOwned::to_owned)),
            covers,
            claimed_time: qualifying.signing_time,
            signature_algorithm: algorithm.unwrap_or_else(|| info.algorithm_uri.to_owned()),
            canonicalization: canonicalization.unwrap_or_default().to_owned(),
            references,
            policy: qualifying.policy.clone(),
            commitments: qualifying.commitments.clone(),
            signer_roles: qualifying.signer_roles.clone(),
            location: qualifying.location.clone(),
            further: qualifying.further.clone(),
            unsigned_properties: unsigned.collect(),
            countersignatures: Vec::new(),
            problems: self.problems,
            expected: self.expected,
            facts,
        }
    }

    fn facts(&self, certificate: Option<&Certificate>) -> SignatureFacts {
        let info = &self.signature.signed_info;
        let digests = info.references.iter().filter_map(|reference| reference.digest.known());
        let mut facts = SignatureFacts::new();
        facts.certificate = certificate.cloned();
        let value = self.signature.value.as_deref();
        facts.value_digest = value.map(|value| Digest::of(DigestAlgorithm::Sha256, value));
        facts.signature_algorithm = info.algorithm;
        facts.digest_algorithms = digests.map(Digest::algorithm).collect();
        facts.digest_algorithms.sort();
        facts.digest_algorithms.dedup();
        facts.time_stamps.clone_from(&self.evidence.time_stamps);
        facts
    }

    /// The certificate that the signature names. If it names none, the first
    /// certificate in `ds:KeyInfo` that is not a CA certificate.
    fn certificate(&mut self) -> Option<&'r Certificate> {
        let own = &self.signature.certificates;
        let all: Vec<&Certificate> = own.iter().chain(&self.signature.other_certificates).collect();
        let first = own.iter().find(|certificate| !certificate.is_ca()).or(own.first());
        let named = self.signature.qualifying.signing_certificate.as_ref();
        let plain = self.signature.qualifying.element.is_none();
        let bound = named.is_some_and(|named| named.known().is_some());
        self.problem(!plain && !bound, Problem::SigningCertificateMissing);
        let meant = named
            .and_then(SignedDigest::known)
            .and_then(|digest| all.into_iter().find(|c| c.digest(digest.algorithm()) == *digest));
        self.problem(first.or(meant).is_none(), Problem::SignerCertificateMissing);
        if !bound {
            return first;
        }
        self.problem(first.is_some() && meant.is_none(), Problem::SigningCertificateMismatch);
        let issuer_serial = self.signature.qualifying.issuer_serial.as_deref();
        let other =
            issuer_serial.zip(meant).is_some_and(|(named, c)| !is_issuer_and_serial(named, c));
        self.problem(other, Problem::IssuerSerialMismatch);
        let legacy = self.signature.qualifying.legacy_certificate.as_ref();
        let other = legacy.zip(meant).is_some_and(|(named, c)| named.differs(c));
        self.problem(other, Problem::SigningCertificateMismatch);
        meant.or(first)
    }

    /// Whether the value verifies over octets that state the same as the `ds:SignedInfo`
    /// that was read.
    /// `None` if that cannot be found out.
    fn value_verifies(&mut self, certificate: Option<&Certificate>) -> Option<bool> {
        let info = &self.signature.signed_info;
        let known = info.method.is_some() && info.algorithm.is_some();
        self.problem(!known, Problem::UnsupportedAlgorithm);
        let Some(octets) = self.outcomes.signed_info.as_ref() else {
            let is_malformed = self.problem(info.method.is_some(), Problem::SignatureMalformed);
            return is_malformed.then_some(false);
        };
        // The verified octets must have the content that was read from the element.
        let read = tree::of_fragment(octets, &IdAttributes::default());
        let same = read.is_some_and(|read| read.has_same_content(info.element));
        if self.problem(!same, Problem::SignatureMalformed) {
            return Some(false);
        }
        let (algorithm, certificate) = info.algorithm.zip(certificate)?;
        let key = certificate.key_type();
        if self.problem(key == KeyType::Unsupported, Problem::UnsupportedAlgorithm) {
            return None;
        }
        let value = self.signature.value.as_deref();
        let value = value.and_then(|value| raw_value(algorithm, key, value));
        let verified = self.context.verified;
        let result = value.map(|value| verified.verify(certificate, algorithm, octets, &value));
        if result == Some(None) {
            self.problem(true, Problem::UnsupportedAlgorithm);
            return None;
        }
        Some(!self.problem(result != Some(Some(true)), Problem::SignatureInvalid))
    }

    fn references(&mut self) -> Vec<ReferenceReport> {
        let mut reports = Vec::new();
        let signed = self.signature.signed_info.references.iter().zip(&self.outcomes.references);
        for (reference, outcome) in signed {
            let mut report = self.reference(reference, outcome);
            if let Some(problem) = report.problem {
                self.problem(true, problem);
            }
            let start = whole_element(outcome).map(|element| element.start);
            let manifests = self.signature.manifests.iter().zip(&self.outcomes.manifests);
            // A reference that covers no element must not cost a search through the
            // manifests.
            let manifests = start.into_iter().flat_map(|start| {
                let here = move |manifest: &Manifest<'_>| manifest.element.place.start == start;
                manifests.clone().filter(move |(manifest, _)| here(manifest))
            });
            for (manifest, outcomes) in manifests {
                let inner = manifest.references.iter().zip(outcomes);
                report.manifest = inner.map(|(r, outcome)| self.reference(r, outcome)).collect();
                let intact = report.manifest.iter().all(|inner| inner.intact == Some(true));
                self.problem(!intact, Problem::ManifestMismatch);
            }
            reports.push(report);
        }
        reports
    }

    fn reference(&self, reference: &Reference<'_>, outcome: &Outcome) -> ReferenceReport {
        let (intact, problem) = match (&outcome.problem, &reference.digest, &outcome.digest) {
            (Some(problem), _, _) => (None, Some(*problem)),
            (None, SignedDigest::Unsupported, _) => (None, Some(Problem::UnsupportedAlgorithm)),
            (None, SignedDigest::Known(signed), Some(found)) if signed == found => {
                (Some(true), None)
            }
            _ => (Some(false), Some(Problem::DigestMismatch)),
        };
        let algorithm = DigestAlgorithm::from_xml_uri(reference.algorithm_uri);
        let (covers, left_out, more) = self.parts(outcome);
        ReferenceReport {
            id: reference.id.map(ToOwned::to_owned),
            uri: reference.uri.map(ToOwned::to_owned),
            kind: self.kind(reference, outcome),
            intact,
            problem,
            detail: outcome.detail.clone(),
            digest_algorithm: algorithm
                .map_or_else(|| reference.algorithm_uri.to_owned(), |known| known.to_string()),
            transforms: reference.transforms(),
            length: outcome.length,
            covers,
            left_out,
            more,
            text_only: outcome.covered.as_ref().is_some_and(|covered| covered.text),
            comments: outcome.comments,
            comments_left_out: outcome.comments_left_out,
            mime_type: None,
            description: None,
            manifest: Vec::new(),
            undecided: intact.is_none().then(|| outcome.digest.clone()).flatten(),
        }
    }

    fn parts(&self, outcome: &Outcome) -> (Vec<Part>, Vec<Place>, bool) {
        let Some(covered) = &outcome.covered else { return Default::default() };
        let mut parts = Vec::new();
        if covered.outside {
            let place = Place { from: 0, to: self.context.document.length };
            parts.push(Part::new(&self.context.document.root, place));
        }
        for element in &covered.elements {
            let span = covered.selected.iter().find(|span| span.start_tag.start == element.start);
            if let Some(span) = span {
                parts.push(Part::new(element, Place::new(&span.whole())));
            }
        }
        let holes: Vec<Place> =
            covered.left_out.iter().take(MAX_PARTS).map(|span| Place::new(&span.whole())).collect();
        let more =
            covered.selected.len() > covered.elements.len() || covered.left_out.len() > holes.len();
        (parts, holes, more)
    }

    fn kind(&self, reference: &Reference<'_>, outcome: &Outcome) -> ReferenceKind {
        let element = only_element(outcome);
        let signed = self.signature.qualifying.signed;
        let is = |place: &Range<u64>| element.is_some_and(|e| e.start == place.start);
        let of_ds = |name| element.is_some_and(|e| e.namespace == DS && e.local_name == name);
        if signed.is_some_and(|signed| is(&signed.place)) {
            ReferenceKind::SignedProperties
        } else if of_ds("SignatureValue") || reference.kind == Some(COUNTERSIGNED_SIGNATURE) {
            ReferenceKind::CountersignedSignature
        } else if of_ds("Manifest") {
            ReferenceKind::Manifest
        } else if of_ds("KeyInfo") {
            ReferenceKind::KeyInfo
        } else if of_ds("SignatureProperties") {
            ReferenceKind::SignatureProperties
        } else {
            ReferenceKind::Data
        }
    }

    /// A signed `ds:KeyInfo` binds the certificate in it.
    fn check_binding(&mut self, references: &[ReferenceReport]) {
        let missing = Problem::SigningCertificateMissing;
        let named = self.signature.qualifying.signing_certificate.is_some();
        let signed = references.iter().any(|reference| {
            reference.kind == ReferenceKind::KeyInfo
                && reference.intact == Some(true)
                && reference.left_out.is_empty()
                && !reference.text_only
        });
        if !named && signed && !self.signature.certificates.is_empty() {
            let problems = self.problems.iter_mut();
            problems.filter(|p| **p == missing).for_each(|p| *p = Problem::KeyInfoSigned);
        }
    }

    /// EN 319 132-1, clauses 4.3.1 and 6.3.
    fn check_qualifying(&mut self, references: &[ReferenceReport]) {
        let qualifying = &self.signature.qualifying;
        let Some(properties) = qualifying.element else { return };
        let target = properties.attribute("Target").and_then(|uri| uri.strip_prefix('#'));
        let own = self.signature.element.id();
        self.problem(target.is_none() || target != own, Problem::QualifyingPropertiesTarget);
        let others = self.context.document.signatures.iter();
        let same = |other: &&CollectedSignature| own.is_some() && other.element.id() == own;
        self.problem(others.filter(same).count() > 1, Problem::DuplicateId);
        let referenced = references.iter().zip(&self.signature.signed_info.references);
        let referenced = referenced
            .filter(|(report, _)| report.kind == ReferenceKind::SignedProperties)
            .any(|(report, reference)| {
                reference.kind == Some(SIGNED_PROPERTIES)
                    && report.left_out.is_empty()
                    && !report.text_only
            });
        self.problem(!referenced, Problem::SignedPropertiesNotReferenced);
        self.problem(qualifying.signing_time.is_none(), Problem::SigningTimeMissing);
        let all = self.context.document.signatures.iter();
        let mut here = self.context.document.signatures.iter();
        let here = here.position(|other| std::ptr::eq(other, self.collected));
        let counter = all.filter(|other| other.countersigned() == here && here.is_some()).count();
        self.problem(qualifying.has_unknown(counter), Problem::UnknownProperty);
    }

    /// Reports two references with the same Id: a property about that Id could mean
    /// either.
    fn check_ids(&mut self, references: &[ReferenceReport]) {
        let all = references.iter().flat_map(|r| std::iter::once(r).chain(&r.manifest));
        let mut seen = HashSet::new();
        let twice = all.filter_map(|r| r.id.as_deref()).any(|id| !seen.insert(id));
        self.problem(twice, Problem::DuplicateId);
    }

    /// EN 319 132-1, clauses 5.2.4 and 6.3 (k).
    fn check_formats(&mut self, references: &mut [ReferenceReport]) {
        let qualifying = &self.signature.qualifying;
        if qualifying.element.is_none() {
            return;
        }
        // By target: the formats, and whether the target is a reference.
        let mut formats: HashMap<&str, (Vec<&DataObjectFormat<'_>>, bool)> = HashMap::new();
        for format in &qualifying.formats {
            formats.entry(format.target.unwrap_or_default()).or_default().0.push(format);
        }
        let mut differs = false;
        let objects = self.signature.objects.iter().map(|object| (object.place.start, *object));
        let objects: HashMap<u64, &Element> = objects.collect();
        let mut apply = |reference: &mut ReferenceReport| {
            let id = reference.id.as_deref().unwrap_or_default();
            let Some((formats, applied)) = formats.get_mut(id).filter(|_| !id.is_empty()) else {
                return;
            };
            // Of several references with one Id only the first is compared, so that
            // each format is compared once.
            if std::mem::replace(applied, true) {
                return;
            }
            let object = only_place(reference).and_then(|place| {
                objects.get(&place.from).filter(|object| Place::new(&object.place) == place)
            });
            for format in formats.iter() {
                differs |= object.is_some_and(|object| format.differs_from(object));
            }
            if let Some(format) = formats.last() {
                reference.mime_type.clone_from(&format.mime_type);
                reference.description.clone_from(&format.description);
            }
        };
        for reference in &mut *references {
            apply(reference);
            reference.manifest.iter_mut().for_each(&mut apply);
        }
        let unknown = formats.values().any(|(_, applied)| !applied);
        self.problem(differs, Problem::DataObjectFormatMismatch);
        self.problem(unknown, Problem::DataObjectFormatTarget);
        let bare = |reference: &ReferenceReport| {
            reference.kind == ReferenceKind::Data && reference.mime_type.is_none()
        };
        // The format of a manifest is the format of all its references.
        let missing = references.iter().any(|reference| {
            let listed = || reference.manifest.iter().any(bare);
            bare(reference) || reference.mime_type.is_none() && listed()
        });
        self.problem(missing && !self.is_counter(), Problem::DataObjectFormatMissing);
    }

    /// The highest level of EN 319 132-1, table 2, for which there is evidence.
    fn level(&self) -> Level {
        const BELOW: [Problem; 16] = [
            Problem::DataObjectFormatMismatch,
            Problem::DataObjectFormatMissing,
            Problem::DataObjectFormatTarget,
            Problem::KeyInfoSigned,
            Problem::LegacyProperty,
            Problem::PropertyMalformed,
            Problem::PropertyRepeated,
            Problem::QualifyingPropertiesMissing,
            Problem::QualifyingPropertiesRepeated,
            Problem::QualifyingPropertiesTarget,
            Problem::SignedPropertiesNotReferenced,
            Problem::SignerCertificateMissing,
            Problem::SigningCertificateMismatch,
            Problem::SigningCertificateMissing,
            Problem::SigningTimeMissing,
            Problem::UnknownVersion,
        ];
        let qualifying = &self.signature.qualifying;
        if self.problems.iter().any(|problem| BELOW.contains(problem)) {
            Level::Below
        } else if !self.evidence.is_stamped {
            Level::B
        } else if !self.evidence.has_revocation_values || qualifying.has(&BEFORE_BASELINE) {
            Level::T
        } else if self.evidence.is_archived {
            Level::Lta
        } else {
            Level::Lt
        }
    }
}

/// The place of the only element that a reference covers, as a whole or its text.
fn only_place(reference: &ReferenceReport) -> Option<Place> {
    match reference.covers.as_slice() {
        [part] => Some(part.place),
        _ => None,
    }
}

/// The only element that a reference covers.
fn only_element(outcome: &Outcome) -> Option<&ElementName> {
    match outcome.covered.as_ref()?.elements.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// The only element that a reference covers, if nothing in it is left out.
fn whole_element(outcome: &Outcome) -> Option<&ElementName> {
    let whole = |covered: &Covered| covered.left_out.is_empty() && !covered.text;
    only_element(outcome).filter(|_| outcome.covered.as_ref().is_some_and(whole))
}

impl Place {
    pub(crate) const fn new(range: &Range<u64>) -> Self {
        Self { from: range.start, to: range.end }
    }
}

impl Part {
    pub(crate) fn new(element: &ElementName, place: Place) -> Self {
        Self {
            element: element.local_name.clone(),
            namespace: element.namespace.clone(),
            id: element.id.clone(),
            place,
        }
    }
}
