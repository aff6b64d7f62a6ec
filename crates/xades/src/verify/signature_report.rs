//! Builds the report of one signature from its elements and from the outcomes of its
//! references.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use ades_core::certificate::UsageCheck;
use ades_core::trust::{IssuerPool, PathBuilder};
use ades_core::verify::verify;
use ades_core::{Certificate, DigestAlgorithm};

use crate::c14n::{Covered, ElementName, IdAttributes};
use crate::namespaces::{COUNTERSIGNED_SIGNATURE, DS, SIGNED_PROPERTIES};
use crate::report::{
    Coverage, Level, Part, Place, Problem, ReferenceKind, ReferenceReport, SignatureReport,
};
use crate::value::raw_value;

use super::collect::{CollectedDocument, CollectedSignature};
use super::coverage::Covering;
use super::evaluate::{Outcome, Outcomes};
use super::issuer_serial::names;
use super::properties::DataObjectFormat;
use super::signature::{Manifest, Reference, Signature, SignedDigest};
use super::tree::{self, Element};

/// Maximum number of parts of each kind in the report of a reference.
const MAX_PARTS: usize = 64;

/// A document, its signatures, and the inputs of the verification.
pub(crate) struct Context<'c> {
    pub(crate) document: &'c CollectedDocument,
    pub(crate) signatures: &'c [Option<Signature<'c>>],
    pub(crate) outcomes: &'c [Outcomes],
    /// The places of the signatures, except those that come out of an entity.
    pub(crate) places: HashSet<Range<u64>>,
}

/// Builds the report of the signature with this index.
pub(crate) fn signature_report(
    context: &Context<'_>,
    index: usize,
    paths: &mut PathBuilder<'_>,
) -> SignatureReport {
    let collected = context.document.signatures.get(index);
    let signature = context.signatures.get(index).and_then(Option::as_ref);
    match (collected, signature, context.outcomes.get(index)) {
        (Some(collected), Some(signature), Some(outcomes)) => {
            ReportBuilder { context, collected, signature, outcomes, problems: Vec::new() }
                .build(paths)
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
        intact: false,
        signer: None,
        covers: Coverage::Unknown,
        problems: vec![Problem::SignatureMalformed],
        trusted: None,
        signing_time: None,
        signature_algorithm: String::new(),
        canonicalization: String::new(),
        references: Vec::new(),
        policy: None,
        commitments: Vec::new(),
        signer_roles: Vec::new(),
        location: None,
        unsigned_properties: Vec::new(),
        countersignatures: Vec::new(),
    }
}

struct ReportBuilder<'r, 'c> {
    context: &'r Context<'c>,
    collected: &'r CollectedSignature,
    signature: &'r Signature<'c>,
    outcomes: &'r Outcomes,
    problems: Vec<Problem>,
}

impl<'r> ReportBuilder<'r, '_> {
    /// Adds the problem if the condition holds. Returns the condition.
    fn problem(&mut self, condition: bool, problem: Problem) -> bool {
        if condition && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        condition
    }

    fn build(mut self, paths: &mut PathBuilder<'_>) -> SignatureReport {
        let signature = self.signature;
        let qualifying = &signature.qualifying;
        for problem in &qualifying.problems {
            self.problem(true, *problem);
        }
        let certificate = self.certificate();
        let value_verifies = self.value_verifies(certificate);
        let mut references = self.references();
        let digests_match = references.iter().all(|reference| reference.intact == Some(true));
        self.check_qualifying(&references);
        self.check_ids(&references);
        self.check_formats(&mut references);
        let covers = self.check_coverage(&references);

        let time = qualifying.signing_time;
        if let (Some(certificate), Some(time)) = (certificate, time) {
            let (from, to) = certificate.validity();
            self.problem(time < from || time > to, Problem::CertificateNotValidAtSigningTime);
        }
        let other_use = |c: &Certificate| !c.allows(UsageCheck::Signature);
        self.problem(certificate.is_some_and(other_use), Problem::KeyUsage);
        let issuers = IssuerPool::of(&signature.certificates);
        let trusted = certificate.and_then(|c| paths.reaches_anchor(c, &issuers, time));
        self.problem(trusted == Some(false), Problem::Untrusted);

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
            intact: value_verifies && digests_match,
            signer: certificate.and_then(|c| c.common_name().map(ToOwned::to_owned)),
            covers,
            trusted,
            signing_time: time,
            signature_algorithm: algorithm.unwrap_or_else(|| info.algorithm_uri.to_owned()),
            canonicalization: canonicalization.unwrap_or_default().to_owned(),
            references,
            policy: qualifying.policy.clone(),
            commitments: qualifying.commitments.clone(),
            signer_roles: qualifying.signer_roles.clone(),
            location: qualifying.location.clone(),
            unsigned_properties: unsigned.collect(),
            countersignatures: Vec::new(),
            problems: self.problems,
        }
    }

    /// The certificate that the signature names. If it names none, the first
    /// certificate in `ds:KeyInfo` that is not a CA certificate.
    fn certificate(&mut self) -> Option<&'r Certificate> {
        let all = &self.signature.certificates;
        let first = all.iter().find(|certificate| !certificate.is_ca()).or(all.first());
        let named = self.signature.qualifying.signing_certificate.as_ref();
        let plain = self.signature.qualifying.element.is_none();
        self.problem(first.is_none(), Problem::SignerCertificateMissing);
        let bound = named.is_some_and(|named| named.known().is_some());
        self.problem(!plain && !bound, Problem::SigningCertificateMissing);
        let Some(SignedDigest::Known(digest)) = named else { return first };
        let meant = all.iter().find(|c| c.digest(digest.algorithm()) == *digest);
        self.problem(first.is_some() && meant.is_none(), Problem::SigningCertificateMismatch);
        let issuer_serial = self.signature.qualifying.issuer_serial.as_deref();
        let other = issuer_serial.zip(meant).is_some_and(|(named, c)| !names(named, c));
        self.problem(other, Problem::SigningCertificateMismatch);
        meant.or(first)
    }

    /// Whether the value verifies over octets that state the same as the `ds:SignedInfo`
    /// that was read.
    fn value_verifies(&mut self, certificate: Option<&Certificate>) -> bool {
        let info = &self.signature.signed_info;
        let known = info.method.is_some() && info.algorithm.is_some();
        self.problem(!known, Problem::UnsupportedAlgorithm);
        let Some(octets) = self.outcomes.signed_info.as_ref() else {
            self.problem(info.method.is_some(), Problem::SignatureMalformed);
            return false;
        };
        // The verified octets must have the content that was read from the element.
        let read = tree::of_fragment(octets, &IdAttributes::default());
        let same = read.is_some_and(|read| read.has_same_content(info.element));
        if self.problem(!same, Problem::SignatureMalformed) {
            return false;
        }
        let (Some(algorithm), Some(certificate)) = (info.algorithm, certificate) else {
            return false;
        };
        let value = self.signature.value.as_deref();
        let value = value.and_then(|v| raw_value(algorithm, certificate.key_type(), v));
        let verifies = value.is_some_and(|v| verify(certificate, algorithm, octets, &v).is_ok());
        !self.problem(!verifies, Problem::SignatureInvalid)
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
        let algorithm = DigestAlgorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.xml_uri() == reference.algorithm_uri);
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

    /// Whether it is in a `xades:CounterSignature` of another signature.
    fn is_counter(&self) -> bool {
        self.collected.countersigned().is_some()
    }

    fn check_coverage(&mut self, references: &[ReferenceReport]) -> Coverage {
        let mut intact = Vec::new();
        let (mut unknown, mut inside, mut outside) = (false, false, false);
        for (report, outcome) in references.iter().zip(&self.outcomes.references) {
            let manifest = self.manifest_at(outcome);
            let inner = report.manifest.iter().zip(manifest.unwrap_or_default());
            for (report, outcome) in std::iter::once((report, outcome)).chain(inner) {
                if matches!(
                    report.kind,
                    ReferenceKind::Data | ReferenceKind::CountersignedSignature
                ) {
                    unknown |= report.intact != Some(true);
                    inside |= outcome.covered.is_some() && !self.is_in_signature(report);
                    outside |= outcome.covered.is_none();
                }
                if report.intact == Some(true) {
                    intact.push(outcome);
                }
            }
        }
        let covering = Covering::new(&intact, &self.context.places);
        let all = unknown || covering.signs_all_in(self.signature);
        self.problem(!all, Problem::UnsignedContent);
        if self.is_counter() {
            let around = self.collected.within.and_then(|at| self.context.signatures.get(at));
            let value = around.and_then(Option::as_ref).map(|around| around.value_place.start);
            let over = references.iter().any(|reference| {
                let place = reference.covers.first().map(|part| part.place.from);
                reference.intact == Some(true)
                    && reference.left_out.is_empty()
                    && place.is_some()
                    && place == value
            });
            self.problem(!over, Problem::CountersignatureMismatch);
            return if over { Coverage::Whole } else { Coverage::Unknown };
        }
        let detached = outside && !inside;
        let (covers, expected) = covering.coverage(self.context.document, self.signature, detached);
        let elsewhere = self.countersigns_another(references);
        self.problem(!expected && !unknown && !elsewhere, Problem::NotCovered);
        if unknown { Coverage::Unknown } else { covers }
    }

    /// Whether everything that a reference covers is inside the signature.
    fn is_in_signature(&self, reference: &ReferenceReport) -> bool {
        let own = Place::new(&self.signature.element.place);
        let mut places = reference.covers.iter().map(|part| part.place);
        !reference.more && places.all(|place| own.from < place.from && place.to < own.to)
    }

    fn manifest_at(&self, outcome: &Outcome) -> Option<&[Outcome]> {
        let start = whole_element(outcome)?.start;
        let manifests = self.signature.manifests.iter().zip(&self.outcomes.manifests);
        let mut at = manifests.filter(|(manifest, _)| manifest.element.place.start == start);
        at.next().map(|(_, outcomes)| outcomes.as_slice())
    }

    /// Whether the signature signs only the values of other signatures of the document,
    /// which have reports of their own.
    fn countersigns_another(&self, references: &[ReferenceReport]) -> bool {
        let own = self.signature.value_place.start;
        let others = self.context.signatures.iter().flatten();
        let others: Vec<u64> = others.map(|other| other.value_place.start).collect();
        let over_another = |reference: &ReferenceReport| {
            let place = reference.covers.first().map(|part| part.place.from);
            reference.intact == Some(true)
                && reference.left_out.is_empty()
                && place.is_some_and(|place| place != own && others.contains(&place))
        };
        let mut data = references.iter().filter(|r| {
            matches!(r.kind, ReferenceKind::Data | ReferenceKind::CountersignedSignature)
        });
        let mut any = false;
        let all = data.all(|reference| {
            any = true;
            over_another(reference)
        });
        any && all
    }

    /// The highest level whose properties are present (EN 319 132-1, table 2),
    /// whether they verify or not.
    fn level(&self) -> Level {
        const BELOW: [Problem; 15] = [
            Problem::DataObjectFormatMismatch,
            Problem::DataObjectFormatMissing,
            Problem::DataObjectFormatTarget,
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
        let validation = ["RevocationValues", "TimeStampValidationData", "AnyValidationData"];
        if self.problems.iter().any(|problem| BELOW.contains(problem)) {
            Level::Below
        } else if !qualifying.has(&["SignatureTimeStamp"]) {
            Level::B
        } else if !qualifying.has(&validation) {
            Level::T
        } else if !qualifying.has(&["ArchiveTimeStamp"]) {
            Level::Lt
        } else {
            Level::Lta
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
