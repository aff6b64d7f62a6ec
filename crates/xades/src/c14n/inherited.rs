//! What an element whose parent is not in the node-set takes over from its
//! ancestors (Canonical XML 1.0 and 1.1, clause 2.4 each).

use crate::xml::{PlacedAttribute, StartElement, XML_BINDING};

use super::base::join;
use super::method::Algorithm;

/// An `xml:` attribute that is written though it does not stand in the tag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Inherited {
    pub(crate) local_name: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// The attributes to write beside the element's own; one of the same name
/// replaces its own. `shown` is the depth of the nearest ancestor in the
/// node-set.
pub(crate) fn inherited(
    algorithm: Algorithm,
    element: &StartElement<'_>,
    shown: Option<usize>,
) -> Vec<Inherited> {
    if algorithm == Algorithm::Exclusive10 {
        return Vec::new();
    }
    let mut all: Vec<Inherited> = Vec::new();
    let v11 = algorithm == Algorithm::C14n11;
    // 1.1 asks the ancestors that are missing in a row, 1.0 asks all.
    let asked = |depth: usize| !v11 || shown.is_none_or(|shown| depth > shown);
    let above = |depth: usize| depth < element.depth() && asked(depth);
    let ancestors = || element.xml_scope.iter().filter(|held| above(held.0));
    for (_, name, value) in ancestors().rev() {
        let simple = !v11 || matches!(name, b"lang" | b"space");
        let known = all.iter().any(|inherited| inherited.local_name == name);
        if simple && !known && own(element, name).is_none() {
            all.push(Inherited { local_name: name.to_vec(), value: value.to_vec() });
        }
    }
    let mut bases =
        ancestors().filter(|held| v11 && held.1 == b"base").map(|held| held.2).peekable();
    if bases.peek().is_some() {
        let own = own(element, b"base");
        let bases: Vec<&[u8]> = bases.chain(own.map(|own| own.value())).collect();
        let value = bases.into_iter().rev().map(|base| String::from_utf8_lossy(base).into_owned());
        let value = value.reduce(|inner, outer| join(&outer, &inner)).unwrap_or_default();
        all.push(Inherited { local_name: b"base".to_vec(), value: value.into_bytes() });
    }
    all
}

/// The element's own `xml:` attribute of this name.
fn own<'r>(element: &StartElement<'r>, local_name: &[u8]) -> Option<PlacedAttribute<'r>> {
    let placed = element.tag.attributes.iter().map(|attribute| element.placed(attribute));
    let mut of_xml = placed.filter(|placed| placed.binding() == XML_BINDING);
    of_xml.find(|placed| placed.local_name() == local_name)
}
