//! What the intact references of one signature cover together.

use super::super::coverage::Covering;
use super::super::evaluate::Outcome;
use super::{ReportBuilder, whole_element};
use crate::report::{Coverage, Place, Problem, ReferenceKind, ReferenceReport};

impl ReportBuilder<'_, '_> {
    /// Whether it is in a `xades:CounterSignature` of another signature.
    pub(super) fn is_counter(&self) -> bool {
        self.collected.countersigned().is_some()
    }

    pub(super) fn check_coverage(&mut self, references: &[ReferenceReport]) -> Coverage {
        let mut intact = Vec::new();
        let (mut unknown, mut inside, mut outside) = (false, false, false);
        for (report, outcome) in references.iter().zip(&self.outcomes.references) {
            let manifest = self.manifest_at(outcome);
            let inner = report.manifest.iter().zip(manifest.unwrap_or_default());
            for (report, outcome) in std::iter::once((report, outcome)).chain(inner) {
                if is_data(report) {
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
            let mut signed = references.iter().filter_map(signed_from);
            let over = signed.any(|from| Some(from) == value);
            self.problem(!over, Problem::CountersignatureMismatch);
            return if over { Coverage::Whole } else { Coverage::Unknown };
        }
        let detached = outside && !inside;
        let document = self.context.document;
        let (covers, expected) = covering.coverage(document, self.signature, detached);
        self.expected = document.expected.iter().map(|place| covering.includes(place)).collect();
        let elsewhere = self.countersigns_another(references);
        // What the caller expects to be signed must be covered as a whole.
        let partly = document.expected.is_empty() && !detached && covering.names_root(document);
        let covers_less = !expected && !unknown && !elsewhere;
        self.problem(covers_less && !partly, Problem::NotCovered);
        self.problem(covers_less && partly, Problem::PartlyCovered);
        if unknown { Coverage::Unknown } else { covers }
    }

    /// Whether everything that a reference covers is inside the signature.
    fn is_in_signature(&self, reference: &ReferenceReport) -> bool {
        let own = Place::new(&self.signature.element.place);
        let mut places = reference.covers.iter().map(|part| part.place);
        !reference.more && places.all(|place| own.from < place.from && place.to < own.to)
    }

    pub(super) fn manifest_at(&self, outcome: &Outcome) -> Option<&[Outcome]> {
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
        let over_another = |reference: &&ReferenceReport| {
            signed_from(reference).is_some_and(|from| from != own && others.contains(&from))
        };
        let data: Vec<_> = references.iter().filter(|reference| is_data(reference)).collect();
        !data.is_empty() && data.iter().all(over_another)
    }
}

/// Whether a reference is to data, and not to a part of the signature.
const fn is_data(reference: &ReferenceReport) -> bool {
    matches!(reference.kind, ReferenceKind::Data | ReferenceKind::CountersignedSignature)
}

/// Where the first part begins that an intact reference covers without leaving
/// anything out.
fn signed_from(reference: &ReferenceReport) -> Option<u64> {
    let whole = reference.intact == Some(true) && reference.left_out.is_empty();
    reference.covers.first().filter(|_| whole).map(|part| part.place.from)
}
