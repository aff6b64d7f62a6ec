//! What a signature covers of its document, and of itself.

use std::collections::HashSet;
use std::ops::Range;

use crate::c14n::{Canonicalization, Covered, Selected};
use crate::properties::DS;
use crate::report::Coverage;

use super::evaluate::Outcome;
use super::signature::Signature;
use super::survey::{ANY_XADES, Survey};
use super::tree::Element;

/// Root elements that hold signatures about other documents and nothing else:
/// of ASiC (EN 319 162-1, A.7), of OpenDocument and of OCF.
const CONTAINERS: [(&str, &str); 3] = [
    ("http://uri.etsi.org/02918/v1.2.1#", "XAdESSignatures"),
    ("urn:oasis:names:tc:opendocument:xmlns:digitalsignature:1.0", "document-signatures"),
    ("urn:oasis:names:tc:opendocument:xmlns:container", "signatures"),
];

/// What the intact references of a signature cover together.
pub(crate) struct Covering {
    nodes: Vec<Nodes>,
    /// Elements of which only the text is covered.
    texts: HashSet<Range<u64>>,
}

/// The nodes that one reference covers.
struct Nodes {
    /// Whether they are the document, less what is left out.
    document: bool,
    selected: Places,
    /// What is left out: signatures ...
    signatures: Places,
    /// ... and others.
    others: Places,
}

impl Covering {
    /// `signatures`: where the document's signatures stand.
    pub(crate) fn new(intact: &[&Outcome], signatures: &HashSet<Range<u64>>) -> Self {
        let covered = || intact.iter().filter_map(|outcome| outcome.covered.as_ref());
        let texts = covered().filter(|c| c.text && c.left_out.is_empty() && !c.passed_over);
        Self {
            nodes: covered().filter(|c| !c.text).map(|c| Nodes::new(c, signatures)).collect(),
            texts: texts.flat_map(|c| &c.selected).map(|span| span.whole()).collect(),
        }
    }

    /// Whether one reference covers all of an element but for signatures in it.
    fn includes(&self, element: &Range<u64>) -> bool {
        self.nodes.iter().any(|nodes| nodes.include(element))
    }

    /// How much is covered of the document, and whether that is what has to be.
    /// `detached`: what the signature is about is elsewhere.
    pub(crate) fn coverage(
        &self,
        survey: &Survey,
        signature: &Signature<'_>,
        detached: bool,
    ) -> (Coverage, bool) {
        let alone = survey.root_place == signature.element.place;
        let whole = if detached {
            // Nothing of what it names is here, and nothing else may be.
            alone || is_container(&survey.root) && !survey.root_has_more
        } else if alone {
            // What it envelops is the document.
            let mut data = signature.objects.iter().filter(|object| holds_data(object)).peekable();
            data.peek().is_some() && data.all(|object| self.signs_object(object))
        } else {
            self.includes(&survey.root_place)
        };
        let expected = match survey.expected.as_slice() {
            [] => whole,
            expected => expected.iter().all(|expected| self.includes(expected)),
        };
        (if whole { Coverage::Whole } else { Coverage::Part }, expected)
    }

    /// Whether all that a signature holds is covered, but for what verifying it
    /// needs: value, keys and properties.
    pub(crate) fn signs_all_in(&self, signature: &Signature<'_>) -> bool {
        let own = ["SignedInfo", "SignatureValue", "KeyInfo", "Object"];
        let own =
            |child: &Element| child.namespace == DS && own.contains(&child.local_name.as_str());
        let element = signature.element;
        let value = |child: &Element| {
            child.local_name != "SignatureValue"
                || !child.more && child.has_only_attributes(&["Id"])
        };
        let info = &signature.signed_info;
        let comments = info.method.as_ref().is_some_and(Canonicalization::comments);
        !element.more
            && element.has_only_attributes(&["Id"])
            && element.children.iter().all(|child| own(child) && value(child))
            && (comments || !info.element.has_more())
            && signature.objects.iter().all(|object| {
                let properties = object.children.iter().filter(|child| is_qualifying(child));
                self.signs_object(object) && properties.into_iter().all(has_only_properties)
            })
    }

    /// Whether a `ds:Object` is covered, its tags or properties aside; as text only
    /// if nothing else is in it that could be taken for signed.
    fn signs_object(&self, object: &Element) -> bool {
        let signed = |child: &Element| is_qualifying(child) || self.includes(&child.place);
        self.includes(&object.place)
            || object.has_only_attributes(&["Id", "MimeType", "Encoding"])
                && (self.texts.contains(&object.place)
                    || !object.more && object.children.iter().all(signed))
    }
}

impl Nodes {
    fn new(covered: &Covered, signatures: &HashSet<Range<u64>>) -> Self {
        let (mut holes, mut others) = (Vec::new(), Vec::new());
        for span in &covered.left_out {
            let place = span.whole();
            if !span.in_entity && signatures.contains(&place) {
                holes.push(place);
            } else {
                others.push(place);
            }
        }
        let selected = covered.selected.iter().filter(|span| !span.in_entity);
        Self {
            document: covered.outside,
            selected: Places::new(selected.map(|span| span.whole()).collect()),
            signatures: Places::new(holes),
            others: Places::new(others),
        }
    }

    fn include(&self, element: &Range<u64>) -> bool {
        let Range { start, end } = *element;
        // What begins no later than it and ends no sooner is around it.
        (self.document || self.selected.furthest(start + 1) >= end)
            && self.others.furthest(end) <= start
            // Signatures may be in it, but neither around it nor it.
            && self.signatures.furthest(start + 1) <= start
            && self.signatures.furthest(end) < end
    }
}

/// Stretches of the document, each with the furthest end of those that begin
/// no later.
struct Places(Vec<(u64, u64)>);

impl Places {
    fn new(mut places: Vec<Range<u64>>) -> Self {
        places.sort_unstable_by_key(|place| place.start);
        let mut furthest = 0;
        let arranged = places.into_iter().map(|place| {
            furthest = place.end.max(furthest);
            (place.start, furthest)
        });
        Self(arranged.collect())
    }

    /// The furthest end of those that begin before `before`; 0 if none does.
    fn furthest(&self, before: u64) -> u64 {
        let count = self.0.partition_point(|place| place.0 < before);
        let last = count.checked_sub(1).and_then(|last| self.0.get(last));
        last.map_or(0, |place| place.1)
    }
}

fn is_container(root: &Selected) -> bool {
    CONTAINERS.contains(&(root.namespace.as_str(), root.local_name.as_str()))
}

/// Whether there is something else than properties in a `ds:Object`.
fn holds_data(object: &Element) -> bool {
    let properties = object.children.iter().all(is_qualifying);
    object.more || object.children.is_empty() || !properties
}

fn is_xades(element: &Element) -> bool {
    element.namespace.starts_with(ANY_XADES)
}

fn is_qualifying(element: &Element) -> bool {
    is_xades(element) && element.local_name == "QualifyingProperties"
}

/// Whether qualifying properties are of nothing but such (EN 319 132-1, 4.3).
/// What is in an unsigned property is not asked.
fn has_only_properties(qualifying: &Element) -> bool {
    let of = |parent: &Element, names: &[&str]| {
        let known = |child: &Element| is_xades(child) && names.contains(&child.local_name.as_str());
        let mut seen = HashSet::new();
        !parent.more && parent.children.iter().all(|c| known(c) && seen.insert(&c.local_name))
    };
    let of_kind = |properties: &Element| {
        let property = |child: &Element| {
            properties.local_name == "UnsignedSignatureProperties"
                || child.local_name == "UnsignedDataObjectProperty"
        };
        !properties.more
            && properties.has_only_attributes(&["Id"])
            && properties.children.iter().all(|child| is_xades(child) && property(child))
    };
    let unsigned = |element: &Element| {
        element.local_name != "UnsignedProperties"
            || of(element, &["UnsignedSignatureProperties", "UnsignedDataObjectProperties"])
                && element.has_only_attributes(&["Id"])
                && element.children.iter().all(of_kind)
    };
    qualifying.has_only_attributes(&["Target", "Id"])
        && of(qualifying, &["SignedProperties", "UnsignedProperties"])
        && qualifying.children.iter().all(unsigned)
}
