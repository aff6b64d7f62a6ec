//! How much of its document, and of itself, a signature covers.

use std::collections::HashSet;
use std::ops::Range;

use crate::c14n::{Canonicalization, Covered, ElementName};
use crate::namespaces::{ANY_XADES, DS};
use crate::report::Coverage;

use super::collect::CollectedDocument;
use super::evaluate::Outcome;
use super::signature::Signature;
use super::tree::Element;

/// Root elements that contain only signatures over other documents: those of ASiC
/// (EN 319 162-1, A.7), of OpenDocument and of OCF.
const CONTAINERS: [(&str, &str); 3] = [
    ("http://uri.etsi.org/02918/v1.2.1#", "XAdESSignatures"),
    ("urn:oasis:names:tc:opendocument:xmlns:digitalsignature:1.0", "document-signatures"),
    ("urn:oasis:names:tc:opendocument:xmlns:container", "signatures"),
];

/// The union of the parts that the intact references of a signature cover.
pub(crate) struct Covering {
    nodes: Vec<Nodes>,
    /// The elements of which only the text is covered.
    texts: HashSet<Range<u64>>,
}

/// The nodes that one reference covers.
struct Nodes {
    /// Whether they are the whole document, except the left-out elements.
    document: bool,
    selected: Ranges,
    /// The left-out signatures.
    signatures: Ranges,
    /// The other left-out elements.
    others: Ranges,
}

impl Covering {
    /// `signatures` are the places of the document's signatures.
    pub(crate) fn new(intact: &[&Outcome], signatures: &HashSet<Range<u64>>) -> Self {
        let covered = || intact.iter().filter_map(|outcome| outcome.covered.as_ref());
        let texts = covered().filter(|c| c.text && c.left_out.is_empty() && !c.comments_left_out);
        Self {
            nodes: covered().filter(|c| !c.text).map(|c| Nodes::new(c, signatures)).collect(),
            texts: texts.flat_map(|c| &c.selected).map(|span| span.whole()).collect(),
        }
    }

    /// Whether one reference covers all of an element except signatures in it.
    pub(crate) fn includes(&self, element: &Range<u64>) -> bool {
        self.nodes.iter().any(|nodes| nodes.include(element))
    }

    /// How much of the document is covered, and whether that includes the expected
    /// elements. `detached`: the signed data are other documents.
    pub(crate) fn coverage(
        &self,
        document: &CollectedDocument,
        signature: &Signature<'_>,
        detached: bool,
    ) -> (Coverage, bool) {
        let alone = document.root_place() == signature.element.place;
        let whole = if detached {
            // The document must contain nothing except signatures.
            alone || is_container(&document.root) && !document.root_has_more
        } else if alone {
            // The signature is the root element: the enveloped data are the whole.
            let mut data = signature.objects.iter().filter(|object| holds_data(object)).peekable();
            data.peek().is_some() && data.all(|object| self.signs_object(object))
        } else {
            self.includes(&document.root_place())
        };
        let expected = match document.expected.as_slice() {
            [] => whole,
            expected => expected.iter().all(|expected| self.includes(expected)),
        };
        (if whole { Coverage::Whole } else { Coverage::Part }, expected)
    }

    /// Whether a reference names the whole document or its root element, whatever parts its
    /// transforms leave out.
    pub(crate) fn names_root(&self, document: &CollectedDocument) -> bool {
        self.nodes.iter().any(|nodes| nodes.name(&document.root_place()))
    }

    /// Whether everything in a signature is covered, except the parts that verifying
    /// reads: value, keys and properties.
    pub(crate) fn signs_all_in(&self, signature: &Signature<'_>) -> bool {
        let own = ["SignedInfo", "SignatureValue", "KeyInfo", "Object"];
        let own =
            |child: &Element| child.namespace == DS && own.contains(&child.local_name.as_str());
        let element = signature.element;
        let value = |child: &Element| {
            child.local_name != "SignatureValue"
                || !child.more && child.children.is_empty() && child.has_only_attributes(&["Id"])
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

    /// Whether a `ds:Object` is covered, except its tags or qualifying properties. If
    /// only its text is covered, it must not contain elements that look signed.
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
        let (mut left_out_signatures, mut others) = (Vec::new(), Vec::new());
        for span in &covered.left_out {
            let place = span.whole();
            if !span.in_entity && signatures.contains(&place) {
                left_out_signatures.push(place);
            } else {
                others.push(place);
            }
        }
        let selected = covered.selected.iter().filter(|span| !span.in_entity);
        Self {
            document: covered.outside,
            selected: Ranges::new(selected.map(|span| span.whole()).collect()),
            signatures: Ranges::new(left_out_signatures),
            others: Ranges::new(others),
        }
    }

    fn include(&self, element: &Range<u64>) -> bool {
        let Range { start, end } = *element;
        self.name(element)
            && self.others.furthest(end) <= start
            // Left-out signatures may be inside it. It must be neither one of them nor
            // inside one.
            && self.signatures.furthest(start + 1) <= start
            && self.signatures.furthest(end) < end
    }

    /// Whether an element is among them, whatever is left out of it.
    fn name(&self, element: &Range<u64>) -> bool {
        let Range { start, end } = *element;
        // A range around it begins no later and ends no earlier.
        let is_around = |ranges: &Ranges| ranges.furthest(start + 1) >= end;
        (self.document || is_around(&self.selected))
            && !is_around(&self.others)
            && !is_around(&self.signatures)
    }
}

/// Ranges of the document, each as its start and the furthest end of those that
/// begin no later.
struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    fn new(mut places: Vec<Range<u64>>) -> Self {
        places.sort_unstable_by_key(|place| place.start);
        let mut furthest = 0;
        let arranged = places.into_iter().map(|place| {
            furthest = place.end.max(furthest);
            (place.start, furthest)
        });
        Self(arranged.collect())
    }

    /// The furthest end of the ranges that begin before `before`; 0 if there are
    /// none.
    fn furthest(&self, before: u64) -> u64 {
        let count = self.0.partition_point(|place| place.0 < before);
        let last = count.checked_sub(1).and_then(|last| self.0.get(last));
        last.map_or(0, |place| place.1)
    }
}

fn is_container(root: &ElementName) -> bool {
    CONTAINERS.contains(&(root.namespace.as_str(), root.local_name.as_str()))
}

/// Whether a `ds:Object` contains anything except properties.
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

/// Whether qualifying properties contain only properties (EN 319 132-1, 4.3). The
/// content of unsigned properties is not checked.
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
