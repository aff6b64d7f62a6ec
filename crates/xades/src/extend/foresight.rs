//! Foresees the signatures of a document with new properties, so that one reading is enough to find
//! them and to digest what they are over. A wrong foresight costs a reading, and nothing else.

use std::ops::Range;

use crate::namespaces::XADES;
use crate::verify::collect::CollectedSignature;
use crate::verify::tree::{Element, of_fragment};

use super::insertion::Insertion;
use super::known::Known;
use super::properties_place::PropertiesSite;

/// The signatures that the document will have with this markup in the signature with this index.
/// `None` if that is not foreseen.
pub(super) fn with_properties(
    known: &Known,
    index: usize,
    site: &PropertiesSite,
    markup: &str,
) -> Option<Vec<CollectedSignature>> {
    let added = elements(known, site, markup)?;
    let insertion = &site.insertion;
    let inserted = insertion.octets(markup).ok()?.len() as u64;
    let mut signatures = known.collected.signatures.clone();
    for signature in &mut signatures {
        shift(&mut signature.element, insertion, inserted);
    }
    let around = &mut signatures.get_mut(index)?.element;
    let around = element_at(around, site.start)?;
    let at = if site.is_first { 0 } else { around.children.len() };
    around.children.splice(at..at, added);
    Some(signatures)
}

/// The elements in the markup, at their places in the document.
fn elements(known: &Known, site: &PropertiesSite, markup: &str) -> Option<Vec<Element>> {
    let offset = site.insertion.offset_of_fragment().filter(|_| site.is_plain)?;
    let declaration = match site.prefix.as_deref() {
        None => String::new(),
        Some("") => format!(" xmlns=\"{XADES}\""),
        Some(prefix) => format!(" xmlns:{}=\"{XADES}\"", prefix.trim_end_matches(':')),
    };
    let start = format!("<around{declaration}>");
    let fragment = format!("{start}{markup}</around>");
    let mut around = of_fragment(fragment.as_bytes(), known.ids())?;
    around.move_by(offset.checked_sub(start.len() as u64)?);
    Some(around.children)
}

/// Moves the places in an element to where they are with the insertion.
fn shift(element: &mut Element, insertion: &Insertion, inserted: u64) {
    let Insertion { offset, replaced, .. } = *insertion;
    let Range { start, end } = element.place;
    let moved = |at: u64| at.saturating_sub(replaced).saturating_add(inserted);
    let start = if start >= offset.saturating_add(replaced) { moved(start) } else { start };
    let end = if end > offset { moved(end) } else { end };
    element.place = start..end;
    element.children.iter_mut().for_each(|child| shift(child, insertion, inserted));
}

/// The element in another one that begins at this octet.
fn element_at(element: &mut Element, start: u64) -> Option<&mut Element> {
    if element.place.start == start {
        return Some(element);
    }
    let around = |child: &&mut Element| child.place.start <= start && start < child.place.end;
    element_at(element.children.iter_mut().find(around)?, start)
}
