//! What an element whose parent is not in the node-set takes over from its
//! ancestors (Canonical XML 1.0 and 1.1, clause 2.4 each).

use std::borrow::Cow;

use crate::error::Error;
use crate::xml::StartElement;

use super::base::join;
use super::method::Algorithm;
use super::work::Work;

/// Octets of a joined `xml:base`.
const MAX_BASE: usize = 64 * 1024;

/// What sorting one of many attributes costs.
const SORTING: usize = 16;
/// What one octet costs of what is joined.
const JOINING: usize = 4;

/// An `xml:` attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct XmlAttribute<'e> {
    pub(crate) local_name: &'e [u8],
    pub(crate) value: Cow<'e, [u8]>,
}

/// All `xml:` attributes to be written of an element, sorted by local name: its
/// own and what it inherits. `None` if it inherits nothing. `shown` is the depth
/// of the nearest ancestor in the node-set.
pub(crate) fn with_inherited<'e>(
    algorithm: Algorithm,
    element: &StartElement<'e>,
    shown: Option<usize>,
    work: &mut Work,
) -> Result<Option<Vec<XmlAttribute<'e>>>, Error> {
    if algorithm == Algorithm::Exclusive10 {
        return Ok(None);
    }
    let v11 = algorithm == Algorithm::C14n11;
    work.add(element.xml_scope.len());
    // 1.1 asks the ancestors that are missing in a row, 1.0 asks all.
    let asked = |depth: usize| !v11 || shown.is_none_or(|shown| depth > shown);
    let above = |depth: usize| depth < element.depth() && asked(depth);
    let ancestors = || element.xml_scope.iter().filter(|held| above(held.0));
    let attribute = |local_name, value| XmlAttribute { local_name, value: Cow::Borrowed(value) };

    let own = element.tag.of_xml().map(|own| element.placed(own));
    let mut all: Vec<_> = own.map(|own| attribute(own.local_name(), own.value())).collect();
    let before = all.len();
    let simple = |name: &[u8]| !v11 || matches!(name, b"lang" | b"space");
    let simple = ancestors().rev().filter(|held| simple(held.1));
    all.extend(simple.map(|(_, name, value)| attribute(name, value)));
    let joined = if v11 { joined_base(element, ancestors(), work)? } else { None };
    if all.len() == before && joined.is_none() {
        return Ok(None);
    }
    // Of those of one name the first stays: its own, or the nearest ancestor's.
    work.add(all.len() * SORTING);
    all.sort_by_key(|attribute| attribute.local_name);
    all.dedup_by_key(|attribute| attribute.local_name);
    if let Some(base) = joined {
        all.retain(|attribute| attribute.local_name != b"base");
        // A base that came out empty is not written (1.1, clause 2.4).
        if !base.is_empty() {
            let at = all.partition_point(|attribute| attribute.local_name < b"base".as_slice());
            let value = Cow::Owned(base.into_bytes());
            all.insert(at, XmlAttribute { local_name: b"base", value });
        }
    }
    Ok(Some(all))
}

/// The bases of missing ancestors and the element's own, joined; `None` if no
/// ancestor has one.
fn joined_base<'e>(
    element: &StartElement<'e>,
    ancestors: impl DoubleEndedIterator<Item = (usize, &'e [u8], &'e [u8])>,
    work: &mut Work,
) -> Result<Option<String>, Error> {
    let mut bases = ancestors.filter(|held| held.1 == b"base").map(|held| held.2).rev().peekable();
    if bases.peek().is_none() {
        return Ok(None);
    }
    let mut of_xml = element.tag.of_xml().map(|own| element.placed(own));
    let own = of_xml.find(|own| own.local_name() == b"base").map(|own| own.value());
    let mut joined: Option<String> = None;
    for base in own.into_iter().chain(bases) {
        let base = String::from_utf8_lossy(base);
        let next = joined.map_or_else(|| base.clone().into_owned(), |inner| join(&base, &inner));
        work.add((base.len() + next.len()) * JOINING);
        if next.len() > MAX_BASE {
            let limit = "octets of a joined xml:base";
            return Err(Error::Limit { offset: element.tag().start, limit });
        }
        joined = Some(next);
    }
    Ok(joined)
}
