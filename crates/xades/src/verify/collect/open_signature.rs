//! A signature that is being read: which of its elements are kept.

use crate::c14n::IdAttributes;
use crate::error::{Error, Limit};
use crate::namespaces::{ANY_XADES, DS};
use crate::xml::StartElement;

use super::super::tree::Element;
use super::{MAX_DEPTH, limit};

/// Maximum number of elements directly in a `ds:Object` that are kept apart.
const MAX_IN_OBJECT: usize = 64;

/// The parts of an element's content that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Nothing,
    Everything,
    /// As a `ds:Signature`.
    Signature,
    /// As a `ds:Object`.
    Object,
    /// As `xades:QualifyingProperties`.
    Qualifying,
    /// As `xades:UnsignedProperties`.
    Unsigned,
    /// As `xades:UnsignedSignatureProperties` or
    /// `xades:UnsignedDataObjectProperties`.
    UnsignedOfKind,
    /// Everything, as far as [`MAX_VALIDATION_DATA_LEN`](super::MAX_VALIDATION_DATA_LEN) allows.
    ValidationData,
    /// None. Of the element itself, only the name and the place are kept.
    Place,
}

impl Keep {
    /// Whether the element can be around unsigned properties.
    pub(super) const fn is_around_properties(self) -> bool {
        matches!(self, Self::Qualifying | Self::Unsigned | Self::UnsignedOfKind)
    }

    /// The parts that are kept of a child that follows `before` others. `None`: the child
    /// is not kept at all.
    fn of_child(self, element: &StartElement<'_>, before: usize) -> Option<Self> {
        let ds = element.namespace() == DS.as_bytes();
        let xades = element.namespace().starts_with(ANY_XADES.as_bytes());
        match (self, element.local_name()) {
            (Self::Nothing | Self::Place | Self::ValidationData, _) => None,
            (Self::Everything, b"X509CRL") if ds => None,
            (Self::Everything, _) => Some(Self::Everything),
            (Self::Signature, b"SignedInfo" | b"SignatureValue" | b"KeyInfo") if ds => {
                Some(Self::Everything)
            }
            (Self::Signature, b"Object") if ds => Some(Self::Object),
            (Self::Signature, _) => Some(Self::Nothing),
            (Self::Object, b"Manifest") if ds => Some(Self::Everything),
            (Self::Object, b"QualifyingProperties") if xades => Some(Self::Qualifying),
            (Self::Object, _) => (before < MAX_IN_OBJECT).then_some(Self::Place),
            (Self::Qualifying, b"SignedProperties") if xades => Some(Self::Everything),
            (Self::Qualifying, b"UnsignedProperties") if xades => Some(Self::Unsigned),
            (Self::Qualifying, _) => Some(Self::Nothing),
            (Self::Unsigned, b"UnsignedSignatureProperties" | b"UnsignedDataObjectProperties")
                if xades =>
            {
                Some(Self::UnsignedOfKind)
            }
            (
                Self::UnsignedOfKind,
                b"SignatureTimeStamp" | b"ArchiveTimeStamp" | b"CertificateValues",
            ) if xades => Some(Self::Everything),
            (
                Self::UnsignedOfKind,
                b"SigAndRefsTimeStamp"
                | b"SigAndRefsTimeStampV2"
                | b"RefsOnlyTimeStamp"
                | b"RefsOnlyTimeStampV2"
                | b"RevocationValues"
                | b"AttrAuthoritiesCertValues"
                | b"AttributeRevocationValues"
                | b"TimeStampValidationData"
                | b"AnyValidationData",
            ) if xades => Some(Self::ValidationData),
            (Self::Unsigned | Self::UnsignedOfKind, _) => Some(Self::Nothing),
        }
    }
}

/// A signature whose end has not been read yet.
pub(super) struct OpenSignature {
    /// Its index in the list.
    pub(super) index: usize,
    pub(super) open: Vec<(Element, Keep)>,
    /// The number of open elements of which nothing is kept.
    pub(super) skipped: usize,
    /// The number of octets kept.
    pub(super) kept_len: usize,
}

impl OpenSignature {
    /// Handles the start of an element in the signature. Returns the cost of keeping it.
    pub(super) fn start(
        &mut self,
        element: &StartElement<'_>,
        ids: &IdAttributes,
        validation_data_left: &mut usize,
    ) -> Result<usize, Error> {
        let depth = self.open.len();
        let keep = match self.open.last_mut() {
            Some((parent, Keep::ValidationData)) if self.skipped == 0 && !is_known(element) => {
                parent.more = true;
                None
            }
            Some((parent, Keep::ValidationData)) if self.skipped == 0 => {
                let kept = Element::new(element, ids);
                if depth < MAX_DEPTH && take(validation_data_left, kept.cost()) {
                    self.open.push((kept, Keep::ValidationData));
                    return Ok(0);
                }
                parent.cut = true;
                None
            }
            Some((parent, keep)) if self.skipped == 0 => {
                let keep = keep.of_child(element, parent.children.len());
                parent.more |= keep.is_none();
                keep
            }
            _ => None,
        };
        let Some(keep) = keep else {
            self.skipped += 1;
            return Ok(0);
        };
        if self.open.len() == MAX_DEPTH {
            return Err(limit(element.tag().start, Limit::SignatureDepth));
        }
        let kept = match keep {
            Keep::Place => Element::bare(element),
            _ => Element::new(element, ids),
        };
        let name = if keep.is_around_properties() { element.qualified_name().len() } else { 0 };
        let cost = kept.cost() + name;
        self.kept_len += cost;
        self.open.push((kept, keep));
        Ok(cost)
    }
}

/// Whether validation data can have this element.
fn is_known(element: &StartElement<'_>) -> bool {
    let namespace = element.namespace();
    namespace == DS.as_bytes() || namespace.starts_with(ANY_XADES.as_bytes())
}

/// Takes the space of octets, if it is there.
pub(super) const fn take(left: &mut usize, octets: usize) -> bool {
    let is_there = *left >= octets;
    if is_there {
        *left -= octets;
    }
    is_there
}
